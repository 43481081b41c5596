# SPDX-License-Identifier: Apache-2.0
"""What a handler returned, as an answer. The rules are the SDK's (Response.from_entrypoint_output), with these
differences: bytes travel as they are; bytes in a tuple are a body, not the JSON text of their repr; a list in a
Response is JSON like a dict."""

import json
import operator
import types

import nuclio_sdk
import nuclio_sdk.json_encoder

_sdk_encoder = nuclio_sdk.json_encoder.Encoder()
# The SDK's encoder writes NaN as "NaN" and is pure Python for that reason; the C encoder writes the same for all that
# has no NaN or infinity in it, and refuses what has.
_fast_encoder = json.JSONEncoder(allow_nan=False, default=_sdk_encoder.default)


def _pieces_of_json(value):
    """_fast_encoder.iterencode(), which would make the same C encoder anew for each value."""
    try:
        return _c_encoder(value, 0)
    except BaseException:
        _ancestors.clear()  # what it was in the midst of
        raise


if json.encoder.c_make_encoder is not None:
    _ancestors = {}
    _c_encoder = json.encoder.c_make_encoder(
        _ancestors,
        _sdk_encoder.default,
        json.encoder.encode_basestring_ascii,
        None,
        _fast_encoder.key_separator,
        _fast_encoder.item_separator,
        _fast_encoder.sort_keys,
        _fast_encoder.skipkeys,
        _fast_encoder.allow_nan,
    )
else:
    _pieces_of_json = _fast_encoder.iterencode

_TEXT = b"text/plain"
_JSON = b"application/json"
_BINARY = (bytes, bytearray, memoryview)


class BadResult(Exception):
    """The handler returned what cannot be an answer."""


class Answer:
    __slots__ = ("status", "content_type", "headers", "body", "event_id")

    def __init__(self, status, content_type, body, headers=(), event_id=b""):
        self.status = status
        self.content_type = content_type
        self.headers = headers  # pairs of bytes
        self.body = body  # bytes-like
        self.event_id = event_id


def to_json(value):
    try:
        return "".join(_pieces_of_json(value)).encode("ascii")
    except ValueError:
        return _sdk_encoder.encode(value).encode("ascii")


def to_bytes(text):
    # surrogateescape gives back the bytes of a header that was no UTF-8; other surrogates cannot be said in UTF-8.
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _body(value):
    if isinstance(value, _BINARY):
        return bytes(value)
    return to_bytes(value if isinstance(value, str) else str(value))


def answer(output):
    """The Answer for what a handler returned, other than a generator."""
    kind = type(output)
    if kind is str:
        return Answer(200, _TEXT, to_bytes(output))
    if kind is bytes:
        return Answer(200, _TEXT, output)
    if isinstance(output, (dict, list)):
        return Answer(200, _JSON, to_json(output))
    if isinstance(output, tuple) and len(output) == 2:
        status = _status(output[0])
        if isinstance(output[1], (str, *_BINARY)):
            return Answer(status, _TEXT, _body(output[1]))
        return Answer(status, _JSON, to_json(output[1]))
    if isinstance(output, nuclio_sdk.Response):
        return _from_response(output)
    return Answer(200, _TEXT, _body(output))


def _from_response(response):
    if isinstance(response.body, (dict, list)):
        content_type, body = _JSON, to_json(response.body)
    else:
        if not isinstance(response.content_type, str):
            raise BadResult("Response.content_type must be a str, is {0!r}".format(response.content_type))
        content_type, body = to_bytes(response.content_type), _body(response.body)
    event_id = to_bytes(str(response.event_id)) if response.event_id else b""
    return Answer(_status(response.status_code), content_type, body, _headers(response.headers), event_id)


def error_answer(error):
    """Status, content type and body for what the handler raised; only the SDK's ExceptionWithResponse has its own."""
    if isinstance(error, nuclio_sdk.ExceptionWithResponse):
        try:
            return _from_response(
                nuclio_sdk.Response(
                    body=b"" if error.body is None else error.body,
                    content_type=error.content_type,
                    status_code=error.status_code,
                )
            )
        except BadResult:
            pass  # what it says about the answer is no answer; the error itself is told all the same
    return Answer(500, _TEXT, b"")


def _status(value):
    try:
        status = operator.index(value)
    except TypeError:
        status = 0
    if not 100 <= status <= 999:
        raise BadResult("the status must be a whole number from 100 to 999, is {0!r}".format(value))
    return status


def _headers(headers):
    pairs = []
    for name, value in headers.items():
        name = _header_text(name)
        # Several values are several headers of the same name, as cookies need.
        for one in value if isinstance(value, (list, tuple)) else (value,):
            pairs.append((name, _header_text(one)))
    return pairs


def _header_text(value):
    if isinstance(value, bool):
        return b"true" if value else b"false"
    return _body(value)


# Answers in pieces

_GENERATORS = (types.GeneratorType, types.AsyncGeneratorType)


def pieces_of(output):
    """The generator that gives the body, or None: the output itself, or the body of a Response."""
    if isinstance(output, _GENERATORS):
        return output
    if isinstance(output, nuclio_sdk.Response) and isinstance(output.body, _GENERATORS):
        return output.body
    return None


def first_answer(output, piece):
    """The beginning of an answer in pieces. A Response that has the generator decides on status and headers; else the
    first piece may be anything that a handler may return."""
    if not isinstance(output, nuclio_sdk.Response):
        return answer(piece)
    raw = piece.body if isinstance(piece, nuclio_sdk.Response) else piece
    return _from_response(
        nuclio_sdk.Response(
            headers=output.headers,
            body=raw,
            content_type=output.content_type,
            status_code=output.status_code,
        )
    )


def next_piece(piece):
    return _body(piece.body if isinstance(piece, nuclio_sdk.Response) else piece)

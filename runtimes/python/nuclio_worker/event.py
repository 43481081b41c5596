# SPDX-License-Identifier: Apache-2.0
"""The SDK's Event, over a frame: an attribute becomes a Python object when it is first read."""

import datetime
import json
import sys

import nuclio_sdk

_EPOCH = datetime.datetime(1970, 1, 1)


def _text(index):
    return lambda frame: frame.text(index)


def _raw(index):
    return lambda frame: frame.raw(index)


def _number(index, absent=0):
    return lambda frame: frame.number(index, absent)


def parsed(body):
    try:
        return json.loads(body.decode("utf-8"))
    except Exception as error:
        # As the SDK does it: the handler gets the bytes.
        sys.stderr.write("Failed deserializing json body, error message: {0}\n".format(error))
        return body


def _body(frame):
    body = frame.body()
    return parsed(body) if frame.raw(4) == b"application/json" else body


def _decoded(pairs):
    return {str(name, "utf-8", "surrogateescape"): str(value, "utf-8", "surrogateescape") for name, value in pairs}


def _timestamp(frame):
    # Whole seconds, naive, UTC: what Nuclio's wrapper hands out, and what to_json() shows.
    return _EPOCH + datetime.timedelta(seconds=frame.timestamp_ns // 1_000_000_000)


# In the SDK's order, which is that of to_json().
_DECODERS = {
    "body": _body,
    "content_type": _text(4),
    "trigger": lambda frame: nuclio_sdk.TriggerInfo(frame.text(5), frame.text(6)),
    "fields": lambda frame: _decoded(frame.raw_fields()),
    "headers": lambda frame: _decoded(frame.raw_headers()),
    "id": _text(0),
    "method": _text(1),
    "path": lambda frame: frame.text(2) or "/",
    "size": lambda frame: frame.body_length,
    "timestamp": _timestamp,
    "url": _text(3),
    "shard_id": _number(0, -1),
    "num_shards": _number(1),
    "type": _text(7),
    "type_version": _text(8),
    "version": _text(9),
    "last_in_batch": lambda frame: False,
    "offset": _number(2),
    "topic": _text(10),
}

# NUCLIO_PYTHON_DECODE_EVENT_STRINGS=false: texts stay bytes.
_RAW_DECODERS = {
    **_DECODERS,
    "content_type": _raw(4),
    "trigger": lambda frame: nuclio_sdk.TriggerInfo(frame.raw(5), frame.raw(6)),
    "fields": lambda frame: dict(frame.raw_fields()),
    "headers": lambda frame: dict(frame.raw_headers()),
    "id": _raw(0),
    "method": _raw(1),
    "path": lambda frame: frame.raw(2) or "/",
    "url": _raw(3),
    "type": _raw(7),
    "type_version": _raw(8),
    "version": _raw(9),
    "topic": _raw(10),
}


# An instance's own dictionary, which Event.__dict__ fills before it shows it.
_own = nuclio_sdk.Event.__dict__["__dict__"]


class Event(nuclio_sdk.Event):
    """A nuclio_sdk.Event in all that a handler can see. Owns its frame until somebody asks for all attributes."""

    __slots__ = ("_frame",)
    _decoders = _DECODERS

    def __init__(self, frame):
        self._frame = frame

    # Called for what is not in the instance yet; what it decodes is, so a second read costs nothing.
    def __getattr__(self, name):
        decode = self._decoders.get(name) if self._frame is not None else None
        if decode is None:
            raise AttributeError("{0!r} object has no attribute {1!r}".format("Event", name))
        value = decode(self._frame)
        setattr(self, name, value)
        return value

    def __delattr__(self, name):
        self._complete()
        super().__delattr__(name)

    @property
    def __dict__(self):
        return self._complete()

    @__dict__.setter
    def __dict__(self, attributes):
        self._frame = None
        _own.__set__(self, attributes)

    def _complete(self):
        """The instance's dictionary with every attribute, in the SDK's order, then what the handler added."""
        attributes = _own.__get__(self)
        if self._frame is not None:
            complete = {name: getattr(self, name) for name in self._decoders}
            complete.update(attributes)
            attributes.clear()
            attributes.update(complete)
            self._frame = None
        return attributes

    # Copies and pickles are plain SDK events, which other processes understand.
    def __reduce__(self):
        return restored, (dict(self._complete()),)


class RawEvent(Event):
    __slots__ = ()
    _decoders = _RAW_DECODERS


def restored(attributes):
    plain = nuclio_sdk.Event.__new__(nuclio_sdk.Event)
    plain.__dict__.update(attributes)
    return plain

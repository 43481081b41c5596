# SPDX-License-Identifier: Apache-2.0
"""Frames as bytes and back; the format is runtimes/wire/FORMAT.md and the tests read test/vectors/wire."""

import struct

VERSION = 1
DEFAULT_LIMIT = 65 << 20

START, EVENT, BATCH, REPLY, CHUNK, LOG, METRIC, ACK, CONTROL, CANCEL = range(1, 11)
FAILED, MORE, NESTED = 1, 2, 4
DRAIN, TERMINATE, CONTINUE, DONE = 1, 2, 3, 4

_ALLOWED_FLAGS = {
    START: (0, FAILED),
    BATCH: (NESTED,),
    REPLY: (0, FAILED, MORE, NESTED),
    CHUNK: (0, FAILED, MORE),
}
_NO_FLAGS = (0,)

_HEADER = struct.Struct("<IBBHQQqHHHHQQ")
HEADER_SIZE = _HEADER.size
_LENGTH = struct.Struct("<I")
_PLAIN_REPLY = struct.Struct("<IBBHQQqHHHHQQqqII")
_ZEROS = tuple(bytes(n) for n in range(8))

# Formats of string tables by number of entries; struct's own cache is a dictionary look-up on a string made anew.
_TABLES = {}


class FrameError(ValueError):
    """The bytes are no frame. `reason` is the C library's name for why."""

    def __init__(self, reason):
        super().__init__("the bytes are no frame: {0}".format(reason))
        self.reason = reason


class Frame:
    """A checked frame over bytes that it owns. Numbers, strings and body become objects when they are asked for."""

    __slots__ = (
        "data",
        "type",
        "flags",
        "call",
        "deadline_ns",
        "timestamp_ns",
        "numbers",
        "strings",
        "headers",
        "fields",
        "offsets",
        "body_begin",
        "body_length",
    )

    def number(self, index, absent=0):
        if index >= self.numbers:
            return absent
        return int.from_bytes(self.data[HEADER_SIZE + 8 * index : HEADER_SIZE + 8 * index + 8], "little", signed=True)

    def raw(self, index):
        """String `index` of the table as bytes, b"" when the sender left it out."""
        if index >= self.strings:
            return b""
        return bytes(self.data[self.offsets[index] : self.offsets[index + 1]])

    def text(self, index):
        if index >= self.strings:
            return ""
        return str(self.data[self.offsets[index] : self.offsets[index + 1]], "utf-8", "surrogateescape")

    def raw_headers(self):
        return self._pairs(self.strings, self.headers)

    def raw_fields(self):
        return self._pairs(self.strings + 2 * self.headers, self.fields)

    def _pairs(self, first, count):
        data, offsets = self.data, self.offsets
        texts = [bytes(data[offsets[i] : offsets[i + 1]]) for i in range(first, first + 2 * count)]
        return list(zip(texts[::2], texts[1::2]))

    def body(self):
        begin = self.body_begin
        if type(self.data) is bytes:
            return self.data[begin : begin + self.body_length]
        return bytes(memoryview(self.data)[begin : begin + self.body_length])

    def inner(self):
        """The frames in the body of a nested one."""
        body = self.body()
        position = 0
        frames = []
        while position < len(body):
            length = frame_length(body, position, len(body))
            frames.append(_decode_one(body[position : position + length]))
            position += length
        return frames


def frame_length(data, position, limit):
    """Length of the frame that begins at `position`, where at least 4 bytes are there."""
    (length,) = _LENGTH.unpack_from(data, position)
    if length < HEADER_SIZE or length % 8:
        raise FrameError("bad_length")
    if length > limit:
        raise FrameError("too_long")
    return length


def decode(data, limit=DEFAULT_LIMIT):
    """The frame that `data` (bytes or bytearray) begins with."""
    if len(data) < 4:
        raise FrameError("short")
    length = frame_length(data, 0, limit)
    if len(data) < length:
        raise FrameError("short")
    frame = _decode_one(data if len(data) == length else data[:length])
    if frame.flags & NESTED:
        wanted = EVENT if frame.type == BATCH else REPLY
        try:
            inner = frame.inner()
        except (FrameError, struct.error):
            raise FrameError("bad_nested") from None
        if any(one.type != wanted or one.flags & ~FAILED for one in inner):
            raise FrameError("bad_nested")
    return frame


def _decode_one(data):
    """Checks all but what is nested. `data` has at least 4 bytes and claims to be one whole frame."""
    length = len(data)
    if length < HEADER_SIZE:
        raise FrameError("short")
    frame = Frame()
    frame.data = data
    (
        announced,
        frame.type,
        version,
        frame.flags,
        frame.call,
        frame.deadline_ns,
        frame.timestamp_ns,
        frame.numbers,
        frame.strings,
        frame.headers,
        frame.fields,
        frame.body_begin,
        frame.body_length,
    ) = _HEADER.unpack_from(data)
    if announced != length:
        raise FrameError("short")
    if version != VERSION:
        raise FrameError("bad_version")
    if not START <= frame.type <= CANCEL:
        raise FrameError("bad_type")
    if frame.flags not in _ALLOWED_FLAGS.get(frame.type, _NO_FLAGS):
        raise FrameError("bad_flags")

    entries = frame.strings + 2 * (frame.headers + frame.fields) + 1
    table = HEADER_SIZE + 8 * frame.numbers
    table_end = table + 4 * entries
    if table_end > length:
        raise FrameError("bad_table")
    unpack = _TABLES.get(entries)
    if unpack is None:
        unpack = _TABLES[entries] = struct.Struct("<{0}I".format(entries)).unpack_from
    offsets = unpack(data, table)
    # Sorting what is sorted is one pass in C, cheaper than a loop here.
    if offsets[0] != table_end or offsets[-1] > length or list(offsets) != sorted(offsets):
        raise FrameError("bad_string")
    frame.offsets = offsets
    if frame.body_begin != (offsets[-1] + 7) & ~7 or frame.body_begin + ((frame.body_length + 7) & ~7) != length:
        raise FrameError("bad_body")
    return frame


def encode(
    type,
    call=0,
    flags=0,
    numbers=(),
    strings=(),
    headers=(),
    fields=(),
    body=b"",
    deadline_ns=0,
    timestamp_ns=0,
):
    """The parts of a frame, to be sent one after the other. Strings and pairs are bytes."""
    texts = list(strings)
    for pair in headers:
        texts += pair
    for pair in fields:
        texts += pair
    table_end = HEADER_SIZE + 8 * len(numbers) + 4 * (len(texts) + 1)
    offsets = [table_end]
    end = table_end
    for text in texts:
        end += len(text)
        offsets.append(end)
    body_begin = (end + 7) & ~7
    head = _HEADER.pack(
        body_begin + ((len(body) + 7) & ~7),
        type,
        VERSION,
        flags,
        call,
        deadline_ns,
        timestamp_ns,
        len(numbers),
        len(strings),
        len(headers),
        len(fields),
        body_begin,
        len(body),
    )
    rest = struct.pack("<{0}q{1}I".format(len(numbers), len(offsets)), *numbers, *offsets)
    return [head, rest, *texts, _ZEROS[body_begin - end], body, _ZEROS[-len(body) & 7]]


def encode_plain_reply(call, status, duration_ns, content_type, body, flags=0):
    """encode() for the reply that nearly every call has: no headers."""
    end = 80 + len(content_type)
    body_begin = (end + 7) & ~7
    length = len(body)
    padded = (length + 7) & ~7
    head = _PLAIN_REPLY.pack(
        body_begin + padded,
        REPLY,
        VERSION,
        flags,
        call,
        0,
        0,
        2,
        1,
        0,
        0,
        body_begin,
        length,
        status,
        duration_ns,
        80,
        end,
    )
    return (head, content_type, _ZEROS[body_begin - end], body, _ZEROS[padded - length])

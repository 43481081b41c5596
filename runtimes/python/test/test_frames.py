# SPDX-License-Identifier: Apache-2.0
"""The pure Python codec against test/vectors/wire."""

import json
import pathlib

import pytest
from nuclio_worker import frames

VECTORS = pathlib.Path(__file__).resolve().parents[3] / "test" / "vectors" / "wire"
TYPES = "start event batch reply chunk log metric ack control cancel".split()
FLAGS = {"failed": frames.FAILED, "more": frames.MORE, "nested": frames.NESTED}


def load(file):
    return json.loads((VECTORS / file).read_text())


def raw(text):
    return bytes.fromhex(text["hex"]) if isinstance(text, dict) else text.encode()


def pairs(frame, key):
    return [(raw(name), raw(value)) for name, value in frame.get(key, ())]


def named(vectors):
    return pytest.mark.parametrize("vector", vectors, ids=lambda vector: vector["name"])


@named(load("frames.json"))
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_a_good_frame_decodes_to_what_it_says(vector, kind):
    expected = vector["frame"]
    frame = frames.decode(kind(bytes.fromhex(vector["hex"])))
    assert TYPES[frame.type - 1] == expected["type"]
    assert frame.flags == sum(FLAGS[flag] for flag in expected.get("flags", ()))
    assert frame.call == expected.get("call", 0)
    assert frame.deadline_ns == expected.get("deadlineNs", 0)
    assert frame.timestamp_ns == expected.get("timestampNs", 0)
    assert [frame.number(i) for i in range(frame.numbers)] == expected.get("numbers", [])
    assert [frame.raw(i) for i in range(frame.strings)] == [raw(text) for text in expected.get("strings", ())]
    assert frame.raw_headers() == pairs(expected, "headers")
    assert frame.raw_fields() == pairs(expected, "fields")
    if frame.flags & frames.NESTED:
        assert len(frame.inner()) == expected["inner"]
    else:
        assert frame.body() == raw(expected.get("body", ""))
    assert frame.number(frame.numbers, -7) == -7
    assert (frame.raw(frame.strings), frame.text(frame.strings)) == (b"", "")


@named(load("frames.json"))
def test_a_good_frame_is_what_the_encoder_writes(vector):
    frame = vector["frame"]
    data = bytes.fromhex(vector["hex"])
    written = frames.encode(
        TYPES.index(frame["type"]) + 1,
        frame.get("call", 0),
        sum(FLAGS[flag] for flag in frame.get("flags", ())),
        frame.get("numbers", ()),
        [raw(text) for text in frame.get("strings", ())],
        pairs(frame, "headers"),
        pairs(frame, "fields"),
        frames.decode(data).body(),
        frame.get("deadlineNs", 0),
        frame.get("timestampNs", 0),
    )
    assert b"".join(written) == data


@named([vector for vector in load("frames.json") if vector["frame"]["type"] == "event" and "meaning" in vector])
def test_an_event_means_what_the_vector_says(event_of, vector):
    got = event_of(bytes.fromhex(vector["hex"]))
    for name, expected in vector["meaning"].items():
        value = getattr(got, name)
        if name == "trigger":
            value = {"kind": value.kind, "name": value.name}
        elif name == "timestamp":
            value = str(value)
        elif name == "body":
            expected = expected["json"] if isinstance(expected, dict) and "json" in expected else raw(expected)
        assert value == expected, name


@named(load("refused.json"))
def test_a_bad_frame_is_refused_for_its_reason(vector):
    with pytest.raises(frames.FrameError) as refused:
        frames.decode(bytes.fromhex(vector["hex"]), vector.get("limit", frames.DEFAULT_LIMIT))
    assert refused.value.reason == vector["reason"]


# A connection waits for the rest of what is short, a ring's slot says the length by itself, and its frames may have
# their bodies in shared memory.
def about_frames(vector):
    return vector["reason"] not in ("short", "bad_length", "too_long") and "shared" not in vector["name"]


@named([vector for vector in load("refused.json") if about_frames(vector)])
def test_a_connection_refuses_a_bad_frame_for_its_reason(connect, vector):
    end, conn = connect(vector.get("limit", frames.DEFAULT_LIMIT))
    end.send(bytes.fromhex(vector["hex"]))
    with pytest.raises(frames.FrameError) as refused:
        conn.receive()
    assert refused.value.reason == vector["reason"]


@pytest.mark.parametrize("transport", ["pure", "native"], indirect=True)
@named([vector for vector in load("refused.json") if vector["reason"] in ("bad_length", "too_long")])
def test_a_connection_refuses_a_bad_length_before_the_rest_is_there(connect, vector):
    end, conn = connect(vector.get("limit", frames.DEFAULT_LIMIT))
    end.send(bytes.fromhex(vector["hex"])[:4])
    with pytest.raises(frames.FrameError) as refused:
        conn.receive()
    assert refused.value.reason == vector["reason"]


@named([vector for vector in load("frames.json") if vector["frame"]["type"] != "cancel"])
def test_a_connection_takes_good_frames_apart(connect, vector):
    expected = vector["frame"]
    end, conn = connect()
    end.send(*[bytes.fromhex(vector["hex"])] * 2)
    for _ in range(2):
        frame = conn.receive()
        assert (TYPES[frame.type - 1], frame.call) == (expected["type"], expected.get("call", 0))
        numbers = expected.get("numbers", [])
        assert [frame.number(i, -7) for i in range(len(numbers) + 1)] == [*numbers, -7]
        if "nested" in expected.get("flags", ()):
            assert len(frame.inner()) == expected["inner"]
    assert conn.take() is None


@pytest.mark.parametrize("transport", ["pure", "native"], indirect=True)
def test_a_connection_puts_together_what_comes_in_pieces(connect):
    end, conn = connect()
    sent = [
        b"".join(frames.encode(frames.EVENT, call, body=b"x" * size))
        for call, size in enumerate((0, 1, 3, 65_400, 65_500, 200_000, 5), 1)
    ]
    data = b"".join(sent)
    taken = []
    for begin in range(0, len(data), 20_011):
        end.send(data[begin : begin + 20_011])
        conn.read_ready()
        while frame := conn.take():
            taken.append(frame)
    while len(taken) < len(sent):
        taken.append(conn.receive())
    assert conn.take() is None
    assert [(frame.call, len(conn.event(frame).body)) for frame in taken] == [
        (1, 0),
        (2, 1),
        (3, 3),
        (4, 65_400),
        (5, 65_500),
        (6, 200_000),
        (7, 5),
    ]


@pytest.mark.parametrize("length", range(17))
def test_the_short_way_to_write_a_reply_writes_the_same_bytes(length):
    body = b"0123456789abcdef"[:length]
    short = frames.encode_plain_reply(7, 201, 99, b"text/html", body)
    assert b"".join(short) == b"".join(
        frames.encode(frames.REPLY, 7, numbers=(201, 99), strings=(b"text/html",), body=body)
    )

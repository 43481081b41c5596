# SPDX-License-Identifier: Apache-2.0
"""The lazy Event is the SDK's Event in all that a function can see."""

import copy
import datetime
import gc
import json
import pickle
import weakref

import nuclio_sdk
import pytest
from nuclio_worker import frames

STRINGS = (
    b"id",
    b"PUT",
    b"/p",
    b"http://x/p",
    b"text/plain",
    b"kafka-cluster",
    b"my-trigger",
    b"type",
    b"type-version",
    b"version",
    b"topic",
)


def frame(**named):
    settings = {
        "call": 1,
        "numbers": (3, 4, 5),
        "strings": STRINGS,
        "headers": [(b"Content-Type", b"text/plain"), (b"X-A", b"b")],
        "fields": [(b"q", b"1")],
        "body": b"body",
        "timestamp_ns": 1_700_000_000_999_999_999,
    }
    settings.update(named)
    return b"".join(frames.encode(frames.EVENT, **settings))


def sdk_event():
    """What the SDK makes of the same event in Nuclio's own encoding."""
    return nuclio_sdk.Event(
        body=b"body",
        content_type="text/plain",
        trigger=nuclio_sdk.TriggerInfo("kafka-cluster", "my-trigger"),
        fields={"q": "1"},
        headers={"Content-Type": "text/plain", "X-A": "b"},
        _id="id",
        method="PUT",
        path="/p",
        size=4,
        timestamp=datetime.datetime(2023, 11, 14, 22, 13, 20),
        url="http://x/p",
        shard_id=3,
        num_shards=4,
        _type="type",
        type_version="type-version",
        version="version",
        offset=5,
        topic="topic",
    )


def test_it_has_every_attribute_of_the_sdks_event(event_of):
    ours, theirs = event_of(frame()), sdk_event()
    assert isinstance(ours, nuclio_sdk.Event)
    for name, expected in vars(theirs).items():
        value = getattr(ours, name)
        if name == "trigger":
            assert (type(value), vars(value)) == (nuclio_sdk.TriggerInfo, vars(expected))
        else:
            assert (name, value) == (name, expected)
            assert type(value) is type(expected)


def test_to_json_and_repr_are_the_sdks(event_of):
    assert event_of(frame()).to_json() == sdk_event().to_json()
    assert repr(event_of(frame())) == repr(sdk_event())
    assert list(json.loads(event_of(frame()).to_json())) == list(json.loads(sdk_event().to_json()))


def test_get_header_ignores_case_and_knows_what_is_missing(event_of):
    ours = event_of(frame())
    assert ours.get_header("content-TYPE") == "text/plain"
    assert ours.get_header("nope") is None


def test_what_a_handler_changes_stays_changed(event_of):
    ours = event_of(frame())
    ours.body = "other"
    ours.headers["X-B"] = "c"
    ours.mine = 1
    assert (ours.body, ours.headers["X-B"], ours.mine) == ("other", "c", 1)
    written = json.loads(ours.to_json())
    assert (written["body"], written["headers"]["X-B"], written["mine"]) == ("other", "c", 1)


def test_an_attribute_is_decoded_once(event_of):
    ours = event_of(frame(strings=STRINGS[:4] + (b"application/json",), body=b'{"a": 1}'))
    assert ours.body is ours.body
    assert ours.headers is ours.headers


def test_what_it_does_not_have_is_an_attribute_error(event_of):
    assert not hasattr(event_of(frame()), "nope")
    with pytest.raises(AttributeError, match="nope"):
        getattr(event_of(frame()), "nope")  # noqa: B009


def test_its_dictionary_is_that_of_the_sdks_event(event_of):
    ours = event_of(frame())
    ours.mine = 1
    assert list(vars(ours)) == [*vars(sdk_event()), "mine"]
    ours.__dict__["body"] = b"put there"
    vars(ours).update(path="/q", other=2)
    assert (ours.body, ours.path, ours.other, ours.topic) == (b"put there", "/q", 2, "topic")
    ours.path = "/r"
    assert vars(ours)["path"] == "/r"


def test_a_deleted_attribute_is_gone(event_of):
    ours = event_of(frame())
    del ours.body
    assert not hasattr(ours, "body")
    assert "body" not in vars(ours)
    with pytest.raises(AttributeError, match="body"):
        del ours.body
    ours.body = 1
    assert ours.body == 1


@pytest.mark.parametrize("transport", ["pure", "native"], indirect=True)
def test_it_dies_with_its_last_reference(event_of):
    ours = event_of(frame())
    seen = weakref.ref(ours)
    ours.mine = ours  # a cycle, for the garbage collector
    ours.headers["itself"] = ours
    del ours
    gc.collect()
    assert seen() is None


def test_events_that_a_handler_keeps_stay_whole(start):
    worker, _ = start(
        """
        kept = []

        def handler(context, event):
            if event.body == b"tell":
                return [[one.body.decode(), one.headers["N"], one.id, one.path] for one in kept]
            kept.append(event)
        """
    )
    bodies = [str(n) * n for n in (1, 100, 3, 70_000, 0)]
    for n, body in enumerate(bodies):
        worker.ask(body.encode(), headers=[(b"N", b"%d" % n)], id=b"id%d" % n, path=b"/%d" % n)
    expected = [[body, str(n), "id%d" % n, "/%d" % n] for n, body in enumerate(bodies)]
    for _ in range(2):
        assert json.loads(worker.ask(b"tell").body()) == expected


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_is_a_plain_sdk_event(event_of, copied):
    one = copied(event_of(frame()))
    assert type(one) is nuclio_sdk.Event
    assert one.to_json() == sdk_event().to_json()


def test_an_explicit_ack_can_be_made_of_it(event_of):
    offset = nuclio_sdk.QualifiedOffset.from_event(event_of(frame()))
    assert (offset.topic, offset.partition, offset.offset) == ("topic", 3, 5)


@pytest.mark.parametrize(
    "content_type, body, expected",
    [
        (b"application/json", b'{"a": [1]}', {"a": [1]}),
        (b"application/json", b"not json", b"not json"),
        (b"application/json", b"", b""),
        (b"application/json; charset=utf-8", b"{}", b"{}"),
        (b"Application/JSON", b"{}", b"{}"),
        (b"text/plain", b"{}", b"{}"),
        (b"", b"\xff\x00", b"\xff\x00"),
    ],
)
def test_a_body_is_parsed_only_when_it_is_exactly_json(event_of, content_type, body, expected, capsys):
    assert event_of(frame(strings=STRINGS[:4] + (content_type,), body=body)).body == expected
    complained = "Failed deserializing json body" in capsys.readouterr().err
    assert complained == (content_type == b"application/json" and body != b'{"a": [1]}')


def test_strings_stay_bytes(event_of):
    ours = event_of(frame(), raw=True)
    assert (ours.id, ours.method, ours.content_type, ours.topic) == (b"id", b"PUT", b"text/plain", b"topic")
    assert (ours.headers, ours.fields) == ({b"Content-Type": b"text/plain", b"X-A": b"b"}, {b"q": b"1"})
    assert (ours.trigger.kind, ours.shard_id, ours.size) == (b"kafka-cluster", 3, 4)


@pytest.mark.parametrize(
    "setting, shown",
    [(one, b"b'POST'") for one in ("no", "false", "Disable", "DISABLED")]
    + [(one, b"'POST'") for one in ("", "yes", "true", "1", "0", "off")],
)
def test_a_worker_reads_from_its_environment_whether_strings_are_text(start, setting, shown):
    source = "def handler(context, event):\n    return repr(event.method)\n"
    worker, _ = start(source, environment={"NUCLIO_PYTHON_DECODE_EVENT_STRINGS": setting})
    assert worker.ask().body() == shown


def test_large_bodies_arrive_and_go_back(start):
    worker, _ = start("def handler(context, event):\n    return event.body\n")
    for size in (0, 1, 65_000, 65_536, 4 << 20):
        body = bytes(range(256)) * (size // 256) + bytes(size % 256)
        assert worker.ask(body).body() == body

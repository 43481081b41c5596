# SPDX-License-Identifier: Apache-2.0
"""CloudEvents of both versions, structured and binary, as the handler sees them."""

import base64
import json

import pytest


@pytest.fixture(scope="module")
def echo(start_processor):
    return start_processor("results.py")


def sent(echo, body, headers):
    answer = echo.request("POST", "/event", body=body, headers=headers)
    assert answer.status == 200, answer
    return json.loads(answer.body)


def body_of(event):
    body = event["body"]
    return body if isinstance(body, dict) else base64.b64decode(body)


def test_version_0_1_structured(echo):
    envelope = {
        "cloudEventsVersion": "0.1",
        "eventType": "com.example.made",
        "eventTypeVersion": "2.0",
        "source": "/the/source",
        "eventID": "an-id",
        "eventTime": "2018-04-05T17:31:00Z",
        "contentType": "text/plain",
        "data": "the data",
    }
    event = sent(echo, json.dumps(envelope), {"Content-Type": "application/cloudevents+json"})
    assert (event["id"], event["type"], event["type_version"], event["version"]) == (
        "an-id",
        "com.example.made",
        "2.0",
        "0.1",
    )
    assert event["trigger"] == {"kind": "/the/source", "name": "web"}
    assert event["content_type"] == "text/plain"
    assert event["timestamp"].startswith("2018-04-05 17:31:00")
    assert body_of(event) == b"the data"


def test_version_0_1_binary(echo):
    headers = {
        "Content-Type": "application/x-thing",
        "CE-CloudEventsVersion": "0.1",
        "CE-EventType": "com.example.made",
        "CE-EventTypeVersion": "2.0",
        "CE-Source": "/the/source",
        "CE-EventID": "an-id",
        "CE-EventTime": "2018-04-05T17:31:00Z",
        "X-Other": "kept",
    }
    event = sent(echo, b"\x01\x02", headers)
    assert (event["id"], event["type"], event["version"]) == ("an-id", "com.example.made", "0.1")
    assert event["trigger"]["kind"] == "/the/source"
    assert body_of(event) == b"\x01\x02"
    assert {name.lower() for name in event["headers"]} >= {"x-other", "ce-eventid"}


@pytest.mark.parametrize(
    "data, body",
    [
        ({"data": {"a": 1}, "datacontenttype": "application/json"}, {"a": 1}),
        ({"data": "text", "datacontenttype": "text/plain"}, b"text"),
        ({"data_base64": base64.b64encode(b"\x00\xff").decode(), "datacontenttype": "image/x"}, b"\x00\xff"),
    ],
    ids=["json", "text", "base64"],
)
def test_version_1_0_structured(echo, data, body):
    envelope = {
        "specversion": "1.0",
        "type": "com.example.made",
        "source": "/the/source",
        "id": "an-id",
        "time": "2024-02-03T04:05:06.789Z",
        **data,
    }
    event = sent(echo, json.dumps(envelope), {"Content-Type": "application/cloudevents+json; charset=utf-8"})
    assert (event["id"], event["type"], event["version"]) == ("an-id", "com.example.made", "1.0")
    assert event["trigger"]["kind"] == "/the/source"
    assert event["content_type"] == data["datacontenttype"]
    assert event["timestamp"].startswith("2024-02-03 04:05:06")
    assert body_of(event) == body


def test_version_1_0_binary(echo):
    headers = {
        "Content-Type": "application/x-thing",
        "ce-specversion": "1.0",
        "ce-type": "com.example.made",
        "ce-source": "/the/source",
        "ce-id": "an-id",
        "ce-time": "2024-02-03T04:05:06Z",
    }
    event = sent(echo, b"bytes", headers)
    assert (event["id"], event["type"], event["version"]) == ("an-id", "com.example.made", "1.0")
    assert event["trigger"]["kind"] == "/the/source"
    assert body_of(event) == b"bytes"


BAD = [
    (b"{", {"Content-Type": "application/cloudevents+json"}),
    (b"[]", {"Content-Type": "application/cloudevents+json"}),
    (b'{"specversion": "1.0", "id": "x"}', {"Content-Type": "application/cloudevents+json"}),
    (
        b'{"specversion": "9.0", "id": "x", "type": "t", "source": "s"}',
        {"Content-Type": "application/cloudevents+json"},
    ),
    (b"", {"ce-specversion": "1.0", "ce-id": "x"}),
]


@pytest.mark.parametrize("body, headers", BAD)
def test_what_is_no_cloud_event_is_refused_with_400_and_a_reason(echo, body, headers):
    answer = echo.request("POST", "/event", body=body, headers=headers)
    assert answer.status == 400
    assert len(answer.body) > 10

# SPDX-License-Identifier: Apache-2.0
"""What a Python handler returns and what the client gets."""

import base64
import json

import pytest

PLAIN = "text/plain"
JSON = "application/json"
RULES = [
    # path, status, content type, body
    ("/str", 200, PLAIN, b"text"),
    ("/unicode", 200, PLAIN, "grüße ☃".encode()),
    ("/empty", 200, PLAIN, b""),
    ("/bytes", 200, PLAIN, bytes(range(256))),
    ("/none", 200, PLAIN, b"None"),
    ("/number", 200, PLAIN, b"12"),
    ("/tuple", 201, PLAIN, b"made"),
    ("/response", 418, "text/html", b"body"),
    ("/response-bytes", 200, "image/x", b"\x00\xff"),
    ("/raises-404", 404, PLAIN, b"no such thing"),
    ("/stream", 200, PLAIN, b"".join(b"%d;" % i for i in range(100))),
]
JSON_RULES = [
    ("/dict", 200, {"a": 1, "ü": None}),
    ("/list", 200, [1, 2]),
    ("/tuple-dict", 202, {"a": 1}),
    ("/response-dict", 203, {"b": 2}),
]


@pytest.fixture(scope="module")
def results(start_processor):
    return start_processor("results.py")


@pytest.mark.parametrize("path, status, content_type, body", RULES, ids=[rule[0] for rule in RULES])
def test_a_result_becomes_a_response(results, path, status, content_type, body):
    answer = results.request(path=path)
    assert (answer.status, answer.headers["Content-Type"], answer.body) == (status, content_type, body)
    assert answer.headers["Server"] == "nuclio"


@pytest.mark.parametrize("path, status, value", JSON_RULES, ids=[rule[0] for rule in JSON_RULES])
def test_a_structure_becomes_json(results, path, status, value):
    answer = results.request(path=path)
    assert (answer.status, answer.headers["Content-Type"], answer.json) == (status, JSON, value)


def test_headers_of_a_response_are_sent(results):
    answer = results.request(path="/response")
    assert answer.headers["X-One"] == "1"
    assert answer.headers["x-two"] == "zwei"


def test_an_exception_becomes_500_with_message_and_traceback(results):
    answer = results.request(path="/raises")
    assert answer.status == 500
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "no good" in answer.text
    assert 'raise ValueError("no good")' in answer.text


def test_an_exception_tells_its_client_nothing_when_errors_are_not_exposed(start_processor):
    processor = start_processor("results.py", platform={"processor": {"exposeErrors": False}})
    answer = processor.request(path="/raises")
    assert answer.status == 500
    assert "no good" not in answer.text and "Traceback" not in answer.text
    assert "no good" in processor.log, "the log must have what the client does not get"


@pytest.mark.parametrize("path", [rule[0] for rule in RULES if rule[0] != "/stream"])
def test_head_has_the_length_and_no_body(results, path):
    whole = results.request(path=path)
    head = results.request("HEAD", path)
    assert (head.status, head.body) == (whole.status, b"")
    assert head.headers["Content-Length"] == whole.headers["Content-Length"]


def test_the_event_has_every_attribute_of_nuclios(results):
    answer = results.request(
        "POST",
        "/event?a=1&b=zwei%20drei",
        body=b"\x00\xffbinary",
        headers={"Content-Type": "application/x-thing", "X-Custom": "yes"},
    )
    event = json.loads(answer.body)
    assert sorted(event) == sorted(
        "body content_type trigger fields headers id method path size timestamp url shard_id num_shards type "
        "type_version version last_in_batch offset topic".split()
    )
    assert base64.b64decode(event["body"]) == b"\x00\xffbinary"
    assert event["content_type"] == "application/x-thing"
    assert event["trigger"] == {"kind": "http", "name": "web"}
    assert event["fields"] == {"a": "1", "b": "zwei drei"}
    assert {name.lower(): value for name, value in event["headers"].items()}["x-custom"] == "yes"
    assert (event["method"], event["path"], event["size"]) == ("POST", "/event", 8)
    assert event["url"] == "/event?a=1&b=zwei%20drei" or event["url"].endswith("/event?a=1&b=zwei%20drei")
    assert (event["shard_id"], event["num_shards"]) == (-1, 0)
    assert len(event["id"]) == 36
    assert len(event["timestamp"].split(".")[0]) == len("YYYY-MM-DD HH:MM:SS")


def test_ids_differ_from_event_to_event(results):
    ids = {json.loads(results.request(path="/event").body)["id"] for _ in range(20)}
    assert len(ids) == 20


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
def test_any_method_reaches_the_handler(results, method):
    event = json.loads(results.request(method, "/event").body)
    assert event["method"] == method


SIZES = [0, 1, 1023, 16 << 10, 64 << 10, 1 << 20, 4 << 20]


@pytest.mark.parametrize("size", SIZES)
def test_bodies_of_all_sizes_come_back_as_they_went(results, size):
    body = bytes(i * 7 % 256 for i in range(1021)) * (size // 1021 + 1)
    body = body[:size]
    answer = results.request("POST", "/echo", body=body, headers={"Content-Type": "application/octet-stream"})
    assert answer.status == 200
    assert answer.body == body


def test_a_chunked_body_is_put_together(results):
    answer = results.request("POST", "/echo", body=iter([b"one ", b"two ", b"x" * 100_000]))
    assert answer.body == b"one two " + b"x" * 100_000


def test_json_bodies_are_parsed_for_the_handler(results):
    answer = results.request("POST", "/echo", body=b'{"k": [1, "zwei"]}', headers={"Content-Type": "application/json"})
    assert answer.json == {"k": [1, "zwei"]}

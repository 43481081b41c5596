# SPDX-License-Identifier: Apache-2.0
"""Triggers that fire by themselves."""

import json
import time

import pytest
import running

CODE = """
import json, os

def handler(context, event):
    line = {"kind": event.trigger.kind, "name": event.trigger.name, "method": event.method, "path": event.path,
            "body": event.body.decode() if isinstance(event.body, bytes) else event.body,
            "headers": dict(event.headers)}
    with open(os.environ["SEEN"], "a") as seen:
        seen.write(json.dumps(line) + "\\n")
    return ""
"""


@pytest.fixture
def seen(tmp_path):
    path = tmp_path / "seen"
    path.touch()
    return path


@pytest.fixture
def code(tmp_path):
    path = tmp_path / "ticks.py"
    path.write_text(CODE)
    return path


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_interval_fires_as_often_as_it_says(start_processor, code, seen):
    event = {"body": "tick", "path": "/tick", "method": "PUT", "headers": {"X-Tick": "tock"}}
    spec = {"triggers": {"tick": {"kind": "cron", "attributes": {"interval": "200ms", "event": event}}}}
    processor = start_processor(code, spec, environment={"SEEN": str(seen)})
    began = time.monotonic()
    running.wait_for(lambda: len(lines(seen)) >= 5, "five ticks")
    took = time.monotonic() - began
    assert 0.7 <= took < 10
    first = lines(seen)[0]
    assert (first["kind"], first["name"]) == ("cron", "tick")
    assert (first["body"], first["path"], first["method"]) == ("tick", "/tick", "PUT")
    assert {name.lower(): value for name, value in first["headers"].items()}["x-tick"] == "tock"
    handled = processor.metric("nuclio_processor_handled_events_total", result="success", trigger_kind="cron")
    assert abs(handled - len(lines(seen))) <= 1


def test_a_schedule_of_every_second_fires_every_second(start_processor, code, seen):
    spec = {"triggers": {"tick": {"kind": "cron", "attributes": {"schedule": "@every 1s"}}}}
    start_processor(code, spec, environment={"SEEN": str(seen)})
    running.wait_for(lambda: len(lines(seen)) >= 2, "two ticks")


def test_kickstart_fires_once_at_the_start(start_processor, code, seen):
    spec = {"triggers": {"go": {"kind": "kickstart", "attributes": {"event": {"body": "go"}}}}}
    processor = start_processor(code, spec, environment={"SEEN": str(seen)})
    running.wait_for(lambda: lines(seen), "the event")
    assert processor.request(path="/other").status == 200
    kinds = [line["kind"] for line in lines(seen)]
    assert kinds.count("kickstart") == 1
    assert lines(seen)[0]["body"] == "go"

# SPDX-License-Identifier: Apache-2.0
"""The dashboard in a cluster tells what happens, how functions fare, and what they were before."""

import base64
import json
import sys
import urllib.parse

import pytest
from kubernetes import ROOT, eventually
from place import answers, call, installed_place

sys.path.insert(0, str(ROOT / "test/integration"))
from event_stream import EventStream  # from the folder that was named just now

CODE = "def handler(context, event):\n    context.logger.info('asked')\n    return {answer!r}\n"


@pytest.fixture(scope="module")
def place(cluster, images, tmp_path_factory):
    with installed_place(cluster, images, tmp_path_factory.mktemp("home")) as made:
        yield made


def put(place, body):
    headers = {"Content-Type": "application/json", **place.user}
    name = body["metadata"]["name"]
    status, text = call(f"{place.dashboard}/api/functions/{name}", json.dumps(body).encode(), "PUT", headers)
    assert (status, text) == (202, "")


def function(place, answer):
    build = {
        "functionSourceCode": base64.b64encode(CODE.format(answer=answer).encode()).decode(),
        "baseImage": place.base.replace("127.0.0.1", "10.99.0.1"),
    }
    trigger = {"kind": "http", "name": "web", "attributes": {"serviceType": "NodePort"}}
    spec = {"runtime": "python:3.11", "handler": "main:handler", "build": build, "triggers": {"web": trigger}}
    return {"metadata": {"name": "told"}, "spec": {**spec, "env": [{"name": "ANSWER", "value": answer}]}}


def got(place, path):
    status, text = call(f"{place.dashboard}/api/v2/functions/told/{path}", headers=place.user)
    assert status == 200, text
    return json.loads(text)


def revisions(place):
    return {each["number"]: each["state"] for each in got(place, "revisions")["revisions"]}


def is_ready(place, description):
    status, text = call(f"{place.dashboard}/api/functions/told", headers=place.user)
    assert status == 200, text
    shown = json.loads(text)
    return (shown["spec"]["description"], shown["status"]["state"]) == (description, "ready")


def is_state(state):
    return lambda event: (
        event.name == "function" and event.function == "told" and event.data["status"].get("state") == state
    )


def test_a_deploy_is_told_and_revisions_are_kept_and_gone_back_to(place):
    address = urllib.parse.urlsplit(place.dashboard).netloc
    with EventStream(address, "metrics=*", place.user) as stream:
        stream.wait(lambda event: event.name == "synced", "end of the snapshot")
        put(place, function(place, "one"))
        stream.wait(is_state("building"), "build", 60)
        stream.wait(is_state("ready"), "readiness", 120)
        lines = [line["message"] for event in stream.named("build") for line in event.data["lines"]]
        assert any("built and pushed" in line for line in lines)
        answers(place.url("told"), "one")
        with EventStream(address, "logs=told", place.user) as logs:
            logs.wait(lambda event: event.name == "log" and "asked" in str(event.data["lines"]), "line of the log")
        fares = stream.wait(lambda event: event.name == "metrics" and event.data.get("ratePerSecond"), "metrics", 40)
        assert fares.function == "told" and fares.data["replicas"] == 1
        assert any(got(place, "metrics?since=15m")["ratePerSecond"])

        eventually(lambda: revisions(place) == {1: "serving"}, 20, "the first revision")
        put(place, function(place, "two"))
        eventually(lambda: revisions(place) == {2: "serving", 1: "superseded"}, 120, "the second revision")
        answers(place.url("told"), "two")
        # One that kubectl makes is one like the others.
        patch = json.dumps({"spec": {"description": "by kubectl"}})
        place.kubectl("patch", "nf", "told", "--type=merge", "-p", patch)
        eventually(lambda: revisions(place).get(3) == "serving", 60, "the third revision")
        assert got(place, "revisions/3")["spec"]["description"] == "by kubectl"
        before = got(place, "revisions/1")
        assert before["spec"]["env"] == [{"name": "ANSWER", "value": "one"}]
        assert function(place, "one")["spec"]["build"].items() <= before["spec"]["build"].items()
        # What the dashboard knows of the function comes a moment later than what it asks about its revisions.
        eventually(lambda: is_ready(place, "by kubectl"), 60, "readiness")
        put(place, before)
        eventually(lambda: revisions(place).get(4) == "serving", 120, "the way back")
        answers(place.url("told"), "one")
        owned = json.loads(place.kubectl("get", "controllerrevisions", "-o", "json"))["items"]
        assert sorted(each["metadata"]["name"] for each in owned) == [f"nuclio-told-{number}" for number in range(1, 5)]
        place.nuctl("delete", "function", "told")
        stream.wait(lambda event: event.name == "function-gone" and event.function == "told", "end of the function")
        eventually(
            lambda: not place.kubectl("get", "controllerrevisions", "-o", "name"), 30, "the end of the revisions"
        )


def test_no_more_revisions_are_kept_than_ten(place):
    put(place, function(place, "many"))
    eventually(lambda: revisions(place) == {1: "serving"}, 120, "the first revision")
    for number in range(2, 13):
        patch = json.dumps({"spec": {"description": f"number {number}"}})
        place.kubectl("patch", "nf", "told", "--type=merge", "-p", patch)
        eventually(lambda number=number: number in revisions(place), 30, f"revision {number}")
    eventually(lambda: sorted(revisions(place)) == list(range(3, 13)), 30, "the end of the oldest")
    eventually(lambda: place.state("told") == "ready", 60, "readiness")
    place.nuctl("delete", "function", "told")

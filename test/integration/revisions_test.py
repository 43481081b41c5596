# SPDX-License-Identifier: Apache-2.0
"""The revisions of a function: what it was asked to be, told, kept over a restart, and gone back to."""

import base64
import time

import pytest
import running

WAIT = {"X-Nuclio-Wait-Function-Action": "true"}


@pytest.fixture
def dashboard(tmp_path):
    made = running.Dashboard(tmp_path / "home").start()
    yield made
    made.stop()


def function(answer, code=None):
    code = code or f"def handler(context, event):\n    return {answer!r}\n"
    return {
        "metadata": {"name": "f", "namespace": "nuclio"},
        "spec": {
            "runtime": "python",
            "handler": "main:handler",
            "description": answer,
            "env": [{"name": "WORD", "value": answer}],
            "build": {"functionSourceCode": base64.b64encode(code.encode()).decode()},
            "triggers": {"web": {"kind": "http", "numWorkers": 1}},
        },
    }


def put(dashboard, body, status=202):
    answer = dashboard.api("PUT", "/functions/f", body, WAIT)
    assert answer.status == status, answer


def revisions(dashboard):
    answer = dashboard.api("GET", "/v2/functions/f/revisions")
    assert answer.status == 200, answer
    return answer.json["revisions"]


def states(dashboard):
    return {each["number"]: each["state"] for each in revisions(dashboard)}


def ask(dashboard):
    return running.request(dashboard.url("f")).text


def test_a_function_goes_back_to_what_it_was(dashboard):
    put(dashboard, function("one"))
    put(dashboard, function("two"))
    put(dashboard, function("three", "def handler(:\n"), 500)
    assert states(dashboard) == {3: "failed", 2: "serving", 1: "superseded"}
    newest = revisions(dashboard)[0]
    assert newest["number"] == 3 and not newest["serving"]
    deployed = time.strptime(newest["deployed"], "%Y-%m-%dT%H:%M:%SZ")
    assert abs(time.mktime(deployed) - time.mktime(time.gmtime())) < 60
    assert "deployedBy" not in newest, "nobody was asked who they are"

    first = dashboard.api("GET", "/v2/functions/f/revisions/1").json
    asked = function("one")
    assert first["spec"]["build"]["functionSourceCode"] == asked["spec"]["build"]["functionSourceCode"]
    assert first["spec"]["description"] == "one"
    assert "state" not in first["status"] and "resourceVersion" not in first["metadata"]
    put(dashboard, first)
    assert ask(dashboard) == "one"
    assert states(dashboard) == {4: "serving", 3: "failed", 2: "superseded", 1: "superseded"}
    again = dashboard.api("GET", "/v2/functions/f/revisions/4").json
    assert again["spec"] == first["spec"]


def test_revisions_are_kept_over_a_restart_and_the_oldest_are_dropped(dashboard):
    for number in range(1, 13):
        put(dashboard, function(f"v{number}"))
    assert list(states(dashboard)) == list(range(12, 2, -1))
    dashboard.stop()
    dashboard.start()
    running.wait_for(lambda: dashboard.function("f")["status"]["state"] == "ready", "readiness")
    assert list(states(dashboard)) == list(range(12, 2, -1))
    assert states(dashboard)[12] == "serving"
    assert dashboard.api("GET", "/v2/functions/f/revisions/3").json["spec"]["description"] == "v3"
    answer = dashboard.api("GET", "/v2/functions/f/revisions/2")
    assert answer.status == 404 and 'function "f" has no revision 2' in answer.json["error"]
    answer = dashboard.api("GET", "/v2/functions/f/revisions/newest")
    assert answer.status == 400 and "a revision is a number" in answer.json["error"]
    assert dashboard.api("GET", "/v2/functions/nobody/revisions").status == 404
    # With the function its revisions go; another one by its name begins anew.
    assert dashboard.api("DELETE", "/functions", {"metadata": {"name": "f"}}).status == 204
    assert dashboard.api("GET", "/v2/functions/f/revisions").status == 404
    put(dashboard, function("anew"))
    assert states(dashboard) == {1: "serving"}

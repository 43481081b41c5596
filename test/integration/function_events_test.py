# SPDX-License-Identifier: Apache-2.0
"""Saved events of functions, as the dashboard's REST API has them."""

import json
import uuid

import pytest
import running

LABEL = "nuclio.io/function-name"


def event(name=None, function="shop", **spec):
    metadata = {"labels": {LABEL: function}}
    if name:
        metadata["name"] = name
    return {"metadata": metadata, "spec": spec}


@pytest.fixture
def saved(dashboard):
    """saved(name, function, …) saves an event, which is gone after the test."""
    names = []

    def save(name, function="shop", **spec):
        answer = dashboard.api("POST", "/function_events", event(name, function, **spec))
        assert answer.status == 201, answer
        names.append(name)
        return answer.json

    yield save
    for name in names:
        dashboard.api("DELETE", "/function_events", {"metadata": {"name": name}})


def names(dashboard, **headers):
    answer = dashboard.api("GET", "/function_events", headers=headers)
    assert answer.status == 200, answer
    return list(answer.json)


def test_an_event_is_given_back_as_it_was_saved(dashboard, saved):
    spec = {
        "displayName": "a large order",
        "triggerName": "web",
        "triggerKind": "http",
        "body": '{"items": 40, "to": "Köln"}',
        "attributes": {"method": "POST", "path": "/orders", "headers": {"X-Shop": "north"}},
    }
    made = saved("large", **spec)
    assert made["spec"] == spec
    assert made["metadata"] == {"name": "large", "namespace": "nuclio", "labels": {LABEL: "shop"}}
    assert dashboard.api("GET", "/function_events/large").json == made
    assert dashboard.api("GET", "/function_events").json == {"large": made}


def test_an_event_without_a_name_gets_a_uuid(dashboard):
    made = dashboard.api("POST", "/function_events", event())
    assert made.status == 201
    name = made.json["metadata"]["name"]
    assert uuid.UUID(name).version == 4 and str(uuid.UUID(name)) == name
    assert dashboard.api("DELETE", "/function_events", made.json).status == 204


def test_events_are_listed_by_function_and_namespace(dashboard, saved):
    saved("b", "shop")
    saved("a", "shop")
    saved("c", "store")
    assert names(dashboard) == ["a", "b", "c"]
    assert names(dashboard, **{"X-Nuclio-Function-Name": "shop"}) == ["a", "b"]
    assert names(dashboard, **{"X-Nuclio-Function-Name": "none"}) == []
    assert names(dashboard, **{"X-Nuclio-Function-Event-Namespace": "elsewhere"}) == []


def test_an_event_is_changed_as_a_whole(dashboard, saved):
    saved("changed", body="old", displayName="goes")
    changed = event("changed", "store", body="new")
    answer = dashboard.api("PUT", "/function_events", changed)
    assert (answer.status, answer.body) == (204, b"")
    found = dashboard.api("GET", "/function_events/changed").json
    assert found["spec"] == {"body": "new"} and found["metadata"]["labels"] == {LABEL: "store"}


def test_events_go_with_their_function_and_outlive_the_dashboard(tmp_path):
    board = running.Dashboard(tmp_path / "home").start()
    try:
        code = tmp_path / "code.py"
        code.write_text("def handler(context, event):\n    return event.body\n")
        board.deploy("shop", code)
        for name, function in (("one", "shop"), ("two", "shop"), ("other", "store")):
            assert board.api("POST", "/function_events", event(name, function)).status == 201
        board.stop()
        board.start()
        assert names(board) == ["one", "other", "two"]
        assert board.api("DELETE", "/functions", {"metadata": {"name": "shop"}}).status == 204
        assert names(board) == ["other"]
    finally:
        board.stop()


NO_LABEL = "metadata.labels must have nuclio.io/function-name, the name of the function that the event is for"
REFUSED = [
    ("POST", {}, 400, NO_LABEL),
    ("PUT", {"metadata": {"name": "x"}}, 400, NO_LABEL),
    ("POST", event(function="Shop"), 400, "metadata.labels.nuclio.io/function-name: function name must consist of"),
    ("POST", event("No_Name"), 400, "function event name must consist of lower-case letters"),
    ("POST", {**event(), "spec": {"body": 1}}, 400, "spec.body must be text"),
    ("POST", {**event(), "spec": {"attributes": []}}, 400, "spec.attributes must be an object"),
    ("POST", "[", 400, "the request's body: "),
    ("PUT", event(), 400, "metadata.name must not be empty"),
    ("PUT", event("missing"), 404, 'function event "missing" does not exist'),
    ("DELETE", event("missing"), 404, 'function event "missing" does not exist'),
    ("DELETE", {}, 400, "metadata.name must not be empty"),
]


@pytest.mark.parametrize(("method", "body", "status", "message"), REFUSED)
def test_what_cannot_be_done_is_refused(dashboard, method, body, status, message):
    answer = dashboard.api(method, "/function_events", body)
    assert answer.status == status, answer
    assert message in answer.json["error"]


def test_an_event_is_saved_once(dashboard, saved):
    saved("once")
    answer = dashboard.api("POST", "/function_events", event("once"))
    assert (answer.status, answer.json["error"]) == (409, 'function event "once" exists already')


def test_a_project_moves_with_the_events_of_its_functions(dashboard, saved, tmp_path):
    dashboard.api("POST", "/projects", {"metadata": {"name": "market"}})
    function = {
        "metadata": {"name": "stall", "annotations": {"skip-build": "true", "skip-deploy": "true"}},
        "spec": {"runtime": "python", "handler": "a:b", "build": {"functionSourceCode": "eA=="}},
    }
    assert dashboard.api("POST", "/functions", function, {"X-Nuclio-Project-Name": "market"}).status == 202
    saved("sale", "stall", body="apples")
    saved("unrelated", "shop")
    exported = dashboard.api("GET", "/projects/market?export=true").json
    assert exported["functionEvents"] == {
        "sale": {"metadata": {"name": "sale", "labels": {LABEL: "stall"}}, "spec": {"body": "apples"}}
    }
    elsewhere = running.Dashboard(tmp_path / "home").start()
    try:
        report = elsewhere.api("POST", "/projects?import=true", exported).json
        assert report["functionEventImportResult"] == {
            "createdAmount": 1,
            "failedAmount": 0,
            "failedFunctionEvents": None,
        }
        assert elsewhere.api("GET", "/function_events/sale").json["spec"] == {"body": "apples"}
        again = elsewhere.api("POST", "/projects?import=true", exported).json
        assert again["functionImportResult"]["failedFunctions"][0]["function"] == "stall"
        assert again["functionEventImportResult"]["failedFunctionEvents"] == [
            {"functionEvent": "sale", "error": 'its function "stall" could not be imported'}
        ]
        done = elsewhere.nuctl("import", "projects", input=json.dumps(exported))
        assert done.returncode == 1
        assert 'nuctl: importing function stall: function "stall" exists already' in done.stderr
        assert "nuctl: importing function event sale: its function" in done.stderr
    finally:
        elsewhere.stop()
    gone = {"X-Nuclio-Delete-Project-Strategy": "cascading"}
    assert dashboard.api("DELETE", "/projects", {"metadata": {"name": "market"}}, gone).status == 204
    assert names(dashboard) == ["unrelated"]

# SPDX-License-Identifier: Apache-2.0
"""Who may make which call of the REST API: the whole table."""

import json

import pytest
import running
import yaml
from logging_in import bearer, let_expire, make_token, start_dashboard

ROWS = yaml.load((running.SOURCE / "test/vectors/dashboard/access.yaml").read_text(), yaml.BaseLoader)
CALLERS = ("none", "viewer", "developer", "admin", "other", "expired")
LISTS = ("/api/functions", "/api/projects", "/api/function_events", "/api/api_gateways")
IMPORTED = {"skip-build": "true", "skip-deploy": "true"}


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    made = start_dashboard(tmp_path_factory.mktemp("home") / "nuclio", "tokens")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def callers(board):
    """What each shows; "all" may everything."""
    tokens = {role: make_token(board, "--name", role, "--role", role, "--project", "shop") for role in CALLERS[1:4]}
    tokens["other"] = make_token(board, "--name", "other", "--role", "developer", "--project", "rest")
    tokens["expired"] = make_token(board, "--name", "expired", "--role", "developer", "--project", "shop")
    let_expire(board, tokens["expired"])
    tokens["all"] = make_token(board, "--name", "all", "--role", "admin")
    return {"none": {}, **{name: bearer(token) for name, token in tokens.items()}}


def prepare(board, admin):
    """The projects, function, event and gateway that the rows name, as they are at first."""

    def made(path, name, labels, spec):
        body = {"metadata": {"name": name, "labels": labels, "annotations": IMPORTED}, "spec": spec}
        answer = board.api("POST", path, body, admin)
        assert answer.status in (201, 202, 409), answer

    made("/projects", "shop", {}, {})
    made("/projects", "rest", {}, {})
    made("/functions", "f", {"nuclio.io/project-name": "shop"}, {"runtime": "python:3.11", "handler": "m:h"})
    made("/function_events", "e", {"nuclio.io/function-name": "f"}, {"body": "b"})
    upstreams = [{"nucliofunction": {"name": "h"}}]
    made("/api_gateways", "g", {"nuclio.io/project-name": "shop"}, {"host": "g.example.com", "upstreams": upstreams})
    for path in ("/functions", "/api_gateways"):
        board.api("DELETE", path, {"metadata": {"name": "new"}}, admin)


def outcome(pattern, answer):
    if answer.status in (401, 403):
        assert answer.json["error"]
        return str(answer.status)
    assert answer.status < 500, answer
    if answer.status == 200 and pattern in LISTS and not {"shop", "f", "e", "g"} & set(answer.json):
        return "nothing"
    return "yes"


def test_every_call_has_a_row_and_every_row_a_call(board):
    lines = [line.split(maxsplit=2)[:2] for line in running.request(board.address, "GET", "/api").text.splitlines()[2:]]
    assert sorted(" ".join(line) for line in lines) == sorted(row["call"] for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["call"])
def test_callers_may_what_the_row_says_and_no_more(board, callers, row):
    method, pattern = row["call"].split()
    asked = row.get("asked", {})
    seen = {}
    for caller in CALLERS:
        prepare(board, callers["all"])
        answer = running.request(
            board.address,
            asked.get("method", method),
            asked.get("path", pattern),
            json.dumps(asked["body"]) if "body" in asked else None,
            {"X-Nuclio-Function-Namespace": "nuclio", **asked.get("headers", {}), **callers[caller]},
        )
        seen[caller] = outcome(pattern, answer)
        if seen[caller] == "403":
            # What was refused was not done.
            assert board.api("GET", "/functions/f", headers=callers["all"]).status == 200
            assert board.api("GET", "/functions/new", headers=callers["all"]).status == 404
            assert board.api("GET", "/function_events/e", headers=callers["all"]).json["spec"]["body"] == "b"
            project = board.api("GET", "/projects/shop", headers=callers["all"]).json
            assert project["spec"].get("description", "") in ("", "changed")
    assert seen == dict(zip(CALLERS, row["outcomes"], strict=True))

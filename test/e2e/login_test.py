# SPDX-License-Identifier: Apache-2.0
"""The dashboard in a cluster: whose tokens it takes, and what the cluster's RBAC lets them do."""

import json
import subprocess

import installing
import pytest
from kubernetes import eventually
from place import call, installed_place

IMPORTED = {"skip-build": "true", "skip-deploy": "true"}


@pytest.fixture(scope="module")
def place(cluster, images, tmp_path_factory):
    with installed_place(cluster, images, tmp_path_factory.mktemp("home")) as made:
        made.viewer = installing.user(cluster, made.namespace, "viewer", "get,list")
        made.stranger = {"Authorization": f"Bearer {made.kubectl('create', 'token', 'default').strip()}"}
        yield made


def api(place, user, method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    status, text = call(f"{place.dashboard}/api{path}", data, method, {"Content-Type": "application/json", **user})
    return status, json.loads(text) if text else None


def imported(name):
    return {
        "metadata": {"name": name, "annotations": IMPORTED},
        "spec": {"runtime": "python:3.11", "handler": "main:handler"},
    }


def test_the_clusters_rbac_decides(place):
    assert api(place, {}, "GET", "/functions")[0] == 401
    assert api(place, {"Authorization": "Bearer nonsense"}, "GET", "/functions")[0] == 401
    assert api(place, place.user, "POST", "/functions", imported("f"))[0] == 202
    assert "f" in api(place, place.viewer, "GET", "/functions")[1]
    assert api(place, place.viewer, "GET", "/functions/f")[0] == 200
    status, answer = api(place, place.viewer, "DELETE", "/functions", {"metadata": {"name": "f"}})
    assert status == 403
    who = f"system:serviceaccount:{place.namespace}:viewer"
    assert answer["error"] == f'{who} may not delete function "f" of project "default"'
    assert api(place, place.viewer, "POST", "/functions", imported("g"))[0] == 403
    assert api(place, place.viewer, "POST", "/projects", {"metadata": {"name": "p"}})[0] == 403
    assert api(place, place.viewer, "PATCH", "/functions/f", {"desiredState": "ready"})[0] == 403
    invoke = {**place.viewer, "X-Nuclio-Function-Name": "f"}
    assert api(place, invoke, "POST", "/function_invocations")[0] == 403
    # The token of an account without any rights.
    assert api(place, place.stranger, "GET", "/functions") == (200, {})
    assert api(place, place.stranger, "GET", "/functions/f")[0] == 403
    assert api(place, place.user, "DELETE", "/functions", {"metadata": {"name": "f"}})[0] == 204


def test_rights_that_are_taken_away_count_no_more(place):
    another = installing.user(place.cluster, place.namespace, "another", "get,list")
    assert api(place, another, "GET", "/projects/default")[0] == 200
    place.kubectl("delete", "rolebinding", "another")
    eventually(lambda: api(place, another, "GET", "/projects/default")[0] == 403, 15, "the end of the rights")
    place.kubectl("delete", "serviceaccount", "another")
    eventually(lambda: api(place, another, "GET", "/projects/default")[0] == 401, 30, "the end of the account")


def test_a_session_stands_for_the_clusters_user(place):
    token = place.viewer["Authorization"].removeprefix("Bearer ")
    status, answer = api(place, {}, "POST", "/v2/session", {"token": token})
    assert status == 201, answer
    assert answer["credential"] == "kubernetes"
    assert "system:serviceaccounts" in answer["groups"]


def test_tokens_of_the_command_line_are_kept_in_the_clusters_secret(place):
    def run(*arguments):
        command = [installing.programs() / "dashboard", "token", *arguments]
        command += ["--platform", "kube", "--namespace", place.namespace, "--kubeconfig", place.cluster.kubeconfig]
        return subprocess.run(
            [*map(str, command)], capture_output=True, text=True, timeout=60, check=True, env={"HOME": str(place.home)}
        ).stdout

    token = run("create", "--name", "ci", "--role", "developer", "--project", "default").strip()
    ours = {"Authorization": f"Bearer {token}"}
    eventually(lambda: api(place, ours, "GET", "/functions")[0] == 200, 10, "the token's first call")
    assert api(place, ours, "POST", "/functions", imported("of-ci"))[0] == 202
    assert api(place, ours, "POST", "/projects", {"metadata": {"name": "of-ci"}})[0] == 403
    assert api(place, ours, "DELETE", "/functions", {"metadata": {"name": "of-ci"}})[0] == 204
    assert token not in place.kubectl("get", "secret", "nuclio-dashboard-tokens", "-o", "yaml")
    id = token.split("_")[1]
    assert id in run("list")
    run("revoke", id)
    eventually(lambda: api(place, ours, "GET", "/functions")[0] == 401, 10, "the end of the token")


def test_the_log_says_who_changed_what_and_has_no_token(place):
    logged = {"metadata": {"name": "logged"}}
    assert api(place, place.user, "POST", "/functions", imported("logged"))[0] == 202
    assert api(place, place.viewer, "DELETE", "/functions", logged)[0] == 403
    assert api(place, place.user, "DELETE", "/functions", logged)[0] == 204
    read = lambda: place.kubectl("logs", "deployment/nuclio-dashboard")  # noqa: E731
    last = 'delete function \\"logged\\" of project \\"default\\"'
    eventually(lambda: read().count(last) >= 2, 10, "what was refused and what was done")
    log = read()
    assert 'create function \\"logged\\" of project \\"default\\"' in log
    assert f"system:serviceaccount:{place.namespace}:viewer" in log
    assert place.viewer["Authorization"].removeprefix("Bearer ") not in log

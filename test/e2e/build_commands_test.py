# SPDX-License-Identifier: Apache-2.0
"""spec.build.commands of functions that a cluster's dashboard builds: they run in pods of their own."""

import base64
import json

import pytest
from kubernetes import eventually
from place import answers, call, installed_place

pytestmark = pytest.mark.in_order


@pytest.fixture(scope="module")
def place(cluster, images, tmp_path_factory):
    with installed_place(cluster, images, tmp_path_factory.mktemp("home")) as made:
        yield made


def put(place, name, code, commands):
    """Deploys by the REST API and waits; gives the function's status."""
    build = {
        "functionSourceCode": base64.b64encode(code.encode()).decode(),
        "baseImage": place.base.replace("127.0.0.1", "10.99.0.1"),
        "commands": commands,
    }
    trigger = {"kind": "http", "name": "web", "attributes": {"serviceType": "NodePort"}}
    spec = {"runtime": "python:3.11", "handler": "main:handler", "build": build, "triggers": {"web": trigger}}
    headers = {"Content-Type": "application/json", **place.user}
    body = json.dumps({"metadata": {"name": name}, "spec": spec}).encode()
    status, text = call(f"{place.dashboard}/api/functions/{name}", body, "PUT", headers)
    assert (status, text) == (202, "")
    state = lambda: place.function(name).get("status", {})  # noqa: E731
    eventually(lambda: state().get("state") in ("ready", "error", "unhealthy"), 120, "the end of the deploy")
    return state()


def nothing_is_left_of_builds(place):
    def left():
        selector = ["-l", "nuclio.io/class=build", "-o", "name"]
        return place.kubectl("get", "jobs,secrets,pods", *selector).strip()

    eventually(lambda: not left(), 60, "the Job, its pod and its Secret to go")


def test_commands_of_a_build_run_in_a_pod_of_their_own(place):
    code = (
        "import os\n\n\ndef handler(context, event):\n"
        "    greeting = open('/etc/greeting').read().strip()\n"
        "    return f\"{greeting} {os.readlink('/etc/link')} {os.path.exists('/etc/issue')}\"\n"
    )
    commands = ["test -e /etc/issue", "echo hello > /etc/greeting", "ln -s greeting /etc/link", "rm /etc/issue"]
    commands.append("test $(id -u) = 65532 && echo as the base says")
    status = put(place, "commanded", code, commands)
    assert status["state"] == "ready", status
    answers(place.url("commanded"), "hello greeting False")
    log = "\n".join(each["message"] for each in status["logs"])
    assert "Running the commands in the Job nuclio-build-commanded-" in log
    assert "RUN rm /etc/issue" in log
    assert "as the base says" in log
    nothing_is_left_of_builds(place)
    # They need not run again for code that has changed.
    status = put(place, "commanded", f"{code}# changed\n", commands)
    assert status["state"] == "ready", status
    assert "CACHED rm /etc/issue" in "\n".join(each["message"] for each in status["logs"])
    place.nuctl("delete", "function", "commanded")


def test_a_command_that_fails_says_so_in_the_functions_state(place):
    code = "def handler(context, event):\n    return 'never'\n"
    status = put(place, "commandeered", code, ["echo before; echo no such luck >&2; exit 3", "echo never"])
    assert status["state"] == "error"
    assert "exited with code 3" in status["message"]
    assert "no such luck" in status["message"]
    assert "echo never" not in "\n".join(each["message"] for each in status["logs"])
    nothing_is_left_of_builds(place)
    place.nuctl("delete", "function", "commandeered")


def test_nothing_is_left_of_commands_whose_function_was_deleted(place):
    code = base64.b64encode(b"def handler(context, event):\n    return 'never'\n").decode()
    build = {"functionSourceCode": code, "baseImage": place.base.replace("127.0.0.1", "10.99.0.1")}
    build["commands"] = ["sleep 600"]
    spec = {"runtime": "python:3.11", "handler": "main:handler", "build": build}
    body = json.dumps({"metadata": {"name": "sleepy"}, "spec": spec}).encode()
    api, headers = f"{place.dashboard}/api/functions", {"Content-Type": "application/json", **place.user}
    assert call(api, body, "POST", headers)[0] == 202
    pods = lambda: json.loads(place.kubectl("get", "pods", "-l", "nuclio.io/class=build", "-o", "json"))["items"]  # noqa: E731
    eventually(lambda: any(each["status"]["phase"] == "Running" for each in pods()), 60, "the pod of the commands")
    (pod,) = pods()
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["spec"]["serviceAccountName"] == "nuclio-builder"
    assert not any("kube-api-access" in volume["name"] for volume in pod["spec"]["volumes"])
    place.kubectl("delete", "nf", "sleepy", "--wait=false")
    nothing_is_left_of_builds(place)

# SPDX-License-Identifier: Apache-2.0
"""What a person does first with a cluster and a registry: install, deploy, invoke, change, delete."""

import base64
import json
import os
import signal
import subprocess
import threading
from pathlib import Path

import installing
import pytest
from kubernetes import ROOT, KubectlError, eventually
from place import answers, call, installed_place

EXAMPLES = ROOT / "examples/python"
# One story in one namespace, from its beginning to its end.
pytestmark = pytest.mark.in_order


@pytest.fixture(scope="module")
def place(cluster, images, tmp_path_factory):
    """Installed by the manifests, in a namespace that takes only pods of restricted Pod Security."""
    with installed_place(cluster, images, tmp_path_factory.mktemp("home")) as made:
        yield made


def test_the_dashboard_answers_at_its_node_port(place):
    place.kubectl("patch", "service", "nuclio-dashboard", "-p", json.dumps({"spec": {"type": "NodePort"}}))
    service = place.cluster.get(place.namespace, "service", "nuclio-dashboard")
    (port,) = (each["nodePort"] for each in service["spec"]["ports"])
    status, text = call(f"http://127.0.0.1:{port}/api/versions")
    assert status == 200
    assert json.loads(text)["dashboard"]["os"] == "linux"
    status, text = call(f"http://127.0.0.1:{port}/api/frontend_spec")
    assert status == 401, text
    status, text = call(f"http://127.0.0.1:{port}/api/frontend_spec", headers=place.user)
    assert json.loads(text)["platformKind"] == "kube"
    assert json.loads(text)["namespace"] == place.namespace


def test_a_function_is_deployed_invoked_and_listed(place):
    place.deploy("hello", EXAMPLES / "hello.py")
    answers(place.url("hello"), "Hello from Nuclio")
    title, line = place.kubectl("get", "nucliofunctions", "hello").splitlines()
    assert title.split() == ["NAME", "STATE", "REPLICAS", "URL", "PROJECT", "AGE"]
    (url,) = place.function("hello")["status"]["externalInvocationUrls"]
    assert line.split()[:5] == ["hello", "ready", "1", url, "default"]
    assert "Hello from Nuclio" in place.nuctl("invoke", "hello")
    listed = place.nuctl("get", "functions")
    assert "hello" in listed and "1/1" in listed
    assert place.kubectl("wait", "--for=condition=Ready", "nf/hello", "--timeout=5s")


def test_the_log_of_the_pod_has_what_the_function_logged(place):
    place.deploy("event-info", EXAMPLES / "event_info.py")
    eventually(lambda: call(place.url("event-info"))[0] == 200, 10, "an answer")
    status, text = call(place.url("event-info"), b"twelve bytes", headers={"Content-Type": "text/plain"})
    assert (status, json.loads(text)["bodySize"]) == (200, 12)
    (pod,) = place.pods("event-info")
    eventually(
        lambda: '"size": 12' in place.kubectl("logs", pod["metadata"]["name"], "-c", "nuclio"), 5, "the event's size"
    )
    assert '"size": 12' in place.nuctl("logs", "event-info")


def test_pods_meet_the_restricted_standard_and_have_no_token(place):
    place.deploy("plain", EXAMPLES / "hello.py")
    (pod,) = place.pods("plain")
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert not any("kube-api-access" in volume["name"] for volume in pod["spec"]["volumes"])
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    place.nuctl("delete", "function", "plain")


def test_the_object_is_applied_edited_and_scaled_by_kubectl(place):
    place.deploy("by-hand", EXAMPLES / "hello.py")
    whole = place.function("by-hand")
    image = whole["spec"]["image"]
    manifest = {
        "apiVersion": "nuclio.io/v1",
        "kind": "NuclioFunction",
        "metadata": {"name": "applied"},
        "spec": {
            "image": image,
            "runtime": "python:3.11",
            "handler": "hello:handler",
            "triggers": {"web": {"kind": "http", "name": "web", "attributes": {"serviceType": "NodePort"}}},
        },
    }
    place.kubectl("apply", "-f", "-", given=json.dumps(manifest))
    place.kubectl("wait", "--for=condition=Ready", "nf/applied", "--timeout=60s", seconds=90)
    answers(place.url("applied"), "Hello from Nuclio")
    place.kubectl("scale", "nf/applied", "--replicas=2")
    eventually(lambda: len([p for p in place.pods("applied") if p["status"]["phase"] == "Running"]) == 2, 30, "2 pods")
    patch = json.dumps({"spec": {"env": [{"name": "GREETING", "value": "hi"}]}})
    place.kubectl("patch", "nf", "applied", "--type=merge", "-p", patch)
    deployment = lambda: place.cluster.get(place.namespace, "deployment", "nuclio-applied")  # noqa: E731
    names = lambda: [e["name"] for e in deployment()["spec"]["template"]["spec"]["containers"][0].get("env", [])]  # noqa: E731
    eventually(lambda: "GREETING" in names(), 10, "the variable in the pods' template")
    place.kubectl("wait", "--for=condition=Ready", "nf/applied", "--timeout=60s", seconds=90)
    place.kubectl("delete", "nf", "applied", "by-hand", "--cascade=foreground", seconds=120)
    assert not place.pods("applied")


def test_code_that_was_applied_is_built_and_built_again_when_it_changes(place):
    def manifest(text):
        code = base64.b64encode(f"def handler(context, event):\n    return '{text}'\n".encode()).decode()
        base = place.base.replace("127.0.0.1", "10.99.0.1")
        trigger = {"kind": "http", "name": "web", "attributes": {"serviceType": "NodePort"}}
        build = {"functionSourceCode": code, "baseImage": base}
        spec = {"runtime": "python:3.11", "handler": "main:handler", "build": build, "triggers": {"web": trigger}}
        kind = {"apiVersion": "nuclio.io/v1", "kind": "NuclioFunction"}
        return json.dumps({**kind, "metadata": {"name": "from-git"}, "spec": spec})

    place.kubectl("apply", "-f", "-", given=manifest("first"))
    state = lambda: place.function("from-git").get("status", {})  # noqa: E731
    eventually(lambda: state().get("state") == "ready", 60, "the state ready")
    answers(place.url("from-git"), "first")
    place.kubectl("apply", "-f", "-", given=manifest("second"))
    answers(place.url("from-git"), "second")
    place.kubectl("apply", "-f", "-", given=manifest("broken' +"))
    eventually(lambda: state().get("state") in ("error", "unhealthy"), 60, "the state error")
    assert "goes on serving" in state()["message"]
    answers(place.url("from-git"), "second")
    place.kubectl("apply", "-f", "-", given=manifest("third"))
    answers(place.url("from-git"), "third")
    place.kubectl("wait", "--for=condition=Ready", "nf/from-git", "--timeout=60s", seconds=90)
    place.kubectl("delete", "nf", "from-git", "--cascade=foreground", seconds=120)


def test_a_build_whose_builder_was_killed_is_begun_anew(place, tmp_path):
    """Of nuctl's, by the dashboard of the cluster, which can reach all that it was of."""
    source = tmp_path / "orphan.py"
    source.write_text("def handler(context, event):\n    return 'found'\n")
    inside = place.base.replace("127.0.0.1", "10.99.0.1")
    nuctl = place.nuctl_command("deploy", "orphan", "--path", source, "--registry", "http://" + inside.split("/")[0],
                                "--base-image", inside, "--http-trigger-service-type", "NodePort")  # fmt: skip
    running = subprocess.Popen(nuctl, **place.nuctl_options(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: place.state("orphan") == "building", 20, "the build begins")
    finally:
        # Its own dashboard builds; told to end, or left alone by nuctl, it would say that the build was interrupted.
        for child in Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)
        running.wait(30)
    assert place.state("orphan") == "building"
    eventually(lambda: place.state("orphan") == "ready", 120, "the state ready")
    answers(place.url("orphan"), "found")
    place.kubectl("delete", "nf", "orphan", "--cascade=foreground", seconds=120)


def test_a_code_change_rolls_without_a_failed_request(place, tmp_path):
    source = tmp_path / "rolling.py"
    source.write_text("def handler(context, event):\n    return 'one'\n")
    place.deploy("rolling", source, "--replicas", "1")
    answers(place.url("rolling"), "one")
    address = place.url("rolling")[7:]
    report = {}

    def load():
        command = [installing.programs() / "load", "--rate", "500", "--seconds", "15", "--connections", "8"]
        command += ["--reconnect", "--address", address]
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60, check=False)
        report["text"] = done.stdout or done.stderr

    thread = threading.Thread(target=load)
    thread.start()
    source.write_text("def handler(context, event):\n    return 'two'\n")
    place.deploy("rolling", source, "--replicas", "1")
    answers(f"http://{address}", "two")
    thread.join()
    told = json.loads(report["text"])
    assert told["sent"] >= 6000, told
    assert told["answered"] == told["sent"], told
    assert told["statuses"] == {"200": told["sent"]}, told


def test_a_broken_image_leaves_the_old_pods_serving(place):
    before = place.function("hello")["spec"]["image"]
    patch = json.dumps({"spec": {"image": f"{place.cluster.registry}/nuclio/nothing-here:1"}})
    place.kubectl("patch", "nf", "hello", "--type=merge", "-p", patch)
    state = lambda: place.function("hello")["status"]  # noqa: E731
    eventually(lambda: state()["state"] == "unhealthy", 60, "the state unhealthy")
    assert "its image cannot be pulled" in state()["message"]
    assert "goes on serving" in state()["message"]
    assert call(place.url("hello")) == (200, "Hello from Nuclio")
    noted = lambda: place.kubectl("get", "events.events.k8s.io", "-o", "json")  # noqa: E731
    eventually(lambda: "its image cannot be pulled" in noted(), 10, "an event that says why")
    place.kubectl("patch", "nf", "hello", "--type=merge", "-p", json.dumps({"spec": {"image": before}}))
    place.kubectl("wait", "--for=condition=Ready", "nf/hello", "--timeout=60s", seconds=90)


def test_a_function_that_crashes_says_its_last_words(place, tmp_path):
    source = tmp_path / "crashing.py"
    source.write_text("raise RuntimeError('no such luck')\n\n\ndef handler(context, event):\n    return 'never'\n")
    told = place.deploy("crashing", source, "--handler", "crashing:handler", fails=True)
    assert "no such luck" in told
    assert place.function("crashing")["status"]["state"] in ("error", "unhealthy")
    place.nuctl("delete", "function", "crashing")


def test_a_function_is_deployed_through_the_dashboard(place):
    code = base64.b64encode(b"def handler(context, event):\n    return 'from the dashboard'\n").decode()
    function = {
        "metadata": {"name": "posted"},
        "spec": {
            "runtime": "python:3.11",
            "handler": "main:handler",
            "build": {"functionSourceCode": code, "baseImage": place.base.replace("127.0.0.1", "10.99.0.1")},
            "triggers": {"web": {"kind": "http", "name": "web", "attributes": {"serviceType": "NodePort"}}},
        },
    }
    api = f"{place.dashboard}/api/functions"
    headers = {"Content-Type": "application/json", "X-Nuclio-Wait-Function-Action": "true", **place.user}
    status, text = call(api, json.dumps(function).encode(), "POST", headers)
    assert (status, text) == (202, "")
    answers(place.url("posted"), "from the dashboard")
    body = json.dumps({"metadata": {"name": "posted"}}).encode()
    assert call(api, body, "DELETE", headers)[0] == 204


def test_secret_values_are_nowhere_but_in_the_secret(place, tmp_path):
    canary = "canary-6f1e8c2d"
    source = tmp_path / "function.yaml"
    triggers = {
        "web": {"kind": "http", "name": "web", "attributes": {"serviceType": "NodePort"}},
        "tick": {"kind": "cron", "name": "tick", "password": canary, "attributes": {"interval": "1h"}},
    }
    source.write_text(json.dumps({"metadata": {"name": "masked"}, "spec": {"triggers": triggers}}))
    place.deploy("masked", EXAMPLES / "hello.py", "--file", source)
    assert place.function("masked")["spec"]["triggers"]["tick"]["password"].startswith("$ref:")
    for kind in ("nucliofunctions", "configmaps", "deployments", "pods", "events.events.k8s.io", "replicasets"):
        assert canary not in place.kubectl("get", kind, "-o", "yaml"), kind
    for pod in place.pods("masked"):
        assert canary not in place.kubectl("logs", pod["metadata"]["name"], "-c", "nuclio")
    for program in ("controller", "dashboard"):
        assert canary not in place.kubectl("logs", f"deployment/nuclio-{program}")
    secrets = json.loads(place.kubectl("get", "secrets", "-l", "nuclio.io/function-name=masked", "-o", "json"))["items"]
    (content,) = (base64.b64decode(each["data"]["content"]).decode() for each in secrets)
    assert canary in base64.b64decode(content).decode()
    place.nuctl("delete", "function", "masked")


def test_deletion_leaves_nothing_behind(place):
    for name in ("hello", "event-info", "rolling"):
        place.nuctl("delete", "function", name)
    for kind in ("deployments", "services", "configmaps", "secrets", "pods", "replicasets"):
        left = place.kubectl("get", kind, "-l", "nuclio.io/class=function", "-o", "name")
        assert not left.strip(), left
    with pytest.raises(KubectlError, match="not found"):
        place.function("hello")

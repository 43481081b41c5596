# SPDX-License-Identifier: Apache-2.0
"""Several replicas: one event a tick for all of them, more of them under load, and an ingress before them."""

import contextlib
import json
import re
import subprocess
import time

import installing
import pytest
from kubernetes import eventually
from place import answers, call, installed_place

TICKS = 2
CRON_JOB_POD = "nuclio.io/function-cron-job-pod=true"
# Its ticks go on while the other tests here are at work.
pytestmark = pytest.mark.in_order

TICKING = """
def handler(context, event):
    if event.trigger.kind == "cron" or event.headers.get("X-Nuclio-Invoke-Trigger") == "cron":
        tick = event.headers.get("X-Nuclio-Event-Id", "of-a-processor")
        context.logger.info_with("ticked", id=tick, body=event.body.decode())
    return "ticks"
"""
BUSY = """
def handler(context, event):
    return str(sum(each * each for each in range(20000)))
"""
ECHO = """
def handler(context, event):
    return event.path
"""


@pytest.fixture(scope="module")
def place(cluster, images, tmp_path_factory):
    """A namespace that takes only pods of restricted Pod Security, in which a function ticks from the beginning."""
    with installed_place(cluster, images, tmp_path_factory.mktemp("home")) as made:
        source = tmp_path_factory.mktemp("ticking") / "ticking.py"
        source.write_text(TICKING)
        event = {"body": "it's $(HOME); `x`", "headers": {"Content-Type": "text/plain"}}
        triggers = {"each minute": {"kind": "cron", "attributes": {"schedule": "* * * * *", "event": event}}}
        made.deploy("ticking", source, "--replicas", "2", "--triggers", json.dumps(triggers))
        yield made


def write(folder, text):
    source = folder / "code.py"
    source.write_text(text)
    return source


def test_a_function_answers_behind_an_ingress(place, ingress, tmp_path):
    attributes = {"ingresses": {"0": {"host": "echo.test", "paths": ["/orders"]}}, "serviceType": "NodePort"}
    triggers = {"web": {"kind": "http", "attributes": attributes}}
    place.deploy("echo", write(tmp_path, ECHO), "--triggers", json.dumps(triggers))
    answers(f"{ingress}/orders/7", "/orders/7", {"Host": "echo.test"}, seconds=30)
    # Another host or path is not this function's.
    assert call(f"{ingress}/orders/7", headers={"Host": "other.test"})[0] == 404
    assert call(f"{ingress}/", headers={"Host": "echo.test"})[0] == 404
    assert "echo.test/orders" in place.function("echo")["status"]["externalInvocationUrls"]
    place.nuctl("delete", "function", "echo")


@contextlib.contextmanager
def load(address):
    """As many calls as are answered, until the block ends."""
    command = [installing.programs() / "load", "--seconds", "170", "--connections", "4", "--address", address]
    process = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def test_load_makes_more_replicas(place, metrics, tmp_path):
    bounds = ["--min-replicas", "1", "--max-replicas", "3", "--target-cpu", "50"]
    place.deploy(
        "busy", write(tmp_path, BUSY), *bounds, "--resource-request", "cpu=20m", "--resource-limit", "cpu=200m"
    )
    answers(place.url("busy"), str(sum(each * each for each in range(20000))))
    assert len(place.pods("busy")) == 1
    with load(place.url("busy")[7:]):
        began = time.monotonic()
        replicas = lambda: place.function("busy")["status"]["replicas"]  # noqa: E731
        eventually(lambda: replicas() >= 2, 150, "a second replica that answers")
        print(f"2 replicas after {time.monotonic() - began:.0f} s")
    autoscaler = place.cluster.get(place.namespace, "hpa", "nuclio-busy")
    assert autoscaler["status"]["desiredReplicas"] >= 2
    # The controller leaves to the autoscaler what is its.
    assert place.function("busy")["status"]["state"] == "ready"
    place.nuctl("delete", "function", "busy")


def ticks(place):
    """The ids of the events, and by which pods they were handled."""
    out = []
    for pod in place.pods("ticking"):
        name = pod["metadata"]["name"]
        for line in place.kubectl("logs", name, "-c", "nuclio").splitlines():
            if found := re.search(r'ticked.*"id": ?"([^"]+)"', line):
                assert "it's $(HOME); `x`" in line
                out.append((found[1], name))
    return out


def minute_of(tick):
    """Kubernetes names a CronJob's jobs by the minute that they are for."""
    return int(tick.rsplit("-", 1)[1])


def test_a_tick_is_one_event_whatever_the_number_of_replicas(place):
    assert len(place.pods("ticking")) == 2
    (cron_job,) = json.loads(place.kubectl("get", "cronjobs", "-o", "json"))["items"]
    assert cron_job["spec"]["schedule"] == "* * * * *"
    config = place.cluster.get(place.namespace, "configmap", "nuclio-ticking")["data"]["processor.yaml"]
    assert "cron" not in config
    eventually(lambda: len({tick for tick, _ in ticks(place)}) >= TICKS, 60 * TICKS + 30, f"{TICKS} ticks")
    # Were a replica to fire by itself, it would do so at the very beginning of a minute, before a CronJob's pod can.
    seen = [tick for tick, _ in ticks(place)]
    assert len(seen) == len(set(seen)), seen
    minutes = sorted(map(minute_of, seen))
    assert minutes == list(range(minutes[0], minutes[0] + len(minutes))), seen
    pods = json.loads(place.kubectl("get", "pods", "-l", CRON_JOB_POD, "-o", "json"))["items"]
    assert {pod["status"]["phase"] for pod in pods} <= {"Succeeded", "Running", "Pending"}
    assert any(pod["status"]["phase"] == "Succeeded" for pod in pods)
    assert all(pod["spec"]["securityContext"]["runAsNonRoot"] for pod in pods)


def test_ticks_that_replicas_do_not_share_are_told(place, tmp_path):
    triggers = {"often": {"kind": "cron", "attributes": {"interval": "20s"}}}
    place.deploy("often", write(tmp_path, ECHO), "--replicas", "2", "--triggers", json.dumps(triggers))
    conditions = {each["type"]: each for each in place.function("often")["status"]["conditions"]}
    assert conditions["CronLimited"]["reason"] == "FiresInEachReplica"
    assert 'cron trigger "often" fires in each replica' in conditions["CronLimited"]["message"]
    noted = lambda: place.kubectl("get", "events.events.k8s.io", "-o", "json")  # noqa: E731
    eventually(lambda: "CronLimited" in noted(), 10, "an event that says so")
    place.kubectl("scale", "nf/often", "--replicas=1")
    clear = lambda: {each["type"] for each in place.function("often")["status"]["conditions"]}  # noqa: E731
    eventually(lambda: "CronLimited" not in clear(), 10, "nothing to be told of one replica")
    place.nuctl("delete", "function", "often")

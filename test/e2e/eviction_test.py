# SPDX-License-Identifier: Apache-2.0
"""Evicted pods of functions do not pile up; those of others are none of our business."""

import itertools
import os

import installing
import pytest
from controlling import FUNCTION, Api, name, simple, world
from kubernetes import eventually

numbers = itertools.count()
EVICTED = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}
FAILED = {"phase": "Failed", "reason": "NodeLost"}
# The control plane is met by another file, too, which stops parts of it.
pytestmark = pytest.mark.in_order


@pytest.fixture(scope="module")
def api(control_plane, tmp_path_factory):
    control_plane.start_apiserver()
    installing.apply_crds(control_plane)
    return Api(control_plane, tmp_path_factory.mktemp("admin"))


@pytest.fixture
def place(api, tmp_path):
    flags = ("--leader-election", "false", "--evicted-pods-cleanup-interval", "1s")
    with world(api, tmp_path, f"evicted-{os.getpid()}-{next(numbers)}", *flags) as made:
        yield made


def make_pod(functions, pod: str, **labels: str) -> None:
    """One that nobody looks after, and no kubelet runs."""
    spec = {"containers": [{"name": "nuclio", "image": "registry.test/other:1"}], "automountServiceAccountToken": False}
    made = {"metadata": {"name": pod, "labels": labels}, "spec": spec}
    functions.api.must("POST", functions.path("pods"), made)


def set_status(functions, pod: str, status: dict) -> None:
    path = functions.path("pods", pod) + "/status"
    functions.api.must("PATCH", path, {"status": status}, "application/merge-patch+json")


def only_pod(functions, *others: str) -> str:
    (pod,) = [name(each) for each in functions.all_of("pods") if name(each) not in others]
    return pod


def test_evicted_pods_of_a_function_are_removed_and_no_others(place):
    functions = place.functions
    # Without a service account no pod can be made.
    eventually(lambda: functions.get("serviceaccounts", "default"), 20, "the namespace's service account")
    functions.create(simple("crowded"))
    place.controller.start()
    place.controller.wait_watching()
    eventually(lambda: functions.all_of("pods"), 20, "the function's pod")
    first = only_pod(functions)
    make_pod(functions, "stranger", app="other")
    make_pod(functions, "lost", **{"nuclio.io/class": "function", FUNCTION: "crowded"})
    set_status(functions, "stranger", EVICTED)
    set_status(functions, "lost", FAILED)
    set_status(functions, first, EVICTED)
    eventually(lambda: functions.get("pods", first) is None, 20, "the evicted pod is gone")
    # Kubernetes makes another in its place; while that goes, too, the others are looked at again.
    eventually(lambda: len(functions.all_of("pods")) == 3, 20, "the next pod")
    second = only_pod(functions, "stranger", "lost")
    set_status(functions, second, EVICTED)
    eventually(lambda: functions.get("pods", second) is None, 20, "the next pod is gone")
    left = {name(each): each for each in functions.all_of("pods")}
    assert left["stranger"]["status"]["reason"] == "Evicted"
    assert left["lost"]["status"]["reason"] == "NodeLost"

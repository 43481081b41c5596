# SPDX-License-Identifier: Apache-2.0
"""Whatever happens to the controller and to its connection, functions get what they would have got without."""

import itertools
import os
import threading
import time

import controlling
import pytest
from controlling import OWNED, Api, rich, simple, world
from fault_proxy import Cut, Fault, Request, answer, cut, cut_after, reset
from kubernetes import ROOT, eventually

OPERATIONS = ("create", "update", "scale")
CHANGES = {
    "update": {"spec": {"image": "registry.test/function:2", "env": [{"name": "A", "value": "two"}]}},
    "scale": {"spec": {"minReplicas": 2, "maxReplicas": 5}},
}
MANY = 1000
SETTLE_SECONDS = 60
QUIET_SECONDS = 30
numbers = itertools.count()


def fresh(word: str) -> str:
    """A name that is part of no other text."""
    return f"{word}-{os.getpid()}-{next(numbers)}-x"


@pytest.fixture(scope="module")
def api(control_plane, tmp_path_factory):
    install(control_plane)
    yield Api(control_plane, tmp_path_factory.mktemp("admin"))
    control_plane.start_apiserver()


def install(control_plane):
    # Without it the pods of all functions turn from new to unschedulable, in the middle of whatever is counted.
    control_plane.stop_scheduler()
    control_plane.kubectl("apply", "--server-side", "-f", str(ROOT / "deploy/kubernetes/crds.yaml"))
    control_plane.kubectl("wait", "--for=condition=Established", "--all", "crd")


def restart_control_plane(control_plane):
    control_plane.start_apiserver()
    control_plane.stop_scheduler()


@pytest.fixture
def place(api, tmp_path):
    """A world whose controller does not run yet."""
    with world(api, tmp_path, fresh("faults"), "--leader-election", "false") as made:
        yield made


class Golden:
    """What a run without faults leaves, and by which writes, by operation."""

    def __init__(self):
        self.objects: dict[str, dict] = {}
        self.writes: dict[str, list[Request]] = {}


@pytest.fixture(scope="module")
def golden(api, tmp_path_factory):
    out = Golden()
    with world(api, tmp_path_factory.mktemp("golden"), fresh("golden")) as made:
        made.controller.start()
        made.controller.wait_watching()
        function = fresh("golden")
        for operation in OPERATIONS:
            since = len(made.proxy.requests)
            begin(made.functions, operation, function)
            wait_quiet(made.proxy)
            assert function in made.functions.settled()
            out.objects[operation] = made.functions.objects()[function]
            out.writes[operation] = made.proxy.writes(since)
    print({operation: [str(each) for each in writes] for operation, writes in out.writes.items()})
    assert set(out.objects["create"]) == {"nucliofunctions", *OWNED}
    return out


def begin(functions, operation: str, function: str) -> None:
    if operation == "create":
        functions.create(rich(function))
    else:
        functions.patch(function, CHANGES[operation])


def wait_quiet(proxy, seconds: float = 1.5, at_most: float = 30) -> None:
    """Until nothing was written for a while."""
    deadline = time.monotonic() + at_most
    while time.monotonic() < deadline:
        last = max((each.begun for each in proxy.writes()), default=0)
        if last and time.monotonic() - last > seconds:
            return
        time.sleep(0.1)
    raise AssertionError(f"it goes on writing: {[str(each) for each in proxy.writes()[-10:]]}")


def same_write(function: str, golden: Request):
    """Requests that do for the function what the other did."""

    def matches(request: Request) -> bool:
        return (
            request.is_write
            and request.function == function
            and (request.method, request.kind, request.subresource) == (golden.method, golden.kind, golden.subresource)
        )

    return matches


# 1. The controller dies.


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_controller_killed_at_any_write_goes_on_where_it_was(place, golden, operation):
    points = list(itertools.product(range(len(golden.writes[operation])), ("before", "after")))
    names = [fresh(operation) for _ in points]
    before = OPERATIONS[: OPERATIONS.index(operation)]
    place.controller.start()
    if before:
        place.functions.create(*(rich(each) for each in names))
        place.functions.wait_settled(names)
    for operation_before in before[1:]:
        for each in names:
            begin(place.functions, operation_before, each)
        place.functions.wait_same(names, golden.objects[operation_before])
    for (number, when), function in zip(points, names):
        killed = threading.Event()

        def die(request, killed=killed):
            place.controller.kill()
            killed.set()
            raise Cut

        fault = Fault(lambda request, function=function: request.is_write and request.function == function, skip=number)
        setattr(fault, when, die)
        place.proxy.faults = [fault]
        begin(place.functions, operation, function)
        assert killed.wait(20), f"there was no write {number} of {operation}"
        place.controller.start()
    place.functions.wait_same(names, golden.objects[operation])
    assert_nothing_to_do(place)


def assert_nothing_to_do(place):
    """A controller that begins anew finds everything as it should be."""
    wait_quiet(place.proxy, 1)
    since = len(place.proxy.requests)
    place.controller.restart()
    place.controller.wait_watching()
    time.sleep(1)
    assert [str(each) for each in place.proxy.writes(since)] == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_function_deleted_around_the_death_of_the_controller_leaves_nothing(place, golden, when):
    function = fresh("deleted")
    place.functions.create(rich(function))
    place.controller.start()
    place.functions.wait_same([function], golden.objects["create"])
    if when == "before":
        place.controller.kill()
    place.functions.delete(function)
    if when == "after":
        place.controller.kill()
    place.controller.start()
    place.functions.wait_gone([function])


# 2. Watches and writes that go wrong.

HARM = {
    "409": {"before": answer(409)},
    "429": {"before": answer(429)},
    "500": {"before": answer(500)},
    "cut": {"before": cut},
    "reset": {"before": reset},
    "done and 500": {"after": answer(500)},
    "done and cut": {"after": cut},
    "done and reset": {"after": reset},
    "done and cut later": {"after": cut_after(1)},
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_write_that_fails_is_made_up_for(place, golden, operation):
    place.controller.command += ["--function-operator-num-workers", "16"]
    writes = {(each.method, each.kind, each.subresource): each for each in golden.writes[operation]}
    points = list(itertools.product(HARM, writes.values()))
    names = [fresh(operation) for _ in points]
    before = OPERATIONS[: OPERATIONS.index(operation)]
    place.controller.start()
    for earlier in before:
        place.functions.api.all_at_once(lambda each, earlier=earlier: begin(place.functions, earlier, each), names)
        place.functions.wait_same(names, golden.objects[earlier], 30)
    place.proxy.faults = [
        Fault(same_write(function, write), **HARM[harm]) for (harm, write), function in zip(points, names)
    ]
    place.functions.api.all_at_once(lambda each: begin(place.functions, operation, each), names)
    place.functions.wait_same(names, golden.objects[operation], 30)
    unmet = [point for point, fault in zip(points, place.proxy.faults) if not fault.is_over]
    assert not unmet


# 5. Children that others change.


def test_children_are_put_right_and_what_others_added_stays(place, golden):
    place.controller.start()
    names = {kind: [fresh("child") for _ in range(3)] for kind in OWNED}
    everyone = [each for some in names.values() for each in some]
    place.functions.create(*(rich(each) for each in everyone))
    place.functions.wait_same(everyone, golden.objects["create"])
    wait_quiet(place.proxy)
    for kind, (gone, edited, noted) in names.items():
        place.functions.delete(child(place, kind, gone), kind)
        place.functions.patch(child(place, kind, edited), EDITS[kind], kind)
        place.functions.patch(child(place, kind, noted), FOREIGN, kind)
    right = [each for some in names.values() for each in some[:2]]
    place.functions.wait_same(right, golden.objects["create"], 5)
    for kind, (_, _, noted) in names.items():
        metadata = place.functions.get(kind, child(place, kind, noted))["metadata"]
        assert metadata["annotations"]["example.com/note"] == "mine"
        assert metadata["labels"]["example.com/team"] == "ours"
    wait_quiet(place.proxy)


FOREIGN = {"metadata": {"annotations": {"example.com/note": "mine"}, "labels": {"example.com/team": "ours"}}}
WRONG_LABEL = {"metadata": {"labels": {"nuclio.io/project-name": "wrong"}}}
EDITS = {
    "configmaps": {"data": {"processor.yaml": "wrong"}},
    "services": {**WRONG_LABEL, "spec": {"selector": {"nuclio.io/function-name": "wrong"}}},
    "deployments": {**WRONG_LABEL, "spec": {"progressDeadlineSeconds": 7, "revisionHistoryLimit": 1}},
    "horizontalpodautoscalers": {**WRONG_LABEL, "spec": {"maxReplicas": 9}},
    "ingresses": {**WRONG_LABEL, "spec": {"rules": [{"host": "wrong.example.com"}]}},
    "cronjobs": {**WRONG_LABEL, "spec": {"schedule": "1 1 1 1 1"}},
}


def child(place, kind: str, function: str) -> str:
    return next(controlling.name(each) for each in place.functions.all_of(kind) if controlling.label(each) == function)


# 8. Many.


def statuses_written(proxy) -> int:
    return len({each.name for each in proxy.writes() if each.subresource == "status" and each.status == 200})


def test_a_thousand_functions_settle_and_then_it_is_quiet(place, control_plane):
    # Making the pods of a thousand Deployments takes longer than all that is measured here.
    control_plane.stop_controllers()
    try:
        many_functions(place)
    finally:
        restart_control_plane(control_plane)


def many_functions(place):
    place.controller.start()
    place.controller.wait_watching()
    names = [fresh("many") for _ in range(MANY)]
    begun = time.monotonic()
    place.functions.create(*(simple(each) for each in names))
    created = time.monotonic() - begun
    # To ask for all of it all the time would take the time that is measured.
    what = f"the last status is written (created in {created:.0f} s)"
    eventually(lambda: statuses_written(place.proxy) >= MANY, SETTLE_SECONDS - created, what)
    place.functions.wait_settled(names, 5)
    settled = time.monotonic() - begun
    wait_quiet(place.proxy, 3, 120)
    writes = place.proxy.writes()
    by_function = {each: 0 for each in names}
    for each in writes:
        by_function[each.function] += 1
    processor = place.controller.processor_seconds()
    print(
        f"created in {created:.1f} s, settled in {settled:.1f} s, {len(writes)} writes, {processor:.1f} s of processor"
    )
    assert max(by_function.values()) <= 4
    memory = place.controller.resident_mebibytes()
    since = len(place.proxy.requests)
    place.controller.restart()
    place.controller.wait_watching()
    time.sleep(2)
    assert [str(each) for each in place.proxy.writes(since)] == []
    since = len(place.proxy.requests)
    time.sleep(QUIET_SECONDS)
    assert [str(each) for each in place.proxy.writes(since)] == []
    idle = len(place.proxy.requests) - since
    print(
        f"{memory:.0f} MiB, after a restart {place.controller.resident_mebibytes():.0f} MiB, {idle} requests while idle"
    )
    assert idle <= QUIET_SECONDS
    assert max(memory, place.controller.resident_mebibytes()) <= 80

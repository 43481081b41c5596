# SPDX-License-Identifier: Apache-2.0
"""Whatever happens to the controller and to its connection, functions get what they would have got without."""

import collections
import contextlib
import itertools
import json
import os
import threading
import time

import controlling
import hostile
import installing
import pytest
from controlling import ALWAYS, OWNED, Api, World, rich, simple, world
from fault_proxy import Cut, Fault, Request, WatchFault, answer, cut, cut_after, reset, status_object
from kubernetes import eventually

OPERATIONS = ("create", "update", "scale")
CHANGES = {
    "update": {"spec": {"image": "registry.test/function:2", "env": [{"name": "A", "value": "two"}]}},
    "scale": {"spec": {"minReplicas": 2, "maxReplicas": 5}},
}
MANY = 1000
FUZZ_COUNT = min(int(os.environ.get("NUCLIO_FUZZ_FUNCTIONS") or 200), 1000)
FUZZ_SEED = 7
FUZZ_SECONDS = 30 + FUZZ_COUNT // 10
SETTLE_SECONDS = 60
PATIENCE_SECONDS = 40  # with builders
QUIET_SECONDS = int(os.environ.get("NUCLIO_QUIET_SECONDS") or 30)
numbers = itertools.count()
# One control plane and one controller serve all of these, and some have to be done within a time.
pytestmark = pytest.mark.in_order


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
    installing.apply_crds(control_plane)


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
            made.functions.wait_settled([function])
            wait_quiet(made.proxy)
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


WATCHED = ("nucliofunctions", "nuclioprojects", "pods", "secrets", "controllerrevisions", *OWNED)
FORGOTTEN = json.dumps({"type": "ERROR", "object": status_object(410)}).encode() + b"\n"


def is_watch_of(kind: str):
    return lambda request: request.is_watch and request.kind == kind


def test_watches_that_are_refused_or_end_as_too_old_begin_anew(place, golden):
    refused = [Fault(is_watch_of(kind), before=answer(410), times=2) for kind in WATCHED]
    ended: set[str] = set()

    def forget(kind):
        def line(number, given):
            if kind in ended:
                return [given]
            ended.add(kind)
            return [FORGOTTEN]

        return line

    place.proxy.faults = [*refused, *(WatchFault(is_watch_of(kind), forget(kind)) for kind in WATCHED)]
    place.controller.start()
    place.controller.wait_watching()
    names = [fresh("forgotten") for _ in range(3)]
    for each in names:
        place.functions.create(rich(each))
    place.functions.wait_same(names, golden.objects["create"])
    for each in names:
        begin(place.functions, "update", each)
    place.functions.wait_same(names, golden.objects["update"])
    assert all(each.is_over for each in refused)
    assert ended >= {"nucliofunctions", *OWNED}


def test_what_a_frozen_watch_missed_is_made_up_for_when_it_ends(place, golden):
    frozen: set[str] = set()
    thawed = threading.Event()

    def freeze(kind):
        def line(number, given):
            if kind not in frozen:
                return [given]
            thawed.wait(60)
            raise Cut

        return line

    place.proxy.faults = [WatchFault(is_watch_of(kind), freeze(kind)) for kind in WATCHED]
    place.controller.start()
    old, new = [{kind: fresh("frozen") for kind in WATCHED} for _ in range(2)]
    place.functions.create(*(rich(each) for each in old.values()))
    place.functions.wait_same(list(old.values()), golden.objects["create"])
    wait_quiet(place.proxy)
    # All at once, and then one by one: the others tell of what the frozen one does not.
    for kinds in (WATCHED, *((kind,) for kind in OWNED)):
        thawed.clear()
        frozen.update(kinds)
        for kind in kinds:
            if kind in EDITS:
                place.functions.patch(child(place, kind, old[kind]), EDITS[kind], kind)
        if kinds == WATCHED:
            place.functions.create(*(rich(each) for each in new.values()))
        time.sleep(0.3)
        frozen.clear()
        thawed.set()
        place.functions.wait_same([*old.values(), *new.values()], golden.objects["create"])


def test_events_that_are_told_again_change_nothing(place, golden):
    told: dict[int, list[bytes]] = {}

    def again(number, given):
        earlier = told.setdefault(threading.get_ident(), [])
        if number == 0:
            earlier.clear()
        earlier.append(given)
        return [given, *earlier[-20:]]

    place.proxy.faults = [WatchFault(lambda request: True, again)]
    place.controller.start()
    place.controller.wait_watching()
    names = [fresh("again") for _ in range(3)]
    place.functions.create(*(rich(each) for each in names))
    place.functions.wait_same(names, golden.objects["create"])
    place.functions.delete(child(place, "services", names[0]), "services")
    for each in names:
        begin(place.functions, "update", each)
    place.functions.wait_same(names, golden.objects["update"])
    wait_quiet(place.proxy)
    at_most = len(golden.writes["create"]) + len(golden.writes["update"]) + 2
    for each in names:
        assert sum(write.function == each for write in place.proxy.writes()) <= at_most


def test_any_event_may_be_lost_before_a_watch_ends(place, golden):
    points = list(itertools.product(WATCHED, range(4)))
    names = {point: fresh("lost") for point in points}
    lost = set()

    def lose(kind):
        seen: dict[str, int] = {}

        def line(number, given):
            about = json.loads(given)["object"]["metadata"]
            function = about.get("labels", {}).get(controlling.FUNCTION) or about.get("name", "")
            count = seen[function] = seen.get(function, -1) + 1
            if names.get((kind, count)) != function:
                return [given]
            lost.add((kind, count))
            return []

        return line

    place.proxy.faults = [WatchFault(is_watch_of(kind), lose(kind)) for kind in WATCHED]
    place.controller.start()
    place.controller.wait_watching()
    place.functions.create(*(rich(each) for each in names.values()))
    wait_quiet(place.proxy)
    place.functions.api.all_at_once(lambda each: begin(place.functions, "update", each), list(names.values()))
    wait_quiet(place.proxy)
    place.proxy.faults = []
    place.proxy.cut_all()
    place.functions.wait_same(list(names.values()), golden.objects["update"])
    assert len(lost) >= 12, lost
    wait_quiet(place.proxy)


# 3. The API server goes away.


def test_functions_go_on_when_the_api_server_comes_back(place, golden, control_plane):
    place.controller.start()
    before, after = [[fresh("restarted") for _ in range(5)] for _ in range(2)]
    place.functions.create(*(rich(each) for each in before))
    control_plane.kill_apiserver()
    control_plane.start_apiserver()
    place.functions.create(*(rich(each) for each in after))
    for each in before:
        begin(place.functions, "update", each)
    place.functions.wait_same(before, golden.objects["update"], 60)
    place.functions.wait_same(after, golden.objects["create"], 60)
    control_plane.stop_scheduler()


def test_functions_that_come_again_after_the_store_was_lost_get_all_again(place, golden, control_plane):
    place.controller.start()
    names = [fresh("lost") for _ in range(5)]
    place.functions.create(*(rich(each) for each in names))
    place.functions.wait_same(names, golden.objects["create"])
    control_plane.wipe_etcd()
    install(control_plane)
    place.functions.make_namespace()
    place.functions.create(*(rich(each) for each in names))
    place.functions.wait_same(names, golden.objects["create"], 60)
    assert_nothing_to_do(place)


# 4. Two controllers.


def test_of_two_controllers_one_works_and_the_other_takes_over(api, golden, tmp_path):
    pairs = []
    for end in ("killed", "cut off"):
        namespace = fresh("pair")
        pairs.append([World(api, tmp_path / f"{end} {each}", namespace) for each in range(2)])
        pairs[-1][0].functions.make_namespace()
    try:
        leaders = [lead_of(pair) for pair in pairs]
        names = [fresh("led") for _ in pairs]
        for (leader, _), function in zip(leaders, names):
            leader.functions.create(rich(function))
            leader.functions.wait_same([function], golden.objects["create"])
        (killed, _), (cut_off, _) = leaders
        killed.controller.kill()
        cut_off.proxy.faults = [Fault(lambda request: request.kind == "leases", before=cut, times=10**6)]
        begun = time.monotonic()
        took_over = {}
        while len(took_over) < len(pairs) and time.monotonic() - begun < 30:
            for (leader, other), function in zip(leaders, names):
                image = f"registry.test/function:{time.monotonic_ns()}"
                leader.functions.patch(function, {"spec": {"image": image}})
                if "Watching" in other.controller.words():
                    took_over.setdefault(function, time.monotonic() - begun)
            time.sleep(0.2)
        print(f"took over after {took_over}")
        assert len(took_over) == len(pairs) and max(took_over.values()) <= 20
        assert not cut_off.controller.is_alive()
        for (leader, other), function in zip(leaders, names):
            begin(other.functions, "update", function)
            other.functions.wait_same([function], golden.objects["update"])
            assert max(each.ended for each in leader.proxy.writes()) < min(each.begun for each in other.proxy.writes())
    finally:
        for each in itertools.chain(*pairs):
            each.end()
            api.ask("DELETE", f"/api/v1/namespaces/{each.functions.namespace}")


def lead_of(pair):
    """Starts both; the one that leads, and the other."""
    for each in pair:
        each.controller.start()
    eventually(lambda: any("Watching" in each.controller.words() for each in pair), 20, "one of two leads")
    time.sleep(0.5)
    leading = ["Watching" in each.controller.words() for each in pair]
    assert sum(leading) == 1
    return pair if leading[0] else pair[::-1]


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
    "deployments": {**WRONG_LABEL, "spec": {"progressDeadlineSeconds": 5000, "revisionHistoryLimit": 1}},
    "horizontalpodautoscalers": {**WRONG_LABEL, "spec": {"maxReplicas": 9}},
    "ingresses": {**WRONG_LABEL, "spec": {"rules": [{"host": "wrong.example.com"}]}},
    "cronjobs": {**WRONG_LABEL, "spec": {"schedule": "1 1 1 1 1"}},
}


def child(place, kind: str, function: str) -> str:
    return next(controlling.name(each) for each in place.functions.all_of(kind) if controlling.label(each) == function)


def test_replicas_are_left_to_the_autoscaler_once_it_has_set_them(place, golden):
    place.controller.start()
    function = fresh("scaled")
    place.functions.create(rich(function))
    place.functions.wait_same([function], golden.objects["create"])
    deployment = child(place, "deployments", function)
    assert OURS in owners_of_replicas(place, deployment)
    # To the least number again: nothing but who owns it tells that it is not ours.
    for replicas in (3, 1):
        place.functions.patch(
            f"{deployment}/scale?fieldManager=scaler", {"spec": {"replicas": replicas}}, "deployments"
        )
    assert owners_of_replicas(place, deployment) == {"scaler"}
    begin(place.functions, "update", function)
    place.functions.wait_same([function], golden.objects["update"])
    wait_quiet(place.proxy)
    assert owners_of_replicas(place, deployment) == {"scaler"}


OURS = "nuclio-controller"


def owners_of_replicas(place, deployment: str) -> set[str]:
    fields = place.functions.get("deployments", deployment)["metadata"]["managedFields"]
    return {each["manager"] for each in fields if "f:replicas" in each["fieldsV1"].get("f:spec", {})}


# 6. Changes of mind.


def test_what_was_changed_and_changed_back_is_as_it_was(place, golden):
    place.controller.start()
    names = [fresh("back") for _ in range(10)]
    place.functions.create(*(rich(each) for each in names))
    place.functions.wait_same(names, golden.objects["create"])
    back = {"spec": {key: rich("")["spec"][key] for key in CHANGES["update"]["spec"]}}

    def there_and_back(given):
        number, function = given
        for _ in range(3):
            begin(place.functions, "update", function)
            time.sleep(0.01 * number)
            place.functions.patch(function, back)

    place.functions.api.all_at_once(there_and_back, list(enumerate(names)))
    wait_quiet(place.proxy)
    place.functions.wait_same(names, golden.objects["create"])
    assert_nothing_to_do(place)


def test_functions_deleted_or_made_anew_while_they_are_being_made(place, golden):
    place.controller.command += ["--function-operator-num-workers", "16"]
    points = list(itertools.product(golden.writes["create"], ("before", "after"), ("deleted", "replaced")))
    names = [fresh("gone") for _ in points]

    def interfere(function, end):
        def act(request):
            place.functions.delete(function)
            if end == "replaced":
                place.functions.create(rich(function))

        return act

    place.proxy.faults = [
        Fault(same_write(function, write), **{when: interfere(function, end)})
        for (write, when, end), function in zip(points, names)
    ]
    place.controller.start()
    place.functions.create(*(rich(each) for each in names))
    eventually(lambda: all(each.is_over for each in place.proxy.faults), 30, "each was interfered with")
    place.functions.wait_same(
        [each for each, (_, _, end) in zip(names, points) if end == "replaced"], golden.objects["create"], 30
    )
    place.functions.wait_gone([each for each, (_, _, end) in zip(names, points) if end == "deleted"])


# 7. Hostile functions.


def test_hostile_functions_are_made_or_told_why_not(place, golden):
    hostile.random.seed(FUZZ_SEED)
    place.controller.start()
    place.controller.wait_watching()
    functions = [hostile.function(f"hostile-{number}-x") for number in range(FUZZ_COUNT)]
    path = place.functions.path("nucliofunctions", whole=True)
    made = place.functions.api.all_at_once(lambda each: place.functions.api.ask("POST", path, each)[0], functions)
    names = {controlling.name(each) for each, status in zip(functions, made) if status < 300}
    assert len(names) >= FUZZ_COUNT / 2, collections.Counter(made)
    good = [fresh("good") for _ in range(3)]
    place.functions.create(*(rich(each) for each in good))
    place.functions.wait_same(good, golden.objects["create"], FUZZ_SECONDS)
    unsettled: dict[str, str] = {}

    def all_settled() -> bool:
        assert place.controller.is_alive(), place.controller.words()[-2000:]
        objects = [{controlling.label(each) for each in place.functions.all_of(kind)} for kind in ALWAYS]
        complete = set.intersection(*objects)
        unsettled.clear()
        for each in place.functions.all_of("nucliofunctions"):
            name = controlling.name(each)
            if why := unsettled_why(each, name in complete):
                unsettled[name] = why
        return not unsettled

    with contextlib.suppress(AssertionError):
        eventually(all_settled, FUZZ_SECONDS, "")
    specs = {controlling.name(each): json.dumps(each)[:1500] for each in functions}
    assert not unsettled, "\n".join(f"{name}: {why}\n  {specs.get(name)}" for name, why in list(unsettled.items())[:8])
    seen = place.functions.all_of("nucliofunctions")
    reasons = collections.Counter(reason_of(each) for each in seen if controlling.name(each) in names)
    print(f"{len(names)} of {FUZZ_COUNT} were taken: {reasons}")
    wait_quiet(place.proxy)


def test_a_function_that_was_refused_is_made_once_it_is_put_right(place, golden):
    place.controller.start()
    function = fresh("refused")
    wrong = rich(function)
    right = wrong["spec"]["resources"]
    wrong["spec"]["resources"] = {"claims": {"cpu": "1"}}
    place.functions.create(wrong)
    eventually(lambda: reason_of(place.functions.get("nucliofunctions", function)) == "Refused", 20, "it is refused")
    wait_quiet(place.proxy)
    place.functions.patch(function, {"spec": {"resources": {"claims": None, **right}}})
    place.functions.wait_same([function], golden.objects["create"])


def reason_of(function: dict) -> str:
    ready = [each for each in function.get("status", {}).get("conditions", []) if each["type"] == "Ready"]
    return ready[0].get("reason", "") if ready else ""


def unsettled_why(function: dict, is_complete: bool) -> str:
    status = function.get("status", {})
    if not controlling.is_observed(function):
        return f"its status is of another generation: {str(status)[:300]}"
    if status.get("state") != "error":
        return "" if is_complete else f"there is not all of it, and its state is {status.get('state')}"
    conditions = {each["type"]: each for each in status.get("conditions", [])}
    ready, stalled = conditions.get("Ready", {}), conditions.get("Stalled", {})
    told = (
        status.get("message")
        and (ready.get("status"), stalled.get("status")) == ("False", "True")
        and ready.get("reason") in ("Invalid", "NoImage", "Refused")
    )
    return "" if told else f"it is an error without a reason: {str(status)[:300]}"


# 8. Builders that die.


def test_a_build_of_which_nothing_is_heard_any_more_is_begun_anew(place):
    place.controller.start()
    lost, kept, quiet = (fresh(word) for word in ("lost", "kept", "quiet"))
    renewed = lambda: f"2026-01-01T00:00:{int(time.monotonic()) % 60:02}Z"  # noqa: E731
    says = {lost: {"id": "nuctl_a_1", "renewed": renewed()}, kept: {"id": "nuctl_b_1", "renewed": renewed()}, quiet: {}}
    for name, builder in says.items():
        function = simple(name, build={"functionSourceCode": "eA=="})
        function["status"] = {"state": "building", **({"builder": builder} if builder else {})}
        place.functions.create(function)
    begun = time.monotonic()
    status = lambda name: place.functions.get("nucliofunctions", name)["status"]  # noqa: E731
    while status(lost)["state"] == "building" and time.monotonic() - begun < PATIENCE_SECONDS + 20:
        renewal = {"status": {"builder": {"renewed": renewed()}}}
        place.functions.api.must(
            "PATCH", place.functions.path("nucliofunctions", kept, whole=True), renewal, "application/merge-patch+json"
        )
        time.sleep(5)
    assert time.monotonic() - begun > PATIENCE_SECONDS - 5
    assert status(lost)["state"] == "waitingForBuild"
    assert "nuctl_a_1" in status(lost)["message"]
    assert "builder" not in status(lost)
    assert status(kept)["state"] == "building"
    # One that never said that it would: Nuclio's own.
    assert status(quiet)["state"] == "building"


# 9. Many.


def statuses_written(proxy) -> int:
    return len({each.name for each in proxy.writes() if each.subresource == "status" and each.status == 200})


@pytest.mark.timeout(270 + QUIET_SECONDS, func_only=True)
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

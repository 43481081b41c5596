# SPDX-License-Identifier: Apache-2.0
"""The stream of events: what happens, as it happens; and clients that are many, are slow, or come back."""

import base64
import contextlib
import json
import os
import pathlib
import socket
import threading
import time

import code_server
import pytest
import running
from event_stream import EventStream
from logging_in import bearer, let_expire, make_token, start_dashboard

CLIENTS = 100
MOST_CPU = 0.15  # of one core, with all of them idle; 0.05 on a machine that has nothing else to do
MOST_MEMORY = 60 << 20
CODE = """
def handler(context, event):
    context.logger.info(f"said {event.body.decode()}")
    return "ok"
"""


@pytest.fixture
def dashboard(tmp_path):
    made = running.Dashboard(tmp_path / "home").start()
    yield made
    made.stop()


def function(name, code=CODE, description="", project="default"):
    return {
        "metadata": {"name": name, "namespace": "nuclio", "labels": {"nuclio.io/project-name": project}},
        "spec": {
            "runtime": "python",
            "handler": "main:handler",
            "description": description,
            "build": {"functionSourceCode": base64.b64encode(code.encode()).decode()},
            "triggers": {"web": {"kind": "http", "numWorkers": 1}},
        },
    }


def imported(name, description=""):
    body = function(name, description=description)
    body["metadata"]["annotations"] = {"skip-build": "true", "skip-deploy": "true"}
    return body


def deploy(dashboard, body):
    wait = {"X-Nuclio-Wait-Function-Action": "true"}
    answer = dashboard.api("PUT", f"/functions/{body['metadata']['name']}", body, wait)
    assert answer.status == 202, answer


def state(name, wanted):
    return lambda event: (
        event.name == "function" and event.function == name and event.data["status"].get("state") == wanted
    )


def is_synced(event):
    return event.name == "synced"


class Gate(code_server.CodeServer):
    """Answers once it is open."""

    def __init__(self, folder):
        super().__init__(folder)
        self.open = threading.Event()

    def handle(self, request):
        self.open.wait(30)
        super().handle(request)


@pytest.fixture
def gate(tmp_path):
    made = Gate(tmp_path)
    yield made
    made.open.set()
    made.stop()


def test_a_deploy_is_told_step_by_step_and_so_is_its_end(dashboard, gate):
    gate.pages["/main.py"] = CODE.encode()
    held = function("f", description="one")
    held["spec"]["build"] = {"path": gate.url + "/main.py"}
    with EventStream(dashboard.address) as stream:
        assert stream.response.getheader("Content-Type") == "text/event-stream"
        stream.wait(is_synced, "end of the snapshot")
        assert [event.name for event in stream.events] == ["snapshot", "project", "synced"]
        assert dashboard.api("PUT", "/functions/f", held).status == 202
        # A build that is over before the stream looks, 50 ms later, would be no state to tell of.
        stream.wait(state("f", "building"), "build")
        gate.open.set()
        ready = stream.wait(state("f", "ready"), "readiness")
        shown = dashboard.function("f")
        assert ready.data["metadata"] == shown["metadata"]
        assert ready.data["status"]["externalInvocationUrls"] == shown["status"]["externalInvocationUrls"]
        assert ready.data["spec"]["triggers"] == {"web": {"kind": "http", "numWorkers": 1}}
        assert "build" not in ready.data["spec"] and "logs" not in ready.data["status"]

        broken = function("f", "def handler(:\n")
        assert dashboard.api("PUT", "/functions/f", broken).status == 202
        stream.wait(state("f", "error"), "failure")
        builds = [event.data for event in stream.named("build")]
        assert builds[0]["begin"] and builds[-1]["lines"][-1]["level"] == "error"
        # Together they are what the function's status has.
        last = max(index for index, build in enumerate(builds) if build["begin"])
        told = [line for build in builds[last:] for line in build["lines"]]
        assert told == dashboard.function("f")["status"]["logs"]

        assert dashboard.api("POST", "/projects", {"metadata": {"name": "media"}}).status == 201
        stream.wait(lambda event: event.name == "project" and event.function == "media", "project")
        assert dashboard.api("DELETE", "/functions", {"metadata": {"name": "f"}}).status == 204
        stream.wait(lambda event: event.name == "function-gone" and event.function == "f", "end of the function")
        numbers = [event.number for event in stream.events]
        assert len(set(numbers)) == len(numbers)


def test_a_stream_tells_what_it_was_asked_for(dashboard):
    assert dashboard.api("POST", "/projects", {"metadata": {"name": "media"}}).status == 201
    for name, project in (("a", "default"), ("b", "media")):
        body = imported(name)
        body["metadata"]["labels"]["nuclio.io/project-name"] = project
        assert dashboard.api("POST", "/functions", body).status == 202
    with EventStream(dashboard.address, "project=media") as stream:
        stream.wait(is_synced, "end of the snapshot")
        assert [event.function for event in stream.events if event.name in ("function", "project")] == ["media", "b"]
    for query, status, complaint in (
        ("namespace=elsewhere", 404, "elsewhere"),
        ("logs=nobody", 404, "nobody"),
        ("logs=" + ",".join(f"f{i}" for i in range(9)), 400, "at most 8"),
    ):
        with EventStream(dashboard.address, query) as stream:
            assert stream.response.status == status
            assert complaint in json.loads(stream.response.read())["error"]


def test_what_a_function_logs_arrives_within_a_second_and_how_it_fares(dashboard):
    deploy(dashboard, function("f"))
    with EventStream(dashboard.address, "logs=f&metrics=*") as stream:
        stream.wait(is_synced, "end of the snapshot")
        for number in range(3):
            asked = time.monotonic()
            running.request(dashboard.url("f"), "POST", body=f"number {number}")
            line = stream.wait(
                lambda event, text=f"said number {number}": event.name == "log" and text in str(event.data["lines"]),
                "line of the log",
            )
            assert line.at - asked < 1, "it took too long"
        # A new version logs, too, and the lines say which replica it was.
        before = line.data["replica"]
        deploy(dashboard, function("f", CODE.replace("said", "sang")))
        running.request(dashboard.url("f"), "POST", body="a song")
        sang = stream.wait(lambda event: event.name == "log" and "sang a song" in str(event.data["lines"]), "new line")
        assert sang.data["replica"] != before

        def fares(event):
            return event.name == "metrics" and event.function == "f" and event.data.get("ratePerSecond", 0) > 0

        sample = stream.wait(fares, "sample of metrics", 25)
        assert sample.data["errorsPerSecond"] == 0
        assert sample.data["replicas"] == 1 and sample.data["workers"] == 1
        assert 0 < sample.data["p99Seconds"] < 5
    history = dashboard.api("GET", "/v2/functions/f/metrics?since=15m").json
    assert history["stepSeconds"] == 10 and len(history["ratePerSecond"]) == 90
    events = sum(rate * 10 for rate in history["ratePerSecond"] if rate is not None)
    assert events >= 1
    assert sum(sum(counts) for counts in history["durations"] if counts) == pytest.approx(events)
    assert len(history["boundsSeconds"]) == 18
    assert history["ratePerSecond"][0] is None, "nobody was there to ask"


def test_the_history_of_metrics_outlives_a_restart(dashboard):
    deploy(dashboard, function("f"))
    for _ in range(5):
        running.request(dashboard.url("f"), "POST", body="x")

    def told():
        rates = dashboard.api("GET", "/v2/functions/f/metrics?since=24h").json["ratePerSecond"]
        return [rate for rate in rates if rate]

    running.wait_for(told, "a sample of metrics", 25)
    before = told()
    dashboard.stop()
    dashboard.start()
    assert told() == before
    for query, complaint in (("since=25h", "since must be from 10s to 24h0m0s"), ("step=x", "step")):
        answer = dashboard.api("GET", f"/v2/functions/f/metrics?{query}")
        assert answer.status == 400 and complaint in answer.json["error"]
    assert dashboard.api("GET", "/v2/functions/nobody/metrics").status == 404


def test_a_client_that_comes_back_after_a_restart_knows_how_everything_is(dashboard):
    for name in ("a", "b"):
        assert dashboard.api("POST", "/functions", imported(name)).status == 202
    dashboard.environment["NUCLIO_DASHBOARD_LISTEN_ADDR"] = dashboard.address
    dashboard.stop()
    dashboard.start()
    with EventStream(dashboard.address) as stream:
        stream.wait(is_synced, "end of the snapshot")
        began = time.monotonic()
        dashboard.stop()
        assert time.monotonic() - began < 4, "the stream held up the end"
        assert stream.ended.wait(5)
        assert stream.named("end")
    dashboard.start()
    assert dashboard.api("DELETE", "/functions", {"metadata": {"name": "a"}}).status == 204
    with EventStream(dashboard.address) as stream:
        stream.wait(is_synced, "end of the snapshot")
        assert [event.function for event in stream.named("function")] == ["b"]


def test_a_client_that_does_not_read_is_cut_and_holds_up_nobody(dashboard):
    assert dashboard.api("POST", "/functions", imported("a")).status == 202
    host, port = dashboard.address.rsplit(":", 1)
    with contextlib.closing(socket.socket()) as slow, EventStream(dashboard.address) as quick:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect((host, int(port)))
        slow.sendall(b"GET /api/v2/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        quick.wait(is_synced, "end of the snapshot")
        for number in range(100):
            name = f"big-{number}"
            assert dashboard.api("POST", "/functions", imported(name, "x" * 100_000)).status == 202
            event = quick.wait(lambda event, name=name: event.name == "function" and event.function == name, name)
            assert dashboard.api("DELETE", "/functions", {"metadata": {"name": name}}).status == 204
            assert time.monotonic() - event.at < 1
        running.wait_for(lambda: "too slow for its stream of events" in dashboard.log, "the end of the slow one")
        assert not quick.ended.is_set()


def test_nobody_is_told_what_they_may_not_read_nor_beyond_the_end_of_their_login(tmp_path):
    board = start_dashboard(tmp_path / "home", "tokens")
    try:
        admin = bearer(make_token(board, "--name", "ann", "--role", "admin"))
        viewer = bearer(make_token(board, "--name", "bob", "--role", "viewer", "--project", "media"))
        token = make_token(board, "--name", "eve", "--role", "viewer")
        let_expire(board, token, int(time.time()) + 4)
        passing = bearer(token)
        assert board.api("POST", "/projects", {"metadata": {"name": "media"}}, admin).status == 201
        with EventStream(board.address) as stream:
            assert stream.response.status == 401
        with EventStream(board.address, headers=viewer) as stream, EventStream(board.address, headers=passing) as other:
            stream.wait(is_synced, "end of the snapshot")
            for name, project in (("hidden", "default"), ("shown", "media")):
                assert (
                    board.api("PUT", f"/functions/{name}", function(name, "def", project=project), admin).status == 202
                )
            stream.wait(state("shown", "error"), "failure")
            assert {event.function for event in stream.events if event.function} == {"media", "shown"}
            assert other.ended.wait(8)
            assert other.events[-1].data == {"reason": "your login has expired"}
            assert not stream.ended.is_set()
        (revision,) = board.api("GET", "/v2/functions/shown/revisions", headers=viewer).json["revisions"]
        assert revision["deployedBy"] == "token ann" and revision["state"] == "failed"
        with EventStream(board.address, "logs=hidden", viewer) as stream:
            assert stream.response.status == 403
    finally:
        board.stop()


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    return 0


def test_many_clients_cost_little(dashboard, record_property):
    for number in range(1000):
        assert dashboard.api("POST", "/functions", imported(f"f-{number:04}")).status == 202
    alone = memory(dashboard.process.pid)
    with contextlib.ExitStack() as stack:
        began = time.monotonic()
        streams = [stack.enter_context(EventStream(dashboard.address, "metrics=*")) for _ in range(CLIENTS)]
        for stream in streams:
            stream.wait(is_synced, "end of the snapshot", 60)
            assert len(stream.named("function")) == 1000
        connected = time.monotonic() - began
        time.sleep(1)  # for what is left to do to be done: it is no part of being idle
        before, since = cpu_seconds(dashboard.process.pid), time.monotonic()
        time.sleep(16)  # a heartbeat, and a round of metrics
        share = (cpu_seconds(dashboard.process.pid) - before) / (time.monotonic() - since)
        used = memory(dashboard.process.pid)
        assert all(stream.comments > 0 and not stream.ended.is_set() for stream in streams)
        # One change reaches all of them.
        changed = time.monotonic()
        assert dashboard.api("DELETE", "/functions", {"metadata": {"name": "f-0500"}}).status == 204
        gone = [stream.wait(lambda event: event.name == "function-gone", "change") for stream in streams]
        latest = max(event.at for event in gone) - changed
    print(
        f"\n1000 functions, {CLIENTS} clients: {share:.1%} of a core idle, {used / 2**20:.1f} MiB "
        f"({alone / 2**20:.1f} before), all connected in {connected:.1f} s, a change with all in {latest:.2f} s"
    )
    assert share < MOST_CPU
    assert used < MOST_MEMORY

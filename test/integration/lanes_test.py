# SPDX-License-Identifier: Apache-2.0
"""A function on several threads (processor.ioThreads): it must look like one."""

import concurrent.futures
import contextlib
import http.client
import os
import pathlib
import signal
import subprocess
import threading
import time

import pytest
import running
import witness
from loading import Load, load, unexpected


def web(**settings):
    return {"triggers": {"web": {"kind": "http", **settings}}}


def threads(count, **settings):
    return {"processor": {"ioThreads": count, **settings}}


def lanes(processor):
    """The names of the threads that have a lane of their own, which the first does not."""
    tasks = pathlib.Path(f"/proc/{processor.process.pid}/task").glob("*/comm")
    return sorted(name for task in tasks if (name := task.read_text().strip()).startswith("lane "))


@contextlib.contextmanager
def connections(processor, count):
    """Kept connections, of which each lane has as many as the others."""
    host, port = processor.address.split(":")
    with contextlib.ExitStack() as stack:
        made = []
        for _ in range(count):
            one = stack.enter_context(contextlib.closing(http.client.HTTPConnection(host, int(port), timeout=30)))
            one.connect()
            made.append(one)
        yield made


def ask(connection, body=b"", path="/"):
    connection.request("POST", path, body)
    response = connection.getresponse()
    return response.status, response.read()


def two_of_a_lane(kept, path="/"):
    """Of connections to a function with a worker a lane: two that share one, and one that does not."""
    lanes = {}
    for one in kept:
        lanes.setdefault(ask(one, path=path)[1], []).append(one)
    assert len(lanes) == 2, "an event that finds its own worker idle goes to no other"
    pair = next(them for them in lanes.values() if len(them) >= 2)
    other = next(them for them in lanes.values() if them is not pair)
    return pair[0], pair[1], other[0]


@pytest.mark.parametrize(("allowed", "workers", "there"), [(1, 4, 1), (3, 2, 2), (3, 7, 3)])
def test_there_are_as_many_lanes_as_allowed_and_as_have_a_worker(start_processor, allowed, workers, there):
    processor = start_processor("slow.py", web(numWorkers=workers), platform=threads(allowed))
    assert lanes(processor) == [f"lane {number}" for number in range(1, there)]
    assert len(processor.workers()) == workers
    assert processor.metric("nuclio_processor_workers", trigger_id="web") == workers
    assert processor.metric("nuclio_processor_workers_idle", trigger_id="web") == workers
    indices = {
        dict(labels)["worker_index"]
        for name, labels in processor.metrics()
        if name == "nuclio_processor_handled_events_duration_milliseconds_count"
    }
    assert indices == {str(index) for index in range(workers)}


def test_an_event_finds_the_idle_worker_wherever_that_is(start_over):
    processor = start_over("slow.py", web(numWorkers=2), platform=threads(2))
    with connections(processor, 4) as kept, concurrent.futures.ThreadPoolExecutor(1) as pool:
        one, three, _ = two_of_a_lane(kept)
        busy = pool.submit(ask, one, b"sleep 1")
        running.wait_for(
            lambda: processor.metric("nuclio_processor_events_in_flight", trigger_id="web") == 1, "the first call"
        )
        began = time.monotonic()
        answers = {ask(three) for _ in range(20)}
        assert time.monotonic() - began < 0.9
        assert not busy.done()
        assert {status for status, _ in answers} == {200}
        assert len(answers) == 1
        status, pid = busy.result()
        assert status == 200
        assert (200, pid) not in answers


def test_an_event_that_waits_goes_to_whichever_lane_is_free_first(start_over):
    processor = start_over("slow.py", web(numWorkers=2), platform=threads(2))
    with connections(processor, 4) as kept, concurrent.futures.ThreadPoolExecutor(3) as pool:
        one, three, two = two_of_a_lane(kept)
        long = pool.submit(ask, one, b"sleep 2")
        short = pool.submit(ask, two, b"sleep 0.5")
        running.wait_for(
            lambda: processor.metric("nuclio_processor_events_in_flight", trigger_id="web") == 2, "both calls"
        )
        third = pool.submit(ask, three)
        assert third.result()[1] == short.result()[1]
        assert not long.done()


def test_large_bodies_and_streams_cross_threads(start_over, tmp_path):
    code = tmp_path / "cross.py"
    code.write_text(
        "import time\n"
        "def handler(context, event):\n"
        "    if event.path == '/sleep':\n"
        "        time.sleep(2)\n"
        "    if event.path == '/worker':\n"
        "        return str(context.worker_id)\n"
        "    if event.path == '/pieces':\n"
        "        return (b'%d;' % number + b'x' * 10_000 for number in range(200))\n"
        "    if event.path == '/broken':\n"
        "        raise ValueError('as asked')\n"
        "    return event.body\n"
    )
    processor = start_over(code, web(numWorkers=2), platform=threads(2))
    body = os.urandom(1 << 20)
    with connections(processor, 4) as kept, concurrent.futures.ThreadPoolExecutor(1) as pool:
        one, three, _ = two_of_a_lane(kept, path="/worker")
        one.request("POST", "/sleep", b"")
        waiting = pool.submit(lambda: one.getresponse().read())
        running.wait_for(
            lambda: processor.metric("nuclio_processor_events_in_flight", trigger_id="web") == 1, "the first call"
        )
        for size in (0, 10, 20_000, 1 << 20):
            assert ask(three, body[:size]) == (200, body[:size])
        three.request("POST", "/pieces", b"")
        got = three.getresponse().read()
        assert got == b"".join(b"%d;" % number + b"x" * 10_000 for number in range(200))
        three.request("POST", "/broken", b"")
        response = three.getresponse()
        assert (response.status, b"as asked" in response.read()) == (500, True)
        assert not waiting.done()


def test_what_it_counts_is_the_sum_of_all_threads(start_over):
    processor = start_over("slow.py", web(numWorkers=4), platform=threads(4))
    report = load(processor.address, "--requests", 4000, "--connections", 16)
    assert not unexpected(report)
    assert processor.metric("nuclio_processor_handled_events_total", result="success") == 4000
    assert processor.metric("nuclio_processor_http_responses_total", code="200") == 4000
    assert processor.metric("nuclio_processor_worker_allocation_count") == 4000
    per_worker = [
        value
        for (name, _), value in processor.metrics().items()
        if name == "nuclio_processor_handled_events_duration_milliseconds_count"
    ]
    assert len(per_worker) == 4
    assert sum(per_worker) == 4000
    assert min(per_worker) > 100, "the connections are shared out"
    statistics = running.request(processor.addresses["webAdmin"], path="/triggers/web/stats").json
    assert statistics["handledEvents"]["success"] == 4000
    assert statistics["workers"]["count"] == 4


def test_the_limit_of_connections_is_that_of_all_threads(start_processor):
    processor = start_processor("slow.py", web(numWorkers=3), platform=threads(3, maxConnections=5))
    with connections(processor, 5) as kept:
        assert [ask(one)[0] for one in kept] == [200] * 5
        with connections(processor, 1) as (refused,):
            assert ask(refused)[0] == 503


def test_cron_fires_once(start_processor):
    spec = {
        "triggers": {
            "web": {"kind": "http", "numWorkers": 3},
            "tick": {"kind": "cron", "attributes": {"interval": "200ms"}},
        }
    }
    processor = start_processor("slow.py", spec, platform=threads(3))
    began = time.monotonic()

    def ticks():
        return processor.metric("nuclio_processor_handled_events_total", trigger_id="tick")

    running.wait_for(lambda: ticks() >= 5, "5 ticks")
    count = ticks()
    assert count <= (time.monotonic() - began) / 0.2 + 2


def test_killed_workers_cost_their_own_calls(start_over, tmp_path):
    book = witness.Book(tmp_path / "book")
    processor = start_over("witness.py", web(numWorkers=4), platform=threads(2), environment=book.environment)
    dead = []
    with witness.Callers(processor, 4) as callers:
        for _ in range(20):
            victim = running.wait_for(book.busy, "a busy worker")[0]
            os.kill(victim, signal.SIGKILL)
            dead.append(victim)
            running.wait_for(lambda: len(book.read().started) >= 4 + len(dead), "a replacement", 60)
    account = witness.settle(book, callers.answers, dead)
    print(f"{len(dead)} workers killed: {account}")
    assert account.in_the_midst >= 10
    assert account.lost <= len(dead)


def test_a_function_that_hangs_is_answered_408_on_any_thread(start_over):
    spec = {"eventTimeout": "500ms", **web(numWorkers=2)}
    processor = start_over("slow.py", spec, platform=threads(2))
    with connections(processor, 3) as (one, two, three), concurrent.futures.ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(ask, connection, b"hang") for connection in (one, three)]
        assert [call.result()[0] for call in asked] == [408, 408]
        # An event waits for a worker no longer than its timeout, in which a busy machine may start none.
        running.wait_for(lambda: processor.metric("nuclio_processor_workers_idle") == 2, "the workers' return")
        assert ask(two)[0] == 200


@pytest.mark.timeout(120)
@pytest.mark.parametrize("time_of_many", range(5))
def test_an_end_under_load_loses_nothing(start_processor, time_of_many):
    processor = start_processor("slow.py", web(numWorkers=4), platform=threads(4))
    options = ["--rate", 1000, "--connections", 16, "--reconnect", "--seconds", 20]
    with Load(processor.address, *options) as running_load:
        running.wait_for(
            lambda: processor.metric("nuclio_processor_handled_events_total", result="success") > 300, "some calls"
        )
        code, took = processor.terminate()
        report = running_load.stop()
    assert code == 0, processor.log[-2000:]
    assert took < 3
    # Once nobody listens any more, connections are refused; nothing that was accepted is lost.
    ends = {kind for kind, count in report["errors"].items() if count}
    assert ends <= {"refused"}, report
    assert set(report["statuses"]) == {"200"}


def test_what_keeps_it_from_starting_is_told_and_ends_it(start_processor, tmp_path):
    code = tmp_path / "broken.py"
    code.write_text("import nowhere\n")
    with pytest.raises(running.StartFailed, match=r"No module named 'nowhere'.*exit code 1"):
        start_processor(code, web(numWorkers=4), platform=threads(4))


CPP = r"""
#include <nuclio/nuclio.h>

#include <chrono>
#include <string>
#include <thread>
#include <unistd.h>

nuclio::Response handler(nuclio::Context&, const nuclio::Event& event) {
  if (event.path() == "/sleep") std::this_thread::sleep_for(std::chrono::milliseconds{600});
  if (event.path() == "/thread") return nuclio::Response(::gettid() == ::getpid() ? "first" : "other");
  if (event.path() == "/hang") std::this_thread::sleep_for(std::chrono::hours{1});
  if (event.path() == "/stream")
    return nuclio::Response::stream([](nuclio::Writer& writer) {
      for (int i = 0; i < 100; ++i) writer.write(std::to_string(i) + ";");
    });
  return nuclio::Response("hello");
}
NUCLIO_HANDLER(handler)
"""


@pytest.fixture(scope="module")
def native(tmp_path_factory):
    """The code of a C++ function, prepared."""
    folder = tmp_path_factory.mktemp("native")
    (folder / "code").mkdir()
    (folder / "code/hello.cc").write_text(CPP)
    prepare = running.BIN.parent / "share/nuclio/runtimes/cpp/prepare"
    done = subprocess.run(
        [prepare, "--code", folder / "code", "--out", folder / "code/.nuclio", "--cache", folder / "cache"],
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "code"


def test_cpp_handlers_run_side_by_side(start_processor, native):
    spec = {"runtime": "cpp", "handler": "hello:handler", **web(numWorkers=2)}
    processor = start_processor(native, spec, platform=threads(2))
    with connections(processor, 2) as kept, concurrent.futures.ThreadPoolExecutor(2) as pool:

        def slow(connection):
            connection.request("GET", "/sleep")
            return connection.getresponse().read()

        began = time.monotonic()
        assert list(pool.map(slow, kept)) == [b"hello"] * 2
        assert time.monotonic() - began < 1.1
        for one in kept:
            one.request("GET", "/stream")
            assert one.getresponse().read() == "".join(f"{i};" for i in range(100)).encode()
    # While a lane is held up, the others work, and what is asked of it is told as it was.
    with connections(processor, 4) as kept:
        busy = threading.Thread(target=slow, args=[kept[1]])
        busy.start()
        assert ask(kept[0])[0] == 200
        assert processor.metric("nuclio_processor_workers", trigger_id="web") == 2
        assert processor.health("/ready").status == 200
        busy.join()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_thread_that_does_not_come_back_does_not_keep_the_processor(start_processor, native):
    spec = {"runtime": "cpp", "handler": "hello:handler", **web(numWorkers=2)}
    processor = start_processor(native, spec, platform=threads(2))

    def is_held_up():
        """It waits for the report of each lane, but not for long."""
        began = time.monotonic()
        processor.metrics()
        return time.monotonic() - began > 0.4

    with connections(processor, 2) as kept:
        (other,) = [one for one in kept if ask(one, path="/thread")[1] == b"other"]
        other.request("GET", "/hang")
        running.wait_for(is_held_up, "the call")
        code, took = processor.terminate(60)
    assert (code, "a thread does not end" in processor.log) == (0, True)
    assert took < 40

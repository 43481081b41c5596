# SPDX-License-Identifier: Apache-2.0
"""Workers that are busy, die or hang: whom it costs what."""

import concurrent.futures
import os
import re
import signal
import threading
import time

import pytest
import running


def web(**settings):
    return {"triggers": {"web": {"kind": "http", **settings}}}


def together(processor, bodies):
    with concurrent.futures.ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(lambda body: processor.request("POST", body=body, timeout=60), bodies))


def test_with_no_time_to_wait_a_busy_worker_means_503_at_once(start_processor):
    processor = start_processor("slow.py", web(numWorkers=1, workerAvailabilityTimeoutMilliseconds=0))
    answers = together(processor, [b"sleep 0.4"] * 5)
    assert sorted(answer.status for answer in answers) == [200, 503, 503, 503, 503]
    refused = next(answer for answer in answers if answer.status == 503)
    assert refused.body == b""
    assert int(refused.headers["Retry-After"]) >= 1


def test_with_time_to_wait_five_calls_share_one_worker(start_processor):
    processor = start_processor("slow.py", web(numWorkers=1, workerAvailabilityTimeoutMilliseconds=10_000))
    began = time.monotonic()
    answers = together(processor, [b"sleep 0.1"] * 5)
    assert [answer.status for answer in answers] == [200] * 5
    assert len({answer.body for answer in answers}) == 1
    assert time.monotonic() - began >= 0.5


def test_a_call_that_waits_too_long_is_refused(start_processor):
    processor = start_processor("slow.py", web(numWorkers=1, workerAvailabilityTimeoutMilliseconds=100))
    answers = together(processor, [b"sleep 1", b"sleep 1"])
    assert sorted(answer.status for answer in answers) == [200, 503]


def test_the_queue_is_bounded(start_processor):
    processor = start_processor("slow.py", web(numWorkers=1), platform={"processor": {"queueLimit": 2}})
    answers = together(processor, [b"sleep 0.3"] * 6)
    assert sorted(answer.status for answer in answers) == [200, 200, 200, 503, 503, 503]


def test_workers_run_side_by_side(start_processor):
    processor = start_processor("slow.py", web(numWorkers=3))
    began = time.monotonic()
    answers = together(processor, [b"sleep 0.5"] * 3)
    assert time.monotonic() - began < 1.4
    assert len({answer.body for answer in answers}) == 3


def test_triggers_with_the_same_allocator_name_share_their_workers(start_processor):
    spec = {
        "triggers": {
            "web": {"kind": "http", "numWorkers": 2, "workerAllocatorName": "shared"},
            "tick": {
                "kind": "cron",
                "numWorkers": 2,
                "workerAllocatorName": "shared",
                "attributes": {"interval": "1h"},
            },
        }
    }
    processor = start_processor("slow.py", spec)
    assert len(processor.workers()) == 2


ENDS = [
    ("exit 3", r"exited with code 3"),
    ("exit 0", r"exited with code 0"),
    ("sys-exit", r"exited with code 3"),
    ("kill", r"killed by signal 9"),
    ("abort", r"killed by signal 6"),
]


@pytest.mark.parametrize("body, ended", ENDS, ids=[end[0] for end in ENDS])
def test_a_worker_that_ends_costs_its_own_call_and_nothing_else(start_processor, body, ended):
    processor = start_processor("slow.py", web(numWorkers=2))
    stop = threading.Event()
    others = []

    def call_on():
        while not stop.is_set():
            others.append(processor.request("POST", body=b"sleep 0.002").status)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(call_on) for _ in range(4)]
        try:
            costs = [processor.request("POST", body=body.encode(), timeout=60) for _ in range(5)]
        finally:
            stop.set()
        for client in clients:
            client.result(60)
    assert [answer.status for answer in costs] == [502] * 5
    assert set(others) == {200}, f"{len(others)} calls of others"
    assert re.search(ended, costs[0].text) or re.search(ended, processor.log)
    assert processor.process.poll() is None
    running.wait_for(lambda: processor.health("/ready").status == 200, "readiness after the replacement")
    assert len(processor.workers()) == 2


def test_an_idle_worker_that_is_killed_is_replaced_before_anybody_meets_it(start_processor):
    processor = start_processor("slow.py", web(numWorkers=1))
    (old,) = processor.workers()
    os.kill(old, signal.SIGKILL)
    running.wait_for(lambda: processor.workers() not in ([], [old]), "a new worker")
    answer = processor.request("POST", body=b"hello")
    assert answer.status == 200
    assert answer.body != str(old).encode()


def test_a_handler_that_hangs_is_cut_at_the_event_timeout(start_processor):
    processor = start_processor("slow.py", {"eventTimeout": "500ms", **web(numWorkers=2)})
    fine = []

    def call_on(stop):
        while not stop.is_set():
            fine.append(processor.request("POST", body=b"sleep 0.002").status)

    stop = threading.Event()
    client = threading.Thread(target=call_on, args=(stop,))
    client.start()
    began = time.monotonic()
    try:
        answer = processor.request("POST", body=b"hang")
    finally:
        took = time.monotonic() - began
        stop.set()
        client.join()
    assert answer.status == 408
    assert answer.json == {"error": "handler timed out"}
    assert 0.5 <= took < 1.5
    assert set(fine) == {200}
    running.wait_for(lambda: len(processor.workers()) == 2, "the replacement")
    assert processor.request("POST", body=b"hello").status == 200


def test_a_call_within_the_event_timeout_is_not_cut(start_processor):
    processor = start_processor("slow.py", {"eventTimeout": "5s", **web()})
    assert processor.request("POST", body=b"sleep 0.3").status == 200


def kibibytes(pid, name):
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith(f"{name}:"))


def test_memory_that_workers_share_is_told_once(start_processor):
    processor = start_processor("slow.py", web(numWorkers=8))
    told = processor.metric("nuclio_processor_memory_bytes") / 1024
    pids = [processor.process.pid, *running.children(processor.process.pid)]
    assert len(pids) == 10
    assert told == pytest.approx(sum(kibibytes(pid, "Pss") for pid in pids), rel=0.15)
    assert told < sum(kibibytes(pid, "Rss") for pid in pids) / 2

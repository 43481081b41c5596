# SPDX-License-Identifier: Apache-2.0
"""Workers that die under load: who pays is known call by call, from what the workers themselves wrote down."""

import os
import signal

import pytest
import running
import witness

WORKERS = 4
CLIENTS = 4


@pytest.fixture
def book(tmp_path):
    return witness.Book(tmp_path / "book")


@pytest.fixture
def start_witness(start_over, book):
    started = []

    def start(workers):
        spec = {"triggers": {"web": {"kind": "http", "numWorkers": workers}}}
        started.append(start_over("witness.py", spec, environment=book.environment))
        return started[-1]

    yield start
    for processor in started:
        assert processor.process.poll() is None
        processor.stop()


@pytest.fixture
def processor(start_witness):
    return start_witness(WORKERS)


def wait_for_start(book, number):
    running.wait_for(lambda: len(book.read().started) >= number, f"the start of worker number {number}", 60)


def kill_busy_workers(processor, book, workers, kills):
    """Kills one after the other, each once the one before is replaced; their pids."""
    dead = []
    for _ in range(kills):
        victim = running.wait_for(book.busy, "a busy worker")[0]
        os.kill(victim, signal.SIGKILL)
        dead.append(victim)
        wait_for_start(book, workers + len(dead))
    assert len(set(dead)) == kills == len(book.started) - workers
    return dead


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kills", [10, pytest.param(200, marks=pytest.mark.slow)])
def test_a_killed_worker_costs_exactly_the_calls_that_it_had(processor, book, kills):
    with witness.Callers(processor, CLIENTS) as callers:
        dead = kill_busy_workers(processor, book, WORKERS, kills)
    account = witness.settle(book, callers.answers, dead)
    print(f"{kills} workers killed: {account}")
    assert account.answered > kills
    assert account.in_the_midst >= kills / 2, "kills that hit nobody prove nothing"
    # Handed over and not begun: only what the worker had taken and not come to. One is all that it takes.
    assert account.lost <= kills


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_killed_worker_of_a_crowded_function_costs_no_call_that_could_be_taken_back(start_witness, transport, book):
    """With more clients than workers and short calls a worker has its next call before it is through with one."""
    workers, kills = 2, 100
    processor = start_witness(workers)
    with witness.Callers(processor, 8, "sleep 0.0005") as callers:
        dead = kill_busy_workers(processor, book, workers, kills)
    account = witness.settle(book, callers.answers, dead)
    print(f"{kills} workers killed: {account}")
    assert account.in_the_midst + account.at_the_end <= kills
    # What was on its way over a socket may have been begun for all that anybody knows; in a ring the worker says so.
    assert account.handed_over <= (kills / 10 if transport == "ring" else kills)


@pytest.mark.timeout(300)
def test_a_warm_parent_that_dies_costs_no_call_and_is_replaced(processor, book):
    """It forks the workers, so that a worker that dies after it needs another one."""
    kills, parents, dead = 10, [], []
    with witness.Callers(processor, CLIENTS) as callers:
        for number in range(kills):
            others = set(running.children(processor.process.pid)) - set(book.read().started)
            assert len(others) == 1, "one process forks the others"
            parents += others
            os.kill(parents[-1], signal.SIGKILL)
            dead.append(running.wait_for(book.busy, "a busy worker")[0])
            os.kill(dead[-1], signal.SIGKILL)
            wait_for_start(book, WORKERS + number + 1)
    account = witness.settle(book, callers.answers, dead)
    print(f"{kills} times the warm parent and a worker killed: {account}")
    assert len(set(parents)) == kills
    assert account.answered > kills and 0 < account.lost <= kills


# What ends the process, and how the log and the answer call that.
ENDS = {
    "exit 3": "exited with code 3",
    "crash": "killed by signal 11",
    "fill-memory 64": "killed by signal 11",
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("what", "deaths"), [("crash", 5), *(pytest.param(what, 50, marks=pytest.mark.slow) for what in ENDS)]
)
def test_a_call_that_ends_its_worker_is_the_only_one_that_fails(processor, book, what, deaths):
    doomed = {}
    with witness.Callers(processor, CLIENTS) as callers:
        for number in range(deaths):
            answer = processor.request("POST", body=f"doomed.{number} {what}", timeout=60)
            doomed[f"doomed.{number}"] = answer.status, answer.text
            wait_for_start(book, WORKERS + number + 1)
    dead = [book.read().began[call][0] for call in doomed]
    account = witness.settle(book, {**callers.answers, **doomed}, dead)
    print(f"{deaths} times {what}: {account}")
    assert {status for status, _ in doomed.values()} == {502}
    assert {status for status, _ in callers.answers.values()} == {200}
    assert account.in_the_midst == account.lost == deaths == len(set(dead))
    assert account.answered > deaths
    assert processor.log.count(ENDS[what]) >= deaths


def test_a_handler_that_gets_no_memory_has_failed_and_its_worker_lives_on(processor, book):
    before = sorted(processor.workers())
    with witness.Callers(processor, CLIENTS) as callers:
        answers = [processor.request("POST", body=f"greedy.{i} want-memory 64", timeout=60) for i in range(20)]
    assert [answer.status for answer in answers] == [500] * 20
    assert all("MemoryError" in answer.text for answer in answers)
    assert {status for status, _ in callers.answers.values()} == {200}
    assert sorted(processor.workers()) == before
    assert len(book.read().started) == WORKERS
    print(f"20 calls without memory failed; {len(callers.answers)} beside them did not")


LIMIT = 400 << 20


@pytest.mark.parametrize(("what", "status"), [("want-memory", 500), ("fill-memory", 502)])
def test_the_platform_limits_the_memory_of_each_worker(start_over, book, what, status):
    spec = {"triggers": {"web": {"kind": "http", "numWorkers": WORKERS}}}
    platform = {"processor": {"workerMemoryLimit": LIMIT}}
    processor = start_over("witness.py", spec, platform, environment=book.environment)
    doomed = {}
    with witness.Callers(processor, CLIENTS) as callers:
        for number in range(5):
            answer = processor.request("POST", body=f"doomed.{number} {what}", timeout=60)
            doomed[f"doomed.{number}"] = answer.status, answer.text
            if status == 502:
                wait_for_start(book, WORKERS + number + 1)
    assert {status for status, _ in doomed.values()} == {status}
    assert {status for status, _ in callers.answers.values()} == {200}
    deaths = len(doomed) if status == 502 else 0
    assert len(book.read().started) == WORKERS + deaths
    if deaths:
        dead = [book.began[call][0] for call in doomed]
        assert witness.settle(book, {**callers.answers, **doomed}, dead).in_the_midst == deaths

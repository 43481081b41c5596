# SPDX-License-Identifier: Apache-2.0
"""Workers that say what no worker may say, over the socket: each is cut off by name and replaced, others do not notice.

What they do stands in runtimes/hostile/worker.py.
"""

import re
import socket

import pytest
import running
from loading import Load, unexpected
from mean_clients import MIB, descriptors, memory, read_all, reset_peak

RUNTIMES = running.SOURCE / "test" / "integration" / "runtimes"
WORKERS = 3
REFUSED = r"was killed because "
LATE = r"was killed because it did not answer in time"
# What the caller gets, and what the log says of the worker.
ENDS = {
    "random bytes": (502, REFUSED),
    "random frames": (502, REFUSED),
    "a length of 0": (502, REFUSED),
    "an odd length": (502, REFUSED),
    "a length of 4 GiB": (502, REFUSED),
    "an unknown type": (502, REFUSED),
    "an event": (502, REFUSED),
    "another version": (502, REFUSED),
    "unknown flags": (502, REFUSED),
    "a body elsewhere": (502, REFUSED),
    "a body of 2^63 bytes": (502, REFUSED),
    "too many strings": (502, REFUSED),
    "too many headers": (502, REFUSED),
    "a string behind the end": (502, REFUSED),
    "a string before the beginning": (502, REFUSED),
    "an unfinished frame": (408, LATE),
    "a reply to no call": (502, REFUSED),
    "a reply to call 0": (502, REFUSED),
    "replies without end": (502, REFUSED),
    "a reply twice": (200, REFUSED),
    "a chunk of no answer": (502, REFUSED),
    "a batch of replies": (502, REFUSED),
    "a second start": (502, REFUSED),
    "a closed socket": (502, r"closed its socket"),
    "closed descriptors": (502, r"closed its socket"),
    "a child that stays": (502, r"exited with code 7"),
    "much to stdout": (408, LATE),
    "much to stderr": (408, LATE),
    "logs without end": (408, LATE),
    "chunks without end": (200, LATE),
    "a stopped process": (408, LATE),
}


@pytest.fixture(scope="module")
def processor(start_processor, tmp_path_factory):
    code = tmp_path_factory.mktemp("code") / "any.hostile"
    code.write_text("")
    web = {"kind": "http", "numWorkers": WORKERS}
    spec = {"runtime": "hostile", "eventTimeout": "1500ms", "triggers": {"web": web}}
    # Longer than the second that a processor grants between the end of a socket and that of its process.
    return start_processor(code, spec, runtimes=RUNTIMES)


def call(processor, body):
    """The status of a call whose answer may never end properly."""
    host, port = processor.address.rsplit(":", 1)
    request = f"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(request)
        status = int(connection.recv(65536).split(b" ", 2)[1])
        while len(read_all(connection)):
            pass
        return status


def wait_for_others(processor, least=20):
    """Waits until so many calls more have been answered."""

    def count():
        return processor.metric("nuclio_processor_handled_events_total", result="success")

    enough = count() + least
    running.wait_for(lambda: count() >= enough, "the calls of others")


def replaced(processor, before):
    def all_are_new_or_old():
        now = processor.workers()
        return len(now) == WORKERS and len(set(now) - set(before)) == 1

    running.wait_for(all_are_new_or_old, "one worker's replacement")


def test_each_thing_that_the_worker_can_do_is_tried():
    source = (RUNTIMES / "hostile" / "worker.py").read_text()
    assert set(re.findall(r'^    "(.*?)":', source, re.MULTILINE)) == set(ENDS)


# Those that only their time cuts take that time; one of them is enough for every day.
@pytest.mark.parametrize(
    "what",
    [
        pytest.param(what, marks=pytest.mark.slow) if said == LATE and what != "an unfinished frame" else what
        for what, (_, said) in ENDS.items()
    ],
)
def test_a_hostile_worker_is_cut_off_and_the_others_do_not_notice(processor, what):
    status, said = ENDS[what]
    before = processor.workers()
    log_before = len(processor.log)
    others = ("--method", "POST", "--body", "well", "--rate", 200, "--connections", 2, "--seconds", 60)
    with Load(processor.address, *others) as load:
        wait_for_others(processor)
        assert call(processor, what) == status
        replaced(processor, before)
        wait_for_others(processor)
        report = load.stop()
    log = processor.log[log_before:]
    lines = [line for line in log.splitlines() if re.search(r"worker \d+ (was|closed|exited|killed)", line)]
    latency = report["latency_us"]["all"]
    print(f"{what}: {status}, {lines}; {report['answered']} calls beside it, p99 {latency['p99'] / 1000:.1f} ms")
    assert re.search(said, "\n".join(lines))
    assert not unexpected(report)
    assert report["answered"] >= 40
    assert processor.process.poll() is None


@pytest.mark.slow
@pytest.mark.memory
@pytest.mark.timeout(300)
def test_hostile_workers_cost_no_memory_and_no_descriptors(processor):
    def do_all():
        for what, (status, _) in ENDS.items():
            before = processor.workers()
            assert call(processor, what) == status
            replaced(processor, before)

    do_all()
    do_all()
    reset_peak(processor)
    resident, opened = memory(processor, "VmRSS"), descriptors(processor)
    rounds = 4
    for _ in range(rounds):
        do_all()
    grown, peak = memory(processor, "VmRSS") - resident, memory(processor, "VmHWM") - resident
    print(
        f"{rounds * len(ENDS)} hostile workers: {resident / MIB:.1f} MiB and {opened} descriptors before, "
        f"{grown / MIB:+.2f} MiB and {descriptors(processor) - opened:+d} after, at most {peak / MIB:+.1f} MiB"
    )
    assert grown <= MIB
    assert peak <= 8 * MIB, "more than what is on its way of a stream and of log lines"
    running.wait_for(lambda: descriptors(processor) <= opened, f"the return to {opened} descriptors")

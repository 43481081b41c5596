# SPDX-License-Identifier: Apache-2.0
"""Has a worker of a function do what none may do, and looks at its end, at the calls beside it and at the processor."""

import re
import socket

import running
from loading import Load, unexpected
from mean_clients import MIB, descriptors, memory, read_all, reset_peak

# What the log says of a worker that was cut off.
REFUSED = r"was killed because "
LATE = r"was killed because it did not answer in time"


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
        return len(now) == len(before) and len(set(now) - set(before)) == 1

    running.wait_for(all_are_new_or_old, "one worker's replacement")


def check_that_others_do_not_notice(processor, what, status, said):
    """`what` is an event's body, `status` what its caller gets, `said` what the log says of the worker."""
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
    lines = re.findall(r" processor (worker \d+ (?:was|closed|exited|killed).*?) \{", log)
    latency = report["latency_us"]["all"]
    print(f"{what}: {status}, {lines}; {report['answered']} calls beside it, p99 {latency['p99'] / 1000:.1f} ms")
    assert re.search(said, "\n".join(lines))
    assert not unexpected(report)
    assert report["answered"] >= 40
    assert processor.process.poll() is None


def do_all_again_and_again(processor, ends):
    """Checks that it costs no memory and no descriptors. `ends` has status and log by what the worker does."""

    def do_all():
        for what, (status, _) in ends.items():
            before = processor.workers()
            answered = call(processor, what)
            assert answered == status, f"{what}: {answered}, and not {status}:\n{processor.log[-2000:]}"
            replaced(processor, before)

    do_all()
    reset_peak(processor)
    resident, opened = memory(processor, "VmRSS"), descriptors(processor)
    rounds = 3
    for _ in range(rounds):
        do_all()
    grown, peak = memory(processor, "VmRSS") - resident, memory(processor, "VmHWM") - resident
    print(
        f"{rounds * len(ends)} hostile workers: {resident / MIB:.1f} MiB and {opened} descriptors before, "
        f"{grown / MIB:+.2f} MiB and {descriptors(processor) - opened:+d} after, at most {peak / MIB:+.1f} MiB"
    )
    assert grown <= MIB
    assert peak <= 8 * MIB, "more than what is on its way of a stream and of log lines"
    running.wait_for(lambda: descriptors(processor) <= opened, f"the return to {opened} descriptors")

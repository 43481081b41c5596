# SPDX-License-Identifier: Apache-2.0
"""Ten times as many requests as the workers can take: those go on at their pace, and the others hear no at once."""

import contextlib
import json
import re
import statistics

import pytest
import running
import witness
from loading import Load, load, unexpected

WORKERS = 4
PEAK_SECONDS = 5
OVERLOAD_SECONDS = 20
AFTER_SECONDS = 4
ROUNDS = 3
LEAST_GOODPUT = 0.9
SLOWEST_REJECT = 5000  # µs, p99
LONGEST_RECOVERY = 2  # seconds
# A call takes its worker 5 ms and the CPU next to nothing: what is measured is who gets a worker, not who gets a core.
# A call that nobody refuses at once may wait for workerAvailabilityTimeoutMilliseconds, 10 s, and be refused then.
CALL = ("--method", "POST", "--body", "- sleep 0.005", "--timeout", 30)


def goodput(report, seconds):
    """Answers that were no refusal, a second, over the whole seconds of a run."""
    return statistics.mean(report["series"]["ok"][:seconds])


def retry_after(processor, least):
    """The Retry-After of so many refusals, while there are any."""
    said = []

    def refused():
        # Who is let in may wait for long.
        with contextlib.suppress(TimeoutError):
            answer = processor.request("POST", body="- sleep 0.005", timeout=0.5)
            if answer.status == 503:
                said.append(answer.headers["Retry-After"])
        return len(said) >= least

    running.wait_for(refused, f"refusal number {least}", OVERLOAD_SECONDS / 2)
    return said


def overload(processor):
    """A round: the peak, ten times that, and what comes after. Goodput in peaks, and p99 of the refusals in µs."""
    address = processor.address
    before = load(address, *CALL, "--connections", 2 * WORKERS, "--seconds", PEAK_SECONDS)
    assert not unexpected(before)
    peak = goodput(before, PEAK_SECONDS)

    # More connections than there is room for requests, so that it is not the load generator that is short.
    many = ("--rate", round(10 * peak), "--connections", 1000, "--seconds", OVERLOAD_SECONDS)
    with Load(address, *CALL, *many) as overload:
        hints = retry_after(processor, 20)
        during = overload.report()
    half = ("--rate", round(peak / 2), "--connections", 64)
    recovery = load(address, *CALL, *half, "--seconds", LONGEST_RECOVERY)
    after = load(address, *CALL, *half, "--seconds", AFTER_SECONDS)

    good = goodput(during, OVERLOAD_SECONDS)
    rejects = during["latency_us"]["503"]
    print(
        f"peak {peak:.0f}/s; {during['sent'] / OVERLOAD_SECONDS:.0f}/s for {OVERLOAD_SECONDS} s: {good:.0f}/s "
        f"answered, {good / peak:.1%} of the peak, least in a second {min(during['series']['ok'][:OVERLOAD_SECONDS])}; "
        f"{rejects['count']} refused after p50 {rejects['p50'] / 1000:.2f} ms, p99 {rejects['p99'] / 1000:.2f} ms, "
        f"max {rejects['max'] / 1000:.1f} ms; {json.dumps(during['statuses'])}, never sent {during['unsent']}; "
        f"those answered waited p99 {during['latency_us']['200']['p99'] / 1000:.1f} ms"
    )
    print(
        f"then half the peak: for {LONGEST_RECOVERY} s {json.dumps(recovery['statuses'])}, after that "
        f"{json.dumps(after['statuses'])}, p99 {after['latency_us']['all']['p99'] / 1000:.1f} ms"
    )
    assert set(during["statuses"]) == {"200", "503"}
    assert not any(during["errors"].values()), during["errors"]
    assert during["sent"] >= 9 * peak * OVERLOAD_SECONDS, "it was no overload"
    assert all(re.fullmatch(r"[1-9]\d*", hint) for hint in hints), hints
    assert set(recovery["statuses"]) <= {"200", "503"} and not any(recovery["errors"].values())
    assert not unexpected(after)
    assert goodput(after, AFTER_SECONDS) >= 0.45 * peak
    return good / peak, rejects["p99"]


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(300)
def test_ten_times_too_many_requests_leave_the_goodput_and_are_refused_at_once(start_over, tmp_path):
    book = witness.Book(tmp_path / "book")
    web = {"kind": "http", "numWorkers": WORKERS}
    processor = start_over("witness.py", {"triggers": {"web": web}}, environment=book.environment)
    load(processor.address, *CALL, "--connections", 2 * WORKERS, "--seconds", 1)  # warms up
    # The best of a few rounds, since whatever else the machine does only ever makes one worse: a pause of the load
    # generator's own counts as the processor's.
    for _ in range(ROUNDS):
        good, reject = overload(processor)
        if good >= LEAST_GOODPUT and reject <= SLOWEST_REJECT:
            break
    assert good >= LEAST_GOODPUT
    assert reject <= SLOWEST_REJECT

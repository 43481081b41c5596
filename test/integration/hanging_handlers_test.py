# SPDX-License-Identifier: Apache-2.0
"""Handlers that never return, several at once: their clients are told in time, and nobody else notices."""

import concurrent.futures
import socket
import time

import pytest
import running
import witness
from loading import Load, unexpected

TIMEOUT = 1.0
LATEST = 1.03
WORKERS = 8


def time_to_answer(address, body):
    """Seconds from sending to the first byte of the answer, and the answer's status line."""
    host, port = address.rsplit(":", 1)
    request = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        began = time.monotonic()
        connection.sendall(request)
        answer = connection.recv(4096)
        return time.monotonic() - began, answer.partition(b"\r\n")[0].decode()


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("what", "at_once", "rounds"), [("hang", 5, 10), ("spin", 1, 10)])
def test_a_call_that_hangs_is_answered_408_on_time_and_costs_nobody_else_anything(
    start_over, tmp_path, what, at_once, rounds
):
    book = witness.Book(tmp_path / "book")
    spec = {"eventTimeout": f"{TIMEOUT:.0f}s", "triggers": {"web": {"kind": "http", "numWorkers": WORKERS}}}
    processor = start_over("witness.py", spec, environment=book.environment)
    answers = []
    beside = ("--method", "POST", "--body", "- sleep 0.002", "--rate", 200, "--connections", 3, "--seconds", 300)
    with Load(processor.address, *beside) as innocent, concurrent.futures.ThreadPoolExecutor(at_once) as clients:
        for number in range(1, rounds + 1):
            bodies = [f"h{number}.{i} {what}" for i in range(at_once)]
            answers += clients.map(time_to_answer, [processor.address] * at_once, bodies)
            # With too few workers the innocent would wait for the replacements, and their time be over.
            missing = WORKERS + number * at_once
            running.wait_for(lambda least=missing: count_starts(book) >= least, "the replacements")
        report = innocent.stop()
    times = sorted(took for took, _ in answers)
    print(
        f"{len(answers)} calls that {what}: answered after {times[0]:.4f} to {times[-1]:.4f} s, "
        f"median {times[len(times) // 2]:.4f}; {report['answered']} calls beside them, "
        f"p99 {report['latency_us']['all']['p99'] / 1000:.1f} ms, not 200: {unexpected(report)}"
    )
    assert [status for _, status in answers] == ["HTTP/1.1 408 Request Timeout"] * at_once * rounds
    assert times[0] >= TIMEOUT
    assert times[-1] <= LATEST
    assert not unexpected(report)
    assert report["answered"] >= 100 * rounds


def count_starts(book):
    return book.path.read_text().count("started")

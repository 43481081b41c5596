# SPDX-License-Identifier: Apache-2.0
"""Clients that want much or never read: they are refused or cut, and hold bounded memory."""

import contextlib
import socket
import time

import pytest
import running
from mean_clients import (
    CHUNKED,
    MIB,
    connect,
    cpu_seconds,
    descriptors,
    memory,
    read_all,
    reset_peak,
    send_until_refused,
)

BIG_ANSWER = 16 << 20
CODE = f"""
def handler(context, event):
    return b"x" * {BIG_ANSWER} if event.path == "/big" else str(len(event.body))
"""


@pytest.fixture(scope="module")
def small(start_processor):
    """A processor that loses its patience soon."""
    limits = {"maxHeaderBytes": 4096, "headerTimeoutMilliseconds": 600, "bodyGraceMilliseconds": 500}
    return start_processor("results.py", platform={"processor": {"http": limits}})


@pytest.fixture(scope="module")
def impatient(start_processor, tmp_path_factory):
    """Gives up soon on whoever does not take his answer."""
    code = tmp_path_factory.mktemp("code") / "big.py"
    code.write_text(CODE)
    limits = {"answerGraceMilliseconds": 400, "leastBytesPerSecond": 1 << 20}
    return start_processor(code, platform={"processor": {"http": limits}})


@pytest.mark.memory
def test_clients_that_never_read_are_cut_and_hold_bounded_memory(impatient):
    assert len(impatient.request(path="/big").body) == BIG_ANSWER
    reset_peak(impatient)
    before, descriptors_before = memory(impatient, "VmRSS"), descriptors(impatient)
    # Many requests each: they are worked on one after the other, so only one answer waits.
    requests = b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n" * 50
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(connect(impatient)) for _ in range(4)]
        for connection in silent:
            connection.sendall(requests)
        for connection in silent:
            connection.recv(1)  # it is being answered
        running.wait_for(lambda: descriptors(impatient) <= descriptors_before, "the end of those who do not read", 20)
    grown = memory(impatient, "VmHWM") - before
    print(f"4 clients that never read 200 answers of {BIG_ANSWER >> 20} MiB: at most {grown / MIB:.1f} MiB more")
    assert grown <= 4 * 2 * BIG_ANSWER, "an answer each, and what is taken from the worker of the next"


def test_a_client_that_reads_slowly_but_at_the_least_rate_gets_all(impatient):
    with connect(impatient, receive_buffer=64 << 10) as connection:
        connection.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        began, received = time.monotonic(), 0
        while piece := connection.recv(256 << 10):
            received += len(piece)
            ahead = received / (8 << 20) - (time.monotonic() - began)  # 8 MiB a second
            time.sleep(max(ahead, 0))
    assert received > BIG_ANSWER
    assert time.monotonic() - began > 1.5, "for longer than the grace"


@pytest.mark.memory
def test_a_flood_of_pipelined_requests_is_answered_in_order_and_hurts_nobody(impatient):
    count = 20_000
    post = b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
    flood = b"".join(post % (i % 7, b"x" * (i % 7)) for i in range(2000))
    reset_peak(impatient)
    before = memory(impatient, "VmRSS")
    with connect(impatient) as connection:
        answers = b""
        for _ in range(count // 2000):
            connection.setblocking(False)
            left = memoryview(flood)
            while left:
                with contextlib.suppress(BlockingIOError):
                    left = left[connection.send(left) :]
                with contextlib.suppress(BlockingIOError):
                    answers += connection.recv(MIB)
            connection.setblocking(True)
            assert impatient.request(timeout=10).status == 200, "another client is served meanwhile"
        connection.shutdown(socket.SHUT_WR)
        answers += read_all(connection)
    bodies = [answer.rsplit(b"\r\n\r\n", 1)[1] for answer in answers.split(b"HTTP/1.1 200 OK\r\n")[1:]]
    assert bodies == [b"%d" % (i % 7) for i in range(2000)] * (count // 2000)
    assert memory(impatient, "VmHWM") - before <= 8 * MIB


@pytest.fixture(scope="module")
def large(start_processor):
    """Takes bodies of 64 MiB."""
    return start_processor("results.py", platform={"processor": {"http": {"maxBodyBytes": 64 * MIB}}})


def greedy_body(processor, total, chunk):
    """Sends chunks until the connection is closed; the bytes sent and how much memory it took."""
    reset_peak(processor)
    before = memory(processor, "VmRSS")
    size = chunk + 6 + len(f"{chunk:x}") - 2
    many = (f"{chunk:x}\r\n".encode() + b"x" * chunk + b"\r\n") * (65536 // size + 1)
    with connect(processor) as connection:
        connection.sendall(CHUNKED)
        sent = send_until_refused(connection, (many for _ in range(total // len(many))))
    return sent, memory(processor, "VmHWM") - before


@pytest.mark.memory
@pytest.mark.parametrize("chunk", [1, *(pytest.param(size, marks=pytest.mark.slow) for size in (16, 1000))])
def test_a_gigabyte_in_small_chunks_is_refused_at_the_limit_and_memory_stays_flat(small, chunk):
    sent, grown = greedy_body(small, 1 << 30, chunk)
    print(f"chunks of {chunk}: {sent / MIB:.1f} MiB sent, {grown / MIB:.1f} MiB more memory")
    assert grown <= 4 * MIB + 2 * MIB


def test_a_gigabyte_in_small_chunks_is_answered_413(small):
    reset_peak(small)
    with connect(small) as connection:
        connection.sendall(CHUNKED)
        chunk = b"3e8\r\n" + b"x" * 1000 + b"\r\n"
        connection.settimeout(0.001)
        answer = b""
        for _ in range((1 << 30) // (64 * len(chunk))):
            with contextlib.suppress(TimeoutError):
                connection.sendall(64 * chunk)
                answer = connection.recv(4096)
            if answer:
                break
    assert answer.startswith(b"HTTP/1.1 413 "), answer


@pytest.mark.slow
def test_a_raised_limit_is_what_a_chunked_body_costs_and_not_more(large):
    sent, grown = greedy_body(large, 1 << 30, 1000)
    print(f"{sent / MIB:.1f} MiB sent, {grown / MIB:.1f} MiB more memory")
    assert sent > 64 * MIB
    assert grown <= 64 * MIB + 4 * MIB


def test_chunks_of_a_byte_cost_time_in_proportion(large):
    costs = []
    for count in (200_000, 800_000):
        began = cpu_seconds(large)
        answer = large.raw(
            CHUNKED.replace(b"Host: x", b"Host: x\r\nConnection: close") + b"1\r\nx\r\n" * count + b"0\r\n\r\n"
        )
        assert answer.endswith(b"\r\n\r\n%d" % count), answer[-100:]
        costs.append(cpu_seconds(large) - began)
    print(f"CPU seconds for 200 000 and 800 000 chunks: {costs}")
    assert costs[1] <= 4 * costs[0] + 0.5


@pytest.mark.memory
def test_endless_headers_are_refused_and_cost_nothing(small):
    reset_peak(small)
    before = memory(small, "VmRSS")
    with connect(small) as connection:
        connection.sendall(b"GET /size HTTP/1.1\r\nHost: x\r\n")
        send_until_refused(connection, (b"X-Header: yes\r\n" * 4000 for _ in range(2000)))
    assert memory(small, "VmHWM") - before <= MIB
    for flood in (b"X: " + b"x" * 5000 + b"\r\n", b"X: x\r\n" * 101):
        answer = small.raw(b"GET /size HTTP/1.1\r\nHost: x\r\n" + flood + b"\r\n")
        assert answer.startswith(b"HTTP/1.1 431 ") and b"Connection: close\r\n" in answer


def test_who_is_one_connection_too_many_is_told_so(start_processor):
    most = 20
    processor = start_processor("results.py", platform={"processor": {"maxConnections": most}})
    get = b"GET /size HTTP/1.1\r\nHost: x\r\n\r\n"
    with contextlib.ExitStack() as stack:
        kept = [stack.enter_context(connect(processor)) for _ in range(most)]
        for connection in kept:
            connection.sendall(get)
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
        for _ in range(50):
            with connect(processor) as turned_away:
                answer = read_all(turned_away)
            assert answer.startswith(b"HTTP/1.1 503 ") and b"Retry-After: 1\r\n" in answer
        for connection in kept:
            connection.sendall(get)
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
        kept[0].close()

        def served():
            with connect(processor) as again:
                with contextlib.suppress(OSError):
                    again.sendall(get)
                    return again.recv(4096).startswith(b"HTTP/1.1 200 ")

        running.wait_for(served, "an answer on the connection that became free")

# SPDX-License-Identifier: Apache-2.0
"""Clients that take their time: they are cut as the limits say, and cost the others nothing."""

import contextlib
import json
import pathlib
import socket
import subprocess
import sys
import time

import pytest
import running
from mean_clients import CHUNKED, connect, descriptors, drip, read_all


@pytest.fixture(scope="module")
def small(start_processor):
    """A processor that loses its patience soon."""
    limits = {"maxHeaderBytes": 4096, "headerTimeoutMilliseconds": 600, "bodyGraceMilliseconds": 500}
    return start_processor("results.py", platform={"processor": {"http": limits}})


def test_a_body_of_a_byte_now_and_then_is_cut_after_the_grace(small):
    for head in (
        b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
        b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n",
        CHUNKED + b"ffff\r\n",
    ):
        with connect(small) as connection:
            connection.sendall(head)
            took = drip(connection, b"x", 0.05, 10)
            answer = read_all(connection)
        assert answer.startswith(b"HTTP/1.1 408 "), answer
        assert 0.4 <= took <= 2, f"cut after {took:.2f} s"


def test_a_burst_does_not_buy_a_body_time_to_trickle(small):
    with connect(small) as connection:
        connection.sendall(b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 2_000_000)
        took = drip(connection, b"x", 0.05, 10)
        assert read_all(connection).startswith(b"HTTP/1.1 408 ")
    assert took <= 2, f"cut after {took:.2f} s"


def test_a_body_that_comes_slowly_but_at_the_least_rate_is_taken(small):
    with connect(small) as connection:
        connection.sendall(b"POST /size HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4000\r\n\r\n")
        took = drip(connection, b"x" * 100, 0.05, 10)  # 2 000 bytes a second, for longer than the grace
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"\r\n\r\n4000"), answer
    assert took > 1.5


def test_headers_of_a_byte_now_and_then_are_cut_at_the_timeout(small):
    with connect(small) as connection:
        connection.sendall(b"GET /size HTTP/1.1\r\nX: ")
        took = drip(connection, b"x", 0.02, 10)
        assert read_all(connection).startswith(b"HTTP/1.1 408 ")
    assert 0.5 <= took <= 2, f"cut after {took:.2f} s"


def test_a_client_that_stops_sending_in_the_middle_and_stays_is_cut(small):
    for request, status in (
        (b"GET /size HTTP/1.1\r\nHost: x\r\n", b"408"),
        (b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhel", b"408"),
    ):
        with connect(small) as connection:
            connection.sendall(request)
            assert read_all(connection).startswith(b"HTTP/1.1 " + status)


def test_a_client_that_half_closes_gets_its_answer_and_nothing_stays_open(small):
    before = descriptors(small)
    with connect(small) as connection:
        connection.sendall(b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection).endswith(b"\r\n\r\n3")
    for part in (
        b"",
        b"GET / HT",
        b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhel",
        CHUNKED + b"5\r\nhe",
    ):
        with connect(small) as connection:
            connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
            assert read_all(connection) == b""
    running.wait_for(lambda: descriptors(small) <= before, "the end of the half-closed connections")


def p99_milliseconds(processor, seconds=2):
    get = b"GET /size HTTP/1.1\r\nHost: healthy\r\n\r\n"
    times = []
    with connect(processor) as connection:
        end = time.perf_counter() + seconds
        while (began := time.perf_counter()) < end:
            connection.sendall(get)
            answer = connection.recv(4096)
            times.append(time.perf_counter() - began)
            assert answer.startswith(b"HTTP/1.1 200 ")
    return sorted(times)[len(times) * 99 // 100] * 1000


@contextlib.contextmanager
def crowd(processor, kind, count):
    """Mean clients while the block runs; gives a dictionary that holds afterwards what they did."""
    did = {}
    command = [sys.executable, pathlib.Path(__file__).with_name("crowd.py"), processor.address, kind, str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        yield did
        process.stdin.close()
        did.update(json.loads(process.stdout.readline()))


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind, count", [("headers", 1000), ("bodies", 200)])
def test_many_slow_clients_do_not_slow_down_a_healthy_one(start_processor, kind, count):
    processor = start_processor("results.py")
    p99_milliseconds(processor)  # warms up
    alone, beside = [], []
    for _ in range(3):
        alone.append(p99_milliseconds(processor))
        with crowd(processor, kind, count) as did:
            beside.append(p99_milliseconds(processor))
        print(f"{count} with slow {kind}: p99 {alone[-1]:.3f} ms alone, {beside[-1]:.3f} ms beside them, who did {did}")
        assert did["connections"] >= count and did["pieces"] >= count
    # The best of each, since whatever else the machine does only ever makes a round worse.
    print(f"p99 beside them is {min(beside) / min(alone):.2f} times what it is alone")
    assert min(beside) <= 2 * min(alone)

# SPDX-License-Identifier: Apache-2.0
"""A dashboard with a thousand functions, and clients that would like to keep it from answering others."""

import contextlib
import pathlib
import re
import socket
import statistics
import time

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FUNCTIONS = 1000
LIST_SECONDS = 0.1  # the median of LISTS
LISTS = 15
RESIDENT_MIB = 60
KEPT = {"skip-build": "true", "skip-deploy": "true"}


def kept_function(number):
    source = "ZGVmIGhhbmRsZXIoY29udGV4dCwgZXZlbnQpOgogICAgcmV0dXJuIGV2ZW50LmJvZHkK"
    env = [{"name": f"SETTING_{i}", "value": f"value {i} of {number}"} for i in range(5)]
    triggers = {"web": {"kind": "http", "numWorkers": 2, "attributes": {"port": 0}}}
    return {
        "metadata": {"name": f"kept-{number}", "annotations": KEPT, "labels": {"team": "blue"}},
        "spec": {
            "description": f"number {number}",
            "runtime": "python:3.11",
            "handler": "code:handler",
            "env": env,
            "triggers": triggers,
            "build": {"functionSourceCode": source},
        },
    }


@pytest.fixture(scope="module")
def full(dashboard, tmp_path_factory):
    """A dashboard with a thousand functions that are kept, and one that is stuck."""
    functions = {f"kept-{number}": kept_function(number) for number in range(FUNCTIONS)}
    body = {"project": {"metadata": {"name": "many"}}, "functions": functions}
    report = dashboard.api("POST", "/projects?import=true", body, timeout=120).json
    assert report["functionImportResult"] == {"createdAmount": FUNCTIONS, "failedAmount": 0, "failedFunctions": None}
    code = tmp_path_factory.mktemp("stuck") / "stuck.py"
    code.write_text(
        "import time\ndef handler(context, event):\n"
        "    if event.path == '/talk':\n        for i in range(20000): context.logger.info('x' * 200)\n        return\n"
        "    time.sleep(600)\n"
    )
    dashboard.deploy("stuck", code, "--set", "spec.eventTimeout=6s")  # longer than any test, but the end is not kept
    return dashboard


def resident_mib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def seconds_of(call, times):
    took = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    return took


def list_all(board):
    answer = board.api("GET", "/functions", headers={"X-Nuclio-Project-Name": "many"})
    assert answer.status == 200 and len(answer.body) > FUNCTIONS * 300
    return answer


@pytest.mark.alone
@pytest.mark.memory
def test_a_thousand_functions_are_listed_within_a_tenth_of_a_second_and_60_mib(full):
    assert len(list_all(full).json) == FUNCTIONS
    took = statistics.median(seconds_of(lambda: list_all(full), LISTS))
    resident = resident_mib(full.process.pid)
    print(f"\n{FUNCTIONS} functions: listed in {took * 1000:.1f} ms, resident {resident:.1f} MiB")
    assert took <= LIST_SECONDS
    assert resident <= RESIDENT_MIB


def begin(board, path, **headers):
    """Sends a request and reads nothing of the answer."""
    host, port = board.address.rsplit(":", 1)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(30)
    connection.connect((host, int(port)))
    lines = [f"GET /api{path} HTTP/1.1", f"Host: {board.address}"]
    lines += [f"X-Nuclio-{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    return connection


def test_who_is_stuck_slow_or_silent_keeps_nobody_waiting(full):
    replica = full.api("GET", "/functions/stuck/replicas").json["names"][0]
    full.api("GET", "/function_invocations/talk", headers={"X-Nuclio-Function-Name": "stuck"})
    with contextlib.ExitStack() as open_ones:
        for _ in range(20):
            for connection in (
                begin(full, "/function_invocations", Function_Name="stuck"),  # waits for a function that is stuck
                begin(full, "/functions"),  # takes nothing of a long answer
                begin(full, f"/functions/stuck/logs/{replica}?follow=true"),  # nor of a log without end
                socket.create_connection(tuple(full.address.rsplit(":", 1))),  # says nothing
            ):
                open_ones.enter_context(connection)
            slow = open_ones.enter_context(socket.create_connection(tuple(full.address.rsplit(":", 1))))
            slow.sendall(b"POST /api/functions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n{")
        list_all(full)  # behind all that these have asked for
        took = seconds_of(lambda: full.api("GET", "/functions/kept-7"), 50)
        print(f"\none function, while others hang: {max(took) * 1000:.1f} ms at most")
        assert statistics.median(took) < 0.05 and max(took) < 0.5
        assert full.api("POST", "/functions", kept_function("while")).status == 202
        assert len(list_all(full).json) == FUNCTIONS

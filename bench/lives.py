# SPDX-License-Identifier: Apache-2.0
"""What a processor costs when nobody calls it: its start, its memory, its idle hours, the replacing of a worker."""

import os
import signal
import socket
import statistics
import time

import machine
from servers import WORKLOADS, Function, Others, Processors, Running, Unavailable
from throughput import PYTHON, start, wrk

GREETING = WORKLOADS["hello"]
REQUEST = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"


def first_answer_ms(processors: Processors, function: Function) -> float:
    """From just before the exec to the answer. The socket listens already, so that the request waits and not we."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        address = listener.getsockname()
        command = processors.command(function, ["--listen-fd", str(listener.fileno())])
        began = time.perf_counter()
        process = processors.spawn(command, [listener.fileno()], None)
    server = Running(process, "%s:%d" % address)
    try:
        with socket.create_connection(address, timeout=20) as connection:
            connection.sendall(REQUEST)
            answer = connection.recv(65536)
        took = time.perf_counter() - began
    finally:
        server.stop()
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the first answer was {answer[:100]!r}")
    return took * 1e3


def many_workers(processors: Processors) -> tuple[float, float]:
    """Milliseconds until 16 Python workers are ready, and the memory of all."""
    reading, writing = os.pipe()
    command = processors.command(Function("hello", workers=16), ["--status-fd", str(writing)])
    began = time.perf_counter()
    process = processors.spawn(command, [writing], None)
    os.close(writing)
    with open(reading) as status:
        line = status.readline()
    took = time.perf_counter() - began
    server = Running(process, "")
    try:
        if '"ready"' not in line:
            raise RuntimeError(f"16 workers did not become ready: {line}")
        return took * 1e3, machine.tree_pss_mib(process.pid)
    finally:
        server.stop()


def serving_worker(server: Running) -> int:
    """The pid of the only worker: it says so itself."""
    status, body = server.ask(GREETING)
    if status != 200:
        raise RuntimeError(f"asking for the worker's pid gave {status}")
    return int(body)


def replacement_ms(processors: Processors) -> list[float]:
    """From SIGKILL of the only worker to the next good answer, some times."""
    server = processors.start(Function("pid"), None)
    took = []
    try:
        for _ in range(7):
            worker = serving_worker(server)
            os.kill(worker, signal.SIGKILL)
            began = time.perf_counter()
            while server.ask(GREETING)[0] != 200:
                if time.perf_counter() - began > 20:
                    raise RuntimeError("a killed worker was not replaced within 20 s")
            took.append((time.perf_counter() - began) * 1e3)
    finally:
        server.stop()
    return took


def start_up(processors: Processors, rounds: int) -> list[dict]:
    def row(what: str, figures: list[float], unit: str) -> dict:
        return {"what": what, "median": statistics.median(figures), "worst": max(figures), "unit": unit}

    cpp = [first_answer_ms(processors, Function("hello", "cpp", False)) for _ in range(rounds)]
    python = [first_answer_ms(processors, Function("hello")) for _ in range(rounds)]
    many = [many_workers(processors) for _ in range(rounds)]
    return [
        row("first answer after exec, C++", cpp, "ms"),
        row("first answer after exec, Python", python, "ms"),
        row("16 Python workers ready", [ms for ms, _ in many], "ms"),
        row("memory with 16 Python workers, PSS", [mib for _, mib in many], "MiB"),
        row("a killed worker replaced", replacement_ms(processors), "ms"),
    ]


def memory(others: Others, processors: Processors, names: tuple[str, ...]) -> list[dict]:
    """With no other processor around that would share pages. The last figures are of 3 s after the load ended."""
    rows = []
    echo, large = WORKLOADS["echo 1 KiB"], WORKLOADS["echo 1 MiB"]
    for name in names:
        # C++ here says hello only; every Python server echoes.
        workload = echo if name in PYTHON else GREETING
        try:
            server = start(name, workload, others, processors)
        except Unavailable as why:
            rows.append({"server": name, "missing": str(why)})
            continue
        try:
            server.check(workload)
            row = {"server": name, "idle": machine.pss_mib(server.pid), "idle_tree": machine.tree_pss_mib(server.pid)}
            if workload is echo:
                wrk(server.address, large, 8, 2)
                time.sleep(3)
                row |= {"after": machine.pss_mib(server.pid), "after_tree": machine.tree_pss_mib(server.pid)}
            rows.append(row)
        finally:
            server.stop()
    return rows


def idle(processors: Processors, functions: int, seconds: float) -> dict:
    """Functions that were called once and then left alone: nine tenths C++, the rest Python."""
    servers = []
    try:
        for number in range(functions):
            python = number % 10 == 9
            server = processors.start(Function("hello") if python else Function("hello", "cpp", False), None)
            servers.append(server)
            server.check(GREETING)
        time.sleep(2)  # what a call leaves to be done later is not idleness
        before = [machine.used(server.pid) for server in servers]
        time.sleep(seconds)
        used = [machine.used(server.pid) - earlier for server, earlier in zip(servers, before, strict=True)]
        pss = sum(machine.tree_pss_mib(server.pid) for server in servers)
    finally:
        for server in servers:
            server.process.terminate()
        for server in servers:
            server.stop()
    return {
        "functions": functions,
        "seconds": seconds,
        "cpu_ms": sum(one.cpu_seconds for one in used) * 1e3,
        "wakeups": sum(one.wakeups for one in used),
        "most_wakeups": max(one.wakeups for one in used),
        "pss_mib": pss,
    }

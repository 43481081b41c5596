# SPDX-License-Identifier: Apache-2.0
"""Requests per second, CPU and latency of each contender, in rounds in which all of them take turns."""

import json
import statistics
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import machine
from servers import WORKLOADS, Function, Others, Processors, Running, Unavailable, Workload

HERE = Path(__file__).resolve().parent
OURS = {
    "C++ in process": ("cpp", False, ""),
    "C++ isolated, ring": ("cpp", True, "ring"),
    "Python, ring": ("python", True, "ring"),
    "Python, socket": ("python", True, "socket"),
}
HELLO = ("bare epoll", "nginx", "C++ in process", "C++ isolated, ring")
PYTHON = ("bjoern", "granian", "Python, ring", "Python, socket")
RATE = 5000  # what every contender can do, so that latencies are those of a server that keeps up
BASELINES = {"bare": "bare epoll", "bjoern": "bjoern"}  # what ratios are made with


def wrk(address: str, workload: Workload, connections: int, seconds: int) -> dict:
    """wrk's own figures, and how much of its core it used."""
    command = [
        *machine.on_core(machine.LOAD_CORE),
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout",
        "10s",
    ]
    command += ["-s", HERE / "wrk.lua", f"http://{address}/", "--", workload.method]
    if workload.body:
        command += [workload.content_type, workload.json or str(workload.size)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 60)
    return json.loads(done.stdout.splitlines()[-1])


def open_loop(programs: Path, address: str, rate: int, connections: int, seconds: int) -> dict:
    """The same figures from our own load generator, which sends at a fixed rate and measures from the due time."""
    command = [*machine.on_core(machine.LOAD_CORE), programs / "load", "--address", address]
    command += ["--rate", str(rate), "--connections", str(connections), "--seconds", str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 60)
    told = json.loads(done.stdout)
    good = told["statuses"].get("200", 0)
    latency = told["latency_us"].get("200", {"p50": 0, "p99": 0, "max": 0})
    return {
        "requests": good,
        "micros": told["seconds"] * 1e6,
        "failed": told["sent"] - good,
        "unsent": told["unsent"],  # the machine was too busy to keep the rate, or the server too slow
        **{key: latency[key] for key in ("p50", "p99", "max")},
    }


def measure(server: Running, load: Callable[[str], dict]) -> dict:
    before, began = machine.used(server.pid), time.monotonic()
    figures = load(server.address)
    used, took = machine.used(server.pid) - before, time.monotonic() - began
    requests = max(figures["requests"], 1)
    return {
        "requests_per_second": requests / (figures["micros"] / 1e6),
        "cpu_micros": used.cpu_seconds * 1e6 / requests,
        "wakeups": used.wakeups / requests,
        "p50_micros": figures["p50"],
        "p99_micros": figures["p99"],
        "busy": used.cpu_seconds / took,
        "failed": figures["failed"],
        "unsent": figures.get("unsent", 0),
    }


def start(name: str, workload: Workload, others: Others, processors: Processors) -> Running:
    if name not in OURS:
        return others.start(name, workload.app)
    language, isolated, transport = OURS[name]
    return processors.start(Function(workload.app, language, isolated, transport))


class Contenders:
    """The servers of one workload, all running; those that cannot be had are told with the reason."""

    def __init__(self, names: tuple[str, ...], workload: Workload, others: Others, processors: Processors):
        self.servers: dict[str, Running] = {}
        self.missing: dict[str, str] = {}
        try:
            for name in names:
                try:
                    server = start(name, workload, others, processors)
                except Unavailable as why:
                    self.missing[name] = str(why)
                    continue
                self.servers[name] = server
                server.check(workload)
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> "Contenders":
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def stop(self) -> None:
        for server in self.servers.values():
            server.stop()


def summed_up(rounds: list[dict[str, dict]], name: str) -> dict:
    """Medians over the rounds; those of ratios are of what was measured in the same round."""
    own = [one[name] for one in rounds]
    row = {key: statistics.median(figures[key] for figures in own) for key in own[0]}
    row["failed"] = sum(figures["failed"] for figures in own)
    for short, baseline in BASELINES.items():
        if baseline not in rounds[0]:
            continue
        for key in ("cpu_micros", "requests_per_second"):
            row[f"{key}_of_{short}"] = statistics.median(one[name][key] / one[baseline][key] for one in rounds)
    return row


def compare(
    title: str, connections: int, contenders: Contenders, rounds: int, load: Callable[[str], dict]
) -> list[dict]:
    """A row for each server, with medians over the rounds."""
    taken = [{name: measure(server, load) for name, server in contenders.servers.items()} for _ in range(rounds)]
    about = {"workload": title, "connections": connections}
    rows = [{**about, "server": name, **summed_up(taken, name)} for name in contenders.servers]
    return rows + [{**about, "server": name, "missing": why} for name, why in contenders.missing.items()]


def all_rows(others: Others, processors: Processors, rounds: int, seconds: int, quick: bool, told) -> list[dict]:
    """`quick`: hello alone has one connection too, and nothing has a fixed rate. `told` hears of each part."""
    rows: list[dict] = []
    for names, workloads in (
        (HELLO + PYTHON, ["hello"]),
        (PYTHON, ["echo 1 KiB", "echo 64 KiB", "echo 1 MiB"]),
        (PYTHON, ["JSON"]),
    ):
        with Contenders(names, WORKLOADS[workloads[0]], others, processors) as contenders:
            for name in workloads:
                for connections in (1, 64) if name == "hello" or not quick else (64,):
                    told(f"{name}, {connections} connection{'s' if connections > 1 else ''}")
                    load = partial(wrk, workload=WORKLOADS[name], connections=connections, seconds=seconds)
                    rows += compare(name, connections, contenders, rounds, load)
            if workloads == ["hello"] and not quick:
                title = f"hello, {RATE} req/s at fixed times"
                told(title)
                load = partial(open_loop, processors.programs, rate=RATE, connections=64, seconds=seconds)
                rows += compare(title, 64, contenders, rounds, load)
    return rows

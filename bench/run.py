# SPDX-License-Identifier: Apache-2.0
"""Measures the example functions, deployed as a user would, next to a bare HTTP server in the same minute.

Every figure is printed with its ratio to the baseline, since a number without one says more about the machine than
about us. wrk runs on one core, what it measures on the rest. CPU is that of the server's whole process tree.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FUNCTIONS = {"python": "examples/python/hello.py", "cpp": "examples/cpp/hello.cc"}
CONNECTIONS = (1, 8)  # alone, for the latency; and as many as one worker's queue takes without refusing
ROUNDS = 3
TICK = os.sysconf("SC_CLK_TCK")


def process_tree(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it ended meanwhile
            children.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def cpu_seconds(root: int) -> float:
    total = 0
    for process in process_tree(root):
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def wrk(address: str, connections: int, seconds: int) -> dict:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", ROOT / "bench/report.lua", f"http://{address}/"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 30)
    return json.loads(done.stdout.splitlines()[-1])


def measure(address: str, process: int, connections: int, seconds: int) -> dict:
    before = cpu_seconds(process)
    figures = wrk(address, connections, seconds)
    used = cpu_seconds(process) - before
    if figures["failed"]:
        print(f"{figures['failed']} of {figures['requests']} requests to {address} failed", file=sys.stderr)
    return {
        "requests_per_second": figures["requests"] / (figures["micros"] / 1e6),
        "cpu_micros_per_request": used * 1e6 / max(figures["requests"], 1),
        "p50_micros": figures["p50"],
        "p99_micros": figures["p99"],
        "failed": figures["failed"],
    }


def middle(rounds: list[dict]) -> dict:
    return {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}


def start_baseline(folder: Path) -> tuple[subprocess.Popen, str]:
    program = folder / "baseline"
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", program, ROOT / "bench/baseline.c"], check=True)
    process = subprocess.Popen([program], stdout=subprocess.PIPE, text=True)
    return process, f"127.0.0.1:{process.stdout.readline().strip()}"


def start_dashboard(programs: Path, home: Path) -> subprocess.Popen:
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [programs / "dashboard", "--listen-addr", "127.0.0.1:0", "--ready-fd", str(writer)],
        env={**os.environ, "NUCLIO_HOME": str(home)},
        pass_fds=[writer],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with os.fdopen(reader) as ready:
        line = ready.readline().strip()
    if not line.startswith("ready "):
        sys.exit(f"the dashboard did not start: {line or 'it ended without a word'}; see {home}/dashboard.log")
    return process


def deploy(programs: Path, home: Path, name: str, path: str) -> str:
    """Returns the function's address."""
    environment = {**os.environ, "NUCLIO_HOME": str(home)}
    nuctl = programs / "nuctl"
    subprocess.run([nuctl, "deploy", name, "--path", ROOT / path], env=environment, check=True, timeout=120)
    shown = subprocess.run(
        [nuctl, "get", "function", name, "-o", "json"], env=environment, check=True, timeout=30, capture_output=True
    )
    return f"127.0.0.1:{json.loads(shown.stdout)['status']['httpPort']}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, required=True, help="the folder of the programs")
    parser.add_argument("--out", type=Path, required=True, help="where the figures go, as JSON")
    parser.add_argument("--seconds", type=int, default=4, help="of each measurement (%(default)s)")
    options = parser.parse_args()
    programs = options.bin.resolve()

    started: list[subprocess.Popen] = []
    with tempfile.TemporaryDirectory(prefix="nuclio-bench-") as scratch:
        home = Path(scratch) / "home"
        home.mkdir()
        try:
            baseline, address = start_baseline(Path(scratch))
            started.append(baseline)
            servers = {"baseline": (address, baseline.pid)}
            dashboard = start_dashboard(programs, home)
            started.append(dashboard)
            for name, path in FUNCTIONS.items():
                servers[name] = (deploy(programs, home, f"bench-{name}", path), dashboard.pid)

            # The servers take turns, so that a noisy moment of the machine meets all of them.
            figures: dict[int, dict[str, list[dict]]] = {c: {name: [] for name in servers} for c in CONNECTIONS}
            for connections in CONNECTIONS:
                for _ in range(ROUNDS):
                    for name, (address, process) in servers.items():
                        figures[connections][name].append(measure(address, process, connections, options.seconds))
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait(timeout=30)

    print("\nconnections  server        req/s  ratio   CPU µs   p50 µs   p99 µs")
    result = []
    for connections, rows in figures.items():
        base = middle(rows["baseline"])
        for name, rounds in rows.items():
            row = middle(rounds)
            row["ratio"] = row["requests_per_second"] / base["requests_per_second"]
            result.append({"server": name, "connections": connections, **row})
            print(
                "{connections:>11}  {name:8}{requests_per_second:>11.0f}{ratio:>7.2f}{cpu_micros_per_request:>9.1f}"
                "{p50_micros:>9.0f}{p99_micros:>9.0f}".format(connections=connections, name=name, **row)
            )
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    print(f"\nMiddle of {ROUNDS} rounds of {options.seconds} s; also in {options.out}")
    if any(row["failed"] for row in result):
        sys.exit("some requests failed: the figures do not count")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""What the kernel knows of the machine and of the processes on it."""

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ALLOWED = sorted(os.sched_getaffinity(0))
LOAD_CORE, SERVER_CORE = ALLOWED[0], ALLOWED[-1]


def on_core(core: int) -> list[str]:
    """What to put before a command that is to stay, with all that it starts, on one core."""
    return ["taskset", "--cpu-list", str(core)]


def describe() -> dict:
    cpu = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    os_release = re.search(r'PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text())
    return {
        "cpu": cpu[1] if cpu else platform.machine(),
        "cores": len(ALLOWED),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "system": os_release[1] if os_release else platform.system(),
        "compiler": first_line("clang++-19", "--version"),
        "python": first_line("/usr/bin/python3", "--version"),
    }


def first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except OSError:
        return "none"
    return (done.stdout or done.stderr).partition("\n")[0]


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


@dataclass
class Used:
    """What processes have used up to a moment; the difference of two is what they used between."""

    cpu_seconds: float = 0
    wakeups: int = 0  # voluntary context switches: each is an end of a sleep

    def __sub__(self, other: "Used") -> "Used":
        return Used(self.cpu_seconds - other.cpu_seconds, self.wakeups - other.wakeups)

    def __add__(self, other: "Used") -> "Used":
        return Used(self.cpu_seconds + other.cpu_seconds, self.wakeups + other.wakeups)


def used(root: int) -> Used:
    """By all threads below and including a process. The scheduler counts nanoseconds, the ticks of `stat` 10 ms."""
    total = Used()
    for process in process_tree(root):
        try:
            threads = list(Path(f"/proc/{process}/task").iterdir())
        except OSError:
            continue
        for thread in threads:
            try:
                total.cpu_seconds += int((thread / "schedstat").read_text().split()[0]) / 1e9
                switches = re.search(
                    r"^voluntary_ctxt_switches:\s*(\d+)", (thread / "status").read_text(), re.MULTILINE
                )
                total.wakeups += int(switches[1])
            except OSError:
                continue
    return total


def pss_mib(process: int) -> float:
    """Memory of one process, with shared pages divided among those who share them."""
    try:
        kib = re.search(r"^Pss:\s*(\d+) kB", Path(f"/proc/{process}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0.0
    return int(kib[1]) / 1024 if kib else 0.0


def tree_pss_mib(root: int) -> float:
    return sum(pss_mib(process) for process in process_tree(root))

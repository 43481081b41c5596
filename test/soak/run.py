# SPDX-License-Identifier: Apache-2.0
"""Keeps functions under mixed load for long while their workers are killed, and looks for what grows or is wrong.

One processor speaks HTTP/1.1, another HTTP/2 over TLS. The load is one that two cores bear easily, so that nothing is
refused and whatever is no expected answer is a fault. The exit code is 1 when there was one, or when something grew.
"""

import argparse
import contextlib
import os
import pathlib
import random
import signal
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]

import certificates  # noqa: E402
import findings  # noqa: E402
import running  # noqa: E402
from traffic import Checker, Http2Load, SteadyLoad  # noqa: E402

# What is sent over HTTP/1.1: requests a second, connections, the status to expect, how bin/load says the request.
STEADY = {
    "hello": (200, 4, 200, ["--path", "/hello"]),
    "echo of 100 bytes": (60, 2, 200, ["--method", "POST", "--path", "/echo", "--body-size", 100]),
    "echo of 10 KiB": (30, 2, 200, ["--method", "POST", "--path", "/echo", "--body-size", 10 << 10]),
    "echo of 200 KiB": (10, 2, 200, ["--method", "POST", "--path", "/echo", "--body-size", 200 << 10]),
    "echo of 1 MiB": (3, 1, 200, ["--method", "POST", "--path", "/echo", "--body-size", 1 << 20]),
    "error": (5, 1, 500, ["--path", "/error"]),
    "slow": (20, 2, 200, ["--path", "/slow"]),
    "hello on a connection for each": (10, 2, 200, ["--path", "/hello", "--close-each"]),
}
HTTP2_RATE = 40
HTTP2_BODY = 20_000
SAMPLE_SECONDS = 0.5
KILL_SECONDS = (0.5, 1.5)
SETTLE_SECONDS = 15  # for the end of connections and replacements when the load is over
REPORT_SECONDS = 60


def descendants(pid):
    found = running.children(pid)
    return found + [below for child in found for below in descendants(child)]


class Subject:
    """A processor: its traffic, what that met, and what the processor was made of in the course of time."""

    def __init__(self, name, processor):
        self.name, self.processor = name, processor
        self.traffic, self.samples, self.kills = [], [], 0
        self.at_rest = self.look(0)

    def look(self, at):
        pid = self.processor.process.pid
        if (code := self.processor.process.poll()) is not None:
            raise SystemExit(f"{self.name}: the processor ended with code {code}\n{self.processor.log[-3000:]}")
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        resident, private = (int(status.partition(what)[2].split()[0]) * 1024 for what in ("VmRSS:", "RssAnon:"))
        return findings.Sample(at, resident, private, len(os.listdir(f"/proc/{pid}/fd")), 1 + len(descendants(pid)))

    def sample(self, at):
        self.samples.append(self.look(at))
        return self.samples[-1]

    def kill_a_worker(self, chance):
        with contextlib.suppress(ProcessLookupError, IndexError):
            os.kill(chance.choice(self.processor.workers()), signal.SIGKILL)
            self.kills += 1

    def settle(self):
        """Waits until it is as it was, and looks at it a last time."""
        end = time.monotonic() + SETTLE_SECONDS
        while True:
            now = self.look(1)
            as_before = now.descriptors <= self.at_rest.descriptors and now.processes <= self.at_rest.processes
            if as_before or time.monotonic() > end:
                return now
            time.sleep(0.1)

    def findings(self, allowed):
        tallies = [tally for traffic in self.traffic for tally in traffic.tallies()]
        yield from findings.of_samples(self.name, self.samples, allowed)
        yield from findings.of_tallies(self.name, tallies, self.kills)
        yield from findings.of_the_end(self.name, self.at_rest, self.settle())


def spec(workers, **attributes):
    return {
        "triggers": {
            "web": {"kind": "http", "numWorkers": workers, "attributes": attributes},
            "tick": {"kind": "cron", "attributes": {"interval": "1s"}},
        }
    }


def start_subjects(stack, folder, options):
    certificates.write(folder / "secret")
    platform = running.over(options.transport, {"processor": {"queueLimit": 100}})
    specs = {"HTTP/1.1": spec(4), "HTTP/2": spec(2, tls={"secretPath": str(folder / "secret")})}
    for name, its_spec in specs.items():
        place = folder / name.replace("/", "-")
        processor = running.Processor(place, options.code, its_spec, platform)
        stack.callback(processor.stop)
        yield Subject(name, processor.start())


def send(stack, plain, secure, folder, options):
    """Starts the traffic; what it started is ended with the stack, whatever happens."""

    def begin(subject, traffic):
        stack.callback(traffic.cut)
        subject.traffic.append(traffic)

    for name, how in STEADY.items():
        begin(plain, SteadyLoad(name, plain.processor.address, *how))
    begin(plain, Checker(plain.processor.address, options.seed))
    body = folder / "body"
    body.write_bytes(b"x" * HTTP2_BODY)
    begin(secure, Http2Load(secure.processor.address, "/echo", HTTP2_RATE, options.seconds, body))


def soak(subjects, options):
    """Kills workers and takes samples until the time is over."""
    chance = random.Random(options.seed)
    began = time.monotonic()
    next_kill = next_report = 0.0
    while (now := time.monotonic() - began) < options.seconds:
        if now >= next_kill:
            chance.choice(subjects).kill_a_worker(chance)
            next_kill = now + chance.uniform(*KILL_SECONDS)
        for subject in subjects:
            sample = subject.sample(now / options.seconds)
            if now >= next_report:
                print(
                    f"{now:5.0f} s  {subject.name}: {sample.resident / 1048576:.2f} MiB, {sample.descriptors} "
                    f"descriptors, {sample.processes} processes, {subject.kills} workers killed",
                    flush=True,
                )
        if now >= next_report:
            next_report = now + REPORT_SECONDS
        time.sleep(SAMPLE_SECONDS)


def parse():
    parser = argparse.ArgumentParser(prog="./dev soak", description=__doc__.partition("\n")[0])
    parser.add_argument("seconds", nargs="?", type=int, default=600, help="how long the load lasts (600)")
    parser.add_argument("--code", type=pathlib.Path, default=HERE / "function.py", help="the function (function.py)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="of what is left to chance")
    parser.add_argument("--transport", choices=running.TRANSPORTS, default=running.TRANSPORTS[0])
    return parser.parse_args()


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))  # and what it started is ended, too
    print(f"{options.seconds} s, --seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="nuclio-soak-") as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        plain, secure = start_subjects(stack, folder, options)
        send(stack, plain, secure, folder, options)
        soak([plain, secure], options)
        for subject in (plain, secure):
            for traffic in subject.traffic:
                traffic.stop()
        allowed = findings.most_drift(options.seconds)
        found = [finding for subject in (plain, secure) for finding in subject.findings(allowed)]
    print(*found, sep="\n")
    missed = sum(not finding.good for finding in found)
    print(f"{len(found) - missed} of {len(found)} held")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

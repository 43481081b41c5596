# SPDX-License-Identifier: Apache-2.0
"""Who sends what during a soak. Each of them starts at once, is stopped, and then tells how its requests ended."""

import contextlib
import http.client
import json
import math
import random
import re
import subprocess
import threading

from findings import Tally
from loading import Load

MIB = 1 << 20


class SteadyLoad:
    """One request again and again at a fixed rate, by bin/load. It looks at statuses, not at bodies."""

    def __init__(self, name, address, rate, connections, status, request):
        self.tally = Tally(f"{name}, {rate}/s", str(status))
        options = ["--rate", rate, "--connections", connections, "--reconnect", "--seconds", 3600, "--timeout", 30]
        self.load = Load(address, *options, *request)

    def stop(self):
        report = self.load.stop()
        for end, count in [*report["statuses"].items(), *report["errors"].items()]:
            self.tally.add(end, count)

    def tallies(self):
        return [self.tally]

    def cut(self):
        self.load.__exit__()


class Http2Load:
    """h2load over TLS at a fixed rate, for a fixed time."""

    CONNECTIONS = 4

    def __init__(self, address, path, rate, seconds, body):
        self.tally = Tally(f"HTTP/2 {path} of {body.stat().st_size} bytes, {rate}/s", "2xx")
        self.count = rate * seconds
        command = ["h2load", "-t", "1", "-c", str(self.CONNECTIONS), "-m", "4", "-n", str(self.count)]
        command += [f"--rps={rate / self.CONNECTIONS}", "-d", body, f"https://{address}{path}"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def stop(self):
        printed, _ = self.process.communicate(timeout=60)
        if not (codes := re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", printed)):
            return self.tally.add(f"h2load said {printed!r}")
        succeeded, redirected, refused, lost = map(int, codes.groups())
        for end, count in (("2xx", succeeded), ("3xx", redirected), ("4xx", refused), ("502", lost)):
            self.tally.add(end, count)
        self.tally.add("no answer", self.count - succeeded - redirected - refused - lost)

    def tallies(self):
        return [self.tally]

    def cut(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class Checker:
    """A client that compares each body with the one that must come, on a connection that it keeps."""

    PAUSE = 0.03  # seconds between two requests

    def __init__(self, address, seed):
        self.address = address
        self.chance = random.Random(seed)
        self.tally = Tally("answers compared byte for byte", "right")
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        host, port = self.address.rsplit(":", 1)
        with contextlib.closing(http.client.HTTPConnection(host, int(port), timeout=30)) as connection:
            while not self.over.wait(self.PAUSE):
                try:
                    self.tally.add(self.ask(connection))
                except (OSError, http.client.HTTPException) as error:
                    self.tally.add(repr(error))
                    connection.close()

    def ask(self, connection):
        """How one request ended: right, or what was wrong with it."""
        kind = self.chance.choice(["echo", "sums", "error"])
        headers = {}
        if kind == "echo":
            # As many of 10 to 100 bytes as of 100 KiB to 1 MiB.
            body = self.chance.randbytes(int(math.exp(self.chance.uniform(0, math.log(MIB)))))
        elif kind == "sums":
            numbers = [self.chance.randrange(1000) for _ in range(20)]
            body, headers = json.dumps({"numbers": numbers}).encode(), {"Content-Type": "application/json"}
        else:
            body = b""
        connection.request("POST", f"/{kind}", body, headers)
        response = connection.getresponse()
        answer = response.read()
        if response.status == 502:
            return "502"
        if kind == "error":
            return "right" if response.status == 500 and b"as asked" in answer else f"error: {response.status}"
        if response.status != 200:
            return f"{kind}: {response.status}"
        right = answer == body if kind == "echo" else json.loads(answer) == {"count": 20, "sum": sum(numbers)}
        return "right" if right else f"{kind}: another body"

    def stop(self):
        self.over.set()
        self.thread.join(60)

    def tallies(self):
        return [self.tally]

    cut = stop

# SPDX-License-Identifier: Apache-2.0
"""Our load generator beside a test: bin/load, which counts the end of each request by name."""

import json
import signal
import subprocess

import running


class Load:
    """Sends from now on until its options end it or stop() does."""

    def __init__(self, address, *options):
        command = [running.BIN / "load", "--address", address, *map(str, options)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def report(self, timeout=120):
        """Waits for its end. What it prints, see test/load/report.h."""
        printed, complaint = self.process.communicate(timeout=timeout)
        assert (self.process.returncode, complaint) == (0, "")
        return json.loads(printed)

    def stop(self):
        """Ends it now; the report of what it did."""
        self.process.send_signal(signal.SIGTERM)
        return self.report()


def load(address, *options, timeout=120):
    with Load(address, *options) as running_load:
        return running_load.report(timeout)


def unexpected(report, status=200):
    """What did not end with this status, by name."""
    found = {name: count for name, count in report["statuses"].items() if name != str(status)}
    found.update({kind: count for kind, count in report["errors"].items() if count})
    return found

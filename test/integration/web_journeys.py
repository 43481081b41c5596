# SPDX-License-Identifier: Apache-2.0
"""Runs a file of web/journeys by the Node.js that the web app is built with."""

import os
import pathlib
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parents[2]
JOURNEYS = sorted((SOURCE / "web/journeys").glob("*.test.ts"))
SECONDS = 300


def run_journey(journey, environment):
    """Prints what was measured on the way. The journeys end what they have started."""
    command = [SOURCE / "build/node/bin/node", "--test", "--test-reporter=spec", journey]
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "\N{INFORMATION SOURCE} pass 0\n" not in done.stdout, f"no journey of {journey.name} was made\n{done.stdout}"

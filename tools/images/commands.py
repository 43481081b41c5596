# SPDX-License-Identifier: Apache-2.0
"""Running other programs, and what to say when one fails."""

import subprocess


class Failed(Exception):
    """Its text is for the person who called ./dev images."""


def say(text: str) -> None:
    print(text, flush=True)


def output(command: list) -> str:
    """What a program prints, which must succeed."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{command[0]} failed: {done.stderr.strip() or f'it exited with {done.returncode}'}")
    return done.stdout


def run(command: list, environment: dict[str, str] | None = None) -> None:
    """A program whose output goes where ours goes. What it says of an error becomes ours."""
    done = subprocess.run(
        [str(word) for word in command], env=environment, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        raise Failed(done.stderr.strip() or f"{command[0]} exited with {done.returncode}")

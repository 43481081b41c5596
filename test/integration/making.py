# SPDX-License-Identifier: Apache-2.0
"""Our images as `./dev images` makes them, and containerd, which pulls as Kubernetes does."""

import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import running

MAKE = running.SOURCE / "tools/images/make.py"
MADE = ("python", "cpp", "processor", "controller", "dashboard", "nuctl")
# Where the tests on a cluster make theirs, under the same lock.
SHARED = running.SOURCE / "build/images"
MINUTES = 60


def run(*command, seconds=2 * MINUTES, **options):
    """What a program prints; the test ends when it fails, with what it said."""
    command = [str(word) for word in command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False, **options)
    assert done.returncode == 0, f"{' '.join(command)} exited with {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def start_make(out, *arguments):
    command = [sys.executable, MAKE, "--bin", running.BIN, "--out", out, *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=12 * MINUTES,
        check=False,
        env=environment | {"DOCKER_CONFIG": "/nonexistent"},
    )


def make(out, *arguments):
    done = start_make(out, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def make_of_shared(out):
    """All images in a folder of the test's own; the Debian packages in them are those installed in SHARED, which takes
    minutes and is done once for all tests of this checkout."""
    SHARED.mkdir(parents=True, exist_ok=True)
    all_of_them = ("--only", ",".join(MADE))
    with open(SHARED / "making.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make(SHARED, *all_of_them)
        for folder in ("debian", "rootfs"):
            shutil.copytree(SHARED / folder, out / folder)
    make(out, *all_of_them)


@contextlib.contextmanager
def started(command, log, ready, what):
    """A server that is up; ended by its pid."""
    with open(log, "ab") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "OTEL_TRACES_EXPORTER": "none"},
        )
    try:

        def is_up():
            assert process.poll() is None, f"{what} ended: {log.read_text()[-2000:]}"
            return ready()

        running.wait_for(is_up, f"the start of {what}")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


@contextlib.contextmanager
def containerd():
    """A containerd of the test's own; gives the beginning of ctr's command line."""
    # A socket's path has at most 107 bytes, which pytest's folders may exceed.
    with tempfile.TemporaryDirectory(prefix="nuclio-containerd-") as short:
        folder = pathlib.Path(short)
        settings = folder / "config.toml"
        settings.write_text(
            f'version = 2\nroot = "{folder}/root"\nstate = "{folder}/state"\n'
            'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
            f'[grpc]\naddress = "{folder}/socket"\n[ttrpc]\naddress = "{folder}/ttrpc"\n'
        )
        ctr = ["ctr", "--address", folder / "socket"]

        def answers():
            return subprocess.run([*ctr, "version"], capture_output=True, timeout=MINUTES, check=False).returncode == 0

        with started(["containerd", "--config", settings], folder / "log", answers, "containerd"):
            yield ctr

# SPDX-License-Identifier: Apache-2.0
"""Drives a worker as the processor does: a child with one end of a socket pair, frames in and out."""

import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import textwrap

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from driving import PATIENCE_SECONDS, RUNTIME, Worker, build_folder, site_packages
from nuclio_worker import event, frames, pure_connection


@pytest.fixture(scope="session", params=["pure", "native"])
def runtime(request, tmp_path_factory):
    """A runtime folder whose worker is of that kind."""
    if request.param == "pure":
        return RUNTIME
    folder = tmp_path_factory.mktemp("runtime") / "nuclio_worker"
    folder.mkdir()
    native = build_folder() / "nuclio_worker/_native.abi3.so"
    assert native.exists(), "{0} is not built".format(native)
    for file in [*(RUNTIME / "nuclio_worker").glob("*.py"), native]:
        (folder / file.name).symlink_to(file)
    return folder.parent


@pytest.fixture(params=["pure", "native"])
def connect(request):
    """connect() → (our end, a Connection at the other), in this process."""
    opened = []

    def begin(limit=frames.DEFAULT_LIMIT, raw=False):
        ours, theirs = socket.socketpair()
        ours.settimeout(PATIENCE_SECONDS)
        if request.param == "pure":
            conn = pure_connection.Connection(theirs.detach(), limit, event.RawEvent if raw else event.Event)
        else:
            from nuclio_worker import _native

            conn = _native.Connection(theirs.detach(), limit, raw)
        opened.extend((ours, conn))
        return ours, conn

    yield begin
    for one in opened:
        one.close()


@pytest.fixture
def event_of(connect):
    """event_of(frame's bytes) → what a handler gets."""

    def make(data, raw=False):
        ours, conn = connect(raw=raw)
        ours.sendall(data)
        return conn.event(conn.receive())

    return make


@pytest.fixture
def start(tmp_path, runtime):
    """start(source, handler=…) → (Worker, its start frame). What was started is ended with the test."""
    with contextlib.ExitStack() as stack:

        def begin(source=None, handler="main:handler", files=(), options=(), environment=(), python=sys.executable):
            for name, text in dict(files, **({"main.py": source} if source is not None else {})).items():
                path = tmp_path / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(textwrap.dedent(text))
            ours, theirs = socket.socketpair()
            ours.settimeout(PATIENCE_SECONDS)
            # The interpreter's own warnings are errors: a supported version must not complain about the worker.
            command = [python, "-u", "-W", "error", str(runtime / "nuclio_worker"), "--fd", str(theirs.fileno())]
            process = subprocess.Popen(
                command + ["--handler", handler, "--code", str(tmp_path), *options],
                pass_fds=[theirs.fileno()],
                cwd=tmp_path,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": site_packages(), **dict(environment)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            theirs.close()
            worker = Worker(process, ours)
            stack.callback(_end, worker)
            first = worker.receive()
            assert first is not None, worker.stderr()
            return worker, first

        yield begin


def _end(worker):
    worker.close()
    try:
        worker.exit_code()
    except subprocess.TimeoutExpired:
        worker.process.kill()
        worker.process.wait()
        raise
    finally:
        worker.process.stdout.close()
        worker.process.stderr.close()

# SPDX-License-Identifier: Apache-2.0
"""Drives a worker as the processor does: a child with the other end of a connection, frames in and out."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import textwrap

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from driving import RUNTIME, Worker, build_folder, site_packages
from ends import RingEnd, SocketEnd
from nuclio_worker import event, frames, pure_connection

# A shell starts background jobs with interrupts ignored, and workers would inherit that. What has a handler here is
# theirs to decide anew.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def native_runtime(tmp_path_factory):
    """A runtime folder with the sources and the object of the build."""
    folder = tmp_path_factory.mktemp("runtime") / "nuclio_worker"
    folder.mkdir()
    native = build_folder() / "nuclio_worker/_native.abi3.so"
    assert native.exists(), "{0} is not built".format(native)
    for file in [*(RUNTIME / "nuclio_worker").glob("*.py"), native]:
        (folder / file.name).symlink_to(file)
    return folder.parent


@pytest.fixture(params=["pure", "native", "ring"])
def transport(request):
    """The pure worker and the compiled one, both over the socket, and the compiled one over a ring."""
    return request.param


@pytest.fixture
def runtime(transport, native_runtime):
    """A runtime folder whose worker is of that kind; the sources have no object."""
    return RUNTIME if transport == "pure" else native_runtime


@pytest.fixture
def make_end(transport):
    """make_end() → our end of a connection to a worker of that kind. Closed with the test."""
    with contextlib.ExitStack() as stack:

        def make(limit=frames.DEFAULT_LIMIT):
            end = (RingEnd if transport == "ring" else SocketEnd)(limit)
            stack.callback(end.close)
            return end

        yield make


@pytest.fixture
def connect(transport, make_end):
    """connect() → (our end, a Connection at the other), in this process."""
    with contextlib.ExitStack() as stack:

        def begin(limit=frames.DEFAULT_LIMIT, raw=False):
            end = make_end(limit)
            passed = [os.dup(descriptor) for descriptor in end.passed()]
            end.given()
            if transport == "pure":
                conn = pure_connection.Connection(passed[0], limit, event.RawEvent if raw else event.Event)
            else:
                from nuclio_worker import _native

                conn = _native.Connection(passed[0], limit, raw, tuple(passed[1:]))
            stack.callback(conn.close)
            return end, conn

        yield begin


@pytest.fixture
def event_of(connect):
    """event_of(frame's bytes) → what a handler gets."""

    def make(data, raw=False):
        end, conn = connect(raw=raw)
        end.send(data)
        return conn.event(conn.receive())

    return make


@pytest.fixture
def start(tmp_path, runtime, make_end):
    """start(source, handler=…) → (Worker, its start frame). What was started is ended with the test."""
    with contextlib.ExitStack() as stack:

        def begin(source=None, handler="main:handler", files=(), options=(), environment=(), python=sys.executable):
            for name, text in dict(files, **({"main.py": source} if source is not None else {})).items():
                path = tmp_path / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(textwrap.dedent(text))
            end = make_end()
            passed = end.passed()
            # The interpreter's own warnings are errors: a supported version must not complain about the worker.
            command = [python, "-u", "-W", "error", str(runtime / "nuclio_worker"), "--fd", str(passed[0])]
            if passed[1:]:
                command += ["--ring", ",".join(map(str, passed[1:]))]
            process = subprocess.Popen(
                command + ["--handler", handler, "--code", str(tmp_path), *options],
                pass_fds=passed,
                cwd=tmp_path,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": site_packages(), **dict(environment)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            end.given()
            worker = Worker(process, end)
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

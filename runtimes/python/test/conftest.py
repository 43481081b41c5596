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

TEST = pathlib.Path(__file__).resolve().parent
RUNTIME = TEST.parent
ROOT = RUNTIME.parent.parent
PATIENCE_SECONDS = 20

sys.path.insert(0, str(RUNTIME))


def site_packages():
    """The folder that has nuclio_sdk: named, this interpreter's own, or the build's."""
    if "NUCLIO_SITE_PACKAGES" in os.environ:
        return os.environ["NUCLIO_SITE_PACKAGES"]
    try:
        import nuclio_sdk

        return str(pathlib.Path(nuclio_sdk.__file__).parent.parent)
    except ModuleNotFoundError:
        return str(ROOT / "build/release/share/nuclio/runtimes/python/site-packages")


if site_packages() not in sys.path:
    sys.path.append(site_packages())

import nuclio_worker  # noqa: E402
from nuclio_worker import connection, event, frames  # noqa: E402


def build_folder():
    """Where the build put the runtime, with the compiled half of the worker."""
    programs = os.environ.get("NUCLIO_BIN", str(ROOT / "build/release/bin"))
    return pathlib.Path(programs).parent / "share/nuclio/runtimes/python"


# The sources are tested with the object of the build.
nuclio_worker.__path__.append(str(build_folder() / "nuclio_worker"))


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
            conn = connection.Connection(theirs.detach(), limit, event.RawEvent if raw else event.Event)
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


class Worker:
    """A running worker and our end of its socket."""

    def __init__(self, process, end):
        self.process = process
        self._end = end
        self._call = 0

    def send(self, *arguments, **named):
        self._end.sendall(b"".join(frames.encode(*arguments, **named)))

    def receive(self):
        """The next frame, None at the end."""
        head = self._exactly(4)
        if head is None:
            return None
        length = int.from_bytes(head, "little")
        return frames.decode(head + self._exactly(length - 4))

    def _exactly(self, count):
        data = bytearray()
        while len(data) < count:
            more = self._end.recv(count - len(data))
            if not more:
                assert not data, "the worker ended in the midst of a frame"
                return None
            data += more
        return bytes(data)

    def event(self, body=b"", content_type=b"text/plain", headers=(), call=None, **named):
        """Sends an event and gives its call id."""
        self._call = call or self._call + 1
        event = {"id": b"id", "method": b"POST", "path": b"/", "trigger_kind": b"http", "trigger_name": b"default-http"}
        event.update(named)
        self.send(
            frames.EVENT,
            self._call,
            numbers=(-1, 0, 0),
            strings=(
                event["id"],
                event["method"],
                event["path"],
                b"http://x/",
                content_type,
                event["trigger_kind"],
                event["trigger_name"],
            ),
            headers=headers,
            body=body,
        )
        return self._call

    def ask(self, body=b"", **named):
        """Sends an event and gives the reply to it; what is logged meanwhile is dropped."""
        call = self.event(body, **named)
        reply = self.receive()
        while reply is not None and reply.type == frames.LOG:
            reply = self.receive()
        assert reply is not None, "the worker ended"
        assert reply.call == call
        return reply

    def close(self):
        self._end.close()

    def exit_code(self):
        return self.process.wait(PATIENCE_SECONDS)

    def stderr(self):
        return self.process.stderr.read().decode()


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

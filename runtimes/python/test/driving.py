# SPDX-License-Identifier: Apache-2.0
"""The processor's side of a worker, for the tests."""

import os
import pathlib
import sys

TEST = pathlib.Path(__file__).resolve().parent
RUNTIME = TEST.parent
ROOT = RUNTIME.parent.parent


def site_packages():
    """The folder that has nuclio_sdk: named, this interpreter's own, or the build's."""
    if "NUCLIO_SITE_PACKAGES" in os.environ:
        return os.environ["NUCLIO_SITE_PACKAGES"]
    try:
        import nuclio_sdk

        return str(pathlib.Path(nuclio_sdk.__file__).parent.parent)
    except ModuleNotFoundError:
        return str(ROOT / "build/release/share/nuclio/runtimes/python/site-packages")


def build_folder():
    """Where the build put the runtime, with the compiled half of the worker."""
    programs = os.environ.get("NUCLIO_BIN", str(ROOT / "build/release/bin"))
    return pathlib.Path(programs).parent / "share/nuclio/runtimes/python"


sys.path.insert(0, str(RUNTIME))
if site_packages() not in sys.path:
    sys.path.append(site_packages())

import nuclio_worker  # noqa: E402
from ends import PATIENCE_SECONDS  # noqa: E402
from nuclio_worker import frames  # noqa: E402

# The sources are tested with the object of the build.
nuclio_worker.__path__.append(str(build_folder() / "nuclio_worker"))


class Worker:
    """A running worker and our end of its connection."""

    def __init__(self, process, end):
        self.process = process
        self._end = end
        self._call = 0

    def send(self, *arguments, **named):
        self._end.send(b"".join(frames.encode(*arguments, **named)))

    def send_bytes(self, *frames):
        """Frames as they are, all there before the worker sees the first."""
        self._end.send(*frames)

    def mapped(self):
        return self._end.mapped()

    def receive(self):
        """The next frame, None at the end."""
        data = self._end.receive()
        return None if data is None else frames.decode(data)

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

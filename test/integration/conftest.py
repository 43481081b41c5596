# SPDX-License-Identifier: Apache-2.0
import fcntl
import os

import certificates
import making
import pytest
import running


@pytest.fixture(scope="module")
def start_processor(tmp_path_factory):
    """start_processor(code, spec=…, platform=…) gives a running Processor; code is a name in functions/ or a path.

    They are shared by the tests of a file and must end cleanly.
    """
    started = []

    def start(code, spec=None, **options):
        path = running.FUNCTIONS / code if isinstance(code, str) else code
        processor = running.Processor(tmp_path_factory.mktemp("processor") / "fn", path, spec, **options)
        started.append(processor)
        return processor.start()

    yield start
    for processor in started:
        processor.stop()


@pytest.fixture(scope="module", params=running.TRANSPORTS)
def transport(request):
    """What carries events to the workers: each test that takes it, or `start_over`, runs over each."""
    return request.param


@pytest.fixture(scope="module")
def start_over(transport, start_processor):
    """start_processor over the test's transport."""

    def start(code, spec=None, platform=None, **options):
        return start_processor(code, spec, platform=running.over(transport, platform), **options)

    return start


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory):
    """A running dashboard with an empty home, shared by the tests of a file."""
    board = running.Dashboard(tmp_path_factory.mktemp("home") / "nuclio")
    yield board.start()
    board.stop()


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    """A folder as a kubernetes.io/tls secret is mounted."""
    folder = tmp_path_factory.mktemp("secret")
    certificates.write(folder)
    return folder


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """The folder with the images of this run of the tests, which take a minute or two, once for all of them."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    out = shared / "images"
    with open(shared / "images.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "images.made").exists():
            making.make_of_shared(out)
            (shared / "images.made").touch()
    return out

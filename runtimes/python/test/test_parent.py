# SPDX-License-Identifier: Apache-2.0
"""The warm parent: a test is its parent, and so the parent of the workers that it forks."""

import json
import os
import pathlib
import resource
import select
import signal
import socket
import subprocess
import sys
import textwrap

import pytest
from driving import PATIENCE_SECONDS, Worker, site_packages
from nuclio_worker import frames

HELLO = "def handler(context, event):\n    return 'hello'\n"


class Parent:
    """A running warm parent and our end of its control socket."""

    def __init__(self, process, control, make_end):
        self.process = process
        self.control = control
        self._make_end = make_end
        self.workers = []

    def told(self):
        """What it says next, None at its end."""
        packet = self.control.recv(1 << 16)
        return json.loads(packet) if packet else None

    def order(self, worker_id, memory_limit=0, descriptor_limit=0, **changed):
        end = self._make_end()
        order = {"worker_id": worker_id, "trigger_kind": "http", "trigger_name": "h"}
        order.update(memory_limit=memory_limit, descriptor_limit=descriptor_limit, **changed)
        socket.send_fds(self.control, [json.dumps(order).encode()], end.passed())
        end.given()
        return end

    def worker(self, worker_id="0", **named):
        """Orders a worker and waits until it is ready: (Worker, its start frame)."""
        end = self.order(worker_id, **named)
        told = self.told()
        assert told["worker_id"] == worker_id, told
        worker = Worker(Adopted(told["pid"]), end)
        self.workers.append(worker)
        first = worker.receive()
        assert first.number(0) == told["pid"]
        return worker, first

    def close(self):
        self.control.close()


class Adopted:
    """A process that somebody else started, but whose parent we are: what Worker uses of subprocess.Popen."""

    def __init__(self, pid):
        self.pid = pid
        self._code = None

    def wait(self, timeout):
        if self._code is None:
            descriptor = os.pidfd_open(self.pid)
            try:
                wait_for_end(descriptor, timeout)
            finally:
                os.close(descriptor)
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._code

    def kill(self):
        if self._code is None:
            os.kill(self.pid, signal.SIGKILL)


def wait_for_end(pidfd, timeout):
    if not select.select([pidfd], [], [], timeout)[0]:
        raise subprocess.TimeoutExpired("worker", timeout)


@pytest.fixture
def parent(tmp_path, runtime, make_end):
    """parent(source, options) → Parent. Ended with the test, with its workers."""
    begun = []

    def begin(source=HELLO, options=(), handler="main:handler", python=sys.executable, environment=()):
        (tmp_path / "main.py").write_text(textwrap.dedent(source))
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(PATIENCE_SECONDS)
        command = [python, "-u", "-W", "error", str(runtime / "nuclio_worker"), "--parent-fd", str(theirs.fileno())]
        process = subprocess.Popen(
            [*command, "--handler", handler, "--code", str(tmp_path), *options],
            pass_fds=[theirs.fileno()],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": site_packages(), **dict(environment)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        theirs.close()
        begun.append(Parent(process, ours, make_end))
        return begun[-1]

    yield begin
    for one in begun:
        one.close()
        for worker in one.workers:
            worker.close()
            try:
                worker.exit_code()
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait(PATIENCE_SECONDS)
                raise
        one.process.wait(PATIENCE_SECONDS)
        one.process.stdout.close()
        one.process.stderr.close()


# Only the compiled half can fork.
only_native = pytest.mark.parametrize("transport", ["native", "ring"], indirect=True)


@only_native
def test_it_forks_workers_that_are_our_children(parent):
    warm = parent()
    assert warm.told() == {"ready": True}
    workers = [warm.worker(str(n))[0] for n in range(3)]
    for worker in workers:
        assert worker.ask().body() == b"hello"
        status = pathlib.Path("/proc/{0}/status".format(worker.process.pid)).read_text()
        assert "\nPPid:\t{0}\n".format(os.getpid()) in status
        assert os.getpgid(worker.process.pid) == worker.process.pid
    for worker in workers:
        worker.close()
        assert worker.exit_code() == 0
    assert warm.process.poll() is None


@only_native
def test_a_worker_is_what_was_ordered(parent):
    warm = parent(
        """
        import nuclio_sdk, os, threading

        def handler(context, event):
            descriptors = ["/proc/self/fd/" + number for number in os.listdir("/proc/self/fd")]
            return {
                "worker": context.worker_id,
                "trigger": [context.trigger.kind, context.trigger.name],
                "platform": [context.platform.kind, context.platform.namespace],
                "pid": os.getpid(),
                "thread": threading.get_native_id(),
                "sockets": sum(os.path.realpath(one).count("socket:") for one in descriptors),
            }
        """,
        options=["--platform-kind", "kube", "--namespace", "media"],
    )
    warm.told()
    answers = []
    for n in range(2):
        worker, _ = warm.worker(str(n), trigger_kind="cron", trigger_name="tick")
        answers.append(json.loads(worker.ask().body()))
    for n, answer in enumerate(answers):
        assert answer["worker"] == str(n)
        assert answer["trigger"] == ["cron", "tick"]
        assert answer["platform"] == ["kube", "media"]
        assert answer["pid"] == warm.workers[n].process.pid
        assert answer["thread"] == answer["pid"]
        assert answer["sockets"] == 1, "no worker has what another was given"


@only_native
def test_two_workers_answer_at_the_same_time(parent):
    warm = parent(
        """
        import os

        def handler(context, event):
            with open(event.body.decode()) as pipe:
                return pipe.read()
        """
    )
    warm.told()
    pipe = warm.process.args[-1] + "/pipe"
    os.mkfifo(pipe)
    first, second = warm.worker("0")[0], warm.worker("1")[0]
    call = first.event(pipe.encode())
    assert second.ask(b"/dev/null").body() == b""
    with open(pipe, "w") as file:
        file.write("released")
    reply = first.receive()
    assert (reply.call, reply.body()) == (call, b"released")


@only_native
def test_what_is_random_differs_between_workers(parent):
    warm = parent("import random\ndef handler(c, e):\n    return str(random.random())\n", options=["--preload", "true"])
    warm.told()
    assert len({warm.worker(str(n))[0].ask().body() for n in range(3)}) == 3


@only_native
@pytest.mark.parametrize("preload", ["true", "false"])
def test_the_module_is_imported_once_with_preload_and_else_in_each_worker(parent, preload):
    warm = parent(
        "import os\npid = os.getpid()\nprint('imported', flush=True)\n"
        "def handler(context, event):\n    return str(pid)\n",
        options=["--preload", preload],
    )
    warm.told()
    seen = [int(warm.worker(str(n))[0].ask().body()) for n in range(2)]
    pids = [worker.process.pid for worker in warm.workers]
    assert seen == ([warm.process.pid] * 2 if preload == "true" else pids)


@only_native
def test_a_module_that_cannot_be_preloaded_is_told(parent):
    warm = parent("1 / 0\n", options=["--preload", "true"])
    told = warm.told()
    assert "importing module main raised ZeroDivisionError: division by zero" in told["failed"]
    assert 'main.py", line 1, in <module>' in told["traceback"]
    assert warm.told() is None
    assert warm.process.wait(PATIENCE_SECONDS) == 1


@only_native
def test_threads_do_not_survive_a_preload(parent):
    warm = parent(
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n" + HELLO,
        options=["--preload", "true"],
    )
    assert "importing it starts threads" in warm.told()["failed"]


@only_native
@pytest.mark.parametrize(
    "source, handler, says",
    [
        ("1 / 0\n", "main:handler", "importing module main raised ZeroDivisionError"),
        ("def handler(context, event)\n", "main:handler", "main.py:1: expected ':'"),
        (HELLO, "nope:handler", 'there is no module "nope"'),
    ],
)
def test_without_preload_the_worker_tells_what_is_wrong_with_the_module(parent, source, handler, says):
    warm = parent(source, handler=handler)
    assert warm.told() == {"ready": True}
    for n in range(2):
        worker, first = warm.worker(str(n))
        assert first.flags == frames.FAILED
        assert says in first.text(0)
        assert worker.exit_code() == 1


@only_native
def test_limits_hold_in_the_worker_alone(parent):
    warm = parent(
        """
        import resource

        def handler(context, event):
            if event.body == b"eat":
                return str(len(bytearray(1 << 30)))
            return [list(resource.getrlimit(what)) for what in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE)]
        """
    )
    warm.told()
    worker, _ = warm.worker("0", memory_limit=512 << 20, descriptor_limit=64)
    assert json.loads(worker.ask().body()) == [[(512 << 20) + worker.mapped()] * 2, [64] * 2]
    reply = worker.ask(b"eat")
    assert (reply.flags, b"MemoryError" in reply.raw(3)) == (frames.FAILED, True)
    unlimited, _ = warm.worker("1")
    assert json.loads(unlimited.ask().body()) == [
        list(resource.getrlimit(what)) for what in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE)
    ]
    assert unlimited.ask(b"eat").body() == str(1 << 30).encode()


@only_native
def test_it_ends_when_its_socket_closes_and_its_workers_go_on(parent):
    warm = parent()
    warm.told()
    worker, _ = warm.worker()
    warm.close()
    assert warm.process.wait(PATIENCE_SECONDS) == 0
    assert worker.ask().body() == b"hello"


@only_native
def test_what_cannot_be_done_is_told_and_the_next_order_is_carried_out(parent):
    warm = parent()
    warm.told()
    warm.control.send(b'{"worker_id": "7"}')
    assert warm.told() == {"error": "the order has no socket", "worker_id": "7"}
    assert warm.worker("8")[0].ask().body() == b"hello"


@only_native
def test_workers_die_with_the_processor(runtime, tmp_path):
    # The processor is a process between: it orders two workers, one of them busy, and is killed.
    (tmp_path / "main.py").write_text(
        "import time\ndef handler(context, event):\n    context.logger.info('busy')\n    time.sleep(1000)\n"
    )
    processor = subprocess.Popen(
        [sys.executable, str(pathlib.Path(__file__).with_name("doomed_processor.py")), str(runtime), str(tmp_path)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": site_packages()},
        stdout=subprocess.PIPE,
    )
    pids = json.loads(processor.stdout.readline())
    descriptors = [os.pidfd_open(pid) for pid in pids]
    processor.kill()
    processor.wait()
    processor.stdout.close()
    for descriptor in descriptors:
        wait_for_end(descriptor, PATIENCE_SECONDS)
        os.close(descriptor)


@pytest.mark.parametrize("transport", ["pure"], indirect=True)
def test_an_interpreter_without_the_compiled_half_says_so(parent):
    warm = parent()
    assert list(warm.told()) == ["unsupported"]
    assert warm.told() is None
    assert warm.process.wait(PATIENCE_SECONDS) == 0

# SPDX-License-Identifier: Apache-2.0
"""A worker's life: start, context, logs, asyncio, callbacks, cancel, end."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys

import pytest
from driving import site_packages
from nuclio_worker import frames

RUNTIME = pathlib.Path(__file__).resolve().parent.parent

HELLO = """
    def handler(context, event):
        return "hello"
"""


def test_it_says_that_it_is_ready_and_what_it_is(start):
    worker, first = start(HELLO)
    assert (first.type, first.flags, first.number(0)) == (frames.START, 0, worker.process.pid)
    assert first.text(2) == "python {0}.{1}.{2}, nuclio-sdk 0.6.3".format(*sys.version_info[:3])
    assert worker.ask().body() == b"hello"


def test_it_uses_the_compiled_half_when_it_is_there(start, runtime):
    worker, _ = start("def handler(context, event):\n    return type(event).__module__\n")
    built = any((runtime / "nuclio_worker").glob("_native*"))
    assert worker.ask().body() == (b"nuclio_worker._native" if built else b"nuclio_worker.event")


def test_it_wakes_up_once_for_an_event(start):
    """And not again when its answer is read, which costs two switches of context for nothing."""

    def wakeups():
        status = pathlib.Path("/proc/{0}/status".format(worker.process.pid)).read_text()
        return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])

    worker, _ = start(HELLO)
    worker.ask()
    before = wakeups()
    for _ in range(300):
        worker.ask()
    assert wakeups() - before <= 360


CANNOT_START = {
    "no colon": ({"handler": "main"}, 'handler "main" must be written module:function, for example main:handler'),
    "no module": (
        {"handler": "nope:handler", "files": {"one.py": "", "two.py": ""}},
        'there is no module "nope" in {code}; its modules are: main, one, two',
    ),
    "no submodule": (
        {"handler": "pkg.nope:handler", "files": {"pkg/__init__.py": ""}},
        'there is no module "pkg.nope" in {code}',
    ),
    "no name": (
        {"handler": "main:nope", "source": "def foo(): pass\ndef bar(): pass\nimport os\n"},
        'handler "main:nope": module main has no attribute "nope"; it defines: bar, foo',
    ),
    "no function": ({"source": "handler = 5\n"}, '"handler" in module main is a int and cannot be called'),
    "syntax": (
        {"source": "import os\ndef handler(context, event)\n    pass\n"},
        "handler \"main:handler\": main.py:2: expected ':', in: def handler(context, event)",
    ),
    "syntax elsewhere": (
        {"source": "import other\n", "files": {"other.py": "x = = 1\n"}},
        'handler "main:handler": other.py:1: invalid syntax, in: x = = 1',
    ),
    "missing dependency": (
        {"source": "import no_such_package\n"},
        'there is no module "no_such_package"; if it is a package, name it in requirements.txt',
    ),
    "import raised": ({"source": "1 / 0\n"}, "importing module main raised ZeroDivisionError: division by zero"),
    "import exited": ({"source": "import sys\nsys.exit(3)\n"}, "importing module main ended the process with exit(3)"),
    "init raised": (
        {"source": HELLO + "    def init_context(context):\n        raise KeyError('db')\n"},
        "init_context in module main raised KeyError: 'db'",
    ),
    "async init raised": (
        {"source": HELLO + "    async def init_context(context):\n        raise KeyError('db')\n"},
        "init_context in module main raised KeyError: 'db'",
    ),
    "log level": (
        {"options": ["--log-level", "loud"]},
        'the log level must be one of debug, info, warn, warning, error, is "loud"',
    ),
}


@pytest.mark.parametrize("how, says", CANNOT_START.values(), ids=CANNOT_START)
def test_it_says_why_it_cannot_start(start, tmp_path, how, says):
    worker, first = start(**{"source": HELLO, **how})
    assert (first.type, first.flags) == (frames.START, frames.FAILED)
    message = first.text(0)
    if "expected ':'" in says and sys.version_info < (3, 10):
        says = says.replace("expected ':'", "invalid syntax")
    assert says.replace("{code}", str(tmp_path)) in message
    assert "\n" not in message
    assert "nuclio_worker" not in first.text(1)
    assert worker.receive() is None
    assert worker.exit_code() == 1


def test_a_failed_import_has_the_users_traceback(start):
    _, first = start("def f():\n    1 / 0\nf()\n")
    assert 'main.py", line 2, in f' in first.text(1)
    assert "importlib" not in first.text(1)


def test_a_handler_may_live_in_a_package(start):
    worker, _ = start(
        handler="pkg.sub.deep:serve", files={"pkg/sub/deep.py": "def serve(c, e):\n    return __name__\n"}
    )
    assert worker.ask().body() == b"pkg.sub.deep"


def test_a_functions_modules_win_over_the_workers_own(start):
    source = "import frames, worker, test\ndef handler(c, e):\n    return frames.X + worker.X + test.X\n"
    worker, _ = start(source, files={name + ".py": "X = '%s.'" % name for name in ("frames", "worker", "test")})
    assert worker.ask().body() == b"frames.worker.test."


def test_the_context_has_what_the_sdk_promises(start):
    worker, _ = start(
        """
        import nuclio_sdk

        def init_context(context):
            context.user_data.count = 40

        def handler(context, event):
            context.user_data.count += 1
            return {
                "is": isinstance(context, nuclio_sdk.Context),
                "worker": context.worker_id,
                "trigger": [context.trigger.kind, context.trigger.name, context.trigger_name],
                "platform": [context.platform.kind, context.platform.namespace],
                "response": context.Response is nuclio_sdk.Response,
                "count": context.user_data.count,
            }
        """,
        options=["--worker-id", "3", "--trigger-kind", "cron", "--trigger-name", "tick", "--platform-kind", "kube"]
        + ["--namespace", "media"],
    )
    worker.ask()
    assert json.loads(worker.ask().body()) == {
        "is": True,
        "worker": "3",
        "trigger": ["cron", "tick", "tick"],
        "platform": ["kube", "media"],
        "response": True,
        "count": 42,
    }


def test_log_lines_are_frames_of_their_call(start):
    worker, _ = start(
        """
        def init_context(context):
            context.logger.info("starting")

        def handler(context, event):
            context.logger.debug("d")
            context.logger.info("sum %d", 3)
            context.logger.warn_with("low", left=3, what=b"x")
            context.logger.bind(tenant="a")
            context.logger.error_with("bad", n=1)
            return "done"
        """
    )
    # The line of init_context came before the start frame, which the fixture took for it.
    assert worker.receive().type == frames.START
    call = worker.event()
    lines = [worker.receive() for _ in range(4)]
    assert {(line.type, line.call) for line in lines} == {(frames.LOG, call)}
    assert [(line.number(0), line.text(0)) for line in lines] == [(0, "d"), (1, "sum 3"), (2, "low"), (3, "bad")]
    assert json.loads(lines[2].text(1)) == {"left": 3, "what": "b'x'"}
    assert json.loads(lines[3].text(1)) == {"n": 1, "tenant": "a"}
    assert lines[0].text(1) == ""
    assert all(line.timestamp_ns > 1_600_000_000 * 10**9 for line in lines)
    assert worker.receive().body() == b"done"


def test_lines_below_the_level_are_not_sent(start):
    source = (
        "def handler(context, event):\n    context.logger.info('no')\n    context.logger.warn('yes')\n    return ''\n"
    )
    worker, _ = start(source, options=["--log-level", "warn"])
    worker.event()
    assert worker.receive().text(0) == "yes"
    assert worker.receive().type == frames.REPLY


def test_what_a_function_prints_is_not_the_wires_business(start):
    worker, _ = start(
        "import sys\ndef handler(c, e):\n    print('out')\n    print('err', file=sys.stderr)\n    return 'x'\n"
    )
    assert worker.ask().body() == b"x"
    worker.close()
    assert worker.exit_code() == 0
    assert worker.process.stdout.read() == b"out\n"
    assert worker.stderr() == "err\n"


def test_coroutine_handlers_run_one_at_a_time_with_background_tasks_between(start):
    worker, _ = start(
        """
        import asyncio

        async def tick(context):
            while True:
                context.user_data.ticks += 1
                await asyncio.sleep(0)

        async def init_context(context):
            context.user_data.ticks = 0
            context.user_data.running = 0
            context.user_data.task = asyncio.create_task(tick(context))

        async def handler(context, event):
            context.user_data.running += 1
            together = context.user_data.running
            await asyncio.sleep(0.002)
            context.user_data.running -= 1
            return {"together": together, "ticks": context.user_data.ticks}
        """
    )
    calls = [worker.event() for _ in range(5)]
    replies = [worker.receive() for _ in calls]
    assert [reply.call for reply in replies] == calls
    answers = [json.loads(reply.body()) for reply in replies]
    assert {answer["together"] for answer in answers} == {1}
    ticks = [answer["ticks"] for answer in answers]
    assert ticks == sorted(set(ticks)), "background tasks go on between and during the events"
    worker.close()
    assert worker.exit_code() == 0
    assert worker.stderr() == ""


def test_a_plain_handler_may_use_the_running_loop_when_it_knows_asyncio(start):
    worker, _ = start(
        """
        import asyncio
        done = []

        async def later():
            done.append(1)

        def handler(context, event):
            asyncio.get_running_loop().create_task(later())
            return str(len(done))
        """
    )
    assert [worker.ask().body() for _ in range(3)] == [b"0", b"1", b"2"]


def test_an_awaitable_from_a_plain_handler_is_awaited(start):
    worker, _ = start(
        """
        def handler(context, event):
            import asyncio

            async def answer():
                await asyncio.sleep(0)
                return "awaited"

            return answer()
        """
    )
    assert [worker.ask().body() for _ in range(3)] == [b"awaited"] * 3


def test_explicit_acks_become_ack_frames(start):
    worker, _ = start(
        """
        import nuclio_sdk

        async def handler(context, event):
            await context.platform.explicit_ack(nuclio_sdk.QualifiedOffset("orders", 3, 77))
            response = nuclio_sdk.Response()
            response.ensure_no_ack()
            return response
        """
    )
    worker.event()
    ack = worker.receive()
    assert (ack.type, ack.text(0), ack.number(0), ack.number(1)) == (frames.ACK, "orders", 3, 77)
    assert worker.receive().raw_headers() == [(b"x-nuclio-stream-no-ack", b"true")]


CALLBACKS = """
    {imports}
    def init_context(context):
        {kind} drained():
            context.logger.info("draining")
        {kind} ended():
            context.logger.info("ending")
        context.platform.set_drain_callback(drained)
        context.platform.set_termination_callback(ended)

    def handler(context, event):
        return "x"
"""


@pytest.mark.parametrize("imports", ["", "import asyncio"])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_callbacks_run_when_the_processor_says_so(start, kind, imports):
    worker, _ = start(CALLBACKS.format(kind=kind, imports=imports))

    def control(kind, call):
        worker.send(frames.CONTROL, call, numbers=(kind,))
        line, done = worker.receive(), worker.receive()
        assert (done.type, done.call, done.number(0)) == (frames.CONTROL, call, frames.DONE)
        return line.text(0)

    assert control(frames.DRAIN, 11) == "draining"
    worker.send(frames.CONTROL, 12, numbers=(frames.CONTINUE,))
    assert worker.ask().body() == b"x"
    assert control(frames.TERMINATE, 13) == "ending"
    assert worker.receive() is None
    assert worker.exit_code() == 0
    assert worker.stderr() == ""


def test_a_callback_that_raises_is_logged_and_done_all_the_same(start):
    worker, _ = start(
        "def init_context(context):\n    context.platform.set_termination_callback(lambda: 1 / 0)\n"
        "def handler(context, event):\n    return ''\n"
    )
    worker.send(frames.CONTROL, 1, numbers=(frames.TERMINATE,))
    line = worker.receive()
    assert (line.number(0), line.text(0)) == (3, "The termination callback raised ZeroDivisionError: division by zero")
    assert worker.receive().number(0) == frames.DONE
    assert worker.exit_code() == 0


def test_without_callbacks_terminate_is_done_at_once(start):
    worker, _ = start(HELLO)
    worker.send(frames.CONTROL, 1, numbers=(frames.TERMINATE,))
    assert worker.receive().number(0) == frames.DONE
    assert worker.exit_code() == 0


def test_a_cancelled_coroutine_is_answered_and_the_worker_goes_on(start):
    worker, _ = start(
        """
        import asyncio

        async def handler(context, event):
            if event.body == b"wait":
                context.logger.info("waiting")
                await asyncio.Event().wait()
            return "fine"
        """
    )
    for _ in range(2):
        call = worker.event(b"wait")
        assert worker.receive().text(0) == "waiting"
        worker.send(frames.CANCEL, call)
        reply = worker.receive()
        assert (reply.call, reply.flags) == (call, frames.FAILED)
        assert "the call was cancelled" in reply.text(2)
        worker.send(frames.CANCEL, call)
        assert worker.ask(b"").body() == b"fine"


@pytest.mark.parametrize("imports", ["", "import asyncio\n"])
def test_a_call_cancelled_before_it_began_is_not_made(start, transport, imports):
    worker, _ = start(
        imports + "calls = []\ndef handler(context, event):\n    calls.append(event.body)\n    return repr(calls)\n"
    )
    given_up, first, second = (
        b"".join(parts)
        for parts in (
            frames.encode(frames.CANCEL, 2),
            frames.encode(frames.EVENT, 1, body=b"a"),
            frames.encode(frames.EVENT, 2, body=b"b"),
        )
    )
    # A ring tells of it by a word beside the frames, a socket by a frame that comes after them.
    worker.send_bytes(*([given_up, first, second] if transport == "ring" else [first, second, given_up]))
    replies = [worker.receive(), worker.receive()]
    assert [(reply.call, reply.flags) for reply in replies] == [(1, 0), (2, frames.FAILED)]
    assert worker.ask(b"c", call=3).body() == b"[b'a', b'c']"


@pytest.mark.parametrize("imports", ["", "import asyncio\n"])
@pytest.mark.parametrize("leave, code", [("sys.exit(3)", 3), ("os._exit(4)", 4), ("os.kill(os.getpid(), 9)", -9)])
def test_a_handler_that_ends_the_process_ends_the_worker(start, leave, code, imports):
    worker, _ = start(imports + "import os, sys\ndef handler(context, event):\n    " + leave + "\n")
    worker.event()
    assert worker.receive() is None
    assert worker.exit_code() == code


@pytest.mark.parametrize("imports", ["", "import asyncio\n"])
def test_it_ends_quietly_when_the_socket_closes(start, imports):
    worker, _ = start(imports + "def handler(context, event):\n    return 'x'\n")
    worker.ask()
    worker.close()
    assert worker.exit_code() == 0
    assert worker.stderr() == ""


def test_it_refuses_what_is_no_frame_and_says_so(start):
    worker, _ = start(HELLO)
    worker.send_bytes(b"8\0\0\0" + b"what is this?\n".ljust(52, b"."))
    assert worker.receive() is None
    assert worker.exit_code() == 1
    assert "The processor sent what the worker does not understand" in worker.stderr()


def test_a_forked_process_neither_holds_the_socket_nor_writes_to_it(start):
    worker, _ = start(
        """
        import os

        def handler(context, event):
            reader, writer = os.pipe()
            child = os.fork()
            if child == 0:
                context.logger.info("from the child")
                os.write(writer, b"child ran")
                os._exit(0)
            os.waitpid(child, 0)
            return os.read(reader, 100)
        """
    )
    assert worker.ask().body() == b"child ran"
    worker.close()
    assert worker.exit_code() == 0
    assert worker.stderr() == "from the child\n"


def test_threads_may_log_while_the_handler_answers(start):
    worker, _ = start(
        """
        import threading

        def handler(context, event):
            threads = [threading.Thread(target=context.logger.info, args=("x" * 20000,)) for _ in range(20)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            return b"y" * 200000
        """
    )
    worker.event()
    lines = [worker.receive() for _ in range(20)]
    assert {line.text(0) for line in lines} == {"x" * 20000}
    assert worker.receive().body_length == 200000


@pytest.mark.parametrize("transport", ["ring"], indirect=True)
@pytest.mark.parametrize("imports", ["", "import asyncio\n"])
def test_many_answers_wait_until_the_processor_takes_them(start, imports):
    # Far more than the slots and the memory of a ring.
    worker, _ = start(imports + "def handler(context, event):\n    return event.body * int(event.path)\n")
    sizes = [1, 5 << 20, 0, 2 << 20, 3, 2 << 20, 2 << 20, 6 << 20] + [1 << 18] * 30 + [1] * 20
    calls = [worker.event(b"x", path=str(size).encode()) for size in sizes]
    for call, size in zip(calls, sizes):
        reply = worker.receive()
        assert (reply.call, reply.body_length) == (call, size)
        assert reply.body().count(b"x") == size


@pytest.mark.parametrize("imports", ["", "import asyncio\n"])
def test_streams_wait_while_the_processor_does_not_read(start, imports):
    worker, _ = start(
        imports + "def handler(context, event):\n    for n in range(100):\n        yield bytes([n]) * 100_000\n"
    )
    call = worker.event()
    for n in range(100):
        piece = worker.receive()
        assert (piece.call, piece.body()) == (call, bytes([n]) * 100_000)
    assert worker.receive().flags == 0
    assert worker.event() == call + 1


@pytest.mark.parametrize("imports", ["", "import asyncio\n"])
def test_a_thread_logs_while_nothing_is_to_be_done(start, tmp_path, imports):
    os.mkfifo(tmp_path / "pipe")
    worker, _ = start(
        imports
        + """
import threading

def wait_and_tell(context, path):
    with open(path) as pipe:
        context.logger.info(pipe.read())

def handler(context, event):
    threading.Thread(target=wait_and_tell, args=(context, event.body.decode())).start()
    return "waiting"
"""
    )
    assert worker.ask(str(tmp_path / "pipe").encode()).body() == b"waiting"
    (tmp_path / "pipe").write_text("told")
    line = worker.receive()
    assert (line.type, line.text(0)) == (frames.LOG, "told")


@pytest.mark.parametrize("imports", ["", "import asyncio\n"])
def test_a_functions_signal_handlers_run_while_it_waits_for_events(start, imports):
    worker, _ = start(
        imports
        + """
import signal

def init_context(context):
    signal.signal(signal.SIGUSR1, lambda number, frame: context.logger.info("signalled"))

def handler(context, event):
    return "hello"
"""
    )
    worker.ask()
    for _ in range(3):
        os.kill(worker.process.pid, signal.SIGUSR1)
        assert worker.receive().text(0) == "signalled"
        assert worker.ask().body() == b"hello"


@pytest.mark.parametrize("body", [b"wait", b""])
def test_an_interrupt_ends_it_as_it_ends_python(start, body):
    worker, _ = start(
        """
        import time

        def handler(context, event):
            context.logger.info("here")
            while event.body:
                time.sleep(100)
        """
    )
    call = worker.event(body)
    assert worker.receive().text(0) == "here"
    if not body:
        assert worker.receive().call == call
    os.kill(worker.process.pid, signal.SIGINT)
    assert worker.receive() is None
    assert worker.exit_code() == -signal.SIGINT
    assert worker.stderr().endswith("KeyboardInterrupt\n")


def test_a_wrong_option_is_named():
    run = subprocess.run(
        [sys.executable, str(RUNTIME / "nuclio_worker"), "--what", "x"], capture_output=True, text=True
    )
    assert run.returncode == 2
    assert "--what is no option" in run.stderr


def test_a_ring_is_refused_by_who_cannot_use_it():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [sys.executable, str(RUNTIME / "nuclio_worker"), "--fd", str(theirs.fileno()), "--ring", "4,5,6,7"]
        run = subprocess.run(
            [*command, "--handler", "main:handler", "--code", "."],
            pass_fds=[theirs.fileno()],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": site_packages()},
            capture_output=True,
            text=True,
        )
    assert run.returncode == 2
    assert "--ring is not for this interpreter" in run.stderr


def pythons():
    """The supported interpreters of this machine other than ours."""
    found = []
    for minor in range(9, 14):
        for path in sorted(pathlib.Path.home().glob(".pyenv/versions/3.{0}.*/bin/python3".format(minor))):
            if sys.version_info[:2] != (3, minor) and os.access(path, os.X_OK):
                found.append(pytest.param(str(path), id="3.{0}".format(minor)))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("python", pythons())
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_it_runs_on_every_supported_python(start, transport, python, kind):
    if transport == "ring" and "/3.9." in python:
        pytest.skip("3.9 has no compiled half, and so no ring")
    source = kind + " handler(context, event):\n    context.logger.info('x')\n    return event.to_json()\n"
    worker, first = start(source, python=python)
    assert first.flags == 0, first.text(0)
    assert json.loads(worker.ask().body())["timestamp"] == "1970-01-01 00:00:00"
    worker.close()
    assert worker.exit_code() == 0
    assert worker.stderr() == ""

# SPDX-License-Identifier: Apache-2.0
"""How a processor ends."""

import concurrent.futures
import os
import socket
import time

import running

CALLBACKS = """
import os

def init_context(context):
    path = os.environ["MARK"]
    context.platform.set_termination_callback(lambda: open(path, "w").write("terminated"))

def handler(context, event):
    return "ok"
"""


def test_an_idle_function_ends_at_once(start_processor):
    processor = start_processor("slow.py")
    code, seconds = processor.terminate()
    assert code == 0
    # 300 ms on an idle machine; what is left is for a busy one and sanitizers.
    assert seconds < 2


def test_calls_in_flight_are_finished(start_processor):
    processor = start_processor("slow.py", {"triggers": {"web": {"kind": "http", "numWorkers": 2}}})
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(processor.request, "POST", "/", b"sleep 0.5") for _ in range(2)]
        running.wait_for(
            lambda: processor.metric("nuclio_processor_worker_allocation_total", result="success_immediate") >= 2,
            "both calls to begin",
        )
        code, _ = processor.terminate()
        answers = [call.result(30) for call in calls]
    assert code == 0
    assert [answer.status for answer in answers] == [200, 200]
    assert [answer.headers["Connection"] for answer in answers] == ["close", "close"]


def test_an_idle_connection_does_not_hold_it_up(start_processor):
    processor = start_processor("slow.py")
    host, port = processor.address.rsplit(":", 1)
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        code, seconds = processor.terminate()
        assert code == 0 and seconds < 5


def test_the_termination_callback_runs(start_processor, tmp_path):
    code = tmp_path / "callbacks.py"
    code.write_text(CALLBACKS)
    mark = tmp_path / "mark"
    processor = start_processor(code, environment={"MARK": str(mark)})
    assert processor.request().status == 200
    began = time.monotonic()
    assert processor.terminate()[0] == 0
    assert mark.read_text() == "terminated"
    # The contract's ten seconds are a limit, not a wait.
    assert time.monotonic() - began < 5


def test_workers_die_with_a_killed_processor(start_processor):
    processor = start_processor("slow.py", {"triggers": {"web": {"kind": "http", "numWorkers": 3}}})
    workers = processor.workers()
    assert len(workers) == 3
    os.kill(processor.process.pid, 9)
    processor.process.wait()
    running.wait_for(lambda: not [pid for pid in workers if running.is_alive(pid)], "the end of the workers")

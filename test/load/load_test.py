# SPDX-License-Identifier: Apache-2.0
"""The load generator tells what a server did to it, whatever that is."""

import contextlib
import json
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest
import running

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers each connection by a script: bytes to be sent for one request, or what to do instead.

    A script that has ended closes the connection. The n-th connection plays scripts[n], later ones the last.
    """

    def __init__(self, *scripts):
        self.scripts = scripts
        self.requests = []
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                script = self.scripts[min(self.connections, len(self.scripts) - 1)]
                self.connections += 1
                threading.Thread(target=self.play, args=(connection, script), daemon=True).start()

    def play(self, connection, script):
        with contextlib.suppress(OSError), connection:
            for step in script:
                if step == "close":
                    return
                if not (request := self.receive(connection)):
                    return
                self.requests.append(request)
                if step == "reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                if step == "hang":
                    self.receive(connection)
                    return
                connection.sendall(step)

    @staticmethod
    def receive(connection):
        data = b""
        while b"\r\n\r\n" not in data:
            if not (piece := connection.recv(65536)):
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b": ")
            if name == b"Content-Length":
                while len(body) < int(value):
                    body += connection.recv(65536)
        return head + b"\r\n\r\n" + body


def load(address, *options, timeout=30):
    command = [running.BIN / "load", "--address", address, *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def faults(report):
    return {kind: count for kind, count in report["errors"].items() if count}


def test_a_closed_loop_sends_one_request_after_the_other():
    with Server([OK] * 1000) as server:
        report = load(server.address, "--connections", 3, "--requests", 300)
        assert report["sent"] == report["answered"] == 300
        assert (report["statuses"], faults(report)) == ({"200": 300}, {})
        assert len(server.requests) == 300
        assert server.connections == 3
        assert report["bytes_received"] == 300 * len(OK)
        for group in ("all", "2xx", "200"):
            latency = report["latency_us"][group]
            assert latency["count"] == 300
            assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["max"]
        assert sum(report["series"]["ok"]) == 300


def test_the_request_is_what_the_options_say():
    with Server([OK]) as server:
        load(server.address, "--requests", 1, "--method", "POST", "--path", "/p", "--header", "A: b", "--body", "hello")
        head = f"POST /p HTTP/1.1\r\nHost: {server.address}\r\nA: b\r\nContent-Length: 5\r\n\r\n"
        assert server.requests == [head.encode() + b"hello"]


def test_an_open_loop_sends_at_its_rate_and_measures_from_the_due_time():
    with Server(["hang"]) as server:
        report = load(server.address, "--rate", 200, "--seconds", 0.5, "--timeout", 1)
        # The only connection is taken by the first request, so the others never find one.
        assert (report["sent"], report["unsent"], faults(report)) == (1, 99, {"timed_out": 1})
    with Server([OK] * 1000) as server:
        report = load(server.address, "--connections", 4, "--rate", 200, "--seconds", 0.5)
        assert (report["sent"], report["unsent"], report["statuses"]) == (100, 0, {"200": 100})
        assert 0.49 <= report["seconds"] < 10


def test_rejects_are_told_from_other_answers():
    with Server([OK, BUSY, BUSY, b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"]) as server:
        report = load(server.address, "--requests", 4)
        assert report["statuses"] == {"200": 1, "503": 2, "500": 1}
        assert {key: sum(counts) for key, counts in report["series"].items()} == {"ok": 1, "rejected": 2, "failed": 1}
        assert report["latency_us"]["5xx"]["count"] == 3
        assert report["latency_us"]["503"]["count"] == 2


def test_a_connection_for_each_request():
    with Server([LAST]) as server:
        report = load(server.address, "--close-each", "--connections", 2, "--requests", 20)
        assert (report["statuses"], faults(report), server.connections) == ({"200": 20}, {}, 20)
        assert all(b"Connection: close\r\n" in request for request in server.requests)


def test_a_polite_close_is_no_fault_and_ends_the_connection():
    with Server([OK, LAST]) as server:
        report = load(server.address, "--requests", 10)
        assert (report["sent"], report["statuses"], faults(report)) == (2, {"200": 2}, {})
        assert report["closed_by_server"] == 1


def test_a_polite_close_is_followed_by_a_new_connection_when_asked_for():
    with Server([OK, LAST]) as server:
        report = load(server.address, "--requests", 10, "--reconnect")
        assert (report["statuses"], faults(report), server.connections) == ({"200": 10}, {}, 5)


@pytest.mark.parametrize(
    ("script", "kind", "answered"),
    [
        (["reset"], "reset_before_answer", 0),
        ([b""], "reset_before_answer", 0),
        ([OK, "reset"], "closed_before_answer", 1),
        ([OK, OK[:-1]], "closed_mid_answer", 1),
        ([OK[:5]], "closed_mid_answer", 0),
        (["hang"], "timed_out", 0),
        ([OK, b"what?\r\n"], "garbled", 1),
    ],
)
def test_each_fault_has_its_name(script, kind, answered):
    with Server(script) as server:
        report = load(server.address, "--requests", 5, "--timeout", 0.3)
        assert (faults(report), report["answered"]) == ({kind: 1}, answered)
        assert report["sent"] == answered + 1
        assert sum(report["series"]["failed"]) == 1


def test_a_server_that_is_away_refuses_until_the_time_is_over():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "127.0.0.1:%d" % taken.getsockname()[1]
    report = load(address, "--seconds", 0.2, "--connections", 2)
    assert report["errors"]["refused"] == report["sent"] > 2
    # Each connection rests for 10 ms after a refusal.
    assert report["sent"] <= 2 * (0.2 / 0.01 + 1)


def test_a_request_that_is_answered_early_is_answered():
    """As a 413 is, before the server has taken the body."""
    with Server([OK]) as server:

        def refuse(connection, _script):
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n")
                connection.recv(1)

        server.play = refuse
        report = load(server.address, "--method", "POST", "--body-size", 32 << 20, "--requests", 1)
        assert (report["statuses"], faults(report)) == ({"413": 1}, {})


def test_a_signal_ends_the_run_with_a_report():
    with Server([OK] * 1000000) as server:
        command = [running.BIN / "load", "--address", server.address, "--seconds", "600"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            running.wait_for(lambda: len(server.requests) > 10, "the first requests")
            process.send_signal(signal.SIGTERM)
            report = json.loads(process.communicate(timeout=30)[0])
        assert (process.returncode, faults(report)) == (0, {})
        assert report["answered"] == report["sent"] == len(server.requests)


def test_what_would_have_been_due_after_the_signal_is_not_missed():
    """Even if what was sent before takes its time."""
    rate, rest = 100, 2
    with Server([OK]) as server:
        signalled = threading.Event()

        def answer_late(connection, _script):
            with connection:
                server.requests.append(server.receive(connection))
                assert signalled.wait(30)
                time.sleep(rest)
                connection.sendall(OK)
                connection.recv(1)

        server.play = answer_late
        began = time.monotonic()
        options = ["--address", server.address, "--seconds", "600", "--rate", str(rate), "--timeout", "30"]
        with subprocess.Popen([running.BIN / "load", *options], stdout=subprocess.PIPE, text=True) as process:
            running.wait_for(lambda: server.requests, "the first request")
            process.send_signal(signal.SIGTERM)
            due = rate * (time.monotonic() - began)
            signalled.set()
            report = json.loads(process.communicate(timeout=60)[0])
        assert (report["answered"], faults(report)) == (1, {})
        assert report["unsent"] < due + rate * rest / 2


def test_a_mistake_in_the_options_is_told():
    done = subprocess.run([running.BIN / "load", "--rate", "-1"], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == 'load: --rate must be a number from 0 to 1000000, is "-1"; load --help lists the options\n'

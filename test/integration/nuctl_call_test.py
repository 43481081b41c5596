# SPDX-License-Identifier: Apache-2.0
"""`nuctl call` against servers that refuse, hang, break off and come to themselves; and what CronJobs call it with."""

import contextlib
import re
import socket
import ssl
import struct
import subprocess
import threading
import time
import urllib.parse

import certificates
import pytest
import running
import yaml

VECTORS = running.SOURCE / "test/vectors/kube/cron.yaml"
# Nothing of a home, a kubeconfig or a dashboard.
ENVIRONMENT = {"PATH": "/nonexistent", "KUBECONFIG": "/nonexistent/config"}


class Request:
    """As it arrived, and when."""

    def __init__(self, head, body):
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = first.split(" ")
        self.fields = [tuple(line.split(": ", 1)) for line in lines if ": " in line]
        self.headers = {name.lower(): value for name, value in self.fields}
        self.body = body
        self.time = time.monotonic()


class Server:
    """Each request is met by the next of what it is told to do; by the last one again when there is no other."""

    def __init__(self, *script, tls=None):
        self.script = list(script)
        self.requests = []
        self.tls = tls
        self.held = []  # connections that are to stay as they are
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.serve)

    def listen(self):
        self.socket.listen()
        self.thread.start()

    def end(self):
        # Whoever waits in accept() is not told of a socket that was only closed.
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        if self.thread.ident:
            self.thread.join()
        for each in self.held:
            each.close()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with contextlib.suppress(OSError):
                connection.settimeout(10)
                self.meet(self.tls.wrap_socket(connection, server_side=True) if self.tls else connection)

    def meet(self, connection):
        received = b""
        while b"\r\n\r\n" not in received:
            more = connection.recv(65536)
            if not more:
                return
            received += more
        head, _, body = received.partition(b"\r\n\r\n")
        length = int((re.search(rb"content-length: (\d+)", head.lower()) or [0, 0])[1])
        while len(body) < length:
            body += connection.recv(65536)
        self.requests.append(Request(head, body))
        step = self.script[min(len(self.requests), len(self.script)) - 1]
        if step == HANG:
            self.held.append(connection)
            return
        if step == RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.sendall(step)
        connection.close()


HANG, RESET, CLOSE = "hang", "reset", b""


def answer(status, body=b"", *fields):
    head = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", "Connection: close", *fields]
    return "\r\n".join([*head, "", ""]).encode() + body


@pytest.fixture
def server():
    """server(*script) gives one that listens."""
    with contextlib.ExitStack() as stack:

        def start(*script, tls=None):
            made = Server(*script, tls=tls)
            stack.callback(made.end)
            made.listen()
            return made

        yield start


def call(*arguments, seconds=60):
    return subprocess.run(
        [running.BIN / "nuctl", "call", *map(str, arguments)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=seconds,
        check=False,
        env=ENVIRONMENT,
    )


def complaint(done):
    """The last line of a command that failed."""
    assert done.returncode == 1, done
    *_, last = done.stderr.splitlines()
    assert last.startswith("nuctl: "), done.stderr
    return last


def test_an_answer_of_200_is_printed_and_its_status_told_beside_it(server):
    place = server(answer(200, b"done"))
    done = call(f"{place.url}/a?b=c", "--header", "X-A: b: c", "-H", "X-Empty:", "--body", "text")
    assert (done.returncode, done.stdout) == (0, "done"), done
    assert done.stderr == f"POST {place.url}/a: answered 200 OK\n"
    (got,) = place.requests
    assert (got.method, got.target, got.body) == ("POST", "/a?b=c", b"text")
    assert got.headers["x-a"] == "b: c"
    assert "X-Empty:" in got.headers or got.headers.get("x-empty", "") == ""
    assert got.headers["host"] == f"127.0.0.1:{place.port}"
    assert re.fullmatch("[0-9a-z]{20}", got.headers["x-nuclio-event-id"])


def test_without_a_body_it_is_a_get_and_any_2xx_is_well(server):
    place = server(answer(204))
    done = call(place.url)
    assert (done.returncode, done.stdout) == (0, ""), done
    assert place.requests[0].method == "GET"
    assert "answered 204 No Content" in done.stderr


def test_what_was_busy_is_asked_again_with_the_same_event_id(server):
    place = server(answer(503, b"busy"), answer(502), answer(200, b"well"))
    done = call(place.url, "--method", "PUT", "--body", "once")
    assert (done.returncode, done.stdout) == (0, "well"), done
    assert len(place.requests) == 3
    assert {(each.method, each.body) for each in place.requests} == {("PUT", b"once")}
    assert len({each.headers["x-nuclio-event-id"] for each in place.requests}) == 1
    assert "attempt 1 of 10: " in done.stderr and "answered 503 Service Unavailable" in done.stderr
    pauses = [after.time - before.time for before, after in zip(place.requests, place.requests[1:])]
    assert 0.3 < pauses[0] < pauses[1] < 5, pauses


def test_after_success_nothing_is_sent_again(server):
    place = server(answer(200, b"one"), answer(200, b"two"))
    assert call(place.url).stdout == "one"
    assert len(place.requests) == 1


def test_who_asks_for_patience_gets_it(server):
    place = server(answer(429, b"", "Retry-After: 2"), answer(200))
    assert call(place.url).returncode == 0
    assert 2 <= place.requests[1].time - place.requests[0].time < 6


def test_who_asks_for_more_patience_than_there_is_gets_no_further_request(server):
    place = server(answer(503, b"", "Retry-After: 200"))
    began = time.monotonic()
    said = complaint(call(place.url, "--attempts", 3, "--timeout", "1s"))
    assert time.monotonic() - began < 10
    assert "given up after attempt 1 of 3, since it asks for 200 s until the next: " in said
    assert len(place.requests) == 1


def test_a_server_that_starts_late_is_waited_for():
    late = Server(answer(200, b"here"))
    try:
        timer = threading.Timer(1, late.listen)  # until then its port refuses connections
        timer.start()
        done = call(late.url)
        timer.join()
        assert (done.returncode, done.stdout) == (0, "here"), done
        assert "connection refused" in done.stderr
        assert len(late.requests) == 1
    finally:
        late.end()


@pytest.mark.parametrize("fault", [CLOSE, RESET])
def test_a_connection_that_is_lost_before_an_answer_is_made_again(server, fault):
    place = server(fault, answer(200, b"now"))
    done = call(place.url, "--body", "x")
    assert (done.returncode, done.stdout) == (0, "now"), done
    first, second = place.requests
    assert first.headers["x-nuclio-event-id"] == second.headers["x-nuclio-event-id"]


def test_an_answer_that_does_not_come_in_time_is_asked_for_again(server):
    place = server(HANG, answer(200, b"now"))
    done = call(place.url, "--timeout", "1s")
    assert (done.returncode, done.stdout) == (0, "now"), done
    assert "no answer came in time" in done.stderr
    assert len(place.requests) == 2


def test_an_answer_of_200_that_breaks_off_counts(server):
    cut = answer(200, b"x" * 100)[:-40]
    place = server(cut, answer(200, b"again"))
    done = call(place.url)
    assert (done.returncode, done.stdout) == (0, "x" * 60), done
    assert "the answer broke off" in done.stderr
    assert len(place.requests) == 1


def test_a_refusal_is_final_and_says_what_to_mend(server):
    place = server(answer(404, b"no such path"), answer(200))
    done = call(place.url + "/nowhere")
    assert "answered 404 Not Found; mend the URL" in complaint(done)
    assert done.stdout == "no such path"
    assert len(place.requests) == 1


def test_a_redirect_is_not_followed_and_told(server):
    place = server(answer(302, b"", "Location: http://127.0.0.1:1/there"))
    assert 'redirects are not followed; call "http://127.0.0.1:1/there"' in complaint(call(place.url))
    assert len(place.requests) == 1


def test_when_the_attempts_are_used_up_the_last_answer_is_shown(server):
    place = server(answer(500, b"first"), answer(500, b"second"))
    done = call(place.url, "--attempts", 2)
    assert "given up after attempt 2 of 2: " in complaint(done)
    assert "answered 500 Internal Server Error; see its log for why" in complaint(done)
    assert done.stdout == "second"
    assert len(place.requests) == 2


def test_of_an_endless_answer_the_beginning_is_shown(server):
    place = server(answer(200, b"y" * (3 << 20)))
    done = call(place.url)
    assert done.returncode == 0
    assert len(done.stdout) == 1 << 20
    assert "1 MiB of it is shown" in done.stderr


def test_https_needs_a_certificate_unless_told_otherwise(server, tmp_path):
    certificates.write(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    place = server(answer(200, b"secure"), tls=context)
    assert "--skip-tls calls it whatever its certificate is" in complaint(call(place.url))
    assert place.requests == []
    assert call(place.url, "--skip-tls").stdout == "secure"


@pytest.mark.parametrize("body", ["--help", "-x", "[1, 2]", "{}", "a=b", "it's $(me); `x`", "--", " ", "é"])
def test_a_body_is_taken_as_it_stands(server, body):
    place = server(answer(200))
    done = call(place.url, "--body", body, "--attempts", 1)
    assert done.returncode == 0, done
    assert place.requests[0].body.decode() == body


def test_what_may_be_secret_is_shown_nowhere(server):
    place = server(answer(404))
    address = place.url.replace("//", "//user:canary@")
    done = call(f"{address}/x?token=canary", "--header", "Authorization: canary", "--body", "canary")
    assert "GET" not in done.stderr and "POST" in done.stderr
    assert "canary" not in done.stdout + done.stderr
    refused = call(place.url, "--header", "Authorization: canary\nX: y")
    assert "canary" not in refused.stderr and 'header "Authorization" has a value with control' in complaint(refused)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ftp://127.0.0.1/"], 'must begin with http:// or https://, is "ftp://127.0.0.1/"'),
        (["127.0.0.1:8080"], "must begin with http:// or https://"),
        (["http://127.0.0.1/a b"], "no spaces or control characters"),
        (["http://127.0.0.1/" + "a" * 9000], "may have 8192 bytes, has 9017"),
        (["http://127.0.0.1:99999/"], "mend the URL"),
        (["http://127.0.0.1:1", "--attempts", "0"], "--attempts must be from 1 to 100, is 0"),
        (["http://127.0.0.1:1", "--attempts", "101"], "--attempts must be from 1 to 100, is 101"),
        (["http://127.0.0.1:1", "--timeout", "500ms"], "--timeout must be from 1s to 1h, is 500ms"),
        (["http://127.0.0.1:1", "--timeout", "2h"], "--timeout must be from 1s to 1h, is 2h"),
        (["http://127.0.0.1:1", "--timeout", "soon"], "--timeout: must be a duration"),
        (["http://127.0.0.1:1", "--method", "GE T"], '--method must be a word such as POST, is "GE T"'),
        (["http://127.0.0.1:1", "--header", "no colon"], "the name of one is missing"),
        (["http://127.0.0.1:1", "--header", "a b: c"], 'the name of one is "a b"'),
        (["http://127.0.0.1:1", "--header", "A: " + "b" * 9000], '--header "A" may have 8192 bytes, has 9003'),
        (["http://127.0.0.1:1", *["--header=A: b"] * 101], "may be given 100 times, is given 101"),
        (["http://127.0.0.1:1", "--body", "b" * 65537], "--body may have 65536 bytes, has 65537"),
        (["http://127.0.0.1:1", "--attempts", "1"], "connection refused; see that it runs"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(arguments, said):
    done = call(*arguments)
    assert said in complaint(done)
    assert done.stdout == ""


def test_without_a_url_it_says_how_it_is_used():
    done = call()
    assert "url is required" in done.stderr and "nuctl call --help" in done.stderr
    assert "call" in subprocess.check_output([running.BIN / "nuctl", "--help"], text=True)


def cron_job_commands():
    """What the controller gives CronJobs to run, as its own tests have it."""
    for case in yaml.safe_load(VECTORS.read_text()):
        for wanted in (case.get("expect") or {}).values():
            template = ((wanted or {}).get("spec") or {}).get("jobTemplate", {}).get("spec", {}).get("template", {})
            for container in template.get("spec", {}).get("containers", []):
                if "command" in container:
                    yield pytest.param(container["command"], id=case["name"])


def as_kubernetes_expands(word, variables):
    found = re.compile(r"\$\$|\$\((\w+)\)")
    return found.sub(lambda each: "$" if each[0] == "$$" else variables.get(each[1], each[0]), word)


@pytest.mark.parametrize("command", list(cron_job_commands()))
def test_what_a_cron_job_runs_is_understood(server, command, tmp_path):
    command = [as_kubernetes_expands(str(word), {"NUCLIO_EVENT_ID": "job-1"}) for word in command]
    program, verb, url, *rest = command
    assert (program, verb) == ("nuctl", "call")
    parts = urllib.parse.urlsplit(url)
    context = None
    if parts.scheme == "https":
        certificates.write(tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    place = server(answer(200), tls=context)
    target = url[len(f"{parts.scheme}://{parts.netloc}") :]
    done = call(place.url + target, *rest)
    assert done.returncode == 0, done
    (got,) = place.requests
    given = {flag: value for flag, value in zip(rest, rest[1:]) if flag in ("--method", "--body")}
    assert (got.method, got.target) == (given["--method"], target)
    assert got.body.decode() == given.get("--body", "")
    for flag, value in zip(rest, rest[1:]):
        if flag == "--header":
            assert tuple(value.split(": ", 1)) in got.fields
    assert got.headers["x-nuclio-event-id"] == "job-1"
    assert got.headers["x-nuclio-invoke-trigger"] == "cron"

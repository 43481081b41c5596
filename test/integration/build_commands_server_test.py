# SPDX-License-Identifier: Apache-2.0
"""`builder serve`, which runs commands of a build in a pod, as a client without any of our code sees it."""

import contextlib
import http.client
import io
import json
import os
import re
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

import pytest
import running

TOKEN = "a-token-of-this-test"
PIECE = 4 << 20
NOBODY = 65532

pytestmark = pytest.mark.skipif(
    not shutil.which("proot") or not os.path.exists("/bin/busybox"), reason="needs proot and busybox-static"
)


def base() -> bytes:
    """An image's layer: a shell, its tools, and a file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in ("bin", "etc", "tmp"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
        shell = Path("/bin/busybox").read_bytes()
        files = {"bin/busybox": (shell, 0o755), "etc/passwd": (b"root:x:0:0::/root:/bin/sh\n", 0o644)}
        files["etc/issue"] = (b"a file\n", 0o644)
        for name, (content, mode) in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), mode
            tar.addfile(info, io.BytesIO(content))
        for name in ("sh", "rm", "id", "sleep", "yes", "head", "seq", "ln", "setsid", "chown"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return out.getvalue()


class Server:
    """One `builder serve`, as in a pod: as nobody, and unable to become somebody."""

    def __init__(self, *arguments: str):
        self.folder = Path(tempfile.mkdtemp(prefix="nuclio-serve-"))
        (self.folder / "token").write_text(f"{TOKEN}\n")
        (self.folder / "work").mkdir()
        command = [running.BIN / "builder", "serve", "--listen-addr=127.0.0.1:0", f"--folder={self.folder}/work"]
        command += [f"--token-file={self.folder}/token", *arguments]
        if os.geteuid() == 0:
            for path in (self.folder, self.folder / "token", self.folder / "work"):
                os.chown(path, NOBODY, NOBODY)
            who = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs"]
            command = [*who, *command]
        environment = {"PATH": "/usr/bin:/bin"}
        self.log = open(self.folder / "log", "w+")
        self.process = subprocess.Popen(command, env=environment, stdout=self.log, stderr=subprocess.STDOUT)
        self.port = int(running.wait_for(self.find_port, "the server's address", 10))

    def find_port(self) -> str | None:
        found = re.search(r'"address": "127\.0\.0\.1:(\d+)"', (self.folder / "log").read_text())
        return found and found[1]

    def ask(self, method: str, path: str, body: bytes | None = None, token: str | None = TOKEN):
        """Status and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, body, {"Authorization": f"Bearer {token}"} if token else {})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def send(self, number: int, layer: bytes) -> None:
        for at in range(0, len(layer), PIECE):
            status, text = self.ask("PUT", f"/layers/{number}?from={at}", layer[at : at + PIECE])
            assert status == 200, text

    def run(self, commands: list[str], layer: bytes | None = None, **more) -> None:
        self.send(0, layer or base())
        status, text = self.ask("POST", "/run", job(commands, **more))
        assert status == 202, text

    def outcome(self) -> dict:
        status, text = self.ask("GET", "/outcome")
        assert status == 200, text
        return json.loads(text)

    def has_ended(self, seconds: float = 20) -> int:
        return self.process.wait(seconds)

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        self.process.wait(20)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def job(commands: list[str], **more) -> bytes:
    whole = {
        "layers": ["0"],
        "base": "base",
        "over": [],
        "overDigests": "",
        "commands": commands,
        "environment": [],
        "workingDirectory": "",
        "user": "",
        "network": 1,
        "cache": "",
        "modified": 0,
        "disk": 1 << 30,
        "file": 1 << 30,
        "files": 10000,
        "processes": 100,
        "roots": 1,
        "rootsSize": 1 << 30,
    }
    return json.dumps({**whole, **more}).encode()


@pytest.fixture
def serve():
    started = []

    def start(*arguments: str) -> Server:
        started.append(Server(*arguments))
        return started[-1]

    yield start
    for server in started:
        server.end()


def test_it_runs_commands_as_nobody_who_think_they_are_root(serve):
    server = serve()
    server.run(["echo hello > /etc/greeting; ln -s greeting /etc/link", "rm /etc/issue; id -u; chown 3:3 /etc/link"])
    status, log = server.ask("GET", "/log")
    assert status == 200
    assert b"RUN rm /etc/issue" in log
    assert b"\n0\n" in log
    assert server.outcome() == {}
    status, layer = server.ask("GET", "/layer")
    assert status == 200
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        entries = {each.name: each for each in tar}
        assert tar.extractfile("etc/greeting").read() == b"hello\n"
    assert sorted(entries) == ["etc/.wh.issue", "etc/greeting", "etc/link"]
    assert {(each.uid, each.gid) for each in entries.values()} == {(0, 0)}
    assert server.has_ended() == 0


def test_who_has_no_token_gets_nothing_and_leaves_nothing(serve):
    server = serve()
    for token in (None, "", "a-token-of-this-tesx", f"{TOKEN}x", TOKEN[:-1]):
        for method, path in (("PUT", "/layers/0"), ("POST", "/run"), ("GET", "/log"), ("GET", "/nothing")):
            assert server.ask(method, path, b"x" if method == "PUT" else None, token)[0] == 401
    assert not list((server.folder / "work").iterdir())
    assert server.ask("GET", "/ready", token=None)[0] == 200
    server.send(0, base())


def test_it_takes_no_layer_beyond_what_it_takes_at_once_and_no_gap(serve):
    server = serve()
    assert server.ask("PUT", "/layers/0", b"x" * (PIECE + 1))[0] == 413
    assert server.ask("PUT", "/layers/0?from=7", b"x")[0] == 409
    assert server.ask("PUT", "/layers/-1", b"x")[0] == 400


def test_a_second_run_is_refused(serve):
    server = serve()
    server.run(["sleep 5"])
    status, text = server.ask("POST", "/run", job(["true"]))
    assert status == 409
    assert b"has begun" in text
    assert server.ask("GET", "/outcome")[0] == 409
    server.ask("GET", "/log")
    assert server.outcome() == {}


def test_a_command_that_fails_is_named_with_its_code(serve):
    server = serve()
    server.run(["true", "echo why; exit 3", "echo never"])
    log = server.ask("GET", "/log")[1]
    assert b"why" in log
    assert b"never" not in log
    assert server.outcome() == {"command": 1, "code": 3, "signal": 0}
    assert server.has_ended() == 0


def test_commands_end_at_the_deadline(serve):
    server = serve("--timeout=3s")
    began = time.monotonic()
    server.run(["sleep 4721 & setsid sleep 4722 & sleep 4723"])
    server.ask("GET", "/log")
    outcome = server.outcome()
    assert outcome["why"] == "timeout"
    assert 2 < time.monotonic() - began < 15
    left = subprocess.run(
        ["pgrep", "-f", "^(sleep|setsid sleep) 472[123]$"], capture_output=True, text=True, check=False
    )
    assert not left.stdout


def test_a_huge_log_is_read_to_its_end(serve):
    server = serve()
    server.run(["yes 'a line that is forty characters long ...' | head -n 500000; echo the last line"])
    status, log = server.ask("GET", "/log")
    assert status == 200
    assert log.endswith(b"the last line\n")
    assert server.outcome() == {}


def test_a_base_that_is_no_tar_is_refused(serve):
    server = serve()
    server.run(["true"], layer=b"this is no tar" * 1000)
    server.ask("GET", "/log")
    outcome = server.outcome()
    assert outcome["why"] == "invalid"
    assert "unpacking the base image" in outcome["what"]


def test_it_ends_when_nobody_comes_and_when_its_client_has_gone(serve):
    alone = serve("--idle-timeout=1s")
    assert alone.has_ended() == 1
    server = serve("--idle-timeout=2s")
    server.run(["sleep 4724"])
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(f"GET /log HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        assert b"200" in client.recv(100)
        time.sleep(4)
        assert server.process.poll() is None
    assert server.has_ended() == 1
    left = subprocess.run(["pgrep", "-f", "^sleep 4724$"], capture_output=True, text=True, check=False)
    assert not left.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "--token-file is missing"),
        (["--token-file=/nowhere", "--folder=/tmp"], "/nowhere"),
        (["--token-file=/nowhere", "--folder=here"], "must be an absolute path"),
        (["--timeout=never"], "timeout"),
    ],
)
def test_it_says_what_is_wrong_with_its_flags(arguments, complaint):
    done = subprocess.run(
        [running.BIN / "builder", "serve", *arguments], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 1
    assert complaint in done.stderr

# SPDX-License-Identifier: Apache-2.0
"""Starts the real programs for a test and ends them again, by pid, whatever the test did."""

import contextlib
import http.client
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import time

import yaml

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("NUCLIO_BIN", SOURCE / "build" / "release" / "bin"))
FUNCTIONS = pathlib.Path(__file__).resolve().parent / "functions"
TRANSPORTS = ("ring", "socket")  # what carries events to a worker, as platform.yaml calls it
START_SECONDS = 60  # a sanitized build on a busy machine is slow; the wait ends as soon as there is news


class Answer:
    """A response whose body has been read to its end."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # http.client.HTTPMessage: names in any case
        self.body = body

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {dict(self.headers)} {self.body[:300]!r}>"


def request(address, method="GET", path="/", body=None, headers=None, timeout=30):
    """One request on a connection of its own."""
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host or "127.0.0.1", int(port), timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def call_api(address, method, path, body=None, headers=None, timeout=60):
    """One call of a dashboard's REST API; a body that is no text is sent as JSON."""
    headers = dict(headers or {})
    if body is not None and not isinstance(body, (bytes, str)):
        body = json.dumps(body)
        headers.setdefault("Content-Type", "application/json")
    return request(address, method, "/api" + path, body, headers, timeout)


def raw(address, data, timeout=30, until_close=True):
    """Sends bytes as they are and returns all that comes back until the other side closes."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host or "127.0.0.1", int(port)), timeout=timeout) as connection:
        connection.sendall(data)
        received = b""
        while until_close:
            piece = connection.recv(65536)
            if not piece:
                break
            received += piece
        return received


def wait_for(condition, what, seconds=30):
    """Polls for what no program tells us of; the failure says what did not happen."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"{what} did not happen within {seconds} s"
        time.sleep(0.01)


def over(transport, platform=None):
    """The platform's configuration with this transport to the workers."""
    platform = dict(platform or {})
    platform["processor"] = {"workerTransport": transport, **platform.get("processor", {})}
    return platform


def start_and_listen(command, log_path, environment, inherited=()):
    """Starts a program whose last flag takes the descriptor on which it says a line once it serves or cannot.

    Gives the process and the line, "" when it said nothing.
    """
    reading, writing = os.pipe()
    with open(log_path, "ab") as log:
        process = subprocess.Popen(
            [*command, str(writing)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[writing, *inherited],
            env=environment,
        )
    os.close(writing)
    with open(reading) as status:
        ready, _, _ = select.select([status], [], [], START_SECONDS)
        return process, status.readline() if ready else ""


class StartFailed(Exception):
    """The processor said why it cannot start."""


def is_warm_parent(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text() == "warm parent\n"
    except OSError:  # it has ended
        return False


class Processor:
    """A processor with one function.

    `code` is a file or folder; `spec` what function.yaml would say below spec. All its ports are chosen by the kernel,
    unless it inherits `listener`, a listening socket. `runtimes` is a folder of runtimes in place of ours.
    """

    def __init__(
        self, folder, code, spec=None, platform=None, name="fn", environment=None, runtimes=None, listener=None
    ):
        self.runtimes, self.listener = runtimes, listener
        self.folder = pathlib.Path(folder)
        self.code = self.folder / "code"
        self.code.mkdir(parents=True)
        code = pathlib.Path(code)
        if code.is_dir():
            shutil.copytree(code, self.code, dirs_exist_ok=True)
        else:
            shutil.copy(code, self.code)
        spec = dict(spec or {})
        spec.setdefault("runtime", "python")
        spec.setdefault("handler", f"{code.stem}:handler")
        triggers = spec.setdefault("triggers", {})
        if not any(trigger.get("kind") == "http" for trigger in triggers.values()):
            triggers["web"] = {"kind": "http", "numWorkers": 1}
        for trigger in triggers.values():
            if trigger["kind"] == "http":
                trigger.setdefault("url", "127.0.0.1:0")
        config = {"metadata": {"name": name, "namespace": "nuclio"}, "spec": spec}
        platform_config = {
            "healthCheck": {"listenAddress": "127.0.0.1:0"},
            "webAdmin": {"listenAddress": "127.0.0.1:0"},
            "metrics": {
                "sinks": {"pull": {"kind": "prometheusPull", "url": "127.0.0.1:0"}},
                "functions": ["pull"],
            },
            **over(os.environ.get("NUCLIO_TEST_TRANSPORT", TRANSPORTS[0]), platform),
        }
        (self.folder / "function.yaml").write_text(yaml.safe_dump(config))
        (self.folder / "platform.yaml").write_text(yaml.safe_dump(platform_config))
        self.log_path = self.folder / "log"
        self.environment = {**os.environ, **(environment or {})}
        self.process = None
        self.addresses = {}

    def start(self):
        command = [
            BIN / "processor",
            "--config",
            self.folder / "function.yaml",
            "--platform-config",
            self.folder / "platform.yaml",
            "--code",
            self.code,
            *(["--runtimes", self.runtimes] if self.runtimes else []),
            *(["--listen-fd", str(self.listener.fileno())] if self.listener else []),
            "--status-fd",
        ]
        inherited = [self.listener.fileno()] if self.listener else []
        self.process, line = start_and_listen(command, self.log_path, self.environment, inherited)
        state = json.loads(line) if line else {"state": "failed", "message": f"no word from it\n{self.log}"}
        if state["state"] != "ready":
            code = self.process.wait(30)
            raise StartFailed(f"{state['message']} (exit code {code})")
        self.addresses = state["addresses"]
        return self

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    @property
    def address(self):
        return self.addresses["http"]

    def request(self, *args, **kwargs):
        return request(self.address, *args, **kwargs)

    def raw(self, data, **kwargs):
        return raw(self.address, data, **kwargs)

    def health(self, path):
        return request(self.addresses["health"], path=path)

    def metrics(self):
        """Samples by name and labels: {("name", frozenset({("label", "value")})): 1.0}."""
        samples = {}
        for line in request(self.addresses["metrics"], path="/metrics").text.splitlines():
            if not line or line.startswith("#"):
                continue
            head, value = line.rsplit(" ", 1)
            name, _, labels = head.partition("{")
            pairs = [pair.split("=", 1) for pair in labels.rstrip("}").split(",") if pair]
            samples[(name, frozenset((key, text.strip('"')) for key, text in pairs))] = float(value)
        return samples

    def metric(self, name, **labels):
        """The sum of the samples that have these labels."""
        wanted = set(labels.items())
        found = [value for (key, has), value in self.metrics().items() if key == name and wanted <= has]
        assert found, f"no sample of {name} with {labels}"
        return sum(found)

    def workers(self):
        """Pids of the processes right below the processor, but for the one that forks the others."""
        return [pid for pid in children(self.process.pid) if not is_warm_parent(pid)]

    def terminate(self, seconds=30):
        """SIGTERM; the exit code and how long it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        return code, time.monotonic() - began

    def stop(self):
        if not self.process or self.process.poll() is not None:
            return
        workers = children(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the processor did not end within 30 s of SIGTERM\n{self.log[-3000:]}") from None
        assert self.process.returncode == 0, f"exit code {self.process.returncode}\n{self.log[-3000:]}"
        wait_for(lambda: not [pid for pid in workers if is_alive(pid)], "the end of the workers", 10)


def children(pid):
    """Of all its threads; of a process that has ended, or does so meanwhile: none."""
    found = []
    with contextlib.suppress(OSError):
        for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):  # of this thread alone
                found += map(int, (thread / "children").read_text().split())
    return found


def is_alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def plain_environment():
    """Ours, without what would name a cluster, a registry or a dashboard other than the test's."""
    elsewhere = ("DOCKER_", "KUBECONFIG", "NUCTL_")
    return {name: value for name, value in os.environ.items() if not name.startswith(elsewhere)}


class Dashboard:
    """The dashboard with a home of its own, and nuctl beside it."""

    def __init__(self, home):
        self.home = pathlib.Path(home)
        self.environment = {
            **plain_environment(),
            "NUCLIO_HOME": str(self.home),
            "NUCLIO_DASHBOARD_LISTEN_ADDR": "127.0.0.1:0",
        }
        self.flags = []
        self.process = None
        self.address = None

    def start(self):
        self.home.mkdir(parents=True, exist_ok=True)
        command = [BIN / "dashboard", *map(str, self.flags), "--ready-fd"]
        self.process, line = start_and_listen(command, self.home / "dashboard.log", self.environment)
        assert line.startswith("ready "), f"{line or 'no word from the dashboard'}\n{self.log}"
        self.address = line.split()[1]
        return self

    @property
    def log(self):
        return (self.home / "dashboard.log").read_text(errors="replace")

    def api(self, method, path, body=None, headers=None, timeout=60):
        headers = {"X-Nuclio-Function-Namespace": "nuclio", "X-Nuclio-Project-Namespace": "nuclio", **(headers or {})}
        return call_api(self.address, method, path, body, headers, timeout)

    def nuctl(self, *args, input=None, timeout=90, cwd=None):
        """Runs nuctl to its end: a CompletedProcess with text output."""
        return subprocess.run(
            [BIN / "nuctl", *map(str, args)],
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=self.environment,
            cwd=cwd,
        )

    def begin_nuctl(self, *args):
        """Starts nuctl; its caller reads its output and ends it."""
        return subprocess.Popen([BIN / "nuctl", *map(str, args)], stdout=subprocess.PIPE, env=self.environment)

    def deploy(self, name, path, *flags):
        done = self.nuctl("deploy", name, "--path", path, *flags)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{self.log[-3000:]}"
        return self.function(name)

    def function(self, name):
        answer = self.api("GET", f"/functions/{name}")
        assert answer.status == 200, answer
        return answer.json

    def url(self, name):
        return self.function(name)["status"]["externalInvocationUrls"][0]

    def stop(self, expect_clean=True):
        if not self.process or self.process.poll() is not None:
            return
        functions = children(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the dashboard did not end within 60 s of SIGTERM\n{self.log[-3000:]}") from None
        if expect_clean:
            assert self.process.returncode == 0, f"exit code {self.process.returncode}\n{self.log[-3000:]}"
        wait_for(lambda: not [pid for pid in functions if is_alive(pid)], "the end of the functions", 30)

# SPDX-License-Identifier: Apache-2.0
"""Starts what is measured: our processor with one function, and the servers that it is compared with."""

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import machine

HERE = Path(__file__).resolve().parent
APPS = HERE / "apps"
NUMBERS = json.dumps({"numbers": list(range(20))})
START_SECONDS = 30


class Unavailable(Exception):
    """A server that this machine does not have; the text says why."""


@dataclass
class Workload:
    name: str
    app: str
    method: str = "GET"
    content_type: str = ""
    size: int = 0  # of the body, in bytes of x
    json: str = ""

    @property
    def body(self) -> bytes:
        return self.json.encode() or b"x" * self.size

    def wanted(self) -> bytes | dict:
        if self.app == "sums":
            return {"count": 20, "sum": 190}
        return self.body if self.app == "echo" else b"Hello from Nuclio"


WORKLOADS = {
    workload.name: workload
    for workload in [
        Workload("hello", "hello"),
        Workload("echo 1 KiB", "echo", "POST", "text/plain", 1 << 10),
        Workload("echo 64 KiB", "echo", "POST", "text/plain", 64 << 10),
        Workload("echo 1 MiB", "echo", "POST", "text/plain", 1 << 20),
        Workload("JSON", "sums", "POST", "application/json", 0, NUMBERS),
    ]
}


@dataclass
class Running:
    """A started server. `process` is the root of the tree whose CPU and memory count."""

    process: subprocess.Popen
    address: str
    folder: Path | None = None
    children: list = field(default_factory=list)

    @property
    def pid(self) -> int:
        return self.process.pid

    def ask(self, workload: Workload, timeout: float = 10) -> tuple[int, bytes]:
        host, port = self.address.split(":")
        with contextlib.closing(http.client.HTTPConnection(host, int(port), timeout=timeout)) as connection:
            headers = {"Content-Type": workload.content_type} if workload.content_type else {}
            connection.request(workload.method, "/", workload.body or None, headers)
            response = connection.getresponse()
            return response.status, response.read()

    def check(self, workload: Workload) -> None:
        """That it does the work which is about to be measured."""
        status, body = self.ask(workload)
        wanted = workload.wanted()
        found = json.loads(body) if isinstance(wanted, dict) else body
        if status != 200 or found != wanted:
            raise RuntimeError(f"{self.process.args[0]} answers {workload.name} with {status} {body[:200]!r}")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_until_it_listens(process: subprocess.Popen, address: str, log: Path) -> None:
    host, port = address.split(":")
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
            return
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise Unavailable(f"did not start: {log.read_text(errors='replace')[-300:].strip() or 'it said nothing'}")


class Others:
    """bare epoll, nginx, bjoern and granian. `kept` is a folder that outlives the run, `scratch` one that does not."""

    def __init__(self, kept: Path, scratch: Path):
        self.kept = kept
        self.scratch = scratch
        kept.mkdir(parents=True, exist_ok=True)
        self.venv_problem = self._make_venv()

    def start(self, name: str, app: str) -> Running:
        return {"bare epoll": self._baseline, "nginx": self._nginx, "bjoern": self._bjoern, "granian": self._granian}[
            name
        ](app)

    def _run(self, command: list, where: Path | None = None) -> subprocess.Popen:
        log = open(self.scratch / "others.log", "ab")
        with log:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *machine.on_core(machine.SERVER_CORE), *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=where,
            )

    def _told_port(self, process: subprocess.Popen) -> Running:
        port = process.stdout.readline().strip()
        if not port:
            process.wait()
            raise Unavailable("did not start: " + (self.scratch / "others.log").read_text()[-300:].strip())
        return Running(process, f"127.0.0.1:{port}")

    def _baseline(self, _app: str) -> Running:
        program = self.scratch / "baseline"
        if not program.exists():
            subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", program, HERE / "baseline.c"], check=True)
        return self._told_port(self._run([program]))

    def _nginx(self, _app: str) -> Running:
        program = self._nginx_program()
        address = f"127.0.0.1:{free_port()}"
        folder = self.scratch / "nginx"
        folder.mkdir(exist_ok=True)
        paths = "".join(
            f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(
            f"""{user} daemon off; worker_processes 1; pid {folder}/pid; error_log stderr warn;
            events {{ worker_connections 4096; }}
            http {{
              access_log off; keepalive_requests 1000000000; keepalive_timeout 75s; {paths}
              server {{
                listen {address} backlog=1024;
                location / {{ default_type text/plain; return 200 "Hello from Nuclio"; }}
              }}
            }}"""
        )
        process = self._run([program, "-p", folder, "-c", "nginx.conf"])
        wait_until_it_listens(process, address, self.scratch / "others.log")
        return Running(process, address)

    def _nginx_program(self) -> Path:
        """The one that is installed, else Debian's package, unpacked: installed it would start a server on port 80."""
        if found := shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
            return Path(found)
        unpacked = self.kept / "nginx"
        program = unpacked / "usr/sbin/nginx"
        if not program.exists():
            packages = self.kept / "packages"
            packages.mkdir(exist_ok=True)
            try:
                subprocess.run(
                    ["apt-get", "-q", "download", "nginx"], cwd=packages, check=True, capture_output=True, timeout=60
                )
                for package in packages.glob("nginx_*.deb"):
                    subprocess.run(["dpkg-deb", "--extract", package, unpacked], check=True, timeout=60)
            except (OSError, subprocess.SubprocessError) as error:
                raise Unavailable(f"Debian's package could not be had ({error})") from None
        return program

    def _make_venv(self) -> str:
        """Why there is no environment with the Python servers; "" when there is."""
        lock = (HERE / "requirements.lock").read_text()
        stamp = self.kept / "venv/stamp"
        wanted = lock + machine.first_line("/usr/bin/python3", "--version")
        if stamp.exists() and stamp.read_text() == wanted:
            return ""
        shutil.rmtree(self.kept / "venv", ignore_errors=True)
        print("making the environment of bjoern and granian", flush=True)
        install = [self.kept / "venv/bin/pip", "install", "--quiet", "--require-hashes"]
        try:
            subprocess.run(["/usr/bin/python3", "-m", "venv", self.kept / "venv"], check=True, timeout=120)
            subprocess.run(
                [*install, "-r", HERE / "requirements.lock"], check=True, capture_output=True, text=True, timeout=300
            )
        except subprocess.CalledProcessError as error:
            lines = [line for line in (error.stderr or "").splitlines() if "rror" in line]
            return f"could not be installed from PyPI: {lines[-1] if lines else error}"
        except (OSError, subprocess.SubprocessError) as error:
            return f"could not be installed from PyPI: {error}"
        stamp.write_text(wanted)
        return ""

    def _python(self, *command: str) -> subprocess.Popen:
        if self.venv_problem:
            raise Unavailable(self.venv_problem)
        return self._run([self.kept / "venv/bin" / command[0], *command[1:]], APPS)

    def _bjoern(self, app: str) -> Running:
        return self._told_port(self._python("python", "-B", "bjoern_server.py", app))

    def _granian(self, app: str) -> Running:
        port = free_port()
        process = self._python(
            "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
            "--runtime-threads", "1", "--blocking-threads", "1", "--backlog", "1024", "--no-ws", "--http", "1",
            "--no-access-log", "--log-level", "warning", f"wsgi:{app}",
        )  # fmt: skip
        address = f"127.0.0.1:{port}"
        wait_until_it_listens(process, address, self.scratch / "others.log")
        return Running(process, address)


@dataclass
class Function:
    """What our processor is to serve, and how."""

    app: str
    language: str = "python"
    isolated: bool = True  # C++ in the processor when not; Python always is
    transport: str = ""  # ring or socket; the processor's own choice when empty
    workers: int = 1


class Processors:
    """Starts processors by hand, without a dashboard: nothing else is in the tree that is measured."""

    def __init__(self, programs: Path, scratch: Path):
        self.programs = programs
        self.scratch = scratch
        self.number = 0
        self.objects = scratch / "cpp"

    def command(self, function: Function, descriptors: list[str]) -> list:
        self.number += 1
        folder = self.scratch / f"function-{self.number}"
        code = folder / "code"
        code.mkdir(parents=True)
        spec = {
            "runtime": function.language,
            "handler": f"{function.app}:handler",
            "loggerSinks": [{"level": "warn", "sink": "stdout"}],
            "triggers": {"web": {"kind": "http", "url": "127.0.0.1:0", "numWorkers": function.workers}},
        }
        if function.language == "cpp":
            (code / ".nuclio").mkdir()
            shutil.copy(self._object(), code / ".nuclio")
            spec["runtimeAttributes"] = {"isolation": "process" if function.isolated else "none"}
        else:
            shutil.copy(APPS / f"{function.app}.py", code)
        config = {"metadata": {"name": f"bench-{self.number}", "namespace": "nuclio"}, "spec": spec}
        platform = {
            "healthCheck": {"listenAddress": "127.0.0.1:0"},
            "webAdmin": {"listenAddress": "127.0.0.1:0"},
            "metrics": {
                "sinks": {"pull": {"kind": "prometheusPull", "url": "127.0.0.1:0"}},
                "functions": ["pull"],
            },
            "processor": {"queueLimit": 1000},
        }
        if function.transport:
            platform["processor"]["workerTransport"] = function.transport
        # JSON is YAML.
        (folder / "function.yaml").write_text(json.dumps(config))
        (folder / "platform.yaml").write_text(json.dumps(platform))
        return [
            self.programs / "processor",
            *("--config", folder / "function.yaml"),
            *("--platform-config", folder / "platform.yaml"),
            *("--code", code),
            *descriptors,
        ]

    def _object(self) -> Path:
        built = self.objects / "out/handler.so"
        if not built.exists():
            code = self.objects / "code"
            code.mkdir(parents=True)
            shutil.copy(APPS / "hello.cc", code)
            prepare = self.programs.parent / "share/nuclio/runtimes/cpp/prepare"
            command = [prepare, "--code", code, "--out", built.parent, "--cache", self.objects / "cache"]
            subprocess.run(command, check=True, timeout=120, capture_output=True)
        return built

    def spawn(self, command: list, descriptors: list[int], core: int | None) -> subprocess.Popen:
        pinned = [] if core is None else machine.on_core(core)
        with open(self.scratch / "processors.log", "ab") as log:
            return subprocess.Popen(
                [*pinned, *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=descriptors,
                # Debian's, as the servers that it is compared with have.
                env={**os.environ, "NUCLIO_PYTHON_EXE_PATH": "/usr/bin/python3"},
            )

    def start(self, function: Function, core: int | None = machine.SERVER_CORE) -> Running:
        """Returns once it is ready."""
        reading, writing = os.pipe()
        process = self.spawn(self.command(function, ["--status-fd", str(writing)]), [writing], core)
        os.close(writing)
        with open(reading) as status:
            line = status.readline()
        state = json.loads(line) if line else {"message": "it ended without a word"}
        if state.get("state") != "ready":
            process.wait(30)
            log = (self.scratch / "processors.log").read_text(errors="replace")[-2000:]
            raise RuntimeError(f"the processor did not start: {state['message']}\n{log}")
        server = Running(process, state["addresses"]["http"])
        if function.transport == "ring" and not has_ring(server):
            server.stop()
            raise Unavailable("its workers speak over a socket only")
        return server


def has_ring(server: Running) -> bool:
    """Whether a worker has memory of the processor's, whatever was asked for: its runtime may lack the means."""
    workers = machine.process_tree(server.pid)[1:]
    return any("/memfd:" in Path(f"/proc/{worker}/maps").read_text() for worker in workers)

# SPDX-License-Identifier: Apache-2.0
"""From a changed line of a function's code to its image in a registry: ours, buildah's and docker's."""

import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from servers import Unavailable, free_port, wait_until_it_listens

ROOT = Path(__file__).resolve().parents[1]
FUNCTION = "def handler(context, event):\n    return 'version {}'\n"
LIMIT_SECONDS = 300


class Bench:
    """A registry with the base for Python functions, a function's code, and whoever builds."""

    def __init__(self, bin: Path, scratch: Path):
        self.bin = bin
        self.scratch = scratch / "images"
        self.scratch.mkdir()
        self.code = self.scratch / "words.py"
        self.version = 0
        self.host = f"127.0.0.1:{free_port()}"
        self.base = f"{self.host}/nuclio/python:3.11"
        self.children: list[subprocess.Popen] = []
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "NUCTL_"))},
            "NUCLIO_HOME": str(self.scratch / "home"),
            "STORAGE_DRIVER": "overlay" if os.geteuid() == 0 else "vfs",
        }

    def __enter__(self) -> "Bench":
        if not shutil.which("docker-registry") or not shutil.which("mmdebstrap"):
            raise Unavailable("docker-registry or mmdebstrap is not installed")
        (self.scratch / "registry.yml").write_text(
            "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
            f"storage: {{filesystem: {{rootdirectory: {self.scratch / 'registry'}}}}}\n"
            f'http: {{addr: "{self.host}", secret: bench}}\n'
        )
        self._start(["docker-registry", "serve", str(self.scratch / "registry.yml")], self.host)
        # The Debian packages are kept in build/images, where ./dev images has them too.
        self.run(
            [sys.executable, ROOT / "tools/images/make.py", self.host, "--plain-http", "--only", "python"]
            + ["--bin", self.bin]
        )
        return self

    def __exit__(self, *_: object) -> None:
        for child in reversed(self.children):
            child.terminate()
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def _start(self, command: list[str], address: str = "") -> None:
        log = self.scratch / f"{command[0]}.log"
        with open(log, "wb") as output:
            child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**self.environment, "OTEL_TRACES_EXPORTER": "none"},
            )
        self.children.append(child)
        if address:
            wait_until_it_listens(child, address, log)

    def run(self, command: list, **environment: str) -> str:
        done = subprocess.run(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_SECONDS,
            env={**self.environment, **environment},
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} failed: {done.stdout[-1000:]}")
        return done.stdout

    def change(self) -> None:
        self.version += 1
        self.code.write_text(FUNCTION.format(self.version))

    def ours(self) -> int:
        """The bytes that were pushed."""
        said = self.run(
            [self.bin / "nuctl", "build", "words", "--path", self.code]
            + ["--registry", f"http://{self.host}", "--base-image", self.base]
        )
        return int(re.search(r'"sentBytes": (\d+)', said)[1])

    def context(self) -> Path:
        """What the others get is an image with everything but the code, which is their best case."""
        folder = self.scratch / "context"
        folder.mkdir(exist_ok=True)
        shutil.copy(self.code, folder / "words.py")
        (folder / "Dockerfile").write_text(
            f"FROM {self.host}/nuclio/processor-words:latest\nCOPY words.py /opt/nuclio/\n"
        )
        return folder

    def buildah(self) -> None:
        if not shutil.which("buildah"):
            raise Unavailable("buildah is not installed")
        image = f"{self.host}/buildah/words:latest"
        root = ["--root", str(self.scratch / "storage"), "--runroot", str(self.scratch / "run")]
        context = self.context()
        self.run(
            [
                "buildah",
                *root,
                "bud",
                "--isolation",
                "chroot",
                "--layers",
                "--tls-verify=false",
                "--tag",
                image,
                context,
            ]
        )
        self.run(["buildah", *root, "push", "--tls-verify=false", image, f"docker://{image}"])

    def start_docker(self) -> None:
        if not shutil.which("dockerd") or not shutil.which("docker"):
            raise Unavailable("Debian's docker.io is not installed")
        if os.geteuid() != 0:
            raise Unavailable("dockerd needs root")
        folder = self.scratch / "docker"
        folder.mkdir()
        self.environment["DOCKER_HOST"] = f"unix://{folder}/socket"
        self._start(
            ["dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none", "--data-root", f"{folder}/data"]
            + ["--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid", "-H", f"unix://{folder}/socket"]
        )
        end = time.monotonic() + 30
        while time.monotonic() < end and self.children[-1].poll() is None:
            if subprocess.run(["docker", "version"], capture_output=True, env=self.environment).returncode == 0:
                return
            time.sleep(0.1)
        raise Unavailable("dockerd did not start")

    def docker(self) -> None:
        image = f"{self.host}/docker/words:latest"
        self.run(["docker", "build", "--tag", image, self.context()], DOCKER_BUILDKIT="0")
        self.run(["docker", "push", image])


def images(bin: Path, scratch: Path, rounds: int) -> list[dict]:
    """Seconds from a changed line to the image in the registry, for each of who builds; middle and worst."""
    with Bench(bin, scratch) as bench:
        bench.change()
        began = time.perf_counter()
        bench.ours()
        found = [{"who": "nuctl build, nothing cached", "median": time.perf_counter() - began, "worst": None}]

        def measure(who: str, build: Callable[[], int | None], prepare: Callable[[], None] = lambda: None) -> None:
            try:
                prepare()
                build()  # fills its cache
            except Unavailable as missing:
                found.append({"who": who, "missing": str(missing)})
                return
            took, sent = [], []
            for _ in range(rounds):
                bench.change()
                began = time.perf_counter()
                pushed = build()
                took.append(time.perf_counter() - began)
                sent += [] if pushed is None else [pushed]
            row = {"who": who, "median": statistics.median(took), "worst": max(took)}
            found.append({**row, "sent_bytes": max(sent) if sent else None})

        measure("nuctl build", bench.ours)
        measure("buildah build and push", bench.buildah)
        measure("docker build and push", bench.docker, bench.start_docker)
        return found

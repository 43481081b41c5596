# SPDX-License-Identifier: Apache-2.0
"""From a function's code to its answer at a node port of a cluster, beside what Kubernetes takes for a bare pod."""

import os
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "test/e2e"))

import installing  # noqa: E402
import kubernetes  # noqa: E402

NAMESPACE = "nuclio-bench"
FUNCTION = "def handler(context, event):\n    return 'version {}'\n"
LIMIT_SECONDS = 120


class Bench:
    """Nuclio in a namespace of its own, and nuctl as its user calls it."""

    def __init__(self, cluster: kubernetes.Cluster, base: str, bin: Path, scratch: Path):
        self.cluster = cluster
        self.base = base
        self.bin = bin
        self.scratch = scratch
        self.code = scratch / "words.py"
        self.version = 0

    def deploy(self, name: str) -> float:
        """Seconds from the command to the first answer of the code as it is now."""
        self.version += 1
        self.code.write_text(FUNCTION.format(self.version))
        began = time.perf_counter()
        command = [self.bin / "nuctl", "--kubeconfig", self.cluster.kubeconfig, "-n", NAMESPACE, "deploy", name]
        command += ["--path", self.code, "--registry", f"http://{self.cluster.registry}", "--base-image", self.base]
        self._run([*command, "--http-trigger-service-type", "NodePort"])
        status = self.cluster.get(NAMESPACE, "nucliofunction", name)["status"]
        wait_for_answer(f"http://127.0.0.1:{status['httpPort']}", f"version {self.version}")
        return time.perf_counter() - began

    def bare_pod(self, name: str) -> float:
        """The same of a Deployment that needs no image but one that the node has, and is asked every second."""
        probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
        script = "mkdir /tmp/w; echo here >/tmp/w/index.html; exec busybox httpd -f -p 8080 -h /tmp/w"
        container = {
            "name": "bare",
            "image": f"{self.cluster.registry}/busybox:1",
            "command": ["/bin/sh", "-c", script],
            "readinessProbe": probe,
        }
        labels = {"app": name}
        spec = {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        }
        began = time.perf_counter()
        self.cluster.apply(
            NAMESPACE, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
        )
        self.cluster.kubectl(
            "-n", NAMESPACE, "rollout", "status", f"deployment/{name}", f"--timeout={LIMIT_SECONDS}s", seconds=150
        )
        return time.perf_counter() - began

    def _run(self, command: list) -> None:
        done = subprocess.run(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_SECONDS,
            env={"PATH": os.environ["PATH"], "HOME": str(self.scratch)},
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {done.stdout[-1000:]}")


def wait_for_answer(url: str, text: str) -> None:
    end = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.read().decode() == text:
                    return
        except (urllib.error.URLError, OSError):
            pass  # the node has not heard of the pod yet
        time.sleep(0.02)
    raise RuntimeError(f"{url} never answered {text!r}")


def cluster(bin: Path, scratch: Path, rounds: int) -> list[dict]:
    os.environ["NUCLIO_BIN"] = str(bin)
    with kubernetes.shared_cluster() as shared:
        images = installing.push_images(shared)
        shared.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait", seconds=120)
        shared.kubectl("create", "namespace", NAMESPACE)
        try:
            with installing.installed_by_manifests(shared, NAMESPACE):
                return measure(Bench(shared, images["python"], bin, scratch), rounds)
        finally:
            shared.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def measure(bench: Bench, rounds: int) -> list[dict]:
    bench.deploy("first")  # the node has the base from here on
    bench.bare_pod("first")
    took: dict[str, list[float]] = {}
    for number in range(rounds):
        for what, seconds in (
            ("a new function, base on the node", bench.deploy(f"new-{number}")),
            ("a code change", bench.deploy("first")),
            ("a bare pod of Kubernetes, ready", bench.bare_pod(f"bare-{number}")),
        ):
            took.setdefault(what, []).append(seconds)
    return [{"what": what, "median": statistics.median(each), "worst": max(each)} for what, each in took.items()]

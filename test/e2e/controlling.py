# SPDX-License-Identifier: Apache-2.0
"""The controller as a process, behind a fault proxy, and the functions that it looks after."""

import base64
import concurrent.futures
import contextlib
import copy
import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

from fault_proxy import FaultProxy
from kubernetes import ROOT, ControlPlane, eventually

FUNCTION = "nuclio.io/function-name"
APIS = {
    "namespaces": "/api/v1",
    "pods": "/api/v1",
    "serviceaccounts": "/api/v1",
    "configmaps": "/api/v1",
    "services": "/api/v1",
    "deployments": "/apis/apps/v1",
    "horizontalpodautoscalers": "/apis/autoscaling/v2",
    "ingresses": "/apis/networking.k8s.io/v1",
    "cronjobs": "/apis/batch/v1",
    "leases": "/apis/coordination.k8s.io/v1",
    "nucliofunctions": "/apis/nuclio.io/v1",
}
OWNED = ("configmaps", "services", "deployments", "horizontalpodautoscalers", "ingresses", "cronjobs")
ALWAYS = ("configmaps", "services", "deployments")
# Writes both spec and status.
WHOLE_FUNCTIONS = "/apis/nuclio.io/v1beta1"
# What differs between two runs of which each is as good as the other.
PASSING = {"uid", "resourceVersion", "managedFields", "creationTimestamp", "generation", "lastTransitionTime",
           "clusterIP", "clusterIPs", "observedGeneration", "deployment.kubernetes.io/revision"}  # fmt: skip
HASH = re.compile(r"\b[0-9a-f]{20}\b|\b[0-9a-f]{64}\b")
CALLERS = 8


class Api:
    """The API server as its administrator sees it, past every proxy. For any number of threads."""

    def __init__(self, plane: ControlPlane, folder: Path):
        config = json.loads(plane.kubectl("config", "view", "--raw", "-o", "json"))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        url = urllib.parse.urlsplit(cluster["server"])
        self.server = (url.hostname, url.port)
        self.context = ssl.create_default_context(
            cadata=base64.b64decode(cluster["certificate-authority-data"]).decode()
        )
        pair = folder / "admin.pem"
        pair.touch(mode=0o600)
        pair.write_bytes(
            base64.b64decode(user["client-certificate-data"]) + b"\n" + base64.b64decode(user["client-key-data"])
        )
        self.context.load_cert_chain(pair)
        self._own = threading.local()

    def ask(self, method: str, path: str, body: object = None, kind: str = "application/json") -> tuple[int, dict]:
        data = None if body is None else json.dumps(body)
        for again in (True, False):
            connection = getattr(self._own, "connection", None)
            if connection is None:
                connection = http.client.HTTPSConnection(*self.server, context=self.context, timeout=30)
                self._own.connection = connection
            try:
                connection.request(method, path, data, {"Content-Type": kind})
                response = connection.getresponse()
                return response.status, json.loads(response.read())
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                self._own.connection = None
                if not again:
                    raise OSError(f"{method} {path}: {error}") from error
        raise AssertionError("unreachable")

    def must(self, method: str, path: str, body: object = None, kind: str = "application/json") -> dict:
        status, answer = self.ask(method, path, body, kind)
        if status >= 300:
            raise OSError(f"{method} {path}: {status} {answer.get('message')}")
        return answer

    def all_at_once(self, work: Callable, items: list) -> list:
        with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
            return list(pool.map(work, items))


class Functions:
    """The functions of one namespace, and what is made for them."""

    def __init__(self, api: Api, namespace: str):
        self.api = api
        self.namespace = namespace

    def path(self, kind: str, name: str = "", whole: bool = False) -> str:
        root = WHOLE_FUNCTIONS if whole else APIS[kind]
        return f"{root}/namespaces/{self.namespace}/{kind}" + (f"/{name}" if name else "")

    def make_namespace(self) -> None:
        self.api.must("POST", APIS["namespaces"] + "/namespaces", {"metadata": {"name": self.namespace}})

    def create(self, *functions: dict) -> None:
        self.api.all_at_once(
            lambda each: self.api.must("POST", self.path("nucliofunctions", whole=True), each), list(functions)
        )

    def patch(self, name: str, spec: dict, kind: str = "nucliofunctions") -> None:
        self.api.must("PATCH", self.path(kind, name), spec, "application/merge-patch+json")

    def delete(self, name: str, kind: str = "nucliofunctions") -> None:
        self.api.must("DELETE", self.path(kind, name), {"propagationPolicy": "Background"})

    def get(self, kind: str, name: str) -> "dict | None":
        status, answer = self.api.ask("GET", self.path(kind, name))
        return answer if status == 200 else None

    def all_of(self, kind: str) -> list[dict]:
        return self.api.must("GET", self.path(kind))["items"]

    def settled(self) -> set[str]:
        """Those whose objects are there, and whose status speaks of their spec as it is now."""
        there = [{label(each) for each in self.all_of(kind)} for kind in ALWAYS]
        seen = {name(each) for each in self.all_of("nucliofunctions") if is_observed(each)}
        return seen.intersection(*there)

    def wait_settled(self, names: list[str], seconds: float = 20) -> None:
        wanted = set(names)
        eventually(lambda: wanted <= self.settled(), seconds, f"{len(wanted)} functions settle")

    def objects(self) -> dict[str, dict]:
        """By function, what there is of it: "kind" to the objects, without what differs from run to run."""
        out: dict[str, dict] = {}
        for each in self.all_of("nucliofunctions"):
            out.setdefault(name(each), {})["nucliofunctions"] = [self._comparable(each, name(each))]
        for kind in OWNED:
            for each in self.all_of(kind):
                if not label(each):
                    continue
                each.pop("status", None)
                out.setdefault(label(each), {}).setdefault(kind, []).append(self._comparable(each, label(each)))
        return out

    def _comparable(self, given: dict, function: str) -> dict:
        given.get("status", {}).get("conditions", []).sort(key=lambda each: each["type"])  # a map, in no order
        # Hashes are of text that has these names in it.
        text = HASH.sub("HASH", json.dumps(without_passing(given), sort_keys=True))
        return json.loads(text.replace(function, "FUNCTION").replace(self.namespace, "NAMESPACE"))

    def wait_same(self, names: list[str], golden: dict, seconds: float = 20) -> None:
        """Until what there is of each is what a run without faults leaves."""
        difference = {}

        def same() -> bool:
            objects = self.objects()
            difference.clear()
            difference.update({each: objects.get(each, {}) for each in names if objects.get(each, {}) != golden})
            return not difference

        with contextlib.suppress(AssertionError):
            eventually(same, seconds, "")
        assert not difference, "\n".join(differences(next(iter(difference.values())), golden, next(iter(difference))))

    def wait_gone(self, names: list[str], seconds: float = 30) -> None:
        eventually(lambda: not set(names) & set(self.objects()), seconds, f"nothing is left of {names}")


class Controller:
    """One process. Its log goes on over restarts."""

    def __init__(self, folder: Path, proxy: FaultProxy, namespace: str, *flags: str):
        folder.mkdir(parents=True)
        self.log = folder / "controller.log"
        kubeconfig = folder / "kubeconfig"
        cluster = {"name": "c", "cluster": {"server": proxy.address}}
        context = {"name": "c", "context": {"cluster": "c", "user": "u", "namespace": namespace}}
        config = {"apiVersion": "v1", "kind": "Config", "clusters": [cluster], "contexts": [context],
                  "current-context": "c", "users": [{"name": "u", "user": {}}]}  # fmt: skip
        kubeconfig.write_text(json.dumps(config))
        platform = folder / "platform.yaml"
        platform.write_text("cronTriggerCreationMode: kube\n")
        self.command = [programs() / "controller", "--kubeconfig-path", kubeconfig, "--platform-config", platform,
                        "--namespace", namespace, "--health-addr", "", *flags]  # fmt: skip
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        with open(self.log, "ab") as log:
            self.started_at = log.tell()
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def wait_watching(self, seconds: float = 20) -> None:
        eventually(lambda: not self.is_alive() or "Watching" in self.words(), seconds, "the controller watches")
        assert self.is_alive(), self.words()

    def words(self) -> str:
        """What it has logged since it was started."""
        return self.log.read_bytes()[self.started_at :].decode()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        self.kill()
        self.start()

    def end(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def processor_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mebibytes(self) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise AssertionError("the controller has ended")


class World:
    """A namespace, a proxy and a controller that is started when somebody says so."""

    def __init__(self, api: Api, folder: Path, namespace: str, *flags: str):
        self.functions = Functions(api, namespace)
        self.proxy = FaultProxy(api.server, api.context)
        self.controller = Controller(folder / namespace, self.proxy, namespace, *flags)

    def end(self) -> None:
        self.controller.end()
        self.proxy.end()


@contextlib.contextmanager
def world(api: Api, folder: Path, namespace: str, *flags: str) -> Iterator[World]:
    made = World(api, folder, namespace, *(flags or ("--leader-election", "false")))
    made.functions.make_namespace()
    try:
        yield made
        assert made.controller.process is None or made.controller.is_alive(), made.controller.log.read_text()[-2000:]
    finally:
        made.end()
        api.ask("DELETE", f"{APIS['namespaces']}/namespaces/{namespace}")


def programs() -> Path:
    return Path(os.environ.get("NUCLIO_BIN") or ROOT / "build/release/bin").resolve()


def simple(name: str, **spec: object) -> dict:
    """A function as a client leaves it to the controller when its image is made."""
    own = {"handler": "main:handler", "runtime": "python:3.11", "image": "registry.test/function:1",
           "readinessTimeoutSeconds": 3600, **spec}  # fmt: skip
    status = {"state": "waitingForResourceConfiguration"}
    return {"apiVersion": "nuclio.io/v1beta1", "kind": "NuclioFunction", "metadata": {"name": name}, "spec": own,
            "status": status}  # fmt: skip


def rich(name: str) -> dict:
    """One that has an object of each kind."""
    ingress = {"0": {"host": f"{name}.example.com", "paths": ["/"]}}
    triggers = {
        "web": {"kind": "http", "attributes": {"ingresses": ingress}},
        "hourly": {"kind": "cron", "attributes": {"schedule": "0 0 * * * *"}},
    }
    resources = {"requests": {"cpu": "0.25", "memory": "0.5Gi"}, "limits": {"cpu": 1}}
    env = [{"name": "A", "value": "one"}]
    return simple(name, minReplicas=1, maxReplicas=3, resources=resources, env=env, triggers=triggers)


def name(given: dict) -> str:
    return given["metadata"]["name"]


def label(given: dict) -> str:
    return given["metadata"].get("labels", {}).get(FUNCTION, "")


def is_observed(function: dict) -> bool:
    return function.get("status", {}).get("observedGeneration") == function["metadata"]["generation"]


def without_passing(given: object) -> object:
    if isinstance(given, list):
        return [without_passing(each) for each in given]
    if isinstance(given, dict):
        return {key: without_passing(value) for key, value in copy.copy(given).items() if key not in PASSING}
    return given


def differences(left: object, right: object, where: str) -> Iterator[str]:
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted({*left, *right}):
            yield from differences(left.get(key), right.get(key), f"{where}.{key}")
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for at, (one, other) in enumerate(zip(left, right)):
            yield from differences(one, other, f"{where}[{at}]")
    elif left != right:
        yield f"{where}: {left!r} instead of {right!r}"

# SPDX-License-Identifier: Apache-2.0
"""The clusters that tests meet: this machine's node or one that the environment names, and control planes alone."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(
    os.environ.get("CLUSTER_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nuclio-cluster"
)
# A first start builds Kubernetes from Go modules, while the other tests want the same cores.
SECONDS_TO_BUILD = 2700
SECONDS_TO_END = 120
# What tells that an addon of test/cluster, or something that does the same, is there.
SIGNS = {"metrics": ("apiservice", "v1beta1.metrics.k8s.io"), "ingress": ("ingressclass", "nginx")}


class Cluster:
    """A Kubernetes API and, where it has nodes, the registry that they pull from."""

    def __init__(self, kubeconfig: Path, kubectl: Path, registry: str = ""):
        self.kubeconfig = kubeconfig
        self.kubectl_path = kubectl
        self.registry = registry  # host:port, plain HTTP, to push to from here; pods' images are named after it, too

    def kubectl(self, *arguments: str, given: str | None = None, seconds: float = 60) -> str:
        """What kubectl prints. When it fails, what it complains about is in the KubectlError."""
        done = self.try_kubectl(*arguments, given=given, seconds=seconds)
        if done.returncode:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def try_kubectl(
        self, *arguments: str, given: str | None = None, seconds: float = 60
    ) -> subprocess.CompletedProcess:
        return subprocess.run(
            [self.kubectl_path, f"--kubeconfig={self.kubeconfig}", *arguments],
            input=given,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def apply(self, namespace: str, *objects: dict) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("-n", namespace, "apply", "-f", "-", given=json.dumps(listed))

    def get(self, namespace: str, kind: str, name: str) -> dict:
        return json.loads(self.kubectl("-n", namespace, "get", kind, name, "-o", "json"))

    def provide(self, addon: str) -> bool:
        """Whether it is there; who can sees to it."""
        return self.try_kubectl("get", *SIGNS[addon]).returncode == 0


class Node(Cluster):
    """This machine's."""

    def provide(self, addon: str) -> bool:
        with locked(CACHE / "tests.lock"):
            if not super().provide(addon):
                dev("cluster", "up", "--addons", f"dns {addon}", seconds=SECONDS_TO_BUILD)
        return True


class KubectlError(Exception):
    pass


class ControlPlane(Cluster):
    """etcd, an API server, the controllers and a scheduler without a node, which a test may stop, kill and wipe."""

    def __init__(self, instance: int, data: Path):
        super().__init__(data / "conf/admin.kubeconfig", CACHE / "bin/kubectl")
        self.instance = instance
        self.data = data

    def start(self) -> None:
        dev("cluster", "up", f"--control-plane={self.instance}", seconds=SECONDS_TO_BUILD, data=self.data)

    def end(self) -> None:
        dev("cluster", "down", f"--control-plane={self.instance}", seconds=SECONDS_TO_END, data=self.data)

    def stop_apiserver(self) -> None:
        self._script("down.sh", "apiserver")

    def kill_apiserver(self) -> None:
        """As a crash would: no watch is ended, no answer finished."""
        os.kill(int((self.data / "pid/apiserver").read_text()), signal.SIGKILL)
        self.stop_apiserver()
        eventually(lambda: not listens(6443 + 100 * self.instance), 20, "the API server's port is free")

    def start_apiserver(self) -> None:
        """Returns when it is ready. Starts whatever else of the control plane has ended, too."""
        self._script("up.sh")

    def stop_scheduler(self) -> None:
        """Pods wait from here on, and nobody says that there is no node for them. start_apiserver() starts it again."""
        self._script("down.sh", "scheduler")

    def stop_controllers(self) -> None:
        """Nobody makes pods of Deployments or collects garbage from here on. start_apiserver() starts them again."""
        self._script("down.sh", "controller-manager")

    def wipe_etcd(self) -> None:
        """Starts over with the API server that clients know, same address, same certificates, and no object."""
        self._script("down.sh", "scheduler", "controller-manager", "apiserver", "etcd")
        shutil.rmtree(self.data / "etcd")
        self._script("up.sh")

    def _script(self, name: str, *arguments: str) -> None:
        run([ROOT / "test/cluster" / name, *arguments], 300, CLUSTER_INSTANCE=self.instance, CLUSTER_DATA=self.data)


@contextlib.contextmanager
def shared_cluster() -> Iterator[Cluster]:
    """The cluster of the environment's KUBECONFIG, or the node of this machine.

    The node is one for all processes that test on this machine. Who finds it down starts it, and the last of its users
    takes it down again; when a person started it, it stays.
    """
    if "KUBECONFIG" in os.environ and "NUCLIO_TEST_REGISTRY" in os.environ:
        found = shutil.which("kubectl") or CACHE / "bin/kubectl"
        yield Cluster(Path(os.environ["KUBECONFIG"]), Path(found), os.environ["NUCLIO_TEST_REGISTRY"])
        return
    data = Path(os.environ.get("CLUSTER_DATA") or CACHE / "data")
    ours = data / "started-by-tests"  # goes with the data when the cluster is taken down
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "tests.users", "w") as users:
        with locked(CACHE / "tests.lock"):
            fcntl.flock(users, fcntl.LOCK_SH)
            if not is_up():
                data.mkdir(parents=True, exist_ok=True)
                ours.touch()
                try:
                    dev("cluster", "up", seconds=SECONDS_TO_BUILD)
                except Exception:
                    dev("cluster", "down", seconds=SECONDS_TO_END)
                    raise
        yield Node(data / "conf/admin.kubeconfig", CACHE / "bin/kubectl", "127.0.0.1:5000")
        with locked(CACHE / "tests.lock"):
            fcntl.flock(users, fcntl.LOCK_UN)
            if ours.exists() and try_lock(users):
                dev("cluster", "down", seconds=SECONDS_TO_END)


@contextlib.contextmanager
def own_control_plane(data: Path) -> Iterator[ControlPlane]:
    """A control plane for this process alone, whatever others run on the machine."""
    CACHE.mkdir(parents=True, exist_ok=True)
    for instance in range(10, 100):
        with open(CACHE / f"tests.control-plane-{instance}", "w") as taken:
            if not try_lock(taken) or listens(6443 + 100 * instance):
                continue
            plane = ControlPlane(instance, data)
            try:
                plane.start()
                yield plane
            finally:
                plane.end()
            return
    raise RuntimeError("every control plane from 10 to 99 is taken")


def dev(*arguments: str, seconds: float, data: Path | None = None) -> None:
    run([ROOT / "dev", *arguments], seconds, **({"CLUSTER_DATA": data} if data else {}))


def is_up() -> bool:
    done = subprocess.run([ROOT / "dev", "cluster", "status"], capture_output=True, timeout=60, check=False)
    return done.returncode == 0


def run(command: list, seconds: float, **environment: object) -> None:
    """Runs a script whose last lines tell what went wrong."""
    done = subprocess.run(
        command,
        env={**os.environ, **{name: str(value) for name, value in environment.items()}},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} exited with {done.returncode}:\n{done.stdout[-4000:]}")


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def try_lock(file) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def eventually(check: Callable[[], object], seconds: float, what: str) -> object:
    """What check returns as soon as that is true. An error that it raises is as good as a no, until the time is up."""
    deadline = time.monotonic() + seconds
    last = None
    while time.monotonic() < deadline:
        try:
            if found := check():
                return found
        except (OSError, KubectlError) as error:
            last = error
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds} s; {last or 'no error'}")

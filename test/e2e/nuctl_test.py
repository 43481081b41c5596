# SPDX-License-Identifier: Apache-2.0
"""nuctl on a cluster does what it does on one machine: the cases are those of test/integration."""

import json
import subprocess

import installing
import pytest
from kubernetes import eventually, listens
from nuctl_cases import NuctlCases

SECONDS_A_COMMAND = 120


class Place:
    """nuctl in a namespace, with the methods of running.Dashboard."""

    def __init__(self, cluster, namespace, base, home):
        self.where = ["--platform", "kube", "--kubeconfig", cluster.kubeconfig, "-n", namespace]
        self.base = base
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(home),
            "DOCKER_CONFIG": str(home),
            "NUCTL_REGISTRY": f"http://{cluster.registry}",
        }

    def command(self, arguments):
        base = ["--base-image", self.base] if arguments[0] in ("deploy", "update") else []
        return [str(each) for each in (installing.programs() / "nuctl", *self.where, *arguments, *base)]

    def nuctl(self, *arguments, input=None):
        return subprocess.run(
            self.command(arguments),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            timeout=SECONDS_A_COMMAND,
            check=False,
            env=self.environment,
        )

    def begin_nuctl(self, *arguments):
        return subprocess.Popen(self.command(arguments), stdout=subprocess.PIPE, env=self.environment)

    def deploy(self, name, path, *flags):
        done = self.nuctl("deploy", name, "--path", path, "--http-trigger-service-type", "NodePort", *flags)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        function = self.function(name)
        # Nodes hear of a pod's coming a moment after it.
        eventually(lambda: listens(function["status"]["httpPort"]), 10, f"{name} is reached at its node port")
        return function

    def function(self, name):
        done = self.nuctl("get", "function", name, "-o", "json")
        assert done.returncode == 0, done
        return json.loads(done.stdout)

    def url(self, name):
        """At the node port on loopback."""
        return f"127.0.0.1:{self.function(name)['status']['httpPort']}"


@pytest.fixture(scope="module")
def platform(cluster, images, tmp_path_factory):
    with installing.fresh_namespace(cluster) as namespace, installing.installed_by_manifests(cluster, namespace):
        yield Place(cluster, namespace, images["python"], tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def elsewhere(cluster, images, tmp_path_factory):
    """A namespace without a controller: what is imported waits there."""
    with installing.fresh_namespace(cluster) as namespace:
        yield Place(cluster, namespace, images["python"], tmp_path_factory.mktemp("elsewhere"))


class TestOnACluster(NuctlCases):
    pass

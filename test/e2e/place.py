# SPDX-License-Identifier: Apache-2.0
"""A namespace in which we are installed, and what its user does there."""

import contextlib
import json
import subprocess
import urllib.error
import urllib.request

import installing
from kubernetes import eventually

SECONDS_TO_DEPLOY = 60


class Place:
    """A namespace in which we are installed, and nuctl as its user calls it."""

    def __init__(self, cluster, namespace, dashboard, base, home, user):
        self.cluster = cluster
        self.namespace = namespace
        self.dashboard = dashboard
        self.base = base
        self.home = home
        self.user = user  # the header that shows the dashboard who they are

    def kubectl(self, *arguments, **options):
        return self.cluster.kubectl("-n", self.namespace, *arguments, **options)

    def nuctl_command(self, *arguments):
        command = [installing.programs() / "nuctl", "--kubeconfig", self.cluster.kubeconfig, "-n", self.namespace]
        return [*map(str, command), *map(str, arguments)]

    def nuctl_options(self):
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "DOCKER_CONFIG": str(self.home)}
        return {"stdin": subprocess.DEVNULL, "env": environment}

    def nuctl(self, *arguments, fails=False):
        done = subprocess.run(
            self.nuctl_command(*arguments),
            capture_output=True,
            text=True,
            timeout=SECONDS_TO_DEPLOY + 60,
            check=False,
            **self.nuctl_options(),
        )
        assert (done.returncode != 0) == fails, f"nuctl {arguments} exited with {done.returncode}\n{done.stderr}"
        return done.stdout + done.stderr

    def deploy(self, name, path, *arguments, **options):
        registry = f"http://{self.cluster.registry}"
        where = ["--registry", registry, "--base-image", self.base, "--http-trigger-service-type", "NodePort"]
        return self.nuctl("deploy", name, "--path", path, *where, *arguments, **options)

    def state(self, name):
        """ "" when there is no such function, or its status does not say."""
        text = self.kubectl("get", "nf", name, "--ignore-not-found", "-o", "jsonpath={.status.state}")
        return text.strip()

    def function(self, name):
        return self.cluster.get(self.namespace, "nucliofunction", name)

    def url(self, name):
        """At the node port on loopback."""
        status = self.function(name)["status"]
        (url,) = status["externalInvocationUrls"]
        assert url.endswith(f":{status['httpPort']}")
        return f"http://127.0.0.1:{status['httpPort']}"

    def pods(self, name):
        selector = f"nuclio.io/class=function,nuclio.io/function-name={name}"
        return json.loads(self.kubectl("get", "pods", "-l", selector, "-o", "json"))["items"]


def call(url, body=None, method=None, headers=None):
    """Status and text of an answer."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def answers(url, text, headers=None, seconds=10):
    """Nodes hear of a pod's coming and going a moment after it."""
    eventually(lambda: call(url, headers=headers) == (200, text), seconds, f"the answer {text!r} at {url}")


@contextlib.contextmanager
def installed_place(cluster, images, home):
    """Installed by the manifests, in a namespace of its own that takes only pods of restricted Pod Security."""
    with (
        installing.fresh_namespace(cluster) as namespace,
        installing.installed_by_manifests(cluster, namespace) as dashboard,
    ):
        user = installing.user(cluster, namespace)
        yield Place(cluster, namespace, dashboard, images["python"], home, user)

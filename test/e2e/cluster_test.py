# SPDX-License-Identifier: Apache-2.0
"""The clusters that the other tests here stand on are what they say."""

import subprocess
import time
import urllib.request

import pytest
from kubernetes import KubectlError, eventually

RESTRICTED = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
UNPRIVILEGED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def web_server(registry: str, text: str) -> dict:
    script = f"echo {text} >/www/index.html && exec /bin/busybox httpd -f -p 8080 -h /www"
    container = {
        "name": "web",
        "image": f"{registry}/busybox:1",
        "command": ["/bin/busybox", "sh", "-c", script],
        "ports": [{"containerPort": 8080}],
        "volumeMounts": [{"name": "www", "mountPath": "/www"}],
        "securityContext": UNPRIVILEGED,
    }
    spec = {
        "containers": [container],
        "volumes": [{"name": "www", "emptyDir": {}}],
        "securityContext": RESTRICTED,
        "terminationGracePeriodSeconds": 0,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"app": "web"}}, "spec": spec}


def node_port(name: str) -> dict:
    spec = {"type": "NodePort", "selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def config_map(name: str) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "b"}}


def test_a_restricted_pod_of_the_registry_answers_over_a_node_port(cluster, namespace):
    cluster.apply(namespace, web_server(cluster.registry, "hello"), node_port("web"))
    port = cluster.get(namespace, "service", "web")["spec"]["ports"][0]["nodePort"]
    without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def answer():
        with without_proxy.open(f"http://127.0.0.1:{port}/", timeout=2) as response:
            return response.read()

    assert eventually(answer, 120, "the pod's answer") == b"hello\n"


def addresses() -> set[str]:
    """Those of this machine."""
    shown = subprocess.run(["ip", "-oneline", "address"], capture_output=True, text=True, check=True, timeout=10)
    return {" ".join(line.split()[1:4]) for line in shown.stdout.splitlines()}


def test_a_pod_gives_the_machine_no_further_address(cluster, namespace):
    """A browser beside the cluster takes one that comes or goes for another network, and cuts its requests."""
    before = addresses()
    cluster.apply(namespace, web_server(cluster.registry, "hello"))
    eventually(lambda: cluster.get(namespace, "pod", "web")["status"]["phase"] == "Running", 120, "the pod")
    time.sleep(3)  # one that an interface gives itself is first looked for among the neighbours, for up to two seconds
    assert not [each for each in addresses() - before if each.startswith("veth")]


def test_a_pod_that_may_become_root_is_refused(cluster, namespace):
    pod = web_server(cluster.registry, "hello")
    del pod["spec"]["securityContext"]
    with pytest.raises(KubectlError, match='violates PodSecurity "restricted'):
        cluster.apply(namespace, pod)


def test_the_objects_of_a_control_plane_survive_its_api_server(control_plane):
    control_plane.apply("default", config_map("survivor"))
    control_plane.stop_apiserver()
    with pytest.raises(KubectlError, match="refused"):
        control_plane.get("default", "configmap", "survivor")
    control_plane.start_apiserver()
    assert control_plane.get("default", "configmap", "survivor")["data"] == {"a": "b"}
    control_plane.kill_apiserver()
    control_plane.start_apiserver()
    assert control_plane.get("default", "configmap", "survivor")["data"] == {"a": "b"}


def test_a_control_plane_with_an_emptied_etcd_works_and_knows_nothing(control_plane):
    control_plane.apply("default", config_map("forgotten"))
    control_plane.wipe_etcd()
    with pytest.raises(KubectlError, match="not found"):
        control_plane.get("default", "configmap", "forgotten")
    control_plane.apply("default", config_map("new"))
    # The controllers came back, too: only they make a namespace's service account.
    control_plane.kubectl("create", "namespace", "later")
    assert eventually(lambda: control_plane.get("later", "serviceaccount", "default"), 30, "the service account")

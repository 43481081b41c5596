# SPDX-License-Identifier: Apache-2.0
import uuid
from pathlib import Path

import installing
import kubernetes
import pytest

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)
            # The fixtures keep time themselves: the first of them may have to build Kubernetes.
            item.add_marker(pytest.mark.timeout(300, func_only=True))


@pytest.fixture(scope="session")
def cluster():
    """A Kubernetes with a node and a registry, shared by all tests."""
    with kubernetes.shared_cluster() as shared:
        yield shared


@pytest.fixture(scope="session")
def metrics(cluster):
    """Kubernetes knows what pods use. On this machine's node that is seen to, which may take minutes the first time."""
    if not cluster.provide("metrics"):
        pytest.skip("the cluster of KUBECONFIG serves no metrics")


@pytest.fixture(scope="session")
def ingress(cluster):
    """The URL of an ingress controller of class nginx, without a host of its own."""
    if not cluster.provide("ingress"):
        pytest.skip("the cluster of KUBECONFIG has no ingress class nginx")
    service = cluster.get("kube-system", "service", "ingress")
    (port,) = (each["nodePort"] for each in service["spec"]["ports"] if each["name"] == "http")
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def namespace(cluster):
    """The name of a fresh namespace that admits only pods of restricted Pod Security."""
    name = f"test-{uuid.uuid4().hex[:10]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.apply("default", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="session")
def helm_program(cluster):
    """Helm, which is built after the cluster: both builds want the same cores."""
    return installing.helm_program()


@pytest.fixture(scope="session")
def images(cluster):
    """Our images in the cluster's registry, by name. Making them takes minutes, which are no test's own."""
    return installing.push_images(cluster)


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory):
    """A control plane without nodes, of this test process alone. Who stops a part of it starts it again."""
    with kubernetes.own_control_plane(tmp_path_factory.mktemp("control-plane") / "data") as plane:
        yield plane

# SPDX-License-Identifier: Apache-2.0
"""nuclio-jupyter, Nuclio's own client for Python, with the dashboard of a cluster."""

import uuid

import installing
import pytest
from nuclio_jupyter_cases import NuclioJupyterCases, Place


@pytest.fixture(scope="module")
def place(cluster, images, tmp_path_factory):
    name = f"jupyter-{uuid.uuid4().hex[:10]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.apply("default", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    try:
        with installing.installed_by_manifests(cluster, name) as dashboard:
            # The dashboard reaches the registry from its pod.
            base = images["python"].replace("127.0.0.1", "10.99.0.1")
            yield Place(
                dashboard,
                tmp_path_factory.mktemp("user"),
                config={"spec.build.baseImage": base},
                http={"serviceType": "NodePort"},
            )
    finally:
        cluster.kubectl("delete", "namespace", name, "--wait=false")


class TestOnACluster(NuclioJupyterCases):
    pass

# SPDX-License-Identifier: Apache-2.0
"""nuclio-jupyter, Nuclio's own client for Python, with the dashboard of a cluster."""

import json

import installing
import pytest
import running
from nuclio_jupyter_cases import NuclioJupyterCases, Place


@pytest.fixture(scope="module")
def place(cluster, images, tmp_path_factory):
    with installing.fresh_namespace(cluster) as namespace, installing.installed_by_manifests(cluster, namespace) as url:
        user = installing.user(cluster, namespace)
        made = running.call_api(url.removeprefix("http://"), "POST", "/v2/tokens", {"name": "notebook"}, user, 60)
        assert made.status == 201, made
        yield Place(
            url,
            tmp_path_factory.mktemp("user"),
            config={
                "spec.build.baseImage": images["python"].replace(cluster.registry, installing.registry_within(cluster))
            },
            http={"serviceType": "NodePort"},
            login=("a notebook", json.loads(made.body)["token"]),
        )


class TestOnACluster(NuclioJupyterCases):
    pass

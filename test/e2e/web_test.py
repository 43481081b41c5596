# SPDX-License-Identifier: Apache-2.0
"""What people do with the web app in a cluster: those journeys of web/journeys that need no dashboard of their own."""

import shlex
import sys

import installing
import pytest
from kubernetes import ROOT
from place import installed_place

sys.path.insert(0, str(ROOT / "test/integration"))
from web_journeys import JOURNEYS, run_journey  # from the folder that was named just now

DASHBOARD = f"deployment/{installing.RELEASE}-dashboard"


def is_for_clusters(journey):
    return "aPlace" in journey.read_text()


def token(user):
    return user["Authorization"].removeprefix("Bearer ")


def commands(place, *each):
    """kubectl's, one after the other, for a shell."""
    kubectl = [str(place.cluster.kubectl_path), f"--kubeconfig={place.cluster.kubeconfig}", "-n", place.namespace]
    return " && ".join(shlex.join([*kubectl, *command]) for command in each)


@pytest.fixture(scope="module")
def place(cluster, images, tmp_path_factory):
    with installed_place(cluster, images, tmp_path_factory.mktemp("home")) as made:
        made.viewer = installing.user(cluster, made.namespace, "viewer", "get,list")
        yield made


@pytest.mark.timeout(320)
@pytest.mark.parametrize("journey", list(filter(is_for_clusters, JOURNEYS)), ids=lambda path: path.name.split(".")[0])
def test_a_journey_in_a_cluster(place, journey):
    pods = ["pods", "--selector=app.kubernetes.io/component=dashboard"]
    stop = [["scale", DASHBOARD, "--replicas=0"], ["wait", "--for=delete", *pods, "--timeout=60s"]]
    start = [["scale", DASHBOARD, "--replicas=1"], ["rollout", "status", DASHBOARD, "--timeout=100s"]]
    environment = {
        "NUCLIO_DASHBOARD": place.dashboard,
        "NUCLIO_TOKEN": token(place.user),
        "NUCLIO_VIEWER_TOKEN": token(place.viewer),
        "NUCLIO_DASHBOARD_STOP": commands(place, *stop),
        "NUCLIO_DASHBOARD_START": commands(place, *start),
    }
    run_journey(journey, environment)

# SPDX-License-Identifier: Apache-2.0
"""What people do with the web app in a cluster: those journeys of web/journeys that need no dashboard of their own."""

import sys

import pytest
from kubernetes import ROOT
from place import installed_place

sys.path.insert(0, str(ROOT / "test/integration"))
from web_journeys import JOURNEYS, run_journey  # from the folder that was named just now


def is_for_clusters(journey):
    return "aPlace" in journey.read_text()


@pytest.fixture(scope="module")
def place(cluster, images, tmp_path_factory):
    with installed_place(cluster, "web", images, tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.mark.timeout(320)
@pytest.mark.parametrize("journey", list(filter(is_for_clusters, JOURNEYS)), ids=lambda path: path.name.split(".")[0])
def test_a_journey_in_a_cluster(place, journey):
    token = place.user["Authorization"].removeprefix("Bearer ")
    # As pods reach the registry.
    base = place.base.replace("127.0.0.1", "10.99.0.1")
    run_journey(journey, {"NUCLIO_DASHBOARD": place.dashboard, "NUCLIO_TOKEN": token, "NUCLIO_BASE_IMAGE": base})

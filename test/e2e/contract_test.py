# SPDX-License-Identifier: Apache-2.0
"""What Nuclio's clients rely on, of a dashboard in a cluster; test/integration has the same on one machine."""

import installing
import pytest
import running
from contract_cases import ContractCases


class Board:
    """A dashboard in a cluster, called as running.Dashboard is."""

    def __init__(self, cluster, namespace, address, user):
        self.cluster = cluster
        self.namespace = namespace
        self.address = address
        self.user = user

    def api(self, method, path, body=None, headers=None, timeout=60):
        return running.call_api(self.address, method, path, body, {**self.user, **(headers or {})}, timeout)

    @property
    def log(self):
        return self.cluster.kubectl("-n", self.namespace, "logs", "deployment/nuclio-dashboard")


@pytest.fixture(scope="module")
def board(cluster, images):
    with installing.fresh_namespace(cluster) as namespace, installing.installed_by_manifests(cluster, namespace) as url:
        user = installing.user(cluster, namespace)
        yield Board(cluster, namespace, url.removeprefix("http://"), user)


@pytest.fixture
def user(board):
    return board.user


@pytest.fixture(scope="module")
def code(cluster, images):
    base = images["python"].replace(cluster.registry, installing.registry_within(cluster))
    return {"build": {"baseImage": base}}


@pytest.fixture
def log(board):
    return lambda: board.log


class TestOnACluster(ContractCases):
    pass

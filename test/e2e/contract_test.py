# SPDX-License-Identifier: Apache-2.0
"""What Nuclio's clients rely on, of a dashboard in a cluster; test/integration has the same on one machine."""

import json

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
        return self.kubectl("logs", "deployment/nuclio-dashboard")

    def kubectl(self, *arguments):
        return self.cluster.kubectl("-n", self.namespace, *arguments)


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
    def test_a_gateways_password_is_in_a_secret_that_goes_with_it(self, board):
        def secrets():
            listed = board.kubectl("get", "secrets", "-l", "nuclio.io/apigateway-name=guarded", "-o", "json")
            return {each["metadata"]["name"]: each for each in json.loads(listed)["items"]}

        spec = {
            "host": "guarded.example.com",
            "authenticationMode": "basicAuth",
            "authentication": {"basicAuth": {"username": "ann", "password": "first"}},
            "upstreams": [{"nucliofunction": {"name": "anything"}}],
        }
        gateway = {"metadata": {"name": "guarded"}, "spec": spec}
        assert board.api("POST", "/api_gateways", gateway).status == 201
        ((first, secret),) = secrets().items()
        assert secret["type"] == "nuclio.io/apigatewayconfig"
        assert secret["metadata"]["ownerReferences"][0]["kind"] == "NuclioAPIGateway"
        kept = board.cluster.get(board.namespace, "nuclioapigateway", "guarded")
        assert kept["metadata"]["annotations"]["nuclio.io/apigateway-secret"] == first
        assert kept["spec"]["authentication"]["basicAuth"]["password"].startswith("$ref:")
        shown = board.api("GET", "/api_gateways/guarded").json
        assert "first" not in json.dumps(shown) and first not in json.dumps(shown)
        shown["spec"]["path"] = "/elsewhere"
        assert board.api("PUT", "/api_gateways/guarded", shown).status == 204
        assert list(secrets()) == [first], "the password is the same"
        spec["authentication"]["basicAuth"]["password"] = "second"
        assert board.api("PUT", "/api_gateways/guarded", gateway).status == 204
        assert len(secrets()) == 1 and first not in secrets()
        # Whoever may write a gateway gets at no other Secret by it.
        gateway["metadata"]["annotations"] = {"nuclio.io/apigateway-secret": "somebody-elses"}
        spec["authentication"]["basicAuth"]["password"] = shown["spec"]["authentication"]["basicAuth"]["password"]
        assert board.api("PUT", "/api_gateways/guarded", gateway).status == 204
        assert board.api("DELETE", "/api_gateways", {"metadata": {"name": "guarded"}}).status == 204
        running.wait_for(lambda: not secrets(), "the end of the Secret")

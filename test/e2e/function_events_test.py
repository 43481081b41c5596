# SPDX-License-Identifier: Apache-2.0
"""Saved events in a cluster are objects, whoever writes them, and go with their function."""

import json
import subprocess

import installing
import pytest
from kubernetes import KubectlError

EVENTS = "nucliofunctionevents.nuclio.io"
LABEL = "nuclio.io/function-name"
FUNCTION = {
    "metadata": {"name": "shop", "annotations": {"skip-build": "true", "skip-deploy": "true"}},
    "spec": {"runtime": "python", "handler": "a:b", "build": {"functionSourceCode": "eA=="}},
}


@pytest.fixture
def nuctl(cluster, namespace, tmp_path):
    """nuctl(words…) in a namespace without a controller: a CompletedProcess."""
    installing.apply_crds(cluster)

    def run(*words, input=None):
        where = ["--platform", "kube", "--kubeconfig", cluster.kubeconfig, "-n", namespace]
        return subprocess.run(
            [installing.programs() / "nuctl", *where, *words],
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "NUCTL_REGISTRY": "http://127.0.0.1:1"},
        )

    return run


def ok(done):
    assert done.returncode == 0, done
    return done.stdout


def names(nuctl, *words):
    return ok(nuctl("get", "functionevents", "-o", "name", *words)).split()


def test_an_event_is_an_object_that_kubectl_shows_and_makes(cluster, namespace, nuctl):
    ok(nuctl("create", "functionevent", "order", "--function", "shop", "--trigger-name", "web", "--body", "apples"))
    event = cluster.get(namespace, EVENTS, "order")
    assert event["metadata"]["labels"] == {LABEL: "shop"}
    assert event["spec"] == {"triggerName": "web", "body": "apples"}
    line = cluster.kubectl("-n", namespace, "get", "nfe", "order").splitlines()[1].split()
    assert line[:3] == ["order", "shop", "web"]
    metadata = {"name": "theirs", "namespace": namespace, "labels": {LABEL: "store"}}
    theirs = {"apiVersion": "nuclio.io/v1beta1", "kind": "NuclioFunctionEvent", "metadata": metadata}
    cluster.apply(namespace, {**theirs, "spec": {"displayName": "By kubectl"}})
    assert names(nuctl) == ["order", "theirs"]
    assert names(nuctl, "-f", "store") == ["theirs"]
    assert json.loads(ok(nuctl("get", "fe", "theirs", "-o", "json")))["spec"] == {"displayName": "By kubectl"}
    again = nuctl("create", "functionevent", "order", "--function", "shop")
    assert again.returncode == 1 and 'function event "order" exists already' in again.stderr
    ok(nuctl("delete", "functionevent", "order"))
    gone = nuctl("delete", "functionevent", "order")
    assert gone.returncode == 1 and 'function event "order" does not exist' in gone.stderr
    with pytest.raises(KubectlError):
        cluster.get(namespace, EVENTS, "order")


def test_events_go_with_their_function_and_move_with_their_project(nuctl):
    ok(nuctl("import", "functions", input=json.dumps(FUNCTION)))
    for name, function in (("one", "shop"), ("two", "shop"), ("other", "store")):
        ok(nuctl("create", "functionevent", name, "--function", function))
    exported = json.loads(ok(nuctl("export", "project", "default", "-o", "json")))
    assert exported["functionEvents"]["one"]["metadata"] == {"name": "one", "labels": {LABEL: "shop"}}
    assert sorted(exported["functionEvents"]) == ["one", "two"]
    ok(nuctl("delete", "function", "shop"))
    assert names(nuctl) == ["other"]
    ok(nuctl("import", "projects", input=json.dumps(exported)))
    assert names(nuctl, "-f", "shop") == ["one", "two"]

# SPDX-License-Identifier: Apache-2.0
"""nuctl doctor: what it says of clusters that are well, and of those that are not."""

import base64
import contextlib
import http.server
import json
import signal
import subprocess
import threading

import installing
import pytest
import yaml
from kubernetes import eventually

SUBJECTS = ["cluster", "namespace", "kinds", "rights", "controller"]


class Told:
    """What it said, each line under its subject: (outcome, text, remedy)."""

    def __init__(self, done):
        self.code = done.returncode
        self.text = done.stdout
        said = json.loads(done.stdout)
        self.well = said["well"]
        self.checks = {each["name"]: (each["outcome"], each["text"], each.get("remedy", "")) for each in said["checks"]}
        assert self.well == (self.code == 0), done

    def __getitem__(self, subject):
        return self.checks[subject]

    def outcomes(self):
        return {subject: outcome for subject, (outcome, _, _) in self.checks.items()}


@pytest.fixture
def begin(tmp_path):
    def begin(kubeconfig, *arguments):
        command = [installing.programs() / "nuctl", "doctor", "--kubeconfig", kubeconfig, *arguments]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "DOCKER_CONFIG": str(tmp_path)}
        return subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True, env=environment)

    return begin


@pytest.fixture
def run(begin):
    def run(*arguments):
        with begin(*arguments) as process:
            out, _ = process.communicate(timeout=100)
        return subprocess.CompletedProcess(process.args, process.returncode, out)

    return run


@pytest.fixture
def ask(run):
    return lambda *arguments: Told(run(*arguments, "-o", "json"))


def all_but(failing):
    return {subject: "FAIL" if subject in failing else "ok" for subject in SUBJECTS}


def kubeconfig_of(cluster, folder, **user):
    """A kubeconfig for the cluster as somebody else."""
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    for each in config["users"]:
        each["user"] = user
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


@contextlib.contextmanager
def registry_that_wants_a_login():
    """It takes the password "right" of anybody, and then everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            given = self.headers.get("Authorization", "").removeprefix("Basic ")
            let_in = base64.b64decode(given).endswith(b":right")
            self.send_response(202 if let_in else 401)
            self.send_header("WWW-Authenticate", 'Basic realm="test"')
            self.send_header("Location", "/v2/upload/1")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_DELETE = do_HEAD = answer

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_says_that_all_is_well_where_we_are_installed(cluster, images, namespace, ask, run):
    with installing.installed_by_manifests(cluster, namespace):
        where = [cluster.kubeconfig, "-n", namespace, "--registry", f"http://{cluster.registry}"]
        told = ask(*where, "--pull", "--image", images["python"])
        assert told.outcomes() == {**all_but([]), "pull": "ok", "registry": "ok"}, told.text
        assert told.code == 0
        version = json.loads(cluster.kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
        assert version in told["cluster"][1] and "https://" in told["cluster"][1]
        assert told["controller"][1].startswith("nuclio-controller-")
        assert not cluster.kubectl("-n", namespace, "get", "pods", "-l", "nuclio.io/app=doctor", "-o", "name")
        lines = run(*where).stdout.splitlines()
        assert [line.split()[:2] for line in lines] == [["ok", each] for each in [*SUBJECTS, "registry"]]
        assert len({len(line) - len(line[18:].lstrip()) for line in lines}) == 1


def test_says_that_an_image_cannot_be_pulled_and_why(cluster, namespace, ask):
    installing.apply_crds(cluster)
    missing = f"{cluster.registry}/nuclio/nothing-here:1"
    told = ask(cluster.kubeconfig, "-n", namespace, "--pull", "--image", missing)
    outcome, text, remedy = told["pull"]
    assert outcome == "FAIL" and missing in text and "not found" in text and "imagePullSecrets" in remedy
    assert not cluster.kubectl("-n", namespace, "get", "pods", "-l", "nuclio.io/app=doctor", "-o", "name")


def test_says_that_nobody_looks_after_the_namespace_and_that_there_is_none(cluster, namespace, ask):
    installing.apply_crds(cluster)
    told = ask(cluster.kubeconfig, "-n", namespace)
    assert told.outcomes() == {**all_but(["controller"]), "registry": "skip"}, told.text
    assert "helm" in told["controller"][2]
    told = ask(cluster.kubeconfig, "-n", f"{namespace}-not")
    assert f"kubectl create namespace {namespace}-not" in told["namespace"][2]
    assert told.outcomes()["namespace"] == "FAIL"


def test_tells_a_controller_that_ended_from_one_whose_clock_is_off(cluster, namespace, ask):
    installing.apply_crds(cluster)
    spec = {"holderIdentity": "somebody", "leaseDurationSeconds": 15, "renewTime": "2001-01-01T00:00:00.000000Z"}
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": spec}
    name = f"nuclio-controller-{namespace}"
    cluster.apply(namespace, {**lease, "metadata": {"name": name}})
    outcome, text, remedy = ask(cluster.kubeconfig, "-n", namespace)["controller"]
    assert outcome == "FAIL" and "somebody" in text and "2001-01-01" in text and "get pods" in remedy
    renewed = json.dumps({"spec": {"renewTime": "2001-01-01T00:00:05.000000Z"}})
    renewal = threading.Timer(3, cluster.kubectl, ["-n", namespace, "patch", "lease", name, "-p", renewed])
    renewal.start()
    outcome, text, _ = ask(cluster.kubeconfig, "-n", namespace)["controller"]
    renewal.join()
    assert outcome == "ok" and "clock" in text


def test_says_that_the_cluster_does_not_know_nuclio(control_plane, ask):
    told = ask(control_plane.kubeconfig, "-n", "default")
    assert told.outcomes() == {**all_but(["kinds", "controller"]), "registry": "skip"}, told.text
    assert "nucliofunctions of nuclio.io/v1," in told["kinds"][1] and "crds.yaml" in told["kinds"][2]


def test_says_one_thing_when_the_server_is_down(control_plane, ask):
    control_plane.stop_apiserver()
    try:
        told = ask(control_plane.kubeconfig, "-n", "default", "--pull", "--image", "any")
    finally:
        control_plane.start_apiserver()
    skipped = {subject: "skip" for subject in [*SUBJECTS, "pull", "registry"]}
    assert told.outcomes() == {**skipped, "cluster": "FAIL"}, told.text
    assert told.code == 1


def test_deletes_its_pod_when_it_is_interrupted(control_plane, begin):
    pods = ["-n", "default", "get", "pods", "-l", "nuclio.io/app=doctor", "-o", "name"]
    process = begin(control_plane.kubeconfig, "-n", "default", "--pull", "--image", "waits/for-a-node:1")
    try:
        eventually(lambda: control_plane.kubectl(*pods), 20, "the pod")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 1
    assert "FAIL  pull        interrupted\n" in out
    eventually(lambda: not control_plane.kubectl(*pods), 10, "the end of the pod")


def test_says_what_is_wrong_with_a_kubeconfig(cluster, ask, tmp_path):
    told = ask(tmp_path / "absent")
    assert told["cluster"][0] == "FAIL" and str(tmp_path / "absent") in told["cluster"][1]
    told = ask(cluster.kubeconfig, "--context", "nowhere")
    assert 'no context "nowhere"' in told["cluster"][1]
    assert set(told.outcomes().values()) == {"FAIL", "skip"}
    told = ask(kubeconfig_of(cluster, tmp_path, token="not-one"))
    assert told["cluster"][0] == "FAIL" and "does not take the login" in told["cluster"][1]


def test_names_the_rights_that_a_user_lacks(cluster, namespace, ask, tmp_path):
    installing.apply_crds(cluster)
    cluster.kubectl("-n", namespace, "create", "serviceaccount", "somebody")
    token = cluster.kubectl("-n", namespace, "create", "token", "somebody").strip()
    told = ask(kubeconfig_of(cluster, tmp_path, token=token), "-n", namespace)
    expected = {"cluster": "ok", "namespace": "skip", "kinds": "ok", "rights": "FAIL", "controller": "skip"}
    assert told.outcomes() == {**expected, "registry": "skip"}, told.text
    _, text, remedy = told["rights"]
    for right in ("create nucliofunctions", "delete nucliofunctions", "get pods/log", "create secrets"):
        assert right in text
    assert f"kubectl -n {namespace} create rolebinding" in remedy


def test_says_what_a_registry_has_against_us(cluster, ask, tmp_path):
    with registry_that_wants_a_login() as registry:
        outcome, _, remedy = ask(cluster.kubeconfig, "--registry", f"http://{registry}")["registry"]
        assert outcome == "FAIL" and "login" in remedy
        login = {"auths": {registry: {"auth": base64.b64encode(b"somebody:right").decode()}}}
        (tmp_path / "config.json").write_text(json.dumps(login))
        assert ask(cluster.kubeconfig, "--registry", f"http://{registry}")["registry"][0] == "ok"
    outcome, text, remedy = ask(cluster.kubeconfig, "--registry", f"http://{registry}")["registry"]
    assert outcome == "FAIL" and registry in text and remedy

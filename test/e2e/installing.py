# SPDX-License-Identifier: Apache-2.0
"""Our programs in a namespace of a cluster: by the manifests of deploy/kubernetes, or by the chart."""

import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

from kubernetes import CACHE, ROOT, Cluster, eventually, locked, run

CHART = ROOT / "deploy/helm/nuclio"
MANIFESTS = ROOT / "deploy/kubernetes"
MAKING = ROOT / "tools/images"
MADE = ROOT / "build/images"
PROGRAMS = ("controller", "dashboard")
# CronJobs run nuctl, and functions are put on the others.
IMAGES = (*PROGRAMS, "nuctl", "python", "cpp")
# Ours under the names of those that functions are put on which name none: Docker Hub is not asked.
BASES = {"python": "python:3.11-slim", "cpp": "debian:12-slim"}
RELEASE = "nuclio"
# It waits while another test process builds Kubernetes.
SECONDS_TO_BUILD_HELM = 2700
SECONDS_TO_MAKE_IMAGES = 900
SECONDS_TO_START = 180


def helm_program() -> Path:
    """Built from Go modules when it is not there yet."""
    run([ROOT / "test/cluster/build.sh", "helm"], SECONDS_TO_BUILD_HELM)
    return CACHE / "bin/helm"


def helm(*arguments: object, seconds: float = 60) -> str:
    """What Helm prints. When it fails, what it complains about is in the HelmError."""
    command = [helm_program(), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    if done.returncode:
        raise HelmError(done.stderr)
    return done.stdout


class HelmError(Exception):
    pass


def template(namespace: str, *arguments: object) -> str:
    """The chart's objects in that namespace."""
    return helm("template", RELEASE, CHART, "--namespace", namespace, *arguments)


def push_images(cluster: Cluster) -> dict[str, str]:
    """References with digests of our images, which are in the cluster's registry from here on.

    What was made of the same programs and is still there is not made again, whichever test process asks.
    """
    MADE.mkdir(parents=True, exist_ok=True)
    record = MADE / f"pushed-{cluster.registry.replace(':', '-')}.json"
    with locked(MADE / "making.lock"):
        fingerprint = fingerprint_of_programs()
        known = json.loads(record.read_text()) if record.exists() else {}
        if known.get("fingerprint") == fingerprint and all(map(is_there, known["references"].values())):
            return known["references"]
        make = [sys.executable, MAKING / "make.py", "--bin", programs(), "--out", MADE]
        run([*make, cluster.registry, "--plain-http", "--only", ",".join(IMAGES)], SECONDS_TO_MAKE_IMAGES)
        references = {name: f"{cluster.registry}/nuclio/{name}@{digest_of(MADE / name)}" for name in IMAGES}
        for name, default in BASES.items():
            to = f"{cluster.registry}/hub/{default}"
            plain_http = ["--src-tls-verify=false", "--dest-tls-verify=false"]
            run(["skopeo", "copy", *plain_http, f"docker://{references[name]}", f"docker://{to}"], 120)
            references[default] = to.rsplit(":", 1)[0] + "@" + digest_of(MADE / name)
        record.write_text(json.dumps({"fingerprint": fingerprint, "references": references}))
        return references


def programs() -> Path:
    return Path(os.environ.get("NUCLIO_BIN") or ROOT / "build/release/bin").resolve()


def fingerprint_of_programs() -> str:
    """Changes with all of ours that an image has, and with how it is made."""
    digest = hashlib.sha256()
    share = programs().parent / "share"
    ours = [programs() / name for name in ("controller", "dashboard", "nuctl", "builder", "processor", "log_keeper")]
    for file in [*ours, *sorted(share.rglob("*")), *sorted(MAKING.iterdir())]:
        if file.is_file() and file.suffix != ".pyc":
            digest.update(f"{file}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def digest_of(layout: Path) -> str:
    (digest,) = {each["digest"] for each in json.loads((layout / "index.json").read_text())["manifests"]}
    return digest


def is_there(reference: str) -> bool:
    registry, path = reference.split("/", 1)
    name, digest = path.split("@")
    request = urllib.request.Request(f"http://{registry}/v2/{name}/manifests/{digest}", method="HEAD")
    request.add_header("Accept", "application/vnd.oci.image.manifest.v1+json")
    without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with contextlib.suppress(OSError), without_proxy.open(request, timeout=10) as answer:
        return answer.status == 200
    return False


def registry_within(cluster: Cluster) -> str:
    """The registry's address for pods; on this machine's node, loopback is the pod's own."""
    return cluster.registry.replace("127.0.0.1", "10.99.0.1")


def registry_values(cluster: Cluster) -> dict[str, str]:
    """The keys of the ConfigMap with the registry: functions' images are pushed from pods and pulled by nodes."""
    within = f"http://{registry_within(cluster)}"
    return {"registry_url": within, "run_registry_url": cluster.registry, "base_registry_url": f"{within}/hub"}


def manifests(namespace: str, images: dict[str, str]) -> str:
    """The committed nuclio.yaml, for another namespace than nuclio and with other images."""
    text = (MANIFESTS / "nuclio.yaml").read_text()
    for name in PROGRAMS:
        text, count = re.subn(rf"image: nuclio/{name}:\S+", f"image: {images[name]}", text)
        assert count == 1
    text, count = re.subn(r"(cronTriggerCronJobImage: )nuclio/nuctl:\S+", rf"\g<1>{images['nuctl']}", text)
    assert count == 1
    text = re.sub(r'value: "nuclio/dashboard:[^"]+"', f'value: "{images["dashboard"]}"', text)
    text = re.sub(
        r'(namespace: |value: "|nuclio-controller-)nuclio\b(?=$|"|\])', rf"\g<1>{namespace}", text, flags=re.M
    )
    # Of the whole cluster, where several tests may meet.
    return text.replace(f"name: nuclio-{RELEASE}-dashboard-reviews", f"name: {namespace}-{RELEASE}-dashboard-reviews")


def user(cluster: Cluster, namespace: str, name: str = "somebody", verbs: str = "*") -> dict[str, str]:
    """The header of a user who may do these things to all that is ours in the namespace."""
    cluster.kubectl("-n", namespace, "create", "serviceaccount", name)
    resources = ",".join(
        f"{each}.nuclio.io"
        for each in ("nucliofunctions", "nucliofunctionevents", "nuclioprojects", "nuclioapigateways")
    )
    rule = [f"--verb={verbs}", f"--resource={resources},nucliofunctions.nuclio.io/invocations"]
    cluster.kubectl("-n", namespace, "create", "role", name, *rule)
    bound = [f"--role={name}", f"--serviceaccount={namespace}:{name}"]
    cluster.kubectl("-n", namespace, "create", "rolebinding", name, *bound)
    token = cluster.kubectl("-n", namespace, "create", "token", name, "--duration=2h").strip()
    return {"Authorization": f"Bearer {token}"}


def apply_crds(cluster: Cluster) -> None:
    """They are the whole cluster's, whose other users have the same ones, and stay."""
    crds = str(MANIFESTS / "crds.yaml")
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", crds)
    # kubectl fails when one has no condition at all yet.
    established = ("wait", "--for=condition=Established", "--timeout=30s", "-f", crds)
    eventually(lambda: cluster.kubectl(*established), 60, "the cluster serves the CRDs")


@contextlib.contextmanager
def installed_by_manifests(cluster: Cluster, namespace: str) -> Iterator[str]:
    """Gives the dashboard's URL, when both programs are ready; takes them away again."""
    images = push_images(cluster)
    apply_crds(cluster)
    registry = [f"--from-literal={key}={value}" for key, value in registry_values(cluster).items()]
    cluster.kubectl("-n", namespace, "create", "configmap", f"{RELEASE}-registry-url", *registry)
    text = manifests(namespace, images)
    cluster.kubectl("-n", namespace, "apply", "-f", "-", given=text)
    try:
        wait_until_ready(cluster, namespace)
        yield dashboard_url(cluster, namespace)
    finally:
        cluster.kubectl("-n", namespace, "delete", "--ignore-not-found", "-f", "-", given=text)
        cluster.kubectl("-n", namespace, "delete", "configmap", f"{RELEASE}-registry-url")


@contextlib.contextmanager
def installed_by_chart(cluster: Cluster, namespace: str, *arguments: object) -> Iterator[str]:
    """The same by Helm, with further arguments such as "--set=controller.replicas=2"."""
    images = push_images(cluster)
    apply_crds(cluster)
    values = {"crd": {"create": False}, "registry": {}}
    values["registry"]["pushPullUrl"] = registry_values(cluster)["registry_url"]
    values["registry"]["runRegistryURL"] = registry_values(cluster)["run_registry_url"]
    values["registry"]["defaultBaseRegistryURL"] = registry_values(cluster)["base_registry_url"]
    for name in PROGRAMS:
        repository, digest = images[name].split("@")
        values[name] = {"image": {"repository": repository, "tag": f"latest@{digest}"}}
    values["controller"]["cronTriggerCronJobImage"] = images["nuctl"]
    where = ["--kubeconfig", cluster.kubeconfig, "--namespace", namespace]
    given = [f"--set-json={key}={json.dumps(value)}" for key, value in values.items()]
    try:
        helm("install", RELEASE, CHART, *where, *given, *arguments)
        wait_until_ready(cluster, namespace)
        yield dashboard_url(cluster, namespace)
    finally:
        helm("uninstall", RELEASE, *where, "--ignore-not-found", "--wait", seconds=120)


@contextlib.contextmanager
def fresh_namespace(cluster: Cluster) -> Iterator[str]:
    """Its name; as the fixture `namespace`, for as long as its user wants."""
    name = f"place-{uuid.uuid4().hex[:10]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.apply("default", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    try:
        yield name
    finally:
        cluster.kubectl("delete", "namespace", name, "--wait=false")


def wait_until_ready(cluster: Cluster, namespace: str) -> None:
    for name in PROGRAMS:
        rollout = ["rollout", "status", f"deployment/{RELEASE}-{name}", f"--timeout={SECONDS_TO_START}s"]
        done = cluster.try_kubectl("-n", namespace, *rollout, seconds=SECONDS_TO_START + 30)
        if done.returncode:
            raise AssertionError(f"{name} did not become ready: {done.stderr}\n{why(cluster, namespace, name)}")


def why(cluster: Cluster, namespace: str, name: str) -> str:
    """What Kubernetes and the program say of a start that failed."""
    selector = f"--selector=app.kubernetes.io/component={name}"
    asked = (["describe", "pods", selector], ["logs", selector, "--tail=40", "--prefix"])
    return "\n".join(cluster.try_kubectl("-n", namespace, *each).stdout[-4000:] for each in asked)


def dashboard_url(cluster: Cluster, namespace: str) -> str:
    """Of its Service, whose address this machine reaches as the node that it is."""
    service = cluster.get(namespace, "service", f"{RELEASE}-dashboard")
    return f"http://{service['spec']['clusterIP']}:{service['spec']['ports'][0]['port']}"

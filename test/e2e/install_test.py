# SPDX-License-Identifier: Apache-2.0
"""The chart and the manifests: what they make, whom they let do what, and that our programs start from them."""

import json
import sys
import urllib.request

import installing
import pytest
import yaml
from installing import HelmError, helm, template
from kubernetes import ROOT, Cluster, KubectlError

sys.path.insert(0, str(ROOT / "tools"))
import render_manifests  # from the folder that was named just now

pytestmark = pytest.mark.usefixtures("helm_program")

# Values that make each part of the chart appear once.
VALUES = {
    "defaults": {},
    "full": {
        "images": {"registry": "registry.local:5000/team/"},
        "controller": {
            "replicas": 2,
            "resyncInterval": "10m",
            "operator": {"function": {"numWorkers": 8}},
            "securityContext": {"runAsUser": 1234, "runAsGroup": 1234},
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "tolerations": [{"key": "spot", "operator": "Exists"}],
            "priorityClassName": "system-cluster-critical",
        },
        "dashboard": {
            "nodePort": 30970,
            "externalIPAddresses": ["10.0.0.1"],
            "containerBuilderKind": "kaniko",
            "kaniko": {"insecurePushRegistry": True},
            "auth": {"kind": "basic,oidc", "config": {"users": [{"name": "ada", "passwordHash": "$2b$11$x"}]}},
            "templates": {"gitRepository": "https://git.local/t.git", "gitRef": "refs/heads/main", "secretName": "git"},
            "ingress": {
                "enabled": True,
                "className": "nginx",
                "hosts": ["nuclio.local", "functions.local"],
                "tls": [{"secretName": "certificate", "hosts": ["nuclio.local"]}],
                "annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "0"},
            },
        },
        "registry": {
            "pushPullUrl": "https://registry.local:5000/team",
            "runRegistryURL": "mirror.local/team",
            "defaultBaseRegistryURL": "http://registry.local:5000/hub",
            "credentials": {"username": "someone", "password": 'a "quoted": word'},
        },
        "platform": {
            "logger": {"functions": [{"level": "info", "sink": "stdout"}]},
            "sensitiveFields": {"maskSensitiveFields": True},
        },
        "global": {"externalHostAddress": "10.0.0.2"},
    },
    "cluster": {"rbac": {"crdAccessMode": "cluster"}, "platform": {"managedNamespaces": ["default"]}},
    "own account": {"rbac": {"serviceAccountName": "nuclio"}, "global": {"registry": {"secretName": "login"}}},
    "controller alone": {"dashboard": {"enabled": False}},
    "dashboard alone": {"controller": {"enabled": False}},
    "nothing of the whole cluster's": {"crd": {"create": False}, "rbac": {"create": False}},
}
EVERYTHING = ["get", "list", "watch", "create", "update", "patch", "delete"]
READING = ["get", "list", "watch"]
OWNED = ["get", "list", "watch", "create", "patch", "delete"]
# What each program may do in its namespace, and nothing else.
MATRIX = {
    "controller": {
        "nucliofunctions.nuclio.io": READING,
        "nuclioprojects.nuclio.io": READING,
        "nucliofunctions.nuclio.io/status": ["update"],
        "nucliofunctions.nuclio.io/finalizers": ["update"],
        "configmaps": OWNED,
        "services": OWNED,
        "deployments.apps": OWNED,
        "controllerrevisions.apps": ["list", "watch", "create", "delete"],
        "horizontalpodautoscalers.autoscaling": OWNED,
        "ingresses.networking.k8s.io": OWNED,
        "cronjobs.batch": OWNED,
        "pods": [*READING, "delete"],
        "pods/log": ["get"],
        "secrets": ["list", "watch", "patch", "delete"],
        "events.events.k8s.io": ["create", "patch"],
        "leases.coordination.k8s.io": ["create"],
        "leases.coordination.k8s.io nuclio-controller-{namespace}": ["get", "update"],
    },
    "dashboard": {
        "nucliofunctions.nuclio.io": EVERYTHING,
        "nuclioprojects.nuclio.io": EVERYTHING,
        "nucliofunctionevents.nuclio.io": EVERYTHING,
        "nuclioapigateways.nuclio.io": EVERYTHING,
        "pods": READING,
        "pods/log": ["get"],
        "controllerrevisions.apps": ["get", "list"],
        "secrets": ["get", "create", "delete"],
        "secrets nuclio-dashboard-tokens": ["get", "patch"],
        "tokenreviews.authentication.k8s.io": ["create"],
        "subjectaccessreviews.authorization.k8s.io": ["create"],
        "jobs.batch": ["create", "delete"],
        "events": ["list"],
    },
}
# What every account may do.
FOR_ALL = {
    "selfsubjectreviews.authentication.k8s.io",
    "selfsubjectaccessreviews.authorization.k8s.io",
    "selfsubjectrulesreviews.authorization.k8s.io",
}


def given(name: str, folder) -> list:
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(VALUES[name]))
    return ["--values", file]


def objects(text: str) -> list[dict]:
    return [each for each in yaml.safe_load_all(text) if each]


def one(text: str, kind: str, name: str) -> dict:
    (found,) = [each for each in objects(text) if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def environment(deployment: dict) -> dict[str, dict]:
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each for each in container["env"]}


def test_helm_finds_nothing_wrong_with_the_chart():
    assert "0 chart(s) failed" in helm("lint", "--strict", installing.CHART)


@pytest.mark.parametrize("name", VALUES)
def test_a_cluster_takes_what_the_chart_makes(cluster, namespace, name, tmp_path):
    cluster.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/warn=restricted")
    text = template(namespace, *given(name, tmp_path))
    done = cluster.try_kubectl("-n", namespace, "apply", "--dry-run=server", "-f", "-", given=text)
    assert done.returncode == 0, done.stderr
    assert "would violate PodSecurity" not in done.stderr


def test_a_name_that_is_none_is_refused_with_its_place(tmp_path):
    with pytest.raises(HelmError, match="at '/controller': additional properties 'replica' not allowed"):
        template("nuclio", "--set", "controller.replica=2")
    with pytest.raises(HelmError, match="at '': additional properties 'dashbord' not allowed"):
        template("nuclio", "--set", "dashbord.nodePort=30000")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("dlx.enabled=true", "dlx.enabled: there is no dlx yet, so functions cannot be scaled to zero"),
        ("autoscaler.enabled=true", "autoscaler.enabled: there is no autoscaler yet"),
        ("controller.namespace=other", 'may only look after the release\'s own namespace, "nuclio"'),
        ("platform.managedNamespaces={a}", "which needs rbac.crdAccessMode cluster"),
        ("registry.credentials.username=a", "neither registry.pushPullUrl nor registry.loginUrl says of which"),
        ("controller.resyncInterval=10x", "'10x' does not match pattern"),
        ("images.registry=https://registry.local", "does not match pattern"),
        ("dashboard.auth.kind=iguazio", "'iguazio' does not match pattern"),
        ("rbac.crdAccessMode=all", "value must be one of 'namespaced', 'cluster'"),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_words(value, said):
    with pytest.raises(HelmError) as refused:
        template("nuclio", "--set", value)
    assert said in str(refused.value).replace('\\"', '"')


def test_values_reach_the_programs(tmp_path):
    text = template("nuclio", *given("full", tmp_path))
    controller, dashboard = (one(text, "Deployment", f"nuclio-{name}") for name in ("controller", "dashboard"))
    (container,) = dashboard["spec"]["template"]["spec"]["containers"]
    assert container["image"].startswith("registry.local:5000/team/nuclio/dashboard:")
    told = environment(controller)
    assert told["NUCLIO_CONTROLLER_RESYNC_INTERVAL"]["value"] == "10m"
    assert told["NUCLIO_CONTROLLER_FUNCTION_OPERATOR_NUM_WORKERS"]["value"] == "8"
    assert told["NUCLIO_CONTROLLER_EXTERNAL_IP_ADDRESSES"]["value"] == "10.0.0.1,10.0.0.2"
    told = environment(dashboard)
    assert told["NUCLIO_DASHBOARD_EXTERNAL_IP_ADDRESSES"]["value"] == "10.0.0.1,10.0.0.2"
    assert told["NUCLIO_TEMPLATES_GIT_REPOSITORY"]["value"] == "https://git.local/t.git"
    login = {"name": "git", "key": "password", "optional": True}
    assert told["NUCLIO_TEMPLATES_GIT_PASSWORD"]["valueFrom"] == {"secretKeyRef": login}
    registry = one(text, "ConfigMap", "nuclio-registry-url")["data"]
    assert registry == {
        "registry_url": "https://registry.local:5000/team",
        "run_registry_url": "mirror.local/team",
        "base_registry_url": "http://registry.local:5000/hub",
        "secret_name": "nuclio-registry-credentials",
    }
    platform = yaml.safe_load(one(text, "ConfigMap", "nuclio-platform-config")["data"]["platform.yaml"])
    assert platform["sensitiveFields"] == {"maskSensitiveFields": True}
    assert platform["kube"]["cronTriggerCronJobImage"].startswith("registry.local:5000/team/nuclio/nuctl:")
    assert platform["kube"]["imagePullSecrets"] == "nuclio-registry-credentials"
    cluster_wide = environment(one(template("nuclio", *given("cluster", tmp_path)), "Deployment", "nuclio-controller"))
    assert cluster_wide["NUCLIO_CONTROLLER_NAMESPACE"]["value"] == "*"


def test_other_values_of_the_platform_replace_the_pods_that_read_it(tmp_path):
    def hashes(*arguments):
        deployment = one(template("nuclio", *arguments), "Deployment", "nuclio-dashboard")
        return deployment["spec"]["template"]["metadata"]["annotations"]

    assert hashes() == hashes()
    assert hashes() != hashes("--set", "platform.functionReadinessTimeout=3m")


def test_crds_stay_when_the_chart_goes():
    kept = [each for each in objects(template("nuclio")) if each["kind"] == "CustomResourceDefinition"]
    assert len(kept) == 4
    assert all(each["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep" for each in kept)
    plain = objects((installing.MANIFESTS / "crds.yaml").read_text())
    assert [each["spec"] for each in kept] == [each["spec"] for each in plain]


def test_a_prometheus_finds_the_metrics_of_functions():
    text = template("nuclio", "--set", "metrics.podMonitor.enabled=true", "--set", "metrics.podMonitor.labels.a=b")
    monitor = one(text, "PodMonitor", "nuclio-functions")
    assert monitor["spec"]["selector"]["matchLabels"] == {"nuclio.io/class": "function"}
    assert monitor["spec"]["podMetricsEndpoints"][0]["port"] == "metrics"
    assert monitor["metadata"]["labels"]["a"] == "b"


def test_the_manifests_are_the_charts():
    for name, text in render_manifests.manifests(installing.helm_program()).items():
        committed = (installing.MANIFESTS / name).read_text()
        assert committed == text, f"deploy/kubernetes/{name} is stale; tools/render_manifests.py writes it anew"


def test_kubectl_takes_the_whole_folder_of_manifests(cluster):
    """Without -f by -f: the kinds and the namespace come first. Only tried, since the namespace is everybody's."""
    done = cluster.try_kubectl("apply", "--dry-run=server", "-f", str(installing.MANIFESTS))
    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert any(name == "namespace/nuclio" for name in names)
    # In a cluster that has no such namespace, a trial does not make one either.
    other = [line for line in done.stderr.splitlines() if 'namespaces "nuclio" not found' not in line]
    assert [line for line in other if not line.startswith("Warning:")] == []


def allowed(cluster: Cluster, namespace: str, account: str) -> dict[str, set[str]]:
    """What the API server says that an account may do in its namespace."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    who = f"--as=system:serviceaccount:{namespace}:{account}"
    groups = ["--as-group=system:serviceaccounts", "--as-group=system:authenticated"]
    # kubectl's own check of the object would look at the kinds of objects as that account, which may not.
    create = ["create", "--validate=false", "-f", "-", "-o", "json"]
    answer = json.loads(cluster.kubectl(who, *groups, *create, given=json.dumps(review)))
    rules: dict[str, set[str]] = {}
    for rule in answer["status"]["resourceRules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                plural, _, part = resource.partition("/")
                name = f"{plural}.{group}" if group else plural
                for own in rule.get("resourceNames") or [""]:
                    key = name + (f"/{part}" if part else "") + (f" {own}" if own else "")
                    rules.setdefault(key, set()).update(rule["verbs"])
    return {key: verbs for key, verbs in rules.items() if key not in FOR_ALL}


@pytest.fixture
def roles(cluster, namespace):
    """Only the accounts and what they may do; no program."""
    installing.apply_crds(cluster)
    kinds = ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
    made = [each for each in objects(template(namespace)) if each["kind"] in kinds]
    cluster.apply(namespace, *made)
    yield namespace
    cluster.kubectl("delete", "clusterrole,clusterrolebinding", f"{namespace}-nuclio-dashboard-reviews")


@pytest.mark.parametrize("program", MATRIX)
def test_each_program_may_do_what_it_does_and_no_more(cluster, roles, program):
    expected = {key.format(namespace=roles): set(verbs) for key, verbs in MATRIX[program].items()}
    assert allowed(cluster, roles, f"nuclio-{program}") == expected


def can(cluster: Cluster, namespace: str, program: str, *what: str) -> bool:
    who = f"--as=system:serviceaccount:{namespace}:nuclio-{program}"
    return cluster.try_kubectl("auth", "can-i", *what, who).stdout.strip() == "yes"


def test_no_program_may_do_anything_elsewhere(cluster, roles):
    assert can(cluster, roles, "controller", "create", "deployments.apps", "-n", roles)
    assert can(cluster, roles, "dashboard", "create", "nucliofunctions.nuclio.io", "-n", roles)
    for program in MATRIX:
        for verb, resource in (
            ("*", "*"),
            ("list", "secrets"),
            ("list", "pods"),
            ("get", "nucliofunctions.nuclio.io"),
            ("create", "pods"),
            ("create", "clusterrolebindings.rbac.authorization.k8s.io"),
            ("impersonate", "users"),
            ("list", "nodes"),
        ):
            assert not can(cluster, roles, program, verb, resource, "-n", "kube-system"), (
                f"{program}: {verb} {resource}"
            )


def test_the_dashboard_sees_secrets_only_where_it_keeps_masked_values(cluster, roles):
    assert not can(cluster, roles, "dashboard", "list", "secrets", "-n", roles)
    text = template(roles, "--set", "platform.sensitiveFields.maskSensitiveFields=false")
    cluster.apply(roles, *(each for each in objects(text) if each["kind"] == "Role"))
    assert allowed(cluster, roles, "nuclio-dashboard")["secrets"] == {"create"}  # tokens of builds' Jobs
    text = template(
        roles, "--set", "platform.sensitiveFields.maskSensitiveFields=false,dashboard.buildJobs.enabled=false"
    )
    cluster.apply(roles, *(each for each in objects(text) if each["kind"] == "Role"))
    assert not {"secrets", "jobs.batch", "events"} & set(allowed(cluster, roles, "nuclio-dashboard"))


def test_no_rule_names_everything(tmp_path):
    for name in VALUES:
        for each in objects(template("nuclio", *given(name, tmp_path))):
            if each["kind"] in ("Role", "ClusterRole"):
                for rule in each["rules"]:
                    assert "*" not in rule["apiGroups"] + rule["resources"] + rule["verbs"], each["metadata"]["name"]


def versions(url: str) -> dict:
    without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with without_proxy.open(f"{url}/api/versions", timeout=10) as answer:
        return json.loads(answer.read())


def test_both_programs_start_from_the_manifests(cluster, namespace, images):
    with installing.installed_by_manifests(cluster, namespace) as url:
        assert versions(url)["dashboard"]["label"]
        holder = cluster.get(namespace, "lease", f"nuclio-controller-{namespace}")["spec"]["holderIdentity"]
        assert holder.startswith("nuclio-controller-")


def test_both_programs_start_from_the_chart_and_go_with_it(cluster, namespace, images):
    with installing.installed_by_chart(cluster, namespace, "--set=controller.replicas=2") as url:
        assert versions(url)["dashboard"]["label"]
    for kind in ("deployments", "services", "serviceaccounts", "roles", "rolebindings"):
        with pytest.raises(KubectlError):
            cluster.get(namespace, kind, "nuclio-dashboard")
    assert cluster.get("default", "crd", "nucliofunctions.nuclio.io")

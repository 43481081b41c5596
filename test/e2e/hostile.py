# SPDX-License-Identifier: Apache-2.0
"""Functions with things in them that are no part of any function, by chance."""

import random

from controlling import simple

ODD = [None, True, 0, -1, 1.5, 2**31, 2**63 - 1, -(2**63), "", " ", "x" * 5000, "ü\n\t", "../..", "$ref:x", "10Zi",
       "-1", "1e400", "NaN", [], {}, [None], [[]], {"": ""}, {"a": {"b": {"c": []}}}, "*/0 * * * *"]  # fmt: skip
KINDS = ["http", "cron", "kafka-cluster", "nats", "mqtt", "rabbit-mq", "v3ioStream", "nonsense", ""]
ATTRIBUTES = ["ingresses", "port", "serviceType", "schedule", "interval", "brokers", "topics", "event", "cors", "ports"]
FREE = ["resources", "volumes", "envFrom", "securityContext", "affinity", "tolerations", "nodeSelector", "sidecars",
        "initContainers", "deploymentStrategy", "dataBindings", "platform", "loggerSinks", "build"]  # fmt: skip


def function(name: str) -> dict:
    out = simple(name)
    spec = out["spec"]
    for _ in range(random.randint(1, 3)):
        random.choice(MEAN)(out, spec)
    return out


def odd(depth: int = 2) -> object:
    if depth and random.random() < 0.4:
        keys = random.sample([*ATTRIBUTES, "name", "value", "limits", "requests", "cpu", "memory", "kind"], 3)
        return {key: odd(depth - 1) for key in keys}
    if depth and random.random() < 0.2:
        return [odd(depth - 1) for _ in range(random.randint(0, 3))]
    return random.choice(ODD)


def mean_name(out, spec):
    name = out["metadata"]["name"]
    out["metadata"]["name"] = random.choice(
        [name + ".with.dots", name + "-" + "n" * 60, name + "-" + "n" * 200, "0" + name]
    )


def mean_labels(out, spec):
    out["metadata"]["labels"] = random.choice(
        [{"nuclio.io/function-name": "another"}, {"nuclio.io/class": "x"}, {"nuclio.io/project-name": ""}, {"a/b": "c"}]
    )
    out["metadata"]["annotations"] = {"nuclio.io/whatever": random.choice(["", "x" * 200000, "{}"])}


def mean_trigger(out, spec):
    attributes = {key: odd() for key in random.sample(ATTRIBUTES, 4)}
    trigger = {"kind": random.choice(KINDS), "attributes": attributes}
    if random.random() < 0.5:
        trigger[random.choice(["numWorkers", "maxWorkers", "workerAvailabilityTimeoutMilliseconds"])] = random.choice(
            [0, -1, 2**31, 2**62]
        )
    spec.setdefault("triggers", {})[random.choice(["t", "T!", "", "ü" * 40, "t" * 300])] = trigger


def mean_quantity(out, spec):
    quantity = random.choice(["1", "-1", "1Zi", "", "1e3", "0.0000001", "9" * 40, 1.5, -3, None, [], "1 Gi", "Ki"])
    spec["resources"] = {
        random.choice(["limits", "requests", "claims"]): {random.choice(["cpu", "memory", "x/y", "Ü"]): quantity}
    }


def mean_replicas(out, spec):
    for key in random.sample(["minReplicas", "maxReplicas", "replicas", "targetCPU", "readinessTimeoutSeconds"], 2):
        spec[key] = random.choice([0, -1, 1, 2**31, 2**40, 2**63 - 1, -(2**63)])


def mean_environment(out, spec):
    value_from = random.choice([{}, {"secretKeyRef": {}}, {"fieldRef": {"fieldPath": "no.such"}}, odd()])
    both = {"name": "C", "value": "x", "valueFrom": value_from if isinstance(value_from, dict) else {}}
    long = {"name": "B", "value": "x" * 400000}
    spec["env"] = random.choice(
        [[{"name": "A"}, {"name": "A"}], [{"name": "="}], [{"name": ""}], [long], [both], [None]]
    )


def mean_words(out, spec):
    key = random.choice(
        ["image", "handler", "runtime", "description", "serviceAccount", "imagePullSecrets", "runRegistry"]
    )
    spec[key] = random.choice(["", " ", "x" * 70000, "UPPER/case:!", "a b", "ü", "../../x", "${x}", "a\nb: c"])


def mean_free_form(out, spec):
    spec[random.choice(FREE)] = odd(3)


def mean_volume(out, spec):
    volume = random.choice(
        [{}, {"name": "v"}, {"name": "v", "hostPath": {"path": "/"}}, {"name": "V!", "emptyDir": {}}, odd()]
    )
    mount = random.choice([{}, {"name": "v", "mountPath": "/etc/nuclio"}, {"name": "other", "mountPath": "x"}, odd()])
    spec["volumes"] = [{"volume": volume, "volumeMount": mount}] * random.randint(1, 2)


MEAN = [mean_name, mean_labels, mean_trigger, mean_trigger, mean_quantity, mean_replicas, mean_environment, mean_words,
        mean_free_form, mean_free_form, mean_volume]  # fmt: skip

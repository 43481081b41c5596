# SPDX-License-Identifier: Apache-2.0
"""Functions to begin with: every template of the gallery becomes a function that answers."""

import base64
import concurrent.futures
import re

import pytest
import running

FOLDER = running.SOURCE / "examples" / "templates"
NAMES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
# What a template has no default for.
VALUES = {"webhook": {"secret": "open sesame"}}


def gallery(dashboard, **headers):
    answer = dashboard.api("GET", "/function_templates", headers=headers)
    assert answer.status == 200, answer
    return answer.json


def rendered(dashboard, name):
    template = gallery(dashboard)[name]
    values = {key: about["attributes"].get("defaultValue") for key, about in template["values"].items()}
    values.update(VALUES.get(name, {}))
    answer = dashboard.api("POST", "/function_templates/render", {"template": template["template"], "values": values})
    assert answer.status == 200, answer
    return answer.json


def test_the_gallery_is_what_is_in_the_folder(dashboard):
    templates = gallery(dashboard)
    assert sorted(templates) == NAMES
    for name, template in templates.items():
        assert template["metadata"] == {"name": name}
        (source,) = [path for path in (FOLDER / name).iterdir() if not path.name.startswith("function.yaml.")]
        code = re.search(r"functionSourceCode: (\S+)", template["template"])[1]
        assert base64.b64decode(code) == source.read_bytes()
        for about in template["values"].values():
            assert {"displayName", "kind", "description", "required", "order", "attributes"} == set(about)


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("CRON", ["scheduled"]),
        ("cpp", ["helloworld-cpp", "stream-cpp"]),
        ("nothing like that", []),
        ("*", NAMES),
        ("", NAMES),
    ],
)
def test_the_gallery_is_searched(dashboard, word, found):
    assert sorted(gallery(dashboard, **{"X-Nuclio-Filter-Contains": word})) == found


@pytest.fixture(scope="module")
def deployed(dashboard):
    """deployed(name) deploys a template as it is, but for values that have no default, and gives its address."""

    def deploy(name):
        function = rendered(dashboard, name)
        answer = dashboard.api("POST", "/functions", function, {"X-Nuclio-Wait-Function-Action": "true"})
        assert answer.status == 202, f"{answer}\n{dashboard.log[-3000:]}"
        return dashboard.url(function["metadata"]["name"])

    return deploy


def greets(address, text):
    assert running.request(address).text == text


def scans(address):
    found = running.request(address, "POST", "/", b"ask ada@example.com, 4111 1111 1111 1111").json
    assert found == {"email": ["ada@example.com"], "card": ["4111 1111 1111 1111"]}


def works_on_schedule(address):
    running.wait_for(lambda: running.request(address).json["last"], "the first time")


def wants_its_secret(address):
    with_secret = {"X-Gitlab-Token": "open sesame", "Content-Type": "application/json"}
    taken = running.request(address, "POST", "/", b'{"event": "push"}', with_secret)
    assert (taken.status, taken.text) == (202, "taken\n")
    for headers in ({}, {"X-Gitlab-Token": "open"}, {"X-Gitlab-Token": "\xe4"}):
        assert running.request(address, "POST", "/", b"{}", headers).status == 401


def asks_places(address):
    assert running.request(address, "POST", "/", f"{address}\n".encode()).json == {address: "answers"}
    assert list(running.request(address).json) == ["localhost:8070"]


def handles_batches(address):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda body: running.request(address, "POST", "/", body), [b"a", b"b"] * 4)
        assert [answer.text for answer in answers] == ["a, one of 8", "b, one of 8"] * 4


def prepares_itself(address):
    running.wait_for(lambda: running.request(address, path="/ping").status == 200, "the kickstart event")
    assert running.request(address, path="/ping").text == "pong"
    assert running.request(address, path="/nothing").status == 404


def streams(address):
    assert running.request(address, "POST", "/", b"2").text == "2\n1\nliftoff\n"
    assert running.request(address, "POST", "/", b"none").status == 400


WORKS = {
    "async-fetch": asks_places,
    "batching": handles_batches,
    "helloworld": lambda address: greets(address, "Hello from Nuclio"),
    "helloworld-cpp": lambda address: greets(address, "Hello from C++"),
    "kickstart": prepares_itself,
    "regexscan": scans,
    "scheduled": works_on_schedule,
    "stream-cpp": streams,
    "webhook": wants_its_secret,
}


@pytest.mark.parametrize("name", NAMES)
def test_each_template_becomes_a_function_that_works(deployed, name):
    WORKS[name](deployed(name))


def test_the_gallery_has_each_runtime_and_each_kind_of_trigger(dashboard):
    functions = [rendered(dashboard, name)["spec"] for name in NAMES]
    runtimes = {path.parent.name for path in (running.SOURCE / "runtimes").glob("*/runtime.json")}
    assert {spec["runtime"] for spec in functions} == runtimes
    kinds = {trigger["kind"] for spec in functions for trigger in spec["triggers"].values()}
    assert kinds == kinds_that_send_events()


def kinds_that_send_events():
    """Of triggers; the others are read and kept."""
    kinds = set()
    for header in (running.SOURCE / "src" / "spec" / "triggers").glob("*.h"):
        text = header.read_text()
        if "kInert" not in text:
            kinds.update(re.findall(r'kKind = "([^"]+)"', text))
    return kinds


def test_values_keep_their_kind_and_cannot_leave_their_place(dashboard):
    template = "metadata: {name: '{{ .name }}'}\nspec:\n  minReplicas: {{ .least }}\n  description: {{ .text }}\n"
    values = {"name": "f", "least": 2, "text": "a\nhandler: x"}
    answer = dashboard.api("POST", "/function_templates/render", {"template": template, "values": values})
    assert answer.json == {"metadata": {"name": "f"}, "spec": {"minReplicas": 2, "description": "a\nhandler: x"}}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "template must be set"),
        ({"template": 1}, "template must be set"),
        ({"template": "", "values": []}, "values must be an object"),
        ({"template": "spec: {handler: {{ .h }}}"}, 'values must have "h"'),
        ({"template": "{{ range .x }}"}, 'not by "range .x"'),
        ({"template": "- list"}, "the rendered template: "),
        ({"template": "spec: {handlr: a}"}, 'spec.handlr is not a known field; did you mean "handler"?'),
    ],
)
def test_what_cannot_be_rendered_is_said(dashboard, body, message):
    answer = dashboard.api("POST", "/function_templates/render", body)
    assert answer.status == 400, answer
    assert message in answer.json["error"]

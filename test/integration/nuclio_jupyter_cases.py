# SPDX-License-Identifier: Apache-2.0
"""What nuclio-jupyter, Nuclio's own client for Python, does on every platform.

Who tests a platform derives a class from NuclioJupyterCases and gives a fixture `place`, a Place.
"""

import base64
import json
import re
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import code_server
import pytest
import running

PYTHON = running.SOURCE / "build" / "jupyter-venv" / "bin" / "python"
DRIVER = running.SOURCE / "test" / "jupyter" / "drive.py"


@dataclass
class Outcome:
    """What a call returned, or the DeployError that it raised; `log` is what the client printed for people."""

    log: str
    result: object = None
    error: str = ""
    status: int | None = None
    answer: str | None = None


@dataclass
class Place:
    """A dashboard and what functions there must say to be reached and built."""

    dashboard: str  # its URL
    home: Path
    config: dict = field(default_factory=dict)  # of each function, by path: {"spec.build.baseImage": …}
    http: dict = field(default_factory=dict)  # attributes of their triggers
    login: tuple | None = None  # name and password, or anything and a token

    def client(self, call, **arguments):
        """Runs a function of nuclio.deploy in a process with the environment of a user's notebook."""
        assert PYTHON.exists(), f"{PYTHON} is not there; ./dev test --all makes it"
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "NUCLIO_DASHBOARD_URL": self.dashboard}
        environment["NO_PROXY"] = "*"
        done = subprocess.run(
            [PYTHON, DRIVER],
            input=json.dumps({"call": call, "arguments": arguments, "login": self.login}),
            capture_output=True,
            text=True,
            timeout=180,
            env=environment,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        *log, outcome = done.stdout.splitlines()
        return Outcome("\n".join(log), **json.loads(outcome))

    def spec(self, **more):
        spec = {**more, "config": {**self.config, **more.get("config", {})}}
        if self.http:
            spec["http"] = {"workers": 1, "extra_attributes": self.http, **more.get("http", {})}
        return spec

    def deploy(self, call, **arguments):
        outcome = self.client(call, **{"spec": self.spec(), **arguments})
        assert not outcome.error, outcome
        return outcome

    def api(self, method, path, body=None, headers=None):
        """Status and text of an answer of the dashboard."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
        if self.login:
            headers["Authorization"] = code_server.basic(*self.login)
        request = urllib.request.Request(f"{self.dashboard}/api{path}", data, headers, method=method)
        without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with without_proxy.open(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def function(self, name):
        status, text = self.api("GET", f"/functions/{name}")
        assert status == 200, text
        return json.loads(text)

    def answers(self, name, text):
        """A node hears of a pod's coming and going a moment after it."""
        address = f"127.0.0.1:{self.function(name)['status']['httpPort']}"

        def answered():
            try:
                return running.request(address).text == text
            except OSError:
                return False

        running.wait_for(answered, f"the answer {text!r} of {name}")


def code(text):
    return f"import os\n\n\ndef handler(context, event):\n    return {text!r} + os.environ.get('SUFFIX', '')\n"


def notebook(*cells):
    made = [{"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": c} for c in cells]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})


class NuclioJupyterCases:
    @pytest.fixture(scope="class")
    @classmethod
    def deployed(cls, place, tmp_path_factory):
        """A function of the project `science`, as deploy_file leaves it."""
        source = tmp_path_factory.mktemp("code") / "first_one.py"
        source.write_text(code("one"))
        arguments = {"source": str(source), "name": "first", "project": "science"}
        outcome = place.deploy("deploy_file", **arguments, spec=place.spec(env={"SUFFIX": "!"}))
        return source, arguments, outcome

    def test_a_file_is_deployed_and_its_address_is_given(self, place, deployed):
        _, _, outcome = deployed
        host, port = outcome.result.split(":")
        assert host and int(port) == place.function("first")["status"]["httpPort"]
        place.answers("first", "one!")
        assert "project name not found created new (science)" in outcome.log
        assert f"function external invocation url: {outcome.result}" in outcome.log

    def test_what_the_build_says_is_shown_while_it_goes_on(self, place, deployed):
        """But for what it said before the client began to ask."""
        _, _, outcome = deployed
        said = [f"({each['level']}) {each['message']}" for each in place.function("first")["status"]["logs"]]
        shown = re.findall(r"^\[nuclio\] \S+ \S+ (\(\w+\) .*)$", outcome.log, re.MULTILINE)
        assert shown and shown == said[-len(shown) :]

    def test_the_function_is_what_the_client_said(self, place, deployed):
        function = place.function("first")
        assert function["metadata"]["labels"]["nuclio.io/project-name"] == "science"
        assert function["metadata"]["annotations"]["nuclio.io/generated_by"].endswith("first_one.py")
        assert function["spec"]["handler"] == "first-one-nuclio:handler"
        assert function["spec"]["env"] == [{"name": "SUFFIX", "value": "!"}]
        assert base64.b64decode(function["spec"]["build"]["functionSourceCode"]).decode() == code("one")

    def test_its_status_is_asked_for(self, place, deployed):
        state, address, last_time, lines, status = place.client("get_deploy_status", name="first", last_time=1).result
        assert state == "ready"
        assert address.split(":")[0], "the first of the external addresses names a host"
        assert int(address.split(":")[1]) == status["httpPort"]
        assert last_time == status["logs"][-1]["time"] and len(lines) == len(status["logs"])
        assert status["internalInvocationUrls"] and all("://" not in url for url in status["internalInvocationUrls"])

    def test_functions_are_listed(self, place, deployed):
        listed = place.client("list_functions").result
        assert listed["first"]["status"]["state"] == "ready"
        own = place.function("first")["metadata"]["namespace"]
        assert "first" in place.client("list_functions", namespace=own).result

    def test_code_and_environment_are_changed(self, place, deployed):
        source, arguments, _ = deployed
        source.write_text(code("two"))
        outcome = place.deploy("deploy_file", **arguments, spec=place.spec(env={"SUFFIX": "?", "MORE": "1"}))
        assert "done updating first" in outcome.log
        place.answers("first", "two?")

    def test_what_was_got_can_be_put(self, place, deployed):
        function = place.function("first")
        wait = {"X-Nuclio-Wait-Function-Action": "true"}
        status, text = place.api("PUT", "/functions/first/", function, wait)
        assert (status, text) == (202, "")
        again = place.function("first")
        other = {key: (function["spec"].get(key), value) for key, value in again["spec"].items()}
        # The image is made anew, and its hash is a time, as Nuclio's.
        other = {key: pair for key, pair in other.items() if pair[0] != pair[1] and key != "imageHash"}
        assert not other, f"what was and what is: {other}"
        assert again["status"]["state"] == "ready"

    def test_a_function_of_another_project_is_left_alone(self, place, deployed):
        source, arguments, _ = deployed
        outcome = place.client("deploy_file", **{**arguments, "project": "default"})
        assert outcome.error == "error: function name already exists under a different project (science)"

    def test_code_is_deployed(self, place):
        (address,) = place.deploy("deploy_code", code=code("from code"), name="From_Code", project="default").result
        assert int(address.split(":")[1]) == place.function("from-code")["status"]["httpPort"]
        place.answers("from-code", "from code")

    def test_a_trigger_is_what_the_client_said(self, place):
        http = {"workers": 3, "annotations": {"who": "me"}, "extra_attributes": {**place.http, "readBufferSize": 9000}}
        arguments = {"code": code("three workers"), "name": "workers", "project": "default"}
        internal, external = place.deploy(
            "deploy_code", **arguments, spec=place.spec(http=http), return_address_mode="all"
        ).result[0]
        assert internal and external
        trigger = place.function("workers")["spec"]["triggers"]["http"]
        assert (trigger["kind"], trigger["attributes"]["readBufferSize"]) == ("http", 9000)
        assert trigger.get("numWorkers", trigger.get("maxWorkers")) == 3
        place.answers("workers", "three workers")

    def test_a_notebook_is_deployed(self, place, tmp_path):
        source = tmp_path / "notes.ipynb"
        source.write_text(
            notebook(
                "# nuclio: ignore\nimport nuclio\nraise RuntimeError('not part of the function')",
                "%nuclio env SUFFIX=-of-mine\n%nuclio config spec.readinessTimeoutSeconds = 55",
                "import os\n\ndef handler(context, event):\n    return 'a notebook' + os.environ['SUFFIX']",
            )
        )
        place.deploy("deploy_file", source=str(source), name="notes", project="default")
        place.answers("notes", "a notebook-of-mine")
        assert place.function("notes")["spec"]["readinessTimeoutSeconds"] == 55

    def test_why_a_function_cannot_be_is_said(self, place):
        outcome = place.client(
            "deploy_code", code="def handler(context, event):\n  retrun 1\n", name="bad", project="default",
            spec=place.spec(),
        )  # fmt: skip
        assert outcome.error.startswith("cannot deploy")
        assert "Failed to deploy. Details:" in outcome.log and "retrun" in outcome.log
        refused = place.client("deploy_code", code="x", name="no good", project="default", handler="a b c",
                               spec=place.spec(config={"spec.minReplicas": -1}))  # fmt: skip
        assert (refused.error, refused.status) == ("failed creating no-good", 400)
        assert "spec.minReplicas must be at least 0" in json.loads(refused.answer)["error"]

    def test_projects_are_found_and_made(self, place):
        assert place.client("find_or_create_project", project="default").result == "default"
        missing = place.client("find_or_create_project", project="nowhere")
        assert missing.error == "project name nowhere not found"
        assert place.client("find_or_create_project", project="nowhere", create_new=True).result == "nowhere"
        assert place.client("find_or_create_project", project="nowhere").result == "nowhere"
        refused = place.client("find_or_create_project", project="No Good", create_new=True)
        assert (refused.error, refused.status) == ("failed to create project No Good", 400)
        assert place.api("DELETE", "/projects/", {"metadata": {"name": "nowhere"}}) == (204, "")

    def test_a_project_goes_when_its_functions_are_gone(self, place, deployed):
        body = {"metadata": {"name": "science"}, "spec": {}}
        assert place.api("DELETE", "/projects", body)[0] == 412
        assert "Delete successful" in place.client("delete_func", name="first").log
        assert place.api("GET", "/functions/first")[0] == 404
        assert "Delete successful" in place.client("delete_func", name="first").log, "as for Nuclio's users"
        assert place.api("DELETE", "/projects", body) == (204, "")
        assert "science" not in json.loads(place.api("GET", "/projects")[1])

# SPDX-License-Identifier: Apache-2.0
"""What Nuclio's clients rely on in the REST API, on every platform.

Who tests a platform derives a class from ContractCases and gives four fixtures: `board`, a dashboard with the methods
of running.Dashboard; `user`, the headers by which it knows its caller; `code`, what a spec needs there for a function
to be built; and `log`, which gives the dashboard's log. The cases in test/vectors/rest are data; what needs a function
that runs is below.
"""

import base64
import concurrent.futures
import http.client
import json
import pathlib
import re
import time
import uuid

import pytest
import running
import yaml

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors/rest"
MIB = 1 << 20
HEADER = "X-Nuclio-"
WAIT = {HEADER + "Wait-Function-Action": "true"}
INVOKED = HEADER + "Function-Name"
# Calls of the API that are no part of what Nuclio has.
OURS = re.compile(r"/(api(/openapi\.json|/v2/.*)?)?")

CODE = """
import os, time

def handler(context, event):
    if event.path == "/stream":
        return pieces()
    if event.path == "/env":
        return str(len(os.environ["LARGE"]))
    if event.path == "/large":
        return bytes(int(event.body))
    if event.path == "/size":
        return str(len(event.body))
    context.logger.info_with("called", path=event.path)
    headers = {"X-Own": event.headers.get("X-Shop", ""), "X-Nuclio-Secret": "no"}
    return context.Response(body=f"{event.method} {event.path}|".encode() + (event.body or b""), headers=headers,
                            content_type="text/x-echo", status_code=201)

def pieces():
    yield "first"
    time.sleep(1)
    yield "last"
"""


def cases():
    for path in sorted(VECTORS.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text()):
            yield pytest.param(case, id=case["name"])


def mine(value, prefix):
    """The same with names of this run and case in the place of those that begin with my-."""
    if isinstance(value, str):
        return re.sub(r"\bmy-", prefix, value)
    if isinstance(value, dict):
        return {mine(key, prefix): mine(each, prefix) for key, each in value.items()}
    return [mine(each, prefix) for each in value] if isinstance(value, list) else value


def holds(found, wanted, path="the answer"):
    """Checks that `found` has what the README of the vectors says that `wanted` means."""
    if wanted == "...":
        return
    if isinstance(wanted, dict):
        assert isinstance(found, dict), f"{path} must be an object, is {found!r}"
        for key, each in wanted.items():
            if each is None:
                assert found.get(key) is None, f"{path}.{key} must not be there, is {found[key]!r}"
                continue
            assert key in found, f"{path} must have {key}, has {sorted(found)}"
            holds(found[key], each, f"{path}.{key}")
    elif isinstance(wanted, list):
        assert isinstance(found, list), f"{path} must be a list, is {found!r}"
        if wanted:
            assert len(found) == len(wanted), f"{path} must be {wanted}, is {found}"
            for i, each in enumerate(wanted):
                holds(found[i], each, f"{path}[{i}]")
    else:
        assert found == wanted, f"{path} must be {wanted!r}, is {found!r}"


def pattern_of(route):
    """A route's path as a regular expression."""
    text = re.escape(route).replace(r"/\{rest\.\.\.\}", "/.*")
    return re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", text) + "/?")


def routes(board):
    for line in board.api("GET", "").text.splitlines()[2:]:
        method, pattern, _ = line.split(maxsplit=2)
        yield method, pattern


def same(found, before):
    """Checks that an update that was to change nothing has changed nothing."""

    def shown(thing):
        metadata = {key: value for key, value in thing["metadata"].items() if key != "resourceVersion"}
        return {**thing, "metadata": metadata, "status": None}

    assert shown(found) == shown(before), f"{shown(found)} was {shown(before)}"


class Caller:
    """Calls as one case of the vectors writes them."""

    def __init__(self, board):
        self.board = board
        self.prefix = f"c{uuid.uuid4().hex[:6]}-"
        self.used = []

    def step(self, step):
        step = mine(step, self.prefix)
        method, path = step["call"].split(" ", 1)
        path = path.strip('"')
        headers = {k if k.startswith("X-") else HEADER + k: v for k, v in step.get("headers", {}).items()}
        answer = self.board.api(method, path, step.get("body"), headers)
        expected = step["status"] if isinstance(step["status"], list) else [step["status"]]
        assert answer.status in expected, f"{step['call']}: {answer}"
        self.check(answer, step, method)
        if "again" in step:
            self.put_back(answer, path, step["again"])

    def check(self, answer, step, method):
        for name, value in step.get("sent", {}).items():
            holds(answer.headers.get(name), value, name) if value != "..." else None
            assert name in answer.headers, answer
        if method == "HEAD" or answer.status in (202, 204):
            assert answer.body == b"", answer
            return
        assert answer.headers["Content-Type"] == "application/json", answer
        if answer.status >= 400:
            assert sorted(answer.json) == ["error", "errorStackTrace"], answer
            assert step.get("error", "") in answer.json["error"], answer
        if "has" in step:
            holds(answer.json, step["has"])
        if "is" in step:
            assert answer.json == step["is"]
        if "names" in step:
            assert [name for name in answer.json if name.startswith(self.prefix)] == sorted(step["names"])

    def put_back(self, answer, path, where):
        put = self.board.api("PUT", where, answer.json)
        assert put.status in (202, 204) and put.body == b"", put
        same(self.board.api("GET", path).json, answer.json)

    def clean(self):
        projects = [name for name in self.board.api("GET", "/projects").json if name.startswith(self.prefix)]
        how = {HEADER + "Delete-Project-Strategy": "cascading"}
        for name in projects:
            assert self.board.api("DELETE", "/projects", {"metadata": {"name": name}}, how).status == 204


class ContractCases:
    def deploy(self, board, code, name, source=CODE, method="POST", headers=None, **spec):
        text = base64.b64encode(source.encode()).decode()
        whole = {"runtime": "python", "handler": "code:handler", **spec}
        whole["build"] = {**code.get("build", {}), "functionSourceCode": text, **whole.get("build", {})}
        body = {"metadata": {"name": name}, "spec": {**{k: v for k, v in code.items() if k != "build"}, **whole}}
        path = "/functions" if method == "POST" else f"/functions/{name}"
        return board.api(method, path, body, headers, timeout=120)

    @pytest.fixture(scope="class")
    @classmethod
    def echo(cls, board, code):
        """The name of a function that runs."""
        triggers = {"web": {"kind": "http", "numWorkers": 2, "attributes": {"maxRequestBodySize": 40 * MIB}}}
        large = [{"name": "LARGE", "value": "x" * (100 << 10)}]
        answer = cls().deploy(board, code, "echo", headers=WAIT, triggers=triggers, env=large, description="echoes")
        assert (answer.status, answer.body) == (202, b""), answer
        return "echo"

    def invoke(self, board, name, method="POST", path="", body=None, **headers):
        headers = {HEADER + key.replace("_", "-"): value for key, value in headers.items()}
        return board.api(method, "/function_invocations" + path, body, {INVOKED: name, **headers})

    @pytest.mark.parametrize("case", list(cases()))
    def test_what_is_written_down(self, board, case):
        caller = Caller(board)
        for step in case["steps"]:
            caller.step(step)
        caller.clean()

    def test_every_call_is_written_down(self, board):
        steps = [step["call"] for case in cases() for step in case.values[0]["steps"]]
        calls = [(method, "/api" + path.split("?")[0]) for method, path in (each.split(" ", 1) for each in steps)]
        for method, pattern in routes(board):
            if OURS.fullmatch(pattern):
                continue
            fits = pattern_of(pattern)
            found = [call for call in calls if method in (call[0], "*") and fits.fullmatch(call[1])]
            assert found, f"{method} {pattern} stands in no case of {VECTORS}"

    @pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "image/png"])
    def test_a_body_is_json_whatever_its_type_is_said_to_be(self, board, content_type):
        body = json.dumps({"template": "spec: {runtime: python}"})
        answer = board.api(
            "POST", "/function_templates/render", body, {"Content-Type": content_type} if content_type else {}
        )
        assert answer.status == 200, answer

    def test_a_function_goes_from_building_to_ready_and_is_shown_as_clients_expect(self, board, code, log):
        began = time.time()
        assert self.deploy(board, code, "walks", colour="red").status == 202
        function = board.api("GET", "/functions/walks").json
        assert function["status"]["state"] == "building"
        provisioning = [
            self.deploy(board, code, "walks", method="PUT"),
            board.api("DELETE", "/functions", {"metadata": {"name": "walks"}}),
        ]
        for answer in provisioning:
            assert answer.status == 412 and "is being deployed" in answer.json["error"], answer
        running.wait_for(
            lambda: board.api("GET", "/functions/walks").json["status"]["state"] == "ready", "the function", 60
        )
        function = board.api("GET", "/functions/walks").json
        status = function["status"]
        assert status["logs"], "what was done is told"
        for line in status["logs"]:
            assert {"level", "message", "time"} <= set(line)
            assert began - 60 < line["time"] / 1000 < time.time() + 60, "milliseconds"
        urls = status["internalInvocationUrls"] + status.get("externalInvocationUrls", [])
        assert status["internalInvocationUrls"] and all(re.fullmatch(r"[^/:]+:\d+", url) for url in urls), urls
        # Who deployed it, where the dashboard knows its callers.
        assert set(function["metadata"]["annotations"]) <= {"nuclio.io/deployed-by"}
        assert function["spec"]["description"] == ""
        assert "spec.colour is not a known field" in log()
        names = board.api("GET", "/functions/walks/replicas").json["names"]
        assert len(names) == 1
        logs = board.api("GET", f"/functions/walks/logs/{names[0]}?tailLines=1")
        assert logs.status == 200 and logs.headers["Content-Type"].startswith("text/plain")
        assert board.api("GET", f"/functions/walks/logs/{names[0]}?since=soon").status == 400
        self.put_back(board, function)
        self.scale(board)
        assert board.api("DELETE", "/functions", {"metadata": {"name": "walks"}}).status == 204
        assert board.api("GET", "/functions/walks").status == 404

    def put_back(self, board, function):
        put = board.api("PUT", "/functions/walks", function, WAIT, timeout=120)
        assert (put.status, put.body) == (202, b""), put
        again = board.api("GET", "/functions/walks").json
        # Which image it is, is said of each build anew.
        for each in (again, function):
            each["spec"].pop("image", None)
            each["spec"].pop("imageHash", None)
        same(again, function)
        stale = board.api("PUT", "/functions/walks", function)
        assert stale.status == 409 and "has changed since" in stale.json["error"], stale

    def scale(self, board):
        for state in ("scaledToZero", "ready"):
            patched = board.api("PATCH", "/functions/walks", {"desiredState": state}, WAIT)
            assert (patched.status, patched.body) == (202, b""), patched
            assert board.api("GET", "/functions/walks").json["status"]["state"] == state

    def test_a_function_that_must_run_is_not_scaled_to_zero(self, board, code):
        assert self.deploy(board, code, "needed", headers=WAIT, minReplicas=1).status == 202
        answer = board.api("PATCH", "/functions/needed", {"desiredState": "scaledToZero"})
        assert answer.status == 412 and "spec.minReplicas is 1" in answer.json["error"], answer
        forced = {HEADER + "Delete-Function-Ignore-State-Validation": "true"}
        assert board.api("DELETE", "/functions", {"metadata": {"name": "needed"}}, forced).status == 204

    def test_a_call_behind_a_deploy_is_answered_by_what_was_deployed(self, board, code):
        source = "import os\n\ndef handler(context, event):\n    return os.environ['VERSION']\n"
        for version in ("first", "second", "third", "fourth"):
            env = [{"name": "VERSION", "value": version}]
            done = self.deploy(board, code, "fresh", source, "PUT", WAIT, env=env)
            assert done.status == 202, done
            assert [self.invoke(board, "fresh").text for _ in range(5)] == [version] * 5
        assert board.api("DELETE", "/functions", {"metadata": {"name": "fresh"}}).status == 204

    def test_a_deploy_that_is_waited_for_says_why_it_failed(self, board, code):
        answer = self.deploy(board, code, "broken", "import nowhere_to_be_found\n", headers=WAIT)
        assert answer.status == 500 and "nowhere_to_be_found" in answer.json["error"], answer
        assert board.api("GET", "/functions/broken").json["status"]["state"] in ("error", "unhealthy")
        assert board.api("DELETE", "/functions", {"metadata": {"name": "broken"}}).status == 204

    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
    def test_an_invocation_passes_through(self, board, echo, method):
        headers = {"X-Shop": "north", INVOKED: echo, HEADER + "Log-Level": "info"}
        body = None if method in ("GET", "DELETE") else b"\x00\xff"
        answer = board.api(method, "/function_invocations/a/b", body, headers)
        assert answer.status == 201 and answer.headers["Content-Type"] == "text/x-echo", answer
        assert answer.body == f"{method} /a/b|".encode() + (body or b"")
        assert answer.headers["X-Own"] == "north"
        ours = [name for name in answer.headers if name.lower().startswith("x-nuclio-")]
        assert [name.lower() for name in ours] == ["x-nuclio-logs"]
        assert json.loads(answer.headers["X-Nuclio-Logs"])[0]["message"] == "called"

    def test_an_invocation_goes_where_its_headers_say(self, board, echo):
        assert self.invoke(board, echo, Path="/of/header").body == b"POST /of/header|"
        url = board.api("GET", f"/functions/{echo}").json["status"]["internalInvocationUrls"][0]
        assert self.invoke(board, echo, Invoke_Url=url).status == 201
        assert self.invoke(board, echo, "HEAD").body == b""
        before = time.monotonic()
        for headers, words in [
            ({"Invoke_Url": "http://169.254.169.254/"}, "must be one of the function's URLs"),
            ({"Invoke_Timeout": "soon"}, "must be a duration"),
            ({"Function_Namespace": "Bad_Name"}, ""),
        ]:
            answer = self.invoke(board, echo, **headers)
            assert answer.status in (400, 404), answer
            assert answer.json["error"].startswith("Failed to invoke function: ") and words in answer.json["error"]
        assert time.monotonic() - before < 10

    def test_large_bodies_pass_both_ways(self, board, echo):
        size = 32 * MIB
        assert self.invoke(board, echo, path="/size", body=bytes(size)).body == str(size).encode()
        answer = self.invoke(board, echo, path="/large", body=str(size))
        assert answer.status == 200 and len(answer.body) == size

    def test_a_large_environment_passes(self, board, echo):
        assert self.invoke(board, echo, path="/env").body == str(100 << 10).encode()

    def test_a_variable_that_is_larger_than_any_program_may_have_is_kept(self, board, code):
        name = f"large-{uuid.uuid4().hex[:6]}"
        env = [{"name": "LARGE", "value": "x" * (512 << 10)}]
        body = {
            "metadata": {"name": name, "annotations": {"skip-build": "true", "skip-deploy": "true"}},
            "spec": {"runtime": "python", "handler": "a:b", "build": {"functionSourceCode": "eA=="}, "env": env},
        }
        assert board.api("POST", "/functions", body).status == 202
        found = board.api("GET", f"/functions/{name}").json
        assert found["spec"]["env"] == env
        assert board.api("PUT", f"/functions/{name}", found).status == 202
        assert board.api("GET", f"/functions/{name}").json["spec"]["env"] == env
        assert board.api("DELETE", "/functions", {"metadata": {"name": name}}).status == 204

    def test_an_answer_streams(self, board, user, echo):
        host, port = board.address.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        connection.request("GET", "/api/function_invocations/stream", headers={**user, INVOKED: echo})
        response = connection.getresponse()
        first = response.read1(5)
        began = time.monotonic()
        assert first == b"first"
        assert response.read() == b"last" and time.monotonic() - began > 0.5
        connection.close()

    def test_bad_bytes_in_headers_are_refused(self, board, user, echo):
        for header in (b"X-Nuclio-Path: /a\rX-Evil: 1", b"X-Nuclio-Path: /a\x00b", b"X-Nuclio-Path : /a"):
            sent = {"Host": board.address, **user, INVOKED: echo}
            lines = ["GET /api/function_invocations HTTP/1.1", *(f"{name}: {text}" for name, text in sent.items())]
            data = "\r\n".join([*lines, ""]).encode() + header + b"\r\n\r\n"
            assert running.raw(board.address, data).startswith(b"HTTP/1.1 400 "), header

    def test_many_call_at_once(self, board, echo):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: self.invoke(board, echo).status, range(64)))
        assert set(answers) == {201}

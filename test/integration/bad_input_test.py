# SPDX-License-Identifier: Apache-2.0
"""What a user gets wrong, and what each program says about it: what, where, and what to do."""

import base64
import json
import socket

import pytest
import running
import yaml

GOOD = "def handler(context, event):\n    return 'good'\n"

# What is wrong with the handler: its source, the handler's name, and what must be said.
HANDLERS = {
    "syntax error": ("def handler(context, event)\n    return 1\n", "bad:handler", ["bad.py:1"]),
    "missing module": (GOOD, "nowhere:handler", ["nowhere"]),
    "missing handler": (GOOD.replace("handler", "hello"), "bad:handler", ["bad", "handler", "hello"]),
    "module that is not installed": ("import no_such_package\n" + GOOD, "bad:handler", ["no_such_package"]),
    "exception in init_context": (
        "def init_context(context):\n    raise RuntimeError('database is away')\n" + GOOD,
        "bad:handler",
        ["init_context", "database is away"],
    ),
    "exception at import": ("raise KeyError('SETTING')\n" + GOOD, "bad:handler", ["KeyError", "SETTING"]),
    "handler that is no function": ("handler = 3\n", "bad:handler", ["handler"]),
    "handler without a colon": (GOOD, "bad.handler:", ["handler"]),
}

# What is wrong with function.yaml's spec.
SPECS = {
    "unknown field": ({"minReplica": 1}, ["spec.minReplica", "minReplicas"]),
    "wrong type": ({"minReplicas": "many"}, ["spec.minReplicas", "many"]),
    "out of range": ({"minReplicas": -1}, ["spec.minReplicas", "-1"]),
    "min over max": ({"minReplicas": 3, "maxReplicas": 2}, ["minReplicas", "maxReplicas"]),
    "bad duration": ({"eventTimeout": "10 parsecs"}, ["spec.eventTimeout", "10 parsecs"]),
    "bad cron": (
        {"triggers": {"t": {"kind": "cron", "attributes": {"schedule": "61 * * * *"}}}},
        ["spec.triggers.t", "61"],
    ),
    "cron without a schedule": ({"triggers": {"t": {"kind": "cron"}}}, ["spec.triggers.t", "schedule"]),
    "unknown trigger kind": ({"triggers": {"t": {"kind": "telegraph"}}}, ["spec.triggers.t", "telegraph", "http"]),
    "two http triggers": ({"triggers": {"a": {"kind": "http"}, "b": {"kind": "http"}}}, ["http"]),
    "unknown runtime": ({"runtime": "cobol"}, ["cobol", "python"]),
    "no such python": ({"runtime": "python:3.4"}, ["3.4"]),
    "workers without end": ({"triggers": {"t": {"kind": "http", "numWorkers": 100001}}}, ["numWorkers", "100000"]),
    "all at once": (
        {"colour": "red", "minReplicas": "x", "eventTimeout": "y"},
        ["colour", "minReplicas", "eventTimeout"],
    ),
}


@pytest.mark.parametrize("what", HANDLERS)
def test_a_bad_handler_keeps_the_processor_from_starting_and_says_why(start_processor, tmp_path, what):
    source, handler, words = HANDLERS[what]
    code = tmp_path / "bad.py"
    code.write_text(source)
    with pytest.raises(running.StartFailed) as failed:
        start_processor(code, {"handler": handler})
    message = str(failed.value)
    for word in words:
        assert word in message
    assert "exit code 1" in message


@pytest.mark.parametrize("what", HANDLERS)
def test_a_bad_handler_fails_the_deploy_and_says_why(dashboard, tmp_path, what):
    source, handler, words = HANDLERS[what]
    code = tmp_path / "bad.py"
    code.write_text(source)
    name = "bad-" + what.replace(" ", "-").replace("_", "-")
    done = dashboard.nuctl("deploy", name, "--path", code, "--handler", handler)
    assert done.returncode == 1, done
    for word in words:
        assert word in done.stderr
    answer = dashboard.api("GET", f"/functions/{name}")
    assert answer.status in (200, 404)
    if answer.status == 200:
        assert answer.json["status"]["state"] in ("error", "unhealthy")


# nuctl's users mistype fields; other clients send those of another version.
TAKEN_WITH_A_WARNING = ("unknown field", "all at once")


@pytest.mark.parametrize("what", [what for what in SPECS if what not in TAKEN_WITH_A_WARNING])
def test_a_bad_spec_is_refused_by_the_rest_api_with_400(dashboard, what):
    spec, words = SPECS[what]
    body = {
        "metadata": {"name": "bad-spec", "namespace": "nuclio"},
        "spec": {
            "runtime": "python",
            "handler": "bad:handler",
            "build": {"functionSourceCode": base64.b64encode(GOOD.encode()).decode()},
            **spec,
        },
    }
    answer = dashboard.api("POST", "/functions", body, {"X-Nuclio-Wait-Function-Action": "true"})
    assert answer.status == 400, answer
    for word in words:
        assert word in answer.json["error"]
    assert dashboard.api("GET", "/functions/bad-spec").status == 404, "nothing of it may stay"


@pytest.mark.parametrize("what", SPECS)
def test_a_bad_spec_is_refused_by_nuctl_with_exit_code_1(dashboard, tmp_path, what):
    spec, words = SPECS[what]
    (tmp_path / "bad.py").write_text(GOOD)
    config = tmp_path / "function.yaml"
    config.write_text(yaml.safe_dump({"spec": {"runtime": "python", "handler": "bad:handler", **spec}}))
    done = dashboard.nuctl("deploy", "bad-file", "--path", tmp_path / "bad.py", "--file", config)
    assert done.returncode == 1, done
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize("what", [what for what in SPECS if what not in TAKEN_WITH_A_WARNING])
def test_a_bad_spec_keeps_the_processor_from_starting(start_processor, tmp_path, what):
    spec, words = SPECS[what]
    code = tmp_path / "bad.py"
    code.write_text(GOOD)
    with pytest.raises(running.StartFailed) as failed:
        start_processor(code, json.loads(json.dumps(spec)))
    for word in words:
        assert word in str(failed.value)


def test_a_config_that_is_no_yaml_says_where(tmp_path):
    config = tmp_path / "function.yaml"
    config.write_text("spec:\n  handler: [1, 2\n")
    processor = running.Processor(tmp_path / "fn", running.FUNCTIONS / "slow.py")
    (processor.folder / "function.yaml").write_text(config.read_text())
    with pytest.raises(running.StartFailed, match=r"line \d"):
        processor.start()


def test_a_port_in_use_is_named(start_processor):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(running.StartFailed) as failed:
            start_processor("slow.py", {"triggers": {"web": {"kind": "http", "url": f"127.0.0.1:{port}"}}})
    assert f"127.0.0.1:{port}" in str(failed.value) and "in use" in str(failed.value)


def test_a_port_in_use_fails_the_deploy(dashboard, tmp_path):
    (tmp_path / "good.py").write_text(GOOD)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        triggers = json.dumps({"web": {"kind": "http", "attributes": {"port": port}}})
        done = dashboard.nuctl("deploy", "taken", "--path", tmp_path / "good.py", "--triggers", triggers)
    assert done.returncode == 1
    assert str(port) in done.stderr and "in use" in done.stderr


def source_of(text=GOOD):
    return {"functionSourceCode": base64.b64encode(text.encode()).decode()}


def function(name, **spec):
    return {
        "metadata": {"name": name, "namespace": "nuclio"},
        "spec": {"runtime": "python", "handler": "good:handler", "build": source_of(), **spec},
    }


# method, path, body, headers, status, words of the error
CALLS = {
    "unknown function": ("GET", "/functions/nobody", None, {}, 404, ["nobody"]),
    "unknown project": ("GET", "/projects/nobody", None, {}, 404, ["nobody"]),
    "unknown path": ("GET", "/nothing/here", None, {}, 404, []),
    "method that is not": ("DELETE", "/versions", None, {}, 405, []),
    "body that is no JSON": ("POST", "/functions", b"{", {}, 400, ["JSON"]),
    "body that is no object": ("POST", "/functions", b"[]", {}, 400, ["object"]),
    "no name": ("POST", "/functions", {"metadata": {"namespace": "nuclio"}, "spec": {}}, {}, 400, ["name"]),
    "bad name": ("POST", "/functions", function("No_Good"), {}, 400, ["No_Good"]),
    "reserved name": ("POST", "/functions", function("dashboard"), {}, 412, ["dashboard"]),
    "missing project": ("POST", "/functions", function("fine"), {"X-Nuclio-Project-Name": "nobody"}, 412, ["nobody"]),
    "neither code nor image": ("POST", "/functions", function("fine", build={}), {}, 400, ["code"]),
    "code that is no base64": (
        "POST",
        "/functions",
        function("fine", build={"functionSourceCode": "!!"}),
        {},
        400,
        ["base64"],
    ),
    "desired state that is not": ("PATCH", "/functions/nobody", {"desiredState": "happy"}, {}, 400, ["happy"]),
    "patch of nobody": ("PATCH", "/functions/nobody", {"desiredState": "ready"}, {}, 404, ["nobody"]),
    "logs of nobody": ("GET", "/functions/nobody/logs/nobody-1", None, {}, 404, ["nobody"]),
    "invocation without a name": ("POST", "/function_invocations", b"", {}, 400, ["X-Nuclio-Function-Name"]),
    "invocation of nobody": (
        "POST",
        "/function_invocations",
        b"",
        {"X-Nuclio-Function-Name": "nobody"},
        404,
        ["nobody"],
    ),
    "default project": (
        "DELETE",
        "/projects",
        {"metadata": {"name": "default", "namespace": "nuclio"}},
        {},
        412,
        ["default"],
    ),
    "delete of no project": (
        "DELETE",
        "/projects",
        {"metadata": {"name": "nobody", "namespace": "nuclio"}},
        {},
        404,
        ["nobody"],
    ),
    "foreign origin": (
        "POST",
        "/projects",
        {"metadata": {"name": "x", "namespace": "nuclio"}},
        {"Origin": "https://evil.example"},
        403,
        [],
    ),
    "foreign host": ("GET", "/functions", None, {"Host": "evil.example"}, 403, []),
}


@pytest.mark.parametrize("what", CALLS)
def test_a_bad_call_of_the_rest_api_gets_the_right_status_and_a_reason(dashboard, what):
    method, path, body, headers, status, words = CALLS[what]
    answer = dashboard.api(method, path, body, headers)
    assert answer.status == status, answer
    for word in words:
        assert word in answer.json["error"]


def test_deleting_a_missing_function_is_no_error(dashboard):
    body = {"metadata": {"name": "nobody", "namespace": "nuclio"}}
    assert dashboard.api("DELETE", "/functions", body).status == 204
    assert dashboard.nuctl("delete", "function", "nobody").returncode == 0


def test_a_project_that_is_not_empty_is_not_deleted(dashboard, tmp_path):
    (tmp_path / "good.py").write_text(GOOD)
    assert dashboard.nuctl("create", "project", "full").returncode == 0
    dashboard.deploy("inside", tmp_path / "good.py", "--project-name", "full")
    body = {"metadata": {"name": "full", "namespace": "nuclio"}}
    answer = dashboard.api("DELETE", "/projects", body)
    assert answer.status == 412 and "inside" in answer.json["error"]
    done = dashboard.nuctl("delete", "project", "full")
    assert done.returncode == 1 and "inside" in done.stderr
    assert dashboard.nuctl("delete", "project", "full", "--strategy", "cascading").returncode == 0
    assert dashboard.api("GET", "/functions/inside").status == 404


def test_a_bad_timeout_is_refused_and_the_function_not_called(dashboard, tmp_path):
    mark = tmp_path / "called"
    (tmp_path / "good.py").write_text(GOOD.replace("    return", f"    open({str(mark)!r}, 'w')\n    return"))
    dashboard.deploy("timed", tmp_path / "good.py")
    headers = {"X-Nuclio-Function-Name": "timed", "X-Nuclio-Invoke-Timeout": "soon"}
    answer = dashboard.api("POST", "/function_invocations", b"", headers)
    assert answer.status == 400 and "soon" in answer.json["error"]
    assert not mark.exists()


# Arguments of nuctl and words that standard error must have.
COMMANDS = {
    "no code": (["deploy", "x"], ["--path"]),
    "no name": (["deploy"], ["name"]),
    "file that is not": (["deploy", "x", "--path", "/no/such/file.py"], ["/no/such/file.py"]),
    "unknown command": (["conjure"], ["conjure"]),
    "unknown flag": (["deploy", "x", "--colour", "red"], ["--colour"]),
    "unknown function": (["invoke", "nobody"], ["nobody"]),
    "logs of nobody": (["logs", "nobody"], ["nobody"]),
    "env without a value": (["deploy", "x", "--path", ".", "--env", "A"], ["--env", "A"]),
    "triggers that are no JSON": (["deploy", "x", "--path", ".", "--triggers", "{"], ["triggers"]),
    "unknown format": (["get", "functions", "-o", "xml"], ["xml", "yaml"]),
    "unknown field in --set": (["deploy", "x", "--path", ".", "--set", "spec.minReplica=2"], ["minReplica"]),
    "missing project": (["delete", "project", "nobody"], ["nobody"]),
    "kube": (["get", "functions", "--platform", "kube"], ["kube"]),
    "bad timeout": (["invoke", "nobody", "--timeout", "soon"], ["soon"]),
    "import of nothing": (["import", "functions", "/no/such/file"], ["/no/such/file"]),
}


@pytest.mark.parametrize("what", COMMANDS)
def test_nuctl_says_what_is_wrong_and_exits_with_1(dashboard, what):
    arguments, words = COMMANDS[what]
    done = dashboard.nuctl(*arguments)
    assert done.returncode == 1, done
    for word in words:
        assert word in done.stderr
    assert "terminate called" not in done.stderr and len(done.stderr.splitlines()) <= 6


def test_get_of_a_missing_function_prints_nuclios_line(dashboard):
    done = dashboard.nuctl("get", "function", "nobody")
    assert (done.returncode, done.stdout) == (1, "No functions found\n")

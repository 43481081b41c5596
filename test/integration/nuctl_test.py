# SPDX-License-Identifier: Apache-2.0
"""nuctl as its users and their scripts know it."""

import json
import os
import re
import select
import signal
import subprocess
import time

import pytest
import running
import yaml

CODE = """
def handler(context, event):
    context.logger.info_with("called", path=event.path)
    if event.method == "POST":
        return context.Response(body=event.body, headers={"X-Kind": event.content_type}, status_code=201)
    if event.path == "/fail":
        return 500, "no"
    return "one"
"""


@pytest.fixture
def code(tmp_path):
    path = tmp_path / "code.py"
    path.write_text(CODE)
    return path


@pytest.fixture(scope="module")
def echo(dashboard, tmp_path_factory):
    path = tmp_path_factory.mktemp("echo") / "code.py"
    path.write_text(CODE)
    dashboard.deploy("echo", path, "--labels", "team=blue,tier=1")
    return "echo"


def ok(done):
    assert done.returncode == 0, done
    return done.stdout


def test_deploy_prints_where_the_function_is(dashboard, code):
    out = ok(dashboard.nuctl("deploy", "printed", "--path", code))
    assert "Function deploy complete" in out
    assert json.loads(re.search(r"\{.*\}", out.splitlines()[-1])[0])["functionName"] == "printed"


def test_invoke_prints_headers_body_and_the_functions_log(dashboard, echo):
    out = ok(dashboard.nuctl("invoke", echo))
    assert "> Response headers:" in out and "Server = nuclio" in out
    assert out.rstrip().endswith("> Response body:\none")
    assert "called" in out and '"path": "/"' in out


def test_invoke_sends_what_it_is_told(dashboard, echo):
    out = ok(
        dashboard.nuctl(
            "invoke", echo, "--body", "grüße", "--content-type", "text/x", "--path", "a/b?c=d", "-l", "none"
        )
    )
    assert "X-Kind = text/x" in out and out.rstrip().endswith("grüße")
    assert "called" not in out


def test_invoke_takes_a_body_from_a_pipe(dashboard, echo):
    out = ok(dashboard.nuctl("invoke", echo, input="from a pipe"))
    assert out.rstrip().endswith("from a pipe")


def test_invoke_can_fail_on_a_status(dashboard, echo):
    assert dashboard.nuctl("invoke", echo, "--path", "/fail").returncode == 0
    assert dashboard.nuctl("invoke", echo, "--path", "/fail", "--raise-on-status").returncode == 1


@pytest.mark.parametrize("words", [("functions",), ("function",), ("fn",), ("fu",)])
def test_get_knows_its_aliases(dashboard, echo, words):
    assert " echo " in ok(dashboard.nuctl("get", *words))


def test_get_prints_json_yaml_names_and_wide(dashboard, echo):
    assert json.loads(ok(dashboard.nuctl("get", "function", echo, "-o", "json")))["metadata"]["name"] == echo
    assert yaml.safe_load(ok(dashboard.nuctl("get", "function", echo, "-o", "yaml")))["metadata"]["name"] == echo
    assert isinstance(json.loads(ok(dashboard.nuctl("get", "functions", "-o", "json"))), list)
    assert echo in ok(dashboard.nuctl("get", "functions", "-o", "name")).split()
    wide = ok(dashboard.nuctl("get", "functions", "-o", "wide"))
    assert "LABELS" in wide and "team=blue" in wide and dashboard.url(echo) in wide


def test_get_chooses_by_label(dashboard, echo):
    assert " echo " in ok(dashboard.nuctl("get", "functions", "-l", "team=blue"))
    assert ok(dashboard.nuctl("get", "functions", "-l", "team=red")) == "No functions found\n"


def test_update_changes_fields_and_keeps_the_rest(dashboard, code):
    dashboard.deploy("updated", code, "--env", "A=1", "--desc", "old")
    ok(dashboard.nuctl("update", "function", "updated", "--env", "B=2", "--desc", "new"))
    spec = dashboard.function("updated")["spec"]
    assert spec["description"] == "new"
    assert {item["name"]: item["value"] for item in spec["env"]} == {"A": "1", "B": "2"}
    assert running.request(dashboard.url("updated")).text == "one"


def test_environment_variables_reach_the_function(dashboard, tmp_path):
    code = tmp_path / "env.py"
    code.write_text("import os\ndef handler(context, event):\n    return os.environ['GREETING']\n")
    dashboard.deploy("env", code, "--env", "GREETING=a, b=c")
    assert running.request(dashboard.url("env")).text == "a, b=c"


def test_a_file_configures_and_flags_win(dashboard, code, tmp_path):
    config = tmp_path / "function.yaml"
    config.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "nuclio.io/v1",
                "kind": "NuclioFunction",
                "metadata": {"name": "filed"},
                "spec": {
                    "description": "from the file",
                    "env": [{"name": "N", "value": 1}],
                    "triggers": {"web": {"kind": "http", "numWorkers": 3}},
                },
            }
        )
    )
    ok(dashboard.nuctl("deploy", "--file", config, "--path", code, "--desc", "from the flag"))
    spec = dashboard.function("filed")["spec"]
    assert spec["description"] == "from the flag"
    assert spec["triggers"]["web"]["numWorkers"] == 3 and "default-http" not in spec["triggers"]


def test_projects(dashboard):
    ok(dashboard.nuctl("create", "project", "garden", "--description", "plants"))
    assert dashboard.nuctl("create", "project", "garden").returncode == 1
    assert " garden" in ok(dashboard.nuctl("get", "projects"))
    wide = ok(dashboard.nuctl("get", "project", "garden", "-o", "wide"))
    assert "plants" in wide
    ok(dashboard.nuctl("delete", "project", "garden"))
    assert dashboard.nuctl("get", "project", "garden").returncode == 1


def test_export_and_import_move_functions(dashboard, code, tmp_path):
    dashboard.deploy("moved", code, "--desc", "moves")
    text = ok(dashboard.nuctl("export", "function", "moved"))
    exported = yaml.safe_load(text)
    assert exported["metadata"]["annotations"]["skip-deploy"] == "true"
    assert "namespace" not in exported["metadata"]
    other = running.Dashboard(tmp_path / "other").start()
    try:
        ok(other.nuctl("import", "functions", input=text))
        assert other.function("moved")["status"]["state"] == "imported"
        wait = {"X-Nuclio-Wait-Function-Action": "true"}
        assert other.api("PATCH", "/functions/moved", {"desiredState": "ready"}, wait).status == 202
        assert running.request(other.url("moved")).text == "one"
    finally:
        other.stop()


def test_export_and_import_move_projects(dashboard, code, tmp_path):
    ok(dashboard.nuctl("create", "project", "whole", "--description", "all of it"))
    dashboard.deploy("part", code, "--project-name", "whole")
    text = ok(dashboard.nuctl("export", "project", "whole"))
    other = running.Dashboard(tmp_path / "other").start()
    try:
        ok(other.nuctl("import", "projects", input=text))
        assert other.function("part")["metadata"]["labels"]["nuclio.io/project-name"] == "whole"
        assert "all of it" in ok(other.nuctl("get", "project", "whole", "-o", "wide"))
    finally:
        other.stop()


def test_logs_follow_what_comes(dashboard, code):
    dashboard.deploy("followed", code)
    process = subprocess.Popen(
        [running.BIN / "nuctl", "logs", "followed", "-f"], stdout=subprocess.PIPE, env=dashboard.environment
    )
    try:
        running.request(dashboard.url("followed"), path="/seen")
        received = b""
        end = time.monotonic() + 20
        while b"/seen" not in received and time.monotonic() < end:
            if select.select([process.stdout], [], [], 1)[0]:
                received += os.read(process.stdout.fileno(), 65536)
        assert b"/seen" in received
    finally:
        process.kill()
        process.wait()


def test_logs_can_be_cut(dashboard, code):
    dashboard.deploy("lines", code)
    for i in range(5):
        running.request(dashboard.url("lines"), path=f"/line-{i}")
    out = ok(dashboard.nuctl("logs", "lines", "--tail", "2"))
    assert "/line-4" in out and "/line-2" not in out


def test_dev_reloads_on_save_and_cleans_up(dashboard, code):
    process = subprocess.Popen(
        [running.BIN / "nuctl", "dev", code, "--name", "devved"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dashboard.environment,
    )

    def answers(text):
        def check():
            function = dashboard.api("GET", "/functions/devved")
            urls = function.status == 200 and function.json["status"].get("externalInvocationUrls")
            try:
                return urls and running.request(urls[0]).text == text
            except OSError:
                return False

        return check

    try:
        running.wait_for(answers("one"), "the first version")
        code.write_text(CODE.replace('"one"', '"two"'))
        running.wait_for(answers("two"), "the second version")
        code.write_text("broken(")
        time.sleep(0.5)
        assert answers("two")(), "the last good version goes on"
        replacement = code.with_suffix(".new")
        replacement.write_text(CODE.replace('"one"', '"three"'))
        replacement.rename(code)
        running.wait_for(answers("three"), "the version that an editor renamed into place")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        out = process.communicate()[0].decode()
    assert "called" in out, "the function's log is shown"
    assert "code.py:1" in out, "what is wrong with the broken version is said"
    assert dashboard.api("GET", "/functions/devved").status == 404


def test_version_and_help(dashboard):
    assert re.search(r"Label: \S+, Git commit: \S+, OS: linux, Arch: \S+", ok(dashboard.nuctl("version")))
    for arguments in (["--help"], ["deploy", "--help"], ["get", "functions", "--help"], []):
        assert "nuctl" in ok(dashboard.nuctl(*arguments))


def test_completion(dashboard):
    assert "complete" in ok(dashboard.nuctl("completion", "bash"))
    assert ok(dashboard.nuctl("__complete", "ge")) == "get\n"
    assert "functions" in ok(dashboard.nuctl("__complete", "get", "")).split()
    assert "--path" in ok(dashboard.nuctl("__complete", "deploy", "--pa")).split()


def test_nuctl_starts_the_dashboard_when_none_runs_and_says_so(tmp_path):
    board = running.Dashboard(tmp_path / "home")
    pid_file = board.home / "dashboard.pid"
    try:
        done = board.nuctl("get", "functions")
        assert (done.returncode, done.stdout) == (0, "No functions found\n")
        assert "started the dashboard" in done.stderr
        again = board.nuctl("get", "functions")
        assert again.returncode == 0 and again.stderr == ""
    finally:
        if pid_file.exists():
            pid = int(pid_file.read_text())
            os.kill(pid, signal.SIGTERM)
            running.wait_for(lambda: not running.is_alive(pid), "the end of the dashboard")

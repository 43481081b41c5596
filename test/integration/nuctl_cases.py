# SPDX-License-Identifier: Apache-2.0
"""What nuctl does on every platform.

Who tests a platform derives a class from NuctlCases and gives two fixtures, `platform` and `elsewhere`, another one of
its kind. Both have the methods of running.Dashboard.
"""

import json
import os
import re
import select
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

# What is said of things that are not there, or cannot be done: arguments, exit code, standard output, and what is in
# standard error.
REFUSED = [
    ("get function nothing", 1, "No functions found\n", ""),
    ("get function nothing -o wide", 1, "No functions found\n", ""),
    ("get function nothing -o name", 1, "No functions found\n", ""),
    ("get function nothing -o json", 1, "[]\n", ""),
    ("get project nothing", 1, "No projects found\n", ""),
    ("delete function nothing", 0, "", ""),
    (
        "delete function Wrong_Name",
        1,
        "",
        "function name must consist of lower-case letters, digits and '-', is \"Wrong_Name\"",
    ),
    ("delete project nothing", 1, "", 'project "nothing" does not exist'),
    ("delete project default", 1, "", 'project "default" cannot be deleted'),
    ("delete project default --strategy often", 1, "", '--strategy must be restricted, cascading or check, is "often"'),
    ("create project default", 1, "", 'project "default" exists already'),
    (
        "create project Wrong_Name",
        1,
        "",
        "project name must consist of lower-case letters, digits and '-', is \"Wrong_Name\"",
    ),
    ("update function nothing --desc x", 1, "", 'function "nothing" does not exist'),
    ("invoke nothing", 1, "", 'function "nothing" does not exist'),
    ("logs nothing", 1, "", 'function "nothing" does not exist'),
    ("logs nothing --replica x", 1, "", 'function "nothing" does not exist'),
    ("export function nothing", 1, "", 'function "nothing" does not exist'),
    ("export project nothing", 1, "", "there is no project nothing"),
    ("get functionevent nothing", 1, "No function events found\n", ""),
    ("get functionevents -f nothing", 0, "No function events found\n", ""),
    ("get functionevent nothing -o json", 1, "[]\n", ""),
    ("delete functionevent nothing", 1, "", 'function event "nothing" does not exist'),
    ("create functionevent e", 1, "", "--function must name the function that the event is for"),
    (
        "create functionevent Wrong_Name --function f",
        1,
        "",
        "function event name must consist of lower-case letters, digits and '-', is \"Wrong_Name\"",
    ),
    ("create functionevent e --function f --attrs []", 1, "", "--attrs must be an object"),
    ("get apigateway nothing", 1, "No api gateways found\n", ""),
    ("get apigateways -f nothing", 0, "No api gateways found\n", ""),
    ("delete apigateway nothing", 1, "", 'API gateway "nothing" does not exist'),
    ("create apigateway g --host h --function Wrong_Name", 1, "", "spec.upstreams[0].nucliofunction.name is no valid"),
    ("create apigateway g --function f", 1, "", "spec.host must be a host name"),
    ("create apigateway g --host h", 1, "", "spec.upstreams must be one function, or a function and its canary"),
    ("create apigateway g --host h --function f --canary-function c", 1, "", "on exactly one of the two"),
    ("get functions -o xml", 1, "", '--output must be text, wide, yaml, json or name, is "xml"'),
    ("get functions -l nonsense", 1, "", '--labels takes name=value, is "nonsense"'),
]


def ok(done):
    assert done.returncode == 0, done
    return done.stdout


class NuctlCases:
    @pytest.fixture
    def code(self, tmp_path):
        path = tmp_path / "code.py"
        path.write_text(CODE)
        return path

    @pytest.fixture(scope="class")
    @classmethod
    def echo(cls, platform, tmp_path_factory):
        path = tmp_path_factory.mktemp("echo") / "code.py"
        path.write_text(CODE)
        platform.deploy("echo", path, "--labels", "team=blue,tier=1")
        return "echo"

    def test_deploy_prints_where_the_function_is(self, platform, code):
        out = ok(platform.nuctl("deploy", "printed", "--path", code))
        assert "Function deploy complete" in out
        assert json.loads(re.search(r"\{.*\}", out.splitlines()[-1])[0])["functionName"] == "printed"

    def test_invoke_prints_headers_body_and_the_functions_log(self, platform, echo):
        out = ok(platform.nuctl("invoke", echo))
        assert "> Response headers:" in out and "Server = nuclio" in out
        assert out.rstrip().endswith("> Response body:\none")
        assert "called" in out and '"path": "/"' in out

    def test_invoke_sends_what_it_is_told(self, platform, echo):
        out = ok(
            platform.nuctl(
                "invoke", echo, "--body", "grüße", "--content-type", "text/x", "--path", "a/b?c=d", "-l", "none"
            )
        )
        assert "X-Kind = text/x" in out and out.rstrip().endswith("grüße")
        assert "called" not in out

    def test_invoke_takes_a_body_from_a_pipe(self, platform, echo):
        out = ok(platform.nuctl("invoke", echo, input="from a pipe"))
        assert out.rstrip().endswith("from a pipe")

    def test_invoke_can_fail_on_a_status(self, platform, echo):
        assert platform.nuctl("invoke", echo, "--path", "/fail").returncode == 0
        assert platform.nuctl("invoke", echo, "--path", "/fail", "--raise-on-status").returncode == 1

    @pytest.mark.parametrize("words", [("functions",), ("function",), ("fn",), ("fu",)])
    def test_get_knows_its_aliases(self, platform, echo, words):
        assert " echo " in ok(platform.nuctl("get", *words))

    def test_get_prints_json_yaml_names_and_wide(self, platform, echo):
        assert json.loads(ok(platform.nuctl("get", "function", echo, "-o", "json")))["metadata"]["name"] == echo
        assert yaml.safe_load(ok(platform.nuctl("get", "function", echo, "-o", "yaml")))["metadata"]["name"] == echo
        assert isinstance(json.loads(ok(platform.nuctl("get", "functions", "-o", "json"))), list)
        assert echo in ok(platform.nuctl("get", "functions", "-o", "name")).split()
        wide = ok(platform.nuctl("get", "functions", "-o", "wide"))
        assert (
            "LABELS" in wide
            and "team=blue" in wide
            and platform.function(echo)["status"]["externalInvocationUrls"][0] in wide
        )

    def test_get_chooses_by_label(self, platform, echo):
        assert " echo " in ok(platform.nuctl("get", "functions", "-l", "team=blue"))
        assert ok(platform.nuctl("get", "functions", "-l", "team=red")) == "No functions found\n"

    def test_update_changes_fields_and_keeps_the_rest(self, platform, code):
        platform.deploy("updated", code, "--env", "A=1", "--desc", "old")
        ok(platform.nuctl("update", "function", "updated", "--env", "B=2", "--desc", "new"))
        spec = platform.function("updated")["spec"]
        assert spec["description"] == "new"
        assert {item["name"]: item["value"] for item in spec["env"]} == {"A": "1", "B": "2"}
        assert running.request(platform.url("updated")).text == "one"

    def test_environment_variables_reach_the_function(self, platform, tmp_path):
        code = tmp_path / "env.py"
        code.write_text("import os\ndef handler(context, event):\n    return os.environ['GREETING']\n")
        platform.deploy("env", code, "--env", "GREETING=a, b=c")
        assert running.request(platform.url("env")).text == "a, b=c"

    def test_a_file_configures_and_flags_win(self, platform, code, tmp_path):
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
        ok(platform.nuctl("deploy", "--file", config, "--path", code, "--desc", "from the flag"))
        spec = platform.function("filed")["spec"]
        assert spec["description"] == "from the flag"
        assert spec["triggers"]["web"]["numWorkers"] == 3 and "default-http" not in spec["triggers"]

    def test_projects(self, platform):
        ok(platform.nuctl("create", "project", "garden", "--description", "plants"))
        assert platform.nuctl("create", "project", "garden").returncode == 1
        assert " garden" in ok(platform.nuctl("get", "projects"))
        wide = ok(platform.nuctl("get", "project", "garden", "-o", "wide"))
        assert "plants" in wide
        ok(platform.nuctl("delete", "project", "garden"))
        assert platform.nuctl("get", "project", "garden").returncode == 1

    def test_function_events(self, platform, code):
        platform.deploy("tested", code)
        attributes = '{"method": "POST", "path": "/orders"}'
        words = ["--display-name", "An order", "--trigger-name", "web", "--trigger-kind", "http", "--body", "apples"]
        made = platform.nuctl("create", "functionevent", "order", "--function", "tested", *words, "--attrs", attributes)
        assert ok(made) == "Function event order created\n"
        again = platform.nuctl("create", "fe", "order", "--function", "tested")
        assert again.returncode == 1 and 'function event "order" exists already' in again.stderr
        (line,) = [each for each in ok(platform.nuctl("get", "fe")).splitlines() if "order" in each]
        assert [each.strip() for each in line.split("|")][1:] == ["order", "An order", "tested", "web", "http"]
        assert "apples" in ok(platform.nuctl("get", "functionevents", "-f", "tested", "-o", "wide"))
        event = json.loads(ok(platform.nuctl("get", "functionevent", "order", "-o", "json")))
        assert event["spec"]["attributes"] == json.loads(attributes)
        assert ok(platform.nuctl("get", "fe", "-o", "name")).split() == ["order"]
        ok(platform.nuctl("create", "fe", "other", "--function", "elsewhere"))
        ok(platform.nuctl("delete", "function", "tested"))
        assert ok(platform.nuctl("get", "fe", "-o", "name")).split() == ["other"]
        assert ok(platform.nuctl("delete", "fe", "other")) == ""
        assert ok(platform.nuctl("get", "fe")) == "No function events found\n"

    def test_api_gateways(self, platform, code):
        platform.deploy("shop", code)
        login = ["--authentication-mode", "basicAuth", "--basic-auth-username", "ann", "--basic-auth-password", "pw"]
        canary = ["--canary-function", "shop-new", "--canary-percentage", "25", "--canary-labels", "a=b"]
        words = ["--host", "shop.example.com", "--path", "/buy", "--description", "apples", *login, *canary]
        made = platform.nuctl("create", "apigateway", "front", "--function", "shop", *words)
        assert ok(made) == "API gateway front created\n"
        again = platform.nuctl("create", "agw", "front", "--host", "other.example.com", "--function", "shop")
        assert again.returncode == 1 and 'API gateway "front" exists already' in again.stderr
        (line,) = [each for each in ok(platform.nuctl("get", "agw")).splitlines() if "front" in each]
        cells = ["front", "shop.example.com", "/buy", "shop", "shop-new", "25"]
        assert [each.strip() for each in line.split("|")][1:] == cells
        gateway = json.loads(ok(platform.nuctl("get", "apigateway", "front", "-o", "json")))
        assert gateway["metadata"]["labels"]["nuclio.io/project-name"] == "default"
        assert gateway["spec"]["upstreams"][1]["extraLabels"] == {"a": "b"}
        assert "pw" not in json.dumps(gateway)
        assert ok(platform.nuctl("get", "apigateways", "-f", "shop", "-o", "name")).split() == ["front"]
        ok(platform.nuctl("create", "agw", "side", "--attrs", json.dumps({**gateway["spec"], "name": "side",
            "host": "side.example.com", "authenticationMode": "none", "authentication": None})))  # fmt: skip
        assert ok(platform.nuctl("delete", "agw", "side")) == ""
        refused = platform.nuctl("delete", "function", "shop")
        assert refused.returncode == 1 and 'is used by API gateway "front"' in refused.stderr
        ok(platform.nuctl("delete", "function", "shop", "--with-api-gateways"))
        assert ok(platform.nuctl("get", "agw")) == "No api gateways found\n"

    def test_logs_follow_what_comes(self, platform, code):
        platform.deploy("followed", code)
        process = platform.begin_nuctl("logs", "followed", "-f")
        try:
            running.request(platform.url("followed"), path="/seen")
            received = b""
            end = time.monotonic() + 20
            while b"/seen" not in received and time.monotonic() < end:
                if select.select([process.stdout], [], [], 1)[0]:
                    received += os.read(process.stdout.fileno(), 65536)
            assert b"/seen" in received
        finally:
            process.kill()
            process.wait()

    def test_logs_can_be_cut(self, platform, code):
        platform.deploy("lines", code)
        for i in range(5):
            running.request(platform.url("lines"), path=f"/line-{i}")
        out = ok(platform.nuctl("logs", "lines", "--tail", "2"))
        assert "/line-4" in out and "/line-2" not in out

    def test_export_and_import_move_functions(self, platform, elsewhere, code):
        platform.deploy("moved", code, "--desc", "moves")
        text = ok(platform.nuctl("export", "function", "moved"))
        exported = yaml.safe_load(text)
        assert exported["metadata"]["annotations"]["skip-deploy"] == "true"
        assert "namespace" not in exported["metadata"]
        assert json.loads(ok(platform.nuctl("export", "function", "moved", "-o", "json"))) == exported
        ok(elsewhere.nuctl("import", "functions", input=text))
        function = elsewhere.function("moved")
        assert function["status"]["state"] == "imported"
        assert function["spec"]["description"] == "moves"
        assert " imported " in ok(elsewhere.nuctl("get", "function", "moved"))
        ok(elsewhere.nuctl("delete", "function", "moved"))
        assert elsewhere.nuctl("get", "function", "moved").returncode == 1

    def test_export_shows_neither_secrets_nor_where_they_are(self, elsewhere):
        triggers = {"tick": {"kind": "cron", "password": "canary", "attributes": {"interval": "1h"}}}
        annotations = {"skip-build": "true", "skip-deploy": "true"}
        spec = {"runtime": "python", "handler": "a:b", "build": {"functionSourceCode": "eA=="}, "triggers": triggers}
        function = {"metadata": {"name": "secretive", "annotations": annotations}, "spec": spec}
        ok(elsewhere.nuctl("import", "functions", input=json.dumps(function)))
        exported = yaml.safe_load(ok(elsewhere.nuctl("export", "function", "secretive")))
        assert exported["metadata"]["annotations"] == {**annotations, "nuclio.io/previous-state": "imported"}
        assert "password" not in exported["spec"]["triggers"]["tick"]
        ok(elsewhere.nuctl("delete", "function", "secretive"))

    def test_export_and_import_move_projects(self, platform, elsewhere, code):
        ok(platform.nuctl("create", "project", "whole", "--description", "all of it"))
        platform.deploy("part", code, "--project-name", "whole")
        ok(platform.nuctl("create", "functionevent", "of-part", "--function", "part", "--body", "b"))
        refused = platform.nuctl("delete", "project", "whole")
        assert refused.returncode == 1 and "part" in refused.stderr
        text = ok(platform.nuctl("export", "project", "whole"))
        ok(elsewhere.nuctl("import", "projects", input=text))
        assert elsewhere.function("part")["metadata"]["labels"]["nuclio.io/project-name"] == "whole"
        assert "all of it" in ok(elsewhere.nuctl("get", "project", "whole", "-o", "wide"))
        assert ok(elsewhere.nuctl("get", "functionevents", "-o", "name")).split() == ["of-part"]
        for place in (platform, elsewhere):
            ok(place.nuctl("delete", "project", "whole", "--strategy", "cascading"))
        assert ok(elsewhere.nuctl("get", "functions")) == "No functions found\n"
        assert "of-part" not in ok(platform.nuctl("get", "functionevents", "-o", "name")).split()

    def test_get_chooses_by_project(self, platform, echo):
        assert " echo " in ok(platform.nuctl("get", "functions", "--project-name", "default"))

    def test_delete_takes_a_function_away(self, platform, code):
        platform.deploy("gone", code)
        assert ok(platform.nuctl("delete", "function", "gone")) == ""
        assert ok(platform.nuctl("delete", "function", "gone")) == ""
        assert "gone" not in ok(platform.nuctl("get", "functions", "-o", "name")).split()

    @pytest.mark.parametrize(("words", "exit_code", "out", "err"), REFUSED, ids=[each[0] for each in REFUSED])
    def test_refuses(self, platform, words, exit_code, out, err):
        done = platform.nuctl(*words.split())
        assert (done.returncode, done.stdout) == (exit_code, out), done
        assert err in done.stderr and (err or not done.stderr)

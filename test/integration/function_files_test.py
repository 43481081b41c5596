# SPDX-License-Identifier: Apache-2.0
"""Functions whose code is several files: in the spec, and in folders that the spec keeps."""

import base64
import shutil

import running

MAIN = """
import lib.prices

def handler(context, event):
    return lib.prices.text()
"""


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def prices(text):
    return f"def text():\n    return {text!r}\n"


def function(name, files):
    spec = {
        "runtime": "python:3.11",
        "handler": "main:handler",
        "build": {"functionSourceCode": encoded(MAIN), "files": files},
        "triggers": {"web": {"kind": "http"}},
    }
    return {"metadata": {"name": name}, "spec": spec}


def create(dashboard, config):
    return dashboard.api("POST", "/functions", config, {"X-Nuclio-Wait-Function-Action": "true"})


def put(dashboard, config):
    path = f"/functions/{config['metadata']['name']}"
    return dashboard.api("PUT", path, config, {"X-Nuclio-Wait-Function-Action": "true"})


def test_a_function_of_several_files_is_deployed_and_changed(dashboard):
    made = create(dashboard, function("several", {"lib/prices.py": encoded(prices("one"))}))
    assert made.status in (202, 204), made.text
    assert running.request(dashboard.url("several")).text == "one"

    asked = dashboard.api("GET", "/functions/several").json
    assert asked["spec"]["build"]["files"] == {"lib/prices.py": encoded(prices("one"))}
    asked["spec"]["build"]["files"]["lib/prices.py"] = encoded(prices("two"))
    assert put(dashboard, asked).status in (202, 204)
    assert running.request(dashboard.url("several")).text == "two"


def test_a_file_that_leads_out_is_refused_and_nothing_is_deployed(dashboard):
    refused = create(dashboard, function("leads-out", {"../prices.py": encoded("")}))
    assert refused.status == 400
    assert 'spec.build.files["../prices.py"] must be a path within the code\'s folder' in refused.json["error"]
    assert dashboard.api("GET", "/functions/leads-out").status == 404


def test_a_small_folder_is_kept_in_the_spec_and_outlives_it(dashboard, tmp_path):
    folder = tmp_path / "shop"
    (folder / "lib").mkdir(parents=True)
    (folder / "main.py").write_text(MAIN)
    (folder / "lib/prices.py").write_text(prices("kept"))
    (folder / "function.yaml").write_text("spec: {handler: main:handler, runtime: python, description: of the file}\n")
    dashboard.deploy("kept", folder)
    asked = dashboard.api("GET", "/functions/kept").json
    assert asked["spec"]["build"]["files"] == {"lib/prices.py": encoded(prices("kept"))}
    assert asked["spec"]["description"] == "of the file"

    shutil.rmtree(folder)
    asked["spec"]["description"] = "deployed again"
    assert put(dashboard, asked).status in (202, 204)
    assert running.request(dashboard.url("kept")).text == "kept"

    # What is deployed by its path is what is there.
    folder.mkdir()
    (folder / "main.py").write_text("def handler(context, event):\n    return 'new'\n")
    dashboard.deploy("kept", folder, "--handler", "main:handler")
    assert running.request(dashboard.url("kept")).text == "new"
    assert "files" not in dashboard.api("GET", "/functions/kept").json["spec"]["build"]

# SPDX-License-Identifier: Apache-2.0
"""nuclio-jupyter, Nuclio's own client for Python, with the dashboard of this machine."""

import io
import json
import zipfile

import code_server
import logging_in
import pytest
import running
from nuclio_jupyter_cases import NuclioJupyterCases, Place, code

# Its environment is made for the slow tests alone.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(dashboard, tmp_path_factory):
    return Place(f"http://{dashboard.address}", tmp_path_factory.mktemp("user"))


class TestOnThisMachine(NuclioJupyterCases):
    pass


def test_an_archive_is_deployed_by_its_address(place, tmp_path):
    config = {"metadata": {}, "spec": {"handler": "handler:handler", "runtime": "python:3.11"}}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("handler.py", code("from an archive"))
        archive.writestr("function.yaml", json.dumps(config))
    server = code_server.CodeServer(tmp_path)
    try:
        server.pages["/it.zip"] = packed.getvalue()
        place.deploy("deploy_file", source=f"{server.url}/it.zip", name="archived", project="default")
    finally:
        server.stop()
    place.answers("archived", "from an archive")


def test_a_client_finds_its_function_after_nuctl_deployed_it(dashboard, place, tmp_path):
    source = tmp_path / "by_nuctl.py"
    source.write_text(code("by nuctl"))
    dashboard.deploy("shared", source)
    source.write_text(code("by the client"))
    place.deploy("deploy_file", source=str(source), name="shared", project="default")
    assert running.request(dashboard.url("shared")).text == "by the client"


def test_the_client_logs_in_where_that_is_wanted(tmp_path):
    config = {
        "users": [{"name": "ada", "passwordHash": logging_in.hash_password()}],
        "grants": [{"user": "ada", "role": "admin"}],
    }
    board = logging_in.start_dashboard(tmp_path / "home", "basic", config)
    try:
        place = Place(f"http://{board.address}", tmp_path, login=("ada", logging_in.PASSWORD))
        place.deploy("deploy_code", code=code("to those who may"), name="guarded", project="default")
        place.answers("guarded", "to those who may")
        stranger = Place(f"http://{board.address}", tmp_path, login=("ada", "guessed"))
        assert stranger.api("GET", "/functions/guarded")[0] == 401
        assert stranger.client("list_functions").result is None
    finally:
        board.stop()

# SPDX-License-Identifier: Apache-2.0
"""The description of the REST API, and the API held to it."""

import pathlib
import subprocess
import sys

import openapi_spec_validator
import pytest
import running

SECONDS_OF_MADE_UP_CALLS = 60
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.fixture(scope="module")
def document(dashboard):
    return dashboard.api("GET", "/openapi.json").json


def test_the_description_is_valid(document):
    assert document["openapi"] == "3.1.0"
    openapi_spec_validator.validate(document)


def test_every_call_is_described(dashboard, document):
    lines = [line.split(maxsplit=2) for line in running.request(dashboard.address, "GET", "/api").text.splitlines()[2:]]
    assert len(lines) > 25
    for method, pattern, doc in lines:
        operations = document["paths"][pattern.replace("...", "")]
        methods = [method.lower()] if method != "*" else ["get", "post", "put", "patch", "delete", "head", "options"]
        for each in methods:
            assert operations[each]["summary"] == doc


@pytest.fixture
def lonely_dashboard(tmp_path):
    """One whose functions' code comes from nowhere: what is made up may name any host."""
    board = running.Dashboard(tmp_path / "home")
    nobody = "http://127.0.0.1:1"
    board.environment.update(HTTP_PROXY=nobody, HTTPS_PROXY=nobody, http_proxy=nobody, https_proxy=nobody)
    yield board.start()
    board.stop()


@pytest.mark.slow
@pytest.mark.timeout(SECONDS_OF_MADE_UP_CALLS + 120)
def test_no_call_that_can_be_made_up_is_answered_otherwise_than_described(lonely_dashboard, tmp_path):
    program = pathlib.Path(sys.executable).parent / "schemathesis"
    done = subprocess.run(
        [
            program,
            "run",
            f"http://{lonely_dashboard.address}/api/openapi.json",
            f"--checks={CHECKS}",
            f"--max-time={SECONDS_OF_MADE_UP_CALLS}",
            "--exclude-path=/api/v2/events",  # which never ends
            "--phases=examples,coverage,fuzzing",
            "--continue-on-failure",
            "--request-timeout=20",
            "--generation-database=none",
            "--no-color",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr}\n{lonely_dashboard.log[-2000:]}"
    assert lonely_dashboard.process.poll() is None

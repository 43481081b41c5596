# SPDX-License-Identifier: Apache-2.0
"""nuctl as its users and their scripts know it, on this machine."""

import os
import re
import signal
import subprocess
import time

import pytest
import running
from nuctl_cases import CODE, NuctlCases, ok


@pytest.fixture
def code(tmp_path):
    path = tmp_path / "code.py"
    path.write_text(CODE)
    return path


@pytest.fixture(scope="module")
def platform(dashboard):
    return dashboard


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    other = running.Dashboard(tmp_path_factory.mktemp("elsewhere") / "nuclio").start()
    yield other
    other.stop()


class TestOnThisMachine(NuctlCases):
    def test_an_imported_function_is_deployed_when_that_is_asked(self, platform, elsewhere, code):
        platform.deploy("revived", code)
        ok(elsewhere.nuctl("import", "functions", input=ok(platform.nuctl("export", "function", "revived"))))
        wait = {"X-Nuclio-Wait-Function-Action": "true"}
        assert elsewhere.api("PATCH", "/functions/revived", {"desiredState": "ready"}, wait).status == 202
        assert running.request(elsewhere.url("revived")).text == "one"
        ok(elsewhere.nuctl("delete", "function", "revived"))


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

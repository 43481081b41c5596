# SPDX-License-Identifier: Apache-2.0
"""Functions on the process platform, from deploy to delete."""

import concurrent.futures
import os
import signal
import threading

import pytest
import running


def version(text):
    return f"def handler(context, event):\n    return {text!r}\n"


@pytest.fixture
def code(tmp_path):
    path = tmp_path / "code.py"
    path.write_text(version("one"))
    return path


def call(dashboard, name, **kwargs):
    return running.request(dashboard.url(name), **kwargs)


def test_a_deployed_function_serves_and_shows_up(dashboard, code):
    function = dashboard.deploy("shown", code, "--desc", "for all to see")
    assert function["status"]["state"] == "ready"
    assert function["status"]["httpPort"] > 0
    assert function["spec"]["description"] == "for all to see"
    assert function["metadata"]["labels"]["nuclio.io/project-name"] == "default"
    assert call(dashboard, "shown").text == "one"
    listed = dashboard.api("GET", "/functions").json
    assert listed["shown"]["status"]["state"] == "ready"
    table = dashboard.nuctl("get", "functions").stdout
    assert "NAMESPACE | NAME" in table.splitlines()[0]
    row = next(line for line in table.splitlines() if " shown " in line)
    assert [cell.strip() for cell in row.split("|")][:5] == ["nuclio", "shown", "default", "ready", "1/1"]


def test_the_dashboard_passes_invocations_on(dashboard, code):
    dashboard.deploy("passed", code)
    answer = dashboard.api("POST", "/function_invocations", b"x", {"X-Nuclio-Function-Name": "passed"})
    assert (answer.status, answer.text) == (200, "one")


def test_a_redeploy_loses_no_request(dashboard, code):
    dashboard.deploy("busy", code)
    address = dashboard.url("busy")
    stop = threading.Event()
    seen = []

    def call_on():
        while not stop.is_set():
            answer = running.request(address)
            seen.append((answer.status, answer.text))

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(call_on) for _ in range(4)]
        try:
            for text in ("two", "three"):
                code.write_text(version(text))
                dashboard.deploy("busy", code)
        finally:
            stop.set()
        for client in clients:
            client.result(60)
    assert {status for status, _ in seen} == {200}
    assert {text for _, text in seen} >= {"one", "three"}
    assert dashboard.url("busy") == address
    assert call(dashboard, "busy").text == "three"
    running.wait_for(lambda: len(dashboard.api("GET", "/functions/busy/replicas").json["names"]) == 1, "one replica")


def test_a_broken_new_version_leaves_the_old_one_serving(dashboard, code):
    dashboard.deploy("steady", code)
    code.write_text("import no_such_package\n")
    done = dashboard.nuctl("deploy", "steady", "--path", code)
    assert done.returncode == 1 and "no_such_package" in done.stderr
    function = dashboard.function("steady")
    assert function["status"]["state"] == "error"
    assert "no_such_package" in function["status"]["message"]
    assert call(dashboard, "steady").text == "one"
    code.write_text(version("mended"))
    dashboard.deploy("steady", code)
    assert dashboard.function("steady")["status"]["state"] == "ready"
    assert call(dashboard, "steady").text == "mended"


def test_a_build_that_fails_leaves_its_log_in_the_status_and_the_old_version_serving(dashboard, tmp_path):
    folder = tmp_path / "logged"
    folder.mkdir()
    (folder / "main.py").write_text(version("one"))
    dashboard.deploy("logged", folder, "--handler", "main:handler")
    (folder / "requirements.txt").write_text("./no-such-package.whl\n")
    done = dashboard.nuctl("deploy", "logged", "--path", folder, "--handler", "main:handler")
    assert done.returncode == 1 and "no-such-package" in done.stderr
    status = dashboard.function("logged")["status"]
    assert status["state"] == "error"
    lines = [line["message"] for line in status["logs"]]
    assert "pip install -r requirements.txt" in lines  # what was done, as it was done
    assert any("no-such-package" in line for line in lines[lines.index("pip install -r requirements.txt") :])
    assert all(line["level"] in ("info", "warn", "error") and line["time"] > 1.7e12 for line in status["logs"])
    assert call(dashboard, "logged").text == "one"


def test_a_processor_that_is_killed_comes_back(dashboard, code):
    dashboard.deploy("immortal", code)
    before = set(running.children(dashboard.process.pid))
    victim = next(pid for pid in before if b"/immortal/" in open(f"/proc/{pid}/cmdline", "rb").read())
    os.kill(victim, signal.SIGKILL)

    def serves_again():
        try:
            return call(dashboard, "immortal").status == 200
        except OSError:
            return False

    running.wait_for(lambda: victim not in running.children(dashboard.process.pid) and serves_again(), "the return")
    running.wait_for(lambda: dashboard.function("immortal")["status"]["state"] == "ready", "the state ready")


def test_scaling_to_zero_and_back(dashboard, code):
    dashboard.deploy("sleepy", code)
    wait = {"X-Nuclio-Wait-Function-Action": "true"}
    dashboard.deploy("sleepy", code, "--min-replicas", "0", "--max-replicas", "1")
    assert dashboard.api("PATCH", "/functions/sleepy", {"desiredState": "scaledToZero"}, wait).status == 202
    assert dashboard.function("sleepy")["status"]["state"] == "scaledToZero"
    assert dashboard.api("PATCH", "/functions/sleepy", {"desiredState": "ready"}, wait).status == 202
    assert call(dashboard, "sleepy").text == "one"


def test_a_disabled_function_has_no_replica(dashboard, code):
    done = dashboard.nuctl("deploy", "off", "--path", code, "--disable")
    assert done.returncode == 0, done.stderr
    row = next(line for line in dashboard.nuctl("get", "functions").stdout.splitlines() if " off " in line)
    assert [cell.strip() for cell in row.split("|")][3:5] == ["standby", "0/0"]


def test_deleting_ends_the_processes(dashboard, code):
    dashboard.deploy("gone", code)
    address = dashboard.url("gone")
    assert dashboard.nuctl("delete", "function", "gone").returncode == 0
    assert dashboard.api("GET", "/functions/gone").status == 404
    with pytest.raises(OSError):
        running.request(address)
    assert not [
        pid for pid in running.children(dashboard.process.pid) if b"/gone/" in open(f"/proc/{pid}/cmdline", "rb").read()
    ]


def test_the_same_name_twice_is_a_conflict(dashboard, code):
    dashboard.deploy("once", code)
    function = dashboard.function("once")
    del function["status"]
    answer = dashboard.api("POST", "/functions", function)
    assert answer.status == 409, answer


def test_a_stale_resource_version_is_a_conflict(dashboard, code):
    dashboard.deploy("versioned", code)
    stale = dashboard.function("versioned")
    dashboard.deploy("versioned", code)
    answer = dashboard.api("PUT", "/functions/versioned", stale)
    assert answer.status == 409, answer


def test_functions_come_back_with_the_dashboard(tmp_path, code):
    board = running.Dashboard(tmp_path / "home").start()
    try:
        board.deploy("lasting", code)
        address = board.url("lasting")
        board.stop()
        with pytest.raises(OSError):
            running.request(address)
        board.start()
        running.wait_for(lambda: board.function("lasting")["status"]["state"] == "ready", "the function's return")
        assert board.url("lasting") == address
        assert running.request(address).text == "one"
    finally:
        board.stop()


def test_functions_come_back_after_the_dashboard_was_killed(tmp_path, code):
    board = running.Dashboard(tmp_path / "home").start()
    try:
        board.deploy("survivor", code)
        address = board.url("survivor")
        processors = running.children(board.process.pid)
        os.kill(board.process.pid, signal.SIGKILL)
        board.process.wait()
        running.wait_for(lambda: not [pid for pid in processors if running.is_alive(pid)], "the end of its processors")
        board.start()
        running.wait_for(lambda: board.function("survivor")["status"]["state"] == "ready", "the function's return")
        assert running.request(address).text == "one"
    finally:
        board.stop()


def test_a_second_dashboard_on_the_same_home_is_refused(dashboard):
    second = running.Dashboard(dashboard.home)
    with pytest.raises(AssertionError, match="already"):
        second.start()
    second.process.wait(30)
    assert dashboard.api("GET", "/versions").status == 200


def test_many_redeploys_leave_nothing_behind(tmp_path, code):
    board = running.Dashboard(tmp_path / "home").start()  # others' functions would come and go in what is counted

    def descriptors():
        return len(os.listdir(f"/proc/{board.process.pid}/fd"))

    def deploy(text):
        code.write_text(version(text))
        board.deploy("tidy", code)

    def one_replica():  # a processor and the keeper of its log
        return len(running.children(board.process.pid)) == 2

    try:
        deploy("first")
        deploy("second")
        running.wait_for(one_replica, "the end of the first")
        before = descriptors()
        for i in range(5):
            deploy(f"round {i}")
        running.wait_for(one_replica, "the end of all but the last")
        # Two more than before: it keeps a connection once it asks for metrics, and nuctl's may not be closed yet.
        running.wait_for(lambda: descriptors() <= before + 2, f"the return to {before} descriptors")
    finally:
        board.stop()


@pytest.mark.slow
def test_a_function_runs_on_each_python_that_is_here(dashboard, tmp_path):
    code = tmp_path / "which.py"
    code.write_text("import sys\ndef handler(context, event):\n    return '%d.%d' % sys.version_info[:2]\n")
    served = []
    for version in ("3.9", "3.10", "3.11", "3.12", "3.13"):
        done = dashboard.nuctl("deploy", "which-python", "--path", code, "--runtime", f"python:{version}")
        if done.returncode == 0:
            assert call(dashboard, "which-python").text == version
            served.append(version)
        else:
            assert f"Python {version} is not installed here" in done.stderr
    assert served, "this machine has a Python, the one that runs this test"

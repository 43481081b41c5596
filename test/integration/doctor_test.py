# SPDX-License-Identifier: Apache-2.0
"""nuctl doctor on this machine. What it says of clusters is in test/e2e."""

import json

import running


def checks_of(done):
    said = json.loads(done.stdout)
    assert said["well"] == (done.returncode == 0), done
    return {each["name"]: each for each in said["checks"]}


def doctor(board, *arguments):
    return board.nuctl("doctor", "--platform", "process", *arguments)


def test_says_that_all_is_well(dashboard):
    done = doctor(dashboard)
    assert done.returncode == 0, done
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["ok", "home"],
        ["ok", "dashboard"],
        ["ok", "runtimes"],
    ]
    checks = checks_of(doctor(dashboard, "-o", "json"))
    assert checks["dashboard"]["text"] == f"http://{dashboard.address}"
    assert "python" in checks["runtimes"]["text"].split(", ")


def test_says_that_a_dashboard_would_be_started_and_starts_none(tmp_path):
    board = running.Dashboard(tmp_path / "home")
    assert "starts one" in checks_of(doctor(board, "-o", "json"))["dashboard"]["text"]
    assert not (board.home / "dashboard.log").exists()


def test_says_what_to_do_about_a_home_that_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    done = doctor(running.Dashboard(tmp_path / "file"), "-o", "json")
    home = checks_of(done)["home"]
    assert done.returncode == 1
    assert home["outcome"] == "FAIL" and str(tmp_path / "file") in home["text"] and "NUCLIO_HOME" in home["remedy"]


def test_says_that_a_registry_does_not_answer(dashboard):
    done = doctor(dashboard, "--registry", "http://127.0.0.1:1/team")
    assert done.returncode == 1
    line, remedy = done.stdout.splitlines()[3:]
    assert line.startswith("FAIL  registry    ") and "127.0.0.1:1" in line
    assert remedy.startswith(" " * 18)


def test_knows_no_other_outputs(dashboard):
    done = doctor(dashboard, "-o", "wide")
    assert (done.returncode, done.stdout) == (1, "") and "text or json" in done.stderr

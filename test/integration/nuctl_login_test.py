# SPDX-License-Identifier: Apache-2.0
"""nuctl at a dashboard that asks who calls, on this machine and elsewhere."""

import os
import subprocess

import pytest
import running
from logging_in import PASSWORD, hash_password, make_token, start_dashboard


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    config = {
        "users": [{"name": "ada", "passwordHash": hash_password()}],
        "grants": [{"user": "ada", "role": "developer"}],
    }
    made = start_dashboard(tmp_path_factory.mktemp("home") / "nuclio", "basic", config)
    yield made
    made.stop()


@pytest.fixture
def elsewhere(board, tmp_path):
    """nuctl(…) of somebody with a home of their own."""
    environment = {**os.environ, "NUCLIO_HOME": str(tmp_path / "home"), "NUCTL_SERVER": f"http://{board.address}/"}

    def nuctl(*arguments, input=""):
        return subprocess.run(
            [running.BIN / "nuctl", *map(str, arguments)],
            input=input,
            capture_output=True,
            text=True,
            timeout=120,
            env=environment,
            check=False,
        )

    nuctl.home = tmp_path / "home"
    return nuctl


def test_who_has_not_logged_in_is_told_to(elsewhere):
    done = elsewhere("get", "functions")
    assert done.returncode == 1
    assert "nuctl login" in done.stderr
    done = elsewhere("login", input="nonsense\n")
    assert done.returncode == 1
    assert "does not know this token" in done.stderr
    done = elsewhere("login", "--username", "ada", input="wrong\n")
    assert done.returncode == 1
    assert "no user has this name and password" in done.stderr
    assert not (elsewhere.home / "logins.json").exists()


def test_a_user_logs_in_works_and_logs_out(elsewhere, board):
    done = elsewhere("login", "--username", "ada", input=PASSWORD + "\n")
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"logged in at http://{board.address} as ada\n"
    assert (elsewhere.home / "logins.json").stat().st_mode & 0o777 == 0o600
    example = running.SOURCE / "examples/python/hello.py"
    done = elsewhere("deploy", "hello", "--path", example)
    assert done.returncode == 0, done.stderr
    assert "hello" in elsewhere("get", "functions").stdout
    assert "Hello from Nuclio" in elsewhere("invoke", "hello").stdout
    done = elsewhere("create", "project", "mine")
    assert done.returncode == 1
    assert 'ada may not create project "mine"' in done.stderr
    done = elsewhere("deploy", "folder", "--path", example.parent)
    assert done.returncode == 1
    assert "name a single file" in done.stderr
    assert elsewhere("delete", "function", "hello").returncode == 0
    assert elsewhere("logout").returncode == 0
    assert "nuctl login" in elsewhere("get", "functions").stderr
    listed = subprocess.run(
        [running.BIN / "dashboard", "token", "list"], capture_output=True, text=True, env=board.environment, check=True
    )
    assert "nuctl on" not in listed.stdout, "the token was revoked"
    assert elsewhere("logout").returncode == 1


def test_a_token_logs_in_on_this_machine_too(board):
    assert "nuctl login" in board.nuctl("--platform", "process", "get", "functions").stderr
    token = make_token(board, "--name", "here")
    done = board.nuctl("--platform", "process", "login", input=token + "\n")
    assert done.returncode == 0, done.stderr
    assert "as token here" in done.stderr
    assert board.nuctl("--platform", "process", "get", "functions").returncode == 0
    assert board.nuctl("--platform", "process", "logout").returncode == 0


def test_a_server_that_is_no_url_is_refused(elsewhere):
    done = elsewhere("--server", "nuclio.example.com", "get", "functions")
    assert done.returncode == 1
    assert "--server must be a URL" in done.stderr

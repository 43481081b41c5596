# SPDX-License-Identifier: Apache-2.0
"""Dashboards that ask who calls, and what the callers of tests show."""

import json
import pathlib
import subprocess

import running

PASSWORD = "correct horse battery"


def hash_password(password=PASSWORD):
    command = [running.BIN / "dashboard", "hash-password"]
    return subprocess.run(
        command, input=password, capture_output=True, text=True, check=True, timeout=30
    ).stdout.strip()


def make_token(board, *flags):
    """The text of a new token."""
    command = [running.BIN / "dashboard", "token", "create", *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30, env=board.environment)
    return done.stdout.strip()


def let_expire(board, token, when=1):
    file = pathlib.Path(board.home) / "tokens" / f"{token.split('_')[1]}.json"
    kept = json.loads(file.read_text())
    kept["expires"] = when
    file.write_text(json.dumps(kept))


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def start_dashboard(home, kind, config=None, **environment):
    board = running.Dashboard(home)
    board.home.mkdir(parents=True)
    board.environment["NUCLIO_AUTH_KIND"] = kind
    board.environment.update(environment)
    if config is not None:
        file = board.home / "auth.json"
        file.write_text(json.dumps(config))
        board.environment["NUCLIO_AUTH_CONFIG"] = str(file)
    return board.start()

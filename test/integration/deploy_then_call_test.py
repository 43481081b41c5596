# SPDX-License-Identifier: Apache-2.0
"""Who is told that a deploy is done and calls at once gets an answer of the new version."""

import base64

import running
import yaml

ROUNDS = 25


def put(dashboard, answer):
    code = base64.b64encode(f"def handler(context, event):\n    return {answer!r}\n".encode()).decode()
    build = {"functionSourceCode": code}
    body = {"metadata": {"name": "fresh"}, "spec": {"runtime": "python", "handler": "main:handler", "build": build}}
    done = dashboard.api("PUT", "/functions/fresh", body, {"X-Nuclio-Wait-Function-Action": "true"})
    assert done.status in (200, 202, 204), done


def call(dashboard):
    return dashboard.api("POST", "/function_invocations", {}, {"X-Nuclio-Function-Name": "fresh"}).text


def test_a_call_behind_a_deploy_is_answered_by_what_was_deployed(dashboard):
    put(dashboard, "first")
    for number in range(ROUNDS):
        put(dashboard, f"version {number}")
        assert [call(dashboard) for _ in range(3)] == [f"version {number}"] * 3


def test_who_connects_behind_a_deploy_reaches_what_was_deployed(tmp_path):
    """The version before listens on for a while, at the same socket: long enough for each round to see it."""
    (tmp_path / "platform.yaml").write_text(yaml.safe_dump({"processor": {"drainPauseMilliseconds": 300}}))
    board = running.Dashboard(tmp_path / "home")
    board.flags = ["--platform-config", tmp_path / "platform.yaml"]
    board.start()
    try:
        put(board, "first")
        for number in range(3):
            put(board, f"version {number}")
            assert [running.request(board.url("fresh")).text for _ in range(20)] == [f"version {number}"] * 20
    finally:
        board.stop()

# SPDX-License-Identifier: Apache-2.0
"""Functions that speak HTTPS, invoked by nuctl and through the dashboard."""

import json

import certificates
import pytest

CODE = """
def handler(context, event):
    return event.method + " " + event.path + " " + event.body.decode()
"""


def deploy(dashboard, tmp_path, name, **tls):
    path = tmp_path / "code.py"
    path.write_text(CODE)
    trigger = {"web": {"kind": "http", "attributes": {"tls": tls}}}
    dashboard.deploy(name, path, "--triggers", json.dumps(trigger))
    return name


@pytest.fixture
def secured(dashboard, tmp_path, secret):
    return deploy(dashboard, tmp_path, "secured", secretPath=str(secret))


def through_the_dashboard(dashboard, name, headers=None):
    headers = {"X-Nuclio-Function-Name": name, "X-Nuclio-Path": "/a", **(headers or {})}
    return dashboard.api("POST", "/function_invocations", "body", headers)


def test_both_invoke_a_function_by_the_certificate_of_its_spec(dashboard, secured):
    done = dashboard.nuctl("invoke", secured, "--path", "/a", "--body", "body", "--method", "POST")
    assert done.returncode == 0, done.stderr
    assert "POST /a body" in done.stdout
    answer = through_the_dashboard(dashboard, secured)
    assert (answer.status, answer.text) == (200, "POST /a body")


# What is shown on the port is no longer what the spec's files say: the processor keeps the certificate that it has
# while the new files cannot be used.
def test_both_refuse_another_certificate_unless_told_to_take_any(dashboard, tmp_path):
    folder = tmp_path / "secret"
    certificates.write(folder)
    name = deploy(dashboard, tmp_path, "renamed", secretPath=str(folder))
    (folder / "tls.key").unlink()
    certificates.write(folder, key="other.key")

    done = dashboard.nuctl("invoke", name)
    assert done.returncode != 0
    assert "--skip-tls calls it whatever its certificate is" in done.stderr
    assert dashboard.nuctl("invoke", name, "--skip-tls").returncode == 0

    answer = through_the_dashboard(dashboard, name)
    assert answer.status == 500
    assert "X-Nuclio-Skip-Tls-Verification: true invokes it" in answer.json["error"]
    assert through_the_dashboard(dashboard, name, {"X-Nuclio-Skip-Tls-Verification": "true"}).status == 200


def test_both_say_that_they_have_no_certificate_of_their_own(dashboard, tmp_path, secret):
    name = deploy(dashboard, tmp_path, "exclusive", secretPath=str(secret), clientCA="tls.crt")
    done = dashboard.nuctl("invoke", name)
    assert done.returncode != 0
    assert "serves only clients with a certificate of an authority in" in done.stderr
    answer = through_the_dashboard(dashboard, name)
    assert answer.status == 412
    assert "tls.clientCA" in answer.json["error"]

# SPDX-License-Identifier: Apache-2.0
"""HTTPS on the http trigger, met by curl and by Python's own client."""

import http.client
import shutil
import socket
import ssl
import subprocess

import certificates
import pytest
import running

ECHO = """
def handler(context, event):
    return context.Response(body=event.body, headers={"X-Path": event.path})
"""


def https(secret, **attributes):
    """The spec of a function whose http trigger has the certificate in the folder `secret`."""
    attributes = {"tls": {"secretPath": str(secret)}, **attributes}
    return {"triggers": {"web": {"kind": "http", "numWorkers": 2, "attributes": attributes}}}


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    path = tmp_path_factory.mktemp("code") / "echo.py"
    path.write_text(ECHO)
    return path


@pytest.fixture(scope="module")
def processor(start_processor, code, secret):
    return start_processor(code, https(secret))


def port_of(processor):
    return int(processor.address.rsplit(":", 1)[1])


def curl(*arguments, check=True):
    done = subprocess.run(["curl", "-sS", "--max-time", "20", *map(str, arguments)], capture_output=True, timeout=30)
    assert not check or done.returncode == 0, done.stderr
    return done


def serial_of(processor):
    """The serial number of the certificate that the port shows."""
    pem = ssl.get_server_certificate(("127.0.0.1", port_of(processor)))
    done = subprocess.run(["openssl", "x509", "-noout", "-serial"], input=pem.encode(), capture_output=True, timeout=30)
    return done.stdout.decode().strip()


def test_curl_is_answered_over_https(processor, secret):
    url = f"https://localhost:{port_of(processor)}/a"
    done = curl("--cacert", secret / "tls.crt", "-i", "--http1.1", "-d", "over TLS", url)
    head, _, body = done.stdout.decode().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 OK")
    assert "X-Path: /a" in head
    assert body == "over TLS"


def test_a_client_that_does_not_know_the_authority_refuses(processor):
    done = curl(f"https://localhost:{port_of(processor)}/", check=False)
    assert done.returncode == 60  # the certificate cannot be verified


def test_bodies_of_megabytes_pass_unchanged(processor, secret):
    context = ssl.create_default_context(cafile=secret / "tls.crt")
    body = bytes(range(256)) * (3 << 12)
    client = http.client.HTTPSConnection("localhost", port_of(processor), context=context, timeout=30)
    for _ in range(3):
        client.request("POST", "/", body)
        response = client.getresponse()
        assert response.status == 200
        assert response.read() == body
    client.close()


def test_a_session_is_resumed_by_its_ticket(processor, secret):
    context = ssl.create_default_context(cafile=secret / "tls.crt")
    session = None
    for resumed in (False, True):
        with socket.create_connection(("localhost", port_of(processor)), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname="localhost", session=session) as secure:
                secure.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                assert b"200 OK" in secure.recv(4096)
                assert secure.session_reused == resumed
                session = secure.session


def test_plain_http_is_told_what_the_port_speaks(processor):
    answer = processor.request("DELETE")
    assert answer.status == 400
    assert "HTTPS" in answer.text


def test_a_renewed_certificate_is_shown_without_a_restart(start_processor, code, tmp_path):
    # As Kubernetes mounts a secret: files that point into a folder that points into another, which is exchanged.
    secret = tmp_path / "secret"
    certificates.write(secret / "first")
    certificates.write(secret / "second")
    (secret / "..data").symlink_to("first")
    for name in ("tls.crt", "tls.key"):
        (secret / name).symlink_to(f"..data/{name}")
    processor = start_processor(code, https(secret))
    context = ssl.create_default_context(cafile=secret / "tls.crt")
    client = http.client.HTTPSConnection("localhost", port_of(processor), context=context, timeout=30)
    client.request("POST", "/", b"before")
    assert client.getresponse().read() == b"before"

    before = serial_of(processor)
    (secret / "..next").symlink_to("second")
    (secret / "..next").rename(secret / "..data")
    running.wait_for(lambda: serial_of(processor) != before, "the renewal")
    client.request("POST", "/", b"after")  # on the connection of before
    assert client.getresponse().read() == b"after"
    client.close()


def test_only_known_clients_are_served_when_there_are_authorities(start_processor, code, secret, tmp_path):
    certificates.write(tmp_path, "client.crt", "client.key")
    spec = https(secret)
    spec["triggers"]["web"]["attributes"]["tls"]["clientCA"] = str(tmp_path / "client.crt")
    url = f"https://localhost:{port_of(start_processor(code, spec))}/"
    arguments = ["--cacert", secret / "tls.crt", "-d", "x", url]
    assert curl("--cert", tmp_path / "client.crt", "--key", tmp_path / "client.key", *arguments).stdout == b"x"
    assert curl(*arguments, check=False).returncode != 0


def test_a_wrong_certificate_keeps_the_processor_from_starting_and_says_why(start_processor, code, secret, tmp_path):
    mixed = tmp_path / "mixed"
    certificates.write(mixed)
    shutil.copy(secret / "tls.key", mixed / "tls.key")
    for folder, words in ((tmp_path / "none", "No such file"), (mixed, "does not belong to the certificate")):
        with pytest.raises(running.StartFailed) as failed:
            start_processor(code, https(folder))
        assert words in str(failed.value)
        assert str(folder / "tls.") in str(failed.value)
        assert "trigger web" in str(failed.value)

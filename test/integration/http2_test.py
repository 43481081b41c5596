# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 on the http trigger, with TLS and without, met by curl and h2load; and who abuses it."""

import re
import socket
import subprocess

import pytest

ECHO = """
def handler(context, event):
    headers = {"X-Path": event.path, "X-Cookie": event.headers.get("Cookie", "")}
    return context.Response(body=event.body, headers=headers)
"""
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
GOAWAY = 7
ENHANCE_YOUR_CALM = 11


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    path = tmp_path_factory.mktemp("code") / "echo.py"
    path.write_text(ECHO)
    return path


def spec(**attributes):
    web = {"kind": "http", "numWorkers": 2, "workerAvailabilityTimeoutMilliseconds": 30000, "attributes": attributes}
    return {"triggers": {"web": web}}


@pytest.fixture(scope="module")
def plain(start_processor, code):
    return start_processor(code, spec(), platform={"processor": {"queueLimit": 10000}})


@pytest.fixture(scope="module")
def secure(start_processor, code, secret):
    tls = {"secretPath": str(secret)}
    return start_processor(code, spec(tls=tls), platform={"processor": {"queueLimit": 10000}})


def port_of(processor):
    return int(processor.address.rsplit(":", 1)[1])


def curl(*arguments):
    command = ["curl", "-sS", "--max-time", "20", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def test_curl_begins_with_http2(plain):
    url = f"http://127.0.0.1:{port_of(plain)}/a"
    head, _, body = curl("--http2-prior-knowledge", "-i", "-d", "body", "-b", "a=b", url).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/2 200")
    assert b"x-path: /a" in head
    assert b"x-cookie: a=b" in head
    assert body == b"body"


def test_curl_is_given_http2_by_tls_and_http1_when_it_has_no_other(secure, secret):
    url = f"https://localhost:{port_of(secure)}/"
    for flag, version in (("--http2", b"HTTP/2 200"), ("--http1.1", b"HTTP/1.1 200"), ("--no-alpn", b"HTTP/1.1 200")):
        answer = curl(flag, "--cacert", secret / "tls.crt", "-i", "-d", "x", url)
        assert answer.startswith(version), answer


def test_an_upgrade_is_ignored(plain):
    assert curl("--http2", "-i", f"http://127.0.0.1:{port_of(plain)}/").startswith(b"HTTP/1.1 200")


def test_large_bodies_pass_unchanged(secure, secret, tmp_path):
    body = bytes(range(256)) * (3 << 12)
    (tmp_path / "body").write_bytes(body)
    arguments = ["--cacert", secret / "tls.crt", "--data-binary", f"@{tmp_path / 'body'}"]
    assert curl(*arguments, f"https://localhost:{port_of(secure)}/") == body


def test_http2_can_be_turned_off(start_processor, code, secret):
    processor = start_processor(code, spec(http2=False, tls={"secretPath": str(secret)}))
    url = f"https://localhost:{port_of(processor)}/"
    assert curl("--http2", "--cacert", secret / "tls.crt", "-i", url).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_h2load_gets_an_answer_to_each_of_its_requests(plain, secure, tmp_path, scheme):
    (tmp_path / "body").write_bytes(b"x" * 1000)
    url = f"{scheme}://127.0.0.1:{port_of(plain if scheme == 'http' else secure)}/"
    command = ["h2load", "-n", "5000", "-c", "10", "-m", "100", "-t", "1", "-d", tmp_path / "body", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    requests = re.search(r"requests: .*", done.stdout).group()
    assert "5000 succeeded, 0 failed, 0 errored, 0 timeout" in requests, done.stdout
    assert "status codes: 5000 2xx" in done.stdout


def settings_flood(_):
    return frame(4, 0, 0, b"\x00\x03\x00\x00\x00\x64")


def rapid_reset(number):
    stream = 2 * number + 1
    fields = [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"a"), (b":path", b"/")]
    head = b"".join(bytes([0, len(name)]) + name + bytes([len(value)]) + value for name, value in fields)
    return frame(1, 5, stream, head) + frame(3, 0, stream, b"\x00\x00\x00\x08")


def frames_to_the_end(connection):
    """The kind and the payload of each frame that comes until the other side closes."""
    received = b""
    while piece := connection.recv(65536):
        received += piece
    frames = []
    while received:
        size = int.from_bytes(received[:3], "big")
        frames.append((received[3], received[9 : 9 + size]))
        received = received[9 + size :]
    return frames


@pytest.mark.parametrize("abuse", [settings_flood, rapid_reset])
def test_a_flood_is_cut_off_while_others_are_served(plain, abuse):
    url = f"http://127.0.0.1:{port_of(plain)}/"
    with socket.create_connection(("127.0.0.1", port_of(plain)), timeout=20) as hostile:
        hostile.sendall(PREFACE + frame(4, 0, 0, b""))
        hostile.sendall(b"".join(abuse(number) for number in range(5000)))
        assert curl("--http2-prior-knowledge", "-d", "well", url) == b"well"
        kind, payload = frames_to_the_end(hostile)[-1]
    assert kind == GOAWAY
    assert int.from_bytes(payload[4:8], "big") == ENHANCE_YOUR_CALM
    assert curl("--http2-prior-knowledge", "-d", "still well", url) == b"still well"


@pytest.fixture(scope="module")
def strict(start_processor, code):
    limits = {"http2Streams": 7, "http2IdleFrames": 10, "http2IdleFramesPerSecond": 0}
    limits |= {"http2Resets": 5, "http2ResetsPerSecond": 0}
    return start_processor(code, spec(), platform={"processor": {"http": limits}})


@pytest.mark.parametrize("abuse", [settings_flood, rapid_reset])
@pytest.mark.parametrize(("name", "last"), [("plain", 0), ("strict", ENHANCE_YOUR_CALM)])
def test_a_platform_says_how_much_is_borne(request, name, last, abuse):
    with socket.create_connection(("127.0.0.1", port_of(request.getfixturevalue(name))), timeout=20) as client:
        goodbye = frame(GOAWAY, 0, 0, bytes(8))
        client.sendall(PREFACE + frame(4, 0, 0, b"") + b"".join(abuse(number) for number in range(20)) + goodbye)
        client.shutdown(socket.SHUT_WR)
        frames = frames_to_the_end(client)
    told = [int.from_bytes(payload[4:8], "big") for kind, payload in frames if kind == GOAWAY]
    assert told == ([last] if last else [])
    streams = {"plain": 128, "strict": 7}[name]
    assert b"\x00\x03" + streams.to_bytes(4, "big") in frames[0][1]

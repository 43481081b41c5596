# SPDX-License-Identifier: Apache-2.0
"""The HTTP trigger as its clients meet it."""

import json
import socket

import pytest
import running

CORS = {
    "enabled": True,
    "allowOrigins": ["https://good.example"],
    "allowMethods": ["GET", "POST"],
    "allowHeaders": ["Content-Type", "X-Ours"],
    "allowCredentials": True,
    "exposeHeaders": ["X-One"],
    "preflightMaxAgeSeconds": 7,
}


@pytest.fixture(scope="module")
def plain(start_processor):
    return start_processor("results.py")


@pytest.fixture(scope="module")
def cors(start_processor):
    spec = {"triggers": {"web": {"kind": "http", "attributes": {"cors": CORS}}}}
    return start_processor("results.py", spec)


def status_of(raw_answer):
    return int(raw_answer.split(b" ", 2)[1])


def test_a_body_over_the_limit_is_refused_with_413(start_processor):
    spec = {"triggers": {"web": {"kind": "http", "attributes": {"maxRequestBodySize": 1000}}}}
    processor = start_processor("results.py", spec)
    assert processor.request("POST", "/size", b"x" * 1000).text == "1000"
    answer = processor.request("POST", "/size", b"x" * 1001)
    assert answer.status == 413
    assert "1000" in answer.text, "the message names the limit"
    chunked = processor.raw(
        b"POST /size HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"3e9\r\n"
        + b"x" * 1001
        + b"\r\n0\r\n\r\n"
    )
    assert status_of(chunked) == 413


def test_the_default_limit_is_four_mebibytes(plain):
    assert plain.request("POST", "/size", b"x" * (4 << 20)).text == str(4 << 20)
    assert plain.request("POST", "/size", b"x" * ((4 << 20) + 1)).status == 413


def test_headers_over_the_limit_are_refused_with_431(plain):
    answer = plain.raw(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"y" * 20_000 + b"\r\n\r\n")
    assert status_of(answer) == 431
    many = b"".join(b"X-%d: 1\r\n" % i for i in range(150))
    assert status_of(plain.raw(b"GET / HTTP/1.1\r\nHost: x\r\n" + many + b"\r\n")) == 431


BAD_REQUESTS = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"GET / HTTP/1.32\r\nHost: x\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET / HTTP/1.1\nHost: x\n\n",
    b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
]


@pytest.mark.parametrize("request_bytes", BAD_REQUESTS)
def test_what_is_no_http_is_refused_with_400_and_closed(plain, request_bytes):
    answer = plain.raw(request_bytes)
    assert status_of(answer) == 400
    assert b"\r\nConnection: close\r\n" in answer


def test_pipelined_requests_are_answered_in_order(plain):
    requests = b"".join(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n%d" % i for i in range(9))
    last = b"GET /str HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = plain.raw(requests + last)
    bodies = [part.split(b"\r\n\r\n", 1)[1] for part in answer.split(b"HTTP/1.1 200 OK")[1:]]
    assert bodies == [b"%d" % i for i in range(9)] + [b"text"]


def test_a_client_that_asks_first_is_told_to_go_on(plain):
    host, port = plain.address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(
            b"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"
        )
        assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"later")
        answer = b""
        while piece := connection.recv(4096):
            answer += piece
    assert status_of(answer) == 200 and answer.endswith(b"\r\n\r\nlater")


def test_http_1_0_closes(plain):
    answer = plain.raw(b"GET /str HTTP/1.0\r\n\r\n")
    assert status_of(answer) == 200 and answer.endswith(b"text")


def test_the_internal_health_path_does_not_need_a_worker(start_processor):
    processor = start_processor("slow.py", {"triggers": {"web": {"kind": "http", "numWorkers": 1}}})
    answer = processor.request(path="/__internal/health")
    assert (answer.status, answer.body) == (200, b"")
    assert processor.metric("nuclio_processor_worker_allocation_count") == 0


CORS_CASES = [
    # what, method, headers, status, reaches the handler, allowed origin
    (
        "preflight",
        "OPTIONS",
        {"Origin": "https://good.example", "Access-Control-Request-Method": "POST"},
        200,
        False,
        True,
    ),
    (
        "preflight of another origin",
        "OPTIONS",
        {"Origin": "https://bad.example", "Access-Control-Request-Method": "POST"},
        400,
        False,
        False,
    ),
    (
        "preflight of another method",
        "OPTIONS",
        {"Origin": "https://good.example", "Access-Control-Request-Method": "DELETE"},
        400,
        False,
        False,
    ),
    (
        "preflight with another header",
        "OPTIONS",
        {
            "Origin": "https://good.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-other",
        },
        400,
        False,
        False,
    ),
    (
        "preflight with our header",
        "OPTIONS",
        {
            "Origin": "https://good.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-ours, content-type",
        },
        200,
        False,
        True,
    ),
    ("plain OPTIONS", "OPTIONS", {}, 200, True, False),
    ("request", "GET", {"Origin": "https://good.example"}, 200, True, True),
    ("request of another origin", "GET", {"Origin": "https://bad.example"}, 200, True, False),
    ("request without an origin", "GET", {}, 200, True, False),
]


@pytest.mark.parametrize("what, method, headers, status, handled, allowed", CORS_CASES, ids=[c[0] for c in CORS_CASES])
def test_cors(cors, what, method, headers, status, handled, allowed):
    answer = cors.request(method, "/response-dict" if handled else "/str", headers=headers)
    assert answer.status == (203 if handled else status)
    assert (answer.headers["Access-Control-Allow-Origin"] == "https://good.example") == allowed
    if not handled:
        assert answer.body == b""
        assert "Origin" in answer.headers["Vary"] or "Origin" in " ".join(answer.headers.get_all("Vary"))


def test_a_preflight_tells_what_is_allowed(cors):
    headers = {"Origin": "https://good.example", "Access-Control-Request-Method": "POST"}
    answer = cors.request("OPTIONS", headers=headers)
    assert answer.headers["Access-Control-Max-Age"] == "7"
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert {"GET", "POST"} == {word.strip() for word in answer.headers["Access-Control-Allow-Methods"].split(",")}
    allowed = {word.strip().lower() for word in answer.headers["Access-Control-Allow-Headers"].split(",")}
    assert {"content-type", "x-ours"} <= allowed


def test_files_are_sent_and_removed_when_asked(start_processor, tmp_path):
    code = tmp_path / "files.py"
    code.write_text(
        "def handler(context, event):\n"
        "    path, _, remove = event.body.decode().partition(' ')\n"
        "    headers = {'X-nuclio-filestream-path': path}\n"
        "    if remove:\n"
        "        headers['X-nuclio-filestream-delete-after-send'] = 'true'\n"
        "    return context.Response(headers=headers, content_type='application/x-file')\n"
    )
    processor = start_processor(code)
    kept, removed = tmp_path / "kept", tmp_path / "removed"
    kept.write_bytes(b"k" * 3_000_000)
    removed.write_bytes(b"r")
    answer = processor.request("POST", body=str(kept).encode())
    assert (answer.status, answer.body) == (200, b"k" * 3_000_000)
    assert answer.headers["Content-Type"] == "application/x-file"
    assert not [name for name in answer.headers if name.lower().startswith("x-nuclio-filestream")]
    assert processor.request("POST", body=f"{removed} yes".encode()).body == b"r"
    running.wait_for(lambda: not removed.exists(), "the file that was sent is removed")
    assert kept.exists()
    assert processor.request("POST", body=str(tmp_path / "missing").encode()).status == 404
    assert processor.request("POST", body=str(tmp_path).encode()).status != 200


LOGS = """
def handler(context, event):
    context.logger.debug("quiet")
    context.logger.info_with("with", one=1, two="zwei")
    context.logger.error("loud")
    return "done"
"""


@pytest.mark.parametrize(
    "level, messages",
    [("debug", ["quiet", "with", "loud"]), ("info", ["with", "loud"]), ("error", ["loud"]), (None, None)],
)
def test_log_lines_come_back_when_asked_for(start_processor, tmp_path, level, messages):
    code = tmp_path / "logs.py"
    code.write_text(LOGS)
    processor = start_processor(code)
    answer = processor.request(headers={"X-Nuclio-Log-Level": level} if level else {})
    assert answer.text == "done"
    if messages is None:
        assert "X-Nuclio-Logs" not in answer.headers
        return
    lines = json.loads(answer.headers["X-Nuclio-Logs"])
    assert [line["message"] for line in lines] == messages
    for line in lines:
        assert {"level", "time", "name", "message"} <= set(line)
        assert line["time"] > 1_600_000_000_000
    by_message = {line["message"]: line for line in lines}
    if "with" in by_message:
        assert (by_message["with"]["one"], by_message["with"]["two"]) == (1, "zwei")


def test_log_lines_go_to_the_processors_log_with_their_variables(start_processor, tmp_path):
    code = tmp_path / "logs.py"
    code.write_text(LOGS)
    processor = start_processor(code)
    processor.request()
    assert '"one": 1' in processor.log and "loud" in processor.log

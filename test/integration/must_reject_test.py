# SPDX-License-Identifier: Apache-2.0
"""The must-reject list against a real processor: each line gets its status, and nothing behind it is ever served."""

import json
import re
import socket

import pytest
import running

LINES = json.loads((running.SOURCE / "test" / "vectors" / "http" / "reject.json").read_text())["cases"]
BEHIND = b"GET /smuggled HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
PREFACE = "the preface of HTTP/2"
BEFORE = b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n"
# Cut at each byte: one line of each kind, and those that end in the middle of something.
CUT = [
    "two different Content-Length headers",
    "Content-Length with Transfer-Encoding",
    "Transfer-Encoding: chunked, identity",
    "bare LF after a header",
    "a folded header",
    "a blank before the colon",
    "two Hosts",
    "HTTP/1.32",
    "a chunk size that overflows 64 bits",
    "a chunk without its CR LF",
    "a second extension, which some take for another size",
    "a request where the trailers should be",
]
CODE = """
def handler(context, event):
    return "served " + event.path
"""


@pytest.fixture(scope="module", params=[True, False], ids=["http2", "http1"])
def http2(request):
    return request.param


@pytest.fixture(scope="module")
def processor(start_processor, tmp_path_factory, http2):
    code = tmp_path_factory.mktemp("code") / "served.py"
    code.write_text(CODE)
    return start_processor(code, {"triggers": {"web": {"kind": "http", "attributes": {"http2": http2}}}})


def exchange(processor, *pieces):
    """Sends the pieces one after the other and gives all that comes back until the processor closes."""
    host, port = processor.address.rsplit(":", 1)
    received = b""
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before all was sent
        while piece := connection.recv(65536):
            received += piece
    return received


def complaint(line, answer):
    """What is wrong with the answer to a line; "" when nothing is."""
    status = b"HTTP/1.1 %d " % line["status"]
    if not answer.startswith(status):
        return f"{line['name']}: {answer[:100]!r}"
    if len(re.findall(rb"HTTP/1\.1 \d", answer)) != 1 or b"served" in answer:
        return f"{line['name']}: something behind it was answered: {answer!r}"
    if b"\r\nConnection: close\r\n" not in answer:
        return f"{line['name']}: its answer does not say that the connection is closed"
    return ""


def test_each_line_is_refused_and_what_is_behind_it_is_not_served(processor, http2):
    # HTTP/2's preface is a greeting where HTTP/2 is on, and refused like the rest where it is off.
    lines = [line for line in LINES if not (http2 and line["name"] == PREFACE)]
    before = processor.metric("nuclio_processor_handled_events_total")
    complaints = [complaint(line, exchange(processor, line["request"].encode() + BEHIND)) for line in lines]
    assert [text for text in complaints if text] == []
    assert len(lines) >= 150
    assert processor.metric("nuclio_processor_handled_events_total") == before


def test_a_refused_request_does_not_take_the_one_before_it_along(processor):
    complaints = []
    for line in LINES:
        answer = exchange(processor, BEFORE + line["request"].encode() + BEHIND)
        first, found, rest = answer.partition(b"served /first")
        if not first.startswith(b"HTTP/1.1 200 ") or not found:
            complaints.append(f"{line['name']}: the request before it was not served: {answer[:100]!r}")
        else:
            complaints.append(complaint(line, rest))
    assert [text for text in complaints if text] == []


@pytest.mark.parametrize("name", CUT)
def test_a_line_is_refused_wherever_it_is_cut(processor, name):
    [line] = [line for line in LINES if line["name"] == name]
    request = line["request"].encode()
    for cut in range(1, len(request)):
        answer = exchange(processor, request[:cut], request[cut:] + BEHIND)
        assert complaint(line, answer) == "", f"cut at byte {cut}"

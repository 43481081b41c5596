# SPDX-License-Identifier: Apache-2.0
"""Stands between a client and an API server: counts what is asked, and does harm as it is told.

The client speaks plain HTTP to it; it speaks HTTPS with a certificate of its own to the server. A thread serves each
connection. What is to go wrong are functions: those of a Fault look at a request before it is forwarded or after it was
answered, those of a WatchFault at each line of a watch.
"""

import contextlib
import json
import select
import socket
import ssl
import struct
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field

NO_WRITES_OF_THE_CONTROLLER = ("leases", "events")
PATIENCE_SECONDS = 90
REASONS = {409: "Conflict", 410: "Expired", 429: "TooManyRequests", 500: "InternalError"}


@dataclass
class Request:
    """What was asked, and what came of it."""

    method: str
    target: str
    body: bytes
    begun: float = field(default_factory=time.monotonic)
    ended: float = 0.0
    status: int = 0  # 0 as long as there is none, and when the connection was cut instead
    by_server: bool = False  # whether the server has seen it

    def __post_init__(self):
        url = urllib.parse.urlsplit(self.target)
        self.query = dict(urllib.parse.parse_qsl(url.query))
        parts = url.path.strip("/").split("/")
        parts = parts[2:] if parts[0] == "api" else parts[3:]
        if parts[:1] == ["namespaces"] and len(parts) > 2:
            parts = parts[2:]
        self.kind, self.name, self.subresource = (parts + ["", "", ""])[:3]

    @property
    def is_watch(self) -> bool:
        return "watch" in self.query

    @property
    def is_write(self) -> bool:
        return self.method in ("POST", "PUT", "PATCH", "DELETE") and self.kind not in NO_WRITES_OF_THE_CONTROLLER

    @property
    def function(self) -> str:
        """The function that it is about, "" when it is about none."""
        if self.kind == "nucliofunctions":
            return self.name
        with contextlib.suppress(ValueError, AttributeError):
            labels = json.loads(self.body).get("metadata", {}).get("labels", {})
            return labels.get("nuclio.io/function-name", "")
        return ""

    def __str__(self):
        return f"{self.method} {self.kind}/{self.name}{'/' if self.subresource else ''}{self.subresource} {self.status}"


class Cut(Exception):
    """The client's connection ends without an answer."""


class Reset(Cut):
    """The same, by RST."""


Action = Callable[[Request], "int | None"]


@dataclass
class Fault:
    """What happens to requests that match. An action may return a status, which is answered; raise Cut; or wait."""

    matches: Callable[[Request], bool]
    before: Action | None = None  # it is forwarded; a status that this returns is answered instead
    after: Action | None = None  # it was forwarded and had its effect
    skip: int = 0  # so many that match pass unharmed, first
    times: int = 1
    met: int = 0

    def takes(self, request: Request) -> bool:
        if self.met >= self.skip + self.times or not self.matches(request):
            return False
        self.met += 1
        return self.met > self.skip

    @property
    def is_over(self) -> bool:
        return self.met >= self.skip + self.times


@dataclass
class WatchFault:
    """What becomes of each line of watches that match: the lines that are sent instead. May raise Cut, or wait."""

    matches: Callable[[Request], bool]
    line: Callable[[int, bytes], list[bytes]]  # given how many lines this watch had before


def answer(status: int) -> Action:
    return lambda request: status


def cut(request: Request) -> None:
    raise Cut


def reset(request: Request) -> None:
    raise Reset


def cut_after(seconds: float) -> Action:
    def wait(request: Request) -> None:
        time.sleep(seconds)
        raise Cut

    return wait


class FaultProxy:
    def __init__(self, server: tuple[str, int], context: ssl.SSLContext):
        self.server = server
        self.context = context
        self.requests: list[Request] = []
        self.faults: list[Fault | WatchFault] = []
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def end(self) -> None:
        self._listener.close()
        self.cut_all()

    def writes(self, since: int = 0) -> list[Request]:
        """Those of the requests, from the given index on, that change something; leases and events do not count."""
        return [each for each in self.requests[since:] if each.is_write]

    def cut_all(self) -> None:
        with self._lock:
            connections = list(self._open)
        for each in connections:
            shut(each)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        connection = _Connection(self, client)
        with self._lock:
            self._open.add(client)
        try:
            while connection.serve_one():
                pass
        except Reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except (OSError, ValueError, Cut):
            pass  # each of them ends this connection, and only this one
        finally:
            with self._lock:
                self._open.discard(client)
            client.close()
            connection.end()

    def _action(self, request: Request, when: str) -> "int | None":
        with self._lock:
            taken = [
                action
                for each in self.faults
                if isinstance(each, Fault) and (action := getattr(each, when)) and each.takes(request)
            ]
        for action in taken:
            if status := action(request):
                return status
        return None


class _Stream:
    """Bytes of a socket, by line and by number."""

    def __init__(self, connection: socket.socket):
        self.socket = connection
        self.buffer = b""

    def fill(self) -> None:
        piece = self.socket.recv(1 << 16)
        if not piece:
            raise ConnectionError("the other side closed")
        self.buffer += piece

    def until(self, mark: bytes) -> bytes:
        while mark not in self.buffer:
            self.fill()
        taken, self.buffer = self.buffer.split(mark, 1)
        return taken

    def exactly(self, number: int) -> bytes:
        while len(self.buffer) < number:
            self.fill()
        taken, self.buffer = self.buffer[:number], self.buffer[number:]
        return taken

    def chunk(self) -> bytes:
        piece = self.exactly(int(self.until(b"\r\n").split(b";")[0], 16))
        self.until(b"\r\n")
        return piece


class _Connection:
    """One of a client, and the one to the server that goes with it."""

    def __init__(self, proxy: FaultProxy, client: socket.socket):
        self.proxy = proxy
        self.client = _Stream(client)
        self.server: _Stream | None = None

    def end(self) -> None:
        if self.server:
            self.server.socket.close()
            self.server = None

    def serve_one(self) -> bool:
        """False when the connection is to end."""
        try:
            head = self.client.until(b"\r\n\r\n")
        except OSError:
            return False
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = [line.partition(":")[::2] for line in lines]
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        request = Request(method, target, self.client.exactly(length))
        self.proxy.requests.append(request)
        try:
            return self._answer(request, [each for each in headers if each[0].lower() not in DROPPED])
        finally:
            request.ended = time.monotonic()

    def _answer(self, request: Request, headers: list[tuple[str, str]]) -> bool:
        if status := self.proxy._action(request, "before"):
            return self._complain(request, status)
        status_line, fields = self._forward(request, headers)
        status = int(status_line.split(" ")[1])
        if request.is_watch and status == 200:
            request.status = status
            self._pump(request)
            return False
        body = self._body(fields)
        request.by_server = True
        if harm := self.proxy._action(request, "after"):
            return self._complain(request, harm)
        request.status = status
        kind = fields.get("content-type", "application/json")
        self._send(f"{status_line}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        return True

    def _complain(self, request: Request, status: int) -> bool:
        request.status = status
        body = json.dumps(status_object(status)).encode()
        head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._send(head.encode() + body)
        return True

    def _send(self, data: bytes) -> None:
        self.client.socket.sendall(data)

    def _forward(self, request: Request, headers: list[tuple[str, str]]) -> tuple[str, dict[str, str]]:
        lines = [f"{request.method} {request.target} HTTP/1.1", f"Host: {self.proxy.server[0]}"]
        lines += [f"{name}:{value}" for name, value in headers]
        data = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + request.body
        # A connection that was idle may be one that the server has closed since.
        for is_new in (self.server is None, True):
            try:
                if self.server is None:
                    self.server = self._connect()
                self.server.socket.sendall(data)
                head = self.server.until(b"\r\n\r\n").decode("latin-1")
                break
            except OSError:
                self.end()
                if is_new:
                    raise
        status_line, *lines = head.split("\r\n")
        return status_line, {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}

    def _connect(self) -> _Stream:
        plain = socket.create_connection(self.proxy.server, timeout=PATIENCE_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _Stream(self.proxy.context.wrap_socket(plain, server_hostname=self.proxy.server[0]))

    def _body(self, fields: dict[str, str]) -> bytes:
        if fields.get("transfer-encoding") != "chunked":
            return self.server.exactly(int(fields.get("content-length", 0)))
        pieces = []
        while piece := self.server.chunk():
            pieces.append(piece)
        return b"".join(pieces)

    def _pump(self, request: Request) -> None:
        """A watch, until one of both ends it."""
        self._send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        number, rest = 0, b""
        while True:
            self._wait_for_server()
            piece = self.server.chunk()
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                for out in self._lines(request, number, line + b"\n"):
                    self._send(b"%x\r\n%s\r\n" % (len(out), out))
                number += 1
            if not piece:
                self._send(b"0\r\n\r\n")
                return

    def _lines(self, request: Request, number: int, line: bytes) -> list[bytes]:
        out = [line]
        for each in list(self.proxy.faults):
            if isinstance(each, WatchFault) and each.matches(request):
                out = each.line(number, line)
        return out

    def _wait_for_server(self) -> None:
        while not self.server.buffer and not self.server.socket.pending():
            ready, _, _ = select.select([self.client.socket, self.server.socket], [], [])
            if self.client.socket in ready:
                raise ConnectionError("the client has gone")
            if ready:
                return


DROPPED = {"host", "accept-encoding", "connection"}


def status_object(status: int) -> dict:
    reason = REASONS.get(status, "Unknown")
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "told to", "reason": reason,
            "code": status}  # fmt: skip


def shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)

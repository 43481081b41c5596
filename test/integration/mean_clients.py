# SPDX-License-Identifier: Apache-2.0
"""What slow, greedy and silent clients do, and what a processor spends on them."""

import contextlib
import os
import pathlib
import socket
import time

MIB = 1 << 20
CHUNKED = b"POST /size HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def connect(processor, receive_buffer=None):
    host, port = processor.address.rsplit(":", 1)
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(30)
    connection.connect((host, int(port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def read_all(connection):
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(MIB):
            received += piece
    return received


def drip(connection, piece, pause, seconds):
    """Sends the piece again and again until the time is over or the other side says something; the seconds it took."""
    connection.settimeout(pause)
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        try:
            connection.sendall(piece)
            connection.recv(1, socket.MSG_PEEK)
            break
        except TimeoutError:
            continue
        except OSError:
            break
    connection.settimeout(30)
    return time.monotonic() - began


def descriptors(processor):
    return len(os.listdir(f"/proc/{processor.process.pid}/fd"))


def reset_peak(processor):
    pathlib.Path(f"/proc/{processor.process.pid}/clear_refs").write_text("5")


def memory(processor, what):
    """VmHWM: the most that it had since reset_peak(). VmRSS: what it has."""
    for line in pathlib.Path(f"/proc/{processor.process.pid}/status").read_text().splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {what}")


def cpu_seconds(processor):
    fields = pathlib.Path(f"/proc/{processor.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def send_until_refused(connection, pieces):
    """How many bytes went out before the other side answered or the pieces ended."""
    sent = 0
    with contextlib.suppress(OSError):
        for piece in pieces:
            connection.sendall(piece)
            sent += len(piece)
    return sent

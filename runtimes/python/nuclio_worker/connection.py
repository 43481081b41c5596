# SPDX-License-Identifier: Apache-2.0
"""Frames over the socket to the processor."""

import collections
import os
import socket
import sys
import threading

from nuclio_worker import frames

# One read takes several small frames; a longer frame is read straight into memory of its own.
_READ = 64 << 10
# Above this a copy into one buffer costs more than the kernel's walk over several.
_JOIN = 16 << 10


class Closed(Exception):
    """The processor closed the socket, or is gone."""


class Connection:
    """Owned by the worker's main thread, which alone receives. Any thread may send: log lines come from everywhere."""

    def __init__(self, descriptor, limit):
        self._socket = socket.socket(fileno=descriptor)
        # A program that the handler starts must not hold the socket open after the worker's death.
        self._socket.set_inheritable(False)
        self._socket.setblocking(True)
        self._limit = limit
        self._lock = threading.Lock()
        self._arrived = collections.deque()
        self._rest = b""  # the beginning of a frame, less than a read long
        self._large = None  # a longer frame that is being filled
        self._filled = 0
        # The same for a process that the handler forks (multiprocessing does).
        os.register_at_fork(after_in_child=self._leave_in_child)

    def fileno(self):
        return self._socket.fileno()

    def close(self):
        self._socket.close()

    def _leave_in_child(self):
        self._lock = threading.Lock()
        self._socket.close()

    # Receiving

    def take(self):
        """A frame that has arrived already, or None."""
        return self._arrived.popleft() if self._arrived else None

    def waiting(self):
        return self._arrived

    def receive(self):
        """The next frame; blocks until there is one."""
        while not self._arrived:
            self.read(0)
        return self._arrived.popleft()

    def read(self, flags):
        """One read from the socket; what it completes can be taken. Raises Closed at the end."""
        try:
            if self._large is not None:
                count = self._socket.recv_into(memoryview(self._large)[self._filled :], 0, flags)
                data = None
            else:
                data = self._socket.recv(_READ, flags)
                count = len(data)
        except BlockingIOError:
            raise
        except OSError as error:
            raise Closed(str(error)) from None
        if count == 0:
            raise Closed("the socket was closed")
        if data is None:
            self._filled += count
            if self._filled == len(self._large):
                whole, self._large = self._large, None
                self._arrived.append(frames.decode(whole, self._limit))
        else:
            self._split(self._rest + data if self._rest else data)

    def _split(self, data):
        position = 0
        have = len(data)
        while have - position >= 4:
            length = frames.frame_length(data, position, self._limit)
            if have - position < length:
                if length > _READ:
                    self._large = bytearray(length)
                    self._filled = have - position
                    self._large[: self._filled] = data[position:]
                    position = have
                break
            # The usual case, one whole frame a read, slices nothing.
            one = data if length == have else data[position : position + length]
            self._arrived.append(frames.decode(one, self._limit))
            position += length
        self._rest = data[position:] if position < have else b""

    # Sending

    def send(self, parts):
        """Sends the parts of one frame; blocks while the processor does not read. Raises Closed when it is gone."""
        try:
            with self._lock:
                total = sum(map(len, parts))
                if total <= _JOIN:
                    self._socket.sendall(b"".join(parts))
                else:
                    self._send_large(parts, total)
        except OSError as error:
            raise Closed(str(error)) from None

    def _send_large(self, parts, total):
        sent = self._socket.sendmsg(parts)
        if sent < total:
            # A signal came in between. Rare, so the copy does not matter.
            self._socket.sendall(memoryview(b"".join(parts))[sent:])


def complain(text):
    """For what cannot be said over the socket."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()

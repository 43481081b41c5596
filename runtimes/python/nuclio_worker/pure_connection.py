# SPDX-License-Identifier: Apache-2.0
"""Frames over the socket to the processor, in pure Python. `_native` has a Connection with the same methods."""

import collections
import select
import socket
import threading
import time

from nuclio_worker import frames
from nuclio_worker.connection import Closed

# One read takes several small frames; a longer frame is read straight into memory of its own.
_READ = 64 << 10
# Above this a copy into one buffer costs more than the kernel's walk over several.
_JOIN = 16 << 10

_now = time.perf_counter_ns


class Connection:
    """Owned by the worker's main thread, which alone receives. Any thread may send: log lines come from everywhere."""

    def __init__(self, descriptor, limit, event_class):
        self.call = 0  # being handled, 0 between calls
        self.event = event_class  # event(frame): the handler's view of an event frame
        self._socket = socket.socket(fileno=descriptor)
        # A program that the handler starts must not hold the socket open after the worker's death.
        self._socket.set_inheritable(False)
        self._socket.setblocking(True)
        # Who sleeps in recv() on a Unix socket is also woken whenever the other side has read something, for nothing.
        self._readable = select.poll()
        self._readable.register(self._socket, select.POLLIN)
        self._limit = limit
        self._lock = threading.RLock()
        self._sending = False
        self._outgoing = collections.deque()
        self._arrived = collections.deque()
        self._rest = b""  # the beginning of a frame, less than a read long
        self._large = None  # a longer frame that is being filled
        self._filled = 0

    def fileno(self):
        return self._socket.fileno()

    def close(self):
        self._socket.close()

    def leave_in_child(self):
        """A process that the handler forks (multiprocessing does) neither holds the socket open nor writes to it."""
        self._lock = threading.RLock()
        self._sending = False
        self._outgoing = collections.deque()
        self._socket.close()

    # Receiving

    def take(self):
        """A frame that has arrived already, or None."""
        return self._arrived.popleft() if self._arrived else None

    def arm(self):
        """True when there is something to take already; else fileno() becomes readable when there is."""
        return bool(self._arrived)

    def tells(self):
        """Whether fileno() becomes readable when a call is cancelled."""
        return True

    def is_cancelled(self, call):
        """Whether the processor gave up this call, as far as has been read."""
        return any(frame.type == frames.CANCEL and frame.call == call for frame in self._arrived)

    def receive(self):
        """The next frame; blocks until there is one."""
        while not self._arrived:
            self._readable.poll()
            self._read(0)
        return self._arrived.popleft()

    def read_ready(self):
        """Reads what is there without waiting; what it completes can be taken. Raises Closed at the end."""
        try:
            self._read(socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass

    def _read(self, flags):
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

    # Serving

    def serve(self, handler, context, worker):
        """Calls the handler for each event; what else is to be done, and what becomes of the output, the Worker knows.
        Until one of its methods says that the loop is to end."""
        ends = False
        while not ends:
            frame = self.receive()
            if frame.type != frames.EVENT:
                ends = worker.other(frame)
            elif self.is_cancelled(frame.call):
                worker.dropped(frame.call)
            else:
                self.call = frame.call
                begun = _now()
                try:
                    output = handler(context, self.event(frame))
                except Exception as error:
                    worker.failed(frame.call, begun, error)
                else:
                    ends = worker.finish(frame.call, begun, output)
                self.call = 0

    # Sending

    def send(self, parts):
        """Sends the parts of one frame; blocks while the processor does not read. Raises Closed when it is gone."""
        with self._lock:
            # A signal handler that logs may run in the midst of a frame. Its own goes out after that.
            self._outgoing.append(parts)
            if self._sending:
                return
            self._sending = True
            try:
                while self._outgoing:
                    self._send_one(self._outgoing.popleft())
            except OSError as error:
                raise Closed(str(error)) from None
            finally:
                self._sending = False

    def _send_one(self, parts):
        total = sum(map(len, parts))
        if total <= _JOIN:
            self._socket.sendall(b"".join(parts))
        else:
            self._send_large(parts, total)

    def _send_large(self, parts, total):
        sent = self._socket.sendmsg(parts)
        if sent < total:
            # A signal came in between. Rare, so the copy does not matter.
            self._socket.sendall(memoryview(b"".join(parts))[sent:])

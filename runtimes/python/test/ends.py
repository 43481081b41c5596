# SPDX-License-Identifier: Apache-2.0
"""The processor's end of a connection to a worker, for each transport: whole frames in and out, as bytes."""

import ctypes
import mmap
import os
import platform
import select
import socket
import struct
import threading

PATIENCE_SECONDS = 20


class SocketEnd:
    """Over the socket alone."""

    def __init__(self, limit):
        self._socket, self.theirs = socket.socketpair()
        self._socket.settimeout(PATIENCE_SECONDS)

    def passed(self):
        """The worker's descriptors: the socket first."""
        return [self.theirs.fileno()]

    def given(self):
        """The worker has them."""
        self.theirs.close()

    def mapped(self):
        """How much memory the worker maps for it, which no limit is to count."""
        return 0

    def send(self, *frames):
        self._socket.sendall(b"".join(frames))

    def receive(self):
        """The next frame, None at the end."""
        head = self._exactly(4)
        return None if head is None else head + self._exactly(int.from_bytes(head, "little") - 4)

    def _exactly(self, count):
        data = bytearray()
        while len(data) < count:
            more = self._socket.recv(count - len(data))
            if not more:
                assert not data, "the worker ended in the midst of a frame"
                return None
            data += more
        return bytes(data)

    def close(self):
        self._socket.close()


# runtimes/wire/nuclio_ring_layout.h
_MAGIC, _VERSION, _SLOTS = 0x4752434E, 1, 64
_EVENTS_AT, _REPLIES_AT, _ARENA_AT = 4096, 8192, 12288
_LARGEST = (4 << 20) + (64 << 10)
_RELEASED, _CANCELLED, _CLOSED, _ROOM_TURN = 64, 72, 80, 84
_WORKER_SLEEPING, _WANTS_ROOM, _PROCESSOR_SLEEPING = 128, 132, 192
_PUBLISHED = 1
_IN_ARENA, _ON_SOCKET = 0, 1
_SHARED = 8
# Bodies from here on lie in the arena by themselves.
_APART = 16 << 10


class RingEnd:
    """Over a ring, and what is too large for it over the socket beside it. Events are never revoked, and their memory
    is overwritten as soon as they are answered, so that a worker that reads on is found out."""

    def __init__(self, limit, reply_arena=_LARGEST + (1 << 20), events_size=256 << 20):
        self._socket, self.theirs = socket.socketpair()
        self._socket.settimeout(PATIENCE_SECONDS)
        size = _ARENA_AT + (reply_arena + 4095) // 4096 * 4096
        self._descriptors = [_memory(size), _memory(events_size), os.eventfd(0), os.eventfd(0, os.EFD_NONBLOCK)]
        self._channel = mmap.mmap(self._descriptors[0], size)
        self._events = mmap.mmap(self._descriptors[1], events_size)
        self._channel[:32] = struct.pack("<IIQQII", _MAGIC, _VERSION, size, events_size, limit, 0)
        self._next_event = self._next_reply = _SLOTS
        self._set_u64(_RELEASED, self._next_reply)
        self._free = 0
        self._lent = {}  # call → the piece of the event arena
        self._fence = threading.Lock()

    def passed(self):
        return [self.theirs.fileno(), *self._descriptors]

    def mapped(self):
        return len(self._channel) + len(self._events)

    def given(self):
        self.theirs.close()

    # Words of the channel

    def _u32(self, at):
        return struct.unpack_from("<I", self._channel, at)[0]

    def _u64(self, at):
        return struct.unpack_from("<Q", self._channel, at)[0]

    def _set_u32(self, at, value):
        self._channel[at : at + 4] = struct.pack("<I", value)

    def _set_u64(self, at, value):
        self._channel[at : at + 8] = struct.pack("<Q", value)

    def _between(self):
        """A full fence: what an uncontended lock is on the machines that we have."""
        with self._fence:
            pass

    def _wake(self):
        self._between()
        if self._u32(_WORKER_SLEEPING):
            self._set_u32(_WORKER_SLEEPING, 0)
            os.eventfd_write(self._descriptors[2], 1)

    # Events

    def send(self, *frames):
        for frame in frames:
            kind, call = frame[4], int.from_bytes(frame[8:16], "little")
            if kind == 10:
                self._set_u64(_CANCELLED, call)
                self._wake()
            elif len(frame) > _LARGEST:
                self._publish(0, len(frame), _ON_SOCKET)
                self._socket.sendall(frame)
            else:
                self._publish(*self._place(kind, call, frame), _IN_ARENA)

    def _place(self, kind, call, frame):
        body_at, body_length = struct.unpack_from("<QQ", frame, 40)
        begin = self._free
        if kind == 2 and _APART <= body_length <= len(frame):
            self._events[begin : begin + body_length] = frame[body_at : body_at + body_length]
            head = bytearray(frame[:body_at])
            struct.pack_into("<I", head, 0, body_at)
            head[6] |= _SHARED
            struct.pack_into("<Q", head, 40, begin)
            frame = bytes(head)
            self._free += (body_length + 63) & ~63
        at = self._free
        self._events[at : at + len(frame)] = frame
        self._free += (len(frame) + 63) & ~63
        self._lent[call] = begin, self._free
        return at, len(frame)

    def _publish(self, offset, length, where):
        slot = _EVENTS_AT + 64 * (self._next_event % _SLOTS)
        self._channel[slot + 8 : slot + 24] = struct.pack("<QII", offset, length, where)
        self._between()
        self._set_u64(slot, self._next_event << 2 | _PUBLISHED)
        self._next_event += 1
        self._wake()

    # Replies

    def receive(self):
        slot = _REPLIES_AT + 64 * (self._next_reply % _SLOTS)
        if not self._published(slot):
            return None
        offset, length, where = struct.unpack_from("<QII", self._channel, slot + 8)
        if where == _IN_ARENA:
            frame = self._channel[_ARENA_AT + offset : _ARENA_AT + offset + length]
        else:
            frame = b""
            while len(frame) < length:
                more = self._socket.recv(length - len(frame))
                assert more, "the worker ended in the midst of a frame"
                frame += more
        self._next_reply += 1
        self._set_u64(_RELEASED, self._next_reply)
        self._between()
        if self._u32(_WANTS_ROOM):
            self._set_u32(_ROOM_TURN, self._u32(_ROOM_TURN) + 1)
            _wake_futex(self._channel, _ROOM_TURN)
        kind, more, call = frame[4], frame[6] & 2, int.from_bytes(frame[8:16], "little")
        if kind in (4, 5, 9) and not more and call in self._lent:
            begin, end = self._lent.pop(call)
            self._events[begin:end] = b"\xee" * (end - begin)
        return frame

    def _published(self, slot):
        """Waits until the slot is; False when the worker ended first."""
        wanted = self._next_reply << 2 | _PUBLISHED
        while self._u64(slot) != wanted:
            self._set_u32(_PROCESSOR_SLEEPING, 1)
            self._between()
            if self._u64(slot) == wanted:
                break
            poll = select.poll()
            poll.register(self._descriptors[3], select.POLLIN)
            poll.register(self._socket, select.POLLRDHUP)
            ready = poll.poll(PATIENCE_SECONDS * 1000)
            if not ready:
                raise TimeoutError("the worker says nothing")
            if (self._socket.fileno(), select.POLLRDHUP) in [(fd, events & select.POLLRDHUP) for fd, events in ready]:
                return self._u64(slot) == wanted
            os.eventfd_read(self._descriptors[3])
        return True

    def close(self):
        if self._socket.fileno() < 0:
            return
        self._set_u32(_CLOSED, 1)
        self._wake()
        self._set_u32(_ROOM_TURN, self._u32(_ROOM_TURN) + 1)
        _wake_futex(self._channel, _ROOM_TURN)
        self._socket.close()
        self._channel.close()
        self._events.close()
        for descriptor in self._descriptors:
            os.close(descriptor)


def _memory(size):
    descriptor = os.memfd_create("ring")
    os.truncate(descriptor, size)
    return descriptor


def _wake_futex(memory, at):
    number = {"x86_64": 202, "aarch64": 98}[platform.machine()]
    word = ctypes.c_uint32.from_buffer(memory, at)
    ctypes.CDLL(None, use_errno=True).syscall(number, ctypes.byref(word), 1, 1 << 30, None, None, 0)

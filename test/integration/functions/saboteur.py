# SPDX-License-Identifier: Apache-2.0
"""Turns on the memory that its worker shares with the processor, see runtimes/wire/FORMAT.md: the body says how."""

import ctypes
import errno
import os
import random
import re
import socket
import struct
import time

from nuclio_worker import frames

SLOTS = 64
EVENTS_AT, REPLIES_AT, ARENA_AT = 4096, 8192, 12288
PUBLISHED, TAKEN = 1, 2
IN_ARENA, ON_SOCKET = 0, 1
SLOT = struct.Struct("<QQII")
CLOSED_AT = 80
MOST = 2_000_000  # of what is meant to have no end, should nobody stop it


class Memory:
    """A mapping of this process."""

    def __init__(self, name):
        with open("/proc/self/maps") as maps:
            begin, end = re.search(
                rf"^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+ +/memfd:{name}\b", maps.read(), re.M
            ).groups()
        self.begin, self.size = int(begin, 16), int(end, 16) - int(begin, 16)

    def read(self, at, size):
        return ctypes.string_at(self.begin + at, size)

    def write(self, at, data):
        ctypes.memmove(self.begin + at, bytes(data), len(data))


def descriptors(pattern):
    for name in os.listdir("/proc/self/fd"):
        try:
            if re.match(pattern, os.readlink(f"/proc/self/fd/{name}")):
                yield int(name)
        except OSError:
            pass  # that of the listing itself


class Ring:
    def __init__(self):
        self.channel = Memory("nuclio-ring")
        self.wakers = list(descriptors(r"anon_inode:\[eventfd"))
        states = [self.slot(REPLIES_AT, i)[0] for i in range(SLOTS)]
        # Positions begin with the number of slots, so that the word 0 is an old one.
        self.next = max(max(state >> 2 for state in states) + 1, SLOTS)

    def slot(self, ring, position):
        return SLOT.unpack(self.channel.read(ring + position % SLOTS * 64, SLOT.size))

    def call(self):
        """The call that this worker has taken last."""
        state, offset, _, where = max(
            slot for slot in (self.slot(EVENTS_AT, i) for i in range(SLOTS)) if slot[0] & 3 == TAKEN
        )
        assert where == IN_ARENA and state
        return struct.unpack("<Q", Memory("nuclio-events").read(offset + 8, 8))[0]

    def publish(self, offset, length, where=IN_ARENA, ahead=0, kind=PUBLISHED):
        position = self.next
        at = REPLIES_AT + position % SLOTS * 64
        self.channel.write(at + 8, struct.pack("<QII", offset, length, where))
        self.channel.write(at, struct.pack("<Q", (position + ahead) << 2 | kind))
        self.next += 1
        self.wake()

    def publish_frame(self, data, offset=1 << 20):
        self.channel.write(ARENA_AT + offset, data)
        self.publish(offset, len(data))

    def reply(self, call, offset=1 << 20):
        strings = (b"text/plain",)
        self.publish_frame(b"".join(frames.encode(frames.REPLY, call, numbers=(200,), strings=strings)), offset)

    def wake(self):
        for descriptor in self.wakers:
            os.write(descriptor, struct.pack("<Q", 1))


def noise(size):
    return random.Random(size).randbytes(size)


def reply_twice(ring):
    call = ring.call()
    ring.reply(call)
    ring.reply(call, 2 << 20)


def send(data):
    for descriptor in descriptors("socket:"):
        with socket.socket(fileno=os.dup(descriptor)) as connection:
            connection.sendall(data)


def another_frame_than_announced(ring):
    ring.publish(0, 4096, ON_SOCKET)
    send(b"".join(frames.encode(frames.LOG, 0, numbers=(1,), strings=(b"short",))))


def wake_ups_without_end(ring):
    for _ in range(MOST):
        try:
            ring.wake()
        except BlockingIOError:
            pass


def a_shrunk_ring(ring):
    for descriptor in descriptors("/memfd:nuclio-ring"):
        try:
            os.ftruncate(descriptor, 0)
        except OSError as error:
            return errno.errorcode[error.errno]
    return "nothing hindered it"


DOES = {
    "noise everywhere": lambda ring: (ring.channel.write(0, noise(ring.channel.size)), ring.wake()),
    "noise in the slots": lambda ring: (ring.channel.write(REPLIES_AT, noise(SLOTS * 64)), ring.wake()),
    "noise in the header": lambda ring: (ring.channel.write(0, noise(EVENTS_AT)), ring.wake()),
    "noise in the events": lambda ring: (ring.channel.write(EVENTS_AT, noise(SLOTS * 64)), ring.wake()),
    "a slot out of turn": lambda ring: ring.publish(0, 64, ahead=1),
    "a slot a round ahead": lambda ring: ring.publish(0, 64, ahead=SLOTS),
    "a slot of an event": lambda ring: ring.publish(0, 64, kind=TAKEN),
    "a frame behind the end": lambda ring: ring.publish(ring.channel.size, 64),
    "a frame across the end": lambda ring: ring.publish(ring.channel.size - ARENA_AT - 64, 4096),
    "a frame at an odd place": lambda ring: ring.publish(7, 64),
    "a frame far away": lambda ring: ring.publish(2**64 - 64, 4096),
    "a frame too long": lambda ring: ring.publish(0, 0xFFFFFFF8),
    "a frame without a length": lambda ring: ring.publish(0, 0),
    "a frame nowhere": lambda ring: ring.publish(0, 64, where=7),
    "a frame of noise": lambda ring: ring.publish_frame(noise(4096)),
    "a frame of another length": lambda ring: ring.publish_frame(struct.pack("<I", 64) + bytes(124)),
    "a reply to no call": lambda ring: ring.reply(ring.call() + 1000),
    "a reply twice": reply_twice,
    "an announced frame that never comes": lambda ring: ring.publish(0, 1 << 20, ON_SOCKET),
    "another frame than announced": another_frame_than_announced,
    "bytes on the socket": lambda ring: send(noise(65536)),
    "a closed ring": lambda ring: (ring.channel.write(CLOSED_AT, b"\1\0\0\0"), ring.wake()),
    "wake-ups without end": wake_ups_without_end,
    "closed descriptors": lambda ring: os.closerange(3, 4096),
}


def handler(context, event):
    what = event.body.decode()
    if what == "a shrunk ring":
        return a_shrunk_ring(None)
    if what in DOES:
        DOES[what](Ring())
        time.sleep(3600)
    return "well"

# SPDX-License-Identifier: Apache-2.0
"""A worker that keeps to runtimes/wire/FORMAT.md until the body of an event names one of DOES: `worker.py SOCKET`."""

import os
import pathlib
import random
import signal
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[4] / "runtimes" / "python"))

from nuclio_worker import frames

MIB = 1 << 20
# What is meant to have no end stops here when nobody stops it, so that a failing test does not fill the disk.
MOST_PRINTED = 32 * MIB
MOST_FRAMES = 2_000_000


class Worker:
    def __init__(self, descriptor):
        self.socket = socket.socket(fileno=descriptor)
        self.received = b""

    def send(self, *args, **kwargs):
        self.socket.sendall(b"".join(frames.encode(*args, **kwargs)))

    def reply(self, call, **kwargs):
        text = kwargs.pop("body", b"%d" % os.getpid())
        self.send(frames.REPLY, call, numbers=(200, 1000), strings=(b"text/plain",), body=text, **kwargs)

    def receive(self):
        while True:
            if len(self.received) >= 4:
                length = frames.frame_length(self.received, 0, frames.DEFAULT_LIMIT)
                if len(self.received) >= length:
                    frame = frames.decode(self.received[:length])
                    self.received = self.received[length:]
                    return frame
            piece = self.socket.recv(65536)
            if not piece:
                sys.exit(0)
            self.received += piece

    def serve(self):
        self.send(frames.START, numbers=(os.getpid(),), strings=(b"", b"", b"hostile"))
        while True:
            frame = self.receive()
            if frame.type == frames.CONTROL and frame.number(0) in (frames.DRAIN, frames.TERMINATE):
                self.send(frames.CONTROL, frame.call, numbers=(frames.DONE,))
            elif frame.type == frames.EVENT:
                what = frame.body().decode()
                if what in DOES:
                    DOES[what](self, frame.call)
                    time.sleep(3600)
                else:
                    self.reply(frame.call)


def patched(call, offset, layout, value):
    """A good reply in which one field is another."""
    data = bytearray(b"".join(frames.encode(frames.REPLY, call, numbers=(200,), strings=(b"text/plain",), body=b"ok")))
    struct.pack_into(layout, data, offset, value)
    return bytes(data)


# Where the fields are, see FORMAT.md; the string table of that reply begins after its only number.
LENGTH, TYPE, VERSION, FLAGS, STRINGS, HEADERS, BODY_OFFSET, BODY_LENGTH, TABLE = 0, 4, 5, 6, 34, 36, 40, 48, 64


def writes(*field):
    return lambda worker, call: worker.socket.sendall(patched(call, *field))


def random_bytes(worker, call):
    # Not by chance the length of a long frame, for whose end the processor would rightly wait.
    worker.socket.sendall(b"\x09" + random.Random(call).randbytes(65535))


def random_frames(worker, call):
    for seed in range(100):
        worker.socket.sendall(struct.pack("<IBBH", 4096, 4, 1, 0) + random.Random(seed).randbytes(4088))


def unfinished_frame(worker, call):
    worker.socket.sendall(struct.pack("<I", 60 * MIB) + bytes(MIB))


def close_all(worker, call):
    os.closerange(0, 4096)


def die_and_leave_a_child(worker, call):
    if os.fork():
        os._exit(7)


def print_much(descriptor):
    def does(worker, call):
        for _ in range(MOST_PRINTED // 65536):
            os.write(descriptor, b"no end, no line " * 4096)

    return does


def flood_of_logs(worker, call):
    line = b"".join(frames.encode(frames.LOG, call, numbers=(1,), strings=(b"again and again",)))
    for _ in range(MOST_FRAMES):
        worker.socket.sendall(line)


def flood_of_chunks(worker, call):
    worker.reply(call, flags=frames.MORE)
    piece = b"".join(frames.encode(frames.CHUNK, call, flags=frames.MORE, body=bytes(65536)))
    for _ in range(MOST_FRAMES):
        worker.socket.sendall(piece)


def reply_twice(worker, call):
    worker.reply(call)
    worker.reply(call)


def replies_without_end(worker, call):
    for other in range(1_000_000, 1_000_000 + MOST_FRAMES):
        worker.reply(other)


DOES = {
    "random bytes": random_bytes,
    "random frames": random_frames,
    "a length of 0": writes(LENGTH, "<I", 0),
    "an odd length": writes(LENGTH, "<I", 87),
    "a length of 4 GiB": writes(LENGTH, "<I", 0xFFFFFFF8),
    "an unknown type": writes(TYPE, "<B", 200),
    "an event": writes(TYPE, "<B", frames.EVENT),
    "another version": writes(VERSION, "<B", 9),
    "unknown flags": writes(FLAGS, "<H", 0x8000),
    "a body elsewhere": writes(BODY_OFFSET, "<Q", 1 << 40),
    "a body of 2^63 bytes": writes(BODY_LENGTH, "<Q", 1 << 63),
    "too many strings": writes(STRINGS, "<H", 65535),
    "too many headers": writes(HEADERS, "<H", 65535),
    "a string behind the end": writes(TABLE + 4, "<I", 0x7FFFFFFF),
    "a string before the beginning": writes(TABLE, "<I", 0),
    "an unfinished frame": unfinished_frame,
    "a reply to no call": lambda worker, call: worker.reply(call + 1000),
    "a reply to call 0": lambda worker, call: worker.reply(0),
    "replies without end": replies_without_end,
    "a reply twice": reply_twice,
    "a chunk of no answer": lambda worker, call: worker.send(frames.CHUNK, call, body=b"more"),
    "a batch of replies": lambda worker, call: worker.reply(call, flags=frames.NESTED, body=b""),
    "a second start": lambda worker, call: worker.send(frames.START, numbers=(1,), strings=(b"", b"", b"again")),
    "a closed socket": lambda worker, call: worker.socket.close(),
    "closed descriptors": close_all,
    "a child that stays": die_and_leave_a_child,
    "much to stdout": print_much(1),
    "much to stderr": print_much(2),
    "logs without end": flood_of_logs,
    "chunks without end": flood_of_chunks,
    "a stopped process": lambda worker, call: os.kill(os.getpid(), signal.SIGSTOP),
}

if __name__ == "__main__":
    Worker(int(sys.argv[1])).serve()

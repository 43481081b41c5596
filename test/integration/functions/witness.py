# SPDX-License-Identifier: Apache-2.0
"""Writes down which worker began and finished which call, also when it does not live to answer.

The body says the call's name and what is to happen: `17 sleep 0.002`. A line each, `what pid call`, goes to the file
that WITNESS names; the answer is the worker's pid.
"""

import ctypes
import os
import resource
import time

# Opened for appending: a line is written whole, and is there whatever happens to its writer.
book = os.open(os.environ["WITNESS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
MIB = 1 << 20
MOST_FILLED = 1024 * MIB  # no more, so that a limit that does not hold does not cost the machine its memory


def note(what, call="-"):
    os.write(book, f"{what} {os.getpid()} {call}\n".encode())


def init_context(context):
    note("started")


def limit_memory(more):
    """Leaves room for so many bytes more."""
    with open("/proc/self/statm") as statm:
        used = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + more, resource.RLIM_INFINITY))


def fill_memory(limit):
    """As C code does that does not look at what malloc gives it. Without a limit of its own there is to be another."""
    if limit:
        limit_memory(int(limit) * MIB)
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
    for _ in range(MOST_FILLED // MIB):
        libc.memset(libc.malloc(MIB), 1, MIB)
    raise RuntimeError(f"there is no limit below {MOST_FILLED} bytes")


def want_memory(limit):
    """As Python code does: a MemoryError."""
    if not limit:
        return bytearray(MOST_FILLED)
    limit_memory(int(limit) * MIB)
    try:
        return bytearray(MOST_FILLED)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def spin():
    while True:
        pass


DOES = {
    "sleep": lambda seconds: time.sleep(float(seconds)),
    "exit": lambda code: os._exit(int(code)),
    "crash": lambda _: ctypes.string_at(0),
    "fill-memory": fill_memory,
    "want-memory": want_memory,
    "hang": lambda _: time.sleep(3600),
    "spin": lambda _: spin(),
}


def handler(context, event):
    call, what, argument = (event.body.decode() + "  ").split(" ", 2)
    note("began", call)
    try:
        DOES[what](argument.strip())
    finally:
        note("finished", call)
    return str(os.getpid())

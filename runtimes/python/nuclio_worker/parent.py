# SPDX-License-Identifier: Apache-2.0
"""The warm parent: an interpreter that has imported everything of ours, and with `preload` the function too, and forks
for each worker. The processor orders one with a packet that carries the worker's descriptors; the worker is the
processor's own child, not the parent's. What the parent says is JSON too, a packet each: ready, unsupported or failed
once, then a pid or an error for each worker."""

import errno
import gc
import json
import os
import sys

from nuclio_worker import connection, load


def next_worker(options):
    """Returns in a worker, with its options. In the parent None, when the processor is done with it."""
    control = int(options["parent_fd"])
    os.set_inheritable(control, False)
    _be_called("warm parent")
    try:
        native = connection.native()
        from nuclio_worker import logs, worker  # noqa: F401, for the workers
    except ImportError as error:
        _tell(control, unsupported=str(error))
        return None
    if options["preload"] == "true":
        try:
            _preload(options)
        except load.CannotStart as error:
            _tell(control, failed=error.message, traceback=error.trace)
            sys.exit(1)
    else:
        load.prepare(options["handler"], load.add_to_path(options["code"]))
    # What is here stays: no collection in a worker is to look at it, which would copy its pages.
    gc.collect()
    gc.freeze()
    _tell(control, ready=True)
    while True:
        packet, descriptors = native.receive_order(control)
        if not packet:
            return None
        order = json.loads(packet)
        if _is_child(native, control, order, descriptors):
            os.close(control)
            _be_called("worker {0}".format(order["worker_id"]))
            return {**options, **order, "fd": descriptors[0], "ring": tuple(descriptors[1:])}
        for descriptor in descriptors:
            os.close(descriptor)


def _is_child(native, control, order, descriptors):
    worker_id = order["worker_id"]
    try:
        if not descriptors:
            raise OSError(errno.EBADMSG, "the order has no socket")
        is_child = native.fork_worker() == 0
    except OSError as error:
        _tell(control, error=error.strerror, worker_id=worker_id)
        return False
    if is_child:
        _tell(control, pid=os.getpid(), worker_id=worker_id)
    return is_child


def _preload(options):
    import threading

    load.load(options["handler"], load.add_to_path(options["code"]))
    if threading.active_count() > 1:
        raise load.CannotStart(
            'handler "{0}": importing it starts threads, which do not exist in workers forked later; start them in '
            "init_context, or set preload to false".format(options["handler"])
        )


def _be_called(name):
    """In ps and top, where all of them have the parent's command line."""
    with open("/proc/self/comm", "w") as file:
        file.write(name)


def _tell(control, **message):
    os.write(control, json.dumps(message).encode())

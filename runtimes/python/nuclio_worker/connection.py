# SPDX-License-Identifier: Apache-2.0
"""What a worker has of the processor: a Connection, compiled or pure. Both have the methods of pure_connection.py."""

import os
import sys

# The stable ABI that the compiled half is built for.
_NATIVE_SINCE = (3, 10)


class Closed(Exception):
    """The processor closed the connection, or is gone."""


def native():
    """The compiled half. Raises ImportError in an interpreter that cannot load it, and without the SDK."""
    if sys.version_info < _NATIVE_SINCE:
        raise ImportError("Python {0}.{1} is older than its ABI".format(*sys.version_info[:2]))
    from nuclio_worker import _native

    return _native


def connect(descriptor, limit, ring):
    """A Connection over the socket `descriptor`, or over a ring beside it (four descriptors, or none)."""
    raw = _keeps_bytes(os.environ.get("NUCLIO_PYTHON_DECODE_EVENT_STRINGS"))
    try:
        return native().Connection(descriptor, limit, raw, ring)
    except ImportError as error:
        if ring:
            complain("nuclio_worker: --ring is not for this interpreter: {0}".format(error))
            sys.exit(2)
    from nuclio_worker import pure_connection

    return pure_connection.Connection(descriptor, limit, _pure_event_class(raw))


def _pure_event_class(raw):
    try:
        from nuclio_worker import event
    except ModuleNotFoundError:
        return None  # without the SDK there are no events; why is told to the processor
    return event.RawEvent if raw else event.Event


def _keeps_bytes(setting):
    return (setting or "").lower() in ("no", "false", "disable", "disabled")


def complain(text):
    """For what cannot be said over the connection."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()

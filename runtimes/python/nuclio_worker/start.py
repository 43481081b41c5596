# SPDX-License-Identifier: Apache-2.0
"""From the command line to a serving worker."""

import os
import sys

from nuclio_worker import connection, frames, load

# The stable ABI that the compiled half is built for.
_NATIVE_SINCE = (3, 10)

_OPTIONS = {
    "--fd": None,
    "--handler": None,
    "--code": None,
    "--worker-id": "0",
    "--trigger-kind": "",
    "--trigger-name": "",
    "--platform-kind": "process",
    "--namespace": "nuclio",
    "--log-level": "debug",
    "--frame-limit": str(frames.DEFAULT_LIMIT),
}


def main(arguments, runtime_folder):
    options = _parse(arguments)
    _add_sdk_to_path(os.path.join(runtime_folder, "site-packages"))
    conn = _connect(int(options["fd"]), int(options["frame_limit"]))
    os.register_at_fork(after_in_child=conn.leave_in_child)
    try:
        _serve(conn, options, runtime_folder)
    except connection.Closed:
        pass  # the processor is done with us, or dead: either way there is nobody to tell
    except frames.FrameError as error:
        connection.complain("The processor sent what the worker does not understand: {0}".format(error))
        sys.exit(1)
    finally:
        # Before Python waits for the function's threads: the processor need not wait with it.
        conn.close()


def _connect(descriptor, limit):
    """The compiled Connection, or the pure one in an interpreter that cannot load it."""
    try:
        from nuclio_worker import event
    except ModuleNotFoundError:
        return connection.Connection(descriptor, limit, None)  # without the SDK, which _start() tells
    raw = event.keeps_bytes(os.environ.get("NUCLIO_PYTHON_DECODE_EVENT_STRINGS"))
    if sys.version_info >= _NATIVE_SINCE:
        try:
            from nuclio_worker import _native

            return _native.Connection(descriptor, limit, raw)
        except ImportError:
            pass
    return connection.Connection(descriptor, limit, event.RawEvent if raw else event.Event)


def _serve(conn, options, runtime_folder):
    try:
        worker = _start(conn, options, runtime_folder)
    except load.CannotStart as error:
        conn.send(
            frames.encode(
                frames.START,
                flags=frames.FAILED,
                numbers=(os.getpid(),),
                strings=tuple(text.encode("utf-8", "replace") for text in (error.message, error.trace, _runtime())),
            )
        )
        sys.exit(1)
    conn.send(frames.encode(frames.START, numbers=(os.getpid(),), strings=(b"", b"", _runtime().encode())))
    worker.serve()


def _start(conn, options, runtime_folder):
    try:
        import nuclio_sdk
    except ModuleNotFoundError as error:
        raise load.CannotStart(
            "the Python SDK cannot be imported ({0}); it is installed into {1} when Nuclio is built".format(
                error, os.path.join(runtime_folder, "site-packages")
            )
        ) from None
    from nuclio_worker import logs, worker

    if options["log_level"] not in logs.LEVELS:
        raise load.CannotStart(
            'the log level must be one of {0}, is "{1}"'.format(", ".join(logs.LEVELS), options["log_level"])
        )
    serving = worker.Worker(conn)

    async def acknowledge(message):
        conn.send(_ack(message, conn.call))

    context = nuclio_sdk.Context(
        logs.make_logger(conn, options["log_level"]),
        nuclio_sdk.Platform(
            _sdk_platform(options["platform_kind"]), options["namespace"], on_control_callback=acknowledge
        ),
        options["worker_id"],
        nuclio_sdk.TriggerInfo(options["trigger_kind"], options["trigger_name"]),
    )
    code = os.path.abspath(options["code"])
    sys.path.insert(0, code)
    module, handler = load.load(options["handler"], code)
    serving.start(module, handler, context)
    return serving


def _sdk_platform(kind):
    """The SDK knows two platforms, "kube" and "local", and functions ask for these words."""
    return "kube" if kind == "kube" else "local"


def _ack(message, call):
    """The SDK's {"kind": "streamMessageAck", "attributes": {…}} as a frame."""
    attributes = message["attributes"]
    return frames.encode(
        frames.ACK,
        call,
        numbers=(int(attributes["partition"]), int(attributes["offset"])),
        strings=(str(attributes["topic"]).encode("utf-8", "surrogateescape"),),
    )


def _add_sdk_to_path(folder):
    """The SDK that we bring wins over one that happens to be installed for the whole machine, but not over one that the
    function's own requirements brought: those are in a virtual environment."""
    if sys.prefix != sys.base_prefix:
        sys.path.append(folder)
        return
    first = next((i for i, path in enumerate(sys.path) if path.endswith(("site-packages", "dist-packages"))), None)
    sys.path.insert(len(sys.path) if first is None else first, folder)


def _runtime():
    text = "python {0}.{1}.{2}".format(*sys.version_info[:3])
    sdk = sys.modules.get("nuclio_sdk")
    if sdk is not None:
        for name in os.listdir(os.path.dirname(os.path.dirname(sdk.__file__))):
            if name.startswith("nuclio_sdk-") and name.endswith(".dist-info"):
                return text + ", nuclio-sdk " + name[len("nuclio_sdk-") : -len(".dist-info")]
    return text


def _parse(arguments):
    """Options as a dictionary. Not argparse: its import costs a tenth of a worker's start."""
    found = dict(_OPTIONS)
    at = iter(arguments)
    for name in at:
        value = next(at, None)
        if name not in found or value is None:
            connection.complain(
                "nuclio_worker: {0} is no option, or has no value; options: {1}".format(name, ", ".join(found))
            )
            sys.exit(2)
        found[name] = value
    missing = [name for name, value in found.items() if value is None]
    if missing:
        connection.complain("nuclio_worker: missing {0}".format(", ".join(missing)))
        sys.exit(2)
    return {name[2:].replace("-", "_"): value for name, value in found.items()}

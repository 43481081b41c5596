# SPDX-License-Identifier: Apache-2.0
"""From the command line to a serving worker."""

import os
import sys

from nuclio_worker import connection, frames, load, sdk

# None where one must be given.
_OPTIONS = {
    "--fd": "",
    "--ring": "",  # channel, events, wake worker, wake processor: descriptors with commas between
    "--parent-fd": "",  # instead of --fd: forks workers as the processor orders them
    "--preload": "false",
    "--handler": None,
    "--code": None,
    "--worker-id": "0",
    "--trigger-kind": "",
    "--trigger-name": "",
    "--platform-kind": "process",
    "--namespace": "nuclio",
    "--log-level": "debug",
    "--frame-limit": str(frames.DEFAULT_LIMIT),
    "--packages": "",  # folder of what the function's requirements brought, where it is no virtual environment's
}


def main(arguments, runtime_folder):
    options = _parse(arguments)
    if options["packages"]:
        load.add_packages(options["packages"])
    sdk.find(os.path.join(runtime_folder, "site-packages"))
    if options["parent_fd"]:
        from nuclio_worker import parent

        options = parent.next_worker(options)
        if options is None:
            return
    conn = connection.connect(int(options["fd"]), int(options["frame_limit"]), options["ring"])
    os.register_at_fork(after_in_child=conn.leave_in_child)
    if "memory_limit" in options:
        memory = options["memory_limit"]
        connection.native().limit_worker(memory and memory + conn.mapped, options["descriptor_limit"])
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


def _serve(conn, options, runtime_folder):
    try:
        worker = _start(conn, options, runtime_folder)
    except load.CannotStart as error:
        conn.send(
            frames.encode(
                frames.START,
                flags=frames.FAILED,
                numbers=(os.getpid(),),
                strings=tuple(text.encode("utf-8", "replace") for text in (error.message, error.trace, sdk.runtime())),
            )
        )
        sys.exit(1)
    conn.send(frames.encode(frames.START, numbers=(os.getpid(),), strings=(b"", b"", sdk.runtime().encode())))
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
            _sdk_platform(options["platform_kind"]),
            options["namespace"],
            sdk.http_connection,
            on_control_callback=acknowledge,
        ),
        options["worker_id"],
        nuclio_sdk.TriggerInfo(options["trigger_kind"], options["trigger_name"]),
    )
    code = load.add_to_path(options["code"])
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
    if not found["--fd"] and not found["--parent-fd"]:
        missing.append("--fd")
    if missing:
        connection.complain("nuclio_worker: missing {0}".format(", ".join(missing)))
        sys.exit(2)
    options = {name[2:].replace("-", "_"): value for name, value in found.items()}
    options["ring"] = tuple(map(int, filter(None, options["ring"].split(","))))
    return options

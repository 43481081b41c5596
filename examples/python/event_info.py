# SPDX-License-Identifier: Apache-2.0
# Logs what it knows about an event, line by line, and answers the same as JSON. `nuctl logs` shows the lines.


def handler(context, event):
    # event.body is parsed already when the content type is application/json; event.size is what came over the wire.
    info = {
        "trigger": event.trigger.kind,
        "method": event.method,
        "path": event.path,
        "headers": {_text(name): _text(value) for name, value in event.headers.items()},
        "bodySize": event.size,
    }
    context.logger.info_with("Event received", trigger=info["trigger"], method=info["method"], path=info["path"])
    for name, value in info["headers"].items():
        context.logger.info_with("Header", name=name, value=value)
    context.logger.info_with("Body", size=info["bodySize"])
    return info


def _text(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

# SPDX-License-Identifier: Apache-2.0
"""What a soak calls: a little of everything, by path."""

import time


def handler(context, event):
    if event.path == "/echo":
        return event.body
    if event.path == "/sums":
        numbers = event.body["numbers"]
        return {"count": len(numbers), "sum": sum(numbers)}
    if event.path == "/error":
        raise ValueError("as asked")
    if event.path == "/slow":
        time.sleep(0.05)
    return "hello"

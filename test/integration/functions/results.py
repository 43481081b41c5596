# SPDX-License-Identifier: Apache-2.0
"""Answers in every way that a handler can; the path says in which."""

import nuclio_sdk


def handler(context, event):
    return ANSWERS[event.path](context, event)


def raises(context, event):
    raise ValueError("no good")


def raises_with_status(context, event):
    raise nuclio_sdk.ExceptionWithResponse(404, "no such thing", "text/plain")


ANSWERS = {
    "/str": lambda c, e: "text",
    "/unicode": lambda c, e: "grüße ☃",
    "/empty": lambda c, e: "",
    "/bytes": lambda c, e: bytes(range(256)),
    "/dict": lambda c, e: {"a": 1, "ü": None},
    "/list": lambda c, e: [1, 2],
    "/none": lambda c, e: None,
    "/number": lambda c, e: 12,
    "/tuple": lambda c, e: (201, "made"),
    "/tuple-dict": lambda c, e: (202, {"a": 1}),
    "/response": lambda c, e: c.Response(
        body="body", headers={"X-One": "1", "x-two": "zwei"}, content_type="text/html", status_code=418
    ),
    "/response-bytes": lambda c, e: c.Response(body=b"\x00\xff", content_type="image/x"),
    "/response-dict": lambda c, e: c.Response(body={"b": 2}, status_code=203),
    "/raises": raises,
    "/raises-404": raises_with_status,
    "/echo": lambda c, e: c.Response(body=e.body, content_type=e.content_type or "application/octet-stream"),
    "/event": lambda c, e: e.to_json(),
    "/size": lambda c, e: str(len(e.body)),
    "/stream": lambda c, e: (f"{i};" for i in range(100)),
}

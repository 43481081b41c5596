# SPDX-License-Identifier: Apache-2.0
"""What a handler may return, and what becomes of it."""

import pytest
from nuclio_worker import frames

HANDLER = """
    import datetime, enum, http
    import nuclio_sdk

    class Odd:
        def __repr__(self): return "odd"

    def handler(context, event):
        return eval(event.body.decode(), dict(globals(), context=context, event=event))
"""

RESULTS = [
    # expression, status, content type, body
    ("'text'", 200, "text/plain", b"text"),
    ("'sch\\u00f6n \\U0001f600'", 200, "text/plain", "schön 😀".encode()),
    ("''", 200, "text/plain", b""),
    ("b'\\x00\\xff'", 200, "text/plain", b"\x00\xff"),
    ("bytearray(b'ab')", 200, "text/plain", b"ab"),
    ("{'a': [1, None, 'x']}", 200, "application/json", b'{"a": [1, null, "x"]}'),
    ("{}", 200, "application/json", b"{}"),
    ("{'when': datetime.date(2020, 1, 2)}", 200, "application/json", b'{"when": "datetime.date(2020, 1, 2)"}'),
    ("{'n': float('nan'), 'i': float('-inf')}", 200, "application/json", b'{"n": "NaN", "i": "-Infinity"}'),
    ("[1, 2]", 200, "application/json", b"[1, 2]"),
    ("[]", 200, "application/json", b"[]"),
    ("None", 200, "text/plain", b"None"),
    ("3.5", 200, "text/plain", b"3.5"),
    ("Odd()", 200, "text/plain", b"odd"),
    ("(201, 'made')", 201, "text/plain", b"made"),
    ("(404, {'error': 'no'})", 404, "application/json", b'{"error": "no"}'),
    ("(200, b'\\xff')", 200, "text/plain", b"\xff"),
    ("(204, None)", 204, "application/json", b"null"),
    ("(http.HTTPStatus.ACCEPTED, 'later')", 202, "text/plain", b"later"),
    ("(1, 2, 3)", 200, "text/plain", b"(1, 2, 3)"),
    ("context.Response(body='b', status_code=418, content_type='text/html')", 418, "text/html", b"b"),
    ("context.Response(body={'a': 1}, content_type='text/html')", 200, "application/json", b'{"a": 1}'),
    ("context.Response(body=['a'])", 200, "application/json", b'["a"]'),
    ("context.Response(body=b'\\x00', content_type='image/png')", 200, "image/png", b"\x00"),
    ("context.Response()", 200, "text/plain", b"None"),
    ("nuclio_sdk.Response(body='x')", 200, "text/plain", b"x"),
]


def test_every_kind_of_result_becomes_its_answer(start):
    worker, _ = start(HANDLER)
    for expression, status, content_type, body in RESULTS:
        reply = worker.ask(expression.encode())
        got = (expression, reply.flags, reply.number(0), reply.text(0), reply.body())
        assert got == (expression, 0, status, content_type, body)
        assert reply.number(1) > 0, "the duration is true"


def test_headers_of_a_response_are_text_whatever_they_were(start):
    worker, _ = start(HANDLER)
    reply = worker.ask(b"context.Response(headers={'A': 'x', 'B': 7, 'Set-Cookie': ['a=1', 'b=2'], 'No-Ack': True})")
    assert reply.raw_headers() == [
        (b"A", b"x"),
        (b"B", b"7"),
        (b"Set-Cookie", b"a=1"),
        (b"Set-Cookie", b"b=2"),
        (b"No-Ack", b"true"),
    ]


def test_a_header_that_is_no_utf8_goes_back_as_it_came(start):
    worker, _ = start(HANDLER)
    reply = worker.ask(b"context.Response(headers={'A': event.headers['X']})", headers=[(b"X", b"caf\xe9")])
    assert reply.raw_headers() == [(b"A", b"caf\xe9")]


@pytest.mark.parametrize(
    "expression, says",
    [
        ("('abc', 'x')", "the status must be a whole number from 100 to 999, is 'abc'"),
        ("(1000, 'x')", "the status must be a whole number from 100 to 999, is 1000"),
        ("context.Response(status_code=None)", "the status must be a whole number from 100 to 999, is None"),
        ("context.Response(content_type=5)", "Response.content_type must be a str, is 5"),
    ],
)
def test_a_result_that_cannot_be_an_answer_fails_with_a_sentence(start, expression, says):
    worker, _ = start(HANDLER)
    reply = worker.ask(expression.encode())
    assert reply.flags == frames.FAILED
    assert reply.number(0) == 500
    assert says in reply.text(2)
    assert worker.ask(b"'still here'").body() == b"still here"


def test_an_exception_has_message_and_traceback_apart(start):
    worker, _ = start(
        """
        def inner():
            raise ValueError("boom")

        def handler(context, event):
            inner()
        """
    )
    reply = worker.ask()
    assert reply.flags == frames.FAILED
    assert (reply.number(0), reply.body()) == (500, b"")
    assert reply.text(2) == 'Exception caught in handler - "boom"'
    trace = reply.text(3)
    assert trace.startswith("Traceback (most recent call last):\n")
    assert 'main.py", line 3, in inner' in trace
    assert trace.endswith("ValueError: boom\n")
    assert "nuclio_worker" not in trace


def test_an_exception_with_a_response_keeps_its_status_and_body(start):
    worker, _ = start(
        """
        import nuclio_sdk

        def handler(context, event):
            raise nuclio_sdk.ExceptionWithResponse(409, "taken", "text/html")
        """
    )
    reply = worker.ask()
    assert reply.flags == frames.FAILED
    assert (reply.number(0), reply.text(0), reply.body()) == (409, "text/html", b"taken")


def read_pieces(worker, call):
    pieces = []
    while True:
        frame = worker.receive()
        assert frame.call == call
        pieces.append(frame)
        if not frame.flags & frames.MORE:
            return pieces


STREAMS = {
    "plain": """
        def handler(context, event):
            yield "one"
            yield b"two"
            yield 3
    """,
    "asynchronous": """
        import asyncio

        async def handler(context, event):
            yield "one"
            await asyncio.sleep(0)
            yield b"two"
            yield 3
    """,
    "in a response": """
        def pieces():
            yield "one"
            yield b"two"
            yield 3

        def handler(context, event):
            return context.Response(body=pieces(), status_code=206, content_type="text/csv", headers={"A": "b"})
    """,
    "from a coroutine": """
        async def pieces():
            yield "one"
            yield b"two"
            yield 3

        async def handler(context, event):
            return pieces()
    """,
}


@pytest.mark.parametrize("source", STREAMS.values(), ids=STREAMS)
def test_a_generator_is_an_answer_in_pieces(start, source):
    worker, _ = start(source)
    for _ in range(2):
        first, *rest = read_pieces(worker, worker.event())
        assert (first.type, first.flags) == (frames.REPLY, frames.MORE)
        assert [first.body(), *(piece.body() for piece in rest)] == [b"one", b"two", b"3", b""]
        assert {piece.type for piece in rest} == {frames.CHUNK}
        assert rest[-1].number(0) > 0
        if "206" in source:
            assert (first.number(0), first.text(0), first.raw_headers()) == (206, "text/csv", [(b"A", b"b")])
        else:
            assert (first.number(0), first.text(0)) == (200, "text/plain")


def test_a_generator_without_a_piece_is_an_empty_answer(start):
    worker, _ = start("def handler(context, event):\n    yield from ()\n")
    reply = worker.ask()
    assert (reply.flags, reply.number(0), reply.body()) == (0, 200, b"")


def test_a_generator_that_raises_first_is_a_failed_reply_and_later_a_failed_piece(start):
    worker, _ = start(
        """
        def handler(context, event):
            for piece in event.body.decode():
                if piece == "!":
                    raise ValueError("boom")
                yield piece
        """
    )
    reply = worker.ask(b"!")
    assert (reply.type, reply.flags) == (frames.REPLY, frames.FAILED)
    first, failed = read_pieces(worker, worker.event(b"a!"))
    assert first.body() == b"a"
    assert (failed.type, failed.flags) == (frames.CHUNK, frames.FAILED)
    assert "boom" in failed.text(0)
    assert "ValueError: boom" in failed.text(1)


def batch(worker, ids, call=50):
    body = b"".join(
        b"".join(frames.encode(frames.EVENT, numbers=(-1,), strings=(one, b"POST"), body=one)) for one in ids
    )
    worker.send(frames.BATCH, call, frames.NESTED, body=body)
    reply = worker.receive()
    assert (reply.type, reply.call) == (frames.REPLY, call)
    return reply


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_batch_is_answered_by_event_id(start, kind):
    worker, _ = start(
        kind
        + """ handler(context, batch):
            return [context.Response(body=e.body + b"!", event_id=e.id, status_code=201) for e in reversed(batch)]
        """
    )
    reply = batch(worker, [b"a", b"b"])
    assert reply.flags == frames.NESTED
    assert [(one.text(1), one.body(), one.number(0)) for one in reply.inner()] == [("b", b"b!", 201), ("a", b"a!", 201)]


@pytest.mark.parametrize(
    "returned, says",
    [
        ("'x'", "must return a list with a Response for each event, returned a str"),
        ("[context.Response(body='x')]", "element 0 of the returned list has no event_id"),
        ("1 / 0", "division by zero"),
    ],
)
def test_a_batch_that_went_wrong_is_one_failed_reply(start, returned, says):
    worker, _ = start("def handler(context, batch):\n    return " + returned + "\n")
    reply = batch(worker, [b"a"])
    assert reply.flags == frames.FAILED
    assert says in reply.text(2)

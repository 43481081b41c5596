# SPDX-License-Identifier: Apache-2.0
"""The worker's life: events in, answers out, one at a time. Without asyncio in the function's code it blocks in the
socket; with it, the same steps run inside one event loop, and background tasks run between events."""

import time

from nuclio_worker import connection, frames, load, results

_now = time.perf_counter_ns

# For background tasks to end once they were cancelled.
_PATIENCE_SECONDS = 1.0
# Late enough to cost nothing, early enough for who waits for a cancelled call.
_ASK_AGAIN_SECONDS = 0.005


class Cancelled(Exception):
    """Nobody waits for the answer any more."""


class Worker:
    """Lives on the main thread. Owns nothing but the event loop, which exists from the first need of it."""

    def __init__(self, conn):
        self._connection = conn
        # The compiled connection writes the usual answers itself.
        self._quick_answer = getattr(conn, "answer", _is_not_quick)
        self._handler = None
        self._context = None
        self._loop = None
        self._task = None
        self._ask_again = None  # the timer of _hear()
        self._cancelled = False
        self._terminated = False

    # Start

    def start(self, module, handler, context):
        """Runs init_context; from here on events can come. Raises CannotStart."""
        self._handler = handler
        self._context = context
        if load.needs_event_loop(module, handler):
            self._need_loop()
        init = getattr(module, "init_context", None)
        if init is None:
            return
        try:
            self._run(init, context)
        except Exception as error:
            raise load.CannotStart(
                "init_context in module {0} raised {1}".format(module.__name__, load.described(error)),
                load.trace_of(error),
            ) from None
        except SystemExit as error:
            raise load.CannotStart(
                "init_context in module {0} ended the process with exit({1})".format(module.__name__, error.code),
                load.trace_of(error),
            ) from None

    def _need_loop(self):
        if self._loop is None:
            import asyncio

            self._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self._loop)
        return self._loop

    def _run(self, function, *arguments):
        """Calls a function that may be a coroutine function, outside of serve()."""
        if self._loop is not None:
            return self._loop.run_until_complete(_call(function, *arguments))
        output = function(*arguments)
        return self._need_loop().run_until_complete(output) if hasattr(output, "__await__") else output

    # Serving

    def serve(self):
        """Until the processor says terminate. Raises Closed when its socket closes."""
        if self._loop is None:
            self._connection.serve(self._handler, self._context, self)
        if self._loop is None:
            return
        try:
            if not self._terminated:
                self._loop.run_until_complete(self._serve_in_loop())
        finally:
            self._end_background_tasks()

    # What Connection.serve() asks for: each says whether the loop without asyncio is to end

    def finish(self, call, begun, output):
        """Answers with what the handler returned."""
        try:
            if hasattr(output, "__await__"):
                output = self._need_loop().run_until_complete(output)
            pieces = results.pieces_of(output)
            if pieces is not None:
                self._stream(call, begun, output, pieces)
            else:
                self._answer(call, _now() - begun, output)
        except Exception as error:
            self.failed(call, begun, error)
        return self._loop is not None

    def failed(self, call, begun, error):
        """Answers a call whose handler raised."""
        if isinstance(error, connection.Closed):
            raise error
        took = _now() - begun
        answer = results.error_answer(error)
        self._connection.send(
            frames.encode(
                frames.REPLY,
                call,
                frames.FAILED,
                numbers=(answer.status, took),
                strings=(answer.content_type, b"", _message(error), results.to_bytes(load.trace_of(error))),
                body=answer.body,
            )
        )
        return False

    def dropped(self, call):
        """A call that was cancelled before it began is answered without a call of the handler."""
        return self.failed(call, _now(), Cancelled("the call was cancelled before it began"))

    def other(self, frame):
        """A frame that is no event."""
        if frame.type == frames.BATCH:
            if self._connection.is_cancelled(frame.call):
                return self.dropped(frame.call)
            self._connection.call = frame.call
            self._handle_batch(frame)
            self._connection.call = 0
        elif frame.type == frames.CONTROL:
            self._terminated = self._control(frame)
        return self._terminated or self._loop is not None

    def _handle_batch(self, frame):
        begun = _now()
        try:
            output = self._handler(self._context, [self._connection.event(one) for one in frame.inner()])
            if hasattr(output, "__await__"):
                output = self._need_loop().run_until_complete(output)
            took = _now() - begun
            body = _batch_body(output, took)
        except Exception as error:
            return self.failed(frame.call, begun, error)
        self._connection.send(frames.encode(frames.REPLY, frame.call, frames.NESTED, (200, took), body=body))

    def _stream(self, call, begun, output, pieces):
        if hasattr(pieces, "__anext__"):
            return self._need_loop().run_until_complete(self._stream_in_loop(call, begun, output, pieces))
        started = False
        try:
            for piece in pieces:
                started = self._send_piece(call, begun, output, piece, started)
        except connection.Closed:
            raise
        except Exception as error:
            return self._stream_failed(call, begun, error, started)
        self._stream_ended(call, begun, output, started)

    # The same inside an event loop

    async def _serve_in_loop(self):
        import asyncio

        conn = self._connection
        self._task = asyncio.current_task()
        arrived = asyncio.Event()
        broken = []

        def readable():
            try:
                conn.read_ready()
                self._hear()
            except (connection.Closed, frames.FrameError) as error:
                broken.append(error)
                self._loop.remove_reader(conn.fileno())
                self._cancel()
            arrived.set()

        # Frames are read while a handler awaits, so that a cancel reaches it.
        self._loop.add_reader(conn.fileno(), readable)
        try:
            while True:
                frame = conn.take()
                if frame is None:
                    if broken:
                        raise broken[0]
                    arrived.clear()
                    if not conn.arm():
                        await arrived.wait()
                    continue
                if frame.type == frames.EVENT or frame.type == frames.BATCH:
                    if conn.is_cancelled(frame.call):
                        self.dropped(frame.call)
                        continue
                    conn.call = frame.call
                    if frame.type == frames.EVENT:
                        await self._handle_event_in_loop(frame)
                    else:
                        await self._handle_batch_in_loop(frame)
                    conn.call = 0
                    if conn.arm():
                        # Background tasks get their turn also when events never stop.
                        await asyncio.sleep(0)
                elif frame.type == frames.CONTROL:
                    if await self._control_in_loop(frame):
                        return
        finally:
            if not broken:
                self._loop.remove_reader(conn.fileno())

    async def _handle_event_in_loop(self, frame):
        begun = _now()
        try:
            output = self._handler(self._context, self._connection.event(frame))
            if hasattr(output, "__await__"):
                output = await self._cancellable(output)
            pieces = results.pieces_of(output)
            if pieces is not None:
                return await self._stream_in_loop(frame.call, begun, output, pieces)
            self._answer(frame.call, _now() - begun, output)
        except Exception as error:
            self.failed(frame.call, begun, error)

    async def _handle_batch_in_loop(self, frame):
        begun = _now()
        try:
            output = self._handler(self._context, [self._connection.event(one) for one in frame.inner()])
            if hasattr(output, "__await__"):
                output = await self._cancellable(output)
            took = _now() - begun
            body = _batch_body(output, took)
        except Exception as error:
            return self.failed(frame.call, begun, error)
        self._connection.send(frames.encode(frames.REPLY, frame.call, frames.NESTED, (200, took), body=body))

    async def _stream_in_loop(self, call, begun, output, pieces):
        started = False
        try:
            if hasattr(pieces, "__anext__"):
                while True:
                    try:
                        piece = await self._cancellable(pieces.__anext__())
                    except StopAsyncIteration:
                        break
                    started = self._send_piece(call, begun, output, piece, started)
            else:
                for piece in pieces:
                    started = self._send_piece(call, begun, output, piece, started)
        except connection.Closed:
            raise
        except Exception as error:
            return self._stream_failed(call, begun, error, started)
        self._stream_ended(call, begun, output, started)

    async def _cancellable(self, awaitable):
        """Awaits what the user's code gave. A cancellation ends this one call and becomes an ordinary error, whether
        the processor asked for it or the code cancelled itself."""
        import asyncio

        self._cancelled = False
        self._hear()
        try:
            return await awaitable
        except asyncio.CancelledError:
            raise Cancelled("the call was cancelled") from None
        finally:
            if self._cancelled and hasattr(self._task, "uncancel"):
                self._task.uncancel()
            self._cancelled = False

    def _hear(self):
        """Cancels the call that the processor gave up. The connection may be unable to tell of that while it holds the
        next event, which the processor takes back after milliseconds; till then it is asked again."""
        conn = self._connection
        if self._ask_again is not None:
            self._ask_again.cancel()
            self._ask_again = None
        if conn.call and conn.is_cancelled(conn.call):
            self._cancel()
        elif conn.call and not conn.tells():
            self._ask_again = self._loop.call_later(_ASK_AGAIN_SECONDS, self._hear)

    def _cancel(self):
        """Between calls there is nothing to cancel, and a second time would hit whatever comes next."""
        if self._connection.call and not self._cancelled:
            self._cancelled = True
            self._task.cancel()

    def _end_background_tasks(self):
        import asyncio

        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        if tasks and not self._loop.is_running():
            self._loop.run_until_complete(asyncio.wait(tasks, timeout=_PATIENCE_SECONDS))
        self._loop.close()

    # Shared by both

    def _answer(self, call, took, output):
        if not self._quick_answer(call, took, output):
            self._send_answer(call, took, results.answer(output))

    def _send_answer(self, call, took, answer):
        if answer.headers:
            parts = frames.encode(
                frames.REPLY,
                call,
                numbers=(answer.status, took),
                strings=(answer.content_type,),
                headers=answer.headers,
                body=answer.body,
            )
        else:
            parts = frames.encode_plain_reply(call, answer.status, took, answer.content_type, answer.body)
        self._connection.send(parts)

    def _send_piece(self, call, begun, output, piece, started):
        if started:
            parts = frames.encode(frames.CHUNK, call, frames.MORE, body=results.next_piece(piece))
        else:
            first = results.first_answer(output, piece)
            parts = frames.encode(
                frames.REPLY,
                call,
                frames.MORE,
                numbers=(first.status, _now() - begun),
                strings=(first.content_type,),
                headers=first.headers,
                body=first.body,
            )
        self._connection.send(parts)
        return True

    def _stream_ended(self, call, begun, output, started):
        if started:
            self._connection.send(frames.encode(frames.CHUNK, call, numbers=(_now() - begun,)))
        else:
            self._send_answer(call, _now() - begun, results.first_answer(output, ""))

    def _stream_failed(self, call, begun, error, started):
        if not started:
            return self.failed(call, begun, error)
        self._connection.send(
            frames.encode(
                frames.CHUNK,
                call,
                frames.FAILED,
                numbers=(_now() - begun,),
                strings=(_message(error), results.to_bytes(load.trace_of(error))),
            )
        )

    # Control

    def _control(self, frame):
        """Runs the callbacks of a control frame; True when the worker is to end."""
        kind = frame.number(0)
        if kind in _CALLBACKS:
            try:
                self._run(self._context.platform._on_signal, _CALLBACKS[kind])
            except Exception as error:
                self._callback_failed(kind, error)
            self._done(frame)
        return kind == frames.TERMINATE

    async def _control_in_loop(self, frame):
        kind = frame.number(0)
        if kind in _CALLBACKS:
            try:
                await _call(self._context.platform._on_signal, _CALLBACKS[kind])
            except Exception as error:
                self._callback_failed(kind, error)
            self._done(frame)
        return kind == frames.TERMINATE

    def _callback_failed(self, kind, error):
        self._context.logger.error_with(
            "The {0} callback raised {1}".format(_CALLBACKS[kind], load.described(error)),
            traceback=load.trace_of(error),
        )

    def _done(self, frame):
        self._connection.send(frames.encode(frames.CONTROL, frame.call, numbers=(frames.DONE,)))


# The SDK's names of what a callback can be registered for.
_CALLBACKS = {frames.DRAIN: "drain", frames.TERMINATE: "termination"}


def _is_not_quick(call, took, output):
    return False


async def _call(function, *arguments):
    output = function(*arguments)
    return await output if hasattr(output, "__await__") else output


def _message(error):
    # Nuclio's words, which its users' alerts look for.
    return results.to_bytes('Exception caught in handler - "{0}"'.format(error))


def _batch_body(output, took):
    """The replies to a batch, one after another."""
    if not isinstance(output, (list, tuple)):
        raise results.BadResult(
            "a handler that gets batches must return a list with a Response for each event, returned a {0}".format(
                type(output).__name__
            )
        )
    parts = []
    for position, one in enumerate(output):
        answer = results.answer(one)
        if not answer.event_id:
            raise results.BadResult(
                "element {0} of the returned list has no event_id; return context.Response(…, event_id=event.id) for "
                "each event of the batch".format(position)
            )
        parts += frames.encode(
            frames.REPLY,
            numbers=(answer.status, took),
            strings=(answer.content_type, answer.event_id),
            headers=answer.headers,
            body=answer.body,
        )
    return b"".join(parts)

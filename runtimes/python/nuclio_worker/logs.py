# SPDX-License-Identifier: Apache-2.0
"""context.logger: the SDK's Logger, whose lines become log frames."""

import logging
import time

import nuclio_sdk
import nuclio_sdk.json_encoder

from nuclio_worker import connection, frames, results

_encoder = nuclio_sdk.json_encoder.Encoder()

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def _wire_level(level):
    if level >= logging.ERROR:
        return 3
    if level >= logging.WARNING:
        return 2
    return 1 if level >= logging.INFO else 0


class FrameHandler(logging.Handler):
    """Any thread may log through it. A line belongs to the call that is being handled."""

    def __init__(self, conn):
        super().__init__()
        self._connection = conn

    def emit(self, record):
        try:
            variables = getattr(record, "with", None)
            self._connection.send(
                frames.encode(
                    frames.LOG,
                    call=self._connection.call,
                    numbers=(_wire_level(record.levelno),),
                    strings=(
                        results.to_bytes(record.getMessage()),
                        _encoder.encode(variables).encode("ascii") if variables else b"",
                        results.to_bytes(record.name),
                    ),
                    timestamp_ns=time.time_ns(),
                )
            )
        except connection.Closed:
            # The processor is gone, or this is a process that the handler forked.
            connection.complain(record.getMessage())
        except Exception:
            self.handleError(record)


def make_logger(conn, level):
    logger = nuclio_sdk.Logger(LEVELS[level])
    handler = FrameHandler(conn)
    # The SDK's Logger asks no one whether a level is wanted, so its handler must.
    handler.setLevel(LEVELS[level])
    logger._logger.addHandler(handler)
    return logger

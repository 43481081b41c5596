# SPDX-License-Identifier: Apache-2.0
"""Takes its time, ends its own process, or never answers: the body says which."""

import os
import signal
import time


def init_context(context):
    context.logger.info_with("started", pid=os.getpid())


def handler(context, event):
    what, _, argument = event.body.decode().partition(" ")
    if what == "sleep":
        time.sleep(float(argument))
    elif what == "exit":
        os._exit(int(argument or 3))
    elif what == "sys-exit":
        raise SystemExit(3)
    elif what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "abort":
        os.abort()
    elif what == "hang":
        while True:
            time.sleep(60)
    return str(os.getpid())

# SPDX-License-Identifier: Apache-2.0
# Logs each tick of the schedule, and answers over HTTP how many there were.


def init_context(context):
    # Of this worker: it lives as long as the worker process.
    context.user_data.ticks = 0


def handler(context, event):
    if event.trigger.kind == "cron":
        context.user_data.ticks += 1
        context.logger.info_with("Tick", number=context.user_data.ticks, body=event.body.decode())
    return {"ticks": context.user_data.ticks}

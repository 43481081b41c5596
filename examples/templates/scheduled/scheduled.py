# SPDX-License-Identifier: Apache-2.0
# Does its work on a schedule, and answers over HTTP when that was last.

import datetime


def init_context(context):
    # Of this worker: it lives as long as the worker process.
    context.user_data.last = None


def handler(context, event):
    if event.trigger.kind == "cron":
        context.user_data.last = datetime.datetime.now(datetime.timezone.utc).isoformat()
        context.logger.info_with("Working", message=event.body.decode())
    return {"last": context.user_data.last}

# SPDX-License-Identifier: Apache-2.0
# Does something once, when it starts: an event of its own fills a table, from which callers are answered then.

import json


def init_context(context):
    context.user_data.table = {}


def handler(context, event):
    if event.trigger.kind == "kickstart":
        context.user_data.table = json.loads(event.body)
        context.logger.info_with("Filled the table", entries=len(context.user_data.table))
        return None
    key = event.path.strip("/")
    if key not in context.user_data.table:
        return context.Response(body=f"there is no {key}\n", status_code=404)
    return context.user_data.table[key]

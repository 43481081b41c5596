# SPDX-License-Identifier: Apache-2.0
# Takes events of another service that shows a secret in a header, as GitLab does, and refuses all others.

import hmac
import os


def init_context(context):
    context.user_data.header = os.environ["SECRET_HEADER"]
    context.user_data.secret = os.environ["SECRET"].encode()


def handler(context, event):
    given = event.headers.get(context.user_data.header, b"")
    given = given.encode("utf-8", "surrogateescape") if isinstance(given, str) else given
    # Comparing takes as long for a wrong secret as for the right one, so that none can be guessed by the time.
    if not hmac.compare_digest(given, context.user_data.secret):
        context.logger.warn_with("Refused an event without the secret", path=event.path)
        return context.Response(body="wrong secret\n", status_code=401)
    # event.body is parsed already when the content type is application/json.
    context.logger.info_with("Took an event", path=event.path, size=event.size)
    return context.Response(body="taken\n", status_code=202)

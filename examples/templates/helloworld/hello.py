# SPDX-License-Identifier: Apache-2.0
# Answers every event with the greeting of the environment variable GREETING.

import os


def handler(context, event):
    context.logger.info_with("Greeting a caller", path=event.path)
    return os.environ["GREETING"]

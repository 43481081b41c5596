# SPDX-License-Identifier: Apache-2.0
# Looks for patterns in the body of an event and answers what it found of each, as JSON.

import json
import os
import re


def init_context(context):
    patterns = json.loads(os.environ["PATTERNS"])
    context.user_data.patterns = {name: re.compile(pattern) for name, pattern in patterns.items()}


def handler(context, event):
    text = event.body.decode("utf-8", "replace")
    found = {name: pattern.findall(text) for name, pattern in context.user_data.patterns.items()}
    context.logger.info_with("Scanned", size=len(text), found=sum(map(len, found.values())))
    return found

# SPDX-License-Identifier: Apache-2.0
# Answers every event with a greeting.


def handler(context, event):
    return "Hello from Nuclio"

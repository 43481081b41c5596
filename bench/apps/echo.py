# SPDX-License-Identifier: Apache-2.0
def handler(context, event):
    return event.body

# SPDX-License-Identifier: Apache-2.0
def handler(context, event):
    numbers = event.body["numbers"]
    return {"count": len(numbers), "sum": sum(numbers)}

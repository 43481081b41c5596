# SPDX-License-Identifier: Apache-2.0
def handler(context, event):
    return "Hello from Nuclio"

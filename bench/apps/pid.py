# SPDX-License-Identifier: Apache-2.0
import os


def handler(context, event):
    return str(os.getpid())

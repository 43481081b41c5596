# SPDX-License-Identifier: Apache-2.0
#
# Carries its own configuration, so that `nuctl deploy --path` needs nothing else. The block is the content of a
# function.yaml, and ends at the first line that is no comment.

# @nuclio.configure
#
# function.yaml:
#   metadata:
#     name: inline
#   spec:
#     handler: inline:greet
#     runtime: python
#     description: Greets in the language that its environment names
#     env:
#       - name: GREETING
#         value: Bonjour
#     triggers:
#       web:
#         kind: http
#         numWorkers: 2

import os


def greet(context, event):
    name = event.body.decode() if event.body else "world"
    return f"{os.environ['GREETING']}, {name}!"

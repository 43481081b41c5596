# SPDX-License-Identifier: Apache-2.0
# Uses a package from PyPI: answers the plural of the word in the body.

import inflection


def handler(context, event):
    return inflection.pluralize(event.body.decode())

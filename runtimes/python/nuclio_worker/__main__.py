# SPDX-License-Identifier: Apache-2.0
"""Started as `python -u <runtime folder>/nuclio_worker --fd 3 --handler main:handler --code /code …`."""

import os
import sys

# Python put this folder in front of the path, where its files would shadow a function's modules of the same names. The
# package is imported by its own name instead, and leaves nothing behind on the path.
_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[0] = os.path.dirname(_HERE)

from nuclio_worker import start  # noqa: E402

del sys.path[0]
start.main(sys.argv[1:], runtime_folder=os.path.dirname(_HERE))

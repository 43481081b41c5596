# SPDX-License-Identifier: Apache-2.0
"""The Python side of a function: one process that takes events from the processor and calls the handler."""

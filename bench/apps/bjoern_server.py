# SPDX-License-Identifier: Apache-2.0
"""bjoern_server APP: serves one of wsgi.py on a port that it prints."""

import socket
import sys

import bjoern
import wsgi

listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
print(listener.getsockname()[1], flush=True)
bjoern.server_run(listener, getattr(wsgi, sys.argv[1]))

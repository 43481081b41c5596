# SPDX-License-Identifier: Apache-2.0
"""A processor that orders two workers, gives one of them an event, prints their pids and the parent's, and waits to be
killed. Started by test_parent.py."""

import json
import pathlib
import socket
import subprocess
import sys

runtime, code = sys.argv[1:]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from nuclio_worker import frames  # noqa: E402

control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
command = [sys.executable, runtime + "/nuclio_worker", "--parent-fd", str(theirs.fileno()), "--handler", "main:handler"]
parent = subprocess.Popen([*command, "--code", code], pass_fds=[theirs.fileno()], cwd=code)
theirs.close()
assert json.loads(control.recv(1 << 16)) == {"ready": True}
pids = [parent.pid]
ends = []
for number in range(2):
    ours, worker = socket.socketpair()
    order = {"worker_id": str(number), "trigger_kind": "http", "trigger_name": "h"}
    order.update(memory_limit=0, descriptor_limit=0)
    with worker:
        socket.send_fds(control, [json.dumps(order).encode()], [worker.fileno()])
    pids.append(json.loads(control.recv(1 << 16))["pid"])
    ours.recv(1 << 16)
    ends.append(ours)
ends[0].sendall(b"".join(frames.encode(frames.EVENT, 1)))
ends[0].recv(1 << 16)  # it logs that it is busy
print(json.dumps(pids), flush=True)
control.recv(1)

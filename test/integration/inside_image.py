# SPDX-License-Identifier: Apache-2.0
"""inside_image.py ROOT: runs the processor of an unpacked image as its container would, sends it what comes from
standard input and prints the answer. It is alone in its network, so the ports are those of the image."""

import fcntl
import http.client
import signal
import socket
import struct
import subprocess
import sys
import time

root = sys.argv[1]
with socket.socket() as any_socket:
    SIOCSIFFLAGS, IFF_UP = 0x8914, 1
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
subprocess.run(["mount", "--bind", "/dev/null", f"{root}/dev/null"], check=True)
processor = subprocess.Popen(
    ["chroot", root, "/usr/local/bin/processor"],
    stdin=subprocess.DEVNULL,
    stdout=sys.stderr,
    env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
)
body = sys.stdin.buffer.read()
end = time.monotonic() + 30
while True:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=10)
        connection.request("POST", "/", body=body)
        answer = connection.getresponse()
        break
    except OSError:
        if processor.poll() is not None or time.monotonic() > end:
            sys.exit("the processor does not answer")
        time.sleep(0.02)
print(answer.status, answer.read().decode(), end="")
processor.send_signal(signal.SIGTERM)
sys.exit(processor.wait(20))

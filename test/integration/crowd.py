# SPDX-License-Identifier: Apache-2.0
"""Clients that take their time, in a process of their own: `crowd.py ADDRESS KIND COUNT`.

Says "ready" once all of them are connected, goes on until its input ends, and prints what it did. A connection that
the other side closes is opened anew, so that there are COUNT of them all the time. What they send is spread evenly
over each second: the test is about many connections, not about bursts. It yields the CPU to everybody else, as if it
were another machine.
"""

import asyncio
import json
import os
import sys

HEAD = b"GET /size HTTP/1.1\r\nHost: mean\r\nX-Slow: " + b"x" * 60 + b"\r\n\r\n"
# What each kind sends at once, what it sends then in pieces, the size of a piece and the seconds between two.
KINDS = {
    "headers": (b"", HEAD, 1, 1.0),
    # 2 KiB a second, above the least rate: these stay.
    "bodies": (b"POST /size HTTP/1.1\r\nHost: mean\r\nContent-Length: 1000000\r\n\r\n", b"y" * 1_000_000, 512, 0.25),
}


class Crowd:
    def __init__(self, address, kind):
        host, port = address.rsplit(":", 1)
        self.where = (host, int(port))
        self.at_once, self.slowly, self.piece, self.pause = KINDS[kind]
        self.did = {"connections": 0, "pieces": 0, "closed": 0}
        self.connected = 0

    async def be_mean(self, delay):
        await asyncio.sleep(delay)
        while True:
            reader, writer = await asyncio.open_connection(*self.where)
            self.did["connections"] += 1
            self.connected += 1
            try:
                writer.write(self.at_once)
                for at in range(0, len(self.slowly), self.piece):
                    writer.write(self.slowly[at : at + self.piece])
                    self.did["pieces"] += 1
                    await asyncio.sleep(self.pause)
                    if reader.at_eof():
                        break
                await reader.read()
            except OSError:
                pass
            self.did["closed"] += 1
            writer.close()


async def main():
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    address, kind, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    crowd = Crowd(address, kind)
    tasks = [asyncio.create_task(crowd.be_mean(i / count * crowd.pause)) for i in range(count)]
    while crowd.connected < count:
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for task in tasks:
        task.cancel()
    print(json.dumps(crowd.did), flush=True)


if __name__ == "__main__":
    asyncio.run(main())

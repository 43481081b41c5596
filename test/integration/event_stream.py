# SPDX-License-Identifier: Apache-2.0
"""A client of the dashboard's stream of events."""

import http.client
import json
import socket
import threading
import time


class Event:
    def __init__(self, name, number, data):
        self.name, self.number, self.data = name, number, data
        self.at = time.monotonic()

    @property
    def function(self):
        return self.data.get("name") or self.data.get("metadata", {}).get("name")

    def __repr__(self):
        return f"<{self.name} {json.dumps(self.data)[:200]}>"


def parsed(block):
    """An event from its lines; None for a comment."""
    fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
    return Event(fields["event"], int(fields["id"]), json.loads(fields["data"])) if fields else None


class EventStream:
    """Reads a stream in a thread, from its beginning until it is closed."""

    def __init__(self, address, query="", headers=None):
        host, port = address.rsplit(":", 1)
        self.connection = http.client.HTTPConnection(host, int(port), timeout=60)
        self.connection.request("GET", f"/api/v2/events?{query}", headers=headers or {})
        self.response = self.connection.getresponse()
        self.events = []
        self.comments = 0
        self.error = None
        self.ended = threading.Event()
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self.read, daemon=True)
        if self.response.status == 200:
            self.thread.start()

    def read(self):
        rest = ""
        try:
            while piece := self.response.read1(65536):
                rest += piece.decode()
                while "\n\n" in rest:
                    block, rest = rest.split("\n\n", 1)
                    self.add(block)
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            self.error = error
        self.ended.set()
        with self.changed:
            self.changed.notify_all()

    def add(self, block):
        event = parsed(block)
        with self.changed:
            if event is None:
                self.comments += 1
            else:
                self.events.append(event)
            self.changed.notify_all()

    def wait(self, wanted, what, seconds=30):
        """The first event for which wanted(event) is true, of those that came and will come."""
        end = time.monotonic() + seconds
        seen = 0
        with self.changed:
            while True:
                for event in self.events[seen:]:
                    if wanted(event):
                        return event
                seen = len(self.events)
                left = end - time.monotonic()
                assert left > 0 and not self.ended.is_set(), f"no {what}; the last were {self.events[-5:]}"
                self.changed.wait(left)

    def named(self, name):
        with self.changed:
            return [event for event in self.events if event.name == name]

    def close(self):
        if self.connection.sock:
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.response.close()
        self.connection.close()
        if self.thread.ident:
            self.thread.join(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

# SPDX-License-Identifier: Apache-2.0
"""What functions/witness.py wrote down, clients that know their calls by name, and the account of the two."""

import collections
import contextlib
import http.client
import itertools
import pathlib
import threading
from dataclasses import dataclass

import running


class Book:
    """What the workers have written so far; read() takes in what is new. For one thread."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.touch()
        self.read_to = 0
        self.started = []  # pids, in order
        self.began = collections.defaultdict(list)  # pids by call
        self.finished = collections.defaultdict(list)
        self.open = {}  # the call that a pid began and did not finish
        self.last = {}  # the call that a pid finished last

    @property
    def environment(self):
        return {"WITNESS": str(self.path)}

    def read(self):
        with self.path.open("rb") as file:
            file.seek(self.read_to)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self.read_to += len(whole)
        for line in whole.decode().splitlines():
            what, pid, call = line.split(" ")
            pid = int(pid)
            if what == "started":
                self.started.append(pid)
            elif what == "began":
                assert pid not in self.open, f"worker {pid} began {call} in the midst of {self.open[pid]}"
                self.began[call].append(pid)
                self.open[pid] = call
            elif what == "finished":
                assert self.open.pop(pid) == call
                self.finished[call].append(pid)
                self.last[pid] = call
        return self

    def busy(self):
        """Pids that are in the midst of a call and alive."""
        return [pid for pid in self.read().open if running.is_alive(pid)]


class Callers:
    """Clients that call one after the other while the block runs, each on a connection that it keeps."""

    def __init__(self, processor, count, what="sleep 0.002"):
        self.processor, self.what = processor, what
        self.answers = {}  # (status, text) by call
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.call_on, args=(f"c{i}",)) for i in range(count)]
        self.failures = []

    def call_on(self, name):
        host, port = self.processor.address.rsplit(":", 1)
        with contextlib.closing(http.client.HTTPConnection(host, int(port), timeout=60)) as connection:
            for number in itertools.count():
                if self.stop.is_set():
                    return
                call = f"{name}.{number}"
                try:
                    connection.request("POST", "/", f"{call} {self.what}")
                    response = connection.getresponse()
                    self.answers[call] = response.status, response.read().decode()
                except (OSError, http.client.HTTPException) as error:
                    self.failures.append(f"{call}: {error!r}")
                    connection.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(90)
        assert not any(thread.is_alive() for thread in self.threads)
        assert not self.failures, self.failures[:10]


@dataclass
class Account:
    answered: int = 0
    in_the_midst: int = 0  # 502: a worker that died had begun it
    at_the_end: int = 0  # 502: a worker that died had finished it, and its answer was not out
    handed_over: int = 0  # 502: no worker had begun it

    def __str__(self):
        return (
            f"{self.answered} answered; 502 of calls that a dead worker had in its hands: {self.in_the_midst}, had "
            f"just finished: {self.at_the_end}, had not begun: {self.handed_over}"
        )

    @property
    def lost(self):
        return self.in_the_midst + self.at_the_end + self.handed_over


def settle(book, answers, dead):
    """Checks that each call was run at most once, and that exactly those failed that a dead worker had.

    `answers` are all that were ever given, `dead` the pids of the workers that died.
    """
    book.read()
    account = Account()
    for call, (status, text) in answers.items():
        began, finished = book.began.get(call, []), book.finished.get(call, [])
        said = f"{call} was answered {status} {text!r}, begun by {began}, finished by {finished}"
        assert len(began) <= 1, f"run twice: {said}"
        if status == 200:
            assert began == finished == [int(text)], said
            account.answered += 1
            continue
        assert status == 502, said
        if not began:
            account.handed_over += 1
            continue
        assert began[0] in dead, f"no worker of it died: {said}"
        if not finished:
            account.in_the_midst += 1
            continue
        # An answer goes out before the next call begins.
        lived_on = book.last[began[0]] != call or began[0] in book.open
        assert not lived_on, f"its worker lived on: {said}"
        account.at_the_end += 1
    for pid in dead:
        if pid in book.open:
            assert answers[book.open[pid]][0] == 502, f"worker {pid} died in the midst of {book.open[pid]}"
    return account

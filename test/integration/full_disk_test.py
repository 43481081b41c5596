# SPDX-License-Identifier: Apache-2.0
"""A disk that is full, and one that answers with errors, under the dashboard's home."""

import base64
import contextlib
import http.client
import os
import shutil
import sqlite3
import subprocess

import pytest
import running

WAIT = {"X-Nuclio-Wait-Function-Action": "true"}
MIB = 1 << 20


def body(name, text, **spec):
    """A function whose answer is `text` and that prints a line an event."""
    code = f"def handler(context, event):\n    print('line of', {name!r}, flush=True)\n    return {text!r}\n"
    return {
        "metadata": {"name": name, "namespace": "nuclio"},
        "spec": {
            "runtime": "python",
            "handler": "main:handler",
            "minReplicas": 0,
            "maxReplicas": 1,
            "build": {"functionSourceCode": base64.b64encode(code.encode()).decode()},
            "triggers": {"web": {"kind": "http", "numWorkers": 1}},
            **spec,
        },
    }


def named(name):
    return {"metadata": {"name": name, "namespace": "nuclio"}}


def answer(board, name):
    return running.request(board.url(name)).text


def answer_or_none(board, name):
    try:
        return answer(board, name)
    except (OSError, http.client.HTTPException):
        return None


class Operations:
    """Everything that the dashboard may be asked to change; `kept` is there before and must be as it was after."""

    def __init__(self, board):
        self.board = board

    def prepare(self):
        for name in ("kept", "idle"):
            assert self.board.api("POST", "/functions", body(name, "one"), WAIT).status == 202
        assert self.board.api("PATCH", "/functions/idle", {"desiredState": "scaledToZero"}, WAIT).status == 202
        assert self.board.api("POST", "/projects", named("old")).status in (200, 201)

    def all(self):
        api = self.board.api
        return {
            "create": lambda: api("POST", "/functions", body("fresh", "two"), WAIT),
            "update": lambda: api("PUT", "/functions/kept", body("kept", "two"), WAIT),
            "stop": lambda: api("PATCH", "/functions/kept", {"desiredState": "scaledToZero"}, WAIT),
            "start": lambda: api("PATCH", "/functions/idle", {"desiredState": "ready"}, WAIT),
            "delete": lambda: api("DELETE", "/functions", named("kept")),
            "create a project": lambda: api("POST", "/projects", named("fresh")),
            "delete a project": lambda: api("DELETE", "/projects", named("old")),
        }

    def check_nothing_changed(self):
        functions = self.board.api("GET", "/functions").json
        fresh = functions.pop("fresh", None)
        assert not fresh or fresh["status"]["state"] == "error", fresh
        assert sorted(functions) == ["idle", "kept"]
        # What failed is told in the state; what it ran before goes on.
        assert functions["kept"]["status"]["state"] in ("ready", "error"), functions["kept"]["status"]
        assert answer(self.board, "kept") == "one"
        assert sorted(self.board.api("GET", "/projects").json) == ["default", "old"]

    def check_all_works(self):
        api = self.board.api
        if "fresh" in api("GET", "/functions").json:
            assert api("DELETE", "/functions", named("fresh")).status == 204
        assert api("POST", "/functions", body("fresh", "two"), WAIT).status == 202
        assert answer(self.board, "fresh") == "two"
        assert api("PUT", "/functions/kept", body("kept", "two"), WAIT).status == 202
        assert answer(self.board, "kept") == "two"
        assert api("PATCH", "/functions/idle", {"desiredState": "ready"}, WAIT).status == 202
        assert answer(self.board, "idle") == "one"
        for name in ("fresh", "kept", "idle"):
            assert api("DELETE", "/functions", named(name)).status == 204
        assert api("DELETE", "/projects", named("old")).status in (200, 204)
        assert api("GET", "/functions").json == {}

    def run_all(self, expected, hint):
        """Each fails with a message, and nothing is different afterwards. Gives how many did."""
        failed = {}
        for what, ask in self.all().items():
            given = ask()
            if given.status < 400:
                failed[what] = None
                continue
            assert given.status in (500, 503, 507), (what, given)
            message = given.json["error"]
            assert any(text in message for text in expected), (what, given)
            assert hint in message, (what, given)
            assert str(self.board.home) in message, f"{what} does not say where: {message}"
            failed[what] = message
            self.check_nothing_changed()
        return failed


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a few MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("mounting a small file system takes root")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


class Filling:
    """Takes all the room that there is, to the last byte."""

    def __init__(self, folder):
        self.path = folder / "filling"

    def fill(self):
        with open(self.path, "ab", buffering=0) as file:
            for size in (MIB, 4096, 1):
                with contextlib.suppress(OSError):
                    while file.write(b"x" * size):
                        pass

    def empty(self):
        self.path.unlink(missing_ok=True)


def checkpoint(state):
    """Empties the store's write-ahead log, which could take a few changes more without room on the disk."""
    with contextlib.closing(sqlite3.connect(state)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


@pytest.mark.slow
def test_on_a_full_disk_changes_fail_and_functions_serve(small_disk):
    board = running.Dashboard(small_disk / "home").start()
    filling = Filling(small_disk)
    try:
        operations = Operations(board)
        operations.prepare()
        served = 0
        failed = {}
        for what, ask in operations.all().items():
            # Each of them finds the disk full, also within the store.
            filling.empty()
            checkpoint(board.home / "state.db")
            filling.fill()
            given = ask()
            failed[what] = given
            assert given.status in (500, 503, 507), (what, given, shutil.disk_usage(small_disk))
            message = given.json["error"]
            assert "is full" in message or "No space left on device" in message, (what, message)
            assert str(board.home) in message, f"{what} does not say where: {message}"
            assert "free some" in message, f"{what} does not say what to do: {message}"
            operations.check_nothing_changed()
            for _ in range(50):
                assert answer(board, "kept") == "one"
                served += 1
        # Far more than the room that is left: what they print is lost, they are not.
        for _ in range(2000):
            served += answer(board, "kept") == "one"
        filling.empty()
        (log,) = (board.home / "logs" / "nuclio" / "kept").glob("*.log")
        assert answer(board, "kept") == "one"
        running.wait_for(lambda: "lost here: No space left on device" in log.read_text(), "word of what was lost")
        operations.check_all_works()
        print(
            f"{len(failed)} operations failed on a full disk with status "
            f"{sorted({given.status for given in failed.values()})}, {served} events served meanwhile"
        )
    finally:
        filling.empty()
        board.stop()


@pytest.mark.slow
def test_a_deploy_that_fills_the_disk_leaves_nothing_behind(small_disk, tmp_path):
    board = running.Dashboard(small_disk / "home").start()
    try:
        operations = Operations(board)
        operations.prepare()
        code = tmp_path / "large"
        code.mkdir()
        (code / "main.py").write_text("def handler(context, event):\n    return 'large'\n")
        (code / "data").write_bytes(b"x" * 40 * MIB)
        free = shutil.disk_usage(small_disk).free
        given = board.api("PUT", "/functions/kept", body("kept", "", build={"path": str(code)}), WAIT)
        assert given.status == 500, given
        message = given.json["error"]
        assert f"writing {board.home}" in message and "No space left on device; free some space there" in message
        assert "The version that was deployed before goes on serving." in message
        assert board.function("kept")["status"]["state"] == "error"
        assert answer(board, "kept") == "one"
        running.wait_for(lambda: shutil.disk_usage(small_disk).free > free - MIB, "the room to be given back")
        assert [f.name for f in (board.home / "functions" / "nuclio" / "kept").iterdir()] == ["1"]
        operations.check_all_works()
    finally:
        board.stop()


@pytest.mark.slow
def test_a_dashboard_that_starts_on_a_full_disk_says_so(small_disk):
    board = running.Dashboard(small_disk / "home").start()
    filling = Filling(small_disk)
    try:
        operations = Operations(board)
        operations.prepare()
        board.stop()
        filling.fill()
        began = board.home / "dashboard.log"
        with pytest.raises(AssertionError, match="No space left on device|is full"):
            board.start()
        board.process.wait(30)
        assert began.exists()
        filling.empty()
        board.start()
        running.wait_for(lambda: board.function("kept")["status"]["state"] == "ready", "the function's return")
        operations.check_all_works()
    finally:
        filling.empty()
        board.stop()


# Fails what writes below a folder while a file is there: real calls of the real program, with the answer that a broken
# disk gives.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int broken(int descriptor) {
  const char* folder = getenv("BROKEN_FOLDER");
  char link[64], path[4096];
  if (access(getenv("BROKEN_SWITCH"), F_OK) != 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t size = readlink(link, path, sizeof path - 1);
  return size > 0 && strncmp(path, folder, strlen(folder)) == 0 && strncmp(path, getenv("BROKEN_NOT"), size) != 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL_WHEN_BROKEN(descriptor) if (broken(descriptor)) { errno = EIO; return -1; }

ssize_t write(int descriptor, const void* bytes, size_t size) {
  FAIL_WHEN_BROKEN(descriptor)
  return REAL(write)(descriptor, bytes, size);
}
ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t at) {
  FAIL_WHEN_BROKEN(descriptor)
  return REAL(pwrite)(descriptor, bytes, size, at);
}
ssize_t pwrite64(int descriptor, const void* bytes, size_t size, off64_t at) {
  FAIL_WHEN_BROKEN(descriptor)
  return REAL(pwrite64)(descriptor, bytes, size, at);
}
int fsync(int descriptor) {
  FAIL_WHEN_BROKEN(descriptor)
  return REAL(fsync)(descriptor);
}
int fdatasync(int descriptor) {
  FAIL_WHEN_BROKEN(descriptor)
  return REAL(fdatasync)(descriptor);
}
"""


@pytest.mark.slow
def test_on_a_broken_disk_changes_fail_and_functions_serve(tmp_path):
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        pytest.skip("there is no C compiler")
    source = tmp_path / "shim.c"
    source.write_text(SHIM)
    shim = tmp_path / "shim.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", shim, source, "-ldl"], check=True)
    switch = tmp_path / "broken"
    board = running.Dashboard(tmp_path / "home")
    board.environment |= {
        "LD_PRELOAD": str(shim),
        "BROKEN_FOLDER": str(board.home),
        "BROKEN_SWITCH": str(switch),
        "BROKEN_NOT": str(board.home / "dashboard.log"),  # the test's, not the dashboard's
    }
    board.start()
    try:
        operations = Operations(board)
        operations.prepare()
        switch.touch()
        failed = operations.run_all(["disk I/O error", "Input/output error"], "look at the disk")
        assert all(failed.values()), failed
        for _ in range(100):
            assert answer(board, "kept") == "one"
        switch.unlink()
        operations.check_all_works()
        print(f"{len(failed)} operations failed on a broken disk; all work again")

        # It breaks between the build and the moment in which the new version would take over.
        assert board.api("POST", "/functions", body("late", "one"), WAIT).status == 202
        update = body("late", "two")
        code = f"open({str(switch)!r}, 'w').close()\ndef handler(context, event):\n    return 'two'\n"
        update["spec"]["build"]["functionSourceCode"] = base64.b64encode(code.encode()).decode()
        given = board.api("PUT", "/functions/late", update, WAIT)
        assert switch.exists()
        assert given.status == 500 and "look at the disk" in given.json["error"], given
        assert "The version that was deployed before goes on serving." in given.json["error"]
        assert answer(board, "late") == "one"
        switch.unlink()
        board.process.kill()
        board.process.wait()
        board.start()
        running.wait_for(lambda: answer_or_none(board, "late") == "one", "the version that was acknowledged")
    finally:
        switch.unlink(missing_ok=True)
        board.stop()

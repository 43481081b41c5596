# SPDX-License-Identifier: Apache-2.0
"""What functions log: none of it lost, bounded on the disk, followed without a gap, also over the dashboard's death."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time

import pytest
import running

MIB = 1 << 20
LIMIT = 10 * MIB  # of a log file; there is one more, of what was moved aside
LINE = 200

TALKER = f"""
import os, sys, time

def handler(context, event):
    words = event.body.decode().split()
    if words[0] == "lines":
        first, last = int(words[1]), int(words[2])
        sys.stdout.write("".join("line %d " % i + "." * ({LINE} - 7 - len(str(i))) + "\\n" for i in range(first, last)))
    elif words[0] == "linger":
        print("it begins", flush=True)
        open(words[1], "w").close()
        time.sleep(1)
        print("it ends", flush=True)
    sys.stdout.flush()
    return "said"
"""


@pytest.fixture
def talker(tmp_path):
    path = tmp_path / "talker.py"
    path.write_text(TALKER)
    return path


def say(board, name, words):
    answer = running.request(board.url(name), "POST", body=words.encode())
    assert answer.status == 200, answer


def log_files(board, name):
    return sorted((board.home / "logs" / "nuclio" / name).iterdir())


def keepers(board):
    """The log keepers of this dashboard's functions, also when it is gone."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            program = (entry / "cmdline").read_bytes().split(b"\0")[0]
            if program.endswith(b"/log_keeper") and str(board.home) in os.readlink(entry / "cwd"):
                found.append(int(entry.name))
    return found


@pytest.mark.slow
def test_a_followed_log_has_each_line_once_while_files_are_moved_aside(dashboard, talker, tmp_path):
    dashboard.deploy("talker", talker)
    count, at_once = 300_000, 10_000
    followed = tmp_path / "followed"
    with open(followed, "wb") as out:
        nuctl = subprocess.Popen([running.BIN / "nuctl", "logs", "-f", "talker"], stdout=out, env=dashboard.environment)
    most = moves = 0
    inode = None
    try:
        for first in range(0, count, at_once):
            say(dashboard, "talker", f"lines {first} {first + at_once}")
            # Never further behind than what is kept; how fast that is, is the machine's.
            enough = (first + at_once) * LINE - 4 * MIB
            running.wait_for(lambda enough=enough: followed.stat().st_size >= enough, "what is logged to be followed")
            files = log_files(dashboard, "talker")
            most = max(most, *(file.stat().st_size for file in files))
            assert len(files) <= 2, files
            moves += inode not in (None, files[0].stat().st_ino)
            inode = files[0].stat().st_ino
        running.wait_for(lambda: b"line %d " % (count - 1) in tail(followed), "the last line to be followed")
    finally:
        nuctl.kill()
        nuctl.wait()
    numbers = [int(line.split()[1]) for line in followed.read_text().splitlines() if line.startswith("line ")]
    print(f"{len(numbers)} lines followed of {count}, {moves} files moved aside, the largest had {most} bytes")
    assert numbers == list(range(count))
    assert moves >= 5
    assert most <= LIMIT


def tail(path):
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        return file.read()


def test_what_is_logged_after_the_dashboard_was_killed_is_kept(tmp_path, talker):
    board = running.Dashboard(tmp_path / "home").start()
    try:
        board.deploy("lingers", talker)
        began = tmp_path / "began"
        url = board.url("lingers")
        host, port = url.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as connection:
            body = f"linger {began}".encode()
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            running.wait_for(began.exists, "the call to begin")
            board.process.send_signal(signal.SIGKILL)
            board.process.wait()
            assert b"said" in connection.recv(4096)
        running.wait_for(lambda: not keepers(board), "the end of its log keeper")
        (log,) = log_files(board, "lingers")
        lines = log.read_text().splitlines()
        assert lines.index("it begins") < lines.index("it ends")
        assert lines[-1].endswith("processor stopped")
    finally:
        board.stop()


def test_a_follower_ends_with_its_replica_and_has_its_last_line(dashboard, talker, tmp_path):
    dashboard.deploy("ends", talker)
    (replica,) = dashboard.api("GET", "/functions/ends/replicas").json["names"]
    followed = tmp_path / "followed"
    with open(followed, "wb") as out:
        nuctl = subprocess.Popen(
            [running.BIN / "nuctl", "logs", "-f", "ends", "--replica", replica],
            stdout=out,
            env=dashboard.environment,
        )
    try:
        say(dashboard, "ends", "lines 0 3")
        running.wait_for(lambda: b"line 2 " in followed.read_bytes(), "the lines to be followed")
        dashboard.deploy("ends", talker)
        assert nuctl.wait(30) == 0
    finally:
        nuctl.kill()
        nuctl.wait()
    assert followed.read_text().splitlines()[-1].endswith("The replica exited with code 0")


def switches(pid):
    """How often the threads of a process have given up or lost a processor until now."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if "ctxt_switches" in line:
                total += int(line.split()[1])
    return total


@pytest.mark.slow
def test_an_idle_dashboard_with_functions_sleeps(tmp_path, talker):
    board = running.Dashboard(tmp_path / "home").start()
    try:
        for name in ("one", "two", "three"):
            board.deploy(name, talker)
            say(board, name, "lines 0 10")
        watched = [board.process.pid, *keepers(board)]
        assert len(watched) == 4

        def quiet():
            """The last of what they had to do is done."""
            before = [switches(pid) for pid in watched]
            time.sleep(0.5)
            return before == [switches(pid) for pid in watched]

        # Every ten seconds of the clock replicas are asked for their metrics: not within what is measured.
        running.wait_for(lambda: 1 <= time.time() % 10 <= 3 and quiet(), "half a second without a wake-up", 60)
        before = {pid: switches(pid) for pid in watched}
        time.sleep(5)  # the time that is measured
        woken = {pid: switches(pid) - before[pid] for pid in watched}
        print(f"wake-ups in 5 s: dashboard {woken.pop(board.process.pid)}, log keepers {list(woken.values())}")
        assert sum(switches(pid) - before[pid] for pid in watched) == 0
    finally:
        board.stop()

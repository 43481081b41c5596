# SPDX-License-Identifier: Apache-2.0
"""A soak finds what it is there to find, and a short one finds nothing."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import findings  # noqa: E402
import running  # noqa: E402
from findings import Sample, Tally  # noqa: E402

MIB = 1 << 20
LIAR = "def handler(context, event):\n    return event.body + b'!' if event.path == '/echo' else 'hello'\n"


def run_of(resident=lambda at: 10 * MIB, descriptors=lambda at: 30, processes=lambda at: 5):
    parts = [number / 100 for number in range(101)]
    return [Sample(at, resident(at), MIB, descriptors(at), processes(at)) for at in parts]


def missed(found):
    return [finding.text for finding in found if not finding.good]


def test_what_stays_as_it_is_is_content():
    assert missed(findings.of_samples("x", run_of(), 0.02)) == []


def test_what_grows_only_until_it_has_settled_is_content():
    assert missed(findings.of_samples("x", run_of(resident=lambda at: 10 * MIB if at > 0.2 else MIB), 0.02)) == []


@pytest.mark.parametrize(
    ("leak", "what"),
    [
        ({"resident": lambda at: int(10 * MIB * (1 + 0.04 * at))}, "resident memory"),
        ({"descriptors": lambda at: 30 + int(10 * at)}, "descriptors"),
        ({"processes": lambda at: 5 + int(10 * at)}, "processes"),
    ],
)
def test_what_grows_slowly_is_found(leak, what):
    (text,) = missed(findings.of_samples("x", run_of(**leak), 0.02))
    assert what in text


def test_what_is_only_there_for_a_moment_is_no_leak():
    assert missed(findings.of_samples("x", run_of(processes=lambda at: 9 if int(at * 100) % 5 == 0 else 5), 0.02)) == []


def test_a_short_run_is_granted_more_than_one_that_has_settled():
    assert [findings.most_drift(seconds) for seconds in (6, 60, 300, 600, 6000)] == [0.2, 0.2, 0.04, 0.02, 0.02]


def test_a_run_without_samples_is_told():
    with pytest.raises(ValueError, match="no sample"):
        list(findings.of_samples("x", [Sample(0, MIB, MIB, 3, 2)], 0.02))


@pytest.mark.parametrize(
    ("ends", "kills", "complaint"),
    [
        ({"200": 1000, "502": 4}, 2, None),
        ({"200": 1000, "502": 5}, 2, "5 answered 502 by 2 killed"),
        ({"200": 1000, "500": 1}, 2, "'500': 1"),
        ({"200": 1000, "closed_mid_answer": 1}, 2, "'closed_mid_answer': 1"),
        ({"200": 1000, "refused": 0}, 2, None),
        ({"502": 1}, 2, "0 answered 200"),
        ({"200": 1000}, 0, "0 workers were killed"),
    ],
)
def test_each_end_is_judged(ends, kills, complaint):
    tally = Tally("hello", "200")
    for end, count in ends.items():
        tally.add(end, count)
    found = missed(findings.of_tallies("x", [tally], kills))
    assert len(found) == (complaint is not None)
    assert complaint is None or complaint in found[0]


def test_what_is_left_when_the_load_is_over_is_found():
    before = Sample(0, MIB, MIB, 20, 5)
    assert missed(findings.of_the_end("x", before, Sample(1, 9 * MIB, MIB, 20, 5))) == []
    assert len(missed(findings.of_the_end("x", before, Sample(1, MIB, MIB, 30, 9)))) == 2


def test_who_ends_while_it_is_looked_at_has_no_children():
    for _ in range(100):
        process = subprocess.Popen(["true"])
        reaper = threading.Thread(target=process.wait)
        reaper.start()
        while reaper.is_alive():
            assert running.children(process.pid) == []


def soak(*arguments):
    command = [sys.executable, HERE / "run.py", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    print(done.stdout)
    return done


@pytest.mark.slow
@pytest.mark.memory
def test_a_short_soak_finds_nothing():
    done = soak(20, "--seed", 1)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "MISS" not in done.stdout


@pytest.mark.slow
def test_a_soak_of_a_function_that_answers_wrongly_fails(tmp_path):
    (tmp_path / "function.py").write_text(LIAR)
    done = soak(6, "--seed", 1, "--code", tmp_path / "function.py")
    assert done.returncode == 1
    assert "echo: another body" in done.stdout
    assert "0 answered 500; unexpected: {'200': " in done.stdout

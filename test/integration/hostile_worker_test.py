# SPDX-License-Identifier: Apache-2.0
"""Workers that say what no worker may say, over the socket: each is cut off by name and replaced, others do not notice.

What they do stands in runtimes/hostile/worker.py.
"""

import re

import pytest
import running
from hostile_workers import LATE, REFUSED, check_that_others_do_not_notice, do_all_again_and_again

RUNTIMES = running.SOURCE / "test" / "integration" / "runtimes"
WORKERS = 3
# What the caller gets, and what the log says of the worker.
ENDS = {
    "random bytes": (502, REFUSED),
    "random frames": (502, REFUSED),
    "a length of 0": (502, REFUSED),
    "an odd length": (502, REFUSED),
    "a length of 4 GiB": (502, REFUSED),
    "an unknown type": (502, REFUSED),
    "an event": (502, REFUSED),
    "another version": (502, REFUSED),
    "unknown flags": (502, REFUSED),
    "a body elsewhere": (502, REFUSED),
    "a body of 2^63 bytes": (502, REFUSED),
    "too many strings": (502, REFUSED),
    "too many headers": (502, REFUSED),
    "a string behind the end": (502, REFUSED),
    "a string before the beginning": (502, REFUSED),
    "an unfinished frame": (408, LATE),
    "a reply to no call": (502, REFUSED),
    "a reply to call 0": (502, REFUSED),
    "replies without end": (502, REFUSED),
    "a reply twice": (200, REFUSED),
    "a chunk of no answer": (502, REFUSED),
    "a batch of replies": (502, REFUSED),
    "a second start": (502, REFUSED),
    "a closed socket": (502, r"closed its socket"),
    "closed descriptors": (502, r"closed its socket"),
    "a child that stays": (502, r"exited with code 7"),
    "much to stdout": (408, LATE),
    "much to stderr": (408, LATE),
    "logs without end": (408, LATE),
    "chunks without end": (200, LATE),
    "a stopped process": (408, LATE),
}


@pytest.fixture(scope="module")
def processor(start_processor, tmp_path_factory):
    code = tmp_path_factory.mktemp("code") / "any.hostile"
    code.write_text("")
    web = {"kind": "http", "numWorkers": WORKERS}
    spec = {"runtime": "hostile", "eventTimeout": "1500ms", "triggers": {"web": web}}
    # Longer than the second that a processor grants between the end of a socket and that of its process.
    return start_processor(code, spec, runtimes=RUNTIMES)


def test_each_thing_that_the_worker_can_do_is_tried():
    source = (RUNTIMES / "hostile" / "worker.py").read_text()
    assert set(re.findall(r'^    "(.*?)":', source, re.MULTILINE)) == set(ENDS)


# Those that only their time cuts take that time; one of them is enough for every day.
@pytest.mark.parametrize(
    "what",
    [
        pytest.param(what, marks=pytest.mark.slow) if said == LATE and what != "an unfinished frame" else what
        for what, (_, said) in ENDS.items()
    ],
)
def test_a_hostile_worker_is_cut_off_and_the_others_do_not_notice(processor, what):
    check_that_others_do_not_notice(processor, what, *ENDS[what])


@pytest.mark.slow
@pytest.mark.memory
@pytest.mark.timeout(300)
def test_hostile_workers_cost_no_memory_and_no_descriptors(processor):
    do_all_again_and_again(processor, ENDS)

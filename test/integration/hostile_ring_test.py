# SPDX-License-Identifier: Apache-2.0
"""Handlers that spoil the memory which their worker shares with the processor: it costs their own worker, nobody else.

What they do stands in functions/saboteur.py.
"""

import re

import pytest
import running
from hostile_workers import LATE, REFUSED, check_that_others_do_not_notice, do_all_again_and_again

WORKERS = 3
ENDS = {
    "noise everywhere": (502, REFUSED),
    "noise in the slots": (502, REFUSED),
    "noise in the header": (408, LATE),
    "noise in the events": (408, LATE),
    "a slot out of turn": (502, REFUSED),
    "a slot a round ahead": (502, REFUSED),
    "a slot of an event": (502, REFUSED),
    "a frame behind the end": (502, REFUSED),
    "a frame across the end": (502, REFUSED),
    "a frame at an odd place": (502, REFUSED),
    "a frame far away": (502, REFUSED),
    "a frame too long": (502, REFUSED),
    "a frame without a length": (502, REFUSED),
    "a frame nowhere": (502, REFUSED),
    "a frame of noise": (502, REFUSED),
    "a frame of another length": (502, REFUSED),
    "a reply to no call": (502, REFUSED),
    "a reply twice": (200, REFUSED),
    "an announced frame that never comes": (408, LATE),
    "another frame than announced": (502, REFUSED),
    "bytes on the socket": (408, LATE),
    "a closed ring": (408, LATE),
    "wake-ups without end": (408, LATE),
    "closed descriptors": (502, r"closed its socket"),
}


@pytest.fixture(scope="module")
def processor(start_processor):
    web = {"kind": "http", "numWorkers": WORKERS}
    spec = {"eventTimeout": "1500ms", "triggers": {"web": web}}
    return start_processor("saboteur.py", spec, platform=running.over("ring"))


def test_each_thing_that_the_handler_can_do_is_tried():
    source = (running.FUNCTIONS / "saboteur.py").read_text()
    assert set(re.findall(r'^    "(.*?)":', source, re.MULTILINE)) == set(ENDS)


@pytest.mark.parametrize(
    "what",
    [pytest.param(what, marks=pytest.mark.slow) if said == LATE else what for what, (_, said) in ENDS.items()],
)
def test_a_handler_that_spoils_its_ring_is_cut_off_and_the_others_do_not_notice(processor, what):
    check_that_others_do_not_notice(processor, what, *ENDS[what])


def test_a_ring_cannot_be_shrunk_under_the_processor(processor):
    assert processor.request("POST", body="a shrunk ring").text == "EPERM"
    assert processor.request("POST", body="well").text == "well"


@pytest.mark.slow
@pytest.mark.memory
@pytest.mark.timeout(300)
def test_spoilt_rings_cost_no_memory_and_no_descriptors(processor):
    do_all_again_and_again(processor, ENDS)

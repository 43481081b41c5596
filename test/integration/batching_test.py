# SPDX-License-Identifier: Apache-2.0
"""Several requests, one call of the handler."""

import concurrent.futures
import time

import pytest

CODE = """
import nuclio_sdk

def handler(context, events):
    assert isinstance(events, list)
    answers = []
    for event in events:
        what = event.body.decode()
        if what == "raise":
            raise ValueError("the whole batch")
        if what != "silent":
            answers.append(nuclio_sdk.Response(body=f"{what} {len(events)}", status_code=201, event_id=event.id))
    return list(reversed(answers))
"""
BATCH = {"mode": "enable", "batchSize": 4, "timeout": "150ms"}


@pytest.fixture(scope="module")
def batching(start_processor, tmp_path_factory):
    code = tmp_path_factory.mktemp("code") / "batch.py"
    code.write_text(CODE)
    return start_processor(code, {"triggers": {"web": {"kind": "http", "numWorkers": 2, "batch": BATCH}}})


def together(processor, bodies):
    with concurrent.futures.ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(lambda body: processor.request("POST", body=body), bodies))


def test_a_lone_request_waits_for_the_window(batching):
    began = time.monotonic()
    answer = batching.request("POST", body=b"a")
    assert (answer.status, answer.text) == (201, "a 1")
    assert time.monotonic() - began >= 0.14


def test_a_full_batch_does_not_wait_and_each_gets_its_own_answer(batching):
    answers = together(batching, [b"a", b"b", b"c", b"d"])
    assert [answer.text for answer in answers] == ["a 4", "b 4", "c 4", "d 4"]


def test_more_than_a_batch_makes_two(batching):
    answers = together(batching, [b"a", b"b", b"c", b"d", b"e"])
    assert sorted(answer.text.split()[1] for answer in answers) == ["1", "4", "4", "4", "4"]


def test_an_event_without_an_answer_gets_an_error_and_the_others_theirs(batching):
    answers = together(batching, [b"a", b"silent", b"c", b"d"])
    assert [answer.status for answer in answers] == [201, 500, 201, 201]


def test_a_batch_that_raises_fails_for_all_and_the_next_one_works(batching):
    answers = together(batching, [b"a", b"raise", b"c", b"d"])
    assert [answer.status for answer in answers] == [500] * 4
    assert batching.request("POST", body=b"again").text == "again 1"


def test_idle_batching_costs_nothing(batching):
    def ticks():
        fields = open(f"/proc/{batching.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    before = ticks()
    time.sleep(1)
    assert ticks() - before <= 5

# SPDX-License-Identifier: Apache-2.0
"""The account of calls and deaths says no when somebody paid who should not have."""

import pytest
import witness

# Worker 1 finished a and died in the midst of b; worker 2 finished c and lives.
LINES = ["started 1", "started 2", "began 1 a", "finished 1 a", "began 2 c", "began 1 b", "finished 2 c"]
ANSWERS = {"a": (200, "1"), "b": (502, "gone"), "c": (200, "2")}


def settle(tmp_path, lines=(), answers=(), dead=(1,)):
    book = witness.Book(tmp_path / "book")
    for line in [*LINES, *lines]:
        with book.path.open("a") as file:
            file.write(line + (" -" if line.startswith("started") else "") + "\n")
        book.read()
    return witness.settle(book, {**ANSWERS, **dict(answers)}, dead)


def test_who_died_pays_for_what_he_had(tmp_path):
    account = settle(tmp_path, answers={"d": (502, "never begun")})
    assert (account.answered, account.in_the_midst, account.at_the_end, account.handed_over) == (2, 1, 0, 1)


def test_what_was_finished_last_may_be_lost_on_its_way_back(tmp_path):
    account = settle(tmp_path, ["finished 1 b"])
    assert (account.in_the_midst, account.at_the_end) == (0, 1)


@pytest.mark.parametrize(
    ("lines", "answers", "dead", "complaint"),
    [
        ([], {"c": (502, "gone")}, [1], "no worker of it died"),
        ([], {"a": (502, "gone")}, [1], "its worker lived on"),
        (["began 2 b", "finished 2 b"], {"b": (200, "2")}, [1], "run twice"),
        ([], {"b": (200, "1")}, [1], "begun by"),
        ([], {"b": (408, "late")}, [1], "answered 408"),
        ([], {"c": (200, "1")}, [1], "begun by"),
        ([], {"e": (200, "2")}, [1], "begun by"),
        (["began 2 d"], {"d": (502, "gone")}, [1], "no worker of it died"),
    ],
)
def test_a_fault_is_found(tmp_path, lines, answers, dead, complaint):
    with pytest.raises(AssertionError, match=complaint):
        settle(tmp_path, lines, answers, dead)


def test_a_worker_works_on_one_call_at_a_time(tmp_path):
    with pytest.raises(AssertionError, match="in the midst of b"):
        settle(tmp_path, ["began 1 d"])

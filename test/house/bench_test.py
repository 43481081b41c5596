# SPDX-License-Identifier: Apache-2.0
"""What ./dev bench makes of its figures."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import report  # noqa: E402
import verdicts  # noqa: E402


def row(server, workload="hello", busy=1.0, **figures):
    given = {"requests_per_second": 1000.0, "cpu_micros": 10.0, "p50_micros": 30.0, "p99_micros": 60.0, "failed": 0}
    return {"workload": workload, "connections": 64, "server": server, "busy": busy, **given, **figures}


def results(*rows):
    machine = {"cpu": "C", "cores": 2, "memory_gib": 1, "system": "S", "kernel": "K", "compiler": "c", "python": "p"}
    made = {"machine": machine, "rounds": 1, "seconds": 1, "throughput": list(rows)}
    return {**made, "verdicts": verdicts.verdicts(made)}


def verdict(made, what):
    return next(one["result"] for one in made["verdicts"] if one["what"].startswith(what))


def test_what_was_not_measured_is_unknown():
    assert {one["result"] for one in results()["verdicts"]} == {"unknown"}


@pytest.mark.parametrize(("ratio", "result"), [(1.12, "ok"), (1.13, "miss")])
def test_a_target_is_met_or_missed(ratio, result):
    assert verdict(results(row("C++ in process", cpu_micros_of_bare=ratio)), "C++ hello") == result


@pytest.mark.parametrize(
    ("ratio", "ours", "theirs", "result"),
    [(0.7, 0.95, 0.95, "ok"), (0.5, 0.95, 0.95, "miss"), (0.7, 0.95, 0.5, "unclear"), (0.5, 0.5, 0.95, "unclear")],
)
def test_a_rate_says_nothing_when_the_load_was_the_limit(ratio, ours, theirs, result):
    made = results(row("Python, ring", busy=ours, requests_per_second_of_bjoern=ratio), row("bjoern", busy=theirs))
    assert verdict(made, "Python hello, req/s") == result


def test_a_server_that_is_missing_says_why_in_its_line():
    made = results(row("bjoern"), {"workload": "hello", "connections": 64, "server": "granian", "missing": "no luck"})
    text = report.aligned(report.tables(made)[0])
    assert text.splitlines()[-1].split() == ["granian", "64", "no", "luck"]
    assert "| granian | 64 | no luck |" in report.page(made)


def test_the_page_keeps_one_run_and_what_people_wrote(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nan old run\n{report.END}\nafter\n")
    made = results(row("bare epoll"))
    report.write_page(made, page)
    once = page.read_text()
    report.write_page(made, page)
    assert page.read_text() == once
    assert once.startswith("before\n") and once.endswith("after\n") and "an old run" not in once
    assert "| bare epoll | 64 | 1 000 |" in once


def test_the_real_page_has_a_place_for_a_run():
    text = (ROOT / "docs/performance.md").read_text()
    assert text.index(report.BEGIN) < text.index(report.END)

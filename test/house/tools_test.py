# SPDX-License-Identifier: Apache-2.0
"""What stands between a red test and a green run."""

import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
PASSED = '<testcase classname="A" name="passes"/>'
FAILED = '<testcase classname="A" name="fails"><failure/></testcase>'
BROKEN = '<testcase classname="B" name="breaks"><error/></testcase>'
SKIPPED = '<testcase classname="A" name="skips"><skipped/></testcase>'


def tool(name: str, *arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, TOOLS / name, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize(
    ("cases", "code", "said"),
    [
        ([PASSED, PASSED + SKIPPED], 0, "2 passed, 0 failed, 1 skipped\n"),
        ([PASSED, FAILED + BROKEN], 1, "failed  A: fails\nfailed  B: breaks\n1 passed, 2 failed, 0 skipped\n"),
        ([SKIPPED], 1, "0 passed, 0 failed, 1 skipped\nNo test ran.\n"),
        ([], 1, "0 passed, 0 failed, 0 skipped\nNo test ran.\n"),
    ],
)
def test_the_sum_of_a_run_fails_for_a_failed_test_and_for_no_test(cases, code, said, tmp_path):
    for number, case in enumerate(cases):
        (tmp_path / f"{number}.xml").write_text(f"<testsuites><testsuite>{case}</testsuite></testsuites>")
    done = tool("count_tests.py", tmp_path)
    assert (done.returncode, done.stdout) == (code, said)


def test_the_texts_inside_a_vector_file_become_seeds(tmp_path):
    (tmp_path / "vectors").mkdir()
    (tmp_path / "vectors/a.json").write_text('[{"name": "get", "bytes": "474554", "parts": ["POST"], "size": 3}]')
    (tmp_path / "vectors/b.yaml").write_text("a: 1\n")
    (tmp_path / "kept.hex").write_text("0001ff\n6b657074\n")
    sources = [tmp_path / "vectors", tmp_path / "kept.hex", tmp_path / "missing.hex"]
    done = tool("fuzz_seeds.py", tmp_path / "seeds", *sources)
    assert done.returncode == 0, done.stderr
    assert {seed.read_bytes() for seed in (tmp_path / "seeds").iterdir()} == {
        b"get",
        b"474554",
        b"GET",
        b"POST",
        b"a: 1\n",
        b"\x00\x01\xff",
        b"kept",
    }

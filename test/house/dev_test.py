# SPDX-License-Identifier: Apache-2.0
"""The script that everybody meets first."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERBS = ["run", "test", "build", "bench", "images", "lint", "gen", "asan", "tsan", "fuzz", "soak", "cluster"]


def dev(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess:
    return subprocess.run([ROOT / "dev", *arguments], cwd=cwd, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("arguments", [[], ["help"], ["--help"]])
def test_help_explains_each_verb(arguments, tmp_path):
    done = dev(*arguments, cwd=tmp_path)
    assert done.returncode == 0
    for verb in VERBS:
        assert re.search(rf"^  {verb}\b.* {{2,}}[A-Z]", done.stdout, re.MULTILINE), f"{verb} is not explained"


def test_help_names_every_verb_that_the_script_has():
    verbs = re.findall(r"^verb_(\w+)\(\)", (ROOT / "dev").read_text(), re.MULTILINE)
    assert set(VERBS) < set(verbs)
    for verb in verbs:
        assert re.search(rf"^  {verb}\b", dev().stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["biuld"], 'there is no verb "biuld"'),
        (["build", "everything"], 'build takes no arguments, got "everything"'),
        (["run", "--fast"], 'run takes --stop or nothing, not "--fast"'),
        (["test", "--slow"], 'not "--slow"'),
        (["bench", "fast"], 'bench takes quick, cluster, --page and --again, not "fast"'),
        (["soak", "long"], 'soak takes a number of seconds up to 99999, not "long"'),
        (["images", "--all"], 'images takes a registry, --only NAME,..., --plain-http and --fresh, not "--all"'),
        (["cluster", "start"], 'cluster takes up, down or status, not "start"'),
        (["cluster", "down", "--addons"], 'cluster down does not take "--addons"'),
        (["fuzz", "long"], 'fuzz takes a number of seconds or --keep, not "long"'),
    ],
)
def test_a_mistyped_command_is_told_what_would_do(arguments, complaint):
    done = dev(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert complaint in done.stderr
    assert "./dev help" in done.stderr


@pytest.mark.parametrize(
    "packages",
    sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("[a-z]*/**/packages.txt") if "build" not in path.parts),
)
def test_the_packages_are_names_that_apt_can_take(packages):
    for line in (ROOT / packages).read_text().splitlines():
        assert re.fullmatch(r"([a-z0-9][a-z0-9.+-]+)?\s*(#.*)?", line), line

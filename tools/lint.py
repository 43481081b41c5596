# SPDX-License-Identifier: Apache-2.0
"""Formatting and static checks of the whole tree; `./dev lint` runs it.

What takes seconds a file (clang-tidy, a header compiled by itself) is remembered in build/lint under a hash of
everything the answer depends on, so that a second run looks only at what changed.
"""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REMEMBERED = ROOT / "build/lint"
CODE = ("src", "runtimes", "bench", "examples", "test", "tools")
INCLUDED = ("src", "tools", "runtimes/wire", "runtimes/cpp/include", "build/release/generated")
# Beside tests it gets little of the CPU.
SECONDS_A_FILE = 1800
# clang-tidy is of another version than the compiler, and a file that includes too little shall be found.
NOT_FOR_TIDY = re.compile(
    r"-Werror|-Winvalid-pch|-fpch-instantiate-templates|-Xclang (?:-fno-pch-timestamp|-include(?:-pch)? -Xclang \S+)"
)


def sources(*suffixes: str) -> list[Path]:
    found = (file for folder in CODE for file in (ROOT / folder).rglob("*") if file.suffix in suffixes)
    return sorted(file for file in found if file.is_file() and "node_modules" not in file.parts)


def run(command: list, folder: Path = ROOT) -> str:
    """Runs a check in the folder. Returns what it complained about; nothing when it was content."""
    done = subprocess.run(
        command,
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS_A_FILE,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout or f"{command[0]} exited with {done.returncode}"


def seen(file: Path) -> set[Path]:
    """The file and, through its includes, all files of ours that it sees."""
    found, waiting = set(), [file]
    while waiting:
        here = waiting.pop()
        if here in found:
            continue
        found.add(here)
        for name in re.findall(r'^\s*#\s*include\s*["<]([^">]+)[">]', here.read_text(), re.MULTILINE):
            places = (here.parent, *(ROOT / folder for folder in INCLUDED))
            waiting += [(place / name).resolve() for place in places if (place / name).is_file()][:1]
    return found


def remembered(check: str, command: list[str], file: Path) -> str:
    """Runs the command on the file unless the same command was content with the same text before."""
    digest = hashlib.sha256(shlex.join(map(str, command)).encode())
    for path in (ROOT / ".clang-tidy", *sorted(seen(file))):
        digest.update(f"\n{path}\n".encode() + path.read_bytes())
    mark = REMEMBERED / f"{check}-{digest.hexdigest()}"
    if mark.exists():
        return ""
    complaint = run(command)
    if not complaint:
        mark.touch()
    return complaint


def on_each(check: Callable[[Path], str], files: list[Path]) -> list[str]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [complaint for complaint in pool.map(check, files) if complaint]


def formatting() -> list[str]:
    complaint = run(["clang-format-19", "--dry-run", "-Werror", *sources(".cc", ".h", ".c")])
    unformatted = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error", complaint, re.MULTILINE)))
    return [f"to be formatted by `clang-format-19 -i`: {' '.join(unformatted)}" if unformatted else complaint]


def tidy() -> list[str]:
    entries = json.loads((ROOT / "build/release/compile_commands.json").read_text())
    # A file of two programs is looked at once.
    entries = list({entry["file"]: entry for entry in entries if entry["file"].endswith(".cc")}.values())
    for entry in entries:
        entry["command"] = NOT_FOR_TIDY.sub("", entry["command"])
    (REMEMBERED / "compile_commands.json").write_text(json.dumps(entries))
    command = [str(Path(sys.executable).parent / "clang-tidy"), "--quiet", "-p", str(REMEMBERED)]
    files = [Path(entry["file"]) for entry in entries]
    return on_each(lambda file: remembered(f"tidy-{version('clang-tidy')}", [*command, str(file)], file), files)


def leads(header: Path) -> bool:
    """Whether its own .cc file includes the header before anything else: then tidy has compiled it by itself."""
    own = header.with_suffix(".cc")
    first = own.is_file() and re.search(r"^#include .(.+).$", own.read_text(), re.MULTILINE)
    return bool(first) and header.as_posix().endswith("/" + first[1])


def headers_alone() -> list[str]:
    command = ["clang++-19", "-std=c++23", "-fsyntax-only", "-Wall", "-Wextra", "-Werror"]
    command += ["-Wno-missing-field-initializers", "-Wno-unused-const-variable"]
    command += [f"-I{folder}" for folder in INCLUDED] + ["-x", "c++-header"]
    headers = [file for file in sources(".h") if {"src", "include"} & set(file.relative_to(ROOT).parts)]
    headers = [header for header in headers if not leads(header)]
    return on_each(lambda file: remembered("header", [*command, str(file)], file), headers)


def shell() -> list[str]:
    scripts = [ROOT / "dev", ROOT / ".ci/run", *sources(".sh")]
    return [run(["bash", "-n", script]) for script in scripts] + [
        run(["shellcheck", "--external-sources", "--source-path=SCRIPTDIR", *scripts])
    ]


def python() -> list[str]:
    files = sources(".py")
    ruff = [Path(sys.executable).parent / "ruff"]
    return [
        run([sys.executable, "-c", "import sys; [compile(open(f).read(), f, 'exec') for f in sys.argv[1:]]", *files]),
        run([*ruff, "check", "--no-cache", *files]),
        run([*ruff, "format", "--no-cache", "--check", *files]),
    ]


def web() -> list[str]:
    # `./dev build` has put Node.js and the app's packages there.
    folder, packages = ROOT / "web", ROOT / "web/node_modules"
    checks = (
        ["prettier/bin/prettier.cjs", "--check", "--log-level=warn", "."],
        ["typescript/bin/tsc", "--project", "journeys"],
        ["svelte-check/bin/svelte-check", "--fail-on-warnings", "--output=human"],
    )
    return [run([ROOT / "build/node/bin/node", packages / program, *flags], folder) for program, *flags in checks]


def main() -> int:
    REMEMBERED.mkdir(parents=True, exist_ok=True)
    failed = 0
    for check in (formatting, python, shell, web, headers_alone, tidy):
        complaints = [complaint for complaint in check() if complaint]
        print(f"{check.__name__.replace('_', ' '):14} {'ok' if not complaints else 'FAILED'}", flush=True)
        for complaint in complaints:
            print(complaint)
        failed += len(complaints)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""The rules of the house that a program can check. Each function looks at a tree and returns its complaints.

They take the tree as a parameter, so that the tests can show each of them a bad one.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

# From the bottom to the top: a folder may include itself and what stands before it.
LIBRARIES = ["base", "loop", "http", "schema", "spec", "wire", "clients", "k8s", "oci", "builder", "platform"]
# On top of all libraries, and of no other program.
PROGRAMS = ["processor", "log_keeper", "controller", "dealer", "scaler", "dashboard", "nuctl"]

# Headers that cost seconds a file, or that belong to one folder: the pattern, where it may be included, and why.
KEPT_IN = [
    (r"sys/epoll\.h", r"src/loop/.*", "src/loop is the only place that knows epoll"),
    (r"yaml-cpp/.*", r"src/schema/.*\.cc", "YAML becomes a JSON value once, in src/schema"),
    (r"curl/.*", r"src/(http|clients)/.*\.cc", "the HTTP client is src/http"),
    (r"sqlite3\.h", r"src/platform/.*\.cc", "the local state is src/platform's"),
    (r"CLI/.*", r"src/.*\.cc", "it costs seconds in each file that sees it"),
    (r"boost/json\.hpp|boost/json/src\.hpp", r".*\.cc", "headers name boost/json/fwd.hpp or value.hpp"),
]

SOURCES = (".cc", ".h", ".c", ".py", ".sh", ".cmake")
SPDX = "SPDX-License-Identifier: Apache-2.0"
NO_NAMES = {"util", "utils", "common", "helper", "helpers", "misc"}
SKIPPED = {".git", "build", "__pycache__", "node_modules", ".ruff_cache", ".pytest_cache"}


def files(root: Path) -> Iterator[Path]:
    """Every file of the tree that people write, relative to its root, in order."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for name in sorted(names):
            yield (Path(folder) / name).relative_to(root)


def includes(text: str) -> Iterator[tuple[int, str, bool]]:
    """The line number and name of each #include, and whether it is quoted."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line):
            yield number, found[2], found[1] == '"'


def include_directions(root: Path) -> list[str]:
    complaints = []
    known = LIBRARIES + PROGRAMS
    for file in files(root):
        if file.suffix not in (".h", ".cc") or file.parts[0] != "src":
            continue
        folder = file.parts[1]
        if folder not in known:
            complaints.append(f"{file}: src/{folder} is not on the map; its place is in test/house/checks.py")
            continue
        allowed = LIBRARIES if folder in PROGRAMS else LIBRARIES[: LIBRARIES.index(folder)]
        for line, name, quoted in includes((root / file).read_text()):
            included = name.split("/")[0]
            if included in known and included != folder and included not in allowed:
                complaints.append(f'{file}:{line}: {folder} must not include "{name}": {included} stands above it')
            elif quoted and "/" not in name and not is_c_interface(name):
                complaints.append(f'{file}:{line}: "{name}" is to be named from src, as in "{folder}/{name}"')
    return complaints


def is_c_interface(name: str) -> bool:
    """The wire's C interface is shared with the runtimes and stands outside src."""
    return name == "nuclio_wire.h"


def kept_headers(root: Path) -> list[str]:
    complaints = []
    for file in files(root):
        if file.suffix not in (".h", ".cc") or file.parts[0] != "src":
            continue
        for line, name, _ in includes((root / file).read_text()):
            for pattern, home, why in KEPT_IN:
                if re.fullmatch(pattern, name) and not re.fullmatch(home, file.as_posix()):
                    complaints.append(f"{file}:{line}: <{name}> does not belong here: {why}")
    return complaints


def folder_names(root: Path) -> list[str]:
    """A thing lives with what it is about; these names are about nothing."""
    found = set()
    for file in files(root):
        for depth, part in enumerate(file.parts, 1):
            if (part if depth < len(file.parts) else file.stem) in NO_NAMES:
                found.add(Path(*file.parts[:depth]).as_posix())
    return [f"{path}: is named after nothing; name it after its subject" for path in sorted(found)]


def licence_lines(root: Path) -> list[str]:
    complaints = []
    for file in files(root):
        if file.suffix not in SOURCES and file.as_posix() not in ("dev", ".ci/run"):
            continue
        lines = (root / file).read_text().splitlines()[:2]
        if lines and lines[0].startswith("#!"):
            lines = lines[1:]
        if not lines or SPDX not in lines[0]:
            complaints.append(f"{file}: the first line is to say {SPDX}")
    return complaints


def folder_readmes(root: Path) -> list[str]:
    """A folder of the tree's first two levels that holds anything tells what."""
    wanted = set()
    for file in files(root):
        parts = file.parts
        if parts[0].startswith(".") or len(parts) < 2:
            continue
        wanted.add(parts[0])
        if parts[0] in ("src", "runtimes", "test", "docs", "examples") and len(parts) > 2:
            wanted.add("/".join(parts[:2]))
    return [f"{folder}: has no README.md" for folder in sorted(wanted) if not (root / folder / "README.md").is_file()]


def links(root: Path) -> list[str]:
    complaints = []
    for file in files(root):
        if file.suffix != ".md":
            continue
        fenced = False
        for number, line in enumerate((root / file).read_text().splitlines(), 1):
            if line.lstrip().startswith("```"):
                fenced = not fenced
            for target in [] if fenced else re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
                path = target.split("#")[0]
                if path and not re.match(r"[a-z]+:", path) and not (root / file.parent / path).exists():
                    complaints.append(f"{file}:{number}: the link to {target} leads nowhere")
    return complaints


def same_files(fresh: Path, committed: Path) -> list[str]:
    """Compares what was generated just now with what is committed."""
    complaints = []
    new = {path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()}
    old = {path.relative_to(committed) for path in committed.rglob("*") if path.is_file()}
    for path in sorted(new | old):
        if path not in new:
            if path.name != "README.md":
                complaints.append(f"{committed / path}: is no longer generated; delete it")
        elif path not in old:
            complaints.append(f"{committed / path}: is missing; `./dev gen` writes it")
        elif (fresh / path).read_bytes() != (committed / path).read_bytes():
            complaints.append(f"{committed / path}: is stale; `./dev gen` writes it anew")
    return complaints

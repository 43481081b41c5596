# SPDX-License-Identifier: Apache-2.0
"""Makes the seeds of a fuzz target: `fuzz_seeds.py OUT FILE-OR-FOLDER...`, test vectors and kept corpora.

A vector file wraps the inputs of a parser in JSON together with what is expected, so a target that was started from
the file itself would first have to discover the inside of a string. Each text in it becomes a seed, a text of hex
digits also as the bytes that it stands for. Of a .hex file each line is a seed; another file is one as it is.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

SMALLEST = 2


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def seeds(file: Path) -> Iterator[bytes]:
    if file.suffix == ".hex":
        for line in file.read_text().splitlines():
            yield bytes.fromhex(line)
        return
    if file.suffix != ".json":
        yield file.read_bytes()
        return
    for text in texts(json.loads(file.read_text())):
        yield text.encode("utf-8", "surrogatepass")
        try:
            yield bytes.fromhex(text)
        except ValueError:
            pass


def files(sources: list[Path]) -> Iterator[Path]:
    for source in sources:
        if source.is_dir():
            yield from sorted(path for path in source.rglob("*") if path.is_file() and path.suffix != ".md")
        elif source.exists():
            yield source


def main() -> None:
    out, *sources = map(Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    written = set()
    for file in files(sources):
        for seed in seeds(file):
            if len(seed) >= SMALLEST:
                name = hashlib.sha256(seed).hexdigest()[:16]
                written.add(name)
                (out / name).write_bytes(seed)
    print(f"{len(written)} seeds from {', '.join(map(str, sources))}")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Keeps what fuzzing found: `fuzz_keep.py TARGET CORPUS.hex FOLDER...`.

libFuzzer picks the inputs that cover what all of them cover; they are written one a line, as hex digits, shortest
first, so that a change of the corpus can be read and merged like any text. What is long covers little that is worth
its place in the repository.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

LONGEST = 2048
MOST_BYTES = 60_000


def main() -> None:
    target, corpus, *folders = map(Path, sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        candidates, picked = Path(folder) / "candidates", Path(folder) / "picked"
        candidates.mkdir()
        picked.mkdir()
        for source in (path for found in folders for path in found.iterdir()):
            if source.stat().st_size <= LONGEST:
                (candidates / source.name).write_bytes(source.read_bytes())
        merge = [target.resolve(), "-set_cover_merge=1", "-timeout=10", picked, candidates]
        subprocess.run(merge, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        inputs = sorted((path.read_bytes() for path in picked.iterdir()), key=lambda data: (len(data), data))
    kept, size = [], 0
    for data in inputs:
        size += len(data)
        if size > MOST_BYTES:
            break
        if data:
            kept.append(data.hex())
    corpus.write_text("".join(f"{line}\n" for line in kept))
    print(f"{corpus}: {len(kept)} inputs")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Adds up the JUnit files that a run of the tests left in a folder and says the sum in one line.

Fails when a test failed, and when no test ran at all: a run that tested nothing proves nothing.
"""

import sys
import xml.etree.ElementTree as xml
from collections.abc import Iterable
from pathlib import Path


def count(files: Iterable[Path]) -> tuple[int, list[str], int]:
    """Returns how many cases passed, the names of those that failed, and how many were skipped."""
    passed, failed, skipped = 0, [], 0
    for file in files:
        for case in xml.parse(file).iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed.append(f"{case.get('classname')}: {case.get('name')}")
            elif case.find("skipped") is not None or case.get("status") == "notrun":
                skipped += 1
            else:
                passed += 1
    return passed, failed, skipped


def main() -> int:
    passed, failed, skipped = count(sorted(Path(sys.argv[1]).glob("*.xml")))
    for name in failed:
        print(f"failed  {name}")
    print(f"{passed} passed, {len(failed)} failed, {skipped} skipped")
    if passed + len(failed) == 0:
        print("No test ran.")
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

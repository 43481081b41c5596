# SPDX-License-Identifier: Apache-2.0
"""Decisions of `./dev images` that need no image; what it makes is in test/integration/images_test.py."""

import subprocess
import sys
from pathlib import Path

import pytest

IMAGES = Path(__file__).resolve().parents[2] / "tools/images"

DEP5 = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2001 A
License: {0}
"""


def licence_of(text: str) -> str:
    # In a process of its own, where its modules are found by the names that they have there.
    command = [sys.executable, "-c", "import licences, sys; print(licences.of(sys.stdin.read()))"]
    return subprocess.run(
        command, cwd=IMAGES, input=text, capture_output=True, text=True, timeout=30, check=True
    ).stdout.strip()


@pytest.mark.parametrize(
    ("debian", "spdx"),
    [
        ("GPL-2+", "GPL-2.0-or-later"),
        ("LGPL-2.1", "LGPL-2.1-only"),
        ("Expat", "MIT"),
        ("Artistic or GPL-1+", "(Artistic-1.0 OR GPL-1.0-or-later)"),
        ("GPL-2+ or MPL-1.1, and Expat", "(GPL-2.0-or-later OR MPL-1.1) AND MIT"),
        ("GPL-3+ with Bison exception", "LicenseRef-Debian-GPL-3-with-Bison-exception"),
        ("...", "LicenseRef-Debian-..."),
    ],
)
def test_debians_words_for_licences_become_those_of_spdx(debian, spdx):
    assert licence_of(DEP5.format(debian)) == spdx


def test_all_licences_of_a_package_count_once_each():
    text = DEP5.format("Expat") + "\nFiles: b\nLicense: BSD-3-clause\n some text\n\nLicense: Expat\n more text\n"
    assert licence_of(text) == "BSD-3-Clause AND MIT"


def test_what_is_written_for_people_only_says_nothing():
    assert licence_of("This package is under the GPL.\nLicense: see below\n") == "NOASSERTION"

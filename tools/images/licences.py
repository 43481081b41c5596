# SPDX-License-Identifier: Apache-2.0
"""What Debian's copyright files say of licences, in SPDX's words."""

import re

FORMAT = re.compile(r"^Format(-Specification)?:\s*\S*(copyright-format|dep5|DEP5)", re.MULTILINE | re.IGNORECASE)
# Debian's short names that SPDX has another word for. A name with "+" is in ORDINARY with "-or-later".
ORDINARY = {
    "agpl-3": "AGPL-3.0",
    "gpl-1": "GPL-1.0",
    "gpl-2": "GPL-2.0",
    "gpl-2.0": "GPL-2.0",
    "gpl-3": "GPL-3.0",
    "gpl-3.0": "GPL-3.0",
    "lgpl-2": "LGPL-2.0",
    "lgpl-2.0": "LGPL-2.0",
    "lgpl-2.1": "LGPL-2.1",
    "lgpl-3": "LGPL-3.0",
    "lgpl-3.0": "LGPL-3.0",
    "gfdl-1.2": "GFDL-1.2",
    "gfdl-1.3": "GFDL-1.3",
}
WORDS = {
    "apache-2.0": "Apache-2.0",
    "apache-2": "Apache-2.0",
    "artistic": "Artistic-1.0",
    "artistic-2.0": "Artistic-2.0",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "bsd-4-clause": "BSD-4-Clause",
    "bsd-4-clause-uc": "BSD-4-Clause-UC",
    "bsl-1.0": "BSL-1.0",
    "boost-1.0": "BSL-1.0",
    "cc0-1.0": "CC0-1.0",
    "cc0": "CC0-1.0",
    "curl": "curl",
    "expat": "MIT",
    "isc": "ISC",
    "mpl-1.1": "MPL-1.1",
    "mpl-2.0": "MPL-2.0",
    "openssl": "OpenSSL",
    "psf-2": "PSF-2.0",
    "unicode": "Unicode-DFS-2016",
    "zlib": "Zlib",
    "zlib/libpng": "Zlib",
}
NOTHING_SAID = "NOASSERTION"


def word(name: str) -> str:
    """SPDX's word for Debian's, or a LicenseRef."""
    small = name.lower()
    if small in WORDS:
        return WORDS[small]
    plain = small.removesuffix("+")
    if plain in ORDINARY:
        return ORDINARY[plain] + ("-or-later" if small.endswith("+") else "-only")
    return "LicenseRef-Debian-" + (re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-") or "unnamed")


def expression(text: str) -> str:
    """`GPL-2+ or Artistic, and Expat` as SPDX writes it. "with" has no list of exceptions that both agree on."""
    clauses = []
    # A comma binds less than the words: "A or B, and C" is (A or B) and C.
    for clause in re.split(r",\s*and\s+|,\s*(?!or\s)", text):
        parts = re.split(r"\s+(and|or)\s+|,\s*(or)\s+", clause.strip())
        words = [part for part in parts if part]
        if not words:
            continue
        said = " ".join(each.upper() if each in ("and", "or") else word(each) for each in words)
        clauses.append(f"({said})" if len(words) > 1 else said)
    return " AND ".join(clauses)


def of(copyright_file: str) -> str:
    """All licences of a package; NOASSERTION when its file is written for people only."""
    if not FORMAT.search(copyright_file[:2000]):
        return NOTHING_SAID
    found = set(re.findall(r"^License:[ \t]*(\S.*?)[ \t]*$", copyright_file, re.MULTILINE))
    said = sorted({expression(text) for text in found} - {""})
    return " AND ".join(said) or NOTHING_SAID

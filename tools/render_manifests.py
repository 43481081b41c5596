#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes deploy/kubernetes/nuclio.yaml: the chart deploy/helm/nuclio with its defaults in the namespace nuclio.

Helm is built for it from Go modules, once. Prints what it wrote; nothing when all was as it should be.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHART = ROOT / "deploy/helm/nuclio"
MANIFESTS = ROOT / "deploy/kubernetes"
CACHE = Path(
    os.environ.get("CLUSTER_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nuclio-cluster"
)
HEADER = """\
# SPDX-License-Identifier: Apache-2.0
# Nuclio in the namespace nuclio. Made by tools/render_manifests.py from deploy/helm/nuclio; change it there.
"""
# Who applies this with kubectl has no release of Helm.
OF_HELM = re.compile(r"^# Source: .*\n|^ +(app\.kubernetes\.io/managed-by|helm\.sh/chart): .*\n", re.MULTILINE)


def helm() -> Path:
    """The program, built when it is not there yet."""
    subprocess.run([ROOT / "test/cluster/build.sh", "helm"], check=True)
    return CACHE / "bin/helm"


def manifests(program: Path) -> dict[str, str]:
    command = [program, "template", "nuclio", CHART, "--namespace", "nuclio", "--set", "crd.create=false"]
    rendered = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout
    return {"nuclio.yaml": HEADER + OF_HELM.sub("", rendered)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=MANIFESTS, help="folder to write to (deploy/kubernetes)")
    options = parser.parse_args()
    for name, text in manifests(helm()).items():
        file = options.out / name
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
            print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""Measures our processor beside other servers and in its idle moments, and the building of images, in one go.

The server is on one core, with all its processes, and the load on another; without a second core they share one, and
the figures are worth little. Every figure stands beside that of a bare server in the same minute, since a number
without one says more about the machine than about us.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import cluster
import images
import lives
import machine
import report
import throughput
from servers import Others, Processors, Unavailable
from verdicts import Verdict, verdicts

ROOT = Path(__file__).resolve().parents[1]


def measure(options: argparse.Namespace) -> dict:
    began = time.monotonic()

    def told(what: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {what}", file=sys.stderr, flush=True)

    rounds = 1 if options.quick else 5
    with tempfile.TemporaryDirectory(prefix="nuclio-bench-") as scratch:
        processors = Processors(options.bin.resolve(), Path(scratch))
        others = Others(options.kept.resolve(), Path(scratch))
        results = {"machine": machine.describe(), "rounds": rounds, "seconds": 1, "quick": options.quick}
        if "memory" in options.parts:
            told("memory")
            names = tuple(throughput.OURS) if options.quick else throughput.HELLO + throughput.PYTHON
            results["memory"] = lives.memory(others, processors, names)
        if "start" in options.parts:
            told("start and replacement")
            results["start_up"] = lives.start_up(processors, 3 if options.quick else 7)
        if "idle" in options.parts:
            told("idle functions")
            results["idle"] = lives.idle(processors, *((20, 2) if options.quick else (100, 10)))
        if "images" in options.parts and not options.quick:
            told("images")
            try:
                results["images"] = images.images(options.bin.resolve(), Path(scratch), rounds)
            except Unavailable as missing:
                results["images"] = [{"who": "nuctl build", "missing": str(missing)}]
        if "cluster" in options.parts:
            told("functions on a cluster")
            results["cluster"] = cluster.cluster(options.bin.resolve(), Path(scratch), rounds)
        results["throughput"] = []
        if "load" in options.parts:
            results["throughput"] = throughput.all_rows(others, processors, rounds, 1, options.quick, told)
    told("done")
    results["verdicts"] = verdicts(results)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "what", nargs="?", choices=["quick", "cluster"], help="one round of less, in under a minute; or a cluster alone"
    )
    parser.add_argument("--page", action="store_true", help="keep the run in docs/performance.md")
    parser.add_argument("--again", action="store_true", help="measure nothing and show what --out holds")
    parser.add_argument("--bin", type=Path, default=ROOT / "build/release/bin", help="the folder of the programs")
    parser.add_argument("--out", type=Path, default=ROOT / "build/bench.json", help="where the figures go, as JSON")
    parser.add_argument("--kept", type=Path, default=ROOT / "build/bench", help="where other servers are installed")
    parser.add_argument(
        "--parts",
        type=lambda text: text.split(","),
        default=["load", "start", "memory", "idle", "images"],
        help="what to measure, of load,start,memory,idle,images,cluster",
    )
    options = parser.parse_args()
    options.quick = options.what == "quick"
    if options.what == "cluster":
        options.parts = ["cluster"]

    results = json.loads(options.out.read_text()) if options.again else measure(options)
    options.out.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    for table in report.tables(results):
        print(report.aligned(table))
    print()
    for verdict in results["verdicts"]:
        if options.what == "cluster" and verdict["result"] == "unknown":
            continue
        print(Verdict(**verdict).line())
    if options.page:
        report.write_page(results, ROOT / "docs/performance.md")
    print(f"\nMiddle of {results['rounds']} rounds of {results['seconds']} s; all figures are in {options.out}")
    if len(machine.ALLOWED) < 2:
        print("There is one core only: the load took its share of each figure.")
    if any(row.get("failed") for row in results["throughput"]):
        sys.exit("some requests failed: the figures do not count")


if __name__ == "__main__":
    main()

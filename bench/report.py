# SPDX-License-Identifier: Apache-2.0
"""A run's results as tables: aligned for the terminal, and the same as Markdown for docs/performance.md."""

from pathlib import Path

BEGIN = "<!-- Written by ./dev bench --page; what stands between these lines is not to be edited. -->"
END = "<!-- The end of what ./dev bench --page writes. -->"

Table = tuple[str, list[str], list[list[str]]]


def number(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:,.{digits}f}".replace(",", " ")


def throughput(rows: list[dict]) -> list[Table]:
    head = [
        "server",
        "conns",
        "req/s",
        "CPU µs",
        "p50 µs",
        "p99 µs",
        "busy",
        "× bare CPU",
        "× bjoern CPU",
        "× bjoern req/s",
    ]
    tables = []
    for workload in dict.fromkeys(row["workload"] for row in rows):
        lines = []
        for row in (row for row in rows if row["workload"] == workload):
            start = [row["server"], str(row["connections"])]
            if "missing" in row:
                lines.append([*start, row["missing"]])
                continue
            lines.append(
                [
                    *start,
                    number(row["requests_per_second"], 0),
                    number(row["cpu_micros"]),
                    number(row["p50_micros"], 0),
                    number(row["p99_micros"], 0),
                    f"{row['busy']:.0%}",
                    number(row.get("cpu_micros_of_bare"), 2),
                    number(row.get("cpu_micros_of_bjoern"), 2),
                    number(row.get("requests_per_second_of_bjoern"), 2),
                ]
            )
        if "bare epoll" not in {row["server"] for row in rows if row["workload"] == workload}:
            lines = [line[:7] + line[8:] for line in lines]
            tables.append((workload, head[:7] + head[8:], lines))
        else:
            tables.append((workload, head, lines))
    return tables


def tables(results: dict) -> list[Table]:
    made = throughput(results["throughput"])
    if start := results.get("start_up"):
        lines = [
            [row["what"], f"{row['median']:.1f} {row['unit']}", f"{row['worst']:.1f} {row['unit']}"] for row in start
        ]
        made.append(("start and replacement", ["what", "median", "worst"], lines))
    if memory := results.get("memory"):
        keys = ("idle", "idle_tree", "after", "after_tree")
        head = ["server", "idle", "idle, all processes", "after 1 MiB echoes", "after, all processes"]
        lines = [
            [row["server"], row["missing"]]
            if "missing" in row
            else [row["server"], *(number(row.get(key)) for key in keys)]
            for row in memory
        ]
        made.append(("memory, PSS in MiB", head, lines))
    if idle := results.get("idle"):
        head = ["functions", "seconds", "CPU ms in all", "wake-ups in all", "most of one", "PSS MiB in all"]
        keys = (("functions", 0), ("seconds", 0), ("cpu_ms", 1), ("wakeups", 0), ("most_wakeups", 0), ("pss_mib", 0))
        made.append(("idle functions", head, [[number(idle[key], digits) for key, digits in keys]]))
    if images := results.get("images"):
        lines = [
            [row["who"], row["missing"]]
            if "missing" in row
            else [row["who"], number(row["median"], 2), number(row["worst"], 2), number(row.get("sent_bytes"), 0)]
            for row in images
        ]
        made.append(("code change to pushed image", ["who", "median s", "worst s", "bytes pushed"], lines))
    if cluster := results.get("cluster"):
        lines = [[row["what"], number(row["median"], 1), number(row["worst"], 1)] for row in cluster]
        made.append(("on a cluster: from the command to the first answer", ["what", "median s", "worst s"], lines))
    return made


def aligned(table: Table) -> str:
    title, head, lines = table
    # A line that is short of cells says at its end why.
    whole = [line for line in [head, *lines] if len(line) == len(head)]
    widths = [max(len(line[column]) for line in whole) for column in range(len(head))]
    widths[0] = max(len(line[0]) for line in [head, *lines])
    text = [f"\n{title}"]
    for line in [head, *lines]:
        told = line[-1:] if len(line) < len(head) else []
        cells = line[: len(line) - len(told)]
        padded = [cell.rjust(width) if i else cell.ljust(width) for i, (cell, width) in enumerate(zip(cells, widths))]
        text.append("  " + "  ".join(padded + told).rstrip())
    return "\n".join(text)


def markdown(table: Table) -> str:
    title, head, lines = table
    padded = [line + [""] * (len(head) - len(line)) for line in lines]
    text = [f"### {title[0].upper()}{title[1:]}", "", "| " + " | ".join(head) + " |"]
    text.append("| --- |" + " ---: |" * (len(head) - 1))
    text += ["| " + " | ".join(line) + " |" for line in padded]
    return "\n".join(text)


def page(results: dict) -> str:
    machine = results["machine"]
    said = (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB; {machine['system']}, Linux "
        f"{machine['kernel']}; {machine['compiler']}; {machine['python']}. Middle of {results['rounds']} rounds of "
        f"{results['seconds']} s."
    )
    judged = [[v["what"], v["target"], v["measured"], v["result"]] for v in results["verdicts"]]
    parts = [said, markdown(("What we aim at", ["what", "target", "measured", ""], judged))]
    return "\n\n".join([*parts, *map(markdown, tables(results))])


def write_page(results: dict, path: Path) -> None:
    text = path.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{path} lacks the lines between which a run is kept")
    path.write_text(f"{before}{BEGIN}\n\n{page(results)}\n\n{END}{after}")

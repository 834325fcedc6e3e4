"""The page of `main.py time`, out of its records."""

import statistics

HEAD = """# AutoAttack: time beside the official code

Written by `tools/autoattack/main.py time`. AutoAttack standard in the maximum norm with eps 8/255 on the {points} points of testdata/autoattack:
`rnas bench --attacks autoattack`, the whole process, and the official code (github.com/fra31/auto-attack at {commit}) with PyTorch eager
in its faster layout, without the time to import and load. Both ran one after the other with the same number of threads. Seconds are medians, those of the processor in parentheses.
resnet8-fgsm is a network of tools/autoattack/networks.py; darts-v2 is DARTS_V2 with 8 channels and 5 cells, trained by `rnas train`.

| network | machine | PyTorch | threads | ours | official | ratio (least, most) | survivors: ours, official | points only one side breaks |
|---|---|---|--:|--:|--:|--:|--:|--:|
"""


def line(run):
    return f"{run['side']} {run['seconds']:.0f} s ({run['cpu_seconds']:.0f} s of the processor), {run['points'].count('1')} points survive"


def markdown(records, commit, before=""):
    """The page, of records by network: threads, machine and runs, as many of each side. Rows of other machines stay from the page before."""
    rows = {}
    for old in before.splitlines(keepends=True):
        cells = old.split(" | ")
        if old.startswith("| ") and len(cells) == len(HEAD.splitlines()[-2].split(" | ")) and cells[0] != "| network":
            rows[cells[0][2:], cells[1]] = old
    for name, record in records.items():
        rows[name, record["machine"]] = row(name, record)
    some = next(iter(records.values()))["runs"]
    return HEAD.format(points=len(some[0]["points"]), commit=commit[:7]) + "".join(rows[key] for key in sorted(rows))


def row(name, record):
    sides = {side: [run for run in record["runs"] if run["side"] == side] for side in ("ours", "official")}
    version = next(run["torch"] for run in record["runs"] if "torch" in run)
    cells = [name, record["machine"], version, str(record["threads"])]
    for runs in sides.values():
        cells.append("{:.0f} ({:.0f})".format(*(statistics.median(run[key] for run in runs) for key in ("seconds", "cpu_seconds"))))
    ratios = [b["seconds"] / a["seconds"] for a, b in zip(*sides.values())]
    cells.append(f"{statistics.median(ratios):.2f} ({min(ratios):.2f}, {max(ratios):.2f})")
    ours, theirs = (runs[0]["points"] for runs in sides.values())
    cells.append(f"{ours.count('1')}, {theirs.count('1')}")
    cells.append(str(sum(a != b for a, b in zip(ours, theirs))))
    return "| " + " | ".join(cells) + " |\n"

"""The table of the comparison, out of the official code's records and the result.json of rnas bench."""

import csv
import os

HEAD = """# AutoAttack against the official code

Written by `tools/autoattack/main.py compare`. The official code (github.com/fra31/auto-attack at {commit}, PyTorch {torch}, CPU), version
standard, and `rnas bench --attacks autoattack` on the same weights and the same 500 test images of CIFAR-10 (50 of each class, JPEGs in class
folders), in the maximum norm with eps 8/255. Accuracy in percent after each attack and those before it; one image is 0.2 points. The two draw
different random numbers. Largest difference: {worst:.1f} points after an attack, {final:.1f} points at the end.

Machine: {machine}. Official code: {threads} thread, batches of {batch}, seconds of wall time{cpu}. RNAS {rnas}, ONNX
Runtime {onnxruntime}{ours}.
"""


def percent(result):
    return 100 * result.get("robust_accuracy", result.get("accuracy"))


def rows(official, ours):
    """(stage, official result, our result) of one model; ours is None where the attack has no such part."""
    attack = next((a for a in ours["attacks"] if a["name"] == "autoattack"), {"parts": []})
    parts = {part["name"]: part for part in attack["parts"]}
    yield "clean", official["clean"], ours["clean"]
    for result in official["attacks"]:
        yield result["name"], result, parts.get(result["name"])


def by_name(result):
    return {name_of(model["path"]): model for model in result["models"]}


def name_of(path):
    return os.path.splitext(os.path.basename(path))[0]


def differences(official, result):
    """Our accuracy less the official one in points, by model and stage."""
    models = by_name(result)
    return {
        name: {stage: percent(o) - percent(t) for stage, t, o in rows(record, models[name]) if o}
        for name, record in official.items() if name in models
    }


def survivors(path):
    """By model, one character per point of the points.csv of rnas bench: 1 where it survives autoattack."""
    found = {}
    with open(path, newline="") as f:
        for row in csv.DictReader(f):
            found.setdefault(name_of(row["path"]), []).append((int(row["index"]), row["autoattack_robust"]))
    return {name: "".join(robust for _, robust in sorted(points)) for name, points in found.items()}


def markdown(official, result, points, machine, threads=None):
    """The page. points is that of survivors."""
    models, off = by_name(result), differences(official, result)
    some = next(iter(official.values()))
    text = HEAD.format(
        commit=some["commit"][:7], torch=some["torch"], machine=machine, threads=some["threads"], batch=some["batch"],
        cpu=" (and of the processor, which other programs shared)", rnas=result["rnas"], onnxruntime=result["onnxruntime"],
        ours=f", {threads} threads" if threads else "",
        worst=max(abs(v) for d in off.values() for v in d.values()),
        final=max(abs(list(d.values())[-1]) for d in off.values()),
    )
    for name in off:
        text += "\n" + section(official[name], models[name], off[name], points[name], name)
    return text


def section(official, ours, off, points, name):
    lines = [f"## {name}", "", "| after | official | ours | difference | official: seconds |", "|---|--:|--:|--:|--:|"]
    for stage, theirs, our in rows(official, ours):
        time = f"{theirs['seconds']:.0f} ({theirs['cpu_seconds']:.0f})" if "seconds" in theirs else ""
        cells = [f"{percent(our):.1f}", f"{off[stage]:+.1f}"] if our else ["", ""]
        lines.append(f"| {stage} | {percent(theirs):.1f} | {cells[0]} | {cells[1]} | {time} |")
    total = [sum(a[key] for a in official["attacks"]) for key in ("seconds", "cpu_seconds")]
    attack = next(a for a in ours["attacks"] if a["name"] == "autoattack")
    last = official["attacks"][-1]["points"]
    pairs = [sum(a + b == pair for a, b in zip(last, points, strict=True)) for pair in ("01", "10")]
    lines += ["", (
        f"Seconds in all: official {total[0]:.0f} ({total[1]:.0f}), ours {attack['seconds']:.0f} for {attack['forwards']:,} forward and "
        f"{attack['backwards']:,} backward passes of single images. "
        f"Of the points that survive one side, {sum(pairs)} do not survive the other: {pairs[0]} only the official code breaks, {pairs[1]} only ours."
    ), ""]
    return "\n".join(lines)

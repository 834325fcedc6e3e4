"""The table of the comparison, out of the official code's records and the result.json of rnas bench."""

import csv
import os

HEAD = """# AutoAttack against the official code

Written by `tools/autoattack/main.py compare`. The official code (github.com/fra31/auto-attack at {commit}, PyTorch {torch}, CPU), version
standard, and `rnas bench --attacks autoattack` on the same weights and the same 500 test images of CIFAR-10 (50 of each class, JPEGs in class
folders), in the maximum norm with eps 8/255. Accuracy in percent after each attack and those before it; one image is 0.2 points. The two draw
different random numbers. The networks are those of tools/autoattack/networks.py, two of them adversarially trained. Largest difference: {worst:.1f} points after an attack, {final:.1f} points at the end.

Machine: {machine}. Official code: {threads} thread, batches of {batch}, seconds of wall time (and of the processor). RNAS {rnas},
ONNX Runtime {onnxruntime}, {ours}, seconds of wall time.
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


def survivors(path, attack):
    """By model, one character per point of the points.csv of rnas bench: 1 where it survives the attack."""
    found = {}
    with open(path, newline="") as f:
        for row in csv.DictReader(f):
            found.setdefault(name_of(row["path"]), []).append((int(row["index"]), row[attack + "_robust"]))
    return {name: "".join(robust for _, robust in sorted(points)) for name, points in found.items()}


def markdown(official, result, points, machine, threads):
    """The page. points has the survivors by model and attack."""
    models, off = by_name(result), differences(official, result)
    some = next(iter(official.values()))
    text = HEAD.format(
        commit=some["commit"][:7], torch=some["torch"], machine=machine, threads=some["threads"], batch=some["batch"],
        rnas=result["rnas"], onnxruntime=result["onnxruntime"], ours=f"{threads} thread" + "s" * (threads > 1),
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
    lines += ["", (
        f"Seconds in all: official {total[0]:.0f} ({total[1]:.0f}), ours {attack['seconds']:.0f} for {attack['forwards']:,} forward and "
        f"{attack['backwards']:,} backward passes of single images.\n{pairs(official['attacks'][-1]['points'], points['autoattack'])}"
    ), ""]
    alone = [result for result in official.get("alone", []) if result["name"] in points]
    if alone:
        lines += [f"Each by itself, on the first {len(alone[0]['points'])} points:", "", "| attack | official | ours | difference | |", "|---|--:|--:|--:|---|"]
    for result in alone:
        mine = points[result["name"]][: len(result["points"])]
        share = 100 * mine.count("1") / len(mine)
        lines.append(f"| {result['name']} | {percent(result):.1f} | {share:.1f} | {share - percent(result):+.1f} | {pairs(result['points'], mine)} |")
    return "\n".join(lines + [""] * bool(alone))


def pairs(official, ours):
    """A sentence on the points where two strings of survivors differ."""
    only = [sum(a + b == pair for a, b in zip(official, ours, strict=True)) for pair in ("01", "10")]
    return f"Points that only the official code breaks: {only[0]}, that only ours breaks: {only[1]}."

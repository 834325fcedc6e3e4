"""Medians, ratios and tables of a comparison."""

import json
import os
from statistics import median

from cases import CASES, PARTS

SIDES = {
    "eager": "eager", "channels_last": "eager, channels_last", "compile": "torch.compile",
    "compile_frozen": "torch.compile, frozen weights", "ort": "ONNX Runtime on PyTorch's export",
}

HEAD = """# Speed against PyTorch

Written by `make compare` (tools/compare) out of speed.json; what the figures mean is in [speed-notes.md](speed-notes.md). Both
sides run the same network, weights, inputs, batch and threads in float32, and their first steps agree. They take turns on
one machine; a ratio is the time of the other side over ours within one round, so above 1 we are faster. Columns are
medians over the rounds. Load is the time until the first step can begin, without that of loading libraries; torch.compile compiles in the first
step, and that of an attack counts all its iterations. Memory is the peak of the resident set of a process that does nothing
but this case.
"""


def step_times(parts):
    """Median milliseconds of the steps of a turn, by part and, where there are several, of their sum."""
    out = {name: median(ms) for name, ms in parts.items()}
    if len(parts) > 1:
        out["sum"] = median(sum(step) for step in zip(*parts.values()))
    return out


def ratios(rounds, side, part):
    """Median, smallest and largest ratio of a side's time to ours."""
    r = [x[side][part] / x["ours"][part] for x in rounds if x["ours"][part] > 0]
    return median(r), min(r), max(r)


def title(name, part):
    text = CASES[name]["title"]
    return f"{text}, {PARTS[part]}" if part in PARTS else text


def rows(results):
    """(case, part, side, result) of every line of a table, in the order of the cases."""
    for name in CASES:
        if name not in results:
            continue
        result = results[name]
        for part in result["rounds"][0]["ours"]:
            for side in result["sides"]:
                if side != "ours":
                    yield name, part, side, result


def table(results):
    lines = [
        "| case | other side | ours | other | ratio | min | max |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for name, part, side, result in rows(results):
        time = lambda s: f"{median(x[s][part] for x in result['rounds']):.4g} ms"
        mid, low, high = ratios(result["rounds"], side, part)
        lines.append(f"| {title(name, part)} | {SIDES[side]} | {time('ours')} | {time(side)} | {mid:.2f} | {low:.2f} | {high:.2f} |")
    return "\n".join(lines)


def resources(results):
    lines = ["| case | side | load | first step | memory |", "|---|---|--:|--:|--:|"]
    for name in CASES:
        for side, info in results.get(name, {"sides": {}})["sides"].items():
            lines.append(
                f"| {CASES[name]['title']} | {SIDES.get(side, side)} | {info['load_s']:.2f} s | {info['first_s']:.2f} s "
                f"| {info['memory_mib']:.0f} MiB |"
            )
    return "\n".join(lines)


def runs(results):
    """Machine, versions, date and command of each case; cases of one run share a line."""
    lines, seen = [], {}
    for name in CASES:
        if name in results:
            r = results[name]
            ort = r["sides"]["ours"]["version"]
            key = (
                f"{r['date']}, {r['machine']}, {r['threads']} threads, PyTorch {r['torch']}, ours on {ort} at {r['commit']}: "
                f"`{r['command']}`, {len(r['rounds'])} rounds"
            )
            seen.setdefault(key, []).append(name)
    for key, names in seen.items():
        lines.append(f"- {key} ({', '.join(names)})")
    return "\n".join(lines)


def passes(results):
    """How many forward passes one step of an attack costs on our side."""
    lines = []
    for forward, attack in [("forward-c16", "pgd-c16"), ("forward-c36", "pgd-c36")]:
        if forward in results and attack in results:
            time = lambda name: median(x["ours"]["step"] for x in results[name]["rounds"])
            lines.append(f"| {CASES[attack]['title']} | {time(attack) / time(forward):.2f} |")
    if not lines:
        return ""
    return "\n".join(["| ours | times our forward pass |", "|---|--:|", *lines])


def yardstick(results):
    """PyTorch 1.13 over ours beside PyTorch 1.13 over the prototype."""
    lines = []
    for name, case in CASES.items():
        for part, (torch, prototype) in case.get("prototype", {}).items():
            if name in results:
                mid, low, high = ratios(results[name]["rounds"], "eager", part)
                lines.append(f"| {title(name, part)} | {mid:.2f} | {low:.2f} to {high:.2f} | {torch / prototype:.2f} |")
    if not lines:
        return ""
    return "\n".join([
        "PyTorch 1.13 (eager) over ours, beside PyTorch 1.13 over the prototype behind the design, which was measured on another machine:",
        "", "| case | ours | range | prototype |", "|---|--:|--:|--:|", *lines,
    ])


def page(stored):
    parts = [HEAD]
    newest = lambda of: ([-int(x) for x in of.split("+")[0].split(" ")[0].split(".")[:2]], of)
    for of in sorted(stored, key=newest):
        results = stored[of]
        parts += [f"## PyTorch {of}\n", runs(results) + "\n", table(results) + "\n"]
        parts += [text + "\n" for text in (passes(results), yardstick(results) if of.startswith("1.13") else "") if text]
        parts += ["Load and memory:\n", resources(results) + "\n"]
    return "\n".join(parts)


def store(path, results):
    """Puts results beside those of other cases, versions and machines and writes the page anew."""
    stored = {}
    if os.path.exists(path):
        with open(path) as f:
            stored = json.load(f)
    for name, result in results.items():
        stored.setdefault(f"{result['torch']} on {result['machine']}", {})[name] = result
    for target, text in [
        (path, json.dumps(stored, indent=1, sort_keys=True) + "\n"),
        (os.path.splitext(path)[0] + ".md", page(stored)),
    ]:
        with open(target + ".tmp", "w") as f:
            f.write(text)
        os.replace(target + ".tmp", target)

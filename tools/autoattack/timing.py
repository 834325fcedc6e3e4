"""Times AutoAttack of RNAS and the official code on the same weights and points, each side as one run from loading to the last attack."""

import os
import resource
import statistics
import subprocess
import tempfile
import time

import main
import official
import table

HEAD = """# AutoAttack: time beside the official code

Written by `tools/autoattack/main.py time`. AutoAttack standard in the maximum norm with eps 8/255 on the {points} points of testdata/autoattack:
`rnas bench --attacks autoattack`, the whole process, and the official code (github.com/fra31/auto-attack at {commit}) with PyTorch {torch} eager
in its faster layout, without the time to import and load. Both ran one after the other with the same number of threads. Seconds are medians, those of the processor in parentheses.
resnet8-fgsm is a network of tools/autoattack/networks.py; darts-v2 is DARTS_V2 with 8 channels and 5 cells, trained by `rnas train`.

| network | machine | threads | ours | official | ratio (least, most) | survivors: ours, official | points only one side breaks |
|---|---|--:|--:|--:|--:|--:|--:|
"""


def weights(name):
    return os.path.join(main.KEPT, name + ".safetensors")


def onnx_of(name):
    """The ONNX file of a network; from weights of rnas it is made first."""
    if not os.path.exists(weights(name)):
        return main.onnx_file(name)
    path = os.path.join(main.CACHE, name + ".onnx")
    command = [os.path.join(main.ROOT, "bin", "rnas"), "export", "--weights", weights(name), "--out", path]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path


def network(name):
    import networks
    import training

    if os.path.exists(weights(name)):
        return networks.darts(weights(name))
    return training.load_onnx(name, main.onnx_file(name))


def ours(name, x, y, threads):
    """One run of rnas bench; the processor time is that of the process."""
    path = onnx_of(name)
    with tempfile.TemporaryDirectory() as out:
        command = [os.path.join(main.ROOT, "bin", "rnas"), "bench", path, "--data", "npz:" + main.POINTS, "--attacks", "autoattack"]
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
        subprocess.run(command + ["--threads", str(threads), "--out", out], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds, after = time.time() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        points, = table.survivors(os.path.join(out, "points.csv"), "autoattack").values()
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"side": "ours", "seconds": seconds, "cpu_seconds": used, "points": points}


def theirs(name, x, y, threads):
    """One run of run_standard_evaluation on all points."""
    import torch
    from autoattack import AutoAttack

    torch.set_num_threads(threads)
    model = faster_layout(network(name), x[: official.BATCH], y[: official.BATCH])
    began, used = time.time(), time.process_time()
    adversary = AutoAttack(model, norm="Linf", eps=official.EPSILON, seed=official.SEED, version="standard", device="cpu", verbose=False)
    _, labels = adversary.run_standard_evaluation(x, y, bs=official.BATCH, return_labels=True)
    seconds, used = time.time() - began, time.process_time() - used
    points = "".join("1" if robust else "0" for robust in (labels == y).tolist())
    return {"side": "official", "seconds": seconds, "cpu_seconds": used, "points": points, "torch": torch.__version__}


def faster_layout(model, x, y):
    """The network in the layout of memory in which a pass with gradient takes less time."""
    import torch
    from torch.nn import functional as F

    best = {}
    for layout in (torch.contiguous_format, torch.channels_last):
        model = model.to(memory_format=layout)
        for _ in range(3):
            began = time.time()
            image = x.clone().requires_grad_()
            torch.autograd.grad(F.cross_entropy(model(image), y), image)
            best[layout] = min(best.get(layout, float("inf")), time.time() - began)
    return model.to(memory_format=min(best, key=best.get))


def line(run):
    return f"{run['side']} {run['seconds']:.0f} s ({run['cpu_seconds']:.0f} s of the processor), {run['points'].count('1')} points survive"


def markdown(records):
    """The page, of records by network: threads, machine and runs, as many of each side."""
    some = next(iter(records.values()))["runs"]
    version = next(run["torch"] for run in some if "torch" in run)
    text = HEAD.format(points=len(some[0]["points"]), commit=official.COMMIT[:7], torch=version)
    return text + "".join(row(name, record) for name, record in records.items())


def row(name, record):
    sides = {side: [run for run in record["runs"] if run["side"] == side] for side in ("ours", "official")}
    cells = [name, record["machine"], str(record["threads"])]
    for runs in sides.values():
        cells.append("{:.0f} ({:.0f})".format(*(statistics.median(run[key] for run in runs) for key in ("seconds", "cpu_seconds"))))
    ratios = [b["seconds"] / a["seconds"] for a, b in zip(*sides.values())]
    cells.append(f"{statistics.median(ratios):.2f} ({min(ratios):.2f}, {max(ratios):.2f})")
    ours, theirs = (runs[0]["points"] for runs in sides.values())
    cells.append(f"{ours.count('1')}, {theirs.count('1')}")
    cells.append(str(sum(a != b for a, b in zip(ours, theirs))))
    return "| " + " | ".join(cells) + " |\n"

"""Times AutoAttack of RNAS and the official code on the same weights and points, each side as one run from loading to the last attack."""

import os
import resource
import subprocess
import tempfile
import time

import official
import places
import table


def weights(name):
    return os.path.join(places.KEPT, name + ".safetensors")


def onnx_of(name):
    """The ONNX file of a network; from weights of rnas it is made first."""
    if not os.path.exists(weights(name)):
        return places.onnx_file(name)
    path = os.path.join(places.CACHE, name + ".onnx")
    command = [places.PROGRAM, "export", "--weights", weights(name), "--out", path]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path


def network(name):
    import networks
    import training

    if os.path.exists(weights(name)):
        return networks.darts(weights(name))
    return training.load_onnx(name, places.onnx_file(name))


def version():
    """That of the program, with the commit it was built from."""
    return subprocess.run([places.PROGRAM, "--version"], check=True, capture_output=True, text=True).stdout.strip()


def ours(name, x, y, threads):
    """One run of rnas bench; the processor time is that of the process."""
    path = onnx_of(name)
    with tempfile.TemporaryDirectory() as out:
        command = [places.PROGRAM, "bench", path, "--data", "npz:" + places.POINTS, "--attacks", "autoattack"]
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

#!/usr/bin/env python3
"""Compares AutoAttack of RNAS with the official code on the same weights and pixels: 500 images of CIFAR-10, Linf, eps 8/255.

    tools/autoattack/main.py train --archive cifar10.tar.gz   points.npz and the ONNX files, from an archive of class folders
    tools/autoattack/main.py official                         the official code on these files, into official.json
    tools/autoattack/main.py compare                          rnas bench on these files, into docs/results/autoattack.md
    tools/autoattack/main.py time --threads 2                 both in alternation on a quiet machine, into docs/results/autoattack-time.md

Each stage continues where it was stopped, and takes --models NAME,... to do a part. What `train` and `official` write is kept in
testdata/autoattack, so that `compare` needs neither PyTorch nor the archive. The others set up a virtual environment below
.cache/autoattack; --python PATH names one that has torch, numpy, pillow, onnx, onnxscript, onnxruntime and safetensors instead.
"""

import argparse
import json
import os
import platform
import subprocess
import sys

from places import CACHE, KEPT, OFFICIAL, POINTS, PROGRAM, ROOT, onnx_file

NAMES = ["resnet8-fgsm", "preact8-pgd2", "resnet14-standard"]
TIMED = ["resnet8-fgsm", "darts-v2"]
PACKAGES = ["torch", "numpy", "pillow", "onnx", "onnxscript", "onnxruntime", "safetensors"]


def say(text):
    print(text, file=sys.stderr, flush=True)


def enter_environment(python):
    """Continues under the Python that has PyTorch, with one thread; sets one up where none is named."""
    if os.environ.get("RNAS_AUTOATTACK"):
        return
    if not python:
        folder = os.path.join(CACHE, "torch")
        python, done = os.path.join(folder, "bin", "python"), os.path.join(folder, "complete")
        if not os.path.exists(done):
            say(f"autoattack: installing {' '.join(PACKAGES)} into {folder}")
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
            open(done, "w").close()
    environment = {**os.environ, "RNAS_AUTOATTACK": "1", "OMP_NUM_THREADS": "1"}
    os.execve(python, [python, os.path.abspath(__file__), *sys.argv[1:]], environment)


def write(path, content):
    with open(path + ".tmp", "w") as f:
        f.write(content)
    os.replace(path + ".tmp", path)


def test_points():
    """The images of points.npz as both sides see them, float32 (N, 3, 32, 32) in [0, 1], and their labels."""
    import numpy as np
    import torch

    points = np.load(POINTS)
    images = torch.from_numpy(points["x_test"]).permute(0, 3, 1, 2).float() / 255
    return images.contiguous(), torch.from_numpy(points["y_test"]).long()


def train(options):
    import numpy as np

    import images
    import training

    decoded = os.path.join(CACHE, "cifar10.npz")
    if not os.path.exists(decoded):
        if not options.archive:
            sys.exit("autoattack: --archive: expected an archive with train/CLASS/*.jpg and test/CLASS/*.jpg, found none")
        np.savez(decoded + ".tmp.npz", **images.read_archive(options.archive))
        os.replace(decoded + ".tmp.npz", decoded)
    arrays = dict(np.load(decoded))
    points = images.choose_points(arrays)
    np.savez_compressed(POINTS, **points)
    for name in options.models:
        model = training.train(name, arrays, points, CACHE, say)
        training.export(model, onnx_file(name))
        check(name)


def check(name):
    """The network of an ONNX file with its weights, once its logits on the points equal ONNX Runtime's on the file."""
    import training

    model = training.load_onnx(name, onnx_file(name))
    off = training.difference(model, onnx_file(name), test_points()[0])
    if not off <= 1e-5:
        sys.exit(f"autoattack: {onnx_file(name)}: expected the logits of PyTorch to 1e-5, found a difference of {off:.2g}")
    say(f"{name}: largest difference between the logits of ONNX Runtime and PyTorch {off:.2g}")
    return model


def run_official(options):
    import torch

    import official

    official.check_out(options.autoattack, os.path.join(CACHE, "auto-attack"))
    x, y = test_points()
    for name in options.models:
        path = os.path.join(CACHE, name + ".json")
        record = read(path)
        record.update({
            "commit": official.COMMIT, "version": "standard", "norm": "Linf", "eps": official.EPSILON, "seed": official.SEED,
            "batch": official.BATCH, "threads": torch.get_num_threads(), "torch": torch.__version__, "machine": options.machine,
        })
        network = check(name).to(memory_format=torch.channels_last)
        official.evaluate(network, x, y, record, os.path.join(CACHE, name + ".log"), lambda: write(path, json.dumps(record)))
        merged = {**read(OFFICIAL), name: record}
        write(OFFICIAL, json.dumps({k: merged[k] for k in NAMES if k in merged}, indent=1) + "\n")


def read(path):
    if not os.path.exists(path):
        return {}
    with open(path) as f:
        return json.load(f)


def compare(options):
    import table

    records = {name: record for name, record in read(OFFICIAL).items() if name in options.models}
    folder = options.out or os.path.join(CACHE, "bench")
    points = {name: {} for name in records}

    def bench(names, attacks, out):
        command = [PROGRAM, "bench", *map(onnx_file, names), "--data", "npz:" + POINTS]
        command += ["--attacks", ",".join(attacks), "--limit", "500", "--threads", str(options.threads), "--out", out]
        subprocess.run(command, check=True)
        for attack in attacks:
            for name, robust in table.survivors(os.path.join(out, "points.csv"), attack).items():
                points[name][attack] = robust

    bench(records, ["autoattack"], folder)
    alone = [name for name in records if records[name].get("alone")]
    if alone:
        bench(alone, ["fab-t", "square"], os.path.join(folder, "alone"))
    text = table.markdown(records, read(os.path.join(folder, "result.json")), points, options.machine, options.threads)
    write(os.path.join(ROOT, "docs", "results", "autoattack.md"), text)


def run_time(options):
    import official
    import timetable
    import timing

    official.check_out(options.autoattack, os.path.join(CACHE, "auto-attack"))
    x, y = test_points()
    path, page = os.path.join(CACHE, "time.json"), os.path.join(ROOT, "docs", "results", "autoattack-time.md")
    conditions = {"threads": options.threads, "machine": options.machine, "rnas": timing.version()}
    for name in options.models:
        records = read(path)
        kept = records.get(name, {})
        runs = kept["runs"] if kept == {**conditions, "runs": kept.get("runs")} else []
        while len(runs) < 2 * options.rounds:
            side = [timing.ours, timing.theirs, timing.theirs, timing.ours][len(runs) % 4]
            runs.append(side(name, x, y, options.threads))
            say(f"{name}: " + timetable.line(runs[-1]))
            records[name] = {**conditions, "runs": runs}
            write(path, json.dumps(records, indent=1) + "\n")
        before = open(page).read() if os.path.exists(page) else ""
        write(page, timetable.markdown({k: records[k] for k in TIMED if k in records}, official.COMMIT, before))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=["train", "official", "compare", "time"])
    parser.add_argument("--models", help="names separated by commas (default: all that the stage knows)")
    parser.add_argument("--archive", help="archive of CIFAR-10 as JPEGs in class folders (train)")
    parser.add_argument("--autoattack", default="https://github.com/fra31/auto-attack", help="path or URL of the official repository")
    parser.add_argument("--python", help="a Python that has PyTorch (train, official, time)")
    parser.add_argument("--machine", default=platform.processor() or platform.machine(), help="the machine, in words, for the table")
    parser.add_argument("--threads", type=int, default=1, help="threads of rnas bench, and of both sides (compare, time; default 1)")
    parser.add_argument("--rounds", type=int, default=1, help="runs of each side (time; default 1)")
    parser.add_argument("--out", help="folder of rnas bench (compare); what it has is not computed again")
    options = parser.parse_args()
    known = TIMED if options.stage == "time" else NAMES
    options.models = options.models.split(",") if options.models else known
    for name in options.models:
        if name not in known:
            parser.error(f"--models: expected names of {', '.join(known)}, found {name}")
    os.makedirs(CACHE, exist_ok=True)
    os.makedirs(KEPT, exist_ok=True)
    if options.stage != "compare":
        enter_environment(options.python)
    {"train": train, "official": run_official, "compare": compare, "time": run_time}[options.stage](options)


if __name__ == "__main__":
    main()

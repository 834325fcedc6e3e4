#!/usr/bin/env python3
"""Times RNAS and PyTorch on the same machine, threads, networks, weights, inputs and precision.

Sets up PyTorch in a virtual environment below .cache/compare, checks that both sides compute the same, times them in
turn and writes docs/results/speed.json and docs/results/speed.md. Every side of a case is a process of its own; a round
gives each of them one turn, and a ratio is taken within a round.

    tools/compare/compare.py                        all cases against the newest PyTorch
    tools/compare/compare.py --torch 1.13.1         against that version
    tools/compare/compare.py --cases train,pgd-c16  some cases; results of the others stay
    tools/compare/compare.py --quick --no-write     two rounds of few steps, to see that it works
"""

import argparse
import array
import datetime
import json
import os
import platform
import shlex
import subprocess
import sys

import report
from cases import CASES, tolerance
from sides import Failed, Process, turn

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CACHE = os.path.join(ROOT, ".cache", "compare")
RESULTS = os.path.join(ROOT, "docs", "results", "speed.json")

# Seconds a turn should last; at least one step is made.
TURN = 1.0


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode:
        raise Failed(f"{shlex.join(command)}: {done.stdout.strip()}")
    return done.stdout.strip()


def set_up(version, index):
    """The Python of a virtual environment with PyTorch, made if it is not there."""
    folder = os.path.join(CACHE, "torch-" + (version or "newest"))
    python = os.path.join(folder, "bin", "python")
    done = os.path.join(folder, "complete")
    if os.path.exists(done):
        return python
    say(f"compare: installing PyTorch {version or '(newest)'} into {folder}")
    run(sys.executable, "-m", "venv", folder)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    from_index = ["--index-url", index] if index else []
    if version:
        old = int(version.split(".")[0]) < 2
        run(*install, *from_index, "torch==" + version)
        run(*install, "safetensors", "numpy<2" if old else "numpy")
    else:
        run(*install, *from_index, "torch", "torchvision")
        run(*install, "safetensors", "numpy", "onnx", "onnxscript", "onnxruntime")
    open(done, "w").close()
    return python


def environment(threads):
    # Compiled code is not taken from an earlier run: the load time is that of a first one.
    return {
        **os.environ, "OMP_NUM_THREADS": str(threads), "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1",
        "TORCHINDUCTOR_CACHE_DIR": os.path.join(CACHE, "inductor"),
    }


def values(path):
    data = array.array("f")
    with open(path, "rb") as f:
        data.frombytes(f.read())
    return data


def disagreement(case, ours, theirs):
    """What is wrong between the values of two sides, or None, and the figure that was compared."""
    limit = tolerance(case, case.get("rounding", 0.0))
    if len(ours) != len(theirs):
        return f"expected {len(ours)} values, found {len(theirs)}", None
    if "pixels" in limit:
        share = sum(not abs(a - b) < 1e-5 for a, b in zip(ours, theirs)) / len(ours)
        wrong = share > limit["pixels"]
        return (f"{share:.2%} of the pixels differ" if wrong else None), share
    scale = max(abs(a) for a in ours)
    apart = [abs(a - b) / scale for a, b in zip(ours, theirs)]
    worst = next((d for d in apart if d != d), max(apart))  # max does not see NaN
    wrong = not worst <= limit["relative"]
    return (f"values differ by {worst:.2g} of the largest one" if wrong else None), worst


class Comparison:
    def __init__(self, options):
        self.options = options
        self.threads = options.threads or cores()
        self.python = set_up(options.torch, options.torch_index)
        self.ours = os.path.join(CACHE, "ours")
        run("go", "build", "-o", self.ours, "./tools/compare/ours", cwd=ROOT)
        run(os.path.join(ROOT, "tools", "fetch-onnxruntime.sh"))
        self.env = environment(self.threads)
        self.modules = run(self.python, "-c", "import importlib.util as u; print(*[m for m in ('torchvision', 'onnxruntime') if u.find_spec(m)])").split()
        self.torch = run(self.python, "-c", "import torch; print(torch.__version__)").splitlines()[-1]

    def peers(self, case):
        """The sides that this PyTorch has."""
        wanted = self.options.peers.split(",") if self.options.peers else case["peers"]
        old = self.torch.startswith("1.")
        return [
            p for p in case["peers"]
            if p in wanted and not (old and p.startswith("compile")) and not (p == "ort" and "onnxruntime" not in self.modules)
        ]

    def command(self, side, path):
        if side == "ours":
            return [self.ours, path]
        return [self.python, os.path.join(HERE, "torch_side.py"), path, side]

    def case(self, name):
        case = dict(CASES[name], threads=self.threads, dir=os.path.join(CACHE, "cases", name))
        peers = self.peers(case)
        if case["channels"] == 0 and "torchvision" not in self.modules:
            say(f"compare: {name}: left out, there is no torchvision for this PyTorch")
            return None
        case["export"] = "ort" in peers
        os.makedirs(case["dir"], exist_ok=True)
        path = os.path.join(case["dir"], "case.json")
        with open(path, "w") as f:
            json.dump(case, f)
        if case["channels"]:
            run(self.ours, path, "weights")
        run(self.python, os.path.join(HERE, "torch_side.py"), path, "prepare", env=self.env)
        with open(os.path.join(case["dir"], "rounding.json")) as f:
            case["rounding"] = json.load(f)
        sides = {}
        try:
            for side in ["ours", *peers]:
                say(f"compare: {name}: loading {side}")
                try:
                    self.start(case, side, path, sides)
                except Failed as e:
                    if side in ("ours", "eager"):
                        raise
                    say(f"compare: {e}")  # a way of PyTorch that cannot do this case is no result
            return self.time(case, sides)
        finally:
            for s in sides.values():
                s.kill()

    def start(self, case, side, path, sides):
        """Loads a side, makes the first step and checks it against ours."""
        log = os.path.join(case["dir"], side + ".log")
        s = Process(side, self.command(side, path), self.env, log)
        s.info.update(s.ask("first"))
        s.pause()
        sides[side] = s
        if side == "ours":
            if case["kind"] == "pgd":
                self.one_step(case)
            return
        ours = sides["ours"]
        if ours.info["parameters"] and s.info["parameters"] and ours.info["parameters"] != s.info["parameters"]:
            raise Failed(f"{side}: expected {ours.info['parameters']} parameters, found {s.info['parameters']}")
        read = lambda file: values(os.path.join(case["dir"], file))
        wrong, s.info["difference"] = disagreement(case, read("values.f32"), read(f"values.{side}.f32"))
        if wrong:
            sides.pop(side).kill()
            raise Failed(f"{side}: not the same as ours: {wrong}")

    def one_step(self, case):
        """Our values of an attack of one step take the place of those of many, which amplify rounding."""
        path = os.path.join(case["dir"], "check.json")
        with open(path, "w") as f:
            json.dump(dict(case, steps=1), f)
        s = Process("ours", [self.ours, path], self.env, os.path.join(case["dir"], "check.log"))
        s.ask("first")
        s.kill()

    def time(self, case, sides):
        """Rounds of turns; in each the order moves on by one."""
        quick = self.options.quick
        steps = {}
        for name, s in sides.items():
            probe = turn(s, "step 2")  # the first steps are not counted
            ms = sum(times[-1] for times in probe.values()) * case.get("steps", 1) ** (case["kind"] == "pgd")
            steps[name] = 1 if quick else max(1, round(TURN * 1e3 / ms))
        rounds = []
        names = list(sides)
        for r in range(2 if quick else self.options.rounds):
            order = names[r % len(names):] + names[: r % len(names)]
            got = {name: turn(sides[name], f"step {steps[name]}") for name in order}
            rounds.append({name: report.step_times(got[name]) for name in names})
            say("compare:   " + "  ".join(f"{n} {sum(v for k, v in rounds[-1][n].items() if k != 'sum'):.4g} ms" for n in names))
        info = {name: dict(s.info, **turn(s, "memory"), steps=steps[name]) for name, s in sides.items()}
        return {"rounds": rounds, "sides": info, "loadavg": round(os.getloadavg()[0], 2)}


def cores():
    """Physical cores that this process may use."""
    found = set()
    for cpu in os.sched_getaffinity(0):
        try:
            with open(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list") as f:
                found.add(f.read())
        except OSError:
            found.add(str(cpu))
    return len(found)


def machine():
    """The processor, and the vectors that it has: they decide more than its name, which virtual machines shorten."""
    try:
        with open("/proc/cpuinfo") as f:
            about = dict(line.split(":", 1) for line in f.read().split("\n\n")[0].splitlines())
    except (OSError, ValueError):
        return platform.machine()
    about = {key.strip(): value.strip() for key, value in about.items()}
    name, flags = about.get("model name", platform.machine()), about.get("flags", "").split()
    return ", ".join([name] + [label for flag, label in [("avx512f", "AVX-512"), ("avx2", "AVX2")] if flag in flags][:1])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--torch", default="", metavar="VERSION", help="version of PyTorch (default: the newest)")
    p.add_argument("--torch-index", default="", metavar="URL", help="package index of PyTorch (default: pip's own)")
    p.add_argument("--cases", default=",".join(CASES), help="cases, separated by commas: " + ", ".join(CASES))
    p.add_argument("--peers", default="", help="only these sides of PyTorch, such as eager,ort")
    p.add_argument("--rounds", type=int, default=11, help="turns of each side (default: 11)")
    p.add_argument("--threads", type=int, default=0, help="threads of each side (default: one per physical core)")
    p.add_argument("--quick", action="store_true", help="two rounds of one step")
    p.add_argument("--no-write", action="store_true", help="leave docs/results as it is")
    o = p.parse_args()
    names = o.cases.split(",")
    for name in names:
        if name not in CASES:
            p.error(f"--cases: expected some of {', '.join(CASES)}, found {name!r}")
    try:
        c = Comparison(o)
        about = {
            "date": datetime.date.today().isoformat(), "machine": machine(), "threads": c.threads, "torch": c.torch,
            "commit": run("git", "describe", "--always", "--dirty", cwd=ROOT),
            "command": shlex.join(["tools/compare/compare.py", *sys.argv[1:]]),
        }
        results = {}
        for name in names:
            result = c.case(name)
            if result:
                results[name] = {**about, **result}
                print(report.table({name: results[name]}), flush=True)
                if not o.no_write:
                    report.store(RESULTS, {name: results[name]})
    except Failed as e:
        sys.exit(f"compare: {e}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

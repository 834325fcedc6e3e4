"""Runs the official AutoAttack (Croce and Hein 2020, repository fra31/auto-attack), unchanged, one attack after the other."""

import os
import subprocess
import sys
import time

import torch

EPSILON, SEED, BATCH = 8 / 255, 0, 125
ALONE, FIRST = ("fab-t", "square"), 200
COMMIT = "a39220048b3c9f2cca9a4d3a54604793c68eca7e"


def check_out(source, folder):
    """Puts the package of the pinned commit into folder, from a path or URL, and makes it importable."""
    if not os.path.exists(os.path.join(folder, "autoattack", "autoattack.py")):
        subprocess.run(["git", "clone", "--quiet", "--no-checkout", source, folder], check=True)
        subprocess.run(["git", "-C", folder, "checkout", "--quiet", COMMIT, "--", ":(glob)autoattack/*.py"], check=True)
    sys.path.insert(0, folder)


def evaluate(network, x, y, record, log, save):
    """Version standard in the maximum norm. Fills record and calls save after each attack; what record has is not run again.

    Each attack is a call of run_standard_evaluation on the points that are still robust: what that function does itself when it
    is given all attacks, since it sets the seed anew for every batch of every attack. Where points survive, the attacks of
    ALONE are then run each by itself, on the first points: after the others they find little.
    """
    from autoattack import AutoAttack

    adversary = AutoAttack(network, norm="Linf", eps=EPSILON, seed=SEED, version="standard", device="cpu", log_path=log)
    order = list(adversary.attacks_to_run)
    if "clean" not in record:
        with torch.no_grad():
            record["clean"] = outcome(network(x).argmax(1) == y)
        save()
    done = record.setdefault("attacks", [])
    for name in order[len(done):]:
        done.append(attack(adversary, name, x, y, flags((done or [record["clean"]])[-1])))
        save()
    if done[-1]["robust"]:
        alone = record.setdefault("alone", [])
        for name in ALONE[len(alone):]:
            alone.append(attack(adversary, name, x[:FIRST], y[:FIRST], flags(record["clean"])[:FIRST]))
            save()


def attack(adversary, name, x, y, robust):
    """One attack on the points that robust names. The norm is that of the images which are misclassified."""
    rows = torch.nonzero(robust).squeeze(1)
    began, used, norm = time.time(), time.process_time(), 0.0
    if len(rows):
        adversary.attacks_to_run = [name]
        images, labels = adversary.run_standard_evaluation(x[rows], y[rows], bs=BATCH, return_labels=True)
        robust[rows] = labels == y[rows]
        norm = (images - x[rows]).abs().max().item()
        assert norm <= EPSILON + 1e-6 and 0 <= images.min() and images.max() <= 1
    return {
        "name": name, **outcome(robust), "largest_norm": norm,
        "seconds": round(time.time() - began, 1), "cpu_seconds": round(time.process_time() - used, 1),
    }


def outcome(robust):
    return {
        "robust": int(robust.sum()), "robust_accuracy": int(robust.sum()) / len(robust),
        "points": "".join("1" if r else "0" for r in robust.tolist()),
    }


def flags(result):
    return torch.tensor([c == "1" for c in result["points"]])

"""Writes fab.npz: what the code of AutoAttack makes of some hyperplanes and of a small network.

Usage: fab.py AUTOATTACK fab.npz, with a checkout of github.com/fra31/auto-attack (commit a392200). Arrays:

plane.x, plane.w [N,3,4,4], plane.c [N]: points of the box and functions w.(u-x)+c of u; plane.NORM [N,3,4,4]: the displacements
onto their zeros.
conv.a, conv.b, out: weights of the network; images [N,3,8,8], labels [N], ranked [N,K] classes by falling logits.
untargeted.NORM [N], targeted.NORM [N,K-1]: distances of the closest adversarial images by FAB, 1e10 where there is none.
"""

import sys

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, sys.argv[1])
from autoattack import fab_projections  # noqa: E402
from autoattack.fab_pt import FABAttack_PT  # noqa: E402

torch.set_num_threads(1)
NORMS = {"Linf": "linf", "L2": "l2", "L1": "l1"}
rng = np.random.default_rng(7)
arrays = {}


def planes(count):
    x = rng.random((count, 48)).astype(np.float32)
    w = rng.standard_normal((count, 48)).astype(np.float32)
    x[::2] = np.clip(x[::2] * 1.6 - 0.3, 0, 1)  # pixels at the ends
    w[1::4] *= 10 ** rng.uniform(-4, 2, (len(w[1::4]), 48)).astype(np.float32)
    w[2::5] *= rng.random((len(w[2::5]), 48)) < 0.5  # zeros
    reach = np.abs(w).sum(1)
    c = (reach * rng.uniform(-0.5, 0.5, count) * rng.choice([1e-3, 0.1, 0.5, 1], count)).astype(np.float32)
    c[-2:] = 2 * reach[-2:] * [1, -1]  # out of reach
    return x, w, c


x, w, c = planes(40)
arrays["plane.x"], arrays["plane.w"], arrays["plane.c"] = x.reshape(-1, 3, 4, 4), w.reshape(-1, 3, 4, 4), c
tx, tw, tc = (torch.from_numpy(v).double() for v in (x, w, c))
for name, norm in NORMS.items():
    project = getattr(fab_projections, "projection_" + norm)
    torch.set_default_dtype(torch.float64)
    d = project(tx.clone(), tw.clone(), (tw * tx).sum(1) - tc)
    arrays["plane." + norm] = d.numpy().reshape(-1, 3, 4, 4)
torch.set_default_dtype(torch.float32)


def weights(scale, *shape):
    return (rng.standard_normal(shape) * scale).astype(np.float32)


arrays["conv.a"], arrays["conv.b"], arrays["out"] = weights(0.3, 8, 3, 3, 3), weights(0.2, 8, 8, 3, 3), weights(0.3, 5, 128)
a, b, out = (torch.from_numpy(arrays[k]) for k in ("conv.a", "conv.b", "out"))


def model(images):
    y = F.relu(F.conv2d(images, a, padding=1))
    y = F.relu(F.conv2d(y, b, stride=2, padding=1))
    return y.flatten(1) @ out.T


images = torch.from_numpy(np.clip(rng.random((12, 3, 8, 8)) * 1.2 - 0.1, 0, 1).astype(np.float32))
logits = model(images)
labels = logits.argmax(1)
arrays["images"], arrays["labels"] = images.numpy(), labels.numpy()
arrays["ranked"] = logits.argsort(dim=1, descending=True).numpy()


def distances(attack, targeted):
    adversarial = attack.attack_single_run(images, labels, is_targeted=targeted)
    d = (adversarial - images).flatten(1).double()
    size = {"Linf": d.abs().amax(1), "L2": d.norm(dim=1), "L1": d.abs().sum(1)}[attack.norm]
    return torch.where(model(adversarial).argmax(1) != labels, size, 1e10).numpy()


for name, norm in NORMS.items():
    attack = FABAttack_PT(model, norm=name, device="cpu")
    arrays["untargeted." + norm] = distances(attack, False)
    columns = []
    for attack.target_class in range(2, 6):
        columns.append(distances(attack, True))
    arrays["targeted." + norm] = np.stack(columns, 1)

np.savez_compressed(sys.argv[2], **arrays)
for norm in NORMS.values():
    print(norm, arrays["untargeted." + norm].round(4), arrays["targeted." + norm].round(4))

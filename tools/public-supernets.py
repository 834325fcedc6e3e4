"""Writes the supernets of testdata/torch, which are built by public code:

    python3 tools/public-supernets.py CLONES testdata/torch

CLONES holds checkouts of D-X-Y/AutoDL-Projects (f46486e) and yuhuixu1993/PC-DARTS (b74702f). For each supernet it writes NAME.npz,
described in testdata/torch/README.md. Written with PyTorch 2.15 and numpy 2.4, on the CPU in float64.
"""
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

clones, out = Path(sys.argv[1]), Path(sys.argv[2])
sys.path[:0] = [str(clones / "AutoDL-Projects"), str(clones / "PC-DARTS")]
torch.Tensor.cuda = lambda self, *_: self  # the public code asks for a GPU

import model_search as pcdarts  # noqa: E402
from xautodl.models.cell_operations import NAS_BENCH_201  # noqa: E402
from xautodl.models.cell_searchs import TinyNetworkDarts  # noqa: E402

torch.set_default_dtype(torch.float64)
DRAWS = 16


class Bench201:
    """DARTS-V1 of the public code of NAS-Bench-201, with one cell in each stage; alphas [1,6,5]."""

    def __init__(self, c):
        self.net = TinyNetworkDarts(c, 1, 4, 10, NAS_BENCH_201, False, True)
        self.shape = (1, 6, 5)

    def set(self, alphas):
        self.net.arch_parameters.data.copy_(alphas[0])

    def logits(self, x):
        return self.net(x)[1]

    def gradient(self):
        return self.net.arch_parameters.grad[None]

    def genotype(self):
        return [[NAS_BENCH_201.index(op) for node in self.net.genotype().nodes for op, _ in node]]


class PCDARTS:
    """PC-DARTS with K=4; alphas [2,14,9], whose last column holds the weights of edges."""

    def __init__(self, c, layers):
        self.net = pcdarts.Network(c, 10, layers, None)
        self.shape = (2, 14, 9)

    def parameters(self):
        n = self.net
        return (n.alphas_normal, n.betas_normal), (n.alphas_reduce, n.betas_reduce)

    def set(self, alphas):
        for (a, b), value in zip(self.parameters(), alphas):
            a.data.copy_(value[:, :-1])
            b.data.copy_(value[:, -1])

    def logits(self, x):
        return self.net(x)

    def gradient(self):
        return torch.stack([torch.cat([a.grad, b.grad[:, None]], 1) for a, b in self.parameters()])

    def genotype(self):
        g = self.net.genotype()
        return [[v for op, state in cell for v in (pcdarts.PRIMITIVES.index(op), state)] for cell in (g.normal, g.reduce)]


def rounded(shape, generator, scale=1.0, shift=0.0):
    """Normal numbers that float32 holds."""
    return (torch.randn(shape, generator=generator) * scale + shift).float().double()


def write(name, supernet):
    g = torch.Generator().manual_seed(14)  # no input of a ReLU is as near to 0 as float32 rounds
    net = supernet.net
    # The public code of NAS-Bench-201 gives convolutions before a normalisation without scale a bias, which that takes away.
    weights = [(k, p) for k, p in net.named_parameters() if k != "arch_parameters" and not k.endswith("op.1.bias")]
    for key, p in weights:
        scale = 0.1 if p.dim() == 1 else (2 / p[0].numel()) ** 0.5
        p.data.copy_(rounded(p.shape, g, scale, 1.0 if p.dim() == 1 and key.endswith("weight") else 0.0))
    alphas = rounded((DRAWS, *supernet.shape), g)
    genotypes = []
    for a in reversed(alphas):
        supernet.set(a)
        genotypes.insert(0, supernet.genotype())
    x = torch.rand((4, 3, 16, 16), generator=g).float().double()
    y = torch.randint(0, 10, (4,), generator=g)
    net.train()
    logits = supernet.logits(x)
    loss = nn.functional.cross_entropy(logits, y)
    loss.backward()
    result = {"x": x.float(), "y": y, "alphas": alphas.float(), "genotypes": torch.tensor(genotypes), "logits": logits.detach(),
              "loss": loss.detach().reshape(1), "grad_alphas": supernet.gradient()}
    result |= {f"param.{k}": p.detach().float() for k, p in weights}
    result |= {f"grad.{k}": p.grad.float() for k, p in weights}
    np.savez_compressed(out / f"{name}.npz", **{k: v.numpy() for k, v in result.items()})
    print(f"{name}: {sum(p.numel() for _, p in weights)} parameters")


write("supernet_NASBench201_C4_L3", Bench201(4))
write("supernet_PC_DARTS_C4_L3", PCDARTS(4, 3))
for name, supernet in (("NAS-Bench-201 C=16 N=1", Bench201(16)), ("PC-DARTS C=16 L=8", PCDARTS(16, 8))):
    print(f"{name}: {sum(p.numel() for k, p in supernet.net.named_parameters() if k != 'arch_parameters')} parameters")

"""Writes the small PyTorch checkpoints of testdata/torch: python3 tools/checkpoints.py testdata/torch

Every kind of tensor that torch.save writes (element types, shared, sliced, transposed, expanded, empty and scalar
tensors, parameters with attributes) among what a training stores beside them, in the zip form and the legacy one, and
the same values as float64 in an .npz. Written with PyTorch 2.15 and numpy 2.4.
"""
import argparse
import sys
from collections import OrderedDict, defaultdict

import numpy as np
import torch

out = sys.argv[1]
g = torch.Generator().manual_seed(7)
state = OrderedDict()
for name in ("float32", "float64", "float16", "bfloat16"):
    state["module." + name] = torch.randn(2, 3, generator=g).to(getattr(torch, name))
for name in ("int64", "int32", "int16", "int8", "uint8"):
    state["module." + name] = torch.randint(0, 100, (5,), generator=g).to(getattr(torch, name))
state["module.bool"] = torch.tensor([True, False, True])
base = torch.randn(4, 6, generator=g)
state["module.base"] = base
state["module.tied"] = base
state["module.row"] = base[2]
state["module.block"] = base[1:3, 2:6:2]
state["module.transposed"] = base.t()
state["module.expanded"] = base[:, :1].expand(4, 3)
state["module.channels_last"] = torch.randn(2, 3, 2, 2, generator=g).contiguous(memory_format=torch.channels_last)
state["module.empty"] = torch.zeros(0, 3)
state["module.scalar"] = torch.tensor(2.5)
state["module.parameter"] = torch.nn.Parameter(torch.randn(3, generator=g))
tagged = torch.nn.Parameter(torch.randn(2, generator=g))
tagged.note = "decay"
state["module.tagged"] = tagged
state._metadata = OrderedDict(version=1)

net = torch.nn.Linear(2, 2)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
net(torch.ones(1, 2)).sum().backward()
optimizer.step()
history = defaultdict(list)
history["loss"].append(0.5)
checkpoint = {
    "epoch": 3, "arch": "net", "args": argparse.Namespace(lr=0.1, milestones=[1, 2]), "best": torch.tensor(93.5),
    "best_numpy": np.float64(0.9), "large": 1 << 80, "names": {"a", "b"}, "history": history, "rng": np.arange(3),
    "model_state_dict": state, "optimizer": optimizer.state_dict(),
}
torch.save(checkpoint, out + "/mixed.pt")
torch.save(checkpoint, out + "/mixed.legacy.pth", _use_new_zipfile_serialization=False)
np.savez(out + "/mixed.npz", **{k.removeprefix("module."): v.detach().to(torch.float64).numpy() for k, v in state.items()})

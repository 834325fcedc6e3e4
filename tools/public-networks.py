"""Writes the fixtures of testdata/torch whose networks are built by public code:

    python3 tools/public-networks.py CLONES testdata/torch

CLONES holds checkouts of D-X-Y/AutoDL-Projects (f46486e), fyqsama/ARNAS (9bcc2e3) and gmh14/RobNets (0fbcb03). For each network it
writes NAME.pt, parameters and running statistics, and NAME.npz, inputs and results as described in testdata/torch/README.md; and
prints parameters and multiply-adds of convolutions and the classifier of the published sizes. Written with PyTorch 2.15 and
numpy 2.4.
"""
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

clones, out = Path(sys.argv[1]), Path(sys.argv[2])


def load(folder, *modules):
    """Imports modules of a checkout and forgets their names, which the next checkout may use again."""
    known = set(sys.modules)
    sys.path.insert(0, str(clones / folder))
    loaded = [__import__(m, fromlist=["_"]) for m in modules]
    sys.path.pop(0)
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(clones)):
            del sys.modules[name]
    return loaded


operations, tiny, genotypes = load("AutoDL-Projects", "xautodl.models.cell_operations", "xautodl.models.cell_infers.tiny_network",
                                   "xautodl.models.cell_searchs.genotypes")
arnas, arnas_genotypes = load("ARNAS/ARNAS_train_eval/eval", "model", "genotypes")
robnet, codes = load("RobNets", "models.basic_model", "architecture_code")


def bench201(text, c, n, classes=10):
    return tiny.TinyNetwork(c, n, genotypes.Structure.str2structure(text), classes)


def arnas_net(c, layers):
    net = arnas.NetworkCIFAR_new(c, 10, layers, False, arnas_genotypes.ARNAS)
    net.drop_path_prob = 0
    return net


def logits_of(net, x):
    y = net(x)
    if isinstance(y, tuple):
        y = y[0] if isinstance(net, arnas.NetworkCIFAR_new) else y[1]
    return y


def write(name, net):
    g = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for key, v in net.named_parameters():
            if v.dim() == 1:
                v.copy_(torch.randn(v.shape, generator=g) * 0.1 + (1 if key.endswith("weight") else 0))
            else:
                v.copy_(torch.randn(v.shape, generator=g) * (2 / v[0].numel()) ** 0.5)
        for _ in range(30):  # running statistics near those of the images
            net(torch.rand(8, 3, 32, 32, generator=g))
    torch.save(net.state_dict(), out / f"{name}.pt")
    x = torch.rand(4, 3, 32, 32, generator=g, requires_grad=True)
    y = torch.randint(0, 10, (4,), generator=g)
    result = {"x": x.detach(), "y": y}
    net.eval()
    logits = logits_of(net, x)
    loss = nn.functional.cross_entropy(logits, y)
    loss.backward()
    result |= {"logits_eval": logits.detach(), "loss_eval": loss.detach(), "input_grad_eval": x.grad.clone()}
    net.zero_grad()
    net.train()
    logits = logits_of(net, x)
    loss = nn.functional.cross_entropy(logits, y)
    loss.backward()
    result |= {"logits_train": logits.detach(), "loss_train": loss.detach()}
    result |= {f"grad.{k}": p.grad for k, p in net.named_parameters()}
    result |= {f"after.{k}": v for k, v in net.named_buffers() if not k.endswith("num_batches_tracked")}
    np.savez(out / f"{name}.npz", **{k: v.numpy() for k, v in result.items()})


def count(name, net):
    macs = 0

    def hook(m, _, y):
        nonlocal macs
        inner = m.weight[0].numel()
        macs += inner * y.numel()

    for m in net.modules():
        if isinstance(m, (nn.Conv2d, nn.Linear)):
            m.register_forward_hook(hook)
    net.eval()
    with torch.no_grad():
        logits_of(net, torch.zeros(1, 3, 32, 32))
    print(f"{name}: {sum(p.numel() for p in net.parameters())} parameters, {macs} multiply-adds")


mixed = "|avg_pool_3x3~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"
write("NASBench201_C4_L3", bench201(mixed, 4, 1))
write("ARNAS_C4_L5", arnas_net(4, 5))
write("RobNet_C4_L5", robnet.Network(codes.robnet_free[:5], C=4, layers=5))

for text in ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
             "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|",
             "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|",
             mixed):
    count(text, bench201(text, 16, 5))
count("ARNAS", arnas_net(64, 20))
count("RobNet_free", robnet.Network(codes.robnet_free, C=36, layers=20))
count("RobNet_large_v1", robnet.Network(codes.robnet_large_v1, C=36, layers=20, share=True))
count("RobNet_large_v2", robnet.Network(codes.robnet_large_v2, C=64, layers=33, share=True))

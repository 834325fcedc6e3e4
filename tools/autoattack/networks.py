"""The networks of the comparison: images in [0, 1] of shape (N, 3, 32, 32) in, 10 logits out."""

import importlib.util
import os

import torch
from torch import nn
from torch.nn import functional as F

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def conv(c_in, c_out, kernel, stride=1):
    return nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=False)


class Block(nn.Module):
    """The basic block of He et al. 2015 (Deep Residual Learning), with a projection where the shape changes."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.conv1, self.bn1 = conv(c_in, c_out, 3, stride), nn.BatchNorm2d(c_out)
        self.conv2, self.bn2 = conv(c_out, c_out, 3), nn.BatchNorm2d(c_out)
        self.shortcut = nn.Sequential()
        if stride != 1 or c_in != c_out:
            self.shortcut = nn.Sequential(conv(c_in, c_out, 1, stride), nn.BatchNorm2d(c_out))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class PreActBlock(nn.Module):
    """The block of He et al. 2016 (Identity Mappings): normalisation and activation before each convolution."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(c_in), conv(c_in, c_out, 3, stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(c_out), conv(c_out, c_out, 3)
        self.shortcut = None
        if stride != 1 or c_in != c_out:
            self.shortcut = conv(c_in, c_out, 1, stride)

    def forward(self, x):
        a = F.silu(self.bn1(x))
        y = self.conv2(F.silu(self.bn2(self.conv1(a))))
        return y + (x if self.shortcut is None else self.shortcut(a))


class ResNet(nn.Module):
    """A stem of 16 channels, then per stage of widths as many blocks as depth says, each stage at half the resolution."""

    def __init__(self, block, widths, depth):
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))
        self.stem = conv(3, 16, 3)
        self.preact = block is PreActBlock
        self.bn = nn.BatchNorm2d(widths[-1] if self.preact else 16)
        blocks, c_in = [], 16
        for width in widths:
            for i in range(depth):
                blocks.append(block(c_in, width, 2 if i == 0 else 1))
                c_in = width
        self.blocks = nn.Sequential(*blocks)
        self.classifier = nn.Linear(c_in, 10)

    def forward(self, x):
        x = self.stem((x - self.mean) / self.std)
        if self.preact:
            x = F.silu(self.bn(self.blocks(x)))
        else:
            x = self.blocks(F.relu(self.bn(x)))
        return self.classifier(x.mean((2, 3)))


class Normalised(nn.Module):
    """A network that sees (x - mean) / std."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))

    def forward(self, x):
        return self.network((x - self.mean) / self.std)


def darts(path):
    """DARTS_V2 of tools/compare with 8 channels and 5 cells, and the weights of a file of `rnas train` with MEAN and STD."""
    from safetensors.torch import load_file

    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "compare", "networks.py")
    spec = importlib.util.spec_from_file_location("compare_networks", source)
    compare = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(compare)
    network = compare.Network(8, 5, 10, compare.Cell)
    missing, unexpected = network.load_state_dict(load_file(path), strict=False)
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"{path}: missing {missing}, unexpected {unexpected}")
    return Normalised(network).eval().requires_grad_(False)


# Adversarial training takes attack_steps gradient steps of attack_step_size from a uniform random start.
MODELS = {
    "resnet8-fgsm": {
        "network": lambda: ResNet(Block, (24, 48, 64), 1),
        "epochs": 12, "rate": 0.1, "attack_steps": 1, "attack_step_size": 10 / 255,
    },
    "preact8-pgd2": {
        "network": lambda: ResNet(PreActBlock, (24, 32, 48), 1),
        "epochs": 12, "rate": 0.2, "attack_steps": 2, "attack_step_size": 5 / 255,
    },
    "resnet14-standard": {
        "network": lambda: ResNet(Block, (16, 24, 32), 2),
        "epochs": 6, "rate": 0.2, "attack_steps": 0, "attack_step_size": 0,
    },
}

"""The networks of the comparison in PyTorch, with parameters under the public DARTS names.

Evaluation network and supernet are those of DARTS (Liu et al., ICLR 2019) for images of 32 by 32 pixels, without
auxiliary head and drop-path.
"""

import torch
from torch import nn

PRIMITIVES = [
    "none", "max_pool_3x3", "avg_pool_3x3", "skip_connect",
    "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5",
]

# Two edges (operation, input) a node, and the nodes that are concatenated.
DARTS_V2 = {
    "normal": [
        ("sep_conv_3x3", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("sep_conv_3x3", 1),
        ("sep_conv_3x3", 1), ("skip_connect", 0), ("skip_connect", 0), ("dil_conv_3x3", 2),
    ],
    "reduce": [
        ("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 1),
        ("max_pool_3x3", 0), ("skip_connect", 2), ("skip_connect", 2), ("max_pool_3x3", 1),
    ],
    "concat": [2, 3, 4, 5],
}


class Chain(nn.Module):
    """Layers in a row under the name op."""

    def __init__(self, *layers):
        super().__init__()
        self.op = nn.Sequential(*layers)

    def forward(self, x):
        return self.op(x)


class FactorizedReduce(nn.Module):
    """Halves the image by two 1x1 convolutions, the second one a pixel further."""

    def __init__(self, inputs, outputs, affine):
        super().__init__()
        self.conv_1 = nn.Conv2d(inputs, outputs // 2, 1, stride=2, bias=False)
        self.conv_2 = nn.Conv2d(inputs, outputs // 2, 1, stride=2, bias=False)
        self.bn = nn.BatchNorm2d(outputs, affine=affine)

    def forward(self, x):
        x = torch.relu(x)
        return self.bn(torch.cat([self.conv_1(x), self.conv_2(x[:, :, 1:, 1:])], dim=1))


class Zero(nn.Module):
    def __init__(self, stride):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        return x[:, :, :: self.stride, :: self.stride] * 0


def relu_conv_norm(inputs, outputs, affine):
    return Chain(nn.ReLU(), nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs, affine=affine))


def depthwise(channels, kernel, stride, dilation, affine):
    """The layers of one depthwise separable convolution."""
    pad = dilation * (kernel - 1) // 2
    return [
        nn.ReLU(),
        nn.Conv2d(channels, channels, kernel, stride, pad, dilation, groups=channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels, affine=affine),
    ]


def primitive(name, channels, stride, affine):
    """One operation of the DARTS space. Pools of the supernet, where affine is false, are normalised."""
    if name == "none":
        return Zero(stride)
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, affine)
    kind, _, size = name.rpartition("_")
    kernel = int(size[0])
    if kind == "sep_conv":
        return Chain(*depthwise(channels, kernel, stride, 1, affine), *depthwise(channels, kernel, 1, 1, affine))
    if kind == "dil_conv":
        return Chain(*depthwise(channels, kernel, stride, 2, affine))
    if kind == "max_pool":
        pool = nn.MaxPool2d(kernel, stride, kernel // 2)
    else:
        pool = nn.AvgPool2d(kernel, stride, kernel // 2, count_include_pad=False)
    return pool if affine else nn.Sequential(pool, nn.BatchNorm2d(channels, affine=False))


class Cell(nn.Module):
    """A cell of the evaluation network."""

    def __init__(self, before, last, channels, reduction, reduction_before):
        super().__init__()
        if reduction_before:
            self.preprocess0 = FactorizedReduce(before, channels, True)
        else:
            self.preprocess0 = relu_conv_norm(before, channels, True)
        self.preprocess1 = relu_conv_norm(last, channels, True)
        edges = DARTS_V2["reduce" if reduction else "normal"]
        self.inputs = [i for _, i in edges]
        self._ops = nn.ModuleList(
            primitive(name, channels, 2 if reduction and i < 2 else 1, True) for name, i in edges
        )

    def forward(self, before, last, _):
        states = [self.preprocess0(before), self.preprocess1(last)]
        for i in range(0, len(self._ops), 2):
            states.append(self._ops[i](states[self.inputs[i]]) + self._ops[i + 1](states[self.inputs[i + 1]]))
        return torch.cat([states[i] for i in DARTS_V2["concat"]], dim=1)


class MixedOp(nn.Module):
    def __init__(self, channels, stride):
        super().__init__()
        self._ops = nn.ModuleList(primitive(name, channels, stride, False) for name in PRIMITIVES)

    def forward(self, x, weights):
        return sum(w * op(x) for w, op in zip(weights, self._ops))


class SearchCell(nn.Module):
    """A cell of the supernet: four nodes, an edge from every earlier node and from both inputs."""

    def __init__(self, before, last, channels, reduction, reduction_before):
        super().__init__()
        if reduction_before:
            self.preprocess0 = FactorizedReduce(before, channels, False)
        else:
            self.preprocess0 = relu_conv_norm(before, channels, False)
        self.preprocess1 = relu_conv_norm(last, channels, False)
        self._ops = nn.ModuleList(
            MixedOp(channels, 2 if reduction and i < 2 else 1) for node in range(4) for i in range(2 + node)
        )

    def forward(self, before, last, weights):
        states = [self.preprocess0(before), self.preprocess1(last)]
        edge = 0
        for _ in range(4):
            states.append(sum(self._ops[edge + i](x, weights[edge + i]) for i, x in enumerate(states)))
            edge += len(states) - 1
        return torch.cat(states[-4:], dim=1)


class Network(nn.Module):
    """Stem, cells and classifier; reductions after a third and two thirds of the cells."""

    def __init__(self, channels, layers, classes, cell):
        super().__init__()
        width = 3 * channels
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
        self.cells = nn.ModuleList()
        self.reductions = []
        before, last, reduced = width, width, False
        for i in range(layers):
            reduction = i in (layers // 3, 2 * layers // 3)
            if reduction:
                channels *= 2
            self.cells.append(cell(before, last, channels, reduction, reduced))
            self.reductions.append(reduction)
            reduced, before, last = reduction, last, 4 * channels
        self.classifier = nn.Linear(last, classes)

    def edge_weights(self):
        return [None, None]

    def forward(self, x):
        weights = self.edge_weights()
        before = last = self.stem(x)
        for cell, reduction in zip(self.cells, self.reductions):
            before, last = last, cell(before, last, weights[int(reduction)])
        return self.classifier(last.mean((2, 3)))


class Supernet(Network):
    """alphas are the architecture parameters of normal and reduction cells; they are not among parameters()."""

    def __init__(self, channels, layers, classes):
        super().__init__(channels, layers, classes, SearchCell)
        self.alphas = [torch.zeros(14, len(PRIMITIVES), requires_grad=True) for _ in range(2)]

    def edge_weights(self):
        return [torch.softmax(a, dim=-1) for a in self.alphas]


def make(case):
    """The network of a case."""
    if case["network"] == "supernet":
        return Supernet(case["channels"], case["layers"], case["classes"])
    if case["network"] == "DARTS_V2":
        return Network(case["channels"], case["layers"], case["classes"], Cell)
    import torchvision

    return getattr(torchvision.models, case["network"])(weights=None, num_classes=case["classes"])

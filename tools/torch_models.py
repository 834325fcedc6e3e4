"""Exports narrow classifiers from PyTorch to ONNX, each with images, labels, logits and input gradients to compare with.

Needs: pip install torch torchvision timm onnx onnxscript
Usage: python tools/torch_models.py FOLDER [NAME ...]

Every model is made twice: NAME.ts.onnx by the exporter that traces (dynamo=False) and NAME.dynamo.onnx by the one that
compiles (dynamo=True), and NAME.npz holds, for both:
  images    uint8 [B,3,S,S]; the model's input is float32 images / 255
  labels    int64 [B]
  logits    float32 [B,10], as computed in float32
  gradient  float32 [B,3,S,S], of the summed cross-entropy with respect to the input
Names that end in -n leave the batch size open, those in -h compute in float16, those in -d in float64.
"""

import functools
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
import torchvision.models as tv
from timm.models import convnext, deit, mlp_mixer, resnet, swin_transformer, vision_transformer
from torch import nn
from torchvision.models import efficientnet as tv_efficientnet
from torchvision.models import mobilenetv3, squeezenet
from torchvision.models.googlenet import BasicConv2d as conv
from torchvision.models.googlenet import Inception as block
from torchvision.ops.misc import Conv2dNormActivation

BATCH = 2
CLASSES = 10


def vgg(norm):
    with torch.device("meta"):
        model = tv.VGG(nn.Identity(), num_classes=CLASSES, init_weights=False)
    model.features = tv.vgg.make_layers([8, "M", 12, "M", 16, 16, "M", 16, "M"], batch_norm=norm)
    model.avgpool = nn.AdaptiveAvgPool2d(1)
    model.classifier = nn.Sequential(
        nn.Linear(16, 24), nn.ReLU(True), nn.Dropout(), nn.Linear(24, 24), nn.ReLU(True), nn.Dropout(), nn.Linear(24, CLASSES)
    )
    return model


class GoogLeNet(nn.Module):
    """Inception v1 with fewer and narrower blocks."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            conv(3, 8, kernel_size=7, stride=2, padding=3),
            nn.MaxPool2d(3, stride=2, ceil_mode=True),
            conv(8, 8, kernel_size=1),
            conv(8, 12, kernel_size=3, padding=1),
            block(12, 4, 4, 8, 2, 4, 4),
            block(20, 6, 6, 10, 3, 6, 4),
            nn.MaxPool2d(2, stride=2, ceil_mode=True),
            block(26, 8, 6, 12, 3, 8, 6),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(34, CLASSES)

    def forward(self, x):
        x = torch.flatten(self.avgpool(self.body(x)), 1)
        return self.fc(self.dropout(x))


def mobilenet_v2():
    model = tv.MobileNetV2(
        num_classes=CLASSES, inverted_residual_setting=[[1, 8, 1, 1], [4, 8, 2, 2], [4, 12, 2, 2]], width_mult=0.25, round_nearest=4
    )
    last = model.features[-1][0].in_channels
    model.features[-1] = Conv2dNormActivation(last, 32, kernel_size=1, activation_layer=nn.ReLU6)
    model.classifier[1] = nn.Linear(32, CLASSES)
    return model


def mobilenet_v3():
    conf = functools.partial(mobilenetv3.InvertedResidualConfig, width_mult=1.0)
    setting = [
        conf(8, 3, 8, 8, True, "RE", 2, 1),
        conf(8, 3, 24, 12, False, "RE", 2, 1),
        conf(12, 5, 32, 12, True, "HS", 1, 1),
    ]
    return tv.MobileNetV3(setting, last_channel=48, num_classes=CLASSES)


def efficientnet_b():
    conf = tv_efficientnet.MBConvConfig
    setting = [conf(1, 3, 1, 8, 8, 1), conf(4, 3, 2, 8, 12, 2), conf(4, 5, 2, 12, 16, 1)]
    return tv.EfficientNet(setting, dropout=0.2, num_classes=CLASSES, last_channel=48)


def efficientnet_v2():
    wide, fused = tv_efficientnet.MBConvConfig, tv_efficientnet.FusedMBConvConfig
    setting = [fused(1, 3, 1, 8, 8, 1), fused(2, 3, 2, 8, 16, 1), wide(4, 3, 2, 16, 16, 2)]
    return tv.EfficientNet(setting, dropout=0.2, num_classes=CLASSES, last_channel=32)


def squeeze():
    model = tv.SqueezeNet("1_1", num_classes=CLASSES)
    fire = squeezenet.Fire
    pool = functools.partial(nn.MaxPool2d, kernel_size=3, stride=2, ceil_mode=True)
    model.features = nn.Sequential(
        nn.Conv2d(3, 12, kernel_size=3, stride=2), nn.ReLU(inplace=True), pool(),
        fire(12, 4, 8, 8), fire(16, 4, 8, 8), pool(), fire(16, 6, 12, 12), fire(24, 6, 12, 12),
    )
    model.classifier[1] = nn.Conv2d(24, CLASSES, kernel_size=1)
    return model


def vit_torchvision():
    return tv.VisionTransformer(image_size=32, patch_size=8, num_layers=2, num_heads=4, hidden_dim=32, mlp_dim=48, num_classes=CLASSES)


# name: maker and image size
MODELS = {
    "resnet": (lambda: resnet.ResNet(resnet.BasicBlock, (1, 1, 1, 1), num_classes=CLASSES, stem_width=8, channels=(8, 12, 16, 16)), 32),
    "resnext": (
        lambda: resnet.ResNet(
            resnet.Bottleneck, (1, 1, 1, 1), num_classes=CLASSES, cardinality=2, base_width=32, stem_width=8, channels=(4, 6, 8, 8)), 64),
    "vgg": (lambda: vgg(False), 32),
    "vgg-bn": (lambda: vgg(True), 64),
    "densenet": (lambda: tv.DenseNet(4, (2, 2, 2), 8, bn_size=2, num_classes=CLASSES), 32),
    "inception": (GoogLeNet, 64),
    "mobilenet-v2": (mobilenet_v2, 32),
    "mobilenet-v3": (mobilenet_v3, 32),
    "efficientnet": (efficientnet_b, 32),
    "efficientnet-v2": (efficientnet_v2, 32),
    "shufflenet": (lambda: tv.ShuffleNetV2([2, 2, 1], [8, 16, 24, 32, 48], num_classes=CLASSES), 32),
    "squeezenet": (squeeze, 64),
    "mnasnet": (lambda: tv.MNASNet(0.1, num_classes=CLASSES), 64),
    "regnet": (
        lambda: tv.RegNet(tv.regnet.BlockParams.from_init_params(
            depth=4, w_0=8, w_a=8.0, w_m=2.0, group_width=4, se_ratio=0.25), num_classes=CLASSES, stem_width=8), 32),
    "convnext": (lambda: convnext.ConvNeXt(num_classes=CLASSES, patch_size=2, depths=(1, 1, 1, 1), dims=(8, 12, 16, 24)), 32),
    "convnext-torchvision": (
        lambda: tv.ConvNeXt([tv.convnext.CNBlockConfig(8, 16, 1), tv.convnext.CNBlockConfig(16, None, 2)], num_classes=CLASSES), 32),
    "vit": (
        lambda: vision_transformer.VisionTransformer(
            img_size=32, patch_size=8, num_classes=CLASSES, embed_dim=32, depth=2, num_heads=4, mlp_ratio=2), 32),
    "vit-torchvision": (vit_torchvision, 32),
    "deit": (
        lambda: deit.VisionTransformerDistilled(
            img_size=32, patch_size=8, num_classes=CLASSES, embed_dim=32, depth=2, num_heads=4, mlp_ratio=2), 32),
    "swin": (
        lambda: swin_transformer.SwinTransformer(
            img_size=32, patch_size=2, num_classes=CLASSES, embed_dim=8, depths=(2, 2), num_heads=(2, 4), window_size=4, mlp_ratio=2), 32),
    "swin-torchvision": (
        lambda: tv.SwinTransformer([4, 4], 8, [2, 2], [2, 4], [4, 4], mlp_ratio=2, num_classes=CLASSES), 64),
    "mixer": (
        lambda: mlp_mixer.MlpMixer(num_classes=CLASSES, img_size=32, patch_size=8, num_blocks=2, embed_dim=32), 32),
}

# the models made in other forms too
OTHER = {"-n": ["resnet", "densenet", "shufflenet", "mobilenet-v3", "vit", "deit", "mixer"], "-h": ["resnet", "vit"], "-d": ["convnext"]}


def forms():
    """All names with base name, as in "vit-n", "vit"."""
    for name in MODELS:
        yield name, name
    for suffix, names in OTHER.items():
        for name in names:
            yield name + suffix, name


def randomize(model, seed):
    """Draws all parameters and statistics so that no part of the model has next to no effect."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.ndim > 1 and not any(s in name for s in ("token", "pos_embed", "position")):
                p.normal_(0, (2 / p[0].numel()) ** 0.5, generator=g)
            elif p.ndim == 1 and not name.endswith("bias"):
                p.uniform_(0.7, 1.3, generator=g)
            else:
                p.normal_(0, 0.2, generator=g)
        for name, b in model.named_buffers():
            if name.endswith("running_mean"):
                b.normal_(0, 0.3, generator=g)
            elif name.endswith("running_var"):
                b.uniform_(0.5, 1.5, generator=g)


def reference(model, images, labels):
    x = (images.float() / 255).requires_grad_()
    logits = model(x)
    nn.functional.cross_entropy(logits, labels, reduction="sum").backward()
    return logits.detach().numpy(), x.grad.numpy()


def export(model, images, path, dynamo, free):
    args = dict(input_names=["images"], output_names=["logits"], dynamo=dynamo)
    if free and dynamo:
        args["dynamic_shapes"] = ({0: torch.export.Dim("batch")},)
    elif free:
        args["dynamic_axes"] = {"images": {0: "batch"}, "logits": {0: "batch"}}
    if dynamo:
        args["external_data"] = False
        args["verbose"] = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, (images,), str(path), **args)
    strip(path)


def strip(path):
    """Removes what the exporters write down about the source code."""
    model = onnx.load(path)
    for part in [model.graph, *model.functions]:
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
        for item in [*part.node, *part.value_info]:
            item.ClearField("doc_string")
            item.ClearField("metadata_props")
    onnx.save(model, path)


def main():
    folder, wanted = Path(sys.argv[1]), sys.argv[2:]
    folder.mkdir(parents=True, exist_ok=True)
    for name, base in forms():
        if wanted and name not in wanted:
            continue
        make, size = MODELS[base]
        seed = list(MODELS).index(base)
        torch.manual_seed(seed)
        model = make().eval()
        randomize(model, seed)
        rng = np.random.default_rng(seed)
        images = torch.from_numpy(rng.integers(0, 256, (BATCH, 3, size, size), dtype=np.uint8))
        labels = torch.from_numpy(rng.integers(0, CLASSES, BATCH))
        if name.endswith("-h"):
            model = model.half().float()
        logits, gradient = reference(model, images, labels)
        np.savez_compressed(folder / f"{name}.npz", images=images, labels=labels, logits=logits, gradient=gradient)
        x = images.float() / 255
        if name.endswith("-h"):
            model, x = model.half(), x.half()
        if name.endswith("-d"):
            model, x = model.double(), x.double()
        for form, dynamo in ("ts", False), ("dynamo", True):
            path = folder / f"{name}.{form}.onnx"
            try:
                export(model, x, path, dynamo, name.endswith("-n"))
            except Exception as e:
                text = str(e).strip().splitlines() or [type(e).__name__]
                print(f"{path.name}: not exported: {text[0]}", flush=True)
                continue
            print(f"{path.name}: {path.stat().st_size} bytes, largest logit {abs(logits).max():.3g}, gradient {abs(gradient).max():.3g}", flush=True)


if __name__ == "__main__":
    main()

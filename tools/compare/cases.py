"""What is compared."""

PEERS = ["eager", "channels_last", "compile"]


def _net(channels, layers, batch, **more):
    return {"network": "DARTS_V2", "channels": channels, "layers": layers, "classes": 10, "size": 32, "batch": batch, **more}


def _super(batch):
    return {
        "kind": "search", "network": "supernet", "channels": 16, "layers": 8, "classes": 10, "size": 32,
        "batch": batch, "peers": ["eager"],
    }


def _foreign(name):
    return {
        "kind": "pgd", "network": name, "channels": 0, "layers": 0, "classes": 1000, "size": 224, "batch": 8,
        "steps": 5, "peers": PEERS, "title": f"{name} 224x224 batch 8, PGD step",
    }


# Forward passes are compared with ONNX Runtime on PyTorch's own export too. prototype is the time of PyTorch 1.13 and of
# the prototype behind the design in ms, both on another machine.
CASES = {
    "forward-c16": _net(
        16, 8, 32, kind="forward", peers=PEERS + ["compile_frozen", "ort"], title="DARTS_V2 C=16 L=8 batch 32, forward",
        prototype={"step": (73, 23)},
    ),
    "forward-c36": _net(
        36, 20, 16, kind="forward", peers=PEERS + ["compile_frozen", "ort"], title="DARTS_V2 C=36 L=20 batch 16, forward",
        prototype={"step": (235, 85)},
    ),
    "pgd-c16": _net(
        16, 8, 32, kind="pgd", steps=10, peers=PEERS, title="DARTS_V2 C=16 L=8 batch 32, PGD step",
        prototype={"step": (135, 63)},
    ),
    "pgd-c36": _net(
        36, 20, 16, kind="pgd", steps=10, peers=PEERS, title="DARTS_V2 C=36 L=20 batch 16, PGD step",
        prototype={"step": (460, 216)},
    ),
    "train": _net(
        16, 8, 64, kind="train", recipe="standard", peers=PEERS, title="DARTS_V2 C=16 L=8 batch 64, training step",
    ),
    "train-pgd7": _net(
        16, 8, 64, kind="train", recipe="pgd", steps=7, peers=PEERS,
        title="DARTS_V2 C=16 L=8 batch 64, PGD-7 training step",
    ),
    "search-b16": {**_super(16), "title": "supernet C=16 L=8 batch 16"},
    "search-b8": {**_super(8), "title": "supernet C=16 L=8 batch 8", "prototype": {"weights": (1080, 849)}},
    "resnet18": _foreign("resnet18"),
    "mobilenet_v2": _foreign("mobilenet_v2"),
}

PARTS = {"alphas": "alpha step", "weights": "weight step", "sum": "both steps"}


def tolerance(case, rounding=0.0):
    """How two sides may differ: the share of pixels after one step of an attack (a sign that flips moves a pixel by a whole
    step), else relative to the largest value. Float32 is not enough for every sign: on 20 cells PyTorch's own gradients in
    float32 and float64 differ in the sign of 1.5% of the pixels. Many steps amplify rounding, so the loss after them is loose.
    rounding is how far PyTorch's logits in float32 are from those in float64; two sides may both be as far off."""
    if case["kind"] == "pgd":
        return {"pixels": 0.03}
    if case.get("recipe") == "pgd":
        return {"relative": 0.05}
    return {"relative": max(1e-4, 2 * rounding) if case["kind"] == "forward" else 1e-3}

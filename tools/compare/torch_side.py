"""The PyTorch side of the comparison. It speaks the protocol of ours/main.go.

    torch_side.py CASE.json prepare   writes weights, inputs and, where needed, the ONNX export of a case
    torch_side.py CASE.json VARIANT   eager, channels_last, compile, compile_frozen, or ort (ONNX Runtime on the export)
"""

import json
import os
import sys
import time

EPSILON, STEP_SIZE, RATE, CLIP, NOISE = 8 / 255, 2 / 255, 0.025, 5.0, 8 / 255


def load_weights(model, path):
    """Every parameter and statistic of the file has its place in the model and the other way round."""
    import torch
    from safetensors.numpy import load_file

    state = {name: torch.from_numpy(value) for name, value in load_file(path).items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        sys.exit(f"{path}: missing {missing}, unexpected {unexpected}")


def prepare(case):
    """Common weights, with the statistics of normalisation taken from images, and common inputs."""
    import torch
    from torch import nn

    import networks

    torch.manual_seed(1)
    path = lambda name: os.path.join(case["dir"], name)
    size = (case["batch"], 3, case["size"], case["size"])
    inputs = {
        "images": torch.rand(size),
        "labels": torch.randint(0, case["classes"], (case["batch"],)),
        "start": (2 * torch.rand(size) - 1) * EPSILON,
        "noise": (2 * torch.rand(size) - 1) * NOISE,
    }
    for name, value in inputs.items():
        value.numpy().tofile(path(name + ".bin"))
    model = networks.make(case)
    own = case["channels"] > 0
    if own:
        load_weights(model, path("initial.safetensors"))
    model.train()
    for m in model.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.momentum = None  # a plain average
    with torch.no_grad():
        for _ in range(3):
            model(torch.rand(size))
    model.eval()
    if own:
        from safetensors.numpy import save_file

        state = {k: v.numpy() for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
        save_file(state, path("weights.safetensors"))
    else:
        torch.save(model.state_dict(), path("weights.pt"))
    with open(path("rounding.json"), "w") as f:
        json.dump(rounding(model, inputs["images"]), f)
    if not own or case["export"]:
        # Our side takes models of others with any batch; plain ONNX Runtime is given the shape.
        free = None if own else ({0: torch.export.Dim("batch")},)
        torch.onnx.export(
            model, (inputs["images"],), path("model.onnx"), input_names=["input"], output_names=["logits"], dynamic_shapes=free
        )


def rounding(model, images):
    """How far the logits in float32 are from those in float64, relative to the largest."""
    import copy

    import torch

    with torch.no_grad():
        exact = copy.deepcopy(model).double()(images.double())
        return ((model(images) - exact).abs().max() / exact.abs().max()).item()


class Side:
    """A loaded case: parts are functions that make a step and return the values to be checked, unless check does."""

    def __init__(self, case, variant):
        import numpy

        self.case = case
        size = (case["batch"], 3, case["size"], case["size"])
        read = lambda name, kind: numpy.fromfile(os.path.join(case["dir"], name + ".bin"), kind)
        self.inputs = {k: read(k, "float32").reshape(size) for k in ("images", "start", "noise")}
        self.inputs["labels"] = read("labels", "int64")
        self.parameters = 0
        if variant == "ort":
            self.load_ort()
        else:
            self.load_torch(variant)

    def load_ort(self):
        import onnxruntime

        self.version = "ONNX Runtime " + onnxruntime.__version__
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.case["threads"]
        model = os.path.join(self.case["dir"], "model.onnx")
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        feed = {"input": self.inputs["images"]}
        self.parts = {"step": lambda: session.run(None, feed)[0]}
        self.per, self.check = 1, None

    def load_torch(self, variant):
        import torch

        import networks

        self.version = "PyTorch " + torch.__version__
        torch.set_num_threads(self.case["threads"])
        model = networks.make(self.case)
        if self.case["channels"] > 0:
            load_weights(model, os.path.join(self.case["dir"], "weights.safetensors"))
        else:
            model.load_state_dict(torch.load(os.path.join(self.case["dir"], "weights.pt")))
        self.parameters = sum(p.numel() for p in model.parameters())
        x = {name: torch.from_numpy(value) for name, value in self.inputs.items()}
        if variant == "channels_last":
            model = model.to(memory_format=torch.channels_last)
            x = {k: v.contiguous(memory_format=torch.channels_last) if v.dim() == 4 else v for k, v in x.items()}
        net = model
        if variant == "compile_frozen":
            import torch._inductor.config

            torch._inductor.config.freezing = True
        if variant.startswith("compile"):
            net = torch.compile(model)
        self.per, self.check = 1, None
        self.parts = getattr(self, self.case["kind"])(torch, model, net, x)

    def forward(self, torch, model, net, x):
        model.eval()

        def step():
            with torch.no_grad():
                return net(x["images"])

        return {"step": step}

    def attack(self, torch, net, x, steps):
        """Projected gradient descent in the maximum norm."""
        images, labels = x["images"], x["labels"]
        low, high = (images - EPSILON).clamp(0, 1), (images + EPSILON).clamp(0, 1)
        z = (images + x["start"]).clamp(0, 1)
        for _ in range(steps):
            z.requires_grad_()
            loss = torch.nn.functional.cross_entropy(net(z), labels, reduction="sum")
            (g,) = torch.autograd.grad(loss, z)
            z = torch.min(torch.max(z.detach() + STEP_SIZE * g.sign(), low), high)
        return z

    def pgd(self, torch, model, net, x):
        model.eval()
        for p in model.parameters():
            p.requires_grad_(False)
        self.per = self.case["steps"]
        self.check = lambda: self.attack(torch, net, x, 1)
        return {"step": lambda: self.attack(torch, net, x, self.per)}

    def train(self, torch, model, net, x):
        optimizer = torch.optim.SGD(model.parameters(), RATE, momentum=0.9, weight_decay=3e-4)

        def step():
            images = x["images"]
            if self.case["recipe"] != "standard":
                model.eval()
                images = self.attack(torch, net, x, self.case["steps"])
            model.train()
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(net(images), x["labels"])
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
            return torch.stack([loss.detach(), norm.detach()])

        return {"step": step}

    def search(self, torch, model, net, x):
        f = torch.nn.functional
        model.train()
        sgd = torch.optim.SGD(model.parameters(), RATE, momentum=0.9, weight_decay=3e-4)
        adam = torch.optim.Adam(model.alphas, 3e-4, betas=(0.5, 0.999), weight_decay=1e-3)

        def alphas():
            # Only the gradients of the architecture: weight gradients, which the public DARTS code computes as well,
            # would make this step slower.
            clean, noisy = net(x["images"]), net((x["images"] + x["noise"]).clamp(0, 1))
            ce = f.cross_entropy(clean, x["labels"])
            reg = f.kl_div(noisy.log_softmax(1), clean.softmax(1), reduction="batchmean")
            for a, g in zip(model.alphas, torch.autograd.grad(ce + reg, model.alphas)):
                a.grad = g
            adam.step()
            return torch.stack([ce.detach(), reg.detach()])

        def weights():
            sgd.zero_grad()
            for a in model.alphas:
                a.requires_grad_(False)
            loss = f.cross_entropy(net(x["images"]), x["labels"])
            loss.backward()
            for a in model.alphas:
                a.requires_grad_(True)
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            sgd.step()
            return loss.detach().reshape(1)

        return {"alphas": alphas, "weights": weights}

    def first(self, path):
        import numpy

        begin = time.perf_counter()
        values = [step() for step in self.parts.values()]
        took = time.perf_counter() - begin
        if self.check:
            values = [self.check()]
        numpy.concatenate([numpy.asarray(v).reshape(-1) for v in values]).astype("float32").tofile(path)
        return {"first_s": took}

    def step(self, n):
        ms = {name: [] for name in self.parts}
        for _ in range(n):
            for name, step in self.parts.items():
                begin = time.perf_counter()
                step()
                ms[name].append((time.perf_counter() - begin) * 1e3 / self.per)
        return ms


def peak_memory():
    """The high-water mark of the resident memory in MiB."""
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM:"))


def serve(case, variant):
    import numpy  # noqa: F401  libraries are loaded before the clock starts, as on our side

    if variant == "ort":
        import onnxruntime  # noqa: F401
    else:
        import torch  # noqa: F401
        import networks  # noqa: F401
    begin = time.perf_counter()
    side = Side(case, variant)
    # Answers go to the process's own standard output; what libraries print goes to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    answer = lambda reply: print(json.dumps(reply), file=answers, flush=True)
    answer({"load_s": time.perf_counter() - begin, "parameters": side.parameters, "version": side.version})
    for line in sys.stdin:
        words = line.split()
        if words == ["first"]:
            answer(side.first(os.path.join(case["dir"], f"values.{variant}.f32")))
        elif words == ["memory"]:
            answer({"memory_mib": peak_memory()})
        elif len(words) == 2 and words[0] == "step":
            answer(side.step(int(words[1])))
        else:
            sys.exit(f"request {line!r}: expected first, memory or step N")


def main():
    with open(sys.argv[1]) as f:
        case = json.load(f)
    if sys.argv[2] == "prepare":
        prepare(case)
    else:
        serve(case, sys.argv[2])


if __name__ == "__main__":
    main()

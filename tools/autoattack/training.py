"""Training on the CPU with one thread, and the export to ONNX."""

import os
import time

import numpy as np
import torch
from torch.nn import functional as F

from networks import MODELS

EPSILON, BATCH, MOMENTUM, DECAY = 8 / 255, 128, 0.9, 5e-4


def augment(images, generator):
    """Random crops of the images padded by 4, and flips. images: uint8 (N, 3, 32, 32)."""
    n = len(images)
    padded = F.pad(images, (4, 4, 4, 4))
    offsets = torch.randint(0, 9, (2, n, 1), generator=generator) + torch.arange(32)
    columns = torch.where(torch.rand(n, 1, generator=generator) < 0.5, offsets[1], offsets[1].flip(1))
    rows = torch.arange(n)[:, None, None]
    return padded.permute(0, 2, 3, 1)[rows, offsets[0][:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def logits(model, x):
    with torch.autocast("cpu", torch.bfloat16):
        return model(x).float()


def perturb(model, x, y, steps, step_size, generator):
    """Sign steps on the cross-entropy from a uniform random start: FGSM as Wong et al. 2020 with one step, else PGD."""
    if not steps:
        return x
    delta = (2 * torch.rand(x.shape, generator=generator) - 1) * EPSILON
    for _ in range(steps):
        adversarial = (x + delta).clamp(0, 1).requires_grad_()
        gradient, = torch.autograd.grad(F.cross_entropy(logits(model, adversarial), y), adversarial)
        delta = (delta + step_size * gradient.sign()).clamp(-EPSILON, EPSILON)
    return (x + delta).clamp(0, 1).detach()


def evaluate(model, x, y, generator):
    """Clean accuracy, and accuracy under PGD-20 with steps of 2/255, in percent."""
    model.eval()
    clean = robust = 0
    for images, labels in zip(x.split(250), y.split(250)):
        images = images.float() / 255
        adversarial = perturb(model, images, labels, 20, 2 / 255, generator)
        with torch.no_grad():
            right = logits(model, images).argmax(1) == labels
            clean += right.sum().item()
            robust += (right & (logits(model, adversarial).argmax(1) == labels)).sum().item()
    return 100 * clean / len(x), 100 * robust / len(x)


def train(name, arrays, points, folder, say):
    """Trains a network of MODELS with a one-cycle rate, continuing from the checkpoint that folder has of it. Returns it."""
    recipe = MODELS[name]
    torch.manual_seed(0)
    model = recipe["network"]().to(memory_format=torch.channels_last)
    x = torch.from_numpy(arrays["x_train"]).permute(0, 3, 1, 2)
    y = torch.from_numpy(arrays["y_train"]).long()
    held = [torch.from_numpy(points["x_test"]).permute(0, 3, 1, 2), torch.from_numpy(points["y_test"]).long()]
    steps = len(x) // BATCH
    optimizer = torch.optim.SGD(model.parameters(), recipe["rate"], MOMENTUM, weight_decay=DECAY, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe["rate"], recipe["epochs"] * steps, cycle_momentum=False)
    path = os.path.join(folder, name + ".pt")
    parts, first = {"model": model, "optimizer": optimizer, "schedule": schedule}, 0
    if os.path.exists(path):
        state = torch.load(path)
        first = state["epoch"]
        for key, part in parts.items():
            part.load_state_dict(state[key])
    for epoch in range(first, recipe["epochs"]):
        generator = torch.Generator().manual_seed(epoch)
        began, total = time.time(), 0.0
        model.train()
        for rows in torch.randperm(len(x), generator=generator)[: steps * BATCH].split(BATCH):
            images = (augment(x[rows], generator).float() / 255).contiguous(memory_format=torch.channels_last)
            labels = y[rows]
            images = perturb(model, images, labels, recipe["attack_steps"], recipe["attack_step_size"], generator)
            loss = F.cross_entropy(logits(model, images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        took = time.time() - began
        clean, robust = evaluate(model, *held, generator)
        say(f"{name}: epoch {epoch + 1}: loss {total / steps:.3f}, clean {clean:.1f}, PGD-20 {robust:.1f}, {took:.0f} s")
        torch.save({"epoch": epoch + 1, **{key: part.state_dict() for key, part in parts.items()}}, path + ".tmp")
        os.replace(path + ".tmp", path)
    return model.to(memory_format=torch.contiguous_format).eval()


def export(model, path):
    """Writes the network as it is: every parameter and statistic is an initializer of its own name."""
    torch.onnx.export(
        model, (torch.zeros(2, 3, 32, 32),), path, opset_version=17, dynamo=False, do_constant_folding=False,
        training=torch.onnx.TrainingMode.PRESERVE, input_names=["input"], output_names=["logits"],
        dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}},
    )


def load_onnx(name, path):
    """The network of MODELS with the weights of its export, in evaluation mode."""
    import onnx
    from onnx import numpy_helper

    model = MODELS[name]["network"]()
    graph = onnx.load(path).graph
    state = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
    for node in graph.node:
        if node.op_type == "Identity":  # the exporter stores equal tensors once
            state[node.output[0]] = state[node.input[0]]
    expected = [key for key in model.state_dict() if not key.endswith("num_batches_tracked")]
    model.load_state_dict({key: state[key] for key in expected}, strict=False)
    return model.eval().requires_grad_(False)


def difference(model, path, x):
    """The largest difference between the logits of ONNX Runtime on the export and those of PyTorch."""
    import onnxruntime

    with torch.no_grad():
        expected = model(x).numpy()
    found, = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"input": x.numpy()})
    return float(np.abs(found - expected).max())

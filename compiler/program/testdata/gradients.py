"""Runs gradient graphs in Python: gradients.py [DATA.npz MODEL]... checks each file and compares its outputs with ours."""

import sys

import numpy as np
import onnx
import onnxruntime as ort

for arrays, path in zip(sys.argv[1::2], sys.argv[2::2]):
    onnx.checker.check_model(path, full_check=True)
    data = np.load(arrays)
    model = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [o.name for o in model.get_outputs()]
    results = model.run(names, {i.name: data[i.name] for i in model.get_inputs()})
    worst = 0.0
    for name, got in zip(names, results):
        want = data[name]
        difference = float(np.abs(got - want).max() / max(np.abs(want).max(), 1e-3))
        if got.shape != want.shape or not difference <= 1e-4:
            sys.exit(f"{path}: {name} {got.shape} differs from {want.shape} by {difference} of the largest entry")
        worst = max(worst, difference)
    print(f"{path}: {len(names)} outputs differ by at most {worst:.2g}")

"""Runs exported models in Python: logits.py DATA.npz MODEL... checks each file and compares its logits with ours."""

import sys

import numpy as np
import onnx
import onnxruntime as ort

data = np.load(sys.argv[1])
for path in sys.argv[2:]:
    onnx.checker.check_model(path, full_check=True)
    model = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    for images, logits in ((data["images"], data["logits"]), (data["images"][:1], data["logits"][:1])):
        got = model.run(["logits"], {"input": images})[0]
        difference = float(np.abs(got - logits).max())
        if got.shape != logits.shape or not difference <= 1e-5:
            sys.exit(f"{path}: logits {got.shape} differ from {logits.shape} by {difference}")
        print(f"{path}: batch {len(images)} differs by {difference:.2g}")

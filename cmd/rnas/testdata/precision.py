"""Checks and runs models with the reference packages: precision.py IMAGES REFERENCE MODEL... prints for each model the
types of its input and output and how far its logits lie from those of REFERENCE, relative to the largest."""

import sys

import numpy as np
import onnx
import onnxruntime

images = np.load(sys.argv[1])["x_test"].astype(np.float32) / np.float32(255)
logits = []
for path in sys.argv[2:]:
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    logits.append(session.run(["logits"], {"input": images})[0])
    distance = np.abs(logits[-1] - logits[0]).max() / np.abs(logits[0]).max()
    print(images.dtype, logits[-1].dtype, f"{distance:.9f}")

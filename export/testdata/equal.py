"""Runs pairs of models on equal inputs with ONNX Runtime and compares the results: equal.py A B [A B]..."""

import sys

import numpy as np
import onnx
import onnxruntime as ort

options = ort.SessionOptions()
options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL

for pair in zip(sys.argv[1::2], sys.argv[2::2]):
    rng = np.random.default_rng(0)
    models = [onnx.load(path) for path in pair]
    initializers = {i.name for i in models[0].graph.initializer}
    feeds = {}
    for i in models[0].graph.input:
        if i.name not in initializers:
            shape = [d.dim_value or 2 for d in i.type.tensor_type.shape.dim]
            feeds[i.name] = rng.normal(size=shape).astype(np.float32)
    results = [
        ort.InferenceSession(m.SerializeToString(), options, providers=["CPUExecutionProvider"]).run(None, feeds)
        for m in models
    ]
    for output, x, y in zip(models[0].graph.output, *results):
        if x.shape != y.shape or x.dtype != y.dtype or not np.allclose(x, y, rtol=1e-5, atol=1e-6):
            sys.exit(f"{pair}: {output.name} differs:\n{x.dtype}{x.shape} {x}\n{y.dtype}{y.shape} {y}")
    print(*pair, len(results[0]), "outputs")

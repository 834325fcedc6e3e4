"""Runs attacks as models: attack.py INPUTS.npz OUTPUTS.npz NAME=ATTACK.onnx...

Writes the adversarial images of each attack as NAME.default, of a session without options, and NAME.single, of one with one
thread and the optimisation level named, ORT_ENABLE_ALL, which is the default.
"""

import sys

import numpy as np
import onnxruntime as ort

inputs = np.load(sys.argv[1])
outputs = {}
for word in sys.argv[3:]:
    name, path = word.split("=", 1)
    for run in "default", "single":
        options = ort.SessionOptions()
        if run == "single":
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
            options.intra_op_num_threads = 1
        session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        feed = {i.name: inputs[i.name] for i in session.get_inputs()}
        outputs[f"{name}.{run}"] = session.run(["adversarial"], feed)[0]
np.savez(sys.argv[2], **outputs)
print(ort.__version__)

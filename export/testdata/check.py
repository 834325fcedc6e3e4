"""Checks ONNX files with the reference implementation: check.py FILE..."""

import sys

import onnx

for path in sys.argv[1:]:
    with open(path, "rb") as f:
        data = f.read()
    model = onnx.load_model_from_string(data)
    onnx.checker.check_model(model, full_check=True)
    if model.SerializeToString(deterministic=True) != data:
        sys.exit(f"{path}: not in the canonical encoding")
    print(onnx.printer.to_text(model.graph).split("\n")[0])

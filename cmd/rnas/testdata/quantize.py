"""Quantises a model with ONNX Runtime's own quantizer: quantize.py MODEL FOLDER writes qoperator.onnx, qdq.onnx and
dynamic.onnx. Weights have 7 bits (reduce_range), as ONNX Runtime advises for processors without VNNI: those add pairs of
products in 16 bits, where larger ones saturate."""

import sys

import numpy as np
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_dynamic, quantize_static


class Images(CalibrationDataReader):
    def __init__(self):
        rng = np.random.default_rng(0)
        self.batches = iter([{"input": rng.random((8, 3, 16, 16), dtype=np.float32)} for _ in range(2)])

    def get_next(self):
        return next(self.batches, None)


model, folder = sys.argv[1:]
quantize_static(model, f"{folder}/qoperator.onnx", Images(), quant_format=QuantFormat.QOperator, reduce_range=True)
quantize_static(model, f"{folder}/qdq.onnx", Images(), quant_format=QuantFormat.QDQ, per_channel=True, reduce_range=True)
quantize_dynamic(model, f"{folder}/dynamic.onnx", reduce_range=True)

"""Writes one model for each operator that ONNX Runtime's optimiser makes at its extended level: microsoft.OP.onnx.

python3 microsoft.py; each is run once by Python's onnxruntime, so that a file that it refuses is not left here.
"""
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(11)


def f(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def write(name, shape, constants, outputs=1, domain="com.microsoft", before=(), first=("x",), skip=(), label=None, **attrs):
    """One node on x; an entry of constants that is None is an absent input, one that is a text is a value of before."""
    inputs, init = list(first), []
    for i, c in enumerate(constants):
        if c is None or isinstance(c, str):
            inputs.append(c or "")
            continue
        inputs.append(f"c{i}")
        init.append(numpy_helper.from_array(c, f"c{i}"))
    names = ["" if i in skip else f"y{i}" for i in range(outputs)]
    node = helper.make_node(name, inputs, names, name="n", domain=domain, **attrs)
    out = [helper.make_tensor_value_info(y, TensorProto.FLOAT, None) for y in names if y]
    graph = helper.make_graph(list(before) + [node], name, [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)], out, init)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)], ir_version=9)
    path = f"microsoft.{label or name}.onnx"
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    session.run(None, {"x": rng.random([3 if isinstance(d, str) else d for d in shape], dtype=np.float32)})
    onnx.save(model, path)


write("Gelu", ["N", 6], [])
write("BiasGelu", ["N", 6], [f(6)])
write("FastGelu", ["N", 6], [f(6)])
write("QuickGelu", ["N", 6], [], alpha=1.3)
write("SkipLayerNormalization", ["N", 4, 8], ["x", f(8), f(8), f(8)], outputs=4, skip=(1, 2), epsilon=1e-3)
write("SkipSimplifiedLayerNormalization", ["N", 4, 8], ["x", f(8), f(8)], outputs=4, skip=(1, 2), epsilon=1e-3)
write("SimplifiedLayerNormalization", ["N", 4, 8], [f(8)], domain="", epsilon=1e-3, axis=-1)
write("FusedMatMul", ["N", 4, 6], [f(5, 6)], transB=1, alpha=0.25)
write("FusedMatMul", [4, 2, 6], ["x"], label="FusedMatMul.batch", transB=1, transBatchA=1, transBatchB=1)
write("FusedGemm", ["N", 6], [f(5, 6), f(5)], label="FusedGemm.elu", transB=1, activation="Elu", activation_alpha=1.0)
write("FusedGemm", ["N", 6], [f(5, 6), f(5)], transB=1, activation="LeakyRelu", activation_alpha=0.2)
write("FusedConv", ["N", 3, 6, 6], [f(4, 3, 3, 3), f(4)], activation="Clip", activation_params=[-0.5, 0.7], pads=[1, 1, 1, 1], strides=[2, 2])
write("MatMulNBits", ["N", 40], [rng.integers(0, 256, (5, 3, 8), dtype=np.uint8), rng.random(15).astype(np.float32),
                                 rng.integers(0, 256, 10, dtype=np.uint8)], K=40, N=5, bits=4, block_size=16)
write("DynamicQuantizeMatMul", ["N", 6], [rng.integers(-99, 99, (6, 5)).astype(np.int8), np.float32(0.02), np.int8(3), f(5)])
quantise = helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"])
write("MatMulIntegerToFloat", ["N", 6], [rng.integers(0, 99, (6, 5)).astype(np.uint8), "s", np.float32(0.02), "z", np.uint8(40), f(5)],
      before=[quantise], first=("q",))

"""Writes models made with onnx.helper, in old and new forms, to a folder: make.py FOLDER."""

import os
import sys

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h

folder = sys.argv[1]


def save(name, opset, nodes, inputs, outputs, initializers=(), ir=None, check=True):
    graph = h.make_graph(nodes, name, inputs, outputs, list(initializers))
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", opset)])
    model.ir_version = ir or h.find_min_ir_version_for([h.make_opsetid("", opset)])
    if check:
        onnx.checker.check_model(model, full_check=True)
    onnx.save(model, os.path.join(folder, f"{name}.onnx"))


def value(name, *shape, dtype=T.FLOAT):
    return h.make_tensor_value_info(name, dtype, list(shape))


n = h.make_node
x = value("x", "batch", 3, 8, 8)

save(
    "opset9",
    9,
    [
        n("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        n("BatchNormalization", ["c", "s", "b", "m", "v"], ["bn"]),
        n("Clip", ["bn"], ["clip"], min=0.0, max=6.0),
        n("Pad", ["clip"], ["pad"], pads=[0, 0, 1, 1, 0, 0, 1, 1], value=0.5),
        n("Slice", ["pad"], ["slice"], starts=[1, 1], ends=[9, -1], axes=[2, 3]),
        n("ReduceMean", ["slice"], ["mean"], axes=[2, 3], keepdims=1),
        n("Squeeze", ["mean"], ["sq"], axes=[2, 3]),
        n("Unsqueeze", ["sq"], ["un"], axes=[2]),
        n("Dropout", ["un"], ["drop"], ratio=0.25),
        n("Squeeze", ["drop"], ["flat"], axes=[2]),
        n("TopK", ["flat"], ["top", "which"], k=2, axis=1),
        n("Split", ["flat"], ["left", "right"], axis=1, split=[1, 3]),
        n("ReduceSum", ["right"], ["sum"], axes=[1], keepdims=0),
        n("Softmax", ["slice"], ["soft"]),
    ],
    [x, value("w", 4, 3, 3, 3), value("s", 4), value("b", 4), value("m", 4), value("v", 4)],
    [
        value("top", "batch", 2),
        value("which", "batch", 2, dtype=T.INT64),
        value("left", "batch", 1),
        value("sum", "batch"),
        value("soft", "batch", 4, 8, 8),
    ],
    [
        onnx.numpy_helper.from_array(np.arange(108, dtype=np.float32).reshape(4, 3, 3, 3), "w"),
        h.make_tensor("s", T.FLOAT, [4], [1, 2, 3, 4]),
        h.make_tensor("b", T.FLOAT, [4], [0, 0, 0, 0]),
        h.make_tensor("m", T.FLOAT, [4], [0, 0, 0, 0]),
        h.make_tensor("v", T.FLOAT, [4], [1, 1, 1, 1]),
    ],
    ir=3,
)

save(
    "opset21",
    21,
    [
        n("Constant", [], ["axes"], value_ints=[-1]),
        n("Constant", [], ["half"], value_float=0.5),
        n("ReduceMax", ["x", "axes"], ["max"], keepdims=0),
        n("Mul", ["max", "half"], ["mul"]),
        n("Cast", ["mul"], ["y"], to=T.FLOAT16, saturate=1),
    ],
    [x],
    [value("y", "batch", 3, 8, dtype=T.FLOAT16)],
)

body = h.make_graph(
    [
        n("Identity", ["cond"], ["cond_out"]),
        n("Add", ["carried", "outer"], ["sum"]),
        n("Mul", ["sum", "c"], ["carried_out"]),
        n("Identity", ["carried_out"], ["scan"]),
    ],
    "body",
    [value("i", dtype=T.INT64), value("cond", dtype=T.BOOL), onnx.ValueInfoProto(name="carried")],
    [value("cond_out", dtype=T.BOOL), value("carried_out", 2), value("scan", 2)],
    [h.make_tensor("c", T.FLOAT, [2], [1, 2])],
)
# The nodes are not in topological order.
save(
    "loop",
    17,
    [
        n("Loop", ["trips", "go", "x"], ["last", "all"], name="x", body=body),
        n("Abs", ["x"], ["outer"]),
    ],
    [value("x", 2)],
    [value("last", 2), value("all", 3, 2)],
    [h.make_tensor("trips", T.INT64, [], [3]), h.make_tensor("go", T.BOOL, [], [True])],
    check=False,
)

types = {
    "float32": T.FLOAT,
    "float64": T.DOUBLE,
    "float16": T.FLOAT16,
    "bfloat16": T.BFLOAT16,
    "int64": T.INT64,
    "int32": T.INT32,
    "int16": T.INT16,
    "int8": T.INT8,
    "uint64": T.UINT64,
    "uint32": T.UINT32,
    "uint16": T.UINT16,
    "uint8": T.UINT8,
    "bool": T.BOOL,
}
save(
    "types",
    18,
    [n("Identity", [name], [f"{name}_out"]) for name in types],
    [],
    [value(f"{name}_out", 4, dtype=t) for name, t in types.items()],
    [h.make_tensor(name, t, [4], [1, 0, 1, 1] if name.startswith(("u", "b")) else [-2, 0, 1, 3]) for name, t in types.items()],
)

"""Writes the models of this folder and logits.npz, what Python's onnxruntime computes of them.

Each model is small and is fed as its own users would feed it: numpy does by hand what the flags of the test beside say.
python3 models.py
"""
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(7)
images = rng.random((3, 3, 4, 4), dtype=np.float32)
grey = rng.random((3, 1, 6, 6), dtype=np.float32)
K = 5
results = {"images": images, "greys": grey}


def weight(name, *shape):
    return numpy_helper.from_array(rng.standard_normal(shape).astype(np.float32), name)


def ints(name, *values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


def model(name, inputs, outputs, nodes, constants, opset=17, meta=None, domains=()):
    graph = helper.make_graph([helper.make_node(op, i, o, **a) for op, i, o, a in nodes], name,
                              [helper.make_tensor_value_info(*v) for v in inputs],
                              [helper.make_tensor_value_info(*v) for v in outputs], constants)
    opsets = [helper.make_opsetid("", opset)] + [helper.make_opsetid(d, 1) for d in domains]
    m = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    helper.set_model_props(m, meta or {})
    onnx.save(m, name + ".onnx")


def run(name, x, output=None):
    s = onnxruntime.InferenceSession(name + ".onnx", providers=["CPUExecutionProvider"])
    return s.run(output and [output], {s.get_inputs()[0].name: x})[0]


def record(name, x, output=None, one=False):
    """one: the file takes one image at a time."""
    y = [run(name, v, output) for v in x] if one else run(name, x, output)
    results[name] = np.asarray(y, np.float32).reshape(len(x), -1)


F = TensorProto.FLOAT
nhwc = np.ascontiguousarray(images.transpose(0, 2, 3, 1))

# A convolution before the matrix, so that the order of channels matters.
conv = [("Conv", ["x", "c"], ["h"], {"pads": [1, 1, 1, 1]}), ("Relu", ["h"], ["r"], {})]
head = [("Flatten", ["r"], ["f"], {}), ("MatMul", ["f", "w"], ["y"], {})]
def parts(): return [weight("c", 2, 3, 3, 3), weight("w", 32, K)]

model("nhwc", [("x", F, ["N", 4, 4, 3])], [("y", F, ["N", K])],
      [("Transpose", ["x"], ["t"], {"perm": [0, 3, 1, 2]}), ("Conv", ["t", "c"], ["h"], {"pads": [1, 1, 1, 1]}), conv[1]] + head, parts())
record("nhwc", nhwc)

model("flat", [("x", F, ["N", 48])], [("y", F, ["N", K])], [("MatMul", ["x", "w"], ["y"], {})], [weight("w", 48, K)])
record("flat", images.reshape(3, 48))

model("chw", [("x", F, [3, 4, 4])], [("y", F, [1, K])],
      [("Unsqueeze", ["x", "zero"], ["u"], {}), ("Conv", ["u", "c"], ["h"], {"pads": [1, 1, 1, 1]}), conv[1]] + head, parts() + [ints("zero", 0)])
record("chw", images, one=True)

# No batch and no way to add one: a row of the matrix is a row of the image.
model("rows", [("x", F, [6, 6])], [("y", F, [K])],
      [("MatMul", ["x", "v"], ["h"], {}), ("ReduceMax", ["h"], ["y"], {"axes": [0], "keepdims": 0})], [weight("v", 6, K)])
record("rows", grey[:, 0], one=True)

model("grey", [("x", F, ["N", 6, 6])], [("y", F, ["N", K])],
      [("Reshape", ["x", "s"], ["f"], {}), ("MatMul", ["f", "w"], ["y"], {})], [ints("s", -1, 36), weight("w", 36, K)])
record("grey", grey[:, 0])

# A batch of one that the graph writes down in a Reshape.
model("one", [("x", F, [1, 3, 4, 4])], [("y", F, [1, K])],
      conv + [("Reshape", ["r", "s"], ["f"], {}), ("MatMul", ["f", "w"], ["y"], {})], parts() + [ints("s", 1, 32)])
record("one", images[:, None], one=True)

# A token joined to the patches of the one image, as in exports of vision transformers.
model("token", [("x", F, [1, 3, 4, 4])], [("y", F, [1, K])],
      [("Reshape", ["x", "s"], ["p"], {}), ("Concat", ["t", "p"], ["j"], {"axis": 1}), ("Softmax", ["j"], ["a"], {"axis": 1}),
       ("Mul", ["a", "j"], ["m"], {}), ("ReduceSum", ["m", "one"], ["f"], {"keepdims": 0}), ("MatMul", ["f", "w"], ["y"], {})],
      [ints("s", 1, 6, 8), weight("t", 1, 1, 8), ints("one", 1), weight("w", 8, K)])
record("token", images[:, None], one=True)

# Pixels 0..255, blue first, less a mean: the preprocessing of Caffe's models.
model("caffe", [("x", F, ["N", 3, 4, 4])], [("y", F, ["N", K])], conv + head, parts())
mean = np.array([103.939, 116.779, 123.68], np.float32)
record("caffe", (images * 255)[:, ::-1] - mean[:, None, None])

model("imagenet", [("x", F, ["N", 3, "height", "width"])], [("y", F, ["N", K, 1, 1])],
      conv + [("GlobalAveragePool", ["r"], ["p"], {}), ("Conv", ["p", "k"], ["y"], {})], [weight("c", 2, 3, 3, 3), weight("k", K, 2, 1, 1)])
mean, std = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
record("imagenet", (images - mean[:, None, None]) / std[:, None, None])

# The metadata that ONNX names.
model("meta", [("x", F, ["N", 3, 4, 4])], [("y", F, ["N", K])], conv + head, parts(),
      meta={"Image.BitmapPixelFormat": "Bgr8", "Image.NominalPixelRange": "NominalRange_0_255"})
record("meta", (images * 255)[:, ::-1])

# Bytes: what people see is rounded.
model("bytes", [("x", TensorProto.UINT8, ["N", 4, 4, 3])], [("y", F, ["N", K])],
      [("Transpose", ["x"], ["t"], {"perm": [0, 3, 1, 2]}), ("Cast", ["t"], ["v"], {"to": F}), ("Mul", ["v", "s"], ["u"], {}),
       ("Flatten", ["u"], ["f"], {}), ("MatMul", ["f", "w"], ["y"], {})],
      [numpy_helper.from_array(np.float32(1 / 255), "s"), weight("w", 48, K)])
record("bytes", np.rint(nhwc * 255).astype(np.uint8))

# Several outputs.
def outputs(name, rows, nodes, constants):
    model(name, [("x", F, ["N", 3, 4, 4])], rows, [("Flatten", ["x"], ["f"], {})] + nodes, constants)

outputs("aux", [("aux", F, ["N", K]), ("logits", F, ["N", K])],
        [("MatMul", ["f", "a"], ["aux"], {}), ("MatMul", ["f", "w"], ["logits"], {})], [weight("a", 48, K), weight("w", 48, K)])
record("aux", images, "logits")
outputs("features", [("features", F, ["N", 7]), ("scores", F, ["N", K]), ("label", TensorProto.INT64, ["N"])],
        [("MatMul", ["f", "a"], ["features"], {}), ("MatMul", ["features", "w"], ["scores"], {}),
         ("ArgMax", ["scores"], ["label"], {"axis": 1, "keepdims": 0})], [weight("a", 48, 7), weight("w", 7, K)])
record("features", images, "scores")
outputs("softmax", [("p", F, ["N", K])], [("MatMul", ["f", "w"], ["z"], {}), ("Softmax", ["z"], ["p"], {"axis": 1})], [weight("w", 48, K)])
record("softmax", images)
outputs("sigmoid", [("p", F, ["N", 1])], [("MatMul", ["f", "w"], ["z"], {}), ("Sigmoid", ["z"], ["p"], {})], [weight("w", 48, 1)])
record("sigmoid", images)

# Half precision with an open batch.
model("half", [("x", TensorProto.FLOAT16, ["N", 3, 4, 4])], [("y", TensorProto.FLOAT16, ["N", K])],
      [("Flatten", ["x"], ["f"], {}), ("MatMul", ["f", "w"], ["y"], {})],
      [numpy_helper.from_array(rng.standard_normal((48, K)).astype(np.float16), "w")])
record("half", images.astype(np.float16))

np.savez("logits.npz", **results)

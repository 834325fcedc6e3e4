"""Exports a small classifier from Keras to ONNX as tools/torch_models.py does from PyTorch.

Needs: pip install tensorflow-cpu tf2onnx
Usage: python tools/keras_models.py FOLDER

keras.tf.onnx takes images [N,3,32,32], keras-n.tf.onnx too with an open batch size; inside the layout is that of Keras,
[N,32,32,3], with SAME padding at stride 2. The files NAME.npz are as tools/torch_models.py says.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf2onnx
from tensorflow.keras import layers

BATCH = 2
CLASSES = 10


def network():
    x = inputs = layers.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU(6.0)(x)
    x = layers.DepthwiseConv2D(3, strides=2, padding="same")(x)
    x = layers.Conv2D(12, 1, activation="swish")(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    y = layers.Conv2D(12, 3, padding="same")(x)
    x = layers.Add()([x, layers.LeakyReLU()(y)])
    x = layers.AveragePooling2D(2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(16, activation="elu")(x)
    return tf.keras.Model(inputs, layers.Dense(CLASSES)(x))


def randomize(model, rng):
    for v in model.weights:
        shape = v.shape
        if len(shape) > 1:
            v.assign(rng.normal(0, np.sqrt(2 / np.prod(shape[:-1])), shape))
        elif v.name in ("gamma", "moving_variance"):
            v.assign(rng.uniform(0.7, 1.3, shape))
        else:
            v.assign(rng.normal(0, 0.2, shape))


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    model = network()
    randomize(model, rng)
    images = rng.integers(0, 256, (BATCH, 3, 32, 32), dtype=np.uint8)
    labels = rng.integers(0, CLASSES, BATCH)

    def logits(images):
        return model(tf.transpose(images, (0, 2, 3, 1)), training=False)

    x = tf.constant(images.astype(np.float32) / 255)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = logits(x)
        loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, y))
    gradient = tape.gradient(loss, x)
    for name, batch in ("keras", BATCH), ("keras-n", None):
        np.savez_compressed(folder / f"{name}.npz", images=images, labels=labels, logits=y, gradient=gradient)
        spec = tf.TensorSpec((batch, 3, 32, 32), tf.float32, name="images")
        path = folder / f"{name}.tf.onnx"
        tf2onnx.convert.from_function(tf.function(logits), input_signature=[spec], opset=15, output_path=str(path))
        print(f"{path.name}: {path.stat().st_size} bytes, largest logit {abs(y.numpy()).max():.3g}")


if __name__ == "__main__":
    main()

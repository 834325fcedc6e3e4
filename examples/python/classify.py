#!/usr/bin/env python3
"""Classifies images with an ONNX model that rnas wrote; needs numpy and onnxruntime.

usage: classify.py [--top N] MODEL.onnx IMAGE.ppm...

Everything about the model is read from its file: class names and range of the pixels from its metadata, the size of an
image from the shape of its input. Normalisation is part of the model. Images are binary PPM or PGM files of that size.
"""

import argparse
import json
import re
import sys

import numpy as np
import onnxruntime as ort

HEADER = re.compile(rb"P([56])" + rb"(?:\s|#[^\n]*\n)+(\d+)" * 3 + rb"\s")


def read_image(path):
    """Returns a PPM or PGM image as float32 [1,C,H,W] in [0,1]."""
    with open(path, "rb") as f:
        data = f.read()
    header = HEADER.match(data)
    if not header:
        raise ValueError("expected a binary PPM or PGM file (P6 or P5)")
    kind, width, height, largest = map(int, header.groups())
    channels = 3 if kind == 6 else 1
    if not 0 < largest < 256:
        raise ValueError(f"expected samples of one byte, found a largest value of {largest}")
    size = width * height * channels
    if size == 0 or len(data) - header.end() < size:
        raise ValueError(f"expected {size} bytes of pixels, found {len(data) - header.end()}")
    pixels = np.frombuffer(data, np.uint8, size, header.end()).reshape(1, height, width, channels)
    return pixels.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(largest)


class Classifier:
    def __init__(self, path):
        self.session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0]
        self.output = self.session.get_outputs()[0].name
        meta = self.session.get_modelmeta().custom_metadata_map
        self.classes = json.loads(meta.get("class_names", "[]"))
        self.low, self.high = json.loads(meta.get("input_range", "[0,1]"))
        self.mean, self.std = meta.get("mean"), meta.get("std")

    def __str__(self):
        shape = "x".join(str(d) for d in self.input.shape[1:])
        text = f"{len(self.classes)} classes, images {shape} in [{self.low:g},{self.high:g}]"
        if self.mean or self.std:
            text += f", normalised by the model with mean {self.mean or 'none'} std {self.std or 'none'}"
        return text

    def logits(self, image):
        """Takes float32 [1,C,H,W] in [0,1] and returns float32 [K]."""
        for want, have in zip(self.input.shape, image.shape, strict=True):
            if isinstance(want, int) and want != have:
                raise ValueError(f"expected an image {self.input.shape}, found {list(image.shape)}")
        x = np.float32(self.low) + np.float32(self.high - self.low) * image
        return self.session.run([self.output], {self.input.name: x})[0][0]

    def name(self, k):
        return self.classes[k] if k < len(self.classes) else f"class {k}"


def softmax(logits):
    e = np.exp(logits.astype(np.float64) - logits.max())
    return e / e.sum()


def main():
    parser = argparse.ArgumentParser(description="classifies images with an ONNX model")
    parser.add_argument("--top", type=int, default=3, help="classes to print, most probable first")
    parser.add_argument("model")
    parser.add_argument("image", nargs="+")
    args = parser.parse_args()

    path = args.model
    try:
        classifier = Classifier(path)
        print(f"{path}: {classifier}")
        for path in args.image:
            logits = classifier.logits(read_image(path))
            print(path)
            probabilities = softmax(logits)
            for k in np.argsort(-logits, kind="stable")[: args.top]:
                print(f"  {100 * probabilities[k]:6.2f} %  {logits[k]:+12.7f}  {classifier.name(k)}")
    except Exception as e:  # ONNX Runtime has error classes of its own for each status
        sys.exit(f"classify: {path}: {e}")


if __name__ == "__main__":
    main()

"""Where the files of the comparison are."""

import os

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CACHE = os.path.join(ROOT, ".cache", "autoattack")
KEPT = os.path.join(ROOT, "testdata", "autoattack")
OFFICIAL = os.path.join(KEPT, "official.json")
POINTS = os.path.join(KEPT, "points.npz")
PROGRAM = os.path.join(ROOT, "bin", "rnas")


def onnx_file(name):
    return os.path.join(KEPT, name + ".onnx")

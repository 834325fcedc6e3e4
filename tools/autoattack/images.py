"""CIFAR-10 as arrays, from an archive of JPEGs in class folders, and the points that both sides attack."""

import io
import tarfile

import numpy as np
from PIL import Image

POINTS, SEED = 500, 0


def read_archive(archive):
    """x_train, y_train, x_test and y_test: uint8 images (N, 32, 32, 3) and labels, classes and files in the order of their names."""
    files = {"train": [], "test": []}
    with tarfile.open(archive) as tar:
        for member in tar:
            parts = member.name.split("/")
            if member.isfile() and len(parts) >= 3 and parts[-3] in files and parts[-1].endswith(".jpg"):
                image = Image.open(io.BytesIO(tar.extractfile(member).read())).convert("RGB")
                files[parts[-3]].append((parts[-2], parts[-1], np.asarray(image)))
    arrays = {}
    for split, found in files.items():
        if not found:
            raise SystemExit(f"{archive}: expected files {split}/CLASS/*.jpg, found none")
        found.sort(key=lambda file: file[:2])
        classes = sorted({file[0] for file in found})
        arrays["x_" + split] = np.stack([file[2] for file in found])
        arrays["y_" + split] = np.array([classes.index(file[0]) for file in found], np.uint8)
    return arrays


def choose_points(arrays, count=POINTS, seed=SEED):
    """As many test images of each class, drawn without replacement and put in random order, beside one training image per class."""
    generator = np.random.default_rng(seed)
    labels = arrays["y_test"]
    classes = np.unique(labels)
    drawn = [generator.choice(np.flatnonzero(labels == k), count // len(classes), replace=False) for k in classes]
    rows = generator.permutation(np.concatenate(drawn))
    first = [np.flatnonzero(arrays["y_train"] == k)[0] for k in classes]
    return {
        "x_train": arrays["x_train"][first], "y_train": arrays["y_train"][first],
        "x_test": arrays["x_test"][rows], "y_test": labels[rows],
    }

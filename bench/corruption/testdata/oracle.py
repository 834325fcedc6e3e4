"""Corrupts images by NumPy, SciPy, scikit-image, OpenCV and Pillow.

Usage: oracle.py IN.npz OUT.npz. IN holds images (uint8 [N,H,W,3]) and, for each NAME/SEVERITY, its parameters (float64).
OUT gets uint8 [N,H,W,3] under the same names.
"""
import io
import sys

import cv2
import numpy as np
from PIL import Image
from scipy import ndimage
from skimage import color


def whole(values):
    return (np.clip(values, 0, 1) * 255 + 1e-9).astype(np.uint8)


def contrast(x, factor):
    mean = x.mean(axis=(0, 1), keepdims=True)
    return whole(mean + (x - mean) * factor)


def brightness(x, added):
    hsv = color.rgb2hsv(x)
    hsv[..., 2] = np.minimum(hsv[..., 2] + added, 1)
    return whole(color.hsv2rgb(hsv))


def pixelate(x, part):
    height, width = x.shape[:2]
    image = Image.fromarray((x * 255).round().astype(np.uint8))
    small = image.resize((int(width * part), int(height * part)), Image.Resampling.BOX)
    return np.asarray(small.resize((width, height), Image.Resampling.BOX))


def jpeg_compression(x, quality):
    file = io.BytesIO()
    Image.fromarray((x * 255).round().astype(np.uint8)).save(file, "JPEG", quality=int(quality))
    return np.asarray(Image.open(file))


def defocus_blur(x, radius, blur):
    reach = max(8, int(radius))
    grid = np.hypot(*np.mgrid[-reach : reach + 1, -reach : reach + 1])
    kernel = (grid <= radius).astype(np.float64)
    side = 3 if radius <= 8 else 5
    kernel = cv2.GaussianBlur(kernel / kernel.sum(), (side, side), blur)
    return whole(cv2.filter2D(x, -1, kernel, borderType=cv2.BORDER_REFLECT_101))


def zoom_blur(x, stop, step):
    total = x.copy()
    factors = np.arange(1, stop, step)
    for f in factors:
        part = [int(np.ceil(n / f)) for n in x.shape[:2]]
        top, left = [(n - p) // 2 for n, p in zip(x.shape, part)]
        large = ndimage.zoom(x[top : top + part[0], left : left + part[1]], (f, f, 1), order=1)
        y, z = [(m - n) // 2 for m, n in zip(large.shape, x.shape[:2])]
        total += large[y : y + x.shape[0], z : z + x.shape[1]]
    return whole(total / (len(factors) + 1))


given = np.load(sys.argv[1])
images = given["images"] / 255.0
out = {}
for key in given.files:
    if key != "images":
        out[key] = np.stack([globals()[key.split("/")[0]](x, *given[key]) for x in images])
np.savez(sys.argv[2], **out)

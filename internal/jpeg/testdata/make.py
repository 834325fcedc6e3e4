"""Writes the JPEG images of this folder, and beside each a PNG of the pixels that Pillow reads from it. Needs numpy and Pillow 13."""

import numpy as np
from PIL import Image

rng = np.random.default_rng(7)


def picture(height, width):
    y, x = np.mgrid[:height, :width]
    waves = [128 + 90 * np.sin(y / 3 + c) * np.cos(x / (2 + c)) for c in range(4)]
    return np.clip(np.stack(waves, -1) + rng.normal(0, 25, (height, width, 4)), 0, 255).astype(np.uint8)


def write(name, pixels, mode="RGB", **options):
    Image.fromarray(pixels, mode).save(name + ".jpg", **options)
    read = Image.open(name + ".jpg")
    if read.mode != "L":
        read = read.convert("RGB")
    read.save(name + ".png", optimize=True)


full = picture(37, 45)
for k, sampling in enumerate(("4:4:4", "4:2:2", "4:2:0")):
    write("baseline-" + sampling.replace(":", ""), full[..., :3], subsampling=k, quality=80)
    write("progressive-" + sampling.replace(":", ""), full[..., :3], subsampling=k, quality=60, progressive=True)
write("restart", full[..., :3], quality=90, restart_marker_blocks=2)
write("optimised", full[..., :3], quality=30, optimize=True)
write("rgb", full[..., :3], quality=80, keep_rgb=True)
write("grey", full[..., 0], "L", quality=70)
write("grey-progressive", full[..., 0], "L", quality=70, progressive=True)
write("cmyk", full, "CMYK", quality=80)
write("narrow", full[:9, :3, :3], quality=80)
write("narrower", full[:2, :1, :3], quality=80)

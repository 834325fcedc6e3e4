"""Writes the images of this folder, and pixels.npz: what Pillow's convert("RGB") makes of each, [H,W,3]. Needs numpy and Pillow 13."""

import numpy as np
from PIL import Image

rng = np.random.default_rng(11)
y, x = np.mgrid[:13, :17]
waves = [128 + 90 * np.sin(y / 3 + c) * np.cos(x / (2 + c)) for c in range(4)]
full = np.clip(np.stack(waves, -1) + rng.normal(0, 20, (13, 17, 4)), 0, 255).astype(np.uint8)
rgb, rgba = Image.fromarray(full[..., :3]), Image.fromarray(full)
grey = Image.fromarray(full[..., 0])
deep = Image.fromarray(full[..., 0].astype(np.uint16) * 3)
palette = rgb.quantize(16)

rgb.save("rgb.png")
rgba.save("alpha.png")
grey.save("grey.png")
deep.save("deep.png")
palette.save("palette.png")
palette.save("transparent.png", transparency=3)
grey.convert("1").save("bits.png")
Image.merge("LA", (grey, Image.fromarray(full[..., 1]))).save("grey-alpha.png")
rgb.save("lossy.webp", quality=80)
rgba.save("lossy-alpha.webp", quality=50)
rgb.save("lossless.webp", lossless=True)
rgba.save("lossless-alpha.webp", lossless=True)
Image.fromarray(full[:1, :1, :3]).save("dot.webp", quality=80)
rgb.save("rgb.bmp")
grey.save("grey.bmp")
palette.save("palette.bmp")
rgb.save("rgb.tiff")
rgb.save("packed.tif", compression="tiff_lzw")
grey.save("grey.tif", compression="tiff_deflate")
palette.save("palette.tif")
rgb.save("rgb.ppm")
grey.save("grey.pgm")
grey.convert("1").save("bits.pbm")
deep.save("deep.pgm")
palette.save("palette.gif")
palette.save("frames.gif", save_all=True, append_images=[palette.rotate(180)])
rgb.save("photo.jpg", quality=80, exif=bytes.fromhex("457869660000 49492a0008000000 0100 1201 0300 01000000 06000000 00000000".replace(" ", "")))
open("text.ppm", "w").write("P3 # red, then green\n2 1\n15\n15 0 0  0 15 0\n")
open("seven.pgm", "wb").write(b"P5 3 2 7\n" + bytes([0, 1, 2, 3, 5, 7]))
open("wide.ppm", "wb").write(b"P6 1 1 65535\n" + bytes([1, 2, 130, 140, 250, 1]))

names = """rgb.png alpha.png grey.png deep.png palette.png transparent.png bits.png grey-alpha.png lossy.webp lossy-alpha.webp lossless.webp
lossless-alpha.webp dot.webp rgb.bmp grey.bmp palette.bmp rgb.tiff packed.tif grey.tif palette.tif rgb.ppm grey.pgm bits.pbm deep.pgm palette.gif
frames.gif photo.jpg text.ppm seven.pgm wide.ppm""".split()
read = {name: Image.open(name).convert("RGB") for name in names}
pixels = {name: np.asarray(m) for name, m in read.items()}
for size in ((9, 7), (17, 6), (40, 29), (5, 13)):
    pixels["rgb.png to %dx%d" % size] = np.asarray(rgb.resize(size, Image.BILINEAR))
np.savez("pixels.npz", **pixels)

"""Filters a plane by SciPy and scikit-image.

Usage: filters.py IN.npz OUT.npz. IN holds plane (float64 [H,W]), points (float64 [2,K], rows and columns, also outside) and sigmas
(float64 [S]). OUT gets mirror and mirror101, the plane at the points with the borders repeated in two ways, and the plane
blurred: glass/S and elastic/S.
"""
import sys

import numpy as np
from scipy import ndimage
from skimage.filters import gaussian

given = np.load(sys.argv[1])
plane, points = given["plane"], given["points"]
out = {
    "mirror": ndimage.map_coordinates(plane, points, order=1, mode="reflect"),
    "mirror101": ndimage.map_coordinates(plane, points, order=1, mode="mirror"),
}
for i, sigma in enumerate(given["sigmas"]):
    out[f"glass/{i}"] = gaussian(plane, sigma=sigma)
    out[f"elastic/{i}"] = gaussian(plane, sigma=sigma, mode="reflect", truncate=3)
np.savez(sys.argv[2], **out)

#!/bin/sh
# Installs the Python packages that tests use as outside checks (onnx.checker, Python's ONNX Runtime, SciPy and image libraries) if they are
# missing. The product itself never needs Python.
set -eu
python3 - <<'PY' 2>/dev/null && exit 0
import onnx, onnxruntime, numpy, scipy, PIL, skimage, cv2
PY
python3 -m pip install --quiet --disable-pip-version-check onnx==1.22.0 onnxruntime==1.32.0 numpy scipy==1.17.1 pillow==13.0.0 \
  scikit-image==0.26.0 opencv-python-headless==5.0.0.93

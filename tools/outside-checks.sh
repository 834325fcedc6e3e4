#!/bin/sh
# Installs what tests use as outside checks and for the examples, where it is missing: Python packages (onnx.checker,
# Python's ONNX Runtime, SciPy and image libraries), Node packages (ONNX Runtime for browsers, a driver for one) and
# Chromium. The product itself needs none of them.
set -eu
cd "$(dirname "$0")/.."

python3 -c 'import onnx, onnxruntime, numpy, scipy, PIL, skimage, cv2' 2>/dev/null ||
	python3 -m pip install --quiet --disable-pip-version-check onnx==1.22.0 onnxruntime==1.32.0 numpy scipy==1.17.1 \
		pillow==13.0.0 scikit-image==0.26.0 opencv-python-headless==5.0.0.93

# debian PACKAGE...
debian() {
	apt='apt-get -o DPkg::Lock::Timeout=300' # another one may be at work
	sudo=
	[ "$(id -u)" = 0 ] || sudo=sudo
	log=$(mktemp)
	{ $sudo $apt update && $sudo $apt install --yes --no-install-recommends "$@"; } </dev/null >"$log" 2>&1 || {
		cat "$log" >&2
		echo "outside-checks: cannot install $*" >&2
		exit 1
	}
	rm -f "$log"
}

have() { command -v "$1" >/dev/null 2>&1; }

export DEBIAN_FRONTEND=noninteractive
have npm || debian nodejs npm
have chromium || have chromium-browser || have google-chrome || debian chromium fonts-dejavu-core

# npm leaves a copy of the lock file in node_modules when all of it is installed.
web=examples/web
if ! [ "$web/node_modules/.package-lock.json" -nt "$web/package-lock.json" ]; then
	npm ci --silent --prefix "$web"
fi

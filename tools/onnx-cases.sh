#!/bin/sh
# Makes sure that ONNX's own test cases are there: the Python package onnx of the version given, whose cases
# export/conformance runs. Does nothing when python3 has it; else installs it below .cache at the project's root.
#
#   tools/onnx-cases.sh VERSION
set -eu

version=$1
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
place=$root/.cache/onnx-$version

ls "$place"/lib/python*/site-packages/onnx/backend/test/data/node >/dev/null 2>&1 && exit 0
python3 -c "import onnx; raise SystemExit(onnx.__version__ != '$version')" 2>/dev/null && exit 0
new=$place.$$
trap 'rm -rf "$new"' EXIT
python3 -m venv "$new"
"$new/bin/python" -m pip install --quiet --disable-pip-version-check "onnx==$version"
rm -rf "$place"
mv "$new" "$place"

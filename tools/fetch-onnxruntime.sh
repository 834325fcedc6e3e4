#!/bin/sh
# Puts the ONNX Runtime shared library into .cache/onnxruntime/lib below the project's root, where rnas looks for it.
# Does nothing when one is there. The library comes out of the Python wheel, or out of the Node package when there is
# no pip; only their ordinary clients touch the network. Every file is checked against the sums below.
#
#   tools/fetch-onnxruntime.sh               the CPU library
#   RNAS_ORT=gpu tools/fetch-onnxruntime.sh  the library with the CUDA and TensorRT providers (Linux x86_64, pip only;
#                                              CUDA and cuDNN themselves must be installed)
set -eu

wheel_version=1.32.0
gpu_version=1.31.1
node_version=1.30.0

# client, system, sha256, file name in lib
sums='
pip Linux-x86_64 6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f libonnxruntime.so.1.32.0
pip Linux-aarch64 49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a libonnxruntime.so.1.32.0
gpu Linux-x86_64 5104254339ecadae808da771bd0b63b240f0dbd466514234905e54372435c303 libonnxruntime.so.1.31.1
gpu Linux-x86_64 086ec1d5388f64153d9c63470d126693db9a182c8ce236d3a1119068471b8a0d libonnxruntime_providers_shared.so
gpu Linux-x86_64 8387867e857499e045caff5d13ac6a5de29571c801562fa2dde0e45f1f31de52 libonnxruntime_providers_cuda.so
gpu Linux-x86_64 1882ee49fdb0e6fc2d272b00cfaf9a3310bf8580a34385c0eec4d82014ea172e libonnxruntime_providers_tensorrt.so
npm Linux-x86_64 ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23 libonnxruntime.so.1
npm Linux-aarch64 1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76 libonnxruntime.so.1
npm Darwin-arm64 685d2be5dba1309c89d3a5324b7fd06a5c42f1a61bfea32d14c4cc28d072121d libonnxruntime.1.30.0.dylib
'

say() { printf '%s\n' "fetch-onnxruntime: $*" >&2; }
die() { say "$*"; exit 1; }

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cache=$root/.cache/onnxruntime
lib=$cache/lib
kind=${RNAS_ORT:-cpu}
system=$(uname -s)-$(uname -m)

present() {
	if [ "$kind" = gpu ]; then
		[ -e "$lib/libonnxruntime_providers_cuda.so" ] || return 1
	fi
	for f in "$lib"/libonnxruntime.so* "$lib"/libonnxruntime*.dylib; do
		[ -e "$f" ] && return 0
	done
	return 1
}

# rows CLIENT: "sum name" lines for this system
rows() { printf '%s\n' "$sums" | awk -v c="$1" -v s="$system" '$1 == c && $2 == s { print $3, $4 }'; }

sha256() {
	if command -v sha256sum >/dev/null 2>&1; then
		sha256sum <"$1" | cut -d' ' -f1
	else
		shasum -a 256 <"$1" | cut -d' ' -f1
	fi
}

# collect CLIENT FOLDER: moves the listed files from an unpacked package's folder to $new, checking each sum
collect() {
	rows "$1" >"$tmp/rows"
	while read -r want name; do
		[ -f "$2/$name" ] || die "$name is not in the package"
		got=$(sha256 "$2/$name")
		[ "$got" = "$want" ] || die "$name: expected sha256 $want, found $got"
		mv "$2/$name" "$new/$name" || die "cannot write $new/$name"
	done <"$tmp/rows"
}

pip_command() {
	for p in "python3 -m pip" pip3 pip; do
		if $p --version >/dev/null 2>&1; then
			printf '%s\n' "$p"
			return 0
		fi
	done
	return 1
}

# from_pip PACKAGE VERSION CLIENT
from_pip() {
	[ -n "$(rows "$3")" ] || return 1
	pip=$(pip_command) || return 1
	machine=${system#Linux-}
	# The library does not depend on the Python version, so one wheel is named and any pip can get it.
	$pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
		--python-version 3.12 --implementation cp --abi cp312 \
		--platform "manylinux_2_28_$machine" --platform "manylinux_2_27_$machine" \
		--dest "$tmp/wheel" "$1==$2" >"$tmp/log" 2>&1 || { say "pip: $(tail -n 1 "$tmp/log")"; return 1; }
	if ! python3 -m zipfile -e "$tmp"/wheel/*.whl "$tmp/out" 2>/dev/null; then
		unzip -q "$tmp"/wheel/*.whl -d "$tmp/out" || return 1
	fi
	collect "$3" "$tmp/out/onnxruntime/capi"
}

from_npm() {
	[ -n "$(rows npm)" ] || return 1
	command -v npm >/dev/null 2>&1 || return 1
	mkdir "$tmp/node"
	(cd "$tmp/node" && npm pack --silent "onnxruntime-node@$node_version") >"$tmp/log" 2>&1 || { say "npm: $(tail -n 1 "$tmp/log")"; return 1; }
	os=$(uname -s | tr '[:upper:]' '[:lower:]')
	case $system in
	*-x86_64) arch=x64 ;;
	*) arch=arm64 ;;
	esac
	tar -xzf "$tmp"/node/*.tgz -C "$tmp/node" "package/bin/napi-v6/$os/$arch" || return 1
	collect npm "$tmp/node/package/bin/napi-v6/$os/$arch"
}

case $kind in
cpu | gpu) ;;
*) die "RNAS_ORT=$kind: expected cpu or gpu" ;;
esac
if present; then
	exit 0
fi

mkdir -p "$cache"
tmp=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
new=$tmp/lib.${tmp##*.}
mkdir "$new"

if [ "$kind" = gpu ]; then
	from_pip onnxruntime-gpu "$gpu_version" gpu ||
		die "no onnxruntime-gpu for $system: Linux x86_64, python3 with pip and its package index are needed"
else
	from_pip onnxruntime "$wheel_version" pip || from_npm ||
		die "no ONNX Runtime for $system: python3 with pip, or npm, and its package index are needed"
fi

# A library of the other kind makes way. Of two fetches at once the first wins: the rename of the second lands inside
# the folder of the first and is taken away.
if [ -d "$lib" ] && ! present; then
	mv "$lib" "$tmp/old"
fi
mv "$new" "$lib"
rm -rf "$lib/${new##*/}"
say "$(cd "$lib" && ls | tr '\n' ' ')in $lib"

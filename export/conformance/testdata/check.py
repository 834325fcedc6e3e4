"""Checks with the reference implementation models that were written from published ones.

check.py FOLDER: every line of FOLDER/list is a written file and the published one that it came from. A model is wrong if
its check fails and that of the published one does not.
"""

import pathlib
import sys

import onnx


def fault(path):
    try:
        onnx.checker.check_model(path, full_check=True)
    except Exception as e:
        return str(e).replace("\n", " ")
    return None


folder = pathlib.Path(sys.argv[1])
count = 0
for line in (folder / "list").read_text().splitlines():
    ours, published = line.split("\t")
    why = fault(ours)
    if why and not fault(published):
        print(f"{pathlib.Path(ours).name}: {why}")
    count += 1
print(count, "models")

"""The parts of scores that are linear algebra, by numpy: reads {"n", "gradients", "kernel"} from a file, prints jacov and naswot."""

import json
import sys

import numpy as np

case = json.load(open(sys.argv[1]))
n = case["n"]
v = np.linalg.eigvalsh(np.corrcoef(np.array(case["gradients"]).reshape(n, -1)))
k = 1e-5
print(json.dumps([float(-np.sum(np.log(v + k) + 1 / (v + k))), float(np.linalg.slogdet(np.array(case["kernel"]).reshape(n, n))[1])]))

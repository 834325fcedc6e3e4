"""Tests of the table, which needs neither PyTorch nor rnas. Run: python3 -m unittest tools/autoattack/table_test.py"""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import table


def part(name, robust):
    return {"name": name, "robust": robust, "robust_accuracy": robust / 500, "points": "1101"}


def record(clean, after):
    return {
        "commit": "0123456789", "torch": "2", "threads": 1, "batch": 125, "clean": part("clean", clean),
        "attacks": [{**part(*a), "seconds": 10.4, "cpu_seconds": 5.2} for a in after],
    }


OFFICIAL = {
    "a": record(300, [("apgd-ce", 150), ("square", 140)]),
    "b": record(400, [("apgd-ce", 0), ("square", 0)]),
}
OFFICIAL["a"]["alone"] = [{"name": "fab-t", "robust": 3, "robust_accuracy": 0.75, "points": "1101"}]
POINTS = {"a": {"autoattack": "1010", "fab-t": "100111"}, "b": {"autoattack": "1101"}}
OURS = {
    "rnas": "v1", "onnxruntime": "1.32", "models": [
        {"path": "x/b.onnx", "clean": {"accuracy": 0.8}, "attacks": [
            {"name": "autoattack", "seconds": 1, "forwards": 2, "backwards": 3, "parts": [part("apgd-ce", 0)]},
        ]},
        {"path": "x/a.onnx", "clean": {"accuracy": 0.6}, "attacks": [
            {"name": "fgsm", "seconds": 1, "forwards": 2, "backwards": 3},
            {"name": "autoattack", "seconds": 7, "forwards": 2000, "backwards": 3, "parts": [part("apgd-ce", 152), part("square", 139)]},
        ]},
    ],
}


class Table(unittest.TestCase):
    def test_differences_are_ours_less_official_by_model(self):
        off = table.differences(OFFICIAL, OURS)
        self.assertEqual(list(off), ["a", "b"])
        rounded = {name: {k: round(v, 6) for k, v in d.items()} for name, d in off.items()}
        self.assertEqual(rounded["a"], {"clean": 0, "apgd-ce": 0.4, "square": -0.2})
        self.assertEqual(rounded["b"], {"clean": 0, "apgd-ce": 0})

    def test_text(self):
        text = table.markdown(OFFICIAL, OURS, POINTS, "some machine", 2)
        for expected in [
            "Largest difference: 0.4 points after an attack, 0.2 points at the end.", "Machine: some machine.",
            "| apgd-ce | 30.0 | 30.4 | +0.4 | 10 (5) |", "| square | 28.0 | 27.8 | -0.2 | 10 (5) |",
            "| square | 0.0 |  |  | 10 (5) |", "ours 7 for 2,000 forward", "official 21 (10)",
            "Points that only the official code breaks: 1, that only ours breaks: 2.",
            "| fab-t | 75.0 | 50.0 | -25.0 | Points that only the official code breaks: 0, that only ours breaks: 1. |",
        ]:
            self.assertIn(expected, text)

    def test_survivors_by_index(self):
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as f:
            f.write("path,index,autoattack_robust\nx/a.onnx,1,0\nx/a.onnx,0,1\nx/b.onnx,0,1\n")
            f.flush()
            self.assertEqual(table.survivors(f.name, "autoattack"), {"a": "10", "b": "1"})


if __name__ == "__main__":
    unittest.main()

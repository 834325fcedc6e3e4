"""Tests of what needs no PyTorch: figures, tables, and processes that are timed in turn."""

import json
import os
import sys
import tempfile
import unittest

import compare
import report
from cases import CASES
from sides import Failed, Process, turn


def result(rounds, **more):
    sides = {name: {"version": "1", "load_s": 1.0, "first_s": 0.5, "memory_mib": 10.0} for name in rounds[0]}
    about = {"date": "2026-01-02", "machine": "m", "threads": 2, "torch": "1.13.1", "commit": "c", "command": "x"}
    return {**about, "rounds": rounds, "sides": sides, **more}


class Figures(unittest.TestCase):
    def test_step_times(self):
        self.assertEqual(report.step_times({"step": [3, 1, 2]}), {"step": 2})
        self.assertEqual(report.step_times({"a": [1, 5, 9], "b": [9, 1, 2]}), {"a": 5, "b": 2, "sum": 10})

    def test_ratio_is_taken_within_a_round(self):
        rounds = [{"ours": {"step": o}, "eager": {"step": e}} for o, e in [(1, 2), (10, 30), (5, 20)]]
        self.assertEqual(report.ratios(rounds, "eager", "step"), (3, 2, 4))

    def test_disagreement(self):
        forward, pgd = {"kind": "forward"}, {"kind": "pgd"}
        self.assertIsNone(compare.disagreement(forward, [1, 2], [1, 2.0001])[0])
        self.assertIsNotNone(compare.disagreement(forward, [1, 2], [1, 2.001])[0])
        self.assertIsNotNone(compare.disagreement(forward, [1, 2], [1, float("nan")])[0])
        self.assertIsNotNone(compare.disagreement(forward, [1, 2], [1])[0])
        self.assertIsNone(compare.disagreement(pgd, [0.5] * 1000, [0.5] * 995 + [0.6] * 5)[0])
        self.assertIsNotNone(compare.disagreement(pgd, [0.5] * 1000, [0.5] * 950 + [float("nan")] * 50)[0])


class Page(unittest.TestCase):
    def test_store(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "speed.json")
            step = lambda a, b: [{"ours": {"step": a}, "eager": {"step": b}}]
            report.store(path, {"pgd-c16": result(step(60, 120))})
            report.store(path, {"forward-c16": result(step(30, 60))})
            report.store(path, {"train": result(step(10, 25), torch="2.15.0+cu1")})
            report.store(path, {"train": result(step(10, 20), torch="2.15.0+cu1", machine="n")})
            with open(path) as f:
                self.assertEqual(
                    {k: sorted(v) for k, v in json.load(f).items()},
                    {"1.13.1 on m": ["forward-c16", "pgd-c16"], "2.15.0+cu1 on m": ["train"], "2.15.0+cu1 on n": ["train"]},
                )
            with open(os.path.join(folder, "speed.md")) as f:
                text = f.read()
        self.assertLess(text.index("PyTorch 2.15.0+cu1 on n"), text.index("PyTorch 1.13.1 on m"))
        for want in [
            "| DARTS_V2 C=16 L=8 batch 64, training step | eager | 10 ms | 25 ms | 2.50 | 2.50 | 2.50 |",
            "| DARTS_V2 C=16 L=8 batch 32, PGD step | 2.00 |",  # forward passes
            "| DARTS_V2 C=16 L=8 batch 32, forward | 2.00 | 2.00 to 2.00 | 3.17 |",  # beside the prototype
            "| DARTS_V2 C=16 L=8 batch 32, forward | ours | 1.00 s | 0.50 s | 10 MiB |",
            "(forward-c16, pgd-c16)",
        ]:
            self.assertIn(want, text)

    def test_cases_are_complete(self):
        for case in CASES.values():
            self.assertLessEqual({"kind", "network", "channels", "layers", "classes", "size", "batch", "peers", "title"}, set(case))
            self.assertTrue(case["kind"] != "pgd" or case["steps"] > 1)


ECHO = "import sys\nprint('{}', flush=True)\nfor line in sys.stdin: print('[%d]' % len(line) if 'x' not in line else 'no', flush=True)"


class Turns(unittest.TestCase):
    def test_turns(self):
        with tempfile.TemporaryDirectory() as folder:
            s = Process("echo", [sys.executable, "-c", ECHO], None, os.path.join(folder, "log"))
            try:
                s.pause()
                self.assertEqual(turn(s, "abc"), [4])
                self.assertEqual(turn(s, "ab"), [3])
                with self.assertRaisesRegex(Failed, "echo: nothing on standard error"):
                    turn(s, "x")
            finally:
                s.kill()
            with self.assertRaisesRegex(Failed, "bad: no such thing"):
                Process("bad", [sys.executable, "-c", "import sys; sys.exit('no such thing')"], None, os.path.join(folder, "log"))


if __name__ == "__main__":
    unittest.main()

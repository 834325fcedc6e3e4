"""Tests of the page of times, which needs neither PyTorch nor rnas. Run: python3 -m unittest tools/autoattack/timetable_test.py"""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import timetable


def run(side, seconds, points):
    return {"side": side, "seconds": seconds, "cpu_seconds": 2 * seconds, "points": points, **({"torch": "9"} if side == "official" else {})}


class Page(unittest.TestCase):
    def test_medians_of_pairs(self):
        runs = [run("ours", 10, "1101"), run("official", 30, "1011"), run("official", 40, "1011"), run("ours", 16, "1101"),
                run("ours", 20, "1101"), run("official", 20, "1011")]
        page = timetable.markdown({"net": {"threads": 2, "machine": "m", "runs": runs}}, "0123456789")
        self.assertIn("on the 4 points", page)
        self.assertIn("at 0123456)", page)
        self.assertEqual(page.splitlines()[-1], "| net | m | 9 | 2 | 16 (32) | 30 (60) | 2.50 (1.00, 3.00) | 3, 3 | 2 |")

    def test_keeps_rows_of_other_machines(self):
        def page(machine, seconds, before=""):
            runs = [run("ours", seconds, "11"), run("official", 30, "11")]
            return timetable.markdown({"net": {"threads": 2, "machine": machine, "runs": runs}}, "0123456789", before)

        both = page("b", 15, page("c", 5, page("b", 10)))
        self.assertEqual([line.split(" | ")[1:5] for line in both.splitlines()[-2:]], [["b", "9", "2", "15 (30)"], ["c", "9", "2", "5 (10)"]])
        self.assertEqual(both, page("b", 15, both))

    def test_line(self):
        self.assertEqual(timetable.line(run("ours", 9.6, "110")), "ours 10 s (19 s of the processor), 2 points survive")


if __name__ == "__main__":
    unittest.main()

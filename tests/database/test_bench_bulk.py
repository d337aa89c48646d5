"""The benchmark runs, on tiny input."""

from __future__ import annotations

import runpy
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "bench_bulk.py"


class TestTheBenchmark:
    def test_measures_both_and_says_so(self, capsys):
        names = runpy.run_path(str(BENCHMARK))
        names["main"](["--rows", "500"])
        printed = capsys.readouterr().out

        assert "import: " in printed
        assert "500 rows to numpy" in printed

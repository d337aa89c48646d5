"""The benchmark runs, on tiny input."""

from __future__ import annotations

import runpy
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "bench_journal.py"


class TestTheBenchmark:
    def test_measures_both_and_says_so(self, capsys, tmp_path):
        names = runpy.run_path(str(BENCHMARK))
        names["main"](["--records", "5", "--appends", "2000", "--directory", str(tmp_path)])
        printed = capsys.readouterr().out

        assert "one durable record" in printed
        assert "1,000 writers" in printed

"""The benchmarks run, on tiny input."""

from __future__ import annotations

import runpy
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def printed_by(name, capsys, *arguments):
    runpy.run_path(str(BENCHMARKS / name))["main"](list(arguments))
    return capsys.readouterr().out


class TestTheBenchmarks:
    def test_of_the_journal_alone_measures_and_says_so(self, capsys, tmp_path):
        printed = printed_by(
            "bench_journal.py", capsys, "--records", "5", "--appends", "2000", "--directory", str(tmp_path)
        )

        assert "one durable record" in printed
        assert "1,000 writers" in printed
        assert "while segments are archived" in printed

    def test_of_an_acknowledgement_in_the_market_measures_and_says_so(self, capsys, tmp_path):
        printed = printed_by("bench_acknowledgement.py", capsys, "--seconds", "0.2", "--directory", str(tmp_path))

        assert "200 facts/s alone" in printed
        assert "200 facts/s with 100,000 ticks/s" in printed

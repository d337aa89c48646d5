"""The benchmarks of rebuilding and of kept answers run, on tiny input."""

import runpy
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run(name, *arguments):
    return runpy.run_path(str(BENCHMARKS / name))["main"](list(arguments))


class TestABenchmark:
    def test_of_rebuilding_finds_everything_again(self, capsys):
        assert run("bench_rebuild.py", "--facts", "500", "--late", "100") == 0
        assert "rebuild of 500 facts" in capsys.readouterr().out

    def test_of_kept_answers_keeps_them(self, capsys):
        run("bench_cache.py", "--queries", "20")
        assert "hit rate 0.9" in capsys.readouterr().out

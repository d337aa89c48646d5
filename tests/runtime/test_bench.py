"""The benchmarks run; how fast is for a quiet machine to say."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize(
    ("benchmark", "lines", "targets"),
    [("bench_actors.py", 10, 9), ("bench_workers.py", 2, 1), ("bench_lives.py", 3, 3)],
)
def test_a_benchmark_prints_every_figure_beside_its_target(benchmark, lines, targets):
    run = subprocess.run(
        [sys.executable, str(BENCHMARKS / benchmark), "1000"], capture_output=True, text=True, timeout=50, check=True
    )

    printed = run.stdout.splitlines()
    assert len(printed) == lines
    assert sum("target" in line for line in printed) == targets

"""The benchmark runs; how fast is for a quiet machine to say."""

import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "bench_actors.py"


def test_the_benchmark_prints_every_figure_beside_its_target():
    run = subprocess.run(
        [sys.executable, str(BENCHMARK), "1000"], capture_output=True, text=True, timeout=50, check=True
    )

    lines = run.stdout.splitlines()
    assert len(lines) == 10
    assert sum("target" in line for line in lines) == 9

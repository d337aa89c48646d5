"""The benchmarks run, on tiny input; how fast is for a quiet machine to say."""

from pathlib import Path

import msgspec
import pytest
from natya_starts import StartsOthers, run_forked

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
FIGURES = {
    "bench_actors 1000": 9,
    "bench_workers 1000": 1,
    "bench_lives 50": 4,
    "bench_market --seconds 0.05 --rate 2000 --burst 4000": 10,
    "bench_journal --records 5 --appends 2000 --rounds 1": 3,
    "bench_acknowledgement --seconds 0.1": 3,
    "bench_backtest --candles 150 --runs 1": 4,
    "bench_bulk --rows 500": 2,
    "bench_cache --queries 5": 2,
    "bench_dhan --orders 5 --rounds 1": 4,
    "bench_feed --packets 500 --rounds 1": 2,
    "bench_streams --packets 500 --rounds 1": 2,
    "bench_account --orders 20 --rounds 1": 5,
    "bench_broker --orders 5": 4,
    "bench_kill_switch --orders 3": 2,
    "bench_exchange --orders 80 --rounds 1": 3,
    "bench_instruments --rows 400 --rounds 1": 3,
    "bench_poison --events 300 --letters 50": 3,
    "bench_orders --orders 20 --rounds 1": 1,
    "bench_rebuild --facts 500 --late 100": 2,
    "bench_risk": 2,
    "bench_recovery --orders 200 --open 20 --behind 50 --rounds 1": 2,
}


def run(program, *arguments):
    return run_forked(program, *arguments, timeout=50, kind=StartsOthers)


class TestABenchmark:
    @pytest.mark.parametrize("command", FIGURES)
    def test_tells_each_figure_beside_its_target_and_keeps_it_for_the_table(self, command, tmp_path, monkeypatch):
        monkeypatch.setenv("BENCH_RESULTS", str(tmp_path / "figures"))
        name, *arguments = command.split()

        ended = run(str(BENCHMARKS / f"{name}.py"), *arguments)

        assert (tmp_path / "figures").exists(), (ended.returncode, ended.stderr)
        kept = [msgspec.json.decode(line) for line in (tmp_path / "figures").read_bytes().splitlines()]
        assert len(kept) == FIGURES[command]
        assert len(ended.stdout.splitlines()) == 1 + len(kept)
        assert all(figure["name"].strip() in ended.stdout for figure in kept)
        assert ended.returncode == (0 if "MISSED" not in ended.stdout else 1)


@pytest.fixture
def benchmarks(tmp_path):
    """A folder with the runner and two benchmarks: one that ends well, and one that does not."""
    for name in ("run.py", "figures.py"):
        (tmp_path / name).symlink_to(BENCHMARKS / name)
    (tmp_path / "bench_slow.py").write_text(
        "import sys\nfrom figures import Figure, report\n"
        "sys.exit(report([Figure(name='a hop', value=3.0, unit='us', floor=1.0, floor_name='a loop', target=1.5)]))\n"
    )
    (tmp_path / "bench_broken.py").write_text("raise SystemExit('12 wanted, found 11')\n")
    return tmp_path


class TestAllOfThem:
    def test_end_with_one_table_and_what_fell_short(self, benchmarks):
        ended = run(str(benchmarks / "run.py"), "bench_slow", "--markdown", str(benchmarks / "table.md"))

        assert ended.returncode == 0
        assert ended.stdout.endswith("0 of 1 targets met.\nMissed: a hop\n")
        assert "| a hop | 3 us | 1 us a loop | 3.00 | <= 1.5 | MISSED |" in (benchmarks / "table.md").read_text()

    def test_name_the_one_that_could_not_be_run_and_go_on(self, benchmarks):
        ended = run(str(benchmarks / "run.py"))

        assert ended.returncode == 1
        fault = "bench_broken did not come to its end: exit code 1, 0 figures\n12 wanted, found 11\n"
        assert ended.stderr == fault * 2  # at once, and again below the table
        assert "Missed: a hop" in ended.stdout

    def test_say_of_one_that_dies_behind_its_figures_how_it_did(self, benchmarks):
        (benchmarks / "bench_slow.py").write_text(
            (benchmarks / "bench_slow.py").read_text().replace("sys.exit(", "(")
            + "import os\nprint('last words', file=sys.stderr, flush=True)\nos.abort()\n"
        )

        ended = run(str(benchmarks / "run.py"), "bench_slow")

        assert ended.returncode == 1
        assert "bench_slow did not come to its end: exit code -6, 1 figures\nlast words" in ended.stderr
        assert "Missed: a hop" in ended.stdout

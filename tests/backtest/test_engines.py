"""What runs the tests of a sweep: whatever it is, the figures are the same."""

import sys

import joblib
import pytest
from natya_recordings import write_candles

from natya.backtest.errors import BacktestRefusedError
from natya.backtest.plan import Plan
from natya.backtest.sweeping.engines import ENGINES, Workers
from natya.backtest.sweeping.grid import grid_of
from natya.backtest.sweeping.sweep import Sweep, sweep
from natya.cli.commands.backtest import Engine

PACKAGES = {"dask": "distributed", "ray": "ray"}


class TestACluster:
    @pytest.mark.filterwarnings("default")  # its own
    @pytest.mark.parametrize("engine", PACKAGES)
    def test_gives_the_figures_of_this_process(self, engine, tmp_path):
        pytest.importorskip(PACKAGES[engine])
        recording, kept = write_candles(tmp_path / "a.csv", 200, seed=5), tmp_path / "kept.jsonl"
        plan = Plan(strategy="natya_backtests:Crossover", data=(recording,), symbols=("TCS",))
        grid = grid_of("fast=2:4:1,slow=8")

        there = sweep(Sweep(plan, workers=2, engine=engine, results=kept), plan, grid)

        assert there == sweep(Sweep(plan, workers=1), plan, grid)
        assert len(kept.read_bytes().splitlines()) == 3

    @pytest.mark.parametrize("engine", PACKAGES)
    def test_that_is_not_installed_says_what_to_install(self, engine, monkeypatch):
        monkeypatch.setitem(sys.modules, PACKAGES[engine], None)

        with pytest.raises(BacktestRefusedError, match=rf"pip install 'natya\[{engine}\]'"):
            list(Workers(engine=engine).each_of(divmod, [(7, 2)]))


class TestWorkers:
    def test_of_one_process_work_in_this_one_and_in_order(self):
        assert list(Workers().each_of(divmod, [(7, 2), (9, 4)])) == [(3, 1), (2, 1)]

    @pytest.mark.parametrize(("count", "jobs", "begun"), [(2, 5, 2), (8, 5, 5)])
    def test_are_no_more_than_there_are_jobs_and_than_was_asked_for(self, monkeypatch, count, jobs, begun):
        asked = []

        def parallel(*, n_jobs, return_as):
            asked.append((n_jobs, return_as))
            return lambda calls: [work(*job, **named) for work, job, named in calls]

        monkeypatch.setattr(joblib, "Parallel", parallel)
        found = list(Workers(count=count).each_of(divmod, [(number, 2) for number in range(jobs)]))

        assert found == [divmod(number, 2) for number in range(jobs)]
        assert asked == [(begun, "generator_unordered")]

    @pytest.mark.parametrize("wrong", [{"engine": "spark"}, {"cluster": "tcp://host:8786"}])
    def test_that_cannot_be_are_refused(self, wrong):
        with pytest.raises(BacktestRefusedError, match=r"wanted|of a cluster"):
            Workers(**wrong)

    def test_are_named_in_the_command_as_here(self):
        assert tuple(Engine) == ENGINES

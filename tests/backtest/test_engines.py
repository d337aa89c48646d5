"""What runs the tests of a sweep: whatever it is, the figures are the same."""

import contextlib
import sys

import joblib
import pytest
from natya_recordings import write_candles

from natya.backtest.errors import BacktestRefusedError
from natya.backtest.plan import Plan
from natya.backtest.sweeping import engines
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


class PlayedClusters:
    """In the place of joblib's backends and of both clusters' packages: notes what is asked of them."""

    def __init__(self, monkeypatch):
        self.did = []
        monkeypatch.setattr(engines, "_module", lambda name, extra: self.did.append((name, extra)) or self)
        monkeypatch.setattr(joblib, "parallel_config", self.config)
        monkeypatch.setattr(joblib, "Parallel", self.parallel)
        self.threads, self.resources = {"a": 2, "b": 3}, {"CPU": 3.0}

    def parallel(self, **how):
        self.did.append(how)
        return lambda calls: [work(*job, **named) for work, job, named in calls]

    @contextlib.contextmanager
    def config(self, **how):
        self.did.append(how)
        yield

    @contextlib.contextmanager
    def Client(self, *given, **how):  # noqa: N802  of distributed
        self.did.append((given, how))
        yield self

    def nthreads(self):
        return self.threads

    def init(self, *given, **how):
        self.did.append((given, how))

    def register_ray(self):
        self.did.append("registered")

    def cluster_resources(self):
        return self.resources

    def shutdown(self):
        self.did.append("shut down")


class TestAClusterThatIsPlayed:
    JOBS = tuple((number, 7) for number in range(30))

    @pytest.mark.parametrize(
        ("cluster", "asked"),
        [
            ("", ((), {"n_workers": 4, "threads_per_worker": 1, "dashboard_address": None})),
            ("tcp://host:8786", (("tcp://host:8786",), {})),
        ],
    )
    @pytest.mark.parametrize(("threads", "count"), [({"a": 2, "b": 3}, 5), ({}, 1), ({"a": 99}, 30)])
    def test_of_dask_works_on_all_that_it_has(self, monkeypatch, cluster, asked, threads, count):
        there = PlayedClusters(monkeypatch)
        there.threads = threads

        found = list(Workers(engine="dask", count=4, cluster=cluster).each_of(divmod, self.JOBS))

        assert found == [divmod(*job) for job in self.JOBS]
        assert there.did == [
            ("distributed", "dask"), asked, {"backend": "dask", "client": there},
            {"n_jobs": count, "return_as": "generator_unordered"},
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("cluster", "asked"),
        [
            ("", ((), {"num_cpus": 4, "include_dashboard": False, "log_to_driver": False})),
            ("ray://host:10001", (("ray://host:10001",), {})),
        ],
    )
    @pytest.mark.parametrize(("resources", "count", "batches"), [({"CPU": 3.0}, 3, 2), ({}, 1, 4)])
    def test_of_ray_is_given_so_many_at_a_time(self, monkeypatch, cluster, asked, resources, count, batches):  # noqa: PLR0913, PLR0917  a table
        there = PlayedClusters(monkeypatch)
        there.resources = resources

        found = list(Workers(engine="ray", count=4, cluster=cluster).each_of(divmod, self.JOBS))

        assert found == [divmod(*job) for job in self.JOBS]
        assert there.did == [
            ("ray", "ray"), asked, ("ray.util.joblib", "ray"), "registered", {"backend": "ray"},
            *[{"n_jobs": count}] * batches, "shut down",
        ]  # fmt: skip


class TestWorkers:
    @pytest.mark.parametrize(("count", "jobs"), [(1, [(7, 2), (9, 4)]), (8, [(7, 2)])])
    def test_of_one_process_work_in_this_one_and_in_order(self, monkeypatch, count, jobs):
        monkeypatch.setattr(joblib, "Parallel", lambda **_how: pytest.fail("others were begun"))

        assert list(Workers(count=count).each_of(divmod, jobs)) == [divmod(*job) for job in jobs]

    @pytest.mark.parametrize("engine", ENGINES)
    def test_that_have_nothing_to_do_are_not_begun(self, monkeypatch, engine):
        there = PlayedClusters(monkeypatch)

        assert list(Workers(engine=engine, count=4).each_of(divmod, [])) == []
        assert there.did == []

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

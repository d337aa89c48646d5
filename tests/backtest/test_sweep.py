"""Every choice of parameters, on any number of processes, and walks forward."""

import contextlib
import os
from pathlib import Path

import duckdb
import msgspec
import natya_backtests
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from natya_backtests import a_test, write_rows
from natya_recordings import write_candles
from typer.testing import CliRunner

from natya.actors.strategy import StrategyParametersError
from natya.backtest.errors import BacktestFailedError, BacktestRefusedError
from natya.backtest.pages.sweep import page_of_sweep
from natya.backtest.plan import Plan, time_ns
from natya.backtest.sweeping import grid
from natya.backtest.sweeping import sweep as sweeping
from natya.backtest.sweeping.fingerprint import fingerprint_of, key_of, machinery
from natya.backtest.sweeping.grid import grid_of
from natya.backtest.sweeping.outcomes import Outcome, best_of
from natya.backtest.sweeping.shown import told_of_sweep
from natya.backtest.sweeping.sources import sources_of
from natya.backtest.sweeping.sweep import Sweep, sweep, walk_forward
from natya.backtest.sweeping.windows import windows_of
from natya.cli.app import app
from natya.cli.views.backtest import sweep_text
from natya.domain.time import DAY_NS, SECOND_NS, day_of, day_start_ns

pytestmark = pytest.mark.systems

CROSSOVER = "natya_backtests:Crossover"


class TestAGrid:
    def test_is_every_choice_the_last_one_fastest(self):
        assert [dict(choice) for choice in grid_of("fast=1:3:2,slow=10|20")] == [
            {"fast": 1, "slow": 10},
            {"fast": 1, "slow": 20},
            {"fast": 3, "slow": 10},
            {"fast": 3, "slow": 20},
        ]

    def test_has_exact_steps_of_tenths_and_words(self):
        assert [dict(choice)["x"] for choice in grid_of("x=0.1:0.5:0.2")] == [0.1, 0.3, 0.5]
        assert [dict(choice)["x"] for choice in grid_of("x=1:2:0.5")] == [1.0, 1.5, 2.0]
        assert [dict(choice)["x"] for choice in grid_of("x=5:5:1")] == [5]
        assert [dict(choice)["x"] for choice in grid_of("x=0:1:5e-1")] == [0.0, 0.5, 1.0]
        assert [dict(choice)["side"] for choice in grid_of("side=long|short")] == ["long", "short"]

    @pytest.mark.parametrize(
        "wrong",
        ["", "fast", "fast=", "fast=5:1:1", "fast=1:2:0", "fast=1:2", "a=1,a=2", "a=1:1000:1,b=1:1000:1", "5,fast=1|2"],
    )
    def test_that_means_nothing_is_refused(self, wrong):
        with pytest.raises(BacktestRefusedError, match="wanted"):
            grid_of(wrong)

    @pytest.mark.parametrize(
        "text", ["5:1:1", "1:2:0", "5:1:-1", "1:2", "1:2:x", "inf:inf:1", "1:inf:1", "1:2:inf", "nan:2:1", "0:1e5:1"]
    )
    def test_of_no_range_is_refused(self, text):
        with pytest.raises(BacktestRefusedError, match=f"a range from:to:step upwards wanted, found '{text}'"):
            grid_of(f"a={text}")

    @pytest.mark.parametrize("text", ["a=1:4:1", "a=1|2,b=1|2", "a=1|2,b=0.1:0.2:0.1"])
    def test_has_so_many_choices_and_not_one_more(self, monkeypatch, text):
        monkeypatch.setattr(grid, "CHOICES_MAX", 4)
        assert len(grid_of(text)) == 4
        monkeypatch.setattr(grid, "CHOICES_MAX", 3)
        with pytest.raises(BacktestRefusedError, match="wanted"):
            grid_of(text)


class TestWindows:
    @settings(max_examples=30, deadline=None)
    @given(st.integers(0, 3 * DAY_NS), st.integers(1, 40), st.integers(1, 15), st.integers(1, 60))
    def test_test_each_time_behind_the_first_training_once_and_train_right_before_it(self, late, train, test, days):
        first_ns = time_ns("2025-11-03") + late
        last_ns = first_ns + days * DAY_NS
        if day_start_ns(day_of(first_ns)) + train * DAY_NS >= last_ns:
            with pytest.raises(BacktestRefusedError, match="time of testing behind it wanted"):
                windows_of(first_ns, last_ns, train_ns=train * DAY_NS, test_ns=test * DAY_NS)
            return

        found = windows_of(first_ns, last_ns, train_ns=train * DAY_NS, test_ns=test * DAY_NS)

        assert all(each.test_ns - each.train_ns == train * DAY_NS for each in found)
        assert [each.test_ns for each in found[1:]] == [each.end_ns for each in found[:-1]]
        assert found[-1].test_ns < last_ns <= found[-1].end_ns

    def test_have_nothing_of_what_is_outside_of_the_time_that_was_asked_for(self):
        since_ns, until_ns = time_ns("2025-11-03T12:00"), time_ns("2025-11-10", is_end=True)
        last_ns = until_ns - 8 * 3_600 * SECOND_NS

        first, *_, last = windows_of(
            since_ns, last_ns, train_ns=3 * DAY_NS, test_ns=3 * DAY_NS, since_ns=since_ns, until_ns=until_ns
        )

        assert (first.train_ns, first.test_ns) == (since_ns, time_ns("2025-11-06"))
        assert (last.test_ns, last.end_ns) == (time_ns("2025-11-09"), until_ns)


@pytest.fixture
def plan(tmp_path):
    return Plan(strategy=CROSSOVER, data=(write_candles(tmp_path / "walk.csv", 300, seed=5),), symbols=("TCS",))


class TestASweep:
    GRID = "fast=2:4:1,slow=8"

    def test_has_the_same_figures_on_any_number_of_processes(self, plan):
        grid = grid_of(self.GRID)

        alone = sweep(Sweep(plan, workers=1), plan, grid)
        together = sweep(Sweep(plan, workers=2), plan, grid)

        assert alone == together
        assert [each.parameters["fast"] for each in alone] == [2, 3, 4]
        assert len({each.net_rupees for each in alone}) == 3

    @pytest.mark.parametrize(("asked", "there_are", "used"), [(3, 8, 3), (0, 8, 8), (0, None, 1)])
    def test_uses_as_many_processes_as_were_asked_for_else_all_there_are(
        self, plan, monkeypatch, asked, there_are, used
    ):
        monkeypatch.setattr(sweeping.os, "cpu_count", lambda: there_are)

        assert Sweep(plan, workers=asked)._workers.count == used

    def test_goes_on_where_it_ended_and_drops_a_line_that_was_cut_off(self, plan, tmp_path):
        grid, file = grid_of(self.GRID), tmp_path / "outcomes.jsonl"
        whole = sweep(Sweep(plan, workers=1, results=file), plan, grid)
        lines = file.read_bytes().splitlines(keepends=True)
        file.write_bytes(lines[0] + lines[1] + lines[2][:20])
        told = []

        again = sweep(Sweep(plan, workers=1, results=file, on_progress=lambda *done: told.append(done)), plan, grid)

        assert again == whole
        assert told == [(2, 3), (3, 3)]
        assert file.read_bytes() == b"".join(lines)

    def test_goes_on_in_a_table_that_others_may_ask_meanwhile(self, plan, tmp_path):
        grid, file = grid_of(self.GRID), tmp_path / "kept.duckdb"
        whole = sweep(first := Sweep(plan, workers=1, results=file), plan, grid[:2])
        with contextlib.closing(duckdb.connect(str(file))) as others:
            asked = others.sql("select parameters->>'fast', net_rupees, failed from outcomes order by key").fetchall()
        again = Sweep(plan, workers=1, results=file)

        assert sorted(asked) == sorted((f"{each.parameters['fast']}", each.net_rupees, "") for each in whole)
        assert sweep(again, plan, grid)[:2] == whole
        assert (again.resumed, first.resumed, again.results) == (2, 0, file)

    def test_tests_again_what_other_data_or_costs_would_change(self, plan, tmp_path):
        grid, file = grid_of("fast=2"), tmp_path / "outcomes.jsonl"
        free = msgspec.structs.replace(plan, charges="none")

        paid = sweep(Sweep(plan, workers=1, results=file), plan, grid)
        unpaid = sweep(Sweep(free, workers=1, results=file), free, grid)

        assert paid[0].net_rupees < unpaid[0].net_rupees

    def test_tests_again_what_another_module_of_the_strategy_or_file_of_settings_would_change(self, plan, tmp_path):
        plan = msgspec.structs.replace(plan, config=tmp_path / "mine.toml")
        sources = {"mine": "a digest", "helper": "another"}

        def told(helper="another", settings="orders.quantity_max = 5", machinery="1", **changed):
            plan.config.write_text(settings)
            return fingerprint_of(msgspec.structs.replace(plan, **changed), sources | {"helper": helper}, machinery)

        assert told() == told()
        others = (told(helper="a third"), told(settings=""), told(machinery="2"), told(latency_s=0.5))
        assert len({told(), *others}) == 5

    def test_tests_again_what_any_other_part_of_the_plan_would_change_but_its_times_and_parameters(self, plan):
        other = plan.data[0].with_name("other.csv")
        other.write_bytes(plan.data[0].read_bytes())
        changes = [
            {"strategy": "natya_backtests:Watcher"}, {"data": (other,)}, {"data": (*plan.data, other)},
            {"symbols": ("TCS", "INFY")}, {"symbols": ()}, {"interval": "5m"}, {"latency_s": 0.5},
            {"slippage_percent": 0.5}, {"slippage_ticks": 1}, {"charges": "none"}, {"capital_rupees": 7.0},
            {"settings": {"orders.quantity_max": 7}},
        ]  # fmt: skip
        found = [fingerprint_of(replace(plan, **changed), {}, "1") for changed in ({}, *changes)]
        assert len(set(found)) == 1 + len(changes)

        alike = replace(plan, parameters={"fast": 9}, since_ns=1, until_ns=2)
        assert fingerprint_of(alike, {}, "1") == fingerprint_of(plan, {}, "1")
        keys = [
            key_of(print_, each, may_be_empty=may_be_empty)
            for print_, may_be_empty in (("a", True), ("a", False), ("b", True))
            for each in (
                plan,
                replace(plan, parameters={"fast": 9}),
                replace(plan, since_ns=1),
                replace(plan, until_ns=2),
            )
        ]
        assert len(set(keys)) == 12
        assert key_of("a", plan, may_be_empty=True) == keys[0]

    def test_is_the_same_wherever_it_is_asked_for(self, plan, tmp_path, monkeypatch):
        """Though a file of that folder is called as a setting's value is."""
        monkeypatch.chdir(tmp_path)
        before = fingerprint_of(plan, {}, "1")
        (tmp_path / "warning").write_text("of log.level")

        assert fingerprint_of(plan, {}, "1") == before

    def test_of_a_market_that_is_a_folder_tests_again_when_a_file_in_it_has_changed(self, plan, tmp_path):
        """By its contents: a copy may have the time and the size of what it replaces."""
        plan = msgspec.structs.replace(plan, data=(tmp_path,))
        before, path = fingerprint_of(plan, {}, "1"), tmp_path / "walk.csv"
        look, content = path.stat(), path.read_bytes()
        path.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
        os.utime(path, ns=(look.st_atime_ns, look.st_mtime_ns))

        assert path.stat().st_size == look.st_size
        assert fingerprint_of(plan, {}, "1") != before

    def test_is_of_natya_as_it_is_and_of_all_that_is_installed(self, tmp_path, monkeypatch):
        machinery.cache_clear()  # another test may have been given another path
        before = machinery()
        machinery.cache_clear()
        (tmp_path / "numpy-99.0.dist-info").mkdir()
        monkeypatch.syspath_prepend(tmp_path)
        installed = machinery()
        machinery.cache_clear()
        monkeypatch.undo()

        assert installed != before == machinery()

    def test_reads_the_modules_that_the_strategy_imports(self, plan, tmp_path, monkeypatch):
        (tmp_path / "sweep_helper.py").write_text("FAST = 3\n")
        (tmp_path / "swept.py").write_text(
            "import natya\nimport sweep_helper\n\nclass Swept(natya.StrategyActor):\n    pass\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        found = {}
        monkeypatch.setattr(sweeping, "fingerprint_of", lambda _plan, sources, _machinery: found.update(sources) or "")

        Sweep(msgspec.structs.replace(plan, strategy="swept:Swept"))

        assert found.keys() == {"swept", "sweep_helper"}

    def test_reads_those_too_that_lie_elsewhere_or_are_imported_when_they_are_needed(self, tmp_path, monkeypatch):
        for name, source in {
            "own/swept_far/__init__.py": "",
            "own/swept_far/deep.py": "import natya, json\nfrom . import near\n\nclass Far(natya.StrategyActor):\n"
            "    def on_begin(self):\n        import sweep_lazy\n",
            "own/swept_far/near.py": "from sweep_common import rules\nimport numpy\n",
            "own/sweep_unused.py": "",
            "elsewhere/sweep_common/__init__.py": "",
            "elsewhere/sweep_common/rules.py": "try:\n    import sweep_missing\nexcept ImportError:\n    pass\n",
            "elsewhere/sweep_lazy.py": "",
        }.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(source)
        monkeypatch.syspath_prepend(tmp_path / "elsewhere")
        monkeypatch.syspath_prepend(tmp_path / "own")
        packages = {"swept_far", "swept_far.deep", "swept_far.near", "sweep_common", "sweep_common.rules"}

        assert sources_of("swept_far.deep:Far").keys() == packages | {"sweep_lazy"}

    def test_tests_what_the_file_of_the_strategy_has_now_though_another_was_imported(self, plan, tmp_path, monkeypatch):
        monkeypatch.syspath_prepend(tmp_path)
        source = "import natya\n\nclass Edited(natya.StrategyActor):\n    def on_candle(self, candle):\n        {}\n"
        plan = msgspec.structs.replace(plan, strategy="sweep_edited:Edited")
        found, kept = [], tmp_path / "outcomes.jsonl"
        for line in ("self.position('X')", "self.buy(candle.symbol, 1)"):
            (tmp_path / "sweep_edited.py").write_text(source.format(line.ljust(30)))
            runner = Sweep(plan, workers=1, results=kept)
            found += sweep(runner, plan, [()])
            assert runner.resumed == 0

        assert [each.charges_rupees > 0 for each in found] == [False, True]

    def test_keeps_nothing_that_was_tested_on_data_that_have_changed_meanwhile(self, plan, tmp_path):
        grid, file = grid_of(self.GRID), tmp_path / "outcomes.jsonl"

        def change(done, _of):
            if done == 1:
                with plan.data[0].open("a") as data:
                    data.write("\n")

        found = sweep(Sweep(plan, workers=1, results=file, on_progress=change), plan, grid)

        assert len(found) == len(grid) > 1
        assert len(file.read_bytes().splitlines()) == 1

    def test_keeps_nothing_that_was_tested_while_the_code_was_changed(self, plan, tmp_path, monkeypatch):
        monkeypatch.syspath_prepend(tmp_path)
        source = tmp_path / "sweep_written.py"
        source.write_text("import natya\n\nclass Written(natya.StrategyActor):\n    pass\n")
        plan, file = replace(plan, strategy="sweep_written:Written"), tmp_path / "outcomes.jsonl"

        def change(done, _of):
            if done == 1:
                source.write_text(source.read_text() + "#\n")

        sweep(Sweep(plan, workers=1, results=file, on_progress=change), plan, grid_of("a=1|2|3"))

        assert len(file.read_bytes().splitlines()) == 1

    def test_tells_which_tests_failed_and_none_of_them_is_the_best(self, plan):
        plan = msgspec.structs.replace(plan, strategy="natya_backtests:Faltering")
        runner, grid = Sweep(plan, workers=1), grid_of("fails=never|again|always|seldom")

        found = sweep(runner, plan, grid)
        text = sweep_text(found, "net_rupees")

        assert [bool(each.failed) for each in found] == [False, True, True, True]
        assert found[1].trades + found[1].net_rupees != 0  # until it failed
        assert best_of(found, "net_rupees") is found[0]
        assert [found[place].figure("net_rupees") for place in (1, 2, 3)] == [None, None, None]
        assert runner.failed
        assert (
            "3 of 4 tests failed, and are never the best: fails=again: strategy failed: ValueError: at candle 5" in text
        )
        assert "fails=seldom: parameters of 'strategy': fails: Invalid enum value 'seldom'" in text
        assert [line.split()[1] for line in text.splitlines()[2:5]] == ["failed"] * 3
        assert "3 of 4 tests failed" in page_of_sweep(plan, found, "net_rupees")

    def test_of_which_some_choices_are_refused_has_not_failed_but_one_of_none_other_is_refused(self, plan):
        plan = msgspec.structs.replace(plan, strategy="natya_backtests:Faltering")
        runner = Sweep(plan, workers=1)
        sweep(runner, plan, grid_of("fails=never|seldom"))

        assert not runner.failed
        with pytest.raises(StrategyParametersError, match="unknown fials; did you mean fails"):
            sweep(runner, plan, grid_of("fials=never|again"))

    def test_refuses_a_strategy_of_the_program_that_other_processes_could_not_load(self, plan, monkeypatch):
        monkeypatch.setattr(natya_backtests.Crossover, "__module__", "__main__")

        with pytest.raises(BacktestRefusedError, match="a strategy in a file of its own is wanted"):
            Sweep(plan)

    def test_on_data_that_have_nothing_of_what_is_wanted_is_refused_as_one_test_is(self, plan):
        """Zeros of a misspelt time would be taken for an answer."""
        plan = replace(plan, since_ns=2_500_000_000_000_000_000)

        with pytest.raises(BacktestRefusedError, match=r"market data of TCS from 2049-.* wanted, found none"):
            sweep(Sweep(plan, workers=1), plan, grid_of(self.GRID))

    def test_does_not_take_the_zeros_of_a_window_of_a_walk_for_an_answer(self, plan, tmp_path):
        plan, file = replace(plan, since_ns=2_500_000_000_000_000_000), tmp_path / "kept.jsonl"
        choice = grid_of(self.GRID)[0]
        runner = Sweep(plan, workers=1, results=file)
        (zeros,) = runner.test([(choice, plan.since_ns, plan.until_ns)], may_be_empty=True)

        assert zeros.trades == 0
        with pytest.raises(BacktestRefusedError, match="found none"):
            sweep(Sweep(plan, workers=1, results=file), plan, [choice])

    def test_refuses_a_file_of_something_else(self, plan, tmp_path):
        (tmp_path / "other.jsonl").write_text("{}\n")

        with pytest.raises(BacktestRefusedError, match="line 1"):
            Sweep(plan, results=tmp_path / "other.jsonl")


class TestATestOfASweep:
    def test_is_made_by_the_code_of_who_sweeps_and_refused_alone_where_it_fails(self, plan, monkeypatch):
        did, path = [], ["/somewhere", "/elsewhere"]
        code = sweeping.Code(path, {"mine": Path("/mine.py")}, {"mine": "a digest"})
        monkeypatch.setattr(sweeping.sys, "path", ["/elsewhere", "/own"])
        monkeypatch.setattr(sweeping, "bring_up_to_date", lambda *given: did.append(given))

        def play(played, *, may_be_empty):
            did.append((played, may_be_empty))
            raise BacktestFailedError("at candle 5")

        monkeypatch.setattr(sweeping, "play", play)
        found = sweeping._test(code, "key", plan, (("fast", 2),), may_be_empty=True)

        assert sweeping.sys.path == ["/elsewhere", "/own", "/somewhere"]
        assert did == [(code.sources, code.digests), (plan, True)]
        assert found == Outcome(
            key="key", parameters={"fast": 2}, since_ns=plan.since_ns, until_ns=plan.until_ns, failed="at candle 5"
        )


class TestAWalk:
    def test_tests_the_best_of_each_training_on_the_time_behind_it(self, tmp_path):
        rows = [(p, p + 1, p - 1, p) for p in (100 + (n * 7 % 23) / 4 for n in range(90))]
        # a candle every half an hour: 48 a day
        recording = write_rows(tmp_path / "a.csv", rows * 3, minutes=30, start="2025-11-03T00:00:00+05:30")
        settings = {"feed.exchange": "none"}
        plan = Plan(strategy=CROSSOVER, data=(recording,), symbols=("TCS",), settings=settings)
        runner, grid = Sweep(plan, workers=1), grid_of("fast=2|4,slow=8")
        first_ns = time_ns("2025-11-03")

        found = walk_forward(
            runner,
            grid,
            first_ns=first_ns,
            last_ns=first_ns + 5 * DAY_NS,
            train_ns=2 * DAY_NS,
            test_ns=DAY_NS,
            by="net_rupees",
        )

        assert len(found.steps) == 3
        for step in found.steps:
            wanted = [(choice, step.window.train_ns, step.window.test_ns) for choice in grid]
            trained = runner.test(wanted, may_be_empty=True)
            assert step.trained == best_of(trained, "net_rupees")
            assert (step.tested.since_ns, step.tested.until_ns) == (step.window.test_ns, step.window.end_ns)
            assert step.tested.parameters == step.trained.parameters
        assert found.net_rupees == sum(step.tested.net_rupees for step in found.steps)

    def test_leaves_untouched_what_is_behind_the_time_that_was_asked_for(self, tmp_path):
        rows = [(p, p + 1, p - 1, p) for p in (100 + (n * 7 % 23) / 4 for n in range(300))]
        recording = write_rows(tmp_path / "a.csv", rows, minutes=30, start="2025-11-03T00:00:00+05:30")
        until_ns = time_ns("2025-11-06", is_end=True)
        plan = Plan(
            strategy=CROSSOVER,
            data=(recording,),
            symbols=("TCS",),
            until_ns=until_ns,
            settings={"feed.exchange": "none"},
        )

        found = walk_forward(
            Sweep(plan, workers=1),
            grid_of("fast=2,slow=8"),
            first_ns=time_ns("2025-11-03"),
            last_ns=until_ns - DAY_NS // 2,
            train_ns=2 * DAY_NS,
            test_ns=5 * DAY_NS,
            by="net_rupees",
        )

        assert [step.tested.until_ns for step in found.steps] == [until_ns]

    def test_chooses_none_that_has_no_figure(self):
        few = [a_test(key, sharpe=sharpe) for key, sharpe in (("a", None), ("b", -3.0), ("c", -1.0), ("d", -1.0))]

        assert best_of(few, "sharpe").key == "c"
        assert best_of([*few, a_test("e", sharpe=9.0, failed="of the strategy")], "sharpe").key == "c"
        assert best_of([*few, a_test("e", sharpe=9.0, max_drawdown=-1.2)], "sharpe").key == "c"

    def test_has_nothing_left_behind_a_window_in_which_the_account_was_lost(self):
        growths = [
            a_test("a", total_return=total_return, max_drawdown=deepest).growth
            for total_return, deepest in ((0.1, -0.5), (-1.2, -1.3), (0.4, -1.0))
        ]

        assert growths == [1.1, 0.0, 0.0]


class TestTheCommand:
    def run(self, recording, *more):
        strategy = f"{Path(__file__).parents[1] / 'helpers' / 'natya_backtests.py'}:Crossover"
        arguments = ["backtest", strategy, "--data", str(recording), "--symbol", "TCS", "--workers", "1", *more]
        return CliRunner().invoke(app, arguments)

    @pytest.mark.parametrize(("by", "count"), [("sharpe", 3), ("sharpe", 1), ("net_rupees", 3)])
    def test_says_what_chance_alone_would_have_made_of_so_many_choices(self, by, count):
        outcomes = [a_test(f"{each}", sharpe=float(each)) for each in range(count)]
        said = [
            note for note in told_of_sweep([*outcomes, a_test("x", failed="so", sharpe=9.0)], by) if "skill" in note
        ]

        told = "of 3 choices without any skill that scatter as these do would have a Sharpe of 0.95, this one has 2.00"
        assert said == [f"the best {told}"] * (count == 3 and by == "sharpe")

    def test_shows_the_best_first(self, tmp_path):
        recording = write_candles(tmp_path / "walk.csv", 200, seed=5)

        done = self.run(recording, "--sweep", "fast=2:4:2", "--by", "net_rupees")

        assert done.exit_code == 0, done.stderr
        assert done.stdout.startswith("parameters")
        assert "note: best of 2 by net_rupees" in done.stdout

    @pytest.mark.parametrize("more", [("--train", "5d"), ("--sweep", "fast=2", "--train", "5d"), ("--sweep", "fast")])
    def test_says_what_is_missing(self, tmp_path, more):
        recording = write_candles(tmp_path / "walk.csv", 20, seed=5)

        done = self.run(recording, *more)

        assert done.exit_code in {2, 78}
        assert "wanted" in done.stderr or "of a --sweep" in done.stderr

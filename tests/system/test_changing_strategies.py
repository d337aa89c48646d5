"""Strategies of a running system: started, stopped, swapped and read anew, with all that belongs to them.

`make swaps` swaps and kills more often: SWAPS is how often.
"""

import os
import signal
import sys
from collections import Counter

import msgspec
import pytest
from natya_processes import await_that, children_of

import natya
from natya.actors.journal.tools import tail
from natya.actors.strategy import StrategyChangeRefusedError
from natya.messages.orders import OrderFilled, OrderIntended
from natya.messages.strategy_state import StrategyStateSaved

pytestmark = pytest.mark.usefixtures("engines", "forked_starts")

SWAPS = int(os.environ.get("SWAPS", "10"))
KILLS = int(os.environ.get("SWAPS", "3"))


def settings_of(directory, *strategies, **overrides):
    return natya.load_settings(
        "paper",
        environment={},
        overrides={
            "system.data_dir": str(directory / "data"),
            "feed.duration_s": 0.0,
            "feed.ticks_per_s": 200.0,
            "feed.symbols": ["TCS"],
            "control.enabled": False,
            "supervision.restarts_max": 1_000_000,
            "supervision.backoff_first_s": 0.01,
            "supervision.backoff_max_s": 0.02,
            "supervision.fail_max": 1_000_000,
            "orders.quantity_max": 1_000,
            "strategies": [
                {"strategy": f"natya_swapped:{kind}", "name": kind.lower(), **more} for kind, more in strategies
            ],
        }
        | overrides,
    )


def facts(directory):
    return [record.fact for record in tail(directory / "data" / "journal", records_max=1_000_000)]


def state_of(facts_of, name):
    newest = [fact for fact in facts_of if isinstance(fact, StrategyStateSaved) and fact.strategy == name][-1]
    return msgspec.msgpack.decode(newest.state)


def await_fills(system, name, count):
    def fills():
        pong = system.request(name, natya.Ping(), timeout_s=10)
        return getattr(getattr(pong, "statistics", None), "fills", 0) >= count

    await_that(fills)


def expect_exact(found, name):
    """Compare what a strategy knows with what happened: each trade once, each order, and each answer once."""
    state = state_of(found, name)
    fills = [fact for fact in found if isinstance(fact, OrderFilled) and fact.strategy == name]
    sent = [fact.client_order_id for fact in found if isinstance(fact, OrderIntended) and fact.strategy == name]

    assert state["trades"] == {f"{fill.client_order_id} {fill.trade_id}": 1 for fill in fills}
    assert set(sent) <= state["ordered"].keys()
    assert max(Counter(filter(None, map(state["ordered"].get, sent))).values(), default=0) <= 1
    assert len(sent) == len(set(sent))
    return state, fills


class TestASwap:
    def test_goes_on_with_state_and_position_however_often_it_happens(self, tmp_path):
        with natya.TradingSystem(settings_of(tmp_path, ("Answering", {}))) as system:
            await_fills(system, "answering", 1)
            for _ in range(SWAPS):
                changed = system.swap_strategy("answering", "natya_swapped:Successor")
                assert changed.strategy == "natya_swapped:Successor"
            await_fills(system, "answering", 1)
            (shown,) = system.strategies()

        state, fills = expect_exact(facts(tmp_path), "answering")
        assert (shown.strategy, shown.state, shown.has_state) == ("natya_swapped:Successor", "RUNNING", True)
        assert state["swaps"] == SWAPS
        assert len(fills) > 1

    @pytest.mark.parametrize(
        ("kind", "why"),
        [
            ("natya_swapped:Forgetful", "does not fit its State, whose fields are ticks: no field for"),
            ("natya_swapped:Stateless", "a class with a State wanted"),
            ("natya_swapped:Nobody", "has no class 'Nobody'"),
            ("natya_swapped:Stillborn", "the one of before runs again: RuntimeError: stillborn"),
        ],
    )
    def test_that_cannot_be_leaves_the_old_one(self, tmp_path, kind, why):
        with natya.TradingSystem(settings_of(tmp_path, ("Answering", {}))) as system:
            await_fills(system, "answering", 1)
            with pytest.raises(StrategyChangeRefusedError, match=why):
                system.swap_strategy("answering", kind)
            await_fills(system, "answering", 1)
            (shown,) = system.strategies()

        assert (shown.strategy, shown.state) == ("natya_swapped:Answering", "RUNNING")
        expect_exact(facts(tmp_path), "answering")


class TestAStrategy:
    def test_is_stopped_and_started_and_another_is_added(self, tmp_path):
        with natya.TradingSystem(settings_of(tmp_path, ("Answering", {}))) as system:
            await_fills(system, "answering", 1)
            system.stop_strategy("answering")
            stopped = [(each.name, each.state) for each in system.strategies()]
            with pytest.raises(StrategyChangeRefusedError, match="it is stopped"):
                system.swap_strategy("answering", "natya_swapped:Successor")
            system.start_strategy("answering")
            system.add_strategy("natya_swapped:Successor", name="second")
            await_fills(system, "second", 1)
            both = sorted((each.name, each.state) for each in system.strategies())
            with pytest.raises(StrategyChangeRefusedError, match="it runs already"):
                system.add_strategy("natya_swapped:Successor", name="second")
            with pytest.raises(StrategyChangeRefusedError, match="did you mean 'second'"):
                system.stop_strategy("secnd")

        assert stopped == [("answering", "STOPPED")]
        assert both == [("answering", "RUNNING"), ("second", "RUNNING")]
        expect_exact(facts(tmp_path), "answering")
        expect_exact(facts(tmp_path), "second")

    @pytest.mark.parametrize("by", ["person", "system"])
    def test_has_its_orders_cancelled_at_its_stop_if_it_says_so(self, tmp_path, by):
        with natya.TradingSystem(settings_of(tmp_path, ("Resting", {}))) as system:
            await_that(lambda: system.request("orders", natya.Ping(), timeout_s=10).statistics.open_orders == 1)
            if by == "person":
                system.stop_strategy("resting")
                await_that(lambda: system.request("orders", natya.Ping(), timeout_s=10).statistics.open_orders == 0)

        assert "OrderCancelled" in [type(fact).__name__ for fact in facts(tmp_path)]

    def test_goes_on_with_its_state_in_the_next_system(self, tmp_path):
        for _ in range(2):
            with natya.TradingSystem(settings_of(tmp_path, ("Successor", {}))) as system:
                await_fills(system, "successor", 2)

        state, _ = expect_exact(facts(tmp_path), "successor")
        assert state["swaps"] == 2


class TestAStrategyInAProcess:
    def test_knows_all_that_happened_however_often_it_is_killed_and_swapped(self, tmp_path):
        strategy = ("Successor", {"host": "process"})
        others = set(children_of(os.getpid()))
        with natya.TradingSystem(settings_of(tmp_path, strategy)) as system:
            for number in range(KILLS):
                await_fills(system, "successor", 2)
                (worker,) = {*children_of(os.getpid())} - others
                os.kill(worker, signal.SIGKILL)
                if number % 2:
                    system.swap_strategy("successor", "natya_swapped:Successor")
            await_fills(system, "successor", 2)

        state, fills = expect_exact(facts(tmp_path), "successor")
        assert len(fills) >= 2
        assert state["swaps"] >= KILLS


SOURCE = """
import msgspec, natya, helper_of_reloaded

class Reloaded(natya.StrategyActor):
    class State(msgspec.Struct):
        versions: list[str] = []

    def on_begin(self):
        self.state.versions.append(helper_of_reloaded.VERSION)

    def on_tick(self, tick):
        pass
"""


class TestAReload:
    @pytest.fixture
    def project(self, tmp_path, monkeypatch):
        folder = tmp_path / "project"
        folder.mkdir()
        (folder / "reloaded.py").write_text(SOURCE)
        (folder / "helper_of_reloaded.py").write_text("VERSION = 'one'\n")
        monkeypatch.syspath_prepend(str(folder))
        yield folder
        for name in ("reloaded", "helper_of_reloaded"):
            sys.modules.pop(name, None)

    def test_has_the_helpers_as_they_are_now_and_tells_which_changed(self, project, tmp_path):
        strategies = [{"strategy": "reloaded:Reloaded", "name": "reloaded"}]
        with natya.TradingSystem(settings_of(tmp_path, strategies=strategies)) as system:
            (project / "helper_of_reloaded.py").write_text("VERSION = 'two'\n")
            helper = system.reload_strategy("reloaded")
            nothing = system.reload_strategy("reloaded")
            (project / "helper_of_reloaded.py").write_text("VERSION = 1 / 0\n")
            with pytest.raises(StrategyChangeRefusedError, match=r"helper_of_reloaded\.py:1 in .*ZeroDivisionError"):
                system.reload_strategy("reloaded")
            (shown,) = system.strategies()

        assert helper.modules == ("helper_of_reloaded",)
        assert nothing.modules == ()
        assert shown.state == "RUNNING"
        assert state_of(facts(tmp_path), "reloaded")["versions"] == ["one", "two", "two"]

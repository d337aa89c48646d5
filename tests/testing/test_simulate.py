"""`natya.testing`: strategies in a simulation, and what is found there."""

import logging
import sys

import msgspec
import pytest

from natya import ChildSpec, RuntimeActor, StrategyActor, handles
from natya.actors.journal import PowerCutError
from natya.actors.runtime.simulation import SimulatedCrashError
from natya.messages.orders import OrderIntended
from natya.testing import (
    NO_FAULTS,
    Faults,
    InvariantViolatedError,
    ScriptedFault,
    book,
    candles,
    simulate,
    ticks,
)
from natya.testing.simulating import _Listening, _settings

pytest_plugins = ["pytester"]

HEARD = []
PRICES = [100.0, 101.0, 99.0, 100.5]


class Buyer(StrategyActor):
    def on_tick(self, tick):
        self.buy(tick.symbol, 10)


class Rare(StrategyActor):
    """Buys at each tenth tick."""

    ticks = 0

    def on_tick(self, tick):
        self.ticks += 1
        if self.ticks % 10 == 0:
            self.buy(tick.symbol, 1)


class Listener(StrategyActor):
    def on_candle(self, candle):
        HEARD.append(candle.close)


class Divider(StrategyActor):
    def on_tick(self, tick):
        if tick.price > 100:
            raise ZeroDivisionError("division by zero")


class Poke(msgspec.Struct, frozen=True):
    pass


class Stumbler(RuntimeActor):
    def on_start(self):
        self.after(0.5, Poke())

    @handles(Poke)
    def stumble(self, _message, _sender):
        if not HEARD:
            HEARD.append("a stone")
            raise ValueError("a stone")


def played(*strategies, **options):
    return simulate(*strategies, symbols=["TCS"], **{"market": ticks("TCS", PRICES), "faults": NO_FAULTS} | options)


class TestASimulation:
    def test_trades_on_the_given_market_at_the_prices_of_its_books(self):
        found = played(Buyer)

        assert [fill.price for fill in found.fills] == [100.05, 101.05, 99.05, 100.55]
        assert found.held("TCS") == found.held("TCS", "buyer") == [10, 20, 30, 40]
        assert found.positions["TCS"].quantity == 40
        assert found.last_prices == {"TCS": 100.5}
        assert (found.lives, found.injected.total(), found.violations) == (1, 0, ())

    def test_is_the_same_for_the_same_seed_and_another_for_another(self):
        one, same, other = (simulate(Buyer, seed=seed, seconds=1.0) for seed in (3, 3, 4))

        assert one.digest == same.digest != other.digest
        assert one.facts == same.facts

    def test_lasts_for_ten_seconds_of_ten_ticks_from_seed_0_unless_it_is_told_otherwise(self):
        plain = simulate(Rare, symbols=["TCS"], faults=NO_FAULTS)
        told = simulate(Rare, symbols=["TCS"], faults=NO_FAULTS, seed=0, seconds=10.0, ticks_per_s=10.0)

        assert plain.digest == told.digest
        assert len(plain.fills) == 10

    def test_survives_whatever_its_seed_has_go_wrong(self):
        found = [simulate(Buyer, seed=seed, seconds=1.0) for seed in range(4)]

        assert max(each.lives for each in found) > 1
        assert sum(each.injected.total() for each in found) > 0

    def test_takes_parameters_settings_and_strategies_by_name(self):
        found = played(
            "natya.actors.strategy.bodies.crossover:MovingAverageCrossover",
            Buyer,
            settings={"orders.quantity_max": 5},
        )

        assert {refusal.strategy for refusal in found.refused} == {"buyer"}
        assert len(found.refused) == 4
        assert found.of_type(OrderIntended) == found.orders == []

    def test_plays_candles(self):
        HEARD.clear()

        played(
            Listener, market=[*candles("TCS", [10.0, 11.0]), *ticks("TCS", [10.5], start_ns=1_704_080_790_000_000_000)]
        )

        assert HEARD == [10.0, 11.0]

    def test_trades_on_candles_as_a_replay_does_and_for_as_long_as_they_last(self):
        found = played(Buyer, market=candles("TCS", [100.0, 102.0], interval="15m"))

        assert [fill.price for fill in found.fills] == [100.0] * 6 + [102.0] * 2

    def test_plays_a_fault_of_a_script(self):
        crash = ScriptedFault(kind="crash", actor="buyer", message_type=type(ticks("TCS", [1.0])[0]), nth=2)

        found = played(Buyer, faults=Faults(script=(crash,)))

        assert found.injected == {"crash": 1}
        assert found.held("TCS") == [10, 20, 30]

    def test_writes_no_log(self, caplog):
        caplog.set_level(logging.DEBUG, "natya")
        simulate(Buyer, seed=1, seconds=0.5)
        assert not caplog.records


class TestAViolation:
    def test_of_the_callers_names_the_seed_and_every_sentence(self):
        def few(found):
            yield from (f"{shares} held" for shares in found.held("TCS") if shares > 20)

        with pytest.raises(InvariantViolatedError, match=r"seed 5, .* broke 2:\n  30 held\n  40 held"):
            played(Buyer, seed=5, invariants=[few])

    def test_is_a_strategy_that_raises(self):
        with pytest.raises(InvariantViolatedError, match="divider: ZeroDivisionError: division by zero"):
            played(Divider)

        assert played(Divider, may_fail=True).failures == ("divider: ZeroDivisionError: division by zero",) * 2

    def test_is_an_actor_of_the_callers_that_raises(self):
        HEARD.clear()
        with pytest.raises(InvariantViolatedError, match="stumbler: ValueError: a stone"):
            played(actors=[ChildSpec("stumbler", Stumbler)])


class TestWhatIsNoMarket:
    def test_is_refused(self):
        with pytest.raises(TypeError, match="ticks and candles wanted, found float"):
            played(Buyer, market=[1.0])


class TestABook:
    def test_begins_at_the_price_and_a_spread_above_it(self):
        made = book(100.0, quantity=5, levels=2)

        assert (made.bid_prices, made.ask_prices) == ((100.0, 99.95), (100.05, 100.1))
        assert made.bid_quantities == made.ask_quantities == (5, 5)


class TestTheFixture:
    @pytest.mark.parametrize(
        ("options", "seeds"),
        [([], 20), (["--natya-seeds", "3"], 3), (["--natya-seed", "17"], 1)],
        ids=["20", "3", "17"],
    )
    def test_gives_a_test_its_seeds(self, pytester, options, seeds):
        pytester.makeconftest("pytest_plugins = ['natya.testing.fixtures']")
        pytester.makepyfile("def test_a(natya_seed):\n    assert natya_seed in (*range(20), 17)\n")

        pytester.runpytest(*options).assert_outcomes(passed=seeds)


class TestWhatIsHeardOfFailures:
    def heard(self, fault=None, *, actor="buyer", module="mine"):
        """Return what is kept of a record of this actor, whose fault was raised in this module."""
        raised = None
        if fault is not None:
            try:
                exec("raise fault", {"__name__": module, "fault": fault})  # noqa: S102  a module of that name
            except type(fault):
                kind, error, frames = sys.exc_info()
            raised = kind, error.with_traceback(frames.tb_next), None  # the frame of this test is none of its own
        record = logging.LogRecord("natya", logging.ERROR, "", 0, "handler.failed", None, raised)
        record.actor = actor
        listening = _Listening({"buyer"})
        listening.emit(record)
        return listening.failures

    def test_is_what_the_caller_s_own_actors_raised_in_their_own_code(self):
        assert self.heard(ValueError("x")) == ["buyer: ValueError: x"]

    @pytest.mark.parametrize(
        ("fault", "where"),
        [
            (None, {}),
            (ValueError("x"), {"actor": "orders"}),
            (ValueError("x"), {"module": "natya.actors.strategy.actor"}),
            (SimulatedCrashError("x"), {}),
            (PowerCutError("x"), {}),
        ],
        ids=["no error", "another actor", "our own code", "a crash that was injected", "the power"],
    )
    def test_is_nothing_else(self, fault, where):
        assert self.heard(fault, **where) == []


def test_what_a_simulation_is_asked_for_is_in_its_settings():
    found = _settings(
        ["mine:March", Buyer], ["TCS", "INFY"], {"fast": 2}, seed=7, seconds=3.0, ticks_per_s=11.0,
        more={"orders.quantity_max": 5},
    )  # fmt: skip

    assert [(each.name, each.strategy, each.symbols, each.parameters) for each in found.strategies] == [
        ("march", "mine:March", ("TCS", "INFY"), {"fast": 2}),
        ("buyer", f"{Buyer.__module__}:Buyer", ("TCS", "INFY"), {"fast": 2}),
    ]
    assert (found.feed.symbols, found.feed.seed) == (("TCS", "INFY"), 7)
    assert (found.feed.duration_s, found.feed.ticks_per_s) == (3.0, 11.0)
    assert (found.control.enabled, found.orders.quantity_max) == (False, 5)

"""What one seed makes of a simulation of ours: random traders in a random market."""

from collections import Counter
from random import Random

import msgspec
from natya_trader import RememberingTrader

from natya import load_settings
from natya.config.sections.strategy import StrategySettings
from natya.domain.brackets.legs import entry_id
from natya.messages.orders import OrderFilled, OrderIntended, OrderRefused
from natya.messages.strategy_state import StrategyStateSaved
from natya.testing import Faults
from natya.testing.order_path import PAPER_PATH
from natya.testing.scenario import Scenario, scenario_of
from natya.testing.world import World

SYMBOLS = ("INFY", "TCS", "SBIN")
OF_A_HALT = ("HaltTrading", "Resume", "KillSwitch", "CancelDue")
PAPER = load_settings("paper", environment={}, overrides={"control.enabled": False})


def a_scenario(seed: int, path=PAPER_PATH) -> Scenario:
    """Everything that may go wrong, and traders who mind nothing; of four seeds three are killed in a step of the path.

    The steps take their turns: so many seeds as there are steps, and a third more, kill in each.
    """
    is_plain = seed % 4 == 3
    settings = _settings(Random(f"{seed}/traders"))
    scenario = scenario_of(seed, settings if is_plain else _busy(settings))
    chance, duration_s = Random(f"{seed}/halts"), scenario.settings.feed.duration_s
    turn = seed - seed // 4
    step = "" if is_plain else path[turn % len(path)]
    halts = [(chance.uniform(0.0, duration_s), chance.uniform(0.0, duration_s / 2))] * chance.choice((0, 0, 0, 1))
    if step.endswith(OF_A_HALT):
        halts = halts or [(duration_s / 3, duration_s / 3)]
    cuts = scenario.power_cuts if is_plain else (duration_s, duration_s)
    return msgspec.structs.replace(scenario, cut_at_step=step, halts=tuple(halts), power_cuts=cuts)


def _busy(settings):
    """The same, with traders who reach each step in a short time."""
    replace = msgspec.structs.replace
    least = {"trades": 0.5, "cancels": 0.3, "changes": 0.5}
    feed = replace(
        settings.feed, ticks_per_s=max(settings.feed.ticks_per_s, 40.0), duration_s=max(settings.feed.duration_s, 1.0)
    )
    traders = tuple(
        replace(each, parameters={name: max(rate, least[name]) for name, rate in each.parameters.items()})
        for each in settings.strategies
    )
    return replace(settings, strategies=traders, feed=feed)


class TradersWorld(World):
    """One seed's run."""

    def violations(self):
        return [*super().violations(), *lost_in_states(self.records())]


def lost_in_states(records):
    """Say where what a trader knows is not what happened: each trade once, and no order that it does not know of."""
    facts = [record.fact for record in records]
    newest = {fact.strategy: fact for fact in facts if isinstance(fact, StrategyStateSaved)}
    for name, saved in newest.items():
        state = msgspec.msgpack.decode(saved.state, type=RememberingTrader.State)
        fills = [fact for fact in facts if isinstance(fact, OrderFilled) and fact.strategy == name]
        trades = dict.fromkeys((f"{fill.client_order_id} {fill.trade_id}" for fill in fills), 1)
        for trade in trades.keys() | state.trades.keys():
            if state.trades.get(trade) != trades.get(trade):
                yield f"{name} knows {state.trades.get(trade)} of trade {trade}"
        refused = {fact.client_order_id for fact in facts if isinstance(fact, OrderRefused) and fact.strategy == name}
        sent = {fact.client_order_id for fact in facts if isinstance(fact, OrderIntended) and fact.strategy == name}
        sent, refused = ({each for each in ids if not entry_id(each)} for ids in (sent, refused))  # exits are of orders
        for unknown in (sent | refused) - state.ordered.keys():
            yield f"{name} has ordered {unknown}, and does not know it"
        answered = [trade for trade in map(state.ordered.get, sent) if trade]
        yield from (f"{name} answered {trade} {n} times" for trade, n in Counter(answered).items() if n > 1)


def a_world(seed: int) -> World:
    return TradersWorld(seed, a_scenario(seed))


def without_faults(scenario: Scenario) -> Scenario:
    return msgspec.structs.replace(scenario, faults=Faults(), power_cuts=(), sync_failures=(), halts=())


def _settings(chance: Random):
    replace = msgspec.structs.replace
    traders = tuple(
        StrategySettings(
            name=f"trader{number}",
            strategy="natya_trader:RememberingTrader" if number == 1 else "natya_trader:RandomTrader",
            symbols=SYMBOLS[:number],
            parameters={
                "trades": chance.choice((0.05, 0.2, 0.5)),
                "cancels": chance.choice((0.0, 0.1, 0.3)),
                "changes": chance.choice((0.1, 0.5, 0.7)),
            },
        )
        for number in range(1, chance.randint(2, 4))
    )
    return replace(
        PAPER,
        strategies=traders,
        feed=replace(
            PAPER.feed,
            symbols=SYMBOLS[: chance.randint(1, 3)],
            ticks_per_s=chance.choice((5.0, 20.0, 60.0)),
            duration_s=chance.uniform(0.5, 2.0),
            seed=chance.randrange(1 << 30),
        ),
        orders=replace(PAPER.orders, orders_in_flight_max=chance.choice((2, 100))),
    )

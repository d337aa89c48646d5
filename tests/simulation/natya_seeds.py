"""What one seed makes of a simulation of ours: random traders in a random market."""

from random import Random

import msgspec

from natya import load_settings
from natya.config.sections.strategy import StrategySettings
from natya.testing import Faults
from natya.testing.scenario import Scenario, scenario_of
from natya.testing.world import World

SYMBOLS = ("INFY", "TCS", "SBIN")
PAPER = load_settings("paper", environment={}, overrides={"control.enabled": False})


def a_scenario(seed: int) -> Scenario:
    """Everything that may go wrong, and traders who mind nothing."""
    return scenario_of(seed, _settings(Random(f"{seed}/traders")))


def a_world(seed: int) -> World:
    return World(seed, a_scenario(seed))


def without_faults(scenario: Scenario) -> Scenario:
    return msgspec.structs.replace(scenario, faults=Faults(), power_cuts=(), sync_failures=())


def _settings(chance: Random):
    replace = msgspec.structs.replace
    traders = tuple(
        StrategySettings(
            name=f"trader{number}",
            strategy="natya_trader:RandomTrader",
            symbols=SYMBOLS[:number],
            parameters={
                "trades": chance.choice((0.05, 0.2, 0.5)),
                "cancels": chance.choice((0.0, 0.1, 0.3)),
                "changes": chance.choice((0.0, 0.1, 0.5)),
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

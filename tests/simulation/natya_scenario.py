"""What one seed makes of a run: the market, the traders, and everything that goes wrong."""

from random import Random

import msgspec

from natya import load_settings
from natya.actors.runtime.simulation import Faults
from natya.config.sections.strategy import StrategySettings
from natya.config.settings import Settings

SYMBOLS = ("INFY", "TCS", "SBIN")
PAPER = load_settings(
    "paper", environment={}, overrides={"control.enabled": False, "kill_switch.look_interval_s": 3_600.0}
)


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    settings: Settings
    faults: Faults

    power_cuts: tuple[float, ...]
    """Seconds after the start of each life but the last."""

    cut_at_disk_action: bool
    """The power goes in the middle of what the disk does next, not between two turns."""

    sync_failures: tuple[int, ...]
    """Syncs of the journal's disk that succeed before one fails."""

    exchange_lasts: bool
    """It is another machine's: the power cut does not reach it."""

    database_is_lost: bool
    """The power cut leaves no file of it; else all that it had committed."""


def a_scenario(seed: int) -> Scenario:
    chance = Random(f"{seed}/scenario")
    duration_s = chance.uniform(0.5, 2.0)
    return Scenario(
        settings=_settings(chance, duration_s),
        faults=_faults(chance),
        power_cuts=tuple(chance.uniform(0.001, duration_s) for _ in range(chance.choice((0, 0, 1, 1, 2)))),
        cut_at_disk_action=chance.random() < 0.5,
        sync_failures=tuple(chance.randrange(40) for _ in range(chance.choice((0, 0, 0, 1, 2)))),
        exchange_lasts=chance.random() < 0.7,
        database_is_lost=chance.random() < 0.2,
    )


def _faults(chance: Random) -> Faults:
    def rate(*rates: float) -> float:
        return chance.choice((0.0, *rates))

    return Faults(
        crash=rate(0.001, 0.005, 0.02),
        crash_inside=rate(0.001, 0.005),
        lose=rate(0.01, 0.1),
        repeat=rate(0.01, 0.1),
        delay=rate(0.001, 0.01, 0.1),
        pause=rate(0.001, 0.02),
        pause_s_max=chance.choice((0.05, 0.05, 3.0)),
        wall_step=rate(0.001),
        wall_step_s_max=10.0,
    )


def _settings(chance: Random, duration_s: float) -> Settings:
    replace = msgspec.structs.replace
    traders = tuple(
        StrategySettings(
            name=f"trader{number}",
            strategy="natya_trader:RandomTrader",
            symbols=SYMBOLS[:number],
            parameters={"trades": chance.choice((0.05, 0.2, 0.5)), "cancels": chance.choice((0.0, 0.1, 0.3))},
        )
        for number in range(1, chance.randint(2, 4))
    )
    return replace(
        PAPER,
        strategies=traders,
        journal=replace(PAPER.journal, path="/journal", segment_bytes=65_536),
        database=replace(PAPER.database, max_connections=3, batch_wait_s=chance.choice((0.05, 0.5, 1.0))),
        feed=replace(
            PAPER.feed,
            symbols=SYMBOLS[: chance.randint(1, 3)],
            ticks_per_s=chance.choice((5.0, 20.0, 60.0)),
            duration_s=duration_s,
            seed=chance.randrange(1 << 30),
        ),
        supervision=replace(PAPER.supervision, restarts_max=1_000_000, backoff_max_s=1.0, escalate_after=1_000),
        orders=replace(PAPER.orders, orders_in_flight_max=chance.choice((2, 100))),
    )

"""What one seed makes of a simulation: the market, and everything that goes wrong."""

from __future__ import annotations

from random import Random
from typing import Final

import msgspec

from ..actors.runtime.simulation import Faults
from ..config.settings import Settings

CHECKPOINT_FACTS: Final = 10
"""Records from one checkpoint of the book to the next: so few that most worlds have some."""


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """All that is decided before a simulation begins."""

    settings: Settings
    faults: Faults

    power_cuts: tuple[float, ...] = ()
    """Seconds after the start of each life but the last."""

    cut_at_disk_action: bool = False
    """The power goes in the middle of what the disk does next, not between two turns."""

    cut_at_step: str = ""
    """Instead, the power goes in a step of an order's path (`PAPER_PATH` or `DHAN_PATH` of `order_path`), at one of its
    first times."""

    halts: tuple[tuple[float, float], ...] = ()
    """Seconds after the start of each life until a person puts the kill switch on, and until it is off again."""

    sync_failures: tuple[int, ...] = ()
    """Syncs of the journal's disk that succeed before one fails."""

    exchange_lasts: bool = True
    """It is another machine's: the power cut does not reach it."""

    database_is_lost: bool = False
    """The power cut leaves no file of it; else all that it had committed."""


def scenario_of(seed: int, settings: Settings, *, faults: Faults | None = None) -> Scenario:
    """Draw what goes wrong in a simulation with these settings.

    Args:
        seed: whatever is drawn depends on it alone.
        settings: with `feed.duration_s`; the journal is on a simulated disk, whatever they say.
        faults: these, and no power cut or disk that fails; None: those of the seed.
    """
    chance = Random(f"{seed}/scenario")  # noqa: S311  so that it can be repeated
    duration_s = settings.feed.duration_s
    given = _patient(settings, chance)
    if faults is not None:
        return Scenario(settings=given, faults=faults)
    return Scenario(
        settings=given,
        faults=_faults(chance),
        power_cuts=tuple(chance.uniform(0.001, duration_s) for _ in range(chance.choice((0, 0, 1, 1, 2)))),
        cut_at_disk_action=chance.random() < 0.5,  # noqa: PLR2004  a coin
        sync_failures=tuple(chance.randrange(40) for _ in range(chance.choice((0, 0, 0, 1, 2)))),
        exchange_lasts=chance.random() < 0.7,  # noqa: PLR2004
        database_is_lost=chance.random() < 0.2,  # noqa: PLR2004
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
        wall_step_s_max=7_200.0,
    )


def _patient(settings: Settings, chance: Random) -> Settings:
    """Return settings of a system that restarts for ever, on a simulated disk."""
    replace = msgspec.structs.replace
    return replace(
        settings,
        journal=replace(settings.journal, path="/journal", segment_bytes=65_536),
        orders=replace(settings.orders, checkpoint_facts=CHECKPOINT_FACTS),
        database=replace(settings.database, max_connections=3, batch_wait_s=chance.choice((0.2, 1.0, 5.0))),
        supervision=replace(settings.supervision, restarts_max=1_000_000, backoff_max_s=1.0, escalate_after=1_000),
    )

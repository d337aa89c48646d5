"""[[strategies]]: one strategy."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from .base import Positive, Seconds


class StrategySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One strategy."""

    name: str
    """Name of the actor, unique among the strategies."""

    strategy: str
    """`module:Class` of a `StrategyActor`."""

    symbols: tuple[str, ...] = ()
    """What it hears; empty for all."""

    parameters: dict[str, Any] = {}
    """Given to the strategy as they are."""

    position_max: Positive | None = None
    """Shares of one symbol, long or short, that it may hold if all its open orders fill, so that it leaves the others
    their part of `orders.position_max`; none of its own if it is not given."""

    orders_in_flight_max: Positive | None = None
    """Its orders between intent and the broker's answer, so that it leaves the others their part of
    `orders.orders_in_flight_max`; none of its own if it is not given."""

    host: Literal["loop", "process"] = "loop"
    """Where it runs: beside all others, or in a process of its own, for one that computes for more than a moment."""

    turn_limit_s: Seconds = 10.0
    """In a process of its own: one that is at a turn (up to 16 messages) for longer is killed and started anew, as one
    that has failed. 0: it may take for ever, and a simulated market waits for it."""

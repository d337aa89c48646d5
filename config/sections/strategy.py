"""[[strategies]]: one strategy."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from .base import Positive, Seconds


class StrategySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One strategy."""

    name: str
    """Name of the actor, unique among the strategies."""

    strategy: str
    """`module:Class` of a `StrategyActor`."""

    symbols: tuple[str, ...] = ()
    """Symbols whose market data it receives; empty: all."""

    candles: tuple[str, ...] = ()
    """Intervals of the candles that it receives, such as `5m`, instead of those that its class names."""

    parameters: dict[str, Any] = {}
    """Passed to the strategy as they are."""

    position_max: Positive | None = None
    """Shares of one symbol, long or short, that this strategy would hold if all its open orders filled, beside
    `orders.position_max`; None: no limit of its own."""

    orders_in_flight_max: Positive | None = None
    """Orders of this strategy that the broker has not answered yet, beside `orders.orders_in_flight_max`; None: no
    limit of its own."""

    host: Literal["loop", "process", "node"] = "loop"
    """Where it runs: on the shared event loop; in a worker process, for a strategy that computes for long; or on one of
    the machines that were started with `--profile node`."""

    turn_limit_s: Seconds = 10.0
    """How long a worker process may take for a turn (up to 16 messages); after that it is killed and started anew. 0:
    no limit, and a simulated market waits for it."""

    memory_limit_mb: Annotated[int, Meta(ge=256, le=1 << 24)] = 2048
    """MiB of memory that a worker process may use; beyond it, its code gets a `MemoryError`."""

"""What a supervisor needs to know: its children, and how it treats them."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from ...config.sections.supervision import SupervisionSettings
from ...messages.addresses import JOURNAL
from .child_spec import ChildSpec

Strategy: TypeAlias = Literal["one_for_one", "one_for_all", "rest_for_one"]
"""Which children restart with a failed one: none, all, or those that started after it."""


class SupervisorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One supervisor."""

    children: tuple[ChildSpec, ...]
    """In the order they start; they stop in reverse."""

    policy: SupervisionSettings
    strategy: Strategy = "one_for_one"

    root: bool = False
    """It has no supervisor above it: when it gives up, the system stops with exit code 70."""

    shutdown_s: float = 10.0
    """A child gets this long to stop in order, unless its spec says otherwise."""

    start_s: float = 30.0
    """A child whose start takes longer has failed."""

    probe_s: float = 5.0
    """A child that is being tried again answers a Ping within this, or has failed."""

    market_speed: float | None = None
    """Where its children live in the time of a simulated market: how many times faster than the machine's that is, 0
    for as fast as possible. None: they live on the machine's time.

    Then runs and restarts are counted in market time, and a back-off or an open breaker takes none of it: the market
    waits for who is down. By the machine's clock it takes its time divided by the speed."""

    orders: str = ""
    """Name of the actor that tells which orders a parked child leaves open (`ReadHoldings`), for the log; or empty."""

    journal: str = JOURNAL
    """Name of the actor that makes the supervisor's facts durable; empty: nobody, they are only logged."""

"""Protocol of a live market: it runs on a thread of its own, and its ticks are taken by the actor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import msgspec

from ...messages.units import Count, Nanoseconds

if TYPE_CHECKING:
    from random import Random

    from ...domain.instruments import Instrument
    from ...messages.market import Tick


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing came of these instruments for a while; see `FeedGapped`."""

    symbols: tuple[str, ...]
    start_ns: Nanoseconds
    end_ns: Nanoseconds
    cause: str


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A segment's market has opened or closed; see `MarketStatusHeard`."""

    segment: str
    is_open: bool
    at_ns: Nanoseconds


class LiveCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What a live market counts; see `FeedStatistics`."""

    arrived: Count
    conflated: Count
    queued: Count
    unknown: Count
    damaged: Count
    connections: Count
    reconnects: Count
    silent: Count


class LiveSurroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a live source is given besides its settings."""

    instruments: tuple[Instrument, ...]
    """That are subscribed to; each has a security id."""

    source: str
    """Name of the ticks' source: another in each life."""

    client_id: str
    token: Callable[[], str | None]
    """Returns the access token in use; None: there is none that is alive. From any thread."""

    token_refused: Callable[[], object]
    """Called when the service calls that token dead."""

    now_ns: Callable[[], int]
    """Nanoseconds since 1970-01-01 UTC."""

    monotonic_ns: Callable[[], int]
    random: Random
    wake: Callable[[], object]
    """Called from the source's thread when there is something to take."""

    last_ns: int = 0
    """When the last tick of an earlier life came: what was missed since is a gap. 0: there was none."""

    ticks_max: int = 20_000
    """Ticks that wait to be taken; beyond it only the newest of each instrument."""


class LiveSource(Protocol):
    """One live market. `run` is called once, on a thread of its own; all else from the actor's."""

    def run(self) -> None:
        """Receive until `close`; faults of the service are waited out, and do not end it."""

    def close(self) -> None:
        """End `run`; from any thread, also before it began."""

    def take(self, most: int) -> list[Tick]:
        """Remove and return the oldest ticks, in the order of arrival, of each instrument at least the newest."""

    def take_gaps(self) -> list[Gap]:
        """Remove and return the gaps that have ended."""

    def take_statuses(self) -> list[Status]:
        """Remove and return the segments whose market has opened or closed."""

    def counts(self) -> LiveCounts:
        """Return the counts, of one moment."""

    @property
    def trouble(self) -> str:
        """What a person should know of now; empty: nothing."""

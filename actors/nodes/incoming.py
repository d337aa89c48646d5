"""Ticks as they come from the broker node, in numbered batches (plain)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...messages.codec import UndecodableMessageError, decode
from ...messages.market import Tick, Ticks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .server import Batch

TICKS_AT_ONCE: Final = 2_000
"""More that come at once are of the past: the newest of each symbol is enough."""


class IncomingTicks:
    """Takes each tick once, in order, and counts what never came or was left out."""

    def __init__(self) -> None:
        """Begin with the first batch that comes."""
        self._sender, self._had = "", 0
        self.count = self.lost = 0

    def take(self, batches: Iterable[Batch]) -> tuple[list[Tick], list[str]]:
        """Return what is new, of much that comes at once the newest of each symbol; and what could not be read."""
        fresh: list[Tick] = []
        faults: list[str] = []
        for batch in batches:
            if batch.sender != self._sender:
                self._sender, self._had = batch.sender, batch.first - 1
            try:
                found = decode(batch.ticks)
            except UndecodableMessageError as fault:
                faults.append(str(fault))
                continue
            if not isinstance(found, Ticks) or batch.first <= self._had:
                continue
            self.lost += batch.first - self._had - 1
            self._had = batch.first + len(found.ticks) - 1
            fresh += found.ticks
        self.count += len(fresh)
        if len(fresh) > TICKS_AT_ONCE:
            newest = {tick.symbol: tick for tick in fresh}
            self.lost += len(fresh) - len(newest)
            fresh = list(newest.values())
        return fresh, faults

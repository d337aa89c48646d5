"""Market data that waits to be written: gathered into batches, of which one is being written at a time."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from ..errors import Unstorable, WritesRefused
from .market import MarketStore, Part, Written, part_of

if TYPE_CHECKING:
    from ....messages.database import SaveMarketData
    from ....messages.market import Candle, Tick

Asker = TypeVar("Asker")

ROWS_WAITING_MAX = 100_000
"""Limit of waiting rows, for ticks, candles and saved rows each."""


class Batch(msgspec.Struct, Generic[Asker], frozen=True):
    """The rows of one transaction."""

    ticks: list[Tick]
    candles: list[Candle]
    saves: tuple[tuple[SaveMarketData, Asker], ...]


class Gathering(Generic[Asker]):
    """Rows that wait, and the batch that is being written.

    Args:
        rows_max: a batch of so many rows is written at once.
    """

    def __init__(self, rows_max: int) -> None:
        self.ticks: list[Tick] = []
        self.dropped = 0
        """Ticks and candles for which there was no room."""

        self._rows_max = rows_max
        self._candles: list[Candle] = []
        self._saves: deque[tuple[SaveMarketData, Asker]] = deque()
        self._rows_to_save = 0
        self._on_its_way: Batch[Asker] | None = None
        self._again: Batch[Asker] | None = None

    @property
    def rows(self) -> int:
        """Number of waiting rows of the most frequent kind."""
        return max(len(self.ticks), len(self._candles), self._rows_to_save)

    @property
    def is_due(self) -> bool:
        """Whether the batch should be written now: it is full, a save waits for it, or it failed before."""
        return self._again is not None or bool(self._saves) or self.rows >= self._rows_max

    @property
    def is_idle(self) -> bool:
        """Whether all rows received are durable."""
        return not self.on_its_way and self._again is None and not self.rows and not self._saves

    @property
    def on_its_way(self) -> bool:
        """Whether a batch was taken and has not ended."""
        return self._on_its_way is not None

    @property
    def savers(self) -> list[Asker]:
        """The senders of saves that are not answered yet."""
        batches = (batch for batch in (self._on_its_way, self._again) if batch is not None)
        return [asker for saves in (*(batch.saves for batch in batches), self._saves) for _, asker in saves]

    def add_tick(self, tick: Tick) -> bool:
        """Add it to the waiting rows, if there is room."""
        if len(self.ticks) >= ROWS_WAITING_MAX:
            self.dropped += 1
            return False
        self.ticks.append(tick)
        return True

    def add_ticks(self, ticks: tuple[Tick, ...]) -> bool:
        """Take them in, as far as there is room; return whether there was for all."""
        room = ROWS_WAITING_MAX - len(self.ticks)
        if room >= len(ticks):
            self.ticks += ticks
            return True
        self.ticks += ticks[: max(0, room)]
        self.dropped += len(ticks) - max(0, room)
        return False

    def add_candle(self, candle: Candle) -> bool:
        """Add it to the waiting rows, if there is room."""
        if len(self._candles) >= ROWS_WAITING_MAX:
            self.dropped += 1
            return False
        self._candles.append(candle)
        return True

    def add_save(self, save: SaveMarketData, asker: Asker) -> None:
        """Take it in.

        Raises:
            WritesRefused: too much waits already.
        """
        rows = len(save.ticks) + len(save.candles)
        if self._saves and self._rows_to_save + rows > ROWS_WAITING_MAX:
            raise WritesRefused(f"{self._rows_to_save} rows wait to be saved, and {ROWS_WAITING_MAX} may")
        self._saves.append((save, asker))
        self._rows_to_save += rows

    def take(self) -> Batch[Asker] | None:
        """Return the next batch; None if nothing waits, or one is being written. A failed batch is retried alone."""
        if self.on_its_way:
            return None
        batch, self._again = self._again, None
        if batch is None and (self.rows or self._saves):
            batch = Batch(self.ticks, self._candles, tuple(self._saves))
            self.ticks, self._candles = [], []
            self._saves.clear()
            self._rows_to_save = 0
        self._on_its_way = batch
        return batch

    def ended(self, failed: Batch[Asker] | None = None) -> None:
        """Note that the batch has ended; a failed one will be written again, which writes nothing twice."""
        self._on_its_way = None
        self._again = failed


def write_batch(market: MarketStore, batch: Batch[Asker]) -> list[Written | Unstorable]:
    """Write the batch in one transaction; return the outcome for the market's rows, then for each save.

    Raises:
        DatabaseError: see the store; whether it was written is not certain.
    """
    parts: list[Part | Unstorable] = [part_of(batch.ticks, batch.candles)]
    parts += [_part(save) for save, _ in batch.saves]
    written = iter(market.write_each([part for part in parts if isinstance(part, Part)]))
    return [next(written) if isinstance(part, Part) else part for part in parts]


def _part(save: SaveMarketData) -> Part | Unstorable:
    try:
        return part_of(save.ticks, save.candles, all_or_none=True, from_outside=True, fetches=save.fetches)
    except Unstorable as refusal:
        return refusal

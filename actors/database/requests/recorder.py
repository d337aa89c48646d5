"""Writes ticks and candles that the actor receives into the market file, batch by batch."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import msgspec

from ....messages.addresses import FEED
from ....messages.database import MarketDataSaved, QueryFailed, SaveMarketData
from ....messages.market import Candle, Tick, TicksRecorded
from ..errors import DatabaseError, Unstorable, WritesRefused
from ..writing.gathering import ROWS_WAITING_MAX, Batch, Gathering, write_batch
from ..writing.market import MarketStore, Written

if TYPE_CHECKING:
    from ....config.sections.database import DatabaseSettings
    from ...runtime import ActorAddress, Outcome, RuntimeActor, Timer
    from ..engine.adapter import DuckDBAdapter
    from .files import Files

LANE = "market"
RETRY_S = 1.0


class Recorded(msgspec.Struct):
    """Counts of what was written since the actor started."""

    ticks: int = 0
    candles: int = 0
    duplicates: int = 0
    refused: int = 0
    batches: int = 0
    heard_ticks: int = 0
    heard_candles: int = 0
    """Ticks and candles of the market that are durable: written in this run, or before it."""


class Recorder:
    """Writes a batch when it is full or has waited long enough, one at a time; what failed is written again.

    Args:
        actor: provides threads, timers and messages.
        files: the files to write to, while they are open.
        settings: how large a batch is, and how long it waits.
        in_time: a message to the actor, at which it calls `write`.
    """

    def __init__(self, actor: RuntimeActor, files: Files, settings: DatabaseSettings, *, in_time: object) -> None:
        self.recorded = Recorded()
        self._actor = actor
        self._files = files
        self._settings = settings
        self._in_time = in_time
        self._gathering: Gathering[ActorAddress] = Gathering(settings.batch_rows_max)
        self._market: MarketStore | None = None
        self._timer: Timer | None = None
        self._early_max = min(settings.batch_rows_max, ROWS_WAITING_MAX) - 1
        """Up to so many waiting ticks another one neither fills the batch nor lacks room, which is the usual case."""

        self._is_dropping = False

    @property
    def rows(self) -> int:
        """Rows that wait for a batch."""
        return self._gathering.rows

    @property
    def is_idle(self) -> bool:
        """Whether all rows received are durable."""
        return self._gathering.is_idle

    @property
    def dropped(self) -> int:
        """Ticks and candles that were not recorded."""
        return self.recorded.refused + self._gathering.dropped

    def opened(self, database: DuckDBAdapter) -> None:
        """Continue with opened files."""
        self._market = MarketStore(database)
        self.write()

    def hear_tick(self, tick: Tick) -> None:
        """Add it to the batch."""
        gathering = self._gathering
        if self._timer is not None and len(gathering.ticks) < self._early_max:
            gathering.ticks.append(tick)
        elif not gathering.add_tick(tick):
            self._note_dropped()
        elif self._timer is None or len(gathering.ticks) >= self._settings.batch_rows_max:
            self._gather()

    def hear_ticks(self, ticks: tuple[Tick, ...]) -> None:
        """Add them to the batch."""
        gathering = self._gathering
        if not gathering.add_ticks(ticks):
            self._note_dropped()
        if self._timer is None or len(gathering.ticks) >= self._settings.batch_rows_max:
            self._gather()

    def hear_candle(self, candle: Candle) -> None:
        """Add it to the batch."""
        gathering = self._gathering
        if not gathering.add_candle(candle):
            self._note_dropped()
        elif self._timer is None or gathering.rows >= self._settings.batch_rows_max:
            self._gather()

    def save(self, message: SaveMarketData, asker: ActorAddress) -> None:
        """Write these rows with all that wait, as soon as the running batch has ended; then answer.

        Raises:
            WritesRefused: too much waits, or the files are down.
        """
        if self._files.database is None:
            raise WritesRefused(f"the database is down: {self._files.down}")
        self._gathering.add_save(message, asker)
        self._gather()

    def end(self) -> None:
        """Answer all waiting saves: the actor is stopping, and will not hear of the running batch."""
        reason = "the database starts again; this may be kept already: sent again it is there once"
        for asker in self._gathering.savers:
            self._actor.send(asker, QueryFailed(error="DatabaseDown", reason=reason))

    def time_is_up(self) -> None:
        """Write a batch that did not fill up in time."""
        self._timer = None
        self.write()

    def write(self) -> None:
        """Write the waiting rows, if no batch is running."""
        if self._files.database is None or self._market is None:
            return
        batch = self._gathering.take()
        if batch is None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        then = functools.partial(self._written, batch, self._files.life)
        self._actor.offload(write_batch, self._market, batch, then=then, lane=LANE)

    def _gather(self) -> None:
        """Write the batch if it is due, else set a timer for it."""
        gathering = self._gathering
        if gathering.on_its_way or self._files.database is None:
            return
        if gathering.is_due:
            self.write()
        elif gathering.rows and self._timer is None:
            self._timer = self._actor.after(self._settings.batch_wait_s, self._in_time)

    def _written(self, batch: Batch[ActorAddress], life: int, outcome: Outcome) -> None:
        if isinstance(outcome.error, DatabaseError):
            self._gathering.ended(failed=batch)
            if self._files.failed(outcome.error, life):
                self._timer = self._actor.after(RETRY_S, self._in_time)
            return
        heard, *saved = outcome.unwrap()
        self._gathering.ended()
        self.recorded.batches += 1
        self._count(heard)
        heard_ticks = heard.ticks + heard.duplicates
        self.recorded.heard_ticks += heard_ticks
        self.recorded.heard_candles += len(batch.candles) - (heard.refused - (len(batch.ticks) - heard_ticks))
        if heard.refused:
            self._actor.log("market_data.refused", level="warning", count=heard.refused)
        for source, sequence in heard.recorded.items():
            self._actor.send(FEED, TicksRecorded(source=source, sequence=sequence))
        for (_, asker), each in zip(batch.saves, saved, strict=True):
            if isinstance(each, Unstorable):
                self._actor.send(asker, QueryFailed(error="Unstorable", reason=str(each)))
            else:
                self._count(each)
                self._actor.send(asker, MarketDataSaved(rows=each.ticks + each.candles))
        self._gather()

    def _count(self, written: Written) -> None:
        self.recorded.ticks += written.ticks
        self.recorded.candles += written.candles
        self.recorded.duplicates += written.duplicates
        self.recorded.refused += written.refused

    def _note_dropped(self) -> None:
        if not self._is_dropping:
            self._is_dropping = True
            self._actor.log("market_data.dropped", level="warning", waiting=ROWS_WAITING_MAX)

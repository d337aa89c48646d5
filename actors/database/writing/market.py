"""`MarketStore` writes each tick once, and the latest revision of each candle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
import numpy as np

from ..errors import Unstorable
from ..tables.columns import Columns, insert, integers, parsed, texts
from ..tables.ticks import UNSTORABLE, TickWriter, candle_columns, tick_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import duckdb

    from ....messages.history import Fetched
    from ....messages.market import Candle, Tick
    from ..engine.adapter import DuckDBAdapter

OUTSIDE: Final = "saved:"
"""Prefix of the source of every tick that does not come from the feed. Under the feed's own name a caller could save a
sequence far ahead, and all ticks of the feed below it would be dropped as duplicates."""

_REPLACE_CANDLES = "insert or replace into candles by name select * from batch"
_INSERT_FETCHES = "insert into fetches by name select * from batch"
_NOT_JUST_SO = """
anti join (from candles where start_ns >= ? and start_ns <= ?)
using (symbol, interval_ns, start_ns, open, high, low, close, volume, source)
"""

Message = TypeVar("Message")
Batch = TypeVar("Batch")


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """How much of some market data was written, durably."""

    ticks: int = 0
    """Written now."""

    candles: int = 0
    """Written now, each replacing an earlier one; of saved ones only those that differ from what was there."""

    duplicates: int = 0
    """Ticks that were there already, and not written again."""

    refused: int = 0
    """Ticks and candles that no row can hold (see `tick_columns`), left out."""

    recorded: dict[str, int] = {}
    """For each source of the ticks: the highest sequence among them; it and all before it are recorded."""


class Part(msgspec.Struct, frozen=True):
    """Market data of one sender, as columns."""

    ticks: list[tuple[str, Columns]]
    """By source."""

    candles: list[Columns]
    heard: int
    """Ticks and candles that fit into a row; `refused` more did not."""

    refused: int
    from_outside: bool = False
    fetches: tuple[Fetched, ...] = ()


class MarketStore:
    """Writes market data through the adapter's only writer of the market file.

    A tick is known by `(source, sequence)`. The table `recorded` holds the highest sequence of each source and is
    written in the same transaction as the ticks; what is not above it is a duplicate. So a source may be sent again as
    often as one likes, after a crash for one, as long as it is sent in order.
    """

    def __init__(self, database: DuckDBAdapter) -> None:
        self._database = database
        self._writer = TickWriter()
        self._known: tuple[int, dict[str, int]] = (-1, {})
        """The number of the last write of ours, and the highest sequence by source as of then."""

    def write(
        self,
        ticks: Sequence[Tick],
        candles: Sequence[Candle] = (),
        *,
        all_or_none: bool = False,
        from_outside: bool = False,
        fetches: tuple[Fetched, ...] = (),
    ) -> Written:
        """Write the ticks that are not there yet, and the candles, in one transaction; durable when this returns.

        Raises:
            Unstorable: with `all_or_none`, some of them fit into no row; nothing was written.
            DatabaseError: see the adapter; nothing was written.
        """
        part = part_of(ticks, candles, all_or_none=all_or_none, from_outside=from_outside, fetches=fetches)
        (written,) = self.write_each([part])
        return written

    def write_each(self, parts: Sequence[Part]) -> list[Written]:
        """Write the parts of several senders in one transaction, all or none.

        Raises:
            DatabaseError: see the adapter. After `DatabaseInvalidated` it is unknown whether it was written: write it
                again, duplicates are dropped.
        """
        tables = frozenset(
            (("ticks", "books", "recorded") if any(part.ticks for part in parts) else ())
            + (("candles", "origin") if any(part.candles for part in parts) else ())
            + (("fetches",) if any(part.fetches for part in parts) else ())
        )
        steps = 0

        def work(cursor: duckdb.DuckDBPyConnection) -> tuple[list[Written], tuple[int, dict[str, int]]]:
            nonlocal steps
            # The state after the last commit is known without a query (1 of 12 ms in a batch of 1,000), if no other
            # caller wrote since, and nothing failed.
            writes = self._database.writes("market")
            known_at, known = self._known
            recorded = dict(known) if writes == known_at + 1 else {}
            if not recorded:
                self._writer.forget()
            steps = 0
            written = []
            for part in parts:
                candles = 0
                for columns in part.candles:
                    candles += _write_candles(cursor, columns, is_compared=part.from_outside)
                    cursor.execute("update origin set candle_batches = candle_batches + 1")
                    steps += 1
                if part.fetches:
                    insert(cursor, _INSERT_FETCHES, _fetch_columns(part.fetches))
                told: dict[str, int] = {}
                rows = 0
                for source, columns in part.ticks:
                    before = recorded.get(source)
                    count, last, first = self._write(cursor, source, columns, before)
                    recorded[source] = last
                    rows += count
                    steps += last - first
                    # No further than this batch: a source that is replayed must not be told of sequences to come.
                    told[source] = min(last, int(columns["sequence"].max()))
                ticks = sum(len(columns["sequence"]) for _, columns in part.ticks)
                written.append(
                    Written(ticks=rows, candles=candles, duplicates=ticks - rows, refused=part.refused, recorded=told)
                )
            return written, (writes, recorded)

        label = f"write {sum(part.heard for part in parts)} ticks and candles"
        written, self._known = self._database.write("market", work, label=label, tables=tables)
        self._database.witness.advance(steps)
        return written

    def recorded(self, source: str) -> int:
        """Return the sequence up to which a source is recorded; 0 for an unknown one."""
        return self._database.read(lambda cursor: _recorded(cursor, source)) or 0

    def _write(
        self, cursor: duckdb.DuckDBPyConnection, source: str, columns: Columns, before: int | None
    ) -> tuple[int, int, int]:
        """Write what is new of one source; return how many rows that is, up to where it is recorded then, and was."""
        if before is None:
            before = _recorded(cursor, source)
            if before is None:
                before = 0
                cursor.execute("insert into recorded values (?, 0)", [source])
        fresh = _fresh(columns, before)
        count = len(fresh["sequence"])
        if count == 0:
            return 0, before, before
        self._writer.write(cursor, source, fresh)
        last = int(fresh["sequence"][-1])
        cursor.execute(parsed(cursor, "update recorded set sequence = ? where source = ?"), [last, source])
        return count, last, before


def outside(source: str) -> str:
    """Return the stored name of a source that is not the feed."""
    return source if source.startswith(OUTSIDE) else OUTSIDE + source


def part_of(
    ticks: Sequence[Tick],
    candles: Sequence[Candle],
    *,
    all_or_none: bool = False,
    from_outside: bool = False,
    fetches: tuple[Fetched, ...] = (),
) -> Part:
    """Build the columns; ticks from outside keep their sequence, and have a source of their own.

    Raises:
        Unstorable: with `all_or_none`, some of them fit into no row.
    """
    tick_batches, ticks_refused = _all_that_fit(_tick_batches, ticks)
    candle_batches, candles_refused = _all_that_fit(_candle_batches, candles)
    if from_outside:
        tick_batches = [(outside(source), columns) for source, columns in tick_batches]
    refused = ticks_refused + candles_refused
    heard = len(ticks) + len(candles)
    if all_or_none and refused:
        raise Unstorable(f"{refused} of {heard} fit into no row")
    return Part(tick_batches, candle_batches, heard - refused, refused, from_outside, fetches)


def _all_that_fit(
    batches_of: Callable[[Sequence[Message]], list[Batch]], messages: Sequence[Message]
) -> tuple[list[Batch], int]:
    """Build batches, leaving out messages that cannot be stored; return these batches and how many were left out."""
    try:
        return batches_of(messages), 0
    except UNSTORABLE:
        storable = [message for message in messages if _fits(batches_of, message)]
        return batches_of(storable), len(messages) - len(storable)


def _fits(batches_of: Callable[[Sequence[Message]], list[Batch]], message: Message) -> bool:
    try:
        batches_of([message])
    except UNSTORABLE:
        return False
    return True


def _tick_batches(ticks: Sequence[Tick]) -> list[tuple[str, Columns]]:
    """Build the columns of each source's ticks."""
    sources = {tick.source for tick in ticks}
    for source in sources:
        source.encode()
    if len(sources) == 1:
        return [(sources.pop(), tick_columns(ticks))]
    return [(source, tick_columns([tick for tick in ticks if tick.source == source])) for source in sorted(sources)]


def _candle_batches(candles: Sequence[Candle]) -> list[Columns]:
    """Build the columns of the candles; of one symbol, interval and start the last counts."""
    latest = {(candle.symbol, candle.interval_ns, candle.start_ns): candle for candle in candles}
    return [candle_columns(tuple(latest.values()))] if latest else []


def _fetch_columns(fetches: Sequence[Fetched]) -> Columns:
    """Build the columns of the table `fetches`."""
    return {
        "symbol": texts([each.symbol for each in fetches]),
        "interval_ns": integers([each.interval_ns for each in fetches]),
        "start_ns": integers([each.start_ns for each in fetches]),
        "end_ns": integers([each.end_ns for each in fetches]),
        "asked_ns": integers([each.asked_ns for each in fetches]),
        "requests": integers([each.requests for each in fetches]),
        "candles": integers([each.candles for each in fetches]),
    }


def _write_candles(cursor: duckdb.DuckDBPyConnection, columns: Columns, *, is_compared: bool) -> int:
    """Write candles over earlier ones; return how many; with `is_compared` unchanged ones are left out."""
    if not is_compared:
        return insert(cursor, _REPLACE_CANDLES, columns)
    starts = columns["start_ns"]
    return insert(cursor, f"{_REPLACE_CANDLES} {_NOT_JUST_SO}", columns, int(starts.min()), int(starts.max()))


def _recorded(cursor: duckdb.DuckDBPyConnection, source: str) -> int | None:
    rows = cursor.execute("select sequence from market.recorded where source = ?", [source]).fetchall()
    return int(rows[0][0]) if rows else None


def _fresh(columns: Columns, recorded: int) -> Columns:
    """Keep the rows whose sequence is above all before them; the usual batch comes back as it is."""
    sequence = columns["sequence"]
    if sequence[0] > recorded and (sequence[1:] > sequence[:-1]).all():
        return columns
    highest_before = np.maximum.accumulate(np.concatenate(([recorded], sequence[:-1])))
    fresh = sequence > highest_before
    return {name: values[fresh] for name, values in columns.items()}

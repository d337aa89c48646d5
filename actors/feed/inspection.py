"""How a recording is read, shown before anything of it is stored or traded on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ...domain.calendar import MINUTE_NS
from ...domain.market_messages import begin_of, time_of
from ...domain.time import SECOND_NS, duration_text, time_text
from ...domain.venues import session_of_symbol
from ...messages.market import Candle
from .files.arranged import read_together
from .times import is_day

if TYPE_CHECKING:
    from ...domain.calendar import Session
    from ...messages.market import MarketMessage
    from .recording import Recording
    from .survey import Survey

SYMBOLS_SHOWN_MAX = 20


TIMES_OF_ENDS: Final = (
    "no candle begins with an opening, and {count} with a close, or a second before a whole minute: if times are of "
    "the ends of candles, each is told a candle's length too late"
)
UNNAMED: Final = "?"
"""Symbol to make a recording with when it is only looked at: where no row names one, there is none."""


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """What a file is, as a replay or an import of it would read it."""

    file: str
    kind: str
    """CSV, JSON or Parquet."""

    packing: str
    encoding: str
    divider: str
    layout: str
    """Whose file it is; empty: none of the known ones, read by the names of its columns."""

    shape: str
    """ticks or candles."""

    columns: dict[str, str]
    """What is read, and the column it is read from."""

    unread: tuple[str, ...]
    """Columns that are not read."""

    dates: str
    """day-first or month-first; empty: the dates say it themselves."""

    zone: str
    """Of times that name none; empty: each names its own."""

    decimal: str
    """What stands before decimals; empty: no number tells it, and a comma may."""

    order: str
    """of time, newest first, or of time for each symbol alone (the latter two are sorted)."""

    intervals: tuple[str, ...]
    """Lengths of its candles."""

    rows: int
    """Ticks or candles."""

    outside: int
    """Of them, those that begin when the exchange is closed; days and longer are not counted."""

    symbols: int
    some_symbols: tuple[str, ...]
    first: str
    last: str
    bad_rows: int
    bad_lines: tuple[tuple[int, str], ...]
    notes: tuple[str, ...]
    """What was guessed, sorted or left out."""


def inspect(recording: Recording) -> Inspection:
    """Read a whole recording, made with `replayed=False`, and tell how it is understood.

    Raises:
        RecordingError: it cannot be read, or is ambiguous; the reason says which option tells.
    """
    rows = outside = at_opening = at_end = 0
    symbols: dict[str, None] = {}
    intervals: dict[int, None] = {}
    first: MarketMessage | None = None
    last: MarketMessage | None = None
    for chunk in recording.chunks():
        for message in chunk:
            rows += 1
            symbols[message.symbol] = None
            begins_ns = begin_of(message)
            session = session_of_symbol(message.symbol, begins_ns, recording.exchange or "NSE")
            if isinstance(message, Candle):
                intervals[message.interval_ns] = None
                if session is not None:
                    at_opening += begins_ns == session.open_ns
                    at_end += begins_ns == session.close_ns or (begins_ns + SECOND_NS) % MINUTE_NS == 0
            outside += not (is_day(begins_ns) or (session is not None and _trades(session, begins_ns)))
            first = first or message
        last = chunk[-1]
    understood = recording.understood
    assert understood is not None, "it was read"
    header, written, columns, survey = understood
    clock = read_together(header)
    names = [written.renamed.get(name, name).strip() for name in header]
    is_unnamed = tuple(symbols) == (UNNAMED,)
    return Inspection(
        file=str(recording.path),
        kind=written.kind,
        packing=written.packing,
        encoding=written.encoding,
        divider=written.divider,
        layout=written.layout,
        shape=columns.shape,
        columns={
            field: f"{names[place]} and {clock}" if clock and field == "time" else names[place]
            for field, place in columns.positions.items()
        },
        unread=tuple(
            names[place]
            for place, name in enumerate(header)
            if place not in columns.positions.values() and name != f"({clock})"
        ),
        dates=columns.dates or "",
        zone="" if recording.zones_are_told else recording.zone,
        decimal=columns.decimal or "",
        order=_order_of(survey),
        intervals=tuple(map(duration_text, sorted(intervals))),
        rows=rows,
        outside=outside,
        symbols=0 if is_unnamed else len(symbols),
        some_symbols=() if is_unnamed else tuple(symbols)[:SYMBOLS_SHOWN_MAX],
        first=_shown(first),
        last=_shown(last),
        bad_rows=recording.bad_rows,
        bad_lines=tuple(recording.bad_lines),
        notes=(
            *recording.notes,
            *([TIMES_OF_ENDS.format(count=at_end)] if at_end and not at_opening else []),
            *(["no row names a symbol: --symbol says it"] if is_unnamed else []),
        ),
    )


def _order_of(survey: Survey) -> str:
    if survey.is_newest_first:
        return "newest first"
    return "of time" if survey.is_in_order else "of time for each symbol alone"


def _trades(session: Session, time_ns: int) -> bool:
    """Tell whether a session has a price at a time: of continuous trading, or of its closing auction."""
    closing = session.closing
    return session.has(time_ns) or (closing is not None and closing.starts_ns <= time_ns < closing.ends_ns)


def _shown(message: MarketMessage | None) -> str:
    if message is None:
        return ""
    if isinstance(message, Candle):
        prices = f"open {message.open}, high {message.high}, low {message.low}, close {message.close}"
        return f"{time_text(message.start_ns)}  {message.symbol}  {prices}, volume {message.volume}"
    return f"{time_text(time_of(message))}  {message.symbol}  {message.price}"

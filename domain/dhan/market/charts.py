"""Candles of days and minutes, and of options that have expired; the rules of their ranges of time.

A chart is an object of arrays of equal length, one value a candle, all of them floats on the wire. Its times are
seconds since 1970 UTC: 00:00 in India of a day, and the *beginning* of an intraday candle. Prices and volumes are
adjusted backwards for splits, so that a chart of yesterday is not the same tomorrow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import chain, pairwise
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ..words import InstrumentType, Number, OptionType, PriceRupees, SecurityId, Segment, Units

INTRADAY_DAYS_MAX: Final = 90
"""Days of one request for intraday candles."""

EXPIRED_DAYS_MAX: Final = 30
"""Days of one request for candles of expired options; one document says 45."""

Interval: TypeAlias = Literal["1", "5", "15", "25", "30", "60"]
"""Minutes; one document has 25, another 30."""

DayText: TypeAlias = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d\Z")]
MomentText: TypeAlias = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?\Z")]
Epoch: TypeAlias = Annotated[int, Meta(ge=0, le=1 << 40)]
"""Seconds since 1970 UTC."""


class DailyChartRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`POST /charts/historical`: days from `from_date` until before `to_date`."""

    security_id: SecurityId
    exchange_segment: Segment
    instrument: InstrumentType
    from_date: DayText
    to_date: DayText
    expiry_code: Annotated[int, Meta(ge=0, le=3)] = 0
    oi: bool = False


class IntradayChartRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`POST /charts/intraday`: a day as `to_date` is included, a time is not always kept to."""

    security_id: SecurityId
    exchange_segment: Segment
    instrument: InstrumentType
    interval: Interval
    from_date: MomentText
    to_date: MomentText
    oi: bool = False
    expiry_code: Annotated[int, Meta(ge=0, le=3)] | UnsetType = UNSET
    """Written of derivatives: without it they were without data."""


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Candles in the order of time, an array for each of their parts."""

    timestamp: tuple[Epoch, ...] = ()
    open: tuple[PriceRupees, ...] = ()
    high: tuple[PriceRupees, ...] = ()
    low: tuple[PriceRupees, ...] = ()
    close: tuple[PriceRupees, ...] = ()
    volume: tuple[Units, ...] = ()


class Chart(Columns, frozen=True, kw_only=True):
    """Candles of days or minutes; `open_interest` is empty where it was not asked for."""

    open_interest: tuple[Number, ...] = ()

    COLUMNS: ClassVar[tuple[str, ...]] = ("timestamp", "open", "high", "low", "close", "volume")

    def fault(self) -> str:
        """Say why the arrays are not candles; empty if they are."""
        lengths = {name: len(getattr(self, name)) for name in self.COLUMNS}
        if len(set(lengths.values())) > 1:
            return f"arrays of one length wanted, found {lengths}"
        if self.open_interest and len(self.open_interest) != len(self.timestamp):
            return f"as much open interest as candles ({len(self.timestamp)}) wanted, found {len(self.open_interest)}"
        if any(later <= earlier for earlier, later in zip(self.timestamp, self.timestamp[1:], strict=False)):
            return "candles in the order of time, each once, wanted"
        return ""


class ExpiredChartRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`POST /charts/rollingoption`: of the *underlying*; the end is not included."""

    exchange_segment: Literal["NSE_FNO", "BSE_FNO"]
    interval: Interval
    security_id: Annotated[int, Meta(ge=0, le=(1 << 31) - 1)]
    instrument: Literal["OPTIDX", "OPTSTK"]
    expiry_flag: Literal["WEEK", "MONTH"]
    expiry_code: Annotated[int, Meta(ge=1, le=3)]
    """1 is the nearest; 0 is refused as missing."""

    strike: Annotated[str, Meta(pattern=r"^ATM([+-](10|[1-9]))?\Z")]
    drv_option_type: OptionType
    required_data: Annotated[
        tuple[Literal["open", "high", "low", "close", "iv", "volume", "strike", "oi", "spot"], ...],
        Meta(min_length=1, max_length=9),
    ]
    from_date: DayText
    to_date: DayText


class ExpiredSide(Columns, frozen=True, kw_only=True):
    """Candles of calls or puts; what was not asked for is empty."""

    iv: tuple[Number, ...] = ()
    oi: tuple[Number, ...] = ()
    strike: tuple[PriceRupees, ...] = ()
    spot: tuple[PriceRupees, ...] = ()

    COLUMNS: ClassVar[tuple[str, ...]] = (
        *("open", "high", "low", "close", "volume"),
        *("iv", "oi", "strike", "spot"),
    )

    def fault(self) -> str:
        """Say why the arrays are not candles; empty if they are."""
        lengths = {name: len(getattr(self, name)) for name in self.COLUMNS if getattr(self, name)}
        if any(length != len(self.timestamp) for length in lengths.values()):
            return f"arrays of as many as the times ({len(self.timestamp)}) wanted, found {lengths}"
        return ""


class ExpiredSides(msgspec.Struct, frozen=True, kw_only=True):
    """The side that was asked for; the other is None."""

    ce: ExpiredSide | None = None
    pe: ExpiredSide | None = None


class ExpiredChart(msgspec.Struct, frozen=True, kw_only=True):
    """Of calls (`ce`) or puts (`pe`)."""

    data: ExpiredSides


def chunks(since: date, until: date, days: int) -> Iterator[tuple[date, date]]:
    """Cut days from `since` until before `until` into ranges of at most so many, in the order of time."""
    while since < until:
        end = min(since + timedelta(days=days), until)
        yield since, end
        since = end


def joined(charts: Iterable[Chart]) -> Chart:
    """Put charts of ranges that follow each other together, each candle once: where they overlap the later one counts.

    Open interest is kept if every chart with candles has it.
    """
    found = [each for each in charts if each.timestamp]
    columns = [*Chart.COLUMNS, *(["open_interest"] if all(each.open_interest for each in found) else [])]
    return Chart(**_joined(found, columns))


def joined_expired(charts: Iterable[ExpiredChart]) -> ExpiredChart:
    """Do the same for expired options; what is empty in one chart with candles is so in the whole."""
    data = [each.data for each in charts]
    return ExpiredChart(
        data=ExpiredSides(ce=_joined_side(each.ce for each in data), pe=_joined_side(each.pe for each in data))
    )


def _joined_side(sides: Iterable[ExpiredSide | None]) -> ExpiredSide | None:
    known = [each for each in sides if each is not None]
    found = [each for each in known if each.timestamp]
    columns = [name for name in ExpiredSide.COLUMNS if all(getattr(each, name) for each in found)]
    return ExpiredSide(**_joined(found, ["timestamp", *columns])) if known else None


def _joined(parts: Sequence[Columns], names: Sequence[str]) -> dict[str, Any]:
    """Join columns; those whose times follow each other, as they nearly always do, are put one behind the other."""
    if all(later.timestamp[0] > earlier.timestamp[-1] for earlier, later in pairwise(parts)):
        return {name: tuple(chain.from_iterable(getattr(each, name) for each in parts)) for name in names}
    rows: dict[int, tuple[Any, ...]] = {}
    for each in parts:
        columns = [getattr(each, name) for name in names]
        rows.update(zip(each.timestamp, zip(*columns, strict=True), strict=True))
    ordered = [rows[time] for time in sorted(rows)]
    return dict(zip(names, zip(*ordered, strict=True), strict=True))


def day_text(day: date | datetime) -> str:
    """Write a day, or a time on the exchanges' clock, as chart requests have it."""
    return f"{day:%Y-%m-%d %H:%M:%S}" if isinstance(day, datetime) else f"{day:%Y-%m-%d}"

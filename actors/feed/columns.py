"""Which column of a recording is what: by name, in any order, whatever the vendor calls it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import tzinfo
from operator import itemgetter
from typing import Final, Literal, TypeAlias, TypeVar

import msgspec

from ...domain.time import IST
from .numbers import DecimalMark, doubting_commas, with_decimal_comma
from .times import DateOrder, TimeReader

Value = TypeVar("Value")
Row: TypeAlias = list[str]
Side: TypeAlias = Literal["bid", "ask"]
Shape: TypeAlias = Literal["ticks", "candles"]

_TIMES: Final = (
    ("exchange_timestamp", "exchange_time", "exchange_datetime", "exchange_ns"),
    ("time", "timestamp", "datetime", "date_time", "date", "start_ns", "date1", "traddt"),
    ("trade_date", "trading_date"),
    ("last_trade_time", "last_traded_time", "ltt"),
)
"""In order of preference: when the packet left the exchange, another time, a day that is told apart from others such
as that of an expiry, the last trade's (perhaps hours old)."""

_ALIASES = {
    "symbol": (
        "tradingsymbol",
        "trading_symbol",
        "instrument",
        "ticker",
        "tckrsymb",
        "stock_code",
        "scrip_name",
        "index_name",
    ),
    "last": ("ltp", "last_price", "last_traded_price", "price", "lastpric"),
    "quantity": ("ltq", "last_quantity", "last_traded_quantity", "last_traded_qty", "qty"),
    "volume": (
        *("v", "vol", "volume_traded", "traded_volume", "total_traded_quantity", "total_traded_volume"),
        *("tottrdqty", "ttl_trd_qnty", "ttltradgvol", "shares_traded", "no_of_shares"),
    ),
    "open": ("o", "open_price", "day_open", "ohlc_open", "opnpric"),
    "high": ("h", "high_price", "day_high", "ohlc_high", "hghpric"),
    "low": ("l", "low_price", "day_low", "ohlc_low", "lwpric"),
    "close": ("c", "close_price", "day_close", "ohlc_close", "clspric"),
    "average": ("atp", "average_price", "avg_price", "average_traded_price", "vwap"),
    "open_interest": ("oi",),
    "total_buy": ("total_buy_qty", "total_buy_quantity"),
    "total_sell": ("total_sell_qty", "total_sell_quantity"),
    "interval_ns": (),
    "deep_book": (),
    "series": ("sctysrs",),
}
_CHANGES: Final = {"tickvol", "tick_volume"}
"""Of MetaTrader: how often the price has changed; the volume of what has no other one, as of currencies."""

_FIELDS = {alias: field for field, aliases in _ALIASES.items() for alias in (field, *aliases)}
_FIELDS |= {name: "time" for names in _TIMES for name in names}
_RANKS = {name: rank for rank, names in enumerate(_TIMES) for name in names}
_LEVEL = re.compile(r"(bid|buy|ask|sell|offer)_?(price|qty|quantity|orders)_?(\d{0,3})", re.ASCII)
_SIDES = {"bid": "bid", "buy": "bid", "ask": "ask", "sell": "ask", "offer": "ask"}
_CANDLE_FIELDS = ("open", "high", "low", "close")
_AMOUNTS: Final = frozenset({*_CANDLE_FIELDS, "last", "average"})
_OF_TICKS_ALONE = ("quantity", "total_buy", "total_sell", "bid_price_1", "ask_price_1")
_NAMES_SHOWN_MAX = 50


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Where the fields of a recording stand.

    A field that the recording does not have stands at `width`: readers get each row with one empty text appended, so
    that no missing field needs a condition.
    """

    shape: Shape
    width: int
    """Columns of the file."""

    positions: dict[str, int]

    in_nanoseconds: bool = False
    """Whether the name of the time column says that it counts nanoseconds."""

    dates: DateOrder | None = None
    """Whether day or month comes first where both are numbers; None: that is not known."""

    zone: tzinfo = IST
    """Of times that name none."""

    decimal: DecimalMark | None = "point"
    """What stands before the decimals of its amounts; None: that is not known, and a comma may."""

    notes: tuple[str, ...] = ()
    """Notes for the user on how ambiguous columns were understood."""

    def rupees(self, read: Callable[[str], float]) -> Callable[[str], float]:
        """Make a reader of amounts read them as this file writes them, and refuse what may be another amount in it."""
        return doubting_commas(read) if self.decimal is None else self.numbers(read)

    def numbers(self, read: Callable[[str], Value]) -> Callable[[str], Value]:
        """Make a reader of numbers read them as this file writes them."""
        return with_decimal_comma(read) if self.decimal == "comma" else read

    @property
    def amounts(self) -> tuple[int, ...]:
        """Where amounts of rupees stand."""
        return tuple(place for field, place in self.positions.items() if field in _AMOUNTS or "_price_" in field)

    def times(self) -> TimeReader:
        """Make a reader of the time column."""
        return TimeReader(in_nanoseconds=self.in_nanoseconds, dates=self.dates, zone=self.zone)

    def __contains__(self, field: str) -> bool:
        return field in self.positions

    def at(self, field: str) -> int:
        """Return the index of a field; `width` if there is no such column."""
        return self.positions.get(field, self.width)

    def levels(self, side: Side) -> int:
        """Count the levels of depth on a side that have both price and quantity, from the best without a gap."""
        level = 0
        while f"{side}_price_{level + 1}" in self and f"{side}_qty_{level + 1}" in self:
            level += 1
        return level

    def pick(self, *fields: str) -> Callable[[Row], tuple[str, ...]]:
        """Return a function that takes these fields, two or more, out of a row."""
        return itemgetter(*[self.at(field) for field in fields])


def recognise(header: Row, is_of_days: Callable[[int], bool] = lambda _place: False) -> Columns:
    """Find the kind of a recording and the columns of its fields; other columns are ignored.

    A last price makes it ticks, else open, high, low and close make it candles. Where it has both, the others are those
    of the day in a file of ticks; but exchanges' own files of days have a last price, too. So one whose times are days,
    and that has nothing that only ticks have, is candles.

    Args:
        header: the names.
        is_of_days: tells of a column whether its first time is a day rather than a time of one.

    Raises:
        ValueError: it is neither, or two columns say the same.
    """
    names = [plain_name(name) for name in header]
    positions: dict[str, int] = {}
    for place, name in enumerate(names):
        field = _field(name)
        if field in positions:
            rank, taken = _RANKS.get(name, 0), _RANKS.get(names[positions[field]], 0)
            if rank == taken:
                raise ValueError(
                    f"one column for {field} is wanted, found {header[positions[field]]!r} and {header[place]!r}"
                )
            if rank > taken:
                continue
        if field:
            positions[field] = place
    has_candles = all(field in positions for field in _CANDLE_FIELDS)
    shape: Shape = "ticks" if "last" in positions else "candles"
    notes: tuple[str, ...] = ()
    if shape == "ticks" and has_candles and not any(field in positions for field in _OF_TICKS_ALONE):
        if "time" in positions and is_of_days(positions["time"]):
            shape = "candles"
        else:
            notes = ("taken for ticks, since it has a last price: its open, high, low and close count as the day's",)
    if shape == "candles" and "volume" not in positions:
        notes = (_without_volume(header, names, positions),)
    wanted = ("time",) if shape == "ticks" else ("time", *_CANDLE_FIELDS)
    missing = [field for field in wanted if field not in positions]
    if missing:
        raise ValueError(
            "columns time and ltp (ticks), or time, open, high, low and close (candles) are wanted, "
            f"found no {', '.join(missing)} in {_shown(header)}"
        )
    return Columns(
        shape=shape,
        width=len(header),
        positions=positions,
        in_nanoseconds=names[positions["time"]].endswith("_ns"),
        notes=notes,
    )


def _without_volume(header: Row, names: list[str], positions: dict[str, int]) -> str:
    """Take how often the price has changed for the volume, where the file has that; return the note that says so."""
    changes = next((place for place, name in enumerate(names) if name in _CHANGES), None)
    if changes is None:
        return f"no column is known for volume in {_shown(header)}: it counts as 0"
    positions["volume"] = changes
    return f"{header[changes]!r} is taken for volume: it counts changes of the price, not shares"


def _shown(header: Row) -> str:
    return repr(", ".join(header[:_NAMES_SHOWN_MAX]))


def plain_name(name: str) -> str:
    """Return the name of a column without what vendors write differently: case, spaces, punctuation, brackets."""
    return re.sub(r"[\s\-./]+", "_", name.strip(" \t\r\n\ufeff<>").lower())


def _field(plain: str) -> str:
    level = _LEVEL.fullmatch(plain)
    if level is None:
        return _FIELDS.get(plain, "")
    side, what, number = level.groups()
    return f"{_SIDES[side]}_{'qty' if what == 'quantity' else what}_{int(number or 1)}"

"""Which column of a recording is what: by name, in any order, whatever the vendor calls it."""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import itemgetter
from typing import Literal, TypeAlias

import msgspec

Row: TypeAlias = list[str]
Side: TypeAlias = Literal["bid", "ask"]
Shape: TypeAlias = Literal["ticks", "candles"]

_ALIASES = {
    "symbol": ("tradingsymbol", "trading_symbol", "instrument", "ticker"),
    "time": (
        "timestamp",
        "datetime",
        "date_time",
        "date",
        "exchange_time",
        "last_trade_time",
        "exchange_ns",
        "start_ns",
    ),
    "last": ("ltp", "last_price", "last_traded_price", "price"),
    "quantity": ("ltq", "last_quantity", "last_traded_quantity", "last_traded_qty", "qty"),
    "volume": ("vol", "volume_traded", "traded_volume"),
    "open": ("o", "open_price", "day_open"),
    "high": ("h", "high_price", "day_high"),
    "low": ("l", "low_price", "day_low"),
    "close": ("c", "close_price", "day_close"),
    "average": ("atp", "average_price", "avg_price", "average_traded_price", "vwap"),
    "open_interest": ("oi",),
    "total_buy": ("total_buy_qty", "total_buy_quantity"),
    "total_sell": ("total_sell_qty", "total_sell_quantity"),
    "interval_ns": (),
}
_FIELDS = {alias: field for field, aliases in _ALIASES.items() for alias in (field, *aliases)}
_LEVEL = re.compile(r"(bid|buy|ask|sell|offer)_?(price|qty|quantity|orders)_?(\d{0,3})", re.ASCII)
_SIDES = {"bid": "bid", "buy": "bid", "ask": "ask", "sell": "ask", "offer": "ask"}
_CANDLE_FIELDS = ("open", "high", "low", "close")


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Where the fields of a recording stand.

    A field that the recording does not have stands at `width`: whoever reads a row appends one empty text to it first,
    so that no reader asks twice what there is.
    """

    shape: Shape
    width: int
    """Columns of the file."""

    positions: dict[str, int]

    def __contains__(self, field: str) -> bool:
        return field in self.positions

    def at(self, field: str) -> int:
        """Tell where a field stands."""
        return self.positions.get(field, self.width)

    def levels(self, side: Side) -> int:
        """Count the levels of depth on a side that have both price and quantity, from the best without a gap."""
        level = 0
        while f"{side}_price_{level + 1}" in self and f"{side}_qty_{level + 1}" in self:
            level += 1
        return level

    def pick(self, *fields: str) -> Callable[[Row], tuple[str, ...]]:
        """Make the function that takes these fields, two or more, out of a row."""
        return itemgetter(*[self.at(field) for field in fields])


def recognise(header: Row) -> Columns:
    """Tell from the names what kind of recording it is and where its fields stand; other columns are left alone.

    A last price makes it ticks (its open, high, low and close are then those of the day), else open, high, low and
    close make it candles.

    Raises:
        ValueError: it is neither, or two columns say the same.
    """
    positions: dict[str, int] = {}
    for place, name in enumerate(header):
        field = _field(name)
        if field in positions:
            raise ValueError(f"one column for {field} is wanted, found {header[positions[field]]!r} and {name!r}")
        if field:
            positions[field] = place
    shape: Shape = "ticks" if "last" in positions else "candles"
    wanted = ("time",) if shape == "ticks" else ("time", *_CANDLE_FIELDS)
    missing = [field for field in wanted if field not in positions]
    if missing:
        raise ValueError(
            "columns time and ltp (ticks), or time, open, high, low and close (candles) are wanted, "
            f"found no {', '.join(missing)} in {', '.join(header[:50])!r}"
        )
    return Columns(shape=shape, width=len(header), positions=positions)


def _field(name: str) -> str:
    plain = re.sub(r"[\s\-.]+", "_", name.strip().lower())
    level = _LEVEL.fullmatch(plain)
    if level is None:
        return _FIELDS.get(plain, "")
    side, what, number = level.groups()
    return f"{_SIDES[side]}_{'qty' if what == 'quantity' else what}_{int(number or 1)}"

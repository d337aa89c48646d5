"""Whose file it is: a table of known layouts, an entry each, where column names alone do not say enough.

A file of no known layout is read by its column names (`columns.py`), which serves Kite, TradingView and most others.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Final, TypeAlias

import msgspec

from ....domain.instruments import series_suffix
from ..columns import Row, plain_name
from ..numbers import whole
from ..times import DateOrder

_DAY_OF_OLD: Final = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{4})", re.ASCII)

_GROUPED: Final = re.compile(r"[0-9]{1,3}(,[0-9]{2,3})+\.[0-9]+", re.ASCII)
"""A number whose commas divide its thousands, which its point tells."""

Rule: TypeAlias = Callable[..., str]
"""Of the texts of some columns, it makes the text of one."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A column whose text is made of others."""

    of: tuple[str, ...]
    """Names of the columns that it is made of; the first is replaced. Those that a file does not have are empty."""

    by: Rule


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Files of one kind."""

    name: str
    marks: tuple[str, ...]
    """Columns that this kind has, all of them, and no other kind has together."""

    renamed: dict[str, str] = {}
    """What its columns are, by name; empty: nothing that is read."""

    made: tuple[Made, ...] = ()
    dates: DateOrder | None = None
    """Which of day and month comes first in its dates; None: they say it themselves."""

    notes: tuple[str, ...] = ()
    """For the user."""


def _of_udiff(symbol: str, series: str, source: str, *contract: str) -> str:
    """Name what a row of a new bhavcopy is of: a share with its series, but groups at BSE are no series; a contract."""
    at_bse = source.strip() == "BSE"
    expiry, strike, option = contract
    if expiry.strip():
        name = _contract(symbol, expiry, strike, option)
    else:
        name = symbol.strip() + ("" if at_bse else series_suffix(series.strip()))
    return f"BSE:{name}" if at_bse else name


def _contract(symbol: str, expiry: str, strike: str, option: str) -> str:
    """Name a contract as the list of instruments does: underlying, last day, strike and option type."""
    kind = _KINDS.get(option.strip().upper())
    if kind is None:
        raise ValueError(f"an option type such as CE, or none of a future, is wanted, found {option!r}")
    day = _day(expiry.strip())
    if kind == _FUTURE:
        return f"{symbol.strip()}-{day}-{kind}"
    return f"{symbol.strip()}-{day}-{_strike(strike)}-{kind}"


def _units(volume: str, lot: str, expiry: str) -> str:
    """Count units: of a contract the exchange counts lots, and tells in another column how many units one has."""
    if not expiry.strip() or not volume.strip():
        return volume
    units = whole(lot)
    if not units:
        raise ValueError(f"a lot of at least 1 unit is wanted, found {lot!r}")
    return str(whole(volume) * units)


def _spelt_out(volume: str) -> str:
    """Write `12.5M` in digits, and `-`, which stands for none, as nothing."""
    plain = volume.strip()
    power = _POWERS.get(plain[-1:].upper())
    if power is None:
        return "" if plain == "-" else volume
    try:
        return f"{Decimal(plain[:-1].replace(',', '')).scaleb(power):f}"
    except ArithmeticError as fault:
        raise ValueError(f"a volume such as 12.5M is wanted, found {volume!r}") from fault


def _of_parts(symbol: str, expiry: str, strike: str, option: str) -> str:
    """Name what a row of any vendor's is of: a contract, or a share where no last day is told."""
    return _contract(symbol, expiry, strike, option) if expiry.strip(" -") else symbol.strip()


def _strike(text: str) -> str:
    plain = text.replace(",", "") if _GROUPED.fullmatch(text.strip()) else text
    return f"{float(plain):.4f}".rstrip("0").rstrip(".")


def _day(text: str) -> str:
    """Write a date, `2026-09-29` or `29-SEP-2026`, as symbols have it: `29Sep2026`."""
    if text[4:5] == "-":
        return f"{date.fromisoformat(text):%d%b%Y}"
    match = _DAY_OF_OLD.fullmatch(text)
    if match is None:
        raise ValueError(f"a day such as 29-SEP-2026 is wanted, found {text!r}")
    day, month, year = match.groups()
    return f"{int(day):02}{month.title()}{year}"


_FUTURE: Final = "FUT"
_KINDS: Final = {
    **dict.fromkeys(("CE", "CA", "CALL", "C"), "CE"),
    **dict.fromkeys(("PE", "PA", "PUT", "P"), "PE"),
    **dict.fromkeys(("", "-", "XX", "NA", "FF", "FUT"), _FUTURE),
}
"""Of how option types are written; those of the American kind were traded until 2010."""

_POWERS: Final = {"K": 3, "M": 6, "B": 9}
"""Of ten, by the letter behind a rounded number."""

_CONTRACTS_NOTE: Final = "the volume of a contract counts contracts as the exchange does, not shares"

LAYOUTS: Final = (
    Layout(
        name="bhavcopy (UDiFF)",
        marks=("traddt", "tckrsymb", "opnpric", "hghpric", "lwpric", "clspric"),
        renamed={"sctysrs": "", "fininstrmtp": ""},
        made=(
            Made(of=("tckrsymb", "sctysrs", "src", "xprydt", "strkpric", "optntp"), by=_of_udiff),
            Made(of=("ttltradgvol", "newbrdlotqty", "xprydt"), by=_units),
        ),
    ),
    Layout(
        name="NSE bhavcopy of futures and options",
        marks=("instrument", "symbol", "expiry_dt", "strike_pr", "option_typ", "contracts"),
        renamed={"instrument": "", "contracts": "volume", "open_int": "oi"},
        made=(Made(of=("symbol", "expiry_dt", "strike_pr", "option_typ"), by=_contract),),
        notes=(_CONTRACTS_NOTE,),
    ),
    Layout(
        name="NSE download of contracts",
        marks=("symbol", "date", "expiry", "option_type", "strike_price", "no_of_contracts"),
        renamed={"no_of_contracts": "volume", "open_int": "oi"},
        made=(Made(of=("symbol", "expiry", "strike_price", "option_type"), by=_contract),),
        notes=(_CONTRACTS_NOTE,),
    ),
    Layout(name="NSE bhavcopy", marks=("symbol", "series", "tottrdqty", "tottrdval", "timestamp")),
    Layout(name="NSE bhavcopy with deliveries", marks=("symbol", "series", "date1", "ttl_trd_qnty")),
    Layout(
        name="NSE indices of a day",
        marks=("index_name", "index_date", "open_index_value", "closing_index_value"),
        renamed={
            "index_name": "symbol",
            "index_date": "date",
            "open_index_value": "open",
            "high_index_value": "high",
            "low_index_value": "low",
            "closing_index_value": "close",
        },
        dates="day-first",
    ),
    Layout(name="NSE download of an index", marks=("date", "open", "high", "low", "close", "shares_traded")),
    Layout(name="NSE download of a share", marks=("date", "series", "open", "high", "low", "close", "vwap", "volume")),
    Layout(name="BSE download of a share", marks=("date", "open_price", "close_price", "wap", "no_of_shares")),
    Layout(
        name="Investing.com",
        marks=("date", "price", "open", "high", "low", "vol_", "change_%"),
        renamed={"price": "close", "vol_": "volume"},
        made=(Made(of=("vol_",), by=_spelt_out),),
        notes=("volumes are rounded, as 12.5M",),
    ),
    Layout(name="Yahoo", marks=("date", "open", "high", "low", "close", "adj_close", "volume")),
    *(
        Layout(
            name="contracts by their parts",
            marks=("symbol", expiry, strike, "option_type"),
            made=(Made(of=("symbol", expiry, strike, "option_type"), by=_of_parts),),
        )
        for expiry in ("expiry", "expiry_date")
        for strike in ("strike", "strike_price")
    ),
)
"""The first one fits whose marks a file has all."""


def layout_of(header: Row) -> Layout | None:
    """Find the layout of a file; None where it is none of these."""
    names = {plain_name(name) for name in header}
    return next((layout for layout in LAYOUTS if names.issuperset(layout.marks)), None)

"""Instruments of ours into a list as Dhan publishes it, in both forms; pure. What `scrips` reads, the other way round.

What an instrument does not know is not made up: the cell is empty, or has what Dhan writes there for nothing. So the
number of an underlying, surveillance flags and price limits are not in it; the name of a company is the display name.
"""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ..instruments import series_suffix
from .scrips import SEGMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...messages.instruments import InstrumentDefinition

Form: TypeAlias = Literal["compact", "detailed"]

COLUMNS: Final[dict[Form, tuple[str, ...]]] = {
    "compact": (
        "SEM_EXM_EXCH_ID",
        "SEM_SEGMENT",
        "SEM_SMST_SECURITY_ID",
        "SEM_INSTRUMENT_NAME",
        "SEM_EXPIRY_CODE",
        "SEM_TRADING_SYMBOL",
        "SEM_LOT_UNITS",
        "SEM_CUSTOM_SYMBOL",
        "SEM_EXPIRY_DATE",
        "SEM_STRIKE_PRICE",
        "SEM_OPTION_TYPE",
        "SEM_TICK_SIZE",
        "SEM_EXPIRY_FLAG",
        "SEM_EXCH_INSTRUMENT_TYPE",
        "SEM_SERIES",
        "SM_SYMBOL_NAME",
    ),
    "detailed": (
        "EXCH_ID",
        "SEGMENT",
        "SECURITY_ID",
        "ISIN",
        "INSTRUMENT",
        "UNDERLYING_SECURITY_ID",
        "UNDERLYING_SYMBOL",
        "SYMBOL_NAME",
        "DISPLAY_NAME",
        "INSTRUMENT_TYPE",
        "SERIES",
        "LOT_SIZE",
        "SM_EXPIRY_DATE",
        "STRIKE_PRICE",
        "OPTION_TYPE",
        "TICK_SIZE",
        "EXPIRY_FLAG",
        "SM_FREEZE_QTY",
    ),
}

_PLACES: Final = {segment: place for place, segment in reversed(SEGMENTS.items())}
"""Exchange and letter of each segment; of indices, those of NSE."""

_INDEX_EXCHANGES: Final = ("BSE", "MCX")
_ENDS_AT: Final = {"C": "12:30:00", "M": "23:30:00"}
_EXCHANGE_TYPES: Final = {"FUTIDX": "FUT", "FUTSTK": "FUT", "OPTIDX": "OP", "OPTSTK": "OP", "EQUITY": "ES"}
_WEEK: Final = timedelta(days=7)


def header(form: Form) -> str:
    """Return the first line."""
    return _lines([COLUMNS[form]])


def lines(form: Form, instruments: Iterable[InstrumentDefinition]) -> str:
    """Return a line for each instrument; all need a security id."""
    row = _compact if form == "compact" else _detailed
    return _lines(row(each) for each in instruments)


def _lines(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _compact(of: InstrumentDefinition) -> tuple[str, ...]:
    exchange, letter = _place(of)
    trading, display = _trading(of), of.display_name or of.symbol
    is_contract = _is_contract(of)
    day = "" if of.expiry is None else f"{of.expiry} {_ENDS_AT.get(letter, '14:30:00')}"
    return (
        exchange,
        letter,
        of.security_id,
        of.instrument_type,
        "0",
        trading,
        f"{of.lot_size}.0",
        display,
        day,
        _strike(of),
        of.option_type or "XX",
        _tick(of),
        _flag(of),
        _exchange_type(of),
        of.series or ("NA" if is_contract else ""),
        of.underlying or trading if is_contract else display.upper(),
    )


def _detailed(of: InstrumentDefinition) -> tuple[str, ...]:
    exchange, letter = _place(of)
    trading, display = _trading(of), of.display_name or of.symbol
    is_contract = _is_contract(of)
    return (
        exchange,
        letter,
        of.security_id,
        of.isin or "NA",
        of.instrument_type,
        of.security_id if of.segment == "IDX_I" else "",
        of.underlying or trading if is_contract else trading,
        trading if is_contract else display.upper(),
        display,
        _exchange_type(of),
        of.series or "NA",
        f"{of.lot_size}.0",
        "" if of.expiry is None else str(of.expiry),
        _strike(of),
        of.option_type or "XX",
        _tick(of),
        _flag(of),
        "0" if of.freeze_quantity is None else str(of.freeze_quantity),
    )


def _place(of: InstrumentDefinition) -> tuple[str, str]:
    exchange, letter = _PLACES[of.segment]
    named = of.symbol.partition(":")[0]
    return (named, letter) if of.segment == "IDX_I" and named in _INDEX_EXCHANGES else (exchange, letter)


def _trading(of: InstrumentDefinition) -> str:
    """Return the exchange's name of it; of one whose list had none, our symbol without the exchange."""
    return of.trading_symbol or of.symbol.removeprefix(f"{_PLACES[of.segment][0]}:").removeprefix(f"{of.segment}:")


def _is_contract(of: InstrumentDefinition) -> bool:
    return of.instrument_type.startswith(("FUT", "OPT"))


def _strike(of: InstrumentDefinition) -> str:
    return "-0.01000" if of.strike_rupees is None else f"{of.strike_rupees:.5f}"


def _tick(of: InstrumentDefinition) -> str:
    """Write paise; of an index, rupees."""
    return f"{of.tick_size_rupees * (1 if of.segment == 'IDX_I' else 100):.4f}"


def _flag(of: InstrumentDefinition) -> str:
    """Say of weeks, or of months: an option on an index is of weeks if its month has a week left when it expires."""
    if of.expiry is None:
        return "NA"
    return "W" if of.instrument_type == "OPTIDX" and (of.expiry + _WEEK).month == of.expiry.month else "M"


def _exchange_type(of: InstrumentDefinition) -> str:
    if of.segment == "NSE_EQ" and series_suffix(of.series):
        return ""  # a bond or a warrant, and which of them is not known
    return _EXCHANGE_TYPES.get(of.instrument_type, of.instrument_type)

"""Dhan's daily list of instruments (its "scrip master", CSV in two forms) into instruments of ours; pure.

The problem: one trading symbol stands for a share, its warrants and its bonds, and for the options of four weeks at
once; a number is unique only in its segment; the same thing is named differently in both forms. Clients that built
names from the display text, or looked at one column too few, sent orders to a warrant, or did not find a position to
close. The idea: our symbol is made of the columns that are exact, alike from both forms, and no two instruments get the
same one:

    RELIANCE                    the share at NSE, whatever its series is today; that of BSE is BSE:RELIANCE
    CHOLAFIN-D1                 anything else of the same trading symbol, with its series
    NIFTY-29Sep2026-29150-CE    a contract: underlying, last trading day, strike, option type
    MCX:CRUDEOIL-19Oct2026-FUT  of another exchange than NSE, with its name

The trap: tick sizes are in paise, and those of indices are not.

Source: rows of the published files of 2025 and 2026 (https://images.dhan.co/api-data/).
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from operator import itemgetter
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from ...messages.instruments import OptionType, Segment
from ...messages.units import INTEGER_MAX, RUPEES_MAX
from ..instruments import FINEST_TICK_RUPEES, SHARE_SERIES, Instrument, series_suffix

FAULTY_SHARE_MAX: Final = 0.01
"""A list of which more rows than this cannot be read is not a list."""

EXAMPLES_MAX: Final = 10
TEXT_MAX: Final = 200

SEGMENTS: Final[dict[tuple[str, str], Segment]] = {
    ("NSE", "E"): "NSE_EQ",
    ("NSE", "D"): "NSE_FNO",
    ("NSE", "C"): "NSE_CURRENCY",
    ("NSE", "M"): "NSE_COMM",
    ("NSE", "I"): "IDX_I",
    ("BSE", "E"): "BSE_EQ",
    ("BSE", "D"): "BSE_FNO",
    ("BSE", "C"): "BSE_CURRENCY",
    ("BSE", "I"): "IDX_I",
    ("MCX", "M"): "MCX_COMM",
    ("MCX", "I"): "IDX_I",
}

_GUESTS: Final = frozenset({"NS", "NT"})
"""Groups of BSE: shares of companies that are listed at NSE alone."""

_INDEX_TICK_RUPEES: Final = 0.05
"""The file has it in rupees, or nothing: an index does not trade."""

_FINEST_PAISE: Final = FINEST_TICK_RUPEES * 100
_STEPS_MAX: Final = 400_000
"""A tick of 1,000 rupees."""

_FIRST_DAY: Final = date(1990, 1, 1)
_OPTIONS: Final[dict[str, OptionType]] = {"CE": "CE", "PE": "PE"}
_NOTHING: Final = frozenset({"", "NA", "XX", "-"})
_UNDERLYING: Final = re.compile(r"(.+?)-\d{0,2}[A-Za-z]{3}\d{4}-")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{0,12})?", re.ASCII)
_ID: Final = re.compile(r"[0-9]{1,20}", re.ASCII)
_WORD: Final = re.compile(r"[A-Z]{1,16}", re.ASCII)


class ScripListError(ValueError):
    """The file is no list of instruments that may be used; nothing of it is."""

    def __init__(self, field: str, wanted: str, found: str) -> None:
        super().__init__(f"{field}: {wanted} wanted, found {found}")
        self.field = field
        """A column, or what is wrong with the whole."""


class ScripFaultError(ValueError):
    """One row cannot be read."""


class ScripList(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds."""

    instruments: tuple[Instrument, ...]
    """Each with a symbol of its own."""

    faulty: int
    """Rows that cannot be read."""

    examples: tuple[str, ...]
    """What is wrong with some of them."""

    other: int
    """Rows of exchanges and segments that the API does not trade."""


class _Columns(NamedTuple):
    """Names of the columns of a form, or the cells of a row."""

    exchange: str
    segment: str
    security_id: str
    instrument: str
    trading: str
    """The trading symbol of a contract."""

    share: str
    """The trading symbol of all others."""

    display: str
    series: str
    lot: str
    expiry: str
    strike: str
    option: str
    tick: str
    isin: str = ""
    underlying: str = ""
    freeze: str = ""
    """Columns with no name are not in the form."""


_COMPACT: Final = _Columns(
    exchange="SEM_EXM_EXCH_ID",
    segment="SEM_SEGMENT",
    security_id="SEM_SMST_SECURITY_ID",
    instrument="SEM_INSTRUMENT_NAME",
    trading="SEM_TRADING_SYMBOL",
    share="SEM_TRADING_SYMBOL",
    display="SEM_CUSTOM_SYMBOL",
    series="SEM_SERIES",
    lot="SEM_LOT_UNITS",
    expiry="SEM_EXPIRY_DATE",
    strike="SEM_STRIKE_PRICE",
    option="SEM_OPTION_TYPE",
    tick="SEM_TICK_SIZE",
)
_DETAILED: Final = _Columns(
    exchange="EXCH_ID",
    segment="SEGMENT",
    security_id="SECURITY_ID",
    instrument="INSTRUMENT",
    trading="SYMBOL_NAME",
    share="UNDERLYING_SYMBOL",
    display="DISPLAY_NAME",
    series="SERIES",
    lot="LOT_SIZE",
    expiry="SM_EXPIRY_DATE",
    strike="STRIKE_PRICE",
    option="OPTION_TYPE",
    tick="TICK_SIZE",
    isin="ISIN",
    underlying="UNDERLYING_SYMBOL",
    freeze="SM_FREEZE_QTY",
)
_MAY_LACK: Final = frozenset({"isin", "underlying", "freeze"})


def read_scrips(header: Sequence[str], rows: Iterable[Sequence[str]]) -> ScripList:
    """Read a whole file, its cells as texts.

    Raises:
        ScripListError: its columns are none of both forms, or too many of its rows cannot be read.
    """
    reader = _Reader(header)
    found: defaultdict[str, dict[str, Instrument | None]] = defaultdict(dict)
    faults, other, number = _Faults(), 0, 1
    for number, cells in enumerate(rows, start=2):
        try:
            instrument = reader.read(cells)
        except ScripFaultError as fault:
            faults.note(number, str(fault))
            continue
        if instrument is None:
            other += 1
            continue
        of_segment, security_id = found[instrument.segment], instrument.security_id
        if of_segment.setdefault(security_id, instrument) != instrument:  # which of them is meant cannot be told
            which = f"{instrument.segment}:{security_id}"
            faults.note(number, f"{reader.form.security_id}: one row of a number wanted, found another of {which}")
            faults.count += of_segment[security_id] is not None
            of_segment[security_id] = None
    if faults.count > (number - 1) * FAULTY_SHARE_MAX:
        wanted = f"at most {FAULTY_SHARE_MAX:.0%} of the rows faulty"
        raise ScripListError("rows", wanted, f"{faults.count} of {number - 1}: {faults.examples[0]}")
    instruments = tuple(
        _with_own_symbols([each for rows_of in found.values() for each in rows_of.values() if each is not None])
    )
    return ScripList(instruments=instruments, faulty=faults.count, examples=tuple(faults.examples), other=other)


class _Faults:
    """Counts the rows that cannot be read."""

    def __init__(self) -> None:
        self.count = 0
        self.examples: list[str] = []

    def note(self, line: int, reason: str) -> None:
        self.count += 1
        if len(self.examples) < EXAMPLES_MAX:
            self.examples.append(f"line {line}: {reason}")


class _Reader:
    """Reads rows under one header."""

    def __init__(self, header: Sequence[str]) -> None:
        names = [name.strip().removeprefix("\ufeff") for name in header]
        form, lacks = min(((each, _lacking(each, names)) for each in (_COMPACT, _DETAILED)), key=lambda it: len(it[1]))
        if lacks:
            found = ", ".join(names)[:TEXT_MAX] or "an empty file"
            raise ScripListError("columns", ", ".join(lacks), ascii(found))
        self.form: Final = form
        self._width: Final = len(names)
        nothing = self._width  # where a row is made longer by an empty cell
        self._pick: Final = itemgetter(*(names.index(name) if name in names else nothing for name in form))
        # There are some hundred different texts of each, and 200,000 rows.
        self._ticks: Final[dict[str, float]] = {}
        self._wholes: Final[dict[str, int]] = {}
        self._days: Final[dict[str, tuple[date, str]]] = {}
        self._strikes: Final[dict[str, tuple[float, str]]] = {}
        """With what a symbol has of them."""

    def read(self, cells: Sequence[str]) -> Instrument | None:
        """Read a row; None for what the API does not trade.

        Raises:
            ScripFaultError: it cannot be read.
        """
        if len(cells) != self._width:
            raise ScripFaultError(f"cells: {self._width} wanted, found {len(cells)}")
        # As `_make` does, which counts them again: 0.3 us.
        row = tuple.__new__(_Columns, self._pick((*cells, "")))
        segment = SEGMENTS.get((row.exchange, row.segment))
        if segment is None:
            return None
        if not _ID.fullmatch(row.security_id):
            raise self._fault("security_id", "a number", row.security_id)
        if not _WORD.fullmatch(row.instrument):
            raise self._fault("instrument", "a word in capitals", row.instrument)
        if row.instrument.startswith(("FUT", "OPT")):
            return self._contract(row, segment)
        trading, series = _text(row.share) or _text(row.trading), _text(row.series)
        suffix = series_suffix(series) if segment == "NSE_EQ" else ""
        return self._instrument(row, segment, trading + suffix, trading=trading)

    def _contract(self, row: _Columns, segment: Segment) -> Instrument:
        trading = _text(row.trading)
        parts = _UNDERLYING.match(trading)
        underlying = _text(row.underlying) or (parts[1] if parts else trading)
        expiry, day = self._day(row.expiry)
        option, strike, what = None, None, "FUT"
        if row.instrument.startswith("OPT"):
            option, (strike, what) = self._option(row.option), self._strike(row.strike)
            what = f"{what}-{option}"
        return self._instrument(
            row,
            segment,
            f"{underlying}-{day}-{what}",
            trading=trading,
            expiry=expiry,
            underlying=underlying,
            strike_rupees=strike,
            option_type=option,
        )

    def _instrument(self, row: _Columns, segment: Segment, symbol: str, *, trading: str, **contract: Any) -> Instrument:
        if segment == "NSE_COMM":
            symbol = f"{segment}:{symbol}"  # its contracts may be called as those of MCX
        elif row.exchange != "NSE":
            symbol = f"{row.exchange}:{symbol}"
        if not trading:
            raise self._fault("trading" if contract else "share", "a trading symbol", trading)
        is_index = segment == "IDX_I"
        lot = 1 if is_index else self._whole("lot", row.lot)
        freeze = self._freeze(row.freeze)
        if freeze is not None and freeze < lot:
            raise self._fault("freeze", f"at least the lot of {lot}", row.freeze)
        try:
            return Instrument(
                symbol=symbol,
                segment=segment,
                tick_size_rupees=_INDEX_TICK_RUPEES if is_index else self._tick(row.tick),
                lot_size=lot,
                freeze_quantity=freeze,
                security_id=row.security_id,
                instrument_type=row.instrument,
                trading_symbol=trading,
                display_name=_text(row.display),
                series=_text(row.series),
                isin=_text(row.isin),
                **contract,
            )
        except ValueError as fault:
            raise ScripFaultError(str(fault)) from fault

    # The cells.

    def _day(self, text: str) -> tuple[date, str]:
        if text not in self._days:
            try:
                day = date.fromisoformat(text[:10])
            except ValueError:
                day = date.min
            if day < _FIRST_DAY:
                raise self._fault("expiry", "a day such as 2026-09-29", text)
            self._days[text] = day, f"{day.day:02}{_MONTHS[day.month - 1]}{day.year}"
        return self._days[text]

    def _option(self, text: str) -> OptionType:
        if text not in _OPTIONS:
            raise self._fault("option", "CE or PE", text)
        return _OPTIONS[text]

    def _strike(self, text: str) -> tuple[float, str]:
        if text not in self._strikes:
            strike = _number(text)
            if not 0 < strike <= RUPEES_MAX:
                raise self._fault("strike", "rupees above 0", text)
            self._strikes[text] = strike, f"{strike:.4f}".rstrip("0").rstrip(".")
        return self._strikes[text]

    def _tick(self, text: str) -> float:
        if text not in self._ticks:
            steps = _number(text) / _FINEST_PAISE
            if not (0 < steps <= _STEPS_MAX and steps.is_integer()):
                raise self._fault("tick", f"paise in multiples of {_FINEST_PAISE}", text)
            self._ticks[text] = steps * _FINEST_PAISE / 100
        return self._ticks[text]

    def _whole(self, field: str, text: str) -> int:
        if text not in self._wholes:
            number = _number(text)
            if not (1 <= number <= INTEGER_MAX and number.is_integer()):
                raise self._fault(field, "a whole number of at least 1", text)
            self._wholes[text] = int(number)
        return self._wholes[text]

    def _freeze(self, text: str) -> int | None:
        """Find none where it is 0, negative or left out: in July 2026 so for 13,511 of 23,098 shares."""
        return None if text in _NOTHING or text.startswith(("-", "0")) else self._whole("freeze", text)

    def _fault(self, field: str, wanted: str, found: str) -> ScripFaultError:
        return ScripFaultError(f"{getattr(self.form, field)}: {wanted} wanted, found {found[:TEXT_MAX]!a}")


def _text(cell: str) -> str:
    return "" if cell in _NOTHING else cell.strip()[:TEXT_MAX]


def _number(text: str) -> float:
    """Read a number; NaN if it is none."""
    return float(text) if _NUMBER.fullmatch(text) else math.nan


def _with_own_symbols(instruments: Sequence[Instrument]) -> Iterator[Instrument]:
    """Give each a symbol that no other has: of several, the one in the first series keeps it, if there is one."""
    times = Counter(each.symbol for each in instruments)
    alike: defaultdict[str, list[Instrument]] = defaultdict(list)
    for each in instruments:
        if times[each.symbol] == 1:
            yield each
        else:
            alike[each.symbol].append(each)
    for symbol, group in alike.items():
        ranks = [_rank(each) for each in group]
        best = min(ranks)
        for each, rank in zip(group, ranks, strict=True):
            keeps = rank == best and ranks.count(best) == 1
            yield each if keeps else replace(each, symbol=f"{symbol}#{each.security_id}")


def _rank(instrument: Instrument) -> int:
    """Order what is called alike by how likely it is what a person means."""
    if instrument.series in SHARE_SERIES:
        return SHARE_SERIES.index(instrument.series)
    return len(SHARE_SERIES) + (instrument.series in _GUESTS)


def _lacking(form: _Columns, names: Sequence[str]) -> list[str]:
    lacks = (name for field, name in form._asdict().items() if name not in names and field not in _MAY_LACK)
    return list(dict.fromkeys(lacks))

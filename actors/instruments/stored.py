"""A list as a DuckDB file: written once, then only read."""

from __future__ import annotations

import contextlib
import operator
import os
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import duckdb
import numpy as np

from ...domain.instruments import Instrument, series_suffix
from ...messages.instruments import InstrumentList
from .errors import ListDamagedError
from .tables import ALIKE_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ...messages.instruments import FindInstrument

FORMAT: Final = 1
"""Of the tables; files of another are not opened."""

_TYPES: Final = {
    "tick_size_rupees": "double",
    "lot_size": "bigint",
    "freeze_quantity": "bigint",
    "expiry": "date",
    "strike_rupees": "double",
}
_COLUMNS: Final = tuple(name for name in Instrument.__struct_fields__ if name != "is_underlying")
"""Whether a share is an underlying is said by the contracts in the list."""

_TABLE: Final = ", ".join(f"{name} {_TYPES.get(name, 'varchar')}" for name in _COLUMNS)
_SELECT: Final = f"select {', '.join(_COLUMNS)} from instruments"  # noqa: S608  our own text
_UNDERLYINGS: Final = "select distinct underlying from instruments where instrument_type in ('FUTSTK', 'OPTSTK')"
_NAMES: Final = "lower(concat_ws(' ', symbol, trading_symbol, display_name, isin))"
_NEAREST_FIRST: Final = """
order by (lower(symbol) = ? or lower(trading_symbol) = ?) desc, starts_with(lower(symbol), ?) desc,
    expiry nulls first, strike_rupees nulls first, symbol
limit ? offset ?
"""
_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "threads": 1,
    "memory_limit": "256MiB",
    "temp_directory": "",
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "python_enable_replacements": False,
}
_NONE: Final = -1


def write_list(path: Path, instruments: Sequence[Instrument], of: InstrumentList) -> None:
    """Write a new file, durably.

    Raises:
        FileExistsError: the path exists.
        OSError: it cannot be written.
    """
    if os.path.lexists(path):
        raise FileExistsError(f"{path} is there already")
    try:
        with contextlib.closing(duckdb.connect(str(path), config=_CONFIG)) as connection:
            connection.execute(f"create table instruments ({_TABLE})")
            connection.execute(
                "create table list (format integer, source varchar, day date, instruments bigint, left_out bigint)"
            )
            connection.register("columns", _columns_of(instruments))
            names = ", ".join(_written(name) for name in _COLUMNS)
            connection.execute(f"insert into instruments select {names} from columns")  # noqa: S608  our own text
            connection.unregister("columns")
            for name in ("symbol", "security_id"):  # found in 1 ms instead of 7
                connection.execute(f"create index by_{name} on instruments ({name})")
            connection.execute(
                "insert into list values (?, ?, ?, ?, ?)", [FORMAT, of.source, of.day, of.instruments, of.left_out]
            )
            connection.execute("checkpoint")
    except duckdb.Error as fault:
        raise OSError(f"{path} cannot be written: {fault}") from fault
    path.chmod(0o600)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Stored:
    """A list in a file; see `InstrumentTable`.

    Raises:
        ListDamagedError: it does not open, or is no list of this format.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._connection: Final = duckdb.connect(str(path), read_only=True, config=_CONFIG)
        except (duckdb.Error, OSError) as fault:
            raise ListDamagedError(f"{path}: a list of instruments wanted, found {fault}") from fault
        try:
            self._connection.execute("set enable_external_access = false")
            found = self._rows("select format, source, day, instruments, left_out from list")
            ((kind, source, day, instruments, left_out),) = found
            ((counted,),) = self._rows("select count(*) from instruments")
            underlyings = self._rows(_UNDERLYINGS)
        except (duckdb.Error, ValueError) as fault:
            self._connection.close()
            raise ListDamagedError(f"{path}: a list of instruments wanted, found {fault}") from fault
        if (kind, instruments) != (FORMAT, counted):
            self._connection.close()
            found_text = f"format {kind} with {counted} of {instruments} instruments"
            raise ListDamagedError(f"{path}: format {FORMAT} with all its instruments wanted, found {found_text}")
        self._underlyings: Final = frozenset(name for (name,) in underlyings)
        self.of: Final = InstrumentList(source=source, day=day, instruments=instruments, left_out=left_out)

    def symbol(self, symbol: str) -> Instrument | None:
        """Find the one of this symbol."""
        return self._one("where symbol = ?", symbol)

    def number(self, segment: str, security_id: str) -> Instrument | None:
        """Find the one of this number."""
        return self._one("where segment = ? and security_id = ?", segment, security_id)

    def called(self, name: str) -> tuple[Instrument, ...]:
        """Find those of this symbol or name, in any case."""
        wanted = name.lower()
        return self._some("where lower(symbol) = ?", wanted) or self._some(
            "where lower(trading_symbol) = ? or lower(display_name) = ?", wanted, wanted
        )

    def find(self, wanted: FindInstrument, day: date) -> tuple[tuple[Instrument, ...], int]:
        """Find those of a kind, and how many there are."""
        text = wanted.text.strip().lower()
        exact = {
            "segment": wanted.segment,
            "underlying": wanted.underlying,
            "instrument_type": wanted.instrument_type.upper(),
            "expiry": wanted.expiry,
            "option_type": wanted.option_type,
        }
        parts = [(f"{name} = ?", value) for name, value in exact.items() if value]
        parts += [(f"contains({_NAMES}, ?)", word) for word in text.split()]
        if not wanted.is_expired:
            parts.append(("(expiry is null or expiry >= ?)", day))
        where = " and ".join(part for part, _ in parts) or "true"
        values = [value for _, value in parts]
        ((total,),) = self._rows(f"select count(*) from instruments where {where}", values)  # noqa: S608  our own text
        order = [text, text, text, wanted.rows_max, wanted.skipped]
        found = self._rows(f"{_SELECT} where {where} {_NEAREST_FIRST}", [*values, *order])
        return tuple(map(self._instrument, found)), total

    def symbols(self, day: date) -> dict[tuple[str, str], str]:
        """Return the symbol of each that has not expired, by segment and number."""
        where = "where expiry is null or expiry >= ?"
        found = self._rows(f"select segment, security_id, symbol from instruments {where}", [day])  # noqa: S608  our own text
        return {(segment, security_id): symbol for segment, security_id, symbol in found}

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _one(self, where: str, *values: str) -> Instrument | None:
        found = self._rows(f"{_SELECT} {where}", values)
        return self._instrument(found[0]) if found else None

    def _some(self, where: str, *values: str) -> tuple[Instrument, ...]:
        return tuple(map(self._instrument, self._rows(f"{_SELECT} {where} order by symbol limit {ALIKE_MAX}", values)))

    def _instrument(self, row: tuple[Any, ...]) -> Instrument:
        values = dict(zip(_COLUMNS, row, strict=True))
        is_share = values["instrument_type"] == "EQUITY" and not series_suffix(_series_of(values))
        is_told = is_share and bool(self._underlyings)  # a list of shares alone says nothing
        return Instrument(**values, is_underlying=values["trading_symbol"] in self._underlyings if is_told else None)

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, list(values)).fetchall()


def _series_of(values: dict[str, Any]) -> str:
    """Return the series of NSE; the groups of BSE are not meant."""
    return str(values["series"] or "") if values["segment"] == "NSE_EQ" else ""


def _columns_of(instruments: Sequence[Instrument]) -> dict[str, Any]:
    """Make arrays of the fields; nothing is -1 in numbers and days, and an empty text in `option_type`."""
    found: dict[str, Any] = {}
    of = operator.attrgetter(*_COLUMNS)
    fields = zip(*map(of, instruments), strict=True) if instruments else ((),) * len(_COLUMNS)
    for name, values in zip(_COLUMNS, fields, strict=True):
        match _TYPES.get(name):
            case "double":
                found[name] = np.array(values, dtype=np.float64)  # None becomes NaN
            case "bigint":
                found[name] = np.array([_NONE if each is None else each for each in values], dtype=np.int64)
            case "date":
                days = {each: _NONE if each is None else each.toordinal() for each in set(values)}
                found[name] = np.array([days[each] for each in values], dtype=np.int64)
            case _ if name == "option_type":
                found[name] = np.array([each or "" for each in values], dtype=object)
            case _:
                found[name] = np.array(values, dtype=object)
    return found


def _written(name: str) -> str:
    match _TYPES.get(name):
        case "double":
            return name  # NaN is read as NULL
        case "bigint":
            return f"nullif({name}, {_NONE})"
        case "date":
            return f"date '0001-01-01' + (nullif({name}, {_NONE}) - 1)::integer"
        case _:
            return "nullif(option_type, '')" if name == "option_type" else name

"""Which instrument a name means: never one of several. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date

    from ...domain.instruments import Instrument
    from .tables import InstrumentTable

_NUMBER: Final = re.compile(r"([A-Z_]{3,12}):([0-9]{1,20})", re.ASCII)
_NAMES_TOLD: Final = 5


class NameUnknownError(LookupError):
    """No instrument has this name, or several have."""

    def __init__(self, reason: str, symbols: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.symbols = symbols
        """Of those that it may mean, some."""


def meant(table: InstrumentTable, name: str, day: date) -> Instrument:
    """Find the instrument that a name means.

    Args:
        table: where to look.
        name: a symbol, `SEGMENT:number`, or a name at the exchange or the broker in any case, with or without the
            exchange in front (`NSE:INFY`).
        day: what has expired before it is not meant by a name that others have, too.

    Raises:
        NameUnknownError: there is none, or there are several.
    """
    if (found := table.symbol(name)) is not None:
        return found
    if (number := _NUMBER.fullmatch(name)) and (found := table.number(number[1], number[2])) is not None:
        return found
    plain = name.strip()
    alike = table.called(plain) or _of_exchange(table, plain)
    if len(alike) > 1:
        alike = tuple(each for each in alike if each.expiry is None or each.expiry >= day) or alike
    if len(alike) == 1:
        return alike[0]
    if not alike:
        raise NameUnknownError(f"an instrument of the list wanted ({table.of.source}), found {name!a}")
    symbols = tuple(each.symbol for each in alike)
    told = ", ".join(symbols[:_NAMES_TOLD]) + (", …" if len(symbols) > _NAMES_TOLD else "")
    raise NameUnknownError(f"a name of one instrument wanted, found {name!a}, which is that of {told}", symbols)


def _of_exchange(table: InstrumentTable, name: str) -> tuple[Instrument, ...]:
    exchange, colon, rest = name.partition(":")
    if not colon:
        return ()
    return tuple(each for each in table.called(rest) if exchange.upper() in {each.segment, exchange_of(each)})


def exchange_of(instrument: Instrument) -> str:
    """Tell the exchange: NSE, BSE or MCX."""
    if instrument.segment == "IDX_I":
        return instrument.symbol.partition(":")[0] if ":" in instrument.symbol else "NSE"
    return instrument.segment.partition("_")[0]

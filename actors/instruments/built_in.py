"""The few instruments that are part of natya: for paper trading before any list was read.

The numbers are those of the published lists of 2025 and 2026 (`built_in.csv`). Tick sizes change with the price and are
not part of it: all shares have the finest, 0.01 rupees, so nothing is refused that the exchange would take.
"""

from __future__ import annotations

import csv
import functools
from importlib import resources
from typing import TYPE_CHECKING, Final, cast

from ...domain.instruments import Instrument
from ...messages.instruments import InstrumentList
from .tables import ALIKE_MAX

if TYPE_CHECKING:
    from datetime import date

    from ...messages.instruments import FindInstrument, Segment

SOURCE: Final = "built-in"
_TICK_RUPEES: Final = 0.01


class BuiltIn:
    """That list; see `InstrumentTable`."""

    def __init__(self) -> None:
        self._instruments: Final = _instruments()
        self.of: Final = InstrumentList(source=SOURCE, instruments=len(self._instruments))

    def symbol(self, symbol: str) -> Instrument | None:
        """Find the one of this symbol."""
        return next((each for each in self._instruments if each.symbol == symbol), None)

    def number(self, segment: str, security_id: str) -> Instrument | None:
        """Find the one of this number."""
        wanted = segment, security_id
        return next((each for each in self._instruments if (each.segment, each.security_id) == wanted), None)

    def called(self, name: str) -> tuple[Instrument, ...]:
        """Find those of this symbol or name, in any case."""
        wanted = name.lower()
        exact = tuple(each for each in self._instruments if each.symbol.lower() == wanted)
        return (
            exact
            or tuple(
                each for each in self._instruments if wanted in {each.trading_symbol.lower(), each.display_name.lower()}
            )[:ALIKE_MAX]
        )

    def find(self, wanted: FindInstrument, day: date) -> tuple[tuple[Instrument, ...], int]:
        """Find those of a kind, and how many there are."""
        del day  # none of these expires
        words, text = wanted.text.lower().split(), wanted.text.strip().lower()
        found = [
            each
            for each in self._instruments
            if (wanted.segment in {None, each.segment})
            and (not wanted.instrument_type or each.instrument_type == wanted.instrument_type.upper())
            and not (wanted.underlying or wanted.expiry or wanted.option_type)
            and all(word in names_of(each) for word in words)
        ]
        found.sort(
            key=lambda each: (
                text not in {each.symbol.lower(), each.trading_symbol.lower()},
                not each.symbol.lower().startswith(text),
                each.symbol,
            )
        )
        return tuple(found[wanted.skipped :][: wanted.rows_max]), len(found)

    def close(self) -> None:
        """Do nothing."""


def names_of(instrument: Instrument) -> str:
    """Return all that it is called, in small letters."""
    parts = instrument.symbol, instrument.trading_symbol, instrument.display_name, instrument.isin
    return " ".join(parts).lower()


@functools.cache
def _instruments() -> tuple[Instrument, ...]:
    text = resources.files(__package__).joinpath("built_in.csv").read_text(encoding="utf-8")
    return tuple(
        Instrument(
            symbol=row["symbol"],
            segment=cast("Segment", row["segment"]),
            security_id=row["security_id"],
            instrument_type="INDEX" if row["segment"] == "IDX_I" else "EQUITY",
            tick_size_rupees=_TICK_RUPEES,
            trading_symbol=row["symbol"].rpartition(":")[2],
            display_name=row["name"],
            series="" if row["segment"] == "IDX_I" else "EQ",
        )
        for row in csv.DictReader(text.splitlines())
    )

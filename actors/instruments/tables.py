"""What a list of instruments answers, whether it is a file or in memory."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...domain.instruments import Instrument
    from ...messages.instruments import FindInstrument, InstrumentList

ALIKE_MAX = 20
"""So many that one name may mean are looked at."""


class InstrumentTable(Protocol):
    """A list; for one thread at a time."""

    @property
    def of(self) -> InstrumentList:
        """Where it is from."""

    def symbol(self, symbol: str) -> Instrument | None:
        """Find the one of this symbol, in this spelling."""

    def number(self, segment: str, security_id: str) -> Instrument | None:
        """Find the one that the broker knows by this number."""

    def called(self, name: str) -> tuple[Instrument, ...]:
        """Find those whose symbol, or whose name at the exchange or the broker, is this in any case.

        Those of that symbol alone, if there are any; at most `ALIKE_MAX`.
        """

    def find(self, wanted: FindInstrument, day: date) -> tuple[tuple[Instrument, ...], int]:
        """Find those of a kind, the first `rows_max` of them, and how many there are; expired ones are so on `day`."""

    def close(self) -> None:
        """Let go of the file."""

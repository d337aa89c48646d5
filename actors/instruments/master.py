"""`InstrumentMaster`: the instruments of a folder of lists, asked and refreshed; it needs no actor.

master = InstrumentMaster("natya-data/instruments")
master.refresh("https://images.dhan.co/api-data/api-scrip-master-detailed.csv")
master.show("RELIANCE").security_id        # '2885'
master.show("NSE_FNO:35084").symbol        # 'NIFTY-29Sep2026-29150-CE'
master.find(FindInstrument(underlying="NIFTY", option_type="CE"))
"""

from __future__ import annotations

from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from ...domain.time import IST
from ...messages.instruments import FindInstrument, InstrumentList
from .built_in import BuiltIn
from .comparing import expect_every_segment, expect_same_numbers
from .fetching import fetch_list
from .folder import ListFolder
from .naming import meant
from .reading import read_list

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from types import TracebackType

    from ...domain.dhan.scrips import ScripList
    from ...domain.instruments import Instrument
    from .fetching import Session
    from .tables import InstrumentTable

ROWS_MIN: Final = 1_000
BYTES_MAX: Final = 256 << 20
TIMEOUT_S: Final = 300.0
NEAR_MAX: Final = 3
NEAR_ROWS_MAX: Final = 200
NEAR_LETTERS_MIN: Final = 2
NEAR_LETTERS_MAX: Final = 20
SHOWN_MAX: Final = 10_000
"""Answers that are remembered."""


def _now() -> datetime:
    return datetime.now(IST)


class InstrumentMaster:
    """The newest list of a folder, else the few instruments that are part of natya. For one thread at a time.

    Args:
        folder: of the lists.
        now: tells the time in India.
    """

    def __init__(self, folder: str | Path, *, now: Callable[[], datetime] = _now) -> None:
        self._folder: Final = ListFolder(Path(folder).expanduser().absolute())
        self._now: Final = now
        self._table: InstrumentTable = BuiltIn()
        self._shown: dict[str, Instrument] = {}
        self._shown_on: date | None = None
        self.faults: tuple[str, ...] = ()
        """Why newer lists than the one in use do not open."""

        self.reopen()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def of(self) -> InstrumentList:
        """The list in use."""
        return self._table.of

    @property
    def is_of_today(self) -> bool:
        """Whether the list in use was read today, in India."""
        return self.of.day == self._now().date()

    def show(self, name: str) -> Instrument:
        """Find the instrument that a name means; see `naming.meant`.

        Raises:
            NameUnknownError: there is none, or there are several.
        """
        day = self._now().date()
        if self._shown_on != day:
            self._shown.clear()
            self._shown_on = day
        found = self._shown.get(name)
        if found is None:
            found = meant(self._table, name, day)
            if len(self._shown) < SHOWN_MAX:
                self._shown[name] = found
        return found

    def near(self, name: str) -> tuple[str, ...]:
        """Return symbols that look like a name that none has: a few, the nearest first."""
        text = name.strip()
        for length in range(min(len(text), NEAR_LETTERS_MAX), NEAR_LETTERS_MIN - 1, -1):
            found, _ = self.find(FindInstrument(text=text[:length], rows_max=NEAR_ROWS_MAX))
            if found:
                by_name = {each.symbol.upper(): each.symbol for each in found}
                near = get_close_matches(text.upper(), by_name, NEAR_MAX, cutoff=0.0)
                return tuple(by_name[each] for each in near)
        return ()

    def find(self, wanted: FindInstrument) -> tuple[tuple[Instrument, ...], int]:
        """Find instruments of a kind: the first ones, and how many there are."""
        return self._table.find(wanted, self._now().date())

    def refresh(self, url: str, **bounds: Any) -> ScripList:
        """Fetch a list from an address and use it; the one before stays in use if that fails.

        Args:
            url: of a list in one of Dhan's forms.
            bounds: of `fetch`.

        Raises:
            ListRefusedError: it may not be used, or cannot be fetched.
            InstrumentsError: it cannot be kept.
        """
        found = self.fetch(url, **bounds)
        self.reopen()
        return found

    def fetch(  # noqa: PLR0913  each is a bound, by keyword
        self,
        url: str,
        *,
        rows_min: int = ROWS_MIN,
        may_shrink: bool = False,
        timeout_s: float = TIMEOUT_S,
        bytes_max: int = BYTES_MAX,
        session: Session | None = None,
    ) -> ScripList:
        """Fetch a list and put it into the folder, without using it: any thread may, and another then calls `reopen`.

        Args:
            url: of a list in one of Dhan's forms.
            rows_min: a list of fewer instruments is refused.
            may_shrink: accept one of less than half of the instruments in use, or by whose numbers others are meant.
            timeout_s: for the transmission.
            bytes_max: of the list.
            session: to fetch it with.

        Raises:
            ListRefusedError: it may not be used, or cannot be fetched.
            InstrumentsError: it cannot be kept.
        """
        file = self._folder.half_made("csv")
        try:
            fetch_list(url, file, timeout_s=timeout_s, bytes_max=bytes_max, session=session)
            return self._keep(file, source=url, rows_min=rows_min, may_shrink=may_shrink)
        finally:
            file.unlink(missing_ok=True)

    def take(
        self, file: str | Path, *, source: str = "", rows_min: int = ROWS_MIN, may_shrink: bool = False
    ) -> ScripList:
        """Read a published list from a file and use it; the one before stays in use if that fails.

        Raises:
            ListRefusedError: it may not be used.
            InstrumentsError: it cannot be kept.
            OSError: the file cannot be read.
        """
        found = self._keep(file, source=source, rows_min=rows_min, may_shrink=may_shrink)
        self.reopen()
        return found

    def reopen(self) -> None:
        """Use the newest list of the folder."""
        newest, self.faults = self._folder.newest()
        if newest is None and self.of.day is not None:
            return  # its file was removed, and is open still
        self._table.close()
        self._table = newest or BuiltIn()
        self._shown.clear()

    def close(self) -> None:
        """Let go of the list."""
        self._table.close()

    def _keep(self, file: str | Path, *, source: str, rows_min: int, may_shrink: bool) -> ScripList:
        before = 0 if may_shrink or self.of.day is None else self.of.instruments
        found = read_list(Path(file), rows_min=rows_min, rows_before=before)
        now = self._now()
        if not may_shrink:
            known = self._folder.symbols(now.date())
            expect_every_segment(found.instruments, known)
            expect_same_numbers(found.instruments, known, now.date())
        of = InstrumentList(
            source=source or str(Path(file).absolute()),
            day=now.date(),
            instruments=len(found.instruments),
            left_out=found.faulty,
        )
        self._folder.put(found.instruments, of, now)
        return found

"""The owner of the list of instruments in a running system.

Owns    the folder of lists and the newest one (`InstrumentMaster`), and the transmission of a new one.
Hears   ShowInstrument, FindInstrument, RefreshInstruments, ReopenInstruments, TakeSettings.
Sends   to the sender InstrumentShown or InstrumentUnknown; InstrumentsFound; InstrumentsRefreshed or InstrumentsKept.
Fails   when the list in use cannot be read any more; restarted, it opens the newest one that can be. A list that cannot
        be had is no failure: the one before stays in use, and it is fetched again after a while.
"""

from __future__ import annotations

import functools
from datetime import datetime, time
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from ...config.in_force import InForce
from ...config.sections.instruments import InstrumentsSettings
from ...domain.time import IST, SECOND_NS
from ...messages.instruments import (
    FindInstrument,
    InstrumentsFound,
    InstrumentShown,
    InstrumentsKept,
    InstrumentsRefreshed,
    InstrumentsStatistics,
    InstrumentUnknown,
    RefreshInstruments,
    ReopenInstruments,
    ShowInstrument,
)
from ...messages.settings import TakeSettings
from ..runtime import RuntimeActor, handles
from .built_in import SOURCE
from .errors import InstrumentsError
from .master import InstrumentMaster
from .naming import NameUnknownError
from .schedule import due_in_s

if TYPE_CHECKING:
    from ...domain.instruments import Instrument
    from ..runtime import ActorAddress, Outcome, Timer

NOTHING_READ: Final = "a list of instruments wanted, found none: natya instruments refresh"


class InstrumentsActorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the actor needs."""

    limits: InstrumentsSettings
    in_force: InForce | None = None
    """Where they are read while the system runs; None: they do not change."""

    may_be_built_in: bool = True
    """Whether the few instruments that are part of natya are shown while no list was read: not where orders are real,
    since a number may have become another's."""

    @property
    def now(self) -> InstrumentsSettings:
        """Return the section as it is now."""
        return self.limits if self.in_force is None else self.in_force.settings.instruments


class FetchDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time for the list of a day."""


class InstrumentsActor(RuntimeActor):
    """Tells what a name means, and keeps the list up to date."""

    blocking = True  # DuckDB
    on_loop_in_market = (
        True  # 1 ms for an instrument that was not asked for before; a market must not depend on threads
    )
    system_time: ClassVar[bool] = True  # the list of today is that of the machine's clock

    settings: InstrumentsActorSettings

    def on_start(self) -> None:
        """Open the newest list."""
        self._asked = self._unknown = self._refreshed = self._refused = 0
        self._refreshers: list[ActorAddress] = []
        self._fetching = False
        self._next: Timer | None = None
        self._master = InstrumentMaster(self.settings.limits.path, now=self._now)
        self._tell_state()
        if self.settings.now.refresh == "daily":
            self._fetch_in(self._due_s())

    def on_stop(self) -> None:
        """Let go of the list."""
        self._master.close()

    @handles(ShowInstrument)
    def show(self, request: ShowInstrument, sender: ActorAddress) -> None:
        """Say what a name means."""
        self._asked += 1
        try:
            found = self._meant(request.name)
        except NameUnknownError as unknown:
            self._unknown += 1
            reason, symbols = str(unknown), unknown.symbols
            self.send(sender, InstrumentUnknown(name=request.name, reason=reason, symbols=symbols))
            return
        self.send(sender, InstrumentShown(name=request.name, instrument=found.definition(), of=self._master.of))

    @handles(FindInstrument)
    def find(self, request: FindInstrument, sender: ActorAddress) -> None:
        """Find instruments of a kind."""
        self._asked += 1
        found, total = self._master.find(request)
        instruments = tuple(each.definition() for each in found)
        self.send(sender, InstrumentsFound(instruments=instruments, total=total, of=self._master.of))

    @handles(ReopenInstruments)
    def reopen(self, _: ReopenInstruments, sender: ActorAddress) -> None:
        """Use the newest list of the folder: another process has put one there."""
        self._master.reopen()
        self._tell_state()
        self.send(sender, InstrumentsRefreshed(of=self._master.of))

    @handles(RefreshInstruments)
    def refresh(self, request: RefreshInstruments, sender: ActorAddress) -> None:
        """Fetch a new list; who asks while one is on its way gets the same answer."""
        if request.if_older and self._master.is_of_today and not self._fetching:
            self.send(sender, InstrumentsRefreshed(of=self._master.of))
            return
        self._refreshers.append(sender)
        self._fetch(may_shrink=request.may_shrink)

    @handles(TakeSettings)
    def take_settings(self, _: TakeSettings, __: ActorAddress) -> None:
        """Fetch by the schedule of now; one that is on its way is brought to its end."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if self.settings.now.refresh == "daily" and not self._fetching:
            self._fetch_in(self._due_s())

    @handles(FetchDue)
    def fetch_daily(self, _: FetchDue, __: ActorAddress) -> None:
        """Fetch the list of the day."""
        self._fetch()

    def statistics(self) -> InstrumentsStatistics:
        """Return the counts."""
        return InstrumentsStatistics(
            of=self._master.of,
            asked=self._asked,
            unknown=self._unknown,
            refreshed=self._refreshed,
            refused=self._refused,
        )

    # Helpers.

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now_ns() / SECOND_NS, IST)

    @property
    def _is_usable(self) -> bool:
        return self.settings.may_be_built_in or self._master.of.source != SOURCE

    def _meant(self, name: str) -> Instrument:
        if not self._is_usable:
            raise NameUnknownError(NOTHING_READ)
        return self._master.show(name)

    def _due_s(self) -> float:
        return due_in_s(self._now(), time.fromisoformat(self.settings.now.refresh_at), self._master.of.day)

    def _fetch_in(self, seconds: float) -> None:
        self._next = self.after_on_machine(seconds, FetchDue())

    def _fetch(self, *, may_shrink: bool = False) -> None:
        if self._fetching:
            return
        self._fetching = True
        limits = self.settings.now
        fetch = functools.partial(
            self._master.fetch,
            limits.url,
            rows_min=limits.rows_min,
            may_shrink=may_shrink,
            timeout_s=limits.timeout_s,
            bytes_max=limits.bytes_max,
        )
        then = functools.partial(self._fetched, self.machine_ns())
        self.offload(fetch, then=then)

    def _fetched(self, began_ns: int, outcome: Outcome) -> None:
        self._fetching = False
        refreshers, self._refreshers = self._refreshers, []
        is_daily = self.settings.now.refresh == "daily"
        if isinstance(outcome.error, InstrumentsError | OSError):
            self._refused += 1
            self.log("instruments.refused", level="error", reason=str(outcome.error), kept=str(self._master.of.day))
            for each in refreshers:
                self.send(each, InstrumentsKept(reason=str(outcome.error), of=self._master.of))
            if is_daily:
                self._fetch_in(self.settings.now.retry_s)
            return
        found = outcome.unwrap()
        self._refreshed += 1
        self._master.reopen()
        self._tell_state()
        took_s = (self.machine_ns() - began_ns) / SECOND_NS
        for each in refreshers:
            self.send(each, InstrumentsRefreshed(of=self._master.of, took_s=took_s, faults=found.examples))
        if is_daily:
            self._fetch_in(max(1.0, self._due_s()))

    def _tell_state(self) -> None:
        of = self._master.of
        for fault in self._master.faults:
            self.log("instruments.list_damaged", level="error", reason=fault)
        self.log(
            "instruments.opened",
            source=of.source,
            day=str(of.day),
            instruments=of.instruments,
            left_out=of.left_out,
        )
        self.trouble = "" if self._is_usable else NOTHING_READ

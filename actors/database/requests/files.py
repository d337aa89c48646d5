"""Whether the database files are open or down; opens them again when they are down."""

from __future__ import annotations

import functools
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ....domain.time import SECOND_NS
from ..errors import (
    DatabaseClosed,
    DatabaseDamaged,
    DatabaseError,
    DatabaseLocked,
    MemoryExceeded,
    PoolExhausted,
    StatementFailed,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...runtime import Outcome, RuntimeActor
    from ..engine.adapter import DuckDBAdapter
    from ..upkeep.recovery import Opened

REOPEN_S = 1.0

NOT_YET: Final = "its files are not open yet"
"""Why they are down until the first try to open them has ended."""


class Files:
    """Holds the adapter while the files are open; closes and opens them off the actor's thread.

    Args:
        actor: provides clock, threads and log.
        opens: opens the files, given the time; see `recovery.open_database`.
        reopen: a message to the actor, at which it calls `reopen`.
        on_open: called after each opening, before any other work.
        on_down: called with the reason when they are down.
    """

    def __init__(
        self,
        actor: RuntimeActor,
        *,
        opens: Callable[..., Opened],
        reopen: object,
        on_open: Callable[[Opened], object],
        on_down: Callable[[DatabaseError], object],
    ) -> None:
        self.database: DuckDBAdapter | None = None
        self.down = NOT_YET
        """Why they are not open; empty when they are."""

        self.are_opening = False
        """Whether the first try to open them is under way: then nobody knows yet whether they can be."""

        self.damage = ""
        self.market_damage = ""
        """What was put aside or found missing, since the actor started."""

        self.life = 0
        """Number of openings so far: a failure from before the last one is ignored."""

        self._guard = threading.Lock()
        self._has_ended = False
        self._not_taken: DuckDBAdapter | None = None
        """What a try on another thread has opened, and the actor has not heard of."""

        self._opened_ns = 0
        """When they were opened last, by the monotonic clock."""

        self._opened_for = ""
        """The failure that caused the last opening."""

        self._is_suspect = False
        """Whether the next opening that succeeds has to read every block."""

        self._actor = actor
        self._opens = opens
        self._reopen = reopen
        self._on_open = on_open
        self._on_down = on_down

    def open(self, then: Callable[[], object]) -> None:
        """Open them off the actor's thread, and call `then` when they are, or are down since another process has them.

        A write-ahead log that a crash has left long takes many seconds. An error that waiting does not mend is raised
        in the actor, whose start has failed with it.
        """
        self.are_opening = True
        job = functools.partial(self._try, suspect=False, core_is_foreign=False)
        self._try_off_thread(job, functools.partial(self._began, then))

    def _began(self, then: Callable[[], object], outcome: Outcome) -> None:
        self.are_opening = False
        if isinstance(outcome.error, DatabaseLocked):
            self._note(outcome.error)
            self._actor.after(REOPEN_S, self._reopen)
        else:
            if outcome.error is not None:
                self.down = str(outcome.error)
            self._opened(outcome.unwrap())
        then()

    def failed(self, fault: DatabaseError, life: int) -> bool:
        """Take a failure of work on the files as of the opening `life`; return whether they are open all the same.

        A busy pool, and a query that left too little memory, are no faults of the files; a failure of an earlier
        opening was dealt with. A statement that fails again in the same way after they were reopened is retried with
        the files open: queries may still read them.
        """
        if isinstance(fault, MemoryExceeded):
            self._actor.log_bounded("database.out_of_memory", level="warning", reason=str(fault))
        elif life == self.life and not isinstance(fault, PoolExhausted):
            if isinstance(fault, StatementFailed) and str(fault) == self._opened_for:
                self._actor.log_bounded("database.stuck", level="error", reason=str(fault))
            else:
                self._opened_for = str(fault)
                self.close(fault)
        return self.database is not None

    def close(self, fault: DatabaseError, *, core_is_foreign: bool = False) -> None:
        """Close and reopen the files; damaged ones, and a core file of another journal, are put aside."""
        database, self.database = self.database, None
        if database is None:
            return
        self._note(fault)
        self._on_down(fault)
        self._is_suspect = isinstance(fault, DatabaseDamaged)
        self._actor.offload(database.close, then=lambda _: self._closed(core_is_foreign=core_is_foreign), lane="files")

    def _closed(self, *, core_is_foreign: bool) -> None:
        """Open them again: at once, but where they were of no use the last time, as on a full disk, a while later."""
        if core_is_foreign or self._actor.clock.monotonic_ns() - self._opened_ns > REOPEN_S * SECOND_NS:
            self.reopen(core_is_foreign=core_is_foreign)
        else:
            self._actor.after(REOPEN_S, self._reopen)

    def reopen(self, *, core_is_foreign: bool = False) -> None:
        """Try to open them again, off the actor's thread; a foreign core file is put aside at the first try."""
        job = functools.partial(self._try, suspect=self._is_suspect, core_is_foreign=core_is_foreign)
        self._try_off_thread(job, self._reopened)

    def _try_off_thread(self, job: Callable[[int], Opened], then: Callable[[Outcome], object]) -> None:
        """A stop does not wait for it: what is opened after the end is closed."""
        self._actor.offload(job, self._actor.clock.now_ns(), then=then, lane="files", left_at_stop=True)

    def end(self) -> None:
        """Close them for good, also where a try under way opens them later: nobody else would, and they are locked."""
        with self._guard:
            self._has_ended = True
            database = self.database or self._not_taken
            self.database = self._not_taken = None
        if database is not None:
            database.close()

    def _try(self, now_ns: int, *, suspect: bool, core_is_foreign: bool) -> Opened:
        """Open them on a thread that the actor does not wait for."""
        opened = self._opens(now_ns, suspect=suspect, core_is_foreign=core_is_foreign)
        with self._guard:
            if not self._has_ended:
                self._not_taken = opened.database
                return opened
        opened.database.close()
        raise DatabaseClosed("the database ended while its files were opened")

    def _reopened(self, outcome: Outcome) -> None:
        if isinstance(outcome.error, DatabaseError):
            self._note(outcome.error)
            self._actor.after(REOPEN_S, self._reopen)
        else:
            self._opened(outcome.unwrap())

    def _opened(self, opened: Opened) -> None:
        self.database, self._not_taken = opened.database, None
        self._opened_ns = self._actor.clock.monotonic_ns()
        self._is_suspect = False
        self.life += 1
        if self.down not in {"", NOT_YET}:
            self._actor.log("database.opened", core=opened.database.core_path)
        self.down = ""
        found = [f"put aside as {name}" for name in opened.put_aside]
        if opened.market_loss:
            found.append(f"the market file has lost data: {opened.market_loss}")
        found += [f"the archive lacks {lack}" for lack in opened.archive_lacks if lack not in self.damage]
        for each in found:
            self._actor.log("database.damaged", level="error", found=each)
        self.damage = "; ".join(filter(None, [self.damage, *found]))
        market = Path(opened.database.market_path).name
        put_aside = len(opened.put_aside)
        of_the_market = [each for each in found[:put_aside] if market in each] + found[put_aside:]
        self.market_damage = "; ".join(filter(None, [self.market_damage, *of_the_market]))
        self._on_open(opened)

    def _note(self, fault: DatabaseError) -> None:
        if str(fault) != self.down:
            self.down = str(fault)
            self._actor.log("database.down", level="error", error=type(fault).__name__, reason=self.down)

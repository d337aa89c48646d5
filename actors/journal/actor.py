"""The journal actor: makes facts durable before anyone acts on them, and reads them back.

Owns    the journal directory (see `journal.py`), with the seals of its days; the appends of the running group commit.
Hears   Append, ReadJournal, ProveDurable, ReadCheckpoint, KeepCheckpoint.
Sends   Journaled to `events` after each group commit, then Appended (or AppendRefused) to each of its writers;
        JournalPage, CheckpointRead or CheckpointKept, or Failed, to each reader.
Fails   when a write or fsync failed, or when a record that was durable cannot be read any more; before that, all
        waiting appends are refused, as those are that follow one which was lost. Restarted, it verifies the files, and
        goes on in a new segment after a failed fsync: only in the same journal, from where it was durable (state
        handed over).
        For good when its files were moved, removed, replaced or cut short (`JournalMovedError`). Does not start on a
        damaged journal (`JournalDamagedError`), nor when another process holds it (`JournalBusyError`). A full disk is
        no failure: appends are refused until there is space, outcomes of orders last.
"""

from __future__ import annotations

import functools
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

import msgspec

from ...domain.time import DAY_NS
from ...domain.timings import Timings
from ...messages.addresses import EVENTS
from ...messages.journal import (
    Append,
    CheckpointKept,
    CheckpointRead,
    DurableProved,
    Journaled,
    JournalPage,
    JournalStatistics,
    KeepCheckpoint,
    ProveDurable,
    ReadCheckpoint,
    ReadJournal,
    append_refused,
    appended,
)
from ...messages.supervision import Failed
from ..runtime import READS_BACK_S, RuntimeActor, handles
from .chains import Chains
from .errors import (
    AppendInvalidError,
    AppendOrphanedError,
    JournalError,
    JournalFailedError,
    JournalFullError,
    UpkeepFailedError,
)
from .journal import Journal
from .upkeep import archive_segment, next_chore
from .waypoint import write_waypoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...config.sections.journal import JournalSettings
    from ..runtime import ActorAddress, Outcome, Trace
    from .disk import Disk
    from .place import Place, Ticket
    from .segments import Segment
    from .upkeep import Chore
    from .view import JournalView


PAGE_RECORDS_MAX: Final = 100_000
"""Records in one page at most, whatever was requested."""

CheckpointWork: TypeAlias = "Callable[[JournalView, Any], CheckpointRead | CheckpointKept]"

CHECKPOINT_LANE: Final = "checkpoints"
UPKEEP_LANE: Final = "upkeep"
UPKEEP_RETRY_S: Final = 60.0
"""Seconds until upkeep is retried after a full or failing disk."""

LOOK_S: Final = 10.0
"""Seconds between two checks that the files are in place and that the day is not over, while nothing is committed."""


class LookDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to check that the files are in place."""


class TidyAgain(msgspec.Struct, frozen=True, gc=False):
    """To itself: retry upkeep."""


class JournalActor(RuntimeActor):
    """Group commit: whatever has arrived until the mailbox is empty shares one `fdatasync`, without any waiting."""

    start_s = READS_BACK_S
    blocking = True  # fdatasync
    on_loop_in_market = True  # so that the order of facts is that of the messages, not of two threads

    disk: ClassVar[Disk | None] = None
    """None: the real one. A simulation has a subclass with another."""

    settings: JournalSettings

    def on_start(self) -> None:
        """Open and verify; the sequence goes on where it was."""
        self._waiting: deque[tuple[ActorAddress, Ticket, Append, Trace]] = deque()
        self._chains = Chains()
        self._readers: list[tuple[ActorAddress, Trace]] = []
        self._tidying = False
        self._full = False
        self._commits = Timings()
        self._failure: JournalFailedError | None = None
        self._journal = Journal(
            Path(self.settings.path),
            now_ns=self.clock.now_ns,
            segment_bytes=self.settings.segment_bytes,
            disk=self.disk,
            seal_key=self.settings.seal_key.reveal().encode(),
        )
        cut = self._journal.open(after=self.inherited)
        if cut is not None:
            self.log(
                "journal.tail_cut",
                level="warning",
                path=str(cut.path),
                offset=cut.offset,
                bytes=cut.size,
                sequence=cut.sequence,
                reason=cut.reason,
            )
        if not self._journal.reserve_held:
            self.log("journal.reserve_missed", level="warning", path=str(self._journal.directory))
        self._tell_sealed()
        self._tidy()
        self.after_on_machine(LOOK_S, LookDue())

    def snapshot(self) -> Place:
        """Return the journal's identity, and how far it was acknowledged."""
        return self._journal.place

    def restore(self, _place: Place) -> None:
        """Do nothing: `on_start` has compared the state already, since no file may be created before that."""

    def on_stop(self) -> None:
        """Refuse waiting appends and reads, and release the directory."""
        if self._waiting:
            self._settle("the journal failed before the commit: nothing was written")
        for reader, trace in self._readers:
            self.trace = trace
            self._fail_reader(reader, JournalFailedError("the journal failed before the page was read"))
        self._journal.close()
        self._tell_sealed()

    @handles(Append, reads_back=True)
    def append(self, request: Append, sender: ActorAddress) -> None:
        """Buffer the facts; they are answered after the group commit."""
        try:
            self._buffer(request, sender)
        except AppendInvalidError:
            received = self.admitted(request, sender)
            if received is None:
                return
            try:  # with a tuple where a list was, say
                self._buffer(received, sender)
            except AppendInvalidError as refusal:
                self._refuse(received, sender, refusal)

    @handles(ReadJournal)
    def read(self, request: ReadJournal, sender: ActorAddress) -> None:
        """Read what is durable now, on a thread of its own: writers do not wait for readers.

        Earlier appends are committed first: a restarted writer reads all that it wrote before.
        """
        trace = self.trace
        if self._waiting:
            self._commit()
            self.trace = trace
        records_max = min(request.records_max, PAGE_RECORDS_MAX)
        reader = (sender, trace)
        self._readers.append(reader)

        def answer(outcome: Outcome) -> None:
            if outcome.error is None:
                page: JournalPage = outcome.value
                self.send(sender, page)
            else:
                self._fail_reader(sender, outcome.error)
            self._readers.remove(reader)
            outcome.unwrap()
            self._tidy()  # a damaged key file is rewritten

        page = functools.partial(
            self._journal.view().page,
            since_ns=request.since_ns,
            until_ns=request.until_ns,
            types=request.types,
            key=request.key,
        )
        self.offload(page, request.after_sequence, records_max, then=answer)

    @handles(ReadCheckpoint)
    def read_checkpoint(self, request: ReadCheckpoint, sender: ActorAddress) -> None:
        """Read a checkpoint, off this thread."""
        self._at_checkpoints(self._journal.checkpoints().read, request, sender)

    @handles(KeepCheckpoint)
    def keep_checkpoint(self, request: KeepCheckpoint, sender: ActorAddress) -> None:
        """Write a checkpoint, off this thread; the reserve of a full disk is not for it."""
        if self._journal.reserve_held:
            self._at_checkpoints(self._journal.checkpoints().keep, request, sender)
        else:
            self.send(sender, CheckpointKept(name=request.name, reason="the disk is full"))

    def on_drained(self) -> None:
        """Commit the group; if a file has failed, raise, after every append was answered."""
        if self._waiting:
            self._commit()
        if self._failure is not None:
            raise self._failure

    @handles(LookDue)
    def look(self, _message: LookDue, _sender: ActorAddress) -> None:
        """Check that the files are in place, to fail at once and not at the next order; seal a day that is over."""
        self._journal.look()
        if not self._waiting:
            self._journal.end_day()
        self._tell_sealed()
        self.after_on_machine(LOOK_S, LookDue())

    @handles(ProveDurable)
    def prove(self, _message: ProveDurable, sender: ActorAddress) -> None:
        """Prove that appends become durable; where they do not, the journal fails as by an append."""
        self._journal.prove()
        self.send(sender, DurableProved(last_sequence=self._journal.last_sequence))

    @handles(TidyAgain)
    def tidy_again(self, _message: TidyAgain, _sender: ActorAddress) -> None:
        """Retry upkeep that the disk refused."""
        self._tidying = False
        self._tidy()

    def is_drained(self) -> bool:
        """Wait until every writer is answered."""
        return not self._waiting

    def statistics(self) -> JournalStatistics:
        """Return the counts of durable records."""
        journal = self._journal
        return JournalStatistics(
            records=journal.last_sequence - journal.oldest_sequence + 1,
            appended=journal.appended,
            commits=journal.commits,
            bytes_written=journal.bytes_written,
            path=str(journal.directory),
            commit=self._commits.timing(),
        )

    def _buffer(self, request: Append, sender: ActorAddress) -> None:
        if not self._chains.admits(request):
            self._refuse(request, sender, AppendOrphanedError(f"append {request.follows}, which it follows, was lost"))
            return
        try:
            ticket = self._journal.append(request.facts, request.correlation_id)
        except (JournalFullError, JournalFailedError) as refusal:
            self._note(refusal)
            self._refuse(request, sender, refusal)
            return
        self._waiting.append((sender, ticket, request, self.trace))
        if self._journal.buffered_bytes >= self.settings.group_bytes_max:
            self._commit()

    def _commit(self) -> None:
        began_ns = self.machine_ns()
        try:
            self._journal.commit()
        except (JournalFullError, JournalFailedError) as fault:
            self._note(fault)
            self._settle(str(fault))
        else:
            self._commits.add(self.machine_ns() - began_ns)
            self._note_space()
            self._settle("")
            self._tell_sealed()
            self._tidy()

    def _settle(self, refusal: str) -> None:
        """Answer each buffered append; nothing is buffered any more, so each is durable or never will be."""
        records = self._journal.take_durable()
        if records:
            self.send(EVENTS, Journaled(records=records))
        durable = self._journal.last_sequence
        while self._waiting:
            sender, ticket, request, self.trace = self._waiting[0]
            if ticket.last_sequence <= durable:
                self.send(sender, appended(request, ticket.first_sequence))
            else:
                self._chains.lost(request)
                self.send(sender, append_refused(request, refusal))
            self._waiting.popleft()

    def _refuse(self, request: Append, sender: ActorAddress, refusal: JournalError) -> None:
        """Refuse one, after those before it were answered: answers come in the order of the appends."""
        self._chains.lost(request)
        trace = self.trace
        if self._journal.buffered_bytes:
            self._commit()
        else:
            self._settle(str(refusal))
        self.trace = trace
        self.send(sender, append_refused(request, str(refusal)))

    def _at_checkpoints(
        self, work: CheckpointWork, request: ReadCheckpoint | KeepCheckpoint, sender: ActorAddress
    ) -> None:
        def answer(outcome: Outcome) -> None:
            if outcome.error is None:
                found: CheckpointRead | CheckpointKept = outcome.value
                self.send(sender, found)
            else:
                self._fail_reader(sender, outcome.error, type(request).__name__)
            outcome.unwrap()

        self.offload(work, self._journal.view(), request, then=answer, lane=CHECKPOINT_LANE)

    def _fail_reader(self, reader: ActorAddress, fault: BaseException, message_type: str = "ReadJournal") -> None:
        error, reason = type(fault).__name__, str(fault)
        self.send(reader, Failed(actor=self.name, message_type=message_type, error=error, reason=reason))

    def _note(self, refusal: Exception) -> None:
        """Log a full disk once, not every refusal; note a failure, to be raised when all appends are answered."""
        if isinstance(refusal, JournalFailedError):
            self._failure = refusal
        if isinstance(refusal, JournalFullError) and not self._full:
            self._full = True
            self.log("journal.disk_filled", level="error", reason=str(refusal))

    def _note_space(self) -> None:
        if self._full and self._journal.reserve_held:
            self._full = False
            self.log("journal.space_returned", level="warning")

    def _tell_sealed(self) -> None:
        """Log each day that was sealed: a log that is kept elsewhere proves it later."""
        sealed, fault = self._journal.take_sealed()
        for seal in sealed:
            self.log("journal.day_sealed", day=seal.day, sequence=seal.last_sequence, hash=seal.last_hash)
        if fault:
            self.log_bounded("journal.day_not_sealed", level="error", reason=fault)

    def _tidy(self) -> None:
        """Run one upkeep job at a time, off this thread, as long as there is one."""
        chore = None if self._tidying else self._next_chore() or self._next_waypoint()
        if chore is not None:
            self._tidying = True
            work, segment = chore
            event = "journal.segment_archived" if work is archive_segment else "journal.keys_written"
            then = functools.partial(self._tidied, event)
            self.offload(work, self._journal.disk, segment, then=then, lane=UPKEEP_LANE)

    def _tidied(self, event: str, outcome: Outcome) -> None:
        if isinstance(outcome.error, UpkeepFailedError):
            self.log("journal.upkeep_failed", level="warning", reason=str(outcome.error))
            self.after_on_machine(UPKEEP_RETRY_S, TidyAgain())
            return
        written_bytes: int = outcome.unwrap()
        self._tidying = False
        if written_bytes:
            self.log(event, bytes=written_bytes)
        self._forget()
        self._tidy()

    def _next_chore(self) -> tuple[Chore, Segment] | None:
        journal = self._journal
        return next_chore(
            journal.closed_segments, self.settings.plain_segments_max, forget_before_ns=self._forget_before_ns()
        )

    def _next_waypoint(self) -> tuple[Chore, Segment] | None:
        waypoint = self._journal.next_waypoint() if self._journal.reserve_held else None
        return None if waypoint is None else (functools.partial(write_waypoint, waypoint), self._journal.active_segment)

    def _forget_before_ns(self) -> int:
        days = self.settings.retain_days
        return self.clock.now_ns() - days * DAY_NS if days else 0

    def _forget(self) -> None:
        """Remove old segments that the book does not need; commits a fact that says so, with all waiting appends."""
        before_ns = self._forget_before_ns()
        if not self._journal.forgettable(before_ns):
            return
        try:
            forgotten = self._journal.forget_before(before_ns)
        except (JournalFullError, JournalFailedError) as fault:
            self._note(fault)
            self._settle(str(fault))
            return
        self._settle("")
        for segment in forgotten:
            self.log("journal.segment_removed", path=str(segment.path))

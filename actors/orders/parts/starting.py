"""The start (plain): the journal is read back, the account entered, and every open order looked up."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from ....messages.addresses import BROKER, JOURNAL, ORDERS
from ....messages.broker import OrdersSentBefore
from ....messages.journal import (
    Append,
    Appended,
    CheckpointKept,
    CheckpointRead,
    JournalPage,
    KeepCheckpoint,
    ReadCheckpoint,
    ReadJournal,
)
from ....messages.supervision import Failed, Unavailable
from .. import updates
from ..book.checkpoint import CheckpointBrokenError, made, restored, version
from ..book.reading import TYPES
from ..errors import JournalLostError
from .due import ReadDue

if TYPE_CHECKING:
    from ...runtime import Outcome
    from .answering import Answering
    from .bracketing.keeping import Bracketing
    from .cancelling import Cancelling
    from .context import OrdersContext
    from .expiring import Expiring
    from .hearing import Hearing
    from .limiting import Limiting
    from .operator_watch import OperatorWatch
    from .resolving import Resolving
    from .risk_keeping import RiskKeeper
    from .state_keeping import StateKeeping

JOURNAL_TIMEOUT_S: Final = 10.0
"""Seconds that the journal may take for a page, or to append the account of the run; then it is read again."""

CHECKPOINT_TIMEOUT_S: Final = 60.0
"""Seconds that it may take to read a checkpoint, or to write one."""


class Starting:
    """Brings the book up to date with the journal, and open orders with the broker."""

    def __init__(  # noqa: PLR0913, PLR0917  it starts all of them
        self,
        context: OrdersContext,
        risk: RiskKeeper,
        cancelling: Cancelling,
        resolving: Resolving,
        hearing: Hearing,
        answering: Answering,
        bracketing: Bracketing,
        states: StateKeeping,
        limiting: Limiting,
        operator: OperatorWatch,
        expiring: Expiring,
    ) -> None:
        """Begin with nothing read."""
        self._context: Final = context
        self._risk: Final = risk
        self._cancelling: Final = cancelling
        self._resolving: Final = resolving
        self._hearing: Final = hearing
        self._answering: Final = answering
        self._bracketing: Final = bracketing
        self._states: Final = states
        self._limiting: Final = limiting
        self._operator: Final = operator
        self._expiring: Final = expiring
        self.has_entered = False
        """Whether the account of this run has been entered, which happens once in a run."""

        self._checkpoint: int | None = None
        """Sequence of the checkpoint that the book goes on with; 0: of none, None: not asked for yet."""

        self._is_read_through = False
        """Whether the end of the journal was reached once: from then on the book also has facts that were not read from
        it."""

    def read_on(self) -> None:
        """Read the checkpoint, or the next page of the journal."""
        if self._checkpoint is None and self._context.settings.checkpoint_facts and version():
            request = ReadCheckpoint(name=ORDERS, version=version())
            self._context.ask(JOURNAL, request, timeout_s=CHECKPOINT_TIMEOUT_S, then=self._take_checkpoint)
            return
        after = self._context.read_back.sequence
        page = ReadJournal(after_sequence=after, types=TYPES)
        then = functools.partial(self._take_page, after)
        self._context.ask(JOURNAL, page, timeout_s=JOURNAL_TIMEOUT_S, then=then)

    def journal_failed(self, reason: str) -> None:
        """Read the journal again later.

        Raises:
            JournalLostError: appends are unanswered, and only reading the journal back shows which are durable.
        """
        if unanswered := len(self._context.ledger):
            raise JournalLostError(f"{unanswered} answers of the journal wanted, found: {reason}")
        self._read_later()

    def _take_checkpoint(self, outcome: Outcome) -> None:
        """Go on from a checkpoint, if there is a valid one; else the whole journal is read."""
        found, context = outcome.value, self._context
        if self._checkpoint is not None:
            return  # the answer to a second request: the book is past the first answer by now
        if isinstance(found, Failed | Unavailable):
            context.log("answer.failed", level="error", actor=found.actor, reason=found.reason)
            self.journal_failed(found.reason)
            return
        if not isinstance(found, CheckpointRead):
            self._failed("checkpoint.not_read", outcome)
            return
        self._checkpoint, reason = found.sequence, found.reason
        if found.sequence:
            try:
                restored(context.ledger, context.read_back, ended=found.past, state=found.state)
            except CheckpointBrokenError as fault:
                self._checkpoint, reason = 0, str(fault)
        if reason:
            context.log("checkpoint.refused", level="warning", reason=reason)
        self.read_on()

    def _take_page(self, after: int, outcome: Outcome) -> None:
        """Take a page that this instance requested; one requested by an earlier instance would be out of date.

        So would one that was asked for twice: each record goes into the book once, and in its sequence.
        """
        answer = outcome.value
        if isinstance(answer, JournalPage):
            if after != self._context.read_back.sequence:
                return
            self._read_page(answer)
        elif isinstance(answer, Failed | Unavailable):
            self._context.log("answer.failed", level="error", actor=answer.actor, reason=answer.reason)
            self.journal_failed(answer.reason)
        else:
            self._failed("journal.not_read", outcome)

    def _read_page(self, page: JournalPage) -> None:
        """Build the book from the journal, page by page."""
        read_back = self._context.read_back
        for record in page.records:
            read_back.take_in(record, self._context.ledger)
        if page.records and read_back.sequence < page.last_sequence:
            self.read_on()
            return
        read_back.read_to(page.last_sequence)
        self._keep_checkpoint()
        if self.has_entered:
            self._write_limits()
        else:
            self._enter()

    def _keep_checkpoint(self) -> None:
        """Keep a checkpoint for the next start, if this one read much: the book has only the journal in it yet."""
        context, before, sequence = self._context, self._checkpoint, self._context.read_back.sequence
        is_first, self._is_read_through = not self._is_read_through and context.ledger.is_read_alone, True
        if before is None or not is_first or sequence - before < context.settings.checkpoint_facts:
            return
        ended, state = made(context.ledger, context.read_back)

        def written(outcome: Outcome) -> None:
            answer = outcome.value
            if isinstance(answer, CheckpointKept) and answer.sequence:
                context.log("checkpoint.kept", sequence=answer.sequence)
            else:
                context.log("checkpoint.not_kept", level="warning", answer=str(answer or outcome.error))

        checkpoint = KeepCheckpoint(
            name=ORDERS, version=version(), sequence=sequence, follows=before, past=ended, state=state
        )
        context.ask(JOURNAL, checkpoint, timeout_s=CHECKPOINT_TIMEOUT_S, then=written)

    def _enter(self) -> None:
        """Enter the account that this run trades on, and go on when that is durable.

        Raises:
            AccountUnfinishedError: the settings ask for an account that cannot go on.
        """
        context = self._context
        choice = context.settings.account
        entered = context.ledger.accounts.choose("session" if choice == "auto" else choice, context.now_ns())
        if entered is None:
            self.has_entered = True
            self._write_limits()
            return

        def written(outcome: Outcome) -> None:
            if isinstance(outcome.value, Appended):
                self.has_entered = True
                context.read_back.note(outcome.value.last_sequence)
                context.ledger.enter(entered)
                context.log("account.entered", account=entered.account, choice=entered.choice)
                self._write_limits()
            else:
                self._failed("account.not_entered", outcome)

        context.ask(JOURNAL, Append(facts=(entered,)), timeout_s=JOURNAL_TIMEOUT_S, then=written)

    def _write_limits(self) -> None:
        """Have limits journaled that differ from before, and go on when that is durable."""
        context = self._context
        changed_limits = self._limiting.begin()
        if changed_limits is None:
            self._reconcile()
            return

        def written(outcome: Outcome) -> None:
            if not isinstance(outcome.value, Appended):
                self._failed("limits.not_written", outcome)
                return
            context.read_back.note(outcome.value.last_sequence)
            self._limiting.tell(changed_limits)
            self._reconcile()

        context.ask(JOURNAL, Append(facts=(changed_limits,)), timeout_s=JOURNAL_TIMEOUT_S, then=written)

    def _reconcile(self) -> None:
        """Look up every open order, except those that this instance has just sent or appended."""
        context, lookups = self._context, self._resolving.lookups
        is_first = not context.is_read
        context.is_read = True
        if is_first:
            self._tell_sent()
        for order in context.ledger.book.open_orders():
            client_order_id = order.client_order_id
            ours = lookups.is_placing(client_order_id) or context.ledger.is_waiting(client_order_id)
            if ours or not (is_first or self._hearing.is_in_doubt(order)):
                continue
            reason = "the answer did not outlive a restart; it is not sent again"
            self._hearing.take(order, updates.unanswered(order, reason, context.now_ns()))
            lookups.require(client_order_id)
            self._resolving.find(client_order_id)
        if is_first:
            self._operator.begin()
            self._look_up_early()
            self._risk.halt_again()
            self._risk.halt_by_file()
            self._risk.write_halt()
            self._cancelling.cancel_halted()
            self._cancelling.cancel_waiting()
            self._bracketing.begin_waiting()
            self._states.catch_up()
            self._answering.tell_waiting()
            self._bracketing.begin_anew()
            self._expiring.begin()
        self._resolving.keep_reconciling()
        self._resolving.keep_looking()
        self._hearing.come_up()

    def _look_up_early(self) -> None:
        """Look up the orders that the broker reported on before the book was complete."""
        early, self._context.said_early = self._context.said_early, {}
        for client_order_id in early:
            if self._context.ledger.order(client_order_id) is not None:
                self._resolving.doubt(client_order_id)

    def _tell_sent(self) -> None:
        """Tell the session what left within a day: the broker's limits know nothing of our restarts."""
        times_ns = self._context.read_back.take_sent_ns(self._context.now_ns())
        if times_ns and not self._context.market_rules:
            self._context.send(BROKER, OrdersSentBefore(times_ns=times_ns))

    def _failed(self, event: str, outcome: Outcome) -> None:
        self._context.log(event, level="error", answer=str(outcome.value or outcome.error))
        self._read_later()

    def _read_later(self) -> None:
        self._context.after(self._context.settings.lookup_interval_s, ReadDue())

"""Who changes the risk state (plain): a person, the kill switch, a limit of the day, and whoever limits for a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from ....config.halt_file import HaltFile
from ....messages.addresses import JOURNAL, KILL_SWITCH, ORDERS
from ....messages.kill_switch import HaltTrading, TradingHalted
from ....messages.risk_state import Resumed, ResumeRefused
from ..book.protecting import held_without_stop
from ..risk_state import RiskControl, changed, strictest, why_not_resumed
from ..rules import Trip, tripped, warned
from .due import ChangeDue

if TYPE_CHECKING:
    from ....messages.risk_state import KeptRiskState, ReduceOnly, Resume, RiskState, RiskStateChanged
    from ...runtime import ActorAddress
    from ..halting import Halting
    from .cancelling import Cancelling
    from .context import OrdersContext

Handover: TypeAlias = tuple[str, str, dict[str, str]]
"""The cause of a halt that is not durable yet, who wants it; why only orders that reduce may pass, by who says so."""


class RiskKeeper:
    """The risk state, of what is durable and what is on its way to the journal."""

    def __init__(self, context: OrdersContext, halting: Halting, cancelling: Cancelling) -> None:
        """Begin RECONCILING."""
        self._context: Final = context
        self._ledger: Final = context.ledger
        self._halting: Final = halting
        self._cancelling: Final = cancelling
        self._control: Final = RiskControl()
        paths = context.settings.halt_paths
        self._halt_file = HaltFile(*paths) if paths else None
        self._resumer: ActorAddress | None = None
        self._halted_because = ""

    @property
    def state(self) -> RiskState:
        """The effective state."""
        return self._control.state(self._ledger.book.risk_state, self._ledger.changes)

    @property
    def cause(self) -> str:
        """Why it is so: all reasons for REDUCING, where nothing halts; else the cause of the newest change."""
        book, control = self._ledger.book, self._control
        if control.alarm or book.risk_state == "HALTED" or not control.limits:
            return control.alarm or book.risk_cause
        lasting = f"{book.risk_cause}; " if book.risk_state == "REDUCING" else ""
        return f"{lasting}{control.why_limited}"

    @property
    def is_reconciled(self) -> bool:
        """Whether the start has reconciled."""
        return self._control.is_reconciled

    def reconciled(self) -> None:
        """Leave RECONCILING."""
        self._control.is_reconciled = True

    def why_halted(self) -> str:
        """Say why an order whose intent is durable may not leave after all; empty: it may."""
        if self.state == "HALTED":
            return self._control.alarm or self._ledger.risk_cause
        return "the kill switch is on" if self._is_engaged() else ""

    # A limit of the day.

    def watch(self, now_ns: int) -> None:
        """Leave NORMAL if a limit of the day was passed."""
        settings = self._context.settings
        if settings.day_loss_max_rupees or settings.rejects_max or settings.unknown_orders_max:
            trip = tripped(self._ledger.book, settings, now_ns, self._context.market or {})
            if trip is not None:
                self.trip(trip)

    def warning(self, now_ns: int) -> str:
        """Return what a person should know: of the day's orders, although all of them pass, and of a halt; or empty."""
        context, book = self._context, self._ledger.book
        told = [warned(book, context.settings, now_ns)]
        if self.state == "HALTED" and (bare := held_without_stop(book, context.theirs, context.settings.product)):
            told.append(f"halted, and held without a stop: {bare}")
        return "; ".join(filter(None, told))

    def trip(self, trip: Trip) -> None:
        """Enter a stricter state, from now on; where that is HALTED cancel every open order."""
        if strictest(trip.state, self._ledger.risk_state) == self._ledger.risk_state:
            return
        if trip.state == "HALTED":
            self._control.alarm, self._control.alarmed_by = trip.cause, ORDERS
            self._halting.is_on = True
        self._write(self._change(trip.state, trip.cause, ORDERS))
        if trip.state == "HALTED":
            self._cancelling.cancel_halted()

    def keep_day(self, cause: str) -> None:
        """With a cause, let the present day go on and nothing open a position, until a person resumes.

        If the journal refuses it, it is appended again soon; until then it holds in this run alone.
        """
        control, ledger = self._control, self._ledger
        if cause:
            control.limit(ORDERS, cause)
        why = control.limits.get(ORDERS, "")
        if not why or (any(change.keeps_day for change in ledger.changes) and not cause):
            return
        ledger.book.keep_day()
        before = ledger.risk_cause if ledger.risk_state != "NORMAL" else ""
        self._context.log("day.kept", level="error", reason=why)
        self._write(
            changed(
                ledger.risk_state,
                "HALTED" if ledger.risk_state == "HALTED" else "REDUCING",
                cause=f"{why}; {before}" if before else why,
                by=ORDERS,
                now_ns=self._context.now_ns(),
                keeps_day=True,
            )
        )

    # A person, the kill switch, and whoever limits for a time.

    def resume(self, request: Resume, sender: ActorAddress) -> None:
        """Leave HALTED, or a REDUCING that a limit has caused, once that is durable; nothing else leaves them.

        Before the book is complete nobody knows for what: a later halt may be behind in the journal.
        """
        if self._context.puts_off(sender):
            return
        found = self.state
        to_be, engaged = self._ledger.risk_state, self._is_engaged()
        refusal = why_not_resumed(request, found=found, to_be=to_be, kill_switch=engaged)
        if refusal:
            self._context.send(sender, ResumeRefused(risk_state=found, reason=refusal))
            return
        self._resumer, self._halted_because = sender, self._ledger.book.risk_cause
        self._write(self._change("NORMAL", request.reason, request.person))

    def halt(self, request: HaltTrading, sender: ActorAddress) -> None:
        """Let nothing pass from now on, and cancel every open order; answered when the halt is durable.

        While the journal is read back it holds, and is written and answered afterwards.
        """
        self._begin_halt(request, sender)
        self._cancelling.cancel_halted()
        if self._context.is_read:
            self.write_halt()

    def halt_again(self) -> None:
        """Go on cancelling what is open, in another process than that which halted: it may not have come to it."""
        if self._ledger.book.cancels_open:
            self._halting.is_on = True

    def halt_by_file(self) -> None:
        """Halt if the file of the kill switch is there, which its owner may not have told this instance."""
        if self._control.alarm or self._halt_file is None or not self._halt_file.is_engaged():
            return
        note = self._halt_file.note()
        self._begin_halt(HaltTrading(cause=note.cause(), person=note.person))

    def _begin_halt(self, request: HaltTrading, asker: ActorAddress | None = None) -> None:
        self._halting.begin(request, asker)
        self._control.alarm, self._control.alarmed_by = self._halting.cause, self._halting.person or KILL_SWITCH

    def limit(self, request: ReduceOnly, sender: ActorAddress) -> None:
        """Let only orders pass that reduce a position, until every sender has taken its request back."""
        self.limit_by(getattr(sender, "name", ""), request.reason)

    def limit_by(self, by: str, reason: str) -> None:
        """Do the same for a sender by name; an empty reason takes its request back."""
        if self._control.limit(by, reason):
            level = "error" if reason else "warning"
            self._context.log("risk_state.limited", level=level, state=self.state, cause=reason, by=by)

    # The facts.

    def alarm(self, cause: str) -> RiskStateChanged | None:
        """Let no order pass from now on; return the fact to append, None if it is durable or on its way."""
        return self._halted(cause, ORDERS)

    def write_again(self) -> None:
        """Append once more what the journal has refused, unless it has become durable meanwhile."""
        self.write_halt()
        self.keep_day("")

    def write_halt(self) -> None:
        """Append the halt once more, unless it has become durable meanwhile."""
        control = self._control
        change = self._halted(control.alarm, control.alarmed_by) if control.alarm else None
        if change is not None:
            self._write(change)
        elif not self._ledger.changes:  # one that is on its way is answered by the journal
            control.alarm = ""
            self._tell_halted()

    def written(self, change: RiskStateChanged) -> None:
        """Log a change that is durable, and answer a pending `Resume`."""
        self._control.settle(change)
        if change.keeps_day:
            self._control.limit(ORDERS, "")
        level = "error" if change.state == "HALTED" else "warning"
        self._context.log(
            "risk_state.changed", level=level, state=change.state, cause=change.cause, by=change.changed_by
        )
        if change.state == "HALTED":
            self._tell_halted()
        elif change.state == "NORMAL":
            self._halting.end()
        if change.state == "NORMAL" and self._resumer is not None:
            self._context.send(
                self._resumer, Resumed(halted_because=self._halted_because, still=self._control.why_limited)
            )
            self._resumer = None

    def not_written(self, change: RiskStateChanged, reason: str) -> None:
        """Act on a change that the journal refused: what limits holds and is appended later, a `Resume` is refused."""
        if change.state == "HALTED" or change.keeps_day:
            self._context.after(self._context.settings.lookup_interval_s, ChangeDue())
        if change.state == "HALTED":
            self._tell_halted(reason)
        elif self._resumer is not None:
            self._context.send(self._resumer, ResumeRefused(risk_state=self.state, reason=reason))
            self._resumer = None

    def handover(self) -> Handover:
        """Return what is not in the journal."""
        return self._control.alarm, self._control.alarmed_by, self._control.limits

    def restore(self, state: Handover) -> None:
        """Take it over."""
        self._control.alarm, self._control.alarmed_by, self._control.limits = state

    def _is_engaged(self) -> bool:
        return self._halt_file is not None and self._halt_file.is_engaged()

    def _halted(self, cause: str, by: str) -> RiskStateChanged | None:
        # A person's halt is journaled even if something else has halted already.
        if self._ledger.risk_state == "HALTED" and (by == ORDERS or self._ledger.risk_cause == cause):
            return None
        self._control.alarm, self._control.alarmed_by = cause, by
        return self._change("HALTED", cause, by)

    def _change(self, state: KeptRiskState, cause: str, changed_by: str) -> RiskStateChanged:
        return changed(
            self._ledger.risk_state,
            state,
            cause=cause,
            by=changed_by,
            now_ns=self._context.now_ns(),
            cancels_open=state == "HALTED" and self._halting.is_on,
        )

    def _write(self, change: RiskStateChanged) -> None:
        self._context.send(JOURNAL, self._ledger.write_change(change))

    def _tell_halted(self, not_written: str = "") -> None:
        """Answer those who wanted a halt."""
        cancelling = len(self._cancelling.halted())
        for asker in self._halting.take_askers():
            self._context.send(asker, TradingHalted(cancelling=cancelling, not_written=not_written))

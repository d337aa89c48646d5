"""The limits in force (plain): those of the settings, with what a person changes while the system runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....messages.addresses import EVENTS, JOURNAL
from ....messages.journal import Append, Appended
from ....messages.risk import LimitsInForce, LimitsKept
from ..limits_in_force import by_person, changes, of_settings, tightened, wanted, why_not, with_held
from ..settings import subscription
from .due import WatchDue

if TYPE_CHECKING:
    from ....messages.risk import ChangeLimits, LimitsChanged
    from ...runtime import ActorAddress, Outcome
    from ..settings import OrdersActorSettings
    from .context import OrdersContext
    from .gate import Gate
    from .risk_keeping import RiskKeeper

WATCH_S: Final = 1.0
"""Seconds between two looks at the day's loss, besides the one after each fill; in a simulated market only orders
look."""

JOURNAL_S: Final = 10.0
"""Seconds that the journal may take for a change."""


class Limiting:
    """Puts limits in force: a stricter one before it is durable, any other after that."""

    def __init__(self, context: OrdersContext, gate: Gate, risk: RiskKeeper) -> None:
        """Begin with those of the settings."""
        self._context: Final = context
        self._gate: Final = gate
        self._risk: Final = risk
        self._is_busy = False
        self._is_watching = False
        self.watch()

    def begin(self) -> LimitsChanged | None:
        """Put in force what a person has changed before, as the journal has it; return the fact that is due."""
        context, read_back = self._context, self._context.read_back
        if self._is_busy:  # a change is on its way to the journal while it is read again: the answer puts it in force
            return None
        limits, ended = with_held(context.configured, read_back.held)
        self._put(limits)
        due = changes(read_back.limits, limits, context.now_ns(), ended=ended)
        return due if context.settings.audited else of_settings(due, ended)

    def tell(self, fact: LimitsChanged) -> None:
        """Note a fact that is durable, and log it."""
        self._context.read_back.take_limits(fact)
        who = {"person": fact.person, "reason": fact.reason} if fact.reason else {}
        for each in fact.changes:
            if each.before and each.before != each.after:
                level = "warning" if each.loosened else "info"
                self._context.log(
                    "limit.changed", level=level, limit=each.name, before=each.before, after=each.after, **who
                )

    def change(self, request: ChangeLimits, sender: ActorAddress) -> None:
        """Have a change journaled, and answer."""
        context = self._context
        if not context.is_read or self._is_busy:
            busy = "another change is being journaled" if self._is_busy else "the journal is being read"
            self._keep(sender, f"{busy}: ask again")
            return
        before = context.settings
        after, problems = wanted(before, request.values)
        fact = by_person(before, after, context.configured, request, context.now_ns())
        problems = problems or why_not(before, after, fact, request.confirmed)
        if not request.reason.strip():
            problems.append("wanted a reason, found none")
        if problems:
            self._keep(sender, *problems)
            return
        if not fact.changes:
            context.send(sender, LimitsInForce(changes=()))
            return
        self._put(tightened(before, fact))
        self._is_busy = True

        def written(outcome: Outcome) -> None:
            self._is_busy = False
            if not isinstance(outcome.value, Appended):
                reason = f"the journal did not take it: {outcome.error or outcome.value}"
                context.log("limit.not_written", level="error", reason=reason)
                self._keep(sender, reason, "what is stricter holds until orders starts again")
                return
            context.read_back.note(outcome.value.last_sequence)
            self._put(after)
            self.tell(fact)
            context.send(sender, LimitsInForce(changes=fact.changes))

        context.ask(JOURNAL, Append(facts=(fact,)), timeout_s=JOURNAL_S, then=written)

    def watch(self) -> None:
        """Look at the limits of the day from now on, where there are any; with real orders also at what is told."""
        context, of = self._context, self._context.settings
        has_any = of.day_loss_max_rupees or of.order_to_trade_max or of.operator_silence_max_s or of.audited
        if has_any and not (self._is_watching or context.market_rules):
            self._is_watching = True
            self.watch_again()

    def watch_again(self) -> None:
        """Look once more later."""
        self._context.after(WATCH_S, WatchDue())

    def _put(self, limits: OrdersActorSettings) -> None:
        context = self._context
        if limits == context.settings:
            return
        context.settings = limits
        self._gate.renew()
        if limits.need_prices and context.market is None:
            context.market = {}
            context.send(EVENTS, subscription(limits))
        self.watch()
        if context.is_read:
            self._risk.watch(context.now_ns())

    def _keep(self, sender: ActorAddress, *problems: str) -> None:
        self._context.send(sender, LimitsKept(problems=problems))

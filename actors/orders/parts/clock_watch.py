"""Looks whether the machine's clock was set ahead (plain): then the counts of the day go on, until a person resumes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....domain.clock_jumps import Look, set_ahead

if TYPE_CHECKING:
    from .context import OrdersContext
    from .risk_keeping import RiskKeeper


class ClockWatch:
    """The last look at both clocks. A simulated market has a time of its own, which nobody sets."""

    def __init__(self, context: OrdersContext, risk: RiskKeeper) -> None:
        """Look for the first time."""
        self._context: Final = context
        self._risk: Final = risk
        self.seen = Look(context.now_ns(), context.elapsed_ns())
        """What the last look saw; the next life of orders goes on with it."""

    def look(self) -> None:
        """Keep the day where the clock was set ahead since the last look, before anything is counted by it.

        A book that is not complete is looked at later: this must not be missed meanwhile.
        """
        context = self._context
        if context.market_rules or not context.is_read:
            return
        before, self.seen = self.seen, Look(context.now_ns(), context.elapsed_ns())
        self._risk.keep_day(set_ahead(before, self.seen))

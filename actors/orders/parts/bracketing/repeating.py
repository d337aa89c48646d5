"""When a step of a bracket is taken again that did not come about (plain).

After a pause, which doubles each time, as long as the step is needed. A broker that takes nothing for a moment would
have had all orders at the market at once: so the pause in front of one depends on how many before it failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .....messages.orders import CancelOrder, SubmitOrder
from ..due import BracketDue

if TYPE_CHECKING:
    from collections.abc import Collection

    from .....domain.brackets.steps import Step
    from ....runtime import Timer
    from ..context import OrdersContext

PAUSE_MAX_S: Final = 300.0
"""Seconds from one order at the market that was to close a bracket to the next, at most."""

DOUBLINGS_MAX: Final = 10
"""Times that a pause doubles, at most."""


class Repeating:
    """The steps that were taken, by the client order id of the entry."""

    def __init__(self, context: OrdersContext) -> None:
        """Begin with none, as after a restart: no id is submitted twice, and nothing changed that is so."""
        self._context: Final = context
        self._tries: dict[str, dict[Step, int]] = {}
        """How often each was taken, or failed before it was."""

        self._timers: dict[str, dict[Step, Timer]] = {}
        """By which those that are still needed are taken again."""

    def forget_all(self) -> None:
        """Have all steps taken at once that are needed."""
        for timers in self._timers.values():
            for timer in timers.values():
                timer.cancel()
        self._tries.clear()
        self._timers.clear()

    def forget(self, entry: str) -> None:
        """Forget a bracket that is done."""
        self._tries.pop(entry, None)

    def fired(self, entry: str, step: Step) -> None:
        """Note that the pause of a step is over."""
        self._timers.get(entry, {}).pop(step, None)

    def keep(self, entry: str, steps: Collection[Step]) -> None:
        """Repeat none but these."""
        timers = self._timers.get(entry, {})
        for gone in [each for each in timers if each not in steps]:
            timers.pop(gone).cancel()
        if not timers:
            self._timers.pop(entry, None)

    def is_pausing(self, entry: str, step: Step) -> bool:
        """Say whether a step was taken, or put off, a moment ago."""
        return step in self._timers.get(entry, {})

    def begin(self, entry: str, step: Step, *, failed: int, is_due: bool, at_once: bool) -> bool:
        """Say whether a step that does not pause is to be taken now; its pause begins.

        Args:
            entry: of its bracket.
            step: that is needed.
            failed: how many others failed that were for the same.
            is_due: its pause is over.
            at_once: it is put off for no failure.
        """
        tries = self._tries.setdefault(entry, {})
        is_now = is_due or (step not in tries and (at_once or not failed))
        tries[step] = tries.get(step, failed) + is_now
        pause_s = self._pause_s(step, tries[step] - 1)
        self._timers.setdefault(entry, {})[step] = self._context.after(pause_s, BracketDue(entry=entry, step=step))
        return is_now

    def _pause_s(self, step: Step, doublings: int) -> float:
        """Return the seconds until a step is taken again."""
        settings = self._context.settings
        if isinstance(step, CancelOrder):
            return settings.reconcile_interval_s  # until then it is repeated by who cancels
        longest_s = PAUSE_MAX_S if isinstance(step, SubmitOrder) else settings.reconcile_interval_s
        return min(settings.lookup_interval_s * float(1 << min(doublings, DOUBLINGS_MAX)), longest_s)

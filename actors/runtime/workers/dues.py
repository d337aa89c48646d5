"""What a worker process wants to be told in its turn: the timers that it has in the market, and its questions there.

The other side is `far_market`. Without a simulated market there is nothing of the kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .link import LinkError
from .wire import Answered, Arm, Asks, Disarm

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..quiet import Question
    from ..runtime_cell import RuntimeCell
    from ..timers import Timer

TIMERS_MAX: Final = 65_536
"""Timers of a process that may be pending in the market."""


class Dues:
    """Numbers of one process; `say` is called on the loop with each whose turn it is."""

    def __init__(self, cell: RuntimeCell, say: Callable[[int], object]) -> None:
        self._cell = cell
        self._say = say
        self._timers: dict[int, Timer] = {}
        self._questions: dict[int, Question] = {}

    # On the thread that reads; the market stands still meanwhile, since the process has a turn.

    def keep(self, parcel: Arm | Disarm) -> None:
        """Set a timer in the market, or cancel it.

        Raises:
            LinkError: there is no simulated market, the number is taken, or the process has too many.
        """
        market, timers = self._cell.services.market, self._timers
        if isinstance(parcel, Disarm):
            if (timer := timers.pop(parcel.number, None)) is not None:
                timer.cancel()
            return
        number = parcel.number
        if not market.rules or number in timers:
            raise LinkError(f"a new timer of a simulated market wanted, found number {number}")
        if len(timers) >= TIMERS_MAX:
            raise LinkError(f"at most {TIMERS_MAX} pending timers wanted, found one more")

        def fire() -> None:
            timers.pop(number, None)
            self._say(number)

        timers[number] = market.at(parcel.due_ns, fire, self._cell.market_phase)

    def cancel_timers(self) -> None:
        """Cancel all of them: the process has ended."""
        for timer in [*self._timers.values()]:
            timer.cancel()

    # On the loop.

    def hear(self, parcel: Asks | Answered) -> None:
        """Have the market wait for an outcome, or say in its turn that it may be handled."""
        cell, quiet = self._cell, self._cell.services.quiet
        number = parcel.number
        if isinstance(parcel, Asks):
            if cell.in_market_time:
                self._questions[number] = quiet.question_begun(cell)
            return
        question = self._questions.pop(number, None)
        if question is None or question.is_void:  # said all the same: what waits there is forgotten by that
            self._say(number)
        else:
            quiet.question_ended(question, lambda: self._say(number))

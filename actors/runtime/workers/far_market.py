"""The market's time in a worker process: it is the parent's, which comes with each frame, and so are the timers.

A timer that is set here is a number there, in the one heap of all the market's timers; when it is due, the parent says
its number, and what it was to call is called here. What is asked of a background actor is a number there, too: the
market stands still until the outcome is here, and says in its turn that it may be handled.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from ....messages.units import INTEGER_MAX
from ..market_clock import OURS, MarketClock
from ..quiet import Question, Quiescence
from ..timers import Timer, TimerHeap
from . import wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..cell import Cell
    from ..clock import Clock
    from ..timers import Fire


class FarMarket(MarketClock):
    """A clock that is set from outside; no timer of its own is ever due."""

    __slots__ = ("_numbers", "_pending", "_tell")

    def __init__(self, machine: Clock, opening_ns: int, tell: Callable[[wire.Parcel], object]) -> None:
        """Make a clock; `tell` says something to the parent."""
        super().__init__(machine, opening_ns)
        self._tell: Final = tell
        self._pending: dict[int, Callable[[], object]] = {}
        self._numbers: Final = itertools.count(1)

    def at(self, due_ns: int, fire: Fire, phase: int = OURS) -> Timer:
        """Call `fire` once, on the loop, at this market time; its phase is that of the actor in the parent."""
        del phase
        number = next(self._numbers)
        timer = FarTimer(fire, lambda: self._forget(number))
        self._pending[number] = timer.fire
        self._tell(wire.Arm(number, min(due_ns, INTEGER_MAX)))  # the wire has no later time; nor has a market
        return timer

    def pass_on(self, number: int) -> None:
        """Do what was to be done when the parent says this number; nothing if it was cancelled meanwhile."""
        call = self._pending.pop(number, None)
        if call is not None:
            call()

    def begin_question(self) -> int:
        """Have the market stand still until an outcome is handed over; return the number of the question."""
        number = next(self._numbers)
        self._tell(wire.Asks(number))
        return number

    def end_question(self, number: int, deliver: Callable[[], object]) -> None:
        """Have the outcome of a question delivered when the market says so."""
        self._pending[number] = deliver
        self._tell(wire.Answered(number))

    def _forget(self, number: int) -> None:
        if self._pending.pop(number, None) is not None:
            self._tell(wire.Disarm(number))


class FarTimer(Timer):
    """A timer that the parent keeps."""

    __slots__ = ("_disarm",)

    def __init__(self, fire: Fire, disarm: Callable[[], object]) -> None:
        super().__init__(_NONE, fire)
        self._disarm = disarm

    def cancel(self) -> None:
        """Cancel it, and have the parent forget it."""
        if self.waiting:
            super().cancel()
            self._disarm()


class FarQuestion(Question):
    """A question that the parent's market waits for."""

    __slots__ = ("number",)

    def __init__(self, cell: Cell, number: int) -> None:
        super().__init__(cell)
        self.number = number


class FarQuiescence(Quiescence):
    """Of one worker process: only the parent waits until it is idle."""

    __slots__ = ("_far", "_rested")

    def __init__(self, market: MarketClock, rested: Callable[[], object]) -> None:
        """Make one; `rested` has the parent told that an offloaded job is done, as soon as its outcome is handled."""
        super().__init__(market)
        self._far = market if isinstance(market, FarMarket) else None
        self._rested = rested

    def offload_ended(self, cell: Cell) -> None:
        """Count it no more, and have the parent told."""
        super().offload_ended(cell)
        self._rested()

    def question_begun(self, cell: Cell) -> Question:
        """Make the parent's market wait for what a background actor answers to this cell."""
        assert self._far is not None, "only in a market's time is a question waited for"
        return FarQuestion(cell, self._far.begin_question())

    def question_ended(self, question: Question, deliver: Callable[[], object]) -> None:
        """Have its outcome delivered when all is quiet there, in the order of the questions."""
        assert self._far is not None
        assert isinstance(question, FarQuestion)
        self._far.end_question(question.number, deliver)


_NONE: Final = TimerHeap()
"""Counts what is cancelled, and is never asked."""

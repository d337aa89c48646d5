"""The timers of a strategy: when each is due, and the function it calls (plain)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Final

import msgspec

from ...domain.time import SECOND_NS
from ..runtime import Timer
from .errors import TooManyTimersError

ALARMS_MAX: Final = 1_000
"""Timers of one strategy that may be pending. One that sets a timer at every tick is told so."""

WAIT_S_MAX: Final = 60.0
"""Longest wait, in seconds, on a machine's clock, which may be set or stand still meanwhile."""


class AlarmDue(msgspec.Struct, frozen=True, gc=False):
    """From a strategy to itself: look whether the alarm of this number is due."""

    number: int


class Alarm:
    """A pending timer, as `every` and `after` return it: `cancel()` forgets it."""

    def __init__(self, name: str, due_ns: int, following: Callable[[int], int] | None, call: Callable[[], Any]) -> None:
        """Make one.

        Args:
            name: what `on_timer` is told.
            due_ns: when it is due first: nanoseconds since 1970-01-01 UTC.
            following: from a time to when it is due next; None: it is due once.
            call: called at each time.
        """
        self.name: Final = name
        self.due_ns = due_ns
        self.is_pending = True
        self.timer: Timer | None = None
        self.following: Final = following
        self.call: Final = call

    def cancel(self) -> None:
        """Forget it; without effect if it is over."""
        self.is_pending = False
        if self.timer is not None:
            self.timer.cancel()

    def __repr__(self) -> str:
        state = f"due_ns={self.due_ns}" if self.is_pending else "over"
        return f"<timer {self.name!r} {state}>"


class Alarms:
    """All timers of one life of a strategy. One whose time was missed is called once, late, and then goes on."""

    def __init__(self, now_ns: Callable[[], int], arm: Callable[[float, AlarmDue], Timer], wait_s_max: float) -> None:
        """Make it.

        Args:
            now_ns: reads the time.
            arm: has `hear` called with that message, after so many seconds.
            wait_s_max: of one wait, at most.
        """
        self._now_ns: Final = now_ns
        self._arm: Final = arm
        self._wait_ns_max: Final = int(wait_s_max * SECOND_NS) if wait_s_max else 0
        self._pending: dict[int, Alarm] = {}
        self._numbers: Final = itertools.count(1)

    def set(self, alarm: Alarm) -> Alarm:
        """Begin to wait for an alarm.

        Raises:
            TooManyTimersError: `ALARMS_MAX` are pending.
        """
        if len(self._pending) >= ALARMS_MAX:  # cancelled timers are still among them
            self._pending = {number: each for number, each in self._pending.items() if each.is_pending}
        if len(self._pending) >= ALARMS_MAX:
            raise TooManyTimersError(f"at most {ALARMS_MAX} pending timers wanted, found one more: {alarm.name!r}")
        number = next(self._numbers)
        self._pending[number] = alarm
        self._wait(number, alarm)
        return alarm

    def hear(self, due: AlarmDue) -> None:
        """Call an alarm if it is due; else wait on."""
        alarm = self._pending.get(due.number)
        if alarm is None or not alarm.is_pending:
            self._pending.pop(due.number, None)
            return
        now_ns = self._now_ns()
        if now_ns < alarm.due_ns:
            self._wait(due.number, alarm)
            return
        if alarm.following is None:
            alarm.is_pending = False
            del self._pending[due.number]
        else:
            alarm.due_ns = alarm.following(now_ns)
            self._wait(due.number, alarm)
        alarm.call()

    def _wait(self, number: int, alarm: Alarm) -> None:
        wait_ns = max(alarm.due_ns - self._now_ns(), 0)
        if self._wait_ns_max:
            wait_ns = min(wait_ns, self._wait_ns_max)
        alarm.timer = self._arm(wait_ns / SECOND_NS, AlarmDue(number))

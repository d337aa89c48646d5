"""What a strategy does by the clock: timers in the exchange's time, and the opening and close of each session.

Owns    its timers and its clock.
Hears   AlarmDue, from itself.
Sends   AlarmDue, to itself.
Fails   when the user's code raises. A restart forgets all timers: `on_begin` sets them again.
"""

from __future__ import annotations

import _thread
import functools
import math
import threading
from typing import TYPE_CHECKING, Any, Final

from ...domain.calendar import session_at
from ...domain.time import SECOND_NS
from ..runtime import RuntimeActor, handles
from .alarms import WAIT_S_MAX, Alarm, AlarmDue, Alarms
from .errors import ForeignThreadError
from .exchange_clock import ExchangeClock
from .given import Given
from .schedule import Throughout, next_due_ns, next_edge, schedule_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..runtime import ActorAddress, Timer
    from .schedule import SessionEvent


NEVER_NS: Final = 1 << 63


class Timing(RuntimeActor):
    """The part of `StrategyActor` that is about time."""

    clock: ExchangeClock = Given()  # type: ignore[assignment]  # reads as a plain attribute
    """The exchange's time: `now`, `now_ns()`, `session`, `is_open`, `minutes_to_close`."""

    # For the user to define.

    def on_timer(self, name: str) -> None:
        """React to a timer that was set without a method to call; `name` is that of the timer."""

    def on_session(self, event: SessionEvent) -> None:
        """React to `open` and `close` of a session, before the first tick after it.

        `open` comes once a session: right after `on_begin` if it is open then already, and not again after a restart.
        """

    # For the user to call.

    def every(self, when: str | float, call: Callable[[], object] | str | None = None) -> Alarm:
        """Have a method called, or `on_timer`, again and again; call it in `on_begin`.

        Args:
            when: `"15:20"`, at that time of each trading day; `"open+5m"`, `"close-10m"`, by its session, also on days
                of other hours; `"5m"`, from the opening to the close, when candles of that length end; or a number of
                seconds, from now on, day and night.
            call: a method without arguments; or the name that `on_timer` is called with, by default `when` as a text.

        Returns:
            The timer, which has `cancel()`.

        Raises:
            ValueError: `when` is no such text, or the seconds are not above 0.
            TypeError: `when` is neither text nor number, or there is neither a method to call nor an `on_timer`.
            TooManyTimersError: 1,000 are pending.
            ForeignThreadError: the caller is a thread of the user's.
        """
        now_ns = self.clock.now_ns()
        if isinstance(when, str):
            schedule = schedule_of(when)
            following: Callable[[int], int] = functools.partial(next_due_ns, schedule)
            if isinstance(schedule, Throughout) and schedule.interval_ns < SECOND_NS:
                raise ValueError(f"at least 1 s wanted, found {when!r}")
        else:
            following = _Repeating(now_ns, _nanoseconds(when))
        return self._set(str(when), following(now_ns), following, call)

    def after(  # type: ignore[override]  # a message, as for every actor, may be left out here
        self, seconds: float, call: Any = None
    ) -> Alarm | Timer:
        """Have a method called, or `on_timer`, once after so many seconds of the exchange's time.

        Args:
            seconds: from now, at least 0.
            call: as for `every`; or a message that this actor handles, which is sent to it.

        Returns:
            The timer, which has `cancel()`.
        """
        if not (call is None or callable(call) or isinstance(call, str)):
            return super().after(seconds, call)
        due_ns = self.clock.now_ns() + (_nanoseconds(seconds) if seconds else 0)
        return self._set(str(seconds), due_ns, None, call)

    # Life.

    def on_start(self) -> None:
        """Read the exchange's clock, with no timer pending."""
        self._thread = _thread.get_ident()
        vars(self)["clock"] = ExchangeClock(self.clock)
        wait_s_max = 0.0 if self.market_rules else WAIT_S_MAX
        self._alarms = Alarms(self.clock.now_ns, super().after, wait_s_max)
        self._edge_ns = NEVER_NS
        self._told_open_ns = 0

    def _expect_own_thread(self, what: str) -> None:
        """Refuse what would be done in the middle of a handler, by another thread.

        Two threads at once would give two orders one id, of which only the first is placed.
        """
        if _thread.get_ident() != self._thread:
            raise ForeignThreadError(
                f"{what} by a handler of {self.name} wanted, found it by the thread {threading.current_thread().name}; "
                "offload(call, then=…) runs a call elsewhere, and `then` in the strategy"
            )

    def _watch_sessions(self) -> None:
        """Call `on_session` from now on, if the strategy defines it; with `open` at once if it is open already."""
        if type(self).on_session is Timing.on_session:
            return
        now_ns, today = self.clock.now_ns(), self.clock.session
        self._await_edge(now_ns)
        if today is not None and today.open_ns <= now_ns < today.close_ns and self._told_open_ns != today.open_ns:
            self._told_open_ns = today.open_ns
            self.on_session("open")

    def _await_edge(self, after_ns: int) -> None:
        self._edge_ns, event = next_edge(after_ns)
        self._edge = Alarm(event, self._edge_ns, None, self._pass_edge)
        self._alarms.set(self._edge)

    def _pass_edge(self) -> None:
        """Tell of an opening or a close: by a timer, or before the first tick after it if that comes first.

        A machine that slept is told late what it has missed; of a session that was over meanwhile neither is told.
        """
        passed = self._edge
        passed.cancel()
        self._await_edge(passed.due_ns)
        if passed.name == "open":
            if self._edge_ns > self.clock.now_ns():
                self._told_open_ns = passed.due_ns
                self.on_session("open")
        elif (ended := session_at(passed.due_ns)) is not None and self._told_open_ns == ended.open_ns:
            self.on_session("close")

    @handles(AlarmDue)
    def hear_alarm(self, due: AlarmDue, _sender: ActorAddress) -> None:
        """Call what a timer is to call."""
        self._alarms.hear(due)

    def _set(
        self, name: str, due_ns: int, following: Callable[[int], int] | None, call: Callable[[], object] | str | None
    ) -> Alarm:
        self._expect_own_thread(f"the timer {name!r}")
        if not callable(call):
            name = name if call is None else call
            if type(self).on_timer is Timing.on_timer:
                raise TypeError(f"a method to call at {name!r}, or an on_timer, is wanted; found neither")
            call = functools.partial(self.on_timer, name)
        return self._alarms.set(Alarm(name, due_ns, following, call))


class _Repeating:
    """Every so many nanoseconds from a time on."""

    def __init__(self, start_ns: int, interval_ns: int) -> None:
        self._start_ns = start_ns
        self._interval_ns = interval_ns

    def __call__(self, after_ns: int) -> int:
        passed = (after_ns - self._start_ns) // self._interval_ns
        return self._start_ns + (passed + 1) * self._interval_ns


def _nanoseconds(seconds: float) -> int:
    """Return a wait that a user gave.

    Raises:
        TypeError: it is no number.
        ValueError: it is not above 0 and finite.
    """
    if isinstance(seconds, bool) or not hasattr(seconds, "__float__"):
        raise TypeError(f"a number of seconds is wanted, found {seconds!r} ({type(seconds).__name__})")
    if not 0 < float(seconds) < math.inf:
        raise ValueError(f"seconds above 0 wanted, found {seconds!r}")
    return max(int(float(seconds) * SECOND_NS), 1)

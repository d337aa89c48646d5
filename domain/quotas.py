"""What a service allows in a period, and how much of it is used. Pure: time is passed in.

A request is counted from before it leaves until one period after its *answer*. The service counts it somewhere between
the two, at a moment that nobody here knows; a request that leaves a whole period after the answer of another can
therefore never stand in the same window as that one, whatever the network did, and wherever the service's windows
begin: sliding ones, and those of its own clock's seconds, minutes, hours and days.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

import msgspec

from .time import duration_text

DRIFT_SHARE: Final = 10_000
"""Two clocks may drift apart by one part in so many: 8.6 s a day, more than any crystal drifts."""


class Quota(msgspec.Struct, frozen=True, gc=False):
    """At most `requests` in any period."""

    requests: int
    """At least 1."""

    period_ns: int | None
    """Nanoseconds; None: for ever."""

    reserved: int = 0
    """How many of them are kept for urgent requests: 0 to `requests`."""

    def __post_init__(self) -> None:
        """Refuse what no request, or no urgent one, could ever fit into.

        Raises:
            ValueError: a number is out of its range.
        """
        period_ns = 1 if self.period_ns is None else self.period_ns
        if self.requests < 1 or not 0 <= self.reserved <= self.requests or period_ns < 1:
            raise ValueError(
                "a quota of at least 1 request in a period above 0, at most all of them reserved, is wanted, "
                f"found {self.requests} in {self.period_ns} ns, {self.reserved} reserved"
            )

    def allowed(self, *, urgent: bool) -> int:
        """Tell how many requests of this kind may be counted at once."""
        return self.requests if urgent else self.requests - self.reserved

    def __str__(self) -> str:
        """Write it as people do: `250 in 1m`."""
        return f"{self.requests} in {'all' if self.period_ns is None else duration_text(self.period_ns)}"


class Allowance(msgspec.Struct, frozen=True):
    """What is allowed of one kind of request."""

    quotas: tuple[Quota, ...]
    """All of them hold at once."""

    each_key: Quota | None = None
    """Of requests for one and the same thing, besides: such as the modifications of one order."""

    also: str = ""
    """Another kind, whose quotas these requests count against, too; it names no third."""


class Usage:
    """What is counted against one quota."""

    __slots__ = ("_answered", "_hold_ns", "in_flight", "quota")

    def __init__(self, quota: Quota, margin_ns: int = 0) -> None:
        self.quota: Final = quota
        self.in_flight = 0
        self._answered: Final[deque[int]] = deque()  # in order of time
        period_ns = quota.period_ns
        self._hold_ns: Final = None if period_ns is None else period_ns + period_ns // DRIFT_SHARE + margin_ns

    def begin(self) -> None:
        """Count a request that is about to leave."""
        self.in_flight += 1

    def end(self, now_ns: int) -> None:
        """Note that its answer has come, or is no longer awaited; times never step back."""
        self.in_flight -= 1
        self._answered.append(now_ns)

    def add(self, times_ns: Iterable[int]) -> None:
        """Note answers that came before, or among, those that are noted."""
        merged = sorted((*self._answered, *times_ns))
        self._answered.clear()
        self._answered.extend(merged)

    def counted(self, now_ns: int) -> int:
        """Tell how many requests still count."""
        answered, hold_ns = self._answered, self._hold_ns
        if hold_ns is not None:
            since_ns = now_ns - hold_ns
            while answered and answered[0] <= since_ns:
                answered.popleft()
        return self.in_flight + len(answered)

    def free_ns(self, now_ns: int, *, urgent: bool, ahead: int = 0) -> tuple[int | None, bool]:
        """Tell the earliest time at which one more fits behind `ahead` others that wait, and whether it is certain.

        Not certain is a time that depends on answers which are still to come; None is never.
        """
        allowed, hold_ns = self.quota.allowed(urgent=urgent), self._hold_ns
        must_end = self.counted(now_ns) + ahead - allowed  # the request, by order of leaving, whose period must be over
        if must_end < 0:
            return now_ns, True
        if hold_ns is None or not allowed:
            return None, True
        answered = self._answered
        if must_end < len(answered):
            return answered[must_end] + hold_ns, True
        # It is one of those ahead, which waits itself until the one a whole quota before it has ended, and so on.
        counted = self.in_flight + len(answered)
        periods = max(must_end - counted, -1) // self.quota.requests + 1
        must_end -= periods * self.quota.requests
        if must_end < 0:
            return now_ns + periods * hold_ns, False
        first_ns = answered[must_end] if must_end < len(answered) else now_ns
        return first_ns + (periods + 1) * hold_ns, False

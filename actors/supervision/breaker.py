"""The breaker that stands between a child's failures and its restarts."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Literal, TypeAlias, cast

import pybreaker

from ...domain.time import SECOND_NS

BreakerState: TypeAlias = Literal["closed", "open", "half-open"]


class RestartBreaker:
    """Closed: restart. Open: stay down. Half-open: start once and see.

    pybreaker keeps the count and the states. It is asked before and told after, never wrapped around the work, since it
    holds its lock while a wrapped call runs, counts a wrapped KeyboardInterrupt as a failure of ours, and can replace
    the error that trips it. It has no listeners (one that raises while it trips leaves it closed) and excludes no
    errors (an excluded error counts as success). All times are monotonic nanoseconds, passed in.
    """

    def __init__(self, *, fail_max: int, reset_timeout_s: float) -> None:
        self._storage = _MonotonicStorage()
        self._reset_timeout_ns = round(reset_timeout_s * SECOND_NS)
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=fail_max,
            reset_timeout=reset_timeout_s,
            state_storage=self._storage,
            throw_new_error_on_trip=False,
        )
        self.openings = 0
        """Openings in a row, without a success between them."""

    @property
    def state(self) -> BreakerState:
        """What it lets through now."""
        return cast("BreakerState", self._storage.state)

    def failed(self, now_ns: int) -> bool:
        """Count a failure; True: it is open now. One that is open already stays as it is."""
        if not self._is_open():
            self._storage.now_ns = now_ns
            with contextlib.suppress(_FailureToldError):
                self._breaker.call(_raise_failure)
            self.openings += self._is_open()
        return self._is_open()

    def succeeded(self, *, keeps_openings: bool = False) -> None:
        """Forget the failures and close; an open breaker has not let anything through that could have succeeded."""
        if not self._is_open():
            self._breaker.call(_do_nothing)
            if not keeps_openings:
                self.openings = 0

    def try_again(self) -> None:
        """Go from open to half-open. The supervisor calls it when `retry_after_s` is over, or with a whole group."""
        if self._is_open():
            self._breaker.half_open()

    def retry_after_s(self, now_ns: int) -> float:
        """Seconds until an open breaker wants to be tried again; 0 in any other state."""
        if not self._is_open():
            return 0.0
        return max(0, self._storage.opened_ns + self._reset_timeout_ns - now_ns) / SECOND_NS

    def _is_open(self) -> bool:
        return self._storage.state == pybreaker.STATE_OPEN


class _MonotonicStorage(pybreaker.CircuitMemoryStorage):
    """Takes the opening time from us: pybreaker would take it from the wall clock, which steps."""

    def __init__(self) -> None:
        super().__init__(pybreaker.STATE_CLOSED)
        self.now_ns = 0
        self.opened_ns = 0

    @property
    def opened_at(self) -> datetime | None:
        """Nothing: only a call to an open breaker would ask, and there is none."""
        return None

    @opened_at.setter
    def opened_at(self, _wall: datetime) -> None:
        self.opened_ns = self.now_ns


class _FailureToldError(Exception):
    """Stands for the child's error, which stays out of pybreaker: some kinds it treats in its own way."""


def _raise_failure() -> None:
    raise _FailureToldError


def _do_nothing() -> None:
    """Stand for the work that succeeded."""

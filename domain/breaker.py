"""The circuit breaker between failures and what is done about them: restarts of a child, requests to a service."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Literal, TypeAlias, cast

import pybreaker

from .time import SECOND_NS

BreakerState: TypeAlias = Literal["closed", "open", "half-open"]


class Breaker:
    """Closed: go on. Open: stop, until a time is over. Half-open: try once, as a probe.

    pybreaker keeps the count and the states. Its state is read before the work and the outcome reported after, and it
    never wraps the work: it holds its lock while a wrapped call runs, counts a KeyboardInterrupt as a failure, and can
    replace the error that trips it. It has no listeners (one that raises while it trips leaves it closed) and excludes
    no errors (an excluded error counts as success). All times are monotonic nanoseconds, passed in.

    Args:
        fail_max: failures in a row that open it.
        reset_timeout_s: seconds that it stays open.
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
        """`closed`, `open` or `half-open`."""
        return cast("BreakerState", self._storage.state)

    def failed(self, now_ns: int) -> bool:
        """Count a failure at `now_ns`; return whether it is open now. An open breaker counts none."""
        if not self._is_open():
            self._storage.now_ns = now_ns
            with contextlib.suppress(_FailureToldError):
                self._breaker.call(_raise_failure)
            self.openings += self._is_open()
        return self._is_open()

    def succeeded(self, *, keeps_openings: bool = False) -> None:
        """Reset the failures and close; no effect on an open breaker, behind which nothing can have succeeded.

        Args:
            keeps_openings: count the next opening as one in a row with those before.
        """
        if not self._is_open():
            self._breaker.call(_do_nothing)
            if not keeps_openings:
                self.openings = 0

    def try_again(self) -> None:
        """Go from open to half-open: when `retry_after_s` has passed, or a sibling's restart includes the child."""
        if self._is_open():
            self._breaker.half_open()

    def retry_after_s(self, now_ns: int) -> float:
        """Return the seconds until an open breaker may be tried again; 0 in any other state."""
        if not self._is_open():
            return 0.0
        return max(0, self._storage.opened_ns + self._reset_timeout_ns - now_ns) / SECOND_NS

    def _is_open(self) -> bool:
        return self._storage.state == pybreaker.STATE_OPEN


class _MonotonicStorage(pybreaker.CircuitMemoryStorage):
    """Keeps the opening time on the monotonic clock: pybreaker would use the wall clock, which may be set."""

    now_ns: int
    """When the failure occurred: monotonic nanoseconds."""

    opened_ns: int
    """When it opened last."""

    def __init__(self) -> None:
        super().__init__(pybreaker.STATE_CLOSED)

    @property
    def opened_at(self) -> datetime | None:
        """Nothing: only a call to an open breaker would ask, and there is none."""
        return None

    @opened_at.setter
    def opened_at(self, _wall: datetime) -> None:
        self.opened_ns = self.now_ns


class _FailureToldError(Exception):
    """Takes the place of the child's error, since pybreaker treats some kinds of errors in its own way."""


def _raise_failure() -> None:
    raise _FailureToldError


def _do_nothing() -> None:
    """Take the place of work that succeeded."""

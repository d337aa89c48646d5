"""Pinging the services of the process's container: what a program registered, and says itself whether it works.

A ping is a function of the user's, and may block. So one thread pings them in turn, again and again as the system is
looked at, and a look is told what the newest ping of each has shown; it waits for none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from ...domain.time import SECOND_NS
from ...domain.wording import counted
from ..runtime import reason_of

Pings: TypeAlias = Callable[[], Mapping[str, Callable[[], object]]]
"""Returns, by name of the service, what raises if it does not work."""

LATE_NS: Final = 2 * SECOND_NS
"""A ping that takes longer is told as one that has not answered."""


def no_pings() -> Mapping[str, Callable[[], object]]:
    """Return none: there is no container to look at."""
    return {}


class Pinger:
    """Pings, one round at a time; what it has found may be read by another thread meanwhile."""

    def __init__(self, pings: Pings, *, monotonic_ns: Callable[[], int]) -> None:
        """Begin; nothing is pinged yet."""
        self._pings: Final = pings
        self._monotonic_ns: Final = monotonic_ns
        self._is_pinging = False
        self._at: tuple[str, int] | None = None
        """The service that is being pinged, and since when."""

        self._faults: dict[str, str] = {}

    def begin(self) -> bool:
        """Tell whether a round is to be made now; if so, the caller has a thread call `ping`, and then calls `end`."""
        was_pinging, self._is_pinging = self._is_pinging, True
        return not was_pinging

    def ping(self) -> None:
        """Ping them all; may block for as long as they do."""
        pings = self._pings()
        self._faults = {name: fault for name, fault in self._faults.items() if name in pings}
        for name, ping in pings.items():
            self._at = name, self._monotonic_ns()
            fault = _fault_of(ping)
            self._at, self._faults = None, {**self._faults, name: fault}

    def end(self) -> None:
        """Take note that the round is over."""
        self._is_pinging = False

    def found(self) -> dict[str, str]:
        """Return why each service does not work, by name; an empty text: it does."""
        faults, at = self._faults, self._at
        if at is None or self._monotonic_ns() - at[1] < LATE_NS:
            return faults
        waited = counted((self._monotonic_ns() - at[1]) // SECOND_NS, "second")
        return {**faults, at[0]: f"its ping has not answered for {waited}"}


def _fault_of(ping: Callable[[], object]) -> str:
    try:
        ping()
    except Exception as fault:  # noqa: BLE001  whichever it is, it is told
        return f"{type(fault).__name__}: {reason_of(fault)}"
    return ""

"""Counting requests as the broker does: every one that is let in, in sliding windows. Pure.

Whether Dhan has those or windows of its clock is not known: what fits into the former fits into any of the latter, so
that a client that passes here passes there. A request that is refused does not count.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ....domain.quotas import Allowance, Quota

KEYS_MAX: Final = 10_000
"""Things for which requests are counted apart; the one that was asked for longest ago is forgotten first."""


class Window:
    """One quota."""

    __slots__ = ("_arrived", "_quota")

    def __init__(self, quota: Quota) -> None:
        self._quota: Final = quota
        self._arrived: Final[deque[int]] = deque()

    def is_full(self, now_ns: int) -> bool:
        """Tell whether one more is too many."""
        arrived, quota = self._arrived, self._quota
        period_ns = quota.period_ns
        while period_ns is not None and arrived and arrived[0] <= now_ns - period_ns:
            arrived.popleft()
        return len(arrived) >= quota.requests

    def count(self, now_ns: int) -> None:
        """Count one."""
        self._arrived.append(now_ns)


class RequestCounts:
    """Every kind of request of one client."""

    def __init__(self, allowances: Mapping[str, Allowance]) -> None:
        """Begin with none; an allowance without quotas allows everything."""
        self._allowances: Final = allowances
        own = {kind: tuple(map(Window, allowance.quotas)) for kind, allowance in allowances.items()}
        self._windows: Final = {
            kind: own[kind] + (own[allowance.also] if allowance.also else ()) for kind, allowance in allowances.items()
        }
        self._of_key: Final[OrderedDict[tuple[str, str], Window]] = OrderedDict()

    def admit(self, kind: str, now_ns: int, *, key: str = "") -> bool:
        """Count a request if it is allowed; return whether it was.

        Args:
            kind: of request.
            now_ns: nanoseconds, of a clock that never steps back.
            key: of what it is about, where those are counted apart.
        """
        windows = self._windows[kind]
        if any(window.is_full(now_ns) for window in windows):
            return False
        each_key = self._allowances[kind].each_key if key else None
        if each_key is not None:
            of_key = self._of_key.setdefault((kind, key), Window(each_key))
            self._of_key.move_to_end((kind, key))
            if len(self._of_key) > KEYS_MAX:
                self._of_key.popitem(last=False)
            windows = (*windows, of_key)
            if of_key.is_full(now_ns):
                return False
        for window in windows:
            window.count(now_ns)
        return True

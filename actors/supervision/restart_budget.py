"""How many restarts a supervisor may spend before it gives up."""

from __future__ import annotations

from collections import deque

from ...domain.time import SECOND_NS


class RestartBudget:
    """At most `restarts_max` restarts in any `window_ns`; after that the supervisor gives up.

    Without it a child that fails at once would restart for ever. Source: Erlang/OTP, restart intensity. A restart of
    the supervisor spends from the same budget, which is handed over: else each level of a tree would multiply restarts.
    """

    def __init__(self, *, restarts_max: int, window_ns: int) -> None:
        self.limit = f"more than {restarts_max} restarts in {window_ns / SECOND_NS:g} s"
        """The limit in words, as the reason of giving up."""

        self._restarts_max = restarts_max
        self._window_ns = window_ns
        self._spent_ns: deque[int] = deque(maxlen=restarts_max + 1)

    def spend(self, now_ns: int) -> bool:
        """Record a restart at `now_ns` (monotonic) and say whether it is allowed."""
        while self._spent_ns and self._spent_ns[0] <= now_ns - self._window_ns:
            self._spent_ns.popleft()
        self._spent_ns.append(now_ns)
        return len(self._spent_ns) <= self._restarts_max

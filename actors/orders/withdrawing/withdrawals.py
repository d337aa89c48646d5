"""Cancellations that wait until their order can be cancelled (plain, without actors).

An order cannot be cancelled while the journal is not read back, its intent is not durable, or the broker may not have
it yet. Whose order it is may not be known so early, so each waits together with the strategy that it may be of.
"""

from __future__ import annotations

from typing import Final

WITHDRAWALS_MAX: Final = 10_000
"""Orders whose cancellation may wait."""


class Withdrawals:
    """The waiting cancellations, by client order id, each with the strategies that asked; an empty name is any."""

    def __init__(self) -> None:
        self._asked: dict[str, frozenset[str]] = {}

    def __contains__(self, client_order_id: str) -> bool:
        """Whether any cancellation of this order waits."""
        return client_order_id in self._asked

    def add(self, client_order_id: str, *, only: str) -> bool:
        """Let one wait that is of this strategy; False where too many wait already."""
        if len(self._asked) >= WITHDRAWALS_MAX:
            return False
        self._asked[client_order_id] = self._asked.get(client_order_id, frozenset()) | {only}
        return True

    def is_asked(self, client_order_id: str, strategy: str) -> bool:
        """Say whether one waits from a sender who may speak for the order's strategy."""
        return bool(self._asked.get(client_order_id, frozenset()) & {"", strategy})

    def others(self, client_order_id: str, strategy: str) -> str:
        """Name the strategies that asked for it and may not; empty where one that may has asked, or none has."""
        if self.is_asked(client_order_id, strategy):
            return ""
        return ", ".join(sorted(self._asked.get(client_order_id, ())))

    def drop(self, client_order_id: str) -> None:
        """Forget the cancellations of an order."""
        self._asked.pop(client_order_id, None)

    def take_all(self) -> tuple[tuple[str, str], ...]:
        """Return all of them, each with the strategy that asked, and forget them."""
        taken = tuple((each, only) for each, may_be_of in sorted(self._asked.items()) for only in sorted(may_be_of))
        self._asked = {}
        return taken

    def handover(self) -> dict[str, frozenset[str]]:
        """Return all of them for the next instance."""
        return dict(self._asked)

    def restore(self, waiting: dict[str, frozenset[str]]) -> None:
        """Take them over."""
        self._asked.update(waiting)

"""Cancellations that wait until their order can be cancelled (plain, without actors).

An order cannot be cancelled while the journal is not read back, its intent is not durable, or the broker may not have
it yet. Whose order it is may not be known so early, so each waits together with the strategy that it may be of.
"""

from __future__ import annotations

from typing import Final

WITHDRAWALS_MAX: Final = 10_000
"""Orders whose cancellation may wait."""


class Withdrawals:
    """The waiting cancellations, by client order id, each with the strategies that it may be of, and who asked.

    An empty name of a strategy is any.
    """

    def __init__(self) -> None:
        self._asked: dict[str, dict[str, str]] = {}

    def __contains__(self, client_order_id: str) -> bool:
        """Whether any cancellation of this order waits."""
        return client_order_id in self._asked

    def add(self, client_order_id: str, *, only: str, asked_by: str) -> bool:
        """Let a cancellation by this strategy wait; False where too many wait already."""
        if len(self._asked) >= WITHDRAWALS_MAX:
            return False
        self._asked.setdefault(client_order_id, {})[only] = asked_by
        return True

    def asked_by(self, client_order_id: str, strategy: str) -> str:
        """Name who asked for a cancellation and may speak for the order's strategy; empty: nobody did."""
        asked = self._asked.get(client_order_id, {})
        return asked.get(strategy) or asked.get("", "")

    def others(self, client_order_id: str, strategy: str) -> str:
        """Name the strategies that asked for it and may not; empty where one that may has asked, or none has."""
        if self.asked_by(client_order_id, strategy):
            return ""
        return ", ".join(sorted(self._asked.get(client_order_id, ())))

    def drop(self, client_order_id: str) -> None:
        """Forget the cancellations of an order."""
        self._asked.pop(client_order_id, None)

    def take_all(self) -> tuple[tuple[str, str, str], ...]:
        """Return all of them, each with the strategy that it may be of, and who asked; and forget them."""
        taken = tuple(
            (client_order_id, only, asked_by)
            for client_order_id, asked in sorted(self._asked.items())
            for only, asked_by in sorted(asked.items())
        )
        self._asked = {}
        return taken

    def handover(self) -> dict[str, dict[str, str]]:
        """Return all of them for the next instance."""
        return self._asked

    def restore(self, waiting: dict[str, dict[str, str]]) -> None:
        """Take them over."""
        self._asked.update(waiting)

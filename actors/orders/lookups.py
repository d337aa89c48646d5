"""Which orders the broker has to be asked for (plain, without actors)."""

from __future__ import annotations


class Lookups:
    """Orders on their way to the broker, orders in doubt, and those that a start has to prove."""

    def __init__(self) -> None:
        self._placing: dict[str, bool] = {}  # True: it was so in the round before already
        self._doubtful: dict[str, None] = {}
        self._unproved: set[str] = set()

    @property
    def placing(self) -> tuple[str, ...]:
        """Orders that were sent to the broker session, which has not answered; oldest first."""
        return tuple(self._placing)

    @property
    def is_needed(self) -> bool:
        """Whether another round is needed."""
        return bool(self._placing or self._doubtful)

    @property
    def is_proved(self) -> bool:
        """Whether the broker has found or denied every order that was open at the start."""
        return not self._unproved

    def is_placing(self, client_order_id: str) -> bool:
        """Whether the answer of the broker session is still to come."""
        return client_order_id in self._placing

    def place(self, client_order_id: str) -> None:
        """Note that the order is sent now."""
        self._placing[client_order_id] = False

    def answered(self, client_order_id: str) -> None:
        """Note that the broker session has spoken of it: its answer is not waited for any more."""
        self._placing.pop(client_order_id, None)

    def doubt(self, client_order_id: str) -> None:
        """Ask for it in every round from now on."""
        self._doubtful[client_order_id] = None

    def settle(self, client_order_id: str) -> None:
        """Ask for it no more, unless it is still to be proved: whatever was heard of it may be older than the start."""
        if client_order_id not in self._unproved:
            self._doubtful.pop(client_order_id, None)

    def require(self, client_order_id: str) -> None:
        """Ask for it, and hold the start back until the broker has found or denied it."""
        self._doubtful[client_order_id] = None
        self._unproved.add(client_order_id)

    def prove(self, client_order_id: str) -> None:
        """Note that the broker has found or denied it."""
        self._unproved.discard(client_order_id)

    def next_round(self) -> tuple[str, ...]:
        """Return the orders to ask for: those in doubt, and those sent before the last round and never answered."""
        for client_order_id, is_overdue in self._placing.items():
            if is_overdue:
                self._doubtful[client_order_id] = None
            self._placing[client_order_id] = True
        return tuple(self._doubtful)

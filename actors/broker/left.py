"""How many requests that place an order have left, by the id that each of them has itself (plain)."""

from __future__ import annotations


class Left:
    """Counts them as long as the session lasts, and knows of which orders has not been told yet."""

    def __init__(self) -> None:
        """Begin with none."""
        self._counts: dict[str, int] = {}
        self._untold: dict[str, None] = {}

    def add(self, client_order_id: str) -> bool:
        """Count one; say whether it is the first since orders was told."""
        self._counts[client_order_id] = self._counts.get(client_order_id, 0) + 1
        is_first = not self._untold
        self._untold[client_order_id] = None
        return is_first

    def begin_again(self) -> bool:
        """Say whether orders has not been told of some of them: the timer of before went with the session."""
        return bool(self._untold)

    def take(self) -> tuple[tuple[str, int], ...]:
        """Return those that it has not been told of, and how often each has left so far."""
        untold, self._untold = self._untold, {}
        return tuple((client_order_id, self._counts[client_order_id]) for client_order_id in untold)

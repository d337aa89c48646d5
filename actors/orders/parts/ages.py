"""How long ago the newest request of an order left (plain).

The problem: an order in doubt counts as absent when it is older than any request can be under way. The wall clock does
not say how old that is: set forward by an hour, it makes an hour of a second, and an order that the broker is about to
accept would be given up. The idea: the monotonic clock, which nobody sets. Of a request of an earlier life all that is
sure is that it left before this life began.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable


class RequestAges:
    """Of the open orders of one life, by client order id."""

    def __init__(self, monotonic_ns: Callable[[], int]) -> None:
        """Begin now."""
        self._monotonic_ns: Final = monotonic_ns
        self._began_ns: Final = monotonic_ns()
        self._left_ns: dict[str, int] = {}

    def leaves(self, client_order_id: str) -> None:
        """Note that a request leaves now: the order itself, or a change of it."""
        self._left_ns[client_order_id] = self._monotonic_ns()

    def of(self, client_order_id: str) -> int:
        """Return for at least how many nanoseconds the order's newest request has been under way, or answered."""
        return self._monotonic_ns() - self._left_ns.get(client_order_id, self._began_ns)

    def forget(self, client_order_id: str) -> None:
        """Note that the order has ended."""
        self._left_ns.pop(client_order_id, None)

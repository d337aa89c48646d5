"""What a halt by the kill switch, or by a limit of the day, asks for besides the risk state (plain, without actors).

Every open order is to be cancelled, those that turn out to be open later included; and whoever wanted the halt waits
until it is durable. Orders that close positions for the switch are not cancelled by it, nor stops that only make
smaller what is held (`domain/protection.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...domain.wording import printable
from .risk_state import CAUSE_LENGTH_MAX

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from ...domain.orders import Order
    from ...messages.kill_switch import HaltTrading
    from ..runtime import ActorAddress

CANCEL_AGAIN_S: Final = 2.0
"""Seconds after a cancellation until an order that is still open is cancelled again: the first may have been lost, or
refused by a busy broker."""


class Halting:
    """Whether all is to be cancelled, and who waits for that."""

    def __init__(self) -> None:
        self.is_on = False
        self.cause = ""
        self.person = ""
        self.closing: set[str] = set()
        """Client order ids of orders that close positions for the switch."""

        self._askers: list[ActorAddress] = []

    def begin(self, request: HaltTrading, asker: ActorAddress | None = None) -> None:
        """Halt for this cause; whoever asks for it waits until it is durable."""
        self.is_on = True
        self.cause, self.person = printable(request.cause, CAUSE_LENGTH_MAX), printable(request.person)
        if asker is not None:
            self._askers.append(asker)

    def end(self) -> None:
        """Cancel nothing more: a person has resumed."""
        self.is_on = False
        self.closing.clear()

    def to_cancel(self, open_orders: Iterable[Order], staying: Container[str] = ()) -> tuple[str, ...]:
        """Return which of these orders are to be cancelled, beside those that stay since they protect what is held."""
        if not self.is_on:
            return ()
        return tuple(
            each.client_order_id
            for each in open_orders
            if each.client_order_id not in self.closing and each.client_order_id not in staying
        )

    def take_askers(self) -> list[ActorAddress]:
        """Return once who waits for the halt to be durable."""
        askers, self._askers = self._askers, []
        return askers

    def handover(self) -> tuple[bool, frozenset[str]]:
        """Return what the next instance has to know; who waits for an answer gets none, and asks again."""
        return self.is_on, frozenset(self.closing)

    def restore(self, state: tuple[bool, frozenset[str]]) -> None:
        """Take it over."""
        self.is_on, closing = state
        self.closing = set(closing)

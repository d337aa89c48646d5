"""Targets that are in no market (plain): natya watches their price, and closes what is held when it is there.

A broker has one open sale for each share in delivery, and may want funds for the second exit: it rejects the target,
and the stop stands alone. Where the market is at the target, the stop is cancelled, so that what it was for is closed
at the market.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .....domain.brackets.exits import REACHED
from .....domain.brackets.guarding import is_at_target, watched_stop
from ...rules import NO_PRICE
from .lasting import Lasting

if TYPE_CHECKING:
    from .....domain.brackets.bracket import Bracket
    from .....domain.orders import Order
    from ..cancelling import Cancelling
    from ..context import OrdersContext

REACHED_S: Final = 1.0
"""Seconds that the market is at a target that rests nowhere, until what is held is closed at the market."""


class Reached:
    """Looks at the market's prices beside every target that is to be watched."""

    def __init__(self, context: OrdersContext, cancelling: Cancelling) -> None:
        """Watch nothing."""
        self._context: Final = context
        self._cancelling: Final = cancelling
        self._lasting: Final = Lasting(context)
        self._watched: Final[dict[str, tuple[Order, str]]] = {}
        """By the client order id of an entry: that, and the client order id of its stop."""

    def watch(self, bracket: Bracket) -> None:
        """Watch the target of a bracket, or no more."""
        entry, stop = bracket.entry, watched_stop(bracket)
        self._watched.pop(entry.client_order_id, None)
        if stop is not None:
            self._watched[entry.client_order_id] = entry, stop.client_order_id

    def look(self, *, is_halted: bool) -> None:
        """Close what has reached its target; in a halt nothing."""
        context, found = self._context, {}
        if context.market is not None and context.is_read and not is_halted:
            for entry, stop in self._watched.values():
                price, price_ns = context.market.get(entry.symbol, NO_PRICE)
                if price_ns and is_at_target(entry, price) and not self._lasting.is_old(price_ns):
                    found[stop] = entry, price, price_ns
        lasts_s = self._lasting.look({stop: price_ns for stop, (_, _, price_ns) in found.items()})
        for stop, (entry, price, _) in found.items():
            order = context.ledger.order(stop)
            if lasts_s[stop] < REACHED_S or order is None or not order.is_open or order.cancelling is not None:
                continue
            context.log(
                "bracket.reached", client_order_id=entry.client_order_id, price=price, target_price=entry.target_price
            )
            self._cancelling.cancel(stop, "", REACHED)

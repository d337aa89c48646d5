"""Settling orders by a person's word (plain): orders in doubt whose outcome the broker will never tell."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from ....domain.time import SECOND_NS
from ....messages.order_listing import OrderSettled, SettleRefused
from .. import updates

if TYPE_CHECKING:
    from ....domain.orders import Order
    from ....messages.order_listing import SettleOrder
    from ...runtime import ActorAddress
    from .awaiting import Awaiting
    from .context import OrdersContext
    from .hearing import Hearing


class Settling:
    """Takes a person's word, and answers when it is durable."""

    def __init__(self, context: OrdersContext, hearing: Hearing, awaiting: Awaiting) -> None:
        """Know nothing but what the others know."""
        self._context: Final = context
        self._hearing: Final = hearing
        self._awaiting: Final = awaiting

    def settle(self, request: SettleOrder, sender: ActorAddress) -> None:
        """Have it journaled how an order in doubt has ended, and answer when that is durable."""
        context, client_order_id = self._context, request.client_order_id
        if context.puts_off(sender):
            return
        order = context.ledger.order(client_order_id)
        problem = self._why_not(order, request)
        if order is None or problem:
            context.send(sender, SettleRefused(reason=problem))
            return
        update = updates.settled(order, request, context.now_ns())
        if update.illegal:
            context.send(sender, SettleRefused(reason=update.illegal[0].reason))
            return
        context.log("order.settled", level="warning", client_order_id=client_order_id, person=request.person)
        then = functools.partial(self._settled, client_order_id)
        self._awaiting.wait(client_order_id, sender, {client_order_id: update.facts}, then)
        self._hearing.take(order, update)

    def _settled(self, client_order_id: str) -> OrderSettled:
        order = self._context.ledger.order(client_order_id)
        assert order is not None, "its facts are in the book"
        return OrderSettled(state=order.state, filled=order.filled)

    def _why_not(self, order: Order | None, request: SettleOrder) -> str:
        if not request.reason.strip():
            return "a reason wanted, found none"
        if order is None or order.state != "UNKNOWN":
            return f"an order in doubt (UNKNOWN) wanted, found {'none of this id' if order is None else order.state}"
        wait_s = self._context.settings.absence_horizon_s - self._context.ages.of(order.client_order_id) / SECOND_NS
        if wait_s > 0:
            return f"no request that may be under way wanted, found one: ask again in {wait_s:.0f} s"
        if not order.filled <= request.filled <= order.quantity_max:
            return f"{order.filled} to {order.quantity_max} shares filled wanted, found {request.filled}"
        if request.filled > order.filled and not request.price:
            return f"the average price of the {request.filled - order.filled} shares wanted, found none"
        return ""

"""The steps that a bracket may need: an exit is placed, changed or cancelled (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from ...messages.orders import CancelOrder, ModifyOrder, OrderType, SubmitOrder
from .legs import AT_MARKET, RETURNS, Leg, is_return, leg_id

if TYPE_CHECKING:
    from ..orders import Order
    from .exits import AnyLeg

Step: TypeAlias = SubmitOrder | ModifyOrder | CancelOrder

_TYPES: Final[dict[Leg, OrderType]] = {
    "target": "LIMIT",
    "stop": "STOP",
    **dict.fromkeys(AT_MARKET + RETURNS, "MARKET"),
}


def submit(entry: Order, leg: Leg, quantity: int) -> SubmitOrder:
    """Return the order that is an exit of the first day, at the prices of its entry; or one that gives back."""
    return SubmitOrder(
        client_order_id=leg_id(entry.client_order_id, leg),
        strategy=entry.strategy,
        symbol=entry.symbol,
        side=entry.side if leg in RETURNS else "SELL" if entry.side == "BUY" else "BUY",
        quantity=quantity,
        order_type=_TYPES[leg],
        limit_price=entry.target_price if leg == "target" else None,
        trigger_price=entry.stop_loss_price if leg == "stop" else None,
        product=entry.product,
    )


def cancel(order: AnyLeg) -> CancelOrder:
    """Return the cancellation of an entry or an exit."""
    return CancelOrder(client_order_id=order.client_order_id)


def closes_at_market(step: Step) -> bool:
    """Say whether a step sells what is held at the market, for want of a stop."""
    return isinstance(step, SubmitOrder) and step.order_type == "MARKET" and not is_return(step.client_order_id)

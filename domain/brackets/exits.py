"""One exit of a bracket: what became of it, and who had it cancelled (pure)."""

from __future__ import annotations

from typing import Final, TypeAlias, TypeGuard

from ...messages.orders import OrderRefused, SubmitOrder
from ..orders import Order

AnyLeg: TypeAlias = Order | SubmitOrder | OrderRefused
"""An exit as it is in the book, on its way there, or refused by the risk gate."""

BRACKET: Final = "bracket"
"""Who asks for the cancellations of exits."""

JUMPED_OVER: Final = "bracket, whose stop the market has jumped over"
"""Who asks for the cancellation of a stop that the market has jumped over."""

REACHED: Final = "bracket, whose target the market has reached"
"""Who asks for the cancellation of a stop whose target rests nowhere, and the market is there."""

FOR_A_REASON: Final = frozenset({JUMPED_OVER, REACHED})
"""Who asks for the cancellation of a stop so that what it was for is closed at the market."""

SQUARED_OFF: Final = "strategy, which squares off"
"""Who asks for the cancellations of exits whose strategy then closes the position itself."""


def filled(leg: AnyLeg | None) -> int:
    """Return how many shares it has traded; 0 also where there is none."""
    return leg.filled if isinstance(leg, Order) else 0


def leaves(leg: AnyLeg) -> int:
    """Return how many shares it may still trade."""
    if isinstance(leg, Order):
        return leg.leaves
    return leg.quantity if isinstance(leg, SubmitOrder) else 0


def may_trade(leg: AnyLeg | None) -> TypeGuard[Order | SubmitOrder]:
    """Say whether it is open, or on its way into the book."""
    return leg.is_open if isinstance(leg, Order) else isinstance(leg, SubmitOrder)


def is_on_its_way(leg: AnyLeg) -> bool:
    """Say whether an order may trade although the broker has not confirmed it."""
    return may_trade(leg) and not (isinstance(leg, Order) and (leg.broker_order_id or leg.filled))


def was_never_in_the_market(leg: Order) -> bool:
    """Say whether the broker has rejected it, or never had it."""
    return leg.state == "REJECTED" or leg.was_never_placed


def was_taken_back(leg: AnyLeg | None) -> bool:
    """Say whether a person, a strategy or a halt has asked for the cancellation of an exit, so that it was wanted."""
    asked = leg.asked_to_cancel if isinstance(leg, Order) else None
    return asked is not None and asked.asked_by not in FOR_A_REASON | {BRACKET, SQUARED_OFF}


def was_to_square_off(leg: Order) -> bool:
    """Say whether its strategy has had it cancelled to close the position itself."""
    asked = leg.asked_to_cancel
    return leg.state == "CANCELLED" and asked is not None and asked.asked_by == SQUARED_OFF


def is_beyond(stop: Order, price: float) -> bool:
    """Say whether the market is where a stop that is at the broker has traded, or does not trade any more.

    That is beyond its limit; of one without a limit, beyond its trigger: what limit it has there is not known.

    Args:
        stop: one that is open; any other order that is has the market nowhere beyond it.
        price: the last one of the market: rupees.
    """
    if not stop.broker_order_id or stop.trigger_price is None:
        return False
    last = stop.trigger_price if stop.limit_price is None else stop.limit_price
    return price < last if stop.side == "SELL" else price > last

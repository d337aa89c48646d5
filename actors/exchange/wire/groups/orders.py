"""Orders of all plain kinds, and the trades of the day."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from .....domain.dhan.trading.orders import ModifyOrderRequest, OrderAck, OrderTerms, PlaceOrderRequest
from ...account import Modification, Ticket
from ..answers import Answer, found, invalid, trading_error
from ..reading import read
from .rows import order_row, trade_row

if TYPE_CHECKING:
    from ...account import Outcome
    from ..request import Exchange, Request

PRICED: Final = frozenset({"LIMIT", "STOP_LOSS"})
TRIGGERED: Final = frozenset({"STOP_LOSS", "STOP_LOSS_MARKET"})
PRODUCTS: Final = frozenset({"CNC", "INTRADAY", "MARGIN", "MTF"})
_ID: Final = re.compile(r"[A-Za-z0-9 _.-]{1,64}", re.ASCII)


async def place(exchange: Exchange, request: Request) -> Answer:
    """`POST /orders`."""
    ticket = ticket_of(read(PlaceOrderRequest, request.body))
    return acknowledged(await exchange.account("place", ticket))


async def place_sliced(exchange: Exchange, request: Request) -> Answer:
    """`POST /orders/slicing`: an array, one row a slice."""
    outcome: Outcome = await exchange.account("place_sliced", ticket_of(read(PlaceOrderRequest, request.body)))
    return found([OrderAck(order_id=order_id, order_status=outcome.status) for order_id in outcome.ids])


async def modify(exchange: Exchange, request: Request) -> Answer:
    """`PUT /orders/{order-id}`."""
    change = read(ModifyOrderRequest, request.body, orderId=id_of(request, "order_id"))
    return acknowledged(
        await exchange.account(
            "modify",
            Modification(
                order_id=change.order_id,
                order_type=change.order_type,
                quantity=change.quantity,
                limit_price=price_of(change.order_type, change.price),
                trigger_price=trigger_of(change.order_type, change.trigger_price),
                disclosed_quantity=change.disclosed_quantity,
                validity=change.validity,
            ),
        )
    )


async def cancel(exchange: Exchange, request: Request) -> Answer:
    """`DELETE /orders/{order-id}`."""
    return acknowledged(await exchange.account("cancel", id_of(request, "order_id")))


async def book(exchange: Exchange, _request: Request) -> Answer:
    """`GET /orders`."""
    orders = await exchange.account("orders")
    return found([order_row(order, exchange.client_id, exchange.listed.listings) for order in orders])


async def by_id(exchange: Exchange, request: Request) -> Answer:
    """`GET /orders/{order-id}`: an array of one, and none of an unknown id."""
    order = await exchange.account("order", id_of(request, "order_id"))
    listings = exchange.listed.listings
    return found([] if order is None else [order_row(order, exchange.client_id, listings)])


async def by_correlation(exchange: Exchange, request: Request) -> Answer:
    """`GET /orders/external/{correlation-id}`: an object; not found while the order is in transit."""
    order = await exchange.account("by_correlation", id_of(request, "correlation_id"))
    if order is None:
        return trading_error(404, "DH-906", "Incorrect request for order and cannot be processed")
    return found(order_row(order, exchange.client_id, exchange.listed.listings))


async def trades(exchange: Exchange, request: Request) -> Answer:
    """`GET /trades` and `GET /trades/{order-id}`."""
    order_id = id_of(request, "order_id") if "order_id" in request.parameters else ""
    rows = await exchange.account("trades", order_id)
    return found([trade_row(trade, exchange.client_id, exchange.listed.listings) for trade in rows])


def ticket_of(order: OrderTerms) -> Ticket:
    """Return a request for an order as the account takes it."""
    return Ticket(
        instrument=(order.exchange_segment, order.security_id),
        side=order.transaction_type,
        product=product_of(order.product_type),
        order_type=order.order_type,
        quantity=order.quantity,
        validity=order.validity,
        limit_price=price_of(order.order_type, order.price),
        trigger_price=trigger_of(order.order_type, order.trigger_price),
        disclosed_quantity=order.disclosed_quantity,
        amo_time=(order.amo_time or "OPEN") if order.after_market_order else "",
        correlation_id=order.correlation_id,
    )


def price_of(order_type: str, price: float) -> float:
    """Return the limit of an order: 0 of one that has none.

    Raises:
        WireRefusal: it needs one.
    """
    if order_type not in PRICED:
        return 0.0
    if not price:
        raise invalid("price is required")
    return price


def trigger_of(order_type: str, price: float) -> float:
    """Return the trigger of an order: 0 of one that has none.

    Raises:
        WireRefusal: it needs one.
    """
    if order_type not in TRIGGERED:
        return 0.0
    if not price:
        raise invalid("triggerPrice is required")
    return price


def product_of(product: str) -> Any:
    """Return a product that the account knows.

    Raises:
        WireRefusal: it is one that is not offered any more.
    """
    if product not in PRODUCTS:
        raise invalid(f"productType: one of {', '.join(sorted(PRODUCTS))} is wanted, found {product}")
    return product


def acknowledged(outcome: Outcome) -> Answer:
    """Answer with the id and the status of one order."""
    # Nothing in it can be missing, so it is written as it is: a third of the time of `found`.
    return Answer(200, msgspec.json.encode(OrderAck(order_id=outcome.ids[0], order_status=outcome.status)))


def id_of(request: Request, name: str) -> str:
    """Return an id of the path.

    Raises:
        WireRefusal: it cannot be one.
    """
    value = request.parameters[name]
    if not _ID.fullmatch(value):
        raise invalid(f"{name.replace('_', '-')}: up to 64 letters, digits and _.- are wanted, found something else")
    return value

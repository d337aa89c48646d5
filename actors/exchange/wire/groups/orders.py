"""Orders of all plain kinds, and the trades of the day."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from .....domain.dhan.trading.orders import ModifyOrderRequest, OrderAck, OrderTerms, PlaceOrderRequest
from ...account import BRACKETED, Modification, Ticket
from ..answers import Answer, found, invalid, trading_error
from ..reading import read
from .rows import order_row, trade_row

if TYPE_CHECKING:
    from ...account import Outcome
    from ..request import Exchange, Request

PRICED: Final = frozenset({"LIMIT", "STOP_LOSS"})
TRIGGERED: Final = frozenset({"STOP_LOSS", "STOP_LOSS_MARKET"})
PRODUCTS: Final = frozenset({"CNC", "INTRADAY", "MARGIN", "MTF"})
_EXITS: Final = frozenset({"TARGET_LEG", "STOP_LOSS_LEG"})
_ID: Final = re.compile(r"[A-Za-z0-9 _.-]{1,64}", re.ASCII)


async def place(exchange: Exchange, request: Request) -> Answer:
    """`POST /orders`."""
    order = read(PlaceOrderRequest, request.body)
    ticket = bracket_of(order) if order.product_type in BRACKETED else ticket_of(order)
    return acknowledged(await exchange.account("place", ticket))


async def place_sliced(exchange: Exchange, request: Request) -> Answer:
    """`POST /orders/slicing`: an array, one row a slice."""
    outcome: Outcome = await exchange.account("place_sliced", ticket_of(read(PlaceOrderRequest, request.body)))
    return found([OrderAck(order_id=order_id, order_status=outcome.status) for order_id in outcome.ids])


async def modify(exchange: Exchange, request: Request) -> Answer:
    """`PUT /orders/{order-id}`; of a cover or bracket order a leg, too."""
    change = read(ModifyOrderRequest, request.body, orderId=id_of(request, "order_id"))
    limit_price, trigger_price, exit_price = _prices(change)
    return acknowledged(
        await exchange.account(
            "modify",
            Modification(
                order_id=change.order_id,
                order_type=change.order_type,
                quantity=change.quantity,
                limit_price=limit_price,
                trigger_price=trigger_price,
                disclosed_quantity=change.disclosed_quantity,
                validity=change.validity,
                leg="" if change.leg_name == "NA" else change.leg_name,
                exit_price=exit_price,
            ),
        )
    )


def _prices(change: ModifyOrderRequest) -> tuple[float, float, float]:
    """Return limit and trigger of an order, and the price of the exit that it is about: target, or stop.

    Raises:
        WireRefusal: the order needs one.
    """
    if change.leg_name not in _EXITS:
        return price_of(change.order_type, change.price), trigger_of(change.order_type, change.trigger_price), 0.0
    exit_price = change.price if change.leg_name == "TARGET_LEG" else change.trigger_price or change.price
    limit_price = change.price if change.order_type in PRICED else 0.0
    return limit_price, change.trigger_price if change.order_type in TRIGGERED else 0.0, exit_price


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


def bracket_of(order: OrderTerms) -> Ticket:
    """Return a request for a cover or bracket order as the account takes it.

    Raises:
        WireRefusal: it needs a price.
    """
    plain = ticket_of(msgspec.structs.replace(order, product_type="INTRADAY"))
    return msgspec.structs.replace(
        plain,
        product=order.product_type,
        target_offset=(order.bo_profit_value or 0.0) if order.product_type == "BO" else 0.0,
        stop_offset=order.bo_stop_loss_value or 0.0,
        trigger_price=order.trigger_price if order.product_type == "CO" else 0.0,
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

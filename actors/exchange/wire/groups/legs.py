"""Super orders, and forever orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from .....domain.dhan.trading.forever_orders import (
    ForeverOrderRow,
    ModifyForeverOrderRequest,
    PlaceForeverOrderRequest,
)
from .....domain.dhan.trading.super_orders import (
    ModifySuperOrderRequest,
    PlaceSuperOrderRequest,
    SuperLegRow,
    SuperOrderRow,
)
from ...account import ForeverModification, ForeverTicket, SuperModification, SuperTicket
from ..answers import Answer, found, invalid
from ..reading import read
from .orders import acknowledged, id_of, price_of, product_of
from .rows import contract, moment, order_fields

if TYPE_CHECKING:
    from .....messages.exchange import AccountOrder, ForeverOrder, SuperOrder
    from ..request import Exchange, Request

T = TypeVar("T")

LEGS = ("ENTRY_LEG", "TARGET_LEG", "STOP_LOSS_LEG")


async def place_super(exchange: Exchange, request: Request) -> Answer:
    """`POST /super/orders`."""
    order = read(PlaceSuperOrderRequest, request.body)
    if order.order_type == "MARKET" and order.price:
        raise invalid("Invalid Price for orderType")
    ticket = SuperTicket(
        instrument=(order.exchange_segment, order.security_id),
        side=order.transaction_type,
        product=product_of(order.product_type),
        order_type=order.order_type,
        quantity=order.quantity,
        limit_price=price_of(order.order_type, order.price),
        target_price=order.target_price,
        stop_price=order.stop_loss_price,
        trailing_jump=order.trailing_jump,
        correlation_id=order.correlation_id,
    )
    return acknowledged(await exchange.account("place_super", ticket))


async def modify_super(exchange: Exchange, request: Request) -> Answer:
    """`PUT /super/orders/{order-id}`."""
    change = read(ModifySuperOrderRequest, request.body, orderId=id_of(request, "order_id"))
    modification = SuperModification(
        order_id=change.order_id,
        leg=change.leg_name,
        order_type=_set(change.order_type),
        quantity=_set(change.quantity),
        limit_price=_set(change.price),
        target_price=_set(change.target_price),
        stop_price=_set(change.stop_loss_price),
        trailing_jump=_set(change.trailing_jump) or 0.0,
    )
    return acknowledged(await exchange.account("modify_super", modification))


async def cancel_super(exchange: Exchange, request: Request) -> Answer:
    """`DELETE /super/orders/{order-id}/{order-leg}`."""
    leg = request.parameters["leg"]
    if leg not in LEGS:
        raise invalid(f"order-leg: one of {', '.join(LEGS)} is wanted, found something else")
    return acknowledged(await exchange.account("cancel_super", id_of(request, "order_id"), leg))


async def super_orders(exchange: Exchange, _request: Request) -> Answer:
    """`GET /super/orders`."""
    supers: tuple[SuperOrder, ...] = await exchange.account("super_orders")
    orders: dict[str, AccountOrder] = {order.order_id: order for order in await exchange.account("orders")}
    rows = []
    for each in supers:
        entry = orders.get(each.order_id)
        if entry is not None:
            last_price = await exchange.account("last_price", entry.symbol)
            rows.append(_super_row(each, entry, orders, last_price, exchange))
    return found(rows)


def _super_row(
    order: SuperOrder, entry: AccountOrder, orders: dict[str, AccountOrder], last_price: float, exchange: Exchange
) -> SuperOrderRow:
    fields = order_fields(entry, exchange.client_id, exchange.listed.listings)
    fields |= {"order_status": order.status, "leg_name": "ENTRY_LEG"}
    side = "SELL" if entry.side == "BUY" else "BUY"
    legs = []
    for name, price, status, order_id, jump in (
        ("STOP_LOSS_LEG", order.stop_price, order.stop_status, order.stop_order_id, order.trailing_jump),
        ("TARGET_LEG", order.target_price, order.target_status, order.target_order_id, 0.0),
    ):
        if not price:
            continue
        sent = orders.get(order_id)
        triggered = 0 if sent is None else sent.filled_quantity
        legs.append(
            SuperLegRow(
                order_id=order.order_id,
                leg_name=name,  # type: ignore[arg-type]  # one of the two above
                transaction_type=side,
                total_quantity=entry.quantity,
                remaining_quantity=max(0, entry.quantity - triggered) if status == "PENDING" else 0,
                triggered_quantity=triggered,
                price=price,
                order_status=status,
                trailing_jump=jump,
            )
        )
    return SuperOrderRow(**fields, leg_details=tuple(legs), ltp=last_price)


async def place_forever(exchange: Exchange, request: Request) -> Answer:
    """`POST /forever/orders`."""
    order = read(PlaceForeverOrderRequest, request.body)
    is_oco = order.order_flag == "OCO"
    ticket = ForeverTicket(
        instrument=(order.exchange_segment, order.security_id),
        side=order.transaction_type,
        product=product_of(order.product_type),
        order_type=order.order_type,
        quantity=order.quantity,
        trigger_price=_some(order.trigger_price, "triggerPrice"),
        limit_price=price_of(order.order_type, order.price),
        validity=order.validity,
        disclosed_quantity=order.disclosed_quantity,
        correlation_id=order.correlation_id,
        second_quantity=_some(order.quantity1, "quantity1") if is_oco else 0,
        second_trigger_price=_some(order.trigger_price1, "triggerPrice1") if is_oco else 0.0,
        second_limit_price=price_of(order.order_type, order.price1) if is_oco else 0.0,
    )
    return acknowledged(await exchange.account("place_forever", ticket))


async def modify_forever(exchange: Exchange, request: Request) -> Answer:
    """`PUT /forever/orders/{order-id}`."""
    change = read(ModifyForeverOrderRequest, request.body, orderId=id_of(request, "order_id"))
    modification = ForeverModification(
        order_id=change.order_id,
        leg="" if change.leg_name == "NA" else change.leg_name,
        order_type=change.order_type,
        quantity=change.quantity,
        trigger_price=_some(change.trigger_price, "triggerPrice"),
        limit_price=price_of(change.order_type, change.price),
        disclosed_quantity=change.disclosed_quantity,
        validity=change.validity,
    )
    return acknowledged(await exchange.account("modify_forever", modification))


async def cancel_forever(exchange: Exchange, request: Request) -> Answer:
    """`DELETE /forever/orders/{order-id}`."""
    return acknowledged(await exchange.account("cancel_forever", id_of(request, "order_id")))


async def forever_orders(exchange: Exchange, _request: Request) -> Answer:
    """`GET /forever/orders`: one row a leg."""
    orders = await exchange.account("forever_orders")
    return found([row for order in orders for row in _forever_rows(order, exchange)])


def _forever_rows(order: ForeverOrder, exchange: Exchange) -> list[ForeverOrderRow]:
    flag = "OCO" if len(order.legs) > 1 else "SINGLE"
    return [
        ForeverOrderRow(
            dhan_client_id=exchange.client_id,
            order_id=order.order_id,
            order_status=leg.status,
            transaction_type=order.side,
            exchange_segment=order.instrument[0],
            product_type=order.product,
            order_type=flag,
            trading_symbol=order.symbol,
            security_id=order.instrument[1],
            quantity=leg.quantity,
            price=leg.price,
            trigger_price=leg.trigger_price,
            leg_name=name,
            create_time=moment(order.created_ns),
            update_time=moment(order.updated_ns),
            **contract(exchange.listed.listings, order.instrument),
        )
        for leg, name in zip(order.legs, ("TARGET_LEG", "STOP_LOSS_LEG"), strict=False)
    ]


def _set(value: Any) -> Any:
    return None if value is msgspec.UNSET else value


def _some(value: T, name: str) -> T:
    if not value:
        raise invalid(f"{name} is required")
    return value

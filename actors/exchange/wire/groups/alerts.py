"""Conditional orders, and several orders in one request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from .....domain.dhan.moments import day
from .....domain.dhan.trading.alerts import (
    NEEDS,
    AlertAck,
    AlertOrderRow,
    AlertRequest,
    AlertRow,
    Condition,
    ConditionRow,
    MultiOrderAck,
    MultiOrderLegAck,
    MultiOrderRequest,
)
from .....domain.dhan.trading.alerts import AlertOrder as WireAlertOrder
from .....messages.exchange import AlertCondition, AlertOrder
from ...account import AlertModification, AlertTicket, Refused
from ..answers import Answer, WireRefusal, found, invalid, trading_error
from ..reading import converted, object_of, read
from .orders import id_of, price_of, product_of, ticket_of, trigger_of
from .rows import moment

if TYPE_CHECKING:
    from .....messages.exchange import Alert
    from ...account import Outcome
    from ..request import Exchange, Request


async def place(exchange: Exchange, request: Request) -> Answer:
    """`POST /alerts/orders`."""
    alert = read(AlertRequest, request.body)
    ticket = AlertTicket(condition=_condition(alert.condition), orders=tuple(map(_order, alert.orders)))
    if not ticket.orders:
        raise invalid("orders is required")
    return _acknowledged(await exchange.account("place_conditional", ticket))


async def modify(exchange: Exchange, request: Request) -> Answer:
    """`PUT /alerts/orders/{alertId}`: without orders these stay as they are."""
    values = {"orders": [], **object_of(request.body), "alertId": id_of(request, "alert_id")}
    alert = converted(AlertRequest, values | {"orders": values["orders"] or []})
    change = AlertModification(
        alert_id=str(alert.alert_id),
        condition=_condition(alert.condition),
        orders=tuple(map(_order, alert.orders)) or None,
    )
    return _acknowledged(await exchange.account("modify_conditional", change))


async def cancel(exchange: Exchange, request: Request) -> Answer:
    """`DELETE /alerts/orders/{alertId}`."""
    return _acknowledged(await exchange.account("cancel_conditional", id_of(request, "alert_id")))


async def by_id(exchange: Exchange, request: Request) -> Answer:
    """`GET /alerts/orders/{alertId}`."""
    alerts = await exchange.account("alerts", id_of(request, "alert_id"))
    if not alerts:
        return trading_error(404, "DH-906", "Incorrect request for order and cannot be processed")
    return found(_row(alerts[0]))


async def every(exchange: Exchange, _request: Request) -> Answer:
    """`GET /alerts/orders`."""
    return found([_row(alert) for alert in await exchange.account("alerts")])


async def place_several(exchange: Exchange, request: Request) -> Answer:
    """`POST /alerts/multi/orders`: each stands for itself."""
    acks = []
    for leg in read(MultiOrderRequest, request.body).orders:
        try:
            outcome = await exchange.account("place", ticket_of(leg))
        except (Refused, WireRefusal):
            acks.append(MultiOrderLegAck(sequence=leg.sequence, order_status="REJECTED"))
        else:
            acks.append(MultiOrderLegAck(sequence=leg.sequence, order_status=outcome.status, order_id=outcome.ids[0]))
    return found(MultiOrderAck(orders=tuple(acks)))


def _condition(condition: Condition) -> AlertCondition:
    for name in NEEDS[condition.comparison_type]:
        if getattr(condition, name) is UNSET:
            raise invalid(f"condition: {name.replace('_', ' ')} is required for {condition.comparison_type}")
    return AlertCondition(
        instrument=(condition.exchange_segment, condition.security_id),
        comparison=condition.comparison_type,
        operator=condition.operator,
        value=_said(condition.comparing_value, 0.0),
        indicator=_said(condition.indicator_name, ""),
        other_indicator=_said(condition.comparing_indicator_name, ""),
        time_frame=_said(condition.time_frame, ""),
        frequency=condition.frequency,
        expires_on=_said(condition.exp_date, ""),
        note=_said(condition.user_note, ""),
    )


def _order(order: WireAlertOrder) -> AlertOrder:
    return AlertOrder(
        instrument=(order.exchange_segment, order.security_id),
        side=order.transaction_type,
        product=product_of(order.product_type),
        order_type=order.order_type,
        quantity=order.quantity,
        validity=order.validity,
        limit_price=price_of(order.order_type, float(order.price)),
        trigger_price=trigger_of(order.order_type, float(order.trigger_price)),
        disclosed_quantity=int(float(order.disc_quantity)),
    )


def _acknowledged(outcome: Outcome) -> Answer:
    return found(AlertAck(alert_id=outcome.ids[0], alert_status=outcome.status))


def _row(alert: Alert) -> AlertRow:
    condition = alert.condition
    return AlertRow(
        alert_id=alert.alert_id,
        alert_status=alert.status,
        condition=ConditionRow(
            comparison_type=condition.comparison,
            security_id=condition.instrument[1],
            exchange_segment=condition.instrument[0],
            operator=condition.operator,
            exp_date=day(condition.expires_on),
            frequency=condition.frequency,
            indicator_name=condition.indicator,
            comparing_indicator_name=condition.other_indicator,
            time_frame=condition.time_frame,
            comparing_value=condition.value,
            user_note=condition.note,
        ),
        orders=tuple(
            AlertOrderRow(
                transaction_type=order.side,
                security_id=order.instrument[1],
                quantity=order.quantity,
                exchange_segment=order.instrument[0],
                product_type=order.product,
                order_type=order.order_type,
                validity=order.validity,
                price=order.limit_price,
                disc_quantity=order.disclosed_quantity,
                trigger_price=order.trigger_price,
            )
            for order in alert.orders
        ),
        created_time=moment(alert.created_ns),
        triggered_time=moment(alert.triggered_ns),
        last_price=alert.last_price,
    )


def _said(value: Any, otherwise: Any) -> Any:
    return otherwise if value is UNSET else value

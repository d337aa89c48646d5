"""Builders of messages and settings: each shows only what a test is about."""

from types import SimpleNamespace

from natya.messages.broker import ExecutionReport, PlaceOrder
from natya.messages.market import Candle, Tick
from natya.messages.orders import (
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderIntended,
    OrderRefused,
    OrderRejected,
    OrderUncertain,
    SubmitOrder,
)
from natya.messages.risk_state import RiskStateChanged


def a_tick(sequence=1, symbol="INFY", price=100.0, **fields):
    fields = {"quantity": 1, "exchange_ns": max(1, sequence), "source": "test"} | fields
    return Tick(symbol=symbol, price=price, sequence=sequence, **fields)


def a_candle(symbol="INFY", **fields):
    prices = {"open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0}
    fields = {"interval_ns": 60, "start_ns": 0, **prices, "volume": 1, "source": "test"} | fields
    return Candle(symbol=symbol, **fields)


def to_place(client_order_id="A-1", symbol="INFY", **fields):
    """An order on its way to the broker; `an_order` is one that a strategy asks for."""
    fields = {"side": "BUY", "quantity": 10, "order_type": "MARKET"} | fields
    return PlaceOrder(client_order_id=client_order_id, symbol=symbol, **fields)


def an_order(client_order_id="A-1", side="BUY", quantity=10, **fields):
    fields = {"symbol": "INFY", "strategy": "crossover", "reference_price": 100.0} | fields
    return SubmitOrder(client_order_id=client_order_id, side=side, quantity=quantity, **fields)


def an_intent(client_order_id="A-1", side="BUY", quantity=10, **fields):
    fields = {
        "symbol": "INFY",
        "strategy": "crossover",
        "order_type": "MARKET",
        "limit_price": None,
        "occurred_ns": 1_000,
    } | fields
    return OrderIntended(client_order_id=client_order_id, side=side, quantity=quantity, **fields)


def a_refusal(client_order_id="A-1", rule="quantity_max", **terms):
    return OrderRefused(
        client_order_id=client_order_id,
        strategy="crossover",
        symbol="INFY",
        side="BUY",
        quantity=10,
        rule=rule,
        reason="too many",
        occurred_ns=1_000,
        **terms,
    )


def accepted(client_order_id="A-1", broker_order_id="B-1"):
    return OrderAccepted(client_order_id=client_order_id, broker_order_id=broker_order_id, occurred_ns=2_000)


def rejected(client_order_id="A-1", *, reason="no margin"):
    return OrderRejected(client_order_id=client_order_id, reason=reason, occurred_ns=2_000)


def uncertain(client_order_id="A-1"):
    return OrderUncertain(client_order_id=client_order_id, reason="time-out", occurred_ns=2_000)


def cancelled(client_order_id="A-1"):
    return OrderCancelled(client_order_id=client_order_id, reason="asked", occurred_ns=2_000)


def expired(client_order_id="A-1"):
    return OrderExpired(client_order_id=client_order_id, reason="day is over", occurred_ns=2_000)


def a_change(state, previous="NORMAL", cause="a test", by="orders"):
    return RiskStateChanged(previous=previous, state=state, cause=cause, changed_by=by, occurred_ns=1)


def filled(client_order_id="A-1", trade_id="T-1", quantity=10, price=100.0, **fields):
    fields = {"symbol": "INFY", "side": "BUY", "strategy": "crossover", "occurred_ns": 3_000} | fields
    fields = {"cumulative_quantity": quantity} | fields
    return OrderFilled(
        client_order_id=client_order_id,
        trade_id=trade_id,
        quantity=quantity,
        price=price,
        **fields,
    )


def a_report(execution_type="TRADE", client_order_id="A-1", execution_id="T-1", quantity=0, **fields):
    fields = {"broker_order_id": "B-1", "occurred_ns": 3_000, "price": 100.0 if quantity else 0.0} | fields
    return ExecutionReport(
        client_order_id=client_order_id,
        execution_type=execution_type,
        execution_id=execution_id,
        quantity=quantity,
        **fields,
    )


def some_limits(**fields):
    fields = {
        "quantity_max": 100,
        "value_max_rupees": 50_000.0,
        "position_max": 1_000,
        "orders_in_flight_max": 10,
        "absence_horizon_s": 120.0,
        "lookup_interval_s": 5.0,
        "checkpoint_facts": 0,
    } | fields
    from natya.actors.orders import OrdersActorSettings  # noqa: PLC0415  messages alone need no actor

    return OrdersActorSettings.default(**fields)


BUILDERS = SimpleNamespace(
    order=an_order,
    intent=an_intent,
    refusal=a_refusal,
    accepted=accepted,
    rejected=rejected,
    uncertain=uncertain,
    cancelled=cancelled,
    expired=expired,
    filled=filled,
    report=a_report,
    change=a_change,
    limits=some_limits,
)

"""One order and its facts, for tests of the rules on what may follow what."""

import functools

import msgspec

from natya.domain.orders import Order, advance
from natya.messages.orders import (
    CancellationIntended,
    CancellationRefused,
    CancellationUncertain,
    ModificationIntended,
    ModificationRefused,
    OrderFilled,
    OrderIntended,
    OrderModified,
)

INTENT = OrderIntended(
    client_order_id="A-1",
    strategy="crossover",
    symbol="INFY",
    side="BUY",
    quantity=10,
    order_type="MARKET",
    limit_price=None,
    occurred_ns=1,
)


def the_order(*facts):
    return functools.reduce(advance, facts, Order.from_intent(INTENT))


def fill(trade, quantity):
    return OrderFilled(
        client_order_id="A-1",
        trade_id=f"T-{trade}",
        strategy="crossover",
        symbol="INFY",
        side="BUY",
        quantity=quantity,
        price=100.0,
        cumulative_quantity=quantity,
        occurred_ns=2,
    )


def intended(number, quantity=10, limit_price=None):
    return ModificationIntended(
        client_order_id="A-1",
        number=number,
        quantity=quantity,
        limit_price=limit_price,
        trigger_price=None,
        occurred_ns=2,
    )


def modified(number, quantity=10, limit_price=None):
    fields = msgspec.structs.asdict(intended(number, quantity, limit_price))
    return OrderModified(**fields)


def unchanged(number):
    return ModificationRefused(client_order_id="A-1", number=number, rule="broker", reason="", occurred_ns=2)


def asked(number):
    return CancellationIntended(client_order_id="A-1", number=number, asked_by=f"asha {number}", occurred_ns=2)


def unanswered(number):
    return CancellationUncertain(client_order_id="A-1", number=number, reason="no answer", occurred_ns=2)


def not_cancelled(number):
    return CancellationRefused(client_order_id="A-1", number=number, rule="broker", reason="busy", occurred_ns=2)

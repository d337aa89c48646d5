"""Ticks and orders at a clock of a day, for the auctions of a session."""

from datetime import datetime

from natya.domain.time import IST, SECOND_NS
from natya.messages.broker import NewOrder
from natya.messages.market import Tick

DAY = "2025-12-29"


def at(clock, day=DAY):
    return int(datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=IST).timestamp()) * SECOND_NS


def tick(clock, price, *, symbol="TCS", day=DAY, quantity=1):
    return Tick(symbol=symbol, price=price, quantity=quantity, exchange_ns=at(clock, day), source="test", sequence=1)


def order(client_order_id="a", *, symbol="TCS", **changes):
    fields = {"side": "BUY", "quantity": 10, "order_type": "MARKET"} | changes
    return NewOrder(client_order_id=client_order_id, symbol=symbol, **fields)


def limit(price, client_order_id="a", **changes):
    return order(client_order_id, **{"order_type": "LIMIT", "limit_price": price} | changes)


def paid(reports):
    return [report.price for report in reports if report.execution_type == "TRADE"]

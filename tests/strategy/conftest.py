"""A strategy between a router and an orders actor, both played by the test."""

import pytest

from natya.config.settings import StrategySettings
from natya.messages.market import Tick
from natya.messages.orders import OrderFilled


def a_tick(price=100.0, symbol="INFY", **fields):
    fields = {"quantity": 1, "exchange_ns": 1, "source": "test", "sequence": 1} | fields
    return Tick(symbol=symbol, price=price, **fields)


def a_fill(order, quantity=None, price=100.0, already=0):
    quantity = order.quantity if quantity is None else quantity
    return OrderFilled(
        client_order_id=order.client_order_id,
        trade_id=f"T-{already}",
        strategy=order.strategy,
        symbol=order.symbol,
        side=order.side,
        quantity=quantity,
        price=price,
        cumulative_quantity=already + quantity,
        occurred_ns=1,
    )


class Stage:
    tick = staticmethod(a_tick)
    fill = staticmethod(a_fill)

    def __init__(self, system):
        self.system = system
        self.events = system.probe("events")
        self.orders = system.probe("orders")

    def open(self, strategy, name="mine", symbols=(), **parameters):
        self.name = name
        settings = StrategySettings(name=name, strategy="", symbols=symbols, parameters=parameters)
        self.system.start(name, strategy, settings)
        return self

    def tell(self, *messages):
        for message in messages:
            self.system.tell(self.name, message, sender=self.events)


@pytest.fixture
def stage(actor_system):
    return Stage(actor_system)

"""A strategy between a router and an orders actor, both played by the test."""

from types import SimpleNamespace

import natya_builders
import pytest

from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.config.sections.strategy import StrategySettings
from natya.messages.orders import CancelOrder, HoldingsRead, ModifyOrder, OrderFilled, ReadHoldings, SubmitOrder


def a_tick(price=100.0, symbol="INFY", **fields):
    return natya_builders.a_tick(price=price, symbol=symbol, **fields)


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


class PlayedOrders(RuntimeActor):
    """Answers what its settings hold, when they say so, and shows the rest to the test."""

    @handles(ReadHoldings)
    def tell(self, request, sender):
        self.send("asked", request)
        if self.settings.refusal is not None:
            self.send(sender, self.settings.refusal)
        elif self.settings.answers:
            self.settings.life += 1
            book = self.settings
            answer = HoldingsRead(strategy=request.strategy, shares=book.shares, filled=book.filled, life=book.life)
            self.send(sender, answer)
        else:
            self.settings.asker = sender

    @handles(SubmitOrder, ModifyOrder, CancelOrder)
    def show(self, order, sender):
        self.send("heard by orders", order)


class Stage:
    tick = staticmethod(a_tick)
    fill = staticmethod(a_fill)

    def __init__(self, system):
        self.system = system
        self.events = system.probe("events")
        self.orders = system.probe("heard by orders")
        self.asked = system.probe("asked")
        self.book = SimpleNamespace(shares={}, filled={}, answers=True, refusal=None, life=0)
        system.start("orders", PlayedOrders, self.book)

    def open(self, strategy, name="mine", symbols=(), **parameters):
        self.name = name
        self.system.start(name, strategy, self.settings(name, symbols, **parameters))
        return self

    @staticmethod
    def settings(name="mine", symbols=(), **parameters):
        return StrategySettings(name=name, strategy="", symbols=symbols, parameters=parameters)

    def tell(self, *messages):
        for message in messages:
            self.system.tell(self.name, message, sender=self.events)


@pytest.fixture
def stage(actor_system):
    return Stage(actor_system)


@pytest.fixture
def simulated_stage():
    """One whose time goes on only when the test says so."""
    with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
        yield Stage(system)

"""A strategy between a router and an orders actor, both played by the test."""

from types import SimpleNamespace

import natya_builders
import pytest

from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.config.sections.strategy import StrategySettings
from natya.messages.events import Subscribe, Subscribed
from natya.messages.holdings import HoldingsRead, ReadHoldings
from natya.messages.journal import JournalRecord
from natya.messages.orders import CancelOrder, ModifyOrder, OrderFact, OrderFilled, SquaringOffEnded, SubmitOrder
from natya.messages.supervision import DeadLetter, Failed


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


class PlayedEvents(RuntimeActor):
    """Subscribes whoever asks, and shows the test what it hears."""

    @handles(Subscribe)
    def subscribe(self, request, sender):
        self.send("heard by events", request)
        self.send(sender, Subscribed(subscriber=request.subscriber))

    @handles(DeadLetter, Failed)
    def show(self, message, _sender):
        self.send("heard by events", message)


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
            answer = HoldingsRead(
                strategy=request.strategy,
                shares=book.shares,
                filled=book.filled,
                life=book.life,
                sequence=book.sequence,
            )
            self.send(sender, answer)
        else:
            self.settings.asker = sender

    @handles(SubmitOrder, ModifyOrder, CancelOrder)
    def show(self, order, sender):
        self.send("heard by orders", order)

    @handles(SquaringOffEnded)
    def note(self, ended, _sender):
        self.settings.ended.append(ended)


class Stage:
    tick = staticmethod(a_tick)
    fill = staticmethod(a_fill)

    def __init__(self, system):
        self.system = system
        self.events = system.probe("heard by events")
        self.sequence = 0
        system.start("events", PlayedEvents)
        self.orders = system.probe("heard by orders")
        self.asked = system.probe("asked")
        self.book = SimpleNamespace(shares={}, filled={}, answers=True, refusal=None, life=0, sequence=0, ended=[])
        system.start("orders", PlayedOrders, self.book)

    def open(self, strategy, name="mine", symbols=(), **parameters):
        self.name = name
        self.system.start(name, strategy, self.settings(name, symbols, **parameters))
        return self

    @staticmethod
    def settings(name="mine", symbols=(), **parameters):
        return StrategySettings(name=name, strategy="", symbols=symbols, parameters=parameters)

    def tell(self, *messages):
        """Send market data as it is, and each fact of an order as the journal's next record."""
        for message in messages:
            told = self.recorded(message) if isinstance(message, OrderFact) else message
            self.system.tell(self.name, told, sender=self.events)

    def recorded(self, fact):
        """Return the journal's next record, of this fact."""
        self.sequence += 1
        return JournalRecord(sequence=self.sequence, recorded_ns=1, correlation_id=fact.client_order_id, fact=fact)


@pytest.fixture
def stage(actor_system):
    return Stage(actor_system)


@pytest.fixture
def simulated_stage():
    """One whose time goes on only when the test says so."""
    with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
        yield Stage(system)

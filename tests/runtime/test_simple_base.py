"""The rooms' actors on Thespian's `simpleSystemBase`: they stay plain Thespian actors."""

import pytest
from thespian.actors import Actor, ActorSystem

from natya import StrategyActor, load_settings
from natya.actors.events import EventsActor, EventsSettings
from natya.actors.exchange import ExchangeActor, ExchangeActorSettings
from natya.actors.orders import OrdersActor, OrdersActorSettings
from natya.actors.runtime import RuntimeActor, handles
from natya.actors.runtime.errors import UnsupportedBaseError
from natya.actors.runtime.lifecycle import Restart, Start
from natya.config.sections.exchange import ExchangeSettings
from natya.config.sections.strategy import StrategySettings
from natya.messages.broker import NewOrder
from natya.messages.events import Subscribe, Subscribed
from natya.messages.holdings import HoldingsRead, ReadHoldings
from natya.messages.journal import Append, Appended, CheckpointRead, JournalPage, ReadCheckpoint, ReadJournal
from natya.messages.market import Tick
from natya.messages.orders import OrderRefused, SubmitOrder

TICK = Tick(symbol="INFY", price=100.0, quantity=1, exchange_ns=1, source="test", sequence=1)


class Played(Actor):
    """Stands for everyone else: answers what it knows an answer to, and tells on request what it heard."""

    def receiveMessage(self, message, sender):  # noqa: N802  Thespian's name
        heard = vars(self).setdefault("heard", [])
        match message:
            case "heard":
                self.send(sender, tuple(heard))
            case Subscribe():
                self.send(sender, Subscribed(subscriber=message.subscriber))
            case ReadHoldings():
                self.send(sender, HoldingsRead(strategy=message.strategy, shares={}, filled={}))
            case ReadCheckpoint():
                self.send(sender, CheckpointRead(name=message.name))
            case ReadJournal():
                self.send(sender, JournalPage(records=(), last_sequence=0))
            case Append():
                self.send(sender, Appended(first_sequence=1, last_sequence=len(message.facts)))
        heard.append(message)


class Curious(RuntimeActor):
    """Asks whom it is told to, and keeps how that went."""

    @handles(str)
    def inquire(self, target, sender):
        self.asker = sender
        self.ask(target, b"", timeout_s=0.01, then=lambda outcome: self.send(self.asker, type(outcome.error).__name__))


class Forbidden(RuntimeActor):
    """Does what needs supervision, and tells how that went."""

    @handles(str)
    def try_it(self, what, sender):
        acts = {
            "start": lambda: self.start_child("child", Curious),
            "control": lambda: self.control(sender, Restart()),
            "mailbox": lambda: self.mailbox_of(sender),
            "trouble": lambda: self.trouble_of(sender),
        }
        try:
            self.send(sender, acts[what]())
        except UnsupportedBaseError as refusal:
            self.send(sender, str(refusal))


class Verbose(RuntimeActor):
    """Logs what may come by the thousand, and draws a number."""

    @handles(str)
    def log_it(self, what, sender):
        self.log_bounded("message.came", what=what)
        self.send(sender, (self.stalls(), 0 <= self.random.random() < 1, self.random is self.random))


class BuyOnce(StrategyActor):
    def on_tick(self, tick):
        self.buy(tick.symbol, 1)


@pytest.fixture
def simple():
    system = ActorSystem("simpleSystemBase", logDefs=False, transientUnique=True)
    yield system
    system.shutdown()


@pytest.fixture
def others(simple):
    return simple.createActor(Played)


@pytest.fixture
def start(simple, others):
    def start(name, actor, settings):
        address = simple.createActor(actor)
        names = dict.fromkeys(("journal", "events", "broker", "orders", "exchange", "listener"), others)
        simple.tell(address, Start(name=name, settings=settings, names=names))
        return address

    return start


def test_the_exchange_fills_an_order(simple, start):
    exchange = start(
        "exchange", ExchangeActor, ExchangeActorSettings(limits=ExchangeSettings.default(tick_size_rupees=0.05))
    )
    simple.tell(exchange, TICK)

    order = NewOrder(client_order_id="a", symbol="INFY", side="BUY", quantity=1, order_type="MARKET")

    assert simple.ask(exchange, order, 1).execution_type == "NEW"


def test_the_router_delivers_a_tick(simple, start, others):
    topics = Subscribe(subscriber="listener", topics=("Tick",))
    events = start("events", EventsActor, EventsSettings(subscriptions=(topics,)))

    simple.tell(events, TICK)

    assert TICK in simple.ask(others, "heard", 1)


def test_a_strategy_asks_what_it_holds_and_then_orders(simple, start, others):
    strategy = start("mine", BuyOnce, StrategySettings(name="mine", strategy="here:BuyOnce"))

    simple.tell(strategy, TICK)

    heard = simple.ask(others, "heard", 1)
    assert [type(each) for each in heard if isinstance(each, (ReadHoldings, SubmitOrder))] == [
        ReadHoldings,
        SubmitOrder,
    ]


def test_the_order_book_reads_the_journal_and_writes_down_what_the_gate_says(simple, start, others):
    orders = start("orders", OrdersActor, OrdersActorSettings.of(load_settings("paper", environment={}).orders))
    order = SubmitOrder(
        client_order_id="A-1", strategy="mine", symbol="INFY", side="BUY", quantity=10_000_000, order_type="MARKET"
    )

    simple.tell(orders, order)

    (append,) = [each for each in simple.ask(others, "heard", 1) if isinstance(each, Append)]
    assert isinstance(append.facts[0], OrderRefused)


@pytest.mark.parametrize(("target", "error"), [("listener", "RequestTimedOut"), ("nobody", "UnknownActorError")])
def test_a_question_without_an_answer_is_an_outcome(simple, start, target, error):
    curious = start("curious", Curious, None)

    assert simple.ask(curious, target, 1) == error


@pytest.mark.parametrize("what", ["start", "control", "mailbox", "trouble"])
def test_what_needs_supervision_is_refused_with_the_reason(simple, start, what):
    forbidden = start("forbidden", Forbidden, None)

    assert "natya's own system base" in simple.ask(forbidden, what, 1)


def test_what_any_actor_may_ask_of_its_host_is_there(simple, start, caplog):
    verbose = start("verbose", Verbose, None)

    with caplog.at_level("INFO", "natya"):
        assert simple.ask(verbose, "hello", 1) == ((0, ""), True, True)

    assert [line.msg for line in caplog.records if line.name == "natya"] == ["message.came"]

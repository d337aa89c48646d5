"""Dhan's body alone, without any actor: a test answers what it asks, and lets time pass."""

from natya.actors.broker.bodies.dhan import DhanBroker
from natya.actors.broker.bodies.dhan.body import DhanOptions
from natya.actors.external import Ask, ExternalServiceResult
from natya.actors.runtime import Outcome
from natya.config.secrets import Secret
from natya.config.sections.broker import BrokerSettings
from natya.messages.instruments import (
    InstrumentDefinition,
    InstrumentList,
    InstrumentShown,
    InstrumentUnknown,
    ShowInstrument,
)

ACK = {"orderId": "7", "orderStatus": "TRANSIT"}


class Timer:
    def __init__(self, seconds, due):
        self.seconds, self.due, self.waits = seconds, due, True

    def cancel(self):
        self.waits = False


class Clock:
    time_ns = 1_704_080_700_000_000_000

    def now_ns(self):
        return self.time_ns

    monotonic_ns = now_ns


class Session:
    """Keeps what a body asks for, for the test to answer."""

    def __init__(self):
        self.clock = Clock()
        self.asked, self.timers, self.reports, self.logged = [], [], [], []
        self.troubles, self.offloaded, self.shown, self.counted, self.sent, self.skews = [], [], [], [], [], []
        self.changes = []

    def ask(self, target, message, *, timeout_s, then):
        if isinstance(message, ShowInstrument):
            self.shown.append(message.name)
            then(Outcome(value=self.instrument(message.name)))
        else:
            assert target == "broker-service"
            assert timeout_s > message.call.deadline_s + message.call.endpoint.timeout_s
            self.asked.append((message, then))

    def send(self, target, message):
        assert target == "broker-service"
        self.counted.append(message)

    def after(self, seconds, due):
        self.timers.append(Timer(seconds, due))
        return self.timers[-1]

    def report(self, event):
        self.reports.append(event)

    def tell_skew(self, skew_s):
        self.skews.append(skew_s)

    def changed(self, client_order_id, broker_order_id):
        self.changes.append((client_order_id, broker_order_id))

    def left(self, client_order_id):
        self.sent.append(client_order_id)

    def tell_trouble(self, reason):
        self.troubles.append(reason)

    def offload(self, function, *arguments, then, lane):
        self.offloaded.append(lane)
        then(Outcome(value=function(*arguments)))

    def log(self, event, **fields):
        self.logged.append((event, fields))

    @staticmethod
    def instrument(symbol):
        if symbol == "NONE":
            return InstrumentUnknown(name=symbol, reason="there is none of this name")
        share = InstrumentDefinition(
            symbol=symbol, segment="NSE_EQ", tick_size_rupees=0.05, lot_size=5, security_id="1594"
        )
        return InstrumentShown(name=symbol, instrument=share, of=InstrumentList(source="test"))


class Stage:
    def __init__(self):
        self.session = Session()
        self.settings = BrokerSettings.default(
            name="dhan", client_id="11", access_token=Secret("T"), base_url="https://x/v2"
        )
        self.body = DhanBroker(self.settings, DhanOptions(), self.session)
        self.body.open()

    def calls(self):
        """What is asked of Dhan and not answered yet."""
        return [f"{ask.call.method} {ask.call.url.removeprefix('https://x/v2')}" for ask, _ in self.session.asked]

    def answer(self, data=None, status=200, **fields):
        """Answer the oldest question."""
        ask, then = self.session.asked.pop(0)
        assert isinstance(ask, Ask)
        fields = {"success": status < 300, "sent": "yes", "status_code": status, "data": data} | fields
        then(Outcome(value=ExternalServiceResult(**fields)))
        return ask.call

    def answer_with(self, message):
        self.session.asked.pop(0)[1](Outcome(value=message))

    def pass_time(self):
        """Let the timer that is due next fire."""
        timer = next(timer for timer in self.session.timers if timer.waits)
        timer.waits = False
        timer.due.call()
        return timer.seconds

    def heard(self):
        reports, self.session.reports = self.session.reports, []
        return reports


def a_row(status="PENDING", filled=0, **fields):
    fields = {"orderId": "7", "correlationId": "A-1", "transactionType": "BUY", "securityId": "1594"} | fields
    return {"orderStatus": status, "exchangeSegment": "NSE_EQ", "quantity": 10, "filledQty": filled, **fields}


def a_trade(trade_id="E1", quantity=10):
    return {
        "orderId": "7",
        "exchangeTradeId": trade_id,
        "securityId": "1594",
        "exchangeSegment": "NSE_EQ",
        "transactionType": "BUY",
        "tradedQuantity": quantity,
        "tradedPrice": 100.5,
    }

"""What every broker body must do, whatever its language: run against the other side that belongs to it.

A new body adds its other side to `COUNTERPARTS`; the tests find the body in the table.
"""

import json
from urllib.parse import urlsplit

import msgspec
import pytest
from natya_builders import to_place
from natya_dhan_model import DhanModel, ListOfInstruments
from natya_processes import await_that

from natya.actors.broker import BROKERS, AccessToken, BrokerActor, actor
from natya.actors.broker.bodies.dhan.service import service_of
from natya.actors.external import ExternalActor, HttpAnswer, UnknownOutcomeError
from natya.actors.runtime import InProcessSystem, RuntimeActor, SystemClock, handles
from natya.config.secrets import Secret
from natya.config.sections.broker import BrokerSettings
from natya.messages.broker import (
    CancelRequest,
    ExecutionReport,
    FindOrder,
    LookupFailed,
    NewOrder,
    OrderFound,
    OrderInDoubt,
    OrderNotFound,
    OrderNotPlaced,
    OrderPlaced,
    OrdersLeft,
    OrdersSentBefore,
    OrderStatusRequest,
    WithdrawOrder,
)
from natya.messages.system import Ping


class Faults:
    """What goes wrong on demand, and what arrived in spite of it."""

    def __init__(self):
        self.received = []
        self.loses_answers = self.breaks = False


class PaperCounterpart(RuntimeActor):
    """A small exchange: takes every order but those for `BAD`, and fills none."""

    def on_start(self):
        self._open = {}

    @handles(NewOrder)
    def new_order(self, order, sender):
        self.settings.received.append(order.client_order_id)
        if self.settings.breaks:
            raise OSError("the other side broke")
        if order.symbol == "BAD":
            self._report(sender, order.client_order_id, "REJECTED", reason="no such symbol")
            return
        self._open[order.client_order_id] = "OPEN"
        self._report(sender, order.client_order_id, "NEW")

    @handles(CancelRequest)
    def cancel(self, request, sender):
        is_open = self._open.get(request.client_order_id) == "OPEN"
        if is_open:
            self._open[request.client_order_id] = "CANCELLED"
        self._report(sender, request.client_order_id, "CANCELLED" if is_open else "CANCEL_REJECTED")

    @handles(OrderStatusRequest)
    def status(self, request, sender):
        state = self._open.get(request.client_order_id)
        if self.settings.loses_answers:
            return
        if state is None:
            self.send(sender, OrderNotFound(client_order_id=request.client_order_id))
            return
        broker_order_id = f"X-{request.client_order_id}"
        found = OrderFound(client_order_id=request.client_order_id, broker_order_id=broker_order_id, state=state)
        self.send(sender, found)

    def _report(self, sender, client_order_id, execution_type, reason=""):
        if self.settings.loses_answers:
            return
        report = ExecutionReport(
            client_order_id=client_order_id,
            broker_order_id=f"X-{client_order_id}",
            execution_type=execution_type,
            execution_id="E-1",
            occurred_ns=1,
            reason=reason,
        )
        self.send(sender, report)


class FaultyDhan(DhanModel):
    """Dhan without latencies, whose faults are those of the test."""

    def __init__(self, faults):
        super().__init__(SystemClock(), slow=False)
        self.switches = faults

    def request(self, method, url, *, headers=None, body=None, **_):
        path = urlsplit(url).path.removeprefix("/v2")
        if method == "POST":
            self.switches.received.append(json.loads(body)["correlationId"])
        if self.switches.breaks:
            raise UnknownOutcomeError("the other side broke")
        status, told = self.handle(method, path, headers, body)
        if self.switches.loses_answers:
            raise UnknownOutcomeError("no answer in time")
        return HttpAnswer(status_code=status, headers={}, body=json.dumps(told).encode(), response_time_s=0.0)

    def close(self):
        pass


def paper_counterpart(system, _settings, faults):
    system.start("exchange", PaperCounterpart, faults)


def dhan_counterpart(system, settings, faults):
    far_end = FaultyDhan(faults)
    system.start("instruments", ListOfInstruments)
    service = service_of(settings, AccessToken(Secret("T-1")))
    system.start("broker-service", ExternalActor, msgspec.structs.replace(service, new_session=lambda _: far_end))


COUNTERPARTS = {"paper": paper_counterpart, "dhan": dhan_counterpart}

ANSWER_TIMEOUT_S = {"paper": 1.0}
"""Of bodies that wait in vain for a lost answer; the others are told of it."""


class Session:
    def __init__(self, system, name):
        self.system, self.name = system, name
        self.faults = Faults()
        self.orders = system.probe("orders")
        settings = BrokerSettings.default(
            name=name,
            client_id="1",
            access_token=Secret("T-1"),
            base_url="",
            answer_timeout_s=ANSWER_TIMEOUT_S.get(name, 5.0),
            live=True,
        )
        COUNTERPARTS[name](system, settings, self.faults)
        system.start("broker", BrokerActor, settings)

    def ask(self, message):
        self.system.tell("broker", message, sender=self.orders)
        while isinstance(answer := self.orders.receive(), OrdersLeft):  # told once a second, whatever is asked
            pass
        return answer


@pytest.fixture(params=sorted(BROKERS))
def session(request):
    with InProcessSystem() as system:
        yield Session(system, request.param)


class TestEveryBroker:
    def test_places_to_place_and_names_it(self, session):
        answer = session.ask(to_place())

        assert isinstance(answer, OrderPlaced)
        assert answer.client_order_id == "A-1"
        assert answer.broker_order_id

    def test_sends_to_place_once_however_often_it_is_asked(self, session):
        answers = [session.ask(to_place()) for _ in range(5)]

        assert answers == answers[:1] * 5
        assert session.faults.received == ["A-1"]

    def test_tells_which_have_left_by_the_ids_that_the_requests_have(self, session, monkeypatch):
        monkeypatch.setattr(actor, "TELL_LEFT_S", 0.02)
        for name in ("A-1", "A-2"):
            session.system.tell("broker", to_place(client_order_id=name), sender=session.orders)
        told = []
        while len(told) < 2:
            message = session.orders.receive()
            told += message.counts if isinstance(message, OrdersLeft) else ()
        await_that(lambda: len(session.faults.received) == 2)

        assert told == [(name, 1) for name in session.faults.received] == [("A-1", 1), ("A-2", 1)]

    def test_says_when_the_order_was_refused_for_certain(self, session):
        assert isinstance(session.ask(to_place(symbol="BAD")), OrderNotPlaced)

    def test_is_in_doubt_when_the_answer_is_lost_and_never_sends_again(self, session):
        session.faults.loses_answers = True
        answers = [session.ask(to_place()) for _ in range(2)]
        session.faults.loses_answers = False

        assert [type(answer) for answer in answers] == [OrderInDoubt] * 2
        assert session.faults.received == ["A-1"]
        found = session.ask(FindOrder(client_order_id="A-1"))
        if isinstance(found, OrderPlaced):  # the certain answer, since it is known now
            found = session.orders.receive()
        assert isinstance(found, OrderFound)

    def test_is_in_doubt_when_the_other_side_breaks(self, session):
        session.faults.breaks = True

        assert isinstance(session.ask(to_place()), OrderInDoubt)

    def test_finds_what_is_there_and_denies_what_is_not(self, session):
        session.ask(to_place())

        assert session.ask(FindOrder(client_order_id="A-1")).state == "OPEN"
        assert session.ask(FindOrder(client_order_id="A-2")) == OrderNotFound(client_order_id="A-2")

    def test_says_that_a_look_up_failed_rather_than_that_nothing_is_there(self, session):
        session.faults.loses_answers = True

        assert isinstance(session.ask(FindOrder(client_order_id="A-1")), LookupFailed)

    def test_reports_what_came_of_a_cancellation(self, session):
        session.ask(to_place())

        assert session.ask(WithdrawOrder(client_order_id="A-1")).execution_type == "CANCELLED"
        assert session.ask(WithdrawOrder(client_order_id="A-1")).execution_type == "CANCEL_REJECTED"

    def test_counts_what_a_process_before_it_sent_where_the_broker_does(self, session):
        now_ns = session.system.base.clock.now_ns()
        before = OrdersSentBefore(times_ns=tuple(now_ns - number * 10**9 for number in range(3_600, 4_600)))
        session.system.tell("broker", before, sender=session.orders)
        assert isinstance(session.ask(to_place()), OrderPlaced)
        within_the_hour = OrdersSentBefore(times_ns=(now_ns - 10**9,) * 1_000)
        session.system.tell("broker", within_the_hour, sender=session.orders)  # it was told once already

        assert isinstance(session.ask(to_place(client_order_id="A-2")), OrderPlaced)

    def test_sends_no_more_than_the_day_has_left(self, session):
        now_ns = session.system.base.clock.now_ns()
        before = OrdersSentBefore(times_ns=tuple(now_ns - number * 10**10 for number in range(1, 7_001)))
        session.system.tell("broker", before, sender=session.orders)

        answer = session.ask(to_place())

        if session.name == "paper":
            assert isinstance(answer, OrderPlaced)
        else:
            assert isinstance(answer, OrderNotPlaced)
            assert "7000 in 1d" in answer.reason
            assert session.faults.received == []

    def test_has_a_counterpart_here_to_be_tested_against(self):
        assert set(COUNTERPARTS) == set(BROKERS)

    def test_tells_how_it_is(self, session):
        session.ask(to_place())

        assert session.system.request("broker", Ping()).statistics.placed == 1

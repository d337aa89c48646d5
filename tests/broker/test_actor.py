"""The broker session with the paper body: each order leaves once, and every request is answered."""

from types import SimpleNamespace

import pytest

from natya.actors.broker import BROKERS, BrokerActor, actor
from natya.actors.broker.bodies.paper import PaperBroker
from natya.actors.broker.left import Left
from natya.actors.runtime import InProcessSystem, InProcessSystemBase
from natya.config.errors import SettingsError
from natya.domain.reports import ReportFault
from natya.messages.broker import (
    CancelRequest,
    ClockCompared,
    ExecutionReport,
    FindOrder,
    LookupFailed,
    NewOrder,
    OrderFound,
    OrderInDoubt,
    OrderNotFound,
    OrderNotPlaced,
    OrderNotReplaced,
    OrderPlaced,
    OrderReplaced,
    OrdersLeft,
    OrderStatusRequest,
    ReplaceInDoubt,
    ReplaceOrder,
    ReplaceRequest,
    WithdrawOrder,
)
from natya.messages.kill_switch import SetLossExit, StopTrading
from natya.messages.reconciliation import AccountBookNotRead, ReadAccountBook
from natya.messages.supervision import Failed, Unavailable
from natya.messages.system import Ping

UNAVAILABLE = Unavailable(actor="exchange", reason="breaker open", retry_after_s=1.0)


CHANGE_OF_ANOTHER = ReplaceOrder(
    client_order_id="A-9", broker_order_id="X-9", number=1, symbol="INFY", side="BUY", quantity=20,
    order_type="LIMIT", limit_price=101.0,
)  # fmt: skip


def failed_on(message_type, actor="exchange"):
    return Failed(actor=actor, message_type=message_type, error="ValueError", reason="bug")


class TestPlacingAnOrder:
    def test_passes_it_to_the_exchange_and_the_answer_back(self, stage):
        stage.open().ask(stage.order())
        sent = stage.exchange.receive()
        stage.answer(stage.report("NEW"))

        assert sent == NewOrder(client_order_id="A-1", symbol="INFY", side="BUY", quantity=10, order_type="MARKET")
        assert stage.orders.receive() == OrderPlaced(client_order_id="A-1", broker_order_id="X-1")

    def test_twice_sends_it_once_and_gives_the_same_answer(self, stage):
        stage.open().ask(stage.order())
        stage.ask(stage.order())
        assert isinstance(stage.exchange.receive(), NewOrder)
        stage.answer(stage.report("NEW"))
        stage.ask(stage.order())

        assert [stage.orders.receive() for _ in range(3)] == [
            OrderPlaced(client_order_id="A-1", broker_order_id="X-1")
        ] * 3
        assert stage.exchange.is_empty()

    def test_that_the_exchange_rejects_is_not_placed(self, stage):
        stage.open().ask(stage.order())
        stage.answer(stage.report("REJECTED", reason="off the tick grid"))

        assert stage.orders.receive() == OrderNotPlaced(client_order_id="A-1", reason="off the tick grid")

    def test_without_an_answer_in_time_is_in_doubt(self, stage):
        stage.open(answer_timeout_s=0.02).ask(stage.order())

        assert stage.orders.receive() == OrderInDoubt(client_order_id="A-1", reason="no answer in 0.02 s")

    def test_with_an_answer_too_late_tells_it_all_the_same(self, stage):
        stage.open(answer_timeout_s=0.02).ask(stage.order())
        assert isinstance(stage.orders.receive(), OrderInDoubt)
        stage.answer(stage.report("NEW"))
        late = stage.orders.receive()
        stage.ask(stage.order())

        assert late == OrderPlaced(client_order_id="A-1", broker_order_id="X-1") == stage.orders.receive()

    @pytest.mark.parametrize(("is_answered", "kind"), [(True, OrderPlaced), (False, OrderNotPlaced)])
    def test_beyond_those_that_are_remembered_takes_the_place_of_the_oldest_with_an_answer(
        self, stage, is_answered, kind
    ):
        stage.open(orders_max=2)
        for client_order_id in ("A-1", "A-2", "A-3"):
            stage.ask(stage.order(client_order_id))
            if is_answered or client_order_id == "A-3":
                stage.answer(stage.report("NEW", client_order_id))
        answers = [stage.orders.receive() for _ in range(3 if is_answered else 1)]

        assert (type(answers[-1]), answers[-1].client_order_id) == (kind, "A-3")

    def test_among_those_that_are_remembered_is_sent_once(self, stage):
        stage.open(orders_max=2)
        for client_order_id in ("A-1", "A-2", "A-3", "A-2", "A-3", "A-4"):
            stage.ask(stage.order(client_order_id))
            stage.answer(stage.report("NEW", client_order_id))

        assert [stage.exchange.receive().client_order_id for _ in range(4)] == ["A-1", "A-2", "A-3", "A-4"]

    def test_counts_what_came_of_it(self, stage):
        stage.open()
        for number, kind in enumerate(["NEW", "NEW", "REJECTED"]):
            stage.ask(stage.order(f"A-{number}"))
            stage.answer(stage.report(kind, f"A-{number}"))
        stage.ask(stage.order("A-9"))
        stage.answer(failed_on("NewOrder"))
        stage.answer(stage.report("TRADE", "A-0", quantity=1, price=1.0))
        stage.ask(stage.order("A-10"))
        stage.answer(stage.report("TRADE", "A-0", quantity=1, price=1.0, broker_order_id="X-9"))
        counts = stage.system.request("broker", Ping()).statistics

        assert (counts.broker, counts.placed, counts.refused, counts.in_doubt, counts.reports) == ("paper", 2, 1, 1, 1)
        assert (counts.placing, counts.refused_reports, sum(counts.acknowledgement.counts)) == (1, 1, 4)


class TestAnExchangeThatFails:
    def test_on_an_order_leaves_it_in_doubt(self, stage):
        stage.open().ask(stage.order())
        stage.answer(failed_on("NewOrder"))

        assert stage.orders.receive() == OrderInDoubt(client_order_id="A-1", reason="exchange: bug")

    def test_on_a_question_leaves_orders_alone(self, stage):
        stage.open().ask(stage.order())
        stage.answer(failed_on("OrderStatusRequest"))
        stage.answer(failed_on("NewOrder", actor="orders"))
        stage.answer(stage.report("NEW"))

        assert isinstance(stage.orders.receive(), OrderPlaced)

    def test_and_is_down_has_not_got_the_only_order_under_way(self, stage):
        stage.open().ask(stage.order())
        stage.answer(UNAVAILABLE)

        assert stage.orders.receive() == OrderNotPlaced(client_order_id="A-1", reason="exchange: breaker open")

    @pytest.mark.parametrize(
        "other",
        [FindOrder(client_order_id="A-9"), WithdrawOrder(client_order_id="A-9"), CHANGE_OF_ANOTHER],
        ids=["find", "withdraw", "replace"],
    )
    def test_and_is_down_may_have_it_when_something_else_was_asked(self, stage, other):
        stage.open().ask(other)
        stage.ask(stage.order())
        stage.answer(UNAVAILABLE)

        heard = stage.orders.receive()
        if isinstance(other, ReplaceOrder):
            assert isinstance(heard, ReplaceInDoubt)
            heard = stage.orders.receive()
        assert isinstance(heard, OrderInDoubt)

    @pytest.mark.parametrize(
        ("told", "outcome"),
        [("CANCELLED", OrderNotPlaced), ("CANCEL_REJECTED", OrderNotPlaced), ("TRADE", OrderInDoubt)],
    )
    def test_and_is_down_has_not_got_the_only_order_once_a_cancellation_has_its_answer(self, stage, told, outcome):
        stage.open().ask(WithdrawOrder(client_order_id="A-9"))
        trade = {"quantity": 1, "price": 1.0} if told == "TRADE" else {}
        stage.answer(stage.report(told, "A-9", **trade))
        assert stage.orders.receive().execution_type == told
        stage.ask(stage.order())
        stage.answer(UNAVAILABLE)

        assert type(stage.orders.receive()) is outcome

    def test_and_is_down_leaves_several_orders_in_doubt(self, stage):
        stage.open().ask(stage.order("A-1"))
        stage.ask(stage.order("A-2"))
        stage.answer(UNAVAILABLE)

        heard = [stage.orders.receive() for _ in range(2)]
        assert [(type(each), each.client_order_id) for each in heard] == [(OrderInDoubt, "A-1"), (OrderInDoubt, "A-2")]


class TestLookingAnOrderUp:
    def test_gives_the_exchanges_answer_to_everyone_who_asked(self, stage):
        stage.open()
        found = OrderFound(client_order_id="A-1", broker_order_id="X-1", state="OPEN")
        for answer in (found, OrderNotFound(client_order_id="A-1")):
            stage.ask(FindOrder(client_order_id="A-1"))
            stage.ask(FindOrder(client_order_id="A-1"))
            assert stage.exchange.receive() == OrderStatusRequest(client_order_id="A-1")
            stage.answer(answer)

            assert [stage.orders.receive() for _ in range(2)] == [answer] * 2
        assert stage.exchange.is_empty()

    def test_without_an_answer_in_time_has_failed(self, stage):
        stage.open(answer_timeout_s=0.02).ask(FindOrder(client_order_id="A-1"))

        assert stage.orders.receive() == LookupFailed(client_order_id="A-1", reason="no answer in 0.02 s")
        stage.answer(OrderNotFound(client_order_id="A-1"))
        stage.system.request("broker", Ping())
        assert stage.orders.is_empty()

    def test_that_finds_the_order_too_late_tells_it_all_the_same(self, stage):
        stage.open(answer_timeout_s=0.02).ask(FindOrder(client_order_id="A-1"))
        assert isinstance(stage.orders.receive(), LookupFailed)
        found = OrderFound(client_order_id="A-1", broker_order_id="X-1", state="OPEN")
        stage.answer(found)

        assert stage.orders.receive() == found


class TestReports:
    def test_that_answer_nothing_go_to_orders(self, stage):
        stage.open().ask(WithdrawOrder(client_order_id="A-1"))
        assert stage.exchange.receive() == CancelRequest(client_order_id="A-1")
        traded = stage.report("TRADE", quantity=3, price=100.0)
        reports = [traded, *(stage.report(kind) for kind in ("CANCELLED", "NEW", "EXPIRED", "CANCEL_REJECTED"))]
        for report in reports:
            stage.answer(report)

        assert [stage.orders.receive() for _ in reports] == reports

    def test_of_an_order_on_its_way_are_no_answer_to_it(self, stage):
        stage.open().ask(stage.order())
        stage.answer(stage.report("TRADE", quantity=3, price=100.0))
        stage.answer(stage.report("REJECTED", client_order_id="A-2", reason="of an earlier life"))
        stage.answer(stage.report("NEW"))
        heard = [stage.orders.receive() for _ in range(3)]

        assert [(type(each), each.client_order_id) for each in heard] == [
            (ExecutionReport, "A-1"),
            (ExecutionReport, "A-2"),
            (OrderPlaced, "A-1"),
        ]


class TestAnExchangeThatIsNotThere:
    def test_is_told_of_each_order_once(self, stage):
        stage.open()
        heard = []
        for client_order_id in ("A-1", "A-2"):
            stage.ask(stage.order(client_order_id))
            stage.answer(UNAVAILABLE)
            heard.append(stage.orders.receive())

        assert [(type(each), each.client_order_id) for each in heard] == [
            (OrderNotPlaced, "A-1"),
            (OrderNotPlaced, "A-2"),
        ]
        assert stage.orders.is_empty()


class WaveringBroker(PaperBroker):
    """Says of every order that it is placed, and then that it is not sure."""

    def place(self, order):
        self._session.report(OrderPlaced(client_order_id=order.client_order_id, broker_order_id="X-1"))
        self._session.report(OrderInDoubt(client_order_id=order.client_order_id, reason="on second thoughts"))


class TestACertainAnswer:
    def test_is_not_taken_back_by_doubt(self, stage, monkeypatch):
        monkeypatch.setitem(BROKERS, "wavering", WaveringBroker)
        stage.open(name="wavering").ask(stage.order())
        stage.ask(stage.order())
        placed = OrderPlaced(client_order_id="A-1", broker_order_id="X-1")

        assert [stage.orders.receive() for _ in range(2)] == [placed, placed]
        assert stage.system.request("broker", Ping()).statistics.in_doubt == 0
        assert stage.orders.is_empty()


class BreakingBroker(PaperBroker):
    """Breaks on an order after it has left, and on a cancellation; reads the account for ever."""

    def read_account(self, request, then):
        pass

    def place(self, order):
        super().place(order)
        if order.client_order_id == "BREAK":
            raise OSError("connection reset")

    def withdraw(self, request):
        raise OSError("connection reset")


class RepeatingBroker(PaperBroker):
    """Has the fault that must never happen: each order leaves twice."""

    def place(self, order):
        super().place(order)
        super().place(order)
        if order.client_order_id == "BREAK":
            raise OSError("connection reset")


class DueBroker(PaperBroker):
    """Has orders told what has left at each cancellation, and not when time comes."""

    def withdraw(self, request):
        self._session.tell_left(actor.LeftDue(), self._session.myAddress)


class TestWhatHasLeft:
    def test_is_counted_where_it_leaves_also_over_a_restart(self, stage, monkeypatch):
        monkeypatch.setattr(actor, "TELL_LEFT_S", 0.05)
        monkeypatch.setitem(BROKERS, "repeating", RepeatingBroker)
        stage.open(name="repeating").ask(stage.order("A-1"))
        stage.ask(stage.order("BREAK"))
        told = {}
        while len(told) < 2:
            message = stage.orders.receive()
            told |= dict(message.counts) if isinstance(message, OrdersLeft) else {}

        assert told == {"A-1": 2, "BREAK": 2}

    def test_is_counted_of_changes_by_the_number_that_the_request_has(self, stage, monkeypatch):
        monkeypatch.setattr(actor, "TELL_LEFT_S", 0.02)
        stage.open().ask(a_change())
        told = ()
        while not told:
            message = stage.orders.receive()
            told = message.changes if isinstance(message, OrdersLeft) else ()

        assert told == (("A-1", "X-1", 1),)

    def test_is_counted_of_changes_over_a_restart(self, stage, monkeypatch):
        monkeypatch.setattr(actor, "TELL_LEFT_S", 0.05)
        monkeypatch.setitem(BROKERS, "breaking", BreakingBroker)
        stage.open(name="breaking").ask(a_change())
        stage.ask(WithdrawOrder(client_order_id="BREAK", broker_order_id="X-9"))
        told = ()
        while not told:
            message = stage.orders.receive()
            told = message.changes if isinstance(message, OrdersLeft) else ()

        assert told == (("A-1", "X-1", 1),)

    def test_is_told_no_more_of_orders_and_their_changes_that_have_made_room_for_others(self, stage, monkeypatch):
        monkeypatch.setitem(BROKERS, "due", DueBroker)
        stage.open(name="due", orders_max=1).ask(stage.order("A-1"))
        stage.answer(stage.report("NEW", "A-1"))
        stage.ask(a_change())
        stage.ask(a_change(broker_order_id="X-2", number=2))
        stage.ask(stage.order("A-2"))
        stage.ask(a_change(number=7, client_order_id="A-2"))
        stage.ask(WithdrawOrder(client_order_id="A-2"))
        stage.system.request("broker", Ping())
        heard = []
        while not stage.orders.is_empty():
            heard.append(stage.orders.receive())

        assert [each for each in heard if isinstance(each, OrdersLeft)] == [
            OrdersLeft(counts=(("A-2", 1),), changes=(("A-2", "X-1", 1),))
        ]
        stage.ask(a_change())  # the number of what is forgotten counts no more
        stage.system.request("broker", Ping())
        assert stage.exchange.receive().client_order_id == "A-1"

    def test_is_told_once_and_of_nothing_where_nothing_has_left(self, stage, monkeypatch):
        monkeypatch.setitem(BROKERS, "due", DueBroker)
        stage.open(name="due").ask(stage.order("A-1"))
        for _ in range(2):
            stage.ask(WithdrawOrder(client_order_id="A-1"))
        stage.system.request("broker", Ping())

        assert stage.orders.receive() == OrdersLeft(counts=(("A-1", 1),), changes=())
        assert stage.orders.is_empty()

    def test_is_counted_no_more_of_orders_that_are_forgotten(self):
        left = Left()
        for key in ("A-1", "A-2", "A-2"):
            left.add(key)
        left.forget(["A-1", "A-9"])

        assert ([*left], left.take()) == (["A-2"], (("A-2", 2),))


class TestAClockThatIsOff:
    def test_is_told_with_each_answer_and_once_when_it_is_right_again(self, stage, monkeypatch):
        class Told(PaperBroker):
            def withdraw(self, request):
                self._session.tell_skew(float(request.client_order_id))

        monkeypatch.setitem(BROKERS, "told", Told)
        stage.open(name="told")
        for skew_s in ("0", "1", "2.5", "-3", "2", "0"):
            stage.ask(WithdrawOrder(client_order_id=skew_s))
        heard = [stage.orders.receive() for _ in range(3)]

        assert [each.skew_s for each in heard] == [2.5, -3.0, 2.0]
        assert stage.system.request("broker", Ping())
        assert stage.orders.is_empty()

    def test_is_told_right_again_after_a_restart_of_the_session_meanwhile(self, stage, monkeypatch):
        class Told(BreakingBroker):
            def withdraw(self, request):
                if request.client_order_id == "BREAK":
                    super().withdraw(request)
                self._session.tell_skew(float(request.client_order_id))

        monkeypatch.setitem(BROKERS, "told", Told)
        stage.open(name="told")
        for skew_s in ("5", "BREAK", "0", "1", "-7"):
            stage.ask(WithdrawOrder(client_order_id=skew_s))
        heard = []
        while len(heard) < 3:
            heard += [each] if isinstance(each := stage.orders.receive(), ClockCompared) else []

        assert [each.skew_s for each in heard] == [5.0, 0.0, -7.0]


class TestTrouble:
    @pytest.mark.parametrize("live", [True, False])
    def test_is_shown_and_logged_once_each_time_that_it_is_another(self, stage, monkeypatch, caplog, live):
        class Troubled(PaperBroker):
            IS_PAPER = False

            def find(self, request):
                self._session.tell_trouble(request.client_order_id.strip("-"))
                shown.append(self._session.trouble)

        shown, dry_run = [], "" if live else actor.DRY_RUN
        monkeypatch.setitem(BROKERS, "troubled", Troubled)
        stage.open(name="troubled", live=live, answer_timeout_s=0.01)
        for number, reason in enumerate(("token", "token", "-", "token", "list")):
            stage.ask(FindOrder(client_order_id=reason))
            while not isinstance(stage.orders.receive(), LookupFailed):
                pass
            assert len(shown) == number + 1

        assert shown == ["token", "token", dry_run, "token", "list"]
        told = [each.fields["reason"] for each in caplog.records if each.getMessage() == "broker.in_trouble"]
        assert told == ["token", "token", "list"]


class TestInTheTimeOfAMarket:
    @pytest.fixture
    def actor_system(self):
        with InProcessSystem(InProcessSystemBase(market_opening_ns=1)) as system:
            yield system

    def test_what_has_its_answer_is_waited_for_no_more(self, threads, stage, actor_system):
        stage.open().ask(stage.order())
        stage.exchange.receive()
        waited_for = actor_system.base.market.next_due_ns()
        stage.answer(stage.report("NEW"))
        stage.orders.receive()

        assert (waited_for is None, actor_system.base.market.next_due_ns()) == (False, None)

    def test_how_long_an_answer_took_is_of_the_machine_s_clock_since_the_market_s_stands_still(self, stage):
        stage.open().ask(stage.order())
        stage.exchange.receive()
        stage.answer(stage.report("NEW"))

        assert stage.system.request("broker", Ping()).statistics.acknowledgement.sum_s > 0


class TestASessionThatWasRestarted:
    @pytest.fixture
    def breaking(self, stage, monkeypatch):
        monkeypatch.setitem(BROKERS, "breaking", BreakingBroker)
        return stage.open(name="breaking")

    def test_tells_of_every_order_without_an_answer_that_it_is_in_doubt(self, breaking):
        breaking.ask(breaking.order("A-1"))
        breaking.ask(breaking.order("BREAK"))
        heard = [breaking.orders.receive() for _ in range(3)]

        assert isinstance(heard[0], Failed)
        assert [type(each) for each in heard[1:]] == [OrderInDoubt] * 2
        assert {each.client_order_id for each in heard[1:]} == {"A-1", "BREAK"}

    def test_tells_of_every_change_without_an_answer_that_it_is_in_doubt(self, breaking):
        breaking.ask(a_change(number=3))
        breaking.ask(breaking.order("BREAK"))
        heard = [breaking.orders.receive() for _ in range(3)]

        reason = "the broker session was restarted"
        assert heard[1] == ReplaceInDoubt(client_order_id="A-1", number=3, reason=reason)
        assert heard[2] == OrderInDoubt(client_order_id="BREAK", reason=reason)

    def test_sends_no_change_again_that_had_no_answer_but_tells_the_doubt(self, breaking):
        breaking.ask(a_change(number=3))
        breaking.ask(breaking.order("BREAK"))
        for _ in range(3):
            breaking.orders.receive()
        sent = [breaking.exchange.receive() for _ in range(2)]
        breaking.ask(a_change(number=3))

        doubt = breaking.orders.receive()
        assert (type(doubt), doubt.number) == (ReplaceInDoubt, 3)
        assert (type(sent[0]), breaking.exchange.is_empty()) == (ReplaceRequest, True)

    def test_tells_who_waits_for_the_book_of_the_account_that_there_is_none(self, breaking):
        breaking.ask(ReadAccountBook(symbols=()))
        breaking.ask(breaking.order("BREAK"))
        heard = [breaking.orders.receive() for _ in range(3)]

        assert heard[1] == AccountBookNotRead(reason="the broker session was restarted")
        assert isinstance(heard[2], OrderInDoubt)

    def test_sends_none_of_them_again(self, breaking):
        breaking.ask(breaking.order("A-1"))
        breaking.answer(breaking.report("NEW"))
        breaking.ask(breaking.order("BREAK"))
        sent = [breaking.exchange.receive() for _ in range(2)]
        breaking.ask(breaking.order("A-1"))
        breaking.ask(breaking.order("BREAK"))
        heard = [breaking.orders.receive() for _ in range(5)]

        assert [each.client_order_id for each in sent] == ["A-1", "BREAK"]
        assert [type(each) for each in heard[3:]] == [OrderPlaced, OrderInDoubt]
        assert breaking.exchange.is_empty()

    def test_takes_an_acceptance_it_did_not_wait_for_as_a_report(self, breaking):
        breaking.ask(breaking.order("BREAK"))
        for _ in range(2):
            breaking.orders.receive()
        breaking.answer(breaking.report("NEW", "BREAK"))

        assert breaking.orders.receive() == breaking.report("NEW", "BREAK")


class TestASession:
    def test_with_an_unknown_broker_does_not_start(self, stage):
        with pytest.raises(SettingsError, match=r"broker\.name: wanted one of paper, dhan, found 'zerodha'"):
            stage.open(name="zerodha")

    def test_stops_without_waiting_for_answers_that_nobody_would_hear(self, threads, stage):
        stage.open().ask(stage.order())
        stage.exchange.receive()

        assert stage.system.stop("broker").placing == 1


def test_the_actor_is_a_line_for_its_body():
    assert all(callable(getattr(BrokerActor, name)) for name in ("send", "offload", "report"))


@pytest.mark.parametrize("client_order_id", [5, None, "", "\ud800", "A" * 65])
def test_an_event_that_is_refused_has_nothing_looked_up_where_it_names_no_order(client_order_id):
    told = []
    session = SimpleNamespace(_refused_reports=0, log=lambda event, **_fields: told.append(event))

    fault = ReportFault(rule="id", reason="none of ours")
    BrokerActor._turn_away(session, SimpleNamespace(client_order_id=client_order_id), fault)

    assert (session._refused_reports, told) == (1, ["report.refused"])


@pytest.mark.parametrize("is_simulated", [True, False])
def test_what_has_left_is_told_soon_but_in_no_simulated_market(is_simulated):
    timers = []
    session = SimpleNamespace(
        _left=Left(), _changed=Left(), market_rules=is_simulated, after=lambda *given: timers.append(given)
    )
    BrokerActor.left(session, "A-1")
    BrokerActor.changed(session, "A-1", "X-1")

    assert len(timers) == (0 if is_simulated else 2)


def a_change(number=1, **fields):
    fields = {"symbol": "INFY", "side": "BUY", "quantity": 20, "order_type": "LIMIT", "limit_price": 101.0} | fields
    return ReplaceOrder(**{"client_order_id": "A-1", "broker_order_id": "X-1", "number": number} | fields)


class TestChangingAnOrder:
    def test_passes_it_to_the_exchange_and_the_answer_back(self, stage):
        stage.open().ask(a_change())
        sent = stage.exchange.receive()
        stage.answer(stage.report("REPLACED", number=1))

        assert sent == ReplaceRequest(
            client_order_id="A-1", quantity=20, order_type="LIMIT", limit_price=101.0, number=1
        )
        assert stage.orders.receive() == OrderReplaced(client_order_id="A-1", number=1)

    def test_counts_what_came_of_each_and_the_cancellations_that_left(self, stage):
        stage.open()
        for number, kind in enumerate(["REPLACED", "REPLACED", "CANCEL_REJECTED"], 1):
            stage.ask(a_change(number=number))
            stage.answer(stage.report(kind, number=number))
        stage.ask(a_change(number=4))
        stage.answer(UNAVAILABLE)
        stage.ask(WithdrawOrder(client_order_id="A-1"))
        counts = stage.system.request("broker", Ping()).statistics

        assert (counts.replaced, counts.replace_refused, counts.replace_in_doubt, counts.withdrawn) == (2, 1, 1, 1)

    def test_that_the_exchange_refuses_is_not_made(self, stage):
        stage.open().ask(a_change())
        stage.answer(stage.report("CANCEL_REJECTED", number=1, reason="off the grid"))

        assert stage.orders.receive() == OrderNotReplaced(client_order_id="A-1", number=1, reason="off the grid")

    def test_twice_sends_it_once_and_gives_the_same_answer(self, stage):
        stage.open().ask(a_change())
        stage.ask(a_change())
        assert isinstance(stage.exchange.receive(), ReplaceRequest)
        stage.answer(stage.report("REPLACED", number=1))
        stage.ask(a_change())

        assert [stage.orders.receive() for _ in range(3)] == [OrderReplaced(client_order_id="A-1", number=1)] * 3
        assert stage.exchange.is_empty()

    def test_before_the_newest_is_never_sent(self, stage):
        stage.open().ask(a_change(number=2))
        stage.exchange.receive()
        stage.ask(a_change(number=1))

        assert isinstance(stage.orders.receive(), ReplaceInDoubt)
        assert stage.exchange.is_empty()

    def test_before_the_newest_is_not_answered_by_that_of_the_newest(self, stage):
        stage.open()
        for number in (1, 2):
            stage.ask(a_change(number=number))
            stage.answer(stage.report("REPLACED", number=number))
            stage.orders.receive()
        stage.ask(a_change(number=1))

        doubt = stage.orders.receive()
        assert (type(doubt), doubt.number) == (ReplaceInDoubt, 1)

    def test_that_another_followed_is_answered_late_and_answers_for_itself_alone(self, stage):
        stage.open().ask(a_change(number=1))
        stage.ask(a_change(number=2))
        stage.answer(stage.report("REPLACED", number=1))
        late = stage.orders.receive()
        stage.ask(a_change(number=2))
        stage.answer(stage.report("CANCEL_REJECTED", number=2, reason="off the grid"))

        refused = OrderNotReplaced(client_order_id="A-1", number=2, reason="off the grid")
        assert late == OrderReplaced(client_order_id="A-1", number=1)
        assert [stage.orders.receive() for _ in range(2)] == [refused] * 2

    def test_of_a_process_before_is_answered_and_does_not_stand_in_the_way_of_the_first_of_this_one(self, stage):
        stage.open().answer(stage.report("REPLACED", number=1))
        assert stage.orders.receive() == OrderReplaced(client_order_id="A-1", number=1)
        stage.ask(a_change())

        assert isinstance(stage.exchange.receive(), ReplaceRequest)

    def test_without_an_answer_in_time_is_in_doubt(self, stage):
        stage.open(answer_timeout_s=0.02).ask(a_change())

        assert stage.orders.receive() == ReplaceInDoubt(client_order_id="A-1", number=1, reason="no answer in 0.02 s")
        stage.answer(stage.report("REPLACED", number=1))
        assert stage.orders.receive() == OrderReplaced(client_order_id="A-1", number=1)

    @pytest.mark.parametrize("failure", [UNAVAILABLE, failed_on("ReplaceRequest")])
    def test_is_in_doubt_when_the_exchange_fails(self, stage, failure):
        stage.open().ask(a_change())
        stage.exchange.receive()
        stage.answer(failure)

        reason = f"exchange: {failure.reason}"
        assert stage.orders.receive() == ReplaceInDoubt(client_order_id="A-1", number=1, reason=reason)

    def test_a_refused_cancellation_meanwhile_is_no_answer_to_it(self, stage):
        stage.open().ask(a_change())
        stage.answer(stage.report("CANCEL_REJECTED", reason="not open"))

        assert stage.orders.receive().execution_type == "CANCEL_REJECTED"


def test_paper_trading_has_neither_of_the_broker_s_own_ways_out_and_says_so(stage):
    stage.open()
    exit_set = stage.system.request("broker", SetLossExit(loss_rupees=5_000.0))

    assert "found none" in stage.system.request("broker", StopTrading()).problem
    assert "found none" in exit_set.problem
    assert exit_set.loss_rupees == 0.0

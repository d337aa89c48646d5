"""Dhan's body alone, without any actor: what it sends, and what it makes of the answers and of time."""

import msgspec
import pytest
from natya_builders import to_place
from natya_dhan_stage import ACK, Stage, a_row, a_trade

from natya.actors.external import CountBefore
from natya.domain.dhan.writing import InvalidRequestError
from natya.messages.broker import (
    ExecutionReport,
    FindOrder,
    LookupFailed,
    OrderFound,
    OrderInDoubt,
    OrderNotPlaced,
    OrderPlaced,
    UpdatesConnected,
    WithdrawOrder,
)
from natya.messages.supervision import Failed, Unavailable

NOT_FOUND = {"errorType": "Order_Error", "errorCode": "DH-906", "errorMessage": "no such order"}
UNAVAILABLE = Unavailable(actor="broker-service", reason="breaker open", retry_after_s=1.0)


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def placed(stage):
    stage.body.place(to_place())
    stage.answer(ACK)
    stage.heard()
    return stage


class TestPlacing:
    def test_posts_the_whole_order_once(self, stage):
        stage.body.place(to_place(order_type="LIMIT", limit_price=100.05))
        call = stage.answer(ACK)

        assert (call.method, call.url, call.urgent) == ("POST", "https://x/v2/orders", False)
        assert msgspec.json.decode(call.body) == {
            "dhanClientId": "11",
            "correlationId": "A-1",
            "transactionType": "BUY",
            "exchangeSegment": "NSE_EQ",
            "productType": "INTRADAY",
            "orderType": "LIMIT",
            "validity": "DAY",
            "securityId": "1594",
            "quantity": 10,
            "disclosedQuantity": 0,
            "price": 100.05,
            "triggerPrice": 0.0,
            "afterMarketOrder": False,
        }
        assert stage.heard() == [OrderPlaced(client_order_id="A-1", broker_order_id="7", symbol="INFY", side="BUY")]

    @pytest.mark.parametrize(
        ("fields", "wanted"),
        [
            ({"order_type": "STOP", "trigger_price": 100.0}, ("STOP_LOSS", 101.0, 100.0)),
            ({"order_type": "STOP", "trigger_price": 100.0, "side": "SELL"}, ("STOP_LOSS", 99.0, 100.0)),
            ({"order_type": "STOP_LIMIT", "trigger_price": 100.0, "limit_price": 100.1}, ("STOP_LOSS", 100.1, 100.0)),
        ],
    )
    def test_of_a_stop_never_leaves_it_without_a_limit(self, stage, fields, wanted):
        stage.body.place(to_place(**fields))
        sent = msgspec.json.decode(stage.answer(ACK).body)

        assert (sent["orderType"], sent["price"], sent["triggerPrice"]) == wanted

    def test_sends_validity_and_product_as_they_are_asked_for(self, stage):
        stage.body.place(to_place(validity="IOC", product="CNC"))
        sent = msgspec.json.decode(stage.answer(ACK).body)

        assert (sent["validity"], sent["productType"]) == ("IOC", "CNC")

    def test_asks_for_an_instrument_once_a_day(self, stage):
        for number in range(3):
            stage.body.place(to_place(client_order_id=f"A-{number}"))
        assert stage.session.shown == ["INFY"]
        stage.session.clock.time_ns += 86_400_000_000_000
        stage.body.place(to_place(client_order_id="A-9"))

        assert stage.session.shown == ["INFY", "INFY"]

    def test_of_what_closes_a_position_overtakes(self, stage):
        stage.body.place(to_place(reduces=True))

        assert stage.answer(ACK).urgent

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"symbol": "NONE"}, "there is none of this name"),
            ({"quantity": 7}, "quantity: a multiple of the lot of 5 wanted, found 7"),
            ({"order_type": "LIMIT", "limit_price": 100.01}, "limit_price: a multiple of the tick of 0.05 wanted"),
            ({"order_type": "STOP", "trigger_price": 100.01}, "trigger_price: a multiple of the tick of 0.05 wanted"),
            ({"client_order_id": "A" * 26}, "1 to 25 letters"),
        ],
    )
    def test_of_what_cannot_be_sends_nothing(self, stage, fields, reason):
        stage.body.place(to_place(**fields))
        (answer,) = stage.heard()

        assert isinstance(answer, OrderNotPlaced)
        assert reason in answer.reason
        assert not stage.calls()

    def test_of_what_cannot_be_written_sends_nothing_and_says_why(self, stage, monkeypatch):
        def refuse(_request):
            raise InvalidRequestError("correlationId: text wanted")

        monkeypatch.setattr("natya.actors.broker.bodies.dhan.body.body_of", refuse)
        stage.body.place(to_place())

        assert stage.heard() == [OrderNotPlaced(client_order_id="A-1", reason="correlationId: text wanted")]
        assert (stage.calls(), stage.session.sent) == ([], [])

    def test_of_what_no_list_knows_says_so_in_the_words_of_the_list(self, stage):
        stage.body.place(to_place(symbol="NONE"))

        assert stage.heard() == [OrderNotPlaced(client_order_id="A-1", reason="there is none of this name")]

    @pytest.mark.parametrize(
        ("told", "kind", "reason"),
        [
            ({"status": 400, "data": NOT_FOUND, "error": "400"}, OrderNotPlaced, "DH-906 no such order"),
            ({"success": False, "sent": "no", "status_code": None, "error": "10 in 1s"}, OrderNotPlaced, "10 in 1s"),
            ({"success": False, "sent": "unknown", "status_code": None, "error": "reset"}, OrderInDoubt, "reset"),
            ({"status": 502, "sent": "unknown", "error": "502"}, OrderInDoubt, "502"),
            (
                {"data": {}},
                OrderInDoubt,
                "an answer that cannot be read: OrderAck.orderId: a text wanted, found nothing",
            ),
        ],
    )
    def test_ends_in_one_of_three_answers(self, stage, told, kind, reason):
        stage.body.place(to_place())
        stage.answer(**told)

        assert stage.heard() == [kind(client_order_id="A-1", reason=reason)]
        assert stage.session.sent == ["A-1"]

    def test_is_certain_only_when_the_owner_of_the_calls_was_down(self, stage):
        for answer in (UNAVAILABLE, Failed(actor="broker-service", message_type="Ask", error="E", reason="bug")):
            stage.body.place(to_place(str(answer.actor) + str(len(stage.session.logged))))
            stage.session.logged.append("next")
            stage.answer_with(answer)

        assert [type(answer) for answer in stage.heard()] == [OrderNotPlaced, OrderInDoubt]

    def test_in_doubt_is_settled_by_the_order_book_when_it_shows_it(self, stage):
        stage.body.place(to_place())
        stage.answer(success=False, sent="unknown", status_code=None)
        stage.pass_time()

        assert stage.calls() == ["GET /orders"]
        stage.answer([a_row(), a_row(orderId="8", correlationId="B-1")])
        assert [type(event) for event in stage.heard()] == [OrderInDoubt, OrderPlaced]
        assert stage.pass_time() == 0.25


class TestCancelling:
    def test_before_the_order_is_placed_waits_for_that(self, stage):
        stage.body.place(to_place())
        stage.body.withdraw(WithdrawOrder(client_order_id="A-1"))

        assert stage.calls() == ["POST /orders"]
        stage.answer(ACK)
        assert stage.calls() == ["DELETE /orders/7"]

    def test_an_order_that_was_not_placed_is_refused(self, stage):
        stage.body.place(to_place())
        stage.body.withdraw(WithdrawOrder(client_order_id="A-1"))
        stage.answer(status=400, data=NOT_FOUND)

        assert [getattr(event, "execution_type", "") for event in stage.heard()] == ["", "CANCEL_REJECTED"]

    def test_twice_at_once_is_one(self, placed):
        for _ in range(2):
            placed.body.withdraw(WithdrawOrder(client_order_id="A-1"))

        assert placed.calls() == ["DELETE /orders/7"]

    def test_ends_the_order_with_what_it_had_filled(self, placed):
        placed.body.withdraw(WithdrawOrder(client_order_id="A-1"))
        assert placed.answer({"orderId": "7", "orderStatus": "CANCELLED"}).urgent
        placed.pass_time()
        placed.answer([a_row("CANCELLED", filled=4)])
        placed.answer([a_trade(quantity=4)])

        trade, ending = placed.heard()
        assert (trade.execution_type, trade.execution_id, trade.quantity) == ("TRADE", "E1", 4)
        assert (ending.execution_type, ending.cumulative_quantity) == ("CANCELLED", 4)

    def test_of_an_order_that_this_body_never_placed_goes_by_its_number(self, stage):
        stage.body.withdraw(WithdrawOrder(client_order_id="A-1", broker_order_id="7"))

        assert stage.calls() == ["DELETE /orders/7"]


class TestLooking:
    def test_tells_each_trade_once_and_ends_with_the_last(self, placed):
        placed.pass_time()
        placed.answer([a_row("PART_TRADED", filled=4)])
        placed.answer([a_trade(quantity=4)])
        placed.pass_time()
        placed.answer([a_row("TRADED", filled=10)])
        placed.answer([a_trade(quantity=4), a_trade("E2", 6)])

        reports = placed.heard()
        assert all(isinstance(report, ExecutionReport) for report in reports)
        assert [(report.execution_id, report.cumulative_quantity) for report in reports] == [("E1", 4), ("E2", 10)]
        assert not [timer for timer in placed.session.timers if timer.waits]

    def test_tells_nothing_more_of_an_order_that_has_ended_while_it_was_under_way(self, placed):
        placed.pass_time()
        placed.body._watching.forget("A-1")
        placed.answer([a_row("TRADED", filled=10)])
        placed.answer([a_trade(quantity=10)])

        assert placed.heard() == []
        assert [timer for timer in placed.session.timers if timer.waits] == []

    def test_becomes_rarer_while_nothing_happens_and_frequent_after_news(self, placed):
        waits = []
        for _ in range(10):
            waits.append(placed.pass_time())
            placed.answer([a_row()])
        placed.pass_time()
        placed.answer([a_row("PART_TRADED", filled=4)])
        placed.answer([a_trade(quantity=4)])

        assert waits == sorted(waits)
        assert (waits[0], waits[-1]) == (0.25, 5.0)
        assert placed.pass_time() == 0.25

    def test_is_as_frequent_as_an_open_order_wants_it_though_another_is_in_doubt(self, placed):
        placed.body.place(to_place(client_order_id="A-2"))
        placed.answer(success=False, sent="unknown", status_code=None)
        for _ in range(20):
            waited_s = placed.pass_time()
            placed.answer([a_row()])

        assert waited_s == 5.0

    def test_is_much_rarer_where_all_that_is_left_is_in_doubt(self, stage):
        stage.body.place(to_place())
        stage.answer(success=False, sent="unknown", status_code=None)
        for _ in range(20):
            waited_s = stage.pass_time()
            stage.answer([])

        assert waited_s == 60.0

    def test_is_planned_when_the_one_before_it_has_ended(self, placed):
        placed.pass_time()
        placed.body._watching.look_soon()
        assert [timer for timer in placed.session.timers if timer.waits] == []
        placed.answer([a_row()])

        assert len([timer for timer in placed.session.timers if timer.waits]) == 1

    def test_is_not_put_off_by_orders_that_follow_each_other(self, placed):
        first = next(timer for timer in placed.session.timers if timer.waits)
        for number in range(2, 9):
            placed.body.place(to_place(client_order_id=f"A-{number}"))
            placed.answer({"orderId": f"7{number}", "orderStatus": "TRANSIT"})

        assert [timer for timer in placed.session.timers if timer.waits] == [first]
        placed.pass_time()
        assert placed.calls() == ["GET /orders"]

    def test_goes_on_when_it_cannot_see(self, placed):
        placed.pass_time()
        placed.answer(status=502, sent="unknown", error="502 Bad Gateway")
        placed.pass_time()

        assert placed.calls() == ["GET /orders/7"]
        assert placed.session.logged == [("orders.not_seen", {"level": "warning", "reason": "502 Bad Gateway"})]

    def test_ends_with_the_session_also_while_it_cannot_see(self, placed):
        placed.pass_time()
        placed.body.rest()
        placed.answer(status=502, sent="unknown", error="no answer in 4 s")
        placed.body.hear(UpdatesConnected())

        assert placed.calls() == []
        assert [timer for timer in placed.session.timers if timer.waits] == []

    def test_that_would_come_next_ends_with_the_session(self, placed):
        placed.body.rest()

        assert [timer for timer in placed.session.timers if timer.waits] == []

    def test_reads_the_whole_book_for_many(self, stage):
        for number in range(3):
            stage.body.place(to_place(f"A-{number}"))
            stage.answer({"orderId": str(number), "orderStatus": "TRANSIT"})
        stage.pass_time()

        assert stage.calls() == ["GET /orders"]

    def test_reads_the_trades_of_all_where_several_have_some(self, stage):
        for number in range(3):
            stage.body.place(to_place(f"A-{number}"))
            stage.answer({"orderId": str(number), "orderStatus": "TRANSIT"})
        stage.heard()
        stage.pass_time()
        stage.answer([a_row("PART_TRADED", 4, orderId=str(number), correlationId=f"A-{number}") for number in (0, 1)])
        assert stage.calls() == ["GET /trades"]
        trades = [a_trade(f"E{number}", 4) | {"orderId": str(number)} for number in (0, 1, 9)]
        stage.answer(trades)

        assert [(report.client_order_id, report.execution_id) for report in stage.heard()] == [
            ("A-0", "E0"),
            ("A-1", "E1"),
        ]


class TestARestart:
    def test_sends_nothing_again_and_watches_what_is_open_or_may_be(self, placed):
        placed.body.place(to_place("A-2"))
        placed.body.withdraw(WithdrawOrder(client_order_id="A-1"))
        state = placed.body.snapshot()
        after = Stage()
        after.body.restore(state)

        assert after.calls() == ["DELETE /orders/7"]
        after.pass_time()
        assert after.calls() == ["DELETE /orders/7", "GET /orders"]

    def test_of_the_process_finds_its_order_again_and_watches_it(self, stage):
        request = FindOrder(client_order_id="A-1", symbol="INFY", side="BUY", quantity=10, broker_order_id="7")
        stage.body.find(request)
        stage.answer([a_row("PART_TRADED", filled=4)])
        stage.answer([a_trade(quantity=4)])
        (found,) = stage.heard()

        assert isinstance(found, OrderFound)
        assert (found.state, [report.execution_id for report in found.reports]) == ("PART_FILLED", ["E1"])
        stage.pass_time()
        stage.answer([a_row("TRADED", filled=10)])
        stage.answer([a_trade(quantity=4), a_trade("E2", 6)])
        assert [report.execution_id for report in stage.heard()] == ["E2"]


class TestLookUps:
    @pytest.mark.parametrize(("security_id", "kinds"), [("1594", [OrderPlaced, OrderFound]), ("999", [OrderFound])])
    def test_tell_that_the_broker_has_an_order_where_it_is_of_the_instrument_that_was_ordered(
        self, stage, security_id, kinds
    ):
        stage.body.find(FindOrder(client_order_id="A-1", symbol="INFY", side="BUY"))
        stage.answer(a_row(securityId=security_id))

        assert [type(each) for each in stage.heard()] == kinds

    def test_tell_first_that_the_broker_has_an_order_which_it_rejected(self, stage):
        stage.body.find(FindOrder(client_order_id="A-1", symbol="INFY", side="BUY"))
        stage.answer(a_row("REJECTED"))

        placed, found = stage.heard()
        assert (type(placed), placed.broker_order_id) == (OrderPlaced, "7")
        assert (type(found), found.state) == (OrderFound, "REJECTED")

    def test_that_wait_at_the_same_time_read_the_day_once(self, stage):
        for number in range(5):
            stage.body.find(FindOrder(client_order_id=f"A-{number}", symbol="INFY", side="BUY"))
        for _ in range(5):
            stage.answer(NOT_FOUND, status=404)

        # The first began to read before the others asked; one more reading serves those.
        assert stage.calls() == ["GET /positions"]
        for _ in range(2):
            for _ in range(3):
                stage.answer([])
        assert not stage.calls()
        assert [event.client_order_id for event in stage.heard()] == [f"A-{number}" for number in range(5)]

    def test_read_a_long_day_on_another_thread(self, stage):
        stage.body.find(FindOrder(client_order_id="A-1", symbol="INFY", side="BUY"))
        stage.answer(NOT_FOUND, status=404)
        for rows in ([], [], [a_row(orderId=str(number), correlationId=f"B-{number}") for number in range(101)]):
            stage.answer(rows)

        assert stage.session.offloaded == ["reading"]
        assert [event.client_order_id for event in stage.heard()] == ["A-1"]

    def test_fail_for_an_order_whose_trades_cannot_be_read(self, stage):
        stage.body.find(FindOrder(client_order_id="A-1", symbol="INFY", side="BUY"))
        stage.answer(a_row("TRADED"))
        stage.answer_with(UNAVAILABLE)

        (answer,) = stage.heard()
        assert isinstance(answer, LookupFailed)
        assert answer.reason.startswith("its trades: ")

    def test_fail_when_the_owner_of_the_calls_is_down(self, stage):
        stage.body.find(FindOrder(client_order_id="A-1", symbol="INFY", side="BUY"))
        stage.answer_with(UNAVAILABLE)

        assert [type(event) for event in stage.heard()] == [LookupFailed]


def test_how_far_our_clock_is_off_is_told_by_each_answer_that_has_a_time(stage):
    stage.body.find(FindOrder(client_order_id="A-1"))
    stage.answer(None, 404, clock_skew_s=2.5)
    stage.answer([], clock_skew_s=None)

    assert stage.session.skews == [2.5]


class TestADeadToken:
    def test_is_shown_once_until_the_broker_answers_again(self, stage):
        for number in range(2):
            stage.body.place(to_place(f"A-{number}"))
            stage.answer(status=401, data={"data": {"808": "Authentication Failed"}, "status": "failed"})
        stage.body.place(to_place("A-2"))
        stage.answer(success=False, sent="no", status_code=None, error="no headers, or no query: TokenDeadError")
        assert [type(event) for event in stage.heard()] == [OrderNotPlaced] * 3
        stage.body.place(to_place("A-3"))
        stage.answer(ACK)

        assert len(stage.session.troubles) == 2
        assert "dead" in stage.session.troubles[0]
        assert stage.session.troubles[1] == ""


class TestWhatAProcessBeforeHasSent:
    def test_counts_against_the_limits_of_orders(self):
        stage = Stage()

        stage.body.count((1, 2))

        assert stage.session.counted == [CountBefore("orders", (1, 2))]

"""What Dhan's body makes of order updates: a look at once, never a fill; rarer looks while they can be relied on."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_builders import to_place
from natya_dhan_stage import ACK, Stage, a_row, a_trade

from natya.messages.broker import (
    ExecutionReport,
    OrderInDoubt,
    OrderPlaced,
    OrderUpdated,
    UpdatesConnected,
    UpdatesLost,
)

LOST = UpdatesLost(reason="reset")


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def placed(stage):
    """With updates, and an order that is seen to be open."""
    stage.body.hear(UpdatesConnected())
    stage.body.place(to_place())
    stage.answer(ACK)
    stage.pass_time()
    stage.answer([a_row()])
    stage.heard()
    return stage


def an_update(status="PENDING", filled=0, **fields):
    fields = {"broker_order_id": "7", "client_order_id": "A-1"} | fields
    return OrderUpdated(status=status, filled=filled, **fields)


def next_wait_s(stage):
    return min(timer.seconds for timer in stage.session.timers if timer.waits)


class TestAnUpdate:
    def test_of_a_fill_has_the_order_and_its_trades_read_at_once(self, placed):
        placed.body.hear(an_update("PART_TRADED", 4))
        assert placed.calls() == ["GET /orders/7"]
        placed.answer([a_row("PART_TRADED", filled=4)])
        placed.answer([a_trade(quantity=4)])

        assert [(report.execution_id, report.quantity) for report in placed.heard()] == [("E1", 4)]

    def test_is_no_fill_itself(self, placed):
        placed.body.hear(an_update("TRADED", 10))

        assert not placed.heard()

    def test_that_is_repeated_or_late_asks_nothing(self, placed):
        placed.body.hear(an_update("PART_TRADED", 4))
        placed.answer([a_row("PART_TRADED", filled=4)])
        placed.answer([a_trade(quantity=4)])
        for _ in range(3):
            placed.body.hear(an_update("PART_TRADED", 4))
            placed.body.hear(an_update())

        assert not placed.calls()

    def test_ahead_of_the_order_book_has_it_looked_at_again_soon(self, placed):
        placed.body.hear(an_update("TRADED", 10))
        placed.answer([a_row()])

        assert placed.pass_time() == pytest.approx(0.4)
        assert placed.calls() == ["GET /orders/7"]

    def test_is_found_by_the_number_where_it_has_no_id_of_ours(self, placed):
        placed.body.hear(an_update("TRADED", 10, client_order_id=""))

        assert placed.calls() == ["GET /orders/7"]

    def test_of_another_s_order_is_left(self, placed):
        placed.body.hear(an_update("TRADED", 10, client_order_id="", broker_order_id="8"))
        placed.body.hear(an_update("TRADED", 10, client_order_id="B-1", broker_order_id="9"))

        assert not placed.calls()
        assert not placed.heard()

    def test_before_the_answer_to_the_placement_has_the_order_looked_at_with_the_answer(self, stage):
        stage.body.hear(UpdatesConnected())
        stage.body.place(to_place())
        stage.body.hear(an_update("TRADED", 10))
        assert stage.calls() == ["POST /orders"]
        stage.answer(ACK)

        assert stage.calls() == ["GET /orders/7"]

    def test_of_an_order_in_doubt_has_the_order_book_read_at_once(self, stage):
        stage.body.hear(UpdatesConnected())
        stage.body.place(to_place())
        stage.answer(success=False, sent="unknown", status_code=None)
        stage.body.hear(an_update())
        assert stage.calls() == ["GET /orders"]
        stage.answer([a_row()])

        doubt, found = stage.heard()
        assert (type(doubt), found) == (
            OrderInDoubt,
            OrderPlaced(client_order_id="A-1", broker_order_id="7", symbol="INFY", side="BUY"),
        )

    def test_with_a_word_that_nobody_knows_has_the_order_looked_at(self, placed):
        placed.body.hear(an_update("Partly Done"))

        assert placed.calls() == ["GET /orders/7"]

    def test_in_a_burst_costs_one_look_in_a_while(self, placed):
        placed.body.hear(an_update("PART_TRADED", 1))
        for filled in range(2, 9):
            placed.body.hear(an_update("PART_TRADED", filled))
        placed.answer([a_row("PART_TRADED", filled=1)])
        placed.answer([a_trade(quantity=1)])

        assert not placed.calls()
        assert next_wait_s(placed) == 0.2
        placed.pass_time()
        placed.pass_time()
        assert placed.calls() == ["GET /orders/7"]

    def test_during_a_look_or_the_pause_behind_one_begins_no_other(self, placed):
        placed.pass_time()
        placed.body.hear(an_update("PART_TRADED", 4))
        assert placed.calls() == ["GET /orders/7"]
        placed.answer([a_row()])
        placed.answer([a_row()])
        for filled in (5, 6, 7):
            placed.body.hear(an_update("PART_TRADED", filled))

        assert placed.calls() == []
        assert [timer.seconds for timer in placed.session.timers if timer.waits and timer.seconds == 0.2] == [0.2]


class TestLooksWithUpdates:
    def test_are_relied_on_still_where_one_that_an_update_asked_for_shows_more_than_that_said(self, placed):
        placed.body.hear(an_update("PART_TRADED", 4))
        placed.answer([a_row("PART_TRADED", filled=6)])
        placed.answer([a_trade(quantity=4), a_trade("E2", 2)])
        waits = []
        for _ in range(9):
            waits.append(placed.pass_time())
            placed.answer([a_row("PART_TRADED", filled=6)])

        assert (waits[0], waits[-1]) == (1.0, 15.0)

    def test_are_as_without_them_where_one_shows_an_end_that_no_update_said(self, placed):
        placed.body.place(to_place("A-2"))
        placed.answer({"orderId": "8", "orderStatus": "TRANSIT"})
        placed.pass_time()
        placed.answer([a_row("CANCELLED")])
        placed.answer([a_row(orderId="8", correlationId="A-2")])

        assert next_wait_s(placed) == 0.25

    def test_are_rarer_while_nothing_happens(self, placed):
        waits = []
        for _ in range(8):
            waits.append(placed.pass_time())
            placed.answer([a_row()])

        assert waits[0] > 1
        assert waits[-1] == 15.0

    def test_are_as_without_them_from_a_look_that_shows_what_no_update_said_until_the_next_update(self, placed):
        placed.pass_time()
        placed.answer([a_row("PART_TRADED", filled=4)])
        placed.answer([a_trade(quantity=4)])
        assert next_wait_s(placed) == 0.25
        placed.pass_time()
        placed.answer([a_row("PART_TRADED", filled=4)])
        placed.body.hear(an_update("PART_TRADED", 6))
        placed.answer([a_row("PART_TRADED", filled=6)])
        placed.answer([a_trade(quantity=4), a_trade("E2", 2)])
        placed.pass_time()
        placed.answer([a_row("PART_TRADED", filled=6)])

        assert next_wait_s(placed) == pytest.approx(1.6)

    def test_are_as_without_them_while_an_order_is_in_doubt(self, placed):
        placed.body.place(to_place("A-2"))
        placed.answer(success=False, sent="unknown", status_code=None)

        assert next_wait_s(placed) == 0.25

    def test_are_as_without_them_when_the_connection_is_lost(self, placed):
        for _ in range(8):
            placed.pass_time()
            placed.answer([a_row()])
        placed.body.hear(LOST)

        assert next_wait_s(placed) == 0.25

    def test_are_made_at_once_after_each_connection(self, placed):
        placed.body.hear(LOST)
        placed.body.hear(UpdatesConnected())

        assert placed.calls() == ["GET /orders/7"]

    def test_of_all_orders_follow_where_they_were_due_during_a_look_at_one(self, placed):
        placed.body.place(to_place("A-2"))
        placed.answer({"orderId": "8", "orderStatus": "TRANSIT"})
        placed.body.hear(an_update("PART_TRADED", 4))
        placed.pass_time()
        placed.answer([a_row("PART_TRADED", filled=4)])
        placed.answer([a_trade(quantity=4)])
        assert next_wait_s(placed) == 0.2
        placed.session.clock.time_ns += 200_000_000
        next(timer for timer in placed.session.timers if timer.waits and timer.seconds == 0.2).due.call()
        placed.answer([a_row("PART_TRADED", filled=4)])

        assert placed.calls() == ["GET /orders/8"]


class TestALoginInDoubt:
    def test_is_made_certain_by_a_question_over_http(self, stage):
        stage.body.hear(UpdatesLost(reason="reset", is_login_in_doubt=True))
        assert stage.calls() == ["GET /profile"]
        stage.answer(status=401, data={"data": {"808": "Authentication Failed"}, "status": "failed"})

        assert "dead" in stage.session.troubles[0]

    def test_is_none_where_the_question_is_answered(self, stage):
        stage.body.hear(UpdatesLost(reason="reset", is_login_in_doubt=True))
        stage.answer({"dhanClientId": "11"})

        assert not stage.session.troubles


class Broker:
    """One order of 10 shares at a broker: its parts trade, or it is cancelled; all updates so far can be repeated."""

    def __init__(self):
        self.status, self.trades, self.updates = "PENDING", [], []

    @property
    def filled(self):
        return sum(trade["tradedQuantity"] for trade in self.trades)

    def trade(self, quantity):
        quantity = min(quantity, 10 - self.filled)
        if self.status in {"TRADED", "CANCELLED"} or not quantity:
            return
        self.trades.append(a_trade(f"E{len(self.trades) + 1}", quantity))
        self.status = "TRADED" if self.filled == 10 else "PART_TRADED"
        self._push()

    def cancel(self):
        if self.status not in {"TRADED", "CANCELLED"}:
            self.status = "CANCELLED"
            self._push()

    def _push(self):
        self.updates.append(an_update(self.status, self.filled))

    def answer(self, stage, *, fails=False):
        """Answer the oldest question: with what is so now, or not at all."""
        (ask, _) = stage.session.asked[0]
        path = ask.call.url.removeprefix("https://x/v2")
        if ask.call.method == "POST":
            if fails:
                stage.answer(success=False, sent="unknown", status_code=None)
            else:
                stage.answer(ACK)
        elif fails:
            stage.answer(status=502, sent="unknown", error="502 Bad Gateway")
        elif path.startswith("/trades"):
            stage.answer([msgspec.json.decode(msgspec.json.encode(trade)) for trade in self.trades])
        else:
            stage.answer([a_row(self.status, filled=self.filled)])


STEPS = st.one_of(
    st.tuples(st.just("trade"), st.integers(1, 6)),
    st.tuples(st.just("cancel"), st.just(0)),
    st.tuples(st.just("update"), st.integers(0, 20)),
    st.tuples(st.just("answer"), st.just(0)),
    st.tuples(st.just("fail"), st.just(0)),
    st.tuples(st.just("time"), st.just(0)),
    st.tuples(st.just("connect"), st.just(0)),
    st.tuples(st.just("lose"), st.just(0)),
)


def play(stage, broker, step, number):
    if step == "trade":
        broker.trade(number)
    elif step == "cancel":
        broker.cancel()
    elif step == "update" and broker.updates:
        stage.body.hear(broker.updates[number % len(broker.updates)])
    elif step in {"answer", "fail"} and stage.session.asked:
        broker.answer(stage, fails=step == "fail")
    elif step == "time" and any(timer.waits for timer in stage.session.timers):
        stage.session.clock.time_ns += 300_000_000
        stage.pass_time()
    elif step == "connect":
        stage.body.hear(UpdatesConnected())
    elif step == "lose":
        stage.body.hear(LOST)


@given(steps=st.lists(STEPS, max_size=40))
def test_whatever_comes_when_each_trade_is_one_fill_and_the_order_ends_as_it_did(steps):
    stage, broker = Stage(), Broker()
    stage.body.place(to_place())
    for step, number in steps:
        play(stage, broker, step, number)
    broker.trade(3)
    broker.cancel()
    while stage.session.asked or any(timer.waits for timer in stage.session.timers):
        play(stage, broker, "answer" if stage.session.asked else "time", 0)

    reports = [report for report in stage.heard() if isinstance(report, ExecutionReport)]
    fills = [report for report in reports if report.execution_type == "TRADE"]
    assert [(fill.execution_id, fill.quantity) for fill in fills] == [
        (trade["exchangeTradeId"], trade["tradedQuantity"]) for trade in broker.trades
    ]
    filled = [fill.cumulative_quantity for fill in fills]
    assert filled == sorted(filled)
    ending = [] if broker.status == "TRADED" else ["CANCELLED"]
    assert [report.execution_type for report in reports[len(fills) :]] == ending

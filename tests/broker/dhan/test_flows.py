"""Looking up and cancelling, as conversations: what is asked, and what may be concluded from the replies."""

import msgspec
import pytest
from natya_dhan_rows import a_position, a_row, a_trade, watched

from natya.actors.broker.bodies.dhan import endpoints
from natya.actors.broker.bodies.dhan.flows import CANCELS_MAX, Day, Pause, Question, WholeDay, cancel, find, read_day
from natya.actors.broker.bodies.dhan.looks import Interval, look
from natya.actors.broker.bodies.dhan.replies import Reply
from natya.domain.dhan.moments import moment
from natya.domain.dhan.trading.orders import OrderAck
from natya.messages.broker import FindOrder, LookupFailed, OrderNotFound

S_NS = 1_000_000_000
MORNING_NS = 1_704_080_700 * S_NS
YESTERDAY_NS = MORNING_NS - 86_400 * S_NS
NOT_FOUND = Reply(outcome="refused", meaning="not_found", reason="DH-906")
LOST = Reply(outcome="unknown", reason="reset")
DEAD = Reply(outcome="refused", meaning="token", reason="808")


def told(value):
    return Reply(outcome="told", value=value)


def a_day(book=(), trades=(), positions=(), unreadable=0):
    return told(Day(book=list(book), trades=list(trades), positions=list(positions), unreadable=unreadable))


def to_find(**fields):
    fields = {"symbol": "INFY", "side": "BUY", "quantity": 10, "intended_ns": MORNING_NS} | fields
    return FindOrder(client_order_id="A-1", **fields)


def play(flow, *replies):
    """Run a flow with these replies; return what it wished for, and its result."""
    wishes, replies = [], list(replies)
    answer = None
    while True:
        try:
            wish = flow.send(answer)
        except StopIteration as end:
            assert not replies, f"never asked for: {replies}"
            return wishes, end.value
        wishes.append(wish.route if isinstance(wish, Question) else type(wish))
        answer = None if isinstance(wish, Pause) else replies.pop(0)


def find_it(*replies, number="", request=None):
    return play(find(request or to_find(), watched(number=number), MORNING_NS), *replies)


class TestALookUp:
    def test_by_correlation_id_finds_the_order_and_all_its_trades(self):
        row = a_row("TRADED", filled=10)
        wishes, found = find_it(told(row), told(([a_trade("E1", 4), a_trade("E2", 6)], 0)))

        assert wishes == [endpoints.ORDER_BY_CORRELATION, endpoints.TRADES_OF_ORDER]
        assert (found.answer.state, found.answer.broker_order_id) == ("FILLED", "7")
        assert [report.execution_id for report in found.answer.reports] == ["E1", "E2"]

    def test_by_number_asks_for_that(self):
        wishes, found = find_it(told(a_row()), number="7")

        assert wishes == [endpoints.ORDER]
        assert found.answer.state == "OPEN"

    def test_by_the_number_that_orders_knows_asks_for_that(self):
        wishes, found = find_it(told(a_row()), request=to_find(broker_order_id="7"))

        assert wishes == [endpoints.ORDER]
        assert found.answer.state == "OPEN"

    def test_that_finds_nothing_looks_into_the_whole_day(self):
        wishes, found = find_it(NOT_FOUND, a_day(book=[a_row("TRANSIT")]))

        assert wishes == [endpoints.ORDER_BY_CORRELATION, WholeDay]
        assert found.answer.broker_order_id == "7"

    @pytest.mark.parametrize("place", range(3))
    def test_finds_it_among_others_of_the_day_by_its_number_or_its_id(self, place):
        book = [a_row(number="8", correlation_id=""), a_row(number="9", correlation_id="B-2")]
        by_number, by_id = list(book), list(book)
        by_number.insert(place, a_row(correlation_id=""))
        by_id.insert(place, a_row())

        assert find_it(told(None), a_day(book=by_number), number="7")[1].answer.broker_order_id == "7"
        assert find_it(NOT_FOUND, a_day(book=by_id))[1].answer.broker_order_id == "7"

    def test_says_that_there_is_none_only_if_the_whole_day_agrees(self):
        assert find_it(NOT_FOUND, a_day())[1].answer == OrderNotFound(client_order_id="A-1")
        assert find_it(told(None), a_day())[1].answer == OrderNotFound(client_order_id="A-1")

    @pytest.mark.parametrize(
        "replies",
        [
            [LOST],
            [DEAD],
            [Reply(outcome="not_sent", reason="limits")],
            [NOT_FOUND, LOST],
            [NOT_FOUND, a_day(unreadable=1)],
            [NOT_FOUND, a_day(trades=[a_trade(number="9")])],
            [NOT_FOUND, a_day(positions=[a_position(bought=1)])],
            [NOT_FOUND, a_day(book=[a_row(), a_row(number="8")])],
            [told(a_row(correlation_id="B-2"))],
            [told(a_row("TRADED", filled=10)), LOST],
            [told(a_row("TRADED", filled=10)), told(([], 1))],
        ],
        ids=str,
    )
    def test_that_failed_is_never_that_there_is_none(self, replies):
        assert isinstance(find_it(*replies)[1].answer, LookupFailed)

    def test_of_an_order_whose_side_is_told_by_who_asks_goes_by_that(self):
        sold = [NOT_FOUND, a_day(positions=[a_position(sold=1)])]

        for side, kind in (("BUY", OrderNotFound), ("SELL", LookupFailed)):
            unknown = watched(number="", side=None)
            assert isinstance(play(find(to_find(side=side), unknown, MORNING_NS), *sold)[1].answer, kind)

    def test_of_an_order_that_the_broker_had_is_no_proof_when_it_lists_it_no_more(self):
        assert isinstance(find_it(told(None), a_day(), number="7")[1].answer, LookupFailed)

    def test_does_not_end_an_order_whose_trades_are_missing(self):
        _, found = find_it(told(a_row("CANCELLED", filled=6)), told(([a_trade("E1", 4)], 0)))

        assert found.answer.state == "PART_FILLED"
        assert not found.progress.has_ended


class TestAnOrderOfAnEarlierDay:
    request = to_find(intended_ns=YESTERDAY_NS, broker_order_id="7")

    def test_takes_its_fills_from_the_history_of_trades(self):
        rows = [a_trade("0", 4, price=101.0), a_trade("0", 6, price=100.0), a_trade("0", 5, number="8")]
        wishes, found = find_it(told(None), a_day(), told((rows, 0)), told(([], 0)), number="7", request=self.request)

        assert wishes == [endpoints.ORDER, WholeDay, endpoints.TRADE_HISTORY, endpoints.TRADE_HISTORY]
        assert found.answer.state == "FILLED"
        assert [(r.execution_id, r.quantity, r.price, r.cumulative_quantity) for r in found.answer.reports] == [
            ("7-1", 6, 100.0, 6),
            ("7-2", 4, 101.0, 10),
        ]

    def test_has_its_fills_numbered_in_the_order_of_time(self):
        early, late = (moment(f"2023-12-31 {hour}:00:00") for hour in (10, 11))
        rows = [
            a_trade("0", 4, price=100.0, exchange_time=late),
            a_trade("0", 3, price=101.0, exchange_time=early),
            a_trade("0", 3, price=99.0),
        ]
        _, found = find_it(told(None), a_day(), told((rows, 0)), told(([], 0)), number="7", request=self.request)

        assert [report.price for report in found.answer.reports] == [99.0, 101.0, 100.0]

    @pytest.mark.parametrize(("ordered", "traded", "state"), [(1, 1, "FILLED"), (2, 1, "EXPIRED"), (0, 1, "EXPIRED")])
    def test_is_filled_where_all_of_it_traded(self, ordered, traded, state):
        request = to_find(intended_ns=YESTERDAY_NS, broker_order_id="7", quantity=ordered)
        replies = [told(None), a_day(), told(([a_trade("0", traded)], 0)), told(([], 0))]

        assert find_it(*replies, number="7", request=request)[1].answer.state == state

    def test_has_expired_with_what_it_had_filled(self):
        replies = [told(None), a_day(), told(([a_trade("0", 4)], 0)), told(([], 0))]
        request = to_find(intended_ns=YESTERDAY_NS, broker_order_id="7", filled=4)
        _, found = find_it(*replies, number="7", request=request)

        assert (found.answer.state, found.answer.reports) == ("EXPIRED", ())

    def test_is_not_guessed_at_where_only_some_of_its_trades_are_known(self):
        replies = [told(None), a_day(), told(([a_trade("0", 4)], 0)), told(([], 0))]
        request = to_find(intended_ns=YESTERDAY_NS, broker_order_id="7", filled=3)

        assert isinstance(find_it(*replies, number="7", request=request)[1].answer, LookupFailed)

    def test_without_a_number_was_never_placed_if_nothing_like_it_traded(self):
        request = to_find(intended_ns=YESTERDAY_NS)
        other = a_trade("0", security_id="11536")

        nothing = find_it(NOT_FOUND, a_day(), told(([other], 0)), told(([], 0)), request=request)
        something = find_it(NOT_FOUND, a_day(), told(([a_trade("0")], 0)), told(([], 0)), request=request)
        assert isinstance(nothing[1].answer, OrderNotFound)
        assert isinstance(something[1].answer, LookupFailed)

    @pytest.mark.parametrize(
        ("trades", "kind"),
        [
            ([("8", 4)], OrderNotFound),
            ([("8", 4), ("9", 4)], LookupFailed),
            ([("9", 11)], OrderNotFound),
            ([("9", 10)], LookupFailed),
        ],
        ids=["another's of ours", "one of a number that is not ours, too", "of more shares", "of as many"],
    )
    def test_without_a_number_is_not_taken_for_what_another_order_of_ours_traded(self, trades, kind):
        request = to_find(intended_ns=YESTERDAY_NS, others=("7", "8"))
        rows = [a_trade("0", quantity, number=number) for number, quantity in trades]
        replies = [NOT_FOUND, a_day(), told((rows, 0)), told(([], 0))]

        assert isinstance(find_it(*replies, request=request)[1].answer, kind)

    @pytest.mark.parametrize("other", [{"transaction_type": "SELL"}, {"security_id": "11536"}], ids=str)
    def test_without_a_number_is_not_taken_for_what_somebody_traded_otherwise(self, other):
        trade = msgspec.structs.replace(a_trade("0", 10, number="9"), **other)
        replies = [NOT_FOUND, a_day(), told(([trade], 0)), told(([], 0))]

        assert isinstance(find_it(*replies, request=to_find(intended_ns=YESTERDAY_NS))[1].answer, OrderNotFound)

    @pytest.mark.parametrize(("listed", "kind"), [("9", OrderNotFound), ("8", LookupFailed)])
    def test_without_a_number_is_not_taken_for_what_an_order_of_today_has_traded(self, listed, kind):
        today = a_row("TRADED", number=listed, filled=10, correlation_id="")
        replies = [NOT_FOUND, a_day(book=[today]), told(([a_trade("0", 10, number="9")], 0)), told(([], 0))]

        assert isinstance(find_it(*replies, request=to_find(intended_ns=YESTERDAY_NS))[1].answer, kind)

    def test_is_unknown_if_the_history_cannot_be_read(self):
        replies = [told(None), a_day(), told(([a_trade("0", 4)], 0)), LOST]

        assert isinstance(find_it(*replies, number="7", request=self.request)[1].answer, LookupFailed)


class TestTheWholeDay:
    def test_reads_the_order_book_last_so_that_it_explains_the_others(self):
        wishes, reply = play(read_day(), told(([], 0)), told(([], 1)), told(([], 2)))

        assert wishes == [endpoints.POSITIONS, endpoints.TRADE_BOOK, endpoints.ORDER_BOOK]
        assert reply.value.unreadable == 3

    def test_is_not_told_in_parts(self):
        assert play(read_day(), told(([], 0)), LOST)[1].outcome == "unknown"


def refused(text, meaning="order"):
    return Reply(outcome="refused", meaning=meaning, reason=text, text=text)


ACK = told(OrderAck(order_id="7", order_status="CANCELLED"))


IN_TRANSIT = refused("Order is in Transit state")


class TestACancellation:
    def test_is_sent_to_the_orders_number(self):
        assert play(cancel(watched()), ACK) == ([endpoints.CANCEL_ORDER], "")

    def test_of_an_order_without_a_number_looks_that_up_first(self):
        order = watched(number="")
        wishes, refusal = play(cancel(order), told(a_row(number="9")), ACK)

        assert wishes == [endpoints.ORDER_BY_CORRELATION, endpoints.CANCEL_ORDER]
        assert (refusal, order.broker_order_id) == ("", "9")

    def test_of_an_order_that_is_not_there_is_refused(self):
        assert "found none" in play(cancel(watched(number="")), NOT_FOUND)[1]

    @pytest.mark.parametrize(
        "reply", [IN_TRANSIT, refused("Too many requests", "throttled")], ids=lambda each: each.text
    )
    def test_of_an_order_in_transit_or_too_soon_is_sent_again_later(self, reply):
        wishes, refusal = play(cancel(watched()), reply, ACK)

        assert wishes == [endpoints.CANCEL_ORDER, Pause, endpoints.CANCEL_ORDER]
        assert refusal == ""

    def test_that_the_broker_refuses_is_not_sent_again(self):
        assert play(cancel(watched()), refused("already traded"))[1] == "already traded"
        assert play(cancel(watched()), DEAD)[1] == "808"

    def test_in_doubt_is_sent_again_only_after_the_order_was_seen_open(self):
        wishes, refusal = play(cancel(watched()), LOST, told(a_row("CANCELLED")))

        assert wishes == [endpoints.CANCEL_ORDER, Pause, endpoints.ORDER]
        assert refusal == ""
        looks_twice = play(cancel(watched()), LOST, LOST, told(a_row()), ACK)[0]
        assert [each for each in looks_twice if each is not Pause] == [
            endpoints.CANCEL_ORDER,
            endpoints.ORDER,
            endpoints.ORDER,
            endpoints.CANCEL_ORDER,
        ]

    @pytest.mark.parametrize(
        ("retry_after_s", "pauses"),
        [
            (None, [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]),
            (1.0, [1.0, 1.0, 1.0, 1.6, 3.2, 5.0, 5.0]),
            (60.0, [5.0] * 7),
        ],
    )
    def test_waits_longer_each_time_and_as_long_as_the_broker_says_but_never_long(self, retry_after_s, pauses):
        flow, found = cancel(watched()), []
        wish, throttled = next(flow), msgspec.structs.replace(IN_TRANSIT, retry_after_s=retry_after_s)
        while len(found) < len(pauses):
            wish = flow.send(None if isinstance(wish, Pause) else throttled)
            found += [wish.seconds] if isinstance(wish, Pause) else []

        assert found == pytest.approx(pauses)

    def test_that_has_not_left_is_sent_again_only_where_the_limits_held_it_back(self):
        for retry_after_s, wishes, told_of in (
            (1.0, [endpoints.CANCEL_ORDER, Pause, endpoints.CANCEL_ORDER], ""),
            (None, [endpoints.CANCEL_ORDER], "no route"),
        ):
            held_back = Reply(outcome="not_sent", reason="no route", retry_after_s=retry_after_s)
            again = [told(OrderAck(order_id="7", order_status="CANCELLED"))] * (len(wishes) - 1 > 0)

            assert play(cancel(watched()), held_back, *again) == (wishes, told_of)

    def test_in_doubt_looks_again_with_a_pause_while_there_is_no_such_order(self):
        looked = [Pause, endpoints.ORDER]
        wishes, refusal = play(cancel(watched()), LOST, told(None), NOT_FOUND, told(a_row("CANCELLED")))

        assert (wishes, refusal) == ([endpoints.CANCEL_ORDER, *looked, *looked, *looked], "")

    def test_is_given_up_after_so_many(self):
        replies = [refused("Order is in Transit state")] * CANCELS_MAX

        assert "wanted to be enough" in play(cancel(watched()), *replies)[1]


@pytest.mark.parametrize("times", [1, 2, 3])
def test_of_several_rows_of_one_id_none_is_taken(times):
    doubtful = watched(number="")
    flow = look([doubtful, watched(client_order_id="B-2", number="99")], MORNING_NS)
    next(flow)
    rows = [a_row(number=str(number)) for number in range(times)]
    with pytest.raises(StopIteration) as end:
        flow.send(told((rows, 0)))

    assert [row.order_id for _, row in end.value.value.rows] == (["0"] if times == 1 else [])
    assert ("found several" in end.value.value.problem) == (times > 1)


@pytest.mark.parametrize(
    ("of_trade", "known", "may_be"),
    [
        ({}, {}, True),
        ({"transaction_type": "SELL"}, {}, False),
        ({"transaction_type": "SELL"}, {"side": None}, True),
        ({"security_id": "9"}, {}, False),
        ({"security_id": "9"}, {"instrument": None}, True),
        ({"quantity": 10}, {}, True),
        ({"quantity": 11}, {}, False),
        ({"number": "8"}, {}, False),
    ],
)
def test_a_trade_of_an_earlier_day_may_be_of_any_order_that_nothing_tells_it_from(of_trade, known, may_be):
    """A doubt keeps the order in doubt: it is not said to be absent."""
    request = to_find(intended_ns=YESTERDAY_NS, others=("8",))
    order = watched(number="", **known)
    wishes, found = play(
        find(request, order, MORNING_NS), NOT_FOUND, a_day(), told(([a_trade(**of_trade)], 0)), told(([], 0))
    )

    assert wishes[2:] == [endpoints.TRADE_HISTORY] * 2
    assert isinstance(found.answer, LookupFailed if may_be else OrderNotFound)


def test_a_trade_of_an_order_that_today_s_book_lists_is_of_no_earlier_day():
    request = to_find(intended_ns=YESTERDAY_NS)
    day = a_day(book=[a_row("TRADED", number="9", filled=4, correlation_id="another")])
    _, found = play(
        find(request, watched(number=""), MORNING_NS),
        NOT_FOUND, day, told(([a_trade("0", 4, number="9")], 0)), told(([], 0)),
    )  # fmt: skip

    assert isinstance(found.answer, OrderNotFound)


def test_the_history_is_asked_for_from_the_order_s_own_day_until_today():
    flow = find(to_find(intended_ns=YESTERDAY_NS, broker_order_id="7"), watched(), MORNING_NS)
    next(flow)
    flow.send(told(None))
    asked = flow.send(a_day())

    assert (asked.route, asked.names) == (
        endpoints.TRADE_HISTORY,
        {"from_date": "2023-12-31", "to_date": "2024-01-01", "page": "0"},
    )


@pytest.mark.parametrize(
    ("ahead", "route"),
    [(0, None), (1, endpoints.TRADES_OF_ORDER), (2, endpoints.TRADE_BOOK), (3, endpoints.TRADE_BOOK)],
)
def test_trades_are_read_of_one_order_or_of_all_where_several_are_ahead(ahead, route):
    orders = [watched(client_order_id=f"A-{number}", number=str(number)) for number in range(9)]
    rows = [
        a_row("PART_TRADED" if number < ahead else "PENDING", number=str(number), filled=4 if number < ahead else 0)
        for number in range(9)
    ]
    flow = look(orders, MORNING_NS)
    assert next(flow).route == endpoints.ORDER_BOOK
    try:
        asked = flow.send(told((rows, 0))).route
    except StopIteration:
        asked = None

    assert asked == route


def look_at(*orders, replies):
    """What a look asked for, how many rows and trades it saw, and what it says it has not seen."""
    wishes, sight = play(look(orders, MORNING_NS), *replies)
    return wishes, [order.client_order_id for order, _ in sight.rows], len(sight.trades), sight.problem


FIRST, SECOND, THIRD = (watched(client_order_id=f"A-{number}", number=str(number)) for number in (1, 2, 3))
AHEAD = told(a_row("PART_TRADED", filled=4, number="1"))
ONE_BY_ONE = [endpoints.ORDER, endpoints.ORDER]


class TestALook:
    def test_is_one_by_one_at_two_and_at_the_book_for_more_or_for_one_in_doubt(self):
        rows = told(([a_row(number="1"), a_row(number="2"), a_row(number="9", correlation_id="D")], 0))
        rows.value[0].insert(0, a_row(number="8", correlation_id="of-another"))
        doubtful = watched(client_order_id="D", number="")

        assert look_at(FIRST, SECOND, replies=[told(a_row(number="1")), told(a_row(number="2"))]) == (
            *(ONE_BY_ONE, ["A-1", "A-2"], 0, ""),
        )
        assert look_at(FIRST, SECOND, THIRD, replies=[rows]) == ([endpoints.ORDER_BOOK], ["A-1", "A-2"], 0, "")
        assert look_at(FIRST, doubtful, replies=[rows]) == ([endpoints.ORDER_BOOK], ["A-1", "D"], 0, "")

    def test_that_cannot_read_one_order_tells_of_the_other(self):
        for lost, seen, replies in (
            ("reset", ["A-2"], [LOST, told(a_row(number="2"))]),
            ("reset", ["A-2"], [told(None), LOST]),
            ("", ["A-2"], [told(None), told(a_row(number="2"))]),
        ):
            wishes, rows, _, problem = look_at(FIRST, SECOND, replies=replies)

            assert (wishes, problem) == (ONE_BY_ONE, lost)
            assert rows == (seen if replies[1] is not LOST else [])

    def test_that_cannot_read_the_book_or_some_of_it_says_so(self):
        orders = FIRST, SECOND, THIRD

        assert look_at(*orders, replies=[LOST]) == ([endpoints.ORDER_BOOK], [], 0, "reset")
        assert look_at(*orders, replies=[told(([a_row(number="3")], 2))]) == (
            *([endpoints.ORDER_BOOK], ["A-3"], 0, "2 orders cannot be read"),
        )

    @pytest.mark.parametrize(
        ("reply", "count", "problem"),
        [
            (LOST, 0, "reset"),
            (told(([], 3)), 0, "3 trades cannot be read"),
            (told(([a_trade(number="1", quantity=4)], 0)), 1, ""),
        ],
    )
    def test_that_cannot_read_the_trades_keeps_the_rows_and_says_so(self, reply, count, problem):
        assert look_at(FIRST, replies=[AHEAD, reply]) == (
            *([endpoints.ORDER, endpoints.TRADES_OF_ORDER], ["A-1"], count, problem),
        )

    def test_says_first_what_was_wrong_first(self):
        replies = [LOST, told(a_row("PART_TRADED", filled=4, number="2")), told(([], 1))]

        assert look_at(FIRST, SECOND, replies=replies)[1:] == (["A-2"], 0, "reset")


class TestTheTimeUntilTheNextLook:
    @pytest.mark.parametrize(
        ("how", "first_s", "longest_s"),
        [
            ({"any_open": True}, 0.25, 5.0),
            ({"any_open": False}, 0.25, 60.0),
            ({"any_open": True, "is_eased": True}, 1.0, 15.0),
            ({"any_open": False, "is_eased": True}, 1.0, 15.0),
        ],
    )
    def test_grows_while_nothing_happens_up_to_a_longest_and_begins_anew(self, how, first_s, longest_s):
        interval, waits = Interval(), []
        assert interval.seconds == 0.25
        interval.shorten(is_eased=how.get("is_eased", False))
        for _ in range(20):
            waits.append(interval.seconds)
            interval.lengthen(**how)

        assert waits[:2] == [first_s, pytest.approx(first_s * 1.6)]
        assert waits == sorted(waits)
        assert waits[-1] == longest_s
        interval.shorten()
        assert interval.seconds == 0.25

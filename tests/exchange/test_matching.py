"""The matching: at which prices our orders meet the recorded market, and when they do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_auctions import at
from natya_auctions import limit as a_limit
from natya_auctions import tick as tick_at

from natya.actors.exchange.matching import Matching
from natya.actors.exchange.matching.matching import ENDED_MAX
from natya.messages.broker import CancelRequest, OrderNotFound

CLOCKS = ("09:05", "09:20", "14:59", "15:01", "15:14", "15:16", "15:21", "15:31", "15:40")
CLOSING_DAYS = ("2026-08-03", "2026-08-04")


class TestALimitWithTheNoiseOfArithmetic:
    @pytest.mark.parametrize("noisy", [1499.4 - 0.05, 1499.3500000000001, 1499.349999999])
    def test_is_the_price_on_the_grid(self, matching, a_tick, an_order, trades, noisy):
        assert noisy != 1499.35
        matching.move(a_tick(1500.0, bids=[(1499.35, 50)], asks=[(1500.0, 50)]))

        assert trades(matching.place(an_order("sell", side="SELL", limit_price=noisy))) == [(10, 1499.35)]
        assert matching.place(an_order("buy", limit_price=noisy))[0].execution_type == "NEW"

    @pytest.mark.parametrize("off", [1499.36, 1499.3501, 1499.35001])
    def test_is_refused_where_it_is_more_than_noise(self, matching, a_tick, an_order, off):
        matching.move(a_tick(1500.0))
        (report,) = matching.place(an_order(limit_price=off))

        assert report.reason == f"a limit_price in whole multiples of 0.05 rupees is wanted, found {off}"


class TestWhatIsToldOfAnOrder:
    def test_has_its_symbol_and_its_side(self, matching, a_tick, an_order):
        matching.move(a_tick(100.0, symbol="INFY"))
        reports = matching.place(an_order(symbol="INFY", side="SELL"))
        found = matching.find("a")

        assert {(each.symbol, each.side) for each in (*reports, *found.reports, found)} == {("INFY", "SELL")}


class TestALateTick:
    def test_meets_no_order_and_moves_no_price(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(100.0, after_s=5, received_s=5))
        matching.place(an_order("rests", limit_price=95.0))

        assert matching.move(a_tick(90.0, after_s=4, received_s=5)) == []
        assert trades(matching.place(an_order("now"))) == [(10, 100.0)]
        assert trades(matching.move(a_tick(94.0, after_s=5, received_s=6))) == [(10, 95.0)]
        assert matching.ticks == 3


class TestAnOrderThatMeetsTheBook:
    def test_buys_at_the_ask_and_sells_at_the_bid(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(100.0, bids=[(99.9, 50)], asks=[(100.1, 50)]))

        assert trades(matching.place(an_order("a", side="BUY"))) == [(10, 100.1)]
        assert trades(matching.place(an_order("b", side="SELL"))) == [(10, 99.9)]

    @pytest.mark.parametrize("side", ["BUY", "SELL"])
    def test_that_came_to_it_while_the_last_trade_was_on_the_other_side(self, matching, a_tick, an_order, trades, side):
        matching.move(a_tick(100.0, bids=[(99.8, 50)], asks=[(100.2, 50)]))
        assert trades(matching.place(an_order(side=side, limit_price=100.0))) == []
        if side == "BUY":
            came = a_tick(100.1, bids=[(99.8, 50)], asks=[(100.0, 50)])
        else:
            came = a_tick(99.9, bids=[(100.0, 50)], asks=[(100.2, 50)])

        assert trades(matching.move(came)) == [(10, 100.0)]

    def test_goes_through_the_levels_as_far_as_its_quantity_goes(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(asks=[(100.1, 5), (100.2, 20), (100.3, 50)]))

        reports = matching.place(an_order(quantity=30))

        assert trades(reports) == [(5, 100.1), (20, 100.2), (5, 100.3)]
        assert [report.cumulative_quantity for report in reports] == [0, 5, 25, 30]
        assert [report.leaves_quantity for report in reports] == [30, 25, 5, 0]

    def test_stops_at_its_limit_and_rests_there(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(asks=[(100.1, 5), (100.2, 20)]))

        assert trades(matching.place(an_order(quantity=30, limit_price=100.1))) == [(5, 100.1)]
        assert matching.find("a").state == "PART_FILLED"
        assert matching.resting == 1

    def test_without_depth_trades_at_the_last_price_whatever_its_quantity(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(100.0))

        assert trades(matching.place(an_order("a", quantity=10_000))) == [(10_000, 100.0)]
        assert trades(matching.place(an_order("b", limit_price=99.95))) == []

    def test_of_the_market_waits_with_what_the_shown_levels_do_not_hold(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(asks=[(100.1, 4)]))
        assert trades(matching.place(an_order(quantity=10))) == [(4, 100.1)]

        assert trades(matching.move(a_tick(asks=[(101.0, 50)]))) == [(6, 101.0)]
        assert matching.find("a").state == "FILLED"

    def test_finds_what_another_left(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(asks=[(100.1, 15), (100.2, 50)]))
        matching.place(an_order("a"))

        assert trades(matching.place(an_order("b"))) == [(5, 100.1), (5, 100.2)]

    def test_waits_where_nobody_offers(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(bids=[(99.9, 10)], asks=[]))

        assert trades(matching.place(an_order())) == []
        assert matching.find("a").state == "OPEN"


class TestAnOrderThatRests:
    def test_trades_when_the_ask_comes_to_its_limit(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(asks=[(100.1, 50)]))
        matching.place(an_order(limit_price=100.0))

        assert trades(matching.move(a_tick(asks=[(100.05, 50)]))) == []
        assert trades(matching.move(a_tick(asks=[(100.0, 50)]))) == [(10, 100.0)]
        assert matching.resting == 0

    def test_trades_at_its_limit_when_the_ask_falls_below_it(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(asks=[(100.1, 50)]))
        matching.place(an_order(limit_price=100.0))

        assert trades(matching.move(a_tick(asks=[(99.5, 4), (99.9, 50)]))) == [(4, 100.0), (6, 100.0)]

    def test_trades_with_a_print_through_its_limit(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(100.1, bids=[(100.0, 5)], asks=[(100.2, 50)], volume=1_000))
        matching.place(an_order(limit_price=100.0))

        assert trades(matching.move(a_tick(99.9, bids=[(99.8, 5)], asks=[(100.2, 50)], volume=1_004))) == [(4, 100.0)]
        assert trades(matching.move(a_tick(99.9, bids=[(99.8, 5)], asks=[(100.2, 50)], volume=1_004))) == []

    def test_gets_nothing_of_a_print_at_its_limit(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(100.1, asks=[(100.2, 50)], volume=1_000))
        matching.place(an_order(limit_price=100.0))

        assert trades(matching.move(a_tick(100.0, asks=[(100.2, 50)], volume=2_000))) == []

    def test_goes_by_price_then_by_arrival(self, matching, a_tick, an_order):
        matching.move(a_tick(asks=[(110.0, 50)]))
        for name, limit in (("low", 100.0), ("first", 100.5), ("second", 100.5), ("high", 101.0)):
            matching.place(an_order(name, limit_price=limit))

        reports = matching.move(a_tick(asks=[(99.0, 35)]))

        assert [report.client_order_id for report in reports] == ["high", "first", "second", "low"]
        assert matching.find("low").state == "PART_FILLED"

    def test_goes_behind_what_is_left_of_a_market_order(self, matching, a_tick, an_order):
        matching.move(a_tick(asks=[(100.1, 4)]))
        matching.place(an_order("limit", limit_price=100.05))
        matching.place(an_order("market"))

        reports = matching.move(a_tick(asks=[(100.0, 9)]))

        assert [(report.client_order_id, report.quantity) for report in reports] == [("market", 6), ("limit", 3)]

    def test_does_not_meet_a_level_without_a_price(self, matching, a_tick, an_order):
        matching.move(a_tick(asks=[(100.1, 4)]))
        matching.place(an_order(limit_price=100.0))

        assert matching.move(a_tick(asks=[(0.0, 50)])) == []

    def test_sells_highest_bid_first_when_it_comes(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(bids=[(99.0, 50)]))
        matching.place(an_order(side="SELL", limit_price=100.0))

        assert trades(matching.move(a_tick(bids=[(100.5, 4), (100.0, 3), (99.95, 9)]))) == [(4, 100.0), (3, 100.0)]

    def test_does_not_meet_the_ticks_of_another_symbol(self, matching, a_tick, an_order):
        matching.move(a_tick(asks=[(100.1, 50)]))
        matching.place(an_order(limit_price=100.0))

        assert matching.move(a_tick(1.0, symbol="INFY")) == []


class TestAnOrderThatRestsWithoutDepth:
    def test_trades_at_its_limit_however_far_the_price_goes_beyond(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(100.0))
        matching.place(an_order("buy", limit_price=99.0))
        matching.place(an_order("sell", side="SELL", limit_price=101.0))

        assert trades(matching.move(a_tick(90.0))) == [(10, 99.0)]
        assert trades(matching.move(a_tick(110.0))) == [(10, 101.0)]

    @pytest.mark.parametrize("order", [("BUY", 99.0), ("SELL", 101.0)])
    def test_gets_nothing_at_its_very_limit(self, matching, a_tick, an_order, order):
        side, limit = order
        matching.move(a_tick(100.0))
        matching.place(an_order(side=side, limit_price=limit))

        assert matching.move(a_tick(limit)) == []
        assert matching.find("a").state == "OPEN"


HOURS_S = 3_600
DAY_S = 24 * HOURS_S
"""The ticks of these tests begin on Monday, 29 December 2025, at 12:36:40."""


class TestAnOpening:
    @pytest.mark.parametrize("case", [("BUY", 99.0, 95.0), ("SELL", 101.0, 108.0)])
    def test_beyond_the_limit_pays_the_opening_price(self, matching, a_tick, an_order, trades, case):
        side, limit, price = case
        matching.move(a_tick(100.0))
        matching.place(an_order(side=side, limit_price=limit))

        assert trades(matching.move(a_tick(price, after_s=DAY_S))) == [(10, price)]

    def test_that_does_not_reach_the_limit_pays_nothing_and_later_ticks_pay_the_limit(
        self, matching, a_tick, an_order, trades
    ):
        matching.move(a_tick(100.0))
        matching.place(an_order(limit_price=99.0))

        assert trades(matching.move(a_tick(99.0, after_s=DAY_S))) == []
        assert trades(matching.move(a_tick(90.0, after_s=DAY_S + 1))) == [(10, 99.0)]

    def test_is_not_at_the_ticks_of_the_hour_before_it(self, matching, a_tick, an_order, trades):
        """Tuesday 09:06:40, orders are taken; then 09:16:40."""
        matching.move(a_tick(100.0))
        matching.place(an_order("early", limit_price=99.0))
        matching.place(an_order("late", limit_price=97.0))

        assert trades(matching.move(a_tick(98.0, after_s=20.5 * HOURS_S))) == [(10, 99.0)]
        assert trades(matching.move(a_tick(95.0, after_s=20.5 * HOURS_S + 600))) == [(10, 95.0)]

    @pytest.mark.parametrize("days", [3, 5])
    def test_may_come_after_days_without_one_or_on_one_that_is_not_known(
        self, matching, a_tick, an_order, trades, days
    ):
        """Thursday, 1 January, and Saturday."""
        matching.move(a_tick(100.0))
        matching.place(an_order(limit_price=99.0))

        assert trades(matching.move(a_tick(95.0, after_s=days * DAY_S))) == [(10, 95.0)]

    def test_pays_no_less_than_is_asked(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(100.0, asks=[(100.1, 50)]))
        matching.place(an_order(limit_price=99.0))

        tick = a_tick(95.0, asks=[(94.0, 3), (96.0, 3), (99.0, 1), (99.05, 9)], after_s=DAY_S)
        assert trades(matching.move(tick)) == [(3, 95.0), (3, 96.0), (1, 99.0)]

    def test_above_the_limit_with_an_ask_below_it_pays_the_limit(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(100.0, asks=[(100.1, 50)]))
        matching.place(an_order(limit_price=99.0))

        assert trades(matching.move(a_tick(100.0, asks=[(95.0, 50)], after_s=DAY_S))) == [(10, 99.0)]

    def test_gives_nothing_of_what_another_day_has_traded(self, matching, a_tick, an_order, trades):
        """Its volume counts anew, and may be larger at once, or smaller."""
        matching.move(a_tick(100.1, asks=[(100.2, 50)], volume=1_000))
        matching.place(an_order(limit_price=100.0))

        assert trades(matching.move(a_tick(99.9, asks=[(100.2, 50)], volume=400, after_s=DAY_S))) == []
        assert trades(matching.move(a_tick(99.9, asks=[(100.2, 50)], volume=9_000, after_s=2 * DAY_S))) == []
        assert trades(matching.move(a_tick(99.9, asks=[(100.2, 50)], volume=9_003, after_s=2 * DAY_S + 1))) == [
            (3, 100.0)
        ]

    def test_gives_the_rest_of_a_market_order_what_is_asked(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(asks=[(100.1, 4)]))
        matching.place(an_order(quantity=10))

        assert trades(matching.move(a_tick(95.0, asks=[(95.0, 50)], after_s=DAY_S))) == [(6, 95.0)]


class TestAReport:
    def test_has_the_time_of_the_tick_it_came_of(self, matching, a_tick, an_order):
        matching.move(a_tick(100.0))
        matching.move(a_tick(100.0, after_s=7))
        (accepted,) = matching.place(an_order(limit_price=99.0))
        tick = a_tick(98.0, after_s=9)

        (trade,) = matching.move(tick)

        assert trade.occurred_ns == tick.exchange_ns
        assert trade.occurred_ns - accepted.occurred_ns == 2 * 10**9

    def test_is_no_earlier_than_the_order_it_is_of(self, matching, a_tick, an_order):
        tick = a_tick(100.0)
        matching.move(tick)
        matching.pass_time(tick.exchange_ns + 7)

        reports = matching.place(an_order())

        assert [report.occurred_ns - tick.exchange_ns for report in reports] == [7, 7]

    def test_does_not_go_back_to_a_time_before_the_tick(self, matching, a_tick, an_order):
        tick = a_tick(100.0)
        matching.move(tick)
        matching.pass_time(tick.exchange_ns - 7)

        assert matching.place(an_order())[0].occurred_ns == tick.exchange_ns


class TestAPrint:
    def test_of_before_an_order_came_is_not_for_it(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(100.1, asks=[(100.2, 50)], volume=1_000))
        matching.move(a_tick(99.9, asks=[(100.2, 50)], volume=1_050))

        assert trades(matching.place(an_order(limit_price=100.0))) == []
        assert trades(matching.move(a_tick(99.9, asks=[(100.2, 50)], volume=1_050))) == []

    def test_of_before_an_order_came_is_for_those_that_were_there(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(100.1, asks=[(100.2, 50)], volume=1_000))
        matching.place(an_order("there", limit_price=100.05))
        matching.move(a_tick(99.9, asks=[(100.2, 50)], volume=1_004))

        assert trades(matching.place(an_order("late", limit_price=100.1))) == []
        assert matching.find("there").reports[0].quantity == 4

    def test_is_nothing_where_the_volume_falls_within_a_day(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(100.1, asks=[(100.2, 50)], volume=1_000))
        matching.place(an_order(limit_price=100.0))

        assert trades(matching.move(a_tick(99.9, asks=[(100.2, 50)], volume=900))) == []

    def test_is_shared_by_all_that_rest(self, matching, a_tick, an_order):
        matching.move(a_tick(100.1, asks=[(100.2, 50)], volume=1_000))
        matching.place(an_order("a", limit_price=100.0))
        matching.place(an_order("b", limit_price=100.05))

        reports = matching.move(a_tick(99.9, asks=[(100.2, 50)], volume=1_012))

        assert [(report.client_order_id, report.quantity, report.price) for report in reports] == [
            ("b", 10, 100.05),
            ("a", 2, 100.0),
        ]

    @pytest.mark.parametrize(("book", "better"), [("asks", -1), ("bids", 1)])
    @pytest.mark.parametrize("prices", [(0.2, 0.05), (0.05, 0.2)])
    def test_and_the_book_are_used_best_price_first(self, a_tick, an_order, book, better, prices):
        matching = Matching(tick_size_rupees=0.05, run=1, now_ns=1)
        side = "BUY" if book == "asks" else "SELL"
        printed, shown = prices
        matching.move(a_tick(100.0, **{book: [(100.0 - better, 50)]}, volume=1_000))
        matching.place(an_order("first", side=side, limit_price=100.0))
        matching.place(an_order("second", side=side, limit_price=100.0 + better * 0.1))

        # Ten of each: what is best goes to who is first, and what is left does not reach the other's limit.
        offered = a_tick(100.0 + better * printed, **{book: [(100.0 + better * shown, 10)]}, volume=1_010)

        assert [(report.client_order_id, report.quantity) for report in matching.move(offered)] == [("first", 10)]

    def test_of_one_symbol_is_none_of_another(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(100.1, asks=[(100.2, 50)], volume=1_000))
        matching.place(an_order(limit_price=100.0))
        matching.move(a_tick(99.0, asks=[(99.5, 50)], volume=5_000, symbol="INFY"))

        assert trades(matching.move(a_tick(99.9, asks=[(100.2, 50)], volume=1_001))) == [(1, 100.0)]


class TestTheRestOfAMarketOrder:
    @pytest.mark.parametrize("case", [("BUY", 100.1, 99.0, 101.0), ("SELL", 99.9, 101.0, 99.0)])
    def test_trades_at_no_better_a_price_than_its_last_share(self, matching, a_tick, an_order, trades, case):
        side, first, better, worse = case

        def book(*levels):
            return {"asks": levels} if side == "BUY" else {"bids": levels}

        matching.move(a_tick(**book((first, 4))))
        matching.place(an_order(side=side, quantity=10))

        assert trades(matching.move(a_tick(**book((better, 3))))) == [(3, first)]
        assert trades(matching.move(a_tick(**book((worse, 3))))) == [(3, worse)]


class TestAnOrderThatIsRefused:
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"symbol": "NONE"}, "found no tick of NONE yet"),
            ({"quantity": 0}, "at least 1 share is wanted, found 0"),
            ({"limit_price": 100.03}, "multiples of 0.05 rupees is wanted, found 100.03"),
            ({"limit_price": float("nan")}, "found nan"),
            ({"limit_price": 1e300}, "found 1e+300"),
            ({"limit_price": -0.05}, "found -0.05"),
            ({"limit_price": None}, "found None"),
        ],
    )
    def test_is_told_why_and_is_known_as_rejected(self, matching, a_tick, an_order, changes, reason):
        matching.move(a_tick())

        (report,) = matching.place(an_order(**changes))

        assert report.execution_type == "REJECTED"
        assert reason in report.reason
        assert report.leaves_quantity == 0
        assert matching.find("a").state == "REJECTED"

    def test_names_a_price_although_it_is_for_the_market(self, matching, a_tick, an_order):
        matching.move(a_tick())
        order = an_order()

        (report,) = matching.place(type(order)(**{**_fields(order), "limit_price": 100.0}))

        assert report.execution_type == "REJECTED"

    def test_repeats_a_client_order_id_and_leaves_the_first_as_it_is(self, matching, a_tick, an_order):
        matching.move(a_tick(asks=[(100.1, 50)]))
        matching.place(an_order(limit_price=100.0))

        (report,) = matching.place(an_order(limit_price=100.0))

        assert report.execution_type == "REJECTED"
        assert "duplicate" in report.reason
        assert matching.find("a").state == "OPEN"
        assert matching.orders == 1


class TestManyOrders:
    def test_are_forgotten_when_they_have_ended_and_ten_thousand_others_since(self, matching, a_tick, an_order):
        matching.move(a_tick())
        matching.place(an_order("open", limit_price=1.0))
        matching.place(an_order("refused", quantity=0))
        for number in range(ENDED_MAX):
            matching.place(an_order(f"{number}", limit_price=1.0))
            matching.cancel(CancelRequest(client_order_id=f"{number}"))
        before = matching.find("refused")
        matching.place(an_order("one more"))

        assert before.state == "REJECTED"
        assert matching.find("refused") == OrderNotFound(client_order_id="refused")
        assert [matching.find(each).state for each in ("open", "0")] == ["OPEN", "CANCELLED"]
        assert (matching.orders, len(matching._orders)) == (ENDED_MAX + 3, ENDED_MAX + 2)


class TestCancelling:
    def test_an_open_order_takes_it_out_of_the_book(self, matching, a_tick, an_order):
        matching.move(a_tick(asks=[(100.1, 4)]))
        matching.place(an_order(limit_price=100.1))

        report = matching.cancel(CancelRequest(client_order_id="a"))

        assert report.execution_type == "CANCELLED"
        assert (report.cumulative_quantity, report.leaves_quantity) == (4, 0)
        assert matching.move(a_tick(asks=[(99.0, 50)])) == []
        assert matching.find("a").state == "CANCELLED"
        assert [trade.quantity for trade in matching.find("a").reports] == [4]

    def test_a_filled_or_unknown_order_is_rejected(self, matching, a_tick, an_order):
        matching.move(a_tick())
        matching.place(an_order())

        filled = matching.cancel(CancelRequest(client_order_id="a"))
        unknown = matching.cancel(CancelRequest(client_order_id="b"))

        assert filled.execution_type == unknown.execution_type == "CANCEL_REJECTED"
        assert "FILLED" in filled.reason
        assert filled.number == unknown.number == 0, "it is no answer to a change"


class TestIds:
    def test_are_the_same_for_the_same_run_and_others_for_another(self, a_tick, an_order):
        def ids(run):
            matching = Matching(tick_size_rupees=0.05, run=run, now_ns=1)
            matching.move(a_tick())
            return {report.execution_id for report in matching.place(an_order())}

        assert ids(1) == ids(1)
        assert not ids(1) & ids(2)

    def test_of_trades_begin_with_another_letter_than_those_of_what_else_happens(self, matching, a_tick, an_order):
        matching.move(a_tick())
        reports = matching.place(an_order())

        assert [(each.execution_type, each.execution_id[:2]) for each in reports] == [("NEW", "E-"), ("TRADE", "T-")]


def _fields(message):
    return {name: getattr(message, name) for name in message.__struct_fields__}


class TestTicksThatMeetNoOrder:
    @given(
        st.lists(st.tuples(st.integers(0, 17), st.sampled_from(["TCS", "INFY"]), st.integers(90, 110)), min_size=1),
        st.integers(1, 9),
        st.booleans(),
    )
    def test_leave_the_markets_as_each_alone_would(self, moments, size, has_auctions):
        """Over two days with closing auctions: an order meets the same, and is taken or refused for the same reason."""
        ticks = [
            tick_at(CLOCKS[place % 9], float(price), symbol=symbol, day=CLOSING_DAYS[place // 9], quantity=price)
            for place, symbol, price in sorted(moments)
        ]
        one, other = (
            Matching(tick_size_rupees=0.05, run=1, now_ns=at("09:00", CLOSING_DAYS[0]), has_auctions=has_auctions)
            for _ in range(2)
        )
        for begin in range(0, len(ticks), size):
            together = ticks[begin : begin + size]
            for tick in together:
                one.move(tick)
            other.pass_over(together, together[-1].exchange_ns)
            late = tick_at("15:26", 100.0, day="2026-08-04")
            found = [
                [matching.place(a_limit(float(price), f"{begin} {price}")) for price in (97, 103)]
                + [matching.cancel(CancelRequest(client_order_id=f"{begin} {price}")) for price in (97, 103)]
                + [matching.only_remembers(each) for each in (*together, late)]
                for matching in (one, other)
            ]

            assert found[0] == found[1]
        assert (one.ticks, one.move(late), one.ticks) == (other.ticks, other.move(late), other.ticks)

    def test_are_taken_together_with_the_first_of_a_symbol(self):
        matching = Matching(tick_size_rupees=0.05, run=1, now_ns=at("10:00"))
        matching.move(tick_at("10:00", 100.0))
        matching.pass_over([tick_at("10:01", 101.0), tick_at("10:02", 50.0, symbol="INFY")], at("10:02"))
        reports = matching.place(a_limit(101.0)) + matching.place(a_limit(50.0, "b", symbol="INFY"))

        assert [each.price for each in reports if each.execution_type == "TRADE"] == [101.0, 50.0]

    def test_are_not_needed_on_the_next_day_although_none_of_it_has_come(self):
        matching = Matching(tick_size_rupees=0.05, run=1, now_ns=at("14:00", "2026-08-03"), has_auctions=True)
        matching.move(tick_at("15:20", 100.0, day="2026-08-03"))

        assert not matching.only_remembers(tick_at("15:20", 100.0, day="2026-08-03"))
        assert matching.only_remembers(tick_at("09:20", 100.0, day="2026-08-04"))

    def test_are_all_needed_where_a_closing_auction_is_near_or_an_order_rests(self):
        matching = Matching(tick_size_rupees=0.05, run=1, now_ns=at("14:00", "2026-08-03"), has_auctions=True)
        first, near = (tick_at(clock, 100.0, day="2026-08-03") for clock in ("14:30", "15:01"))
        found = [matching.only_remembers(first)]
        matching.move(first)
        found += [matching.only_remembers(first), matching.only_remembers(near)]
        matching.place(a_limit(90.0))

        assert [*found, matching.only_remembers(first)] == [True, True, False, False]

"""The closing auction of shares that derivatives are of, in the matching: after 15:15 there is one price."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_auctions import at, limit, order, paid, tick

from natya.actors.exchange.matching import FillModel, Matching, Order
from natya.domain.calendar import day_order_ends_ns
from natya.domain.venues import day_order_ends_ns_of
from natya.messages.broker import CancelRequest, ReplaceRequest
from natya.messages.market import Depth, Tick

DAY, BEFORE = "2026-08-03", "2026-07-31"
STOP = {"order_type": "STOP_LOSS_MARKET", "trigger_price": 99.0, "side": "SELL"}


def begun(*, day=DAY, symbol="TCS", has_auctions=True, **model):
    """At 15:14 the last price is 100."""
    matching = Matching(
        tick_size_rupees=0.05,
        run=1,
        now_ns=at("15:10", day),
        has_auctions=has_auctions,
        model=FillModel(**model),
        day_ends_ns=day_order_ends_ns_of,
    )
    matching.move(tick("15:10", 100.0, symbol=symbol, day=day))
    matching.move(tick("15:14", 100.0, symbol=symbol, day=day))
    return matching


def placed(matching, clock, request, day=DAY):
    matching.pass_time(at(clock, day))
    return matching.place(request)


def moved(matching, clock, price, day=DAY, **fields):
    return matching.move(tick(clock, price, day=day, **fields))


def after_a_restart(clock, request, *, ends_ns=0):
    """The order rests since the day before, and no tick has come."""
    old = Order(request, broker_order_id="X-1-1", arrival=1)
    old.ends_ns = ends_ns
    return Matching(
        tick_size_rupees=0.05, run=2, now_ns=at(clock, DAY), has_auctions=True, resting=[old], since_ns=at("09:30", DAY)
    )


class TestAnOrder:
    @pytest.mark.parametrize("clock", ["15:20", "15:24:59"])
    def test_of_the_entry_pays_the_price_of_the_auction_whatever_is_shown_before(self, clock):
        matching = begun()

        assert paid(placed(matching, clock, order())) == []
        assert paid(moved(matching, "15:26", 90.0)) == []
        assert matching.let_in(at("15:29", DAY)) == []
        assert paid(moved(matching, "15:30", 103.0)) == [103.0]
        assert paid(moved(matching, "15:31", 50.0)) == []

    @pytest.mark.parametrize("clock", ["15:15", "15:19:59", "15:28", "15:34:59"])
    def test_is_refused_outside_of_the_entry(self, clock):
        (report,) = placed(begun(), clock, order())

        assert (report.execution_type, "15:20 to 15:28" in report.reason) == ("REJECTED", True)

    @pytest.mark.parametrize(
        "request_",
        [order(validity="IOC"), order(**STOP), limit(98.0, order_type="STOP_LOSS", trigger_price=99.0, side="SELL")],
        ids=["immediate or cancel", "stop", "stop with a limit"],
    )
    def test_is_refused_where_an_auction_has_no_place_for_it(self, request_):
        (report,) = placed(begun(), "15:21", request_)

        assert (report.execution_type, "in the closing auction" in report.reason) == ("REJECTED", True)

    @pytest.mark.parametrize(("request_", "taken"), [(order(), False), (limit(101.0), True)], ids=["market", "limit"])
    def test_without_a_limit_is_refused_from_1525_on(self, request_, taken):
        reports = placed(begun(), "15:25", request_)

        assert [report.execution_type for report in reports] == ["NEW" if taken else "REJECTED"]

    @pytest.mark.parametrize(
        ("price", "taken"), [(97.0, True), (96.95, False), (103.0, True), (103.05, False), (100.0, True)]
    )
    def test_has_a_limit_within_three_percent_of_the_reference_price(self, price, taken):
        reports = placed(begun(), "15:21", limit(price))

        assert [report.execution_type for report in reports] == ["NEW" if taken else "REJECTED"]

    def test_meets_a_reference_price_that_is_the_average_since_1500_by_volume(self):
        ticks = [("14:59", 200.0, 500), ("15:00", 200.0, 600), ("15:05", 100.0, 900), ("15:14:59", 300.0, 1000)]
        late = [("15:04", 200.0, 850), ("15:14:50", 160.0, 0), ("14:59:59", 500.0, 0), ("15:14:59", 300.0, 1000)]
        matching = Matching(tick_size_rupees=0.05, run=1, now_ns=at("14:59", DAY), has_auctions=True)
        for clock, price, volume in (*ticks, *late):
            came_ns = at("15:14:59" if (clock, price, volume) in late else clock, DAY)
            times = {"exchange_ns": at(clock, DAY), "received_ns": came_ns}
            matching.move(
                Tick(symbol="TCS", price=price, quantity=100, volume=volume, source="test", sequence=1, **times)
            )

        # 100 shares of 200 rupees, 300 of 100, 100 of 300, 100 of 160: 160 rupees, and 3 % of it
        high = placed(matching, "15:21", limit(164.80, "a"))
        higher = placed(matching, "15:21", limit(164.85, "b"))
        assert [each[0].execution_type for each in (high, higher)] == ["NEW", "REJECTED"]

    def test_without_a_price_of_the_auction_does_not_trade_and_ends_with_its_day(self):
        matching = begun()
        placed(matching, "15:21", order())

        assert paid(moved(matching, "15:29", 100.0, quantity=0)) == []
        (report,) = matching.end_day(at("00:00", "2026-08-04"))
        assert (report.execution_type, report.cumulative_quantity) == ("EXPIRED", 0)

    def test_that_was_sent_before_and_is_on_its_way_is_in_the_auction(self):
        matching = begun(latency_ns=10**9)
        placed(matching, "15:14:59", order())

        assert matching.let_in(at("15:15", DAY)) == []
        assert paid(moved(matching, "15:30", 102.0)) == [102.0]

    def test_on_its_way_to_continuous_trading_meets_no_tick_in_the_auction_though_one_came_since(self):
        matching = begun(latency_ns=10**9)
        placed(matching, "15:14:58", order())
        assert paid(matching.move(tick("15:14:58", 101.0, day=DAY))) == []

        assert matching.let_in(at("15:15", DAY)) == []
        assert paid(moved(matching, "15:30", 102.0)) == [102.0]

    def test_is_not_limited_by_the_protection_of_continuous_trading(self):
        matching = begun(protection_percent=1.0)
        placed(matching, "15:21", order())

        assert paid(moved(matching, "15:30", 102.5)) == [102.5]

    def test_of_a_known_book_has_no_more_than_the_auction_traded(self):
        matching = begun()
        placed(matching, "15:21", order(quantity=1000))
        depth = Depth(bid_prices=(99.0,), bid_quantities=(5000,), ask_prices=(101.0,), ask_quantities=(5000,))
        fields = {"symbol": "TCS", "exchange_ns": at("15:30", DAY), "source": "test", "sequence": 1}

        (report,) = matching.move(Tick(price=100.0, quantity=300, depth=depth, **fields))
        assert (report.quantity, report.price, report.leaves_quantity) == (300, 100.0, 700)


class TestAnOrderThatRestsAtTheEndOfContinuousTrading:
    @pytest.mark.parametrize(
        ("price", "traded"), [(99.0, [99.0]), (98.0, [98.0]), (98.95, [98.95]), (99.05, []), (100.0, [])]
    )
    def test_is_carried_into_the_auction_and_has_its_price_where_that_is_better(self, price, traded):
        matching = begun()
        placed(matching, "15:14", limit(99.05))

        assert paid(moved(matching, "15:16", 50.0)) == []
        assert paid(moved(matching, "15:30", price)) == traded

    @pytest.mark.parametrize(
        ("changed", "first", "price"), [("10:00", "10:01", 98.0), ("15:21", "15:30", 98.0)], ids=["before it", "in it"]
    )
    def test_of_an_earlier_run_may_be_changed_before_the_first_tick(self, changed, first, price):
        matching = after_a_restart(changed, limit(95.0))
        change = ReplaceRequest(client_order_id="a", quantity=5, order_type="LIMIT", limit_price=99.0)

        assert [report.execution_type for report in matching.replace(change)] == ["REPLACED"]
        assert paid(moved(matching, first, price)) == [price]

    @pytest.mark.parametrize(("ends_ns", "next_end_ns"), [(at("00:00", "2026-08-04"), at("15:15", DAY)), (0, 0)])
    def test_of_an_earlier_run_ends_where_it_waits_for_a_trigger_and_is_for_the_day(self, ends_ns, next_end_ns):
        assert after_a_restart("10:00", order(**STOP), ends_ns=ends_ns).next_end_ns == next_end_ns

    def test_ends_where_it_waits_for_a_trigger(self):
        matching = begun()
        placed(matching, "15:14", order(**STOP))

        assert matching.next_end_ns == at("15:15", DAY)
        (report,) = matching.end_day(at("15:15", DAY))
        assert (report.execution_type, report.reason) == ("EXPIRED", "the closing auction has no stop orders")
        assert paid(moved(matching, "15:30", 90.0)) == []

    def test_goes_on_where_its_trigger_was_met(self):
        matching = begun()
        placed(matching, "15:13", limit(98.5, order_type="STOP_LOSS", trigger_price=99.0, side="SELL"))
        moved(matching, "15:14:30", 98.0)

        assert matching.end_day(at("15:15", DAY)) == []
        assert paid(moved(matching, "15:30", 98.75)) == [98.75]

    @pytest.mark.parametrize(
        ("clock", "kind", "may"),
        [
            ("15:16", "limit", False),
            *(("15:21", "limit", True), ("15:21", "market", True)),
            *(("15:26", "limit", True), ("15:26", "market", False)),
            *(("15:29", "limit", False), ("15:29", "market", False)),
            *(("15:36", "limit", True), ("15:36", "market", True)),
        ],
    )
    def test_is_withdrawn_and_changed_only_while_orders_are_taken(self, clock, kind, may):
        matching = begun()
        placed(matching, "15:14", limit(99.0)) if kind == "limit" else placed(matching, "15:20", order())
        matching.pass_time(at(clock, DAY))
        change = ReplaceRequest(client_order_id="a", quantity=5, order_type="LIMIT", limit_price=99.5)

        changed = [report.execution_type for report in matching.replace(change)]
        withdrawn = matching.cancel(CancelRequest(client_order_id="a")).execution_type
        assert changed[0] == ("REPLACED" if may else "CANCEL_REJECTED")
        assert withdrawn == ("CANCELLED" if may else "CANCEL_REJECTED")

    def test_of_an_owner_that_has_decided_ends_at_any_time(self):
        matching = begun()
        placed(matching, "15:14", limit(99.0))
        matching.pass_time(at("15:29", DAY))

        assert matching.cancel(CancelRequest(client_order_id="a"), always=True).execution_type == "CANCELLED"


class TestAPacketOfALiveFeed:
    """It has the time of the last trade, and the book of the moment at which it came."""

    @pytest.mark.parametrize("traded", ["14:40", "15:14:59"])
    def test_that_comes_in_the_auction_trades_nothing(self, traded):
        matching = begun()
        placed(matching, "15:14", limit(99.0))
        depth = Depth(bid_prices=(90.0,), bid_quantities=(500,), ask_prices=(90.0,), ask_quantities=(500,))
        fields = {"symbol": "TCS", "quantity": 5, "source": "test", "sequence": 1, "exchange_ns": at(traded, DAY)}

        for came in ("15:16", "15:22", "15:29", "15:30:10"):
            assert matching.move(Tick(price=90.0, depth=depth, received_ns=at(came, DAY), **fields)) == []
        assert paid(moved(matching, "15:30:20", 98.0)) == [98.0]

    def test_that_comes_in_the_auction_trades_nothing_where_all_trades_were_long_before(self):
        matching = Matching(tick_size_rupees=0.05, run=1, now_ns=at("14:30", DAY), has_auctions=True)
        matching.move(tick("14:30", 100.0, day=DAY))
        placed(matching, "14:31", limit(99.0))
        fields = {"symbol": "TCS", "quantity": 5, "source": "test", "sequence": 1, "exchange_ns": at("14:40", DAY)}

        assert paid(matching.move(Tick(price=90.0, received_ns=at("15:16", DAY), **fields))) == []

    def test_that_tells_no_trade_of_the_last_minutes_is_not_in_the_reference_price(self):
        matching = Matching(tick_size_rupees=0.05, run=1, now_ns=at("14:50", DAY), has_auctions=True)
        fields = {"symbol": "TCS", "quantity": 100, "source": "test", "sequence": 1}
        matching.move(Tick(price=50.0, exchange_ns=at("14:50", DAY), received_ns=at("15:02", DAY), **fields))
        matching.move(Tick(price=100.0, exchange_ns=at("15:05", DAY), received_ns=at("15:05", DAY), **fields))

        (report,) = placed(matching, "15:21", limit(103.0))
        assert report.execution_type == "NEW"


class TestNoAuctionIsHeld:
    @pytest.mark.parametrize(
        "market",
        [{"day": BEFORE}, {"symbol": "IDBI"}, {"has_auctions": False}, {"day": "2026-11-08"}],
        ids=["before August 2026", "of a share without derivatives", "by a synthetic market", "in a Muhurat session"],
    )
    def test_and_orders_trade_at_once_until_the_close(self, market):
        matching, symbol, day = begun(**market), market.get("symbol", "TCS"), market.get("day", DAY)
        matching.place(order("stop", symbol=symbol, **STOP))

        assert paid(placed(matching, "15:21", order(symbol=symbol), day)) == [100.0]
        assert paid(matching.move(tick("15:22", 98.0, symbol=symbol, day=day))) == [98.0]

    @pytest.mark.parametrize(
        "market", [{"day": BEFORE}, {"has_auctions": False}], ids=["before", "by a synthetic market"]
    )
    def test_and_a_stop_order_ends_with_its_day(self, market):
        matching, day = begun(**market), market.get("day", DAY)
        placed(matching, "15:14", order(**STOP), day)

        assert matching.next_end_ns == day_order_ends_ns(at("15:14", day))

    def test_and_an_order_on_its_way_is_let_in_when_its_time_is_over(self):
        matching = begun(has_auctions=False, latency_ns=10**9)
        placed(matching, "15:21", order())
        matching.move(tick("15:21", 101.0, day=DAY))

        assert paid(matching.let_in(at("15:21:01", DAY))) == [101.0]

    def test_and_each_tick_is_not_needed(self):
        assert begun(has_auctions=False).only_remembers(tick("15:20", 100.0, day=DAY))


@pytest.mark.parametrize(("has_auctions", "clock"), [(False, "15:21"), (True, "15:14"), (False, "15:14")])
def test_a_market_order_is_protected_wherever_no_auction_is_held(has_auctions, clock):
    matching = begun(has_auctions=has_auctions, protection_percent=1.0)
    depth = Depth(bid_prices=(), bid_quantities=(), ask_prices=(101.0, 102.0), ask_quantities=(4, 50))
    fields = {"symbol": "TCS", "quantity": 1, "source": "test", "sequence": 1, "exchange_ns": at(clock, DAY)}
    matching.move(Tick(price=100.0, depth=depth, **fields))

    assert paid(matching.place(order())) == [101.0]


class TestTheNextDay:
    def test_begins_as_ever(self):
        matching = begun()
        moved(matching, "15:30", 103.0)
        matching.pass_time(at("09:15", "2026-08-04"))

        assert paid(matching.place(order())) == []
        assert paid(moved(matching, "09:15", 104.0, day="2026-08-04")) == [104.0]
        assert paid(matching.place(order("b"))) == [104.0]
        assert paid(placed(matching, "15:21", order("c"), "2026-08-04")) == []
        assert paid(moved(matching, "15:31", 106.0, day="2026-08-04")) == [106.0]

    def test_is_the_one_that_an_order_of_a_day_without_a_session_meets(self):
        """Friday has no closing auction yet; Saturday has no session."""
        matching = begun(day=BEFORE)
        reports = placed(matching, "10:00", order(**STOP), "2026-08-01")

        assert [report.execution_type for report in reports] == ["NEW"]
        assert matching.next_end_ns == at("15:15", DAY)

    def test_of_an_order_that_comes_after_the_auction_has_its_stop(self):
        matching = begun()
        moved(matching, "15:30", 103.0)
        placed(matching, "16:00", order(**STOP))

        assert matching.next_end_ns == at("15:15", "2026-08-04")


@given(
    clocks=st.lists(st.integers(0, 24 * 60 - 1), max_size=8),
    prices=st.lists(st.integers(1900, 2100), min_size=8, max_size=8),
    shares=st.integers(0, 1),
)
def test_nothing_trades_between_the_end_of_continuous_trading_and_the_entry_of_orders(clocks, prices, shares):
    matching = begun()
    placed(matching, "15:14", limit(99.0, "resting"))
    placed(matching, "15:20", order("market"))
    placed(matching, "15:21", limit(101.0, "limit"))
    for clock, price in zip(sorted(clocks), prices, strict=False):
        time_ns = at("15:15", DAY) + clock * 13 * 60 * 10**9 // (24 * 60)
        fields = {"symbol": "TCS", "exchange_ns": time_ns, "source": "test", "sequence": 1}
        assert matching.move(Tick(price=price / 20, quantity=shares, **fields)) == []
    assert paid(moved(matching, "15:30", 98.0)) == [98.0, 98.0, 98.0]


@pytest.mark.parametrize("price", [104.0, 108.0])
def test_ticks_that_no_order_met_count_for_the_reference_price_as_those_do_that_one_met(price):
    told = []
    for passed_over in (False, True):
        matching = begun()
        ticks = [tick(f"15:14:{second}", 110.0, day=DAY, quantity=50) for second in (20, 30, 40)]
        if passed_over:
            matching.pass_over(ticks, at("15:14:50", DAY))
        else:
            for each in ticks:
                matching.move(each)
        (report,) = placed(matching, "15:21", limit(price))
        told.append((report.execution_type, report.reason, matching.ticks))

    assert told[0] == told[1]
    assert told[0][0] == ("REJECTED" if price == 104.0 else "NEW")  # three per cent around what was traded

"""Orders in the pre-open session: they wait for the opening auction, in the matching and in an account."""

import pytest
from natya_auctions import at, limit, order, paid, tick

from natya.actors.exchange.matching import FillModel, Matching
from natya.messages.broker import CancelRequest, ReplaceRequest

CRUDE = "MCX:CRUDEOIL-19Jan2026-FUT"


def begun(*, has_auctions=True, symbol="TCS", clock="09:01"):
    """The market closed at 90 on the Friday before."""
    matching = Matching(tick_size_rupees=0.05, run=1, now_ns=at("15:29", "2025-12-26"), has_auctions=has_auctions)
    matching.move(tick("15:29", 90.0, symbol=symbol, day="2025-12-26"))
    matching.pass_time(at(clock))
    return matching


class TestAnOrderBeforeTheOpening:
    @pytest.mark.parametrize("request_", [order(), limit(101.0)], ids=["market", "limit"])
    def test_waits_for_the_first_price_of_the_session_and_pays_it(self, request_):
        matching = begun()

        assert paid(matching.place(request_)) == []
        assert paid(matching.move(tick("09:07", 80.0))) == []
        assert matching.let_in(at("09:15")) == []
        assert paid(matching.move(tick("09:15", 100.0))) == [100.0]

    def test_rests_where_its_limit_is_not_reached(self):
        matching = begun()
        matching.place(limit(95.0))

        assert paid(matching.move(tick("09:15", 100.0))) == []
        assert paid(matching.move(tick("09:16", 94.0))) == [95.0]

    @pytest.mark.parametrize(
        "request_",
        [
            order(validity="IOC"),
            order(order_type="STOP_LOSS_MARKET", trigger_price=95.0),
            limit(95.0, order_type="STOP_LOSS", trigger_price=94.0),
        ],
        ids=["immediate or cancel", "stop", "stop with a limit"],
    )
    def test_is_refused_where_an_auction_has_no_place_for_it(self, request_):
        (report,) = begun().place(request_)

        assert (report.execution_type, "in the pre-open session" in report.reason) == ("REJECTED", True)

    def test_may_be_changed_and_withdrawn(self):
        matching = begun()
        matching.place(limit(95.0, "changed"))
        matching.place(limit(105.0, "withdrawn"))
        change = ReplaceRequest(client_order_id="changed", quantity=5, order_type="LIMIT", limit_price=110.0)
        stop = ReplaceRequest(client_order_id="changed", quantity=5, order_type="STOP_LOSS_MARKET", trigger_price=95.0)

        assert [report.execution_type for report in matching.replace(change)] == ["REPLACED"]
        assert [report.execution_type for report in matching.replace(stop)] == ["CANCEL_REJECTED"]
        assert matching.cancel(CancelRequest(client_order_id="withdrawn")).execution_type == "CANCELLED"
        assert paid(matching.move(tick("09:15", 100.0))) == [100.0]

    def test_that_rested_has_the_opening_price_and_not_one_from_before(self):
        matching = begun(clock="08:59")
        matching.place(limit(89.0))

        assert paid(matching.move(tick("09:05", 70.0))) == []
        assert paid(matching.move(tick("09:15", 85.0))) == [85.0]

    def test_that_was_sent_before_it_and_is_on_its_way_meets_no_tick_of_the_pre_open(self):
        model = FillModel(latency_ns=2 * 10**9)
        matching = Matching(tick_size_rupees=0.05, run=1, now_ns=at("08:59"), has_auctions=True, model=model)
        matching.move(tick("08:59", 90.0))
        matching.pass_time(at("08:59:59"))
        matching.place(order())  # there at 09:00:01
        matching.move(tick("09:00", 80.0))

        assert matching.let_in(at("09:00:01")) == []
        assert paid(matching.move(tick("09:15", 100.0))) == [100.0]

    def test_trades_at_each_tick_where_no_auctions_are_held(self):
        assert paid(begun(has_auctions=False).place(order())) == [90.0]

    def test_of_a_commodity_waits_for_the_first_price_of_its_own_session(self):
        matching = begun(symbol=CRUDE)

        assert paid(matching.place(order(symbol=CRUDE))) == []
        assert paid(matching.move(tick("09:02", 92.0, symbol=CRUDE))) == [92.0]


class TestAnOrderAfterTheOpening:
    @pytest.mark.parametrize("validity", ["DAY", "IOC"])
    def test_meets_no_price_of_the_day_before(self, validity):
        matching = begun(clock="09:15")

        assert paid(matching.place(order(validity=validity))) == []
        assert paid(matching.move(tick("09:16", 100.0))) == [100.0]

    def test_with_a_trigger_waits_for_it_from_the_first_price_on(self):
        matching = begun(clock="09:15")
        matching.place(order(order_type="STOP_LOSS_MARKET", trigger_price=89.0))  # the price of the day before met it

        assert paid(matching.move(tick("09:16", 88.0))) == []
        assert paid(matching.move(tick("09:17", 89.5))) == [89.5]

    def test_meets_the_newest_price_once_there_is_one(self):
        matching = begun()
        matching.move(tick("09:15", 100.0))

        assert paid(matching.place(order())) == [100.0]

    @pytest.mark.parametrize(("clock", "price"), [("09:15:00", 90.0), ("09:15:04", 95.0)])
    def test_that_came_behind_it_has_rested_at_its_limit_since(self, clock, price):
        model = FillModel(latency_ns=2 * 10**9)
        matching = Matching(tick_size_rupees=0.05, run=1, now_ns=at("09:07"), has_auctions=True, model=model)
        matching.move(tick("09:07", 90.0))
        matching.pass_time(at("09:14:59"))
        matching.place(limit(95.0))  # there at 09:15:01
        if clock != "09:15:00":
            matching.move(tick("09:15", 100.0))
            matching.move(tick("09:15", 100.0))

        assert paid(matching.move(tick("09:15:05", 90.0))) == [price]

    def test_is_not_held_back_by_one_that_still_waits_for_the_opening(self):
        model = FillModel(latency_ns=2 * 10**9)
        matching = Matching(tick_size_rupees=0.05, run=1, now_ns=at("09:07"), has_auctions=True, model=model)
        matching.move(tick("09:07", 90.0))
        matching.pass_time(at("09:14:59"))
        matching.place(order("before"))  # there at 09:15:01
        matching.move(tick("09:15", 100.0))
        matching.place(order("after"))  # there at 09:15:02
        matching.move(tick("09:15", 101.0))

        trades = [each for each in matching.let_in(at("09:15:03")) if each.execution_type == "TRADE"]
        assert [(each.client_order_id, each.price) for each in trades] == [("after", 101.0)]

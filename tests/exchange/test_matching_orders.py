"""Kinds of orders in the matching: stops, immediate or cancel, replaced ones, two that are linked."""

import pytest

from natya.actors.exchange.matching import Matching
from natya.actors.exchange.matching.order import Order
from natya.messages.broker import CancelRequest, ReplaceRequest


def kinds(reports):
    return [report.execution_type for report in reports]


def a_change(client_order_id="a", *, quantity=10, limit_price=None, **fields):
    fields = {"order_type": "LIMIT" if limit_price else "MARKET"} | fields
    return ReplaceRequest(client_order_id=client_order_id, quantity=quantity, limit_price=limit_price, **fields)


def test_what_is_told_of_an_order_that_has_not_traded_has_no_trade_in_it(matching, a_tick, an_order):
    matching.move(a_tick(100.0))
    told = [
        *matching.place(an_order(limit_price=99.0)),
        *matching.place(an_order(limit_price=99.0)),
        *matching.replace(a_change(limit_price=98.0, quantity=12, number=3)),
        *matching.replace(a_change(limit_price=98.0, quantity=0, number=4)),
        *matching.replace(a_change("none", limit_price=98.0, number=5)),
        matching.cancel(CancelRequest(client_order_id="a")),
        matching.cancel(CancelRequest(client_order_id="a")),
    ]

    assert [(each.execution_type, each.number, each.leaves_quantity) for each in told] == [
        ("NEW", 0, 10),
        ("REJECTED", 0, 10),
        ("REPLACED", 3, 12),
        ("CANCEL_REJECTED", 4, 12),
        ("CANCEL_REJECTED", 5, 0),
        ("CANCELLED", 0, 0),
        ("CANCEL_REJECTED", 0, 0),
    ]
    assert {(each.quantity, each.price, each.cumulative_quantity) for each in told} == {(0, 0.0, 0)}
    assert len({each.execution_id for each in told}) == len(told)


class TestAStopOrder:
    def a_stop(self, an_order, trigger_price=101.0, **changes):
        order_type = "STOP_LOSS" if "limit_price" in changes else "STOP_LOSS_MARKET"
        order = an_order(trigger_price=trigger_price, **changes)
        return type(order)(
            **{name: getattr(order, name) for name in order.__struct_fields__} | {"order_type": order_type}
        )

    def test_meets_no_tick_before_its_trigger(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(100.0))
        assert kinds(matching.place(self.a_stop(an_order))) == ["NEW"]
        assert kinds(matching.move(a_tick(100.95))) == []

        reports = matching.move(a_tick(101.0))

        assert kinds(reports) == ["TRIGGERED", "TRADE"]
        assert trades(reports) == [(10, 101.0)]

    def test_pays_the_price_behind_a_gap(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(100.0))
        matching.place(self.a_stop(an_order, 99.0, side="SELL"))

        assert trades(matching.move(a_tick(95.0))) == [(10, 95.0)]

    @pytest.fixture
    def stopped(self, matching, a_tick, an_order):
        def build(side):
            matching.move(a_tick(100.0 if side == "BUY" else 102.0))
            matching.place(self.a_stop(an_order, side=side))
            return matching

        return build

    @pytest.mark.parametrize(
        ("side", "found"),
        [("BUY", [100.9, 101.2]), ("SELL", [101.1, 100.8])],
    )
    def test_pays_no_better_price_than_its_trigger(self, stopped, a_tick, trades, side, found):
        levels = [(price, 5) for price in found]

        reports = stopped(side).move(a_tick(101.0, bids=levels, asks=levels))

        assert trades(reports) == [(5, 101.0), (5, found[1])]

    def test_with_a_limit_pays_no_more_than_that(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(100.0))
        matching.place(self.a_stop(an_order, limit_price=101.1))

        reports = matching.move(a_tick(101.0, asks=[(100.9, 2), (101.05, 2), (101.15, 2)]))

        assert trades(reports) == [(2, 101.0), (2, 101.05)]

    def test_with_a_limit_rests_at_it_from_its_trigger_on(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(100.0))
        matching.place(self.a_stop(an_order, limit_price=101.5))
        assert trades(matching.move(a_tick(103.0))) == []

        assert trades(matching.move(a_tick(101.0))) == [(10, 101.5)]

    def test_is_told_with_what_became_of_its_trigger(self, matching, a_tick, an_order):
        matching.move(a_tick(100.0))
        matching.place(self.a_stop(an_order, client_order_id="stop", limit_price=101.5))
        matching.place(an_order("limit", limit_price=99.0))
        before = matching.find("stop").is_triggered
        matching.move(a_tick(103.0))

        assert (before, matching.find("stop").is_triggered) == (False, True)
        assert matching.find("limit").is_triggered is None

    def test_whose_trigger_is_met_already_trades_at_once(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(102.0))

        assert trades(matching.place(self.a_stop(an_order))) == [(10, 102.0)]

    def test_comes_after_the_orders_that_rest(self, matching, a_tick, an_order):
        matching.move(a_tick(100.0, bids=[(99.9, 5)], asks=[(101.5, 5)]))
        matching.place(self.a_stop(an_order, client_order_id="stop"))
        matching.place(an_order("limit", limit_price=101.0))

        reports = matching.move(a_tick(101.0, bids=[(100.9, 5)], asks=[(101.0, 12)]))

        assert [(report.client_order_id, report.quantity) for report in reports if report.quantity] == [
            ("limit", 10),
            ("stop", 2),
        ]

    def test_may_be_cancelled_before_its_trigger(self, matching, a_tick, an_order):
        matching.move(a_tick(100.0))
        matching.place(self.a_stop(an_order))

        assert matching.cancel(CancelRequest(client_order_id="a")).execution_type == "CANCELLED"
        assert matching.resting == 0
        assert matching.move(a_tick(105.0)) == []

    def test_is_told_with_its_prices(self, matching, a_tick, an_order):
        matching.move(a_tick(100.0))
        matching.place(self.a_stop(an_order, client_order_id="both", limit_price=101.5))
        matching.place(an_order("none"))

        found = [matching.find(name) for name in ("both", "none")]
        assert [(each.limit_price, each.trigger_price) for each in found] == [(101.5, 101.0), (0.0, 0.0)]

    def test_with_a_trigger_off_the_grid_is_rejected(self, matching, a_tick, an_order):
        matching.move(a_tick(100.0))

        assert "multiples of 0.05 rupees is wanted, found 101.02" in (
            matching.place(self.a_stop(an_order, 101.02))[0].reason
        )

    def test_without_a_trigger_is_rejected(self, matching, a_tick, an_order):
        matching.move(a_tick(100.0))

        assert matching.place(self.a_stop(an_order, None))[0].reason == (
            "a trigger_price in whole multiples of 0.05 rupees is wanted, found None"
        )


class TestImmediateOrCancel:
    def test_keeps_what_it_trades_and_loses_the_rest(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(100.0, bids=[(99.9, 5)], asks=[(100.0, 4)]))

        reports = matching.place(an_order(limit_price=100.0, validity="IOC"))

        assert kinds(reports) == ["NEW", "TRADE", "CANCELLED"]
        assert trades(reports) == [(4, 100.0)]
        assert (matching.resting, matching.find("a").state) == (0, "CANCELLED")


class TestAQueueAtOnePrice:
    def trading(self, matching, a_tick, quantity=99):
        """Who trades when so many shares are offered at the price of all."""
        reports = matching.move(a_tick(99.0, bids=[(98.0, 5)], asks=[(99.0, quantity)]))
        return [report.client_order_id for report in reports if report.quantity]

    @pytest.mark.parametrize("changed", ["", "a", "b", "c"])
    @pytest.mark.parametrize("gone", ["a", "b", "c"])
    def test_loses_whom_it_loses_and_keeps_the_others_in_the_order_of_their_arrival(
        self, matching, a_tick, an_order, gone, changed
    ):
        matching.move(a_tick(100.0, bids=[(98.0, 5)], asks=[(100.0, 5)]))
        for name in "abc":
            matching.place(an_order(name, limit_price=99.0))
        if changed:
            matching.replace(a_change(changed, quantity=11, limit_price=99.0))
        matching.place(an_order("d", limit_price=99.0))
        matching.cancel(CancelRequest(client_order_id=gone))

        queue = [*(name for name in "abc" if name != changed), *changed, "d"]
        assert self.trading(matching, a_tick) == [name for name in queue if name != gone]
        assert (matching.resting, matching.find(gone).state) == (0, "CANCELLED")

    def test_of_an_earlier_run_is_before_all_that_come(self, a_tick, an_order):
        old = [
            Order(an_order(name, limit_price=99.0), broker_order_id=f"X-1-{arrival}", arrival=arrival)
            for name, arrival in (("a", 5), ("b", 7))
        ]
        for order in old:
            order.limit_price = 99.0
        matching = Matching(tick_size_rupees=0.05, run=2, now_ns=1, resting=old)
        matching.move(a_tick(100.0, bids=[(98.0, 5)], asks=[(100.0, 5)]))
        for name in "cd":
            matching.place(an_order(name, limit_price=99.0))
        matching.cancel(CancelRequest(client_order_id="b"))

        assert self.trading(matching, a_tick) == ["a", "c", "d"]


class TestTheEndOfADay:
    def test_ends_the_orders_of_that_day_alone_and_takes_them_out_of_the_book(self, a_tick, an_order):
        ends_ns = [200, 100]
        matching = Matching(tick_size_rupees=0.05, run=2, now_ns=1, day_ends_ns=lambda *_: ends_ns.pop(0))
        matching.move(a_tick(100.0, bids=[(98.0, 5)], asks=[(100.0, 5)]))
        for name in "ab":
            matching.place(an_order(name, limit_price=99.0))
        assert (matching.next_end_ns, matching.end_day(99)) == (100, [])
        ended = matching.end_day(100)
        assert [(each.client_order_id, each.execution_type) for each in ended] == [("b", "EXPIRED")]
        assert (matching.next_end_ns, matching.resting, matching.ticks) == (200, 1, 1)

        reports = matching.move(a_tick(99.0, bids=[(98.0, 5)], asks=[(99.0, 50)]))
        assert [each.client_order_id for each in reports if each.quantity] == ["a"]
        assert (matching.ticks, matching.end_day(200), matching.next_end_ns) == (2, [], 0)


class TestAReplacedOrder:
    @pytest.fixture
    def queue(self, matching, a_tick, an_order):
        """Two buyers at 99, `first` before `second`; returns who trades how much of twelve shares."""
        matching.move(a_tick(100.0, bids=[(98.0, 5)], asks=[(100.0, 5)]))
        for name in ("first", "second"):
            matching.place(an_order(name, limit_price=99.0))

        def trade():
            reports = matching.move(a_tick(99.0, bids=[(98.0, 5)], asks=[(99.0, 12)]))
            return [(report.client_order_id, report.quantity) for report in reports if report.quantity]

        return trade

    def test_keeps_its_place_where_its_quantity_falls(self, matching, queue):
        assert kinds(matching.replace(a_change("first", quantity=8, limit_price=99.0))) == ["REPLACED"]

        assert queue() == [("first", 8), ("second", 4)]

    def test_keeps_its_place_where_nothing_changed(self, matching, queue):
        matching.replace(a_change("first", limit_price=99.0))

        assert queue() == [("first", 10), ("second", 2)]

    def test_of_the_market_has_no_limit_any_more(self, matching, queue, trades):
        assert trades(matching.replace(a_change("first"))) == [(5, 100.0)]

        assert queue() == [("first", 5), ("second", 7)]

    def test_loses_its_place_where_its_quantity_rises(self, matching, queue):
        matching.replace(a_change("first", quantity=11, limit_price=99.0))

        assert queue() == [("second", 10), ("first", 2)]

    def test_loses_its_place_where_its_price_was_away(self, matching, queue):
        matching.replace(a_change("first", limit_price=98.5))
        matching.replace(a_change("first", limit_price=99.0))

        assert queue() == [("second", 10), ("first", 2)]

    def test_trades_at_once_at_a_price_that_meets_the_book(self, matching, queue, trades):
        assert trades(matching.replace(a_change("first", limit_price=100.0))) == [(5, 100.0)]

    def test_must_not_have_less_than_it_traded(self, matching, queue):
        queue()

        report = matching.replace(a_change("second", quantity=2, limit_price=99.0))[0]

        assert (report.execution_type, report.reason) == (
            "CANCEL_REJECTED",
            "a quantity above the 2 shares that were traded is wanted, found 2",
        )

    def test_that_is_filled_is_as_it_was(self, matching, queue):
        queue()

        assert matching.replace(a_change("first", limit_price=99.0))[0].reason == (
            "an open order is wanted, found it FILLED"
        )


class TestTwoLinkedOrders:
    @pytest.fixture
    def exits(self, matching, a_tick, an_order):
        matching.move(a_tick(100.0))
        matching.place(an_order("target", side="SELL", limit_price=110.0))
        stop = an_order("stop", side="SELL", trigger_price=90.0, order_type="STOP_LOSS_MARKET")
        matching.place(stop, linked_with="target")
        return matching

    def test_end_together(self, exits, a_tick):
        assert kinds(exits.move(a_tick(111.0))) == ["TRADE", "CANCELLED"]
        assert exits.move(a_tick(80.0)) == []
        assert exits.resting == 0

    def test_are_one_where_both_could_trade_at_a_tick(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(100.0))
        matching.place(an_order("far", side="SELL", limit_price=110.0))
        matching.place(an_order("near", side="SELL", limit_price=105.0), linked_with="far")

        reports = matching.move(a_tick(120.0))

        assert trades(reports) == [(10, 105.0)]
        assert matching.find("far").state == "CANCELLED"

    def test_lose_what_the_other_trades(self, exits, a_tick, trades):
        exits.move(a_tick(110.0, bids=[(110.0, 4)], asks=[]))

        assert trades(exits.move(a_tick(89.0))) == [(6, 89.0)]
        assert exits.find("target").state == "CANCELLED"

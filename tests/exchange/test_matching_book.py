"""What is in the book of the matching: whatever comes, the open orders alone, each once and where it belongs."""

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.exchange.matching import FillModel, Matching, Order
from natya.messages.broker import CancelRequest, ReplaceRequest

START_NS = 1_766_992_000_000_000_000
END_NS = START_NS + 12 * 10**9
"""When the orders for the day end that come in the first twelve seconds."""

prices = st.integers(1_995, 2_005).map(lambda ticks: round(ticks * 0.05, 2))
sizes = st.integers(1, 30)
names = st.integers(0, 9).map(str)
terms = st.one_of(
    st.just({"order_type": "MARKET"}),
    prices.map(lambda price: {"order_type": "LIMIT", "limit_price": price}),
    prices.map(lambda price: {"order_type": "STOP_LOSS_MARKET", "trigger_price": price}),
    st.tuples(prices, prices).map(
        lambda pair: {"order_type": "STOP_LOSS", "limit_price": pair[0], "trigger_price": pair[1]}
    ),
)
steps = st.one_of(
    st.tuples(st.just("tick"), prices, sizes, st.integers(0, 2)),
    *[st.tuples(st.just("order"), names, st.sampled_from(["BUY", "SELL"]), sizes, terms, st.booleans(), names)] * 2,
    st.tuples(st.just("change"), names, sizes, terms),
    st.tuples(st.just("cancel"), names),
    st.tuples(st.just("end")),
)
models = st.builds(
    FillModel,
    queue_position=st.sampled_from(["last", "shown", "first"]),
    latency_ns=st.sampled_from([0, 0, 2 * 10**9]),
    protection_percent=st.sampled_from([0.0, 0.1]),
)


def book_of(matching):
    return list(
        chain.from_iterable(
            (*market.buys, *market.sells, *market.stops, *market.arriving) for market in matching._markets.values()
        )
    )


def assert_each_is_where_it_belongs(matching):
    for market in matching._markets.values():
        assert all(order.due_ns for order in market.arriving)
        assert all(not order.due_ns and not order.is_triggered for order in market.stops)
        for side, orders in (("BUY", market.buys), ("SELL", market.sells)):
            assert all(order.is_triggered and not order.due_ns and order.request.side == side for order in orders)
            assert orders == sorted(orders, key=lambda order: order.priority)


def open_of(matching):
    return [order for order in matching._orders.values() if order.is_open]


def play(a_tick, an_order, model, day):
    """Play a day of one step a second; yield after each the matching and its reports."""
    matching = Matching(
        tick_size_rupees=0.05,
        run=1,
        now_ns=START_NS,
        model=model,
        day_ends_ns=lambda _, now_ns: END_NS if now_ns < END_NS else END_NS + 10**12,
    )
    matching.move(a_tick(100.0, bids=[(99.95, 20)], asks=[(100.05, 20)]))
    volume = 0
    for second, (kind, *values) in enumerate(day, start=1):
        now_ns = START_NS + second * 10**9
        matching.pass_time(now_ns)
        if kind == "tick":
            price, size, depths = values
            volume += size
            book = {"bids": [(price - 0.05, size)], "asks": [(price + 0.05, size)]} if depths else {}
            reports = matching.move(a_tick(price, volume=volume, after_s=second, **book))
        elif kind == "order":
            name, side, quantity, fields, is_ioc, other = values
            fields = fields | {"validity": "IOC" if is_ioc and second % 3 == 0 else "DAY"}
            linked = {order.request.client_order_id for order in open_of(matching) if order.linked is None} - {name}
            reports = matching.place(
                an_order(name, side=side, quantity=quantity, **fields), linked_with=other if other in linked else ""
            )
        elif kind == "change":
            name, quantity, fields = values
            reports = matching.replace(ReplaceRequest(client_order_id=name, quantity=quantity, **fields))
        elif kind == "cancel":
            reports = [matching.cancel(CancelRequest(client_order_id=values[0]))]
        else:
            reports = matching.let_in(now_ns) + matching.end_day(now_ns)
        yield matching, reports


@given(model=models, day=st.lists(steps, max_size=30))
def test_the_book_has_every_open_order_once_where_it_belongs_and_no_other(a_tick, an_order, model, day):
    seen = set()
    for matching, reports in play(a_tick, an_order, model, day):
        open_orders = open_of(matching)

        assert sorted(map(id, book_of(matching))) == sorted(map(id, open_orders))
        assert_each_is_where_it_belongs(matching)
        assert matching.resting == len(open_orders)
        assert all(0 <= order.filled < order.request.quantity for order in open_orders)
        ends = {order.ends_ns for order in open_orders} - {0}
        assert not ends or matching.next_end_ns == min(ends) or matching.next_end_ns == END_NS
        ids = [report.execution_id for report in reports]
        assert len({*ids}) == len(ids)
        assert seen.isdisjoint(ids)
        seen.update(ids)


@given(model=models, day=st.lists(steps, max_size=30))
def test_no_order_ends_twice_or_trades_after_its_end(a_tick, an_order, model, day):
    ended = set()
    for _, reports in play(a_tick, an_order, model, day):
        for report in reports:
            if report.execution_type in {"REJECTED", "CANCEL_REJECTED"}:
                continue
            assert report.client_order_id not in ended, report
            if report.leaves_quantity == 0:
                ended.add(report.client_order_id)


class TestTheRestOfAMarketOrder:
    @pytest.fixture
    def waiting(self, a_tick, an_order, trades):
        """Six of ten shares wait, after four were bought at 100.1."""

        def build(**model):
            matching = Matching(tick_size_rupees=0.05, run=1, now_ns=START_NS, model=FillModel(**model))
            matching.move(a_tick(100.0, asks=[(100.1, 4)], volume=100))
            assert trades(matching.place(an_order(quantity=10))) == [(4, 100.1)]
            return matching

        return build

    @pytest.mark.parametrize("position", ["last", "shown", "first"])
    def test_trades_at_the_last_price_where_no_depth_is_told(self, waiting, a_tick, trades, position):
        assert trades(waiting(queue_position=position).move(a_tick(101.0, after_s=1))) == [(6, 101.0)]

    def test_pays_no_less_than_for_its_last_share(self, waiting, a_tick, trades):
        matching = waiting()
        assert trades(matching.move(a_tick(101.0, asks=[(101.0, 2)], after_s=1))) == [(2, 101.0)]

        assert trades(matching.move(a_tick(99.0, after_s=2))) == [(4, 101.0)]

    @pytest.mark.parametrize("position", ["last", "shown", "first"])
    def test_gets_nothing_of_a_print(self, waiting, a_tick, trades, position):
        printed = a_tick(99.0, bids=[(98.0, 5)], asks=[(101.0, 2)], volume=150, after_s=1)

        assert trades(waiting(queue_position=position).move(printed)) == [(2, 101.0)]


class TestAPriceBelowARupee:
    def test_is_one_of_the_book(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(0.5, bids=[(0.45, 5)], asks=[(0.5, 50)]))

        assert trades(matching.place(an_order())) == [(10, 0.5)]

    def test_is_one_that_a_queue_may_be_before(self, a_tick, an_order, trades):
        matching = Matching(tick_size_rupees=0.05, run=1, now_ns=1, model=FillModel(queue_position="shown"))
        matching.move(a_tick(0.9, bids=[(0.45, 5)], asks=[(0.9, 50)]))
        matching.place(an_order(limit_price=0.5))

        assert trades(matching.move(a_tick(0.5, bids=[(0.45, 5)], asks=[(0.9, 50)], volume=4))) == [(4, 0.5)]


class TestAQueueThatIsShown:
    BOOK = {"bids": [(99.0, 50)], "asks": [(100.0, 50)]}  # noqa: RUF012  of a class of tests

    @pytest.fixture
    def queued(self, a_tick, an_order):
        def build(side="BUY", limit_price=99.0, **changes):
            matching = Matching(tick_size_rupees=0.05, run=1, now_ns=1, model=FillModel(queue_position="shown"))
            matching.move(a_tick(99.5, **(self.BOOK | changes)))
            matching.place(an_order(side=side, limit_price=limit_price))
            return matching

        return build

    def test_does_not_move_by_what_trades_elsewhere(self, queued, a_tick, trades):
        matching = queued()
        for second in range(1, 5):
            matching.move(a_tick(99.5, **self.BOOK, volume=100 * second, after_s=second))

        assert trades(matching.move(a_tick(99.0, **self.BOOK, volume=450, after_s=6))) == []
        assert trades(matching.move(a_tick(99.0, **self.BOOK, volume=453, after_s=7))) == [(3, 99.0)]

    def test_gives_nothing_at_a_tick_without_depth(self, queued, a_tick, trades):
        assert trades(queued().move(a_tick(99.0, volume=90, after_s=1))) == []

    @pytest.mark.parametrize("side", ["BUY", "SELL"])
    def test_is_unknown_where_no_depth_is_told(self, a_tick, an_order, trades, side):
        matching = Matching(tick_size_rupees=0.05, run=1, now_ns=1, model=FillModel(queue_position="shown"))
        limit_price = {"BUY": 99.0, "SELL": 100.0}[side]
        matching.move(a_tick(99.5))
        matching.place(an_order(side=side, limit_price=limit_price))
        beyond = {"bids": [(98.9, 5)], "asks": [(100.1, 5)]}
        empty = {"bids": [(0.0, 0)], "asks": [(0.0, 0)]}

        assert trades(matching.move(a_tick(limit_price, **empty, volume=90))) == []
        assert trades(matching.move(a_tick(limit_price, **beyond, volume=99))) == []
        assert trades(matching.move(a_tick(limit_price, **beyond, volume=100))) == [(1, limit_price)]

    def test_of_sellers_is_that_of_the_asks(self, queued, a_tick, trades):
        matching = queued("SELL", 100.0)
        assert trades(matching.move(a_tick(100.0, **self.BOOK, volume=52))) == [(2, 100.0)]

        better = queued("SELL", 99.95)
        assert trades(better.move(a_tick(99.95, **self.BOOK, volume=2))) == [(2, 99.95)]

        beyond = queued("SELL", 101.0)
        assert trades(beyond.move(a_tick(101.0, **self.BOOK, volume=52))) == []

    def test_is_unknown_of_an_order_of_an_earlier_run(self, a_tick, an_order, trades):
        order = Order(an_order(limit_price=99.0), broker_order_id="X-1-1", arrival=1)
        model = FillModel(queue_position="shown")
        matching = Matching(tick_size_rupees=0.05, run=2, now_ns=1, resting=[order], model=model)
        no_bids = {"bids": [], "asks": [(100.0, 5)]}
        matching.move(a_tick(99.5, **no_bids))

        assert trades(matching.move(a_tick(99.0, **no_bids, volume=500, after_s=1))) == []


class TestThePlaceOfTheFirst:
    @pytest.mark.parametrize("side", ["BUY", "SELL"])
    def test_trades_at_its_very_limit_where_no_depth_is_told(self, a_tick, an_order, trades, side):
        limit_price = {"BUY": 99.0, "SELL": 101.0}[side]
        matching = Matching(tick_size_rupees=0.05, run=1, now_ns=1, model=FillModel(queue_position="first"))
        matching.move(a_tick(100.0))
        matching.place(an_order(side=side, limit_price=limit_price))

        assert trades(matching.move(a_tick(limit_price))) == [(10, limit_price)]


class TestAnOpening:
    """The ticks begin on Monday at 12:36:40; Tuesday's session opens at 09:15."""

    OPENS_S = (20 * 60 + 38) * 60 + 20

    @pytest.mark.parametrize("case", [(OPENS_S - 1, 99.0), (OPENS_S, 95.0), (OPENS_S + 1, 95.0)])
    def test_is_from_its_very_moment_on(self, matching, a_tick, an_order, trades, case):
        after_s, paid = case
        matching.move(a_tick(100.0))
        matching.place(an_order(limit_price=99.0))

        assert trades(matching.move(a_tick(95.0, after_s=after_s))) == [(10, paid)]

    def test_is_that_of_the_market_of_its_symbol(self, matching, a_tick, an_order, trades):
        gold = {"symbol": "MCX:GOLD-05Feb2026-FUT"}
        matching.move(a_tick(100.0, **gold))
        matching.place(an_order("first", limit_price=99.0, **gold))
        matching.place(an_order("second", limit_price=94.0, **gold))
        nine_s = self.OPENS_S - 15 * 60

        assert trades(matching.move(a_tick(95.0, after_s=nine_s, **gold))) == [(10, 95.0)]
        assert trades(matching.move(a_tick(90.0, after_s=self.OPENS_S, **gold))) == [(10, 94.0)]

    def test_is_at_one_tick_alone(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(100.0))
        matching.place(an_order("first", limit_price=99.0))
        matching.place(an_order("second", limit_price=94.0))

        assert trades(matching.move(a_tick(95.0, after_s=self.OPENS_S))) == [(10, 95.0)]
        assert trades(matching.move(a_tick(90.0, after_s=self.OPENS_S + 1))) == [(10, 94.0)]


class TestAnOrderForTheDay:
    @pytest.fixture
    def day(self, a_tick):
        def build(resting=(), **model):
            matching = Matching(
                tick_size_rupees=0.05,
                run=1,
                now_ns=START_NS,
                model=FillModel(**model),
                resting=resting,
                day_ends_ns=lambda _symbol, _now_ns: END_NS,
            )
            matching.move(a_tick(100.0))
            return matching

        return build

    def test_has_its_end_at_that_of_the_day(self, day, an_order):
        matching = day()
        matching.place(an_order(limit_price=99.0))

        assert [(each.execution_type, each.occurred_ns) for each in matching.end_day(END_NS + 5)] == [
            ("EXPIRED", END_NS + 5)
        ]

    def test_that_is_over_has_no_end_to_come(self, day, an_order):
        matching = day()
        matching.place(an_order("filled"))
        matching.place(an_order("immediate", limit_price=99.0, validity="IOC"))

        assert (matching.next_end_ns, matching.resting) == (0, 0)

    def test_that_is_immediate_ends_with_it_where_it_did_not_come_before(self, day, an_order):
        matching = day(latency_ns=10**9)
        matching.place(an_order(limit_price=99.0, validity="IOC"))

        assert [each.execution_type for each in matching.end_day(END_NS)] == ["EXPIRED"]
        assert (matching.next_end_ns, matching.resting) == (0, 0)

    @pytest.mark.parametrize("first", [0, 1])
    def test_of_an_earlier_run_ends_with_it_and_one_of_no_day_stays(self, day, an_order, first):
        old = [
            Order(an_order(name, limit_price=98.0), broker_order_id=name, arrival=arrival)
            for arrival, name in enumerate("abc", start=1)
        ]
        old[first].ends_ns, old[1 - first].ends_ns = END_NS, END_NS + 1
        matching = day(old)

        assert matching.next_end_ns == END_NS
        assert [each.client_order_id for each in matching.end_day(END_NS)] == ["ab"[first]]
        assert matching.next_end_ns == END_NS + 1
        assert [each.client_order_id for each in matching.end_day(END_NS + 1)] == ["ab"[1 - first]]
        assert (matching.next_end_ns, [order.broker_order_id for order in book_of(matching)]) == (0, ["c"])


class TestAnImmediateOrder:
    def test_that_is_filled_is_not_cancelled_as_well(self, matching, a_tick, an_order):
        matching.move(a_tick(100.0))
        matching.place(an_order("rests", limit_price=99.0))

        reports = matching.place(an_order(validity="IOC"))

        assert [each.execution_type for each in reports] == ["NEW", "TRADE"]
        assert [order.request.client_order_id for order in book_of(matching)] == ["rests"]


class TestAnOrderAfterARestart:
    @pytest.fixture
    def before_a_tick(self, an_order):
        old = [
            Order(an_order("limit", limit_price=99.0), broker_order_id="X-1-1", arrival=1),
            Order(an_order("market", quantity=30), broker_order_id="X-1-2", arrival=2),
            Order(
                an_order("stop", order_type="STOP_LOSS_MARKET", trigger_price=101.0),
                broker_order_id="X-1-3",
                arrival=3,
            ),
        ]
        return Matching(tick_size_rupees=0.05, run=2, now_ns=1, resting=old, model=FillModel(protection_percent=1.0))

    def test_that_had_ended_hides_none_that_comes_behind_it(self, an_order):
        old = [
            Order(an_order(name, limit_price=99.0), broker_order_id=name, arrival=arrival)
            for arrival, name in enumerate(["ended", "open"], start=1)
        ]
        old[0].state = "FILLED"
        matching = Matching(tick_size_rupees=0.05, run=2, now_ns=1, resting=old)

        assert [each.broker_order_id for each in book_of(matching)] == ["open"]
        assert matching.find("ended").state == "FILLED"

    def test_on_its_way_is_still_on_it_though_it_is_changed_before_the_first_tick(self, a_tick, an_order, trades):
        old = Order(an_order(limit_price=99.0), broker_order_id="X-1-1", arrival=1)
        old.due_ns = START_NS + 10 * 10**9
        matching = Matching(tick_size_rupees=0.05, run=2, now_ns=START_NS, resting=[old])
        matching.replace(ReplaceRequest(client_order_id="a", quantity=10, order_type="LIMIT", limit_price=101.0))

        assert matching.move(a_tick(100.0, after_s=9)) == []
        assert trades(matching.move(a_tick(100.5, after_s=10))) == [(10, 100.5)]

    def test_that_is_changed_and_is_not_reached_rests_from_the_first_tick_on(self, before_a_tick, a_tick, trades):
        before_a_tick.replace(
            ReplaceRequest(client_order_id="limit", quantity=10, order_type="LIMIT", limit_price=98.0)
        )
        before_a_tick.move(a_tick(99.0))

        assert [order.due_ns for order in book_of(before_a_tick)] == [0, 0]
        assert trades(before_a_tick.move(a_tick(97.0))) == [(10, 98.0)]

    def test_for_the_market_is_protected_by_the_first_price(self, before_a_tick, a_tick):
        before_a_tick.replace(ReplaceRequest(client_order_id="limit", quantity=10, order_type="MARKET"))
        before_a_tick.move(a_tick(100.0, bids=[], asks=[(101.05, 99)]))

        assert [order.limit_price for order in book_of(before_a_tick)] == [101.0, 101.0, None]

    @pytest.mark.parametrize(
        ("price", "paid"), [(99.0, [99.0]), (100.0, [])], ids=["within its limit", "beyond its limit"]
    )
    def test_that_is_immediate_trades_at_the_first_tick_or_never(self, an_order, a_tick, trades, price, paid):
        old = Order(an_order(limit_price=99.0, validity="IOC"), broker_order_id="X-1-1", arrival=1)
        matching = Matching(tick_size_rupees=0.05, run=2, now_ns=1, resting=[old])

        reports = matching.move(a_tick(price))

        assert [each[1] for each in trades(reports)] == paid
        assert (matching.resting, matching.find("a").state) == (0, "FILLED" if paid else "CANCELLED")

    def test_that_is_an_immediate_stop_waits_for_its_trigger_first(self, an_order, a_tick):
        terms = {"order_type": "STOP_LOSS", "trigger_price": 101.0, "limit_price": 101.5, "validity": "IOC"}
        old = Order(an_order(**terms), broker_order_id="X-1-1", arrival=1)
        matching = Matching(tick_size_rupees=0.05, run=2, now_ns=1, resting=[old])

        assert matching.move(a_tick(100.0)) == []
        told = [each.execution_type for each in matching.move(a_tick(103.0))]
        assert told == ["TRIGGERED", "CANCELLED"]

    @pytest.mark.parametrize(
        ("name", "terms", "paid"),
        [
            ("limit", {"order_type": "LIMIT", "limit_price": 99.5}, 99.0),
            ("limit", {"order_type": "MARKET"}, 99.0),
            ("market", {"order_type": "MARKET"}, 99.0),
            ("stop", {"order_type": "STOP_LOSS_MARKET", "trigger_price": 98.0}, 99.0),
        ],
        ids=["limit", "to the market", "of the market", "stop"],
    )
    def test_may_be_changed_before_the_first_tick(self, before_a_tick, a_tick, name, terms, paid):
        (report,) = before_a_tick.replace(ReplaceRequest(client_order_id=name, quantity=40, **terms))
        assert report.execution_type == "REPLACED"

        trades = [each for each in before_a_tick.move(a_tick(99.0)) if each.execution_type == "TRADE"]
        assert [each.price for each in trades if each.client_order_id == name] == [paid]

    def test_is_refused_before_the_first_tick(self, an_order):
        old = Order(an_order("old", limit_price=99.0), broker_order_id="X-1-1", arrival=1)
        matching = Matching(tick_size_rupees=0.05, run=2, now_ns=1, resting=[old])

        (report,) = matching.place(an_order("new", limit_price=99.0))

        assert report.reason == "a symbol with a price is wanted, found no tick of TCS yet"


class TestAnOrderThatIsNoStop:
    @pytest.mark.parametrize("terms", [{"order_type": "MARKET"}, {"limit_price": 99.0}], ids=["market", "limit"])
    def test_must_have_no_trigger(self, matching, a_tick, an_order, terms):
        matching.move(a_tick(100.0))

        assert "no trigger_price" in matching.place(an_order(**terms, trigger_price=99.0))[0].reason


class TestAReplacedStop:
    @pytest.fixture
    def stopped(self, matching, a_tick, an_order):
        """A stop to buy from 101 on, at most at 100.5: it rests, once it is triggered."""
        matching.move(a_tick(100.0))
        matching.place(an_order(order_type="STOP_LOSS", trigger_price=101.0, limit_price=100.5))
        return matching

    def changed(self, matching, **terms):
        reports = matching.replace(ReplaceRequest(client_order_id="a", quantity=10, **terms))
        return [each.execution_type for each in reports], [(each.quantity, each.price) for each in reports[1:]]

    def test_waits_for_its_new_trigger(self, stopped, a_tick):
        changed = self.changed(stopped, order_type="STOP_LOSS_MARKET", trigger_price=102.0)

        assert changed == (["REPLACED"], [])
        assert stopped.move(a_tick(101.5)) == []
        assert [each.execution_type for each in stopped.move(a_tick(102.0))] == ["TRIGGERED", "TRADE"]

    def test_that_was_triggered_is_so_for_good(self, stopped, a_tick):
        stopped.move(a_tick(101.0))

        changed = self.changed(stopped, order_type="STOP_LOSS", trigger_price=105.0, limit_price=101.0)

        assert changed == (["REPLACED", "TRADE"], [(10, 101.0)])
        assert stopped.find("a").trigger_price == 101.0

    def test_that_was_triggered_trades_at_what_is_offered(self, stopped, a_tick):
        stopped.move(a_tick(101.0))
        stopped.move(a_tick(100.6))

        changed = self.changed(stopped, order_type="STOP_LOSS", trigger_price=101.0, limit_price=102.0)

        assert changed == (["REPLACED", "TRADE"], [(10, 100.6)])

    def test_that_was_triggered_may_become_a_limit_order(self, stopped, a_tick):
        stopped.move(a_tick(101.0))

        assert self.changed(stopped, order_type="LIMIT", limit_price=100.9) == (["REPLACED"], [])
        assert stopped.find("a").is_triggered is None

    def test_becomes_a_limit_order_that_waits_for_nothing(self, stopped):
        assert self.changed(stopped, order_type="LIMIT", limit_price=100.0) == (["REPLACED", "TRADE"], [(10, 100.0)])

    def test_may_have_been_a_limit_order(self, matching, a_tick, an_order):
        matching.move(a_tick(100.0))
        matching.place(an_order(limit_price=99.0))

        assert self.changed(matching, order_type="STOP_LOSS", trigger_price=101.0, limit_price=102.0)[1] == []
        assert matching.find("a").is_triggered is False
        assert [each.execution_type for each in matching.move(a_tick(101.0))] == ["TRIGGERED", "TRADE"]

    def test_that_nobody_knows_is_told_so(self, matching):
        (report,) = matching.replace(
            ReplaceRequest(client_order_id="b", quantity=1, order_type="LIMIT", limit_price=99.0, number=7)
        )

        assert (report.execution_type, report.number, report.reason) == (
            "CANCEL_REJECTED",
            7,
            "an order that was placed is wanted, found none of that id",
        )

    def test_on_its_way_is_still_on_it(self, a_tick, an_order):
        matching = Matching(tick_size_rupees=0.05, run=1, now_ns=START_NS, model=FillModel(latency_ns=10**9))
        matching.move(a_tick(100.0))
        matching.place(an_order(limit_price=99.0))

        assert self.changed(matching, order_type="LIMIT", limit_price=101.0) == (["REPLACED"], [])
        assert [each.price for each in matching.move(a_tick(100.5, after_s=1))] == [100.5]


class TestAStopWithProtection:
    def test_has_its_limit_from_its_trigger_on(self, a_tick, an_order, trades):
        matching = Matching(tick_size_rupees=0.05, run=1, now_ns=1, model=FillModel(protection_percent=1.0))
        matching.move(a_tick(100.0))
        matching.place(an_order(order_type="STOP_LOSS_MARKET", trigger_price=200.0))

        reports = matching.move(a_tick(200.0, bids=[], asks=[(201.0, 4), (202.0, 3), (202.05, 50)]))

        assert trades(reports) == [(4, 201.0), (3, 202.0)]


class TestTwoLinkedStops:
    def test_that_one_tick_reaches_are_one(self, matching, a_tick, an_order, trades):
        matching.move(a_tick(100.0))
        for name, linked in (("first", ""), ("second", "first")):
            stop = an_order(name, order_type="STOP_LOSS_MARKET", trigger_price=101.0)
            matching.place(stop, linked_with=linked)

        reports = matching.move(a_tick(101.0))

        assert [(each.client_order_id, each.execution_type) for each in reports] == [
            ("first", "TRIGGERED"),
            ("first", "TRADE"),
            ("second", "CANCELLED"),
        ]

    def test_of_which_one_was_cancelled_are_told_of_no_more(self, matching, a_tick, an_order):
        matching.move(a_tick(100.0))
        matching.place(an_order("first", limit_price=99.0))
        matching.place(an_order("second", limit_price=99.0), linked_with="first")
        matching.cancel(CancelRequest(client_order_id="first"))

        assert [each.execution_type for each in matching.move(a_tick(98.0))] == ["TRADE"]
        assert matching.find("first").state == "CANCELLED"

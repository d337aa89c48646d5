"""How fills are modelled: what each setting does to an order, and that no setting beats the market."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natya.actors.exchange.matching import FillModel, Matching, Order
from natya.actors.exchange.matching.liquidity import UNLIMITED
from natya.actors.exchange.matching.market import Market
from natya.config.sections.exchange import ExchangeSettings

STARTED_NS = 1_766_992_000_000_000_000


def under(**model):
    return Matching(tick_size_rupees=0.05, run=1, now_ns=STARTED_NS, model=FillModel(**model))


class TestTheDefaults:
    def test_of_the_settings_are_those_of_the_model(self):
        assert FillModel.of(ExchangeSettings.default()) == FillModel()

    def test_are_changed_each_by_the_setting_of_its_name(self):
        chosen = ExchangeSettings.default(
            queue_position="shown",
            order_latency_s=2.0,
            shown_share=0.5,
            market_protection_percent=3.0,
            slippage_percent=4.0,
            slippage_ticks=5,
        )

        assert FillModel.of(chosen) == FillModel(
            queue_position="shown",
            latency_ns=2_000_000_000,
            shown_share=0.5,
            protection_percent=3.0,
            slippage_percent=4.0,
            slippage_ticks=5,
        )

    def test_may_be_less_than_a_second(self):
        assert FillModel.of(ExchangeSettings.default(order_latency_s=0.25)).latency_ns == 250_000_000


class TestThePlaceInTheQueue:
    """A buyer rests at 99, where 50 shares are wanted before; then shares are traded at 99."""

    def played(self, a_tick, an_order, trades, *, volumes, **model):
        matching = under(**model)
        book = {"bids": [(99.0, 50)], "asks": [(100.0, 50)]}
        matching.move(a_tick(100.0, **book))
        matching.place(an_order(limit_price=99.0))
        found = []
        for seconds, volume in enumerate(volumes, start=1):
            found += trades(matching.move(a_tick(99.0, **book, volume=volume, after_s=seconds)))
        return found

    @pytest.mark.parametrize(
        ("position", "expected"), [("last", []), ("shown", [(5, 99.0), (5, 99.0)]), ("first", [(10, 99.0)])]
    )
    def test_decides_what_trades_at_the_very_limit_give(self, a_tick, an_order, trades, position, expected):
        found = self.played(a_tick, an_order, trades, volumes=[30, 55, 70], queue_position=position)

        assert found == expected

    def test_gives_no_more_than_was_traded_once_it_is_the_first(self, a_tick, an_order, trades):
        found = self.played(a_tick, an_order, trades, volumes=[30, 52, 55], queue_position="shown")

        assert found == [(2, 99.0), (3, 99.0)]

    def test_moves_up_where_less_is_shown_than_was_before_it(self, a_tick, an_order, trades):
        matching = under(queue_position="shown")
        matching.move(a_tick(100.0, bids=[(99.0, 50)], asks=[(100.0, 50)]))
        matching.place(an_order(limit_price=99.0))
        matching.move(a_tick(100.0, bids=[(99.0, 3)], asks=[(100.0, 50)]))

        found = trades(matching.move(a_tick(99.0, bids=[(99.0, 3)], asks=[(100.0, 5)], volume=8)))

        assert found == [(5, 99.0)]

    def test_is_the_first_at_a_price_better_than_the_best(self, a_tick, an_order, trades):
        matching = under(queue_position="shown")
        matching.move(a_tick(100.0, bids=[(99.0, 50)], asks=[(100.0, 50)]))
        matching.place(an_order(limit_price=99.5))

        found = trades(matching.move(a_tick(99.5, bids=[(99.0, 50)], asks=[(100.0, 50)], volume=4)))

        assert found == [(4, 99.5)]

    def test_is_unknown_beyond_the_last_level_shown(self, a_tick, an_order, trades):
        matching = under(queue_position="shown")
        matching.move(a_tick(100.0, bids=[(99.0, 50)], asks=[(100.0, 50)]))
        matching.place(an_order(limit_price=98.0))

        assert trades(matching.move(a_tick(98.0, bids=[(97.0, 1)], asks=[(100.0, 5)], volume=90))) == []


class TestLatency:
    def test_lets_an_order_meet_no_tick_before(self, a_tick, an_order, trades):
        matching = under(latency_ns=2 * 10**9)
        matching.move(a_tick(100.0))
        assert [report.execution_type for report in matching.place(an_order())] == ["NEW"]
        assert matching.move(a_tick(101.0, after_s=1)) == []

        assert trades(matching.move(a_tick(102.0, after_s=2))) == [(10, 102.0)]

    @pytest.mark.parametrize("price", [98.0, 102.0])
    def test_that_was_over_before_the_price_moved_gives_a_market_order_the_next_price(
        self, a_tick, an_order, trades, price
    ):
        matching = under(latency_ns=2 * 10**9)
        matching.move(a_tick(100.0))
        matching.place(an_order())

        assert trades(matching.move(a_tick(price, after_s=20))) == [(10, price)]

    def test_that_is_over_lets_an_order_meet_the_book_as_it_is_then(self, a_tick, an_order, trades):
        matching = under(latency_ns=2 * 10**9)
        matching.move(a_tick(100.0))
        matching.place(an_order())
        matching.move(a_tick(101.0, after_s=1))

        (trade,) = [each for each in matching.let_in(STARTED_NS + 2 * 10**9) if each.execution_type == "TRADE"]

        assert (trade.price, trade.occurred_ns) == (101.0, STARTED_NS + 2 * 10**9)
        assert matching.move(a_tick(102.0, after_s=3)) == []

    def test_that_is_over_lets_orders_in_whichever_symbols_have_none(self, a_tick, an_order):
        matching = under(latency_ns=2 * 10**9)
        for symbol in ("AAA", an_order().symbol, "ZZZ"):
            matching.move(a_tick(100.0, symbol=symbol))
        matching.place(an_order())
        matching.move(a_tick(101.0, after_s=1, symbol=an_order().symbol))
        reports = matching.let_in(STARTED_NS + 2 * 10**9)

        assert [each.price for each in reports if each.execution_type == "TRADE"] == [101.0]

    def test_that_is_over_before_any_tick_came_leaves_it_to_the_next_one(self, a_tick, an_order, trades):
        matching = under(latency_ns=2 * 10**9)
        matching.move(a_tick(100.0))
        matching.place(an_order())

        assert matching.let_in(STARTED_NS + 2 * 10**9) == []
        assert trades(matching.move(a_tick(102.0, after_s=3))) == [(10, 102.0)]

    @pytest.mark.parametrize(
        "case",
        [
            ("SELL", 101.0, 103.0, [(10, 101.0)]),
            ("BUY", 99.0, 97.0, [(10, 99.0)]),
            ("SELL", 101.0, 101.0, []),
            ("BUY", 100.0, 98.0, [(10, 100.0)]),
            ("BUY", 105.0, 98.0, [(10, 100.0)]),
            ("BUY", 105.0, 103.0, [(10, 103.0)]),
            ("BUY", 100.0, 101.0, []),
            ("SELL", 95.0, 103.0, [(10, 100.0)]),
        ],
        ids=[
            "a target", "a bid", "at the very limit", "a bid at the last price", "a bid above it",
            "a bid above it, and the price rises", "a bid that the price leaves", "an offer below the price",
        ],
    )  # fmt: skip
    def test_that_was_over_before_the_price_moved_gives_an_order_with_a_limit_no_better_price_than_it_found(
        self, a_tick, an_order, trades, case
    ):
        side, limit_price, next_price, expected = case
        matching = under(latency_ns=2 * 10**9)
        matching.move(a_tick(100.0))
        matching.place(an_order(side=side, limit_price=limit_price))
        assert matching.let_in(STARTED_NS + 2 * 10**9) == []

        assert trades(matching.move(a_tick(next_price, after_s=20))) == expected

    def test_that_was_over_before_a_book_moved_gives_a_resting_order_its_limit(self, a_tick, an_order, trades):
        matching = under(latency_ns=2 * 10**9)
        matching.move(a_tick(100.0, bids=[(99.95, 50)], asks=[(100.0, 50)]))
        matching.place(an_order(side="SELL", limit_price=101.0))
        matching.place(an_order("taker", side="SELL", limit_price=99.95, quantity=5))

        reports = matching.move(a_tick(102.0, bids=[(102.0, 4), (101.5, 50)], asks=[(102.05, 50)], after_s=20))

        assert [(each.client_order_id, each.price) for each in reports if each.execution_type == "TRADE"] == [
            (an_order().client_order_id, 101.0), (an_order().client_order_id, 101.0), ("taker", 99.95),
        ]  # fmt: skip

    def test_that_ends_with_the_very_tick_gives_an_order_the_price_of_that_tick(self, a_tick, an_order, trades):
        matching = under(latency_ns=2 * 10**9)
        matching.move(a_tick(100.0))
        matching.place(an_order(side="SELL", limit_price=101.0))

        assert trades(matching.move(a_tick(103.0, after_s=2))) == [(10, 103.0)]

    def test_that_was_over_before_an_opening_gives_an_order_the_opening_price(self, a_tick, an_order, trades):
        matching = under(latency_ns=2 * 10**9)
        matching.move(a_tick(100.0))
        matching.place(an_order(side="SELL", limit_price=101.0))

        assert trades(matching.move(a_tick(103.0, after_s=86_400))) == [(10, 103.0)]

    def test_that_was_over_before_the_price_moved_has_cancelled_what_is_immediate_and_found_nothing(
        self, a_tick, an_order
    ):
        matching = under(latency_ns=2 * 10**9)
        matching.move(a_tick(100.0))
        matching.place(an_order(side="SELL", limit_price=101.0, validity="IOC"))

        assert [each.execution_type for each in matching.move(a_tick(103.0, after_s=20))] == ["CANCELLED"]
        assert matching.resting == 0

    def test_that_is_not_over_lets_nothing_in(self, a_tick, an_order):
        matching = under(latency_ns=2 * 10**9)
        matching.move(a_tick(100.0))
        matching.place(an_order())
        matching.move(a_tick(101.0, after_s=1))

        assert matching.let_in(STARTED_NS + 2 * 10**9 - 1) == []

    @pytest.mark.parametrize(("price", "ends"), [(111.0, "stop"), (89.0, "target")])
    def test_that_ends_at_a_tick_for_two_linked_orders_lets_one_of_them_trade(self, a_tick, an_order, price, ends):
        matching = under(latency_ns=2 * 10**9)
        matching.move(a_tick(100.0))
        limit = an_order("target", side="SELL", limit_price=110.0)
        stop = an_order("stop", side="SELL", trigger_price=90.0, order_type="STOP_LOSS_MARKET")
        first, second = (limit, stop) if ends == "stop" else (stop, limit)
        matching.place(first)
        matching.place(second, linked_with=first.client_order_id)

        reports = matching.move(a_tick(price, after_s=2))

        done = [(each.client_order_id, each.execution_type) for each in reports if each.execution_type != "TRIGGERED"]
        assert [kind for _, kind in done] == ["TRADE", "CANCELLED"]
        assert done[1][0] == ends
        assert matching.resting == 0


class TestSlippage:
    @pytest.mark.parametrize(
        ("model", "bought", "sold"),
        [
            ({"slippage_ticks": 2}, 100.1, 99.9),
            ({"slippage_percent": 0.11}, 100.15, 99.85),
            ({"slippage_percent": 100.0}, 200.0, 0.05),
        ],
    )
    def test_makes_an_order_that_comes_trade_worse_rounded_against_it(self, a_tick, an_order, model, bought, sold):
        matching = under(**model)
        matching.move(a_tick(100.0))

        reports = matching.place(an_order()) + matching.place(an_order("b", side="SELL"))
        assert [report.price for report in reports if report.execution_type == "TRADE"] == [bought, sold]

    @pytest.mark.parametrize(("side", "limit_price"), [("BUY", 100.05), ("SELL", 99.95)])
    def test_never_goes_beyond_a_limit(self, a_tick, an_order, trades, side, limit_price):
        matching = under(slippage_ticks=5)
        matching.move(a_tick(100.0))

        assert trades(matching.place(an_order(side=side, limit_price=limit_price))) == [(10, limit_price)]

    def test_of_nothing_leaves_a_price_as_it_was_recorded(self, a_tick, an_order, trades):
        matching = under()
        matching.move(a_tick(100.02))

        assert trades(matching.place(an_order())) == [(10, 100.02)]

    def test_is_none_for_an_order_that_rested(self, a_tick, an_order, trades):
        matching = under(slippage_ticks=5)
        matching.move(a_tick(100.0))
        matching.place(an_order(limit_price=99.0))

        assert trades(matching.move(a_tick(98.0, after_s=1))) == [(10, 99.0)]


class TestAShareOfWhatIsShown:
    def test_is_all_that_an_order_may_have(self, a_tick, an_order, trades):
        matching = under(shown_share=0.25)
        matching.move(a_tick(100.0, bids=[], asks=[(100.0, 8), (100.1, 100)]))

        assert trades(matching.place(an_order())) == [(2, 100.0), (8, 100.1)]


class TestMarketPriceProtection:
    def test_makes_a_limit_order_of_a_market_order(self, a_tick, an_order, trades):
        matching = under(protection_percent=1.0)
        matching.move(a_tick(100.0, bids=[], asks=[(100.5, 4), (101.0, 3), (101.05, 50)]))

        assert trades(matching.place(an_order())) == [(4, 100.5), (3, 101.0)]
        assert matching.resting == 1

    def test_is_below_the_last_price_for_a_seller(self, a_tick, an_order, trades):
        matching = under(protection_percent=1.0)
        matching.move(a_tick(100.0, bids=[(99.5, 4), (99.0, 3), (98.95, 50)], asks=[]))

        assert trades(matching.place(an_order(side="SELL"))) == [(4, 99.5), (3, 99.0)]


prices = st.integers(1_980, 2_020).map(lambda ticks: round(ticks * 0.05, 2))
sizes = st.integers(1, 40)
models = st.builds(
    FillModel,
    queue_position=st.sampled_from(["last", "shown", "first"]),
    latency_ns=st.sampled_from([0, 10**9]),
    shown_share=st.sampled_from([0.1, 0.5, 1.0]),
    protection_percent=st.sampled_from([0.0, 0.5]),
)
steps = st.lists(
    st.tuples(st.just("tick"), prices, sizes, sizes, st.integers(0, 60))
    | st.tuples(st.just("order"), st.sampled_from(["BUY", "SELL"]), sizes, st.none() | prices),
    max_size=30,
)


@settings(deadline=None)
@given(model=models, day=steps)
def test_under_no_model_an_order_beats_its_limit_or_takes_more_than_was_there(a_tick, an_order, model, day):
    matching = Matching(tick_size_rupees=0.05, run=1, now_ns=STARTED_NS, model=model)
    volume, limits = 0, {}
    for number, (kind, *values) in enumerate(day):
        if kind == "tick":
            price, bid, ask, traded = values
            volume += traded
            tick = a_tick(price, bids=[(price - 0.05, bid)], asks=[(price, ask)], volume=volume, after_s=number)
            reports, there = matching.move(tick), bid + ask + traded
        else:
            side, quantity, limit_price = values
            limits[str(number)] = side, limit_price
            changes = {} if limit_price is None else {"limit_price": limit_price}
            reports, there = matching.place(an_order(str(number), side=side, quantity=quantity, **changes)), 80
        found = [report for report in reports if report.execution_type == "TRADE"]
        assert sum(report.quantity for report in found) <= there
        for report in found:
            side, limit_price = limits[report.client_order_id]
            if limit_price is not None:
                assert report.price <= limit_price if side == "BUY" else report.price >= limit_price
                if kind == "tick" and not model.latency_ns:
                    assert report.price == limit_price


@settings(deadline=None)
@given(model=models, day=steps)
def test_no_order_that_could_trade_is_out_of_reach(a_tick, an_order, model, day):
    market = Market(a_tick(100.0), since_ns=STARTED_NS, model=model)
    for number, (kind, *values) in enumerate(day):
        if kind == "order":
            side, quantity, limit_price = values
            changes = {} if limit_price is None else {"limit_price": limit_price}
            request = an_order(str(number), side=side, quantity=quantity, **changes)
            market.insert(Order(request, broker_order_id="", arrival=number))
        else:
            price, bid, ask, traded = values
            market.tick = a_tick(price, bids=[(price - 0.05, bid)], asks=[(price, ask)] if ask % 3 else None)
            market.liquidity, market.traded = None, traded
            reached = market.reached()
            for order in {*market.buys, *market.sells} - {*reached}:
                limit_price, side = order.limit_price, order.request.side
                assert not market.offer().against(side, limit_price=limit_price, rested=True, at_limit=UNLIMITED)

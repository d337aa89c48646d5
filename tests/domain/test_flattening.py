"""How positions are closed: step by step, never beyond what the account holds, never without a price."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.flattening import Limits, limit_beyond, next_moves
from natya.domain.time import SECOND_NS
from natya.messages.order_listing import OrderListed, StrategyHolding
from natya.messages.reconciliation import PositionMismatch

NOW_NS = 100 * SECOND_NS
LIMITS = Limits(quantity_max=100, value_max_rupees=50_000.0, price_age_max_s=3.0)


def holding(quantity, strategy="crossover", symbol="INFY"):
    return StrategyHolding(strategy=strategy, symbol=symbol, quantity=quantity)


def an_open_one(client_order_id="flat-1", side="SELL", limit=99.5, **fields):
    of = {"strategy": "crossover", "symbol": "INFY", "order_type": "LIMIT", "quantity": 10} | fields
    return OrderListed(
        client_order_id=client_order_id,
        side=side,
        state="ACCEPTED",
        is_open=True,
        limit_price=limit,
        **of,
    )


def differs(ours, theirs, **fields):
    found = {"symbol": "INFY", "is_ours": True, "since_ns": 0, "occurred_ns": 7 * SECOND_NS} | fields
    return PositionMismatch(ours=ours, theirs=theirs, **found)


def moves(held, opened=(), price=100.0, age_s=1.0, limits=LIMITS, **scope):
    prices = {} if price is None else {"INFY": (price, NOW_NS - round(age_s * SECOND_NS))}
    return next_moves(
        held,
        opened,
        prices,
        is_own=lambda each: each.startswith("flat-"),
        limits=limits,
        now_ns=NOW_NS,
        **{"strategy": "", "symbol": ""} | scope,
    )


class TestTheStopOfAHolding:
    @pytest.mark.parametrize(
        ("of", "price", "is_cancelled"),
        [
            ({}, None, False),
            ({}, 100.0, True),
            ({"side": "BUY"}, None, True),
            ({"order_type": "LIMIT"}, None, True),
            ({"symbol": "TCS"}, None, True),
        ],
        ids=["no price", "it can be closed", "one that opens", "a target", "of nothing held"],
    )
    def test_stays_as_long_as_nothing_can_close_that(self, of, price, is_cancelled):
        stop = an_open_one("A-1S", **{"order_type": "STOP_LIMIT"} | of)

        assert moves([holding(10)], [stop], price=price).cancel == (("A-1S",) if is_cancelled else ())

    @pytest.mark.parametrize(
        ("held", "stops", "differing", "cancelled"),
        [
            ([10], [10], [], []),
            ([10], [4, 6], [], []),
            ([10], [11], [], [0]),
            ([10], [10, 10], [], [1]),
            ([10], [6, 5, 4], [], [1]),
            ([10, -4], [6], [], []),
            ([10, -4], [7], [], [0]),
            ([10], [10], [differs(10, 9)], [0]),
            ([10], [9], [differs(10, 9)], []),
            ([10], [10], [differs(10, 11)], []),
        ],
    )
    def test_stays_for_no_more_than_is_held(self, held, stops, differing, cancelled):
        """Beyond that it would open a position while nobody looks, as in a halt."""
        opened = [
            an_open_one(f"A-{at}S", order_type="STOP", limit=None, quantity=quantity)
            for at, quantity in enumerate(stops)
        ]
        holdings = [holding(quantity, of) for quantity, of in zip(held, ("crossover", "other"), strict=False)]
        found = moves(holdings, opened, price=None, differing=differing)
        assert found.cancel == tuple(f"A-{at}S" for at in cancelled)

    def test_that_has_traded_in_part_stays_for_the_rest(self):
        stop = an_open_one("A-1S", order_type="STOP", limit=None, filled=4)

        assert moves([holding(6)], [stop], price=None).cancel == ()
        assert moves([holding(5)], [stop], price=None).cancel == ("A-1S",)


class TestAHolding:
    def test_is_closed_by_a_limit_a_little_beyond_the_price(self):
        (sold,) = moves([holding(10)]).place
        (bought,) = moves([holding(-10)]).place

        assert (sold.side, sold.quantity, sold.limit_price) == ("SELL", 10, 99.5)
        assert (bought.side, bought.quantity, bought.limit_price) == ("BUY", 10, 100.5)

    @pytest.mark.parametrize(
        ("band", "limits"),
        [((99.8, 100.2), (99.8, 100.2)), ((90.0, 110.0), (99.5, 100.5)), ((101.0, 102.0), (99.5, 100.5))],
    )
    def test_is_closed_at_a_limit_that_the_exchange_takes(self, band, limits):
        """Not by a band that the market has left: it is known no more."""
        closed = [moves([holding(each)], bands={"INFY": band}).place[0].limit_price for each in (10, -10)]

        assert tuple(closed) == limits

    def test_is_closed_at_the_end_of_the_band_where_the_price_is(self):
        at_ends = {"lowest": (100.0, 120.0), "highest": (80.0, 100.0)}
        closed = {
            end: [moves([holding(each)], bands={"INFY": band}).place[0].limit_price for each in (10, -10)]
            for end, band in at_ends.items()
        }

        assert closed == {"lowest": [100.0, 100.5], "highest": [99.5, 100.0]}

    def test_whose_order_was_refused_is_closed_at_the_last_price_itself(self):
        refused = {("crossover", "INFY")}

        assert [moves([holding(each)], refused=refused).place[0].limit_price for each in (10, -10)] == [100.0, 100.0]
        assert moves([holding(10, strategy="other")], refused=refused).place[0].limit_price < 100.0

    def test_is_closed_in_parts_where_an_order_may_not_be_so_large(self):
        small = Limits(quantity_max=3, value_max_rupees=50_000.0, price_age_max_s=3.0)
        cheap = Limits(quantity_max=100, value_max_rupees=450.0, price_age_max_s=3.0)

        assert [moves([holding(10)], limits=each).place[0].quantity for each in (small, cheap)] == [3, 4]

    def test_is_closed_in_parts_where_it_is_held_in_several_products(self):
        held = StrategyHolding(strategy="crossover", symbol="INFY", quantity=10, closable_at_once=6)

        assert [each.quantity for each in moves([held]).place] == [6]
        assert not moves([held]).is_done

    def test_waits_while_its_order_is_open_and_follows_the_market_when_that_left_it_behind(self):
        order = an_open_one(limit=99.5)

        assert moves([holding(10)], [order], price=99.5) == moves([holding(10)], [order], price=101.0)
        assert not moves([holding(10)], [order]).place
        assert moves([holding(10)], [order], price=99.4).cancel == ("flat-1",)
        bought = an_open_one(side="BUY", limit=100.5)
        assert moves([holding(-10)], [bought], price=100.5).cancel == ()
        assert moves([holding(-10)], [bought], price=100.6).cancel == ("flat-1",)
        assert moves([holding(10)], [an_open_one(limit=None, order_type="MARKET")], price=1.0).cancel == ()
        assert moves([holding(-10)], [an_open_one(side="BUY", limit=100.5)], price=100.6).cancel == ("flat-1",)

    def test_waits_for_the_rest_of_its_order_that_has_traded_in_part(self):
        assert moves([holding(6)], [an_open_one(filled=4)]).cancel == ()
        assert moves([holding(5)], [an_open_one(filled=4)]).cancel == ("flat-1",)

    def test_waits_where_there_is_no_price_or_an_old_one_or_a_share_is_worth_too_much(self):
        poor = Limits(quantity_max=100, value_max_rupees=99.0, price_age_max_s=3.0)
        rich = Limits(quantity_max=100, value_max_rupees=1_234_567.5, price_age_max_s=3.0)

        assert "a price wanted, found none" in moves([holding(10)], price=None).waiting[0]
        assert "found 3.100 s" in moves([holding(10)], age_s=3.1).waiting[0]
        assert moves([holding(10)], limits=poor).waiting == (
            "INFY: one share of at most 99.00 rupees wanted, found 100.00",
        )
        assert moves([holding(-10)], price=1_234_500.0, limits=rich).waiting == (
            "INFY: one share of at most 1234567.50 rupees wanted, found 1240675.00",
        )  # by its limit
        assert "a price wanted, found none" in moves([holding(10)], price=0.0).waiting[0]
        assert not moves([holding(10)], price=None).is_done

    def test_is_closed_at_a_price_of_the_greatest_age_and_of_any_where_none_is_too_old(self):
        timeless = Limits(quantity_max=100, value_max_rupees=50_000.0, price_age_max_s=0.0)

        assert moves([holding(10)], age_s=3.0).place
        assert moves([holding(10)], age_s=9_999.0, limits=timeless).place

    def test_is_closed_by_as_many_shares_as_its_limit_or_its_price_lets_pass_whichever_is_greater(self):
        for value, sold, bought in ((402.0, 4, 4), (401.9, 4, 3), (400.0, 4, 3), (399.9, 3, 3)):
            limits = Limits(quantity_max=100, value_max_rupees=value, price_age_max_s=3.0)
            assert [moves([holding(each)], limits=limits).place[0].quantity for each in (10, -10)] == [sold, bought]
        (one,) = moves([holding(1)], limits=Limits(quantity_max=1, value_max_rupees=100.0, price_age_max_s=3.0)).place
        assert (one.quantity, one.last_price, one.priced_ns) == (1, 100.0, NOW_NS - SECOND_NS)

    def test_is_closed_by_orders_of_which_the_exchange_takes_each(self):
        for freeze, sold in (({"INFY": 6}, 6), ({"INFY": 1_000}, 100), ({"TCS": 6}, 100)):
            assert moves([holding(500)], freeze_quantities=freeze).place[0].quantity == sold

    def test_has_other_orders_cancelled_first(self):
        found = moves([holding(10)], [an_open_one("A-1"), an_open_one("B-1", strategy="other", symbol="TCS")])

        assert found.cancel == ("A-1", "B-1")
        assert len(found.place) == 1

    @pytest.mark.parametrize("strategy", ["", "crossover"])
    @pytest.mark.parametrize("symbol", ["", "INFY"])
    def test_that_is_named_has_its_own_orders_cancelled_and_waits_for_its_own_closing(self, strategy, symbol):
        scope = {"strategy": strategy, "symbol": symbol}
        found = moves([holding(10)], [an_open_one("A-1"), an_open_one("flat-1")], **scope)

        assert (found.cancel, found.place, found.is_done) == (("A-1",), (), False)

    @pytest.mark.parametrize(
        ("others", "more"),
        [
            ([holding(0, symbol="TCS")], {}),
            ([holding(5, symbol="TCS")], {"symbol": "INFY"}),
            ([holding(5, "a", "TCS"), holding(-5, "b", "TCS")], {}),
            ([holding(10, symbol="TCS")], {"opened": [an_open_one(symbol="TCS")]}),
            ([holding(5, symbol="TCS")], {"differing": [differs(5, 0, symbol="TCS")]}),
            ([holding(5, symbol="TCS")], {}),
        ],
        ids=["none", "not asked for", "one against another", "closing already", "the broker has none", "no price"],
    )
    def test_is_closed_whatever_there_is_before_it_that_cannot_be(self, others, more):
        assert [(each.symbol, each.quantity) for each in moves([*others, holding(10)], **more).place] == [("INFY", 10)]

    def test_against_another_is_not_closed_beyond_what_the_account_holds(self):
        assert moves([holding(10), holding(-10, "other")]) == moves([])
        assert moves([]).is_done
        (closing,) = moves([holding(10), holding(-4, "other")]).place
        assert (closing.strategy, closing.quantity) == ("crossover", 6)

    @pytest.mark.parametrize(
        ("theirs", "at_once", "closed", "left"),
        [(-10, None, [], 10), (0, None, [], 10), (4, None, [4], 6), (10, 0, [], 10), (10, 3, [3], 7)],
    )
    def test_that_the_broker_has_otherwise_is_closed_by_both_books_and_what_is_left_is_told(
        self, theirs, at_once, closed, left
    ):
        held = StrategyHolding(strategy="crossover", symbol="INFY", quantity=10, closable_at_once=at_once)
        found = moves([held], differing=[differs(10, theirs)])

        assert [each.quantity for each in found.place] == closed
        why = f"10 held here, {theirs} at the broker, compared 1970-01-01 05:30:07 IST"
        assert found.waiting == (f"INFY: {left} of crossover are left: {why}",)
        assert not found.is_done

    @pytest.mark.parametrize("held", [[], [holding(10), holding(-10, "other")]])
    @pytest.mark.parametrize("scope", [{}, {"symbol": "INFY"}])
    def test_that_the_broker_alone_has_is_not_closed_and_nothing_is_done_while_it_has_it(self, held, scope):
        found = moves(held, differing=[differs(0, 5)], **scope)

        why = "0 held here, 5 at the broker, compared 1970-01-01 05:30:07 IST"
        assert found.waiting == (f"INFY: what the broker has is left, since nobody here holds it: {why}",)
        assert (found.place, found.is_done) == ((), False)

    @pytest.mark.parametrize(
        ("fields", "scope"),
        [({"is_ours": False}, {}), ({"product": "CNC"}, {}), ({}, {"symbol": "TCS"}), ({}, {"strategy": "crossover"})],
    )
    def test_that_nobody_here_traded_or_asked_for_is_not_waited_for(self, fields, scope):
        assert moves([], differing=[differs(0, 5, **fields)], **scope).is_done

    def test_of_which_the_broker_has_more_leaves_nothing(self):
        found = moves([holding(10)], differing=[differs(10, 11)])

        assert ([each.quantity for each in found.place], found.waiting) == ([10], ())

    def test_of_nothing_is_done_when_no_order_is_open_and_the_broker_has_none(self):
        assert moves([], differing=[differs(5, 0)]) == moves([], differing=[]) == moves([holding(0)])
        waits = moves([], [an_open_one("A-1")])
        assert (waits.cancel, waits.is_done) == (("A-1",), False)
        assert not moves([], [an_open_one("flat-1")]).is_done

    @pytest.mark.parametrize(
        "scope", [{"symbol": "TCS"}, {"strategy": "other"}, {"symbol": "TCS", "strategy": "other"}]
    )
    def test_that_is_not_asked_for_is_nothing(self, scope):
        assert moves([holding(10)], [an_open_one("A-1")], price=None, **scope) == moves([])

    def test_has_its_order_cancelled_that_would_close_more_than_the_broker_has(self):
        order = an_open_one(limit=99.5)

        assert moves([holding(10)], [order], differing=[differs(10, 9)]).cancel == ("flat-1",)
        assert moves([holding(10)], [order], differing=[differs(10, 11)]).cancel == ()

    @pytest.mark.parametrize(
        "held",
        [[], [holding(0)], [holding(-10)], [holding(10), holding(-10, "other")], [holding(10, symbol="TCS")]],
        ids=["gone", "flat", "turned round", "held against", "of another symbol"],
    )
    def test_that_others_have_closed_meanwhile_has_the_order_cancelled_that_was_to_close_it(self, held):
        """A sale that a bracket or a person was faster than would open a position."""
        found = moves(held, [an_open_one("flat-1"), an_open_one("A-1")])

        assert (found.cancel, found.is_done) == (("A-1", "flat-1"), False)

    def test_has_one_order_that_closes_it_and_no_second_one(self):
        assert moves([holding(10)], [an_open_one("flat-1"), an_open_one("flat-2")]).cancel == ("flat-1",)

    def test_of_another_strategy_or_symbol_is_left_alone(self):
        held = [holding(10), holding(5, "other"), holding(5, symbol="TCS")]
        others = [an_open_one("A-1", strategy="other"), an_open_one("A-2", symbol="TCS")]
        found = moves(held, others, strategy="crossover", symbol="INFY")

        assert [(each.strategy, each.symbol) for each in found.place] == [("crossover", "INFY")]
        assert found.cancel == ()
        assert moves([], others, strategy="crossover", symbol="INFY").is_done

    def test_is_closed_at_a_price_below_a_rupee(self):
        (sold,) = moves([holding(10)], price=0.5).place

        assert (sold.quantity, sold.limit_price, sold.last_price) == (10, 0.45, 0.5)


@pytest.mark.parametrize(
    ("price", "sold", "bought"),
    [
        (0.05, 0.05, 0.1),
        (100.0, 99.5, 100.5),
        (101.0, 100.45, 101.55),
        (999.95, 994.95, 1004.95),
        (1_000.0, 995.0, 1_005.0),
        (1_001.0, 995.0, 1_007.0),
        (19_999.0, 19_899.0, 20_099.0),
        (20_000.0, 19_900.0, 20_100.0),
        (20_001.0, 19_900.0, 20_105.0),
    ],
)
def test_a_limit_is_the_first_step_half_a_percent_beyond_the_price(price, sold, bought):
    assert (limit_beyond(price, "SELL"), limit_beyond(price, "BUY")) == (sold, bought)


@given(price=st.floats(1.0, 99_999.0).map(lambda price: round(price, 2)), side=st.sampled_from(["BUY", "SELL"]))
def test_a_limit_is_beyond_the_price_and_a_whole_tick_of_every_instrument(price, side):
    limit = limit_beyond(price, side)
    paise = round(limit * 100)

    assert paise % (5 if price < 1_000 else 100 if price < 20_000 else 500) == 0
    assert limit >= price if side == "BUY" else limit <= price or limit == 0.05
    assert abs(limit - price) <= 0.005 * price + (0.05 if price < 1_000 else 1 if price < 20_000 else 5)


@given(
    quantities=st.lists(st.integers(-30, 30), max_size=4),
    price=st.floats(50.0, 150.0),
    more=st.integers(-40, 40),
    sides=st.lists(st.sampled_from([None, "BUY", "SELL"]), max_size=6),
)
def test_all_that_is_placed_or_stays_makes_the_account_smaller_by_both_books_and_never_turns_it(
    quantities, price, more, sides
):
    held = [holding(quantity, f"s{at}") for at, quantity in enumerate(quantities)]
    opened = [an_open_one(f"flat-{at}", side, strategy=f"s{at}") for at, side in enumerate(sides) if side is not None]
    net = sum(quantities)
    found = moves(held, opened, price=price, differing=[differs(net, net + more)] if more else [])
    staying = [each for each in opened if each.client_order_id not in found.cancel]
    change = sum(each.quantity if each.side == "BUY" else -each.quantity for each in (*found.place, *staying))

    for each in (net, net + more):
        assert abs(each + change) <= abs(each)
        assert (each + change) * each >= 0

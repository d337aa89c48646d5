"""The rules of real money: each at its limit, just below and just beyond, and what it says."""

import functools
import math

import pytest
from msgspec.structs import replace

from natya.actors.orders.book import Book
from natya.actors.orders.rules import RULES, Band, Bands, Funds, Situation, figures_of, judge, tripped
from natya.actors.orders.rules.margin import margin_use_max_percent
from natya.actors.orders.rules.price import exits, terms
from natya.domain.time import DAY_NS, SECOND_NS
from natya.messages.broker import ClockCompared
from natya.messages.orders import OrderIntended

OPENING_NS = 1_791_171_900 * SECOND_NS
"""09:15 in India on Monday, 5 October 2026."""

NOON_NS = OPENING_NS + 9_900 * SECOND_NS
CLOSE_NS = OPENING_NS + 22_500 * SECOND_NS
LIMITED_IN_A_TIME = [
    *("orders_a_second_max", "orders_a_minute_max", "orders_an_hour_max", "orders_a_day_max"),
    "strategy_orders_a_day_max",
]
PRICES = {"INFY": (100.0, NOON_NS), "TCS": (200.0, NOON_NS), "NIFTY-29Dec2026-26000-CE": (2.0, NOON_NS)}


@pytest.fixture
def situation(make):
    def build(*facts, now_ns=NOON_NS, market=PRICES, intents=(), **limits):
        book = Book()
        for fact in facts:
            book.apply(fact)
        given = {
            "position_max": 100_000,
            "value_max_rupees": 1e9,
            "quantity_max": 10_000,
            "orders_in_flight_max": 9_999,
        }
        named = {each.client_order_id: each for each in intents}
        limits = make.limits(**given | limits)
        return Situation(risk_state="NORMAL", limits=limits, book=book, intents=named, now_ns=now_ns, market=market)

    return build


@pytest.fixture
def sent(make):
    """Orders that passed the gate, so many, at a time; each of another quantity."""

    def build(count, time_ns=NOON_NS, **fields):
        return [
            make.intent(f"S-{number}", **{"quantity": number + 1, "occurred_ns": time_ns, **fields})
            for number in range(count)
        ]

    return build


@pytest.fixture
def bought(make):
    def build(quantity, price=100.0, *, symbol="INFY", name="H-1", time_ns=NOON_NS):
        fill = make.filled(name, quantity=quantity, price=price, symbol=symbol)
        intent = make.intent(name, quantity=quantity, symbol=symbol, occurred_ns=time_ns)
        return intent, replace(fill, occurred_ns=time_ns)

    return build


def rule_of(order, situation):
    refusal = judge(order, situation)
    return refusal.rule if refusal else None


class TestTheAgeOfAnOrder:
    @pytest.mark.parametrize(
        ("age_ns", "rule"),
        [
            (1, None),
            (2 * SECOND_NS, None),
            (2 * SECOND_NS + 1, "order_age_max_s"),
            (-3 * SECOND_NS, None),
            (-3 * SECOND_NS - 1, "order_age_max_s"),
        ],
    )
    def test_is_limited(self, make, situation, age_ns, rule):
        order = make.order(submitted_ns=NOON_NS - age_ns)

        assert rule_of(order, situation(order_age_max_s=2.0)) == rule
        assert rule_of(order, situation()) is None


class TestTheSession:
    @pytest.mark.parametrize(
        ("time_ns", "rule"),
        [
            (OPENING_NS - 1, "session"),
            (OPENING_NS, None),
            (CLOSE_NS - 600 * SECOND_NS - 1, None),
            (CLOSE_NS - 600 * SECOND_NS, "session"),
            (CLOSE_NS, "session"),
            (NOON_NS - 2 * DAY_NS, "session"),
        ],
    )
    def test_has_to_be_open_and_its_last_minutes_are_for_closing(self, make, situation, time_ns, rule):
        late = situation(now_ns=time_ns, session="NSE", no_opens_last_s=600.0, market={"IDBI": (100.0, time_ns)})

        assert rule_of(make.order(symbol="IDBI"), late) == rule

    @pytest.mark.parametrize(
        ("clock_s", "order", "rule"),
        [
            *((-1, {}, None), (0, {}, "session"), (299, {}, "session"), (300, {}, None), (599, {}, None)),
            *((600, {}, "session"), (600, {"limit_price": 100.0}, None), (780, {"limit_price": 100.0}, "session")),
            *((300, {"order_type": "STOP", "trigger_price": 101.0}, "session"), (300, {"validity": "IOC"}, "session")),
            (1_200, {"limit_price": 100.0}, "session"),
        ],
    )
    def test_of_shares_with_derivatives_ends_at_1515_and_takes_orders_for_the_auction(
        self, make, situation, clock_s, order, rule
    ):
        now_ns = CLOSE_NS + (clock_s - 900) * SECOND_NS
        order = {"order_type": "LIMIT" if "limit_price" in order else "MARKET"} | order
        # No price has come since 15:15, so none is too old.
        late = situation(
            now_ns=now_ns,
            session="NSE",
            price_age_max_s=3.0,
            market={"INFY": (100.0, min(now_ns, CLOSE_NS - 902 * SECOND_NS))},
        )

        assert rule_of(make.order(**order), late) == rule

    @pytest.mark.parametrize(
        ("symbol", "rule"),
        [
            ("IDBI", "session"),
            ("BSE:IDBI", "session"),
            ("NIFTY-29Dec2026-26000-CE", None),
            ("NIFTY-29Dec2026-FUT", None),
            ("USDINR-29Dec2026-FUT", None),
            ("MCX:CRUDEOIL-19Oct2026-FUT", None),
        ],
    )
    def test_is_that_of_the_market_of_its_symbol(self, make, situation, symbol, rule):
        prices = PRICES | {symbol: (26_000.0, CLOSE_NS)}
        late = situation(now_ns=CLOSE_NS, market=prices, session="NSE")

        assert rule_of(make.order(symbol=symbol, quantity=1), late) == rule

    @pytest.mark.parametrize(
        ("minutes", "rule"),
        [(15, None), (44, None), (45, "session"), (134, "session"), (135, None), (184, None), (185, "session")],
    )
    def test_of_two_parts_has_its_last_minutes_at_the_end_of_the_second(self, make, situation, minutes, rule):
        """On 2 March 2024 from 9:15 to 10:00 and from 11:30 to 12:30."""
        now_ns = (1_709_351_100 + minutes * 60) * SECOND_NS
        parted = situation(now_ns=now_ns, session="NSE", no_opens_last_s=600.0, market={"IDBI": (100.0, now_ns)})

        assert rule_of(make.order(symbol="IDBI"), parted) == rule

    @pytest.mark.parametrize("at_s", [-86_400, -1, 22_500 + 600])
    def test_that_is_over_or_to_come_is_told_so_also_of_shares_with_an_auction(self, make, situation, at_s):
        now_ns = OPENING_NS + at_s * SECOND_NS
        closed = situation(now_ns=now_ns, session="NSE", market={"INFY": (100.0, now_ns)})

        assert judge(make.order(), closed).reason == "a session of NSE wanted, found it closed"

    def test_lets_an_order_close_in_its_last_minutes(self, make, situation, bought):
        late = situation(*bought(10), now_ns=CLOSE_NS - 900 * SECOND_NS - 1, session="NSE", no_opens_last_s=600.0)

        assert rule_of(make.order(side="SELL", quantity=10), late) is None
        assert rule_of(make.order(side="SELL", quantity=11), late) == "session"


class TestThePriceBand:
    """90 to 110 rupees, told a minute ago."""

    @pytest.fixture
    def banded(self, situation):
        def build(*facts, age_s=60.0, problem="", of="INFY", **limits):
            band = Band(low=90.0, high=110.0, as_of_ns=NOON_NS - round(age_s * SECOND_NS))
            built = situation(*facts, price_band_age_max_s=60.0, **limits)
            return replace(built, bands=Bands(of={of: band}, problem=problem))

        return build

    @pytest.mark.parametrize(("price", "passes"), [(90.0, True), (89.95, False), (110.0, True), (110.05, False)])
    def test_is_for_every_price_of_an_order(self, make, banded, price, passes):
        exits = ("target_price", "stop_loss_price") if price > 100 else ("stop_loss_price", "target_price")
        through = "BUY" if price > 100 else "SELL"
        orders = [
            make.order(order_type="LIMIT", limit_price=price),
            make.order(order_type="STOP", trigger_price=price),
            make.order(side=through, order_type="STOP_LIMIT", trigger_price=100.0, limit_price=price),
            *(make.order(side=side, **{leg: price}) for side, leg in zip(("BUY", "SELL"), exits, strict=True)),
        ]

        assert {rule_of(order, banded()) for order in orders} == {None if passes else "price_band_age_max_s"}

    def test_is_told_with_the_price_that_is_outside(self, make, banded):
        refusal = judge(make.order(order_type="LIMIT", limit_price=120.0), banded())

        assert refusal.reason == (
            "prices from 90.00 to 110.00 rupees, the exchange's band of the day, wanted, found 120.00"
        )

    @pytest.mark.parametrize(
        ("fields", "found"),
        [
            ({"age_s": 60.5}, "found one of 60 s ago"),
            ({"of": "TCS"}, "found none"),
            ({"of": "TCS", "problem": "DH-902: no data plan"}, "found none: DH-902: no data plan"),
            ({"market": {"INFY": (110.05, NOON_NS)}}, "found 90.00 to 110.00, which the market has left at 110.05"),
        ],
    )
    def test_that_is_not_known_lets_nothing_open_and_all_close(self, make, banded, bought, fields, found):
        order = make.order(order_type="LIMIT", limit_price=120.0)
        wanted = "the exchange's price band of 'INFY', told in the last 60 s, wanted"

        assert judge(order, banded(**fields)).reason == f"{wanted}, {found}"
        closing = replace(order, side="SELL")
        assert rule_of(closing, banded(*bought(10), **fields)) is None

    @pytest.mark.parametrize(
        ("market", "is_kept"), [(100.0, True), (90.0, True), (110.0, True), (89.95, False), (110.05, False)]
    )
    def test_is_kept_by_an_order_that_closes_too_unless_the_market_has_left_it(
        self, make, banded, bought, market, is_kept
    ):
        order = make.order(side="SELL", order_type="LIMIT", limit_price=120.0)
        held = banded(*bought(10), market={"INFY": (market, NOON_NS)})

        assert rule_of(order, held) == ("price_band_age_max_s" if is_kept else None)

    @pytest.mark.parametrize("market", [None, {}], ids=["not heard", "no price"])
    def test_is_kept_by_an_order_that_closes_where_nobody_knows_whether_the_market_has_left_it(
        self, make, banded, bought, market
    ):
        order = make.order(side="SELL", order_type="LIMIT", limit_price=120.0, reference_price=0.0)

        assert judge(order, banded(*bought(10), market=market)).reason == (
            "prices from 90.00 to 110.00 rupees, the exchange's band of the day, wanted, found 120.00"
        )

    def test_of_the_greatest_age_counts_and_an_order_without_a_price_needs_no_other(self, make, banded):
        assert rule_of(make.order(), banded(age_s=60.0)) is None
        assert rule_of(make.order(), banded(age_s=61.0)) == "price_band_age_max_s"

    def test_is_told_to_people_with_the_oldest_and_what_is_missing(self, banded):
        (figure,) = (each for each in figures_of(banded()) if each.limit_name == "price_band_age_max_s")

        assert (figure.limit, figure.found) == (60.0, 60.0)
        assert figure.formed == (
            "seconds since the broker told that of INFY, the oldest of 1; it told none of NIFTY-29Dec2026-26000-CE, TCS"
        )
        nothing = replace(banded(), bands=Bands(problem="breaker open"))
        (figure,) = (each for each in figures_of(nothing) if each.limit_name == "price_band_age_max_s")
        assert (figure.found, figure.formed) == (None, "the broker has told no price band: breaker open")


class TestTheCollar:
    @pytest.mark.parametrize(
        ("side", "limit_price", "rule"),
        [
            ("BUY", 101.95, None),
            ("BUY", 102.0, None),
            ("BUY", 102.05, "price_collar_percent"),
            ("BUY", 50.0, None),
            ("SELL", 98.05, None),
            ("SELL", 98.0, None),
            ("SELL", 97.95, "price_collar_percent"),
            ("SELL", 150.0, None),
        ],
    )
    def test_is_round_the_price_of_the_market_and_not_of_the_strategy(self, make, situation, side, limit_price, rule):
        order = make.order(side=side, order_type="LIMIT", limit_price=limit_price, reference_price=limit_price)

        assert rule_of(order, situation(price_collar_percent=2.0)) == rule

    @pytest.mark.parametrize(
        "fields",
        [
            {"order_type": "LIMIT", "limit_price": 80.0, "target_price": 81.0},
            {"order_type": "STOP", "trigger_price": 120.0, "target_price": 300.0},
        ],
        ids=lambda fields: fields["order_type"],
    )
    def test_is_not_for_a_target(self, make, situation, fields):
        assert rule_of(make.order(**fields), situation(price_collar_percent=2.0)) is None

    @pytest.mark.parametrize(("limit_price", "rule"), [(100.5, None), (100.55, "price_collar_percent")])
    def test_may_be_less_than_a_percent(self, make, situation, limit_price, rule):
        order = make.order(order_type="LIMIT", limit_price=limit_price)

        assert rule_of(order, situation(price_collar_percent=0.5)) == rule

    @pytest.mark.parametrize(("limit_price", "rule"), [(112.2, None), (112.25, "price_collar_percent")])
    def test_of_a_stop_is_round_its_trigger(self, make, situation, limit_price, rule):
        order = make.order(order_type="STOP_LIMIT", limit_price=limit_price, trigger_price=110.0)

        assert rule_of(order, situation(price_collar_percent=2.0)) == rule

    @pytest.mark.parametrize(("limit_price", "rule"), [(2.25, None), (2.3, "price_collar_percent")])
    def test_of_a_cheap_option_is_five_ticks(self, make, situation, limit_price, rule):
        order = make.order(symbol="NIFTY-29Dec2026-26000-CE", order_type="LIMIT", limit_price=limit_price)

        assert rule_of(order, situation(option_collar_percent=10.0)) == rule
        assert rule_of(order, situation(price_collar_percent=2.0)) is None

    @pytest.mark.parametrize("fields", [{}, {"order_type": "LIMIT", "limit_price": 100.0}], ids=["market", "limit"])
    def test_refuses_where_the_market_has_no_price_whatever_the_strategy_says(self, make, situation, fields):
        order = make.order(symbol="WIPRO", **fields)

        assert rule_of(order, situation(price_collar_percent=2.0)) == "price_collar_percent"

    def test_says_rule_limit_and_value(self, make, situation):
        refusal = judge(make.order(order_type="LIMIT", limit_price=103.0), situation(price_collar_percent=2.0))

        assert refusal.reason == "a limit at most 2 % through the market's 100.00 rupees wanted, found 103.00, 3.00 %"


class TestTheExitsOfABracket:
    """The market is at 100."""

    @pytest.mark.parametrize(
        ("side", "fields", "rule"),
        [
            ("BUY", {"target_price": 100.05, "stop_loss_price": 99.95}, None),
            ("BUY", {"target_price": 100.0}, "exits"),
            ("BUY", {"target_price": 99.0, "stop_loss_price": 90.0}, "exits"),
            ("BUY", {"stop_loss_price": 100.0}, "exits"),
            ("BUY", {"target_price": 120.0, "stop_loss_price": 101.0}, "exits"),
            ("SELL", {"target_price": 99.95, "stop_loss_price": 100.05}, None),
            ("SELL", {"target_price": 100.0}, "exits"),
            ("SELL", {"stop_loss_price": 99.0, "target_price": 90.0}, "exits"),
            ("BUY", {"limit_price": 95.0, "target_price": 98.0}, None),
            ("BUY", {"limit_price": 105.0, "target_price": 106.0, "stop_loss_price": 101.0}, "exits"),
            ("SELL", {"limit_price": 105.0, "stop_loss_price": 106.0, "target_price": 104.0}, None),
            ("SELL", {"limit_price": 95.0, "target_price": 94.0, "stop_loss_price": 99.0}, "exits"),
            ("BUY", {"trigger_price": 105.0, "target_price": 110.0, "stop_loss_price": 104.0}, None),
            ("BUY", {"trigger_price": 95.0, "target_price": 99.0, "stop_loss_price": 90.0}, "exits"),
            ("SELL", {"trigger_price": 95.0, "target_price": 90.0, "stop_loss_price": 96.0}, None),
            ("SELL", {"trigger_price": 105.0, "stop_loss_price": 110.0, "target_price": 101.0}, "exits"),
            ("BUY", {"trigger_price": 90.0, "limit_price": 95.0, "target_price": 98.0, "stop_loss_price": 85.0}, None),
        ],
    )
    def test_are_beyond_the_market_where_the_entry_trades_at_once(self, make, situation, side, fields, rule):
        kind = {(0, 0): "MARKET", (1, 0): "LIMIT", (0, 1): "STOP", (1, 1): "STOP_LIMIT"}
        order = make.order(side=side, order_type=kind["limit_price" in fields, "trigger_price" in fields], **fields)

        assert rule_of(order, situation()) == rule

    @pytest.mark.parametrize(
        ("market", "prices", "is_refused"),
        [(1.0, (1.0, 2.0), True), (1.0, (0.9, 1.1), False), (0.05, (0.05, 2.0), True), (0.0, (1.0, 2.0), False)],
    )
    def test_are_judged_by_the_price_of_any_market(self, make, situation, market, prices, is_refused):
        order = make.order(side="SELL", target_price=prices[0], stop_loss_price=prices[1])

        assert bool(exits(order, situation(market={"INFY": (market, NOON_NS)}))) is is_refused

    def test_are_told_with_the_price_that_was_wanted_and_found(self, make, situation):
        order = make.order(side="SELL", target_price=101.0)

        wanted = "a target below the market's 100.00 rupees for a SELL wanted, found 101.00"
        assert judge(order, situation()).reason == wanted

    @pytest.mark.parametrize(("seen", "is_refused"), [(100.0, True), (90.0, False), (0.0, False)])
    def test_are_judged_by_what_the_strategy_saw_where_no_prices_are_heard(self, make, situation, seen, is_refused):
        order = make.order(target_price=99.0, reference_price=seen)

        assert bool(exits(order, situation(market=None))) is is_refused

    def test_cannot_be_judged_without_a_price(self, make, situation):
        assert not exits(make.order(symbol="WIPRO", target_price=99.0), situation())


class TestAStopBesideATarget:
    """Is what the entry waits for. The market is at 100."""

    @pytest.mark.parametrize(
        ("side", "fields", "rule"),
        [
            ("BUY", {"trigger_price": 99.95, "target_price": 105.0}, "terms"),
            ("BUY", {"trigger_price": 90.0, "limit_price": 95.0, "target_price": 105.0}, "terms"),
            ("BUY", {"trigger_price": 100.0, "target_price": 105.0}, None),
            ("BUY", {"trigger_price": 99.95, "target_price": 105.0, "stop_loss_price": 95.0}, None),
            ("BUY", {"trigger_price": 99.95, "stop_loss_price": 95.0}, None),
            ("BUY", {"trigger_price": 99.95}, None),
            ("SELL", {"trigger_price": 100.05, "target_price": 95.0}, "terms"),
            ("SELL", {"trigger_price": 110.0, "limit_price": 105.0, "target_price": 95.0}, "terms"),
            ("SELL", {"trigger_price": 100.0, "target_price": 95.0}, None),
            ("SELL", {"trigger_price": 100.05}, None),
        ],
    )
    def test_that_the_market_has_passed_was_meant_as_a_stop_loss(self, make, situation, side, fields, rule):
        order = make.order(side=side, order_type="STOP_LIMIT" if "limit_price" in fields else "STOP", **fields)

        assert rule_of(order, situation()) == rule

    @pytest.mark.parametrize(("side", "stop", "where"), [("BUY", 95.0, "above"), ("SELL", 105.0, "below")])
    def test_is_told_so(self, make, situation, side, stop, where):
        order = make.order(side=side, order_type="STOP", trigger_price=stop, target_price=200.0 - stop)

        assert judge(order, situation()).reason == (
            f"a stop {where} the market's 100.00 rupees for a {side} that waits for it wanted, found {stop:.2f}; "
            "what closes a loss is stop_loss"
        )

    @pytest.mark.parametrize("market", [0.0, math.inf, math.nan])
    def test_cannot_be_judged_without_a_price(self, make, situation, market):
        order = make.order(order_type="STOP", trigger_price=95.0, target_price=105.0)

        assert not terms(order, situation(market={"INFY": (market, NOON_NS)}))


class TestALimitThatIsLarge:
    @pytest.mark.parametrize(("limit_price", "rule"), [(100_000_000.0, None), (100_000_000.05, "value_max_rupees")])
    def test_is_kept_to_the_paisa(self, make, situation, limit_price, rule):
        order = make.order(quantity=10, order_type="LIMIT", limit_price=limit_price)

        assert rule_of(order, situation(value_max_rupees=1e9)) == rule


class TestThePriceOfTheMarket:
    def test_is_what_an_order_is_valued_by(self, make, situation):
        flattering = make.order(reference_price=0.05)

        assert rule_of(flattering, situation(value_max_rupees=999.0)) == "value_max_rupees"
        assert rule_of(flattering, situation(value_max_rupees=1_000.0)) is None

    def test_is_as_old_as_the_market_says(self, make, situation):
        flattering = make.order(reference_ns=NOON_NS)
        old = {"INFY": (100.0, NOON_NS - 4 * SECOND_NS)}

        assert rule_of(flattering, situation(market=old, price_age_max_s=3.0)) == "price_age_max_s"
        assert rule_of(flattering, situation(market={}, price_age_max_s=3.0)) == "price_age_max_s"


class TestTheValueOfOpenOrders:
    @pytest.mark.parametrize(
        ("limit", "rule"), [(3_000.05, None), (3_000.0, None), (2_999.95, "open_value_max_rupees")]
    )
    def test_counts_those_in_doubt_at_the_market_and_at_their_limits(self, make, situation, limit, rule):
        facts = make.intent("A", quantity=10), make.uncertain("A"), make.intent("B", limit_price=50.0, quantity=20)
        waiting = [make.order("C", quantity=5, limit_price=100.0, order_type="LIMIT")]
        order = make.order(symbol="TCS", quantity=2, order_type="LIMIT", limit_price=250.0)

        assert rule_of(order, situation(*facts, intents=waiting, open_value_max_rupees=limit)) == rule

    @pytest.mark.parametrize(("side", "counted"), [("BUY", 1_100.0), ("SELL", 1_000.0)])
    def test_counts_a_stop_that_buys_at_its_trigger(self, make, situation, side, counted):
        resting = make.intent("A", side=side, quantity=10, order_type="STOP", trigger_price=110.0)
        order = make.order(quantity=1, side=side, order_type="LIMIT", limit_price=100.0)

        assert rule_of(order, situation(resting, open_value_max_rupees=counted + 100.0)) is None
        assert rule_of(order, situation(resting, open_value_max_rupees=counted + 99.0)) == "open_value_max_rupees"

    def test_shrinks_with_each_trade_and_ending(self, make, situation):
        facts = (
            *(make.intent("A", quantity=10), make.filled("A", quantity=6)),
            *(make.intent("B", quantity=10, limit_price=90.0), make.cancelled("B")),
        )

        assert rule_of(make.order(quantity=6), situation(*facts, open_value_max_rupees=1_000.0)) is None
        assert (
            rule_of(make.order(quantity=7), situation(*facts, open_value_max_rupees=1_000.0)) == "open_value_max_rupees"
        )

    def test_lets_an_order_pass_that_closes(self, make, situation, bought):
        assert rule_of(make.order(side="SELL"), situation(*bought(10), open_value_max_rupees=1.0)) is None

    def test_is_not_known_without_a_price(self, make, situation):
        dark = situation(make.intent("A", symbol="WIPRO"), open_value_max_rupees=1e9)

        assert rule_of(make.order(), dark) == "open_value_max_rupees"


class TestTheValueOfAllPositions:
    @pytest.mark.parametrize(
        ("limit", "rule"), [(3_000.05, None), (3_000.0, None), (2_999.95, "gross_value_max_rupees")]
    )
    def test_is_of_the_worst_that_may_become_of_all_orders(self, make, situation, bought, limit, rule):
        # INFY: 10 held, 3 more in doubt, 7 with this: 20. TCS: 5 sold short if that fills, at 200.
        facts = *bought(10), make.intent("U", quantity=3), make.uncertain("U")
        waiting = [make.order("W", symbol="TCS", side="SELL", quantity=5)]

        assert rule_of(make.order(quantity=7), situation(*facts, intents=waiting, gross_value_max_rupees=limit)) == rule

    def test_is_not_known_without_a_price(self, make, situation, bought):
        dark = situation(*bought(1, symbol="WIPRO"), gross_value_max_rupees=1e9)

        assert rule_of(make.order(), dark) == "gross_value_max_rupees"

    def test_lets_an_order_pass_that_closes(self, make, situation, bought):
        assert rule_of(make.order(side="SELL"), situation(*bought(10), gross_value_max_rupees=1.0)) is None


class TestOrdersInDoubt:
    @pytest.mark.parametrize(("symbols", "rule"), [(["TCS"] * 2, None), (["TCS"] * 3, "unknown_orders_max")])
    def test_let_nothing_open_where_there_are_too_many(self, make, situation, symbols, rule):
        facts = [
            fact
            for number, symbol in enumerate(symbols)
            for fact in (make.intent(f"U-{number}", symbol=symbol), make.uncertain(f"U-{number}"))
        ]

        assert rule_of(make.order(), situation(*facts, unknown_orders_max=3)) == rule
        assert rule_of(make.order(), situation(*facts)) is None

    def test_let_nothing_open_in_their_symbol(self, make, situation):
        facts = make.intent("U"), make.uncertain("U")

        assert rule_of(make.order(), situation(*facts, unknown_orders_max=3)) == "unknown_orders_max"
        assert rule_of(make.order(), situation(*facts, make.accepted("U"), unknown_orders_max=3)) is None


class TestTheLossOfTheDay:
    @pytest.mark.parametrize(
        ("bought_at", "rule"), [(149.95, None), (150.0, "day_loss_max_rupees"), (150.05, "day_loss_max_rupees")]
    )
    def test_counts_what_is_open_and_lets_only_orders_pass_that_close(self, make, situation, bought, bought_at, rule):
        losing = situation(*bought(10, bought_at), day_loss_max_rupees=500.0)

        assert rule_of(make.order(quantity=1), losing) == rule
        assert rule_of(make.order(side="SELL", quantity=10), losing) is None

    @pytest.mark.parametrize(
        ("bought_at", "state"),
        [(149.95, None), (150.0, "REDUCING"), (199.95, "REDUCING"), (200.0, "HALTED")],
    )
    def test_reduces_at_the_limit_and_halts_at_twice_that(self, situation, bought, bought_at, state):
        losing = situation(*bought(10, bought_at), day_loss_max_rupees=500.0)
        trip = tripped(losing.book, losing.limits, NOON_NS, PRICES)

        assert (trip.state if trip else None) == state

    def test_counts_what_was_realised_today_and_not_before(self, make, situation, bought):
        def round_trip(time_ns, name):
            sale = make.filled(f"{name}-S", side="SELL", price=40.0)
            return (
                *bought(10, 100.0, name=name, time_ns=time_ns),
                make.intent(f"{name}-S", side="SELL", occurred_ns=time_ns),
                replace(sale, occurred_ns=time_ns),
            )

        today = situation(*round_trip(NOON_NS, "T"), day_loss_max_rupees=600.0)
        before = situation(*round_trip(NOON_NS - DAY_NS, "Y"), day_loss_max_rupees=600.0)

        assert rule_of(make.order(), today) == "day_loss_max_rupees"
        assert rule_of(make.order(), before) is None

    def test_is_not_made_good_by_a_gain_carried_over_the_night(self, make, situation, bought):
        carried = bought(100, 10.0, name="Y", time_ns=NOON_NS - DAY_NS)  # 9,000 rupees above its cost
        lost = bought(5, 300.0, symbol="TCS", name="T")

        assert rule_of(make.order(), situation(*carried, *lost, day_loss_max_rupees=500.0)) == "day_loss_max_rupees"
        assert rule_of(make.order(), situation(*lost, *bought(100, 10.0), day_loss_max_rupees=500.0)) is None

    def test_that_is_not_known_lets_nothing_open(self, make, situation, bought):
        dark = situation(*bought(1, symbol="WIPRO"), day_loss_max_rupees=500.0)

        assert (
            judge(make.order(), dark).reason
            == "a price of WIPRO, which is held, wanted to know the day's loss, found none"
        )

    def test_is_told_with_how_it_is_formed(self, make, situation, bought):
        losing = situation(*bought(10, 160.0), day_loss_max_rupees=500.0)

        assert judge(make.order(), losing).reason == (
            "a loss of the day below 500.00 rupees wanted, found 600.00: 0.00 realised and -600.00 open "
            "at the market's last prices, before charges"
        )


class TestOrdersInATime:
    @pytest.mark.parametrize(
        ("rule", "period_s"),
        [("orders_a_second_max", 1), ("orders_a_minute_max", 60), ("orders_an_hour_max", 3_600)],
    )
    def test_are_limited_in_any_such_time(self, make, situation, sent, rule, period_s):
        just_in = NOON_NS - period_s * SECOND_NS + 1

        assert rule_of(make.order(), situation(*sent(2, just_in), **{rule: 3})) is None
        assert rule_of(make.order(), situation(*sent(3, just_in), **{rule: 3})) == rule
        assert rule_of(make.order(), situation(*sent(4, just_in), **{rule: 3})) == rule
        assert rule_of(make.order(), situation(*sent(3, just_in - 1), **{rule: 3})) is None
        waiting = situation(*sent(2, just_in), intents=[make.order("W")], **{rule: 3})
        assert judge(make.order(), waiting).rule == rule
        assert judge(make.order(), waiting).reason.endswith("wanted, found 4 with this")

    @pytest.mark.parametrize("rule", LIMITED_IN_A_TIME)
    def test_are_not_limited_where_they_close(self, make, situation, sent, bought, rule):
        exiting = situation(*bought(10), *sent(3, symbol="TCS"), **{rule: 3})

        assert rule_of(make.order(side="SELL"), exiting) is None
        assert rule_of(make.order(side="SELL", quantity=11), exiting) == rule

    @pytest.mark.parametrize("rule", ["orders_a_day_max", "strategy_orders_a_day_max"])
    def test_are_limited_in_a_day(self, make, situation, sent, rule):
        assert rule_of(make.order(), situation(*sent(2), **{rule: 3})) is None
        assert rule_of(make.order(), situation(*sent(3), **{rule: 3})) == rule
        assert rule_of(make.order(), situation(*sent(2), intents=[make.order("W")], **{rule: 3})) == rule
        assert rule_of(make.order(), situation(*sent(3, NOON_NS - DAY_NS), **{rule: 3})) is None

    def test_of_a_strategy_are_its_own(self, make, situation, sent):
        others = situation(*sent(3, strategy="other"), strategy_orders_a_day_max=3)

        assert rule_of(make.order(), others) is None
        assert rule_of(make.order(strategy="other"), others) == "strategy_orders_a_day_max"

    @pytest.mark.parametrize(("limit", "rule"), [(2, None), (1, "strategy_trades_a_day_max")])
    def test_are_ended_by_the_trades_of_the_day(self, make, situation, bought, limit, rule):
        traded = situation(*bought(1), strategy_trades_a_day_max=limit)

        assert rule_of(make.order(), traded) == rule
        assert rule_of(make.order(strategy="other"), traded) is None
        assert rule_of(make.order(side="SELL", quantity=1), traded) is None


class TestOrdersThatAreAlike:
    @pytest.mark.parametrize(("count", "rule"), [(1, None), (2, None), (3, "repeats_max"), (4, "repeats_max")])
    def test_are_a_loop_beyond_the_limit(self, make, situation, sent, count, rule):
        assert rule_of(make.order(), situation(*sent(count, quantity=10), repeats_max=3)) == rule

    def test_count_where_they_are_not_durable_yet(self, make, situation, sent):
        assert (
            rule_of(make.order(), situation(*sent(2, quantity=10), intents=[make.order("W")], repeats_max=3))
            == "repeats_max"
        )

    @pytest.mark.parametrize(
        "other", [{"side": "SELL"}, {"symbol": "TCS"}, {"quantity": 9}, {"limit_price": 100.0}], ids=str
    )
    def test_differ_in_anything(self, make, situation, sent, other):
        assert rule_of(make.order(), situation(*sent(3, **{"quantity": 10} | other), repeats_max=3)) is None

    def test_count_for_ten_seconds(self, make, situation, sent):
        assert rule_of(make.order(), situation(*sent(3, NOON_NS - 10 * SECOND_NS, quantity=10), repeats_max=3)) is None


class TestRejectedOrders:
    @pytest.mark.parametrize(("count", "state"), [(4, None), (5, "REDUCING"), (6, "REDUCING")])
    def test_are_a_storm_when_there_are_too_many_in_a_minute(self, make, situation, sent, count, state):
        rejects = [replace(make.rejected(f"S-{number}"), occurred_ns=NOON_NS) for number in range(count)]
        stormy = situation(*sent(count), *rejects, rejects_max=5)
        trip = tripped(stormy.book, stormy.limits, NOON_NS, {})

        assert (trip.state if trip else None) == state
        assert tripped(stormy.book, stormy.limits, NOON_NS + 60 * SECOND_NS, {}) is None


class TestARestart:
    def test_gives_nobody_a_second_days_limit(self, make, situation, sent, bought):
        facts = *sent(2, quantity=1), *bought(10, 150.0)
        assert all(isinstance(fact, OrderIntended) for fact in facts[:2])
        again = situation(*facts, day_loss_max_rupees=500.0)

        assert again.book.today(NOON_NS).orders == 3
        assert rule_of(make.order(), again) == "day_loss_max_rupees"


@pytest.mark.parametrize(
    ("skew_s", "there"), [(2.0, None), (-2.0, None), (3.0, "11:59:57"), (-62.0, "12:01:02")], ids=str
)
def test_a_clock_that_is_off_is_told_with_both_times(make, situation, skew_s, there):
    found = replace(situation(clock_skew_max_s=2.0), clock=ClockCompared(skew_s=skew_s, as_of_ns=NOON_NS))
    refusal = judge(make.order(), found)

    assert (refusal and refusal.rule) == (there and "clock_skew_max_s")
    assert there is None or refusal.reason == (
        f"a clock at most 2 s off that of the broker wanted, found {skew_s:+.1f} s: "
        f"2026-10-05 12:00:00 IST here, 2026-10-05 {there} IST there"
    )


def test_every_rule_is_named_as_its_limit(make):
    limits = make.limits()
    without = {"risk_state", "client_order_id", "duplicate", "symbol", "terms", "exits", "freeze_quantity"}

    assert {rule.__name__ for rule in RULES if not hasattr(limits, rule.__name__)} == without


class TestTheMarginOfWhatWasOrdered:
    """1,000 rupees at the broker, of which all may be used; a fifth of its value is a position's margin."""

    @pytest.fixture
    def margin_of(self, make, situation):
        def build(order, *facts, covered=(), product="INTRADAY", market=PRICES, told_s=0, waiting=()):  # noqa: PLR0913
            funds = Funds(available_rupees=1_000.0, as_of_ns=NOON_NS - told_s * SECOND_NS, covered=dict(covered))
            limits = {"margin_use_max_percent": 100.0, "margin_percent": 20.0}
            found = situation(*facts, market=market, intents=waiting, **limits)
            found = replace(found, funds=funds, product=product)
            return judge(order, found, (margin_use_max_percent,))

        return build

    @pytest.mark.parametrize(
        ("symbol", "side", "product", "price", "quantity"),
        [
            ("INFY", "BUY", "INTRADAY", 100.0, 50),
            ("INFY", "SELL", "INTRADAY", 100.0, 50),
            ("INFY", "BUY", "CNC", 100.0, 10),
            ("NIFTY-29Dec2026-FUT", "BUY", "MARGIN", 100.0, 50),
            ("NIFTY-29Dec2026-500-CE", "BUY", "MARGIN", 2.0, 500),
            ("NIFTY-29Dec2026-500-PE", "SELL", "MARGIN", 2.0, 10),
            ("NIFTY 500 CE", "SELL", "MARGIN", 2.0, 10),
            ("NIFTY CE", "SELL", "MARGIN", 2.0, 2_500),
        ],
    )
    def test_is_by_product_side_and_kind_and_its_limit_is_exact(  # noqa: PLR0913, PLR0917  one order each
        self, make, margin_of, symbol, side, product, price, quantity
    ):
        asked = functools.partial(margin_of, product=product, market={symbol: (price, NOON_NS)})

        assert asked(make.order(symbol=symbol, side=side, quantity=quantity)) is None
        refusal = asked(make.order(symbol=symbol, side=side, quantity=quantity + 1))
        assert refusal.rule == "margin_use_max_percent"
        assert refusal.reason.startswith("a margin of at most 1000.00 rupees, 100 % of 1000.00 at the broker, wanted, ")

    def test_is_that_of_the_orders_limit_where_that_is_above_the_market(self, make, margin_of):
        at = functools.partial(make.order, order_type="LIMIT", limit_price=125.0)

        assert margin_of(at(quantity=40)) is None
        assert margin_of(at(quantity=41)) is not None

    @pytest.mark.parametrize("kind", [{"order_type": "STOP"}, {"order_type": "STOP_LIMIT", "limit_price": 125.0}])
    def test_is_that_of_its_trigger_where_that_is_above_the_market(self, make, margin_of, kind):
        at = functools.partial(make.order, trigger_price=125.0, **kind)

        assert margin_of(at(quantity=40)) is None
        assert margin_of(at(quantity=41)).reason.endswith("found 1025.00 with this")

    def test_counts_an_option_that_is_on_its_way_beside_a_share(self, make, margin_of):
        option = "NIFTY-29Dec2026-500-CE"
        waiting = [make.order("W", symbol=option, side="SELL", quantity=8)]
        market = PRICES | {option: (2.0, NOON_NS)}
        passed = [margin_of(make.order(quantity=n), waiting=waiting, market=market) is None for n in (10, 11)]

        assert passed == [True, False]

    def test_of_a_delivery_that_is_on_its_way_is_all_of_it_beside_others(self, make, margin_of):
        waiting = [make.order("W", quantity=5, product="CNC"), make.order("V", symbol="TCS", quantity=10)]
        market = PRICES | {"TCS": (20.0, NOON_NS)}
        passed = [
            margin_of(make.order(quantity=n, symbol="TCS"), waiting=order, market=market) is None
            for order in (waiting, waiting[::-1])
            for n in (115, 116)
        ]

        assert passed == [True, False] * 2

    @pytest.mark.parametrize(("side", "covered"), [("BUY", (20, 0)), ("SELL", (0, 20))])
    def test_counts_what_was_ordered_since_of_any_symbol_and_not_what_is_covered(self, make, margin_of, side, covered):
        facts = [make.intent("O", symbol="TCS", side=side, quantity=20)]
        market = PRICES | {"TCS": (200.0, NOON_NS)}

        def passes(quantity, **how):
            return margin_of(make.order(side=side, quantity=quantity), *facts, market=market, **how) is None

        assert [passes(quantity) for quantity in (10, 11)] == [True, False]
        assert [passes(quantity, covered={"TCS": covered}) for quantity in (50, 51)] == [True, False]

    @pytest.mark.parametrize(
        ("symbol", "quantity", "most"), [("INFY", 20, 20), ("NIFTY-29Dec2026-500-CE", 4, 4)], ids=["share", "option"]
    )
    def test_counts_what_is_on_its_way_at_the_price_of_the_order_that_is_judged(
        self, make, margin_of, symbol, quantity, most
    ):
        waiting = [make.order("W", symbol=symbol, quantity=quantity)]
        at = functools.partial(make.order, symbol=symbol, order_type="LIMIT", limit_price=125.0)
        market = {symbol: (100.0, NOON_NS)}
        passed = [margin_of(at(quantity=n), waiting=waiting, market=market) is None for n in (most, most + 1)]

        assert passed == [True, False]

    @pytest.mark.parametrize(
        ("named", "before", "default", "most"),
        [
            ("CNC", None, "INTRADAY", 10),
            ("INTRADAY", None, "CNC", 50),
            (None, None, "CNC", 10),
            ("INTRADAY", "CNC", "INTRADAY", 9),
            (None, "CNC", "MARGIN", 9),
        ],
    )
    def test_of_a_delivery_is_all_of_it_also_when_another_order_follows(  # noqa: PLR0913, PLR0917  one order each
        self, make, margin_of, named, before, default, most
    ):
        facts = [make.intent("O", quantity=1, product=before, occurred_ns=NOON_NS)] if before else []

        def passes(quantity):
            return margin_of(make.order(quantity=quantity, product=named), *facts, product=default) is None

        assert [passes(quantity) for quantity in (most, most + 1)] == [True, False]

    def test_of_a_delivery_is_all_of_it_beside_another_symbol_of_which_it_is_a_part(self, make, margin_of):
        delivery = make.intent("O", symbol="TCS", quantity=4, product="CNC", occurred_ns=NOON_NS)
        market = PRICES | {"TCS": (200.0, NOON_NS)}
        passed = [margin_of(make.order(quantity=n), delivery, market=market) is None for n in (10, 11)]

        assert passed == [True, False]

    def test_counts_what_is_open_at_the_price_of_the_order_that_is_judged(self, make, margin_of):
        facts = [make.intent("O", quantity=20)]
        at = functools.partial(make.order, order_type="LIMIT", limit_price=125.0)

        assert [margin_of(at(quantity=n), *facts) is None for n in (20, 21)] == [True, False]
        assert [margin_of(at(quantity=n), *facts, covered={"INFY": (20, 0)}) is None for n in (40, 41)] == [True, False]

    @pytest.mark.parametrize(("limit_price", "passes"), [(200.0, True), (201.0, False)])
    def test_counts_what_is_open_of_an_option_at_the_price_of_the_order_that_is_judged(
        self, make, margin_of, limit_price, passes
    ):
        option = "NIFTY-29Dec2026-500-CE"
        order = make.order(symbol=option, quantity=1, order_type="LIMIT", limit_price=limit_price)
        facts = [make.intent("O", symbol=option, quantity=4)]

        assert (margin_of(order, *facts, market=PRICES | {option: (100.0, NOON_NS)}) is None) is passes

    def test_asks_no_price_of_what_is_covered(self, make, margin_of):
        facts = [make.intent("O", symbol="TCS", quantity=20), make.intent("P", symbol="SBIN", side="SELL", quantity=5)]
        asked = functools.partial(margin_of, make.order(quantity=10), *facts, market=PRICES)

        assert asked(covered={"TCS": (20, 0), "SBIN": (0, 5)}) is None
        assert asked(covered={"TCS": (20, 0), "SBIN": (0, 4)}) is not None

    def test_is_none_of_what_closes(self, make, margin_of):
        long = [make.intent("H", quantity=500), make.filled("H", quantity=500)]

        assert margin_of(make.order(side="SELL", quantity=500), *long, told_s=10_000) is None

    def test_of_a_turn_is_that_of_the_side_which_needs_more(self, make, margin_of):
        long = [make.intent("H", quantity=50), make.filled("H", quantity=50)]
        turn = functools.partial(make.order, side="SELL")

        assert margin_of(turn(quantity=100), *long, covered={"INFY": (50, 0)}) is None
        assert margin_of(turn(quantity=101), *long, covered={"INFY": (50, 0)}) is not None

    @pytest.mark.parametrize(
        ("given", "reason"),
        [
            ({"told_s": 60}, None),
            ({"told_s": 61}, "funds told in the last 60 s wanted, found 61 s"),
            ({"market": {}}, "a price of each symbol that is ordered wanted to know its margin, found one without"),
        ],
    )
    def test_is_not_known_by_old_funds_or_without_a_price(self, make, margin_of, given, reason):
        dark = {"reference_price": 0.0, "reference_ns": 0}
        refusal = margin_of(make.order(quantity=1, **dark), **given)

        assert (refusal and refusal.reason) == reason

    def test_is_not_known_before_the_broker_has_told(self, make, situation):
        refusal = judge(make.order(), situation(margin_use_max_percent=90.0), (margin_use_max_percent,))

        assert refusal.reason == "funds that the broker has told wanted, found none"

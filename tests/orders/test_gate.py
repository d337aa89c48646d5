"""The risk gate: the rules of every profile, each at its limit; `test_rules` has those of real money."""

from datetime import datetime
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from natya.actors.orders.book import Book
from natya.actors.orders.parts import gate
from natya.actors.orders.parts.gate import Gate
from natya.actors.orders.rules import NO_BANDS, Situation, contradiction, judge
from natya.config.sections.orders import InstrumentLimits
from natya.domain.closing import AGREED
from natya.domain.orders import Order
from natya.domain.time import SECOND_NS


@pytest.fixture
def situation(make):
    def build(*facts, risk_state="NORMAL", intents=(), **limits):
        book = Book()
        for fact in facts:
            book.apply(fact)
        named = {intent.client_order_id: intent for intent in intents}
        return Situation(risk_state=risk_state, limits=make.limits(**limits), book=book, intents=named, now_ns=NOW_NS)

    return build


NOW_NS = 1_000 * SECOND_NS


def at(clock):
    return int(datetime.fromisoformat(f"2026-12-04T{clock}+05:30").timestamp()) * SECOND_NS


def rule_of(order, situation):
    refusal = judge(order, situation)
    return refusal.rule if refusal else None


class TestTheRiskState:
    @pytest.mark.parametrize("state", ["STARTING", "RECONCILING", "HALTED"])
    def test_lets_nothing_pass_but_in_normal(self, make, situation, state):
        refusal = judge(make.order(), situation(risk_state=state))

        assert refusal.rule == "risk_state"
        assert refusal.reason == f"risk state NORMAL wanted, found {state}"

    @pytest.mark.parametrize(("quantity", "rule"), [(9, None), (10, None), (11, "risk_state")])
    def test_reducing_lets_a_position_shrink_to_nothing_and_no_further(self, make, situation, quantity, rule):
        long = situation(make.intent("L-1"), make.filled("L-1", quantity=10), risk_state="REDUCING")
        short = situation(
            make.intent("S-1", side="SELL"), make.filled("S-1", side="SELL", quantity=10), risk_state="REDUCING"
        )

        assert rule_of(make.order(side="SELL", quantity=quantity), long) == rule
        assert rule_of(make.order(side="BUY", quantity=quantity), short) == rule

    def test_reducing_counts_what_is_being_closed_already(self, make, situation):
        closing = situation(
            make.intent("L-1"),
            make.filled("L-1", quantity=10),
            make.intent("L-2", side="SELL", quantity=4),
            risk_state="REDUCING",
            intents=[make.order("L-3", side="SELL", quantity=3)],
        )

        assert rule_of(make.order(side="SELL", quantity=3), closing) is None
        assert rule_of(make.order(side="SELL", quantity=4), closing) == "risk_state"

    def test_reducing_never_lets_a_position_grow(self, make, situation):
        long = situation(make.intent("L-1"), make.filled("L-1", quantity=10), risk_state="REDUCING")

        assert rule_of(make.order(side="BUY", quantity=1), long) == "risk_state"


class TestTheAgeOfThePrice:
    """By the market's time: what a recording is made of may be older, and there the rule is off."""

    @pytest.mark.parametrize(
        ("age_s", "rule"),
        [
            (0, None),
            (3, None),
            (3.001, "price_age_max_s"),
            (NOW_NS / SECOND_NS, "price_age_max_s"),
            (-3, None),
            (-3.001, "price_age_max_s"),
            (-3_600, "price_age_max_s"),
        ],
    )
    @pytest.mark.parametrize("fields", [{}, {"order_type": "LIMIT", "limit_price": 100.0}], ids=["market", "limit"])
    def test_is_limited_where_the_settings_say_so(self, make, situation, age_s, rule, fields):
        order = make.order(reference_ns=NOW_NS - round(age_s * SECOND_NS), **fields)

        assert rule_of(order, situation(price_age_max_s=3.0)) == rule
        assert rule_of(order, situation()) is None

    def test_says_what_was_wanted_and_found(self, make, situation):
        refusal = judge(make.order(reference_ns=NOW_NS - 12 * SECOND_NS), situation(price_age_max_s=3.0))

        assert refusal.reason == "a last price of at most 3 s of age wanted, found 12.000 s"

    @pytest.mark.parametrize(
        ("session", "priced", "rule"),
        [
            ("NSE", "15:14:58", None),
            ("NSE", "15:14:56", "price_age_max_s"),
            ("NSE", "15:20:00", None),
            ("none", "15:14:58", "price_age_max_s"),
            ("none", "15:20:00", "price_age_max_s"),
            ("none", "15:20:58", None),
        ],
    )
    def test_stands_still_in_the_closing_auction_of_the_sessions_that_orders_keep_to(
        self, make, situation, session, priced, rule
    ):
        now = at("15:21:00")
        order = make.order(symbol="TCS", reference_ns=at(priced))

        judged = replace(situation(price_age_max_s=3.0, session=session), now_ns=now)

        assert rule_of(order, judged) == rule

    def test_of_which_nobody_knows_is_too_much(self, make, situation):
        assert judge(make.order(), situation(price_age_max_s=3.0)).reason.endswith("found none")


class TestAnOrderThatIsTooLarge:
    @pytest.mark.parametrize(
        ("limits", "freeze", "told"),
        [
            ({"quantity_max": 9}, {}, ("quantity_max", 9)),
            ({}, {"INFY": 8}, ("freeze_quantity", 8)),
            ({"quantity_max": 9}, {"INFY": 8}, ("quantity_max", 9)),
            ({"position_max": 5}, {}, ("position_max", None)),
        ],
    )
    def test_is_refused_with_as_many_shares_as_one_may_have(self, make, situation, limits, freeze, told):
        refusal = judge(make.order(quantity=10), replace(situation(**limits), freeze_quantities=freeze))

        assert (refusal.rule, refusal.shares_max) == told


class TestTheClientOrderId:
    @pytest.mark.parametrize("good", ["a", "A-Z_09", "x" * 24, "x" * 25])
    def test_in_the_brokers_alphabet_passes(self, make, situation, good):
        assert rule_of(make.order(good), situation()) is None

    @pytest.mark.parametrize("bad", ["", "x" * 26, "a b", "a\n", "é", "٣", "a;b", "\ud800"])
    def test_of_any_other_form_is_refused_in_words_that_can_be_written(self, make, situation, bad):
        refusal = judge(make.order(bad), situation())

        assert refusal.rule == "client_order_id"
        assert refusal.reason.isascii()

    @pytest.mark.parametrize(("exits", "most"), [({}, 25), ({"target_price": 110.0}, 24)], ids=["none", "a bracket"])
    def test_that_is_too_long_is_told_how_long_it_may_be(self, make, situation, exits, most):
        refusal = judge(make.order("x" * (most + 1), **exits), situation())

        assert refusal.reason.startswith(f"1 to {most} characters of A-Z a-z 0-9 - _ wanted, found 'xxx")
        assert rule_of(make.order("x" * most, **exits), situation()) is None

    def test_that_was_used_is_refused(self, make, situation):
        assert rule_of(make.order("A-1"), situation(make.intent("A-1"))) == "duplicate"
        assert rule_of(make.order("A-1"), situation(make.refusal("A-1"))) == "duplicate"
        assert rule_of(make.order("A-1"), situation(intents=[make.order("A-1")])) == "duplicate"

    @pytest.mark.parametrize("exits", [{"target_price": 110.0}, {}], ids=["a bracket", "none"])
    @pytest.mark.parametrize("is_durable", [True, False], ids=["in the book", "on its way there"])
    @pytest.mark.parametrize("leg", ["S", "T", "X", "R", "S1", "T1"])
    def test_of_an_exit_is_refused_where_its_entry_has_a_bracket(self, make, situation, exits, is_durable, leg):
        met = situation(make.intent("A-1", **exits)) if is_durable else situation(intents=[make.order("A-1", **exits)])

        assert rule_of(make.order(f"A-1{leg}"), met) == ("duplicate" if exits else None)

    @pytest.mark.parametrize("exits", [{"target_price": 110.0}, {}], ids=["a bracket", "none"])
    @pytest.mark.parametrize("is_durable", [True, False], ids=["in the book", "on its way there"])
    @pytest.mark.parametrize("leg", ["S", "T", "X", "R", "S1", "T1"])
    def test_of_a_bracket_is_refused_where_that_of_an_exit_was_used(self, make, situation, exits, is_durable, leg):
        name = f"A-1{leg}"
        met = situation(make.intent(name)) if is_durable else situation(intents=[make.order(name)])

        assert rule_of(make.order("A-1", **exits), met) == ("duplicate" if exits else None)


class TestAnOrderUnderAnIdThatWasUsed:
    OTHERS = (
        {"strategy": "other"},
        {"symbol": "TCS"},
        {"side": "SELL"},
        {"quantity": 11},
        {"order_type": "LIMIT", "limit_price": 100.0},
    )

    @pytest.mark.parametrize("fields", [{}, {"reference_price": 7.0, "submitted_ns": 9}], ids=str)
    def test_is_the_same_again_whenever_it_was_asked_for(self, make, fields):
        again = make.order(**fields)

        assert contradiction(again, make.order()) is None
        assert contradiction(again, Order.from_intent(make.intent())) is None
        assert contradiction(again, make.refusal()) is None
        assert contradiction(again, make.refusal(order_type="MARKET")) is None
        assert contradiction(again, make.refusal(order_type="LIMIT", limit_price=99.0)) is not None

    @pytest.mark.parametrize("fields", OTHERS, ids=str)
    def test_is_another_if_anything_differs(self, make, fields):
        for earlier in (make.order(), Order.from_intent(make.intent())):
            refusal = contradiction(make.order(**fields), earlier)

            assert refusal.rule == "duplicate"
            assert refusal.reason.startswith(f"{next(iter(fields))} ")

    @pytest.mark.parametrize("fields", OTHERS[:4], ids=str)
    def test_is_compared_with_a_refusal_as_far_as_that_was_written_down(self, make, fields):
        assert contradiction(make.order(**fields), make.refusal()).rule == "duplicate"
        assert contradiction(make.order(order_type="LIMIT", limit_price=1.0), make.refusal()) is None

    def test_is_another_at_another_limit(self, make):
        first = make.intent(order_type="LIMIT", limit_price=100.0)
        again = make.order(order_type="LIMIT", limit_price=100.05)

        assert "limit_price 100.0 wanted" in contradiction(again, Order.from_intent(first)).reason


class TestTheSymbol:
    @pytest.mark.parametrize("good", ["M&M", "NIFTY 26000 CE", "x" * 63, "x" * 64])
    def test_may_be_any_where_all_are_named(self, make, situation, good):
        assert rule_of(make.order(symbol=good), situation(symbols=("TCS", "*"))) is None

    @pytest.mark.parametrize("bad", ["", " INFY", "INFY ", "x" * 65, "IN\nFY", "ÎNFY"])
    def test_must_be_well_formed(self, make, situation, bad):
        assert rule_of(make.order(symbol=bad), situation()) == "symbol"

    def test_must_be_one_of_those_named(self, make, situation):
        named = situation(symbols=("TCS", "SBIN"))

        assert rule_of(make.order(symbol="SBIN"), named) is None
        for other in ("INFY", "SBI", "SBIC", "SBIN-29Sep2026-FUT", "TC", "TCI"):
            assert rule_of(make.order(symbol=other), named) == "symbol"

    @pytest.mark.parametrize(("symbol", "rule"), [("NIFTY-29Sep2026-29150-CE", None), ("NIFTY", "symbol")])
    def test_may_begin_as_one_that_is_named(self, make, situation, symbol, rule):
        assert rule_of(make.order(symbol=symbol), situation(symbols=("NIFTY-*",))) == rule

    def test_may_be_none_where_none_is_named_and_the_refusal_says_what_to_name(self, make, situation):
        refusal = judge(make.order(symbol="INFY"), situation(symbols=()))

        assert refusal.rule == "symbol"
        assert refusal.reason == (
            "a symbol named in orders.symbols (\"*\" for all) wanted, found 'INFY', and none is named there"
        )

    def test_is_closed_whatever_is_named(self, make, situation):
        held = make.intent("H", quantity=5), make.filled("H", quantity=5)

        assert rule_of(make.order(side="SELL", quantity=5), situation(*held, symbols=())) is None
        assert rule_of(make.order(side="SELL", quantity=6), situation(*held, symbols=())) == "symbol"


class TestTheSizeOfAnOrder:
    @pytest.mark.parametrize(("quantity", "rule"), [(1, None), (100, None), (101, "quantity_max")])
    def test_is_limited_in_shares(self, make, situation, quantity, rule):
        assert rule_of(make.order(quantity=quantity), situation(quantity_max=100)) == rule

    @pytest.mark.parametrize(("price", "rule"), [(4_999.95, None), (5_000.0, None), (5_000.05, "value_max_rupees")])
    @pytest.mark.parametrize("kind", ["market", "limit"])
    def test_is_limited_in_rupees(self, make, situation, kind, price, rule):
        priced = {"reference_price": price} if kind == "market" else {"order_type": "LIMIT", "limit_price": price}
        order = make.order(quantity=10, **priced)

        assert rule_of(order, situation(value_max_rupees=50_000.0)) == rule

    @pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf"), -float("inf"), 1e13])
    def test_is_refused_when_no_price_tells_its_value(self, make, situation, price):
        selling = make.order(side="SELL", order_type="LIMIT", limit_price=5.0, reference_price=price)

        assert rule_of(make.order(reference_price=price), situation()) == "value_max_rupees"
        assert rule_of(make.order(side="SELL", reference_price=price), situation()) == "value_max_rupees"
        assert rule_of(selling, situation()) == "value_max_rupees"

    @pytest.mark.parametrize(
        "example",
        [
            ("SELL", 0.05, 1_500.0, "value_max_rupees"),  # it sells at 1,500 whatever its limit says
            ("SELL", 1_500.0, 0.05, "value_max_rupees"),  # it may rest until the market is there
            ("SELL", 499.95, 500.0, None),
            ("SELL", 500.0, 500.05, "value_max_rupees"),
            ("BUY", 500.0, 1_500.0, None),  # no more than its limit, ever
            ("BUY", 500.0, 0.0, None),
            ("BUY", 500.05, 0.05, "value_max_rupees"),
        ],
    )
    def test_is_counted_at_the_worst_price_a_limit_order_may_trade_at(self, make, situation, example):
        side, limit_price, last_price, rule = example
        prices = {"limit_price": limit_price, "reference_price": last_price}

        assert (
            rule_of(
                make.order(side=side, quantity=100, order_type="LIMIT", **prices), situation(value_max_rupees=50_000.0)
            )
            == rule
        )

    @pytest.mark.parametrize("price", [-0.5, float("nan"), float("inf"), 1e300])
    def test_of_a_symbol_whose_price_is_none_says_so(self, make, situation, price):
        assert judge(make.order(reference_price=price), situation()).reason == (
            f"a last price above 0 rupees wanted, found {price}"
        )

    def test_of_a_symbol_without_a_price_says_that_its_name_may_be_wrong(self, make, situation):
        refusal = judge(make.order(symbol="RELAINCE", reference_price=0.0), situation())

        assert refusal.reason == (
            "a symbol that has a price wanted, found no tick of 'RELAINCE' yet: is it spelled so?"
        )

    def test_is_counted_to_the_last_digit(self, make, situation):
        assert 0.07 * 100 > 7.0
        assert rule_of(make.order(quantity=100, reference_price=0.07), situation(value_max_rupees=7.0)) is None


class TestThePosition:
    @pytest.mark.parametrize(("quantity", "rule"), [(19, None), (20, None), (21, "position_max")])
    def test_is_limited_as_if_everything_open_on_that_side_filled(self, make, situation, quantity, rule):
        held = situation(
            make.intent("L-1", quantity=50),
            make.filled("L-1", quantity=40),  # 40 held, 10 open
            make.intent("L-2", quantity=20),
            make.uncertain("L-2"),
            make.intent("L-3", side="SELL", quantity=90),
            intents=[make.order("L-4", quantity=10)],
            position_max=100,
        )

        assert rule_of(make.order(quantity=quantity), held) == rule

    @pytest.mark.parametrize(("quantity", "rule"), [(49, None), (50, None), (51, "position_max")])
    def test_is_limited_when_short_too(self, make, situation, quantity, rule):
        short = situation(make.intent("S-1", side="SELL", quantity=50), position_max=100)

        assert rule_of(make.order(side="SELL", quantity=quantity), short) == rule

    @pytest.mark.parametrize(("side", "found"), [("BUY", 101), ("SELL", -101)])
    def test_is_told_as_it_would_be(self, make, situation, side, found):
        ordered = situation(make.intent("S-1", side=side, quantity=50), position_max=100)

        assert judge(make.order(side=side, quantity=51), ordered).reason == (
            f"a position of at most 100 shares wanted, found {found} if all open orders fill: "
            "0 held, 50 ordered, 51 with this"
        )

    def test_may_always_shrink(self, make, situation):
        over = situation(make.intent("L-1", quantity=200), make.filled("L-1", quantity=200), position_max=100)

        assert rule_of(make.order(side="SELL", quantity=50), over) is None
        assert rule_of(make.order(side="BUY", quantity=1), over) == "position_max"


class TestTheShareOfAStrategy:
    def of(self, situation, limit, *facts, **fields):
        return replace(situation(*facts, **fields), strategy_position_max=limit)

    @pytest.mark.parametrize(("quantity", "rule"), [(5, None), (6, "strategy_position_max")])
    @pytest.mark.parametrize("side", ["BUY", "SELL"])
    def test_counts_what_it_holds_and_what_it_may_come_to_hold(self, make, situation, quantity, rule, side):
        mine = self.of(
            situation,
            40,
            make.intent("L-1", quantity=10, side=side),
            make.filled("L-1", quantity=10, side=side),
            make.intent("L-2", quantity=20, side=side),
            make.filled("L-2", quantity=5, trade_id="T-2", side=side),
            make.intent("X-1", quantity=90, strategy="other", side=side),
            intents=[
                make.order("L-3", quantity=5, side=side),
                make.order("X-2", quantity=9, strategy="other", side=side),
            ],
            position_max=1_000,
        )

        assert rule_of(make.order(quantity=quantity, side=side), mine) == rule

    def test_is_that_of_one_symbol_and_lets_a_position_shrink(self, make, situation):
        mine = self.of(situation, 10, make.intent("L-1", quantity=30), make.filled("L-1", quantity=30))

        assert rule_of(make.order(symbol="OTHER"), mine) is None
        assert rule_of(make.order(side="SELL", quantity=40), mine) is None
        assert rule_of(make.order(side="SELL", quantity=41), mine) == "strategy_position_max"
        assert rule_of(make.order(quantity=1), mine) == "strategy_position_max"

    def test_says_how_the_number_was_formed(self, make, situation):
        facts = (make.intent("L-1", quantity=10), make.filled("L-1", quantity=4))
        others = (
            make.intent("X-1", strategy="other"),
            make.filled("X-1", trade_id="T-2", quantity=3, strategy="other"),
        )
        refusal = judge(make.order(quantity=5), self.of(situation, 10, *facts, *others))

        found = "found 15 if all open orders fill: 4 held, 6 ordered, 5 with this"
        assert refusal.reason == f"a position of this strategy of at most 10 shares wanted, {found}"

    def test_is_freed_by_what_ends(self, make, situation):
        facts = (make.intent("L-1", quantity=10), make.filled("L-1", quantity=4), make.cancelled("L-1"))
        mine = self.of(situation, 10, *facts)

        assert rule_of(make.order(quantity=6), mine) is None
        assert rule_of(make.order(quantity=7), mine) == "strategy_position_max"

    def test_is_none_where_none_is_given(self, make, situation):
        assert rule_of(make.order(quantity=50), situation(make.intent("L-1", quantity=90))) is None


class TestOrdersInFlight:
    @pytest.mark.parametrize(("limit", "rule"), [(5, None), (4, None), (3, "orders_in_flight_max")])
    def test_are_limited_until_the_broker_has_answered(self, make, situation, limit, rule):
        flying = situation(
            make.intent("L-1"),
            make.intent("L-2"),
            make.uncertain("L-2"),
            make.intent("L-3"),
            make.accepted("L-3"),
            intents=[make.order("L-4")],
            orders_in_flight_max=limit,
        )

        assert rule_of(make.order(), flying) == rule

    def test_are_told_with_the_strategy_that_has_most_of_them(self, make, situation):
        flood = [make.order(f"F-{number}", strategy="a-flood") for number in range(3)]
        flying = situation(make.intent("L-1"), intents=flood, orders_in_flight_max=4)

        refusal = judge(make.order(), flying)
        assert refusal.reason == "at most 4 unanswered orders wanted, found 5, 3 of them of a-flood"

    @pytest.mark.parametrize(("limit", "rule"), [(4, None), (3, "strategy_orders_in_flight_max")])
    def test_of_a_strategy_with_a_limit_of_its_own_are_counted_alone(self, make, situation, limit, rule):
        flying = situation(
            make.intent("L-1"),
            make.intent("L-2"),
            make.uncertain("L-2"),
            make.intent("L-3"),
            make.accepted("L-3"),
            make.intent("X-1", strategy="other"),
            intents=[make.order("L-4"), make.order("X-2", strategy="other")],
        )
        mine = replace(flying, strategy_orders_in_flight_max=limit)

        assert rule_of(make.order(), mine) == rule
        assert rule_of(make.order(strategy="other"), mine) is None


class TestOrdersWhileTheMarketStandsStill:
    @pytest.mark.parametrize(("at_this_moment", "rule"), [(3, None), (4, "orders_a_moment_max")])
    def test_are_as_many_as_the_limit_says(self, make, situation, at_this_moment, rule):
        still = replace(situation(orders_a_moment_max=3), at_this_moment=at_this_moment)

        assert rule_of(make.order(), still) == rule

    def test_are_counted_by_strategy_and_from_nothing_at_each_market_time(self, make):
        ledger = SimpleNamespace(book=Book(), intents={}, reserved={})
        settings = make.limits(orders_a_moment_max=2, orders_in_flight_max=100)
        gate = Gate(
            SimpleNamespace(
                ledger=ledger,
                settings=settings,
                market=None,
                funds=None,
                clock=None,
                theirs=AGREED,
                bands=NO_BANDS,
                freeze_quantities={},
            ),
            SimpleNamespace(state="NORMAL"),
        )

        def rules_at(time_ns, *strategies):
            asked = [gate.refusal_of(make.order(strategy=each), time_ns, closes=False) for each in strategies]
            return [refusal and refusal.rule for refusal in asked]

        assert rules_at(NOW_NS, "one", "one", "other", "one") == [None, None, None, "orders_a_moment_max"]
        assert rules_at(NOW_NS, "one", "other", "other") == ["orders_a_moment_max", None, "orders_a_moment_max"]
        assert rules_at(NOW_NS + 1, "one", "one", "one") == [None, None, "orders_a_moment_max"]


def test_the_limits_of_so_many_instruments_are_kept_and_of_others_found_anew(make, monkeypatch):
    monkeypatch.setattr(gate, "SYMBOLS_MAX", 2)
    limits = make.limits(instruments={f"S{number}": InstrumentLimits(quantity_max=number) for number in range(1, 5)})
    found = Gate(SimpleNamespace(settings=limits), None)

    for number in (1, 2, 3, 4, 1, 3):
        assert found._limits_of(f"S{number}").quantity_max == number
        assert len(found._limits) <= 2
    assert found._limits_of("S1") is found._limits_of("S1")
    kept = found._limits_of("S3")
    found._limits_of("S1")
    assert found._limits_of("S3") is kept

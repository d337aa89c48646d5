"""How much of each limit is used, and how each number was formed."""

import functools

import msgspec
import pytest
from msgspec.structs import replace

from natya.actors.orders.book import Book
from natya.actors.orders.rules import RULES, Funds, Situation, figures, figures_of, is_on, judge
from natya.actors.orders.rules.explaining import explained, limit_of
from natya.actors.orders.rules.situation import Band, Bands
from natya.domain.time import DAY_NS, SECOND_NS
from natya.messages.risk import ReadRisk

NOON_NS = 1_791_181_800 * SECOND_NS
PRICES = {"INFY": (90.0, NOON_NS), "TCS": (200.0, NOON_NS)}


@pytest.fixture
def situation(make):
    """Ten INFY held, bought at 100; twenty ordered at the market, five TCS at a limit of 210, one of them in doubt."""

    def build(market=PRICES, **limits):
        book = Book()
        for fact in (
            make.intent("H", occurred_ns=NOON_NS),
            make.filled("H", quantity=10),
            make.intent("O", quantity=20, occurred_ns=NOON_NS),
            make.accepted("O", "B-2"),
            make.intent("U", symbol="TCS", quantity=5, limit_price=210.0, order_type="LIMIT", occurred_ns=NOON_NS),
            make.uncertain("U"),
        ):
            book.apply(fact)
        waiting = {"W": make.order("W", quantity=1)}
        return Situation(
            risk_state="NORMAL",
            limits=make.limits(**limits),
            book=book,
            intents=waiting,
            now_ns=NOON_NS,
            market=market,
            funds=Funds(
                available_rupees=10_000.0,
                as_of_ns=NOON_NS - 5 * SECOND_NS,
                covered={"INFY": (31, 0), "TCS": (2, 0)},
            ),
        )

    return build


def figure(situation, name, of=""):
    (found,) = [each for each in figures_of(situation) if (each.limit_name, each.of) == (name, of)]
    return found


class TestAFigure:
    def test_names_so_many_symbols_and_how_many_more_there_are(self, situation, monkeypatch):
        monkeypatch.setattr(figures, "LISTED_MAX", 1)

        told = figure(situation(), "gross_value_max_rupees")
        assert told.formed.endswith("; INFY 31 x 90.00 and 1 more at the market's last prices")
        assert told.found == 31 * 90.0 + 5 * 200.0
        monkeypatch.setattr(figures, "LISTED_MAX", 2)
        told = figure(situation(), "gross_value_max_rupees")
        assert told.formed.endswith("; INFY 31 x 90.00, TCS 5 x 200.00 at the market's last prices")

    @pytest.mark.parametrize(
        ("told_s_ago", "market", "problem", "found", "formed"),
        [
            ({}, PRICES, "", None, "the broker has told no price band"),
            ({}, None, "DH-902", None, "the broker has told no price band: DH-902"),
            ({"INFY": 30, "TCS": 90}, PRICES, "x", 90.0, "TCS, the oldest of 2"),
            ({"TCS": 30, "INFY": 30}, PRICES, "", 30.0, "INFY, the oldest of 2"),
            ({"TCS": 20, "INFY": 30}, None, "", 30.0, "INFY, the oldest of 2"),
            ({"INFY": -5}, PRICES, "", 0.0, "INFY, the oldest of 1; it told none of TCS"),
            ({"INFY": 1}, PRICES, "x", 1.0, "INFY, the oldest of 1; it told none of TCS: x"),
            (
                {"A": 1},
                dict.fromkeys("HGFEDCBA", (1.0, NOON_NS)),
                "x",
                *(1.0, "A, the oldest of 1; it told none of B, C, D, E, F and 2 more: x"),
            ),
            (
                {"A": 1},
                dict.fromkeys("FEDCBA", (1.0, NOON_NS)),
                "",
                *(1.0, "A, the oldest of 1; it told none of B, C, D, E, F"),
            ),
        ],
    )
    def test_of_price_bands_is_the_age_of_the_oldest_and_names_what_has_none(  # noqa: PLR0913, PLR0917
        self, situation, told_s_ago, market, problem, found, formed
    ):
        of = {
            symbol: Band(low=1.0, high=2.0, as_of_ns=NOON_NS - age_s * SECOND_NS)
            for symbol, age_s in told_s_ago.items()
        }
        meets = replace(situation(price_band_age_max_s=90.0), bands=Bands(of=of, problem=problem), market=market)
        told = figure(meets, "price_band_age_max_s")
        formed = f"seconds since the broker told that of {formed}" if of else formed

        assert (told.limit, told.found, told.formed) == (90.0, found, formed)

    @pytest.mark.parametrize(
        ("name", "of", "found", "formed"),
        [
            (
                "open_value_max_rupees", "", 1_050.0 + 21 * 90.0,
                "1,050.00 at their own limits and triggers; INFY 21 x 90.00 at the market's last prices",
            ),
            (
                "gross_value_max_rupees", "", 31 * 90.0 + 5 * 200.0,
                "if all open orders fill; INFY 31 x 90.00, TCS 5 x 200.00 at the market's last prices",
            ),
            (
                "day_loss_max_rupees", "", 100.0,
                "0.00 realised, -100.00 open at the market's last prices, before charges",
            ),
            ("unknown_orders_max", "", 1, "orders in doubt in TCS"),
            (
                "orders_in_flight_max", "", 2,
                "1 orders without the broker's answer, 1 on their way to the journal",
            ),
            ("orders_a_second_max", "", 4, "3 orders passed in the last 1 s, 1 on their way to the journal"),
            ("orders_a_day_max", "", 4, "3 orders passed since midnight in India, 1 on their way"),
            (
                "margin_use_max_percent", "", 1.2,
                "120.00 of 10,000.00 at the broker 5 s ago are needed by what was ordered since",
            ),
            ("order_to_trade_max", "", 3.0, "3 orders, 0 modifications and cancellations, 1 trades today"),
            ("rejects_max", "", 0, "0 orders rejected by the broker in the last 60 s"),
            ("position_max", "INFY", 30, "10 held, 20 open to buy, 0 open to sell"),
            ("strategy_orders_a_day_max", "crossover", 3, "3 of its orders passed since midnight in India"),
            ("strategy_trades_a_day_max", "crossover", 1, "1 of its trades since midnight in India"),
        ],
    )  # fmt: skip
    def test_says_how_it_was_formed(self, situation, name, of, found, formed):
        told = figure(situation(), name, of)

        assert (told.found, told.formed) == (found, formed)

    @pytest.mark.parametrize(
        ("name", "found"),
        [("rejects_max", 1), ("orders_a_second_max", 4), ("orders_a_minute_max", 5), ("orders_an_hour_max", 6)],
    )
    def test_counts_what_is_of_its_period_alone(self, make, situation, name, found):
        now = situation()
        for age_s in (3_600, 60, 59):
            at = {"occurred_ns": NOON_NS - age_s * SECOND_NS}
            now.book.apply(make.intent(f"R-{age_s}", **at))
            now.book.apply(replace(make.rejected(f"R-{age_s}"), **at))

        assert figure(now, name).found == found

    @pytest.mark.parametrize("name", ["open_value_max_rupees", "gross_value_max_rupees", "day_loss_max_rupees"])
    def test_is_unknown_without_a_price_and_names_whose(self, situation, name):
        told = figure(situation(market={"TCS": (200.0, NOON_NS)}), name)

        assert told.found is None
        assert "INFY" in told.formed

    @pytest.mark.parametrize("name", ["open_value_max_rupees", "gross_value_max_rupees", "day_loss_max_rupees"])
    def test_is_unknown_where_no_limit_needs_a_price_and_says_that(self, situation, name):
        told = figure(replace(situation(), market=None), name)

        assert told.found is None
        assert told.formed.endswith("; the market's prices are not heard, since no limit needs them")

    @pytest.mark.parametrize("market", [None, {}, PRICES], ids=["not heard", "no price", "prices"])
    def test_needs_no_price_where_nothing_is_held_or_ordered(self, situation, market):
        flat = replace(situation(market=market), book=Book(), intents={}, reserved={})
        told = [figure(flat, f"{name}_max_rupees") for name in ("open_value", "gross_value", "day_loss")]

        assert [(each.found, each.formed) for each in told] == [
            (0.0, "0.00 at their own limits and triggers"),
            (0.0, "if all open orders fill"),
            (0.0, "0.00 realised, 0.00 open at the market's last prices, before charges"),
        ]

    def test_is_0_of_a_strategy_that_has_ordered_and_not_traded(self, make, situation):
        quiet = situation()
        quiet.book.apply(make.intent("Q", strategy="other", occurred_ns=NOON_NS))

        assert figure(quiet, "strategy_orders_a_day_max", "other").found == 1
        assert figure(quiet, "strategy_trades_a_day_max", "other").found == 0

    def test_is_told_of_a_strategy_that_has_traded_what_it_ordered_before_today(self, make, situation):
        book = Book()
        book.apply(make.intent("Y", strategy="other", occurred_ns=NOON_NS - DAY_NS))
        book.apply(replace(make.filled("Y", strategy="other"), occurred_ns=NOON_NS))
        late = replace(situation(), book=book, day=None)

        assert figure(late, "strategy_orders_a_day_max", "other").found == 0
        assert figure(late, "strategy_trades_a_day_max", "other").found == 1

    def test_says_of_what_was_held_over_the_night_that_its_gain_does_not_count(self, make, situation):
        before = situation()
        assert "held over the night" not in figure(before, "day_loss_max_rupees").formed
        book = Book()
        yesterday_ns = NOON_NS - DAY_NS
        book.apply(make.intent("H", occurred_ns=yesterday_ns))
        book.apply(replace(make.filled("H", quantity=10, price=80.0), occurred_ns=yesterday_ns))
        held = replace(before, book=book, day=None)

        found = figure(held, "day_loss_max_rupees")

        assert found.found == 0
        assert found.formed.endswith("; an open gain of INFY, held over the night, counts as 0")

    def test_has_the_limit_that_is_set(self, situation):
        assert figure(situation(day_loss_max_rupees=500.0), "day_loss_max_rupees").limit == 500.0


LIMITS = {"day_loss_max_rupees": 500.0, "open_value_max_rupees": 1e6, "orders_a_minute_max": 10, "repeats_max": 3}


class TestARuleThatExplainsItself:
    def test_tells_the_number_it_went_by_also_where_the_order_passes(self, make, situation):
        told = {each.rule: each for each in explained(make.order("N", quantity=3), situation(**LIMITS))}

        assert {each.verdict for each in told.values()} == {"passed", "off"}
        assert told["quantity_max"].found == "3"
        assert told["value_max_rupees"].found == "270.00"
        assert told["position_max"].found == "34 if all open orders fill: 10 held, 21 ordered, 3 with this"
        assert told["open_value_max_rupees"].found == "3210.00 with this"
        assert told["orders_a_minute_max"].found == "5 with this"
        assert told["day_loss_max_rupees"].found.startswith("100.00: 0.00 realised and -100.00 open")

    def test_says_in_one_sentence_what_it_is_for(self, make, situation):
        told = {each.rule: each.meaning for each in explained(make.order("A"), situation())}

        assert set(told) == {rule.__name__ for rule in RULES}
        assert all(meaning.endswith(".") and "\n" not in meaning for meaning in told.values())
        assert len(set(told.values())) == len(told)

    def test_says_the_same_as_the_gate(self, make, situation):
        meets = situation(**LIMITS | {"day_loss_max_rupees": 100.0, "quantity_max": 2})
        order = make.order("N", quantity=3)
        told = explained(order, meets)

        assert [each.rule for each in told if each.verdict == "refused"] == ["quantity_max", "day_loss_max_rupees"]
        assert judge(order, meets).rule == "quantity_max"
        assert [each.rule for each in told if each.verdict == "off"] == [
            rule.__name__ for rule in RULES if not is_on(rule, meets.limits)
        ]
        assert next(each for each in told if each.rule == "quantity_max").limit == "2"

    def test_tells_no_number_of_the_one_of_its_limits_that_is_off(self, make, situation):
        order = make.order("N", quantity=3, order_type="LIMIT", limit_price=95.0)
        of_shares, of_options = (
            {each.rule: each.found for each in explained(order, situation(**{name: 20.0}))}
            for name in ("price_collar_percent", "option_collar_percent")
        )

        assert of_shares["price_collar_percent"] != ""
        assert of_options["price_collar_percent"] == ""

    def test_tells_of_unanswered_orders_whose_most_are_if_there_are_any(self, make, situation):
        def told(meets):
            return next(each.found for each in explained(make.order("N"), meets) if each.rule == "orders_in_flight_max")

        assert told(situation()) == "3, 2 of them of crossover"
        assert told(replace(situation(), book=Book(), intents={}, reserved={})) == "1"

    def test_has_a_limit_of_its_strategy_where_that_has_one(self, make, situation):
        meets = situation(strategy_position_max={"crossover": 50, "other": 7})
        told = explained(make.order("N"), replace(meets, strategy_position_max=50))

        (own,) = [each for each in told if each.rule == "strategy_position_max"]
        assert (own.limit, own.verdict) == ("50", "passed")
        assert own.found == "41 if all open orders fill: 10 held, 21 ordered, 10 with this"


def test_orders_tells_it_of_what_it_holds_now(stage, make):
    stage.open()
    stage.place(make.order("A-1", quantity=10))
    stage.settle()
    told = stage.system.request("orders", ReadRisk())

    assert told.risk_state == "NORMAL"
    assert [(each.found, each.of) for each in told.figures if each.limit_name == "position_max"] == [(10, "INFY")]


def test_each_figure_has_the_limit_of_its_name(situation):
    numbers = {
        name: type(value)(number)
        for number, (name, value) in enumerate(msgspec.structs.asdict(situation().limits).items(), 21)
        if type(value) in {int, float}
    }
    found = figures_of(situation(**numbers))

    assert len({each.limit_name for each in found}) > 10
    assert {each.limit_name: each.limit for each in found if not each.of} == {
        each.limit_name: numbers[each.limit_name] for each in found if not each.of
    }


@pytest.mark.parametrize(
    ("funds", "formed"),
    [
        (None, "the broker has told no funds"),
        (Funds(available_rupees=0.0, as_of_ns=NOON_NS, covered={}), "0.00 at the broker 0 s ago"),
        (Funds(available_rupees=-5.0, as_of_ns=NOON_NS - SECOND_NS, covered={}), "-5.00 at the broker 1 s ago"),
    ],
)
def test_a_margin_is_unknown_without_funds(situation, funds, formed):
    told = figure(replace(situation(margin_use_max_percent=90.0), funds=funds), "margin_use_max_percent")

    assert (told.limit, told.found, told.formed) == (90.0, None, formed)


@pytest.mark.parametrize(("session", "told"), [("NSE", "NSE"), ("none", "none")])
def test_a_limit_that_is_a_word_is_told_as_it_is(make, session, told):
    (rule,) = (each for each in RULES if each.__name__ == "session")

    assert limit_of(rule, make.limits(session=session)).split(", ")[0] == told


def test_limits_by_strategy_are_told_all_together_or_that_of_one(make):
    limits = make.limits(strategy_position_max={"a": 1_000, "b": 20})
    told = functools.partial(limit_of, next(each for each in RULES if each.__name__ == "strategy_position_max"), limits)

    assert (told(), told("a"), told("b"), told("c")) == ("a: 1,000, b: 20", "1,000", "20", "none")

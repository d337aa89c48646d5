"""What the rules consider: orders that are on their way, and one that another takes the place of."""

import msgspec
import pytest
from msgspec.structs import replace

from natya.actors.orders.book import Book
from natya.actors.orders.book.day import INFINITE, UNITS
from natya.actors.orders.rules import RULES, Situation
from natya.actors.orders.rules.flow import orders_in_flight_max
from natya.actors.orders.rules.identity import contradiction
from natya.actors.orders.rules.table import OF_ONE_ORDER, ON_CHANGES
from natya.domain.orders import refused
from natya.domain.time import SECOND_NS

NOON_NS = 1_791_181_800 * SECOND_NS
PRICES = {"INFY": (100.0, NOON_NS), "TCS": (200.0, NOON_NS)}


@pytest.fixture
def situation(make):
    def build(*facts, intents=(), market=PRICES, **limits):
        book = Book()
        for fact in facts:
            book.apply(fact)
        return Situation(
            risk_state="NORMAL",
            limits=make.limits(**limits),
            book=book,
            intents={each.client_order_id: each for each in intents},
            now_ns=NOON_NS,
            market=market,
        )

    return build


class TestWhatIsHeldInTheWorstCase:
    def test_counts_what_is_on_its_way_of_the_same_symbol_and_side_alone(self, make, situation):
        found = situation(
            intents=[
                make.order("W-1", quantity=1),
                make.order("W-2", quantity=20, side="SELL"),
                make.order("W-3", quantity=300, symbol="TCS"),
                make.order("W-4", quantity=4_000, strategy="other"),
            ]
        )

        assert (found.worst_case("INFY", "BUY"), found.worst_case("INFY", "SELL")) == (4_001, -20)
        assert found.worst_case("TCS", "BUY") == 300
        assert found.worst_case_of("crossover", "INFY", "BUY") == 1
        assert found.worst_case_of("crossover", "INFY", "SELL") == -20
        assert found.most_shares() == {"INFY": (4_001, 20), "TCS": (300, 0)}
        assert found.worst_shares() == {"INFY": 4_001, "TCS": 300}
        assert (found.intents_of("crossover"), found.intents_of("other"), found.intents_of("none")) == (3, 1, 0)

    @pytest.mark.parametrize(
        ("side", "most"),
        [("BUY", {"INFY": (17, 2), "TCS": (0, 4)}), ("SELL", {"INFY": (10, 9), "TCS": (0, 4)})],
    )
    def test_counts_the_order_that_is_asked_about_on_its_own_side(self, make, situation, side, most):
        waiting = [make.order("W-1", symbol="TCS", side="SELL", quantity=4)]
        facts = [make.intent("B", quantity=10), make.intent("S", side="SELL", quantity=2)]
        found, order = situation(*facts, intents=waiting), make.order("N", side=side, quantity=7)

        assert found.most_shares(order) == most
        assert found.worst_shares(order) == {symbol: max(both) for symbol, both in most.items()}

    @pytest.mark.parametrize("side", ["BUY", "SELL"])
    def test_does_not_count_the_order_that_is_replaced_on_its_own_side(self, make, situation, side):
        other = "SELL" if side == "BUY" else "BUY"
        found = situation(
            make.intent("A", side=side, quantity=7, occurred_ns=NOON_NS),
            make.accepted("A", "B-1"),
            make.intent("B", side=other, quantity=5, occurred_ns=NOON_NS),
            make.intent("C", side=side, symbol="TCS", quantity=3, occurred_ns=NOON_NS),
        )
        sign = 1 if side == "BUY" else -1
        before = [found.worst_case(*of) for of in (("INFY", side), ("INFY", other), ("TCS", side))]
        after = replace(found, replaced=found.book.order("A"))

        assert before == [7 * sign, -5 * sign, 3 * sign]
        assert [after.worst_case(*of) for of in (("INFY", side), ("INFY", other), ("TCS", side))] == [
            *(0, -5 * sign, 3 * sign),
        ]
        assert after.worst_shares(make.order("A", side=side, quantity=3)) == {"INFY": 5, "TCS": 3}
        assert [after.worst_case_of("crossover", *of) for of in (("INFY", side), ("INFY", other), ("TCS", side))] == [
            *(0, -5 * sign, 3 * sign),
        ]

    def test_does_not_count_the_greater_of_two_exits_where_either_of_them_is_replaced(self, make, situation):
        exits = {"side": "SELL", "occurred_ns": NOON_NS}
        found = situation(
            make.intent("A", target_price=110.0, stop_loss_price=90.0, occurred_ns=NOON_NS),
            make.filled("A"),
            make.intent("AT", quantity=10, **exits),
            make.intent("AS", quantity=7, **exits),
        )

        assert found.worst_case("INFY", "SELL") == 0
        for name in ("AT", "AS"):
            replaced = replace(found, replaced=found.book.order(name))
            assert replaced.worst_case("INFY", "SELL") == replaced.worst_case_of("crossover", "INFY", "SELL") == 10
            assert replaced.closable_of_product(make.order(side="SELL")) == 10


class TestWhatMayBeClosedOfAProduct:
    def test_is_what_is_held_of_it_less_what_its_open_orders_may_close(self, make, situation):
        at, sell = {"occurred_ns": NOON_NS}, {"side": "SELL", "occurred_ns": NOON_NS}
        found = situation(
            *(make.intent("C", product="CNC", **at), make.filled("C", quantity=10)),
            *(make.intent("I", quantity=7, **at), make.filled("I", "T-2", quantity=7)),
            make.intent("SC", product="CNC", quantity=4, **sell),
            make.intent("SI", quantity=2, **sell),
            make.intent("SM", quantity=5, product="MARGIN", **sell),
            make.intent("B", quantity=3, product="CNC", **at),
            intents=[make.order("W", side="SELL", quantity=1, product="CNC")],
        )

        def closable(side="SELL", **fields):
            return found.closable_of_product(make.order("N", side=side, **fields))

        assert [closable(product=each) for each in ("CNC", "INTRADAY", None, "MARGIN")] == [5, 5, 5, 0]
        assert [closable("BUY", product=each) for each in ("CNC", None)] == [0, 0]
        assert closable(product="CNC", symbol="TCS") == 0
        replaced = replace(found, replaced=found.book.order("SC"))
        assert replaced.closable_of_product(make.order("N", side="SELL", product="CNC")) == 9
        assert replaced.closable_of_product(make.order("N", side="SELL")) == 5


class TestWhatIsSurelyNotExceeded:
    @pytest.mark.parametrize(
        ("waiting", "own", "ordered"),
        [
            ({"symbol": "TCS", "limit_price": 300.0}, {}, 100.0 + 3_000.0),
            ({"symbol": "TCS", "limit_price": 150.0}, {"limit_price": 120.0}, 120.0 + 2_000.0),
            (
                {"symbol": "TCS", "order_type": "STOP", "trigger_price": 250.0},
                {"order_type": "STOP", "trigger_price": 90.0},
                100.0 + 2_500.0,
            ),
            ({"limit_price": 120.0}, {"limit_price": 110.0}, 110.0 + 1_200.0),
            ({"limit_price": 110.0}, {"limit_price": 120.0}, 120.0 + 1_200.0),
            ({"order_type": "STOP_LIMIT", "limit_price": 90.0, "trigger_price": 80.0}, {}, 100.0 + 1_000.0),
        ],
    )
    def test_counts_each_order_in_full_at_its_own_price_or_at_the_markets_where_that_is_higher(
        self, make, situation, waiting, own, ordered
    ):
        """All of a symbol may count at the price of the order that is judged."""
        held = make.intent("H", symbol="TCS", quantity=3), make.filled("H", symbol="TCS", quantity=3)
        found = situation(*held, intents=[make.order("W", quantity=10, **waiting)])

        assert found.sums(make.order("N", quantity=1, **own)) == (600.0, ordered, 600.0 + ordered, ordered)

    @pytest.mark.parametrize("market", [None, {"INFY": (100.0, 1)}, PRICES | {"TCS": (0.0, 1)}], ids=str)
    def test_is_not_so_easy_without_a_price(self, make, situation, market):
        waiting = [make.order("W", symbol="TCS", quantity=10)]
        held = make.intent("H", symbol="TCS", quantity=3), make.filled("H", symbol="TCS", quantity=3)

        assert situation(*held, market=market).sums(make.order("N")) == (INFINITE,) * 4
        if market != PRICES | {"TCS": (0.0, 1)}:
            assert situation(intents=waiting, market=market).sums(make.order("N")) == (INFINITE,) * 4


class TestTheValueOfOpenOrders:
    def test_is_at_their_own_prices_or_by_shares_and_leaves_out_the_one_that_is_replaced(self, make, situation):
        found = situation(
            make.intent("M", quantity=7, occurred_ns=NOON_NS),
            make.intent("L", quantity=5, order_type="LIMIT", limit_price=90.0, occurred_ns=NOON_NS),
            intents=[make.order("W", quantity=2), make.order("V", quantity=1, order_type="LIMIT", limit_price=80.0)],
        )
        orders = found.book.order("M"), found.book.order("L")

        assert found.open_shares() == (530 * UNITS, {"INFY": 9})
        assert replace(found, replaced=orders[0]).open_shares() == (530 * UNITS, {"INFY": 2})
        assert replace(found, replaced=orders[1]).open_shares() == (80 * UNITS, {"INFY": 9})
        assert found.open_value_with(make.order("N", quantity=1)) == 530.0 + 10 * 100.0

    @pytest.mark.parametrize(
        ("price", "value"), [(0.05, 2.0), (1.0, 40.0), (0.0, None), (-1.0, None), (INFINITE, None)]
    )
    def test_is_known_of_whatever_costs_more_than_nothing(self, make, situation, price, value):
        found = situation(market={"INFY": (price, NOON_NS)}, open_value_max_rupees=1.0, gross_value_max_rupees=1.0)

        assert found.open_value_with(make.order(quantity=40)) == value
        assert found.gross_value_with(make.order("A-2", quantity=40)) == value

    def test_is_by_the_price_that_the_strategy_saw_where_orders_hears_none(self, make, situation):
        found = situation(market=None, open_value_max_rupees=1.0, gross_value_max_rupees=1.0)

        assert found.open_value_with(make.order(quantity=40, reference_price=0.5)) == 20.0
        assert found.gross_value_with(make.order("A-2", quantity=40, reference_price=2.0)) == 80.0
        held = situation(make.intent("T", symbol="TCS"), market=None, open_value_max_rupees=1.0)
        assert held.open_value_with(make.order(quantity=40)) is None, "nobody has told the price of the other"


class TestWhoHasMostUnansweredOrders:
    def test_is_named_and_the_later_name_where_two_have_as_many(self, make, situation):
        def told(*strategies):
            waiting = [make.order(f"W-{number}", strategy=each) for number, each in enumerate(strategies)]
            return orders_in_flight_max(make.order("N"), situation(intents=waiting, orders_in_flight_max=1))

        assert told("asha", "asha", "bala").endswith("found 4, 2 of them of asha")
        assert told("asha", "bala", "bala").endswith("found 4, 2 of them of bala")
        assert told("bala", "asha").endswith("found 3, 1 of them of bala")


class TestARepeatOfAnOrder:
    @pytest.mark.parametrize(
        "other",
        [
            {"strategy": "other"},
            {"symbol": "TCS"},
            {"side": "SELL"},
            {"quantity": 11},
            {"order_type": "MARKET", "limit_price": None},
            {"limit_price": 99.5},
        ],
        ids=str,
    )
    def test_must_be_as_the_first_was_passed_or_refused(self, make, other):
        first = make.order("A", quantity=10, order_type="LIMIT", limit_price=99.0)
        changed = replace(first, **other)
        (name, *_), (wanted, *_), (found, *_) = other, [getattr(first, each) for each in other], [*other.values()]

        for earlier in (first, refused(first, rule="r", reason="s", now_ns=1)):
            assert contradiction(first, earlier) is None
            refusal = contradiction(changed, earlier)
            assert refusal.rule == "duplicate"
            assert refusal.reason.startswith(
                f"{name} {wanted!r} wanted, as the order of that id has it, found {found!r}"
            )

    @pytest.mark.parametrize("other", [{"validity": "IOC"}, {"product": "CNC"}, {"target_price": 110.0}], ids=str)
    def test_is_compared_with_a_refused_one_by_what_that_has(self, make, other):
        first = make.order("A", quantity=10, order_type="LIMIT", limit_price=99.0)
        changed = replace(first, **other)

        assert contradiction(changed, first) is not None
        assert contradiction(changed, refused(first, rule="r", reason="s", now_ns=1)) is None

    def test_has_no_price_that_the_refused_one_had_not(self, make):
        first = make.order("A", order_type="MARKET")
        again, earlier = replace(first, limit_price=99.0), refused(first, rule="r", reason="s", now_ns=1)

        assert contradiction(again, earlier).reason.startswith("limit_price None wanted")
        assert contradiction(again, msgspec.structs.replace(earlier, order_type=None)) is None

    def test_is_compared_with_one_that_an_earlier_release_refused_without_its_prices(self, make):
        first = make.order("A", quantity=10, order_type="LIMIT", limit_price=99.0)
        old = msgspec.structs.replace(
            refused(first, rule="r", reason="s", now_ns=1), order_type=None, limit_price=None, trigger_price=None
        )

        assert contradiction(first, old) is None
        assert contradiction(replace(first, quantity=11), old) is not None

    @pytest.mark.parametrize(
        "other", [{"target_price": 111.0}, {"stop_loss_price": 94.0}, {"target_price": None}], ids=str
    )
    def test_names_no_product_where_the_gate_gave_it_one_and_has_all_else_as_before(self, make, other):
        given = make.order("A", product="CNC", target_price=110.0, stop_loss_price=95.0)
        again = replace(given, product=None)

        assert contradiction(again, given) is None
        assert contradiction(replace(given, product="INTRADAY"), given) is not None
        assert contradiction(replace(again, **other), given) is not None

    def test_is_told_in_characters_that_can_be_printed_and_not_for_ever(self, make):
        reason = contradiction(make.order("A", strategy="x\n" * 300), make.order("A")).reason

        assert len(reason) == 200
        assert reason.isprintable()


def test_a_change_keeps_each_rule_of_sums_and_sizes_that_an_order_keeps():
    by_the_whole = {"symbol", "session", "quantity_max", "price_age_max_s", "price_collar_percent", "value_max_rupees"}
    by_the_whole |= {"price_band_age_max_s", "exits", "freeze_quantity"}
    by_the_rest = {"risk_state", "clock_skew_max_s", "open_value_max_rupees", "gross_value_max_rupees", "position_max"}
    by_the_rest |= {"strategy_position_max", "unknown_orders_max", "day_loss_max_rupees", "margin_use_max_percent"}

    assert {rule.__name__ for rule in OF_ONE_ORDER} == by_the_whole
    assert {rule.__name__ for rule in ON_CHANGES} == by_the_rest
    assert {*OF_ONE_ORDER, *ON_CHANGES} <= {*RULES}

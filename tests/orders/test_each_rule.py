"""Each rule is there: at its limit an order passes, beyond it the rule refuses, and without the rule it would pass."""

import pytest
from msgspec.structs import replace

from natya.actors.orders.book import Book
from natya.actors.orders.rules import RULES, Band, Bands, Funds, Situation, judge, rules_of
from natya.domain.time import SECOND_NS
from natya.messages.broker import ClockCompared

NOON_NS = 1_791_181_800 * SECOND_NS
"""12:00 in India on Monday, 5 October 2026."""

CLOSE_NS = NOON_NS + 11_700 * SECOND_NS
"""15:15, when continuous trading of shares ends that derivatives are of."""

PRICES = {"INFY": (100.0, NOON_NS)}


def held(make, quantity, price=100.0):
    fill = replace(make.filled("H", quantity=quantity, price=price), occurred_ns=NOON_NS)
    return [make.intent("H", quantity=quantity, occurred_ns=NOON_NS, strategy="crossover"), fill]


def unknown(make, symbol):
    return [make.intent("U", symbol=symbol, occurred_ns=NOON_NS - 20 * SECOND_NS), make.uncertain("U")]


def sent(make, count, **fields):
    fields = {"symbol": "TCS", "strategy": "other", "occurred_ns": NOON_NS, "limit_price": 1.0} | fields
    return [
        fact
        for number in range(count)
        for fact in (make.intent(f"S-{number}", **fields), make.accepted(f"S-{number}", f"B-{number}"))
    ]


def limited(name, limit, at, beyond, **more):
    """A rule, its limit, and what an order or the situation is at the limit and beyond."""
    return name, {name: limit}, at, beyond, more


CASES = [
    ("risk_state", {}, {}, {"risk_state": "HALTED"}, {}),
    limited(
        "clock_skew_max_s", 2.0, {"clock": ClockCompared(skew_s=-2.0, as_of_ns=NOON_NS)},
        {"clock": ClockCompared(skew_s=-2.1, as_of_ns=NOON_NS)},
    ),
    ("client_order_id", {}, {"client_order_id": "A" * 25}, {"client_order_id": "A" * 26}, {}),
    ("duplicate", {}, {}, {"client_order_id": "H"}, {"facts": lambda make: held(make, 1)}),
    ("symbol", {"symbols": ("INFY",)}, {}, {"symbol": "TCS"}, {}),
    ("session", {"session": "NSE"}, {"now_ns": CLOSE_NS - 1}, {"now_ns": CLOSE_NS}, {}),
    ("terms", {}, {}, {"order_type": "MARKET", "limit_price": 100.0}, {}),
    ("exits", {}, {"target_price": 100.05}, {"target_price": 100.0}, {"market": PRICES}),
    limited("order_age_max_s", 2.0, {"submitted_ns": NOON_NS - 2 * SECOND_NS}, {"submitted_ns": 1}),
    limited("quantity_max", 10, {"quantity": 10}, {"quantity": 11}),
    ("freeze_quantity", {}, {"quantity": 10}, {"quantity": 11}, {"freeze_quantities": {"INFY": 10}}),
    limited("price_age_max_s", 3.0, {"reference_ns": NOON_NS - 3 * SECOND_NS}, {"reference_ns": 1}),
    limited("price_collar_percent", 2.0, {"limit_price": 102.0}, {"limit_price": 102.05}, market=PRICES),
    limited(
        "price_band_age_max_s", 90.0, {"limit_price": 110.0}, {"limit_price": 110.05},
        bands=Bands(of={"INFY": Band(low=90.0, high=110.0, as_of_ns=NOON_NS)}),
    ),
    limited("value_max_rupees", 1_000.0, {"limit_price": 100.0}, {"limit_price": 100.05}),
    limited("open_value_max_rupees", 1_000.0, {"quantity": 10}, {"quantity": 11}, market=PRICES),
    limited("gross_value_max_rupees", 1_000.0, {"quantity": 10}, {"quantity": 11}, market=PRICES),
    limited("position_max", 10, {"quantity": 10}, {"quantity": 11}),
    limited("strategy_position_max", {"crossover": 10}, {"quantity": 10}, {"quantity": 11}),
    limited(
        "unknown_orders_max", 2, {}, {"symbol": "TCS"}, facts=lambda make: unknown(make, "TCS"),
        market=PRICES | {"TCS": (1.0, NOON_NS)},
    ),
    limited(
        "day_loss_max_rupees", 500.0, {"market": {"INFY": (50.05, NOON_NS)}}, {"market": {"INFY": (50.0, NOON_NS)}},
        facts=lambda make: held(make, 10),
    ),
    limited(
        "margin_use_max_percent", 90.0, {"quantity": 45}, {"quantity": 46}, market=PRICES,
        funds=Funds(available_rupees=1_000.0, as_of_ns=NOON_NS, covered={}),
    ),
    limited("orders_in_flight_max", 2, {"waiting": 1}, {"waiting": 2}),
    limited("strategy_orders_in_flight_max", {"crossover": 2}, {"waiting": 1}, {"waiting": 2}),
    limited("orders_a_moment_max", 2, {"at_this_moment": 2}, {"at_this_moment": 3}),
    limited("orders_a_second_max", 3, {"sent": 2}, {"sent": 3}),
    limited("orders_a_minute_max", 3, {"sent": 2}, {"sent": 3}),
    limited("orders_an_hour_max", 3, {"sent": 2}, {"sent": 3}),
    limited("orders_a_day_max", 3, {"sent": 2}, {"sent": 3}),
    limited("strategy_orders_a_day_max", 3, {"waiting": 2}, {"waiting": 3}),
    limited("strategy_trades_a_day_max", 1, {}, {"facts": lambda make: held(make, 1)}),
    limited("repeats_max", 2, {"waiting": 1}, {"waiting": 2}),
]  # fmt: skip

OF_THE_SITUATION = {"freeze_quantities", "bands", "funds", "clock", "risk_state", "now_ns", "market", "at_this_moment"}


def asked(make, limits, given):
    """Build the order, and the situation that it meets."""
    given = dict(given)
    facts = [*given.pop("facts", lambda _: [])(make), *sent(make, given.pop("sent", 0))]
    waiting = {f"W-{number}": make.order(f"W-{number}") for number in range(given.pop("waiting", 0))}
    book = Book()
    for fact in facts:
        book.apply(fact)
    of_the_situation = {"risk_state": "NORMAL", "now_ns": NOON_NS, "at_this_moment": 1} | {
        name: given.pop(name) for name in OF_THE_SITUATION & {*given}
    }
    if "limit_price" in given:
        given.setdefault("order_type", "LIMIT")
    settings = make.limits(**{"quantity_max": 1_000, "orders_in_flight_max": 100} | limits)
    situation = Situation(
        limits=settings,
        book=book,
        intents=waiting,
        strategy_position_max=settings.strategy_position_max.get("crossover"),
        strategy_orders_in_flight_max=settings.strategy_orders_in_flight_max.get("crossover"),
        **of_the_situation,
    )
    return make.order(**given), situation


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_refuses_beyond_its_limit_alone_and_nothing_else_does(make, case):
    name, limits, at, beyond, more = case
    order, situation = asked(make, limits, more | at)
    assert judge(order, situation, rules_of(situation.limits)) is None

    order, situation = asked(make, limits, more | beyond)
    assert judge(order, situation, rules_of(situation.limits)).rule == name
    without = tuple(rule for rule in RULES if rule.__name__ != name)
    assert judge(order, situation, without) is None


def test_there_is_a_case_of_every_rule():
    assert {case[0] for case in CASES} == {rule.__name__ for rule in RULES}


def test_a_rule_without_a_limit_is_not_asked(make):
    asked_by_default = {rule.__name__ for rule in rules_of(make.limits())}

    assert asked_by_default == {
        *("risk_state", "client_order_id", "duplicate", "symbol", "terms", "exits", "quantity_max"),
        *("freeze_quantity", "value_max_rupees"),
        *("position_max", "orders_in_flight_max", "orders_a_moment_max"),
    }

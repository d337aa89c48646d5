"""What the gate went by when it decided on an order, from the journal alone."""

import msgspec
import pytest

from natya.actors.orders import OrdersActorSettings
from natya.actors.orders.hindsight import EXITS_NOT_KEPT, NOT_KEPT, decision_on
from natya.messages.journal import JournalRecord

LIMITS = OrdersActorSettings.default(quantity_max=100, value_max_rupees=1_500.0, position_max=15)


@pytest.fixture
def records(make):
    facts = [
        make.intent("A-1", quantity=10),
        make.filled("A-1", quantity=10),
        make.intent("A-2", quantity=5),
        make.refusal("A-3", rule="position_max"),
        make.filled("A-2", trade_id="T-2", quantity=5),
    ]
    return [
        JournalRecord(sequence=sequence, recorded_ns=1, correlation_id="", fact=fact)
        for sequence, fact in enumerate(facts, 1)
    ]


def said(decision, market):
    return {each.rule: (each.verdict, each.found) for each in decision.explained(LIMITS, market)}


class TestADecision:
    def test_knows_what_came_before_it_and_nothing_after(self, records):
        decision = decision_on("A-2", iter(records))

        assert decision.sequence == 3
        assert said(decision, {"INFY": (100.0, 1)})["position_max"] == (
            "passed",
            "15 if all open orders fill: 10 held, 0 ordered, 5 with this",
        )

    def test_counts_what_was_open_then(self, records):
        told = said(decision_on("A-3", iter(records)), {"INFY": (100.0, 1)})

        assert told["position_max"] == ("refused", "25 if all open orders fill: 10 held, 5 ordered, 10 with this")
        assert told["value_max_rupees"] == ("passed", "1000.00")

    @pytest.mark.parametrize(
        ("terms", "value"),
        [
            ({}, "1000.00"),
            ({"order_type": "LIMIT", "limit_price": 120.0}, "1200.00"),
            ({"order_type": "STOP", "trigger_price": 130.0}, "1300.00"),
        ],
    )
    def test_on_a_refused_order_goes_by_its_own_prices_where_they_were_kept(self, make, terms, value):
        fact = make.refusal("A-3", rule="position_max", **terms)
        records = [JournalRecord(sequence=1, recorded_ns=1, correlation_id="", fact=fact)]

        told = said(decision_on("A-3", iter(records)), {"INFY": (100.0, 1)})
        assert told["value_max_rupees"] == ("passed", value)

    def test_on_one_that_an_earlier_release_refused_goes_by_an_order_at_the_market(self, make):
        fact = msgspec.structs.replace(make.refusal("A-3"), order_type=None)
        records = [JournalRecord(sequence=1, recorded_ns=1, correlation_id="", fact=fact)]

        assert decision_on("A-3", iter(records)).order.order_type == "MARKET"

    def test_is_found_among_facts_of_no_order(self, make, records):
        records.insert(0, JournalRecord(sequence=1, recorded_ns=1, correlation_id="", fact=make.change("REDUCING")))

        assert decision_on("A-1", iter(records)).ledger.book.risk_state == "REDUCING"

    def test_does_not_guess_prices(self, records):
        decision = decision_on("A-2", iter(records))

        assert decision.symbols == ("INFY",)
        assert said(decision, {})["value_max_rupees"] == ("unknown", "")

    def test_of_a_rule_on_prices_stands_where_all_of_them_are_known(self, make, records):
        limits = msgspec.structs.replace(LIMITS, value_max_rupees=999.0)
        known, unknown = (
            {each.rule: each for each in decision_on("A-3", iter(records)).explained(limits, market)}
            for market in ({"INFY": (100.0, 1)}, {})
        )

        assert (known["value_max_rupees"].verdict, known["value_max_rupees"].found) == ("refused", "1000.00")
        assert (unknown["value_max_rupees"].verdict, unknown["value_max_rupees"].found) == ("unknown", "")
        other = JournalRecord(sequence=6, recorded_ns=1, correlation_id="", fact=make.intent("T-1", symbol="TCS"))
        told = decision_on("A-3", iter([other, *records])).explained(limits, {"INFY": (100.0, 1)})
        assert {each.rule: each.verdict for each in told}["value_max_rupees"] == "unknown", "TCS has no price"

    @pytest.mark.parametrize(
        ("rule", "band", "funds"),
        [
            ("", ("passed", NOT_KEPT), ("passed", NOT_KEPT)),
            ("quantity_max", ("unknown", ""), ("unknown", "")),
            ("price_band_age_max_s", ("refused", "121.00"), ("unknown", "")),
            ("position_max", ("passed", NOT_KEPT), ("unknown", "")),
            ("margin_use_max_percent", ("passed", NOT_KEPT), ("refused", "121.00")),
            ("a rule of another release", ("unknown", ""), ("unknown", "")),
        ],
    )
    def test_itself_says_what_the_rules_said_that_go_by_what_the_broker_told(self, make, rule, band, funds):
        refused = msgspec.structs.replace(make.refusal("A-3", rule=rule), reason="at most 120 wanted, found 121.00")
        fact = refused if rule else make.intent("A-3")
        records = [JournalRecord(sequence=1, recorded_ns=1, correlation_id="", fact=fact)]
        limits = msgspec.structs.replace(LIMITS, margin_use_max_percent=90.0, price_band_age_max_s=90.0)
        told = decision_on("A-3", iter(records)).explained(limits, {"INFY": (100.0, 1)})
        said = {each.rule: (each.verdict, each.found) for each in told}

        assert (said["price_band_age_max_s"], said["margin_use_max_percent"]) == (band, funds)
        assert said["freeze_quantity"] == (band if rule != "price_band_age_max_s" else ("passed", NOT_KEPT))

    @pytest.mark.parametrize(
        ("fact", "said_of_exits"),
        [
            ({"rule": "exits"}, ("refused", "99.00")),
            ({"rule": "position_max"}, ("passed", EXITS_NOT_KEPT)),
            ({"rule": "terms"}, ("unknown", "")),
        ],
    )
    def test_on_a_refused_order_itself_says_what_was_said_of_its_exits(self, make, fact, said_of_exits):
        refused = msgspec.structs.replace(make.refusal("A-3", **fact), reason="a target above 100 wanted, found 99.00")
        records = [JournalRecord(sequence=1, recorded_ns=1, correlation_id="", fact=refused)]

        assert said(decision_on("A-3", iter(records)), {"INFY": (100.0, 1)})["exits"] == said_of_exits

    def test_on_a_passed_order_is_told_of_its_exits_by_what_they_are(self, make):
        fact = make.intent("A-3", target_price=110.0)
        records = [JournalRecord(sequence=1, recorded_ns=1, correlation_id="", fact=fact)]
        decision = decision_on("A-3", iter(records))

        assert said(decision, {"INFY": (100.0, 1)})["exits"] == ("passed", "")
        assert said(decision, {"INFY": (111.0, 1)})["exits"] == ("refused", "110.00")

    @pytest.mark.parametrize("order", ["A-2", "A-3"])
    def test_is_off_where_a_rule_was_that_goes_by_what_the_broker_told(self, records, order):
        told = said(decision_on(order, iter(records)), {})

        assert [told[rule] for rule in ("margin_use_max_percent", "price_band_age_max_s")] == [("off", "")] * 2

    def test_is_what_it_was_where_no_price_matters_or_none_could_refuse(self, records):
        refused, passed = (said(decision_on(name, iter(records)), {}) for name in ("A-3", "A-2"))

        assert refused["position_max"][0] == "refused"
        assert (
            passed["price_collar_percent"]
            == said(decision_on("A-2", iter(records)), {"INFY": (100.0, 1)})["price_collar_percent"]
        )

    def test_of_an_order_that_is_not_there_is_none(self, records):
        assert decision_on("A-9", iter(records)) is None

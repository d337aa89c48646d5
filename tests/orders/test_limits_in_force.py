"""Limits are written down where real orders leave, and each that lets more pass than before is told."""

import json

import pytest

from natya.actors.orders import OrdersActor
from natya.actors.orders.limits_in_force import changes, is_loosened, of_settings, then, values_of
from natya.actors.runtime import RequestTimedOut
from natya.config.sections.orders import InstrumentLimits
from natya.messages.broker import PlaceOrder
from natya.messages.risk import ChangeLimits, LimitsChanged


@pytest.mark.parametrize(
    ("name", "before", "after", "loosened"),
    [
        ("position_max", 10, 11, True),
        ("position_max", 10, 9, False),
        ("day_loss_max_rupees", 500.0, 0.0, True),
        ("day_loss_max_rupees", 0.0, 500.0, False),
        ("no_opens_last_s", 600.0, 0.0, True),
        ("no_opens_last_s", 0.0, 600.0, False),
        ("no_opens_last_s", 600.0, 600.0, False),
        ("session", "NSE", "none", True),
        ("session", "none", "NSE", False),
        ("session", "NSE", "BSE", True),
        ("symbols", ["INFY"], [], False),
        ("symbols", ["INFY"], ["*"], True),
        ("symbols", [], ["TCS"], True),
        ("symbols", ["*"], [], False),
        ("symbols", ["INFY"], ["INFY", "TCS"], True),
        ("symbols", ["INFY", "TCS"], ["TCS"], False),
        ("symbols", ["*"], ["TCS"], False),
        ("symbols", ["INFY", "TCS"], ["TCS", "INFY"], False),
        ("position_max", 10, 10, False),
        ("rejects_max", "none", 5, False),
        ("rejects_max", 5, "none", True),
        ("strategy_position_max", {"a": 5}, {"a": 6}, True),
        ("strategy_position_max", {"a": 5}, {}, True),
        ("strategy_position_max", {"a": 5}, {"a": 4, "b": 9}, False),
        ("strategy_position_max", {"a": 5, "b": 5}, {"a": 4, "b": 6}, True),
        ("strategy_position_max", {"a": 5, "b": 5}, {"a": 4}, True),
        ("strategy_position_max", {"a": 5}, {"a": 5}, False),
        ("strategy_position_max", {}, {"a": 5}, False),
        ("instruments", {}, {"NIFTY-*": {"quantity_max": 75}}, True),
    ],
)
def test_a_limit_is_loosened_where_more_may_pass_than_before(name, before, after, loosened):
    assert is_loosened(name, {name: json.dumps(before)}, json.dumps(after)) == loosened
    assert not is_loosened(name, {}, json.dumps(after))


class TestLimitsThatAreWrittenDown:
    def test_are_read_back_as_they_were(self, make):
        limits = make.limits(
            instruments={"NIFTY-*": InstrumentLimits(quantity_max=75)},
            strategy_position_max={"crossover": 7},
            day_loss_max_rupees=500.0,
            symbols=("INFY",),
        )

        assert then(make.limits(), values_of(limits)) == limits

    def test_of_another_release_are_left_out(self, make):
        assert then(make.limits(), {"no_such_limit": "1"}) == make.limits()

    def test_are_those_that_the_settings_decide_again_where_no_others_are_written(self, make):
        fact = changes(values_of(make.limits()), make.limits(quantity_max=7, position_max=8), 1)

        assert [each.name for each in of_settings(fact, ("position_max",)).changes] == ["position_max"]
        assert of_settings(fact, ("rejects_max",)) is None
        assert of_settings(None, ("position_max",)) is None

    def test_are_no_news_if_they_are_the_same(self, make):
        assert changes(values_of(make.limits()), make.limits(), 1) is None

    def test_are_told_though_they_are_the_same_where_the_settings_decide_them_again(self, make):
        fact = changes(values_of(make.limits()), make.limits(), 1, ended=("position_max",))

        assert [(each.name, each.before, each.after, each.loosened) for each in fact.changes] == [
            ("position_max", "1000", "1000", False)
        ]


def written(stage):
    return [fact for fact in stage.disk.facts if isinstance(fact, LimitsChanged)]


def restart(stage, make, **limits):
    stage.system.stop("orders")
    stage.system.start("orders", OrdersActor, make.limits(**{"lookup_interval_s": 0.02} | limits))
    stage.settle()


class TestARunWithRealOrders:
    def test_writes_all_limits_down_once_and_then_what_is_another(self, stage, make):
        stage.open(audited=True)
        restart(stage, make, audited=True)
        restart(stage, make, audited=True, position_max=2_000, quantity_max=50)
        first, second = written(stage)

        assert {each.name for each in first.changes} == {*values_of(make.limits())}
        assert not any(each.loosened for each in first.changes)
        assert [(each.name, each.before, each.after, each.loosened) for each in second.changes] == [
            ("quantity_max", "100", "50", False),
            ("position_max", "1000", "2000", True),
        ]

    def test_logs_those_alone_that_are_another(self, stage, make, logged):
        def told():
            stage.settle()
            return [each[2] for each in logged() if each[1] == "limit.changed"]

        stage.open(audited=True)
        assert told() == [], "all are new"
        stage.tell(ChangeLimits(values={"quantity_max": "50"}, reason="calm", person="asha", confirmed={}))
        change = {"limit": "quantity_max", "before": "100", "after": "50"}
        assert told() == [{**change, "person": "asha", "reason": "calm"}]
        restart(stage, make, audited=True, quantity_max=50)
        assert [(each.name, each.before, each.after) for each in written(stage)[-1].changes] == [
            ("quantity_max", "50", "50")
        ]
        assert told() == [], "the settings say now what the person did"
        restart(stage, make, audited=True)

        assert told() == [{"limit": "quantity_max", "before": "50", "after": "100"}]

    def test_begins_only_when_they_are_durable(self, stage, make):
        stage.open()
        stage.disk.mode = "refuse"
        stage.system.stop("orders")
        with pytest.raises(RequestTimedOut):
            stage.system.start("orders", OrdersActor, make.limits(audited=True, lookup_interval_s=0.02), timeout_s=0.2)
        stage.submit(make.order("A-1"))
        stage.settle()
        assert stage.disk.kinds("A-1") == []
        stage.disk.mode = "write"
        stage.wait_until(lambda: written(stage))
        stage.settle()
        stage.submit(make.order("A-2"))

        assert stage.asked_next(PlaceOrder).client_order_id == "A-2"


def test_a_run_without_real_orders_writes_none_down(stage):
    stage.open()

    assert written(stage) == []

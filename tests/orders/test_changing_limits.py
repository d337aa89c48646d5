"""Limits that a person changes while the system runs: stricter at once, looser when confirmed; after a restart, too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_builders import a_tick
from natya_orders_stage import Release

from natya.actors.orders import OrdersActor
from natya.actors.orders.limits_in_force import Held, by_person, noted, tightened, values_of, wanted, why_not, with_held
from natya.actors.orders.parts import limiting
from natya.actors.orders.parts.due import WatchDue
from natya.config.sections.orders import InstrumentLimits
from natya.messages.broker import OrderNotPlaced, PlaceOrder
from natya.messages.events import Subscribe
from natya.messages.order_listing import ReadPositions
from natya.messages.orders import OrderRefused
from natya.messages.risk import ChangeLimits, LimitsChanged, LimitsInForce, LimitsKept
from natya.messages.supervision import Unavailable

CONFIRMED = {
    "quantity_max": "100",
    "value_max_rupees": "1_000_000",
    "position_max": "1000",
    "orders_in_flight_max": "20",
}


def a_change(confirmed=(), reason="a calm day", **values):
    return ChangeLimits(values=values, reason=reason, confirmed=dict(confirmed), person="asha")


def judged(make, request, **limits):
    """Return what is wrong with a change, and the fact that it would be."""
    before = make.limits(**limits)
    after, problems = wanted(before, request.values)
    fact = by_person(before, after, before, request, 1)
    return problems or why_not(before, after, fact, request.confirmed), fact


def confirmed(make, **values):
    limits = make.limits()
    return {name: str(getattr(limits, name)) for name in CONFIRMED} | values


class TestAChange:
    def test_that_is_stricter_needs_no_confirmation(self, make):
        problems, fact = judged(make, a_change(position_max="7", no_opens_last_s="600"))

        assert problems == []
        assert {(each.name, each.after, each.loosened) for each in fact.changes} == {
            ("position_max", "7", False),
            ("no_opens_last_s", "600.0", False),
        }
        assert (fact.person, fact.reason) == ("asha", "a calm day")

    def test_that_lets_more_pass_is_wanted_once_more_with_the_limits_that_real_orders_need(self, make):
        for given_, wrong in [
            ({}, 5),
            (confirmed(make), 1),
            (confirmed(make, rejects_max="8"), 1),
            (confirmed(make, rejects_max="9", quantity_max="1"), 1),
            (confirmed(make, rejects_max="9", symbols="TCS"), 1),
            (confirmed(make, rejects_max="9"), 0),
        ]:
            problems, _ = judged(make, a_change(given_, rejects_max="9"), rejects_max=5)

            assert len(problems) == wrong, (given_, problems)

    def test_is_confirmed_by_the_limits_as_they_will_be(self, make):
        request = a_change(confirmed(make, position_max="2_000"), position_max="2000")

        assert judged(make, request)[0] == []
        assert (
            "wanted position_max = 2_000 once more"
            in judged(make, a_change(confirmed(make), position_max="2000"))[0][0]
        )

    @pytest.mark.parametrize(
        ("values", "problem"),
        [
            ({"position_max": "many"}, "position_max: wanted a whole number"),
            ({"position_max": "0"}, "position_max: wanted a whole number from 1"),
            ({"positon_max": "1"}, "did you mean position_max?"),
            ({"lookup_interval_s": "1"}, "wanted a limit of [orders]"),
            ({"strategy_position_max": "1"}, "wanted a limit of [orders]"),
            ({"session": "NYSE"}, "wanted one of none, NSE, BSE"),
        ],
    )
    def test_of_what_is_no_limit_or_no_value_is_named(self, make, values, problem):
        (found,), fact = judged(make, a_change(**values))

        assert problem in found
        assert fact.changes == ()

    def test_is_put_in_force_before_it_is_durable_only_as_far_as_it_is_stricter(self, make):
        before = make.limits(rejects_max=5, no_opens_last_s=300)

        @given(position=st.integers(1, 5_000), rejects=st.integers(0, 9), last_s=st.integers(0, 900))
        def is_no_looser(position, rejects, last_s):
            texts = {"position_max": str(position), "rejects_max": str(rejects), "no_opens_last_s": str(last_s)}
            early = tightened(before, by_person(before, wanted(before, texts)[0], before, a_change(), 1))

            assert early.position_max == min(before.position_max, position)
            assert early.rejects_max == (rejects if 0 < rejects < 5 else 5)
            assert early.no_opens_last_s == max(300, last_s)

        is_no_looser()


class TestWhatAPersonHasChanged:
    def held(self, make, **values):
        before = make.limits()
        found = {}
        noted(found, by_person(before, wanted(before, values)[0], before, a_change(), 1))
        return found

    def test_holds_while_the_settings_say_the_same(self, make):
        limits, ended = with_held(make.limits(), self.held(make, position_max="7"))

        assert (limits, ended) == (make.limits(position_max=7), ())

    def test_ends_when_the_settings_have_been_changed_since(self, make):
        limits, ended = with_held(make.limits(position_max=50), self.held(make, position_max="7"))

        assert (limits.position_max, ended) == (50, ("position_max",))

    def test_ends_when_it_is_what_the_settings_say(self, make):
        before = make.limits()
        held = self.held(make, position_max="7")
        now = make.limits(position_max=7)
        noted(held, by_person(now, before, before, a_change(), 1))

        assert held == {}

    @pytest.mark.parametrize("value", ['"many"', "-1"])
    def test_ends_when_it_is_no_limit_of_this_release(self, make, value):
        configured = values_of(make.limits())["position_max"]
        limits, ended = with_held(make.limits(), {"position_max": Held(value, configured, "asha", "")})

        assert (limits, ended) == (make.limits(), ("position_max",))


@pytest.fixture
def asha(stage):
    return stage.system.probe("asha")


@pytest.fixture
def change(stage, asha):
    def ask(*arguments, **values):
        stage.tell(a_change(*arguments, **values), asha)
        stage.settle()
        return None if asha.is_empty() else asha.receive()

    return ask


def written(stage):
    return [fact for fact in stage.disk.facts if isinstance(fact, LimitsChanged)]


def refused(stage, order):
    stage.submit(order)
    stage.settle()
    return stage.disk.kinds(order.client_order_id) == [OrderRefused]


def restart(stage, make, **limits):
    stage.system.stop("orders")
    stage.system.start("orders", OrdersActor, make.limits(**{"lookup_interval_s": 0.02} | limits))
    stage.settle()


class TestARunningSystem:
    def test_goes_by_a_stricter_limit_from_the_next_order_on_and_after_a_restart(self, stage, make, change):
        stage.open()
        answer = change(quantity_max="3")

        assert isinstance(answer, LimitsInForce)
        assert [(each.before, each.after) for each in answer.changes] == [("100", "3")]
        assert refused(stage, make.order("A-1", quantity=4))
        restart(stage, make)
        assert refused(stage, make.order("A-2", quantity=4))
        assert [fact.reason for fact in written(stage)] == ["a calm day"]

    def test_goes_by_a_limit_that_was_off_before(self, stage, make, change):
        stage.open()
        stage.submit(make.order("A-1"))
        assert stage.asked_next(PlaceOrder).client_order_id == "A-1"
        change(strategy_orders_a_day_max="1")

        assert refused(stage, make.order("A-2"))

    def test_goes_by_a_stricter_limit_of_an_instrument_that_was_traded_before(self, stage, make, change):
        stage.open(instruments={"INFY": InstrumentLimits(position_max=40)})
        stage.submit(make.order("A-1", quantity=30))
        assert stage.asked_next(PlaceOrder).client_order_id == "A-1"
        change(quantity_max="3")

        assert refused(stage, make.order("A-2", quantity=4))

    def test_goes_by_the_settings_when_these_are_changed_and_never_by_the_person_again(self, stage, make, change):
        stage.open()
        change(quantity_max="3")
        restart(stage, make, quantity_max=50)
        restart(stage, make)

        assert not refused(stage, make.order("A-1", quantity=4))
        assert [[(each.after, each.configured) for each in fact.changes] for fact in written(stage)] == [
            [("3", "100")],
            [("50", "")],
        ]

    def test_goes_by_a_looser_limit_only_when_it_is_confirmed_and_durable(self, stage, make, change):
        stage.open(quantity_max=3)
        assert isinstance(change(quantity_max="100"), LimitsKept)
        stage.disk.mode = "hold"
        assert change(confirmed(make), quantity_max="100") is None
        stage.disk.mode = "write"
        assert refused(stage, make.order("A-1", quantity=4))
        assert isinstance(change(position_max="5"), LimitsKept)

    def test_goes_by_a_stricter_limit_also_where_the_journal_does_not_take_it_and_says_so(self, stage, make, change):
        stage.open()
        stage.disk.mode = "refuse"
        answer = change(quantity_max="3")
        stage.disk.mode = "write"

        assert "the journal did not take it" in answer.problems[0]
        assert refused(stage, make.order("A-1", quantity=4))
        assert written(stage) == []

    def test_goes_by_a_stricter_limit_also_where_the_journal_is_read_again_before_it_is_durable(
        self, stage, make, change
    ):
        stage.open()
        stage.disk.mode = "hold"
        assert change(quantity_max="3") is None
        reads = stage.disk.reads
        stage.tell(Unavailable(actor="journal", reason="breaker open", retry_after_s=0.0))
        stage.wait_until(lambda: stage.disk.reads > reads)
        stage.submit(make.order("A-1", quantity=4))
        stage.settle()
        stage.system.tell("journal", Release())
        stage.settle()

        assert stage.disk.kinds("A-1") == [OrderRefused]
        assert [each.after for fact in written(stage) for each in fact.changes] == ["3"]

    def test_is_limited_at_once_where_a_stricter_limit_is_passed_already(self, stage, make, change):
        stage.open()
        for each in ("A-1", "A-2"):
            stage.submit(make.order(each))
            stage.tell(OrderNotPlaced(client_order_id=each, reason="no margin"))
        change(rejects_max="3")
        assert stage.statistics.risk_state == "NORMAL"
        change(rejects_max="2")

        assert stage.statistics.risk_state == "REDUCING"

    def test_wants_a_reason(self, stage, change):
        stage.open()

        assert change(reason=" ", quantity_max="3") == LimitsKept(problems=("wanted a reason, found none",))
        (misspelt,) = change(positon_max="3").problems
        assert "did you mean position_max?" in misspelt
        assert change(quantity_max="100") == LimitsInForce(changes=())

    def test_hears_prices_from_the_moment_on_that_a_limit_needs_them(self, stage, make, change):
        events = stage.system.probe("events")
        stage.open()
        change(price_collar_percent="3")

        assert events.receive() == Subscribe(subscriber="orders", topics=("OperationAsked", "Tick"))

    def test_keeps_the_prices_that_it_has_heard(self, stage, make, asha, change):
        events = stage.system.probe("events")
        stage.open(make.intent(), make.filled(), price_collar_percent=3.0)
        stage.tell(a_tick(price=101.5))
        assert isinstance(change(price_collar_percent="2"), LimitsInForce)
        stage.tell(ReadPositions(), asha)

        assert [(each.symbol, each.price) for each in asha.receive().prices] == [("INFY", 101.5)]
        assert events.is_empty(), "it hears them since its start"

    def test_watches_the_loss_of_the_day_once_however_often_its_limit_is_changed(self, stage, change, monkeypatch):
        monkeypatch.setattr(limiting, "WATCH_S", 3_600.0)
        watches = []

        class Counted(OrdersActor):
            def after(self, seconds, message):
                watches.extend([seconds] * isinstance(message, WatchDue))
                return super().after(seconds, message)

        stage.actor = Counted
        stage.open()
        assert watches == [], "there is no such limit"
        for rupees in ("500", "400", "300"):
            assert isinstance(change(day_loss_max_rupees=rupees), LimitsInForce)

        assert watches == [3_600.0]

    def test_passes_what_it_passed_before(self, stage, make, change):
        stage.open()
        change(quantity_max="3")
        stage.submit(make.order("A-1", quantity=3))

        assert stage.asked_next(PlaceOrder).client_order_id == "A-1"

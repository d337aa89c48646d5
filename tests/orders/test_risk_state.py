"""The risk state: a halt outlives everything, and only a person's reason ends it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_orders_stage import Release

from natya.actors.orders import OrdersActor
from natya.actors.orders.risk_state import RiskControl, strictest, why_not_resumed
from natya.messages.broker import FindOrder, OrderFound, OrderPlaced, PlaceOrder
from natya.messages.kill_switch import HaltTrading
from natya.messages.orders import OrderAccepted, OrderExpired, OrderIntended, OrderRefused
from natya.messages.risk_state import ReduceOnly, Resume, Resumed, ResumeRefused, RiskStateChanged
from natya.messages.supervision import Failed

ON_ITS_WAY = "a durable halt wanted, found a change of it on its way to the journal; ask again"
STATES = st.sampled_from(["NORMAL", "REDUCING", "RECONCILING", "HALTED"])


def a_change(state, previous="NORMAL"):
    return RiskStateChanged(previous=previous, state=state, cause="a test", changed_by="orders", occurred_ns=1)


def changes(stage):
    return [(fact.previous, fact.state) for fact in stage.disk.facts if isinstance(fact, RiskStateChanged)]


def resume(stage, reason="looked into it", person="asha"):
    stage.tell(Resume(reason=reason, person=person), stage.strategy)
    return stage.strategy.receive()


def buried(make):
    """An order that we concluded was never placed."""
    return make.intent("A-1"), make.expired("A-1")


def resurrect(stage):
    """The broker has it after all."""
    stage.tell(OrderPlaced(client_order_id="A-1", broker_order_id="B-1"))


def restart(stage, make):
    stage.system.stop("orders")
    stage.system.start("orders", OrdersActor, make.limits(lookup_interval_s=0.02))
    stage.settle()


@pytest.fixture
def halted(stage, make):
    stage.open(*buried(make))
    resurrect(stage)
    stage.settle()
    return stage


class TestWhatMayPass:
    @given(durable=STATES, on_their_way=st.lists(STATES, max_size=4), alarm=st.sampled_from(["", "a reason"]))
    def test_is_never_more_than_anything_allows(self, durable, on_their_way, alarm):
        control = RiskControl()
        control.alarm = alarm
        pending = [a_change(state) for state in on_their_way]

        known = [durable, *on_their_way, *["HALTED"] * bool(alarm)]
        assert control.state(durable, pending) == strictest("RECONCILING", *known)
        control.is_reconciled = True
        assert control.state(durable, pending) == strictest(*known)

    def test_is_limited_by_each_who_said_so_until_the_same_takes_it_back(self):
        control, told = RiskControl(), []
        for by, reason in (("a", "x"), ("b", "y"), ("a", "x"), ("a", ""), ("a", ""), ("b", "z"), ("b", "")):
            told.append((control.limit(by, reason), control.why_limited))

        assert told == [
            (True, "x"),
            (True, "x; y"),
            (False, "x; y"),
            (True, "y"),
            (False, "y"),
            (True, "z"),
            (True, ""),
        ]

    def test_is_nothing_until_the_halt_itself_is_durable_whatever_else_is(self):
        control = RiskControl()
        control.is_reconciled = True
        control.alarm = "a second reason"
        control.settle(a_change("NORMAL", previous="HALTED"))
        assert control.state("NORMAL", []) == "HALTED"
        control.settle(a_change("HALTED"))

        assert control.state("NORMAL", []) == "NORMAL"

    def test_is_nothing_in_a_halt_and_most_when_normal(self):
        assert strictest("RECONCILING", "HALTED", "NORMAL") == "HALTED"
        assert strictest("REDUCING", "NORMAL") == strictest("NORMAL", "REDUCING") == "REDUCING"
        assert strictest("STARTING", "REDUCING") == strictest("REDUCING", "STARTING") == "STARTING"
        assert strictest("REDUCING", "RECONCILING") == "RECONCILING"
        assert strictest("STARTING", "RECONCILING") == strictest("RECONCILING", "STARTING") == "RECONCILING"


class TestItsCause:
    @pytest.mark.parametrize(
        ("durable", "by_others", "halted", "cause"),
        [
            ("NORMAL", "", "", "durable"),
            ("REDUCING", "", "", "durable"),
            ("HALTED", "", "", "durable"),
            ("NORMAL", "the token", "", "the token"),
            ("REDUCING", "the token", "", "durable; the token"),
            ("HALTED", "the token", "", "durable"),
            ("NORMAL", "", "enough", "enough"),
            ("NORMAL", "the token", "enough", "enough"),
            ("REDUCING", "the token", "enough", "enough"),
        ],
    )
    def test_is_that_of_what_limits_most_and_all_of_what_lets_only_orders_pass_that_reduce(  # noqa: PLR0913, PLR0917
        self, stage, make, durable, by_others, halted, cause
    ):
        stage.open(make.change(durable, cause="durable"), lookup_interval_s=3_600.0)
        if by_others:
            stage.tell(ReduceOnly(reason=by_others))
        if halted:
            stage.disk.mode = "refuse"
            stage.tell(HaltTrading(cause=halted, person="asha"))
        stage.settle()

        assert stage.statistics.risk_cause == cause


class TestAnOrderThatRisesFromTheDead:
    def test_halts_trading_with_a_fact_before_its_own(self, halted, make):
        kinds = [type(fact) for fact in halted.disk.facts]
        fact = halted.disk.facts[2]

        assert kinds == [OrderIntended, OrderExpired, RiskStateChanged, OrderAccepted]
        assert (fact.previous, fact.state, fact.changed_by) == ("NORMAL", "HALTED", "orders")
        assert "A-1" in fact.cause
        assert halted.statistics.risk_state == "HALTED"
        assert halted.statistics.risk_cause == fact.cause

    def test_halts_and_says_why_also_when_the_halt_cannot_be_written_down(self, stage, make):
        stage.open(*buried(make))
        stage.disk.mode = "refuse"
        resurrect(stage)
        stage.settle()

        assert changes(stage) == []
        assert stage.statistics.risk_state == "HALTED"
        assert "A-1" in stage.statistics.risk_cause

    def test_is_none_where_the_answer_that_it_was_taken_is_overtaken_by_the_report_of_its_rejection(self, stage, make):
        """At a broker whose orders are checked after they are taken, and whose reports are faster than its answers."""
        stage.open(make.intent("A-1"), make.rejected("A-1"))
        stage.tell(OrderPlaced(client_order_id="A-1", broker_order_id="B-1"))

        assert stage.asked_next(FindOrder).client_order_id == "A-1"
        assert changes(stage) == []
        stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN"))
        stage.settle()
        assert changes(stage) == [("NORMAL", "HALTED")]

    @pytest.mark.parametrize(
        ("sign", "end"),
        [
            ("acceptance", "expired"),
            ("trade", "expired"),
            ("trade", "rejected"),
            ("look-up", "expired"),
            ("look-up", "rejected"),
        ],
    )
    def test_halts_whatever_buried_it_and_whatever_tells_of_it(self, stage, make, end, sign):
        stage.open(make.intent("A-1"), getattr(make, end)("A-1"))
        stage.tell(
            {
                "acceptance": OrderPlaced(client_order_id="A-1", broker_order_id="B-1"),
                "trade": make.report(quantity=4),
                "look-up": OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN"),
            }[sign]
        )
        stage.settle()

        assert changes(stage) == [("NORMAL", "HALTED")]

    @pytest.mark.parametrize("known", ["accepted", "filled", "cancelled"])
    def test_is_none_that_the_broker_was_known_to_have(self, stage, make, known):
        facts = {
            "accepted": (make.accepted("A-1"), make.expired("A-1")),
            "filled": (make.filled("A-1", quantity=4), make.expired("A-1")),
            "cancelled": (make.cancelled("A-1"),),
        }[known]
        stage.open(make.intent("A-1"), *facts)
        stage.tell(make.report(execution_id="T-9", quantity=4))
        stage.settle()

        assert changes(stage) == []
        assert stage.statistics.risk_state == "NORMAL"

    def test_lets_no_order_pass_from_then_on(self, halted, make):
        halted.submit(make.order("A-2"))
        halted.settle()

        assert [fact.rule for fact in halted.disk.facts if isinstance(fact, OrderRefused)] == ["risk_state"]

    def test_stops_trading_before_that_is_durable(self, stage, make):
        stage.open(*buried(make))
        stage.disk.mode = "hold"
        resurrect(stage)
        stage.submit(make.order("A-2"))
        stage.settle()
        assert stage.statistics.risk_state == "HALTED"
        stage.system.tell("journal", Release())
        stage.settle()

        assert stage.disk.kinds("A-2") == [OrderRefused]

    def test_halts_once_however_many_there_are(self, stage, make):
        stage.open(*buried(make), make.intent("A-2"), make.rejected("A-2"))
        stage.disk.mode = "hold"
        resurrect(stage)
        stage.tell(make.report(client_order_id="A-2", quantity=10))
        stage.settle()
        stage.system.tell("journal", Release())
        stage.settle()

        assert changes(stage) == [("NORMAL", "HALTED")]

    def test_holds_and_is_written_later_when_the_journal_takes_nothing(self, stage, make):
        stage.open(*buried(make))
        stage.disk.mode = "refuse"
        resurrect(stage)
        stage.settle()
        assert stage.statistics.risk_state == "HALTED"
        assert changes(stage) == []
        stage.disk.mode = "write"
        stage.wait_until(lambda: changes(stage))

        assert changes(stage) == [("NORMAL", "HALTED")]
        stage.settle()
        assert stage.statistics.risk_state == "HALTED"

    def test_halts_the_next_life_of_orders_too_when_nothing_was_written(self, stage, make):
        stage.open(*buried(make))
        stage.disk.mode = "hold"
        resurrect(stage)
        stage.settle()
        stage.tell(Failed(actor="journal", message_type="Append", error="OSError", reason="reset"))
        stage.disk.mode = "write"
        stage.wait_until(lambda: changes(stage))

        assert changes(stage) == [("NORMAL", "HALTED")]
        assert stage.statistics.risk_state == "HALTED"
        assert OrderAccepted not in stage.disk.kinds()


class TestAHalt:
    def test_outlives_a_new_process(self, halted, make):
        restart(halted, make)
        halted.submit(make.order("A-2"))
        halted.settle()

        assert halted.statistics.risk_state == "HALTED"
        assert halted.disk.kinds("A-2") == [OrderRefused]
        assert changes(halted) == [("NORMAL", "HALTED")]

    def test_outlives_a_failure_of_orders(self, halted, make):
        halted.disk.mode = "hold"
        halted.submit(make.order("A-2"))
        halted.settle()
        halted.tell(Failed(actor="journal", message_type="Append", error="OSError", reason="reset"))
        halted.disk.mode = "write"
        halted.settle()

        assert halted.statistics.risk_state == "HALTED"

    def test_is_shown_while_the_broker_is_still_asked(self, stage, make):
        stage.open(make.intent("A-1"), a_change("HALTED"))
        stage.settle()
        assert stage.statistics.risk_state == "HALTED"
        stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN"))
        stage.settle()

        assert stage.statistics.risk_state == "HALTED"

    def test_that_is_over_is_over_for_the_next_process_too(self, stage, make):
        stage.open(a_change("HALTED"), a_change("NORMAL", previous="HALTED"))
        stage.settle()

        assert stage.statistics.risk_state == "NORMAL"

    def test_of_less_lets_pass_what_shrinks_a_position_after_a_start_too(self, stage, make):
        stage.open(make.intent("A-1"), make.filled("A-1"), a_change("REDUCING"))
        stage.submit(make.order("A-2", side="SELL"))
        stage.submit(make.order("A-3"))
        stage.settle()

        assert (stage.disk.kinds("A-2"), stage.disk.kinds("A-3")) == ([OrderIntended], [OrderRefused])


class TestResuming:
    @pytest.mark.parametrize(
        ("found", "to_be", "kill_switch", "reason", "why"),
        [
            ("HALTED", "HALTED", False, "seen", ""),
            ("REDUCING", "REDUCING", False, "seen", ""),
            ("REDUCING", "NORMAL", False, "seen", "risk state HALTED wanted, found REDUCING"),
            ("RECONCILING", "REDUCING", False, "seen", "risk state HALTED wanted, found RECONCILING"),
            ("NORMAL", "NORMAL", True, "seen", "risk state HALTED wanted, found NORMAL"),
            ("HALTED", "HALTED", True, "seen", "the kill switch off wanted, found it on: natya kill-switch off"),
            ("REDUCING", "REDUCING", True, " ", "the kill switch off wanted, found it on: natya kill-switch off"),
            ("HALTED", "HALTED", False, " ", "a reason for going on wanted, found none"),
            ("HALTED", "NORMAL", False, " ", "a reason for going on wanted, found none"),
            ("HALTED", "NORMAL", False, "seen", ON_ITS_WAY),
            ("HALTED", "REDUCING", False, "seen", ON_ITS_WAY),
        ],
    )
    def test_is_for_what_lasts_and_is_durable_alone(self, found, to_be, kill_switch, reason, why):
        told = why_not_resumed(Resume(reason=reason), found=found, to_be=to_be, kill_switch=kill_switch)

        assert told == why

    def test_lets_orders_pass_when_it_is_durable(self, halted, make):
        cause = halted.statistics.risk_cause
        assert resume(halted) == Resumed(halted_because=cause)
        halted.submit(make.order("A-2"))

        assert halted.asked_next(PlaceOrder).client_order_id == "A-2"
        change = next(fact for fact in reversed(halted.disk.facts) if isinstance(fact, RiskStateChanged))
        assert (change.previous, change.state, change.cause, change.changed_by) == (
            "HALTED",
            "NORMAL",
            "looked into it",
            "asha",
        )

    def test_lets_nothing_pass_before_it_is_durable_and_is_asked_once(self, halted, make):
        halted.disk.mode = "hold"
        halted.tell(Resume(reason="first"), halted.strategy)
        second = resume(halted, reason="second")
        halted.submit(make.order("A-2"))
        halted.settle()
        assert halted.statistics.risk_state == "HALTED"
        halted.system.tell("journal", Release())

        assert isinstance(second, ResumeRefused)
        assert isinstance(halted.strategy.receive(), Resumed)
        halted.settle()
        assert halted.disk.kinds("A-2") == [OrderRefused]
        assert changes(halted)[1:] == [("HALTED", "NORMAL")]

    def test_survives_a_new_process(self, halted, make):
        resume(halted)
        restart(halted, make)

        assert halted.statistics.risk_state == "NORMAL"

    def test_that_the_journal_refuses_changes_nothing(self, halted):
        halted.disk.mode = "refuse"
        answer = resume(halted)
        halted.settle()

        assert answer == ResumeRefused(risk_state="HALTED", reason="disk full")
        assert halted.statistics.risk_state == "HALTED"

    @pytest.mark.parametrize("reason", ["", " \n"])
    def test_wants_a_reason(self, halted, reason):
        assert "a reason" in resume(halted, reason=reason).reason
        assert len(changes(halted)) == 1

    def test_of_what_is_not_halted_is_refused_and_writes_nothing(self, stage):
        stage.open()

        assert resume(stage) == ResumeRefused(risk_state="NORMAL", reason="risk state HALTED wanted, found NORMAL")
        assert stage.disk.facts == []

    def test_does_not_outweigh_a_halt_that_comes_after_it(self, halted, make):
        halted.tell(make.report("EXPIRED", client_order_id="A-1"))
        halted.disk.facts.extend((make.intent("A-2"), make.expired("A-2")))
        restart(halted, make)
        halted.disk.mode = "hold"
        halted.tell(Resume(reason="first"), halted.strategy)
        halted.settle()
        halted.tell(OrderPlaced(client_order_id="A-2", broker_order_id="B-2"))
        halted.settle()
        halted.system.tell("journal", Release())
        halted.settle()

        assert changes(halted) == [("NORMAL", "HALTED"), ("HALTED", "NORMAL"), ("NORMAL", "HALTED")]
        assert halted.statistics.risk_state == "HALTED"

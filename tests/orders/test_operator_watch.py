"""Where no person has given a sign of life for too long only orders pass that close, until one does."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_orders_stage import Stage

from natya.actors.orders.book.ledger import Ledger
from natya.actors.orders.book.presence import OF_TRADING, Sign, sign_of
from natya.actors.orders.book.reading import ReadBack
from natya.actors.orders.parts.operator_watch import OperatorWatch
from natya.actors.runtime import InProcessSystem, InProcessSystemBase
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.domain.time import SECOND_NS, second_text
from natya.messages.addresses import NAMES
from natya.messages.control import OperationAsked
from natya.messages.journal import JournalRecord
from natya.messages.orders import OrderIntended, OrderRefused
from natya.messages.presence import PresenceNoted, ReportPresence
from natya.messages.risk import LimitChange, LimitsChanged, ReadRisk

LIMIT_S = 100.0
NOON_NS = 1_791_181_800 * SECOND_NS


@pytest.fixture
def simulated(make):
    with InProcessSystem(SimulatedSystemBase(1)) as system:
        yield Stage(system, make)


@pytest.fixture
def watched(simulated):
    return simulated.open(operator_silence_max_s=LIMIT_S)


def asked(at_ns=1, *, actor="orders", operation="cancel-orders", who="user 1000, process 7"):
    return OperationAsked(
        request="1", operation=operation, role="operate", actor=actor, who=who, arguments="{}", occurred_ns=at_ns
    )


def now_ns(stage):
    return stage.system.base.clock.now_ns()


def after(stage, seconds):
    stage.system.base.run_for(seconds)
    stage.settle()
    return stage.statistics.risk_state


def trouble(stage):
    stage.settle()
    return stage.system.base.find("orders").instance.trouble


def ordered(stage, order):
    stage.submit(order)
    stage.settle()
    return stage.disk.kinds(order.client_order_id)[0]


def silence(stage):
    risk = stage.system.request("orders", ReadRisk())
    (figure,) = [each for each in risk.figures if each.limit_name == "operator_silence_max_s"]
    return figure


class TestASystemThatNobodyLooksAfter:
    def test_lets_only_orders_pass_that_close(self, watched, make):
        stage = watched
        stage.place(make.order("A-1", quantity=10))
        stage.tell(make.report(quantity=10))
        assert after(stage, LIMIT_S - 2) == "NORMAL"
        assert after(stage, 4) == "REDUCING"

        assert ordered(stage, make.order("A-2")) is OrderRefused
        assert ordered(stage, make.order("A-3", side="SELL", quantity=10)) is OrderIntended
        cause = stage.statistics.risk_cause
        assert cause.startswith("operator_silence_max_s: a sign of life of a person in 100 s wanted, found none since ")
        assert "natya here" in cause

    def test_says_so_before(self, watched):
        began_ns = now_ns(watched)
        after(watched, 0.7 * LIMIT_S)
        assert trouble(watched) == ""
        after(watched, 0.15 * LIMIT_S)
        assert f"from {second_text(began_ns + round(LIMIT_S * SECOND_NS))} on only orders pass" in trouble(watched)
        after(watched, 0.2 * LIMIT_S)

        assert trouble(watched) == ""
        assert watched.statistics.risk_state == "REDUCING"

    def test_is_warned_of_once(self, watched, logged):
        after(watched, 0.95 * LIMIT_S)

        assert [each[:2] for each in logged() if each[1] == "orders.warned"] == [("WARNING", "orders.warned")]

    def test_is_told_among_the_limits(self, watched):
        after(watched, 50)
        figure = silence(watched)

        assert figure.limit == LIMIT_S
        assert 50 <= figure.found < 55
        assert "(the start)" in figure.formed

    def test_is_not_limited_without_the_limit(self, simulated, make):
        stage = simulated.open()

        assert after(stage, 1_000_000) == "NORMAL"
        assert (silence(stage).limit, trouble(stage)) == (0, "")

    def test_is_not_limited_in_a_simulated_market(self, make):
        with InProcessSystem(InProcessSystemBase(market_opening_ns=1_791_171_900 * SECOND_NS)) as system:
            stage = Stage(system, make).open(operator_silence_max_s=1e-9)

            assert ordered(stage, make.order("A-1")) is OrderIntended
            assert (silence(stage).limit, "off in a simulated market" in silence(stage).formed) == (0, True)


@pytest.mark.parametrize(
    ("silent_ns", "is_answered", "is_warned", "is_limited"),
    [
        (SECOND_NS, True, False, False),
        (SECOND_NS + 1, False, False, False),
        (80 * SECOND_NS - 1, False, False, False),
        (80 * SECOND_NS, False, True, False),
        (100 * SECOND_NS - 1, False, True, False),
        (100 * SECOND_NS, False, False, True),
    ],
)
def test_each_begins_at_its_own_nanosecond(silent_ns, is_answered, is_warned, is_limited):
    now, answers, limits = [NOON_NS], [], {}
    context = SimpleNamespace(
        now_ns=lambda: now[0],
        elapsed_ns=lambda: now[0],
        market_rules=False,
        settings=SimpleNamespace(operator_silence_max_s=100.0),
        puts_off=lambda _asker: False,
        send=lambda _asker, answer: answers.append(answer),
    )
    watch = OperatorWatch(context, SimpleNamespace(limit_by=limits.__setitem__))
    now[0] += silent_ns
    watch.look()
    watch.tell(None)

    assert bool(answers) is is_answered, "the sign is that of the request itself"
    assert bool(watch.warning()) is is_warned
    assert bool(limits["operator"]) is is_limited


class TestASignOfLife:
    def test_lets_orders_pass_again(self, watched, make):
        after(watched, LIMIT_S + 2)
        watched.tell(asked(now_ns(watched)))
        watched.settle()

        assert watched.statistics.risk_state == "NORMAL"
        assert ordered(watched, make.order("A-1")) is OrderIntended
        assert after(watched, LIMIT_S - 5) == "NORMAL"
        assert "(cancel-orders by user 1000, process 7)" in silence(watched).formed

    def test_leaves_what_others_limit_for(self, watched, make):
        after(watched, LIMIT_S + 2)
        watched.system.base.clock.step_wall(3_600 * SECOND_NS)
        after(watched, 2)
        watched.tell(asked(now_ns(watched)))
        watched.settle()

        assert watched.statistics.risk_state == "REDUCING"
        assert "operator" not in watched.statistics.risk_cause

    @pytest.mark.parametrize("actor", sorted(NAMES - OF_TRADING))
    def test_is_none_where_it_may_be_a_job(self, actor):
        assert sign_of(asked(actor=actor)) is None

    def test_is_not_what_a_job_asks_for(self, watched):
        after(watched, LIMIT_S - 2)
        watched.tell(asked(now_ns(watched), actor="database", operation="back-up"))
        assert after(watched, 4) == "REDUCING"

        assert "(the start)" in silence(watched).formed

    @pytest.mark.parametrize("actor", ["orders", "kill-switch", "flattener", "strategies"])
    def test_is_what_a_person_changes_of_trading(self, actor):
        assert sign_of(asked(7, actor=actor, operation="o", who="asha")) == Sign(occurred_ns=7, who="asha", how="o")

    def test_of_a_clock_that_is_set_back_does_not_last_for_ever(self, watched):
        after(watched, 10)
        watched.system.base.clock.step_wall(-3_600 * SECOND_NS)

        assert after(watched, LIMIT_S - 5) == "REDUCING"

    def test_that_a_person_gives_is_answered_when_it_is_durable(self, watched):
        after(watched, 50)
        person = watched.system.probe("asha")
        watched.tell(ReportPresence(), person)
        watched.settle()
        assert person.is_empty()
        watched.tell(asked(now_ns(watched), operation="report-presence"))

        assert person.receive() == PresenceNoted(silence_max_s=LIMIT_S)
        watched.tell(ReportPresence(), person)
        assert person.receive() == PresenceNoted(silence_max_s=LIMIT_S)


class TestAfterARestart:
    def test_the_last_sign_counts_that_the_journal_has(self, simulated, make):
        at_ns = now_ns(simulated)
        simulated.system.base.run_for(60)
        stage = simulated.open(asked(at_ns - 1), asked(at_ns), operator_silence_max_s=LIMIT_S)
        assert silence(stage).found >= 60

        assert after(stage, 30) == "NORMAL"
        assert after(stage, 15) == "REDUCING"

    def test_one_that_is_too_old_lets_nothing_be_opened_from_the_first_order_on(self, simulated, make):
        at_ns = now_ns(simulated)
        simulated.system.base.run_for(2 * LIMIT_S)
        stage = simulated.open(asked(at_ns), operator_silence_max_s=LIMIT_S)

        assert ordered(stage, make.order("A-1")) is OrderRefused

    def test_its_age_goes_on_where_the_clock_is_set_back(self, simulated):
        at_ns = now_ns(simulated)
        simulated.system.base.run_for(60)
        stage = simulated.open(asked(at_ns), operator_silence_max_s=LIMIT_S)
        stage.system.base.clock.step_wall(-3_600 * SECOND_NS)

        assert after(stage, 30) == "NORMAL"
        assert after(stage, 15) == "REDUCING"

    def test_one_of_a_time_that_has_not_come_does_not_last_until_then(self, simulated):
        stage = simulated.open(asked(now_ns(simulated) + 3_600 * SECOND_NS), operator_silence_max_s=LIMIT_S)

        assert after(stage, LIMIT_S - 5) == "NORMAL"
        assert after(stage, 10) == "REDUCING"

    def test_limits_that_were_set_are_one(self, simulated):
        at_ns = now_ns(simulated)
        simulated.system.base.run_for(2 * LIMIT_S)
        change = LimitChange(name="operator_silence_max_s", before="", after=f"{LIMIT_S}", loosened=False)
        changed = LimitsChanged(changes=(change,), occurred_ns=now_ns(simulated), person="asha")
        stage = simulated.open(asked(at_ns), changed, operator_silence_max_s=LIMIT_S)

        assert after(stage, 1) == "NORMAL"
        assert "(limits by asha)" in silence(stage).formed

    def test_of_orders_alone_the_limit_goes_on(self, watched):
        after(watched, LIMIT_S + 2)
        watched.disk.facts.append(asked(now_ns(watched) - round(2 * LIMIT_S * SECOND_NS)))
        watched.system.stop("orders")
        watched.system.start("orders", watched.actor, watched.make.limits(operator_silence_max_s=LIMIT_S))
        watched.settle()

        assert watched.statistics.risk_state == "REDUCING"


ACTORS = st.sampled_from([*sorted(OF_TRADING), "database", "delivery"])


@given(st.lists(st.tuples(st.integers(0, 10**6), ACTORS), max_size=5))
def test_a_reading_knows_the_newest_sign_of_the_journal(made):
    reading, ledger = ReadBack(), Ledger(writer="x")
    for sequence, (at_ns, actor) in enumerate(made, 1):
        fact = asked(at_ns, actor=actor)
        reading.take_in(JournalRecord(sequence=sequence, recorded_ns=1, correlation_id="", fact=fact), ledger)
    signs = [at_ns for at_ns, actor in made if actor in OF_TRADING]
    again = ReadBack()
    again.go_on(reading.kept())

    assert [each.sign and each.sign.occurred_ns for each in (reading, again)] == [signs[-1] if signs else None] * 2

"""A clock that is set ahead gives nobody a second day: its counts go on and nothing opens until a person resumes."""

from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from natya_orders_stage import Release, Stage

from natya.actors.orders.book import Book
from natya.actors.orders.parts.clock_watch import ClockWatch
from natya.actors.runtime import InProcessSystem
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.domain.time import DAY_NS, SECOND_NS
from natya.messages.orders import OrderIntended, OrderRefused
from natya.messages.risk import FundsTold, ReadRisk
from natya.messages.risk_state import Resume, Resumed, RiskStateChanged
from natya.messages.supervision import Failed

NOON_NS = 1_791_181_800 * SECOND_NS


@pytest.fixture
def simulated(make):
    with InProcessSystem(SimulatedSystemBase(1)) as system:
        yield Stage(system, make)


def set_ahead(stage, seconds):
    stage.system.base.clock.step_wall(seconds * SECOND_NS)


def ordered(stage, order):
    stage.submit(order)
    stage.settle()
    return stage.disk.kinds(order.client_order_id)[0]


REDUCED = {"previous": "NORMAL", "state": "REDUCING", "cause": "a storm", "changed_by": "orders", "occurred_ns": 1}


def changes(stage):
    return [fact for fact in stage.disk.facts if isinstance(fact, RiskStateChanged)]


class TestALookAtTheClock:
    @pytest.fixture
    def looked(self):
        """Each cause for which a look had the day kept, or none; the clock is set ahead by an hour at each look."""
        kept, now = [], SimpleNamespace(wall_s=0, elapsed_s=0)
        context = SimpleNamespace(
            now_ns=lambda: now.wall_s * SECOND_NS,
            elapsed_ns=lambda: now.elapsed_s * SECOND_NS,
            market_rules=False,
            is_read=True,
        )
        watch = ClockWatch(context, SimpleNamespace(keep_day=kept.append))

        def look(**fields):
            vars(context).update(fields)
            now.wall_s, now.elapsed_s = now.wall_s + 3_601, now.elapsed_s + 1
            watch.look()
            found, kept[:] = [*kept], []
            return found

        return look

    def test_is_taken_each_time_by_the_one_before(self, looked):
        for _ in range(2):
            (cause,) = looked()
            assert cause.startswith("the clock was set ahead by 3600 s: from ")

    def test_is_none_in_a_simulated_market(self, looked):
        assert looked(market_rules=True) == []

    def test_is_taken_later_where_the_book_is_not_complete(self, looked):
        assert looked(is_read=False) == []
        (cause,) = looked(is_read=True)
        assert cause.startswith("the clock was set ahead by 7200 s: from ")


class TestAClockThatIsSetAhead:
    @pytest.mark.parametrize("by_s", [61, 3_600, 86_400], ids=str)
    def test_lets_nothing_be_opened_by_the_very_next_order(self, simulated, make, by_s):
        stage = simulated.open()
        assert ordered(stage, make.order("A-1")) is OrderIntended
        set_ahead(stage, by_s)

        assert ordered(stage, make.order("A-2")) is OrderRefused
        (change,) = changes(stage)
        assert (change.state, change.keeps_day, change.changed_by) == ("REDUCING", True, "orders")
        assert change.cause.startswith(f"the clock was set ahead by {by_s} s: from ")
        assert stage.statistics.risk_state == "REDUCING"

    def test_is_logged_and_told_with_what_limited_before(self, simulated, make, logged):
        stage = simulated.open(
            make.intent("R-1"), make.rejected("R-1"), RiskStateChanged(**REDUCED), lookup_interval_s=3_600.0
        )
        logged()
        set_ahead(stage, 3_600)
        stage.submit(make.order("A-1"))
        stage.settle()
        (change,) = changes(stage)[1:]
        why = change.cause.removesuffix("; a storm")

        assert change.cause != why
        assert why.startswith("the clock was set ahead by 3600 s: from ")
        assert [each for each in logged() if each[1] in {"day.kept", "risk_state.changed"}] == [
            ("ERROR", "day.kept", {"reason": why}),
            ("WARNING", "risk_state.changed", {"state": "REDUCING", "cause": change.cause, "by": "orders"}),
        ]

    @pytest.mark.parametrize("by_s", [-86_400, -3_600, -2, 2, 60], ids=str)
    def test_or_back_by_less_changes_nothing(self, simulated, make, by_s):
        stage = simulated.open()
        set_ahead(stage, by_s)

        assert ordered(stage, make.order("A-1")) is OrderIntended
        assert changes(stage) == []

    @pytest.mark.parametrize(
        "message",
        [ReadRisk(), FundsTold(available_rupees=1.0, as_of_ns=NOON_NS), None],
        ids=["who asks for the risk", "funds", "a round"],
    )
    def test_is_noticed_before_anything_else_counts_the_day(self, simulated, make, message):
        stage = simulated.open(reconcile_interval_s=15.0)
        stage.place(make.order("A-1"))
        stage.settle()
        set_ahead(stage, 86_400)
        if message is None:
            stage.system.base.run_for(16.0)
        else:
            stage.tell(message)
        stage.settle()

        assert [change.keeps_day for change in changes(stage)] == [True]
        assert stage.system.base.find("orders").instance._ledger.book.today(NOON_NS * 2).orders == 1

    def test_gives_no_second_day_of_orders_and_a_person_may_begin_one(self, simulated, make):
        stage = simulated.open(strategy_orders_a_day_max=2)
        for number in (1, 2):
            assert ordered(stage, make.order(f"A-{number}")) is OrderIntended
        set_ahead(stage, 86_400)
        assert ordered(stage, make.order("A-3")) is OrderRefused
        assert (
            stage.system.base.find("orders").instance._ledger.book.today(stage.system.base.clock.now_ns()).orders == 2
        )
        assert isinstance(
            stage.system.request("orders", Resume(reason="the clock is right now", person="asha")), Resumed
        )

        assert ordered(stage, make.order("A-4")) is OrderIntended

    def test_holds_though_the_journal_refuses_to_note_it_and_is_noted_later(self, simulated, make):
        stage = simulated.open()
        stage.disk.mode = "refuse"
        set_ahead(stage, 86_400)
        stage.submit(make.order("A-1"))
        stage.settle()
        assert (changes(stage), stage.statistics.risk_state) == ([], "REDUCING")
        stage.disk.mode = "write"

        assert ordered(stage, make.order("A-2")) is OrderRefused
        assert [change.state for change in changes(stage)] == ["REDUCING"]

    def test_is_noted_soon_though_nobody_orders_so_that_a_person_may_resume(self, simulated, make):
        stage = simulated.open()
        stage.disk.mode = "refuse"
        set_ahead(stage, 86_400)
        stage.submit(make.order("A-1"))
        stage.settle()
        stage.disk.mode = "write"
        stage.system.base.run_for(1.0)

        assert [change.keeps_day for change in changes(stage)] == [True]
        assert isinstance(stage.system.request("orders", Resume(reason="it is right", person="asha")), Resumed)

    def test_a_second_time_is_noted_though_the_first_is_on_its_way_to_the_journal(self, simulated, make):
        stage = simulated.open(strategy_orders_a_day_max=1)
        assert ordered(stage, make.order("A-1")) is OrderIntended
        stage.disk.mode = "hold"
        for number in (2, 3):
            set_ahead(stage, 86_400)
            stage.submit(make.order(f"A-{number}"))
            stage.settle()
        stage.disk.mode = "write"
        stage.system.tell("journal", Release())
        stage.settle()

        assert [change.keeps_day for change in changes(stage)] == [True, True]
        assert [stage.disk.kinds(f"A-{number}") for number in (2, 3)] == [[OrderRefused], [OrderRefused]]
        now_ns = stage.system.base.clock.now_ns()
        assert stage.system.base.find("orders").instance._ledger.book.today(now_ns).orders == 1

    def test_is_noticed_though_orders_fails_before_it_has_looked(self, simulated, make):
        stage = simulated.open()
        stage.disk.mode = "hold"
        stage.submit(make.order("A-1"))
        stage.settle()
        set_ahead(stage, 86_400)
        stage.tell(Failed(actor="journal", message_type="Append", error="OSError", reason="reset"))
        stage.disk.mode = "write"
        stage.settle()

        assert ordered(stage, make.order("A-2")) is OrderRefused
        assert [change.keeps_day for change in changes(stage)] == [True]

    def test_leaves_a_halt_as_it_is_with_its_cause(self, simulated, make):
        stage = simulated.open(make.change("HALTED", cause="the kill switch"))
        set_ahead(stage, 86_400)
        ordered(stage, make.order("A-1"))

        (_, change) = changes(stage)
        assert (change.state, change.keeps_day) == ("HALTED", True)
        assert change.cause.endswith("; the kill switch")


class TestTheDayThatIsKept:
    @pytest.fixture
    def kept(self, make):
        """A book of two orders of a day, and of one by a clock that is a day ahead."""
        book = Book()
        for fact in (
            make.intent("A-1", occurred_ns=NOON_NS),
            make.intent("A-2", occurred_ns=NOON_NS),
            replace(make.change("REDUCING"), keeps_day=True),
            make.intent("A-3", occurred_ns=NOON_NS + DAY_NS),
        ):
            book.apply(fact)
        return book

    def test_goes_on_also_when_the_journal_is_read_back(self, kept):
        assert kept.today(NOON_NS + DAY_NS).orders == 3

    def test_goes_on_after_a_stricter_state(self, kept, make):
        kept.apply(make.change("HALTED"))

        assert kept.today(NOON_NS + DAY_NS).orders == 3

    def test_is_none_that_a_state_keeps_which_says_nothing_of_the_clock(self, make):
        book = Book()
        for fact in (make.intent("A-1", occurred_ns=NOON_NS), make.change("REDUCING"), make.change("HALTED")):
            book.apply(fact)

        assert book.today(NOON_NS + DAY_NS).orders == 0

    def test_ends_when_a_person_resumes(self, kept, make):
        kept.apply(make.change("NORMAL"))

        assert kept.today(NOON_NS + DAY_NS).orders == 0

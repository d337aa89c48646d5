import re
from concurrent.futures import wait
from types import SimpleNamespace

import pytest
from thespian.actors import ActorExitRequest

from natya.actors.runtime import InProcessSystem, InProcessSystemBase, handles
from natya.actors.runtime.errors import REASON_MAX
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.actors.runtime.workers import in_process
from natya.actors.supervision import AwaitSystemStop, BreakerSettings, StopChildren
from natya.actors.supervision.actor import DeadlineCame
from natya.actors.supervision.deadline import Deadline
from natya.messages.holdings import HoldingsRead, ReadHoldings
from natya.messages.order_listing import CancelOrders, OrdersCancelling
from natya.messages.supervision import ChildFailed, ChildRestarted, ChildStatus, DescribeTree, Failed, Unavailable
from natya.messages.system import ActorStatistics, Ping, Pong, SupervisorStatistics


@pytest.fixture
def start(actor_system, play, diary):
    """Start a root supervisor of children with these names (or of these specs)."""

    def start(*children, **settings):
        specs = [play.ChildSpec(each, play.Child, diary) if isinstance(each, str) else each for each in children]
        actor_system.start("system", play.Supervisor, play.a_supervisor(*specs, **settings))
        return actor_system

    return start


@pytest.fixture
def await_work(play):
    """Ask one after another: what the one before has set in motion overtakes the next question."""

    def await_work(system, *names):
        for name in names:
            system.request(name, Ping() if name == "system" else play.Work())

    return await_work


def a_faulty_supervisor(play):
    class Faulty(play.Supervisor):
        @handles(play.Crash)
        def crash(self, _crash, _sender):
            raise RuntimeError("of its own")

    return Faulty


class TestStartingAndStopping:
    def test_children_start_in_order_and_stop_in_reverse(self, start, diary):
        system = start("journal", "orders", "feed")

        system.stop("system")

        assert diary.entries == [
            "start journal", "start orders", "start feed", "stop feed", "stop orders", "stop journal",
        ]  # fmt: skip

    def test_each_handles_what_is_queued_before_it_stops(self, start, diary, gate, play):
        system = start(play.ChildSpec("orders", play.BlockingChild, diary))
        diary.held["orders"] = gate
        for _ in range(3):
            system.tell("orders", play.Work())
        end = system.request_future("system", StopChildren())
        gate.open()

        end.result(5)

        assert diary.entries == ["start orders", *["work orders"] * 3, "stop orders"]

    def test_the_stop_is_answered_with_the_statistics_of_all_by_path(self, start, play, diary):
        below = play.a_supervisor(play.ChildSpec("crossover", play.Child, diary), root=False)
        system = start("journal", play.ChildSpec("strategies", play.Supervisor, below), "feed")
        system.request("feed", play.Work())

        stopped = system.request("system", StopChildren())

        assert [path for path, _ in stopped.statistics] == [
            "system", "system/journal", "system/strategies", "system/strategies/crossover", "system/feed",
        ]  # fmt: skip
        assert dict(stopped.statistics)["system/feed"] == ActorStatistics(handled=1, failures=0)

    def test_the_stop_is_answered_with_what_was_raised_by_it_and_by_whom(self, start, play, diary):
        class Unwilling(play.Child):
            def on_stop(self):
                raise RuntimeError("not yet")

        below = play.a_supervisor(play.ChildSpec("crossover", Unwilling, diary), root=False)
        system = start("journal", play.ChildSpec("strategies", play.Supervisor, below), "feed")

        (failure,) = system.request("system", StopChildren()).failures
        assert failure.startswith("system/strategies/crossover: RuntimeError: not yet at ")

    def test_whoever_runs_the_system_hears_of_its_end(self, start):
        system = start("journal")
        end = system.request_future("system", AwaitSystemStop())

        system.stop("system")

        assert (end.result(5).exit_code, end.result(5).reason) == (0, "")

    def test_whoever_asks_for_the_stop_or_the_end_when_all_is_down_is_answered_at_once(self, start):
        system = start("journal")
        first = system.request("system", StopChildren())

        assert first.statistics
        assert system.request("system", StopChildren()).statistics == first.statistics
        assert system.request("system", AwaitSystemStop()).exit_code == 0

    def test_a_supervisor_below_starts_and_stops_its_children_in_its_place(self, start, play, diary):
        below = play.a_supervisor(*(play.ChildSpec(name, play.Child, diary) for name in "ab"), root=False)
        system = start("journal", play.ChildSpec("strategies", play.Supervisor, below), "feed")

        system.stop("system")

        assert [entry.split()[1] for entry in diary.entries] == [
            "journal",
            "a",
            "b",
            "feed",
            "feed",
            "b",
            "a",
            "journal",
        ]

    def test_one_that_does_not_stop_in_time_is_killed_and_holds_nobody_up(self, start, play, diary, gate):
        stuck = play.ChildSpec("stuck", play.BlockingChild, diary, shutdown_s=0.05)
        system = start("journal", stuck)
        diary.held["stuck"] = gate
        system.tell("stuck", play.Work())
        gate.await_entered()

        stopped = system.request("system", StopChildren())

        assert diary.entries[-1] == "stop journal"
        assert stopped.told() == ("stuck failed when it stopped: TimeoutError: killed in a handler",)
        assert [path for path, _ in stopped.statistics] == ["system", "system/journal"]

    def test_one_that_waits_too_long_for_something_is_killed_and_that_is_told(self, start, play, diary):
        class Waiting(play.Child):
            def is_drained(self):
                return False

        system = start(play.ChildSpec("waiting", Waiting, diary, shutdown_s=0.05))

        stopped = system.request("system", StopChildren())

        assert diary.entries[-1] == "stop waiting"
        assert stopped.told() == ("waiting failed when it stopped: it was killed, since it had not ended after 0.05 s",)

    def test_one_that_may_leave_its_calls_is_ended_without_the_answer_and_that_is_no_failure(self, start, play, diary):
        class Asking(play.Child):
            @handles(play.Work)
            def work(self, _message, _sender):
                self.ask("silent", Ping(), timeout_s=600, then=lambda _: None)

        class Silent(play.Child):
            @handles(Ping)
            def say_nothing(self, _message, _sender):
                """Answer nobody."""

        asking = play.ChildSpec("asking", Asking, diary, shutdown_s=0.05, leaves_calls=True)
        system = start(play.ChildSpec("silent", Silent, diary), asking)
        system.tell("asking", play.Work())

        stopped = system.request("system", StopChildren())

        assert diary.entries[-2:] == ["stop asking", "stop silent"]
        assert stopped.told() == ()

    def test_one_that_fails_while_it_stops_still_handles_the_rest(self, start, play, diary, gate):
        system = start(play.ChildSpec("orders", play.BlockingChild, diary))
        diary.held["orders"] = gate
        system.tell("orders", play.Work())
        gate.await_entered()
        system.tell("orders", play.Crash())
        system.tell("orders", play.Work())
        end = system.request_future("system", StopChildren())
        system.request("system", Ping())  # the order to stop has gone out
        gate.open()

        end.result(5)

        assert diary.of("work") == ["work orders"] * 2


class TestAChildThatFails:
    def test_is_there_again_at_the_same_address_with_fresh_state(self, start, play):
        system = start("orders")
        address = system.base.names["orders"]
        system.tell("orders", play.Crash())

        assert system.request("orders", play.Work(7)) == play.Done(7, life=2)
        assert system.base.names["orders"] is address

    def test_by_an_error_that_was_raised_from_itself_is_restarted_as_any_other(self, start, play):
        """What its causes say was looked for without an end, on the loop of all actors."""

        class FromItselfError(RuntimeError):
            def __init__(self, *said):
                super().__init__(*said)
                self.__cause__ = self

        system = start("orders", "feed")
        system.tell("orders", play.Crash(FromItselfError))

        assert system.request("orders", play.Work(7)) == play.Done(7, life=3)
        assert system.request("feed", play.Work(7)) == play.Done(7, life=2)

    def test_loses_only_the_message_that_failed(self, start, play):
        system = start("orders")
        failed = system.request_future("orders", play.Crash())
        later = [system.request_future("orders", play.Work(number)) for number in range(100)]

        assert [answer.result(5).number for answer in later] == list(range(100))
        assert isinstance(failed.result(5), Failed)
        assert system.request("system", Ping()).statistics == SupervisorStatistics(
            children=1, failures=1, restarts=1, escalations=0
        )

    def test_keeps_what_it_hands_over(self, start, play, diary):
        system = start(play.ChildSpec("sum", play.Remembering, diary))
        system.request("sum", play.Work(5))
        system.tell("sum", play.Crash())

        assert system.request("sum", play.Work(2)).number == 7

    def test_takes_along_all_others_where_all_stand_for_one(self, start, play, diary, await_work):
        system = start("a", "b", "c", strategy="one_for_all")
        system.request("b", play.Crash())
        await_work(system, "b", "system", "c")

        assert diary.of("start")[3:] == ["start a", "start b", "start c"]

    def test_takes_along_those_after_it_where_the_rest_follows(self, start, play, diary, await_work):
        system = start("a", "b", "c", strategy="rest_for_one")
        system.request("b", play.Crash())
        await_work(system, "b", "system", "c")

        assert diary.of("start")[3:] == ["start b", "start c"]

    def test_fails_alone_where_each_stands_for_itself(self, start, play, diary):
        system = start("a", "b", "c")
        system.tell("b", play.Crash())
        system.request("b", play.Work())

        assert diary.of("start")[3:] == ["start b"]

    def test_that_ends_its_own_process_gets_a_successor_of_its_name(self, start, play):
        system = start("orders")
        gone = system.watch("orders")
        system.tell("orders", play.Crash(SystemExit))

        assert isinstance(gone.result(5).error, SystemExit)
        assert system.request("system", Ping()).statistics.failures == 1
        assert system.request("orders", play.Work(1)).number == 1
        assert system.request("system", StopChildren()).failures == ()

    def test_while_another_waits_for_its_back_off_does_not_wait_with_it(self, start, play, diary):
        system = start("a", "b", policy=play.a_policy(backoff_first_s=30.0, backoff_max_s=30.0))
        system.tell("a", play.Crash())
        system.tell("a", play.Crash())  # the second failure waits, the first did not
        system.tell("b", play.Crash())

        assert system.request("b", play.Work(1)).number == 1
        assert diary.of("work") == ["work b"]


class TestAChildThatHangs:
    def test_in_its_start_has_failed_when_the_time_is_over(self, play, diary, gate, actor_system):
        diary.held["start of slow"] = gate
        slow = play.ChildSpec("slow", play.BlockingChild, diary)
        settings = play.a_supervisor(slow, start_s=0.02, shutdown_s=0.02, policy=play.a_policy(restarts_max=2))
        future = actor_system.base.start_actor("system", play.Supervisor, settings)

        end = actor_system.request(future, AwaitSystemStop())

        assert (end.exit_code, str(end.error)) == (70, "slow did not start within 0.02 s")

    def test_has_the_time_for_its_start_that_its_class_says(self, play, diary, gate, actor_system):
        class LongStarting(play.BlockingChild):
            start_s = 60.0

        diary.held["start of slow"] = gate
        settings = play.a_supervisor(play.ChildSpec("slow", LongStarting, diary), start_s=0.02)
        up = actor_system.begin("system", play.Supervisor, settings)
        actor_system.request("system", Ping())
        assert not wait((up,), timeout=0.1).done
        gate.open()

        up.result(10)

        assert actor_system.request("system", Ping()).statistics.failures == 0

    def test_when_it_is_tried_again_has_failed_too(self, start, play, diary, gate):
        policy = play.a_policy(fail_max=1, reset_timeout_s=0.01, escalate_after=2)
        spec = play.ChildSpec("orders", play.BlockingChild, diary)
        system = start(spec, policy=policy, probe_s=0.02, shutdown_s=0.02)
        diary.held["orders"] = gate
        system.request("system", Ping())
        system.base.names["orders"].deliver(play.Crash(), system.base.outside)
        system.base.names["orders"].deliver(play.Work(), system.base.outside)

        end = system.request("system", AwaitSystemStop())

        assert str(end.error) == "orders did not answer a Ping within 0.02 s"


class TestASupervisorThatIsRestartedItself:
    # Told to stop together, children end in this order on a shared loop only.

    def test_stops_its_children_in_order_before_fresh_ones_start(self, threads, start, play, diary, await_work):
        below = play.a_supervisor(*(play.ChildSpec(name, play.Child, diary) for name in "ab"), root=False)
        strategies = play.ChildSpec("strategies", play.Supervisor, below)
        system = start("broker", strategies, "feed", strategy="one_for_all")
        diary.entries.clear()
        system.request("broker", play.Crash())
        await_work(system, "broker", "system")

        while system.request("system", DescribeTree()).children[-1].restarts == 0:
            pass
        await_work(system, "feed", "a", "b")
        assert diary.of("start", "stop") == [
            "stop broker", "start broker", "stop b", "stop a", "start a", "start b", "stop feed", "start feed",
        ]  # fmt: skip

    def test_by_a_fault_of_its_own_leaves_no_child_behind(self, threads, start, play, diary):
        below = play.a_supervisor(*(play.ChildSpec(name, play.Child, diary) for name in "ab"), root=False)
        system = start(play.ChildSpec("strategies", a_faulty_supervisor(play), below))
        diary.entries.clear()
        system.request("strategies", play.Crash())

        while system.request("system", DescribeTree()).children[0].state != "RUNNING":
            pass
        assert diary.entries == ["stop b", "stop a", "start a", "start b"]

    def test_by_faults_of_its_own_is_bounded_as_its_children_are_and_says_so(self, start, play, diary):
        below = play.a_supervisor(
            play.ChildSpec("a", play.Child, diary), root=False, policy=play.a_policy(restarts_max=1)
        )
        strategies = play.ChildSpec("strategies", a_faulty_supervisor(play), below)
        system = start(strategies, policy=play.a_policy(restarts_max=3))
        for _ in range(2):
            system.request("strategies", play.Crash())

        end = system.request("system", AwaitSystemStop())

        assert (end.exit_code, end.reason) == (70, "strategies: more than 3 restarts in 60 s")
        assert repr(end.error) == "GaveUpError('strategies: more than 1 restarts in 60 s')"
        assert diary.of("start") == ["start a"] * 2

    def test_waits_for_a_child_that_takes_long_to_stop(self, start, play, diary, gate):
        diary.held["a"] = gate
        slow = play.ChildSpec("a", play.BlockingChild, diary)
        below = play.a_supervisor(slow, play.ChildSpec("b", play.Child, diary), root=False)
        system = start(play.ChildSpec("strategies", a_faulty_supervisor(play), below))
        system.tell("a", play.Work())
        gate.await_entered()
        gone = system.request_future("strategies", play.Crash())
        assert isinstance(gone.result(5), Failed)
        gate.open()

        while system.request("system", DescribeTree()).children[-1].path != "system/strategies/b":
            pass
        assert system.request("system", Ping()).statistics.failures == 1
        system.request("b", play.Work())
        lived = diary.of("start", "stop")
        assert (lived[:2], sorted(lived[2:4]), lived[4:]) == (
            ["start a", "start b"],
            ["stop a", "stop b"],
            ["start a", "start b"],
        )

    @pytest.mark.parametrize(("is_its_own", "acted"), [(True, ["acted"]), (False, [])])
    def test_forgets_the_deadlines_of_the_life_before(self, actor_system, play, diary, is_its_own, acted):
        class Late(play.Supervisor):
            @handles(str)
            def let_come(self, _word, _sender):
                deadline = Deadline(lambda: diary.facts.append("acted"))
                self.send(self.myAddress, DeadlineCame(deadline, self if is_its_own else object()))

        actor_system.start("system", Late, play.a_supervisor(play.ChildSpec("a", play.Child, diary)))
        actor_system.request("system", Ping(), timeout_s=5)
        actor_system.tell("system", "come")
        for _ in range(2):  # the deadline is queued behind the first, and before the second
            actor_system.request("system", Ping(), timeout_s=5)

        assert diary.facts == acted


class TestAChildThatIsParked:
    def test_is_named_with_its_failure_its_place_and_why_it_stays_down(self, start, play, diary):
        bad = play.ChildSpec("bad", play.Child, diary, when_exhausted="park")
        system = start(bad, policy=play.a_policy(restarts_max=0))
        system.tell("bad", play.Crash())
        while not (parked := system.request("system", Ping()).statistics.parked):
            pass

        assert len(parked) == 1
        assert re.fullmatch(
            r"bad: RuntimeError: told to at \S*conftest\.py:\d+.* \(more than 0 restarts in 60 s\)", parked[0]
        )

    def test_has_every_request_answered_at_once_and_nobody_else_told(self, start, play, diary):
        bad = play.ChildSpec("bad", play.Child, diary, when_exhausted="park")
        system = start(bad, policy=play.a_policy(restarts_max=0))
        system.tell("bad", play.Crash())
        while not system.request("system", Ping()).statistics.parked:
            pass
        bystander = system.probe("bystander")
        system.tell("bad", play.Work(), sender=bystander)
        answer = system.request("bad", play.Work())

        assert (type(answer), answer.actor, answer.retry_after_s) == (Unavailable, "bad", 86_400.0)
        assert answer.reason == "parked: more than 0 restarts in 60 s"
        assert bystander.is_empty()

    def test_is_named_without_a_place_where_nothing_was_raised(self, start, play, diary):
        bad = play.ChildSpec("bad", play.Child, diary, when_exhausted="park")
        system = start(bad, policy=play.a_policy(restarts_max=0))
        system.tell("bad", ActorExitRequest())
        while not (parked := system.request("system", Ping()).statistics.parked):
            pass

        assert parked == ("bad: Ended: it ended by itself (more than 0 restarts in 60 s)",)

    @pytest.fixture
    def impatient(self, request, monkeypatch):
        """A tenth of a second is enough for orders that do not answer."""
        if request.node.callspec.params["orders"] == "silent":
            monkeypatch.setattr("natya.actors.supervision.parking.ANSWER_S", 0.1)

    @pytest.mark.parametrize("orders", ["there", "failing", "not there", "silent"])
    @pytest.mark.usefixtures("impatient")
    def test_leaves_open_what_the_book_says_or_it_is_not_known(self, actor_system, play, diary, caplog, orders):
        caplog.set_level("WARNING", "natya")
        if orders == "silent":
            actor_system.probe("orders")

        class Orders(play.Child):
            @handles(ReadHoldings)
            def read(self, request, sender):
                held = {"INFY": -3}, {"b-2": 0, "b-1": 1}
                self.send(sender, HoldingsRead(strategy=request.strategy, shares=held[0], filled=held[1]))

        bad = play.ChildSpec("bad", play.Child, diary, when_exhausted="park")
        settings = play.a_supervisor(bad, policy=play.a_policy(restarts_max=0), orders="orders")
        if orders in {"there", "failing"}:
            actor_system.start("orders", Orders if orders == "there" else play.Child, diary)
        actor_system.start("system", play.Supervisor, settings)
        actor_system.tell("bad", play.Crash())
        while not (left := [each for each in caplog.records if each.getMessage().startswith("child.left")]):
            actor_system.request("system", Ping())

        (said,) = left
        if orders == "there":
            found = {"child": "bad", "orders": ["b-1", "b-2"], "shares": {"INFY": -3}}
            assert (said.getMessage(), said.fields) == ("child.left_open", found)
        else:
            assert (said.getMessage(), said.fields["child"]) == ("child.left_unknown", "bad")
            wanted = {"not there": "Unavailable", "failing": "ReadHoldings", "silent": "no answer"}
            assert wanted[orders] in said.fields["reason"]


class TestAChildThatIsParkedWithOrders:
    def test_has_them_cancelled_until_none_is_open_even_late_ones(self, actor_system, play, diary, caplog, monkeypatch):
        caplog.set_level("WARNING", "natya")
        monkeypatch.setattr("natya.actors.supervision.parking.CANCEL_AGAIN_S", (0.0, 0.0))
        asked = actor_system.probe("asked")
        answers = [
            OrdersCancelling(client_order_ids=(), problem="the journal is still read back; ask again"),
            OrdersCancelling(client_order_ids=("bad-1",)),
            OrdersCancelling(client_order_ids=()),
        ]

        class Orders(play.Child):
            @handles(CancelOrders)
            def cancel(self, request, sender):
                self.send("asked", request)
                self.send(sender, answers.pop(0) if answers else OrdersCancelling(client_order_ids=()))

        actor_system.start("orders", Orders, diary)
        bad = play.ChildSpec("bad", play.Child, diary, when_exhausted="park", cancels_orders=True)
        good = play.ChildSpec("good", play.Child, diary, when_exhausted="park")
        settings = play.a_supervisor(bad, good, policy=play.a_policy(restarts_max=0), orders="orders")
        actor_system.start("system", play.Supervisor, settings)
        for name in ("good", "bad"):
            actor_system.tell(name, play.Crash())

        found = [asked.receive() for _ in range(3)]

        assert {(each.strategy, each.everything) for each in found} == {("bad", True)}
        while len(said := [each for each in caplog.records if each.getMessage().startswith("child.orders")]) < 2:
            actor_system.request("system", Ping())
        assert [each.getMessage() for each in said] == ["child.orders_not_cancelled", "child.orders_cancelled"]
        assert "still read back" in said[0].fields["reason"]
        assert said[1].fields == {"child": "bad", "orders": ("bad-1",)}
        actor_system.request("system", Ping())
        assert asked.is_empty()

    @pytest.mark.parametrize(
        ("open_orders", "after_s"),
        [((), [0, 2, 6, 14, 30]), (("bad-1",), [0, 2, 6, 14, 30, 46, 62, 78])],
        ids=["none is open", "one never ends"],
    )
    def test_has_them_looked_for_at_longer_and_longer_intervals(self, play, diary, open_orders, after_s):
        asked_s = []

        class Orders(play.Child):
            @handles(CancelOrders)
            def cancel(self, _request, sender):
                asked_s.append(self.clock.monotonic_ns() / 1e9)
                self.send(sender, OrdersCancelling(client_order_ids=open_orders))

        bad = play.ChildSpec("bad", play.Child, diary, when_exhausted="park", cancels_orders=True)
        settings = play.a_supervisor(bad, policy=play.a_policy(restarts_max=0), orders="orders")
        with InProcessSystem(SimulatedSystemBase(1)) as system:
            system.start("orders", Orders, diary)
            system.start("system", play.Supervisor, settings)
            system.tell("bad", play.Crash())
            system.base.run_for(80)

        assert [round(each_s - asked_s[0]) for each_s in asked_s] == after_s


class TestAChildWithAProcessOfItsOwn:
    def test_is_made_with_its_name_what_it_is_and_its_limits(self, play):
        made = []
        supervisor = SimpleNamespace(start_child=lambda *given: made.append(given) or "address")
        spec = play.ChildSpec("slow", play.Child, "settings", host="process", turn_limit_s=3.0, memory_limit_mb=64)

        assert play.Supervisor.create_child(supervisor, spec) == "address"
        stand_in, settings = in_process(play.Child, "settings", turn_limit_s=3.0, memory_limit_mb=64)
        assert made == [("slow", stand_in, settings)]
        assert play.Supervisor.create_child(supervisor, play.ChildSpec("quick", play.Child, "settings")) == "address"
        assert made[1:] == [("quick", play.Child, "settings")]


class TestAChildWithAMethodOfItsOwnCalledPlan:
    """A word that authors use: who has one was taken for a supervisor, and neither started nor stopped."""

    @pytest.mark.parametrize("kind", ["method", "class method", "text"])
    def test_is_a_child_as_any_other(self, start, play, diary, kind):
        plans = {
            "method": lambda _self, _tick: 3,
            "class method": classmethod(lambda _cls, _settings: 3),
            "text": "dip",
        }
        own = type("Own", (play.Child,), {"plan": plans[kind], "on_turn": lambda _self, _tick: 3})
        system = start(play.ChildSpec("own", own, diary, shutdown_s=60.0), "other")

        assert system.request("own", play.Work(7)) == play.Done(7, life=1)
        assert [node.path for node in system.request("system", DescribeTree()).children] == [
            "system/own",
            "system/other",
        ]
        assert system.request("system", StopChildren(), timeout_s=10).failures == ()
        assert diary.of("stop") == ["stop other", "stop own"]

    def test_may_have_a_process_of_its_own(self, play):
        own = type("Own", (play.Child,), {"plan": lambda _self, _tick: 3})

        assert play.ChildSpec("own", own, host="process").runs_on == "process"
        with pytest.raises(ValueError, match="a supervisor runs where its supervisor does, found 'below' with host"):
            play.ChildSpec("below", play.Supervisor, host="process")


class TestASupervisorWithoutSettingsOfItsOwn:
    def test_says_which_it_wants(self, actor_system, play, diary):
        with pytest.raises(TypeError, match=r"SupervisorSettings\(children=.* wanted, found list"):
            actor_system.start("root", play.Supervisor, [play.ChildSpec("a", play.Child, diary)])


class TestTheTree:
    def test_shows_every_node_below_parents_before_their_children(self, start, play, diary):
        below = play.a_supervisor(play.ChildSpec("crossover", play.BlockingChild, diary), root=False)
        system = start("journal", play.ChildSpec("strategies", play.Supervisor, below), "feed")
        system.request("crossover", play.Crash())
        system.request("crossover", play.Work())

        nodes = {node.path: node for node in system.request("system", DescribeTree()).children}

        assert list(nodes) == ["system/journal", "system/strategies", "system/strategies/crossover", "system/feed"]
        crossover = nodes["system/strategies/crossover"]
        assert crossover == ChildStatus(
            path="system/strategies/crossover",
            state="RUNNING",
            host="thread",
            restarts=1,
            breaker="closed",
            mailbox_depth=0,
            last_error="RuntimeError: told to",
            raised_at=crossover.raised_at,
            last_traceback=crossover.last_traceback,
            handled=crossover.handled,
            failures=1,
        )
        assert crossover.handled >= 1  # that which failed was not completed
        assert crossover.raised_at.endswith("tests/supervision/conftest.py:66 in crash")
        assert 'raise crash.error("told to")' in crossover.last_traceback

    def test_waits_for_every_supervisor_below(self, start, play, diary):
        def below(*names):
            return play.a_supervisor(*(play.ChildSpec(name, play.Child, diary) for name in names), root=False)

        system = start(*(play.ChildSpec(each, play.Supervisor, below(f"{each}-child")) for each in ("x", "y")))

        paths = [child.path for child in system.request("system", DescribeTree()).children]
        assert paths == ["system/x", "system/x/x-child", "system/y", "system/y/y-child"]

    def test_is_told_as_soon_as_all_below_have_answered(self, play, diary):
        below = [
            play.ChildSpec(
                name, play.Supervisor, play.a_supervisor(play.ChildSpec(f"{name}-child", play.Child, diary), root=False)
            )
            for name in ("x", "y")
        ]
        with InProcessSystem(SimulatedSystemBase(1)) as system:
            system.start("system", play.Supervisor, play.a_supervisor(*below))
            asker = system.probe("asker")
            for _ in range(2):
                system.tell("system", DescribeTree(), sender=asker)
                system.base.run_for(0.5)

                assert len(asker.receive().children) == 4

    def test_waits_for_no_supervisor_below_that_is_down(self, play, diary):
        below = play.a_supervisor(play.ChildSpec("deep", play.Child, diary), root=False)
        breaker = BreakerSettings(fail_max=1, reset_timeout_s=60.0, escalate_after=3)
        branch = play.ChildSpec("branch", a_faulty_supervisor(play), below, breaker=breaker)
        with InProcessSystem(SimulatedSystemBase(1)) as system:
            system.start("system", play.Supervisor, play.a_supervisor(branch))
            system.tell("branch", play.Crash())
            system.base.run_for(1)
            asker = system.probe("asker")
            system.tell("system", DescribeTree(), sender=asker)
            system.base.run_for(0.5)

            (node,) = asker.receive().children
            assert (node.path, node.state) == ("system/branch", "UNAVAILABLE")

    def test_waits_a_second_for_a_supervisor_below_and_then_leaves_its_branch_out(self, play, diary):
        class Silent(play.Supervisor):
            @handles(DescribeTree)
            def describe_tree(self, _request, _sender):
                """Answer nobody."""

        below = play.a_supervisor(play.ChildSpec("deep", play.Child, diary), root=False)
        with InProcessSystem(SimulatedSystemBase(1)) as system:
            settings = play.a_supervisor(
                play.ChildSpec("branch", Silent, below), play.ChildSpec("b", play.Child, diary)
            )
            system.start("system", play.Supervisor, settings)
            asker = system.probe("asker")
            system.tell("system", DescribeTree(), sender=asker)
            system.base.run_for(0.9)
            assert asker.is_empty()
            system.base.run_for(0.2)

            assert [node.path for node in asker.receive().children] == ["system/branch", "system/b"]
            system.base.run_for(5)
            assert asker.is_empty()

    def test_shows_what_troubles_each_and_that_it_could_not_be_had(self, start, play, diary):
        class Fine(play.Child):
            trouble = 7

        class Odd(play.Child):
            @property
            def trouble(self):
                return f"{self.behind_s} s behind"

        class Long(play.Child):
            trouble = "x" * 100_000

        system = start(*(play.ChildSpec(kind.__name__, kind, diary) for kind in (play.Child, Fine, Odd, Long)))

        *troubles, long = [node.trouble for node in system.request("system", DescribeTree()).children]
        assert troubles == ["", "7", "its trouble could not be had: 'Odd' object has no attribute 'behind_s'"]
        assert len(long) <= REASON_MAX
        assert system.request("system", Ping()).statistics.failures == 0

    def test_shows_one_that_has_ended_without_a_mailbox(self, start, play, diary):
        system = start(play.ChildSpec("once", play.Child, diary, restart="temporary"))
        gone = system.watch("once")
        system.tell("once", play.Crash())
        gone.result(5)
        while (node := system.request("system", DescribeTree()).children[0]).state != "STOPPED":
            pass

        assert node == ChildStatus(
            path="system/once",
            state="STOPPED",
            host="loop",
            restarts=0,
            breaker="closed",
            mailbox_depth=0,
            last_error="RuntimeError: told to",
            raised_at=node.raised_at,
            last_traceback=node.last_traceback,
        )

    def test_is_the_same_for_all_who_ask_at_once(self, start, play, diary):
        below = play.a_supervisor(play.ChildSpec("crossover", play.Child, diary), root=False)
        system = start(play.ChildSpec("strategies", play.Supervisor, below))

        trees = [system.request_future("system", DescribeTree()) for _ in range(20)]

        assert [len(tree.result(5).children) for tree in trees] == [2] * 20

    def test_shows_a_supervisor_that_does_not_answer_without_its_branch(self, start, play, diary, gate):
        class Hanging(play.Supervisor):
            blocking = True

            @handles(DescribeTree)
            def describe_tree(self, _request, _sender):
                gate.pass_through()

        below = play.a_supervisor(play.ChildSpec("crossover", play.Child, diary), root=False)
        system = start(play.ChildSpec("strategies", Hanging, below, shutdown_s=0.05))

        tree = system.request("system", DescribeTree())

        assert [node.path for node in tree.children] == ["system/strategies"]


class TestATemporaryChild:
    def test_that_fails_is_not_restarted(self, start, play, diary):
        system = start(play.ChildSpec("once", play.Child, diary, restart="temporary"), "a")
        gone = system.watch("once")
        system.tell("once", play.Crash())
        gone.result(5)

        assert diary.of("start") == ["start once", "start a"]


class TestATransientChild:
    def test_that_ends_normally_is_gone_and_has_not_failed(self, start, play, diary):
        system = start(play.ChildSpec("once", play.Child, diary, restart="transient"), "feed")
        end = system.base.watch("once")

        system.tell("once", ActorExitRequest())
        end.result(5)
        once, feed = system.request("system", DescribeTree()).children

        assert (once.state, once.last_error, feed.state) == ("STOPPED", "", "RUNNING")
        assert system.request("system", Ping()).statistics.failures == 0

    def test_that_ends_with_an_error_is_started_again(self, start, play, diary):
        system = start(play.ChildSpec("once", play.Child, diary, restart="transient"))
        end = system.base.watch("once")

        system.tell("once", play.Crash(SystemExit))
        end.result(5)
        while len(diary.of("start")) < 2:
            system.request("system", Ping())
        (once,) = system.request("system", DescribeTree()).children

        assert (once.restarts, once.last_error) == (1, "SystemExit: told to")


class TestTheBreaker:
    def test_keeps_a_child_down_that_fails_in_a_row_and_answers_for_it_at_once(self, threads, start, play):
        system = start("orders", policy=play.a_policy(fail_max=1, reset_timeout_s=30.0))
        system.request("orders", play.Crash())
        while system.request("system", DescribeTree()).children[0].breaker != "open":
            pass  # who asked may hear of it before the supervisor does: what comes between waits for the next life

        answer = system.request("orders", play.Work())

        assert answer == Unavailable(actor="orders", reason="breaker open", retry_after_s=30.0)

    def test_lets_it_back_when_it_answers_the_probe(self, start, play):
        system = start("orders", policy=play.a_policy(fail_max=1, reset_timeout_s=0.02))
        system.request("orders", play.Crash())

        while not isinstance(answer := system.request("orders", play.Work(3)), play.Done):
            assert isinstance(answer, Unavailable)

        while (node := system.request("system", DescribeTree()).children[0]).breaker != "closed":
            assert node.breaker == "half-open"

    def test_lets_it_hear_in_its_start_that_another_is_down_too(self, start, play, diary):
        class Curious(play.Child):
            def on_start(self):
                super().on_start()
                self.send("journal", play.Work())

            @handles(Unavailable)
            def hear(self, answer, _sender):
                self.diary.note(answer.actor, "unavailable")

        down = BreakerSettings(fail_max=1, reset_timeout_s=30.0, escalate_after=3)
        journal = play.ChildSpec("journal", play.Child, diary, breaker=down)
        system = start(journal, play.ChildSpec("orders", Curious, diary), policy=play.a_policy(fail_max=1))
        system.request("journal", play.Crash())
        system.request("orders", play.Crash())

        while not isinstance(system.request("orders", play.Work()), play.Done):
            continue
        system.request("orders", play.Work())  # behind whatever came to it in its start
        assert diary.of("journal") == ["journal unavailable"]

    def test_stays_half_open_whatever_others_answer_for_the_child(self, play, diary):
        class Silent(play.Child):
            @handles(Ping)
            def say_nothing(self, _message, _sender):
                """Answer nobody."""

        settings = play.a_supervisor(
            play.ChildSpec("orders", Silent, diary), policy=play.a_policy(fail_max=1, reset_timeout_s=1.0)
        )
        with InProcessSystem(SimulatedSystemBase(1)) as system:
            system.start("system", play.Supervisor, settings)
            system.tell("orders", play.Crash())
            system.base.run_for(2)
            liar = system.probe("liar")
            system.tell("system", Pong(actor="orders", statistics=ActorStatistics(handled=1, failures=0)), sender=liar)
            system.base.run_for(1)

            (node,) = system.request("system", DescribeTree()).children
        assert (node.state, node.breaker) == ("RUNNING", "half-open")

    def test_keeps_what_was_stored_before_it_opened(self, start, play, diary, gate):
        system = start(
            play.ChildSpec("orders", play.BlockingChild, diary), policy=play.a_policy(fail_max=1, reset_timeout_s=0.02)
        )
        diary.held["orders"] = gate
        system.tell("orders", play.Crash())
        stored = [system.request_future("orders", play.Work(number)) for number in range(10)]
        gate.open()

        assert [type(answer.result(5)) for answer in stored if not isinstance(answer.result(5), Unavailable)] != []


class TestReports:
    def test_of_failures_and_restarts_are_made_durable(self, start, play, diary):
        system = start(play.ChildSpec("journal", play.Journal, diary), "orders", journal="journal")
        system.request("orders", play.Crash())
        system.request("orders", play.Work())
        system.request("system", Ping())
        system.request("journal", Ping())

        failed, restarted = diary.facts
        assert (failed.supervisor, failed.child, failed.phase, failed.error) == (
            "system",
            "orders",
            "handle",
            "RuntimeError",
        )
        assert (restarted.child, restarted.restarts) == ("orders", 1)

    def test_of_openings_and_escalations_are_too(self, start, play, diary):
        policy = play.a_policy(fail_max=1, reset_timeout_s=0.01, escalate_after=2)
        diary.broken.add("orders")
        system = start(play.ChildSpec("journal", play.Journal, diary), "orders", journal="journal", policy=policy)
        system.request("system", AwaitSystemStop())

        assert [type(fact).__name__ for fact in diary.facts] == [
            "ChildFailed", "BreakerOpened", "ChildFailed", "Escalated",
        ]  # fmt: skip

    def test_are_for_the_log_alone_where_no_journal_is_named(self, start, play):
        system = start("orders", journal="")
        system.request("orders", play.Crash())
        system.request("orders", play.Work())
        system.request("system", Ping())

        assert system.base.dead_letters.count == 1  # what orders failed at

    def test_of_what_fails_while_the_journal_restarts_are_made_durable_by_its_next_life(self, start, play, diary, gate):
        journal = play.ChildSpec("journal", type("Slow", (play.Journal,), {"blocking": True}), diary)
        system = start(journal, "orders", journal="journal")
        diary.held["start of journal"] = gate
        system.request("journal", play.Crash())
        gate.await_entered()
        system.request("orders", play.Crash())
        system.request("orders", play.Work())
        system.request("system", Ping())
        assert diary.facts == []
        gate.open()
        system.request("journal", Ping())

        assert [(type(fact), fact.child) for fact in diary.facts] == [
            (ChildFailed, "orders"), (ChildRestarted, "orders"),
        ]  # fmt: skip

    def test_are_log_events_too_with_the_same_fields(self, start, play, diary, caplog):
        caplog.set_level("WARNING", "natya")
        system = start("orders", policy=play.a_policy(fail_max=2, reset_timeout_s=0.01, escalate_after=1))
        system.request("orders", play.Crash())
        system.request("orders", play.Crash())
        system.request("system", AwaitSystemStop())

        said = [(record.getMessage(), record.fields) for record in caplog.records if record.actor == "system"]
        failed = {"child": "orders", "phase": "handle", "error": "RuntimeError", "reason": "told to"}
        assert said == [
            ("child.failed", failed),
            ("child.restarted", {"child": "orders", "restarts": 1}),
            ("child.failed", failed),
            ("supervisor.gave_up", {"child": "orders", "reason": "the breaker opened 1 times in a row"}),
        ]

    def test_are_only_logged_when_the_journal_itself_fails(self, start, play, diary):
        system = start(play.ChildSpec("journal", play.Journal, diary), "orders", journal="journal")
        system.request("journal", play.Crash())
        system.request("journal", play.Work())

        assert diary.facts == []

    def test_that_make_the_journal_fail_do_not_go_round_in_circles(self, start, play, diary):
        diary.broken.add("journal writing")
        system = start(play.ChildSpec("journal", play.Journal, diary), "orders", journal="journal")
        system.request("orders", play.Crash())
        system.request("orders", play.Work())
        system.request("journal", play.Work())

        statistics = system.request("system", Ping()).statistics
        assert statistics.failures <= 3  # orders, and the journal for each of its two facts


class TestGivingUp:
    def test_at_the_root_ends_the_system_with_exit_code_70(self, start, play, diary):
        diary.broken.add("feed")
        system = start("journal", "feed", policy=play.a_policy(restarts_max=3))

        end = system.request("system", AwaitSystemStop())

        assert (end.exit_code, end.reason) == (70, "feed: more than 3 restarts in 60 s")
        assert str(end.error) == "feed is broken"
        assert diary.entries == ["start journal", *["start feed"] * 4, "stop journal"]

    def test_on_one_that_ended_by_itself_says_so_and_has_no_error(self, start, play):
        system = start("feed", policy=play.a_policy(restarts_max=0))
        system.tell("feed", ActorExitRequest())
        end = system.request("system", AwaitSystemStop())

        reason = "feed: more than 0 restarts in 60 s (Ended: it ended by itself)"
        assert (end.exit_code, end.reason, end.error) == (70, reason, None)

    def test_after_too_many_openings_in_a_row(self, start, play, diary):
        diary.broken.add("feed")
        policy = play.a_policy(fail_max=2, reset_timeout_s=0.01, escalate_after=2)
        system = start("journal", "feed", policy=policy)

        end = system.request("system", AwaitSystemStop())

        assert end.reason == "feed: the breaker opened 2 times in a row"

    def test_below_the_root_restarts_the_whole_group(self, start, play, diary):
        children = (play.ChildSpec(name, play.Child, diary) for name in "ab")
        below = play.a_supervisor(*children, root=False, policy=play.a_policy(fail_max=2, escalate_after=1))
        system = start("journal", play.ChildSpec("strategies", play.Supervisor, below))
        system.tell("a", play.Crash())
        assert system.request("a", play.Work(1)).number == 1
        system.tell("a", play.Crash())
        while not isinstance(system.request("system", Ping()).statistics, SupervisorStatistics):
            pass

        tree = system.request("system", DescribeTree())
        while tree.children[1].restarts == 0 or tree.children[1].state != "RUNNING":
            tree = system.request("system", DescribeTree())

        assert diary.of("stop")[-2:] == ["stop b", "stop a"]
        assert diary.of("start")[-2:] == ["start a", "start b"]
        reason = "a: the breaker opened 1 times in a row (RuntimeError: told to)"
        assert tree.children[1].last_error == f"GaveUpError: {reason}"

    def test_is_no_failure_of_one_that_is_told_to_stop_meanwhile(self, start, play, diary, gate):
        slow = play.ChildSpec("slow", play.BlockingChild, diary)
        children = (slow, play.ChildSpec("bad", play.Child, diary))
        below = play.a_supervisor(*children, root=False, policy=play.a_policy(restarts_max=0))
        system = start(play.ChildSpec("strategies", play.Supervisor, below))
        diary.held["slow"] = gate
        system.tell("slow", play.Work())
        gate.await_entered()
        system.tell("bad", play.Crash())
        while not system.request("strategies", Ping()).statistics.escalations:
            pass
        end = system.request_future("system", StopChildren())
        system.request("system", Ping())
        system.request("strategies", Ping())  # the order to stop is with it
        gate.open()

        stopped = end.result(5)

        assert stopped.failures == ()
        assert dict(stopped.statistics)["system"] == SupervisorStatistics(
            children=0, failures=0, restarts=0, escalations=0
        )
        assert diary.of("start", "stop") == ["start slow", "start bad", "stop bad", "stop slow"]

    def test_climbs_from_supervisor_to_supervisor_to_the_root(self, start, play, diary):
        diary.broken.add("leaf")
        policy = play.a_policy(restarts_max=1)
        inner = play.a_supervisor(play.ChildSpec("leaf", play.Child, diary), root=False, policy=policy)
        outer = play.a_supervisor(play.ChildSpec("inner", play.Supervisor, inner), root=False, policy=policy)
        system = start("journal", play.ChildSpec("outer", play.Supervisor, outer), policy=policy)

        end = system.request("system", AwaitSystemStop())

        limit = "more than 1 restarts in 60 s"
        leaf = f"leaf: {limit} (RuntimeError: leaf is broken)"
        inner = f"inner: {limit} (GaveUpError: {leaf})"
        assert (end.exit_code, end.reason) == (70, f"outer: {limit}")
        assert str(end.error) == inner
        assert str(end.error.__cause__) == leaf
        assert str(end.error.__cause__.__cause__) == "leaf is broken"
        assert diary.entries == ["start journal", *["start leaf"] * 2, "stop journal"]

    def test_leaves_the_restarts_that_were_spent_to_the_next_life(self, start, play, diary):
        """Each life spends one for itself and one for its child, until the breaker of that opens; three are allowed."""
        diary.broken.add("leaf")
        policy = play.a_policy(fail_max=2, escalate_after=1, restarts_max=3)
        below = play.a_supervisor(play.ChildSpec("leaf", play.Child, diary), root=False, policy=policy)
        system = start(play.ChildSpec("strategies", play.Supervisor, below), policy=play.a_policy(restarts_max=3))

        end = system.request("system", AwaitSystemStop())

        assert end.reason == "strategies: more than 3 restarts in 60 s"
        assert diary.of("start") == ["start leaf"] * 4

    @pytest.mark.parametrize("levels", [1, 2, 3])
    def test_on_what_no_restart_can_mend_is_at_once_at_every_level(self, start, play, diary, levels):
        class DamagedError(Exception):
            restart_helps = False

        tree = play.ChildSpec("leaf", play.Child, diary)
        for level in range(1, levels):
            tree = play.ChildSpec(f"level {level}", play.Supervisor, play.a_supervisor(tree, root=False))
        system = start("journal", tree, "feed")

        system.tell("leaf", play.Crash(DamagedError))
        end = system.request("system", AwaitSystemStop(), timeout_s=4)  # less than any child may take to stop

        assert end.exit_code == 70
        assert "DamagedError: told to" in f"{end.reason} {type(end.error).__name__}: {end.error}"
        assert diary.of("start") == ["start journal", "start leaf", "start feed"]
        assert sorted(diary.of("stop")) == ["stop feed", "stop journal", "stop leaf"]


class TestAChildThatHoldsTheLoop:
    def test_is_named_in_the_tree(self, play, diary, gate):
        with InProcessSystem(InProcessSystemBase(stall_warn_s=0.2)) as system:
            diary.held["holder"] = gate
            settings = play.a_supervisor(play.ChildSpec("holder", play.Child, diary))
            system.start("system", play.Supervisor, settings)
            before = system.request("system", DescribeTree())
            answer = system.request_future("holder", play.Work())
            while system.base.watchdog.last is None:
                gate.await_entered()
            gate.open()
            answer.result(5)

            after = system.request("system", DescribeTree())

        assert (before.stalls, before.last_stall) == (0, "")
        assert (after.stalls, after.last_stall) == (1, "holder")


class TestAChildThatFailsWhenTheSystemStops:
    @pytest.fixture
    def stopped(self, threads, actor_system, play, diary, gate):
        """Stop the system while a child fails; return what became of the message behind the failed one."""

        def stopped(restart):
            diary.held["child"] = gate
            child = play.ChildSpec("child", play.BlockingChild, diary, restart=restart)
            actor_system.start("system", play.Supervisor, play.a_supervisor(child))
            actor_system.tell("child", play.Work())
            gate.await_entered()
            actor_system.tell("child", play.Crash())
            queued = actor_system.request_future("child", play.Work(7))
            end = actor_system.request_future("system", StopChildren())
            gate.open()
            end.result(10)
            return queued.result(5)

        return stopped

    def test_handles_what_is_queued_in_a_new_life(self, stopped, play):
        assert stopped("permanent") == play.Done(7, life=2)

    def test_handles_nothing_more_if_it_may_not_start_again(self, stopped, diary):
        assert isinstance(stopped("temporary"), Unavailable)
        assert diary.of("start") == ["start child"]

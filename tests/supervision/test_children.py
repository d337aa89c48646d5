"""`Children` without actors: a fake supervisor, virtual time, scripted failures, an independent model of the policy."""

import heapq
import itertools
from collections import deque
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_examples import FULL

from natya.actors.runtime import RuntimeActor, lifecycle
from natya.actors.supervision import ChildSpec, Supervisor, SupervisorSettings
from natya.actors.supervision.child import KILL_S, Child, shutdown_budget_s
from natya.actors.supervision.children import Children
from natya.actors.supervision.deadline import Deadline
from natya.actors.supervision.protocol import ChildrenStopped, StopChildren
from natya.actors.supervision.report import Reporter
from natya.actors.supervision.restart_budget import RestartBudget
from natya.config.sections.supervision import SupervisionSettings
from natya.messages.supervision import ChildFailed
from natya.messages.system import Ping

SECOND_NS = 1_000_000_000
STRATEGIES = ["one_for_one", "one_for_all", "rest_for_one"]

POLICY = SupervisionSettings.default(
    restarts_max=5,
    window_s=60.0,
    backoff_first_s=0.1,
    backoff_max_s=30.0,
    backoff_reset_s=60.0,
    fail_max=3,
    reset_timeout_s=5.0,
    escalate_after=3,
)


class FakeSupervisor:
    """Plays the actor system: children are names with a state, their reports wait in a queue until delivered."""

    def __init__(self, supervised, *, starts_fail=()):
        self.now_ns = 0
        self.told = []
        """Every order that went out, as (what, child)."""

        self.reports = deque()
        self.starts_fail = set(starts_fail)
        self.deaf = set()
        self.is_up = self.is_down = False
        self.hangs = set()
        """Children that do not stop when they are told to."""

        self.parked = []
        self.taken_back, self.removed = set(), []
        self.facts = []
        """What the journal was told."""

        self.logged = []
        """Names of the events."""

        self.gave_up = None
        self._deadlines, self._order = [], itertools.count()
        reporter = Reporter("root", log=self.log, log_bounded=self.log, journal=self.facts.append, now_ns=lambda: 0)
        self.report = reporter
        policy = supervised.policy
        budget = RestartBudget(restarts_max=policy.restarts_max, window_ns=round(policy.window_s * SECOND_NS))
        self.children = Children(supervised, self, reporter, budget, jitter=lambda: 0.0)

    def log(self, event, **_):
        self.logged.append(event)

    # What `Children` asks for.

    def monotonic_ns(self):
        return self.now_ns

    def create_child(self, spec):
        self._start(spec.name)
        return spec.name

    def control_child(self, child, order):
        name = child.spec.name
        match order:
            case lifecycle.Restart():
                self._start(name)
            case lifecycle.Stop():
                self.told.append(("stop", name))
                if name not in self.hangs:
                    self.reports.append(("ended", name, None, True))
            case _:
                self.told.append((type(order).__name__.lower(), name))

    def send_to_child(self, child, message):
        assert isinstance(message, Ping)
        self.told.append(("ping", child.spec.name))
        self.reports.append(("answered", child.spec.name))

    def call_after(self, seconds, act):
        deadline = Deadline(act)
        heapq.heappush(self._deadlines, (self.now_ns + round(seconds * SECOND_NS), next(self._order), deadline))
        return deadline

    call_after_backoff = call_after

    def children_are_up(self):
        assert not self.is_up
        self.is_up = True

    def children_are_down(self):
        assert not self.is_down
        self.is_down = True

    def takes_back(self, child, error):
        del error
        if child.spec.name in self.taken_back:
            self.children.remove(child)
        return child.spec.name in self.taken_back

    def child_removed(self, child):
        self.removed.append(child.spec.name)

    def child_parked(self, child):
        self.parked.append((child.spec.name, child.parked))

    def give_up(self, child, reason):
        self.gave_up = (child.spec.name, reason)
        self.children.stop_all()

    # What a test does.

    def crash(self, name):
        """Let a running child fail; its report waits like any other."""
        if self.children[name].state == "RUNNING" and not any(report[1] == name for report in self.reports):
            self.reports.append(("failed", name, "handle"))

    def end(self, name, error):
        if self.children[name].state == "RUNNING" and not any(report[1] == name for report in self.reports):
            self.reports.append(("ended", name, error, False))

    def end_on_request(self, name):
        """Let it end because somebody else than its supervisor told it to, whatever it is doing."""
        child = self.children[name]
        if child.state != "STOPPING" and child.address and not any(report[1] == name for report in self.reports):
            self.reports.append(("ended", name, None, True))

    def deliver(self):
        """Hand one report to `Children`, which hears none of a child that has ended."""
        what, name, *rest = self.reports.popleft()
        child = self.children[name]
        match what:
            case _ if child.address is None:
                pass
            case "started":
                self.children.started(child)
            case "failed":
                self.children.failed(child, rest[0], RuntimeError("by script"))
            case "ended":
                self.children.ended(child, error=rest[0], requested=rest[1])
            case "answered" if name not in self.deaf:
                self.children.answered(child)

    def pass_time(self, seconds):
        """Deliver what waits, and let time go by: every deadline comes when it is due."""
        until_ns = self.now_ns + round(seconds * SECOND_NS)
        self.settle()
        while self._deadlines and self._deadlines[0][0] <= until_ns:
            self.now_ns, _, deadline = heapq.heappop(self._deadlines)
            deadline.come()
            self.settle()
        self.now_ns = until_ns

    def settle(self):
        while self.reports:
            self.deliver()

    def orders(self, *whats):
        return [name for what, name in self.told if what in whats]

    def _start(self, name):
        self.told.append(("start", name))
        self.reports.append(("failed", name, "start") if name in self.starts_fail else ("started", name))


def a_supervisor(*children, starts_fail=(), strategy="one_for_one", policy=POLICY, restarts=None, parks=()):
    restart_types = restarts or {}
    specs = tuple(
        ChildSpec(
            name,
            RuntimeActor,
            restart=restart_types.get(name, "permanent"),
            when_exhausted="park" if name in parks else "give_up",
        )
        for name in children
    )
    supervised = SupervisorSettings(children=specs, policy=policy, strategy=strategy)
    return FakeSupervisor(supervised, starts_fail=starts_fail)


class TestComingUp:
    def test_each_starts_when_the_one_before_it_is_up(self):
        supervisor = a_supervisor("a", "b")
        supervisor.children.start_all()

        assert supervisor.orders("start") == ["a"]
        supervisor.deliver()
        assert supervisor.orders("start") == ["a", "b"]
        assert not supervisor.is_up
        supervisor.deliver()
        assert supervisor.is_up

    def test_goes_on_without_a_child_whose_breaker_opened(self):
        supervisor = a_supervisor("a", "b", "c", starts_fail={"b"})
        supervisor.children.start_all()
        supervisor.pass_time(1)

        assert [child.state for child in supervisor.children] == ["RUNNING", "UNAVAILABLE", "RUNNING"]
        assert supervisor.is_up

    def test_a_child_that_dies_in_start_for_ever_gets_five_restarts_a_minute_at_most_and_then_the_supervisor_fails(
        self,
    ):
        supervisor = a_supervisor("a", "b", starts_fail={"b"})
        supervisor.children.start_all()
        supervisor.pass_time(61)

        assert supervisor.gave_up == ("b", "the breaker opened 3 times in a row")
        assert supervisor.is_down
        assert supervisor.children["b"].restarts <= 5
        assert supervisor.orders("stop") == ["b", "a"]

    @pytest.mark.parametrize(
        ("strategy", "started"),
        [("one_for_one", ["a"]), ("one_for_all", ["a", "b"]), ("rest_for_one", ["a", "b"])],
    )
    def test_one_that_is_up_before_its_turn_is_started_again_only_with_its_group(self, strategy, started):
        supervisor = a_supervisor("a", "b", strategy=strategy)
        supervisor.children.start_all()
        supervisor.deliver()
        assert supervisor.orders("start") == ["a", "b"]
        supervisor.children.failed(supervisor.children["a"], "handle", RuntimeError("at once"))
        supervisor.settle()

        assert supervisor.orders("start")[2:] == started
        assert [child.restarts for child in supervisor.children] == [1, len(started) - 1]
        assert supervisor.is_up


class TestAFailureThatNoRestartCanMend:
    def test_makes_the_supervisor_give_up_at_once(self):
        supervisor = a_supervisor("journal", "orders")
        supervisor.children.start_all()
        supervisor.settle()
        error = RuntimeError("bytes are gone")
        error.restart_helps = False

        supervisor.children.failed(supervisor.children["journal"], "handle", error)

        assert supervisor.gave_up == ("journal", "no restart can mend it")


class TestAGroup:
    def test_is_suspended_from_the_last_on_and_restarted_from_the_first_on(self):
        supervisor = a_supervisor("a", "b", "c", strategy="one_for_all")
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.told.clear()
        supervisor.crash("b")
        supervisor.deliver()
        assert [child.state for child in supervisor.children] == ["RESTARTING"] * 3
        supervisor.settle()

        assert supervisor.told == [
            ("suspend", "c"), ("suspend", "b"), ("suspend", "a"), ("start", "a"), ("start", "b"), ("start", "c"),
        ]  # fmt: skip

    def test_stays_down_together_and_is_probed_where_it_failed(self):
        supervisor = a_supervisor("a", "b", "c", strategy="rest_for_one", policy=POLICY)
        supervisor.children.start_all()
        supervisor.settle()
        for _ in range(3):
            supervisor.crash("b")
            supervisor.pass_time(1)

        assert [child.state for child in supervisor.children] == ["RUNNING", "UNAVAILABLE", "UNAVAILABLE"]
        supervisor.pass_time(6)
        assert [child.state for child in supervisor.children] == ["RUNNING"] * 3
        assert supervisor.orders("ping") == ["b"]
        assert supervisor.children.breaker(supervisor.children["b"]) == "closed"

    def test_does_not_take_back_what_ended_normally(self):
        supervisor = a_supervisor("a", "b", strategy="one_for_all", restarts={"b": "transient"})
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.end("b", None)
        supervisor.settle()
        supervisor.crash("a")
        supervisor.settle()

        assert [child.state for child in supervisor.children] == ["RUNNING", "STOPPED"]

    def test_stops_the_temporary_among_them(self):
        supervisor = a_supervisor("a", "b", strategy="one_for_all", restarts={"b": "temporary"})
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.crash("a")
        supervisor.settle()

        assert [child.state for child in supervisor.children] == ["RUNNING", "STOPPED"]

    def test_that_restarts_takes_none_along_whose_breaker_is_open(self):
        supervisor = a_supervisor(
            "a", "b", "c", strategy="rest_for_one", policy=msgspec.structs.replace(POLICY, fail_max=2)
        )
        supervisor.children.start_all()
        supervisor.settle()
        for _ in range(2):
            supervisor.crash("c")
            supervisor.pass_time(0.5)
        assert supervisor.children.breaker(supervisor.children["c"]) == "open"
        supervisor.told.clear()
        supervisor.crash("a")
        supervisor.settle()

        assert supervisor.orders("start") == ["a", "b"]
        assert [child.state for child in supervisor.children] == ["RUNNING", "RUNNING", "UNAVAILABLE"]


class TestAGroupThatIsKeptDown:
    """One of it has failed too often; the others wait with it until it is tried again."""

    @staticmethod
    def kept_down(strategy, *, policy=POLICY, parks=()):
        supervisor = a_supervisor("a", "b", "c", "d", strategy=strategy, policy=policy, parks=parks)
        supervisor.children.start_all()
        supervisor.settle()
        for _ in range(policy.fail_max):
            supervisor.crash("b")
            supervisor.pass_time(1)
        assert supervisor.children.breaker(supervisor.children["b"]) == "open"
        supervisor.told.clear()
        return supervisor

    @pytest.mark.parametrize("strategy", STRATEGIES)
    @pytest.mark.parametrize("ended", "abcd")
    def test_comes_up_without_one_that_somebody_tells_to_end(self, strategy, ended):
        supervisor = self.kept_down(strategy)
        was_tried_again = ended == "b" and strategy != "one_for_one"
        supervisor.end_on_request(ended)
        supervisor.settle()
        begun = supervisor.orders("start")
        supervisor.pass_time(60)

        assert begun == (
            {"one_for_all": ["a", "c", "d"], "rest_for_one": ["c", "d"]}[strategy] if was_tried_again else []
        )
        assert {child.spec.name: child.state for child in supervisor.children} == {
            name: "STOPPED" if name == ended else "RUNNING" for name in "abcd"
        }
        assert supervisor.orders("ping") == ([] if ended == "b" else ["b"])
        assert {supervisor.children.breaker(child) for child in supervisor.children if child.address} == {"closed"}

    @pytest.mark.parametrize(("strategy", "started"), [("one_for_all", ["a", "c", "d"]), ("rest_for_one", ["c", "d"])])
    def test_comes_up_without_one_whose_last_restart_is_spent_when_it_is_to_be_tried_again(self, strategy, started):
        policy = msgspec.structs.replace(POLICY, restarts_max=2)
        supervisor = self.kept_down(strategy, policy=policy, parks={"b"})
        supervisor.pass_time(60)

        assert supervisor.parked == [("b", "more than 2 restarts in 60 s")]
        assert [child.state for child in supervisor.children] == ["RUNNING", "PARKED", "RUNNING", "RUNNING"]
        assert supervisor.orders("start") == started

    def test_probes_another_of_it_that_had_failed_too_often_before(self):
        supervisor = a_supervisor(
            "a", "b", "c", strategy="rest_for_one", policy=msgspec.structs.replace(POLICY, fail_max=1)
        )
        supervisor.children.start_all()
        supervisor.settle()
        for name in "ba":
            supervisor.crash(name)
            supervisor.settle()
        supervisor.told.clear()
        supervisor.end_on_request("a")
        supervisor.settle()

        assert supervisor.told == [("start", "b"), ("start", "c"), ("ping", "b")]
        assert [child.state for child in supervisor.children] == ["STOPPED", "RUNNING", "RUNNING"]
        assert supervisor.children.breaker(supervisor.children["b"]) == "closed"

    def test_probes_each_of_it_that_had_failed_too_often_when_it_is_tried_again(self):
        supervisor = a_supervisor(
            "a", "b", "c", strategy="rest_for_one", policy=msgspec.structs.replace(POLICY, fail_max=1)
        )
        supervisor.children.start_all()
        supervisor.settle()
        for name in "ca":
            supervisor.crash(name)
            supervisor.settle()
        supervisor.told.clear()
        supervisor.pass_time(6)

        assert supervisor.told == [("start", "a"), ("start", "b"), ("start", "c"), ("ping", "a"), ("ping", "c")]
        assert {supervisor.children.breaker(child) for child in supervisor.children} == {"closed"}

    def test_comes_up_without_one_that_ends_by_itself_of_what_no_restart_can_mend(self):
        supervisor = self.kept_down("one_for_all", parks={"b"})
        supervisor.children.ended(supervisor.children["b"], error=unmendable(), requested=False)
        supervisor.settle()

        assert [child.state for child in supervisor.children] == ["RUNNING", "PARKED", "RUNNING", "RUNNING"]


class TestAChildThatHangsInItsStop:
    @staticmethod
    def a_fall():
        supervisor = a_supervisor("a", "b")
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.hangs.add("b")
        supervisor.told.clear()
        supervisor.children.stop_all()
        return supervisor

    def test_is_killed_when_its_time_is_over_and_not_before(self):
        supervisor = self.a_fall()
        supervisor.pass_time(9.9)
        assert supervisor.told == [("stop", "b")]
        supervisor.pass_time(0.1)

        assert supervisor.told == [("stop", "b"), ("kill", "b")]

    def test_is_given_up_for_lost_if_that_does_not_help_and_the_others_stop(self):
        supervisor = self.a_fall()
        supervisor.pass_time(10.9)
        assert not supervisor.is_down
        supervisor.pass_time(0.1)

        assert supervisor.orders("stop") == ["b", "a"]
        assert supervisor.is_down

    def test_has_the_time_that_its_spec_gives_it(self):
        assert shutdown_budget_s(ChildSpec("a", RuntimeActor, shutdown_s=3.0), 10.0) == 3.0


class TestAChildThatComesUpWhileAllGoDown:
    def test_counts_as_no_restart_and_is_stopped_in_its_turn(self):
        supervisor = a_supervisor("a", "b")
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.crash("a")
        supervisor.crash("b")
        supervisor.deliver()
        supervisor.deliver()
        assert [child.state for child in supervisor.children] == ["RESTARTING", "RESTARTING"]
        supervisor.children.stop_all()
        supervisor.settle()

        assert supervisor.report.restarts == 0
        assert supervisor.orders("stop") == ["b", "a"]
        assert supervisor.is_down

    def test_does_not_count_either_if_all_go_down_because_of_it(self):
        """It overran its start, was one failure too many, and says afterwards that it runs."""
        supervisor = a_supervisor("a", "b", policy=msgspec.structs.replace(POLICY, restarts_max=1))
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.crash("a")
        supervisor.deliver()
        supervisor.children.failed(supervisor.children["a"], "start", RuntimeError("too late"))
        assert supervisor.gave_up == ("a", "more than 1 restarts in 60 s")
        supervisor.settle()

        assert supervisor.report.restarts == 0
        assert supervisor.orders("stop") == ["b", "a"]


class TestWhileAllGoDown:
    @staticmethod
    def a_fall(*, hangs=(), **given):
        supervisor = a_supervisor("a", "b", **given)
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.hangs.update(hangs)
        return supervisor

    @pytest.mark.parametrize("restarts_max", [0, 5])
    def test_one_that_fails_is_not_restarted_and_nobody_gives_up_for_it(self, restarts_max):
        supervisor = self.a_fall(policy=msgspec.structs.replace(POLICY, restarts_max=restarts_max))
        supervisor.told.clear()
        supervisor.crash("a")
        supervisor.children.stop_all()
        supervisor.settle()

        assert supervisor.told == [("stop", "b"), ("stop", "a")]
        assert supervisor.gave_up is None
        assert supervisor.report.failures == 1

    def test_one_whose_failure_crossed_the_order_to_stop_is_told_again(self):
        supervisor = self.a_fall(hangs={"a"})
        supervisor.told.clear()
        supervisor.crash("b")
        supervisor.children.stop_all()
        assert supervisor.told == [("stop", "b")]
        supervisor.deliver()
        assert supervisor.told == [("stop", "b"), ("stop", "b")]

    def test_a_supervisor_that_failed_is_stopped_by_order_since_it_reads_no_mail(self):
        below = SupervisorSettings(children=(), policy=POLICY)
        specs = (ChildSpec("below", Supervisor, below), ChildSpec("last", RuntimeActor))
        supervisor = WatchfulSupervisor(SupervisorSettings(children=specs, policy=POLICY))
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.crash("below")
        supervisor.children.stop_all()
        supervisor.settle()

        assert supervisor.orders("stop") == ["last", "below"]
        assert supervisor.orders("stop children") == []
        assert supervisor.is_down

    def test_none_comes_up_that_is_added(self):
        supervisor = self.a_fall(hangs={"b"})
        supervisor.told.clear()
        supervisor.children.stop_all()
        supervisor.children.add(ChildSpec("c", RuntimeActor))
        supervisor.pass_time(11)

        assert supervisor.orders("start") == []
        assert supervisor.orders("stop") == ["b", "a"]
        assert supervisor.is_down

    def test_one_that_is_removed_is_killed_in_its_time_too(self):
        supervisor = self.a_fall(hangs={"b"})
        supervisor.children.stop_all()
        supervisor.pass_time(4)
        supervisor.children.remove(supervisor.children["b"])
        supervisor.pass_time(5.9)
        assert supervisor.orders("kill") == []
        supervisor.pass_time(0.2)
        assert supervisor.orders("kill") == ["b"]
        supervisor.pass_time(1)

        assert supervisor.is_down
        assert [child.spec.name for child in supervisor.children] == ["a"]

    def test_one_that_hung_in_its_stop_already_is_killed_in_its_time(self):
        supervisor = self.a_fall(hangs={"b"}, strategy="one_for_all", restarts={"b": "temporary"})
        supervisor.crash("a")
        supervisor.settle()
        assert supervisor.children["b"].state == "STOPPING"
        supervisor.pass_time(4)
        supervisor.children.stop_all()
        supervisor.pass_time(6)
        assert supervisor.orders("kill") == ["b"]
        supervisor.pass_time(1)

        assert supervisor.is_down


class TestTwoThatAreProbedTogether:
    def test_are_up_when_both_have_answered_and_one_that_does_not_has_failed(self):
        supervisor = a_supervisor(
            "a", "b", strategy="one_for_all", policy=msgspec.structs.replace(POLICY, fail_max=1, escalate_after=9)
        )
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.crash("a")
        supervisor.settle()
        supervisor.deaf.add("a")
        supervisor.pass_time(5)
        supervisor.crash("b")
        supervisor.settle()
        supervisor.told.clear()
        supervisor.deaf = {"b"}
        supervisor.pass_time(5)

        def breakers():
            return [supervisor.children.breaker(child) for child in supervisor.children]

        assert supervisor.orders("ping") == ["a", "b"]
        assert breakers() == ["closed", "half-open"]
        supervisor.pass_time(5)
        assert breakers() == ["closed", "open"]
        assert [child.state for child in supervisor.children] == ["UNAVAILABLE"] * 2
        supervisor.deaf = set()
        supervisor.pass_time(5)
        assert breakers() == ["closed", "closed"]
        assert [child.state for child in supervisor.children] == ["RUNNING"] * 2


class TestAChildOfALifeBefore:
    @pytest.mark.parametrize("strategy", ["one_for_all", "rest_for_one"])
    def test_that_ended_before_the_start_is_one_of_the_group_again(self, strategy):
        supervisor = a_supervisor("a", "b", strategy=strategy)
        supervisor.children.adopt("b", "b")
        supervisor.children.ended(supervisor.children["b"], error=None, requested=True)
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.told.clear()
        supervisor.crash("a")
        supervisor.settle()

        assert supervisor.orders("start") == ["a", "b"]
        assert [child.state for child in supervisor.children] == ["RUNNING", "RUNNING"]

    def test_that_was_parked_and_ended_before_the_start_is_so_again(self):
        supervisor = a_supervisor("a", "b", strategy="one_for_all", parks={"b"})
        supervisor.children.adopt("b", "b")
        supervisor.children.failed(supervisor.children["b"], "handle", unmendable())
        supervisor.children.ended(supervisor.children["b"], error=None, requested=True)
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.told.clear()
        supervisor.crash("a")
        supervisor.settle()

        assert supervisor.orders("start") == ["a", "b"]

    def test_that_is_a_supervisor_is_asked_to_stop_its_own_children_first(self):
        below = SupervisorSettings(children=(), policy=POLICY)
        settings = SupervisorSettings(children=(ChildSpec("below", Supervisor, below),), policy=POLICY)
        supervisor = WatchfulSupervisor(settings)
        supervisor.listening.add("below")
        supervisor.children.adopt("below", "below")
        supervisor.children.stop_all()
        supervisor.settle()

        assert supervisor.told == [("stop children", "below"), ("stop", "below")]
        assert supervisor.is_down


class TestAChildThatWasToldToEndByAnother:
    """Not by its supervisor: `system.stop("b")`, or the child itself."""

    @pytest.mark.parametrize("strategy", STRATEGIES)
    def test_is_gone_for_good_whatever_its_restart_type_and_its_group(self, strategy):
        supervisor = a_supervisor("a", "b", strategy=strategy)
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.children.ended(supervisor.children["b"], error=None, requested=True)
        supervisor.told.clear()
        supervisor.crash("a")
        supervisor.settle()

        assert supervisor.orders("start") == ["a"]
        assert [child.state for child in supervisor.children] == ["RUNNING", "STOPPED"]
        assert supervisor.report.failures == 1

    def test_holds_up_nobody_who_was_to_start_after_it(self):
        supervisor = a_supervisor("a", "b")
        supervisor.children.start_all()
        supervisor.reports.clear()
        supervisor.children.ended(supervisor.children["a"], error=None, requested=True)
        supervisor.settle()

        assert supervisor.orders("start") == ["a", "b"]
        assert supervisor.is_up


class TestAReport:
    def test_is_heard_from_the_child_that_is_there_and_from_no_other(self):
        supervisor = a_supervisor("a")
        supervisor.children.start_all()

        assert supervisor.children.find("a", "a") is supervisor.children["a"]
        assert supervisor.children.find("a", "one that was replaced") is None
        assert supervisor.children.find("nobody", "a") is None

    def test_of_an_answer_that_nobody_asked_for_changes_nothing(self):
        supervisor = a_supervisor("a")
        supervisor.children.start_all()
        supervisor.children.answered(supervisor.children["a"])
        supervisor.settle()
        assert supervisor.is_up
        supervisor.children.answered(supervisor.children["a"])

        assert supervisor.told == [("start", "a")]
        assert supervisor.logged == ["child.started"]

    def test_says_whether_a_child_failed_in_its_stop_or_ended_by_itself(self):
        supervisor = a_supervisor("a", "b")
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.end("b", RuntimeError("by itself"))
        supervisor.settle()
        supervisor.children.stop_all()
        supervisor.children.ended(supervisor.children["b"], error=RuntimeError("in its stop"), requested=True)

        assert [(fact.phase, fact.reason) for fact in supervisor.facts if isinstance(fact, ChildFailed)] == [
            ("exit", "by itself"), ("stop", "in its stop"),
        ]  # fmt: skip


class TestAChildThatIsRemoved:
    @pytest.mark.parametrize("ends", [False, True])
    def test_is_not_tried_again_and_nothing_is_known_of_it(self, ends):
        supervisor = a_supervisor("a", "b", policy=msgspec.structs.replace(POLICY, fail_max=1))
        supervisor.children.start_all()
        supervisor.settle()
        removed = supervisor.children["b"]
        if ends:
            supervisor.end("b", RuntimeError("by itself"))
        else:
            supervisor.crash("b")
        supervisor.settle()
        assert removed.state == "UNAVAILABLE"
        supervisor.told.clear()
        supervisor.children.remove(removed)
        supervisor.pass_time(60)

        assert supervisor.told == ([] if ends else [("stop", "b")])
        assert [child.spec.name for child in supervisor.children] == ["a"]
        with pytest.raises(KeyError):
            supervisor.children.breaker(removed)

    def test_is_gone_also_if_it_ends_by_itself_before_it_has_handled_all(self):
        supervisor = a_supervisor("a", "b")
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.hangs.add("b")
        supervisor.children.remove(supervisor.children["b"])
        supervisor.told.clear()
        supervisor.children.ended(supervisor.children["b"], error=SystemExit("enough"), requested=False)
        supervisor.pass_time(60)

        assert supervisor.told == []
        assert [child.spec.name for child in supervisor.children] == ["a"]
        assert [(fact.phase, fact.reason) for fact in supervisor.facts] == [("stop", "enough")]
        assert supervisor.removed == ["b"]

    @pytest.mark.parametrize("how", ["failed", "ended", "ended on request"])
    def test_since_it_is_taken_back_is_judged_by_nobody_else(self, how):
        supervisor = a_supervisor("a", "b")
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.told.clear()
        supervisor.taken_back.add("b")
        if how == "failed":
            supervisor.crash("b")
        elif how == "ended":
            supervisor.end("b", SystemExit(3))
        else:
            supervisor.end_on_request("b")
        supervisor.pass_time(60)

        assert supervisor.told == [("stop", "b")] * (how == "failed")
        assert ([child.spec.name for child in supervisor.children], supervisor.removed) == (["a"], ["b"])
        assert supervisor.facts == []

    def test_and_does_not_end_when_it_is_killed_is_told_gone_all_the_same(self):
        supervisor = a_supervisor("a", "b")
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.hangs.add("b")
        supervisor.children.remove(supervisor.children["b"])
        assert supervisor.removed == []
        supervisor.pass_time(600)

        assert supervisor.removed == ["b"]


class TestAChildThatMayBeParked:
    """The code of a user: it ends on its own, and nobody with it."""

    def test_is_when_its_breaker_has_opened_too_often_and_the_others_run_on(self):
        supervisor = a_supervisor("good", "bad", "other", starts_fail={"bad"}, parks={"bad"})
        supervisor.children.start_all()
        supervisor.pass_time(61)

        assert supervisor.parked == [("bad", "the breaker opened 3 times in a row")]
        assert [child.state for child in supervisor.children] == ["RUNNING", "PARKED", "RUNNING"]
        assert supervisor.gave_up is None
        assert supervisor.is_up
        assert supervisor.orders("reject")[-1] == "bad"

    @pytest.mark.parametrize("strategy", STRATEGIES)
    def test_holds_up_nobody_who_was_to_start_after_it(self, strategy):
        policy = msgspec.structs.replace(POLICY, restarts_max=1)
        given = {"strategy": strategy, "policy": policy, "starts_fail": {"bad"}, "parks": {"bad"}}
        supervisor = a_supervisor("good", "bad", "other", **given)
        supervisor.children.start_all()
        supervisor.pass_time(1)

        assert supervisor.parked == [("bad", "more than 1 restarts in 60 s")]
        assert [child.state for child in supervisor.children] == ["RUNNING", "PARKED", "RUNNING"]
        assert supervisor.is_up

    def test_spends_no_restart_of_the_others(self):
        policy = msgspec.structs.replace(POLICY, restarts_max=2, fail_max=9)
        supervisor = a_supervisor("good", "bad", parks={"bad"}, policy=policy)
        supervisor.children.start_all()
        supervisor.settle()
        for _ in range(3):
            supervisor.crash("bad")
            supervisor.pass_time(1)
        assert supervisor.parked == [("bad", "more than 2 restarts in 60 s")]
        for _ in range(2):
            supervisor.crash("good")
            supervisor.pass_time(1)

        assert supervisor.children["good"].state == "RUNNING"
        assert supervisor.gave_up is None

    def test_two_of_them_have_a_budget_each(self):
        policy = msgspec.structs.replace(POLICY, restarts_max=2, fail_max=9)
        supervisor = a_supervisor("bad", "worse", parks={"bad", "worse"}, policy=policy)
        supervisor.children.start_all()
        supervisor.settle()
        for name in ("worse", "worse", "worse", "bad", "bad"):
            supervisor.crash(name)
            supervisor.pass_time(1)

        assert [child.state for child in supervisor.children] == ["RUNNING", "PARKED"]

    def test_is_at_once_if_no_restart_can_mend_it(self):
        supervisor = a_supervisor("bad", parks={"bad"})
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.children.failed(supervisor.children["bad"], "handle", unmendable())

        assert supervisor.parked == [("bad", "no restart can mend it")]
        assert supervisor.orders("reject") == ["bad"]

    def test_is_told_nothing_if_it_has_ended(self):
        supervisor = a_supervisor("good", "bad", parks={"bad"})
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.children.ended(supervisor.children["bad"], error=unmendable(), requested=False)

        assert supervisor.parked == [("bad", "no restart can mend it")]
        assert supervisor.orders("reject") == []

    def test_is_not_at_the_start_of_all_if_no_restart_can_mend_it(self):
        """Whoever starts the system hears of it, and can mend it before anything runs."""
        supervisor = a_supervisor("good", "bad", parks={"bad"})
        supervisor.children.start_all()
        supervisor.deliver()
        supervisor.reports.clear()
        supervisor.children.failed(supervisor.children["bad"], "start", unmendable())

        assert supervisor.gave_up == ("bad", "no restart can mend it")

    def test_at_the_first_start_already_keeps_no_other_from_it_where_its_error_says_so(self):
        supervisor = a_supervisor("good", "bad", "last", parks={"bad"})
        supervisor.children.start_all()
        supervisor.deliver()
        supervisor.reports.clear()
        error = unmendable()
        error.fails_start = False
        supervisor.children.failed(supervisor.children["bad"], "start", error)
        supervisor.settle()

        assert [child.state for child in supervisor.children] == ["RUNNING", "PARKED", "RUNNING"]
        assert supervisor.gave_up is None

    @pytest.mark.parametrize("strategy", STRATEGIES)
    def test_comes_back_with_no_group(self, strategy):
        supervisor = a_supervisor("good", "bad", strategy=strategy, parks={"bad"})
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.children.failed(supervisor.children["bad"], "handle", unmendable())
        supervisor.told.clear()
        supervisor.crash("good")
        supervisor.pass_time(600)

        assert [child.state for child in supervisor.children] == ["RUNNING", "PARKED"]
        assert supervisor.orders("start") == ["good"]

    def test_is_probed_by_no_group(self):
        supervisor = a_supervisor("good", "bad", strategy="one_for_all", parks={"bad"}, starts_fail={"bad"})
        supervisor.children.start_all()
        supervisor.pass_time(61)
        supervisor.told.clear()
        for _ in range(3):
            supervisor.crash("good")
            supervisor.pass_time(1)
        supervisor.pass_time(10)

        assert supervisor.orders("ping") == ["good"]
        assert supervisor.children["good"].state == "RUNNING"
        assert supervisor.children.breaker(supervisor.children["good"]) == "closed"

    def test_is_stopped_with_the_others(self):
        supervisor = a_supervisor("good", "bad", parks={"bad"})
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.children.failed(supervisor.children["bad"], "handle", unmendable())
        supervisor.children.stop_all()
        supervisor.settle()

        assert supervisor.orders("stop") == ["bad", "good"]
        assert supervisor.is_down

    def test_that_says_more_is_not_heard(self):
        supervisor = a_supervisor("bad", parks={"bad"})
        supervisor.children.start_all()
        supervisor.settle()
        supervisor.children.failed(supervisor.children["bad"], "handle", unmendable())
        supervisor.told.clear()
        supervisor.children.failed(supervisor.children["bad"], "handle", RuntimeError("late"))
        supervisor.pass_time(600)

        assert supervisor.told == []
        assert supervisor.children["bad"].state == "PARKED"
        assert len(supervisor.parked) == 1


def unmendable():
    error = RuntimeError("wrong parameters")
    error.restart_helps = False
    return error


class TestFailuresThatOverlap:
    @staticmethod
    def a_group(policy=POLICY):
        supervisor = a_supervisor("a", "b", "c", strategy="one_for_all", policy=policy)
        supervisor.children.start_all()
        supervisor.settle()
        return supervisor

    def test_do_not_start_a_child_twice_that_is_on_its_way(self):
        supervisor = self.a_group()
        supervisor.told.clear()
        supervisor.crash("a")
        supervisor.crash("c")
        supervisor.settle()

        assert supervisor.orders("start") == ["a", "b", "c"]

    def test_of_a_child_that_is_kept_down_already_change_nothing(self):
        supervisor = self.a_group(msgspec.structs.replace(POLICY, fail_max=1))
        supervisor.crash("a")
        supervisor.crash("c")
        supervisor.settle()

        assert [supervisor.children.breaker(child) for child in supervisor.children] == ["open", "closed", "closed"]

    def test_of_a_group_on_its_way_up_do_not_forget_who_was_told_to_start(self):
        """The report that b runs comes when it is kept down already, and nobody waits for it any more."""
        supervisor = self.a_group(msgspec.structs.replace(POLICY, fail_max=2))
        supervisor.crash("a")
        supervisor.deliver()
        supervisor.deliver()
        assert supervisor.orders("start")[-1] == "b"
        supervisor.children.failed(supervisor.children["a"], "handle", RuntimeError("again"))
        supervisor.settle()
        assert [child.state for child in supervisor.children] == ["UNAVAILABLE"] * 3
        supervisor.pass_time(5)

        assert [child.state for child in supervisor.children] == ["RUNNING"] * 3
        assert supervisor.orders("ping") == ["a"]

    def test_wait_for_the_longest_back_off_among_them(self):
        supervisor = self.a_group()
        supervisor.crash("a")
        supervisor.settle()
        supervisor.told.clear()
        supervisor.crash("a")
        supervisor.crash("b")
        supervisor.pass_time(0.09)
        assert supervisor.orders("start") == []
        supervisor.pass_time(0.01)

        assert supervisor.orders("start") == ["a", "b", "c"]

    def test_do_not_forget_a_probe(self):
        supervisor = self.a_group(msgspec.structs.replace(POLICY, fail_max=2))
        supervisor.crash("a")
        supervisor.settle()
        supervisor.crash("a")
        supervisor.settle()
        supervisor.deaf.add("a")
        supervisor.pass_time(5)
        supervisor.crash("b")
        supervisor.deaf.clear()
        supervisor.settle()

        assert supervisor.orders("ping") == ["a", "a"]
        assert supervisor.children.breaker(supervisor.children["a"]) == "closed"

    def test_bring_all_up_again_where_a_probe_is_answered_late(self):
        supervisor = self.a_group(msgspec.structs.replace(POLICY, fail_max=2))
        for _ in range(2):
            supervisor.crash("a")
            supervisor.settle()
        supervisor.deaf.add("a")
        supervisor.pass_time(5)
        supervisor.crash("b")
        supervisor.deliver()
        supervisor.children.answered(supervisor.children["a"])
        supervisor.settle()

        assert [child.state for child in supervisor.children] == ["RUNNING"] * 3


class TestAProbe:
    def test_that_is_not_answered_counts_as_failure(self):
        supervisor = a_supervisor("a", policy=POLICY)
        supervisor.children.start_all()
        supervisor.settle()
        for _ in range(3):
            supervisor.crash("a")
            supervisor.pass_time(1)
        supervisor.deaf.add("a")
        supervisor.pass_time(4.5)
        assert supervisor.children["a"].state == "RUNNING"
        supervisor.pass_time(5)

        assert supervisor.children["a"].state == "UNAVAILABLE"
        assert supervisor.children["a"].last_error == "ProbeOverranError: a did not answer a Ping within 5 s"


class Policeman:
    """The policy once more, from the outside and as plainly as can be: what may happen to a child of `one_for_one`."""

    def __init__(self, policy):
        self.policy = policy
        self.restarts_s = []
        self.children = {}

    def failed(self, name, now_s, ran_s):
        policy = self.policy
        child = self.children.setdefault(name, SimpleNamespace(row=0, waits=0, openings=0, breaker="closed"))
        if ran_s >= policy.backoff_reset_s:
            child.waits = 0
            if child.breaker == "closed":
                child.row = child.openings = 0
        wait_s = 0 if child.waits == 0 else min(policy.backoff_max_s, policy.backoff_first_s * 2 ** (child.waits - 1))
        child.waits += 1
        child.row += 1
        if child.breaker == "closed" and child.row < policy.fail_max:
            return self.restart(now_s, wait_s)
        child.breaker, child.openings = "open", child.openings + 1
        return "give up" if child.openings >= policy.escalate_after else ("down", policy.reset_timeout_s)

    def restart(self, now_s, wait_s):
        self.restarts_s.append(now_s)
        recent = [each_s for each_s in self.restarts_s if each_s > now_s - self.policy.window_s]
        return "give up" if len(recent) > self.policy.restarts_max else ("restart", wait_s)

    def tried(self, name, now_s):
        self.children[name].breaker = "half-open"
        return self.restart(now_s, 0)

    def answered(self, name):
        child = self.children[name]
        child.breaker, child.row, child.openings = "closed", 0, 0


@pytest.mark.parametrize("names", ["a", "abc"])
@settings(max_examples=3 * FULL, deadline=None)
@given(data=st.data())
def test_the_tree_ends_where_an_independent_model_of_the_policy_says(names, data):
    policy = SupervisionSettings.default(
        restarts_max=data.draw(st.integers(1, 12)),
        window_s=60.0,
        backoff_first_s=0.125,
        backoff_max_s=1.0,
        backoff_reset_s=16.0,
        fail_max=data.draw(st.integers(1, 4)),
        reset_timeout_s=4.0,
        escalate_after=data.draw(st.integers(1, 3)),
    )
    supervisor, model = a_supervisor(*names, policy=policy), Policeman(policy)
    supervisor.children.start_all()
    supervisor.settle()
    since_s = dict.fromkeys(names, 0.0)

    for name, wait_s, fails_again in data.draw(
        st.lists(st.tuples(st.sampled_from(names), st.sampled_from([0.0, 0.5, 2.0, 20.0]), st.booleans()), max_size=25)
    ):
        supervisor.pass_time(wait_s)
        now_s = supervisor.now_ns / SECOND_NS
        supervisor.crash(name)
        supervisor.settle()
        verdict = model.failed(name, now_s, now_s - since_s[name])
        again = fails_again
        while verdict != "give up" and verdict[0] == "down":
            assert supervisor.children[name].state == "UNAVAILABLE"
            if again:
                supervisor.starts_fail.add(name)
            supervisor.pass_time(verdict[1])
            now_s = supervisor.now_ns / SECOND_NS
            verdict = model.tried(name, now_s)
            if verdict != "give up" and again:
                verdict = model.failed(name, now_s, 0.0)
            elif verdict != "give up":
                model.answered(name)
            again = False
            supervisor.starts_fail.discard(name)
        assert (supervisor.gave_up is not None) == (verdict == "give up")
        if verdict == "give up":
            assert all(child.address is None for child in supervisor.children)
            return
        assert supervisor.children[name].state == ("RESTARTING" if verdict[1] else "RUNNING")
        supervisor.pass_time(verdict[1])
        since_s[name] = supervisor.now_ns / SECOND_NS
        assert supervisor.children[name].state == "RUNNING"
        assert supervisor.children.breaker(supervisor.children[name]) == "closed"


class WatchfulSupervisor(FakeSupervisor):
    """Refuses every order that `Children` must not give; its children may also hang in their start or their stop."""

    def __init__(self, supervised):
        super().__init__(supervised)
        self.strategy = supervised.strategy
        self.hangs_in_start = set()
        self.rejecting = set()
        """Children whose mail is answered for them."""

        self.suspended = set()
        """Children that handle nothing until they are told to restart."""

        self.listening = set()
        """Supervisors that are up: they stop their own children first."""

        self.stopped_ns = {}
        """When each was told to stop, for the first time."""

    def create_child(self, spec):
        assert not self.children.is_stopping
        assert self.children[spec.name].address is None
        self.stopped_ns.pop(spec.name, None)
        self.suspended.discard(spec.name)
        self.listening.update({spec.name} if spec.actor is Supervisor else ())
        return super().create_child(spec)

    def control_child(self, child, order):
        name = child.spec.name
        assert child.address == name
        if not isinstance(order, lifecycle.Stop):
            self.listening.discard(name)
        self.rejecting.discard(name)
        match order:
            case lifecycle.Restart():
                assert not self.children.is_stopping
                assert name in self.suspended or self.strategy != "one_for_one"
                self.suspended.discard(name)
            case lifecycle.Suspend():
                assert child.state == "RUNNING"
                self.suspended.add(name)
            case lifecycle.Reject():
                assert not self.children.is_stopping
                self.rejecting.add(name)
                assert order.for_good == bool(child.parked)
                self.suspended.add(name)
            case lifecycle.Stop():
                assert name not in self.listening or child.given_up
                assert order.afresh == (child.spec.restart != "temporary" and not child.given_up)
                self._is_told_to_stop(child)
            case lifecycle.Kill():
                assert self.now_ns == self.stopped_ns[name] + 10 * SECOND_NS
        super().control_child(child, order)

    def send_to_child(self, child, message):
        name = child.spec.name
        if isinstance(message, StopChildren):
            assert name in self.listening
            self._is_told_to_stop(child)
            self.told.append(("stop children", name))
            if name not in self.hangs | self.suspended:
                self.reports.append(("below", name))
        else:
            assert child.state == "RUNNING"
            super().send_to_child(child, message)

    def deliver(self):
        if not self._is_there(self.reports[0][1]):
            self.reports.popleft()  # it is gone
        elif self.reports[0][0] == "below":
            name = self.reports.popleft()[1]
            self.listening.discard(name)
            self.children.below_stopped(self.children[name], ChildrenStopped(statistics=()))
        else:
            what, name, *_ = self.reports[0]
            if what == "failed":
                self.listening.discard(name)
            super().deliver()
            if what == "started" and self.children[name].spec.actor is Supervisor and not self.children.is_stopping:
                self.listening.add(name)

    def settle(self):
        super().settle()
        self.check()

    def crash(self, name):
        if self._is_there(name) and name not in self.suspended:
            reports = len(self.reports)
            super().crash(name)
            if len(self.reports) > reports:
                self.suspended.add(name)

    def end(self, name, error):
        if self._is_there(name) and name not in self.suspended:
            super().end(name, error)

    def end_on_request(self, name):
        if self._is_there(name):
            super().end_on_request(name)

    def hang_in_start(self, name):
        if self._is_there(name) and self.children[name].spec.actor is RuntimeActor:
            self.hangs_in_start.add(name)

    def mend(self, name):
        for broken in (self.starts_fail, self.hangs_in_start, self.deaf):
            broken.discard(name)

    def remove(self, name):
        if (
            self.strategy == "one_for_one" and self._is_there(name) and not self.children[name].is_gone
        ):  # as a pool does
            self.children.remove(self.children[name])

    def check(self):
        """Each deadline that waits is that of a child or of an group, and each child has the one that it needs."""
        groups = {
            id(child.start_group): child.start_group for child in self.children if child.start_group is not None
        }.values()
        held = {id(each.timer) for each in (*self.children, *groups) if each.timer is not None and each.timer.waits}
        assert {id(deadline) for *_, deadline in self._deadlines if deadline.waits} <= held
        for child in self.children:
            waits = id(child.timer) in held
            assert (child.address is None) <= (child.state in {"STOPPED", "UNAVAILABLE", "PARKED", "RESTARTING"})
            assert (child.state in {"RUNNING", "STOPPED", "PARKED"}) <= (not waits)
            if child.state in {"UNAVAILABLE", "PARKED"} and child.address is not None:
                assert child.spec.name in self.rejecting
            assert (child.state == "STOPPING") <= waits
            if child.state == "RESTARTING" and not child.is_starting:  # what its next start waits for is the group's
                assert not waits
            if child.is_starting and not self.children.is_stopping and child.spec.actor is RuntimeActor:
                assert waits
            assert child.is_starting <= (child.state in {"STARTING", "RESTARTING", "STOPPING"})
        for group in groups:
            assert not self.children.is_stopping
            for child in map(self.children.__getitem__, group.probes.union(group.names)):
                assert child.start_group is group
                assert not child.is_gone
                assert not child.parked

    def _start(self, name):
        if name in self.hangs_in_start:
            self.told.append(("start", name))
            self.suspended.add(name)
        else:
            super()._start(name)
            if name in self.starts_fail:
                self.suspended.add(name)

    def _is_there(self, name):
        return any(name == child.spec.name for child in self.children)

    def _is_told_to_stop(self, child):
        name = child.spec.name
        if self.children.is_stopping and name not in self.stopped_ns:
            assert name == [each.spec.name for each in self.children if each.address is not None][-1]
        self.stopped_ns.setdefault(name, self.now_ns)


NAMES = st.sampled_from("abcd")
EVENTS = st.one_of(
    st.tuples(st.sampled_from(["crash", "crash", "end", "told", "break", "mend", "hang", "deafen", "remove"]), NAMES),
    st.tuples(st.just("deliver"), st.none()),
    st.tuples(st.just("wait"), st.sampled_from([0.05, 1.0, 6.0, 100.0])),
)


HASTY = msgspec.structs.replace(POLICY, restarts_max=3, fail_max=1)
"""Its breakers open at the first failure, and its budget is soon spent."""


def a_watchful_supervisor(data):
    """Make one of a to d, each of any kind."""
    kinds = data.draw(
        st.lists(st.sampled_from(["permanent", "branch", "transient", "temporary", "parks"]), min_size=4, max_size=4)
    )
    below = SupervisorSettings(children=(), policy=POLICY)
    specs = []
    for name, kind in zip("abcd", kinds, strict=True):
        if kind == "branch":
            specs.append(ChildSpec(name, Supervisor, below))
        else:
            restart = "permanent" if kind == "parks" else kind
            exhausted = "park" if kind == "parks" else "give_up"
            specs.append(ChildSpec(name, RuntimeActor, restart=restart, when_exhausted=exhausted))
    strategy = data.draw(st.sampled_from(STRATEGIES))
    policy = data.draw(st.sampled_from([POLICY, HASTY]))
    return WatchfulSupervisor(SupervisorSettings(children=tuple(specs), policy=policy, strategy=strategy))


def play(supervisor, events):
    happen = {
        "crash": supervisor.crash,
        "end": lambda name: supervisor.end(name, RuntimeError("by script")),
        "told": supervisor.end_on_request,
        "break": supervisor.starts_fail.add,
        "deafen": supervisor.deaf.add,
        "hang": supervisor.hang_in_start,
        "mend": supervisor.mend,
        "remove": supervisor.remove,
        "deliver": lambda _: supervisor.reports and supervisor.deliver(),
        "wait": supervisor.pass_time,
    }
    for what, of in events:
        happen[what](of)
        supervisor.check()


@settings(max_examples=5 * FULL, deadline=None)
@given(data=st.data(), events=st.lists(EVENTS, max_size=60))
def test_whatever_fails_and_when_in_the_end_all_are_up_or_gone_or_the_supervisor_gave_up(data, events):
    supervisor = a_watchful_supervisor(data)
    supervisor.children.start_all()
    play(supervisor, events)
    for name in "abcd":
        supervisor.mend(name)
    supervisor.pass_time(200)

    if supervisor.gave_up is not None:
        assert supervisor.is_down
        assert all(child.address is None for child in supervisor.children)
        return
    assert supervisor.is_up
    for child in supervisor.children:
        assert child.state == ("STOPPED" if child.is_gone else "PARKED" if child.parked else "RUNNING")
        assert child.start_group is None
        assert child.parked or child.is_gone or supervisor.children.breaker(child) == "closed"
    stopped_before = len(supervisor.orders("stop"))
    alive = [child.spec.name for child in supervisor.children if child.address is not None]
    supervisor.children.stop_all()
    supervisor.settle()
    assert supervisor.is_down
    assert supervisor.orders("stop")[stopped_before:] == alive[::-1]


@settings(max_examples=3 * FULL, deadline=None)
@given(data=st.data(), before=st.lists(EVENTS, max_size=25), after=st.lists(EVENTS, max_size=10), hangs=st.sets(NAMES))
def test_whenever_all_go_down_each_is_stopped_in_its_turn_or_killed_in_its_time(data, before, after, hangs):
    supervisor = a_watchful_supervisor(data)
    supervisor.children.start_all()
    play(supervisor, before)
    supervisor.hangs |= hangs
    given_up = supervisor.gave_up
    supervisor.children.stop_all()
    play(supervisor, [event for event in after if event[0] != "remove"])
    supervisor.pass_time(4 * (10 + KILL_S))

    assert supervisor.is_down
    assert supervisor.gave_up == given_up
    assert [child.spec.name for child in supervisor.children if child.address is not None] == []
    assert set(supervisor.orders("kill")) <= hangs


class TestTheTimeToStop:
    def test_of_a_supervisor_is_that_of_all_its_children_one_after_another(self):
        children = tuple(ChildSpec(name, RuntimeActor) for name in "abc")
        below = SupervisorSettings(children=children, policy=POLICY, shutdown_s=2.0)

        assert shutdown_budget_s(ChildSpec("below", Supervisor, below), 10.0) == 10.0 + 3 * (2.0 + 1.0)
        assert shutdown_budget_s(ChildSpec("a", RuntimeActor, None, "permanent", 0.5), 10.0) == 0.5


class TestTheOrderToStop:
    @pytest.mark.parametrize("restart", ["permanent", "transient", "temporary"])
    @pytest.mark.parametrize("given_up", [False, True])
    def test_lets_one_that_fails_begin_afresh_for_what_is_queued_if_it_may_be_restarted(self, restart, given_up):
        child = Child(ChildSpec("a", RuntimeActor, restart=restart))
        child.given_up = given_up

        assert child.stop() == lifecycle.Stop(
            afresh=(restart, given_up) in {("permanent", False), ("transient", False)}
        )

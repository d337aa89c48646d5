"""The pure rules: back-off, budget, breaker, and who restarts with whom."""

import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import msgspec
import pybreaker
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.runtime import RuntimeActor, restart_helps
from natya.actors.supervision import BreakerSettings, ChildSpec, SupervisorSettings
from natya.actors.supervision.backoff import Backoff
from natya.actors.supervision.child import Child
from natya.actors.supervision.policy import (
    GiveUp,
    KeepDown,
    Leave,
    Park,
    Restart,
    RestartPolicy,
    affected,
)
from natya.actors.supervision.report import TRACED_A_SECOND_MAX, Reporter
from natya.actors.supervision.restart_budget import RestartBudget
from natya.actors.supervision.start_group import StartGroup
from natya.actors.supervision.start_groups import StartGroups
from natya.actors.supervision.tree import status, under
from natya.config.errors import SettingsError
from natya.config.sections.supervision import SupervisionSettings
from natya.domain.breaker import Breaker, _MonotonicStorage
from natya.messages.supervision import BreakerOpened, ChildFailed, ChildRestarted, ChildStatus, Escalated

SECOND_NS = 1_000_000_000


def a_backoff(*, first_s=0.1, max_s=30.0, reset_s=60.0, jitter=lambda: 0.0):
    return Backoff(first_s=first_s, max_s=max_s, reset_s=reset_s, jitter=jitter)


class TestTheBackoff:
    def test_is_none_at_first_then_doubles_up_to_its_maximum(self):
        backoff = a_backoff(max_s=1.0)

        assert [backoff.next_s(ran_s=0) for _ in range(7)] == [0.0, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]

    def test_starts_over_after_a_long_run(self):
        backoff = a_backoff()
        for _ in range(5):
            backoff.next_s(ran_s=0)

        assert backoff.next_s(ran_s=60.0) == 0.0

    def test_never_overflows(self):
        backoff = a_backoff()

        assert max(backoff.next_s(ran_s=0) for _ in range(5000)) == 30.0

    @given(chance=st.randoms(use_true_random=False), runs_s=st.lists(st.floats(0, 120), max_size=50))
    def test_with_jitter_stays_between_half_and_all_of_it(self, chance, runs_s):
        exact, jittered = a_backoff(), a_backoff(jitter=chance.random)

        for ran_s in runs_s:
            whole_s = exact.next_s(ran_s=ran_s)
            assert whole_s / 2 <= jittered.next_s(ran_s=ran_s) <= whole_s


class Damaged(Exception):  # noqa: N818  as a room might name it
    restart_helps = False


class TestWhatNoRestartCanMend:
    def test_is_what_an_error_says_of_itself(self):
        assert restart_helps(ValueError("broke"))
        assert not restart_helps(Damaged("bytes are gone"))

    def test_is_seen_through_the_errors_that_followed_from_it(self):
        given_up = RuntimeError("a supervisor gave up")
        given_up.__cause__ = Damaged("bytes are gone")

        assert not restart_helps(given_up)

    def test_is_not_asked_of_nothing(self):
        assert restart_helps(None)


class TestTheBudget:
    def test_forgets_a_restart_when_the_window_is_over_and_not_before(self):
        early, in_time = (RestartBudget(restarts_max=1, window_ns=100) for _ in range(2))
        assert early.spend(7)
        assert in_time.spend(7)

        assert not early.spend(106)
        assert in_time.spend(107)

    @given(
        restarts_max=st.integers(1, 6),
        steps_ns=st.lists(st.integers(0, 40), max_size=60),
    )
    def test_is_spent_when_a_window_holds_more_than_its_maximum(self, restarts_max, steps_ns):
        budget, now_ns, spent_ns = RestartBudget(restarts_max=restarts_max, window_ns=100), 0, []

        for step_ns in steps_ns:
            now_ns += step_ns
            spent_ns.append(now_ns)
            in_window = sum(each_ns > now_ns - 100 for each_ns in spent_ns)
            assert budget.spend(now_ns) == (in_window <= restarts_max)


def a_breaker(*, fail_max=3, reset_timeout_s=5.0):
    return Breaker(fail_max=fail_max, reset_timeout_s=reset_timeout_s)


class TestTheBreaker:
    def test_opens_at_the_last_allowed_failure_in_a_row(self):
        breaker = a_breaker()

        assert [breaker.failed(now_ns) for now_ns in range(3)] == [False, False, True]
        assert (breaker.state, breaker.openings) == ("open", 1)

    def test_forgets_failures_after_a_success(self):
        breaker = a_breaker()
        breaker.failed(1)
        breaker.failed(2)
        breaker.succeeded()

        assert breaker.failed(3) is False

    def test_says_when_to_try_again_by_the_time_it_is_given_not_by_the_wall_clock(self):
        breaker = a_breaker(fail_max=1)
        breaker.failed(100 * SECOND_NS)

        assert breaker.retry_after_s(102 * SECOND_NS) == 3.0
        assert breaker.retry_after_s(200 * SECOND_NS) == 0.0

    def test_half_open_closes_on_success(self):
        breaker = a_breaker(fail_max=1)
        breaker.failed(1)
        breaker.try_again()
        breaker.succeeded()

        assert (breaker.state, breaker.openings) == ("closed", 0)

    def test_half_open_opens_again_at_the_first_failure(self):
        breaker = a_breaker(fail_max=3)
        for now_ns in range(3):
            breaker.failed(now_ns)
        breaker.try_again()

        assert breaker.failed(5 * SECOND_NS) is True
        assert (breaker.openings, breaker.retry_after_s(5 * SECOND_NS)) == (2, 5.0)

    def test_open_takes_neither_failure_nor_success(self):
        breaker = a_breaker(fail_max=1)
        breaker.failed(0)
        breaker.succeeded()
        breaker.failed(3 * SECOND_NS)

        assert (breaker.state, breaker.openings, breaker.retry_after_s(4 * SECOND_NS)) == ("open", 1, 1.0)

    @given(fail_max=st.integers(1, 4), events=st.lists(st.sampled_from(["fail", "succeed", "try"]), max_size=60))
    def test_behaves_as_the_three_states_say(self, fail_max, events):
        breaker, state, failures, openings = a_breaker(fail_max=fail_max), "closed", 0, 0

        for event in events:
            match state, event:
                case ("closed", "fail"):
                    failures += 1
                    if failures == fail_max:
                        state, openings = "open", openings + 1
                case ("half-open", "fail"):
                    state, openings = "open", openings + 1
                case ("closed" | "half-open", "succeed"):
                    state, failures, openings = "closed", 0, 0
                case ("open", "try"):
                    state = "half-open"
            {"fail": lambda: breaker.failed(0), "succeed": breaker.succeeded, "try": breaker.try_again}[event]()
            assert (breaker.state, breaker.openings) == (state, openings)


class TestThePybreakerUnderneath:
    """Its sharp edges, each of which the restart breaker keeps away from."""

    def test_holds_its_lock_while_a_wrapped_call_runs_so_ours_wraps_none(self):
        wrapped, entered, leave = pybreaker.CircuitBreaker(), threading.Event(), threading.Event()
        holder = threading.Thread(target=wrapped.call, args=(lambda: (entered.set(), leave.wait(5)),))
        holder.start()
        entered.wait(5)
        free = wrapped._lock.acquire(blocking=False)
        leave.set()
        holder.join()

        assert not free
        assert a_breaker()._breaker._lock.acquire(blocking=False)

    def test_takes_the_opening_time_from_the_wall_so_ours_ignores_it(self):
        storage = _MonotonicStorage()
        storage.now_ns = 7
        storage.opened_at = datetime(1970, 1, 1, tzinfo=UTC)

        assert (storage.opened_ns, storage.opened_at) == (7, None)

    def test_replaces_the_error_that_trips_it_so_ours_gives_it_none(self):
        with pytest.raises(pybreaker.CircuitBreakerError):
            pybreaker.CircuitBreaker(fail_max=1).call(lambda: 1 / 0)

        assert a_breaker(fail_max=1).failed(0) is True

    def test_counts_an_excluded_error_as_success_so_ours_excludes_none(self):
        breaker = pybreaker.CircuitBreaker(fail_max=2, exclude=[ValueError])
        for error in (TypeError, ValueError, TypeError):
            with pytest.raises(error):
                breaker.call(raise_, error)

        assert breaker.current_state == "closed"
        assert a_breaker()._breaker._excluded_exceptions == []

    def test_trips_on_an_interrupt_so_ours_never_sees_one(self):
        breaker = pybreaker.CircuitBreaker(fail_max=1)
        with pytest.raises(pybreaker.CircuitBreakerError):
            breaker.call(raise_, KeyboardInterrupt)

    def test_stays_closed_when_a_listener_raises_so_ours_has_none(self):
        class Raising(pybreaker.CircuitBreakerListener):
            def failure(self, cb, exc):
                raise RuntimeError

        breaker = pybreaker.CircuitBreaker(fail_max=1, listeners=[Raising()])
        with pytest.raises(RuntimeError):
            breaker.call(raise_, ValueError)

        assert breaker.current_state == "closed"
        assert a_breaker()._breaker.listeners == ()


def raise_(error):
    raise error


WAITS_S = SupervisionSettings.default(
    restarts_max=9,
    window_s=50.0,
    backoff_first_s=2.0,
    backoff_max_s=7.0,
    backoff_reset_s=30.0,
    fail_max=8,
    reset_timeout_s=11.0,
    escalate_after=3,
)


class TestThePolicyOfASupervisor:
    """Each number of its settings is the one that counts where it should: no two of them are the same."""

    @staticmethod
    def decisions(*gaps_s, ran_s=0.0, **given):
        """What is decided about a child that fails again and again, so long after it was told to start again."""
        settings = SupervisorSettings(children=(ChildSpec("a", RuntimeActor, **given),), policy=WAITS_S)
        budget = RestartBudget(restarts_max=WAITS_S.restarts_max, window_ns=round(WAITS_S.window_s * SECOND_NS))
        policy, now_ns = RestartPolicy(settings, budget, jitter=lambda: 0.0), 0
        for gap_s in gaps_s:
            now_ns += round(gap_s * SECOND_NS)
            policy.started("a", now_ns)
            now_ns += round(ran_s * SECOND_NS)
            yield policy.failed("a", now_ns, RuntimeError())
            if policy.breaker("a") == "open":
                policy.try_again("a", now_ns)

    def test_waits_from_the_first_back_off_to_the_longest_and_from_the_first_again_after_a_long_run(self):
        waits = [decision.wait_s for decision in self.decisions(1, 1, 1, 1, 1)]
        after_long_runs = [decision.wait_s for decision in self.decisions(1, 1, ran_s=30.0)]
        after_others = [decision.wait_s for decision in self.decisions(1, 1, ran_s=29.9)]

        assert (waits, after_long_runs, after_others) == ([0, 2, 4, 7, 7], [0, 0], [0, 2])

    def test_takes_a_start_that_never_ended_for_no_run_at_all(self):
        at_once = SupervisionSettings.default(backoff_first_s=2.0, backoff_max_s=7.0, backoff_reset_s=0.5, fail_max=9)
        settings = SupervisorSettings(children=(ChildSpec("a", RuntimeActor),), policy=at_once)
        budget = RestartBudget(restarts_max=9, window_ns=SECOND_NS)
        policy = RestartPolicy(settings, budget, jitter=lambda: 0.0)

        assert [policy.failed("a", second * SECOND_NS, RuntimeError()).wait_s for second in range(4)] == [0, 2, 4, 7]

    def test_takes_a_start_that_never_ended_for_no_run_behind_a_long_one_as_well(self):
        settings = SupervisorSettings(children=(ChildSpec("a", RuntimeActor),), policy=WAITS_S)
        budget = RestartBudget(restarts_max=9, window_ns=SECOND_NS)
        policy = RestartPolicy(settings, budget, jitter=lambda: 0.0)
        policy.started("a", 0)

        ends_s = (3_600, 3_601, 3_602)
        assert [policy.failed("a", end_s * SECOND_NS, RuntimeError()).wait_s for end_s in ends_s] == [0, 2, 4]

    def test_opens_the_breaker_for_its_time_and_gives_up_at_the_last_opening(self):
        *restarts, first, second, last = self.decisions(*[9] * 10)

        assert [type(decision) for decision in restarts] == [Restart] * 7
        assert [first, second] == [KeepDown(children=("a",), retry_after_s=11.0, openings=number) for number in (1, 2)]
        assert last == GiveUp("the breaker opened 3 times in a row")

    def test_opens_the_breaker_again_of_one_that_failed_its_probe_however_long_that_took(self):
        policy = msgspec.structs.replace(WAITS_S, fail_max=2, backoff_reset_s=1.0)
        settings = SupervisorSettings(children=(ChildSpec("a", RuntimeActor),), policy=policy)
        decide = RestartPolicy(settings, RestartBudget(restarts_max=9, window_ns=SECOND_NS), jitter=lambda: 0.0)
        decide.failed("a", 0, RuntimeError())
        decide.failed("a", 0, RuntimeError())
        trial = decide.try_again("a", 11 * SECOND_NS)
        decide.started("a", 11 * SECOND_NS)

        assert trial == Restart(children=("a",), wait_s=0.0, probes=("a",), is_trial=True)
        assert decide.failed("a", 16 * SECOND_NS, RuntimeError()) == KeepDown(
            children=("a",), retry_after_s=11.0, openings=2
        )

    def test_goes_by_the_limits_of_the_child_where_it_has_some(self):
        own = BreakerSettings(fail_max=2, reset_timeout_s=5.0, escalate_after=2)

        assert list(self.decisions(9, 9, 9, breaker=own))[1:] == [
            KeepDown(children=("a",), retry_after_s=5.0, openings=1), GiveUp("the breaker opened 2 times in a row"),
        ]  # fmt: skip

    def test_leaves_a_temporary_child_down_whatever_it_died_of_and_counts_nothing_of_it(self):
        settings = SupervisorSettings(
            children=(ChildSpec("a", RuntimeActor, restart="temporary"), ChildSpec("b", RuntimeActor)), policy=WAITS_S
        )
        budget = RestartBudget(restarts_max=1, window_ns=SECOND_NS)
        policy = RestartPolicy(settings, budget, jitter=lambda: 0.0)
        left = [policy.failed("a", 5, error) for error in (RuntimeError(), Damaged()) for _ in range(20)]

        assert {type(decision) for decision in (*left, policy.ended("a", 6, RuntimeError()))} == {Leave}
        assert policy.breaker("a") == "closed"
        assert policy.failed("b", 7, RuntimeError()) == Restart(children=("b",), wait_s=0.0)

    @pytest.mark.parametrize(
        ("restart", "error", "is_left"),
        [
            ("permanent", None, False),
            ("permanent", RuntimeError(), False),
            ("transient", None, True),
            ("transient", RuntimeError(), False),
            ("temporary", None, True),
        ],
    )
    def test_leaves_one_that_ended_by_itself_as_its_restart_type_says(self, restart, error, is_left):
        settings = SupervisorSettings(children=(ChildSpec("a", RuntimeActor, restart=restart),), policy=WAITS_S)
        budget = RestartBudget(restarts_max=1, window_ns=SECOND_NS)

        decision = RestartPolicy(settings, budget, jitter=lambda: 0.0).ended("a", 5, error)
        assert decision == (Leave() if is_left else Restart(children=("a",), wait_s=0.0))

    @pytest.mark.parametrize(("exhausted", "end"), [("give_up", GiveUp), ("park", Park)])
    def test_allows_so_many_restarts_in_its_window_and_no_more(self, exhausted, end):
        loose = BreakerSettings(fail_max=100, reset_timeout_s=5.0, escalate_after=2)
        within = list(self.decisions(*[5.5] * 10, breaker=loose, when_exhausted=exhausted))  # the last at 49.5 s
        beyond = list(self.decisions(*[5.6] * 10, breaker=loose, when_exhausted=exhausted))  # at 50.4 s

        assert within[-1] == end("more than 9 restarts in 50 s")
        assert {type(decision) for decision in (*within[:-1], *beyond)} == {Restart}


class TestAChildThatFailsAtEveryMessage:
    """A strategy that raises at each tick, and answers each Ping between two of them."""

    @staticmethod
    def policy(exhausted="park", **changes):
        settings = SupervisorSettings(
            children=(ChildSpec("a", RuntimeActor, when_exhausted=exhausted),),
            policy=msgspec.structs.replace(WAITS_S, fail_max=1, restarts_max=99, **changes),
        )
        budget = RestartBudget(restarts_max=99, window_ns=SECOND_NS)
        return RestartPolicy(settings, budget, jitter=lambda: 0.0)

    def openings(self, policy, *passed, ran_s=0.0):
        """Let it fail so often, each time having got past what it failed at before, or not; answer each probe."""
        now_ns, found = 0, []
        for got_past in passed:
            policy.started("a", now_ns)
            now_ns += round(ran_s * SECOND_NS)
            decision = policy.failed("a", now_ns, RuntimeError(), got_past=got_past)
            found.append(decision.openings if isinstance(decision, KeepDown) else decision)
            policy.try_again("a", now_ns)
            policy.succeeded("a")
        return found

    def test_is_parked_after_so_many_openings_though_it_answers_in_between(self):
        assert self.openings(self.policy(), False, False, False) == [
            1,
            2,
            Park("the breaker opened 3 times in a row"),
        ]

    @pytest.mark.parametrize("ran_s", [0.0, 60.0])
    def test_is_so_however_long_it_waits_for_the_next(self, ran_s):
        assert self.openings(self.policy(), False, False, False, ran_s=ran_s)[-1] == Park(
            "the breaker opened 3 times in a row"
        )

    def test_has_its_openings_forgotten_when_it_got_past_one(self):
        assert self.openings(self.policy(), False, True, False, True, False) == [1, 2, 1, 2, 1]

    def test_keeps_what_was_known_of_it_where_it_failed_outside_of_a_handler(self):
        assert self.openings(self.policy(), False, None, None)[-1] == Park("the breaker opened 3 times in a row")
        assert self.openings(self.policy(), None, None, None, None) == [1, 1, 1, 1]

    def test_is_none_that_others_depend_on_and_that_may_not_be_parked(self):
        assert self.openings(self.policy("give_up"), False, False, False, False) == [1, 1, 1, 1]


class TestWhoRestarts:
    def test_is_the_failed_one_or_all_or_it_and_those_after_it(self):
        names = ("a", "b", "c")

        assert affected(names, "b", "one_for_one") == ("b",)
        assert affected(names, "b", "one_for_all") == ("a", "b", "c")
        assert affected(names, "b", "rest_for_one") == ("b", "c")


class TestWhereAChildRuns:
    @pytest.mark.parametrize(
        ("blocking", "host", "found"),
        [(False, None, "loop"), (True, None, "thread"), (False, "process", "process"), (True, "process", "process")],
    )
    def test_is_what_its_spec_asks_for_or_its_class_says(self, blocking, host, found):
        kind = type("Kind", (RuntimeActor,), {"blocking": blocking})

        assert ChildSpec("a", kind, host=host).runs_on == found


class TestAReporter:
    """Each of its reports is counted, told by the log, and a fact where it matters later."""

    @pytest.fixture
    def told(self):
        return []

    @pytest.fixture
    def reporter(self, told):
        def log(event, *, level="info", **fields):
            told.append((event, level, fields))

        def log_bounded(event, *, level="info", **fields):
            told.append((event, f"{level}, bounded", fields))

        return Reporter("top", log=log, log_bounded=log_bounded, journal=told.append, now_ns=lambda: 5)

    def test_tells_of_each_thing_that_happens(self, reporter, told):
        child = Child(ChildSpec("a", RuntimeActor))
        child.attempts = 1
        reporter.started(child)
        child.attempts = 2
        reporter.started(child)
        reporter.failed(child, "handle", ValueError("odd"))
        reporter.failed(child, "exit", None)
        reporter.breaker_opened(child, openings=2, retry_after_s=7.0)
        reporter.breaker_closed(child)
        reporter.gave_up("a", "too often")
        child.parked = "too often"
        reporter.parked(child)
        reporter.terminated(child)
        reporter.killed(child, 3.0)
        reporter.left_calls(child, 4.0)
        reporter.abandoned(child)
        of = {"supervisor": "top", "child": "a", "occurred_ns": 5}
        failed = {"child": "a", "phase": "handle", "error": "ValueError", "reason": "odd"}
        ended = {"child": "a", "phase": "exit", "error": "Ended", "reason": "it ended by itself"}

        assert told == [
            ("child.started", "debug", {"child": "a"}),
            ("child.restarted", "warning, bounded", {"child": "a", "restarts": 1}),
            ChildRestarted(restarts=1, **of),
            ("child.failed", "error, bounded", failed),
            ChildFailed(phase="handle", error="ValueError", reason="odd", **of),
            ("child.failed", "error, bounded", ended),
            ChildFailed(phase="exit", error="Ended", reason="it ended by itself", **of),
            ("breaker.opened", "error", {"child": "a", "openings": 2, "retry_after_s": 7.0}),
            BreakerOpened(openings=2, retry_after_s=7.0, **of),
            ("breaker.closed", "info", {"child": "a"}),
            ("supervisor.gave_up", "error", {"child": "a", "reason": "too often"}),
            Escalated(reason="too often", **of),
            (
                "child.parked",
                "error",
                {"child": "a", "reason": "too often", "error": "Ended: it ended by itself", "raised_at": ""},
            ),
            ("child.stopped", "debug", {"child": "a"}),
            ("child.killed", "error", {"child": "a", "after_s": 3.0}),
            ("child.left_calls", "warning", {"child": "a", "after_s": 4.0}),
            ("child.abandoned", "error", {"child": "a"}),
        ]
        assert (reporter.failures, reporter.restarts, reporter.escalations) == (2, 1, 1)
        assert (child.last_error, child.fault) == ("Ended: it ended by itself", None)

    def test_formats_so_many_tracebacks_a_second_and_no_more(self, reporter):
        child = Child(ChildSpec("a", RuntimeActor))
        traced = []
        for _ in range(TRACED_A_SECOND_MAX + 3):
            try:
                raise_(ValueError("odd"))
            except ValueError as error:
                reporter.failed(child, "handle", error)
            traced.append(bool(child.last_traceback))

        assert traced == [True] * TRACED_A_SECOND_MAX + [False] * 3


class TestAStatus:
    def test_has_all_that_is_known_of_a_child_and_of_its_mailbox(self):
        child = Child(ChildSpec("a", RuntimeActor))
        child.state, child.attempts, child.last_error, child.last_traceback = "RUNNING", 3, "ValueError: odd", "trace"
        mailbox = SimpleNamespace(depth=4, conflated=5, dropped=6, handled=7, failures=8)
        found = status("top", child, breaker="open", mailbox=mailbox, trouble="slow")

        assert found == ChildStatus(
            path="top/a",
            state="RUNNING",
            host="loop",
            restarts=2,
            breaker="open",
            mailbox_depth=4,
            last_error="ValueError: odd",
            trouble="slow",
            raised_at="",
            last_traceback="trace",
            conflated=5,
            dropped=6,
            handled=7,
            failures=8,
        )
        assert under("system", found) == msgspec.structs.replace(found, path="system/top/a")

    def test_of_one_without_an_actor_has_no_mailbox_and_tells_why_it_is_parked(self):
        child = Child(ChildSpec("a", RuntimeActor))
        child.parked = "too often"
        found = status("top", child, breaker="closed", mailbox=None, trouble="")

        assert (found.mailbox_depth, found.conflated, found.dropped, found.handled) == (0, 0, 0, 0)
        assert found.trouble == "parked: too often"


class TestAStartGroup:
    def test_without_some_waits_as_long_and_probes_the_others(self):
        group = StartGroup(("a", "b", "c"), probes=("b", "c"), not_before_ns=7).without(("b",))

        assert (group.names, group.probes, group.not_before_ns) == (["a", "c"], {"c"}, 7)

    def test_that_has_ended_is_not_the_first_start_any_more(self):
        children = {name: Child(ChildSpec(name, RuntimeActor)) for name in ("a", "b")}
        groups = StartGroups(children)
        first = groups.open()
        joined = groups.join([children["a"]])
        assert (groups.is_opening(first), groups.is_opening(joined), groups.is_opening(None)) == (False, True, False)

        assert groups.end(joined)
        assert not groups.is_opening(joined)
        assert not groups.end(joined)
        assert not groups.end(groups.join([children["b"]]))
        assert [child.start_group for child in children.values()] == [None, None]


class TestASpecThatSaysLittle:
    def test_is_of_a_child_on_the_loop_that_is_always_restarted_and_has_no_limits(self):
        assert ChildSpec("a", RuntimeActor) == ChildSpec(
            name="a",
            actor=RuntimeActor,
            settings=None,
            restart="permanent",
            shutdown_s=None,
            leaves_calls=False,
            breaker=None,
            host=None,
            turn_limit_s=0.0,
            memory_limit_mb=0,
            when_exhausted="give_up",
            cancels_orders=False,
        )

    def test_of_a_supervisor_gives_ten_seconds_to_stop_thirty_to_start_and_five_to_answer(self):
        assert SupervisorSettings(children=(), policy=WAITS_S) == SupervisorSettings(
            children=(),
            policy=WAITS_S,
            strategy="one_for_one",
            root=False,
            shutdown_s=10.0,
            start_s=30.0,
            probe_s=5.0,
            market_speed=None,
            orders="",
            journal="journal",
        )

    @pytest.mark.parametrize("least", [{"shutdown_s": 0}, {"turn_limit_s": 0}, {"memory_limit_mb": 0}])
    def test_may_say_the_least(self, least):
        assert msgspec.structs.asdict(ChildSpec("a", RuntimeActor, **least)).items() >= least.items()

    def test_of_a_breaker_may_say_the_least(self):
        assert BreakerSettings(fail_max=1, reset_timeout_s=0.001, escalate_after=1).fail_max == 1
        assert SupervisorSettings(children=(), policy=WAITS_S, shutdown_s=0, market_speed=0).market_speed == 0


class TestASpecWithAMistake:
    @pytest.mark.parametrize(
        ("mistake", "wanted"),
        [
            ({"restart": "sometimes"}, "restart: one of 'permanent', 'transient', 'temporary' is wanted, found 'some"),
            ({"host": "proces"}, "host: one of 'process' is wanted, found 'proces'"),
            ({"host": ""}, "host: one of 'process' is wanted, found ''"),
            ({"when_exhausted": "stop"}, "when_exhausted: one of 'give_up', 'park' is wanted, found 'stop'"),
            ({"name": "a/b"}, "name: one without a slash is wanted, .* found 'a/b'"),
            ({"name": ""}, "name: one without a slash is wanted, .* found ''"),
            ({"actor": 3}, "actor: the class of 'a' is wanted, found 3"),
            ({"shutdown_s": -1}, "shutdown_s: a number of at least 0 is wanted, found -1"),
            ({"turn_limit_s": -1}, "turn_limit_s: a number of at least 0 is wanted, found -1"),
            ({"memory_limit_mb": 0.5}, r"memory_limit_mb: a whole number of at least 0 is wanted, found 0\.5"),
        ],
    )
    def test_is_refused_where_it_is_made(self, mistake, wanted):
        with pytest.raises((ValueError, TypeError), match=wanted):
            ChildSpec(**({"name": "a", "actor": RuntimeActor} | mistake))

    def test_among_others_is_refused_with_them(self):
        policy, twice = SupervisionSettings.default(), (ChildSpec("a", RuntimeActor), ChildSpec("a", RuntimeActor))

        with pytest.raises(ValueError, match="children: each name once is wanted, found several of a"):
            SupervisorSettings(children=twice, policy=policy)
        with pytest.raises(TypeError, match=r"children: \(ChildSpec\(…\), …\) is wanted, found ChildSpec"):
            SupervisorSettings(children=twice[0], policy=policy)
        with pytest.raises(TypeError, match=r"children: \(ChildSpec\(…\), …\) is wanted, found \('a',\)"):
            SupervisorSettings(children=("a",), policy=policy)
        with pytest.raises(ValueError, match=r"strategy: one of 'one_for_one', .* is wanted, found 'all'"):
            SupervisorSettings(children=(), policy=policy, strategy="all")
        with pytest.raises(SettingsError, match=r"supervision\.fail_max: wanted a whole number from 1 to .*, found 0"):
            SupervisorSettings(children=(), policy=msgspec.structs.replace(policy, fail_max=0))
        for field, wrong in {"shutdown_s": -1, "start_s": 0, "probe_s": 0, "market_speed": -1}.items():
            with pytest.raises(ValueError, match=rf"{field}: a number .* is wanted, found {wrong}"):
                SupervisorSettings(children=(), policy=policy, **{field: wrong})

    @pytest.mark.parametrize(
        "wrong",
        [{"fail_max": 0}, {"reset_timeout_s": 0}, {"escalate_after": 0}, {"fail_max": 1.5}, {"escalate_after": 1.5}],
    )
    def test_of_a_breaker_is_refused_as_well(self, wrong):
        ((field, value),) = wrong.items()
        with pytest.raises(ValueError, match=rf"{field}: a .*number .* is wanted, found {value}"):
            BreakerSettings(**({"fail_max": 1, "reset_timeout_s": 1.0, "escalate_after": 1} | wrong))

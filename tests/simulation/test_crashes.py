"""Supervision under crashes without number, against a model that shares no code with it.

`make faults` lets it crash 10,000 times in each of both tests; CRASHES is how often.
"""

import os
from collections import deque
from random import Random

import msgspec
import pytest

from natya import load_settings
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.simulation import Faults, ScriptedFault, SimulatedSystemBase
from natya.actors.supervision import AwaitSystemStop, ChildSpec, Supervisor, SupervisorSettings
from natya.config.sections.supervision import SupervisionSettings
from natya.messages.supervision import DescribeTree, Failed, Unavailable
from natya.messages.system import Ping

CRASHES = int(os.environ.get("CRASHES", "200"))
NAMES = ("a", "b", "c")
UNLIMITED = SupervisionSettings.default(
    restarts_max=1_000_000,
    window_s=60.0,
    backoff_first_s=0.001,
    backoff_max_s=0.001,
    backoff_reset_s=1e-9,
    fail_max=1_000_000,
    reset_timeout_s=1.0,
    escalate_after=3,
)
DEFAULT = load_settings("paper", environment={}).supervision


class Count(msgspec.Struct, frozen=True):
    number: int


class Diary(msgspec.Struct):
    """What happened to one child; it outlives every life of it."""

    started_s: list[float] = msgspec.field(default_factory=list)
    handled: list[int] = msgspec.field(default_factory=list)
    starts: bool = True


class Counter(RuntimeActor):
    """Writes into its diary, its settings."""

    def on_start(self):
        self.settings.started_s.append(self.clock.monotonic_ns() / 1e9)
        if not self.settings.starts:
            raise OSError("no such file")

    @handles(Count)
    def count(self, count, sender):
        self.settings.handled.append(count.number)
        self.send("sink", count)
        self.send(sender, count)


def a_tree(policy, diaries):
    specs = tuple(ChildSpec(name, Counter, diary) for name, diary in diaries.items())
    return SupervisorSettings(children=specs, policy=policy, root=True, journal="")


def assert_restarts_bounded(diaries, policy):
    """In no window are there more restarts than the policy allows; a back-off may move one a little into it."""
    window_s = policy.window_s - 0.1
    restarted_s = sorted(moment for diary in diaries.values() for moment in diary.started_s[1:])
    for first, last in zip(restarted_s, restarted_s[policy.restarts_max :], strict=False):
        assert last - first > window_s


def test_crashes_at_random_points_lose_nothing_but_the_messages_that_failed():
    diaries = {name: Diary() for name in NAMES}
    base = SimulatedSystemBase(seed=3, faults=Faults(crash=0.15, crash_inside=0.15))
    with InProcessSystem(base) as system:
        system.probe("sink")
        system.start("system", Supervisor, a_tree(UNLIMITED, diaries))
        answers = {name: [] for name in NAMES}
        number = 0
        while sum(base.injector.injected.values()) < CRASHES:
            for _ in range(100):
                number += 1
                name = NAMES[number % 3]
                answers[name].append((number, system.request_future(name, Count(number))))
            base.run_for(1.0)
        base.injector.active = False
        base.run_for(10.0)
        crashes = sum(base.injector.injected.values())
        statistics = system.request("system", Ping()).statistics

    for name, asked in answers.items():
        handled = diaries[name].handled
        failed = [number for number, answer in asked if isinstance(answer.result(), Failed)]
        assert handled == sorted(set(handled))
        assert {number for number, _ in asked} - set(handled) <= set(failed)
    assert (statistics.failures, statistics.restarts) == (crashes, crashes)
    assert min(base.injector.injected.values()) > CRASHES / 3  # before, after, and in the middle


class Model:
    """The policy once more, told by the clock alone: one_for_one, back-offs shorter than any step."""

    def __init__(self, policy):
        self.policy = policy
        self.spent = deque()
        self.streak = dict.fromkeys(NAMES, 0)
        self.openings = dict.fromkeys(NAMES, 0)
        self.started_s = dict.fromkeys(NAMES, 0.0)
        self.opened_s = {}
        self.restarts = dict.fromkeys(NAMES, 0)
        self.gave_up = False

    def advance(self, now_s):
        """Try the children again whose breaker has been open long enough; nothing makes a probe fail here."""
        for name, opened_s in sorted(self.opened_s.items(), key=lambda item: item[1]):
            again_s = opened_s + self.policy.reset_timeout_s
            if again_s <= now_s and not self.gave_up:
                del self.opened_s[name]
                self.streak[name] = self.openings[name] = 0
                self._restart(name, again_s)

    def is_down(self, name):
        return self.gave_up or name in self.opened_s

    def crash(self, name, now_s):
        """A running child has failed."""
        if now_s - self.started_s[name] >= self.policy.backoff_reset_s:
            self.streak[name] = self.openings[name] = 0
        self.streak[name] += 1
        if self.streak[name] < self.policy.fail_max:
            self._restart(name, now_s)
            return
        self.openings[name] += 1
        self.opened_s[name] = now_s
        self.gave_up = self.openings[name] >= self.policy.escalate_after

    def _restart(self, name, now_s):
        self.spent.append(now_s)
        while self.spent[0] <= now_s - self.policy.window_s:
            self.spent.popleft()
        self.gave_up = len(self.spent) > self.policy.restarts_max
        if not self.gave_up:
            self.restarts[name] += 1
            self.started_s[name] = now_s


def a_random_policy(chance):
    return SupervisionSettings.default(
        restarts_max=chance.randint(5, 60),
        window_s=chance.choice((5.0, 20.0, 60.0)),
        backoff_first_s=0.01,
        backoff_max_s=0.05,
        backoff_reset_s=chance.choice((3.0, 10.0)),
        fail_max=chance.randint(2, 5),
        reset_timeout_s=chance.choice((1.0, 4.0)),
        escalate_after=chance.choice((1, 2)),
    )


class Rehearsal:
    """One tree under one policy, crashed at random points until it gives up, or has been through enough."""

    def __init__(self, seed):
        self._chance = Random(seed)
        self._policy = a_random_policy(self._chance)
        self._model = Model(self._policy)
        self._diaries = {name: Diary() for name in NAMES}
        self._base = SimulatedSystemBase(seed, faults=Faults(crash=0.4, crash_inside=0.4))
        self._base.injector.active = False
        self._system = InProcessSystem(self._base)

    @property
    def crashes(self):
        return sum(self._base.injector.injected.values())

    def play(self, messages):
        """Return the crashes it took, having found nothing but what the model says."""
        with self._system as system:
            system.probe("sink")
            system.start("system", Supervisor, a_tree(self._policy, self._diaries))
            end = system.request_future("system", AwaitSystemStop())
            for number in range(messages):
                self._base.run_for(self._chance.choice((0.3, 0.7, 1.7, 6.3)) + self._chance.random() / 10)
                self._model.advance(self._now_s())
                if not self._model.gave_up:
                    self._send(number)
                if self._model.gave_up:
                    break
            self._base.run_for(0.1)

            assert end.done() == self._model.gave_up
            if not self._model.gave_up:
                nodes = system.request("system", DescribeTree()).children
                assert {node.path[-1]: node.restarts for node in nodes} == self._model.restarts
                assert {node.path[-1] for node in nodes if node.breaker == "open"} == set(self._model.opened_s)
        assert_restarts_bounded(self._diaries, self._policy)
        return self.crashes

    def _now_s(self):
        return self._base.clock.monotonic_ns() / 1e9

    def _send(self, number):
        """Send one message, which may make its receiver crash anywhere."""
        name, crashes = self._chance.choice(NAMES), self.crashes
        self._base.injector.active = True
        answer = self._system.request(name, Count(number))
        self._base.injector.active = False
        if self._model.is_down(name):
            assert isinstance(answer, Unavailable)
        elif self.crashes == crashes:
            assert answer == Count(number)
        else:
            assert isinstance(answer, Failed | Count)  # it may have answered before it crashed
            self._model.crash(name, self._now_s())
        self._base.run_for(0.1)


def test_after_all_crashes_every_tree_has_ended_where_an_independent_model_of_the_policy_says():
    crashes = seed = 0
    while crashes < CRASHES:
        crashes += Rehearsal(seed).play(messages=1_000)
        seed += 1


@pytest.mark.parametrize("ran_before", [False, True])
@pytest.mark.parametrize("supervisors", [1, 2])
def test_a_child_that_dies_in_its_start_for_ever_gets_five_restarts_a_minute_and_the_root_gives_up(
    ran_before, supervisors
):
    diary = Diary(starts=ran_before)
    spec = ChildSpec("a", Counter, diary)
    if supervisors > 1:
        spec = ChildSpec("above", Supervisor, SupervisorSettings(children=(spec,), policy=DEFAULT, journal=""))
    tree = SupervisorSettings(children=(spec,), policy=DEFAULT, root=True, journal="")
    crash = ScriptedFault(kind="crash", actor="a", message_type=Count)
    base = SimulatedSystemBase(seed=1, faults=Faults(script=(crash,)))
    with InProcessSystem(base) as system:
        system.start("system", Supervisor, tree, timeout_s=600.0)
        if ran_before:
            diary.starts = False
            assert isinstance(system.request("a", Count(1)), Failed)
        began_s = base.clock.monotonic_ns() / 1e9
        end = system.request("system", AwaitSystemStop(), timeout_s=600.0)
        ended_s = base.clock.monotonic_ns() / 1e9

    assert end.exit_code == 70
    assert ended_s - began_s <= 61.0
    assert_restarts_bounded({"a": diary}, DEFAULT)
    assert len(diary.started_s) <= 1 + DEFAULT.restarts_max

"""Supervision under crashes without number, against a model that shares no code with it."""

from collections import deque
from random import Random

import msgspec
import pytest

from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.simulation import Faults, SimulatedSystemBase
from natya.actors.supervision import AwaitSystemStop, ChildSpec, Supervisor, SupervisorSettings
from natya.config.settings import SupervisionSettings
from natya.messages.supervision import DescribeTree, Failed, Unavailable
from natya.messages.system import Ping

NAMES = ("a", "b", "c")
UNLIMITED = SupervisionSettings(
    restarts_max=1_000_000,
    window_s=60.0,
    backoff_first_s=0.001,
    backoff_max_s=0.001,
    backoff_reset_s=1e-9,
    fail_max=1_000_000,
    reset_timeout_s=1.0,
    escalate_after=3,
)


class Count(msgspec.Struct, frozen=True):
    number: int


class Crash(msgspec.Struct, frozen=True):
    pass


class Counter(RuntimeActor):
    """Keeps what it handled in its settings, which outlive it."""

    @handles(Count)
    def count(self, count, _sender):
        self.settings.append(count.number)

    @handles(Crash)
    def crash(self, _message, _sender):
        raise RuntimeError("told to")


def a_tree(policy, handled=None):
    specs = tuple(ChildSpec(name, Counter, [] if handled is None else handled[name]) for name in NAMES)
    return SupervisorSettings(children=specs, policy=policy, root=True, journal="")


def test_ten_thousand_crashes_lose_nothing_and_repeat_nothing():
    handled = {name: [] for name in NAMES}
    base = SimulatedSystemBase(seed=3, faults=Faults(crash=0.2, spared=("system",)))
    with InProcessSystem(base) as system:
        system.start("system", Supervisor, a_tree(UNLIMITED, handled))
        number = 0
        while base.injector.injected["crash"] < 10_000:
            for _ in range(100):
                number += 1
                system.tell(NAMES[number % 3], Count(number))
            base.run_for(1.0)
        base.injector.active = False
        base.run_for(10.0)
        crashes = base.injector.injected["crash"]
        statistics = system.request("system", Ping()).statistics

        for name, numbers in handled.items():
            assert numbers == sorted(set(numbers)), name
        # A message that failed had been handled already, or never was: half of the crashes each.
        lost = number - sum(map(len, handled.values()))
        assert crashes * 0.4 < lost < crashes * 0.6
        assert base.dead_letters.count == crashes
        assert (statistics.failures, statistics.restarts) == (crashes, crashes)


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

    def crash(self, name, now_s):
        """Say what a crash message is answered."""
        self.advance(now_s)
        if self.gave_up or name in self.opened_s:
            return Unavailable
        if now_s - self.started_s[name] >= self.policy.backoff_reset_s:
            self.streak[name] = self.openings[name] = 0
        self.streak[name] += 1
        if self.streak[name] < self.policy.fail_max:
            self._restart(name, now_s)
            return Failed
        self.openings[name] += 1
        self.opened_s[name] = now_s
        self.gave_up = self.openings[name] >= self.policy.escalate_after
        return Failed

    def _restart(self, name, now_s):
        self.spent.append(now_s)
        while self.spent[0] <= now_s - self.policy.window_s:
            self.spent.popleft()
        self.gave_up = len(self.spent) > self.policy.restarts_max
        if not self.gave_up:
            self.restarts[name] += 1
            self.started_s[name] = now_s


@pytest.mark.parametrize("seed", range(60))
def test_the_tree_ends_where_an_independent_model_of_the_policy_says(seed):
    chance = Random(seed)
    policy = SupervisionSettings(
        restarts_max=chance.randint(3, 12),
        window_s=chance.choice((5.0, 20.0, 60.0)),
        backoff_first_s=0.01,
        backoff_max_s=0.05,
        backoff_reset_s=chance.choice((3.0, 10.0)),
        fail_max=chance.randint(2, 5),
        reset_timeout_s=chance.choice((1.0, 4.0)),
        escalate_after=chance.choice((1, 2)),
    )
    model = Model(policy)
    base = SimulatedSystemBase(seed)
    with InProcessSystem(base) as system:
        system.start("system", Supervisor, a_tree(policy))
        end = system.request_future("system", AwaitSystemStop())
        for _ in range(60):
            base.run_for(chance.choice((0.3, 0.7, 1.7, 6.3)) + chance.random() / 10)
            model.advance(base.clock.monotonic_ns() / 1e9)
            if model.gave_up:
                break
            name = chance.choice(NAMES)
            expected = model.crash(name, base.clock.monotonic_ns() / 1e9)

            assert isinstance(system.request(name, Crash()), expected)
            base.run_for(0.1)
            if model.gave_up:
                break

        assert end.done() == model.gave_up
        if not model.gave_up:
            nodes = system.request("system", DescribeTree()).children
            assert {node.path[-1]: node.restarts for node in nodes} == model.restarts
            assert {node.path[-1] for node in nodes if node.breaker == "open"} == set(model.opened_s)

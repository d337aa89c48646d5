"""Pools of actors: routing, resizing, failing."""

import threading
from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.actors.supervision import ByKey, ChildSpec, Pool, PoolSettings, Resize, Resized, SupervisorSettings
from natya.actors.supervision.child import KILL_S, shutdown_budget_s
from natya.actors.supervision.routing import Router
from natya.config.sections.supervision import SupervisionSettings
from natya.messages.supervision import DescribeTree, Failed, Unavailable
from natya.messages.system import Ping

pytestmark = pytest.mark.usefixtures("forked_starts")

POLICY = SupervisionSettings.default(backoff_first_s=0.001, fail_max=2, reset_timeout_s=60.0)


class Work(msgspec.Struct, frozen=True):
    key: str = ""
    breaks: str = ""
    """Name of the member that fails at it."""


class Wait(msgspec.Struct, frozen=True):
    """Answered when the gate opens."""


class Keep(msgspec.Struct, frozen=True):
    """Never answered."""


class Member(RuntimeActor):
    """Says who did the work."""

    @handles(Work)
    def work(self, work, sender):
        if work.breaks in {self.name, "all"}:
            raise RuntimeError(f"{self.name} broke")
        self.send(sender, self.name)

    @handles(Keep)
    def keep(self, _keep, _sender):
        pass

    @handles(Wait)
    def wait(self, _wait, sender):
        self.offload(self.settings.wait, 10, then=lambda _: self.send(sender, self.name))


@pytest.fixture
def system():
    with InProcessSystem() as running:
        yield running


@pytest.fixture
def gate():
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def pool(system, gate):
    """Start one and return what asks it."""

    def start(size=3, routing="round_robin", **options):
        of_members = {"actor": Member, "settings": gate, "member": "m", "policy": POLICY, "journal": ""}
        system.start("pool", Pool, PoolSettings(size=size, routing=routing, **of_members, **options))
        return lambda message: system.request("pool", message, timeout_s=10)

    return start


def members(system):
    tree = system.request("pool", DescribeTree())
    return {child.path.removeprefix("pool/"): child.state for child in tree.children if child.path != "pool"}


class TestRoundRobin:
    def test_gives_each_its_turn(self, pool):
        ask = pool(3)

        assert [ask(Work()) for _ in range(7)] == ["m-1", "m-2", "m-3", "m-1", "m-2", "m-3", "m-1"]

    def test_goes_on_in_order_when_one_leaves(self, pool):
        ask = pool(3)
        ask(Work()), ask(Work())
        ask(Resize(2))

        assert [ask(Work()) for _ in range(3)] == ["m-1", "m-2", "m-1"]


class TestTheLeastLoaded:
    def test_is_the_one_that_owes_the_fewest_answers(self, pool, system, gate):
        ask = pool(3, "least_loaded")
        waiting = [system.request_future("pool", Wait()) for _ in range(2)]

        assert [ask(Work()) for _ in range(4)] == ["m-3"] * 4
        gate.set()
        assert [each.result(10) for each in waiting] == ["m-1", "m-2"]
        assert ask(Work()) == "m-1"

    def test_owes_no_answer_any_more_when_its_time_is_over_and_nobody_hears_of_it(self):
        of_members = {"actor": Member, "member": "m", "policy": POLICY, "journal": "", "routing": "least_loaded"}
        with InProcessSystem(SimulatedSystemBase(1)) as system:
            system.start("pool", Pool, PoolSettings(size=2, answer_timeout_s=5.0, **of_members))
            asker = system.probe("asker")
            system.tell("pool", Keep(), sender=asker)
            system.base.run_for(1)
            assert system.request("pool", Work()) == "m-2"
            system.base.run_for(5)

            assert asker.is_empty()
            assert system.request("pool", Work()) == "m-1"


class TestByKey:
    @given(st.lists(st.text(), min_size=1, max_size=12), st.integers(1, 9))
    def test_gives_a_key_to_one_member_whatever_else_comes(self, keys, size):
        router = Router(ByKey(lambda work: work.key))
        loads = [(f"m-{number}", number) for number in range(size)]

        first = {key: router.choose(loads, Work(key)) for key in keys}
        assert {key: router.choose(loads, Work(key)) for key in reversed(keys)} == first
        assert all(len(chosen) == 1 for chosen in first.values())

    @given(st.sets(st.text(), min_size=1, max_size=20), st.integers(2, 9), st.data())
    def test_moves_only_the_keys_of_the_member_that_leaves(self, keys, size, data):
        router = Router(ByKey(lambda work: work.key))
        loads = [(f"m-{number}", 0) for number in range(size)]
        leaving = data.draw(st.sampled_from(loads))
        left = [each for each in loads if each is not leaving]

        for key in keys:
            (before,) = router.choose(loads, Work(key))
            (after,) = router.choose(left, Work(key))
            assert after == before or before == leaving[0]

    def test_gives_a_key_to_the_same_member_in_every_process_and_release(self):
        by_key = ByKey(lambda message: message)
        names = ["m-1", "m-2", "m-3", "m-4"]

        chosen = [by_key.choose(names, key) for key in ("TCS", "INFY", 3, ("a", 1), None)]
        assert chosen == ["m-3", "m-4", "m-3", "m-3", "m-1"]

    def test_spreads_keys_evenly(self):
        router = Router(ByKey(lambda work: work.key))
        loads = [(f"m-{number}", 0) for number in range(4)]

        counts = Counter(router.choose(loads, Work(str(number)))[0] for number in range(4_000))

        assert set(counts) == {"m-0", "m-1", "m-2", "m-3"}
        assert max(counts.values()) < 1.15 * min(counts.values())

    def test_is_asked_of_the_message(self, pool):
        ask = pool(3, ByKey(lambda work: work.key))

        assert len({ask(Work("INFY")) for _ in range(5)}) == 1
        assert {ask(Work(str(number))) for number in range(50)} == {"m-1", "m-2", "m-3"}


class TestBroadcast:
    def test_reaches_every_member_in_the_name_of_its_sender(self, pool, system):
        pool(3, "broadcast")
        asker = system.probe("asker")
        system.tell("pool", Work(), sender=asker)

        assert {asker.receive(timeout_s=10) for _ in range(3)} == {"m-1", "m-2", "m-3"}


class TestTheFirstAnswer:
    def test_wins(self, pool):
        assert pool(3, "first_answer")(Work()) == "m-1"

    def test_is_none_of_a_member_that_failed(self, pool):
        assert pool(3, "first_answer")(Work(breaks="m-1")) == "m-2"

    def test_is_a_failure_where_all_fail(self, pool):
        answer = pool(3, "first_answer")(Work(breaks="all"))

        assert (type(answer), answer.error) == (Failed, "RuntimeError")

    def test_that_does_not_come_is_told(self, pool):
        answer = pool(2, "first_answer", answer_timeout_s=0.01)(Wait())

        assert (answer.actor, answer.message_type, answer.error) == ("pool", "Wait", "RequestTimedOut")

    @pytest.mark.parametrize("breaks", ["", "m-1", "all"])
    def test_is_the_only_one(self, breaks):
        of_members = {"actor": Member, "member": "m", "policy": POLICY, "journal": "", "routing": "first_answer"}
        with InProcessSystem(SimulatedSystemBase(1)) as system:
            system.start("pool", Pool, PoolSettings(size=3, **of_members))
            asker = system.probe("asker")
            system.tell("pool", Work(breaks=breaks), sender=asker)
            system.base.run_for(10)

            asker.receive()
            assert asker.is_empty()


class TestAPoolThatIsResized:
    def test_has_so_many_members_at_once(self, pool, system):
        ask = pool(1)

        assert ask(Resize(3)) == Resized(3)
        assert members(system) == {"m-1": "RUNNING", "m-2": "RUNNING", "m-3": "RUNNING"}
        assert {ask(Work()) for _ in range(3)} == {"m-1", "m-2", "m-3"}

    def test_lets_the_newest_go_when_they_have_done_what_they_have(self, pool, system, gate):
        ask = pool(3)
        waiting = [system.request_future("pool", Wait()) for _ in range(3)]

        assert ask(Resize(1)) == Resized(1)
        assert ask(Work()) == "m-1"
        gate.set()
        assert {each.result(10) for each in waiting} == {"m-1", "m-2", "m-3"}
        system.watch("m-3").result(10)
        system.watch("m-2").result(10)
        assert set(members(system)) == {"m-1"}

    def test_grows_again_while_those_that_leave_are_there_still(self, pool, system, gate):
        ask = pool(3)
        waiting = [system.request_future("pool", Wait()) for _ in range(3)]
        ask(Resize(1))

        assert ask(Resize(3)) == Resized(3)
        assert set(members(system)) == {"m-1", "m-2", "m-3", "m-4", "m-5"}
        assert ask(Resize(2)) == Resized(2)
        assert {ask(Work()) for _ in range(4)} <= {"m-1", "m-4"}
        gate.set()
        assert {each.result(10) for each in waiting} == {"m-1", "m-2", "m-3"}

    def test_gives_no_number_twice(self, pool):
        ask = pool(2)
        ask(Resize(1))
        ask(Resize(2))

        assert {ask(Work()) for _ in range(4)} == {"m-1", "m-3"}

    @pytest.mark.parametrize("size", [0, -1])
    def test_keeps_one_at_least(self, pool, system, size):
        ask = pool(2)

        refused = ask(Resize(size))

        assert f"1 member at least is wanted, found size {size}" in refused.reason
        assert members(system) == {"m-1": "RUNNING", "m-2": "RUNNING"}
        with pytest.raises(ValueError, match="size: a whole number of at least 1 is wanted"):
            PoolSettings(actor=Member, size=size, member="m", policy=POLICY)

    @pytest.mark.parametrize("wrong", [{"answer_timeout_s": 0}, {"shutdown_s": -1}])
    def test_wants_seconds_that_there_are(self, wrong):
        with pytest.raises(ValueError, match=rf"{next(iter(wrong))}: a number .* is wanted, found"):
            PoolSettings(actor=Member, size=1, member="m", policy=POLICY, **wrong)

    def test_wants_a_routing_that_there_is(self):
        with pytest.raises(ValueError, match=r"routing: one of 'round_robin', .* is wanted, found 'roundrobin'"):
            PoolSettings(actor=Member, size=1, member="m", policy=POLICY, routing="roundrobin")


class TestAMemberThatFails:
    def test_is_restarted_and_the_others_go_on(self, pool, system):
        ask = pool(2)

        assert ask(Work(breaks="m-1")).reason == "m-1 broke"
        assert {ask(Work()) for _ in range(4)} >= {"m-2"}
        assert set(members(system).values()) <= {"RUNNING", "RESTARTING"}

    def test_gets_nothing_while_it_is_down(self, pool, system):
        ask = pool(2)
        while members(system)["m-1"] != "UNAVAILABLE":
            ask(Work(breaks="m-1"))

        assert [ask(Work()) for _ in range(3)] == ["m-2"] * 3

    def test_may_be_the_last_one(self, pool, system):
        ask = pool(1)
        while members(system)["m-1"] != "UNAVAILABLE":
            ask(Work(breaks="m-1"))

        asker = system.probe("asker")
        system.tell("pool", Work(), sender=asker)
        answer = asker.receive(timeout_s=10)
        assert (type(answer), answer.actor, answer.reason) == (Unavailable, "pool", "no member of pool is up")
        ask(DescribeTree())  # whatever it had to say has been said
        assert asker.is_empty()

    def test_that_was_down_may_leave(self, pool, system):
        ask = pool(2)
        while members(system)["m-2"] != "UNAVAILABLE":
            ask(Work(breaks="m-2"))

        assert ask(Resize(1)) == Resized(1)
        system.watch("m-2").result(10)
        assert members(system) == {"m-1": "RUNNING"}


class TestAMessageWhoseKeyCannotBeTold:
    def test_is_turned_away_and_the_members_stay(self, pool, system):
        ask = pool(2, ByKey(lambda work: {"": 1}[work.key]))

        refused = ask(Work("another"))
        assert (refused.error, refused.actor) == ("MessageRefusedError", "pool")
        assert "KeyError" in refused.reason or "another" in refused.reason
        assert ask(Work()) in {"m-1", "m-2"}
        assert system.request("pool", Ping()).statistics.failures == 0


class TestAPoolThatFails:
    def test_has_the_members_again_that_it_had(self, pool, system):
        ask = pool(2)
        ask(Resize(4))
        ask(Resize(3))

        assert ask(Resize("many")).error == "TypeError"
        while isinstance(ask(Work()), Unavailable):  # its members start afresh
            pass
        assert ask(Work()) in {"m-1", "m-2", "m-3"}
        assert set(members(system)) == {"m-1", "m-2", "m-3"}
        assert ask(Resize(4)) == Resized(4)
        assert set(members(system)) == {"m-1", "m-2", "m-3", "m-5"}

    def test_leaves_no_member_of_the_life_before_running(self, pool, system):
        ask = pool(2)
        ends = [system.watch(name) for name in ("m-1", "m-2")]

        assert ask(Resize("many")).error == "TypeError"
        for end in ends:
            end.result(10)

    def test_stops_them_the_newest_first_before_others_start(self):
        diary = []

        class Noted(Member):
            def on_start(self):
                diary.append(f"start {self.name}")

            def on_stop(self):
                diary.append(f"stop {self.name}")

        of_members = {"actor": Noted, "member": "m", "policy": POLICY, "journal": ""}
        with InProcessSystem(SimulatedSystemBase(1)) as system:
            system.start("pool", Pool, PoolSettings(size=3, **of_members))
            assert system.request("pool", Resize(2)) == Resized(2)
            system.base.run_for(1)
            diary.clear()
            system.tell("pool", Resize("many"))
            system.base.run_for(1)

            assert diary == ["stop m-2", "stop m-1", "start m-1", "start m-2"]


class TestAMessageThatComesWhileAPoolTakesOver:
    def test_is_handled_once_or_is_answered_that_nobody_is_up(self):
        """A member of the life before is stopped at once: what came to it then would be lost."""
        of_members = {"actor": Member, "member": "m", "policy": POLICY, "journal": ""}
        with InProcessSystem(SimulatedSystemBase(1)) as system:
            system.start("pool", Pool, PoolSettings(size=2, **of_members))
            asker = system.probe("asker")
            system.tell("pool", Resize("many"), sender=asker)
            for _ in range(8):
                system.tell("pool", Work(), sender=asker)
            system.base.run_for(5)
            answers = [asker.receive() for _ in range(9)]

            assert asker.is_empty()
            assert {each if isinstance(each, str) else type(each) for each in answers} <= {
                Failed,
                Unavailable,
                "m-1",
                "m-2",
            }
            assert sum(isinstance(each, Failed) for each in answers) == 1


class TestTheSettingsOfAPool:
    def test_become_those_of_its_supervisor_and_of_each_member(self):
        given = {"settings": "theirs", "host": "process", "shutdown_s": 3.0, "journal": "books"}
        pool = PoolSettings(actor=Member, size=2, member="m", policy=POLICY, **given)

        assert Pool.plan(pool) == SupervisorSettings(
            children=tuple(ChildSpec(name, Member, "theirs", host="process") for name in ("m-1", "m-2")),
            policy=POLICY,
            shutdown_s=3.0,
            journal="books",
        )

    def test_leave_what_is_not_said_as_it_is_for_any_supervisor(self):
        plain = SupervisorSettings(children=(), policy=POLICY)

        assert msgspec.structs.replace(Pool.plan(self.USUAL), children=()) == plain

    USUAL = PoolSettings(actor=Member, size=3, member="m", policy=POLICY)

    def test_give_a_member_five_seconds_to_answer(self):
        assert self.USUAL.answer_timeout_s == 5.0

    def test_give_it_time_to_stop_all_members_one_after_another(self):
        assert shutdown_budget_s(ChildSpec("pool", Pool, self.USUAL), 10.0) == 10.0 + 3 * (10.0 + KILL_S)


class TestAPoolThatStops:
    def test_stops_its_members_in_order(self, pool, system):
        pool(3)
        system.stop("pool")

        assert not any(name.startswith("m-") for name in system.base.names)

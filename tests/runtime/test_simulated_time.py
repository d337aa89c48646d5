"""What a simulation promises of its time, its links and its pauses: to the nanosecond, and in order."""

from types import SimpleNamespace

import pytest

from natya.actors.runtime import InProcessSystem, RequestTimedOut, RuntimeActor, handles
from natya.actors.runtime.simulation import Faults, ScriptedFault, SimulatedSystemBase
from natya.actors.runtime.simulation.clock import FIRST_NS, VirtualClock
from natya.actors.runtime.simulation.links import Links
from natya.domain.time import SECOND_NS
from natya.messages.system import Ping


class Sleeper(RuntimeActor):
    """Is reminded so many seconds after it is told to, and says when."""

    @handles(float)
    def sleep(self, seconds, _sender):
        self.after(seconds, "now")

    @handles(str)
    def wake(self, word, _sender):
        self.send("listener", (word, self.clock.monotonic_ns()))


@pytest.fixture
def system():
    with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
        system.start("sleeper", Sleeper)
        yield system


class TestTheTimeOfASimulation:
    def test_goes_on_by_what_it_was_told_and_no_further_though_a_timer_is_due_behind(self, system):
        listener, clock = system.probe("listener"), system.base.clock
        system.tell("sleeper", 5.0)
        begin_ns = clock.monotonic_ns()
        for seconds in (1, 2.5):
            system.base.run_for(seconds)
            assert listener.is_empty()
        assert clock.monotonic_ns() == begin_ns + 3_500_000_000
        system.base.run_for(2)

        assert clock.monotonic_ns() == begin_ns + 5_500_000_000
        word, at_ns = listener.receive(0.001)
        assert (word, 0 <= at_ns - begin_ns - 5 * SECOND_NS < SECOND_NS // 10) == ("now", True)

    def test_stands_still_where_nobody_waits_and_jumps_where_somebody_does(self, system):
        listener, clock = system.probe("listener"), system.base.clock
        system.tell("sleeper", 3_600.0)
        begin_ns = clock.monotonic_ns()
        with pytest.raises(RequestTimedOut, match="nothing came to 'listener' in 10 s"):
            listener.receive(10)
        assert clock.monotonic_ns() == begin_ns + 10 * SECOND_NS
        assert not system.base.run_until(lambda: not listener.is_empty(), 3_000)
        assert system.base.run_until(lambda: not listener.is_empty(), 3_000)

        assert 3_600 * SECOND_NS <= clock.monotonic_ns() - begin_ns < 3_601 * SECOND_NS

    def test_is_that_of_the_machine_at_its_begin_and_only_the_wall_is_set_back(self):
        clock = VirtualClock()
        assert (clock.now_ns(), clock.monotonic_ns()) == (FIRST_NS, 0)
        clock.pass_by(7)
        clock.jump_to(5)
        assert (clock.now_ns(), clock.monotonic_ns(), clock.elapsed_ns()) == (FIRST_NS + 7, 7, 7)
        clock.jump_to(10)
        clock.step_wall(-100)

        assert (clock.now_ns(), clock.monotonic_ns()) == (FIRST_NS - 90, 10)

    def test_goes_on_from_an_earlier_simulation_with_its_clock(self, system):
        system.base.run_for(9)
        with InProcessSystem(SimulatedSystemBase(seed=2, clock=system.base.virtual_clock)) as again:
            assert again.base.clock.monotonic_ns() >= 9 * SECOND_NS


class Mute(RuntimeActor):
    """Answers what it was asked when it is told to, or when all is quiet."""

    @handles(Ping)
    def keep(self, _ping, sender):
        self.asker = sender

    @handles(str)
    def answer(self, word, sender):
        if word == "when quiet":
            self.asker = sender
            self.when_quiet(0)
        else:
            self.send(self.asker, word)

    @handles(int)
    def quiet(self, _, _sender):
        self.send(self.asker, "quiet")


class TestAnAnswerInASimulation:
    def test_that_comes_too_late_is_a_dead_letter(self, system):
        system.start("mute", Mute)
        with pytest.raises(RequestTimedOut, match="no answer in 3 s"):
            system.request("mute", Ping(), timeout_s=3)
        system.tell("mute", "late")
        system.base.run_for(1)

        assert [(letter.message_type, letter.reason) for letter in system.base.dead_letters.last] == [
            ("str", "nobody waits for this answer any more")
        ]

    def test_may_come_when_all_is_quiet(self, system):
        system.start("mute", Mute)

        assert system.request("mute", "when quiet", timeout_s=3) == "quiet"


def test_a_simulation_pauses_threads_as_often_as_it_is_told_to():
    with InProcessSystem(SimulatedSystemBase(seed=1, faults=Faults(pause=0.5))) as system:
        system.start("sleeper", Sleeper)
        for _ in range(20):
            system.request("sleeper", Ping())

        assert system.base.injector.injected["pause"] > 5


class Link:
    """A loop and a receiver that note what they are told."""

    def __init__(self, *fates):
        self.notes, self.later, self.name = [], [], "target"
        self.fates = [*fates]
        injector = SimpleNamespace(fate=lambda name, kind: self.notes.append((name, kind)) or self.fates.pop(0))
        loop = SimpleNamespace(
            call_after=lambda wait_ns, act: self.later.append((wait_ns, act)),
            hold=lambda cell, by_ns: self.notes.append(("hold", cell, by_ns)),
            step_wall=lambda by_ns: self.notes.append(("step", by_ns)),
        )
        self.links = Links(injector, loop)
        self.arrived = []

    def arrive(self, message, sender, trace):
        self.arrived.append((message, sender, trace))

    def carry(self, message, sender="ann"):
        self.links.carry(message, sender, 7, self)


class TestALink:
    @pytest.mark.parametrize(
        ("fate", "times", "notes"),
        [
            (("arrive", 0), 1, []),
            (("lose", 0), 0, []),
            (("repeat", 0), 2, []),
            (("pause", 5), 1, ["hold"]),
            (("wall_step", -5), 1, ["step"]),
        ],
    )
    def test_does_with_a_message_what_was_drawn(self, fate, times, notes):
        link = Link(fate)
        link.carry("x")

        assert link.arrived == [("x", "ann", 7)] * times
        assert link.notes[0] == ("target", str)
        wanted = {"hold": ("hold", link, 5), "step": ("step", -5)}
        assert link.notes[1:] == [wanted[each] for each in notes]

    def test_has_all_of_one_sender_wait_behind_what_is_late_and_nobody_else(self):
        link = Link(("delay", 9), ("arrive", 0), ("delay", 3), ("arrive", 0))
        asked = SimpleNamespace(asker="ann")
        link.carry("late")
        link.carry("behind")
        link.carry("asked by the same", asked)
        link.carry("of another", "ben")
        assert link.arrived == [("of another", "ben", 7)]
        ((wait_ns, act),) = link.later
        act()

        assert wait_ns == 9
        assert [message for message, *_ in link.arrived[1:]] == ["late", "behind", "asked by the same"]
        link.carry("late again")
        link.later[1][1]()
        link.carry("at once")
        assert [message for message, *_ in link.arrived[4:]] == ["late again", "at once"]


@pytest.mark.parametrize(("kind", "held_ns"), [("pause", 500_000_000), ("delay", 500_000_000)])
def test_a_scripted_fault_takes_its_time(kind, held_ns):
    fault = ScriptedFault(kind=kind, actor="sleeper", message_type=Ping)
    with InProcessSystem(SimulatedSystemBase(seed=1, faults=Faults(script=(fault,)))) as system:
        system.start("sleeper", Sleeper)
        system.base.run_for(1)  # its first turn is over
        begin_ns = system.base.clock.monotonic_ns()
        system.request("sleeper", Ping())

        assert held_ns <= system.base.clock.monotonic_ns() - begin_ns < held_ns + SECOND_NS // 10
        begin_ns = system.base.clock.monotonic_ns()
        system.request("sleeper", Ping())
        assert system.base.clock.monotonic_ns() - begin_ns < SECOND_NS // 10
        assert system.base.injector.injected == {kind: 1}

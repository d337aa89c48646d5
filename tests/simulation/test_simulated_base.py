"""What a simulation promises: one thread, a virtual clock, the seed's order, and faults where they are wanted."""

import asyncio
import threading
from random import Random

import msgspec
import pytest
from natya_builders import a_tick

from natya.actors.runtime import InProcessSystem, RequestTimedOut, RuntimeActor, WouldDeadlockError, handles, lifecycle
from natya.actors.runtime.simulation import Faults, ScriptedFault, SimulatedSystemBase
from natya.actors.runtime.simulation.loop import Disorder
from natya.actors.runtime.workers import in_process
from natya.messages.market import Tick
from natya.messages.supervision import DeadLetter, Failed


class Note(msgspec.Struct, frozen=True):
    number: int


class Late(msgspec.Struct, frozen=True):
    pass


class Ask(msgspec.Struct, frozen=True):
    pass


class Writer(RuntimeActor):
    """Writes what it hears into its settings, and answers."""

    blocking = True

    @handles(Note)
    def note(self, note, sender):
        self.settings.append((self.name, note.number))
        self.send(sender, note)

    @handles(Tick)
    def tick(self, tick, sender):
        self.settings.append(tick.sequence)

    @handles(Late)
    def late(self, _late, sender):
        self.after(3_600, Ask())
        self.asker = sender

    @handles(Ask)
    def ask(self, _ask, _sender):
        self.send(self.asker, threading.get_ident())


class Worker(RuntimeActor):
    """Offloads, and has another wait for quiet."""

    @handles(Note)
    def note(self, note, sender):
        for lane in ("x", "x", "y"):
            self.offload(self.settings.append, lane, then=self._done, lane=lane)
        self.send("patient", Ask())

    def _done(self, outcome):
        outcome.unwrap()


class Patient(RuntimeActor):
    @handles(Ask)
    def ask(self, _ask, _sender):
        self.when_quiet(Late())

    @handles(Late)
    def quiet(self, _late, _sender):
        self.settings.append("quiet")


class Greedy(RuntimeActor):
    @handles(Ask)
    def wait(self, _ask, sender):
        with pytest.raises(WouldDeadlockError):
            self.settings.request("greedy", Note(1), 1.0)
        self.send(sender, "refused")


def a_system(seed=1, **faults):
    return InProcessSystem(SimulatedSystemBase(seed, faults=Faults(**faults)))


def written(seed, **faults):
    heard = []
    with a_system(seed, **faults) as system:
        for name in "abc":
            system.start(name, Writer, heard)
        answers = [system.request_future(name, Note(number)) for number in range(20) for name in "abc"]
        assert [type(answer.result(5)) for answer in answers] == [Note] * 60
    return heard


class TestTheOrder:
    def test_is_the_seeds_and_the_same_each_time(self):
        assert written(1) == written(1)
        assert written(1) != written(2)

    @pytest.mark.parametrize("seed", range(5))
    def test_keeps_what_one_sender_sends_to_one_receiver(self, seed):
        heard = []
        with a_system(seed, delay=0.3, pause=0.3, delay_s_max=0.01) as system:
            sender = system.probe("sender")
            system.start("writer", Writer, heard)
            for number in range(20):
                system.tell("writer", Note(number), sender=sender)
            system.base.run_for(1.0)

        assert [number for _, number in heard] == list(range(20))

    def test_of_turns_has_each_that_is_ready_as_the_next(self):
        orders = set()
        for seed in range(100):
            ready = Disorder(Random(seed))
            ready.extend("abcd")
            orders.add("".join(ready.popleft() for _ in range(4)))

        assert all(sorted(order) == [*"abcd"] for order in orders)
        assert [{order[place] for order in orders} for place in range(4)] == [{*"abcd"}] * 4

    def test_of_an_end_lets_every_actor_stop(self):
        stopped = []

        class Stopping(RuntimeActor):
            def on_stop(self):
                stopped.append(self.name)

        with a_system() as system:
            for name in "abc":
                system.start(name, Stopping)

        assert sorted(stopped) == [*"abc"]


class TestTime:
    def test_jumps_to_the_next_event_in_the_callers_own_thread(self):
        with a_system() as system:
            system.start("writer", Writer, [])

            assert system.request("writer", Late(), timeout_s=4_000) == threading.get_ident()
            assert 3_600 <= system.base.clock.monotonic_ns() / 1e9 < 3_601

    def test_runs_out_for_who_waits_in_vain(self):
        with a_system() as system:
            system.start("writer", Writer, [])

            with pytest.raises(RequestTimedOut, match="no answer in 60 s"):
                system.request("writer", Late(), timeout_s=60)
            with pytest.raises(RequestTimedOut, match="nothing came"):
                system.probe("nobody").receive(30)
            with pytest.raises(TimeoutError):
                system.request_future("writer", Late()).result(10)
            with pytest.raises(TimeoutError):
                system.request_future("writer", Late()).exception(5)
            assert system.request_future("writer", Note(1)).exception(5) is None
            assert system.base.clock.monotonic_ns() == pytest.approx(105e9, rel=0.01)

    def test_of_the_wall_steps_alone(self):
        with a_system(wall_step=1.0) as system:
            wall_ns, began_ns = system.base.clock.now_ns(), system.base.clock.monotonic_ns()
            system.start("writer", Writer, [])
            system.request("writer", Note(1))

            assert system.base.clock.monotonic_ns() - began_ns < 1e9
            assert abs(system.base.clock.now_ns() - wall_ns) > 1e9

    def test_is_not_waited_for_inside_of_an_actor(self):
        with a_system() as system:
            system.start("greedy", Greedy, system.base)

            assert system.request("greedy", Ask()) == "refused"

    def test_passes_for_a_coroutine_too(self):
        with a_system() as system:
            system.start("writer", Writer, [])

            assert asyncio.run(system.request_async("writer", Note(7))) == Note(7)


class TestAWorkerProcess:
    def test_is_none_here_and_its_actor_is_played_as_all_others(self):
        heard = []
        with a_system() as system:
            system.start("a", *in_process(Writer, heard))

            assert system.request("a", Note(1)) == Note(1)
        assert heard == [("a", 1)]


class TestOffloadedWork:
    def test_is_done_in_the_order_of_its_lane_and_ends_before_quiet(self):
        done = []
        with a_system() as system:
            system.start("worker", Worker, done)
            system.start("patient", Patient, done)
            system.tell("worker", Note(1))
            system.base.run_for(1.0)

        assert sorted(done[:3]) == ["x", "x", "y"]
        assert done[3:] == ["quiet"]


class TestFaultsByScript:
    def test_crash_the_handler_that_they_name(self):
        heard = []
        crash = ScriptedFault(kind="crash", actor="writer", message_type=Note, nth=2)
        with a_system(script=(crash,)) as system:
            dead = system.probe("events")
            system.start("writer", Writer, heard)

            assert [type(system.request("writer", Note(number))) for number in range(3)] == [Note, Failed, Note]
            assert heard == [("writer", 0), ("writer", 2)]
            assert isinstance(dead.receive(), DeadLetter)

    def test_crash_it_when_it_has_done_its_work(self):
        heard = []
        crash = ScriptedFault(kind="crash_after", actor="writer", message_type=Note)
        with a_system(script=(crash,)) as system:
            system.start("writer", Writer, heard)
            system.request("writer", Note(0))
            system.request("writer", Note(1))

            assert heard == [("writer", 0), ("writer", 1)]
            assert system.base.dead_letters.count == 2  # the message, and the Failed that found nobody waiting

    @pytest.mark.parametrize(
        ("kind", "expected"), [("lose", [1, 3]), ("repeat", [1, 2, 2, 3]), ("delay", [1, 2, 3])], ids=str
    )
    def test_lose_repeat_and_delay_a_tick(self, kind, expected):
        heard = []
        fault = ScriptedFault(kind=kind, actor="writer", message_type=Tick, nth=2)
        with a_system(script=(fault,)) as system:
            system.start("writer", Writer, heard)
            for sequence in (1, 2, 3):
                system.tell("writer", a_tick(sequence))
            system.base.run_for(1.0)

        assert heard == expected

    def test_let_an_owner_stand_still_while_others_go_on(self):
        heard = []
        fault = ScriptedFault(kind="pause", actor="slow", message_type=Note, seconds=3.0)
        with a_system(script=(fault,)) as system:
            for name in ("slow", "other"):
                system.start(name, Writer, heard)
            began_ns = system.base.clock.monotonic_ns()
            answer = system.request_future("slow", Note(1))
            system.request("other", Note(2))

            assert system.base.clock.monotonic_ns() - began_ns < 1e9
            answer.result(5)
            assert 3e9 <= system.base.clock.monotonic_ns() - began_ns < 3.1e9
            assert heard == [("other", 2), ("slow", 1)]

    def test_let_an_owner_stand_still_whatever_else_would_give_it_a_turn(self):
        """Here a control message: its supervisor looks after it meanwhile."""
        heard = []
        fault = ScriptedFault(kind="pause", actor="slow", message_type=Note, seconds=3.0)
        with a_system(script=(fault,)) as system:
            system.start("slow", Writer, heard)
            answer = system.request_future("slow", Note(1))
            system.base.run_for(1.0)
            cell = system.base.find("slow")
            cell.control(lifecycle.Resume(), cell)
            system.tell("slow", Note(2))
            system.base.run_for(1.5)
            assert heard == []

            answer.result(5)
            system.base.run_for(0.1)
            assert heard == [("slow", 1), ("slow", 2)]

    def test_set_the_wall_clock_back(self):
        fault = ScriptedFault(kind="wall_step", actor="writer", message_type=Note, seconds=-3_600.0)
        with a_system(script=(fault,)) as system:
            system.start("writer", Writer, [])
            wall_ns = system.base.clock.now_ns()
            system.request("writer", Note(1))

            assert -3_600e9 <= system.base.clock.now_ns() - wall_ns < -3_599e9


class TestFaultsByRate:
    def test_lose_and_repeat_nothing_but_market_data(self):
        heard = []
        with a_system(lose=0.5, repeat=0.5) as system:
            system.start("writer", Writer, heard)
            for number in range(100):
                system.tell("writer", Note(number))

            system.base.run_for(1.0)
            assert heard == [("writer", number) for number in range(100)]

    def test_end_when_they_are_switched_off(self):
        with a_system(crash=1.0) as system:
            system.start("writer", Writer, [])
            assert isinstance(system.request("writer", Note(1)), Failed)

            system.base.injector.active = False

            assert system.request("writer", Note(2)) == Note(2)


class TestAPowerCut:
    def test_comes_out_at_whoever_lets_the_simulation_run(self):
        class PowerError(Exception):
            pass

        class Fuse(RuntimeActor):
            @handles(Ask)
            def blow(self, _ask, _sender):
                raise PowerError

        system = InProcessSystem(SimulatedSystemBase(1, fatal=(PowerError,)))
        system.start("fuse", Fuse)
        with pytest.raises(PowerError):
            system.request("fuse", Ask())
        system.base.abandon()

        assert not system.base.names

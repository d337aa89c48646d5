"""Faults of a simulation: which, when, how long, and that they are counted."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from thespian.actors import ActorExitRequest

from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.simulation import Faults, ScriptedFault, SimulatedSystemBase
from natya.actors.runtime.simulation.injector import AFTER, ARRIVE, BEFORE, SENDS_MAX, Injector
from natya.domain.time import SECOND_NS
from natya.messages.market import Tick
from natya.messages.system import Ping

CERTAIN = Faults(
    crash=1.0, lose=1.0, delay=1.0, delay_s_max=0.5, pause=1.0, pause_s_max=0.05, wall_step=1.0, wall_step_s_max=60.0
)
SEEDS = st.integers(0, 2**32)


class TestWithoutAnyFault:
    @given(SEEDS)
    def test_all_arrives_and_nothing_is_counted(self, seed):
        injector = Injector(Faults(), Random(seed))

        assert injector.crash_point("orders", Ping) is None
        assert [injector.fate("orders", kind) for kind in (Ping, Tick)] == [ARRIVE, ARRIVE]
        assert (injector.pause_ns(), injector.wall_step_ns(), injector.injected) == (0, 0, Counter())


class TestAFaultThatIsCertain:
    @given(SEEDS)
    def test_is_within_its_bounds_and_counted_by_kind(self, seed):
        injector = Injector(CERTAIN, Random(seed))

        assert injector.crash_point("orders", Ping) in {BEFORE, AFTER}
        assert injector.fate("orders", Tick) == ("lose", 0)
        kind, late_ns = injector.fate("orders", Ping)
        assert (kind, 0 < late_ns <= 0.5 * SECOND_NS) == ("delay", True)
        assert 0 < injector.pause_ns() <= 0.05 * SECOND_NS
        assert 0 < abs(injector.wall_step_ns()) <= 60 * SECOND_NS
        assert injector.injected == Counter(crash=1, lose=1, delay=1, pause=1, wall_step=1)

    def test_spares_whom_it_is_told_to_and_the_messages_of_thespian(self):
        injector = Injector(CERTAIN, Random(1))

        assert injector.crash_point("system", Ping) is None
        assert injector.crash_point("orders", ActorExitRequest) is None

    def test_is_none_while_only_what_is_scripted_happens(self):
        injector = Injector(CERTAIN, Random(1))
        injector.active = False

        assert injector.crash_point("orders", Ping) is None
        assert (injector.fate("orders", Tick), injector.pause_ns(), injector.wall_step_ns()) == (ARRIVE, 0, 0)

    @given(SEEDS)
    def test_inside_of_a_handler_is_at_one_of_its_first_sends(self, seed):
        injector = Injector(Faults(crash_inside=1.0), Random(seed))

        assert 1 <= injector.crash_point("orders", Ping) <= SENDS_MAX
        assert injector.injected == Counter(crash_inside=1)

    def test_of_a_kind_that_is_delivered_once_at_most_is_lost_or_told_twice_and_no_other(self):
        injector = Injector(Faults(repeat=1.0), Random(1))

        assert injector.fate("orders", Tick) == ("repeat", 0)
        assert injector.fate("orders", Ping) == ARRIVE


class Drawn:
    """Draws what the test says, and the first of several."""

    def __init__(self, *numbers):
        self.numbers = [*numbers]

    def random(self):
        return self.numbers.pop(0)

    def choice(self, several):
        return several[0]

    def randint(self, least, _most):
        return least


class TestAFaultOfARate:
    """It comes where the number drawn is below its rate."""

    @pytest.mark.parametrize(("number", "comes"), [(0.0, True), (0.24, True), (0.25, False), (0.99, False)])
    def test_comes_so_often(self, number, comes):
        def drawn(*others, **rates):
            return Injector(Faults(**rates), Drawn(number, *others))

        assert drawn(crash=0.25).crash_point("orders", Ping) == (BEFORE if comes else None)
        assert drawn(crash_inside=0.25).crash_point("orders", Ping) == (1 if comes else None)
        for kind in ("lose", "repeat"):
            assert drawn(**{kind: 0.25}).fate("orders", Tick) == ((kind, 0) if comes else ARRIVE)
        late = ("delay", 1 + SECOND_NS // 2)
        assert drawn(0.5, delay=0.25, delay_s_max=1.0).fate("orders", Ping) == (late if comes else ARRIVE)
        assert drawn(0.5, pause=0.25, pause_s_max=1.0).pause_ns() == (late[1] if comes else 0)
        stepped = drawn(0.5, wall_step=0.25, wall_step_s_max=1.0).wall_step_ns()
        assert stepped == (-late[1] if comes else 0)

    @pytest.mark.parametrize("rate", ["crash", "crash_inside", "lose", "repeat", "delay", "pause", "wall_step"])
    def test_comes_alone(self, rate):
        injector = Injector(Faults(**{rate: 1.0}), Random(1))
        found = {
            "crash": injector.crash_point("orders", Ping) is not None,
            "fate": injector.fate("orders", Tick)[0],
            "pause": injector.pause_ns() > 0,
            "wall_step": injector.wall_step_ns() != 0,
        }

        assert found == {
            "crash": rate.startswith("crash"),
            "fate": rate if rate in {"lose", "repeat", "delay"} else "arrive",
            "pause": rate == "pause",
            "wall_step": rate == "wall_step",
        }


class TestAScriptedFault:
    @pytest.mark.parametrize("kind", ["crash_after", "delay"])
    def test_of_a_handler_is_none_of_a_delivery_and_the_other_way_round(self, kind):
        script = (ScriptedFault(kind=kind, actor="orders", message_type=Ping, seconds=2.0),)
        injector = Injector(Faults(script=script), Random(1))

        assert injector.crash_point("orders", Ping) == (AFTER if kind == "crash_after" else None)
        assert injector.fate("orders", Ping) == (("delay", 2 * SECOND_NS) if kind == "delay" else ARRIVE)

    @pytest.mark.parametrize("nth", [1, 2, 3])
    def test_meets_the_message_of_that_number_of_that_actor_and_no_other(self, nth):
        script = (
            ScriptedFault(kind="crash_after", actor="orders", message_type=Ping, nth=nth),
            ScriptedFault(kind="delay", actor="orders", message_type=Tick, nth=nth, seconds=2.0),
        )
        injector = Injector(Faults(script=script), Random(1))
        injector.active = False
        others = [injector.crash_point("feed", Ping), injector.fate("feed", Tick), injector.fate("orders", Ping)]
        points = [injector.crash_point("orders", Ping) for _ in range(4)]
        fates = [injector.fate("orders", Tick) for _ in range(4)]

        assert others == [None, ARRIVE, ARRIVE]
        assert points == [AFTER if number == nth else None for number in range(1, 5)]
        assert fates == [("delay", 2 * SECOND_NS) if number == nth else ARRIVE for number in range(1, 5)]
        assert injector.injected == Counter(crash=1, delay=1)

    def test_has_half_a_second_where_it_says_nothing(self):
        script = (ScriptedFault(kind="pause", actor="orders", message_type=Ping),)

        assert Injector(Faults(script=script), Random(1)).fate("orders", Ping) == ("pause", SECOND_NS // 2)


class Talker(RuntimeActor):
    """Says three things, and notes that it has."""

    @handles(Ping)
    def talk(self, _ping, _sender):
        for number in (1, 2, 3):
            self.send("listener", number)
        self.settings.append("done")


@pytest.mark.parametrize(
    ("point", "said", "done"),
    [(BEFORE, 0, []), (1, 0, []), (2, 1, []), (3, 2, []), (4, 3, ["done"]), (AFTER, 3, ["done"])],
)
def test_a_handler_that_crashes_has_done_what_was_before_the_crash_and_nothing_else(point, said, done, monkeypatch):
    with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
        listener, notes, points = system.probe("listener"), [], [point]
        system.start("talker", Talker, notes)
        injector = system.base.injector
        monkeypatch.setattr(injector, "crash_point", lambda *_: points.pop() if points else None)

        failed = system.request("talker", Ping())
        assert (failed.error, failed.message_type) == ("SimulatedCrashError", "Ping")
        where = {BEFORE: "before the handler", AFTER: "after the handler", 4: "after the handler"}
        assert failed.reason == where.get(point, "inside of the handler")
        assert [listener.receive() for _ in range(said)] == [1, 2, 3][:said]
        assert (listener.is_empty(), notes) == (True, done)
        system.tell("talker", Ping())
        assert [listener.receive() for _ in range(3)] == [1, 2, 3]

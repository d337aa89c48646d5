"""A process that is killed in a step of an order's path."""

from random import Random
from types import SimpleNamespace

import pytest

from natya.actors.journal import PowerCutError
from natya.actors.runtime.simulation import Faults
from natya.actors.runtime.simulation.injector import AFTER, BEFORE, SENDS_MAX, SimulatedCrashError
from natya.messages.orders import CancelOrder, SubmitOrder
from natya.testing.order_path import KillingInjector

STEP = "orders SubmitOrder"


@pytest.fixture
def injector():
    return KillingInjector(Faults(), Random(1))


def chance(nth, point):
    drawn = iter((nth, point))
    return SimpleNamespace(choice=lambda _of: next(drawn))


class TestAProcess:
    @pytest.mark.parametrize("nth", [1, 2, 3])
    @pytest.mark.parametrize("point", [BEFORE, AFTER, 1, 2])
    def test_is_killed_once_in_its_step_at_that_time_and_point(self, injector, nth, point):
        injector.kill_in(STEP, chance(nth, point))
        found = [injector.crash_point("orders", SubmitOrder) for _ in range(nth - 1)]
        assert (found, injector.killed_in) == ([None] * (nth - 1), "")
        assert isinstance(injector.crash("here"), SimulatedCrashError)

        assert injector.crash_point("orders", SubmitOrder) == point
        assert injector.killed_in == STEP
        assert isinstance(injector.crash("here"), PowerCutError)
        assert [injector.crash_point("orders", SubmitOrder) for _ in range(5)] == [None] * 5

    def test_lives_through_every_other_step(self, injector):
        injector.kill_in(STEP, chance(1, BEFORE))

        assert injector.crash_point("orders", CancelOrder) is None
        assert injector.crash_point("broker", SubmitOrder) is None
        assert injector.killed_in == ""

    def test_that_is_to_be_killed_in_no_step_lives(self, injector):
        assert [injector.crash_point("orders", SubmitOrder) for _ in range(5)] == [None] * 5

    def test_is_killed_at_every_time_and_point_by_some_seed_and_mostly_at_the_first(self):
        drawn = []
        for seed in range(200):
            injector = KillingInjector(Faults(), Random(1))
            injector.kill_in(STEP, Random(seed))
            found = [injector.crash_point("orders", SubmitOrder) for _ in range(SENDS_MAX)]
            ((nth, point),) = [(n, each) for n, each in enumerate(found, 1) if each is not None]
            drawn.append((nth, point))

        assert {nth for nth, _ in drawn} == {1, 2, 3}
        assert {point for _, point in drawn} == {BEFORE, AFTER, 1, 2}
        assert sum(nth == 1 for nth, _ in drawn) > 100

"""A supervisor in a simulated market: back-offs and breakers last as long as the market's speed says, or no time."""

import time

import msgspec
import pytest

from natya.actors.runtime import InProcessSystem, InProcessSystemBase, handles
from natya.actors.supervision.actor import BackoffOver
from natya.actors.supervision.deadline import Deadline
from natya.messages.supervision import DescribeTree

OPENING_NS = 1_700_000_000_000_000_000


class Let(msgspec.Struct, frozen=True):
    """Let a back-off be over that is of this supervisor or not, and was cancelled or not."""

    is_own: bool
    is_cancelled: bool


@pytest.fixture
def system():
    with InProcessSystem(InProcessSystemBase(market_opening_ns=OPENING_NS)) as system:
        yield system


@pytest.fixture
def start(system, play, diary):
    def start(*, speed, backoff_s=3_600.0, actor=play.Supervisor):
        policy = play.a_policy(
            backoff_first_s=backoff_s, backoff_max_s=backoff_s, fail_max=3, reset_timeout_s=backoff_s
        )
        child = play.ChildSpec("child", play.Child, diary)
        system.start("system", actor, play.a_supervisor(child, policy=policy, market_speed=speed))

    return start


def crash_and_await_the_next_life(system, play):
    system.tell("child", play.Crash())
    return system.request("child", play.Work(), timeout_s=20).life


class TestABackOffInAMarket:
    def test_takes_no_time_where_the_market_waits_for_nothing(self, start, system, play):
        start(speed=0.0)

        lives = [crash_and_await_the_next_life(system, play) for _ in range(2)]

        assert lives == [2, 3]  # the second back-off is of an hour

    def test_is_shorter_by_the_speed_of_the_market(self, start, system, play):
        start(speed=72_000.0)
        crash_and_await_the_next_life(system, play)
        began_s = time.monotonic()
        crash_and_await_the_next_life(system, play)

        assert time.monotonic() - began_s >= 0.025  # half of it is random

    def test_is_the_machines_own_where_no_speed_is_named(self, start, system, play):
        start(speed=None, backoff_s=0.05)
        crash_and_await_the_next_life(system, play)
        began_s = time.monotonic()
        crash_and_await_the_next_life(system, play)

        assert time.monotonic() - began_s >= 0.025  # half of it is random

    @pytest.mark.parametrize("is_own", [True, False])
    @pytest.mark.parametrize("is_cancelled", [True, False])
    def test_is_over_only_for_the_life_that_it_is_of(self, start, system, play, is_own, is_cancelled):
        acted = []

        class Letting(play.Supervisor):
            @handles(Let)
            def let(self, let, _sender):
                deadline = Deadline(lambda: acted.append("acted"))
                if let.is_cancelled:
                    deadline.cancel()
                self.backoff_over(BackoffOver(deadline, self if let.is_own else object()), self.myAddress)
                acted.append(deadline.timer is not None)

        start(speed=0.0, actor=Letting)
        system.tell("system", Let(is_own, is_cancelled))
        system.request("system", DescribeTree())

        assert acted[0] == (is_own and not is_cancelled)

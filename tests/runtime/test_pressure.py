"""Storms: what comes by the hundred thousand is counted exactly, and costs a bounded number of log lines."""

import logging
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.runtime import RuntimeActor, handles
from natya.actors.runtime.dead_letters import TOLD_A_SECOND_MAX
from natya.actors.runtime.timers import SharedTimerHeap, TimerHeap
from natya.messages.system import Ping


class Fragile(RuntimeActor):
    @handles(str)
    def fail(self, reason, sender):
        raise ValueError(reason)


class TestMessagesToAStoppedActor:
    def test_are_counted_and_told_of_at_a_bounded_rate(self, system):
        events = system.probe("events")
        address = system.start("fragile", Fragile)
        system.stop(address)

        for _ in range(100_000):
            system.tell(address, "x")

        assert system.base.dead_letters.count == 100_000
        assert len(system.base.dead_letters.last) == TOLD_A_SECOND_MAX
        assert events._queue.qsize() <= TOLD_A_SECOND_MAX * 20
        assert address.counters().depth == 0


class TestAHandlerThatRaisesAllTheTime:
    def test_is_counted_exactly_and_logged_at_a_bounded_rate(self, system, caplog):
        system.start("fragile", Fragile)
        with caplog.at_level(logging.INFO, "natya"):
            for _ in range(3000):
                system.tell("fragile", "x")
            statistics = system.request("fragile", Ping(), timeout_s=20).statistics

        assert statistics.failures == 3000
        assert system.base.dead_letters.count == 3000
        assert len(caplog.records) <= 2 * TOLD_A_SECOND_MAX * 20


@pytest.mark.parametrize("kind", [TimerHeap, SharedTimerHeap])
class TestATimerHeap:
    @given(st.lists(st.tuples(st.integers(0, 100), st.booleans()), max_size=200))
    def test_fires_what_is_due_and_not_cancelled_by_due_time_then_age(self, kind, plans):
        heap, fired = kind(), []
        timers = [heap.add(due, lambda at=index: fired.append(at)) for index, (due, _) in enumerate(plans)]
        for timer, (_, cancelled) in zip(timers, plans, strict=True):
            if cancelled:
                timer.cancel()
        kept = [(due, index) for index, (due, cancelled) in enumerate(plans) if not cancelled]

        assert heap.next_due_ns() == (min(kept)[0] if kept else None)
        heap.fire_due(50)
        assert fired == [index for due, index in sorted(kept) if due <= 50]
        heap.fire_due(100)
        assert fired == [index for _, index in sorted(kept)]

    @given(st.lists(st.tuples(st.integers(0, 100), st.booleans()), max_size=200))
    def test_gives_one_after_the_other_in_the_same_order(self, kind, plans):
        heap, fired = kind(), []
        timers = [heap.add(due, lambda at=index: fired.append(at)) for index, (due, _) in enumerate(plans)]
        for timer, (_, cancelled) in zip(timers, plans, strict=True):
            if cancelled:
                timer.cancel()
        kept = sorted((due, index) for index, (due, cancelled) in enumerate(plans) if not cancelled)
        taken = []
        while (following := heap.pop_next()) is not None:
            due, timer = following
            timer.fire()
            taken.append((due, fired[-1]))

        assert taken == kept

    def test_holds_no_more_than_twice_what_waits_however_many_are_cancelled(self, kind):
        heap = kind()
        for due in range(10_000):
            heap.add(due, lambda: None).cancel()

        assert len(heap) < 200


class TestStartingAndStoppingAgainAndAgain:
    @pytest.mark.parametrize("blocking", [False, True])
    def test_leaves_no_thread_behind(self, system, blocking):
        host = blocking

        class Visitor(Fragile):
            blocking = host

        before = threading.active_count()
        for _ in range(200):
            system.stop(system.start("visitor", Visitor))
        while threading.active_count() > before:  # a thread ends a moment after its actor
            system.base.loop.wake()

        assert system.base.names == {}

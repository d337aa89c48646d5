"""Timers in their heap, against a plain list of those that are to come."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natya.actors.runtime.timers import SharedTimerHeap, TimerHeap

HEAPS = pytest.mark.parametrize("make", [TimerHeap, SharedTimerHeap])
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 9)),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.just("fire"), st.integers(0, 9)),
        st.tuples(st.just("pop"), st.none()),
    ),
    max_size=40,
)


@HEAPS
@settings(max_examples=100)
@given(events=EVENTS)
def test_those_that_are_due_fire_once_in_order_and_those_that_were_cancelled_never(make, events):
    heap, fired, timers, waiting = make(), [], [], []

    for what, argument in events:
        if what == "add":
            number = len(timers)
            timers.append(heap.add(argument, lambda number=number: fired.append(number)))
            waiting.append((argument, number))
        elif what == "cancel" and argument < len(timers):
            timers[argument].cancel()
            waiting = [each for each in waiting if each[1] != argument]
        elif what == "fire":
            before = len(fired)
            heap.fire_due(argument)
            assert fired[before:] == [number for _, number in sorted(each for each in waiting if each[0] <= argument)]
            waiting = [each for each in waiting if each[0] > argument]
        elif what == "pop":
            first = min(waiting, default=None)
            taken = heap.pop_next()
            assert taken == (first and (first[0], timers[first[1]]))
            if taken is not None:
                waiting.remove(first)
                taken[1].fire()
                assert fired[-1] == first[1]
        assert heap.next_due_ns() == min(waiting, default=(None,))[0]
        assert [timer.waiting for timer in timers] == [
            number in {each for _, each in waiting} for number in range(len(timers))
        ]


@HEAPS
class TestATimer:
    def test_added_by_one_that_fires_waits_for_the_next_call(self, make):
        heap, fired = make(), []
        heap.add(1, lambda: heap.add(1, lambda: fired.append("second")))

        heap.fire_due(1)
        assert fired == []
        heap.fire_due(1)
        assert fired == ["second"]

    def test_cancelled_by_one_that_is_due_with_it_never_comes(self, make):
        heap, fired, timers = make(), [], []
        heap.add(1, lambda: [timer.cancel() for timer in timers])
        timers.append(heap.add(1, lambda: fired.append("second")))

        heap.fire_due(1)

        assert fired == []

    def test_that_was_cancelled_is_thrown_out_when_those_are_more_than_half(self, make):
        """Else a heap of time-outs, nearly all cancelled before they come, grows for ever."""
        heap = make()
        timers = [heap.add(number, lambda: None) for number in range(200)]

        for timer in timers[100:]:
            timer.cancel()
        assert len(heap) == 200
        timers[99].cancel()
        assert len(heap) == 99

    def test_is_not_looked_for_while_few_are_cancelled(self, make):
        heap = make()
        timers = [heap.add(number, lambda: None) for number in range(65)]

        for timer in timers[1:]:
            timer.cancel()
        assert len(heap) == 65
        timers[0].cancel()
        assert len(heap) == 0

    @pytest.mark.parametrize("forget", [lambda heap: heap.fire_due(99), lambda heap: heap.next_due_ns()])
    def test_that_was_cancelled_and_is_out_counts_no_more(self, make, forget):
        heap = make()
        for number in range(64):
            heap.add(number, lambda: None).cancel()
        forget(heap)
        assert len(heap) == 0

        for number in range(64):
            heap.add(number, lambda: None).cancel()
        assert len(heap) == 64

    @pytest.mark.parametrize("forget", [lambda heap: heap.fire_due(0), lambda heap: heap.next_due_ns()])
    def test_that_was_cancelled_and_is_out_leaves_the_others_counted(self, make, forget):
        heap = make()
        first, _, *others = (heap.add(number, lambda: None) for number in range(65))
        for timer in (first, *others):
            timer.cancel()
        forget(heap)
        assert len(heap) == 64

        for number in range(2):
            assert len(heap) == 64 + number
            heap.add(number, lambda: None).cancel()
        assert len(heap) == 1

    def test_that_is_cancelled_twice_counts_once(self, make):
        heap = make()
        timers = [heap.add(number, lambda: None) for number in range(64)]

        for timer in timers * 2:
            timer.cancel()

        assert len(heap) == 64

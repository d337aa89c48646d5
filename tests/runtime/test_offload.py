"""Work off an actor's thread: how many jobs wait, which of them run at once, and what becomes of the others."""

import queue
import threading

import pytest

from natya.actors.runtime.errors import OffloadRefusedError
from natya.actors.runtime.offload import Job, Offloader


@pytest.fixture
def outcomes():
    return queue.Queue()


@pytest.fixture
def offloader():
    offloader = Offloader(name="thinker", threads_max=2, jobs_max=3)
    yield offloader
    offloader.close()


@pytest.fixture
def submit(offloader, outcomes):
    def submit(function, lane=""):
        offloader.submit(Job(function, (), outcomes.put), lane)

    return submit


@pytest.fixture
def gate():
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture
def held(submit, gate):
    """A job that has begun, in the lane `held`, and ends when the gate is opened."""
    begun = threading.Event()
    submit(lambda: begun.set() or gate.wait(10), "held")
    assert begun.wait(5)


@pytest.mark.usefixtures("held")
class TestJobsThatWait:
    def test_are_as_many_as_may_and_no_more(self, submit):
        for number in range(3):
            submit(lambda number=number: number, "held")

        with pytest.raises(OffloadRefusedError, match="up to 3 jobs, and 3 are waiting"):
            submit(lambda: 3, "held")

    def test_make_room_as_soon_as_they_begin(self, submit, outcomes, gate):
        for number in range(3):
            submit(lambda number=number: number, "held")
        gate.set()
        assert [outcomes.get(timeout=5).unwrap() for _ in range(4)] == [True, 0, 1, 2]

        for number in range(3):
            submit(lambda number=number: number, "held")
        assert [outcomes.get(timeout=5).unwrap() for _ in range(3)] == [0, 1, 2]

    def test_of_another_lane_do_not_wait_for_this_one(self, submit, outcomes):
        submit(lambda: "other", "other")

        assert outcomes.get(timeout=5).unwrap() == "other"

    def test_are_dropped_and_told_so_when_it_stops_and_none_comes_after(self, submit, offloader, outcomes, gate):
        for _ in range(2):
            submit(lambda: 1, "held")
        offloader.close()

        assert [outcomes.get(timeout=5) for _ in range(2)] == [None, None]
        with pytest.raises(OffloadRefusedError, match="up to 3 jobs, and it has stopped"):
            submit(lambda: 1)
        gate.set()
        assert outcomes.get(timeout=5).unwrap() is True
        assert outcomes.empty()


def test_as_many_jobs_run_at_once_as_there_may_be_threads_whatever_they_raise(submit, outcomes):
    meeting = threading.Barrier(2)

    def meet_and_fail():
        meeting.wait(5)  # nobody passes alone
        raise KeyError

    for lane in "ab":
        submit(meet_and_fail, lane)

    assert [type(outcomes.get(timeout=5).error) for _ in range(2)] == [KeyError] * 2

"""Work off an actor's thread: how many jobs wait, which of them run at once, and what becomes of the others."""

import itertools
import queue
import threading
from random import Random

import pytest
from natya_processes import await_that

from natya.actors.runtime.errors import OffloadRefusedError
from natya.actors.runtime.offload import Job, Offloader, Outcome
from natya.actors.runtime.simulation.jobs import LATENCY_NS_MAX, SimulatedOffloader

NUMBERS = itertools.count()


@pytest.fixture
def outcomes():
    return queue.Queue()


@pytest.fixture
def name():
    return f"thinker {next(NUMBERS)}"


@pytest.fixture
def offloader(name):
    offloader = Offloader(name=name, threads_max=2, jobs_max=3)
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


class Later:
    """The loop of a simulation: what is to be called waits for the test."""

    def __init__(self):
        self.calls = []

    def call_after(self, nanoseconds, call):
        self.calls.append((nanoseconds, call))


class TestJobsOfASimulation:
    @pytest.fixture
    def loop(self):
        return Later()

    @pytest.fixture
    def simulated(self, loop):
        return SimulatedOffloader(name="thinker", threads_max=1, jobs_max=3, loop=loop, random=Random(7))

    def test_are_as_many_as_may_and_no_more(self, simulated, loop):
        outcomes = []
        for number in range(3):
            simulated.submit(Job(lambda number=number: number, (), outcomes.append), "")

        with pytest.raises(OffloadRefusedError, match="takes up to 3 jobs, and 3 are waiting"):
            simulated.submit(Job(int, (), outcomes.append), "")
        loop.calls.pop(0)[1]()
        simulated.submit(Job(int, (), outcomes.append), "")
        assert [outcome.value for outcome in outcomes] == [0]

    @pytest.mark.parametrize("lane", ["lane", ""])
    def test_of_a_lane_are_done_one_after_another_within_their_latency(self, simulated, loop, lane):
        outcomes = []
        for number in range(3):
            simulated.submit(Job(lambda number=number: number, (), outcomes.append), lane)
        waits_ns = []
        while loop.calls:
            assert len(loop.calls) == 1
            nanoseconds, call = loop.calls.pop()
            waits_ns.append(nanoseconds)
            call()

        assert [outcome.value for outcome in outcomes] == [0, 1, 2]
        assert all(0 < each <= LATENCY_NS_MAX for each in waits_ns)
        assert len(set(waits_ns)) == 3

    def test_that_have_not_ended_at_the_end_are_told_so_and_never_done(self, simulated, loop):
        outcomes, done = [], []
        for lane in ("lane", ""):
            simulated.submit(Job(lambda: done.append(1), (), outcomes.append), lane)
        simulated.close()
        for _, call in loop.calls:
            call()

        assert (outcomes, done) == ([None] * 2, [])
        with pytest.raises(OffloadRefusedError, match="it has stopped"):
            simulated.submit(Job(int, (), outcomes.append), "")


class TestJobsWithoutThreads:
    @pytest.fixture
    def offloader(self, name):
        return Offloader(name=name, threads_max=0, jobs_max=1)

    def test_are_done_where_they_are_submitted_and_told_before_that_returns(self, submit, outcomes):
        for _ in range(3):
            submit(threading.get_ident)
            assert outcomes.get_nowait().unwrap() == threading.get_ident()

    def test_tell_what_they_raise(self, submit, outcomes):
        submit(lambda: {}["gone"])

        assert isinstance(outcomes.get_nowait().error, KeyError)

    def test_are_refused_when_it_has_stopped(self, submit, offloader, outcomes):
        offloader.close()

        with pytest.raises(OffloadRefusedError, match="it has stopped"):
            submit(int)
        assert outcomes.empty()


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


def test_jobs_that_name_no_lane_are_of_one(submit, outcomes, gate):
    submit(lambda: gate.wait(10))
    submit(lambda: "second")
    submit(lambda: "other", "other")

    assert outcomes.get(timeout=5).unwrap() == "other"
    gate.set()
    assert [outcomes.get(timeout=5).unwrap() for _ in range(2)] == [True, "second"]


@pytest.fixture
def threads(name):
    def threads():
        return [thread for thread in threading.enumerate() if thread.name == f"{name}/offload"]

    return threads


class TestTheThreads:
    @pytest.mark.usefixtures("held")
    def test_are_as_many_as_lanes_with_work_up_to_the_limit(self, submit, gate, threads):
        assert len(threads()) == 1
        submit(lambda: 1, "held")
        assert len(threads()) == 1
        submit(lambda: gate.wait(10), "second")
        submit(lambda: 3, "third")

        assert len(threads()) == 2

    def test_wait_for_more_work_and_take_it_and_keep_no_process_alive(self, offloader, submit, outcomes, threads):
        submit(threading.current_thread)
        thread = outcomes.get(timeout=5).unwrap()
        for _ in range(3):
            await_that(lambda: offloader._idle)
            submit(threading.current_thread)
            assert outcomes.get(timeout=5).unwrap() is thread

        assert threads() == [thread]
        assert thread.daemon

    def test_go_on_waiting_where_another_took_what_they_were_woken_for(self, offloader, submit, outcomes, threads):
        submit(threading.current_thread)
        thread = outcomes.get(timeout=5).unwrap()
        await_that(lambda: offloader._idle)
        waits = []
        wait = offloader._changed.wait
        offloader._changed.wait = lambda seconds: waits.append(seconds) or wait(seconds)
        with offloader._changed:
            offloader._changed.notify()
        await_that(lambda: waits)

        assert threads() == [thread]

    def test_end_when_it_stops_while_they_wait(self, offloader, submit, outcomes, threads):
        submit(int)
        outcomes.get(timeout=5)
        await_that(lambda: offloader._idle)
        (thread,) = threads()
        offloader.close()
        thread.join(5)

        assert not thread.is_alive()

    def test_end_when_there_was_none_for_long_and_others_follow(self, submit, outcomes, monkeypatch):
        monkeypatch.setattr("natya.actors.runtime.offload.IDLE_S", 0.001)
        lives = []
        for _ in range(3):  # one more than there may be at once
            submit(threading.current_thread)
            lives.append(outcomes.get(timeout=5).unwrap())
            lives[-1].join(5)

        assert [thread.is_alive() for thread in lives] == [False] * 3

    def test_do_what_comes_in_the_moment_in_which_they_would_have_ended(self, offloader, submit, outcomes):
        def wait(_seconds):
            del offloader._changed.wait
            submit(lambda: "late", "another")
            return False

        offloader._changed.wait = wait
        submit(lambda: "first")

        assert [outcomes.get(timeout=5).unwrap() for _ in range(2)] == ["first", "late"]

    def test_end_when_it_stops_and_they_have_nothing_to_do(self, offloader, submit, outcomes):
        submit(threading.current_thread)
        thread = outcomes.get(timeout=5).unwrap()
        offloader.close()
        thread.join(5)

        assert not thread.is_alive()

    @pytest.mark.usefixtures("held")
    def test_end_when_it_stops_and_they_have_done_what_they_had(self, offloader, gate, threads):
        (thread,) = threads()
        offloader.close()
        gate.set()
        thread.join(5)

        assert not thread.is_alive()


class TestAnOutcome:
    def test_is_the_value_or_raises_what_was_raised(self):
        assert Outcome(value=7).unwrap() == 7
        with pytest.raises(KeyError, match="wanted"):
            Outcome(error=KeyError("wanted")).unwrap()

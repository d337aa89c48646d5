"""A thread that runs actors: what it counts, and what becomes of it in a fork."""

import os
import queue
import socket
import threading
from types import SimpleNamespace

import pytest

from natya.actors.runtime.clock import SystemClock
from natya.actors.runtime.worker import TURNS_BETWEEN_TIMERS, Worker
from natya.actors.runtime.workers.reading_loop import ReadingLoop


@pytest.fixture
def worker():
    worker = Worker("worker", SystemClock(), lambda: False)
    worker.start()
    yield worker
    worker.stop()


def test_counts_each_time_that_it_wakes(worker):
    counted, found = queue.SimpleQueue(), []

    for _ in range(3):
        while not worker.asleep:
            pass
        worker.schedule(SimpleNamespace(turn=lambda: counted.put(worker.wakes)))
        found.append(counted.get(timeout=5))

    assert found == sorted(set(found))


@pytest.fixture
def reading_loop():
    ours, theirs = socket.socketpair()
    loop = ReadingLoop(SystemClock(), lambda: False, connection=ours, read=lambda: None, flush=lambda: None)
    thread = threading.Thread(target=loop.run)
    thread.start()
    yield loop
    loop.stop()
    thread.join()
    ours.close()
    theirs.close()


@pytest.mark.parametrize("kind", ["worker", "reading_loop"])
def test_looks_at_its_timers_though_there_is_always_work(request, kind):
    worker, turns, fired = request.getfixturevalue(kind), [], queue.SimpleQueue()

    def turn():
        if not turns:
            worker.timers.add(0, lambda: fired.put(len(turns)))
        turns.append(cell)
        if fired.empty() and len(turns) < 10_000:
            worker.schedule(cell)

    cell = SimpleNamespace(turn=turn)
    worker.schedule(cell)

    assert fired.get(timeout=5) <= TURNS_BETWEEN_TIMERS


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # 3.12 warns of what this test is about
@pytest.mark.parametrize(
    ("error", "code"),
    [(ValueError("as asked"), 1), (SystemExit(3), 3), (SystemExit("no"), 1), (SystemExit(), 0), (None, 0)],
    ids=repr,
)
def test_a_turn_that_forks_ends_the_child_as_a_script_ends(worker, error, code):
    pids = queue.SimpleQueue()

    def turn():
        pid = os.fork()
        if pid:
            pids.put(pid)
            return
        worker.abandon()
        if error is not None:
            raise error

    worker.schedule(SimpleNamespace(turn=turn))

    assert os.waitstatus_to_exitcode(os.waitpid(pids.get(timeout=5), 0)[1]) == code

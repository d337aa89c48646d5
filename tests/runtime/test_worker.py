"""A thread that runs actors: what it counts, and what becomes of it in a fork."""

import os
import queue
from types import SimpleNamespace

import pytest

from natya.actors.runtime.clock import SystemClock
from natya.actors.runtime.worker import Worker


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

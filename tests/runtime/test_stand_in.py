"""The parent's side of an actor in a worker process: how long its turns may take, with a process that is played."""

from types import SimpleNamespace

import pytest

from natya.actors.runtime.workers import wire
from natya.actors.runtime.workers.stand_in import Begin, Look, StandIn
from natya.domain.time import SECOND_NS


class Worker:
    """Notes what it is told."""

    pid = 77

    def __init__(self, **fields):
        self.beats, self.is_starting, self.in_turn, self.told = 3, False, True, []
        vars(self).update(fields)

    def has_a_turn(self):
        return self.in_turn

    def end(self, why):
        self.told.append(why)

    def ask_for(self, order):
        self.told.append(order)

    def flush(self):
        self.told.append("flush")


class Parent(SimpleNamespace):
    """What of a stand-in is asked here; its clock stands at 100 s."""

    def __init__(self, worker, **fields):
        clock = SimpleNamespace(monotonic_ns=lambda: 100 * SECOND_NS)
        self.logged, self.later, self.shipped, self.settled = [], [], [], 0
        usual = {"_looks": True, "_worker": worker, "_beats": 3, "_seen_ns": 100 * SECOND_NS, "trouble": "before"}
        super().__init__(
            settings=SimpleNamespace(turn_limit_s=4.0),
            host=SimpleNamespace(services=SimpleNamespace(clock=clock)),
            **(usual | fields),
        )

    def log(self, event, **fields):
        self.logged.append((event, fields))

    def _look_later(self, worker):
        self.later.append(worker)

    def _ship(self, kept):
        self.shipped.append(kept)

    def _settle(self):
        self.settled += 1


class TestATurnInAWorkerProcess:
    def looked(self, worker, *, seen_s=100, **fields):
        parent = Parent(worker, _seen_ns=seen_s * SECOND_NS, **fields)
        StandIn.look(parent, Look(worker), None)
        assert not parent._looks
        return parent

    @pytest.mark.parametrize(
        ("seen_s", "trouble"),
        [
            (100, ""),
            (98, "holds a turn for 2 s, 4 s at most: others may wait for it"),
            (101, ""),
        ],
    )
    def test_is_told_as_a_trouble_while_it_lasts_and_looked_at_again(self, seen_s, trouble):
        worker = Worker()
        parent = self.looked(worker, seen_s=seen_s, trouble="" if not trouble else "before")

        assert (parent.trouble, parent.later, worker.told, parent.logged) == (trouble, [worker], [], [])

    def test_that_takes_as_long_as_it_may_ends_the_process(self):
        worker = Worker()
        parent = self.looked(worker, seen_s=96)

        assert worker.told == ["held a turn longer than 4 s, and was killed"]
        overran = {"level": "error", "pid": 77, "held_s": 4.0, "turn_limit_s": 4.0}
        assert (parent.logged, parent.later) == ([("worker.overran", overran)], [])

    @pytest.mark.parametrize("fields", [{"beats": 4}, {"is_starting": True}], ids=str)
    def test_is_counted_anew_where_something_was_handled_and_in_a_start(self, fields):
        worker = Worker(**fields)
        parent = self.looked(worker, seen_s=1)

        assert (parent._beats, parent._seen_ns, parent.trouble) == (worker.beats, 100 * SECOND_NS, "")
        assert (worker.told, parent.later) == ([], [worker])

    @pytest.mark.parametrize("is_gone", ["it has none", "another process", "no process"])
    def test_that_is_over_is_no_trouble_any_more(self, is_gone):
        worker = Worker(in_turn=is_gone != "it has none")
        parent = Parent({"no process": None, "another process": Worker()}.get(is_gone, worker), _seen_ns=0)
        StandIn.look(parent, Look(worker), None)

        assert (parent.trouble, parent.later, worker.told, parent.logged) == ("", [], [], [])


def test_an_actor_that_is_started_again_has_what_was_kept_for_it_and_its_start_is_no_turn():
    worker = Worker()
    parent = Parent(worker, _kept=["a", "b"])
    StandIn.begin(parent, Begin(), None)

    assert worker.is_starting
    assert worker.told == [wire.Restart(), "flush"]
    assert (parent._kept, parent.shipped, parent.settled) == ([], [["a", "b"]], 1)

"""The parent's side of an actor in a worker process: how long its turns may take, with a process that is played."""

import os
import sys
from collections import deque
from pathlib import Path
from types import SimpleNamespace

import pytest
from natya_builders import a_candle, a_tick
from natya_endpoints import Asker

from natya.actors.runtime.runtime_cell import FailedElsewhere
from natya.actors.runtime.workers import RemoteError, WorkerDiedError, process, stand_in, wire
from natya.actors.runtime.workers.stand_in import UNHANDLED_MAX, Begin, Look, StandIn
from natya.actors.runtime.workers.worker_process import Ended, Onward
from natya.domain.time import SECOND_NS
from natya.messages.system import ActorStatistics, Ping


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
            host=SimpleNamespace(services=SimpleNamespace(clock=clock)),
            **({"settings": SimpleNamespace(turn_limit_s=4.0)} | usual | fields),
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


class TestTheStopOfAnActorInAProcess:
    @pytest.mark.parametrize(
        ("has_process", "has_stopped", "is_stopping", "is_drained", "told"),
        [
            (False, False, False, True, []),
            (False, True, True, True, []),
            (True, True, True, True, []),
            (True, False, False, False, ["all of it", wire.Stop()]),
            (True, False, True, False, []),
        ],
    )
    def test_is_asked_for_once_and_awaited(self, has_process, has_stopped, is_stopping, is_drained, told):
        worker = Worker()
        parent = Parent(
            worker if has_process else None, _stopped=object() if has_stopped else None, _is_stopping=is_stopping
        )
        worker.tell = worker.told.append
        parent._post_kept = lambda most: worker.told.append("all of it" if most == UNHANDLED_MAX else most)

        assert StandIn.is_drained(parent) is is_drained
        assert worker.told == told
        assert parent._is_stopping is (is_stopping or bool(told))


class Sender:
    def __init__(self, says):
        self.says = says


class TestATurnOfTheStandIn:
    @staticmethod
    def turned(*messages, says=None):
        worker = Worker()
        parent = Parent(worker)
        sender = Sender(says)
        parent.host.box = deque((message, sender, 7) for message in messages)
        parent.host.high_water, parent.host.handled = 1, 10
        parent._is_sayable = lambda envelope: envelope[0] != Ping()
        StandIn.on_turn(parent)
        return parent, [message for message, *_ in parent.host.box], worker.told

    def test_ships_all_that_waits_in_one_batch_up_to_what_has_no_wire_form(self):
        first, second = a_tick(1), a_tick(2)
        parent, left, told = self.turned(first, Ping(), "a text", second)

        assert [[message for message, *_ in each] for each in parent.shipped] == [[first, Ping()]]
        assert (left, told) == (["a text", second], ["flush"])
        assert (parent.host.handled, parent.host.high_water) == (12, 4)

    def test_ships_nothing_that_its_sender_may_not_say(self):
        first, second = a_tick(1), a_tick(2)
        parent, left, _ = self.turned(first, Ping(), second, says=frozenset())

        assert [[message for message, *_ in each] for each in parent.shipped] == [[first, second]]
        assert (left, parent.host.handled) == ([], 13)

    def test_ships_no_more_than_a_frame_takes(self, monkeypatch):
        monkeypatch.setattr(stand_in, "LETTERS_A_FRAME_MAX", 2)
        ticks = [*map(a_tick, (1, 2, 3))]
        parent, left, _ = self.turned(*ticks)

        assert ([len(each) for each in parent.shipped], left) == ([2], ticks[2:])

    def test_does_nothing_where_nothing_waits(self):
        parent, _, told = self.turned()

        assert (parent.shipped, told, parent.host.handled) == ([], [], 10)


@pytest.mark.parametrize("of_the_actor", [False, True])
@pytest.mark.parametrize("of_the_system", [False, True])
@pytest.mark.parametrize("in_a_market", [False, True])
def test_the_market_data_of_an_actor_is_conflated_where_it_wants_that_in_a_live_market(
    of_the_actor, of_the_system, in_a_market
):
    parent, told = StandIn(), []
    parent.settings = SimpleNamespace(actor=SimpleNamespace(conflates=of_the_actor))
    services = SimpleNamespace(conflates=of_the_system, market=SimpleNamespace(rules=in_a_market))
    parent.host = SimpleNamespace(be_a=told.append, services=services, deliver=lambda *each: told.append(each[0]))
    parent.on_start()

    assert parent._conflates == (of_the_actor and of_the_system and not in_a_market)
    assert told == [parent.settings.actor, Begin()]


def test_a_process_inherits_paths_and_language_and_finds_what_its_parent_finds(monkeypatch):
    started = []
    inherited = {"PATH": "/bin", "HOME": "/home/me", "TZ": "UTC", "LC_TIME": "C"}
    monkeypatch.setattr(process.os, "environ", inherited | {"DHAN_ACCESS_TOKEN": "hidden", "PYTHONPATH": "/other"})
    monkeypatch.setattr(process.sys, "path", ["", "/lib"])
    monkeypatch.setattr(process.subprocess, "Popen", lambda command, **how: started.append((command, how)))
    _, connection = process.launch()
    connection.close()

    ((command, how),) = started
    assert how["env"] == inherited | {"PYTHONPATH": f"{Path.cwd()}{os.pathsep}/lib"}
    assert command[:4] == [sys.executable, "-P", "-m", "natya.actors.runtime.workers"]
    assert command[4:] == [str(*how["pass_fds"]), str(os.getpid())]


class TestAnEnd:
    COUNTED = ActorStatistics(handled=7, failures=0)

    @pytest.fixture
    def ended(self):
        def ended(stopped):
            parent, buried = StandIn(), []
            worker = SimpleNamespace(kill=lambda: ["in doubt"])
            host = SimpleNamespace(handled=3, failures=1, buried=buried)
            vars(parent).update(host=host, _worker=worker, _kept=["kept"], _stopped=stopped, _holds=False, _died=None)
            parent._bury = lambda envelopes, why: buried.append((envelopes, why))
            return parent

        return ended

    @pytest.mark.parametrize(
        ("stopped", "found"),
        [
            (None, ActorStatistics(handled=3, failures=1)),
            (wire.Stopped(None, None, requested=True), ActorStatistics(handled=3, failures=1)),
            (wire.Stopped(COUNTED, None, requested=True), COUNTED),
        ],
    )
    def test_has_the_actor_s_own_statistics_where_it_has_told_them(self, ended, stopped, found):
        assert ended(stopped).statistics() == found

    @pytest.mark.parametrize("stopped", [None, wire.Stopped(COUNTED, None, requested=True)])
    def test_that_went_well_or_is_that_of_a_life_is_no_error(self, ended, stopped):
        parent = ended(stopped)
        parent.on_stop()

        assert parent.host.buried == [(["in doubt"], "its worker process was killed"), (["kept"], "it has stopped")]

    def test_that_raised_there_raises_here(self, ended):
        raised = wire.Raised("ValueError", "spoiled")

        with pytest.raises(RemoteError, match="spoiled"):
            ended(wire.Stopped(None, raised, requested=True)).on_stop()

    @pytest.mark.parametrize("has_stopped", [False, True])
    @pytest.mark.parametrize("is_stopping", [False, True])
    def test_of_its_process_fails_the_actor_or_its_stop_unless_that_was_done(self, ended, has_stopped, is_stopping):
        parent = ended(wire.Stopped(None, None, requested=True) if has_stopped else None)
        worker = SimpleNamespace(
            pid=77, take_in_doubt=list, take_unsent=lambda: ["unsent"], posted=0, handled=0, kill=list
        )
        vars(parent).update(_worker=worker, _is_stopping=is_stopping, _has_started=True)
        fault = None
        try:
            parent.process_ended(Ended(worker, "was killed by SIGKILL"), None)
            parent.on_stop()
        except (FailedElsewhere, WorkerDiedError) as raised:
            fault = raised

        wanted = None if has_stopped else WorkerDiedError if is_stopping else FailedElsewhere
        assert (None if fault is None else type(fault)) is wanted
        assert wanted is None or str(fault) == "worker process 77 was killed by SIGKILL"


def test_what_a_dead_process_was_not_sent_stays_before_what_waited_here():
    worker = SimpleNamespace(
        pid=77, take_in_doubt=lambda: ["in doubt"], take_unsent=lambda: ["first", "second"], posted=3, handled=0
    )
    parent, buried = Parent(worker, _kept=["third"], _stopped=None, _is_stopping=False, _has_started=True), []
    parent._bury = lambda envelopes, why: buried.append((envelopes, why))
    parent._note_away = parent._let_go = lambda: None
    with pytest.raises(FailedElsewhere):
        StandIn.process_ended(parent, Ended(worker, "was killed by SIGKILL"), None)

    assert (parent._worker, parent._kept) == (None, ["first", "second", "third"])
    assert buried == [(["in doubt"], "its worker process was killed by SIGKILL")]


class TestAMessageForAnotherAddressOfTheProcess:
    @pytest.mark.parametrize(
        ("waiting", "wants_answer", "is_posted"), [(1, False, True), (2, False, False), (2, True, True)]
    )
    def test_is_refused_where_too_many_wait_unless_it_is_an_answer(self, monkeypatch, waiting, wants_answer, is_posted):
        monkeypatch.setattr(stand_in, "UNHANDLED_MAX", 2)
        posted, refused = [], []
        worker = SimpleNamespace(posted=waiting + 5, handled=5, post=lambda *each: posted.append(each))
        parent = Parent(worker, _refuse=refused.append)
        far = SimpleNamespace(target=3, wants_answer=wants_answer)
        StandIn.hand_on(parent, Onward(worker, far, ("x", None, 7)), None)

        assert (posted, refused) == (([(3, [("x", None, 7)])], []) if is_posted else ([], [("x", None, 7)]))

    @pytest.mark.parametrize(
        ("message", "is_told"),
        [(Ping(), True), (a_tick(1), False), (a_candle(), False)],
        ids=["request", "tick", "candle"],
    )
    def test_that_is_refused_is_counted_and_told_to_a_sender_unless_it_is_of_the_market(self, message, is_told):
        parent, asker = Parent(None, name="performer"), Asker()
        parent.host.dropped = 0
        for sender in (asker, None):
            StandIn._refuse(parent, (message, sender, 7))

        assert parent.host.dropped == 2
        assert [each.actor for each in asker.told] == ["performer"] * is_told


@pytest.mark.parametrize(
    ("limit_s", "looks", "later_s"), [(0.0, False, []), (2.0, True, []), (2.0, False, [0.5]), (60.0, False, [1.0])]
)
def test_a_turn_is_looked_at_four_times_within_its_limit_or_each_second(limit_s, looks, later_s):
    timers = []
    parent = Parent(None, _looks=looks, settings=SimpleNamespace(turn_limit_s=limit_s))
    parent.host.worker = SimpleNamespace(timers=SimpleNamespace(add=lambda due_ns, _: timers.append(due_ns)))
    StandIn._look_later(parent, None)

    assert timers == [round((100 + each_s) * SECOND_NS) for each_s in later_s]

"""The parent's side of a worker process, without the process: the test is the worker at the other end."""

import logging
import signal
import socket
import threading
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from natya_builders import a_tick
from natya_processes import WAIT_S

from natya.actors.runtime.clock import SystemClock
from natya.actors.runtime.endpoint import Endpoint
from natya.actors.runtime.market_clock import MarketClock
from natya.actors.runtime.quiet import Quiescence
from natya.actors.runtime.workers import wire, worker_process
from natya.actors.runtime.workers.addresses import Addresses
from natya.actors.runtime.workers.link import Link, LinkError
from natya.actors.runtime.workers.worker_process import Ended, Heard, ItsTurn, Onward, Unsendable, WorkerProcess
from natya.messages.orders import CancelOrder
from natya.messages.supervision import DeadLetter, Failed
from natya.messages.trace import Hop


def do(command):
    return CancelOrder(client_order_id=command)


class Address(Endpoint):
    """Keeps what it is told, and says when there is something."""

    def __init__(self, name, *, guest=True, wants_answer=False):
        super().__init__(name)
        self.name, self.guest, self.says, self.wants_answer = name, guest, None, wants_answer
        self.got, self.came = [], threading.Semaphore(0)

    def put(self, envelope):
        self.got.append(envelope)
        self.came.release()

    def next(self):
        assert self.came.acquire(timeout=WAIT_S), f"{self.name} was told nothing"
        return self.got[-1]


class Process:
    """Has ended as soon as it is killed, or the test says so."""

    pid = 4711

    def __init__(self):
        self.code, self.kills, self.ended = 0, 0, threading.Event()

    def kill(self):
        self.kills += 1
        self.ended.set()

    def wait(self):
        assert self.ended.wait(WAIT_S)
        return self.code


class Watched(Quiescence):
    """Says when it was told that something has ended."""

    def __init__(self, market):
        super().__init__(market)
        self.ended = threading.Event()

    def something_ended(self):
        self.ended.set()
        return super().something_ended()


class Worker:
    """The other end: says parcels, and hears what is posted."""

    def __init__(self, opening_ns=None):
        ours, theirs = socket.socketpair()
        self.process, self.undelivered, self.failed, self.hops = Process(), [], [], []
        self.cell = Address("performer")
        self.names = {"orders": Address("orders", guest=False)}
        market = MarketClock(SystemClock(), opening_ns)
        self.quiet = Watched(market)
        self.cell.services = SimpleNamespace(
            market=market,
            quiet=self.quiet,
            names=self.names,
            tracer=SimpleNamespace(add=self.hops.extend),
        )
        self.cell.dead_letters = SimpleNamespace(
            undelivered=lambda *each: self.undelivered.append(each),
            failed=lambda *each, kind: self.failed.append((*each, kind)),
            outside=Address("outside"),
        )
        self.parent = WorkerProcess(self.cell, self.process, ours, wire.Restart())
        self.link = Link(theirs, Addresses(), unsendable=pytest.fail)

    def say(self, *parcels):
        for parcel in parcels:
            self.link.put(parcel)
        self.link.flush()

    def send(self, target, message, *, sender=wire.ACTOR, wants_answer=False, trace=7):
        self.say(wire.letters(target, sender, wants_answer=wants_answer, messages=[message], traces=[trace]))

    def heard(self):
        """Return the next parcel that the cell is given."""
        message, *_ = self.cell.next()
        assert isinstance(message, Heard)
        assert message.worker is self.parent
        return message.parcel

    def end(self):
        """Return how it is told to have ended."""
        self.link.hang_up()
        while True:
            message, *_ = self.cell.next()
            if isinstance(message, Ended):
                return message.how

    def close(self):
        self.link.hang_up()
        self.process.ended.set()
        for thread in threading.enumerate():
            if thread.name == f"natya-{self.cell.name}-reader":
                thread.join(WAIT_S)
        self.link.close()


@pytest.fixture
def worker():
    made = Worker()
    yield made
    made.close()


class TestWhatIsPosted:
    def test_is_in_doubt_until_it_is_reported_handled(self, worker):
        for number in (1, 2, 3):
            worker.parent.post(wire.ACTOR, [(a_tick(number), None, 7)])
            worker.parent.flush()
        assert worker.parent.posted_at(2) == (a_tick(2), None, 7)
        worker.parent.note_handled(wire.Handled(2))

        assert [worker.parent.posted_at(place) for place in (1, 2)] == [None, None]
        assert worker.parent.posted_at(3) == (a_tick(3), None, 7)
        assert worker.parent.posted_at(4) is None
        assert worker.parent.take_in_doubt() == [(a_tick(3), None, 7)]
        assert worker.parent.take_in_doubt() == []

    def test_in_one_go_has_a_place_each(self, worker):
        worker.parent.post(wire.ACTOR, [(a_tick(number), None, 7) for number in (1, 2)])
        worker.parent.post(5, [(do("answer"), None, 7)])
        worker.parent.flush()

        found = [worker.parent.posted_at(place)[0] for place in (1, 2, 3)]
        assert found == [a_tick(1), a_tick(2), do("answer")]
        assert [message for message, *_ in worker.parent.take_in_doubt()] == [a_tick(1), a_tick(2)], "not the answer"

    def test_is_a_turn_until_it_is_handled_and_so_is_what_was_asked_for(self, worker):
        parent = worker.parent
        assert parent.has_a_turn(), "the assignment"
        parent.note_handled(wire.Handled(0, False, 1))
        assert parent.is_at_rest()
        parent.post(wire.ACTOR, [(a_tick(1), None, 7)])
        assert (parent.has_a_turn(), parent.is_at_rest()) == (True, False)
        parent.note_handled(wire.Handled(1, True, 1))
        assert (parent.has_a_turn(), parent.is_at_rest()) == (False, False)
        parent.note_handled(wire.Handled(1, False, 1))
        assert (parent.is_at_rest(), parent.beats) == (True, 3)

        parent.ask_for(wire.Due(1))
        assert parent.has_a_turn()

    def test_and_never_written_goes_to_the_next(self, worker):
        worker.parent._link.hang_up()
        worker.parent.post(wire.ACTOR, [(a_tick(1), None, 7)])
        worker.parent.post(5, [(do("answer"), None, 7)])

        assert worker.parent.take_unsent() == [(a_tick(1), None, 7)]

    def test_is_told_when_it_is_killed(self, worker):
        worker.parent.post(wire.ACTOR, [(a_tick(1), None, 7)])
        worker.parent.flush()
        worker.parent.post(wire.ACTOR, [(a_tick(2), None, 7)])

        assert [message for message, *_ in worker.parent.kill()] == [a_tick(1), a_tick(2)]
        assert worker.process.kills >= 1
        worker.parent._link.hang_up()
        assert worker.cell.got == [], "who kills it is told nothing of its end"

    @pytest.mark.parametrize(("guest", "is_refused"), [(True, True), (False, False)])
    def test_without_a_wire_form_is_refused_to_a_guest_and_else_a_dead_letter(self, worker, guest, is_refused):
        envelope = do("\udc80"), Address("sender", guest=guest), 7
        worker.parent.post(wire.ACTOR, [envelope])
        worker.parent.flush()

        if is_refused:
            message, *_ = worker.cell.next()
            assert (type(message), message.envelope) == (Unsendable, envelope)
            assert worker.undelivered == []
        else:
            ((to, message, _, why, trace),) = worker.undelivered
            assert (to, message, trace) == (worker.cell, envelope[0], 7)
            assert why.startswith("it has no wire form: ")

    def test_to_another_address_without_a_wire_form_is_a_dead_letter_of_that(self, worker):
        worker.parent.post(5, [(do("\udc80"), Address("sender"), 7)])
        worker.parent.flush()

        assert [each[0] for each in worker.undelivered] == ["5"]


class TestWhatTheWorkerSends:
    def test_reaches_a_name_from_the_actor_itself(self, worker):
        worker.send("orders", do("x"))

        assert worker.names["orders"].next() == (do("x"), worker.cell, 7)

    def test_as_an_answer_reaches_who_asked(self, worker):
        asker = Address("asker", wants_answer=True)
        worker.parent.post(wire.ACTOR, [(do("ask"), asker, 7)])
        worker.parent.flush()
        (frame,) = [frame for frame in worker.link.receive() if frame.mark]
        worker.send(frame.parcels[-1].sender, do("answer"))
        assert asker.next()[0] == do("answer")
        worker.send(frame.parcels[-1].sender, do("another"))
        worker.say(wire.Started())

        assert worker.heard() == wire.Started()
        assert len(asker.got) == 1
        assert [(each[0], each[1], each[3]) for each in worker.undelivered] == [
            (str(frame.parcels[-1].sender), do("another"), "nobody waits for this answer any more")
        ]

    def test_to_nobody_is_a_dead_letter_save_a_dead_letter(self, worker):
        dead = DeadLetter(
            actor="performer", message_type="CancelOrder", payload=b"", error="E", reason="", traceback="", died_ns=1
        )
        worker.send("nobody", do("x"))
        worker.send("nobody", dead)
        worker.say(wire.Started())
        worker.heard()

        assert [(each[0], each[1], each[3]) for each in worker.undelivered] == [
            ("nobody", do("x"), "no actor of that name runs")
        ]

    def test_comes_from_one_address_for_each_number_but_for_what_takes_one_answer(self, worker):
        for sender, wants_answer in ((3, False), (3, False), (3, True), (4, False)):
            worker.send("orders", do("x"), sender=sender, wants_answer=wants_answer)
        for _ in range(4):
            worker.names["orders"].next()
        first, again, once, other = (sender for _, sender, _ in worker.names["orders"].got)

        assert first is again
        assert len({first, once, other}) == 3
        assert [(each.target, each.wants_answer) for each in (first, once, other)] == [
            (3, False),
            (3, True),
            (4, False),
        ]
        assert {each.name for each in (first, once, other)} == {"performer"}
        once.deliver(do("answer"), worker.names["orders"], 7)
        message, *_ = worker.cell.next()
        assert (type(message), message.far) == (Onward, once)
        assert message.envelope[0] == do("answer")

    def test_comes_from_so_many_addresses_and_then_the_oldest_is_forgotten(self, worker, monkeypatch):
        monkeypatch.setattr(worker_process, "NUMBERED_MAX", 2)
        for sender in (3, 4, 3, 5, 3, 5):
            worker.send("orders", do("x"), sender=sender)
        for _ in range(6):
            worker.names["orders"].next()
        senders = [sender for _, sender, _ in worker.names["orders"].got]

        assert senders[0] is senders[2]
        assert senders[4] is not senders[0]
        assert senders[3] is senders[5]

    def test_and_is_not_as_declared_is_told_to_who_asked_or_else_to_who_sent_it(self, worker):
        asker = Address("asker", wants_answer=True)
        worker.parent.post(wire.ACTOR, [(do("ask"), asker, 7)])
        worker.parent.flush()
        (frame,) = [frame for frame in worker.link.receive() if frame.mark]
        wrong = replace(do("x"), client_order_id=5)
        worker.send(frame.parcels[-1].sender, wrong)
        failed = asker.next()[0]
        worker.send("orders", wrong)
        told = worker.cell.next()[0]

        assert isinstance(failed, Failed)
        assert isinstance(told, Failed)
        assert (failed.actor, failed.message_type) == ("performer", "CancelOrder")
        assert (told.actor, told.message_type) == ("orders", "CancelOrder")
        assert [(actor, kind) for actor, _, _, _, kind in worker.failed] == [
            ("asker", "CancelOrder"), ("orders", "CancelOrder")
        ]  # fmt: skip
        assert worker.names["orders"].got == []


class TestWhatTheWorkerReports:
    def test_is_heard_by_its_cell(self, worker):
        for parcel in (wire.Started(), wire.HandlerFailed(wire.Raised("E", "r", "t")), wire.Handled(0, False, 1)):
            worker.say(parcel)
            assert worker.heard() == parcel

    def test_of_life_counts_and_is_nobody_s(self, worker):
        worker.say(wire.Alive(), wire.Started())
        worker.heard()

        assert (worker.parent.beats, len(worker.cell.got)) == (1, 1)

    def test_of_hops_and_for_the_log_goes_there(self, worker, caplog):
        hop = Hop(
            correlation_id="A-1", hop_id=1, causation_id=0, actor="performer", message_type="Tick", sent_ns=1,
            begun_ns=2, ended_ns=3,
        )  # fmt: skip
        with caplog.at_level(logging.INFO, logger="natya"):
            worker.say(wire.Hops([hop]), wire.Logged(logging.WARNING, "an.event", "performer", '{"n":1}', "A-1"))
            worker.say(wire.Started())
            worker.heard()

        assert worker.hops == [hop]
        (told,) = [record for record in caplog.records if record.message == "an.event"]
        assert (told.levelno, told.actor, told.fields, told.correlation_id) == (30, "performer", {"n": 1}, "A-1")

    def test_as_lost_is_new_as_far_as_it_has_grown(self, worker):
        found = [worker.parent.note_lost(lost) for lost in (wire.Lost(2, 3), wire.Lost(2, 3), wire.Lost(5, 4))]

        assert found == [wire.Lost(2, 3), wire.Lost(0, 0), wire.Lost(3, 1)]

    @pytest.mark.parametrize(
        ("parcel", "complaint"),
        [
            (wire.Handled(3), "a mark from 1 to 2 wanted, found 3"),
            (wire.Handled(0), "a mark from 1 to 2 wanted, found 0"),
            (wire.Handled(1, done=2), "a count from 1 to 1 wanted, found 2"),
            (wire.Handled(1, done=0), "a count from 1 to 1 wanted, found 0"),
            (wire.TurnedAway(1, "no"), "a message from 2 to 2 wanted, found 1"),
            (wire.TurnedAway(3, "no"), "a message from 2 to 2 wanted, found 3"),
            (wire.Lost(-1, 0), "counts of at least 0 wanted"),
            (wire.Lost(0, -1), "counts of at least 0 wanted"),
            (wire.Handled(2, done=1), ""),
            (wire.Handled(1, done=1), ""),
            (wire.TurnedAway(2, "no"), ""),
            (wire.Lost(0, 0), ""),
        ],
        ids=str,
    )
    def test_beyond_what_can_be_is_the_end_of_it(self, worker, parcel, complaint):
        """Two messages were posted, one is handled, and the one that was asked for is done."""
        worker.parent.post(wire.ACTOR, [(a_tick(number), None, 7) for number in (1, 2)])
        worker.parent.note_handled(wire.Handled(1, False, 1))
        worker.say(parcel)

        message, *_ = worker.cell.next()
        if complaint:
            assert isinstance(message, Ended)
            assert message.how.startswith("sent what is no frame (")
            assert complaint in message.how
            assert worker.process.kills >= 1
        else:
            assert message == Heard(worker.parent, parcel)

    def test_that_nobody_can_take_is_the_end_of_it_too(self, worker):
        worker.say(wire.Logged(logging.INFO, "said", "performer", "{no json"))

        message, *_ = worker.cell.next()
        assert message.how.startswith("sent what nobody can take (DecodeError: ")


class TestAWorkerOfASimulatedMarket:
    """Is heard when it has its turn; until then what it says waits, however fast it was."""

    @pytest.fixture
    def player(self):
        made = Worker(opening_ns=1)
        yield made
        made.close()

    def until(self, player, condition):
        """Have the other end read as far as that."""
        while not condition():
            assert player.quiet.ended.wait(WAIT_S)
            player.quiet.ended.clear()

    def test_is_heard_in_its_turn_and_in_its_order(self, player):
        parent = player.parent
        player.send("orders", do("first"))
        player.say(wire.Started(), wire.Handled(0, False, 1))
        self.until(player, parent.has_said_all)
        assert parent.has_words()
        assert player.cell.got == player.names["orders"].got == []
        parent.speak()

        assert not parent.has_words()
        assert [message for message, *_ in player.names["orders"].got] == [do("first")]
        assert [message.parcel for message, *_ in player.cell.got] == [wire.Started(), wire.Handled(0, False, 1)]

    def test_has_not_said_all_before_it_has_done_all_that_it_was_told(self, player):
        parent = player.parent
        parent.post(wire.ACTOR, [(a_tick(1), None, 7)])
        parent.flush()
        player.say(wire.Handled(0, False, 1))
        self.until(player, parent.has_words)
        assert not parent.has_said_all()
        parent.speak()
        player.say(wire.Handled(1, False, 1))
        self.until(player, parent.has_words)
        assert parent.has_said_all()
        parent.ask_for(wire.Due(1))

        assert not parent.has_said_all()

    @pytest.mark.parametrize(
        "failed", [wire.HandlerFailed(wire.Raised("E", "r", "t")), wire.StartFailed(wire.Raised("E", "r", "t"))]
    )
    def test_that_has_failed_is_not_waited_for_until_it_is_to_begin_again(self, player, failed):
        parent = player.parent
        player.say(failed)
        self.until(player, parent.has_words)
        assert parent.has_said_all()
        parent.ask_for(wire.Restart())
        assert not parent.has_said_all()
        player.say(wire.Handled(0, False, 2))
        self.until(player, parent.has_said_all)

    def test_that_is_gone_is_not_waited_for_and_its_end_is_heard_in_its_turn(self, player):
        player.process.ended.set()
        player.link.hang_up()
        self.until(player, player.parent.has_said_all)
        assert player.cell.got == []
        player.parent.speak()

        ((message, *_),) = player.cell.got
        assert isinstance(message, Ended)

    def test_that_asks_for_what_cannot_be_is_ended_and_nothing_behind_it_is_heard(self, player):
        parent = player.parent
        parent.dues.keep = self.refuse
        player.say(wire.Arm(1, 5), wire.Handled(0, False, 1))
        self.until(player, parent.has_said_all)
        parent.speak()

        assert not parent.has_words()
        assert player.cell.got == []
        assert player.process.kills == 1
        player.link.hang_up()
        self.until(player, parent.has_words)
        parent.speak()
        assert player.cell.got[-1][0].how == "sent what is no frame (no new timer)"

    def refuse(self, _parcel):
        raise LinkError("no new timer")

    def test_that_is_killed_is_heard_once_more(self, player):
        player.say(wire.Started())
        self.until(player, player.parent.has_words)
        player.parent.kill()

        assert [message.parcel for message, *_ in player.cell.got] == [wire.Started()]
        assert player.parent.has_said_all()


class TestItsEnd:
    @pytest.mark.parametrize(
        ("code", "how"), [(3, "ended with exit code 3"), (-signal.SIGKILL, "was killed by SIGKILL")]
    )
    def test_is_told_as_it_was(self, worker, code, how):
        worker.process.code = code
        worker.process.ended.set()

        assert worker.end() == how

    def test_that_was_ordered_has_the_reason_that_was_given(self, worker):
        worker.parent.end("held a turn too long")

        assert worker.end() == "held a turn too long"
        assert worker.process.kills >= 1

    def test_is_made_where_it_has_hung_up_and_does_not_end(self, worker, monkeypatch):
        monkeypatch.setattr(worker_process, "HANG_UP_S", 0.001)
        worker.process.code = -signal.SIGKILL

        assert worker.end() == "was killed by SIGKILL"

    def test_cancels_its_timers(self, worker, monkeypatch):
        cancelled = []
        monkeypatch.setattr(worker.parent.dues, "cancel_timers", lambda: cancelled.append(True))
        worker.process.ended.set()
        worker.end()

        assert cancelled == [True]

    def test_of_a_turn_is_said_in_its_turn(self, worker):
        worker.parent.dues._say(5)
        message, *_ = worker.cell.next()

        assert (type(message), message.worker, message.number) == (ItsTurn, worker.parent, 5)

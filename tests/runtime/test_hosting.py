"""The side of a worker process that runs the actor, without the process: the test is the parent at the other end."""

import logging
import select
import socket
import struct
import threading
from collections import deque
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from natya_builders import a_tick
from natya_endpoints import Asker
from natya_processes import WAIT_S

from natya.actors.runtime import RuntimeActor, fails_start, handles, restart_helps
from natya.actors.runtime.clock import SystemClock
from natya.actors.runtime.market_clock import MarketClock
from natya.actors.runtime.trace import Stamp
from natya.actors.runtime.workers import hosting, wire
from natya.actors.runtime.workers.addresses import Addresses
from natya.actors.runtime.workers.assignment import assign
from natya.actors.runtime.workers.hosting import Host, ToParent, deliver_all
from natya.actors.runtime.workers.link import Link
from natya.actors.runtime.workers.reading_loop import ReadingLoop
from natya.messages.journal import Appended
from natya.messages.orders import CancelOrder
from natya.messages.supervision import Failed, Unavailable
from natya.messages.system import ActorStatistics
from natya.messages.units import INTEGER_MAX

OPENING_NS = 1_700_000_000_000_000_000


def do(command):
    return CancelOrder(client_order_id=command)


class Timed(RuntimeActor):
    """Answers with the market's time: at once, or as often as it is told to after a second of it."""

    @handles(CancelOrder)
    def obey(self, order, sender):
        if order.client_order_id == "at once":
            self.say(sender)
        else:
            self.after(1.0, replace(order, client_order_id="at once"))
            self.asker = sender

    def say(self, sender):
        self.send(getattr(self, "asker", sender), Appended(first_sequence=self.clock.now_ns(), last_sequence=1))


class Patient(Timed):
    """Waits for what will not be."""

    @handles(CancelOrder)
    def obey(self, order, sender):
        self.after(1e15, order)
        self.say(sender)


class Odd(Timed):
    """Has statistics of its own."""

    counted = None

    def statistics(self):
        return self.counted


class Sender:
    """Stands for an address of the parent's."""

    def __init__(self, *, wants_answer=False):
        self.wants_answer = wants_answer


class Offloading(RuntimeActor):
    """Works until the test says that it is done, and tells a listener then."""

    done = None

    @handles(CancelOrder)
    def work(self, order, _sender):
        self.offload(self.done.acquire, then=lambda _: self.send("listener", order))


class Parent:
    """Says parcels to a host that serves in a thread of its own, and hears what comes back."""

    def __init__(self, hosted, market=None):
        self.hosted = hosted
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", WAIT_S, 0))
        self.connection, self.came = ours, []
        self.addresses = Addresses()
        self.link = Link(ours, self.addresses, unsendable=pytest.fail, market=market)
        self.host = Host(theirs)
        self.theirs = theirs
        self.thread = threading.Thread(target=self.host.serve, daemon=True)
        self.thread.start()

    def say(self, *parcels):
        for parcel in parcels:
            self.link.put(parcel)
        self.link.flush()
        return self

    def begin(self, actor=None, settings=None, **assigned):
        self.say(assign("performer", actor or self.hosted.Performer, settings, **assigned))
        self.hear(wire.Started)
        assert self.hear(wire.Handled) == wire.Handled(0, False, 1)
        return self

    def tell(self, *messages, sender=None, trace=7):
        return self.say((wire.ACTOR, [(message, sender, trace) for message in messages]))

    def hear(self, kind):
        """Return the next parcel of a kind; those before it are passed over."""
        while True:
            while self.came:
                if isinstance(parcel := self.came.pop(0), kind):
                    return parcel
            frames = self.link.receive()
            assert frames is not None, f"{kind.__name__} wanted, found the end"
            assert frames, f"{kind.__name__} wanted, found nothing for {WAIT_S} s"
            self.came = [parcel for frame in frames for parcel in frame.parcels]

    def hear_until_handled(self, mark):
        """Return all parcels up to the report that so many messages are handled; what fails is restarted."""
        found = []
        while not isinstance(parcel := self.hear(object), wire.Handled) or parcel.mark < mark:
            found.append(parcel)
            if isinstance(parcel, wire.HandlerFailed):
                self.say(wire.Restart())
        return found

    def answer(self):
        letters = self.hear(wire.Letters)
        (message,) = wire.messages_of(letters)
        return letters, message

    def ended(self):
        """Say whether the host has hung up, and serves no more."""
        while self.link.receive() is not None:
            pass
        self.thread.join(WAIT_S)
        return not self.thread.is_alive()

    def close(self):
        self.link.hang_up()
        self.thread.join(WAIT_S)
        assert not self.thread.is_alive()
        self.link.close()
        self.theirs.close()


@pytest.fixture
def parents(hosted):
    """Return the function that makes a parent."""
    made = []

    def make(**options):
        made.append(Parent(hosted, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def parent(parents):
    return parents().begin()


class TestAHostedActor:
    def test_answers_by_number_and_then_says_how_far_it_is(self, parent):
        asker = Sender()
        parent.tell(a_tick(1), a_tick(2), do("say:so"), sender=asker)
        letters, message = parent.answer()

        assert message == Appended(first_sequence=3, last_sequence=1, correlation_id="so")
        assert (letters.target, letters.sender, letters.traces) == (parent.addresses.number(asker), wire.ACTOR, [7])
        assert parent.hear(wire.Handled) == wire.Handled(3, False, 1)

    def test_sends_by_name(self, parent):
        parent.tell(do("send:listener"))
        letters, message = parent.answer()

        assert (letters.target, message) == ("listener", do("send:listener"))

    def test_is_restarted_in_place_with_its_state(self, parent):
        parent.say(wire.Restart())
        parent.hear(wire.Started)
        assert parent.hear(wire.Handled).done == 2
        parent.tell(do("say"), sender=Sender())

        assert parent.answer()[1].last_sequence == 2

    def test_says_of_its_failure_what_was_raised_and_before_it_what_it_cost(self, parent):
        parent.tell(do("raise:not here"), sender=Sender())
        parcels = parent.hear_until_handled(1)

        (failed,) = [each for each in parcels if isinstance(each, wire.HandlerFailed)]
        assert (failed.raised.kind, failed.raised.reason) == ("LookupError", "not here")
        assert "raise LookupError(detail)" in failed.raised.trace
        assert "natya_hosted" in failed.raised.raised_at
        before = parcels[: parcels.index(failed)]
        assert wire.Lost(0, 1) in before
        assert not [each for each in parcels if isinstance(each, wire.Logged)], "the parent logs it itself"

    @pytest.mark.parametrize(("command", "helps"), [("raise:not here", True), ("damage:bytes are gone", False)])
    def test_says_whether_a_restart_may_mend_it_and_its_parent_goes_by_that(self, parent, command, helps):
        parent.tell(do(command))
        error = parent.hear(wire.HandlerFailed).raised.as_error()

        assert (restart_helps(error), fails_start(error)) == (helps, False)

    def test_tells_a_long_reason_in_part(self, parent, monkeypatch):
        monkeypatch.setattr(hosting, "TEXT_MAX", 10)
        parent.tell(do("raise:" + "x" * 100), sender=Sender())

        assert parent.hear(wire.HandlerFailed).raised.reason == "x" * 10

    def test_says_once_what_is_lost_and_which_hops_it_recorded(self, parent):
        parent.tell(do("raise:a"), trace=Stamp("A-1", 3, 4))
        first = parent.hear_until_handled(1)
        parent.tell(do("say"), sender=Sender())
        second = parent.hear_until_handled(2)

        (hops,) = [each for each in first if isinstance(each, wire.Hops)]
        assert [(hop.correlation_id, hop.causation_id, hop.actor) for hop in hops.hops] == [("A-1", 3, "performer")]
        assert not [each for each in second if isinstance(each, wire.Hops | wire.Lost)]

    def test_is_busy_until_its_offloaded_job_is_done_and_then_says_so(self, parents):
        Offloading.done = threading.Semaphore(0)
        parent = parents().begin(Offloading)
        parent.tell(do("work"))
        assert parent.hear(wire.Handled) == wire.Handled(1, True, 1)
        Offloading.done.release()

        assert parent.answer()[0].target == "listener"
        assert parent.hear(wire.Handled) == wire.Handled(1, False, 1)

    def test_stops_with_its_statistics_and_hangs_up(self, parent):
        parent.tell(a_tick(1)).say(wire.Stop())
        stopped = parent.hear(wire.Stopped)

        assert (stopped.raised, stopped.requested) == (None, True)
        assert isinstance(stopped.statistics, ActorStatistics)
        assert stopped.statistics.handled == 1
        assert parent.ended()

    @pytest.mark.parametrize("odd", [{"ticks": 3}, ActorStatistics(handled="many", failures=0), object()], ids=type)
    def test_stops_without_statistics_that_nobody_could_read(self, parents, odd, monkeypatch):
        monkeypatch.setattr(Odd, "counted", odd)
        parent = parents().begin(Odd)
        parent.say(wire.Stop())

        assert parent.hear(wire.Stopped) == wire.Stopped(None, None, requested=True)
        assert parent.ended()

    def test_that_cannot_stop_says_why(self, parent):
        parent.tell(do("spoil"))
        parent.hear_until_handled(1)
        parent.say(wire.Stop())
        stopped = parent.hear(wire.Stopped)

        assert (stopped.raised.kind, stopped.raised.reason) == ("ValueError", "spoiled")

    def test_says_between_turns_that_it_is_alive(self, parent, monkeypatch):
        monkeypatch.setattr(hosting, "ALIVE_NS", 0)
        parent.tell(do("say"), sender=Sender())

        assert parent.hear(wire.Alive) == wire.Alive()

    def test_does_not_say_so_after_every_turn(self, parent, monkeypatch):
        monkeypatch.setattr(hosting, "ALIVE_NS", 3_600 * 10**9)
        parent.tell(*(a_tick(number) for number in range(1, 101)))

        assert not [each for each in parent.hear_until_handled(100) if isinstance(each, wire.Alive)]

    def test_does_not_conflate_since_its_parent_counts_by_what_it_handles(self, parents, hosted):
        conflating = parents().begin(hosted.KeepsUp)
        conflating.tell(*(a_tick(number) for number in range(1, 1_001)))
        conflating.tell(do("say"), sender=Sender())

        assert conflating.answer()[1].first_sequence == 1_001


class TestAStart:
    def test_that_fails_says_what_was_raised(self, parents, hosted):
        parent = parents()
        parent.say(assign("performer", hosted.Performer, hosted.Manner(start_fails=True)))
        failed = parent.hear(wire.StartFailed)

        assert (failed.raised.kind, failed.raised.reason, failed.refused) == ("ValueError", "it will not start", False)

    def test_of_other_code_is_refused_by_the_process_itself(self, parents, hosted):
        parent = parents()
        parent.say(replace(assign("performer", hosted.Performer, None), build_id="0" * 64))
        failed = parent.hear(wire.StartFailed)

        assert failed.refused
        assert "found 000000000000: restart the system" in failed.raised.reason

    def test_that_a_supervisor_there_waits_for_comes_with_the_number_of_its_life(self, parents):
        parent = parents().begin(life=4)

        assert parent.host._cell.life == 4

    def test_takes_no_other_parcel_before(self, parents):
        parent = parents()
        parent.say(wire.Restart(), wire.Stop(), wire.Due(1)).begin()


class TestAMessageThatIsNotAsDeclared:
    def test_is_refused_at_its_place_and_no_other_is_lost(self, parent):
        """The parent counts places by its bundles: so many ticks before."""
        parent.tell(a_tick(1), a_tick(2))
        wrong = replace(do("x"), client_order_id=5)
        parent.tell(a_tick(3), wrong, do("say"), sender=Sender())
        refused = parent.hear(wire.TurnedAway)

        assert refused.place == 4
        assert refused.reason.startswith("Expected `str`, got `int`")
        assert parent.answer()[1].first_sequence == 4

    def test_as_the_answer_to_a_question_is_the_failure_of_that(self, parent):
        parent.tell(do("ask:oracle"))
        letters, _ = parent.answer()
        assert letters.wants_answer
        parent.say((letters.sender, [(replace(do("x"), client_order_id=5), Sender(), 7)]))
        heard = parent.answer()

        assert heard[0].target == "listener"
        assert isinstance(heard[1], Failed)
        assert (heard[1].actor, heard[1].message_type) == ("performer", "CancelOrder")

    def test_to_an_address_that_is_gone_is_nobody_s(self, parent):
        parent.say((99, [(do("x"), Sender(), 7)])).tell(do("say:still there"), sender=Sender())

        assert parent.answer()[1].correlation_id == "still there"


class TestAddressesInTheParent:
    def test_are_one_object_each_but_for_those_that_take_one_answer(self, parents):
        host = parents().begin(background=("journal",)).host

        assert host.far("orders") is host.far("orders")
        assert host.far(3) is host.far(3)
        first, second = (host.far(3, wants_answer=True) for _ in range(2))
        assert first is not second
        assert (first.target, first.wants_answer, host.far(3).wants_answer) == (3, True, False)
        assert [host.far(name).background for name in ("journal", "orders")] == [True, False]

    def test_are_found_under_every_name_but_its_own(self, parents):
        host = parents().begin().host
        names = host._base.names

        assert names.get("performer") is host._cell
        assert names.get("orders") is host.far("orders")


class TestTooMuchThatWaitsToLeave:
    def test_is_refused_save_market_data_which_is_lost_and_all_is_counted(self, parent, monkeypatch):
        sender = Asker("kept")
        far = parent.host.far("listener")
        for _ in range(2):
            far.deliver(do("before"), sender)
        monkeypatch.setattr(hosting, "UNSENT_MAX", 0)
        for message in (a_tick(1), do("x")):
            far.deliver(message, sender)
        monkeypatch.undo()
        parent.tell(do("say"), sender=Sender())

        assert sender.told == [
            Unavailable(actor="listener", reason="0 messages wait to leave the worker process", retry_after_s=0.1)
        ]
        assert parent.hear(wire.Lost) == wire.Lost(2, 0)

    def test_goes_for_the_log_too(self, parent, monkeypatch):
        handler = ToParent(parent.host)
        monkeypatch.setattr(hosting, "UNSENT_MAX", 0)
        handler.handle(record("lost"))
        monkeypatch.undo()
        handler.handle(record("told"))

        assert parent.hear(wire.Logged).event == "told"


class TestAMessageWithoutAWireForm:
    def test_is_a_dead_letter_here_and_counted_there(self, parent):
        parent.tell(do("send:listener"))
        parent.hear_until_handled(1)
        parent.host.far("listener").deliver(do("\udc80"), parent.host._cell, 7)
        letters, dead = parent.answer()
        parent.tell(do("say"), sender=Sender())

        assert (letters.target, dead.message_type) == ("events", "CancelOrder")
        assert "it has no wire form" in dead.reason
        assert parent.hear(wire.Lost) == wire.Lost(0, 1)

    def test_that_is_an_answer_is_the_failure_of_the_question(self, parent):
        asker = Sender(wants_answer=True)
        number = parent.addresses.number(asker)
        parent.host.far(number, wants_answer=True).deliver(do("\udc80"), parent.host._cell, 7)
        assert parent.answer()[0].target == "events"
        letters, failed = parent.answer()

        assert letters.target == number
        assert (failed.actor, failed.message_type, failed.error) == ("performer", "CancelOrder", "NoWireForm")

    def test_that_is_a_report_goes_with_its_text_made_writable(self, parent):
        report = Failed(actor="performer", message_type="X", error="E", reason="\udc80")
        parent.host.far("listener").deliver(report, parent.host._cell, 7)

        assert parent.answer()[1] == replace(report, reason="\\udc80")

    @pytest.mark.parametrize("fields", [{"reason": 5}, {"reason": None}, {"actor": "\udc80"}], ids=str)
    def test_that_is_a_report_of_a_guest_without_such_a_text_is_a_dead_letter_as_any(self, parent, fields):
        """The loop failed where it sends, and the process said nothing any more until it was killed."""
        texts = {"actor": "performer", "message_type": "X", "error": "\udc80", "reason": "told"} | fields
        parent.host.far("listener").deliver(Failed(**texts), parent.host._cell, 7)
        letters, dead = parent.answer()
        parent.tell(do("say:still there"), sender=Sender())

        assert (letters.target, dead.message_type) == ("events", "Failed")
        assert parent.answer()[1].correlation_id == "still there"


class TestWhatIsSaidToTheParent:
    def test_leaves_also_while_the_loop_sleeps(self, parent):
        for parcel in (wire.Lost(1, 0), wire.Disarm(5)):
            parent.host.tell(parcel)

        assert (parent.hear(wire.Lost), parent.hear(wire.Disarm)) == (wire.Lost(1, 0), wire.Disarm(5))


class TestTheLog:
    def test_goes_to_the_parent_with_its_fields(self, parent):
        ToParent(parent.host).handle(record("an.event", fields={"orders": 3}, actor="performer", correlation_id="A-1"))
        logged = parent.hear(wire.Logged)

        assert logged == wire.Logged(logging.WARNING, "an.event", "performer", '{"orders":3}', "A-1")

    def test_is_cut_where_its_fields_are_long(self, parent, monkeypatch):
        monkeypatch.setattr(hosting, "TEXT_MAX", 12)
        ToParent(parent.host).handle(record("event", fields={"orders": "x" * 100}))

        assert parent.hear(wire.Logged).fields == '{"cut":"{\\"orders\\":\\"x"}'

    def test_says_nothing_that_the_parent_logs_itself(self, parent):
        for event in (*sorted(hosting.TOLD_OTHERWISE), "another.event"):
            ToParent(parent.host).handle(record(event))

        assert parent.hear(wire.Logged).event == "another.event"


class TestBytesThatAreNoFrame:
    def test_are_logged_and_end_it(self, parent):
        parent.connection.sendall(b"\xff" * 64)
        logged = parent.hear(wire.Logged)

        assert (logged.level, logged.event) == (logging.ERROR, "worker.frame_refused")
        assert "this one announces 4294967295" in logged.fields
        assert parent.ended()


class TestAParentThatHangsUp:
    @pytest.mark.parametrize("is_early", [True, False])
    def test_is_the_end_of_it(self, parents, is_early):
        parent = parents() if is_early else parents().begin()
        parent.link.hang_up()
        parent.thread.join(WAIT_S)

        assert not parent.thread.is_alive()


class TestTheParentsMarket:
    @pytest.fixture
    def market(self):
        return MarketClock(SystemClock(), OPENING_NS)

    def test_is_the_time_here_as_of_each_frame(self, parents, market):
        parent = parents(market=market).begin(Timed, market_ns=OPENING_NS)
        for later_ns in (0, 5, 5, 70):
            market.release(OPENING_NS + later_ns)
            parent.tell(do("at once"), sender=Sender())
            assert parent.answer()[1].first_sequence == OPENING_NS + later_ns
            assert parent.host._base.market.released_ns == market.released_ns

    def test_keeps_the_timers_and_says_when_one_is_due(self, parents, market):
        parent = parents(market=market).begin(Timed, market_ns=OPENING_NS)
        asker = Sender()
        parent.tell(do("later"), sender=asker)
        armed = parent.hear(wire.Arm)
        assert armed.due_ns == OPENING_NS + 10**9
        market.go_to(armed.due_ns)
        parent.say(wire.Due(armed.number))
        letters, message = parent.answer()

        assert (letters.target, message.first_sequence) == (parent.addresses.number(asker), armed.due_ns)
        assert parent.hear(wire.Handled) == wire.Handled(1, False, 2)

    def test_is_told_of_a_timer_that_is_as_good_as_never_due(self, parents, market):
        parent = parents(market=market).begin(Patient, market_ns=OPENING_NS)
        parent.tell(do("wait"), sender=Sender())

        assert parent.hear(wire.Arm).due_ns == INTEGER_MAX
        assert parent.answer()[1].first_sequence == OPENING_NS

    def test_begins_at_its_opening(self, parents, market):
        here = parents(market=market).begin(Timed, market_ns=OPENING_NS).host._base.market

        assert (here.rules, here.time_ns) == (True, OPENING_NS)

    def test_is_none_where_it_has_none(self, parent):
        parent.say(wire.Due(1))

        assert parent.hear(wire.Handled) == wire.Handled(0, False, 2)
        assert not parent.host._base.market.rules


def record(event, **extra):
    made = logging.LogRecord("natya", logging.WARNING, __file__, 1, event, None, None)
    made.__dict__.update(extra)
    return made


class TestMessagesInOneGo:
    def test_reach_a_plain_mailbox_in_their_order(self):
        box, woken = deque(), []
        cell = SimpleNamespace(box=box, put=box.append, deliver=lambda *each: woken.append(each))
        deliver_all(cell, [(1, None, 7), (2, None, 7), (3, None, 7)])

        assert [each[0] for each in box] == [1, 2]
        assert woken == [(3, None, 7)], "the last wakes it"

    def test_reach_one_that_takes_none_now_one_by_one(self):
        box, got = deque(), []
        cell = SimpleNamespace(box=box, put=print, deliver=lambda *each: got.append(each))
        deliver_all(cell, [(1, 2, 3), (4, 5, 6)])

        assert ([*box], got) == ([], [(1, 2, 3), (4, 5, 6)])

    def test_reach_any_other_one_by_one(self):
        got = []
        deliver_all(SimpleNamespace(box=None, put=None, deliver=lambda *each: got.append(each)), [(1, 2, 3), (4, 5, 6)])

        assert got == [(1, 2, 3), (4, 5, 6)]


class TestTheLoop:
    """Reads the socket when it is idle, and sleeps until there is something: it never spins."""

    @pytest.fixture
    def looping(self):
        ours, theirs = socket.socketpair()
        seen = SimpleNamespace(idle=0, reads=0, flushes=0, ours=ours, asleep=threading.Semaphore(0), now_ns=0)

        def idle():
            seen.idle += 1
            seen.asleep.release()
            return False

        def read():
            seen.reads += 1
            seen.now_ns += 1_000_000
            if select.select([theirs], [], [], 0)[0] and theirs.recv(1) == b"x":
                loop.stop()

        def flush():
            seen.flushes += 1

        clock = SimpleNamespace(monotonic_ns=lambda: seen.now_ns)
        loop = seen.loop = ReadingLoop(clock, idle, connection=theirs, read=read, flush=flush)
        yield seen
        ours.close()
        theirs.close()

    def run(self, seen):
        seen.thread = threading.Thread(target=seen.loop.run, daemon=True)
        seen.thread.start()
        assert seen.asleep.acquire(timeout=WAIT_S)

    def end(self, seen):
        seen.ours.send(b"x")
        seen.thread.join(WAIT_S)
        assert not seen.thread.is_alive()

    def test_wakes_once_for_each_that_wakes_it(self, looping):
        self.run(looping)
        for _ in range(3):
            looping.loop.wake()
            assert looping.asleep.acquire(timeout=WAIT_S)
        self.end(looping)

        assert looping.idle == 4
        assert (looping.loop.wakes, looping.loop.rounds) == (4, 4)
        assert looping.reads == 4

    def test_that_was_woken_is_asleep_for_nobody_who_looks(self, looping):
        looping.loop.asleep = True
        looping.loop.wake()

        assert not looping.loop.asleep

    def test_wakes_for_a_timer_and_not_before(self, looping):
        rung = []
        looping.loop.timers.add(2_000_000, lambda: rung.append((looping.idle, looping.now_ns)))
        self.run(looping)
        for _ in range(2):
            assert looping.asleep.acquire(timeout=WAIT_S)
        self.end(looping)

        assert rung == [(2, 2_000_000)], "it slept twice, a millisecond of its clock each time"
        assert looping.idle == 3

    @pytest.mark.parametrize("seconds", [30 * 86_400, 10**12])
    def test_sleeps_also_where_the_next_timer_is_due_in_a_month_or_later(self, looping, seconds):
        looping.loop.timers.add(seconds * 10**9, pytest.fail)
        self.run(looping)
        looping.loop.wake()
        assert looping.asleep.acquire(timeout=WAIT_S)
        self.end(looping)

        assert (looping.idle, looping.loop.wakes) == (2, 2)

    @pytest.mark.parametrize(
        ("due_ns", "wait_ms"),
        [(None, None), (0, 0.0), (10**9, 0.0), (10**9 + 2_500_000, 2.5), (10**19, float((1 << 31) - 1))],
    )
    def test_sleeps_until_the_next_timer_and_not_at_all_for_one_that_is_due(self, looping, due_ns, wait_ms):
        waits, looping.now_ns = [], 10**9
        looping.loop._poll = SimpleNamespace(poll=lambda wait_ms: waits.append(wait_ms) or [])
        if due_ns is not None:
            looping.loop.timers.add(due_ns, pytest.fail)
        looping.loop._sleep()

        assert waits == [wait_ms]

    def test_gives_a_turn_to_each_that_is_ready_and_flushes_behind_it(self, looping):
        turns = []
        cells = [SimpleNamespace(name=name, turn=lambda name=name: turns.append(name), handled=0) for name in "ab"]
        looping.loop.ready.extend(cells)
        self.run(looping)
        self.end(looping)

        assert (turns, looping.flushes, looping.loop.current) == (["a", "b"], 2, None)

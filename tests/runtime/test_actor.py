"""What an actor may rely on: its life, its failures, its timers, its threads."""

import threading
from concurrent.futures import wait

import msgspec
import pytest

from natya.actors.runtime import (
    InProcessSystem,
    NameTakenError,
    Probe,
    RequestTimedOut,
    RuntimeActor,
    UnknownActorError,
    WouldDeadlockError,
    handles,
)
from natya.actors.runtime.errors import REASON_MAX, TRACE_MAX, OffloadRefusedError
from natya.actors.runtime.lifecycle import Started, StartFailed, Stop, Stopped
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.messages.supervision import DeadLetter, Failed, Unavailable
from natya.messages.system import ActorStatistics, Ping, Pong


def a_function(parameters, body):
    written = {}
    exec(f"def handler({parameters}): {body}", written)  # noqa: S102  each with other parameters
    return written["handler"]


async def a_coroutine(self, message, sender):
    """No handler."""


class Add(msgspec.Struct, frozen=True):
    """Add so much."""

    amount: int = 1


class Total(msgspec.Struct, frozen=True):
    """Answer the sum."""


class Fail(msgspec.Struct, frozen=True):
    """Raise."""

    reason: str = "as asked"


class Wait(msgspec.Struct, frozen=True):
    """Hold the thread until this event is set, at most 30 s."""

    entered: object
    release: object


class Counter(RuntimeActor):
    """Adds up; keeps a diary of its life in `settings`, if that is a list."""

    def on_start(self):
        self.total = 0
        self.note("start")

    def on_stop(self):
        self.note("stop")

    def note(self, entry):
        if isinstance(self.settings, list):
            self.settings.append(entry)

    @handles(Add)
    def add(self, message, _):
        self.total += message.amount

    @handles(Total)
    def tell_total(self, _, sender):
        self.send(sender, self.total)

    @handles(Fail)
    def fail(self, message, sender):
        raise ValueError(message.reason)

    @handles(Wait)
    def wait(self, message, sender):
        message.entered.set()
        message.release.wait(30)


class BlockingCounter(Counter):
    """The same, on a thread of its own."""

    blocking = True


@pytest.fixture(params=[Counter, BlockingCounter], ids=["loop", "thread"])
def counter_class(request):
    return request.param


class TestARunningActor:
    def test_is_asked_by_name_or_by_address(self, system, counter_class):
        address = system.start("counter", counter_class)

        system.tell("counter", Add(2))
        system.tell(address, Add(3))

        assert system.request("counter", Total()) == 5
        assert system.request(address, Total()) == 5

    def test_answers_a_ping_with_its_statistics(self, system):
        system.start("counter", Counter)
        system.request("counter", Total())

        assert isinstance(system.request("counter", Ping()), Pong)
        assert system.request("counter", Ping()).statistics == ActorStatistics(handled=2, failures=0)

    def test_counts_the_most_messages_that_ever_waited_from_the_first_on(self, system):
        address = system.start("counter", Counter)

        system.request("counter", Total())
        system.stop("counter")

        assert (address.counters().depth, address.counters().high_water) == (0, 1)

    def test_that_does_not_know_a_message_buries_it_and_says_so_to_who_asked(self, system):
        system.start("counter", Counter)

        answer = system.request("counter", "what?")

        assert isinstance(answer, Unavailable)
        assert "handles no str" in answer.reason
        assert system.base.dead_letters.count == 1

    def test_handles_messages_of_one_sender_in_order(self, system, counter_class):
        seen = []

        class Reader(counter_class):
            @handles(int)
            def read(self, number, sender):
                seen.append(number)

        system.start("reader", Reader)
        for number in range(1000):
            system.tell("reader", number)
        system.request("reader", Total())

        assert seen == list(range(1000))

    def test_loses_nothing_of_many_senders(self, system, counter_class):
        system.start("counter", counter_class)
        threads = [
            threading.Thread(target=lambda: [system.tell("counter", Add()) for _ in range(5000)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert system.request("counter", Total()) == 20_000


class TestStarting:
    def test_raises_what_on_start_raised_and_frees_the_name(self, system, counter_class):
        class Broken(counter_class):
            def on_start(self):
                raise OSError("no such file")

        with pytest.raises(OSError, match="no such file"):
            system.start("counter", Broken)

        system.start("counter", counter_class)
        assert system.request("counter", Total()) == 0

    def test_is_started_by_its_class(self, system):
        with pytest.raises(TypeError, match="the class of 'counter' is wanted, found <"):
            system.start("counter", Counter())

    def test_a_second_actor_of_one_name_is_refused(self, system):
        system.start("counter", Counter)

        with pytest.raises(NameTakenError, match="counter"):
            system.start("counter", Counter)

    @pytest.mark.parametrize(
        ("parameters", "body", "wanted"),
        [
            ("self, message", "pass", r"takes \(self, message, sender\), found \('self', 'message'\)"),
            ("self, message, sender, more", "pass", r"found \('self', 'message', 'sender', 'more'\)"),
            (
                "self, message, sender, *, more, less=0",
                "pass",
                r"found \('self', 'message', 'sender', 'more', 'less'\)",
            ),
            ("self, message, sender", "yield", "a plain function, found a coroutine or a generator"),
        ],
    )
    def test_a_handler_that_no_message_could_run_is_refused_where_it_is_written(self, parameters, body, wanted):
        with pytest.raises(TypeError, match=wanted):
            handles(int)(a_function(parameters, body))

    @pytest.mark.parametrize("types", [(), ("Ping",), (int, "Ping")])
    def test_a_handler_of_what_is_no_type_is_refused(self, types):
        with pytest.raises(TypeError, match=r"wants at least one message type, as in @handles\(Ping\), found \("):
            handles(*types)

    def test_a_handler_that_is_declared_twice_is_refused_since_the_first_would_be_forgotten(self):
        handler = handles(int)(a_function("self, message, sender", "pass"))

        with pytest.raises(TypeError, match=r"all its types in one @handles\(…, …\) are wanted, found a second one"):
            handles(str)(handler)

    def test_a_coroutine_is_no_handler(self):
        with pytest.raises(TypeError, match=r"offloads what blocks, and asks with `then`"):
            handles(int)(a_coroutine)

    @pytest.mark.parametrize(
        "parameters", ["*arguments", "self, message, sender, more=0", "self, *rest", "self, *rest, more=0"]
    )
    def test_whatever_else_takes_a_message_and_its_sender_may_handle_it(self, parameters):
        handler = a_function(parameters, "pass")

        assert handles(int)(handler) is handler

    def test_two_handlers_for_one_message_are_refused_with_the_class(self):
        with pytest.raises(TypeError, match=r"Twice.one and .other both handle int"):

            class Twice(RuntimeActor):
                @handles(int)
                def one(self, message, sender):
                    return None

                @handles(int)
                def other(self, message, sender):
                    return None

    def test_randomness_repeats_with_the_seed_of_the_system(self, system):
        numbers = []

        class Dice(RuntimeActor):
            def on_start(self):
                numbers.append(self.random.random())

        system.start("dice", Dice)
        system.stop("dice")
        system.start("dice", Dice)

        assert numbers[0] == numbers[1]

    def test_randomness_begins_anew_with_each_life_and_repeats_with_that_too(self, system):
        numbers = []

        class Dice(Counter):
            def on_start(self):
                super().on_start()
                numbers.append((self.random.random(), self.random.random()))

        for _ in range(2):
            system.start("dice", Dice, [])
            system.request("dice", Fail())
            system.request("dice", Total())
            system.stop("dice")

        assert numbers[:2] == numbers[2:]
        assert numbers[0] != numbers[1]


class TestAHandlerThatRaises:
    def test_is_tried_once_and_the_asker_is_told(self, system, counter_class):
        system.start("counter", counter_class, diary := [])

        answer = system.request("counter", Fail(reason="no"))

        assert answer == Failed(actor="counter", message_type="Fail", error="ValueError", reason="no")
        system.request("counter", Total())
        assert diary == ["start", "stop", "start"]

    def test_of_a_message_whose_own_code_raises_when_it_is_written_is_told_all_the_same(self, system, monkeypatch):
        def trap(_message):
            raise LookupError("a trap")

        monkeypatch.setattr("natya.actors.runtime.dead_letters.encode", trap)
        system.start("counter", Counter)
        answer = system.request("counter", Fail())

        (letter,) = system.base.dead_letters.last
        assert isinstance(answer, Failed)
        assert (letter.message_type, letter.payload, letter.reason) == ("Fail", b"", "as asked")

    def test_leaves_its_message_in_the_dead_letters(self, system):
        events = system.probe("events")
        system.start("counter", Counter)

        system.tell("counter", Fail(reason="no"))
        letter = events.receive()

        assert isinstance(letter, DeadLetter)
        assert (letter.actor, letter.message_type, letter.error, letter.reason) == (
            "counter",
            "Fail",
            "ValueError",
            "no",
        )
        assert "in fail" in letter.traceback

    def test_leaves_a_letter_of_bounded_size_whatever_the_text_of_the_error_is(self, system):
        events, asker = system.probe("events"), system.probe("asker")
        system.start("counter", Counter)

        system.tell("counter", Fail(reason="head" + "x" * 10_000_000 + "tail"), sender=asker)
        letter, failed = events.receive(), asker.receive()

        assert isinstance(letter, DeadLetter)
        assert isinstance(failed, Failed)
        for reason in (letter.reason, failed.reason):
            assert (reason[:4], reason[-4:], len(reason) <= REASON_MAX) == ("head", "tail", True)
        assert letter.traceback.startswith("Traceback (most recent call last)")
        assert "in fail" in letter.traceback
        assert letter.traceback.endswith("tail\n")
        assert len(letter.traceback) <= TRACE_MAX

    def test_gives_fresh_state_to_what_waited_in_the_mailbox(self, system, counter_class):
        system.start("counter", counter_class)
        entered, release = threading.Event(), threading.Event()
        system.tell("counter", Wait(entered, release))
        system.tell("counter", Add(5))
        system.tell("counter", Fail())
        system.tell("counter", Add(2))
        release.set()

        assert system.request("counter", Total()) == 2

    def test_hands_the_state_over_if_the_actor_can(self, system, counter_class):
        class Keeper(counter_class):
            def snapshot(self):
                return self.total

            def restore(self, state):
                self.total = state

        system.start("counter", Keeper)
        system.tell("counter", Add(7))
        system.tell("counter", Fail())

        assert system.request("counter", Total()) == 7

    @pytest.mark.parametrize("half", ["snapshot", "restore"])
    def test_starts_afresh_where_the_actor_can_do_only_half_of_it(self, system, counter_class, half):
        kind = type("Half", (counter_class,), {half: lambda *_: 1 / 0})
        system.start("counter", kind)
        system.tell("counter", Add(7))
        system.tell("counter", Fail())

        assert system.request("counter", Total()) == 0

    def test_whose_state_cannot_be_taken_up_gives_back_what_its_start_took(self, system, counter_class):
        taken = []

        class Keeper(counter_class):
            def on_start(self):
                super().on_start()
                taken.append(self)

            def on_stop(self):
                taken.remove(self)

            def snapshot(self):
                return self.total

            def restore(self, state):
                raise ValueError("of another version")

        system.start("counter", Keeper)
        end = system.watch("counter")
        system.tell("counter", Fail())

        assert str(end.result(5).error) == "of another version"  # nobody supervises it
        assert taken == []

    def test_counts_what_was_handled_before_it_in_the_same_turn(self, system, counter_class):
        address = system.start("counter", counter_class)
        entered, release = threading.Event(), threading.Event()
        system.tell(address, Wait(entered, release))
        assert entered.wait(10)
        for message in (Add(), Add(), Fail(), Add()):  # queued while it is held: one turn takes them all
            system.tell(address, message)
        release.set()
        system.request(address, Total())

        assert system.request(address, Ping()).statistics == ActorStatistics(handled=5, failures=1)

    def test_a_failed_never_answers_a_failed(self, system):
        class Touchy(RuntimeActor):
            @handles(Failed, Fail)
            def fail(self, message, sender):
                raise ValueError("touchy")

        system.start("one", Touchy)
        system.start("other", Touchy)
        system.tell("one", Fail(), sender=system.base.find("other"))
        system.request("one", Ping())
        system.request("other", Ping())

        assert system.base.dead_letters.count == 2

    def test_of_what_it_sends_itself_is_answered_to_nobody(self, system):
        told = []

        class Alone(RuntimeActor):
            @handles(Ping)
            def begin(self, ping, sender):
                self.send(self.myAddress, Fail())
                self.send(sender, "begun")

            @handles(Failed)
            def hear(self, failed, _sender):
                told.append(failed)

            @handles(Fail)
            def fail(self, *_):
                raise ValueError("as asked")

        system.start("alone", Alone)
        assert system.request("alone", Ping()) == "begun"
        assert system.request("alone", Ping()) == "begun"

        assert told == []
        assert system.base.dead_letters.last[-1].error == "ValueError"


class Alarm(Counter):
    """Sets a timer when told a number of seconds."""

    @handles(float)
    def set_alarm(self, seconds, sender):
        self.timer = self.after(seconds, Add(100))
        self.after(seconds, sender)

    @handles(str)
    def cancel(self, _, sender):
        self.timer.cancel()


class TestATimer:
    @pytest.fixture
    def alarm_class(self, counter_class):
        class OfThisHost(Alarm):
            blocking = counter_class.blocking

            @handles(Probe)
            def tell(self, probe, _):
                self.send(probe, self.total)

        return OfThisHost

    def test_brings_its_message_later(self, system, alarm_class):
        system.start("alarm", alarm_class)
        probe = system.probe("probe")

        system.tell("alarm", 0.01, sender=probe)

        assert probe.receive() == 100

    def test_that_is_cancelled_brings_nothing(self, system, alarm_class):
        system.start("alarm", alarm_class)
        probe = system.probe("probe")

        system.tell("alarm", 0.02, sender=probe)
        system.tell("alarm", "cancel")

        assert probe.receive() == 0

    def test_of_one_that_has_ended_brings_nothing_and_nothing_is_lost(self):
        with InProcessSystem(SimulatedSystemBase(1)) as system:
            system.start("alarm", Alarm)
            system.tell("alarm", 5.0)
            system.stop("alarm")
            system.base.run_for(10)

            assert system.base.dead_letters.count == 0

    def test_of_a_life_before_a_restart_brings_nothing(self, system, alarm_class):
        system.start("alarm", alarm_class)
        first, second = system.probe("first"), system.probe("second")

        system.tell("alarm", 0.01, sender=first)
        system.tell("alarm", Fail())
        system.tell("alarm", 0.02, sender=second)

        assert second.receive() == 100
        assert first.is_empty()


class Thinker(Counter):
    """Offloads what it is told to call, and adds up the outcomes."""

    @handles(tuple)
    def think(self, job, sender):
        function, lane = job
        self.offload(function, then=self.take, lane=lane)

    def take(self, outcome):
        self.total += outcome.unwrap()


class TestOffloading:
    def test_brings_the_value_back_into_the_actor(self, system):
        system.start("thinker", Thinker)

        system.tell("thinker", (lambda: 42, ""))

        assert system.stop("thinker").handled == 2

    def test_an_outcome_that_is_unwrapped_raises_like_a_handler(self, system):
        events = system.probe("events")
        system.start("thinker", Thinker)

        system.tell("thinker", (lambda: 1 // 0, ""))

        assert events.receive().error == "ZeroDivisionError"

    def test_jobs_of_one_lane_run_in_order_and_lanes_beside_each_other(self, system):
        order, gate = [], threading.Event()
        system.start("thinker", Thinker)

        system.tell("thinker", (lambda: (gate.wait(10) and order.append("a1")) or 0, "a"))
        system.tell("thinker", (lambda: order.append("a2") or 0, "a"))
        system.tell("thinker", (lambda: order.append("b") or gate.set() or 0, "b"))
        system.stop("thinker")

        assert order == ["b", "a1", "a2"]

    def test_an_outcome_of_a_life_before_a_restart_is_dropped(self, system):
        system.start("thinker", Thinker)
        begun, gate = threading.Event(), threading.Event()
        system.tell("thinker", (lambda: begun.set() or (gate.wait(10) and 42), ""))
        begun.wait(10)
        system.tell("thinker", Fail())
        system.request("thinker", Total())
        gate.set()
        system.tell("thinker", (lambda: 1, ""))
        system.request("thinker", Total())
        statistics = system.stop("thinker")

        assert statistics.failures == 1

    def test_a_job_that_waits_when_its_actor_is_restarted_is_never_begun_and_the_threads_end(self, system):
        begun, gate, called = threading.Event(), threading.Event(), []
        others = set(threading.enumerate())  # that of the test before may be ending
        system.start("thinker", Thinker)
        system.tell("thinker", (lambda: begun.set() or gate.wait(10), "lane"))
        system.tell("thinker", (lambda: called.append(1), "lane"))
        begun.wait(10)
        (thread,) = (each for each in set(threading.enumerate()) - others if each.name == "thinker/offload")

        system.request("thinker", Fail())
        gate.set()
        thread.join(5)

        assert (thread.is_alive(), called) == (False, [])

    def test_more_than_may_wait_are_refused(self, system):
        class Narrow(Thinker):
            offloads_max = 2
            offload_threads_max = 1

        events = system.probe("events")
        system.start("thinker", Narrow)
        gate = threading.Event()
        for _ in range(5):
            system.tell("thinker", (lambda: gate.wait(10) and 1, ""))

        letter = events.receive()
        gate.set()

        assert letter.error == "OffloadRefusedError"

    def test_that_were_refused_are_waited_for_by_nobody(self, system):
        class Narrow(RuntimeActor):
            offloads_max = 1

            @handles(int)
            def try_often(self, count, sender):
                refused, gate = 0, threading.Event()
                for _ in range(count):
                    try:
                        self.offload(gate.wait, 10, then=lambda _: None, lane="one")
                    except OffloadRefusedError:
                        refused += 1
                gate.set()
                self.when_quiet((sender, refused))

            @handles(tuple)
            def hear_quiet(self, found, _sender):
                self.send(*found)

        system.start("narrow", Narrow)

        assert system.request("narrow", 20, timeout_s=10) > 0
        assert system.stop("narrow").failures == 0

    def test_that_were_refused_keep_nobody_else_from_being_quiet(self, system):
        class Narrow(RuntimeActor):
            offloads_max = 0

            @handles(int)
            def try_it(self, number, sender):
                with pytest.raises(OffloadRefusedError):
                    self.offload(abs, number, then=lambda _: None)
                self.send(sender, "refused")

        class Patient(RuntimeActor):
            @handles(str)
            def wait_for_quiet(self, _word, sender):
                self.when_quiet((sender, "quiet"))

            @handles(tuple)
            def hear_quiet(self, found, _sender):
                self.send(*found)

        system.start("narrow", Narrow)
        system.start("patient", Patient)

        assert system.request("narrow", 1) == "refused"
        assert system.request("patient", "when is it?") == "quiet"


class TestStopping:
    def test_is_told_to_who_killed_it_in_a_handler_too(self, system, counter_class):
        class Blocking(counter_class):
            blocking = True

        cell = system.start("counter", Blocking)
        entered, release = threading.Event(), threading.Event()
        system.tell("counter", Wait(entered, release))
        entered.wait(10)
        reply = system.base.new_reply()
        cell.kill(reply)
        stopped = reply.wait(10)
        release.set()

        assert (type(stopped), str(stopped.error)) == (Stopped, "killed in a handler")

    def test_handles_what_was_queued_first(self, system, counter_class):
        system.start("counter", counter_class, diary := [])
        for _ in range(500):
            system.tell("counter", Add())

        assert system.stop("counter").handled == 500
        assert diary == ["start", "stop"]

    def test_waits_until_the_actor_is_drained(self, system, counter_class):
        class Waiting(counter_class):
            def is_drained(self):
                return self.total >= 3

        system.start("counter", Waiting)
        stopped = []
        stopper = threading.Thread(target=lambda: stopped.append(system.stop("counter")))
        stopper.start()
        for _ in range(3):
            assert not stopped
            system.tell("counter", Add())
        stopper.join(10)

        assert stopped[0].handled == 3

    def test_frees_the_name_and_buries_what_still_comes(self, system, counter_class):
        address = system.start("counter", counter_class)
        system.stop("counter")

        system.tell(address, Add())

        assert system.base.dead_letters.count == 1
        assert isinstance(system.request(address, Total()), Unavailable)
        with pytest.raises(UnknownActorError, match="counter"):
            system.request("counter", Total())

    def test_is_told_to_everyone_who_asked_for_it(self, system, counter_class):
        counter = system.start("counter", counter_class)
        entered, release = threading.Event(), threading.Event()
        system.tell(counter, Wait(entered, release))
        entered.wait(5)
        replies = [system.base.new_future_reply() for _ in range(3)]
        for reply in replies:
            counter.control(Stop(), reply)
        release.set()

        assert {type(reply.future.result(5)) for reply in replies} == {Stopped}

    def test_of_one_that_is_gone_says_so_at_once(self, system, counter_class):
        counter = system.start("counter", counter_class)
        system.stop(counter)

        with pytest.raises(UnknownActorError, match="it is gone"):
            system.stop(counter, timeout_s=60)

    def test_raises_what_on_stop_raised(self, system, counter_class):
        class Sticky(counter_class):
            def on_stop(self):
                raise OSError("cannot close")

        system.start("counter", Sticky)

        with pytest.raises(OSError, match="cannot close"):
            system.stop("counter")

    def test_the_whole_system_is_bounded_though_a_handler_never_returns(self, system, counter_class):
        system.base._shutdown_s = 0.2
        system.start("counter", counter_class)
        entered, release = threading.Event(), threading.Event()
        system.tell("counter", Wait(entered, release))
        entered.wait(10)

        system.shutdown()

        release.set()

    @pytest.mark.parametrize("already", [False, True])
    def test_the_whole_system_does_not_wait_for_the_handler_that_stops_it(self, system, counter_class, already):
        entered, release, over = threading.Event(), threading.Event(), threading.Event()

        class Stopper(counter_class):
            @handles(bytes)
            def stop_all(self, _, sender):
                entered.set()
                release.wait(10)
                system.shutdown()
                over.set()

        system.start("another with a thread", type("Another", (RuntimeActor,), {"blocking": True}))
        system.start("stopper", Stopper)
        system.tell("stopper", b"stop")
        entered.wait(10)
        if already:
            threading.Thread(target=system.shutdown).start()
            while not system.base.stopped:
                pass
        release.set()

        assert over.wait(2)

    @pytest.mark.parametrize("blocking", [False, True])
    def test_the_whole_system_waits_for_a_running_handler_and_for_what_its_actor_owns(self, system, blocking):
        entered, release, released = threading.Event(), threading.Event(), []

        class Owner(RuntimeActor):
            @handles(Wait)
            def wait(self, message, _sender):
                message.entered.set()
                message.release.wait(10)

            def on_stop(self):
                released.append(self.name)

        Owner.blocking = blocking
        system.start("an earlier one", RuntimeActor)
        system.stop("an earlier one")  # so that all have been gone once
        system.start("owner", Owner)
        system.tell("owner", Wait(entered, release))
        entered.wait(10)
        others = [threading.Thread(target=system.shutdown) for _ in range(2)]
        for other in others:
            other.start()
        others[0].join(0.05)
        assert (released, [other.is_alive() for other in others]) == ([], [True, True])

        release.set()
        for other in others:
            other.join(10)

        assert released == ["owner"]


class TestADrainedMailbox:
    def test_is_told_after_each_burst_and_never_between(self, system, counter_class):
        class Committer(counter_class):
            def on_start(self):
                super().on_start()
                self.commits = []

            def on_drained(self):
                self.commits.append(self.total)

            @handles(list)
            def tell_commits(self, _, sender):
                self.send(sender, list(self.commits))

        system.start("counter", Committer)
        entered, release = threading.Event(), threading.Event()
        system.tell("counter", Wait(entered, release))
        for _ in range(200):
            system.tell("counter", Add())
        release.set()
        commits = system.request("counter", [])

        assert [each for each in commits if each not in {0, 200}] == []


class TestARequest:
    def test_that_times_out_does_not_shift_the_next_answer(self, system, counter_class):
        class Slow(counter_class):
            @handles(Wait)
            def wait(self, message, sender):
                super().wait(message, sender)
                self.send(sender, "late")

        system.start("counter", Slow)
        entered, release = threading.Event(), threading.Event()

        with pytest.raises(RequestTimedOut):
            system.request("counter", Wait(entered, release), timeout_s=0.01)
        release.set()

        assert system.request("counter", Total()) == 0
        assert system.base.dead_letters.count == 1

    def test_may_be_a_future_of_which_many_wait_at_once(self, system, counter_class):
        system.start("counter", counter_class)

        futures = [system.request_future("counter", Total()) for _ in range(100)]
        wait(futures, timeout=10)

        assert [each.result() for each in futures] == [0] * 100

    def test_on_the_loop_itself_is_refused(self, system):
        class Impatient(Counter):
            @handles(str)
            def ask(self, name, sender):
                system.request(name, Total())

        system.start("counter", Counter)
        system.start("impatient", Impatient)

        assert system.request("impatient", "counter").error == WouldDeadlockError.__name__


class TestAProgramThatStartsActors:
    def test_may_begin_a_start_and_wait_for_it_later(self, system):
        begun = system.begin("counter", Counter, [])
        started = begun.result(5)
        assert started == Started(name="counter", address=system.base.names["counter"])
        assert system.request("counter", Total()) == 0

    def test_is_told_of_a_start_that_fails_and_may_take_the_name_again(self, system):
        class Broken(RuntimeActor):
            def on_start(self):
                raise KeyError("no file")

        failed = system.begin("broken", Broken).result(5)
        assert (type(failed), failed.name, str(failed.error)) == (StartFailed, "broken", "'no file'")
        with pytest.raises(KeyError, match="no file"):
            system.start("broken", Broken)
        system.start("broken", Counter)

    def test_gives_each_name_once(self, system):
        system.start("counter", Counter)
        system.probe("probe")
        for name in ("counter", "probe"):
            for call in (system.begin, system.start):
                with pytest.raises(NameTakenError, match=f"an actor named '{name}' runs already"):
                    call(name, Counter)
            with pytest.raises(NameTakenError, match=f"an actor named '{name}' runs already"):
                system.probe(name)
        with pytest.raises(TypeError, match="the class of 'other' is wanted, found 'Counter'"):
            system.start("other", "Counter")

    def test_stops_what_runs_and_is_told_what_does_not(self, system):
        system.start("counter", Counter)
        probe = system.probe("probe")
        with pytest.raises(UnknownActorError, match="no actor named 'nobody' runs; there are: counter, probe"):
            system.stop("nobody")
        with pytest.raises(UnknownActorError, match=r"a RuntimeActor is wanted .*, found ActorAddr-probe"):
            system.stop(probe)
        system.tell("counter", Add())

        assert system.stop("counter") == ActorStatistics(handled=1, failures=0)
        with pytest.raises(UnknownActorError, match="no actor named 'counter' runs; there are: probe"):
            system.stop("counter")

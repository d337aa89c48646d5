"""What a supervisor may say to a child, and what it hears."""

import threading
from collections import deque
from types import SimpleNamespace

import msgspec
import pytest
from natya_processes import await_that

from natya.actors.runtime import RuntimeActor, WatchRefusedError, handles
from natya.actors.runtime.lifecycle import (
    ChildHandlerFailed,
    Kill,
    Reject,
    Restart,
    Resume,
    Started,
    StartFailed,
    Stop,
    Stopped,
    Suspend,
    Terminated,
)
from natya.messages.market import TicksRecorded
from natya.messages.supervision import Failed, Unavailable
from natya.messages.system import Ping


class Order(msgspec.Struct, frozen=True):
    """To the nurse: say this to the child."""

    message: object


class Child(RuntimeActor):
    """Counts; fails when told a string, and does not start with the settings 'broken'."""

    def on_start(self):
        if self.settings["broken"]:
            raise OSError("broken")
        self.total = 0

    @handles(int)
    def add(self, amount, sender):
        self.total += amount

    @handles(type(None))
    def tell(self, _, sender):
        self.send(sender, self.total)

    @handles(str)
    def fail(self, reason, sender):
        if reason != "fine":
            raise ValueError(reason)

    @handles(threading.Event)
    def hang(self, event, sender):
        event.wait(30)

    @handles(tuple)
    def hold(self, events, sender):
        entered, held = events
        entered.set()
        held.wait(5)

    @handles(type)
    def leave(self, _, sender):
        raise SystemExit(3)


class BlockingChild(Child):
    blocking = True


class LateChild(Child):
    ready_when_told = True

    @handles(bytes)
    def now(self, _, sender):
        self.ready()


class Nurse(RuntimeActor):
    """A supervisor without a policy: what it hears goes to the probe, what it is told to say it says."""

    def on_start(self):
        child_class, self.child_settings = self.settings
        self.child = self.start_child("child", child_class, self.child_settings)

    @handles(Started, StartFailed, ChildHandlerFailed, Stopped)
    def report(self, report, sender):
        self.send("reports", report)

    @handles(Order)
    def say(self, order, sender):
        self.control(self.child, order.message)


@pytest.fixture(params=[Child, BlockingChild], ids=["loop", "thread"])
def child_class(request):
    return request.param


@pytest.fixture
def reports(system):
    return system.probe("reports")


@pytest.fixture
def nurse(system, reports, child_class):
    system.start("nurse", Nurse, (child_class, {"broken": False}))
    assert reports.receive().name == "child"
    return lambda message: system.tell("nurse", Order(message))


class TestAChildThatFailsAgain:
    @pytest.mark.parametrize(
        ("between", "got_past"), [([], False), ([None], False), (["fine"], True), (["fine", None], True)], ids=str
    )
    def test_tells_whether_it_got_past_what_it_failed_at_before(self, system, reports, nurse, between, got_past):
        system.tell("child", "no")
        assert reports.receive().got_past is None
        nurse(Restart())
        assert isinstance(reports.receive(), Started)
        for message in (*between, "no"):
            system.tell("child", message)

        assert reports.receive().got_past is got_past

    def test_has_failed_at_nothing_yet_where_it_only_could_not_put_a_message_aside(self, system, reports):
        class Full(Child):
            stash_max = 0

            @handles(float)
            def put_aside(self, message, sender):
                self.stash(message, sender)

        system.start("nurse", Nurse, (Full, {"broken": False}))
        assert isinstance(reports.receive(), Started)
        assert system.request("child", 1.0).error == "StashFullError"
        system.tell("child", "no")

        assert reports.receive().got_past is None

    def test_at_nothing_that_it_was_sent_says_nothing_of_that_and_what_it_failed_at_before_stays_known(
        self, system, reports
    ):
        class Drained(Child):
            @handles(float)
            def drain_later(self, *_):
                self.total = "spoiled"

            def on_drained(self):
                if self.total == "spoiled":
                    raise ArithmeticError("when it had nothing more to do")

        system.start("nurse", Nurse, (Drained, {"broken": False}))
        assert isinstance(reports.receive(), Started)
        found = []
        for message in ("no", 1.0, 1.0, "no"):
            system.tell("child", message)
            failed = reports.receive()
            found.append((type(failed.error), failed.message, failed.got_past))
            system.tell("nurse", Order(Restart()))
            assert isinstance(reports.receive(), Started)

        assert found == [
            (ValueError, "no", None),
            (ArithmeticError, None, None),
            (ArithmeticError, None, None),
            (ValueError, "no", False),
        ]


class TestAChildWhoseHandlerRaised:
    def test_is_reported_and_keeps_its_mailbox_until_the_restart(self, system, reports, nurse):
        system.tell("child", 5)
        failed = system.request_future("child", "no")
        answer = system.request_future("child", None)

        report = reports.receive()
        assert (type(report), report.name, report.message) == (ChildHandlerFailed, "child", "no")
        assert isinstance(report.error, ValueError)
        assert isinstance(failed.result(5), Failed)
        assert not answer.done()

        nurse(Restart())
        assert isinstance(reports.receive(), Started)
        assert answer.result(5) == 0

    def test_goes_on_with_its_state_when_it_is_told_to_resume(self, system, reports, nurse):
        system.tell("child", 5)
        system.tell("child", "no")
        answer = system.request_future("child", None)
        reports.receive()

        nurse(Resume())

        assert answer.result(5) == 5

    def test_answers_unavailable_at_once_while_it_rejects(self, system, reports, nurse):
        system.tell("child", "no")
        stored = system.request_future("child", None)
        reports.receive()

        nurse(Reject(retry_after_s=3.0))
        child = system.base.names["child"]
        while child.put == child._put_suspended:  # its own thread sees to the order
            system.request("nurse", Ping())
        refused = system.request("child", None)

        assert refused == Unavailable(actor="child", reason="breaker open", retry_after_s=3.0)
        asker = system.probe("asker")
        for message in (refused, None):  # an answer is not answered
            system.tell("child", message, sender=asker)
        assert asker.receive() == refused
        assert asker.is_empty()
        assert not stored.done()
        nurse(Restart())
        assert stored.result(5) == 0


class TestAChildThatDoesNotStart:
    def test_is_reported_and_may_be_tried_again(self, system, reports, child_class):
        settings = {"broken": True}
        system.start("nurse", Nurse, (child_class, settings))
        report = reports.receive()
        assert (type(report), str(report.error)) == (StartFailed, "broken")

        settings["broken"] = False
        system.tell("nurse", Order(Restart()))

        assert isinstance(reports.receive(), Started)
        assert system.request("child", None) == 0


class TestASuspendedChild:
    def test_handles_nothing_until_it_is_resumed(self, system, reports, nurse):
        nurse(Suspend())
        system.request("nurse", Ping())
        answer = system.request_future("child", None)
        system.tell("child", 5)
        assert not answer.done()

        nurse(Resume())

        assert answer.result(5) == 0
        assert system.request("child", None) == 5


class TestAChildThatFailsInItsStop:
    def test_and_cannot_begin_afresh_for_the_rest_handles_no_more_of_it(self, system, reports):
        system.start("nurse", Nurse, (BlockingChild, settings := {"broken": False}))
        reports.receive()
        entered, held = threading.Event(), threading.Event()
        system.tell("child", (entered, held))
        entered.wait(5)
        rest = [system.request_future("child", each) for each in ("no", None, None)]
        system.tell("nurse", Order(Stop()))
        system.request("nurse", Ping())
        settings["broken"] = True
        held.set()

        assert isinstance(rest[0].result(5), Failed)
        assert isinstance(reports.receive(), StartFailed)
        system.tell("nurse", Order(Stop()))
        assert isinstance(reports.receive(), Stopped)
        assert [type(each.result(5)) for each in rest[1:]] == [Unavailable] * 2
        assert reports.is_empty()

    def test_is_told_that_its_mailbox_is_empty_when_it_is(self, system):
        told = []

        class Committing(BlockingChild):
            def on_drained(self):
                told.append(self.total)

        system.start("child", Committing, {"broken": False})
        entered, held = threading.Event(), threading.Event()
        system.tell("child", (entered, held))
        entered.wait(5)
        for number in (1, 2, 4):
            system.tell("child", number)
        stopping = threading.Thread(target=system.stop, args=("child",))
        stopping.start()
        await_that(lambda: system.base.find("child").control_box)
        held.set()
        stopping.join(5)

        assert told == [7]


class TestAChildThatEnds:
    def test_by_order_handles_what_was_queued_and_tells_its_statistics(self, system, reports, nurse):
        for _ in range(100):
            system.tell("child", 1)
        nurse(Stop())

        report = reports.receive()

        assert (type(report), report.requested, report.error) == (Stopped, True, None)
        assert report.statistics.handled == 100
        assert "child" not in system.base.names

    def test_by_itself_is_reported_with_its_reason(self, system, reports, nurse):
        system.tell("child", int)

        report = reports.receive()

        assert (type(report), report.requested) == (Stopped, False)
        assert isinstance(report.error, SystemExit)

    def test_by_itself_in_a_handler_answers_who_asked(self, system, nurse):
        answer = system.request("child", int)

        assert (answer.actor, answer.error, answer.reason) == ("child", "SystemExit", "3")
        assert system.base.dead_letters.last[-1].error == "SystemExit"

    def test_killed_in_a_handler_that_never_returns_frees_its_name(self, system, reports):
        system.start("nurse", Nurse, (BlockingChild, {"broken": False}))
        reports.receive()
        never = threading.Event()
        system.tell("child", never)
        while system.base.names["child"].worker.current is None:
            pass

        system.tell("nurse", Order(Kill()))
        report = reports.receive()
        never.set()

        assert isinstance(report.error, TimeoutError)
        assert "child" not in system.base.names

    def test_killed_twice_in_a_handler_ends_once(self, system, reports):
        system.start("nurse", Nurse, (BlockingChild, {"broken": False}))
        reports.receive()
        entered, held = threading.Event(), threading.Event()
        system.tell("child", (entered, held))
        entered.wait(5)
        for _ in range(2):
            system.tell("nurse", Order(Kill()))
        system.request("nurse", Ping())
        held.set()
        system.stop("nurse")

        assert isinstance(reports.receive(), Stopped)
        assert reports.is_empty()

    def test_killed_while_it_has_nothing_to_do_ends_in_order(self, system, reports, nurse):
        system.request("child", None)
        nurse(Kill())
        report = reports.receive()

        assert (report.requested, report.error, report.statistics.handled) == (True, None, 1)

    @pytest.mark.parametrize("blocking", [False, True])
    def test_that_kills_itself_ends_in_order_after_its_handler(self, system, blocking):
        class Weary(RuntimeActor):
            @handles(str)
            def end(self, _, sender):
                self.host.kill(self.myAddress)
                self.send(sender, "after that")

        Weary.blocking = blocking
        system.start("weary", Weary)
        end = system.watch("weary")

        assert system.request("weary", "end") == "after that"
        assert (end.result(5).error, end.result(5).statistics.handled) == (None, 1)

    def test_killed_in_a_handler_that_then_returns_has_not_failed(self, system):
        class Closing(BlockingChild):
            closed = threading.Event()

            def on_stop(self):
                self.closed.set()

        child = system.start("child", Closing, {"broken": False})
        entered, held = threading.Event(), threading.Event()
        system.tell("child", (entered, held))
        waiting = [system.request_future("child", None) for _ in range(3)]
        entered.wait(5)

        child.kill(system.base.outside)
        assert [type(answer.result(5)) for answer in waiting] == [Unavailable] * 3
        held.set()

        assert Closing.closed.wait(5)
        assert child.failures == 0
        assert {letter.error for letter in system.base.dead_letters.last} == {"NoRecipient"}

    def test_gets_no_dead_letter_of_what_says_only_how_far_its_sender_is(self, system):
        for message in (TicksRecorded(source="s", sequence=1), "something"):
            system.base.dead_letters.undelivered("nobody", message, system.base.outside, "nobody runs")

        assert [letter.message_type for letter in system.base.dead_letters.last] == ["str"]
        assert system.base.dead_letters.count == 1

    def test_killed_while_it_takes_its_last_message_does_not_fail_the_killer(self, system):
        class Snatched(deque):
            """Empty when one wants to take what a look has just found: another thread was faster."""

            def __bool__(self):
                found = len(self) > 0
                if threading.current_thread() is threading.main_thread():
                    self.clear()
                return found

        class Hasty(BlockingChild):
            mailbox = SimpleNamespace(make=lambda *_: Snatched())

        child = system.start("child", Hasty, {"broken": False})
        entered, held = threading.Event(), threading.Event()
        system.tell("child", (entered, held))
        entered.wait(5)
        system.tell("child", 1)

        child.kill(system.base.outside)
        held.set()

        assert child.dead


class TestAChildThatIsKilledWhileItStarts:
    @pytest.mark.parametrize("fails", [True, False])
    def test_is_reported_as_stopped_and_as_nothing_else(self, system, reports, fails):
        entered, held, closed = threading.Event(), threading.Event(), []

        class Starting(RuntimeActor):
            blocking = True

            def on_start(self):
                entered.set()
                held.wait(5)
                if fails:
                    raise ValueError("as asked")

            def on_stop(self):
                closed.append(self.name)

        system.start("nurse", Nurse, (Starting, None))
        entered.wait(5)
        (thread,) = (each for each in threading.enumerate() if each.name == "natya-child")

        system.tell("nurse", Order(Kill()))
        report = reports.receive()
        held.set()
        thread.join(5)
        system.stop("nurse")

        assert isinstance(report, Stopped)
        assert isinstance(report.error, TimeoutError)
        assert reports.is_empty()
        assert closed == ([] if fails else ["child"])


class TestAChildThatIsReadyWhenTold:
    def test_has_started_when_it_says_so(self, system, reports):
        system.start("nurse", Nurse, (LateChild, {"broken": False}))
        system.request("child", None)
        assert reports.is_empty()

        system.tell("child", b"now")

        assert isinstance(reports.receive(), Started)


class TestAChildThatFailedJustBeforeItIsToldToStop:
    def test_handles_the_rest_of_its_mailbox_afresh(self, system, reports, nurse):
        system.tell("child", 5)
        system.tell("child", "no")
        system.tell("child", 3)
        answers = [system.request_future("child", None) for _ in range(100)]
        assert isinstance(reports.receive(), ChildHandlerFailed)

        nurse(Stop())

        assert {answer.result(5) for answer in answers} == {3}
        assert isinstance(reports.receive(), Started)
        assert reports.receive().requested
        assert system.base.dead_letters.count == 1

    def test_takes_what_comes_while_it_does(self, system, reports, nurse):
        entered, held = threading.Event(), threading.Event()
        system.tell("child", "no")
        system.tell("child", (entered, held))
        reports.receive()
        nurse(Stop())
        assert entered.wait(5)

        late = system.request_future("child", None)
        held.set()

        assert late.result(5) in {0, Unavailable(actor="child", reason="it has stopped", retry_after_s=0.0)}
        assert isinstance(reports.receive(), Started)
        assert isinstance(reports.receive(), Stopped)

    def test_keeps_its_count_when_nothing_is_queued(self, system, reports, nurse):
        system.tell("child", "no")
        reports.receive()

        nurse(Stop())

        report = reports.receive()
        assert (type(report), report.statistics.failures) == (Stopped, 1)

    def test_ends_at_once_when_it_may_not_start_again(self, system, reports, nurse):
        system.tell("child", "no")
        queued = system.request_future("child", None)
        reports.receive()

        nurse(Stop(afresh=False))

        assert isinstance(reports.receive(), Stopped)
        assert isinstance(queued.result(5), Unavailable)

    def test_handles_nothing_when_it_does_not_start_again(self, system, reports, child_class):
        settings = {"broken": False}
        system.start("nurse", Nurse, (child_class, settings))
        reports.receive()
        system.tell("child", "no")
        queued = system.request_future("child", None)
        reports.receive()

        settings["broken"] = True
        system.tell("nurse", Order(Stop()))
        assert isinstance(reports.receive(), StartFailed)
        assert not queued.done()
        system.tell("nurse", Order(Stop()))

        assert isinstance(reports.receive(), Stopped)
        assert isinstance(queued.result(5), Unavailable)


class TestAChildThatFailsWhileItStops:
    def test_handles_nothing_more_when_it_does_not_start_again(self, system, reports):
        entered, held, settings = threading.Event(), threading.Event(), {"broken": False}
        system.start("nurse", Nurse, (BlockingChild, settings))
        reports.receive()
        system.tell("child", (entered, held))
        assert entered.wait(5)
        system.tell("child", "no")
        queued = system.request_future("child", None)
        system.tell("nurse", Order(Stop()))
        system.request("nurse", Ping())

        settings["broken"] = True
        held.set()

        assert isinstance(reports.receive(), StartFailed)
        assert not queued.done()


class TestAThousandRestarts:
    def test_leave_no_thread_behind(self, system, reports, nurse):
        before = set(threading.enumerate())  # one that an earlier test left may end meanwhile

        for _ in range(1000):
            nurse(Restart())
            assert isinstance(reports.receive(), Started)

        assert set(threading.enumerate()) <= before


class Watcher(RuntimeActor):
    """Watches whom it is told to, and tells the probe."""

    @handles(str)
    def begin(self, name, sender):
        self.watch(name)
        self.send(sender, name)

    @handles(Terminated)
    def hear(self, terminated, sender):
        self.send("reports", terminated)


class TestOneWhoWatches:
    @pytest.fixture
    def watch(self, system):
        system.start("watcher", Watcher)
        return lambda name: system.request("watcher", name)

    def test_hears_once_that_an_actor_is_gone_and_nothing_of_its_restarts(self, system, reports, nurse, watch):
        watch("child")
        watch("child")
        assert isinstance(system.request("child", "no"), Failed)
        assert isinstance(reports.receive(), ChildHandlerFailed)
        nurse(Restart())
        assert isinstance(reports.receive(), Started)
        system.request("child", None)

        nurse(Stop())

        said = [reports.receive(), reports.receive()]
        (terminated,) = (each for each in said if isinstance(each, Terminated))
        assert (terminated.name, terminated.statistics.handled, terminated.error) == ("child", 1, None)
        assert watch("nobody") == "nobody"
        assert reports.receive() == Terminated(name="nobody")

    def test_makes_room_for_the_next_when_he_gives_up_or_is_gone(self, system, nurse, watch, monkeypatch):
        monkeypatch.setattr("natya.actors.runtime.watching.WATCHERS_MAX", 2)
        for _ in range(5):
            system.watch("child").cancel()
        watch("child")
        system.stop("watcher")

        ends = [system.watch("child"), system.watch("child")]
        nurse(Stop())

        assert {end.result(5).name for end in ends} == {"child"}

    def test_hears_why_it_ended_by_itself(self, system, reports, nurse, watch):
        watch("child")
        end = system.watch("child")
        system.tell("child", int)

        reports.receive()
        assert isinstance(end.result(5).error, SystemExit)

    def test_hears_at_once_from_outside_too_where_nobody_of_that_name_runs(self, system):
        assert system.watch("nobody").result(1) == Terminated(name="nobody")

    def test_is_refused_where_there_are_too_many_or_no_actor_is(self, system, reports, nurse, monkeypatch):
        monkeypatch.setattr("natya.actors.runtime.watching.WATCHERS_MAX", 1)
        system.watch("child")

        with pytest.raises(WatchRefusedError, match="at most 1 may watch child"):
            system.watch("child")
        with pytest.raises(WatchRefusedError, match="an actor of this process is wanted"):
            system.watch("reports")

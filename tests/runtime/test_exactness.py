"""What must be exact in the runtime, moment by moment: each test is one interleaving, played by hand."""

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from types import SimpleNamespace

import pytest
from natya_builders import a_tick
from natya_processes import await_that

from natya.actors.runtime import InProcessSystem, InProcessSystemBase, RuntimeActor, SystemClock, handles
from natya.actors.runtime import cell as cell_module
from natya.actors.runtime.cell import Cell
from natya.actors.runtime.lifecycle import Stop
from natya.actors.runtime.market_clock import MarketClock
from natya.actors.runtime.offload import Job, Offloader
from natya.actors.runtime.quiet import Quiescence
from natya.actors.runtime.worker import Worker
from natya.actors.runtime.workers import wire
from natya.actors.runtime.workers.hosting import deliver_all
from natya.actors.runtime.workers.worker_process import Ended, Heard
from natya.actors.supervision import ChildSpec, Supervisor, SupervisorSettings
from natya.config.sections.supervision import SupervisionSettings
from natya.messages.orders import CancelOrder
from natya.messages.supervision import DescribeTree

pytestmark = pytest.mark.usefixtures("forked_starts")


class Idle(RuntimeActor):
    """Handles nothing."""


class TestAnEndOfATurn:
    """A sender that still saw the cell busy gives it no turn: the cell itself has to look once more."""

    @pytest.mark.parametrize("where", ["box", "control_box"])
    def test_finds_what_came_between_its_last_message_and_its_rest(self, where):
        loop = SimpleNamespace(ready=deque(), asleep=False)
        cell = Cell("late", dead_letters=None, worker=loop, parent=None)
        cell.idle = False
        cell.box = deque()
        getattr(cell, where).append(("came late", cell, 0))

        cell.rest()

        assert list(loop.ready) == [cell]
        assert not cell.idle

    def test_of_which_nothing_is_left_gives_no_turn(self):
        loop = SimpleNamespace(ready=deque(), asleep=False)
        cell = Cell("quiet", dead_letters=None, worker=loop, parent=None)
        cell.idle = False

        cell.rest()

        assert not loop.ready
        assert cell.idle


class TestAControlMessage:
    """It may come at any moment of a turn in which the cell sees to what came before it."""

    def test_that_comes_as_the_cell_looks_for_the_last_time_is_obeyed(self, system):
        address, reply = system.start("performer", Idle), system.base.new_reply()

        class Late(list):
            """Gets the message just after the second look, which is the last of the turn."""

            looks = 0

            def __bool__(self):
                seen = len(self) > 0
                self.looks += 1
                if self.looks == 2:
                    address.control(Stop(), reply)
                return seen

        address.control_box = Late()
        address.special = True
        address.ready(address)
        system.base.loop.wake()

        assert reply.wait(5.0).name == "performer"


class TestAFirstMessage:
    """It makes the mailbox on the sender's thread, while the cell's own may change what becomes of messages."""

    def test_is_not_the_end_of_all_others_where_the_cell_is_let_loose_meanwhile(self):
        before = iter([("first", None, 0)])

        class Interrupted(Cell):
            """Is sent its first message at the first look at its mailbox at which another thread may come between."""

            @property
            def box(self):
                seen = self.mailbox
                if not cell_module._changing_put.locked():
                    for envelope in before:
                        self.put(envelope)
                return seen

            @box.setter
            def box(self, mailbox):
                self.mailbox = mailbox

        cell = Interrupted("late", dead_letters=None, worker=SimpleNamespace(ready=deque(), asleep=False), parent=None)

        cell.take_messages()
        cell.put(("second", None, 0))

        assert cell.put == cell.mailbox.append
        assert cell.mailbox[-1] == ("second", None, 0)


class LookedAt(deque):
    """What is ready; at the first look a sender comes right behind it."""

    def __init__(self, worker):
        super().__init__()
        self.worker = worker
        self.was_asleep = []

    def __bool__(self):
        self.was_asleep.append(self.worker.asleep)
        return False


class TestAThreadThatGoesToSleep:
    def test_says_so_before_its_last_look(self):
        """Else whoever adds work right behind that look wakes nobody."""
        worker = Worker("sleeper", SystemClock(), lambda: True)
        worker.ready = LookedAt(worker)

        worker._sleep()

        assert worker.ready.was_asleep == [True]
        assert not worker.asleep

    def test_is_woken_by_who_comes_right_behind_its_last_look(self):
        """`on_idle` is asked after that look."""
        worker = Worker("sleeper", SystemClock(), lambda: worker.schedule("cell"))
        thread = threading.Thread(target=worker._sleep, daemon=True)
        thread.start()
        thread.join(10)

        assert not thread.is_alive()


class Parent(RuntimeActor):
    """Starts a child, and one below it."""

    def on_start(self):
        if self.settings:
            self.start_child(self.settings[0], Parent, self.settings[1:])

    @handles(str)
    def leave(self, _, sender):
        raise SystemExit(3)


class TestAnEnd:
    @pytest.mark.parametrize("how", ["stop", "leave", "kill"])
    def test_takes_all_below_along(self, system, how):
        parent = system.start("parent", Parent, ("child", "grandchild"))
        await_that(lambda: "grandchild" in system.base.names, timeout_s=10)
        ends = [system.watch(name) for name in ("parent", "child", "grandchild")]
        if how == "stop":
            system.stop("parent")
        elif how == "leave":
            system.tell("parent", "leave")
        else:
            parent.kill(system.base.outside)

        assert [end.result(10).name for end in ends] == ["parent", "child", "grandchild"]
        assert not {"parent", "child", "grandchild"} & set(system.base.names)


class Slow(RuntimeActor):
    """Takes its time to stop."""

    blocking = True

    def on_stop(self):
        threading.Event().wait(0.3)
        self.settings.append(self.name)


class TestAShutdown:
    def test_returns_when_all_are_gone(self):
        stopped = []
        system = InProcessSystem(InProcessSystemBase(shutdown_s=20))
        for name in ("first", "second"):
            system.start(name, Slow, stopped)

        system.shutdown()

        assert sorted(stopped) == ["first", "second"]
        assert not system.base.names


class TestQuiet:
    """It is where two looks find the same: one look may meet each thread at another moment."""

    @staticmethod
    def a_quiescence(*others, outcomes=()):
        """Build a loop that asks, beside such threads; each look finds the next of the outcomes just arrived."""
        loop = SimpleNamespace(ready=deque(), asleep=True, wake=lambda: None)
        arriving = iter(outcomes)

        class Asker:
            dead, life, background, worker = False, 0, False, loop
            offloads = property(lambda _: loop.ready.extend(filter(None, [next(arriving, None)])) or 0)

            def deliver(self, message, _sender):
                told.append(message)

        quiet = Quiescence(MarketClock(SystemClock(), None))
        quiet.attach(loop)
        for other in others:
            quiet.watch(other)
        told = []
        quiet.wait(Asker(), "quiet", None)
        return quiet, told

    @staticmethod
    def a_thread(wakes):
        """Build one that has been awake so often at each look."""
        looks = iter(wakes)

        class Other:
            asleep, ready = True, ()
            wakes = property(lambda _: next(looks))

        return Other()

    def test_is_not_where_a_thread_woke_between_two_looks(self):
        quiet, told = self.a_quiescence(self.a_thread([1, 2]))

        quiet.test()

        assert told == []

    def test_is_not_where_a_job_ended_just_before_the_look(self):
        quiet, told = self.a_quiescence(outcomes=["its actor"])

        assert quiet.test()
        assert told == []

    def test_is_where_none_did(self):
        quiet, told = self.a_quiescence(self.a_thread([1, 1, 1, 1]))

        quiet.test()

        assert told == ["quiet"]


class TestJobsThatAreDropped:
    def test_are_told_so_since_somebody_counts_them(self):
        gate, begun, told = threading.Event(), threading.Event(), []
        offloader = Offloader(name="one", threads_max=1, jobs_max=9)
        offloader.submit(Job(lambda: begun.set() or gate.wait(10), (), lambda _: None), "a")
        begun.wait(10)
        for name in ("b", "c"):
            offloader.submit(Job(print, (), lambda outcome, name=name: told.append((name, outcome))), name)
        offloader.close()
        gate.set()

        assert told == [("b", None), ("c", None)]


class Heir(RuntimeActor):
    """Has a state, and starts when its settings say so."""

    def on_start(self):
        self.state = "fresh"
        self.settings.lives += 1
        if self.settings.broken:
            raise RuntimeError("it does not start")

    def snapshot(self):
        self.settings.snapshots.append((self.settings.lives, getattr(self, "state", "half made")))
        return self.state

    def restore(self, state):
        self.state = state

    @handles(str)
    def keep(self, state, sender):
        self.state = state

    @handles(bytes)
    def fail(self, _, sender):
        self.settings.broken = True
        raise RuntimeError("told to")

    @handles(int)
    def tell(self, _, sender):
        self.send(sender, self.state)


class TestALifeThatNeverStarted:
    def test_hands_nothing_of_its_own_over(self, system):
        life = SimpleNamespace(lives=0, broken=False, snapshots=[])
        policy = SupervisionSettings.default(
            restarts_max=9_999, window_s=60, fail_max=9_999, reset_timeout_s=1, escalate_after=3,
            backoff_first_s=0.001, backoff_max_s=0.001, backoff_reset_s=60,
        )  # fmt: skip
        spec = ChildSpec("heir", Heir, life)
        system.start("boss", Supervisor, SupervisorSettings(children=(spec,), policy=policy, journal=""))
        system.tell("heir", "mine")
        system.tell("heir", b"")
        await_that(lambda: life.lives > 4, timeout_s=10)
        life.broken = False

        assert system.request("heir", 1, timeout_s=10) == "mine"
        assert life.snapshots == [(1, "mine")]


class TestLettersForOneTarget:
    @pytest.mark.parametrize("plain", [True, False])
    def test_arrive_in_the_order_in_which_they_left(self, plain):
        box = deque()

        class Target:
            def deliver(self, *envelope):
                box.append(envelope)

        target = Target()
        if plain:
            target.box, target.put = box, box.append
        sent = [(number, None, 0) for number in range(5)]

        deliver_all(target, list(sent))

        assert list(box) == sent


class TestAWorkerWhoseParentIsGoneAlready:
    def test_does_not_outlive_it(self):
        """The kernel tells of a death that comes; of one that came before somebody has to ask."""
        script = (
            "from natya.actors.runtime.workers.process import die_with_parent\n"
            "import os, sys\n"
            "die_with_parent(os.getppid() + int(sys.argv[1]))\n"
            "print('alive')\n"
        )

        def run(difference):
            command = [sys.executable, "-c", script, str(difference)]
            return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)

        assert run(0).stdout == "alive\n"
        assert (run(1).stdout, run(1).returncode) == ("", 1)


@pytest.fixture
def performer(system, monkeypatch):
    monkeypatch.syspath_prepend(os.path.join(os.path.dirname(__file__), "hosted"))  # noqa: PTH118, PTH120
    import natya_hosted  # noqa: PLC0415  findable only now

    policy = SupervisionSettings.default(
        restarts_max=9_999, window_s=60, fail_max=9_999, reset_timeout_s=1, escalate_after=3,
        backoff_first_s=0.0001, backoff_max_s=0.0001, backoff_reset_s=60,
    )  # fmt: skip
    spec = ChildSpec("performer", natya_hosted.Performer, natya_hosted.Manner(), host="process")
    system.start("boss", Supervisor, SupervisorSettings(children=(spec,), policy=policy, journal=""))
    return system.base.find("performer")


def say(system):
    return system.request("performer", CancelOrder(client_order_id="say"), timeout_s=30)


class TestWhatAnEarlierWorkerSays:
    @pytest.mark.parametrize(
        "report",
        [wire.HandlerFailed(wire.Raised("E", "late")), wire.StartFailed(wire.Raised("E", "late")),
         wire.Stopped(None, None, False), wire.Lost(5, 5), None],
        ids=lambda report: type(report).__name__,
    )  # fmt: skip
    def test_is_not_believed_of_the_one_there_is(self, system, performer, report):
        earlier = SimpleNamespace(note_lost=lambda lost: lost, take_in_doubt=list, take_unsent=list, pid=1)
        before = system.base.dead_letters.count

        performer.deliver(Ended(earlier, "died") if report is None else Heard(earlier, report), performer)
        answer = say(system)

        (child,) = system.request("boss", DescribeTree()).children
        assert (answer.last_sequence, child.state, child.restarts) == (1, "RUNNING", 0)
        assert system.base.dead_letters.count == before


class TestLettersThatADeadWorkerNeverGot:
    def test_go_to_the_next_one(self, system, performer):
        """What was written may have been handled: those are dead letters; what was not yet written waits."""
        say(system)
        pid = system.request("performer", CancelOrder(client_order_id="pid"), timeout_s=30).correlation_id
        os.kill(int(pid), signal.SIGSTOP)
        count = 60_000
        for sequence in range(1, count + 1):
            system.tell("performer", a_tick(sequence))
        await_that(lambda: system.base.find("performer").handled >= count, timeout_s=30)
        os.kill(int(pid), signal.SIGKILL)

        heard = say(system).first_sequence - 1

        assert 0 < heard < count
        assert heard + system.base.dead_letters.count == count

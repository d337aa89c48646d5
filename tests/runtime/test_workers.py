"""An actor in a worker process: the same to its supervisor and to those who send to it; nobody outlives anybody."""

import contextlib
import dataclasses
import functools
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from natya_builders import a_tick

from natya.actors.runtime import InProcessSystem, InProcessSystemBase, RequestTimedOut, RuntimeActor, handles
from natya.actors.runtime.probe import Probe
from natya.actors.runtime.workers import (
    NotHostableError,
    RemoteError,
    WorkerRefusedError,
    assignment,
    hosting,
    in_process,
    stand_in,
)
from natya.actors.runtime.workers.process import ENVIRONMENT
from natya.actors.supervision import ChildSpec, StopChildren, Supervisor, SupervisorSettings
from natya.config.sections.strategy import StrategySettings
from natya.config.sections.supervision import SupervisionSettings
from natya.messages.codec import MESSAGE_SIZE_MAX_BYTES
from natya.messages.events import Subscribe, Subscribed
from natya.messages.holdings import HoldingsRead, ReadHoldings
from natya.messages.journal import Appended
from natya.messages.orders import CancelOrder, SubmitOrder
from natya.messages.supervision import DeadLetter, DescribeTree, Failed, Unavailable
from natya.messages.system import Ping, Pong

# Forked starts but for those of a process that is itself started here.
pytestmark = [pytest.mark.systems, pytest.mark.usefixtures("forked_starts")]

WAIT_S = 30


def do(command):
    return CancelOrder(client_order_id=command)


def eventually(condition):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)  # between two looks; what is awaited is the condition


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def pid_of(system, name="performer"):
    return int(system.request(name, do("pid")).correlation_id)


def patient(system):
    """Wait for its answers longer than a busy machine takes to start a process."""
    for name in ("start", "stop", "request"):
        setattr(system, name, functools.partial(getattr(system, name), timeout_s=WAIT_S))
    return system


@pytest.fixture
def system(system):
    return patient(system)


def supervise(system, of, manner, **limits):
    """Start a supervisor with one performer in a worker process."""
    spec = ChildSpec("performer", of, manner, host="process", **limits)
    policy = SupervisionSettings.default(
        restarts_max=9_999, window_s=60, fail_max=9_999, reset_timeout_s=1, escalate_after=3,
        backoff_first_s=0.0001, backoff_max_s=0.0001, backoff_reset_s=60,
    )  # fmt: skip
    system.start("boss", Supervisor, SupervisorSettings(children=(spec,), policy=policy, journal=""))


@pytest.fixture
def supervised(system, hosted):
    """Return the function that starts a performer of the test's own."""

    def start(turn_limit_s=0.0, of=hosted.Performer, memory_limit_mb=0, when_exhausted="give_up", **manner):
        limits = {"turn_limit_s": turn_limit_s, "memory_limit_mb": memory_limit_mb, "when_exhausted": when_exhausted}
        supervise(system, of, hosted.Manner(**manner), **limits)

    return start


@pytest.fixture(scope="module")
def lasting(hosted):
    """A performer for the tests that leave it as it was: a process takes 0.3 s of the processor to start."""
    with InProcessSystem(InProcessSystemBase(seed=1, shutdown_s=5)) as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DHAN_ACCESS_TOKEN", "hidden")
        supervise(patient(running), hosted.Performer, hosted.Manner())
        yield running


@pytest.fixture
def performing(lasting):
    """The same, without what the test before has put beside it."""
    names = lasting.base.names
    before = set(names)
    pid = pid_of(lasting)
    yield lasting
    assert pid_of(lasting) == pid
    for name in set(names) - before:
        if isinstance(names[name], Probe):
            del names[name]
        else:
            lasting.stop(name)


class TestAnActorInAWorkerProcess:
    def test_runs_in_another_process(self, performing):
        assert pid_of(performing) != os.getpid()

    def test_is_to_others_what_one_of_its_class_is_beside_them(self, performing, hosted):
        performing.start("near", hosted.Performer)
        far, near = (performing.base.find(name) for name in ("performer", "near"))

        assert (far.guest, far.says, far.background) == (near.guest, near.says, near.background)
        assert far.guest  # its code is a user's

    def test_is_shown_in_the_tree(self, performing):
        (child,) = performing.request("boss", DescribeTree()).children

        assert (child.state, child.host) == ("RUNNING", "process")

    def test_answers_each_asker_his_own_question(self, performing):
        futures = {text: performing.request_future("performer", do(f"say:{text}")) for text in map(str, range(200))}

        assert all(future.result(WAIT_S).correlation_id == text for text, future in futures.items())

    def test_hears_everything_in_order_before_it_is_asked(self, system, supervised):
        supervised()
        for sequence in range(1, 5_001):
            system.tell("performer", a_tick(sequence))

        assert system.request("performer", do("say")).first_sequence == 5_001

    def test_hears_nothing_that_cannot_be_among_much_that_can(self, performing):
        """A burst is looked at as one; what is wrong in it is turned away alone, and its sender hears of it."""
        good = [a_tick(sequence) for sequence in range(1, 101)]
        bad = msgspec.structs.replace(good[0], price="much"), msgspec.structs.replace(good[0], sequence=0)

        class Guest(RuntimeActor):
            @handles(Ping)
            def begin(self, _ping, sender):
                self.asker, self.failures = sender, []
                for message in (*good[:60], bad[0], *good[60:], bad[1], do("say")):
                    self.send("performer", message)

            @handles(Failed)
            def note(self, failed, _sender):
                self.failures.append(failed.message_type)

            @handles(Appended)
            def tell(self, answer, _sender):
                self.send(self.asker, (answer.first_sequence, self.failures))

        performing.start("guest", Guest)
        heard = performing.request("performer", do("say")).first_sequence

        assert performing.request("guest", Ping()) == (heard + 100, ["Tick"] * 2)

    def test_takes_and_answers_messages_of_its_authors_own(self, performing, hosted):
        answers = [performing.request_future("performer", hosted.Word(text)) for text in ("a", "b")]

        assert [answer.result(WAIT_S) for answer in answers] == [hosted.Word("A"), hosted.Word("B")]

    def test_says_which_types_it_takes_and_may_answer(self, performing, hosted):
        refused = performing.request("performer", hosted.Unnamed())
        failed = performing.request("performer", hosted.Word(""))

        assert "one of natya.messages, or one that Performer.wire_types names, is wanted" in refused.reason
        assert "nor one that the actor's wire_types names" in failed.reason

    def test_sends_by_name_to_actors_of_the_parent(self, system, supervised):
        listener = system.probe("listener")
        supervised(greet="listener")

        assert listener.receive(WAIT_S) == do("hello")
        assert listener.sender is system.base.find("performer")

    def test_asks_actors_of_the_parent(self, performing):
        listener, oracle = performing.probe("listener"), performing.probe("oracle")
        performing.tell("performer", do("ask:oracle"))
        oracle.receive(WAIT_S)
        answer = Appended(first_sequence=7, last_sequence=7)
        performing.tell(oracle.sender, answer)

        assert listener.receive(WAIT_S) == answer
        assert oracle.sender.name == "performer", "it asks in its own name, which says for whom it may"

    def test_logs_where_the_parent_logs(self, performing, caplog):
        with caplog.at_level("INFO", logger="natya"):
            performing.request("performer", do("say"))
            eventually(lambda: any(each.message == "performer.obeyed" for each in caplog.records))

    def test_logs_whatever_its_fields_hold(self, performing, caplog):
        with caplog.at_level("INFO", logger="natya"):
            assert performing.request("performer", do("murmur")).correlation_id == "said"
            eventually(lambda: any(each.message == "performer.murmured" for each in caplog.records))

        (said,) = [each for each in caplog.records if each.message == "performer.murmured"]
        assert said.fields["half"] == "\\udc80"
        assert said.fields["broken"] == {"\\ud800": 1}

    def test_answers_pings_with_its_own_statistics(self, performing):
        assert performing.request("performer", Ping()).statistics.failures == 1

    def test_stops_in_order_with_its_final_statistics(self, system, hosted):
        system.start("performer", *in_process(hosted.Performer))
        pid = pid_of(system)
        for sequence in range(1, 1_001):
            system.tell("performer", a_tick(sequence))

        assert system.stop("performer").handled == 1_000
        eventually(lambda: not is_running(pid))

    def test_that_ends_by_itself_answers_who_asked_and_says_why_it_is_gone(self, system, hosted):
        system.start("performer", *in_process(hosted.Performer, None))
        end = system.watch("performer")

        answer = system.request("performer", do("leave"))

        assert (answer.error, answer.reason) == ("SystemExit", "3")
        assert (type(end.result(WAIT_S).error).__name__, str(end.result(WAIT_S).error)) == ("SystemExit", "3")

    def test_that_fails_by_what_no_restart_can_mend_is_not_restarted(self, system, supervised):
        supervised(when_exhausted="park")
        system.tell("performer", do("damage:bytes are gone"))

        eventually(lambda: system.request("boss", Ping()).statistics.parked)
        (child,) = system.request("boss", DescribeTree()).children
        assert "no restart can mend it" in child.last_error + system.request("boss", Ping()).statistics.parked[0]
        assert child.restarts == 0

    def test_that_cannot_stop_says_why(self, system, hosted):
        system.start("performer", *in_process(hosted.Performer, None))
        system.tell("performer", do("spoil"))

        with pytest.raises(RemoteError, match="spoiled"):
            system.stop("performer")

        assert "performer" not in system.base.names

    def test_has_the_paths_and_the_language_of_its_parent(self, performing):
        named = set(performing.request("performer", do("env")).correlation_id.split(","))

        inherited = {name for name in os.environ if name in ENVIRONMENT or name.startswith("LC_")}
        assert named >= inherited | {"PYTHONPATH"}
        assert "PATH" in inherited

    def test_gets_no_secret_of_the_environment(self, performing):
        assert "DHAN_ACCESS_TOKEN" in os.environ
        assert "DHAN_ACCESS_TOKEN" not in performing.request("performer", do("env")).correlation_id.split(",")

    def test_opens_no_listening_socket(self, performing):
        pid = pid_of(performing)

        assert not listening_inodes(pid) & socket_inodes(pid)
        assert not listening_inodes(os.getpid()) & socket_inodes(os.getpid())


class Waiter(RuntimeActor):
    """Tells the listener when all is quiet, as a market waits for it."""

    def on_start(self):
        self.when_quiet(1)

    @handles(int)
    def tell(self, _, __):
        self.send("listener", "quiet")


class Oracle(RuntimeActor):
    """Answers whatever it is asked."""

    @handles(CancelOrder)
    def answer(self, order, sender):
        self.send(sender, Appended(first_sequence=1, last_sequence=1))


class TestAConversationThroughAWorker:
    def test_is_recorded_on_both_sides_as_one(self, performing):
        listener = performing.probe("listener")
        performing.start("oracle", Oracle)
        future = performing.request_future("performer", do("ask:oracle"), correlation_id="A-1")
        listener.receive(WAIT_S)
        eventually(lambda: len(performing.trace("A-1")) == 3)

        asked, answered, heard = sorted(performing.trace("A-1"), key=lambda hop: hop.begun_ns)
        assert [(hop.actor, hop.message_type) for hop in (asked, answered, heard)] == [
            ("performer", "CancelOrder"),
            ("oracle", "CancelOrder"),
            ("performer", "OutcomeArrived"),
        ]
        assert answered.causation_id == asked.hop_id
        assert len({hop.hop_id for hop in (asked, answered, heard)}) == 3
        future.cancel()


class TestAWorkerThatHoldsATurn:
    @pytest.mark.parametrize("how", ["compute", "hold"])
    def test_longer_than_it_may_is_killed_and_replaced(self, system, supervised, how):
        listener = system.probe("listener")
        supervised(turn_limit_s=1.0)
        pid = pid_of(system)

        answer = system.request_future("performer", do(how))
        eventually(lambda: not is_running(pid))
        if how == "compute":
            assert listener.receive(WAIT_S) == do(how)
        system.start("waiter", Waiter)

        assert isinstance(answer.result(WAIT_S), Unavailable)
        assert system.request("performer", do("say")).last_sequence == 1
        assert listener.receive(WAIT_S) == "quiet"
        (child,) = system.request("boss", DescribeTree()).children
        assert child.last_error.endswith("held a turn longer than 1 s, and was killed")

    def test_is_named_in_the_tree_before_that(self, system, supervised):
        supervised(turn_limit_s=8.0)
        system.tell("performer", do("hold"))

        def trouble():
            (child,) = system.request("boss", DescribeTree()).children
            return child.trouble

        eventually(trouble)
        assert "8 s at most" in trouble()

    def test_again_and_again_but_never_for_long_is_left_alone(self, system, supervised):
        supervised(turn_limit_s=1.5)
        pid = pid_of(system)
        futures = [system.request_future("performer", do("nap:0.02")) for _ in range(100)]

        assert all(future.result(30) for future in futures)
        assert pid_of(system) == pid

    def test_is_looked_at_once_a_while_however_often_it_has_a_turn(self, system, supervised):
        supervised(turn_limit_s=8.0)
        timers = system.base.find("performer").worker.timers
        for _ in range(20):
            system.request("performer", do("say"))

        assert len(timers) < 10

    def test_without_a_limit_may_do_so(self, performing):
        pid = pid_of(performing)

        performing.request("performer", do("nap:0.5"), timeout_s=WAIT_S)

        assert pid_of(performing) == pid


class TestAWorkerThatBabbles:
    """What it writes cannot be taken: nobody may wait for it after that."""

    def test_is_killed_and_another_is_there_for_those_who_wait(self, system, supervised):
        listener = system.probe("listener")
        supervised()
        for restarts, what in enumerate(("unequal", "json", "mark", "backwards", "counts", "done", "timer"), start=1):
            pid = pid_of(system)

            system.tell("performer", do(f"babble:{what}"))
            eventually(lambda pid=pid: not is_running(pid))
            system.start("waiter", Waiter)
            answer = system.request("performer", do("say"), timeout_s=WAIT_S)

            assert answer.last_sequence == 1, what
            assert listener.receive(WAIT_S) == "quiet", what
            (child,) = system.request("boss", DescribeTree()).children
            assert (child.state, child.restarts) == ("RUNNING", restarts), what
            assert child.last_error.startswith("WorkerDiedError"), what
            system.stop("waiter")


@dataclasses.dataclass
class Trap:
    """A value that raises when it is written."""

    text: str = ""

    def __getattribute__(self, name):
        if name == "text":
            raise LookupError("a trap")
        return super().__getattribute__(name)


NO_MESSAGES = {
    "a number for a text": do(7),
    "a number out of range": a_tick(sequence=0),
    "nothing": do(None),
    "half a character": do("\udc80"),
    "code that raises": do(Trap()),
    "a value without end": do(functools.reduce(lambda inner, _: [inner], range(10_000), [])),
    "bytes that are no value": do(msgspec.Raw(b"")),
    "bytes that are two values": do(msgspec.Raw(b"\xa1a\xa1b")),
    "values moved to another field": msgspec.structs.replace(
        a_tick(), symbol=msgspec.Raw(b""), price=msgspec.Raw(b"\x07\xcb?\xf0" + bytes(6))
    ),
    "more than a message may have": do("x" * MESSAGE_SIZE_MAX_BYTES),
}


class TestAWorkerThatIsSentWhatIsNotAsDeclared:
    @pytest.mark.parametrize("wrong", NO_MESSAGES.values(), ids=NO_MESSAGES.keys())
    def test_never_sees_it_and_its_sender_is_told(self, performing, wrong):
        pid = pid_of(performing)

        messages = [do("say:before"), wrong, do("say:after")]
        before, refused, after = (
            future.result(WAIT_S)
            for future in [performing.request_future("performer", message) for message in messages]
        )

        assert (before.correlation_id, after.correlation_id) == ("before", "after")
        assert (refused.actor, refused.error) == ("performer", "MessageRefusedError")
        assert refused.message_type == type(wrong).__name__
        assert refused.reason.startswith(f"{refused.message_type} with fields as declared wanted: ")
        assert pid_of(performing) == pid
        letter = performing.base.dead_letters.last[-1]
        assert (letter.actor, letter.message_type, letter.reason) == ("performer", type(wrong).__name__, refused.reason)

    def test_answers_whoever_sent_it_also_behind_what_could_not_even_be_written(self, performing):
        messages = [do("\udc80"), do("say:one"), do(7), do("say:two"), do(None)]

        answers = [
            future.result(WAIT_S) for future in [performing.request_future("performer", each) for each in messages]
        ]

        assert [answer.correlation_id for answer in answers if isinstance(answer, Appended)] == ["one", "two"]
        wrong = [answers[index].reason for index in (0, 2, 4)]
        assert [kind in reason for kind, reason in zip(("surrogates", "`int`", "`None`"), wrong, strict=True)] == [
            True
        ] * 3

    def test_is_sent_what_each_class_declares(self, performing):
        """A list in the place of a tuple, a whole number of rupees: as the codec would bring it."""
        listener = performing.probe("listener")
        performing.tell("performer", Failed(actor="x", message_type="y", error="z", reason=Decimal("1.50")))

        assert listener.receive(WAIT_S).reason == "1.50"

    def test_hears_failed_as_the_answer_to_its_question(self, performing):
        listener, liar = performing.probe("listener"), performing.probe("liar")
        performing.tell("performer", do("ask:liar"))
        liar.receive(WAIT_S)
        liar.sender.deliver(Appended(first_sequence="one", last_sequence=1), liar)

        answer = listener.receive(WAIT_S)
        assert (answer.message_type, answer.error) == ("Appended", "MessageRefusedError")


class TestAWorkerThatSaysWhatIsNotAsDeclared:
    def test_to_an_actor_is_told_and_goes_on(self, performing):
        listener, other = performing.probe("listener"), performing.probe("other")
        pid = pid_of(performing)

        performing.tell("performer", do("lie:other"))

        refused = listener.receive(WAIT_S)
        assert (refused.actor, refused.message_type, refused.error) == ("other", "Appended", "MessageRefusedError")
        assert pid_of(performing) == pid
        assert other.is_empty()
        letter = performing.base.dead_letters.last[-1]
        assert (letter.actor, letter.message_type) == ("other", "Appended")

    def test_to_who_asked_is_the_failure_of_that_question(self, performing):
        answer = performing.request("performer", do("lie"), timeout_s=WAIT_S)

        assert (answer.actor, answer.message_type, answer.error) == ("performer", "Appended", "MessageRefusedError")


class TestAHandlerThatRaisesInAWorker:
    def test_fails_once_and_the_actor_goes_on_in_the_same_process_with_its_state(self, system, supervised):
        events = system.probe("events")
        supervised()
        pid = pid_of(system)

        answer = system.request("performer", do("raise:the reason"))
        after = system.request("performer", do("pid"))

        assert answer == Failed(actor="performer", message_type="CancelOrder", error="LookupError", reason="the reason")
        assert (int(after.correlation_id), after.last_sequence) == (pid, 2)
        letter = events.receive(WAIT_S)
        assert isinstance(letter, DeadLetter)
        assert (letter.actor, letter.error) == ("performer", "LookupError")
        (child,) = system.request("boss", DescribeTree()).children
        assert (child.restarts, child.last_error) == (1, "LookupError: the reason")

    def test_loses_no_message_behind_it(self, system, supervised):
        supervised()
        system.tell("performer", do("raise"))
        futures = [system.request_future("performer", do(f"say:{number}")) for number in range(100)]

        assert [future.result(WAIT_S).correlation_id for future in futures] == [str(number) for number in range(100)]

    def test_hundreds_of_times_is_counted_exactly_and_logged_a_hundred_times_a_second(self, system, supervised, caplog):
        system.probe("events")
        supervised()
        pid, before, begun = pid_of(system), system.base.dead_letters.count, time.monotonic()
        with caplog.at_level("INFO", logger="natya"):
            for number in range(600):
                system.tell("performer", do(f"raise:{number}"))
            after = system.request("performer", do("pid"))
        seconds = int(time.monotonic() - begun) + 2

        assert (int(after.correlation_id), after.last_sequence) == (pid, 601)
        eventually(lambda: system.base.dead_letters.count == before + 600)
        (child,) = system.request("boss", DescribeTree()).children
        assert child.restarts == 600
        assert len(caplog.records) <= 100 * seconds + 1  # and the one that says that it obeyed

    def test_with_what_no_wire_takes_in_its_text_is_reported_all_the_same(self, performing):
        answer = performing.request("performer", do("odd"))

        assert (answer.error, answer.reason) == ("LookupError", "\\udc80")

    def test_since_it_wants_more_memory_than_it_may_have_is_told_so_and_goes_on(self, system, supervised):
        supervised(memory_limit_mb=256)
        pid = pid_of(system)

        answer = system.request("performer", do("allocate"))

        assert answer.error == "MemoryError"
        told = "MemoryError: more than 256 MiB of memory wanted"
        eventually(lambda: system.request("boss", DescribeTree()).children[0].last_error.startswith(told))
        assert pid_of(system) == pid


class TestAWorkerThatDies:
    @pytest.mark.parametrize("command", ["exit", "killed"])
    def test_is_replaced_at_the_same_address_and_draws_the_random_numbers_of_that_life(
        self, system, supervised, command, monkeypatch
    ):
        monkeypatch.setattr(system.base, "seed", 7)
        supervised()
        address, pid = system.base.find("performer"), pid_of(system)
        drawn, wanted = [system.request("performer", do("draw"))], [system.base.new_random(address).random()]
        if command == "exit":
            assert isinstance(system.request("performer", do("exit")), Unavailable)
        else:
            os.kill(pid, signal.SIGKILL)
            eventually(lambda: not is_running(pid))

        eventually(lambda: isinstance(system.request("performer", do("pid")), Appended))
        assert pid_of(system) != pid
        assert system.base.find("performer") is address
        drawn.append(system.request("performer", do("draw")))
        wanted.append(system.base.new_random(address).random())
        assert [each.correlation_id for each in drawn] == [str(each) for each in wanted]
        assert wanted[0] != wanted[1]

    def test_leaves_what_it_had_in_hand_to_the_dead_letters(self, system, supervised):
        supervised()
        system.tell("performer", do("exit"))
        future = system.request_future("performer", do("say"))

        answer = future.result(WAIT_S)

        assert isinstance(answer, (Unavailable, Appended))
        assert system.base.dead_letters.count >= 1

    def test_leaves_an_answer_to_what_it_had_asked_to_the_dead_letters(self, system, supervised):
        listener, oracle = system.probe("listener"), system.probe("oracle")
        supervised()
        pid = pid_of(system)
        system.tell("performer", do("ask:oracle"))
        oracle.receive(WAIT_S)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: getattr(system.request("performer", do("pid")), "correlation_id", str(pid)) != str(pid))
        before = system.base.dead_letters.count

        system.tell(oracle.sender, Appended(first_sequence=7, last_sequence=7))
        system.tell("performer", do("send:listener"))

        assert listener.receive(WAIT_S) == do("send:listener")
        assert system.base.dead_letters.count == before + 1
        assert "its worker process is gone" in system.base.dead_letters.last[-1].reason

    def test_answers_or_refuses_whatever_it_is_sent_meanwhile(self, system, supervised):
        supervised()
        pid = pid_of(system)
        futures = [system.request_future("performer", do("say:before")) for _ in range(500)]
        os.kill(pid, signal.SIGKILL)
        while is_running(pid) or not isinstance(futures[-1].result(WAIT_S), Appended):
            futures.append(system.request_future("performer", do("say:after")))

        assert all(isinstance(future.result(WAIT_S), (Appended, Unavailable)) for future in futures)

    def test_leaves_no_thread_or_descriptor(self, system, supervised):
        supervised()
        pid_of(system)
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  numbers are all that is wanted
        for _ in range(3):
            system.request("performer", do("exit"))
            eventually(lambda: isinstance(system.request("performer", do("pid")), Appended))

        eventually(lambda: len(os.listdir("/proc/self/fd")) == before)  # noqa: PTH208

    @pytest.mark.parametrize("command", ["hold", "compute"])
    def test_is_killed_when_its_handler_never_returns_and_it_is_to_stop(self, system, hosted, command):
        spec = ChildSpec("performer", hosted.Performer, None, host="process", shutdown_s=0.1)
        policy = SupervisionSettings.default(
            restarts_max=5, window_s=60, fail_max=5, reset_timeout_s=1, escalate_after=3,
            backoff_first_s=0.001, backoff_max_s=0.01, backoff_reset_s=60,
        )  # fmt: skip
        system.start("boss", Supervisor, SupervisorSettings(children=(spec,), policy=policy, journal=""))
        pid = pid_of(system)
        system.tell("performer", do(command))

        system.request("boss", StopChildren(), timeout_s=WAIT_S)

        eventually(lambda: not is_running(pid))


class TestAWorkerWhoseParentIsKilled:
    @pytest.mark.parametrize("command", ["say", "hold"])
    def test_ends_too(self, hosted, command):
        path = str(Path(hosted.__file__).parent)
        parent = subprocess.Popen([sys.executable, "-c", PARENT, path, command], stdout=subprocess.PIPE)
        with parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            assert is_running(pid)
            parent.kill()
            parent.wait()

            eventually(lambda: not is_running(pid))


PARENT = textwrap.dedent("""
    import sys, threading
    sys.path.insert(0, sys.argv[1])
    from natya.actors.runtime import InProcessSystem
    from natya.actors.runtime.workers import in_process
    from natya.messages.orders import CancelOrder
    from natya_hosted import Performer

    with InProcessSystem() as system:
        system.start("performer", *in_process(Performer))
        pid = system.request("performer", CancelOrder(client_order_id="pid")).correlation_id
        system.tell("performer", CancelOrder(client_order_id=sys.argv[2]))
        print(pid, flush=True)
        threading.Event().wait()
""")


class TestAnInterpreterThatEnds:
    @pytest.mark.parametrize("end", ["sys.exit(0)", "system.base.shutdown(); sys.exit(0)"])
    @pytest.mark.parametrize("command", ["say", "hold"])
    def test_takes_its_workers_with_it(self, hosted, command, end):
        path = str(Path(hosted.__file__).parent)
        done = subprocess.run(
            [sys.executable, "-c", ENDING + end, path, command], stdout=subprocess.PIPE, timeout=20, check=True
        )

        eventually(lambda: not is_running(int(done.stdout)))

    def test_in_a_fork_of_it_leaves_them_alone(self, performing):
        pid = pid_of(performing)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of a fork with threads
            fork = os.fork()
        if not fork:
            os._exit(0)
        os.waitpid(fork, 0)

        assert pid_of(performing) == pid


ENDING = textwrap.dedent("""
    import sys
    sys.path.insert(0, sys.argv[1])
    from natya.actors.runtime import InProcessSystem, InProcessSystemBase
    from natya.actors.runtime.workers import in_process
    from natya.messages.orders import CancelOrder
    from natya_hosted import Performer

    system = InProcessSystem(InProcessSystemBase(shutdown_s=0.5))
    system.start("performer", *in_process(Performer))
    pid = system.request("performer", CancelOrder(client_order_id="pid")).correlation_id
    system.tell("performer", CancelOrder(client_order_id=sys.argv[2]))
    print(pid, flush=True)
""")


class TestAWorkerThatCannotStart:
    def test_reports_what_on_start_raised(self, system, hosted):
        with pytest.raises(Exception, match="it will not start") as caught:
            system.start("performer", *in_process(hosted.Performer, hosted.Manner(start_fails=True)))

        assert type(caught.value).__name__ == "ValueError"

    def test_is_tried_again_by_its_supervisor(self, system, supervised, tmp_path):
        flag = tmp_path / "flag"
        flag.touch()
        listener = system.probe("listener")
        threading.Timer(0.3, flag.unlink).start()
        supervised(flag=str(flag), greet="listener")

        assert listener.receive(WAIT_S) == do("hello")

    def test_is_refused_when_its_code_is_of_another_build(self, system, hosted, monkeypatch):
        monkeypatch.setattr(assignment, "build_id", lambda: "0" * 64)

        with pytest.raises(WorkerRefusedError, match="restart the system"):
            system.start("performer", *in_process(hosted.Performer))

    def test_refuses_types_that_no_wire_takes(self, system, hosted, monkeypatch):
        monkeypatch.setattr(hosted.Performer, "wire_types", (int,))

        with pytest.raises(NotHostableError, match="wire_types names msgspec Structs, found <class 'int'>"):
            system.start("performer", *in_process(hosted.Performer, hosted.Manner()))

    def test_refuses_a_class_that_cannot_be_imported(self, system):
        class Local(RuntimeActor):
            @handles(Ping)
            def answer(self, ping, sender): ...

        with pytest.raises(NotHostableError, match="can import"):
            system.start("local", *in_process(Local))

    def test_refuses_settings_that_have_no_wire_form(self, system, hosted):
        with pytest.raises(NotHostableError, match="Struct"):
            system.start("performer", *in_process(hosted.Performer, object()))

    def test_a_supervisor_is_none(self):
        with pytest.raises(ValueError, match="runs where its supervisor does"):
            ChildSpec("boss", Supervisor, host="process")


class TestAWorkerThatIsSlow:
    def test_drops_ticks_and_refuses_the_rest_at_the_bound(self, system, supervised, monkeypatch):
        monkeypatch.setattr(stand_in, "UNHANDLED_MAX", 10)
        supervised()
        cell = system.base.find("performer")
        system.tell("performer", do("hold"))
        for sequence in range(1, 51):
            system.tell("performer", a_tick(sequence))
        eventually(lambda: cell.counters().dropped == 41)
        for sequence in range(51, 101):  # now some are on their way
            system.tell("performer", a_tick(sequence))

        answer = system.request("performer", Ping())

        assert isinstance(answer, Unavailable)
        assert cell.counters().dropped == 92

    def test_gets_the_newest_ticks_when_it_keeps_up_and_all_else_in_its_order_and_each_is_counted(
        self, system, supervised, hosted
    ):
        supervised(of=hosted.KeepsUp)
        cell, listener = system.base.find("performer"), system.probe("listener")
        pid = pid_of(system)
        os.kill(pid, signal.SIGSTOP)
        try:
            for sequence in range(1, 10_001):
                system.tell("performer", a_tick(sequence, symbol=f"S{sequence % 5}"))
                if sequence % 2_500 == 0:
                    system.tell("performer", do("send:listener"))
            eventually(lambda: cell.conflated and not cell.box)
            counted = cell.counters()
            assert counted.depth + counted.conflated == 10_004
            assert counted.depth < 600
        finally:
            os.kill(pid, signal.SIGCONT)

        assert [listener.receive(WAIT_S) for _ in range(4)] == [do("send:listener")] * 4
        answer = system.request("performer", do("last"))
        assert answer.correlation_id == "S0 10000"
        assert answer.first_sequence - 1 == 10_000 - cell.counters().conflated
        eventually(lambda: not cell.counters().depth)
        assert cell.counters().dropped == 0

    def test_sends_what_it_sent_before_it_went_on_for_long(self, system, supervised):
        listener = system.probe("listener")
        supervised()
        system.tell("performer", do("compute"))

        assert listener.receive(WAIT_S) == do("compute")

    def test_whose_answer_comes_too_late_answers_no_later_question(self, performing):
        before = performing.base.dead_letters.count
        with pytest.raises(RequestTimedOut):
            performing.request("performer", do("late:first"), timeout_s=0.001)

        assert performing.request("performer", do("say:second")).correlation_id == "second"
        eventually(lambda: performing.base.dead_letters.count == before + 1)


class TestAWorkerThatSaysTooMuch:
    def test_loses_ticks_and_has_the_rest_refused(self, system, monkeypatch):
        monkeypatch.setattr(hosting, "UNSENT_MAX", 10)
        here, there = socket.socketpair()
        with here, there:
            there.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
            host, sender = hosting.Host(there), system.probe("sender")
            far = host.far("listener")
            while sender.is_empty():
                far.deliver(a_tick(), sender)
                far.deliver(do("x"), sender)

            assert isinstance(sender.receive(), Unavailable)
            here.shutdown(socket.SHUT_RDWR)


class Quiet(msgspec.Struct, frozen=True):
    """Everything is handled."""


class Market(RuntimeActor):
    """Sends a command to the performer, waits for quiet, and tells."""

    @handles(Ping)
    def go(self, ping, sender):
        self.asker = sender
        self.send("performer", do(self.settings))
        self.when_quiet(Quiet())

    @handles(Quiet)
    def quiet(self, message, sender):
        self.send(self.asker, Pong(actor="market", statistics=self.statistics()))


class TestAMarketInLockStep:
    @pytest.mark.parametrize("command", ["send:listener", "offload:listener", "ask:oracle"])
    def test_waits_until_the_worker_has_done_what_it_was_told(self, performing, command):
        listener = performing.probe("listener")
        performing.start("oracle", Oracle)
        performing.start("market", Market, command)
        for _ in range(100):
            performing.request("market", Ping())

            assert not listener.is_empty()
            listener.receive()


class PlayedOrders(RuntimeActor):
    """Says that a strategy holds nothing, and shows what it orders."""

    @handles(ReadHoldings)
    def tell(self, request, sender):
        self.send(sender, HoldingsRead(strategy=request.strategy, shares={}, filled={}))

    @handles(SubmitOrder)
    def show(self, order, _):
        self.send("placed", order)


class PlayedEvents(RuntimeActor):
    @handles(Subscribe)
    def subscribe(self, request, sender):
        self.send(sender, Subscribed(subscriber=request.subscriber))


class TestAStrategyInAWorker:
    def test_hears_ticks_and_places_orders(self, system, hosted):
        placed = system.probe("placed")
        system.start("events", PlayedEvents)
        system.start("orders", PlayedOrders)
        settings = StrategySettings(name="buyer", strategy="natya_hosted:Buyer")
        system.start("buyer", *in_process(hosted.Buyer, settings))
        system.tell("buyer", a_tick(price=1500.05))

        order = placed.receive(WAIT_S)

        assert isinstance(order, SubmitOrder)
        assert (order.symbol, order.quantity, order.reference_price) == ("INFY", 5, 1500.05)


def listening_inodes(pid):
    """Every listening socket of the machine, internet and unix, by inode."""
    found = set()
    for name, state, column in (("tcp", "0A", 9), ("tcp6", "0A", 9)):
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == state:
                found.add(fields[column])
    for line in Path(f"/proc/{pid}/net/unix").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[3], 16) & 0x10000:
            found.add(fields[6])
    return found


def socket_inodes(pid):
    found = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # that of this very listing
            link = str(each.readlink())
            if link.startswith("socket:["):
                found.add(link[8:-1])
    return found

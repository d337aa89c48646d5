"""An actor in a worker process: the same to its supervisor and to those who send to it; nobody outlives anybody."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import msgspec
import pytest

from natya.actors.runtime import RuntimeActor, handles
from natya.actors.runtime.workers import NotHostableError, WorkerRefusedError, assignment, in_process, stand_in, wire
from natya.actors.supervision import ChildSpec, StopChildren, Supervisor, SupervisorSettings
from natya.config.settings import StrategySettings, SupervisionSettings
from natya.messages.journal import Appended
from natya.messages.market import Tick
from natya.messages.orders import CancelOrder, HoldingsRead, ReadHoldings, SubmitOrder
from natya.messages.supervision import DeadLetter, DescribeTree, Failed, Unavailable
from natya.messages.system import Ping, Pong

HOSTED = Path(__file__).parent / "hosted"
BUDGET_S = 2.0


def do(command):
    return CancelOrder(client_order_id=command)


def a_tick(sequence=1):
    return Tick(symbol="INFY", price=1500.05, quantity=1, exchange_ns=1, source="test", sequence=sequence)


def eventually(condition):
    deadline = time.monotonic() + BUDGET_S
    while not condition():
        assert time.monotonic() < deadline
        os.sched_yield()


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def pid_of(system, name="performer"):
    return int(system.request(name, do("pid")).correlation_id)


@pytest.fixture
def hosted(monkeypatch):
    monkeypatch.syspath_prepend(str(HOSTED))
    import natya_hosted  # noqa: PLC0415  findable only now

    return natya_hosted


@pytest.fixture
def supervised(system, hosted):
    """Start a supervisor with one performer in a worker process; return the function that does."""

    def start(**manner):
        settings = hosted.Manner(**manner)
        spec = ChildSpec("performer", hosted.Performer, settings, host="process")
        policy = SupervisionSettings(
            restarts_max=9_999, window_s=60, fail_max=9_999, reset_timeout_s=1, escalate_after=3,
            backoff_first_s=0.001, backoff_max_s=0.01, backoff_reset_s=60,
        )  # fmt: skip
        system.start("boss", Supervisor, SupervisorSettings(children=(spec,), policy=policy, journal=""))

    return start


class TestAnActorInAWorkerProcess:
    def test_runs_in_another_process(self, system, supervised):
        supervised()

        assert pid_of(system) != os.getpid()

    def test_is_shown_in_the_tree(self, system, supervised):
        supervised()

        (child,) = system.request("boss", DescribeTree()).children

        assert (child.state, child.host) == ("RUNNING", "process")

    def test_answers_each_asker_his_own_question(self, system, supervised):
        supervised()

        futures = {text: system.request_future("performer", do(f"say:{text}")) for text in map(str, range(200))}

        assert all(future.result(5).correlation_id == text for text, future in futures.items())

    def test_hears_everything_in_order_before_it_is_asked(self, system, supervised):
        supervised()
        for sequence in range(1, 5_001):
            system.tell("performer", a_tick(sequence))

        assert system.request("performer", do("say")).first_sequence == 5_001

    def test_sends_by_name_to_actors_of_the_parent(self, system, supervised):
        listener = system.probe("listener")
        supervised(greet="listener")

        assert listener.receive(5) == do("hello")
        assert listener.sender is system.base.find("performer")

    def test_asks_actors_of_the_parent(self, system, supervised):
        listener, oracle = system.probe("listener"), system.probe("oracle")
        supervised()
        system.tell("performer", do("ask:oracle"))
        oracle.receive(5)
        answer = Appended(first_sequence=7, last_sequence=7)
        system.tell(oracle.sender, answer)

        assert listener.receive(5) == answer

    def test_logs_where_the_parent_logs(self, system, supervised, caplog):
        supervised()
        with caplog.at_level("INFO", logger="natya"):
            system.request("performer", do("say"))
            eventually(lambda: any(each.message == "performer.obeyed" for each in caplog.records))

    def test_answers_pings_with_its_own_statistics(self, system, supervised):
        supervised()

        assert system.request("performer", Ping()).statistics.failures == 1

    def test_stops_in_order_with_its_final_statistics(self, system, hosted):
        system.start("performer", *in_process(hosted.Performer))
        pid = pid_of(system)
        for sequence in range(1, 1_001):
            system.tell("performer", a_tick(sequence))

        assert system.stop("performer").handled == 1_000
        eventually(lambda: not is_running(pid))

    def test_gets_no_secret_of_the_environment(self, system, supervised, monkeypatch):
        monkeypatch.setenv("DHAN_ACCESS_TOKEN", "hidden")
        supervised()

        assert "DHAN_ACCESS_TOKEN" not in system.request("performer", do("env")).correlation_id.split(",")

    def test_opens_no_listening_socket(self, system, supervised):
        supervised()
        pid = pid_of(system)

        assert not listening_inodes(pid) & socket_inodes(pid)
        assert not listening_inodes(os.getpid()) & socket_inodes(os.getpid())


class TestAHandlerThatRaisesInAWorker:
    def test_fails_once_and_the_actor_goes_on_in_the_same_process_with_its_state(self, system, supervised):
        events = system.probe("events")
        supervised()
        pid = pid_of(system)

        answer = system.request("performer", do("raise:the reason"))
        after = system.request("performer", do("pid"))

        assert answer == Failed(actor="performer", message_type="CancelOrder", error="LookupError", reason="the reason")
        assert (int(after.correlation_id), after.last_sequence) == (pid, 2)
        letter = events.receive(5)
        assert isinstance(letter, DeadLetter)
        assert (letter.actor, letter.error) == ("performer", "LookupError")
        (child,) = system.request("boss", DescribeTree()).children
        assert (child.restarts, child.last_error) == (1, "LookupError: the reason")

    def test_loses_no_message_behind_it(self, system, supervised):
        supervised()
        system.tell("performer", do("raise"))
        futures = [system.request_future("performer", do(f"say:{number}")) for number in range(100)]

        assert [future.result(5).correlation_id for future in futures] == [str(number) for number in range(100)]


class TestAWorkerThatDies:
    @pytest.mark.parametrize("command", ["exit", "killed"])
    def test_is_replaced_at_the_same_address(self, system, supervised, command):
        supervised()
        address, pid = system.base.find("performer"), pid_of(system)
        begun = time.monotonic()
        if command == "exit":
            assert isinstance(system.request("performer", do("exit")), Unavailable)
        else:
            os.kill(pid, signal.SIGKILL)
            eventually(lambda: not is_running(pid))

        eventually(lambda: isinstance(system.request("performer", do("pid")), Appended))
        assert time.monotonic() - begun < BUDGET_S
        assert pid_of(system) != pid
        assert system.base.find("performer") is address

    def test_leaves_what_it_had_in_hand_to_the_dead_letters(self, system, supervised):
        supervised()
        system.tell("performer", do("exit"))
        future = system.request_future("performer", do("say"))

        answer = future.result(5)

        assert isinstance(answer, (Unavailable, Appended))
        assert system.base.dead_letters.count >= 1

    def test_leaves_no_thread_or_descriptor(self, system, supervised):
        supervised()
        pid_of(system)
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  numbers are all that is wanted
        for _ in range(3):
            system.request("performer", do("exit"))
            eventually(lambda: isinstance(system.request("performer", do("pid")), Appended))

        eventually(lambda: len(os.listdir("/proc/self/fd")) == before)  # noqa: PTH208

    def test_is_killed_when_it_holds_its_interpreter_and_is_to_stop(self, system, hosted):
        spec = ChildSpec("performer", hosted.Performer, None, host="process", shutdown_s=0.1)
        policy = SupervisionSettings(
            restarts_max=5, window_s=60, fail_max=5, reset_timeout_s=1, escalate_after=3,
            backoff_first_s=0.001, backoff_max_s=0.01, backoff_reset_s=60,
        )  # fmt: skip
        system.start("boss", Supervisor, SupervisorSettings(children=(spec,), policy=policy, journal=""))
        pid = pid_of(system)
        system.tell("performer", do("hold"))

        system.request("boss", StopChildren(), timeout_s=5)

        eventually(lambda: not is_running(pid))


class TestAWorkerWhoseParentIsKilled:
    @pytest.mark.parametrize("command", ["say", "hold"])
    def test_is_gone_within_two_seconds(self, command):
        parent = subprocess.Popen([sys.executable, "-c", PARENT, str(HOSTED), command], stdout=subprocess.PIPE)
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

        assert listener.receive(5) == do("hello")

    def test_is_refused_when_its_code_is_of_another_build(self, system, hosted, monkeypatch):
        monkeypatch.setattr(assignment, "build_id", lambda: "0" * 64)

        with pytest.raises(WorkerRefusedError, match="restart the system"):
            system.start("performer", *in_process(hosted.Performer))

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
        for sequence in range(1, 101):
            system.tell("performer", a_tick(sequence))

        answer = system.request("performer", Ping())

        assert isinstance(answer, Unavailable)
        assert cell.counters().dropped == 92


class Quiet(msgspec.Struct, frozen=True):
    """Everything is handled."""


class Market(RuntimeActor):
    """Sends a command to the performer, waits for quiet, and tells."""

    @handles(Ping)
    def go(self, ping, sender):
        self.asker = sender
        self.send("performer", do("send:listener"))
        self.when_quiet(Quiet())

    @handles(Quiet)
    def quiet(self, message, sender):
        self.send(self.asker, Pong(actor="market", statistics=self.statistics()))


class TestAMarketInLockStep:
    def test_waits_until_the_worker_has_handled_what_it_was_sent(self, system, supervised):
        listener = system.probe("listener")
        supervised()
        system.start("market", Market)
        for _ in range(100):
            system.request("market", Ping())

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


class TestAStrategyInAWorker:
    def test_hears_ticks_and_places_orders(self, system, hosted):
        placed = system.probe("placed")
        system.probe("events")
        system.start("orders", PlayedOrders)
        settings = StrategySettings(name="buyer", strategy="natya_hosted:Buyer")
        system.start("buyer", *in_process(hosted.Buyer, settings))
        system.tell("buyer", a_tick())

        order = placed.receive(5)

        assert isinstance(order, SubmitOrder)
        assert (order.symbol, order.quantity, order.reference_price) == ("INFY", 5, 1500.05)


class TestTheWire:
    def test_a_frame_reads_as_it_was_written(self):
        frame = wire.Frame([wire.Letters("orders", 0, False, [a_tick(), do("x")]), wire.Handled(5)], 3)

        assert wire.read(wire.write(frame)[wire.LENGTH_BYTES :]) == frame


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

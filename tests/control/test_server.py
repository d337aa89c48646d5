import contextlib
import os
import random
import resource
import signal
import socket
import subprocess
import threading
import time
from types import SimpleNamespace

import pytest
from natya_processes import await_that
from natya_starts import Python

from natya.actors.control import server, socket_path
from natya.actors.control.errors import NotRunningError
from natya.actors.control.peer import Peer
from natya.actors.control.server import ControlServer
from natya.config.sections.control import ControlSettings
from natya.messages.codec import encode
from natya.messages.control import Answer, Ask, AskRefused
from natya.messages.framing import framed
from natya.messages.system import Ping


class Kept:
    """Keeps questions until a test answers them."""

    def __init__(self):
        self.asked = []
        self.came = threading.Semaphore(0)

    def __call__(self, asked):
        self.asked.append(asked)
        self.came.release()

    def wait_for(self, count):
        for _ in range(count):
            assert self.came.acquire(timeout=60)
        return self.asked


@pytest.fixture
def kept():
    return Kept()


class TestAQuestion:
    def test_gets_the_answer_with_its_own_id(self, serve):
        line = serve().line()
        line.ask(7)

        assert line.reply() == Answer(request_id=7, message=encode(Ping()))

    def test_in_pieces_is_a_question_all_the_same(self, serve):
        line = serve().line()
        for byte in framed(encode(Ask(request_id=7, actor="echo", message=encode(Ping()), timeout_s=1))):
            line.send(bytes([byte]))

        assert line.reply().request_id == 7

    def test_may_be_answered_after_a_later_one(self, serve, kept):
        line = serve(kept).line()
        line.ask(1)
        line.ask(2)
        for asked in reversed(kept.wait_for(2)):
            asked.answer(encode(Ping()))

        assert [line.reply().request_id, line.reply().request_id] == [2, 1]

    def test_answered_from_many_threads_gets_each_answer_once(self, serve, kept):
        served = serve(kept, in_flight_max=100)
        line = served.line()
        for number in range(100):
            line.ask(number)
        threads = [
            threading.Thread(target=asked.answer, args=(b"\x01" + bytes([number]),))
            for number, asked in enumerate(kept.wait_for(100))
        ]
        for thread in threads:
            thread.start()
        replies = {reply.request_id: reply.message for reply in (line.reply() for _ in range(100))}
        for thread in threads:
            thread.join(60)

        assert replies == {number: b"\x01" + bytes([number]) for number in range(100)}

    def test_answered_after_its_asker_left_harms_nobody(self, serve, kept):
        served = serve(kept)
        line = served.line()
        line.ask()
        kept.wait_for(1)
        line.socket.close()
        other = served.line()
        other.ask(2)
        first, second = kept.wait_for(1)
        first.answer(encode(Ping()))
        second.answer(encode(Ping()))

        assert other.reply().request_id == 2

    def test_with_an_answer_that_no_frame_holds_is_refused(self, serve):
        line = serve(lambda asked: asked.answer(bytes(2 << 20)), unsent_bytes_max=1 << 20).line()
        line.ask(3)
        refusal = line.reply()

        assert (refusal.request_id, refusal.kind) == (3, "too_large")

    def test_beyond_those_in_flight_is_refused_and_the_others_are_answered(self, serve, kept):
        served = serve(kept, in_flight_max=2)
        line = served.line()
        for number in (1, 2, 3):
            line.ask(number)
        refusal = line.reply()
        for asked in kept.wait_for(2):
            asked.answer(encode(Ping()))

        assert (refusal.request_id, refusal.kind) == (3, "busy")
        assert "in_flight_max (2)" in refusal.reason
        assert {line.reply().request_id, line.reply().request_id} == {1, 2}
        counts = served.server.statistics()
        assert (counts.asks, counts.refused) == (2, 1)

    def test_that_is_refused_by_who_hears_it_is_counted_and_an_answered_one_is_not(self, serve):
        def admit_the_second(asked):
            if asked.ask.request_id == 2:
                asked.answer(encode(Ping()))
            else:
                asked.refuse("forbidden", "as the test says")

        served = serve(admit_the_second)
        line = served.line()
        for number in (1, 2, 3):
            line.ask(number)
        replies = [line.reply() for _ in range(3)]

        assert [type(each) for each in replies] == [AskRefused, Answer, AskRefused]
        counts = served.server.statistics()
        assert (counts.asks, counts.refused, counts.dropped, counts.accepted, counts.connections) == (3, 2, 0, 1, 1)


class TestAQuestionUnderANumberThatIsUsedAgain:
    def test_gets_its_own_answer_not_the_one_of_the_connection_before(self, serve, kept):
        served = serve(kept)
        first_line = served.line()
        first_line.ask(1)
        (first,) = kept.wait_for(1)
        first_line.socket.close()
        second_line = served.line()
        second_line.ask(1)
        second = kept.wait_for(1)[1]
        first.answer(b"\x01first")
        second.answer(b"\x01second")

        assert second_line.reply().message == b"\x01second"
        assert first.asker != second.asker

    def test_gets_its_own_answer_not_a_second_one_to_the_question_before(self, serve, kept):
        line = serve(kept).line()
        line.ask(1)
        (first,) = kept.wait_for(1)
        first.answer(b"\x01first")
        assert line.reply().message == b"\x01first"
        line.ask(1)
        second = kept.wait_for(1)[1]
        first.answer(b"\x01first again")
        first.refuse("timed_out", "late")
        second.answer(b"\x01second")

        assert line.reply().message == b"\x01second"
        assert first.asker != second.asker

    def test_is_named_as_none_of_a_server_before(self, tmp_path):
        lives = set()
        for _ in range(3):
            server = ControlServer(tmp_path, ControlSettings.default(), on_ask=print, monotonic_ns=time.monotonic_ns)
            lives.add(server.life)
            server.close()

        assert len(lives) == 3


class Gone:
    """Hears of those whose connection ended."""

    def __init__(self):
        self.askers = []
        self.came = threading.Semaphore(0)

    def __call__(self, asker):
        self.askers.append(asker)
        self.came.release()

    def wait_for(self, count):
        for _ in range(count):
            assert self.came.acquire(timeout=60)
        return self.askers


class TestSomeoneWhoHangsUp:
    def leave(self, line):
        line.socket.close()

    def send_nonsense(self, line):
        line.send(b"\xff\xff\xff\xff")

    def read_nothing(self, line):
        line.socket.shutdown(2)

    @pytest.mark.parametrize("go", [leave, send_nonsense, read_nothing], ids=["leaves", "nonsense", "shut down"])
    def test_is_told_with_each_question_that_was_not_answered(self, serve, kept, go):
        gone = Gone()
        served = serve(kept, gone)
        line, other = served.line(), served.line()
        for number in (1, 2, 3):
            line.ask(number)
        other.ask(1)
        asked = kept.wait_for(4)
        ours = [each for each in asked if each.ask.request_id in {2, 3}]
        (answered,) = [each for each in asked if each.ask.request_id == 1 and each.connection == ours[0].connection]
        answered.answer(encode(Ping()))
        assert line.reply().request_id == 1
        go(self, line)

        assert sorted(gone.wait_for(2)) == sorted(each.asker for each in ours)
        (stayed,) = [each for each in asked if each not in {answered, *ours}]
        stayed.answer(encode(Ping()))
        assert other.reply().request_id == 1
        assert len(gone.askers) == 2

    def test_is_told_when_it_does_not_read_its_answer_in_time(self, serve, kept):
        gone = Gone()
        line = serve(kept, gone, stall_s=0.05).line()
        line.ask(1)
        line.ask(2)
        first, second = kept.wait_for(2)
        first.answer(bytes(2_000_000))

        assert gone.wait_for(1) == [second.asker]

    def test_is_not_told_of_what_was_answered(self, serve, kept):
        gone = Gone()
        served = serve(kept, gone)
        line = served.line()
        line.ask(1)
        kept.wait_for(1)[0].answer(encode(Ping()))
        line.reply()
        line.socket.close()
        other = served.line()
        other.ask(1)
        kept.wait_for(1)[1].answer(encode(Ping()))
        other.reply()

        assert gone.askers == []


class TestAStranger:
    def test_of_another_user_is_let_go_without_a_word(self, serve):
        served = serve(credentials=lambda _: Peer(pid=1, uid=os.geteuid() + 12_345, gid=1))
        line = served.line()
        line.ask()

        assert line.reply() is None
        assert served.server.statistics().turned_away == 1

    def test_whom_the_kernel_does_not_know_is_let_go_too(self, serve):
        def unknown(_):
            raise OSError("gone")

        assert serve(credentials=unknown).line().reply() is None

    def test_one_too_many_is_told_so(self, serve):
        served = serve(connections_max=2)
        lines = [served.line(), served.line()]
        for line in lines:
            line.ask()
            line.reply()
        refusal = served.line().reply()

        assert (refusal.request_id, refusal.kind) == (0, "busy")
        assert "connections_max (2)" in refusal.reason

    def test_one_too_many_takes_the_place_of_who_is_idle_for_the_longest(self, serve, kept, monkeypatch):
        monkeypatch.setattr(server, "IDLE_NS", 0)
        served = serve(on_ask=kept, connections_max=2)
        busy, idle = served.line(), served.line()
        busy.ask()
        kept.wait_for(1)
        late = served.line()  # now: before it, the first one was the idlest
        late.ask()
        kept.wait_for(1)

        assert idle.reply() is None
        later = served.line()
        assert later.reply().kind == "busy"
        assert served.server.statistics().dropped == 1


class TestHostileBytes:
    @pytest.mark.parametrize(
        "attack",
        [
            b"\xff\xff\xff\xff",
            b"\x00\x00\x00\x00",
            b"GET / HTTP/1.1\r\n\r\n",
            framed(b"\x02\x90"),
            framed(b"\x01\xc0"),
            framed(b"\x01" + b"\x91" * 100_000),
            framed(encode(Ping())),
            framed(encode(Answer(request_id=1, message=b""))),
            framed(encode(Ask(request_id=1, actor="a", message=b"", timeout_s=1)))[:-1] + b"\xff",
        ],
        ids=["too long", "empty", "HTTP", "version", "nothing", "nested", "no Ask", "an Answer", "a field"],
    )
    def test_are_refused_with_a_reason_and_the_line_closed(self, serve, attack):
        served = serve()
        line = served.line()
        line.send(attack)
        refusal = line.reply()

        assert isinstance(refusal, AskRefused)
        assert (refusal.request_id, refusal.kind) == (0, "malformed")
        assert refusal.reason
        assert line.reply() is None
        assert served.server.statistics().dropped == 1

    def test_are_the_last_that_is_heard_of_a_connection(self, serve, kept):
        good = [framed(encode(Ask(request_id=each, actor="echo", message=b"", timeout_s=1))) for each in (1, 2)]
        served = serve(kept)
        line = served.line()
        line.send(good[0] + framed(b"\x02\x90") + good[1])

        assert line.reply().kind == "malformed"
        assert line.reply() is None
        assert [each.ask.request_id for each in kept.asked] == [1]
        assert served.server.statistics().asks == 1

    def test_as_a_request_id_that_is_in_flight_are_refused(self, serve, kept):
        line = serve(kept).line()
        line.ask(5)
        line.ask(5)

        assert line.reply().kind == "malformed"
        assert line.reply() is None

    def test_a_thousand_times_leave_it_well_and_small(self, serve):
        served = serve()
        chance = random.Random(11)
        good = framed(encode(Ask(request_id=1, actor="echo", message=encode(Ping()), timeout_s=1)))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(1_000):
            damaged = bytearray(good if chance.random() < 0.5 else chance.randbytes(chance.randrange(1, 2_000)))
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            with contextlib.closing(socket_path.connect(served.data_dir, timeout_s=5)) as attacker:
                attacker.sendall(damaged)
        grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        line = served.line()
        line.ask(9)

        assert line.reply().request_id == 9
        assert grown_kb < 65_536
        assert served.server.statistics().connections <= 16

    def test_of_a_client_killed_in_the_middle_of_a_frame_leave_it_well(self, serve):
        served = serve()
        script = (
            "import socket,sys,time; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
            "s.sendall(b'\\x00\\x00\\x01\\x00half'); print('sent', flush=True); time.sleep(60)"
        )
        path = str(served.data_dir / socket_path.SOCKET_NAME)
        with Python([script, path], stdout=subprocess.PIPE) as client:
            client.stdout.readline()
            client.send_signal(signal.SIGKILL)
        line = served.line()
        line.ask()

        assert line.reply().request_id == 1
        assert served.server.statistics().connections == 1


class TestSomeoneWhoDoesNotMove:
    def test_in_the_middle_of_a_question_is_let_go(self, serve):
        line = serve(stall_s=0.05).line()
        line.send(b"\x00\x00\x01\x00half")

        assert line.reply() is None

    def test_who_drips_its_question_is_let_go(self, serve):
        served = serve(stall_s=0.05)
        line = served.line()
        line.socket.settimeout(0.01)
        line.send(b"\x00\x00\x01\x00")

        def is_gone():
            try:
                line.socket.sendall(b"x")
                return line.socket.recv(1) == b""
            except TimeoutError:
                return False
            except OSError:
                return True

        await_that(is_gone)

    def test_and_asks_nothing_is_let_go(self, serve):
        assert serve(idle_s=0.05).line().reply() is None

    def test_while_it_waits_for_an_answer_stays(self, serve, kept):
        served = serve(kept, idle_s=0.05, stall_s=0.05)
        line = served.line()
        line.ask(1)
        kept.wait_for(1)
        assert served.line().reply() is None  # so the time of both is over
        kept.asked[0].answer(encode(Ping()))

        assert line.reply().request_id == 1

    def test_to_read_its_answers_is_let_go_at_the_bound(self, serve, kept):
        served = serve(kept, unsent_bytes_max=1 << 20, stall_s=60)
        line = served.line()
        for number in range(4):
            line.ask(number)
        for asked in kept.wait_for(4):
            asked.answer(bytes(900_000))
        other = served.line()
        other.ask(1)
        kept.wait_for(1)[-1].answer(encode(Ping()))

        assert other.reply().request_id == 1
        assert served.server.statistics().dropped == 1
        while line.reply() is not None:
            pass

    def test_to_read_its_answers_is_not_listened_to(self, serve):
        served = serve(lambda asked: asked.answer(bytes(900_000)), stall_s=60)
        line = served.line()
        line.ask(0)
        other = served.line()
        other.ask(1)
        other.reply()
        for number in range(1, 10):
            line.ask(number)
        other.ask(2)
        other.reply()

        assert served.server.statistics().asks == 3
        assert [line.reply().request_id for _ in range(10)] == list(range(10))

    def test_to_read_one_answer_is_let_go_in_time(self, serve):
        served = serve(lambda asked: asked.answer(bytes(900_000)), unsent_bytes_max=1 << 20, stall_s=0.05)
        line = served.line()
        line.ask()
        other = served.line()
        other.send(b"\x00\x00\x01\x00half")

        assert other.reply() is None  # so the time of both is over
        assert line.reply() is None
        assert served.server.statistics().dropped == 2


class TestClosing:
    def test_ends_at_once_with_clients_connected(self, serve, kept):
        served = serve(kept)
        lines = [served.line() for _ in range(5)]
        for line in lines:
            line.ask()
        kept.wait_for(5)
        served.server.close()
        served.thread.join(60)

        assert not served.thread.is_alive()
        assert all(line.reply() is None for line in lines)

    def test_sends_the_answers_that_were_there_before(self, serve, kept):
        served = serve(kept)
        line = served.line()
        line.ask(4)
        kept.wait_for(1)[0].answer(encode(Ping()))
        served.server.close()

        assert line.reply().request_id == 4
        assert line.reply() is None

    def test_takes_the_socket_away(self, serve):
        served = serve()
        served.server.close()

        with pytest.raises(NotRunningError):
            socket_path.connect(served.data_dir, timeout_s=1)
        assert not (served.data_dir / socket_path.SOCKET_NAME).exists()

    def test_makes_room_for_the_next_even_before_the_old_thread_ended(self, serve):
        first = serve()
        first.server.close()
        second = serve()
        first.server.close()
        line = second.line()
        line.ask()

        assert line.reply().request_id == 1

    def test_before_it_served_releases_everything(self, tmp_path):
        server = ControlServer(tmp_path, ControlSettings.default(), on_ask=print, monotonic_ns=time.monotonic_ns)
        server.close()
        server.serve()

        assert not (tmp_path / socket_path.SOCKET_NAME).exists()

    def test_leaves_late_answers_without_effect(self, serve, kept):
        served = serve(kept)
        served.line().ask()
        asked = kept.wait_for(1)[0]
        served.close()

        asked.answer(encode(Ping()))


class TestTheProcess:
    def test_listens_on_no_network(self, serve, tcp_listeners):
        serve().line()

        assert tcp_listeners() == []

    def test_does_not_spin_while_nobody_asks(self, serve):
        looks = []
        served = serve()
        line = served.line()
        select = served.server._selector.select
        served.server._selector.select = lambda wait_s: looks.append(wait_s) or select(wait_s)
        for number in range(3):
            line.ask(number)
            line.reply()

        assert len(looks) <= 9
        assert all(wait_s is None or wait_s > 1 for wait_s in looks)

    def test_goes_on_at_once_where_a_client_has_gone_before_it_was_accepted(self, serve, monkeypatch):
        served, accept = serve(), socket.socket.accept
        monkeypatch.setattr("natya.actors.control.server.ACCEPT_PAUSE_NS", 3_600_000_000_000)
        gone = [BlockingIOError(), ConnectionAbortedError()]

        def accept_or_not(listener):
            accepted = accept(listener)
            if not gone:
                return accepted
            accepted[0].close()
            raise gone.pop()

        monkeypatch.setattr(socket.socket, "accept", accept_or_not)
        for _ in range(2):
            assert served.line().socket.recv(1) == b""
        line = served.line()
        line.ask(1)

        assert line.reply().request_id == 1
        assert served.server.statistics().accepted == 1

    def test_without_descriptors_goes_on_and_accepts_again_later(self, serve, monkeypatch):
        served = serve()
        monkeypatch.setattr("natya.actors.control.server.ACCEPT_PAUSE_NS", 20_000_000)
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        line = served.line()
        line.ask(1)
        assert line.reply().request_id == 1
        near = served.line  # connecting needs a descriptor, accepting one more
        highest = max(int(name) for name in os.listdir("/proc/self/fd"))  # noqa: PTH208
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, before[1]))
        try:
            spare = []
            with contextlib.suppress(OSError):
                while True:
                    spare.append(os.dup(0))
            os.close(spare.pop())
            waiting = near()
            line.ask(2)
            assert line.reply().request_id == 2
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
            for descriptor in spare:
                os.close(descriptor)
        waiting.ask(3)

        assert waiting.reply().request_id == 3


class TestRoom:
    """As many connections as there may be; who is idle since when, in seconds, and None while it is answered."""

    def room(self, monkeypatch, *idle_since_s, now_s=100, most=2):
        monkeypatch.setattr(server, "IDLE_NS", 10 * 10**9)
        dropped = []
        connections = {
            number: SimpleNamespace(number=number, idle_since_ns=lambda at=since_s: None if at is None else at * 10**9)
            for number, since_s in enumerate(idle_since_s)
        }
        serving = SimpleNamespace(
            _connections=connections, _limits=SimpleNamespace(connections_max=most),
            _monotonic_ns=lambda: now_s * 10**9, _drop=lambda connection: dropped.append(connection.number),
        )  # fmt: skip
        return ControlServer._has_room(serving), dropped

    @pytest.mark.parametrize(
        ("idle_since_s", "found"),
        [
            ((), (True, [])),
            ((5,), (True, [])),
            ((5, 7), (True, [0])),
            ((7, 5, 6), (True, [1])),
            ((5, 5), (True, [0])),
            ((90, None), (True, [0])),
            ((91, None), (False, [])),
            ((None, None), (False, [])),
        ],
    )
    def test_is_made_by_closing_who_is_idle_for_the_longest_if_for_long_enough(self, monkeypatch, idle_since_s, found):
        assert self.room(monkeypatch, *idle_since_s) == found


@pytest.mark.parametrize(("again_s", "accepts"), [(None, False), (11, False), (10, True), (9, True)])
def test_a_server_without_descriptors_accepts_again_after_its_pause_and_no_sooner(again_s, accepts):
    registered = []
    serving = SimpleNamespace(
        _accept_again_ns=again_s and again_s * 10**9, _monotonic_ns=lambda: 10 * 10**9, _connections={},
        _listener="listener", _accept=None, _selector=SimpleNamespace(register=lambda *of: registered.append(of[0])),
    )  # fmt: skip
    ControlServer._drop_overdue(serving)

    assert registered == ["listener"] * accepts
    assert serving._accept_again_ns == (None if accepts else again_s and again_s * 10**9)


def test_a_server_waits_at_none_of_its_sockets(serve):
    served = serve().server

    assert [each.getblocking() for each in (served._listener, served._alarm, served._bell)] == [False] * 3

"""One connection: by when it has to move, so that nobody holds a place by doing nothing."""

import socket

import pytest

from natya.actors.control.connection import Connection
from natya.actors.control.errors import SlowReaderError
from natya.actors.control.peer import Peer
from natya.config.sections.control import ControlSettings
from natya.domain.time import SECOND_NS
from natya.messages.framing import framed

STALL_S, IDLE_S = 5.0, 60.0


@pytest.fixture
def ends():
    far, near = socket.socketpair()
    with far, near:
        yield far, near


@pytest.fixture
def connection(ends):
    limits = ControlSettings.default(stall_s=STALL_S, idle_s=IDLE_S, unsent_bytes_max=1 << 20)
    return Connection(ends[1], limits, number=1, peer=Peer(pid=1, uid=1, gid=1), now_ns=0)


@pytest.fixture
def far(ends):
    return ends[0]


def after(seconds):
    return round(seconds * SECOND_NS)


class TestOneThatSaysNothing:
    def test_is_closed_when_it_was_idle_for_long(self, connection, far):
        assert connection.must_move_by_ns() == after(IDLE_S)
        far.sendall(framed(b"hello"))
        assert connection.receive(after(7)) == [b"hello"]

        assert connection.must_move_by_ns() == after(7 + IDLE_S)

    def test_is_not_while_it_waits_for_an_answer(self, connection):
        connection.in_flight[1] = object()

        assert connection.must_move_by_ns() is None

    def test_is_idle_since_it_last_did_something_and_was_owed_nothing(self, connection, far, ends):
        assert connection.idle_since_ns() == 0
        far.sendall(framed(b"hello") + framed(b"more")[:1])
        connection.receive(after(7))
        assert connection.idle_since_ns() is None, "it has begun another"
        far.sendall(framed(b"more")[1:])
        connection.receive(after(8))
        assert connection.idle_since_ns() == after(8)
        connection.in_flight[1] = object()
        assert connection.idle_since_ns() is None, "it waits for an answer"
        connection.in_flight.clear()
        ends[1].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        connection.say(bytes(600_000), after(9))
        assert connection.has_unsent
        assert connection.idle_since_ns() is None, "it has not read its answer"

    def test_has_the_time_of_an_answer_to_read_one_however_short_that_of_who_is_idle(self, ends):
        limits = ControlSettings.default(stall_s=STALL_S, idle_s=1.0, unsent_bytes_max=1 << 20)
        connection = Connection(ends[1], limits, number=1, peer=Peer(pid=1, uid=1, gid=1), now_ns=0)
        ends[1].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        connection.say(bytes(600_000), after(9))
        assert connection.has_unsent
        assert connection.must_move_by_ns() == after(9 + STALL_S)


class TestOneThatReadsNoAnswerAndHasBegunToAsk:
    @pytest.mark.parametrize(("began_s", "said_s"), [(1, 3), (3, 1)])
    def test_is_closed_when_the_first_of_both_has_taken_too_long(self, connection, far, ends, began_s, said_s):
        ends[1].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        far.sendall(framed(b"hello")[:1])
        connection.receive(after(began_s))
        connection.say(bytes(600_000), after(said_s))
        assert connection.has_unsent

        assert connection.must_move_by_ns() == after(1 + STALL_S)


class TestARequestThatComesInPieces:
    def test_has_to_be_whole_within_a_time_of_its_beginning_however_often_it_moves(self, connection, far):
        frame = framed(b"hello")
        for second in (1, 2, 3):
            far.sendall(frame[second - 1 : second])
            assert connection.receive(after(second)) == []

        assert connection.must_move_by_ns() == after(1 + STALL_S)

    def test_has_its_own_time_where_it_began_behind_a_whole_one(self, connection, far):
        frame = framed(b"hello")
        far.sendall(frame[:3])
        connection.receive(after(1))
        far.sendall(frame[3:] + frame[:3])
        assert connection.receive(after(4)) == [b"hello"]

        assert connection.must_move_by_ns() == after(4 + STALL_S)


class TestAnswersThatAreNotRead:
    def test_may_be_as_large_as_the_limit_and_no_larger(self, connection):
        connection.say(bytes(1 << 20), after(1))
        with pytest.raises(SlowReaderError):
            connection.say(bytes((1 << 20) + 1), after(1))

    def test_have_to_move_within_a_time(self, connection, ends):
        ends[1].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        connection.say(bytes(600_000), after(1))
        assert connection.has_unsent
        assert connection.must_move_by_ns() == after(1 + STALL_S)
        with pytest.raises(SlowReaderError, match="bytes of answers are not read, 600000 more came"):
            connection.say(bytes(600_000), after(2))

        connection.say(b"more", after(2))
        assert connection.must_move_by_ns() == after(1 + STALL_S)

        ends[0].recv(65_536)
        connection.flush(after(3))

        assert not connection.has_unsent or connection.must_move_by_ns() == after(3 + STALL_S)

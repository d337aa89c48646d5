"""Connections that keep to the deadline of their call."""

import socket

import pytest

from natya.actors.external import deadline
from natya.actors.external.deadline import CALL, Call


@pytest.fixture(autouse=True)
def call():
    token = CALL.set(Call(5.0))
    yield
    CALL.reset(token)


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()


@pytest.fixture
def nobody():
    """An address at which nobody listens, since it is taken and not listened at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()


@pytest.fixture
def made(monkeypatch):
    """Every socket that is made."""
    found, plain = [], deadline.BoundedSocket

    def noted(*arguments):
        found.append(plain(*arguments))
        return found[-1]

    monkeypatch.setattr(deadline, "BoundedSocket", noted)
    return found


def at(monkeypatch, *addresses):
    """Have these addresses found for any host."""
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)


def test_a_call_has_its_time_and_then_none():
    assert 4 < Call(5.0).left_s() <= 5
    with pytest.raises(TimeoutError, match="the time for the whole call is over"):
        Call(0.0).left_s()


def test_a_connection_sends_at_once_and_waits_no_longer_than_its_call(listening):
    with deadline._connect(*listening) as connection:
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert 0 < connection.gettimeout() <= 5


def test_the_next_address_is_tried_where_one_refuses_and_what_was_tried_is_closed(listening, nobody, made, monkeypatch):
    at(monkeypatch, nobody, listening)

    with deadline._connect("host", 80) as connection:
        assert connection.getpeername() == listening
        assert [each.fileno() for each in made] == [-1, connection.fileno()]


def test_the_last_reason_is_told_where_all_refuse(nobody, made, monkeypatch):
    at(monkeypatch, nobody, nobody)

    with pytest.raises(ConnectionRefusedError):
        deadline._connect("host", 80)
    assert [each.fileno() for each in made] == [-1, -1]


def test_that_there_is_no_address_is_told(monkeypatch):
    at(monkeypatch)

    with pytest.raises(ConnectionError, match="no address of host"):
        deadline._connect("host", 80)


def test_a_call_may_have_left_from_its_first_attempt_to_send_on(listening):
    call = CALL.get()
    with deadline._connect(*listening) as connection:
        assert not call.written
        connection.sendall(b"some")
        assert call.written

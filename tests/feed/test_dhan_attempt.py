"""An attempt to open a socket: which addresses it tries, and what is left of it when it is given up."""

import asyncio
import socket
from types import SimpleNamespace

import picows
import pytest

from natya.actors.feed.bodies.dhan import attempt as attempts
from natya.actors.feed.bodies.dhan.attempt import OPENING_FAULTS, Attempt

HOST = SimpleNamespace(host="feed.example", port=77)
CLOSED = ("127.0.0.1", 1)


@pytest.fixture
def listening():
    """The address of who takes a connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()


@pytest.fixture
def made(monkeypatch):
    """The sockets that attempts make."""
    found = []

    class Noted(attempts._Connected):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            found.append(self)

    monkeypatch.setattr(attempts, "_Connected", Noted)
    return found


def an_attempt(address=CLOSED, handshake_s=60.0):
    return Attempt(f"ws://{address[0]}:{address[1]}/feed?token=t", picows.WSListener, handshake_s=handshake_s)


def connected(*addresses, silent=()):
    """Let an attempt connect to a host of these addresses, of which some never answer; return it and its socket."""

    async def connect():
        loop = asyncio.get_running_loop()
        connecting = loop.sock_connect

        async def looked_up(host, port, *, type):  # noqa: A002  as the loop calls it
            assert (host, port, type) == (HOST.host, HOST.port, socket.SOCK_STREAM)
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", each) for each in addresses]

        async def connect_to(found, address):
            await (asyncio.Event().wait() if address in silent else connecting(found, address))

        loop.getaddrinfo, loop.sock_connect = looked_up, connect_to
        attempt = an_attempt()
        return attempt, await attempt._connect(HOST)

    return asyncio.run(connect())


class TestAHostOfSeveralAddresses:
    def test_is_connected_by_the_first_that_takes_it_and_the_others_are_closed(self, listening, made):
        attempt, found = connected(CLOSED, listening, ("127.0.0.1", 2))

        assert found is attempt._socket is made[1]
        assert found.getpeername() == listening
        assert not found.getblocking()
        assert [each.fileno() == -1 for each in made] == [True, False]
        found.close()

    def test_is_not_waited_for_longer_than_an_address_may_take(self, listening, made, monkeypatch):
        monkeypatch.setattr(attempts, "CONNECT_S", 0.01)
        silent = ("127.0.0.1", 3)
        _, found = connected(silent, listening, silent=(silent,))

        assert found.getpeername() == listening
        assert made[0].fileno() == -1
        found.close()

    def test_fails_as_the_last_of_them_does_and_where_it_has_none(self, made, monkeypatch):
        monkeypatch.setattr(attempts, "CONNECT_S", 0.01)
        silent = ("127.0.0.1", 3)
        with pytest.raises(ConnectionRefusedError):
            connected(silent, CLOSED, silent=(silent,))
        with pytest.raises(TimeoutError):
            connected(CLOSED, silent, silent=(silent,))
        with pytest.raises(ConnectionError, match="an address wanted, found none"):
            connected()
        assert {each.fileno() for each in made} == {-1}


class TestAnAttemptThatIsGivenUp:
    def test_ends_while_its_host_is_looked_up(self):
        async def give_up():
            asked, attempt = asyncio.Event(), an_attempt()

            async def look_up(*_, **__):
                asked.set()
                await asyncio.Event().wait()

            asyncio.get_running_loop().getaddrinfo = look_up
            opening = asyncio.create_task(attempt.open())
            await asked.wait()
            assert not attempt.is_given_up
            attempt.give_up()
            async with asyncio.timeout(20):
                await asyncio.wait([opening])
            return attempt.is_given_up, opening.cancelled()

        assert asyncio.run(give_up()) == (True, True)

    def test_is_closed_while_the_service_does_not_answer_and_leaves_no_socket_open(self, listening, made):
        async def give_up():
            attempt = an_attempt(listening)
            opening = asyncio.create_task(attempt.open())
            while attempt._socket is None:  # noqa: ASYNC110  nothing else tells it
                await asyncio.sleep(0)
            attempt.give_up()
            async with asyncio.timeout(20):
                await asyncio.wait([opening])
            return opening.result().is_disconnected

        assert asyncio.run(give_up())
        assert [each.fileno() for each in made] == [-1]

    def test_or_is_not_answered_in_time_fails(self, listening, made):
        attempt = an_attempt(listening, handshake_s=0.01)
        with pytest.raises(OPENING_FAULTS):
            asyncio.run(attempt.open())

        assert not attempt.is_given_up
        assert [each.fileno() for each in made] == [-1]


@pytest.mark.parametrize(
    ("url", "place"),
    [("wss://api-feed.dhan.co/?token=t", "api-feed.dhan.co"), ("ws://me:secret@127.0.0.1:8", "127.0.0.1:8")],
)
def test_its_place_is_told_without_what_is_secret(url, place):
    assert Attempt(url, picows.WSListener, handshake_s=1.0).place == place

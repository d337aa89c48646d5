"""Faults of the exchange's sockets, on demand."""

import json
import random
import struct

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_sockets import Client, a_listed, a_tick, serving, shares
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.protocol import State

from natya.actors.exchange.faults import FaultPlan
from natya.actors.exchange.stream_faults import OPENING, StreamFault, StreamFaultKind, StreamFaults
from natya.domain.dhan.streams import packets

KINDS = StreamFaultKind.__args__

drawn = st.builds(
    StreamFault,
    kind=st.sampled_from(KINDS),
    chance=st.floats(0, 1),
    times=st.integers(0, 3),
    after=st.integers(0, 3),
    path=st.sampled_from(["", "/feed", "/order-update"]),
)


@settings(max_examples=30, deadline=None)
@given(
    plan=st.lists(drawn, max_size=4).map(tuple),
    seed=st.integers(0, 99),
    asked=st.lists(st.tuples(st.booleans(), st.sampled_from(["/feed", "/order-update"])), max_size=20),
)
def test_a_plan_falls_the_same_each_time_and_only_where_and_as_often_as_it_says(plan, seed, asked):
    def play():
        faults = StreamFaults()
        faults.take(plan, seed)
        met = [faults.at_opening(path) if opens else faults.at_frame(path) for opens, path in asked]
        return met, faults.fallen

    met, fallen = play()

    assert (met, fallen) == play()
    assert sum(fallen) == sum(each is not None for each in met)
    for fault, times in zip(plan, fallen, strict=True):
        assert not fault.times or times <= fault.times
    for each, (opens, path) in zip(met, asked, strict=True):
        assert each is None or ((each.kind in OPENING) is opens and path.startswith(each.path))


@pytest.fixture(scope="module")
def faults():
    return StreamFaults()


@pytest.fixture(scope="module")
def server(faults):
    with serving(faults=faults, ping_s=0.05) as server:
        yield server


@pytest.fixture
def play(faults):
    yield lambda *plan: faults.take(tuple(StreamFault(**each) for each in plan), 1)
    faults.take((), 0)


@pytest.fixture
def feed(server, request):
    security_id = hash(request.node.name) % 1_000_000  # of which nothing was shown yet
    with Client(server.url("/feed")) as client:
        client.ask(15, a_listed(security_id))
        client.show = lambda *numbers: [server.publish(*shares(security_id), a_tick(each)) for each in numbers]
        yield client


class TestAtAnOpening:
    @pytest.mark.parametrize(("kind", "status"), [("throttled", 429), ("server_error", 502)])
    def test_it_is_refused_as_often_as_was_asked(self, server, play, kind, status):
        play({"kind": kind, "times": 2, "path": "/feed"})

        for _ in range(2):
            with pytest.raises(InvalidStatus, match=str(status)):
                Client(server.url("/feed"))
        Client(server.url("/feed")).close()

    @pytest.mark.parametrize(("reason", "told"), [(0, 808), (806, 806)])
    def test_a_login_is_refused_for_a_reason(self, server, play, reason, told):
        play({"kind": "login_refused", "times": 1, "reason": reason})

        with Client(server.url("/feed")) as client:
            assert client.reason() == told

    def test_a_refused_login_to_order_updates_is_a_reset(self, server, play):
        play({"kind": "login_refused", "path": "/order-update"})

        with Client(server.url("/order-update"), query=False) as client, pytest.raises(ConnectionClosedError):
            client.read()


class TestAFrame:
    def test_is_sent_twice(self, play, feed):
        play({"kind": "duplicated", "times": 1})
        feed.show(1, 2)

        assert feed.prices(3) == [101.0, 101.0, 102.0]

    def test_is_lost(self, play, feed):
        play({"kind": "lost", "times": 1, "after": 1})
        feed.show(1, 2, 3)

        assert feed.prices(2) == [101.0, 103.0]

    def test_is_overtaken_by_the_next(self, play, feed):
        play({"kind": "reordered", "times": 1, "seconds": 60})
        feed.show(1, 2, 3)

        assert feed.prices(3) == [102.0, 101.0, 103.0]

    def test_comes_although_none_overtakes_it(self, play, feed):
        play({"kind": "reordered", "times": 1, "seconds": 0.01})
        feed.show(1)

        assert feed.prices(1) == [101.0]

    def test_comes_late(self, play, feed):
        play({"kind": "delayed", "times": 2, "seconds": 0.05})
        feed.show(1, 2, 3)

        assert feed.prices(3) == [103.0, 101.0, 102.0]

    @pytest.mark.parametrize("kind", ["garbage", "wrong_length"])
    def test_means_nothing_and_the_next_is_whole(self, play, feed, kind):
        play({"kind": kind, "times": 1})
        feed.show(1, 2)
        spoiled, whole = feed.read(), feed.read()

        assert spoiled != whole[:8] + struct.pack("<f", 101.0) + whole[12:]
        assert packets.TICKER_LAYOUT.unpack(whole)[4] == 102.0

    def test_drips_and_is_whole_in_the_end_with_what_was_newest_behind_it(self, play, feed):
        play({"kind": "dripping", "times": 1, "seconds": 0.002})
        feed.show(1, 2, 3)

        assert feed.prices(2) == [101.0, 103.0]


class TestASocket:
    def test_is_dropped_without_a_word(self, play, feed):
        play({"kind": "dropped"})
        feed.show(1)

        with pytest.raises(ConnectionClosedError):
            feed.read()

    def test_is_closed(self, play, feed):
        play({"kind": "closed"})
        feed.show(1)

        with pytest.raises(ConnectionClosedOK):
            feed.read()

    @pytest.mark.parametrize(("reason", "told"), [(0, 807), (800, 800)])
    def test_is_ended_for_a_reason(self, play, feed, reason, told):
        play({"kind": "ended", "reason": reason})
        feed.show(1)

        assert feed.reason() == told

    def test_is_frozen_and_answers_pings_as_if_nothing_were(self, play, feed):
        play({"kind": "frozen", "times": 1})
        feed.show(1)
        feed.settle()
        play()
        feed.show(2)
        feed.settle()

        with pytest.raises(TimeoutError):
            feed.read(timeout=0)

    def test_is_silent_and_answers_nothing(self, play, feed, faults):
        play({"kind": "silent", "times": 1})
        feed.show(1)
        answered = feed.socket.ping()

        assert not answered.wait(0.1)
        assert faults.fallen == [1]
        with pytest.raises(TimeoutError):
            feed.read(timeout=0)
        assert feed.socket.protocol.state is State.OPEN

    def test_of_order_updates_meets_the_same(self, server, play):
        with Client(server.url("/order-update"), query=False) as client:
            client.login()
            play({"kind": "duplicated", "times": 1}, {"kind": "garbage", "times": 1}, {"kind": "dripping", "times": 1})
            play({"kind": "dripping", "times": 1, "seconds": 0}, {"kind": "duplicated"})
            for number in range(3):
                server.tell(json.dumps({"Data": {"orderNo": str(number)}, "padding": " " * 200}).encode())
            told = [json.loads(client.read())["Data"]["orderNo"] for _ in range(5)]

        assert told == ["0", "1", "1", "2", "2"]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_whatever_is_played_the_server_goes_on_and_who_is_whole_hears_all(server, faults, seed):
    rng = random.Random(seed)
    plan = [
        StreamFault(kind=rng.choice(KINDS), chance=rng.random(), times=rng.randint(0, 2), seconds=rng.random() / 100)
        for _ in range(4)
    ]
    security_id = 2_000_000 + seed
    with Client(server.url("/feed"), query=True) as other:
        other.ask(17, a_listed(security_id))
        faults.take(tuple(plan), seed)
        try:
            for number in range(10):
                server.publish(*shares(security_id), a_tick(number))
            with Client(server.url("/feed")) as client:
                client.settle()
        except (ConnectionClosed, InvalidStatus, AssertionError):
            pass  # it met a fault
        faults.take((), 0)
    with Client(server.url("/feed")) as client:
        client.ask(15, a_listed(security_id))
        server.publish(*shares(security_id), a_tick(77))
        assert 177.0 in client.prices(3)


def test_a_plan_of_sockets_is_read_from_json_and_named_when_it_is_none():
    read = msgspec.json.Decoder(FaultPlan).decode
    assert read(b'{"streams":[{"kind":"frozen","path":"/feed"}]}').streams[0].path == "/feed"

    with pytest.raises(msgspec.ValidationError, match=r"streams\[0\]\.kind"):
        read(b'{"streams":[{"kind":"earthquake"}]}')

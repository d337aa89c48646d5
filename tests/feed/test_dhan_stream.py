"""Dhan's market feed over real sockets: what comes, what happens to connections, and what is told of it."""

import errno
import logging
import ssl
import threading
import time
from datetime import datetime
from types import SimpleNamespace

import picows
import pytest
import trustme
from natya_feed import TOKEN, Running, ScriptedFeed, a_quote, a_ticker, an_end
from natya_packets import STATUS
from natya_processes import await_that

from natya.actors.feed.bodies.dhan.attempt import Attempt
from natya.actors.feed.bodies.dhan.connection import Connection
from natya.actors.feed.bodies.dhan.settings import DhanFeedOptions
from natya.actors.feed.bodies.dhan.stream import DhanStream, _down
from natya.domain.calendar import is_open
from natya.domain.instruments import Instrument
from natya.domain.time import IST


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp()) * 10**9


@pytest.fixture
def feed():
    with ScriptedFeed() as feed:
        yield feed


@pytest.fixture
def running(feed):
    with Running(feed) as running:
        feed.wait_for_sockets(1, 2)
        yield running


class TestAConnection:
    def test_is_opened_with_the_token_and_subscribes_to_everything(self, feed, running):
        assert feed.sockets[0].query == {
            "version": ["2"],
            "token": [TOKEN],
            "clientId": ["1000000001"],
            "authType": ["2"],
        }
        assert [request.request_code for request in feed.sockets[0].requests] == [17]
        assert feed.subscribed() == ["1", "2"]
        assert running.stream.counts().connections == 1
        assert running.stream.trouble == ""

    def test_subscribes_in_messages_of_a_hundred(self, feed):
        with Running(feed, count=250):
            feed.wait_for_sockets(1, 250)
        assert [request.instrument_count for request in feed.sockets[0].requests][:3] == [100, 100, 50]

    def test_brings_ticks(self, feed, running):
        feed.send(a_quote(1, 100.05) + a_quote(2, 200.0))
        assert [(tick.symbol, tick.price) for tick in running.ticks(2)] == [("S1", 100.05), ("S2", 200.0)]

    def test_tells_a_status_of_the_market_once_however_often_it_comes(self, feed, running):
        for _ in range(2):
            feed.send(STATUS)
        feed.send(a_quote(1, 100.05))
        running.ticks(1)
        (status,) = running.stream.take_statuses()
        assert status.segment == "NSE_EQ"
        assert status.is_open == is_open(status.at_ns)

    def test_tells_that_packets_are_left_out_since_their_time_has_not_come(self, feed, running):
        feed.send(a_ticker(1, 100.0, time_s=2**32 - 1) + a_ticker(2, 200.0))
        assert [tick.symbol for tick in running.ticks(1)] == ["S2"]
        assert running.stream.trouble.startswith(
            "1 packets are left out, since the machine's clock is behind their times: a time up to 86400 s ahead"
        )

    def test_says_goodbye(self, feed, running):
        running.stream.close()
        feed.wait_for(lambda feed: feed.ended == 1)
        assert [request.request_code for request in feed.sockets[0].requests][-1] == 12

    def test_is_not_silent_while_it_brings_something(self, feed, running):
        (connection,) = running.stream._connections
        before_ns = time.monotonic_ns()
        for number in (1, 2):
            feed.send(a_quote(1, float(number)))
            running.ticks(1)

        assert connection.line._heard_ns >= before_ns  # of the first at least, when the second is there

    def test_that_is_left_when_it_was_never_opened_ends(self, feed):
        feed.answer = 503
        with Running(feed) as running:
            feed.wait_for(lambda feed: feed.attempts)
            running.stream.close()


class TestAConnectionThatEnds:
    @pytest.mark.parametrize(
        ("end", "cause"),
        [
            (lambda feed: feed.drop(), "closed"),
            (lambda feed: feed.send(an_end(800)), "ended by the service: 800 internal server error"),
            (lambda feed: feed.send(b"garbage"), "a damaged frame"),
            (lambda feed: feed.send(a_quote(1, 5.0)[:-1]), "a damaged frame"),
            (lambda feed: feed.send(b"hello", kind=picows.WSMsgType.TEXT), "a damaged frame"),
            (
                lambda feed: feed.on_loop(
                    feed.sockets[-1].transport.send, picows.WSMsgType.BINARY, a_quote(1, 5.0), False
                ),
                "a damaged frame",
            ),
            (lambda feed: feed.on_loop(feed.sockets[-1].transport.send_close, picows.WSCloseCode.OK), "closed"),
        ],
        ids=["dropped", "told", "garbage", "wrong length", "text", "in pieces", "in order"],
    )
    def test_is_opened_again_and_what_lies_between_is_a_gap(self, feed, running, end, cause):
        feed.send(a_quote(1, 100.0))
        running.ticks(1)
        before_ns = time.time_ns()

        end(feed)
        feed.wait_for_sockets(2, 2)

        gap = running.gap()
        assert gap.symbols == ("S1", "S2")
        assert gap.start_ns <= before_ns + 10**9 <= gap.end_ns + 10**9
        assert gap.cause.startswith(cause)
        feed.send(a_quote(2, 7.0))
        assert [tick.price for tick in running.ticks(1)] == [7.0]
        assert running.stream.counts().reconnects == 1

    def test_leaves_one_gap_since_its_last_data_however_often_it_was_tried_in_vain(self, feed, running):
        feed.send(a_quote(1, 100.0))
        running.ticks(1)
        heard_ns, tried = time.time_ns(), len(feed.attempts)
        feed.answer = 503
        feed.drop()
        feed.wait_for(lambda feed: len(feed.attempts) >= tried + 3)
        feed.answer = None
        feed.wait_for_sockets(2, 2)

        assert running.gap().start_ns <= heard_ns
        assert running.stream.take_gaps() == []

    def test_in_silence_is_found_in_hours_of_trading(self, feed):
        with Running(feed, silence_s=0.3) as running:
            feed.wait_for_sockets(1, 2)
            feed.send(a_quote(1, 100.0))
            feed.wait_for_sockets(2, 2)
            assert running.gap().cause == "silent"

    def test_wakes_who_passes_its_trouble_on_though_nothing_comes(self, feed):
        with Running(feed) as running:
            feed.wait_for_sockets(1, 2)
            feed.answer = 503
            feed.drop()
            while "answered by 503" not in running.stream.trouble:
                running.woken.get(timeout=10)
            feed.answer = None
            while running.stream.trouble:
                running.woken.get(timeout=10)

    def test_never_had_data_has_a_gap_since_it_was_to_be_opened(self, feed):
        began_ns = time.time_ns()
        with Running(feed) as running:
            feed.wait_for_sockets(1, 2)
            feed.drop()
            feed.wait_for_sockets(2, 2)
            gap = running.gap()
            assert began_ns <= gap.start_ns < gap.end_ns
            assert running.stream.counts().reconnects == 1

    def test_leaves_a_gap_though_the_wall_clock_was_set_back_meanwhile(self, feed):
        with Running(feed, last_ns=time.time_ns() + 3_600 * 10**9) as running:
            feed.wait_for_sockets(1, 2)
            gap = running.gap()

        assert gap.cause == "restarted"
        assert 0 < gap.end_ns - gap.start_ns < 60 * 10**9

    def test_leaves_no_gap_where_nothing_was_traded(self, feed):
        yesterday_ns = 1_796_083_200_000_000_000 - 10 * 86_400 * 10**9
        with Running(feed, exchange="NSE", last_ns=yesterday_ns) as running:
            feed.wait_for_sockets(1, 2)
            assert running.gap().cause == "restarted"  # ten days have sessions in them


class TestAnInstrumentOfWhichNothingCameForAWhile:
    def test_is_subscribed_to_again_and_what_was_missed_is_a_gap_of_it_alone(self, feed):
        with Running(feed, subscription_silence_s=0.2) as running:
            feed.wait_for_sockets(1, 2)
            before_ns = time.time_ns()
            feed.send(a_quote(1, 100.0, volume=10) + a_quote(2, 7.0, volume=10))
            running.ticks(2)
            feed.wait_for(lambda feed: feed.subscribed()[2:])
            again_ns = time.time_ns()
            feed.send(a_quote(1, 101.0, volume=30) + a_quote(2, 7.0, volume=10))

            gap = running.gap()

            assert (gap.symbols, gap.cause) == (("S1",), "nothing came of it")
            assert before_ns <= gap.start_ns < again_ns <= gap.end_ns

    @pytest.mark.parametrize(
        ("state", "trading_since_ns", "is_asked_for"),
        [("open", 0, True), ("open", None, False), ("opening", 0, False), ("waiting", 0, False)],
    )
    def test_is_asked_for_again_on_an_open_connection_in_hours_of_trading(
        self, feed, state, trading_since_ns, is_asked_for
    ):
        with Running(feed) as running:
            feed.wait_for_sockets(1, 2)
        (connection,) = running.stream._connections
        asked = []
        connection.line = SimpleNamespace(state=state, deed=lambda *_, **__: "")
        connection.silence = SimpleNamespace(look=lambda _now_ns: ("S1",))
        connection._subscribe = asked.append
        connection.look(1, trading_since_ns)

        assert asked == ([[connection._listed["S1"]]] if is_asked_for else [])


class TestAServiceThatDoesNotTakeUs:
    def test_since_it_is_not_there_is_named_with_the_reason_and_without_the_token(self, feed):
        with Running(feed, url="ws://127.0.0.1:1/feed") as running:
            trouble = await_that(lambda: "cannot" in running.stream.trouble and running.stream.trouble)
            assert "127.0.0.1:1 cannot be opened: ConnectionRefusedError: Connect call failed" in trouble
            assert TOKEN not in trouble

    @pytest.mark.parametrize(
        ("fault", "why"),
        [
            (TimeoutError(), "TimeoutError"),
            (OSError(errno.ENETUNREACH, "unreachable"), "OSError: unreachable"),
            (picows.WSError(f"refused {TOKEN}"), "WSError"),
        ],
        ids=["in time", "with a reason", "with the address"],
    )
    def test_is_named_with_the_system_s_reason_if_there_is_one(self, feed, monkeypatch, fault, why):
        async def refuse(_attempt):
            raise fault

        monkeypatch.setattr(Attempt, "open", refuse)
        with Running(feed) as running:
            trouble = await_that(lambda: "cannot" in running.stream.trouble and running.stream.trouble)

            assert f"cannot be opened: {why}" in trouble
            assert "None" not in trouble
            assert TOKEN not in trouble

    def test_is_asked_again_less_and_less_often(self, feed):
        feed.answer = 503
        with Running(feed, backoff_s=0.02, backoff_max_s=0.2) as running:
            feed.wait_for(lambda feed: len(feed.attempts) >= 5)
            assert "answered by 503" in running.stream.trouble
            refused_ns = time.time_ns()
            feed.answer = None
            feed.wait_for_sockets(1, 2)
            gap = running.gap()
            assert gap.start_ns < refused_ns < gap.end_ns
            assert running.stream.counts().reconnects == 0

    def test_for_too_many_requests_is_left_alone_for_long(self, feed):
        feed.answer = 429
        with Running(feed, backoff_s=0.01, backoff_max_s=2.0):
            feed.wait_for(lambda feed: len(feed.attempts) == 2)
            refused_s, again_s = feed.attempts_s
            assert again_s - refused_s > 0.9

    @pytest.mark.parametrize("how", ["401", "packet"])
    def test_for_its_token_is_not_asked_again_before_there_is_another(self, feed, how):
        if how == "401":
            feed.answer = 401
        else:
            feed.greeting = an_end(807)
        with Running(feed) as running:
            feed.wait_for(lambda feed: len(feed.attempts) == 1)
            assert running.refused.get(timeout=10) == TOKEN
            feed.answer, feed.greeting = None, b""
            running.tokens.append("another")
            feed.wait_for_sockets(1 if how == "401" else 2, 2)
            assert feed.attempts == [TOKEN, "another"]

    def test_without_a_token_is_not_asked(self, feed):
        with Running(feed, token=False) as running:
            while "no access token that is alive" not in running.stream.trouble:
                pass
            assert feed.attempts == []
            running.tokens.append(TOKEN)
            feed.wait_for_sockets(1, 2)
            assert running.gap().cause == "no access token that is alive"

    def test_without_a_token_leaves_a_gap_since_the_last_data_of_before(self, feed):
        hour_ago_ns = time.time_ns() - 3_600 * 10**9
        with Running(feed, token=False, last_ns=hour_ago_ns) as running:
            while "no access token that is alive" not in running.stream.trouble:
                pass
            running.tokens.append(TOKEN)
            feed.wait_for_sockets(1, 2)
            gap = running.gap()

        assert gap.cause == "no access token that is alive"
        assert gap.start_ns <= hour_ago_ns + 10**9


class TestTheToken:
    @pytest.fixture
    def authority(self):
        return trustme.CA()

    @pytest.fixture
    def encrypted(self, authority):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(tls)
        with ScriptedFeed(tls) as feed:
            yield feed

    def test_is_sent_to_a_service_whose_certificate_is_trusted(self, encrypted, authority, monkeypatch):
        with authority.cert_pem.tempfile() as path:
            monkeypatch.setattr("certifi.where", lambda: path)
            with Running(encrypted) as running:
                encrypted.wait_for_sockets(1, 2)
                encrypted.send(a_quote(1, 100.0))
                assert [tick.price for tick in running.ticks(1)] == [100.0]

    def test_is_sent_to_no_other(self, encrypted):
        with Running(encrypted) as running:
            await_that(lambda: "SSLCertVerificationError" in running.stream.trouble)
        assert encrypted.attempts == []

    def test_is_in_no_log_and_no_trouble(self, feed, caplog):
        caplog.set_level(logging.DEBUG)
        feed.answer = 500
        with Running(feed) as running:
            feed.wait_for(lambda feed: len(feed.attempts) >= 2)
            assert TOKEN not in running.stream.trouble
        assert TOKEN not in caplog.text


class TestMoreThanIsTaken:
    def test_leaves_the_newest_of_each_instrument_and_counts_the_others(self, feed):
        with Running(feed, ticks_max=10) as running:
            feed.wait_for_sockets(1, 2)
            for number in range(100):
                feed.send(a_quote(1, 100.0 + number) + a_quote(2, 500.0 + number))
            counts = running.stream.counts()
            while counts.arrived < 200:
                counts = running.stream.counts()
            assert counts.arrived == counts.conflated + counts.queued
            assert counts.queued <= 12
            taken = running.stream.take(1_000)
            assert {tick.symbol: tick.price for tick in taken} == {"S1": 199.0, "S2": 599.0}


def test_an_exchange_of_this_machine_alone_may_run_a_day_ahead():
    assert DhanFeedOptions(url="ws://127.0.0.1:1").is_simulated
    assert not DhanFeedOptions().is_simulated


@pytest.mark.parametrize(
    "url",
    [
        "https://api-feed.dhan.co",
        "ws://api-feed.dhan.co",
        "wss://example.com",
        "wss://user:secret@api-feed.dhan.co",
        "wss://user@api-feed.dhan.co",
        "wss://:secret@api-feed.dhan.co",
        "wss://api-feed.dhan.co#x",
        "wss://api-feed.dhan.co?token=x",
        "http://127.0.0.1:1",
        "",
    ],
)
def test_an_address_where_no_token_may_go_is_refused(url):
    assert "wanted" in DhanFeedOptions(url=url).problem()
    assert "secret" not in DhanFeedOptions(url=url).problem()


@pytest.mark.parametrize(
    ("exchange", "clock", "since_s"),
    [
        ("none", "03:00", 0),
        ("NSE", "09:14:59", None),
        ("NSE", "09:15:00", 7_000),
        ("NSE", "09:16:40", 6_900),
        ("NSE", "15:29:59", 7_000 - (6 * 3_600 + 14 * 60 + 59)),
        ("NSE", "15:30:00", None),
    ],
)
def test_a_market_trades_since_its_opening_by_the_monotonic_clock(exchange, clock, since_s):
    now_ns = at(f"2025-12-29T{clock}")
    stream = SimpleNamespace(_exchange=exchange, _given=SimpleNamespace(now_ns=lambda: now_ns))
    since_ns = DhanStream._trading_since_ns(stream, 7_000 * 10**9, "CASH")

    assert since_ns == (None if since_s is None else since_s * 10**9)


@pytest.mark.parametrize(
    ("listed", "market"),
    [
        ([("NSE_EQ", "TCS", True), ("NSE_EQ", "INFY", True)], "UNDERLYING"),
        ([("NSE_EQ", "TCS", True), ("NSE_EQ", "IDBI", False)], "CASH"),
        ([("NSE_EQ", "TCS", True), ("NSE_FNO", "NIFTY-29Dec2026-FUT", None)], "CASH"),
        ([("NSE_FNO", "NIFTY-29Dec2026-FUT", None)], "CASH"),
    ],
)
def test_a_connection_knows_its_symbols_by_segment_and_is_quiet_in_an_auction_that_all_are_in(listed, market):
    instruments = [
        Instrument(
            symbol=symbol, segment=segment, tick_size_rupees=0.05, security_id=symbol, is_underlying=is_underlying
        )
        for segment, symbol, is_underlying in listed
    ]
    stream = SimpleNamespace(
        options=DhanFeedOptions(url="wss://localhost"), given=SimpleNamespace(random=None, last_ns=0)
    )
    stream.moment = lambda: None

    connection = Connection(stream, None, instruments)

    assert connection.segments == {
        segment: tuple(symbol for other, symbol, _ in listed if other == segment) for segment, _, _ in listed
    }
    assert connection.market == market


@pytest.mark.parametrize(
    ("reason", "busy", "refused"), [(805, True, []), (807, False, [TOKEN]), (800, False, []), (1, False, [])]
)
def test_a_connection_that_the_service_ends_waits_for_long_where_there_are_too_many(reason, busy, refused):
    found, told = [], []
    stream = SimpleNamespace(refuse_token=told.append)
    connection = SimpleNamespace(_stream=stream, _token=TOKEN, end=lambda cause, busy: found.append((cause, busy)))

    Connection.end_for(connection, reason)

    ((cause, is_busy),) = found
    assert cause.startswith(f"ended by the service: {reason} ")
    assert (is_busy, told) == (busy, refused)


def test_a_status_is_told_once_a_second_whoever_tells_it_and_each_connection_waits_for_nothing_of_it():
    now_ns, rested = at("2025-12-29T09:15:00"), []
    clock = SimpleNamespace(ns=now_ns, monotonic_ns=0)
    stream = SimpleNamespace(
        _decoder=SimpleNamespace(statuses=[]),
        _given=SimpleNamespace(now_ns=lambda: clock.ns, monotonic_ns=lambda: clock.monotonic_ns, wake=lambda: None),
        _status_ns={},
        _guard=threading.Lock(),
        _statuses=[],
    )
    line = SimpleNamespace(
        silence=SimpleNamespace(rest=rested.append), segments={"NSE_EQ": ("TCS", "INFY"), "NSE_FNO": ("NIFTY OCT",)}
    )

    def told(*segments, after_ns=0):
        clock.ns += after_ns
        clock.monotonic_ns += after_ns
        stream._decoder.statuses = [*segments]
        stream._statuses.clear()
        DhanStream._hear_statuses(stream, line)
        assert stream._decoder.statuses == []
        return [(each.segment, each.is_open, each.at_ns) for each in stream._statuses]

    assert told("NSE_EQ", "NSE_EQ", "BSE_EQ") == [("NSE_EQ", True, now_ns), ("BSE_EQ", True, now_ns)]
    assert rested == [("TCS", "INFY"), ("TCS", "INFY"), ()]
    assert told("NSE_EQ", "NSE_FNO", after_ns=10**9 - 1) == [("NSE_FNO", True, clock.ns)]
    assert told("NSE_EQ", after_ns=1) == [("NSE_EQ", True, now_ns + 10**9)]
    assert told("NSE_EQ", after_ns=8 * 3_600 * 10**9) == [("NSE_EQ", False, clock.ns)]
    clock.ns = now_ns  # it was set back: that hides nothing
    assert told("NSE_EQ", after_ns=10**9) == [("NSE_EQ", True, clock.ns)]
    clock.ns = at("2026-01-04T12:00:00")  # a Sunday
    clock.monotonic_ns += 10**9
    assert told("NSE_EQ") == [("NSE_EQ", False, clock.ns)]


@pytest.mark.parametrize(
    ("ticks", "statuses", "is_data"), [([], [], False), ([], ["NSE_EQ"], True), (["a tick"], [], True)]
)
def test_ticks_and_statuses_are_data_and_a_heartbeat_is_none(ticks, statuses, is_data):
    decoder = SimpleNamespace(broken="", reason=0, ahead=0, statuses=statuses, decode=lambda _frame, _now_ns: ticks)
    stream = SimpleNamespace(
        _decoder=decoder,
        _given=SimpleNamespace(now_ns=lambda: 1, monotonic_ns=lambda: 1),
        _queue=SimpleNamespace(put=lambda _ticks: False),
        _hear_statuses=lambda _line: None,
    )
    line = SimpleNamespace(silence=SimpleNamespace(heard=lambda _ticks, _now_ns: []))

    assert DhanStream._receive(stream, b"", line) is is_data


def test_connections_that_are_not_open_are_told_with_each_cause_once():
    def found(*connections):
        of = [SimpleNamespace(line=SimpleNamespace(state=state), cause=cause) for state, cause in connections]
        return _down(of, "connections")

    assert found() == found(("open", ""), ("open", "restarted")) == ""
    assert found(("opening", ""), ("open", "")) == "1 of 2 connections are not open: being opened"
    assert found(("waiting", "silent"), ("opening", "closed"), ("waiting", "silent"), ("opening", "")) == (
        "4 of 4 connections are not open: closed, silent"
    )


@pytest.mark.parametrize(("token", "sent"), [(None, None), ("", None), (TOKEN, None), ("new", "new")])
def test_a_token_that_was_refused_is_sent_no_more(token, sent):
    stream = SimpleNamespace(_given=SimpleNamespace(token=lambda: token), _refused_token=TOKEN)

    assert DhanStream.token(stream) == sent


def test_the_first_fault_of_several_is_the_one_that_is_raised():
    ended = threading.Event()
    stream, first = SimpleNamespace(_fault=None, _end=ended.set), ZeroDivisionError()
    for fault in (first, KeyError()):
        DhanStream.fail(stream, fault)

    assert stream._fault is first
    assert ended.is_set()

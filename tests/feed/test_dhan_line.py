"""When a connection of a feed is opened, dropped and tried again; and which instruments are silent."""

import random
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.feed.bodies.dhan.attempt import Attempt
from natya.actors.feed.bodies.dhan.line import Line, LineBounds
from natya.actors.feed.bodies.dhan.silence import Silence
from natya.actors.feed.queue import TickQueue
from natya.messages.market import Tick

S = 10**9


def a_line(seed=1, **bounds):
    return Line(LineBounds(**bounds), random.Random(seed))


def an_open_line(now_s=0, **bounds):
    line = a_line(**bounds)
    line.began(now_s * S)
    line.opened(now_s * S)
    return line


def a_trade(trade_s, *, came_s=None, volume=0):
    """Return a tick of one share of A, by the clock of the exchange and by ours."""
    came_ns = round((trade_s if came_s is None else came_s) * S)
    tick = a_tick("A", volume=volume)
    return msgspec.structs.replace(tick, exchange_ns=trade_s * S, received_ns=came_ns)


def a_tick(symbol="S1", sequence=1, price=1.0, volume=0):
    return Tick(symbol=symbol, price=price, quantity=1, exchange_ns=1, source="x", sequence=sequence, volume=volume)


class TestALine:
    def test_is_opened_at_once(self):
        assert a_line().deed(0, trading_since_ns=None) == "open"

    def test_that_takes_too_long_to_open_is_dropped(self):
        line = a_line(opening_s=10.0)
        line.began(0)
        assert line.deed(10 * S, trading_since_ns=0) == ""
        assert line.deed(10 * S + 1, trading_since_ns=None) == "drop"

    def test_is_dropped_in_silence_only_while_there_is_trading(self):
        line = an_open_line()
        line.heard(100 * S)
        assert line.deed(115 * S, trading_since_ns=0) == ""
        assert line.deed(115 * S + 1, trading_since_ns=0) == "drop"
        assert line.deed(10_000 * S, trading_since_ns=None) == ""

    def test_is_silent_only_from_the_opening_of_the_market_on(self):
        line = an_open_line()
        assert line.deed(50_000 * S, trading_since_ns=49_990 * S) == ""
        assert line.deed(50_006 * S, trading_since_ns=49_990 * S) == "drop"

    @given(st.integers(0, 1000), st.integers(1, 40))
    def test_waits_at_most_as_long_as_the_attempts_before_allow(self, seed, failures):
        line = a_line(seed)
        now_ns, waits = 0, []
        for _ in range(failures):
            line.began(now_ns)
            line.ended(now_ns)
            step = now_ns
            while line.deed(step, trading_since_ns=0) == "":
                step += S // 4
            waits.append((step - now_ns) / S)
            now_ns = step
        for number, wait_s in enumerate(waits):
            assert wait_s <= min(30.0, 2.0**number) + 0.25

    def test_that_stood_for_a_while_begins_with_the_shortest_wait_again(self):
        line = a_line()
        for _ in range(8):
            line.began(0)
            line.ended(0)
        line.began(0)
        line.opened(0)
        line.heard(31 * S)
        line.ended(31 * S)
        assert line.deed(32 * S, trading_since_ns=None) == "open"

    def test_that_is_ended_as_soon_as_it_is_opened_waits_longer_and_longer(self):
        waits = []
        for seed in range(40):
            line = a_line(seed)
            for _ in range(8):
                line.began(0)
                line.opened(0)
                line.ended(S)
            waits.append(next(s for s in range(1, 40) if line.deed(s * S, trading_since_ns=None) == "open"))
        assert max(waits) > 20

    @given(st.integers(0, 1000))
    def test_of_a_busy_service_is_left_alone_for_half_of_the_longest_wait_at_least(self, seed):
        line = an_open_line()
        line._random.seed(seed)
        line.ended(0, busy=True)
        assert line.deed(15 * S - 1, trading_since_ns=None) == ""
        assert line.deed(30 * S, trading_since_ns=None) == "open"


class TestASilentInstrument:
    def test_is_one_that_was_traded_a_moment_ago(self):
        silence = Silence(5.0)
        silence.heard([a_tick("A", volume=10), a_tick("B", volume=10)], 10 * S)
        silence.heard([a_tick("B", volume=11)], 14 * S)
        assert silence.look(15 * S) == ()
        assert silence.look(16 * S) == ("A",)
        assert silence.silent == {"A"}

    def test_is_none_whose_market_has_closed_until_it_comes_again(self):
        silence = Silence(5.0)
        silence.heard([a_tick("A", volume=10), a_tick("B", volume=10)], 10 * S)
        silence.look(16 * S)
        silence.rest(["A"])
        assert silence.silent == {"B"}
        assert silence.look(60 * S) == ("B",)
        silence.heard([a_tick("A", volume=11)], 61 * S)
        assert silence.look(67 * S) == ("A",)

    def test_is_asked_for_again_every_half_minute(self):
        silence = Silence(5.0)
        silence.heard([a_tick("A", volume=10)], 10 * S)
        asked = [second for second in range(11, 71) if silence.look(second * S)]
        assert asked == [16, 46]

    def test_is_none_that_was_not_traded_for_a_minute(self):
        silence = Silence(5.0)
        silence.heard([a_tick("A", volume=10)], 10 * S)
        silence.heard([a_tick("A", volume=10)], 60 * S)  # a quote without a trade
        assert silence.look(71 * S) == ()
        assert silence.silent == frozenset()

    def test_is_one_from_the_first_moment_beyond_its_bounds(self):
        silence = Silence(5.0)
        silence.heard([a_tick("A", volume=10)], 10 * S)
        assert silence.look(15 * S) == ()  # as long as it may be silent
        assert silence.look(16 * S - 1) == ()  # looked less than a second ago
        assert silence.look(16 * S) == ("A",)
        silence.heard([a_tick("B", volume=10)], 20 * S)
        silence.heard([a_tick("B", volume=10)], 70 * S)
        assert silence.look(80 * S) == ("B",)  # its trade was a minute ago
        assert silence.look(81 * S) == ()
        assert silence.silent == frozenset()

    def test_of_an_index_is_one_since_each_of_its_prices_counts_as_a_trade(self):
        silence = Silence(5.0)
        for second in (10, 60):
            silence.heard([a_tick("I", volume=0)], second * S)
        assert silence.look(75 * S) == ("I",)

    def test_is_one_that_was_traded_again_within_the_minute(self):
        silence = Silence(5.0)
        for second, volume in ((10, 10), (50, 20), (55, 20)):
            silence.heard([a_trade(second, volume=volume)], second * S)

        assert silence.look(109 * S) == ("A",)
        assert silence.look(111 * S) == ()
        assert silence.silent == frozenset()

    def test_is_none_on_a_new_connection(self):
        silence = Silence(5.0)
        silence.heard([a_tick("A", volume=10), a_tick("B", volume=10)], 10 * S)
        assert silence.look(16 * S) == ("A", "B")
        silence.forget()
        assert silence.silent == frozenset()
        assert silence.look(17 * S) == ()
        silence.heard([a_tick("A", volume=10)], 18 * S)  # a new connection tells what was, and it counts as a trade
        assert silence.look(24 * S) == ()
        assert silence.silent == {"A"}
        assert silence.look(46 * S) == ("A",)


class TestWhatComesOfASilentInstrument:
    """Known are 10 shares, heard of at 10 s by both clocks; it was subscribed to again at 16 s."""

    @pytest.fixture
    def silence(self):
        silence = Silence(5.0)
        silence.heard([a_trade(10, volume=10)], 10 * S)
        assert silence.look(16 * S) == ("A",)
        return silence

    @pytest.mark.parametrize(
        ("trade_s", "came_s", "volume", "missed"),
        [
            (10, 16.1, 10, False),  # the last trade once more: it was not traded
            (12, 16.1, 11, True),  # a trade of which nothing came
            (12, 40, 11, True),
            (16, 16.1, 11, False),  # one of just now
            (16, 16.1, 50, True),  # and others before it
            (40, 40, 50, False),  # several at once, later: they came when they were traded
            (9, 16.1, 9, False),  # late
        ],
    )
    def test_tells_whether_a_trade_was_missed(self, silence, trade_s, came_s, volume, missed):
        tick = a_trade(trade_s, came_s=came_s, volume=volume)
        assert silence.heard([tick], round(came_s * S)) == ([("A", 10 * S)] if missed else [])

    @pytest.mark.parametrize(("trade_s", "missed"), [(10, False), (12, True), (16, True)])
    def test_tells_it_by_the_time_of_the_trade_where_no_volume_is_told(self, trade_s, missed):
        silence = Silence(5.0)
        silence.heard([a_trade(10)], 10 * S)
        silence.look(16 * S)
        tick = a_trade(trade_s, came_s=16.1)
        assert silence.heard([tick], round(16.1 * S)) == ([("A", 10 * S)] if missed else [])

    def test_is_looked_at_once(self, silence):
        assert silence.heard([a_trade(12, came_s=17, volume=11)] * 2, 17 * S) == [("A", 10 * S)]
        assert silence.heard([a_trade(12, came_s=18, volume=12)], 18 * S) == []

    def test_was_missed_since_before_it_was_subscribed_to_the_first_time(self, silence):
        assert silence.look(46 * S) == ("A",)
        assert silence.heard([a_trade(42, came_s=46.1, volume=11)], round(46.1 * S)) == [("A", 10 * S)]

    @pytest.mark.parametrize("end", [Silence.forget, lambda silence: silence.rest(["A"])])
    def test_tells_nothing_after_its_connection_or_its_market_has_ended(self, silence, end):
        end(silence)
        assert silence.heard([a_trade(12, came_s=20, volume=11)], 20 * S) == []


class TestAnAttemptThatIsGivenUp:
    def attempt(self, *, has_socket, has_task):
        calls = []
        attempt = Attempt("ws://127.0.0.1:9", lambda: None, handshake_s=1.0)
        if has_socket:
            attempt._socket = SimpleNamespace(shutdown=lambda _: calls.append("shut down"))
        if has_task:
            attempt._task = SimpleNamespace(cancel=lambda: calls.append("cancelled"))
        attempt.give_up()
        assert attempt.is_given_up
        return calls

    def test_has_its_socket_shut_down_or_its_task_cancelled_where_there_is_none_yet(self):
        assert self.attempt(has_socket=True, has_task=True) == ["shut down"]
        assert self.attempt(has_socket=False, has_task=True) == ["cancelled"]
        assert self.attempt(has_socket=False, has_task=False) == []


class TestTheQueue:
    @given(
        st.lists(
            st.one_of(
                st.lists(st.sampled_from("ABCDE"), min_size=1, max_size=12).map(tuple),
                st.integers(1, 8),
            ),
            max_size=40,
        ),
        st.integers(1, 10),
    )
    def test_loses_nothing_that_it_does_not_count_and_keeps_the_newest_of_each(self, steps, most):
        queue, sent, taken, number = TickQueue(most), [], [], 0
        for step in steps:
            if isinstance(step, int):
                taken += queue.take(step)
            else:
                batch = []
                for symbol in step:
                    number += 1
                    batch.append(a_tick(symbol, number))
                sent += batch
                queue.put(batch)
            arrived, conflated, queued = queue.counts()
            assert arrived == len(sent) == len(taken) + conflated + queued
            assert queued <= max(most, 10)
        taken += queue.take(1_000)
        for symbol in "ABCDE":
            of_sent = [tick.sequence for tick in sent if tick.symbol == symbol]
            of_taken = [tick.sequence for tick in taken if tick.symbol == symbol]
            assert of_taken == sorted(of_taken)
            assert of_taken[-1:] == of_sent[-1:]

    def test_keeps_every_tick_while_there_is_room_also_after_there_was_none(self):
        queue = TickQueue(4)
        queue.put([a_tick("A", number) for number in range(1, 6)])
        queue.put([a_tick("A", number) for number in range(6, 9)])
        assert queue.counts() == (8, 4, 4)
        assert [tick.sequence for tick in queue.take(9)] == [5, 6, 7, 8]

    def test_that_is_full_keeps_the_newest_and_not_a_late_one(self):
        queue = TickQueue(2)
        times = {1: 20, 2: 22, 3: 21}
        queue.put(
            [
                msgspec.structs.replace(a_tick(sequence=n), exchange_ns=s * S, received_ns=22 * S)
                for n, s in times.items()
            ]
        )
        assert queue.counts() == (3, 2, 1)
        assert [tick.sequence for tick in queue.take(9)] == [2]

    def test_says_when_somebody_has_to_be_told(self):
        queue = TickQueue(10)
        assert queue.put([a_tick()])
        assert not queue.put([a_tick()])
        queue.take(2)
        assert not queue.put([])
        assert queue.put([a_tick()])

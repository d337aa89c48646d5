"""Which part of a recording is played, how far it is read, and where its market ends."""

from types import SimpleNamespace
from unittest.mock import MagicMock

import msgspec
import pytest
from natya_builders import a_candle, a_tick
from natya_chunks import GivenChunks

from natya.actors.feed import BEHIND_CLOSE_NS, Again, FeedError, Surroundings
from natya.backtest.plan import END_NS, time_ns
from natya.backtest.running import feed as feed_of_backtest
from natya.backtest.running.feed import (
    AwaitMarketEnd,
    BacktestFeedActor,
    BacktestFeedSettings,
    EndMarket,
    MarksRead,
    ReachClose,
    ReadMarks,
    Release,
)
from natya.config.sections.feed import FeedSettings
from natya.messages.market import FeedStatistics, MarketEnded

MINUTE_NS = 60 * 10**9


class Source(GivenChunks):
    """Has passed over some rows."""

    bad_rows = 3


class Staged(BacktestFeedActor):
    """Plays nothing: it notes what it would have sent, and what it waits for."""

    host = MagicMock()

    def __init__(self, source, *, now_ns=0, exchange="none", **part):
        super().__init__()
        self.source, self.told, self.did = source, [], []
        self.clock = SimpleNamespace(now_ns=lambda: now_ns)
        part = {"since_ns": 0, "until_ns": END_NS} | part | {"symbols": frozenset(part.get("symbols", ()))}
        self.settings = BacktestFeedSettings(
            feed=FeedSettings.default(exchange=exchange), is_made_up=False, on_progress=self.told.append, **part
        )
        self.on_start()

    def _open(self):
        return self.source

    def pace_market(self, speed):
        self.did.append(("pace", speed))

    def when_quiet(self, message, at_ns=None, *, ends=False):
        self.did.append((type(message), at_ns, ends))

    def send(self, target, message):
        self.did.append((target, message))

    def noted(self):
        did, self.did[:] = list(self.did), []
        return did


def at(*times_ns):
    return [a_tick(sequence=number, exchange_ns=time_ns) for number, time_ns in enumerate(times_ns, start=1)]


def taken_over(actor):
    """Return all that is played, chunk by chunk."""
    found = []
    while actor._turn_over():
        found.append([tick.exchange_ns for tick in actor._chunk])
    return found


class TestTheFeed:
    def test_begins_without_a_pace_and_when_all_are_quiet(self):
        assert Staged(Source()).noted() == [("pace", 0.0), (Release, None, False)]

    def test_plays_what_is_between_two_times_and_reads_no_further(self):
        source = Source(at(1, 2), at(3, 4), at(5, 9), at(10, 11), at(12))
        actor = Staged(source, since_ns=4, until_ns=9)

        assert taken_over(actor) == [[4], [5]]
        assert (source.taken, actor.told, actor._begin_ns) == (4, [4, 5], 4)

    def test_reads_on_over_a_hole(self):
        actor = Staged(Source([a_candle(start_ns=0, interval_ns=2, symbol="TCS")], at(3)), symbols=["INFY"])

        assert taken_over(actor) == [[3]]
        assert actor._left_out == {"TCS"}

    def test_of_a_broken_recording_plays_all_that_was_before(self):
        actor = Staged(Source(at(1, 2), fault=FeedError("line 7")))

        assert taken_over(actor) == [[1, 2]]
        actor.await_end(AwaitMarketEnd(), "first")
        actor.noted()
        actor.end_market(EndMarket(), None)
        ended = MarketEnded(ticks=0, candles=0, bad_rows=3, error="line 7")
        assert actor.noted() == [("first", ended)]
        actor.await_end(AwaitMarketEnd(), "late")
        assert actor.noted() == [("late", ended)]

    @pytest.mark.parametrize(
        ("since_ns", "until_ns", "symbols", "played"),
        [
            (0, END_NS, (), [0, 1, 2, 3]),
            (10, END_NS, (), [1, 2, 3]),
            (11, END_NS, (), [2, 3]),
            (0, 30, (), [0, 1, 2]),
            (0, 31, (), [0, 1, 2, 3]),
            (0, 29, (), [0, 1]),
            (0, END_NS, ("TCS",), [1, 3]),
            (11, 31, ("TCS",), [3]),
            (0, END_NS, ("INFY", "TCS"), [0, 1, 2, 3]),
            (10, 30, ("INFY", "TCS"), [1, 2]),
        ],
    )
    def test_plays_candles_by_their_beginning_and_end_and_only_of_what_is_wanted(
        self, since_ns, until_ns, symbols, played
    ):
        """A candle that ends at the end is of it, a tick at the end is not."""
        chunk = [
            a_candle(symbol="INFY", start_ns=5, interval_ns=10),
            a_candle(symbol="TCS", start_ns=10, interval_ns=10),
            a_candle(symbol="INFY", start_ns=20, interval_ns=10),
            a_tick(symbol="TCS", exchange_ns=30),
        ]
        actor = Staged(Source(), since_ns=since_ns, until_ns=until_ns, symbols=symbols)

        assert actor._played(chunk) == [chunk[place] for place in played]

    def test_counts_what_was_sent_and_tells_the_marks_when_they_are_asked_for(self):
        actor = Staged(Source(at(1)), symbols=["INFY"])
        actor._note_sent([*at(MINUTE_NS), a_candle(symbol="TCS", start_ns=MINUTE_NS, interval_ns=MINUTE_NS)])
        counted = {"bad_rows": 0, "source": "", "recorded_sequence": 0, "ticks": 1, "candles": 1}
        newest = {"last_prices": {"INFY": 100.0, "TCS": 1.0}, "priced_ns": {"INFY": MINUTE_NS, "TCS": 2 * MINUTE_NS}}
        assert actor.statistics() == FeedStatistics(ended=False, **newest, **counted)

        taken_over(actor)
        actor.noted()
        actor.read_marks(ReadMarks(), "asker")
        ((asker, answer),) = actor.noted()
        assert (asker, type(answer), answer.begin_ns, answer.left_out) == ("asker", MarksRead, 1, ())
        prices = answer.marks.last_prices
        assert prices.keys() == {"INFY", "TCS"}
        actor.end_market(EndMarket(), None)
        assert actor.statistics() == FeedStatistics(ended=True, **newest, **counted | {"bad_rows": 3})

    @pytest.mark.parametrize(
        ("exchange", "now", "until", "error", "close"),
        [
            ("NSE", "2025-11-03T15:29:30", "", "", "2025-11-03T15:30"),
            ("NSE", "2025-11-03T15:29:30", "2025-11-03T15:30", "", "2025-11-03T15:30"),
            ("NSE", "2025-11-03T15:29:30", "2025-11-03T15:29:45", "", ""),
            ("NSE", "2025-11-03T15:29:30", "", "line 7", ""),
            ("none", "2025-11-03T15:29:30", "", "", ""),
        ],
    )
    def test_ends_with_the_session_that_its_data_reach(self, exchange, now, until, error, close):
        until_ns = time_ns(until) if until else END_NS
        actor = Staged(Source(), exchange=exchange, now_ns=time_ns(now), until_ns=until_ns)
        actor._error = error
        actor.noted()

        actor.release(Release(), None)

        closes = [(ReachClose, time_ns(close) + BEHIND_CLOSE_NS, False)] if close else [(EndMarket, None, False)]
        assert actor.noted() == closes
        actor.reach_close(ReachClose(), None)
        assert actor.noted() == [(EndMarket, None, False)]

    def test_waits_for_the_time_of_what_is_next_and_lets_a_candle_end_there(self):
        actor = Staged(Source(at(7), [a_candle(start_ns=7, interval_ns=3)]))
        actor.noted()
        actor.release(Release(), None)
        assert actor.noted() == [(Release, 7, False)]

        actor._place = 1
        actor.release(Release(), None)
        assert actor.noted() == [(Release, 10, True)]

    def test_closes_what_it_has_opened(self):
        source = Source()
        actor = Staged(source)
        actor.on_stop()
        assert source.closed == 0
        taken_over(actor)
        actor.on_stop()
        assert source.closed == 1

    def test_reads_small_recordings_here_and_others_in_a_process_of_their_own(self, tmp_path, monkeypatch):
        monkeypatch.setattr(feed_of_backtest, "READ_HERE_BYTES", 10)
        made = []
        make = lambda settings, options, surroundings: made.append((settings, options, surroundings)) or "apart"  # noqa: E731
        monkeypatch.setattr(feed_of_backtest, "source_of", lambda _: (make, {"how": "it reads"}))
        actor = Staged(Source(), now_ns=77)
        actor.random = "random"
        found = []
        for sizes in ((10,), (4, 6), (5, 6), (11,)):
            for number, size in enumerate(sizes):
                (tmp_path / f"{number}.csv").write_bytes(bytes(size))
            recordings = tuple(f"S{number}={tmp_path / f'{number}.csv'}" for number in range(len(sizes)))
            feed = FeedSettings.default(source="replay", recording=recordings)
            actor.settings = msgspec.structs.replace(actor.settings, feed=feed)
            found.append(BacktestFeedActor._open(actor))

        assert [isinstance(each, Again) for each in found] == [True, True, False, False]
        assert found[2:] == ["apart"] * 2
        assert made == [(made[0][0], {"how": "it reads"}, Surroundings(start_ns=77, random="random")), made[1]]
        assert made[1][0] is actor.settings.feed

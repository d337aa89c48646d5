"""What a strategy knows in a backtest of the candles before it, and that it knows nothing of those to come."""

import csv
from datetime import timedelta
from pathlib import Path

import natya_backtests
import pandas as pd
import pytest
from natya_builders import a_candle, a_tick
from natya_chunks import GivenChunks
from natya_recordings import BEGIN, write_candles

import natya
from natya.actors.feed import Again, RecordingError
from natya.backtest.plan import END_NS
from natya.backtest.running import past
from natya.backtest.running.feed import BacktestFeedSettings
from natya.backtest.running.past import PastActor, PastSettings
from natya.backtest.running.warm_up import bars_wanted, past_ns
from natya.config.sections.feed import FeedSettings
from natya.domain.time import DAY_NS
from natya.messages.database import HistoryRead, QueryFailed, ReadHistory

MINUTE_NS = 60 * 10**9
SINCE = BEGIN + timedelta(minutes=22)
SINCE_NS = int(SINCE.timestamp()) * 10**9


def seen(data, **options):
    """Return what was known at each moment: the time, the minutes, and the candles of five."""
    natya.backtest(natya_backtests.Rememberer, data, symbols=["TCS"], charges="none", **options)
    return list(natya_backtests.Rememberer.SEEN)


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    return write_candles(tmp_path_factory.mktemp("past") / "walk.csv", 45, seed=5)


@pytest.fixture(scope="module")
def whole(recording):
    return seen(recording)


class TestAHistory:
    def test_has_no_candle_that_ends_later_than_now(self, whole):
        assert all(start_ns + MINUTE_NS <= now_ns for now_ns, (starts, *_), _ in whole for start_ns in starts)
        assert all(start_ns + 5 * MINUTE_NS <= now_ns for now_ns, _, (starts, *_) in whole for start_ns in starts)
        assert whole[0][1:] == (([], [], []), ([], [], []))
        assert [len(starts) for starts, *_ in whole[-1][1:]] == [30, 8]

    def test_is_what_the_rows_of_the_recording_come_to(self, recording, whole):
        rows = list(csv.DictReader(recording.read_text().splitlines()))
        begin_ns = int(BEGIN.timestamp()) * 10**9
        minutes = [
            (begin_ns + n * MINUTE_NS, begin_ns + (n + 1) * MINUTE_NS, float(row["close"]), int(row["volume"]))
            for n, row in enumerate(rows)
        ]
        fives = [
            (part[0][0], part[-1][1], part[-1][2], sum(volume for *_, volume in part))
            for part in (minutes[at : at + 5] for at in range(0, len(minutes), 5))
        ]

        for now_ns, *known in whole:
            for bars, found, most in ((minutes, known[0], 30), (fives, known[1], 8)):
                over = [bar for bar in bars if bar[1] < now_ns]
                just = [bar for bar in bars if bar[1] <= now_ns]  # the longer of two that end now may be on its way
                assert found in [
                    tuple([bar[field] for bar in some[-most:]] for field in (0, 2, 3)) for some in (over, just)
                ]

    def test_is_what_pandas_makes_of_days_with_holes(self, tmp_path):
        """A candle that the recording has is known at its end; one that is made of it, with the next price."""
        head, *lines = write_candles(tmp_path / "whole.csv", 80, seed=9, minutes_a_day=40).read_text().splitlines()
        left = [line for place, line in enumerate(lines) if place not in {3, 4, 11, 25, 26, 27, 28, 29, 30, 52}]
        path = tmp_path / "holes.csv"
        path.write_text("\n".join([head, *left]) + "\n")
        rows = pd.read_csv(path, parse_dates=["date"], index_col="date")
        how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
        bars = {
            interval: [
                (start.value, *values)
                for start, *values in rows.resample(interval.replace("m", "min")).agg(how).dropna().itertuples()
            ]
            for interval in natya_backtests.Historian.warm_up
        }

        natya.backtest(natya_backtests.Historian, path, symbols=["TCS"], interval="1m", charges="none")

        assert len(natya_backtests.Historian.SEEN) == len(left)
        for now_ns, known in natya_backtests.Historian.SEEN:
            for interval, most in natya_backtests.Historian.warm_up.items():
                length_ns = int(interval.removesuffix("m")) * MINUTE_NS
                before_ns = now_ns + 1 if interval == "1m" else now_ns
                over = [bar for bar in bars[interval] if bar[0] + length_ns < before_ns]
                assert known[interval] == over[-(most - 1) :]

    def test_is_the_same_whatever_comes_later(self, recording, whole, tmp_path):
        lines = recording.read_text().splitlines()
        changed = [",".join([line.split(",")[0], "9.0,9.0,9.0,9.0,1"]) for line in lines[31:]]
        (tmp_path / "changed.csv").write_text("\n".join([*lines[:31], *changed]) + "\n")
        end_ns = int(BEGIN.timestamp() + 30 * 60) * 10**9

        other = seen(tmp_path / "changed.csv")

        assert [each for each in other if each[0] < end_ns] == [each for each in whole if each[0] < end_ns]
        assert other != whole

    def test_of_a_backtest_that_begins_later_has_the_candles_before_it(self, recording, whole):
        later = seen(recording, since=SINCE.isoformat())

        first_ns, minutes, fives = later[0]
        assert first_ns == SINCE_NS
        assert minutes[0] == [SINCE_NS + (n - 22) * MINUTE_NS for n in range(22)]
        assert [(start_ns - SINCE_NS) // MINUTE_NS for start_ns in fives[0]] == [-22, -17, -12, -7]
        played = {now_ns: known for now_ns, *known in whole}
        assert all(known[0] == played[now_ns][0] for now_ns, *known in later[1:])


class TestAStrategyOfSeveralLengths:
    def test_has_the_recordings_read_once(self, recording, monkeypatch):
        opened = []
        monkeypatch.setattr(past, "Again", lambda feed: opened.append(feed) or Again(feed))

        known = seen(recording, since=SINCE.isoformat())

        assert len(opened) == 1
        assert [len(starts) for starts, *_ in known[0][1:]] == [22, 4]


def test_the_candles_that_several_strategies_want_are_the_most_that_any_wants():
    found = bars_wanted(["natya_backtests:Rememberer", "natya_backtests:Knower", "natya_backtests:Watcher"])

    assert found == {MINUTE_NS: 40, 5 * MINUTE_NS: 8}


def test_the_past_of_a_strategy_reaches_over_nights_and_holidays():
    assert past_ns({}) == 0
    assert past_ns({DAY_NS: 20, 5 * MINUTE_NS: 100}) == 125 * DAY_NS


class Readings(GivenChunks):
    """In the place of recordings: chunks, and how often they were read, how far, and closed."""

    def __init__(self, *chunks, fault=None):
        super().__init__(*chunks, fault=fault)
        self.read = 0

    def __call__(self, _settings):
        self.read += 1
        return self


MINUTES = [
    [a_candle(symbol=symbol, start_ns=n * MINUTE_NS, interval_ns=MINUTE_NS) for symbol in ("INFY", "TCS")]
    for n in range(1, 8)
]


class TestTheActor:
    def asked(self, monkeypatch, readings, *requests, since_ns=5 * MINUTE_NS, symbols=(), bars=3):
        """Return the answer to each request of (symbols, bars, end)."""
        monkeypatch.setattr(past, "Again", readings)
        played = BacktestFeedSettings(
            feed=FeedSettings.default(), since_ns=since_ns, until_ns=END_NS, symbols=frozenset(symbols),
            is_made_up=False, on_progress=lambda _: None,
        )  # fmt: skip
        actor, answers = PastActor(), []
        actor.settings = PastSettings(played=played, bars={MINUTE_NS: bars})
        actor.send = lambda target, answer: answers.append((target, answer))
        actor.on_start()
        for wanted, count, until_ns in requests:
            request = ReadHistory(symbols=wanted, interval_ns=MINUTE_NS, bars=count, until_ns=until_ns)
            actor.read(request, "asker")
        assert {target for target, _ in answers} == {"asker"}
        return [
            [(candle.symbol, candle.start_ns // MINUTE_NS) for candle in answer.candles]
            if isinstance(answer, HistoryRead)
            else answer
            for _, answer in answers
        ]

    def test_gives_the_newest_of_each_symbol_that_ended_by_the_beginning_and_by_the_time_that_is_asked_for(
        self, monkeypatch
    ):
        readings = Readings(*MINUTES)
        found = self.asked(
            monkeypatch, readings, ((), 3, END_NS), (("TCS",), 2, END_NS), (("TCS", "SBIN"), 3, 4 * MINUTE_NS)
        )

        assert found == [
            [("INFY", 2), ("INFY", 3), ("INFY", 4), ("TCS", 2), ("TCS", 3), ("TCS", 4)],
            [("TCS", 3), ("TCS", 4)],
            [("TCS", 2), ("TCS", 3)],
        ]
        assert (readings.read, readings.closed) == (1, 1)
        assert readings.taken == 5, "no further than the beginning"

    def test_reads_again_for_more_than_was_announced(self, monkeypatch):
        readings = Readings(*MINUTES)
        found = self.asked(
            monkeypatch, readings, (("TCS",), 1, END_NS), (("TCS",), 2, END_NS), (("TCS",), 2, END_NS), bars=1
        )

        assert found == [[("TCS", 4)], [("TCS", 3), ("TCS", 4)], [("TCS", 3), ("TCS", 4)]]
        assert readings.read == 2

    def test_reads_again_for_a_symbol_that_is_not_played(self, monkeypatch):
        readings = Readings(*MINUTES)
        requests = [((), 1, END_NS), (("TCS",), 1, END_NS), (("TCS", "INFY"), 1, END_NS), ((), 1, END_NS)]
        found = self.asked(monkeypatch, readings, *requests, symbols=["INFY"])

        assert found == [[("INFY", 4)], [("TCS", 4)], [("INFY", 4), ("TCS", 4)], [("INFY", 4)]]
        assert readings.read == 2

    def test_makes_candles_of_ticks_and_closes_the_last_of_them_with_the_beginning(self, monkeypatch):
        ticks = [[a_tick(n, "TCS", exchange_ns=n * MINUTE_NS // 2)] for n in range(2, 12)]
        found = self.asked(monkeypatch, Readings(*ticks), (("TCS",), 9, END_NS))

        assert found == [[("TCS", 1), ("TCS", 2), ("TCS", 3), ("TCS", 4)]]

    def test_of_a_test_that_begins_with_the_data_there_is_nothing_before(self, monkeypatch):
        readings = Readings(*MINUTES)

        assert self.asked(monkeypatch, readings, ((), 3, END_NS), since_ns=0) == [[]]
        assert readings.read == 0

    def test_says_of_a_broken_recording_where_it_is_broken(self, monkeypatch):
        readings = Readings(MINUTES[0], fault=RecordingError(Path("a.csv"), 7, "a number wanted"))
        (answer,) = self.asked(monkeypatch, readings, ((), 3, END_NS))

        assert answer == QueryFailed(error="RecordingError", reason=str(readings.fault))
        assert readings.closed == 1

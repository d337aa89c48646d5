"""Candles of any length, against a reading of the same data in plain Python."""

import collections
import datetime as dt
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_examples import QUARTER
from natya_market import emptied

from natya.actors.database.tables.moments import interval_ns, start_ns
from natya.domain.time import DAY_NS, IST, IST_OFFSET_NS

pytestmark = pytest.mark.usefixtures("engines")

SECOND_NS = 10**9
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
FRIDAY = dt.date(2026, 1, 2)
MONDAY = dt.date(2026, 1, 5)
TUESDAY = dt.date(2026, 1, 6)
INTERVALS = ("1m", "5m", "7m", "15m", "30m", "1h", "2h", "4h", "5h", "1d", "2d", "7d")


def at(day, hour, minute=0, second=0):
    return start_ns(dt.datetime.combine(day, dt.time(hour, minute, second), IST))


def begins(candles):
    return [dt.datetime.fromtimestamp(candle.start_ns / 1e9, IST).strftime("%a %H:%M") for candle in candles]


def begin_of(moment_ns, length_ns):
    """Where a candle begins, by the calendar rather than by one formula."""
    day = dt.datetime.fromtimestamp(moment_ns // SECOND_NS, IST).date()
    midnight = start_ns(day)
    if length_ns >= DAY_NS:
        days = length_ns // DAY_NS
        return start_ns(day - dt.timedelta(days=(day - dt.date(1969, 12, 29)).days % days))
    opening = midnight + 9 * HOUR_NS + 15 * MINUTE_NS
    starts = [
        opening + count * length_ns for count in range(-(opening - midnight) // length_ns - 1, DAY_NS // length_ns)
    ]
    return max(start for start in (midnight, *starts) if midnight <= start <= moment_ns)


def traded(ticks):
    """Ticks that count, and the shares of each: the rise of its source's day volume, or its own quantity."""
    rises = list(risen(ticks))
    by_day = collections.defaultdict(list)
    for tick, shares, day in rises:
        by_day[day].append((tick, shares))
    for each in by_day.values():
        yield from counted(each)


def counted(rises):
    """Of one day, those of one source at a time."""
    sources = collections.defaultdict(list)
    for tick, shares in rises:
        sources[tick.source].append((tick, shares))
    ranked = sorted(sources, key=lambda source: (-len(sources[source]), source))
    covered, starts, chosen = [], set(), []
    for source in ranked:
        stretches = []
        for tick, shares in sources[source]:
            if stretches and tick.exchange_ns - stretches[-1][1] <= 300 * SECOND_NS:
                stretches[-1][1] = tick.exchange_ns
            else:
                stretches.append([tick.exchange_ns, tick.exchange_ns])
                starts.add((source, tick.sequence))
            if not any(first <= tick.exchange_ns <= last for first, last in covered):
                chosen.append((tick, shares))
        covered += stretches
    chosen.sort(key=lambda each: (each[0].exchange_ns, ranked.index(each[0].source), each[0].sequence))
    before = None
    for tick, shares in chosen:
        is_joined = before not in (None, tick.source) and (tick.source, tick.sequence) in starts
        yield tick, min(shares, tick.quantity) if is_joined else shares
        before = tick.source


def risen(ticks):
    highest = {}
    for tick in sorted(ticks, key=lambda tick: (tick.exchange_ns, tick.sequence)):
        day = (tick.source, (tick.exchange_ns + IST_OFFSET_NS) // DAY_NS)
        if tick.volume == 0:
            shares = tick.quantity
        else:
            shares = max(0, tick.volume - highest.get(day, tick.volume - tick.quantity))
        highest[day] = max(tick.volume, highest.get(day, tick.volume))
        yield tick, shares, day[1]


def made_of(ticks, length_ns):
    """Candles as plain tuples, by where they begin."""
    made = {}
    in_order = sorted(traded(ticks), key=lambda each: (each[0].exchange_ns, each[0].sequence))
    for begin, group in itertools.groupby(in_order, key=lambda each: begin_of(each[0].exchange_ns, length_ns)):
        each = list(group)
        prices = [tick.price for tick, _ in each]
        made[begin] = (prices[0], max(prices), min(prices), prices[-1], sum(shares for _, shares in each))
    return made


def plainly(candles):
    return {c.start_ns: (c.open, c.high, c.low, c.close, c.volume) for c in candles}


class TestHours:
    def test_begin_at_the_opening(self, market, build):
        moments = [at(FRIDAY, 9, 15), at(FRIDAY, 10, 14, 59), at(FRIDAY, 10, 15), at(FRIDAY, 15, 29), at(MONDAY, 9, 20)]
        market.save_ticks([build.tick(n, exchange_ns=ns) for n, ns in enumerate(moments, start=1)]).result()

        assert begins(market.candles("NIFTY", "1h", FRIDAY, MONDAY).data) == [
            "Fri 09:15",
            "Fri 10:15",
            "Fri 15:15",
            "Mon 09:15",
        ]

    def test_of_another_market_begin_at_its_own(self, market, build):
        market.save_ticks([build.tick(1, exchange_ns=at(FRIDAY, 9, 5)), build.tick(2, exchange_ns=at(FRIDAY, 10, 5))])
        candles = market.candles("NIFTY", "1h", FRIDAY, FRIDAY, opening=dt.time(9)).data

        assert begins(candles) == ["Fri 09:00", "Fri 10:00"]

    def test_before_the_opening_are_counted_back_from_it_and_never_from_the_day_before(self, market, build):
        market.save_ticks(
            [build.tick(1, exchange_ns=at(FRIDAY, 0, 5)), build.tick(2, exchange_ns=at(FRIDAY, 9, 8))]
        ).result()

        assert begins(market.candles("NIFTY", "1h", FRIDAY, FRIDAY).data) == ["Fri 00:00", "Fri 08:15"]

    @pytest.mark.parametrize(
        ("start", "end", "found"),
        [
            ("2025-10-20", "2025-10-23", ["Mon 09:15", "Tue 13:45", "Tue 14:45", "Thu 10:15"]),
            ("2025-10-21T14:00", "2025-10-23", ["Tue 14:45", "Thu 10:15"]),
            ("2025-10-20", "2025-10-21T14:00", ["Mon 09:15", "Tue 13:45"]),
        ],
        ids=["around it", "from its midst", "up to its midst"],
    )
    def test_of_a_day_that_opens_at_another_time_begin_then(self, market, build, start, end, found):
        """The hour of Diwali in 2025 was from 13:45 to 14:45."""
        diwali = dt.date(2025, 10, 21)
        before, after = diwali - dt.timedelta(days=1), diwali + dt.timedelta(days=2)
        moments = [at(before, 10, 0), at(diwali, 13, 50), at(diwali, 14, 30), at(diwali, 14, 46), at(after, 11, 0)]
        market.save_ticks([build.tick(n, exchange_ns=ns) for n, ns in enumerate(moments, start=1)]).result()

        assert begins(market.candles("NIFTY", "1h", start, end).data) == found


class TestDays:
    def test_begin_at_midnight_and_holidays_have_none(self, market, build):
        market.save_candles([build.candle(start_ns(day), interval_ns=DAY_NS) for day in (FRIDAY, MONDAY)]).result()

        assert begins(market.candles("RELIANCE", "1d", "2026-01-01", "2026-01-10").data) == ["Fri 00:00", "Mon 00:00"]

    def test_make_weeks_from_monday(self, market, build):
        days = (FRIDAY, MONDAY, TUESDAY)
        market.save_candles(
            [build.candle(start_ns(day), interval_ns=DAY_NS, volume=n) for n, day in enumerate(days, start=1)]
        ).result()
        weeks = market.candles("RELIANCE", "7d", "2025-12-29", "2026-01-10").data

        assert [(start, week.volume) for start, week in zip(begins(weeks), weeks, strict=True)] == [
            ("Mon 00:00", 1),
            ("Mon 00:00", 5),
        ]

    def test_that_are_no_whole_number_are_refused(self, market):
        assert "whole days, was" in market.candles("NIFTY", "36h", FRIDAY, MONDAY).error


class TestWhatIsStored:
    def test_comes_as_it_is(self, market, build):
        stored = (
            build.candle(at(FRIDAY, 9, 0), interval_ns=HOUR_NS, volume=7),  # not where we would let it begin
            build.candle(at(FRIDAY, 10, 0), interval_ns=HOUR_NS, volume=8),
        )
        market.save_candles(stored).result()
        market.save_candles([build.candle(at(FRIDAY, 9, 15)), build.candle(at(FRIDAY, 12, 15))]).result()
        candles = market.candles("RELIANCE", "1h", FRIDAY, FRIDAY).data

        assert candles[:2] == stored
        assert begins(candles) == ["Fri 09:00", "Fri 10:00", "Fri 12:15"]

    def test_is_taken_where_it_covers_most_and_fits(self, market, build):
        market.save_candles(
            [
                build.candle(at(FRIDAY, 9, 15), volume=1),
                build.candle(at(FRIDAY, 9, 15), interval_ns=5 * MINUTE_NS, volume=50),
                build.candle(at(FRIDAY, 9, 30), volume=2),
                build.candle(at(FRIDAY, 9, 43), interval_ns=5 * MINUTE_NS, volume=99),
            ]
        ).result()
        candles = market.candles("RELIANCE", "15m", FRIDAY, FRIDAY).data

        assert [(start, candle.volume) for start, candle in zip(begins(candles), candles, strict=True)] == [
            ("Fri 09:15", 50),
            ("Fri 09:30", 2),
        ]

    def test_is_completed_by_ticks(self, market, build):
        market.save_candles([build.candle(start_ns(FRIDAY), interval_ns=DAY_NS)]).result()
        market.save_ticks(
            [
                build.tick(1, symbol="RELIANCE", exchange_ns=at(FRIDAY, 12), price=9.0),
                build.tick(2, symbol="RELIANCE", exchange_ns=at(MONDAY, 12), price=8.0),
            ]
        ).result()
        candles = market.candles("RELIANCE", "1d", FRIDAY, MONDAY).data

        assert [(candle.close, candle.source) for candle in candles] == [(1.5, "recording"), (8.0, "resampled")]


class TestVolume:
    def test_is_the_rise_of_the_day_s_volume_in_each_day(self, market, build):
        story = [
            (FRIDAY, 9, 1000, 5),
            (FRIDAY, 10, 1010, 5),
            (FRIDAY, 11, 1010, 5),
            (MONDAY, 9, 40, 8),
            (MONDAY, 10, 55, 1),
        ]
        market.save_ticks(
            [
                build.tick(n, exchange_ns=at(day, hour, 30), volume=volume, quantity=quantity)
                for n, (day, hour, volume, quantity) in enumerate(story, start=1)
            ]
        ).result()

        assert [candle.volume for candle in market.candles("NIFTY", "1d", FRIDAY, MONDAY).data] == [15, 23]

    def test_of_a_candle_counts_from_the_tick_before_it_even_if_that_is_before_the_range(self, market, build):
        market.save_ticks(
            [
                build.tick(1, exchange_ns=at(FRIDAY, 9, 15), volume=100, quantity=1),
                build.tick(2, exchange_ns=at(FRIDAY, 9, 16), volume=180, quantity=1),
            ]
        ).result()
        (candle,) = market.candles("NIFTY", "1m", at(FRIDAY, 9, 16), at(FRIDAY, 9, 17)).data

        assert candle.volume == 80


class TestARangeThatCutsThroughCandles:
    def test_has_those_that_begin_in_it_and_each_of_them_whole(self, market, build):
        market.save_ticks([build.tick(n, exchange_ns=at(FRIDAY, 9, 15 + n), quantity=1) for n in range(1, 20)]).result()
        candles = market.candles("NIFTY", "5m", at(FRIDAY, 9, 18), at(FRIDAY, 9, 27)).data

        assert [(start, candle.volume) for start, candle in zip(begins(candles), candles, strict=True)] == [
            ("Fri 09:20", 5),
            ("Fri 09:25", 5),
        ]

    @pytest.mark.parametrize("ends", [(MONDAY, FRIDAY), (0, 0), (0, 2**70), (dt.date.min, dt.date.max)])
    def test_may_be_empty_or_endless(self, market, ends):
        assert market.candles("NIFTY", "5m", *ends).data == ()
        assert market.find_by_symbol_and_date_range("NIFTY", *ends).data == ()


MOMENTS_NS = st.integers(0, 4 * DAY_NS // SECOND_NS - 1).map(lambda second: start_ns(FRIDAY) + second * SECOND_NS)


class TestCandlesOfTicks:
    @settings(max_examples=QUARTER)
    @given(
        ticks=st.lists(
            st.tuples(MOMENTS_NS, st.integers(1, 50), st.integers(0, 9), st.integers(0, 30), st.sampled_from("ab")),
            min_size=1,
            max_size=25,
        ),
        interval=st.sampled_from(INTERVALS),
        ends=st.tuples(MOMENTS_NS, MOMENTS_NS),
    )
    def test_are_those_of_a_reading_by_hand_whatever_the_range(self, memory, build, ticks, interval, ends):
        messages = [
            build.tick(n, exchange_ns=ns, price=float(price), quantity=quantity, volume=volume, source=source)
            for n, (ns, price, quantity, volume, source) in enumerate(ticks, start=1)
        ]
        length, (start, end) = interval_ns(interval), sorted(ends)
        wanted = made_of(messages, length)
        with emptied(memory) as market:
            market.save_ticks(messages).result()

            assert plainly(market.candles("NIFTY", interval, 0, 2**62).data) == wanted
            assert plainly(market.candles("NIFTY", interval, start, end).data) == {
                begin: candle for begin, candle in wanted.items() if start <= begin < end
            }


class TestCandlesOfCandles:
    @settings(max_examples=QUARTER)
    @given(
        minutes=st.dictionaries(st.integers(0, 2 * 1440 - 1), st.integers(1, 99), min_size=1, max_size=25),
        interval=st.sampled_from([interval for interval in INTERVALS if interval != "1m"]),
    )
    def test_are_those_of_the_same_ticks(self, memory, build, minutes, interval):
        length = interval_ns(interval)
        ticks = [
            build.tick(n, exchange_ns=start_ns(FRIDAY) + minute * MINUTE_NS, price=float(price), quantity=price)
            for n, (minute, price) in enumerate(sorted(minutes.items()), start=1)
        ]
        candles = [
            build.candle(
                tick.exchange_ns,
                symbol="NIFTY",
                open=tick.price,
                high=tick.price,
                low=tick.price,
                close=tick.price,
                volume=tick.quantity,
            )
            for tick in ticks
        ]
        with emptied(memory) as market:
            market.save_candles(candles).result()

            assert plainly(market.candles("NIFTY", interval, 0, 2**62).data) == made_of(ticks, length)

"""Recordings of candles, and the ticks that they become."""

from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.feed import RecordingError
from natya.domain.time import DAY_NS, IST, SECOND_NS, time_text
from natya.messages.market import Candle, Tick
from natya.messages.units import INTEGER_MAX

HEADER = "date,open,high,low,close,volume"
MINUTE_NS = 60 * SECOND_NS
MONDAY = "2025-12-29"


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp()) * SECOND_NS


def times(messages):
    return [message.exchange_ns for message in messages if isinstance(message, Tick)]


def story(messages):
    """Time, symbol and price of ticks; time of the end, symbol and None for candles."""
    return [
        (message.exchange_ns, message.symbol, message.price)
        if isinstance(message, Tick)
        else (message.start_ns + message.interval_ns, message.symbol, None)
        for message in messages
    ]


def in_time(order):
    """Whether of each two rows the first comes first; the others are in any order."""
    return order.index(0) < order.index(1) and order.index(2) < order.index(3)


class TestACandle:
    def test_becomes_four_ticks_and_then_itself(self, write, messages):
        first, second, third, fourth, candle, *_ = messages(
            write(HEADER, "2025-10-29T09:15:00+05:30,1490,1495,1488.1,1494.6,10", "2025-10-29T09:16:00+05:30,1,1,1,1,4")
        )

        assert [tick.price for tick in (first, second, third, fourth)] == [1490.0, 1488.1, 1495.0, 1494.6]
        assert [tick.quantity for tick in (first, second, third, fourth)] == [3, 3, 2, 2]
        assert [tick.volume for tick in (first, second, third, fourth)] == [3, 6, 8, 10]
        assert candle == Candle(
            symbol="TCS",
            interval_ns=MINUTE_NS,
            start_ns=1_761_709_500_000_000_000,
            open=1490.0,
            high=1495.0,
            low=1488.1,
            close=1494.6,
            volume=10,
            source=first.source,
        )

    def test_has_its_close_at_its_end_before_the_next_one_opens(self, write, messages):
        ticks = messages(write(HEADER, f"{MONDAY} 09:15,10,12,9,11,4", f"{MONDAY} 09:16,11,11,11,11,4"))

        begin = at(f"{MONDAY}T09:15")
        assert times(ticks)[:5] == [
            begin,
            begin + 20 * SECOND_NS,
            begin + 40 * SECOND_NS,
            begin + MINUTE_NS - 1,
            begin + MINUTE_NS,
        ]

    @pytest.mark.parametrize(
        ("row", "path"),
        [
            ("1496.1,1496.5,1495.7,1495.8", [1496.1, 1496.5, 1495.7, 1495.8]),
            ("1496.1,1496.5,1495.7,1496.4", [1496.1, 1495.7, 1496.5, 1496.4]),
            ("0.3,0.4,0.2,0.2", [0.3, 0.4, 0.2, 0.2]),
            ("1100.1,1100.2,1100,1100.15", [1100.1, 1100.0, 1100.2, 1100.15]),
        ],
    )
    def test_goes_by_its_prices_on_the_grid_where_both_extremes_are_as_far(self, write, messages, row, path):
        ticks = messages(write(HEADER, f"{MONDAY} 09:15,{row},4"))

        assert [tick.price for tick in ticks[:4]] == path

    def test_counts_volume_anew_each_day(self, write, messages):
        days = ["2025-10-29T15:29,1,1,1,1,4", "2025-10-29T15:30,1,1,1,1,4", "2025-10-30T09:15,1,1,1,1,4"]
        ticks = [message for message in messages(write(HEADER, *days)) if isinstance(message, Tick)]

        assert [tick.volume for tick in ticks[3::4]] == [4, 8, 4]

    def test_numbers_its_ticks_on_from_those_before(self, write, messages):
        rows = [f"{MONDAY} 09:{minute},1,2,1,2,4" for minute in range(15, 25)]

        sequences = [message.sequence for message in messages(write(HEADER, *rows)) if isinstance(message, Tick)]

        assert sequences == list(range(1, 41))

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            (f"{MONDAY}T09:17,10,9,8,9,1", "open and close between low and high"),
            (f"{MONDAY}T09:17,10,11,10.5,11,1", "open and close between low and high"),
            (f"{MONDAY}T09:17,10,8,11,10,1", "open and close between low and high"),
            (f"{MONDAY}T09:17,10,11,9,12,1", "open and close between low and high"),
            (f"{MONDAY}T09:17,10,11,9,8,1", "open and close between low and high"),
            (f"{MONDAY}T09:17,10,inf,8,9,1", "found 'inf'"),
            (",,,", "6 columns are wanted, found 4"),
            (f"{MONDAY}T09:17,10,11,,9,1", "found ''"),
            (f"{MONDAY}T09:17,10,11,9,9,-1", "found '-1'"),
            (f"{MONDAY}T09:16,10,11,9,9,1", f"a start after {MONDAY} 09:16:00 IST is wanted, found"),
            (f"{MONDAY}T09:14,10,11,9,9,1", f"a start after {MONDAY} 09:16:00 IST is wanted, found"),
        ],
    )
    def test_that_is_broken_ends_the_recording(self, write, messages, row, reason):
        path = write(HEADER, f"{MONDAY}T09:15,1,1,1,1,4", f"{MONDAY}T09:16,1,1,1,1,4", row)

        with pytest.raises(RecordingError, match=f"line 4: .*{reason}"):
            messages(path)

    def test_that_is_broken_comes_after_all_before_it(self, write, messages, recording):
        path = write(HEADER, f"{MONDAY}T09:15,1,1,1,1,4", f"{MONDAY}T09:16,1,1,1,1,4", "broken")

        chunks = recording(path).chunks()

        assert len(next(chunks)) == 10
        with pytest.raises(RecordingError, match="line 4"):
            next(chunks)


class TestTheHoursOfACandle:
    def test_of_a_day_are_those_of_its_session(self, write, messages):
        ticks = messages(write(HEADER, "2025-10-20,10,12,9,11,40", "2025-10-21,11,13,10,12,40", "2025-10-23,1,1,1,1,4"))

        assert times(ticks)[::4] == [at("2025-10-20T09:15"), at("2025-10-21T13:45"), at("2025-10-23T09:15")]
        assert times(ticks)[3::4] == [
            at("2025-10-20T15:30") - 1,
            at("2025-10-21T14:45") - 1,
            at("2025-10-23T15:30") - 1,
        ]

    def test_of_an_hour_that_begins_before_the_opening_begin_with_it(self, write, messages):
        hours = ["09:00", "10:00", "11:00", "15:00"]
        ticks = messages(write(HEADER, *(f"{MONDAY} {hour},10,12,9,11,40" for hour in hours)))

        assert times(ticks)[:1] == [at(f"{MONDAY}T09:15")]
        assert times(ticks)[3] == at(f"{MONDAY}T10:00") - 1
        assert times(ticks)[-1] == at(f"{MONDAY}T15:30") - 1

    def test_are_those_of_each_day(self, write, messages):
        hours = [f"{day} {hour}:00" for day in (MONDAY, "2025-12-30") for hour in ("09", "10", "15")]
        ticks = times(messages(write(HEADER, *(f"{hour},10,12,9,11,40" for hour in hours))))

        assert ticks[0::12] == [at(f"{MONDAY}T09:15"), at("2025-12-30T09:15")]
        assert ticks[11::12] == [at(f"{MONDAY}T15:30") - 1, at("2025-12-30T15:30") - 1]

    def test_of_a_week_are_from_its_first_opening_to_its_last_close(self, write, messages):
        ticks = messages(write(HEADER, "2025-12-15,10,12,9,11,40", "2025-12-22,10,12,9,11,40"))

        assert (times(ticks)[4], times(ticks)[7]) == (at("2025-12-22T09:15"), at("2025-12-26T15:30") - 1)

    def test_are_its_own_on_a_day_without_a_session(self, write, messages):
        saturday = times(messages(write(HEADER, "2025-12-27,10,12,9,11,40", "2025-12-28,10,12,9,11,40")))

        assert (saturday[0], saturday[3]) == (at("2025-12-27"), at("2025-12-28") - 1)

    def test_are_its_own_where_no_exchange_is_named(self, write, messages):
        path = write(HEADER, f"{MONDAY},10,12,9,11,40", "2025-12-30,10,12,9,11,40")

        assert times(messages(path, exchange=None))[3:5] == [at("2025-12-30") - 1, at("2025-12-30")]
        assert messages(path, exchange=None)[0].source != messages(path)[0].source

    def test_outside_of_the_session_are_its_own(self, write, messages):
        ticks = messages(write(HEADER, f"{MONDAY} 15:29,1,1,1,1,4", f"{MONDAY} 15:30,1,1,1,1,4"))

        assert times(ticks)[3:5] == [at(f"{MONDAY}T15:30") - 1, at(f"{MONDAY}T15:30")]


class TestCandlesOfSeveralSymbols:
    ROWS = (
        f"{MONDAY} 09:15,10,12,9,11,40,A",
        f"{MONDAY} 09:16,20,22,19,21,40,A",
        f"{MONDAY} 09:15,30,32,29,31,40,B",
        f"{MONDAY} 09:16,40,42,39,41,40,B",
    )

    @pytest.mark.parametrize("order", [order for order in permutations(range(4)) if in_time(order)])
    def test_share_one_time_however_the_file_is_sorted(self, write, messages, order):
        by_symbol = messages(write(HEADER + ",symbol", *self.ROWS))
        otherwise = messages(write(HEADER + ",symbol", *(self.ROWS[place] for place in order), name="b.csv"))

        assert story(by_symbol) == story(otherwise)
        assert [time for time, *_ in story(by_symbol)] == sorted(time for time, *_ in story(by_symbol))
        assert [message.sequence for message in by_symbol if isinstance(message, Tick)] == list(range(1, 17))

    def test_open_before_any_of_them_closes(self, write, messages):
        begin, end = at(f"{MONDAY}T09:15"), at(f"{MONDAY}T09:16")

        said = story(messages(write(HEADER + ",symbol", *self.ROWS)))

        assert said[:2] == [(begin, "A", 10.0), (begin, "B", 30.0)]
        assert said[6:10] == [(end - 1, "A", 11.0), (end - 1, "B", 31.0), (end, "A", None), (end, "B", None)]
        assert said[10:12] == [(end, "A", 20.0), (end, "B", 40.0)]

    def test_may_begin_at_times_of_their_own(self, write, messages):
        rows = [
            f"{MONDAY} 09:15,10,12,9,11,40,A",
            f"{MONDAY} 09:17,30,32,29,31,40,B",
            f"{MONDAY} 09:20,20,22,19,21,40,A",
            f"{MONDAY} 09:22,40,42,39,41,40,B",
        ]

        said = [time for time, *_ in story(messages(write(HEADER + ",symbol", *rows)))]

        assert said == sorted(said)
        assert len(said) == 20

    def test_may_be_of_different_lengths(self, write, messages):
        rows = [f"{MONDAY} 09:{minute},1,1,1,1,1,A" for minute in range(15, 26)]
        rows += [f"{MONDAY} 09:{minute},1,1,1,1,1,B" for minute in (15, 20, 25)]

        candles = [each for each in messages(write(HEADER + ",symbol", *rows)) if isinstance(each, Candle)]

        assert {(candle.symbol, candle.interval_ns) for candle in candles} == {("A", MINUTE_NS), ("B", 5 * MINUTE_NS)}

    def test_in_a_file_too_large_for_memory_are_sorted_all_the_same(self, write, messages, monkeypatch):
        rows = [
            f"{MONDAY} {9 + place // 60:02}:{place % 60:02},{1 + place},{1 + place},{1 + place},{1 + place},1,{symbol}"
            for symbol in "CAB"
            for place in range(100)
        ]
        path = write(HEADER + ",symbol", *rows)
        in_memory = messages(path)
        monkeypatch.setattr("natya.actors.feed.files.sorting.ROWS_A_RUN", 70)
        monkeypatch.setattr("natya.actors.feed.files.sorting.ROWS_A_FRAME", 9)

        assert messages(path) == in_memory
        assert len(in_memory) == 1_500

    def test_in_a_file_beyond_what_is_sorted_are_refused(self, write, messages, monkeypatch):
        monkeypatch.setattr("natya.actors.feed.files.sorting.ROWS_A_RUN", 1)
        monkeypatch.setattr("natya.actors.feed.files.sorting.RUNS_MAX", 3)

        with pytest.raises(RecordingError, match="at most 3 rows are wanted where they have to be sorted by time"):
            messages(write(HEADER + ",symbol", *self.ROWS))

    def test_do_not_hide_one_that_goes_back(self, write, messages):
        back = f"{MONDAY} 09:14,40,42,39,41,40,B"

        with pytest.raises(RecordingError, match=r"line 6: a start not before 2025-12-29 09:16:00 IST is wanted"):
            messages(write(HEADER + ",symbol", *self.ROWS, back))

    def test_do_not_hide_one_that_goes_back_behind_a_broken_row_of_its_own_symbol(self, write, recording):
        rows = [
            f"{MONDAY} 09:15,1,1,1,1,1,A",
            f"{MONDAY} 09:15,1,1,1,1,1,B",
            f"{MONDAY} 09:17,1,1,1,1,1,A",
            f"{MONDAY} 09:18,-1,1,1,1,1,B",
            f"{MONDAY} 09:16,1,1,1,1,1,B",
            f"{MONDAY} 09:19,1,1,1,1,1,B",
        ]
        found = recording(write(HEADER + ",symbol", *rows), bad_rows_max=2, interval_ns=MINUTE_NS)
        said = [each for chunk in found.chunks() for each in chunk]

        assert times(said) == sorted(times(said))
        assert [line for line, _ in found.bad_lines] == [5, 6]
        assert found.bad_lines[1][1].startswith(f"a start not before {MONDAY} 09:17:00 IST is wanted")

    def test_are_of_another_source_by_the_clock_of_another_zone(self, write, messages):
        path = write(HEADER, f"{MONDAY} 09:15,1,1,1,1,1", f"{MONDAY} 09:16,1,1,1,1,1")
        (here, *_), (there, *_) = (messages(path, zone=zone) for zone in ("IST", "UTC"))

        assert there.exchange_ns - here.exchange_ns == 19_800 * 10**9
        assert there.source != here.source

    def test_are_of_another_source_for_another_symbol_where_none_has_one(self, write, messages):
        path = write(HEADER, f"{MONDAY} 09:15,1,1,1,1,1", f"{MONDAY} 09:16,1,1,1,1,1")

        assert messages(path, symbol="TCS")[0].source != messages(path, symbol="SBIN")[0].source

    def test_may_have_rows_without_a_symbol_where_one_is_given(self, write, messages):
        rows = [f"{MONDAY} 09:15,1,1,1,1,1,", f"{MONDAY} 09:16,1,1,1,1,1, ", f"{MONDAY} 09:17,1,1,1,1,1,INFY"]
        path = write(HEADER + ",trading_symbol", *rows)

        candles = [each.symbol for each in messages(path, symbol="TCS") if isinstance(each, Candle)]

        assert candles == ["TCS", "TCS", "INFY"]
        assert messages(path, symbol="TCS")[0].source != messages(path, symbol="SBIN")[0].source
        with pytest.raises(RecordingError, match="line 2: a symbol of 1 to 64 printable characters is wanted"):
            messages(path, symbol="")

    def test_carry_the_series_that_is_not_of_ordinary_shares(self, write, messages):
        rows = [f"2025-01-09,1,1,1,1,1,IDEA,{series}" for series in ("EQ", "BL")]

        candles = [each for each in messages(write(HEADER + ",SYMBOL,SERIES", *rows)) if isinstance(each, Candle)]

        assert {candle.symbol for candle in candles} == {"IDEA", "IDEA-BL"}


@given(
    rows=st.lists(st.tuples(st.integers(0, 40), st.sampled_from("ABC")), min_size=1, max_size=40, unique=True),
)
def test_time_never_goes_back_and_every_row_says_five_things(rows, tmp_path_factory, recording):
    lines = [
        f"{(datetime(2025, 12, 29, 9, 15, tzinfo=IST) + timedelta(minutes=place)).isoformat()},{1 + place},"
        f"{3 + place},{1 + place},{2 + place},7,{symbol}"
        for place, symbol in sorted(rows, key=lambda row: (row[1], row[0]))
    ]
    path = tmp_path_factory.mktemp("rows") / "r.csv"
    path.write_text("\n".join([HEADER + ",symbol", *lines]))

    messages = [each for chunk in recording(path).chunks() for each in chunk]

    ticks = [each for each in messages if isinstance(each, Tick)]
    assert times(messages) == sorted(times(messages))
    assert [tick.sequence for tick in ticks] == list(range(1, 4 * len(rows) + 1))
    assert len(messages) == 5 * len(rows)
    for symbol in "ABC":
        own = [tick for tick in ticks if tick.symbol == symbol]
        assert [tick.volume for tick in own] == sorted(tick.volume for tick in own)


class TestTheLengthOfCandles:
    MINUTES = tuple(f"{MONDAY} {9 + place // 60:02}:{place % 60:02},1,1,1,1,1" for place in range(15, 95))

    def lengths(self, messages):
        return {message.interval_ns for message in messages if isinstance(message, Candle)}

    def test_is_their_commonest_distance_and_others_are_told(self, write, recording):
        last = recording(write(HEADER, *self.MINUTES, f"{MONDAY} 10:34:47,1,1,1,1,1"))

        candles = [each for chunk in last.chunks() for each in chunk if isinstance(each, Candle)]

        assert self.lengths(candles) == {MINUTE_NS}
        assert len(candles) == 81
        assert last.notes == ("the candles are 1m long, as most (79) of them are apart; other distances: 47s (1)",)

    def test_ends_where_the_next_one_begins(self, write, messages):
        said = messages(write(HEADER, *self.MINUTES, f"{MONDAY} 10:34:47,2,2,2,2,1"))

        assert times(said) == sorted(times(said))
        begin, cut = at(f"{MONDAY}T10:34"), at(f"{MONDAY}T10:34:47")
        assert times(said)[-8:-4] == [begin, begin + 20 * SECOND_NS, begin + 40 * SECOND_NS, cut - 1]
        assert isinstance(said[-6], Candle)

    def test_leaves_those_of_other_symbols_alone(self, write, messages):
        rows = [f"{row},A" for row in (*self.MINUTES, f"{MONDAY} 10:34:47,2,2,2,2,1")]
        rows += [f"{row},B" for row in self.MINUTES]

        said = messages(write(HEADER + ",symbol", *rows))

        assert times([each for each in said if each.symbol == "B"])[-1] == at(f"{MONDAY}T10:35") - 1

    def test_of_a_symbol_with_one_is_that_of_the_others(self, write, messages):
        rows = [f"{MONDAY} 09:15,1,1,1,1,1,A", f"{MONDAY} 09:20,1,1,1,1,1,A", f"{MONDAY} 09:20,1,1,1,1,1,B"]

        assert self.lengths(messages(write(HEADER + ",symbol", *rows))) == {5 * MINUTE_NS}

    @pytest.mark.parametrize(
        ("times", "length_ns"),
        [
            (["2025-12-22", "2025-12-23", "2025-12-24", "2025-12-26", "2025-12-29"], DAY_NS),
            (["2025-12-08", "2025-12-15", "2025-12-22"], 7 * DAY_NS),
            (["2025-12-22"], DAY_NS),
            (["2025-12-22 09:15"], MINUTE_NS),
            (["2025-12-22 09:15", "2025-12-22 09:20", "2025-12-22 09:21"], MINUTE_NS),
        ],
    )
    def test_is_told_by_few_as_well(self, write, messages, times, length_ns):
        assert self.lengths(messages(write(HEADER, *(f"{time},1,1,1,1,1" for time in times)))) == {length_ns}

    @pytest.mark.parametrize("months", [("10", "11", "12"), ("01", "02", "03"), ("03", "06", "09")])
    def test_that_differs_from_one_to_the_next_as_that_of_months_is_refused(self, write, messages, months):
        """One of July that were over on the 29th would tell the price of the 31st."""
        with pytest.raises(RecordingError, match="those of months and years are played as days"):
            messages(write(HEADER, *(f"2025-{month}-01,1,1,1,1,1" for month in months)))

    def test_may_be_given(self, write, recording):
        given = recording(
            write(HEADER, f"{MONDAY} 09:15,1,1,1,1,1", f"{MONDAY} 09:25,1,1,1,1,1"), interval_ns=MINUTE_NS
        )

        assert self.lengths(each for chunk in given.chunks() for each in chunk) == {MINUTE_NS}
        assert given.notes == ()

    def test_is_not_above_their_distance(self, write, messages):
        with pytest.raises(RecordingError, match=r"an interval of at most 1m is wanted, .* found 5m"):
            messages(write(HEADER, *self.MINUTES), interval_ns=5 * MINUTE_NS)

    def test_is_shorter_than_a_month(self, write, messages):
        with pytest.raises(
            RecordingError, match="candles of at most 27d are wanted, found 73049d from one to the next"
        ):
            messages(write(HEADER, "1971-01-01,1,1,1,1,1", "2171-01-01,1,1,1,1,1"))

    def test_leaves_the_source_another(self, write, messages):
        path = write(HEADER, f"{MONDAY} 09:15,1,1,1,1,1", f"{MONDAY} 09:25,1,1,1,1,1")

        assert messages(path)[0].source != messages(path, interval_ns=MINUTE_NS)[0].source


class TestCandlesWithTheNewestFirst:
    ROWS = tuple(f"2025-01-{day:02},{day},{day},{day},{day},1" for day in (10, 9, 8, 7, 6))

    def test_are_sorted_and_that_is_said(self, write, recording):
        backwards = recording(write(HEADER, *self.ROWS))

        said = [each for chunk in backwards.chunks() for each in chunk]

        assert [each.price for each in said if isinstance(each, Tick)][::4] == [6.0, 7.0, 8.0, 9.0, 10.0]
        assert times(said) == sorted(times(said))
        assert backwards.notes == ("newest first: sorted by time",)

    def test_are_read_as_if_they_were_written_the_other_way_round(self, write, recording):
        rows = [*self.ROWS[:2], "2025-01-09,7,7,7,7,1", *self.ROWS[2:]]
        backwards = recording(write(HEADER, *rows), bad_rows_max=1)
        said = [each for chunk in backwards.chunks() for each in chunk if isinstance(each, Candle)]

        assert [each.open for each in said] == [6.0, 7.0, 8.0, 7.0, 10.0]
        assert [line for line, _ in backwards.bad_lines] == [3]

    def test_must_go_back_all_of_them(self, write, messages):
        with pytest.raises(RecordingError, match=r"line 6: a start not after 2025-01-07 00:00:00 IST is wanted"):
            messages(write(HEADER, *self.ROWS[:4], "2025-01-12,1,1,1,1,1"))


class TestWhatFitsInto64Bits:
    @pytest.mark.parametrize(
        "rows",
        [
            [f"{MONDAY} 09:15,1,1,1,1,{INTEGER_MAX}", f"{MONDAY} 09:16,1,1,1,1,1"],
            [f"{MONDAY} 09:15,1,1,1,1,{INTEGER_MAX // 2 + 1}", f"{MONDAY} 09:16,1,1,1,1,{INTEGER_MAX // 2 + 1}"],
        ],
    )
    def test_is_the_volume_of_a_day_or_the_row_is_broken(self, write, messages, rows):
        with pytest.raises(RecordingError, match=r"line 3: .* that fits into 64 bits is wanted"):
            messages(write(HEADER, *rows))

    def test_may_be_the_volume_of_the_next_day(self, write, messages):
        rows = [f"{day} 15:29,1,1,1,1,{INTEGER_MAX}" for day in (MONDAY, "2025-12-30")]

        assert messages(write(HEADER, *rows), interval_ns=MINUTE_NS)[3].volume == INTEGER_MAX

    @pytest.mark.parametrize("time", ["2262-04-11 23:47:16", "2262-04-10", "2262-01-01T00:00Z", "9223372036854775807"])
    def test_is_every_time_or_the_row_is_broken(self, write, messages, time):
        with pytest.raises(RecordingError, match=r"line 3: .*1970 to 2261"):
            messages(write(HEADER, f"{MONDAY} 09:15,1,1,1,1,1", f"{time},1,1,1,1,1"), interval_ns=DAY_NS)

    def test_are_candles_at_the_end_of_2261(self, write, messages):
        said = messages(write(HEADER, "2261-12-04,1,1,1,1,1", "2261-12-31,1,1,1,1,1"))

        assert (time_text(said[-1].start_ns), said[-1].interval_ns) == ("2261-12-31 00:00:00 IST", 27 * DAY_NS)


def test_a_file_of_more_symbols_than_there_may_be_is_refused(recording, tmp_path, monkeypatch):
    monkeypatch.setattr("natya.actors.feed.planning.SYMBOLS_MAX", 3)
    path = tmp_path / "many.csv"
    for count in (3, 4):
        rows = [f"2025-04-09 09:{15 + minute},S{number},1,1,1,1,1" for number in range(count) for minute in range(2)]
        path.write_text("\n".join(["date,symbol,open,high,low,close,volume", *rows]))
        if count == 3:
            list(recording(path).chunks())
        else:
            with pytest.raises(RecordingError, match="at most 3 symbols are wanted, found more"):
                list(recording(path).chunks())


def test_a_gap_within_a_session_is_told_and_a_night_is_not(recording, tmp_path):
    path = tmp_path / "gaps.csv"
    minutes = [*range(15, 20), 22, 23]
    rows = [f"2025-04-{day:02} 09:{minute},1,1,1,1,1" for day in (9, 10) for minute in minutes]
    path.write_text("\n".join(["date,open,high,low,close,volume", *rows]))
    last = recording(path, symbol="TCS")
    list(last.chunks())

    assert last.notes == ("the candles are 1m long, as most (10) of them are apart; other distances: 3m (2)",)

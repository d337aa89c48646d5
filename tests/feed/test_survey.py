"""What a first pass over the rows of a file finds: their order, and how far the times of each symbol are apart."""

import pytest

from natya.actors.feed import planning, survey
from natya.actors.feed.recording import Recording
from natya.actors.feed.survey import DISTANCES_MAX, Survey
from natya.domain.time import DAY_NS, SECOND_NS
from natya.messages.market import Candle

MINUTE_NS = 60 * SECOND_NS
CANDLES = "date,open,high,low,close,volume"


def surveyed(times_min, *, may_go_back=True):
    """Of rows (symbol, minute) in the order of a file."""
    found = Survey(may_go_back=may_go_back)
    for symbol, minute in times_min:
        found.add(symbol, minute * MINUTE_NS)
    return found


def of_a(*minutes):
    return surveyed([("A", minute) for minute in minutes])


class TestTheOrderOfRows:
    @pytest.mark.parametrize(
        ("rows", "note", "firsts_min"),
        [
            ([("A", 1), ("A", 2), ("A", 2), ("B", 3)], "", {"A": 1, "B": 3}),
            ([("A", 3), ("A", 2), ("A", 1)], "newest first: sorted by time", {"A": 1}),
            ([("A", 3), ("A", 2), ("A", 4)], "", {"A": 3}),  # as often back as forth: the second is broken
            (
                [("A", 1), ("A", 3), ("B", 2)],
                "not in the order of time from symbol to symbol: sorted by time",
                {"A": 1, "B": 2},
            ),
            ([("A", 1), ("A", 3), ("A", 2), ("B", 3)], "", {"A": 1, "B": 3}),  # a broken row is no other order
            ([("A", 1), ("B", 5), ("B", 4), ("B", 3)], "newest first: sorted by time", {"A": 1, "B": 3}),
        ],
    )
    def test_is_told_where_they_have_to_be_sorted(self, rows, note, firsts_min):
        found = surveyed(rows)

        assert found.notes({}) == ((note,) if note else ())
        assert found.is_in_order is not bool(note)
        assert dict(found.first_times()) == {name: minute * MINUTE_NS for name, minute in firsts_min.items()}
        assert found.rows == len(rows)

    def test_of_ticks_never_has_the_newest_first(self):
        found = surveyed([("A", 3), ("A", 2), ("A", 1)], may_go_back=False)

        assert (found.is_newest_first, found.is_in_order, found.first_times()) == (False, True, [("A", 3 * MINUTE_NS)])


class TestTheDistancesOfCandles:
    @pytest.mark.parametrize(
        ("minutes", "length_min"),
        [((0, 1, 2, 7), 1), ((0, 5, 6), 1), ((0, 5, 10, 11), 5), ((3, 2, 1), 1), ((0, 0, 5), 5)],
    )
    def test_tell_their_length_by_the_commonest_and_of_two_as_common_by_the_shorter(self, minutes, length_min):
        assert of_a(*minutes).interval_of("A") == length_min * MINUTE_NS

    def test_are_those_of_all_symbols_where_one_has_none(self):
        found = surveyed([("A", 0), ("A", 5), ("B", 0), ("B", 5), ("C", 0)])

        assert {found.interval_of(symbol) for symbol in "ABCD"} == {5 * MINUTE_NS}

    def test_that_are_none_leave_a_day_or_a_minute(self):
        india_min = 18 * 60 + 30  # midnight of the second day in India
        assert of_a(india_min).interval_of("A") == DAY_NS
        assert of_a(india_min + 1).interval_of("A") == MINUTE_NS
        assert surveyed([("A", india_min), ("B", india_min + 1)]).interval_of("A") == MINUTE_NS

    @pytest.mark.parametrize(
        ("minutes", "length_min", "note"),
        [
            ((0,), 1, "one candle does not tell its length: 1m is taken"),
            ((0, 1, 2, 3), 1, ""),
            (
                (0, 1, 2, 4, 7, 11, 16),
                1,
                "the candles are 1m long, as most (2) of them are apart; other distances: 2m (1), 3m (1), 4m (1), …",
            ),
            (
                (0, 1, 2, 4, 7, 11),
                1,
                "the candles are 1m long, as most (2) of them are apart; other distances: 2m (1), 3m (1), 4m (1)",
            ),
            ((0, 1, 2, 2 + 17 * 60), 1, ""),  # a night
            (
                (0, 1, 2, 2 + 12 * 60),
                1,
                "the candles are 1m long, as most (2) of them are apart; other distances: 12h (1)",
            ),
            ((0, 1440, 2880, 7200), 1440, ""),  # a weekend between days
            (
                (0, 1440, 2880, 2881),
                1440,
                "the candles are 1d long, as most (2) of them are apart; other distances: 1m (1)",
            ),
        ],
    )
    def test_that_are_others_are_noted_except_those_of_nights_and_weekends(self, minutes, length_min, note):
        assert of_a(*minutes).notes({"A": length_min * MINUTE_NS}) == ((note,) if note else ())

    def test_are_noted_of_the_first_symbol_that_has_others_by_its_name(self):
        found = surveyed([*(("A", minute) for minute in (0, 1, 2)), ("B", 3), ("C", 4)])
        note = "one candle of B does not tell its length: 1m is taken"

        assert found.notes(dict.fromkeys("ABC", MINUTE_NS)) == (note,)

    def test_are_counted_of_so_many_lengths_and_no_more(self, monkeypatch):
        monkeypatch.setattr(survey, "DISTANCES_MAX", 2)
        found = of_a(0, 1, 3, 6, 10, 11)

        assert found.ways["A"].distances == {MINUTE_NS: 2, 2 * MINUTE_NS: 1}
        assert DISTANCES_MAX == 1_000


class TestAFile:
    def lengths(self, recording):
        return {each.interval_ns for chunk in recording.chunks() for each in chunk if isinstance(each, Candle)}

    @pytest.mark.parametrize("broken", ["", "x", "some day,1,1,1,1,1"])
    def test_is_looked_at_beyond_rows_that_are_none(self, write, broken):
        rows = [f"2025-12-29 09:{minute},1,1,1,1,1" for minute in (15, 20, 25)]
        recording = Recording(write(CANDLES, broken, rows[0], broken, *rows[1:]), symbol="TCS", bad_rows_max=2)

        assert self.lengths(recording) == {5 * MINUTE_NS}
        assert recording.bad_rows == (2 if broken else 0)

    def test_of_one_symbol_is_looked_at_as_far_as_its_length_needs_and_with_a_symbol_column_to_its_end(
        self, write, monkeypatch
    ):
        monkeypatch.setattr(planning, "LOOK_AHEAD_ROWS", 3)
        minutes = (15, 20, 25, 26, 27, 28, 29)
        without = write(CANDLES, *(f"2025-12-29 09:{minute},1,1,1,1,1" for minute in minutes), name="a.csv")
        among = write(f"{CANDLES},symbol", *(f"2025-12-29 09:{minute},1,1,1,1,1,A" for minute in minutes))

        assert self.lengths(Recording(without, symbol="A")) == {5 * MINUTE_NS}
        assert self.lengths(Recording(among)) == {MINUTE_NS}

    @pytest.mark.parametrize(("count", "looked_at"), [(2, 4), (1, 8)])
    def test_is_looked_at_ahead_as_far_as_several_symbols_tell_their_order(self, write, monkeypatch, count, looked_at):
        monkeypatch.setattr(planning, "LOOK_AHEAD_ROWS", 4)
        rows = [f"2025-12-29 09:{15 + place},1,1,1,1,1,{'AB'[place % count]}" for place in range(8)]
        recording = Recording(write(f"{CANDLES},symbol", *rows))
        recording.look()

        assert recording.understood[3].rows == looked_at

    def test_is_looked_at_ahead_to_its_end_where_its_first_rows_are_in_no_order(self, write, monkeypatch):
        monkeypatch.setattr(planning, "LOOK_AHEAD_ROWS", 2)
        rows = [f"2025-12-29 09:{17 - place},1,1,1,1,1,{symbol}" for place, symbol in enumerate("ABC")]

        assert Recording(write(f"{CANDLES},symbol", *rows)).look() == 1_766_979_900 * SECOND_NS

    def test_may_say_itself_how_long_its_candles_are(self, write):
        rows = [f"2025-12-29 09:{minute},1,1,1,1,1,{30 * SECOND_NS}" for minute in (15, 16)]
        assert self.lengths(Recording(write(f"{CANDLES},interval_ns", *rows), symbol="A")) == {30 * SECOND_NS}

    def test_is_read_to_its_end_though_its_first_rows_are_in_the_order_of_time(self, write, monkeypatch):
        monkeypatch.setattr(planning, "LOOK_AHEAD_ROWS", 4)
        rows = [f"2025-12-29 09:{15 + place},1,1,1,1,1,{'AB'[place % 2]}" for place in range(8)]
        recording = Recording(write(f"{CANDLES},symbol", *rows, "2025-12-29 09:10,1,1,1,1,1,C"))
        starts = [each.start_ns for chunk in recording.chunks() for each in chunk if isinstance(each, Candle)]

        assert len(starts) == 9
        assert starts == sorted(starts)
        assert recording.notes[0] == "not in the order of time from symbol to symbol: sorted by time"

    def test_tells_how_long_its_candles_are_and_nothing_of_ticks(self, write):
        candles = Recording(write(f"{CANDLES},symbol", *(f"2025-12-29 09:{15 + n},1,1,1,1,1,A" for n in range(3))))
        ticks = Recording(write("time,ltp", "2025-12-29 09:15,1", name="t.csv"), symbol="A")
        assert candles.candle_lengths == ((candles.path, {}),)  # not looked at yet
        for recording in (candles, ticks):
            recording.look()

        assert candles.candle_lengths == ((candles.path, {"A": MINUTE_NS}),)
        assert ticks.candle_lengths == ((ticks.path, {}),)

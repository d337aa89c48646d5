"""Several recordings as one market."""

import itertools
from pathlib import Path

import pytest

from natya.actors.feed import Outlook, RecordingError, look_ahead
from natya.actors.feed.files.folders import absolute, named
from natya.actors.feed.merging import Merged
from natya.actors.feed.recording import open_recordings
from natya.actors.feed.source import MESSAGES_A_CHUNK
from natya.messages.market import Candle, Tick

TICKS = "time,ltp,symbol"
CANDLES = "date,open,high,low,close,volume,symbol"
MONDAY = "2025-12-29"


@pytest.fixture
def merged(feed_settings):
    def build(*paths, **changes):
        return open_recordings(feed_settings(**({"recording": tuple(map(str, paths)), "symbol": ""} | changes)))

    return build


def said(recordings):
    return list(itertools.chain.from_iterable(recordings.chunks()))


def ticks(symbol, *times):
    return [f"{MONDAY} {time},100,{symbol}" for time in times]


class TestSeveralRecordings:
    def test_share_one_time_one_name_and_one_row_of_numbers(self, write, merged):
        first = write(TICKS, *ticks("A", "09:15:01", "09:15:03", "09:15:05"), name="a.csv")
        second = write(TICKS, *ticks("B", "09:15:02", "09:15:04"), name="b.csv")

        found = said(merged(first, second))

        assert [tick.symbol for tick in found] == ["A", "B", "A", "B", "A"]
        assert [tick.sequence for tick in found] == [1, 2, 3, 4, 5]
        assert len({tick.source for tick in found}) == 1

    def test_have_a_candle_before_the_tick_behind_it_where_the_next_one_cuts_it_short(self, write, merged):
        five = write("date,open,high,low,close,interval_ns,symbol", *(
            f"{MONDAY} {time},1,1,1,1,300000000000,A" for time in ("09:15", "09:20", "09:22", "09:30")
        ), name="a.csv")  # fmt: skip
        ticks_of_b = write(TICKS, *ticks("B", "09:21:00", "09:23:00", "09:26:00", "09:28:00"), name="b.csv")

        found = said(merged(five, ticks_of_b))
        times = [each.exchange_ns for each in found if isinstance(each, Tick)]

        assert times == sorted(times)
        assert len(times) == 4 * 4 + 4

    def test_that_say_nothing_of_when_they_begin_are_opened_first(self):
        opened = []

        class Silent:
            path, bad_rows, notes, candle_lengths = Path("x"), 0, (), ()

            def __init__(self, begins_ns):
                self.look, self.needs_symbol = lambda: begins_ns, lambda: False
                self.fingerprint = lambda: str(begins_ns)

            def chunks(self):
                opened.append(self.look())
                return iter(())

        assert said(Merged([Silent(7), Silent(None), Silent(5)])) == []
        assert opened == [None, 5, 7]

    def test_are_open_only_while_their_messages_are_due(self, write, merged, monkeypatch):
        monkeypatch.setattr("natya.actors.feed.merging.MESSAGES_A_CHUNK", 1)
        files = [
            write(TICKS, f"2025-12-{day} 10:00,1,A", f"2025-12-{day} 11:00,1,A", name=f"{day}.csv")
            for day in (30, 29, 31)
        ]

        def open_files():
            return {each.readlink() for each in Path("/proc/self/fd").iterdir() if each.is_symlink()} & set(files)

        found = [(chunk[0].exchange_ns, len(open_files())) for chunk in merged(*files).chunks()]

        assert found == sorted(found)
        assert {count for _, count in found} == {1}

    def test_have_a_note_that_many_have_told_once(self, write, merged):
        files = [write(CANDLES, f"2025-12-{day},10,12,9,11,4,A", name=f"{day}.csv") for day in (29, 30, 31)]
        recordings = merged(*files)

        said(recordings)

        assert recordings.notes == ("29.csv and 2 others: one candle does not tell its length: 1d is taken",)

    def test_of_candles_open_before_any_closes(self, write, merged):
        first = write(CANDLES, f"{MONDAY} 09:15,10,12,9,11,4,A", f"{MONDAY} 09:16,10,12,9,11,4,A", name="a.csv")
        second = write(CANDLES, f"{MONDAY} 09:15,20,22,19,21,4,B", f"{MONDAY} 09:20,20,22,19,21,4,B", name="b.csv")

        found = said(merged(first, second))

        times = [each.exchange_ns for each in found if isinstance(each, Tick)]
        assert times == sorted(times)
        assert [each.symbol for each in found[:2]] == ["A", "B"]
        assert [tick.sequence for tick in found if isinstance(tick, Tick)] == list(range(1, 17))
        for candle in (each for each in found if isinstance(each, Candle)):
            behind = found[found.index(candle) + 1 :]
            before = found[: found.index(candle)]
            end_ns = candle.start_ns + candle.interval_ns
            assert all(each.exchange_ns >= end_ns for each in behind if isinstance(each, Tick))
            assert all(each.exchange_ns < end_ns for each in before if isinstance(each, Tick))

    def test_are_as_many_messages_as_they_have(self, write, merged):
        count = MESSAGES_A_CHUNK + 10
        files = [
            write(TICKS, *(f"{1_766_992_622 + place},{100 + place % 7},{name}" for place in range(count)), name=name)
            for name in "abc"
        ]

        chunks = [len(chunk) for chunk in merged(*files).chunks()]

        assert sum(chunks) == 3 * count
        assert max(chunks) == MESSAGES_A_CHUNK

    def test_are_the_same_market_in_whatever_order_they_are_given(self, write, merged):
        files = [
            write(TICKS, *ticks("C", "09:15:01", "09:15:02", "09:15:03"), name="c.csv"),
            write(CANDLES, f"{MONDAY} 09:15:01,20,22,19,21,4,A", f"{MONDAY} 09:15:02,20,22,19,21,4,A", name="a.csv"),
            write(TICKS, *ticks("B", "09:15:01", "09:15:02", "09:15:04"), name="b.csv"),
        ]

        one, *others = [said(merged(*order)) for order in itertools.permutations(files)]

        assert others == [one] * 5
        assert [(each.symbol, type(each)) for each in one[:3]] == [("A", Tick), ("B", Tick), ("C", Tick)]
        assert one[0].source != said(merged(*files[:2]))[0].source

    def test_of_one_symbol_may_follow_each_other(self, write, merged):
        first = write(TICKS, *ticks("A", "09:15:01", "09:15:02"), name="a.csv")
        second = write(TICKS, *ticks("A", "09:15:03", "09:15:04"), name="b.csv")

        assert len(said(merged(second, first))) == 4

    def test_of_one_symbol_at_the_same_time_are_refused(self, write, merged):
        first = write(TICKS, *ticks("A", "09:15:01", "09:15:03"), name="a.csv")
        second = write(TICKS, *ticks("A", "09:15:02", "09:15:04"), name="b.csv")

        with pytest.raises(RecordingError, match="each symbol in one recording at a time is wanted, found A in"):
            said(merged(first, second))

    def test_that_are_the_same_are_refused(self, write, merged):
        first = write(TICKS, *ticks("A", "09:15:01"), name="a.csv")
        copy = write(TICKS, *ticks("A", "09:15:01"), name="b.csv")

        with pytest.raises(RecordingError, match=r"each recording once is wanted, found the same as .*a\.csv"):
            said(merged(first, copy))

    def test_without_symbols_would_all_be_of_the_one_that_is_given_and_are_refused(self, write, merged):
        first, second = (write("time,ltp", "1766992622,100", name=name) for name in ("a.csv", "b.csv"))

        for read in (said, lambda recordings: recordings.look()):
            with pytest.raises(
                RecordingError, match=r"b\.csv: a column symbol is wanted .* none is here nor in .*a\.csv"
            ):
                read(merged(first, second, symbol="A"))

    def test_without_symbols_are_given_with_them(self, write, merged):
        first = write("time,ltp", "1766992622,100", name="a.csv")
        second = write("time,ltp", "1766992623,200", name="b.csv")
        third = write("time,ltp", "1766992624,101", name="c.csv")

        both = merged(f"A={first}", f"B={second}", f"A={third}")

        assert both.look() == 1_766_992_622_000_000_000
        assert [(tick.symbol, tick.price) for tick in said(both)] == [("A", 100.0), ("B", 200.0), ("A", 101.0)]

    def test_whose_path_has_such_a_name_are_taken_as_they_are(self, write, merged, monkeypatch, tmp_path):
        write("time,ltp", "1766992622,100", name="A=a.csv")
        monkeypatch.chdir(tmp_path)

        assert named("A=a.csv") == ("", Path("A=a.csv"))
        assert named("A=b.csv") == ("A", Path("b.csv"))
        for other in ("b.csv", "A=", "=b.csv", "a/A=b.csv", "A\t=b.csv"):
            assert named(other) == ("", Path(other))
        assert absolute("A=b.csv") == f"A={tmp_path / 'b.csv'}"
        assert [tick.symbol for tick in said(merged("A=a.csv", symbol="B"))] == ["B"]

    def test_may_have_one_among_them_without_symbols(self, write, merged):
        first = write("time,ltp", "1766992622,100", name="a.csv")
        second = write(TICKS, "1766992623,100,B", name="b.csv")

        assert [tick.symbol for tick in said(merged(first, second, symbol="A"))] == ["A", "B"]

    def test_are_skipped_and_explained_each_for_itself(self, write, merged):
        first = write(TICKS, "broken", *ticks("A", "09:15:01"), name="a.csv")
        second = write("time,o,h,l,c,symbol", "2025-12-29,1,1,1,1,B", "2025-12-30,1,1,1,1,B", name="b.csv")

        both = merged(first, second, bad_rows_max=1)

        assert len(said(both)) == 11
        assert both.bad_rows == 1
        assert both.notes == ("b.csv: no column is known for volume in 'time, o, h, l, c, symbol': it counts as 0",)

    def test_say_all_before_what_is_broken_in_one_of_them(self, write, merged):
        first = write(TICKS, *ticks("A", "09:15:01", "09:15:03"), "broken", name="a.csv")
        second = write(TICKS, *ticks("B", "09:15:02", "09:15:04"), name="b.csv")

        chunks = merged(first, second).chunks()

        assert [tick.symbol for tick in next(chunks)] == ["A", "B", "A"]
        with pytest.raises(RecordingError, match=r"a\.csv, line 4"):
            next(chunks)


class TestLookingAhead:
    def test_says_how_recordings_are_understood(self, write, feed_settings):
        path = write("time,o,h,l,c", "2025-12-29,1,1,1,1", "2025-12-30,1,1,1,1")

        assert look_ahead(feed_settings(recording=path)).notes == (
            "no column is known for volume in 'time, o, h, l, c': it counts as 0",
        )

    @pytest.mark.parametrize(
        "rows",
        [
            ("time,ltp", "1766992622,100", "1766992621,100"),
            (TICKS, *ticks("A", "09:15:01", "09:15:03"), *ticks("B", "09:15:00", "09:15:02")),
            (CANDLES, f"{MONDAY} 09:15,1,1,1,1,1,A", f"{MONDAY} 09:16,1,1,1,1,1,A"),
            (CANDLES, f"{MONDAY},1,1,1,1,1,A", "2025-12-26,1,1,1,1,1,A", "2025-12-24,1,1,1,1,1,A"),
            (CANDLES, "2025-12-22,1,1,1,1,1,A", f"{MONDAY},1,1,1,1,1,A", "2025-12-15,1,1,1,1,1,B"),
            (TICKS, "broken", *ticks("A", "09:15:01", "09:15:03")),
        ],
    )
    def test_says_when_the_first_message_comes(self, write, feed_settings, rows):
        settings = feed_settings(recording=write(*rows), bad_rows_max=1)

        first = next(open_recordings(settings).chunks())[0]

        assert look_ahead(settings).opening_ns == first.exchange_ns

    def test_says_when_the_first_message_of_several_comes(self, write, feed_settings):
        first = write(TICKS, *ticks("A", "09:15:01"), name="a.csv")
        second = write(CANDLES, f"{MONDAY},1,1,1,1,1,B", name="b.csv")
        settings = feed_settings(recording=(str(first), str(second)))

        assert look_ahead(settings).opening_ns == said(open_recordings(settings))[0].exchange_ns

    def test_says_nothing_of_a_synthetic_market(self, feed_settings):
        assert look_ahead(feed_settings(source="synthetic", recording="nowhere.csv")) == Outlook()

    @pytest.mark.parametrize("lines", [[], ["time,ltp"], ["time,ltp", "1,2,3", ""], ["name,size", "a,b"]])
    def test_refuses_what_is_none(self, write, feed_settings, lines):
        with pytest.raises(RecordingError):
            look_ahead(feed_settings(recording=write(*lines)))

    @pytest.mark.parametrize("name", ["gone.csv", ".", "no\udcff.csv", "no\0.csv", "x" * 300])
    def test_refuses_a_name_of_none(self, tmp_path, feed_settings, name):
        with pytest.raises(RecordingError):
            look_ahead(feed_settings(recording=str(tmp_path / name)))

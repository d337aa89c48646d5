"""What the first rows of a file tell of its times and amounts, and what has to be asked for."""

import os

import pytest

from natya.actors.feed import RecordingError, first_look
from natya.actors.feed.first_look import Clocks, FirstLook, expect_zone, note_of
from natya.actors.feed.recording import Recording
from natya.actors.feed.times import zone_of
from natya.domain.time import DAY_NS, time_text
from natya.messages.market import Candle

HEADER = "date,open,high,low,close,volume"
UNCLEAR = "times whose zone can be told are wanted"


def minutes(count, *, hour=10, zone=""):
    return [f"2025-04-09T{hour:02}:{minute:02}:00{zone},1,1,1,1,1" for minute in range(count)]


class TestTheZoneOfTimes:
    @pytest.mark.parametrize(
        ("text", "hours"),
        [("IST", 5.5), ("UTC", 0), ("+05:30", 5.5), ("-03:30", -3.5), ("+0900", 9), ("-2359", -23 - 59 / 60)],
    )
    def test_is_named_or_a_distance_from_utc(self, text, hours):
        assert zone_of(text).utcoffset(None).total_seconds() == pytest.approx(hours * 3_600)

    @pytest.mark.parametrize("text", ["", "ist", "GMT", "05:30", "+5:30", "+24:00", "+05:60", "+05:30 ", "~05:30"])
    def test_is_refused_where_it_is_neither(self, text):
        with pytest.raises(ValueError, match=r"IST, UTC or a distance from UTC such as \+05:30 is wanted, found"):
            zone_of(text)

    @pytest.mark.parametrize(
        ("clocks", "is_refused"),
        [
            (Clocks(10, 10, 10, 0), True),
            (Clocks(10, 6, 10, 1), True),
            (Clocks(10, 5, 10, 0), False),  # as many within the hours as outside
            (Clocks(10, 10, 10, 2), False),  # nor do they fit as UTC's
            (Clocks(10, 10, 9, 0), False),  # one names its zone
            (Clocks(9, 9, 9, 0), False),  # too few
        ],
    )
    def test_is_asked_for_where_most_times_fit_as_utc_s_alone(self, clocks, is_refused):
        if not is_refused:
            expect_zone(clocks, "NSE")
            return
        with pytest.raises(ValueError, match=UNCLEAR) as refusal:
            expect_zone(clocks, "NSE")
        assert f"closed at {clocks.outside} of the first 10, read as India's, and at {clocks.outside_in_utc} as" in str(
            refusal.value
        )

    @pytest.mark.parametrize(
        ("clocks", "is_told"),
        [(Clocks(10, 6, 0, 0), True), (Clocks(10, 5, 0, 0), False), (Clocks(9, 9, 0, 0), False)],
    )
    def test_at_which_the_exchange_is_mostly_closed_is_noted(self, clocks, is_told):
        wanted = f"NSE is closed at {clocks.outside} of the first 10 times" if is_told else ""
        assert note_of(clocks, "NSE") == wanted

    @pytest.mark.parametrize(
        ("rows", "options", "is_told"),
        [
            (minutes(2, zone="+05:30"), {}, True),
            (minutes(2), {}, False),
            ([*minutes(1, zone="+05:30"), "2025-04-09T10:01:00,1,1,1,1,1"], {}, False),
            (minutes(2, zone="+05:30"), {"zone": "UTC"}, False),  # it is given
            (["2025-04-08,1,1,1,1,1", "2025-04-09,1,1,1,1,1"], {}, False),  # days tell nothing
            (minutes(2, zone="+05:30"), {"exchange": None}, False),  # not looked at
        ],
    )
    def test_is_told_by_the_file_where_each_time_names_it(self, write, rows, options, is_told):
        recording = Recording(write(HEADER, *rows), symbol="TCS", **options)
        assert not recording.zones_are_told
        recording.look()

        assert recording.zones_are_told is is_told

    def test_is_looked_for_in_so_many_rows_and_no_more(self, write, monkeypatch):
        monkeypatch.setattr(first_look, "TIMES_MAX", 10)
        rows = minutes(10, hour=4) + minutes(30, hour=11)

        with pytest.raises(Exception, match="closed at 10 of the first 10, read as India's, and at 0 as UTC's"):
            Recording(write(HEADER, *rows), symbol="TCS").look()


class TestAFile:
    @pytest.fixture
    def looks(self, monkeypatch):
        """How often each kind of look was taken."""
        counts = dict.fromkeys(("clocks_of", "date_order", "decimal_mark"), 0)

        def counted(name, look):
            def call(*arguments, **options):
                counts[name] += 1
                return look(*arguments, **options)

            return call

        for name in counts:
            monkeypatch.setattr(first_look, name, counted(name, getattr(first_look, name)))
        return counts

    def test_is_looked_at_once_for_each_version_of_it(self, write, looks):
        path = write(HEADER, *minutes(3))
        recording = Recording(path, symbol="TCS")
        for _ in range(2):
            recording.look()
            assert sum(map(len, recording.chunks())) == 15
            assert set(looks.values()) == {1}
        os.utime(path, ns=(1, 1))
        recording.look()

        assert set(looks.values()) == {2}

    def test_has_its_order_of_dates_as_it_is_given_or_found(self, write, looks):
        rows = ["03/04/2025,1,1,1,1,1", "13/04/2025,1,1,1,1,1"]
        path = write(HEADER, *rows)
        options = {"decimal": None, "zone": "", "exchange": None}
        assert FirstLook(path, dates=None, **options)._order(0) == "day-first"
        assert FirstLook(path, dates="month-first", **options)._order(0) == "month-first"
        assert looks["date_order"] == 1

    @pytest.mark.parametrize(
        "broken", ["", "1,2", "1,1,1,1,total", "1,1,1,1,", "1,1,1,1,2025-xx-03", "1,1,1,1,2025-02-30"]
    )
    def test_tells_its_order_of_dates_behind_rows_that_have_none(self, write, broken):
        path = write("open,high,low,close,date", broken, "1,1,1,1,03/04/2025", "1,1,1,1,04/13/2025")
        found = Recording(path, symbol="TCS", bad_rows_max=1, interval_ns=DAY_NS)
        starts = [each.start_ns for chunk in found.chunks() for each in chunk if isinstance(each, Candle)]

        assert [time_text(start_ns)[:10] for start_ns in starts] == ["2025-03-04", "2025-04-13"]

    def test_asks_for_its_order_of_dates_behind_a_broken_row(self, write):
        path = write(HEADER, "total,1,1,1,1,1", "03/04/2025,1,1,1,1,1")

        with pytest.raises(RecordingError, match="can be told apart are wanted, found '03/04/2025'"):
            Recording(path, symbol="TCS", bad_rows_max=1).look()

    def test_is_not_read_to_its_end_where_its_first_time_says_itself(self, write):
        path = write(HEADER, "total,1,1,1,1,1", "2025-04-03,1,1,1,1,1", "13/04/2025,1,1,1,1,1")

        assert FirstLook(path, dates=None, decimal=None, zone="", exchange=None)._order(0) is None

    def test_of_days_is_told_by_its_first_whole_row(self, write):
        header = "date,ltp,open,high,low,close"
        for first, shape in (("2025-04-09", "candles"), ("2025-04-09 10:00", "ticks")):
            path = write(header, "2025-04-09", "x,1,1,1,1,1", f"{first},1,1,1,1,1", "2025-04-10,1,1,1,1,1")
            recording = Recording(path, symbol="TCS", bad_rows_max=2)
            recording.look()

            assert recording.understood[2].shape == shape

"""Numbers and times of recordings, to the last digit."""

import contextlib
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.feed.numbers import (
    MEMO_ENTRIES_MAX,
    Memo,
    PriceReader,
    mark_of,
    paise,
    rupees,
    whole,
    whole_or_none,
    with_decimal_comma,
)
from natya.actors.feed.times import DateOrderFound, TimeReader, is_clock
from natya.domain.time import day_of

NOON_NS = 1_766_992_622_000_000_000  # 2025-12-29 12:47:02 in India


class TestAPriceOnTheGrid:
    def test_is_free_of_the_wires_noise(self):
        assert PriceReader(0.05).price("25974.900390625") == 25974.9

    @given(ticks=st.integers(1, 10**7), size=st.sampled_from(["0.01", "0.05", "0.1", "0.25", "5.0"]))
    def test_is_the_float_nearest_to_the_decimal(self, ticks, size):
        exact = ticks * Decimal(size)

        assert PriceReader(float(size)).nearest(float(exact)) == float(exact)

    @given(ticks=st.integers(1, 600_000))
    def test_survives_single_precision(self, ticks):
        exact = float(ticks * Decimal("0.05"))

        assert PriceReader(0.05).price(repr(float(np.float32(exact)))) == exact

    @pytest.mark.parametrize(
        "text", ["", "0", "0.001", "-1", "nan", "inf", "1e13", "abc", "1_000", "1,00", "1,0000", ",100", "1,000,0.5"]
    )
    def test_is_refused_where_it_is_none(self, text):
        with pytest.raises(ValueError, match="wanted, found"):
            PriceReader(0.05).price(text)

    @pytest.mark.parametrize(
        ("text", "price"),
        [("1,234.50", 1234.5), ("12,34,567.05", 1234567.05), ("1,234,567", 1234567.0), ("1,000", 1000.0)],
    )
    def test_may_have_separators(self, text, price):
        assert PriceReader(0.05).price(text) == price

    def test_is_refused_where_the_grid_leads_out_of_what_is_believed(self):
        with pytest.raises(ValueError, match="wanted, found"):
            PriceReader(1.1).price("1e12")
        assert PriceReader(1.1).price_or_none("1e12") == 1e12

    def test_may_be_missing_where_that_is_allowed(self):
        assert PriceReader(0.05).price_or_none("") == PriceReader(0.05).price_or_none("0") == 0.0


class TestTheDecimalMark:
    @pytest.mark.parametrize(
        ("text", "mark"),
        [
            *((text, None) for text in ("", "75", "74,125", "1.234", "abc", "1,2x", "-1,5", "1e3")),
            *(
                (text, "point")
                for text in ("74.5", "1,234.50", "12,34,567", "12,34,567.5", ".5", "0.125", " 1234.567 ")
            ),
            *((text, "comma") for text in ("74,5", "1.234,50", "1.234.567", "0,125", "1234,567", ",5")),
        ],
    )
    def test_of_a_number_is_told_where_it_is_certain(self, text, mark):
        assert mark_of(text) == mark

    @pytest.mark.parametrize(
        ("text", "number"), [("74,5", 74.5), ("1.234,50", 1234.5), ("1.234", 1234.0), (" 75 ", 75)]
    )
    def test_may_be_a_comma(self, text, number):
        assert with_decimal_comma(rupees)(text) == number

    @pytest.mark.parametrize("text", ["74.5", "1,234.5", "1,2,3", "1.23", "-1", "1e3", ",", "nan"])
    def test_that_is_a_comma_is_refused_where_it_cannot_be(self, text):
        with pytest.raises(ValueError, match=r"wanted, found|convert"):
            with_decimal_comma(rupees)(text)


class TestAWholeNumber:
    @pytest.mark.parametrize(
        ("text", "number"), [("75", 75), ("75.0", 75), ("", 0), (" 7 ", 7), ("1e3", 1000), ("25,374,582", 25_374_582)]
    )
    def test_is_read(self, text, number):
        assert whole(text) == number

    @pytest.mark.parametrize("text", ["-1", "1.5", "nan", "inf", "x", "1_0", str(1 << 63)])
    def test_is_refused_where_it_is_none(self, text):
        with pytest.raises(ValueError, match="a whole number from 0 is wanted, found"):
            whole(text)

    def test_may_be_missing(self):
        assert whole_or_none("") is None
        assert whole_or_none("3") == 3

    def test_of_paise_is_rounded_to_them(self):
        assert paise("26023.369140625") == 26023.37
        assert paise("") == 0.0


class TestAMemo:
    def test_works_out_each_text_once(self):
        asked = []
        memo = Memo(lambda text: asked.append(text) or len(text))

        assert [memo["ab"], memo["ab"]] == [2, 2]
        assert asked == ["ab"]

    def test_has_a_bound(self):
        memo = Memo(int)
        for number in range(MEMO_ENTRIES_MAX + 1):
            memo[str(number)]

        assert len(memo) == 1


class TestATime:
    @pytest.mark.parametrize(
        ("text", "time_ns"),
        [
            ("2025-12-29 12:47:02", NOON_NS),
            ("2025-12-29T12:47:02", NOON_NS),
            ("2025-12-29T12:47:02+05:30", NOON_NS),
            ("2025-12-29T07:17:02Z", NOON_NS),
            ("2025-12-29T02:17:02-05:00", NOON_NS),
            ("2025-12-29 12:47:02.5", NOON_NS + 500_000_000),
            ("2025-12-29 12:47:02.553384", NOON_NS + 553_384_000),
            ("2025-12-29 12:47:02.553384123", NOON_NS + 553_384_123),
            ("2025-12-29T12:47:02.553384123+05:30", NOON_NS + 553_384_123),
            ("2025-12-29T07:17:02.25Z", NOON_NS + 250_000_000),
            ("1766992622", NOON_NS),
            ("1766992622.553384123", NOON_NS + 553_384_123),
            ("1766992622001", NOON_NS + 1_000_000),
            ("1766992622000001", NOON_NS + 1_000),
            ("1766992622000000001", NOON_NS + 1),
            ("2025-12-29", 1_766_946_600_000_000_000),
            ("20251229", 1_766_946_600_000_000_000),
            ("20251229 12:47:02", NOON_NS),
            ("20251229T1247", NOON_NS - 2 * 10**9),
            ("202512291247", NOON_NS - 2 * 10**9),
            ("20251229124702", NOON_NS),
            ("29-Dec-2025", 1_766_946_600_000_000_000),
            ("29-DEC-2025 12:47:02", NOON_NS),
            ("29-Dec-2025 12:47:02.5", NOON_NS + 500_000_000),
            ("29 December 2025 12:47:02", NOON_NS),
            ("29-December-2025", 1_766_946_600_000_000_000),
            ("Dec 29, 2025", 1_766_946_600_000_000_000),
            ("2025/12/29 12:47:02", NOON_NS),
            ("2025/12/29", 1_766_946_600_000_000_000),
            (" 29-Dec-2025 ", 1_766_946_600_000_000_000),
            ("1766992622.0", NOON_NS),
            ("2025-1-9", 1_736_361_000_000_000_000),
        ],
    )
    def test_is_read_to_the_nanosecond(self, text, time_ns):
        assert TimeReader().read(text) == time_ns

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "noon",
            "29/12/2025",
            "09/01/2025",
            "09-01-2025",
            "9.1.2025",
            "09/01/25 09:15",
            "29-Dec-125",
            "29-Foo-2025",
            "29-Dec-2025 09",
            "29-Dec-2025 13:15 AM",
            "2025/13/01",
            "202513291247",
            "20251229246000",
            "100",
            "1766992622001.5",
            "20251229.5",
            "17669926220010000000",
            "１７６６９９２６２２",  # noqa: RUF001  digits of another kind
            "2025-13-01",
            "1960-01-01",
            "2300-01-01",
            "2025-12-29 12:47:02.1234567891",
            "2025-12-29 12:47:02.x",
            "2025-12-29 12:47:02,5",
            "2025-12-29 25:00:00",
            "1766992622000.5",
            "12.5",
        ],
    )
    def test_is_refused_where_it_is_none(self, text):
        with pytest.raises(ValueError, match="a time as ISO 8601 or as a number since 1970 is wanted"):
            TimeReader().read(text)

    @pytest.mark.parametrize("text", ["2512291247", "3312312359", "2901010000"])
    def test_in_ten_digits_that_may_be_a_date_with_a_short_year_is_refused(self, text):
        with pytest.raises(ValueError, match="a year of four digits, or seconds since 1970 before 2033"):
            TimeReader().read(text)

    @pytest.mark.parametrize("text", ["2512321247", "2513291247", "2512292447", "2512291260", "1512291247"])
    def test_in_ten_digits_that_are_no_date_is_of_seconds(self, text):
        assert TimeReader().read(text) == int(text) * 10**9

    @pytest.mark.parametrize(
        "clock", [" 12:47:02", "T12:47:02", ",12:47:02", " 124702", "T12:47:02+05:30", " 12:47:02 PM"]
    )
    @pytest.mark.parametrize(
        ("date", "order"),
        [
            ("29/12/2025", "day-first"),
            ("12/29/2025", "month-first"),
            ("29-12-25", "day-first"),
            ("29.12.2025", "day-first"),
        ],
    )
    def test_whose_date_has_three_numbers_has_its_clock_whatever_stands_between_them(self, date, order, clock):
        reader = TimeReader(dates=order)

        assert reader.read(date + clock) == NOON_NS
        assert reader.read(date) == 1_766_946_600_000_000_000
        if clock[-2:].isdecimal() and "+" not in clock:
            assert reader.read(f"{date}{clock}.5") == NOON_NS + 500_000_000

    @pytest.mark.parametrize("behind", ["Z", "x9", "-9", "/9", " noon", "T", " 25:00", "+05:30"])
    def test_with_anything_else_behind_such_a_date_is_refused(self, behind):
        with pytest.raises(ValueError, match="a time as ISO 8601 or as a number since 1970 is wanted"):
            TimeReader(dates="day-first").read(f"29/12/2025{behind}")

    def test_without_a_zone_is_by_the_clock_of_its_column_and_a_day_is_one_in_india(self):
        reader = TimeReader(zone=UTC)

        for text in ("20251229T1247", "2025-12-29 12:47", "29-Dec-2025 12:47"):
            assert reader.read(text) == NOON_NS - 2 * 10**9 + 19_800 * 10**9
        assert reader.read("2025-12-29") == TimeReader().read("2025-12-29")

    @pytest.mark.parametrize(("date", "is_asked_for"), [("09/01/2025", True), ("09/01/25", False), ("29-12-25", False)])
    def test_whose_order_is_not_known_asks_for_it_where_the_year_is_told(self, date, is_asked_for):
        with pytest.raises(ValueError, match="is wanted") as refused:
            TimeReader().read(date)

        assert ("by --dates or feed.dates" in str(refused.value)) is is_asked_for

    @pytest.mark.parametrize(
        ("date", "order"),
        [
            ("13/04/2025", "day-first"),
            ("04/13/2025", "month-first"),
            ("03/04/2025", None),
            ("13/14/2025", None),
            ("13/04/25", None),
            ("04/13/25", None),
            ("2025-04-13", None),
        ],
    )
    def test_of_three_numbers_tells_which_comes_first_by_one_above_twelve_beside_a_whole_year(self, date, order):
        found = DateOrderFound()
        found.look(date)

        assert (found.order, found.is_needed) == (order, not date.startswith("2025"))

    @pytest.mark.parametrize(
        ("text", "is_one"),
        [
            ("09:15", True), (" 9:15:00 AM ", True), ("0915", True), ("091500", True), ("915", True),
            ("0915000", False), ("9", False), ("abc", False), ("", False), ("2025", True), ("09:15x", False),
        ],
    )  # fmt: skip
    def test_of_day_is_told_from_other_texts(self, text, is_one):
        assert is_clock(text) is is_one

    @pytest.mark.parametrize("date", ["09/01/2025", "13/01/2025", "01-13-2025"])
    def test_says_how_day_and_month_are_told_apart(self, date):
        with pytest.raises(ValueError, match="whether its day or its month comes first is to be said"):
            TimeReader().read(date)

    @given(digits=st.integers(10**7, 10**20).map(str))
    def test_of_digits_alone_is_of_our_age_or_none(self, digits):
        with contextlib.suppress(ValueError):
            time_ns = TimeReader().read(digits)

            assert 1900 <= datetime.fromtimestamp(time_ns // 10**9, UTC).year < 2100

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("1766992622", "1766992622001"),
            ("1766992622001", "1766992622"),
            ("1766992622", "20251229"),
            ("202512291247", "1766992622001"),
            ("1766992622000001", "1766992622000001000"),
        ],
    )
    def test_in_digits_has_one_unit_in_a_column(self, first, second):
        reader = TimeReader()
        reader.read(first)

        assert reader.read(first) == TimeReader().read(first)
        with pytest.raises(ValueError, match="as in the rows before are wanted"):
            reader.read(second)

    def test_in_nanoseconds_by_the_name_of_its_column_is_what_it_is(self):
        assert TimeReader(in_nanoseconds=True).read("1766992622") == 1_766_992_622
        with pytest.raises(ValueError, match="1970 to 2261"):
            TimeReader(in_nanoseconds=True).read(str(2**63))

    @given(
        moment=st.datetimes(datetime(1971, 1, 1), datetime(2261, 1, 1)),  # noqa: DTZ001  the zone is drawn beside it
        minutes=st.integers(-12 * 60, 14 * 60),
    )
    def test_of_any_zone_is_exact(self, moment, minutes):
        aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
        since = aware - datetime(1970, 1, 1, tzinfo=UTC)

        assert TimeReader().read(aware.isoformat()) == since // timedelta(microseconds=1) * 1_000

    def test_belongs_to_the_day_in_india(self):
        before, after = map(TimeReader().read, ("2025-12-29T23:59:59", "2025-12-30T00:00:00"))

        assert day_of(after) == day_of(before) + 1

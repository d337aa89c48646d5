"""Recordings as the world writes them: dialects, encodings, packings, dates, and the files of each producer."""

import contextlib
import gzip
import io
import json
import zipfile
from datetime import datetime

import pyarrow as pa
import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from natya.actors.feed import RecordingError
from natya.actors.feed.files import packing
from natya.actors.feed.files.folders import files_of
from natya.actors.feed.files.opening import open_table
from natya.actors.feed.files.text import encoding_of
from natya.actors.feed.recording import Recording, open_recordings
from natya.domain.time import DAY_NS, IST
from natya.messages.market import Candle

HEADER = "date,open,high,low,close,volume"


def zipped(content, *names):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or ("a.csv",):
            archive.writestr(name, content)
    return packed.getvalue()


PACKINGS = {"plain": bytes, "gzip": gzip.compress, "zip": zipped, "zstd": zstd.compress}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252")
FORMS = {
    "%Y-%m-%dT%H:%M:%S+05:30": {},
    "%Y-%m-%d %H:%M:%S": {},
    "%Y.%m.%d %H:%M": {},
    "%d-%m-%Y %H:%M:%S": {"dates": "day-first"},
    "%m/%d/%Y %I:%M:%S %p": {"dates": "month-first"},
    "%d.%m.%Y %H:%M": {"dates": "day-first"},
    "%d-%b-%Y %H:%M": {},
    "%Y%m%d%H%M": {},
}


@pytest.fixture
def candles(write):
    """Write lines, read the candles of them."""

    def read(*lines, content=None, **options):
        path = write(*lines)
        if content is not None:
            path.write_bytes(content)
        recording = Recording(path, symbol="TCS", **options)
        return [each for chunk in recording.chunks() for each in chunk if isinstance(each, Candle)]

    return read


def begins(candle):
    return f"{datetime.fromtimestamp(candle.start_ns / 1e9, IST):%Y-%m-%d %H:%M}"


@st.composite
def markets(draw):
    minutes = draw(st.lists(st.integers(0, 374), min_size=1, max_size=6, unique=True))
    rows = []
    for minute in sorted(minutes):
        low = draw(st.integers(100, 200_000_00))
        high = low + draw(st.integers(0, 10_000))
        prices = [draw(st.integers(low, high)) / 100, high / 100, low / 100, draw(st.integers(low, high)) / 100]
        rows.append((minute, prices, draw(st.integers(0, 10_000_000))))
    return draw(st.sampled_from([13, 28])), rows


class TestAMarket:
    @settings(max_examples=40, deadline=None)
    @given(
        market=markets(),
        packed=st.sampled_from(sorted(PACKINGS)),
        encoding=st.sampled_from(ENCODINGS),
        divider=st.sampled_from(",;\t|"),
        form=st.sampled_from(sorted(FORMS)),
        newest_first=st.booleans(),
        separated=st.booleans(),
        comma=st.booleans(),
    )
    def test_is_read_back_whatever_it_was_written_as(  # noqa: PLR0913, PLR0917  the ways to write it
        self, tmp_path_factory, market, packed, encoding, divider, form, newest_first, separated, comma
    ):
        day, rows = market
        path = tmp_path_factory.getbasetemp() / "market"
        lines = [divider.join(["Date", "Open", "High", "Low", "Close", "Volume", "Remark"])]
        for minute, prices, volume in reversed(rows) if newest_first else rows:
            moment = datetime(2025, 3, day, 9 + (15 + minute) // 60, (15 + minute) % 60, tzinfo=IST)
            numbers = [f"{price:,.2f}" if separated else f"{price:.2f}" for price in prices]
            numbers.append(f"{volume:,}" if separated else str(volume))
            if comma:
                numbers = [number.translate(str.maketrans(",.", ".,")) for number in numbers]
            texts = [moment.strftime(form), *numbers, "é"]
            lines.append(divider.join(f'"{text}"' for text in texts))
        path.write_bytes(PACKINGS[packed]("\r\n".join(lines).encode(encoding)))
        told = "comma" if comma and divider == "," else None  # else the file tells it

        recording = Recording(
            path, symbol="TCS", tick_size_rupees=None, interval_ns=60_000_000_000, decimal=told, **FORMS[form]
        )
        found = [each for chunk in recording.chunks() for each in chunk if isinstance(each, Candle)]

        begin = datetime(2025, 3, day, 9, 15, tzinfo=IST).timestamp()
        assert [(each.start_ns // 10**9 - begin) / 60 for each in found] == [minute for minute, _, _ in rows]
        assert [[each.open, each.high, each.low, each.close] for each in found] == [prices for _, prices, _ in rows]
        assert [each.volume for each in found] == [volume for _, _, volume in rows]


class TestADateOfThreeNumbers:
    def test_is_told_by_another_one_of_its_file(self, candles):
        found = candles(HEADER, "03/04/2025,1,1,1,1,1", "13/04/2025,2,2,2,2,2")

        assert [begins(each) for each in found] == ["2025-04-03 00:00", "2025-04-13 00:00"]

    def test_may_have_its_month_first(self, candles):
        assert [begins(each) for each in candles(HEADER, "04-03-2025,1,1,1,1,1", "04-13-2025,2,2,2,2,2")] == [
            "2025-04-03 00:00",
            "2025-04-13 00:00",
        ]

    def test_is_told_by_another_one_behind_one_that_needs_none(self, candles):
        rows = ("03/04/2025,1,1,1,1,1", "2025-04-05,1,1,1,1,1", "13/04/2025,2,2,2,2,2")

        assert [begins(each) for each in candles(HEADER, *rows)] == [
            "2025-04-03 00:00",
            "2025-04-05 00:00",
            "2025-04-13 00:00",
        ]

    def test_that_nothing_tells_is_refused_and_asked_for(self, candles):
        lines = (HEADER, "03/04/2025,1,1,1,1,1", "03/05/2025,2,2,2,2,2")

        with pytest.raises(RecordingError, match=r"found '03/04/2025' and none .* --dates or the setting feed.dates"):
            candles(*lines)
        assert begins(candles(*lines, dates="month-first")[0]) == "2025-03-04 00:00"

    @pytest.mark.parametrize("date", ["03-Apr-25", "3 April 25", "03-APR-2025", "3/Apr/25"])
    def test_whose_month_is_a_word_may_have_a_short_year_and_a_clock(self, candles, date):
        for clock in ("", " 09:16", " 09:16:00 AM"):
            (found,) = candles(HEADER.replace("date", "Date/Time"), f"{date}{clock},1,1,1,1,1")
            assert begins(found) == f"2025-04-03 {'09:16' if clock else '00:00'}"

    def test_with_a_short_year_tells_nothing(self, candles):
        with pytest.raises(RecordingError, match="can be told apart"):
            candles(HEADER, "25/01/09,1,1,1,1,1")

    def test_that_goes_against_the_others_is_a_broken_row(self, candles):
        with pytest.raises(RecordingError, match="line 3: a date that is written day-first is wanted"):
            candles(HEADER, "13/04/2025,1,1,1,1,1", "04/14/2025,1,1,1,1,1")


class TestATime:
    def test_may_stand_beside_its_date(self, candles):
        for clock in ("09:16", "09:16:00", "0916", "91600", "9:16 am"):
            (found,) = candles("<DATE>;<TIME>;<OPEN>;<HIGH>;<LOW>;<CLOSE>;<VOL>", f"20250409;{clock};1;1;1;1;1")

            assert begins(found) == "2025-04-09 09:16"

    def test_without_a_zone_is_of_the_zone_that_is_given(self, candles):
        row = "2025-04-09 03:45:00,1,1,1,1,1"

        assert begins(candles(HEADER, row)[0]) == "2025-04-09 03:45"
        assert begins(candles(HEADER, row, zone="UTC")[0]) == "2025-04-09 09:15"
        assert begins(candles(HEADER, row, zone="+04:00")[0]) == "2025-04-09 05:15"

    @pytest.mark.parametrize("count", [9, 10])
    def test_without_a_zone_that_fits_the_hours_as_utc_alone_is_refused_and_asked_for(self, candles, count):
        rows = [f"2025-04-09 03:{45 + minute}:00,1,1,1,1,1" for minute in range(count)]

        if count == 10:
            with pytest.raises(
                RecordingError, match=r"NSE is closed at 10 of the first 10, .* and at 0 as UTC's: --zone"
            ):
                candles(HEADER, *rows)
        else:
            assert begins(candles(HEADER, *rows)[0]) == "2025-04-09 03:45"
        assert begins(candles(HEADER, *rows, zone="UTC")[0]) == "2025-04-09 09:15"
        assert begins(candles(HEADER, *rows, zone="IST")[0]) == "2025-04-09 03:45"
        assert begins(candles(HEADER, *rows, exchange=None)[0]) == "2025-04-09 03:45"

    @pytest.mark.parametrize("broken", ["some day,1,1,1,1,1", "2025-04-09,1,1,1,1,1", ""])
    def test_without_a_zone_is_asked_for_though_other_rows_have_none_or_are_days(self, candles, broken):
        rows = [f"2025-04-09 03:{45 + minute}:00,1,1,1,1,1" for minute in range(10)]

        with pytest.raises(RecordingError, match="NSE is closed at 10 of the first 10"):
            candles(HEADER, broken, *rows)

    def test_in_the_opening_auction_is_one_of_trading(self, candles):
        rows = [f"2025-04-09 09:0{minute}:00,1,1,1,1,1" for minute in range(10)]
        assert begins(candles(HEADER, *rows)[0]) == "2025-04-09 09:00"

    @pytest.mark.parametrize(("hour", "note"), [("20", ("NSE is closed at 10 of the first 10 times",)), ("10", ())])
    def test_with_a_zone_at_which_the_exchange_is_closed_is_told(self, write, hour, note):
        rows = [f"2025-04-09T{hour}:{15 + minute}:00+05:30,1,1,1,1,1" for minute in range(10)]
        recording = Recording(write(HEADER, *rows), symbol="TCS")

        assert sum(map(len, recording.chunks())) == 50
        assert recording.notes == note

    def test_of_a_day_is_of_the_exchange_s_day_in_any_zone(self, candles):
        assert begins(candles(HEADER, "2025-04-09,1,1,1,1,1", zone="UTC")[0]) == "2025-04-09 00:00"

    def test_with_a_zone_keeps_it(self, candles):
        found = candles(HEADER, "2025-04-09T09:15:00+05:30,1,1,1,1,1", zone="UTC")

        assert begins(found[0]) == "2025-04-09 09:15"


class TestAPriceWithAComma:
    def test_that_may_be_a_decimal_one_is_refused(self, candles):
        for divider in ";\t|":
            rows = (HEADER.replace(",", divider), divider.join(("2025-04-09", "74,125", "75", "74", "75", "1")))
            with pytest.raises(RecordingError, match="read in one way are wanted, found '74,125'"):
                candles(*rows)
        with pytest.raises(RecordingError, match="read in one way are wanted, found '74,125'"):
            candles("time;ltp", "2025-04-09 10:00;74,125")

    def test_is_of_thousands_where_a_comma_divides_or_decimals_say_so(self, candles):
        for rows in (
            (HEADER, '2025-04-09,"74,125",75000,74000,74500,1'),
            (HEADER.replace(",", ";"), "2025-04-09;74,125.00;75000;74000;74500;1,000"),
            (
                HEADER.replace(",", ";"),
                "2025-04-09;74,125;75000;74000;74500;1",
                "2025-04-10;74,125;75000.5;74000;74500;1",
            ),
        ):
            assert candles(*rows)[0].open == 74_125.0

    @pytest.mark.parametrize(("decimal", "price", "volume"), [("point", 74_125.0, 1_000), ("comma", 74.125, 1)])
    def test_is_what_the_option_says_though_the_file_does_not_tell_it(self, candles, decimal, price, volume):
        rows = HEADER.replace(",", ";"), "2025-04-09;74,125;74,125;74,125;74,125;1,000"
        (found,) = candles(*rows, decimal=decimal, tick_size_rupees=None)
        assert (found.open, found.volume) == (price, volume)

    def test_is_a_decimal_one_where_another_number_of_the_file_says_so(self, candles):
        rows = "2025-04-09;74,125;75;74;75;1.000", "2025-04-10;0;0,0;0,0;0;0", "2025-04-11;74,5;1.074,5;74,5;74,5;1"
        found = candles(HEADER.replace(",", ";"), *rows, tick_size_rupees=None)
        assert [(each.open, each.high, each.volume) for each in found] == [(74.125, 75.0, 1_000), (74.5, 1_074.5, 1)]

    def test_is_a_decimal_one_also_where_a_row_before_the_number_that_says_so_is_too_short(self, candles):
        rows = ("2025-04-09;1", "2025-04-10;74,125;75,5;74;75;1")
        (found,) = candles(HEADER.replace(",", ";"), *rows, bad_rows_max=1, tick_size_rupees=None)

        assert (found.open, found.high) == (74.125, 75.5)

    def test_that_is_no_number_at_all_is_refused_as_that(self, candles):
        rows = ("2025-04-09;74,125;75,125;74,125;74,125;1", "2025-04-10;7,4x;75,125;74,125;74,125;1")

        with pytest.raises(RecordingError, match="can be read in one way are wanted, found '74,125'"):
            candles(HEADER.replace(",", ";"), *rows)
        with pytest.raises(RecordingError, match=r"line 2: (?!.*in one way).*found '7,4x'"):
            candles(HEADER.replace(",", ";"), rows[1])

    def test_is_told_where_it_is_a_decimal_one_and_makes_the_recording_another(self, write):
        path = write(HEADER.replace(",", ";"), "2025-04-09;74,125;74,125;74,125;74,125;1")
        found = {}
        for decimal in ("point", "comma"):
            recording = Recording(path, symbol="TCS", decimal=decimal)
            ticks = [each for chunk in recording.chunks() for each in chunk if not isinstance(each, Candle)]
            found[ticks[0].source, recording.fingerprint()] = any("decimal comma" in each for each in recording.notes)
        assert list(found.values()) == [False, True]
        assert len({source for source, _ in found}) == len({print_ for _, print_ in found}) == 2

    def test_is_refused_where_its_thousands_are_divided_by_commas_as_well(self, candles):
        with pytest.raises(RecordingError, match=r"line 3: a number with a decimal comma is wanted, found '1,074.5'"):
            candles("time;ltp", "2025-04-09 10:00;74,5", "2025-04-09 10:01;1,074.5")

    def test_is_none_in_a_file_whose_numbers_are_no_texts(self, candles):
        content = b'[{"date": "2025-04-09", "open": 74.5, "high": 75, "low": 74, "close": 75, "volume": 1}]'
        assert candles(content=content, decimal="comma")[0].open == 74.5


class TestATextFile:
    def test_may_say_what_divides_it(self, candles):
        assert candles("sep=;", HEADER.replace(",", ";"), "2025-04-09;1;2;1;2;1")[0].high == 2.0

    def test_counts_its_lines_from_that_hint(self, candles):
        with pytest.raises(RecordingError, match="line 3: "):
            candles("sep=;", HEADER.replace(",", ";"), "2025-04-09;x;2;1;2;1")

    def test_of_windows_is_read_and_told(self, write):
        path = write()
        path.write_bytes(f"{HEADER},name\n2025-04-09,1,1,1,1,1,Caf\xe9\n".encode("cp1252"))
        recording = Recording(path, symbol="TCS")

        assert list(recording.chunks())
        assert recording.notes[0] == "it is no UTF-8: read as Windows text"


class TestAPackedFile:
    def test_of_several_files_is_refused(self, candles):
        with pytest.raises(RecordingError, match=r"a zip of one file, found 2: 'a\.csv, b\.csv'"):
            candles(content=zipped("x", "a.csv", "b.csv"))

    def test_that_is_a_spreadsheet_is_refused(self, candles):
        for content in (zipped("x", "[Content_Types].xml"), b"\xd0\xcf\x11\xe0" + bytes(100)):
            with pytest.raises(RecordingError, match="a spreadsheet, which is saved as CSV"):
                candles(content=content)

    @pytest.mark.parametrize("packed", ["gzip", "zip", "zstd"])
    def test_that_is_cut_or_broken_is_refused(self, candles, packed):
        whole = PACKINGS[packed](
            "\n".join([HEADER, *(f"{1766992620 + n * 60},1,1,1,1,{n}" for n in range(999))]).encode()
        )

        with pytest.raises(RecordingError, match="a file that can be read to its end is wanted"):
            candles(content=whole[:-20])
        with pytest.raises(RecordingError):
            candles(content=whole[:50] + bytes(50) + whole[100:])

    @pytest.mark.parametrize("packed", ["gzip", "zip", "zstd"])
    def test_that_unpacks_to_far_more_than_a_market_is_refused(self, candles, monkeypatch, packed):
        monkeypatch.setattr(packing, "UNPACKED_FREE_BYTES", 1 << 16)
        bomb = f"{HEADER}\n2025-04-09,1,1,1,1,1\n".encode() + b"\n" * (4 << 20)

        with pytest.raises(RecordingError, match="more than 300 times its own size"):
            candles(content=PACKINGS[packed](bomb))


CHART = {"open": [1.5, 2], "high": [3, 3], "low": [1, 1], "close": [2, 2.5], "volume": [10, 20]}
TIMES = [1_744_170_300.0, 1_744_170_360.0]


class TestAnAnswerInJson:
    def test_may_be_arrays_side_by_side_as_dhan_s(self, candles):
        chart = {**CHART, "timestamp": TIMES, "open_interest": []}

        for answer in (chart, {"status": "success", "data": chart}):
            found = candles(content=json.dumps(answer).encode())

            assert [(begins(each), each.open, each.volume) for each in found] == [
                ("2025-04-09 09:15", 1.5, 10),
                ("2025-04-09 09:16", 2.0, 20),
            ]

    def test_may_be_rows_as_kite_s_and_upstox_s(self, candles):
        rows = [["2025-04-09T09:16:00+0530", 1, 3, 1, 2, 20, 0], ["2025-04-09T09:15:00+0530", 1, 3, 1, 2, 10, 0]]

        found = candles(content=json.dumps({"status": "success", "data": {"candles": rows}}).encode())

        assert [begins(each) for each in found] == ["2025-04-09 09:15", "2025-04-09 09:16"]

    def test_may_be_objects(self, candles):
        row = {"date": "2025-04-09", "open": 1, "high": 3, "low": 1, "close": 2, "volume": 5}

        assert candles(content=json.dumps([row]).encode())[0].volume == 5

    def test_may_begin_with_a_row_of_nothing_which_is_a_broken_one(self, candles):
        row = ["2025-04-09T09:15:00+0530", 1, 3, 1, 2, 20, 0]

        assert candles(content=json.dumps([[], row]).encode(), bad_rows_max=1)[0].volume == 20

    @pytest.mark.parametrize(
        "content",
        [
            *("[]", "[{}]", "[[]]", "[5]", "[null]", '["text"]', '[{"date": 1}, 5]', '[[1], {"date": 1}]'),
            *('{"data": 5}', '{"data": "text"}', '{"data": null}', '{"data": [[]]}', '{"candles": []}', "{}"),
            '{"data": {"data": {"data": {"data": {"data": [[1, 1, 1, 1, 1]]}}}}}',
        ],
    )
    def test_without_rows_is_refused_as_such(self, candles, content):
        with pytest.raises(RecordingError, match="found JSON without rows: arrays side by side, an array of rows"):
            candles(content=content.encode())

    @pytest.mark.parametrize(
        "content", ["{", "[]", "[1]", '{"open": [1], "close": [1, 2]}', '{"data": {}}', "[" * 9999]
    )
    def test_that_is_none_of_these_is_refused(self, candles, content):
        with pytest.raises(RecordingError):
            candles(content=content.encode())


class TestABhavcopy:
    UDIFF = (
        "TradDt,BizDt,Sgmt,Src,FinInstrmTp,FinInstrmId,ISIN,TckrSymb,SctySrs,XpryDt,FininstrmActlXpryDt,StrkPric,"
        "OptnTp,FinInstrmNm,OpnPric,HghPric,LwPric,ClsPric,LastPric,PrvsClsgPric,UndrlygPric,SttlmPric,OpnIntrst,"
        "ChngInOpnIntrst,TtlTradgVol,TtlTrfVal,TtlNbOfTxsExctd,SsnId,NewBrdLotQty,Rmks,Rsvd1,Rsvd2,Rsvd3,Rsvd4"
    )
    TAIL = "5,5.5,5,5.2,5.2,5,,5.2,0,0,100,520,3,F1,1,,,,,"

    def test_of_udiff_has_shares_of_any_series_bonds_by_theirs_and_those_of_bse_by_exchange(self, candles):
        found = candles(
            self.UDIFF,
            f"2025-04-09,2025-04-09,CM,NSE,STK,1,INE1,IDEA,BE,,,,,VODAFONE IDEA,{self.TAIL}",
            f"2025-04-09,2025-04-09,CM,NSE,STK,2,INE2,TCS,EQ,,,,,TATA CONSULTANCY,{self.TAIL}",
            f"2025-04-09,2025-04-09,CM,NSE,STK,3,INE3,IDEA,N1,,,,,VODAFONE BOND,{self.TAIL}",
            f"2025-04-09,2025-04-09,CM,BSE,STK,532540,INE2,TCS,A,,,,,TCS LTD,{self.TAIL}",
        )

        assert {each.symbol for each in found} == {"IDEA", "IDEA-N1", "TCS", "BSE:TCS"}
        assert {(each.interval_ns, each.volume, each.close) for each in found} == {(DAY_NS, 100, 5.2)}

    def test_of_contracts_names_them_as_the_list_of_instruments_does(self, candles):
        contract = "2025-04-09,2025-04-09,FO,NSE,{0},1,,NIFTY,,2025-04-24,2025-04-24,{1},{2},X," + self.TAIL

        found = candles(self.UDIFF, contract.format("IDF", "", ""), contract.format("IDO", "22500.00", "CE"))

        assert {each.symbol for each in found} == {"NIFTY-24Apr2025-FUT", "NIFTY-24Apr2025-22500-CE"}

    def test_of_contracts_counts_units_and_not_lots(self, candles):
        contract = (
            "2024-07-08,2024-07-08,FO,NSE,STF,63806,,RELIANCE,,2024-07-25,2024-07-25,,,RELIANCE24JULFUT,"
            "3190.00,3224.30,3172.00,3208.10,3206.15,3187.35,3201.80,3208.10,28804250,-1499500,39175,"
            "31353890650.00,32467,F1,{},,,,,"
        )
        (found,) = candles(self.UDIFF, contract.format(250))
        assert found.volume == 39_175 * 250  # at 3201.41 rupees on the average they are the value of the row

        for lot in ("", "0"):
            with pytest.raises(RecordingError, match="line 2: a whole number"):
                candles(self.UDIFF, contract.format(lot))
        (untold,) = candles(self.UDIFF, contract.replace(",39175,", ",,").format(""))
        assert untold.volume == 0

    def test_of_contracts_in_the_old_form_has_the_same_names_and_leaves_out_what_did_not_trade(self, write):
        path = write(
            "INSTRUMENT,SYMBOL,EXPIRY_DT,STRIKE_PR,OPTION_TYP,OPEN,HIGH,LOW,CLOSE,SETTLE_PR,CONTRACTS,VAL_INLAKH,"
            "OPEN_INT,CHG_IN_OI,TIMESTAMP,",
            "FUTIDX,NIFTY,24-APR-2025,0,XX,5,6,5,6,6,7,1,0,0,09-APR-2025,",
            "OPTIDX,NIFTY,24-APR-2025,22500,PE,5,6,5,6,6,7,1,0,0,09-APR-2025,",
            "OPTIDX,NIFTY,24-APR-2025,29000,PE,0,0,0,6,6,0,0,0,0,09-APR-2025,",
        )
        recording = Recording(path)
        found = [each for chunk in recording.chunks() for each in chunk if isinstance(each, Candle)]

        assert {each.symbol for each in found} == {"NIFTY-24Apr2025-FUT", "NIFTY-24Apr2025-22500-PE"}
        assert (recording.bad_rows, recording.notes[-1]) == (
            0,
            "left out: 1 row of a time without a trade, which has no prices",
        )

    def test_of_a_contract_whose_day_is_none_is_broken(self, candles):
        with pytest.raises(RecordingError, match="line 2: "):
            candles(self.UDIFF, f"2025-04-09,2025-04-09,FO,NSE,IDF,1,,NIFTY,,9 Apr,,,,X,{self.TAIL}")


class TestADownload:
    def test_of_investing_com_has_candles_whose_close_is_called_price_and_rounded_volumes(self, candles):
        header = '"Date","Price","Open","High","Low","Vol.","Change %"'
        row = '"{}","1,234.50","1,230.00","1,240.00","1,220.00","{}","0.10%"'
        volumes = ("12.5M", "1.05B", "750.13K", "-", "12")
        days = [row.format(f"11/{28 - day}/2025", volume) for day, volume in enumerate(volumes)]

        found = candles(header, *days)

        assert [each.volume for each in reversed(found)] == [12_500_000, 1_050_000_000, 750_130, 0, 12]
        assert {(each.open, each.high, each.low, each.close, each.interval_ns) for each in found} == {
            (1_230.0, 1_240.0, 1_220.0, 1_234.5, DAY_NS)
        }
        for volume in ("M", "xM", "1.2.3K", "1.2345K"):
            with pytest.raises(RecordingError, match="line 2: a whole number"):
                candles(header, row.format("11/28/2025", volume))

    def test_of_all_indices_of_a_day_has_its_day_first(self, candles):
        found = candles(
            "Index Name,Index Date,Open Index Value,High Index Value,Low Index Value,Closing Index Value,Points Change,"
            "Change(%),Volume,Turnover (Rs. Cr.),P/E,P/B,Div Yield",
            "Nifty 50,03-04-2025,23150.3,23306.5,23145.8,23250.1,-82.25,-.35,279383990,22970.11,20.9,3.4,1.3",
            "Nifty 1D Rate Index,03-04-2025,-,-,-,2383.66,.4,.02,-,-,-,-,-",
        )

        assert [(each.symbol, begins(each), each.volume) for each in found] == [
            ("Nifty 50", "2025-04-03 00:00", 279_383_990)
        ]

    def test_of_an_index_has_a_mark_and_spaces(self, candles):
        found = candles(
            '\ufeff"Date ","Open ","High ","Low ","Close ","Shares Traded ","Turnover (₹ Cr)"',
            '"09-APR-2025","22460.30","22468.70","22353.25","22399.15","222563012","21089.21"',
        )

        assert found[0].volume == 222_563_012

    def test_of_a_share_has_separators(self, candles):
        found = candles(
            '"Date ","series ","OPEN ","HIGH ","LOW ","PREV. CLOSE ","ltp ","close ","vwap ","52W H","52W L ",'
            '"VOLUME ","VALUE ","No of trades "',
            '"09-Apr-2025","EQ","1,200.00","1,234.50","1,199.05","1,201.00","1,230.00","1,229.95","1,220.11",'
            '"1,608.80","1,115.55","1,23,45,678","15,061,234,567.00","2,34,567"',
        )

        assert (found[0].open, found[0].high, found[0].volume) == (1200.0, 1234.5, 12_345_678)


class TestWhatTheSettingsSay:
    @pytest.mark.parametrize(
        ("said", "begin", "price"),
        [({}, "", 0), ({"dates": "day-first"}, "2025-04-03", 74_125), ({"dates": "month-first"}, "2025-03-04", 74_125)],
        ids=["nothing", "the day first", "the month first"],
    )
    def test_of_dates_is_believed_and_nothing_is_found_in_the_file(self, tmp_path, feed_settings, said, begin, price):
        path = tmp_path / "a.csv"
        path.write_text(f"{HEADER}\n03/04/2025,74125,74125,74125,74125,1\n")
        market = open_recordings(feed_settings(recording=path, **said))
        if not said:
            with pytest.raises(RecordingError, match="dates whose day and month can be told apart are wanted"):
                list(market.chunks())
            return
        *_, candle = (each for chunk in market.chunks() for each in chunk)

        assert (begins(candle), candle.open) == (f"{begin} 00:00", price)

    @pytest.mark.parametrize(
        ("said", "text", "price"),
        [({}, "74,5", 74.5), ({"decimal": "comma"}, "74,150", 74.15), ({"decimal": "point"}, "74,150", 74_150)],
        ids=["nothing", "a comma", "a point"],
    )
    def test_of_decimals_is_believed_and_nothing_is_found_in_the_file(self, tmp_path, feed_settings, said, text, price):
        path = tmp_path / "a.csv"
        path.write_text(f"{HEADER.replace(',', ';')}\n2025-04-09;{text};{text};{text};{text};1\n")
        market = open_recordings(feed_settings(recording=path, **said))
        *_, candle = (each for chunk in market.chunks() for each in chunk)

        assert candle.open == price


class TestAFolder:
    def test_is_replayed_as_the_files_in_it(self, tmp_path, feed_settings):
        for place, name in enumerate(("2.csv", "1.csv", "readme.md")):
            (tmp_path / name).write_text(f"symbol,{HEADER}\nTCS,2025-04-{10 + place},1,1,1,1,1\n")

        messages = [each for chunk in open_recordings(feed_settings(recording=tmp_path)).chunks() for each in chunk]

        assert [begins(each) for each in messages if isinstance(each, Candle)] == [
            "2025-04-10 00:00",
            "2025-04-11 00:00",
        ]

    def test_is_the_files_below_it_too_and_none_that_is_hidden_or_no_file(self, tmp_path):
        for name in (".hidden.csv", "B.CSV", "a.csv", "deep/c.parquet", "notes.md", "~lock"):
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text("x")
        (tmp_path / "d.csv").mkdir()

        assert files_of(tmp_path) == [tmp_path / "B.CSV", tmp_path / "a.csv", tmp_path / "deep" / "c.parquet"]
        assert files_of(tmp_path / "a.csv") == [tmp_path / "a.csv"]
        assert files_of(tmp_path / ("x" * 300)) == [tmp_path / ("x" * 300)]

    def test_without_any_is_refused(self, tmp_path, feed_settings):
        with pytest.raises(RecordingError, match=r"a folder with files .* is wanted, found none of them"):
            open_recordings(feed_settings(recording=tmp_path))


class TestAParquetFile:
    def test_is_a_recording_as_a_text_is(self, tmp_path):
        path = tmp_path / "a"
        rows = {"symbol": ["TCS"], "date": ["2025-04-09"], "open": [1.0], "high": [2.5], "low": [1.0], "close": [2.0]}
        parquet.write_table(pa.table({**rows, "volume": [7]}), path)

        (found,) = [each for chunk in Recording(path).chunks() for each in chunk if isinstance(each, Candle)]

        assert (begins(found), found.high, found.volume) == ("2025-04-09 00:00", 2.5, 7)


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        (b"", "utf-8"),
        (b"D", "utf-8"),
        ("Date".encode("utf-16-le"), "utf-16-le"),
        ("Date".encode("utf-16-be"), "utf-16-be"),
        (bytes(20), "utf-8"),
        (b"D\0a\0\0\0", "utf-8"),
        (b"\0D\0a\0\0", "utf-8"),
        ("é,".encode("cp1252"), "cp1252"),
    ],
)
def test_an_encoding_is_told_by_the_zeros_of_one_half_of_the_bytes(head, encoding):
    assert encoding_of(head) == encoding


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
@pytest.mark.parametrize("lines", [0, 1, 50_000])
def test_how_much_of_a_file_is_read_is_a_part_and_in_the_end_all_of_it(tmp_path, lines, pack):
    path = tmp_path / "file.csv"
    path.write_bytes(pack(b"a,b\n" * lines))
    with contextlib.ExitStack() as stack:
        table, _ = open_table(path, stack)
        shares = [table.share(), *(table.share() for _ in table.rows())]

    assert shares == sorted(shares)
    assert (0 <= shares[0] <= 1, shares[-1]) == (True, 0 if pack is bytes and not lines else 1)

"""Files as vendors and exchanges write them."""

import pytest

from natya.actors.feed import RecordingError
from natya.actors.feed.columns import recognise
from natya.messages.market import Candle, Tick

NSE_DAY = (
    '"DATE","SERIES","OPEN","HIGH","LOW","PREV. CLOSE","LTP","CLOSE","VWAP","52W H","52W L","VOLUME","VALUE",'
    '"NO OF TRADES"'
)
NSE_ROWS = (
    (
        '"10-Jan-2025","EQ","1,250.00","1,260.50","1,240.05","1,248.00","1,242.00","1,241.95","1,249.10","1,608.80",'
        '"1,201.50","1,23,45,678","15,42,00,00,000.50","2,40,123"'
    ),
    (
        '"09-Jan-2025","EQ","1,264.00","1,270.00","1,244.60","1,265.50","1,247.00","1,248.00","1,252.77","1,608.80",'
        '"1,201.50","9,876,543","12,37,00,00,000.00","2,10,456"'
    ),
)

DAYS = {
    "nse": (NSE_DAY, *NSE_ROWS),
    "nse_spaced": (
        "Date ,series ,OPEN ,HIGH ,LOW ,PREV. CLOSE ,ltp ,close ,vwap ,52W H,52W L ,VOLUME ,VALUE ,No of trades ",
        *NSE_ROWS,
    ),
    "yahoo": (
        "Date,Open,High,Low,Close,Adj Close,Volume",
        "2025-01-09,1264.0,1270.0,1244.6,1248.0,1240.1,9876543",
        "2025-01-10,1250.0,1260.5,1240.05,1241.95,1236.2,12345678",
    ),
    "yfinance": (
        "Price,Close,High,Low,Open,Volume",
        "Ticker,TCS.NS,TCS.NS,TCS.NS,TCS.NS,TCS.NS",
        "Date,,,,,",
        "2025-01-09,1248.0,1270.0,1244.6,1264.0,9876543",
        "2025-01-10,1241.95,1260.5,1240.05,1250.0,12345678",
    ),
    "bse": (
        "Date,Open Price,High Price,Low Price,Close Price,WAP,No.of Shares,No. of Trades,Total Turnover (Rs.)",
        "10-January-2025,1250.00,1260.50,1240.05,1241.95,1249.1,12345678,240123,15420000000.00",
        "9-January-2025,1264.00,1270.00,1244.60,1248.00,1252.77,9876543,210456,12370000000.00",
    ),
    "tradingview": (
        "time,open,high,low,close,Volume,Volume MA",
        "1736361000,1264,1270,1244.6,1248,9876543,1",
        "1736447400,1250,1260.5,1240.05,1241.95,12345678,1",
    ),
    "zerodha": (
        "date,open,high,low,close,volume",
        "2025-01-09 00:00:00+05:30,1264.0,1270.0,1244.6,1248.0,9876543",
        "2025-01-10 00:00:00+05:30,1250.0,1260.5,1240.05,1241.95,12345678",
    ),
    "dhan": (
        "timestamp,open,high,low,close,volume",
        "1736361000.0,1264.0,1270.0,1244.6,1248.0,9876543.0",
        "1736447400.0,1250.0,1260.5,1240.05,1241.95,12345678.0",
    ),
    "upstox": (
        "timestamp,open,high,low,close,volume,oi",
        "2025-01-10T00:00:00+05:30,1250,1260.5,1240.05,1241.95,12345678,0",
        "2025-01-09T00:00:00+05:30,1264,1270,1244.6,1248,9876543,0",
    ),
    "letters": (
        "time,o,h,l,c,v",
        "20250109,1264,1270,1244.6,1248,9876543",
        "20250110,1250,1260.5,1240.05,1241.95,12345678",
    ),
    "milliseconds": (
        "t,datetime,O,H,L,C,V",
        "x,1736361000000,1264,1270,1244.6,1248,9876543",
        "x,1736447400000,1250,1260.5,1240.05,1241.95,12345678",
    ),
}


class TestDaysOfAnyVendor:
    @pytest.mark.parametrize("vendor", DAYS)
    def test_are_candles_in_the_order_of_time(self, write, messages, vendor):
        said = messages(write(*DAYS[vendor]))

        candles = [each for each in said if isinstance(each, Candle)]
        assert [(each.open, each.high, each.low, each.close, each.volume) for each in candles] == [
            (1264.0, 1270.0, 1244.6, 1248.0, 9_876_543),
            (1250.0, 1260.5, 1240.05, 1241.95, 12_345_678),
        ]
        assert [each.start_ns for each in candles] == [1_736_361_000_000_000_000, 1_736_447_400_000_000_000]
        assert len(said) == 10

    def test_of_one_symbol_may_have_several_series(self, write, messages):
        said = messages(
            write("DATE,SERIES,OPEN,HIGH,LOW,CLOSE,VOLUME", "09-Jan-2025,EQ,1,1,1,1,1", "10-Jan-2025,BE,1,1,1,1,1")
        )

        assert {each.symbol for each in said} == {"TCS"}

    @pytest.mark.parametrize(
        ("header", "row"),
        [
            (
                "SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,TOTTRDQTY,TOTTRDVAL,TIMESTAMP,TOTALTRADES,ISIN,",
                "{},EQ,1264,1270,1244.6,1248,1247,1265.5,9876543,1,09-JAN-2025,2,INE,",
            ),
            (
                (
                    "SYMBOL, SERIES, DATE1, PREV_CLOSE, OPEN_PRICE, HIGH_PRICE, LOW_PRICE, LAST_PRICE, CLOSE_PRICE, "
                    "AVG_PRICE, TTL_TRD_QNTY, TURNOVER_LACS"
                ),
                "{}, EQ, 09-Jan-2025, 1265.5, 1264, 1270, 1244.6, 1247, 1248, 1252, 9876543, 1.5",
            ),
            (
                "TradDt,BizDt,Sgmt,TckrSymb,SctySrs,OpnPric,HghPric,LwPric,ClsPric,LastPric,PrvsClsgPric,TtlTradgVol",
                "2025-01-09,2025-01-09,CM,{},EQ,1264,1270,1244.6,1248,1247,1265.5,9876543",
            ),
        ],
    )
    def test_may_be_one_day_of_all_symbols(self, write, recording, header, row):
        bhavcopy = recording(write(header, row.format("TCS"), row.format("INFY")))

        candles = [each for chunk in bhavcopy.chunks() for each in chunk if isinstance(each, Candle)]

        assert [(each.symbol, each.close, each.volume) for each in candles] == [
            ("INFY", 1248.0, 9_876_543),
            ("TCS", 1248.0, 9_876_543),
        ]
        assert {each.interval_ns for each in candles} == {86_400 * 10**9}
        assert bhavcopy.notes == ("one candle of TCS does not tell its length: 1d is taken",)

    def test_are_of_a_share_as_it_is_called_here_whose_exchange_is_written_with_it_and_a_note_says_so(
        self, write, recording
    ):
        path = write(
            "Ticker,Date/Time,Open,High,Low,Close",
            "TCS.NSE,2025-01-09,1,2,1,2",
            "TCS.NSE,2025-01-10,1,2,1,2",
            "NSE:INFY,2025-01-10,1,2,1,2",
            "WIPRO-EQ,2025-01-10,1,2,1,2",
            "SBIN.BO,2025-01-10,1,2,1,2",
        )
        found = recording(path)

        assert {each.symbol for chunk in found.chunks() for each in chunk} == {"TCS", "INFY", "WIPRO", "BSE:SBIN"}
        told = "symbols are read without their exchange: TCS.NSE is TCS, NSE:INFY is INFY, WIPRO-EQ is WIPRO, …"
        assert told in found.notes

    def test_are_of_the_contract_where_its_parts_are_told_and_never_of_what_it_is_on(self, write, recording):
        path = write(
            "symbol,expiry_date,strike,option_type,date,open,high,low,close",
            "NIFTY,2026-12-29,26000,CALL,2026-11-26,1,2,1,2",
            "NIFTY,2026-12-29,26000.5,pe,2026-11-26,1,2,1,2",
            "NIFTY,29-Dec-2026,0,XX,2026-11-26,1,2,1,2",
            "INFY,-,,,2026-11-26,1,2,1,2",
        )
        found = recording(path)

        assert {each.symbol for chunk in found.chunks() for each in chunk} == {
            *("NIFTY-29Dec2026-26000-CE", "NIFTY-29Dec2026-26000.5-PE", "NIFTY-29Dec2026-FUT", "INFY"),
        }

    @pytest.mark.parametrize("option", ["straddle", "X", "CEPE"])
    def test_are_of_nothing_where_the_option_type_is_none(self, write, recording, option):
        path = write(
            "symbol,expiry,strike_price,option_type,date,open,high,low,close",
            f"NIFTY,2026-12-29,26000,{option},2026-11-26,1,2,1,2",
        )
        with pytest.raises(RecordingError, match="line 2: "):
            list(recording(path).chunks())

    def test_are_of_the_day_of_the_trade_where_another_one_stands_beside_it(self, write, recording):
        path = write("Trade Date,Settlement Date,Open,High,Low,Close", "13-01-2025,14-01-2025,1,2,1,2")
        found = [each for chunk in recording(path).chunks() for each in chunk if isinstance(each, Candle)]

        assert [each.start_ns for each in found] == [1_736_706_600_000_000_000]

    def test_are_of_the_contract_in_a_download_of_nse(self, write, recording):
        path = write(
            '"Symbol  ","Date  ","Expiry  ","Option Type  ","Strike Price  ","Open  ","High  ","Low  ","Close  ","LTP  '
            '","Settle Price  ","No. of contracts  ","Open Int  ","Underlying Value  "',
            '"NIFTY","26-Nov-2026","29-Dec-2026","CE","26,000.00","100","102","99","101","101","101","1,234","5","26,010"',
            '"NIFTY","26-Nov-2026","29-Dec-2026","-","-","26,100","26,200","26,000","26,150","26,150","26,150","7","5","-"',
        )
        found = [each for chunk in recording(path).chunks() for each in chunk if isinstance(each, Candle)]

        assert sorted((each.symbol, each.close, each.volume) for each in found) == [
            ("NIFTY-29Dec2026-26000-CE", 101.0, 1_234),
            ("NIFTY-29Dec2026-FUT", 26_150.0, 7),
        ]

    def test_are_called_as_the_settings_say_where_no_column_does(self, write, recording):
        path = write("Date,Open,High,Low,Close", "2025-01-09,1,2,1,2", "2025-01-10,1,2,1,2")
        found = recording(path, symbol="TCS.NS")

        assert {each.symbol for chunk in found.chunks() for each in chunk} == {"TCS.NS"}

    def test_may_have_a_column_of_clocks_that_is_empty(self, write, messages):
        rows = ("2025-01-09,,1,2,1,2", "2025-01-10, ,1,2,1,2")
        found = messages(write("Date,Time,Open,High,Low,Close", *rows), replayed=False)

        assert [(each.start_ns, each.interval_ns) for each in found] == [
            (day * 86_400 * 10**9 - 19_800 * 10**9, 86_400 * 10**9) for day in (20_097, 20_098)
        ]

    def test_of_several_tickers_by_yfinance_are_a_row_of_each(self, write, recording):
        path = write(
            "Ticker,TCS.NS,TCS.NS,TCS.NS,TCS.NS,INFY.BO,INFY.BO,INFY.BO,INFY.BO",
            "Price,Open,High,Low,Close,Open,High,Low,Close",
            "Date,,,,,,,,",
            "2025-01-09,1264,1270,1244.6,1248,1,4,1,2",
            "2025-01-10,1250,1260.5,1240.05,1241.95,,,,",
            "2025-01-11,1250,1260.5,1240.05,1241.95,2,4,1,3",
        )

        found = [each for chunk in recording(path).chunks() for each in chunk if isinstance(each, Candle)]

        assert sorted((each.symbol, each.close) for each in found) == [
            *(("BSE:INFY", 2.0), ("BSE:INFY", 3.0), ("TCS", 1241.95), ("TCS", 1241.95), ("TCS", 1248.0)),
        ]

    def test_of_yfinance_go_on_behind_a_row_that_is_not_whole(self, write, recording):
        path = write(
            "Price,Open,High,Low,Close",
            "Ticker,TCS.NS,TCS.NS,TCS.NS,TCS.NS",
            "Date,,,,",
            "2025-01-09,1,2,1,2",
            "2025-01-10,1,2",
            "2025-01-13,1,2,1,2,9",
            "2025-01-14,1,4,1,3",
        )
        found = recording(path, bad_rows_max=2)
        candles = [each for chunk in found.chunks() for each in chunk if isinstance(each, Candle)]

        assert [each.close for each in candles] == [2.0, 3.0]
        assert [line for line, _ in found.bad_lines] == [5, 6]

    def test_of_several_tickers_by_yfinance_may_lack_what_others_have(self, write, recording):
        path = write(
            "Ticker,TCS.NS,TCS.NS,TCS.NS,TCS.NS,TCS.NS,INFY.NS,INFY.NS,INFY.NS,INFY.NS",
            "Price,Open,High,Low,Close,Volume,Open,High,Low,Close",
            "Date,,,,,,,,,",
            "2025-01-09,1,4,1,2,7,3,5,3,4",
            "2025-01-10,1,4,1,2,7,3,5,3,4",
        )
        found = [each for chunk in recording(path).chunks() for each in chunk if isinstance(each, Candle)]

        assert [(each.symbol, each.close, each.volume) for each in found] == [
            *(("INFY", 4.0, 0), ("TCS", 2.0, 7), ("INFY", 4.0, 0), ("TCS", 2.0, 7)),
        ]

    @pytest.mark.parametrize("name", ["\"('{0}', '{1}')\"", "\"('{1}', '{0}')\""], ids=["price first", "ticker first"])
    def test_of_yfinance_in_parquet_have_pairs_for_names_and_their_times_behind(self, write, recording, name):
        prices = ("Open", "High", "Low", "Close")
        names = [name.format(price, ticker) for ticker in ("TCS.NS", "INFY.NS") for price in prices]
        path = write(",".join([*names, "Date"]), "1,2,1,2,,,,,2025-01-09", "1,2,1,2,3,4,3,4,2025-01-10")

        found = [each for chunk in recording(path).chunks() for each in chunk if isinstance(each, Candle)]

        assert sorted((each.symbol, each.open, each.close) for each in found) == [
            ("INFY", 3.0, 4.0),
            ("TCS", 1.0, 2.0),
            ("TCS", 1.0, 2.0),
        ]

    @pytest.mark.parametrize(
        ("header", "reason"),
        [
            ("Date", "found no open, high, low, close in 'Date'"),
            ("\"('Close', 'A')\",Volume", "found no time, open, high, low, close in \"('Close', 'A'), Volume\""),
            ("\"('Close', 'A')\",Note,Date", "found no open, high, low, close in \"('Close', 'A'), Note, Date\""),
        ],
        ids=["no pairs", "no times", "other columns"],
    )
    def test_with_names_that_are_no_pairs_alone_are_refused_by_these_names(self, write, messages, header, reason):
        with pytest.raises(RecordingError) as refused:
            messages(write(header, "1,2,3"))

        assert reason in str(refused.value)

    @pytest.mark.parametrize(
        "lines",
        [
            ("Price,Close,High,Low,Open,Volume",),
            ("Price,Close,High,Low,Open,Volume", "Ticker,TCS.NS"),
            ("Price,Close,High,Low,Open,Volume", "2025-01-09,1,1,1,1,1"),
        ],
        ids=["one line", "short", "no tickers"],
    )
    def test_of_yfinance_without_its_tickers_are_refused(self, write, messages, lines):
        with pytest.raises(RecordingError, match="found no time"):
            messages(write(*lines))

    def test_whose_dates_can_be_read_two_ways_are_refused(self, write, messages):
        with pytest.raises(RecordingError, match="dates whose day and month can be told apart are wanted"):
            messages(write("Date,Open,High,Low,Close,Volume", "09/01/2025,1,1,1,1,1", "10/01/2025,1,1,1,1,1"))


class TestTheVolumeOfCandles:
    @pytest.mark.parametrize("name", ["v", "vol", "Volume", "Shares Traded", "Total Traded Quantity"])
    def test_has_many_names(self, write, messages, name):
        assert messages(write(f"time,o,h,l,c,{name}", "2025-01-09,1,1,1,1,7"))[-1].volume == 7

    def test_that_is_not_known_by_its_name_is_told(self, write, recording):
        unknown = recording(write("time,open,high,low,close,wieviel", "2025-01-09,1,1,1,1,7", "2025-01-10,1,1,1,1,7"))

        assert next(iter(unknown.chunks()))[-1].volume == 0
        assert unknown.notes == (
            "no column is known for volume in 'time, open, high, low, close, wieviel': it counts as 0",
        )

    @pytest.mark.parametrize(("columns", "row", "volume"), [("<TICKVOL>,<VOL>", "4,7", 7), ("<TICKVOL>", "4", 4)])
    def test_of_metatrader_is_how_often_the_price_changed_where_there_is_no_other(
        self, write, recording, columns, row, volume
    ):
        lines = [f"2025.01.{day:02},10:00:00,1,1,1,1,{row}" for day in (9, 10)]
        known = recording(write(f"<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,{columns}", *lines))

        assert next(iter(known.chunks()))[-1].volume == volume
        assert any("not shares" in note for note in known.notes) == (volume == 4)

    def test_that_is_known_is_not_told(self, write, recording):
        known = recording(write(*DAYS["yahoo"]))
        list(known.chunks())

        assert known.notes == ()


class TestTicksOfAnyVendor:
    def test_of_kite_have_the_time_of_the_packet(self, write, messages):
        header = "instrument_token,last_price,last_traded_quantity,volume_traded,last_trade_time,exchange_timestamp"
        (tick,) = messages(write(header, "738561,1248,5,100,2025-01-09 09:15:00,2025-01-09 11:00:07"))

        assert tick.exchange_ns == 1_736_400_607_000_000_000

    @pytest.mark.parametrize(
        ("header", "row"),
        [
            ("last_trade_time,timestamp,ltp", "2025-01-09 09:15,2025-01-09 11:00:07,1248"),
            ("timestamp,last_trade_time,ltp", "2025-01-09 11:00:07,2025-01-09 09:15,1248"),
            ("timestamp,exchange_timestamp,ltp", "2025-01-09 11:00:09,2025-01-09 11:00:07,1248"),
            ("exchange_time,date,ltt,ltp", "2025-01-09 11:00:07,2025-01-09,2025-01-09 09:15,1248"),
            ("ltt,ltp", "2025-01-09 11:00:07,1248"),
        ],
    )
    def test_have_the_best_time_there_is(self, write, messages, header, row):
        assert messages(write(header, row))[0].exchange_ns == 1_736_400_607_000_000_000

    @pytest.mark.parametrize(
        "header", ["date,timestamp,ltp", "exchange_time,exchange_timestamp,ltp", "ltt,last_trade_time,ltp"]
    )
    def test_with_two_times_of_one_kind_are_refused(self, write, messages, header):
        with pytest.raises(RecordingError, match="one column for time is wanted"):
            messages(write(header, "2025-01-09,2025-01-09,1"))

    def test_with_prices_of_the_day_are_ticks(self, write, recording):
        told = recording(write("time,ltp,open,high,low,close,ltq", "2025-01-09 09:15:01,1248,1,2,1,2,5"))
        guessed = recording(write("time,ltp,open,high,low,close", "2025-01-09 09:15:01,1248,1,2,1,2", name="g.csv"))

        assert isinstance(next(told.chunks())[0], Tick)
        assert isinstance(next(guessed.chunks())[0], Tick)
        assert told.notes == ()
        assert "taken for ticks" in guessed.notes[0]

    def test_of_several_symbols_share_one_time_however_the_file_is_sorted(self, write, messages):
        rows = [f"{1_766_992_622 + place},{100 + place},{symbol}" for symbol in "BA" for place in range(5)]
        by_symbol = messages(write("time,ltp,symbol", *rows))
        by_time = messages(write("time,ltp,symbol", *sorted(rows, key=lambda row: row.split(",")[0]), name="t.csv"))

        assert [(tick.exchange_ns, tick.symbol, tick.price, tick.sequence) for tick in by_symbol] == [
            (tick.exchange_ns, tick.symbol, tick.price, tick.sequence) for tick in by_time
        ]
        assert len(by_symbol) == 10
        assert by_symbol == messages(write("time,ltp,symbol", *rows), replayed=False)

    def test_that_go_back_are_refused_in_any_order(self, write, messages):
        rows = [f"{1_766_992_622 + place},100,{symbol}" for symbol in "AB" for place in range(5)]

        with pytest.raises(RecordingError, match=r"line 12: a time not before 2025-12-29 12:47:06 IST is wanted"):
            messages(write("time,ltp,symbol", *rows, "1766992625,100,B"))
        with pytest.raises(
            RecordingError, match="the oldest tick first is wanted, found those of B with the newest first"
        ):
            messages(write("time,ltp,symbol", *rows[::-1]))

    def test_that_are_broken_are_counted_where_they_are_sorted(self, write, recording):
        rows = [f"{1_766_992_622 + place},100,{symbol}" for symbol in "AB" for place in range(5)]
        sorted_ = recording(write("time,ltp,symbol", *rows, "x,1,A", "1,2", "1766992629,-5,B"), bad_rows_max=3)

        assert sum(map(len, sorted_.chunks())) == 10
        assert [line for line, _ in sorted_.bad_lines] == [12, 13, 14]

    def test_may_have_blank_lines_between_them_where_they_are_sorted(self, write, recording):
        rows = [f"{1_766_992_622 + place},100,{symbol}" for symbol in "AB" for place in range(5)]
        sorted_ = recording(write("time,ltp,symbol", *rows[:3], "", *rows[3:], "   ", ""), bad_rows_max=9)

        assert sum(map(len, sorted_.chunks())) == 10
        assert sorted_.bad_lines == []

    def test_without_a_symbol_in_early_rows_have_the_one_that_is_given(self, write, messages):
        rows = ["1766992622,100,", "1766992623,100,", "1766992624,100,NIFTY"]

        assert [tick.symbol for tick in messages(write("time,ltp,trading_symbol", *rows), symbol="NIFTY")] == [
            "NIFTY"
        ] * 3


class TestTheColumnsOfTicks:
    @pytest.mark.parametrize(
        ("names", "count"),
        [
            ((), 0),
            (("bid_price_1",), 0),
            (("bid_qty_1",), 0),
            (("bid_price_1", "bid_qty_1"), 1),
            (("bid_price_1", "bid_qty_1", "bid_price_2"), 1),
            (("bid_price_1", "bid_qty_1", "bid_qty_2"), 1),
            (("bid_price_1", "bid_qty_1", "bid_price_3", "bid_qty_3"), 1),
            (("bid_price_1", "bid_qty_1", "bid_price_2", "bid_qty_2"), 2),
        ],
    )
    def test_have_as_many_levels_as_have_price_and_quantity(self, names, count):
        assert recognise(["time", "ltp", *names]).levels("bid") == count

    def test_have_amounts_where_prices_stand(self):
        header = ["time", "ltp", "volume", "bid_price_1", "bid_qty_1", "vwap", "open"]

        assert recognise(header).amounts == (1, 3, 5, 6)

    @pytest.mark.parametrize(
        ("names", "is_noted"), [(("open", "high", "low", "close"), True), (("open", "high", "low"), False)]
    )
    def test_that_could_be_those_of_candles_are_noted(self, names, is_noted):
        found = recognise(["time", "ltp", *names, "volume"])

        assert (found.shape, bool(found.notes)) == ("ticks", is_noted)

"""How a recording is read, as it is shown before anything of it is traded on."""

import pytest

from natya.actors.feed.inspection import SYMBOLS_SHOWN_MAX, TIMES_OF_ENDS, UNNAMED, Inspection, inspect
from natya.actors.feed.recording import Recording

CANDLES = "date,open,high,low,close,volume"


@pytest.fixture
def inspected(write):
    def look(*lines, **options):
        path = write(*lines)
        return inspect(Recording(path, **{"symbol": UNNAMED, "replayed": False, "bad_rows_max": 9} | options))

    return look


def test_all_that_is_understood_of_a_file_is_told(inspected, tmp_path):
    rows = [f"13-04-2026;09:{minute};1;2;1;2;5;x;TCS" for minute in (17, 16, 15)]
    rows.append("13-04-2026;some time;1;2;1;2;5;x;TCS")
    found = inspected("Date;Time;Open;High;Low;Close;Volume;Note;Symbol", *rows, "13-04-2026;09:20;1;2;1;2;5;x;INFY")

    ((line, reason),) = found.bad_lines
    assert (line, reason.endswith("found 'some time'")) == (5, True)
    assert found == Inspection(
        file=str(tmp_path / "recording.csv"),
        kind="CSV",
        packing="",
        encoding="utf-8",
        divider=";",
        layout="",
        shape="candles",
        columns={
            "time": "Date and Time",
            "open": "Open",
            "high": "High",
            "low": "Low",
            "close": "Close",
            "volume": "Volume",
            "symbol": "Symbol",
        },
        unread=("Note",),
        dates="day-first",
        zone="IST",
        decimal="",
        order="newest first",
        intervals=("1m",),
        rows=4,
        outside=0,
        symbols=2,
        some_symbols=("TCS", "INFY"),
        first="2026-04-13 09:15:00 IST  TCS  open 1.0, high 2.0, low 1.0, close 2.0, volume 5",
        last="2026-04-13 09:20:00 IST  INFY  open 1.0, high 2.0, low 1.0, close 2.0, volume 5",
        bad_rows=1,
        bad_lines=((5, reason),),
        notes=("newest first: sorted by time", "one candle of INFY does not tell its length: 1m is taken"),
    )


def test_ticks_have_no_length_and_name_their_zones_where_they_do(inspected):
    found = inspected("time,ltp,symbol", "2026-04-13T09:15:00+05:30,1,A", "2026-04-13T15:29:59+05:30,1,B")

    assert (found.shape, found.intervals, found.zone, found.dates, found.order) == ("ticks", (), "", "", "of time")
    assert (found.symbols, found.outside, found.bad_rows, found.notes) == (2, 0, 0, ())
    assert (found.first, found.last) == ("2026-04-13 09:15:00 IST  A  1.0", "2026-04-13 15:29:59 IST  B  1.0")


def test_rows_of_one_symbol_after_another_are_in_order_for_each_alone(inspected):
    rows = [f"2026-04-13 09:{minute},1,1,1,1,1,{symbol}" for symbol in "BA" for minute in (15, 16)]

    assert inspected(f"{CANDLES},symbol", *rows).order == "of time for each symbol alone"


def test_a_file_that_names_no_symbol_says_so_and_has_none(inspected):
    rows = [f"2026-04-13 09:{minute},1,1,1,1,1" for minute in (15, 16)]
    found = inspected(CANDLES, *rows)
    assert (found.symbols, found.some_symbols, found.notes) == (0, (), ("no row names a symbol: --symbol says it",))
    named = inspected(CANDLES, *rows, symbol="TCS")

    assert (named.symbols, named.some_symbols, named.notes) == (1, ("TCS",), ())


def test_of_many_symbols_some_are_shown(inspected):
    rows = [f"2026-04-13,1,1,1,1,1,S{number:02}" for number in range(SYMBOLS_SHOWN_MAX + 3)]
    found = inspected(f"{CANDLES},symbol", *rows)

    assert (found.symbols, found.some_symbols) == (23, tuple(f"S{number:02}" for number in range(20)))
    assert (found.intervals, found.outside) == (("1d",), 0)


@pytest.mark.parametrize(
    ("clocks", "outside", "ends"),
    [
        (("09:15", "15:29"), 0, 0),
        (("09:14", "15:30"), 2, 1),
        (("09:16", "15:30"), 1, 1),
        (("09:15", "15:30"), 1, 0),  # one begins with the opening: they are no ends
        (("09:15:59", "09:16:59"), 0, 2),
        (("09:16:58", "09:17:58"), 0, 0),
    ],
)
def test_candles_outside_of_the_hours_and_times_that_may_be_those_of_their_ends_are_counted(
    inspected, clocks, outside, ends
):
    found = inspected(CANDLES, *(f"2026-04-13 {clock},1,1,1,1,1" for clock in clocks), symbol="TCS", interval_ns=10**9)

    assert found.outside == outside
    assert [note for note in found.notes if "ends" in note] == ([TIMES_OF_ENDS.format(count=ends)] if ends else [])


@pytest.mark.parametrize(
    ("exchange", "symbol", "times", "outside"),
    [
        ("NSE", "TCS", ("2026-11-26 09:00", "2026-11-26 09:15"), 1),
        ("MCX", "GOLD", ("2026-11-26 08:59", "2026-11-26 09:00", "2026-11-26 23:54", "2026-11-26 23:55"), 2),
        (None, "TCS", ("2026-11-26 09:00", "2026-11-26 15:34"), 1),  # as that of NSE
        ("NSE", "TCS", ("2026-11-26 15:14", "2026-11-26 15:15", "2026-11-26 15:34", "2026-11-26 15:35"), 1),
        ("NSE", "NIFTY", ("2026-11-26 15:14", "2026-11-26 15:34"), 1),  # no auction closes it
        ("NSE", "TCS", ("2026-11-27 10:00", "2026-11-29 10:00"), 1),  # a Sunday
    ],
)
def test_candles_outside_of_the_hours_are_those_of_the_market_of_their_symbol(
    inspected, exchange, symbol, times, outside
):
    found = inspected(
        CANDLES, *(f"{time},1,1,1,1,1" for time in times), symbol=symbol, interval_ns=10**9, exchange=exchange
    )

    assert found.outside == outside


def test_columns_that_are_not_read_are_told_by_their_own_names_also_where_another_one_is_made_of_them(inspected):
    found = inspected(
        "TradDt,Sgmt,Src,FinInstrmTp,TckrSymb,SctySrs,OpnPric,HghPric,LwPric,ClsPric,TtlTradgVol",
        "2025-01-09,CM,NSE,STK,TCS,EQ,1,2,1,2,7",
    )

    assert found.unread == ("Sgmt", "Src", "FinInstrmTp", "SctySrs")
    assert (found.some_symbols, found.columns["time"], found.decimal) == (("TCS",), "TradDt", "point")


@pytest.mark.parametrize(
    ("lines", "layout"),
    [
        ((CANDLES, "2026-04-13,1,1,1,1,1"), ""),
        (("Date,Time,Open,High,Low,Close", "2026-04-13,09:15,1,1,1,1"), ""),
        (("Date,Open,High,Low,Close,Adj Close,Volume", "2026-04-13,1,1,1,1,1,1"), "Yahoo"),
        (("Date,Price,Open,High,Low,Vol.,Change %", "2026-04-13,1,1,1,1,1K,0"), "Investing.com"),
        (
            (
                "Price,Close,High,Low,Open,Volume",
                "Ticker,A.NS,A.NS,A.NS,A.NS,A.NS",
                "Date,,,,,",
                "2026-04-13,1,1,1,1,1",
            ),
            "yfinance",
        ),
    ],
    ids=["none", "a clock beside its day", "Yahoo", "Investing.com", "yfinance"],
)
def test_whose_file_it_is_is_told_where_that_is_known(inspected, lines, layout):
    assert inspected(*lines, symbol="TCS").layout == layout

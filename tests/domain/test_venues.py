"""Whose sessions a symbol has."""

from datetime import datetime

import pytest

from natya.domain.time import IST, SECOND_NS
from natya.domain.venues import aged_at_ns, session_of_symbol, traded_between, venue_of, venue_of_symbol


@pytest.mark.parametrize(
    ("symbol", "venue"),
    [
        ("INFY", ("NSE", "UNDERLYING")),
        ("IDBI", ("NSE", "CASH")),
        ("NIFTY", ("NSE", "CASH")),
        ("BSE:INFY", ("BSE", "UNDERLYING")),
        ("M&M", ("NSE", "UNDERLYING")),
        ("XYZ:IDBI", ("NSE", "CASH")),
        ("BSE", ("NSE", "UNDERLYING")),
        ("MCX", ("NSE", "UNDERLYING")),
        ("NIFTY-29Sep2026-29150-CE", ("NSE", "DERIVATIVES")),
        ("BSE:SENSEX-24Sep2026-FUT", ("BSE", "DERIVATIVES")),
        ("USDINR-28Oct2026-FUT", ("NSE", "CURRENCY")),
        ("MCX:CRUDEOIL-19Oct2026-FUT", ("MCX", "COMMODITY")),
        ("MCX:GOLDM-05Oct2026-95000-CE", ("MCX", "COMMODITY")),
        ("MCX:MENTHAOIL-30Oct2026-FUT", ("MCX", "AGRI")),
        ("MCX:COTTONCNDY-30Oct2026-FUT", ("MCX", "WORLD_AGRI")),
        ("NSE_COMM:SILVER-05Dec2026-FUT", ("NSE", "COMMODITY")),
    ],
)
def test_is_told_by_its_exchange_and_what_it_is(symbol, venue):
    assert venue_of_symbol(symbol) == venue


@pytest.mark.parametrize(
    ("segment", "symbol", "venue"),
    [
        ("NSE_EQ", "INFY", ("NSE", "UNDERLYING")),
        ("NSE_EQ", "IDBI", ("NSE", "CASH")),
        ("BSE_EQ", "BSE:INFY", ("BSE", "UNDERLYING")),
        ("IDX_I", "NIFTY", ("NSE", "CASH")),
        ("NSE_FNO", "NIFTY-29Sep2026-29150-CE", ("NSE", "DERIVATIVES")),
        ("BSE_FNO", "BSE:SENSEX-24Sep2026-FUT", ("BSE", "DERIVATIVES")),
        ("NSE_CURRENCY", "USDINR-28Oct2026-FUT", ("NSE", "CURRENCY")),
        ("BSE_CURRENCY", "BSE:USDINR-28Oct2026-FUT", ("BSE", "CURRENCY")),
        ("MCX_COMM", "MCX:CRUDEOIL-19Oct2026-FUT", ("MCX", "COMMODITY")),
        ("MCX_COMM", "MCX:MENTHAOIL-30Oct2026-FUT", ("MCX", "AGRI")),
        ("MCX_COMM", "MCX:COTTONCNDY-30Oct2026-FUT", ("MCX", "WORLD_AGRI")),
        ("NSE_COMM", "NSE_COMM:SILVER-05Dec2026-FUT", ("NSE", "COMMODITY")),
    ],
)
def test_is_the_same_by_its_segment_and_by_its_symbol_alone(segment, symbol, venue):
    assert venue_of(segment, symbol) == venue_of_symbol(symbol) == venue


def test_is_that_of_the_exchange_that_is_named_else():
    assert venue_of_symbol("INFY", "BSE") == ("BSE", "UNDERLYING")
    assert venue_of_symbol("NSE:INFY", "BSE") == ("NSE", "UNDERLYING")
    assert venue_of_symbol("MCX:GOLD-05Oct2026-FUT", "BSE") == ("MCX", "COMMODITY")


@pytest.mark.parametrize(
    ("since", "until", "traded"),
    [
        ("15:14", "15:31", ["INFY", "IDBI", "NIFTY-29Dec2026-FUT", "MCX:GOLD-05Feb2027-FUT"]),
        ("15:15", "15:31", ["IDBI", "NIFTY-29Dec2026-FUT", "MCX:GOLD-05Feb2027-FUT"]),
        ("15:31", "15:41", ["NIFTY-29Dec2026-FUT", "MCX:GOLD-05Feb2027-FUT"]),
        ("20:00", "20:01", ["MCX:GOLD-05Feb2027-FUT"]),
        ("23:56", "23:57", []),
    ],
)
def test_what_traded_in_a_time_is_told_by_the_hours_of_each(since, until, traded):
    symbols = ("INFY", "IDBI", "NIFTY-29Dec2026-FUT", "MCX:GOLD-05Feb2027-FUT")
    times = [
        int(datetime.fromisoformat(f"2026-12-04T{clock}").replace(tzinfo=IST).timestamp()) * SECOND_NS
        for clock in (since, until)
    ]

    assert list(traded_between(symbols, *times)) == traded


@pytest.mark.parametrize(
    ("symbol", "says", "market"),
    [
        ("INFY", None, "UNDERLYING"),
        ("INFY", False, "CASH"),
        ("IDBI", None, "CASH"),
        ("IDBI", True, "UNDERLYING"),
        ("BSE:IDBI", True, "UNDERLYING"),
    ],
)
def test_a_list_of_instruments_knows_better_than_the_symbol_of_what_derivatives_are(symbol, says, market):
    assert venue_of("NSE_EQ", symbol, is_underlying=says).market == market


def test_indices_have_the_hours_of_shares():
    assert venue_of("IDX_I", "NIFTY") == ("NSE", "CASH")


def at(clock, day=4):
    return int(datetime.fromisoformat(f"2026-12-0{day}T{clock}").replace(tzinfo=IST).timestamp()) * SECOND_NS


@pytest.mark.parametrize(
    ("symbol", "priced", "now", "counts"),
    [
        ("INFY", "15:10", "15:14", "15:14"),
        ("INFY", "15:14", "15:21", "15:15"),
        ("INFY", "15:17", "15:21", "15:17"),
        ("INFY", "15:22", "15:21", "15:21"),
        ("INFY", "15:14", "15:50", "15:50"),
        ("IDBI", "15:14", "15:21", "15:21"),
    ],
    ids=[
        "before the auction",
        "in the auction",
        "priced in the auction",
        "priced after now",
        "after the auction",
        "without an auction",
    ],
)
def test_a_price_does_not_age_while_a_closing_auction_lets_none_come(symbol, priced, now, counts):
    assert aged_at_ns(symbol, at(priced), at(now)) == at(counts)


def test_a_price_ages_on_a_day_without_a_session():
    assert aged_at_ns("INFY", at("15:14"), at("15:21", day=6)) == at("15:21", day=6)


@pytest.mark.parametrize(
    ("clock", "day", "opens"),
    [("00:00", 4, 4), ("10:00", 4, 4), ("23:59", 4, 4), ("00:00", 5, None), ("23:59", 6, None), ("00:00", 7, 7)],
)
def test_a_session_is_that_of_the_day_in_india(clock, day, opens):
    found = session_of_symbol("INFY", at(clock, day))

    assert (found and found.open_ns) == (at("09:15", opens) if opens else None)

"""A contract ends with its last session, and is worth then what the exchange's rule makes of the underlying's price."""

from datetime import datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.expiries import SETTLES_NS, expired_ns, has_expired, is_settling, last_day, settled_at
from natya.domain.instruments import underlying_symbol
from natya.domain.time import DAY_NS, IST, day_of

CALL, PUT, FUTURE = "NIFTY-01Dec2026-26000-CE", "NIFTY-01Dec2026-26000-PE", "NIFTY-01Dec2026-FUT"
PRICES = st.integers(1, 10_000_000).map(lambda paise: paise / 100)


def at(text):
    return round(datetime.fromisoformat(f"{text}+05:30").astimezone(IST).timestamp()) * 10**9


CLOSE_NS = at("2026-12-01T15:40")
DAY = day_of(CLOSE_NS)


def settled(symbol, **prices):
    known = {name.replace("_", ":"): (price, CLOSE_NS) for name, price in prices.items()}
    return settled_at(symbol, DAY, known.get)


@pytest.mark.parametrize(
    ("symbol", "end"),
    [
        (CALL, "2026-12-01T15:40"),
        ("NIFTY-24Feb2026-FUT", "2026-02-24T15:30"),  # before derivatives traded on behind shares
        ("USDINR-26Nov2026-FUT", "2026-11-26T17:00"),
        ("MCX:CRUDEOIL-19Nov2026-FUT", "2026-11-19T23:55"),
        ("NIFTY-24Nov2026-FUT", "2026-11-25T00:00"),  # a holiday
        ("NIFTY-29Nov2026-FUT", "2026-11-30T00:00"),  # a Sunday
        ("INFY", None),
        ("NIFTY 26000 CE", None),
    ],
)
def test_a_contract_has_expired_when_its_last_session_is_over(symbol, end):
    end_ns = at(end) if end else None

    assert expired_ns(symbol) == end_ns
    assert [has_expired(symbol, (end_ns or CLOSE_NS) + by_ns) for by_ns in (-1, 0)] == [False, end_ns is not None]
    assert last_day(symbol) == (None if end_ns is None else day_of(end_ns - 1))


@pytest.mark.parametrize(
    ("symbol", "underlying"),
    [
        (CALL, "NIFTY"),
        ("BSE:SENSEX-24Sep2026-80000-CE", "BSE:SENSEX"),
        ("M&M-29Sep2026-FUT", "M&M"),
        ("BAJAJ-AUTO-29Sep2026-9000-PE", "BAJAJ-AUTO"),
        ("BAJAJ-AUTO", ""),
        ("NIFTY 26000 CE", ""),
    ],
)
def test_what_a_contract_is_of_stands_before_its_expiry(symbol, underlying):
    assert underlying_symbol(symbol) == underlying


@given(underlying=PRICES, strike=PRICES, own=PRICES)
def test_an_option_is_worth_what_its_strike_is_better_than_the_underlying_or_nothing(underlying, strike, own):
    gain = Fraction(round(underlying * 100) - round(strike * 100), 100)
    worth = {kind: settled(f"X-01Dec2026-{strike:.2f}-{kind}", X=underlying) for kind in ("CE", "PE")}

    assert worth == {"CE": float(max(gain, 0)), "PE": float(max(-gain, 0))}
    assert settled("X-01Dec2026-FUT", X=underlying) == underlying
    for symbol in ("X-01Dec2026-FUT", f"X-01Dec2026-{strike:.2f}-PE"):
        assert settled_at(symbol, DAY, {symbol: (own, CLOSE_NS)}.get) == own, "the underlying's price is not known"


def test_one_of_another_exchange_goes_by_its_own_index():
    assert settled("BSE:SENSEX-01Dec2026-80000-CE", BSE_SENSEX=80_010.5, SENSEX=90_000.0) == 10.5


@pytest.mark.parametrize("symbol", ["NIFTY 26000 CE", "NIFTY-Nov2026-26000-CE", "NIFTY-01Dec2026-CE"])
def test_one_whose_symbol_tells_no_underlying_or_strike_goes_by_its_own_price(symbol):
    assert settled_at(symbol, DAY, {symbol: (7.5, CLOSE_NS), "NIFTY": (27_000.0, CLOSE_NS)}.get) == 7.5


def test_prices_of_other_days_tell_nothing():
    for of_another_day in (CLOSE_NS - DAY_NS, CLOSE_NS + DAY_NS):
        old = {"NIFTY": (27_000.0, of_another_day), CALL: (990.0, of_another_day)}
        assert settled_at(CALL, DAY, old.get) is None
        assert settled_at(CALL, DAY, (old | {CALL: (991.0, CLOSE_NS)}).get) == 991.0
        assert settled_at(CALL, DAY, (old | {"NIFTY": (27_001.0, CLOSE_NS)}).get) == 1_001.0
    assert settled_at(CALL, None, {"NIFTY": (27_000.0, CLOSE_NS)}.get) is None


@pytest.mark.parametrize(
    ("index_at", "own_at", "worth"),
    [
        ("15:30", "15:40", 1_000.0),
        ("15:00", "15:10", 1_000.0),
        ("14:59", "15:10", 990.0),
        ("14:59", "15:09", None),
        ("11:00", "11:00", None),
    ],
)
def test_prices_count_of_the_last_half_hour_of_their_own_session(index_at, own_at, worth):
    times = {"NIFTY": at(f"2026-12-01T{index_at}"), CALL: at(f"2026-12-01T{own_at}")}
    known = {"NIFTY": (27_000.0, times["NIFTY"]), CALL: (990.0, times[CALL])}

    assert settled_at(CALL, DAY, known.get) == worth


@pytest.mark.parametrize(
    ("symbol", "ours", "behind_ns", "is_none"),
    [
        (CALL, 75, -1, False),
        (CALL, 75, 0, True),
        (CALL, 75, SETTLES_NS - 1, True),
        (CALL, -75, SETTLES_NS, False),
        (CALL, 0, -1, False),
        (CALL, 0, 100 * DAY_NS, True),
        ("INFY", 0, 100 * DAY_NS, False),
    ],
)
def test_books_need_not_agree_on_what_is_being_settled_or_is_closed_in_ours(symbol, ours, behind_ns, is_none):
    assert is_settling(symbol, ours, CLOSE_NS + behind_ns) is is_none

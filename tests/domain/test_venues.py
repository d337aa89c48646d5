"""Whose sessions a symbol has."""

import pytest

from natya.domain.venues import venue_of_symbol


@pytest.mark.parametrize(
    ("symbol", "venue"),
    [
        ("INFY", ("NSE", "CASH")),
        ("BSE:INFY", ("BSE", "CASH")),
        ("M&M", ("NSE", "CASH")),
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


def test_is_that_of_the_exchange_that_is_named_else():
    assert venue_of_symbol("INFY", "BSE") == ("BSE", "CASH")
    assert venue_of_symbol("NSE:INFY", "BSE") == ("NSE", "CASH")
    assert venue_of_symbol("MCX:GOLD-05Oct2026-FUT", "BSE") == ("MCX", "COMMODITY")

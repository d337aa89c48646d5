"""Whose sessions an instrument has."""

import pytest

from natya.actors.exchange.account import Listing
from natya.domain.instruments import Instrument


@pytest.mark.parametrize(
    ("symbol", "segment", "venue"),
    [
        ("IDBI", "NSE_EQ", ("NSE", "CASH")),
        ("IDBI", "BSE_EQ", ("BSE", "CASH")),
        ("INFY", "NSE_EQ", ("NSE", "UNDERLYING")),
        ("BSE:INFY", "BSE_EQ", ("BSE", "UNDERLYING")),
        ("NIFTY OCT", "NSE_FNO", ("NSE", "DERIVATIVES")),
        ("SENSEX OCT", "BSE_FNO", ("BSE", "DERIVATIVES")),
        ("USDINR OCT", "NSE_CURRENCY", ("NSE", "CURRENCY")),
        ("CRUDE", "MCX_COMM", ("MCX", "COMMODITY")),
        ("MCX:COTTON-30Oct2026-FUT", "MCX_COMM", ("MCX", "WORLD_AGRI")),
        ("CARDAMOM OCT", "MCX_COMM", ("MCX", "AGRI")),
        ("NSE_COMM:GOLD-05Oct2026-FUT", "NSE_COMM", ("NSE", "COMMODITY")),
    ],
)
def test_is_told_by_its_segment_and_of_commodities_by_what_they_are(symbol, segment, venue):
    listing = Listing(reference=Instrument(symbol=symbol, segment=segment, tick_size_rupees=0.05), security_id="1")

    assert listing.venue == venue


@pytest.mark.parametrize(("says", "market"), [(None, "UNDERLYING"), (False, "CASH"), (True, "UNDERLYING")])
def test_the_list_goes_before_what_is_known_of_a_symbol(says, market):
    share = Instrument(symbol="INFY", segment="NSE_EQ", tick_size_rupees=0.05, is_underlying=says)

    assert Listing(reference=share, security_id="1").venue == ("NSE", market)

"""Whose sessions an instrument has."""

import pytest

from natya.actors.exchange.account import Listing, Listings
from natya.domain.instruments import Instrument
from natya.messages.instruments import InstrumentDefinition


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


def test_of_no_option_has_no_strike():
    definition = InstrumentDefinition(symbol="INFY", segment="NSE_EQ", tick_size_rupees=0.05, security_id="1594")

    assert Listing.of(definition).strike_rupees == 0.0


def test_are_each_of_an_own_symbol_and_id_and_may_be_added_again():
    first, of_its_id, of_its_symbol = (
        Listing(reference=Instrument(symbol=symbol, segment="NSE_EQ", tick_size_rupees=0.05), security_id=number)
        for symbol, number in (("INFY", "1594"), ("TCS", "1594"), ("INFY", "7"))
    )
    listings = Listings([first, first])

    for other in (of_its_id, of_its_symbol):
        with pytest.raises(ValueError, match="an own symbol and id wanted"):
            listings.add(other)
    assert listings.find(("NSE_EQ", "1594")) == listings.of_symbol("INFY") == first


def test_of_an_earlier_run_leave_their_symbol_and_id_to_those_that_have_them_now():
    now, of_its_id, of_its_symbol = (
        Listing(reference=Instrument(symbol=symbol, segment="NSE_EQ", tick_size_rupees=0.05), security_id=number)
        for symbol, number in (("INFY", "1594"), ("TCS", "1594"), ("INFY", "7"))
    )
    listings = Listings([now])
    for other in (of_its_id, of_its_symbol):
        listings.remember(other)

    assert listings.find(("NSE_EQ", "1594")) == listings.of_symbol("INFY") == now
    assert (listings.find(("NSE_EQ", "7")), listings.of_symbol("TCS")) == (of_its_symbol, of_its_id)

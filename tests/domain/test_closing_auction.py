"""What is taken in the closing auction, and when."""

import pytest
from natya_auctions import at

from natya.domain.calendar import session_at

DAY = "2026-10-07"
AUCTION = session_at(at("10:00", DAY), "NSE", "UNDERLYING").closing
CLOSED, LIMIT, FOUND = "found it closed", "found MARKET", "for the day is wanted in the closing auction, found {}"


@pytest.mark.parametrize(
    ("clock", "market", "limit", "stop"),
    [
        ("15:14:59", CLOSED, CLOSED, CLOSED),
        ("15:19:59", CLOSED, CLOSED, CLOSED),
        ("15:20:00", "", "", FOUND),
        ("15:24:59", "", "", FOUND),
        ("15:25:00", LIMIT, "", FOUND),
        ("15:27:59", LIMIT, "", FOUND),
        ("15:28:00", CLOSED, CLOSED, CLOSED),
    ],
)
def test_an_order_is_taken_at_its_time_alone(clock, market, limit, stop):
    for kind, fault in {"MARKET": market, "LIMIT": limit, "STOP_LOSS": stop, "STOP_LOSS_MARKET": stop}.items():
        found = AUCTION.fault(kind, time_ns=at(clock, DAY))

        assert found.endswith(fault.format(kind))
        assert bool(found) == bool(fault)


@pytest.mark.parametrize(("how", "found"), [({"validity": "IOC"}, "IOC"), ({"is_iceberg": True}, "quantity")])
def test_an_order_is_of_the_day_and_shows_all_of_itself(how, found):
    assert AUCTION.fault("LIMIT", time_ns=at("15:21", DAY), **how).endswith(found)


@pytest.mark.parametrize(
    ("clock", "is_on", "priced"),
    [
        ("15:14:59", False, "15:14:59"),
        ("15:15:00", True, "15:15:00"),
        ("15:34:59", True, "15:15:00"),
        ("15:35:00", False, "15:35:00"),
    ],
)
def test_it_goes_on_from_the_end_of_trading_until_all_has_traded(clock, is_on, priced):
    assert AUCTION.is_on(at(clock, DAY)) is is_on
    assert AUCTION.priced_ns(at(clock, DAY)) == at(priced, DAY)

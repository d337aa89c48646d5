"""What is taken in the closing auction, and when."""

from types import SimpleNamespace

import pytest
from natya_auctions import at

from natya.domain.calendar import session_at
from natya.domain.closing_auction import ReferencePrice

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


class TestTheReferencePrice:
    @pytest.mark.parametrize(
        ("ticks", "price"),
        [
            ([], 50.0),
            ([(100.0, 3, 0)], 100.0),
            ([(100.0, 3, 0), (104.0, 1, 0)], 101.0),
            ([(100.0, 1, 1_000), (110.0, 1, 1_001)], 105.0),
            ([(100.0, 1, 1_000), (110.0, 1, 1_003)], 107.5),
            ([(100.0, 1, 1_000), (110.0, 1, 1_003), (90.0, 5, 1_002), (100.0, 9, 1_003)], 107.5),
            ([(100.0, 1, 1_000), (90.0, 5, 990), (110.0, 1, 1_001)], 105.0),
            ([(100.0, 0, 0)], 50.0),
        ],
        ids=[
            *("none", "one", "by quantity", "by volume", "more by volume"),
            *("a late one tells less", "which does not set back", "of no share"),
        ],
    )
    def test_is_the_average_by_what_was_traded_or_the_last_price(self, ticks, price):
        found = ReferencePrice()
        for paid, quantity, volume in ticks:
            found.add(SimpleNamespace(price=paid, quantity=quantity, volume=volume, exchange_ns=at("15:05", DAY)))

        assert found.price(50.0) == price

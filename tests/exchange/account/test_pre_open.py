"""Orders of an account before the opening: taken from 09:00 to 09:08, and traded when the session opens."""

from datetime import datetime

import pytest

from natya.actors.exchange.account import Refused
from natya.actors.exchange.account.refusals import MARKET_CLOSED
from natya.domain.time import IST, SECOND_NS

INFY, OPTION, FUTURE = ("NSE_EQ", "1594"), ("NSE_FNO", "51234"), ("NSE_FNO", "51235")


def at(clock):
    return int(datetime.fromisoformat(f"2026-10-08T{clock}").replace(tzinfo=IST).timestamp()) * SECOND_NS


@pytest.fixture
def morning(client):
    """The day after one that closed at 1500, 24,000 and 100."""
    for price, instrument in ((1500.0, INFY), (24_000.0, FUTURE), (100.0, OPTION)):
        client.tick(price, instrument)

    def go_to(clock):
        while client.account.next_ns <= at(clock):
            client.wait_until(client.account.next_ns)
        client.wait_until(at(clock))
        return client

    return go_to


class TestAnOrder:
    @pytest.mark.parametrize("clock", ["09:00", "09:07:58"])
    @pytest.mark.parametrize(("instrument", "quantity", "product"), [(INFY, 10, "CNC"), (FUTURE, 65, "MARGIN")])
    def test_is_taken_before_the_opening_and_trades_at_its_first_price(
        self, morning, clock, instrument, quantity, product
    ):
        client = morning(clock)
        order_id = client.place(quantity=quantity, product=product, instrument=instrument)
        client.tick(1400.0, instrument)
        assert client.status(order_id) == "PENDING"

        morning("09:15")
        client.tick(1510.0, instrument)

        assert client.status(order_id) == "TRADED"
        assert [trade.price for trade in client.account.trades(order_id)] == [1510.0]

    @pytest.mark.parametrize("clock", ["08:59", "09:08", "09:14"])
    def test_is_refused_while_none_is_taken(self, morning, clock):
        with pytest.raises(Refused, match=MARKET_CLOSED):
            morning(clock).place(quantity=10)

    def test_of_an_option_has_no_auction(self, morning):
        client = morning("09:01")
        with pytest.raises(Refused, match=MARKET_CLOSED):
            client.place(quantity=65, product="MARGIN", instrument=OPTION)

    @pytest.mark.parametrize(
        "fields", [{"validity": "IOC"}, {"order_type": "STOP_LOSS_MARKET", "trigger_price": 1510.0}], ids=str
    )
    def test_is_rejected_where_an_auction_has_no_place_for_it(self, morning, fields):
        client = morning("09:01")
        order = client.order(client.place(quantity=10, **fields))

        assert (order.status, "in the pre-open session" in order.reason) == ("REJECTED", True)


class TestAnAfterMarketOrderForThePreOpen:
    @pytest.mark.parametrize(("instrument", "clock"), [(INFY, "09:00"), (FUTURE, "09:00"), (OPTION, "09:15")])
    def test_is_released_when_its_auction_begins_and_pays_no_price_of_the_day_before(self, morning, instrument, clock):
        client = morning("08:00")
        quantity, product = (10, "CNC") if instrument == INFY else (65, "MARGIN")
        fields = {"quantity": quantity, "product": product, "instrument": instrument, "amo_time": "PRE_OPEN"}
        order_id = client.place(**fields)
        morning(clock)
        assert client.order(order_id).exchange_ns == at(clock)

        morning("09:15")
        client.tick(1490.0, instrument)

        traded = [trade.price for trade in client.account.trades(order_id)]
        assert traded == [1490.0]

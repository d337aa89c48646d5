"""An account that trades commodities and currencies beside shares: each by its own clock."""

from datetime import date, datetime

import pytest

from natya.actors.exchange.account import Refused
from natya.actors.exchange.account.refusals import MARKET_CLOSED
from natya.domain.time import IST, SECOND_NS
from natya.messages.exchange import DayBegan
from natya.messages.instruments import InstrumentDefinition
from natya.messages.market import Tick

CRUDE = InstrumentDefinition(
    symbol="MCX:CRUDEOIL-18Dec2026-FUT",
    segment="MCX_COMM",
    tick_size_rupees=1.0,
    lot_size=100,
    security_id="440000",
    instrument_type="FUTCOM",
    expiry=date(2026, 12, 18),
)
DOLLAR = InstrumentDefinition(
    symbol="USDINR-29Dec2026-FUT",
    segment="NSE_CURRENCY",
    tick_size_rupees=0.0025,
    security_id="1234",
    instrument_type="FUTCUR",
    expiry=date(2026, 12, 29),
)


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp()) * SECOND_NS


def of(definition):
    return definition.segment, definition.security_id


@pytest.fixture
def client(open_account):
    client = open_account((2026, 12, 4))  # Friday
    client.ask("list_instruments", CRUDE, DOLLAR)
    return client


def test_a_market_that_is_listed_after_the_close_of_the_others_has_its_own_close_today(open_account):
    client = open_account((2026, 12, 4))
    client.wait_until(at("2026-12-04T18:00"))
    assert client.account.next_ns > at("2026-12-04T23:59")
    client.ask("list_instruments", CRUDE)
    assert client.account.next_ns <= client.account.now_ns
    client.wait(0)

    assert at("2026-12-04T23:00") < client.account.next_ns < at("2026-12-04T23:59")


def show(client, definition, price):
    tick = Tick(
        symbol=definition.symbol, price=price, quantity=1, exchange_ns=client.account.now_ns, source="test", sequence=1
    )
    client.changes += client.account.move(tick)


def played_to(client, text):
    """Let time pass, a look at each moment at which something is due."""
    until_ns = at(text)
    while client.account.next_ns <= until_ns:
        client.wait_until(client.account.next_ns)
    client.wait_until(until_ns)


def net(client):
    return {position.symbol: position.net_quantity for position in client.account.positions() if position.net_quantity}


@pytest.mark.parametrize(
    ("definition", "squared", "closed"),
    [(CRUDE, "23:45", "23:55"), (DOLLAR, "16:45", "17:00")],
    ids=["crude oil", "dollar"],
)
def test_positions_are_squared_off_and_orders_end_at_the_times_of_their_market(client, definition, squared, closed):
    show(client, definition, 90.0)
    client.place(quantity=100, product="INTRADAY", instrument=of(definition))
    resting = client.place(quantity=100, product="MARGIN", price=89.0, instrument=of(definition))
    intraday = client.place(quantity=100, product="INTRADAY", price=89.0, instrument=of(definition))
    client.tick(1500.0)
    client.place(quantity=3)
    played_to(client, "2026-12-04T15:30")
    assert (net(client), client.status(intraday)) == ({definition.symbol: 100}, "PENDING")

    played_to(client, f"2026-12-04T{squared}")
    client.wait()

    (order,) = [each for each in client.account.orders() if each.source == "SQUARE_OFF" and each.symbol != "INFY"]
    assert (order.status, order.created_ns) == ("TRADED", at(f"2026-12-04T{squared}"))
    assert (net(client), client.status(resting), client.status(intraday)) == ({}, "PENDING", "CANCELLED")
    played_to(client, f"2026-12-04T{closed}")
    assert client.status(resting) == "EXPIRED"
    assert client.order(resting).updated_ns == at(f"2026-12-04T{closed}")


def test_are_charged_as_commodities(client):
    show(client, CRUDE, 6_000.0)
    client.place(quantity=100, product="MARGIN", instrument=of(CRUDE))
    order_id = client.place("SELL", quantity=100, product="MARGIN", instrument=of(CRUDE))

    (trade,) = client.account.trades(order_id)
    assert (f"{trade.transaction_tax_rupees:.2f}", f"{trade.exchange_rupees:.2f}") == ("60.00", "12.60")


def test_are_traded_when_shares_are_not_and_the_other_way_round(client):
    show(client, CRUDE, 6000.0)
    client.tick(1500.0)
    played_to(client, "2026-12-04T18:00")

    assert client.status(client.place(quantity=100, product="MARGIN", instrument=of(CRUDE))) == "TRADED"
    with pytest.raises(Refused, match=MARKET_CLOSED):
        client.place(quantity=3)
    played_to(client, "2026-12-04T23:55")
    with pytest.raises(Refused, match=MARKET_CLOSED):
        client.place(quantity=100, product="MARGIN", instrument=of(CRUDE))


def test_on_a_holiday_of_shares_trade_in_the_evening_of_a_day_of_its_own(open_account):
    client = open_account((2026, 11, 23))
    client.ask("list_instruments", CRUDE)
    show(client, CRUDE, 6000.0)
    client.place(quantity=100, product="MARGIN", instrument=of(CRUDE))
    played_to(client, "2026-11-24T16:59")
    with pytest.raises(Refused, match=MARKET_CLOSED):
        client.place("SELL", quantity=100, product="MARGIN", instrument=of(CRUDE))

    played_to(client, "2026-11-24T17:00")
    client.place("SELL", quantity=100, product="MARGIN", instrument=of(CRUDE))
    show(client, CRUDE, 6010.0)

    assert net(client) == {}
    assert sum(isinstance(each, DayBegan) for each in client.changes) == 2


def test_a_holiday_is_no_day_of_an_account_of_shares(open_account):
    client = open_account((2026, 11, 23))
    client.tick(1500.0)
    played_to(client, "2026-11-24T20:00")

    assert sum(isinstance(each, DayBegan) for each in client.changes) == 1

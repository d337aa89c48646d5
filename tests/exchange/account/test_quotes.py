"""The price of reference of a symbol: the previous close where the market tells it, else the first that was seen."""

from natya_builders import a_tick
from natya_messages import distinct

from natya.actors.exchange.account.core import Quote
from natya.messages.market import DaySummary


def test_is_the_first_price_until_the_market_tells_the_close_before_which_then_stays():
    quote = Quote(a_tick(price=100.0))
    found = [quote.reference_price]
    for close in (None, 98.0, None, 97.0):
        day = None if close is None else distinct(DaySummary, close_price=close)
        quote.move(a_tick(price=105.0, day=day))
        found.append(quote.reference_price)

    assert found == [100.0, 100.0, 98.0, 98.0, 97.0]
    assert quote.last_price == 105.0


def test_of_a_late_tick_is_none_and_nothing_is_triggered(open_account):
    client = open_account()
    client.tick(1500.0)
    client.wait(5)
    client.tick(1500.0)
    now_ns = client.account.now_ns
    held = client.place(price=1450.0)
    late = a_tick(symbol="INFY", price=1400.0, exchange_ns=now_ns - 10**9, received_ns=now_ns)

    assert client.account.move(late) == ()
    assert (client.status(held), client.account._core.last_price("INFY")) == ("PENDING", 1500.0)
    assert client.account.statistics().ticks == 3

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

"""Whose sessions, and whose hours, an instrument has."""

import pytest

from natya.actors.exchange.account.listings import exchange_of, market_of


@pytest.mark.parametrize(
    ("segment", "exchange", "market"),
    [
        ("NSE_EQ", "NSE", "CASH"),
        ("BSE_EQ", "BSE", "CASH"),
        ("NSE_FNO", "NSE", "DERIVATIVES"),
        ("BSE_FNO", "BSE", "DERIVATIVES"),
    ],
)
def test_the_segment_tells_exchange_and_market(segment, exchange, market):
    assert (exchange_of((segment, "500209")), market_of((segment, "500209"))) == (exchange, market)

"""Builders for the exchange: each shows only what the test is about."""

import pytest
from natya_builders import BUILDERS

from natya.actors.exchange.matching import Matching
from natya.messages.broker import NewOrder
from natya.messages.market import Depth, Tick

STARTED_NS = 1_766_992_000_000_000_000


@pytest.fixture(scope="session")
def an_order():
    def build(client_order_id="a", **changes):
        fields = {"symbol": "TCS", "side": "BUY", "quantity": 10, "order_type": "MARKET"} | changes
        if "limit_price" in changes and "order_type" not in changes:
            fields["order_type"] = "LIMIT"
        return NewOrder(client_order_id=client_order_id, **fields)

    return build


@pytest.fixture(scope="session")
def a_tick():
    """A tick with depth where bids or asks are given, as (price, quantity) pairs; without it else."""

    def build(price=100.0, *, bids=None, asks=None, symbol="TCS", volume=0, after_s=0, received_s=None):  # noqa: PLR0913  by name
        depth = None
        if bids is not None or asks is not None:
            bids, asks = bids or (), asks or ()
            depth = Depth(
                bid_prices=tuple(level[0] for level in bids),
                bid_quantities=tuple(level[1] for level in bids),
                ask_prices=tuple(level[0] for level in asks),
                ask_quantities=tuple(level[1] for level in asks),
            )
        return Tick(
            symbol=symbol,
            price=price,
            quantity=1,
            exchange_ns=STARTED_NS + after_s * 10**9,
            source="test",
            sequence=1,
            received_ns=0 if received_s is None else STARTED_NS + received_s * 10**9,
            volume=volume,
            depth=depth,
        )

    return build


@pytest.fixture(scope="session")
def make():
    return BUILDERS


@pytest.fixture
def matching():
    return Matching(tick_size_rupees=0.05, run=1, now_ns=STARTED_NS)


@pytest.fixture(scope="session")
def trades():
    def pick(reports):
        return [(report.quantity, report.price) for report in reports if report.execution_type == "TRADE"]

    return pick

"""What every `BrokerAdapter` must do, at the exchange that belongs to it.

A new adapter adds itself, at its exchange, to `ADAPTERS`.
"""

import asyncio
import contextlib
import inspect
from concurrent.futures import ThreadPoolExecutor

import pytest
from natya_wire import CLIENT, TOKEN, Served

from natya import (
    BrokerAdapter,
    BrokerCredentials,
    DhanBrokerAdapter,
    ExternalServiceResult,
    OrderRequest,
    WriteAccepted,
    WriteNotSent,
    WriteRefused,
)
from natya.messages.broker import OrderFound


@contextlib.contextmanager
def dhan(folder):
    served = Served(folder / "exchange")
    try:
        served.price(1500.0)
        with DhanBrokerAdapter(CLIENT, TOKEN, base_url=served.rest, instruments=folder / "instruments") as adapter:
            yield adapter, BrokerCredentials(client_id=CLIENT, access_token=TOKEN)
    finally:
        served.stop()


ADAPTERS = {"dhan": dhan}


@pytest.fixture(params=sorted(ADAPTERS), scope="module")
def stage(request, tmp_path_factory):
    with ADAPTERS[request.param](tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.fixture
def adapter(stage):
    return stage[0]


def an_order(**fields):
    return OrderRequest(
        **{"symbol": "INFY", "side": "BUY", "quantity": 10, "order_type": "LIMIT", "limit_price": 1400.0, **fields}
    )


class TestEveryAdapter:
    def test_is_of_the_type_and_leaves_nothing_of_it_out(self, adapter):
        assert isinstance(adapter, BrokerAdapter)
        assert not inspect.isabstract(type(adapter))

    def test_lets_its_client_in(self, stage):
        adapter, credentials = stage

        assert adapter.authenticate(credentials).result(20) is True

    def test_places_an_order_once_and_finds_it(self, adapter):
        order = an_order()
        with ThreadPoolExecutor(4) as threads:
            results = [each.result(20) for each in threads.map(adapter.place_order, [order] * 4)]
        (row,) = [each for each in adapter.get_orders().result(20).data if each.correlation_id == order.client_order_id]
        found = adapter.resolve(order).result(20)

        assert {type(each) for each in results} == {WriteAccepted}
        assert {each.data.order_id for each in results} == {row.order_id}
        assert isinstance(found.data, OrderFound)
        assert found.data.broker_order_id == row.order_id

    def test_changes_and_cancels_what_is_open(self, adapter):
        order_id = adapter.place_order(an_order()).result(20).data.order_id
        while adapter.get_order(order_id).result(20).data.order_status == "TRANSIT":
            pass
        changed = adapter.modify_order(order_id, an_order(quantity=5)).result(20)
        while adapter.get_order(order_id).result(20).data.order_status == "TRANSIT":
            pass
        cancelled = adapter.cancel_order(order_id).result(20)
        too_late = adapter.cancel_order(order_id).result(20)

        assert [type(each) for each in (changed, cancelled, too_late)] == [WriteAccepted, WriteAccepted, WriteRefused]

    def test_sends_nothing_that_cannot_be_right(self, adapter):
        result = adapter.place_order(an_order(symbol="NOBODY-KNOWS")).result(20)

        assert isinstance(result, WriteNotSent)
        assert "NOBODY-KNOWS" in result.error

    def test_says_what_there_is(self, adapter):
        reads = adapter.get_trades, adapter.get_positions, adapter.get_holdings, adapter.get_funds
        results = [read().result(20) for read in reads]

        assert {type(each) for each in results} == {ExternalServiceResult}
        assert all(each.success for each in results)
        assert adapter.get_order("410000000000").result(20).data is None

    def test_is_awaited_too(self, adapter):
        async def ask():
            return await asyncio.gather(adapter.get_funds(), adapter.get_positions())

        assert [each.success for each in asyncio.run(ask())] == [True, True]

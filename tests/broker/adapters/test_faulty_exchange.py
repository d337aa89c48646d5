"""Orders to an exchange that loses, resets, refuses, fails and hangs by a seed: what is said of each is true."""

import asyncio
import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from natya_dhan import FRESH
from natya_servers import http

from natya import (
    Allowance,
    DhanBrokerAdapter,
    OrderRequest,
    Quota,
    WriteAccepted,
    WriteNotSent,
    WriteRefused,
    WriteUnknown,
)

ORDERS = 80
REFUSAL = http('{"errorType":"Order_Error","errorCode":"DH-906","errorMessage":"no"}', "400 Bad Request")
KINDS = ("well", "refused", "lost", "reset after", "error before", "error after", "garbled", "hangs after")


class Exchange:
    """Takes orders, and does to each what its correlation id has drawn."""

    def __init__(self, seed):
        self._chance = Random(seed)
        self._guard = threading.Lock()
        self.has = {}
        self.arrivals = Counter()

    def __call__(self, server, connection):
        while (request := server.read(connection)) is not None:
            head, _, body = request.partition(b"\r\n\r\n")
            method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
            told = self.place(json.loads(body), server) if method == "POST" else self.show(path)
            if told is None:
                return
            connection.sendall(told)

    def place(self, order, server):
        with self._guard:
            name = order["correlationId"]
            self.arrivals[name] += 1
            kind = self._chance.choice(KINDS)
            if kind in {"lost", "error before", "refused"}:
                return {"refused": REFUSAL, "lost": None, "error before": http("", "502 Bad Gateway")}[kind]
            number = str(412610070000 + len(self.has))
            self.has[name] = {**FRESH, "orderId": number, "correlationId": name, "quantity": 1, "remainingQuantity": 1}
        if kind == "hangs after":
            server.over.wait(1)
        good = http(json.dumps({"orderId": number, "orderStatus": "TRANSIT"}))
        return {"well": good, "garbled": http("<html>"), "error after": http("", "500 Oh")}.get(kind)

    def show(self, path):
        _, kind, *names = path.removeprefix("/v2").split("/")
        if "external" in names:
            row = self.has.get(names[-1])
            return http('{"errorCode":"DH-906"}', "404 Not Found") if row is None else http(json.dumps(row))
        return http(json.dumps([*self.has.values()] if kind == "orders" else []))


@pytest.mark.parametrize("seed", [1, 2])
def test_every_order_is_there_or_not_as_it_is_said_to_be(serve, tmp_path, seed):
    exchange = Exchange(seed)
    server = serve(exchange)
    orders = [OrderRequest(symbol="INFY", side="BUY", quantity=1) for _ in range(ORDERS)]
    with DhanBrokerAdapter("1", "t", base_url=server.url, instruments=tmp_path, timeout_s=0.5) as dhan:
        dhan.fail_max = 1_000_000
        dhan.allowances = dict.fromkeys(dhan.allowances, Allowance(quotas=(Quota(100_000, 1_000_000_000),)))
        with ThreadPoolExecutor(8) as threads:  # each order is placed by two of them
            results = [each.result(20) for each in threads.map(dhan.place_order, [*orders, *orders])]
        first, again = results[:ORDERS], results[ORDERS:]
        found = {
            order.client_order_id: dhan.resolve(order).result(20)
            for order, result in zip(orders, first, strict=True)
            if isinstance(result, WriteUnknown)
        }
        last = [dhan.place_order(order).result(20) for order in orders]

    by_type = Counter(map(type, first))
    assert set(by_type) >= {WriteAccepted, WriteRefused, WriteUnknown}
    for one, other in zip(first, again, strict=True):
        assert isinstance(one, WriteNotSent) or other == one
    assert max(exchange.arrivals.values()) == 1
    for order, result, later in zip(orders, first, last, strict=True):
        row = exchange.has.get(order.client_order_id)
        if isinstance(result, WriteAccepted):
            assert result.data.order_id == row["orderId"]
        elif isinstance(result, WriteRefused | WriteNotSent):
            assert row is None
        elif row is None:
            assert not found[order.client_order_id].success
        else:
            assert found[order.client_order_id].data.broker_order_id == row["orderId"]
            assert later.data.order_id == row["orderId"]


def test_who_stops_waiting_for_an_order_has_placed_it_all_the_same(serve, tmp_path):
    arrived, gate = threading.Event(), threading.Event()

    def slowly(server, connection):
        while server.read(connection) is not None:
            arrived.set()
            gate.wait(10)
            connection.sendall(http('{"orderId":"4","orderStatus":"TRANSIT"}'))

    server = serve(slowly)
    order = OrderRequest(symbol="INFY", side="BUY", quantity=1)

    async def give_up():
        async with DhanBrokerAdapter("1", "t", base_url=server.url, instruments=tmp_path) as dhan:
            waiting = asyncio.ensure_future(_wait(dhan.place_order(order)))
            await asyncio.to_thread(arrived.wait, 10)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            gate.set()
            return await dhan.place_order(order)

    result = asyncio.run(give_up())

    assert isinstance(result, WriteAccepted)
    assert len(server.heard) == 1


async def _wait(pending):
    return await pending

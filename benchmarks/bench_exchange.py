"""How many orders a second the paper exchange takes over HTTP, and how long one takes.

    python benchmarks/bench_exchange.py [--orders 8000] [--rounds 3] [--directory DIR]

`natya exchange serve` in a process of its own, journal included; 8 connections in this one, each with one order at a
time, in the shape of the official client. Floor, in turn with it: the same requests to a bare starlette application on
uvicorn and httptools, which decodes the order and answers with an id. Target: 3,000 orders a second. Reason: a client
that is tested against ten times what its broker lets through is tested.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

from figures import Figure, report

CONNECTIONS = 8
ORDERS_TARGET = 3_000
BARE_SHARE_TARGET = 0.3
P99_MS_TARGET = 10.0
TOKEN = "bench"  # noqa: S105  of a benchmark
BODY = json.dumps(
    {
        "transactionType": "BUY",
        "exchangeSegment": "NSE_EQ",
        "productType": "INTRADAY",
        "orderType": "LIMIT",
        "validity": "DAY",
        "securityId": "1594",
        "quantity": 1,
        "disclosedQuantity": 0,
        "price": 1400.0,
        "afterMarketOrder": False,
        "boProfitValue": None,
        "boStopLossValue": None,
        "triggerPrice": 0.0,
        "dhanClientId": "1000000001",
    }
).encode()
BARE = """
import socket, msgspec, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from natya.domain.dhan.trading.orders import PlaceOrderRequest

async def place(request):
    values = {k: v for k, v in msgspec.json.decode(await request.body()).items() if v is not None}
    msgspec.convert(values, PlaceOrderRequest, strict=False)
    return Response(b'{"orderId":"41261128000001","orderStatus":"TRANSIT"}', media_type="application/json")

config = uvicorn.Config(
    Starlette(routes=[Route("/v2/orders", place, methods=["POST"])]),
    http="httptools", loop="asyncio", log_config=None, access_log=False,
)
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listener.bind(("127.0.0.1", 0))
print('{"rest": "http://127.0.0.1:%d/v2"}' % listener.getsockname()[1], flush=True)
uvicorn.Server(config).run(sockets=[listener])
"""


def request_of(method: str, path: str, body: bytes) -> bytes:
    """Write a request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\naccess-token: {TOKEN}\r\nclient-id: 1000000001\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    """Send a request, and return the body of its answer, which must be a good one."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    body = await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split()[0]))
    if b" 200 " not in head[:16]:
        raise RuntimeError(f"an answer of 200 wanted, found {head[:16]!r} {body[:200]!r}")
    return body


async def place(port: int, orders: int) -> list[float]:
    """Place orders over all connections; return the seconds of each."""
    took: list[float] = []
    order = request_of("POST", "/v2/orders", BODY)

    async def one(count: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(count):
            begun = time.perf_counter()
            await ask(reader, writer, order)
            took.append(time.perf_counter() - begun)
        writer.close()

    await asyncio.gather(*(one(orders // CONNECTIONS) for _ in range(CONNECTIONS)))
    return took


async def set_price(port: int) -> None:
    """Let the exchange have a price."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await ask(reader, writer, request_of("POST", "/__market", b'{"symbol":"INFY","price":1400.5}'))
    writer.close()


def port_of(server: subprocess.Popen[bytes], name: str) -> int:
    """Return where it serves, once it does."""
    line = server.stdout.readline()  # type: ignore[union-attr]  # it is a pipe
    if not line:
        raise SystemExit(f"the first line of {name} wanted, found its end with exit code {server.wait()}")
    return int(json.loads(line)["rest"].split(":")[2].split("/")[0])


def rate_of(port: int, orders: int) -> tuple[float, list[float]]:
    """Return orders a second, and the seconds of each."""
    begun = time.perf_counter()
    took = asyncio.run(place(port, orders))
    return len(took) / (time.perf_counter() - begun), took


def main() -> int:
    """Measure both in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=8_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="where the journal is; by default in a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as folder:
        serve = [
            *(sys.executable, "-m", "natya", "exchange", "serve", "--by-hand", "--always-open", "--unlimited"),
            *("--token", TOKEN, "--data-dir", folder, "--set", "exchange.opening_balance_rupees=1000000000000"),
        ]
        with (
            subprocess.Popen(serve, stdout=subprocess.PIPE) as ours,
            subprocess.Popen([sys.executable, "-c", BARE], stdout=subprocess.PIPE) as bare,
        ):
            try:
                ports = [port_of(ours, "natya exchange serve"), port_of(bare, "the bare application")]
                asyncio.run(set_price(ports[0]))
                for port in ports:
                    rate_of(port, max(CONNECTIONS, options.orders // 10))
                rates: list[tuple[float, float]] = []
                took: list[float] = []
                for _ in range(options.rounds):
                    rate, each = rate_of(ports[0], options.orders)
                    took += each
                    rates.append((rate, rate_of(ports[1], options.orders)[0]))
            except (ConnectionError, asyncio.IncompleteReadError) as fault:
                ended = f"exit codes {ours.poll()} of the exchange and {bare.poll()} of the bare application"
                raise SystemExit(f"an answer wanted, found {fault!r}; {ended}") from fault
            finally:
                for each in (ours, bare):
                    each.terminate()
    orders, floor = (median(column) for column in zip(*rates, strict=True))
    figures = [
        Figure(
            name="orders a second over HTTP, durable, 8 connections",
            value=orders,
            unit="/s",
            target=ORDERS_TARGET,
            at_least=True,
        ),
        Figure(
            name="the same beside the least",
            value=orders,
            unit="/s",
            floor=floor,
            floor_name="bare starlette on uvicorn",
            target=BARE_SHARE_TARGET,
            at_least=True,
        ),
        Figure(name="an order over HTTP, p99", value=quantiles(took, n=100)[98] * 1e3, unit="ms", target=P99_MS_TARGET),
    ]
    return report(figures)


if __name__ == "__main__":
    sys.exit(main())

"""How long it takes from an order to its bytes at the broker, with the journal in between.

    python benchmarks/bench_broker.py [--orders 2000] [--directory DIR]

The real orders room, journal, broker session and owner of HTTP calls in one system; the broker is a bare socket in
another process, which answers each order with the monotonic time at which it had all of it. One order at a time.
Floor, in turn with it: a bare `requests` session that posts the same bytes to the same process, after a bare
`fdatasync` of 200 bytes. Targets: 0.8 ms at the median, 2 ms at the 99th percentile. Reason: the price that a strategy
saw is as old as that when its order leaves.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import quantiles

import msgspec
import requests
from figures import Figure, report

from natya.actors.broker import AccessToken, BrokerActor
from natya.actors.broker.bodies.dhan.service import service_of
from natya.actors.external import Allowance, ExternalActor
from natya.actors.journal import JournalActor
from natya.actors.orders import OrdersActor, OrdersActorSettings
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles, tuned_process
from natya.config.loader import load_settings
from natya.config.secrets import Secret
from natya.domain.quotas import Quota
from natya.messages.instruments import InstrumentDefinition, InstrumentList, InstrumentShown, ShowInstrument
from natya.messages.journal import Journaled
from natya.messages.orders import OrderAccepted, SubmitOrder

P50_MS_TARGET = 0.8
P99_MS_TARGET = 2.0
WARM_UP = 100
RECORD = b"x" * 200
FREELY = Allowance(quotas=(Quota(1_000_000, 1_000_000_000),))


class Instruments(RuntimeActor):
    """Knows one share."""

    @handles(ShowInstrument)
    def show(self, request: ShowInstrument, sender: object) -> None:
        """Tell of it."""
        share = InstrumentDefinition(symbol=request.name, segment="NSE_EQ", tick_size_rupees=0.05, security_id="2885")
        self.send(sender, InstrumentShown(name=request.name, instrument=share, of=InstrumentList(source="bench")))


def serve() -> None:
    """Be the broker: the number of each order is the time at which it was there; all orders are soon cancelled."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    placed: dict[str, dict[str, object]] = {}

    def answer(head: bytes, body: bytes, now_ns: int) -> object:
        if head.startswith(b"POST"):
            number = str(now_ns)
            order = json.loads(body)
            placed[number] = {**order, "orderId": number, "orderStatus": "CANCELLED"}
            return {"orderId": number, "orderStatus": "TRANSIT"}
        rows = [*placed.values()]
        placed.clear()
        return rows

    def talk(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        held = b""
        while part := connection.recv(65_536):
            now_ns = time.monotonic_ns()
            held += part
            head, end, body = held.partition(b"\r\n\r\n")
            length = next(
                (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
            )
            if end and len(body) >= length:
                held = body[length:]
                told = json.dumps(answer(head, body[:length], now_ns)).encode()
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(told), told))

    while True:
        threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()


def an_order(number: int) -> SubmitOrder:
    """Make one that passes the gate."""
    return SubmitOrder(
        client_order_id=f"bench-{number}",
        strategy="bench",
        symbol="RELIANCE",
        side="BUY" if number % 2 else "SELL",
        quantity=1,
        order_type="LIMIT",
        limit_price=2_843.55,
        reference_price=2_843.55,
    )


def placed_ms(directory: Path, base_url: str, count: int) -> tuple[list[float], list[float]]:
    """Place orders one after the other, in turn with the least; return how long each took to the broker, and that."""
    token = Secret("bench")
    given = {
        "system.data_dir": str(directory),
        "broker.name": "dhan",
        "broker.client_id": "1",
        "broker.base_url": base_url,
        "broker.live": True,
        "broker.confirmed_limits": {
            "quantity_max": 100,
            "value_max_rupees": 50_00_000.0,
            "position_max": 1_000,
            "orders_in_flight_max": 100,
        },
    }
    settings = load_settings("paper", overrides=given, environment={})
    service = msgspec.structs.replace(
        service_of(settings.broker, AccessToken(token)), allowances={"orders": FREELY, "others": FREELY}
    )
    waits_ms, bare_ms = [], []
    with InProcessSystem() as system, contextlib.closing(Bare(directory, base_url)) as bare:
        events = system.probe("events")
        system.start("journal", JournalActor, settings.journal)
        system.start("instruments", Instruments)
        system.start("broker-service", ExternalActor, service)
        system.start("broker", BrokerActor, settings.broker)
        system.start("orders", OrdersActor, OrdersActorSettings.of(settings.orders, account="session"))
        warm_up = min(WARM_UP, count)
        for number in range(count + warm_up):
            began_ns = time.monotonic_ns()
            system.tell("orders", an_order(number))
            accepted = await_acceptance(events, f"bench-{number}")
            waits_ms.append((int(accepted.broker_order_id) - began_ns) / 1e6)
            bare_ms.append(bare.place())
    return waits_ms[warm_up:], bare_ms[warm_up:]


def await_acceptance(events: object, client_order_id: str) -> OrderAccepted:
    """Wait until the journal has told that the broker has the order."""
    while True:
        batch = events.receive(timeout_s=10)
        for record in batch.records if isinstance(batch, Journaled) else ():
            if isinstance(record.fact, OrderAccepted) and record.fact.client_order_id == client_order_id:
                return record.fact


class Bare:
    """Does the least: makes 200 bytes durable, and posts an order with `requests`."""

    def __init__(self, directory: Path, base_url: str) -> None:
        """Open the file and the session."""
        self._url = f"{base_url}/orders"
        self._body = json.dumps({"correlationId": "bench-1", "securityId": "2885", "quantity": 1, "note": "y" * 270})
        self._session = requests.Session()
        self._session.trust_env = False
        self._file = (directory / "bare").open("wb")
        self._file.write(bytes(1 << 22))
        self._file.seek(0)
        os.fdatasync(self._file.fileno())

    def place(self) -> float:
        """Do it once; return how long it took to the broker."""
        began_ns = time.monotonic_ns()
        self._file.write(RECORD)
        self._file.flush()
        os.fdatasync(self._file.fileno())
        told = self._session.post(self._url, data=self._body, headers={"access-token": "bench"}, timeout=5).json()
        return (int(told["orderId"]) - began_ns) / 1e6

    def close(self) -> None:
        """Close both."""
        self._session.close()
        self._file.close()


def main(arguments: list[str] | None = None) -> int:
    """Measure both; 0 when the target is met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=2_000, help="how many")
    parser.add_argument("--directory", type=Path, help="where the journal lies; by default the system's temporary one")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        serve()
    with (
        subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True) as broker,
        tempfile.TemporaryDirectory(dir=options.directory) as temporary,
        tuned_process(),
    ):
        base_url = f"http://127.0.0.1:{broker.stdout.readline().strip()}"
        try:
            found, bare = placed_ms(Path(temporary), base_url, options.orders)
        finally:
            broker.kill()  # leaving the `with` waits for it
    bare_cuts, cuts = quantiles(bare, n=100), quantiles(found, n=100)
    figures = []
    for place, name, target in ((49, "median", P50_MS_TARGET), (98, "p99", P99_MS_TARGET)):
        label = f"an order to its bytes at the broker, durable before, {name}"
        figures.append(Figure(name=label, value=cuts[place], unit="ms", target=target))
        floor = bare_cuts[place]
        figures.append(
            Figure(
                name=f"the same beside the least, {name}",
                value=cuts[place],
                unit="ms",
                floor=floor,
                floor_name="bare fdatasync and requests",
                target=2,
            )
        )
    return report(figures)


if __name__ == "__main__":
    sys.exit(main())

"""The orders room after a restart: from a journal of many facts until it is READY, with orders that are open.

    python benchmarks/bench_recovery.py [--orders 250000] [--open 1000]

Four facts an order, the last orders still open. Figures are seconds of CPU of the process, from the start of the
journal's actor until orders has found every open order at its broker. Floor, in the same run: every byte of the journal
run through one CRC, and the facts behind the checkpoint decoded: less than that no start can do that checks what it
goes by. Target: 12 times that, below 2 s for 1,000,000 facts, since a system that was restarted has positions and
cannot trade. Beside it the same start when there is no checkpoint, which reads everything: at most 0.15 of that.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from figures import Figure, report

from natya.actors.journal import Journal, JournalActor
from natya.actors.journal.upkeep import next_chore
from natya.actors.orders import OrdersActor, OrdersActorSettings
from natya.actors.runtime import ActorAddress, InProcessSystem, RuntimeActor, handles
from natya.config.loader import load_settings
from natya.config.sections.journal import JournalSettings
from natya.messages import codec
from natya.messages.addresses import BROKER, EVENTS, JOURNAL, ORDERS
from natya.messages.broker import FindOrder, OrderFound, OrdersSentBefore
from natya.messages.journal import Journaled
from natya.messages.orders import OrderAccepted, OrderExpired, OrderFact, OrderFilled, OrderIntended
from natya.messages.system import Ping

SEGMENT_BYTES = 16 << 20
OF_FLOOR_TARGET = 12
OF_WHOLE_TARGET = 0.15
WRITTEN_S = 60
ORDERS_A_DAY = 7_000
DAY_NS = 86_400_000_000_000
NOON_NS = 1_764_000_000_000_000_000
SYMBOLS = ("RELIANCE", "TCS", "HDFCBANK", "INFY", "SBIN")


def life_of_an_order(number: int, *, is_open: bool) -> Iterator[OrderFact]:
    """Facts of one order: its intent, its acceptance, and if it is not open a trade and its end."""
    order, symbol = f"crossover-{number:09d}", SYMBOLS[number % len(SYMBOLS)]
    day, of_day = divmod(number, ORDERS_A_DAY)
    now_ns = NOON_NS + day * DAY_NS + of_day * 1_000_000_000
    side = "BUY" if number % 2 else "SELL"
    yield OrderIntended(
        client_order_id=order,
        strategy="crossover",
        symbol=symbol,
        side=side,
        quantity=30,
        order_type="LIMIT",
        limit_price=1_500.05,
        occurred_ns=now_ns,
    )
    yield OrderAccepted(client_order_id=order, broker_order_id=f"B-{number}", occurred_ns=now_ns)
    if not is_open:
        yield OrderFilled(
            client_order_id=order,
            trade_id=f"T-{number}",
            strategy="crossover",
            symbol=symbol,
            side=side,
            quantity=10,
            price=1_500.05,
            cumulative_quantity=10,
            occurred_ns=now_ns,
        )
        yield OrderExpired(client_order_id=order, reason="end of day", occurred_ns=now_ns + 3)


def write_journal(directory: Path, orders: int, *, first: int = 0, open_orders: int = 0) -> int:
    """Go on with a journal; returns its newest sequence."""
    journal = Journal(directory, now_ns=time.time_ns, segment_bytes=SEGMENT_BYTES)
    journal.open()
    for number in range(first, first + orders):
        is_open = number >= first + orders - open_orders
        journal.append(tuple(life_of_an_order(number, is_open=is_open)), f"crossover-{number:09d}")
        if number % 1_000 == 0:
            journal.commit()
            journal.take_durable()
    journal.commit()
    while (chore := next_chore(journal.closed_segments, 1_000)) is not None:
        work, segment = chore
        work(journal.disk, segment)
    journal.close()
    return journal.last_sequence


class Broker(RuntimeActor):
    """Has every order that is asked for, open."""

    @handles(FindOrder)
    def find(self, request: FindOrder, sender: ActorAddress) -> None:
        """Answer at once."""
        found = OrderFound(
            client_order_id=request.client_order_id, broker_order_id=request.broker_order_id, state="OPEN"
        )
        self.send(sender, found)

    @handles(OrdersSentBefore)
    def hear(self, _: OrdersSentBefore, __: ActorAddress) -> None:
        """Let it go."""


class Events(RuntimeActor):
    """Hears of every commit and keeps nothing."""

    @handles(Journaled)
    def hear(self, _: Journaled, __: ActorAddress) -> None:
        """Let it go."""


def ready_s(directory: Path, open_orders: int, *, checkpoint_facts: int) -> float:
    """Start both; seconds of CPU until orders is ready."""
    journal = JournalSettings.default(path=str(directory), segment_bytes=SEGMENT_BYTES, plain_segments_max=1_000)
    limits = msgspec.structs.replace(load_settings("paper").orders, checkpoint_facts=checkpoint_facts)
    with InProcessSystem() as system:
        system.start(EVENTS, Events)
        system.start(BROKER, Broker)
        gc.collect()
        began = time.process_time()
        system.start(JOURNAL, JournalActor, journal, timeout_s=600)
        system.start(ORDERS, OrdersActor, OrdersActorSettings.of(limits), timeout_s=600)
        ready = time.process_time()
        found: Any = system.request(ORDERS, Ping(), timeout_s=30).statistics
        if found.open_orders != open_orders or found.risk_state != "NORMAL":
            raise SystemExit(f"{open_orders} open orders and NORMAL wanted, found {found}")
        deadline = time.monotonic() + WRITTEN_S
        while checkpoint_facts and not (directory / "orders.checkpoint").exists():
            if time.monotonic() > deadline:
                raise SystemExit(f"a checkpoint wanted, found none after {WRITTEN_S} s")
            time.sleep(0.05)
        system.stop(ORDERS, timeout_s=60)
        system.stop(JOURNAL, timeout_s=60)
    return ready - began


def floor_s(directory: Path, tail: int) -> float:
    """Seconds of CPU for one CRC over every byte, and the newest facts decoded."""
    journal = Journal(directory, now_ns=time.time_ns, segment_bytes=SEGMENT_BYTES)
    journal.open()
    view = journal.view()
    payloads = [raw.payload for raw in view.raw(view.last_sequence - tail)]
    journal.close()
    began = time.process_time()
    for path in sorted(directory.glob("*.journal")):
        zlib.crc32(path.read_bytes())
    for payload in payloads:
        codec.decode(payload)
    return time.process_time() - began


def main(arguments: list[str] | None = None) -> int:
    """Measure both starts; 0 when the target is met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=250_000)
    parser.add_argument("--open", type=int, default=1_000, help="of them, the newest")
    parser.add_argument("--behind", type=int, default=2_500, help="orders that came and ended since the checkpoint")
    parser.add_argument("--rounds", type=int, default=3, help="of the start with a checkpoint; medians count")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / "journal"
        before = write_journal(directory, options.orders - options.behind, open_orders=options.open)
        whole_s = ready_s(directory, options.open, checkpoint_facts=1)
        newest = write_journal(directory, options.behind, first=options.orders - options.behind)
        rounds = []
        for _ in range(options.rounds):
            readied_s = ready_s(directory, options.open, checkpoint_facts=newest)
            rounds.append((readied_s, floor_s(directory, newest - before)))
        readied_s, bare_s = map(statistics.median, zip(*rounds, strict=True))
    return report(
        [
            Figure(
                name=f"READY, {options.open:,} open orders, {newest:,} facts",
                value=readied_s,
                unit="s of CPU",
                floor=bare_s,
                floor_name="one CRC, and the tail decoded",
                target=OF_FLOOR_TARGET,
            ),
            Figure(
                name="beside a start without a checkpoint",
                value=readied_s,
                unit="s of CPU",
                floor=whole_s,
                floor_name="everything read, and a checkpoint made",
                target=OF_WHOLE_TARGET,
            ),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())

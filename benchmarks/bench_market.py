"""Quote packets through the whole system: from a socket to fifty subscribers, and to the database.

    python benchmarks/bench_market.py [--seconds 10] [--rate 100000] [--burst 250000]

Another process sends packets of 250 instruments over a TCP connection, a hundred of them each millisecond. Here, on one
core, a thread reads and decodes them, the feed takes them from it, the router delivers them, and fifty receivers have
five instruments each and a thousand facts a second. Then the same with the database as one more receiver (on all
cores), and a burst that is too much, of which the feed leaves out and counts what it cannot send on.

Floor: one loop that reads the same socket, decodes, and calls a function for each packet: no actors, no queue, nobody
else to wait for. Targets: the rate held; a wait of 5 ms at the 99th percentile, from when a packet was due to be sent
to its handler; each packet accounted for; and at most three times the floor's processor time, for two mailboxes and the
routing in between. The wait of the floor says how much of it is the machine's: on one that is busy, all are late.
The database: the rate held durable, nothing dropped, below 300 MB. Reason: a hundred thousand packets a second is what
all liquid instruments of an exchange send at its opening.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import os
import resource
import socket
import struct
import sys
import tempfile
import threading
import time
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figures import Figure, report

from natya.actors.database import DatabaseActor
from natya.actors.events import EventsActor, EventsSettings
from natya.actors.feed.bodies.dhan.decoding import Decoder
from natya.actors.feed.live import LiveFeedActor, LiveFeedSettings, Woken
from natya.actors.feed.live_source import LiveCounts
from natya.actors.feed.queue import TickQueue
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles, tuned_process
from natya.config.loader import load_settings
from natya.config.sections.database import DatabaseSettings
from natya.domain.dhan.streams import packets
from natya.domain.instruments import price_grid
from natya.messages.events import Subscribe
from natya.messages.journal import Journaled, JournalRecord
from natya.messages.market import Tick
from natya.messages.orders import OrderAccepted
from natya.messages.system import Ping

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

INSTRUMENTS = 250
RECEIVERS = 50
EACH = INSTRUMENTS // RECEIVERS
SLICE_S = 0.001
SIZE = packets.QUOTE_LAYOUT.size
INLET_MAX = 20_000
"""Ticks between the socket and the feed above which they are conflated: a fifth of a second."""

SAMPLED = 16
P99_MS_TARGET = 5.0
FLOOR_TARGET = 3.0
MEMORY_MB_TARGET = 300


def quotes(count: int) -> list[bytes]:
    """Make packets of all instruments by turns, whose prices and volumes differ."""
    begun_s = int(time.time()) + 19_800
    return [
        packets.QUOTE_LAYOUT.pack(
            packets.QUOTE, SIZE, 1, 1_000 + number % INSTRUMENTS,
            1_500.0 + number % 97 * 0.05, 10, begun_s, 1_500.0, 1_000 + number, 7, 9,
            1_490.0, 1_480.0, 1_510.0, 1_470.0,
        )
        for number in range(count)
    ]  # fmt: skip


def send(port: int, rate: int, seconds: float) -> float:
    """Send at this rate, in slices; return the rate that was reached."""
    each = max(1, round(rate * SLICE_S))
    ring = quotes(INSTRUMENTS * 40)
    around = cycle(ring)
    slices = [b"".join(islice(around, each)) for _ in range(200)]
    sent, total = 0, round(rate * seconds)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(struct.pack("<qqq", total, each, time.time_ns()))
        began = due = time.perf_counter()
        for part in cycle(slices):
            if sent >= total:
                break
            whole = part if sent + each <= total else part[: (total - sent) * SIZE]
            connection.sendall(whole)
            sent += len(whole) // SIZE
            due += SLICE_S
            wait_s = due - time.perf_counter()
            if wait_s > 0:
                time.sleep(wait_s)  # it sends at a rate
        took_s = time.perf_counter() - began
        connection.recv(1)  # the other side has taken all
    return sent / took_s


def decoder() -> Decoder:
    """Make one that knows the instruments."""
    made, grid = Decoder("bench"), price_grid(0.05)
    for number in range(INSTRUMENTS):
        made.add("NSE_EQ", str(1_000 + number), f"S{number}", grid)
    return made


class Waits:
    """How long some packets took, from when they were due to be sent."""

    def __init__(self, connection: socket.socket) -> None:
        self.total, self._each, self._began_ns = struct.unpack("<qqq", connection.recv(24, socket.MSG_WAITALL))
        self._found_ns: list[int] = []

    def note(self, tick: Tick) -> None:
        """Note one that is handled now."""
        due_ns = self._began_ns + (tick.sequence - 1) // self._each * int(SLICE_S * 1e9)
        self._found_ns.append(time.time_ns() - due_ns)

    def percentile_ms(self, share: float) -> float:
        """Return one of them, in their order."""
        return sorted(self._found_ns)[int(len(self._found_ns) * share)] / 1e6


def ticks_of(connection: socket.socket, made: Decoder, total: int) -> Any:
    """Yield what each read brings, until all has come."""
    rest, came = b"", 0
    while came < total:
        chunk = rest + connection.recv(1 << 17)
        end = len(chunk) // SIZE * SIZE
        now_ns = time.time_ns()
        found = []
        for place in range(0, end, SIZE):  # as they come: one packet a frame
            found += made.decode(chunk[place : place + SIZE], now_ns)
        rest = chunk[end:]
        came += end // SIZE
        yield found


class Reading:
    """A live market on a TCP connection: packets without frames, connected once."""

    trouble = ""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.queue = TickQueue(INLET_MAX)
        self.wake: Any = None

    def put(self, ticks: list[Tick]) -> None:
        """Take them in."""
        if self.queue.put(ticks):
            self.wake()

    def take(self, most: int) -> list[Tick]:
        """Return the oldest."""
        return self.queue.take(most)

    def counts(self) -> LiveCounts:
        """Count as the feed does."""
        arrived, conflated, queued = self.queue.counts()
        return LiveCounts(
            arrived=arrived, conflated=conflated, queued=queued, unknown=0, damaged=0, connections=1, reconnects=0,
            silent=0,
        )  # fmt: skip

    def take_statuses(self) -> list[Any]:
        """Tell of no opening and no close."""
        return []

    def take_gaps(self) -> list[Any]:
        """Return none."""
        return []

    def close(self) -> None:
        """Nothing is to be closed."""


class Feed(LiveFeedActor):
    """The feed as it is, whose source has no instruments to ask for."""

    def _ask_for(self, symbols: tuple[str, ...]) -> None:
        del symbols
        self._source: Any = self.settings.token
        self._source.wake = functools.partial(self.entrance(), Woken())


class Receiver(RuntimeActor):
    """Counts what it hears, and notes how long some of it waited."""

    conflates = True

    def on_start(self) -> None:
        """Begin with nothing."""
        self.ticks = self.facts = 0

    @handles(Tick)
    def hear(self, tick: Tick, _sender: Any) -> None:
        """Count it."""
        self.ticks += 1
        if not tick.sequence % SAMPLED:
            self.settings.note(tick)

    @handles(OrderAccepted)
    def hear_fact(self, _fact: OrderAccepted, _sender: Any) -> None:
        """Count it."""
        self.facts += 1


def facts(system: InProcessSystem, ended: threading.Event, told: list[int]) -> None:
    """Tell the router a thousand facts a second, ten at a time, until the end."""
    sequence = 0
    while not ended.wait(0.01):
        records = tuple(
            JournalRecord(
                sequence=sequence + place,
                recorded_ns=1,
                correlation_id="",
                fact=OrderAccepted(client_order_id="a-1", broker_order_id="1", occurred_ns=1),
            )
            for place in range(1, 11)
        )
        sequence += len(records)
        system.tell("events", Journaled(records=records))
    told.append(sequence)


def drained(system: InProcessSystem) -> bool:
    """Say whether nothing waits any more."""
    return all(system.base.find(name).counters().depth == 0 for name in ("feed", "events", *receivers()))


def receivers() -> list[str]:
    """Name them."""
    return [f"r{number}" for number in range(RECEIVERS)]


def whole(connection: socket.socket, folder: Path | None) -> dict[str, float]:
    """Receive with actors; with the database where there is a folder for it."""
    with tuned_process(), InProcessSystem() as system:
        subscriptions = [
            Subscribe(
                subscriber=name,
                topics=("Tick", "OrderAccepted"),
                symbols=tuple(f"S{number * EACH + place}" for place in range(EACH)),
            )
            for number, name in enumerate(receivers())
        ]
        if folder is not None:
            settings = DatabaseSettings.default(
                path=str(folder / "natya.duckdb"), max_connections=4, memory_limit_mb=128, threads=1,
                batch_rows_max=20_000, batch_wait_s=0.2,
            )  # fmt: skip
            system.start("database", DatabaseActor, settings)
            subscriptions.insert(0, Subscribe(subscriber="database", topics=("Tick", "Ticks")))
        source = Reading()
        system.start("events", EventsActor, EventsSettings(subscriptions=tuple(subscriptions), journal="nobody"))
        waits = Waits(connection)
        for name in receivers():
            system.start(name, Receiver, waits)
        feed = LiveFeedSettings(
            limits=load_settings("paper", environment={}).feed,
            symbols=(),
            client_id="",
            token=source,  # type: ignore[arg-type]  which it takes its ticks from
            token_refused=bool,
        )
        system.start("feed", Feed, feed)
        ended, told = threading.Event(), []
        teller = threading.Thread(target=facts, args=(system, ended, told))
        teller.start()
        cpu_s, began_s = time.process_time(), time.perf_counter()
        for ticks in ticks_of(connection, decoder(), waits.total):
            source.put(ticks)
        took_s = time.perf_counter() - began_s
        ended.set()
        teller.join()
        while source.queue.counts()[2] or not drained(system):
            time.sleep(0.001)  # a look, not a race: what is awaited is that nothing waits
        arrived, conflated, _ = source.queue.counts()
        cpu_s = time.process_time() - cpu_s
        cells = [system.base.find(name) for name in receivers()]
        conflated += sum(cell.counters().conflated for cell in cells)
        found = {
            "packets": arrived,
            "per_s": arrived / took_s,
            "cpu_us": cpu_s / arrived * 1e6,
            "p50_ms": waits.percentile_ms(0.5),
            "p99_ms": waits.percentile_ms(0.99),
            "conflated": conflated,
            "unaccounted": arrived - conflated - sum(cell.instance.ticks for cell in cells),
            "facts_lost": told[0] * RECEIVERS - sum(cell.instance.facts for cell in cells),
        }
        if folder is not None:
            sent = system.request("feed", Ping(), timeout_s=60).statistics.ticks
            while (counts := system.request("database", Ping(), timeout_s=60).statistics).ticks + counts.dropped < sent:
                time.sleep(0.01)  # as above
            found["durable_per_s"] = counts.ticks / (time.perf_counter() - began_s)
            found["dropped"] = counts.dropped
        return found


def plain(connection: socket.socket) -> dict[str, float]:
    """Receive with nothing in between."""
    counts = [0] * INSTRUMENTS

    def make(number: int) -> Any:
        def take(_tick: Tick) -> None:
            counts[number] += 1

        return take

    takes = {f"S{number}": make(number) for number in range(INSTRUMENTS)}
    waits = Waits(connection)
    cpu_s, began_s = time.process_time(), time.perf_counter()
    for ticks in ticks_of(connection, decoder(), waits.total):
        for tick in ticks:
            takes[tick.symbol](tick)
            if not tick.sequence % SAMPLED:
                waits.note(tick)
    took_s, packets_count = time.perf_counter() - began_s, sum(counts)
    cpu_s = time.process_time() - cpu_s
    return {
        "packets": packets_count,
        "per_s": packets_count / took_s,
        "cpu_us": cpu_s / packets_count * 1e6,
        "p50_ms": waits.percentile_ms(0.5),
        "p99_ms": waits.percentile_ms(0.99),
    }


def receive(what: str, server: socket.socket, told: Connection) -> None:
    """Receive once, on one core, and tell what was found."""
    if what != "db":  # DuckDB writes on a thread of its own
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        connection, _ = server.accept()
        with connection:
            found = plain(connection) if what == "plain" else whole(connection, Path(folder) if what == "db" else None)
            found["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            connection.send(b"!")
    told.send(found)


def measured(what: str, rate: int, seconds: float) -> dict[str, float]:
    """Send to a process that receives; return what it found, and the rate at which was sent."""
    # A fork, which has imported all that it needs: this process has one thread, and is as large as a new one.
    forks = multiprocessing.get_context("fork")
    hears, tells = forks.Pipe(duplex=False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        process = forks.Process(target=receive, args=(what, server, tells))
        process.start()
        tells.close()
        offered = send(server.getsockname()[1], rate, seconds)
    found: dict[str, float] = hears.recv()
    process.join()
    return found | {"offered": offered}


def main(arguments: list[str] | None = None) -> int:
    """Measure all; 0 when every target is met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=int, default=100_000, help="packets a second")
    parser.add_argument("--burst", type=int, default=250_000, help="packets a second for half of the seconds")
    options = parser.parse_args(arguments)
    rate, seconds = options.rate, options.seconds
    floor = measured("plain", rate, seconds)
    held = measured("whole", rate, seconds)
    recorded = measured("db", rate, seconds)
    burst = measured("whole", options.burst, seconds / 2)
    for name, found in (("floor", floor), ("held", held), ("recorded", recorded), ("burst", burst)):
        print(name, {key: round(value, 2) for key, value in found.items()}, file=sys.stderr)
    lost = abs(burst["unaccounted"]) + abs(held["unaccounted"])
    return report(
        [
            Figure(name="packets held", value=held["per_s"], unit="/s", target=0.98 * rate, at_least=True),
            Figure(name="  wait until handled, p99", value=held["p99_ms"], unit="ms", target=P99_MS_TARGET),
            Figure(name="  the floor's", value=floor["p99_ms"], unit="ms", target=P99_MS_TARGET),
            Figure(
                name="  processor time of one",
                value=held["cpu_us"],
                unit="us",
                floor=floor["cpu_us"],
                floor_name="read, decode, call",
                target=FLOOR_TARGET,
            ),
            Figure(
                name="packets held durable",
                value=recorded["durable_per_s"],
                unit="/s",
                target=0.95 * rate,
                at_least=True,
            ),
            Figure(name="  dropped, by the recorder", value=recorded["dropped"], unit="", target=0),
            Figure(name="  peak of memory", value=recorded["memory_mb"], unit="MB", target=MEMORY_MB_TARGET),
            Figure(
                name="packets of a burst", value=burst["per_s"], unit="/s", target=0.5 * options.burst, at_least=True
            ),
            Figure(name="  packets not accounted for", value=lost, unit="", target=0),
            Figure(name="  facts lost", value=burst["facts_lost"] + held["facts_lost"], unit="", target=0),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())

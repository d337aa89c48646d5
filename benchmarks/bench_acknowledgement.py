"""How long a fact waits for its acknowledgement while the market pours in.

    python benchmarks/bench_acknowledgement.py [--seconds 12]

The real journal, events router and database in one system, set up as `natya run --profile paper` is: 100,000 ticks a
second go through the router into the market file, in bursts every 2 ms, and 200 facts of orders a second into the
journal and from there into the core file. The same facts alone stand beside it.
Floor: the same facts without the market. Targets: 6 times as long as without at the median, 4 times and 10 ms at the
99th percentile; every tick durable and none dropped. Reason: an order may leave only when its intent is durable, and
the busiest second of the market is when it must leave.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import quantiles

import msgspec
from figures import Figure, report

from natya.actors.database import DatabaseActor
from natya.actors.events import JOURNAL_TOPIC, EventsActor, EventsSettings
from natya.actors.journal import JournalActor
from natya.actors.runtime import ActorAddress, InProcessSystem, RuntimeActor, handles, tuned_process
from natya.config.loader import load_settings
from natya.messages.events import Subscribe
from natya.messages.journal import Append, Appended
from natya.messages.market import Tick, TicksRecorded
from natya.messages.orders import OrderIntended

P99_MS_TARGET = 10.0
TICKS_PER_S = 100_000
BURST_S = 0.002
FACTS_PER_S = 200
START_NS = 1_764_000_000_000_000_000
S_NS = 1_000_000_000


class Begin(msgspec.Struct, frozen=True):
    """Work for so long; answered when it is over."""

    seconds: float


class Go(msgspec.Struct, frozen=True):
    """To itself: the next burst, or the next fact, is due."""


class Timetable(RuntimeActor):
    """Does something at a steady rate, by the clock: what was late is caught up with."""

    period_s: float

    def on_start(self) -> None:
        """Have done nothing."""
        self.done = 0

    @handles(Begin)
    def begin(self, request: Begin, sender: ActorAddress) -> None:
        """Start the clock."""
        self._asker = sender
        self._began_ns = self.clock.monotonic_ns()
        self._periods = round(request.seconds / self.period_s)
        self.go(Go(), sender)

    @handles(Go)
    def go(self, _: Go, __: ActorAddress) -> None:
        """Do what is due, and come back for the next."""
        elapsed_ns = self.clock.monotonic_ns() - self._began_ns
        while self.done < self._periods and self.done * self.period_s * S_NS <= elapsed_ns:
            self.done += 1
            self.do()
        if self.done < self._periods:
            self.after(max(0.0, self.done * self.period_s - elapsed_ns / S_NS), Go())
        else:
            self.end()

    def do(self) -> None:
        """Do it once."""
        raise NotImplementedError

    def end(self) -> None:
        """Tell how it was, when all is over."""
        self.send(self._asker, self.result())

    def result(self) -> object:
        """Say how it was."""
        return self.done


class Feed(Timetable):
    """Sends ticks, and hears how far they are durable."""

    period_s = BURST_S

    def do(self) -> None:
        """Send a burst."""
        size = round(TICKS_PER_S * BURST_S)
        for sequence in range((self.done - 1) * size + 1, self.done * size + 1):
            price = 26_000 + sequence % 4_000 * 0.05
            time_ns = START_NS + sequence * 10_000
            tick = Tick(
                symbol=f"SYMBOL{sequence % 50}",
                price=price,
                quantity=75,
                exchange_ns=time_ns,
                received_ns=time_ns,
                source="bench",
                sequence=sequence,
                volume=sequence * 75,
            )
            self.send("events", tick)

    @handles(TicksRecorded)
    def hear_recorded(self, _: TicksRecorded, __: ActorAddress) -> None:
        """Let it go: a live market does not wait."""


class Orders(Timetable):
    """Appends facts, and measures each answer in milliseconds."""

    period_s = 1 / FACTS_PER_S

    def on_start(self) -> None:
        """Wait for no answer yet."""
        super().on_start()
        self._sent_ns: dict[str, int] = {}
        self._waits_ms: list[float] = []

    def do(self) -> None:
        """Append a fact."""
        client_order_id = f"bench-{self.done}"
        intent = OrderIntended(
            client_order_id=client_order_id,
            strategy="bench",
            symbol="RELIANCE",
            side="BUY",
            quantity=25,
            order_type="LIMIT",
            limit_price=2_843.55,
            occurred_ns=START_NS + self.done,
        )
        self._sent_ns[client_order_id] = self.clock.monotonic_ns()
        self.send("journal", Append(facts=(intent,), correlation_id=client_order_id))

    @handles(Appended)
    def hear_appended(self, answer: Appended, _: ActorAddress) -> None:
        """Note how long it took."""
        waited_ns = self.clock.monotonic_ns() - self._sent_ns.pop(answer.correlation_id)
        self._waits_ms.append(waited_ns / 1e6)
        if self.done == self._periods:
            self.end()

    def end(self) -> None:
        """Wait for what is on its way: the slowest answers are measured, too."""
        if not self._sent_ns:
            super().end()

    def result(self) -> object:
        """Give the waits."""
        return tuple(self._waits_ms)


def acknowledgements_ms(directory: Path, seconds: float, *, with_ticks: bool) -> list[float]:
    """Measure; every tick must have become durable."""
    settings = load_settings("paper", overrides={"system.data_dir": str(directory)})
    subscriptions = (
        Subscribe(subscriber="database", topics=("Tick", JOURNAL_TOPIC)),
        Subscribe(subscriber="feed", topics=()),
    )
    directory.mkdir()
    with InProcessSystem() as system:
        system.start("journal", JournalActor, settings.journal)
        system.start("database", DatabaseActor, settings.database)
        system.start("events", EventsActor, EventsSettings(subscriptions=subscriptions))
        system.start("feed", Feed)
        system.start("orders", Orders)
        sending = system.request_future("feed", Begin(seconds if with_ticks else 0))
        waits_ms = system.request("orders", Begin(seconds), timeout_s=seconds + 60)
        bursts = sending.result(60)
        recorded = system.stop("database", timeout_s=seconds + 60)  # which records what a slow machine is behind with
    wanted = bursts * round(TICKS_PER_S * BURST_S)
    if recorded is None or recorded.ticks != wanted or recorded.dropped:
        raise SystemExit(f"{wanted} ticks wanted, found {recorded}")
    return sorted(waits_ms)


def main(arguments: list[str] | None = None) -> int:
    """Measure both; 0 when the target is met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=12, help="how long each of both")
    parser.add_argument("--directory", type=Path, help="where the files lie; by default the system's temporary one")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=options.directory) as temporary, tuned_process():
        alone = acknowledgements_ms(Path(temporary) / "alone", options.seconds, with_ticks=False)
        waits = acknowledgements_ms(Path(temporary) / "ticks", options.seconds, with_ticks=True)
    alone_ms, beside_ms = (quantiles(found, n=100) for found in (alone, waits))
    with_ticks = f"with {TICKS_PER_S:,} ticks/s"
    return report(
        [
            Figure(
                name=f"acknowledgement {with_ticks}, median",
                value=beside_ms[49],
                unit="ms",
                floor=alone_ms[49],
                floor_name="without ticks",
                target=6,
            ),
            Figure(
                name=f"acknowledgement {with_ticks}, p99",
                value=beside_ms[98],
                unit="ms",
                floor=alone_ms[98],
                floor_name="without ticks",
                target=4,
            ),
            Figure(
                name=f"acknowledgement {with_ticks}, p99 by itself",
                value=beside_ms[98],
                unit="ms",
                target=P99_MS_TARGET,
            ),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())

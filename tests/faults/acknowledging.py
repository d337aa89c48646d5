"""A process with the real journal, router and database, under load: it tells what was acknowledged until it is killed.

    python acknowledging.py DATA_DIRECTORY

Appends of 1, 2 and 3 facts and bursts of ticks, as many in flight as give group commits. Each line of the output is
`journal N` or `market N`: everything up to sequence N has been acknowledged.
"""

from __future__ import annotations

import os
import sys
import threading

import msgspec

from natya.actors.database import DatabaseActor
from natya.actors.events import JOURNAL_TOPIC, EventsActor, EventsSettings
from natya.actors.journal import JournalActor
from natya.actors.runtime import ActorAddress, InProcessSystem, RuntimeActor, handles
from natya.config.loader import load_settings
from natya.messages.database import Query
from natya.messages.events import Subscribe
from natya.messages.journal import Append, Appended, ReadJournal
from natya.messages.market import Tick, TicksRecorded
from natya.messages.orders import OrderExpired

SOURCE = "acknowledging"
APPENDS_IN_FLIGHT = 6
BURST_TICKS = 50


def tell(text: str) -> None:
    """Say it at once: a buffer would die with us."""
    try:
        os.write(1, f"{text}\n".encode())
    except BrokenPipeError:
        os._exit(1)  # nobody counts any more


def facts(first: int, size: int) -> tuple[OrderExpired, ...]:
    """Make the facts of one append; each says how many there are."""
    return tuple(
        OrderExpired(client_order_id=f"A-{number}", reason="x" * (number % 700), occurred_ns=size)
        for number in range(first, first + size)
    )


class Begin(msgspec.Struct, frozen=True):
    """How far the life before came."""

    sequence: int
    tick: int


class Load(RuntimeActor):
    """Keeps appends in flight, and sends a burst of ticks when the one before is durable."""

    settings: Begin

    def on_start(self) -> None:
        """Go on where the life before has ended: whole appends are 1, 2 and 3 facts in turn."""
        self._sequence, self._tick = self.settings.sequence, self.settings.tick
        self._appends = {0: 0, 1: 1, 3: 2}[self._sequence % 6]
        self._burst()
        for _ in range(APPENDS_IN_FLIGHT):
            self._append()

    @handles(Appended)
    def hear_appended(self, answer: Appended, _sender: ActorAddress) -> None:
        """Tell it, and send the next."""
        tell(f"journal {answer.last_sequence}")
        self._append()

    @handles(TicksRecorded)
    def hear_recorded(self, answer: TicksRecorded, _sender: ActorAddress) -> None:
        """Tell it, and send the next burst."""
        tell(f"market {answer.sequence}")
        if answer.sequence == self._tick:
            self._burst()

    def _append(self) -> None:
        size = self._appends % 3 + 1
        self._appends += 1
        self.send("journal", Append(facts=facts(self._sequence + 1, size)))
        self._sequence += size

    def _burst(self) -> None:
        for sequence in range(self._tick + 1, self._tick + BURST_TICKS + 1):
            tick = Tick(symbol="NIFTY", price=1.5, quantity=1, exchange_ns=sequence, source=SOURCE, sequence=sequence)
            self.send("events", tick)
        self._tick += BURST_TICKS


def main(directory: str) -> None:
    """Work until killed."""
    overrides = {"system.data_dir": directory, "journal.segment_bytes": 65_536, "database.batch_wait_s": 0.01}
    settings = load_settings("paper", overrides=overrides)
    subscriptions = (Subscribe(subscriber="database", topics=("Tick", JOURNAL_TOPIC)),)
    with InProcessSystem() as system:
        system.start("journal", JournalActor, settings.journal)
        system.start("database", DatabaseActor, settings.database)
        system.start("events", EventsActor, EventsSettings(subscriptions=subscriptions))
        sequence = system.request("journal", ReadJournal(records_max=1)).last_sequence
        ((tick,),) = system.request("database", Query(sql="select coalesce(max(sequence), 0) from ticks")).rows
        system.start("feed", Load, Begin(sequence, tick))
        threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1])

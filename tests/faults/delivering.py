"""A process that publishes events and handles them durably: it tells what was acknowledged until it is killed.

    python delivering.py DIRECTORY FIRST    publish from this number on, without end
    python delivering.py DIRECTORY settle   only handle, and end when nothing is left

Numbers are of five aggregates in turn, and an event's id is its number: one whose acknowledgement nobody has seen is
published again by the next life. Two subscriptions have an effect each: a line in a file, which is both the effect and
the memory that it was had. One of them fails now and then. Each line of the output is `published N`: all up to N were.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import natya
from natya.actors.events import DeliveryActor, DeliverySettings, EventsActor, EventsSettings
from natya.actors.events.bus import EventPublisher, EventSubscriber, PublishInDoubtError, Publishing
from natya.actors.journal import JournalActor
from natya.actors.runtime import InProcessSystem
from natya.composition import DELIVERED
from natya.config.loader import load_settings
from natya.messages.delivery import DeliveryTerms
from natya.messages.system import Ping

IN_FLIGHT = 40
KEYS = 5
TERMS = DeliveryTerms(attempts_max=1_000, retry_first_s=0.001, retry_max_s=0.01, fail_max=1_000, batch_max=7)


class Numbered(natya.DomainEvent, frozen=True, kw_only=True):
    """The n-th of them."""

    number: int


class Effects:
    """What one subscription has done: `KEY NUMBER ID`, a line each."""

    def __init__(self, path: Path, *, fails: int) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        self._had = {line.split()[2] for line in path.read_text().splitlines()}
        self._random, self._fails = Random(path.name), fails
        self._guard = threading.Lock()

    def handle(self, event: Any) -> None:
        """Do it, once, or fail."""
        with self._guard:
            if event.event_id in self._had:
                return
            if self._random.random() * 100 < self._fails:
                raise ConnectionError("now and then")
            os.write(self._file, f"{event.aggregate_id} {event.number} {event.event_id}\n".encode())
            self._had.add(event.event_id)


def numbered(number: int) -> Numbered:
    """Make the n-th."""
    return Numbered(aggregate_id=f"key-{number % KEYS}", number=number, event_id=f"e-{number}")


def publish_for_ever(
    publisher: EventPublisher, number: int, make: Callable[[int], natya.DomainEvent], *, every_s: float = 0.0
) -> None:
    """Keep some in flight, and tell which are acknowledged; publish one every few milliseconds, or without pause."""
    waiting: deque[tuple[Publishing, int]] = deque()
    while True:
        if every_s:
            time.sleep(every_s)
        waiting.append((publisher.publish(make(number)), number))
        number += 1
        if len(waiting) == IN_FLIGHT:
            publishing, oldest = waiting.popleft()
            try:
                publishing.result()
            except PublishInDoubtError:  # the process hung for longer than it waits: again, with all behind it
                waiting.clear()
                number = oldest
            else:
                tell(f"published {oldest}")


def tell(text: str) -> None:
    """Say it at once: a buffer would die with us."""
    try:
        os.write(1, f"{text}\n".encode())
    except BrokenPipeError:
        os._exit(1)  # nobody counts any more


def main(directory: Path, wanted: str) -> None:
    """Work until killed, or until all is handled."""
    settings = load_settings("paper", overrides={"system.data_dir": str(directory), "journal.segment_bytes": 65_536})
    with InProcessSystem() as system:
        system.start("events", EventsActor, EventsSettings(subscriptions=(DELIVERED,)))
        system.start("journal", JournalActor, settings.journal)
        system.start("delivery", DeliveryActor, DeliverySettings())
        subscriber = EventSubscriber(system).of(Numbered)
        for name, fails in (("steady", 0), ("moody", 10)):
            handle = Effects(directory / name, fails=fails).handle
            subscriber.handle_durably(name, handle, begins="oldest", terms=TERMS)
        if wanted != "settle":
            publish_for_ever(EventPublisher(system), int(wanted), numbered)
        while any(each.behind or each.pending for each in system.request("delivery", Ping()).statistics.subscriptions):
            pass


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

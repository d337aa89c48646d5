"""Domain events: published durably and handled, replayed, and sent to many by the fast lane.

    python benchmarks/bench_events.py [--events 20000]

Safe lane: one publisher with 1,000 events in flight and one durable subscriber that counts; from the first event until
delivery has settled the last. Floor: a loop that writes the same events, encodes, checksums and appends them to a file
in groups of the size that the journal had, with one `fdatasync` each, reads them back and calls the same function; no
actors, answers, partitions or places. Target: 0.15 of it, as the journal has, for the same reasons.
Acknowledgement: from the request to the answer, at 5,000 events/s of one publisher. Target: p99 of 10 ms, as long as a
caller on an asyncio loop may be held up.
Replay: the same events again, without the journal's writing. Target: 0.3 of the floor's second half.
Fast lane: a thread publishes batches of 100 to one actor, and to 50 on one loop; a delivery is one event in one
mailbox. Floor: a loop that appends the event to as many deques and pops each with a call. Target: 0.5 of it.
Patterns: the same to one of 10 subscribers, and to one of 10,000, whose patterns do not fit. Target: 1.1 times as
long.
"""

from __future__ import annotations

import argparse
import functools
import os
import statistics
import sys
import tempfile
import threading
import time
import zlib
from collections import deque
from pathlib import Path
from typing import Any

from figures import Figure, report
from parcels import Weighed, an_event

import natya
from natya.actors.events import DeliveryActor, DeliverySettings, EventsActor, EventsSettings
from natya.actors.events.bus import EventPublisher, EventSubscriber
from natya.actors.journal import JournalActor
from natya.actors.runtime import ActorAddress, InProcessSystem, InProcessSystemBase, RuntimeActor, handles
from natya.composition import DELIVERED
from natya.config.sections.journal import JournalSettings
from natya.domain.events.catalog import EventCatalog, write
from natya.messages.codec import decode, encode
from natya.messages.delivery import (
    EventPublished,
    EventsSubscribed,
    PublishEvents,
    SubscribeEvents,
)
from natya.messages.journal import JournalPage
from natya.messages.replays import ReplayEvents
from natya.messages.system import Ping

IN_FLIGHT = 1_000
GROUP = 100
MAILBOXES = 50
DELIVERIES = 200_000
"""Of a round of the fast lane."""

PUBLISHED = 4_000
"""Events beside subscribers with other patterns."""

RATE = 5_000
ROUNDS = 5


class Delivering(InProcessSystem):
    """Journal, router and delivery."""

    def __init__(self, directory: Path) -> None:
        super().__init__(InProcessSystemBase())
        self.start("events", EventsActor, EventsSettings(subscriptions=(DELIVERED,)))
        self.start("journal", JournalActor, JournalSettings.default(path=str(directory)))
        self.start("delivery", DeliveryActor, DeliverySettings())
        self.publisher, self.subscriber = EventPublisher(self), EventSubscriber(self)

    def statistics(self) -> Any:
        """Of delivery."""
        return self.request("delivery", Ping()).statistics


class Counting:
    """The handler: counts, and says when all have come."""

    def __init__(self, wanted: int) -> None:
        self.wanted, self.count, self.came = wanted, 0, threading.Event()

    def __call__(self, _event: Any) -> None:
        """Count one."""
        self.count += 1  # partitions call on several threads: what is lost here ends nothing too early
        if self.count >= self.wanted:
            self.came.set()


def safe_lane(directory: Path, count: int) -> tuple[float, float]:
    """Events a second: durable and handled; and replayed."""
    with Delivering(directory) as system:
        handled = Counting(1 << 60)
        system.subscriber.of(Weighed).handle_durably("bench", handled)
        events = [an_event(number) for number in range(count)]
        waiting: deque[Any] = deque()
        began = time.perf_counter()
        for event in events:
            waiting.append(system.publisher.publish(event))
            if len(waiting) == IN_FLIGHT:
                waiting.popleft().result()
        for publishing in waiting:
            publishing.result()
        while system.statistics().subscriptions[0].handled < count:
            time.sleep(0.001)
        live = count / (time.perf_counter() - began)
        began = time.perf_counter()
        begun: Any = system.request("delivery", ReplayEvents(subscription="bench"))
        while not (status := system.statistics().replays[-1]).is_over:
            time.sleep(0.001)
        assert (status.replay_id, status.handled) == (begun.replay_id, count), status
        return live, count / (time.perf_counter() - began)


def plain(directory: Path, count: int) -> tuple[float, float]:
    """Events a second without actors: written, made durable, read and handled; and the second half alone."""
    events = [an_event(number) for number in range(count)]
    catalog, handled = EventCatalog(), Counting(1 << 60)
    file = os.open(directory / "plain", os.O_RDWR | os.O_CREAT)
    began = time.perf_counter()
    frames = []
    for start in range(0, count, GROUP):
        group = [encode(write(event)) for event in events[start : start + GROUP]]
        os.write(file, b"".join(b"%08x" % zlib.crc32(frame) + frame for frame in group))
        os.fdatasync(file)
        frames += group
    written = time.perf_counter()
    for frame in frames:
        handled(catalog.read(decode(frame)))
    ended = time.perf_counter()
    os.close(file)
    return count / (ended - began), count / (ended - written)


def acknowledgement_ms_p99(directory: Path, count: int) -> float:
    """How long a publisher waits, at `RATE` events a second."""
    with Delivering(directory) as system:
        system.subscriber.of(Weighed).handle_durably("bench", Counting(count))
        taken: list[float] = []

        def note(sent: float, _answered: Any) -> None:
            taken.append(time.perf_counter() - sent)

        began = time.perf_counter()
        for number in range(count):
            due = began + number / RATE
            while (now := time.perf_counter()) < due:
                time.sleep(due - now)
            message = PublishEvents(events=(write(an_event(number)),))
            sent = time.perf_counter()
            answered = system.request_future("delivery", message)
            answered.add_done_callback(functools.partial(note, sent))
        while len(taken) < count:
            time.sleep(0.001)
    return statistics.quantiles(taken, n=100)[98] * 1e3


class Listening(RuntimeActor):
    """Counts what it hears."""

    def on_start(self) -> None:
        """Begin with none."""
        self._count = 0
        self._wanted, self._tell = self.settings

    @handles(EventPublished)
    def hear(self, _event: EventPublished, _sender: ActorAddress) -> None:
        """Count it, and say when it was the last one."""
        self._count += 1
        if self._count == self._wanted:
            self._count = 0
            self._tell()


def fast_lane(mailboxes: int) -> float:
    """Deliveries a second to so many mailboxes."""
    with InProcessSystem(InProcessSystemBase()) as system:
        system.start("journal", Silent)
        system.start("delivery", DeliveryActor, DeliverySettings())
        left = threading.Semaphore(0)
        for number in range(mailboxes):
            system.start(f"actor-{number}", Listening, (DELIVERIES // mailboxes, left.release))
            subscribed(system, f"actor-{number}", "**")
        messages = [publication(start) for start in range(0, DELIVERIES // mailboxes, GROUP)]
        rates = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            for message in messages:
                system.tell("delivery", message)
            for _ in range(mailboxes):
                left.acquire()
            rates.append(DELIVERIES / (time.perf_counter() - began))
    return statistics.median(rates)


def fast_floor(count_of: int) -> float:
    """Deliveries a second of a loop with so many deques."""
    mailboxes: list[deque[Any]] = [deque() for _ in range(count_of)]
    events = publication(0).events
    count = 0

    def hear(_event: Any) -> None:
        nonlocal count
        count += 1

    rates = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(DELIVERIES // count_of // GROUP):
            for event in events:
                for mailbox in mailboxes:
                    mailbox.append(event)
            for mailbox in mailboxes:
                while mailbox:
                    hear(mailbox.popleft())
        rates.append(DELIVERIES / (time.perf_counter() - began))
    return statistics.median(rates)


class Silent(RuntimeActor):
    """A journal that has nothing."""

    @handles(object)
    def hear(self, _message: object, sender: ActorAddress) -> None:
        """Answer that there is nothing."""
        self.send(sender, JournalPage(records=(), last_sequence=0))


def publication(start: int) -> PublishEvents:
    """A batch of the fast lane."""
    return PublishEvents(events=tuple(write(an_event(start + n)) for n in range(GROUP)), is_durable=False)


def subscribed(system: InProcessSystem, name: str, pattern: str) -> None:
    """Subscribe an actor."""
    answer = system.request("delivery", SubscribeEvents(subscriber=name, patterns=(pattern,)))
    assert isinstance(answer, EventsSubscribed), answer
    assert not answer.refusal, answer


def among(subscribers: int) -> float:
    """Seconds of one publication while there are so many subscribers, of which one hears it."""
    with InProcessSystem(InProcessSystemBase()) as system:
        system.start("journal", Silent)
        system.start("delivery", DeliveryActor, DeliverySettings())
        left = threading.Semaphore(0)
        system.start("actor-0", Listening, (PUBLISHED, left.release))
        subscribed(system, "actor-0", "**")
        for number in range(1, subscribers):
            subscribed(system, f"actor-{number}", f"events.Weighed.other-{number}")
        messages = [publication(start) for start in range(0, PUBLISHED, GROUP)]
        taken = []
        for _ in range(ROUNDS * 4):
            began = time.perf_counter()
            for message in messages:
                system.tell("delivery", message)
            left.acquire()
            taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def main() -> int:
    """Measure, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000)
    count = parser.parse_args().events
    with natya.tuned_process():
        return measure(count)


def measure(count: int) -> int:
    """Measure each beside its floor."""
    live, again, whole, half = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(ROUNDS):
            (where := Path(folder) / str(turn)).mkdir()
            for rates, rate in zip((live, again), safe_lane(where / "journal", count), strict=True):
                rates.append(rate)
            for rates, rate in zip((whole, half), plain(where, count), strict=True):
                rates.append(rate)
        acknowledged_ms = acknowledgement_ms_p99(Path(folder) / "journal", count)
    median = statistics.median
    return report(
        [
            Figure(
                name="events published durably and handled, 1,000 in flight",
                value=median(live),
                unit="events/s",
                floor=median(whole),
                floor_name="written and read by a loop",
                target=0.15,
                at_least=True,
            ),
            Figure(
                name=f"acknowledgement of an event at {RATE:,}/s, p99",
                value=acknowledged_ms,
                unit="ms",
                target=10.0,
            ),
            Figure(
                name="events replayed to a handler",
                value=median(again),
                unit="events/s",
                floor=median(half),
                floor_name="read by a loop",
                target=0.3,
                at_least=True,
            ),
            *(
                Figure(
                    name=f"fast lane: events delivered to {mailboxes}",
                    value=fast_lane(count),
                    unit="deliveries/s",
                    floor=fast_floor(count),
                    floor_name="deques and a call",
                    target=0.5,
                    at_least=True,
                )
                for mailboxes, count in (("1 mailbox", 1), (f"{MAILBOXES} mailboxes", MAILBOXES))
            ),
            Figure(
                name="publication to one of 10,000 subscribers with other patterns",
                value=among(10_000) * 1e3,
                unit="ms",
                floor=among(10) * 1e3,
                floor_name="to one of 10",
                target=1.1,
            ),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())

"""Durable delivery of events of which some are poison, and many dead letters.

    python benchmarks/bench_poison.py [--events 20000] [--letters 10000]      (make poison: 1,000,000 and 100,000)

Poison: one event of 100 makes its handler raise, twice, and is a dead letter then. Checked: every poisonous one is one
and has its bytes and its error, every other one was handled once. Target: 0.8 of the events a second without poison.
Letters: as many dead letters in the book. Target: a page of a hundred of them, filtered, in 100 ms; and a start that
has read them all again in 100 us a letter, since a system does not wait for it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

import msgspec
from bench_events import Delivering
from figures import Figure, report
from parcels import Weighed, an_event

import natya
from natya.domain.events.catalog import write
from natya.messages.delivery import DeliveryTerms, EventDeadLettered, ListDeadLetters
from natya.messages.journal import Append

ONE_OF = 100
GROUP = 100
IN_FLIGHT = 10
PAGES = 20
ROWS = 1_000
TERMS = DeliveryTerms(attempts_max=2, retry_first_s=0.0, retry_max_s=0.0, fail_max=1_000)


class Handler:
    """Counts what it handled, and raises for poison."""

    def __init__(self, *, has_poison: bool) -> None:
        self._has_poison, self.handled = has_poison, set[int]()
        self._guard = threading.Lock()

    def __call__(self, event: Weighed) -> None:
        """Handle one."""
        if self._has_poison and event.grams % ONE_OF == 0:
            raise ValueError("poison")
        with self._guard:
            assert event.grams not in self.handled, "once"
            self.handled.add(event.grams)


def delivered(directory: Path, count: int, *, has_poison: bool) -> float:
    """Events a second, from the first publication until all are handled or dead letters."""
    handler = Handler(has_poison=has_poison)
    with Delivering(directory) as system:
        system.subscriber.of(Weighed).handle_durably("bench", handler, terms=TERMS)
        waiting: deque[Any] = deque()
        began = time.perf_counter()
        for start in range(0, count, GROUP):
            waiting.append(system.publisher.publish_many(map(an_event, range(start, min(count, start + GROUP)))))
            if len(waiting) == IN_FLIGHT:
                waiting.popleft().result()
        for publishing in waiting:
            publishing.result()
        poison = set(range(0, count, ONE_OF)) if has_poison else set()
        while len(handler.handled) + system.statistics().dead_letters < count:
            time.sleep(0.01)
        taken_s = time.perf_counter() - began
        expect_letters(system, poison)
        assert handler.handled == set(range(count)) - poison
    return count / taken_s


def expect_letters(system: Delivering, poison: set[int]) -> None:
    """Every poisonous event is a dead letter with its bytes and why."""
    after, found = "", set[int]()
    while True:
        page: Any = system.request("delivery", ListDeadLetters(after=after, rows_max=ROWS))
        for letter in page.letters:
            grams = msgspec.msgpack.decode(letter.event.payload)["grams"]
            assert (letter.error, letter.reason, letter.attempts) == ("ValueError", "poison", 2), letter
            found.add(grams)
        if len(page.letters) < ROWS:
            break
        after = page.letters[-1].letter_id
    assert found == poison, len(found)


def a_letter(number: int) -> EventDeadLettered:
    """The n-th, of one of ten subscriptions."""
    return EventDeadLettered(
        letter_id=f"sub-{number % 10}-{number}",
        subscription=f"sub-{number % 10}",
        sequence=number,
        event=write(an_event(number)),
        error="ValueError",
        reason="poison",
        traceback="Traceback",
        attempts=2,
        first_failed_ns=time.time_ns(),
        last_failed_ns=time.time_ns(),
    )


def letters(directory: Path, count: int) -> tuple[float, float]:
    """Seconds of a filtered page, the worst of them; and of a start that reads all."""
    with Delivering(directory) as system:
        for start in range(0, count, 1_000):
            facts = tuple(map(a_letter, range(start, min(count, start + 1_000))))
            system.request("journal", Append(facts=facts), timeout_s=60)
    began = time.perf_counter()
    with Delivering(directory) as system:
        listed: Any = system.request("delivery", ListDeadLetters(rows_max=1), timeout_s=120)
        started_s = time.perf_counter() - began
        assert listed.found == count, listed.found
        pages, after = [], ""
        for _ in range(PAGES):
            began = time.perf_counter()
            page: Any = system.request("delivery", ListDeadLetters(subscription="sub-7", after=after, rows_max=100))
            pages.append(time.perf_counter() - began)
            after = page.letters[-1].letter_id if page.letters else ""
    return statistics.median(pages), started_s


def main() -> int:
    """Measure, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--letters", type=int, default=10_000)
    chosen = parser.parse_args()
    with natya.tuned_process(), tempfile.TemporaryDirectory() as folder:
        clean = delivered(Path(folder) / "clean", chosen.events, has_poison=False)
        poisoned = delivered(Path(folder) / "poisoned", chosen.events, has_poison=True)
        page_s, start_s = letters(Path(folder) / "letters", chosen.letters)
    return report(
        [
            Figure(
                name=f"{chosen.events:,} durable events, 1 of {ONE_OF} poison",
                value=poisoned,
                unit="events/s",
                floor=clean,
                floor_name="without poison",
                target=0.8,
                at_least=True,
            ),
            Figure(name=f"a page of {chosen.letters:,} dead letters", value=page_s * 1e3, unit="ms", target=100.0),
            Figure(name="a start that reads them, each", value=start_s / chosen.letters * 1e6, unit="us", target=100.0),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())

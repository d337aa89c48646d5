"""A journal, or the whole system, on a small disk of its own that fills up and empties again.

    python full_disk.py journal|system ROUNDS SEED

Each round fills the disk up to a drawn number of free bytes, works until an intent is refused for it, sees that what is
still owed is taken (outcomes of orders, a cancellation), gives the space back, and counts the seconds until all is as
before. Prints one line of JSON.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from natya_small_disks import Ballast, mount_small_disk, unmount

from natya.actors.journal import Journal, JournalFullError
from natya.actors.journal.tools import verify
from natya.actors.runtime import RequestTimedOut
from natya.config.loader import load_settings
from natya.messages.journal import Append, Appended, AppendRefused, ReadJournal
from natya.messages.orders import (
    CancelOrder,
    OrderAccepted,
    OrderCancelled,
    OrderIntended,
    OrderRefused,
    SubmitOrder,
)
from natya.messages.system import Ping, Pong, Statistics
from natya.system import TradingSystem

SEGMENT_BYTES = 65_536
SPACE_WITHIN_S = 30.0
"""Bound of every wait; how long it took is in the answer."""


def intent(number: int) -> OrderIntended:
    """Make a fact that opens a risk."""
    return OrderIntended(
        client_order_id=f"A-{number}",
        strategy="full",
        symbol="RELIANCE",
        side="BUY",
        quantity=1,
        order_type="MARKET",
        limit_price=None,
        occurred_ns=number,
    )


def outcome(number: int) -> OrderCancelled:
    """Make a fact that ends one."""
    return OrderCancelled(client_order_id=f"A-{number}", reason="asked", occurred_ns=number)


def seconds_until(condition) -> float:
    """Wait for it; how long it took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > SPACE_WITHIN_S:
            raise TimeoutError(f"what line {condition.__code__.co_firstlineno} asks for took {SPACE_WITHIN_S} s")
        time.sleep(0.01)
    return time.monotonic() - began


def journal_rounds(directory: Path, rounds: int, random: Random) -> dict[str, object]:
    """Fill the disk under a journal, again and again; it is never opened anew."""
    mount_small_disk(directory, (8 << 20) + rounds * 8 * SEGMENT_BYTES)  # what is written stays
    ballast, number, facts, recovered = Ballast(directory), 0, [], []
    journal = Journal(directory / "journal", now_ns=time.time_ns, segment_bytes=SEGMENT_BYTES)
    journal.open()

    def taken(fact) -> bool:
        try:
            journal.append((fact,))
            journal.commit()
        except JournalFullError:
            return False
        facts.append(fact)
        return True

    for _ in range(rounds):
        ballast.leave(random.randrange(4 * SEGMENT_BYTES))
        number += 1
        while taken(intent(number)):
            number += 1
        for _ in range(random.randrange(1, 100)):
            if not taken(outcome(number)):
                raise AssertionError(f"an outcome was refused, {number}")
        ballast.go()
        number += 1
        recovered.append(seconds_until(lambda number=number: taken(intent(number))))
    read = [record.fact for record in journal.view().page(0, 10_000_000).records]
    journal.close()
    return {
        "rounds": rounds,
        "facts": len(facts),
        "whole": read == facts and verify(directory / "journal").records == len(facts),
        "recovered_s": max(recovered),
    }


class Running:
    """A trading system on the small disk, and a user of it."""

    def __init__(self, directory: Path) -> None:
        overrides = {
            "system.data_dir": str(directory / "data"),
            "journal.segment_bytes": SEGMENT_BYTES,
            "feed.seed": 1,
            "control.enabled": False,
            "strategies": [],
        }
        self.system = TradingSystem(load_settings("paper", overrides=overrides))
        self.directory = directory
        self.number = self.orders = 0
        self.answer: object = None
        """To the order that was submitted last."""

    def until(self, condition) -> float:
        """Wait for it; how long it took. If it takes too long, say how the system and its disk are."""
        try:
            return seconds_until(condition)
        except TimeoutError as late:
            raise TimeoutError(f"{late}:\n{self.told()}") from None

    def told(self) -> str:
        """Where each thread is, what was answered last, and how the disk and every actor are."""
        faulthandler.dump_traceback()
        disk = os.statvfs(self.directory)
        sizes = {path.name: path.stat().st_size for path in self.directory.rglob("*") if path.is_file()}
        segments = [size for name, size in sizes.items() if name[0].isdigit()]
        lines = [
            f"of {disk.f_blocks * disk.f_bsize} bytes {disk.f_bavail * disk.f_bsize} are free",
            f"{len(segments)} files of segments with {sum(segments)} bytes, and besides",
            *(f"  {name}: {size}" for name, size in sorted(sizes.items()) if not name[0].isdigit()),
            f"the last order was answered {self.answer}",
            *(f"  {child}" for child in self.system.supervision_tree().children),
        ]
        for actor in ("journal", "orders", "database", "events", "exchange", "broker", "feed"):
            with contextlib.suppress(RequestTimedOut):
                lines.append(f"  {self.system.request(actor, Ping(), timeout_s=5)}")
        return "\n".join(lines)

    def accepted_order(self) -> int:
        """Submit one, and wait until the exchange has it; its number."""
        self.orders += 1
        self.until(lambda: isinstance(self.submit(self.orders), OrderAccepted))
        return self.orders

    def fill_journal(self) -> None:
        """Append intents until one is refused."""
        while isinstance(answer := self.append(intent(self.number)), Appended):
            self.number += 1
        if not isinstance(answer, AppendRefused):
            raise AssertionError(f"AppendRefused wanted, found {answer}")  # noqa: TRY004  not a wrong argument

    def refuses(self, ballast: Ballast) -> bool:
        """Whether an order is refused. A log that the database was done with may have given space back meanwhile."""
        ballast.leave(0)
        self.fill_journal()
        answer = self.submit(self.orders + 1)
        if isinstance(answer, OrderAccepted):
            self.cancel(self.orders + 1)
            self.orders += 1
        return isinstance(answer, OrderRefused)

    def append(self, fact) -> object:
        """Ask the journal's actor."""
        return self.system.request("journal", Append(facts=(fact,), correlation_id=fact.client_order_id), timeout_s=20)

    def submit(self, number: int) -> object:
        """Submit an order that will rest at the exchange, or ask what became of it; None when nobody says."""
        order = SubmitOrder(
            client_order_id=f"order-{number}",
            strategy="full",
            symbol="RELIANCE",
            side="BUY",
            quantity=1,
            order_type="LIMIT",
            limit_price=1.0,
        )
        self.answer = None
        with contextlib.suppress(RequestTimedOut):
            self.answer = self.system.request("orders", order, timeout_s=0.05)
        return self.answer

    def cancel(self, number: int) -> None:
        """Ask for it; a fact will tell."""
        with contextlib.suppress(RequestTimedOut):
            self.system.request("orders", CancelOrder(client_order_id=f"order-{number}"), timeout_s=0.001)

    def counts(self, actor: str) -> Statistics:
        """What an actor counts; it answers, so it is alive."""
        pong = self.system.request(actor, Ping(), timeout_s=20)
        if not isinstance(pong, Pong):
            raise AssertionError(f"Pong of {actor} wanted, found {pong}")  # noqa: TRY004  not a wrong argument
        return pong.statistics

    def restarts(self) -> int:
        """How often any actor was restarted."""
        return sum(child.restarts for child in self.system.supervision_tree().children)

    def is_current(self) -> bool:
        """Whether the read model has all that the journal has."""
        pong = self.system.request("database", Ping(), timeout_s=20)  # down, it may answer so
        newest = self.system.request("journal", ReadJournal(records_max=0), timeout_s=20).last_sequence
        return isinstance(pong, Pong) and pong.statistics.projected_sequence == newest


def system_rounds(directory: Path, rounds: int, random: Random) -> dict[str, object]:
    """Fill the disk under the whole system, again and again; it is never started anew."""
    mount_small_disk(directory, (64 << 20) + rounds * 16 * SEGMENT_BYTES)  # what is written stays
    ballast, running, recovered = Ballast(directory), Running(directory), []
    with running.system:
        running.until(lambda: "RELIANCE" in running.counts("feed").last_prices)
        for _ in range(rounds):
            resting = running.accepted_order()
            ballast.leave(random.randrange(1 << 20))
            running.fill_journal()
            ballast.leave(0)
            time.sleep(random.uniform(0, 1))  # nothing is awaited: the database may meet the full disk, or not
            running.until(lambda: running.refuses(ballast))
            running.cancel(resting)
            running.until(lambda resting=resting: isinstance(running.submit(resting), OrderCancelled))
            for actor in ("journal", "orders", "events", "broker", "feed"):
                running.counts(actor)
            ballast.go()
            began = time.monotonic()
            fresh = running.accepted_order()
            running.until(running.is_current)
            recovered.append(time.monotonic() - began)
            running.cancel(fresh)
        restarts = running.restarts()
    return {"rounds": rounds, "restarts": restarts, "recovered_s": max(recovered)}


def main(what: str, rounds: int, seed: int) -> None:
    """Run one of both."""
    logging.disable()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        run = {"journal": journal_rounds, "system": system_rounds}[what]
        try:
            print(json.dumps(run(directory, rounds, Random(seed))))  # noqa: T201
        finally:
            unmount(directory)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

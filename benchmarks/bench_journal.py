"""The journal against a bare file: one durable record alone, a thousand writers in flight, and the archive.

    python benchmarks/bench_journal.py [--records 2000] [--appends 200000]

Floors and targets: one durable record (append, commit) at most 1.3 times the p50 of writing the same bytes to a
preallocated file with `fdatasync`, in turn with it; from 1,000 writers that each wait for the answer to their last
append, through the journal's actor, 0.15 of the records a second that a loop encodes, checksums and writes in groups of
the same size, without actors, answers or an index. Reason: every order waits for the first before it may leave; the
second is what a busy system of many strategies asks for, with room for the rest of it on the same two cores.
The longest that one of 20 writers waits while segments are closed and archived all the time, at most 3 times as long
as while they are only closed: compression may not hold up orders.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
import zlib
from collections import deque
from pathlib import Path
from statistics import median

import msgspec
from figures import Figure, report

from natya.actors.journal import Journal, JournalActor
from natya.actors.runtime import ActorAddress, InProcessSystem, RuntimeActor, handles
from natya.config.sections.journal import JournalSettings
from natya.messages.journal import Append, Appended, Journaled
from natya.messages.orders import OrderIntended

WRITERS = 1_000
SEGMENT_BYTES = 64 << 20

FACT = OrderIntended(
    client_order_id="crossover-000001",
    strategy="crossover",
    symbol="RELIANCE",
    side="BUY",
    quantity=25,
    order_type="LIMIT",
    limit_price=2_843.55,
    occurred_ns=1_700_000_000_000_000_000,
)


def one_durable_record(directory: Path, records: int) -> tuple[float, float]:
    """Medians in microseconds: through the journal, and through a bare file, in turn: both meet the same disk."""
    journal = Journal(directory / "one", now_ns=time.time_ns, segment_bytes=SEGMENT_BYTES)
    journal.open()
    journal.append((FACT,), FACT.client_order_id)
    journal.commit()
    data = os.urandom(journal.bytes_written)
    bare = os.open(directory / "bare", os.O_RDWR | os.O_CREAT)
    os.posix_fallocate(bare, 0, SEGMENT_BYTES)
    os.fsync(bare)
    ours, theirs = [], []
    for index in range(records):
        began = time.perf_counter_ns()
        journal.append((FACT,), FACT.client_order_id)
        journal.commit()
        ours.append(time.perf_counter_ns() - began)
        journal.take_durable()
        began = time.perf_counter_ns()
        os.pwrite(bare, data, index * len(data))
        os.fdatasync(bare)
        theirs.append(time.perf_counter_ns() - began)
    os.close(bare)
    journal.close()
    return median(ours) / 1_000, median(theirs) / 1_000


class Begin(msgspec.Struct, frozen=True):
    """To the writers: append so many records, so many at a time; answered by `Done`."""

    appends: int
    writers: int


class Done(msgspec.Struct, frozen=True):
    """All of them are durable."""

    longest_ns: int
    """What one of them took."""


class Writers(RuntimeActor):
    """As many writers as there are appends in flight; each sends its next when its last is durable."""

    @handles(Begin)
    def begin(self, request: Begin, sender: ActorAddress) -> None:
        """Send the first of each writer."""
        self._asker = sender
        self._unsent = self._unanswered = request.appends
        self._sent_ns: deque[int] = deque()
        self._longest_ns = 0
        for _ in range(min(request.writers, request.appends)):
            self._append()

    @handles(Appended)
    def appended(self, _: Appended, __: ActorAddress) -> None:
        """Send the next one; answers come in the order of the appends."""
        self._longest_ns = max(self._longest_ns, self.clock.monotonic_ns() - self._sent_ns.popleft())
        self._unanswered -= 1
        if self._unsent:
            self._append()
        elif not self._unanswered:
            self.send(self._asker, Done(self._longest_ns))

    def _append(self) -> None:
        self._unsent -= 1
        self._sent_ns.append(self.clock.monotonic_ns())
        self.send("journal", Append(facts=(FACT,), correlation_id=FACT.client_order_id))


class Events(RuntimeActor):
    """Hears of every commit and keeps nothing."""

    @handles(Journaled)
    def hear(self, _: Journaled, __: ActorAddress) -> None:
        """Let it go."""


def many_writers(directory: Path, appends: int) -> tuple[float, float]:
    """Records a second, and records a commit, through the actor."""
    settings = JournalSettings.default(path=str(directory / "many"), segment_bytes=SEGMENT_BYTES)
    elapsed_s, _, commits = written(settings, Begin(appends, WRITERS))
    return appends / elapsed_s, appends / commits


def bare_groups_per_s(directory: Path, records: int, group: int) -> float:
    """Records a second that a loop writes, of which each group is durable before the next."""
    encoder = msgspec.msgpack.Encoder()
    file = os.open(directory / "groups", os.O_RDWR | os.O_CREAT)
    os.posix_fallocate(file, 0, SEGMENT_BYTES)
    os.fsync(file)
    began, at = time.perf_counter(), 0
    for first in range(0, records, group):
        parts = []
        for _ in range(min(group, records - first)):
            data = encoder.encode(FACT)
            parts += [zlib.crc32(data).to_bytes(4, "little"), data]
        data = b"".join(parts)
        at += os.pwrite(file, data, at % (SEGMENT_BYTES // 2))
        os.fdatasync(file)
    elapsed_s = time.perf_counter() - began
    os.close(file)
    return records / elapsed_s


def longest_wait_ms(directory: Path, appends: int, *, archived: bool) -> float:
    """Milliseconds that the slowest of 20 writers waited, while segments of 1 MB are closed, and perhaps archived."""
    settings = JournalSettings.default(
        path=str(directory / f"archived-{archived}"), segment_bytes=1 << 20, plain_segments_max=1 if archived else 1_000
    )
    return written(settings, Begin(appends, 20))[1] / 1e6


def written(settings: JournalSettings, begin: Begin) -> tuple[float, int, int]:
    """Seconds for all of them, nanoseconds for the slowest, and how many commits it took."""
    with InProcessSystem() as system:
        system.start("events", Events)
        system.start("journal", JournalActor, settings)
        system.start("writers", Writers)
        began = time.perf_counter()
        done: Done = system.request("writers", begin, timeout_s=600)
        elapsed_s = time.perf_counter() - began
        statistics = system.stop("journal")
    if statistics is None or statistics.records != begin.appends:
        raise SystemExit(f"{begin.appends} records wanted, found {statistics}")
    return elapsed_s, done.longest_ns, statistics.commits


def main(arguments: list[str] | None = None) -> int:
    """Measure all of it; 0 when the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=2_000, help="durable records, one at a time")
    parser.add_argument("--appends", type=int, default=200_000, help="records of all writers")
    parser.add_argument("--rounds", type=int, default=3, help="of the writers; medians count")
    parser.add_argument("--directory", type=Path, help="where the files lie; by default the system's temporary one")
    options = parser.parse_args(arguments)
    rounds = []
    with tempfile.TemporaryDirectory(dir=options.directory) as temporary:
        root = Path(temporary)
        ours_us, bare_us = one_durable_record(root, options.records)
        for number in range(options.rounds):
            directory = root / str(number)
            directory.mkdir()
            records_per_s, group = many_writers(directory, options.appends)
            bare_per_s = bare_groups_per_s(directory, options.appends, round(group))
            archived_ms = longest_wait_ms(directory, options.appends // 4, archived=True)
            closed_ms = longest_wait_ms(directory, options.appends // 4, archived=False)
            rounds.append((records_per_s, bare_per_s, archived_ms, closed_ms))
    records_per_s, bare_per_s, archived_ms, closed_ms = map(statistics.median, zip(*rounds, strict=True))
    return report(
        [
            Figure(
                name="one durable record",
                value=ours_us,
                unit="us",
                floor=bare_us,
                floor_name="bare fdatasync",
                target=1.3,
            ),
            Figure(
                name=f"{WRITERS:,} writers",
                value=records_per_s,
                unit="records/s",
                floor=bare_per_s,
                floor_name="loop with fdatasync",
                target=0.15,
                at_least=True,
            ),
            Figure(
                name="longest wait of 20 writers, segments archived",
                value=archived_ms,
                unit="ms",
                floor=closed_ms,
                floor_name="segments only closed",
                target=3,
            ),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())

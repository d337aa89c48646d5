"""Journal and database under load, killed at any moment: what was acknowledged is there once, and nothing by half.

`make kills` runs it for longer: KILLS and KILLS_SEED are how often, and at which moments.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
from natya_starts import Forked

from natya.actors.database import DuckDBAdapter
from natya.actors.database.writing.read_model import ReadModel
from natya.actors.journal import Journal
from natya.actors.journal.tools import verify

WRITER = Path(__file__).with_name("acknowledging.py")
KILLS = int(os.environ.get("KILLS", "3"))
SEED = int(os.environ.get("KILLS_SEED", "1"))
BURST_TICKS = 50


class Acknowledged:
    """How far the journal and the market were acknowledged."""

    def __init__(self):
        self.journal = self.market = self.lines = 0

    def hear(self, line):
        what, sequence = line.decode().split()
        setattr(self, what, max(getattr(self, what), int(sequence)))
        self.lines += 1


def killed(directory, acknowledged, *, after_lines, wait_s):
    """Run the load until it has acknowledged a little, and a random moment longer."""
    with Forked([sys.executable, WRITER, directory], stdout=subprocess.PIPE) as process:
        try:
            for _ in range(after_lines):
                line = process.stdout.readline()
                assert line.endswith(b"\n"), "the writer ended by itself"
                acknowledged.hear(line)
            time.sleep(wait_s)  # the moment of the kill is drawn, nothing is awaited
        finally:
            process.send_signal(signal.SIGKILL)
        for line in process.stdout.read().splitlines(keepends=True):
            if line.endswith(b"\n"):
                acknowledged.hear(line)


def facts_of(directory):
    """Open the journal as a start does; give its facts as numbers, and how many each append had."""
    journal = Journal(directory / "journal", now_ns=time.time_ns, segment_bytes=65_536)
    journal.open()
    try:
        facts = [record.fact for record in journal.view().page(0, 10_000_000).records]
    finally:
        journal.close()
    return [int(fact.client_order_id[2:]) for fact in facts], [fact.occurred_ns for fact in facts]


def assert_journal_is_whole(directory, acknowledged):
    numbers, sizes = facts_of(directory)

    assert len(numbers) >= acknowledged
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(sizes) % 6 in {0, 1, 3}  # whole appends of 1, 2 and 3 facts
    assert sizes == ([1, 2, 2, 3, 3, 3] * (len(sizes) // 6 + 1))[: len(sizes)]
    return len(numbers)


def assert_database_is_whole(directory, acknowledged, journaled):
    with DuckDBAdapter(directory / "natya.duckdb", max_connections=3) as database:
        ((ticks, highest),) = database.query("select count(*), coalesce(max(sequence), 0) from ticks").rows
        ((facts, newest),) = database.query("select count(*), coalesce(max(sequence), 0) from facts").rows
        projected = ReadModel(database).sequence()

    assert ticks == highest >= acknowledged
    assert facts == newest == projected <= journaled


class TestALoadThatIsKilled:
    @pytest.mark.timeout(20 * (KILLS + 4))
    def test_leaves_all_that_it_acknowledged_once_and_nothing_by_half(self, tmp_path):
        random, acknowledged = Random(SEED), Acknowledged()
        for number in range(KILLS):
            killed(tmp_path, acknowledged, after_lines=random.randint(0, 60), wait_s=random.uniform(0, 0.2))
            journaled = assert_journal_is_whole(tmp_path, acknowledged.journal)
            assert_database_is_whole(tmp_path, acknowledged.market, journaled)
            if number % 50 == 0:
                assert verify(tmp_path / "journal").records == journaled
        print(  # noqa: T201
            f"seed {SEED}: {KILLS} kills, {acknowledged.lines} acknowledgements, "
            f"{acknowledged.journal} facts and {acknowledged.market} ticks: each there once"
        )

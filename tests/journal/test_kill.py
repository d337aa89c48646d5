"""A process that writes and acknowledges through a pipe is killed at any moment: what it acknowledged is there."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from pathlib import Path
from random import Random

import pytest
from natya_starts import Python

from natya.actors.journal import Journal

pytestmark = pytest.mark.systems

WRITER = """
import os, sys, time
from pathlib import Path
from natya.actors.journal import Journal
from natya.messages.orders import OrderExpired

journal = Journal(Path(sys.argv[1]), now_ns=time.time_ns, segment_bytes=65_536)
journal.open()
number = journal.last_sequence
while True:
    for size in (1, 3, 2):
        facts = []
        for _ in range(size):
            number += 1
            facts.append(OrderExpired(client_order_id=f"A-{number}", reason="x" * (number % 700), occurred_ns=size))
        ticket = journal.append(tuple(facts), f"A-{number}")
    journal.commit()
    os.write(1, ticket.last_sequence.to_bytes(8, "little"))
"""
KILLS = 6


def killed_writer(directory, *, after_bytes, wait_s):
    """Run the writer until it has acknowledged a little, and a random moment longer; returns what it acknowledged."""
    process = Python([WRITER, str(directory)], stdout=subprocess.PIPE)
    out = process.stdout.fileno()
    answers = b""
    while len(answers) < after_bytes:
        part = os.read(out, 65_536)
        assert part, "the writer ended by itself"
        answers += part
    select.select([], [], [], wait_s)
    process.send_signal(signal.SIGKILL)
    while part := os.read(out, 65_536):
        answers += part
    process.wait()
    process.stdout.close()
    whole = len(answers) // 8 * 8
    return int.from_bytes(answers[whole - 8 : whole], "little")


class TestKilledAtAnyMoment:
    def test_every_acknowledged_record_is_there_once_and_none_by_half(self, tmp_path):
        random = Random(4)
        directory = Path(tmp_path / "journal")
        last = 0
        for _ in range(KILLS):
            acknowledged = killed_writer(directory, after_bytes=8 * random.randint(1, 60), wait_s=random.random() / 100)
            journal = Journal(directory, now_ns=time.time_ns, segment_bytes=65_536)
            journal.open()
            records = journal.view().page(last, 1_000_000).records
            journal.close()

            assert journal.last_sequence >= acknowledged > last
            assert [record.fact.client_order_id for record in records] == [
                f"A-{number}" for number in range(last + 1, journal.last_sequence + 1)
            ]
            assert [record.fact.occurred_ns for record in records] == [1, 3, 3, 3, 2, 2] * (len(records) // 6) + [
                1,
                3,
                3,
                3,
            ][: len(records) % 6]
            last = journal.last_sequence

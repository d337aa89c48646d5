"""Durable delivery, killed at any moment: each acknowledged event has its effect once, in order for each aggregate.

`make kills` runs it for longer: KILLS and KILLS_SEED are how often, and at which moments.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from random import Random

import pytest
from natya_starts import Forked, run_forked

PROGRAM = Path(__file__).with_name("delivering.py")
KILLS = int(os.environ.get("KILLS", "3"))
SEED = int(os.environ.get("KILLS_SEED", "1"))
SETTLE_S = 30


def killed(directory, acknowledged, *, after_lines, wait_s):
    """Publish until a little more is acknowledged, and a random moment longer; return up to which number all are."""
    command = [sys.executable, PROGRAM, directory, str(acknowledged + 1)]
    with Forked(command, stdout=subprocess.PIPE) as process:
        try:
            for _ in range(after_lines):
                line = process.stdout.readline()
                assert line.endswith(b"\n"), "the publisher ended by itself"
                acknowledged = int(line.split()[1])
            time.sleep(wait_s)  # the moment of the kill is drawn, nothing is awaited
        finally:
            process.send_signal(signal.SIGKILL)
        for line in process.stdout.read().splitlines(keepends=True):
            if line.endswith(b"\n"):
                acknowledged = int(line.split()[1])
    return acknowledged


def effects_of(directory, subscription):
    """Return the numbers that had their effect, by aggregate, in the order in which they had it."""
    effects = defaultdict(list)
    for line in (directory / subscription).read_text().splitlines():
        key, number, _ = line.split()
        effects[key].append(int(number))
    return effects


class TestADeliveryThatIsKilled:
    @pytest.mark.timeout(20 * (KILLS + 4))
    def test_has_each_acknowledged_event_handled_once_and_in_order(self, tmp_path):
        random, acknowledged = Random(SEED), 0
        for _ in range(KILLS):
            acknowledged = killed(
                tmp_path, acknowledged, after_lines=random.randint(0, 300), wait_s=random.uniform(0, 0.1)
            )
        assert run_forked(PROGRAM, tmp_path, "settle", timeout=SETTLE_S).returncode == 0

        for subscription in ("steady", "moody"):
            effects = effects_of(tmp_path, subscription)
            had = [number for numbers in effects.values() for number in numbers]
            assert len(had) == len(set(had))
            assert set(range(1, acknowledged + 1)) <= set(had)
            assert all(numbers == sorted(numbers) for numbers in effects.values())
        print(f"seed {SEED}: {KILLS} kills, {acknowledged} events acknowledged, two effects of each")  # noqa: T201

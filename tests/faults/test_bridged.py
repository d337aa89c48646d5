"""Two systems and the server between them, killed at any moment: each acknowledged event has its effect once at both.

`make kills` runs it for longer: KILLS and KILLS_SEED are how often, and at which moments.
"""

import os
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from random import Random

import pytest
from natya_redis import Server
from natya_starts import Forked

PROGRAM = Path(__file__).with_name("bridging.py")
KILLS = int(os.environ.get("KILLS", "1"))
SEED = int(os.environ.get("KILLS_SEED", "1"))
NODES = ("mumbai", "pune")
SETTLE_S = 60


class Process:
    """One life of a node; `acknowledged` is up to which number its events are, when it has ended."""

    def __init__(self, directory, port, node, wanted):
        self.node = node
        command = [sys.executable, PROGRAM, directory, str(port), node, str(wanted)]
        self._process = Forked(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def await_lines(self, count):
        for _ in range(count):
            assert self._process.stdout.readline().endswith(b"\n"), "the publisher ended by itself"

    def kill(self, acknowledged):
        self._process.kill()
        out, _ = self._process.communicate()
        told = [int(line.split()[1]) for line in out.splitlines(keepends=True) if line.endswith(b"\n")]
        return max([acknowledged, *told])

    def settle(self):
        self._process.communicate(timeout=SETTLE_S)
        assert self._process.returncode == 0


def expect_effects(text, acknowledged):
    """Each acknowledged event of both nodes once, those of a key in order."""
    lines = [line.split() for line in text.splitlines()]
    ids = [event_id for _, _, event_id in lines]
    by_key = defaultdict(list)
    for key, number, _ in lines:
        by_key[key].append(int(number))

    assert len(ids) == len(set(ids))
    for other in NODES:
        assert {f"{other}-{number}" for number in range(1, acknowledged[other] + 1)} <= set(ids)
    assert all(numbers == sorted(numbers) for numbers in by_key.values())


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path / "server").start()
    yield server
    server.kill()


class TestTwoSystemsAndTheirServer:
    @pytest.mark.timeout(20 * (KILLS + 6))
    def test_killed_lose_and_double_nothing_and_keep_the_order(self, tmp_path, server):
        random, acknowledged = Random(SEED), dict.fromkeys(NODES, 0)
        running = {node: Process(tmp_path, server.port, node, 1) for node in NODES}
        for each in running.values():
            each.await_lines(1)
        for number in range(KILLS):
            time.sleep(random.uniform(0, 0.2))  # the moment of the kill is drawn, nothing is awaited
            victim = ("mumbai", "server", "pune")[number % 3]
            if victim == "server":
                server.kill()
                if random.random() < 0.3:
                    server.lose_everything()
                server.start()
                continue
            acknowledged[victim] = running[victim].kill(acknowledged[victim])
            running[victim] = Process(tmp_path, server.port, victim, acknowledged[victim] + 1)
            running[victim].await_lines(random.randint(1, 40))
        for node in NODES:
            acknowledged[node] = running[node].kill(acknowledged[node])
        settling = [Process(tmp_path, server.port, node, "settle") for node in NODES]
        for each in settling:  # each needs the other to confirm what it sends
            each.await_lines(1)
        for each in settling:
            each.settle()

        for node in NODES:
            expect_effects((tmp_path / f"{node}.effects").read_text(), acknowledged)
        print(f"seed {SEED}: {KILLS} kills, {acknowledged} events acknowledged, an effect of each at both")  # noqa: T201

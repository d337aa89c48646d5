"""Three systems and the server between them under every fault: each acknowledged event has its effect once at all.

`make rounds` runs it for longer: ROUNDS, ROUNDS_SEED and ROUNDS_HANG_S are how many faults there are, which
and when, and for how long something hangs at most.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path
from random import Random

import pytest
from natya_redis import Server
from natya_starts import Forked
from natya_wire_faults import FaultyWay

PROGRAM = Path(__file__).with_name("bridging.py")
ROUNDS = int(os.environ.get("ROUNDS", "9"))
SEED = int(os.environ.get("ROUNDS_SEED", "1"))
HANG_S = float(os.environ.get("ROUNDS_HANG_S", "1.5"))
NODES = ("mumbai", "pune", "nagpur")
STUCK_S = 30
"""Nothing may be stuck for longer after the last fault."""


class Process:
    """One life of a node; `acknowledged` is up to which number its events are."""

    def __init__(self, directory, port, node, wanted, acknowledged=0):
        self.acknowledged = acknowledged
        self._said = threading.Condition()
        self._lines, self._is_settled = 0, False
        command = [sys.executable, PROGRAM, directory, str(port), ",".join(NODES), node, str(wanted)]
        self._process = Forked(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def _listen(self):
        for line in self._process.stdout:
            if not line.endswith(b"\n"):
                break
            with self._said:
                self._lines += 1
                self._is_settled = line == b"settled\n"
                if line.startswith(b"published"):
                    self.acknowledged = max(self.acknowledged, int(line.split()[1]))
                self._said.notify_all()

    def await_lines(self, count, timeout=STUCK_S):
        with self._said:
            assert self._said.wait_for(lambda: self._lines >= count, timeout), f"{self._lines} lines, {count} wanted"

    def await_settled(self):
        """Until nothing waits there; as long as that takes, something has to move."""
        while not self._is_settled:
            self.await_lines(self._lines + 1, STUCK_S)

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._listening.join()
        self._process.stdout.close()
        self._process.stdin.close()
        return self.acknowledged

    @contextlib.contextmanager
    def hanging(self):
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def settle(self, timeout):
        self._process.stdin.close()
        assert self._process.wait(timeout) == 0
        self._listening.join()
        self._process.stdout.close()


class Stage:
    """The nodes, the server, the way to it, and what can happen to each; `seen` counts what did."""

    def __init__(self, directory, seed):
        self.directory, self.random = directory, Random(seed)
        self.server = Server(directory / "server", "--aof-load-truncated", "yes").start()
        self.way = FaultyWay(self.server.port)
        self.older = directory / "older"
        self.seen = Counter()
        self.running = {node: self.begin(node, 0) for node in NODES}

    def begin(self, node, acknowledged):
        return Process(self.directory, self.way.port, node, acknowledged + 1, acknowledged)

    def for_a_while(self):
        """How long something hangs: mostly moments, now and then as long as it may."""
        time.sleep(HANG_S * self.random.random() ** 4)

    def a_node_is_killed(self):
        node = self.random.choice(NODES)
        self.running[node] = self.begin(node, self.running[node].kill())
        self.running[node].await_lines(self.random.randint(0, 20))

    def a_node_hangs(self):
        with self.running[self.random.choice(NODES)].hanging():
            self.for_a_while()

    def the_server_is_killed(self):
        self.server.kill()
        self.server.start()

    def the_server_loses_everything(self):
        self.server.kill()
        self.server.lose_everything()
        self.server.start()

    def the_server_is_replaced_by_one_that_is_behind(self):
        """What it had acknowledged since the copy was made is lost."""
        shutil.rmtree(self.older, ignore_errors=True)
        shutil.copytree(self.server.directory, self.older)
        time.sleep(self.random.uniform(0, 0.2))
        self.server.kill()
        self.server.lose_everything()
        shutil.copytree(self.older, self.server.directory)
        self.server.start()

    def the_server_hangs(self):
        with self.server.hanging():
            self.for_a_while()

    def the_way_hangs(self):
        with self.way.hanging():
            self.for_a_while()

    def the_way_is_cut(self):
        self.way.cut()

    def answers_are_lost(self):
        with self.way.without_answers():
            time.sleep(self.random.uniform(0.05, 0.3))

    FAULTS = (
        *(a_node_is_killed, a_node_hangs, the_server_is_killed, the_server_loses_everything, the_way_is_cut),
        *(the_server_is_replaced_by_one_that_is_behind, the_server_hangs, the_way_hangs, answers_are_lost),
    )

    def play(self, rounds):
        """Let each fault happen as often as the others, in an order that is drawn, at moments that are drawn."""
        for each in self.running.values():
            each.await_lines(1)
        to_come = []
        for _ in range(rounds):
            to_come = to_come or self.random.sample(self.FAULTS, len(self.FAULTS))
            time.sleep(self.random.uniform(0, 0.2))  # nothing is awaited
            fault = to_come.pop()
            fault(self)
            self.seen[fault.__name__] += 1

    def settle(self):
        """Publish no more; return how long it takes until nothing waits, and up to which number each acknowledged."""
        acknowledged = {node: each.kill() for node, each in self.running.items()}
        began_s = time.monotonic()
        self.running = {node: Process(self.directory, self.way.port, node, "settle") for node in NODES}
        for each in self.running.values():  # each needs the others to confirm what it sends
            each.await_settled()
        took_s = time.monotonic() - began_s
        for each in self.running.values():
            each.settle(STUCK_S)
        self.running = {}
        return took_s, acknowledged

    def close(self):
        for each in self.running.values():
            each.kill()
        self.way.close()
        self.server.kill()


def expect_effects(text, acknowledged):
    """Each acknowledged event of all nodes once, those of a key in order."""
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
def stage(tmp_path):
    with contextlib.closing(Stage(tmp_path, SEED)) as stage:
        yield stage


class TestThreeSystemsAndTheirServer:
    @pytest.mark.timeout((3 + HANG_S) * ROUNDS + 120)
    def test_that_are_killed_hang_and_are_cut_lose_and_double_nothing_and_keep_the_order(self, tmp_path, stage):
        stage.play(ROUNDS)
        took_s, acknowledged = stage.settle()

        assert set(acknowledged) == set(NODES)
        assert all(acknowledged.values())
        for node in NODES:
            expect_effects((tmp_path / f"{node}.effects").read_text(), acknowledged)
        assert stage.seen.total() == ROUNDS
        print(f"seed {SEED}: {dict(stage.seen)}, settled in {took_s:.1f} s; {acknowledged} had their effect everywhere")  # noqa: T201

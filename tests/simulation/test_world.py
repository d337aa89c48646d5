"""The whole paper system under faults; `make sim` plays a thousand seeds of it."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from natya_scenario import a_scenario
from natya_world import World, without_faults

FAULTY = (7, 64, 132, 4067)
"""Seeds of many faults, power cuts among them."""

DIGESTS = "import sys; from natya_world import World; [print(World(int(seed)).run().digest()) for seed in sys.argv[1:]]"


@pytest.mark.parametrize("seed", range(24))
def test_the_world_keeps_its_promises(seed):
    assert World(seed).run().violations() == []


@pytest.fixture
def others():
    """Two interpreters that play the faulty seeds, each with hashes of its own."""
    command = [sys.executable, "-c", DIGESTS, *map(str, FAULTY)]
    with contextlib.ExitStack() as running:
        playing = []
        for hash_seed in ("1", "2"):
            environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "PYTHONHASHSEED": hash_seed}
            process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
            playing.append(running.enter_context(process))
            running.callback(process.kill)
        yield playing


def test_two_processes_write_the_same_journal_of_one_seed_to_the_last_byte(others):
    worlds = [World(seed).run() for seed in FAULTY]
    first, second = (process.communicate(timeout=50)[0].split() for process in others)

    assert sum(world.lives for world in worlds) > len(FAULTY)
    assert all(world.injected for world in worlds)
    assert first == second == [world.digest() for world in worlds]


def test_a_world_without_faults_trades():
    world = World(3, without_faults(a_scenario(3))).run()

    assert world.violations() == []
    assert not world.injected
    assert world.statistics["orders"].fills > 0

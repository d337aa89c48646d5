"""The whole paper system under faults; `make sim` plays a thousand seeds of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from natya_seeds import a_scenario, a_world, without_faults

from natya.testing.world import World

FAULTY = (75,)
"""A seed of many faults, power cuts among them."""

DIGESTS = (
    "import sys; from natya_seeds import a_world; [print(a_world(int(seed)).run().digest()) for seed in sys.argv[1:]]"
)


@pytest.mark.parametrize("seed", range(4))
def test_the_world_keeps_its_promises(seed):
    assert a_world(seed).run().violations() == []


@pytest.fixture
def other():
    """An interpreter that plays the faulty seeds, with hashes of its own."""
    command = [sys.executable, "-c", DIGESTS, *map(str, FAULTY)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "PYTHONHASHSEED": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_two_processes_write_the_same_journal_of_one_seed_to_the_last_byte(other):
    worlds = [a_world(seed).run() for seed in FAULTY]
    others = other.communicate(timeout=200)[0].split()

    assert sum(world.lives for world in worlds) > len(FAULTY)
    assert all(world.injected for world in worlds)
    assert others == [world.digest() for world in worlds]


def test_a_world_without_faults_trades():
    world = World(3, without_faults(a_scenario(3))).run()

    assert world.violations() == []
    assert not world.injected
    assert world.statistics["orders"].fills > 0

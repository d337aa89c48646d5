"""`make sim`: plays many seeds of a world on all processors; `make sim SEED=n` plays one and tells what happened.

`make sim-dhan` plays the world in which the broker is Dhan, reached by HTTP; `make sim-events` durable delivery.
"""

import argparse
import logging
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections import Counter
from functools import partial

from natya_dhan_world import DhanWorld
from natya_events_world import EVENTS_PATH, EventsWorld
from natya_seeds import a_world

from natya.testing.order_path import DHAN_PATH, PAPER_PATH

WORLDS = {"paper": a_world, "dhan": DhanWorld, "events": EventsWorld}
PATHS = {"paper": PAPER_PATH, "dhan": DHAN_PATH, "events": EVENTS_PATH}
TARGETS = {"paper": "sim", "dhan": "sim-dhan", "events": "sim-events"}

PLAY_CPU_S_MAX = 30
PLAY_S_MAX = 600
"""Seconds, of the processor and of the clock, after which a seed has hung; a machine may be busy with other things."""

KILLS_IN_A_STEP = 20
"""So often a whole run kills the process in each step of an order's path."""

TWICE_EVERY = 20
"""One seed of so many is played twice, to compare the journals."""


def play(seed: int, *, kind: str) -> tuple[int, Counter, list[str]]:
    """Play a seed; return it, its faults, and what was wrong."""
    logging.getLogger("natya").setLevel(logging.CRITICAL)
    made = WORLDS[kind]
    world = made(seed)
    hung = []

    def give_up(_number, frame):
        """An actor in which this is raised fails as any does, and plays on: the seed says what it was."""
        hung.append(f"it was not done after {PLAY_CPU_S_MAX} s of the processor, or {PLAY_S_MAX} s, in {frame}")
        raise TimeoutError(hung[-1])

    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, give_up)
    signal.alarm(PLAY_S_MAX)
    signal.setitimer(signal.ITIMER_PROF, PLAY_CPU_S_MAX)
    try:
        problems = world.run().violations()
        if seed % TWICE_EVERY == 0 and world.digest() != made(seed).run().digest():
            problems.append("two runs have different journals")
    except Exception as fault:  # noqa: BLE001  whatever it is, it is this seed's result
        problems = ["".join(traceback.format_exception_only(fault)).strip()]
    signal.alarm(0)
    signal.setitimer(signal.ITIMER_PROF, 0)
    return seed, world.injected + Counter({"power cut": world.lives - 1}), hung or problems


def explore(kind: str, first: int, count: int) -> int:
    """Play `count` seeds; print the failing ones and the sums; return the exit code."""
    began_s = time.monotonic()
    faults: Counter[str] = Counter()
    failed = 0
    with multiprocessing.Pool(os.cpu_count()) as pool:
        played = pool.imap_unordered(partial(play, kind=kind), range(first, first + count), chunksize=5)
        for seed, injected, problems in played:
            faults += injected
            failed += bool(problems)
            for problem in problems:
                print(f"seed {seed}: {problem}", flush=True)
            if problems:
                print(f"          make {TARGETS[kind]} SEED={seed}", flush=True)
    steps = {step: faults.pop(f"killed in {step}", 0) for step in PATHS[kind]}
    seldom = [step for step, number in steps.items() if number < KILLS_IN_A_STEP]
    print("killed in " + ", ".join(f"{step}: {number}" for step, number in steps.items()))
    if seldom:
        print(f"fewer than {KILLS_IN_A_STEP} times in {', '.join(seldom)}")
    told = ", ".join(f"{number} {kind}" for kind, number in sorted(faults.items()))
    print(f"{count} seeds, {failed} failed, {time.monotonic() - began_s:.0f} s; injected: {told}")
    return 1 if failed else 0


def reproduce(kind: str, seed: int) -> int:
    """Play one seed aloud."""
    world = WORLDS[kind](seed)

    class Aloud(logging.Handler):
        def emit(self, record):
            moment_s = world.clock.monotonic_ns() / 1e9
            fields = " ".join(f"{name}={value!r}" for name, value in getattr(record, "fields", {}).items())
            print(f"{moment_s:14.6f} {getattr(record, 'actor', ''):10} {record.getMessage()} {fields}"[:300])

    logger = logging.getLogger("natya")
    logger.addHandler(Aloud())
    logger.setLevel(logging.INFO)
    print(world.scenario)
    problems = world.run().violations()
    for record in world.records():
        print(f"{record.sequence:6} {record.fact}"[:300])
    print(f"seed {seed}: {'; '.join(problems) or 'nothing wrong'}; journal {world.digest()[:16]}")
    return 1 if problems else 0


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="play this one aloud")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--world", choices=sorted(WORLDS), default="paper")
    chosen = parser.parse_args()
    if chosen.seed is not None:
        return reproduce(chosen.world, chosen.seed)
    return explore(chosen.world, chosen.first, chosen.count)


if __name__ == "__main__":
    sys.exit(main())

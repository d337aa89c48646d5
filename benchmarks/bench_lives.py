"""Lives of actors and systems: birth, crash and restart, start-up; and a hop on Thespian's own multiprocess base.

Run     python benchmarks/bench_lives.py [crashes]     (default 1,000)
Targets and their reasons: an actor 1 KB, so that one for each instrument costs nothing; from a crash to the first
message that the fresh instance handles 1 ms at the 99th percentile, and at the median 3 times a request from outside,
supervisor and breaker included, so that a market hardly sees it; an empty system twice as long from a fresh
interpreter as the import of what it is made of (Thespian, msgspec, pybreaker), so that tests and tools may start one
each. Thespian's base of processes is why ours exists: a hop there is at least 1,000 times ours. It
listens on the network while it is measured; `multiprocTCPBase` as last argument asks for it.
"""

from __future__ import annotations

import gc
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

from figures import Figure, in_turns, report
from thespian.actors import Actor, ActorSystem

from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.supervision import ChildSpec, Supervisor, SupervisorSettings
from natya.config.sections.supervision import SupervisionSettings

SPAWNED = 5_000
STARTS = 7
LIBRARIES = "import logging, msgspec, pybreaker, thespian.actors"
EMPTY_SYSTEM = "import natya\nwith natya.InProcessSystem(): pass"

TIRELESS = SupervisionSettings.default(
    restarts_max=1_000_000,
    window_s=60.0,
    backoff_first_s=0.001,
    backoff_max_s=0.001,
    backoff_reset_s=0.000_001,
    fail_max=1_000_000,
    reset_timeout_s=1.0,
    escalate_after=3,
)


class Fragile(RuntimeActor):
    """Fails at a string, and says of a tuple when it came to it."""

    @handles(str)
    def fail(self, reason: str, _: Any) -> None:
        """Fail."""
        self.settings.append(time.perf_counter_ns())
        raise ValueError(reason)

    @handles(tuple)
    def tell(self, _: tuple[()], sender: Any) -> None:
        """Say when."""
        self.send(sender, time.perf_counter_ns())


class Idle(Actor):  # type: ignore[misc]
    """A plain actor that answers whatever comes."""

    def receiveMessage(self, message: Any, sender: Any) -> None:  # noqa: N802
        """Answer."""
        if isinstance(message, int):
            self.send(sender, message)


class Parent(Actor):  # type: ignore[misc]
    """Makes children, or sends to one."""

    def receiveMessage(self, message: Any, sender: Any) -> None:  # noqa: N802
        """Make so many, or send so many."""
        if isinstance(message, tuple):
            for _ in range(message[1]):
                self.send(message[0], "")
            self.send(sender, message[1])
        if isinstance(message, int):
            self.born = [self.createActor(Idle) for _ in range(message)]
            self.send(sender, len(self.born))


def bytes_an_actor() -> float:
    """Return what a plain actor that got no message yet occupies."""
    with InProcessSystem() as system:
        parent = system.actor_system.createActor(Parent)
        system.actor_system.ask(parent, 1, 60)
        gc.collect()
        tracemalloc.start()
        system.actor_system.ask(parent, SPAWNED, 60)
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return size / SPAWNED


def crash_to_first_message_us(crashes: int) -> tuple[list[float], list[float]]:
    """Return the times from the raise to the first message that the fresh instance handles, and those of requests."""
    crashed: list[int] = []
    with InProcessSystem() as system:
        child = ChildSpec("fragile", Fragile, crashed)
        system.start(
            "system", Supervisor, SupervisorSettings(children=(child,), policy=TIRELESS, root=True, journal="")
        )
        handled, requests = [], []
        for _ in range(crashes):
            system.tell("fragile", "by script")
            handled.append(system.request("fragile", ()))
            began = time.perf_counter_ns()
            system.request("fragile", ())
            requests.append((time.perf_counter_ns() - began) / 1000)
    return [(after - before) / 1000 for before, after in zip(crashed, handled, strict=True)], requests


def start_ms(script: str, rounds: int) -> float:
    """Return how long a fresh interpreter takes for it, less the interpreter itself."""
    run_s, bare_s = in_turns(
        *(
            lambda script=script: subprocess.run([sys.executable, "-c", script], check=True)
            for script in (script, "pass")
        ),
        rounds=rounds,
    )
    return (run_s - bare_s) * 1000


def stock_hop_us(count: int) -> float:
    """Return what a message from actor to actor costs on `multiprocTCPBase`: pickled, through a socket."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["THESPLOG_FILE"] = str(Path(folder) / "thespian.log")
        system = ActorSystem("multiprocTCPBase", {"Admin Port": port}, logDefs={"version": 1}, transientUnique=True)
        try:
            parent, idle = system.createActor(Parent), system.createActor(Idle)
            system.ask(idle, 1, 10)
            begun = time.perf_counter()
            system.ask(parent, (idle, count), 60)
            system.ask(idle, 1, 60)
            return (time.perf_counter() - begun) / count * 1e6
        finally:
            system.shutdown()


def main(crashes: int, *, stock: bool) -> int:
    """Measure and print; 0 when every target is met."""
    restarts, requests = crash_to_first_message_us(crashes)
    starts = min(STARTS, 1 + crashes // 100)
    figures = [
        Figure(name="memory of an actor", value=bytes_an_actor(), unit="B", target=1024),
        Figure(
            name="crash to first message",
            value=statistics.median(restarts),
            unit="us",
            floor=statistics.median(requests),
            floor_name="request from outside",
            target=3,
        ),
        Figure(name="crash to first message, p99", value=percentile(restarts, 99), unit="us", target=1000),
        Figure(
            name="start of an empty system",
            value=start_ms(EMPTY_SYSTEM, starts),
            unit="ms",
            floor=start_ms(LIBRARIES, starts),
            floor_name="import of its libraries",
            target=2,
        ),
    ]
    if stock:
        figures.append(
            Figure(name="multiprocTCPBase, a hop", value=stock_hop_us(1_000), unit="us", target=450, at_least=True)
        )
    return report(figures)


def percentile(values: list[float], number: int) -> float:
    """Return one of 1 to 99."""
    return statistics.quantiles(values, n=100)[number - 1]


if __name__ == "__main__":
    stock = sys.argv[-1] == "multiprocTCPBase"
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    sys.exit(main(numbers[0] if numbers else 1_000, stock=stock))

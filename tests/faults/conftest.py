"""Actors that stand in a storm, and what a test measures of it. The long run of the same storms is `make faults`."""

import logging
import os
import statistics
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from natya_processes import children_of

from natya.actors.runtime import RuntimeActor, handles
from natya.actors.supervision import ChildSpec, Supervisor, SupervisorSettings
from natya.config.sections.supervision import SupervisionSettings

BURST = 20
"""Messages sent together: 10,000 a second are a burst each 2 ms."""

UNLIMITED = SupervisionSettings.default(
    restarts_max=1_000_000_000,
    window_s=60.0,
    backoff_first_s=0.0001,
    backoff_max_s=0.0001,
    backoff_reset_s=0.000_001,
    fail_max=1_000_000_000,
    reset_timeout_s=1.0,
    escalate_after=3,
)


class Fragile(RuntimeActor):
    """Fails at every string, takes every number."""

    @handles(str)
    def fail(self, reason, sender):
        raise ValueError(reason)

    @handles(int)
    def take(self, number, sender):
        pass


class Canary(RuntimeActor):
    """Answers at once."""

    @handles(int)
    def answer(self, number, sender):
        self.send(sender, number)


class Asker(RuntimeActor):
    """Asks the canary every millisecond; answers bytes with how long it waited each time, in microseconds."""

    def on_start(self):
        self.waits = []
        self.after(0.001, "ask")

    @handles(str)
    def ask_the_canary(self, _, sender):
        self.asked_ns = self.clock.monotonic_ns()
        self.send("canary", 1)
        self.after(0.001, "ask")

    @handles(int)
    def hear(self, _, sender):
        self.waits.append((self.clock.monotonic_ns() - self.asked_ns) / 1000)

    @handles(bytes)
    def tell(self, _, sender):
        waits, self.waits = self.waits, []
        self.send(sender, waits)


class Lines(logging.Handler):
    """Counts what is logged, and formats nothing."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def emit(self, record):
        self.count += 1


class Storm:
    """Sends one message 10,000 times a second."""

    def __init__(self, system):
        self.system = system
        self.sent = 0

    def rage(self, target, message, *, seconds):
        """Return how long another actor's answers to a third took meanwhile: microseconds, 99th percentile."""
        address = self.system.base.find(target)
        self.system.request("asker", b"")
        begun = time.perf_counter()
        for burst in range(1, seconds * 10_000 // BURST + 1):
            for _ in range(BURST):
                self.system.tell(address, message)
            self.sent += BURST
            time.sleep(max(0.0, begun + burst * BURST / 10_000 - time.perf_counter()))
        return statistics.quantiles(self.system.request("asker", b"", timeout_s=30), n=100)[98]


@pytest.fixture
def lines():
    handler, logger = Lines(), logging.getLogger("natya")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


@pytest.fixture
def storm(actor_system, threads):  # noqa: ARG001  real time
    actor_system.start("canary", Canary)
    actor_system.start("asker", Asker)
    return Storm(actor_system)


@pytest.fixture
def fragile(actor_system, threads):  # noqa: ARG001  the same
    """Start one under a supervisor that never tires of restarting it."""
    child = ChildSpec("fragile", Fragile)
    actor_system.start(
        "system", Supervisor, SupervisorSettings(children=(child,), policy=UNLIMITED, root=True, journal="")
    )
    return "fragile"


@pytest.fixture
def lonely(actor_system, threads):  # noqa: ARG001  the same
    """Start one without a supervisor: it restarts itself at once, however often."""
    actor_system.start("lonely", Fragile)
    return "lonely"


@pytest.fixture
def process():
    """Look at what this process holds."""
    return SimpleNamespace(resident_bytes=resident_bytes, children=lambda: sorted(children_of(os.getpid())))


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

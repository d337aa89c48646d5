"""The systems that actors are tested in."""

import functools
import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest
from natya_processes import WAIT_S
from natya_starts import Forked

from natya.actors.runtime import InProcessSystem, InProcessSystemBase
from natya.actors.runtime.probe import Probe
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.messages import codec

HERE = Path(__file__).parent

pytest_plugins = ("natya_forked", "natya_engines")

# How long an example takes says how busy the machine is, and nothing about what it shows. The suite draws the same
# examples each time, so that it says of a change what the change did; `make explore` draws many new ones.
busy = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("natya", **busy, max_examples=30, derandomize=True)
hypothesis.settings.register_profile("explore", **busy, max_examples=500)
hypothesis.settings.load_profile("natya")

# As `natya` does: each process that a test starts would begin a thread per core for linear algebra that none needs.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# `nohup` has a process, and all that it starts, ignore it; natya then does so, too, and tests send it.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Each test of these rooms starts a whole system, a process or a server of its own, as users do: `make test-systems`.
# A file of another room that does says so itself, by the same mark.
SYSTEMS = {"benchmarks", "cli", "examples", "faults", "packaging", "plays", "system"}

BASES = {"threads": InProcessSystemBase, "simulation": lambda: SimulatedSystemBase(seed=1)}


def pytest_generate_tests(metafunc):
    if "actor_system" in metafunc.fixturenames:
        names = ["threads"] if "threads" in metafunc.fixturenames else list(BASES)
        metafunc.parametrize("actor_system", names, indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item):
    if item.path.relative_to(HERE).parts[0] in SYSTEMS:
        item.add_marker("systems")


def pytest_collection_modifyitems(items):
    """Refuse names that another process does not have: the suite runs in several, which know a test by its name."""
    nameless = [item.nodeid for item in items if " at 0x" in item.nodeid]
    if nameless:
        raise pytest.UsageError(f"names without the address of an object are wanted (ids=…), found {nameless[0]}")


def pytest_collection_finish():
    """Take what is there for good out of the garbage collector: each run of a system ends by searching all the rest.

    Six thousand tests and what they import are half a million objects, 0.3 s each time.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def what_reaches_a_test_is_as_its_type_says():
    """No constructor checks types: a number in the place of a reason would be seen by the next process only."""
    received = Probe.receive

    @functools.wraps(received)
    def receive(probe, timeout_s=WAIT_S):
        message = received(probe, timeout_s)
        if type(message) in codec.MESSAGE_TYPES:
            codec.checked(message)
        return message

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Probe, "receive", receive)
        yield


@pytest.fixture(autouse=True, scope="session")
def a_wait_without_a_bound_of_its_own_fails_for_a_hang_alone():
    """The defaults are an application's: what a busy machine, or a slow disk, takes longer for is no failure."""

    def patient(method):
        @functools.wraps(method)
        def call(*given, timeout_s=WAIT_S, **options):
            return method(*given, timeout_s=timeout_s, **options)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("start", "stop", "request", "request_async"):
            patch.setattr(InProcessSystem, name, patient(getattr(InProcessSystem, name)))
        yield


@pytest.fixture(autouse=True, scope="module")
def modules_of_other_tests():
    """A strategy that is swapped has what is beside its file imported anew: others go on with what they imported."""
    before = dict(sys.modules)
    yield
    sys.modules.update(before)


@pytest.fixture(scope="module")
def forked_starts():
    """Interpreters that are started, also by natya itself, are forks of one that has imported it (`natya_starts`)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", Forked)
        yield


@pytest.fixture
def logged(caplog):
    """What was logged since the last look: how grave, which event, and its fields."""
    caplog.set_level("INFO", "natya")

    def look():
        told = [(each.levelname, each.message, each.fields) for each in caplog.records if hasattr(each, "fields")]
        caplog.clear()
        return told

    return look


@pytest.fixture
def threads():
    """For a test that holds a thread: a simulation has only the test's own."""


@pytest.fixture
def actor_system(request):
    """Where the order of things matters: as it runs in threads, and in an order that a seed has chosen."""
    with InProcessSystem(BASES[request.param]()) as system:
        yield system

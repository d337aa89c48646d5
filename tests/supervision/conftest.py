"""Children that do as they are told, and supervisors of them."""

import threading
from types import SimpleNamespace

import msgspec
import pytest

from natya.actors.runtime import RuntimeActor, handles
from natya.actors.supervision import ChildSpec, Supervisor, SupervisorSettings
from natya.config.sections.supervision import SupervisionSettings
from natya.messages.journal import Append, Appended


class Work(msgspec.Struct, frozen=True):
    number: int = 0


class Done(msgspec.Struct, frozen=True):
    number: int
    life: int


class Crash(msgspec.Struct, frozen=True):
    error: type[BaseException] = RuntimeError


class Diary:
    """What happened to the children, in order; and what the next of their starts shall do."""

    def __init__(self):
        self.entries = []
        self.broken = set()
        self.held = {}
        self.facts = []

    def note(self, what, name):
        self.entries.append(f"{what} {name}")

    def of(self, *whats):
        return [entry for entry in self.entries if entry.split()[0] in whats]


class Child(RuntimeActor):
    def on_start(self):
        self.diary = self.settings
        self.diary.note("start", self.name)
        if gate := self.diary.held.get(f"start of {self.name}"):
            gate.pass_through()
        if self.name in self.diary.broken:
            raise RuntimeError(f"{self.name} is broken")
        self.life = len(self.diary.of("start"))

    def on_stop(self):
        self.diary.note("stop", self.name)

    @handles(Work)
    def work(self, work, sender):
        if gate := self.diary.held.get(self.name):
            gate.pass_through()
        self.diary.note("work", self.name)
        self.send(sender, Done(work.number, self.life))

    @handles(Crash)
    def crash(self, crash, _sender):
        raise crash.error("told to")


class BlockingChild(Child):
    blocking = True


class Remembering(Child):
    def on_start(self):
        super().on_start()
        self.total = 0

    def snapshot(self):
        return self.total

    def restore(self, total):
        self.total = total

    @handles(Work)
    def work(self, work, sender):
        self.total += work.number
        self.send(sender, Done(self.total, self.life))


class Journal(Child):
    """Keeps the facts in its diary."""

    @handles(Append)
    def append(self, append, sender):
        if "journal writing" in self.diary.broken:
            raise OSError("no space left")
        self.diary.facts.extend(append.facts)
        self.send(sender, Appended(first_sequence=1, last_sequence=1))


class Gate:
    """Holds a child in its handler."""

    def __init__(self):
        self._entered = threading.Event()
        self._opened = threading.Event()

    def pass_through(self):
        self._entered.set()
        assert self._opened.wait(20)

    def await_entered(self):
        assert self._entered.wait(5)

    def open(self):
        self._opened.set()


def a_policy(**changes):
    usual = {
        "restarts_max": 100,
        "window_s": 60.0,
        "backoff_first_s": 0.001,
        "backoff_max_s": 0.01,
        "backoff_reset_s": 60.0,
        "fail_max": 50,
        "reset_timeout_s": 0.05,
        "escalate_after": 3,
    }
    return SupervisionSettings.default(**(usual | changes))


def a_supervisor(*children, policy=None, **settings):
    usual = {"root": True, "journal": "", "shutdown_s": 5.0}
    return SupervisorSettings(children=children, policy=policy or a_policy(), **(usual | settings))


@pytest.fixture
def play():
    return SimpleNamespace(
        Work=Work,
        Done=Done,
        Crash=Crash,
        Child=Child,
        Journal=Journal,
        BlockingChild=BlockingChild,
        Remembering=Remembering,
        ChildSpec=ChildSpec,
        Supervisor=Supervisor,
        a_policy=a_policy,
        a_supervisor=a_supervisor,
    )


@pytest.fixture
def diary():
    return Diary()


@pytest.fixture
def gate(threads):  # noqa: ARG001  it holds one
    gate = Gate()
    yield gate
    gate.open()

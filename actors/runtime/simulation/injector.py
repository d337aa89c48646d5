"""Decides, message by message, which faults are injected."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from thespian.actors import ActorSystemMessage

from ....domain.time import SECOND_NS

if TYPE_CHECKING:
    from .faults import Faults

T = TypeVar("T")

Fate: TypeAlias = tuple[str, int]
"""`arrive`, or the kind of the fault of a message; and its delay or duration in nanoseconds."""

ARRIVE: Final[Fate] = ("arrive", 0)

BEFORE: Final = 0
AFTER: Final = -1
CRASHES: Final = {"crash": BEFORE, "crash_after": AFTER}
SENDS_MAX: Final = 3
"""A crash inside of a handler comes at one of its first sends."""


class SimulatedCrashError(Exception):
    """Raised in a handler by the simulation."""


class Injector:
    """Draws every fault from one random generator; with `active` False only scripted faults are injected."""

    def __init__(self, faults: Faults, random: Random) -> None:
        self.active = True
        self.injected: Counter[str] = Counter()
        """Faults so far, by kind."""

        self._faults: Final = faults
        self._random: Final = random
        self._script: Final = {(each.actor, each.message_type, each.nth): each for each in faults.script}
        self._handled: Counter[tuple[str, type]] = Counter()
        self._sent: Counter[tuple[str, type]] = Counter()

    def crash_point(self, actor: str, message_type: type) -> int | None:
        """Say where the handler of this message raises: `BEFORE`, `AFTER`, at its n-th send (from 1); None: nowhere."""
        faults = self._faults
        if self._script:
            self._handled[actor, message_type] += 1
            fault = self._script.get((actor, message_type, self._handled[actor, message_type]))
            if fault is not None and fault.kind in CRASHES:
                return self._count("crash", CRASHES[fault.kind])
        if not self.active or actor in faults.spared or issubclass(message_type, ActorSystemMessage):
            return None
        if faults.crash and self._random.random() < faults.crash:
            return self._count("crash", self._random.choice((BEFORE, AFTER)))
        if faults.crash_inside and self._random.random() < faults.crash_inside:
            return self._count("crash_inside", self._random.randint(1, SENDS_MAX))
        return None

    def crash(self, where: str) -> Exception:
        """Return what the handler raises there."""
        return SimulatedCrashError(where)

    def fate(self, actor: str, message_type: type) -> Fate:
        """Decide the delivery of a message to this actor."""
        faults = self._faults
        if self._script:
            self._sent[actor, message_type] += 1
            fault = self._script.get((actor, message_type, self._sent[actor, message_type]))
            if fault is not None and fault.kind not in CRASHES:
                return self._count(fault.kind, (fault.kind, round(fault.seconds * SECOND_NS)))
        if not self.active:
            return ARRIVE
        if message_type in faults.at_most_once:
            for kind, rate in (("lose", faults.lose), ("repeat", faults.repeat)):
                if rate and self._random.random() < rate:
                    return self._count(kind, (kind, 0))
        if faults.delay and self._random.random() < faults.delay:
            return self._count("delay", ("delay", self._some_ns(faults.delay_s_max)))
        return ARRIVE

    def pause_ns(self) -> int:
        """Return how long a thread pauses before its next turn; mostly 0."""
        if not (self.active and self._faults.pause) or self._random.random() >= self._faults.pause:
            return 0
        return self._count("pause", self._some_ns(self._faults.pause_s_max))

    def wall_step_ns(self) -> int:
        """Return by how much the wall clock is set now; mostly 0."""
        if not (self.active and self._faults.wall_step) or self._random.random() >= self._faults.wall_step:
            return 0
        return self._count("wall_step", self._random.choice((-1, 1)) * self._some_ns(self._faults.wall_step_s_max))

    def _some_ns(self, s_max: float) -> int:
        return 1 + int(self._random.random() * s_max * SECOND_NS)

    def _count(self, kind: str, value: T) -> T:
        self.injected[kind] += 1
        return value

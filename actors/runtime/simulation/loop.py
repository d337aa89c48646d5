"""The only loop of a simulation, run step by step by the caller that waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Final, cast

from ..worker import Worker

if TYPE_CHECKING:
    from ..cell import Cell
    from ..quiet import Quiescence
    from ..worker import Runnable
    from .clock import VirtualClock
    from .injector import Injector

TURN_NS_MAX: Final = 40_000
"""A turn takes at most this much virtual time."""


class Disorder(deque["Runnable"]):
    """The queue of cells that are ready, in random order."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._random: Final = random

    def popleft(self) -> Runnable:
        """Remove and return a random one."""
        if len(self) > 1:
            self.rotate(int(self._random.random() * len(self)))
        return super().popleft()


class SteppedLoop(Worker):
    """A worker without a thread; every actor is on it, blocking ones too."""

    __slots__ = ("_held", "_injector", "_paused", "_quiet", "_random", "_virtual")

    def __init__(self, clock: VirtualClock, quiet: Quiescence, injector: Injector, random: Random) -> None:
        super().__init__("natya-simulation", clock, quiet.test)
        self.ready = Disorder(random)
        self._virtual = clock
        self._quiet = quiet
        self._injector = injector
        self._random = random
        self._held: dict[Runnable, int] = {}
        self._paused: set[Runnable] = set()

    def start(self) -> None:
        """Do nothing: it runs only in `step`."""

    def is_here(self) -> bool:
        """Whether the caller is an actor in its turn."""
        return self.current is not None

    def call_after(self, wait_ns: int, act: Callable[[], None]) -> None:
        """Call `act` after so many nanoseconds of virtual time."""
        self.timers.add(self._virtual.monotonic_ns() + wait_ns, act)

    def hold(self, cell: Runnable, duration_ns: int) -> None:
        """Make a cell's thread pause before its next turn."""
        self._held[cell] = duration_ns

    def step_wall(self, by_ns: int) -> None:
        """Set the wall clock."""
        self._virtual.step_wall(by_ns)

    def step(self, until_ns: int) -> bool:
        """Run one turn, or advance to the next timer; False: nothing more happens before `until_ns`."""
        self.timers.fire_due(self._virtual.monotonic_ns())
        if self.ready or self.on_idle():
            self._turn(self.ready.popleft())
            return self._virtual.monotonic_ns() < until_ns
        due_ns = self.timers.next_due_ns()
        if due_ns is None or due_ns > until_ns:
            self._virtual.jump_to(until_ns)
            return False
        self._virtual.jump_to(due_ns)
        return True

    def _turn(self, cell: Runnable) -> None:
        if cell in self._paused:  # scheduled twice, or sent a control message: its thread stands still
            return
        pause_ns = self._held.pop(cell, 0) or self._injector.pause_ns()
        if pause_ns:
            self._pause(cast("Cell", cell), pause_ns)
            return
        self.rounds += 1
        self.current = cell
        try:
            cell.turn()
        finally:
            self.current = None
        self._virtual.pass_by(1 + int(self._random.random() * TURN_NS_MAX))
        self._virtual.step_wall(self._injector.wall_step_ns())

    def _pause(self, cell: Cell, pause_ns: int) -> None:
        """Let others go first for a while. The cell still has work, so the system is not quiet meanwhile."""
        self._quiet.offload_begun(cell)
        self._paused.add(cell)

        def go_on() -> None:
            self._quiet.offload_ended(cell)
            self._paused.discard(cell)
            self.ready.append(cell)

        self.call_after(pause_ns, go_on)

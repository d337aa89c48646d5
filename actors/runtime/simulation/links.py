"""Links between actors in a simulation. Each keeps the order of messages of one sender to one receiver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from ..worker import Runnable

if TYPE_CHECKING:
    from thespian.actors import ActorAddress

    from ..trace import Stamp, Trace
    from .injector import Injector
    from .loop import SteppedLoop


class Receiver(Runnable, Protocol):
    """The receiver of a message."""

    def arrive(self, message: Any, sender: ActorAddress, trace: Trace) -> None:
        """Take it."""
        ...


class Links:
    """Delivers messages, or loses, repeats or delays them."""

    def __init__(self, injector: Injector, loop: SteppedLoop) -> None:
        self._injector: Final = injector
        self._loop: Final = loop
        self._late: dict[tuple[ActorAddress, Receiver], list[tuple[Any, int | Stamp]]] = {}

    def carry(self, message: Any, sender: ActorAddress, trace: int | Stamp, target: Receiver) -> None:
        """Deliver a message to its receiver, now or later."""
        late = self._late.get((sender, target))
        if late is not None:
            late.append((message, trace))
            return
        kind, by_ns = self._injector.fate(target.name, type(message))
        if kind == "lose":
            return
        if kind == "delay":
            self._late[sender, target] = [(message, trace)]
            self._loop.call_after(by_ns, lambda: self._catch_up(sender, target))
            return
        if kind == "pause":
            self._loop.hold(target, by_ns)
        elif kind == "wall_step":
            self._loop.step_wall(by_ns)
        target.arrive(message, sender, trace)
        if kind == "repeat":
            target.arrive(message, sender, trace)

    def _catch_up(self, sender: ActorAddress, target: Receiver) -> None:
        for message, trace in self._late.pop((sender, target)):
            target.arrive(message, sender, trace)

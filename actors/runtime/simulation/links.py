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
        self._late: dict[tuple[ActorAddress, Receiver], list[tuple[Any, ActorAddress, int | Stamp]]] = {}

    def carry(self, message: Any, sender: ActorAddress, trace: int | Stamp, target: Receiver) -> None:
        """Deliver a message to its receiver, now or later."""
        link = getattr(sender, "asker", sender), target  # what an actor asks goes the way of what it sends
        late = self._late.get(link)
        if late is not None:
            late.append((message, sender, trace))
            return
        kind, by_ns = self._injector.fate(target.name, type(message))
        if kind == "lose":
            return
        if kind == "delay":
            self._late[link] = [(message, sender, trace)]
            self._loop.call_after(by_ns, lambda: self._catch_up(link))
            return
        if kind == "pause":
            self._loop.hold(target, by_ns)
        elif kind == "wall_step":
            self._loop.step_wall(by_ns)
        target.arrive(message, sender, trace)
        if kind == "repeat":
            target.arrive(message, sender, trace)

    def _catch_up(self, link: tuple[ActorAddress, Receiver]) -> None:
        for message, sender, trace in self._late.pop(link):
            link[1].arrive(message, sender, trace)

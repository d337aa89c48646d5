"""The ways between actors in a simulation. Each keeps the order of what one sender sends to one receiver."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from thespian.actors import ActorAddress

    from ..trace import Stamp
    from .cell import SimulatedCell
    from .injector import Injector

CallAfter: TypeAlias = Callable[[int, Callable[[], None]], object]
"""Nanoseconds from now, and what to do then."""


class Links:
    """Carries messages, or loses, repeats or delays them."""

    def __init__(self, injector: Injector, call_after: CallAfter) -> None:
        self._injector: Final = injector
        self._call_after: Final = call_after
        self._late: dict[tuple[ActorAddress, ActorAddress], list[tuple[Any, int | Stamp]]] = {}

    def carry(self, message: Any, sender: ActorAddress, trace: int | Stamp, target: SimulatedCell) -> None:
        """Bring a message to its receiver, now or later."""
        late = self._late.get((sender, target))
        if late is not None:
            late.append((message, trace))
            return
        match self._injector.fate(target.name, type(message)):
            case "arrive":
                target.arrive(message, sender, trace)
            case "repeat":
                target.arrive(message, sender, trace)
                target.arrive(message, sender, trace)
            case "delay":
                self._late[sender, target] = [(message, trace)]
                self._call_after(self._injector.delay_ns(), lambda: self._catch_up(sender, target))
            case "lose":
                return

    def _catch_up(self, sender: ActorAddress, target: SimulatedCell) -> None:
        for message, trace in self._late.pop((sender, target)):
            target.arrive(message, sender, trace)

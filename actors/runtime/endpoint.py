"""An address of this process, whatever is behind it: an actor's cell, a reply awaited, a probe, the system itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from thespian.actors import ActorAddress

from .trace import NO_CONVERSATION, Stamp

if TYPE_CHECKING:
    from .trace import Trace

Envelope: TypeAlias = tuple[Any, ActorAddress, int | Stamp]
"""A message, its sender, and the conversation it belongs to."""


class Endpoint(ActorAddress):
    """One object, equal to itself alone, the same when copied."""

    __slots__ = ("_aaddr",)

    name: str = ""
    """Name of the actor behind it; empty: there is none."""

    guest: bool = True
    """What it says is looked at before an actor of ours handles it (see `door`)."""

    says: frozenset[type] | None = None
    """All that it may say to an actor of ours; None: anything."""

    def __init__(self, label: str) -> None:
        self._aaddr = label

    def put(self, envelope: Envelope) -> object:
        """Take a message; from any thread."""
        raise NotImplementedError

    def deliver(self, message: Any, sender: ActorAddress, trace: Trace = NO_CONVERSATION) -> None:
        """Send to it, from anywhere."""
        self.put((message, sender, trace if isinstance(trace, int) else trace.stamp()))

    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__  # type: ignore[assignment]  # Thespian's own addresses cannot be hashed

    def __copy__(self) -> Endpoint:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Endpoint:
        return self

    def __repr__(self) -> str:
        return f"<{self._aaddr}>"


def sayable(own: frozenset[type] | None, parent: Endpoint | None) -> frozenset[type] | None:
    """Return what an actor may say whose class says this: no more than its parent."""
    limit = None if parent is None else parent.says
    return own if limit is None else limit if own is None else own & limit


class Quoted(Endpoint):
    """The sender of what a guest forwards for one that is trusted more: its name, and what it may say, are the guest's.

    Answers go to the one that was named.
    """

    __slots__ = ("_named", "name", "says", "wants_answer")

    idle = False

    def __init__(self, named: Any, *, by: Endpoint) -> None:
        super().__init__(f"{named}, as {by} says")
        self._named = named
        self.name = by.name
        self.says = by.says
        self.wants_answer = getattr(named, "wants_answer", False)

    def put(self, envelope: Envelope) -> None:
        """Hand it on."""
        self._named.deliver(*envelope)

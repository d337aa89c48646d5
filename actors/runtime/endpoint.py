"""An address of this process, whatever is behind it: an actor's cell, a reply awaited, a probe, the system itself."""

from __future__ import annotations

from typing import Any, TypeAlias

from thespian.actors import ActorAddress

Envelope: TypeAlias = tuple[Any, ActorAddress]
"""A message and its sender."""


class Endpoint(ActorAddress):
    """One object, equal to itself alone, the same when copied."""

    __slots__ = ("_aaddr",)

    def __init__(self, label: str) -> None:
        self._aaddr = label

    def put(self, envelope: Envelope) -> object:
        """Take a message; from any thread."""
        raise NotImplementedError

    def deliver(self, message: Any, sender: ActorAddress) -> None:
        """Send to it, from anywhere."""
        self.put((message, sender))

    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__  # type: ignore[assignment]  # Thespian's own addresses cannot be hashed

    def __copy__(self) -> Endpoint:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Endpoint:
        return self

    def __repr__(self) -> str:
        return f"<{self._aaddr}>"

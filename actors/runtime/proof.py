"""Whether a restarted actor gets past the message type at which it failed: checked until known, free of cost then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from .dispatch import Handler


class Handlers(Protocol):
    """The table in which a cell looks up handlers."""

    def __getitem__(self, message_type: type) -> Handler:
        """Return the handler of a type."""


class Proof:
    """Whether a message of this type has been handled without an error."""

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.is_given = False


class ProvingHandlers:
    """A handler table that records the proof and then calls `given`, once."""

    def __init__(self, handlers: Handlers, proof: Proof, given: Callable[[], object]) -> None:
        self._handlers = handlers
        self._proof = proof
        self._given = given

    def __getitem__(self, message_type: type) -> Handler:
        handler = self._handlers[message_type]
        if message_type is not self._proof.kind:
            return handler

        def prove(actor: Any, message: Any, sender: Any) -> None:
            handler(actor, message, sender)
            self._proof.is_given = True
            self._given()

        return prove

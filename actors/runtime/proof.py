"""Whether a fresh life gets past what the life before failed at: looked for until it is known, and free after that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from .dispatch import Handler


class Handlers(Protocol):
    """What a cell looks a handler up in."""

    def __getitem__(self, message_type: type) -> Handler:
        """Return the handler of a type."""


class Proof:
    """That a message of this kind was handled to its end."""

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.is_given = False


class ProvingHandlers:
    """A handler table that notices the proof, and says so once."""

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

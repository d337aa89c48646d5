"""A mailbox that a test can read."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, Any

from .endpoint import Endpoint
from .errors import RequestTimedOut

if TYPE_CHECKING:
    from thespian.actors import ActorAddress

    from .endpoint import Envelope


class Probe(Endpoint):
    """A named mailbox without an actor, for tests."""

    __slots__ = ("_queue", "sender")

    idle = False

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._queue: queue.SimpleQueue[Envelope] = queue.SimpleQueue()
        self.sender: ActorAddress | None = None
        """The sender of the message that `receive` returned last."""

    def put(self, envelope: Envelope) -> None:
        """Keep it for `receive`."""
        self._queue.put(envelope)

    def receive(self, timeout_s: float = 1.0) -> Any:
        """Return the next message.

        Raises:
            RequestTimedOut: none came in time.
        """
        try:
            message, self.sender, _ = self._queue.get(timeout=timeout_s)
        except queue.Empty:
            raise RequestTimedOut(f"nothing came to {self._aaddr!r} in {timeout_s:g} s") from None
        return message

    def is_empty(self) -> bool:
        """Whether nothing waits to be received now."""
        return self._queue.empty()

"""One end of a link between two nodes (plain)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ...domain.nodes.link import Incoming, Outgoing
from ...messages.addresses import STRATEGIES
from ...messages.codec import UndecodableMessageError, decode, encode
from ...messages.nodes import NodeFrame, NothingSaid, Said

if TYPE_CHECKING:
    import msgspec


class LinkEnd:
    """Messages to the other end, and from it. See `domain/nodes/link.py`."""

    def __init__(self, *, own: str, peer: str, number: int, waiting_max: int, again_ns: int) -> None:
        """Begin.

        Args:
            own: life of this node.
            peer: life of the other one.
            number: of this link among those of both.
            waiting_max: messages that may wait to be confirmed.
            again_ns: what was not confirmed in so long is sent again.
        """
        self._own: Final = own
        self.peer: Final = peer
        self.number: Final = number
        self._outgoing: Outgoing[Any] = Outgoing(waiting_max=waiting_max, again_ns=again_ns)
        self._incoming: Final = Incoming()
        self._owes = False
        self.heard_ns = 0
        """When something came last, by the monotonic clock."""

        self.sent = self.received = 0

    @property
    def repeats(self) -> int:
        """Messages that were sent once more."""
        return self._outgoing.repeats

    def say(self, message: msgspec.Struct) -> bool:
        """Have a message sent; False: too much waits."""
        is_taken = self._outgoing.push(message)
        self.sent += is_taken
        return is_taken

    def withdraw(self, strategy: str) -> None:
        """Say nothing of what a strategy has said and is not known to have arrived; what its node says of it stays."""

        def replaced(message: Any) -> Any:
            is_its_word = isinstance(message, Said) and message.strategy == strategy and message.actor != STRATEGIES
            return NothingSaid() if is_its_word else message

        self._outgoing.replace(replaced)

    def greet(self) -> None:
        """Have a frame sent, if only to be heard of."""
        self._owes = True

    def __len__(self) -> int:
        """Return how many messages are not confirmed."""
        return len(self._outgoing)

    def hear(self, frame: NodeFrame, now_ns: int) -> list[Any]:
        """Return the messages of a frame that are new.

        Raises:
            UndecodableMessageError: one is none of ours.
        """
        self.heard_ns = now_ns
        self._outgoing.confirm(frame.confirms)
        if not frame.first:
            return []
        self._owes = True
        fresh = self._incoming.take(frame.first, frame.letters)
        self.received += len(fresh)
        return [decode(letter) for letter in fresh]

    def due(self, now_ns: int) -> bytes | None:
        """Return the next frame to send; None: there is nothing to say."""
        due = self._outgoing.due(now_ns)
        if due is None and not self._owes:
            return None
        first, messages = due or (0, ())
        self._owes = False
        frame = NodeFrame(
            sender=self._own,
            link=self.number,
            first=first,
            confirms=self._incoming.taken,
            letters=tuple(map(encode, messages)),
        )
        return encode(frame)


def frame_of(written: bytes) -> NodeFrame | None:
    """Read a frame; None: it is none."""
    try:
        found = decode(written)
    except UndecodableMessageError:
        return None
    return found if isinstance(found, NodeFrame) else None

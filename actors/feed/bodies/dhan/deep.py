"""Connections of Dhan's feeds of 20 and 200 levels: they fill the books that deepen what ticks show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .....domain.dhan.streams import depth, subscriptions
from .....domain.dhan.streams.subscriptions import Listed
from .books import Books
from .connection import Channel, Connection

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .....domain.instruments import Instrument
    from .books import DeepBook
    from .connection import Owner


class DeepFeed:
    """All of them; none where the options want five levels."""

    def __init__(self, stream: Owner, instruments: Sequence[Instrument]) -> None:
        """Open nothing yet.

        Args:
            stream: whose loop, token and options these are.
            instruments: those at the front have depth, as far as the exchange has it, and connections have room.
        """
        levels = stream.options.depth
        self._stream: Final = stream
        self.room: Final = subscriptions.CONNECTIONS_MAX * _instruments_a_connection(levels)
        having = [each for each in instruments if each.segment in depth.SEGMENTS] if levels > depth.SHOWN else []
        self.left_out: Final = max(0, len(having) - self.room)
        """Instruments that have depth, but no room on a connection: they keep five levels."""

        self._books: Final = Books(levels)
        self.by_symbol: Final[dict[str, DeepBook]] = {
            each.symbol: self._books.add(each.segment, each.security_id, each.grid) for each in having[: self.room]
        }
        channel = Channel(stream.options.deep_address, self._requests, self._receive, self._forget)
        size = _instruments_a_connection(levels)
        self.connections: Final = tuple(
            Connection(stream, channel, having[begin : begin + size])
            for begin in range(0, min(len(having), self.room), size)
        )

    @property
    def unknown(self) -> int:
        """Sides of instruments that are not subscribed to."""
        return self._books.unknown

    @property
    def damaged(self) -> int:
        """Frames, or sides of them, that were none."""
        return self._books.damaged

    def _requests(self, listed: Sequence[Listed]) -> Iterable[bytes]:
        if self._stream.options.depth == depth.LEVELS_MAX:
            return [subscriptions.deep_request(subscriptions.DEPTH, each) for each in listed]
        return subscriptions.requests(subscriptions.DEPTH, listed)

    def _receive(self, frame: bytes, connection: Connection) -> bool:
        self._books.broken, kept = "", self._books.kept
        if self._books.note(frame, self._stream.given.now_ns()):
            connection.end_for(self._books.reason)
        elif self._books.broken:
            connection.end(f"a damaged frame: {self._books.broken}")
        return self._books.kept > kept

    def _forget(self, connection: Connection) -> None:
        for symbol in connection.symbols:
            self.by_symbol[symbol].forget()


def _instruments_a_connection(levels: int) -> int:
    return 1 if levels == depth.LEVELS_MAX else subscriptions.DEPTH_INSTRUMENTS_MAX

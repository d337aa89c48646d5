"""What the nodes of a play keep at their server (plain). Blocks; for any thread.

    natya:play:PLAY:lease:STRATEGY   the lease of a strategy
    natya:play:PLAY:life             a random word, made where it is missing: another one, and the data were lost
    natya:play:PLAY:broker           which life of the broker node there is
    natya:play:PLAY:to:LIFE          the stream of frames for one life of a node, which takes out what it has read
    natya:play:PLAY:ticks            the newest batches of ticks

Nothing here has to outlive the server: leases are watched, frames are sent again, of ticks the newest counts.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from ...domain.nodes.lease import Lease, Seen
from ..external.streams import BLOCK_MS, ServerDownError, StreamServer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .settings import PlaySettings

KEPT_MS: Final = 60_000
"""Of a stream of frames that nobody adds to any more."""

BROKER_KEPT_MS: Final = 10_000
"""Of the name of a broker node that does not say it any more."""

DIGITS_MAX: Final = 18
"""Of the number of a tick; of thousands Python makes none."""

READ_MAX: Final = 256
"""Entries of one stream that are read at once."""


class Board(NamedTuple):
    """What all may look at."""

    broker: str
    """The life of the broker node; empty: there is none."""

    leases: dict[str, Seen]


class Batch(NamedTuple):
    """Ticks that were sent together."""

    sender: str
    first: int
    """Number of the first one, among those of this life of the broker node, from 1."""

    ticks: bytes
    """`Ticks`, as the codec writes it."""


class Came(NamedTuple):
    """What was read."""

    frames: list[bytes]
    batches: list[Batch]


class PlayServer:
    """One node's way to the others.

    Args:
        settings: where the server is, and which play it is.
        life: of this node.

    Raises:
        ImportError: the library is not installed; the text says how it is.
    """

    def __init__(self, settings: PlaySettings, life: str) -> None:
        self._server: Final = StreamServer(settings.server, wanted_by="nodes.play")
        self._client: Final = self._server.client
        self._ticks_max: Final = settings.limits.ticks_max
        self._prefix: Final = f"natya:play:{settings.limits.play}:"
        self._life: Final = life
        self._inbox: Final = self._key("to", life)
        self._ticks: Final = self._key("ticks")
        self._read: list[Any] = []
        self._ticks_after: Any = None

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def look(self, strategies: Iterable[str]) -> Board:
        """Return which broker node there is, and the leases.

        Raises:
            ServerDownError: see there.
        """
        names = list(strategies)
        with self._server.telling():
            pipe = self._client.pipeline(transaction=True)
            self._ask_life(pipe)
            pipe.get(self._key("broker"))
            for name in names:
                pipe.get(self._key("lease", name))
            _, word, info, broker, *records = pipe.execute()
        server = _life_of(info, word)
        leases = {name: Seen(_lease(name, record), server) for name, record in zip(names, records, strict=True)}
        return Board((broker or b"").decode(errors="replace"), leases)

    def swap(self, strategy: str, seen: Seen, lease: Lease) -> bool:
        """Write a lease in the place of the one that was seen; False: it is another, or the server is.

        Raises:
            ServerDownError: it may be written, now or later.
        """
        key, life = self._key("lease", strategy), self._key("life")
        with self._server.telling(), self._client.pipeline(transaction=True) as pipe:
            try:
                pipe.watch(key, life)
                if Seen(_lease(strategy, pipe.get(key)), _life_of(pipe.info("server"), pipe.get(life))) != seen:
                    return False
                pipe.multi()
                pipe.set(key, msgspec.msgpack.encode(lease))
                pipe.execute()
            except self._server.overtaken:
                return False
        return True

    def announce(self) -> str:
        """Say that this life is the broker node; return the one that was before.

        Raises:
            ServerDownError: see there.
        """
        with self._server.telling():
            before = self._client.set(self._key("broker"), self._life, px=BROKER_KEPT_MS, get=True)
        return (before or b"").decode(errors="replace")

    def post(self, frames: Sequence[tuple[str, bytes]]) -> None:
        """Send frames, each to a life of a node.

        Raises:
            ServerDownError: some may be there.
        """
        with self._server.telling():
            pipe = self._client.pipeline(transaction=False)
            for receiver, frame in frames:
                key = self._key("to", receiver)
                pipe.xadd(key, {"f": frame})
                pipe.pexpire(key, KEPT_MS)
            pipe.execute()

    def spread(self, batch: Batch) -> None:
        """Send ticks to whoever reads them.

        Raises:
            ServerDownError: see there.
        """
        fields = {"s": batch.sender, "n": batch.first, "t": batch.ticks}
        with self._server.telling():
            self._client.xadd(self._ticks, fields, maxlen=self._ticks_max, approximate=True)

    def take(self, *, with_ticks: bool) -> Came:
        """Return the next frames for this node, and ticks from the first call on; none if none come in half a second.

        After a failure ticks come again from the oldest that is kept.

        Raises:
            ServerDownError: see there; what was not returned is not lost.
        """
        with self._server.telling():
            if with_ticks and self._ticks_after is None:
                newest = self._client.xrevrange(self._ticks, count=1)
                self._ticks_after = newest[0][0] if newest else "0-0"
            streams: dict[Any, Any] = {self._inbox: "0-0"}
            if with_ticks:
                streams[self._ticks] = self._ticks_after
            pipe = self._client.pipeline(transaction=False)
            if self._read:
                pipe.xdel(self._inbox, *self._read)
            pipe.xread(streams, count=READ_MAX, block=BLOCK_MS)
            try:
                *_, found = pipe.execute()
            except BaseException:
                self._ticks_after = "0-0"
                raise
        entries = dict(found or [])
        frames, batches = entries.get(self._inbox.encode(), []), entries.get(self._ticks.encode(), [])
        self._read = [entry_id for entry_id, _ in frames]
        if batches:
            self._ticks_after = batches[-1][0]
        return Came([fields.get(b"f", b"") for _, fields in frames], [_batch(fields) for _, fields in batches])

    def _ask_life(self, pipe: Any) -> None:
        life = self._key("life")
        pipe.set(life, secrets.token_hex(8), nx=True)
        pipe.get(life)
        pipe.info("server")

    def _key(self, *names: str) -> str:
        return self._prefix + ":".join(names)


def _life_of(info: dict[str, Any], word: bytes | None) -> str:
    """Name the life of the server and of its data."""
    return f"{info.get('run_id')}/{(word or b'').decode(errors='replace')}"


def _lease(strategy: str, record: bytes | None) -> Lease | None:
    if record is None:
        return None
    try:
        return msgspec.msgpack.decode(record, type=Lease)
    except msgspec.DecodeError as fault:
        raise ServerDownError(f"a lease of {strategy} wanted, found what is none: {fault}") from fault


def _batch(fields: dict[bytes, bytes]) -> Batch:
    number = fields.get(b"n", b"")
    sender = fields.get(b"s", b"").decode(errors="replace")
    is_one = number.isdigit() and len(number) <= DIGITS_MAX
    return Batch(sender, int(number) if is_one else 0, fields.get(b"t", b""))

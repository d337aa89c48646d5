"""Streams of a Redis or Valkey server: one for each partition, a consumer group for each node. Blocks; for any thread.

An entry has two fields: `e`, an `EventPublished` by our codec, and `n`, the node that it comes from.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from ....messages.codec import UndecodableMessageError, decode, encode
from ....messages.delivery import PAYLOAD_BYTES_MAX, EventPublished
from ...external.streams import BLOCK_MS, ServerDownError, StreamServer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ....config.sections.redis import RedisSettings

STREAM: Final = "natya:events"
READ_MAX: Final = 256
"""Entries of one stream that are read at once."""

GONE_MS: Final = 30_000
"""Milliseconds: a node that has read nothing for so long is not waited for."""

UNREADABLE: Final = "UnreadableEntry"
"""Type of the event that an unreadable entry becomes."""

SHOWN_FIELDS_MAX: Final = 16
SHOWN_BYTES_MAX: Final = 32_768
"""What is kept of an entry that is none of ours and too large for an event: so many bytes of so many fields."""

EntryId: TypeAlias = tuple[int, int]


class TransportUnsafeError(ServerDownError):
    """The server would lose what it has acknowledged. The text says what to set."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a stream."""

    partition: int
    entry_id: bytes
    node: str
    event: EventPublished


class RedisStreams:
    """One node's way to the streams.

    Args:
        settings: where the server is, and what this node is called.

    Raises:
        ImportError: the library is not installed; the text says how it is.
    """

    def __init__(self, settings: RedisSettings) -> None:
        self._server: Final = StreamServer(settings, wanted_by="redis.node")
        self._client: Final = self._server.client
        self._settings: Final = settings
        self._node: Final = settings.node
        self._keys: Final = [f"{STREAM}:{number}".encode() for number in range(settings.partitions)]

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def open(self) -> None:
        """Check that the server is safe, and create the streams and this node's group.

        A new group begins with the oldest entry that is kept.

        Raises:
            TransportUnsafeError: see there.
            ServerDownError: see there.
        """
        with self._server.telling():
            if not self._settings.allow_unsafe:
                self._expect_safe()
            for key in self._keys:
                with contextlib.suppress(self._server.refused):  # it is there; any other fault meets the next command
                    self._client.xgroup_create(key, self._node, id="0", mkstream=True)

    def add(self, partition: int, events: Sequence[EventPublished]) -> list[EntryId]:
        """Append events to a stream, all or none, and return the ids of their entries.

        Raises:
            ServerDownError: they may be there all the same.
        """
        key, most = self._keys[partition], self._settings.stream_max
        with self._server.telling():
            pipe = self._client.pipeline(transaction=True)
            for event in events:
                pipe.xadd(key, {"e": encode(event), "n": self._node}, maxlen=most, approximate=True)
            return [_id_of(each) for each in pipe.execute()]

    def has(self, partition: int, entry_id: EntryId) -> bool:
        """Tell whether an entry is in its stream; else the server has lost it, and perhaps those before it.

        Later entries prove nothing: a server that has lost its data gives ids that go on by the clock.

        Raises:
            ServerDownError: see there.
        """
        name = "{}-{}".format(*entry_id)
        with self._server.telling():
            return bool(self._client.xrange(self._keys[partition], name, name))

    def waits_for(self, partition: int, entry_id: EntryId) -> str:
        """Return the name of a node that has not confirmed all up to this entry; empty: all have.

        Nodes that count: those that `redis.receivers` names, and others that have read lately.

        Raises:
            ServerDownError: see there.
        """
        key = self._keys[partition]
        with self._server.telling():
            groups = {_text(each["name"]): each for each in self._client.xinfo_groups(key)}
            for name in self._settings.receivers:
                if name not in groups and name != self._node:
                    return name
            for name, group in groups.items():
                if name == self._node or self._has_confirmed(key, name, group, entry_id):
                    continue
                if name in self._settings.receivers or self._is_there(key, name):
                    return name
        return ""

    def read(self, *, is_first: bool) -> list[Entry]:
        """Return the next entries of all streams; empty if none arrives within half a second.

        Args:
            is_first: those that were read before and not confirmed; none: there are no more.

        Raises:
            ServerDownError: see there.
        """
        streams: dict[Any, Any] = dict.fromkeys(self._keys, "0" if is_first else ">")
        block_ms = None if is_first else BLOCK_MS
        with self._server.telling():
            found: Any = self._client.xreadgroup(self._node, self._node, streams, count=READ_MAX, block=block_ms)
        return [
            entry_of(self._keys.index(key), entry_id, fields) for key, entries in found for entry_id, fields in entries
        ]

    def confirm(self, entries: Iterable[Entry]) -> None:
        """Confirm entries that are durable here.

        Raises:
            ServerDownError: they are read again.
        """
        ids: dict[int, list[bytes]] = {}
        for entry in entries:
            ids.setdefault(entry.partition, []).append(entry.entry_id)
        with self._server.telling():
            pipe = self._client.pipeline(transaction=False)
            for partition, of_stream in ids.items():
                pipe.xack(self._keys[partition], self._node, *of_stream)
            pipe.execute()

    def _expect_safe(self) -> None:
        persistence, memory = self._client.info("persistence"), self._client.info("memory")
        if persistence.get("loading"):  # meanwhile it says that it appends to no file
            raise ServerDownError("the server is reading its data")
        wrong = []
        if not persistence.get("aof_enabled"):
            wrong.append("appendonly yes")
        if memory.get("maxmemory_policy") != "noeviction":
            wrong.append("maxmemory-policy noeviction")
        if wrong:
            raise TransportUnsafeError(
                f"the server loses what it has acknowledged; set {' and '.join(wrong)}, or here redis.allow_unsafe"
            )

    def _has_confirmed(self, key: bytes, name: str, group: dict[str, Any], entry_id: EntryId) -> bool:
        if _id_of(group["last-delivered-id"]) < entry_id:
            return False
        lowest = self._client.xpending(key, name)["min"]
        return lowest is None or _id_of(lowest) > entry_id

    def _is_there(self, key: bytes, name: str) -> bool:
        return any(each["idle"] < GONE_MS for each in self._client.xinfo_consumers(key, name))


def _id_of(text: Any) -> EntryId:
    milliseconds, _, number = _text(text).partition("-")
    return int(milliseconds), int(number)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def entry_of(partition: int, entry_id: bytes, fields: dict[bytes, bytes] | None) -> Entry:
    """Read an entry; one that is no integration event of ours is an event of its own, with all its bytes."""
    fields = fields or {}  # of one that was trimmed there are none
    node = fields.get(b"n", b"").decode(errors="replace")[:500]
    found: object = None
    try:
        found, reason = decode(fields.get(b"e", b"")), "no integration event"
    except UndecodableMessageError as fault:
        reason = str(fault) if fields else "the stream was trimmed before it was confirmed"
    if isinstance(found, EventPublished) and found.kind == "integration":
        event = found
    else:
        name = f"{partition}-{entry_id.decode()}"
        event = EventPublished(
            event_id=f"redis-{name}",
            event_type=UNREADABLE,
            version=1,
            aggregate_id=name,
            occurred_ns=0,
            topic=f"events.{UNREADABLE}.{name}",
            kind="integration",
            payload=_unreadable(reason, fields),
        )
    return Entry(
        partition=partition,
        entry_id=entry_id,
        node=node,
        event=msgspec.structs.replace(event, origin=node or "?"),
    )


def _unreadable(reason: str, fields: dict[bytes, bytes]) -> bytes:
    """Return the fields of an event about an entry: all that it has, or its beginning where that is too large."""
    whole = msgspec.msgpack.encode({"reason": reason, "fields": {_shown(k): v for k, v in fields.items()}})
    if len(whole) <= PAYLOAD_BYTES_MAX:
        return whole
    some = tuple(fields.items())[:SHOWN_FIELDS_MAX]
    kept = {_shown(key[:SHOWN_BYTES_MAX]): value[:SHOWN_BYTES_MAX] for key, value in some}
    size = sum(len(key) + len(value) for key, value in fields.items())
    return msgspec.msgpack.encode({"reason": f"{reason}; {size:,} bytes, of which the beginning", "fields": kept})


def _shown(key: bytes) -> str:
    return key.decode(errors="replace")

"""Protocol of a source of market data: an iterator of messages, in chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from .errors import FeedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from ...messages.market import MarketMessage

MESSAGES_A_CHUNK = 1_000
"""Messages in a chunk: a few milliseconds of work, so that no other thread waits long for the interpreter lock."""

BEHIND_CLOSE_NS = 1
"""Nanoseconds after a close at which a market that reaches it ends, so that candles made of ticks are closed."""


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a source is given besides its settings."""

    start_ns: int
    """Now: nanoseconds since 1970-01-01 UTC."""

    random: Random
    """Seeded with the settings' seed; used by the source alone."""


class MarketSource(Protocol):
    """One market, from its beginning; in a REPL: `for chunk in source.chunks()`.

    Two sources made of equal settings and surroundings give equal messages: that is how a market is resumed after a
    restart. Ticks are numbered from 1 without gaps, and name their source. May block on files; not thread-safe.
    """

    @property
    def bad_rows(self) -> int:
        """Rows of a recording skipped so far; 0 where there are no rows."""

    @property
    def notes(self) -> tuple[str, ...]:
        """How ambiguous recordings were understood, for the user."""

    def chunks(self) -> Iterator[list[MarketMessage]]:
        """Yield the messages in their order; no chunk is empty. Called once.

        Raises:
            FeedError: the source is broken here; all before that was yielded.
        """

    def close(self) -> None:
        """Release files and processes, also before the end; from any thread."""


def behind(chunks: Iterator[list[MarketMessage]], count: int, *, source: str = "") -> Iterator[list[MarketMessage]]:
    """Skip the first `count` messages.

    Raises:
        FeedError: they are of another source than `source`: the recording was changed.
    """
    for chunk in chunks:
        if source and chunk[0].source != source:
            raise FeedError(f"the recording that was begun is wanted, {source}, found it changed: {chunk[0].source}")
        if count < len(chunk):
            yield chunk[count:]
        count = max(0, count - len(chunk))

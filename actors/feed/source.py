"""What a source of market data is: an iterator of messages, in chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

import msgspec

from ...messages.market import Candle, Tick
from .errors import FeedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

MESSAGES_A_CHUNK = 1_000
"""Messages that a source makes at a time: some milliseconds of work, so that nobody waits long for the interpreter."""

MarketMessage: TypeAlias = Tick | Candle


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a source is given besides its settings."""

    start_ns: int
    """Now: nanoseconds since 1970-01-01 UTC."""

    random: Random
    """Seeded with the settings' seed, and nobody else's."""


class MarketSource(Protocol):
    """One market, from its beginning; a REPL may look into it with `for chunk in source.chunks()`.

    Two sources made of equal settings and surroundings say the same, message for message: that is how a market goes on
    where it was. Ticks are numbered from 1 without gaps, and name their source. May block on files; not thread-safe.
    """

    @property
    def bad_rows(self) -> int:
        """How many rows of a recording were skipped so far; 0 where there are no rows."""

    @property
    def notes(self) -> tuple[str, ...]:
        """How recordings are understood, where whoever gave them might have meant something else."""

    def chunks(self) -> Iterator[list[MarketMessage]]:
        """Make the messages in their order, none of the chunks empty. Called once.

        Raises:
            FeedError: the source is broken here; all before it has been handed out.
        """

    def close(self) -> None:
        """Release what it holds, in the middle too; from any thread."""


def time_of(message: MarketMessage) -> int:
    """Tell when a market says it: nanoseconds since 1970-01-01 UTC; a candle at its end."""
    return message.start_ns + message.interval_ns if isinstance(message, Candle) else message.exchange_ns


def behind(chunks: Iterator[list[MarketMessage]], count: int, *, source: str = "") -> Iterator[list[MarketMessage]]:
    """Leave out the first messages, as many as `count`.

    Raises:
        FeedError: they are of another source than those that were sent before: the recording is no longer what it was.
    """
    for chunk in chunks:
        if source and chunk[0].source != source:
            raise FeedError(f"the recording that was begun is wanted, {source}, found it changed: {chunk[0].source}")
        if count < len(chunk):
            yield chunk[count:]
        count = max(0, count - len(chunk))

"""The market of a simulation: a synthetic one, or the messages that a test gives."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar, Final

from msgspec.structs import replace

from ..actors.feed import SimulatedFeedActor
from ..domain.candles import in_order_of_path, split, times_of
from ..domain.instruments import FINEST_TICK_RUPEES
from ..domain.market_messages import time_of
from ..domain.time import SECOND_NS, day_of
from ..messages.market import Candle, Tick

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..actors.feed import MarketSource, Surroundings
    from ..messages.market import MarketMessage

MESSAGES_A_CHUNK: Final = 20
"""The market is read ahead in chunks; one of the usual size would be longer than all of it."""


class GivenMarket:
    """Messages in the order of their times; a market that goes on while nobody hears it: from now on."""

    bad_rows: Final = 0
    notes: Final = ()

    def __init__(self, messages: Sequence[MarketMessage], start_ns: int) -> None:
        """Leave out what happened before the start (ns since 1970-01-01 UTC)."""
        self._messages = [message for message in messages if time_of(message) >= start_ns]
        self._name = f"given-{start_ns}"

    def chunks(self) -> Iterator[list[MarketMessage]]:
        """Give all in one chunk; ticks are numbered."""
        sequence = 0
        given: list[MarketMessage] = []
        for message in self._messages:
            if isinstance(message, Candle):
                given.append(replace(message, source=self._name))
            else:
                sequence += 1
                given.append(replace(message, source=self._name, sequence=sequence))
        if given:
            yield given

    def close(self) -> None:
        """Release nothing."""


class _SmallChunks:
    """Another source, in chunks that are a part of a simulation."""

    def __init__(self, source: MarketSource) -> None:
        self._source: Final = source

    @property
    def bad_rows(self) -> int:
        """Those of the source."""
        return self._source.bad_rows

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the source."""
        return self._source.notes

    def chunks(self) -> Iterator[list[MarketMessage]]:
        """Divide those of the source."""
        for chunk in self._source.chunks():
            for begin in range(0, len(chunk), MESSAGES_A_CHUNK):
                yield chunk[begin : begin + MESSAGES_A_CHUNK]

    def close(self) -> None:
        """Close the source."""
        self._source.close()


class FeedOfSimulation(SimulatedFeedActor):
    """The feed, with a market that is read ahead by a little."""

    given: ClassVar[Sequence[MarketMessage] | None] = None
    """The market; None: that of the settings."""

    def _make_source(self, surroundings: Surroundings) -> MarketSource:
        if self.given is None:
            return _SmallChunks(super()._make_source(surroundings))
        return _SmallChunks(GivenMarket(self.given, surroundings.start_ns))


def lasting_s(messages: Sequence[MarketMessage]) -> float:
    """Return how long a market lasts, in seconds."""
    return (time_of(messages[-1]) - time_of(messages[0])) / SECOND_NS if messages else 0.0


def in_order(messages: Sequence[MarketMessage]) -> tuple[MarketMessage, ...]:
    """Return them in the order of their times, candles before the ticks of the same time.

    Candles of a symbol without ticks have four each, as in a replay: without prices nothing trades.

    Raises:
        TypeError: one is neither a tick nor a candle.
    """
    for message in messages:
        if not isinstance(message, Tick | Candle):
            raise TypeError(f"ticks and candles wanted, found {type(message).__name__}")
    with_ticks = {message.symbol for message in messages if isinstance(message, Tick)}
    played = list(messages)
    volumes: Counter[tuple[str, int]] = Counter()
    for message in sorted(messages, key=time_of):  # the volume of a day grows with time, whatever order they came in
        if isinstance(message, Candle) and message.symbol not in with_ticks:
            played += _ticks_of(message, volumes)
    return tuple(sorted(played, key=lambda message: (time_of(message), isinstance(message, Tick))))


def _ticks_of(candle: Candle, volumes: Counter[tuple[str, int]]) -> Iterator[Tick]:
    """Give the ticks that could have made a candle; `volumes`: shares so far, by symbol and day."""
    end_ns = candle.start_ns + candle.interval_ns
    day = candle.symbol, day_of(candle.start_ns)
    prices = (candle.open, candle.high, candle.low, candle.close)
    opens, highest, lowest, closes = (round(price / FINEST_TICK_RUPEES) for price in prices)
    path = in_order_of_path(prices, (opens, highest, lowest, closes))
    times = times_of(((candle.start_ns, end_ns),))
    for price, quantity, time_ns in zip(path, split(candle.volume), times, strict=True):
        volumes[day] += quantity
        yield Tick(
            symbol=candle.symbol,
            price=price,
            quantity=quantity,
            exchange_ns=time_ns,
            source="",
            sequence=1,
            volume=volumes[day],
        )

"""Ticks and candles of one market, in one stream: which is which, and when each happens (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..messages.market import Candle, Tick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..messages.market import MarketMessage


def begin_of(message: MarketMessage) -> int:
    """Return when it happened, or began to: nanoseconds since 1970-01-01 UTC."""
    return message.start_ns if isinstance(message, Candle) else message.exchange_ns


def time_of(message: MarketMessage) -> int:
    """Return when a message is released: nanoseconds since 1970-01-01 UTC; a candle at its end."""
    return message.start_ns + message.interval_ns if isinstance(message, Candle) else message.exchange_ns


def ends(message: MarketMessage) -> bool:
    """Tell whether it tells what ends when it is released, as a candle does; a tick begins then."""
    return isinstance(message, Candle)


def is_before(message: MarketMessage, moment_ns: int) -> bool:
    """Tell whether it is over before a moment (nanoseconds since 1970-01-01 UTC), as a candle is that ends at it."""
    return time_of(message) < moment_ns + ends(message)


def parted(messages: Sequence[MarketMessage]) -> tuple[Sequence[Tick], Sequence[Candle]]:
    """Return the ticks, and the candles, each in their order; written for speed, since every message passes here."""
    ticks = [message for message in messages if message.__class__ is Tick]
    if len(ticks) == len(messages):
        return ticks, ()
    candles = [message for message in messages if message.__class__ is Candle]
    return ticks, candles

"""Candles of the past that are fetched from a broker: what was asked for, and with which answer."""

from __future__ import annotations

import msgspec

from .units import Count, Nanoseconds


class Fetched(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Fetched"):
    """A range of candles of one symbol that was asked for; saved with the last of its candles, so that they are there.

    It says how far a fetch is that was interrupted, and how many requests of the day count against the broker's limit.
    """

    symbol: str

    interval_ns: Nanoseconds
    """Length of the candles in nanoseconds."""

    start_ns: Nanoseconds
    """Of the range: nanoseconds since 1970-01-01 UTC."""

    end_ns: Nanoseconds
    """End of the range, exclusive. The same as `start_ns`: requests without an answer that could be used."""

    asked_ns: Nanoseconds
    """When the answer was there. Prices are adjusted as of then for splits and bonus issues."""

    requests: Count
    """How many it took."""

    candles: Count
    """In the answer; none: there are none, as far as the broker says."""

"""[feed]: the market data source."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from .base import Positive, Seconds, Section


class FeedSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The market data source."""

    TABLE: ClassVar[str] = "feed"

    source: str
    """Which body, by its name in `SOURCES` of `actors/feed/sources.py`."""

    options: dict[str, Any]
    """The body's own: plain data, decoded and checked by the body; no secrets, since they are shown."""

    recording: str | tuple[str, ...]
    """File to replay, or several, side by side."""

    symbol: str
    """Symbol of the rows of a recording that name none."""

    speed: Annotated[float, Meta(ge=0, le=1e9)]
    """Times the recorded speed; 0 for as fast as possible."""

    bad_rows_max: Annotated[int, Meta(ge=0, le=1 << 53)]
    """Broken rows of a recording that are skipped before it is refused."""

    tick_size_rupees: Annotated[float, Meta(gt=0, le=1000)]
    """Prices are rounded to multiples of it where they enter: rupees."""

    symbols: tuple[str, ...]
    """Symbols of the synthetic market."""

    ticks_per_s: Annotated[float, Meta(gt=0, le=1e6)]
    """Ticks of each symbol a second in the synthetic market, at speed 1."""

    seed: Annotated[int, Meta(ge=0, le=(1 << 53))]
    """Seed of the synthetic market's random walk."""

    duration_s: Seconds
    """The market ends after so many seconds of its own time; 0: never (a recording ends with its last row)."""

    unrecorded_ticks_max: Positive
    """A simulated market waits while more ticks than this are not yet durable."""

    interval: str
    """Length of the candles of a recording, such as `5m`; empty: it is inferred from the distances between them."""

    dates: Literal["", "day-first", "month-first"]
    """Which comes first in a recording's dates where both are numbers; empty: its dates tell it, or it is refused."""

    zone: Annotated[str, Meta(pattern=r"^(|IST|UTC|[+-][01]\d:[0-5]\d)$", description="IST, UTC, +05:30, or nothing")]
    """Zone of a recording's times that name none; empty: India's, or refused where they fit the hours only as UTC."""

    exchange: Literal["NSE", "BSE", "none"]
    """Exchange in whose sessions the ticks of a recorded candle are placed; `none`: the market never closes."""

    @property
    def recordings(self) -> tuple[str, ...]:
        """The files to replay."""
        return (self.recording,) if isinstance(self.recording, str) else self.recording

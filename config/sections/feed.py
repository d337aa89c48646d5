"""[feed]: the market data source."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from .base import Positive, Seconds, Section


class FeedSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The market data source."""

    TABLE: ClassVar[str] = "feed"

    source: Literal["synthetic", "replay"]

    recording: str | tuple[str, ...]
    """File to replay, or several, side by side."""

    symbol: str
    """Symbol of a recording that has no symbol column, or not in every row."""

    speed: Annotated[float, Meta(ge=0, le=1e9)]
    """Times the recorded speed; 0 for as fast as possible."""

    bad_rows_max: Annotated[int, Meta(ge=0, le=1 << 53)]
    """Broken rows of a recording that are skipped before it is refused."""

    tick_size_rupees: Annotated[float, Meta(gt=0, le=1000)]
    """Prices are rounded to multiples of it where they enter."""

    symbols: tuple[str, ...]
    """Symbols of the synthetic market."""

    ticks_per_s: Annotated[float, Meta(gt=0, le=1e6)]
    """Ticks of each symbol a second in the synthetic market, at speed 1."""

    seed: Annotated[int, Meta(ge=0, le=(1 << 53))]
    """Of the synthetic market."""

    duration_s: Seconds
    """The market ends after so much of its time; 0 for never (a recording ends when it ends)."""

    unrecorded_ticks_max: Positive
    """A simulated market waits while more ticks than this are not yet durable."""

    interval: str
    """How long the candles of a recording are, as `5m`; empty to tell it by their distances."""

    exchange: Literal["NSE", "BSE", "none"]
    """In whose sessions the ticks of a recorded candle lie; none where there are none."""

    @property
    def recordings(self) -> tuple[str, ...]:
        """The files to replay."""
        return (self.recording,) if isinstance(self.recording, str) else self.recording

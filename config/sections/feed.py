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
    """Options of this source alone, decoded and checked by its body; no secrets, since they are shown."""

    recording: str | tuple[str, ...]
    """File to replay, or several, side by side."""

    symbol: str
    """Symbol of rows of a recording that name none."""

    speed: Annotated[float, Meta(ge=0, le=1e9)]
    """Multiple of the recorded speed; 0: as fast as possible."""

    bad_rows_max: Annotated[int, Meta(ge=0, le=1 << 53)]
    """Unreadable rows of a recording that are skipped; one more, and the recording is refused."""

    tick_size_rupees: Annotated[float, Meta(gt=0, le=1000)]
    """Rupees: prices are rounded to multiples of it when they are read."""

    symbols: tuple[str, ...]
    """Symbols of the synthetic market."""

    ticks_per_s: Annotated[float, Meta(gt=0, le=1e6)]
    """Ticks of each symbol a second in the synthetic market, at speed 1."""

    seed: Annotated[int, Meta(ge=0, le=(1 << 53))]
    """Seed of the synthetic market's random walk."""

    duration_s: Seconds
    """The market ends after so many seconds of its own time; 0: never (a recording ends with its last row)."""

    unrecorded_ticks_max: Positive
    """A simulated market waits while more ticks than this are not yet in the database."""

    interval: str
    """Length of a recording's candles, such as `5m`; empty: the most frequent distance between them."""

    dates: Literal["", "day-first", "month-first"]
    """How 03/04/2025 is read in a recording; empty: as its other dates show, or it is refused."""

    decimal: Literal["", "point", "comma"]
    """What stands before decimals in a recording, where 74,125 may be 74.125; empty: as its other numbers show, or such
    a number is refused."""

    zone: Annotated[str, Meta(pattern=r"^(|IST|UTC|[+-][01]\d:[0-5]\d)$", description="IST, UTC, +05:30, or nothing")]
    """Time zone of a recording's times that name none; empty: IST, but refused where they fit the hours only as UTC."""

    exchange: Literal["NSE", "BSE", "none"]
    """Exchange whose sessions a recording's candles belong to; `none`: the market never closes."""

    @property
    def recordings(self) -> tuple[str, ...]:
        """The files to replay."""
        return (self.recording,) if isinstance(self.recording, str) else self.recording

"""The numbers in messages: their unit, and the range that is accepted.

The codec checks the range when it decodes a frame. Every range has both ends, since a float without bounds would accept
NaN and infinity. Constructing a message checks nothing: values from outside are checked where they enter.
"""

from typing import Annotated, Final, TypeAlias

from msgspec import Meta

INTEGER_MAX: Final = (1 << 63) - 1
"""Largest signed 64-bit integer: the range of DuckDB's BIGINT."""

RUPEES_MAX: Final = 1e12
"""Rupees: a lakh crore (10^12); no share, contract or order of a person costs as much."""

Price: TypeAlias = Annotated[float, Meta(gt=0, le=RUPEES_MAX)]
"""Rupees a share at which a trade happened or may happen: above 0."""

Rupees: TypeAlias = Annotated[float, Meta(ge=0, le=RUPEES_MAX)]
"""Rupees a share, 0 where there is none."""

Shares: TypeAlias = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
"""Shares or contract units, 0 where there are none."""

SomeShares: TypeAlias = Annotated[int, Meta(ge=1, le=INTEGER_MAX)]
"""Shares or contract units of an order or a trade: at least 1."""

Holding: TypeAlias = Annotated[int, Meta(ge=-INTEGER_MAX, le=INTEGER_MAX)]
"""Shares or contract units held: above 0 long, below 0 short."""

Count: TypeAlias = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
"""How many there are, or were since a start."""

SomeCount: TypeAlias = Annotated[int, Meta(ge=1, le=INTEGER_MAX)]
"""How many there are, or the number of one of them: at least 1."""

Bytes: TypeAlias = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
"""A size in bytes."""

Sequence: TypeAlias = Annotated[int, Meta(ge=1, le=INTEGER_MAX)]
"""A place in a series without gaps, from 1."""

Cursor: TypeAlias = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
"""How far a reader of a series is: the newest sequence it has, 0 before the first."""

Nanoseconds: TypeAlias = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
"""A point in time, since 1970-01-01 UTC (until the year 2262), or a duration, as the field's name says."""

Microseconds: TypeAlias = Annotated[float, Meta(ge=0, le=1e15)]
"""A measured duration."""

Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=1e9)]
"""A duration, up to thirty years."""

SkewSeconds: TypeAlias = Annotated[float, Meta(ge=-1e10, le=1e10)]
"""How far one clock is ahead of another, below 0 behind: one may never have been set."""

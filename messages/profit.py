"""The profit since the system started, as a curve."""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from .units import Nanoseconds

Profit: TypeAlias = Annotated[float, Meta(ge=-1e18, le=1e18)]
"""Rupees, below 0 for a loss: to be drawn, not reckoned with."""


class ReadProfitCurve(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReadProfitCurve"):
    """To control: how has the profit before charges gone since the system started? Answered by `ProfitCurve`."""


class ProfitCurve(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ProfitCurve"):
    """Answer to `ReadProfitCurve`: the oldest first, fewer the longer it runs; three series of one length.

    Moments at which an open position had no price are left out: its profit was unknown.
    """

    times_ns: tuple[Nanoseconds, ...]
    """Of the machine's clock: nanoseconds since 1970-01-01 UTC."""

    realized: tuple[Profit, ...]
    """Rupees, before charges: of what was closed."""

    unrealized: tuple[Profit, ...]
    """Rupees, before charges: of what was open, at the last prices."""

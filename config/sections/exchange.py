"""[exchange]: the paper exchange."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from .base import Section


class ExchangeSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The paper exchange."""

    TABLE: ClassVar[str] = "exchange"

    tick_size_rupees: Annotated[float, Meta(gt=0, le=1000)]
    """Limit prices must be whole multiples of it: rupees."""

"""The events that benchmarks of their delivery publish."""

from __future__ import annotations

import natya


class Weighed(natya.IntegrationEvent, frozen=True, kw_only=True):
    """Of 64 parcels."""

    grams: int
    where: str = "Pune"


def an_event(number: int) -> Weighed:
    """The n-th."""
    return Weighed(aggregate_id=f"parcel-{number % 64}", grams=number, event_id=f"e-{number}", occurred_ns=number + 1)

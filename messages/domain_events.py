"""Domain events: what has happened, as a class of its own for each kind, which users subclass in their own modules.

    class RebalanceDue(natya.DomainEvent, frozen=True, kw_only=True):
        weights: dict[str, float]

They travel as `EventPublished`, so nobody between publisher and subscriber has to know the class.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeAlias

import msgspec

from .delivery import EventKind, EventName, EventText
from .units import Nanoseconds, Price, Shares

Upcaster: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
"""Takes the fields that one version of a class wrote, and returns those of the next version."""


class DomainEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that has happened inside this system. Frozen; its subclasses say the same `frozen=True, kw_only=True`.

    A class evolves by fields with defaults. For any other change raise `version` by one, and add to `upcasters` what
    makes fields of the version before into those of the new one.
    """

    version: ClassVar[int] = 1
    """Of this class."""

    upcasters: ClassVar[Mapping[int, Upcaster]] = {}
    """Upcasters by the version that they read."""

    kind: ClassVar[EventKind] = "domain"

    durable: ClassVar[bool] = True
    """The safe lane: journaled before it is acknowledged. False: the fast lane, at most once, for market data."""

    aggregate_id: EventText
    """Id of the aggregate that it is about, whose events are delivered in order."""

    event_id: str = ""
    """A UUID of version 7, given when it is published; empty before."""

    occurred_ns: Nanoseconds = 0
    """Nanoseconds since 1970-01-01 UTC; given when it is published, where it is 0."""

    correlation_id: EventText = ""
    """Correlation id of the conversation that it belongs to."""

    causation_id: EventText = ""
    """Id of the event that caused it."""

    @property
    def topic(self) -> str:
        """What topic patterns are matched with: words joined by dots."""
        return f"events.{type(self).__name__}.{self.aggregate_id}"


class IntegrationEvent(DomainEvent, frozen=True, kw_only=True):
    """Something that other systems should know; as `DomainEvent`."""

    kind: ClassVar[EventKind] = "integration"


class MarketDataReceived(DomainEvent, frozen=True, kw_only=True):
    """A price of an instrument came in. Goes by the fast lane."""

    durable: ClassVar[bool] = False

    symbol: EventName

    price: Price
    """Rupees a share."""

    volume: Shares = 0
    """Shares traded in the day so far."""

    segment: EventName = "NSE_EQ"

    @property
    def topic(self) -> str:
        """By segment and symbol: `ticks.NSE_EQ.RELIANCE`."""
        return f"ticks.{self.segment}.{self.symbol}"


class UnknownEvent(DomainEvent, frozen=True, kw_only=True):
    """An event of a class that this process does not have; its fields are as they were written."""

    event_type: str
    written_version: int
    written_topic: str
    fields: dict[str, Any]

    @property
    def topic(self) -> str:
        """As its publisher gave it."""
        return self.written_topic

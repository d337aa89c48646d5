"""[telemetry]: spans for OpenTelemetry."""

from __future__ import annotations

from typing import ClassVar

from .base import PositiveSeconds, Section


class TelemetrySettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Spans for OpenTelemetry."""

    TABLE: ClassVar[str] = "telemetry"

    endpoint: str
    """URL of a collector to which spans are posted (OTLP over HTTP), such as `http://127.0.0.1:4318/v1/traces`; wants
    the extra `natya[otel]`. Empty: no spans."""

    interval_s: PositiveSeconds
    """Time between two posts."""

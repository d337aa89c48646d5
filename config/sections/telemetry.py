"""[telemetry]: spans for OpenTelemetry."""

from __future__ import annotations

from typing import ClassVar

from .base import PositiveSeconds, Section


class TelemetrySettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Spans for OpenTelemetry."""

    TABLE: ClassVar[str] = "telemetry"

    endpoint: str
    """URL of a collector that spans are posted to (OTLP over HTTP), such as `http://127.0.0.1:4318/v1/traces`; it wants
    the extra `natya[otel]`. Empty: none are made."""

    interval_s: PositiveSeconds
    """How often."""

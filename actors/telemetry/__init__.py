"""Spans for OpenTelemetry, of the conversations that are recorded anyway: each order, from the signal to its fill."""

from .actor import TelemetryActor

__all__ = ["TelemetryActor"]

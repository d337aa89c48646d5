"""Hops as spans of OpenTelemetry's SDK: one for each message that was handled, below one for what began it all."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from ...domain.trace_context import parsed, place_of, root_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...domain.trace_context import TraceContext
    from ...messages.trace import Hop

ROOTS_MAX: Final = 10_000
"""Conversations whose beginning is known to be told; the oldest is forgotten, and would be told again."""

MICROSECOND_NS: Final = 1_000


class TelemetryMissingError(Exception):
    """The library is not installed: `pip install 'natya[otel]'`."""

    restart_helps = False


class Spans:
    """Makes spans, and posts them."""

    def __init__(self, endpoint: str, *, timeout_s: float, instance: str) -> None:
        """Load the library.

        Raises:
            TelemetryMissingError: it is not there.
        """
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
            from opentelemetry.sdk import trace as sdk  # noqa: PLC0415
            from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
            from opentelemetry.sdk.util.instrumentation import InstrumentationScope  # noqa: PLC0415
            from opentelemetry.trace import SpanContext, TraceFlags  # noqa: PLC0415
            from opentelemetry.trace.status import Status, StatusCode  # noqa: PLC0415
        except ImportError as fault:
            raise TelemetryMissingError(
                f"telemetry.endpoint wants the libraries of natya[otel], found: {fault}"
            ) from fault
        self._span, self._context, self._flags = sdk.ReadableSpan, SpanContext, TraceFlags(TraceFlags.SAMPLED)
        self._failed, self._unset = Status(StatusCode.ERROR, "its handler raised"), Status(StatusCode.UNSET)
        self._resource = Resource({"service.name": "natya", "service.instance.id": instance})
        self._scope = InstrumentationScope("natya", version("natya"))
        self._exporter: Any = OTLPSpanExporter(endpoint=endpoint, timeout=timeout_s)  # parts of it are untyped
        self._roots: dict[str, None] = {}

    def post(self, hops: Iterable[Hop]) -> bool:
        """Post them; False: the collector did not take them, and they are dropped. Blocks."""
        return bool(self._exporter.export(self.made(hops)).value == 0)

    def close(self) -> None:
        """Let go of the connection."""
        self._exporter.shutdown()

    def made(self, hops: Iterable[Hop]) -> list[Any]:
        """Make a span of each hop, and one of the beginning of each conversation that was not told before."""
        found = []
        for hop in hops:
            if hop.correlation_id not in self._roots:
                self._roots[hop.correlation_id] = None
                while len(self._roots) > ROOTS_MAX:
                    self._roots.pop(next(iter(self._roots)))
                if parsed(hop.correlation_id) is None:  # else another system has told it
                    found.append(self._begun(hop))
            found.append(self._handled(hop))
        return found

    def _begun(self, hop: Hop) -> Any:
        return self._make(
            f"begin {hop.correlation_id}",
            root_of(hop.correlation_id),
            None,
            hop.sent_ns,
            hop.sent_ns,
            self._named(hop),
            failed=False,
        )

    def _handled(self, hop: Hop) -> Any:
        waited_us = max(0, hop.begun_ns - hop.sent_ns) // MICROSECOND_NS
        attributes = {
            **self._named(hop),
            "natya.actor": hop.actor,
            "natya.message": hop.message_type,
            "natya.waited_us": waited_us,
        }
        return self._make(
            f"{hop.actor} {hop.message_type}",
            place_of(hop.correlation_id, hop.hop_id),
            place_of(hop.correlation_id, hop.causation_id),
            hop.begun_ns,
            hop.ended_ns,
            attributes,
            failed=hop.failed,
        )

    def _make(  # noqa: PLR0913, PLR0917  what a span has
        self,
        name: str,
        place: TraceContext,
        parent: TraceContext | None,
        began_ns: int,
        ended_ns: int,
        attributes: dict[str, Any],
        *,
        failed: bool,
    ) -> Any:
        return self._span(
            name,
            context=self._at(place),
            parent=None if parent is None else self._at(parent),
            resource=self._resource,
            attributes=attributes,
            instrumentation_scope=self._scope,
            start_time=began_ns,
            end_time=ended_ns,
            status=self._failed if failed else self._unset,
        )

    def _at(self, place: TraceContext) -> Any:
        return self._context(place.trace_id, place.span_id, is_remote=False, trace_flags=self._flags)

    @staticmethod
    def _named(hop: Hop) -> dict[str, Any]:
        return {"natya.conversation": hop.correlation_id}

"""An order of a paper system as a collector of OpenTelemetry sees it: one trace from its signal to its fill."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from natya_processes import await_that
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import natya

FILL = "cross JournalRecord after orders ExecutionReport"

pytestmark = pytest.mark.usefixtures("engines")


@pytest.fixture
def collector():
    posted = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, posted
        server.shutdown()


def traces(posted):
    found = {}
    for body in posted:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for span in resource.scope_spans[0].spans:
                found.setdefault(span.trace_id, {})[span.span_id] = span
    return found


def test_an_order_is_one_trace_from_its_signal_to_its_fill_across_every_mailbox(tmp_path, collector):
    port, posted = collector
    overrides = {
        "system.data_dir": str(tmp_path),
        "control.enabled": False,
        "feed.duration_s": 0.0,
        "feed.ticks_per_s": 2_000.0,
        "telemetry.endpoint": f"http://127.0.0.1:{port}/v1/traces",
        "telemetry.interval_s": 0.1,
        "strategies": [
            {"name": "cross", "strategy": "natya.actors.strategy.bodies.crossover:MovingAverageCrossover"},
        ],
    }

    def filled():
        return [
            spans
            for spans in traces(posted).values()
            if "cross JournalRecord after orders ExecutionReport" in paths(spans)
        ]

    with natya.TradingSystem(natya.load_settings("paper", environment={}, overrides=overrides)):
        await_that(filled)
    spans = filled()[0]
    (signal,) = (span for span in spans.values() if not span.parent_span_id)

    assert signal.name.startswith("begin cross-")
    assert {"orders SubmitOrder", "journal Append", "broker PlaceOrder", "exchange NewOrder"} <= {
        span.name for span in spans.values()
    }


def paths(spans):
    """Name each span after each of those above it; those whose way up is not whole yet are left out."""
    found = set()
    for span in spans.values():
        above = []
        place = span
        while place is not None and place.parent_span_id:
            place = spans.get(place.parent_span_id)
            above.append(place)
        if None not in above:
            found |= {f"{span.name} after {each.name}" for each in above}
    return found

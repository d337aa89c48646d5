"""Hops as spans of OpenTelemetry, and what a collector is posted."""

import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.trace.status import StatusCode

from natya.actors.telemetry import spans as spans_module
from natya.actors.telemetry.spans import Spans, TelemetryMissingError
from natya.domain.trace_context import place_of, root_of
from natya.messages.trace import Hop

OTHERS = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def a_hop(number, cause=0, **fields):
    made = {
        "correlation_id": "A-1",
        "hop_id": number,
        "causation_id": cause,
        "actor": "orders",
        "message_type": "SubmitOrder",
        "sent_ns": 10**18 + number,
        "begun_ns": 10**18 + 5_000 + number,
        "ended_ns": 10**18 + 9_000 + number,
    }
    return Hop(**(made | fields))


@pytest.fixture
def spans():
    found = Spans("http://127.0.0.1:1/v1/traces", timeout_s=0.1, instance="paper")
    yield found
    found.close()


class TestTheSpansOfAnOrder:
    def test_are_one_trace_below_its_signal_each_below_the_one_that_sent_it(self, spans):
        signal, submit, place = spans.made([a_hop(1), a_hop(2, 1, actor="broker", message_type="PlaceOrder")])

        assert {each.context.trace_id for each in (signal, submit, place)} == {root_of("A-1").trace_id}
        assert (signal.name, signal.parent, signal.start_time) == ("begin A-1", None, 10**18 + 1)
        assert submit.parent.span_id == signal.context.span_id
        assert place.parent.span_id == submit.context.span_id == place_of("A-1", 1).span_id
        assert (place.name, place.start_time, place.end_time) == ("broker PlaceOrder", 10**18 + 5_002, 10**18 + 9_002)
        assert dict(place.attributes) == {
            "natya.conversation": "A-1",
            "natya.actor": "broker",
            "natya.message": "PlaceOrder",
            "natya.waited_us": 5,
        }

    def test_have_their_signal_once(self, spans, monkeypatch):
        monkeypatch.setattr(spans_module, "ROOTS_MAX", 2)
        names = [each.name for order in "abacca" for each in spans.made([a_hop(1, correlation_id=order)])]

        assert [name for name in names if name.startswith("begin")] == ["begin a", "begin b", "begin c", "begin a"]

    def test_of_another_systems_trace_are_below_its_span(self, spans):
        (only,) = spans.made([a_hop(1, correlation_id=OTHERS)])

        assert f"{only.context.trace_id:032x}-{only.parent.span_id:016x}" in OTHERS

    def test_say_where_a_handler_raised(self, spans):
        *_, failed = spans.made([a_hop(1, failed=True)])

        assert failed.status.status_code is StatusCode.ERROR
        others = spans.made([a_hop(1, correlation_id="A-2"), a_hop(2, correlation_id="A-2")])
        assert [each.status.status_code for each in others] == [StatusCode.UNSET] * 3


class TestACollector:
    def test_is_posted_what_it_reads(self):
        posted = []

        class Collector(BaseHTTPRequestHandler):
            def do_POST(self):
                posted.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        with HTTPServer(("127.0.0.1", 0), Collector) as server:
            Thread(target=server.handle_request, daemon=True).start()
            there = Spans(f"http://127.0.0.1:{server.server_port}/v1/traces", timeout_s=5, instance="paper /data")
            assert there.post([a_hop(1)])
            there.close()
        (resource,) = ExportTraceServiceRequest.FromString(posted[0]).resource_spans
        named = {each.key: each.value.string_value for each in resource.resource.attributes}

        assert [each.name for each in resource.scope_spans[0].spans] == ["begin A-1", "orders SubmitOrder"]
        assert (named["service.name"], named["service.instance.id"]) == ("natya", "paper /data")

    def test_that_is_not_there_takes_none(self, spans):
        assert not spans.post([a_hop(1)])

    def test_that_never_answers_is_waited_for_no_longer_than_is_said(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            there = Spans(f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces", timeout_s=0.2, instance="paper")
            began_s = time.monotonic()

            assert not there.post([a_hop(1)])
            assert time.monotonic() - began_s < 5  # the library's own time is 10 s
            there.close()


def test_what_is_closed_lets_its_connection_go(spans, monkeypatch):
    closed = []
    monkeypatch.setattr(spans._exporter, "shutdown", lambda: closed.append("closed"))
    spans.close()
    assert closed == ["closed"]


def test_without_the_library_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)

    with pytest.raises(TelemetryMissingError, match="natya\\[otel\\]"):
        Spans("http://127.0.0.1:1", timeout_s=1, instance="")

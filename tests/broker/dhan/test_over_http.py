"""The session as the live profile starts it, over a real connection, at whatever `BROKER_BASE_URL` says."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from natya_builders import to_place
from natya_dhan_model import DhanModel, ListOfInstruments
from natya_updates_server import UpdatesServer

from natya.actors.broker import AccessToken
from natya.actors.runtime import InProcessSystem, SystemClock
from natya.actors.supervision import Supervisor
from natya.composition import broker_session
from natya.config.loader import load_settings
from natya.messages.broker import FindOrder, OrderFound, OrderNotPlaced, OrderPlaced, WithdrawOrder
from natya.messages.risk_state import ReduceOnly

LIMITS = {"quantity_max": 10, "value_max_rupees": 25_000.0, "position_max": 20, "orders_in_flight_max": 10}


class Handler(BaseHTTPRequestHandler):
    """Passes requests to the model, one at a time."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.server.guard:
            status, told = self.server.model.handle(self.command, self.path.removeprefix("/v2"), headers, body)
        raw = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815  names of http.server

    def log_message(self, *_):
        pass


@pytest.fixture
def far_end():
    """A server of this machine that speaks as Dhan does."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.model, server.guard = DhanModel(SystemClock(), slow=False), threading.Lock()
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield server
        server.shutdown()
        serving.join()


@pytest.fixture
def orders(far_end):
    """The orders room, played by the test, with the group that the settings make."""
    environment = {
        "BROKER_BASE_URL": f"http://127.0.0.1:{far_end.server_port}/v2",
        "BROKER_CLIENT_ID": "1100012345",
        "BROKER_ACCESS_TOKEN": far_end.model.token,
    }

    with InProcessSystem() as system:

        def start(**given):
            settings = load_settings("live", environment=environment, overrides=given)
            spec = broker_session(settings, AccessToken(settings.broker.access_token))
            assert spec.actor is Supervisor
            probe = system.probe("orders")  # before the others, which may have something to tell at once
            system.start("instruments", ListOfInstruments)
            system.start(spec.name, spec.actor, spec.settings)

            def ask(message):
                system.tell("broker", message, sender=probe)
                while isinstance(answer := probe.receive(timeout_s=10), ReduceOnly):
                    pass  # the keeper of the token tells it, too
                return answer

            probe.ask = ask
            return probe

        yield start


@pytest.fixture
def pushed(far_end):
    """The socket of order updates of the same far end."""
    with UpdatesServer(far_end.model.token) as server:
        yield server


def live():
    return {"broker.live": True, "broker.confirmed_limits": LIMITS}


class TestTheLiveProfile:
    def test_places_fills_finds_and_cancels(self, orders, far_end):
        probe = orders(**live())
        placed = probe.ask(to_place())
        with far_end.guard:
            far_end.model.pass_time()
            far_end.model.fill(far_end.model.orders[placed.broker_order_id], 4, 100.5)
        trade = probe.receive(timeout_s=10)
        found = probe.ask(FindOrder(client_order_id="A-1", symbol="INFY", side="BUY", quantity=10))
        ending = probe.ask(WithdrawOrder(client_order_id="A-1"))

        assert isinstance(placed, OrderPlaced)
        assert (trade.execution_type, trade.quantity, trade.price, trade.symbol) == ("TRADE", 4, 100.5, "INFY")
        assert isinstance(found, OrderFound)
        assert (found.state, len(found.reports)) == ("PART_FILLED", 1)
        assert (ending.execution_type, ending.cumulative_quantity) == ("CANCELLED", 4)
        assert far_end.model.arrivals == {"A-1": 1}

    def test_is_a_dry_run_by_default(self, orders, far_end):
        answer = orders().ask(to_place())

        assert isinstance(answer, OrderNotPlaced)
        assert "dry run" in answer.reason
        assert not far_end.model.requests

    def test_sends_nothing_more_once_its_token_is_dead(self, orders, far_end):
        far_end.model.token = "another"  # noqa: S105  it opens nothing
        probe = orders(**live())
        refused = [probe.ask(to_place(f"A-{number}")) for number in range(3)]

        assert [type(answer) for answer in refused] == [OrderNotPlaced] * 3
        assert sum(far_end.model.requests.values()) == 1


class TestOrderUpdates:
    def test_have_a_fill_told_at_once_and_once(self, orders, far_end, pushed):
        probe = orders(**live(), **{"broker.options": {"order_updates": pushed.url}})
        assert pushed.connected.acquire(timeout=10)
        placed = probe.ask(to_place())
        with far_end.guard:
            far_end.model.pass_time()
            far_end.model.fill(far_end.model.orders[placed.broker_order_id], 4, 100.5)
        for _ in range(3):
            pushed.push_alert(orderNo=placed.broker_order_id, status="Pending", tradedQty=4, correlationId="A-1")
        trade = probe.receive(timeout_s=10)
        ending = probe.ask(WithdrawOrder(client_order_id="A-1"))

        assert (trade.execution_type, trade.quantity, trade.price, trade.symbol) == ("TRADE", 4, 100.5, "INFY")
        assert (ending.execution_type, ending.cumulative_quantity) == ("CANCELLED", 4)

    def test_of_a_dead_token_end_in_a_question_that_shows_it(self, orders, far_end, pushed):
        far_end.model.token = "another"  # noqa: S105  it opens nothing
        pushed.token = "another"  # noqa: S105  it opens nothing
        probe = orders(**live(), **{"broker.options": {"order_updates": pushed.url}})

        assert "access token" in probe.receive(timeout_s=20).reason

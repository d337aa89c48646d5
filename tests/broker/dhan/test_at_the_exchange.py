"""The session of the live profile at the paper exchange, over its REST protocol and its socket of order updates."""

import pytest
from natya_builders import to_place
from natya_dhan_model import ListOfInstruments
from natya_wire import CLIENT, TOKEN, Served

from natya.actors.broker import AccessToken
from natya.actors.runtime import InProcessSystem
from natya.composition import broker_session
from natya.config.loader import load_settings
from natya.messages.broker import ExecutionReport, OrderPlaced, WithdrawOrder
from natya.messages.kill_switch import LossExitSet, SetLossExit, StopTrading, TradingStopped
from natya.messages.system import Ping

LIMITS = {"quantity_max": 10, "value_max_rupees": 25_000.0, "position_max": 20, "orders_in_flight_max": 10}


@pytest.fixture
def served(tmp_path):
    made = Served(tmp_path / "exchange")
    made.price(1500.0)
    yield made
    made.stop()


@pytest.fixture
def session(served):
    """The broker's group, between orders, which the test plays, and the exchange."""
    environment = {
        "BROKER_BASE_URL": served.rest,
        "BROKER_CLIENT_ID": CLIENT,
        "BROKER_ACCESS_TOKEN": TOKEN,
    }
    given = {
        "broker.live": True,
        "broker.confirmed_limits": LIMITS,
        "broker.options": {"order_updates": served.system.found().order_update},
    }
    settings = load_settings("live", environment=environment, overrides=given)
    with InProcessSystem() as system:
        system.probe_of_orders = system.probe("orders")
        system.start("instruments", ListOfInstruments)
        spec = broker_session(settings, AccessToken(settings.broker.access_token))
        system.start(spec.name, spec.actor, spec.settings)
        while not counts(system).connected:
            pass  # each question waits for its answer
        yield system


def counts(system):
    return system.request("broker-updates", Ping(), timeout_s=10).statistics


def report(system):
    """The next report of an execution."""
    while not isinstance(message := system.probe_of_orders.receive(timeout_s=10), ExecutionReport):
        pass
    return message


class TestOrderUpdatesOfTheExchange:
    def test_have_a_fill_and_a_cancellation_told_once(self, session, served):
        orders = session.probe_of_orders
        session.tell("broker", to_place(order_type="LIMIT", limit_price=1490.0), sender=orders)
        placed = orders.receive(timeout_s=10)
        assert isinstance(placed, OrderPlaced)
        served.settled(placed.broker_order_id)
        served.price(1489.0, quantity=1_000)
        trade = report(session)
        session.tell("broker", to_place("A-2", order_type="LIMIT", limit_price=1400.0), sender=orders)
        second = orders.receive(timeout_s=10)
        served.settled(second.broker_order_id)
        session.tell("broker", WithdrawOrder(client_order_id="A-2"), sender=orders)
        ending = report(session)

        assert (trade.client_order_id, trade.execution_type, trade.quantity) == ("A-1", "TRADE", 10)
        assert (ending.client_order_id, ending.execution_type) == ("A-2", "CANCELLED")
        found = counts(session)
        assert (found.connections, found.refused, found.without_id) == (1, 0, 0)
        assert found.updates >= 3


class TestTheBrokersOwnSwitch:
    def test_is_set_where_nothing_is_held_and_ends_the_day(self, session):
        assert session.request("broker", StopTrading(), timeout_s=10) == TradingStopped()
        session.tell("broker", to_place(), sender=session.probe_of_orders)

        answer = session.probe_of_orders.receive(timeout_s=10)
        assert not isinstance(answer, OrderPlaced) or report(session).execution_type == "REJECTED"

    def test_is_not_set_while_something_is_held_and_that_is_said(self, session):
        session.tell("broker", to_place(quantity=1), sender=session.probe_of_orders)
        assert report(session).execution_type == "TRADE"

        assert session.request("broker", StopTrading(), timeout_s=10).problem


class TestTheBrokersOwnExit:
    def net(self, served):
        return sum(row["netQty"] for row in served.ok("GET", "/v2/positions"))

    def wanted(self, session, loss):
        return session.request("broker", SetLossExit(loss_rupees=loss), timeout_s=10)

    def test_closes_all_at_the_loss_that_was_set_and_is_not_set_again_behind_it(self, session, served):
        session.tell("broker", to_place(quantity=10), sender=session.probe_of_orders)
        assert report(session).execution_type == "TRADE"
        assert self.wanted(session, 500.0) == LossExitSet(loss_rupees=500.0)
        assert self.wanted(session, 300.0) == LossExitSet(loss_rupees=300.0)
        served.price(1471.0)
        assert self.net(served) == 10
        served.price(1469.0)

        assert self.net(served) == 0
        answer = self.wanted(session, 300.0)
        assert (answer.loss_rupees, "at once" in answer.problem) == (0.0, True)

    def test_ends_where_it_is_wanted_no_more(self, session, served):
        assert self.wanted(session, 500.0) == LossExitSet(loss_rupees=500.0)
        assert self.wanted(session, 0.0) == LossExitSet(loss_rupees=0.0)
        assert served.ok("GET", "/v2/pnlExit")["pnlExitStatus"] == "INACTIVE"

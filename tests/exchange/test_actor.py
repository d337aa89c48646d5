"""The exchange actor: whose report goes where, and what a restart leaves."""

import pytest

from natya.actors.exchange import ExchangeActor
from natya.config.settings import ExchangeSettings
from natya.messages.broker import CancelRequest, OrderFound, OrderStatusRequest
from natya.messages.system import Ping


@pytest.fixture
def system(actor_system):
    actor_system.start("exchange", ExchangeActor, ExchangeSettings(tick_size_rupees=0.05))
    return actor_system


class TestPlacingAnOrder:
    def test_is_answered_to_who_placed_it(self, system, a_tick, an_order):
        system.tell("exchange", a_tick(100.0))

        answer = system.request("exchange", an_order(limit_price=99.0), timeout_s=5)

        assert answer.execution_type == "NEW"
        assert answer.broker_order_id.startswith("X-")

    def test_that_is_refused_is_answered_by_rejected(self, system, an_order):
        answer = system.request("exchange", an_order(), timeout_s=5)

        assert answer.execution_type == "REJECTED"

    def test_brings_later_trades_to_who_placed_it(self, system, a_tick, an_order):
        broker = system.probe("broker")
        system.tell("exchange", a_tick(100.0))
        system.tell("exchange", an_order(limit_price=99.0), sender=broker)
        assert broker.receive(timeout_s=5).execution_type == "NEW"

        system.tell("exchange", a_tick(98.5))

        report = broker.receive(timeout_s=5)
        assert (report.execution_type, report.quantity, report.price) == ("TRADE", 10, 99.0)


class TestAskingForAnOrder:
    def test_finds_it_with_its_trades(self, system, a_tick, an_order):
        system.tell("exchange", a_tick(100.0))
        system.request("exchange", an_order(), timeout_s=5)

        found = system.request("exchange", OrderStatusRequest(client_order_id="a"), timeout_s=5)

        assert isinstance(found, OrderFound)
        assert found.state == "FILLED"
        assert len(found.reports) == 1

    def test_that_rests_may_end_in_its_cancellation(self, system, a_tick, an_order):
        system.tell("exchange", a_tick(100.0))
        system.request("exchange", an_order(limit_price=99.0), timeout_s=5)

        first = system.request("exchange", CancelRequest(client_order_id="a"), timeout_s=5)
        again = system.request("exchange", CancelRequest(client_order_id="a"), timeout_s=5)

        assert first.execution_type == "CANCELLED"
        assert again.execution_type == "CANCEL_REJECTED"


class TestARestart:
    def test_keeps_the_book(self, system, a_tick, an_order):
        system.tell("exchange", a_tick(100.0))
        system.request("exchange", an_order(limit_price=99.0), timeout_s=5)

        broken = a_tick(98.0, bids=[(97.0, 1)])
        system.tell("exchange", type(broken)(**(_fields(broken) | {"volume": None})))

        statistics = system.request("exchange", Ping(), timeout_s=5).statistics
        assert (statistics.orders, statistics.resting_orders) == (1, 1)


def _fields(message):
    return {name: getattr(message, name) for name in message.__struct_fields__}

"""A broker session between orders and an exchange, both played by the test."""

import pytest
from natya_builders import to_place

from natya.actors.broker import BrokerActor, actor
from natya.config.secrets import Secret
from natya.config.sections.broker import BrokerSettings
from natya.messages.broker import ExecutionReport


def some_settings(**fields):
    fields = {"name": "paper", "client_id": "", "access_token": Secret(""), "base_url": ""} | fields
    return BrokerSettings.default(**fields)


def a_report(execution_type, client_order_id="A-1", **fields):
    fields = {"broker_order_id": "X-1", "execution_id": "E-1", "occurred_ns": 1} | fields
    return ExecutionReport(client_order_id=client_order_id, execution_type=execution_type, **fields)


@pytest.fixture(autouse=True)
def what_has_left_is_told_to_who_waits_for_it(monkeypatch):
    """Once a second, it would come between a request and its answer wherever the machine is busy."""
    monkeypatch.setattr(actor, "TELL_LEFT_S", 3_600.0)


class Stage:
    order = staticmethod(to_place)
    report = staticmethod(a_report)
    settings = staticmethod(some_settings)

    def __init__(self, system):
        self.system = system
        self.orders = system.probe("orders")
        self.exchange = system.probe("exchange")

    def open(self, **fields):
        self.system.start("broker", BrokerActor, some_settings(**fields))
        return self

    def ask(self, message):
        self.system.tell("broker", message, sender=self.orders)

    def answer(self, message):
        self.system.tell("broker", message, sender=self.exchange)


@pytest.fixture
def stage(actor_system):
    return Stage(actor_system)

"""A dry run: at a broker of the real market nothing leaves before a person has said so, and reading goes on."""

import msgspec
import pytest
from natya_builders import to_place
from natya_dhan_model import FIRST_TOKEN, DhanModel, DhanSession, ListOfInstruments

from natya.actors.broker import AccessToken, BrokerActor
from natya.actors.broker.bodies.dhan.service import service_of
from natya.actors.external import ExternalActor
from natya.actors.runtime import SystemClock
from natya.config.secrets import Secret
from natya.config.sections.broker import BrokerSettings
from natya.messages.broker import FindOrder, OrderNotFound, OrderNotPlaced, OrderPlaced, WithdrawOrder
from natya.messages.kill_switch import SetLossExit, StopTrading
from natya.messages.system import Ping


@pytest.fixture
def far_end():
    return DhanModel(SystemClock(), slow=False)


@pytest.fixture
def opened(actor_system, far_end):
    def build(**fields):
        token = Secret(FIRST_TOKEN)
        settings = BrokerSettings.default(name="dhan", client_id="1", access_token=token, base_url="", **fields)
        service = service_of(settings, AccessToken(token))
        service = msgspec.structs.replace(service, new_session=lambda _: DhanSession(far_end))
        actor_system.start("instruments", ListOfInstruments)
        actor_system.start("broker-service", ExternalActor, service)
        actor_system.start("broker", BrokerActor, settings)
        return actor_system.probe("orders")

    return build


class TestADryRun:
    def test_is_the_default_and_answers_an_order_with_why_it_was_held_back(self, actor_system, opened, far_end):
        orders = opened()
        for _ in range(2):
            actor_system.tell("broker", to_place(), sender=orders)
            answer = orders.receive()

            assert isinstance(answer, OrderNotPlaced)
            assert "dry run: nothing leaves without" in answer.reason
        assert not far_end.requests
        assert actor_system.request("broker", Ping()).statistics.refused == 1

    def test_refuses_to_cancel(self, actor_system, opened, far_end):
        orders = opened()
        actor_system.tell("broker", WithdrawOrder(client_order_id="A-1", broker_order_id="7"), sender=orders)
        answer = orders.receive()

        assert (answer.execution_type, answer.client_order_id) == ("CANCEL_REJECTED", "A-1")
        assert "dry run" in answer.reason
        assert not far_end.requests

    def test_does_not_stop_the_account_or_have_it_closed(self, actor_system, opened, far_end):
        opened()

        assert "dry run" in actor_system.request("broker", StopTrading()).problem
        assert "dry run" in actor_system.request("broker", SetLossExit(loss_rupees=1.0)).problem
        assert not far_end.requests

    def test_looks_orders_up(self, actor_system, opened, far_end):
        orders = opened()
        actor_system.tell("broker", FindOrder(client_order_id="A-1"), sender=orders)

        assert orders.receive(timeout_s=10) == OrderNotFound(client_order_id="A-1")
        assert set(far_end.requests) == {"GET orders", "GET positions", "GET trades"}


def test_with_leave_the_order_is_placed(actor_system, opened, far_end):
    orders = opened(live=True)
    actor_system.tell("broker", to_place(), sender=orders)

    assert isinstance(orders.receive(timeout_s=10), OrderPlaced)
    assert far_end.arrivals == {"A-1": 1}


@pytest.mark.parametrize(("live", "trouble"), [(False, "dry run"), (True, "")])
def test_a_dry_run_is_a_trouble_that_is_shown_again_when_another_is_over(actor_system, opened, live, trouble):
    opened(live=live)
    actor_system.request("broker", Ping())
    session = actor_system.base.find("broker").instance
    assert session.trouble.startswith(trouble)
    session.tell_trouble("the token is dead")
    assert session.trouble == "the token is dead"
    session.tell_trouble("")

    assert session.trouble.startswith(trouble)
    assert bool(session.trouble) is not live

"""Orders of every type through the whole system, from a strategy to the exchange and back."""

import pytest

from natya.actors.database import OrderRepository
from natya.messages.orders import ModificationIntended, OrderCancelled, OrderIntended, OrderModified, OrderTriggered

pytestmark = pytest.mark.usefixtures("engines")

PLAYER = {"name": "player", "strategy": "natya_players:OfEveryType"}


@pytest.fixture
def rising(tmp_path):
    """Fifteen minutes from 100 rupees upwards, ten paise a minute."""
    rows = [f"2026-11-25 10:{minute:02}:00,{100 + minute / 10:.2f}" for minute in range(15)]
    path = tmp_path / "rising.csv"
    path.write_text("\n".join(["date,price", *rows, ""]))
    return path


@pytest.fixture(params=[False, True], ids=["by message", "over HTTP"])
def played(request, tmp_path, rising, plays):
    return plays(tmp_path / "data", rising, PLAYER, broker__wire=request.param)


def is_a(record, kind):
    return isinstance(record.fact, kind)


class TestOrdersOfEveryType:
    def test_reach_the_exchange_and_fill_as_their_types_say(self, played, tmp_path):
        intents = {record.fact.client_order_id: record.fact for record in played.records if is_a(record, OrderIntended)}
        filled = {intents[fill.client_order_id].quantity: fill.price for fill in played.fills}
        cancelled = [intents[record.fact.client_order_id] for record in played.records if is_a(record, OrderCancelled)]

        assert [intent.order_type for intent in intents.values()] == ["MARKET", "LIMIT", "STOP", "STOP_LIMIT", "STOP"]
        assert filled == {1: 100.0, 3: 100.5, 4: 100.7}
        assert [(intent.quantity, intent.validity) for intent in cancelled] == [(2, "IOC")]
        with OrderRepository(str(tmp_path / "data" / "natya.duckdb")) as orders:
            rows = {order.quantity: order for order in orders.find().data}
        terms = [(row.order_type, row.limit_price, row.trigger_price, row.product) for row in (rows[3], rows[4])]
        assert terms == [("STOP", None, 100.5, "INTRADAY"), ("STOP_LIMIT", 100.8, 100.7, None)]
        assert (rows[5].state, rows[5].trigger_price, rows[2].validity) == ("ACCEPTED", 95.0, "IOC")
        # Dhan does not say when a trigger is met.
        told = sum(is_a(record, OrderTriggered) for record in played.records)
        assert told == (0 if any(type(record.fact).__name__ == "AccountServed" for record in played.records) else 2)


class TestChangesOfOrders:
    @pytest.mark.parametrize("wire", [False, True], ids=["by message", "over HTTP"])
    def test_reach_the_exchange_and_are_told(self, tmp_path, rising, plays, wire):
        changing = {"name": "changing", "strategy": "natya_players:Changing"}
        played = plays(tmp_path / "data", rising, changing, broker__wire=wire)
        bid, stop = (record.fact.client_order_id for record in played.records if is_a(record, OrderIntended))
        changed = {
            fact.client_order_id: (fact.quantity, fact.limit_price, fact.trigger_price)
            for fact in (record.fact for record in played.records)
            if isinstance(fact, OrderModified)
        }

        assert sum(is_a(record, ModificationIntended) for record in played.records) == 2
        assert changed == {bid: (2, 101.0, None), stop: (5, None, 90.0)}
        assert [(fill.client_order_id, fill.quantity) for fill in played.fills] == [(bid, 2)]
        with OrderRepository(str(tmp_path / "data" / "natya.duckdb")) as orders:
            rows = {order.client_order_id: order for order in orders.find().data}
        assert (rows[bid].state, rows[bid].quantity, rows[bid].modifications) == ("FILLED", 2, 1)
        assert (rows[stop].state, rows[stop].trigger_price, rows[stop].in_effect) == ("ACCEPTED", 90.0, 1)

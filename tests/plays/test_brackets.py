"""Brackets through the whole system: whichever exit trades, the other is gone, and nothing is held."""

import pytest

from natya.actors.database import OrderRepository
from natya.messages.orders import OrderIntended

pytestmark = pytest.mark.usefixtures("engines")

PLAYER = {"name": "bracketed", "strategy": "natya_players:Bracketed"}


@pytest.fixture(params=["rising", "falling"])
def recording(request, tmp_path):
    """Fifteen minutes from 100 rupees, ten paise a minute up or down."""
    sign = 1 if request.param == "rising" else -1
    rows = [f"2026-11-25 10:{minute:02}:00,{100 + sign * minute / 10:.2f}" for minute in range(15)]
    path = tmp_path / f"{request.param}.csv"
    path.write_text("\n".join(["date,price", *rows, ""]))
    return path


@pytest.mark.parametrize(
    ("side", "wire"),
    [("BUY", False), ("SELL", False), ("BUY", True)],
    ids=["BUY-by message", "SELL-by message", "BUY-over HTTP"],
)
def test_a_bracket_ends_flat_with_one_exit_filled_and_the_other_cancelled(tmp_path, recording, plays, wire, side):
    played = plays(tmp_path / "data", recording, {**PLAYER, "parameters": {"side": side}}, broker__wire=wire)
    facts = [record.fact for record in played.records]
    entry, *exits = [fact.client_order_id for fact in facts if isinstance(fact, OrderIntended)]
    wins = (side == "BUY") == (recording.stem == "rising")
    filled, cancelled = (f"{entry}T", f"{entry}S") if wins else (f"{entry}S", f"{entry}T")
    with OrderRepository(str(tmp_path / "data" / "natya.duckdb")) as orders:
        states = {order.client_order_id: order.state for order in orders.find().data}

    assert exits == [f"{entry}S", f"{entry}T"]
    assert states == {entry: "FILLED", filled: "FILLED", cancelled: "CANCELLED"}
    distance = 0.5 if wins else 0.3
    exit_price = 100.0 + distance * (1 if recording.stem == "rising" else -1)
    assert [fill.price for fill in played.fills] == [100.0, pytest.approx(exit_price)]
    assert not played.summary.positions


@pytest.mark.parametrize("product", ["CNC", "INTRADAY"])
def test_what_is_held_over_night_has_its_stop_on_the_next_day_where_it_is_carried(tmp_path, plays, product):
    prices = {"2026-11-25": [100.0] * 5, "2026-11-26": [100.0] * 5, "2026-11-27": [100.0, 100.0, 99.7, 99.6, 99.5]}
    rows = [f"{day} 10:{minute:02}:00,{price}" for day, each in prices.items() for minute, price in enumerate(each)]
    recording = tmp_path / "three_days.csv"
    recording.write_text("\n".join(["date,price", *rows, ""]))
    player = {**PLAYER, "parameters": {"side": "BUY", "product": product}}
    played = plays(tmp_path / "data", recording, player)
    entry, *exits = [record.fact.client_order_id for record in played.records if isinstance(record.fact, OrderIntended)]

    again = [f"{entry}S1", f"{entry}T1", f"{entry}S2", f"{entry}T2"] if product == "CNC" else []
    assert exits == [f"{entry}S", f"{entry}T", *again]
    assert [(fill.side, fill.quantity) for fill in played.fills][1:] == [("SELL", 10)] * (product == "CNC")

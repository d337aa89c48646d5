"""The state of a strategy that fails at random, counted again from the facts of the journal."""

from collections import Counter

import msgspec
import pytest

from natya.messages.strategy_state import StrategyStateSaved

pytestmark = pytest.mark.usefixtures("engines")


def test_has_each_fill_once_whatever_failed(tmp_path, mornings, plays):
    strategy = {"name": "tally", "strategy": "natya_players:Tallying", "parameters": {"fails": 0.05}}
    limits = {"supervision__restarts_max": 10_000, "supervision__escalate_after": 10_000}

    played = plays(tmp_path / "data", mornings(3), strategy, **limits)

    *_, last = [record.fact for record in played.records if isinstance(record.fact, StrategyStateSaved)]
    shares, by_order, paise = Counter(), Counter(), 0
    for fill in played.fills:
        shares[fill.side] += fill.quantity
        by_order[fill.client_order_id] += fill.quantity
        paise += round(fill.price * 100) * fill.quantity * (1 if fill.side == "SELL" else -1)
    assert played.summary.restarts > 3
    assert len(played.fills) > 10
    assert msgspec.msgpack.decode(last.state) == {
        "bought": shares["BUY"], "sold": shares["SELL"], "paise": paise, "by_order": dict(by_order),
    }  # fmt: skip
    assert sum(played.summary.positions.values()) == shares["BUY"] - shares["SELL"]

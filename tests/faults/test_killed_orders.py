"""A daemon killed, stopped and halted while it trades at a faulty exchange: no order twice, none lost, no ghost.

`make kills-orders` kills it 200 times over 10,000 orders, `make stops-orders` stops it 500 times: ORDER_KILLS and
ORDER_STOPS say how often, ORDER_KILLS_ORDERS after how many orders of a life (about), ORDER_KILLS_SEED how mixed.
"""

import os

import pytest
from natya_killed_orders import STOP_S, Both, Storm

from natya.messages.orders import OrderCancelled, OrderFilled, OrderIntended, OrderModified

KILLS = int(os.environ.get("ORDER_KILLS", "2"))
STOPS = int(os.environ.get("ORDER_STOPS", "0"))
IN_A_LIFE = int(os.environ.get("ORDER_KILLS_ORDERS", "10"))
MANY = 10
SEED = int(os.environ.get("ORDER_KILLS_SEED", "1"))


@pytest.fixture
def storm(tmp_path):
    storm = Storm(tmp_path, SEED)
    yield storm
    storm.end()


def ends_of(kills, stops, chance):
    """How the lives end, in which order: one in eight that is killed is halted before, one in five in its start."""
    ends = ["halt" if number % 8 == 1 else "kill" for number in range(kills)] + ["stop"] * stops
    chance.shuffle(ends)
    return [(0 if end == "kill" and chance.random() < 0.2 else chance.randint(1, 2 * IN_A_LIFE), end) for end in ends]


@pytest.mark.timeout(60 + 30 * (KILLS + STOPS))
def test_whatever_ends_it_each_order_is_at_the_exchange_once_as_it_is_in_the_journal(storm):
    for orders, end in ends_of(KILLS, STOPS, storm.chance):
        storm.live(orders, end)
    wrongs = storm.settle()
    both = Both(storm.daemon, storm.exchange)
    kinds = (OrderIntended, OrderFilled, OrderModified, OrderCancelled)
    told = ", ".join(f"{both.ours[kind.__name__]} {kind.__name__}" for kind in kinds)
    print(f"seed {SEED}: {dict(storm.ends)}, {told}, {len(both.rows)} at the exchange, {storm.faults} faults,")  # noqa: T201
    print(f"settled in {storm.settled_s:.1f} s, stopped in at most {max(storm.stopped_s):.1f} s")  # noqa: T201

    assert wrongs == []
    if KILLS + STOPS >= MANY:  # a few orders may all rest
        assert all(both.ours[kind.__name__] for kind in kinds)
    assert max(storm.stopped_s) <= STOP_S

"""What a system keeps does not grow with the orders that have ended, beyond what each owner says that it keeps."""

import collections
import gc
import queue
import threading
import time

import natya
from natya.messages.addresses import DATABASE
from natya.messages.database import Query

ORDERS, KEPT = 80, 10
BOUNDS = (
    "natya.actors.orders.book.all_orders.ENDED_MAX",
    "natya.actors.exchange.matching.matching.ENDED_MAX",
    "natya.actors.broker.intake.KNOWN_MAX",
    "natya.actors.strategy.order_handle.ENDED_REMEMBERED_MAX",
    "natya.actors.runtime.trace.NAMED_MAX",
)

reached, go_on = queue.Queue(), threading.Event()


class BuyAndSell(natya.StrategyActor):
    """In turn, one order at a time; pauses after so many orders, and after twice as many."""

    def on_begin(self):
        self.ordered, self.is_out = 0, False

    def on_tick(self, tick):
        if self.is_out or (self.ordered == ORDERS and not go_on.is_set()) or self.ordered == 2 * ORDERS:
            return
        self.ordered, self.is_out = self.ordered + 1, True
        (self.sell if self.position(tick.symbol) > 0 else self.buy)(tick.symbol, 1)

    def on_fill(self, _fill):
        self.is_out = False
        if self.ordered in {ORDERS, 2 * ORDERS}:
            reached.put(self.ordered)


def in_tables(system):
    """Return how many orders the database knows to be filled."""
    return system.request(DATABASE, Query(sql="SELECT count(*) FROM orders WHERE state = 'FILLED'"), timeout_s=60).rows[
        0
    ][0]


def pause(system):
    """Wait until the strategy pauses and the tables hold all its orders: none is being projected."""
    ordered, end = reached.get(timeout=60), time.monotonic() + 60
    while in_tables(system) < ordered:
        assert time.monotonic() < end


def objects():
    gc.collect()
    return collections.Counter(type(each).__qualname__ for each in gc.get_objects())


def more_than(before, after):
    return {name: count for name, count in (after - before).items() if count > ORDERS / 2}


def test_objects_are_as_many_after_twice_as_many_orders(tmp_path, monkeypatch):
    monkeypatch.setattr("natya.actors.orders.book.all_orders.PACKED_AT_ONCE", 10)
    for each in BOUNDS:
        monkeypatch.setattr(each, KEPT)
    overrides = {
        "system.data_dir": str(tmp_path / "data"),
        "feed.speed": 0.0,
        "feed.symbols": ["TCS"],
        "strategies": [{"name": "turns", "strategy": f"{__name__}:BuyAndSell"}],
    }
    go_on.clear()
    with natya.TradingSystem(natya.load_settings("paper", environment={}, overrides=overrides)) as system:
        pause(system)
        before = objects()
        go_on.set()
        pause(system)
        kept, end = objects(), time.monotonic() + 10
        while more_than(before, kept) and time.monotonic() < end:  # what is only on its way is gone at the next look
            kept &= objects()

    assert more_than(before, kept) == {}

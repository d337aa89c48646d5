"""What a system keeps does not grow with the orders that have ended, beyond what each owner says that it keeps."""

import collections
import gc
import threading

import natya

ORDERS, KEPT = 80, 10
BOUNDS = (
    "natya.actors.orders.book.all_orders.ENDED_MAX",
    "natya.actors.exchange.matching.matching.ENDED_MAX",
    "natya.actors.broker.intake.KNOWN_MAX",
    "natya.actors.strategy.order_handle.ENDED_REMEMBERED_MAX",
    "natya.actors.runtime.trace.NAMED_MAX",
)

counted = []
done = threading.Event()


class BuyAndSell(natya.StrategyActor):
    """In turn, one order at a time; counts objects by type after so many orders and after twice as many."""

    def on_begin(self):
        self.ordered, self.is_out = 0, False

    def on_tick(self, tick):
        if self.is_out:
            return
        if self.ordered in {ORDERS, 2 * ORDERS}:
            gc.collect()
            counted.append(collections.Counter(type(each).__qualname__ for each in gc.get_objects()))
            if self.ordered > ORDERS:
                self.is_out = True
                done.set()
                return
        self.ordered, self.is_out = self.ordered + 1, True
        (self.sell if self.position(tick.symbol) > 0 else self.buy)(tick.symbol, 1)

    def on_fill(self, _fill):
        self.is_out = False


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
    counted.clear()
    done.clear()
    with natya.TradingSystem(natya.load_settings("paper", environment={}, overrides=overrides)):
        assert done.wait(60)

    before, after = counted
    assert {name: count for name, count in (after - before).items() if count > ORDERS / 2} == {}

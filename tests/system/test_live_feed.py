"""Paper trading on a live feed: the whole system, and a feed as Dhan's in this process."""

import re
import time

import msgspec
import pytest
from natya_feed import ScriptedFeed
from natya_packets import STATUS, full
from natya_processes import await_that

from natya import StrategyActor, TradingSystem, load_settings
from natya.actors.runtime import handles
from natya.domain.calendar import is_open
from natya.messages.journal import ReadJournal

INFY, TCS = 1594, 11536
LATE_S = 0.3


class Buyer(StrategyActor):
    """Buys ten at the first tick."""

    def on_begin(self) -> None:
        self._has_ordered = False

    def on_tick(self, tick) -> None:
        if not self._has_ordered:
            self._has_ordered = True
            self.buy(tick.symbol, 10)


class Order(msgspec.Struct, frozen=True):
    """To itself."""


class LateBuyer(StrategyActor):
    """Buys ten of what it heard of a while ago."""

    def on_tick(self, tick) -> None:
        self.after(LATE_S, Order())

    @handles(Order)
    def order(self, _message, _sender) -> None:
        self.buy("TCS", 10)


def a_packet(security_id, price, volume=1):
    levels = [(4 + level, 6 + level, 1, 1, price - 0.05 * level, price + 0.05 * (level + 1)) for level in range(5)]
    return full(security_id, price=price, levels=levels, volume=volume, time_s=int(time.time()) + 19_800)


@pytest.fixture
def feed():
    with ScriptedFeed() as feed:
        yield feed


def settings_of(tmp_path, feed, strategy, **overrides):
    return load_settings(
        "paper",
        environment={"BROKER_ACCESS_TOKEN": "a-token", "BROKER_CLIENT_ID": "1100012345"},
        overrides={
            "system.data_dir": str(tmp_path / "natya"),
            "feed.source": "dhan",
            "feed.options": {"url": feed.url, "backoff_s": 0.05, "backoff_max_s": 0.1},
            "feed.symbols": ["INFY"],
            "feed.exchange": "none",
            "control.enabled": False,
            "strategies": [{"name": "buyer", "strategy": strategy, "symbols": ["TCS"]}],
        }
        | overrides,
    )


@pytest.fixture
def system(tmp_path, feed):
    with TradingSystem(settings_of(tmp_path, feed, Buyer)) as system:
        feed.wait_for_sockets(1, 2)
        yield system


def found(system, name, wanted):
    return await_that(lambda: (now := system.look().statistics[name]) and wanted(now) and now)


class TestPaperOnALiveFeed:
    def test_subscribes_to_the_symbols_of_settings_and_strategies(self, system, feed):
        assert sorted(feed.subscribed()) == sorted([str(INFY), str(TCS)])
        assert feed.attempts == ["a-token"]

    def test_fills_orders_from_the_book_that_came_and_records_what_came(self, system, feed):
        feed.send(a_packet(TCS, 3_000.0))
        feed.send(a_packet(INFY, 1_500.0))

        orders = found(system, "orders", lambda now: now.fills)
        assert [(position.symbol, position.quantity) for position in orders.positions] == [("TCS", 10)]
        recorded = found(system, "feed", lambda now: now.recorded_sequence == 2)
        assert (recorded.ticks, recorded.arrived, recorded.conflated, recorded.queued) == (2, 2, 0, 0)
        assert recorded.last_prices == {"TCS": 3_000.0, "INFY": 1_500.0}

    def test_tells_of_a_gap_by_a_fact(self, system, feed):
        feed.send(a_packet(INFY, 1_500.0))
        found(system, "feed", lambda now: now.ticks == 1)

        feed.drop()
        feed.wait_for_sockets(2, 2)

        found(system, "feed", lambda now: now.gaps == 1)
        page = await_that(
            lambda: (got := system.request("journal", ReadJournal(types=("FeedGapped",)), timeout_s=5)).records and got
        )
        (record,) = page.records
        assert sorted(record.fact.symbols) == ["INFY", "TCS"]
        assert record.fact.cause == "closed"
        assert record.fact.start_ns < record.fact.end_ns

    def test_tells_a_status_of_the_market_by_a_fact(self, system, feed):
        feed.send(STATUS)

        page = await_that(
            lambda: (
                (got := system.request("journal", ReadJournal(types=("MarketStatusHeard",)), timeout_s=5)).records
                and got
            )
        )
        (record,) = page.records
        assert record.fact.segment == "NSE_EQ"
        assert record.fact.is_open == is_open(record.fact.occurred_ns)

    def test_refuses_an_order_on_a_price_after_which_nothing_came(self, tmp_path, feed):
        settings = settings_of(tmp_path, feed, LateBuyer, **{"orders.price_age_max_s": LATE_S / 2})
        with TradingSystem(settings) as system:
            feed.wait_for_sockets(1, 2)
            feed.send(a_packet(TCS, 3_000.0))
            orders = found(system, "orders", lambda now: now.rejected)
            assert orders.refused_by_rule == {"price_age_max_s": 1}
            assert orders.positions == ()
            (refused,) = system.request("journal", ReadJournal(types=("OrderRefused",)), timeout_s=5).records
            assert re.search(r"of at most 0\.15 s of age wanted, found \d+\.\d+ s", refused.fact.reason)

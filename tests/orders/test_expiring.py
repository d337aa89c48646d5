"""What is held of a contract that has expired is closed in the book, at what it is worth, and nothing is sent."""

from datetime import date, datetime
from decimal import Decimal

import msgspec
import pytest
from natya_builders import a_candle
from natya_orders_stage import Release

from natya.actors.orders import OrdersActor
from natya.actors.orders.parts import expiring
from natya.actors.orders.parts.expiring import expired_id
from natya.actors.runtime import RuntimeActor, handles
from natya.domain.booked import EXPIRED
from natya.domain.client_order_ids import is_client_order_id, is_own
from natya.domain.gone_positions import Gone
from natya.domain.time import IST
from natya.messages.broker import PlaceOrder
from natya.messages.database import HistoryRead, ReadHistory
from natya.messages.market import Candle, FeedStatistics
from natya.messages.orders import OrderFilled, OrderIntended
from natya.messages.supervision import Unavailable

CALL, OTHER = "NIFTY-28Dec2023-26000-CE", "NIFTY-28Dec2023-26100-CE"
START_NS = round(datetime(2023, 12, 28, 15, 29, tzinfo=IST).timestamp()) * 10**9
DAY = date(2023, 12, 28).toordinal() - date(1970, 1, 1).toordinal()
CLOSE_NS = round(datetime(2023, 12, 28, 15, 29, 59, tzinfo=IST).timestamp()) * 10**9


class Market(msgspec.Struct):
    """What the feed tells."""

    prices: dict[str, float] = msgspec.field(default_factory=dict)
    priced_ns: int = CLOSE_NS
    asked: int = 0


class Recorded(msgspec.Struct):
    """What the database has, and what it was asked for."""

    candles: dict[str, Candle] = msgspec.field(default_factory=dict)
    asked: list[ReadHistory] = msgspec.field(default_factory=list)
    is_down: bool = False


class FakeFeed(RuntimeActor):
    def statistics(self):
        market = self.settings
        market.asked += 1
        return FeedStatistics(
            ticks=0,
            candles=0,
            bad_rows=0,
            source="",
            ended=False,
            last_prices=market.prices,
            priced_ns=dict.fromkeys(market.prices, market.priced_ns),
        )


class FakeDatabase(RuntimeActor):
    @handles(ReadHistory)
    def read(self, request, sender):
        known = self.settings
        known.asked.append(request)
        if known.is_down:
            self.send(sender, Unavailable(actor="database", reason="it begins again", retry_after_s=1.0))
        else:
            found = (known.candles[name] for name in request.symbols if name in known.candles)
            self.send(sender, HistoryRead(candles=tuple(found)))


class Look(msgspec.Struct, frozen=True):
    """Look at the limits of the day now."""


class Watched(OrdersActor):
    @handles(Look, from_outside=True)
    def look(self, _message, sender):
        self.look_at_limits(None, sender)


@pytest.fixture
def market(stage):
    market = Market(prices={"NIFTY": 26_080.5})
    stage.system.start("feed", FakeFeed, market)
    return market


@pytest.fixture(autouse=True)
def recorded(stage):
    recorded = Recorded()
    stage.system.start("database", FakeDatabase, recorded)
    return recorded


@pytest.fixture
def soon(monkeypatch):
    """The next look comes at once."""
    monkeypatch.setattr(expiring, "AGAIN_S", 0.01)


def holding(make, quantity=75, name="H-1", *, symbol=CALL, product="MARGIN", **of):
    terms = {"side": "BUY", "quantity": quantity, "strategy": "crossover", "symbol": symbol} | of
    return make.intent(name, product=product, **terms), make.accepted(name, f"B-{name}"), make.filled(name, **terms)


def closed(stage):
    stage.settle()
    fills = [fact for fact in stage.disk.facts if isinstance(fact, OrderFilled) and fact.trade_id == EXPIRED]
    return sorted((each.strategy, each.symbol, each.side, each.quantity, each.price) for each in fills)


def held(stage):
    stage.settle()
    return {each.symbol: each.quantity for each in stage.statistics.positions}


@pytest.mark.usefixtures("market")
def test_what_a_strategy_holds_is_closed_at_what_it_is_worth_and_nothing_leaves(stage, make):
    stage.open(*holding(make))

    stage.wait_until(lambda: closed(stage) == [("crossover", CALL, "SELL", 75, 80.5)])
    assert held(stage) == {CALL: 0}
    assert (stage.statistics.open_orders, PlaceOrder in stage.heard()) == (0, False)
    (intent,) = [fact for fact in stage.disk.facts if isinstance(fact, OrderIntended)][1:]
    assert (intent.order_type, intent.product, intent.quantity, intent.side) == ("MARKET", "MARGIN", 75, "SELL")


@pytest.mark.usefixtures("market")
def test_each_strategy_and_product_has_its_part_also_at_nothing(stage, make):
    short = holding(make, 150, "H-2", side="SELL", strategy="other", symbol=OTHER)
    stage.open(*holding(make), *short, *holding(make, 25, "H-3", product="INTRADAY"))
    wanted = [
        ("crossover", CALL, "SELL", 25, 80.5),
        ("crossover", CALL, "SELL", 75, 80.5),
        ("other", OTHER, "BUY", 150, 0.0),
    ]

    stage.wait_until(lambda: closed(stage) == wanted)
    assert held(stage) == {CALL: 0, OTHER: 0}


def test_what_has_not_expired_yet_or_never_does_is_left(stage, make, market):
    far = "NIFTY-28Dec2099-26000-CE"
    stage.open(*holding(make, symbol=far), *holding(make, name="H-2", symbol="INFY"), *holding(make, name="H-3"))

    stage.wait_until(lambda: closed(stage) == [("crossover", CALL, "SELL", 75, 80.5)])
    assert held(stage) == {CALL: 0, far: 75, "INFY": 75}
    assert market.asked == 1


def test_nobody_asks_for_prices_where_nothing_expires(stage, make, market):
    stage.open(*holding(make, symbol="INFY"), *holding(make, name="H-2"), *holding(make, name="H-3", side="SELL"))
    stage.settle()

    assert (market.asked, closed(stage)) == (0, [])


@pytest.mark.usefixtures("market")
def test_what_is_bought_of_it_later_is_closed_each_time(stage, make):
    stage.open()
    for number in (1, 2):
        order = make.order(f"X-{number}", symbol=CALL, quantity=75, reference_price=80.0)
        stage.place(order, f"B-{number}")
        stage.tell(make.report("TRADE", order.client_order_id, f"E-{number}", 75, symbol=CALL, price=80.0))
        stage.wait_until(lambda of=number: closed(stage) == [("crossover", CALL, "SELL", 75, 80.5)] * of)

    assert held(stage) == {CALL: 0}


@pytest.mark.parametrize("prices", [{}, {"TCS": 5.0}])
def test_without_a_price_of_its_last_day_it_stays_and_is_told(stage, make, market, prices, caplog):
    market.prices = prices
    stage.actor = Watched
    stage.open(*holding(make))

    stage.wait_until(lambda: market.asked == 1)
    assert (closed(stage), held(stage)) == ([], {CALL: 75})
    stage.tell(Look())
    stage.settle()
    (told,) = [each.fields for each in caplog.records if each.message == "position.expired_unpriced"]
    (warned,) = [each.fields["reason"] for each in caplog.records if each.message == "orders.warned"]
    assert (told, warned) == ({"symbol": CALL}, f"expired, and no price of the close is known: {CALL}")


@pytest.mark.usefixtures("soon")
def test_what_seemed_to_have_expired_by_a_clock_that_was_ahead_does_so_at_its_time(stage, make, market, monkeypatch):
    expired = [True]
    monkeypatch.setattr(expiring, "has_expired", lambda _symbol, _now_ns: expired[0])
    monkeypatch.setattr(expiring, "expired_ns", lambda _symbol: CLOSE_NS if expired[0] else 4_000_000_000 * 10**9)
    market.prices = {}
    stage.open(*holding(make))
    parts = stage.system.base.find("orders").instance._expiring
    stage.wait_until(parts.warning)
    expired[0], market.prices = False, {"NIFTY": 26_080.5}
    stage.wait_until(lambda: not parts.warning())
    assert (closed(stage), market.asked) == ([], 1)
    expired[0] = True

    stage.wait_until(lambda: closed(stage) == [("crossover", CALL, "SELL", 75, 80.5)])


@pytest.mark.usefixtures("soon")
def test_a_system_that_begins_on_another_day_goes_by_what_was_recorded(stage, make, market, recorded):
    market.prices = {CALL: 90.0, "NIFTY": 27_000.0}
    market.priced_ns += 86_400 * 10**9
    recorded.is_down = True
    stage.open(*holding(make))
    stage.wait_until(lambda: len(recorded.asked) >= 2)
    assert closed(stage) == []
    recorded.candles["NIFTY"] = a_candle(symbol="NIFTY", start_ns=START_NS, close=26_077.0)
    recorded.is_down = False

    stage.wait_until(lambda: closed(stage) == [("crossover", CALL, "SELL", 75, 77.0)])
    request = recorded.asked[0]
    assert (request.symbols, request.interval_ns, request.bars) == ((CALL, "NIFTY"), 60 * 10**9, 1)
    assert request.until_ns == (DAY + 1) * 86_400 * 10**9 - 19_800 * 10**9, "the end of the last day in India"


def test_an_old_price_is_none(stage, make, market):
    market.priced_ns -= 86_400 * 10**9
    stage.open(*holding(make))

    stage.wait_until(lambda: market.asked == 1)
    assert (closed(stage), held(stage)) == ([], {CALL: 75})


@pytest.mark.usefixtures("market")
def test_an_order_that_is_open_holds_nothing_up_and_what_it_has_traded_is_closed_as_well(stage, make):
    order = {"side": "SELL", "quantity": 75, "strategy": "crossover", "symbol": CALL}
    stage.open(*holding(make), make.intent("S-1", order_type="LIMIT", limit_price=81.0, product="MARGIN", **order))
    stage.wait_until(lambda: closed(stage) == [("crossover", CALL, "SELL", 75, 80.5)])

    stage.tell(make.report("TRADE", "S-1", "E-1", 75, symbol=CALL, side="SELL", price=81.0))
    both = [("crossover", CALL, "BUY", 75, 80.5), ("crossover", CALL, "SELL", 75, 80.5)]
    stage.wait_until(lambda: closed(stage) == both)
    assert held(stage) == {CALL: 0}
    assert [each.realized_pnl for each in stage.statistics.positions] == [Decimal(75 * (81 - 100))]


@pytest.mark.usefixtures("soon")
def test_it_is_asked_again_where_the_feed_does_not_answer(stage, make):
    stage.open(*holding(make))
    stage.settle()
    assert closed(stage) == []

    stage.system.start("feed", FakeFeed, Market(prices={CALL: 79.0}))
    stage.wait_until(lambda: closed(stage) == [("crossover", CALL, "SELL", 75, 79.0)])


@pytest.mark.usefixtures("soon")
def test_what_the_journal_refuses_is_closed_when_it_takes_it(stage, make, market):
    stage.disk.mode = "refuse"
    stage.open(*holding(make))
    stage.wait_until(lambda: market.asked >= 2)
    assert (closed(stage), held(stage)) == ([], {CALL: 75})
    stage.disk.mode = "write"

    stage.wait_until(lambda: closed(stage) == [("crossover", CALL, "SELL", 75, 80.5)])


@pytest.mark.usefixtures("soon")
def test_a_part_that_is_on_its_way_is_not_closed_twice(stage, make, market):
    stage.disk.mode = "hold"
    stage.open(*holding(make))
    stage.wait_until(lambda: market.asked == 1)
    stage.tell(make.order("X-1", symbol=CALL, side="BUY"))
    stage.disk.mode = "write"
    stage.system.tell("journal", Release())

    stage.wait_until(lambda: closed(stage) == [("crossover", CALL, "SELL", 75, 80.5)])


@pytest.mark.parametrize("strategy", ["crossover", "a strategy of a long name"])
def test_the_id_is_one_of_the_strategys_own_and_another_for_each_part(strategy):
    day_ns = 86_400 * 10**9
    ids = [
        expired_id(Gone(strategy, product, 75), symbol, day * day_ns, number)
        for product in ("MARGIN", "INTRADAY")
        for symbol in (CALL, OTHER)
        for day in (20_000, 20_001)
        for number in (0, 1)
    ]

    assert len(set(ids)) == 16
    assert all(is_client_order_id(each) and is_own(strategy, each) for each in ids)

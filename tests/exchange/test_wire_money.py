"""Positions, holdings and money on the wire, and what the market shows: each number by its own name."""

import asyncio
from decimal import Decimal
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_messages import distinct

from natya.actors.exchange.account import Listing, Listings
from natya.actors.exchange.account.views import AccountHolding, AccountPosition, Funds, Margin
from natya.actors.exchange.actor import ExchangeActor
from natya.actors.exchange.listed import OWN_IDS_FROM, own_instrument
from natya.actors.exchange.serving import AccountActor
from natya.actors.exchange.streams import StreamsActor
from natya.actors.exchange.wire import market
from natya.actors.exchange.wire.actor import WireActor
from natya.actors.exchange.wire.answers import WireRefusal
from natya.actors.exchange.wire.asking import MarketTold, SetPrice
from natya.actors.exchange.wire.groups.alerts import _row
from natya.actors.exchange.wire.groups.control import edis_status
from natya.actors.exchange.wire.groups.legs import _forever_rows
from natya.actors.exchange.wire.groups.rows import funds_row, holding_row, ledger_row, margin_row, position_row
from natya.actors.exchange.wire.market import MarketShown, Shown, _quote
from natya.domain.dhan.market.quotes import Ohlc
from natya.domain.instruments import Instrument, is_symbol
from natya.domain.time import DAY_NS, SECOND_NS
from natya.messages.broker import ExchangeStatistics
from natya.messages.exchange import Alert, AlertCondition, AlertOrder, ForeverLeg, ForeverOrder, MoneyMoved
from natya.messages.market import AwaitMarketEnd, DaySummary, Depth, Tick, TicksRecorded
from natya.messages.system import ActorStatistics

AT_NS = 1_790_567_100 * SECOND_NS  # 2026-09-28 09:15:00 in India
NOTHING = Listings([])
INSTRUMENT = ("NSE_EQ", "1594")

POSITION = {
    "trading_symbol": "symbol",
    "product_type": "product",
    "net_qty": "net_quantity",
    "buy_qty": "buy_quantity",
    "sell_qty": "sell_quantity",
    "buy_avg": "buy_average",
    "sell_avg": "sell_average",
    "cost_price": "cost_price",
    "realized_profit": "realized_rupees",
    "unrealized_profit": "unrealized_rupees",
    "carry_forward_buy_qty": "carried_buy_quantity",
    "carry_forward_sell_qty": "carried_sell_quantity",
    "day_buy_qty": "day_buy_quantity",
    "day_sell_qty": "day_sell_quantity",
    "carry_forward_buy_value": "carried_buy_rupees",
    "carry_forward_sell_value": "carried_sell_rupees",
    "day_buy_value": "day_buy_rupees",
    "day_sell_value": "day_sell_rupees",
}
HOLDING = {
    "trading_symbol": "symbol",
    "total_qty": "quantity",
    "available_qty": "available_quantity",
    "avg_cost_price": "average_cost_rupees",
    "last_traded_price": "last_price",
}
FUNDS = {
    "available_balance": "available_rupees",
    "sod_limit": "start_of_day_rupees",
    "receivable_amount": "receivable_rupees",
    "utilized_amount": "utilized_rupees",
    "withdrawable_balance": "withdrawable_rupees",
}
MARGIN = {
    "total_margin": "total_rupees",
    "span_margin": "span_rupees",
    "exposure_margin": "exposure_rupees",
    "available_balance": "available_rupees",
    "variable_margin": "variable_rupees",
    "insufficient_balance": "insufficient_rupees",
    "brokerage": "brokerage_rupees",
}
A_POSITION = distinct(AccountPosition, instrument=INSTRUMENT)
A_HOLDING = distinct(AccountHolding, instrument=INSTRUMENT, quantity=10, unsettled_quantity=4)
SOME_FUNDS, A_MARGIN = distinct(Funds), distinct(Margin)


@pytest.mark.parametrize(
    ("names", "source", "row"),
    [
        (POSITION, A_POSITION, lambda: position_row(A_POSITION, "1000", NOTHING)),
        (HOLDING, A_HOLDING, lambda: holding_row(A_HOLDING, NOTHING)),
        (FUNDS, SOME_FUNDS, lambda: funds_row(SOME_FUNDS, "1000")),
        (MARGIN, A_MARGIN, lambda: margin_row(A_MARGIN)),
    ],
    ids=["position", "holding", "funds", "margin"],
)
def test_a_row_has_each_number_by_its_name(names, source, row):
    assert {name: getattr(row(), name) for name in names} == {
        name: getattr(source, ours) for name, ours in names.items()
    }


@pytest.mark.parametrize(
    ("unsettled", "settled", "waiting"), [(4, 6, 4), (0, 10, 0), (10, 0, 10), (-2, 12, 0), (11, 0, 11)]
)
def test_a_holding_is_settled_but_for_what_was_bought_last(unsettled, settled, waiting):
    row = holding_row(
        distinct(AccountHolding, instrument=INSTRUMENT, quantity=10, unsettled_quantity=unsettled), NOTHING
    )

    assert (row.dp_qty, row.t1_qty) == (settled, waiting)


@pytest.mark.parametrize(("amount", "debit", "credit"), [("5.5", 0.0, 5.5), ("-5.5", 5.5, 0.0), ("0", 0.0, 0.0)])
def test_a_voucher_is_a_debit_or_a_credit(amount, debit, credit):
    voucher = distinct(MoneyMoved, amount_rupees=Decimal(amount), occurred_ns=AT_NS)
    row = ledger_row(voucher, "1000")

    assert (row.debit, row.credit, row.runbal) == (debit, credit, float(voucher.balance_rupees))
    assert (row.vouchernumber, row.narration, row.voucherdesc) == (
        voucher.voucher,
        voucher.narration,
        voucher.description,
    )
    assert str(row.voucherdate) == "2026-09-28"


BOOK = Depth(bid_prices=(99.5, 99.0), bid_quantities=(7, 8), ask_prices=(100.5,), ask_quantities=(9,))


def a_tick(price, sequence, **fields):
    return Tick(
        symbol="INFY", price=price, quantity=3, exchange_ns=AT_NS + sequence, source="s", sequence=sequence, **fields
    )


class TestAQuote:
    def test_is_of_the_day_as_the_source_tells_it(self):
        day = distinct(DaySummary)
        shown = Shown(a_tick(100.0, 1))
        shown.move(a_tick(101.0, 2, day=day, depth=BOOK, volume=50))
        found = _quote(shown, (90.0, 110.0))

        ohlc = found.ohlc
        assert (ohlc.open, ohlc.high, ohlc.low, ohlc.close) == (
            *(day.open_price, day.high_price, day.low_price, day.close_price),
        )
        assert (found.average_price, found.buy_quantity, found.sell_quantity, found.oi) == (
            *(day.average_price, day.total_buy_quantity, day.total_sell_quantity, day.open_interest),
        )
        assert (found.last_price, found.last_quantity, found.volume) == (101.0, 3, 50)
        assert found.net_change == round(101.0 - day.close_price, 2)
        assert (found.lower_circuit_limit, found.upper_circuit_limit) == (90.0, 110.0)
        assert shown.reference_price == day.close_price

    def test_is_of_the_ticks_where_the_source_tells_no_day(self):
        shown = Shown(a_tick(100.0, 1))
        for number, price in enumerate((100.0, 103.0, 98.0, 101.0), 2):
            shown.move(a_tick(price, number, depth=BOOK))
        found = _quote(shown, (90.0, 110.0))

        ohlc = found.ohlc
        assert (ohlc.open, ohlc.high, ohlc.low, ohlc.close) == (100.0, 103.0, 98.0, 0.0)
        assert (found.average_price, found.volume, found.oi, found.net_change) == (100.5, 12, 0.0, 0.0)
        assert (found.buy_quantity, found.sell_quantity) == (15, 9)
        assert [(level.price, level.quantity) for level in found.depth.buy[:3]] == [(99.5, 7), (99.0, 8), (0.0, 0)]
        assert [(level.price, level.quantity) for level in found.depth.sell[:2]] == [(100.5, 9), (0.0, 0)]

    def test_counts_what_was_traded_since_the_tick_before_it(self):
        shown = Shown(a_tick(100.0, 1, volume=50))
        found = []
        for number, (price, volume) in enumerate(((100.0, 50), (104.0, 50), (110.0, 60), (90.0, 55), (100.0, 70)), 1):
            shown.move(a_tick(price, number, volume=volume))
            found.append((shown.volume, shown.rupees))

        assert found == [(50, 5_000.0), (50, 5_000.0), (60, 6_100.0), (60, 6_100.0), (70, 7_100.0)]
        assert _quote(shown, (0.0, 0.0)).average_price == 101.43
        shown.move(a_tick(100.0, 9))  # without a volume it is of its own shares
        assert (shown.volume, shown.rupees) == (73, 7_400.0)

    def test_late_is_of_its_day_alone(self):
        shown = Shown(a_tick(100.0, DAY_NS, volume=50))
        shown.move(a_tick(100.0, DAY_NS, volume=50))
        late = {"received_ns": AT_NS + DAY_NS + 1}
        shown.move(a_tick(90.0, 5, volume=400, **late))
        assert (shown.volume, shown.ohlc(), shown.tick.price) == (50, Ohlc(open=100, high=100, low=100, close=0), 100.0)
        shown.move(a_tick(98.0, DAY_NS - SECOND_NS, volume=60, **late))

        assert (shown.volume, shown.ohlc(), shown.tick.price) == (60, Ohlc(open=100, high=100, low=98, close=0), 100.0)
        assert shown.reference_price == 100.0

    def test_of_the_next_day_begins_anew_with_the_last_price_as_its_close_before(self):
        shown = Shown(a_tick(100.0, 1))
        shown.move(a_tick(99.0, 86_400 * SECOND_NS))
        found = shown.ohlc()

        assert (found.open, found.high, found.low, found.close) == (99.0, 99.0, 99.0, 100.0)
        assert shown.volume == 3


@pytest.mark.parametrize(
    ("volumes", "bars"),
    [
        ((0, 0, 0, 0), [6, 6]),  # of ticks of three shares each
        ((50, 60, 60, 75), [13, 15]),
    ],
)
def test_a_minute_has_the_shares_that_were_traded_in_it(volumes, bars):
    shown, minute = None, 60 * SECOND_NS
    for number, volume in enumerate(volumes):
        tick = a_tick(100.0, number // 2 * minute + number % 2 + 1, volume=volume)
        shown = shown or Shown(tick)
        shown.move(tick)

    assert [bar.volume for bar in shown.bars] == bars


def test_a_late_tick_of_a_minute_that_is_not_charted_is_left_out_where_no_minute_more_is_kept(monkeypatch):
    monkeypatch.setattr(market, "BARS_MAX", 3)
    minute = 60 * SECOND_NS
    shown = Shown(a_tick(100.0, 1))
    for number in (0, 3, 1):
        shown.move(a_tick(100.0 + number, number * minute + 2))
    assert [bar.close for bar in shown.bars] == [100.0, 101.0, 103.0]
    shown.move(a_tick(107.0, 2 * minute))
    shown.move(a_tick(108.0, 4 * minute))

    assert [bar.close for bar in shown.bars] == [101.0, 103.0, 108.0]


CONDITION = {
    "comparison_type": "comparison",
    "operator": "operator",
    "frequency": "frequency",
    "indicator_name": "indicator",
    "comparing_indicator_name": "other_indicator",
    "time_frame": "time_frame",
    "comparing_value": "value",
    "user_note": "note",
}
ALERT_ORDER = {
    "transaction_type": "side",
    "quantity": "quantity",
    "product_type": "product",
    "order_type": "order_type",
    "validity": "validity",
    "price": "limit_price",
    "disc_quantity": "disclosed_quantity",
    "trigger_price": "trigger_price",
}
FOREVER = {
    "order_id": "order_id",
    "transaction_type": "side",
    "product_type": "product",
    "trading_symbol": "symbol",
}


def by_names(names, source):
    return {name: getattr(source, ours) for name, ours in names.items()}


def test_an_alert_is_shown_as_it_is_kept():
    condition = distinct(AlertCondition, instrument=INSTRUMENT, expires_on="2026-10-01")
    order = distinct(AlertOrder, instrument=("NSE_FNO", "7"), side="SELL")
    alert = distinct(Alert, condition=condition, orders=(order,), created_ns=AT_NS, triggered_ns=AT_NS + SECOND_NS)
    row = _row(alert)

    assert {name: getattr(row.condition, name) for name in CONDITION} == by_names(CONDITION, condition)
    assert (row.condition.exchange_segment, row.condition.security_id) == INSTRUMENT
    assert str(row.condition.exp_date) == "2026-10-01"
    (shown,) = row.orders
    assert {name: getattr(shown, name) for name in ALERT_ORDER} == by_names(ALERT_ORDER, order)
    assert (shown.exchange_segment, shown.security_id) == ("NSE_FNO", "7")
    assert (row.alert_id, row.alert_status, row.last_price) == (alert.alert_id, alert.status, alert.last_price)
    assert (row.triggered_time - row.created_time).total_seconds() == 1


def test_a_forever_order_is_shown_leg_by_leg():
    legs = tuple(distinct(ForeverLeg, quantity=quantity) for quantity in (3, 4))
    order = distinct(ForeverOrder, instrument=INSTRUMENT, side="SELL", legs=legs, created_ns=AT_NS, updated_ns=AT_NS)
    exchange = SimpleNamespace(client_id="1000", listed=SimpleNamespace(listings=NOTHING))
    rows = _forever_rows(order, exchange)

    assert [(row.leg_name, row.quantity) for row in rows] == [("TARGET_LEG", 3), ("STOP_LOSS_LEG", 4)]
    for row, leg in zip(rows, legs, strict=True):
        assert {name: getattr(row, name) for name in FOREVER} == by_names(FOREVER, order)
        assert (row.price, row.trigger_price, row.order_status) == (leg.price, leg.trigger_price, leg.status)
        assert (row.exchange_segment, row.security_id, row.order_type) == (*INSTRUMENT, "OCO")
    assert _forever_rows(msgspec.structs.replace(order, legs=legs[:1]), exchange)[0].order_type == "SINGLE"


class TestAPriceByHand:
    @pytest.fixture
    def made(self):
        share = Instrument(symbol="INFY", segment="NSE_EQ", tick_size_rupees=0.05)
        listing = Listing(reference=share, security_id="1594")
        market = SimpleNamespace(listings=Listings([listing]))
        clock = SimpleNamespace(now_ns=lambda: AT_NS)
        wire = SimpleNamespace(_market=market, _played=set(), _source="hand", _by_hand=0, clock=clock)
        return lambda **wanted: WireActor._tick_of(wire, SetPrice(**({"price": 100.0, "symbol": "INFY"} | wanted)))

    def test_is_a_tick_of_now_with_the_book_and_the_close_that_are_given(self, made):
        tick = made(quantity=0, bids=((99.0, 5), (98.0, 6)), asks=((101.0, 7),), previous_close=97.0)

        assert (tick.symbol, tick.price, tick.quantity, tick.exchange_ns) == ("INFY", 100.0, 0, AT_NS)
        assert (tick.depth.bid_prices, tick.depth.bid_quantities) == ((99.0, 98.0), (5, 6))
        assert (tick.depth.ask_prices, tick.depth.ask_quantities) == ((101.0, 0.0), (7, 0))
        assert tick.day == DaySummary(
            open_price=100.0,
            high_price=100.0,
            low_price=100.0,
            close_price=97.0,
            average_price=100.0,
            total_buy_quantity=0,
            total_sell_quantity=0,
        )
        bare = made(symbol="", exchange_segment="NSE_EQ", security_id="1594")
        assert (bare.symbol, bare.depth, bare.day, bare.sequence) == ("INFY", None, None, tick.sequence + 1)

    @pytest.mark.parametrize(
        "wanted",
        [
            {"price": 0.0},
            {"price": float("nan")},
            {"quantity": -1},
            {"symbol": "NOPE"},
            {"bids": ((0.0, 1),)},
            {"asks": ((1.0, -1),)},
            {"bids": ((1.0, 1),) * 21},
            {"price": 5e-324},  # the account cannot count in its units
            {"price": 0.04},
            {"price": 1e13},
            {"quantity": 1 << 31},
            {"bids": ((float("nan"), 1),)},
            {"asks": ((1e308, 1),)},
            {"asks": ((100.0, 1 << 31),)},
            {"previous_close": -5.0},
            {"previous_close": 1e308},
            {"previous_close": float("nan")},
        ],
        ids=str,
    )
    def test_that_cannot_be_is_refused(self, made, wanted):
        with pytest.raises(ValueError, match="wanted"):
            made(**wanted)


class TestATickThatIsHeard:
    @pytest.fixture
    def wire(self):
        infy = Instrument(symbol="INFY", segment="NSE_EQ", tick_size_rupees=0.05)
        asked, moved, sent = [], [], []
        listed = Listings([Listing(reference=infy, security_id="1594")])
        return SimpleNamespace(
            asked=asked,
            moved=moved,
            sent=sent,
            settings=SimpleNamespace(records=True),
            send=lambda target, message: sent.append((target, message)),
            _market=SimpleNamespace(listings=listed, move=moved.append),
            _finder=SimpleNamespace(symbol=lambda symbol, _: asked.append(symbol)),
            _list_anyway=print,
            _sought=set(),
            _source="hand",
            _by_hand_told={7: "who asked"},
            _played=set(),
            _awaits_end=False,
        )

    def test_has_its_instrument_looked_for_once_where_no_list_has_it(self, wire):
        ticks = [msgspec.structs.replace(a_tick(100.0, number), symbol=symbol)
                 for number, symbol in enumerate(["INFY", "NEW", "NEW", "INFY", "OTHER"], start=1)]  # fmt: skip
        for tick in ticks:
            WireActor.move(wire, tick, None)

        assert wire.asked == ["NEW", "OTHER"]
        assert wire.moved == ticks

    def test_of_a_market_is_recorded_and_its_end_is_awaited_once(self, wire):
        for number in (1, 2):
            WireActor.move(wire, a_tick(100.0, number), None)

        assert wire.sent == [
            ("feed", TicksRecorded(source="s", sequence=1)),
            ("feed", AwaitMarketEnd()),
            ("feed", TicksRecorded(source="s", sequence=2)),
        ]
        assert wire._played == {"INFY"}

    def test_that_was_set_by_hand_is_told_to_who_set_it_and_moves_no_market(self, wire):
        for _ in range(2):
            WireActor.move(wire, msgspec.structs.replace(a_tick(100.0, 7), source="hand"), None)

        assert wire.sent == [("who asked", MarketTold({"symbol": "INFY", "price": 100.0}))]
        assert (wire._played, wire._awaits_end) == (set(), False)


@pytest.mark.parametrize(
    ("isin", "held"), [("ALL", 35), ("INE009A01021", 10), ("INE467B01029", 20), ("INE000000000", 0)]
)
def test_what_may_be_sold_is_all_that_is_held_or_that_of_one(isin, held):
    shares = {("NSE_EQ", "1594"): ("INFY", "INE009A01021"), ("NSE_EQ", "11536"): ("TCS", "INE467B01029")}
    listings = [
        Listing(
            reference=Instrument(symbol=symbol, segment="NSE_EQ", tick_size_rupees=0.05), security_id=number, isin=of
        )
        for (_, number), (symbol, of) in shares.items()
    ]
    holdings = [
        distinct(AccountHolding, instrument=instrument, quantity=quantity)
        for instrument, quantity in zip(shares, (10, 20), strict=True)
    ]
    holdings.append(distinct(AccountHolding, instrument=("NSE_EQ", "9"), quantity=5))  # that no list has

    async def account(_view):
        return holdings

    exchange = SimpleNamespace(account=account, listed=SimpleNamespace(listings=Listings(listings)), client_id="1000")
    answer = asyncio.run(edis_status(exchange, SimpleNamespace(parameters={"isin": isin})))
    found = msgspec.json.decode(answer.body)

    assert (found["isin"], found["totalQty"], found["aprvdQty"]) == (isin, held, held)
    with pytest.raises(WireRefusal):
        asyncio.run(edis_status(exchange, SimpleNamespace(parameters={"isin": "everything"})))


@pytest.mark.parametrize("actor", [WireActor, StreamsActor])
def test_an_actor_counts_what_it_has_handled_and_what_has_failed(actor):
    counts = actor.statistics(SimpleNamespace(host=SimpleNamespace(handled=3, failures=1)))

    assert counts == ActorStatistics(handled=3, failures=1)


@pytest.mark.parametrize("actor", [AccountActor, ExchangeActor])
def test_an_exchange_that_is_not_open_yet_counts_nothing(actor):
    counts = actor.statistics(SimpleNamespace(_account=None, _matching=None))

    assert counts == ExchangeStatistics(ticks=0, orders=0, trades=0, resting_orders=0)


def test_an_option_is_quoted_with_the_best_of_both_sides():
    option = Instrument(symbol="NIFTY 25000 CE", segment="NSE_FNO", tick_size_rupees=0.05, lot_size=65)
    listing = Listing(reference=option, security_id="7", kind="OPTION", strike_rupees=25_000.0, option_type="CALL")
    shown = Shown(a_tick(100.0, 1))
    day = distinct(DaySummary)
    shown.move(a_tick(101.0, 2, day=day, depth=BOOK, volume=50))
    found = MarketShown._option(SimpleNamespace(_shown={listing.symbol: shown}), listing)

    assert (found.top_bid_price, found.top_bid_quantity) == (99.5, 7)
    assert (found.top_ask_price, found.top_ask_quantity) == (100.5, 9)
    assert (found.last_price, found.previous_close_price, found.oi) == (101.0, day.close_price, day.open_interest)
    assert (found.volume, found.security_id) == (50, "7")
    assert MarketShown._option(SimpleNamespace(_shown={}), listing).last_price == 0.0


@given(st.text(min_size=1, max_size=20).filter(is_symbol))
def test_a_symbol_that_no_list_knows_has_a_number_of_its_own_range(symbol):
    number = int(own_instrument(symbol, 0.05).security_id)

    assert OWN_IDS_FROM <= number < OWN_IDS_FROM + OWN_IDS_FROM // 10


def test_different_symbols_have_different_numbers():
    assert len({own_instrument(f"SHARE{number}", 0.05).security_id for number in range(1_000)}) == 1_000

"""Charts and chains of what the market has shown, compared with what the ticks themselves say."""

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from natya.actors.exchange.wire.market import MarketShown
from natya.domain.calendar import MINUTE_NS
from natya.domain.candles import start_of
from natya.domain.time import DAY_NS, SECOND_NS
from natya.messages.instruments import InstrumentDefinition
from natya.messages.market import DaySummary, Tick

AT_NS = 1_790_567_100 * SECOND_NS  # 2026-09-28 09:15:00 in India
INFY = InstrumentDefinition(symbol="INFY", segment="NSE_EQ", tick_size_rupees=0.05, security_id="1594")
KEY = ("NSE_EQ", "1594")
SPAN_S = 3 * 86_400


def a_tick(seconds, price=100.0, quantity=1, symbol="INFY"):
    return Tick(
        symbol=symbol,
        price=price,
        quantity=quantity,
        exchange_ns=AT_NS + seconds * SECOND_NS,
        source="s",
        sequence=seconds + 1,
    )


def a_day(**changes):
    fields = dict.fromkeys(("open_price", "high_price", "low_price", "close_price", "average_price"), 0.0)
    return DaySummary(**(fields | {"total_buy_quantity": 0, "total_sell_quantity": 0} | changes))


def test_what_the_source_says_of_the_day_goes_before_what_was_seen_where_it_says_it():
    market = MarketShown([INFY], tick_size_rupees=0.05)
    market.move(a_tick(0))
    for second, day in enumerate((a_day(close_price=98.0), a_day(), a_day(open_price=97.0, high_price=103.0)), start=1):
        market.move(replace(a_tick(second, 101.0), day=day))
        shown = market.shown(KEY)
        found = shown.ohlc()
        assert shown.reference_price == 98.0
        assert (found.open, found.high) == ((100.0, 101.0) if second < 3 else (97.0, 103.0))


def test_a_time_that_has_not_come_is_none_that_another_tick_is_late_by():
    market = MarketShown([INFY], tick_size_rupees=0.05)
    market.move(replace(a_tick(86_400), received_ns=AT_NS))
    market.move(replace(a_tick(1, 50.0), received_ns=AT_NS + SECOND_NS))

    assert market.shown(KEY).tick.price == 50.0


def test_of_the_day_before_nothing_that_comes_late_counts():
    market = MarketShown([INFY], tick_size_rupees=0.05)
    market.move(a_tick(86_400))
    market.move(replace(a_tick(10, 50.0, 7), received_ns=AT_NS + 86_401 * SECOND_NS))
    shown = market.shown(KEY)

    assert (shown.volume, shown.low, shown.tick.price) == (1, 100.0, 100.0)


@given(
    trades=st.lists(
        st.tuples(st.integers(0, 1_200) | st.integers(0, SPAN_S), st.integers(1, 400), st.integers(0, 9)),
        min_size=1,
        max_size=40,
        unique_by=lambda trade: trade[0],
    ).map(sorted),
    interval_ns=st.sampled_from([MINUTE_NS, 5 * MINUTE_NS, 60 * MINUTE_NS, DAY_NS]),
    since_s=st.integers(-60, SPAN_S),
    length_s=st.integers(1, SPAN_S),
)
def test_a_chart_has_the_first_the_highest_the_lowest_and_the_last_price_and_all_shares(
    trades, interval_ns, since_s, length_s
):
    market = MarketShown([INFY], tick_size_rupees=0.05)
    since_ns, until_ns = AT_NS + since_s * SECOND_NS, AT_NS + (since_s + length_s) * SECOND_NS
    wanted = {}
    for seconds, price, quantity in trades:
        tick = a_tick(seconds, price / 4, quantity)
        market.move(tick)
        if since_ns <= start_of(tick.exchange_ns, MINUTE_NS) < until_ns:
            wanted.setdefault(start_of(start_of(tick.exchange_ns, MINUTE_NS), interval_ns), []).append(tick)
    chart = market.chart(KEY, interval_ns, since_ns, until_ns)

    assert chart.timestamp == tuple(start_ns // SECOND_NS for start_ns in wanted)
    for name, of in (("open", lambda p: p[0]), ("high", max), ("low", min), ("close", lambda p: p[-1])):
        assert getattr(chart, name) == tuple(of([tick.price for tick in ticks]) for ticks in wanted.values())
    assert chart.volume == tuple(sum(tick.quantity for tick in ticks) for ticks in wanted.values())


def test_what_was_not_shown_has_an_empty_chart():
    market = MarketShown([INFY], tick_size_rupees=0.05)

    assert market.chart(KEY, MINUTE_NS, 0, 1 << 62) == market.chart(("NSE_EQ", "7"), MINUTE_NS, 0, 1 << 62)
    assert market.chart(KEY, MINUTE_NS, 0, 1 << 62).timestamp == ()


NEAR, FAR = date(2026, 10, 27), date(2026, 11, 24)
NIFTY = InstrumentDefinition(
    symbol="NIFTY", segment="IDX_I", tick_size_rupees=0.05, security_id="13", instrument_type="INDEX"
)


def an_option(number, strike, side, expiry=NEAR, **fields):
    given = {"underlying": "NIFTY", "instrument_type": "OPTIDX"} | fields
    return InstrumentDefinition(
        symbol=f"{given['underlying']}-{expiry:%d%b%Y}-{strike}-{side}",
        segment="NSE_FNO",
        tick_size_rupees=0.05,
        lot_size=65,
        expiry=expiry,
        security_id=str(number),
        strike_rupees=float(strike),
        option_type=side,
        **given,
    )


OPTIONS = [
    an_option(1, 25_100, "CE"),
    an_option(2, 25_000, "PE"),
    an_option(3, 25_000, "CE"),
    an_option(4, 25_000, "CE", FAR),
    an_option(5, 25_000, "CE", underlying="BANKNIFTY"),
]


class TestAChain:
    @pytest.fixture
    def market(self):
        future = msgspec.structs.replace(an_option(6, 0, "CE"), symbol="NIFTY-FUT", instrument_type="FUTIDX")
        endless = msgspec.structs.replace(OPTIONS[0], symbol="NIFTY-CE", security_id="7", expiry=None)
        market = MarketShown([NIFTY, *OPTIONS, future, endless], tick_size_rupees=0.05)
        market.move(a_tick(1, 25_010.5, symbol="NIFTY"))
        market.move(a_tick(1, 120.0, symbol=OPTIONS[0].symbol))
        return market

    def test_has_the_options_of_its_underlying_and_expiry_by_strike_from_the_lowest(self, market):
        last_price, chain = market.chain(("IDX_I", "13"), NEAR)

        assert last_price == 25_010.5
        assert [*chain] == ["25000.000000", "25100.000000"]
        numbers = {
            strike: tuple(None if side is None else side.security_id for side in (both.ce, both.pe))
            for strike, both in chain.items()
        }
        assert numbers == {"25000.000000": ("3", "2"), "25100.000000": ("1", None)}
        assert chain["25100.000000"].ce.last_price == 120.0
        assert chain["25000.000000"].ce.last_price == 0.0

    def test_expires_on_days_of_which_the_nearest_is_first(self, market):
        assert market.expiries(("IDX_I", "13")) == (NEAR, FAR)
        assert market.expiries(("IDX_I", "99")) == ()

    def test_of_an_underlying_without_a_price_says_so(self):
        market = MarketShown([NIFTY, *OPTIONS], tick_size_rupees=0.05)

        last_price, chain = market.chain(("IDX_I", "13"), FAR)
        assert (last_price, [*chain]) == (0.0, ["25000.000000"])
        assert market.chain(("IDX_I", "13"), date(2027, 1, 1)) == (0.0, {})


class TestPrices:
    def test_are_of_what_is_listed_and_has_had_one(self):
        tcs = msgspec.structs.replace(INFY, symbol="TCS", security_id="11536")
        market = MarketShown([INFY, tcs, msgspec.structs.replace(INFY, symbol="X", security_id="")], tick_size_rupees=1)
        market.move(a_tick(1, 101.5))
        wanted = {"NSE_EQ": (1594, 11536, 7), "BSE_EQ": (1594,)}

        prices = {segment: {number: each.last_price for number, each in found.items()} for segment, found in
                  market.last_prices(wanted).items()}  # fmt: skip
        assert prices == {"NSE_EQ": {"1594": 101.5}, "BSE_EQ": {}}
        assert {segment: [*found] for segment, found in market.ohlc(wanted).items()} == {
            "NSE_EQ": ["1594"],
            "BSE_EQ": [],
        }
        assert [*market.quotes(wanted)["NSE_EQ"]] == ["1594"]
        assert [(each.symbol, price) for each, price in market.listed()] == [("INFY", 101.5), ("TCS", 0.0)]
        assert (market.last_price("INFY"), market.last_price("TCS"), market.ticks) == (101.5, 0.0, 1)


def test_a_late_tick_is_of_its_day_and_its_minute_and_not_the_last_price():
    market = MarketShown([INFY], tick_size_rupees=0.05)
    now_ns = AT_NS + 130 * SECOND_NS
    for seconds, price, quantity in ((-80_000, 1.0, 1), (130, 100.0, 5), (70, 90.0, 2), (-80_000, 900.0, 3)):
        market.move(
            msgspec.structs.replace(
                a_tick(0, price, quantity), exchange_ns=AT_NS + seconds * SECOND_NS, received_ns=now_ns
            )
        )
    quote = market.quotes({"NSE_EQ": (1594,)})["NSE_EQ"]["1594"]
    chart = market.chart(KEY, MINUTE_NS, AT_NS, now_ns)

    assert (quote.last_price, quote.volume, quote.ohlc.low, quote.ohlc.high, quote.ohlc.close) == (
        100.0,
        7,
        90.0,
        100.0,
        1.0,
    )
    assert (chart.close, chart.volume) == ((90.0, 100.0), (2, 5))

"""Rows of the account, as Dhan writes them."""

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from natya_wire import CLIENT

from natya.actors.exchange.account import Listing, Listings
from natya.actors.exchange.wire.finding import Finder
from natya.actors.exchange.wire.groups.rows import order_row, past_trade_row, trade_row
from natya.actors.exchange.wire.market import MarketShown
from natya.actors.instruments.built_in import BuiltIn
from natya.domain.dhan.writing import written
from natya.domain.instruments import Instrument
from natya.domain.time import SECOND_NS
from natya.messages.exchange import AccountOrder, AccountTrade
from natya.messages.instruments import (
    FindInstrument,
    InstrumentDefinition,
    InstrumentList,
    InstrumentsFound,
    InstrumentShown,
    InstrumentUnknown,
    ShowInstrument,
)
from natya.messages.supervision import Unavailable

AT_NS = 1_790_567_100 * SECOND_NS  # 2026-09-28 09:15:00 in India
AT = "2026-09-28 09:15:00"
AT_DAY = date(2026, 9, 28)

TRADE = AccountTrade(
    trade_id="7",
    order_id="41",
    exchange_order_id="11",
    symbol="INFY",
    instrument=("NSE_EQ", "1594"),
    side="SELL",
    product="CNC",
    order_type="LIMIT",
    quantity=3,
    price=1500.5,
    charges_rupees=Decimal("15.21"),
    occurred_ns=AT_NS,
    brokerage_rupees=Decimal("1.01"),
    transaction_tax_rupees=Decimal("2.02"),
    exchange_rupees=Decimal("3.03"),
    sebi_fee_rupees=Decimal("0.04"),
    stamp_duty_rupees=Decimal("4.05"),
    gst_rupees=Decimal("5.06"),
)


@pytest.fixture(scope="module")
def market():
    definitions = [each.definition() for each in BuiltIn().called("INFY")]
    return MarketShown(definitions, tick_size_rupees=0.05)


def an_index(symbol, **fields):
    return InstrumentDefinition(
        symbol=symbol, segment="IDX_I", tick_size_rupees=0.05, security_id="13", instrument_type="INDEX", **fields
    )


class TestARow:
    def test_of_an_order_has_every_field_of_it(self, market):
        order = AccountOrder(
            order_id="41",
            symbol="INFY",
            instrument=("NSE_EQ", "1594"),
            side="BUY",
            product="INTRADAY",
            order_type="STOP_LOSS",
            quantity=10,
            status="PART_TRADED",
            limit_price=1501.0,
            trigger_price=1500.5,
            disclosed_quantity=4,
            correlation_id="one",
            exchange_order_id="11",
            filled_quantity=3,
            traded_rupees=Decimal("4502.25"),
            reason="CONFIRMED",
            created_ns=AT_NS,
            updated_ns=AT_NS + 2 * SECOND_NS,
            exchange_ns=AT_NS + SECOND_NS,
            target_offset_rupees=30.0,
            stop_offset_rupees=10.0,
        )

        assert written(order_row(order, CLIENT, market.listings)) == {
            "orderId": "41",
            "orderStatus": "PART_TRADED",
            "securityId": "1594",
            "transactionType": "BUY",
            "quantity": 10,
            "exchangeSegment": "NSE_EQ",
            "productType": "INTRADAY",
            "orderType": "STOP_LOSS",
            "validity": "DAY",
            "correlationId": "one",
            "exchangeOrderId": "11",
            "tradingSymbol": "INFY",
            "disclosedQuantity": 4,
            "remainingQuantity": 7,
            "filledQty": 3,
            "price": 1501.0,
            "triggerPrice": 1500.5,
            "averageTradedPrice": 1500.75,
            "afterMarketOrder": False,
            "legName": "NA",
            "createTime": AT,
            "updateTime": "2026-09-28 09:15:02",
            "exchangeTime": "2026-09-28 09:15:01",
            "omsErrorCode": "0",
            "omsErrorDescription": "CONFIRMED",
            "dhanClientId": CLIENT,
            "algoId": "0",
            "boProfitValue": 30.0,
            "boStopLossValue": 10.0,
            "drvExpiryDate": "0001-01-01",
            "drvOptionType": "NA",
            "drvStrikePrice": 0.0,
        }

    def test_of_a_trade_has_every_field_of_it(self, market):
        assert written(trade_row(TRADE, CLIENT, market.listings)) == {
            "orderId": "41",
            "exchangeTradeId": "7",
            "securityId": "1594",
            "transactionType": "SELL",
            "tradedQuantity": 3,
            "tradedPrice": 1500.5,
            "exchangeSegment": "NSE_EQ",
            "productType": "CNC",
            "orderType": "LIMIT",
            "exchangeOrderId": "11",
            "tradingSymbol": "INFY",
            "createTime": AT,
            "updateTime": AT,
            "exchangeTime": AT,
            "dhanClientId": CLIENT,
            "customSymbol": None,
            "drvExpiryDate": "0001-01-01",
            "drvOptionType": "NA",
            "drvStrikePrice": 0.0,
        }

    def test_of_a_past_trade_has_each_of_its_charges(self, market):
        row = written(past_trade_row(TRADE, CLIENT, market.listings))

        charges = "sebiTax", "stt", "brokerageCharges", "serviceTax", "exchangeTransactionCharges", "stampDuty"
        assert [row[name] for name in charges] == [0.04, 2.02, 1.01, 5.06, 3.03, 4.05]
        assert (row["customSymbol"], row["instrument"], row["exchangeTime"]) == ("Infosys", "EQUITY", AT)

    def test_of_a_past_trade_in_what_has_no_other_name_has_its_symbol(self):
        infy = Instrument(symbol="INFY", segment="NSE_EQ", tick_size_rupees=0.05)
        row = past_trade_row(TRADE, CLIENT, Listings([Listing(reference=infy, security_id="1594")]))

        assert row.custom_symbol == "INFY"

    def test_of_a_past_trade_in_what_is_listed_no_more_says_what_is_known(self):
        row = past_trade_row(TRADE, CLIENT, Listings([]))

        assert (row.custom_symbol, row.isin, row.instrument, row.traded_quantity) == ("INFY", "", "EQUITY", 3)


class TestTheMarketByItself:
    def test_asks_no_list_for_a_symbol_that_is_listed(self, market):
        asked, went_on = [], []
        finder = Finder(market, ask=lambda *of, **_: asked.append(of), now_ns=lambda: AT_NS, listed=asked.append)

        finder.symbol("INFY", lambda: went_on.append("INFY"))
        assert (asked, went_on) == ([], ["INFY"])

    @pytest.mark.parametrize(
        ("symbol", "day", "is_listed"),
        [("INFY", AT_DAY, True), ("INFY", None, False), ("Infosys", AT_DAY, False)],
        ids=["by its symbol", "of no list that was read", "by another name"],
    )
    def test_lists_what_a_list_that_was_read_has_under_that_very_name(self, symbol, day, is_listed):
        market, listed = MarketShown([], tick_size_rupees=0.05), []
        definition = InstrumentDefinition(symbol="INFY", segment="NSE_EQ", tick_size_rupees=0.05, security_id="1594")

        def ask(_owner, message, *, then, **_):
            of = InstrumentList(source="test", day=day)
            then(SimpleNamespace(value=InstrumentShown(name=message.name, instrument=definition, of=of)))

        Finder(market, ask=ask, now_ns=lambda: AT_NS, listed=listed.append).symbol(symbol, lambda: None)

        assert listed == ([definition] if is_listed else [])
        assert (market.listings.of_symbol("INFY") is not None) == is_listed

    @pytest.mark.parametrize(("trading_symbol", "name"), [("NIFTY", "NIFTY"), ("", "Nifty 50")])
    def test_asks_for_options_by_the_name_that_the_list_has(self, trading_symbol, name):
        underlying = an_index("Nifty 50", trading_symbol=trading_symbol)
        asked = []
        finder = Finder(
            MarketShown([underlying], tick_size_rupees=0.05),
            ask=lambda _owner, message, **_: asked.append(message),
            now_ns=lambda: AT_NS,
            listed=asked.append,
        )
        finder.options(("IDX_I", "13"), lambda: None)

        (wanted,) = asked
        assert (type(wanted), wanted.underlying) == (FindInstrument, name)

    def test_shows_what_an_earlier_run_listed_beside_what_has_its_symbol_now(self):
        now, before, gone = (
            InstrumentDefinition(symbol=symbol, segment="NSE_EQ", tick_size_rupees=0.05, security_id=number)
            for symbol, number in (("INFY", "1594"), ("INFY", "7"), ("TCS", "11536"))
        )
        market = MarketShown([now], tick_size_rupees=0.05)
        for each in (before, gone):
            market.remember(each)

        assert [listing.security_id for listing, _ in market.listed()] == ["1594", "11536"]
        assert market.listings.of_symbol("INFY").security_id == "1594"
        assert market.listings.find(("NSE_EQ", "7")).symbol == "INFY"

    def test_asks_for_options_once_a_day_and_again_until_the_list_of_the_day_answers(self):
        underlying = an_index("NIFTY")
        option = InstrumentDefinition(
            symbol="NIFTY-29Sep2026-25000-CE",
            segment="NSE_FNO",
            tick_size_rupees=0.05,
            security_id="51",
            instrument_type="OPTIDX",
            expiry=date(2026, 9, 29),
        )
        found, next_day, built_in = (
            InstrumentsFound(instruments=(option,), total=1, of=InstrumentList(source="test", day=day))
            for day in (AT_DAY, AT_DAY + timedelta(days=1), None)
        )
        silent = Unavailable(actor="instruments", reason="down", retry_after_s=1.0)
        answers, now, went_on = [silent, found, found, next_day, built_in], [AT_NS], []
        market = MarketShown([underlying], tick_size_rupees=0.05)
        finder = Finder(
            market,
            ask=lambda *_, then, **__: then(SimpleNamespace(value=answers.pop(0))),
            now_ns=lambda: now[0],
            listed=lambda _: None,
        )
        for hours, left in ((0, 4), (0, 3), (14, 3), (15, 2), (24, 1), (24, 1), (48, 0), (48, 0)):
            now[0] = AT_NS + hours * 3_600 * SECOND_NS
            finder.options(
                ("IDX_I", "13"), lambda: went_on.append(market.listings.of_symbol(option.symbol) is not None)
            )
            assert len(answers) == left

        assert went_on == [False, *[True] * 7]

    def test_asks_nothing_of_an_underlying_that_no_list_has(self, market):
        asked, went_on = [], []

        def ask(_owner, message, *, then, **_):
            asked.append(message)
            then(SimpleNamespace(value=InstrumentUnknown(name="IDX_I:99", reason="none")))

        finder = Finder(market, ask=ask, now_ns=lambda: AT_NS, listed=asked.append)
        finder.options(("IDX_I", "99"), lambda: went_on.append("99"))

        assert (asked, went_on) == ([ShowInstrument(name="IDX_I:99")], ["99"])

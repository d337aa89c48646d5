"""What the account has at Dhan, whoever ordered it: what is asked, and what is made of the answers."""

from types import SimpleNamespace

import pytest
from natya_dhan import HOLDING, ORDER, POSITION, QUOTE, TRADE
from natya_dhan_stage import Stage

from natya.actors.broker.bodies.dhan.account import AccountReading, read_bands
from natya.actors.broker.bodies.dhan.flows import Day
from natya.actors.broker.bodies.dhan.replies import Reply
from natya.domain.instruments import Instrument
from natya.messages.reconciliation import (
    AccountBookNotRead,
    AccountBookRead,
    OrderAtBroker,
    PositionAtBroker,
    ReadAccountBook,
)
from natya.messages.risk import PriceBand

FUNDS = {"dhanClientId": "1", "availabelBalance": 98_440.5, "sodLimit": 113_642.0}
NO_DAY = Day(positions=[], trades=[], book=[], unreadable=0)


class Reading:
    def __init__(self, *symbols, bands_of=()):
        self.stage, self.told, self.paths = Stage(), [], []
        self.stage.body.read_account(ReadAccountBook(symbols=symbols, bands_of=bands_of), self.told.append)

    def answer(self, data, status=200):
        self.paths += self.stage.calls()
        self.stage.answer(data, status)

    def answer_funds(self, data=FUNDS, status=200):
        self.answer(data, status)
        return self

    def answer_all(self, *, holdings=(), positions=(), trades=(), orders=(), quotes=None, status=200):  # noqa: PLR0913
        self.answer_funds()
        for rows in (holdings, positions, trades, orders):
            self.answer(list(rows))
        if quotes is not None:
            self.answer(quotes, status)
        (told,) = self.told
        return told


class Lookups:
    """Answers what a symbol is when it is told to."""

    def __init__(self):
        self.asked = []

    def find(self, symbol, then):
        self.asked.append((symbol, then))


def test_symbols_are_looked_up_one_after_the_other_before_anything_is_asked():
    lookups, asked = Lookups(), []
    talk = SimpleNamespace(run=lambda _flow, _then: asked.append("account"))
    AccountReading(lookups, talk, ReadAccountBook(symbols=("A", "B"), bands_of=("C",)), print).begin()
    for number in range(1, 4):
        assert (len(lookups.asked), asked) == (number, [])
        symbol, then = lookups.asked[-1]
        then(f"no {symbol}")

    assert (sorted(symbol for symbol, _ in lookups.asked), asked) == (["A", "B", "C"], ["account"])


class TestReading:
    def test_asks_for_funds_and_holdings_then_positions_trades_and_orders(self):
        reading = Reading("INFY")

        assert reading.answer_all() == AccountBookRead(orders=(), positions=(), available_rupees=98_440.5)
        assert reading.paths == ["GET /fundlimit", "GET /holdings", "GET /positions", "GET /trades", "GET /orders"]

    def test_tells_how_great_an_order_of_our_symbols_may_be_in_whole_lots(self):
        lookups, told = Lookups(), []
        talk = SimpleNamespace(run=lambda _flow, then: then(Reply(outcome="told", value=(NO_DAY, [], 1.0, (), ""))))
        AccountReading(lookups, talk, ReadAccountBook(symbols=("A", "B")), told.append).begin()
        fields = {"segment": "NSE_FNO", "tick_size_rupees": 0.05, "lot_size": 75}
        for number, freeze_quantity in ((1, 1_810), (2, None)):
            symbol, then = lookups.asked[-1]
            then(Instrument(symbol=symbol, security_id=str(number), freeze_quantity=freeze_quantity, **fields))

        assert told[0].freeze_quantities == {"B": 1_800}

    def test_tells_ours_by_our_symbols_and_others_in_dhans_words(self):
        other = {**ORDER, "orderId": "9", "correlationId": "NA", "securityId": "2885", "tradingSymbol": "RELIANCE"}
        told = Reading("INFY").answer_all(
            positions=[POSITION, {**POSITION, "productType": "CNC", "netQty": -4}, {**POSITION, "securityId": "2885"}],
            orders=[ORDER, other],
        )

        assert told.orders[0] == OrderAtBroker(
            broker_order_id="412610070153",
            client_order_id="bot7-000123",
            symbol="INFY",
            instrument="INFY NSE_EQ 1594",
            side="BUY",
            quantity=40,
            filled=15,
            is_open=True,
            status="PART_TRADED",
            limit_price=1513.0,
            average_price=1512.9,
        )
        assert (told.orders[1].symbol, told.orders[1].instrument) == ("", "RELIANCE NSE_EQ 2885")
        assert told.orders[1].client_order_id == ""
        assert told.positions == (
            PositionAtBroker(
                symbol="INFY",
                instrument="INFY NSE_EQ 1594",
                quantity=11,
                products=(("INTRADAY", 15), ("CNC", -4)),
            ),
            PositionAtBroker(symbol="", instrument="INFY NSE_EQ 2885", quantity=15, products=(("INTRADAY", 15),)),
        )

    def test_counts_trades_that_the_order_book_does_not_show_yet_each_once(self):
        behind = {**ORDER, "filledQty": 0}
        second = {**TRADE, "exchangeTradeId": "2", "tradedQuantity": 5}
        told = Reading("INFY").answer_all(trades=[TRADE, TRADE, second], orders=[behind])

        assert [each.filled for each in told.orders] == [20]

    def test_tells_what_is_in_the_depository_of_our_symbols_alone(self):
        told = Reading("INFY").answer_all(holdings=[HOLDING, {**HOLDING, "securityId": "2885"}])

        assert [(each.symbol, each.quantity, each.delivered) for each in told.positions] == [("INFY", 0, 12)]

    def test_takes_no_holdings_for_none(self):
        reading = Reading("INFY").answer_funds()
        for _ in range(4):
            reading.answer([])

        assert reading.told == [AccountBookRead(orders=(), positions=(), available_rupees=98_440.5)]

    @pytest.mark.parametrize(("data", "status"), [([], 200), ({"what": "is this"}, 200), ({}, 500)])
    def test_tells_the_books_without_the_funds_where_those_cannot_be_read(self, data, status):
        reading = Reading("INFY").answer_funds(data, status)
        for _ in range(4):
            reading.answer([])

        assert reading.told == [AccountBookRead(orders=(), positions=(), available_rupees=None)]

    def test_asks_for_price_bands_last_and_tells_those_that_there_are(self):
        """Quotes that fail would else be a breaker's one trial, each time, and the account would never be read."""
        reading = Reading("INFY", bands_of=("INFY", "NONE"))
        told = reading.answer_all(quotes={"data": {"NSE_EQ": {"7": QUOTE, "8": 5, "1594": QUOTE}}, "status": "success"})

        assert told.bands == (PriceBand(symbol="INFY", low=1348.5, high=1648.0),)
        assert (told.bands_problem, told.unresolved) == ("", ("NONE",))
        assert reading.paths[-1] == "POST /marketfeed/quote"

    @pytest.mark.parametrize("rows", [[], 5, None, "INFY"])
    def test_tells_the_bands_of_one_segment_though_another_one_has_no_rows(self, rows):
        reading = Reading("INFY", bands_of=("INFY",))
        told = reading.answer_all(quotes={"data": {"NSE_FNO": rows, "NSE_EQ": {"1594": QUOTE}}, "status": "success"})

        assert told.bands == (PriceBand(symbol="INFY", low=1348.5, high=1648.0),)
        assert told.bands_problem == ""

    def test_tells_no_band_of_what_has_none(self):
        reading = Reading("INFY", bands_of=("INFY",))
        unlimited = QUOTE | {"lower_circuit_limit": 0, "upper_circuit_limit": 0.0}
        quotes = {"data": {"NSE_EQ": {"1594": unlimited}}, "status": "success"}

        assert reading.answer_all(quotes=quotes).bands == ()

    def test_tells_the_books_without_bands_that_cannot_be_read_and_why(self):
        for answer in ({"errorType": "x", "errorCode": "DH-902", "errorMessage": "no plan"}, {"data": 5}):
            reading = Reading("INFY", bands_of=("INFY",))
            told = reading.answer_all(quotes=answer, status=400 if "errorCode" in answer else 200)

            assert told.bands == ()
            assert told.bands_problem
            assert told.available_rupees == 98_440.5

    def test_resolves_a_thousand_symbols(self):
        names = tuple(f"S{number}" for number in range(1_200))

        assert Reading(*names).answer_all() == AccountBookRead(orders=(), positions=(), available_rupees=98_440.5)

    def test_names_symbols_that_nobody_knows(self):
        assert Reading("NONE").answer_all().unresolved == ("NONE",)

    @pytest.mark.parametrize("place", range(4))
    def test_says_nothing_where_a_row_cannot_be_read(self, place):
        reading = Reading("INFY").answer_funds()
        for each in range(4):
            reading.answer([{"what": "is this"}] if each == place else [])
        (told,) = reading.told

        assert told == AccountBookNotRead(reason="all rows of the account wanted, found 1 that cannot be read")

    @pytest.mark.parametrize("place", range(4))
    def test_says_nothing_where_one_of_them_is_refused(self, place):
        reading = Reading("INFY").answer_funds()
        for _ in range(place):
            reading.answer([])
        reading.answer({"errorType": "x", "errorCode": "DH-905", "errorMessage": "wrong"}, 400)
        (told,) = reading.told

        assert isinstance(told, AccountBookNotRead)
        assert reading.stage.calls() == []


@pytest.mark.parametrize(("reason", "told"), [("reset", "reset"), ("", "unknown")])
def test_why_bands_could_not_be_read_is_told_in_any_case(reason, told):
    flow = read_bands({("NSE_EQ", "1594"): "INFY"})
    next(flow)
    with pytest.raises(StopIteration) as end:
        flow.send(Reply(outcome="unknown", reason=reason))

    assert end.value.value == ((), told)

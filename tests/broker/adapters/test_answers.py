"""What `DhanBrokerAdapter` makes of answers, what it does not ask, and what overtakes; no network."""

import functools
from concurrent.futures import Future
from types import SimpleNamespace

import msgspec
import pytest
from natya_asked_dhan import BELOW, FOREVER, SUPER, TOKEN, TWO_LEGS, Played, an_order

from natya import ExternalServiceResult, WriteAccepted, WriteNotSent, WriteRefused, WriteUnknown
from natya.actors.broker.adapters.dhan import charts, client, orders
from natya.actors.broker.adapters.dhan.symbols import Symbols
from natya.actors.instruments import InstrumentMaster, NameUnknownError
from natya.domain.dhan.account.profile import IpAck
from natya.domain.dhan.market.charts import Chart, ExpiredChart, ExpiredSide, ExpiredSides
from natya.domain.dhan.trading.orders import OrderRow
from natya.messages.history import ChartNotRead, ChartRead


class TestAnOrderThatReduces:
    @pytest.mark.parametrize(
        "place",
        [
            lambda d: d.place_order(an_order(reduces=True)),
            lambda d: d.place_sliced(an_order(reduces=True)),
            lambda d: d.place_super_order(msgspec.structs.replace(SUPER, reduces=True)),
            lambda d: d.place_forever_order(msgspec.structs.replace(FOREVER, reduces=True)),
        ],
        ids=["plain", "sliced", "super", "forever"],
    )
    def test_overtakes_others(self, played, place):
        place(played)

        assert played.asked[0].urgent


class TestAnAnswer:
    @pytest.mark.parametrize(
        ("ask", "answer"),
        [
            (lambda d: d.set_ip("203.0.113.7"), [{"status": "ERROR", "message": "locked until Monday"}]),
            (lambda d: d.modify_ip("203.0.113.7"), {"status": "ERROR", "message": "locked until Monday"}),
        ],
    )
    def test_of_200_that_says_no_to_an_address_is_a_refusal(self, played, ask, answer):
        played.answers = [answer]
        result = ask(played).result(1)

        assert isinstance(result, WriteRefused)
        assert (result.success, result.error, result.text, result.meaning) == (
            False,
            "locked until Monday",
            "locked until Monday",
            "address",
        )

    def test_that_an_address_is_taken_is_no_refusal(self, played):
        played.answers = [{"status": "SUCCESS", "message": "saved"}]

        assert isinstance(played.set_ip("203.0.113.7").result(1), WriteAccepted)

    @pytest.mark.parametrize(("status", "kind"), [("REJECTED", WriteRefused), ("TRANSIT", WriteAccepted)])
    def test_that_an_order_was_rejected_is_a_refusal(self, played, status, kind):
        played.answers = [{"orderId": "7", "orderStatus": status}]

        assert isinstance(played.place_order(an_order()).result(1), kind)

    def test_that_nothing_is_held_is_a_success_without_rows_and_a_refusal_is_none(self, played):
        data = {"errorType": "Holding_Error", "errorCode": "DH-905", "errorMessage": "no"}
        refused = ExternalServiceResult(success=False, status_code=400, data=data, error="400", sent="yes")
        played.answers = [refused, []]
        failure, empty = (played.get_holdings().result(1) for _ in range(2))

        assert (failure.success, failure.data) == (False, None)
        assert (empty.success, empty.data) == (True, ())

    def test_is_told_by_our_symbols_and_without_what_was_not_asked_for(self, played):
        played.answers = [{"data": {"NSE_EQ": {"1594": {"last_price": 1500.5}, "9": {"last_price": 1.0}}}}]
        told = played.get_last_prices(["INFY", "TCS"]).result(1).data

        assert {symbol: price.last_price for symbol, price in told.items()} == {"INFY": 1500.5}


class TestAChart:
    def test_is_told_as_it_is_or_why_it_is_none_without_the_token(self, played):
        columns = dict.fromkeys(Chart.COLUMNS, (1,))
        told = played._chart_told(ExternalServiceResult(success=True, data=Chart(**columns), sent="yes", attempts=1))
        lost = ExternalServiceResult(success=False, sent="unknown", error=f"reset by {TOKEN}", attempts=2)
        not_told = played._chart_told(lost)

        assert isinstance(told, ChartRead)
        assert (type(not_told), not_told.why, not_told.requests) == (ChartNotRead, "unreachable", 2)
        assert not_told.reason.startswith("reset by ")
        assert TOKEN not in not_told.reason


class TestSymbols:
    def test_are_at_least_one_and_in_a_list(self, played):
        for symbols in ([], "NIFTY"):
            assert not played.get_quotes(symbols).result(1).success
        assert played.asked == []

    @pytest.mark.parametrize("symbol", [7, None, b"INFY", ["INFY"]], ids=repr)
    def test_are_texts(self, instruments, symbol):
        with pytest.raises(NameUnknownError, match="a text wanted, found"):
            Symbols(instruments).find(symbol)

    def test_of_a_list_that_was_given_are_found_in_it_after_an_adapter_has_ended(self, instruments, played):
        played.get_quotes(["INFY"])
        played.close()

        assert Symbols(instruments).find("INFY").security_id == "1594"

    def test_of_a_folder_are_in_a_list_that_is_opened_once_and_closed_with_the_adapter(self, tmp_path, monkeypatch):
        life = []
        monkeypatch.setattr(InstrumentMaster, "close", lambda _: life.append("closed"))
        played = Played(tmp_path)
        played.close()
        assert life == []

        played.get_quotes(["INFY"])
        played.get_quotes(["TCS"])
        played.close()
        played.close()

        assert life == ["closed"]


def test_a_forever_order_of_one_limit_and_one_leg_at_market_is_not_sent(played):
    result = played.place_forever_order(TWO_LEGS).result(1)

    assert isinstance(result, WriteNotSent)
    assert "a price of both legs or of none wanted, found 1300.0 and None" in result.error
    assert played.asked == []


def test_several_orders_of_which_one_may_not_leave_are_not_sent(played):
    off_grid = an_order(order_type="LIMIT", limit_price=99.001, client_order_id="A-2")
    several = [
        lambda: played.place_orders([an_order(), off_grid]),
        lambda: played.place_conditional_order(BELOW, [an_order(), off_grid]),
        lambda: played.modify_conditional_order("7", BELOW, [an_order(), off_grid]),
    ]
    for ask in several:
        result = ask().result(1)

        assert isinstance(result, WriteNotSent)
        assert result.error.startswith("order 2: ")
    assert played.asked == []


@pytest.mark.parametrize("symbols", ["", "INFY", "T", [], ()])
def test_symbols_are_several_in_a_list_and_a_text_is_none(played, symbols):
    result = played.get_quotes(symbols).result(1)

    assert (result.success, result.error) == (False, "symbols: one at least wanted, in a list")
    assert played.asked == []


@pytest.mark.parametrize(
    ("sides", "is_empty"),
    [
        ({}, True),
        ({"ce": ExpiredSide()}, True),
        ({"ce": ExpiredSide(), "pe": ExpiredSide()}, True),
        ({"pe": ExpiredSide(timestamp=(1,))}, False),
        ({"ce": ExpiredSide(timestamp=(1,)), "pe": ExpiredSide()}, False),
        ({"ce": ExpiredSide(timestamp=(1,)), "pe": ExpiredSide(timestamp=(1,))}, False),
    ],
)
def test_a_chart_of_an_expired_option_is_empty_where_neither_side_has_a_candle(sides, is_empty):
    assert charts._is_empty_expired(ExpiredChart(data=ExpiredSides(**sides))) is is_empty


@pytest.mark.parametrize(
    ("outcome", "is_refused"),
    [
        (WriteAccepted(success=True, sent="yes", data=IpAck(status="ERROR", message="no")), True),
        (WriteAccepted(success=True, sent="yes", data=IpAck(status="SUCCESS")), False),
        (WriteAccepted(success=True, sent="yes", data=SimpleNamespace(status="ERROR")), False),
        (WriteUnknown(success=False, sent="unknown", data=IpAck(status="ERROR")), False),
        (WriteNotSent(success=False, sent="no"), False),
    ],
)
def test_a_change_of_an_address_is_refused_by_the_word_of_an_answer_alone(outcome, is_refused):
    found = client._unless_refused(outcome)

    if is_refused:
        assert (type(found), found.success, found.text, found.meaning) == (WriteRefused, False, "no", "address")
    else:
        assert found is outcome


def test_a_list_of_instruments_is_closed_by_whom_it_was_opened(tmp_path):
    with InstrumentMaster(tmp_path / "given") as given:
        theirs, ours = Symbols(given), Symbols(tmp_path / "ours")
        opened = [each._opened() for each in (theirs, ours)]
        closed = []
        for each in opened:
            each.close = functools.partial(closed.append, each)
        theirs.close()
        ours.close()
        Symbols(tmp_path).close()
        del given.close

    assert closed == [opened[1]]


class TestAnOrderThatIsFound:
    """By a look-up; who places it again may be waiting for the first answer still, or never have placed it."""

    ROW = OrderRow(order_id="7", order_status="PENDING", transaction_type="BUY", security_id="1594", quantity=10)

    @staticmethod
    def posted(result=None, fault=None):
        future = Future()
        if fault is not None:
            future.set_exception(fault)
        elif result is not None:
            future.set_result(result)
        return SimpleNamespace(future=future)

    @pytest.mark.parametrize(
        ("posted", "has_row", "is_settled"),
        [
            (lambda each: each.posted(WriteUnknown(success=False, sent="unknown")), True, True),
            (lambda each: each.posted(WriteUnknown(success=False, sent="unknown")), False, False),
            (lambda each: each.posted(WriteAccepted(success=True, sent="yes")), True, False),
            (lambda each: each.posted(), True, False),
            (lambda each: each.posted(fault=OSError("x")), True, False),
            (lambda _: None, True, False),
        ],
        ids=["in doubt", "no row", "accepted", "under way", "failed", "never placed"],
    )
    def test_is_accepted_where_its_own_placement_is_in_doubt(self, posted, has_row, is_settled):
        settled = []
        earlier = posted(self)
        once = SimpleNamespace(find=lambda _id: earlier, settle=lambda *given: settled.append(given))

        orders.Orders._remember(SimpleNamespace(_once=once), "A-1", self.ROW if has_row else None)

        assert [(name, type(kept), kept.data.order_id) for name, kept in settled] == [
            ("A-1", WriteAccepted, "7")
        ] * is_settled

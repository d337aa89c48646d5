"""A trading day of `DhanBrokerAdapter` at the paper exchange: every endpoint, over HTTP."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from natya_wire import CLIENT, TOKEN, Served

from natya import (
    Allowance,
    BrokerCredentials,
    DhanBrokerAdapter,
    ForeverLeg,
    ForeverOrderRequest,
    OrderRequest,
    Quota,
    SuperOrderRequest,
    WriteAccepted,
    WriteNotSent,
    WriteRefused,
)
from natya.domain.dhan.trading.alerts import Condition
from natya.messages.broker import OrderFound

# When the tests begin: a day may turn while they run.
TODAY = (datetime.now(UTC) + timedelta(hours=5, minutes=30)).date()
EXPIRY = date(2099, 10, 27)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    served = Served(tmp_path_factory.mktemp("exchange"))
    option = {"exchangeSegment": "NSE_FNO", "instrument": "OPTIDX", "underlying": "NIFTY", "lotSize": 65}
    served.list_instrument(
        symbol="NIFTY 25000 CE",
        securityId="51000",
        strikeRupees=25_000,
        optionType="CE",
        expiry=EXPIRY.isoformat(),
        **option,
    )
    served.price(25_010.5, "NIFTY")
    served.price(120.0, "NIFTY 25000 CE")
    served.price(1500.0, previousClose=1490.0)
    yield served
    served.stop()


@pytest.fixture(scope="module")
def dhan(served, tmp_path_factory):
    folder = tmp_path_factory.mktemp("instruments")
    with DhanBrokerAdapter(CLIENT, TOKEN, base_url=served.rest, instruments=folder) as dhan:
        freely = Allowance(quotas=(Quota(1_000, 1_000_000_000),))  # as the exchange does here
        dhan.allowances = dict.fromkeys(dhan.allowances, freely)
        yield dhan


def good(pending):
    result = pending.result(20)
    assert result.success, result
    return result.data


def accepted(pending):
    result = pending.result(20)
    assert isinstance(result, WriteAccepted), result
    return result.data


def credentials(client_id, token):
    return BrokerCredentials(client_id=client_id, access_token=token)


def an_order(**fields):
    return OrderRequest(
        **{"symbol": "INFY", "side": "BUY", "quantity": 10, "order_type": "LIMIT", "limit_price": 1400.0, **fields}
    )


def settled(dhan, order_id):
    while (row := good(dhan.get_order(order_id))).order_status == "TRANSIT":
        pass
    return row


class TestOrders:
    def test_are_placed_found_changed_and_cancelled(self, dhan):
        order = an_order()
        ack = accepted(dhan.place_order(order))
        row = settled(dhan, ack.order_id)
        changed = accepted(dhan.modify_order(ack.order_id, an_order(quantity=5, limit_price=1401.0)))
        after = settled(dhan, ack.order_id)
        ended = accepted(dhan.cancel_order(ack.order_id))

        assert (row.order_status, row.correlation_id) == ("PENDING", order.client_order_id)
        assert good(dhan.get_order_by_client_id(order.client_order_id)).order_id == ack.order_id
        assert ack.order_id in [each.order_id for each in good(dhan.get_orders())]
        assert changed.order_id == ended.order_id == ack.order_id
        assert (after.quantity, after.price) == (5, 1401.0)
        assert settled(dhan, ack.order_id).order_status == "CANCELLED"

    def test_at_the_market_trade_and_make_a_position(self, dhan):
        order = an_order(order_type="MARKET", limit_price=None)
        ack = accepted(dhan.place_order(order))
        assert settled(dhan, ack.order_id).order_status == "TRADED"
        (trade,) = good(dhan.get_trades(ack.order_id))
        found = good(dhan.resolve(order))

        assert (trade.traded_quantity, trade.traded_price) == (10, 1500.0)
        assert trade in good(dhan.get_trades())
        assert isinstance(found, OrderFound)
        assert (found.state, found.broker_order_id, len(found.reports)) == ("FILLED", ack.order_id, 1)
        assert "1594" in [row.security_id for row in good(dhan.get_positions())]

    @pytest.mark.parametrize("kind", ["STOP_LOSS", "STOP_LOSS_MARKET"])
    def test_with_a_stop_are_limits_behind_their_trigger(self, dhan, kind):
        order = an_order(side="SELL", order_type=kind, limit_price=None, trigger_price=1450.05)
        row = settled(dhan, accepted(dhan.place_order(order)).order_id)

        assert (row.order_status, row.order_type) == ("PENDING", "STOP_LOSS")
        assert (row.trigger_price, row.price) == (1450.05, 1442.8)

    def test_above_the_freeze_quantity_are_sliced(self, dhan):
        acks = accepted(dhan.place_sliced(an_order()))

        assert [ack.order_status for ack in acks] == ["TRANSIT"]

    def test_that_the_exchange_refuses_say_so_in_its_words(self, dhan):
        result = dhan.cancel_order("410000000000").result(20)

        assert isinstance(result, WriteRefused)
        assert (result.code, result.status_code, result.sent) == ("DH-906", 404, "yes")
        assert result.text

    def test_that_are_not_there_are_none(self, dhan):
        assert good(dhan.get_order("410000000000")) is None

    def test_go_several_in_one_request(self, dhan):
        answer = accepted(dhan.place_orders([an_order(), an_order(limit_price=1399.0)]))

        assert [leg.sequence for leg in answer.orders] == ["1", "2"]


class TestOrdersWithLegs:
    def test_super_orders_are_placed_changed_and_cancelled(self, dhan):
        order = SuperOrderRequest(
            symbol="INFY",
            side="BUY",
            quantity=10,
            order_type="LIMIT",
            limit_price=1400.0,
            target_price=1450.0,
            stop_loss_price=1380.0,
            trailing_jump=1.0,
        )
        number = accepted(dhan.place_super_order(order)).order_id
        settled(dhan, number)
        greater = msgspec.structs.replace(
            order, quantity=12, limit_price=1399.0, target_price=1449.0, trailing_jump=2.0
        )
        accepted(dhan.modify_super_order(number, greater))
        (row,) = [each for each in good(dhan.get_super_orders()) if each.order_id == number]
        assert (row.quantity, row.price, row.order_type) == (12, 1399.0, "LIMIT")
        assert {leg.leg_name: leg.price for leg in row.leg_details} == {"STOP_LOSS_LEG": 1380.0, "TARGET_LEG": 1449.0}
        accepted(dhan.move_stop(number, 1385.0, trailing_jump=1.0))
        accepted(dhan.move_target(number, 1455.0))
        (row,) = [each for each in good(dhan.get_super_orders()) if each.order_id == number]

        assert {leg.leg_name: leg.price for leg in row.leg_details} == {"STOP_LOSS_LEG": 1385.0, "TARGET_LEG": 1455.0}
        assert accepted(dhan.cancel_super_order(number)).order_status == "CANCELLED"

    def test_forever_orders_have_a_row_for_each_leg(self, dhan):
        order = ForeverOrderRequest(
            symbol="INFY",
            side="BUY",
            quantity=5,
            first=ForeverLeg(trigger_price=1301.0, limit_price=1300.0),
            second=ForeverLeg(trigger_price=1699.0, limit_price=1700.0),
        )
        number = accepted(dhan.place_forever_order(order)).order_id
        moved = ForeverOrderRequest(
            symbol="INFY",
            side="BUY",
            quantity=6,
            first=ForeverLeg(trigger_price=1303.0, limit_price=1302.0),
            second=order.second,
        )
        accepted(dhan.modify_forever_order(number, moved))
        rows = [each for each in good(dhan.get_forever_orders()) if each.order_id == number]

        assert [(row.quantity, row.trigger_price, row.price) for row in rows] == [
            (6, 1303.0, 1302.0),
            (5, 1699.0, 1700.0),
        ]
        at_market = msgspec.structs.replace(moved, first=ForeverLeg(trigger_price=1304.0, quantity=4))
        accepted(dhan.modify_forever_order(number, at_market))
        first, _ = [each for each in good(dhan.get_forever_orders()) if each.order_id == number]
        assert (first.quantity, first.trigger_price, first.price) == (4, 1304.0, 0.0)
        assert accepted(dhan.cancel_forever_order(number)).order_id == number

    def test_conditional_orders_wait_for_their_condition(self, dhan):
        condition = Condition(
            comparison_type="PRICE_WITH_VALUE",
            exchange_segment="NSE_EQ",
            security_id="1594",
            operator="LESS_THAN",
            comparing_value=1000.0,
        )
        orders = [an_order(product="CNC", limit_price=999.5)]
        alert_id = accepted(dhan.place_conditional_order(condition, orders)).alert_id
        accepted(dhan.modify_conditional_order(alert_id, condition, orders))
        alert = good(dhan.get_conditional_order(alert_id))

        assert (alert.condition.comparing_value, alert.orders[0].price) == (1000.0, 999.5)
        assert [each.alert_id for each in good(dhan.get_conditional_orders())] == [alert_id]
        assert accepted(dhan.cancel_conditional_order(alert_id)).alert_status == "CANCELLED"


class TestMoney:
    def test_is_shown(self, dhan):
        funds = good(dhan.get_funds())

        assert 0 < funds.cash <= 1_000_000.0
        assert good(dhan.get_holdings()) == ()

    def test_that_an_order_would_need_is_told(self, dhan):
        order = an_order(product="CNC", limit_price=1500.0)

        assert good(dhan.get_margin(order)).total_margin == 15_000.0
        assert good(dhan.get_margin_of_all([order])).total_margin == 15_000.0
        of_none = dhan.get_margin_of_all([]).result()
        assert (of_none.success, "MultiMarginRequest" in of_none.error) == (False, True)

    def test_that_moved_is_in_the_ledger(self, dhan):
        assert good(dhan.get_ledger(TODAY, TODAY + timedelta(days=1)))[0].credit == 1_000_000.0
        assert good(dhan.get_trade_history(date(2020, 1, 1), date(2020, 1, 2))) == ()


class TestTheMarket:
    def test_is_quoted_by_symbol(self, dhan):
        symbols = ["INFY", "TCS"]
        quotes = good(dhan.get_quotes(symbols))

        assert [*quotes] == ["INFY"]
        assert len(quotes["INFY"].depth.buy) == 5
        assert good(dhan.get_ohlc(symbols))["INFY"].ohlc.high >= 1500.0

    @pytest.mark.parametrize(
        "ask",
        [
            lambda dhan: dhan.get_last_prices(["INFY", "NOPE"]),
            lambda dhan: dhan.get_ohlc(["NOPE"]),
            lambda dhan: dhan.get_quotes(["NOPE"]),
            lambda dhan: dhan.get_expiries("NOPE"),
            lambda dhan: dhan.get_option_chain("NOPE", EXPIRY),
            lambda dhan: dhan.get_daily_candles("NOPE", TODAY, TODAY + timedelta(days=1)),
            lambda dhan: dhan.get_intraday_candles("NOPE", 5, TODAY, TODAY + timedelta(days=1)),
            lambda dhan: dhan.resolve(an_order(symbol="NOPE")),
            lambda dhan: dhan.get_margin(an_order(symbol="NOPE")),
            lambda dhan: dhan.get_margin_of_all([an_order(), an_order(symbol="NOPE")]),
            lambda dhan: dhan.place_order(an_order(symbol="NOPE")),
            lambda dhan: dhan.place_orders([an_order(), an_order(symbol="NOPE")]),
            lambda dhan: dhan.place_sliced(an_order(symbol="NOPE")),
        ],
        ids=range(13),
    )
    def test_has_no_answer_for_what_no_list_names_and_is_not_asked(self, dhan, ask):
        found = ask(dhan).result(5)

        assert (found.success, found.sent) == (False, "no")
        assert "NOPE" in found.error

    def test_is_quoted_by_last_price(self, dhan):
        assert good(dhan.get_last_prices(["INFY"]))["INFY"].last_price > 0

    def test_is_charted(self, dhan):
        minutes = good(dhan.get_intraday_candles("INFY", 5, TODAY - timedelta(days=200), TODAY + timedelta(days=2)))
        days = good(dhan.get_daily_candles("INFY", TODAY, TODAY + timedelta(days=2)))

        assert minutes.open[0] == 1500.0
        assert days.open == (1500.0,)

    def test_has_option_chains(self, dhan):
        assert good(dhan.get_expiries("NIFTY")).data == (EXPIRY,)
        assert good(dhan.get_option_chain("NIFTY", EXPIRY)).by_strike()[25_000.0].ce.last_price == 120.0

    def test_of_expired_options_is_not_known(self, dhan):
        found = good(
            dhan.get_expired_options("NIFTY", date(2026, 9, 1), date(2026, 9, 3), option_type="CALL", expiry="WEEK")
        )

        assert (found.data.ce.timestamp, found.data.pe) == ((), None)


class TestTheClient:
    def test_is_known(self, dhan):
        assert good(dhan.get_profile()).dhan_client_id == CLIENT
        assert good(dhan.get_edis_status()) is not None
        accepted(dhan.send_tpin())
        assert accepted(dhan.get_edis_form("INE009A01021", 3)).edis_form_html
        assert accepted(dhan.get_edis_bulk_form(["INE009A01021"])).edis_form_html

    def test_says_where_orders_come_from(self, dhan):
        assert accepted(dhan.set_ip("203.0.113.7")).status == "SUCCESS"
        assert good(dhan.get_ip()).primary_ip == "127.0.0.1"
        assert isinstance(dhan.modify_ip("nowhere in particular").result(20), WriteNotSent)

    def test_with_another_token_is_not_let_in_and_then_with_the_right_one(self, served, tmp_path):
        with DhanBrokerAdapter(CLIENT, "another", base_url=served.rest, instruments=tmp_path) as stranger:
            refused = stranger.authenticate(credentials(CLIENT, "wrong")).result(20)
            why = stranger.authentication
            not_sent = stranger.place_order(an_order()).result(20)
            let_in = stranger.authenticate(BrokerCredentials(client_id=CLIENT, access_token=TOKEN)).result(20)

            assert (refused, why.status_code, let_in) == (False, 401, True)
            assert isinstance(not_sent, WriteNotSent)
            assert "access token" in not_sent.error
            good(stranger.get_funds())


def test_what_stops_trading(tmp_path):
    served = Served(tmp_path / "exchange")
    try:
        with DhanBrokerAdapter(CLIENT, TOKEN, base_url=served.rest, instruments=tmp_path) as dhan:
            served.price(1500.0)
            settled(dhan, accepted(dhan.place_order(an_order(order_type="MARKET", limit_price=None))).order_id)
            accepted(dhan.convert_position("INFY", 4, position="LONG", since="INTRADAY", until="CNC"))
            held = {row.product_type: row.net_qty for row in good(dhan.get_positions())}
            accepted(dhan.set_pnl_exit(profit_rupees=4000.0, loss_rupees=1500.0))
            exit_armed = good(dhan.get_pnl_exit())
            armed = exit_armed.pnl_exit_status, float(exit_armed.profit), float(exit_armed.loss)
            accepted(dhan.end_pnl_exit())
            too_early = dhan.set_kill_switch(is_on=True).result(20)
            accepted(dhan.exit_all())
            while any(row.net_qty for row in good(dhan.get_positions())):
                served.price(1500.0)
            accepted(dhan.set_kill_switch(is_on=True))

            assert held == {"INTRADAY": 6, "CNC": 4}
            assert armed == ("ACTIVE", 4000.0, 1500.0)
            assert isinstance(too_early, WriteRefused)
            assert good(dhan.get_kill_switch()).kill_switch_status == "ACTIVATE"
            renewed = accepted(dhan.renew_token())
            assert TOKEN not in repr(renewed)
            good(dhan.get_funds())
    finally:
        served.stop()

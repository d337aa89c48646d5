"""What acts on the account as a whole, and what its money and its days do."""

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from msgspec.structs import replace

from natya.actors.exchange.account import (
    Account,
    Conversion,
    Listings,
    MarginTicket,
    PnlExit,
    Refused,
    SuperTicket,
    Ticket,
)
from natya.actors.exchange.account.positions import Traded
from natya.actors.exchange.account.refusals import MARKET_CLOSED
from natya.domain.charges import charges
from natya.domain.time import IST, SECOND_NS
from natya.messages.codec import decode, encode
from natya.messages.exchange import AccountOrder, AccountTrade
from natya.messages.instruments import InstrumentDefinition

INFY, OPTION, FUTURE = ("NSE_EQ", "1594"), ("NSE_FNO", "51234"), ("NSE_FNO", "51235")
DAY_S = 86_400


def at(clock, day=7):
    hour, minute = map(int, clock.split(":"))
    return int(datetime(2026, 10, day, hour, minute, tzinfo=IST).timestamp()) * SECOND_NS


def refusal(call, *arguments):
    with pytest.raises(Refused) as caught:
        call(*arguments)
    return caught.value.text


class TestExitAll:
    def test_cancels_orders_and_closes_positions(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        resting, transit = client.place(price=1400.0), client.place(price=1410.0, wait=False)

        client.ask("exit_all")
        client.wait()

        assert (client.status(resting), client.status(transit)) == ("CANCELLED", "CANCELLED")
        assert [position.net_quantity for position in client.account.positions()] == [0]
        assert client.account.orders()[-1].source == "EXIT_ALL"

    def test_ends_each_order_once(self, client):
        client.tick(1500.0)
        ticket = SuperTicket(
            instrument=INFY, side="BUY", product="INTRADAY", order_type="MARKET", quantity=10,
            target_price=1510.0, stop_price=1490.0,
        )  # fmt: skip
        client.ask("place_super", ticket)
        client.wait()
        client.wait()
        ended = [each for each in client.ask("exit_all").changes if isinstance(each, AccountOrder) and not each.is_open]

        assert sorted(each.leg for each in ended) == ["STOP_LOSS_LEG", "TARGET_LEG"]
        assert {each.status for each in ended} == {"CANCELLED"}

    def test_is_refused_and_changes_nothing_where_the_market_of_a_position_is_closed(self, client):
        client.tick(1500.0)
        client.place(quantity=10, product="CNC")
        client.wait_until(at("18:00"))
        before = client.account.comparable()

        assert refusal(client.ask, "exit_all") == MARKET_CLOSED
        assert client.account.comparable() == before

    def test_has_nothing_to_do_with_a_closed_market_where_nothing_is_held(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        client.place(side="SELL", quantity=10)
        client.wait_until(at("18:00"))

        client.ask("exit_all")

        assert len(client.account.orders()) == 2


class TestTheKillSwitch:
    def test_needs_an_account_without_orders_and_positions(self, client):
        client.tick(1500.0)
        client.place(price=1400.0)

        assert refusal(client.ask, "set_kill_switch", True) == (
            "Kill switch needs no open position and no pending order"
        )

    def test_is_taken_back_while_orders_are_open(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        client.ask("set_pnl_exit", PnlExit(profit_rupees=5.0, loss_rupees=0.0, products=("INTRADAY",), kills=True))
        client.tick(1510.0)
        assert client.account.switches().kill_switch

        client.ask("set_kill_switch", False)  # the order that closes is in transit
        assert not client.account.switches().kill_switch

    def test_stays_where_a_profit_exits_that_does_not_set_it(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        client.tick(1510.0)
        client.place("SELL", quantity=10)
        client.ask("set_kill_switch", True)

        client.ask("set_pnl_exit", PnlExit(profit_rupees=5.0, loss_rupees=0.0, products=("INTRADAY",)))
        assert client.account.switches().kill_switch

    def test_rejects_orders_until_the_next_day(self, client):
        client.tick(1500.0)
        client.ask("set_kill_switch", True)
        order = client.order(client.place())
        assert order.reason.endswith("Kill switch is active: no orders for the rest of the day")

        client.wait(DAY_S)
        client.tick(1500.0)

        assert client.status(client.place()) == "TRADED"


class TestTheExitAtAProfitOrALoss:
    @pytest.mark.parametrize("price", [1551.0, 1469.0])
    def test_closes_positions_at_the_threshold(self, client, price):
        client.tick(1500.0)
        client.place(quantity=10)
        client.ask("set_pnl_exit", PnlExit(profit_rupees=500.0, loss_rupees=300.0, kills=True))
        client.tick(1510.0)
        assert client.account.switches().exit_is_active

        client.tick(price)
        client.wait()

        assert client.account.positions()[0].net_quantity == 0
        assert client.account.switches().kill_switch
        assert not client.account.switches().exit_is_active

    def test_acts_at_once_where_it_is_passed_already(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        client.tick(1600.0)

        client.ask("set_pnl_exit", PnlExit(profit_rupees=500.0, loss_rupees=0.0))
        client.wait()

        assert client.account.positions()[0].net_quantity == 0

    def test_leaves_other_products_alone(self, client):
        client.tick(1500.0)
        client.place(quantity=10, product="CNC")
        kept, ended = client.place(price=1400.0, product="CNC"), client.place(price=1400.0)
        client.place(quantity=10)
        client.ask("set_pnl_exit", PnlExit(profit_rupees=500.0, loss_rupees=0.0, products=("INTRADAY",)))

        client.tick(1600.0)
        client.wait()

        held = {position.product: position.net_quantity for position in client.account.positions()}
        assert held == {"CNC": 10, "INTRADAY": 0}
        assert (client.status(kept), client.status(ended)) == ("PENDING", "CANCELLED")


def to_delivery(quantity, *, source="INTRADAY", target="CNC"):
    return Conversion(instrument=INFY, source=source, target=target, is_long=True, quantity=quantity)


class TestAConversion:
    def test_moves_shares_at_their_cost_and_their_margin(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        before = client.account.funds().utilized_rupees

        client.ask(
            "convert_position",
            Conversion(instrument=INFY, source="INTRADAY", target="CNC", is_long=True, quantity=4),
        )

        intraday, delivery = client.account.positions()
        assert (intraday.net_quantity, intraday.buy_quantity, intraday.realized_rupees) == (6, 6, 0)
        assert (delivery.net_quantity, delivery.cost_price) == (4, 1500.0)
        assert client.account.funds().utilized_rupees - before == Decimal(4 * 1500 - 4 * 300)

    def test_may_be_of_one_share_or_of_a_short_position(self, client):
        client.tick(1500.0)
        client.tick(25_000.0, FUTURE)
        client.place(quantity=10)
        client.place("SELL", quantity=65, instrument=FUTURE, product="INTRADAY")

        client.ask("convert_position", to_delivery(1))
        short = replace(to_delivery(65), instrument=FUTURE, target="MARGIN", is_long=False)
        client.ask("convert_position", short)

        found = {(each.instrument, each.product): each.net_quantity for each in client.account.positions()}
        assert found == {(INFY, "INTRADAY"): 9, (INFY, "CNC"): 1, (FUTURE, "INTRADAY"): 0, (FUTURE, "MARGIN"): -65}

    def test_of_a_short_position_into_one_that_is_delivered_is_refused(self, client):
        client.tick(1500.0)
        client.place("SELL", quantity=10)

        assert refusal(client.ask, "convert_position", replace(to_delivery(10), is_long=False)) == (
            "This position cannot become CNC"
        )

    def test_of_what_was_closed_is_refused_on_either_side(self, client):
        client.tick(1500.0)
        for side in ("BUY", "SELL"):
            client.place(side)

        for is_long, side in ((True, "long"), (False, "short")):
            asked = Conversion(instrument=INFY, source="INTRADAY", target="CNC", is_long=is_long, quantity=1)
            assert refusal(client.ask, "convert_position", asked) == f"No {side} position of INTRADAY to convert"

    def test_of_shares_that_stay_for_delivery_takes_none_from_an_order(self, client):
        client.tick(1500.0)
        client.place(product="CNC")
        order_id = client.place("SELL", product="CNC", price=1510.0)

        client.ask("convert_position", to_delivery(10, source="CNC", target="MTF"))
        assert (client.status(order_id), held(client)) == ("PENDING", {"MTF": 10})

    def test_of_more_than_there_is_is_refused(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        asked = Conversion(instrument=INFY, source="INTRADAY", target="CNC", is_long=True, quantity=11)

        assert refusal(client.ask, "convert_position", asked) == "convertQty: 1 to 10 wanted, found 11"

    def test_leaves_no_profit_behind_where_the_average_is_no_price(self, open_account):
        client = open_account(opening_balance_rupees=1e11)
        client.tick(1500.0)
        client.place(quantity=4_000_000)
        client.tick(1500.1)
        client.place(quantity=2_000_000)

        client.ask("convert_position", to_delivery(6_000_000))

        intraday, delivery = client.account.positions()
        assert (intraday.net_quantity, intraday.realized_rupees) == (0, 0)
        assert delivery.day_buy_rupees == Decimal(9000200000)

    def test_is_as_exact_and_as_cheap_after_a_thousand_others(self):
        here, there = Traded("INFY"), Traded("INFY")
        for step in range(1, 1_001):
            source, target = (here, there) if step % 2 else (there, here)
            source.trade(step, 1500.05 + step)
            quantity = source.net // 2 + 1
            cost = source.cost_of(quantity)
            source.shift(-quantity, -cost)
            target.shift(quantity, cost)

        assert 10**30 % cost.denominator == 0
        assert max(abs(here.realized), abs(there.realized)) < Fraction(1, 10**26)

    def test_takes_margin_for_the_exit_of_shares_that_leave(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        exit_id = client.place("SELL", 10, 1600.0)
        assert client.order(exit_id).blocked_rupees == 0

        client.ask("convert_position", to_delivery(4))

        assert client.order(exit_id).blocked_rupees == 4 * 320
        assert client.replayed().comparable() == client.account.comparable()

    def test_takes_the_margin_of_the_last_exits_first(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        exits = [client.place("SELL", quantity, 1600.0) for quantity in (3, 3, 3)]

        client.ask("convert_position", to_delivery(5))

        assert [client.order(each).blocked_rupees for each in exits] == [0, 320, 3 * 320]
        assert client.replayed().comparable() == client.account.comparable()

    def test_is_refused_where_the_margin_of_its_exit_cannot_be_paid(self, open_account):
        client = open_account(opening_balance_rupees=15_100.0)
        client.tick(1500.0)
        client.place(quantity=10)
        client.place("SELL", 10, 1600.0)
        before = client.account.comparable()

        assert refusal(client.ask, "convert_position", to_delivery(10)).startswith(
            "Insufficient funds: 15200.00 rupees needed, found 12"
        )
        assert client.account.comparable() == before

    def test_frees_the_margin_of_orders_that_now_close_what_has_come(self, client):
        client.tick(1500.0)
        client.place(quantity=10, product="CNC")
        short = client.place("SELL", 10, 1600.0)
        assert client.order(short).blocked_rupees == 10 * 320

        client.ask("convert_position", to_delivery(10, source="CNC", target="INTRADAY"))

        assert client.order(short).blocked_rupees == 0

    def test_of_shares_that_a_super_order_is_to_exit_is_refused(self, client):
        client.tick(1500.0)
        ticket = SuperTicket(
            instrument=INFY,
            side="BUY",
            product="INTRADAY",
            order_type="MARKET",
            quantity=10,
            limit_price=0.0,
            target_price=1520.0,
            stop_price=1480.0,
        )
        client.ask("place_super", ticket)
        client.wait()
        client.place(quantity=5)

        assert refusal(client.ask, "convert_position", to_delivery(6)) == (
            "1 of these shares are for exits of super orders: cancel them"
        )
        client.ask("convert_position", to_delivery(5))

    def test_of_shares_that_an_order_is_to_deliver_is_refused(self, client):
        client.tick(1500.0)
        client.place(quantity=10, product="CNC")
        client.place("SELL", 7, 1600.0, product="CNC")
        asked = to_delivery(4, source="CNC", target="INTRADAY")

        assert refusal(client.ask, "convert_position", asked) == (
            "convertQty: at most 3 that no open order is to sell wanted, found 4"
        )


class TestAPosition:
    @pytest.mark.parametrize(
        ("trades", "kind", "unrealized"),
        [(["BUY"], "LONG", 100.0), (["SELL"], "SHORT", -100.0), (["BUY", "SELL"], "CLOSED", 0.0)],
    )
    def test_is_what_its_trades_leave(self, client, trades, kind, unrealized):
        client.tick(1500.0)
        for side in trades:
            client.place(side, quantity=10)
        client.tick(1510.0)

        (position,) = client.account.positions()
        assert (position.kind, float(position.unrealized_rupees)) == (kind, unrealized)

    @pytest.mark.parametrize(("side", "carried"), [("BUY", (65, 0, 1_625_000, 0)), ("SELL", (0, 65, 0, 1_625_000))])
    def test_that_is_carried_over_is_told_on_its_side(self, client, side, carried):
        client.tick(25_000.0, FUTURE)
        client.place(side, quantity=65, instrument=FUTURE, product="MARGIN")

        client.wait(DAY_S)

        (position,) = client.account.positions()
        assert carried == (
            position.carried_buy_quantity,
            position.carried_sell_quantity,
            position.carried_buy_rupees,
            position.carried_sell_rupees,
        )

    def test_without_a_price_has_no_profit_yet(self, client):
        client.tick(1500.0)
        client.place(quantity=10)

        (position,) = client.replayed().positions()

        assert (position.net_quantity, position.unrealized_rupees) == (10, 0)


class TestMoney:
    def test_of_an_intraday_position_is_a_fifth_of_its_value_and_its_charges(self, client):
        client.tick(1500.0)
        client.place(quantity=10)

        charges = client.account.trades()[0].charges_rupees
        assert client.account.funds().utilized_rupees == Decimal(3000) + charges
        assert charges > 0

    @pytest.mark.parametrize("side", ["BUY", "SELL"])
    def test_that_a_trade_costs_is_told_by_the_name_of_each_charge(self, client, side):
        client.tick(1500.0)
        client.place(side=side, quantity=10)
        names = ("brokerage", "transaction_tax", "exchange", "sebi_fee", "stamp_duty", "gst")

        (trade,) = client.account.trades()
        wanted = charges("INTRADAY", side, 10, trade.price, date(2026, 10, 7))
        assert [getattr(trade, f"{name}_rupees") for name in names] == [getattr(wanted, name) for name in names]
        assert trade.charges_rupees == wanted.total

    def test_of_a_profit_is_receivable_but_not_available(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        client.tick(1600.0)
        client.place("SELL", quantity=10)

        funds = client.account.funds()
        charges = sum(trade.charges_rupees for trade in client.account.trades())
        assert funds.receivable_rupees == Decimal("1000.00")
        assert funds.available_rupees == funds.start_of_day_rupees - charges

    def test_of_a_loss_is_gone_at_once(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        client.tick(1400.0)
        client.place("SELL", quantity=10)

        funds = client.account.funds()
        charges = sum(trade.charges_rupees for trade in client.account.trades())
        assert funds.available_rupees == funds.start_of_day_rupees - charges - 1000

    def test_of_losses_one_after_the_other_is_their_sum(self, client):
        for bought, sold in ((1500.0, 1490.0), (1490.0, 1470.0)):
            client.tick(bought)
            client.place(quantity=10)
            client.tick(sold)
            client.place("SELL", quantity=10)

        funds = client.account.funds()
        charges = sum(trade.charges_rupees for trade in client.account.trades())
        assert funds.available_rupees == funds.start_of_day_rupees - charges - 300

    def test_of_what_is_delivered_is_paid_the_next_day_and_again_when_it_is_sold(self, client):
        client.tick(1500.0)
        client.place(quantity=10, product="CNC")
        paid = sum(trade.charges_rupees for trade in client.account.trades())
        client.wait(DAY_S)
        assert client.account.funds().available_rupees == Decimal(1_000_000) - 15_000 - paid

        client.tick(1600.0)
        client.place("SELL", quantity=10, product="CNC")
        paid += sum(trade.charges_rupees for trade in client.account.trades())
        client.wait(DAY_S)
        assert client.account.funds().available_rupees == Decimal(1_000_000) + 1_000 - paid

    def test_is_settled_the_next_day(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        client.tick(1600.0)
        client.place("SELL", quantity=10)
        charges = sum(trade.charges_rupees for trade in client.account.trades())

        client.wait(DAY_S)

        assert client.account.funds().available_rupees == Decimal(1_000_000) + 1000 - charges
        kinds = [voucher.description for voucher in client.account.ledger(0, 1 << 62)]
        assert kinds == ["RCPT", "BILL", "CHRG"]
        assert client.account.ledger(0, 1 << 62)[-1].balance_rupees == client.account.funds().start_of_day_rupees

    @pytest.mark.parametrize(
        ("day", "narration"),
        [((2022, 10, 12), "CHARGES OF THE DAY, AT THE RATES OF 2023-04-01"), ((2023, 4, 5), "CHARGES OF THE DAY")],
    )
    def test_of_a_day_whose_rates_are_not_known_says_which_were_used(self, open_account, day, narration):
        client = open_account(day)
        client.tick(1500.0)
        client.place(quantity=10)
        client.place("SELL", quantity=10)

        client.wait(DAY_S)

        assert client.account.ledger(0, 1 << 62)[-1].narration == narration

    @pytest.mark.parametrize(
        ("fields", "total", "leverage"),
        [
            ({"instrument": INFY, "product": "INTRADAY", "price": 1500.0}, 300 * 65, 5.0),
            ({"instrument": INFY, "product": "CNC", "price": 1500.0}, 1500 * 65, 1.0),
            ({"instrument": OPTION, "product": "MARGIN", "price": 120.0}, 120 * 65, 1.0),
            ({"instrument": OPTION, "product": "MARGIN", "price": 120.0, "side": "SELL"}, 3750 * 65, 0.03),
            ({"instrument": FUTURE, "product": "MARGIN", "price": 25_000.0}, 3750 * 65, 6.67),
        ],
    )
    def test_that_an_order_would_need_is_told(self, client, fields, total, leverage):
        (margin,) = client.account.margin_of(MarginTicket(**({"side": "BUY", "quantity": 65} | fields)))

        assert (margin.total_rupees, margin.leverage) == (total, leverage)


class TestADay:
    def test_makes_holdings_of_what_was_bought_and_delivers_them_a_day_later(self, client):
        client.tick(1500.0)
        client.place(quantity=10, product="CNC")
        client.wait(DAY_S)
        (holding,) = client.account.holdings()
        assert (holding.quantity, holding.unsettled_quantity, holding.average_cost_rupees) == (10, 10, 1500.0)
        assert client.account.positions() == ()

        client.wait(DAY_S)

        assert client.account.holdings()[0].unsettled_quantity == 0
        assert client.account.holdings()[0].available_quantity == 10
        client.tick(1550.0)
        assert client.status(client.place("SELL", quantity=10, product="CNC")) == "TRADED"
        assert client.account.holdings()[0].available_quantity == 0
        client.wait(4 * DAY_S)
        assert client.account.holdings() == ()

    def test_leaves_the_average_cost_of_what_was_not_sold(self, client):
        client.tick(1500.0)
        client.place(quantity=10, product="CNC")
        client.wait(2 * DAY_S)
        client.tick(1600.0)
        client.place("SELL", quantity=4, product="CNC")

        client.wait(3 * DAY_S)  # Monday

        (holding,) = client.account.holdings()
        assert (holding.quantity, holding.average_cost_rupees) == (6, 1500.0)

    def test_squares_intraday_positions_off_at_twenty_past_three(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        order_id = client.place(price=1400.0)
        carried = client.place(quantity=5, product="CNC")
        client.wait_until(client.account.now_ns - client.account.now_ns % (3600 * 10**9) + 5 * 3600 * 10**9)

        while client.account.now_ns < client.account.order(carried).created_ns + 6 * 3600 * 10**9:
            client.wait_until(client.account.next_ns)
            squared = [order for order in client.account.orders() if order.source == "SQUARE_OFF"]
            if squared and squared[0].status == "TRADED":
                break

        assert squared[0].created_ns % (86_400 * 10**9) == ((15 * 60 + 20 - 330) * 60) * 10**9
        assert client.status(order_id) == "CANCELLED"
        assert [position.net_quantity for position in client.account.positions()] == [0, 5]
        late = client.order(client.place(quantity=10))
        assert late.reason.endswith("Intraday orders are not allowed after the square-off")

    def test_closes_what_no_process_squared_off_at_the_last_price_not_at_what_was_paid(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        client.tick(1510.0)
        before = client.account.funds().start_of_day_rupees
        client.wait(DAY_S)

        assert 0 < client.account.funds().start_of_day_rupees - before < 100  # of each share 10 rupees, less charges

    def test_closes_what_found_no_buyer_at_the_square_off_at_the_last_price_not_at_what_was_paid(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        client.tick(1510.0, asks=[(1510.5, 100)])
        client.wait_until(at("23:59"))
        assert held(client) == {"INTRADAY": 10}
        client.wait_until(at("09:00", day=8))

        assert held(client) == {}
        assert [each.price for each in client.changes if isinstance(each, AccountTrade)] == [1500.0, 1510.0]

    def test_that_is_its_last_settles_a_contract_whatever_else_is_held(self, open_account):
        client = open_account((2026, 10, 27))
        for instrument, price, product in ((INFY, 1500.0, "CNC"), (FUTURE, 25_000.0, "MARGIN")):
            client.tick(price, instrument)
            client.place(quantity=65, product=product, instrument=instrument)
        client.tick(25_100.0, FUTURE)
        client.wait_until(at("16:00", day=27))

        sold = [each for each in client.changes if isinstance(each, AccountTrade) and each.side == "SELL"]
        assert [(each.instrument, each.quantity, each.price) for each in sold] == [(FUTURE, 65, 25_100.0)]

    @pytest.mark.parametrize(
        ("index", "own_day", "price"), [(26_080.0, 27, 80.0), (25_990.0, 27, 0.0), (None, 27, 75.5), (None, 26, 75.5)]
    )
    def test_that_is_its_last_settles_an_option_by_its_underlying(self, open_account, index, own_day, price):
        client = open_account((2026, 10, own_day), opening_balance_rupees=1e9)
        option, nifty = client.list_option_and_index()
        client.tick(75.5, option)
        client.place(quantity=65, product="MARGIN", instrument=option)
        client.wait_until(at("15:39", day=27))
        if index is not None:
            client.tick(index, nifty)
        client.wait_until(at("16:00", day=27))

        sold = [each for each in client.changes if isinstance(each, AccountTrade) and each.side == "SELL"]
        assert [(each.quantity, each.price) for each in sold] == [(65, price)]
        assert [each.net_quantity for each in client.account.positions()] == [0]
        assert [decode(encode(each)) for each in sold] == sold, "it can be read back"

    def test_that_is_a_weekend_changes_nothing(self, client):
        client.tick(1500.0)
        client.place(quantity=10, product="CNC")
        client.wait(3 * DAY_S)  # Saturday
        friday = client.account.comparable()

        client.wait(DAY_S)

        assert client.account.comparable() == friday

    def test_may_be_one_without_a_session_when_an_account_begins(self, open_account):
        client = open_account((2026, 10, 10))  # Saturday
        assert refusal(client.place) == MARKET_CLOSED
        client.wait(2 * DAY_S)
        client.tick(1500.0)

        assert client.status(client.place()) == "TRADED"

    @pytest.mark.parametrize("side", ["BUY", "SELL"])
    def test_has_an_average_of_what_was_carried_and_traded(self, client, side):
        client.tick(25_000.0, FUTURE)
        client.place(side, quantity=130, product="MARGIN", instrument=FUTURE)
        client.wait(DAY_S)
        client.tick(25_300.0, FUTURE)
        client.place(side, quantity=65, product="MARGIN", instrument=FUTURE)

        (position,) = client.account.positions()
        averages = {"BUY": position.buy_average, "SELL": position.sell_average}
        quantities = {"BUY": position.buy_quantity, "SELL": position.sell_quantity}
        assert averages == {"BUY": 0.0, "SELL": 0.0} | {side: 25_100.0}
        assert quantities == {"BUY": 0, "SELL": 0} | {side: 195}

    def test_carries_derivatives_over(self, client):
        client.tick(25_000.0, FUTURE)
        client.place(quantity=65, product="MARGIN", instrument=FUTURE)
        client.wait(DAY_S)

        (position,) = client.account.positions()
        assert (position.net_quantity, position.carried_buy_quantity, position.day_buy_quantity) == (65, 65, 0)
        assert position.cost_price == 25_000.0

    def test_of_derivatives_is_ten_minutes_longer_since_august_2026(self, client):
        client.tick(1500.0)
        client.tick(25_000.0, FUTURE)
        share = client.place(price=1400.0, product="CNC")
        order = {"price": 24_000.0, "product": "MARGIN", "instrument": FUTURE, "quantity": 65}
        future = client.place(**order)
        before_it_ends = client.account.now_ns + (5 * 60 + 35) * 60 * 10**9

        client.wait_until(before_it_ends)

        assert (client.status(share), client.status(future)) == ("EXPIRED", "PENDING")
        assert client.status(client.place(**order)) == "PENDING"
        client.wait(5 * 60)
        assert client.status(future) == "EXPIRED"

    def test_on_which_a_contract_ends_has_nothing_to_settle_of_what_was_closed(self, client):
        client.tick(120.0, OPTION)
        for side in ("BUY", "SELL"):
            client.place(side, product="MARGIN", instrument=OPTION, quantity=65)
        client.wait_until(at("18:00", day=27))

        assert {each.source for each in client.changes if isinstance(each, AccountOrder)} == {""}

    def test_squares_nothing_off_that_was_closed(self, client):
        client.tick(1500.0)
        for side in ("BUY", "SELL"):
            client.place(side)
        client.wait_until(at("15:25"))
        client.ask("exit_all")

        assert {each.source for each in client.changes if isinstance(each, AccountOrder)} == {""}

    def test_on_which_a_contract_ends_settles_it_at_its_last_price(self, client):
        client.tick(120.0, OPTION)
        client.place(product="MARGIN", instrument=OPTION, quantity=65)
        client.tick(90.0, OPTION)

        client.wait_until(client.account.now_ns + 21 * DAY_S * 10**9)  # 28 October, the day after

        assert client.account.positions() == ()
        last = [each for each in client.changes if isinstance(each, AccountTrade)][-1]
        assert (last.side, last.quantity, last.price) == ("SELL", 65, 90.0)

    def test_on_which_a_contract_ends_shows_no_order_and_no_trade_of_that(self, client):
        client.tick(120.0, OPTION)
        bought = client.place(product="MARGIN", instrument=OPTION, quantity=65)
        client.wait_until(at("18:00", day=27))

        sold = [each for each in client.changes if isinstance(each, AccountTrade)][-1]
        assert (sold.side, [each.net_quantity for each in client.account.positions()]) == ("SELL", [0])
        assert (client.account.orders(), client.account.trades()) == ((), ())
        assert (client.account.order(sold.order_id), client.account.trades(sold.order_id)) == (None, ())
        assert [each.order_id for each in client.account.past_trades(0, 1 << 62)] == [bought]


class TestAnInstrumentThatIsNotListed:
    """As after a restart, before the market has shown it again."""

    def a_process_without(self, client, symbol):
        """Let the account go on without one of its instruments; return what brings it back."""
        listings = Listings(each for each in client.listings if each.symbol != symbol)
        other = Account(client.settings, listings, now_ns=client.account.now_ns)
        other.resume(client.changes)
        client.account = other
        return lambda: listings.add(next(each for each in client.listings if each.symbol == symbol))

    def test_lets_its_orders_wait_in_transit_until_it_is_listed(self, client):
        client.tick(1500.0)
        order_id = client.place(price=1490.0, wait=False)
        list_again = self.a_process_without(client, "INFY")
        client.wait(3)
        client.tick(1500.0)
        assert client.status(order_id) == "TRANSIT"

        list_again()
        client.tick(1500.0)
        client.wait(2)

        assert client.status(order_id) == "PENDING"

    @pytest.mark.parametrize("amo_time", ["OPEN", "PRE_OPEN"])
    def test_lets_its_after_market_orders_wait_as_well(self, client, amo_time):
        client.tick(1500.0)
        client.wait_until(at("18:00"))
        order_id = client.place(price=1490.0, product="CNC", amo_time=amo_time)
        list_again = self.a_process_without(client, "INFY")
        client.wait_until(at("09:16", day=8))
        assert client.order(order_id).arrival == 0

        list_again()
        client.tick(1500.0)
        client.wait(2)
        assert (client.status(order_id), client.order(order_id).arrival) == ("PENDING", 1)

    def test_has_its_orders_rejected_where_it_is_listed_on_a_day_without_a_session(self, open_account):
        client = open_account(day=(2026, 10, 9))
        client.tick(1500.0)
        order_id = client.place(price=1490.0, wait=False)
        list_again = self.a_process_without(client, "INFY")
        client.wait_until(at("12:00", day=10))  # Saturday
        list_again()
        client.tick(1500.0)
        client.wait(2)

        assert (client.status(order_id), MARKET_CLOSED in client.order(order_id).reason) == ("REJECTED", True)

    def test_lets_its_days_pass_and_its_positions_stay(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        resting, parked = client.place(price=1400.0, product="CNC"), client.place(quantity=1, product="CNC")
        client.account.order(parked)
        self.a_process_without(client, "INFY")

        client.wait(8 * 3600)

        assert client.status(resting) == "EXPIRED"
        assert {position.product for position in client.account.positions()} == {"INTRADAY", "CNC"}
        client.wait(DAY_S)
        client.ask("exit_all")
        assert [position.net_quantity for position in client.account.positions()] == [10]


def in_a_new_process(client, now_ns):
    """The same account in another process, which has shown no price yet."""
    client.account = Account(client.settings, Listings(client.listings), now_ns=now_ns)
    client.account.resume(client.changes)
    client.wait_until(now_ns)


def held(client):
    return {row.product: row.net_quantity for row in client.account.positions() if row.net_quantity}


class TestAPositionAboveTheFreezeQuantity:
    """Of a contract whose freeze quantity is no whole number of lots."""

    @pytest.mark.parametrize("way", ["exit all", "square-off"])
    def test_is_closed_in_whole_lots(self, open_account, way):
        client = open_account(opening_balance_rupees=1e9)
        client.tick(100.0, OPTION)
        ticket = Ticket(side="BUY", quantity=65 * 40, instrument=OPTION, product="INTRADAY", order_type="MARKET")
        client.ask("place_sliced", ticket)
        client.wait()
        assert held(client) == {"INTRADAY": 2_600}
        if way == "exit all":
            client.ask("exit_all")
        else:
            client.wait_until(at("15:20"))
        client.wait()
        client.tick(100.0, OPTION)

        assert held(client) == {}


class TestAContractThatExpiredWhileNobodyShowedItsPrice:
    """It is settled so that nobody gains by that: the market may have gone anywhere."""

    @pytest.fixture
    def settled(self, open_account):
        def settled(side, instrument, **settings):
            client = open_account((2026, 10, 26), opening_balance_rupees=1e9, **settings)
            client.tick(120.0, instrument)
            client.place(side, quantity=65, product="MARGIN", instrument=instrument)
            in_a_new_process(client, at("10:00", day=28))
            return client

        return settled

    @pytest.mark.parametrize(
        ("side", "instrument", "price"),
        [("BUY", OPTION, 0.0), ("SELL", OPTION, 120.0), ("BUY", FUTURE, 120.0), ("SELL", FUTURE, 120.0)],
        ids=["an option held", "an option written", "a future bought", "a future sold"],
    )
    @pytest.mark.parametrize("always_open", [False, True])
    def test_is_settled_so_that_nobody_gains_by_that(self, settled, side, instrument, price, always_open):
        client = settled(side, instrument, always_open=always_open)

        assert held(client) == {}
        (trade,) = [each for each in client.changes if isinstance(each, AccountTrade) and each.side != side]
        assert (trade.quantity, trade.price) == (65, price)

    @pytest.mark.parametrize(("day", "holds"), [(27, {"MARGIN": 65}), (28, {})])
    def test_is_settled_though_no_list_has_it_any_more(self, open_account, day, holds):
        client = open_account((2026, 10, 26), opening_balance_rupees=1e9)
        option, _ = client.list_option_and_index()
        client.tick(120.0, option)
        client.place(quantity=65, product="MARGIN", instrument=option)
        in_a_new_process(client, at("10:00", day=day))

        assert held(client) == holds

    def test_is_settled_and_not_squared_off_where_it_is_listed_again_only_afterwards(self, open_account):
        client = open_account((2026, 10, 27), opening_balance_rupees=1e9)
        option, _ = client.list_option_and_index()
        client.tick(120.0, option)
        client.place(quantity=65, instrument=option)
        in_a_new_process(client, at("18:00", day=27))
        assert held(client) == {"INTRADAY": 65}
        definition = InstrumentDefinition(
            symbol="NIFTY-27Oct2026-26000-CE",
            segment=option[0],
            security_id=option[1],
            instrument_type="OPTIDX",
            tick_size_rupees=0.05,
            lot_size=65,
            expiry=date(2026, 10, 27),
            strike_rupees=26_000.0,
            option_type="CE",
        )
        client.ask("list_instruments", definition)
        client.wait_until(at("10:00", day=28))

        (order,) = [each for each in client.changes if isinstance(each, AccountOrder) and each.status == "TRADED"][1:]
        assert (order.source, order.average_price) == ("EXPIRY", 0.0)


class TestAnAccountThatWasDown:
    def test_over_the_square_off_has_closed_its_intraday_positions_at_the_last_price_it_knows(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        in_a_new_process(client, at("09:30", day=8))

        assert held(client) == {}
        (trade,) = [each for each in client.changes if isinstance(each, AccountTrade) and each.side == "SELL"]
        assert (trade.quantity, trade.price) == (10, 1500.0)

    def test_lets_an_order_expire_that_had_not_reached_the_exchange_on_its_day(self, client):
        client.tick(1500.0)
        order_id = client.place(price=1490.0, product="CNC", wait=False)
        in_a_new_process(client, at("10:00", day=8))
        client.tick(1480.0)
        client.wait(2)

        expired = [each for each in client.changes if isinstance(each, AccountOrder) and each.order_id == order_id][-1]
        assert (expired.status, expired.filled_quantity) == ("EXPIRED", 0)

    def test_lets_an_after_market_order_expire_whose_day_has_passed(self, client):
        client.tick(1500.0)
        client.wait_until(at("18:00"))
        order_id = client.place(price=1490.0, product="CNC", amo_time="OPEN")
        in_a_new_process(client, at("10:00", day=9))
        client.tick(1480.0)
        client.wait(2)

        expired = [each for each in client.changes if isinstance(each, AccountOrder) and each.order_id == order_id][-1]
        assert (expired.status, expired.filled_quantity) == ("EXPIRED", 0)

    def test_over_a_close_has_let_its_orders_expire_then(self, client):
        client.tick(1500.0)
        resting = client.place(price=1400.0, product="CNC")
        in_a_new_process(client, at("16:00"))

        assert (client.status(resting), client.order(resting).updated_ns) == ("EXPIRED", at("15:30"))

    def test_lets_a_stop_that_was_triggered_rest_at_its_limit(self, client):
        client.tick(1500.0)
        order_id = client.place("SELL", price=1480.0, order_type="STOP_LOSS", trigger_price=1490.0)
        client.tick(1470.0)
        in_a_new_process(client, client.account.now_ns)
        client.tick(1480.1)
        client.tick(1480.1)

        assert (client.status(order_id), client.order(order_id).average_price) == ("TRADED", 1480.0)

    def test_lets_what_was_in_transit_wait_for_the_first_price(self, client):
        client.tick(1500.0)
        ticket = Ticket(side="BUY", quantity=10, instrument=INFY, product="INTRADAY", order_type="MARKET")
        placed = client.ask("place", ticket)
        in_a_new_process(client, client.account.now_ns + 600 * SECOND_NS)
        client.wait(5)
        assert client.account.orders()[0].status == "TRANSIT"
        client.tick(1501.0)
        client.wait(2)

        assert [row.status for row in client.account.orders()] == ["TRADED"], placed
        assert held(client) == {"INTRADAY": 10}

    def test_lets_an_after_market_order_wait_for_the_first_price_of_the_morning(self, client):
        client.tick(1500.0)
        client.wait_until(at("18:00"))
        ticket = Ticket(side="BUY", quantity=5, instrument=INFY, product="CNC", order_type="MARKET", amo_time="OPEN")
        client.ask("place", ticket)
        client.wait()
        in_a_new_process(client, at("09:14", day=8))
        client.wait_until(at("09:15", day=8))
        client.wait(3)
        client.tick(1490.0)
        client.wait(2)

        assert [row.status for row in client.account.orders()] == ["TRADED"]

    def test_rejects_what_no_price_comes_for(self, client):
        client.tick(1500.0)
        ticket = Ticket(side="BUY", quantity=10, instrument=INFY, product="INTRADAY", order_type="MARKET")
        client.ask("place", ticket)
        in_a_new_process(client, client.account.now_ns)
        client.wait(62)

        (row,) = client.account.orders()
        assert (row.status, "No quote" in row.reason) == ("REJECTED", True)

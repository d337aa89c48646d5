"""Margin, funds and the verbs of the whole account: each amount by hand, and each bound on both of its sides."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from natya.actors.exchange.account import (
    Conversion,
    MarginTicket,
    MarginTogether,
    Modification,
    PnlExit,
    Refused,
    SuperTicket,
)
from natya.domain.charges import charges
from natya.domain.time import IST, SECOND_NS
from natya.messages.exchange import SwitchesSet
from natya.messages.instruments import InstrumentDefinition

INFY, OPTION, FUTURE = ("NSE_EQ", "1594"), ("NSE_FNO", "51234"), ("NSE_FNO", "51235")


def asked(instrument=INFY, side="BUY", product="INTRADAY", quantity=65, price=0.0):
    return MarginTicket(instrument=instrument, side=side, product=product, quantity=quantity, price=price)


def refusal(call, *arguments):
    with pytest.raises(Refused) as caught:
        call(*arguments)
    return caught.value.text


def at(clock, day=7):
    hour, minute = map(int, clock.split(":"))
    return int(datetime(2026, 10, day, hour, minute, tzinfo=IST).timestamp()) * SECOND_NS


class TestTheMarginOfAnOrder:
    @pytest.mark.parametrize(
        ("ticket", "parts"),
        [
            (asked(FUTURE, product="MARGIN", price=25_000.0), "243750.00 195000.00 48750.00 0.00"),
            (asked(FUTURE, "SELL", "MARGIN", price=25_000.0), "243750.00 195000.00 48750.00 0.00"),
            (asked(OPTION, "SELL", "MARGIN", price=120.0), "243750.00 0.00 0.00 243750.00"),
            (asked(OPTION, product="MARGIN", price=120.0), "7800.00 0.00 0.00 7800.00"),
            (asked(price=1500.0), "19500.00 0.00 0.00 19500.00"),
            (asked(product="MTF", price=1500.0), "97500.00 0.00 0.00 97500.00"),
            (asked(side="SELL", product="CNC", price=1500.0), "0.00 0.00 0.00 0.00"),
        ],
        ids=str,
    )
    def test_is_of_span_and_exposure_for_what_is_less_than_its_value(self, client, ticket, parts):
        (margin,) = client.account.margin_of(ticket)

        names = ("total_rupees", "span_rupees", "exposure_rupees", "variable_rupees")
        assert [getattr(margin, name) for name in names] == [*map(Decimal, parts.split())]

    @pytest.mark.parametrize(
        ("side", "price", "at_rupees"),
        [("BUY", 1450.0, 1450), ("SELL", 1600.0, 1600), ("SELL", 1450.0, 1500)],  # one that sells may trade above
        ids=str,
    )
    def test_that_waits_is_at_its_limit_or_at_the_last_price_above_it(self, client, side, price, at_rupees):
        client.tick(1500.0, bids=[(1440.0, 5)], asks=[(1460.0, 5)])
        order = client.order(client.place(side, price=price))

        assert (order.status, order.blocked_rupees) == ("PENDING", 10 * at_rupees / 5)

    def test_of_nothing_has_no_leverage(self, client):
        assert client.account.margin_of(asked(side="SELL", product="CNC", price=1500.0))[0].leverage == 1.0

    def test_is_at_the_last_price_where_none_is_named(self, client):
        client.tick(1400.0)

        (margin,) = client.account.margin_of(asked())
        assert margin == client.account.margin_of(asked(price=1400.0))[0]

    def test_of_an_option_whose_strike_is_not_known_is_by_its_price(self, client):
        definition = InstrumentDefinition(
            symbol="NIFTY CE", segment="NSE_FNO", tick_size_rupees=0.05, lot_size=65, security_id="7",
            instrument_type="OPTIDX", expiry=date(2026, 10, 27), option_type="CALL",
        )  # fmt: skip
        client.ask("list_instruments", definition)
        known, unknown = (
            client.account.margin_of(asked(each, "SELL", "MARGIN", 65, 100.0))[0].total_rupees
            for each in (OPTION, ("NSE_FNO", "7"))
        )

        assert (known / 250, unknown > 0) == (unknown, True)

    def test_without_any_price_is_nothing(self, client):
        (margin,) = client.account.margin_of(asked())

        assert (margin.total_rupees, margin.brokerage_rupees, margin.leverage) == (0, 0, 1.0)

    def test_has_the_brokerage_of_its_product(self, client):
        for ticket, product in (
            (asked(price=15.0), "INTRADAY"),
            (asked(OPTION, product="MARGIN", price=0.1), "OPTION"),
        ):
            (margin,) = client.account.margin_of(ticket)

            wanted = charges(product, "BUY", 65, ticket.price, date(2026, 10, 7)).brokerage
            assert margin.brokerage_rupees == wanted > 0

    def test_that_is_changed_is_of_what_it_holds_and_of_what_is_there(self, open_account):
        client = open_account(opening_balance_rupees=20_000.0)
        client.tick(1550.0)
        order_id = client.place(quantity=65, price=1450.0)  # holds 18,850 rupees
        most, too_much = (
            Modification(order_id=order_id, order_type="LIMIT", quantity=65, limit_price=price)
            for price in (1538.4, 1538.5)
        )

        assert "20000.50 rupees needed, found 20000.00" in refusal(client.ask, "modify", too_much)
        client.ask("modify", most)
        assert client.order(order_id).limit_price == 1538.4

    def test_says_what_is_there_and_what_is_lacking(self, open_account):
        client = open_account(opening_balance_rupees=20_000.0)
        enough, too_much = client.account.margin_of(asked(price=1500.0), asked(price=1600.0))

        assert (enough.available_rupees, enough.insufficient_rupees) == (20_000, 0)
        assert (too_much.available_rupees, too_much.insufficient_rupees) == (20_000, 800)

    @pytest.mark.parametrize(
        ("ticket", "field"), [(asked(quantity=0), "quantity"), (asked(("NSE_EQ", "7")), "securityId")], ids=str
    )
    def test_of_what_cannot_be_is_refused(self, client, ticket, field):
        assert refusal(client.account.margin_of, ticket).startswith(field)

    @pytest.mark.parametrize(
        ("including", "held"),
        [({}, 0), ({"with_positions": True}, 3_000), ({"with_orders": True}, 1_400), (None, 4_400)],
        ids=["alone", "positions", "orders", "both"],
    )
    def test_of_several_is_their_sum_and_what_is_held_besides(self, client, including, held):
        client.tick(1500.0)
        client.place(quantity=10)
        client.place(quantity=5, price=1400.0)
        tickets = (asked(FUTURE, product="MARGIN", price=25_000.0), asked(price=1500.0, quantity=10))
        parts = client.account.margin_of(*tickets)
        including = {"with_positions": True, "with_orders": True} if including is None else including

        together = client.account.margin_together(MarginTogether(tickets=tickets, **including))

        assert together.total_rupees == 243_750 + 3_000 + held
        names = ("span_rupees", "exposure_rupees", "variable_rupees", "brokerage_rupees")
        assert [getattr(together, name) for name in names] == [
            sum(getattr(each, name) for each in parts) for name in names
        ]
        assert together.available_rupees == client.account.funds().available_rupees
        assert together.insufficient_rupees == 0

    def test_of_several_that_is_not_there_is_lacking(self, open_account):
        client = open_account(opening_balance_rupees=20_000.0)
        together = client.account.margin_together(MarginTogether(tickets=(asked(price=1500.0),) * 2))

        assert (together.available_rupees, together.insufficient_rupees) == (20_000, 19_000)


class TestTheMarginOfAPosition:
    @pytest.mark.parametrize(
        ("order", "price", "used"),
        [
            ((INFY, "BUY", "INTRADAY"), 1500.0, 300),
            ((INFY, "SELL", "INTRADAY"), 1500.0, 300),
            ((INFY, "BUY", "CNC"), 1500.0, 1500),
            ((FUTURE, "BUY", "MARGIN"), 25_000.0, 3_750),
            ((FUTURE, "SELL", "MARGIN"), 25_000.0, 3_750),
            ((OPTION, "BUY", "MARGIN"), 120.0, 120),
            ((OPTION, "SELL", "MARGIN"), 120.0, 3_750),
        ],
        ids=str,
    )
    def test_is_that_of_its_order(self, client, order, price, used):
        instrument, side, product = order
        client.tick(price, instrument)
        client.place(side, 65, instrument=instrument, product=product)

        paid = sum(trade.charges_rupees for trade in client.account.trades())
        assert client.account.funds().utilized_rupees == used * 65 + paid
        assert client.account.margin_of(asked(price=1.0))[0].available_rupees == 1_000_000 - used * 65 - paid
        assert client.replayed().funds() == client.account.funds()

    def test_falls_with_what_is_closed_of_it(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        client.place("SELL", 4)

        paid = sum(trade.charges_rupees for trade in client.account.trades())
        assert client.account.funds().utilized_rupees == 300 * 6 + paid

    def test_and_its_loss_are_its_own_where_another_gains(self, client):
        client.tick(1500.0)
        client.tick(25_000.0, FUTURE)
        client.place(quantity=10)
        client.place("SELL", 65, instrument=FUTURE, product="MARGIN")
        client.tick(1490.0)
        client.tick(24_000.0, FUTURE)
        client.place("SELL", 10)
        client.place("BUY", 65, instrument=FUTURE, product="MARGIN")

        funds, paid = client.account.funds(), sum(trade.charges_rupees for trade in client.account.trades())
        assert (funds.utilized_rupees, funds.receivable_rupees) == (100 + paid, 65_000)
        assert funds.available_rupees == funds.withdrawable_rupees == 1_000_000 - 100 - paid

    def test_of_a_sale_of_what_is_owned_is_money_to_come(self, client):
        client.tick(1500.0)
        client.place(quantity=10, product="CNC")
        client.wait_until(at("10:00", day=9))
        before = client.account.funds()
        client.tick(1600.0)
        client.place("SELL", 4, product="CNC")

        funds, paid = client.account.funds(), sum(trade.charges_rupees for trade in client.account.trades())
        assert (funds.receivable_rupees, funds.utilized_rupees) == (6_400, paid)
        assert funds.available_rupees == before.available_rupees - paid

    @pytest.mark.parametrize(("side", "product"), [("BUY", "CNC"), ("SELL", "INTRADAY"), ("BUY", "INTRADAY")])
    def test_of_what_is_no_sale_of_what_is_owned_is_not_to_come(self, client, side, product):
        client.tick(1500.0)
        client.place(side, product=product)

        assert client.account.funds().receivable_rupees == 0

    def test_of_exits_of_a_super_order_is_none_also_when_other_shares_of_the_position_leave(self, client):
        client.tick(1500.0)
        ticket = SuperTicket(
            instrument=INFY, side="BUY", product="INTRADAY", order_type="MARKET", quantity=10,
            target_price=1510.0, stop_price=1490.0,
        )  # fmt: skip
        client.ask("place_super", ticket)
        client.wait()
        client.wait()
        client.place(quantity=5)
        conversion = Conversion(instrument=INFY, source="INTRADAY", target="CNC", is_long=True, quantity=5)
        client.ask("convert_position", conversion)

        exits = [each for each in client.account.orders() if each.leg in {"TARGET_LEG", "STOP_LOSS_LEG"}]
        assert [(each.status, each.opening_quantity) for each in exits] == [("PENDING", 0)] * 2


class TestTheDepository:
    def test_charges_the_first_sale_of_a_day_also_after_a_purchase(self, client):
        client.tick(1500.0)
        client.place(quantity=10, product="CNC")
        client.wait_until(at("10:00", day=9))
        client.tick(1500.0)
        client.place(quantity=3, product="CNC")
        for _ in range(2):
            client.place("SELL", 3, product="CNC")

        _, first, second = client.account.trades()
        assert first.charges_rupees - second.charges_rupees == Decimal("14.75")

    def test_charges_the_first_sale_of_a_day(self, client):
        client.tick(1500.0)
        client.place(quantity=10, product="CNC")
        client.wait_until(at("10:00", day=9))
        client.tick(1500.0)
        for _ in range(2):
            client.place("SELL", 3, product="CNC")

        first, second = client.account.trades()
        assert first.charges_rupees - second.charges_rupees == Decimal("14.75")


class TestFundsThatAreAdded:
    def test_are_a_voucher_and_can_be_used(self, client):
        client.ask("add_funds", 500.25)

        voucher = client.account.ledger(0, 1 << 62)[-1]
        assert (voucher.amount_rupees, voucher.balance_rupees) == (Decimal("500.25"), Decimal("1000500.25"))
        assert (voucher.description, voucher.occurred_ns) == ("RCPT", client.account.now_ns)
        assert client.account.funds().available_rupees == Decimal("1000500.25")

    @pytest.mark.parametrize("amount", [0.0, -1.0, float("nan")])
    def test_are_above_nothing(self, client, amount):
        assert refusal(client.ask, "add_funds", amount).startswith("amount: one above 0 wanted")


class TestTheExitAtAProfitOrALoss:
    @pytest.mark.parametrize(("price", "exits"), [(1549.9, False), (1550.0, True), (1470.1, False), (1470.0, True)])
    def test_is_at_the_very_threshold(self, client, price, exits):
        client.tick(1500.0)
        client.place(quantity=10)
        client.ask("set_pnl_exit", PnlExit(profit_rupees=500.0, loss_rupees=300.0))
        client.tick(price)
        client.wait()

        assert (client.account.positions()[0].net_quantity == 0) is exits
        assert not client.account.switches().kill_switch

    @pytest.mark.parametrize(("profit", "loss", "price"), [(0.0, 300.0, 9_000.0), (500.0, 0.0, 1.0)])
    def test_is_none_on_the_side_that_has_none(self, client, profit, loss, price):
        client.tick(1500.0)
        client.place(quantity=10)
        client.ask("set_pnl_exit", PnlExit(profit_rupees=profit, loss_rupees=loss))
        client.tick(price)
        client.wait()

        assert client.account.positions()[0].net_quantity == 10

    def test_is_one_of_its_day(self, client):
        client.tick(1500.0)
        client.ask("set_pnl_exit", PnlExit(profit_rupees=500.0, loss_rupees=300.0, products=("INTRADAY",), kills=True))
        client.wait_until(at("10:00", day=8))
        assert client.account.switches() == SwitchesSet()
        client.tick(1500.0)
        client.place(quantity=10)
        client.tick(1400.0)
        client.wait()

        assert client.account.positions()[0].net_quantity == 10

    def test_that_was_taken_away_is_none(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        client.ask("set_pnl_exit", PnlExit(profit_rupees=500.0, loss_rupees=300.0))
        client.ask("cancel_pnl_exit")
        client.tick(1600.0)
        client.wait()

        assert client.account.positions()[0].net_quantity == 10

    @pytest.mark.parametrize(
        ("terms", "text"),
        [
            (
                {"profit_rupees": 0.0, "loss_rupees": 0.0},
                "profitValue: a profit or a loss above 0 wanted, found neither",
            ),
            ({"products": ()}, "productType: INTRADAY or DELIVERY wanted, found none"),
            ({"products": ("INTRADAY", "GOLD")}, "productType: INTRADAY or DELIVERY wanted, found ['GOLD']"),
        ],
        ids=str,
    )
    def test_that_cannot_be_is_refused(self, client, terms, text):
        before = client.account.comparable()

        assert (
            refusal(client.ask, "set_pnl_exit", PnlExit(**{"profit_rupees": 1.0, "loss_rupees": 1.0} | terms)) == text
        )
        assert client.account.comparable() == before

    @pytest.mark.parametrize(("products", "left"), [(("INTRADAY",), {"CNC", "MTF"}), (("DELIVERY",), {"INTRADAY"})])
    def test_is_of_the_products_that_are_named(self, client, products, left):
        client.tick(1500.0)
        for product in ("INTRADAY", "CNC", "MTF"):
            client.place(quantity=10, product=product)
        client.ask("set_pnl_exit", PnlExit(profit_rupees=10.0, loss_rupees=0.0, products=products))
        client.tick(1550.0)
        client.wait()

        assert {each.product for each in client.account.positions() if each.net_quantity} == left


class TestTheKillSwitch:
    def test_needs_positions_that_are_closed(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        assert refusal(client.ask, "set_kill_switch", True).startswith("Kill switch needs no open position")
        client.place("SELL", 10)

        client.ask("set_kill_switch", True)

        assert client.account.switches().kill_switch
        assert client.account.switches().occurred_ns == client.account.now_ns

    def test_may_be_taken_back(self, client):
        client.tick(1500.0)
        client.ask("set_kill_switch", True)
        client.ask("set_kill_switch", False)

        assert client.status(client.place()) == "TRADED"


class TestAConversion:
    @pytest.mark.parametrize(
        ("terms", "text"),
        [
            ({"target": "INTRADAY"}, "toProductType: another product than INTRADAY wanted, found INTRADAY"),
            ({"source": "CNC", "target": "INTRADAY"}, "No long position of CNC to convert"),
            ({"is_long": False}, "No short position of INTRADAY to convert"),
            ({"quantity": 0}, "convertQty: 1 to 10 wanted, found 0"),
            ({"target": "MARGIN"}, "This position cannot become MARGIN"),
        ],
        ids=str,
    )
    def test_that_cannot_be_is_refused(self, client, terms, text):
        client.tick(1500.0)
        client.place(quantity=10)
        fields = {"instrument": INFY, "source": "INTRADAY", "target": "CNC", "is_long": True, "quantity": 4} | terms

        assert refusal(client.ask, "convert_position", Conversion(**fields)) == text

    def test_needs_of_orders_what_they_hold_more_than_before(self, open_account):
        client = open_account(opening_balance_rupees=13_600.0)
        client.tick(1500.0)
        client.place(quantity=10)
        exits = [client.place("SELL", 3, 1600.0) for _ in range(3)]
        fields = {"instrument": INFY, "source": "INTRADAY", "target": "CNC", "is_long": True}
        client.ask("convert_position", Conversion(**fields, quantity=5))
        assert [client.order(each).blocked_rupees for each in exits] == [0, 320, 960]
        assert 3_040 < client.account.funds().available_rupees < 3_680

        client.ask("convert_position", Conversion(**fields, quantity=2))

        assert [client.order(each).blocked_rupees for each in exits] == [0, 960, 960]

    def test_leaves_to_the_exits_of_super_orders_what_is_theirs(self, client):
        client.tick(1500.0)
        exits = {"order_type": "MARKET", "limit_price": 0.0, "target_price": 1520.0, "stop_price": 1480.0}
        ticket = SuperTicket(instrument=INFY, side="BUY", product="INTRADAY", quantity=10, **exits)
        client.ask("place_super", ticket)
        client.place(quantity=5)
        sale = client.place("SELL", 5, 1600.0)
        assert client.order(sale).blocked_rupees == 0
        fields = {"instrument": INFY, "source": "INTRADAY", "target": "CNC", "is_long": True}
        client.ask("convert_position", Conversion(**fields, quantity=5))

        assert client.order(sale).blocked_rupees == 5 * 320

    def test_needs_no_more_than_what_is_there(self, open_account):
        client = open_account(opening_balance_rupees=20_000.0)
        client.tick(1500.0)
        client.place(quantity=20)
        left = client.account.funds().available_rupees
        quantity = int(left // 1200)
        fields = {"instrument": INFY, "source": "INTRADAY", "target": "CNC", "is_long": True}

        assert refusal(client.ask, "convert_position", Conversion(**fields, quantity=quantity + 1)).startswith(
            f"Insufficient funds: {1200 * (quantity + 1)}.00 rupees needed, found {left}"
        )
        client.ask("convert_position", Conversion(**fields, quantity=quantity))

        assert client.account.funds().available_rupees == left - 1200 * quantity


def test_of_two_exits_in_transit_the_later_is_the_one_that_finds_no_funds(open_account):
    client = open_account(opening_balance_rupees=4_000.0)
    client.tick(1500.0)
    client.place(quantity=10)
    stop = client.place("SELL", 10, 1435.0, wait=False, order_type="STOP_LOSS", trigger_price=1450.0)
    target = client.place("SELL", 10, 1550.0, wait=False)
    client.wait()

    assert (client.status(stop), client.status(target)) == ("PENDING", "REJECTED")
    assert "Insufficient funds" in client.order(target).reason
    assert client.replayed().funds() == client.account.funds()


class TestTheChecksOfAnOrder:
    @pytest.mark.parametrize(
        ("fields", "is_taken"),
        [
            ({"price": 1500.0, "disclosed_quantity": 3}, True),
            ({"price": 1500.0, "disclosed_quantity": 10}, True),
            ({"price": 1500.0, "disclosed_quantity": 11}, False),
            ({"price": 1200.0}, True),
            ({"price": 1800.0, "side": "SELL"}, True),
            ({"price": 1800.1, "side": "SELL"}, False),
            ({"price": 1199.9}, False),
            ({"order_type": "STOP_LOSS_MARKET", "trigger_price": 1800.1}, False),
            ({"order_type": "STOP_LOSS_MARKET", "trigger_price": 1510.05}, False),
            ({"price": 1510.0, "order_type": "STOP_LOSS", "trigger_price": 1510.0}, True),
            ({"price": 1490.0, "order_type": "STOP_LOSS", "trigger_price": 1490.0, "side": "SELL"}, True),
            ({"price": 1490.0, "order_type": "STOP_LOSS", "trigger_price": 1489.9, "side": "SELL"}, False),
            ({"product": "MTF", "price": 1500.0}, True),
            ({"product": "MTF", "side": "SELL", "price": 1500.0}, False),
            ({"product": "CNC", "instrument": OPTION, "quantity": 65}, False),
            ({"product": "MARGIN", "instrument": OPTION, "quantity": 65, "price": 0.05}, True),
            ({"product": "MARGIN", "instrument": OPTION, "quantity": 65, "price": 9_000.0, "side": "SELL"}, True),
        ],
        ids=str,
    )
    def test_are_exact_at_their_bounds(self, client, fields, is_taken):
        client.tick(1500.0)
        client.tick(120.0, OPTION)

        assert (client.status(client.place(**fields)) != "REJECTED") is is_taken, client.account.orders()[-1].reason

    @pytest.mark.parametrize(("early_ns", "status"), [(1, "PENDING"), (0, "REJECTED")])
    def test_let_no_intraday_order_in_from_the_square_off_on(self, client, early_ns, status):
        client.tick(1500.0)
        client.wait_until(at("15:20") - SECOND_NS // 2 - early_ns)
        intraday, delivery = (client.place(price=1490.0, product=each, wait=False) for each in ("INTRADAY", "CNC"))

        client.wait(0.5)

        assert (client.status(intraday), client.status(delivery)) == (status, "PENDING")

    def test_let_no_more_be_sold_than_is_held_and_not_for_sale_already(self, client):
        client.tick(1500.0)
        client.place(quantity=10, product="CNC")
        sale = client.place("SELL", 6, 1600.0, product="CNC")
        assert client.status(client.place("SELL", 5, 1600.0, product="CNC")) == "REJECTED"

        assert "4 shares are available, found 5" in client.account.orders()[-1].reason
        assert client.status(client.place("SELL", 4, 1600.0, product="CNC")) == "PENDING"
        assert client.status(sale) == "PENDING"

    def test_let_no_contract_trade_after_its_last_day(self, client):
        client.tick(120.0, OPTION)
        client.wait_until(at("10:00", day=27))
        client.tick(120.0, OPTION)
        option = {"instrument": OPTION, "product": "MARGIN", "quantity": 65}
        assert client.status(client.place(**option)) == "TRADED"

        client.wait_until(at("10:00", day=28))
        client.tick(120.0, OPTION)

        assert "The contract expired on 2026-10-27" in client.order(client.place(**option)).reason

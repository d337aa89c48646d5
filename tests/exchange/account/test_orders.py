"""The life of an order at the broker: what is refused at once, what is rejected later, what trades."""

from datetime import datetime
from types import SimpleNamespace

import msgspec
import pytest

from natya.actors.exchange.account import Modification, Refused, Ticket, requests
from natya.actors.exchange.account.orders import Orders
from natya.domain.time import DAY_NS, IST, SECOND_NS

INFY, TCS, OPTION = ("NSE_EQ", "1594"), ("NSE_EQ", "11536"), ("NSE_FNO", "51234")
CLOSES_NS = int(datetime(2026, 10, 7, 15, 30, tzinfo=IST).timestamp()) * SECOND_NS


def refusal(call, *arguments, **fields):
    with pytest.raises(Refused) as caught:
        call(*arguments, **fields)
    return caught.value.text


KINDS = [each for each in vars(requests).values() if isinstance(each, type) and each.__module__ == requests.__name__]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_nothing_is_asked_for_that_was_left_out(kind):
    left_out = [each.default for each in msgspec.structs.fields(kind) if not each.required]

    assert [each for each in left_out if isinstance(each, int | float) and each] == []


class TestAPlacedOrder:
    def test_is_in_transit_and_then_pending(self, client):
        client.tick(1500.0)
        order_id = client.place(price=1490.0, wait=False)
        assert client.status(order_id) == "TRANSIT"

        client.wait(0.4)
        assert client.status(order_id) == "TRANSIT"
        client.wait(0.2)

        order = client.order(order_id)
        assert (order.status, order.reason, order.exchange_order_id != "") == ("PENDING", "CONFIRMED", True)

    def test_has_an_id_of_digits_with_the_day_in_it(self, client):
        client.tick(1500.0)

        assert [client.place(price=1490.0) for _ in range(2)] == ["41261007000001", "41261007000002"]

    def test_has_its_number_in_the_order_of_arrival(self, client):
        client.tick(1500.0)

        assert [client.order(client.place(price=1490.0)).arrival for _ in range(3)] == [1, 2, 3]

    def test_has_trades_that_are_numbered_one_after_the_other(self, client):
        client.tick(1500.0)
        for _ in range(3):
            client.place()

        assert [trade.trade_id for trade in client.account.trades()] == ["20000001", "20000002", "20000003"]
        assert client.account.statistics().trades == 3

    def test_is_not_found_by_its_correlation_id_while_it_is_in_transit(self, client):
        client.tick(1500.0)
        order_id = client.place(price=1490.0, correlation_id="bot-1", wait=False)
        assert client.account.by_correlation("bot-1") is None

        client.wait()

        assert client.account.by_correlation("bot-1").order_id == order_id

    def test_is_a_second_order_where_its_correlation_id_is_used_again(self, client):
        client.tick(1500.0)
        first, second = (client.place(price=1490.0, correlation_id="bot-1") for _ in range(2))

        assert first != second
        assert client.account.by_correlation("bot-1").order_id == second

    def test_of_a_day_before_is_not_found_by_its_correlation_id(self, client):
        client.tick(1500.0)
        client.place(price=1490.0, correlation_id="bot-1")
        client.wait(24 * 3600)

        assert client.account.by_correlation("bot-1") is None
        assert "bot-1" not in str(client.account.comparable())  # nor is it remembered for ever

    def test_trades_in_parts_at_the_depth_that_is_shown(self, client):
        client.tick(1500.0, bids=[(1499.9, 50)], asks=[(1500.0, 4)])
        order_id = client.place(price=1500.0)

        order = client.order(order_id)
        assert (order.status, order.filled_quantity, order.remaining_quantity) == ("PART_TRADED", 4, 6)
        client.tick(1500.0, bids=[(1499.9, 50)], asks=[(1500.0, 9)])
        assert client.status(order_id) == "TRADED"
        assert [trade.quantity for trade in client.account.trades(order_id)] == [4, 6]

    def test_of_immediate_or_cancel_keeps_what_it_traded_and_loses_the_rest(self, client):
        client.tick(1500.0, bids=[(1499.9, 50)], asks=[(1500.0, 4)])
        order = client.order(client.place(price=1500.0, validity="IOC"))

        assert (order.status, order.filled_quantity, order.remaining_quantity) == ("CANCELLED", 4, 0)

    def test_is_on_its_way_for_as_long_as_that_takes_from_when_it_was_taken(self, open_account):
        client = open_account(order_latency_s=2.0)
        client.tick(1500.0)
        client.wait(10)
        order_id = client.place()
        client.tick(1501.0)
        assert client.status(order_id) == "PENDING"
        client.wait(2)
        client.tick(1502.0)

        assert (client.status(order_id), client.order(order_id).average_price) == ("TRADED", 1502.0)

    def test_expires_at_the_close(self, client):
        client.tick(1500.0)
        order_id = client.place(price=1490.0, product="CNC")

        client.wait(6 * 3600)

        assert client.status(order_id) == "EXPIRED"


class TestAnOrderThatIsRefusedAtOnce:
    @pytest.mark.parametrize(
        ("fields", "text"),
        [
            ({"instrument": ("NSE_EQ", "7")}, "securityId: an instrument of the list wanted, found 7 of NSE_EQ"),
            ({"quantity": 0}, "quantity: at least 1, at most 2147483647 wanted, found 0"),
            ({"order_type": "LIMIT"}, "price: one above 0 for LIMIT wanted, found 0.0"),
            ({"price": 5.0, "order_type": "MARKET"}, "price: 0 for MARKET wanted, found 5.0"),
            ({"order_type": "STOP_LOSS_MARKET"}, "triggerPrice: one above 0 for STOP_LOSS_MARKET wanted, found 0.0"),
            (
                {"correlation_id": "x" * 26},
                f"correlationId: at most 25 letters, digits, spaces, _, - and . wanted, found '{'x' * 26}'",
            ),
        ],
    )
    def test_names_field_wanted_and_found(self, client, fields, text):
        before = client.account.comparable()

        assert refusal(client.place, **fields) == text
        assert client.account.comparable() == before

    def test_is_one_outside_of_the_session(self, client):
        client.wait(6 * 3600)

        assert refusal(client.place) == "Market is Closed! Want to place an offline order?"

    def test_trades_at_night_where_the_market_is_always_open(self, open_account):
        client = open_account(always_open=True)
        client.wait(12 * 3600)
        client.tick(1500.0)

        assert client.status(client.place()) == "TRADED"


class TestAnOrderThatIsRejectedLater:
    @pytest.mark.parametrize(
        ("fields", "text"),
        [
            ({"price": 1490.05}, "EXCH:16283:The order price is not multiple of the tick size."),
            ({"price": 1100.0}, "RMS:{}: Rate not within circuit limits: 1200.00 to 1800.00 wanted, found 1100.00"),
            ({"quantity": 100_000, "price": 1500.0}, "RMS:{}: Insufficient funds: 30000000.00 rupees needed"),
            ({"side": "SELL", "product": "CNC"}, "RMS:{}: Selling more than held: 0 shares are available, found 10"),
            ({"instrument": ("NSE_EQ", "11536")}, "RMS:{}: No quote: the market has shown no price of TCS yet"),
            ({"instrument": OPTION, "quantity": 10}, "RMS:{}: Quantity: a multiple of the lot of 65 shares wanted"),
            ({"instrument": OPTION, "quantity": 1820}, "RMS:{}: Quantity: at most the freeze quantity of 1800"),
            ({"product": "MARGIN"}, "RMS:{}: Product MARGIN is not allowed for this security"),
            ({"disclosed_quantity": 2}, "RMS:{}: Disclosed quantity: 30 to 100 percent"),
            (
                {"price": 1500.0, "order_type": "STOP_LOSS", "trigger_price": 1510.0},
                "RMS:{}: Trigger Price should be less than Price",
            ),
        ],
    )
    def test_says_why_in_the_words_of_the_oms(self, client, fields, text):
        client.tick(1500.0)
        client.tick(120.0, OPTION)
        order_id = client.place(**fields)

        order = client.order(order_id)
        assert order.status == "REJECTED"
        assert order.reason.startswith(text.format(order_id))


class TestSharesForDeliveryThatTwoOrdersAreToSell:
    def test_are_the_firsts_also_where_the_second_comes_before_the_first_is_judged(self, client):
        client.tick(1500.0)
        client.place(product="CNC")
        stop = {"price": 1470.0, "order_type": "STOP_LOSS", "trigger_price": 1480.0}
        first = client.place("SELL", product="CNC", wait=False, **stop)
        second = client.place("SELL", product="CNC", price=1520.0)

        assert (client.status(first), client.status(second)) == ("PENDING", "REJECTED")
        wanted = f"RMS:{second}: Selling more than held: 0 shares are available, found 10"
        assert client.order(second).reason == wanted

    def test_are_not_those_of_another_share_that_is_for_sale_as_well(self, client):
        for instrument in (INFY, TCS):
            client.tick(1500.0, instrument)
        client.place(product="CNC", instrument=TCS)
        order_id = client.place("SELL", product="CNC", wait=False)
        client.place("SELL", product="CNC", instrument=TCS)

        assert client.status(order_id) == "REJECTED"

    @pytest.mark.parametrize(("later", "quantity", "status"), [(10, 5, "REJECTED"), (5, 5, "PENDING")])
    def test_are_not_the_firsts_where_the_second_is_at_the_exchange_before_it(self, client, later, quantity, status):
        client.tick(1500.0)
        client.place(product="CNC")
        client.wait_until(CLOSES_NS + 3600 * SECOND_NS)
        first = client.place("SELL", quantity, 1510.0, product="CNC", amo_time="OPEN_60")
        second = client.place("SELL", 5, 1510.0, product="CNC", amo_time="OPEN")
        client.wait_until(CLOSES_NS + DAY_NS - 6 * 3600 * SECOND_NS)
        client.tick(1500.0)
        client.ask("modify", Modification(order_id=first, order_type="LIMIT", quantity=later, limit_price=1510.0))
        client.wait(3600)

        assert (client.status(second), client.status(first)) == ("PENDING", status)

    def test_may_be_taken_by_one_at_the_exchange_from_one_that_is_not(self, client):
        client.tick(1500.0)
        client.place(product="CNC")
        client.wait_until(CLOSES_NS + 3600 * SECOND_NS)
        client.place("SELL", 5, 1510.0, product="CNC", amo_time="OPEN_60")
        second = client.place("SELL", 5, 1510.0, product="CNC", amo_time="OPEN")
        client.wait_until(CLOSES_NS + DAY_NS - 6 * 3600 * SECOND_NS)
        client.tick(1500.0)
        client.ask("modify", Modification(order_id=second, order_type="LIMIT", quantity=10, limit_price=1510.0))

        assert client.order(second).quantity == 10

    def test_are_enough_for_both_where_there_are_as_many(self, client):
        client.tick(1500.0)
        client.place(product="CNC", quantity=20)
        orders = [client.place("SELL", product="CNC", price=price, wait=False) for price in (1510.0, 1520.0)]
        client.wait()

        assert [client.status(each) for each in orders] == ["PENDING", "PENDING"]


class TestTheCircuitLimits:
    def test_are_those_of_the_previous_close_where_the_market_tells_it(self, client):
        client.tick(1500.0, close=2000.0)

        assert client.status(client.place(price=1600.0)) != "REJECTED"
        assert "1600.00 to 2400.00 wanted" in client.order(client.place(price=1599.9)).reason


class TestAMarketOrderUnderProtection:
    @pytest.mark.parametrize(("side", "limit_price"), [("BUY", 1515.0), ("SELL", 1485.0)])
    def test_is_shown_as_a_limit_order_so_far_from_the_last_price(self, open_account, side, limit_price):
        client = open_account(market_protection_percent=1.0)
        client.tick(1500.0, bids=[], asks=[])
        order = client.order(client.place(side))

        assert (order.status, order.order_type, order.limit_price) == ("PENDING", "LIMIT", limit_price)


class TestAStopOrder:
    def test_waits_for_its_trigger_and_then_for_its_limit(self, client):
        client.tick(1500.0)
        order_id = client.place("SELL", price=1480.0, order_type="STOP_LOSS", trigger_price=1490.0)
        client.tick(1490.1)
        assert client.status(order_id) == "PENDING"

        client.tick(1470.0)
        assert (client.status(order_id), client.order(order_id).is_triggered) == ("PENDING", True)
        client.tick(1480.1)

        assert client.status(order_id) == "TRADED"
        assert client.order(order_id).average_price == 1480.0

    @pytest.mark.parametrize(("side", "price"), [("BUY", 1510.0), ("SELL", 1490.0)])
    def test_is_triggered_at_its_very_trigger(self, client, side, price):
        client.tick(1500.0)
        order_id = client.place(side, order_type="STOP_LOSS_MARKET", trigger_price=price)

        client.tick(price)

        assert client.status(order_id) == "TRADED"

    def test_of_the_market_pays_what_the_market_gives_after_a_gap(self, client):
        client.tick(1500.0)
        order_id = client.place("SELL", order_type="STOP_LOSS_MARKET", trigger_price=1490.0)

        client.tick(1450.0)

        assert client.order(order_id).average_price == 1450.0


class TestWhatBecomesOfAnOrder:
    def test_is_told_with_the_time_at_which_it_happened(self, client):
        client.tick(1500.0)
        order_id = client.place("SELL", price=1480.0, order_type="STOP_LOSS", trigger_price=1490.0)
        times_ns = [client.order(order_id).updated_ns]

        def happens(do, **wanted):
            client.wait(5)
            do()
            order = client.order(order_id)
            assert {name: getattr(order, name) for name in wanted} == wanted
            assert order.updated_ns == client.account.now_ns
            times_ns.append(order.updated_ns)

        happens(lambda: client.tick(1470.0), is_triggered=True, status="PENDING")
        happens(lambda: client.tick(1470.0, bids=[(1480.0, 4)]), filled_quantity=4, status="PART_TRADED")
        change = Modification(order_id=order_id, order_type="LIMIT", quantity=9, limit_price=1485.0)
        happens(lambda: client.ask("modify", change), limit_price=1485.0, quantity=9, status="PART_TRADED")
        happens(lambda: client.ask("cancel", order_id), filled_quantity=4, status="CANCELLED")
        client.wait(5)

        assert client.order(order_id).updated_ns == times_ns[-1]
        assert times_ns == sorted(set(times_ns))


class TestAnOrderThatIsModified:
    def test_trades_at_its_new_price(self, client):
        client.tick(1500.0)
        order_id = client.place(price=1490.0)

        client.ask("modify", Modification(order_id=order_id, order_type="LIMIT", quantity=20, limit_price=1500.0))

        order = client.order(order_id)
        assert (order.status, order.filled_quantity, order.modifications) == ("TRADED", 20, 1)

    def test_may_not_have_less_than_it_traded(self, client):
        client.tick(1500.0, bids=[(1499.9, 50)], asks=[(1500.0, 4)])
        order_id = client.place(price=1500.0)
        change = Modification(order_id=order_id, order_type="LIMIT", quantity=4, limit_price=1500.0)

        assert refusal(client.ask, "modify", change) == "quantity: more than the 4 that are traded wanted, found 4"

    @pytest.mark.parametrize(
        ("change", "text"),
        [
            ({"limit_price": 1490.05}, "EXCH:16283"),
            ({"limit_price": 100.0}, "Rate not within circuit limits"),
            ({"quantity": 1_000_000}, "Insufficient"),
        ],
    )
    def test_to_what_would_be_rejected_stays_as_it_was(self, client, change, text):
        client.tick(1500.0)
        order_id = client.place(price=1490.0)
        before = client.account.comparable()
        fields = {"order_id": order_id, "order_type": "LIMIT", "quantity": 10, "limit_price": 1490.0} | change

        assert text in refusal(client.ask, "modify", Modification(**fields))

        assert client.account.comparable() == before

    def test_may_be_changed_25_times(self, client):
        client.tick(1500.0)
        order_id = client.place(price=1490.0)
        change = Modification(order_id=order_id, order_type="LIMIT", quantity=10, limit_price=1491.0)
        for _ in range(25):
            client.ask("modify", change)

        assert refusal(client.ask, "modify", change) == "Maximum of 25 modifications of an order exceeded"

    def test_at_the_exchange_may_be_one_for_the_market(self, client):
        client.tick(1500.0)
        order_id = client.place(price=1490.0)
        client.ask("modify", Modification(order_id=order_id, order_type="MARKET", quantity=10))

        assert (client.status(order_id), client.order(order_id).average_price) == ("TRADED", 1500.0)

    @pytest.mark.parametrize(
        ("shown", "terms", "is_triggered", "next_price", "status"),
        [
            (1495.0, {"order_type": "STOP_LOSS_MARKET", "trigger_price": 1480.0}, False, 1485.0, "PENDING"),
            (1495.0, {"order_type": "STOP_LOSS_MARKET", "trigger_price": 1480.0}, False, 1480.0, "TRADED"),
            (
                1470.0,
                {"order_type": "STOP_LOSS", "trigger_price": 1490.0, "limit_price": 1475.0},
                True,
                1470.0,
                "PENDING",
            ),
            (1470.0, {"order_type": "LIMIT", "limit_price": 1475.0}, False, 1470.0, "PENDING"),
            (
                1495.0,
                {"order_type": "STOP_LOSS", "trigger_price": 1485.0, "limit_price": 1475.0},
                False,
                1490.0,
                "PENDING",
            ),
        ],
    )
    def test_keeps_what_became_of_its_trigger_as_long_as_it_has_one(  # noqa: PLR0913, PLR0917  a table
        self, client, shown, terms, is_triggered, next_price, status
    ):
        client.tick(1500.0)
        order_id = client.place("SELL", price=1480.0, order_type="STOP_LOSS", trigger_price=1490.0)
        client.tick(shown)
        client.ask("modify", Modification(order_id=order_id, quantity=10, **terms))
        found = client.order(order_id).is_triggered
        client.tick(next_price)

        assert (found, client.status(order_id)) == (is_triggered, status)

    def test_in_transit_is_changed_also_when_its_market_has_just_closed(self, client):
        client.tick(1500.0)
        client.wait_until(CLOSES_NS - SECOND_NS // 10)
        order_id = client.place(price=1490.0, product="CNC", wait=False)
        client.wait_until(CLOSES_NS)
        client.ask("modify", Modification(order_id=order_id, order_type="LIMIT", quantity=20, limit_price=1500.0))

        assert (client.status(order_id), client.order(order_id).quantity) == ("TRANSIT", 20)
        client.wait()
        assert (client.status(order_id), client.order(order_id).reason[:4]) == ("REJECTED", "RMS:")

    def test_while_in_transit_arrives_as_it_was_changed(self, client):
        client.tick(1500.0)
        order_id = client.place(price=1490.0, wait=False)
        client.ask("modify", Modification(order_id=order_id, order_type="LIMIT", quantity=10, limit_price=1500.0))

        client.wait()

        assert client.order(order_id).average_price == 1500.0


class TestAnOrderThatIsCancelled:
    def test_gives_its_margin_back(self, client):
        client.tick(1500.0)
        before = client.account.funds()
        order_id = client.place(price=1490.0)
        assert client.account.funds().available_rupees < before.available_rupees

        assert client.ask("cancel", order_id).status == "CANCELLED"

        assert client.account.funds() == before
        client.tick(1400.0)
        assert client.account.trades() == ()

    def test_in_transit_is_refused(self, client):
        client.tick(1500.0)
        order_id = client.place(price=1490.0, wait=False)

        assert refusal(client.ask, "cancel", order_id) == "Order is in Transit state"

    def test_of_which_nobody_knows_is_refused(self, client):
        unknown, wanted = "41261007000009", "orderId: an order of the day wanted, found "
        change = Modification(order_id=unknown, order_type="LIMIT", quantity=1, limit_price=1490.0)

        assert refusal(client.ask, "cancel", unknown).startswith(wanted)
        assert refusal(client.ask, "modify", change).startswith(wanted)

    def test_twice_is_refused(self, client):
        client.tick(1500.0)
        order_id = client.place(price=1490.0)
        client.ask("cancel", order_id)

        assert refusal(client.ask, "cancel", order_id) == "Order is already CANCELLED"


class TestAnAfterMarketOrder:
    def test_waits_for_the_opening_and_may_be_cancelled_but_not_modified_before(self, client):
        client.tick(1500.0)
        client.wait(6 * 3600)
        first, second = (client.place(price=1490.0, amo_time="OPEN") for _ in range(2))
        assert client.status(first) == "PENDING"
        taken = client.order(second)
        assert taken.exchange_ns == taken.updated_ns == taken.created_ns + SECOND_NS // 2
        change = Modification(order_id=first, order_type="LIMIT", quantity=20, limit_price=1500.0)
        assert refusal(client.ask, "modify", change) == "Market is Closed! You cannot modify/cancel an order now."
        client.ask("cancel", second)

        assert client.account.next_ns > client.account.now_ns
        while client.account.next_ns <= client.account.now_ns + 24 * 3600 * 10**9 and not client.order(first).arrival:
            client.wait_until(client.account.next_ns)

        assert client.account.now_ns % (86_400 * 10**9) == (9 * 60 + 15 - 330) * 60 * 10**9
        client.tick(1480.0)
        assert client.status(first) == "TRADED"
        assert client.order(second) is None

    @pytest.mark.parametrize(
        ("amo_time", "minutes"), [("PRE_OPEN", -15), ("OPEN", 0), ("OPEN_30", 30), ("OPEN_60", 60)]
    )
    @pytest.mark.parametrize("hours", [6, 22])
    def test_is_released_at_the_time_that_it_names(self, client, amo_time, minutes, hours):
        client.tick(1500.0)
        client.wait(hours * 3600)
        order_id = client.place(price=1490.0, amo_time=amo_time)
        opens_ns = client.account.now_ns - client.account.now_ns % DAY_NS + (9 * 60 + 15 - 330) * 60 * SECOND_NS
        opens_ns += DAY_NS * (opens_ns < client.account.now_ns)

        client.wait_until(opens_ns + minutes * 60 * SECOND_NS - 1)
        assert client.order(order_id).arrival == 0
        client.wait_until(opens_ns + minutes * 60 * SECOND_NS)

        assert (client.status(order_id), client.order(order_id).arrival) == ("PENDING", 1)
        client.wait_until(opens_ns)
        client.tick(1480.0)
        client.wait_until(opens_ns + 60 * 60 * SECOND_NS)
        client.tick(1480.0)
        assert client.status(order_id) == "TRADED"

    @pytest.mark.parametrize(
        ("amo_time", "minutes", "may"), [("PRE_OPEN", -10, True), ("OPEN_30", 5, True), ("OPEN_30", -10, False)]
    )
    def test_is_changed_at_the_exchange_or_while_the_market_is_open(self, client, amo_time, minutes, may):
        client.tick(1500.0)
        client.wait(6 * 3600)
        order_id = client.place(price=1490.0, amo_time=amo_time)
        client.wait_until(CLOSES_NS + DAY_NS - (6 * 60 + 15 - minutes) * 60 * SECOND_NS)
        change = Modification(order_id=order_id, order_type="LIMIT", quantity=20, limit_price=1480.0)
        if may:
            client.ask("modify", change)
        else:
            assert refusal(client.ask, "modify", change).startswith("Market is Closed!")

        assert client.order(order_id).quantity == (20 if may else 10)

    def test_of_a_saturday_waits_for_monday(self, client):
        client.tick(1500.0)
        client.wait_until(CLOSES_NS + 3 * DAY_NS)
        order_id = client.place(price=1490.0, amo_time="OPEN")
        change = Modification(order_id=order_id, order_type="LIMIT", quantity=20, limit_price=1500.0)

        assert refusal(client.ask, "modify", change).startswith("Market is Closed!")
        opens_ns = CLOSES_NS + 5 * DAY_NS - (6 * 60 + 15) * 60 * SECOND_NS
        client.wait_until(opens_ns - 1)
        assert client.order(order_id).arrival == 0
        client.wait_until(opens_ns)
        assert client.order(order_id).arrival == 1

    @pytest.mark.parametrize("is_withdrawn", [False, True])
    def test_that_was_withdrawn_is_awaited_no_more(self, client, is_withdrawn):
        client.tick(1500.0)
        client.wait(6 * 3600)
        order_id = client.place(price=1490.0, amo_time="OPEN")
        if is_withdrawn:
            client.ask("cancel", order_id)
        client.wait_until(CLOSES_NS + DAY_NS // 2)

        opens_ns = CLOSES_NS + DAY_NS - (6 * 60 + 15) * 60 * SECOND_NS
        assert (client.account.next_ns > opens_ns, client.account.next_ns < opens_ns) == (is_withdrawn, False)

    def test_is_refused_in_the_session(self, client):
        assert refusal(client.place, amo_time="OPEN").startswith("Market is Open!")


class TestAnOrderAboveTheFreezeQuantity:
    def test_is_placed_as_several(self, client):
        client.tick(120.0, OPTION)
        ticket = Ticket(
            instrument=OPTION, side="BUY", product="MARGIN", order_type="LIMIT", quantity=3900, limit_price=100.0
        )

        ids = client.ask("place_sliced", ticket).ids

        client.wait()
        assert [client.order(each).quantity for each in ids] == [1755, 1755, 390]
        assert {client.status(each) for each in ids} == {"PENDING"}


def test_an_order_of_an_instrument_that_no_list_has_any_more_may_be_withdrawn():
    orders = SimpleNamespace(_core=SimpleNamespace(listings=SimpleNamespace(find=lambda _instrument: None)))

    assert Orders.may_withdraw(orders, SimpleNamespace(instrument=INFY))

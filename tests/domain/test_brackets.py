"""A bracket: whatever the market does, and in whatever order it is told, no exit closes what is not held."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from natya.domain.brackets.at_market import failures
from natya.domain.brackets.bracket import Bracket, as_it_stands, held_as, turned_as
from natya.domain.brackets.by_others import gone_of, sold_of
from natya.domain.brackets.exits import JUMPED_OVER, is_beyond
from natya.domain.brackets.guarding import has_no_target, unguarded
from natya.domain.brackets.legs import AT_MARKET, RETURNS, entry_id, leg_id, other_exit_id
from natya.domain.brackets.next_steps import is_done, next_steps
from natya.domain.brackets.resting import CHANGES_MAX, GROWTHS_MAX, goes_second
from natya.domain.orders import Order, advance, intent_of
from natya.messages.orders import (
    CancellationIntended,
    CancelOrder,
    ModificationIntended,
    ModificationRefused,
    ModifyOrder,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderModified,
    OrderRefused,
    OrderRejected,
    OrderUncertain,
    SubmitOrder,
)


def an_entry(**changes):
    terms = {"symbol": "INFY", "side": "BUY", "quantity": 10, "target_price": 110.0, "stop_loss_price": 95.0, **changes}
    return SubmitOrder(client_order_id="A-1", strategy="A", **terms)


def a_refusal(client_order_id, *, strategy="A", quantity=10):
    """An exit that our gate has refused."""
    return OrderRefused(
        client_order_id=client_order_id,
        strategy=strategy,
        symbol="INFY",
        side="SELL",
        quantity=quantity,
        rule="price",
        reason="wide",
        occurred_ns=1,
    )


class Desk:
    """The orders of one bracket, with what the market does to them."""

    def __init__(self, entry=None):
        self.orders = {}
        self.refused = {}
        self.trades = 0
        self.sent = []
        self.submit(entry or an_entry())
        self.accept("A-1")

    def submit(self, order):
        assert order.client_order_id not in self.orders, "no order twice"
        self.orders[order.client_order_id] = Order.from_intent(intent_of(order, 1))

    def hear(self, fact):
        self.orders[fact.client_order_id] = advance(self.orders[fact.client_order_id], fact)

    def accept(self, name):
        self.hear(OrderAccepted(client_order_id=name, broker_order_id=f"B-{name}", occurred_ns=2))

    def reject(self, name):
        self.hear(OrderRejected(client_order_id=name, reason="no margin", occurred_ns=2))

    def lose(self, name):
        self.hear(OrderExpired(client_order_id=name, reason="unknown to the broker", occurred_ns=2))

    def cancel(self, name):
        self.hear(OrderCancelled(client_order_id=name, reason="withdrawn", occurred_ns=2))

    def fill(self, name, quantity):
        order = self.orders[name]
        self.trades += 1
        fill = OrderFilled(
            client_order_id=name,
            trade_id=f"T-{self.trades}",
            strategy="A",
            symbol=order.symbol,
            side=order.side,
            quantity=quantity,
            price=100.0,
            cumulative_quantity=order.filled + quantity,
            occurred_ns=3,
        )
        self.hear(fill)

    def intend(self, change):
        order = self.orders[change.client_order_id]
        intended = ModificationIntended(
            client_order_id=order.client_order_id,
            number=order.modifications + 1,
            quantity=change.quantity,
            limit_price=order.limit_price,
            trigger_price=order.trigger_price,
            occurred_ns=3,
        )
        self.hear(intended)

    def settle(self, name, *, done=True):
        order = self.orders[name]
        if done and order.pending.quantity > order.filled:
            fields = msgspec.structs.asdict(order.pending)
            del fields["intended_ns"]
            self.hear(OrderModified(client_order_id=name, occurred_ns=4, **fields))
        else:
            self.hear(
                ModificationRefused(
                    client_order_id=name, number=order.pending.number, rule="broker", reason="late", occurred_ns=4
                )
            )

    @property
    def bracket(self):
        target, stop, *at_market = (
            self.refused.get(leg_id("A-1", name)) or self.orders.get(leg_id("A-1", name))
            for name in ("target", "stop", *AT_MARKET)
        )
        *earlier, newest = [each for each in at_market if each is not None] or [None]
        returns = tuple(each for name in RETURNS if (each := self.orders.get(leg_id("A-1", name))) is not None)
        bracket = Bracket(
            entry=self.orders["A-1"],
            target=target,
            stop=stop,
            exit=newest,
            earlier=tuple(earlier),
            returns=returns,
        )
        return replace(bracket, surplus=bracket.excess)

    def step(self):
        """Do what is wanted now, and let the gate and the journal pass it; the market has done nothing with it yet."""
        steps = next_steps(self.bracket)
        for each in steps:
            if isinstance(each, SubmitOrder):
                self.submit(each)
            elif isinstance(each, ModifyOrder):
                self.intend(each)
        return steps

    def settle_all(self):
        """Do what is wanted, and let the broker do it, until nothing is wanted."""
        for _ in range(100):
            steps = self.step()
            if not steps:
                return
            for each in steps:
                if isinstance(each, SubmitOrder):
                    self.accept(each.client_order_id)
                elif isinstance(each, ModifyOrder):
                    self.settle(each.client_order_id)
                else:
                    self.cancel(each.client_order_id)
        pytest.fail(f"still wanted: {steps}")

    def exposed(self):
        entry = self.orders["A-1"]
        return sum(order.filled if order.side == entry.side else -order.filled for order in self.orders.values())


LEGS = ("target", "stop", "exit")
TARGET, STOP, EXIT = (leg_id("A-1", name) for name in LEGS)


@pytest.fixture
def desk():
    return Desk()


class TestABracket:
    def test_has_no_exits_before_its_entry_is_filled(self, desk):
        assert next_steps(desk.bracket) == ()

    @pytest.mark.parametrize(("side", "closing"), [("BUY", "SELL"), ("SELL", "BUY")])
    def test_puts_its_stop_and_its_target_as_soon_as_shares_are_held(self, side, closing):
        prices = {"target_price": 110.0, "stop_loss_price": 95.0}
        if side == "SELL":
            prices = {"target_price": 95.0, "stop_loss_price": 110.0}
        desk = Desk(an_entry(side=side, product="INTRADAY", **prices))
        desk.fill("A-1", 4)

        common = {"strategy": "A", "symbol": "INFY", "side": closing, "quantity": 4, "product": "INTRADAY"}
        stop = SubmitOrder(client_order_id="A-1S", order_type="STOP", trigger_price=prices["stop_loss_price"], **common)
        target = SubmitOrder(client_order_id="A-1T", order_type="LIMIT", limit_price=prices["target_price"], **common)
        assert next_steps(desk.bracket) == (stop, target)

    def test_puts_its_target_when_the_broker_has_answered_the_stop_or_nobody_knows(self, desk):
        desk.fill("A-1", 4)
        stop, target = next_steps(desk.bracket)
        on_its_way = replace(desk.bracket, stop=stop)
        desk.submit(stop)
        waits = [goes_second(target, each) for each in (on_its_way, desk.bracket)]
        desk.hear(OrderUncertain(client_order_id=STOP, reason="no answer", occurred_ns=2))
        unknown = goes_second(target, desk.bracket)
        desk.accept(STOP)

        assert (waits, unknown, goes_second(target, desk.bracket)) == ([True, True], False, False)
        assert not goes_second(stop, on_its_way)

    @pytest.mark.parametrize(("given", "leg"), [("target_price", TARGET), ("stop_loss_price", STOP)])
    def test_may_have_one_exit_alone(self, given, leg):
        others = {"target_price": None, "stop_loss_price": None}
        desk = Desk(an_entry(**{**others, given: 100.0}))
        desk.fill("A-1", 10)

        assert [each.client_order_id for each in next_steps(desk.bracket)] == [leg]

    def test_makes_both_exits_greater_as_the_entry_fills(self, desk):
        desk.fill("A-1", 4)
        desk.settle_all()
        desk.fill("A-1", 6)

        assert desk.step() == (
            ModifyOrder(client_order_id=STOP, quantity=10),
            ModifyOrder(client_order_id=TARGET, quantity=10),
        )

    def test_makes_an_exit_smaller_by_what_the_other_has_traded(self, desk):
        desk.fill("A-1", 10)
        desk.settle_all()
        desk.fill(TARGET, 3)

        assert desk.step() == (ModifyOrder(client_order_id=STOP, quantity=7),)
        desk.settle(STOP)
        assert desk.step() == ()

    @pytest.mark.parametrize(("filled", "other"), [(TARGET, STOP), (STOP, TARGET)])
    def test_cancels_an_exit_when_the_other_is_filled(self, desk, filled, other):
        desk.fill("A-1", 10)
        desk.settle_all()
        desk.fill(filled, 10)

        assert desk.step() == (CancelOrder(client_order_id=other),)
        desk.cancel(other)
        assert is_done(desk.bracket)

    def test_ends_its_entry_with_the_first_trade_of_an_exit_and_closes_what_still_comes_in(self, desk):
        desk.fill("A-1", 4)
        desk.settle_all()
        desk.fill(STOP, 4)
        steps = desk.step()
        desk.fill("A-1", 2)
        desk.cancel("A-1")
        desk.cancel(TARGET)

        assert steps == (CancelOrder(client_order_id="A-1"), CancelOrder(client_order_id=TARGET))
        (exit_order,) = desk.step()
        assert (exit_order.client_order_id, exit_order.order_type, exit_order.quantity) == (EXIT, "MARKET", 2)
        assert desk.step() == ()
        desk.fill(EXIT, 2)
        assert is_done(desk.bracket)

    def test_closes_at_the_market_what_came_in_while_its_stop_traded(self):
        """The stop was hit before it could grow: a target alone would guard the rest against nothing but a gain."""
        desk = Desk(an_entry(quantity=2))
        desk.fill("A-1", 1)
        desk.settle_all()
        desk.fill("A-1", 1)
        desk.fill(STOP, 1)

        assert desk.step() == (CancelOrder(client_order_id=TARGET),)
        desk.cancel(TARGET)
        (exit_order,) = desk.step()
        assert (exit_order.client_order_id, exit_order.order_type, exit_order.quantity) == (EXIT, "MARKET", 1)

    def test_ends_its_entry_before_it_closes_all_of_it_where_its_stop_was_refused(self):
        desk = Desk(an_entry(quantity=3))
        desk.fill("A-1", 1)
        desk.step()
        desk.accept(TARGET)
        desk.reject(STOP)
        steps = desk.step()
        desk.cancel(TARGET)
        assert desk.step() == (CancelOrder(client_order_id="A-1"),)
        desk.fill("A-1", 1)
        desk.cancel("A-1")

        assert steps == (CancelOrder(client_order_id="A-1"), CancelOrder(client_order_id=TARGET))
        (exit_order,) = desk.step()
        assert (exit_order.client_order_id, exit_order.quantity) == (EXIT, 2)

    @pytest.mark.parametrize("by", ["gate", "broker", "broker at last"])
    def test_closes_at_the_market_what_would_stand_without_its_stop(self, desk, by):
        desk.fill("A-1", 10)
        desk.step()
        desk.accept(TARGET)
        if by == "gate":
            del desk.orders[STOP]
            desk.refused[STOP] = a_refusal(STOP)
        else:
            if by == "broker at last":
                desk.accept(STOP)
            desk.reject(STOP)

        assert desk.step() == (CancelOrder(client_order_id=TARGET),)
        desk.fill(TARGET, 1)
        desk.cancel(TARGET)
        (exit_order,) = desk.step()
        assert (exit_order.client_order_id, exit_order.quantity) == (EXIT, 9)

    @pytest.mark.parametrize(
        ("ends", "is_tried_again"),
        [(("reject",), True), (("accept", "reject"), True), (("lose",), True), (("accept", "cancel"), False)],
    )
    def test_tries_to_close_at_the_market_eight_times_where_that_never_was_there(self, desk, ends, is_tried_again):
        desk.fill("A-1", 10)
        desk.step()
        desk.reject(STOP)
        desk.accept(TARGET)
        desk.cancel(TARGET)
        tried = []
        while found := next_steps(desk.bracket):
            (order,) = found
            tried.append((order.client_order_id, order.order_type, order.quantity))
            desk.submit(order)
            assert next_steps(desk.bracket) == ()
            on_its_way = unguarded(desk.bracket)
            assert on_its_way == (10 if len(tried) > 1 else 0), "the next one may be refused as well"
            for end in ends:
                getattr(desk, end)(order.client_order_id)
            assert failures(desk.bracket) == (len(tried) if is_tried_again else 0)
            assert unguarded(desk.bracket) == (10 if is_tried_again else 0)

        assert tried == [(f"A-1{suffix}", "MARKET", 10) for suffix in ("XYZWVUNM" if is_tried_again else "X")]
        assert is_done(desk.bracket) != is_tried_again, "what nothing closes is never done with"

    def test_closes_at_the_market_what_comes_in_when_both_its_exits_are_over(self, desk):
        desk.fill("A-1", 4)
        desk.settle_all()
        desk.fill(TARGET, 4)
        assert {each.client_order_id for each in desk.step()} == {"A-1", STOP}
        desk.cancel(STOP)
        desk.fill("A-1", 3)
        assert desk.step() == (CancelOrder(client_order_id="A-1"),)
        desk.cancel("A-1")

        (exit_order,) = desk.step()
        assert (exit_order.client_order_id, exit_order.quantity) == (EXIT, 3)

    @pytest.mark.parametrize(("side", "closing"), [("BUY", "SELL"), ("SELL", "BUY")])
    def test_gives_back_what_both_exits_have_traded_too_much_when_neither_can_trade_any_more(self, side, closing):
        prices = {"target_price": 110.0, "stop_loss_price": 95.0}
        desk = Desk(an_entry(side=side, **(prices if side == "BUY" else dict(zip(prices, (95.0, 110.0), strict=True)))))
        desk.fill("A-1", 10)
        desk.settle_all()
        desk.fill(TARGET, 10)
        desk.fill(STOP, 4)
        assert desk.step() == (CancelOrder(client_order_id=STOP),)
        desk.fill(STOP, 2)
        desk.cancel(STOP)

        (given_back,) = desk.step()
        assert (given_back.client_order_id, given_back.side, given_back.quantity) == ("A-1R", side, 6)
        assert (given_back.order_type, given_back.limit_price, given_back.trigger_price) == ("MARKET", None, None)
        assert not is_done(desk.bracket)
        desk.fill("A-1R", 6)
        assert (desk.exposed(), is_done(desk.bracket)) == (0, True)
        assert closing != side

    @pytest.mark.parametrize(("returnable", "wanted"), [(0, ()), (3, (3,)), (None, (6,)), (9, (6,))])
    def test_gives_back_no_more_than_is_held_beside_what_others_will_close(self, desk, returnable, wanted):
        desk.fill("A-1", 6)
        desk.settle_all()
        desk.fill(TARGET, 6)
        desk.fill(STOP, 6)
        desk.cancel("A-1")

        assert tuple(each.quantity for each in next_steps(replace(desk.bracket, returnable=returnable))) == wanted

    def test_gives_back_in_orders_that_the_exchange_takes(self, desk):
        desk.fill("A-1", 10)
        desk.settle_all()
        desk.fill(TARGET, 10)
        desk.fill(STOP, 10)
        found = []
        while desk.bracket.surplus:
            (order,) = next_steps(replace(desk.bracket, order_max=4))
            desk.submit(order)
            desk.fill(order.client_order_id, order.quantity)
            found.append((order.client_order_id, order.quantity))

        assert found == [("A-1R", 4), ("A-1Q", 4), ("A-1P", 2)]

    @pytest.mark.parametrize(
        ("ends", "tried"), [(("reject",), "RQPOLKJI"), (("accept", "cancel"), "R"), (("lose",), "RQPOLKJI")]
    )
    def test_gives_back_by_another_order_where_one_never_was_there(self, desk, ends, tried):
        desk.fill("A-1", 10)
        desk.settle_all()
        desk.fill(TARGET, 10)
        desk.fill(STOP, 10)
        found = ""
        while steps := desk.step():
            (order,) = steps
            found += order.client_order_id[-1]
            for end in ends:
                getattr(desk, end)(order.client_order_id)

        assert found == tried
        assert unguarded(desk.bracket) == (10 if len(tried) > 1 else 0)

    @pytest.mark.parametrize("comes_in", ["accept", "fill"])
    def test_is_guarded_again_when_the_next_order_at_the_market_stands_or_has_traded(self, desk, comes_in):
        desk.fill("A-1", 10)
        desk.step()
        desk.reject(STOP)
        desk.accept(TARGET)
        desk.cancel(TARGET)
        desk.step()
        desk.reject(EXIT)
        desk.step()
        assert (failures(desk.bracket), unguarded(desk.bracket)) == (1, 10)
        desk.accept("A-1Y") if comes_in == "accept" else desk.fill("A-1Y", 10)

        assert unguarded(desk.bracket) == 0

    @pytest.mark.parametrize("by", ["gate", "broker", "nobody"])
    def test_without_a_stop_says_that_its_target_never_came_into_the_market(self, by):
        desk = Desk(an_entry(stop_loss_price=None))
        desk.fill("A-1", 10)
        desk.step()
        assert not has_no_target(desk.bracket)
        if by == "gate":
            del desk.orders[TARGET]
            desk.refused[TARGET] = a_refusal(TARGET)
        else:
            (desk.reject if by == "broker" else desk.lose)(TARGET)

        assert has_no_target(desk.bracket)
        assert not has_no_target(replace(desk.bracket, held=0))
        assert (next_steps(desk.bracket), unguarded(desk.bracket)) == ((), 0)

    def test_closes_at_the_market_also_what_was_anothers_when_its_first_order_left(self, desk):
        desk.fill("A-1", 10)
        desk.step()
        desk.reject(STOP)
        desk.accept(TARGET)
        desk.cancel(TARGET)
        (first,) = next_steps(replace(desk.bracket, free=4))
        assert first.quantity == 4
        desk.submit(first)
        desk.fill(EXIT, 4)
        assert next_steps(replace(desk.bracket, free=0)) == ()

        (second,) = desk.step()
        assert (second.client_order_id, second.quantity) == ("A-1Y", 6)

    def test_keeps_its_stop_where_the_target_was_rejected(self, desk):
        desk.fill("A-1", 10)
        desk.step()
        desk.reject(TARGET)
        desk.accept(STOP)

        assert desk.step() == ()

    def test_puts_no_exit_back_that_somebody_cancelled(self, desk):
        desk.fill("A-1", 10)
        desk.settle_all()
        desk.cancel(STOP)
        assert desk.step() == ()
        desk.cancel(TARGET)

        assert desk.step() == ()
        assert is_done(desk.bracket)

    def test_closes_at_the_market_what_is_left_of_a_stop_that_was_cancelled_since_the_market_jumped_over_it(self, desk):
        desk.fill("A-1", 10)
        desk.settle_all()
        desk.fill(STOP, 3)
        desk.settle_all()
        desk.hear(CancellationIntended(client_order_id=STOP, number=1, asked_by=JUMPED_OVER, occurred_ns=4))
        assert desk.step() == ()
        desk.cancel(STOP)

        assert desk.step() == (CancelOrder(client_order_id=TARGET),)
        desk.cancel(TARGET)
        (closing,) = desk.step()
        assert (closing.client_order_id, closing.order_type, closing.quantity) == (EXIT, "MARKET", 7)

    @pytest.mark.parametrize(
        ("side", "price", "is_so"),
        [("BUY", 94.9, True), ("BUY", 95.0, False), ("SELL", 95.0, False), ("SELL", 95.1, True)],
    )
    def test_has_a_market_beyond_its_stop_on_the_side_of_its_loss(self, side, price, is_so):
        desk = Desk(an_entry(side=side, stop_loss_price=95.0, target_price=None))
        desk.fill("A-1", 10)
        desk.step()
        assert not is_beyond(desk.orders[STOP], price)  # the broker is not known to have it
        desk.accept(STOP)

        assert is_beyond(desk.orders[STOP], price) == is_so
        assert not is_beyond(replace(desk.orders[STOP], trigger_price=None), price), "no stop"
        limited = replace(desk.orders[STOP], limit_price=price)
        assert not is_beyond(limited, price)
        assert is_beyond(limited, price - 0.1 if side == "BUY" else price + 0.1)

    def test_leaves_changes_for_what_must_become_smaller(self):
        desk = Desk(an_entry(quantity=100))
        for _ in range(50):
            desk.fill("A-1", 1)
            desk.settle_all()

            assert desk.orders[STOP].leaves > desk.exposed() / 2, "a half is guarded at any time"
        assert desk.orders[STOP].modifications == GROWTHS_MAX + 2, "at 22 and at 44"
        desk.cancel("A-1")
        desk.settle_all()
        assert {desk.orders[leg].quantity for leg in (STOP, TARGET)} == {50}

    def test_closes_at_the_market_when_its_stop_can_be_changed_no_more(self):
        desk = Desk(an_entry(quantity=100))
        desk.fill("A-1", 100)
        desk.settle_all()
        for _ in range(CHANGES_MAX + 1):
            desk.fill(TARGET, 1)
            desk.settle_all()

        assert desk.orders[EXIT].quantity == 100 - CHANGES_MAX - 1
        assert not desk.orders[TARGET].is_open
        assert not desk.orders[STOP].is_open


class TestSharesThatOthersClose:
    @pytest.fixture
    def filled(self, desk):
        desk.fill("A-1", 10)
        return desk

    def test_leave_no_exit_to_place(self, filled):
        flat = replace(filled.bracket, held=0)

        assert next_steps(flat) == ()
        assert is_done(flat)

    def test_have_the_exits_cancelled_that_there_are_and_end_the_bracket(self, filled):
        filled.settle_all()
        flat = replace(filled.bracket, held=0)
        assert {each.client_order_id for each in next_steps(flat)} == {TARGET, STOP}
        assert not is_done(flat)
        filled.cancel(TARGET)
        filled.cancel(STOP)

        assert is_done(replace(filled.bracket, held=0))

    def test_have_none_closed_at_the_market_where_the_stop_is_rejected(self, filled):
        filled.settle_all()
        filled.reject(STOP)
        filled.cancel(TARGET)

        assert [each.quantity for each in next_steps(replace(filled.bracket, held=3))] == [3]
        assert next_steps(replace(filled.bracket, held=0)) == ()

    def test_leave_the_exits_where_they_are_while_more_may_come_in(self, desk):
        desk.fill("A-1", 4)
        desk.settle_all()

        assert next_steps(replace(desk.bracket, held=0)) == ()

    def test_have_no_exit_of_no_shares_while_their_entry_trades_on(self):
        desk = Desk()
        desk.fill("A-1", 4)
        assert next_steps(replace(desk.bracket, held=0)) == ()
        assert [each.quantity for each in next_steps(replace(desk.bracket, held=1))] == [1, 1]

    @pytest.mark.parametrize(("held", "placed", "then"), [(10, 10, 10), (6, 6, 10), (25, 10, 10)])
    def test_are_guarded_as_far_as_they_are_held(self, filled, held, placed, then):
        steps = next_steps(replace(filled.bracket, held=held))
        assert {each.client_order_id: each.quantity for each in steps} == {STOP: placed, TARGET: placed}
        for each in steps:
            filled.submit(each)
            filled.accept(each.client_order_id)
        assert next_steps(replace(filled.bracket, held=held - 1)) == (), "what others sold is counted, not guessed"
        filled.settle_all()

        assert [filled.orders[name].quantity for name in (STOP, TARGET)] == [then, then]

    @pytest.mark.parametrize(
        ("side", "shares", "held"), [("BUY", 7, 7), ("BUY", -7, 0), ("SELL", -7, 7), ("SELL", 7, 0)]
    )
    def test_are_those_on_the_side_of_the_entry(self, side, shares, held):
        prices = {} if side == "BUY" else {"target_price": 95.0, "stop_loss_price": 110.0}

        entry = Desk(an_entry(side=side, **prices)).orders["A-1"]

        assert held_as(entry, shares) == held
        assert turned_as(entry, shares) == abs(shares) - held


class TestAnId:
    @pytest.mark.parametrize("leg", LEGS)
    def test_of_an_exit_leads_to_its_entry(self, leg):
        assert entry_id(leg_id("momentum-2s-1f", leg)) == "momentum-2s-1f"

    def test_of_a_strategys_order_leads_nowhere(self):
        assert entry_id("momentum-2s-1f") == entry_id("") == ""
        assert other_exit_id("momentum-2s-1f") == other_exit_id("") == ""

    def test_of_an_exit_leads_to_the_one_that_it_cancels_where_there_is_one(self):
        exits = {leg: leg_id("momentum-2s-1f", leg) for leg in LEGS}

        assert other_exit_id(exits["target"]) == exits["stop"]
        assert other_exit_id(exits["stop"]) == exits["target"]
        assert other_exit_id(exits["exit"]) == ""


@given(data=st.data(), quantity=st.integers(1, 12))
def test_whatever_happens_in_whatever_order_what_is_held_has_an_exit_of_its_size(data, quantity):
    desk = Desk(an_entry(quantity=quantity))
    asked = []
    for _ in range(data.draw(st.integers(0, 40))):
        working = [name for name, order in desk.orders.items() if order.is_open]
        acts = [("fill", name) for name in working if desk.orders[name].broker_order_id and desk.orders[name].leaves]
        acts += [("accept", name) for name in working if not desk.orders[name].broker_order_id]
        acts += [("reject", name) for name in working if not desk.orders[name].broker_order_id and name != "A-1"]
        acts += [("cancel", name) for name in asked if desk.orders[name].is_open]
        acts += [(what, name) for what in ("settle", "deny") for name in working if desk.orders[name].pending]
        acts += [("step", ""), ("cancel", "A-1")] if desk.orders["A-1"].is_open else [("step", "")]
        act, name = data.draw(st.sampled_from(acts))
        if act == "fill":
            # The market trades what is left there: not more than is held, save where both exits were hit at once.
            desk.fill(name, data.draw(st.integers(1, max(desk.orders[name].quantity - desk.orders[name].filled, 1))))
        elif act in {"settle", "deny"}:
            desk.settle(name, done=act == "settle")
        elif act == "step":
            asked += [each.client_order_id for each in desk.step() if isinstance(each, CancelOrder)]
        else:
            getattr(desk, act)(name)
    desk.settle_all()
    for name in [name for name, order in desk.orders.items() if order.is_open and not order.broker_order_id]:
        desk.accept(name)
    for name in [name for name, order in desk.orders.items() if order.is_open and order.pending]:
        desk.settle(name)
    desk.settle_all()

    exposed, of_all = desk.exposed(), desk.orders.values()
    returns = [order for order in of_all if order.client_order_id in {leg_id("A-1", name) for name in RETURNS}]
    exits = [order for order in of_all if order.client_order_id != "A-1" and order not in returns]
    for orders, wanted in ((exits, exposed), (returns, -exposed)):
        assert all(not order.is_open or order.leaves == max(wanted, 0) for order in orders)
    at_market = [order.state for order in exits if order.order_type == "MARKET"]
    is_given_up = "CANCELLED" in at_market or at_market.count("REJECTED") == len(AT_MARKET)
    if exposed > 0 and not is_given_up and not (STOP in desk.orders and desk.orders[STOP].state == "CANCELLED"):
        assert any(order.is_open for order in exits if order.client_order_id != TARGET)
    if exposed < 0 and not any(order.is_open for order in of_all):
        states = [order.state for order in returns]
        assert "CANCELLED" in states or states.count("REJECTED") == len(RETURNS)
    assert is_done(desk.bracket) or any(order.is_open for order in of_all)


def test_an_exit_is_made_greater_only_when_the_broker_has_it():
    desk = Desk()
    desk.fill("A-1", 4)
    exits = [each.client_order_id for each in desk.step()]
    desk.fill("A-1", 6)
    assert desk.step() == ()
    for name in exits:
        desk.accept(name)

    assert {each.client_order_id: each.quantity for each in desk.step()} == dict.fromkeys(exits, 10)


@pytest.mark.parametrize("alone", [{"target_price": None}, {"stop_loss_price": None}], ids=["stop", "target"])
def test_a_bracket_of_one_exit_is_not_done_while_that_one_rests(alone):
    desk = Desk(an_entry(**alone))
    desk.fill("A-1", 10)
    desk.settle_all()
    assert not is_done(desk.bracket)
    (name,) = [each for each in desk.orders if each != "A-1"]
    desk.fill(name, 10)

    assert is_done(desk.bracket)


class TestSharesThatComeLate:
    """When their entry has ended, and its exits too."""

    @pytest.fixture
    def over(self):
        """Four shares came in, and the exits were cancelled."""
        desk = Desk()
        desk.fill("A-1", 4)
        desk.settle_all()
        for name in ("A-1", STOP, TARGET):
            desk.cancel(name)
        return desk

    @staticmethod
    def wanted(desk, late, **fields):
        bracket = as_it_stands(
            desk.orders["A-1"],
            desk.orders.get,
            (),
            shares=desk.exposed(),
            late=late,
            sold=0,
            surplus=0,
        )
        return next_steps(replace(bracket, **fields))

    def test_are_closed_at_the_market_and_what_somebody_left_without_exits_stays_so(self, over):
        assert self.wanted(over, 0) == ()
        over.fill("A-1", 3)
        (step,) = self.wanted(over, 3)

        assert (step.client_order_id, step.order_type, step.side, step.quantity) == (EXIT, "MARKET", "SELL", 3)

    def test_are_closed_by_no_more_than_is_held_and_free(self, over):
        over.fill("A-1", 3)

        assert [step.quantity for step in self.wanted(over, 3, held=2)] == [2]
        assert [step.quantity for step in self.wanted(over, 3, free=1)] == [1]
        assert self.wanted(over, 3, held=0) == self.wanted(over, 3, free=0) == ()

    @pytest.mark.parametrize(("ends", "follows"), [("fill", True), ("reject", True), ("cancel", False)])
    def test_are_closed_by_another_order_behind_one_that_ended_unless_somebody_took_that_back(
        self, over, ends, follows
    ):
        over.fill("A-1", 3)
        over.submit(*self.wanted(over, 3))
        assert self.wanted(over, 3) == ()
        if ends == "fill":
            over.accept(EXIT)
        getattr(over, ends)(EXIT, *([3] if ends == "fill" else []))
        over.fill("A-1", 2)

        found = [(step.client_order_id, step.quantity) for step in self.wanted(over, 2)]
        assert found == ([("A-1Y", 2)] if follows else [])

    def test_are_closed_by_eight_orders_at_most(self, over):
        over.fill("A-1", 6)
        for name in (leg_id("A-1", leg) for leg in AT_MARKET):
            (step,) = self.wanted(over, 2)
            assert step.client_order_id == name
            over.submit(step)
            over.reject(name)

        assert self.wanted(over, 2) == ()


@given(st.lists(st.integers(-3, 20), max_size=5), st.integers(0, 60))
def test_what_others_closed_is_what_is_not_held_any_more_and_of_the_oldest_brackets(exposed, held):
    sold = sold_of(exposed, held)
    shares = [max(each, 0) for each in exposed]
    left = [each - gone for each, gone in zip(shares, sold, strict=True)]

    assert sum(left) == min(sum(shares), held)
    assert all(0 <= gone <= each for each, gone in zip(shares, sold, strict=True))
    newest_cut = max((place for place, gone in enumerate(sold) if gone), default=0)
    assert all(each == 0 for each in left[:newest_cut])


@given(
    held=st.integers(-30, 30),
    claims=st.lists(st.tuples(st.sampled_from(["A", "B"]), st.integers(0, 20), st.integers(0, 20)), max_size=3),
    agreed=st.sampled_from([(), (30, -5), (30, 4), (30, 30)]),
)
def test_an_exit_is_for_what_exits_of_other_brackets_leave_of_what_is_held(held, claims, agreed):
    """By strategy, the open shares of their stop and of their target; a stop of 0 is one that our gate refused."""

    def opened(name, quantity, **fields):
        order = SubmitOrder(
            client_order_id=name, symbol="INFY", side="BUY", quantity=quantity, **{"strategy": "A"} | fields
        )
        return Order.from_intent(intent_of(order, 1))

    entry, orders = opened("A-1", 30), {}
    beside = [entry]
    for number, (strategy, stop, target) in enumerate(claims, 2):
        beside.append(opened(f"A-{number}", 30, strategy=strategy))
        orders |= {f"A-{number}{leg}": opened("x", each) for leg, each in (("S", stop), ("T", target)) if each}
        if not stop:
            orders[f"A-{number}S"] = a_refusal("x", strategy=strategy, quantity=30)
    bracket = as_it_stands(
        entry,
        orders.get,
        beside,
        shares=held,
        late=0,
        sold=0,
        surplus=0,
        agreed=agreed,
    )
    claimed = sum(max(stop, target) for strategy, stop, target in claims if strategy == "A")

    assert bracket.held == max(held, 0)
    assert bracket.free == max(0, min([held - claimed, *agreed]))


@pytest.mark.parametrize(
    ("unclosed", "held", "by_others", "gone"),
    [
        ((10,), 6, 4, (4,)),
        ((10, 10), 14, 6, (6, 0)),
        ((10, 10), 3, 17, (10, 7)),
        ((10,), 11, 4, (0,)),
        ((10,), 1, 4, (4,)),
        ((), 0, 4, ()),
    ],
    ids=["a part", "of the oldest first", "of both", "beside brackets first", "another strategy is short", "none"],
)
def test_what_others_have_closed_at_the_broker_is_taken_off_brackets(unclosed, held, by_others, gone):
    assert gone_of(unclosed, held, by_others) == gone

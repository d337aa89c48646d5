"""What is decided of a bracket as it stands, one question at a time: each by the orders that it is asked of."""

import functools

import pytest
from msgspec.structs import replace

from natya.domain.brackets.at_market import close_at_market, failures
from natya.domain.brackets.bracket import Bracket, as_it_stands
from natya.domain.brackets.by_others import is_sold_besides
from natya.domain.brackets.exits import BRACKET, JUMPED_OVER, REACHED, SQUARED_OFF, is_on_its_way, was_taken_back
from natya.domain.brackets.guarding import (
    doubts_its_stop,
    guarded_alone,
    has_no_target,
    is_at_target,
    is_bare,
    lost_its_stop,
    unguarded,
    watched_stop,
)
from natya.domain.brackets.legs import leg_id, newest_exit, purpose
from natya.domain.brackets.next_steps import is_done, next_steps
from natya.domain.brackets.overnight import comes_back, is_due, leaves_again, waits_for_a_day
from natya.domain.brackets.resting import CHANGES_MAX, GROWTHS_MAX, SALES_MAX, exit_steps, goes_second
from natya.domain.brackets.steps import closes_at_market, submit
from natya.domain.orders import Order, Pending, advance, as_submitted
from natya.messages.orders import CancellationIntended, CancelOrder, ModifyOrder

SIDES = {"BUY": "SELL", "SELL": "BUY"}


@pytest.fixture(params=["BUY", "SELL"])
def side(request):
    return request.param


@pytest.fixture
def order(make):
    """An order, with facts by name and the fields that it has then."""

    def build(name, *facts, side="SELL", quantity=10, order_type="STOP", **after):
        prices = {"trigger_price": 95.0} if order_type == "STOP" else {}
        intent = make.intent(name, side=side, quantity=quantity, order_type=order_type, **prices)
        known = {"accepted": make.accepted(name, f"B-{name}")}
        found = (known.get(each) or getattr(make, each)(name) for each in facts)
        return replace(functools.reduce(advance, found, Order.from_intent(intent)), **after)

    return build


@pytest.fixture
def bracket(make):
    """An entry of ten, all held, and what is beside it."""

    def build(*, side="BUY", filled=10, is_open=False, prices=(110.0, 95.0), **fields):
        intent = make.intent("A-1", side=side, target_price=prices[0], stop_loss_price=prices[1])
        facts = [make.accepted("A-1"), *([make.filled("A-1", side=side, quantity=filled)] if filled else [])]
        entry = functools.reduce(advance, facts, Order.from_intent(intent))
        if not is_open and entry.is_open:
            entry = advance(entry, make.cancelled("A-1"))
        return Bracket(**{"entry": entry} | fields)

    return build


@pytest.fixture
def both(bracket, order):
    """Builders of a bracket and of an order."""
    return bracket, order


def asked(order, asked_by):
    """The order with a cancellation that somebody has asked for."""
    fact = CancellationIntended(client_order_id=order.client_order_id, number=1, asked_by=asked_by, occurred_ns=1)
    return replace(advance(order, fact), state=order.state, evidence=order.evidence)


def named(steps):
    """The steps by the end of the name of what they are for."""
    return [(type(each).__name__.removesuffix("Order"), each.client_order_id.removeprefix("A-1")) for each in steps]


class TestAStopThatIsForTooFew:
    def test_is_told_where_it_was_not_made_greater(self, bracket, order):
        stays = {"modifications": 1, "settled": 1, "in_effect": 0}
        stop = order("A-1S", "accepted", quantity=6, **stays)

        assert guarded_alone(bracket(stop=stop)) == 6
        assert guarded_alone(bracket(stop=replace(stop, filled=2))) == 4
        assert guarded_alone(bracket(stop=stop, free=7)) == 6
        assert guarded_alone(bracket(stop=stop, free=6)) is None, "it closes all that may be closed"

    def test_is_not_told_where_it_will_be_made_greater(self, bracket, order):
        stop = order("A-1S", "accepted", quantity=6)
        made = replace(stop, modifications=1, settled=1, in_effect=1)

        assert [guarded_alone(bracket(stop=each)) for each in (stop, made)] == [None, None]

    @pytest.mark.parametrize(
        ("is_open", "changes", "pending", "told"),
        [(True, 0, False, 6), (True, -1, False, None), (True, 0, True, None), (False, 0, False, None)],
    )
    def test_is_told_where_it_grew_so_often_and_its_entry_fills_on(self, both, is_open, changes, pending, told):
        bracket, order = both
        number = GROWTHS_MAX + changes
        stop = order("A-1S", "accepted", quantity=6, modifications=number, settled=number, in_effect=number)
        if pending:
            asked = Pending(number=number, quantity=9, limit_price=None, trigger_price=95.0, intended_ns=1)
            stop = replace(stop, pending=asked)

        assert guarded_alone(bracket(filled=9, is_open=is_open, stop=stop)) == told

    @pytest.mark.parametrize("facts", [(), ("accepted", "cancelled"), ("rejected",)])
    def test_is_not_told_of_one_that_is_not_in_the_market(self, bracket, order, make, facts):
        stop = order("A-1S", *facts, quantity=6, modifications=1, settled=1)

        assert guarded_alone(bracket(stop=stop)) is None
        assert guarded_alone(bracket(stop=make.refusal("A-1S"))) is None
        assert guarded_alone(bracket()) is None


class TestWhatIsHeldWithoutItsStop:
    @pytest.mark.parametrize(
        ("facts", "lost", "in_doubt"),
        [
            (None, 0, False),
            ((), 0, False),
            (("uncertain",), 0, True),
            (("accepted",), 0, False),
            (("rejected",), 0, False),
            (("accepted", "cancelled"), 10, False),
            (("accepted", "expired"), 10, False),
        ],
    )
    def test_is_told_where_that_has_ended_or_is_in_doubt(self, bracket, order, facts, lost, in_doubt):
        found = bracket(stop=None if facts is None else order("A-1S", *facts))

        assert (lost_its_stop(found), doubts_its_stop(found), is_bare(found)) == (lost, in_doubt, lost > 0)
        assert lost_its_stop(replace(found, exit=order("A-1X", "accepted", order_type="MARKET"))) == 0

    def test_is_as_much_as_is_held(self, bracket, order):
        stop = order("A-1S", "accepted", "cancelled")

        assert lost_its_stop(bracket(stop=stop, held=4)) == 4
        assert lost_its_stop(bracket(stop=stop, held=40)) == 10
        assert lost_its_stop(bracket(stop=stop, held=0)) == 0
        doubtful = order("A-1S", "uncertain")
        assert not doubts_its_stop(bracket(stop=doubtful, held=0))
        assert not doubts_its_stop(bracket(stop=doubtful, sold=10))

    def test_is_none_where_the_next_day_has_another(self, bracket, order):
        stop = order("A-1S", "accepted", "expired")
        carried = {"stop": stop, "is_carried": True}

        assert lost_its_stop(bracket(**carried)) == 0
        assert lost_its_stop(bracket(**carried, day_began_ns=stop.intended_ns + 1)) == 0
        assert lost_its_stop(bracket(**carried, day_began_ns=stop.intended_ns + 1, free=0)) == 10, (
            "it may not be placed"
        )
        assert lost_its_stop(bracket(**carried, free=0)) == 0, "the day has not begun"

    @pytest.mark.parametrize(
        ("stop", "last", "by", "lost"),
        [
            (("rejected",), ("accepted", "cancelled"), "", 10),
            (("rejected",), ("accepted", "expired"), "", 10),
            (("rejected",), ("accepted", "cancelled"), "asha", 0),
            (("rejected",), ("accepted",), "", 0),
            (("rejected",), ("expired",), "", 0),
            (("rejected",), ("rejected",), "", 0),
            (("rejected",), None, "", 0),
            (("accepted",), ("accepted", "cancelled"), "", 0),
            (None, ("accepted", "cancelled"), "", 10),
        ],
    )
    def test_is_told_where_the_order_that_was_to_close_it_has_ended(self, both, stop, last, by, lost):
        bracket, order = both
        exit_ = None if last is None else order("A-1X", *last, order_type="MARKET")
        found = bracket(stop=None if stop is None else order("A-1S", *stop), exit=asked(exit_, by) if by else exit_)

        assert lost_its_stop(found) == lost
        assert lost_its_stop(replace(found, entry=replace(found.entry, stop_loss_price=None))) == lost

    def test_is_not_told_where_that_was_refused(self, bracket, order, make):
        assert lost_its_stop(bracket(stop=make.refusal("A-1S"), exit=make.refusal("A-1X"))) == 0


class TestWhatHasToLeave:
    """Ten are held; what became of stop and target."""

    @pytest.mark.parametrize(
        ("stop", "target", "by", "steps"),
        [
            (("accepted",), ("accepted",), "", []),
            (("accepted", "cancelled"), ("accepted",), "", []),
            (("accepted", "cancelled"), ("accepted",), "asha", []),
            (("accepted", "cancelled"), ("accepted",), BRACKET, []),
            (("accepted", "cancelled"), ("accepted",), JUMPED_OVER, [("Cancel", "T")]),
            (("accepted", "cancelled"), ("rejected",), REACHED, [("Submit", "X")]),
            (("accepted", "cancelled"), ("accepted",), SQUARED_OFF, [("Cancel", "T")]),
            (("accepted", "cancelled"), ("accepted", "cancelled"), SQUARED_OFF, [("Submit", "X")]),
            (("accepted",), ("accepted",), SQUARED_OFF, []),
            (("rejected",), ("accepted",), "", [("Cancel", "T")]),
            (("rejected",), (), "", [("Cancel", "T")]),
            (("rejected",), None, "", [("Submit", "X")]),
            (("accepted",), ("rejected",), "", []),
        ],
    )
    def test_leaves_where_its_stop_guards_it_no_more(self, both, stop, target, by, steps):
        bracket, order = both
        known = order("A-1S", *stop)
        beside = None if target is None else order("A-1T", *target, order_type="LIMIT")
        found = bracket(stop=asked(known, by) if by else known, target=beside)
        if target is None:
            found = replace(found, entry=replace(found.entry, target_price=None))

        assert named(next_steps(found)) == steps

    def test_leaves_where_its_strategy_took_the_target_alone(self, bracket, order):
        target = asked(order("A-1T", "accepted", "cancelled", order_type="LIMIT"), SQUARED_OFF)

        assert named(next_steps(bracket(stop=order("A-1S", "accepted"), target=target))) == [("Cancel", "S")]

    def test_leaves_where_the_target_traded_unless_the_stop_still_may(self, bracket, order, make):
        target = order("A-1T", "accepted", order_type="LIMIT", quantity=4)
        target = advance(target, make.filled("A-1T", side="SELL", quantity=4))

        assert named(next_steps(bracket(target=target, stop=order("A-1S", "accepted", quantity=6)))) == []
        assert named(next_steps(bracket(target=target, stop=order("A-1S", "accepted", "cancelled")))) == [
            ("Submit", "X")
        ]
        assert named(next_steps(bracket(target=target, prices=(110.0, None)))) == [("Submit", "X")]

    def test_does_not_for_an_exit_that_another_had_refused_under_its_name(self, bracket, order, make):
        rests = {"stop": order("A-1S", "accepted"), "target": order("A-1T", "accepted", order_type="LIMIT")}

        assert next_steps(bracket(**rests, exit=make.refusal("A-1X"))) == ()

    def test_is_not_the_rest_where_shares_came_late_and_were_sold(self, bracket, order, make):
        """Both exits ended with the day; four came late and were sold in the morning, and the others have exits."""
        night = {"stop": order("A-1S", "accepted", "expired", intended_ns=5), "is_carried": True, "day_began_ns": 6}
        sold = advance(
            order("A-1X", "accepted", order_type="MARKET", quantity=4),
            make.filled("A-1X", side="SELL", quantity=4),
        )
        morning = functools.partial(bracket, prices=(None, 95.0), **night)

        assert [(each.client_order_id, each.quantity) for each in next_steps(morning(late=4))] == [("A-1X", 4)]
        assert [(each.client_order_id, each.quantity) for each in next_steps(morning(exit=sold))] == [("A-1S1", 6)]
        assert lost_its_stop(morning(exit=sold)) == 0

    def test_is_told_to_have_lost_its_stop_where_nothing_is_placed_any_more(self, bracket, order):
        night = {"stop": order("A-1S", "accepted", "expired", intended_ns=5), "is_carried": True, "day_began_ns": 6}
        taken = order("A-1X", "accepted", "cancelled", order_type="MARKET", quantity=4)
        found = bracket(prices=(None, 95.0), exit=taken, late=4, **night)

        assert next_steps(found) == ()
        assert lost_its_stop(found) == 10
        assert lost_its_stop(replace(found, day_began_ns=0)) == 0


class TestATargetThatNeverCame:
    @pytest.mark.parametrize(
        ("facts", "is_told"),
        [
            (None, False),
            ((), False),
            (("rejected",), True),
            (("expired",), True),
            (("accepted", "expired"), False),
            (("accepted", "cancelled"), False),
        ],
    )
    def test_is_told_as_long_as_something_is_held(self, bracket, order, facts, is_told):
        target = None if facts is None else order("A-1T", *facts, order_type="LIMIT")

        assert has_no_target(bracket(target=target)) is is_bare(bracket(target=target)) is is_told
        assert not has_no_target(bracket(target=target, sold=10))
        assert not has_no_target(bracket(target=target, exit=order("A-1X", order_type="MARKET")))

    def test_is_told_where_our_gate_refused_it(self, bracket, make):
        assert has_no_target(bracket(target=make.refusal("A-1T")))

    @pytest.mark.parametrize(
        ("stop", "target", "is_watched"),
        [
            (("accepted",), ("rejected",), True),
            (("accepted",), ("accepted",), False),
            (("accepted",), None, False),
            (("accepted", "cancelled"), ("rejected",), False),
            (("accepted", "asked"), ("rejected",), False),
            ((), ("rejected",), False),
            (None, ("rejected",), False),
        ],
    )
    def test_is_watched_where_the_stop_stands_alone(self, bracket, order, stop, target, is_watched):
        known = None if stop is None else order("A-1S", *(each for each in stop if each != "asked"))
        if stop and "asked" in stop:
            asked = CancellationIntended(client_order_id="A-1S", number=1, asked_by="asha", occurred_ns=1)
            known = advance(known, asked)
        found = bracket(stop=known, target=None if target is None else order("A-1T", *target, order_type="LIMIT"))

        assert watched_stop(found) == (known if is_watched else None)
        assert watched_stop(replace(found, sold=10)) is None

    @pytest.mark.parametrize(
        ("side", "price", "is_so"),
        [("BUY", 109.9, False), ("BUY", 110.0, True), ("SELL", 110.0, True), ("SELL", 110.1, False)],
    )
    def test_is_reached_from_the_side_of_what_is_held(self, make, side, price, is_so):
        assert is_at_target(Order.from_intent(make.intent(side=side, target_price=110.0)), price) is is_so
        assert not is_at_target(Order.from_intent(make.intent(side=side)), price)


class TestOrdersAtTheMarketThatFailed:
    def market(self, order, *facts, name="X"):
        return order(f"A-1{name}", *facts, order_type="MARKET")

    def test_are_the_newest_ones_behind_the_last_that_was_in_the_market(self, bracket, order):
        never, was = self.market(order, "rejected"), self.market(order, "accepted", "cancelled")

        assert failures(bracket(earlier=(never, was), exit=never)) == 1
        assert failures(bracket(earlier=(was, never), exit=never)) == 2
        assert failures(bracket(earlier=(never, never), exit=was)) == 0
        assert failures(bracket(earlier=(never,), exit=self.market(order))) == 1, "one on its way is neither"
        assert failures(bracket()) == 0

    def test_are_those_that_give_back_where_nothing_is_held(self, bracket, order, make):
        never = self.market(order, "rejected")
        back = {"returns": (never, make.refusal("A-1R")), "surplus": 3}

        assert failures(bracket(sold=10, **back)) == 2
        assert failures(bracket(**back)) == 0
        assert unguarded(bracket(sold=10, **back)) == 3
        assert unguarded(bracket(sold=10, stop=order("A-1S", "accepted"), **back)) == 0

    @pytest.mark.parametrize(
        ("facts", "late", "wanted"),
        [
            ((), 0, []),
            (("accepted",), 0, []),
            (("rejected",), 0, [("A-1Y", 10)]),
            (("accepted", "expired"), 0, []),
            (("accepted", "expired"), 4, [("A-1Y", 4)]),
            (("accepted", "cancelled"), 4, []),
        ],
    )
    def test_are_followed_by_another_where_they_failed_or_shares_came_late(self, both, facts, late, wanted):
        bracket, order = both
        found = bracket(stop=order("A-1S", "rejected"), exit=self.market(order, *facts), late=late)

        assert [(each.client_order_id, each.quantity) for each in close_at_market(found)] == wanted
        assert all((each.order_type, each.side) == ("MARKET", "SELL") for each in close_at_market(found))

    def test_are_followed_where_our_gate_refused_one_or_there_is_none_yet(self, bracket, order, make):
        stop = order("A-1S", "rejected")

        assert named(close_at_market(bracket(stop=stop))) == [("Submit", "X")]
        assert named(close_at_market(bracket(stop=stop, exit=make.refusal("A-1X")))) == [("Submit", "Y")]
        on_its_way = submit(bracket().entry, "exit", 10)
        assert close_at_market(bracket(stop=stop, exit=on_its_way)) == ()

    def test_are_followed_by_another_also_where_the_stop_has_traded_after_all(self, bracket, order, make):
        traded = advance(order("A-1S", "expired"), make.filled("A-1S", side="SELL", quantity=3))
        found = bracket(stop=traded, exit=self.market(order, "rejected"))

        assert [(each.client_order_id, each.quantity) for each in next_steps(found)] == [("A-1Y", 7)]
        assert next_steps(replace(found, exit=self.market(order, "accepted", "cancelled"))) == ()

    def test_are_followed_where_their_strategy_took_them_back_to_close_it_itself(self, bracket, order):
        asked = CancellationIntended(client_order_id="A-1X", number=1, asked_by=SQUARED_OFF, occurred_ns=1)
        taken = advance(advance(self.market(order, "accepted"), asked), order("A-1X", "accepted").intent)
        taken = replace(taken, state="CANCELLED", evidence="CANCELLED")
        found = bracket(stop=order("A-1S", "rejected"), exit=taken)

        assert [each.client_order_id for each in close_at_market(found)] == ["A-1Y"]

    def test_are_followed_by_one_for_the_rest_where_one_was_for_fewer(self, bracket, order, make):
        sold = advance(self.market(order, "accepted"), make.filled("A-1X", side="SELL", quantity=10))
        part = replace(sold, quantity=4, filled=4)
        found = bracket(stop=order("A-1S", "rejected"), exit=part)

        assert [(each.client_order_id, each.quantity) for each in close_at_market(found)] == [("A-1Y", 6)]
        assert close_at_market(bracket(stop=order("A-1S", "accepted", "cancelled"), exit=part)) == ()
        assert [each.quantity for each in close_at_market(replace(found, order_max=5))] == [5]

    def test_come_when_all_else_has_ended(self, bracket, order):
        rejected, target = order("A-1S", "rejected"), order("A-1T", "accepted", order_type="LIMIT")

        assert close_at_market(bracket(stop=rejected, target=target)) == (CancelOrder(client_order_id="A-1T"),)
        assert close_at_market(bracket(stop=rejected, filled=9, is_open=True)) == ()
        assert [each.quantity for each in close_at_market(bracket(stop=rejected, filled=9))] == [9]
        assert close_at_market(bracket(stop=rejected, free=0)) == ()


class TestWhatMayBeClosedOrGivenBack:
    @pytest.mark.parametrize(
        ("shares", "agreed", "closable"),
        [
            (10, (), (10, 0)),
            (-4, (), (0, 4)),
            (0, (), (0, 0)),
            (10, (10, 6), (6, 0)),
            (10, (6, 10), (6, 0)),
            (10, (10, -5), (0, 0)),
            (-4, (-4, -2), (0, 2)),
            (-4, (-4, 3), (0, 0)),
        ],
    )
    def test_is_what_is_held_on_each_side_by_every_book(self, bracket, side, shares, agreed, closable):
        sign = 1 if side == "BUY" else -1
        found = as_it_stands(
            bracket(side=side).entry,
            lambda _: None,
            (),
            shares=sign * shares,
            late=1,
            sold=2,
            surplus=7,
            agreed=tuple(sign * each for each in agreed),
        )

        assert (found.free, found.returnable, found.held) == (*closable, max(shares, 0))
        assert (found.late, found.sold, found.surplus) == (1, 2, 7)
        assert (found.order_max, found.is_carried, found.day_began_ns, found.day) == (None, False, 0, 0)

    def test_is_less_by_what_exits_of_its_other_brackets_are_for(self, bracket, order, make, side):
        sign = 1 if side == "BUY" else -1
        one, other = bracket(side=side).entry, replace(bracket(side=side).entry, client_order_id="C-1")
        against = replace(other, client_order_id="D-1", side=SIDES[side])
        elsewhere = [
            replace(other, client_order_id="E-1", symbol="TCS"),
            replace(other, client_order_id="F-1", strategy="o"),
        ]
        exits = {
            "C-1S": order("C-1S", "accepted", side=SIDES[side], quantity=6),
            "C-1T": order("C-1T", "accepted", side=SIDES[side], quantity=4, order_type="LIMIT"),
            **{f"{each}S": order(f"{each}S", "accepted", quantity=5) for each in ("A-1", "D-1", "E-1", "F-1")},
        }
        stands = functools.partial(as_it_stands, one, exits.get, late=0, sold=0, surplus=0)

        assert stands((one, other, against, *elsewhere), shares=sign * 10).free == 4
        assert stands((one, other), shares=sign * 4).free == 0
        assert stands((one, against), shares=-sign * 9).returnable == 4
        assert stands((one, other), shares=sign * 10).stop is exits["A-1S"]


class TestAnExitThatRests:
    def steps(self, bracket, order, *, leg="stop", quantity, modifications, **fields):
        name, kind = {"stop": ("A-1S", "STOP"), "target": ("A-1T", "LIMIT")}[leg]
        known = order(name, "accepted", quantity=quantity, order_type=kind, modifications=modifications)
        prices = (None, 95.0) if leg == "stop" else (110.0, None)
        return exit_steps(bracket(prices=prices, **{leg: known} | fields))

    @pytest.mark.parametrize("leg", ["stop", "target"])
    def test_is_changed_to_what_is_held(self, bracket, order, leg):
        name = {"stop": "A-1S", "target": "A-1T"}[leg]
        for quantity in (4, 14):
            steps = self.steps(bracket, order, leg=leg, quantity=quantity, modifications=CHANGES_MAX - 1)
            assert steps == (ModifyOrder(client_order_id=name, quantity=10),)
        assert self.steps(bracket, order, leg=leg, quantity=10, modifications=0) == ()

    @pytest.mark.parametrize("facts", [(), ("accepted", "cancelled"), ("accepted", "expired"), ("rejected",)])
    def test_is_changed_neither_before_the_broker_has_it_nor_when_it_has_ended(self, bracket, order, facts):
        stop = order("A-1S", *facts, quantity=4)

        assert exit_steps(bracket(prices=(None, 95.0), stop=stop)) == ()
        assert exit_steps(bracket(prices=(None, 95.0), stop=replace(stop, broker_order_id=""))) == ()

    def test_is_changed_once_at_a_time(self, bracket, order):
        asked = Pending(number=1, quantity=6, limit_price=None, trigger_price=95.0, intended_ns=1)
        stop = order("A-1S", "accepted", quantity=4, pending=asked, modifications=1)

        assert exit_steps(bracket(prices=(None, 95.0), stop=stop)) == ()

    @pytest.mark.parametrize(
        ("leg", "quantity", "is_cancelled"),
        [("stop", 4, True), ("stop", 14, True), ("target", 4, False), ("target", 14, True)],
    )
    def test_that_can_be_changed_no_more_is_cancelled_where_it_would_do_harm(
        self, bracket, order, leg, quantity, is_cancelled
    ):
        steps = self.steps(bracket, order, leg=leg, quantity=quantity, modifications=CHANGES_MAX)

        assert [type(each) for each in steps] == [CancelOrder] * is_cancelled

    @pytest.mark.parametrize(
        ("quantity", "sold", "modifications", "is_left"),
        [
            (8, 4, SALES_MAX, True),
            (10, 4, SALES_MAX, True),
            (11, 4, SALES_MAX, False),
            (8, 4, SALES_MAX - 1, False),
            (5, 4, SALES_MAX, False),
        ],
    )
    def test_is_left_as_it_is_after_so_many_changes_where_others_sold(
        self, both, quantity, sold, modifications, is_left
    ):
        bracket, order = both
        steps = self.steps(bracket, order, quantity=quantity, modifications=modifications, sold=sold)

        assert steps == (() if is_left else (ModifyOrder(client_order_id="A-1S", quantity=6),))

    @pytest.mark.parametrize(
        ("quantity", "modifications", "is_open", "grows"),
        [
            (6, GROWTHS_MAX - 1, True, True),
            (6, GROWTHS_MAX, True, False),
            (4, GROWTHS_MAX, True, True),
            (5, GROWTHS_MAX, True, False),
            (4, SALES_MAX, True, False),
            (6, GROWTHS_MAX, False, True),
            (14, GROWTHS_MAX, True, True),
        ],
    )
    def test_grows_less_often_while_its_entry_fills(self, both, quantity, modifications, is_open, grows):
        bracket, order = both
        fields = {"filled": 9, "is_open": is_open}
        steps = self.steps(bracket, order, quantity=quantity, modifications=modifications, **fields)

        assert steps == ((ModifyOrder(client_order_id="A-1S", quantity=9),) if grows else ())


class TestATargetBesideItsStop:
    @pytest.mark.parametrize(
        ("facts", "waits"),
        [(None, True), ((), True), (("accepted",), False), (("uncertain",), False), (("rejected",), False)],
    )
    def test_is_placed_when_the_stop_is_answered(self, bracket, order, facts, waits):
        found = bracket(stop=None if facts is None else order("A-1S", *facts))
        target, stop = (submit(found.entry, leg, 10) for leg in ("target", "stop"))

        assert goes_second(target, found) is waits
        assert not goes_second(stop, found)
        assert not goes_second(ModifyOrder(client_order_id="A-1T", quantity=3), found)

    def test_waits_for_nothing_where_the_stop_is_on_its_way_or_there_is_to_be_none(self, bracket, make):
        found = bracket()
        target, stop = (submit(found.entry, leg, 10) for leg in ("target", "stop"))

        assert goes_second(target, bracket(stop=stop))
        assert not goes_second(target, bracket(stop=make.refusal("A-1S")))
        assert not goes_second(target, bracket(prices=(110.0, None)))

    def test_waits_for_that_of_a_new_day(self, bracket, order):
        stop = order("A-1S", "accepted", "expired")
        target = submit(bracket().entry, "target", 10)
        began = {"stop": stop, "is_carried": True}

        assert goes_second(target, bracket(**began, day_began_ns=stop.intended_ns + 1))
        assert not goes_second(target, bracket(**began, day_began_ns=stop.intended_ns))


class TestANewDay:
    @pytest.mark.parametrize(
        ("facts", "is_carried", "asked_by", "is_so"),
        [
            (("accepted", "expired"), True, "", True),
            (("accepted", "expired"), False, "", False),
            (("accepted", "cancelled"), True, "", False),
            (("expired",), True, "", False),
            (("accepted",), True, "", False),
            (("accepted", "expired"), True, "asha", False),
            (("accepted", "expired"), True, BRACKET, True),
            (("accepted", "expired"), True, JUMPED_OVER, True),
            (("accepted", "expired"), True, REACHED, True),
            (("accepted", "expired"), True, SQUARED_OFF, True),
        ],
    )
    def test_has_an_exit_again_that_ended_with_the_day(self, both, facts, is_carried, asked_by, is_so):
        bracket, order = both
        stop = order("A-1S", *facts)
        if asked_by:
            asked = CancellationIntended(client_order_id="A-1S", number=1, asked_by=asked_by, occurred_ns=1)
            stop = advance(stop, asked)
        found = bracket(stop=stop, is_carried=is_carried)

        assert comes_back(stop, found) is waits_for_a_day(found) is is_so
        assert was_taken_back(stop) is (asked_by == "asha")
        assert not waits_for_a_day(bracket(stop=stop, is_carried=is_carried, sold=10))

    @pytest.mark.parametrize(
        ("facts", "is_carried", "asked_by", "is_so"),
        [
            (("accepted", "expired"), True, "", True),
            (("accepted", "expired"), False, "", False),
            (("accepted", "cancelled"), True, "", False),
            (("accepted", "expired"), True, "asha", False),
        ],
    )
    def test_closes_at_the_market_what_such_an_order_did_not_until_its_day_was_over(
        self, both, facts, is_carried, asked_by, is_so
    ):
        bracket, order = both
        last = order("A-1X", *facts, order_type="MARKET", intended_ns=5)
        last = asked(last, asked_by) if asked_by else last
        found = bracket(stop=order("A-1S", "rejected"), exit=last, is_carried=is_carried)
        morning = replace(found, day_began_ns=6)

        assert next_steps(found) == ()
        assert (leaves_again(found), waits_for_a_day(found), is_done(found)) == (is_so, is_so, not is_so)
        assert [(each.client_order_id, each.quantity) for each in next_steps(morning)] == [("A-1Y", 10)] * is_so
        assert not waits_for_a_day(morning)
        assert not waits_for_a_day(replace(found, sold=10))

    def test_closes_nothing_more_where_all_orders_at_the_market_were_used_up(self, bracket, order):
        last = order("A-1X", "accepted", "expired", order_type="MARKET", intended_ns=5)
        found = bracket(stop=order("A-1S", "rejected"), earlier=(last,) * 7, exit=last, is_carried=True, day_began_ns=6)

        assert not leaves_again(found)
        assert next_steps(found) == ()
        assert lost_its_stop(found) == 10

    def test_has_exits_of_its_own_number_at_the_prices_of_the_day_before(self, bracket, order):
        stop = order("A-1S", "accepted", "expired", trigger_price=96.0, intended_ns=5)
        target = order("A-1T", "accepted", "expired", order_type="LIMIT", limit_price=111.0, intended_ns=5)
        day = {"stop": stop, "target": target, "is_carried": True, "day_began_ns": 6}

        def placed(**fields):
            steps = exit_steps(bracket(**day | fields))
            return [(each.client_order_id, each.quantity, each.trigger_price, each.limit_price) for each in steps]

        assert placed() == [("A-1S1", 10, 96.0, None), ("A-1T1", 10, None, 111.0)]
        today = order("A-1S1", "accepted", trigger_price=96.0, intended_ns=6)
        assert placed(stop=today, day=1) == [("A-1T1", 10, None, 111.0)]
        assert placed(stop=submit(bracket().entry, "stop", 10), day=1) == [("A-1T1", 10, None, 111.0)]
        assert placed(free=0) == []
        over = replace(target, client_order_id="A-1T1")
        assert placed(stop=today, target=over, day=1) == [("A-1T2", 10, None, 111.0)]

    def test_has_the_number_behind_the_newest_whichever_of_both_has_that(self, bracket, order, make):
        stop = order("A-1S1", "accepted", "expired", intended_ns=5)
        target = order("A-1T", "accepted", "expired", order_type="LIMIT", limit_price=111.0, intended_ns=5)
        day = {"day": 1, "is_carried": True, "day_began_ns": 6}

        both_over = exit_steps(bracket(stop=stop, target=target, **day))
        assert [each.client_order_id for each in both_over] == ["A-1S2", "A-1T2"]
        began = exit_steps(bracket(stop=replace(stop, state="ACCEPTED", intended_ns=6), target=target, **day))
        assert [each.client_order_id for each in began] == ["A-1T1"]
        alone = exit_steps(bracket(stop=stop, target=make.refusal("A-1T"), **day))
        assert [each.client_order_id for each in alone] == ["A-1S2"]

    @pytest.mark.parametrize(
        ("length", "day", "is_so"), [(23, 0, True), (23, 34, True), (23, 35, False), (22, 35, True), (24, 0, False)]
    )
    def test_has_exits_as_far_as_their_id_has_room_for_its_number(self, both, length, day, is_so):
        bracket, order = both
        entry = replace(bracket().entry, client_order_id="A" * length)
        stop = order("A-1S", "accepted", "expired")

        assert comes_back(stop, bracket(entry=entry, stop=stop, is_carried=True, day=day)) is is_so

    @pytest.mark.parametrize(
        "facts", [("accepted",), ("accepted", "cancelled"), ("rejected",), ("accepted", "expired")]
    )
    def test_has_begun_for_no_exit_but_one_that_comes_back(self, both, facts):
        bracket, order = both
        stop = order("A-1S", *facts, intended_ns=5)

        assert is_due(stop, bracket(stop=stop, is_carried=True, day_began_ns=6)) is (facts[-1] == "expired")

    def test_begins_for_exits_that_were_made_before(self, bracket, order):
        stop = order("A-1S", "accepted", "expired", intended_ns=1_000)
        for began_ns, is_so in ((0, False), (1_000, False), (1_001, True)):
            found = bracket(stop=stop, is_carried=True, day_began_ns=began_ns)
            assert is_due(stop, found) is is_so
            assert waits_for_a_day(found) is not is_so
        assert not is_due(None, found)
        assert is_done(bracket(stop=stop, sold=10)), "nothing is held"
        assert is_done(bracket(stop=stop, sold=10, is_carried=True))
        assert not is_done(bracket(stop=stop, is_carried=True, prices=(None, 95.0))), "the stop alone comes back"
        assert not is_done(bracket(stop=stop, is_carried=True))


class TestWhatIsDoneFirst:
    def test_is_the_end_of_the_entry_where_an_exit_has_traded_or_all_has_to_leave(self, bracket, order, make):
        rests = order("A-1S", "accepted")
        traded = advance(rests, make.filled("A-1S", side="SELL", quantity=4))
        end = CancelOrder(client_order_id="A-1")

        assert end not in next_steps(bracket(filled=9, is_open=True, stop=rests))
        assert next_steps(bracket(filled=9, is_open=True, stop=traded))[0] == end
        assert next_steps(bracket(filled=9, is_open=True, stop=order("A-1S", "rejected")))[0] == end
        assert end not in next_steps(bracket(stop=traded))

    def test_is_nothing_while_its_entry_waits(self, bracket, order):
        assert next_steps(bracket(filled=0, is_open=True)) == ()
        assert not is_done(bracket(filled=0, is_open=True))
        assert is_done(bracket(filled=0))
        assert not is_done(bracket(stop=order("A-1S", "rejected"))), "it is to be closed"

    @pytest.mark.parametrize(
        ("is_open", "traded", "steps"),
        [
            (True, 0, [("Cancel", "")]),
            (True, 4, [("Cancel", ""), ("Cancel", "S")]),
            (False, 0, [("Cancel", "S")]),
            (False, 4, [("Cancel", "S")]),
        ],
    )
    def test_is_the_end_of_its_entry_and_then_of_its_exits_where_others_have_closed_all(
        self, both, make, is_open, traded, steps
    ):
        bracket, order = both
        stop = order("A-1S", "accepted")
        if traded:
            stop = advance(stop, make.filled("A-1S", side="SELL", quantity=traded))
        found = bracket(filled=9, is_open=is_open, stop=stop, sold=9 - traded)

        assert named(next_steps(found)) == steps
        assert next_steps(replace(found, stop=None, sold=9)) == ()

    def test_closes_at_the_market_by_an_order_that_is_no_return(self, bracket):
        entry = bracket().entry

        assert [
            closes_at_market(submit(entry, leg, 1)) for leg in ("exit", "eighth_exit", "return", "stop", "target")
        ] == [*(True, True, False, False, False)]
        assert not closes_at_market(CancelOrder(client_order_id="A-1X"))


class TestAnOrderThatClosesBesideTheBracket:
    @pytest.mark.parametrize(
        ("fields", "is_so"),
        [
            ({}, True),
            ({"order_type": "LIMIT", "limit_price": 99.0}, False),
            ({"strategy": "other"}, False),
            ({"symbol": "TCS"}, False),
            ({"side": "same"}, False),
            ({"client_order_id": "B-1X"}, False),
        ],
        ids=["at the market", "at a limit", "of another strategy", "of another symbol", "to open more", "an exit"],
    )
    def test_is_one_of_its_strategy_at_the_market(self, bracket, make, side, fields, is_so):
        entry = bracket(side=side).entry
        sides = {"side": side if fields.get("side") == "same" else SIDES[side]}
        one = make.order(**{"client_order_id": "B-1"} | fields | sides)

        assert is_sold_besides(entry, [one]) is is_so
        assert is_sold_besides(entry, [make.order("B-2", side=side), one]) is is_so
        assert not is_sold_besides(entry, [])


class TestTheExitsOfSomeDays:
    def test_are_the_newest_and_those_that_are_past(self, bracket, order):
        names = ("A-1S", "A-1T", "A-1S1", "A-1T2")
        known = {name: order(name, "accepted", quantity=10) for name in names}
        stands = functools.partial(as_it_stands, bracket().entry, shares=10, late=0, sold=0, surplus=0, beside=())

        found = stands(known.get)
        assert (found.stop, found.target, found.day) == (known["A-1S1"], known["A-1T2"], 2)
        assert found.past == (known["A-1T"], known["A-1S"])
        assert (newest_exit(known.get, "A-1", "stop"), newest_exit(known.get, "A-1", "target")) == (
            known["A-1S1"],
            known["A-1T2"],
        )
        none = stands({}.get)
        assert (none.stop, none.target, none.day, none.past) == (None, None, 0, ())
        assert newest_exit({}.get, "A-1", "stop") is None

    @pytest.mark.parametrize(
        ("leg", "words"),
        [
            ("target", "is the target of the bracket A-1"),
            ("stop", "is the stop loss of the bracket A-1"),
            ("exit", "closes at the market what had no other exit of the bracket A-1"),
            ("second_return", "gives back what the exits of the bracket A-1 have traded too much"),
        ],
    )
    def test_say_what_they_are_for(self, leg, words):
        assert purpose(leg_id("A-1", leg)) == words
        assert purpose("A-1") == ""


def test_an_order_is_on_its_way_until_the_broker_has_it_or_it_has_traded(order, bracket):
    rests = order("A-1S", "accepted")

    assert is_on_its_way(order("A-1S"))
    assert is_on_its_way(submit(bracket().entry, "stop", 1))
    assert not is_on_its_way(rests)
    assert not is_on_its_way(replace(rests, broker_order_id="", filled=1))
    assert not is_on_its_way(order("A-1S", "rejected"))


def test_a_part_of_an_order_is_submitted_by_other_terms_and_is_else_as_it_was(make):
    order = Order.from_intent(make.intent(side="SELL", order_type="STOP_LIMIT", limit_price=9.0, trigger_price=10.0))
    order = replace(order, product="CNC", validity="IOC")
    part = as_submitted(order, quantity=3, limit_price=7.0, trigger_price=8.0, reference_price=6.0, reference_ns=5)

    assert part == make.order(
        side="SELL",
        quantity=3,
        order_type="STOP_LIMIT",
        limit_price=7.0,
        trigger_price=8.0,
        validity="IOC",
        product="CNC",
        reference_price=6.0,
        reference_ns=5,
    )
    assert part.submitted_ns == 0
    unseen = as_submitted(order, quantity=3, limit_price=7.0, trigger_price=8.0)
    assert unseen == replace(part, reference_price=0.0, reference_ns=0)

"""Where the broker has another position than the book, an order closes what it closes by both."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_builders import BUILDERS as MAKE

from natya.actors.orders.book import Book
from natya.actors.orders.book.listing import positions
from natya.actors.orders.modifications import refusal_of
from natya.actors.orders.rules import Situation
from natya.actors.orders.rules.state import risk_state
from natya.domain.closing import TheirBook
from natya.messages.broker import OrderPlaced, OrderReplaced, PlaceOrder, ReplaceOrder, WithdrawOrder
from natya.messages.order_listing import CancelOrders
from natya.messages.orders import ModifyOrder, OrderCancelled, OrderFilled, OrderIntended, OrderRefused
from natya.messages.reconciliation import PositionMismatch, PositionsDiffer
from natya.messages.risk import FreezeQuantitiesTold
from natya.messages.risk_state import ReduceOnly
from natya.messages.system import Ping

COMPARED_NS = 1_791_181_800_000_000_000
HOW = "10 held here, -10 at the broker, compared 2026-10-05 12:00:00 IST"
SIDES = st.sampled_from(["BUY", "SELL"])


def differs(ours, theirs, product="", symbol="INFY", others=0):
    return PositionMismatch(
        symbol=symbol,
        ours=ours,
        theirs=theirs,
        is_ours=True,
        since_ns=COMPARED_NS,
        occurred_ns=COMPARED_NS,
        product=product,
        others=others,
    )


def a_book(*facts):
    book = Book()
    for fact in facts:
        book.apply(fact)
    return book


def holding(shares, name="H-1", **fields):
    """The facts of so many signed shares."""
    if not shares:
        return []
    side = "BUY" if shares > 0 else "SELL"
    return [
        MAKE.intent(name, side=side, quantity=abs(shares), **fields),
        MAKE.filled(name, trade_id=f"T-{name}", side=side, quantity=abs(shares)),
    ]


def a_situation(book, *differing, **fields):
    fields = {"risk_state": "REDUCING", "limits": MAKE.limits(), "intents": {}, "now_ns": COMPARED_NS} | fields
    return Situation(book=book, theirs=TheirBook(differing), **fields)


@given(
    ours=st.integers(-20, 20),
    theirs=st.integers(-20, 20),
    in_product=st.tuples(st.integers(-20, 20), st.integers(-20, 20)),
    others=st.lists(st.tuples(SIDES, st.integers(1, 10), st.sampled_from(["CNC", None])), max_size=3),
    side=SIDES,
    quantity=st.integers(1, 25),
    product=st.sampled_from(["CNC", None]),
    state=st.sampled_from(["REDUCING", "HALTED", "NORMAL"]),
)
def test_no_order_that_passes_makes_a_position_greater_by_either_book(  # noqa: PLR0913, PLR0917
    ours, theirs, in_product, others, side, quantity, product, state
):
    """Together with all that is open: in sum, and in its product. `in_product`: by our book, and by the broker's."""
    facts = [*holding(ours - in_product[0]), *holding(in_product[0], "H-2", product="CNC")]
    facts += [MAKE.intent(f"O-{at}", side=s, quantity=q, product=p) for at, (s, q, p) in enumerate(others)]
    situation = a_situation(
        a_book(*facts),
        differs(ours, theirs),
        differs(in_product[0], in_product[1], "CNC"),
        differs(ours - in_product[0], theirs - in_product[1], "INTRADAY"),
        risk_state=state,
        closes=state != "REDUCING",
    )
    order = MAKE.order("A-1", side=side, quantity=quantity, product=product)
    passes = not risk_state(order, situation)
    if state == "REDUCING":
        assert situation.opens(order) != passes

    def left(name):
        return sum(q for s, q, p in others if s == side and name in {"", p or "INTRADAY"})

    views = [(ours, ""), (theirs, "")]
    views += [(each, "CNC") for each in in_product] if product else []
    views += [] if product else [(ours - in_product[0], "INTRADAY"), (theirs - in_product[1], "INTRADAY")]
    sign = 1 if side == "BUY" else -1
    reached = [sign * view + left(name) for view, name in views]

    assert passes == all(each + quantity <= 0 for each in reached)


@pytest.mark.parametrize(
    ("differs_in", "product", "told"),
    [
        (("CNC", ""), "CNC", "held as CNC here"),
        (("CNC", ""), None, "held here"),
        (("INTRADAY", ""), None, "held as INTRADAY here"),
        (("INTRADAY",), None, "held as INTRADAY here"),
        (("INTRADAY",), "CNC", ""),
    ],
    ids=str,
)
def test_a_refusal_tells_the_difference_in_the_product_of_the_order_or_else_in_all(differs_in, product, told):
    found = [differs(10, 4, name) for name in differs_in]
    situation = a_situation(a_book(*holding(10)), *found)
    reason = risk_state(MAKE.order("A-1", side="SELL", quantity=11, product=product), situation)

    assert reason.partition(", found 11")[2] == (
        f": 10 {told}, 4 at the broker, compared 2026-10-05 12:00:00 IST" if told else ""
    )


@pytest.mark.parametrize("product", [None, "CNC"], ids=str)
@pytest.mark.parametrize(("quantity", "opens"), [(10, False), (11, True)])
def test_whether_an_order_opens_is_not_asked_of_a_position_in_another_symbol(product, quantity, opens):
    book = a_book(*holding(10, product="CNC"))
    order = MAKE.order("A-1", side="SELL", quantity=quantity, product=product)

    assert a_situation(book, differs(10, -10, symbol="TCS")).opens(order) is opens
    assert a_situation(book).opens(order) is opens


@pytest.mark.parametrize(("side", "sign"), [("SELL", 1), ("BUY", -1)])
@pytest.mark.parametrize(("quantity", "opens"), [(6, False), (7, True)])
def test_an_order_opens_from_the_first_share_on_that_it_does_not_close_by_both(side, sign, quantity, opens):
    situation = a_situation(a_book(*holding(10 * sign)), differs(10 * sign, 6 * sign))

    assert situation.opens(MAKE.order("A-1", side=side, quantity=quantity)) is opens


@pytest.mark.parametrize(("side", "sign"), [("SELL", 1), ("BUY", -1)])
@pytest.mark.parametrize(("quantity", "passes"), [(4, True), (5, False)])
def test_an_order_closes_no_more_of_its_product_than_the_broker_has_though_the_sum_agrees(side, sign, quantity, passes):
    situation = a_situation(a_book(*holding(10 * sign)), differs(10 * sign, 4 * sign, "INTRADAY"))

    assert (risk_state(MAKE.order("A-1", side=side, quantity=quantity), situation) == "") is passes


@pytest.mark.parametrize("state", ["STARTING", "RECONCILING"])
def test_a_person_closes_nothing_before_the_book_is_known_to_be_right(state):
    situation = a_situation(a_book(*holding(10)), risk_state=state, closes=True)

    assert risk_state(MAKE.order("A-1", side="SELL"), situation) == f"risk state NORMAL wanted, found {state}"


@pytest.mark.parametrize("named", [None, "INTRADAY", "CNC"], ids=str)
@pytest.mark.parametrize("product", [None, "INTRADAY", "CNC"], ids=str)
def test_an_order_closes_what_is_held_in_its_product_alone(named, product):
    """Named by neither it is that of the settings; an order beside shares that none named counts as such."""
    situation = a_situation(a_book(*holding(10, product=named)), product="INTRADAY")
    reason = risk_state(MAKE.order("A-1", side="SELL", product=product), situation)

    assert (reason == "") is ((named or "INTRADAY") == (product or "INTRADAY"))


@pytest.fixture
def differing(stage):
    """Ten shares by the book, of which the broker says that ten are short."""
    stage.open(*holding(10))
    stage.tell(PositionsDiffer(positions=(differs(10, -10),)))
    stage.tell(ReduceOnly(reason="the broker's books differ"))
    stage.settle()
    return stage


@pytest.mark.parametrize(("side", "sign"), [("SELL", 1), ("BUY", -1)])
@pytest.mark.parametrize(("quantity", "passes"), [(6, True), (7, False)])
def test_an_order_closes_what_others_of_its_product_and_side_leave(side, sign, quantity, passes):
    """Ten are held as CNC and ten as INTRADAY; four of the first are about to be closed."""
    facts = [*holding(10 * sign, product="CNC"), *holding(10 * sign, "H-2")]
    facts += [MAKE.intent("O-1", side=side, quantity=4, product="CNC")]
    order = MAKE.order("A-1", side=side, quantity=quantity, product="CNC")

    assert (risk_state(order, a_situation(a_book(*facts))) == "") is passes


def test_positions_are_compared_from_the_first_look_on_of_which_nothing_is_in_doubt(stage):
    stage.open()
    found = []
    for is_in_doubt in (True, False, True):
        stage.tell(PositionsDiffer(positions=(), is_in_doubt=is_in_doubt))
        stage.settle()
        found.append(stage.system.base.find("orders").instance._context.is_compared)

    assert found == [False, True, True]


class TestInAPositionThatDiffers:
    def test_an_order_that_closes_by_our_book_alone_is_refused_and_told_what_both_say(self, differing, make):
        differing.submit(make.order("A-1", side="SELL", quantity=1))
        differing.settle()

        (fact,) = (each for each in differing.disk.facts if isinstance(each, OrderRefused))
        assert fact.reason == f"in REDUCING at most 0 shares may be closed by SELL, found 1: {HOW}"

    @pytest.mark.parametrize(("quantity", "passes"), [(4, True), (5, False)])
    def test_one_passes_up_to_the_lesser_of_both(self, differing, make, quantity, passes):
        differing.tell(PositionsDiffer(positions=(differs(10, 4),)))
        differing.submit(make.order("A-1", side="SELL", quantity=quantity))
        differing.settle()

        assert differing.disk.kinds("A-1")[0] is (OrderIntended if passes else OrderRefused)

    def test_an_order_in_another_symbol_passes_and_in_this_one_when_they_agree_again(self, differing, make):
        differing.tell(PositionsDiffer(positions=()))
        differing.submit(make.order("A-1", side="SELL", quantity=10))
        differing.settle()

        assert differing.disk.kinds("A-1")[0] is OrderIntended

    def test_that_is_still_known_after_a_restart_in_place(self, differing, make):
        differing.system.request("orders", Ping())
        handed_over = differing.system.base.find("orders").instance.snapshot()

        assert (differs(10, -10),) in handed_over

    def test_and_in_orders_that_differ_is_still_known_when_orders_has_failed(self, stage, make):
        stage.open(make.intent(), make.accepted())
        stage.tell(PositionsDiffer(positions=(differs(10, -10),), orders=("A-1",)))
        stage.tell(FreezeQuantitiesTold(of={"INFY": 6}))
        first = stage.system.base.find("orders").instance
        reads, stage.disk.mode = stage.disk.reads, "fail"
        stage.submit(make.order("Z-1", strategy="other", symbol="TCS"))
        stage.wait_until(lambda: stage.disk.reads > reads)
        stage.disk.mode = "write"
        stage.wait_until(lambda: hasattr(stage.statistics, "risk_state"))
        context = stage.system.base.find("orders").instance._context

        assert context is not first._context
        assert context.theirs.differing == (differs(10, -10),)
        assert (context.changed_there, context.freeze_quantities) == ({"A-1"}, {"INFY": 6})

    def test_what_is_told_of_positions_has_both_sides_with_our_trades_since(self, make):
        book = a_book(
            *holding(10), make.intent("A-1", side="SELL", quantity=4), make.filled("A-1", side="SELL", quantity=4)
        )
        told = positions(book, {}, theirs=TheirBook([differs(10, 4), differs(10, 4, "INTRADAY")]))

        assert [(each.ours, each.theirs, each.product) for each in told.differing] == [(6, 0, ""), (6, 0, "INTRADAY")]
        assert told.products == {"INFY": {"INTRADAY": 6}}

    def test_a_strategy_may_close_at_once_what_both_have_in_one_product(self, make):
        book = a_book(*holding(10, product="CNC"), *holding(4, "H-2"))
        (row,) = positions(book, {}, theirs=TheirBook([differs(10, 3, "CNC")])).held

        assert row.closable_at_once == 4

    def test_a_change_that_makes_an_exit_greater_than_both_have_is_refused(self, make):
        book = a_book(*holding(10), make.intent("A-1", side="SELL", quantity=3), make.accepted("A-1"))
        order = book.order("A-1")
        situation = a_situation(book, differs(10, 4))

        assert (
            refusal_of(order, ModifyOrder(client_order_id="A-1", quantity=4, reference_price=100.0), situation) is None
        )
        refusal = refusal_of(order, ModifyOrder(client_order_id="A-1", quantity=5, reference_price=100.0), situation)
        assert refusal.rule == "risk_state"

    def test_only_an_order_that_closes_by_both_goes_before_others_at_the_broker(self, make):
        book = a_book(*holding(10), make.intent("A-1", side="SELL", quantity=5))

        assert book.only_closes("INFY", "SELL", TheirBook([differs(10, 5)]))
        assert not book.only_closes("INFY", "SELL", TheirBook([differs(10, 4)]))


def test_two_orders_that_are_open_close_together_no_more_than_is_held_in_their_product(stage, make):
    stage.open(*holding(10, product="CNC"), *holding(10, "H-2"), make.change("REDUCING"))
    for name, quantity in (("A-1", 6), ("A-2", 4), ("A-3", 1)):
        stage.submit(make.order(name, side="SELL", quantity=quantity, product="CNC"))
    stage.settle()

    assert [stage.disk.kinds(name)[0] for name in ("A-1", "A-2", "A-3")] == [OrderIntended, OrderIntended, OrderRefused]


@pytest.mark.parametrize(("theirs", "quantity"), [(10, 10), (4, 4), (0, 0), (-10, 0)])
def test_an_exit_of_a_bracket_is_for_what_both_have(stage, make, theirs, quantity):
    stage.open()
    stage.tell(PositionsDiffer(positions=(differs(0, theirs - 10),)))
    stage.submit(make.order(target_price=110.0, stop_loss_price=95.0))
    stage.asked_next(PlaceOrder)
    stage.tell(OrderPlaced(client_order_id="A-1", broker_order_id="B-1"))
    stage.tell(make.report(quantity=10))
    stage.settle()

    exits = [each for each in stage.disk.facts if isinstance(each, OrderIntended) and each.client_order_id != "A-1"]
    assert {each.quantity for each in exits} == ({quantity} if quantity else set())


def bracketing(stage):
    stage.settle()
    return stage.system.base.find("orders").instance._bracketing


class TestSharesOfABracketThatOthersHaveClosedAtTheBroker:
    """Ten are held, with a stop and a target at the broker; orders of others have traded there."""

    @pytest.fixture
    def armed(self, stage, make):
        stage.open(make.intent(target_price=110.0, stop_loss_price=95.0), make.accepted(), make.filled())
        for name in ("A-1S", "A-1T"):
            assert stage.asked_next(PlaceOrder).client_order_id == name
            stage.tell(OrderPlaced(client_order_id=name, broker_order_id=f"B-{name}"))
        stage.settle()
        return stage

    def told(self, stage, *differing):
        stage.tell(PositionsDiffer(positions=differing))

    def test_are_taken_off_its_exits_which_grow_again_when_they_were_bought_back(self, armed):
        self.told(armed, differs(10, 6, others=-4))
        changes = [armed.asked_next(ReplaceOrder) for _ in range(2)]
        assert {(each.client_order_id, each.quantity) for each in changes} == {("A-1S", 6), ("A-1T", 6)}
        for each in changes:
            armed.tell(OrderReplaced(client_order_id=each.client_order_id, number=each.number))
        armed.settle()
        self.told(armed)

        changes = [armed.asked_next(ReplaceOrder) for _ in range(2)]
        assert {(each.client_order_id, each.quantity) for each in changes} == {("A-1S", 10), ("A-1T", 10)}

    def test_leave_no_exit_where_they_were_all(self, armed):
        self.told(armed, differs(10, 0, others=-10))

        assert {armed.asked_next(WithdrawOrder).client_order_id for _ in range(2)} == {"A-1S", "A-1T"}

    @pytest.mark.parametrize("others", [0, -3, 4])
    def test_are_none_where_what_others_have_traded_does_not_explain_the_difference(self, armed, others):
        self.told(armed, differs(10, 6, others=others))

        assert not {ReplaceOrder, WithdrawOrder} & set(armed.heard())

    def test_whose_stop_is_cancelled_there_and_which_are_held_are_told(self, armed, make):
        armed.tell(make.report("CANCELLED", client_order_id="A-1S", side="SELL", broker_order_id="B-A-1S"))

        told = "bracket A-1: 10 INFY held, and their stop is gone"
        armed.wait_until(lambda: bracketing(armed).warning() == told)
        assert armed.statistics.unprotected == (told,)

    @pytest.mark.parametrize("is_target_gone", [False, True])
    def test_whose_stop_is_gone_are_told_by_each_start_until_they_are_sold(self, stage, make, is_target_gone):
        exits = [
            fact
            for name, gone in (("A-1S", True), ("A-1T", is_target_gone))
            for fact in (
                make.intent(client_order_id=name, side="SELL"),
                make.accepted(client_order_id=name, broker_order_id=f"B-{name}"),
                *([make.cancelled(client_order_id=name)] if gone else []),
            )
        ]
        entry = make.intent(target_price=110.0, stop_loss_price=95.0)
        stage.open(entry, make.accepted(), make.filled(), *exits)

        assert bracketing(stage).warning() == "bracket A-1: 10 INFY held, and their stop is gone"

        sale = "A-1T"
        if is_target_gone:
            sale = "A-2"
            stage.submit(make.order(client_order_id=sale, side="SELL", quantity=10))
            assert stage.asked_next(PlaceOrder).client_order_id == sale
        trade = {"side": "SELL", "quantity": 10, "price": 100.0, "execution_id": "T-2"}
        stage.tell(make.report(client_order_id=sale, broker_order_id=f"B-{sale}", **trade))
        stage.wait_until(lambda: OrderFilled in stage.disk.kinds(sale))
        assert bracketing(stage).warning() == ""

    def test_whose_stop_a_person_here_has_cancelled_are_not(self, armed, make):
        armed.tell(CancelOrders(client_order_ids=("A-1S",), person="asha"))
        assert armed.asked_next(WithdrawOrder).client_order_id == "A-1S"
        armed.tell(make.report("CANCELLED", client_order_id="A-1S", side="SELL", broker_order_id="B-A-1S"))
        armed.wait_until(lambda: OrderCancelled in armed.disk.kinds("A-1S"))

        assert bracketing(armed).warning() == ""

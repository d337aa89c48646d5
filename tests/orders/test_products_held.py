"""An order closes what is held in its own product; one that names none is of the product of what it closes."""

import pytest

from natya.actors.orders.book import Book
from natya.actors.orders.book.listing import positions
from natya.actors.orders.book.protecting import held_without_stop, stops_that_stay
from natya.domain.closing import AGREED
from natya.messages.broker import PlaceOrder
from natya.messages.orders import OrderIntended, OrderRefused


@pytest.fixture
def held(make):
    """The facts of ten shares that were bought as CNC."""
    return make.intent("B-1", product="CNC"), make.accepted("B-1"), make.filled("B-1")


class TestAnOrderThatNamesNoProduct:
    @pytest.mark.parametrize(
        ("fields", "product"),
        [({}, "CNC"), ({"quantity": 11}, None), ({"side": "BUY"}, None), ({"strategy": "other"}, None)],
        ids=["closes", "closes more", "opens", "another strategy's"],
    )
    def test_is_of_that_of_what_its_strategy_holds_if_it_closes_that(self, stage, held, make, fields, product):
        stage.open(*held)
        stage.submit(make.order("A-1", **{"side": "SELL"} | fields))

        assert stage.asked_next(PlaceOrder).product == product
        assert stage.disk.facts[-1].product == product

    def test_is_the_same_order_when_it_is_submitted_again(self, stage, held, make):
        stage.open(*held)
        order = make.order("A-1", side="SELL")
        stage.place(order)
        stage.settle()
        stage.submit(order)

        assert stage.strategy.receive().client_order_id == "A-1"
        assert stage.heard().count(PlaceOrder) == 0
        assert not any(isinstance(fact, OrderRefused) for fact in stage.disk.facts)


@pytest.mark.parametrize(
    ("product", "passes"), [("CNC", True), (None, True), ("INTRADAY", False), ("MARGIN", False)], ids=str
)
def test_in_reducing_what_is_held_in_another_product_is_not_closed(stage, held, make, product, passes):
    stage.open(*held, make.change("REDUCING"))
    stage.submit(make.order("A-1", side="SELL", product=product))
    stage.settle()

    (fact,) = (fact for fact in stage.disk.facts if getattr(fact, "client_order_id", "") == "A-1")
    assert isinstance(fact, OrderIntended) == passes
    assert passes or "in REDUCING at most 0 shares may be closed by SELL" in fact.reason


def test_a_sale_of_all_leaves_nothing_held_by_a_name(held, make):
    book = Book()
    for fact in (*held, make.intent("A-1", side="SELL", product="CNC"), make.filled("A-1", side="SELL", quantity=4)):
        book.apply(fact)
    assert book.products("INFY", "INTRADAY") == {"CNC": 6, "INTRADAY": 0}
    book.apply(make.filled("A-1", trade_id="T-2", side="SELL", quantity=6))

    assert not book.has_named_products


@pytest.mark.parametrize(("product", "stays"), [("CNC", True), (None, False), ("INTRADAY", False)], ids=str)
def test_a_stop_stays_in_a_halt_that_closes_what_is_held_in_its_product(held, make, product, stays):
    book, stop = Book(), {"side": "SELL", "order_type": "STOP", "trigger_price": 95.0, "product": product}
    for fact in (*held, make.intent("A-1", **stop), make.accepted("A-1", "B-2")):
        book.apply(fact)

    assert stops_that_stay(book, AGREED, "INTRADAY") == ({"A-1"} if stays else set())


@pytest.mark.parametrize(("shares", "staying"), [(20, {"A-1", "A-2"}), (14, {"A-2"}), (10, {"A-2"}), (9, set())])
def test_of_stops_that_are_for_more_than_is_held_the_newest_stays_in_a_halt(make, shares, staying):
    book, stop = Book(), {"side": "SELL", "order_type": "STOP", "trigger_price": 95.0}
    for fact in (make.intent("B-1", quantity=shares), make.filled("B-1", quantity=shares)):
        book.apply(fact)
    for number, name in enumerate(("A-1", "A-2"), 2_000):
        book.apply(make.intent(name, occurred_ns=number, **stop))
        book.apply(make.accepted(name, name.replace("A", "B")))

    assert stops_that_stay(book, AGREED, "INTRADAY") == staying


@pytest.mark.parametrize(("held", "more"), [(0, ""), (1, ""), (5, ""), (6, ", and 1 more")])
def test_positions_without_a_stop_are_named_up_to_five(make, held, more):
    book, named = Book(), [f"S{number}" for number in range(held)]
    for symbol in named:
        book.apply(make.intent(symbol, symbol=symbol))
        book.apply(make.filled(symbol, symbol, symbol=symbol))
    told = ", ".join(f"10 {symbol} of crossover" for symbol in named[:5])

    assert held_without_stop(book, AGREED, "INTRADAY") == told + more


def test_one_order_may_close_what_is_held_in_one_product(held, make):
    book = Book()
    for fact in (*held, make.intent("C-1", quantity=4), make.filled("C-1", quantity=4)):
        book.apply(fact)
    (row,) = positions(book, {}, "MARGIN").held

    assert (row.quantity, row.closable_at_once) == (14, 10)

"""An order closes what it closes by our book and by the broker's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from natya.domain.closing import AGREED, TheirBook, as_told, closable
from natya.messages.reconciliation import PositionMismatch

SHARES = st.integers(-50, 50)


def mismatch(ours, theirs, product="", symbol="INFY"):
    return PositionMismatch(
        symbol=symbol,
        ours=ours,
        theirs=theirs,
        is_ours=True,
        since_ns=0,
        occurred_ns=1_791_181_800_000_000_000,
        product=product,
    )


@given(
    held=st.lists(SHARES, min_size=1, max_size=3), side=st.sampled_from(["BUY", "SELL"]), quantity=st.integers(1, 60)
)
def test_what_is_closable_makes_no_view_of_the_position_greater_and_one_share_more_does(held, side, quantity):
    change = quantity if side == "BUY" else -quantity
    harmless = all(abs(each + change) <= abs(each) and (each + change) * each >= 0 for each in held)

    assert (quantity <= closable(side, *held)) == harmless


@pytest.mark.parametrize(
    ("net", "side", "shares"), [(10, "SELL", 10), (10, "BUY", 0), (-10, "BUY", 10), (-10, "SELL", 0), (0, "BUY", 0)]
)
def test_an_order_closes_what_is_held_on_the_other_side(net, side, shares):
    assert closable(side, net) == shares


@given(ours=SHARES, theirs=SHARES, traded=SHARES)
def test_our_own_trades_change_both(ours, theirs, traded):
    book = TheirBook([mismatch(ours, theirs)])

    assert book.held("INFY", ours + traded) == (ours + traded, theirs + traded)
    assert book.now(*book.differing, ours + traded).theirs == theirs + traded


def test_a_position_that_was_not_told_of_is_the_same_in_both():
    book = TheirBook([mismatch(10, -10, "CNC")])

    assert (book.held("TCS", 5), book.held("INFY", 10), book.held("INFY", 10, "CNC")) == ((5,), (10,), (10, -10))
    assert (AGREED.held("INFY", 10), AGREED.told("INFY", "CNC")) == ((10,), "")


@pytest.mark.parametrize(
    ("shares", "ours", "theirs", "both"),
    [(6, 10, -10, 0), (6, 10, 4, 4), (6, 10, 12, 6), (-6, -10, -4, -4), (-6, -10, 4, 0), (0, 10, -10, 0)],
)
def test_of_the_shares_of_one_as_many_count_as_both_have_of_all(shares, ours, theirs, both):
    assert TheirBook([mismatch(ours, theirs, "CNC")]).bounded("INFY", "CNC", shares, ours) == both


@pytest.mark.parametrize(
    ("theirs", "others", "product", "changed"),
    [(7, -3, "", -3), (13, 3, "", 3), (7, -4, "", 0), (7, 0, "", 0), (10, 0, "", 0), (7, -3, "CNC", 0)],
)
def test_others_have_changed_a_position_where_their_orders_explain_all_that_differs(theirs, others, product, changed):
    book = TheirBook([replace(mismatch(10, theirs, product), others=others)])

    assert book.by_others("INFY") == changed
    assert book.by_others("TCS") == AGREED.by_others("INFY") == 0


def test_the_symbols_that_differ_are_those_of_all_differences():
    told = (mismatch(1, 2), mismatch(1, 2, "CNC"), mismatch(3, 4, "CNC", "TCS"))
    book = as_told(told)

    assert (book.differing, book.symbols) == (told, {"INFY", "TCS"})
    assert as_told(()) is AGREED
    assert (AGREED.differing, AGREED.symbols) == ((), frozenset())


def test_it_is_told_who_has_how_many_and_when_that_was_compared():
    book = TheirBook([mismatch(10, -10), mismatch(10, -10, "CNC")])
    when = "compared 2026-10-05 12:00:00 IST"

    assert book.told("INFY", "MARGIN") == f"10 held here, -10 at the broker, {when}"
    assert book.told("INFY", "CNC") == f"10 held as CNC here, -10 at the broker, {when}"

"""Whose messages the door of our own actors lets in."""

from types import SimpleNamespace

import pytest

from natya.actors.runtime.door import admitted, door
from natya.messages.broker import FindOrder
from natya.messages.orders import CancelOrder

PARENT, OUTSIDE = SimpleNamespace(says=None), SimpleNamespace(says=None)
STRATEGY = SimpleNamespace(says=frozenset({CancelOrder}))
GOOD, WRONG = FindOrder(client_order_id="A-1"), FindOrder(client_order_id=7)


class Private:
    """A message of nobody's vocabulary."""


@pytest.fixture
def turned_away():
    return []


@pytest.fixture
def let_in(turned_away):
    context = SimpleNamespace(parent=PARENT, turn_away=lambda message, _sender, _why: turned_away.append(message))
    return lambda message, sender, **how: admitted(context, message, sender, **how)


@pytest.mark.parametrize("sender", [PARENT, OUTSIDE], ids=["parent", "another"])
@pytest.mark.parametrize("from_outside", [False, True])
def test_a_message_of_ours_comes_in_as_its_type_says_or_not_whoever_sends_it(let_in, turned_away, sender, from_outside):
    assert let_in(GOOD, sender, from_outside=from_outside) == GOOD
    assert turned_away == []
    assert let_in(WRONG, sender, from_outside=from_outside) is None
    assert turned_away == [WRONG]


def test_a_message_of_ours_that_a_strategy_may_not_send_does_not_come_in(let_in, turned_away):
    cancel = CancelOrder(client_order_id="A-1")
    assert let_in(cancel, STRATEGY) == cancel
    assert let_in(GOOD, STRATEGY) is None
    assert turned_away == [GOOD]


@pytest.mark.parametrize("says", [None, frozenset({FindOrder})], ids=["no strategy", "a strategy"])
@pytest.mark.parametrize("guest", [False, True])
def test_only_what_a_guest_sends_is_looked_at(turned_away, guest, says):
    context = SimpleNamespace(parent=PARENT, turn_away=lambda message, _sender, _why: turned_away.append(message))
    handled = []

    def find(_actor, message, _sender):
        handled.append(message)

    find.__module__ = "natya.actors.orders.actor"
    door(find)(SimpleNamespace(host=context), WRONG, SimpleNamespace(guest=guest, says=says))

    assert (handled, turned_away) == (([], [WRONG]) if guest else ([WRONG], []))


@pytest.mark.parametrize(
    ("sender", "from_outside", "comes_in"),
    [
        (PARENT, False, True),
        (PARENT, True, True),
        (OUTSIDE, False, False),
        (OUTSIDE, True, True),
        (STRATEGY, True, False),
    ],
)
def test_any_other_message_comes_in_from_the_parent_or_where_those_outside_may_ask(
    let_in, turned_away, sender, from_outside, comes_in
):
    message = Private()

    assert let_in(message, sender, from_outside=from_outside) is (message if comes_in else None)
    assert turned_away == ([] if comes_in else [message])

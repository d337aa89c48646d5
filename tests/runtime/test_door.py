"""Whose messages the door of our own actors lets in."""

from types import SimpleNamespace

import pytest

from natya.actors.runtime import RuntimeActor, handles
from natya.actors.runtime.door import admitted, door, front_of
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


@pytest.mark.parametrize("sent_by", ["a guest", "one of ours", "itself", "one of another base"])
def test_a_handler_that_reads_back_has_only_what_a_guest_sends_looked_at(turned_away, sent_by):
    context = SimpleNamespace(parent=PARENT, turn_away=lambda message, _sender, _why: turned_away.append(message))
    context.guest, context.says = True, None
    actor = RuntimeActor()
    actor.host = context
    sender = {
        "a guest": SimpleNamespace(guest=True, says=None),
        "one of ours": SimpleNamespace(guest=False, says=None),
        "itself": context,
        "one of another base": object(),
    }[sent_by]

    assert actor.admitted(WRONG, sender) is (None if sent_by == "a guest" else WRONG)
    assert turned_away == ([WRONG] if sent_by == "a guest" else [])
    if sent_by == "a guest":
        assert actor.admitted(GOOD, sender) == GOOD


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


class Named:
    """A class of the module that it says."""

    def __new__(cls, module, *bases, **members):
        return type("Named", bases, {"__module__": module, **members})


OURS, THEIRS = "natya.actors.orders.actor", "their.strategy"


@pytest.mark.parametrize(
    ("module", "is_behind_a_door"),
    [((OURS,), True), ((OURS, THEIRS), True), ((THEIRS,), False), ((THEIRS, OURS), True), ((THEIRS, THEIRS), False)],
    ids=["ours", "theirs of ours", "theirs", "ours of theirs", "theirs of theirs"],
)
def test_an_actor_that_is_ours_or_of_ours_has_a_door_before_our_handlers(turned_away, module, is_behind_a_door):
    handled = []

    def find(_actor, message, _sender):
        handled.append(message)

    find.__module__ = OURS
    kind = RuntimeActor
    for each in module:
        kind = Named(each, kind, find=handles(FindOrder)(find)) if kind is RuntimeActor else Named(each, kind)
    context = SimpleNamespace(parent=PARENT, turn_away=lambda message, _sender, _why: turned_away.append(message))
    front_of(kind, RuntimeActor)[FindOrder](
        SimpleNamespace(host=context), WRONG, SimpleNamespace(guest=True, says=None)
    )

    assert (handled, turned_away) == (([], [WRONG]) if is_behind_a_door else ([WRONG], []))


@pytest.mark.parametrize(
    ("module", "checks_itself", "is_looked_at"),
    [(OURS, False, True), (OURS, True, False), (THEIRS, False, False), (THEIRS, True, False)],
)
def test_a_handler_of_theirs_and_one_that_checks_itself_have_none(turned_away, module, checks_itself, is_looked_at):
    handled = []

    def find(_actor, message, _sender):
        handled.append(message)

    find.__module__ = module
    behind = door(handles(FindOrder, checks_itself=checks_itself)(find))
    context = SimpleNamespace(parent=PARENT, turn_away=lambda message, _sender, _why: turned_away.append(message))
    behind(SimpleNamespace(host=context), WRONG, SimpleNamespace(guest=True, says=None))

    assert (handled, turned_away) == (([], [WRONG]) if is_looked_at else ([WRONG], []))

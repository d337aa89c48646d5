"""The address of an actor: what becomes of a message whose sender looked at it a moment before it changed."""

from types import SimpleNamespace

import pytest

from natya.actors.runtime.cell import NO_MAILBOX, SUSPENDED_MAX, Cell
from natya.actors.runtime.endpoint import Endpoint
from natya.actors.runtime.lifecycle import MailboxCounters, Reject
from natya.messages.supervision import Failed, Unavailable


class Sender(Endpoint):
    """Keeps what it is answered."""

    def __init__(self, name, **fields):
        super().__init__(name)
        self.name, self.told = name, []
        vars(self).update(fields)

    idle = False

    def put(self, envelope):
        self.told.append(envelope[0])


@pytest.fixture
def undelivered():
    return []


@pytest.fixture
def cell(undelivered):
    def record(target, message, sender, why, trace):
        undelivered.append((target, message, sender, why, trace))

    worker = SimpleNamespace(ready=[], asleep=False)
    cell = Cell("orders", dead_letters=SimpleNamespace(undelivered=record), worker=worker, parent=None)
    cell.name = "orders"
    return cell


def waiting(cell):
    return [message for message, *_ in cell.box]


class TestTheFirstMessage:
    def test_makes_the_mailbox_and_the_others_come_behind_it(self, cell):
        assert cell.box is NO_MAILBOX
        for number in (1, 2, 3):
            cell.deliver(number, cell)

        assert waiting(cell) == [1, 2, 3]
        assert cell.put == cell.box.append
        assert cell.worker.ready == [cell]

    def test_of_two_senders_at_once_is_in_one_mailbox(self, cell):
        first = second = cell.put
        first((1, cell, 0))
        second((2, cell, 0))

        assert waiting(cell) == [1, 2]

    @pytest.mark.parametrize("change", ["suspended", "refusing", "dead"])
    def test_that_comes_when_the_actor_has_changed_leaves_it_as_it_is(self, cell, change, undelivered):
        """It is where its state has it; no sender after it finds an open mailbox."""
        late = cell.put
        if change == "suspended":
            cell.keep_messages()
        elif change == "refusing":
            cell.refuse_messages(Reject(retry_after_s=5.0))
        else:
            cell.bury("it has stopped")
        now = cell.put
        sender = Sender("ann")
        late((1, sender, 7))

        assert cell.put == now
        assert waiting(cell) == ([1] if change == "suspended" else [])
        answer = Unavailable(actor="orders", reason="breaker open", retry_after_s=5.0)
        assert sender.told == ([answer] if change == "refusing" else [])
        assert undelivered == ([(cell, 1, sender, "it is gone", 7)] if change == "dead" else [])


class TestASuspendedActor:
    def test_keeps_so_many_messages_and_buries_the_next(self, cell, undelivered):
        cell.keep_messages()
        sender = Sender("ann")
        for number in range(SUSPENDED_MAX + 2):
            cell.put((number, sender, number))

        assert waiting(cell) == list(range(SUSPENDED_MAX))
        why = f"it is down, and {SUSPENDED_MAX} messages wait"
        late = [SUSPENDED_MAX, SUSPENDED_MAX + 1]
        assert undelivered == [(cell, number, sender, why, number) for number in late]
        assert cell.counters() == MailboxCounters(depth=SUSPENDED_MAX, high_water=SUSPENDED_MAX, dropped=2)
        cell.take_messages()
        cell.put((7, sender, 0))
        assert len(cell.box) == SUSPENDED_MAX + 1


class TestARefusingActor:
    ANSWER = Unavailable(actor="orders", reason="parked: too often", retry_after_s=9.0)

    @pytest.mark.parametrize(("for_good", "wants_answer"), [(False, False), (False, True), (True, True), (True, False)])
    def test_answers_each_message_or_for_good_each_request(self, cell, for_good, wants_answer):
        cell.refuse_messages(Reject(retry_after_s=9.0, reason="parked: too often", for_good=for_good))
        sender = Sender("ann", wants_answer=wants_answer)
        for message in ("order", Failed(actor="x", message_type="y", error="z", reason="w")):
            cell.put((message, sender, 0))
        cell.put(("to itself", cell, 0))
        cell.put(("of no endpoint", object(), 0))

        assert sender.told == ([] if for_good and not wants_answer else [self.ANSWER])
        assert (cell.counters().dropped, waiting(cell)) == (3, [])


class TestADeadActor:
    def test_buries_what_it_had_and_what_comes_and_answers_who_waits_for_its_control(self, cell, undelivered):
        ann, waits = Sender("ann"), Sender("ben", wants_answer=True)
        cell.put((1, ann, 3))
        cell.put((2, ann, 4))
        assert [envelope[0] for envelope in cell.bury("it has stopped")] == [1, 2]
        cell.put((3, ann, 5))
        for sender in (ann, waits):
            cell.control("stop", sender)

        assert cell.dead
        assert undelivered == [
            (cell, 1, ann, "it has stopped", 3),
            (cell, 2, ann, "it has stopped", 4),
            (cell, 3, ann, "it is gone", 5),
        ]
        assert (ann.told, cell.control_box) == ([], [])
        assert waits.told == [Unavailable(actor="orders", reason="it is gone", retry_after_s=0.0)]

    def test_buries_what_a_sender_put_by_the_address_that_it_had(self, cell, undelivered):
        cell.put((1, cell, 0))
        cell.box.popleft()
        late, ann = cell.put, Sender("ann")
        cell.bury("it has stopped")
        late((2, ann, 6))
        assert undelivered == []
        cell.ready(cell)  # as a sender does that has seen it idle

        assert undelivered == [(cell, 2, ann, "it is gone", 6)]
        assert cell.idle


def test_counters_are_those_of_the_cell_and_of_its_mailbox(cell):
    cell.box = type("Box", (list,), {"dropped": 3, "conflated": 4})("ab")
    cell.away, cell.dropped, cell.conflated, cell.handled, cell.failures = 5, 10, 20, 30, 40
    assert cell.counters() == MailboxCounters(depth=7, high_water=7, dropped=13, conflated=24, handled=30, failures=40)
    cell.high_water = 9

    assert cell.counters().high_water == 9


@pytest.mark.parametrize("has", ["nothing", "a message", "a control message"])
def test_an_actor_rests_unless_something_came_meanwhile(cell, has):
    cell.idle = False
    if has == "a message":
        cell.put((1, cell, 0))
    elif has == "a control message":
        cell.control_box.append(("stop", cell))
    cell.rest()

    assert (cell.idle, cell.worker.ready) == ((True, []) if has == "nothing" else (False, [cell]))

"""What delivery knows of itself is what the journal says, whatever became of its requests."""

import pytest
from natya_events import a_published

from natya.actors.events import DeliveryActor, DeliverySettings
from natya.actors.events.delivery import own_facts
from natya.messages.delivery import (
    ChangeDeadLetters,
    DeadLettersChanged,
    EventDeadLettered,
    EventsHandled,
    EventsSubscribed,
    EventsUnsubscribed,
    ListDeadLetters,
    SubscribeDurably,
    SubscriptionMoved,
    UnsubscribeEvents,
)
from natya.messages.journal import Append, AppendRefused, Journaled, JournalPage, JournalRecord, ReadJournal
from natya.messages.system import Ping

BILLING = SubscribeDurably(subscription="billing", subscriber="billing")


@pytest.fixture
def system(actor_system):
    return actor_system


def a_letter(sequence=3):
    return EventDeadLettered(
        letter_id=f"billing-{sequence}",
        subscription="billing",
        sequence=sequence,
        event=a_published(event_id=f"e-{sequence}"),
        error="ValueError",
        reason="no such customer",
        traceback="",
        attempts=1,
        first_failed_ns=1,
        last_failed_ns=1,
    )


def records(*facts, first=1):
    return tuple(
        JournalRecord(sequence=sequence, recorded_ns=sequence, correlation_id="", fact=fact)
        for sequence, fact in enumerate(facts, first)
    )


class Stage:
    """Delivery, with a journal and a subscriber that are played."""

    def __init__(self, system):
        self.system = system
        self.journal, self.billing = system.probe("journal"), system.probe("billing")
        system.start("delivery", DeliveryActor, DeliverySettings(retry_s=0.0))

    def asked(self, wanted):
        """Return the next request to the journal, which must be of this type, and whom to answer."""
        request = self.journal.receive()
        assert isinstance(request, wanted), request
        return request, self.journal.sender

    def answer(self, wanted, answer):
        request, asker = self.asked(wanted)
        self.system.tell(asker, answer, sender=self.journal)
        return request

    def load(self, *facts, last_sequence=2):
        self.answer(ReadJournal, JournalPage(records=records(*facts), last_sequence=last_sequence))

    def heard(self, *facts, first):
        self.system.tell("delivery", Journaled(records=records(*facts, first=first)), sender=self.journal)

    def listed(self):
        found = self.system.request("delivery", ListDeadLetters())
        return [each.letter_id for each in found.letters], found.requeued

    def subscribe(self):
        self.system.tell("delivery", BILLING, sender=self.billing)


@pytest.fixture
def stage(system):
    return Stage(system)


@pytest.fixture
def short_pages(monkeypatch):
    monkeypatch.setattr(own_facts, "PAGE_RECORDS", 2)


@pytest.mark.usefixtures("short_pages")
class TestAJournalOfSeveralPages:
    def test_is_read_to_its_end_before_anybody_is_served(self, stage):
        stage.load(a_letter(3), a_letter(4), last_sequence=9)
        request, asker = stage.asked(ReadJournal)
        stage.subscribe()
        stage.system.request("delivery", Ping())
        assert request.after_sequence == 2
        assert stage.billing.is_empty()

        rest = records(SubscriptionMoved(subscription="billing", position=0), first=9)
        stage.system.tell(asker, JournalPage(records=rest, last_sequence=9), sender=stage.journal)

        assert stage.billing.receive() == EventsSubscribed(subscriber="billing")
        assert stage.listed()[0] == ["billing-3", "billing-4"]


def test_what_is_heard_while_a_page_is_on_its_way_that_does_not_have_it_is_read_behind_it(stage):
    stage.heard(a_letter(3), first=3)
    stage.heard(a_letter(2), first=2)  # told once more
    stage.load(last_sequence=2)
    request = stage.answer(ReadJournal, JournalPage(records=records(a_letter(3), first=3), last_sequence=3))

    assert request.after_sequence == 2
    assert stage.listed() == (["billing-3"], ())


def test_what_is_told_once_more_brings_no_letter_back_that_is_gone(stage):
    stage.load(last_sequence=2)
    gone = DeadLettersChanged(letter_ids=("billing-3",), change="dropped", occurred_ns=1)
    stage.heard(a_letter(3), gone, first=3)
    stage.heard(a_letter(3), first=3)
    stage.heard(a_letter(5), first=5)

    assert stage.listed() == (["billing-5"], ())


class TestANewSubscription:
    def test_is_told_when_its_place_is_durable_and_not_before(self, stage):
        stage.load(last_sequence=0)
        stage.subscribe()
        stage.answer(Append, AppendRefused(reason="the disk is full"))
        moved, _ = stage.asked(Append)
        stage.system.request("delivery", Ping())
        before = stage.billing.is_empty()
        stage.heard(*moved.facts, first=1)

        assert before
        assert moved.facts[0].subscription == "billing"
        assert stage.billing.receive() == EventsSubscribed(subscriber="billing")

    def test_that_is_there_already_is_told_at_once(self, stage):
        stage.load(SubscriptionMoved(subscription="billing", position=0))
        stage.subscribe()

        assert stage.billing.receive() == EventsSubscribed(subscriber="billing")

    def test_that_was_given_up_before_the_journal_was_read_is_not_served(self, stage):
        stage.subscribe()
        stage.system.tell("delivery", UnsubscribeEvents(subscriber="billing"), sender=stage.billing)
        stage.load(SubscriptionMoved(subscription="billing", position=0))

        assert stage.billing.receive() == EventsSubscribed(subscriber="billing")
        assert stage.billing.receive() == EventsUnsubscribed(subscriber="billing")
        (status,) = stage.system.request("delivery", Ping()).statistics.subscriptions
        assert status.subscriber == ""


class TestADeadLetterThatBecameDurableUnnoticed:
    def test_is_there_and_its_event_is_not_handed_over(self, stage):
        stage.load(SubscriptionMoved(subscription="billing", position=1), last_sequence=1)
        stage.heard(a_letter(3), first=4)  # 2 and 3 were never heard
        stage.answer(ReadJournal, JournalPage(records=(), last_sequence=4))
        stage.heard(a_letter(3), first=5)
        stage.subscribe()
        assert stage.billing.receive() == EventsSubscribed(subscriber="billing")
        pages = [stage.journal.receive() for _ in range(2)]

        assert {type(each) for each in pages} == {Append, ReadJournal}
        assert stage.listed() == (["billing-3"], ())
        (moved,) = next(each for each in pages if isinstance(each, Append)).facts
        assert (moved.position, moved.done) == (1, (3,))

    def test_is_what_the_journal_says_when_the_answer_to_a_change_was_lost(self, stage):
        stage.load(SubscriptionMoved(subscription="billing", position=3), a_letter())
        asker = stage.system.probe("asker")
        change = ChangeDeadLetters(letter_ids=("billing-3",), change="dropped")
        stage.system.tell("delivery", change, sender=asker)
        stage.answer(Append, JournalPage(records=(), last_sequence=0))  # no answer to this request
        told, before = asker.receive(), stage.listed()
        stage.heard(DeadLettersChanged(letter_ids=("billing-3",), change="dropped", occurred_ns=1), first=3)

        assert "did not say" in told.refusal
        assert before == (["billing-3"], ())
        assert stage.listed() == ([], ())

    def test_is_requeued_also_while_a_page_is_read(self, stage):
        stage.load(SubscriptionMoved(subscription="billing", position=3), a_letter(), last_sequence=9)
        stage.subscribe()
        stage.billing.receive()
        requests = [(stage.journal.receive(), stage.journal.sender) for _ in range(2)]
        (asker,) = [sender for request, sender in requests if isinstance(request, ReadJournal)]
        stage.system.tell(asker, JournalPage(records=(), last_sequence=9), sender=stage.journal)  # what was handled
        (page, reader) = stage.asked(ReadJournal)  # and now what is new
        stage.heard(DeadLettersChanged(letter_ids=("billing-3",), change="requeued", occurred_ns=1), first=10)
        stage.system.tell(
            reader, JournalPage(records=records(a_published(event_id="e-9"), first=9), last_sequence=9), sender=None
        )
        requeued, asker = stage.billing.receive(), stage.billing.sender
        stage.system.tell(asker, EventsHandled(), sender=stage.billing)
        new = stage.billing.receive()

        assert page.after_sequence == 3
        assert [event.event_id for event in requeued.events] == ["e-3"]
        assert [event.event_id for event in new.events] == ["e-9"]

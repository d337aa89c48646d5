"""Delivery among actors."""

import pytest
from natya_events import a_published

from natya.actors.events import DeliveryActor, DeliverySettings
from natya.actors.events.delivery.publishing import GROUP_BYTES_MAX
from natya.actors.runtime import RuntimeActor, handles
from natya.messages.delivery import (
    DeliveryStatistics,
    EventsPublished,
    EventsSubscribed,
    EventsUnsubscribed,
    PublishEvents,
    PublishRefused,
    SubscribeEvents,
    UnsubscribeEvents,
)
from natya.messages.journal import Append, Appended, AppendRefused, Journaled, JournalRecord, ReadJournal
from natya.messages.supervision import Failed
from natya.messages.system import Ping


@pytest.fixture
def system(actor_system):
    return actor_system


def start_delivery(system, **settings):
    system.start("delivery", DeliveryActor, DeliverySettings(**settings))


def subscribed(system, name, **wanted):
    probe = system.probe(name)
    assert system.request("delivery", SubscribeEvents(subscriber=name, **wanted)) == EventsSubscribed(subscriber=name)
    return probe


def journaled(*events, first=1):
    return Journaled(
        records=tuple(
            JournalRecord(sequence=sequence, recorded_ns=sequence, correlation_id="", fact=event)
            for sequence, event in enumerate(events, first)
        )
    )


def statistics(system) -> DeliveryStatistics:
    return system.request("delivery", Ping()).statistics


class Several(RuntimeActor):
    """Publishes several times in one turn, and passes on what it is told."""

    def on_start(self):
        for events in self.settings:
            self.send("delivery", PublishEvents(events=events))

    @handles(EventsPublished)
    def pass_on(self, told, _sender):
        self.send("publisher", told)


class TestAnEventOfTheFastLane:
    def test_goes_at_once_to_who_wants_it_and_to_nobody_else(self, system):
        start_delivery(system)
        prices = subscribed(system, "prices", patterns=("ticks.NSE_EQ.*",))
        picky = subscribed(system, "picky", event_types=("Tick",), keys=("feed-1",))
        others = subscribed(system, "others", patterns=("events.**",))
        first, second = a_published(topic="ticks.NSE_EQ.TCS"), a_published(event_type="Tick", aggregate_id="feed-1")

        answer = system.request("delivery", PublishEvents(events=(first, second), is_durable=False))

        assert (answer.first_sequence, answer.occurred_ns > 0) == (0, True)
        assert prices.receive() == first
        assert picky.receive() == second
        assert others.receive() == second
        assert statistics(system).sent == 3

    def test_is_counted_for_each_event_and_each_receiver(self, system):
        start_delivery(system)
        for name in ("one", "two", "three"):
            subscribed(system, name, event_types=("Tick",))

        events = tuple(a_published(event_type="Tick") for _ in range(4))
        system.request("delivery", PublishEvents(events=events, is_durable=False))

        assert (statistics(system).published, statistics(system).sent) == (4, 12)

    def test_goes_no_more_to_who_has_unsubscribed(self, system):
        start_delivery(system)
        subscribed(system, "prices")

        told = system.request("delivery", UnsubscribeEvents(subscriber="prices"))
        system.request("delivery", PublishEvents(events=(a_published(),), is_durable=False))

        assert told == EventsUnsubscribed(subscriber="prices")
        assert (statistics(system).published, statistics(system).sent) == (1, 0)


class TestAnEventOfTheSafeLane:
    def test_is_answered_and_sent_on_when_it_is_durable_and_not_before(self, system):
        journal, publisher = system.probe("journal"), system.probe("publisher")
        start_delivery(system)
        assert isinstance(journal.receive(), ReadJournal)
        listener = subscribed(system, "listener")
        event = a_published(correlation_id="c-1")

        system.tell("delivery", PublishEvents(events=(event,)), sender=publisher)
        append, asker = journal.receive(), journal.sender
        before = statistics(system).sent
        system.tell("delivery", journaled(event, first=7), sender=journal)
        system.tell(asker, Appended(first_sequence=7, last_sequence=7), sender=journal)

        assert append == Append(facts=(event,), correlation_id="c-1")
        assert before == 0
        assert publisher.receive().first_sequence == 7
        assert listener.receive() == event
        assert statistics(system).last_sequence == 7

    def test_is_appended_with_all_that_waits_of_its_conversation_and_each_is_told_its_own_place(self, system):
        journal, publisher = system.probe("journal"), system.probe("publisher")
        start_delivery(system)
        assert isinstance(journal.receive(), ReadJournal)
        a, b, c, d = (a_published(event_id=name, correlation_id="d" if name == "d" else "abc") for name in "abcd")

        system.start("several", Several, ((a, b), (c,), (d,)))
        for facts, first in (((a, b, c), 7), ((d,), 10)):
            append, asker = journal.receive(), journal.sender
            assert append == Append(facts=facts, correlation_id=facts[0].correlation_id)
            system.tell(asker, Appended(first_sequence=first, last_sequence=first + len(facts) - 1), sender=journal)

        assert [publisher.receive().first_sequence for _ in range(3)] == [7, 9, 10]

    def test_is_not_appended_with_so_many_others_that_the_journal_would_refuse_them_together(self, system):
        journal, publisher = system.probe("journal"), system.probe("publisher")
        start_delivery(system)
        assert isinstance(journal.receive(), ReadJournal)
        a, b, c, d = (
            a_published(event_id=name, payload=bytes(GROUP_BYTES_MAX * size // 100))
            for name, size in (("a", 40), ("b", 40), ("c", 40), ("d", 300))
        )

        system.start("several", Several, ((a,), (b,), (c,), (d,)))
        for facts, first in (((a, b), 7), ((c,), 9), ((d,), 10)):
            append, asker = journal.receive(), journal.sender
            assert append.facts == facts
            system.tell(asker, Appended(first_sequence=first, last_sequence=first + len(facts) - 1), sender=journal)

        assert [publisher.receive().first_sequence for _ in range(4)] == [7, 8, 9, 10]

    def test_that_says_it_is_a_fact_of_natya_s_own_is_refused(self, system):
        start_delivery(system)

        refused = system.request("delivery", PublishEvents(events=(a_published(), a_published(kind="fact"))))

        assert isinstance(refused, PublishRefused)
        assert not refused.may_be_durable
        assert statistics(system).published == 0

    @pytest.mark.parametrize(
        ("answer", "may_be_durable"),
        [
            (AppendRefused(reason="the disk is full"), False),
            (Failed(actor="journal", message_type="Append", error="OSError", reason="the disk is full"), True),
        ],
        ids=["refused", "failed"],
    )
    def test_is_refused_with_the_reason_and_whether_it_may_be_durable(self, system, answer, may_be_durable):
        journal, publisher = system.probe("journal"), system.probe("publisher")
        start_delivery(system)
        assert isinstance(journal.receive(), ReadJournal)

        system.tell("delivery", PublishEvents(events=(a_published(),)), sender=publisher)
        journal.receive()
        asker = journal.sender
        system.tell(asker, answer, sender=journal)

        refusal = publisher.receive()
        assert isinstance(refusal, PublishRefused)
        assert "the disk is full" in refusal.reason
        assert refusal.may_be_durable is may_be_durable
        assert statistics(system).refused == 1

    def test_is_refused_while_there_is_no_journal(self, system):
        start_delivery(system)

        refusal = system.request("delivery", PublishEvents(events=(a_published(),)))

        assert isinstance(refusal, PublishRefused)
        assert not refusal.may_be_durable


class TestASubscription:
    def test_of_what_is_no_pattern_is_refused(self, system):
        start_delivery(system)

        answer = system.request("delivery", SubscribeEvents(subscriber="a", patterns=("a..b",)))

        assert "words joined by dots wanted" in answer.refusal
        assert statistics(system).subscribers == 0

    def test_beyond_the_limit_is_refused(self, system):
        start_delivery(system, subscriptions_max=1)
        subscribed(system, "first")

        assert system.request("delivery", SubscribeEvents(subscriber="first")).refusal == ""
        assert "at most 1" in system.request("delivery", SubscribeEvents(subscriber="second")).refusal

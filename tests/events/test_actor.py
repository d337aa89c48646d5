"""The events router among actors."""

import msgspec
import pytest
from natya_builders import a_candle, a_tick, filled

from natya.actors.events import EventsActor, EventsSettings
from natya.actors.events.routes import RouteTable
from natya.actors.events.sequence import SequenceGate
from natya.actors.events.simulated import SimulatedEventsActor
from natya.actors.runtime import InProcessSystem, InProcessSystemBase, RuntimeActor, handles
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.messages.events import (
    DeliverRecord,
    EventsStatistics,
    HoldSubscription,
    Published,
    ResumeSubscription,
    Subscribe,
    Subscribed,
    SubscriptionHeld,
    SubscriptionResumed,
    Unsubscribe,
    Unsubscribed,
)
from natya.messages.journal import Journaled, JournalPage, JournalRecord, ReadJournal
from natya.messages.market import Candle, Ticks
from natya.messages.orders import OrderAccepted
from natya.messages.supervision import DeadLetter, Failed, Unavailable
from natya.messages.system import Ping


def records(first, last, fact=None):
    return tuple(
        JournalRecord(
            sequence=sequence,
            recorded_ns=sequence,
            correlation_id="a-1",
            fact=fact or OrderAccepted(client_order_id="a-1", broker_order_id="X-1", occurred_ns=sequence),
        )
        for sequence in range(first, last + 1)
    )


@pytest.fixture(params=[EventsActor, SimulatedEventsActor])
def system(actor_system, request):
    actor_system.router = request.param
    return actor_system


def start_router(system, *subscriptions, **settings):
    system.start("events", system.router, EventsSettings(subscriptions=subscriptions, **settings))


def statistics(system) -> EventsStatistics:
    return system.request("events", Ping()).statistics


class Speaker(RuntimeActor):
    """A user's code: it says what it is told to, and tells what is said of it."""

    says = frozenset({Subscribe, Unsubscribe})

    @handles(Subscribe, Unsubscribe)
    def say(self, request, sender):
        def tell(outcome):
            self.send(sender, "refused" if isinstance(outcome.value, Failed) else outcome.value)

        self.ask("events", request, timeout_s=5, then=tell)


class TestARouterWithSubscribers:
    def test_hands_the_same_tick_to_all_who_hear_its_symbol(self, system):
        everyone, picky = system.probe("everyone"), system.probe("picky")
        start_router(
            system,
            Subscribe(subscriber="everyone", topics=("Tick",)),
            Subscribe(subscriber="picky", topics=("Tick",), symbols=("TCS",)),
        )
        infy, tcs = a_tick(1, "INFY"), a_tick(2, "TCS")

        system.tell("events", infy)
        system.tell("events", tcs)

        heard = [everyone.receive(), everyone.receive()]
        assert heard == [infy, tcs]
        assert picky.receive() is heard[1]
        assert statistics(system).delivered == 3

    def test_delivers_candles_too(self, system):
        probe = system.probe("strategy")
        start_router(system, Subscribe(subscriber="strategy", topics=("Candle",)))
        candle = Candle(
            symbol="INFY", interval_ns=60, start_ns=0, open=1, high=2, low=1, close=2, volume=5, source="test"
        )

        system.tell("events", candle)

        assert probe.receive() == candle
        assert statistics(system).delivered == 1

    def test_begins_and_ends_a_subscription_when_asked(self, system):
        probe = system.probe("strategy")
        start_router(system)

        assert system.request("events", Subscribe(subscriber="strategy", topics=("Tick",))) == Subscribed(
            subscriber="strategy"
        )
        system.tell("events", a_tick(sequence=1))
        assert system.request("events", Unsubscribe(subscriber="strategy")) == Unsubscribed(subscriber="strategy")
        system.tell("events", a_tick(sequence=2))

        assert statistics(system).ticks == 2
        assert probe.receive().sequence == 1
        assert probe.is_empty()

    def test_is_asked_by_a_strategy_for_itself_alone(self, system):
        start_router(system)
        for name in ("mine", "thief"):
            system.start(name, Speaker)

        assert system.request("thief", Subscribe(subscriber="mine", topics=("Tick",))) == "refused"
        assert statistics(system).subscribers == 0
        assert system.request("mine", Subscribe(subscriber="mine", topics=("Tick",))) == Subscribed(subscriber="mine")
        assert system.request("thief", Unsubscribe(subscriber="mine")) == "refused"
        assert statistics(system).subscribers == 1
        assert system.request("mine", Subscribe(subscriber="mine", topics=("Candle",), intervals_ns=(5,))) == "refused"
        assert system.request("mine", Unsubscribe(subscriber="mine")) == Unsubscribed(subscriber="mine")

    def test_hands_on_ticks_that_came_together_one_by_one_or_to_those_who_want_it_together(self, system):
        each, together, alone = system.probe("each"), system.probe("together"), system.probe("alone")
        start_router(
            system,
            Subscribe(subscriber="each", topics=("Tick",), symbols=("TCS",)),
            Subscribe(subscriber="together", topics=("Tick", "Ticks")),
            Subscribe(subscriber="alone", topics=("Tick", "Ticks"), symbols=("INFY",)),
        )
        ticks = a_tick(1, "INFY"), a_tick(2, "TCS"), a_tick(3, "TCS")

        system.tell("events", Ticks(ticks=ticks))
        system.tell("events", a_tick(4, "TCS"))

        assert [each.receive().sequence for _ in range(3)] == [2, 3, 4]
        assert together.receive() == Ticks(ticks=ticks)
        assert together.receive().sequence == 4
        assert alone.receive().sequence == 1
        assert all(probe.is_empty() for probe in (each, together, alone))
        found = statistics(system)
        assert {one.subscriber: one.ticks for one in found.published} == {"each": 3, "together": 4, "alone": 1}
        assert found.ticks == 4

    def test_counts_what_it_sent_to_each_whatever_changes_meanwhile(self, system):
        for name in ("everyone", "picky"):
            system.probe(name)
        start_router(system, Subscribe(subscriber="everyone", topics=("Tick",)))
        system.tell("events", a_tick(1, "TCS"))
        system.request("events", Subscribe(subscriber="picky", topics=("Tick",), symbols=("TCS",)))
        for sequence, symbol in ((2, "TCS"), (3, "INFY"), (4, "TCS")):
            system.tell("events", a_tick(sequence, symbol))

        found = statistics(system)
        assert {each.subscriber: each.ticks for each in found.published} == {"everyone": 4, "picky": 2}
        assert found.delivered == 6
        system.request("events", Unsubscribe(subscriber="picky"))
        found = statistics(system)
        assert {each.subscriber: each.ticks for each in found.published} == {"everyone": 4}
        assert found.delivered == 6


class TestFactsFromTheJournal:
    def test_come_to_subscribers_of_their_type_and_whole_batches_to_those_of_the_journal(self, system):
        strategy, database = system.probe("strategy"), system.probe("database")
        start_router(
            system,
            Subscribe(subscriber="strategy", topics=("OrderFilled",)),
            Subscribe(subscriber="database", topics=("journal",)),
        )
        batch = records(1, 2) + records(3, 3, filled())

        system.tell("events", Journaled(records=batch))

        assert strategy.receive() == filled()
        assert database.receive() == Journaled(records=batch)

    def test_come_in_their_records_to_those_who_want_their_sequence(self, system):
        plain, sequenced = system.probe("plain"), system.probe("sequenced")
        start_router(
            system,
            Subscribe(subscriber="plain", topics=("OrderAccepted",)),
            Subscribe(subscriber="sequenced", topics=("OrderAccepted",), sequenced=True),
        )
        (record,) = records(5, 5)

        system.tell("events", Journaled(records=(record,)))

        assert plain.receive() == record.fact
        assert sequenced.receive() == record

    def test_of_other_symbols_come_to_those_who_want_their_sequence_and_prices_do_not(self, system):
        strategy = system.probe("strategy")
        topics = ("Tick", "OrderFilled")
        start_router(system, Subscribe(subscriber="strategy", topics=topics, symbols=("TCS",), sequenced=True))
        (record,) = records(5, 5, filled(symbol="INFY"))

        for message in (a_tick(1, "INFY"), Journaled(records=(record,)), a_tick(2, "TCS")):
            system.tell("events", message)

        assert [strategy.receive() for _ in range(2)] == [record, a_tick(2, "TCS")]

    def test_are_read_from_the_journal_when_some_are_missing_and_come_in_sequence_once(self, system):
        database, journal = system.probe("database"), system.probe("journal")
        start_router(system, Subscribe(subscriber="database", topics=("journal",)))
        system.tell("events", Journaled(records=records(1, 2)))
        assert database.receive() == Journaled(records=records(1, 2))

        system.tell("events", Journaled(records=records(5, 6)))
        assert journal.receive() == ReadJournal(after_sequence=2)
        system.tell("events", Journaled(records=records(7, 7)))
        system.tell("events", JournalPage(records=records(3, 5), last_sequence=7))
        assert journal.receive() == ReadJournal(after_sequence=5)
        system.tell("events", JournalPage(records=records(6, 7), last_sequence=7))
        system.tell("events", Journaled(records=records(7, 8)))

        received = [database.receive(), database.receive(), database.receive()]
        assert [record.sequence for batch in received for record in batch.records] == [3, 4, 5, 6, 7, 8]

    def test_are_asked_for_again_when_the_journal_could_not_answer(self, system):
        journal = system.probe("journal")
        start_router(system, Subscribe(subscriber="database", topics=("journal",)), retry_s=0.01)
        system.tell("events", Journaled(records=records(1, 1)))
        system.tell("events", Journaled(records=records(3, 3)))
        assert journal.receive() == ReadJournal(after_sequence=1)

        system.tell("events", Unavailable(actor="journal", reason="breaker open", retry_after_s=5))

        assert journal.receive() == ReadJournal(after_sequence=1)
        system.tell("events", JournalPage(records=records(2, 3), last_sequence=3))
        assert statistics(system).last_sequence == 3

    def test_are_asked_for_from_the_first_on_where_none_was_delivered(self, system, caplog):
        journal = system.probe("journal")
        start_router(system, retry_s=0.01)
        system.tell("events", Unavailable(actor="journal", reason="breaker open", retry_after_s=5))

        assert journal.receive() == ReadJournal(after_sequence=0)
        system.tell("events", JournalPage(records=(), last_sequence=0))
        assert statistics(system).last_sequence == 0
        assert [each.message for each in caplog.records if each.levelname == "ERROR"] == []

    def test_are_asked_for_again_when_the_page_before_was_asked_by_a_life_before(self, system):
        journal = system.probe("journal")
        start_router(system, Subscribe(subscriber="database", topics=("journal",)), retry_s=0.01)
        system.tell("events", Journaled(records=records(1, 1)))
        system.tell("events", Journaled(records=records(3, 3)))
        assert journal.receive() == ReadJournal(after_sequence=1)

        system.tell("events", JournalPage(records=records(2, 3), last_sequence=3))
        system.tell("events", Unavailable(actor="journal", reason="breaker open", retry_after_s=5))

        assert journal.receive() == ReadJournal(after_sequence=3)


class TestARouterThatFailed:
    def test_has_its_subscriptions_and_its_place_again(self, system, monkeypatch):
        database, journal = system.probe("database"), system.probe("journal")
        start_router(system)
        system.request("events", Subscribe(subscriber="database", topics=("journal",)))
        system.tell("events", Journaled(records=records(1, 4)))
        database.receive()

        monkeypatch.setattr(SequenceGate, "admit", raises_once(SequenceGate.admit))
        system.tell("events", Journaled(records=records(5, 5)))

        assert journal.receive() == ReadJournal(after_sequence=4)
        system.tell("events", JournalPage(records=records(5, 6), last_sequence=6))
        assert database.receive() == Journaled(records=records(5, 6))
        assert statistics(system).last_sequence == 6
        assert system.base.dead_letters.count == 1


def raises_once(method):
    faults = [ZeroDivisionError("once")]

    def raising(*arguments):
        if faults:
            raise faults.pop()
        return method(*arguments)

    return raising


class TestDeadLetters:
    def test_are_counted_and_told_to_the_log(self, system, caplog):
        caplog.set_level("WARNING", "natya")
        start_router(system)
        for number in range(5):
            letter = DeadLetter(
                actor=f"gone-{number}",
                message_type="Tick",
                payload=b"",
                error="NoRecipient",
                reason="it is gone",
                traceback="",
                died_ns=1,
            )
            system.tell("events", letter)

        assert statistics(system).dead_letters == 5
        lines = [each.fields for each in caplog.records if each.getMessage() == "message.dead_lettered"]
        told = {"message_type": "Tick", "error": "NoRecipient", "reason": "it is gone"}
        assert lines == [{"recipient": f"gone-{number}", **told} for number in range(5)]


class Hearer(RuntimeActor):
    """Notes of which conversation each fact is that it hears."""

    @handles(OrderAccepted)
    def hear(self, fact, _sender):
        self.settings.append((fact.occurred_ns, self.correlation_id))


class TestTheConversationOfAFact:
    def test_is_that_of_its_append_and_one_of_its_own_where_that_has_no_name(self, system):
        heard = []
        start_router(system, Subscribe(subscriber="hearer", topics=("OrderAccepted",)))
        system.start("hearer", Hearer, heard)
        names = ("a-1", "a-1", "b-2", "", "", "a-1")
        batch = tuple(
            msgspec.structs.replace(record, correlation_id=name)
            for record, name in zip(records(1, 6), names, strict=True)
        )
        system.tell("events", Journaled(records=batch))
        statistics(system)
        system.request("hearer", Ping())

        assert [number for number, _ in heard] == [1, 2, 3, 4, 5, 6]
        told = [name for _, name in heard]
        assert [told[place] for place in (0, 1, 2, 5)] == ["a-1", "a-1", "b-2", "a-1"]
        nameless = told[3:5]
        assert len({*nameless, "a-1", "b-2", ""}) == 5
        assert [name.isdecimal() for name in nameless] == [True, True]


class TestWhatARouterCounts:
    def test_is_all_that_it_heard_and_sent(self, system):
        for name in ("everyone", "database", "picky"):
            system.probe(name)
        start_router(
            system,
            Subscribe(subscriber="everyone", topics=("Tick", "Candle", "OrderAccepted")),
            Subscribe(subscriber="database", topics=("journal",)),
            Subscribe(subscriber="picky", topics=("Tick", "OrderFilled"), symbols=("TCS",)),
        )
        for message in (
            a_tick(1, "TCS"),
            a_tick(2, "INFY"),
            a_candle(),
            Journaled(records=records(1, 3)),
            Journaled(records=records(4, 4, filled(symbol="TCS"))),
            DeliverRecord(subscriber="picky", record=records(3, 3)[0]),
        ):
            system.tell("events", message)

        assert statistics(system) == EventsStatistics(
            ticks=2,
            facts=4 + 1,
            delivered=3 + 1 + (3 + 1) + (1 + 1) + 1,
            subscribers=3,
            dead_letters=0,
            last_sequence=4,
            candles=0,
            late_ticks=0,
            partial_candles=0,
            published=(Published(subscriber="everyone", ticks=2), Published(subscriber="picky", ticks=1)),
        )

    def test_goes_on_over_a_restart_for_dead_letters_and_ticks(self, system, monkeypatch):
        system.probe("everyone")
        start_router(system, Subscribe(subscriber="everyone", topics=("Tick",)))
        system.tell("events", a_tick(1))
        letter = DeadLetter(actor="x", message_type="Tick", payload=b"", error="e", reason="r", traceback="", died_ns=1)
        system.tell("events", letter)
        monkeypatch.setattr(SequenceGate, "admit", raises_once(SequenceGate.admit))
        system.tell("events", Journaled(records=records(1, 1)))
        system.tell("events", a_tick(2))

        found = statistics(system)
        assert (found.dead_letters, found.ticks, found.delivered) == (1, 1, 2)
        assert found.published == (Published(subscriber="everyone", ticks=2),)


class TestFactsOfOneBatch:
    def test_come_one_by_one_in_sequence(self, system):
        strategy = system.probe("strategy")
        start_router(system, Subscribe(subscriber="strategy", topics=("OrderFilled", "OrderAccepted")))
        batch = records(1, 3) + records(4, 4, filled(trade_id="T-1")) + records(5, 5) + records(6, 6, filled())
        system.tell("events", Journaled(records=batch))

        assert [strategy.receive() for _ in batch] == [record.fact for record in batch]
        assert strategy.is_empty()

    def test_come_after_those_of_the_batch_before(self, system):
        strategy = system.probe("strategy")
        start_router(system, Subscribe(subscriber="strategy", topics=("OrderAccepted",)))
        for first in (1, 4, 7):
            system.tell("events", Journaled(records=records(first, first + 2)))

        assert [strategy.receive().occurred_ns for _ in range(9)] == list(range(1, 10))

    def test_that_has_none_are_none(self, system):
        strategy = system.probe("strategy")
        start_router(system, Subscribe(subscriber="strategy", topics=("OrderAccepted", "journal")))
        system.tell("events", Journaled(records=()))
        system.tell("events", Journaled(records=records(1, 1)))

        assert [len(strategy.receive().records), strategy.receive().occurred_ns] == [1, 1]
        assert system.base.find("events").failures == 0

    def test_come_to_those_of_their_symbol_only(self, system):
        mine, everyone = system.probe("mine"), system.probe("everyone")
        start_router(
            system,
            Subscribe(subscriber="mine", topics=("OrderFilled",), symbols=("TCS",)),
            Subscribe(subscriber="everyone", topics=("OrderFilled",)),
        )
        system.tell(
            "events", Journaled(records=records(1, 1, filled(symbol="INFY")) + records(2, 2, filled(symbol="TCS")))
        )

        assert mine.receive() == filled(symbol="TCS")
        assert [everyone.receive().symbol for _ in range(2)] == ["INFY", "TCS"]
        assert mine.is_empty()

    def test_that_overlaps_with_what_was_delivered_come_once(self, system):
        database = system.probe("database")
        start_router(system, Subscribe(subscriber="database", topics=("journal",)))
        for first, last in ((1, 4), (3, 6), (2, 5), (6, 7)):
            system.tell("events", Journaled(records=records(first, last)))

        heard = [record.sequence for _ in range(3) for record in database.receive().records]
        assert heard == [1, 2, 3, 4, 5, 6, 7]
        assert database.is_empty()

    def test_are_counted_each_and_with_each_delivery(self, system):
        for name in ("one", "two"):
            system.probe(name)
        start_router(
            system,
            Subscribe(subscriber="one", topics=("OrderFilled", "journal")),
            Subscribe(subscriber="two", topics=("OrderFilled",)),
        )
        system.tell("events", Journaled(records=records(1, 2) + records(3, 3, filled())))

        found = statistics(system)
        assert (found.facts, found.delivered, found.last_sequence) == (3, 3, 3)


class TestAJournalThatDoesNotAnswer:
    """In time that a test makes go by."""

    @pytest.fixture
    def system(self):
        with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
            system.router = EventsActor
            yield system

    @pytest.fixture
    def journal(self, system):
        journal = system.probe("journal")
        start_router(system, Subscribe(subscriber="database", topics=("journal",)), answer_s=5.0, retry_s=1.0)
        system.probe("database")
        system.tell("events", Journaled(records=records(1, 1)))
        system.tell("events", Journaled(records=records(3, 3)))
        assert journal.receive() == ReadJournal(after_sequence=1)
        return journal

    def passes(self, system, journal, seconds):
        """Let time go by; returns the questions that came."""
        system.base.run_for(seconds)
        asked = []
        while not journal.is_empty():
            asked.append(journal.receive().after_sequence)
        return asked

    def test_is_asked_again_after_its_time_and_not_before(self, system, journal):
        assert self.passes(system, journal, 4.9) == []
        assert self.passes(system, journal, 0.2) == [1]
        assert self.passes(system, journal, 4.7) == []
        assert self.passes(system, journal, 0.3) == [1]

    def test_is_asked_no_more_when_it_has_answered(self, system, journal):
        system.tell("events", JournalPage(records=records(2, 3), last_sequence=3))

        assert self.passes(system, journal, 60.0) == []

    def test_that_failed_is_asked_again_soon(self, system, journal):
        system.tell("events", Failed(actor="journal", message_type="ReadJournal", error="OSError", reason="injected"))

        assert self.passes(system, journal, 0.9) == []
        assert self.passes(system, journal, 0.2) == [1]
        system.tell("events", JournalPage(records=records(2, 3), last_sequence=3))
        assert self.passes(system, journal, 60.0) == []

    def test_keeps_the_router_from_its_end_until_it_has_answered(self, system, journal):
        router = system.base.find("events").instance
        assert not router.is_drained()
        system.tell("events", JournalPage(records=records(2, 3), last_sequence=3))
        assert self.passes(system, journal, 0.1) == []
        assert router.is_drained()

    def test_is_not_asked_for_the_failure_of_another(self, system, journal):
        system.tell("events", JournalPage(records=records(2, 3), last_sequence=3))
        system.tell("events", Failed(actor="database", message_type="Query", error="OSError", reason="injected"))

        assert self.passes(system, journal, 60.0) == []

    def test_that_has_nothing_of_what_was_heard_yet_is_asked_again(self, system, journal):
        system.tell("events", JournalPage(records=(), last_sequence=1))

        assert self.passes(system, journal, 0.9) == []
        assert self.passes(system, journal, 0.2) == [1]

    def test_that_has_more_than_was_heard_of_is_asked_on(self, system, journal):
        system.tell("events", JournalPage(records=records(2, 3), last_sequence=9))

        assert journal.receive() == ReadJournal(after_sequence=3)

    def test_is_asked_on_where_its_page_ended(self, system, journal):
        system.tell("events", Journaled(records=records(9, 9)))
        system.tell("events", JournalPage(records=records(2, 5), last_sequence=9))

        assert journal.receive() == ReadJournal(after_sequence=5)


class TestASubscriberThatIsHeld:
    @pytest.fixture
    def strategy(self, system):
        strategy = system.probe("strategy")
        start_router(system, Subscribe(subscriber="strategy", topics=("Tick", "OrderAccepted"), sequenced=True))
        system.tell("events", a_tick(1))
        assert strategy.receive() == a_tick(1)
        assert system.request("events", HoldSubscription(subscriber="strategy")) == SubscriptionHeld(
            subscriber="strategy"
        )
        return strategy

    def test_gets_what_came_in_order_when_it_goes_on_and_then_what_comes(self, system, strategy):
        (record,) = records(5, 5)
        for message in (a_tick(2), Journaled(records=(record,)), a_tick(3)):
            system.tell("events", message)
        system.request("events", Ping())
        assert strategy.is_empty()

        resumed = system.request("events", ResumeSubscription(subscriber="strategy"))
        system.tell("events", a_tick(4))

        assert resumed == SubscriptionResumed(subscriber="strategy", sent=3)
        assert [strategy.receive() for _ in range(4)] == [a_tick(2), record, a_tick(3), a_tick(4)]

    def test_holds_up_nobody_else(self, system, strategy):
        other = system.probe("other")
        system.request("events", Subscribe(subscriber="other", topics=("Tick", "Candle")))
        for message in (a_tick(2), a_candle()):
            system.tell("events", message)

        assert [other.receive() for _ in range(2)] == [a_tick(2), a_candle()]
        assert strategy.is_empty()

    def test_is_held_by_a_restarted_router_too(self, system, strategy, monkeypatch):
        system.probe("journal")
        system.tell("events", a_tick(2))
        monkeypatch.setattr(SequenceGate, "admit", raises_once(SequenceGate.admit))
        system.tell("events", Journaled(records=records(1, 1)))
        system.tell("events", a_tick(3))
        system.request("events", ResumeSubscription(subscriber="strategy"))

        assert [strategy.receive() for _ in range(2)] == [a_tick(2), a_tick(3)]

    def test_is_sent_the_newest_of_each_symbol_and_all_facts_where_too_much_came(self, system, strategy, monkeypatch):
        monkeypatch.setattr("natya.actors.events.held.HELD_MAX", 4)
        system.request("events", ResumeSubscription(subscriber="strategy"))
        system.request("events", HoldSubscription(subscriber="strategy"))
        (record,) = records(5, 5)
        for message in (a_tick(2), Journaled(records=(record,)), a_tick(3, "TCS"), a_tick(4), a_tick(5)):
            system.tell("events", message)
        resumed = system.request("events", ResumeSubscription(subscriber="strategy"))

        assert (resumed.sent, resumed.conflated) == (3, 2)
        assert [strategy.receive() for _ in range(3)] == [record, a_tick(3, "TCS"), a_tick(5)]

    def test_has_as_much_room_again_when_the_newest_of_each_symbol_is_little(self, system, strategy, monkeypatch):
        monkeypatch.setattr("natya.actors.events.held.HELD_MAX", 4)
        system.request("events", ResumeSubscription(subscriber="strategy"))
        system.request("events", HoldSubscription(subscriber="strategy"))
        for number in range(2, 10):
            system.tell("events", a_tick(number))
        resumed = system.request("events", ResumeSubscription(subscriber="strategy"))

        assert (resumed.sent, resumed.conflated) == (4, 4)

    def test_that_unsubscribes_is_sent_nothing(self, system, strategy):
        system.tell("events", a_tick(2))
        system.request("events", Unsubscribe(subscriber="strategy"))
        resumed = system.request("events", ResumeSubscription(subscriber="strategy"))

        assert resumed.sent == 0
        assert strategy.is_empty()


class TestASimulatedRouter:
    def test_says_who_has_a_tick_unless_it_has_more_to_do_with_it(self, actor_system):
        picky = Subscribe(subscriber="picky", topics=("Tick",), symbols=("TCS",))
        actor_system.start("events", SimulatedEventsActor, EventsSettings(subscriptions=(picky,)))
        router, found = actor_system.base.names["events"].instance, []
        for request in (
            Ping(),
            HoldSubscription(subscriber="picky"),
            ResumeSubscription(subscriber="picky"),
            Subscribe(subscriber="other", topics=("Candle",), intervals_ns=(60 * 10**9,)),
        ):
            actor_system.request("events", request)
            found.append((router.relays(a_tick(2, "TCS")), router.relays(a_tick(3, "INFY"))))

        assert found == [(("picky",), ()), (None, None), (("picky",), ()), (None, None)]

    def test_leaves_candles_to_the_recording_once_it_says_who_has_one_of_it(self):
        minutes = Subscribe(subscriber="other", topics=("Tick", "Candle"), intervals_ns=(60 * 10**9,))
        with InProcessSystem(InProcessSystemBase(market_opening_ns=1)) as system:
            system.start("events", SimulatedEventsActor, EventsSettings(subscriptions=(minutes,)))
            router = system.base.names["events"].instance
            found = [router.relays(a_tick(1, "TCS"))]
            found += [router.relays(each) for each in (a_candle("TCS", interval_ns=60 * 10**9), a_tick(2, "TCS"))]

        assert found == [None, ("other",), ("other",)]

    def test_counts_what_was_handed_on_for_it(self, actor_system):
        both = Subscribe(subscriber="both", topics=("Tick", "Candle"))
        candles = Subscribe(subscriber="candles", topics=("Candle",))
        actor_system.start("events", SimulatedEventsActor, EventsSettings(subscriptions=(both, candles)))
        router = actor_system.base.names["events"].instance
        for message, count in ((a_tick(1, "TCS"), 3), (a_candle("TCS"), 2)):
            router.relays(message)
            router.relayed(message, count)
        statistics = router.statistics()

        assert (statistics.ticks, statistics.delivered) == (3, 3 + 2 * 2)
        assert [(each.subscriber, each.ticks) for each in statistics.published] == [("both", 3)]


class TestARestartedRouter:
    def test_counts_on(self, system, monkeypatch):
        system.probe("journal")
        strategy = system.probe("strategy")
        start_router(system, Subscribe(subscriber="strategy", topics=("Tick",)))
        system.tell("events", a_tick(1))
        monkeypatch.setattr(SequenceGate, "admit", raises_once(SequenceGate.admit))
        system.tell("events", Journaled(records=records(1, 1)))
        system.tell("events", a_tick(2))
        assert [strategy.receive() for _ in range(2)] == [a_tick(1), a_tick(2)]

        (published,) = statistics(system).published
        assert (published.subscriber, published.ticks) == ("strategy", 2)

    @pytest.mark.parametrize("first", [1, 3], ids=["the first of all", "later ones"])
    def test_delivers_again_what_a_crash_interrupted_and_nothing_before(self, system, monkeypatch, first):
        journal, database = system.probe("journal"), system.probe("database")
        start_router(system, Subscribe(subscriber="database", topics=("journal",)))
        for number in range(1, first):
            system.tell("events", Journaled(records=records(number, number)))
            assert database.receive() == Journaled(records=records(number, number))
        statistics(system)  # it has told everybody
        monkeypatch.setattr(RouteTable, "names", raises_once(RouteTable.names))
        system.tell("events", Journaled(records=records(first, 4)))

        assert journal.receive() == ReadJournal(after_sequence=first - 1)
        system.tell("events", JournalPage(records=records(first, 4), last_sequence=4))
        assert database.receive() == Journaled(records=records(first, 4))
        assert statistics(system).last_sequence == 4

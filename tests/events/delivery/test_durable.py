"""A durable subscription between a journal and a subscriber that the test plays, on virtual time."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_events import a_published
from natya_examples import HALF

from natya.actors.events import DeliveryActor, DeliverySettings
from natya.actors.events.delivery import durable
from natya.actors.events.delivery.subscription import failure_of, handled_of
from natya.actors.runtime import InProcessSystem, Outcome, RuntimeActor, handles
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.messages.codec import as_received, encode
from natya.messages.delivery import (
    ChangeDeadLetters,
    DeadLettersChanged,
    DeadLettersChangeDone,
    DeliverEvents,
    DeliveryTerms,
    EventDeadLettered,
    EventPublished,
    EventsHandled,
    EventsNotHandled,
    EventsSubscribed,
    ListDeadLetters,
    SubscribeDurably,
    SubscriptionMoved,
    UnsubscribeEvents,
)
from natya.messages.journal import Append, Appended, AppendRefused, Journaled, JournalPage, JournalRecord, ReadJournal
from natya.messages.replays import ReplayEvents, StopReplay
from natya.messages.supervision import Failed, Unavailable
from natya.messages.system import Ping


class Read(msgspec.Struct, frozen=True):
    """To the journal itself: a page that has been read."""

    page: JournalPage
    asker: object


class Late(msgspec.Struct, frozen=True):
    """To the journal itself: an append that it takes only now."""

    request: Append
    asker: object


class PlayedJournal(RuntimeActor):
    """Keeps what comes, and tells delivery of it, unless the test says otherwise."""

    @handles(Append)
    def append(self, request, sender):
        world = self.settings
        world.asked.append(request.facts[0])
        if isinstance(request.facts[0], world.late):
            self.after(1.0, Late(request, sender))
        else:
            self.take(request, sender)

    @handles(Late)
    def take_late(self, late, _):
        self.take(late.request, late.asker)

    def take(self, request, sender):
        world = self.settings
        if isinstance(request.facts[0], world.unanswered):
            return
        if isinstance(request.facts[0], world.refused):
            self.send(sender, AppendRefused(reason="the disk is full"))
            return
        records = world.add(*request.facts)
        if isinstance(request.facts[0], world.mute):
            self.send("delivery", Journaled(records=records))
            return
        if world.is_routed:
            self.send("delivery", Journaled(records=records))
        self.send(sender, Appended(first_sequence=records[0].sequence, last_sequence=records[-1].sequence))

    @handles(ReadJournal)
    def read(self, request, sender):
        world = self.settings
        world.reads.append(request)
        if world.is_away:
            self.send(sender, Unavailable(actor="journal", reason="restarting", retry_after_s=0))
            return
        found = [
            record
            for record in world.records
            if record.sequence > request.after_sequence
            and (not request.types or type(record.fact).__name__ in request.types)
        ][: request.records_max]
        page = JournalPage(records=tuple(found), last_sequence=len(world.records))
        self.after(world.read_s, Read(page, sender))

    @handles(Read)
    def answer(self, read, _):
        self.send(read.asker, read.page)


class Handled(msgspec.Struct, frozen=True):
    """To the subscriber itself: all of a batch was handled."""

    asker: object


class PlayedSubscriber(RuntimeActor):
    """Handles what it is given, until it comes to an event that the test calls broken."""

    @handles(DeliverEvents)
    def handle(self, request, sender):
        world = self.settings
        if world.is_silent:
            return
        answer = next(world.answers, None)
        if answer is not None:
            self.send(sender, answer)
            return
        for number, event in enumerate(request.events):
            world.tried.append(event.event_id)
            if event.event_id in world.broken:
                self.send(sender, EventsNotHandled(handled=number, error="ValueError", reason="broken"))
                return
            world.handled.append((event.aggregate_id, event.event_id))
        if world.handling_s:
            self.after(world.handling_s, Handled(sender))
        else:
            self.send(sender, EventsHandled())

    @handles(Handled)
    def tell(self, handled, _):
        self.send(handled.asker, EventsHandled())


class World:
    def __init__(self, system, **terms):
        self.system = system
        self.records, self.asked, self.reads, self.tried, self.handled = [], [], [], [], []
        self.broken, self.refused, self.unanswered, self.mute, self.is_routed = set(), (), (), (), True
        self.late = ()
        self.read_s, self.handling_s, self.is_silent, self.answers = 0.0, 0.0, False, iter(())
        self.is_away = False
        own = {name: terms.pop(name) for name in ("subscriptions_max", "keep_s") if name in terms}
        self.terms = DeliveryTerms(**terms)
        system.start("journal", PlayedJournal, self)
        system.start("delivery", DeliveryActor, DeliverySettings(**{"keep_s": 0.2, "retry_s": 1.0} | own))
        system.start("durable-billing", PlayedSubscriber, self)

    def subscribe(self, **fields):
        wanted = SubscribeDurably(subscription="billing", subscriber="durable-billing", terms=self.terms, **fields)
        return self.system.request("delivery", wanted)

    def add(self, *facts):
        first = len(self.records) + 1
        made = tuple(
            JournalRecord(sequence=sequence, recorded_ns=sequence, correlation_id="", fact=fact)
            for sequence, fact in enumerate(facts, first)
        )
        self.records += made
        return made

    def happen(self, *events, is_told=True):
        records = self.add(*events)
        if is_told:
            self.system.tell("delivery", Journaled(records=records))

    def run_for(self, seconds):
        self.system.base.run_for(seconds)

    def subscribe_many(self, count, **fields):
        for number in range(count):
            name = f"billing-{number}"
            wanted = SubscribeDurably(subscription=name, subscriber="durable-billing", terms=self.terms, **fields)
            self.system.tell("delivery", wanted)

    @property
    def reads_of_events(self):
        return [each for each in self.reads if not each.types]

    @property
    def status(self):
        (status,) = self.system.request("delivery", Ping()).statistics.subscriptions
        return status

    def written(self, kind):
        return [fact for fact in self.asked if isinstance(fact, kind)]


@pytest.fixture
def open_world():
    with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
        yield lambda **terms: World(system, **terms)
        assert system.base.find("delivery").failures == 0  # whatever it is asked, and whatever it is answered


def an_event(number, key="order-1", **fields):
    return a_published(event_id=f"e-{number}", aggregate_id=key, **fields)


@settings(max_examples=HALF)
@given(
    told=st.lists(
        st.tuples(st.integers(1, 5), st.booleans(), st.booleans(), st.integers(0, 2)), min_size=1, max_size=12
    ),
    pending_max=st.integers(1, 8),
    batch_max=st.integers(1, 4),
    partitions=st.integers(1, 3),
)
def test_each_event_is_handled_once_in_order_of_its_key_whatever_delivery_was_not_told_of(
    told, pending_max, batch_max, partitions
):
    """A router that was down, or a subscription that has no room, has it read from the journal later."""
    with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
        world = World(system, pending_max=pending_max, batch_max=batch_max, partitions=partitions)
        world.subscribe(event_types=("Shipped",))
        number = 0
        for count, is_told, has_time, besides in told:
            for _ in range(besides):
                world.happen(an_event(10_000, event_type="Paid"), is_told=is_told)
            events = [an_event(number + each, f"order-{(number + each) % 3}") for each in range(count)]
            number += count
            world.happen(*events, is_told=is_told)
            if has_time:
                world.run_for(0.01)
        world.happen(an_event(number, "order-0"))
        world.run_for(5)

        assert sorted(world.handled) == sorted(
            {(f"order-{each % 3}", f"e-{each}") for each in range(number)} | {("order-0", f"e-{number}")}
        )
        for key in ("order-0", "order-1", "order-2"):
            numbers = [int(event_id[2:]) for each, event_id in world.handled if each == key]
            assert numbers == sorted(numbers)
        assert world.written(DeadLettersChanged) == []
        assert world.written(SubscriptionMoved)[-1].position == max(
            record.sequence for record in world.records if isinstance(record.fact, EventPublished)
        )


class TestAnEventThatFailsToTheEnd:
    @pytest.mark.parametrize("refusals", [0, 2])
    def test_holds_its_key_up_until_it_is_a_durable_dead_letter_and_no_longer(self, open_world, refusals):
        world = open_world(attempts_max=2, retry_first_s=0.1)
        world.subscribe()
        world.broken.add("e-1")
        world.refused = EventDeadLettered if refusals else ()
        world.happen(an_event(1), an_event(2), an_event(3, "another-key"))
        world.run_for(0.9)
        before = list(world.handled)
        world.run_for(max(refusals - 1, 0))
        world.refused = ()
        world.run_for(1.5)

        assert not refusals or before == [("another-key", "e-3")]
        assert sorted(world.handled) == [("another-key", "e-3"), ("order-1", "e-2")]
        assert world.tried.count("e-1") == 2
        assert len(world.written(EventDeadLettered)) == 1 + refusals
        (letter,) = [record.fact for record in world.records if isinstance(record.fact, EventDeadLettered)]
        assert (letter.letter_id, letter.attempts, letter.error) == ("billing-2", 2, "ValueError")
        assert world.written(DeadLettersChanged) == []

    def test_is_one_dead_letter_though_the_journal_does_not_say_that_it_has_it(self, open_world):
        world = open_world(attempts_max=1)
        world.subscribe()
        world.broken.add("e-1")
        world.mute = EventDeadLettered
        world.happen(an_event(1), an_event(2))
        world.run_for(30)

        assert len(world.written(EventDeadLettered)) == 1
        assert world.handled == [("order-1", "e-2")]

    def test_is_a_dead_letter_or_handled_by_the_next_subscriber_if_the_first_has_left(self, open_world):
        world = open_world(attempts_max=1)
        world.subscribe()
        world.broken.add("e-1")
        world.refused = EventDeadLettered
        world.happen(an_event(1))
        world.run_for(0.5)
        world.system.request("delivery", UnsubscribeEvents(subscriber="durable-billing"))
        tried = len(world.written(EventDeadLettered))
        world.run_for(5)
        assert len(world.written(EventDeadLettered)) == tried  # whether it fails is for the next one to see
        world.broken.clear()
        world.refused = ()
        world.subscribe()
        world.run_for(5)
        letters = [record for record in world.records if isinstance(record.fact, EventDeadLettered)]
        gone = [record for record in world.records if isinstance(record.fact, DeadLettersChanged)]

        assert len(world.handled) <= 1
        assert len(world.handled) + len(letters) - len(gone) == 1

    def test_is_settled_for_who_has_left_and_hands_it_nothing_more(self, open_world):
        world = open_world(attempts_max=1, batch_max=1)
        world.subscribe()
        world.broken.add("e-1")
        world.late = EventDeadLettered
        world.happen(an_event(1), an_event(2))
        world.run_for(0.5)
        world.system.request("delivery", UnsubscribeEvents(subscriber="durable-billing"))
        world.run_for(5)

        assert (world.tried, self.letters(world)) == (["e-1"], ["billing-2"])
        world.subscribe()
        world.run_for(5)
        assert (world.tried, self.letters(world)) == (["e-1", "e-2"], ["billing-2"])

    def letters(self, world):
        return [each.letter_id for each in world.system.request("delivery", ListDeadLetters()).letters]

    def test_stays_a_dead_letter_when_the_record_of_it_comes_behind_the_answer(self, open_world):
        world = open_world(attempts_max=1)
        world.subscribe()
        world.broken.add("e-1")
        world.is_routed = False
        world.happen(an_event(1))
        world.run_for(1)
        (record,) = [each for each in world.records if isinstance(each.fact, EventDeadLettered)]
        world.system.tell("delivery", Journaled(records=(record,)))
        world.run_for(1)

        assert self.letters(world) == ["billing-2"]
        assert (world.status.pending, world.status.dead_letters) == (0, 1)
        assert world.written(DeadLettersChanged) == []

    @pytest.mark.parametrize("when", ["before", "while it waits", "when it is handled"])
    def test_of_the_subscriber_before_is_one_unless_the_next_has_handled_it(self, open_world, when):
        """The first gives e-2 up, while e-1 is to be tried again; that it did is told only to the next subscriber."""
        world = open_world(retry_first_s=1_000.0, retry_max_s=1_000.0, partitions=1, batch_max=2)
        world.subscribe()
        world.answers = iter(
            EventsNotHandled(handled=0, error="E", reason="r", is_permanent=is_permanent)
            for is_permanent in (False, True)
        )
        world.unanswered = EventDeadLettered
        world.happen(an_event(1), an_event(2, "another-key"))
        world.run_for(1)
        (letter,) = world.written(EventDeadLettered)
        world.unanswered = ()
        world.terms = msgspec.structs.replace(world.terms, batch_max=1)
        world.handling_s = 2.0
        if when == "before":
            world.happen(letter)
        world.subscribe()
        world.run_for({"before": 10, "while it waits": 1, "when it is handled": 10}[when])
        if when != "before":
            world.happen(letter)
            world.run_for(10)

        is_handled = when == "when it is handled"
        assert world.tried == (["e-1", "e-2"] if is_handled else ["e-1"])
        assert self.letters(world) == ([] if is_handled else [letter.letter_id])
        assert [each.change for each in world.written(DeadLettersChanged)] == ["handled"] * is_handled
        assert (world.status.handled, world.status.pending) == (len(world.tried), 0)


class TestADeadLetterThatIsRequeued:
    @pytest.fixture
    def world(self, open_world):
        """With a dead letter, `billing-2`, that is handled when it is requeued."""
        world = open_world(attempts_max=1)
        world.subscribe()
        world.broken.add("e-1")
        world.happen(an_event(1))
        world.run_for(1)
        world.broken.clear()
        return world

    def requeue(self, world):
        change = ChangeDeadLetters(letter_ids=("billing-2",), change="requeued")
        assert world.system.request("delivery", change) == DeadLettersChangeDone(changed=1)

    @pytest.mark.parametrize("outage", ["refused", "unanswered"])
    def test_may_be_requeued_again_where_the_journal_did_not_take_the_first_change(self, world, outage):
        change = ChangeDeadLetters(letter_ids=("billing-2",), change="requeued")
        setattr(world, outage, DeadLettersChanged)
        answer = world.system.request("delivery", change, timeout_s=60)
        setattr(world, outage, ())

        assert answer.changed == 0
        assert answer.refusal
        self.requeue(world)

    def test_is_not_changed_a_second_time_while_the_first_change_is_on_its_way(self, world):
        world.late = DeadLettersChanged
        change = ChangeDeadLetters(letter_ids=("billing-2",), change="requeued")
        first, second = [world.system.request_future("delivery", change) for _ in range(2)]

        assert [each.result().changed for each in (first, second)] == [1, 0]
        assert [each.change for each in world.written(DeadLettersChanged)] == ["requeued"]

    @pytest.mark.parametrize("outage", ["refused", "unanswered"])
    def test_is_a_dead_letter_until_it_is_durable_that_it_was_handled(self, world, outage):
        self.requeue(world)
        setattr(world, outage, DeadLettersChanged)
        world.run_for(3)
        during = world.system.request("delivery", ListDeadLetters())
        setattr(world, outage, ())
        world.run_for(20)

        assert world.handled == [("order-1", "e-1")]
        assert [each.letter_id for each in during.letters] == ["billing-2"]
        assert world.system.request("delivery", ListDeadLetters()).found == 0
        durable = [each.fact.change for each in world.records if isinstance(each.fact, DeadLettersChanged)]
        assert durable == ["requeued", "handled"]


class TestAReplay:
    AWAY = Unavailable(actor="durable-billing", reason="restarting", retry_after_s=0)

    @pytest.fixture
    def world(self, open_world):
        world = open_world(handling_s=3.0, batch_max=1)
        world.subscribe()
        world.happen(an_event(1, occurred_ns=10**9), an_event(2, occurred_ns=6 * 10**9))
        world.run_for(1)
        assert len(world.handled) == 2
        return world

    def begin(self, world, seconds, **wanted):
        """Begin one, and return how it stands after so many seconds."""
        world.system.request("delivery", ReplayEvents(subscription="billing", **wanted))
        return self.status(world, seconds)

    def status(self, world, seconds):
        world.run_for(seconds)
        (status,) = world.system.request("delivery", Ping()).statistics.replays
        return status

    def test_goes_on_behind_the_part_of_a_batch_that_was_handled(self, open_world):
        world = open_world()
        world.subscribe()
        world.happen(*map(an_event, (1, 2, 3)))
        world.run_for(1)
        world.answers = iter([EventsHandled(handled=1)])
        status = self.begin(world, 1)

        assert (status.is_over, status.handled, status.failed) == (True, 3, 0)
        assert world.tried[3:] == ["e-2", "e-3"]

    def test_goes_on_when_the_journal_is_back(self, world):
        world.is_away = True
        early = self.begin(world, 5)
        reads = len(world.reads)
        world.is_away = False
        late = self.status(world, 10)

        assert (early.is_over, early.handled, early.error) == (False, 0, "")
        assert reads >= 4  # it asked again each second
        assert (late.is_over, late.handled, late.failed, late.error) == (True, 2, 0, "")

    def test_that_is_stopped_while_the_journal_is_away_is_over(self, world):
        world.is_away = True
        early = self.begin(world, 1)
        stopped = world.system.request("delivery", StopReplay(replay_id=early.replay_id)).status
        world.is_away = False
        late = self.status(world, 10)

        assert (stopped.is_over, stopped.error) == (True, "stopped")
        assert late == stopped
        assert world.handled[2:] == []

    def test_whose_subscriber_does_not_answer_ends_and_says_so(self, world):
        world.is_silent = True
        early = self.begin(world, 2.9)
        late = self.status(world, 0.2)

        assert (early.is_over, early.error) == (False, "")
        assert (late.is_over, late.handled, late.failed) == (True, 0, 0)
        assert late.error.startswith("no answer of durable-billing: ")

    @pytest.mark.parametrize(("pace", "pause_s"), [(0, 0.0), (1, 5.0), (10, 0.5)])
    def test_makes_the_pauses_of_the_past_at_its_pace(self, world, pace, pause_s):
        early = self.begin(world, max(0.0, pause_s - 0.1), pace=pace)
        late = self.status(world, 0.2)

        assert not pause_s or (early.handled, early.is_over) == (1, False)
        assert (late.handled, late.is_over) == (2, True)

    def test_sleeps_until_an_event_is_due(self, world):
        self.begin(world, 1, pace=1e-3)
        turns = world.system.base.find("delivery").handled
        assert not self.status(world, 5).is_over

        assert world.system.base.find("delivery").handled - turns < 5

    def test_is_of_all_that_was_handled_be_it_journaled_how_far_that_is_or_not(self, open_world):
        world = open_world(keep_s=1_000.0)
        world.subscribe()
        world.happen(an_event(1), an_event(2))
        world.run_for(1)
        status = self.begin(world, 0.1)

        assert world.written(SubscriptionMoved)[-1].position == 0
        assert (status.handled, status.is_over) == (2, True)

    def test_waits_for_a_subscriber_that_is_being_restarted_and_not_for_ever(self, world):
        world.answers = iter([self.AWAY] * 40)
        early = self.begin(world, 25)
        late = self.status(world, 10)

        assert not early.is_over
        assert (late.is_over, late.error) == (True, "durable-billing is not there: restarting")

    def test_goes_on_with_one_that_is_back_however_often_it_goes(self, world):
        world.answers = iter([*[self.AWAY] * 25, None] * 2)
        early = self.begin(world, 40)
        late = self.status(world, 15)

        assert (early.is_over, early.handled) == (False, 1)
        assert (late.is_over, late.handled, late.error) == (True, 2, "")
        assert world.handled[2:] == world.handled[:2]


class TestASubscription:
    def test_may_not_be_more_than_there_may_be_but_may_be_made_anew(self, open_world):
        world = open_world(subscriptions_max=1)
        world.run_for(1)

        assert world.subscribe() == EventsSubscribed(subscriber="durable-billing")
        assert world.subscribe().refusal == ""
        refused = world.system.request("delivery", SubscribeDurably(subscription="b", subscriber="durable-billing"))
        assert refused.refusal == "at most 1 durable subscriptions wanted"
        assert world.status.subscription == "billing"

    @pytest.mark.parametrize(("told", "tried", "retries"), [(1, "23", 0), (3, "", 0), (0, "", 0), (4, "123", 1)])
    def test_that_has_handled_a_part_of_a_batch_gets_the_rest_and_that_is_no_failure(
        self, open_world, told, tried, retries
    ):
        world = open_world(retry_first_s=0.0)
        world.subscribe()
        world.answers = iter([EventsHandled(handled=told)])
        world.happen(*map(an_event, (1, 2, 3)))
        world.run_for(5)

        assert world.tried == [f"e-{each}" for each in tried]
        assert (world.status.handled, world.status.retries, world.status.pending) == (3, retries, 0)

    @pytest.mark.parametrize(
        ("answer", "tried"),
        [
            (EventsNotHandled(handled=0, error="E", reason="r"), ["e-2"]),
            (Failed(actor="durable-billing", message_type="DeliverEvents", error="E", reason="r"), []),
            (Unavailable(actor="durable-billing", reason="r", retry_after_s=1.0), []),
            ("no answer at all", []),
        ],
        ids=["handler", "actor", "away", "other"],
    )
    def test_that_may_be_at_a_batch_still_is_handed_nothing_else_of_its_partition(self, open_world, answer, tried):
        """An actor that failed leaves its jobs on their threads: its next life would handle the same side by side."""
        world = open_world(partitions=1, retry_first_s=1_000.0, retry_max_s=1_000.0)
        world.subscribe()
        world.answers = iter([answer])
        world.happen(an_event(1), an_event(2, "another-key"))
        world.run_for(1)

        assert world.tried == tried
        assert world.status.pending == 2 - len(tried)

    def test_that_is_made_anew_hands_over_what_was_not_settled_and_the_one_before_nothing_more(self, open_world):
        world = open_world(handling_s=3.0, retry_first_s=0.1)
        world.subscribe()
        world.is_silent = True
        world.happen(an_event(1))
        world.run_for(0.5)
        world.is_silent = False
        world.subscribe()
        world.run_for(20)

        assert world.tried == ["e-1"]

    def test_that_two_ask_for_before_it_is_durable_is_told_to_both(self, open_world):
        world = open_world()
        world.run_for(1)
        world.late = SubscriptionMoved
        askers = [world.system.probe(f"asker-{number}") for number in range(2)]
        wanted = SubscribeDurably(subscription="billing", subscriber="durable-billing", terms=world.terms)
        for asker in askers:
            world.system.tell("delivery", wanted, sender=asker)
        world.run_for(5)

        assert [asker.receive() for asker in askers] == [EventsSubscribed(subscriber="durable-billing")] * 2

    def test_that_is_left_has_its_place_journaled_at_once(self, open_world):
        world = open_world(keep_s=1_000.0)
        world.subscribe()
        world.happen(an_event(1), an_event(2))
        world.run_for(1)
        world.system.request("delivery", UnsubscribeEvents(subscriber="durable-billing"))
        world.run_for(1)

        handled = {
            record.fact.event_id: record.sequence for record in world.records if hasattr(record.fact, "event_id")
        }
        assert world.written(SubscriptionMoved)[-1].position >= handled["e-2"]

    def test_that_is_made_anew_alone_goes_on_when_the_one_before_has_its_answer(self, open_world):
        world = open_world(batch_max=1)
        world.subscribe()
        world.handling_s = 0.5
        world.happen(an_event(1), an_event(2))
        world.run_for(0.2)
        world.subscribe()
        world.run_for(5)

        assert world.tried == ["e-1", "e-1", "e-2"], "of the first it was not known yet"

    @pytest.mark.parametrize("page", [1, 2, 100])
    @pytest.mark.parametrize("window_max", [0, 1, 2, 4, 5, 6, 100])
    def test_that_is_made_anew_handles_nothing_once_more_that_its_window_reaches(
        self, open_world, monkeypatch, window_max, page
    ):
        monkeypatch.setattr(durable, "PAGE_RECORDS", page)
        world = open_world(window_max=window_max, keep_s=1_000.0)
        world.subscribe()
        events = [an_event(number) for number in range(1, 6)]
        world.happen(*events)
        world.run_for(1)
        assert [handled for _, handled in world.handled] == [event.event_id for event in events]
        place = {record.fact.event_id: record.sequence for record in world.records if record.fact in events}
        world.subscribe()
        world.run_for(1)
        assert len(world.handled) == 5, "also where its place is not journaled yet"
        world.happen(*reversed(events))  # the newest first: what is handled again takes places in the window
        world.run_for(1)

        again = [handled for _, handled in world.handled[5:]]
        assert again[::-1] == [name for name, sequence in place.items() if sequence <= max(place.values()) - window_max]

    def test_that_is_made_anew_knows_its_events_though_many_facts_lie_between_them(self, open_world):
        world = open_world(window_max=2, keep_s=1_000.0)
        world.subscribe(event_types=("Shipped",))
        for number in (1, 2):
            world.happen(an_event(number), *(an_event(100 + each, event_type="Paid") for each in range(10)))
            world.run_for(1)
        world.subscribe(event_types=("Shipped",))
        world.run_for(1)
        world.happen(an_event(1), an_event(2), an_event(3))
        world.run_for(1)

        assert [name for _, name in world.handled] == ["e-1", "e-2", "e-3"]
        assert world.status.duplicates == 2

    @pytest.mark.parametrize("page", [1, 2, 100])
    def test_that_is_made_anew_takes_nothing_for_handled_that_was_not(self, open_world, monkeypatch, page):
        monkeypatch.setattr(durable, "PAGE_RECORDS", page)
        world = open_world(keep_s=1_000.0, handling_s=3.0)
        world.subscribe()
        for number in range(1, 6):
            world.is_silent = number > 3
            world.happen(an_event(number))
            world.run_for(0.1)
        world.is_silent = False
        world.subscribe()
        world.run_for(20)

        assert world.tried == [f"e-{number}" for number in range(1, 6)]

    def test_that_is_made_anew_reads_nothing_new_before_it_knows_its_events(self, open_world, monkeypatch):
        monkeypatch.setattr(durable, "PAGE_RECORDS", 1)
        world = open_world()
        world.subscribe()
        for number in range(1, 6):
            world.happen(an_event(number))
            world.run_for(1)
        world.system.request("delivery", UnsubscribeEvents(subscriber="durable-billing"))
        world.happen(an_event(1), an_event(6))  # the first is published once more
        world.run_for(1)
        world.read_s = 0.1
        world.subscribe()
        world.run_for(10)

        assert world.tried == [f"e-{number}" for number in range(1, 7)]
        assert world.status.duplicates == 1

    @pytest.mark.parametrize("is_told", [True, False])
    def test_that_is_made_anew_knows_its_events_before_it_hears_or_reads_of_others(self, open_world, is_told):
        world = open_world()
        world.subscribe()
        world.happen(an_event(1))
        world.run_for(1)
        world.read_s = 1.0
        world.subscribe()
        world.run_for(0.5)
        world.happen(an_event(1), an_event(2), is_told=is_told)  # the first is published once more
        world.run_for(1)
        world.happen(an_event(3))
        world.run_for(10)

        assert world.tried == ["e-1", "e-2", "e-3"]
        assert world.status.duplicates == 1

    def test_has_its_place_journaled_at_most_once_in_a_while(self, open_world):
        world = open_world(keep_s=10.0)
        world.subscribe()
        for number in range(30):
            world.happen(an_event(number))
            world.run_for(1)

        assert len(world.written(SubscriptionMoved)) <= 1 + 3

    def test_sleeps_until_something_is_due(self, open_world):
        world = open_world(retry_first_s=1_000.0, retry_max_s=1_000.0)
        world.subscribe()
        world.answers = iter([EventsNotHandled(handled=0, error="E", reason="r")])
        world.happen(an_event(1))
        world.run_for(1)
        turns = world.system.base.find("delivery").handled
        world.run_for(9)

        assert world.system.base.find("delivery").handled - turns < 5

    def test_of_another_s_name_is_refused_to_a_strategy(self, open_world):
        class Thief(RuntimeActor):
            says = frozenset({SubscribeDurably})

            @handles(SubscribeDurably)
            def say(self, request, sender):
                self.ask("delivery", request, timeout_s=5, then=lambda outcome: self.send(sender, outcome.value))

        world = open_world()
        world.run_for(1)
        world.system.start("thief", Thief)
        refused = world.system.request("thief", SubscribeDurably(subscription="billing", subscriber="durable-billing"))

        assert isinstance(refused, Failed)
        assert not world.system.request("delivery", Ping()).statistics.subscriptions
        own = SubscribeDurably(subscription="own", subscriber="thief")
        assert world.system.request("thief", own) == EventsSubscribed(subscriber="thief")
        world.system.request("delivery", UnsubscribeEvents(subscriber="thief"))
        assert world.subscribe().refusal == ""

    def test_of_no_pattern_is_refused_and_leaves_no_place(self, open_world):
        world = open_world()
        world.run_for(1)

        assert "words joined by dots" in world.subscribe(patterns=("a..b",)).refusal
        assert not world.system.request("delivery", Ping()).statistics.subscriptions

    @pytest.mark.parametrize("has_left", [False, True])
    def test_has_its_place_journaled_anew_before_old_segments_go(self, open_world, has_left):
        world = open_world()
        world.subscribe()
        world.happen(an_event(1))
        world.run_for(1)
        if has_left:
            world.system.request("delivery", UnsubscribeEvents(subscriber="durable-billing"))
            world.run_for(1)
        place = world.status.position
        before = len(world.written(SubscriptionMoved))
        day_ns = 86_400 * 10**9
        told = [record.recorded_ns for record in world.records if isinstance(record.fact, SubscriptionMoved)]
        subscriptions = world.system.base.find("delivery").instance._durable
        subscriptions.keep_old(min(told))
        world.run_for(1)
        assert len(world.written(SubscriptionMoved)) == before
        subscriptions.keep_old(max(told) + day_ns)
        world.run_for(1)
        moved = world.written(SubscriptionMoved)
        assert (len(moved), moved[-1].subscription, moved[-1].position) == (before + 1, "billing", place)

    def test_has_its_place_journaled_anew_only_once_it_was_and_the_oldest_first(self, open_world, monkeypatch):
        monkeypatch.setattr("natya.actors.events.delivery.keeping.KEPT_AT_ONCE_MAX", 2)
        world = open_world(keep_s=1_000.0)
        for name in ("c", "a", "b"):
            wanted = SubscribeDurably(subscription=name, subscriber="durable-billing", terms=world.terms)
            world.system.request("delivery", wanted)
        world.unanswered = SubscriptionMoved
        world.system.tell("delivery", SubscribeDurably(subscription="new", subscriber="durable-billing"))
        world.run_for(1)
        before = len(world.written(SubscriptionMoved))
        world.system.base.find("delivery").instance._durable.keep_old(1 << 62)
        world.run_for(1)

        assert [each.subscription for each in world.written(SubscriptionMoved)[before:]] == ["c", "a"]

    def test_has_its_place_journaled_once_where_unwanted_records_are_told_again(self, open_world):
        world = open_world(keep_s=0.2)
        world.subscribe(event_types=("Shipped",))
        world.happen(an_event(1, event_type="Paid"), an_event(2, event_type="Paid"))
        world.run_for(1)
        world.is_routed = False
        subscriptions = world.system.base.find("delivery").instance._durable
        subscriptions.keep_old(0)
        world.run_for(1)
        world.system.tell("delivery", Journaled(records=tuple(world.records[1:2])))
        world.run_for(1)
        for _ in range(2):
            subscriptions.keep_old(0)
            world.run_for(1)

        assert [each.position for each in world.written(SubscriptionMoved)] == [0, 3]

    @pytest.mark.parametrize("is_stopping", [False, True])
    def test_that_passes_over_what_it_does_not_want_has_that_journaled_now_and_then_and_at_a_stop(
        self, open_world, is_stopping
    ):
        world = open_world(keep_s=0.2)
        world.subscribe(event_types=("Shipped",))
        for number in range(20):
            world.happen(an_event(number, event_type="Paid"))
            world.run_for(1)
        early, status = len(world.written(SubscriptionMoved)), world.status
        subscriptions = world.system.base.find("delivery").instance._durable
        for _ in range(2):  # the second time it stands still
            subscriptions.keep_all() if is_stopping else subscriptions.keep_old(0)
            world.run_for(1)

        assert early == 1, "where it begins"
        assert (status.behind, status.position) == (0, 21)
        assert [each.position for each in world.written(SubscriptionMoved)] == [0, 21]

    def test_that_has_no_room_is_behind_by_what_it_was_not_offered(self, open_world):
        world = open_world(pending_max=2, batch_max=1, partitions=1, attempts_max=100, retry_first_s=50.0)
        world.subscribe()
        world.broken.add("e-0")
        for number in range(10):
            world.happen(an_event(number))
            world.run_for(0.01)
        behind = world.status.behind
        offered = world.records[-1].sequence - behind

        assert behind >= 8
        events = [each.fact for each in world.records[:offered] if isinstance(each.fact, EventPublished)]
        assert [event.event_id for event in events] == ["e-0", "e-1"]


class TestAnAnswer:
    @pytest.mark.parametrize(
        ("answer", "error", "found"),
        [
            (EventsNotHandled(handled=1, error="E", reason="r"), None, (1, "E", "r")),
            (EventsNotHandled(handled=2, error="E", reason="r"), None, (0, "E", "r")),
            (EventsNotHandled(handled=0, error="E", reason="r", is_permanent=True), None, (0, "E", "r")),
            (Unavailable(actor="a", reason="down", retry_after_s=0), None, (0, "Unavailable", "down")),
            (Failed(actor="a", message_type="m", error="E", reason="r"), None, (0, "E", "r")),
            (None, TimeoutError("late"), (0, "TimeoutError", "late")),
            (7, None, (0, "int", "7")),
        ],
    )
    def test_to_two_events_that_is_no_success_is_a_failure_of_the_first_that_it_does_not_name(
        self, answer, error, found
    ):
        failure = failure_of(answer, Outcome(value=answer, error=error), 2)

        assert (failure.handled, failure.error, failure.reason) == found
        assert failure.is_permanent == getattr(answer, "is_permanent", False)

    @pytest.mark.parametrize("handled", [3, -1, True, 1.0, "1", None])
    def test_that_says_no_number_of_what_was_handed_over_is_a_failure(self, handled):
        answer = EventsHandled(handled=handled)
        failure = failure_of(EventsNotHandled(handled=handled, error="E", reason="r"), Outcome(), 2)

        assert handled_of(answer, 2) is None
        assert (failure.handled, failure.error, failure.reason) == (0, "E", "r")

    @pytest.mark.parametrize(("handled", "found"), [(0, 2), (1, 1), (2, 2)])
    def test_of_all_or_of_so_many_is_a_success(self, handled, found):
        assert handled_of(EventsHandled(handled=handled), 2) == found

    @pytest.mark.parametrize(
        ("error", "reason", "handled"),
        [("\ud800", "orders-\udcff.csv", 0), (ValueError, ValueError("x"), 1), ("E" * 10_000, "r" * 10**6, 1)],
        ids=["no UTF-8", "no texts", "too long"],
    )
    def test_of_whatever_texts_makes_a_dead_letter_that_can_be_written(self, error, reason, handled):
        answer = EventsNotHandled(handled=handled, error=error, reason=reason, traceback=reason)
        failure = failure_of(answer, Outcome(value=answer), 2)

        assert as_received(failure) == failure
        assert failure.handled == handled
        assert len(encode(failure)) < 50_000


class TestAPage:
    @pytest.mark.parametrize(("pending_max", "records_max"), [(5, 50), (200, 200), (5_000, 500)])
    def test_is_as_large_as_there_is_room_between_bounds(self, open_world, monkeypatch, pending_max, records_max):
        monkeypatch.setattr(durable, "PAGE_RECORDS_MIN", 50)
        monkeypatch.setattr(durable, "PAGE_RECORDS", 500)
        world = open_world(pending_max=pending_max)
        world.happen(an_event(1), is_told=False)
        assert world.subscribe(begins="oldest") == EventsSubscribed(subscriber="durable-billing")
        world.run_for(1)

        assert world.handled == [("order-1", "e-1")]
        assert {each.records_max for each in world.reads_of_events} == {records_max}

    @pytest.mark.parametrize(("sizes", "reads"), [((1, 1, 1), 0), ((5, 5), 0), ((1, 6), 1), ((6,), 1)])
    def test_is_read_only_by_one_that_was_not_told_or_had_no_room_for_all_of_a_batch(self, open_world, sizes, reads):
        world = open_world(pending_max=5, batch_max=5, window_max=0)
        world.subscribe()
        number = 0
        for size in sizes:
            world.happen(*(an_event(number + each) for each in range(size)))
            world.run_for(1)
            number += size

        assert world.handled == [("order-1", f"e-{each}") for each in range(number)]
        assert min(len(world.reads_of_events), 1) == reads

    def test_is_read_on_for_what_became_durable_while_it_was_on_its_way(self, open_world):
        world = open_world()
        world.run_for(1)
        world.happen(an_event(1), is_told=False)
        world.subscribe(begins="oldest")
        world.read_s = 1.0
        world.happen(an_event(2))
        world.run_for(0.5)
        world.happen(an_event(3))
        world.run_for(5)

        assert world.handled == [("order-1", f"e-{each}") for each in (1, 2, 3)]

    def test_shows_how_far_the_journal_is_and_all_of_it_is_read(self, open_world, monkeypatch):
        monkeypatch.setattr(durable, "PAGE_RECORDS", 2)
        monkeypatch.setattr(durable, "PAGE_RECORDS_MIN", 2)
        world = open_world()
        world.subscribe()
        world.run_for(1)
        world.is_routed = False
        for number in range(1, 7):
            world.happen(an_event(number), is_told=False)
        world.system.tell("delivery", Journaled(records=tuple(world.records[2:3])))  # one in the middle
        world.run_for(1)

        assert world.handled == [("order-1", f"e-{number}") for number in range(1, 7)]

    def test_is_not_read_for_one_place_in_memory(self, open_world):
        world = open_world(pending_max=16, batch_max=1, partitions=1, window_max=0)
        world.happen(*(an_event(number) for number in range(128)), is_told=False)
        world.subscribe(begins="oldest")
        world.run_for(5)

        assert len(world.handled) == 128
        assert len(world.reads_of_events) <= 128 / (16 / durable.ROOM_MIN) + 2


class TestARecord:
    def test_that_is_told_twice_is_offered_once(self, open_world):
        world = open_world()
        world.subscribe()
        world.happen(an_event(1), an_event(2))
        world.run_for(1)
        again = tuple(record for record in world.records if isinstance(record.fact, EventPublished))
        for records in (again, again[1:]):
            world.system.tell("delivery", Journaled(records=records))
            world.run_for(1)

        assert world.handled == [("order-1", "e-1"), ("order-1", "e-2")]
        assert (world.status.handled, world.status.duplicates, world.status.behind) == (2, 0, 0)

    def test_of_a_dead_letter_that_nobody_tells_of_lets_its_key_go_on_and_the_place_is_kept(self, open_world):
        world = open_world(attempts_max=1)
        world.subscribe()
        world.run_for(1)
        world.is_routed = False
        world.broken.add("e-2")
        world.happen(an_event(1))
        world.run_for(1)
        world.happen(an_event(2))
        world.run_for(1)
        last = world.written(SubscriptionMoved)[-1]

        assert len(world.written(EventDeadLettered)) == 1
        assert max((last.position, *last.done)) >= 4
        world.happen(an_event(3))
        world.run_for(1)
        assert world.handled == [("order-1", "e-1"), ("order-1", "e-3")]


class TestManySubscriptions:
    """A read each kept the journal from its writers; while they were read it had gone on, and they never caught up."""

    MANY = 50

    def test_that_begin_together_have_read_what_is_new_and_what_was_handled_for_all_of_them(self, open_world):
        world = open_world(batch_max=1)
        world.happen(*map(an_event, range(1, 4)), is_told=False)
        world.subscribe_many(self.MANY, begins="oldest")
        world.run_for(10)
        first, world.reads = len(world.reads), []
        world.subscribe_many(self.MANY)
        world.run_for(10)
        again, world.reads = len(world.reads), []
        world.happen(an_event(3), an_event(4))
        world.run_for(10)

        assert sorted(world.tried) == sorted([f"e-{each}" for each in range(1, 5)] * self.MANY)
        assert max(first, again) <= 8
        assert world.reads == []

    @pytest.mark.parametrize("first", ["wants something else", "recalls what it had"])
    def test_are_told_each_though_the_one_before_is_not(self, open_world, first):
        world = open_world()
        world.happen(an_event(1, event_type="Paid"))
        world.run_for(1)
        if first == "recalls what it had":
            world.read_s = 100.0
        world.subscribe_many(1, event_types=("Paid",))
        terms = msgspec.structs.replace(world.terms, window_max=0)
        second = SubscribeDurably(subscription="second", subscriber="durable-billing", terms=terms)
        assert world.system.request("delivery", second) == EventsSubscribed(subscriber="durable-billing")
        world.run_for(1)
        world.reads, world.is_routed = [], False
        world.happen(an_event(2))
        world.run_for(1)

        assert (world.tried, world.reads) == (["e-2"], [])

    @pytest.mark.parametrize("event_type", ["Shipped", "Paid"])
    def test_share_a_page_though_one_of_them_has_a_part_of_it(self, open_world, event_type):
        world = open_world(window_max=0)
        world.happen(*map(an_event, (1, 2, 3)))
        world.run_for(1)
        world.read_s = 1.0
        world.subscribe_many(2, event_types=("Shipped",), begins="oldest")  # the first has a page of its own
        ahead = SubscribeDurably(
            subscription="ahead", subscriber="durable-billing", terms=world.terms, event_types=("Shipped",)
        )
        world.system.tell("delivery", ahead)
        world.run_for(0.1)
        world.happen(an_event(4, event_type=event_type), is_told=False)
        world.happen(SubscriptionMoved(subscription="other", position=1))
        world.run_for(20)

        is_wanted = event_type == "Shipped"
        assert sorted(world.tried) == sorted(["e-1", "e-2", "e-3"] * 2 + ["e-4"] * 3 * is_wanted)
        moved = [each for each in world.written(SubscriptionMoved) if each.subscription == "ahead"]
        assert len(moved) == 1 + is_wanted

    def test_have_a_page_of_their_own_where_that_of_another_begins_behind_theirs(self, open_world):
        world = open_world(window_max=0)
        world.happen(*map(an_event, (1, 2, 3)))
        world.subscribe_many(2)
        world.run_for(1)
        world.read_s = 1.0
        world.happen(an_event(4), is_told=False)
        world.happen(SubscriptionMoved(subscription="other", position=1))  # so that both want a page: one waits
        world.run_for(0.1)
        oldest = SubscribeDurably(
            subscription="oldest", subscriber="durable-billing", terms=world.terms, begins="oldest"
        )
        world.system.tell("delivery", oldest)
        world.run_for(20)

        assert sorted(world.tried) == ["e-1", "e-2", "e-3", "e-4", "e-4", "e-4"]

    def test_recall_what_they_have_had_though_the_page_of_another_is_older(self, open_world):
        world = open_world(window_max=1, keep_s=1_000.0)
        world.subscribe()
        world.happen(an_event(1))
        world.run_for(1)
        world.read_s = 1.0
        world.subscribe_many(1)  # its page has the first event alone
        world.run_for(0.5)
        world.happen(an_event(2))
        world.run_for(0.1)
        world.subscribe()
        world.run_for(10)
        world.happen(an_event(2))
        world.run_for(10)

        assert world.tried.count("e-2") == 2, "by each once"

    def test_are_behind_the_places_of_others_without_a_read_or_a_fact_of_their_own(self, open_world):
        world = open_world()
        world.subscribe()
        world.happen(an_event(1))
        world.run_for(1)
        world.reads = []
        facts = len(world.asked)
        for position in range(1, 50):
            world.happen(SubscriptionMoved(subscription="other", position=position))
        world.run_for(10)
        status, other = world.system.request("delivery", Ping()).statistics.subscriptions

        assert (status.behind, status.position, other.subscription) == (0, len(world.records), "other")
        assert (world.reads, len(world.asked)) == ([], facts)
        world.happen(an_event(2))
        world.run_for(1)
        assert world.tried == ["e-1", "e-2"]

    @pytest.mark.parametrize("others", [1, 3])
    def test_have_read_what_they_were_not_told_of_when_they_hear_of_the_place_of_another(self, open_world, others):
        world = open_world()
        world.subscribe()
        world.happen(an_event(1))
        world.run_for(1)
        world.happen(an_event(2), is_told=False)
        for position in range(1, 1 + others):
            world.happen(SubscriptionMoved(subscription="other", position=position))
        world.run_for(1)

        assert world.tried == ["e-1", "e-2"]

    def test_begin_by_thousands_also_where_they_are_asked_for_before_the_journal_is_read(self, open_world):
        world = open_world()
        world.read_s = 1.0
        world.is_routed = False  # as if one group commit had them all
        world.subscribe_many(1_200)
        world.run_for(5)

        assert len(world.system.request("delivery", Ping()).statistics.subscriptions) == 1_200

    def test_are_read_for_one_page_at_a_time_also_after_the_journal_was_away(self, open_world, monkeypatch):
        monkeypatch.setattr(durable, "PAGE_RECORDS_MIN", 2)
        world = open_world(pending_max=2, batch_max=2)
        under_way, most = [], 0

        def ask(actor, target, message, **more):
            nonlocal most
            then = more.pop("then")
            if isinstance(message, ReadJournal):
                under_way.append(message)
                most = max(most, len(under_way))

            def answered(outcome):
                if isinstance(message, ReadJournal):
                    under_way.remove(message)
                then(outcome)

            RuntimeActor.ask(actor, target, message, then=answered, **more)

        monkeypatch.setattr(DeliveryActor, "ask", ask)
        world.run_for(1)
        world.read_s = 20.0  # no answer in time
        world.happen(*map(an_event, range(1, 8)), is_told=False)
        world.subscribe_many(self.MANY, begins="oldest")
        world.run_for(15)
        world.read_s = 0.01
        world.run_for(60)

        assert sorted(world.tried) == sorted([f"e-{each}" for each in range(1, 8)] * self.MANY)
        assert most <= 2  # one of them for what delivery has journaled itself

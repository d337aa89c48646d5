"""Events of the past, handed over to one durable subscription again."""

import queue
from types import SimpleNamespace

import msgspec
import pytest
from natya_events import Invoiced, Over, numbers_of
from natya_processes import WAIT_S

from natya.actors.events.delivery import replaying
from natya.actors.events.delivery.replaying import TRIES_MAX, Replay, Replays
from natya.actors.events.delivery.settings import DeliverySettings
from natya.actors.runtime import Outcome
from natya.domain.events.catalog import write
from natya.messages.addresses import DELIVERY
from natya.messages.delivery import DeliveryTerms, EventsHandled, SubscribeDurably, UnsubscribeEvents
from natya.messages.journal import Append, JournalPage, JournalRecord
from natya.messages.replays import ReplayBegun, ReplayEvents, ReplayRefused, ReplayStopped, StopReplay, is_replay
from natya.messages.supervision import Unavailable
from natya.messages.system import Ping


class Watched:
    """A durable subscriber that has handled numbers 1 to 6, of two customers, and a neighbour that has, too."""

    def __init__(self, over: Over) -> None:
        self.over = over
        self.heard, self.neighbour, self.broken = queue.SimpleQueue(), queue.SimpleQueue(), 0
        over.subscriber.of(Invoiced).handle_durably("billing", self.handle, terms=DeliveryTerms(batch_max=2))
        over.subscriber.of(Invoiced).handle_durably("neighbour", self.neighbour.put)
        for number in range(1, 7):
            event = Invoiced(
                aggregate_id=f"customer-{number % 2}", number=number, occurred_ns=number, correlation_id=f"c-{number}"
            )
            over.publisher.publish(event).result()
        numbers_of(self.heard, 6)
        numbers_of(self.neighbour, 6)

    def handle(self, event):
        if event.number == self.broken:
            raise ValueError("no such customer")
        self.heard.put(event)

    def replay(self, **wanted):
        """Begin one, and return how it stands when it is over."""
        begun = self.over.request(DELIVERY, ReplayEvents(subscription="billing", **wanted))
        assert isinstance(begun, ReplayBegun), begun
        while not (status := self.status(begun.replay_id)).is_over:
            pass
        return status

    def status(self, replay_id):
        replays = self.over.request(DELIVERY, Ping()).statistics.replays
        return next(each for each in replays if each.replay_id == replay_id)

    def sequence_of(self, number):
        """In the journal: nothing else is told of there before the sixth but where subscriptions are."""
        return next(
            record.sequence
            for record in self.over.records("EventPublished")
            if msgspec.msgpack.decode(record.fact.payload)["number"] == number
        )

    def all_heard(self):
        return [self.heard.get_nowait().number for _ in range(self.heard.qsize())]


@pytest.fixture
def watched(over):
    return Watched(over)


class TestAReplay:
    def test_hands_over_in_order_what_the_subscription_has_had_and_to_nobody_else(self, watched):
        status = watched.replay()
        after = watched.over.status()

        assert watched.all_heard() == [1, 2, 3, 4, 5, 6]
        assert (status.handled, status.failed, status.error) == (6, 0, "")
        assert watched.neighbour.empty()
        assert after.position >= watched.sequence_of(6)
        assert after.handled == 6

    @pytest.mark.parametrize(
        ("wanted", "numbers"),
        [
            ({"keys": ("customer-1",)}, [1, 3, 5]),
            ({"since_ns": 3, "until_ns": 5}, [3, 4]),
            ({"correlation_id": "c-4"}, [4]),
            ({"event_types": ("Invoiced",)}, [1, 2, 3, 4, 5, 6]),
            ({"event_types": ("Shipped",)}, []),
        ],
        ids=["key", "time", "correlation", "type", "another type"],
    )
    def test_is_of_what_was_chosen(self, watched, wanted, numbers):
        watched.replay(**wanted)

        assert watched.all_heard() == numbers

    @pytest.mark.parametrize("page", [1, 2, 3, 50])
    def test_is_read_page_by_page(self, watched, monkeypatch, page):
        monkeypatch.setattr("natya.actors.events.delivery.replaying.PAGE_RECORDS", page)
        status = watched.replay()

        assert watched.all_heard() == [1, 2, 3, 4, 5, 6]
        assert status.handled == 6

    def test_is_of_the_sequences_that_were_chosen(self, watched):
        watched.replay(after_sequence=watched.sequence_of(2), until_sequence=watched.sequence_of(4))

        assert watched.all_heard() == [3, 4]

    @pytest.mark.parametrize("broken", [3, 4, 6], ids=["first of a batch", "behind another", "the last"])
    def test_counts_what_fails_and_goes_on_and_makes_no_dead_letter(self, watched, broken):
        watched.broken = broken

        status = watched.replay()

        assert watched.all_heard() == [number for number in range(1, 7) if number != broken]
        assert (status.handled, status.failed, status.error) == (5, 1, "ValueError: no such customer")
        assert watched.over.letters().found == 0

    def test_goes_on_beside_new_events(self, watched):
        watched.over.publish(7)
        watched.replay()
        watched.over.publish(8)

        numbers_of(watched.neighbour, 2)
        assert sorted(numbers_of(watched.heard, 9)) == [1, 2, 3, 4, 5, 6, 7, 7, 8]

    def test_does_not_hand_over_what_the_subscription_never_wanted(self, watched):
        watched.over.request("journal", Append(facts=(write(Invoiced(aggregate_id="x", number=9, event_id="e")),)))
        watched.over.subscriber.of(Invoiced, keys="x").handle_durably("of-x", watched.neighbour.put)
        begun = watched.over.request(DELIVERY, ReplayEvents(subscription="of-x"))
        while not watched.status(begun.replay_id).is_over:
            pass

        assert numbers_of(watched.neighbour, 2) == [9, 9]
        assert watched.neighbour.empty()

    def test_is_refused_where_nobody_is_subscribed(self, watched):
        def refused():
            return watched.over.request(DELIVERY, ReplayEvents(subscription="biling"))

        told = [refused()]
        for name in ("billing", "neighbour"):
            watched.over.stop(f"durable-{name}")
            watched.over.request(DELIVERY, UnsubscribeEvents(subscriber=f"durable-{name}"))
            told.append(refused())

        assert told == [
            ReplayRefused(reason=f"a durable subscription with a subscriber wanted, found 'biling'; there are: {there}")
            for there in ("billing, neighbour", "neighbour", "none")
        ]

    def test_can_be_stopped_and_another_waits_until_then(self, watched):
        begun = watched.over.request(DELIVERY, ReplayEvents(subscription="billing", pace=1e-9))
        refused = watched.over.request(DELIVERY, ReplayEvents(subscription="billing"))
        beside = watched.over.request(DELIVERY, ReplayEvents(subscription="neighbour"))
        stopped = watched.over.request(DELIVERY, StopReplay(replay_id=begun.replay_id))
        none = watched.over.request(DELIVERY, StopReplay(replay_id="none"))

        assert "one at a time" in refused.reason
        assert isinstance(beside, ReplayBegun)
        assert (stopped.status.is_over, stopped.status.error) == (True, "stopped")
        assert none == ReplayStopped()
        assert watched.replay().handled == 6

    def test_ends_when_its_subscriber_does(self, watched):
        watched.over.stop("durable-billing")

        assert "durable-billing" in watched.replay().error

    def test_is_shown_while_it_is_one_of_the_newest_that_are_over(self, watched, monkeypatch):
        monkeypatch.setattr("natya.actors.events.delivery.replaying.OVER_MAX", 2)
        begun = [watched.replay(keys=("nobody",)).replay_id for _ in range(5)]
        shown = watched.over.request(DELIVERY, Ping()).statistics.replays

        assert [each.replay_id for each in shown] == begun[-3:]  # the last one has begun beside two

    def test_is_a_conversation_of_its_own(self, over):
        of_whom = queue.SimpleQueue()

        def handle(_event):
            over.request(DELIVERY, Ping())
            of_whom.put([hop for hop in over.trace() if is_replay(hop.correlation_id)])

        over.subscriber.of(Invoiced).handle_durably("billing", handle)
        over.publish(1)
        live = of_whom.get(timeout=WAIT_S)
        over.request(DELIVERY, ReplayEvents(subscription="billing"))
        replayed = of_whom.get(timeout=WAIT_S)

        assert live == []
        assert [hop.message_type for hop in replayed] == ["DeliverEvents", "Ping"]


def test_of_replays_that_are_over_the_newest_are_shown(watched, monkeypatch):
    monkeypatch.setattr(replaying, "OVER_MAX", 2)
    shown, begun = [], []
    for _ in range(4):
        begun.append(watched.replay().replay_id)
        replays = watched.over.request(DELIVERY, Ping()).statistics.replays
        shown.append([begun.index(each.replay_id) for each in replays])

    assert shown == [[0], [0, 1], [0, 1, 2], [1, 2, 3]]


def test_a_replay_at_a_pace_waits_as_long_as_lay_between_the_events():
    subscription = SubscribeDurably(subscription="billing", subscriber="billing")
    events = [write(Invoiced(aggregate_id="c", number=number, occurred_ns=number * 1_000)) for number in range(1, 4)]
    replay = Replay("replay:1", ReplayEvents(subscription="billing", pace=10), subscription)
    replay.begun_ns, replay.first_ns = 500, 1_000
    quick = Replay("replay:2", ReplayEvents(subscription="billing"), subscription)

    assert [replay.due_ns(event) for event in events] == [500, 600, 700]
    assert [quick.due_ns(event) for event in events] == [0, 0, 0]


def test_a_replay_does_not_overtake_its_subscription():
    subscription = SubscribeDurably(subscription="billing", subscriber="billing")
    replay = Replay("replay:1", ReplayEvents(subscription="billing"), subscription)
    replay.events = [(sequence, write(Invoiced(aggregate_id="c", number=sequence))) for sequence in (4, 5, 9)]

    assert [len(replay.due(0, position)) for position in (3, 4, 8, 9)] == [0, 1, 2, 3]


class Restarting:
    """A replay of one event whose subscriber is being restarted, so many times in a row as a test says."""

    def __init__(self):
        self.asked, self.waits, self.delivered = [], [], 0
        actor = SimpleNamespace(
            ask=self.ask,
            after=self.after,
            join_trace=lambda _: None,
            log=lambda *_, **__: None,
            clock=SimpleNamespace(monotonic_ns=lambda: 1),
            fact_clock=SimpleNamespace(now_ns=lambda: 1),
        )
        durable = SimpleNamespace(last_sequence=1, position_of=lambda _: 1)
        self.replays = Replays(actor, DeliverySettings(retry_s=7.0), durable)
        subscription = SubscribeDurably(subscription="billing", subscriber="billing", event_types=("Invoiced",))
        self.replays.begin(ReplayEvents(subscription="billing"), subscription)
        fact = write(Invoiced(aggregate_id="c", number=1))
        record = JournalRecord(sequence=1, recorded_ns=1, correlation_id="", fact=fact)
        self.asked.pop()[1](Outcome(value=JournalPage(records=(record,), last_sequence=1)))

    def ask(self, _target, message, *, timeout_s, then):
        assert timeout_s > 0
        self.asked.append((message, then))

    def after(self, seconds, due):
        self.waits.append(seconds)
        self.due = due
        return SimpleNamespace(cancel=lambda: None)

    def answer(self, value):
        (_, then), *_ = self.asked
        self.asked.clear()
        then(Outcome(value=value))

    def is_there_after(self, times):
        for _ in range(times):
            self.answer(Unavailable(actor="billing", reason="restarted", retry_after_s=1.0))
            if not self.asked and self.status.is_over:
                return self.status
            self.due.call()
        self.answer(EventsHandled())
        return self.status

    @property
    def status(self):
        (status,) = self.replays.statuses()
        return status


def test_a_replay_waits_for_a_subscriber_that_is_being_restarted_and_not_for_ever():
    patient, given_up = Restarting(), Restarting()
    found = patient.is_there_after(TRIES_MAX - 1)
    ended = given_up.is_there_after(TRIES_MAX)

    assert (found.handled, found.is_over, found.error) == (1, True, "")
    assert (ended.handled, ended.is_over) == (0, True)
    assert ended.error == "billing is not there: restarted"
    assert set(patient.waits) == set(given_up.waits) == {7.0}

"""Publisher and subscriber over the actors of events."""

import asyncio
import queue
import random
import threading

import pytest
from natya_processes import WAIT_S

import natya
from natya.actors.events import DeliveryActor, DeliverySettings, EventsActor, EventsSettings
from natya.actors.events.bus import EventPublisher, EventSubscriber, Listening, PublishFailedError, PublishInDoubtError
from natya.actors.journal import JournalActor
from natya.actors.runtime import InProcessSystem, InProcessSystemBase
from natya.composition import DELIVERED
from natya.config.sections.journal import JournalSettings
from natya.domain.events.catalog import EventCatalog, EventInvalidError
from natya.messages.delivery import EventsPublished, PublishRefused
from natya.messages.domain_events import UnknownEvent
from natya.messages.journal import ReadJournal
from natya.messages.supervision import Unavailable
from natya.messages.system import Ping


class Dispatched(natya.DomainEvent, frozen=True, kw_only=True):
    weight: int


class Delivered(natya.IntegrationEvent, frozen=True, kw_only=True):
    pass


class Over(InProcessSystem):
    """Actors that can be asked as a `TradingSystem` can."""


@pytest.fixture(scope="module")
def over(tmp_path_factory):
    with Over(InProcessSystemBase()) as system:
        path = tmp_path_factory.mktemp("journal") / "journal"
        system.start("events", EventsActor, EventsSettings(subscriptions=(DELIVERED,)))
        system.start("journal", JournalActor, JournalSettings.default(path=str(path)))
        system.start("delivery", DeliveryActor, DeliverySettings())
        yield system


@pytest.fixture
def publisher(over):
    return EventPublisher(over, random=random.Random(1))


@pytest.fixture
def subscriber(over):
    return EventSubscriber(over)


def price(symbol="TCS", price=3800.5):
    return natya.MarketDataReceived(aggregate_id="feed-1", symbol=symbol, price=price, volume=100)


class TestAPublishedEvent:
    def test_of_the_safe_lane_is_in_the_journal_when_it_is_answered(self, over, publisher):
        event = publisher.publish(Dispatched(aggregate_id="parcel-1", weight=3)).result()

        page = over.request("journal", ReadJournal(key="parcel-1"))
        assert [natya.EventCatalog().read(record.fact) for record in page.records] == [event]
        assert event.occurred_ns > 0

    def test_of_the_fast_lane_is_never_in_the_journal(self, over, publisher):
        event = publisher.publish(price()).result()

        assert event.occurred_ns > 0
        assert not over.request("journal", ReadJournal(key="feed-1")).records

    def test_keeps_the_id_that_it_has_and_gets_one_if_it_has_none(self, publisher):
        first = publisher.publish(Dispatched(aggregate_id="parcel-2", weight=3)).result()
        again = publisher.publish(first).result()
        other = publisher.publish(Dispatched(aggregate_id="parcel-2", weight=3)).result()

        assert again == first
        assert other.event_id > first.event_id

    def test_whose_fields_are_wrong_is_not_sent(self, publisher):
        with pytest.raises(EventInvalidError, match="weight"):
            publisher.publish(Dispatched(aggregate_id="parcel-3", weight="heavy"))

    def test_among_many_is_durable_with_all_of_them_in_their_order(self, over, publisher):
        events = publisher.publish_many(
            Dispatched(aggregate_id="parcel-4", weight=weight) for weight in range(5)
        ).result()

        page = over.request("journal", ReadJournal(key="parcel-4"))
        catalog = natya.EventCatalog()
        assert [catalog.read(record.fact) for record in page.records] == [*events]
        assert [event.weight for event in events] == [0, 1, 2, 3, 4]

    def test_can_be_awaited(self, publisher):
        async def story():
            return await publisher.publish(Dispatched(aggregate_id="parcel-5", weight=1))

        assert asyncio.run(story()).weight == 1

    @pytest.mark.parametrize(("may_be_durable", "error"), [(False, PublishFailedError), (True, PublishInDoubtError)])
    def test_that_is_refused_comes_back_with_its_id(self, may_be_durable, error):
        class Refusing:
            def request(self, _actor, _message, *, timeout_s):
                assert timeout_s > 0
                return PublishRefused(reason="the disk is full", may_be_durable=may_be_durable)

        publishing = EventPublisher(Refusing()).publish(Dispatched(aggregate_id="parcel-6", weight=1))

        with pytest.raises(PublishFailedError, match="the disk is full") as failure:
            publishing.result()
        assert type(failure.value) is error
        assert failure.value.events[0].event_id

    def test_is_asked_of_delivery_with_as_many_as_one_request_may_have(self, monkeypatch):
        monkeypatch.setattr("natya.actors.events.bus.publisher.EVENTS_AT_ONCE_MAX", 2)
        asked = []

        class Asked:
            def request(self, actor, message, *, timeout_s):
                asked.append((actor, len(message.events), timeout_s > 0))
                return EventsPublished()

        publisher, event = EventPublisher(Asked()), Dispatched(aggregate_id="parcel-6", weight=1)
        publisher.publish_many([event] * 2).result()
        with pytest.raises(ValueError, match="at most 2 events at once wanted, found 3"):
            publisher.publish_many([event] * 3)

        assert asked == [("delivery", 2, True)]

    def test_that_nobody_answers_for_is_in_doubt(self):
        class Silent:
            def request(self, _actor, _message, *, timeout_s):
                raise TimeoutError(f"no answer in {timeout_s} s")

        publishing = EventPublisher(Silent()).publish(Dispatched(aggregate_id="parcel-7", weight=1))

        with pytest.raises(PublishInDoubtError, match="no answer"):
            publishing.result()

    def test_that_is_answered_by_something_else_is_in_doubt_and_says_by_what(self):
        class Odd:
            def request(self, _actor, _message, *, timeout_s):
                return Unavailable(actor="delivery", reason="breaker open", retry_after_s=timeout_s)

        with pytest.raises(PublishInDoubtError, match="breaker open"):
            EventPublisher(Odd()).publish(Dispatched(aggregate_id="parcel-7", weight=1)).result()

    def test_goes_by_the_safe_lane_with_all_that_are_published_with_it(self):
        class Asked:
            def request(self, _actor, message, *, timeout_s):
                lanes.append(message.is_durable)
                return EventsPublished()

        lanes, safe, fast = [], Dispatched(aggregate_id="parcel-7", weight=1), price()
        publisher = EventPublisher(Asked())
        for events in ((safe, safe), (fast, fast), (safe, fast), (fast, safe)):
            publisher.publish_many(events).result()

        assert lanes == [True, False, True, True]

    def test_has_an_id_by_the_time_and_the_chance_that_are_given(self):
        class Asked:
            def request(self, _actor, _message, *, timeout_s):
                return EventsPublished()

        def an_id(chance):
            publisher = EventPublisher(Asked(), now_ns=lambda: 1, random=chance)
            return publisher.publish(Dispatched(aggregate_id="parcel-7", weight=1)).result().event_id

        assert an_id(random.Random(7)) == an_id(random.Random(7)) != an_id(random.Random(8))
        assert an_id(None) != an_id(None)


class TestAFunctionThatListens:
    def test_hears_what_it_asked_for_by_class_topic_key_and_predicate(self, publisher, subscriber):
        heard = queue.SimpleQueue()
        wanted = (
            subscriber.of(Dispatched, keys="parcel-9"),
            subscriber.of("ticks.NSE_EQ.*", where=lambda event: event.price > 100),
            subscriber.of(Delivered, "events.*.b"),
        )
        listening = [each.handle(heard.put) for each in wanted]
        events = [
            Dispatched(aggregate_id="parcel-9", weight=1),
            Dispatched(aggregate_id="parcel-8", weight=2),
            Delivered(aggregate_id="a"),
            Delivered(aggregate_id="b"),
        ]

        for event in (price("INFY", 99.0), price("TCS", 101.0)):
            publisher.publish(event).result()
        publisher.publish_many(events).result()
        found = [heard.get(timeout=WAIT_S) for _ in range(3)]
        for each in listening:
            each.close()

        assert {type(event) for event in found} == {Dispatched, Delivered, natya.MarketDataReceived}
        assert {getattr(event, "symbol", event.aggregate_id) for event in found} == {"parcel-9", "b", "TCS"}
        assert heard.empty()

    def test_hears_of_what_its_catalog_does_not_have_by_its_fields(self, over, publisher):
        heard = queue.SimpleQueue()
        with EventSubscriber(over, catalog=EventCatalog([Delivered])).of(keys="parcel-9").handle(heard.put):
            publisher.publish(Dispatched(aggregate_id="parcel-9", weight=1)).result()
            publisher.publish(Delivered(aggregate_id="parcel-9")).result()
            found = [heard.get(timeout=WAIT_S) for _ in range(2)]

        assert [type(each) for each in found] == [UnknownEvent, Delivered]
        assert (found[0].event_type, found[0].fields) == ("Dispatched", {"weight": 1})

    def test_that_asks_for_fewer_of_the_fewer_hears_what_is_both(self, publisher, subscriber):
        heard = queue.SimpleQueue()
        heavy = subscriber.of(Dispatched, Delivered, keys=("a", "b"), where=lambda event: event.weight > 1)
        of_both = heavy.of("events.*.b", Dispatched, price().__class__, keys=("b", "c"), where=lambda _: True)
        with of_both.handle(heard.put):
            events = [Dispatched(aggregate_id=key, weight=weight) for key in ("b", "a", "c") for weight in (1, 2)]
            publisher.publish_many([Delivered(aggregate_id="b"), *events]).result()
            publisher.publish(Dispatched(aggregate_id="b", weight=9)).result()
            found = [heard.get(timeout=WAIT_S) for _ in range(2)]

        assert [(type(each), each.aggregate_id, each.weight) for each in found] == [
            (Dispatched, "b", 2),
            (Dispatched, "b", 9),
        ]

    def test_that_asks_for_fewer_keeps_all_that_it_asked_for_before(self, publisher, subscriber):
        heard = queue.SimpleQueue()
        heavy = subscriber.of("events.**", Dispatched, keys="parcel-12", where=lambda event: event.weight > 1)
        with heavy.of(Dispatched).of().of(where=lambda event: event.weight < 5).handle(heard.put):
            for key, weight in (("parcel-12", 1), ("parcel-13", 2), ("parcel-12", 7), ("parcel-12", 3)):
                publisher.publish(Dispatched(aggregate_id=key, weight=weight)).result()
            found = heard.get(timeout=WAIT_S)

        assert (found.weight, heard.empty()) == (3, True)

    def test_that_asks_for_what_no_event_is_is_told_so(self, subscriber):
        dispatched = subscriber.of(Dispatched, "events.**", keys="a")

        for fewer in ({"keys": "b"}, {"what": (Delivered,)}, {"what": ("ticks.**",)}):
            with pytest.raises(ValueError, match="wanted, found"):
                dispatched.of(*fewer.pop("what", ()), **fewer)

    def test_that_raises_hears_the_next_one_all_the_same(self, over, publisher, subscriber):
        heard = queue.SimpleQueue()

        def handle(event):
            heard.put(event.weight)
            if event.weight == 1:
                raise ValueError("too light")

        before = over.base.dead_letters.count
        with subscriber.of(Dispatched, keys="parcel-10").handle(handle):
            publisher.publish_many(Dispatched(aggregate_id="parcel-10", weight=weight) for weight in (1, 2)).result()
            found = [heard.get(timeout=WAIT_S) for _ in range(2)]

        assert found == [1, 2]
        assert over.base.dead_letters.count == before + 1

    def test_that_exits_is_a_dead_letter_and_hears_the_next_one_all_the_same(self, over, publisher, subscriber):
        heard = queue.SimpleQueue()

        def handle(event):
            heard.put(event.weight)
            if event.weight == 1:
                raise SystemExit(3)

        before = over.base.dead_letters.count
        with subscriber.of(Dispatched, keys="parcel-13").handle(handle):
            publisher.publish_many(Dispatched(aggregate_id="parcel-13", weight=weight) for weight in (1, 2)).result()
            found = [heard.get(timeout=WAIT_S) for _ in range(2)]

        assert found == [1, 2]
        assert over.base.dead_letters.count == before + 1

    def test_may_end_by_its_own_handler(self, over, publisher, subscriber):
        heard = queue.SimpleQueue()

        def handle(event):
            listening.close()
            heard.put(event.weight)

        listening = subscriber.of(Dispatched, keys="parcel-14").handle(handle, name="leaving")
        ended = over.watch("leaving")
        publisher.publish(Dispatched(aggregate_id="parcel-14", weight=1)).result()
        ended.result(WAIT_S)
        publisher.publish(Dispatched(aggregate_id="parcel-14", weight=2)).result()

        assert (heard.get(timeout=WAIT_S), heard.empty()) == (1, True)

    @pytest.mark.parametrize("name", ["a\ud800", "a" * 201], ids=["no text", "too long"])
    def test_has_a_name_that_can_be_said(self, subscriber, name):
        with pytest.raises(ValueError, match="with fields as declared wanted"):
            subscriber.handle(print, name=name)
        with pytest.raises(ValueError, match="with fields as declared wanted"):
            subscriber.handle_durably(name, print)

    def test_hears_nothing_after_it_was_closed_however_often(self, over, publisher, subscriber):
        heard = []
        listening = subscriber.of(Dispatched).handle(heard.append, name="closing")
        listening.close()
        listening.close()

        publisher.publish(Dispatched(aggregate_id="parcel-11", weight=1)).result()

        assert heard == []
        assert "closing" not in over.base.names

    @pytest.mark.parametrize("is_durable", [False, True])
    def test_is_closed_already_when_its_system_has_stopped(self, is_durable):
        with InProcessSystem(InProcessSystemBase()) as stopped:
            pass
        Listening(stopped, "closing", is_durable=is_durable).close()

    @pytest.mark.parametrize("what", [natya.OrderFilled, "facts.OrderFilled.*"], ids=["class", "topic"])
    def test_of_natya_s_own_facts_is_refused_since_it_would_hear_of_none(self, subscriber, what):
        with pytest.raises(ValueError, match=r"OrderFilled.*: of natya's own facts only `handle_durably` hears"):
            subscriber.of(what).handle(print)

    def test_cannot_have_the_name_of_another_actor(self, subscriber):
        with pytest.raises(natya.NameTakenError):
            subscriber.handle(print, name="journal")

    def test_that_is_a_coroutine_function_is_awaited_one_event_after_another(self, publisher, subscriber):
        heard = queue.SimpleQueue()

        async def handle(event):
            heard.put(("begun", event.weight))
            await asyncio.sleep(0)
            heard.put(("ended", event.weight))

        with subscriber.of(Dispatched, keys="parcel-12").handle(handle):
            publisher.publish_many(Dispatched(aggregate_id="parcel-12", weight=weight) for weight in (1, 2)).result()
            found = [heard.get(timeout=WAIT_S) for _ in range(4)]

        assert found == [("begun", 1), ("ended", 1), ("begun", 2), ("ended", 2)]


class TestAnAsyncFor:
    def test_hears_each_event_in_order_until_it_ends(self, over, publisher, subscriber):
        wanted, subscribed = subscriber.of(Dispatched, keys="parcel-13"), threading.Event()
        handle = wanted.handle

        def subscribe(take):
            listening = handle(take)
            subscribed.set()
            return listening

        def publish():
            subscribed.wait(WAIT_S)
            for weight in range(100):
                publisher.publish(Dispatched(aggregate_id="parcel-13", weight=weight))

        async def story():
            found, events = [], aiter(wanted)
            async for event in events:
                found.append(event.weight)
                if len(found) == 100:
                    break
            await events.aclose()
            return found

        wanted.handle = subscribe
        thread = threading.Thread(target=publish)
        thread.start()
        found = asyncio.run(asyncio.wait_for(story(), WAIT_S))
        thread.join()

        assert found == list(range(100))
        assert over.request("delivery", Ping()).statistics.subscribers == 0

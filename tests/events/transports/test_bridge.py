"""What the bridge makes of its server's answers and of delivery's: both are played, on virtual time."""

import msgspec
import pytest
from msgspec.structs import replace
from natya_events import a_published

from natya.actors.events.transports import BridgeSettings, RedisBridge, bridge
from natya.actors.events.transports.redis import Entry
from natya.actors.external.streams import ServerDownError
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.simulation import SimulatedSystemBase, jobs
from natya.config.sections.redis import RedisSettings
from natya.messages.delivery import (
    DeliverEvents,
    EventsHandled,
    EventsPublished,
    EventsSubscribed,
    PublishEvents,
    PublishRefused,
    SubscribeDurably,
)
from natya.messages.supervision import Unavailable
from natya.messages.system import Ping

SETTINGS = BridgeSettings(
    server=RedisSettings.default(node="pune"), confirm_s=2.0, retry_s=0.5, retry_s_max=4.0
)  # fmt: skip


def an_event(number, **fields):
    return a_published(event_id=f"e-{number}", kind="integration", **fields)


def an_entry(number, node="mumbai", **fields):
    return Entry(partition=0, entry_id=b"%d-0" % number, node=node, event=an_event(number, origin=node, **fields))


class PlayedStreams:
    """A server with one stream of ours, and what others wrote, in the place of `RedisStreams`."""

    def __init__(self):
        self.trouble = ""
        self.appended, self.kept = [], set()
        self.missing, self.looks, self.unsafe = "", 0, ""
        self.looked_for, self.at_look = set(), lambda: None
        self.unread, self.read_before, self.confirmed, self.reads = [], [], [], []
        self.opened = 0

    def expect_up(self):
        if self.trouble:
            raise ServerDownError(self.trouble)

    def open(self):
        self.expect_up()
        if self.unsafe:
            raise ServerDownError(self.unsafe)
        self.opened += 1

    def close(self):
        self.trouble = "closed"

    def add(self, partition, events):
        self.expect_up()
        assert events, "the server is not asked to append nothing"
        self.appended += [(partition, each.event_id) for each in events]
        ids = [(len(self.appended) - len(events) + place, partition) for place in range(1, len(events) + 1)]
        self.kept.update(ids)
        return ids

    def has(self, partition, entry_id):
        self.expect_up()
        return entry_id in self.kept and entry_id[1] == partition

    def waits_for(self, partition, entry_id):
        self.expect_up()
        self.looks += 1
        self.looked_for.add((partition, entry_id))
        self.at_look()
        return self.missing

    def read(self, *, is_first):
        self.expect_up()
        self.reads.append(is_first)
        if is_first:
            return list(self.read_before)
        found, self.unread = self.unread, []
        self.read_before += found
        return found

    def confirm(self, entries):
        self.expect_up()
        assert entries, "the server is not told of nothing"
        for each in entries:
            self.read_before.remove(each)
            self.confirmed.append(each.event.event_id)


class PlayedDelivery(RuntimeActor):
    """Answers as the test wants."""

    @handles(SubscribeDurably)
    def subscribe(self, request, sender):
        self.settings.subscribed.append(request)
        self.send(sender, self.settings.subscription)

    @handles(PublishEvents)
    def publish(self, request, sender):
        self.settings.asked.append([each.event_id for each in request.events])
        if len(request.events) > self.settings.takes_max:
            self.send(sender, PublishRefused(reason="an append has at most 65,388 bytes"))
        else:
            self.send(sender, self.settings.published)


class World:
    def __init__(self, system, streams):
        self.system, self.streams = system, streams
        self.subscribed, self.asked = [], []
        self.subscription, self.published = EventsSubscribed(subscriber="transport"), EventsPublished()
        self.takes_max = 1_000
        self.delivery = system.probe("asker")

    def start(self, **fields):
        self.system.start("delivery", PlayedDelivery, self)
        self.system.start("transport", RedisBridge, msgspec.structs.replace(SETTINGS, **fields))
        self.run_for(0.02)
        return self

    def run_for(self, seconds):
        self.system.base.run_for(seconds)

    def hand_over(self, *events, partition=0):
        wanted = DeliverEvents(subscription="redis-pune", partition=partition, events=events)
        self.system.tell("transport", wanted, sender=self.delivery)

    def answer(self):
        return None if self.delivery.is_empty() else self.delivery.receive()

    def come(self, *entries):
        self.streams.unread += entries
        self.run_for(0.02)

    @property
    def counts(self):
        return self.system.request("transport", Ping()).statistics


@pytest.fixture
def world(monkeypatch):
    streams = PlayedStreams()
    monkeypatch.setattr(bridge, "RedisStreams", lambda _settings: streams)
    with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
        yield World(system, streams)


class TestAnEventOfOurs:
    def test_is_handled_when_all_have_confirmed_it_and_not_before(self, world):
        world.start().streams.missing = "mumbai"
        world.hand_over(an_event(1), an_event(2), partition=3)
        world.run_for(1)
        before = world.answer()
        world.streams.missing = ""
        world.run_for(0.3)

        assert before is None
        assert world.answer() == EventsHandled()
        assert world.streams.appended == [(3, "e-1"), (3, "e-2")]
        assert world.streams.looked_for == {(3, (2, 3))}, "by the newest"
        assert world.counts.sent == 2

    def test_that_nobody_confirms_in_time_is_put_off_by_name(self, world):
        world.start().streams.missing = "mumbai"
        world.hand_over(an_event(1))
        world.run_for(1.9)
        before = world.answer()
        world.run_for(0.5)

        assert before is None
        assert world.answer() == Unavailable(
            actor="transport", reason="node mumbai has not confirmed", retry_after_s=0.5
        )

    def test_is_looked_at_ever_more_seldom(self, world):
        world.start().streams.missing = "mumbai"
        world.hand_over(an_event(1))
        world.run_for(0.05)
        early = world.streams.looks
        world.run_for(1.9)

        assert 3 <= early <= 6
        assert 9 <= world.streams.looks - early <= 16

    def test_that_is_handed_over_again_is_in_its_stream_once(self, world):
        world.start().streams.missing = "mumbai"
        world.hand_over(an_event(1))
        world.run_for(2.5)
        assert isinstance(world.answer(), Unavailable)
        world.streams.missing = ""
        world.hand_over(an_event(1), an_event(2))
        world.run_for(0.1)

        assert world.answer() == EventsHandled()
        assert world.streams.appended == [(0, "e-1"), (0, "e-2")]
        assert world.counts.sent == 2

    def test_that_the_server_has_lost_is_appended_again(self, world):
        world.start()
        world.hand_over(an_event(1), an_event(2))
        world.run_for(0.1)
        world.streams.kept.clear()
        world.hand_over(an_event(1), an_event(2))
        world.run_for(0.1)

        assert [world.answer(), world.answer()] == [EventsHandled(), EventsHandled()]
        assert world.streams.appended == [(0, "e-1"), (0, "e-2")] * 2
        assert world.counts.sent == 2

    def test_that_the_server_has_lost_of_several_has_all_of_them_appended_again(self, world):
        world.start().streams.missing = "mumbai"
        world.hand_over(an_event(1), an_event(2))
        world.run_for(2.5)
        world.streams.kept.discard((2, 0))
        world.streams.missing = ""
        world.hand_over(an_event(1), an_event(2), an_event(3))
        world.run_for(0.1)

        assert world.streams.appended[2:] == [(0, "e-1"), (0, "e-2"), (0, "e-3")]

    def test_that_the_server_loses_while_it_waits_is_put_off(self, world):
        world.start().streams.missing = "mumbai"
        world.hand_over(an_event(1))
        world.run_for(0.1)
        world.streams.missing = ""
        world.streams.kept.clear()
        world.run_for(0.5)

        assert world.answer().reason == "the server has lost what it had acknowledged"

    def test_of_the_newest_is_known_for_longest(self, world, monkeypatch):
        monkeypatch.setattr(bridge, "SENT_MAX", 2)
        world.start()
        for number in (1, 2, 1, 3, 1, 2):
            world.hand_over(an_event(number))
            world.run_for(0.1)

        assert [event_id for _, event_id in world.streams.appended] == ["e-1", "e-2", "e-3", "e-2"]

    def test_is_put_off_while_there_is_no_server_and_says_why(self, world):
        world.streams.trouble = "Timeout: as the test says"
        world.start()
        world.hand_over(an_event(1))
        world.run_for(0.1)

        assert "Timeout: as the test says" in world.answer().reason
        assert world.streams.appended == []

    def test_is_put_off_while_the_server_is_not_safe_although_it_would_take_it(self, world):
        world.streams.unsafe = "it loses what it has acknowledged"
        world.start()
        world.hand_over(an_event(1))
        world.run_for(0.1)

        assert world.answer().reason == "no events to and from other systems: it loses what it has acknowledged"
        assert world.streams.appended == []

    def test_is_put_off_before_the_first_connection(self, world):
        world.system.start("delivery", PlayedDelivery, world)
        world.system.start("transport", RedisBridge, SETTINGS)
        world.hand_over(an_event(1))
        world.run_for(0.1)

        assert world.answer().reason == "it is not connected yet"

    def test_that_cannot_be_appended_is_put_off(self, world):
        world.start()
        world.streams.trouble = "Timeout: as the test says"
        world.hand_over(an_event(1))
        world.run_for(0.1)

        assert isinstance(world.answer(), Unavailable)

    def test_is_put_off_when_the_bridge_stops_meanwhile(self, world):
        world.start().streams.missing = "mumbai"
        world.hand_over(an_event(1))
        world.system.stop("transport")

        assert world.answer().reason == "node mumbai has not confirmed"

    def test_that_comes_while_the_bridge_stops_is_not_appended(self, world):
        world.start()
        world.streams.at_look = lambda: world.hand_over(an_event(2))
        world.hand_over(an_event(1))
        world.system.stop("transport")

        assert world.streams.appended == [(0, "e-1")]
        assert {type(world.answer()), type(world.answer())} == {EventsHandled, Unavailable}


class TestAnEventOfAnother:
    def test_is_not_sent_back(self, world):
        world.start()
        world.hand_over(an_event(1, origin="mumbai"))
        world.run_for(0.1)
        first = world.answer()
        world.hand_over(an_event(2, origin="mumbai"), an_event(3))
        world.run_for(0.1)

        assert (first, world.answer()) == (EventsHandled(), EventsHandled())
        assert world.streams.appended == [(0, "e-3")]

    def test_is_confirmed_when_it_is_durable_and_not_before(self, world):
        world.published = PublishRefused(reason="the disk is full")
        world.start().come(an_entry(1))
        before = list(world.streams.confirmed)
        world.published = EventsPublished()
        world.run_for(0.6)

        assert before == []
        assert world.asked == [["e-1"], ["e-1"]]
        assert world.streams.confirmed == ["e-1"]
        assert (world.counts.received, world.counts.repeats) == (1, 0)

    def test_is_trouble_while_the_journal_refuses_it_and_what_is_behind_it_waits(self, world):
        world.published = PublishRefused(reason="an append has at most 65,388 bytes")
        world.start().come(an_entry(1), an_entry(2))
        refused = world.counts
        world.published = EventsPublished()
        world.run_for(0.6)

        assert "refuses Shipped of order-1, which came from mumbai: an append has at most 65,388" in refused.reason
        assert (refused.is_connected, refused.received) == (True, 0)
        assert world.asked == [["e-1", "e-2"], ["e-1"], ["e-1"], ["e-2"]]
        assert (world.counts.reason, world.streams.confirmed) == ("", ["e-1", "e-2"])

    @pytest.mark.parametrize("takes_max", [1, 3, 7])
    def test_is_published_with_others_as_far_as_the_journal_takes_them_together(self, world, takes_max):
        world.takes_max = takes_max
        world.start().come(*map(an_entry, range(1, 8)))
        world.run_for(0.1)

        assert world.streams.confirmed == [f"e-{number}" for number in range(1, 8)]
        assert (world.counts.received, world.counts.repeats, world.counts.reason) == (7, 0, "")

    def test_is_published_with_no_more_than_the_journal_takes_at_once(self, world):
        size = bridge.PUBLISH_BYTES_MAX // 5
        entries = [an_entry(number, payload=bytes(size * part)) for number, part in enumerate((2, 3, 1, 9, 1), 1)]
        world.start().come(*entries)
        world.run_for(0.1)

        assert world.asked == [["e-1", "e-2"], ["e-3"], ["e-4"], ["e-5"]]
        assert world.streams.confirmed == ["e-1", "e-2", "e-3", "e-4", "e-5"]
        assert world.counts.received == 5

    def test_larger_than_what_is_published_at_once_is_published_alone(self, world):
        size = bridge.PUBLISH_BYTES_MAX + 1
        world.start().come(an_entry(1, payload=bytes(size)), an_entry(2, payload=bytes(size)))
        world.run_for(0.1)

        assert (world.asked, world.streams.confirmed) == ([["e-1"], ["e-2"]], ["e-1", "e-2"])

    def test_is_published_with_the_same_others_where_the_journal_gave_no_answer(self, world):
        world.published = Unavailable(actor="delivery", reason="restarting", retry_after_s=0)
        world.start().come(an_entry(1), an_entry(2), an_entry(3))
        world.published = EventsPublished()
        world.run_for(0.6)

        assert world.asked == [["e-1", "e-2", "e-3"]] * 2

    def test_is_published_once_however_often_it_comes(self, world):
        world.start().come(an_entry(1), an_entry(2, node="pune"), an_entry(3))
        world.come(an_entry(1), an_entry(4))
        world.come(an_entry(4), an_entry(1))

        assert world.asked == [["e-1", "e-3"], ["e-4"]]
        assert world.streams.confirmed == ["e-1", "e-2", "e-3", "e-1", "e-4", "e-4", "e-1"]
        assert (world.counts.received, world.counts.repeats, world.counts.unreadable) == (3, 3, 0)

    def test_of_the_newest_is_known_for_longest(self, world, monkeypatch):
        monkeypatch.setattr(bridge, "HAD_MAX", 2)
        world.start()
        for number in (1, 2, 3, 2, 1):
            world.come(an_entry(number))

        assert world.asked == [["e-1"], ["e-2"], ["e-3"], ["e-1"]]

    def test_that_is_unreadable_is_counted_as_such_too(self, world):
        world.start().come(an_entry(1), an_entry(2, event_type="UnreadableEntry"))

        assert (world.counts.received, world.counts.unreadable) == (2, 1)

    def test_that_an_earlier_life_had_read_comes_before_the_new_ones(self, world):
        world.streams.read_before = [an_entry(1)]
        world.streams.unread = [an_entry(2)]
        world.start()

        assert world.asked == [["e-1"], ["e-2"]]
        assert world.streams.reads[:4] == [True, True, False, False]
        assert not any(world.streams.reads[4:])

    def test_that_comes_while_the_bridge_stops_is_left_to_the_next_life(self, world):
        world.published = PublishRefused(reason="the disk is full")
        world.start().come(an_entry(1))
        world.system.stop("transport")
        world.run_for(2)

        assert world.asked == [["e-1"]]
        assert world.streams.confirmed == []


class TestAServerThatIsAway:
    def test_is_trouble_until_it_is_back_and_what_was_not_confirmed_comes_first(self, world):
        world.start()
        before = world.counts
        world.streams.trouble = "Timeout: as the test says"
        world.run_for(0.02)
        away = world.counts
        world.streams.trouble = ""
        world.streams.read_before = [an_entry(1)]
        world.run_for(1)

        assert (before.is_connected, before.reconnects, before.reason) == (True, 0, "")
        assert (away.is_connected, away.reconnects) == (False, 1)
        assert away.reason == "no events to and from other systems: Timeout: as the test says"
        assert (world.counts.is_connected, world.counts.reason, world.streams.opened) == (True, "", 2)
        assert world.streams.confirmed == ["e-1"]

    @pytest.mark.parametrize(("lived_s", "is_settled"), [(0.2, False), (2, True), (40, True)])
    def test_is_tried_again_ever_later_unless_it_was_there_for_long(
        self, world, monkeypatch, caplog, lived_s, is_settled
    ):
        monkeypatch.setattr(jobs, "LATENCY_NS_MAX", 500_000_000)  # a read that nothing comes to takes its time
        world.streams.trouble = "down"
        world.start().run_for(30)
        world.streams.trouble = ""
        while not world.counts.is_connected:
            world.run_for(0.05)
        world.run_for(lived_s)
        caplog.clear()
        with caplog.at_level("WARNING", logger="natya"):
            world.streams.trouble = "down"
            world.run_for(60)
        waits = [each.fields["wait_s"] for each in caplog.records if each.message.startswith("transport.lost")]

        assert (waits[0] <= SETTINGS.retry_s) == is_settled
        assert SETTINGS.retry_s_max / 2 < max(waits) <= SETTINGS.retry_s_max


class TestTheSubscription:
    def test_is_of_integration_events_from_now_on(self, world):
        (wanted,) = world.start().subscribed

        assert (wanted.subscription, wanted.subscriber) == ("redis-pune", "transport")
        assert (wanted.kinds, wanted.begins, wanted.terms) == (("integration",), "now", SETTINGS.terms)

    def test_is_asked_for_again_where_delivery_does_not_take_it(self, world):
        world.subscription = Unavailable(actor="delivery", reason="down", retry_after_s=0)
        world.start().run_for(1.2)
        world.subscription = EventsSubscribed(subscriber="transport")
        world.run_for(5)

        assert len(world.subscribed) == 4

    def test_that_is_refused_is_a_failure(self, world):
        world.subscription = EventsSubscribed(subscriber="transport", refusal="at most 1 wanted")
        world.start()

        assert world.system.base.find("transport").failures > 0


@pytest.mark.parametrize(("confirm_s", "handling_s"), [(0.5, 12.0), (15.0, 70.0)])
def test_a_batch_may_take_as_long_as_several_looks_at_who_has_confirmed_it(confirm_s, handling_s):
    terms = replace(SETTINGS, confirm_s=confirm_s).terms

    assert (terms.handling_s, terms.partitions) == (handling_s, SETTINGS.server.partitions)

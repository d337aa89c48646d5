"""One replay: which events it wants, when each is due, and how far it is."""

import pytest
from natya_events import a_published

from natya.actors.events.delivery.replaying import Replay
from natya.domain.time import SECOND_NS
from natya.messages.delivery import DeliveryTerms, ReplayStatus, SubscribeDurably
from natya.messages.replays import ReplayEvents


def a_subscription(**fields):
    usual = {"subscriber": "me", "subscription": "billing", "event_types": ("Shipped", "Paid")}
    return SubscribeDurably(**(usual | fields))


def a_replay(*, terms=None, **wanted):
    subscription = a_subscription() if terms is None else a_subscription(terms=terms)
    return Replay("r-1", ReplayEvents(subscription="billing", **wanted), subscription)


class TestWhatAReplayWants:
    @pytest.mark.parametrize(
        ("wanted", "fields", "is_wanted"),
        [
            ({}, {}, True),
            ({}, {"event_type": "Lost"}, False),
            ({"event_types": ("Paid",)}, {}, False),
            ({"event_types": ("Paid",)}, {"event_type": "Paid"}, True),
            ({"keys": ("order-2",)}, {}, False),
            ({"keys": ("order-1",)}, {}, True),
            ({"correlation_id": "A-1"}, {}, False),
            ({"correlation_id": "A-1"}, {"correlation_id": "A-1"}, True),
            ({"since_ns": 5}, {"occurred_ns": 5}, True),
            ({"since_ns": 6}, {"occurred_ns": 5}, False),
            ({"until_ns": 6}, {"occurred_ns": 5}, True),
            ({"until_ns": 5}, {"occurred_ns": 5}, False),
        ],
    )
    def test_is_what_its_subscription_wants_and_it_itself(self, wanted, fields, is_wanted):
        assert a_replay(**wanted).wants(a_published(**fields)) is is_wanted


class TestWhatIsDue:
    @staticmethod
    def running(pace, *, batch_max=10):
        replay = a_replay(pace=pace, terms=DeliveryTerms(batch_max=batch_max))
        replay.begun_ns, replay.first_ns = 100 * SECOND_NS, 5 * SECOND_NS
        seconds = (5, 7, 4, 9)
        replay.events = [
            (sequence, a_published(event_id=f"e-{sequence}", occurred_ns=second * SECOND_NS))
            for sequence, second in enumerate(seconds, start=11)
        ]
        return replay

    def due(self, replay, now_s, position=99):
        return [event.event_id for event in replay.due(round(now_s * SECOND_NS), position)]

    def test_is_all_at_once_but_no_more_than_a_batch_and_none_beyond_the_subscription(self):
        assert self.due(self.running(0), 0) == ["e-11", "e-12", "e-13", "e-14"]
        assert self.due(self.running(0, batch_max=2), 0) == ["e-11", "e-12"]
        assert [self.due(self.running(0), 0, position) for position in (10, 11, 12)] == [[], ["e-11"], ["e-11", "e-12"]]

    @pytest.mark.parametrize(
        ("pace", "now_s", "found"),
        [
            (1, 99.999, []),
            (1, 100, ["e-11"]),
            (1, 101.999, ["e-11"]),
            (1, 102, ["e-11", "e-12", "e-13"]),
            (1, 104, ["e-11", "e-12", "e-13", "e-14"]),
            (2, 101, ["e-11", "e-12", "e-13"]),
            (0.5, 103.999, ["e-11"]),
        ],
    )
    def test_has_the_pauses_of_the_past_divided_by_the_pace(self, pace, now_s, found):
        assert self.due(self.running(pace), now_s) == found


def test_the_status_is_how_far_it_is_handed_over():
    replay = a_replay(after_sequence=4)
    usual = {"replay_id": "r-1", "subscription": "billing"}
    assert replay.status == ReplayStatus(sequence=4, handled=0, failed=0, is_over=False, error="", **usual)
    replay.sequence, replay.handled, replay.failed, replay.error, replay.is_over = 30, 2, 1, "odd", True
    assert replay.status == ReplayStatus(sequence=30, handled=2, failed=1, is_over=True, error="odd", **usual)
    replay.events = [(17, a_published())]
    assert replay.status.sequence == 16

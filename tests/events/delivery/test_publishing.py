"""Publications on their way to the journal: which go together, and what each is told, with an actor that is played."""

from types import SimpleNamespace

import pytest
from natya_events import a_published

from natya.actors.events.delivery.publishing import EVENT_BYTES, GROUP_BYTES_MAX, GROUP_MAX, Publications
from natya.actors.runtime import Outcome
from natya.messages.delivery import EventsPublished, PublishRefused
from natya.messages.journal import Append, Appended, AppendRefused
from natya.messages.supervision import Failed, Unavailable

SETTINGS = SimpleNamespace(journal="the journal", append_s=7.0)


class Actor:
    """Keeps what it asks and sends, each with the trace that it had then."""

    def __init__(self):
        self.trace, self.asked, self.sent = "none", [], []

    def ask(self, target, message, *, timeout_s, then):
        self.asked.append(
            SimpleNamespace(target=target, message=message, timeout_s=timeout_s, then=then, trace=self.trace)
        )

    def send(self, target, message):
        self.sent.append((target, message, self.trace))


@pytest.fixture
def actor():
    return Actor()


@pytest.fixture
def publications(actor):
    return Publications(actor, SETTINGS)


def add(actor, publications, sender, *events):
    actor.trace = f"of {sender}"
    publications.add(events, sender, came_ns=len(sender))


def an_event(number, **fields):
    return a_published(event_id=f"e-{number}", **fields)


class TestWhatWaits:
    def test_is_appended_together_in_order_and_each_is_told_its_own_place(self, actor, publications):
        add(actor, publications, "ann", an_event(1), an_event(2))
        add(actor, publications, "ben", an_event(3))
        add(actor, publications, "cid", an_event(4), an_event(5))
        assert actor.asked == []
        publications.append_all()
        publications.append_all()  # of nothing

        (asked,) = actor.asked
        events = tuple(map(an_event, range(1, 6)))
        assert (asked.target, asked.timeout_s, asked.trace) == ("the journal", 7.0, "of ann")
        assert asked.message == Append(facts=events, correlation_id="")
        asked.then(Outcome(value=Appended(first_sequence=11, last_sequence=15)))
        assert actor.sent == [
            ("ann", EventsPublished(first_sequence=11, occurred_ns=3), "of ann"),
            ("ben", EventsPublished(first_sequence=13, occurred_ns=3), "of ben"),
            ("cid", EventsPublished(first_sequence=14, occurred_ns=3), "of cid"),
        ]
        assert publications.refused == 0

    def test_is_appended_apart_where_it_is_of_other_conversations(self, actor, publications):
        for number, name in enumerate(("x", "x", "y", "", "x"), start=1):
            add(actor, publications, f"{number}", an_event(number, correlation_id=name))
        publications.append_all()

        found = [
            (each.message.correlation_id, [event.event_id for event in each.message.facts]) for each in actor.asked
        ]
        assert found == [("x", ["e-1", "e-2"]), ("y", ["e-3"]), ("", ["e-4"]), ("x", ["e-5"])]

    @pytest.mark.parametrize("missing", [0, 1])
    def test_is_appended_apart_where_it_is_too_large_together(self, actor, publications, missing):
        event = an_event(1, payload=b"")
        own = EVENT_BYTES + len(event.topic) + len(event.aggregate_id) + len(event.event_type)
        half = GROUP_BYTES_MAX // 2
        first = an_event(1, payload=b"x" * (half - own))
        second = an_event(2, payload=b"x" * (half - own + missing))
        add(actor, publications, "ann", first)
        add(actor, publications, "ben", second)
        add(actor, publications, "cid", an_event(3, payload=b"x" * GROUP_BYTES_MAX))
        publications.append_all()

        found = [[event.event_id for event in each.message.facts] for each in actor.asked]
        assert found == ([["e-1"], ["e-2"], ["e-3"]] if missing else [["e-1", "e-2"], ["e-3"]])

    def test_does_not_wait_until_the_mailbox_is_empty_where_it_is_much(self, actor, publications):
        for number in range(1, GROUP_MAX):
            add(actor, publications, "ann", an_event(number))
        assert actor.asked == []
        add(actor, publications, "ben", an_event(GROUP_MAX))
        assert sum(len(each.message.facts) for each in actor.asked) == GROUP_MAX
        actor.asked.clear()
        add(actor, publications, "ann", an_event(1))
        assert actor.asked == []


class TestWhatTheJournalDoesNotTake:
    @pytest.mark.parametrize(
        ("outcome", "reason", "may_be_durable"),
        [
            (Outcome(value=AppendRefused(reason="the disk is full")), "the disk is full", False),
            (
                Outcome(value=Unavailable(actor="journal", reason="breaker open", retry_after_s=5.0)),
                "breaker open",
                False,
            ),
            (
                Outcome(error=TimeoutError("no answer")),
                "the journal did not say whether it has them: no answer",
                True,
            ),
            (
                Outcome(value=Failed(actor="journal", message_type="Append", error="OSError", reason="x")),
                None,
                True,
            ),
        ],
    )
    def test_is_told_to_each_with_whether_it_may_be_durable_all_the_same(
        self, actor, publications, outcome, reason, may_be_durable
    ):
        add(actor, publications, "ann", an_event(1), an_event(2))
        add(actor, publications, "ben", an_event(3))
        publications.append_all()
        actor.asked[0].then(outcome)

        told = reason or f"the journal did not say whether it has them: {outcome.value}"
        refused = PublishRefused(reason=told, may_be_durable=may_be_durable)
        assert actor.sent == [("ann", refused, "of ann"), ("ben", refused, "of ben")]
        assert publications.refused == 3

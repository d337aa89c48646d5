"""What people are shown of domain events, of their delivery and of dead letters, line by line."""

import io

import msgspec
import pytest
from natya_builders import BUILDERS
from rich.console import Console

from natya.cli.views import dead_letters, events
from natya.messages.delivery import (
    DeadLettersListed,
    DeliveryStatistics,
    EventDeadLettered,
    EventPublished,
    ReplayStatus,
    SubscriptionStatus,
)
from natya.messages.journal import JournalRecord

MORNING_NS = 1_767_325_500 * 10**9


def drawn(table):
    console = Console(file=io.StringIO(), width=200, color_system=None)
    console.print(table)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def an_event(**fields):
    usual = {"event_id": "e-1", "event_type": "Packed", "version": 1, "aggregate_id": "parcel"}
    payload = msgspec.msgpack.encode({"grams": 3, "of": "tea"})
    return EventPublished(**usual | {"occurred_ns": MORNING_NS + 999_999_999, "payload": payload} | fields)


def a_record(fact):
    return JournalRecord(sequence=7, recorded_ns=MORNING_NS, correlation_id="", fact=fact)


def a_letter(number, **fields):
    usual = {"subscription": "scale", "sequence": 7, "error": "ValueError", "reason": "2 g", "attempts": number}
    times = {"first_failed_ns": MORNING_NS, "last_failed_ns": MORNING_NS + 60 * 10**9}
    event = an_event()
    return EventDeadLettered(
        **usual | times | {"letter_id": f"l {number}", "event": event, "traceback": "Traceback\n  here\n"} | fields
    )


class TestAnEvent:
    def test_is_a_line_with_its_fields_and_the_second_that_it_happened_in(self):
        assert events.event_line(a_record(an_event())) == (
            "       7 2026-01-02 09:15:00 IST Packed parcel grams=3 of=tea"
        )

    @pytest.mark.parametrize("payload", [b"\xc1", b"\x93\x01\x02\x03", b"\x91" * 5_000])
    def test_whose_fields_nobody_can_read_has_its_bytes(self, payload):
        assert events.event_line(a_record(an_event(payload=payload))).endswith(f"parcel {payload.hex()}")

    def test_may_be_a_fact(self):
        told = events.event_json(a_record(BUILDERS.intent("A-1")))

        assert (told["sequence"], told["kind"], told["event_type"]) == (7, "fact", "OrderIntended")
        assert told["fields"]["client_order_id"] == "A-1"


class TestDelivery:
    STATUS = SubscriptionStatus(
        subscription="scale", subscriber="", position=1, behind=1_000, pending=2, handled=3, retries=4, duplicates=5,
        dead_letters=6, breaker="open", last_error="ValueError",
    )  # fmt: skip
    REPLAY = ReplayStatus(replay_id="r-1", subscription="scale", sequence=1_000, handled=1, failed=0, is_over=False)

    def test_is_a_line_a_subscription(self):
        counts = DeliveryStatistics(
            published=1, refused=2, sent=3, subscribers=4, last_sequence=5, subscriptions=(self.STATUS,)
        )

        assert drawn(events.subscriptions_table(counts)) == [
            "subscription  subscriber  behind  pending  handled  retries  dead letters  breaker  error",
            "scale         (nobody)     1,000        2        3        4             6  open     ValueError",
        ]

    def test_is_counted_a_line_each(self):
        counts = DeliveryStatistics(
            published=1_000, refused=2, sent=3, subscribers=4, last_sequence=5, subscriptions=(self.STATUS,),
            dead_letters=6, oldest_dead_letter_ns=MORNING_NS, replays=(self.REPLAY,),
        )  # fmt: skip

        assert events.counts_text(counts).splitlines() == [
            "published     1,000, 2 of them refused by the journal",
            "sent          3, once for each subscriber",
            "subscribers   4, and 1 durable one",
            "dead letters  6, the oldest of 2026-01-02 09:15:00 IST",
            "r-1 to scale at sequence 1,000: 1 event handled",
        ]
        assert "dead letters  0\n" in f"{events.counts_text(DeliveryStatistics(**NOTHING))}\n"

    def test_of_a_replay_that_is_over_says_what_failed(self):
        over = msgspec.structs.replace(self.REPLAY, is_over=True, failed=2, error="ValueError: 2 g")

        assert events.replay_text(over) == "r-1 to scale over: 1 event handled, 2 failed: ValueError: 2 g"


NOTHING = {"published": 0, "refused": 0, "sent": 0, "subscribers": 0, "last_sequence": 0}


class TestDeadLetters:
    def test_are_a_line_each_and_how_the_others_are_listed(self):
        listed = DeadLettersListed(letters=(a_letter(1), a_letter(2)), requeued=("l 2",), found=1_000)

        assert drawn(dead_letters.table(listed)) == [
            "id              event   aggregate  attempts  last failed              error",
            "l 1             Packed  parcel            1  2026-01-02 09:16:00 IST  ValueError: 2 g",
            "l 2 (requeued)  Packed  parcel            2  2026-01-02 09:16:00 IST  ValueError: 2 g",
            "2 of 1,000; those behind them: --after 'l 2'",
        ]

    @pytest.mark.parametrize("letters", [(), (a_letter(1),)])
    def test_that_are_all_there_have_no_others(self, letters):
        assert dead_letters.table(DeadLettersListed(letters=letters, found=len(letters))).caption is None

    def test_are_told_one_by_one_with_the_traceback(self):
        assert dead_letters.letter_text(a_letter(3), is_requeued=False).splitlines() == [
            "l 3: Packed of parcel, sequence 7",
            "event id     e-1",
            'fields       {"grams":3,"of":"tea"}',
            "attempts     3, from 2026-01-02 09:15:00 IST to 2026-01-02 09:16:00 IST",
            "error        ValueError: 2 g",
            "Traceback",
            "  here",
        ]

    def test_that_are_on_their_way_again_are_told_to_be_and_whatever_fields_they_have_is_shown(self):
        fields = msgspec.msgpack.encode({"at": msgspec.msgpack.Ext(5, b"x")})
        letter = a_letter(3)
        letter = msgspec.structs.replace(letter, event=msgspec.structs.replace(letter.event, payload=fields))
        shown = dead_letters.letter_text(letter, is_requeued=True).splitlines()
        told = msgspec.json.decode(dead_letters.letter_json(letter, is_requeued=True))

        assert shown[0] == "l 3 (requeued): Packed of parcel, sequence 7"
        assert shown[2].startswith('fields       {"at":"<msgspec.msgpack.Ext')
        assert (told["is_requeued"], [*told["event"]["fields"]]) == (True, ["at"])

    def test_are_json_with_the_fields_of_their_events(self):
        listed = DeadLettersListed(letters=(a_letter(1), a_letter(2)), requeued=("l 2",), found=2)
        told = msgspec.json.decode(dead_letters.listed_json(listed))

        assert (told["found"], [each["is_requeued"] for each in told["letters"]]) == (2, [False, True])
        assert told["letters"][0]["event"]["fields"] == {"grams": 3, "of": "tea"}
        assert "payload" not in told["letters"][0]["event"]

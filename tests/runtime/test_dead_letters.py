"""What is told, to whom, and how often, of messages that no actor handled."""

import logging
from types import SimpleNamespace

import msgspec
import pytest
from thespian.actors import ChildActorExited, DeadEnvelope

from natya.actors.runtime import dead_letters as room
from natya.actors.runtime.dead_letters import LAST_MAX, TOLD_A_SECOND_MAX, DeadLetters
from natya.actors.runtime.endpoint import Endpoint
from natya.actors.runtime.trace import Stamp
from natya.domain.rate_limit import RateLimit
from natya.messages.codec import encode
from natya.messages.market import TicksRecorded
from natya.messages.supervision import DeadLetter, Failed, Unavailable
from natya.messages.system import Ping, Pong


class Mailbox(Endpoint):
    """Keeps what it is sent."""

    idle = False

    def __init__(self, name, **fields):
        super().__init__(name)
        self.name, self.told = name, []
        vars(self).update(fields)

    def put(self, envelope):
        self.told.append(envelope)


class Clock:
    """Stands still where a test sets it."""

    def __init__(self):
        self.second = 5

    def monotonic_ns(self):
        return self.second * 10**9

    @staticmethod
    def now_ns():
        return 77


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def events():
    return Mailbox("events")


@pytest.fixture
def letters(clock, events):
    return DeadLetters(names={"events": events}, clock=clock, logged=RateLimit(1_000))


def a_letter(**changes):
    usual = {
        "actor": "orders",
        "message_type": "Ping",
        "payload": encode(Ping()),
        "error": "NoRecipient",
        "reason": "it is gone",
        "traceback": "",
        "died_ns": 77,
        "correlation_id": "A-1",
    }
    return DeadLetter(**(usual | changes))


TRACE = Stamp("A-1", 2, 3)


class TestAMessageThatReachedNobody:
    def test_is_counted_kept_published_and_logged(self, letters, events, caplog):
        caplog.set_level(logging.WARNING, "natya")
        target, sender = Mailbox("orders"), Mailbox("ann")
        letters.undelivered(target, Ping(), sender, "it is gone", TRACE)

        assert (letters.count, [*letters.last]) == (1, [a_letter()])
        assert events.told == [(a_letter(), letters.outside, TRACE)]
        assert (sender.told, target.told) == ([], [])
        (line,) = caplog.records
        fields = {"message_type": "Ping", "error": "NoRecipient", "reason": "it is gone"}
        assert (line.getMessage(), line.actor, line.correlation_id, line.fields) == (
            "message.died",
            "orders",
            "A-1",
            fields,
        )

    @pytest.mark.parametrize(
        ("target", "name", "is_unknown"),
        [("nobody", "nobody", True), (Mailbox("orders"), "orders", False), (SimpleNamespace(name=""), None, False)],
        ids=["name", "address", "nameless"],
    )
    def test_is_answered_at_once_where_it_was_a_request(self, letters, target, name, is_unknown):
        asker = Mailbox("reply", wants_answer=True)
        letters.undelivered(target, Ping(), asker, "why")

        ((answer, sender, _),) = asker.told
        assert answer == Unavailable(actor=name or str(target), reason="why", retry_after_s=0.0, is_unknown=is_unknown)
        assert sender is letters.outside

    def test_of_a_type_that_its_receiver_does_not_know_is_answered_so(self, letters):
        asker = Mailbox("reply", wants_answer=True)
        letters.undelivered(Mailbox("orders"), Ping(), asker, "why", is_unknown=True)
        letters.undelivered(asker, Ping(), asker, "to itself")

        assert [answer.is_unknown for answer, *_ in asker.told] == [True]

    def test_is_told_to_thespians_handler_where_it_was_for_an_address(self, letters):
        letters.thespian_handler = handler = Mailbox("handler")
        target = Mailbox("orders")
        for to in (target, "a name"):
            letters.undelivered(to, "text", Mailbox("ann"), "why")

        ((envelope, sender, _),) = handler.told
        assert (type(envelope), envelope.deadAddress, envelope.deadMessage) == (DeadEnvelope, target, "text")
        assert sender is letters.outside

    @pytest.mark.parametrize(
        "message",
        [
            DeadEnvelope(None, "x"),
            ChildActorExited(None),
            TicksRecorded(source="feed", sequence=1),
            Pong(actor="a", statistics=None),
        ],
        ids=lambda message: type(message).__name__,
    )
    def test_is_none_where_nothing_is_lost_by_it(self, letters, events, message):
        letters.undelivered(Mailbox("orders"), message, Mailbox("ann"), "why")

        assert (letters.count, events.told) == (0, [])

    def test_is_not_published_where_that_would_go_round(self, letters, events):
        for target, message in ((events, Ping()), (Mailbox("orders"), a_letter())):
            letters.undelivered(target, message, Mailbox("ann"), "why")
        letters._names.clear()
        letters.undelivered(Mailbox("orders"), Ping(), Mailbox("ann"), "why")

        assert (letters.count, len(letters.last), events.told) == (3, 3, [])

    def test_is_counted_alone_when_there_are_many_in_a_second(self, letters, events, clock):
        for _ in range(TOLD_A_SECOND_MAX + 7):
            letters.undelivered("nobody", Ping(), None, "why")
        assert (letters.count, len(events.told), len(letters.last)) == (107, 100, LAST_MAX)
        letters.failed("orders", Ping(), ValueError("odd"), TRACE)  # those that failed have a rate of their own
        assert len(events.told) == 101
        clock.second += 1
        letters.undelivered("nobody", Ping(), None, "why")
        assert len(events.told) == 102

    def test_is_published_though_no_line_of_the_log_is_left(self, clock, events, caplog):
        caplog.set_level(logging.WARNING, "natya")
        letters = DeadLetters(names={"events": events}, clock=clock, logged=RateLimit(1))
        for _ in range(3):
            letters.undelivered("nobody", Ping(), None, "why")

        assert (len(caplog.records), len(events.told)) == (1, 3)

    @pytest.mark.parametrize(
        ("message", "payload"),
        [
            ("text", b""),
            (object(), b""),
            (msgspec.defstruct("Own", [("x", int)])(1), b""),
            (Ping(), encode(Ping())),
        ],
        ids=["text", "object", "of a user", "of ours"],
    )
    def test_has_its_content_where_a_wire_could_carry_it(self, letters, monkeypatch, message, payload):
        letters.undelivered("nobody", message, None, "why")
        assert letters.last[-1].payload == payload
        monkeypatch.setattr(room, "MESSAGE_SIZE_MAX_BYTES", len(payload) - 1)
        letters.undelivered("nobody", message, None, "why")
        assert letters.last[-1].payload == b""


class TestAMessageWhoseHandlerRaised:
    def test_has_its_error_with_the_traceback(self, letters, events):
        try:
            int("odd")
        except ValueError as error:
            letters.failed("orders", Ping(), error, TRACE)

        (letter,) = letters.last
        reason = "invalid literal for int() with base 10: 'odd'"
        assert letter == a_letter(error="ValueError", reason=reason, traceback=letter.traceback)
        assert letter.traceback.endswith(f"ValueError: {reason}\n")
        assert (letters.count, [told for told, *_ in events.told]) == (1, [letter])

    def test_that_could_not_be_decoded_is_named_by_its_kind(self, letters):
        letters.failed("orders", None, ValueError("odd"), 7, kind="Word")

        (letter,) = letters.last
        assert (letter.message_type, letter.payload, letter.correlation_id) == ("Word", b"", "7")


def test_what_is_told_to_nobody_outside_is_a_dead_letter_unless_it_is_a_failure_that_is_one_already(letters, events):
    outside, sender = letters.outside, Mailbox("orders")
    outside.deliver(Failed(actor="a", message_type="b", error="c", reason="d"), sender)
    assert letters.count == 0
    outside.deliver(Ping(), sender, TRACE)

    assert [told for told, *_ in events.told] == [
        a_letter(actor="ActorAddr-outside", reason="it was told from outside, not asked")
    ]

"""What is written down of an operation: who asked for what, and what came of it."""

from types import SimpleNamespace

import msgspec
import pytest

from natya.actors.control.auditing import JOURNAL_S, Audit
from natya.actors.control.operations import BY_REQUEST
from natya.actors.runtime import Outcome
from natya.messages.control import OperationAnswered, OperationAsked
from natya.messages.journal import Appended, AppendRefused
from natya.messages.risk_state import Resume, Resumed
from natya.messages.supervision import DescribeTree

NOW_NS = 1_700_000_000_000_000_000


class Host:
    """The part of an actor that an audit needs: the test looks at what was said."""

    def __init__(self):
        self.clock = SimpleNamespace(now_ns=lambda: NOW_NS)
        self.asked, self.logged = [], []

    def ask(self, target, message, *, timeout_s, then):
        self.asked.append((target, message, timeout_s, then))

    def log(self, event, *, level="info", **fields):
        self.logged.append((event, level, fields))

    log_bounded = log

    @property
    def facts(self):
        assert {(target, timeout_s) for target, _, timeout_s, _ in self.asked} <= {("journal", JOURNAL_S)}
        return [fact for _, message, _, _ in self.asked for fact in message.facts]


@pytest.fixture
def host():
    return Host()


def operate(host, message, outcome, **fields):
    audit, operation = Audit(host), BY_REQUEST[type(message)]
    if operation.audited:
        audit.asked(operation, message, operation.actor, "a-1", "user 7", **fields)
    audit.answered(operation, "a-1", outcome)
    return operation


def others():
    return [each for each in BY_REQUEST.values() if each.audited]


class TestAnAuditedOperation:
    @pytest.mark.parametrize("operation", others(), ids=lambda each: each.name)
    @pytest.mark.parametrize(
        ("outcome", "answer"),
        [
            (Outcome(value=Resumed(halted_because="x")), "Resumed"),
            (Outcome(error=TimeoutError("late")), "TimeoutError"),
        ],
        ids=["answered", "not answered"],
    )
    def test_is_journaled_when_it_is_asked_for_and_when_it_is_answered(self, host, operation, outcome, answer):
        audit = Audit(host)
        message = SimpleNamespace(**dict.fromkeys(operation.request.__struct_fields__, 5))
        message.__struct_fields__ = operation.request.__struct_fields__
        audit.asked(operation, message, "whom", "a-1", "user 7", user_id=7)
        audit.answered(operation, "a-1", outcome)

        assert [(event, fields["operation"], fields["request"]) for event, _, fields in host.logged] == [
            ("operation.asked", operation.name, "a-1"),
            ("operation.answered", operation.name, "a-1"),
        ]
        assert host.logged[0][2]["user_id"] == 7
        assert host.logged[0][2]["role"] == operation.role_of(message)
        assert host.logged[1][2]["answer"] == answer
        if operation.journals_itself:
            assert host.facts == []
            return
        asked, answered = host.facts
        assert msgspec.structs.replace(asked, arguments="") == OperationAsked(
            request="a-1",
            operation=operation.name,
            role=operation.role_of(message),
            actor="whom",
            who="user 7",
            arguments="",
            occurred_ns=NOW_NS,
        )
        assert answered == OperationAnswered(request="a-1", operation=operation.name, answer=answer, occurred_ns=NOW_NS)

    def test_has_its_arguments_written_down_and_no_secret_of_them(self, host):
        message = msgspec.defstruct("Message", [("reason", str), ("access_token", str)])("looked", "canary-5d1")
        Audit(host).asked(BY_REQUEST[Resume], message, "whom", "a-1", "user 7")

        (fact,) = host.facts or (None,)
        assert msgspec.json.decode(fact.arguments)["reason"] == "looked"
        assert "canary-5d1" not in fact.arguments

    @pytest.mark.parametrize(
        ("outcome", "reason"),
        [
            (Outcome(value=Appended(first_sequence=1, last_sequence=1)), None),
            (Outcome(value=AppendRefused(reason="the disk is full")), "the disk is full"),
            (Outcome(error=TimeoutError("no answer")), "no answer"),
        ],
        ids=["taken", "refused", "not answered"],
    )
    def test_that_the_journal_does_not_take_is_told(self, host, outcome, reason):
        operate(host, Resume(reason="looked"), Outcome(value=None))
        host.logged.clear()
        for *_, then in host.asked:
            then(outcome)

        told = [(event, level, fields["operation"]) for event, level, fields in host.logged]
        assert told == ([] if reason is None else [("audit.not_journaled", "error", "resume")] * len(host.asked))
        assert all(reason in fields["reason"] for *_, fields in host.logged)


def test_an_operation_that_only_looks_is_not_written_down(host):
    operate(host, DescribeTree(), Outcome(value=None))

    assert host.asked == host.logged == []

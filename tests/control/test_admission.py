import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.control.admission import ADMITTED, admit
from natya.actors.control.errors import AskRefusedError
from natya.config.sections.control import ControlSettings
from natya.messages.codec import MESSAGE_TYPES, encode
from natya.messages.control import Ask
from natya.messages.database import BackUp, Query, QueryToFile
from natya.messages.journal import ReadJournal
from natya.messages.orders import SubmitOrder
from natya.messages.supervision import DescribeTree
from natya.messages.system import Ping

LIMITS = ControlSettings.default()


def an_ask(message, **changes):
    frame = message if isinstance(message, bytes) else encode(message)
    return Ask(**{"request_id": 1, "actor": "any", "message": frame, "timeout_s": 1.0, **changes})


def refusal_of(ask):
    with pytest.raises(AskRefusedError) as caught:
        admit(ask, LIMITS)
    return caught.value


class TestAQuestionThatChangesNothing:
    @pytest.mark.parametrize("message", [Ping(), DescribeTree(), Query(sql="select 1"), ReadJournal()], ids=repr)
    def test_is_admitted_as_it_is(self, message):
        assert admit(an_ask(message), LIMITS) == message


class TestEverythingElse:
    @pytest.mark.parametrize("message_type", sorted(set(MESSAGE_TYPES) - set(ADMITTED), key=lambda each: each.__name__))
    def test_is_forbidden_by_its_type(self, message_type):
        tag = msgspec.msgpack.encode([message_type.__name__])

        assert refusal_of(an_ask(b"\x01" + tag)).kind in {"forbidden", "malformed"}

    def test_names_what_may_be_asked_and_what_was(self):
        order = SubmitOrder(client_order_id="c", strategy="s", symbol="TCS", side="BUY", quantity=1)
        refusal = refusal_of(an_ask(order))

        assert refusal.kind == "forbidden"
        assert "found SubmitOrder" in str(refusal)
        assert "Ping, Query, QueryToFile, ReadChart, ReadJournal, ReadTrace, Re" in str(refusal)

    @given(frame=st.binary(max_size=100))
    def test_that_is_no_message_is_malformed(self, frame):
        assert refusal_of(an_ask(b"\x00" + frame)).kind == "malformed"


class TestAQuestionForTooMuch:
    @pytest.mark.parametrize(
        ("message", "changes", "limit"),
        [
            (Query(sql="select 1", rows_max=LIMITS.query_rows_max + 1), {}, "rows_max"),
            (Query(sql="select 1", timeout_s=LIMITS.timeout_max_s + 1), {}, "timeout_s"),
            (QueryToFile(sql="select 1", rows_max=LIMITS.file_rows_max + 1), {}, "rows_max"),
            (BackUp(timeout_s=LIMITS.timeout_max_s + 1), {}, "timeout_s"),
            (ReadJournal(records_max=LIMITS.journal_records_max + 1), {}, "records_max"),
            (Ping(), {"timeout_s": LIMITS.timeout_max_s + 1}, "timeout_s"),
        ],
        ids=["rows", "work", "file", "backup", "records", "time"],
    )
    def test_is_forbidden_and_the_limit_named(self, message, changes, limit):
        refusal = refusal_of(an_ask(message, **changes))

        assert refusal.kind == "forbidden"
        assert limit in str(refusal)

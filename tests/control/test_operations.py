import re
from typing import Annotated, get_args, get_origin

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.control.errors import AskRefusedError
from natya.actors.control.forms import answer_form, arguments_form, plain
from natya.actors.control.operations import BY_NAME, BY_REQUEST, OPERATIONS, ROLES, Operation, admit, arguments_of
from natya.client.connection import _BY_METHOD, Connection, UnknownOperationError
from natya.config.sections.control import ControlSettings
from natya.messages.codec import MESSAGE_TYPES, encode
from natya.messages.control import Ask, ControlStatistics
from natya.messages.database import BackUp, CheckDatabase, Query, QueryToFile, Rows
from natya.messages.journal import ReadJournal
from natya.messages.kill_switch import EngageKillSwitch, ReadKillSwitch
from natya.messages.orders import SubmitOrder
from natya.messages.risk_state import Resume, Resumed
from natya.messages.supervision import DescribeTree
from natya.messages.system import Ping, Pong
from natya.messages.trace import ReadTrace
from natya.messages.units import Count

LIMITS = ControlSettings.default()
COUNTS = ControlStatistics.__struct_fields__


def an_ask(message, **changes):
    frame = message if isinstance(message, bytes) else encode(message)
    operation = None if isinstance(message, bytes) else BY_REQUEST.get(type(message))
    actor = "any" if operation is None else operation.actor
    return Ask(**{"request_id": 1, "actor": actor, "message": frame, "timeout_s": 1.0, **changes})


def refusal_of(ask):
    with pytest.raises(AskRefusedError) as caught:
        admit(ask, LIMITS)
    return caught.value


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_its_form_over_http_has_all_arguments_but_those_that_are_of_this_machine_or_of_who_asks(operation):
    left_out = {"asker", *operation.local_arguments}
    kept = [field for field in msgspec.structs.fields(operation.request) if field.name not in left_out]
    form = {field.name: field for field in msgspec.structs.fields(operation.http_form)}

    assert set(form) == {field.name for field in kept}
    assert all(
        (form[field.name].default, form[field.name].required) == (field.default, field.required) for field in kept
    )


class TestAQuestionThatChangesNothing:
    @pytest.mark.parametrize("message", [Ping(), DescribeTree(), Query(sql="select 1"), ReadJournal()], ids=repr)
    def test_is_admitted_as_it_is(self, message):
        operation, admitted = admit(an_ask(message), LIMITS)

        assert (operation.role, admitted) == ("read", message)


class TestAQuestionOfAnotherActorThanTheOneThatDoesIt:
    def test_is_forbidden_and_names_both(self):
        refusal = refusal_of(an_ask(Resume(reason="all is well"), actor="broker"))

        assert refusal.kind == "forbidden"
        assert "resume is for orders" in str(refusal)
        assert "'broker'" in str(refusal)

    def test_is_admitted_where_any_may_be_asked(self):
        assert admit(an_ask(Ping(), actor="crossover"), LIMITS)[1] == Ping()


class TestEverythingElse:
    @pytest.mark.parametrize(
        "message_type", sorted(set(MESSAGE_TYPES) - set(BY_REQUEST), key=lambda each: each.__name__)
    )
    def test_is_forbidden_by_its_type(self, message_type):
        tag = msgspec.msgpack.encode([message_type.__name__])

        assert refusal_of(an_ask(b"\x01" + tag)).kind in {"forbidden", "malformed"}

    def test_names_what_may_be_asked_and_what_was(self):
        order = SubmitOrder(client_order_id="c", strategy="s", symbol="TCS", side="BUY", quantity=1)
        refusal = refusal_of(an_ask(order))

        assert refusal.kind == "forbidden"
        assert "SubmitOrder is nothing that may be asked" in str(refusal)
        assert all(each.request.__name__ in str(refusal) for each in OPERATIONS)

    @given(frame=st.binary(max_size=100))
    def test_that_is_no_message_is_malformed(self, frame):
        assert refusal_of(an_ask(b"\x00" + frame)).kind == "malformed"


class TestAQuestionForTooMuch:
    @pytest.mark.parametrize("over", [False, True], ids=["just-enough", "too-much"])
    @pytest.mark.parametrize(
        ("message_type", "arguments", "limit", "most"),
        [
            (Query, {"sql": "select 1"}, "rows_max", LIMITS.query_rows_max),
            (Query, {"sql": "select 1"}, "timeout_s", LIMITS.timeout_max_s),
            (QueryToFile, {"sql": "select 1"}, "rows_max", LIMITS.file_rows_max),
            (QueryToFile, {"sql": "select 1"}, "timeout_s", LIMITS.timeout_max_s),
            (BackUp, {}, "timeout_s", LIMITS.timeout_max_s),
            (CheckDatabase, {}, "timeout_s", LIMITS.timeout_max_s),
            (ReadJournal, {}, "records_max", LIMITS.journal_records_max),
            (ReadTrace, {}, "hops_max", LIMITS.trace_hops_max),
        ],
        ids=lambda value: value.__name__ if isinstance(value, type) else None,
    )
    def test_is_forbidden_and_the_limit_named_with_every_digit(self, message_type, arguments, limit, most, over):
        message = message_type(**arguments, **{limit: most + over})

        if over:
            refusal = refusal_of(an_ask(message))
            assert str(refusal) == f"forbidden: {limit} is at most {most}, found {most + 1}"
        else:
            assert admit(an_ask(message), LIMITS) == (BY_REQUEST[message_type], message)

    def test_of_time_is_forbidden_and_the_limit_named(self):
        assert admit(an_ask(Ping(), timeout_s=LIMITS.timeout_max_s), LIMITS)[1] == Ping()
        refusal = refusal_of(an_ask(Ping(), timeout_s=LIMITS.timeout_max_s + 1))

        assert str(refusal) == "forbidden: timeout_s is at most 3600.0, found 3601.0"


MAY = {
    "read": """
        alarms check-database find-instrument health list-dead-letters list-strategies metrics ping query query-to-file
        read-chart read-journal read-kill-switch read-log read-orders read-positions read-profit-curve risk show-http
        show-instrument show-token trace tree
    """,
    "operate": """
        archive-day back-up cancel-orders change-dead-letters engage-kill-switch publish-events refresh-instruments
        reopen-instruments replay-events report-presence save-market-data stop-replay stop-strategy test-notifications
    """,
    "trade": """
        change-limits flatten log-in release-kill-switch reload-settings reload-strategy renew-token resume
        settle-order settle-position start-strategy swap-strategy take-secrets
    """,
}
MAY_WITH = {("engage-kill-switch", "flatten"): "trade"}
ONLY_HERE = "back-up publish-events query-to-file reload-strategy swap-strategy"


class TestTheTable:
    def test_lets_each_role_do_this_and_nothing_else(self):
        """Whoever adds an operation, or lets another role do one, says so here once more."""
        assert {
            role: {each.name for each in OPERATIONS if each.role == role} for role in ROLES
        } == {role: set(operations.split()) for role, operations in MAY.items()}  # fmt: skip
        with_argument = {(each.name, name): role for each in OPERATIONS for name, role in each.role_with}
        assert with_argument == MAY_WITH
        assert {each.name for each in OPERATIONS if not each.over_http} == set(ONLY_HERE.split())
        assert {each.name for each in OPERATIONS if each.of_any_actor} == {"ping", "tree", "trace"}

    @pytest.mark.parametrize(
        ("message", "role"),
        [
            (EngageKillSwitch(reason="odd"), "operate"),
            (EngageKillSwitch(reason="odd", flatten=True), "trade"),
            (Resume(reason="looked"), "trade"),
            (ReadKillSwitch(), "read"),
        ],
    )
    def test_says_which_role_one_needs_with_these_arguments(self, message, role):
        assert BY_REQUEST[type(message)].role_of(message) == role

    def test_tells_the_role_in_words_with_the_argument_that_takes_a_higher_one(self):
        told = {each.role_told for each in OPERATIONS}

        assert told == {"read", "operate", "trade", "operate; trade with flatten"}

    @pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.role_with], ids=lambda each: each.name)
    def test_raises_the_role_by_arguments_that_it_has_and_never_lowers_it(self, operation):
        assert {name for name, _ in operation.role_with} <= set(operation.arguments)
        assert all(ROLES.index(role) > ROLES.index(operation.role) for _, role in operation.role_with)

    @pytest.mark.parametrize(("length", "shown"), [(199, 199), (200, 200), (201, 201), (5_000, 201)])
    def test_is_audited_with_its_arguments_and_no_more_of_them_than_a_line_holds(self, length, shown):
        found = arguments_of(Resume(reason="é" * length))

        assert len(found["reason"]) == shown
        assert found["reason"].endswith("…") == (length > 200)

    def test_has_each_name_and_each_request_once(self):
        assert len(BY_NAME) == len(BY_REQUEST) == len(OPERATIONS)

    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
    def test_says_of_each_what_it_does_and_what_comes_of_it(self, operation):
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", operation.name)
        assert operation.summary.endswith(".")
        assert operation.answers
        assert all(answer in MESSAGE_TYPES for answer in operation.answers)

    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
    def test_audits_whatever_changes_something(self, operation):
        assert operation.audited == (operation.role != "read")


class TestAnOperationThatIsAdded:
    """All that is needed for another one is its entry."""

    @pytest.fixture
    def added(self, monkeypatch):
        class Bow(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="Bow"):
            """To the stage: bow so often. Answered by `Rows`."""

            times: Count = 1
            asker: str = ""

        operation = Operation(request=Bow, answers=(Rows,), actor="stage", role="operate", audited=True)
        monkeypatch.setitem(BY_NAME, operation.name, operation)
        monkeypatch.setitem(_BY_METHOD, operation.method, operation)
        return operation

    def test_is_a_method_of_a_connection(self, added):
        class Client:
            def request(self, *what, **how):
                return what, how

        connection = Connection(Client())

        (actor, message), _ = connection.bow(times=3)
        assert (actor, message) == ("stage", added.request(times=3))
        assert "bow" in dir(connection)
        assert connection.bow.__doc__ == "To the stage: bow so often. Answered by `Rows`."

    @pytest.mark.parametrize(("arguments", "found"), [({"times": -1}, "times"), ({"time": 1}, "time")])
    def test_is_sent_with_its_own_arguments_in_their_range_alone(self, added, arguments, found):
        with pytest.raises(UnknownOperationError, match=found):
            Connection(None).call(added.name, **arguments)


class TestTheArgumentsOfAnAuditLine:
    def test_are_short_and_of_a_series_only_how_many(self):
        message = QueryToFile(sql="x" * 1_000, parameters=(1, 2), asker="a-1")
        told = arguments_of(message)

        assert len(told["sql"]) == 201
        assert told["parameters"] == 2
        assert "asker" not in told

    def test_are_numbers_and_nothing_as_they_are(self):
        message = msgspec.defstruct("Message", ["a", "b", "c", "d", "e"])(None, True, 5, 0.5, b"x")

        assert arguments_of(message) == {"a": None, "b": True, "c": 5, "d": 0.5, "e": "b'x'"}


def structs_in(kind, seen):
    """All structs of an inspected type, however deep."""
    match kind:
        case msgspec.inspect.StructType(cls=cls, fields=fields) if cls not in seen:
            seen.add(cls)
            for field in fields:
                structs_in(field.type, seen)
        case msgspec.inspect.UnionType(types=kinds) | msgspec.inspect.TupleType(item_types=kinds):
            for each in kinds:
                structs_in(each, seen)
        case msgspec.inspect.VarTupleType(item_type=item) | msgspec.inspect.ListType(item_type=item):
            structs_in(item, seen)
        case msgspec.inspect.DictType(key_type=key, value_type=value):
            structs_in(key, seen)
            structs_in(value, seen)
    return seen


class TestAForm:
    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
    def test_is_an_object_by_names_all_through(self, operation):
        for form in (arguments_form(operation.request), *map(answer_form, operation.answers)):
            for each in structs_in(msgspec.inspect.type_info(form), set()):
                assert not each.__struct_config__.array_like, f"{each.__name__} in {form.__name__}"
                assert each.__struct_config__.forbid_unknown_fields

    def test_of_what_may_be_left_out_or_is_one_of_several_is_one_too(self):
        class Many(msgspec.Struct, array_like=True, tag="Many"):
            few: Annotated[tuple[Rows, ...], msgspec.Meta(max_length=3)] | None = None
            by_name: dict[str, Pong | Rows] = {}

        found = structs_in(msgspec.inspect.type_info(answer_form(Many)), set())

        assert {each.__name__ for each in found} >= {"Many", "Rows", "Pong"}
        assert not any(each.__struct_config__.array_like for each in found)

    def test_names_in_an_answer_the_messages_and_no_other_part_of_them(self):
        class Part(msgspec.Struct):
            price: float

        class Whole(msgspec.Struct, tag=True, array_like=True):
            part: Part
            inner: Resumed

        def tags(form):
            found = structs_in(msgspec.inspect.type_info(form), set())
            return {each.__name__: each.__struct_config__.tag for each in found}

        assert tags(answer_form(Whole)) == {"Whole": "Whole", "Part": None, "Resumed": "Resumed"}
        assert tags(arguments_form(Whole)) == {"Whole": None, "Part": None, "Resumed": None}

    def test_of_values_has_texts_for_keys(self):
        assert plain({1: (2, {"a": frozenset({3})})}) == {"1": [2, {"a": [3]}]}


class TestAName:
    def test_is_that_of_the_request_in_words_or_the_one_that_is_given(self):
        fields = {"answers": (Pong,), "actor": "any", "role": "read"}

        assert Operation(request=ReadJournal, **fields).name == "read-journal"
        assert Operation(request=ReadJournal, name="look", **fields).name == "look"


class TestAnAnswerAsAnObject:
    @pytest.mark.parametrize(
        "answer",
        [
            Rows(columns=("a",), rows=((1,), (None,), ("x",))),
            Pong(
                actor="control", statistics=ControlStatistics(**dict.fromkeys(ControlStatistics.__struct_fields__, 1))
            ),
        ],
        ids=["rows", "pong"],
    )
    def test_is_of_the_form_that_is_described(self, answer):
        read = msgspec.json.decode(msgspec.json.encode(plain(answer)), type=answer_form(type(answer)))

        assert type(read).__name__ == type(answer).__name__
        assert msgspec.json.decode(msgspec.json.encode(read)) == msgspec.json.decode(msgspec.json.encode(plain(answer)))

    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
    def test_can_be_described_with_its_arguments(self, operation):
        wanted = [arguments_form(operation.request), *map(answer_form, operation.answers)]
        _, components = msgspec.json.schema_components(wanted)

        assert operation.request.__name__ in components

    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
    def test_is_described_with_the_ranges_of_its_fields(self, operation):
        made = {field.name: field.type for field in msgspec.structs.fields(arguments_form(operation.request))}
        declared = {field.name: field.type for field in msgspec.structs.fields(operation.request)}

        for name in made:
            if get_origin(declared[name]) is Annotated:
                assert get_args(made[name])[1:] == get_args(declared[name])[1:]

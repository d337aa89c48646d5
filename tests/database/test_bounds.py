"""How large a query's values may become, as computed from its text: each class of functions by its own rule."""

# ruff: noqa: S608  they are put together of the expressions here alone

import contextlib
import json

import duckdb
import pytest

from natya.actors.database.errors import QueryRefused
from natya.actors.database.queries import bounds
from natya.actors.database.queries.bounds import NODES_MAX, ROW_BYTES_MAX, TABLE_NODES, expect_bounded


@pytest.fixture(scope="module")
def tree():
    with contextlib.closing(duckdb.connect()) as cursor:

        def tree(sql):
            ((text,),) = cursor.execute("select json_serialize_sql(?)", [sql]).fetchall()
            return json.loads(text)["statements"]

        yield tree


@pytest.fixture
def is_refused(tree, monkeypatch):
    """Whether it is, where the functions may make so many bytes of a row."""

    def is_refused(sql, *, allowed=ROW_BYTES_MAX, parameters=()):
        monkeypatch.setattr(bounds, "ROW_BYTES_MAX", allowed)
        try:
            expect_bounded(tree(sql), parameters)
        except QueryRefused:
            return True
        return False

    return is_refused


@pytest.fixture
def size(tree):
    def size(sql, parameters=()):
        ((statement),) = tree(sql)
        return bounds._Sizes(parameters).query(statement["node"], bounds._Scope({}))

    return size


# Of constants 16 bytes, of a column 64, of a list's number 16, of a letter that pads 4.
BYTES = {
    "1": 16,
    "price": 64,
    f"'{'x' * 90}'": 90,
    "price = repeat('x', 100)": 16,
    "price between repeat('x', 100) and 1": 16,
    "length(repeat('x', 100))": 16,
    "now()": 16,
    "repeat('x', 100)": 1_600,
    "repeat(symbol, 10)": 640,
    "repeat('x', -5)": 16,
    "repeat('x', least(quantity, 80))": 80 * (64 + 16),  # the largest argument is the count itself
    "repeat('x', greatest(20, 80))": 80 * (16 + 16),
    "repeat('x', quantity % 70)": 1_120,
    "repeat('x', 3 + 70)": 73 * 16,
    "repeat('x', 70::int)": 1_120,
    "list_resize([1], 100)": 1_600,
    "lpad('x', 100)": 400,
    "lpad(symbol, 5)": 64,
    "to_base(1, 2, 100)": 400,
    "bitstring('1', 100)": 400,
    "range(50)": 50 * 16,
    "range(-10)": 0,
    "range(10, 50)": 41 * 16,
    "range(10, 50, 7)": 6 * 16,
    "range(50, 10, -7)": 6 * 16,
    "generate_series(1, 9)": 9 * 16,
    "range(50) + range(40)": 90 * 16,
    "repeat('x', 100) + 1": 16,
    "1 + 2": 16,
    "symbol || side": 128,
    "repeat('x', 100) || side": 1_664,
    "hex('x')": 16,
    "hex(repeat('x', 100))": 3_200,
    "to_json(repeat('x', 100))": 12_800,
    "repeat('x', 100)::varchar": 12_800,
    "symbol::varchar": 64,
    "repeat('x', 100)::int": 16,
    "replace(symbol, 'a', 'b')": 65,
    "replace(repeat('x', 100), 'x', repeat('y', 2))": 1_601 * 16,
    "array_to_string(range(10))": 320,
    "array_to_string(range(100), ',')": 1_601,
    "format('{:>200}', symbol)": 280,
    "format('{} {}', symbol)": 80,
    "printf('%100d %20d', 1, 2)": 16 + 16 + 16 + 120,
    "list_transform(range(10), lambda x: repeat('y', 30))": 160 / 4 * 480,
    "list_reduce(range(40), lambda a, b: a + b)": 640,
    "list_reduce(range(40), lambda a, b: greatest(a, b))": 640,
    "list_reduce(range(40), lambda a, b: a % a)": 640,
    "case when price > 1 then repeat('x', 100) else 1 end": 1_600,
    "list(price)": 1_024,
    "max(price)": 64,
    "max(price) over ()": 64,
    "max(price, 10)": 1_024,
    "max(price, quantity)": 64,
    "arg_max(price, quantity)": 64,
    "max(repeat('x', 100))": 1_600,
    "max(repeat('x', 100), 10)": 1_600,
}

BOUNDLESS = (
    "repeat('x', quantity)",
    "repeat('x', abs(70))",
    "repeat('x', '70'::int)",
    "range(10, 50, 0)",
    "range(quantity)",
    "format(symbol)",
    "format('{:{}}', symbol, 1)",
    "printf('%*d', 1)",
    "list_reduce(range(40), lambda a, b: a || b)",
    "list_reduce(range(40), lambda a, b: a + a)",
    "list_reduce(range(40), symbol)",
    "list(price) over ()",
    "mode(price) over ()",
)


class TestTheLargestValue:
    @pytest.mark.parametrize("value", BYTES)
    def test_of_a_call_is_as_its_class_says(self, size, value):
        assert size(f"select {value} from ticks").bytes == BYTES[value]

    @pytest.mark.parametrize("value", BOUNDLESS)
    def test_of_what_no_text_says_has_no_bound(self, is_refused, value):
        assert is_refused(f"select {value} from ticks", allowed=2**62)

    @pytest.mark.parametrize(("text", "bytes_"), [("$1", 6_400), ("$2", 19_200), ("$3", 12_800)])
    def test_of_a_count_is_that_of_the_parameter_of_its_number(self, size, text, bytes_):
        assert size(f"select repeat('x', {text})", [100, 300, 200]).bytes == bytes_

    @pytest.mark.parametrize("text", ["$4", "$name"])
    def test_of_a_parameter_that_was_not_given_has_no_bound(self, is_refused, text):
        assert is_refused(f"select repeat('x', {text})", parameters=[100, 300, 200], allowed=2**62)

    @pytest.mark.parametrize(("value", "bytes_"), [("x" * 77, 77), (b"x" * 77, 77), ("x", 64), (7, 64), (None, 64)])
    def test_of_a_parameter_is_the_parameters(self, size, value, bytes_):
        assert size("select ?", [value]).bytes == bytes_

    @pytest.mark.parametrize(("count", "bytes_"), [(70, 70 * 64), ("70", 70 * 64), (-70, 16)])
    def test_of_a_count_in_a_parameter_is_of_the_parameters_value(self, size, count, bytes_):
        assert size("select repeat('x', $2)", [1, count]).bytes == bytes_

    @pytest.mark.parametrize("parameters", [[], ["seventy"], [7.5], [None]])
    def test_of_a_count_that_is_no_whole_number_has_no_bound(self, is_refused, parameters):
        assert is_refused("select repeat('x', ?)", allowed=2**62, parameters=parameters)


class TestWhatFunctionsMakeOfARow:
    @pytest.mark.parametrize(
        ("sql", "bytes_"),
        [
            ("select repeat('x', 8) from ticks", 0),  # a value no larger than two columns is not counted
            ("select repeat('x', 9), repeat('x', 10)", 304),
            ("select repeat('x', 100) + 1", 1_600),
            ("select repeat('x', 100) as s, s || s", 1_600 + 3 * 1_600 + 1_600),
            ("select (select repeat('x', 100))", 1_600),
            ("select s from (select repeat('x', 100) as s)", 1_600),
            ("with a as (select repeat('x', 100) as s) select s from a", 1_600),
            ("with a as (select repeat('x', 100) as s) select s from a, a b", 3_200),
            ("select price from ticks order by repeat('x', 100)", 1_600),
            ("select price from ticks where length(repeat('x', 100)) > 1", 1_600),
            ("with recursive r as (select 'x' as s union all select s || s from r) select s from r", 2_048),
        ],
    )
    def test_is_added_up(self, size, sql, bytes_):
        assert size(sql).made == bytes_

    @pytest.mark.parametrize("sql", ["select repeat('x', 100)", "select repeat('x', 50), repeat('x', 50)"])
    def test_may_be_as_much_as_is_allowed(self, is_refused, sql):
        assert not is_refused(sql, allowed=1_600)
        assert is_refused(sql, allowed=1_599)


class TestThePartsOfAQuery:
    @pytest.mark.parametrize(
        ("sql", "parts"),
        [
            ("select 1", 1),
            ("select price from ticks", 2 + TABLE_NODES),
            ("select price from ticks, ticks b", 3 + 2 * TABLE_NODES),
            ("select x from range(3) t(x)", 2 + TABLE_NODES),
            ("with a as (select price from ticks) select a.price from a, a b", 5 + 4 * TABLE_NODES),
            ("select price from ticks group by cube (price, side)", 4 + 5 * TABLE_NODES),
            ("pivot ticks on side in ('BUY', 'SELL') using sum(price)", 7 + 3 * TABLE_NODES),
        ],
    )
    def test_are_its_nodes_and_many_for_each_scan(self, size, sql, parts):
        assert size(sql).nodes == parts

    def test_may_be_as_many_as_is_allowed(self, is_refused, monkeypatch):
        for nodes, refused in ((TABLE_NODES + 2, False), (TABLE_NODES + 1, True)):
            monkeypatch.setattr(bounds, "NODES_MAX", nodes)
            assert is_refused("select price from ticks") is refused
        assert NODES_MAX == 50_000


class TestAQueryWithoutParameters:
    def test_is_permitted_whatever_they_are(self, tree):
        assert not expect_bounded(tree("select repeat('x', 70)"))
        assert expect_bounded(tree("select repeat('x', ?)"), [70])

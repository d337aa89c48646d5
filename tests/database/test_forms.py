"""Each SQL type as it is stored in a Parquet file, shown, and built anew: a table of all."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.database.results.forms import (
    is_inline,
    is_json,
    is_nested,
    is_told_plainly,
    json_of,
    quoted_name,
    rebuilt,
    restored,
    stored,
    told,
)

AS_IT_IS = '"x"'
TEXT = '"x"::varchar as "x"'
JSON = 'to_json("x")::varchar as "x"'
MOMENT = r'''regexp_replace("x"::varchar, '^(\S+\d) (\d)', '\1T\2') as "x"'''

# By type: stored, told, nested, JSON, inline, told plainly.
FORMS = {
    "BOOLEAN": (AS_IT_IS, AS_IT_IS, False, False, True, True),
    "INTEGER": (AS_IT_IS, AS_IT_IS, False, False, True, True),
    "BIGINT": (AS_IT_IS, AS_IT_IS, False, False, True, True),
    "UBIGINT": (AS_IT_IS, AS_IT_IS, False, False, True, False),
    "DOUBLE": (AS_IT_IS, AS_IT_IS, False, False, True, True),
    "VARCHAR": (AS_IT_IS, AS_IT_IS, False, False, True, True),
    "BLOB": (AS_IT_IS, AS_IT_IS, False, False, True, False),
    "UUID": (AS_IT_IS, AS_IT_IS, False, False, True, False),
    "DECIMAL(9,2)": (AS_IT_IS, AS_IT_IS, False, False, True, False),
    "HUGEINT": (TEXT, '"x"::HUGEINT as "x"', False, False, True, False),
    "UHUGEINT": (TEXT, '"x"::UHUGEINT as "x"', False, False, True, False),
    "DATE": (AS_IT_IS, MOMENT, False, False, True, True),
    "TIME": (AS_IT_IS, MOMENT, False, False, True, True),
    "TIMESTAMP": (AS_IT_IS, MOMENT, False, False, True, True),
    "TIMESTAMP_NS": (AS_IT_IS, MOMENT, False, False, True, True),
    "TIMESTAMP WITH TIME ZONE": (AS_IT_IS, MOMENT, False, False, False, True),
    "INTERVAL": (TEXT, AS_IT_IS, False, False, False, True),
    "BIT": (TEXT, AS_IT_IS, False, False, False, True),
    "JSON": (TEXT, AS_IT_IS, False, True, False, True),
    "INTEGER[]": (AS_IT_IS, JSON, True, True, False, True),
    "INTEGER[3]": (AS_IT_IS, JSON, True, True, False, True),
    "HUGEINT[]": (JSON, AS_IT_IS, True, True, False, True),
    'STRUCT("a" INTEGER)': (AS_IT_IS, JSON, True, True, False, True),
    'STRUCT("a" BIT)': (JSON, AS_IT_IS, True, True, False, True),
    "MAP(VARCHAR, INTEGER)": (AS_IT_IS, JSON, True, True, False, True),
    "UNION(a INTEGER)": (JSON, AS_IT_IS, True, True, False, True),
    "VARIANT": (JSON, AS_IT_IS, True, True, False, True),
    "ENUM('x')": (TEXT, AS_IT_IS, False, False, False, True),
}


class TestAType:
    @pytest.mark.parametrize("kind", FORMS)
    def test_is_stored_and_told_as_what_loses_nothing(self, kind):
        found = (
            stored("x", kind),
            told("x", kind),
            is_nested(kind),
            is_json(kind),
            is_inline(kind),
            is_told_plainly(kind),
        )

        assert found == FORMS[kind]
        assert restored("x", kind) == (f'"x"::{kind} as "x"' if kind.removeprefix("U") == "HUGEINT" else AS_IT_IS)

    @pytest.mark.parametrize(
        ("kind", "selected"),
        [
            ("BLOB", 'unhex(unnest(?::varchar[])) as "x"'),
            ("HUGEINT", 'unnest(?::varchar[]) as "x"'),
            ("BIGINT", 'unnest(?::BIGINT[])::BIGINT as "x"'),
            ("UUID", 'unnest(?::varchar[])::UUID as "x"'),
            ("DECIMAL(9,2)", 'unnest(?::varchar[])::DECIMAL(9,2) as "x"'),
        ],
    )
    def test_is_built_anew_from_what_was_told(self, kind, selected):
        assert rebuilt("x", kind) == selected


@pytest.fixture(scope="module")
def engine():
    with duckdb.connect() as engine:
        yield engine


@given(name=st.text(max_size=20).filter(lambda name: "\0" not in name and name))
def test_any_name_of_a_column_is_one_identifier(engine, name):
    assert engine.execute(f"select 1 as {quoted_name(name)}").description[0][0] == name


@pytest.mark.parametrize(
    ("text", "proper"),
    [
        ("[1.5,2]", "[1.5,2]"),
        ("[Infinity,-Infinity,NaN]", '["Infinity","-Infinity","NaN"]'),
        ('{"NaN":NaN}', '{"NaN":"NaN"}'),
        (r'["a \" NaN",NaN]', r'["a \" NaN","NaN"]'),
        ('["Infinity"]', '["Infinity"]'),
    ],
)
def test_what_is_no_number_in_json_is_a_text(text, proper):
    assert json_of(text) == proper

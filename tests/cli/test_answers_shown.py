"""What `natya db query` prints: proper JSON, CSV in which nothing and an empty text differ, and no raw escapes."""

import csv
import io
import json
import math
import re

import pytest

from natya.actors.database import INLINE_ROWS_MAX, DuckDBAdapter, QueryResult
from natya.actors.database.requests.handler import RequestHandler
from natya.actors.database.results.rows_file import ROWS_A_FETCH
from natya.actors.database.upkeep.folders import Folders
from natya.cli.views import rows
from natya.domain.wording import counted
from natya.messages.database import QueryToFile
from natya.transfer import Imported

EVERY_TYPE = {
    "true": (True, "true"),
    "null": (None, ""),
    "''": ("", '""'),
    "'a,b'": ("a,b", '"a,b"'),
    "'say \"x\"'": ('say "x"', '"say ""x"""'),
    "1.50::decimal(9, 2)": ("1.50", "1.50"),
    "12345678901234567890123456.78::decimal(38, 2)": ("12345678901234567890123456.78",) * 2,
    "170141183460469231731687303715884105727::hugeint": ("170141183460469231731687303715884105727",) * 2,
    "(-170141183460469231731687303715884105728)::hugeint": ("-170141183460469231731687303715884105728",) * 2,
    "340282366920938463463374607431768211455::uhugeint": ("340282366920938463463374607431768211455",) * 2,
    "7::hugeint": (7, "7"),
    "18446744073709551615::ubigint": ("18446744073709551615",) * 2,
    "9223372036854775807": (9223372036854775807, "9223372036854775807"),
    "'inf'::double": ("Infinity", "inf"),
    "'-inf'::float": ("-Infinity", "-inf"),
    "'nan'::double": ("NaN", "nan"),
    "'infinity'::timestamp": ("infinity", "infinity"),
    "'-infinity'::date": ("-infinity", "-infinity"),
    "'infinity'::timestamptz": ("infinity", "infinity"),
    "date '9999-12-31'": ("9999-12-31", "9999-12-31"),
    "date '99999-12-31'": ("99999-12-31", "99999-12-31"),
    "timestamp '9999-12-31 23:59:59'": ("9999-12-31T23:59:59",) * 2,
    "make_timestamp_ns(123)": ("1970-01-01T00:00:00.000000123",) * 2,
    "time '12:00:00'": ("12:00:00", "12:00:00"),
    "'12:00:00+05:30'::timetz": ("12:00:00+05:30", "12:00:00+05:30"),
    "interval '1 day 2 hours'": ("1 day 02:00:00", "1 day 02:00:00"),
    "'ab'::blob": ("6162", "6162"),
    "'101'::bit": ("101", "101"),
    "uuid '00000000-0000-0000-0000-000000000001'": ("00000000-0000-0000-0000-000000000001",) * 2,
    "'x'::enum('x', 'y')": ("x", "x"),
    "[1, null, 3]": ([1, None, 3], '"[1,null,3]"'),
    "[true]": ([True], "[true]"),
    "['a', '']": (["a", ""], '"[""a"",""""]"'),
    "{'a': 1, 'b': {'c': [1.5]}}": ({"a": 1, "b": {"c": [1.5]}}, '"{""a"":1,""b"":{""c"":[1.5]}}"'),
    "map {1: 'x'}": ({"1": "x"}, '"{""1"":""x""}"'),
    "['inf'::double, '-inf'::double, 'nan'::double]": (["Infinity", "-Infinity", "NaN"], None),
    "['NaN', 'Infinity \" NaN']": (["NaN", 'Infinity " NaN'], None),
    "['infinity'::timestamp]": (["infinity"], None),
    "[170141183460469231731687303715884105727]": ([170141183460469231731687303715884105727], None),
    "[0.10::decimal(9, 2)]": ([0.1], None),
    "['101'::bit]": (["101"], None),
    "union_value(k := 1)": ({"k": 1}, None),
    "row(1, 'x')": ([1, "x"], None),
    "array_value(1, 2)": ([1, 2], None),
    "'{\"a\": [1, 2.0]}'::json": ({"a": [1, 2.0]}, None),
    "[]": ([], "[]"),
}


@pytest.fixture(scope="module")
def result_of(tmp_path_factory):
    path = tmp_path_factory.mktemp("shown") / "natya.duckdb"
    folders = Folders.beside(str(path), life="1")
    with DuckDBAdapter(path, max_connections=3, directories=folders.allowed()) as database:
        handler = RequestHandler(database, folders)
        yield lambda sql: QueryResult(handler.perform(QueryToFile(sql=sql)))


@pytest.fixture
def everything(result_of):
    columns = ", ".join(f"{value} as c{n}" for n, value in enumerate(EVERY_TYPE))
    with result_of(f"select {columns}") as result:
        yield result


class TestJson:
    def test_is_proper_for_every_type(self, everything, capsysbinary):
        rows.print_json(everything)
        told = json.loads(capsysbinary.readouterr().out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
        (row,) = told["rows"]

        assert told["schema"] == 1
        assert list(row.values()) == [wanted for wanted, _ in EVERY_TYPE.values()]

    @pytest.mark.parametrize("count", [0, 1, INLINE_ROWS_MAX, INLINE_ROWS_MAX + 1, 3 * ROWS_A_FETCH + 1])
    def test_is_one_object_of_however_many_rows(self, result_of, capsysbinary, count):
        with result_of(f"from range({count}) as numbers(n)") as result:
            rows.print_json(result)

        assert json.loads(capsysbinary.readouterr().out) == {"schema": 1, "rows": [{"n": n} for n in range(count)]}


class TestCsv:
    def test_tells_nothing_from_an_empty_text_and_is_exact(self, everything, capsys):
        rows.print_csv(everything)
        printed = capsys.readouterr().out
        for sql, (_, wanted) in EVERY_TYPE.items():
            if wanted is not None:
                assert f",{wanted}," in f",{printed.splitlines()[1]},", sql

        assert len(list(csv.reader(io.StringIO(printed)))[1]) == len(EVERY_TYPE)

    def test_is_read_back_as_it_was(self, result_of, capsys):
        with result_of("select 'a' || chr(10) || 'b' as x, ' y ' as y, null as z, '' as w") as result:
            rows.print_csv(result)

        assert capsys.readouterr().out == 'x,y,z,w\n"a\nb"," y ",,""\n'


class TestATable:
    def test_moves_no_terminal_and_counts_its_rows(self, result_of, capsys):
        with result_of("select chr(27) || '[2J' as x, true as truth") as result:
            rows.print_table(result)
        printed = capsys.readouterr().out

        assert "\x1b[2J" not in printed
        assert "true" in printed
        assert printed.splitlines()[-1] == "1 row"

    @pytest.mark.parametrize("number", ["7", "7::float", "7::double", "7::decimal(9, 0)", "7::tinyint", "7::hugeint"])
    def test_has_numbers_at_the_right_of_their_column_and_words_at_the_left(self, result_of, capsys, number):
        with result_of(f"select {number} as how_many, 'x' as which") as result:
            rows.print_table(result)
        head, row = [line for line in capsys.readouterr().out.splitlines() if "how_many" in line or "x" in line]

        assert head.index("how_many") + len("how_many") == re.search(r"7(\.0)?", row).end()
        assert head.index("which") == row.index("x")

    def test_of_none_or_several_says_rows(self, result_of, capsys):
        for count in (0, 2):
            with result_of(f"from range({count})") as result:
                rows.print_table(result)

            assert capsys.readouterr().out.splitlines()[-1] == f"{count} rows"


class TestRowsInANotebook:
    def test_are_numbers_and_texts_of_which_nested_ones_are_json(self, result_of):
        sql = "select [1, null] as a, 'infinity'::date as b, 'inf'::double as c, ['nan'::double] as d"
        with result_of(sql) as result:
            ((nested, date, number, strange),) = result.rows

        assert (json.loads(nested), date, json.loads(strange)) == ([1, None], "infinity", ["NaN"])
        assert math.isinf(number)


def test_one_is_singular():
    assert [counted(n, "row") for n in (0, 1, 2, 1_000)] == ["0 rows", "1 row", "2 rows", "1,000 rows"]


class TestAFileThatIsThereAlready:
    @pytest.mark.parametrize(("kind", "candles", "ticks"), [("candle", 3, 0), ("tick", 0, 3)])
    def test_is_said_to_be(self, capsys, kind, candles, ticks):
        for written in (3, 1, 0):
            rows.tell_import(an_import(candles=candles, ticks=ticks, written=written))

        assert capsys.readouterr().out.splitlines() == [
            f"a.csv: 3 {kind}s of TCS, 3 written, 0 bad rows, 0.1 s",
            f"a.csv: 3 {kind}s of TCS, 1 written, 2 there already, 0 bad rows, 0.1 s",
            f"a.csv: 3 {kind}s of TCS, 0 written, 3 there already, 0 bad rows, 0.1 s",
        ]


def an_import(**fields):
    return Imported(
        **{
            "file": "a.csv",
            "symbols": ("TCS",),
            "beside": 0,
            "replaced": 0,
            "bad_rows": 0,
            "bad_lines": (),
            "elapsed_s": 0.1,
        }
        | fields
    )

"""The rows of a query, as whoever asked looks at them."""

import gc
import itertools
import os
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest

from natya.actors.database import INLINE_ROWS_MAX, DuckDBAdapter, PackageMissing, QueryResult
from natya.actors.database.errors import ResultTooLarge
from natya.actors.database.requests.handler import RequestHandler
from natya.actors.database.results import rows_file
from natya.actors.database.results.forms import INLINE_CHARACTERS_MAX
from natya.actors.database.results.reading_engine import ReadingEngine
from natya.actors.database.tables.sql_text import quoted
from natya.actors.database.upkeep.folders import Folders
from natya.messages.database import QueryToFile

pytestmark = pytest.mark.usefixtures("engines")

SQL = """
select range as number, range * 0.5::double as price, 'text ' || range as text,
    case when range = 1 then null else range end as gap, make_timestamp(range * 1_000_000) as moment
from range(3)
"""


@pytest.fixture(scope="class")
def handler(class_path):
    folders = Folders.beside(str(class_path), life="1")
    with DuckDBAdapter(class_path, max_connections=3, directories=folders.allowed()) as database:
        yield RequestHandler(database, folders)


@pytest.fixture
def file(handler):
    return handler.perform(QueryToFile(sql=SQL))


@pytest.fixture(params=["in a file", "inline"])
def result(request, handler):
    few = INLINE_ROWS_MAX if request.param == "inline" else 0
    with QueryResult(handler.perform(QueryToFile(sql=SQL, inline_rows_max=few))) as result:
        yield result


class TestAResult:
    def test_is_rows_of_numbers_and_texts(self, result):
        assert len(result) == 3
        assert result.rows[1] == (1, 0.5, "text 1", None, "1970-01-01T00:00:01")

    def test_may_be_looked_at_again(self, result):
        assert tuple(result) == result.rows == tuple(row for batch in result.batches() for row in batch)

    def test_is_columns(self, result):
        columns = result.columns()

        assert columns["number"].dtype == np.int64
        assert columns["price"].tolist() == [0.0, 0.5, 1.0]
        assert columns["text"].tolist() == ["text 0", "text 1", "text 2"]
        assert columns["gap"].tolist() == [0, None, 2]
        assert columns["moment"][1] == np.datetime64("1970-01-01T00:00:01")

    def test_is_an_arrow_table(self, result):
        table = result.arrow()

        assert table["gap"].to_pylist() == [0, None, 2]
        assert table["text"].to_pylist() == ["text 0", "text 1", "text 2"]

    def test_is_a_pandas_frame(self, result):
        frame = result.df()

        assert frame["number"].tolist() == [0, 1, 2]
        assert frame["gap"].isna().tolist() == [False, True, False]

    def test_is_a_polars_frame(self, result):
        frame = result.polars()

        assert frame["gap"].to_list() == [0, None, 2]
        assert frame["price"].to_list() == [0.0, 0.5, 1.0]

    @pytest.mark.parametrize(
        ("form", "package"), [("arrow", "pyarrow"), ("df", "pandas"), ("polars", "polars"), ("polars", "pyarrow")]
    )
    def test_says_which_package_is_missing(self, result, monkeypatch, form, package):
        monkeypatch.setitem(sys.modules, package, None)

        with pytest.raises(PackageMissing, match=f"pip install {package}"):
            getattr(result, form)()

    def test_is_written_as_csv(self, result, tmp_path):
        result.write_csv(tmp_path / "rows.csv")

        assert (tmp_path / "rows.csv").read_text().splitlines()[:2] == [
            "number,price,text,gap,moment",
            "0,0.0,text 0,0,1970-01-01 00:00:00",
        ]


class TestAResultInSeveralForms:
    @pytest.fixture
    def started(self, monkeypatch):
        """The engines that were started, in a process that has read nothing yet."""
        engines, connect = [], duckdb.connect
        monkeypatch.setattr(duckdb, "connect", lambda **config: engines.append(connect(**config)) or engines[-1])
        monkeypatch.setattr(rows_file, "_ENGINE", ReadingEngine())
        return engines

    def test_starts_one_engine_for_all(self, result, tmp_path, started):
        result.write_csv(tmp_path / "rows.csv")
        result.write_parquet(tmp_path / "rows.parquet")
        result.columns()
        assert tuple(result) == result.rows

        assert len(started) == 1

    def test_leaves_none_of_its_own(self, handler, started):
        result = QueryResult(handler.perform(QueryToFile(sql=SQL, inline_rows_max=INLINE_ROWS_MAX)))
        result.columns()
        (engine,) = started
        result.close()
        with pytest.raises(duckdb.ConnectionException, match="closed"):
            engine.execute("select 1")

    def test_shares_one_with_all_others_in_files(self, handler, started):
        sources = set()
        for number in range(3):
            with QueryResult(handler.perform(QueryToFile(sql=f"select {number} as number"))) as result:
                assert result.columns()["number"].tolist() == [number]
                sources.add(result._source)
        assert (len(started), len(sources)) == (1, 1)  # each had the descriptor of the one before it, and its own rows

    def test_starts_another_in_a_fork_of_its_process(self, result, started, monkeypatch):
        """The threads of the first are not there."""
        before = result.columns()["price"].tolist()
        monkeypatch.setattr(os, "getpid", lambda: -1)

        assert result.columns()["price"].tolist() == before
        assert len(started) == 2

    def test_is_read_after_a_file_that_was_broken(self, handler, started):
        with QueryResult(handler.perform(QueryToFile(sql=SQL))) as broken:
            Path(broken._source.split("'")[1]).write_bytes(bytes(50))
            with pytest.raises(duckdb.Error):
                broken.columns()
        with QueryResult(handler.perform(QueryToFile(sql=SQL))) as result:
            assert len(result.columns()["number"]) == 3
        assert len(started) == 2

    def test_goes_on_with_one_after_another_was_looked_at(self, handler, tmp_path):
        with QueryResult(handler.perform(QueryToFile(sql="select range from range(25_000)"))) as result:
            batches = result.batches()
            first = next(batches)
            result.write_csv(tmp_path / "rows.csv")
            assert len(result.columns()["range"]) == 25_000

            assert [row for batch in (first, *batches) for row in batch] == [(number,) for number in range(25_000)]


TYPES = {
    "bigint": ["0", "-9223372036854775808", "9223372036854775807"],
    "utinyint": ["255"],
    "ubigint": ["18446744073709551615", "1"],
    "hugeint": ["170141183460469231731687303715884105727", "-1"],
    "uhugeint": ["340282366920938463463374607431768211455"],
    "decimal(38, 6)": ["12345678901234567890123456789012.123456", "-0.000001"],
    "decimal(4, 1)": ["-999.9"],
    "double": ["0.1", "-0.0", "1e300", "5e-324"],
    "float": ["0.1", "16777217"],
    "boolean": ["true", "false"],
    "varchar": ["", "é 'quoted' \"twice\"", "1970-01-01 00:00:00", "null"],
    "blob": ["", "\\x00\\xFF", "text"],
    "uuid": ["12345678-1234-1234-1234-123456789abc"],
    "date": ["2026-01-02", "infinity", "-infinity", "0044-03-15 (BC)", "9999-12-31"],
    "time": ["09:15:00.000001", "24:00:00"],
    "timestamp": ["2026-01-02 09:15:00.000001", "infinity", "-infinity", "0044-03-15 (BC) 10:00:00"],
    "timestamp_ns": ["2026-01-02 09:15:00.000000001", "infinity"],
}


class TestAnAnswerThatIsInline:
    def test_is_the_same_in_every_form_as_one_in_a_file(self, handler, tmp_path):
        columns = ", ".join(f'v{place}::{kind} as "{kind} ""quoted"""' for place, kind in enumerate(TYPES))
        texts = [*itertools.zip_longest(*TYPES.values()), (None,) * len(TYPES)]
        rows = ", ".join(f"({', '.join('null' if text is None else quoted(text) for text in row)}, 1)" for row in texts)
        names = ", ".join(f"v{place}" for place in range(len(TYPES)))
        sql = f"select {columns}, b from (values {rows}) t({names}, b)"  # noqa: S608
        answers = [handler.perform(QueryToFile(sql=sql, inline_rows_max=few)) for few in (0, INLINE_ROWS_MAX)]
        assert [answer.inline is None for answer in answers] == [True, False]
        filed, inline = map(QueryResult, answers)
        with filed, inline:
            for each, result in (("filed", filed), ("inline", inline)):
                result.write_csv(tmp_path / f"{each}.csv")
                result.write_parquet(tmp_path / f"{each}.parquet")
            assert (inline.names, inline.types, len(inline)) == (filed.names, filed.types, len(filed))
            assert repr(inline.rows) == repr(filed.rows)
            assert columns_of(inline) == columns_of(filed)
        assert (tmp_path / "inline.csv").read_bytes() == (tmp_path / "filed.csv").read_bytes()
        assert parquet(tmp_path / "inline.parquet") == parquet(tmp_path / "filed.parquet")

    def test_without_rows_has_its_columns_and_types(self, handler):
        with QueryResult(handler.perform(few("select 1::decimal(9, 2) as a, 'x' as b where false"))) as result:
            assert (result.rows, result.names, result.types) == ((), ("a", "b"), ("DECIMAL(9,2)", "VARCHAR"))
            assert [len(column) for column in result.columns().values()] == [0, 0]

    def test_leaves_no_file(self, handler):
        answer = handler.perform(few("select 1"))

        assert (answer.path, answer.rows, answer.inline) == ("", 1, ((1,),))

    @pytest.mark.parametrize(
        "sql",
        [
            f"from range({INLINE_ROWS_MAX + 1})",
            f"select repeat('x', 1000) from range({INLINE_CHARACTERS_MAX // 1000 + 1})",  # noqa: S608  a number
            "select [1, 2]",
            "select {'a': 1}",
            "select timestamptz '2026-01-02 09:15:00+05:30'",
        ],
        ids=["many rows", "long texts", "a list", "a struct", "a moment with a zone"],
    )
    def test_is_never_made_of(self, handler, sql):
        answer = handler.perform(few(sql))

        assert answer.inline is None
        QueryResult(answer).close()

    def test_still_obeys_its_bound_of_rows(self, handler):
        with pytest.raises(ResultTooLarge, match="at most 1 rows"):
            handler.perform(few("from range(2)", rows_max=1))


def parquet(path):
    with duckdb.connect() as engine:
        rows = engine.read_parquet(str(path))
        return rows.types, rows.project("columns(*)::varchar").fetchall()


def columns_of(result):
    """What it says of its columns; numpy has no infinite day, and no number beyond 128 bits with a sign."""
    try:
        return repr(result.columns())
    except duckdb.Error as refusal:
        return str(refusal)


def few(sql, **fields):
    return QueryToFile(sql=sql, inline_rows_max=INLINE_ROWS_MAX, **fields)


class TestItsFile:
    def test_has_no_name_once_it_is_open(self, file):
        with QueryResult(file):
            assert not Path(file.path).exists()

    def test_goes_with_the_result(self, file):
        before = descriptors()
        result = QueryResult(file)
        assert len(descriptors()) == len(before) + 1
        del result
        gc.collect()

        assert descriptors() == before

    def test_is_closed_once(self, file):
        result = QueryResult(file)
        result.close()
        result.close()

        assert descriptors() == descriptors()

    def test_that_was_not_fetched_in_time_is_said_so(self, file):
        Path(file.path).unlink()

        with pytest.raises(FileNotFoundError):
            QueryResult(file)


def descriptors():
    return sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208  names alone

"""The rows of a query, as whoever asked looks at them."""

import gc
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from natya.actors.database import DuckDBAdapter, PackageMissing, QueryResult
from natya.actors.database.requests.handler import RequestHandler
from natya.actors.database.upkeep.folders import Folders
from natya.messages.database import QueryToFile

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


@pytest.fixture
def result(file):
    with QueryResult(file) as result:
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


class TestItsFile:
    def test_has_no_name_once_it_is_open(self, result, file):
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

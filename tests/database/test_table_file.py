"""A file with one table is ours if it has that table and no other; in texts of JSON no number is none."""

import json

import duckdb
import pytest

from natya.actors.database import TableFile
from natya.actors.database.errors import DatabaseForeign
from natya.actors.database.results.forms import json_of

COLUMNS = {"key": "VARCHAR", "count": "BIGINT"}


@pytest.fixture
def file(tmp_path):
    return TableFile(tmp_path / "kept.duckdb", "kept", COLUMNS)


class TestAFileOfOneTable:
    def test_gives_back_each_row_by_its_newest_word(self, file):
        with file.opened():
            for row in ({"key": "a", "count": 1}, {"key": "b"}, {"key": "a", "count": 2}):
                file.add(row)
        with file.opened():
            assert sorted(file.rows(), key=lambda row: row["key"]) == [{"key": "a", "count": 2}, {"key": "b"}]

    @pytest.mark.parametrize(
        "theirs",
        [
            "create table other (key varchar, count bigint)",
            "create table kept (key varchar, count varchar)",
            "create table kept (key varchar, count bigint, more bigint)",
        ],
        ids=["another with our columns", "another type", "another column"],
    )
    def test_is_not_ours_with_anything_else(self, file, theirs):
        with duckdb.connect(str(file.path)) as connection:
            connection.execute(theirs)

        with pytest.raises(DatabaseForeign, match="the table kept of natya alone wanted"), file.opened():
            pass


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a":NaN}', {"a": "NaN"}),
        ('{"a":[Infinity,-Infinity]}', {"a": ["Infinity", "-Infinity"]}),
        ('{"NaN":"Infinity","a":NaN}', {"NaN": "Infinity", "a": "NaN"}),
        ('{"a":1}', {"a": 1}),
    ],
)
def test_what_is_no_number_is_a_text_in_json(text, found):
    assert json.loads(json_of(text)) == found

"""A file of outcomes: what is read is what was written, and nobody else's file is touched."""

import contextlib
from pathlib import Path

import duckdb
import msgspec
import pytest
from natya_backtests import a_test

from natya.backtest.errors import BacktestRefusedError
from natya.backtest.plan import Plan
from natya.backtest.sweeping.kept import Kept, LineFile, OutcomeTable
from natya.backtest.sweeping.outcomes import failed_outcome

OUTCOMES = [
    a_test(
        "a", parameters={"fast": 5, "ratio": 0.1, "side": "both's", "on": True}, trades=12, net_rupees=-0.1,
        sharpe=1 / 3, cagr=None, refused={"quantity": 3}, notes=("two", "notes"),
    ),
    a_test("b", failed='it said: "no"\n'),
    a_test("c", parameters={"names": ["x", None]}, sortino=1e-300, exposure=0.0),
]  # fmt: skip


@pytest.mark.parametrize("name", ["kept.duckdb", "kept.jsonl"])
def test_what_is_read_is_what_was_written(tmp_path, name):
    for begun, outcome in enumerate(OUTCOMES):
        kept = Kept(tmp_path / name)
        assert [kept.get(each.key) for each in OUTCOMES[:begun]] == OUTCOMES[:begun]
        with kept.opened():
            kept.add(outcome)

    kept = Kept(tmp_path / name)
    assert [kept.get(each.key) for each in OUTCOMES] == OUTCOMES
    assert (kept.used, kept.get("d"), kept.path) == (3, None, tmp_path / name)


@pytest.mark.parametrize("damage", [b'{"key"\r', b'{"key"\n', b"\n"])
def test_lines_behind_one_that_is_none_are_left_as_they_are(tmp_path, damage):
    """Only the last can have been cut off; a carriage return ends a line, too."""
    file = tmp_path / "kept.jsonl"
    line = msgspec.json.encode(OUTCOMES[0]) + b"\n"
    file.write_bytes(line + damage + line)

    with pytest.raises(BacktestRefusedError, match="line 2"):
        Kept(file)
    assert file.read_bytes() == line + damage + line


@pytest.mark.parametrize("length", [1, 7, 8, 9, 40, -1])
def test_a_line_that_was_cut_off_anywhere_is_dropped_and_the_next_one_begins_anew(tmp_path, length):
    """Also right before its end: the next one would be written behind it, and nobody could read either."""
    file = tmp_path / "kept.jsonl"
    first, second = (msgspec.json.encode(outcome) + b"\n" for outcome in OUTCOMES[:2])
    file.write_bytes(first + second[:length])

    kept = Kept(file)
    assert (kept.get("a"), kept.get("b")) == (OUTCOMES[0], None)
    kept.add(OUTCOMES[1])
    assert file.read_bytes() == first + second


@pytest.mark.parametrize("theirs", [b"a line of mine", b'{"mine": 1}', b'{"key":"a"}\n{"key":"'])
def test_a_file_of_somebody_else_is_left_as_it_is_though_its_last_line_has_no_end(tmp_path, theirs):
    file = tmp_path / "theirs.txt"
    file.write_bytes(theirs)

    with pytest.raises(BacktestRefusedError, match="line 1"):
        Kept(file)
    assert file.read_bytes() == theirs


def test_of_a_test_that_failed_no_figure_is_anything():
    plan = Plan(strategy="a:B", data=(Path("a.csv"),))
    outcome = failed_outcome("k", plan, {"fast": 5}, "it said no")
    given = {"key": "k", "parameters": {"fast": 5}, "since_ns": plan.since_ns, "until_ns": plan.until_ns}
    figures = {name: found for name, found in msgspec.structs.asdict(outcome).items() if name not in given}

    assert {name: getattr(outcome, name) for name in given} == given
    assert figures.pop("failed") == "it said no"
    assert {name: found for name, found in figures.items() if found} == {}


@pytest.mark.parametrize("kind", [LineFile, OutcomeTable])
def test_a_file_that_is_not_there_has_none_and_is_not_made_to_be_read(tmp_path, kind):
    path = tmp_path / "kept"

    assert kind(path).read() == []
    assert not path.exists()


def test_an_outcome_is_there_when_its_test_is_done_whatever_comes_then(tmp_path):
    kept = Kept(tmp_path / "kept.duckdb")

    def test_and_be_ended():
        with kept.opened():
            kept.add(OUTCOMES[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        test_and_be_ended()

    assert Kept(tmp_path / "kept.duckdb").get("a") == OUTCOMES[0]


def test_a_table_of_before_has_no_value_where_a_field_is_new(tmp_path):
    kept = Kept(tmp_path / "kept.duckdb")
    with kept.opened():
        kept.add(OUTCOMES[0])
    with contextlib.closing(duckdb.connect(str(tmp_path / "kept.duckdb"))) as before:
        before.execute("alter table outcomes drop column notes")

    assert Kept(tmp_path / "kept.duckdb").get("a") == msgspec.structs.replace(OUTCOMES[0], notes=())


@pytest.mark.parametrize(
    ("contents", "told"),
    [
        ("create table mine (a int)", r"natya alone wanted, found the column mine\.a \(INTEGER\)"),
        (
            "create table outcomes (key varchar primary key, parameters varchar)",
            r"found the column outcomes\.parameters \(VARCHAR\)",
        ),
        (None, "a DuckDB file wanted, found another in"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path, contents, told):
    file = tmp_path / "theirs.duckdb"
    if contents is None:
        file.write_text("no database " * 1_000)
    else:
        with contextlib.closing(duckdb.connect(str(file))) as theirs:
            theirs.execute(contents)
    before = file.read_bytes()

    with pytest.raises(BacktestRefusedError, match=told):
        Kept(file)
    assert file.read_bytes() == before


def test_a_table_that_somebody_has_open_is_refused(tmp_path):
    file = tmp_path / "kept.duckdb"
    with contextlib.closing(duckdb.connect(str(file))), pytest.raises(BacktestRefusedError, match="cannot be opened"):
        Kept(file)

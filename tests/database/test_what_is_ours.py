"""Whether a file was ever a database of ours, by its first bytes and by what is beside it."""

import pytest

from natya.actors.database.engine import strangers
from natya.actors.database.engine.strangers import is_only_begun, owner_of_market, stranger

MARK = bytes(8) + b"DUCK"
NEW = 3 * 4_096


@pytest.fixture
def file(tmp_path):
    return tmp_path / "x.duckdb"


@pytest.fixture(params=[True, False], ids=["witness", "no witness"])
def has_witness(request, monkeypatch):
    monkeypatch.setattr(strangers, "is_witness", lambda path: path.name == "w" and request.param)
    return request.param


@pytest.mark.parametrize("was_begun", [True, False])
@pytest.mark.parametrize(
    ("content", "found"),
    [
        (MARK + b"anything", ""),
        (b"\0" * 7 + b"DUCK", "one that begins with b'\\x00\\x00\\x00\\x00\\x00\\x00\\x00DUCK'"),
        (b"12345678DUCx", "one that begins with b'12345678DUCx'"),
        (b"a letter to somebody", "one that begins with b'a letter to some'"),
        (b"", "an empty one"),
        (bytes(5_000), f"one that begins with {bytes(16)!r}"),
    ],
)
def test_a_file_is_a_stranger_by_its_begin_and_by_what_is_beside_it(file, has_witness, was_begun, content, found):
    file.write_bytes(content)
    told = stranger(str(file), witness="w", was_begun=was_begun)

    is_ours = not found or has_witness or (was_begun and not content.strip(b"\0"))
    refusal = (
        f"{file} cannot be opened: a file of DuckDB wanted, found {found}; it stays where it is, name another path"
    )
    assert told == ("" if is_ours else refusal)


def test_a_file_that_is_not_there_or_not_named_is_no_stranger(file):
    assert [stranger(path, witness="w", was_begun=False) for path in (str(file), "")] == ["", ""]


@pytest.mark.parametrize(
    ("content", "is_begun"),
    [
        (b"", True),
        (bytes(NEW - 1), True),
        (MARK + bytes(NEW - 13), True),
        (MARK + bytes(NEW - 12), False),
        (bytes(NEW), False),
        (b"x", False),
        (b"\0" * 8 + b"DUCx", False),
    ],
)
def test_a_file_that_is_shorter_than_a_new_one_and_has_nothing_else_was_only_begun(
    file, has_witness, content, is_begun
):
    file.write_bytes(content)

    assert is_only_begun(str(file), witness="w", was_begun=True) == (is_begun and not has_witness)
    assert not is_only_begun(str(file), witness="w", was_begun=False)
    file.with_name("x.duckdb.wal").touch()
    assert not is_only_begun(str(file), witness="w", was_begun=True)


@pytest.mark.parametrize("kind", ["nothing", "folder", "link"])
def test_what_is_no_plain_file_was_not_begun(tmp_path, file, monkeypatch, kind):
    monkeypatch.setattr(strangers, "is_witness", lambda _: False)
    if kind == "folder":
        file.mkdir()
    elif kind == "link":
        (tmp_path / "empty").touch()
        file.symlink_to(tmp_path / "empty")

    assert not is_only_begun(str(file), witness="w", was_begun=True)


@pytest.mark.parametrize(
    ("name", "others", "owner"),
    [
        ("x-market.duckdb", ["x-market.duckdb", "x.duckdb"], "x.duckdb"),
        ("x-market.duckdb", ["x-market.duckdb"], None),
        ("x-market.duckdb", ["x.duckdb"], None),
        ("x.duckdb", ["x.duckdb"], None),
    ],
)
def test_a_market_file_is_known_by_its_name_and_by_its_core_file(tmp_path, name, others, owner):
    for each in others:
        (tmp_path / each).touch()

    assert owner_of_market(tmp_path / name) == (None if owner is None else tmp_path / owner)

"""A file that cannot be attached: what was begun with it a moment ago goes, and nothing that was there before."""

import errno
import os

import duckdb
import pytest

from natya.actors.database.engine.opening import _attach, refusal
from natya.actors.database.errors import (
    DatabaseDamaged,
    DatabaseEncrypted,
    DatabaseLocked,
    DatabaseUnreachable,
)


class Failing:
    """An engine that begins a file and its log, and fails."""

    def __init__(self, path, reason):
        self.path, self.reason, self.said = path, reason, []

    def execute(self, statement, parameters):
        self.said.append((statement, parameters))
        for each in (self.path, self.path.with_name(f"{self.path.name}.wal")):
            each.open("ab").close()
        raise duckdb.IOException(self.reason)


@pytest.mark.parametrize("there", [(), ("x",), ("x.wal",), ("x", "x.wal")], ids=str)
def test_only_what_was_made_now_is_removed_and_no_log_of_a_file_that_was_there(tmp_path, there):
    """Another process may have begun the log of a file meanwhile: it has what is not in the file yet."""
    for name in there:
        (tmp_path / name).write_bytes(b"mine")
    engine = Failing(tmp_path / "x", "disk full?")

    with pytest.raises(DatabaseDamaged):
        _attach(engine, "core", str(tmp_path / "x"), "", read_only=False)

    left = {"x", "x.wal"} if "x" in there else set(there)
    assert {path.name for path in tmp_path.iterdir()} == left
    assert all((tmp_path / name).read_bytes() == b"mine" for name in there)


@pytest.mark.parametrize(
    ("key", "read_only", "options", "parameters"),
    [
        ("", False, "type duckdb, row_group_size 30720", []),
        ("", True, "type duckdb, read_only", []),
        ("secret", True, "type duckdb, read_only, encryption_key ?", ["secret"]),
    ],
)
def test_a_file_is_attached_as_what_it_is_said_to_be(tmp_path, key, read_only, options, parameters):
    path = tmp_path / "it's x"
    engine = Failing(path, "no")
    with pytest.raises(DatabaseDamaged):
        _attach(engine, "market", str(path), key, read_only=read_only)

    ((statement, given),) = engine.said
    quoted = str(path).replace("'", "''")
    assert (statement, given) == (f"attach '{quoted}' as market ({options})", parameters)


@pytest.mark.parametrize(
    ("reason", "kind", "told"),
    [
        ("Conflicting lock is held in /usr/bin/python3 (PID 77)", DatabaseLocked, "77"),
        ("Could not set lock on file x", DatabaseLocked, "x"),
        ("needs the crypto module", DatabaseEncrypted, "leave database.encryption_key empty, and encrypt the disk"),
        ("wrong encryption key", DatabaseEncrypted, "x: wrong encryption key"),
        (os.strerror(errno.ENOSPC), DatabaseUnreachable, f"x cannot be opened: {os.strerror(errno.ENOSPC)}"),
        (os.strerror(errno.EACCES), DatabaseUnreachable, f"x cannot be opened: {os.strerror(errno.EACCES)}"),
        ("not a valid DuckDB database file", DatabaseDamaged, "x cannot be opened: not a valid DuckDB database file"),
    ],
)
def test_why_a_file_cannot_be_opened_is_told_apart(reason, kind, told):
    found = refusal("x", duckdb.IOException(reason))

    assert type(found) is kind
    assert told in str(found)
    assert getattr(found, "path", "x") == "x"

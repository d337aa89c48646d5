"""Attaches both files to one DuckDB instance, and disables all access to the outside that no query needs."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from ..errors import (
    DatabaseDamaged,
    DatabaseEncrypted,
    DatabaseError,
    DatabaseInvalidated,
    DatabaseLocked,
    DatabasePathRefused,
    DatabaseUnreachable,
    MemoryExceeded,
    StatementFailed,
)
from ..tables.sql_text import pattern, quoted, unescaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..tables.migrations import DatabaseFile

MEMORY = ":memory:"

# Ticks with depth have 47 columns, and a checkpoint writes the newest row group anew. 1,000,000 of them in batches of
# 5,000: with DuckDB's 122,880 rows and 16 MB the checkpoints took 5.8 s, the longest 0.96 s; so, 1.1 s and 0.11 s.
_ROW_GROUP_ROWS = 30_720
_CHECKPOINT_MB = 32

_SURROUNDINGS = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM),
    *(errno.EISDIR, errno.ENOTDIR, errno.ENOENT, errno.ELOOP, errno.ENAMETOOLONG, errno.EIO, errno.ESTALE),
)
"""Error texts that speak of the machine (space, permissions), not of a file's contents."""

_DAMAGE = re.compile(
    r"Corrupt (database|WAL) file|Failure while replaying WAL|not a valid DuckDB database|"
    r'Could not read enough bytes from file "(?![^"]*\.(parquet|csv|json)")',
    re.IGNORECASE,
)

_COMMIT_WITHOUT_MEMORY = re.compile(
    r"TransactionContext Error: Failed to commit: .{0,80} \([\d.]+ \w+/[\d.]+ \w+ used\)"
)
"""DuckDB has rolled it back."""

_ARCHIVED = re.compile(
    r"(?:Cannot access file|No files found that match the pattern) "
    r'"([^"]*/archive)/(?:[0-9a-f-]{36}/)?[a-z_]+-[^"/]*\.parquet"'
)


def attach(  # noqa: PLR0913  they are the settings of a resource
    core_path: str,
    market_path: str,
    *,
    memory_limit_mb: int,
    threads: int,
    encryption_key: str,
    read_only: bool = False,
) -> duckdb.DuckDBPyConnection:
    """Attach the core file and the market file to a new instance.

    Raises:
        DatabaseLocked, DatabaseDamaged, DatabaseEncrypted, DatabaseUnreachable: see there; nothing is left open.
    """
    root = new_instance(core_path, memory_limit_mb=memory_limit_mb, threads=threads)
    files: tuple[tuple[DatabaseFile, str], ...] = (("core", core_path), ("market", market_path))
    try:
        for name, path in files:
            _attach(root, name, path, encryption_key, read_only=read_only)
            if name == "core" and path != MEMORY:
                _expect_core(root, path)
        # An instance that is closed must not write by itself: the files may be another process's by then.
        # Not before: attaching a file moves a log that was left into it, which takes the room twice until then.
        root.execute("pragma disable_checkpoint_on_shutdown")
    except BaseException:
        root.close()
        raise
    return root


def new_instance(core_path: str, *, memory_limit_mb: int, threads: int) -> duckdb.DuckDBPyConnection:
    """Start the engine, with nothing attached: 30 ms, of 45 in all that it takes to open a database."""
    return duckdb.connect(
        MEMORY,
        config={
            "threads": threads,
            "memory_limit": f"{memory_limit_mb}MiB",
            "temp_directory": "" if core_path == MEMORY else core_path + ".tmp",
            "max_temp_directory_size": "2GB",
            "checkpoint_threshold": f"{_CHECKPOINT_MB}MB",
            "checkpoint_on_detach": "ENABLED",
            "autoload_known_extensions": False,
            "autoinstall_known_extensions": False,
            "allow_community_extensions": False,
            "allow_persistent_secrets": False,
            "python_enable_replacements": False,
        },
    )


def prove_encryption(key: str) -> None:
    """Encrypt a scratch file and check that its plain text is not in it, before any real data is written.

    Raises:
        DatabaseEncrypted: there is a key, and this DuckDB cannot encrypt safely, or does not.
    """
    if not key:
        return
    with tempfile.TemporaryDirectory(prefix="natya-") as folder:
        file, text = Path(folder) / "core.duckdb", "in the clear"
        root = attach(str(file), MEMORY, memory_limit_mb=64, threads=1, encryption_key=key)
        try:
            root.execute("create table core.probe as select ? as text", [text])
        finally:
            root.close()
        if any(text.encode() in each.read_bytes() for each in Path(folder).iterdir()):
            raise DatabaseEncrypted(f"this DuckDB ({duckdb.__version__}) took the key and wrote in the clear")


def expect_unheld(path: str) -> None:
    """Check that no process has the file open with plain DuckDB, without our lock, whatever its contents.

    Raises:
        DatabaseLocked: there is one; its log would meet the file that takes this one's place.
    """
    with contextlib.closing(duckdb.connect(MEMORY)) as root:
        try:
            _attach(root, "core", path, "", read_only=True)
        except DatabaseLocked:
            raise
        except DatabaseError:
            return


def new_cursor(root: duckdb.DuckDBPyConnection, *, search_path: str, operators_bytes: int) -> duckdb.DuckDBPyConnection:
    """Make the cursor of a connection, before the settings are locked."""
    cursor = root.cursor()
    cursor.execute(f"set search_path = '{search_path}'")
    bound_operators(cursor, operators_bytes)
    return cursor


def bound_operators(cursor: duckdb.DuckDBPyConnection, limit_bytes: int) -> None:
    """Let a connection's sorts, joins and hash tables move to disk what is more."""
    cursor.execute(f"set operator_memory_limit = '{limit_bytes}B'")


@contextlib.contextmanager
def errors_of_ours() -> Iterator[None]:
    """Translate DuckDB's exceptions of the block to `DatabaseError`s, while an open instance is set up."""
    try:
        yield
    except duckdb.Error as fault:
        raise meaning(fault) from fault


def harden(root: duckdb.DuckDBPyConnection, directories: Sequence[str]) -> None:
    """Disable all access that no query needs; the order matters, and the last statement makes it final."""
    # A pattern is compared as it is written.
    allowed = dict.fromkeys(each for directory in directories for each in (directory, pattern(directory)))
    root.execute(f"set allowed_directories = [{', '.join(quoted(each) for each in allowed)}]")
    root.execute("set enable_external_access = false")
    root.execute("set lock_configuration = true")


def meaning(fault: duckdb.Error) -> DatabaseError:
    """Translate an exception of DuckDB to a `DatabaseError`."""
    text = str(fault)
    if _DAMAGE.search(text):
        return DatabaseDamaged(text)
    if archived := _ARCHIVED.search(text):
        return StatementFailed(
            f"days of these files are archived in {unescaped(archived[1])}, and are not here: "
            "put the folder `archive` that belongs to the files beside them"
        )
    if isinstance(fault, duckdb.FatalException):
        return DatabaseInvalidated(text)
    if isinstance(fault, duckdb.OutOfMemoryException) or _COMMIT_WITHOUT_MEMORY.match(text):
        return MemoryExceeded(text)
    return StatementFailed(text)


def _attach(root: duckdb.DuckDBPyConnection, name: str, path: str, encryption_key: str, *, read_only: bool) -> None:
    # Said, not guessed from the file: a recording `prices.csv` would be attached, and what is written stay in memory.
    options = f"type duckdb, {'read_only' if read_only else f'row_group_size {_ROW_GROUP_ROWS}'}"
    parameters = []
    new = [] if path == MEMORY or os.path.lexists(path) else [path, f"{path}.wal"]
    new = [each for each in new if not os.path.lexists(each)]
    if encryption_key and path != MEMORY:
        options += ", encryption_key ?"
        parameters.append(encryption_key)
    try:
        root.execute(f"attach {quoted(path)} as {name} ({options})", parameters)
        if encryption_key and path != MEMORY:
            _prove_encrypted(root, name)
    except duckdb.Error as fault:
        for half_made in new:  # begun a moment ago, on a full disk for one: the next start would find it damaged
            with contextlib.suppress(OSError):
                Path(half_made).unlink()
        refused = refusal(path, fault)
        if isinstance(refused, DatabaseEncrypted):
            raise refused from None  # DuckDB's own words advise to encrypt unsafely
        raise refused from fault


def _expect_core(root: duckdb.DuckDBPyConnection, path: str) -> None:
    """Check that the path is not that of a market file, before a market file is created for it."""
    tables = root.execute("select table_name from duckdb_tables() where database_name = 'core'").fetchall()
    if {("recorded",), ("candles",)} <= set(tables):
        raise DatabasePathRefused(f"{path} cannot be opened: the core file of a database wanted, found a market file")


def _prove_encrypted(root: duckdb.DuckDBPyConnection, name: str) -> None:
    """Fail closed: an engine that took the key and does not encrypt would write everything in the clear."""
    ((encrypted,),) = root.execute(
        "select encrypted from duckdb_databases() where database_name = ?", [name]
    ).fetchall()
    if not encrypted:
        raise DatabaseEncrypted(f"this DuckDB ({duckdb.__version__}) took the key for {name} and does not encrypt it")


def refusal(path: str, fault: Exception) -> DatabaseError:
    """Return why a file cannot be opened: held by another process, damaged, encrypted, or not accessible."""
    text = str(fault)
    holder = re.search(r"Conflicting lock is held.*\(PID (\d+)\)", text)
    if holder or "Could not set lock on file" in text:
        return DatabaseLocked(path, int(holder[1]) if holder else None)
    if "crypto module" in text:
        return DatabaseEncrypted(
            f"DuckDB {duckdb.__version__} cannot encrypt safely as it is installed here, it only reads such files: "
            "leave database.encryption_key empty, and encrypt the disk"
        )
    if "encrypt" in text:
        return DatabaseEncrypted(f"{path}: {text}")
    if any(os.strerror(number) in text for number in _SURROUNDINGS):
        return DatabaseUnreachable(f"{path} cannot be opened: {fault}")
    return DatabaseDamaged(f"{path} cannot be opened: {fault}", path=path)

"""What can go wrong with the database, one type for each decision that a caller must take."""

# ruff: noqa: N818  an error is named after what its caller has to decide about

from __future__ import annotations


class DatabaseError(Exception):
    """Anything the database room raises on purpose."""


class DatabaseLocked(DatabaseError):
    """Another process owns the files. Nothing was opened; ask that process, or stop it."""

    def __init__(self, path: str, holder_pid: int | None) -> None:
        self.path = path
        self.holder_pid = holder_pid
        holder = "an unknown process" if holder_pid is None else f"process {holder_pid}"
        super().__init__(
            f"{path} is in use by {holder}: one process owns a database, others ask it, "
            "by natya.connect(its data directory) or `natya db query`"
        )


class DatabaseMissing(DatabaseError):
    """There is no file to read. Name another directory, or record something first."""


class DatabaseDamaged(DatabaseError):
    """A file cannot be opened, or its contents contradict themselves. Restore it, or rebuild it from the journal."""

    def __init__(self, what: str, *, path: str = "") -> None:
        self.path = path
        """The file; empty if DuckDB did not say which."""

        super().__init__(what)


class DatabaseUnreachable(DatabaseError):
    """The operating system refuses access to a file: no permission, no space. Its contents may be intact."""


class DatabasePathRefused(DatabaseUnreachable):
    """DuckDB would read the path as something else than a file's. Nothing was opened; name another one."""

    restart_helps = False


class DatabaseForeign(DatabaseError):
    """A file is no DuckDB database, or not one of natya's. It is left as it is; name another path, or move it away."""

    restart_helps = False


class DatabaseEncrypted(DatabaseError):
    """Encryption is asked for and this DuckDB cannot do it safely, or a file is encrypted and no key was given.

    Nothing was written. Encrypt the disk instead, and leave the key out of the settings.
    """

    restart_helps = False


class DatabaseTooNew(DatabaseError):
    """A file was migrated by newer code, or by other code than this. Nothing was changed; update the code."""

    restart_helps = False


class JournalBehind(DatabaseError):
    """The journal lacks facts that the core file has: its end, or all of it, is missing. Do not trade on what is left.

    Put the journal's files back. Only where they are lost for good, `natya db rebuild` begins with what is left.
    """

    restart_helps = False


class DatabaseInvalidated(DatabaseError):
    """DuckDB invalidated the instance (on a full disk, say). Whether the last write is durable: reopen and look."""


class DatabaseChanged(DatabaseError):
    """Another process wrote to a file that we have open, or put another in its place. Open it again; write nothing."""


class DatabaseClosed(DatabaseError):
    """The adapter is closed. A bug of the caller."""


class PoolExhausted(DatabaseError):
    """No connection became free in time. Nothing was done; ask again later, or find out who holds them."""

    def __init__(self, *, pool: str, limit: int, waiters: int, longest_query: str, longest_s: float) -> None:
        self.limit = limit
        self.waiters = waiters
        self.longest_query = longest_query
        self.longest_s = longest_s
        super().__init__(
            f"all {limit} {pool} connections are busy and {waiters} callers wait; "
            f"the longest runs for {longest_s:.1f} s: {longest_query}"
        )


class QueryRefused(DatabaseError):
    """The text is not what this call takes: exactly one statement, and only a SELECT where one reads. Nothing ran."""


class QueryTimedOut(DatabaseError):
    """The statement ran longer than it was given, was interrupted and rolled back."""


class MemoryExceeded(DatabaseError):
    """The statement, or all that ran with it, used too much memory: rolled back. Ask for less at once; write again."""


class ResultTooLarge(DatabaseError):
    """More rows than `rows_max`. Nothing was returned: a part of the answer would be taken for all of it."""


class StatementFailed(DatabaseError):
    """DuckDB refused the statement: wrong SQL, a broken constraint, a conflict. It was rolled back."""


class TransactionAborted(DatabaseError):
    """A statement of the transaction failed, and the block went on to its end all the same. Nothing was written."""


class JournalGap(DatabaseError):
    """Records are missing before those that came. Nothing was projected; read them from the journal."""


class Unstorable(DatabaseError):
    """Some of the market data fits into no row (a NaN price, more than 64 bits). None of it was written."""


class WritesRefused(DatabaseError):
    """Too many rows wait to be written already. None of these was taken; send them again later."""


class OwnerRefused(DatabaseError):
    """The database actor of the running system answered no, or did not answer; its reason is given."""


class NotTabular(DatabaseError):
    """Columns were asked for where there are no rows: of a failure, or of a count. A bug of the caller."""

"""`ReadModel` projects the journal's facts into the core file, batch by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ..errors import DatabaseDamaged, JournalGap
from ..tables.projecting import fact_text, project

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from ....messages.journal import JournalRecord
    from ..engine.adapter import DuckDBAdapter


class LastFact(msgspec.Struct, frozen=True, kw_only=True):
    """The newest fact that is projected, as the core file holds it."""

    sequence: int
    recorded_ns: int
    fact_type: str
    fact: str

    def is_of(self, record: JournalRecord) -> bool:
        """Return whether the journal's record is the same."""
        return (self.sequence, self.recorded_ns, self.fact_type, self.fact) == (
            record.sequence,
            record.recorded_ns,
            type(record.fact).__name__,
            fact_text(record),
        )


_TABLES = frozenset({"facts", "orders", "fills", "projection"})


class ReadModel:
    """Projects journal records into the core file; the place in the journal is kept in the same transaction."""

    def __init__(self, database: DuckDBAdapter) -> None:
        self._database = database

    def sequence(self) -> int:
        """Return the journal sequence up to which the core file is current."""
        return self._database.read(_sequence)

    def last(self) -> LastFact | None:
        """Return the newest fact of the core file; None if nothing is projected.

        Raises:
            DatabaseDamaged: it cannot be read, or the file says that it is current up to a sequence it has no fact of.
        """
        path = self._database.core_path

        def work(cursor: duckdb.DuckDBPyConnection) -> LastFact | None:
            sequence = _sequence(cursor)
            if sequence == 0:
                return None
            found = _facts(cursor, sequence)
            if len(found) != 1:
                raise DatabaseDamaged(f"{len(found)} facts of its last sequence {sequence}, one wanted")
            return found[0]

        try:
            return self._database.read(work, label="last fact")
        except DatabaseDamaged as damage:
            raise DatabaseDamaged(f"{path}: {damage}", path=path) from damage

    def holds(self, record: JournalRecord) -> bool:
        """Return whether the core file has this record of the journal, with equal contents."""
        found = self._database.read(lambda cursor: _facts(cursor, record.sequence), label="one fact")
        return any(fact.is_of(record) for fact in found)

    def apply(self, records: Sequence[JournalRecord], *, first: int = 1) -> int:
        """Project records in the order of their sequences; a record that was projected before changes nothing.

        Args:
            records: some of the journal, without gaps.
            first: the sequence with which the journal begins.

        Returns:
            The sequence up to which the core file is current, durably.

        Raises:
            JournalGap: records are missing before these.
            DatabaseError: see the adapter; nothing was projected.
        """

        def work(cursor: duckdb.DuckDBPyConnection) -> int:
            before = _sequence(cursor) or first - 1
            fresh = [record for record in records if record.sequence > before]
            for wanted, record in enumerate(fresh, start=before + 1):
                if record.sequence != wanted:
                    raise JournalGap(f"record {wanted} wanted next, found {record.sequence}")
            if not fresh:
                return before
            project(cursor, fresh)
            last = fresh[-1].sequence
            if before == first - 1:
                cursor.execute("update projection set first_sequence = ?", [first])
            cursor.execute("update projection set sequence = ?", [last])
            return last

        return self._database.write("core", work, label=f"project {len(records)} records", tables=_TABLES)


def _sequence(cursor: duckdb.DuckDBPyConnection) -> int:
    rows = cursor.execute("select sequence from core.projection").fetchall()
    if len(rows) != 1:
        raise DatabaseDamaged(f"the core file says {len(rows)} times how far it is projected, once wanted")
    return int(rows[0][0])


def _facts(cursor: duckdb.DuckDBPyConnection, sequence: int) -> list[LastFact]:
    rows = cursor.execute(
        "select sequence, recorded_ns, fact_type, fact from core.facts where sequence = ?", [sequence]
    ).fetchall()
    return [LastFact(**dict(zip(LastFact.__struct_fields__, row, strict=True))) for row in rows]

"""The market's tables without a row in them, for tests that share one database in memory."""

from natya.actors.database import MarketDataRepositoryImpl

TABLES = ("ticks", "books", "candles", "recorded", "fetches", "losses")


def without_rows(database):
    """Delete all that was recorded, fetched and lost."""

    def delete(cursor):
        for table in TABLES:
            cursor.execute(f"delete from {table}")  # noqa: S608  our own names

    database.write("market", delete, tables=frozenset(TABLES))


def emptied(memory):
    """The repository of the database, after all that was recorded has been deleted."""
    without_rows(memory)
    return MarketDataRepositoryImpl(memory)

"""The market's tables without a row in them, for tests that share one database in memory."""

from natya.actors.database import MarketDataRepositoryImpl


def without_rows(database):
    """Delete all that was recorded, fetched and lost."""
    for table in ("ticks", "books", "candles", "recorded", "fetches", "losses"):
        database.execute(f"delete from {table}", file="market")  # noqa: S608  our own names


def emptied(memory):
    """The repository of the database, after all that was recorded has been deleted."""
    without_rows(memory)
    return MarketDataRepositoryImpl(memory)

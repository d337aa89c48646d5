"""The market's tables without a row in them, for tests that share one database in memory."""

from natya.actors.database import MarketDataRepositoryImpl


def emptied(memory):
    """The repository of the database, after all that was recorded has been deleted."""
    for table in ("ticks", "books", "candles", "recorded", "fetches"):
        memory.execute(f"delete from {table}", file="market")  # noqa: S608  our own names
    return MarketDataRepositoryImpl(memory)

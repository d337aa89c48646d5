"""Builders that show only what a test is about, and a database of its own for each."""

from __future__ import annotations

import pytest
from natya_database import opened, with_files
from natya_market import emptied

from natya.actors.database import DuckDBAdapter
from natya.messages.journal import JournalRecord
from natya.messages.market import Candle, DaySummary, Depth, Tick
from natya.messages.orders import OrderFilled, OrderIntended

NOON_NS = 1_764_000_000_000_000_000


class Build:
    """Messages with defaults for everything."""

    @staticmethod
    def tick(sequence=1, **fields):
        return Tick(
            **{
                "symbol": "NIFTY",
                "price": 26_000.05,
                "quantity": 75,
                "exchange_ns": NOON_NS + sequence * 1_000_000,
                "source": "recording",
                "sequence": sequence,
            }
            | fields
        )

    @classmethod
    def ticks(cls, count, *, start=1, **fields):
        return [cls.tick(sequence, **fields) for sequence in range(start, start + count)]

    @staticmethod
    def depth(levels=5, **fields):
        return Depth(
            **{
                "bid_prices": tuple(100.0 - level for level in range(levels)),
                "bid_quantities": tuple(10 + level for level in range(levels)),
                "bid_orders": tuple(1 + level for level in range(levels)),
                "ask_prices": tuple(101.0 + level for level in range(levels)),
                "ask_quantities": tuple(20 + level for level in range(levels)),
                "ask_orders": tuple(6 + level for level in range(levels)),
            }
            | fields
        )

    @staticmethod
    def day(**fields):
        return DaySummary(
            **{
                "open_price": 1.0,
                "high_price": 2.0,
                "low_price": 0.5,
                "close_price": 1.5,
                "average_price": 1.25,
                "total_buy_quantity": 1000,
                "total_sell_quantity": 2000,
            }
            | fields
        )

    @staticmethod
    def candle(start_ns=NOON_NS, **fields):
        return Candle(
            **{
                "symbol": "RELIANCE",
                "interval_ns": 60_000_000_000,
                "start_ns": start_ns,
                "open": 1.0,
                "high": 2.0,
                "low": 0.5,
                "close": 1.5,
                "volume": 100,
                "source": "recording",
            }
            | fields
        )

    @staticmethod
    def intended(client_order_id="A-1", **fields):
        return OrderIntended(
            **{
                "client_order_id": client_order_id,
                "strategy": "crossover",
                "symbol": "NIFTY",
                "side": "BUY",
                "quantity": 75,
                "order_type": "MARKET",
                "limit_price": None,
                "occurred_ns": NOON_NS,
            }
            | fields
        )

    @staticmethod
    def filled(client_order_id="A-1", **fields):
        return OrderFilled(
            **{
                "client_order_id": client_order_id,
                "trade_id": "T-1",
                "strategy": "crossover",
                "symbol": "NIFTY",
                "side": "BUY",
                "quantity": 75,
                "price": 1490.05,
                "cumulative_quantity": 75,
                "occurred_ns": NOON_NS + 1,
            }
            | fields
        )

    @staticmethod
    def records(*facts, start=1):
        return [
            JournalRecord(sequence=sequence, recorded_ns=NOON_NS + sequence, correlation_id="", fact=fact)
            for sequence, fact in enumerate(facts, start=start)
        ]


@pytest.fixture(scope="session")
def build():
    return Build


@pytest.fixture(scope="module")
def memory():
    with DuckDBAdapter(max_connections=3) as database:
        yield database


@pytest.fixture
def market(memory):
    with emptied(memory) as repository:
        yield repository


@pytest.fixture
def impatient(monkeypatch):
    """The database actor tries again at once what it would try again after a second."""
    for wait in ("projector.RETRY_S", "recorder.RETRY_S", "files.REOPEN_S", "answerer.EXPIRE_S"):
        monkeypatch.setattr(f"natya.actors.database.requests.{wait}", 0.02)


@pytest.fixture
def new_path(tmp_path):
    """Of a database that is yet to be made."""
    return tmp_path / "natya.duckdb"


@pytest.fixture
def path(new_path):
    """Of one without a row, as the migrations leave it: to make its files takes twice as long as to open them."""
    with_files(new_path.parent)
    return new_path


@pytest.fixture(scope="class")
def class_path(tmp_path_factory):
    """Such files, of all tests of a class."""
    return with_files(tmp_path_factory.mktemp("class")) / "natya.duckdb"


@pytest.fixture
def database(path):
    with opened(path) as database:
        yield database

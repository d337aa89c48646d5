"""Whatever is said to the database's owner: it answers or refuses, it never starts again, and recording goes on."""

import math
import random
from typing import Any

import msgspec
import pytest

from natya.actors.database import DatabaseActor
from natya.actors.runtime import InProcessSystem
from natya.config.sections.database import DatabaseSettings
from natya.messages.database import (
    Abandon,
    ArchiveDay,
    BackUp,
    CheckDatabase,
    MarketDataSaved,
    Query,
    QueryToFile,
    ReadHistory,
    SaveMarketData,
)
from natya.messages.journal import Journaled, JournalPage, JournalRecord, ReadJournal
from natya.messages.market import Candle, Depth, Tick, Ticks
from natya.messages.orders import OrderCancelled, OrderFilled, OrderIntended, SubmitOrder
from natya.messages.system import Ping

pytestmark = pytest.mark.usefixtures("engines")

HEARD = (
    *(Tick, Ticks, Candle, Journaled, SaveMarketData),
    *(Query, QueryToFile, ReadHistory, BackUp, CheckDatabase, ArchiveDay, Abandon),
)
"""What its module says that it hears; the first test compares."""

INTEGER_MAX = (1 << 63) - 1
TEXTS = ["", "x", "\0", "a" * 5_000, "é😀", "'; drop table ticks; --", "%s {} ?", "\ud800", "../../etc", "\n", "NaN"]
DAYS = ["2026-01-02", "0001-01-01", "9999-12-31", "", "friday", "2026-13-01", "20260102", "2026-W01-1", "-1", "\0"]
SQLS = [
    *(
        "select 1",
        "",
        ";",
        "select",
        "select ?",
        "select ?, ?",
        "select 1; select 2",
        "delete from ticks",
        "\0",
        "(" * 900,
    ),
    *(
        "select * from nowhere",
        "select 1 / 0",
        "select error('x')",
        "select 9223372036854775807 + 1",
        "select '\ud800'",
    ),
    *("from range(10)", "select list(range) from range(99)", "begin", "commit", "pragma database_list", "show tables"),
]
NUMBERS = [0, 1, 2, INTEGER_MAX, INTEGER_MAX - 1, 1 << 62]
TIMEOUTS = [0.0, 1e-9, 0.01, 1e9]
PARAMETERS = [
    (),
    (1,),
    (None,),
    ("\0",),
    (math.nan,),
    (math.inf,),
    (True, "x"),
    (INTEGER_MAX,),
    ("a",) * 50,
    (-1.5e300,),
]
WRONG = [None, -1, 1.5, "text", b"bytes", (), (1,), [], {}, object(), math.nan, True, 1 << 70, "\ud800"]


def well_formed(chance):
    """Make a message of each kind out of values that its fields may have, the outermost ones first of all."""
    pick = chance.choice
    tick = Tick(
        symbol=pick(["TCS", "x", "é", "a" * 64]),
        price=pick([1e-9, 1.5, 1e12]),
        quantity=pick(NUMBERS),
        exchange_ns=pick(NUMBERS),
        source=pick(["fuzz", "", "'", "a" * 500]),
        sequence=pick([1, 2, INTEGER_MAX, INTEGER_MAX - 1]),
        received_ns=pick(NUMBERS),
        volume=pick(NUMBERS),
        depth=pick([None, depth(0), depth(1), depth(5), depth(20)]),
    )
    candle = Candle(
        symbol=pick(["TCS", "x"]),
        interval_ns=pick([1, 60_000_000_000, INTEGER_MAX]),
        start_ns=pick(NUMBERS),
        open=1.0,
        high=1e12,
        low=1e-9,
        close=1.0,
        volume=pick(NUMBERS),
        source=pick(["fuzz", ""]),
    )
    common = {"timeout_s": pick(TIMEOUTS), "asker": pick(["", "1-1", "\0"])}
    query = {"sql": pick(SQLS), "parameters": pick(PARAMETERS), "rows_max": pick(NUMBERS)}
    return pick(
        [
            tick,
            Ticks(ticks=pick([(), (tick,), (tick,) * 3])),
            candle,
            SaveMarketData(ticks=pick([(), (tick,), (tick,) * 3]), candles=pick([(), (candle,)])),
            Journaled(records=pick([(), (record(chance),), (record(chance), record(chance))])),
            Query(**query, **common),
            QueryToFile(**query, **common),
            ReadHistory(
                symbols=pick([(), ("TCS",), tuple(TEXTS)]),
                interval_ns=pick(NUMBERS),
                bars=pick([1, 2, 1_000]),
                until_ns=pick(NUMBERS),
                **common,
            ),
            BackUp(single_file=pick([True, False]), **common),
            CheckDatabase(**common),
            ArchiveDay(day=pick(DAYS)),
            Abandon(asker=pick(TEXTS)),
        ]
    )


def depth(levels):
    return Depth(
        bid_prices=(1.0,) * levels,
        bid_quantities=(1,) * levels,
        bid_orders=(1,) * levels,
        ask_prices=(2.0,) * levels,
        ask_quantities=(1,) * levels,
        ask_orders=(1,) * levels,
    )


def record(chance):
    fact = chance.choice(
        [
            OrderCancelled(client_order_id="never seen", reason="", occurred_ns=INTEGER_MAX),
            OrderFilled(
                client_order_id="A-1",
                trade_id="",
                strategy="",
                symbol="TCS",
                side="BUY",
                quantity=INTEGER_MAX,
                price=1e12,
                cumulative_quantity=1,
                occurred_ns=0,
            ),
        ]
    )
    sequence = chance.choice([2, 7, INTEGER_MAX])
    return JournalRecord(sequence=sequence, recorded_ns=0, correlation_id="", fact=fact)


def ill_typed(chance):
    """Take a message of ours, and put something into one of its fields that does not belong there."""
    message = well_formed(chance)
    field = chance.choice(message.__struct_fields__)
    return msgspec.structs.replace(message, **{field: chance.choice(WRONG)})


def foreign(chance):
    """Say something that is none of its business."""
    order = OrderIntended(
        client_order_id="A-1",
        strategy="s",
        symbol="TCS",
        side="BUY",
        quantity=1,
        order_type="MARKET",
        limit_price=None,
        occurred_ns=0,
    )
    fields = {name: getattr(order, name) for name in SubmitOrder.__struct_fields__ if hasattr(order, name)}
    submit = SubmitOrder(**fields)
    page = JournalPage(records=(record(chance),), last_sequence=7)
    return chance.choice(
        [*WRONG, order, submit, page, ReadJournal(after_sequence=0, records_max=1), Exception("x"), int]
    )


@pytest.fixture
def system():
    with InProcessSystem() as system:
        yield system


@pytest.fixture
def database(system, path):
    settings = DatabaseSettings.default(
        path=str(path),
        max_connections=4,
        memory_limit_mb=96,
        threads=1,
        batch_rows_max=10,
        batch_wait_s=0.001,
    )
    journal = system.probe("journal")
    system.start("database", DatabaseActor, settings)
    assert isinstance(journal.receive(), ReadJournal)
    system.tell(journal.sender, JournalPage(records=(), last_sequence=0))
    return "database"


def is_well(system, database, sequence, build) -> Any:
    """See that it records, and that it is the same life that did so before."""
    saved = system.request(database, SaveMarketData(ticks=(build.tick(sequence, source="well"),)), timeout_s=30)
    assert saved == MarketDataSaved(rows=1)
    statistics = system.request(database, Ping(), timeout_s=30).statistics
    assert statistics.down == ""
    return statistics


def test_all_that_it_hears_is_tried():
    handled = {kind for kind in DatabaseActor.handler_table if kind.__module__.startswith("natya.messages.")}

    assert handled - {kind for kind in handled if kind.__module__.endswith(("system", "trace"))} == {*HEARD}


@pytest.mark.parametrize("make", [well_formed, ill_typed, foreign])
def test_it_answers_or_refuses_and_goes_on(system, database, build, make):
    chance = random.Random(f"{make.__name__} 1")
    before = is_well(system, database, 1, build)
    for number in range(2, 12):
        for _ in range(25):
            system.tell(database, make(chance))
        found = is_well(system, database, number, build)
        assert found.ticks > before.ticks  # a new life begins to count anew
        before = found
    rows = system.request(
        database, Query(sql="select count(*) from all_ticks where source = 'saved:well'"), timeout_s=30
    ).rows
    assert rows == ((11,),)

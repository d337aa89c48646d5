"""What every repository must do, a user's own included: run against each of ours.

A new repository adds a `Case` to `CASES`; the tests find out that it is missing.
"""

import asyncio
import dataclasses
import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from natya_database import a_database
from natya_market import without_rows

import natya
from natya.actors.database.writing.read_model import ReadModel
from natya.messages.journal import JournalRecord

pytestmark = pytest.mark.usefixtures("engines")


class Note(msgspec.Struct, frozen=True):
    number: int
    text: str | None
    price: Decimal
    day: dt.date
    weight: float = 0.5
    done: bool = False


class NoteRepository(natya.BaseRepository[Note]):
    entity = Note
    table = "notes"
    key = ("number",)
    schema = """create table if not exists notes (number bigint primary key, text varchar,
        price decimal(28, 6) not null, day date not null, weight double not null, done boolean not null)"""


def a_note(number):
    return Note(
        number=number,
        text=None if number % 2 else f"it's {number}",
        price=Decimal("12345678901234567890.123456"),
        day=dt.date(2026, 1, number),
    )


def a_tick(number):
    return natya.Tick(
        symbol="TCS", price=100.5, quantity=number, exchange_ns=number, source="contract", sequence=number
    )


def facts(number):
    """An order and its fill."""
    common = {"client_order_id": f"A-{number}", "strategy": "s", "symbol": f"S{number}", "side": "BUY", "quantity": 5}
    return (
        natya.OrderIntended(**common, order_type="MARKET", limit_price=None, occurred_ns=number),
        natya.OrderFilled(**common, trade_id="T", price=2.5, cumulative_quantity=5, occurred_ns=number),
    )


def project(database, count):
    """Fill the core file as the journal would."""
    told = [fact for number in range(1, count + 1) for fact in facts(number)]
    records = [
        JournalRecord(sequence=sequence, recorded_ns=sequence, correlation_id="", fact=fact)
        for sequence, fact in enumerate(told, start=1)
    ]
    ReadModel(database).apply(records)


@dataclasses.dataclass(frozen=True)
class Case:
    repository: type
    key_of: Callable[[Any], tuple]
    make: Callable[[int], Any] | None = None
    """Makes a message that can be saved; None for what only the journal's projection writes."""

    rows: int = 3
    """Rows there are of three orders with their fills."""


CASES = {
    "MarketDataRepositoryImpl": Case(natya.MarketDataRepositoryImpl, lambda tick: (tick.source, tick.sequence), a_tick),
    "OrderRepository": Case(natya.OrderRepository, lambda order: (order.client_order_id,)),
    "FillRepository": Case(natya.FillRepository, lambda fill: (fill.client_order_id, fill.trade_id)),
    "PositionRepository": Case(natya.PositionRepository, lambda position: (position.symbol,)),
    "EventRepository": Case(natya.EventRepository, lambda event: (event.sequence,), rows=6),
    "NoteRepository": Case(NoteRepository, lambda note: (note.number,), a_note),
}


@pytest.fixture(scope="class", params=CASES.values(), ids=CASES.keys())
def case(request):
    return request.param


@pytest.fixture(scope="class")
def database(case):
    """One of all tests of a class."""
    with a_database() as database:
        if case.make is None:
            project(database, 3)
        yield database


@pytest.fixture
def repository(case, database):
    """With three in it."""
    with case.repository(database) as repository:
        if case.make is not None:
            without_rows(database)
            for message in repository.find().data:
                repository.delete(*case.key_of(message)).result()
            repository.save_many([case.make(number) for number in (1, 2, 3)]).result()
        yield repository


class TestEveryRepository:
    def test_is_one_of_those_that_are_tested_here(self):
        ours = {name for name in natya.__all__ if isinstance(getattr(natya, name), type)}
        ours = {name for name in ours if issubclass(getattr(natya, name), natya.BaseRepository)}

        assert ours - {"BaseRepository"} == set(CASES) - {"NoteRepository"}

    def test_finds_all_in_order_and_counts_them(self, repository, case):
        found = repository.find()

        assert found.success
        assert found.error is None
        assert len(found.data) == repository.count().data == case.rows
        assert list(found.data) == sorted(found.data, key=case.key_of)

    def test_finds_frozen_messages(self, repository, case):
        (message, *_) = repository.find().data

        assert isinstance(message, case.repository.entity)
        with pytest.raises((AttributeError, TypeError)):
            setattr(message, message.__struct_fields__[0], "another")

    def test_gets_each_by_its_key(self, repository, case):
        for message in repository.find().data:
            assert repository.get(*case.key_of(message)).data == message

    def test_has_none_for_a_key_that_is_not_there(self, repository, case):
        missing = [type(part)("0") for part in case.key_of(repository.find().data[0])]
        result = repository.get(*missing).result()

        assert (result.success, result.data, result.error) == (True, None, None)

    def test_finds_by_a_column(self, repository, case):
        message = repository.find().data[1]
        criteria = dict(zip(case.repository.key, case.key_of(message), strict=True))

        assert repository.find(**criteria).data == (message,)
        assert repository.count(**criteria).data == 1

    def test_refuses_half_a_key_and_columns_it_does_not_know(self, repository):
        for answer in (repository.get(), repository.delete(), repository.find(**{"1=1; --": 1}), repository.count(x=1)):
            assert not answer.success
            assert answer.data is None
            assert answer.error.startswith("QueryRefused")

    def test_can_be_awaited(self, repository, case):
        async def story():
            return await repository.find(), await asyncio.gather(*(repository.count() for _ in range(10)))

        found, counts = asyncio.run(story())

        assert found == repository.find().result()
        assert [count.data for count in counts] == [case.rows] * 10

    def test_gives_columns_and_frames_of_the_same_rows(self, repository, case):
        answer = repository.find()
        columns = answer.columns()

        assert {len(column) for column in columns.values()} == {case.rows}
        assert set(columns) >= set(case.repository.key)
        assert answer.df().columns.tolist() == answer.polars().columns == answer.arrow().column_names == list(columns)
        assert answer.result().df().equals(answer.df())

    def test_closes_and_then_begins_nothing(self, repository):
        repository.close()
        repository.close()

        with pytest.raises(RuntimeError):
            repository.count()


class TestEveryRepositoryThatWrites:
    @pytest.fixture(scope="class", params=[name for name, case in CASES.items() if case.make])
    @classmethod
    def case(cls, request):
        return CASES[request.param]

    def test_gives_back_what_it_was_given(self, repository, case):
        assert repository.find().data == tuple(case.make(number) for number in (1, 2, 3))

    def test_counts_what_it_wrote(self, repository, case):
        assert repository.save(case.make(4)).data == 1
        assert repository.save_many([case.make(5), case.make(6)]).data == 2
        assert repository.save_many([]).data == 0

    def test_keeps_one_of_each_key(self, repository, case):
        repository.save_many([case.make(3), case.make(3)]).result()

        assert repository.count().data == 3

    def test_deletes_by_key_and_counts_it(self, repository, case):
        key = case.key_of(case.make(2))

        assert repository.delete(*key).data == 1
        assert repository.delete(*key).data == 0
        assert repository.find().data == (case.make(1), case.make(3))

    def test_writes_in_the_order_it_is_asked_and_reads_what_it_was_asked_to_write_before(self, repository, case):
        for number in range(4, 24):
            repository.save(case.make(number))
            if number % 5 == 0:
                assert repository.count().data == number
        assert repository.count().data == 23

    def test_saves_a_transaction_at_its_end(self, repository, case):
        with repository.transaction() as gathered:
            gathered += [case.make(4), case.make(5)]

            assert repository.count().data == 3
        assert repository.count().data == 5

    def test_saves_nothing_of_a_transaction_that_raises(self, repository, case):
        with pytest.raises(ZeroDivisionError), repository.transaction() as gathered:  # noqa: PT012  the block is what is tested
            gathered.append(case.make(4))
            raise ZeroDivisionError

        assert repository.count().data == 3

    def test_takes_a_transaction_that_is_awaited(self, repository, case):
        async def story():
            async with repository.transaction() as gathered:
                gathered.append(case.make(4))

        asyncio.run(story())

        assert repository.count().data == 4

    def test_shares_a_file_with_another_of_its_kind(self, case, tmp_path):
        path = tmp_path / "shared.duckdb"
        with case.repository(path, create=True) as one, case.repository(str(path)) as other:
            for number in range(1, 7):
                (one, other)[number % 2].save(case.make(number)).result()
            other.save_many([case.make(number) for number in range(1, 7)]).result()

            assert one.find().data == other.find().data == tuple(case.make(number) for number in range(1, 7))
        with case.repository(path) as again:
            assert again.count().data == 6


class TestEveryRepositoryOfTheJournal:
    @pytest.fixture(scope="class", params=[name for name, case in CASES.items() if not case.make])
    @classmethod
    def case(cls, request):
        return CASES[request.param]

    def test_is_written_by_nobody(self, repository, case):
        (message, *_) = repository.find().data

        for answer in (repository.save(message), repository.delete(*case.key_of(message))):
            assert "projected from the journal" in answer.error
        with pytest.raises(Exception, match="projected from the journal"), repository.transaction() as gathered:
            gathered.append(message)
        assert repository.count().data == case.rows


class TestARepositoryOfOneSOwn:
    def test_must_name_what_it_keeps_and_where(self):
        class Nameless(natya.BaseRepository[Note]):
            entity = Note

        with pytest.raises(TypeError, match="Nameless is abstract: it does not name table, key"):
            Nameless(":memory:")
        with pytest.raises(TypeError, match="BaseRepository is abstract"):
            natya.BaseRepository(":memory:")

    @pytest.mark.parametrize("name", ["notes; drop table ticks", "a b", "", '"notes"'])
    @pytest.mark.parametrize("what", ["table", "key", "order"])
    def test_must_name_it_by_identifiers(self, what, name):
        Strange = type("Strange", (NoteRepository,), {what: name if what == "table" else (name,)})  # noqa: N806  a class

        with pytest.raises(TypeError, match="must name tables and columns"):
            Strange(":memory:")

    def test_survives_a_restart(self, tmp_path):
        with NoteRepository(tmp_path / "a.duckdb", create=True) as notes:
            notes.save(a_note(1)).result()
        with NoteRepository(tmp_path / "a.duckdb") as notes:
            assert notes.find().data == (a_note(1),)

    def test_that_cannot_make_its_table_leaves_the_file_free(self, tmp_path):
        class Wrong(NoteRepository):
            schema = "create table notes (no such type)"

        with pytest.raises(Exception, match=r"Parser Error|no such|Catalog"):
            Wrong(tmp_path / "a.duckdb", create=True)
        with natya.DuckDBAdapter(tmp_path / "a.duckdb") as database:
            assert database.query("select 1").rows == ((1,),)

"""The book of record and the tables agree: state by state, paisa by paisa, whatever facts there are."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from natya_database import a_database
from natya_examples import QUARTER

from natya.actors.database import DuckDBAdapter, OrderRepository, PositionRepository
from natya.actors.database.tables.migrations import migrate, migrations
from natya.actors.database.tables.projecting import fact_text
from natya.actors.database.tables.projection import Projection
from natya.actors.database.writing.read_model import ReadModel
from natya.actors.orders.book import Book
from natya.messages.orders import (
    CancellationIntended,
    CancellationRefused,
    CancellationUncertain,
    ModificationIntended,
    ModificationRefused,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderModified,
    OrderRefused,
    OrderRejected,
    OrderTriggered,
    OrderUncertain,
)

pytestmark = pytest.mark.usefixtures("engines")

IDS = ("A", "B", "C")
TERMS = {"limit_price": None, "trigger_price": None}
CHANGES = (
    "select client_order_id, modifications, in_effect, settled, cancellations, cancellations_refused, cancellation_by "
    "from orders"
)
ORDERED = "select client_order_id, limit_price, trigger_price, validity, product from orders"
ENDS = (OrderRejected, OrderCancelled, OrderExpired, OrderUncertain)


def an_intent(identifier, build):
    number = IDS.index(identifier)
    return build.intended(
        identifier,
        side=("BUY", "SELL", "BUY")[number],
        quantity=(15, 15, 3)[number],
        strategy=("one", "two", "one")[number],
        limit_price=(None, 99.0, None)[number],
        validity=("DAY", "IOC", "DAY")[number],
        product=("", "CNC", "MARGIN")[number],
    )


def a_step(kind, number, **of):
    """Return a fact of a change or a cancellation, of one of three, or of a trigger."""
    which = 1 + number % 3
    if kind == "triggered":
        return OrderTriggered(**of)
    if kind == "changed":
        if number % 5 == 0:
            return ModificationRefused(number=which, rule="broker", reason="busy", **of)
        made = ModificationIntended if number % 5 < 3 else OrderModified
        terms = {"limit_price": 90.0 + number, "trigger_price": 80.0 + number} if number % 2 else TERMS
        return made(number=which, quantity=5 * which, **terms, **of)
    if number % 4 == 0:
        return CancellationRefused(number=which, rule="broker", reason="busy", **of)
    if number % 4 == 1:
        return CancellationUncertain(number=which, reason="no answer", **of)
    return CancellationIntended(number=which, asked_by=f"asha {which}", **of)


def a_fact(drawn, build):
    kind, identifier, number, price = drawn
    intent = an_intent(identifier, build)
    if kind == "intended":
        return intent
    if kind == "refused":
        return OrderRefused(
            client_order_id=identifier,
            strategy=intent.strategy,
            symbol=intent.symbol,
            side=intent.side,
            quantity=intent.quantity,
            rule="duplicate",
            reason="known",
            occurred_ns=number,
        )
    if kind == "accepted":
        return OrderAccepted(client_order_id=identifier, broker_order_id=f"X-{number}", occurred_ns=number)
    if kind == "filled":
        return OrderFilled(
            client_order_id=identifier,
            trade_id=f"T-{number}",
            strategy=intent.strategy,
            symbol=intent.symbol,
            side=intent.side,
            quantity=number,
            price=price,
            cumulative_quantity=number,
            occurred_ns=number,
        )
    if kind in {"changed", "cancelling", "triggered"}:
        return a_step(kind, number, client_order_id=identifier, occurred_ns=number)
    return ENDS[number % 4](client_order_id=identifier, reason=f"because {number}", occurred_ns=number)


FACTS = st.tuples(
    st.sampled_from(
        [
            "filled",
            "filled",
            "accepted",
            "ended",
            "ended",
            "intended",
            "refused",
            "changed",
            "cancelling",
            "cancelling",
            "triggered",
        ]
    ),
    st.sampled_from(IDS),
    st.integers(1, 20),
    st.one_of(st.integers(1, 999).map(lambda ticks: ticks * 5 / 100), st.floats(0.001, 1e6)),
)


LATER = FACTS.filter(lambda fact: fact[0] not in {"intended", "refused"})
"""Those that describe no order."""


def agree(database, book):
    with OrderRepository(database) as orders, PositionRepository(database) as positions:
        rows = {row.client_order_id: row for row in orders.find().data}
        told = {row[0]: row[1:] for row in database.query(CHANGES).rows}
        terms = {row[0]: row[1:] for row in database.query(ORDERED).rows}
        for identifier in IDS:
            order = book.order(identifier)
            row = rows[identifier]
            assert (row.state, row.filled_quantity) == (order.state, order.filled)
            assert (row.broker_order_id or "") == order.broker_order_id
            assert terms[identifier] == (order.limit_price, order.trigger_price, order.validity, order.product)
            by = None if order.asked_to_cancel is None else order.asked_to_cancel.asked_by
            changes = order.modifications, order.in_effect, order.settled
            assert told[identifier] == (*changes, order.cancellations, order.cancellations_refused, by)
        assert positions.find().data == book.statistics("NORMAL").positions


def in_pages(records, pages):
    """Return the rows that are left when each page goes on with the rows of those before, as the database does."""
    rows, fills = {}, []
    for page in pages:
        before = [(fill.client_order_id, fill.trade_id, fill.quantity, fill.price) for fill in fills]
        projection = Projection(rows.values(), before)
        for record in records[:page]:
            projection.apply(record)
        records = records[page:]
        rows, fills = projection.orders, fills + projection.fills
    return rows, fills


class TestRowsThatAFactGoesOnWith:
    """A start, a rebuild and a system that runs cut the journal into other pages: the rows must be the same."""

    @given(data=st.data(), drawn=st.lists(LATER, max_size=12))
    def test_are_those_of_all_facts_at_once_wherever_the_description_of_an_order_stands(self, build, data, drawn):
        intents = [an_intent(identifier, build) for identifier in IDS]
        facts = [a_fact(one, build) for one in drawn]
        records = build.records(*data.draw(st.permutations(intents + facts)))
        pages = data.draw(st.lists(st.integers(1, 4), max_size=12))
        book = Book()
        for fact in intents + facts:
            book.apply(fact)

        rows, fills = in_pages(records, [len(records)])

        assert in_pages(records, [*pages, len(records)]) == (rows, fills)
        for identifier in IDS:
            order = book.order(identifier)
            assert (rows[identifier].state, rows[identifier].filled_quantity) == (order.state, order.filled)

    def test_say_of_a_stop_that_is_triggered_again_when_it_was_last_changed(self, build):
        intent = build.intended("A", order_type="STOP", trigger_price=99.5)
        triggered = [OrderTriggered(client_order_id="A", occurred_ns=number) for number in (10, 20)]
        records = build.records(intent, *triggered)

        assert in_pages(records, [2, 1]) == in_pages(records, [3])

    def test_have_an_order_whose_trades_came_first_filled(self, build):
        """A journal that begins later, or was mended: it stayed PART_FILLED for ever."""
        records = build.records(build.filled("A", quantity=10), build.intended("A", quantity=10))

        for pages in ([2], [1, 1]):
            rows, _ = in_pages(records, pages)
            assert (rows["A"].state, rows["A"].quantity, rows["A"].filled_quantity) == ("FILLED", 10, 10)


class TestAnySequenceOfFacts:
    @settings(max_examples=QUARTER // 2)
    @given(drawn=st.lists(FACTS, max_size=25), cut=st.integers(0, 28))
    @example(drawn=[("ended", "A", 4, 1.0), ("ended", "A", 5, 1.0)], cut=0)  # rejected, then cancelled
    @example(drawn=[("filled", "A", 15, 100.55), ("filled", "C", 3, 105.4), ("filled", "B", 15, 95.4)], cut=4)
    @example(drawn=[("filled", "A", 1, 1.0), ("intended", "A", 1, 1.0)], cut=3)
    @example(drawn=[("accepted", "A", 1, 1.0), ("refused", "A", 1, 1.0)], cut=3)
    @example(drawn=[("changed", "A", 1, 1.0), ("filled", "A", 9, 1.0), ("changed", "A", 13, 1.0)], cut=4)
    @example(drawn=[("changed", "A", 2, 1.0), ("changed", "A", 5, 1.0), ("filled", "A", 15, 1.0)], cut=4)
    def test_makes_one_book(self, tmp_path_factory, build, drawn, cut):
        records = build.records(
            *(an_intent(identifier, build) for identifier in IDS), *(a_fact(each, build) for each in drawn)
        )
        book = Book()
        for record in records:
            book.apply(record.fact)
        with a_database() as database:
            ReadModel(database).apply(records[:cut])
            ReadModel(database).apply(records[cut:])
            agree(database, book)

    def test_has_the_terms_of_an_intent_whatever_was_said_of_the_order_before(self, database, build):
        """A journal that begins later, or was mended, may have a fact of an order before the one that describes it."""
        intent = build.intended(
            "A", order_type="STOP", limit_price=99.0, trigger_price=99.5, validity="IOC", product="MARGIN"
        )
        ReadModel(database).apply(build.records(OrderAccepted(client_order_id="A", broker_order_id="X", occurred_ns=1)))
        ReadModel(database).apply(build.records(intent, start=2))

        assert database.query(ORDERED).rows == (("A", 99.0, 99.5, "IOC", "MARGIN"),)

    def test_is_in_the_file_when_it_is_opened_again(self, path, build):
        fills = [("filled", "A", 15, 100.55), ("filled", "C", 3, 105.4)]
        drawn = [("accepted", "A", 1, 1.0), *fills, ("ended", "B", 4, 1.0)]
        records = build.records(
            *(an_intent(identifier, build) for identifier in IDS), *(a_fact(each, build) for each in drawn)
        )
        book = Book()
        for record in records:
            book.apply(record.fact)
        with DuckDBAdapter(path, max_connections=3) as database:
            ReadModel(database).apply(records)
        with DuckDBAdapter(path, max_connections=3) as database:
            agree(database, book)

    def test_sums_the_value_of_fills_exactly_before_it_is_shown(self, database, build):
        prices = [0.1 + 1e-7, 33.33333333, 1e6]
        facts = [build.intended(quantity=300)]
        for number, price in enumerate(prices):
            facts.append(build.filled(trade_id=f"T-{number}", quantity=100, price=price))
        for record in build.records(*facts):
            ReadModel(database).apply([record])

        exact = sum(Fraction(str(price)) * 100 for price in prices)
        assert database.query("select filled_value from orders").rows == (
            (str(Decimal(round(exact * 10**6)).scaleb(-6)),),
        )


def old_facts(build):
    return [
        build.intended("A", quantity=10),
        build.intended("B", quantity=10),
        OrderRejected(client_order_id="A", reason="no margin", occurred_ns=5),
        OrderCancelled(client_order_id="A", reason="withdrawn", occurred_ns=6),
        build.filled("B", quantity=4),
        build.filled("B", quantity=4),
        build.intended("B", quantity=10),
    ]


class TestACoreFileOfAnEarlierRelease:
    """It has rows by the old rules beside facts that are right."""

    @pytest.fixture
    def old(self, new_path, build):
        """A core file with the tables of migration 2, facts of three orders, and rows that are wrong."""
        with duckdb.connect() as root:
            root.execute(f"attach '{new_path}' as core")
            root.execute("set search_path = 'core'")
            migrate(root, migrations("core")[:2])
            for record in build.records(*old_facts(build), start=5):
                head = record.sequence, record.recorded_ns, record.correlation_id, type(record.fact).__name__
                root.execute("insert into facts values (?, ?, ?, ?, ?)", [*head, fact_text(record)])
            root.execute("update projection set sequence = 11, first_sequence = 5")
            for name, state, filled in (("A", "REJECTED", 0), ("B", "INTENDED", 4)):
                row = [name, None, "s", "TCS", "BUY", 10, "MARKET", None, state, filled, 0, "", 1, 1, 7]
                root.execute("insert into orders values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            root.execute("insert into fills values ('B', 'T-0', 's', 'TCS', 'BUY', 4, 1.0, 1, 9)")
        return new_path

    def test_is_projected_anew_from_its_own_facts(self, old):
        with DuckDBAdapter(old, max_connections=3) as database:
            rows = database.query(
                "select client_order_id, state, filled_quantity, reason from orders order by all"
            ).rows

            assert rows == (("A", "CANCELLED", 0, "withdrawn"), ("B", "PART_FILLED", 4, ""))
            assert database.query("select count(*) from fills").rows == ((1,),)
            assert database.query("select sequence, first_sequence from projection").rows == ((11, 5),)
            assert database.query("select count(*) from facts").rows == ((7,),)

    @pytest.mark.parametrize("page", [1, 2, 20_000])
    def test_has_the_very_rows_of_one_that_is_projected_from_its_journal(self, old, build, monkeypatch, page):
        monkeypatch.setattr("natya.actors.database.tables.projecting.PAGE_FACTS", page)
        with DuckDBAdapter(old, max_connections=3) as migrated, DuckDBAdapter(max_connections=3) as fresh:
            ReadModel(fresh).apply(build.records(*old_facts(build), start=5), first=5)
            for rows in ("select * from orders order by all", "select * from fills order by all"):
                assert migrated.query(rows).rows == fresh.query(rows).rows

    def test_goes_on_from_where_it_was(self, old, build):
        with DuckDBAdapter(old, max_connections=3) as database:
            assert (
                ReadModel(database).apply(build.records(build.filled("B", trade_id="T-2", quantity=6), start=12)) == 12
            )
            assert database.query("select state from orders where client_order_id = 'B'").rows == (("FILLED",),)

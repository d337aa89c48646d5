"""Journal records on their way into the core file."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_database import a_database
from natya_examples import QUARTER

from natya.actors.database import DuckDBAdapter, EventRepository
from natya.actors.database.errors import JournalGap
from natya.actors.database.tables.projection import Projection
from natya.actors.database.writing.read_model import ReadModel
from natya.messages.accounts import AccountEntered
from natya.messages.orders import (
    CancellationIntended,
    CancellationRefused,
    CancellationUncertain,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRefused,
    OrderRejected,
    OrderUncertain,
)
from natya.messages.risk_state import RiskStateChanged
from natya.messages.supervision import ChildRestarted

pytestmark = pytest.mark.usefixtures("engines")


@pytest.fixture
def read_model(database):
    return ReadModel(database)


def accepted(client_order_id="A-1"):
    return OrderAccepted(client_order_id=client_order_id, broker_order_id="B-1", occurred_ns=5)


def ended(kind, client_order_id="A-1"):
    return kind(client_order_id=client_order_id, reason="because", occurred_ns=6)


def entered(account):
    return AccountEntered(account=account, choice="new", occurred_ns=4)


def everything(database):
    return [
        database.query("select * from facts order by sequence").rows,
        database.query("select * from orders order by client_order_id").rows,
        database.query("select * from fills order by client_order_id, trade_id").rows,
        database.query("select * from projection").rows,
    ]


class TestProjectingRecords:
    def test_an_order_has_one_row_with_its_present_state(self, read_model, database, build):
        read_model.apply(build.records(build.intended(quantity=100), accepted()))
        read_model.apply(build.records(build.filled(quantity=75), start=3))

        columns = "state, broker_order_id, quantity, filled_quantity, filled_value, average_price, changed_sequence"
        assert database.query(f"select {columns} from orders_utc").rows == (  # noqa: S608  our own text
            ("PART_FILLED", "B-1", 100, 75, "111753.750000", 1490.05, 3),
        )

    def test_the_cancellations_of_an_order_are_counted_on_from_its_row(self, read_model, database, build):
        asked = [
            CancellationIntended(client_order_id="A-1", number=number, asked_by="asha", occurred_ns=4)
            for number in (1, 2, 3)
        ]
        refused = CancellationRefused(client_order_id="A-1", number=1, rule="broker", reason="no", occurred_ns=5)
        doubted = CancellationUncertain(client_order_id="A-1", number=2, reason="no answer", occurred_ns=5)
        read_model.apply(build.records(build.intended(quantity=100), asked[0], refused, asked[1], doubted))
        read_model.apply(build.records(asked[2], start=6))

        columns = "cancellations, cancellations_refused, cancellations_doubted"
        assert database.query(f"select {columns} from orders").rows == ((3, 1, 2),)  # noqa: S608  our own text

    def test_each_trade_is_a_row(self, read_model, database, build):
        read_model.apply(build.records(build.intended(), build.filled(), build.filled(trade_id="T-2", quantity=5)))

        assert database.query("select trade_id, quantity, price, sequence from fills order by sequence").rows == (
            ("T-1", 75, 1490.05, 2),
            ("T-2", 5, 1490.05, 3),
        )

    def test_a_trade_told_twice_counts_once(self, read_model, database, build):
        read_model.apply(build.records(build.intended(), build.filled(), build.filled()))
        read_model.apply(build.records(build.filled(), start=4))

        assert database.query("select filled_quantity from orders").rows == ((75,),)
        assert read_model.sequence() == 4

    def test_is_named_while_it_runs(self, read_model, database, build, monkeypatch):
        """Who waits behind it, or looks at what takes so long, reads what it is."""
        named, write = [], database.write

        def noted(*work, label="", **how):
            named.append(label)
            return write(*work, label=label, **how)

        monkeypatch.setattr(database, "write", noted)
        read_model.apply(build.records(build.intended(), build.filled()))

        assert named == ["project 2 records"]

    def test_every_fact_is_kept_as_it_was_written(self, read_model, database, build):
        restarted = ChildRestarted(supervisor="system", child="feed", restarts=1, occurred_ns=5)
        read_model.apply(build.records(restarted, build.intended()))

        assert database.query("select fact_type, fact->>'child' from facts order by sequence").rows == (
            ("ChildRestarted", "feed"),
            ("OrderIntended", None),
        )

    def test_what_says_nothing_new_leaves_the_row_as_it_was(self, read_model, database, build):
        facts = (build.intended(), build.filled(), ended(OrderCancelled), build.filled(), accepted())
        read_model.apply(build.records(*facts))
        row = "select state, reason, changed_sequence from orders"
        before = database.query(row).rows
        read_model.apply(build.records(build.intended(), ended(OrderRejected), build.filled(), accepted(), start=6))

        assert before == (("FILLED", "", 5),)
        assert database.query(row).rows == before

    def test_a_change_of_the_risk_state_is_a_fact_and_of_no_order(self, read_model, database, build):
        halted = RiskStateChanged(previous="NORMAL", state="HALTED", cause="why", changed_by="orders", occurred_ns=5)
        read_model.apply(build.records(halted, build.intended()))

        with EventRepository(database) as events:
            (found,) = events.find(fact_type="RiskStateChanged").data
        assert found.sequence == 1
        assert '"state":"HALTED"' in found.fact
        assert database.query("select client_order_id from orders").rows == (("A-1",),)


class TestTheAccountOfAnOrder:
    """That which was entered last before its intent: 0 where none was."""

    def test_is_that_of_its_intent_and_its_trades_are_of_the_same_whichever_was_entered_since(
        self, read_model, database, build
    ):
        read_model.apply(
            build.records(build.intended(), entered(3), build.intended("A-2"), entered(4), build.filled("A-2"))
        )
        read_model.apply(build.records(build.filled(), build.intended("A-3"), start=6))
        read_model.apply(build.records(build.filled("A-3"), ended(OrderRejected, "A-2"), start=8))

        by_order = (("A-1", 0), ("A-2", 3), ("A-3", 4))
        assert database.query("select client_order_id, account from orders order by all").rows == by_order
        assert database.query("select client_order_id, account from fills order by all").rows == by_order

    def test_is_known_when_the_file_is_opened_again(self, path, build):
        with DuckDBAdapter(path, max_connections=3) as database:
            ReadModel(database).apply(build.records(entered(3)))
        with DuckDBAdapter(path, max_connections=3) as database:
            ReadModel(database).apply(build.records(build.intended(), build.filled(), start=2))

            assert database.query("select account from orders union all select account from fills").rows == ((3,), (3,))


class TestRecordsThatComeAgain:
    def test_change_nothing(self, read_model, database, build):
        records = build.records(build.intended(), accepted(), build.filled())
        read_model.apply(records)
        before = everything(database)

        assert read_model.apply(records) == 3
        assert everything(database) == before

    def test_with_new_ones_behind_them_are_skipped(self, read_model, build):
        records = build.records(build.intended(), accepted(), build.filled())
        read_model.apply(records[:2])

        assert read_model.apply(records) == 3


class TestRecordsWithAGapBeforeThem:
    def test_are_refused_as_a_whole(self, read_model, database, build):
        before = everything(database)

        with pytest.raises(JournalGap, match="record 1 wanted next, found 2"):
            read_model.apply(build.records(build.intended(), start=2))

        assert everything(database) == before


FACTS = st.sampled_from(["A", "B"]).flatmap(
    lambda identifier: st.one_of(
        st.just(accepted(identifier)),
        st.sampled_from([OrderRejected, OrderCancelled, OrderExpired, OrderUncertain]).map(
            lambda kind: ended(kind, identifier)
        ),
        st.tuples(st.integers(1, 50), st.sampled_from(["T-1", "T-2", "T-3"])).map(
            lambda trade: ("fill", identifier, *trade)
        ),
    )
)


def _facts(build, drawn):
    fills = (
        build.filled(fact[1], quantity=fact[2], trade_id=fact[3]) if isinstance(fact, tuple) else fact for fact in drawn
    )
    return [build.intended("A", quantity=100), build.intended("B", quantity=100), *fills]


class TestAnyHistoryOfAnOrder:
    @given(drawn=st.lists(FACTS, max_size=12))
    def test_counts_each_trade_once_and_its_value_exactly(self, build, drawn):
        projection = Projection()
        for record in build.records(*_facts(build, drawn)):
            projection.apply(record)

        for order in projection.orders.values():
            fills = [fill for fill in projection.fills if fill.client_order_id == order.client_order_id]
            assert len({fill.trade_id for fill in fills}) == len(fills)
            assert order.filled_quantity == sum(fill.quantity for fill in fills)
            assert order.filled_value == order.filled_quantity * Decimal("1490.05")
            assert (order.state == "FILLED") >= (order.filled_quantity >= 100)

    @settings(max_examples=QUARTER // 2)
    @given(drawn=st.lists(FACTS, max_size=12), cut=st.integers(0, 14))
    def test_adds_up_to_the_same_rows_wherever_it_is_cut(self, build, drawn, cut):
        records = build.records(*_facts(build, drawn))
        with a_database() as whole, a_database() as parts:
            ReadModel(whole).apply(records)
            ReadModel(parts).apply(records[:cut])
            ReadModel(parts).apply(records[cut:])

            assert everything(parts) == everything(whole)

    def test_an_ended_order_stays_ended(self, build):
        projection = Projection()
        for record in build.records(build.intended(), ended(OrderCancelled), accepted(), ended(OrderUncertain)):
            projection.apply(record)

        assert projection.orders["A-1"].state == "CANCELLED"

    def test_a_refused_order_says_why(self, build):
        refused = OrderRefused(
            client_order_id="A-1",
            strategy="crossover",
            symbol="NIFTY",
            side="BUY",
            quantity=75,
            rule="quantity_max",
            reason="too many",
            occurred_ns=1,
        )
        projection = Projection()
        projection.apply(build.records(refused)[0])

        assert projection.orders["A-1"].state == "REFUSED"
        assert projection.orders["A-1"].reason == "too many"


class TestAnOrderWhoseIntentIsNotKnown:
    """Of a journal whose beginning is gone: a row says what its facts say, and nothing that they do not."""

    @staticmethod
    def described(*records):
        projection = Projection()
        for record in records:
            projection.apply(record)
        order = projection.orders["A-1"]
        return order.strategy, order.symbol, order.side, order.quantity, order.order_type, order.state

    def test_has_neither_symbol_nor_side_nor_quantity_when_only_its_end_is(self, build):
        records = build.records(ended(OrderCancelled))

        assert self.described(*records) == (None, None, None, None, None, "CANCELLED")

    @pytest.mark.parametrize("side", ["BUY", "SELL"])
    def test_has_those_of_its_fill_and_no_quantity(self, build, side):
        records = build.records(accepted(), build.filled(side=side, quantity=5))
        fill = records[1].fact

        assert self.described(*records)[:4] == (fill.strategy, fill.symbol, side, None)

    def test_has_all_when_the_intent_comes_later(self, build):
        intent = build.intended(side="SELL", quantity=75)

        assert self.described(*build.records(accepted(), intent))[:5] == (
            intent.strategy,
            intent.symbol,
            "SELL",
            75,
            intent.order_type,
        )

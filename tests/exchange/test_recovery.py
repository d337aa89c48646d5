"""The book of a run that is gone: rebuilt from its facts it is the book that it was."""

import pytest

from natya.actors.exchange.matching import FillModel, Matching
from natya.actors.exchange.recovery import Remembered
from natya.messages.broker import ReplaceRequest
from natya.messages.exchange import AccountServed
from natya.messages.orders import (
    ModificationIntended,
    OrderAccepted,
    OrderFilled,
    OrderIntended,
    OrderModified,
    OrderTriggered,
)

OF_THE_EXCHANGE = {"MARKET": "MARKET", "LIMIT": "LIMIT", "STOP_LOSS": "STOP_LIMIT", "STOP_LOSS_MARKET": "STOP"}
LATER_NS = 1_766_992_100_000_000_000


class Run:
    """A matching, and the facts that the journal has of it."""

    def __init__(self, matching):
        self.matching = matching
        self.facts = []
        self.requests = {}

    def place(self, request):
        self.requests[request.client_order_id] = request
        self.facts.append(
            OrderIntended(
                client_order_id=request.client_order_id,
                strategy="crossover",
                symbol=request.symbol,
                side=request.side,
                quantity=request.quantity,
                order_type=OF_THE_EXCHANGE[request.order_type],
                limit_price=request.limit_price,
                trigger_price=request.trigger_price,
                validity=request.validity,
                occurred_ns=1,
            )
        )
        self.write(self.matching.place(request))

    def move(self, tick):
        reports = self.matching.move(tick)
        self.write(reports)
        return reports

    def write(self, reports):
        for report in reports:
            request = self.requests[report.client_order_id]
            if report.execution_type == "NEW":
                self.facts.append(
                    OrderAccepted(
                        client_order_id=report.client_order_id,
                        broker_order_id=report.broker_order_id,
                        occurred_ns=report.occurred_ns,
                    )
                )
            elif report.execution_type == "TRIGGERED":
                self.facts.append(
                    OrderTriggered(client_order_id=report.client_order_id, occurred_ns=report.occurred_ns)
                )
            elif report.execution_type == "TRADE":
                self.facts.append(
                    OrderFilled(
                        client_order_id=report.client_order_id,
                        trade_id=report.execution_id,
                        strategy="crossover",
                        symbol=request.symbol,
                        side=request.side,
                        quantity=report.quantity,
                        price=report.price,
                        cumulative_quantity=report.cumulative_quantity,
                        occurred_ns=report.occurred_ns,
                    )
                )

    def again(self):
        remembered = Remembered("session")
        for fact in self.facts:
            remembered.apply(fact)
        heard_ns = self.facts[-1].occurred_ns
        resting = remembered.orders()
        return Matching(tick_size_rupees=0.05, run=2, now_ns=LATER_NS, resting=resting, since_ns=heard_ns)


class TestABookOfBefore:
    @pytest.fixture
    def run(self, matching, a_tick, an_order):
        """Seven orders: of both sides, in part filled once and twice, filled, untouched, and of one price."""
        run = Run(matching)
        run.move(a_tick(100.0, bids=[(99.95, 5)], asks=[(100.05, 5)]))
        for name, changes in {
            "twice": {"quantity": 10, "limit_price": 100.05},
            "filled": {"side": "SELL", "quantity": 2, "limit_price": 99.95},
            "once": {"side": "SELL", "quantity": 9, "limit_price": 99.95},
            "market": {"side": "SELL", "quantity": 4},
            "later": {"side": "SELL", "quantity": 9, "limit_price": 100.2},
            "better": {"side": "SELL", "quantity": 9, "limit_price": 100.15},
            "latest": {"side": "SELL", "quantity": 9, "limit_price": 100.2},
        }.items():
            run.place(an_order(name, **changes))
        run.move(a_tick(100.0, bids=[(99.9, 1)], asks=[(100.0, 3)], after_s=1))
        return run

    def test_tells_of_each_open_order_what_it_told_before(self, run):
        again = run.again()
        open_orders = [name for name in run.requests if run.matching.find(name).state in {"OPEN", "PART_FILLED"}]

        assert len(open_orders) == again.resting == 6
        assert [len(again.find(name).reports) for name in open_orders] == [2, 1, 1, 0, 0, 0]
        assert [again.find(name) for name in open_orders] == [run.matching.find(name) for name in open_orders]

    def test_counts_a_trade_that_the_journal_has_twice_once(self, run):
        before = run.again()
        run.facts += [fact for fact in run.facts if isinstance(fact, OrderFilled)]

        assert [run.again().find(name) for name in run.requests] == [before.find(name) for name in run.requests]

    def test_heeds_no_fact_of_something_else(self, run):
        before = run.again()
        remembered = Remembered("session")
        for fact in run.facts:
            for other in (fact, AccountServed(account=1, occurred_ns=1)):
                remembered.apply(other)

        assert len(remembered.orders()) == before.resting

    def test_has_a_triggered_stop_at_rest_at_its_limit(self, matching, a_tick, an_order, trades):
        run = Run(matching)
        run.move(a_tick(100.0))
        run.place(an_order("A-1", order_type="STOP_LOSS", trigger_price=101.0, limit_price=101.5))
        run.move(a_tick(103.0, after_s=1))
        again = run.again()

        assert (again.find("A-1").is_triggered, again.find("A-1").state) == (True, "OPEN")
        assert trades(again.move(a_tick(100.5, after_s=2))) == [(10, 101.5)]

    def test_has_an_immediate_order_on_its_way_as_one_that_meets_the_first_tick(self, a_tick, an_order, trades):
        run = Run(Matching(tick_size_rupees=0.05, run=1, now_ns=1, model=FillModel(latency_ns=10**9)))
        run.move(a_tick(100.0))
        run.place(an_order("A-1", limit_price=99.0, validity="IOC"))
        again = run.again()

        assert (again.find("A-1").state, again.resting) == ("OPEN", 1)
        assert [each.execution_type for each in again.move(a_tick(100.0, after_s=2))] == ["CANCELLED"]

    def test_has_an_order_of_either_validity_ending_with_its_day(self, matching, a_tick, an_order):
        run = Run(matching)
        run.move(a_tick(100.0))
        stop = {"order_type": "STOP_LOSS_MARKET", "trigger_price": 101.0}
        for validity in ("DAY", "IOC"):
            run.place(an_order(validity, validity=validity, **stop))
        again = run.again()

        ended = [(each.client_order_id, each.execution_type) for each in again.end_day(again.next_end_ns)]
        assert ended == [("DAY", "EXPIRED"), ("IOC", "EXPIRED")]

    def test_has_an_immediate_order_ended_that_has_met_its_tick(self, matching, a_tick, an_order):
        run = Run(matching)
        run.move(a_tick(100.0, asks=[(100.0, 3)]))
        run.place(an_order("A-1", quantity=10, limit_price=100.0, validity="IOC"))
        again = run.again()

        assert (again.find("A-1").state, len(again.find("A-1").reports), again.resting) == ("CANCELLED", 1, 0)

    def test_has_an_order_that_was_filled_while_a_change_was_on_its_way(self, matching, a_tick, an_order):
        """The book of record holds it open: the change may have raised its quantity. The exchange never heard of it."""
        run = Run(matching)
        run.move(a_tick(100.0, bids=[(99.95, 5)], asks=[(100.05, 5)]))
        run.place(an_order("A-1", quantity=1, limit_price=99.95))
        run.facts.append(
            ModificationIntended(
                client_order_id="A-1", number=1, quantity=2, limit_price=99.95, trigger_price=None, occurred_ns=1
            )
        )
        run.move(a_tick(99.9, bids=[(99.85, 5)], asks=[(99.9, 5)], after_s=1))
        again = run.again()

        assert again.find("A-1") == run.matching.find("A-1")
        assert (again.find("A-1").state, again.resting) == ("FILLED", 0)
        assert again.move(a_tick(99.0, bids=[(98.9, 5)], asks=[(99.0, 5)], after_s=2)) == []

    def test_trades_on_as_it_would_have(self, run, a_tick):
        again = run.again()
        rest = [
            a_tick(100.0, bids=[(100.0, 9)], asks=[(100.2, 1)], after_s=2),
            a_tick(100.2, bids=[(100.2, 12)], asks=[(100.3, 1)], after_s=3),
            a_tick(99.0, bids=[(98.9, 1)], asks=[(99.0, 1)], after_s=4),
        ]

        def told(matching):
            return [
                (report.client_order_id, report.quantity, report.price, report.leaves_quantity)
                for tick in rest
                for report in matching.move(tick)
            ]

        wanted = told(run.matching)
        assert [name for name, *_ in wanted] == ["market", "once", "better", "later", "twice"]
        assert told(again) == wanted


class TestAStopOfBefore:
    @pytest.mark.parametrize("price", [99.0, 100.95])
    def test_waits_for_its_trigger(self, matching, a_tick, an_order, trades, price):
        run = Run(matching)
        run.move(a_tick(100.0))
        run.place(an_order("stop", order_type="STOP_LOSS_MARKET", trigger_price=101.0))
        again = run.again()

        assert again.move(a_tick(price, after_s=1)) == []
        assert trades(again.move(a_tick(101.5, after_s=2))) == [(10, 101.5)]

    def test_that_has_met_its_trigger_rests_at_its_limit(self, matching, a_tick, an_order, trades):
        run = Run(matching)
        run.move(a_tick(100.0))
        run.place(an_order("stop", order_type="STOP_LOSS", trigger_price=102.0, limit_price=102.05))
        assert trades(run.move(a_tick(103.0, after_s=1))) == []
        again = run.again()

        again.move(a_tick(103.0, after_s=2))
        assert trades(again.move(a_tick(101.0, after_s=3))) == [(10, 102.05)]

    def test_that_has_traded_has_met_its_trigger_whoever_heard_of_that(self, matching, a_tick, an_order, trades):
        run = Run(matching)
        run.move(a_tick(100.0))
        run.place(an_order("stop", order_type="STOP_LOSS", trigger_price=101.0, limit_price=101.05))
        run.move(a_tick(101.0, bids=[(100.95, 1)], asks=[(101.0, 4)], after_s=1))
        assert any(isinstance(fact, OrderTriggered) for fact in run.facts)
        run.facts = [fact for fact in run.facts if not isinstance(fact, OrderTriggered)]
        again = run.again()

        tick = a_tick(100.0, bids=[(99.95, 1)], asks=[(100.0, 9)], after_s=2)
        assert trades(again.move(tick)) == trades(run.matching.move(tick)) == [(6, 101.05)]


class TestAChangedOrderOfBefore:
    def test_rests_as_it_was_changed_behind_those_that_it_has_joined(self, matching, a_tick, an_order):
        run = Run(matching)
        run.move(a_tick(100.0, bids=[(99.9, 1)], asks=[(100.1, 1)]))
        for name, limit_price in (("changed", 99.0), ("other", 99.5)):
            run.place(an_order(name, limit_price=limit_price))
        change = ReplaceRequest(client_order_id="changed", quantity=12, order_type="LIMIT", limit_price=99.5)
        run.matching.replace(change)
        told = {
            "number": 1,
            "quantity": 12,
            "limit_price": 99.5,
            "trigger_price": None,
            "occurred_ns": run.facts[-1].occurred_ns,
        }
        run.facts.append(OrderModified(client_order_id="changed", **told))
        again = run.again()

        for each in (run.matching, again):
            reports = each.move(a_tick(99.4, bids=[(99.3, 1)], asks=[(99.4, 15)], after_s=1))
            assert [(report.client_order_id, report.quantity, report.price) for report in reports] == [
                ("other", 10, 99.5),
                ("changed", 5, 99.5),
            ]

    @pytest.mark.parametrize(
        ("first", "change", "keeps"),
        [
            ({"limit_price": 99.5}, {"limit_price": 99.5, "quantity": 8}, True),
            ({"limit_price": 99.5}, {"limit_price": 99.5, "quantity": 10}, True),
            ({"limit_price": 99.5}, {"limit_price": 99.5, "quantity": 11}, False),
            ({"limit_price": 99.0}, {"limit_price": 99.5, "quantity": 10}, False),
            ({"limit_price": 99.0}, {"limit_price": 99.5, "quantity": 8}, False),
        ],
        ids=str,
    )
    def test_keeps_its_place_only_where_no_more_than_its_quantity_has_become_less(  # noqa: PLR0913, PLR0917
        self, matching, a_tick, an_order, first, change, keeps
    ):
        run = Run(matching)
        run.move(a_tick(100.0, bids=[(99.9, 1)], asks=[(100.1, 1)]))
        for name, terms in (("changed", first), ("other", {"limit_price": 99.5})):
            run.place(an_order(name, **terms))
        run.matching.replace(ReplaceRequest(client_order_id="changed", order_type="LIMIT", **change))
        at_ns = run.facts[-1].occurred_ns
        run.facts.append(
            OrderModified(client_order_id="changed", number=1, trigger_price=None, occurred_ns=at_ns, **change)
        )
        again = run.again()

        for each in (run.matching, again):
            reports = each.move(a_tick(99.4, bids=[(99.3, 1)], asks=[(99.4, 5)], after_s=1))
            assert [report.client_order_id for report in reports] == (["changed"] if keeps else ["other"])

    @pytest.mark.parametrize(
        ("before", "change"),
        [({"trigger_price": 100.6}, {}), ({"trigger_price": 100.4}, {}), ({}, {"quantity": 11}), ({}, {"quantity": 8})],
        ids=str,
    )
    def test_that_is_a_stop_of_another_trigger_comes_behind_those_that_had_theirs(
        self, matching, a_tick, an_order, before, change
    ):
        """A quantity that has become less costs it nothing, as of an order with a limit."""
        terms = {"order_type": "STOP_LOSS", "limit_price": 101.0, "trigger_price": 100.5}
        run = Run(matching)
        run.move(a_tick(100.0, bids=[(99.9, 1)], asks=[(100.1, 1)]))
        for name, fields in (("changed", terms | before), ("other", terms)):
            run.place(an_order(name, **fields))
        run.matching.replace(ReplaceRequest(client_order_id="changed", **({"quantity": 10} | terms | change)))
        told = {"quantity": 10, "limit_price": 101.0, "trigger_price": 100.5} | change
        at_ns = run.facts[-1].occurred_ns
        run.facts.append(OrderModified(client_order_id="changed", number=1, occurred_ns=at_ns, **told))
        again = run.again()

        for each in (run.matching, again):
            reports = each.move(a_tick(100.6, bids=[(100.5, 1)], asks=[(100.7, 5)], after_s=1))
            traded = [report.client_order_id for report in reports if report.execution_type == "TRADE"]
            assert traded == (["changed"] if change == {"quantity": 8} else ["other"])


class TestANewAccount:
    def test_has_none_of_the_orders_of_others(self, matching, a_tick, an_order):
        run = Run(matching)
        run.move(a_tick(100.0))
        run.place(an_order("A-1", limit_price=99.0))
        remembered = {choice: Remembered(choice) for choice in ("session", "new")}
        for choice, each in remembered.items():
            for fact in run.facts:
                each.apply(fact)
            assert len(each.orders()) == (choice == "session")

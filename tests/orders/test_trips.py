"""What takes the right to open positions away, in the actor that trades: until a person gives it back."""

from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from natya_builders import a_tick
from natya_order_facts import asked, intended, modified

from natya.actors.orders import OrdersActor
from natya.actors.orders.book import Book
from natya.actors.orders.parts import limiting
from natya.actors.orders.parts.due import WatchDue
from natya.actors.orders.rules import sent, warned
from natya.domain.time import DAY_NS, SECOND_NS
from natya.messages.broker import ClockCompared, OrderInDoubt, OrderNotPlaced, OrdersLeft, PlaceOrder, WithdrawOrder
from natya.messages.orders import OrderIntended, OrderRefused
from natya.messages.risk_state import Resume, Resumed, ResumeRefused, RiskStateChanged

LOSS = {"day_loss_max_rupees": 500.0, "position_max": 10_000, "value_max_rupees": 1e6}


@pytest.fixture
def trading(stage, make):
    """Ten shares held, bought at 100 rupees."""

    def build(price=100.0, **limits):
        stage.open(**limits)
        tick(stage, price)
        stage.place(make.order("A-1", quantity=10))
        stage.tell(make.report(quantity=10, price=100.0))
        stage.settle()
        return stage

    return build


def tick(stage, price, **fields):
    stage.tell(a_tick(price=price, **{"exchange_ns": stage.system.base.clock.now_ns()} | fields))
    stage.settle()


def state(stage):
    stage.settle()
    return stage.statistics.risk_state


def changes(stage):
    return [(fact.state, fact.changed_by) for fact in stage.disk.facts if isinstance(fact, RiskStateChanged)]


def cause(stage):
    return next(fact.cause for fact in reversed(stage.disk.facts) if isinstance(fact, RiskStateChanged))


def refusals(stage):
    return [(fact.client_order_id, fact.rule) for fact in stage.disk.facts if isinstance(fact, OrderRefused)]


def resume(stage):
    stage.tell(Resume(reason="looked into it", person="asha"), stage.strategy)
    while not isinstance(answer := stage.strategy.receive(), Resumed | ResumeRefused):
        pass
    return answer


def restart(stage, make, **limits):
    stage.system.stop("orders")
    stage.system.start("orders", OrdersActor, make.limits(**{"lookup_interval_s": 0.02} | limits))
    stage.settle()


class TestTheLossOfTheDay:
    def test_reduces_by_prices_alone_while_nobody_orders(self, trading, monkeypatch):
        monkeypatch.setattr(limiting, "WATCH_S", 0.02)
        stage = trading(**LOSS)
        tick(stage, 50.05)
        assert state(stage) == "NORMAL"
        tick(stage, 50.0)
        stage.wait_until(lambda: state(stage) == "REDUCING")

        assert changes(stage) == [("REDUCING", "orders")]
        assert (
            cause(stage) == "day_loss_max_rupees: 500.00 rupees lost today, limit 500.00: 0.00 realised, -500.00 open"
        )

    def test_is_looked_at_each_second_while_nobody_orders(self, make):
        waits, limits = [], make.limits(**LOSS)
        context = SimpleNamespace(settings=limits, market_rules=False, after=lambda *what: waits.append(what))
        limiting.Limiting(context, None, None)

        assert waits == [(1.0, WatchDue())]

    def test_lets_only_orders_pass_that_close(self, trading, make):
        stage = trading(**LOSS)
        tick(stage, 50.0)
        for order in (make.order("A-2"), make.order("A-3"), make.order("A-4", side="SELL", quantity=10)):
            stage.submit(order)
        stage.settle()

        # The first order finds the loss; the next one finds REDUCING, whose rule comes first.
        assert refusals(stage) == [("A-2", "day_loss_max_rupees"), ("A-3", "risk_state")]
        assert stage.disk.kinds("A-4")[0] is OrderIntended

    def test_reduces_when_a_trade_makes_it(self, trading, make):
        stage = trading(**LOSS)
        stage.place(make.order("A-2", side="SELL", quantity=10), "B-2")
        stage.tell(
            make.report(client_order_id="A-2", execution_id="T-2", quantity=10, price=50.0, broker_order_id="B-2")
        )

        assert state(stage) == "REDUCING"
        assert "-500.00 realised, 0.00 open" in cause(stage)

    def test_halts_at_twice_the_limit_and_cancels_every_open_order(self, trading, make):
        stage = trading(**LOSS | {"day_loss_max_rupees": 400.0})
        stage.place(make.order("R-1", quantity=1, order_type="LIMIT", limit_price=1.0), "B-2")
        stage.settle()
        tick(stage, 20.0)
        stage.submit(make.order("A-2"))
        assert state(stage) == "HALTED"
        stage.submit(make.order("A-3", side="SELL", quantity=10))
        stage.settle()

        assert changes(stage) == [("HALTED", "orders")]
        assert stage.asked_next(WithdrawOrder).client_order_id == "R-1"
        assert refusals(stage) == [("A-2", "day_loss_max_rupees"), ("A-3", "risk_state")]
        assert [fact.cancels_open for fact in stage.disk.facts if isinstance(fact, RiskStateChanged)] == [True]

    def test_is_that_of_the_day_also_after_a_restart(self, trading, make):
        stage = trading(**LOSS)
        tick(stage, 50.0)
        stage.submit(make.order("A-2"))
        stage.settle()
        restart(stage, make, **LOSS)

        assert state(stage) == "REDUCING"
        assert changes(stage) == [("REDUCING", "orders")]

    def test_is_not_known_after_a_restart_until_the_market_has_a_price(self, trading, make):
        stage = trading(**LOSS)
        restart(stage, make, **LOSS)
        stage.submit(make.order("A-2", quantity=1, reference_price=100.0))
        stage.settle()
        tick(stage, 100.0)
        stage.submit(make.order("A-3", quantity=1))
        stage.settle()

        assert refusals(stage) == [("A-2", "value_max_rupees")]
        assert stage.disk.kinds("A-3")[0] is OrderIntended

    def test_is_over_when_it_is_and_a_person_says_so(self, trading, make):
        stage = trading(**LOSS)
        tick(stage, 50.0)
        stage.submit(make.order("A-2"))
        stage.settle()
        assert isinstance(resume(stage), Resumed)
        stage.submit(make.order("A-3"))
        assert state(stage) == "REDUCING"
        tick(stage, 100.0)
        assert isinstance(resume(stage), Resumed)
        stage.submit(make.order("A-4"))

        assert state(stage) == "NORMAL"
        assert stage.disk.kinds("A-4")[0] is OrderIntended


class TestRejectedOrders:
    @pytest.mark.parametrize(("count", "after"), [(2, "NORMAL"), (3, "REDUCING")])
    def test_are_a_storm_when_there_are_too_many(self, stage, make, count, after):
        stage.open(rejects_max=3)
        for number in range(count):
            stage.submit(make.order(f"A-{number}", quantity=number + 1))
            assert isinstance(stage.broker.receive(), PlaceOrder)
            stage.tell(OrderNotPlaced(client_order_id=f"A-{number}", reason="margin"))
        assert state(stage) == after
        stage.submit(make.order("B-1"))
        stage.settle()

        assert (stage.disk.kinds("B-1") == [OrderRefused]) == (after == "REDUCING")

    def test_count_on_after_a_restart(self, stage, make):
        now_ns = stage.system.base.clock.now_ns()
        for number in range(2):
            stage.disk.facts += [
                make.intent(f"A-{number}", occurred_ns=now_ns),
                replace(make.rejected(f"A-{number}"), occurred_ns=now_ns),
            ]
        stage.open(rejects_max=3)
        stage.submit(make.order("A-9"))
        assert isinstance(stage.broker.receive(), PlaceOrder)
        assert state(stage) == "NORMAL"
        stage.tell(OrderNotPlaced(client_order_id="A-9", reason="margin"))

        assert state(stage) == "REDUCING"


class TestOrdersInDoubt:
    @pytest.mark.parametrize(("count", "after"), [(2, "NORMAL"), (3, "REDUCING")])
    def test_reduce_when_there_are_too_many(self, stage, make, count, after):
        stage.open(unknown_orders_max=3, lookup_interval_s=60.0)
        for number, symbol in enumerate(("INFY", "TCS", "SBIN")[:count]):
            stage.submit(make.order(f"A-{number}", symbol=symbol))
            assert isinstance(stage.broker.receive(), PlaceOrder)
        for number in range(count):
            stage.tell(OrderInDoubt(client_order_id=f"A-{number}", reason="no answer"))

        assert state(stage) == after
        assert changes(stage) == ([("REDUCING", "orders")] if after == "REDUCING" else [])
        if after == "REDUCING":
            assert cause(stage) == "unknown_orders_max: 3 orders in doubt, limit 3: in INFY, SBIN, TCS"

    def test_are_over_when_they_are_known_and_a_person_says_so(self, stage, make):
        stage.open(unknown_orders_max=1, lookup_interval_s=60.0)
        stage.submit(make.order("A-1"))
        assert isinstance(stage.broker.receive(), PlaceOrder)
        stage.tell(OrderInDoubt(client_order_id="A-1", reason="no answer"))
        assert state(stage) == "REDUCING"
        stage.tell(make.report(quantity=10))
        assert state(stage) == "REDUCING"

        assert isinstance(resume(stage), Resumed)
        assert state(stage) == "NORMAL"


class TestOrdersThatLeft:
    """One request out for each intent in: whatever else left is nobody's order."""

    def test_are_those_that_were_to_leave(self, stage, make):
        stage.open().place(make.order("A-1"))
        stage.tell(OrdersLeft(counts=(("A-1", 1),)))

        assert state(stage) == "NORMAL"

    @pytest.mark.parametrize(
        ("counts", "found"),
        [
            ((("A-1", 1), ("X-9", 1)), "1 without an intent: X-9"),
            ((("A-1", 2),), "1 more than once: A-1 2 times"),
            ((("X-9", 2),), "1 without an intent: X-9; 1 more than once: X-9 2 times"),
            (tuple((f"X-{n}", 1) for n in range(5)), "5 without an intent: X-0, X-1, X-2 and 2 more"),
        ],
    )
    def test_halt_where_others_left_and_cancel_every_open_order(self, stage, make, counts, found):
        stage.open().place(make.order("A-1"))
        stage.tell(OrdersLeft(counts=counts))

        assert state(stage) == "HALTED"
        assert changes(stage) == [("HALTED", "orders")]
        assert [fact.cancels_open for fact in stage.disk.facts if isinstance(fact, RiskStateChanged)] == [True]
        assert cause(stage) == f"sent: one order out for each intent in wanted, found {found}"
        assert stage.asked_next(WithdrawOrder).client_order_id == "A-1"

    @pytest.mark.parametrize(("left", "more"), [(1, ""), (3, ""), (4, " and 1 more")])
    def test_are_named_up_to_three(self, left, more):
        told = ", ".join(f"X-{number}" for number in range(min(left, 3)))

        found = sent(((f"X-{number}", 1) for number in range(left)), lambda _: False)
        assert found.cause.endswith(f"found {left} without an intent: {told}{more}")

    def test_halt_where_the_gate_had_refused_it(self, stage, make):
        stage.open(quantity_max=1).submit(make.order("A-1", quantity=2))
        stage.settle()
        stage.tell(OrdersLeft(counts=(("A-1", 1),)))

        assert refusals(stage) == [("A-1", "quantity_max")]
        assert state(stage) == "HALTED"

    def test_are_still_those_after_a_restart(self, stage, make):
        stage.open().place(make.order("A-1"))
        stage.settle()
        restart(stage, make)
        stage.tell(OrdersLeft(counts=(("A-1", 1),)))
        stage.settle()
        assert changes(stage) == []
        stage.tell(OrdersLeft(counts=(("A-1", 2),)))

        assert state(stage) == "HALTED"


class TestChangesThatLeft:
    @pytest.fixture
    def changed(self, stage, make):
        """An open order of which one change was to leave."""
        stage.open(make.intent("A-1"), make.accepted("A-1", "B-1"), intended(1, quantity=11), modified(1, quantity=11))
        return stage

    def test_are_those_that_were_to_leave(self, changed):
        changed.tell(OrdersLeft(counts=(), changes=(("A-1", "B-1", 1),)))

        assert state(changed) != "HALTED"
        assert changes(changed) == []

    @pytest.mark.parametrize(
        ("change", "found"),
        [
            (("A-1", "B-1", 2), "2 of A-1, of which 1 were to leave"),
            (("A-1", "B-9", 1), "one of A-1 sent to B-9"),
            (("X-1", "B-1", 1), "one of X-1 sent to B-1"),
        ],
        ids=["more", "another order's", "nobody's"],
    )
    def test_halt_where_others_left(self, changed, change, found):
        changed.tell(OrdersLeft(counts=(), changes=(change,)))

        assert state(changed) == "HALTED"
        assert cause(changed) == f"sent: one change out for each intent in wanted, found {found}"


class TestAClockThatIsOff:
    def test_lets_nothing_open_until_it_is_right_again(self, stage, make):
        stage.open(clock_skew_max_s=2.0)
        stage.place(make.order("A-1"))
        stage.tell(make.report(quantity=10))
        stage.settle()
        stage.tell(ClockCompared(skew_s=2.5, as_of_ns=1_791_181_800 * SECOND_NS))
        for order in (make.order("A-2"), make.order("A-3", side="SELL", quantity=10)):
            stage.submit(order)
        stage.settle()
        stage.tell(ClockCompared(skew_s=0.0, as_of_ns=1_791_181_900 * SECOND_NS))
        stage.submit(make.order("A-4"))
        stage.settle()

        assert refusals(stage) == [("A-2", "clock_skew_max_s")]
        assert stage.disk.kinds("A-4")[0] is OrderIntended
        (refused,) = [fact for fact in stage.disk.facts if isinstance(fact, OrderRefused)]
        assert "found +2.5 s: 2026-10-05 " in refused.reason

    def test_is_still_off_when_orders_has_failed(self, stage, make):
        stage.open(clock_skew_max_s=2.0)
        stage.tell(ClockCompared(skew_s=2.5, as_of_ns=1_791_181_800 * SECOND_NS))
        reads, stage.disk.mode = stage.disk.reads, "fail"
        stage.submit(make.order("A-1", side="SELL", strategy="other"))
        stage.wait_until(lambda: stage.disk.reads > reads)
        stage.disk.mode = "write"
        stage.wait_until(lambda: hasattr(stage.statistics, "risk_state"))
        stage.submit(make.order("A-2"))
        stage.settle()

        assert ("A-2", "clock_skew_max_s") in refusals(stage)


class TestOrdersThatAreAlike:
    def test_reduce_when_there_is_one_too_many(self, stage, make):
        stage.open(repeats_max=2)
        for number in range(3):
            stage.submit(make.order(f"A-{number}"))
        assert state(stage) == "REDUCING"

        assert refusals(stage) == [("A-2", "repeats_max")]
        assert cause(stage) == "repeats_max: at most 2 orders alike in 10 s wanted, found 3 with this"


class TestTheOrdersOfADay:
    def test_are_as_many_after_a_restart_as_before(self, stage, make):
        limits = {"strategy_orders_a_day_max": 2}
        stage.open(**limits)
        stage.place(make.order("A-1", quantity=1))
        stage.tell(make.report(quantity=1))
        stage.settle()
        restart(stage, make, **limits)
        for number in range(2, 5):
            stage.submit(make.order(f"A-{number}", quantity=number))
        stage.settle()

        assert stage.disk.kinds("A-2")[0] is OrderIntended
        assert refusals(stage) == [("A-3", "strategy_orders_a_day_max"), ("A-4", "strategy_orders_a_day_max")]


class TestAPriceOfTheMarket:
    def test_is_not_taken_from_a_strategy(self, stage, make):
        stage.open(price_age_max_s=3.0)
        stage.submit(make.order("A-1", reference_ns=stage.system.base.clock.now_ns()))
        stage.settle()
        assert refusals(stage) == [("A-1", "price_age_max_s")]
        tick(stage, 100.0)
        stage.submit(make.order("A-2", reference_price=0.05))
        stage.settle()

        assert stage.disk.kinds("A-2")[0] is OrderIntended

    def test_of_a_time_that_has_not_come_does_not_stay_the_last(self, stage, make):
        stage.open(price_collar_percent=2.0, price_age_max_s=3.0)
        now_ns = stage.system.base.clock.now_ns()
        tick(stage, 200.0, exchange_ns=now_ns + 3_600 * SECOND_NS)
        stage.submit(make.order("A-1"))
        stage.settle()
        tick(stage, 100.0, exchange_ns=now_ns)
        for number, limit_price in ((2, 150.0), (3, 101.0)):
            stage.submit(make.order(f"A-{number}", order_type="LIMIT", limit_price=limit_price))
        stage.settle()

        assert refusals(stage) == [("A-1", "price_age_max_s"), ("A-2", "price_collar_percent")]
        assert stage.disk.kinds("A-3")[0] is OrderIntended

    def test_that_comes_late_does_not_replace_a_newer_one(self, stage, make):
        stage.open(price_collar_percent=2.0)
        now_ns = stage.system.base.clock.now_ns()
        tick(stage, 100.0, exchange_ns=now_ns)
        tick(stage, 200.0, exchange_ns=now_ns - SECOND_NS)
        stage.submit(make.order("A-1", order_type="LIMIT", limit_price=150.0))
        stage.settle()

        assert refusals(stage) == [("A-1", "price_collar_percent")]


class TestMessagesForEachTrade:
    """Orders, modifications and cancellations of a day, divided by its trades."""

    @staticmethod
    def day(make, *, orders, cancelled=0, modified=0, traded=0):
        book = Book()
        for number in range(orders):
            name = f"A-{number}"
            book.apply(make.intent(name, occurred_ns=0))
            if number < modified:
                book.apply(make.accepted(name))
                book.apply(replace(intended(1, limit_price=99.0), client_order_id=name))
            elif number < modified + cancelled:
                book.apply(make.accepted(name))
                book.apply(replace(asked(1), client_order_id=name))
            elif number < modified + cancelled + traded:
                book.apply(replace(make.filled(name, trade_id=f"T-{number}", quantity=10)))
        return book

    @pytest.mark.parametrize(
        ("orders", "cancelled", "traded", "is_warned"),
        [
            (60, 40, 5, False),  # exactly 20
            (61, 40, 5, True),
            (101, 0, 5, True),
            (60, 39, 4, False),  # 99 messages say nothing yet
            (60, 40, 4, True),
            (100, 0, 0, True),
        ],
    )
    def test_are_told_above_the_limit_from_the_hundredth_on(self, make, orders, cancelled, traded, is_warned):
        book = self.day(make, orders=orders, cancelled=cancelled, traded=traded)

        assert bool(warned(book, make.limits(order_to_trade_max=20.0), 0)) == is_warned

    def test_name_what_was_counted(self, make):
        book = self.day(make, orders=60, cancelled=30, modified=12, traded=5)

        assert warned(book, make.limits(order_to_trade_max=20.0), 0) == (
            "order_to_trade_max: at most 20 messages for each trade today wanted, found 20.4: "
            "60 orders, 42 modifications and cancellations, 5 trades"
        )

    def test_are_those_of_one_day(self, make):
        book = self.day(make, orders=101)
        limits = make.limits(order_to_trade_max=20.0)
        assert warned(book, limits, 0)

        assert warned(book, limits, 2 * DAY_NS) == ""
        assert book.today(2 * DAY_NS).changes == 0

    def test_are_no_matter_without_a_limit(self, make):
        assert warned(self.day(make, orders=101), make.limits(), 0) == ""

    def test_are_a_trouble_of_orders_while_all_orders_pass_and_after_a_restart(self, stage, make, monkeypatch):
        monkeypatch.setattr(limiting, "WATCH_S", 0.02)
        now_ns = stage.system.base.clock.now_ns()
        for number in range(101):
            stage.disk.facts += [
                make.intent(f"A-{number}", occurred_ns=now_ns),
                replace(make.rejected(f"A-{number}"), occurred_ns=now_ns),
            ]
        stage.open(order_to_trade_max=20.0)
        stage.wait_until(lambda: "order_to_trade_max: at most 20" in stage.system.base.find("orders").instance.trouble)
        stage.submit(make.order("B-1"))

        assert isinstance(stage.broker.receive(), PlaceOrder)
        assert state(stage) == "NORMAL"

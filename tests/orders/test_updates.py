"""From the broker's words to facts: nothing twice, nothing lost, whatever the order of the words."""

import functools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from natya_builders import BUILDERS

from natya.actors.orders import updates
from natya.actors.orders.book import Book
from natya.domain.orders import Order, advance
from natya.domain.transitions import IllegalTransition
from natya.messages.broker import (
    ExecutionReport,
    FindOrder,
    OrderFound,
    OrderInDoubt,
    OrderNotPlaced,
    OrderPlaced,
    WithdrawOrder,
)
from natya.messages.order_listing import SettleOrder
from natya.messages.orders import (
    CancellationIntended,
    CancellationRefused,
    CancellationUncertain,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderIntended,
    OrderRejected,
    OrderTriggered,
    OrderUncertain,
)

INTENT = OrderIntended(
    client_order_id="A-1",
    strategy="crossover",
    symbol="INFY",
    side="BUY",
    quantity=10,
    order_type="MARKET",
    limit_price=None,
    occurred_ns=1_000,
)
S_NS = 1_000_000_000


@pytest.fixture
def order():
    def build(*facts):
        return functools.reduce(advance, facts, Order.from_intent(INTENT))

    return build


def from_lookup(order, found):
    return updates.from_lookup(order, found, 5, age_ns=5, horizon_ns=100)


def kinds(update):
    return [type(fact) for fact in update.facts]


class TestWhatTheBrokerIsAsked:
    def test_tells_all_that_helps_to_find_the_order(self, order):
        accepted = OrderAccepted(client_order_id="A-1", broker_order_id="B-1", occurred_ns=2)
        fill = OrderFilled(
            client_order_id="A-1",
            trade_id="T-1",
            strategy="crossover",
            symbol="INFY",
            side="BUY",
            quantity=4,
            price=100.0,
            cumulative_quantity=4,
            occurred_ns=3,
        )

        assert updates.to_find(order(accepted, fill)) == FindOrder(
            client_order_id="A-1",
            symbol="INFY",
            side="BUY",
            quantity=10,
            broker_order_id="B-1",
            filled=4,
            intended_ns=1_000,
        )
        assert updates.to_withdraw(order(accepted)) == WithdrawOrder(client_order_id="A-1", broker_order_id="B-1")


class TestAStop:
    @pytest.mark.parametrize("told", [True, False, None])
    def test_whose_trigger_was_met_unheard_is_triggered_by_a_look_up_once(self, order, told):
        accepted = replace(
            order(OrderAccepted(client_order_id="A-1", broker_order_id="B-1", occurred_ns=2)), order_type="STOP"
        )
        found = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN", is_triggered=told)
        triggered = OrderTriggered(client_order_id="A-1", occurred_ns=5)

        assert from_lookup(accepted, found).facts == ((triggered,) if told else ())
        assert from_lookup(advance(accepted, triggered), found).facts == ()


class TestAnAnswerThatAnOrderWasNotPlaced:
    ACCEPTED = OrderAccepted(client_order_id="A-1", broker_order_id="B-1", occurred_ns=2)
    REJECTED = OrderRejected(client_order_id="A-1", reason="no margin", occurred_ns=3)
    EXPIRED = OrderExpired(client_order_id="A-1", reason="unknown to the broker", occurred_ns=3)

    @pytest.mark.parametrize(
        ("facts", "said"),
        [
            ((), [OrderRejected]),
            ((OrderUncertain(client_order_id="A-1", reason="time-out", occurred_ns=2),), [OrderRejected]),
            ((REJECTED,), []),
            ((ACCEPTED, REJECTED), []),
            ((EXPIRED,), []),
            ((ACCEPTED,), "refused"),
            ((ACCEPTED, EXPIRED), "refused"),
            ((BUILDERS.filled(quantity=4),), "refused"),
        ],
        ids=[
            *("", "in doubt", "rejected", "taken and rejected", "never there"),
            *("taken", "taken and over", "traded"),
        ],
    )
    def test_cannot_be_of_one_that_the_broker_is_known_to_have_unless_it_has_rejected_it(self, order, facts, said):
        answer = OrderNotPlaced(client_order_id="A-1", reason="no margin")
        update = updates.from_answer(order(*facts), answer, 5)

        assert (kinds(update), len(update.illegal)) == (([], 1) if said == "refused" else (said, 0))


class TestAFact:
    """Carries what the broker said, and when: by the exchange's clock where it told, else by ours."""

    def test_of_an_answer_tells_the_number_or_the_reason(self, order):
        placed = OrderPlaced(client_order_id="A-1", broker_order_id="B-1")
        not_placed = OrderNotPlaced(client_order_id="A-1", reason="no margin")
        doubt = OrderInDoubt(client_order_id="A-1", reason="time-out")

        assert [updates.from_answer(order(), answer, 5).facts for answer in (placed, not_placed, doubt)] == [
            (OrderAccepted(client_order_id="A-1", broker_order_id="B-1", occurred_ns=5),),
            (OrderRejected(client_order_id="A-1", reason="no margin", occurred_ns=5),),
            (OrderUncertain(client_order_id="A-1", reason="time-out", occurred_ns=5),),
        ]

    @pytest.mark.parametrize(
        ("told_ns", "occurred_ns"), [(3_000, 3_000), (0, 5), (3 * S_NS + 5, 3 * S_NS + 5), (3 * S_NS + 6, 5)]
    )
    def test_of_a_trade_tells_the_order_and_the_trade(self, order, make, told_ns, occurred_ns):
        report = make.report(quantity=4, price=99.5, occurred_ns=told_ns)

        assert updates.from_report(order(make.filled(trade_id="T-0", quantity=3)), report, 5).facts == (
            OrderAccepted(client_order_id="A-1", broker_order_id="B-1", occurred_ns=5),
            OrderFilled(
                client_order_id="A-1",
                trade_id="T-1",
                strategy="crossover",
                symbol="INFY",
                side="BUY",
                quantity=4,
                price=99.5,
                cumulative_quantity=7,
                occurred_ns=occurred_ns,
            ),
        )

    @pytest.mark.parametrize(
        ("kind", "fact"), [("CANCELLED", OrderCancelled), ("EXPIRED", OrderExpired), ("REJECTED", OrderRejected)]
    )
    def test_of_an_end_tells_why_and_when(self, order, make, kind, fact):
        for told_ns, occurred_ns in ((3_000, 3_000), (0, 5)):
            report = make.report(kind, reason="so it is", occurred_ns=told_ns)

            assert updates.from_report(order(make.accepted()), report, 5).facts == (
                fact(client_order_id="A-1", reason="so it is", occurred_ns=occurred_ns),
            )

    @pytest.mark.parametrize(("told_ns", "occurred_ns"), [(3_000, 3_000), (0, 5)])
    def test_of_a_trigger_or_of_a_cancellation_that_was_refused_tells_when(self, order, make, told_ns, occurred_ns):
        asked = CancellationIntended(client_order_id="A-1", number=1, asked_by="me", occurred_ns=1)
        stop = replace(order(make.accepted(), asked), order_type="STOP")
        triggered, refused = (
            updates.from_report(stop, make.report(kind, reason="so it is", occurred_ns=told_ns), 5).facts
            for kind in ("TRIGGERED", "CANCEL_REJECTED")
        )

        assert triggered == (OrderTriggered(client_order_id="A-1", occurred_ns=occurred_ns),)
        assert refused == (
            CancellationRefused(
                client_order_id="A-1", number=1, rule="broker", reason="so it is", occurred_ns=occurred_ns
            ),
        )


class TestATradeThatCannotBe:
    """Said of an order that the session did not place itself: only the book knows what was ordered."""

    WRONG = (
        {"quantity": 11},
        {"quantity": 0},
        {"quantity": -3},
        {"quantity": 4, "price": 0.0},
        {"quantity": 4, "price": -0.05},
        {"quantity": 4, "price": math.nan},
        {"quantity": 4, "price": math.inf},
        {"quantity": 4, "execution_id": ""},
        {"quantity": 4, "cumulative_quantity": 11},
        {"quantity": 4, "cumulative_quantity": 3},
    )

    @pytest.mark.parametrize("fields", WRONG, ids=str)
    def test_is_not_booked_and_has_the_order_looked_up(self, order, make, fields):
        open_order = order(make.accepted())
        report = make.report(**fields)
        lookup = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="PART_FILLED", reports=(report,))

        for update in (updates.from_report(open_order, report, 5), from_lookup(open_order, lookup)):
            assert (update.facts, update.trades_missing) == ((), True)

    def test_does_not_end_the_order_either(self, order, make):
        report = make.report(quantity=11)
        lookup = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="CANCELLED", reports=(report,))

        assert from_lookup(order(make.accepted()), lookup).facts == ()

    def test_is_the_one_that_would_fill_more_than_was_ordered(self, order, make):
        reports = (make.report(quantity=6), make.report(execution_id="T-2", quantity=5))
        lookup = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="FILLED", reports=reports)
        update = from_lookup(order(make.accepted()), lookup)

        assert [fact.trade_id for fact in update.facts] == ["T-1"]
        assert update.trades_missing

    def test_does_not_keep_another_of_the_same_look_up_away(self, order, make):
        reports = [make.report(execution_id="T-0", quantity=0), make.report("NEW", execution_id="")]
        reports += [make.report(execution_id=f"T-{each}", quantity=2) for each in (1, 1, 2)]
        lookup = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="PART_FILLED", reports=tuple(reports))

        assert [fact.trade_id for fact in from_lookup(order(make.accepted()), lookup).facts] == ["T-1", "T-2"]

    def test_is_none_of_those_that_are_known(self, order, make):
        filled = order(make.accepted(), make.filled(quantity=10))

        assert updates.from_report(filled, make.report(quantity=10), 5) == updates.Update()


class TestATradeOfAnOrderThatAPersonHasSettled:
    """Four of ten were told to have traded, and that nothing more will."""

    @pytest.fixture
    def settled(self, order, make):
        word = make.filled(trade_id="settled by asha", quantity=4)
        return order(make.uncertain(), word, make.expired())

    @pytest.mark.parametrize(
        ("quantity", "cumulative", "new"), [(4, 4, 0), (3, 5, 1), (3, 7, 3), (2, 3, 0), (6, 10, 6), (7, 10, 6)]
    )
    def test_has_only_the_shares_that_the_settlement_has_not(self, settled, make, quantity, cumulative, new):
        report = make.report(quantity=quantity, cumulative_quantity=cumulative)
        lookup = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="PART_FILLED", reports=(report,))

        for update in (updates.from_report(settled, report, 5), from_lookup(settled, lookup)):
            trades = [fact for fact in update.facts if isinstance(fact, OrderFilled)]
            assert [(fact.quantity, fact.cumulative_quantity) for fact in trades] == [(new, 4 + new)] * bool(new)
            assert (update.trades_missing, update.illegal) == (cumulative > 4 + new, ())

    def test_that_it_has_already_does_not_keep_another_away(self, settled, make):
        reports = [make.report(execution_id="T-1", quantity=3, cumulative_quantity=3)]
        reports += [make.report(execution_id="T-2", quantity=3, cumulative_quantity=6)]
        lookup = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="PART_FILLED", reports=tuple(reports))
        trades = [fact for fact in from_lookup(settled, lookup).facts if isinstance(fact, OrderFilled)]

        assert [(fact.trade_id, fact.quantity, fact.cumulative_quantity) for fact in trades] == [("T-2", 2, 6)]

    @pytest.mark.parametrize(
        ("fields", "has_new"),
        [
            ({"quantity": 0}, False),
            ({"quantity": 4, "cumulative_quantity": 4, "price": 0.0}, False),
            ({"quantity": 6, "cumulative_quantity": 10, "price": 0.0}, True),
        ],
    )
    def test_that_cannot_be_is_refused_as_of_any_other_and_looked_up_if_it_has_new_shares(
        self, settled, make, fields, has_new
    ):
        report = make.report(**fields)
        lookup = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN", reports=(report,))
        (refused,) = updates.from_report(settled, report, 5).illegal

        assert updates.from_report(settled, report, 5).trades_missing is has_new
        assert from_lookup(settled, lookup).trades_missing is has_new
        assert (refused.client_order_id, refused.fact, refused.before, refused.after) == (
            *("A-1", "OrderFilled", "EXPIRED", "FILLED"),
        )


class TestAPersonsWord:
    @pytest.mark.parametrize(
        ("word", "quantities", "ends"),
        [
            ({"filled": 4}, [], True),
            ({"filled": 4, "price": 101.0}, [], True),
            ({"filled": 7, "price": 101.0}, [3], True),
            ({"filled": 10, "price": 101.0}, [6], False),
        ],
        ids=str,
    )
    def test_has_a_trade_of_the_shares_that_are_not_known_and_the_end_of_what_is_left(
        self, order, make, word, quantities, ends
    ):
        request = SettleOrder(client_order_id="A-1", reason="seen", person="asha", **word)
        update = updates.settled(order(make.uncertain(), make.filled(quantity=4)), request, 5)
        trades = [fact for fact in update.facts if isinstance(fact, OrderFilled)]

        assert [(fact.trade_id[:15], fact.quantity, fact.price) for fact in trades] == [
            ("settled by asha", quantity, 101.0) for quantity in quantities
        ]
        assert (kinds(update)[len(trades) :], update.illegal) == ([OrderExpired] * ends, ())


class TestAnEndOfAnOrderThatHasEnded:
    @pytest.mark.parametrize(("known", "refused"), [("cancelled", 0), ("filled", 1)])
    def test_is_refused_where_that_cannot_be(self, order, make, known, refused):
        update = updates.from_report(order(make.accepted(), getattr(make, known)()), make.report("CANCELLED"), 5)

        assert (update.facts, len(update.illegal), None in update.illegal) == ((), refused, False)


class TestAnAnswerToPlaceOrder:
    def test_becomes_its_fact(self, order):
        placed = OrderPlaced(client_order_id="A-1", broker_order_id="B-1")
        not_placed = OrderNotPlaced(client_order_id="A-1", reason="no margin")
        doubt = OrderInDoubt(client_order_id="A-1", reason="time-out")

        assert kinds(updates.from_answer(order(), placed, 5)) == [OrderAccepted]
        assert kinds(updates.from_answer(order(), not_placed, 5)) == [OrderRejected]
        assert kinds(updates.from_answer(order(), doubt, 5)) == [OrderUncertain]

    def test_says_nothing_the_second_time(self, order, make):
        placed = OrderPlaced(client_order_id="A-1", broker_order_id="B-1")
        doubt = OrderInDoubt(client_order_id="A-1", reason="time-out")

        assert updates.from_answer(order(make.accepted()), placed, 5).facts == ()
        assert updates.from_answer(order(make.uncertain()), doubt, 5).facts == ()

    def test_of_doubt_or_refusal_does_not_shake_what_the_broker_has_proved(self, order, make):
        doubt = OrderInDoubt(client_order_id="A-1", reason="time-out")
        not_placed = OrderNotPlaced(client_order_id="A-1", reason="duplicate")

        assert updates.from_answer(order(make.accepted()), doubt, 5).facts == ()
        assert updates.from_answer(order(make.filled(quantity=4)), not_placed, 5).facts == ()

    @pytest.mark.parametrize(
        ("facts", "before", "known_as"),
        [
            (("accepted",), "ACCEPTED", "'B-1'"),
            (("filled",), "FILLED", "''"),
            (("accepted", "uncertain"), "ACCEPTED", "'B-1'"),
            (("accepted", "cancelled"), "CANCELLED", "'B-1'"),
        ],
    )
    def test_that_it_was_refused_is_wrong_of_what_the_broker_has(self, order, make, facts, before, known_as):
        not_placed = OrderNotPlaced(client_order_id="A-1", reason="duplicate")
        known = order(*(getattr(make, each)() for each in facts))
        reason = f"an order unknown to the broker wanted, found it there as {known_as}: duplicate"
        refused = IllegalTransition(
            client_order_id="A-1", fact="OrderRejected", before=before, after="REJECTED", reason=reason
        )

        assert updates.from_answer(known, not_placed, 5) == updates.Update(illegal=(refused,))

    @pytest.mark.parametrize("facts", [("expired",), ("rejected",), ("accepted", "rejected")])
    def test_that_it_was_refused_is_no_news_of_what_the_broker_never_kept(self, order, make, facts):
        not_placed = OrderNotPlaced(client_order_id="A-1", reason="duplicate")

        assert updates.from_answer(order(*(getattr(make, each)() for each in facts)), not_placed, 5) == updates.Update()

    def test_that_it_was_refused_settles_a_doubt(self, order, make):
        not_placed = OrderNotPlaced(client_order_id="A-1", reason="no margin")

        assert kinds(updates.from_answer(order(make.uncertain()), not_placed, 5)) == [OrderRejected]

    def test_that_comes_behind_the_rejection_of_what_was_taken_has_it_looked_up_and_halts_nothing(self, order, make):
        placed = OrderPlaced(client_order_id="A-1", broker_order_id="B-1")

        assert updates.from_answer(order(make.rejected()), placed, 5) == updates.Update(trades_missing=True)


class TestAReport:
    def test_of_a_trade_before_the_answer_proves_that_the_broker_has_it(self, order, make):
        update = updates.from_report(order(), make.report(quantity=4), 5)

        assert kinds(update) == [OrderAccepted, OrderFilled]
        assert update.facts[1].cumulative_quantity == 4

    def test_of_the_same_trade_adds_nothing(self, order, make):
        known = order(make.accepted(), make.filled(quantity=4))

        assert updates.from_report(known, make.report(quantity=4), 5).facts == ()

    def test_of_a_rejection_proves_no_acceptance(self, order, make):
        assert kinds(updates.from_report(order(), make.report("REJECTED"), 5)) == [OrderRejected]

    def test_of_a_refused_cancel_changes_nothing(self, order, make):
        assert updates.from_report(order(), make.report("CANCEL_REJECTED"), 5).facts == ()

    @pytest.mark.parametrize("facts", [(), ("uncertain",), ("accepted",)])
    def test_of_a_refused_cancel_ends_what_was_asked_unless_the_order_is_in_doubt(self, order, make, facts):
        asked = CancellationIntended(client_order_id="A-1", number=1, asked_by="asha", occurred_ns=3)
        known = order(*(getattr(make, each)() for each in facts), asked)
        told = updates.from_report(known, make.report("CANCEL_REJECTED", reason="busy", occurred_ns=4), 5)
        refused = CancellationRefused(client_order_id="A-1", number=1, rule="broker", reason="busy", occurred_ns=4)
        doubt = CancellationUncertain(
            client_order_id="A-1",
            number=1,
            reason="the order is in doubt, and the broker refused: busy",
            occurred_ns=4,
        )

        assert told == updates.Update(facts=(refused if facts == ("accepted",) else doubt,))
        after = functools.reduce(advance, told.facts, known)
        again = updates.from_report(after, make.report("CANCEL_REJECTED", reason="busy", occurred_ns=6), 7)
        assert again == updates.Update()

    def test_of_a_cancel_ends_the_order(self, order, make):
        known = order(make.accepted())

        assert kinds(updates.from_report(known, make.report("CANCELLED"), 5)) == [OrderCancelled]

    def test_of_a_cancel_after_the_end_adds_nothing(self, order, make):
        for ended in (order(make.accepted(), make.filled(quantity=10)), order(make.accepted(), make.cancelled())):
            assert updates.from_report(ended, make.report("CANCELLED"), 5).facts == ()

    def test_that_ends_an_order_waits_for_the_trades_that_are_missing(self, order, make):
        known = order(make.accepted(), make.filled(quantity=4))
        update = updates.from_report(known, make.report("CANCELLED", cumulative_quantity=7), 5)

        assert update.facts == ()
        assert update.trades_missing

    def test_of_a_trade_shows_that_an_earlier_one_is_missing(self, order, make):
        known = order(make.accepted())
        update = updates.from_report(known, make.report(quantity=3, cumulative_quantity=7), 5)

        assert kinds(update) == [OrderFilled]
        assert update.trades_missing


@pytest.mark.parametrize("kind", ["TRADE", "REJECTED", "CANCELLED"])
def test_a_time_that_has_not_come_is_none_and_begins_no_other_day(make, kind):
    noon_ns, day_ns = 1_791_181_800 * S_NS, 86_400 * S_NS
    book = Book()
    book.apply(make.intent(occurred_ns=noon_ns))
    report = make.report(kind, quantity=10 if kind == "TRADE" else 0, occurred_ns=noon_ns + day_ns)
    facts = updates.from_report(book.order("A-1"), report, noon_ns).facts
    for fact in facts:
        book.apply(fact)

    assert {fact.occurred_ns for fact in facts} == {noon_ns}
    assert book.today(noon_ns).orders == 1


class TestALookUp:
    def test_tells_all_trades_then_the_end(self, order, make):
        found = OrderFound(
            client_order_id="A-1",
            broker_order_id="B-1",
            state="CANCELLED",
            reports=(make.report(execution_id="T-1", quantity=3), make.report(execution_id="T-2", quantity=4)),
        )
        update = from_lookup(order(make.uncertain()), found)

        assert kinds(update) == [OrderAccepted, OrderFilled, OrderFilled, OrderCancelled]
        assert [fact.cumulative_quantity for fact in update.facts[1:3]] == [3, 7]

    def test_that_finds_it_filled_without_its_trades_asks_on(self, order):
        found = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="FILLED")

        assert from_lookup(order(), found).trades_missing

    @pytest.mark.parametrize(
        ("state", "filled", "end"),
        [
            ("CANCELLED", 0, OrderCancelled(client_order_id="A-1", reason="why CANCELLED", occurred_ns=5)),
            ("EXPIRED", 0, OrderExpired(client_order_id="A-1", reason="why EXPIRED", occurred_ns=5)),
            ("REJECTED", 0, OrderRejected(client_order_id="A-1", reason="why REJECTED", occurred_ns=5)),
            (
                *("REJECTED", 4),
                OrderCancelled(
                    client_order_id="A-1",
                    reason="the broker says REJECTED, after 4 shares were filled: why REJECTED",
                    occurred_ns=5,
                ),
            ),
            ("OPEN", 0, None),
            ("PART_FILLED", 4, None),
        ],
    )
    def test_tells_the_end_with_the_reason_of_the_report_that_is_of_it(self, order, make, state, filled, end):
        known = order(make.accepted(), *([make.filled(quantity=filled)] if filled else []))
        reports = [make.report(kind, execution_id=kind, reason=f"why {kind}") for kind in ("NEW", "EXPIRED")]
        reports += [make.report(kind, execution_id=kind, reason=f"why {kind}") for kind in ("CANCELLED", "REJECTED")]
        found = OrderFound(client_order_id="A-1", broker_order_id="B-1", state=state, reports=tuple(reports))

        assert from_lookup(known, found) == updates.Update(facts=() if end is None else (end,))

    def test_tells_the_end_without_a_reason_where_no_report_of_it_has_one(self, order, make):
        reports = (make.report("CANCELLED", reason=""), make.report("NEW", reason="new"))
        found = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="CANCELLED", reports=reports)
        (fact,) = from_lookup(order(make.accepted()), found).facts

        assert fact.reason == "as the broker answered a look-up"

    @pytest.mark.parametrize("counted", [3, 4, 5])
    def test_does_not_end_it_while_its_reports_count_more_than_the_trades_that_are_known(self, order, make, counted):
        known = order(make.accepted(), make.filled(quantity=4))
        reports = [make.report("CANCELLED", cumulative_quantity=counted), make.report("NEW")]
        for told in (reports, reports[::-1]):
            found = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="CANCELLED", reports=tuple(told))
            update = from_lookup(known, found)

            assert (kinds(update), update.trades_missing) == (([], True) if counted > 4 else ([OrderCancelled], False))

    @pytest.mark.parametrize(("quantity", "missing"), [(9, True), (10, False)])
    def test_that_finds_it_filled_asks_on_until_it_has_all_its_trades(self, order, make, quantity, missing):
        reports = (make.report(quantity=quantity),)
        found = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="FILLED", reports=reports)
        update = from_lookup(order(make.accepted()), found)

        assert (kinds(update), update.trades_missing) == ([OrderFilled], missing)

    def test_that_finds_it_rejected_ends_it(self, order):
        found = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="REJECTED")

        assert kinds(from_lookup(order(), found)) == [OrderRejected]

    def test_of_what_is_known_adds_nothing(self, order, make):
        found = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN")

        assert from_lookup(order(make.accepted()), found) == updates.Update()


class TestAbsence:
    @pytest.mark.parametrize(
        ("age_ns", "fact"),
        [(120 * S_NS - 1, OrderUncertain), (120 * S_NS, OrderExpired), (120 * S_NS + 1, OrderExpired)],
    )
    def test_counts_only_after_the_horizon(self, order, age_ns, fact):
        update = updates.absent(order(), 5, age_ns=age_ns, horizon_ns=120 * S_NS)

        assert kinds(update) == [fact]

    def test_before_the_horizon_does_not_unmake_what_the_broker_accepted(self, order, make):
        assert updates.absent(order(make.accepted()), 1_000, age_ns=0, horizon_ns=S_NS).facts == ()

    def test_of_an_order_that_has_ended_means_nothing(self, order, make):
        assert updates.absent(order(make.cancelled()), S_NS, age_ns=S_NS, horizon_ns=1).facts == ()


def a_trade(number, quantity):
    return ExecutionReport(
        client_order_id="A-1",
        broker_order_id="B-1",
        execution_type="TRADE",
        execution_id=f"T-{number}",
        occurred_ns=3,
        quantity=quantity,
        price=100.0,
    )


@given(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=6), cancelled=st.booleans(), data=st.data())
def test_a_day_of_reports_in_any_disorder_ends_in_the_same_order(sizes, cancelled, data):
    intent = OrderIntended(
        client_order_id="A-1",
        strategy="crossover",
        symbol="INFY",
        side="BUY",
        quantity=sum(sizes) + cancelled,
        order_type="MARKET",
        limit_price=None,
        occurred_ns=1,
    )
    trades = [a_trade(number, size) for number, size in enumerate(sizes)]
    end = ExecutionReport(
        client_order_id="A-1",
        broker_order_id="B-1",
        execution_type="CANCELLED",
        execution_id="C-1",
        occurred_ns=4,
        cumulative_quantity=sum(sizes),
    )
    day = [*trades, end] if cancelled else trades
    repeats = data.draw(st.lists(st.sampled_from(day), max_size=5))
    order = Order.from_intent(intent)
    missing = False
    for report in data.draw(st.permutations(day + repeats)):
        update = updates.from_report(order, report, 5)
        missing = missing or update.trades_missing
        order = functools.reduce(advance, update.facts, order)
    if missing:
        found = OrderFound(client_order_id="A-1", broker_order_id="B-1", state="CANCELLED", reports=tuple(trades))
        order = functools.reduce(advance, from_lookup(order, found).facts, order)

    assert order.filled == sum(sizes)
    assert order.state == ("CANCELLED" if cancelled else "FILLED")


def test_a_report_that_names_symbol_and_side_of_its_order_is_taken_and_one_of_another_is_not(stage, make):
    stage.open(make.intent("A-1"), make.accepted("A-1", "B-1"))
    for number, told in enumerate(({"symbol": "TCS"}, {"side": "SELL"}, {"symbol": "INFY", "side": "BUY"}), 1):
        stage.tell(make.report(execution_id=f"T-{number}", quantity=number, **told))
    stage.wait_until(lambda: OrderFilled in stage.disk.kinds("A-1"))
    stage.settle()

    assert [fact.quantity for fact in stage.disk.facts if isinstance(fact, OrderFilled)] == [3]

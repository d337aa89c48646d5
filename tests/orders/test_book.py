"""The book of record: what the facts add up to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from natya_builders import BUILDERS

from natya.actors.orders.book import Book
from natya.actors.orders.book.all_orders import ENDED_MAX, PACKED_AT_ONCE
from natya.actors.orders.book.day import UNITS, own_price
from natya.actors.orders.book.reading import ReadBack
from natya.actors.orders.errors import FactWithoutIntentError
from natya.domain.client_order_ids import life_of
from natya.domain.closing import AGREED
from natya.domain.time import SECOND_NS
from natya.domain.transitions import illegal
from natya.messages.orders import (
    ModificationIntended,
    ModificationRefused,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderIntended,
    OrderModified,
    OrderUncertain,
)


def the_book(*facts):
    book = Book()
    for fact in facts:
        book.apply(fact)
    return book


class TestABook:
    def test_knows_an_id_from_its_intent_on(self, make):
        book = the_book(make.intent("A-1"), make.refusal("A-2"))

        assert "A-1" in book
        assert "A-2" in book
        assert "A-3" not in book
        assert book.order("A-2") is None

    def test_remembers_the_newest_fact_that_said_something(self, make):
        book = the_book(make.intent(), make.accepted(), make.filled(quantity=4))

        assert book.apply(make.accepted()) is False
        assert book.newest_fact("A-1") == make.filled(quantity=4)

    def test_counts_what_each_rule_refused_once(self, make):
        book = the_book(
            make.refusal("A-1", rule="tick_size"),
            make.refusal("A-2", rule="position"),
            make.refusal("A-3", rule="tick_size"),
            make.refusal("A-3", rule="tick_size"),
            make.intent("A-4"),
            make.rejected("A-4"),
        )
        counted = book.statistics("NORMAL")

        assert counted.refused_by_rule == {"tick_size": 2, "position": 1}
        assert (counted.rejected, counted.orders) == (4, 4)
        assert (counted.risk_cause, counted.illegal_transitions, counted.unprotected) == ("", 0, ())

    @pytest.mark.parametrize(
        ("side", "quantity", "closes"),
        [("SELL", 4, True), ("SELL", 10, True), ("SELL", 11, False), ("BUY", 1, False)],
    )
    def test_says_whether_orders_only_close_what_is_held(self, make, side, quantity, closes):
        held = [make.intent(), make.filled(quantity=10)]

        assert the_book(*held, make.intent("A-2", side, quantity)).only_closes("INFY", side, AGREED) is closes
        if closes:
            another = make.intent("A-3", side, 10 - quantity + 1)
            assert not the_book(*held, make.intent("A-2", side, quantity), another).only_closes("INFY", side, AGREED)

    def test_tells_how_old_the_oldest_order_in_doubt_is(self, make):
        book = the_book(
            make.intent("A-1", occurred_ns=5 * SECOND_NS),
            make.intent("A-2", occurred_ns=2 * SECOND_NS),
            make.intent("A-3", occurred_ns=1),
            make.uncertain("A-1"),
            make.uncertain("A-2"),
        )

        assert book.statistics("NORMAL", now_ns=9 * SECOND_NS).uncertain_age_s == 7.0
        assert the_book(make.intent()).statistics("NORMAL", now_ns=9 * SECOND_NS).uncertain_age_s == 0.0

    def test_takes_each_trade_once(self, make):
        book = the_book(make.intent(), make.filled(quantity=4), make.filled(quantity=4))

        assert book.position("INFY") == 4
        assert book.statistics("NORMAL").fills == 1

    def test_never_lets_an_intent_open_an_order_again(self, make):
        book = the_book(make.intent(), make.filled(quantity=10), make.intent(quantity=50))

        assert book.open_orders() == ()

    def test_refuses_a_fact_of_an_order_it_never_heard_of(self, make):
        with pytest.raises(FactWithoutIntentError, match=r"intent of 'A-1'.*OrderAccepted"):
            the_book(make.accepted())

    def test_reserves_what_open_and_unknown_orders_may_still_fill(self, make):
        book = the_book(
            make.intent("A-1", quantity=10),
            make.uncertain("A-1"),
            make.intent("A-2", quantity=7),
            make.accepted("A-2"),
            make.filled("A-2", quantity=2),
            make.intent("A-3", side="SELL", quantity=5),
        )

        assert book.leaves("INFY", "BUY") == 15
        assert book.leaves("INFY", "SELL") == 5
        assert book.unanswered == 2

    def test_counts_the_whole_of_it(self, make):
        book = the_book(
            make.refusal("A-0"),
            make.intent("A-1"),
            make.rejected("A-1"),
            make.intent("A-2"),
            make.uncertain("A-2"),
            make.intent("A-3"),
            make.filled("A-3", quantity=10),
        )
        counts = book.statistics("NORMAL")

        assert (counts.orders, counts.fills, counts.rejected) == (4, 1, 2)
        assert (counts.open_orders, counts.uncertain_orders) == (1, 1)
        assert [(each.symbol, each.quantity) for each in counts.positions] == [("INFY", 10)]


class TestAnAccountThatIsLeft:
    @pytest.fixture
    def book(self, make):
        """A-1 has 4 of 10 shares when the account is left."""
        book = the_book(make.intent(), make.filled(quantity=4))
        book.enter(1)
        return book

    def test_shows_nothing_of_itself_in_the_next_one(self, book):
        counts = book.statistics("NORMAL")

        assert (counts.account, counts.orders, counts.fills, counts.open_orders, counts.positions) == (1, 0, 0, 0, ())
        assert (book.position("INFY"), book.leaves("INFY", "BUY"), book.open_orders()) == (0, 0, ())

    def test_is_listed_if_it_has_orders_and_the_current_one_always(self, book, make):
        found = [book.accounts()]
        for account, name in ((2, None), (3, "B-1"), (4, None), (0, None)):
            book.enter(account)
            if name:
                book.apply(make.intent(name))
            found.append(book.accounts())

        assert found == [(0, 1), (0, 2), (0, 3), (0, 3, 4), (0, 3)]

    def test_keeps_the_later_trades_of_its_orders_and_none_of_another(self, book, make):
        book.apply(make.intent("B-1", quantity=3))
        book.apply(make.filled("B-1", trade_id="T-9", quantity=3))
        book.apply(make.filled(trade_id="T-2", quantity=6))
        assert (book.position("INFY"), book.statistics("NORMAL").fills) == (3, 1)
        book.enter(0)

        assert (book.position("INFY"), book.statistics("NORMAL").fills) == (10, 2)

    def test_has_its_open_orders_when_it_is_entered_again(self, book, make):
        book.apply(make.intent("B-1", quantity=3))
        book.enter(0)
        assert [order.client_order_id for order in book.open_orders()] == ["A-1"]
        book.apply(make.filled("B-1", trade_id="T-9", quantity=3))
        book.apply(make.filled(trade_id="T-2", quantity=6))
        assert (book.position("INFY"), book.open_orders()) == (10, ())
        book.enter(1)

        assert (book.position("INFY"), book.open_orders()) == (3, ())


IDS = st.sampled_from(["A-1", "A-2", "A-3", "A-3S", "A-3T"])
INTENTS = [
    OrderIntended(
        client_order_id=client_order_id,
        strategy="s",
        symbol=symbol,
        side=side,
        quantity=10,
        order_type="MARKET",
        limit_price=None,
        occurred_ns=1,
        stop_loss_price=90.0 if client_order_id == "A-3" else None,
    )
    for client_order_id, symbol, side in [
        ("A-1", "INFY", "BUY"),
        ("A-2", "INFY", "SELL"),
        ("A-3", "TCS", "BUY"),
        ("A-3S", "TCS", "SELL"),
        ("A-3T", "TCS", "SELL"),
    ]
]
BY_ID = {intent.client_order_id: intent for intent in INTENTS}


def a_fill(client_order_id, trade):
    return OrderFilled(
        client_order_id=client_order_id,
        trade_id=f"T-{trade}",
        strategy="s",
        symbol=BY_ID[client_order_id].symbol,
        side=BY_ID[client_order_id].side,
        quantity=trade,
        price=100.0,
        cumulative_quantity=trade,
        occurred_ns=2,
    )


UPDATES = st.lists(
    st.one_of(
        st.builds(OrderAccepted, client_order_id=IDS, broker_order_id=st.just("B-1")),
        st.builds(OrderUncertain, client_order_id=IDS),
        st.builds(OrderCancelled, client_order_id=IDS),
        st.builds(a_fill, IDS, st.integers(1, 4)),
    ),
    max_size=15,
)


@given(updates=UPDATES, data=st.data())
def test_any_disorder_of_a_days_updates_ends_in_the_same_book(updates, data):
    repeats = data.draw(st.lists(st.sampled_from(updates), max_size=5)) if updates else []
    book, other = the_book(*INTENTS, *updates), the_book(*INTENTS, *data.draw(st.permutations(updates + repeats)))

    assert [book.order(each) for each in BY_ID] == [other.order(each) for each in BY_ID]
    assert book.statistics("NORMAL") == other.statistics("NORMAL")


@given(updates=UPDATES)
def test_the_running_sums_are_what_counting_again_would_give(updates):
    book = the_book(*INTENTS, *updates)
    orders = [book.order(each) for each in BY_ID]

    for symbol, side in [("INFY", "BUY"), ("INFY", "SELL"), ("TCS", "BUY")]:
        mine = [order for order in orders if (order.symbol, order.side) == (symbol, side)]
        assert book.leaves(symbol, side) == sum(order.leaves for order in mine)
    of_bracket = max(book.order("A-3S").leaves, book.order("A-3T").leaves)
    assert book.leaves("TCS", "SELL") == book.strategy_leaves("s", "TCS", "SELL") == of_bracket
    assert book.unanswered == sum(order.state in {"INTENDED", "UNKNOWN"} for order in orders)
    assert set(book.open_orders()) == {order for order in orders if order.is_open}


TERMS = [("LIMIT", 99.0, None), ("MARKET", None, None), ("STOP", None, 105.0), ("STOP_LIMIT", 98.5, 104.0)]
PRICED = [(f"{side}-{kind}", side, kind) for side in ("BUY", "SELL") for kind in range(len(TERMS))]
CHANGES = st.builds(
    lambda named, kind, number: kind(
        client_order_id=named[0],
        number=number,
        occurred_ns=3,
        **{"rule": "broker", "reason": "late"}
        if kind is ModificationRefused
        else {
            "quantity": 4 * number,
            "limit_price": TERMS[named[2]][1] and TERMS[named[2]][1] + number,
            "trigger_price": TERMS[named[2]][2] and TERMS[named[2]][2] - number,
        },
    ),
    st.sampled_from(PRICED),
    st.sampled_from([ModificationIntended, OrderModified, ModificationRefused]),
    st.integers(1, 4),
)
ENDINGS = st.sampled_from(PRICED).map(
    lambda named: OrderCancelled(client_order_id=named[0], reason="withdrawn", occurred_ns=4)
)


@given(facts=st.lists(st.one_of(CHANGES, CHANGES, ENDINGS), max_size=14))
def test_the_running_value_of_open_orders_is_what_counting_again_would_give(facts):
    intents = [
        BUILDERS.intent(name, side=side, quantity=10, order_type=TERMS[kind][0], limit_price=TERMS[kind][1],
                    trigger_price=TERMS[kind][2], symbol=("INFY", "TCS")[kind % 2])
        for name, side, kind in PRICED
    ]  # fmt: skip
    book = the_book(*intents)
    for fact in facts:
        if illegal(book.order(fact.client_order_id), fact) is None:
            book.apply(fact)
    units, shares = 0, {}
    for order in book.open_orders():
        price = own_price(order)
        if price is None:
            shares[order.symbol] = shares.get(order.symbol, 0) + order.leaves
        else:
            units += round(price * UNITS) * order.leaves

    assert book.open_values() == (units, shares)


class TestAnAccountThatIsEnteredAgain:
    def test_has_the_later_facts_of_its_orders_itself(self, make):
        book = the_book(make.intent(), make.filled(quantity=4))
        book.enter(1)
        book.apply(make.intent("B-1", quantity=3))
        book.enter(0)

        assert [*book._left_open] == ["B-1"]


class TestTheNewestFacts:
    def test_are_those_of_all_that_is_open_and_of_what_ended_since(self, make):
        book = the_book(
            make.intent("old", occurred_ns=1),
            replace(make.cancelled("old"), occurred_ns=10),
            make.intent("new", occurred_ns=2),
            replace(make.cancelled("new"), occurred_ns=20),
            make.intent("open", occurred_ns=3),
        )
        book.pack()

        assert [[name for name, _ in book.newest_facts(since_ns)] for since_ns in (0, 10, 11, 20, 21)] == [
            ["open", "new", "old"],
            ["open", "new", "old"],
            ["open", "new"],
            ["open", "new"],
            ["open"],
        ]
        assert [order.client_order_id for _, order, _ in book.kept().orders] == ["open"]


class TestABookThatIsTradedOn:
    def test_keeps_as_objects_what_is_open_and_the_newest_that_ended(self, make):
        whole, traded = Book(), Book()
        ids = [f"{number}" for number in range(ENDED_MAX + 2 * PACKED_AT_ONCE)]
        for each in ("open", *ids):
            facts = [make.intent(each)] if each == "open" else [make.intent(each), make.filled(each)]
            if each.endswith("7"):
                facts = [make.refusal(each)]
            for fact in facts:
                whole.apply(fact)
                traded.apply(fact)
                traded.pack_oldest()

        assert (traded.objects, traded.ended) == (1 + ENDED_MAX, 2 * PACKED_AT_ONCE)
        assert [*traded.newest_facts(0)] == [*whole.newest_facts(0)]
        assert [traded.order(each) for each in ids] == [whole.order(each) for each in ids]
        assert traded.statistics("NORMAL") == whole.statistics("NORMAL")

    def test_takes_a_late_fact_of_an_order_that_it_keeps_as_bytes(self, make):
        whole, traded = Book(), Book()
        for book in (whole, traded):
            for fact in (make.intent("A"), make.intent("B"), make.cancelled("A"), make.filled("B")):
                book.apply(fact)
        traded.pack()
        for book in (whole, traded):
            assert book.apply(make.filled("A", quantity=4))
        traded_first, objects = [*traded.newest_facts(0)], traded.objects
        traded.pack()

        assert (objects, traded.objects) == (1, 0)
        assert [*whole.newest_facts(0)] == traded_first == [*traded.newest_facts(0)]
        assert whole.order("A") == traded.order("A")


def test_a_journal_that_was_read_is_never_unread():
    read = ReadBack()
    for sequence in (7, 3):
        read.read_to(sequence)

    assert (read.sequence, read.newest_sequence, read.next_life(draw=5)) == (7, 7, life_of(8, draw=5))


def test_an_order_named_like_an_exit_of_what_is_no_bracket_is_none(make):
    book = Book()
    book.apply(make.intent("A-1"))
    book.apply(make.intent("A-1S", side="SELL"))
    book.apply(make.intent("B-1", stop_loss_price=95.0))
    book.apply(make.intent("B-1S", side="SELL"))

    assert tuple(book.exits("crossover")) == ("B-1S",)


class TestAnOrderAtTheMarketThatExpired:
    """It was to close what its strategy holds, and its day was over first."""

    @pytest.fixture
    def expired(self, make):
        """Ten are held; six were to be sold, and two were."""
        return the_book(
            *(make.intent("A-1"), make.accepted("A-1"), make.filled("A-1")),
            *(make.intent("A-2", side="SELL", quantity=6), make.accepted("A-2")),
            *(make.filled("A-2", side="SELL", quantity=2), make.expired("A-2")),
        )

    def test_is_known_until_another_follows_it_on_its_side(self, expired, make):
        assert [each.client_order_id for each in expired.expired] == ["A-2"]

        expired.apply(make.intent("A-3"))
        expired.apply(make.intent("A-4", strategy="other", side="SELL"))
        expired.apply(make.intent("A-5", symbol="TCS", side="SELL"))
        assert len(expired.expired) == 1
        expired.apply(make.intent("A-6", side="SELL", order_type="LIMIT", limit_price=100.0))
        assert expired.expired == ()

    @pytest.mark.parametrize(("quantity", "is_known"), [(7, True), (8, False), (9, False)])
    def test_is_known_until_nothing_is_held_any_more(self, make, quantity, is_known):
        """A sale of before, whose trades are told late."""
        book = the_book(
            *(make.intent("A-1"), make.accepted("A-1"), make.filled("A-1", quantity=8)),
            *(make.intent("A-0", side="SELL", order_type="LIMIT", limit_price=100.0), make.accepted("A-0")),
            *(make.intent("A-2", side="SELL"), make.accepted("A-2"), make.expired("A-2")),
        )
        book.apply(make.filled("A-0", side="SELL", quantity=quantity))

        assert (len(book.expired) == 1) is is_known

    @pytest.mark.parametrize(
        "terms",
        [{"side": "BUY"}, {"order_type": "LIMIT", "limit_price": 100.0}, {"strategy": "other"}],
        ids=["it would have opened", "it had a limit", "its strategy holds nothing"],
    )
    def test_is_no_other(self, make, terms):
        intent = make.intent("A-2", **{"side": "SELL"} | terms)
        book = the_book(make.intent("A-1"), make.filled("A-1"), intent, make.accepted("A-2"), make.expired("A-2"))

        assert book.expired == ()

    @pytest.mark.parametrize(("prices", "is_known"), [({}, True), ({"stop_loss_price": 95.0}, False)])
    def test_is_none_of_a_bracket(self, make, prices, is_known):
        book = the_book(make.intent("A-1", **prices), make.accepted("A-1"), make.filled("A-1"))
        for fact in (make.intent("A-1X", side="SELL"), make.accepted("A-1X"), make.expired("A-1X")):
            book.apply(fact)

        assert (len(book.expired) == 1) is is_known

"""What a person is told of orders and positions, and what is cancelled for one."""

import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from natya_builders import BUILDERS, a_tick

from natya.actors.orders.book import Book
from natya.actors.orders.book.ended import Ended
from natya.actors.orders.book.listing import book_of, listed, positions, shown, to_cancel
from natya.domain.orders import Order, advance
from natya.domain.time import DAY_NS, SECOND_NS, day_of, day_start_ns
from natya.messages.broker import WithdrawOrder
from natya.messages.journal import JournalRecord
from natya.messages.market import FeedStatistics
from natya.messages.order_listing import (
    CancelOrders,
    LastPrice,
    OrderListed,
    OrdersCancelling,
    ReadOrders,
    ReadPositions,
)
from natya.messages.orders import CancellationIntended
from natya.messages.risk import BandsTold, PriceBand, ReadRisk
from natya.messages.system import Ping, Pong

NOON_NS = 1_700_000_000 * 10**9


@pytest.fixture
def book(make):
    """Yesterday one that is open still, and one that has ended; today one of each state."""
    book = Book()
    yesterday = NOON_NS - DAY_NS
    for fact in (
        make.intent("old-open", occurred_ns=yesterday),
        make.accepted("old-open"),
        make.intent("old-ended", occurred_ns=yesterday),
        make.cancelled("old-ended"),
        make.intent("open", occurred_ns=NOON_NS, symbol="TCS", strategy="other"),
        make.intent("filled", occurred_ns=NOON_NS),
        make.filled("filled", occurred_ns=NOON_NS),
    ):
        book.apply(fact)
    return book


def ids(book, **wanted):
    return [each.client_order_id for each in listed(book, ReadOrders(**wanted), NOON_NS).orders]


class TestTheList:
    def test_is_of_the_day_and_of_what_is_open_newest_first(self, book):
        assert ids(book) == ["filled", "open", "old-open"]

    @pytest.mark.parametrize(("later_ns", "found"), [(-1, []), (0, ["at-midnight"])])
    def test_is_of_what_has_ended_from_midnight_in_india_on(self, make, later_ns, found):
        book, began_ns = Book(), day_start_ns(day_of(NOON_NS)) + later_ns
        book.apply(make.intent("at-midnight", occurred_ns=began_ns - DAY_NS))
        book.apply(make.filled("at-midnight", occurred_ns=began_ns))

        assert ids(book) == found

    def test_is_of_all_days_if_they_are_wanted(self, book):
        assert ids(book, all_days=True) == ["filled", "open", "old-ended", "old-open"]

    def test_is_of_the_account_that_was_entered_last_or_of_the_one_that_is_wanted(self, make, book):
        book.enter(3)
        book.apply(make.intent("replayed", occurred_ns=NOON_NS))
        book.apply(make.filled("replayed", occurred_ns=NOON_NS))

        found = listed(book, ReadOrders(all_days=True), NOON_NS)
        assert ([each.client_order_id for each in found.orders], found.account, found.accounts) == (
            ["replayed"], 3, (0, 3),
        )  # fmt: skip
        assert ids(book, account=0) == ["filled", "open", "old-open"]
        assert ids(book, account=0, open_only=True) == ["open", "old-open"]
        assert ids(book, account=7) == ids(book, account=7, open_only=True) == []
        book.enter(0)
        book.apply(make.intent("again", occurred_ns=NOON_NS))
        assert ids(book) == ["again", "filled", "open", "old-open"]
        ended = Ended(book.pack())
        assert ids(Book.from_kept(book.kept(), ended), account=3) == ["replayed"]

    def test_is_of_what_is_open_alone(self, book):
        assert ids(book, open_only=True) == ["open", "old-open"]

    def test_has_those_that_are_named_whatever_their_day_and_each_once(self, make, book):
        book.apply(make.refusal("old-refused"))
        day = ids(book)
        named = ids(book, besides=("old-ended", "open", "old-refused", "never"))

        assert day == ["filled", "open", "old-open"]
        assert named == [*day, "old-ended", "old-refused"]
        assert ids(book, open_only=True, besides=("filled",)) == ["open", "old-open", "filled"]

    def test_is_of_a_strategy_or_a_symbol(self, book):
        assert ids(book, strategy="other") == ["open"]
        assert ids(book, symbol="INFY", open_only=True) == ["old-open"]
        assert ids(book, symbol="INFY", strategy="other") == []

    def test_tells_of_each_what_the_book_knows_of_it(self, make, book):
        prices = {"order_type": "STOP_LIMIT", "limit_price": 101.0, "trigger_price": 100.0}
        book.apply(make.intent("stop", validity="IOC", product="INTRADAY", occurred_ns=NOON_NS, **prices))
        found = listed(book, ReadOrders(all_days=True), NOON_NS).orders
        same = (
            *("strategy", "symbol", "side", "quantity", "order_type", "limit_price", "trigger_price", "validity"),
            *("product", "state", "is_open", "filled", "broker_order_id"),
        )

        assert {each.state for each in found} >= {"FILLED", "CANCELLED"}
        for each in found:
            order = book.order(each.client_order_id)
            assert [getattr(each, name) for name in same] == [getattr(order, name) for name in same]

    @pytest.mark.parametrize(("at_most", "is_complete"), [(1, False), (3, True)])
    def test_says_whether_there_are_more(self, book, at_most, is_complete):
        found = listed(book, ReadOrders(orders_max=at_most), NOON_NS)

        assert (len(found.orders), found.is_complete) == (at_most, is_complete)

    def test_goes_on_behind_a_page_that_is_not_complete(self, book):
        found, beyond = [], ""
        while True:
            page = listed(book, ReadOrders(all_days=True, orders_max=1, beyond=beyond, besides=("open",)), NOON_NS)
            found += [each.client_order_id for each in page.orders]
            beyond = found[-1]
            if page.is_complete:
                break

        assert found == ["filled", "open", "old-ended", "old-open", "open"]
        assert ids(book, open_only=True, beyond="open") == ["old-open"]
        assert ids(book, beyond="never") == []

    def test_has_what_our_rules_refused_with_the_rule(self, make):
        book = Book()
        book.apply(make.refusal("A-1", rule="quantity_max"))
        (refused,) = listed(book, ReadOrders(all_days=True), NOON_NS).orders

        assert (refused.state, refused.is_open, refused.reason) == ("REFUSED", False, "quantity_max: too many")
        assert refused.order_type is None


class TestThePositions:
    def test_are_those_of_the_account_and_of_each_strategy(self, book):
        found = positions(book, {"INFY": (101.0, 5), "SBIN": (1.0, 5)})

        assert [(each.symbol, each.quantity) for each in found.positions] == [("INFY", 10)]
        assert [(each.strategy, each.symbol, each.quantity) for each in found.held] == [("crossover", "INFY", 10)]
        assert [(each.symbol, each.price) for each in found.prices] == [("INFY", 101.0)]


class TestWhatIsToBeCancelled:
    @pytest.mark.parametrize(
        ("wanted", "chosen", "not_open"),
        [
            ({"everything": True}, ("old-open", "open"), ()),
            ({"strategy": "other"}, ("open",), ()),
            ({"symbol": "INFY"}, ("old-open",), ()),
            ({"symbol": "INFY", "strategy": "other"}, (), ()),
            ({"client_order_ids": ("open", "filled", "never", "open")}, ("open",), ("filled", "never")),
            ({"client_order_ids": ("open",), "symbol": "INFY"}, ("old-open", "open"), ()),
            ({}, (), ()),
        ],
    )
    def test_is_what_was_named(self, book, wanted, chosen, not_open):
        assert to_cancel(book, {}, CancelOrders(**wanted)) == (chosen, not_open)

    @pytest.mark.parametrize(
        ("wanted", "chosen", "not_open"),
        [
            ({"everything": True}, ("old-open", "open", "new"), ()),
            ({"strategy": "other"}, ("open",), ()),
            ({"symbol": "TCS", "strategy": "crossover"}, ("new",), ()),
            ({"client_order_ids": ("new", "never")}, ("new",), ("never",)),
        ],
    )
    def test_is_also_on_its_way_to_the_journal(self, book, make, wanted, chosen, not_open):
        intents = {"new": make.order("new", symbol="TCS", strategy="crossover")}

        assert to_cancel(book, intents, CancelOrders(**wanted)) == (chosen, not_open)


@given(names=st.lists(st.sampled_from(["A", "B", "C"]), max_size=5))
def test_what_is_chosen_is_open_and_named_once(names):
    make = BUILDERS  # a drawn example has no fixtures
    book = Book()
    for fact in (make.intent("A"), make.intent("B"), make.cancelled("B")):
        book.apply(fact)
    chosen, not_open = to_cancel(book, {}, CancelOrders(client_order_ids=tuple(names)))

    assert set(chosen) == {"A"} & set(names)
    assert set(not_open) == set(names) - {"A"}
    assert len(chosen) + len(not_open) == len(set(names))


def test_the_journal_alone_gives_the_same_book(make):
    facts = (make.intent("A-1"), make.accepted("A-1"), make.filled("A-1"))
    records = [
        JournalRecord(sequence=at, recorded_ns=at, correlation_id="", fact=fact) for at, fact in enumerate(facts, 1)
    ]

    assert book_of(records).position("INFY") == 10


class TestTheActor:
    @pytest.fixture
    def person(self, actor_system):
        return actor_system.probe("person")

    def test_cancels_and_says_what(self, stage, make, person):
        stage.open(make.intent("A-1"), make.accepted("A-1"), make.intent("A-2"), make.cancelled("A-2"))
        stage.tell(CancelOrders(client_order_ids=("A-1", "A-2"), person="asha"), person)

        assert person.receive() == OrdersCancelling(client_order_ids=("A-1",), not_open=("A-2",))
        assert stage.asked_next(WithdrawOrder).client_order_id == "A-1"

    def test_tells_positions_at_the_prices_that_it_has_heard(self, stage, make, person):
        closed = make.intent("A-2", symbol="TCS"), make.filled("A-2", symbol="TCS")
        closed += make.intent("A-3", symbol="TCS", side="SELL"), make.filled("A-3", "T-3", symbol="TCS", side="SELL")
        stage.open(make.intent("A-1"), make.filled("A-1"), *closed, gross_value_max_rupees=1e9)
        feed = stage.system.probe("feed")
        stage.tell(a_tick(price=101.5))
        stage.tell(ReadPositions(), person)

        assert [(each.symbol, each.price) for each in person.receive().prices] == [("INFY", 101.5)]
        stage.settle()
        assert (feed.is_empty(), person.is_empty()) == (True, True)

    def test_asks_the_feed_for_the_others_where_it_has_heard_some(self, stage, make, person):
        held = make.intent("A-2", symbol="TCS"), make.filled("A-2", "T-2", symbol="TCS")
        stage.open(make.intent("A-1"), make.filled("A-1"), *held, gross_value_max_rupees=1e9)
        feed = stage.system.probe("feed")
        stage.tell(a_tick(price=101.5))
        stage.tell(ReadPositions(), person)
        assert isinstance(feed.receive(), Ping)
        counts = dict.fromkeys(("ticks", "candles", "bad_rows"), 0)
        told = FeedStatistics(**counts, source="", ended=False, last_prices={"INFY": 99.0, "TCS": 50.0})
        stage.system.tell(feed.sender, Pong(actor="feed", statistics=told), sender=feed)

        assert {each.symbol: each.price for each in person.receive().prices} == {"INFY": 101.5, "TCS": 50.0}

    def test_tells_positions_with_the_price_bands_that_are_young_enough(self, stage, make, person):
        held = [make.intent("A-1"), make.filled("A-1")]
        for symbol in ("TCS", "SBIN"):
            held += [make.intent(symbol, symbol=symbol), make.filled(symbol, f"T-{symbol}", symbol=symbol)]
        stage.open(*held, price_band_age_max_s=60.0, gross_value_max_rupees=1e9)
        now_ns = stage.system.base.clock.now_ns()
        for sequence, symbol in enumerate(("INFY", "TCS", "SBIN"), 1):
            stage.tell(a_tick(sequence, symbol, price=100.0, exchange_ns=now_ns))
        told = {"INFY": (30, 90.0, 110.0), "TCS": (61, 80.0, 120.0), "SBIN": (55, 70.0, 130.0)}
        for symbol, (age_s, low, high) in told.items():
            band = PriceBand(symbol=symbol, low=low, high=high)
            stage.tell(BandsTold(bands=(band,), as_of_ns=now_ns - age_s * SECOND_NS))
        stage.tell(ReadPositions(), person)
        prices = person.receive().prices

        assert {each.symbol: (each.low, each.high) for each in prices} == {
            "INFY": (90.0, 110.0),
            "TCS": (0.0, 0.0),
            "SBIN": (70.0, 130.0),
        }
        stage.tell(BandsTold(bands=(), as_of_ns=now_ns, problem="busy"))
        figures = stage.system.request("orders", ReadRisk()).figures
        (figure,) = [each for each in figures if each.limit_name == "price_band_age_max_s"]
        assert figure.formed == "seconds since the broker told that of TCS, the oldest of 3"
        assert figure.found == pytest.approx(61, abs=1)

    def test_lists_and_tells_positions(self, stage, make, person):
        stage.open(make.intent("A-1"), make.filled("A-1"))
        stage.tell(ReadOrders(all_days=True), person)
        assert [each.client_order_id for each in person.receive().orders] == ["A-1"]
        feed = stage.system.probe("feed")
        stage.tell(ReadPositions(), person)
        assert isinstance(feed.receive(), Ping)  # on paper no limit goes by prices, so that orders hears none
        counts = dict.fromkeys(("ticks", "candles", "bad_rows"), 0)
        told = FeedStatistics(**counts, source="", ended=False, last_prices={"INFY": 101.5}, priced_ns={"INFY": 7})
        stage.system.tell(feed.sender, Pong(actor="feed", statistics=told), sender=feed)

        found = person.receive()
        assert found.positions[0].quantity == 10
        assert found.prices == (LastPrice(symbol="INFY", price=101.5, priced_ns=7),)

    def test_tells_positions_and_asks_no_feed_where_nobody_needs_prices(self, stage, make, person):
        held = make.intent("A-2", symbol="TCS"), make.filled("A-2", "T-2", symbol="TCS")
        stage.open(make.intent("A-1"), make.filled("A-1"), *held, gross_value_max_rupees=1e9)
        feed = stage.system.probe("feed")
        stage.tell(a_tick(price=101.5))
        stage.tell(ReadPositions(needs_prices=False), person)
        found = person.receive()

        assert {each.symbol: each.quantity for each in found.positions} == {"INFY": 10, "TCS": 10}
        assert {each.symbol: each.price for each in found.prices} == {"INFY": 101.5}
        assert feed.is_empty()

    def test_tells_positions_without_prices_where_the_feed_has_none(self, stage, make, person):
        stage.open(make.intent("A-1"), make.filled("A-1"))
        stage.tell(ReadPositions(), person)

        assert person.receive().prices == ()


def test_one_that_was_refused_is_shown_with_all_that_is_known_of_it(make):
    refusal = make.refusal("A-1", order_type="STOP_LIMIT", limit_price=99.0, trigger_price=100.0)

    assert shown(refusal, refusal) == OrderListed(
        client_order_id="A-1",
        strategy="crossover",
        symbol="INFY",
        side="BUY",
        quantity=10,
        order_type="STOP_LIMIT",
        limit_price=99.0,
        trigger_price=100.0,
        state="REFUSED",
        is_open=False,
        occurred_ns=1_000,
        changed_ns=1_000,
        reason="quantity_max: too many",
    )


def test_one_that_was_placed_is_shown_as_it_stands_with_what_was_said_last(make):
    asked = CancellationIntended(client_order_id="A-1", number=1, asked_by="asha", occurred_ns=2_500)
    facts = [make.accepted(), make.filled(quantity=4), asked]
    intent = make.intent(order_type="STOP_LIMIT", limit_price=99.0, trigger_price=100.0, validity="IOC", product="CNC")
    order = functools.reduce(advance, facts, Order.from_intent(intent))
    open_ = OrderListed(
        client_order_id="A-1",
        strategy="crossover",
        symbol="INFY",
        side="BUY",
        quantity=10,
        order_type="STOP_LIMIT",
        limit_price=99.0,
        trigger_price=100.0,
        validity="IOC",
        product="CNC",
        state="PART_FILLED",
        is_open=True,
        filled=4,
        broker_order_id="B-1",
        occurred_ns=1_000,
        changed_ns=2_500,
        cancellation="REQUESTED",
        cancellation_by="asha",
    )
    over = {"state": "CANCELLED", "is_open": False, "reason": "asked", "cancellation": "DONE", "cancellation_by": ""}

    assert shown(order, asked) == open_
    assert shown(order, None) == replace(open_, changed_ns=1_000)
    ended = advance(order, make.cancelled())
    assert shown(ended, make.cancelled()) == replace(open_, changed_ns=2_000, **over)

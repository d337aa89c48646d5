"""The counts of a day, and what was sent in the last seconds: each order counts once, for as long as it should."""

import itertools

import msgspec
import pytest
from msgspec.structs import replace

from natya.actors.orders.book import Book
from natya.actors.orders.book.day import UNITS, Day, KeptDay, alike
from natya.domain.positions import Holding
from natya.domain.time import DAY_NS, SECOND_NS, day_of, day_start_ns
from natya.messages.orders import CancellationIntended, ModificationIntended


@pytest.fixture
def day():
    return Day()


@pytest.fixture
def send(make, day):
    """Let so many alike pass the gate at a second."""

    def build(at_s, count=1, **fields):
        for number in range(count):
            day.intended(make.intent(f"S-{at_s}-{number}", occurred_ns=at_s * SECOND_NS, **fields))

    return build


class TestOrdersThatAreAlike:
    def test_count_once_however_often_it_is_asked(self, make, day, send):
        like = alike(make.order())
        send(1)
        assert [day.alike_since(0, like) for _ in range(3)] == [1, 1, 1]
        send(2)
        send(3, quantity=7)

        assert [day.alike_since(0, like) for _ in range(3)] == [2, 2, 2]
        assert day.alike_since(0, alike(make.order(quantity=7))) == 1

    def test_do_not_count_any_more_from_the_time_asked_for(self, make, day, send):
        like = alike(make.order())
        for second in (1, 2, 3):
            send(second)

        assert [day.alike_since(second * SECOND_NS, like) for second in (0, 1, 2, 3, 4)] == [3, 2, 1, 0, 0]

    def test_count_across_the_days_once(self, make, day, send):
        like = alike(make.order())
        send(1, count=3)
        assert day.alike_since(0, like) == 3
        for number in (1, 2):
            day.begin(number, {})
            assert (day.orders, day.alike_since(0, like)) == (0, 3 + number - 1)
            send(1 + number)
            assert (day.orders, day.alike_since(0, like)) == (1, 3 + number)

    def test_count_as_orders_sent_since_do(self, day, send):
        send(1, count=2)
        send(2, count=2)

        for since_s, count in ((0, 4), (1, 2), (2, 0)):
            since_ns = since_s * SECOND_NS
            assert day.sent_since(since_ns) == count
            assert [day.has_sent_since(since_ns, orders) for orders in (count, count + 1)] == [True, False]


class TestAClockThatWasSetBack:
    """By an hour, at 13,603 s: what was in the last seconds by the clock before is so by the clock after."""

    @pytest.fixture
    def set_back(self, day, send):
        for second in (13_000, 13_600, 13_602):
            send(second)
            day.rejected(second * SECOND_NS)
        day.alike_since(0, None)  # so that they are counted already
        send(13_603)
        day.notice_clock(10_003 * SECOND_NS)
        return lambda seconds: round((10_003 - seconds) * SECOND_NS)

    def test_counts_as_of_the_last_seconds_what_was_so_before(self, make, day, set_back):
        like = alike(make.order())

        assert [day.sent_since(set_back(seconds)) for seconds in (0.5, 2, 10, 1_000)] == [1, 2, 3, 4]
        assert [day.has_sent_since(set_back(10), count) for count in (3, 4)] == [True, False]
        assert [day.rejected_since(set_back(seconds)) for seconds in (0.5, 2, 10, 1_000)] == [0, 1, 2, 3]
        assert day.alike_since(set_back(10), like) == 3

    def test_counts_on_from_there(self, day, set_back, send):
        send(10_004)
        day.notice_clock(10_004 * SECOND_NS)

        assert [day.sent_since(set_back(seconds)) for seconds in (0, 0.5, 10)] == [1, 2, 4]
        assert day.orders == 5

    def test_by_no_more_than_clocks_differ_changes_nothing(self, day, send):
        send(10)
        before = day.kept()
        day.notice_clock(7 * SECOND_NS)

        assert day.kept() == before


def test_a_rejection_counts_after_the_time_asked_for_and_not_at_it(day):
    for second in (1, 2, 3):
        day.rejected(second * SECOND_NS)

    assert [day.rejected_since(second * SECOND_NS) for second in (0, 1, 3)] == [3, 2, 0]


def test_a_day_ends_when_the_next_begins_in_india(day):
    number = day_of(1_791_181_800 * SECOND_NS)
    day.begin(number, {})

    assert day_of(day.ends_ns - 1) == number
    assert day_of(day.ends_ns) == number + 1
    assert day.ends_ns - (number + 1) * DAY_NS == -19_800 * SECOND_NS


class TestTheProfitOfADay:
    """Ten bought yesterday at 100, five of them sold at 110."""

    NOON_NS = 1_791_181_800 * SECOND_NS

    @pytest.fixture
    def book(self, make):
        book, trades = Book(), itertools.count()

        def trade(quantity, price, days=0):
            name, time_ns = f"A-{next(trades)}", self.NOON_NS + days * DAY_NS
            side = "BUY" if quantity > 0 else "SELL"
            book.apply(make.intent(name, side=side, quantity=abs(quantity), occurred_ns=time_ns))
            fill = make.filled(name, trade_id=name, side=side, quantity=abs(quantity), price=price)
            book.apply(replace(fill, occurred_ns=time_ns))

        trade(10, 100.0, days=-1)
        trade(-5, 110.0, days=-1)
        return book, trade

    def profit(self, book, price):
        realized, unrealized, missing = book.profit_today(self.NOON_NS, {"INFY": (price, 1)} if price else {})
        return realized / UNITS, unrealized / UNITS, missing

    @pytest.mark.parametrize(("price", "unrealized"), [(90.0, -50.0), (100.0, 0.0), (120.0, 0.0)])
    def test_has_nothing_of_yesterday_but_the_loss_of_what_is_carried(self, book, price, unrealized):
        assert self.profit(book[0], price) == (0.0, unrealized, ())
        assert self.profit(book[0], None) == (0.0, 0.0, ("INFY",))

    def test_is_of_todays_trades_by_the_average_of_what_was_held(self, book):
        book, trade = book
        trade(-2, 90.0)

        assert self.profit(book, 95.0) == (-20.0, -15.0, ())
        assert self.profit(book, 120.0) == (-20.0, 0.0, ())

    @pytest.mark.parametrize(
        ("sold", "bought", "price", "open_"),
        [(-5, 4, 120.0, 80.0), (-9, 0, 120.0, -80.0), (-9, 0, 80.0, 80.0), (-4, 3, 120.0, 0.0), (-4, 3, 80.0, -80.0)],
    )
    def test_has_the_gain_of_what_was_bought_anew_or_turned_over(self, book, sold, bought, price, open_):
        book, trade = book
        trade(sold, 100.0)
        if bought:
            trade(bought, 100.0)

        assert self.profit(book, price) == (0.0, open_, ())

    def test_has_what_an_order_of_yesterday_trades_before_anything_else_happens(self, book, make):
        book, _ = book
        book.apply(make.intent("late", side="SELL", quantity=5, occurred_ns=self.NOON_NS - DAY_NS))
        late = make.filled("late", trade_id="late", side="SELL", quantity=5, price=90.0)
        book.apply(replace(late, occurred_ns=self.NOON_NS))

        assert self.profit(book, None) == (-50.0, 0.0, ())

    def test_has_no_gain_of_what_was_added_to_what_is_carried(self, book):
        book, trade = book
        trade(5, 100.0)

        assert self.profit(book, 120.0) == (0.0, 0.0, ())

    def test_is_known_again_after_each_trade(self, book):
        book, trade = book
        found = []
        for _ in range(3):
            trade(-1, 90.0)
            found.append(self.profit(book, 90.0)[:2])

        assert found == [(-10.0, -40.0), (-20.0, -30.0), (-30.0, -20.0)]

    def test_is_the_same_where_the_day_was_kept_meanwhile(self, book):
        book, trade = book
        for price in (90.0, 1 / 3, 0.01):
            trade(-1, price)
        (account,) = book._accounts.values()
        account.day = kept_meanwhile(account.day)

        assert account.day.realized_before == 50
        assert self.profit(book, 120.0) == (round(90.0 + 0.3333 + 0.01 - 300.0, 4), 0.0, ())


@pytest.mark.parametrize(("side", "other", "open_units"), [("BUY", "SELL", -67), ("SELL", "BUY", 66)])
def test_a_part_of_the_least_unit_is_told_as_a_loss(make, side, other, open_units):
    """Two at 100 and one at 100.01, of which one is closed at 100: two are left that cost 200.0066."""
    book, at_ns = Book(), 1_791_181_800 * SECOND_NS
    for name, of, quantity, price in (("A", side, 2, 100.0), ("B", side, 1, 100.01), ("C", other, 1, 100.0)):
        book.apply(make.intent(name, side=of, quantity=quantity, occurred_ns=at_ns))
        book.apply(make.filled(name, name, quantity, price, side=of, occurred_ns=at_ns))
    realized = {"BUY": -34, "SELL": 33}[side]

    assert book.profit_today(at_ns, {"INFY": (100.0, 1)}) == (realized, open_units, ())


def kept_meanwhile(day):
    """As it is read from a file."""
    return Day.from_kept(msgspec.msgpack.decode(msgspec.msgpack.encode(day.kept()), type=KeptDay))


def test_a_day_that_was_kept_counts_on_as_if_it_had_not_been(make, day):
    holding = Holding()
    for quantity, price in ((3, 100.35), (-1, 1 / 3), (4, 0.05), (-5, 99.95)):
        holding.trade(quantity, price)
    for number, strategy in enumerate("aab"):
        day.intended(make.intent(strategy=strategy, occurred_ns=number))
    day.begin(20_451, {"INFY": holding, "TCS": Holding()})
    day.intended(make.intent(strategy="b", occurred_ns=9))
    day.traded("b", "TCS", 0, 1)
    day.traded("c", "TCS", 1, 2)
    for time_ns in (5, 6, 7):
        day.changed()
        day.rejected(time_ns)
    kept, like = kept_meanwhile(day), alike(make.order())

    for each in (day, kept):
        each.intended(make.intent(strategy="c", occurred_ns=10))
        assert (each.number, each.ends_ns) == (20_451, day_start_ns(20_452))
        assert (each.orders, each.trades, each.changes) == (2, 2, 3)
        assert dict(each.orders_by_strategy) == {"b": 1, "c": 1} == dict(each.trades_by_strategy)
        assert (each.realized_before, each.carried) == (holding.realized, {"INFY"})
        assert (each.sent_since(1), each.alike_since(1, like), each.rejected_since(5)) == (3, 3, 2)
    assert kept.kept() == day.kept()


@pytest.mark.parametrize("products", [*itertools.product([None, "INTRADAY", "CNC"], repeat=2)], ids=str)
def test_a_day_that_was_kept_knows_whether_any_of_its_orders_was_for_delivery(make, day, products):
    for symbol, product in zip(("INFY", "TCS"), products, strict=True):
        day.intended(make.intent(symbol=symbol, product=product))

    assert kept_meanwhile(day).has_deliveries is day.has_deliveries is ("CNC" in products)


def test_a_day_begins_without_the_products_of_the_day_before(make, day):
    day.intended(make.intent(product="CNC"))
    assert (day.products, day.has_deliveries) == ({("INFY", "CNC")}, True)
    day.begin(7, {})

    assert (day.products, day.has_deliveries) == (set(), False)


@pytest.mark.parametrize("kind", [ModificationIntended, CancellationIntended])
def test_a_day_may_begin_with_a_change_of_an_order_of_yesterday(make, kind):
    terms = {"quantity": 5, "limit_price": None, "trigger_price": None} if kind is ModificationIntended else {}
    asked = {"asked_by": "me"} if kind is CancellationIntended else {}
    book = Book()
    book.apply(make.intent("A-1", occurred_ns=1_791_181_800 * SECOND_NS))
    book.apply(kind(client_order_id="A-1", number=1, occurred_ns=1_791_181_800 * SECOND_NS + DAY_NS, **terms, **asked))
    book.apply(make.intent("A-2", occurred_ns=1_791_181_801 * SECOND_NS + DAY_NS))

    day = book.today(1_791_181_802 * SECOND_NS + DAY_NS)
    assert (day.orders, day.changes) == (1, 1)


@pytest.mark.parametrize(("ahead_ns", "orders"), [(-1, 1), (0, 0), (1, 0)])
def test_a_day_is_over_at_midnight_in_india(make, ahead_ns, orders):
    book, number = Book(), 20_451
    book.apply(make.intent(occurred_ns=day_start_ns(number)))

    assert book.today(day_start_ns(number + 1) + ahead_ns).orders == orders


def test_a_day_counts_orders_and_trades_by_strategy_and_all_together(make, day):
    for strategy in ("a", "a", "b"):
        day.intended(make.intent(strategy=strategy, occurred_ns=1))
        day.traded(strategy, "INFY", 0, 1)
    day.changed()

    assert (day.orders, day.trades, day.changes) == (3, 3, 1)
    assert (dict(day.orders_by_strategy), dict(day.trades_by_strategy)) == ({"a": 2, "b": 1},) * 2
    day.begin(7, {})
    assert (day.orders, day.trades, day.changes, day.sent_since(0)) == (0, 0, 0, 3)

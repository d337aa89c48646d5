"""Books of 20 and 200 levels, and what they add to the five levels of a tick."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_feed import Running, ScriptedFeed
from natya_packets import LAST_TRADE_NS, full

from natya.actors.feed.bodies.dhan.books import AGE_MAX_NS, Books
from natya.actors.feed.bodies.dhan.decoding import Decoder
from natya.actors.feed.bodies.dhan.settings import DhanFeedOptions
from natya.actors.feed.sources import live_source_of
from natya.config.errors import SettingsError
from natya.config.sections.feed import FeedSettings
from natya.domain.dhan.streams import depth, subscriptions
from natya.domain.instruments import PriceGrid
from natya.messages.market import Depth

NOW_NS = LAST_TRADE_NS
GRID = PriceGrid(0.05)
BEST_BID, BEST_ASK = 1512.5, 1513.0


def a_side(code, rows, *, security_id=1594, count=0):
    """Write a packet of (price, quantity, orders)."""
    body = b"".join(depth.ROW.pack(*row) for row in rows)
    return depth.HEADER.pack(depth.HEADER.size + len(body), code, 1, security_id, count) + body


def levels(code, *, first=None, count=20):
    """Rows at steps of 50 paise, as the five of `full()` are."""
    down = code == depth.BID
    begin = first or (BEST_BID if down else BEST_ASK)
    return [(begin - row / 2 if down else begin + row / 2, 1000 + row, 7) for row in range(count)]


def both(security_id=1594, **rows):
    return b"".join(a_side(code, levels(code, **rows), security_id=security_id) for code in (depth.BID, depth.ASK))


@pytest.fixture
def books():
    return Books(20)


@pytest.fixture
def book(books):
    return books.add("NSE_EQ", "1594", GRID)


@pytest.fixture
def shown(book):
    """What a full packet shows at a moment."""
    decoder = Decoder("dhan-1")
    decoder.add("NSE_EQ", "1594", "INFY", GRID, book=book)

    def decode(now_ns=NOW_NS, **content) -> Depth:
        (tick,) = decoder.decode(full(**content), now_ns)
        return tick.depth

    return decode


class TestATickOfAnInstrumentWithADeepBook:
    def test_shows_its_own_five_levels_and_those_behind_them(self, books, shown):
        assert not books.note(both(), NOW_NS)
        found = shown()
        assert len(found.bid_prices) == len(found.ask_prices) == 20
        assert found.bid_prices[:6] == (1512.5, 1512.0, 1511.5, 1511.0, 1510.5, 1510.0)
        assert found.ask_prices[4:6] == (1515.0, 1515.5)
        assert found.bid_quantities[3:7] == (103, 104, 1005, 1006)  # its own, and the deep one's
        assert found.ask_orders[3:7] == (3, 3, 7, 7)

    def test_shows_five_where_nothing_is_known(self, shown):
        assert shown() == shown(now_ns=NOW_NS + 1)
        assert len(shown().bid_prices) == 5

    def test_shows_nothing_that_is_too_old(self, books, shown):
        books.note(both(), NOW_NS)
        assert len(shown(NOW_NS + AGE_MAX_NS).bid_prices) == 20
        assert len(shown(NOW_NS + AGE_MAX_NS + 1).bid_prices) == 5

    def test_shows_nothing_from_before_the_clock_was_set_back(self, books, shown):
        books.note(both(), NOW_NS)
        assert len(shown(NOW_NS - AGE_MAX_NS).bid_prices) == 20
        assert len(shown(NOW_NS - AGE_MAX_NS - 1).bid_prices) == 5

    def test_shows_nothing_of_a_connection_that_is_gone(self, books, book, shown):
        books.note(both(), NOW_NS)
        book.forget()
        assert len(shown().bid_prices) == 5

    def test_shows_no_level_twice_where_the_deep_book_is_behind_the_market(self, books, shown):
        books.note(both(first=1510.5), NOW_NS)  # of before the price rose
        found = shown()
        assert found.bid_prices[3:7] == (1511.0, 1510.5, 1510.0, 1509.5)
        assert list(found.bid_prices) == sorted(set(found.bid_prices), reverse=True)

    def test_shows_as_many_levels_on_both_sides(self, books, shown):
        books.note(a_side(depth.BID, levels(depth.BID)), NOW_NS)
        found = shown()
        assert (
            len(found.bid_prices) == len(found.ask_prices) == len(found.ask_quantities) == len(found.bid_orders) == 20
        )
        assert set(found.ask_prices[5:]) == {0.0}
        assert set(found.ask_quantities[5:]) == set(found.ask_orders[5:]) == {0}

    def test_shows_no_more_where_the_book_has_fewer_than_five(self, books, shown):
        books.note(both(), NOW_NS)
        thin = [(100, 200, 2, 3, 1512.5, 1513.0), *[(0, 0, 0, 0, 0.0, 0.0)] * 4]
        assert shown(levels=thin).bid_prices == (1512.5, 0.0, 0.0, 0.0, 0.0)
        four = [*[(100, 200, 2, 3, 1512.5 - n / 2, 1513.0 + n / 2) for n in range(4)], (0, 0, 0, 0, 0.0, 0.0)]
        assert shown(levels=four).bid_prices == (1512.5, 1512.0, 1511.5, 1511.0, 0.0)

    def test_is_the_very_one_that_is_shown_where_nothing_lies_behind_it(self, books, book):
        five = Depth(bid_prices=(99.5,), bid_quantities=(1,), ask_prices=(100.5,), ask_quantities=(1,))
        nothing = Depth(bid_prices=(), bid_quantities=(), ask_prices=(), ask_quantities=())
        assert book.beyond(five, NOW_NS) is five
        books.note(both(), NOW_NS)
        assert book.beyond(nothing, NOW_NS) is nothing

    @given(data=st.data())
    def test_has_its_own_levels_first_and_all_in_order(self, data):
        books = Books(20)
        book = books.add("NSE_EQ", "1594", GRID)
        for code in (depth.BID, depth.ASK):
            steps = data.draw(st.lists(st.integers(1, 60_000), min_size=20, max_size=20, unique=True))
            rows = [(GRID.nearest(step * 0.05), step, 1) for step in sorted(steps, reverse=code == depth.BID)]
            books.note(a_side(code, rows), NOW_NS)
        decoder = Decoder("dhan-1")
        decoder.add("NSE_EQ", "1594", "INFY", GRID, book=book)

        found = decoder.decode(full(), NOW_NS)[0].depth

        bids, asks = [[each for each in side if each] for side in (found.bid_prices, found.ask_prices)]
        assert bids == sorted(set(bids), reverse=True)
        assert asks == sorted(set(asks))
        assert bids[0] < asks[0]
        assert (bids[:5], asks[:5]) == ([1512.5 - n / 2 for n in range(5)], [1513.0 + n / 2 for n in range(5)])


class TestASide:
    @pytest.mark.parametrize(
        "rows",
        [
            [(1512.5, 1, 1), (1512.5, 1, 1), *levels(depth.BID, first=1500.0, count=18)],
            [(1500.0, 1, 1), *levels(depth.BID, count=19)],
            [(float("nan"), 1, 1), *levels(depth.BID, count=19)],
            [(float("inf"), 1, 1), *levels(depth.BID, count=19)],
            [*levels(depth.BID, count=19), (-1.0, 1, 1)],
            [*levels(depth.BID, count=19), (0.0001, 1, 1)],
        ],
        ids=["twice", "out of order", "no number", "infinite", "below zero", "less than a tick"],
    )
    def test_that_is_none_is_counted_and_forgets_what_was_known(self, books, book, rows):
        books.note(both(), NOW_NS)
        books.note(a_side(depth.BID, rows), NOW_NS)
        assert (books.damaged, books.broken) == (1, "")
        assert book.bids.prices == ()
        assert len(book.asks.prices) == 20

    @pytest.mark.parametrize("row", [(1511.0, 0, 7), (0.0, 5, 7), (0.0, 0, 0)], ids=str)
    def test_has_no_level_without_a_price_or_without_shares(self, books, book, row):
        rows = levels(depth.BID)
        rows[3] = row
        books.note(a_side(depth.BID, rows), NOW_NS)

        assert (book.bids.prices[:4], len(book.bids.prices)) == ((1512.5, 1512.0, 1511.5, 1510.5), 19)
        assert book.bids.quantities[2:5] == (1002, 1004, 1005)

    def test_is_counted_as_kept_or_as_damaged_and_so_is_a_frame(self, books, book):
        assert (books.kept, books.damaged, books.unknown, books.reason) == (0, 0, 0, 0)
        twice = [(1512.5, 1, 1)] * 20
        books.note(both() + a_side(depth.BID, twice) + both(security_id=7), NOW_NS)
        assert (books.kept, books.damaged, books.unknown) == (2, 1, 2)
        books.note(both()[:-1], NOW_NS)

        assert (books.kept, books.damaged, books.unknown) == (3, 2, 2)
        assert book.bids.received_ns == NOW_NS

    def test_may_have_fewer_levels_than_rows(self, books, book):
        books.note(a_side(depth.BID, [*levels(depth.BID, count=8), *[(0.0, 0, 0)] * 12]), NOW_NS)
        assert len(book.bids.prices) == len(book.bids.quantities) == 8

    def test_of_an_instrument_that_is_not_subscribed_to_is_counted(self, books, book):
        books.note(both(security_id=7) + both(), NOW_NS)
        assert books.unknown == 2
        assert len(book.bids.prices) == 20

    def test_that_is_cut_off_is_a_broken_frame(self, books, book):
        assert not books.note(both()[:-1], NOW_NS)
        assert "wanted, found" in books.broken
        assert (len(book.bids.prices), len(book.asks.prices)) == (20, 0)

    def test_of_200_levels_has_as_many_as_it_says(self):
        books = Books(200)
        book = books.add("NSE_EQ", "1594", GRID)
        books.note(a_side(depth.ASK, levels(depth.ASK, count=137), count=137), NOW_NS)
        assert len(book.asks.prices) == 137

    def test_may_be_followed_by_the_end_of_the_connection(self, books):
        ended = depth.HEADER.pack(14, depth.DISCONNECT, 0, 0, 0) + depth.REASON.pack(805)
        assert books.note(both() + ended, NOW_NS)
        assert books.reason == 805


@pytest.fixture
def feeds():
    with ScriptedFeed() as market, ScriptedFeed() as deep:
        yield market, deep


class TestAFeedWithDepth:
    def test_deepens_what_the_market_feed_shows(self, feeds):
        market, deep = feeds
        with Running(market, count=2, mode="full", depth=20, depth_url=deep.url) as running:
            market.wait_for_sockets(1, 2)
            deep.wait_for_sockets(1, 2)
            assert [request.request_code for request in deep.sockets[0].requests] == [subscriptions.DEPTH]
            deep.send(both(security_id=1))
            found = self._until(running, market, lambda depth: len(depth.bid_prices) == 20)
            assert found.bid_quantities[5] == 1005
            assert running.stream.trouble == ""

    def test_goes_on_with_five_levels_without_it_and_has_it_again(self, feeds):
        market, deep = feeds
        with Running(market, count=1, mode="full", depth=20, depth_url=deep.url) as running:
            market.wait_for_sockets(1)
            deep.wait_for_sockets(1)
            deep.send(both(security_id=1))
            self._until(running, market, lambda depth: len(depth.bid_prices) == 20)
            deep.send(b"garbage")
            self._until(running, market, lambda depth: len(depth.bid_prices) == 5)
            deep.wait_for_sockets(2)
            deep.send(both(security_id=1))
            self._until(running, market, lambda depth: len(depth.bid_prices) == 20)
            assert running.stream.take_gaps() == []
            assert running.stream.counts().damaged == 1

    def test_has_a_connection_for_each_instrument_with_200_levels(self, feeds):
        market, deep = feeds
        with Running(market, count=7, mode="full", depth=200, depth_url=deep.url) as running:
            deep.wait_for(lambda feed: sum(len(each.requests) for each in feed.sockets) == 5)
            market.wait_for_sockets(1, 7)
            assert running.stream.trouble == "2 instruments keep five levels: 5 have room for more"

    @staticmethod
    def _until(running, market, wanted):
        """Send ticks until one shows such a depth: two feeds keep no order between them."""
        for _ in range(1_000):
            market.send(full(1))
            for tick in running.ticks(1):
                if wanted(tick.depth):
                    return tick.depth
        raise AssertionError("a tick with such a depth wanted, found none")


class TestOptionsOfDepth:
    @pytest.mark.parametrize(
        "options",
        [
            {"depth": 20, "mode": "quote"},
            {"depth": 20, "depth_url": "wss://api-feed.dhan.co"},
            {"depth": 200, "depth_url": "wss://depth-api-feed.dhan.co"},
            {"depth": 5, "depth_url": "wss://example.com"},
            {"depth": 20, "url": "ws://127.0.0.1:8"},
            {"depth": 200, "depth_url": "ws://127.0.0.1:9"},
        ],
    )
    def test_that_do_not_fit_are_refused(self, options):
        assert "wanted" in DhanFeedOptions(**options).problem()

    @pytest.mark.parametrize(
        "options",
        [
            *({"depth": 20}, {"depth": 200}, {"mode": "quote"}, {"url": "ws://127.0.0.1:8"}),
            {"depth": 20, "url": "ws://127.0.0.1:8", "depth_url": "ws://127.0.0.1:9"},
        ],
    )
    def test_that_fit_are_taken(self, options):
        assert DhanFeedOptions(**options).problem() == ""

    def test_have_their_address_judged_before_whose_it_is(self):
        options = {"depth": 20, "url": "ws://127.0.0.1:8", "depth_url": "https://example.com"}

        assert "one of the exchange" not in DhanFeedOptions(**options).problem()

    @pytest.mark.parametrize(
        ("options", "address"),
        [
            ({}, ""),
            ({"depth": 20}, "wss://depth-api-feed.dhan.co/twentydepth?"),
            ({"depth": 20, "depth_url": "ws://127.0.0.1:9"}, "ws://127.0.0.1:9?"),
        ],
    )
    def test_have_the_address_of_dhan_where_none_is_given(self, options, address):
        assert DhanFeedOptions(**options).deep_address == address

    def test_are_one_of_three_numbers(self):
        settings = FeedSettings.default(source="dhan", options={"depth": 21})
        with pytest.raises(SettingsError, match="depth: wanted one of 5, 20, 200, found 21"):
            live_source_of(settings)

"""What one tick offers: which levels an order may trade with, and how much of each is ours."""

import pytest

from natya.actors.exchange.matching.liquidity import UNLIMITED, Liquidity

BIDS, ASKS = [(99.0, 10), (98.5, 20)], [(100.0, 11), (100.5, 21), (0.0, 0)]


@pytest.fixture
def offered(a_tick):
    def build(side, *, limit_price=None, rested=False, at_limit=0, traded=0, share=1.0, depth=True):  # noqa: PLR0913  by name
        tick = a_tick(99.5, **({"bids": BIDS, "asks": ASKS} if depth else {}))
        liquidity = Liquidity(tick, traded, share=share)
        levels = liquidity.against(side, limit_price=limit_price, rested=rested, at_limit=at_limit)
        return [(level.price, level.quantity) for level in levels]

    return build


class TestABook:
    @pytest.mark.parametrize(
        ("side", "limit_price", "levels"),
        [
            ("BUY", None, [(100.0, 11), (100.5, 21)]),
            ("BUY", 100.5, [(100.0, 11), (100.5, 21)]),
            ("BUY", 100.0, [(100.0, 11)]),
            ("BUY", 99.95, []),
            ("SELL", None, [(99.0, 10), (98.5, 20)]),
            ("SELL", 99.0, [(99.0, 10)]),
            ("SELL", 99.05, []),
        ],
    )
    def test_offers_its_other_side_up_to_the_limit(self, offered, side, limit_price, levels):
        assert offered(side, limit_price=limit_price) == offered(side, limit_price=limit_price, rested=True) == levels

    @pytest.mark.parametrize(("share", "levels"), [(0.5, [(100.0, 5), (100.5, 10)]), (0.05, [(100.5, 1)])])
    def test_offers_a_part_of_it_in_whole_shares(self, offered, share, levels):
        assert offered("BUY", share=share) == levels

    def test_offers_all_of_what_is_more_than_a_float_can_tell(self, a_tick):
        liquidity = Liquidity(a_tick(99.5, bids=[(99.0, 2**53 + 1)], asks=[]), 0, share=1.0)
        assert liquidity.against("SELL", limit_price=None, rested=False)[0].quantity == 2**53 + 1

    @pytest.mark.parametrize(
        ("side", "limit_price", "rested", "at_limit", "levels"),
        [
            ("BUY", 99.55, True, 0, [(99.5, 7)]),  # what was traded below its limit would have been its own
            ("BUY", 100.0, True, 0, [(99.5, 7), (100.0, 11)]),
            ("BUY", 99.5, True, 0, []),  # at its limit others were before it
            ("BUY", 99.5, True, 3, [(99.5, 7)]),
            ("BUY", 99.45, True, 3, []),
            ("BUY", 99.55, False, 3, []),  # it was not there
            ("BUY", None, True, 3, [(100.0, 11), (100.5, 21)]),
            ("SELL", 99.45, True, 0, [(99.5, 7)]),
            ("SELL", 98.5, True, 0, [(99.5, 7), (99.0, 10), (98.5, 20)]),
            ("SELL", 99.5, True, 0, []),
            ("SELL", 99.5, True, 3, [(99.5, 7)]),
        ],
    )
    def test_offers_who_rested_what_was_traded_through_its_limit(  # noqa: PLR0913, PLR0917  a table
        self, offered, side, limit_price, rested, at_limit, levels
    ):
        assert offered(side, limit_price=limit_price, rested=rested, at_limit=at_limit, traded=7) == levels
        without = offered(side, limit_price=limit_price, rested=rested, at_limit=at_limit)
        assert without == [level for level in levels if level != (99.5, 7)]


class TestATickWithoutABook:
    @pytest.mark.parametrize(
        ("side", "limit_price", "rested", "at_limit", "is_offered"),
        [
            ("BUY", None, False, 0, True),
            ("BUY", 99.5, False, 0, True),
            ("BUY", 99.45, False, 0, False),
            ("BUY", 99.5, True, 0, False),
            ("BUY", 99.5, True, UNLIMITED, True),
            ("BUY", 99.55, True, 0, True),
            ("SELL", 99.5, True, 0, False),
            ("SELL", 99.45, True, 0, True),
        ],
    )
    def test_offers_its_price_without_limit_of_shares(self, offered, side, limit_price, rested, at_limit, is_offered):  # noqa: PLR0913, PLR0917  a table
        found = offered(
            side, limit_price=limit_price, rested=rested, at_limit=at_limit, traded=7, share=0.5, depth=False
        )
        assert found == ([(99.5, UNLIMITED)] if is_offered else [])


class TestAnAuction:
    @pytest.mark.parametrize(("depth", "quantity"), [(True, 3), (False, UNLIMITED)])
    def test_offers_its_price_to_both_sides_as_far_as_it_is_known_what_it_traded(self, a_tick, depth, quantity):
        tick = a_tick(99.5, **({"bids": BIDS, "asks": ASKS} if depth else {}))
        found = Liquidity.of_auction(tick, 7, share=0.5)

        for side, limit_price in (("BUY", 99.5), ("SELL", 99.5)):
            (level,) = found.against(side, limit_price=limit_price, rested=False)
            assert (level.price, level.quantity) == (99.5, quantity)
            assert found.against(side, limit_price=limit_price, rested=True) == []  # its limit is no better


@pytest.mark.parametrize(
    ("bids", "asks", "best_ask", "best_bid"),
    [(BIDS, ASKS, 99.5, 99.5), ([(99.75, 1)], [(99.25, 1)], 99.25, 99.75), ([], [], 99.5, 99.5)],
)
def test_the_best_price_for_who_rests_is_that_of_the_book_or_of_the_last_trade(a_tick, bids, asks, best_ask, best_bid):
    found = Liquidity(a_tick(99.5, bids=bids, asks=asks), 0, share=1.0)
    assert (found.best("BUY"), found.best("SELL")) == (best_ask, best_bid)


def test_of_a_print_at_its_very_limit_an_order_has_what_its_queue_left(a_tick):
    found = Liquidity(a_tick(99.5, bids=BIDS, asks=[(99.5, 5)]), 7, share=1.0)
    book, printed = found.against("BUY", limit_price=99.5, rested=True, at_limit=3)

    assert found.most_of(printed, limit_price=99.5, at_limit=3) == 3
    assert found.most_of(printed, limit_price=99.5, at_limit=9) == 7
    assert found.most_of(printed, limit_price=100.0, at_limit=3) == 7
    assert found.most_of(book, limit_price=99.5, at_limit=3) == 5

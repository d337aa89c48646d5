"""The synthetic market."""

import itertools
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.feed import SOURCES, Surroundings
from natya.actors.feed.bodies import synthetic
from natya.domain.instruments import PriceGrid
from natya.messages.codec import decode, encode

COUNT = 100


def chunks_of(feed, *, seed=7, start_ns=1_000_000_000, **options):
    surroundings = Surroundings(start_ns=start_ns, random=Random(seed))
    body = SOURCES["synthetic"]
    return body.make(feed, body.options(**options), surroundings).chunks()


def ticks(feed, **market):
    return list(itertools.islice(itertools.chain.from_iterable(chunks_of(feed, **market)), COUNT))


@given(seed=st.integers(0, 2**32), tick_size=st.sampled_from([0.01, 0.05, 0.25]), levels=st.integers(5, 20))
def test_every_price_is_on_the_grid_and_the_book_is_in_order(feed_settings, seed, tick_size, levels):
    grid = PriceGrid(tick_size)
    for tick in ticks(feed_settings(source="synthetic", tick_size_rupees=tick_size), seed=seed, levels=levels):
        depth = tick.depth
        assert {len(side) for side in (depth.bid_quantities, depth.ask_quantities, depth.ask_prices)} == {levels}
        book = (*reversed(depth.bid_prices), *depth.ask_prices)
        assert all(price > 0 and grid.nearest(price) == price for price in (tick.price, *book))
        assert list(book) == sorted(set(book))
        assert tick.price in (depth.bid_prices[0], depth.ask_prices[0])
        assert tick.day.low_price <= tick.price <= tick.day.high_price


class TestASyntheticMarket:
    def test_is_the_same_for_the_same_seed_and_start(self, feed_settings):
        feed = feed_settings(source="synthetic")

        assert ticks(feed) == ticks(feed)

    def test_has_the_prices_of_its_seed_with_any_number_of_levels(self, feed_settings):
        feed = feed_settings(source="synthetic")
        deep, flat = ticks(feed, levels=20), ticks(feed)

        assert [each.price for each in deep] == [each.price for each in flat]
        assert [each.depth.bid_prices[:5] for each in deep] == [each.depth.bid_prices for each in flat]
        assert deep[0].source != flat[0].source

    def test_is_another_source_for_another_seed_or_start(self, feed_settings):
        sources = {
            ticks(feed_settings(source="synthetic", seed=seed), start_ns=start_ns)[0].source
            for seed in (1, 2)
            for start_ns in (3, 4)
        }

        assert len(sources) == 4

    def test_numbers_its_ticks_and_lets_the_symbols_take_turns_in_time(self, feed_settings):
        found = ticks(feed_settings(source="synthetic"))

        assert [tick.sequence for tick in found] == list(range(1, COUNT + 1))
        assert [tick.symbol for tick in found[:4]] == ["TCS", "INFY", "TCS", "INFY"]
        assert found[20].exchange_ns - found[0].exchange_ns == 1_000_000_000
        assert found[0].exchange_ns == 1_000_000_000

    def test_tells_of_the_day_what_its_ticks_tell(self, feed_settings):
        before = []
        for tick in ticks(feed_settings(source="synthetic", symbols=("TCS",))):
            before.append((tick.price, tick.quantity))
            prices = [price for price, _ in before]
            volume = sum(quantity for _, quantity in before)
            day, depth = tick.day, tick.depth

            assert (day.open_price, day.high_price, day.low_price) == (prices[0], max(prices), min(prices))
            assert tick.volume == volume
            assert abs(day.average_price - sum(price * quantity for price, quantity in before) / volume) < 0.006
            assert (day.total_buy_quantity, day.total_sell_quantity) == (
                sum(depth.bid_quantities), sum(depth.ask_quantities),
            )  # fmt: skip

    def test_counts_the_volume_of_each_symbol(self, feed_settings):
        found = ticks(feed_settings(source="synthetic", symbols=("TCS",)))

        assert [tick.volume for tick in found] == list(itertools.accumulate(tick.quantity for tick in found))

    def test_begins_with_short_chunks(self, feed_settings):
        chunks = chunks_of(feed_settings())

        assert [len(next(chunks)) for _ in range(8)] == [20, 40, 80, 160, 320, 640, 1_000, 1_000]

    def test_stays_within_its_bounds(self, feed_settings, monkeypatch):
        monkeypatch.setattr(synthetic, "VOLATILITY", 10.0)
        found = {round(tick.depth.bid_prices[0] / 0.05) for tick in ticks(feed_settings(source="synthetic"))}

        least, most = synthetic.TICKS_FROM_ZERO_MIN, synthetic.TICKS_FROM_ZERO_MAX
        assert {least, most} < found
        assert (min(found), max(found)) == (least, most)

    def test_moves(self, feed_settings):
        assert len({tick.price for tick in ticks(feed_settings(source="synthetic"))}) > 10

    def test_says_what_the_codec_can_carry(self, feed_settings):
        tick = ticks(feed_settings(source="synthetic"))[-1]

        assert decode(encode(tick)) == tick

    @pytest.mark.parametrize("symbols", [()])
    def test_without_symbols_is_empty(self, feed_settings, symbols):
        assert ticks(feed_settings(source="synthetic", symbols=symbols)) == []

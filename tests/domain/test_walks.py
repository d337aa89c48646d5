"""Positions against an independent computation in fractions: no number is rounded before it is shown."""

import random
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.positions import Holding


class Reckoning:
    """Average cost as a textbook has it: shares, what each of them cost, and the profit taken."""

    def __init__(self):
        self.shares, self.average, self.profit = 0, Fraction(0), Fraction(0)

    def trade(self, quantity, price):
        price = Fraction(str(price))
        closed = min(abs(quantity), abs(self.shares)) if quantity * self.shares < 0 else 0
        direction = 1 if self.shares > 0 else -1
        self.profit += direction * closed * (price - self.average)
        opened = abs(quantity) - closed
        if closed and opened:
            self.average = price
        elif opened:
            self.average = (abs(self.shares) * self.average + opened * price) / (abs(self.shares) + opened)
        self.shares += quantity
        if not self.shares:
            self.average = Fraction(0)


def shown(amount, places):
    """The decimal nearest to a fraction; the even one of two."""
    return Decimal(round(amount * 10**places)) / 10**places


def agree(trades):
    holding, reckoning = Holding(), Reckoning()
    for quantity, price in trades:
        holding.trade(quantity, price)
        reckoning.trade(quantity, price)
        position = holding.position("INFY")

        assert position.quantity == reckoning.shares
        assert position.average_price == shown(reckoning.average, 4)
        assert position.realized_pnl == shown(reckoning.profit, 2)
    return holding


PRICES = st.one_of(
    st.integers(1, 400_000).map(lambda ticks: ticks * 5 / 100),
    st.floats(0.0001, 1e12, allow_nan=False),
    st.integers(1, 10**9).map(lambda units: units / 10**6),
)


class TestAWalkOfFills:
    @pytest.mark.parametrize("seed", range(3))
    def test_of_a_thousand_agrees_with_fractions_after_each(self, seed):
        rng = random.Random(seed)
        held, trades = 0, [(-40, 1500.05)]
        for _ in range(1_000):
            kind = rng.choice(["open", "part", "part", "flip", "flat"] if held else ["open"])
            size = rng.randint(1, 90)
            quantity = {
                "open": size if held >= 0 else -size,
                "part": -held // abs(held or 1) * rng.randint(1, abs(held) or 1),
                "flip": -held + (-size if held > 0 else size),
                "flat": -held,
            }[kind]
            trades.append((quantity or size, rng.randint(20_000, 40_000) * 5 / 100))
            held = sum(quantity for quantity, _ in trades[1:]) - 40

        agree(trades)

    def test_that_is_never_flat_stays_exact(self):
        rng = random.Random(1)
        trades = [(15, 100.55)]
        for _ in range(500):
            trades += [(-rng.randint(1, 7), rng.randint(2_000, 4_000) / 20), (rng.randint(4, 9), 105.4)]
            if sum(quantity for quantity, _ in trades) < 8:
                trades.append((40, 99.95))

        agree(trades)

    def test_that_is_never_flat_for_ever_keeps_its_cost_within_bounds(self):
        holding = Holding()
        holding.trade(15, 100.55)
        for _ in range(30_000):
            holding.trade(-3, 105.4)
            holding.trade(3, 95.4)

        assert holding.cost.denominator.bit_length() < 70_000
        # Every round trip earns 3 x (105.4 - average), and the average tends to 95.4.
        assert abs(holding.cost - Fraction("95.4") * 15) < Fraction(1, 10**30)

    @given(trades=st.lists(st.tuples(st.integers(-500, 500).filter(bool), PRICES), max_size=40))
    def test_of_any_quantities_and_prices_agrees_with_fractions(self, trades):
        agree(trades)


class TestAProfitBetweenTwoPaise:
    def test_is_shown_as_the_even_one(self):
        # (15 x 100.55 + 3 x 105.40) / 18 each: selling 15 at 95.40 loses 89.375 exactly.
        holding = agree([(15, 100.55), (3, 105.4), (-15, 95.4)])

        assert holding.realized == Fraction("-89.375")
        assert holding.position("INFY").realized_pnl == Decimal("-89.375").quantize(Decimal("0.01"), ROUND_HALF_EVEN)

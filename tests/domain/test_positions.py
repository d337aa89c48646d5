"""Positions: average cost, and no paisa lost."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from natya.domain import positions
from natya.domain.money import rounded
from natya.domain.positions import Holding, Positions, StrategyPositions, unrealized
from natya.messages.holdings import Position
from natya.messages.orders import OrderFilled

TRADES = st.lists(
    st.tuples(st.integers(-500, 500).filter(bool), st.integers(1, 400_000).map(lambda grid: round(grid * 0.05, 2))),
    max_size=30,
)


def a_fill(strategy, quantity, side):
    return OrderFilled(
        client_order_id="A-1",
        trade_id="T-1",
        strategy=strategy,
        symbol="INFY",
        side=side,
        quantity=quantity,
        price=100.0,
        cumulative_quantity=quantity,
        occurred_ns=1,
    )


def after(*trades):
    holding = Holding()
    for quantity, price in trades:
        holding.trade(quantity, price)
    return holding


class TestAPosition:
    def test_costs_the_average_of_what_was_bought(self):
        position = after((10, 100.0), (20, 103.0)).position("INFY")

        assert position == Position(
            symbol="INFY",
            quantity=30,
            average_price=Decimal("102.0000"),
            realized_pnl=Decimal("0.00"),
            cost=Decimal(3060),
        )

    def test_keeps_its_average_when_a_part_is_sold(self):
        position = after((30, 102.0), (-10, 105.5)).position("INFY")

        assert (position.quantity, position.average_price, position.realized_pnl) == (20, 102, Decimal("35.00"))

    def test_gains_when_a_short_is_bought_back_lower(self):
        position = after((-10, 100.0), (10, 99.95)).position("INFY")

        assert (position.quantity, position.average_price, position.realized_pnl) == (0, 0, Decimal("0.50"))

    @given(TRADES, st.integers(1, 1_000), st.integers(-500, 500).filter(bool))
    def test_loses_nothing_when_shares_move_to_another_at_their_cost(self, trades, moved, there):
        source, target = after(*trades), after((there, 100.05))
        if not source.quantity:
            return
        quantity = min(moved, source.quantity) if source.quantity > 0 else max(-moved, source.quantity)
        part = source.cost * quantity / source.quantity
        cost = Fraction(rounded(part.numerator, part.denominator, 30))
        before, gained = source.cost, source.realized
        held, owned = (source.quantity, target.quantity), target.cost
        together = source.realized - source.cost + target.realized - target.cost

        source.move(-quantity, -cost)
        target.move(quantity, cost)

        assert source.cost == before - part
        assert abs(source.realized - gained) <= Fraction(1, 10**30)
        assert source.realized - source.cost + target.realized - target.cost == together
        assert (source.quantity, target.quantity) == (held[0] - quantity, held[1] + quantity)
        if there * quantity > 0:
            assert target.cost == owned + cost
        elif there * target.quantity >= 0:
            assert target.cost == owned * target.quantity / there
        else:
            assert target.cost == cost * target.quantity / quantity

    def test_turns_over_at_the_price_of_the_trade(self):
        position = after((10, 100.0), (-15, 110.0)).position("INFY")

        assert (position.quantity, position.average_price, position.realized_pnl) == (-5, 110, Decimal("100.00"))

    def test_is_exact_at_prices_of_more_decimal_places_than_are_shown(self):
        holding = after((3, 100.5), (-1, 100.50005), (2, 0.00001), (-1, 1e-9))
        bought = Fraction("100.5") * 2 + Fraction("0.00002")

        assert holding.cost == bought * 3 / 4
        assert holding.realized == Fraction("0.00005") - bought / 4 + Fraction("0.000000001")

    def test_is_exact_beside_a_price_of_more_places_than_any_float_has_units(self):
        holding = Holding()
        for quantity, price in ((10, 1500.0), (10, 5e-324), (-20, 1e-300), (5, 1500.05)):
            holding.trade(quantity, price)

        assert holding.quantity == 5
        assert holding.cost == Fraction("7500.25")
        assert holding.realized == 20 * Fraction("1e-300") - 10 * Fraction("5e-324") - 15_000

    def test_that_is_flat_is_kept_in_as_little_as_a_new_one(self):
        flat, turned = after((7, 100.0), (-2, 1.0), (-5, 3.0)), after((7, 100.0), (-2, 1.0), (-6, 3.0))

        assert flat.kept()[2:] == Holding().kept()[2:]
        assert turned.kept()[3:] == Holding().kept()[3:]

    def test_takes_shares_that_are_moved_to_a_part_of_others(self):
        holding = after((3, 100.0), (4, 100.05), (-5, 101.0))
        held = holding.cost
        assert held.denominator % 7 == 0

        holding.move(3, Fraction("301.5"))

        assert (holding.quantity, holding.cost) == (5, held + Fraction("301.5"))

    def test_loses_no_fraction_of_a_paisa_by_closing_in_thirds(self):
        holding = after((3, 100.0), (4, 100.05), *[(-1, 100.0)] * 7)

        assert holding.cost == 0
        assert holding.position("INFY").realized_pnl == Decimal("-0.20")

    def test_is_as_good_as_exact_however_often_a_part_of_it_is_closed(self, monkeypatch):
        """The bound is reached after a few here; an exact fraction is computed beside it."""
        monkeypatch.setattr(positions, "_SHARE_BITS_MAX", 128)
        holding, held, cost, longest = Holding(), 0, Fraction(0), 0
        for number in range(200):
            bought, price = 97 + number % 5, round(100 + number * 0.05, 2)
            holding.trade(bought, price)
            held, cost = held + bought, cost + bought * Fraction(str(price))
            holding.trade(-89, 100.0)
            held, cost = held - 89, cost * Fraction(held - 89, held)
            longest = max(longest, holding._shares_of_unit.bit_length())

        assert (holding.quantity, longest <= 128 + 16) == (held, True)
        assert abs(holding.cost - cost) < Fraction(1, 10**9)

    @given(trades=TRADES)
    def test_adds_up_to_the_cash_that_moved(self, trades):
        holding = after(*trades)
        cash = sum((-quantity * Decimal(repr(price)) for quantity, price in trades), Decimal(0))

        assert holding.quantity == sum(quantity for quantity, _ in trades)
        assert holding.realized - holding.cost == cash
        assert (holding.cost > 0) == (holding.quantity > 0)
        assert holding.quantity or holding.cost == 0

    @given(trades=TRADES)
    def test_shows_profit_to_the_paisa(self, trades):
        assert after(*trades).position("INFY").realized_pnl.as_tuple().exponent == -2


class TestPositions:
    def test_are_shown_for_every_symbol_ever_traded(self, make):
        positions = Positions()
        positions.apply(make.filled(symbol="TCS", quantity=5))
        positions.apply(make.filled(symbol="INFY", side="SELL", quantity=3))
        positions.apply(make.filled(symbol="INFY", side="BUY", quantity=3))

        assert [(each.symbol, each.quantity) for each in positions.all()] == [("INFY", 0), ("TCS", 5)]
        assert positions.quantity("SBIN") == 0

    def test_take_shares_that_were_moved_here_at_their_cost_traded_before_or_not(self, make):
        positions = Positions()
        positions.apply(make.filled(symbol="TCS", quantity=5, price=100.0))
        positions.move("TCS", 5, Fraction(1_000))
        positions.move("INFY", -2, Fraction(-300))

        assert [(each.symbol, each.quantity, each.average_price, each.cost) for each in positions.all()] == [
            ("INFY", -2, 150, -300),
            ("TCS", 10, 150, 1_500),
        ]
        assert Positions.from_kept(positions.kept()).all() == positions.all()


class TestUnrealizedProfit:
    def test_is_the_gain_over_the_average(self):
        positions = [after((10, 100.0)).position("INFY"), after((-4, 50.0)).position("TCS")]

        assert unrealized(positions, {"INFY": 101.5, "TCS": 50.05}) == {
            "INFY": Decimal("15.00"),
            "TCS": Decimal("-0.20"),
        }

    def test_is_exact_where_the_average_is_not(self):
        # 1,000 at 100.00 and 2,000 at 100.05 cost 100.0333… each; rounded, 3,000 of them would be 0.10 rupees cheaper.
        positions = [after((1000, 100.0), (2000, 100.05)).position("INFY")]

        assert unrealized(positions, {"INFY": 100.0}) == {"INFY": Decimal("-100.00")}

    @given(trades=TRADES, last=st.integers(1, 400_000).map(lambda ticks: round(ticks * 0.05, 2)))
    def test_is_what_closing_at_that_price_would_realize(self, trades, last):
        open_now = after(*trades)
        closed = after(*trades, *([(-open_now.quantity, last)] if open_now.quantity else []))
        profit = closed.realized - open_now.realized

        found = unrealized([open_now.position("INFY")], {"INFY": last})["INFY"]
        assert found == Decimal(round(profit * 100)) / 100

    def test_of_an_earlier_releases_position_is_worked_out_from_its_average(self):
        position = Position(symbol="INFY", quantity=10, average_price=Decimal("99.5"), realized_pnl=Decimal(0))

        assert unrealized([position], {"INFY": 100.0}) == {"INFY": Decimal("5.00")}

    def test_is_nothing_when_flat_and_unknown_without_a_price(self):
        flat, held = after((1, 9.0), (-1, 9.0)).position("INFY"), after((1, 9.0)).position("TCS")

        assert unrealized([flat, held], {}) == {"INFY": Decimal("0.00")}


class TestThePositionsOfAStrategy:
    def test_are_its_own(self, make):
        shares = StrategyPositions()
        shares.apply(make.filled(strategy="one", quantity=5))
        shares.apply(make.filled(strategy="two", quantity=3, side="SELL"))

        assert (shares.of("one"), shares.of("two"), shares.of("three")) == ({"INFY": 5}, {"INFY": -3}, {})
        assert [[each.quantity for each in shares.all(name)] for name in ("one", "two", "three")] == [[5], [-3], []]
        assert [shares.quantity("two", "INFY"), shares.quantity("two", "TCS"), shares.quantity("x", "TCS")] == [
            -3,
            0,
            0,
        ]
        assert shares.shares() == {("one", "INFY"): 5, ("two", "INFY"): -3}
        assert StrategyPositions.from_kept(shares.kept()).shares() == shares.shares()

    @given(
        trades=st.lists(st.tuples(st.sampled_from(["one", "two"]), st.integers(1, 9), st.sampled_from(["BUY", "SELL"])))
    )
    def test_add_up_to_the_position_of_all(self, trades):
        shares, positions = StrategyPositions(), Positions()
        for strategy, quantity, side in trades:
            fill = a_fill(strategy, quantity, side)
            shares.apply(fill)
            positions.apply(fill)

        held = [shares.of(strategy).get("INFY", 0) for strategy in ("one", "two")]
        assert sum(held) == positions.quantity("INFY")
        assert all(0 not in shares.of(strategy).values() for strategy in ("one", "two"))

"""The formulas: by hand, and against an independent library."""

import math
import warnings
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_backtests import a_curve

from natya.backtest.figures import measures
from natya.domain.time import DAY_NS

RETURNS = np.array([0.01, -0.02, 0.015, 0.0, -0.005, 0.03])

some_returns = st.lists(st.floats(-0.2, 0.2).map(lambda value: round(value, 6)), min_size=2, max_size=60)


@pytest.fixture(scope="module")
def empyrical():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("empyrical")


def agrees(ours, theirs):
    if ours is None:
        return not math.isfinite(theirs) or abs(theirs) > 1e9
    return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-12)


class TestReturns:
    def test_are_changes_against_the_value_before(self):
        found = measures.returns_of(np.array([110.0, 99.0, 99.0]), 100.0)

        assert found.tolist() == pytest.approx([0.1, -0.1, 0.0])

    def test_end_where_the_account_is_ruined(self):
        assert measures.returns_of(np.array([50.0, -10.0, 20.0]), 100.0).tolist() == pytest.approx([-0.5, -1.2])
        assert measures.returns_of(np.array([0.0, 20.0]), 100.0).tolist() == [-1.0]

    def test_go_on_as_long_as_anything_is_left(self):
        assert measures.returns_of(np.array([0.5, 0.25]), 1.0).tolist() == [-0.5, -0.5]


class TestByHand:
    def test_a_year_of_a_tenth_of_a_percent_a_day(self):
        assert measures.cagr(np.full(252, 0.001)) == pytest.approx(1.001**252 - 1)

    def test_sharpe_of_two_days(self):
        # mean 0.01, deviation of a sample 0.01 * sqrt(2)
        assert measures.sharpe(np.array([0.0, 0.02])) == pytest.approx(math.sqrt(252) / math.sqrt(2))

    def test_volatility_is_of_two_days_at_least(self):
        assert measures.volatility(np.array([0.01, 0.03])) == pytest.approx(0.02 / math.sqrt(2) * math.sqrt(252))
        assert measures.volatility(np.array([0.01])) is None

    def test_the_error_of_a_sharpe_is_what_chance_makes_of_it(self):
        """Drawn anew from the same returns, it scatters by so much."""
        draw = np.random.default_rng(3)
        drawn = [measures.sharpe(draw.normal(0.001, 0.01, 120)) for _ in range(2_000)]

        assert measures.sharpe_error(draw.normal(0.001, 0.01, 120)) == pytest.approx(np.std(drawn), rel=0.06)
        assert measures.sharpe_error(RETURNS[:1]) is None

    @pytest.mark.parametrize("count", [2, 6, 50])
    def test_the_best_of_many_without_skill_has_what_chance_makes_of_it(self, count):
        draw = np.random.default_rng(4)
        drawn = draw.normal(0.0, 2.0, (1_000, count))
        of_chance = np.mean([measures.sharpe_of_chance(each) for each in drawn])

        assert of_chance == pytest.approx(np.mean(drawn.max(axis=1)), rel=0.08)
        assert measures.sharpe_of_chance([3.0]) is None

    def test_sortino_counts_gains_as_nothing(self):
        # mean 0.005, downside sqrt(0.01^2 / 2)
        assert measures.sortino(np.array([0.02, -0.01])) == pytest.approx(0.005 / math.sqrt(0.00005) * math.sqrt(252))

    def test_a_drawdown_is_from_the_highest_value_before(self):
        assert measures.max_drawdown(np.array([120.0, 90.0, 130.0, 117.0]), 100.0) == pytest.approx(-0.25)

    def test_a_drawdown_may_begin_at_the_start(self):
        assert measures.max_drawdown(np.array([80.0, 90.0]), 100.0) == pytest.approx(-0.2)

    def test_its_length_is_from_the_peak_until_it_is_reached_again(self):
        days = np.arange(6) * DAY_NS

        found = measures.longest_drawdown_ns(days, np.array([110.0, 105.0, 100.0, 110.0, 120.0, 119.0]), 100.0)

        assert found == 3 * DAY_NS

    def test_its_length_goes_on_to_the_end(self):
        days = np.arange(4) * DAY_NS

        assert measures.longest_drawdown_ns(days, np.array([110.0, 109.0, 108.0, 109.0]), 100.0) == 3 * DAY_NS

    @given(
        st.lists(st.tuples(st.integers(1, 5), st.integers(1, 6)), min_size=1, max_size=12).map(
            lambda each: list(zip(*each, strict=True))
        )
    )
    def test_its_length_is_the_longest_of_all_whatever_the_values_do(self, drawn):
        steps, values = drawn
        times = [sum(steps[: number + 1]) for number in range(len(steps))]
        peak, peak_ns, under, longest = 3, times[0], False, 0
        for time_ns, value in zip(times, values, strict=True):
            if value < peak or under:
                longest = max(longest, time_ns - peak_ns)
            if value >= peak:
                peak, peak_ns = value, time_ns
            under = value < peak

        found = measures.longest_drawdown_ns(np.array(times), np.array(values, float), 3.0)
        assert found == longest

    @given(st.lists(st.integers(1, 6), min_size=1, max_size=12))
    def test_its_depth_at_each_value_is_below_the_highest_so_far(self, values):
        found = measures.drawdowns(np.array(values, float), 3.0)

        assert found.tolist() == [value / max(3, *values[: n + 1]) - 1.0 for n, value in enumerate(values)]

    def test_what_trades_came_to(self):
        results = [Decimal(10), Decimal(-4), Decimal(0), Decimal(6)]

        assert measures.win_rate(results) == 0.5
        assert measures.profit_factor(results) == 4.0
        assert measures.expectancy(results) == 3.0

    @given(st.lists(st.integers(-300, 300), min_size=1, max_size=12))
    def test_what_trades_came_to_by_the_paisa(self, paise):
        results = [Decimal(each) / 100 for each in paise]
        won, lost = ([abs(each) for each in paise if each * sign > 0] for sign in (1, -1))

        assert measures.win_rate(results) == len(won) / len(paise)
        assert measures.profit_factor(results) == (pytest.approx(sum(won) / sum(lost)) if lost else None)
        assert measures.expectancy(results) == pytest.approx((sum(won) - sum(lost)) / len(paise) / 100)


class TestExposure:
    def test_is_the_part_of_the_marks_at_which_or_before_which_something_was_held(self):
        times = np.arange(4) * DAY_NS

        assert a_curve(times, np.ones(4), np.array([0.0, 0.0, 0.0, 5.0])).exposure == 0.25
        assert a_curve(times, np.ones(4), np.array([0.0, 5.0, 0.0, 0.0])).exposure == 0.5
        assert a_curve(times[:0], np.zeros(0), np.zeros(0)).exposure is None


class TestWhatHasNoMeaning:
    def test_is_no_number(self):
        nothing = np.zeros(0)

        assert measures.cagr(nothing) is None
        assert measures.sharpe(np.array([0.1])) is None
        assert measures.sharpe(np.full(5, 0.01)) is None
        assert measures.sortino(np.array([0.01, 0.02])) is None
        assert measures.sortino(np.array([-0.1])) is None
        assert measures.volatility(np.array([-0.1])) is None
        assert measures.calmar(0.1, 0.0) is None
        assert measures.calmar(None, -0.1) is None
        assert measures.profit_factor([Decimal(5)]) is None
        assert measures.win_rate([]) is None
        assert measures.expectancy([]) is None
        assert measures.longest_drawdown_ns(np.zeros(0, np.int64), nothing, 1.0) == 0

    def test_of_a_ruin_is_the_loss_of_all(self):
        assert measures.cagr(np.array([-1.0, 0.5])) == -1.0
        assert measures.cagr(np.array([0.5, -1.2])) == -1.0  # more than all


class TestAgainstEmpyrical:
    @settings(max_examples=25, deadline=None)
    @given(some_returns)
    def test_the_figures_are_the_same(self, empyrical, returns):
        found = np.array(returns)
        values = np.cumprod(1.0 + found)
        growth, deepest = measures.cagr(found), measures.max_drawdown(values, 1.0)

        with np.errstate(all="ignore"):
            assert agrees(growth, empyrical.cagr(found))
            assert agrees(measures.volatility(found), empyrical.annual_volatility(found))
            assert math.isclose(deepest, empyrical.max_drawdown(found), abs_tol=1e-12)
            if np.std(found) > 1e-9:
                assert agrees(measures.sharpe(found), empyrical.sharpe_ratio(found))
            if np.min(found) < 0:
                assert agrees(measures.sortino(found), empyrical.sortino_ratio(found))
                assert agrees(measures.calmar(growth, deepest), empyrical.calmar_ratio(found))

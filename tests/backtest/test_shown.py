"""The figures of a report as people read them: each under its own name."""

import pytest
from natya_backtests import a_test
from natya_messages import distinct

from natya.backtest.figures.report import Part, Report
from natya.backtest.figures.shown import (
    NONE,
    amounts_shown,
    headline,
    left_shown,
    measures_shown,
    parts_shown,
    percent_text,
)
from natya.backtest.sweeping.outcomes import Outcome
from natya.backtest.sweeping.shown import (
    HINDSIGHT,
    OUTCOME_HEAD,
    failed_shown,
    measure_text,
    outcome_shown,
    steps_shown,
    told_of_sweep,
    told_of_walk,
)
from natya.backtest.sweeping.sweep import Step, Walk
from natya.backtest.sweeping.windows import Window
from natya.domain.time import DAY_NS, SECOND_NS

REPORT = distinct(
    Report,
    first_ns=1_790_567_100 * SECOND_NS,
    last_ns=1_790_567_160 * SECOND_NS,
    symbols=("INFY", "TCS"),
    refused={"quantity_max": 3, "session": 1_000},
    positions={"INFY": -5, "TCS": 1_200},
    charge_model="dhan",
    latency_s=0.25,
)

MEASURES = {
    "return": ("total_return", percent_text),
    "CAGR": ("cagr", percent_text),
    "volatility": ("volatility", percent_text),
    "max drawdown": ("max_drawdown", percent_text),
    "its longest": ("longest_drawdown_days", "{:,.1f} days"),
    "Sortino": ("sortino", "{:,.2f}"),
    "Calmar": ("calmar", "{:,.2f}"),
    "trades": ("trades", "{:,}"),
    "open at the end": ("open_trades", "{:,}"),
    "win rate": ("win_rate", percent_text),
    "profit factor": ("profit_factor", "{:,.2f}"),
    "expectancy": ("expectancy_rupees", "{:+,.2f}"),
    "best trade": ("best_rupees", "{:+,.2f}"),
    "worst trade": ("worst_rupees", "{:+,.2f}"),
    "exposure": ("exposure", percent_text),
}
AMOUNTS = {
    "capital": ("capital_rupees", "{:,.2f}"),
    "profit": ("profit_rupees", "{:+,.2f}"),
    "net": ("net_rupees", "{:+,.2f}"),
    "final": ("final_rupees", "{:,.2f}"),
    "orders": ("orders", "{:,}"),
    "fills": ("fills", "{:,}"),
    "rejected": ("rejected", "{:,}"),
    "turnover": ("turnover", "{:,.2f} x capital"),
}
MAY_LACK = (
    "cagr",
    "volatility",
    "sharpe",
    "sortino",
    "calmar",
    "win_rate",
    "profit_factor",
    "expectancy_rupees",
    "exposure",
)


def test_a_fraction_is_told_in_percent():
    assert (percent_text(0.0123), percent_text(-12.5), percent_text(None)) == ("1.23 %", "-1,250.00 %", NONE)


def by_name(rows):
    return dict(each for row in rows for each in row)


@pytest.mark.parametrize(("show", "names"), [(measures_shown, MEASURES), (amounts_shown, AMOUNTS)])
def test_each_figure_is_shown_by_its_name(show, names):
    found = by_name(show(REPORT))

    assert {name: found[name] for name in names} == {
        name: (form if callable(form) else form.format)(getattr(REPORT, figure))
        for name, (figure, form) in names.items()
    }


def test_a_sharpe_is_shown_with_its_error():
    assert by_name(measures_shown(REPORT))["Sharpe"] == f"{REPORT.sharpe:,.2f} \u00b1 {REPORT.sharpe_error:,.2f}"


def test_what_is_taken_is_shown_below_zero_and_what_was_refused_in_sum():
    found = by_name(amounts_shown(REPORT))

    assert (found["charges"], found["refused"]) == (f"{-REPORT.charges_rupees:+,.2f}", "1,003")


def test_what_has_no_meaning_is_no_number():
    lacking = distinct(Report, symbols=(), first_ns=0, last_ns=0, **dict.fromkeys(MAY_LACK))
    found = by_name(measures_shown(lacking))

    assert {name for name, shown in found.items() if shown == NONE} == {
        "Sharpe", *(name for name, (figure, _) in MEASURES.items() if figure in MAY_LACK)
    }  # fmt: skip
    assert headline(lacking)[:2] == (f"{lacking.strategy} on nothing", f"{NONE} to {NONE}")
    assert list(left_shown(lacking)) == []


def test_the_head_says_what_was_tested():
    assert headline(REPORT) == (
        "strategy on INFY, TCS",
        "2026-09-28 09:15:00 IST to 2026-09-28 09:16:00 IST",
        f"{REPORT.days} days, {REPORT.ticks} ticks, {REPORT.candles} candles",
        "latency 250 ms, charges dhan",
    )


def test_what_is_left_is_told_by_rule_and_by_symbol():
    assert list(left_shown(REPORT)) == [
        "refused by rule: quantity_max 3, session 1,000",
        "held at the end: INFY -5, TCS +1,200",
    ]


def test_a_part_has_its_columns():
    part = distinct(Part)

    assert list(parts_shown([part])) == [
        (
            *(part.name, f"{part.trades}", percent_text(part.win_rate)),
            *(f"{-part.charges_rupees}", f"{part.net_rupees:+}", percent_text(part.return_)),
        )
    ]


class TestTestsThatFailed:
    @pytest.mark.parametrize(
        ("count", "left"),
        [(1, "n=0: E 0"), (3, "n=0: E 0; n=1: E 1; n=2: E 2"), (5, "n=0: E 0; n=1: E 1; n=2: E 2; and 2 more")],
    )
    def test_are_counted_and_the_first_of_them_told(self, count, left):
        outcomes = [a_test(f"{n}", parameters={"n": n}, failed=f"E {n}" * (n < count)) for n in range(6)]

        assert list(failed_shown(outcomes)) == [f"{count} of 6 tests failed, and are never the best: {left}"]

    def test_are_not_told_where_there_are_none(self):
        assert list(failed_shown([a_test("a")])) == []


SHOWN = {
    "trades": 1_234, "win_rate": 0.5, "net_rupees": -1_234.5, "total_return": 0.25, "max_drawdown": -0.125,
    "sharpe": 1.5, "profit_factor": 2.5,
}  # fmt: skip


class TestAnOutcome:
    def test_is_shown_with_each_figure_in_its_column(self):
        parameters = {"fast": 2, "slow": 9}

        assert outcome_shown(a_test("a", parameters=parameters, **SHOWN)) == (
            "fast=2 slow=9", "1,234", "50.00 %", "-1,234.50", "25.00 %", "-12.50 %", "1.50", "2.50",
        )  # fmt: skip
        failed = a_test("a", parameters=parameters, failed="so", **SHOWN)
        assert outcome_shown(failed) == ("fast=2 slow=9", "failed", *["-"] * 6)
        assert len(outcome_shown(failed)) == 1 + len(OUTCOME_HEAD)

    @pytest.mark.parametrize(
        ("measure", "text"),
        [
            ("total_return", "123.45 %"), ("cagr", "123.45 %"), ("net_rupees", "+1"), ("expectancy_rupees", "+1"),
            ("sharpe", "1.23"), ("calmar", "1.23"), ("profit_factor", "1.23"),
        ],
    )  # fmt: skip
    def test_has_each_measure_in_its_own_way(self, measure, text):
        assert measure_text(measure, 1.2345) == text
        assert measure_text(measure, None) == "-"

    def test_says_with_hindsight_what_the_best_was_and_what_there_is_to_know_of_it(self):
        outcomes = [a_test("a", net_rupees=1.0, notes=("poor",)), a_test("b", net_rupees=2.0, notes=("x", "y"))]

        assert list(told_of_sweep(outcomes, "net_rupees", ["more"])) == [
            f"best of 2 by net_rupees, {HINDSIGHT}", "of the best: x", "of the best: y", "more",
        ]  # fmt: skip
        failed = [a_test("a", failed="so", notes=("poor",))]
        assert [each for each in told_of_sweep(failed, "sharpe") if "poor" in each] == []


class TestAWalk:
    def test_is_shown_by_its_days_of_training_and_of_testing(self):
        trained, tested = a_test("a", trades=1), a_test("a", trades=2)
        window = Window(train_ns=0, test_ns=2 * DAY_NS, end_ns=3 * DAY_NS)
        walk = Walk(
            by="sharpe", steps=(Step(window=window, trained=trained, tested=tested),), net_rupees=0, total_return=0
        )

        assert list(steps_shown(walk)) == [
            ("1970-01-01 train", *outcome_shown(trained)), ("1970-01-03 test", *outcome_shown(tested)),
        ]  # fmt: skip

    def test_says_of_which_test_a_note_is_unless_it_is_of_all(self):
        def step(day, *notes):
            tested = Outcome(key="k", parameters={}, since_ns=day * DAY_NS, until_ns=0, notes=notes)
            return Step(window=Window(train_ns=0, test_ns=1, end_ns=2), trained=tested, tested=tested)

        walk = Walk(
            by="sharpe", steps=(step(1, "of all"), step(3, "of all", "of one")), net_rupees=0.0, total_return=0.0
        )

        assert [*told_of_walk(walk)][1:] == ["of all", "test from 1970-01-04: of one"]

    def test_says_once_what_differs_in_its_numbers_alone(self):
        def step(day, *notes):
            tested = Outcome(key="k", parameters={}, since_ns=day * DAY_NS, until_ns=0, notes=notes)
            return Step(window=Window(train_ns=0, test_ns=1, end_ns=2), trained=tested, tested=tested)

        steps = step(1, "3 of 4 at +1.50"), step(3, "1,002 of 2,000 at -7.25", "1 of 1 else"), step(5, "4 of 4 at +1.")
        walk = Walk(by="sharpe", steps=steps, net_rupees=0.0, total_return=0.0)

        assert [*told_of_walk(walk)][1:] == [
            "test from 1970-01-02: 3 of 4 at +1.50; and so in 2 more, with other numbers",
            "test from 1970-01-04: 1 of 1 else",
        ]

    def test_counts_what_failed_among_all_trainings_or_where_they_are_not_told_among_the_best(self):
        def outcome(failed=""):
            return Outcome(key="k", parameters={}, since_ns=0, until_ns=0, failed=failed)

        window = Window(train_ns=0, test_ns=1, end_ns=2)
        step = Step(window=window, trained=outcome("ValueError"), tested=outcome())
        walk = Walk(by="sharpe", steps=(step,), net_rupees=0.0, total_return=0.0)

        assert [*told_of_walk(walk)][1].startswith("1 of 2 tests failed")
        assert [*told_of_walk(walk, [outcome(), outcome("ValueError"), outcome("KeyError")])][1].startswith(
            "2 of 4 tests failed"
        )

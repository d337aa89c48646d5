"""How long the candles of a file are: as is said, as the file says, or as far as they are apart."""

from types import SimpleNamespace

import pytest

from natya.actors.feed.planning import INTERVAL_MAX_NS, Plan
from natya.actors.feed.survey import Survey
from natya.domain.time import DAY_NS, SECOND_NS

MINUTE_NS = 60 * SECOND_NS


def a_plan(*distances_ns):
    """Of a file whose symbol is A, with candles at these times and at 0; notes are those of its columns."""
    return a_plan_of({"A": (0, *distances_ns)})


def a_plan_of(times_ns):
    """Of a file with candles at these times, by symbol."""
    survey = Survey(may_go_back=True)
    for symbol, times in times_ns.items():
        for time_ns in times:
            survey.add(symbol, time_ns)
    columns = SimpleNamespace(
        notes=("of the columns",), shape="candles", at=lambda _: 0, times=lambda: SimpleNamespace(read=int)
    )
    return Plan(columns, SimpleNamespace(notes=tuple), survey, rows=1)


@pytest.mark.parametrize(
    ("given_ns", "told_ns", "found_ns"),
    [
        (None, None, MINUTE_NS),
        (None, 0, MINUTE_NS),
        (None, 30 * SECOND_NS, 30 * SECOND_NS),
        (20 * SECOND_NS, 30 * SECOND_NS, 20 * SECOND_NS),
        (MINUTE_NS, None, MINUTE_NS),
    ],
)
def test_a_symbol_that_the_first_rows_have_not_has_candles_as_long_as_the_others(given_ns, told_ns, found_ns):
    plan = a_plan(MINUTE_NS, 2 * MINUTE_NS)
    plan.set_intervals(given_ns=given_ns, told_ns=told_ns)

    assert plan.interval_of("A") == plan.interval_of("B") == found_ns


@pytest.mark.parametrize("symbols", ["AB", "BA"])
def test_candles_of_months_are_refused_whichever_symbol_has_them(symbols):
    days, months = [number * DAY_NS for number in range(5)], [number * 30 * DAY_NS for number in range(5)]
    plan = a_plan_of(dict(zip(symbols, (days, months), strict=True)))

    with pytest.raises(ValueError, match="candles of at most 27d are wanted, found 30d from one to the next"):
        plan.set_intervals(given_ns=None, told_ns=None)


def test_candles_are_not_said_to_be_longer_than_they_are_apart():
    plan = a_plan(MINUTE_NS, 2 * MINUTE_NS)

    with pytest.raises(ValueError, match="an interval of at most 1m is wanted, as far as the candles of A are apart"):
        plan.set_intervals(given_ns=MINUTE_NS + 1, told_ns=None)
    a_plan().set_intervals(given_ns=MINUTE_NS + 1, told_ns=None)  # one candle is apart from none


@pytest.mark.parametrize(
    ("starts_min", "given_ns", "is_told"),
    [
        ({"A": range(9)}, 30 * SECOND_NS, True),
        ({"A": range(9)}, MINUTE_NS, False),
        ({"A": range(5)}, 30 * SECOND_NS, False),
        ({"A": (*range(9), *range(1_000, 1_009), 5_000)}, 30 * SECOND_NS, True),
        ({"A": (0, 5, 11, 13, 30, 41, 44, 60, 70, 75, 99)}, MINUTE_NS, False),
        ({"A": (*range(6), *range(15, 65, 10))}, 30 * SECOND_NS, True),
        ({"A": (*range(6), *range(15, 75, 10))}, 30 * SECOND_NS, False),
        ({"A": range(0, 90, 10), "B": (0, 1, 30)}, MINUTE_NS, False),
        ({"A": range(0, 90, 10), "B": (0, 20, 30)}, MINUTE_NS, True),
        ({"A": range(8, -1, -1)}, 30 * SECOND_NS, True),
    ],
)
def test_candles_that_are_said_to_be_shorter_than_all_are_apart_are_noted(starts_min, given_ns, is_told):
    plan = a_plan_of({symbol: [start * MINUTE_NS for start in starts] for symbol, starts in starts_min.items()})
    plan.set_intervals(given_ns=given_ns, told_ns=None)

    assert any(note.startswith("look-ahead: ") for note in plan.notes) is is_told


def test_the_note_says_what_they_are_and_how_early_they_are_told():
    plan = a_plan_of({"A": range(0, 10 * MINUTE_NS, MINUTE_NS)})
    plan.set_intervals(given_ns=20 * SECOND_NS, told_ns=None)

    assert plan.notes[-1] == (
        "look-ahead: the candles are 1m apart (9 of them, and none nearer), and are said to be 20s long: "
        "if they are 1m long, each is told 40s before it is over"
    )


def test_candles_have_a_longest_length():
    a_plan().set_intervals(given_ns=INTERVAL_MAX_NS, told_ns=None)

    with pytest.raises(ValueError, match="candles of at most"):
        a_plan().set_intervals(given_ns=INTERVAL_MAX_NS + 1, told_ns=None)

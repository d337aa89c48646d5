"""How long the candles of a file are: as is said, as the file says, or as far as they are apart."""

from types import SimpleNamespace

import pytest

from natya.actors.feed.planning import INTERVAL_MAX_NS, Plan
from natya.actors.feed.survey import Survey
from natya.domain.time import SECOND_NS

MINUTE_NS = 60 * SECOND_NS


def a_plan(*distances_ns):
    """Of a file whose symbol is A, with candles so far apart; notes are those of its columns."""
    survey = Survey(may_go_back=True)
    for time_ns in (0, *distances_ns):
        survey.add("A", time_ns)
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


def test_candles_are_not_said_to_be_longer_than_they_are_apart():
    plan = a_plan(MINUTE_NS, 2 * MINUTE_NS)

    with pytest.raises(ValueError, match="an interval of at most 1m is wanted, as far as the candles of A are apart"):
        plan.set_intervals(given_ns=MINUTE_NS + 1, told_ns=None)
    a_plan().set_intervals(given_ns=MINUTE_NS + 1, told_ns=None)  # one candle is apart from none


def test_candles_have_a_longest_length():
    a_plan().set_intervals(given_ns=INTERVAL_MAX_NS, told_ns=None)

    with pytest.raises(ValueError, match="candles of at most"):
        a_plan().set_intervals(given_ns=INTERVAL_MAX_NS + 1, told_ns=None)

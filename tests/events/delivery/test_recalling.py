"""Which events a subscription remembers of earlier lives, whatever else is journaled between them."""

from hypothesis import given
from hypothesis import strategies as st
from natya_events import a_published

from natya.actors.events.delivery.recalling import REACH, Recall
from natya.messages.journal import JournalRecord


def recalled(records, position, window, page, ahead=0):
    """What is remembered, and how many pages of the journal that took."""
    recall = Recall(position=position, window=window)
    for pages in range(1, 10_000):
        # Read for another, too, which is at a place before ours.
        found = [each for each in records if each.sequence > recall.after - ahead][: page + ahead]
        ours = [(each.sequence, each.fact) for each in found if each.fact.aggregate_id == "ours"]
        upto = found[-1].sequence if found else recall.after
        if recall.take(ours, upto=upto, is_end=len(found) < page + ahead):
            return recall.ids, pages
    raise AssertionError("it reads for ever")


@given(
    keys=st.lists(st.sampled_from(["ours", "another's", None]), min_size=1, max_size=60),
    behind=st.integers(0, 5),
    window=st.integers(1, 4),
    page=st.integers(1, 5),
    ahead=st.integers(0, 3),
)
def test_the_newest_events_are_remembered_however_many_facts_lie_between_them(keys, behind, window, page, ahead):
    records = [
        JournalRecord(
            sequence=number,
            recorded_ns=1,
            correlation_id="",
            fact=a_published(event_id=f"e-{number}", aggregate_id=key),
        )
        for number, key in enumerate(keys, 1)
        if key
    ]
    position = max(1, len(keys) - behind)
    in_reach = [
        each.fact.event_id
        for each in records
        if position - window * REACH < each.sequence <= position and each.fact.aggregate_id == "ours"
    ]

    assert recalled(records, position, window, page, ahead)[0] == in_reach[-window:]


def hundred(*ours):
    return [
        JournalRecord(
            sequence=number,
            recorded_ns=1,
            correlation_id="",
            fact=a_published(event_id=f"e-{number}", aggregate_id="ours" if number in ours else "another's"),
        )
        for number in range(1, 101)
    ]


def test_a_window_that_is_full_at_once_is_not_looked_for_any_further():
    found = [f"e-{number}" for number in range(91, 101)]

    assert recalled(hundred(*range(1, 101)), 100, 10, 100) == (found, 1)
    assert recalled(hundred(*range(1, 101)), 100, 10, 10) == (found, 1)


def test_what_is_looked_for_farther_back_is_as_much_again_as_before_and_not_the_whole_reach():
    assert recalled(hundred(95, 96), 100, 2, 2) == (["e-95", "e-96"], 3)


def test_what_lies_farther_back_than_the_reach_is_not_looked_for():
    farthest = 100 - 2 * REACH + 1

    assert recalled(hundred(farthest - 1), 100, 2, 100)[0] == []
    assert recalled(hundred(farthest - 1, farthest), 100, 2, 100)[0] == [f"e-{farthest}"]

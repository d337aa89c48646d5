"""Which facts of the journal may be forgotten."""

from typing import get_args

import pytest

from natya.domain.retention import FORGETTABLE, is_forgettable
from natya.messages.orders import OrderFact
from natya.messages.supervision import SupervisionFact


@pytest.mark.parametrize("kind", [*get_args(OrderFact), "RiskStateChanged", "Unheard"])
def test_nothing_that_the_book_of_record_is_built_from_is(kind):
    assert not is_forgettable(kind if isinstance(kind, str) else kind.__name__)


def test_what_no_later_start_needs_is():
    assert all(map(is_forgettable, FORGETTABLE))
    assert {each.__name__ for each in get_args(SupervisionFact)} | {
        "JournalShortened",
        "SubscriptionMoved",
    } == FORGETTABLE

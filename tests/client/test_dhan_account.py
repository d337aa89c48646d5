"""What the dead man's switch asks of the broker, and what it makes of each answer."""

from types import SimpleNamespace

import pytest

from natya.client.deadman import AccountError, OpenOrder
from natya.client.dhan_account import ANSWER_S, DhanAccount

ROWS = (
    SimpleNamespace(order_id="B-1", correlation_id="a-1", is_open=True),
    SimpleNamespace(order_id="B-2", correlation_id="a-2", is_open=False),
    SimpleNamespace(order_id="B-3", correlation_id="", is_open=True),
)


class PlayedBroker:
    """Answers what the test says, and notes what is cancelled."""

    def __init__(self, *, data=ROWS, success=True, error=None, is_late=False):
        self.cancelled = []
        self._result = SimpleNamespace(data=data, success=success, error=error)
        self._is_late = is_late

    def get_orders(self):
        return self

    def cancel_order(self, order_id):
        self.cancelled.append(order_id)
        return self

    def result(self, timeout_s):
        assert timeout_s == ANSWER_S
        if self._is_late:
            raise TimeoutError
        return self._result


FAILURES = [
    ({"success": False, "error": "DH-901 token expired"}, "DH-901 token expired"),
    ({"success": False}, "no answer"),
    ({"is_late": True}, f"no answer in {ANSWER_S:g} s"),
]


class TestAnAccount:
    def test_has_the_orders_that_are_open_by_both_their_numbers(self):
        account = DhanAccount(PlayedBroker())

        assert account.open_orders() == (
            OpenOrder(broker_order_id="B-1", client_order_id="a-1"),
            OpenOrder(broker_order_id="B-3", client_order_id=""),
        )
        assert account.problem() == ""

    def test_has_an_order_cancelled(self):
        broker = PlayedBroker()
        DhanAccount(broker).cancel("B-1")

        assert broker.cancelled == ["B-1"]

    @pytest.mark.parametrize(("given", "reason"), FAILURES)
    def test_that_does_not_answer_well_is_a_problem_and_no_order_counts_as_cancelled(self, given, reason):
        account = DhanAccount(PlayedBroker(**given))

        assert account.problem() == reason
        for act in (account.open_orders, lambda: account.cancel("B-1")):
            with pytest.raises(AccountError) as told:
                act()
            assert str(told.value) == reason

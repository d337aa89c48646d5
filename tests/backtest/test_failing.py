"""Which failures end a backtest, and which are told beside its figures."""

from types import SimpleNamespace

import pytest

from natya.backtest.errors import BacktestFailedError
from natya.backtest.running.running import _failures
from natya.messages.supervision import ChildStatus

STRATEGY, ORDERS = "system/strategies/crossover", "system/orders"


def failures_of(**fields):
    fields = {"path": STRATEGY, "state": "RUNNING", "restarts": 0, "last_error": ""} | fields
    child = ChildStatus(host="loop", breaker="closed", mailbox_depth=0, **fields)
    return _failures(SimpleNamespace(request=lambda *_, **__: SimpleNamespace(children=(child,))))


@pytest.mark.parametrize(
    ("path", "state", "last_error", "ends"),
    [
        (STRATEGY, "PARKED", "", True),
        (ORDERS, "PARKED", "", True),
        (STRATEGY, "SUSPENDED", "ValueError: x", False),  # it is begun anew
        (ORDERS, "SUSPENDED", "ValueError: x", True),
        (ORDERS, "STARTING", "", False),
        (ORDERS, "RUNNING", "ValueError: x", False),
    ],
)
def test_one_that_is_parked_ends_it_and_one_of_the_system_that_stands_with_a_failure(path, state, last_error, ends):
    if not ends:
        assert failures_of(path=path, state=state, last_error=last_error) == ()
        return
    with pytest.raises(BacktestFailedError, match=path.rpartition("/")[2]):
        failures_of(path=path, state=state, last_error=last_error)


def test_one_that_was_begun_anew_is_told_with_how_often():
    (told,) = failures_of(restarts=1_234, last_error="ValueError: x")

    assert "crossover" in told
    assert "ValueError: x" in told
    assert "begun anew 1,234 times" in told

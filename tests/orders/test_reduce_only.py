"""What orders lets pass while the keeper of the access token says that positions may only shrink."""

import pytest

from natya.messages.orders import OrderIntended, OrderRefused, ReduceOnly


@pytest.fixture
def limited(stage, make):
    """A session with ten shares, whose token's keeper has given up."""
    stage.open()
    stage.place(make.order("A-1", quantity=10))
    stage.tell(make.report(quantity=10))
    stage.settle()
    stage.tell(ReduceOnly(reason="no new access token in 3 attempts: Invalid TOTP"))
    stage.settle()
    return stage


class TestASessionThatMayOnlyReduce:
    def test_lets_a_position_be_closed_and_none_be_opened(self, limited, make):
        assert limited.statistics.risk_state == "REDUCING"
        limited.submit(make.order("A-2"))
        limited.submit(make.order("A-3", side="SELL", quantity=10))
        limited.settle()

        assert limited.disk.kinds("A-2") == [OrderRefused]
        assert limited.disk.kinds("A-3")[0] is OrderIntended

    def test_trades_on_when_that_is_taken_back(self, limited, make):
        limited.tell(ReduceOnly(reason=""))
        limited.submit(make.order("A-2"))
        limited.settle()

        assert limited.statistics.risk_state == "NORMAL"
        assert limited.disk.kinds("A-2")[0] is OrderIntended

"""What orders lets pass while the keeper of the access token says that positions may only shrink."""

import pytest

from natya.actors.runtime import RuntimeActor, handles
from natya.messages.kill_switch import HaltTrading, TradingHalted
from natya.messages.orders import OrderIntended, OrderRefused
from natya.messages.risk import ReadRisk
from natya.messages.risk_state import ReduceOnly, Resume, Resumed
from natya.messages.system import Ping


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


class Limits(RuntimeActor):
    """Passes on what it is told, under its own name."""

    @handles(ReduceOnly)
    def limit(self, request, _sender):
        self.send("orders", request)


class TestTwoThatSayThatPositionsMayOnlyShrink:
    @pytest.fixture
    def says(self, stage):
        """Return what lets one of two say it, or take it back, and tells the risk state then, and why it is so."""
        stage.open()
        person = stage.system.probe("asha")
        for name in ("token-keeper", "reconciliation"):
            stage.system.start(name, Limits)

        def call(name, reason):
            stage.system.tell(name, ReduceOnly(reason=reason))
            stage.system.request(name, Ping())
            stage.settle()
            stage.tell(ReadRisk(), person)
            risk = person.receive()
            return risk.risk_state, risk.risk_cause

        return call

    def test_must_both_take_it_back(self, says):
        assert says("token-keeper", "no token") == ("REDUCING", "no token")
        assert says("reconciliation", "books differ") == ("REDUCING", "no token; books differ")
        assert says("token-keeper", "") == ("REDUCING", "books differ")
        assert says("token-keeper", "") == ("REDUCING", "books differ")
        assert says("reconciliation", "")[0] == "NORMAL"

    def test_hold_beside_a_limit_of_the_day_and_outlast_a_person_who_resumes(self, stage, says):
        person = stage.system.probe("ravi")
        stage.tell(HaltTrading(cause="enough"), person)
        assert isinstance(person.receive(), TradingHalted)
        assert says("reconciliation", "books differ") == ("HALTED", "enough")
        stage.tell(Resume(reason="seen", person="ravi"), person)

        assert person.receive() == Resumed(halted_because="enough", still="books differ")
        assert says("token-keeper", "") == ("REDUCING", "books differ")

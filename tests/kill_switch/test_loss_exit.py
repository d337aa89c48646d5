"""The broker's exit at a loss of the day follows the limit that is in force, and what keeps it from that is told."""

import pytest
from natya_processes import await_that

from natya.actors.kill_switch import LossExitActor, LossExitSettings, loss_exit
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.messages.events import Subscribe, Subscribed
from natya.messages.kill_switch import LossExitSet, LossExitStatistics, SetLossExit
from natya.messages.risk import LimitsChanged, ReadRisk, RiskFigure, RiskRead
from natya.messages.supervision import Unavailable
from natya.messages.system import Ping

pytestmark = pytest.mark.usefixtures("threads")

CHANGED = LimitsChanged(changes=(), occurred_ns=1)


def risk(limit, state="NORMAL"):
    figures = (
        RiskFigure(limit_name="rejects_max", limit=5, found=0, formed=""),
        RiskFigure(limit_name="day_loss_max_rupees", limit=7.0, found=0, formed="", of="INFY"),
        RiskFigure(limit_name="day_loss_max_rupees", limit=limit, found=None, formed="not known"),
    )
    return RiskRead(risk_state=state, risk_cause="", figures=figures, as_of_ns=1)


class Stage:
    def __init__(self, system):
        self.system = system
        self.orders, self.broker = system.probe("orders"), system.probe("broker")
        self.events = system.probe("events")
        system.start("loss-exit", LossExitActor, LossExitSettings(times=3.0, with_kill_switch=True))

    def risk(self, limit, state="NORMAL"):
        """Orders is asked, and answers."""
        assert self.orders.receive() == ReadRisk()
        self.system.tell(self.orders.sender, risk(limit, state), sender=self.orders)

    def broker_says(self, answer):
        """The session is asked, and answers; return what was wanted."""
        wanted = self.broker.receive()
        self.system.tell(self.broker.sender, answer, sender=self.broker)
        return wanted

    def statistics(self):
        return self.system.request("loss-exit", Ping()).statistics

    def trouble(self):
        self.statistics()
        return self.system.base.names["loss-exit"].instance.trouble


@pytest.fixture
def stage(actor_system, monkeypatch):
    monkeypatch.setattr(loss_exit, "AGAIN_S", 0.005)
    return Stage(actor_system)


class TestTheExitOfTheBroker:
    def test_is_wanted_at_so_many_times_the_limit_in_force(self, stage):
        stage.risk(5_000.0)
        wanted = stage.broker_says(LossExitSet(loss_rupees=15_000.0))

        assert wanted == SetLossExit(loss_rupees=15_000.0, with_kill_switch=True)
        assert stage.statistics() == LossExitStatistics(wanted_rupees=15_000.0, loss_rupees=15_000.0, looks=1)
        assert stage.trouble() == ""

    def test_hears_changes_of_limits_from_when_it_begins(self, stage):
        assert stage.events.receive() == Subscribe(subscriber="loss-exit", topics=("LimitsChanged",))
        stage.risk(5_000.0)
        stage.system.tell("loss-exit", Subscribed(subscriber="loss-exit"), sender=stage.events)

        assert stage.broker_says(LossExitSet(loss_rupees=15_000.0)).loss_rupees == 15_000.0
        assert (stage.statistics().looks, stage.orders.is_empty()) == (1, True)

    def test_follows_a_change_of_limits_at_once(self, stage):
        stage.risk(5_000.0)
        stage.broker_says(LossExitSet(loss_rupees=15_000.0))
        await_that(lambda: stage.statistics().loss_rupees == 15_000.0)
        stage.system.tell("loss-exit", CHANGED)
        stage.risk(0.0)

        assert stage.broker_says(LossExitSet(loss_rupees=0.0)).loss_rupees == 0.0

    def test_follows_a_change_that_comes_while_it_is_being_set(self, stage):
        stage.risk(5_000.0)
        stage.system.tell("loss-exit", CHANGED)
        stage.statistics()
        stage.broker_says(LossExitSet(loss_rupees=15_000.0))
        stage.risk(6_000.0)

        assert stage.broker_says(LossExitSet(loss_rupees=18_000.0)).loss_rupees == 18_000.0

    def test_is_looked_at_again_and_again_since_the_broker_forgets_it_with_the_day(self, stage, monkeypatch):
        monkeypatch.setattr(loss_exit, "LOOK_S", 0.005)
        for _ in range(3):
            stage.risk(5_000.0)
            stage.broker_says(LossExitSet(loss_rupees=15_000.0))

        assert stage.statistics().looks >= 3

    def test_is_looked_at_once_a_minute_after_a_change_too(self):
        with InProcessSystem(SimulatedSystemBase(1)) as system:
            system.start("orders", Says, risk(5_000.0))
            system.start("broker", Says, LossExitSet(loss_rupees=15_000.0))
            system.start("loss-exit", LossExitActor, LossExitSettings(times=3.0))
            system.base.run_for(0.5)
            assert system.request("loss-exit", Ping()).statistics.looks == 1, "at once"
            system.base.run_for(29.5)
            system.tell("loss-exit", CHANGED)
            system.base.run_for(115.0)

            assert system.request("loss-exit", Ping()).statistics.looks == 3

    def test_is_logged_when_it_is_another_and_what_keeps_it_from_that_once(self, stage, logged):
        for problem in ("no", "no", "busy"):
            stage.risk(5_000.0)
            stage.broker_says(LossExitSet(loss_rupees=0.0, problem=problem))
        for limit in (5_000.0, 0.0):
            stage.risk(limit)
            stage.broker_says(LossExitSet(loss_rupees=3.0 * limit))
            await_that(lambda: stage.statistics().loss_rupees == 3.0 * limit and not stage.trouble())  # noqa: B023
            stage.system.tell("loss-exit", CHANGED)
        stage.risk(0.0)
        stage.broker_says(LossExitSet(loss_rupees=0.0))
        stage.system.tell("loss-exit", CHANGED)
        stage.orders.receive()
        told = [each for each in logged() if each[1].startswith("loss_exit")]

        assert told == [
            *(("ERROR", "loss_exit.not_set", {"wanted": 15_000.0, "reason": reason}) for reason in ("no", "busy")),
            ("WARNING", "loss_exit.set", {"wanted": 15_000.0, "found": 15_000.0}),
            ("WARNING", "loss_exit.set", {"wanted": 0.0, "found": 0.0}),
        ]

    def test_is_not_known_while_the_broker_does_not_tell(self, stage):
        stage.risk(5_000.0)
        stage.broker_says(LossExitSet(loss_rupees=15_000.0))
        await_that(lambda: stage.statistics().loss_rupees == 15_000.0)
        stage.system.tell("loss-exit", CHANGED)
        stage.risk(5_000.0)
        stage.broker_says(Unavailable(actor="broker", reason="it restarts", retry_after_s=1.0))

        await_that(lambda: stage.statistics().loss_rupees is None)

    def test_leaves_the_broker_to_take_orders_unless_that_is_wanted(self):
        assert LossExitSettings(times=3.0).with_kill_switch is False


class Says(RuntimeActor):
    """Answers whatever it is asked by its settings."""

    @handles(ReadRisk, SetLossExit)
    def say(self, _asked, sender):
        self.send(sender, self.settings)


class TestWhatKeepsItFromBeingSet:
    @pytest.mark.parametrize(
        ("answer", "told"),
        [
            (LossExitSet(loss_rupees=0.0, problem="DH-905 no"), "DH-905 no"),
            (Unavailable(actor="broker", reason="it restarts", retry_after_s=1.0), "it restarts"),
        ],
    )
    def test_is_told_until_it_is_set(self, stage, answer, told):
        stage.risk(5_000.0)
        stage.broker_says(answer)
        stage.risk(5_000.0)
        assert stage.trouble().endswith(told)
        assert "at a loss of 15000.00 rupees" in stage.trouble()
        stage.broker_says(LossExitSet(loss_rupees=15_000.0))

        await_that(lambda: not stage.trouble())

    def test_is_told_of_one_that_should_end_too(self, stage):
        stage.risk(0.0)
        stage.broker_says(LossExitSet(loss_rupees=15_000.0, problem="no"))

        await_that(lambda: "at no loss any more" in stage.trouble())

    @pytest.mark.parametrize("state", ["STARTING", "RECONCILING"])
    def test_may_be_orders_which_has_not_read_its_limits_yet(self, stage, state):
        stage.risk(1.0, state)
        stage.risk(5_000.0, "HALTED")

        assert stage.broker_says(LossExitSet(loss_rupees=15_000.0)).loss_rupees == 15_000.0

    def test_may_be_orders_which_is_down(self, stage):
        assert stage.orders.receive() == ReadRisk()
        down = Unavailable(actor="orders", reason="it restarts", retry_after_s=1.0)
        stage.system.tell(stage.orders.sender, down, sender=stage.orders)
        assert stage.statistics().wanted_rupees == 0.0
        stage.risk(5_000.0)

        assert stage.broker_says(LossExitSet(loss_rupees=15_000.0)).loss_rupees == 15_000.0
        assert stage.statistics().looks == 2, "it has not failed meanwhile"

"""The owner of the switch, with orders played by the test."""

import errno

import pytest
from natya_processes import await_that

from natya.actors.kill_switch import HeartActor, KillSwitchActor, KillSwitchActorSettings, LossExitActor, actor
from natya.actors.kill_switch.at_broker import DONE
from natya.actors.runtime import InProcessSystem, InProcessSystemBase
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.config import halt_file
from natya.config.halt_file import HaltFile, HaltNote
from natya.messages.kill_switch import (
    EngageKillSwitch,
    Flatten,
    HaltTrading,
    KillSwitchEngaged,
    KillSwitchRead,
    KillSwitchStatistics,
    ReadKillSwitch,
    ReleaseKillSwitch,
    StopTrading,
    TradingHalted,
    TradingStopped,
)
from natya.messages.order_listing import OrdersStatistics
from natya.messages.supervision import Unavailable
from natya.messages.system import Ping, Pong


class Stage:
    def __init__(self, system, directory):
        self.system = system
        self.file = HaltFile(directory / "HALT")
        self.orders = system.probe("orders")
        self.person = system.probe("asha")

    def start(self, **fields):
        settings = KillSwitchActorSettings(**{"paths": (str(self.file.path),), "look_interval_s": 0.01} | fields)
        self.system.start("kill-switch", KillSwitchActor, settings)

    def pass_time(self, seconds):
        """Let virtual time pass, which questions hardly do."""
        if isinstance(self.system.base, SimulatedSystemBase):
            self.system.base.run_for(seconds)

    def say(self, message):
        self.system.tell("kill-switch", message, sender=self.person)

    def answer(self, message):
        """Orders answers what it was asked last."""
        self.system.tell(self.orders.sender, message, sender=self.orders)

    def is_halted(self, cancelling=0, not_written=""):
        """Orders confirms."""
        self.answer(TradingHalted(cancelling=cancelling, not_written=not_written))

    def read(self):
        return self.system.request("kill-switch", ReadKillSwitch())

    def halts(self):
        return self.system.request("kill-switch", Ping()).statistics.halts

    def trouble(self):
        return self.system.base.names["kill-switch"].instance.trouble

    def looks(self):
        return self.system.request("kill-switch", Ping()).statistics.looks


@pytest.fixture
def stage(actor_system, tmp_path):
    return Stage(actor_system, tmp_path)


class TestAFileThatIsThereBeforeTheStart:
    def test_is_told_to_orders_before_the_start_is_over(self, stage):
        stage.file.engage(HaltNote(reason="a bad night", person="asha"))
        stage.start(look_interval_s=3_600.0)

        assert stage.orders.receive() == HaltTrading(cause="kill switch: a bad night", person="asha")

    def test_is_told_again_until_orders_has_confirmed_it_and_not_after_that(self, stage):
        stage.file.engage(HaltNote(reason="x"))
        stage.start()
        assert isinstance(stage.orders.receive(), HaltTrading)
        stage.answer(Unavailable(actor="orders", reason="it restarts", retry_after_s=1.0))
        assert isinstance(stage.orders.receive(), HaltTrading)
        assert not stage.read().told
        stage.is_halted()

        await_that(lambda: stage.halts() == 1 and stage.read().told)
        assert stage.orders.is_empty()

    def test_is_not_told_again_while_orders_may_still_answer(self, stage, monkeypatch):
        monkeypatch.setattr(actor, "ORDERS_TIMEOUT_S", 3_600.0)
        stage.file.engage(HaltNote(reason="x"))
        stage.start()
        assert isinstance(stage.orders.receive(), HaltTrading)
        looks = stage.looks()
        stage.pass_time(0.05)
        await_that(lambda: stage.looks() >= looks + 3)

        assert stage.orders.is_empty()


class TestAFileThatAppears:
    def test_is_seen_by_itself_whoever_made_it(self, stage):
        stage.start()
        assert stage.read() == KillSwitchRead(engaged=False)
        stage.file.path.touch()

        assert stage.orders.receive().cause == "kill switch: found the file HALT"

    def test_and_says_more_later_is_told_again(self, stage):
        stage.start()
        stage.file.engage(HaltNote(reason="one"))
        assert stage.orders.receive().cause == "kill switch: one"
        stage.is_halted()
        await_that(lambda: stage.halts() == 1)
        stage.file.engage(HaltNote(reason="two", flatten=True))

        assert stage.orders.receive().cause == "kill switch: two"

    def test_after_it_was_removed_is_a_new_one(self, stage):
        stage.start()
        for number in (1, 2):
            stage.file.engage(HaltNote(reason="again"))
            assert isinstance(stage.orders.receive(), HaltTrading)
            stage.is_halted()
            await_that(lambda: stage.halts() == number)  # noqa: B023  called before the next turn
            stage.say(ReleaseKillSwitch())
            assert stage.person.receive() == KillSwitchRead(engaged=False)


class TestAPersonWhoWantsIt:
    def test_is_answered_when_orders_has_confirmed(self, stage):
        stage.start(look_interval_s=3_600.0)
        stage.say(EngageKillSwitch(reason="enough", person="asha"))
        assert stage.orders.receive() == HaltTrading(cause="kill switch: enough", person="asha")
        assert stage.file.note() == HaltNote(reason="enough", person="asha")
        assert stage.person.is_empty()
        stage.is_halted(cancelling=3)

        assert stage.person.receive() == KillSwitchEngaged(cancelling=3)
        at = str(stage.file.path)
        assert stage.read() == KillSwitchRead(engaged=True, reason="enough", person="asha", told=True, path=at)

    def test_is_told_that_orders_did_not_answer(self, stage):
        stage.start(look_interval_s=3_600.0)
        stage.say(EngageKillSwitch(reason="enough"))
        stage.orders.receive()
        stage.answer(Unavailable(actor="orders", reason="it is down", retry_after_s=1.0))

        told = stage.person.receive()
        assert ("it is down" in told.problem, told.cancelling) == (True, 0)
        assert stage.file.is_engaged()

    def test_is_told_that_orders_let_its_time_pass(self, stage, monkeypatch):
        monkeypatch.setattr(actor, "ORDERS_TIMEOUT_S", 0.01)
        stage.start(look_interval_s=3_600.0)
        stage.say(EngageKillSwitch(reason="enough"))
        stage.orders.receive()

        problem = stage.person.receive().problem
        assert "no answer in 0.01 s from orders to HaltTrading: nothing leaves all the same" in problem

    @pytest.mark.parametrize("flatten", [True, False])
    def test_has_all_closed_when_orders_has_halted_if_that_is_wanted(self, stage, flatten):
        flattener = stage.system.probe("flattener")
        stage.start(look_interval_s=3_600.0)
        stage.say(EngageKillSwitch(reason="enough", person="asha", flatten=flatten))
        stage.orders.receive()
        assert flattener.is_empty()
        stage.is_halted()

        assert isinstance(stage.person.receive(), KillSwitchEngaged)
        stage.read()
        assert [flattener.receive() for _ in range(not flattener.is_empty())] == [Flatten(person="asha")] * flatten

    def test_sees_in_the_tree_that_it_is_on_and_then_that_it_is_not(self, stage):
        stage.start(look_interval_s=3_600.0)
        stage.say(EngageKillSwitch(reason="enough"))
        stage.orders.receive()
        assert stage.trouble() == "on: kill switch: enough"
        stage.is_halted()
        stage.person.receive()
        stage.say(ReleaseKillSwitch())
        stage.person.receive()

        assert stage.trouble() == ""

    def test_has_orders_halted_where_the_file_cannot_be_made(self, stage):
        stage.file.path.parent.joinpath("nowhere").write_text("no directory")
        stage.file = HaltFile(stage.file.path.parent / "nowhere" / "HALT")
        stage.start(look_interval_s=3_600.0)
        stage.say(EngageKillSwitch(reason="enough"))
        assert stage.orders.receive().cause == "kill switch: enough"
        stage.is_halted(not_written="disk full")

        problem = stage.person.receive().problem
        assert "cannot be made" in problem
        assert "disk full" in problem

    def test_of_one_that_is_on_cancels_once_more(self, stage):
        stage.start(look_interval_s=3_600.0)
        for _ in range(2):
            stage.say(EngageKillSwitch(reason="enough"))
            assert isinstance(stage.orders.receive(), HaltTrading)
            stage.is_halted()
            assert isinstance(stage.person.receive(), KillSwitchEngaged)


class TestWhatIsLoggedAndAnswered:
    """By each step, all of it."""

    def test_of_a_switch_that_is_put_on_and_off(self, stage, logged):
        stage.system.probe("flattener")
        stage.start(look_interval_s=3_600.0)
        count = lambda: stage.system.request("kill-switch", Ping()).statistics  # noqa: E731
        assert count() == KillSwitchStatistics(engaged=False, looks=1, halts=0)
        stage.say(EngageKillSwitch(reason="enough", person="asha", flatten=True))
        stage.orders.receive()
        is_on = {"engaged": True, "reason": "enough", "person": "asha", "flatten": True, "path": str(stage.file.path)}
        assert stage.read() == KillSwitchRead(told=False, **is_on)
        stage.is_halted()
        assert stage.person.receive() == KillSwitchEngaged(cancelling=0)
        assert stage.read() == KillSwitchRead(told=True, **is_on)
        assert count() == KillSwitchStatistics(engaged=True, looks=1, halts=1)
        stage.say(ReleaseKillSwitch())
        assert stage.person.receive() == KillSwitchRead(engaged=False)
        assert count() == KillSwitchStatistics(engaged=False, looks=1, halts=1)

        assert logged() == [
            ("ERROR", "kill_switch.engaged", {"cause": "kill switch: enough", "person": "asha"}),
            ("WARNING", "kill_switch.released", {}),
        ]
        stage.say(ReleaseKillSwitch())
        assert stage.person.receive() == KillSwitchRead(engaged=False)
        assert logged() == [], "it was off"

    def test_where_orders_does_not_confirm(self, stage, logged):
        stage.start(look_interval_s=3_600.0)
        stage.say(EngageKillSwitch(reason="enough"))
        stage.orders.receive()
        logged()
        down = Unavailable(actor="orders", reason="it is down", retry_after_s=1.0)
        stage.answer(down)
        reason = f"an answer of orders wanted, found {down}: nothing leaves all the same"

        assert stage.person.receive() == KillSwitchEngaged(cancelling=0, problem=reason)
        assert logged() == [("ERROR", "kill_switch.not_confirmed", {"reason": reason})]

    def test_where_the_file_cannot_be_made(self, stage, logged):
        stage.file.path.parent.joinpath("nowhere").write_text("no directory")
        stage.file = HaltFile(stage.file.path.parent / "nowhere" / "HALT")
        stage.start(look_interval_s=3_600.0)
        logged()
        stage.say(EngageKillSwitch(reason="enough", person="asha"))
        assert stage.orders.receive() == HaltTrading(cause="kill switch: enough", person="asha")
        stage.is_halted(cancelling=2, not_written="disk full")
        answered, told = stage.person.receive(), logged()
        problem = told[0][2]["reason"]

        assert problem.startswith(f"the file {stage.file.path} wanted, found that it cannot be made: ")
        assert told == [
            ("ERROR", "kill_switch.not_written", {"reason": problem}),
            ("ERROR", "kill_switch.engaged", {"cause": "kill switch: enough", "person": "asha"}),
        ]
        assert answered == KillSwitchEngaged(cancelling=2, problem=f"{problem}; disk full")

    @pytest.mark.parametrize("is_on", [True, False])
    def test_where_the_file_cannot_be_given_what_it_was_to_say(self, stage, logged, monkeypatch, is_on):
        """Positions are closed all the same: a full disk is no reason to keep them."""
        if is_on:
            stage.file.engage(HaltNote(reason="before"))
        flattener = stage.system.probe("flattener")
        stage.start(look_interval_s=3_600.0)
        if is_on:
            stage.orders.receive()
            stage.is_halted()
            stage.read()

        def full(_path):
            raise OSError(errno.ENOSPC, "no space left")

        monkeypatch.setattr(halt_file, "new_file", full)
        logged()
        stage.say(EngageKillSwitch(reason="enough", person="asha", flatten=True))
        assert stage.orders.receive() == HaltTrading(cause="kill switch: enough", person="asha")
        stage.is_halted(cancelling=2)
        besides = "could not be given why, nor that positions are to be closed"
        problem = f"the file {stage.file.path} is there, and {besides}"

        assert stage.person.receive() == KillSwitchEngaged(cancelling=2, problem=problem)
        assert flattener.receive() == Flatten(person="asha")
        assert logged() == [
            ("ERROR", "kill_switch.not_written", {"reason": problem}),
            ("ERROR", "kill_switch.engaged", {"cause": "kill switch: enough", "person": "asha"}),
        ]
        assert stage.read().told

    def test_where_the_file_cannot_be_removed(self, stage, logged):
        stage.file.path.mkdir()
        stage.start(look_interval_s=3_600.0)
        stage.orders.receive()
        stage.is_halted()
        logged()
        stage.say(ReleaseKillSwitch())

        assert stage.person.receive().engaged
        assert [each[:2] for each in logged()] == [("ERROR", "kill_switch.not_released")]
        assert stage.orders.is_empty()

    def test_where_it_cannot_be_written_down_that_it_is_elsewhere(self, stage, logged):
        nowhere = stage.file.path.parent / "no" / "such" / "HALT"
        stage.start(look_interval_s=3_600.0, paths=(str(stage.file.path), str(nowhere)))
        assert stage.read() == KillSwitchRead(engaged=False)

        (told,) = logged()
        assert told[:2] == ("WARNING", "kill_switch.not_written_down")
        assert "No such file" in told[2]["reason"]


def test_a_switch_that_is_on_for_a_reason_keeps_it_whoever_wants_it_on_once_more(stage):
    stage.file.engage(HaltNote(reason="one", person="bala"))
    stage.start(look_interval_s=3_600.0)
    assert stage.orders.receive() == HaltTrading(cause="kill switch: one", person="bala")
    stage.is_halted()
    stage.say(EngageKillSwitch(reason="two", person="asha"))

    assert stage.orders.receive() == HaltTrading(cause="kill switch: one", person="bala")


def test_a_late_answer_to_an_earlier_halt_does_not_have_the_newer_one_told_twice(stage, monkeypatch):
    monkeypatch.setattr(actor, "ORDERS_TIMEOUT_S", 3_600.0)
    stage.start()
    stage.file.engage(HaltNote(reason="one"))
    assert stage.orders.receive().cause == "kill switch: one"
    first = stage.orders.sender
    stage.file.engage(HaltNote(reason="one", flatten=True))
    assert isinstance(stage.orders.receive(), HaltTrading)
    stage.system.tell(first, TradingHalted(cancelling=0), sender=stage.orders)
    await_that(lambda: stage.halts() == 1)
    looks = stage.looks()
    stage.pass_time(0.05)
    await_that(lambda: stage.looks() >= looks + 3)

    assert stage.orders.is_empty()
    assert not stage.read().told


def test_who_watches_does_so_in_real_time_and_keeps_no_simulated_market_waiting():
    assert all(each.background and each.system_time for each in (KillSwitchActor, HeartActor, LossExitActor))


def test_a_restart_tells_orders_again(stage):
    stage.file.engage(HaltNote(reason="x"))
    stage.start(look_interval_s=3_600.0)
    stage.orders.receive()
    stage.is_halted()
    stage.system.stop("kill-switch")
    stage.start(look_interval_s=3_600.0)

    assert stage.orders.receive().cause == "kill switch: x"


def test_a_file_is_seen_while_the_time_of_the_market_stands_still(tmp_path):
    with InProcessSystem(InProcessSystemBase(market_opening_ns=1_791_171_900_000_000_000)) as system:
        stage = Stage(system, tmp_path)
        stage.start()
        stage.read()
        stage.file.engage(HaltNote(reason="now"))

        assert stage.orders.receive().cause == "kill switch: now"


class TestTheBrokersOwnSwitch:
    def test_follows_where_it_is_wanted(self, stage, actor_system):
        broker = actor_system.probe("broker")
        stage.start(at_broker=True)
        stage.file.engage(HaltNote(reason="x"))
        assert isinstance(stage.orders.receive(), HaltTrading)
        stage.is_halted()
        assert isinstance(stage.orders.receive(), Ping)
        flat = OrdersStatistics(
            risk_state="HALTED", orders=0, fills=0, rejected=0, open_orders=0, uncertain_orders=0, positions=()
        )
        stage.answer(Pong(actor="orders", statistics=flat))
        assert broker.receive() == StopTrading()
        actor_system.tell(broker.sender, TradingStopped(), sender=broker)

        await_that(lambda: stage.read().at_broker == DONE)
        stage.say(ReleaseKillSwitch())
        assert stage.person.receive() == KillSwitchRead(engaged=False)
        stage.file.engage(HaltNote(reason="y"))
        assert isinstance(stage.orders.receive(), HaltTrading)
        assert stage.read().at_broker == ""

    def test_is_let_alone_where_the_kill_switch_is_off_by_the_time_that_orders_has_halted(self, stage):
        """Nobody but the broker's next day could take it back."""
        stage.start(at_broker=True, look_interval_s=3_600.0)
        stage.say(EngageKillSwitch(reason="by mistake"))
        assert isinstance(stage.orders.receive(), HaltTrading)
        stage.say(ReleaseKillSwitch())
        assert stage.person.receive() == KillSwitchRead(engaged=False)
        stage.is_halted()
        assert isinstance(stage.person.receive(), KillSwitchEngaged)

        stage.read()
        assert stage.orders.is_empty()

    def test_is_let_alone_where_it_is_not(self, stage):
        stage.start()
        stage.file.engage(HaltNote(reason="x"))
        assert isinstance(stage.orders.receive(), HaltTrading)
        stage.is_halted()
        await_that(lambda: stage.read().told)

        assert (stage.read().at_broker, stage.orders.is_empty()) == ("", True)

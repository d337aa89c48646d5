"""A user's own actors, and strategies given as classes, in a trading system."""

import asyncio
import sys

import msgspec
import pytest

import natya
from natya.actors.runtime import NameTakenError
from natya.messages.addresses import NAMES


class Add(msgspec.Struct, frozen=True):
    amount: int


class Adder(natya.RuntimeActor):
    def on_start(self):
        self._sum = self.settings

    @natya.handles(Add)
    def add(self, message, sender):
        self._sum += 10 // message.amount * message.amount
        self.send(sender, Add(amount=self._sum))


class Idle(natya.StrategyActor):
    pass


class Watchful(natya.StrategyActor):
    """Asks the adder as soon as it starts: it is up by then."""

    def on_begin(self):
        self.send("adder", Add(amount=1))


def local_strategy():
    class Local(natya.StrategyActor):
        pass

    return Local


@pytest.fixture
def load(tmp_path):
    def settings(*strategies, **overrides):
        fixed = {"system.data_dir": str(tmp_path / "data"), "feed.ticks_per_s": 10.0, "strategies": list(strategies)}
        return natya.load_settings("paper", environment={}, overrides={**fixed, **overrides})

    return settings


class TestAnActorOfAUser:
    def test_is_asked_by_name_and_restarted_when_it_fails(self, load):
        own = natya.ChildSpec("adder", Adder, 5)
        with natya.TradingSystem(load(), actors=[own]) as system:
            assert system.request("adder", Add(amount=2), timeout_s=5) == Add(amount=15)
            failed = system.request("adder", Add(amount=0), timeout_s=5)
            assert (type(failed), failed.error) == (natya.Failed, "ZeroDivisionError")
            assert system.request("adder", Add(amount=1), timeout_s=5) == Add(amount=15)
            (status,) = [each for each in system.supervision_tree().children if each.path == "system/adder"]

        assert (status.state, status.restarts) == ("RUNNING", 1)

    def test_is_up_before_any_strategy(self, load):
        own = natya.ChildSpec("adder", Adder, 0)
        strategy = {"name": "watchful", "strategy": Watchful}
        with natya.TradingSystem(load(strategy), actors=[own]) as system:
            assert system.request("adder", Add(amount=1), timeout_s=5) == Add(amount=20)

    @pytest.mark.parametrize("name", [*sorted(NAMES), "mine", "twice"])
    def test_takes_no_name_of_another(self, load, name):
        actors = [natya.ChildSpec("twice", Adder), natya.ChildSpec(name, Adder)]

        with pytest.raises(NameTakenError, match=rf"a name that no other actor has is wanted, found '{name}'"):
            natya.TradingSystem(load({"name": "mine", "strategy": Idle}), actors=actors)


class TestAStrategyGivenAsAClass:
    def test_is_the_class_that_runs(self, load):
        settings = load({"name": "idle", "strategy": Idle})

        assert settings.strategies[0].strategy == f"{__name__}:Idle"
        with natya.TradingSystem(settings) as system:
            assert system.request("idle", natya.Ping(), timeout_s=5).statistics.strategy == "idle"

    def test_may_stand_in_the_program_itself(self, load, monkeypatch):
        main = type(sys)("__main__")
        main.Mine = type("Mine", (natya.StrategyActor,), {"__module__": "__main__"})
        monkeypatch.setitem(sys.modules, "__main__", main)

        with natya.TradingSystem(load({"name": "mine", "strategy": main.Mine})) as system:
            assert "mine" in system.look().statistics

    def test_has_to_be_found_by_its_name(self, load):
        with pytest.raises(
            natya.SettingsError, match=r"wanted a class at the top of a module, found .*<locals>\.Local"
        ):
            load({"name": "local", "strategy": local_strategy()})


class TestInACoroutine:
    def test_a_system_is_started_asked_and_stopped_without_blocking_the_loop(self, load):
        async def use():
            beats = 0

            async def beat():
                nonlocal beats
                while True:
                    beats += 1
                    await asyncio.sleep(0)

            beating = asyncio.create_task(beat())
            async with natya.TradingSystem(load(), actors=[natya.ChildSpec("adder", Adder, 5)]) as system:
                started, beats = beats, 0
                answer = await system.request_async("adder", Add(amount=2), timeout_s=5)
                asked, beats = beats, 0
            beating.cancel()
            return answer, started, asked, beats, system.stop()

        answer, *beaten, summary = asyncio.run(use())

        assert answer == Add(amount=15)
        assert all(beaten), beaten
        assert summary.error == ""

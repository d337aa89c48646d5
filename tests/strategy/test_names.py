"""What a strategy may not call its own, since it is the base's."""

import pytest

from natya.actors.strategy import StrategyActor
from natya.messages.system import Ping

GIVEN = ["name", "settings", "clock", "directory", "parameters", "myAddress", "correlation_id"]
TAKEN = ["position", "buy", "send", "log", "after", "last_price", "host", "_newest", "_holdings", "_ids", "_ticks"]
OWN = ["prices", "_mine", "on_tick", "positions"]


class Renaming(StrategyActor):
    """At its first tick it sets what its parameter says; tells what came of it."""

    def on_tick(self, tick):
        try:
            setattr(self, self.parameters["attribute"], "other")
        except AttributeError as refusal:
            self.send("outcome", (str(refusal), self.name))
        else:
            self.send("outcome", ("", self.name))


class Hiding(StrategyActor):
    """The same, while it begins; and it hides nothing from others that it failed."""

    def on_begin(self):
        setattr(self, self.parameters["attribute"], 5)


class TestANameThatTheRuntimeGives:
    @pytest.mark.parametrize("attribute", GIVEN)
    def test_cannot_be_set_by_the_strategy(self, stage, attribute):
        outcome = stage.system.probe("outcome")
        stage.open(Renaming, attribute=attribute)
        stage.tell(stage.tick())

        refusal, name = outcome.receive()
        assert refusal
        assert name == "mine"

    def test_is_not_there_before_it_is_given_and_cannot_be_taken_away(self):
        early = Renaming()

        with pytest.raises(AttributeError, match="name is there from on_begin on, not in __init__"):
            early.name  # noqa: B018  it is the reading that raises
        with pytest.raises(AttributeError, match="name is the runtime's to set"):
            del early.name


class TestANameOfAMethodOrOfTheBasesOwn:
    @pytest.mark.parametrize("attribute", TAKEN)
    def test_is_missed_as_soon_as_the_strategy_has_begun(self, stage, attribute):
        with pytest.raises(AttributeError, match=f"{attribute}: StrategyActor has that name already"):
            stage.open(Hiding, attribute=attribute)

    @pytest.mark.parametrize("attribute", OWN)
    def test_is_another_where_it_is_the_strategys_own(self, stage, attribute):
        stage.open(Hiding, attribute=attribute)

        assert stage.system.request("mine", Ping()).statistics.strategy == "mine"

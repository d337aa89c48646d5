"""Finding a strategy by its name."""

import sys

import pytest

from natya.actors.strategy import StrategyNotFoundError, load_strategy
from natya.actors.strategy.bodies.crossover import MovingAverageCrossover

CROSSOVER = "natya.actors.strategy.bodies.crossover"


@pytest.fixture
def module(tmp_path, monkeypatch):
    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, name, raising=False)

    return write


class TestAStrategyName:
    def test_of_a_strategy_gives_its_class(self):
        assert load_strategy(f"{CROSSOVER}:MovingAverageCrossover") is MovingAverageCrossover

    @pytest.mark.parametrize("name", ["", "crossover", "a:", ":B", "a:b c", "a-b:C", "a..b:C", "a:b.c"])
    def test_of_another_form_is_refused(self, name):
        with pytest.raises(StrategyNotFoundError, match="`module:Class`, found"):
            load_strategy(name)

    def test_of_no_module_says_which_is_missing(self):
        with pytest.raises(StrategyNotFoundError, match=r"module 'natya\.nowhere' of strategy 'natya\.nowhere\.x:Y'"):
            load_strategy("natya.nowhere.x:Y")

    def test_of_no_class_names_the_one_that_is_near(self):
        with pytest.raises(StrategyNotFoundError, match="did you mean 'MovingAverageCrossover'"):
            load_strategy(f"{CROSSOVER}:MovingAverageCrosover")

    def test_of_no_class_lists_what_there_is(self, module):
        module("empty_module_of_ours", "")

        with pytest.raises(StrategyNotFoundError, match="it has no strategy"):
            load_strategy("empty_module_of_ours:Mine")

    def test_of_something_else_is_refused(self):
        with pytest.raises(StrategyNotFoundError, match="a subclass of StrategyActor wanted"):
            load_strategy("pathlib:Path")

    def test_whose_module_lacks_something_itself_tells_that(self, module):
        module("lacking_module_of_ours", "import no_such_library")

        with pytest.raises(ModuleNotFoundError, match="no_such_library"):
            load_strategy("lacking_module_of_ours:Mine")

    def test_whose_module_breaks_tells_how(self, module):
        module("broken_module_of_ours", "1 / 0")

        with pytest.raises(ZeroDivisionError):
            load_strategy("broken_module_of_ours:Mine")

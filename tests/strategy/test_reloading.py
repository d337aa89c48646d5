"""Reading a strategy's project anew: its file, and those beside it, all or none."""

import itertools
import sys

import pytest

from natya.actors.strategy import StrategyBrokenError, StrategyNotFoundError
from natya.actors.strategy.loading import load_strategy
from natya.actors.strategy.reloading import Sources, project_of

NUMBERS = itertools.count()
STRATEGY = """
import natya
import {helper}

class Mine(natya.StrategyActor):
    bars = {helper}.BARS
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A strategy and its helper, in files; and what writes one of them anew."""
    monkeypatch.syspath_prepend(tmp_path)
    number = next(NUMBERS)
    mine, helper = f"mine_reloaded_{number}", f"helper_reloaded_{number}"

    def write(kind, text):
        (tmp_path / f"{mine if kind == 'mine' else helper}.py").write_text(text.format(helper=helper))

    write("helper", "BARS = 1\n")
    write("mine", STRATEGY)
    yield f"{mine}:Mine", helper, write
    for name in (mine, helper):
        sys.modules.pop(name, None)


class TestReading:
    def test_anew_gives_the_class_as_it_is_now_and_tells_what_has_changed(self, project):
        strategy, helper, write = project
        old, sources = load_strategy(strategy), Sources()
        sources.note(strategy)

        assert sources.reload(strategy)[1] == ()
        write("helper", "BARS = 2\n")
        new, changed = sources.reload(strategy)
        assert (old.bars, new.bars, changed) == (1, 2, (helper,))
        assert load_strategy(strategy) is new
        assert sources.reload(strategy)[1] == ()

    @pytest.mark.parametrize(
        ("kind", "text", "error"),
        [
            ("helper", "1 / 0", StrategyBrokenError),
            ("mine", "class Other: pass", StrategyNotFoundError),
            ("mine", "raise SystemExit", StrategyBrokenError),
        ],
    )
    def test_of_what_cannot_be_imported_leaves_all_as_it_was(self, project, kind, text, error):
        strategy, helper, write = project
        old, sources = load_strategy(strategy), Sources()
        sources.note(strategy)
        names = (strategy.partition(":")[0], helper)
        modules = [sys.modules[name] for name in names]
        write("helper", "BARS = 2\n")
        write(kind, text)

        with pytest.raises(error):
            sources.reload(strategy)
        assert [sys.modules[name] for name in names] == modules
        assert load_strategy(strategy) is old
        write("mine", STRATEGY)
        write("helper", "BARS = 3\n")
        new, changed = sources.reload(strategy)
        assert (new.bars, helper in changed) == (3, True)

    @pytest.mark.parametrize(
        "strategy", ["natya.actors.strategy.bodies.crossover:MovingAverageCrossover", "sys:Mine", "nowhere:Mine"]
    )
    def test_is_refused_where_there_is_no_file_of_the_user_s(self, strategy):
        with pytest.raises(StrategyNotFoundError, match="a strategy of a file of your own wanted"):
            Sources().reload(strategy)


class TestAProject:
    def test_is_the_strategy_s_file_and_those_beside_it_and_nothing_else(self, project, tmp_path):
        strategy, helper, _ = project
        load_strategy(strategy)

        assert project_of(strategy) == {
            name: (tmp_path / f"{name}.py").resolve() for name in (strategy.partition(":")[0], helper)
        }

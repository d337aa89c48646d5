"""Reading a strategy's project anew: its file, and those beside it, all or none."""

import itertools
import json
import sys
from types import ModuleType, SimpleNamespace

import pytest

from natya.actors.strategy import StrategyBrokenError, StrategyNotFoundError, reloading
from natya.actors.strategy.loading import load_strategy
from natya.actors.strategy.reloading import Sources, is_of_user, project_of

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
    for name in [each for each in sys.modules if each.startswith((mine, helper))]:
        del sys.modules[name]


@pytest.fixture
def sources(project):
    """Those of two strategies that run, of one class."""
    found = Sources()
    load_strategy(project[0])
    for name in ("mine", "other"):
        found.note(name, project[0])
    return found


def reloaded(sources, strategy, name="mine"):
    reading = sources.read(name, strategy, all_anew=True)
    sources.keep(name, reading)
    return reading


class TestReading:
    def test_anew_gives_the_class_as_it_is_now_and_tells_what_has_changed(self, project, sources):
        strategy, helper, write = project
        old = load_strategy(strategy)

        again = reloaded(sources, strategy)
        assert (again.changed, again.loaded is old) == ((), False)
        write("helper", "BARS = 2\n")
        new = reloaded(sources, strategy)
        assert (old.bars, new.loaded.bars, new.changed) == (1, 2, (helper,))
        assert load_strategy(strategy) is new.loaded
        assert reloaded(sources, strategy).changed == ()

    def test_tells_what_has_changed_since_the_strategy_of_that_name_was_loaded(self, project, sources):
        strategy, helper, write = project
        write("helper", "BARS = 2\n")
        reloaded(sources, strategy)

        assert reloaded(sources, strategy, "other").changed == (helper,)
        assert reloaded(sources, strategy, "other").changed == ()

    def test_imports_what_has_changed_and_nothing_else_where_that_is_not_wanted_in_any_case(self, project, sources):
        strategy, helper, write = project
        old = load_strategy(strategy)
        same = sources.read("mine", strategy)
        write("helper", "BARS = 2\n")
        new = sources.read("mine", strategy)

        assert (same.loaded, same.changed, same.fresh) == (old, (), {})
        assert (new.loaded.bars, new.changed) == (2, (helper,))

    def test_knows_each_module_by_its_source_as_it_was_imported(self, project, sources, tmp_path):
        """Also one that is imported for the first time, and one that is written anew while that is done."""
        strategy, helper, write = project
        more = tmp_path / f"{helper}_more.py"
        more.write_text("")
        file = tmp_path / f"{helper}.py"
        write("helper", f"import {more.stem}, pathlib\npathlib.Path({str(file)!r}).write_text('BARS = 3')\nBARS = 2\n")
        first = reloaded(sources, strategy)
        second = sources.read("mine", strategy)
        sources.keep("mine", second)
        third = sources.read("mine", strategy)

        assert [each.loaded.bars for each in (first, second, third)] == [2, 3, 3]
        assert [more.stem in each.fresh for each in (first, second, third)] == [True, False, False]
        assert [each.changed for each in (first, second, third)] == [(helper,), (helper,), ()]

    def test_puts_back_whatever_of_it_nobody_has_imported_anew_since(self, project, sources):
        strategy, helper, _ = project
        mine = strategy.partition(":")[0]
        before = {name: sys.modules[name] for name in (mine, helper)}
        reading = sources.read("mine", strategy, all_anew=True)
        first, *others = reading.fresh
        since = sys.modules[first] = ModuleType(first)
        sources.put_back(reading)

        assert sys.modules[first] is since
        assert [sys.modules[name] for name in others] == [before[name] for name in others]

    @pytest.mark.parametrize("all_anew", [True, False])
    def test_of_one_that_does_not_begin_is_put_back(self, project, sources, all_anew):
        strategy, _, write = project
        old = load_strategy(strategy)
        write("helper", "BARS = 2\n")
        sources.put_back(sources.read("mine", strategy, all_anew=all_anew))
        put_back = load_strategy(strategy)
        write("helper", "BARS = 1\n")

        assert put_back is old
        assert sources.read("mine", strategy).changed == ()

    def test_of_two_at_once_that_do_not_begin_puts_back_what_was_before_both(self, project, sources):
        strategy, _, write = project
        old = load_strategy(strategy)
        readings = []
        for bars in (2, 3):
            write("helper", f"BARS = {bars}\n")
            readings.append(sources.read("mine", strategy))
        for reading in readings:
            sources.put_back(reading)

        assert load_strategy(strategy) is old

    def test_of_a_new_one_that_failed_is_done_again_when_it_is_mended(self, project, tmp_path):
        strategy, helper, write = project
        sources = Sources()
        (tmp_path / f"{helper}_folder").mkdir()  # a module without a file
        write("mine", f"import {helper}_folder\n" + STRATEGY + "    1 / 0\n")
        with pytest.raises(StrategyBrokenError, match="ZeroDivisionError"):
            sources.read("mine", strategy)
        write("helper", "BARS = 2\n")
        write("mine", STRATEGY + "    def on_tik(self): pass\n")
        with pytest.raises(StrategyBrokenError, match="did you mean on_tick"):
            sources.read("mine", strategy)
        write("mine", STRATEGY)

        assert helper not in sys.modules
        assert sources.read("mine", strategy).loaded.bars == 2

    @pytest.mark.parametrize(
        ("kind", "text", "error"),
        [
            ("helper", "1 / 0", StrategyBrokenError),
            ("mine", "class Other: pass", StrategyNotFoundError),
            ("mine", "raise SystemExit", StrategyBrokenError),
        ],
    )
    def test_of_what_cannot_be_imported_leaves_all_as_it_was(self, project, sources, kind, text, error):
        strategy, helper, write = project
        old = load_strategy(strategy)
        names = (strategy.partition(":")[0], helper)
        modules = [sys.modules[name] for name in names]
        write("helper", "BARS = 2\n")
        write(kind, text)

        with pytest.raises(error):
            sources.read("mine", strategy, all_anew=True)
        assert [sys.modules[name] for name in names] == modules
        assert load_strategy(strategy) is old
        write("mine", STRATEGY)
        write("helper", "BARS = 3\n")
        new = reloaded(sources, strategy)
        assert (new.loaded.bars, helper in new.changed) == (3, True)

    @pytest.mark.parametrize(
        "strategy", ["natya.actors.strategy.bodies.crossover:MovingAverageCrossover", "sys:Mine", "nowhere:Mine"]
    )
    def test_anew_is_refused_where_there_is_no_file_of_the_user_s(self, strategy):
        with pytest.raises(StrategyNotFoundError, match="a strategy of a file of your own wanted"):
            Sources().read("mine", strategy, all_anew=True)


@pytest.mark.parametrize(
    ("module", "file", "is_one"),
    [
        ("mine", "/home/me/mine.py", True),
        ("mine.deep", "/home/me/mine/deep.py", True),
        ("mine", "/home/me/mine.so", False),
        ("natya.mine", "/home/me/natya/mine.py", False),
        ("natyaish", "/home/me/natyaish.py", True),
        ("numpy", "/home/me/.venv/lib/site-packages/numpy/__init__.py", False),
        ("json", json.__file__, False),
    ],
)
def test_a_module_of_the_user_s_is_neither_ours_nor_python_s_nor_installed(module, file, is_one):
    assert is_of_user(module, file) is is_one


class TestAProject:
    def test_is_the_strategy_s_file_and_those_beside_it_and_nothing_else(self, project, tmp_path):
        strategy, helper, _ = project
        load_strategy(strategy)

        assert project_of(strategy) == {
            name: (tmp_path / f"{name}.py").resolve() for name in (strategy.partition(":")[0], helper)
        }

    @pytest.mark.parametrize("place", ["lib/site-packages/theirs", "theirs"])
    def test_has_what_is_below_it_but_what_is_installed_there(self, project, tmp_path, monkeypatch, place):
        """Whether it is installed itself or not, and as Python is."""
        strategy, helper, _ = project
        folder = tmp_path / place
        monkeypatch.setattr(reloading, "ELSEWHERE", (*reloading.ELSEWHERE, f"{folder}/python/"))
        files = {
            strategy.partition(":")[0]: folder / "mine.py",
            helper: folder / "below" / "helper.py",
            "installed_there": folder / ".venv" / "lib" / "site-packages" / "other.py",
            "natya.beside_it": folder / "ours.py",
            "__main__": folder / "main.py",
            "built_there": folder / "built.so",
            "python_s_there": folder / "python" / "python.py",
            "beside_it": tmp_path / "elsewhere.py",
            "beside_it_too": folder.with_name(f"{folder.name}_too") / "elsewhere.py",
        }
        for name, file in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
            monkeypatch.setitem(sys.modules, name, SimpleNamespace(__file__=str(file)))

        assert list(project_of(strategy)) == [*files][:2]

"""Finding a strategy by its name."""

import importlib
import re
import sys
from types import ModuleType

import pytest

from natya.actors.strategy import StrategyBrokenError, StrategyNotFoundError, load_strategy
from natya.actors.strategy.bodies.crossover import MovingAverageCrossover
from natya.actors.strategy.inspection import strategies_in
from natya.actors.strategy.loading import path_of
from natya.cli.exit_codes import SETTINGS, exit_code

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

    @pytest.mark.parametrize(
        ("text", "line", "reason"),
        [
            ("import os\nimport no_such_library", 2, "ModuleNotFoundError: No module named 'no_such_library'"),
            ("from natya import NoSuchName", 1, "ImportError: cannot import name 'NoSuchName'"),
            ("x = 1\n\n1 / 0", 3, "ZeroDivisionError: division by zero"),
            ("def on_tick(self:\n    pass", 1, "SyntaxError: "),
            ("if True:\npass", 2, "IndentationError: "),
            ("raise SystemExit(3)", 1, "SystemExit: 3"),
            ("raise ModuleNotFoundError('by hand')", 1, "ModuleNotFoundError: by hand"),
        ],
    )
    def test_whose_module_breaks_tells_in_which_line_and_how(self, module, text, line, reason):
        module("broken_module_of_ours", text)

        where = rf"broken_module_of_ours\.py:{line}(?: in <module>)?: {re.escape(reason)}"
        with pytest.raises(StrategyBrokenError, match=where) as told:
            load_strategy("broken_module_of_ours:Mine")

        assert exit_code(told.value) == SETTINGS


class TestThePath:
    def test_is_that_of_a_class_and_of_a_text_the_text(self):
        assert path_of(MovingAverageCrossover) == f"{CROSSOVER}:MovingAverageCrossover"
        assert load_strategy(path_of(MovingAverageCrossover)) is MovingAverageCrossover
        assert path_of("mine:Mine") == "mine:Mine"


NEVER_CALLED = {
    "def on_tik(self, tick): pass": "on_tik: nobody calls on_tik: did you mean on_tick?",
    "def on_fills(self, fill): pass": "on_fills: nobody calls on_fills: did you mean on_fill?",
    "def on_bar(self, bar): pass": "on_bar: nobody calls on_bar: ",
    "def ontick(self, tick): pass": "ontick: nobody calls ontick: did you mean on_tick?",
    "def onTick(self, tick): pass": "onTick: nobody calls onTick: did you mean on_tick?",
    "def On_Fill(self, fill): pass": "On_Fill: nobody calls On_Fill: did you mean on_fill?",
    "def tick(self, tick): pass\n    def fill(self, fill): pass": "Mine: nobody calls tick, fill: there are on_begin, ",
    "async def on_tick(self, tick): pass": "on_tick: a plain method is wanted, found an async one",
    "async def on_begin(self): pass": "on_begin: a plain method is wanted, found an async one",
    "def on_tick(self, tick): yield": "on_tick: a plain method is wanted, found a generator",
    "async def on_fill(self, fill): yield": "on_fill: a plain method is wanted, found an async one",
    "def on_tick(self): pass": r"on_tick: it is called as \(self, message\), found \(self\)",
    "def on_tick(self, tick, book): pass": r"on_tick: it is called as \(self, message\), found \(self, tick, book\)",
    "def on_begin(self, settings): pass": r"on_begin: it is called as \(self\), found \(self, settings\)",
    "def on_stop(self, why): pass": r"on_stop: it is called as \(self\), found \(self, why\)",
    "def on_drained(self, count): pass": r"on_drained: it is called as \(self\), found \(self, count\)",
    "def on_candle(self): pass": r"on_candle: it is called as \(self, message\), found \(self\)",
    "def on_fill(self): pass": r"on_fill: it is called as \(self, message\), found \(self\)",
    "def on_order(self): pass": r"on_order: it is called as \(self, message\), found \(self\)",
    "symbols = ('TCS',)": "symbols: what it hears is named by symbols = ",
    "symbols = 'TCS'": "or by --symbol, and not in its class: found 'TCS' there",
    "symbols = property(lambda self: ('TCS',))": "and not in its class: found <property object at",
    "def on_begin(self): self.symbols = ['TCS']": "symbols is a name of StrategyActor: choose another",
    "candles = '5m'": "candles: a tuple of texts such as",
    "candles = ('5m', 5)": r"candles: a tuple of texts such as \(\"5m\",\) is wanted, found \('5m', 5\)",
    "candles = ('5m', 'x')": "candles: an interval such as 30s, 5m, 1h or 1d wanted, found 'x'",
    "candles = ('36h',)": "candles: candles above a day are wanted of whole days, found 36h",
    "on_tick = 5": "on_tick: a method is wanted, found int",
    "on_tick = staticmethod(print)": "on_tick: a method is wanted, found staticmethod",
    "def on_timer(self): pass": r"on_timer: it is called as \(self, message\), found \(self\)",
    "def on_session(self): pass": r"on_session: it is called as \(self, message\), found \(self\)",
    "Parameters = {'fast': 3}": r"Parameters: a class Parameters\(msgspec.Struct\) is wanted, found {'fast': 3}",
    "Parameters = dict": r"Parameters: a class Parameters\(msgspec.Struct\) is wanted, found <class 'dict'>",
    "cancel_on_stop = 1": "cancel_on_stop: True or False is wanted, found 1",
    "cancel_on_failure = 'no'": "cancel_on_failure: True or False is wanted, found 'no'",
    "warm_up = {'5m': '200'}": "warm_up: a dict such as .* is wanted, 1 to [0-9,]* bars of each length, found '200'",
    "warm_up = {'5m': 2.0}": "bars of each length, found 2.0",
    "def on_begin(self): self.pnl = 0": "module_of_ours.py:3: Mine: pnl is a name of StrategyActor: choose another",
    "def on_tick(me, tick): me.open_orders += [tick]": "open_orders is a name of StrategyActor: choose another",
    "_made = eval('lambda self: 1')\n    def on_begin(self): self.pnl = 0": "pnl is a name of StrategyActor",
    "_two = (1,\n        lambda self: 2)\n    _one = _two[1]\n    def on_begin(self): self.pnl = 0": "pnl is a name",
    "def on_start(self): pass": "on_start: on_start is a name of StrategyActor: a strategy begins in on_begin",
    "def ready(self): pass": "ready: ready is a name of StrategyActor: choose another",
    "def _helper(): pass\n    def on_begin(self): self.pnl = 0": "pnl is a name of StrategyActor: choose another",
    "def __init__(self, fast): pass": "__init__: __init__ is called without arguments",
}
TAKEN = [
    "name", "settings", "clock", "send", "log", "buy", "sell", "cancel", "position", "after", "says", "_submit",
    "on_start", "on_unhandled",
]  # fmt: skip
FINE = [
    "def on_tick(self, tick, *more, **options): pass",
    "def on_tick(self, tick, book=None): pass",
    "def on_stop(self): super().on_stop()",
    "def on_drained(self): pass",
    "def on_order(self, fact): pass",
    "one_more = 3",
    "def on_begin(self): self.mine, self.trouble = 1, 'none'",
    "def on_tick(self, tick): other = self.made(); other.name, other.position = 'n', 1\n    def made(self): pass",
    "background = True\n    blocking = True\n    conflates = ()\n    mailbox = None\n    TOPICS = ()",
    "offload_threads_max = 2\n    offloads_max = 9\n    stash_max = 5\n    cancel_on_failure = True\n    trouble = ''",
    "def statistics(self): return super().statistics()\n    def is_drained(self): return True",
    "def only_mine(self): pass\n    def on_tick(self, tick): self.only_mine()",
    "def _only_mine(self): pass",
    "def snapshot(self): pass\n    def restore(self, state): pass",
    "behavior = 'flat'",
    "def _helper(): pass",
    "_double = lambda self, number: 2 * number",
    "class _Inner:\n        def on_tik(self): pass",
    "cancel_on_stop = True",
    "warm_up = {'5m': 1}",
    "candles = ('90s', '15m', '1d')",
    "pass",
    "@natya.handles(str)\n    def on_text(self, text, sender): pass",
    "def __init__(self): super().__init__()",
]


class TestAFile:
    @pytest.fixture
    def write(self, tmp_path, monkeypatch):
        monkeypatch.setattr(sys, "path", [*sys.path])

        def write(name, text):
            (tmp_path / name).write_text(text)
            return str(tmp_path / name)

        return write

    @pytest.mark.parametrize(
        "text",
        [
            "from natya import StrategyActor\nclass Helper: ...\nclass Mine(StrategyActor): ...",
            "import natya\nclass Mine(Helper, natya.StrategyActor): ...",
            "from natya import StrategyActor as Base\nclass Mine(Base):\n    class Inner(Base): ...",
            "from natya import StrategyActor as Base\nclass StrategyActor: ...\nclass Mine(Base): ...",
            "raise RuntimeError('nothing is imported')\nclass Mine(StrategyActor): ...",
        ],
    )
    def test_with_one_strategy_is_that_one(self, write, tmp_path, text):
        assert path_of(write("only_one_here.py", text)) == "only_one_here:Mine"
        assert sys.path[-1] == str(tmp_path)

    def test_with_several_is_refused_unless_one_is_named(self, write):
        text = "from natya import StrategyActor\nclass A(StrategyActor): ...\nclass B(A): ...\n"
        file = write("two_of_them_here.py", text)

        assert path_of(f"{file}:B") == "two_of_them_here:B"
        with pytest.raises(StrategyNotFoundError, match=r"found 2: A, B \(two_of_them_here.py:Class names one\)"):
            path_of(file)

    def test_that_is_not_there_or_has_none_is_refused(self, write, tmp_path):
        with pytest.raises(StrategyNotFoundError, match=f"found no file {tmp_path / 'nowhere.py'}"):
            path_of(str(tmp_path / "nowhere.py"))
        with pytest.raises(StrategyNotFoundError, match="found none"):
            path_of(write("none_of_them_here.py", "class Mine: ..."))

    @pytest.mark.parametrize("text", ["def (", "\0"])
    def test_that_is_no_python_is_named_with_its_line(self, write, text):
        with pytest.raises(StrategyBrokenError, match=r"'no_python_here.py' cannot be imported: "):
            path_of(write("no_python_here.py", text))

    def test_with_the_name_of_a_module_that_was_made_by_code_is_refused(self, write, monkeypatch):
        monkeypatch.setitem(sys.modules, "made_by_code_here", ModuleType("made_by_code_here"))

        with pytest.raises(StrategyNotFoundError, match="another module is 'made_by_code_here' beside "):
            path_of(f"{write('made_by_code_here.py', '')}:Mine")

    @pytest.mark.parametrize("name", ["random", "natya", "json"])
    def test_with_the_name_of_another_module_is_refused(self, write, name):
        with pytest.raises(StrategyNotFoundError, match=f"another module is '{name}' beside "):
            path_of(f"{write(f'{name}.py', '')}:Mine")

    def test_with_the_name_of_a_folder_of_modules_is_refused(self, write, tmp_path, monkeypatch):
        (tmp_path / "elsewhere" / "only_a_folder").mkdir(parents=True)
        monkeypatch.syspath_prepend(tmp_path / "elsewhere")
        monkeypatch.setitem(sys.modules, "only_a_folder", importlib.import_module("only_a_folder"))

        with pytest.raises(StrategyNotFoundError, match="another module is 'only_a_folder' beside "):
            path_of(f"{write('only_a_folder.py', '')}:Mine")

    def test_that_cannot_be_imported_by_its_name_is_refused(self, write):
        with pytest.raises(StrategyNotFoundError, match=r"can be imported is wanted, found my-own\.py"):
            path_of(f"{write('my-own.py', '')}:Mine")

    def test_that_is_loaded_already_is_found_again(self, write):
        file = write("loaded_from_a_file.py", "from natya import StrategyActor\nclass Mine(StrategyActor): ...")
        load_strategy(path_of(file))

        assert path_of(file) == "loaded_from_a_file:Mine"


class TestAStrategyThatWouldNotDoWhatItSeemsTo:
    @pytest.mark.parametrize("text", NEVER_CALLED)
    def test_is_refused_where_nobody_would_call_it(self, module, text):
        module("silent_module_of_ours", f"import natya\nclass Mine(natya.StrategyActor):\n    {text}\n")

        with pytest.raises(StrategyBrokenError, match=NEVER_CALLED[text]):
            load_strategy("silent_module_of_ours:Mine")

    @pytest.mark.parametrize("name", TAKEN)
    @pytest.mark.parametrize("text", ["{} = 5", "def {}(self): pass"])
    def test_is_refused_where_it_uses_a_name_of_the_base(self, module, name, text):
        text = text.format(name)
        module("silent_module_of_ours", f"import natya\nclass Mine(natya.StrategyActor):\n    {text}\n")

        with pytest.raises(StrategyBrokenError, match=rf"Mine\.{name}: {name} is a name of StrategyActor"):
            load_strategy("silent_module_of_ours:Mine")

    def test_is_told_all_that_is_wrong_with_file_and_line(self, module):
        lines = ["class Base(natya.StrategyActor):", "  def on_tik(self, tick): pass", "class Mine(Base):", "  log = 1"]
        module("silent_module_of_ours", "\n".join(["import natya", *lines]))

        with pytest.raises(StrategyBrokenError) as told:
            load_strategy("silent_module_of_ours:Mine")

        assert "silent_module_of_ours.py:3: Base.on_tik" in str(told.value)
        assert "silent_module_of_ours.py:4: Mine.log" in str(told.value)

    @pytest.mark.parametrize("text", FINE)
    def test_is_not_refused_where_it_may(self, module, text):
        module("silent_module_of_ours", f"import natya\nclass Mine(natya.StrategyActor):\n    {text}\n")

        assert load_strategy("silent_module_of_ours:Mine").__name__ == "Mine"


def test_a_folder_is_looked_into_once_however_often_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    file = tmp_path / "named_twice_here.py"
    file.write_text("import natya\n\nclass Mine(natya.StrategyActor):\n    pass\n")
    assert [path_of(str(file)) for _ in range(2)] == ["named_twice_here:Mine"] * 2

    assert sys.path.count(str(tmp_path)) == 1


def test_a_base_of_another_name_is_one_where_it_is_imported_so_and_another_is_none(tmp_path):
    file = tmp_path / "renamed.py"
    file.write_text(
        "from natya import StrategyActor as Base, handles as on\n\n"
        "class Mine(Base): ...\nclass Yours(Mine): ...\nclass Other(on): ...\n"
    )

    assert strategies_in(file) == ("Mine", "Yours")

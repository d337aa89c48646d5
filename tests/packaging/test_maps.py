"""Who opens a folder of many files finds what each is for: its first page names them all."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES_MAX = 12
"""So many are seen at once."""

ONE_FOR_EACH = ("one file each", "one file for what is shown")
"""A folder whose files are named by a rule has that rule on its page."""


def packages():
    rooms = ("actors", "backtest", "cli", "config", "domain", "messages", "testing", "transfer", "client")
    return [ROOT / page.parent.relative_to(ROOT) for room in rooms for page in (ROOT / room).rglob("__init__.py")]


def names(page, module):
    """Whether a page has a module as an entry, and not only the word in a sentence."""
    entry = rf"(?m)^\W*{module}\b|\b{module}(\.py|:|,|;| \(|`)|[,;] {module}(\s{{2}}|$)"
    return re.search(entry, page) is not None


def modules_of(folder):
    return sorted({each.stem for each in folder.glob("*.py")} - {"__init__", "__main__"})


MANY = {str(each.relative_to(ROOT)): each for each in packages() if len(modules_of(each)) > FILES_MAX}


@pytest.mark.parametrize("folder", MANY.values(), ids=MANY)
def test_a_package_of_many_modules_names_each_or_the_rule_by_which_they_are_named(folder):
    page = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""

    if not any(rule in page for rule in ONE_FOR_EACH):
        assert [each for each in modules_of(folder) if not names(page, each)] == []


def test_the_page_of_tests_names_each_helper_that_is_there():
    page = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")

    assert set(re.findall(r"`(natya_\w+)`", page)) == set(modules_of(ROOT / "tests" / "helpers"))


def test_the_page_of_benchmarks_names_each():
    named = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")

    assert [each for each in modules_of(ROOT / "benchmarks") if each.startswith("bench_") and each not in named] == []

"""Which of the imported modules belong to a strategy's project."""

import sys
from types import ModuleType

import pytest

from natya.actors.strategy.reloading import project_of


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """Make a module of a path below the test's folder."""

    def make(name, path):
        module = ModuleType(name)
        module.__file__ = str(tmp_path / path)
        monkeypatch.setitem(sys.modules, name, module)

    return make


def test_a_project_is_the_folder_of_its_strategy_without_what_is_installed_and_what_only_begins_alike(imported):
    imported("mine", "project/mine.py")
    imported("helper", "project/parts/helper.py")
    imported("bought", "project/.venv/lib/site-packages/bought.py")
    imported("another", "project-of-another/another.py")
    imported("above", "above.py")

    assert sorted(project_of("mine:Trader")) == ["helper", "mine"]


def test_links_to_a_folder_and_to_a_file_are_followed(imported, tmp_path):
    (tmp_path / "release").mkdir()
    (tmp_path / "current").symlink_to("release")
    (tmp_path / "release" / "shared.py").symlink_to(tmp_path / "shared.py")
    (tmp_path / "linked.py").symlink_to(tmp_path / "release" / "helper.py")
    imported("mine", "current/mine.py")
    imported("helper", "linked.py")
    imported("shared", "current/shared.py")

    assert {name: path.parent.name for name, path in project_of("mine:Trader").items()} == {
        "mine": "release",
        "helper": "release",
    }

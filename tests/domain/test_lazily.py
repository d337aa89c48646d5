"""Tables whose entries are loaded when they are looked up."""

import sys
from importlib import import_module

import pytest

from natya.domain.lazily import LoadedByName, lazily


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with two modules, found only in this test."""
    folder = tmp_path / "natya_bodies"
    folder.mkdir()
    for name in ("__init__", "one", "two"):
        (folder / f"{name}.py").write_text(f"Body = '{name}'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "natya_bodies"
    for name in [each for each in sys.modules if each.startswith("natya_bodies")]:
        del sys.modules[name]


@pytest.fixture
def table(package):
    return LoadedByName(package, {"first": ".one:Body", "second": ".two:Body"})


class TestATableLoadedByName:
    def test_knows_its_names_in_their_order_and_loads_nothing_for_that(self, table):
        assert (list(table), len(table)) == (["first", "second"], 2)
        assert "first" in table
        assert "third" not in table
        assert not [each for each in sys.modules if each.startswith("natya_bodies")]

    def test_loads_only_what_is_looked_up(self, table):
        assert table["second"] == "two"
        assert "natya_bodies.two" in sys.modules
        assert "natya_bodies.one" not in sys.modules

    def test_lacks_what_has_no_home(self, table):
        assert table.get("third") is None
        with pytest.raises(KeyError):
            table["third"]

    def test_takes_another_for_a_while(self, table, monkeypatch):
        with monkeypatch.context() as patched:
            patched.setitem(table, "third", "3")
            patched.setitem(table, "first", "1")
            assert dict(table) == {"first": "1", "second": "two", "third": "3"}
            assert "third" in table
        assert "third" not in table
        assert dict(table) == {"first": "one", "second": "two"}


def test_a_name_of_a_package_is_looked_up_once_and_kept(package):
    get = lazily(package, {".one": ("Body",)})
    module = import_module(package)
    del module.Body

    assert get("Body") == "one" == module.Body
    with pytest.raises(AttributeError, match="has no attribute 'Other'"):
        get("Other")


def test_a_name_is_not_that_of_a_module_which_would_take_its_place():
    with pytest.raises(AssertionError, match="natya_bodies: a module's name"):
        lazily("natya_bodies", {".one": ("one",)})

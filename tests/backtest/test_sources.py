"""Which modules a test runs, and that a process runs them as their files are now."""

import importlib
import os
import sys

import pytest

from natya.backtest.sweeping import sources
from natya.backtest.sweeping.sources import bring_up_to_date, digests_of, sources_of


@pytest.fixture
def write(tmp_path, monkeypatch):
    """What writes a module, older than this process or younger, into a folder that is imported from."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(sources, "_current", {})
    monkeypatch.setattr(sources, "_began_ns", lambda: 2_000)
    files = {}

    def write(name, text="", *, at_ns=1_000):
        files[name] = tmp_path / f"{name}.py"
        files[name].write_text(text)
        os.utime(files[name], ns=(at_ns, at_ns))
        return files

    yield write
    for name in files:
        sys.modules.pop(name, None)


def test_modules_that_import_each_other_are_each_of_them(write):
    write("circled", "import circling\n")
    files = write("circling", "import circled\n")

    assert sources_of("circled:Mine") == files


class TestAProcess:
    """One that tests, with modules of before."""

    def brought_up_to_date(self, files, digests=None):
        """Return which of them are imported anew."""
        before = {name: sys.modules.get(name) for name in files}
        bring_up_to_date(files, digests_of(files) if digests is None else digests)
        return [name for name in files if sys.modules.get(name) is not before[name]]

    @pytest.mark.parametrize(("at_ns", "is_anew"), [(1_999, False), (2_000, True), (2_001, True)])
    def test_imports_anew_what_was_imported_of_a_source_that_it_may_not_know(self, write, at_ns, is_anew):
        files = write("edited_or_not", at_ns=at_ns)
        importlib.import_module("edited_or_not")

        assert self.brought_up_to_date(files) == ["edited_or_not"] * is_anew
        importlib.import_module("edited_or_not")
        assert self.brought_up_to_date(files) == [], "it is known now"

    def test_imports_anew_all_of_them_where_the_source_of_one_is_another(self, write):
        write("first_of_two")
        files = write("second_of_two")
        for name in files:
            importlib.import_module(name)
        bring_up_to_date(files, digests_of(files))
        write("second_of_two", "BARS = 2\n")

        assert self.brought_up_to_date(files) == ["first_of_two", "second_of_two"]

    def test_imports_nothing_anew_for_one_that_it_has_not_imported(self, write):
        write("imported_long_ago")
        importlib.import_module("imported_long_ago")
        files = write("not_imported", at_ns=3_000)

        assert self.brought_up_to_date(files) == []

    def test_imports_anew_what_is_gone_and_known_to_be(self, write):
        files = write("gone_since")
        digests = digests_of(files)
        importlib.import_module("gone_since")
        files["gone_since"].unlink()

        assert digests_of(files) == {"gone_since": ""}
        assert self.brought_up_to_date(files, digests) == ["gone_since"]

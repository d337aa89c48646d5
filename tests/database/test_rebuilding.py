"""A database file written anew, and what is found when that stops in the middle."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from natya_starts import Python

from natya.actors.database import DatabaseLocked, DuckDBAdapter, compact, rebuild
from natya.actors.database.errors import JournalGap
from natya.actors.database.upkeep import rebuilding
from natya.actors.database.upkeep.copies import check
from natya.actors.database.writing.market import MarketStore
from natya.actors.database.writing.read_model import ReadModel
from natya.config.sections.database import DatabaseSettings

pytestmark = pytest.mark.usefixtures("engines")


@pytest.fixture
def settings(new_path):
    return DatabaseSettings.default(
        path=str(new_path), max_connections=4, memory_limit_mb=96, threads=2, batch_rows_max=100, batch_wait_s=0.02
    )


@pytest.fixture(scope="module")
def records(build):
    facts = [
        fact
        for number in range(30)
        for fact in (build.intended(f"A-{number}"), build.filled(f"A-{number}", trade_id=f"T-{number}"))
    ]
    return build.records(*facts)


@pytest.fixture
def pages(records):
    return [records[start : start + 20] for start in range(0, len(records), 20)]


@pytest.fixture(scope="module")
def once_filled(tmp_path_factory, records, build):
    folder = tmp_path_factory.mktemp("filled")
    with DuckDBAdapter(folder / "natya.duckdb", max_connections=3) as database:
        ReadModel(database).apply(records)
        MarketStore(database).write(build.ticks(100), [build.candle()])
        return folder, contents(database)


@pytest.fixture
def filled(once_filled, path):
    """What is in files that every test has a copy of."""
    folder, wanted = once_filled
    shutil.copytree(folder, path.parent, dirs_exist_ok=True)
    return wanted


class Stopped(Exception):  # noqa: N818
    """The process ended here."""


@pytest.fixture
def stop_at():
    """End the process at its n-th step on the names of files, from 1."""

    def arrange(number):
        steps = []

        def stopping(step):
            def take(*arguments):
                steps.append(arguments)
                if len(steps) == number:
                    raise Stopped
                return step(*arguments)

            return take

        patch = pytest.MonkeyPatch()
        patches.append(patch)
        patch.setattr(rebuilding, "move_new", stopping(rebuilding.move_new))
        patch.setattr(Path, "replace", stopping(Path.replace))
        patch.setattr(os, "link", stopping(os.link))
        return patch

    patches = []
    yield arrange
    for patch in patches:
        patch.undo()


def contents(database):
    names = ("facts", "orders", "fills", "projection", "ticks", "candles", "recorded")
    return {name: database.query(f"select * from {name} order by all").rows for name in names}  # noqa: S608  our names


def found(path):
    with DuckDBAdapter(path, max_connections=3) as database:
        assert check(database) == ()
        return contents(database)


class TestARebuild:
    def test_says_what_the_journal_says(self, settings, pages, filled, path):
        with DuckDBAdapter(path, max_connections=3) as database:
            database.execute("delete from orders")
            database.execute("update fills set price = 1")
        last, old = rebuild(settings, pages)

        assert last == 60
        assert found(path) == filled
        with DuckDBAdapter(old, max_connections=3) as before:
            assert before.query("select count(*) from orders").rows == ((0,),)

    def test_replaces_a_file_that_nobody_can_open(self, settings, pages, filled, path):
        path.write_bytes(b"nonsense" * 1_000)
        _, old = rebuild(settings, pages)

        assert found(path) == filled
        assert old.read_bytes() == b"nonsense" * 1_000

    def test_is_refused_while_another_process_has_the_file_open_with_duckdb_alone(self, settings, pages, filled, path):
        script = f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()"
        with Python([script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            holder.stdout.readline()
            with pytest.raises(DatabaseLocked) as refusal:
                rebuild(settings, pages)
            holder.communicate("\n")

        assert refusal.value.holder_pid == holder.pid
        assert list(path.parent.glob("*.old-*")) == []
        assert found(path) == filled

    def test_needs_no_file_before(self, settings, pages, new_path):
        assert rebuild(settings, pages) == (60, None)
        with DuckDBAdapter(new_path, read_only=True) as database:
            assert check(database) == ()
        assert len(found(new_path)["fills"]) == 30

    def test_of_a_journal_whose_beginning_was_removed_has_the_rest(self, settings, pages, new_path):
        assert rebuild(settings, pages[1:], first=21) == (60, None)
        assert len(found(new_path)["facts"]) == 40

    def test_keeps_the_log_of_the_old_file_from_the_new_one(self, settings, pages, filled, path):
        path.with_name(f"{path.name}.wal").write_bytes(b"an old log")
        _, old = rebuild(settings, pages)

        assert found(path) == filled
        assert Path(f"{old}.wal").read_bytes() == b"an old log"

    def test_counts_the_old_files(self, settings, pages, filled, path):
        names = [rebuild(settings, pages[:1])[1].name for _ in range(2)]

        assert names == ["natya.duckdb.old-1", "natya.duckdb.old-2"]

    def test_waits_for_nobody_who_has_the_files(self, settings, pages, filled, path):
        with DuckDBAdapter(path, max_connections=3) as database:
            with pytest.raises(DatabaseLocked, match=f"process {os.getpid()}"):
                rebuild(settings, pages)
            assert contents(database) == filled

    def test_of_a_journal_with_a_gap_changes_nothing(self, settings, pages, filled, path):
        with pytest.raises(JournalGap):
            rebuild(settings, [pages[0], pages[2]])

        assert found(path) == filled
        assert list(path.parent.glob("*.new-*")) == []

    def test_that_stops_in_the_middle_leaves_the_old_file(self, settings, pages, filled, stop_at):
        """It has a second name, then the new one takes its first."""
        path = Path(settings.path)
        for number in (1, 2):
            patch = stop_at(number)
            with pytest.raises(Stopped):
                rebuild(settings, pages)
            patch.undo()

            assert found(path) == filled, number
        rebuild(settings, pages)
        assert found(path) == filled


class TestACompaction:
    @pytest.mark.usefixtures("filled")
    def test_changes_nothing_but_the_size(self, settings, path, build):
        with DuckDBAdapter(path, max_connections=3) as database:
            MarketStore(database).write(build.ticks(30_000, source="other"))
            database.checkpoint()
            database.execute("delete from ticks where source = 'other'", file="market")
            wanted = contents(database)
        market = Path(settings.market_path)
        before = market.stat().st_size
        moved = compact(settings)

        assert [file for file, _ in moved] == [path, market]
        assert market.stat().st_size < before
        assert found(path) == wanted
        assert all(old.exists() for _, old in moved)

    def test_waits_for_nobody_who_has_the_files(self, settings, filled, path):
        with DuckDBAdapter(path, max_connections=3), pytest.raises(DatabaseLocked):
            compact(settings)

    def test_that_stops_in_the_middle_loses_nothing(self, settings, filled, path, stop_at):
        for number in (1, 2, 3, 4):
            patch = stop_at(number)
            with pytest.raises(Stopped):
                compact(settings)
            patch.undo()

            assert found(path) == filled, number
        compact(settings)
        assert found(path) == filled

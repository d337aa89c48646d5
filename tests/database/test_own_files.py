"""A database that no system works in, asked all the same."""

import datetime as dt
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from natya_starts import Python

from natya.actors.database import (
    DatabaseDamaged,
    DatabaseLocked,
    DatabaseMissing,
    DuckDBAdapter,
    OwnFiles,
    QueryResult,
)
from natya.actors.database.errors import QueryRefused, StatementFailed
from natya.config.data_directory import DataDirectory, DataDirectoryBusyError
from natya.config.loader import load_settings
from natya.messages.database import ArchiveDay, BackUp, Query, QueryToFile, SaveMarketData

COUNT = Query(sql="select count(*) from all_ticks")

DAYS = Query(sql="select distinct (exchange_ns + 19_800_000_000_000) // 86_400_000_000_000 from ticks")

WRITE_AND_WAIT = """
import sys, time
from natya.actors.database import DuckDBAdapter
database = DuckDBAdapter(sys.argv[1], max_connections=3)
database.execute("insert into recorded values ('a', 0)", file="market")
print("written", flush=True)
time.sleep(60)
"""


def settings_of(folder):
    return load_settings("paper", environment={}, overrides={"system.data_dir": str(folder)})


@pytest.fixture
def settings(tmp_path):
    return settings_of(tmp_path)


@pytest.fixture(scope="module")
def once_filled(tmp_path_factory, build):
    folder = tmp_path_factory.mktemp("filled")
    with OwnFiles(settings_of(folder), read_only=False) as own:
        own.work(SaveMarketData(ticks=tuple(build.ticks(10))), timeout_s=5)
    return folder


@pytest.fixture
def filled(once_filled, tmp_path):
    shutil.copytree(once_filled, tmp_path, dirs_exist_ok=True)


def count(own):
    return own.work(COUNT, timeout_s=5).rows[0][0]


@pytest.mark.usefixtures("filled")
class TestReading:
    def test_goes_with_others_who_read(self, settings):
        with OwnFiles(settings, read_only=True) as one, OwnFiles(settings, read_only=True) as other:
            assert (count(one), count(other)) == (10, 10)

    def test_hands_files_over_as_a_system_does(self, settings, tmp_path):
        with OwnFiles(settings, read_only=True) as own:
            with QueryResult(own.work(QueryToFile(sql="select 1"), timeout_s=5)) as result:
                assert result.rows == ((1,),)
            core, _ = own.work(BackUp(), timeout_s=5).paths
            with DuckDBAdapter(core, max_connections=3) as copy:
                assert copy.query(COUNT.sql).rows == ((10,),)
        assert list(tmp_path.glob("*handover*")) == []

    def test_keeps_owners_away_and_names_itself(self, settings):
        with OwnFiles(settings, read_only=True), pytest.raises(DatabaseLocked, match=f"process {os.getpid()}"):
            OwnFiles(settings, read_only=False)
        with OwnFiles(settings, read_only=False) as own:
            assert count(own) == 10

    def test_writes_nothing(self, settings):
        with OwnFiles(settings, read_only=True) as own:
            with pytest.raises(QueryRefused, match="read only"):
                own.database.execute("drop table facts")
            with pytest.raises(QueryRefused, match="read only"):
                own.work(ArchiveDay(day="2030-01-01"), timeout_s=5)

    def test_sees_archived_days(self, settings):
        with OwnFiles(settings, read_only=False) as own:
            assert own.work(ArchiveDay(day="2030-01-01"), timeout_s=5).ticks == (10,)
        with OwnFiles(settings, read_only=True) as own:
            assert count(own) == 10

    def test_sees_what_a_killed_owner_left_in_its_log(self, settings):
        owner = Python([WRITE_AND_WAIT, settings.database.path], stdout=subprocess.PIPE, text=True)
        assert owner.stdout.readline() == "written\n"
        with pytest.raises(DatabaseLocked, match=f"process {owner.pid}"):
            OwnFiles(settings, read_only=True)
        owner.send_signal(signal.SIGKILL)
        owner.communicate()
        with OwnFiles(settings, read_only=True) as own:
            rows = own.work(Query(sql="select source from recorded order by source"), timeout_s=5).rows

        assert rows == (("a",), ("saved:recording",))


class TestFilesThatAreNotThere:
    def test_are_not_made_to_be_read(self, settings, tmp_path):
        with pytest.raises(DatabaseMissing, match=str(tmp_path)):
            OwnFiles(settings, read_only=True)
        assert list(tmp_path.iterdir()) == []

    def test_are_made_to_be_written(self, settings):
        with OwnFiles(settings, read_only=False) as own:
            assert count(own) == 0

    def test_are_damage_if_it_is_the_second_one(self, settings, filled, tmp_path):
        (tmp_path / "natya-market.duckdb").unlink()

        with pytest.raises(DatabaseDamaged, match=r"natya-market\.duckdb cannot be opened"):
            OwnFiles(settings, read_only=True)


class TestWriting:
    def test_takes_the_whole_directory(self, settings, tmp_path):
        busy = pytest.raises(DataDirectoryBusyError, match=f"process {os.getpid()}")
        with OwnFiles(settings, read_only=False), busy:
            OwnFiles(settings, read_only=False)
        directory = DataDirectory(tmp_path)
        directory.take()
        with pytest.raises(DataDirectoryBusyError):
            OwnFiles(settings, read_only=False)
        directory.release()


class TestArchivedDays:
    @pytest.fixture
    def moved(self, settings, filled, tmp_path_factory):
        """Files with an archived day, in another place than where they were written."""
        with OwnFiles(settings, read_only=False) as own:
            (day,) = {str(dt.date(1970, 1, 1) + dt.timedelta(days=n)) for (n,) in own.work(DAYS, timeout_s=5).rows}
            own.work(ArchiveDay(day=day), timeout_s=5)
        place = tmp_path_factory.mktemp("place") / "moved"
        Path(settings.system.data_dir).rename(place)
        return load_settings("paper", environment={}, overrides={"system.data_dir": str(place)})

    def test_are_found_beside_files_that_were_moved_by_who_reads_first(self, moved):
        with OwnFiles(moved, read_only=True) as own:
            assert count(own) == 10
            assert own.work(Query(sql="select count(*) from ticks"), timeout_s=5).rows == ((0,),)
        with OwnFiles(moved, read_only=True) as one, OwnFiles(moved, read_only=True) as other:
            assert (count(one), count(other)) == (10, 10)

    @pytest.mark.parametrize("read_only", [True, False])
    def test_that_are_not_beside_them_are_asked_for(self, moved, read_only):
        """A backup holds the two files alone."""
        shutil.rmtree(Path(moved.system.data_dir) / "archive")

        with (
            OwnFiles(moved, read_only=read_only) as own,
            pytest.raises(StatementFailed, match="put the folder `archive` that belongs to the files beside them"),
        ):
            count(own)

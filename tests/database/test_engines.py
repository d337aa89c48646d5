"""Engines that are used again: what one adapter leaves in its own is never found by the next."""

import duckdb
import pytest
from natya_database import opened, with_files
from natya_engines import Engines, has_log

from natya.actors.database.engine import opening
from natya.actors.database.errors import DatabaseDamaged, StatementFailed


@pytest.fixture(scope="module")
def of_this_module():
    return Engines()


@pytest.fixture
def engines(of_this_module, monkeypatch):
    monkeypatch.setattr(opening, "new_instance", of_this_module.lend)
    yield of_this_module
    of_this_module.end()


@pytest.fixture
def other_path(tmp_path):
    return with_files(tmp_path / "other") / "natya.duckdb"


def idle(engines):
    return [instance for instances in engines.idle.values() for instance in instances]


class TestAnEngine:
    def test_is_used_again_with_the_files_of_the_next(self, engines, path, other_path):
        opened(path).close()
        started = engines.started
        with opened(path) as database:
            database.execute("create table notes as select 'first' as text")
            database.execute("create table lists as select 1 as x", file="market")
        with opened(other_path) as database:
            for table in ("core.notes", "market.lists"):
                with pytest.raises(StatementFailed, match="does not exist"):
                    database.query(f"select * from {table}")  # noqa: S608  our own names
        with opened(path) as database:
            assert database.query("select text from notes").rows == (("first",),)
        assert (engines.started, len(idle(engines))) == (started, 1)

    def test_is_one_adapters_at_a_time(self, engines, path, other_path):
        with opened(path) as database, opened(other_path) as other:
            database.execute("create table notes as select 'first' as text")
            with pytest.raises(StatementFailed, match="does not exist"):
                other.query("select * from notes")
        assert len(idle(engines)) == 2

    def test_has_the_limits_that_are_wanted(self, engines, path):
        for limit_mb, threads in ((96, 2), (64, 1), (96, 1)):
            with opened(path, memory_limit_mb=limit_mb, threads=threads) as database:
                sql = "select current_setting('memory_limit'), current_setting('threads')"
                found = database.write("core", lambda cursor, sql=sql: cursor.execute(sql).fetchall())
            assert found == [(f"{limit_mb}.0 MiB", threads)]

    def test_can_be_told_nothing_that_the_next_would_see(self, engines, path):
        for sql in ("set threads = 1", "set temp_directory = '/tmp/elsewhere'", "set enable_external_access = true"):
            with opened(path) as database, pytest.raises(StatementFailed, match="locked"):
                database.write("core", lambda cursor, sql=sql: cursor.execute(sql))

    def test_lets_go_of_the_files(self, engines, path):
        opened(path).close()
        with duckdb.connect(str(path)) as theirs:
            assert theirs.execute("select count(*) from facts").fetchall() == [(0,)]


class TestAnEngineThatIsNotAsItWas:
    def test_with_something_of_its_own_fails_the_tests_that_used_it(self, of_this_module):
        for sql in (
            "create table memory.t (x int)",
            "create view memory.v as select 1",
            "create macro memory.m(x) as x",
            "create sequence memory.s",
            "create type memory.e as enum ('a')",
            "create schema memory.apart",
        ):
            loan = of_this_module.lend(":memory:", memory_limit_mb=96, threads=2)
            loan.execute(sql)
            loan.close()
            with pytest.raises(AssertionError, match="nothing wanted in an engine that is used again"):
                of_this_module.end()

    def test_with_another_file_attached_is_ended(self, of_this_module):
        loan = of_this_module.lend(":memory:", memory_limit_mb=96, threads=2)
        loan.execute("attach ':memory:' as other")
        loan.close()
        assert idle(of_this_module) == []

    def test_with_a_log_left_is_ended_without_moving_it_into_the_file(self, engines, path, monkeypatch):
        monkeypatch.setattr("natya.actors.database.engine.adapter._checkpoint", lambda *_: None)
        before = path.read_bytes()
        with opened(path) as database:
            database.execute("create table notes as select 'first' as text")
        assert has_log(path)
        assert (path.read_bytes(), idle(engines)) == (before, [])
        monkeypatch.undo()
        with opened(path) as database:
            assert database.query("select text from notes").rows == (("first",),)

    def test_that_could_not_open_its_files_has_none_of_them(self, engines, path, other_path):
        market = path.with_name("natya-market.duckdb")
        held = market.read_bytes()
        market.write_bytes(held[:100] + bytes(8_000) + held[8_100:])
        with pytest.raises(DatabaseDamaged):
            opened(path)
        market.write_bytes(held)
        for each in (other_path, path):
            opened(each).close()

    def test_that_is_broken_is_ended(self, of_this_module):
        loan = of_this_module.lend(":memory:", memory_limit_mb=96, threads=2)
        loan.instance.close()
        loan.close()
        assert idle(of_this_module) == []
